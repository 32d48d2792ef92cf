"""Compile the region tables of a set into its index."""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata import coords, files, locate
from geodata.boundaries.building.filling import fill
from geodata.boundaries.nearest import Borders
from geodata.boundaries.schema import INDEX, TABLE_FILES
from geodata.boundaries.set import from_wkb, numbered, read_region_table
from geodata.places import Places

LARGE_SET = 2_000_000
"""Above this many vertices cells are divided less and fewer strips are filled: half the time."""

_EDGES_PER_STRIP = {False: 4.0, True: 10.0}
_AROUND = 0.03
"""Degrees around a place where photos are taken: three kilometres."""

_CODES = {True: ["code", "sovereign_code"], False: ["country"]}


def compile_set(folder: str | os.PathLike[str], *, edges_per_strip: float | None = None) -> Path:
    """Compile the region tables of a folder into its index; return the index file.

    A layer a level. A division counts only inside a country of its own code, so that a chain never
    leaves its country; below the divisions, regions of a territory may bear its sovereign's code.
    The owners also keep which region of each level contains a point whatever its country.

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
        read_region_table(path, [*_CODES[level == "country"], "geometry"])
        for level, path in zip(levels, paths, strict=True)
    ]
    shapes = [from_wkb(table) for table in tables]
    groups = numbered(*(table.column(0).to_pylist() for table in tables))
    large = sum(int(shapely.get_num_coordinates(some).sum()) for some in shapes) > LARGE_SET
    sovereign = numbered(
        [code or "" for code in tables[0]["sovereign_code"].to_pylist()],
        *(table.column(0).to_pylist() for table in tables),
    )
    borders = Borders(shapes[1], groups[1])
    options: dict[str, Any] = {
        "layer": np.repeat(np.arange(len(tables)), [len(table) for table in tables]),
        "edges_per_strip": edges_per_strip or _EDGES_PER_STRIP[large],
        "meta": {"sha256": _identity(paths), **({"levels": levels} if len(levels) > 2 else {})},
    }
    index = locate.build(np.concatenate(shapes), **options)
    if large:  # they are a gigabyte
        tables, shapes = [], []

    def owner_rows(index: locate.Index) -> NDArray[np.int32]:
        return _owner_rows(index.owners, groups, (sovereign[0], sovereign[2:]))

    def filled(index: locate.Index, cells: NDArray[np.int64] | None = None) -> locate.Index:
        owners = owner_rows(index)
        is_open = _open(owners, groups)
        return fill(index, owners, is_open, groups[0], borders, records=not large, cells=cells)

    if not large:
        around = _around_places(folder)
        found = filled(index, _cells_open(index, _open(owner_rows(index), groups), *around))
        finer = _cells_open(found, _open(found.owners, groups), *around)
        if len(finer):
            index = locate.build(np.concatenate(shapes), finer=finer, **options)
    index = filled(index)
    path = folder / INDEX
    index.save(path)
    return path


def _open(owners: NDArray[np.int32], groups: list[NDArray[Any]]) -> NDArray[np.bool_]:
    """Owners with a country but without a unit although the country has units."""
    country, unit = owners[:, 0], owners[:, 1]
    return (country >= 0) & (unit < 0) & np.isin(groups[0], groups[1])[country]


def _around_places(folder: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points, latitudes and longitudes, where photos are taken: places and around."""
    own = folder / "places.bin"  # the bundled set brings its own
    places = Places.load(own if own.is_file() else None)
    wide = np.maximum(np.cos(np.radians(places.lat)), 0.1)
    found = [
        coords.arrays(np.clip(places.lat + north, -90.0, 90.0), places.lon + east / wide)
        for north, east in itertools.product((-_AROUND, 0.0, _AROUND), repeat=2)
    ]
    return np.concatenate([at.lat for at in found]), np.concatenate([at.lon for at in found])


def _cells_open(
    index: locate.Index,
    is_open: NDArray[np.bool_],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return the base cells of the points whose owner is open."""
    here = is_open[index.locate(lat, lon)]
    return np.unique(locate.base_cell(lat[here], lon[here]))


def _owner_rows(
    owners: NDArray[np.int32],
    groups: list[NDArray[Any]],
    sovereign: tuple[NDArray[Any], list[NDArray[Any]]],
) -> NDArray[np.int32]:
    """Owners as rows of each level's table: those that count, then those that contain.

    Shape (o, 2 levels - 1): the country, each level below where it lies in its own country, and
    again each level below wherever it lies.
    """
    country = owners[:, 0]
    first, counted, containing = len(groups[0]), [country], []
    for level, group in enumerate(groups[1:], start=1):
        there = owners.shape[1] > level
        row = np.maximum(owners[:, level] - first, -1) if there else np.full(len(owners), -1)
        first += len(group)
        own = (country >= 0) & (row >= 0)
        at, of = country[own], row[own]
        same = groups[0][at] == group[of]
        if level > 1:
            same |= sovereign[0][at] == sovereign[1][level - 1][of]
        own[own] = same
        counted.append(np.where(own, row, -1))
        containing.append(row)
    return np.stack([*counted, *containing], axis=1).astype(np.int32)


def _identity(paths: list[Path]) -> str:
    """SHA-256 of the SHA-256 of every table."""
    return hashlib.sha256("".join(files.sha256(path) for path in paths).encode()).hexdigest()
