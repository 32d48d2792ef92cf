"""One process at a time where a look at a table and what is done behind it have to be one.

Delta's log lets of two commits only one be the next. It does not know what else belongs together:
that the files of a commit are there when it is made, that nobody tags or restores a version whose
files a vacuum is about to remove, that a seal is that of its file. A folder is locked for such
moments, by a lock that ends with its process, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from geodata.tables.errors import TableConflictError

PATIENCE_S = 120.0

_held = threading.local()
_handles: set[int] = set()


def _let_go() -> None:
    """Leave locks to the process that was forked: a copy of a handle would hold them on."""
    for handle in _handles:
        os.close(handle)
    _handles.clear()
    _held.__dict__.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder of a table, or of a lake, against all others who ask for it.

    Within itself it may be asked for again. Where a system has no such locks, or the folder is not
    there, nothing is held: commits are safe without, the moments around them are not.

    Raises
    ------
    TableConflictError
        If another process holds it for two minutes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name, alone(Path(name)), alone(Path(name)):
    ...     pass
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100, links stay as they are
    mine: set[Path] = _held.__dict__.setdefault("folders", set())
    if folder in mine:
        yield
        return
    handle = _lock(folder)
    mine.add(folder)
    _handles.update(() if handle is None else (handle,))
    try:
        yield
    finally:
        mine.discard(folder)
        if handle in _handles:  # not in a process that was forked within
            _handles.discard(handle)
            os.close(handle)


def is_held(folder: Path) -> bool:
    """Return whether another process, or thread, holds a folder at this moment.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     is_held(Path(name))
    False
    """
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def _lock(folder: Path) -> int | None:
    """Return the locked handle of a folder, None where it cannot be locked."""
    try:
        import fcntl
    except ImportError:
        return None
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            handle = os.open(folder, os.O_RDONLY)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), folder.stat()):
                return handle
        except BlockingIOError:
            pass
        except OSError:  # a file system without such locks, or the folder is gone
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # another's, or of a folder that was exchanged meanwhile
        if time.monotonic() > deadline:
            msg = f"{folder}: another process has held it for {PATIENCE_S:g} s; end it, or wait"
            raise TableConflictError(msg)
        time.sleep(random.uniform(0.0005, 0.004))
