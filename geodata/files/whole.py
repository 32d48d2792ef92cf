"""Writes that are whole or not there: beside the target, synced, then renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from geodata.files.formats import FileError


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file as hex."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path beside ``target`` to write to; sync and rename it there if all went well.

    A reader sees the old file or the new one, never a part; after an error or a kill the old
    one is untouched. Who may read and write the old one may do so with the new one. A link is
    followed, and stays.

    Raises
    ------
    FileError
        If the folder of the target does not exist, or the target is no regular file.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> target = Path(folder.name, "note.txt")
    >>> with replacing(target) as beside:
    ...     _ = beside.write_text("whole")
    ...     print(target.exists())
    False
    >>> target.read_text()
    'whole'
    >>> folder.cleanup()
    """
    target = _end_of_links(Path(target))
    mode = _mode(target)
    if not target.parent.is_dir():
        msg = f"cannot write {target}: the folder {target.parent} does not exist; create it first"
        raise FileError(msg)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    beside = Path(name)
    try:
        beside.chmod(mode)
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(target)
        _sync_folder(target.parent)
    finally:
        beside.unlink(missing_ok=True)


def write_text(target: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 text file whole, or leave what was there."""
    with replacing(target) as beside:
        beside.write_text(text, encoding="utf-8")


def _end_of_links(target: Path) -> Path:
    if not target.is_symlink():
        return target
    try:
        return target.resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        msg = f"cannot write {target}: the link leads nowhere ({error}); remove it"
        raise FileError(msg) from error


def _mode(target: Path) -> int:
    """Return the permissions that the new file gets: those of the old one, if there is one."""
    try:
        found = target.stat().st_mode
    except OSError:
        return 0o666 & ~_umask()
    if not stat.S_ISREG(found) and not stat.S_ISDIR(found):  # a rename onto a folder fails itself
        msg = f"cannot write {target}: it is not a regular file; name another one, or - for stdout"
        raise FileError(msg)
    return found & 0o777


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems refuse to sync a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
