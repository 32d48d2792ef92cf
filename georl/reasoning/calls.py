"""Answers that servers gave, kept for good: no call is made twice whose answer is here.

An append-only file of whole lines, one a call, synced to the disk before the answer is used. A
call is known by what was asked: the photo's bytes, the question, the model and its options. What
a kill can cost is the calls that were under way.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from georl.config import ConfigError

FILE, LOCK = "calls.jsonl", "calls.lock"

PATIENCE_S = 3.0
"""A run that was killed may leave threads that hold its lock for a moment."""


class Spent(NamedTuple):
    """What the calls of one kind took so far."""

    calls: int = 0
    seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0


class Calls:
    """The answers of a folder; one process at a time.

    Parameters
    ----------
    folder
        Made where it does not exist.

    Raises
    ------
    ConfigError
        If another process is at work in the folder, or a line of the file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / LOCK)
        try:
            self._lock.acquire(timeout=PATIENCE_S)
        except Timeout:
            msg = f"another process is at work in {folder}; wait for its end, or set another output"
            raise ConfigError(msg) from None
        self._path = folder / FILE
        self._places: dict[str, tuple[int, int]] = {}
        self.spent: dict[str, Spent] = {}
        self.served: dict[str, str] = {}
        self._writing = threading.Lock()
        self._under_way: dict[str, Future[dict[str, Any]]] = {}
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            self._end = self._read()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Calls:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process in."""
        os.close(self._file)
        self._lock.release()

    def answer(self, key: str, kind: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the answer to a call: the one that is kept, or what ``ask`` brings.

        The answer is JSON; ``model`` in it is the name that the server gives the model, ``tokens``
        the pair of tokens that it counts.

        Parameters
        ----------
        key
            Of `key_of`.
        kind
            Calls that cost alike: one model, question and options.
        """
        with self._writing:
            if key in self._places:
                return self._kept(key)
            other = self._under_way.get(key)
            if other is None:
                mine = self._under_way[key] = Future()
        if other is not None:  # the same photo stands twice in the table
            return other.result()
        try:
            mine.set_result(self._asked(key, kind, ask))
        except BaseException as error:
            mine.set_exception(error)
            mine.exception()  # it is raised here, whether another waits or not
        finally:
            with self._writing:
                del self._under_way[key]
        return mine.result()

    def _asked(self, key: str, kind: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        began = time.monotonic()
        reply = ask()
        took = round(time.monotonic() - began, 4)
        row = {"key": key, "kind": kind, "seconds": took, "reply": reply}
        line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        with self._writing:
            _write(self._file, line)
            os.fsync(self._file)
            self._note(row, self._end, len(line))
            self._end += len(line)
        return reply

    def _read(self) -> int:
        """Index the whole lines; cut off a last one that a kill left short."""
        end = 0
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, end)
                    break
                try:
                    row = json.loads(line)
                    self._note(row, end, len(line))
                except (ValueError, LookupError, TypeError, AttributeError) as error:
                    msg = (
                        f"{self._path}: line {number} is damaged ({type(error).__name__}); delete "
                        "that line, and its call is made again"
                    )
                    raise ConfigError(msg) from error
                end += len(line)
        return end

    def _note(self, row: dict[str, Any], at: int, size: int) -> None:
        self._places[row["key"]] = (at, size)
        reply = row["reply"]
        old, tokens = self.spent.get(row["kind"], Spent()), reply.get("tokens", (0, 0))
        self.spent[row["kind"]] = Spent(
            old.calls + 1, old.seconds + row["seconds"], old.tokens_in + tokens[0],
            old.tokens_out + tokens[1],
        )  # fmt: skip
        if reply.get("model"):
            self.served.setdefault(row["kind"], reply["model"])

    def _kept(self, key: str) -> dict[str, Any]:
        at, size = self._places[key]
        reply: dict[str, Any] = json.loads(os.pread(self._file, size, at))["reply"]
        return reply


def _write(file: int, line: bytes) -> None:
    while line:
        line = line[os.write(file, line) :]


def key_of(*asked: Any) -> str:
    """Return the name of a call: a hash of what is asked, as JSON.

    Examples
    --------
    >>> key_of("photo", "Where?") == key_of("photo", "Where?") != key_of("photo", "Why?")
    True
    """
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
