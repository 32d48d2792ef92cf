"""What a table's log may name: files of the table's own folder, and nothing else.

A log is written by whoever hands the table on. A path in it, ``../../x.parquet`` or a link, would
be read, exported and compared as if it were the table's.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from geodata.tables.errors import TableChangedError

_PARTS = set("/\\%\0")
"""What a bare name does not hold; a percent sign may be read as an escape by others."""


def check_own(folder: Path, name: str) -> None:
    """Check that a file which a log names is the table's own.

    Parameters
    ----------
    folder
        Of the table, links resolved.

    Raises
    ------
    TableChangedError
        Unless it is the bare name of a file in the folder itself. A link is followed, and must
        lead to such a file; a pipe or device is none.
    """
    if not name or name in (".", "..") or set(name) & _PARTS:
        raise _not_own(folder, name, "is not the bare name of a file")
    try:
        mode = os.lstat(f"{folder}/{name}").st_mode
        if stat.S_ISLNK(mode):
            if (folder / name).resolve().parent != folder:
                raise _not_own(folder, name, "is a link to another place")
            mode = (folder / name).stat().st_mode
    except FileNotFoundError:  # who opens the version says that it is gone
        return
    if not stat.S_ISREG(mode):
        raise _not_own(folder, name, "is not a regular file")


def _not_own(folder: Path, name: str, problem: str) -> TableChangedError:
    return TableChangedError(
        f"{folder}: the log names {name!r}, which {problem}; a table's files lie in its own "
        "folder: do not trust this table, or copy the file in if it is yours"
    )


def newest_commit(folder: Path) -> int:
    """Return the number of the newest commit file in the folder of a log, -1 for none.

    Raises
    ------
    TableChangedError
        If the folder, or an entry of it, is a link to another place.
    """
    if folder.is_symlink() and folder.resolve().parent != folder.parent.resolve():
        raise _elsewhere(folder)
    with os.scandir(folder) as entries:
        there = list(entries)
    for entry in [entry for entry in there if entry.is_symlink()]:
        if Path(entry.path).resolve().parent != folder.resolve():
            raise _elsewhere(Path(entry.path))
    # commits have twenty digits: of ten thousand, comparing texts is what is quick
    newest = max((name for entry in there if (name := entry.name)[20:] == ".json"), default="")
    return int(newest[:20]) if newest[:20].isdigit() else -1


def _elsewhere(path: Path) -> TableChangedError:
    return TableChangedError(
        f"{path} is a link to another place; a table's log lies in its own folder: do not trust "
        "this table, or copy the files to where the links are"
    )
