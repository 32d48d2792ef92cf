"""Boundary sets by name: the bundled one and the user's own."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from geodata.boundaries.schema import INDEX
from geodata.boundaries.set import BoundarySet, open_set
from geodata.files import FileError

BUNDLED = Path(__file__).parent / "bundled"


def home() -> Path:
    """Return the folder of the user's own sets: ``$GEODATA_HOME`` or the user's cache folder.

    Examples
    --------
    >>> home().name
    'boundaries'
    """
    if given := os.environ.get("GEODATA_HOME"):
        return Path(given) / "boundaries"
    import pooch

    return Path(pooch.os_cache("geodata")) / "boundaries"


def available() -> dict[str, Path]:
    """Return the name and folder of every set that `load` can open.

    Examples
    --------
    >>> "bundled" in available()
    True
    """
    found = {"bundled": BUNDLED}
    own = home()
    if own.is_dir():
        for path in sorted(own.iterdir()):
            if path.is_dir() and not path.name.startswith("."):
                found.setdefault(path.name, path)  # whatever lies there, "bundled" is ours
    return found


def find(name: str | os.PathLike[str] = "bundled") -> Path:
    """Return the folder of a set by name, or by the path of its folder, without opening it.

    Raises
    ------
    FileError
        If there is no such set; the message names those there are.

    Examples
    --------
    >>> find("bundled").name
    'bundled'
    """
    if name == "bundled":
        return BUNDLED
    folder = Path(name)
    if len(folder.parts) == 1 and not (folder / INDEX).is_file():
        own = home() / folder
        folder = own if own.is_dir() or not folder.is_dir() else folder
    if not folder.is_dir():
        known = ", ".join(available())
        msg = (
            f"no boundary set {os.fspath(name)!r}; there are {known}; 'geodata boundaries' fetches "
            "and builds others"
        )
        raise FileError(msg)
    return folder


def load(name: str | os.PathLike[str] = "bundled") -> BoundarySet:
    """Open a boundary set by name, or by the path of its folder; opened once a process.

    A set that was built anew under its name is opened anew.

    Raises
    ------
    FileError
        If there is no such set; the message names those there are.

    Examples
    --------
    >>> load().countries.num_rows > 240
    True
    """
    if name == "bundled":
        return _bundled()
    folder = find(name)
    index = folder / INDEX
    made = index.stat() if index.is_file() else None
    return _open(str(folder.absolute()), (made.st_ino, made.st_mtime_ns) if made else None)


@lru_cache(maxsize=1)
def _bundled() -> BoundarySet:
    return open_set(BUNDLED, "bundled")


@lru_cache(maxsize=8)
def _open(folder: str, made: tuple[int, int] | None) -> BoundarySet:
    return open_set(folder)
