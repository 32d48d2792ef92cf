"""Folders and patterns of files as one table: the shards in the order of their names."""

from __future__ import annotations

import glob
from pathlib import Path

from geodata.files.formats import FORMATS, FileError, file_format, is_table_file

_MARKS = "*?["
_ABOUT = frozenset(("dataset_info.json", "state.json", "dataset_dict.json"))
"""Files that ``datasets.save_to_disk`` writes about its rows, beside them."""


def shards(path: Path) -> list[Path]:
    """Return the files that a folder or a pattern means; [] for the path of a file.

    Hidden files and folders, and those that begin with ``_`` (logs, checkpoints), are left out.

    Raises
    ------
    FileError
        If nothing is there, or files of more than one format.
    """
    if path.is_dir():
        found = [p for p in sorted(path.rglob("*")) if p.is_file() and not _is_hidden(p, path)]
        tables = [p for p in found if is_table_file(p) and p.name not in _ABOUT]
        if not tables:
            shown = ", ".join(p.name for p in found[:3]) or "nothing"
            msg = (
                f"{path} holds no {', '.join(FORMATS)} file and is no table of a lake, but {shown}"
            )
            raise FileError(msg)
        return _of_one_format(tables, str(path))
    if any(mark in str(path) for mark in _MARKS) and not path.exists():
        named = sorted(Path(p) for p in glob.glob(str(path), recursive=True))  # noqa: PTH207
        tables = [p for p in named if p.is_file() and not _is_hidden(p, path)]
        if not tables:
            msg = f"{path}: no file has a name of this pattern"
            raise FileError(msg)
        return _of_one_format(tables, str(path))
    return []


def _is_hidden(path: Path, asked: Path) -> bool:
    """Return whether a part of a path that was not asked for by its name is hidden."""
    return any(part.startswith((".", "_")) for part in path.parts if part not in asked.parts)


def _of_one_format(found: list[Path], where: str) -> list[Path]:
    kinds = sorted({file_format(path) for path in found})
    if len(kinds) != 1:
        msg = (
            f"{where} holds {' and '.join(kinds)} files; name one of them, one kind's folder, or a "
            f"pattern such as *.{kinds[0]}"
        )
        raise FileError(msg)
    return found
