"""What writers that were stopped left in a table, and moving it aside."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from geodata.tables import log
from geodata.tables.errors import TableError

FOLDER = "_leftovers"
"""Folder of the lake that they are moved to, by table."""

_HALF = (".*.part", "_commit_*.tmp")
"""Names of files that were being written: ours, and those of the Delta library."""


def leftovers(root: Path, known: set[str]) -> list[Path]:
    """Return the files that no commit names and no writer finished.

    Parameters
    ----------
    known
        Names of the data files that commits name.
    """
    found = [file for file in root.glob("part-*.parquet") if file.name not in known]
    for folder in (root, root / log.LOG, root / log.SEALS, root / log.FOLDER):
        found += [file for pattern in _HALF for file in folder.glob(pattern)]
    return sorted(file for file in found if file.is_file() or file.is_symlink())


def repair(path: str | os.PathLike[str], *, older_than_hours: float = 1.0) -> list[str]:
    """Move what stopped writers left out of a table, and return the names, relative to it.

    They go to the folder ``_leftovers`` of the lake, under the name of the table, and nothing is
    removed. No version changes: no commit names them.

    Parameters
    ----------
    older_than_hours
        Younger files stay, because a writer may be about to commit them.

    Raises
    ------
    TableNotFoundError
        If there is no table.
    TableChangedError
        If the log cannot be read: what it names would not be known.
    TableError
        If the time is below 0 or no number.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from pathlib import Path
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/t", pa.table({"a": [1]}))
    >>> Path(lake.name + "/t/.part-x.parquet.1.part").touch()
    >>> tables.repair(lake.name + "/t", older_than_hours=0)
    ['.part-x.parquet.1.part']
    >>> lake.cleanup()
    """
    root = log.check_path(path)
    if not older_than_hours >= 0:
        msg = f"older_than_hours {older_than_hours!r} must be 0 or more"
        raise TableError(msg)
    with log.alone(root):  # what is no version's now may be a moment later
        return list(_moved(root, time.time() - older_than_hours * 3600.0))


def _moved(root: Path, newest: float) -> Iterator[str]:
    known = set(log.added(root, log.check_version(root)))
    aside = root.parent / FOLDER / root.name
    for file in leftovers(root, known):
        if log.is_older(file, newest):
            target = _free(aside / file.relative_to(root))
            target.parent.mkdir(parents=True, exist_ok=True)
            file.rename(target)
            yield file.relative_to(root).as_posix()


def _free(target: Path) -> Path:
    """Return the place itself, or one beside it that is not taken."""
    number, found = 1, target
    while found.exists() or found.is_symlink():
        number += 1
        found = target.with_name(f"{target.name}.{number}")
    return found
