"""A folder that is there when it is whole; until then what was finished waits beside it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geodata.records.chats import RecordError


@contextmanager
def partial_folder(out: Path, stamp: str) -> Iterator[Path]:
    """Give a folder beside ``out`` that takes its place if all went well.

    After an error or a kill it stays, if a file in it was finished, and the next call with the
    same stamp gets it again; leftovers of other stamps are not touched.

    Raises
    ------
    RecordError
        If ``out`` holds something, its parent is not there, or another process writes it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        msg = f"{out} exists and is not an empty folder; choose another one to write to"
        raise RecordError(msg)
    parent = out.absolute().parent
    if not parent.is_dir():
        msg = f"{out.parent}: there is no such folder; create it first"
        raise RecordError(msg)
    name = hashlib.sha256(stamp.encode()).hexdigest()[:16]
    beside = parent / f".{out.name}.{name}.partial"
    with _alone(parent / f".{out.name}.{name}.lock", out):
        beside.mkdir(exist_ok=True)
        for half in beside.rglob("*.part"):  # of a writer that was killed
            half.unlink()
        try:
            yield beside
            beside.replace(out)
        finally:
            if beside.is_dir() and not any(_finished(beside)):
                shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def _alone(path: Path, out: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however it ends; where a system has such locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                raise OSError("who held it before has removed it")
        except OSError as error:
            msg = f"{out}: another process writes the same records there; wait for it"
            raise RecordError(msg) from error
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _finished(folder: Path) -> Iterator[Path]:
    endings = (".parquet", ".jsonl", ".tar")
    return (path for path in folder.rglob("*") if path.suffix in endings and path.name[0] != ".")
