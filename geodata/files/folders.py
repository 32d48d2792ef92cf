"""Folders that are made whole: where one may be made."""

from __future__ import annotations

import os
from pathlib import Path

from geodata.errors import GeodataError


def free_folder(out: Path, error: type[GeodataError]) -> Path:
    """Return where a folder is made that will hold a whole, behind a link, too.

    Raises
    ------
    GeodataError
        As ``error``, for what it must not replace: a file, a folder that holds something, the
        working folder; or if the folder that it would lie in is not there.

    Examples
    --------
    >>> free_folder(Path("made-here"), GeodataError).name
    'made-here'
    """
    target = Path(os.path.realpath(out))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        msg = f"{out} exists and is not an empty folder; choose another one to write to"
        raise error(msg)
    if target.exists() and target.samefile(os.curdir):
        msg = f"{out} is the working folder; name a new one in it"
        raise error(msg)
    if not target.parent.is_dir():
        place = target.parent if out.is_symlink() else out.parent
        msg = f"{place}: there is no such folder; create it first"
        raise error(msg)
    return target
