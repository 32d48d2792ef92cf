"""Folders and patterns of files as one table: the shards in the order of their names."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from geodata.files.formats import FORMATS, FileError, file_format, is_table_file

_MARKS = "*?["
_NUMBERED = re.compile(
    r"(?P<name>.*?)(?P<number>[0-9]{1,6})-of-(?P<of>[0-9]{1,6})(?P<ending>\..*)?"
)
MOST_SHARDS = 100_000
_ABOUT = frozenset(("dataset_info.json", "state.json", "dataset_dict.json"))
"""Files that ``datasets.save_to_disk`` writes about its rows, beside them."""


def shards(path: Path) -> list[Path]:
    """Return the files that a folder or a pattern means; [] for the path of a file.

    Hidden files and folders, and those that begin with ``_`` (logs, checkpoints), are left out.

    Raises
    ------
    FileError
        If nothing is there, or files of more than one format, or one of a folder's
        ``name-00001-of-00003.csv`` is not there. A pattern may leave shards out.
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
        _refuse_gaps(tables, str(path))
        return _of_one_format(tables, str(path))
    if any(mark in str(path) for mark in _MARKS) and not path.exists():
        named = sorted(Path(p) for p in glob.glob(str(path), recursive=True))  # noqa: PTH207
        tables = [p for p in named if p.is_file() and not _is_hidden(p, path)]
        if not tables:
            msg = f"{path}: no file has a name of this pattern"
            raise FileError(msg)
        return _of_one_format(tables, str(path))
    return []


def _refuse_gaps(found: list[Path], where: str) -> None:
    """Refuse a series of shards that says how many it has and has fewer."""
    series: dict[tuple[str, str, str], set[int]] = {}
    for path in found:
        numbered = _NUMBERED.fullmatch(path.name)
        if numbered is not None:
            key = str(path.parent / numbered["name"]), numbered["of"], numbered["ending"] or ""
            series.setdefault(key, set()).add(int(numbered["number"]))
    for (name, of, ending), numbers in series.items():
        first = 0 if 0 in numbers else 1
        gone = (
            sorted(set(range(first, first + int(of))) - numbers) if int(of) <= MOST_SHARDS else []
        )
        if gone:
            example = f"{Path(name).name}{gone[0]:0{len(of)}d}-of-{of}{ending}"
            msg = (
                f"{where}: {len(gone)} of {int(of)} shards are missing, such as {example}; fetch "
                "them, or name the files with a pattern to read what is there"
            )
            raise FileError(msg)


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
