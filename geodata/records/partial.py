"""A folder that is there when it is whole; until then what was finished waits beside it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geodata import files
from geodata.records.chats import RecordError


@contextmanager
def partial_folder(out: Path, stamp: str) -> Iterator[Path]:
    """Give a folder beside ``out`` that takes its place if all went well.

    After an error or a kill it stays, if a file in it was finished, and the next call with the
    same stamp gets it again; leftovers of other stamps are not touched.

    Raises
    ------
    RecordError
        If ``out`` holds something or is the working folder, its parent is not there, or another
        process writes it.
    """
    target = files.free_folder(out, RecordError)
    stem = f".{target.name}.{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    beside = target.with_name(f"{stem}.partial")
    with _alone(target.with_name(f"{stem}.lock"), out):
        beside.mkdir(exist_ok=True)
        for half in beside.rglob("*.part"):  # of a writer that was killed
            half.unlink()
        try:
            yield beside
            beside.replace(target)
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
