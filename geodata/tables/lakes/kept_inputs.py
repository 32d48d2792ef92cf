"""Files that datasets were built from: known by hash and name, found again wherever they lie.

A small file is copied into the folder ``_inputs`` of the lake, so that a replay needs nothing
else. Of a large one the lake keeps where it was, seen from the lake; that is no part of the
commit, and a lake that is published can leave the folder out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from geodata import files
from geodata.tables import errors

FOLDER = "_inputs"
KEPT_BYTES = 64 << 20
"""Larger files are not copied."""

_Path = str | os.PathLike[str]


def keep(lake: _Path, reference: Mapping[str, Any], path: Path) -> None:
    """Copy a small file into the lake under its hash, or note where a large one is.

    Raises
    ------
    ChangedFileError
        If the file has another content by now.
    """
    folder = Path(lake) / FOLDER
    copied = int(reference["bytes"]) <= KEPT_BYTES
    target = _copy(folder, reference) if copied else _pointer(folder, reference)
    if target.is_file():
        return
    with errors.storage(target, "keeping an input"):
        folder.mkdir(exist_ok=True)
        with files.replacing(target) as beside:
            if copied:
                shutil.copyfile(path, beside)
                if files.sha256(beside) != reference["sha256"]:
                    msg = f"{path} was written meanwhile; nothing was kept of it: try again"
                    raise ChangedFileError(msg)
            else:
                away = os.path.relpath(path.resolve(), Path(lake).resolve())
                beside.write_text(away, encoding="utf-8")


def find(lake: _Path, reference: Mapping[str, Any], look_in: Sequence[_Path] = ()) -> Path:
    """Return the file that a commit names by hash and name.

    Parameters
    ----------
    look_in
        Folders to look in before all others, or the file itself.

    Raises
    ------
    FileError
        If no file of its name is in any of the places.
    ChangedFileError
        If those that are have another content.
    """
    changed: list[tuple[Path, str]] = []
    for path in dict.fromkeys(_places(Path(lake), reference, look_in)):
        if path.is_file():
            found = files.sha256(path)
            if found == reference["sha256"]:
                return path
            changed.append((path, found))
    name, wanted = Path(str(reference["file"])).name, str(reference["sha256"])[:12]
    if changed:
        path, found = changed[0]
        msg = (
            f"{path}: sha256 is {found[:12]}, the dataset was built from {wanted}; restore the "
            "file, or name the folder where it is now (look_in=, --inputs)"
        )
        raise ChangedFileError(msg)
    msg = (
        f"{name}: expected the file with SHA-256 {wanted}, found nothing in the lake, in the "
        "working directory or where it was; name the folder where it is now (look_in=, --inputs)"
    )
    raise files.FileError(msg)


class ChangedFileError(files.FileError):
    """A file of the right name with another content."""


def _places(lake: Path, reference: Mapping[str, Any], look_in: Sequence[_Path]) -> Iterator[Path]:
    given = Path(str(reference["file"]))  # commits of earlier releases name a whole path
    for place in map(Path, look_in):
        yield place / given.name if place.is_dir() else place
    folder = lake / FOLDER
    yield _copy(folder, reference)
    pointer = _pointer(folder, reference)
    if pointer.is_file():
        yield lake / pointer.read_text(encoding="utf-8")
    yield given
    yield lake / given.name
    yield Path(given.name)


def _copy(folder: Path, reference: Mapping[str, Any]) -> Path:
    endings = "".join(Path(str(reference["file"])).suffixes[-2:])
    known = endings if files.is_table_file(f"a{endings}") else Path(endings).suffix
    return folder / f"{_hex(reference)}{known}"


def _pointer(folder: Path, reference: Mapping[str, Any]) -> Path:
    return folder / f"{_hex(reference)}.path"


def _hex(reference: Mapping[str, Any]) -> str:
    """Return the hash, which becomes part of a path, so nothing else may stand there."""
    text = str(reference["sha256"])
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        msg = f"{text[:80]!r} is no SHA-256"
        raise files.FileError(msg)
    return text
