"""Compile the region tables of a set into its index."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata import files, locate
from geodata.boundaries.building.filling import fill
from geodata.boundaries.nearest import Borders
from geodata.boundaries.schema import INDEX, TABLE_FILES
from geodata.boundaries.set import from_wkb, numbered, read_region_table

LARGE_SET = 2_000_000
"""Above this many vertices cells are divided less and fewer strips are filled: half the time."""

_EDGES_PER_STRIP = {False: 4.0, True: 10.0}


def compile_set(folder: str | os.PathLike[str], *, edges_per_strip: float | None = None) -> Path:
    """Compile the region tables of a folder into its index; return the index file.

    A layer a level. A region counts only inside a country of its own code, so that a chain never
    leaves its country.

    Parameters
    ----------
    edges_per_strip : float, optional
        Smaller gives a finer, faster and larger index: see `geodata.locate.build`. By default 4,
        and 10 for sets of more than two million vertices.
    """
    folder = Path(folder)
    levels = [level for level, file in TABLE_FILES.items() if (folder / file).is_file()]
    paths = [folder / TABLE_FILES[level] for level in levels]
    tables = [
        read_region_table(path, ["code" if level == "country" else "country", "geometry"])
        for level, path in zip(levels, paths, strict=True)
    ]
    shapes = [from_wkb(table) for table in tables]
    groups = numbered(*(table.column(0).to_pylist() for table in tables))
    large = sum(int(shapely.get_num_coordinates(some).sum()) for some in shapes) > LARGE_SET
    index = locate.build(
        np.concatenate(shapes),
        np.repeat(np.arange(len(tables)), [len(table) for table in tables]),
        edges_per_strip=edges_per_strip or _EDGES_PER_STRIP[large],
        meta={"sha256": _identity(paths), **({"levels": levels} if len(levels) > 2 else {})},
    )
    borders = Borders(shapes[1], groups[1])
    del tables, shapes  # of a large set they are a gigabyte
    owners = _in_own_country(index.owners, groups)
    country, unit = owners[:, 0], owners[:, 1]
    is_open = (country >= 0) & (unit < 0) & np.isin(groups[0], groups[1])[country]
    path = folder / INDEX
    fill(index, owners, is_open, groups[0], borders, records=not large).save(path)
    return path


def _in_own_country(owners: NDArray[np.int32], groups: list[NDArray[Any]]) -> NDArray[np.int32]:
    """Owners as rows of each level's table: a region counts only inside its own country."""
    country = owners[:, 0]
    rows = [country]
    first = len(groups[0])
    for level, group in enumerate(groups[1:], start=1):
        full = owners.shape[1] > level
        row = owners[:, level] - first if full else np.full(len(owners), -1)
        first += len(group)
        own = (country >= 0) & (row >= 0)
        own[own] = groups[0][country[own]] == group[row[own]]
        rows.append(np.where(own, row, -1))
    return np.stack(rows, axis=1).astype(np.int32)


def _identity(paths: list[Path]) -> str:
    """SHA-256 of the SHA-256 of every table."""
    return hashlib.sha256("".join(files.sha256(path) for path in paths).encode()).hexdigest()
