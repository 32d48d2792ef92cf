"""Boundary sets by name: the bundled one and the user's own."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from geodata.boundaries.set import BoundarySet, open_set
from geodata.files import FileError

BUNDLED = Path(__file__).parent / "bundled"


def home() -> Path:
    """Return the folder of the user's own sets: ``$GEODATA_HOME`` or the user's cache folder."""
    if given := os.environ.get("GEODATA_HOME"):
        return Path(given) / "boundaries"
    import pooch

    return Path(pooch.os_cache("geodata")) / "boundaries"


def available() -> dict[str, Path]:
    """Return the name and folder of every set that `load` can open."""
    found = {"bundled": BUNDLED}
    own = home()
    if own.is_dir():
        found |= {path.name: path for path in sorted(own.iterdir()) if path.is_dir()}
    return found


def load(name: str | os.PathLike[str] = "bundled") -> BoundarySet:
    """Open a boundary set by name, or by the path of its folder; opened once a process.

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
    folder = Path(name)
    if len(folder.parts) == 1 and not folder.is_dir():
        folder = home() / folder
    if not folder.is_dir():
        msg = f"no boundary set {os.fspath(name)!r}; there are {', '.join(available())}"
        raise FileError(msg)
    return _open(str(folder), folder.name)


@lru_cache(maxsize=1)
def _bundled() -> BoundarySet:
    return open_set(BUNDLED, "bundled")


@lru_cache(maxsize=8)
def _open(folder: str, name: str) -> BoundarySet:
    return open_set(folder, name)
