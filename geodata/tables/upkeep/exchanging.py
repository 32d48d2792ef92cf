"""Put another folder in a table's place in one step, so that a kill leaves one or the other."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

from geodata.tables import log
from geodata.tables.errors import TableConflictError, TableError
from geodata.tables.log import FOLDER as TAGS

FOLDER = "_forgetting"
"""Folder of the lake where the other folder is made; what lies there is a stopped attempt."""

_AT_FDCWD = -100
_SWAP = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS


def place_beside(root: Path) -> Path:
    """Return where the folder that takes a table's place is made."""
    return root.parent / FOLDER / root.name


def make_beside(root: Path) -> Path:
    """Make that folder anew, without what a stopped attempt left."""
    beside = place_beside(root)
    remove_beside(root)
    beside.mkdir(parents=True)
    return beside


def remove_beside(root: Path) -> bool:
    """Remove that folder and return whether it was there."""
    beside = place_beside(root)
    was_there = beside.is_dir()
    shutil.rmtree(beside, ignore_errors=True)
    if beside.parent.is_dir() and not any(beside.parent.iterdir()):
        beside.parent.rmdir()
    return was_there


def take_place(root: Path, version: int) -> None:
    """Put the folder that was made in the place of the table, and remove the table's old one.

    Parameters
    ----------
    version
        The newest one of the table when the folder was made.

    Raises
    ------
    TableConflictError
        If somebody committed meanwhile; the table is as they left it.
    TableError
        If the file system cannot exchange two folders.
    """
    beside = place_beside(root)
    with log.alone(root), log.alone(beside):  # which is the table a moment later
        _refuse_another(root, version, root)
        _bring_tags(root, beside)
        _exchange(root, beside)
        try:
            _refuse_another(beside, version, root)
        except TableConflictError:  # by another tool, which does not ask who holds the table
            _exchange(root, beside)
            raise
        for pattern in ("part-*.parquet", ".part-*.part"):  # of a writer that is about to commit
            for file in beside.glob(pattern):
                if not (root / file.name).exists():
                    file.rename(root / file.name)
    remove_beside(root)


def _refuse_another(folder: Path, version: int, root: Path) -> None:
    if log.last_version(folder) != version:
        msg = f"{root}: another writer committed meanwhile; nothing was changed, try again"
        raise TableConflictError(msg)


def _bring_tags(root: Path, beside: Path) -> None:
    """Give the other folder the tags of this moment."""
    if (root / TAGS).is_dir():
        shutil.copytree(root / TAGS, beside / TAGS)


def _exchange(a: Path, b: Path) -> None:
    """Give two folders each other's names.

    References
    ----------
    Linux renameat2(2), RENAME_EXCHANGE; macOS renamex_np(2), RENAME_SWAP.
    """
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(a), os.fsencode(b)
    try:
        if sys.platform == "darwin":
            failed = library.renamex_np(*names, _SWAP)
        else:
            failed = library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _SWAP)
    except AttributeError:  # a library without the call
        failed = -1
    if failed:
        reason = os.strerror(ctypes.get_errno()) if ctypes.get_errno() else "not supported here"
        msg = (
            f"{a}: the file system cannot exchange two folders in one step ({reason}); nothing "
            "was changed: copy the lake to a local disk, forget there, and copy it back"
        )
        raise TableError(msg)
