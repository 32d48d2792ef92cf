"""Draw the rows of a table on a map, with what lies around the places of another one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata import coords, maps, popular
from geodata.files import FileError, Source, coordinate_columns, with_points
from geodata.tables import log
from geodata.tables.versions import TableVersion, open_rows, reopen

Counts = NDArray[np.int64]


def draw_map(
    source: Any,
    path: str | os.PathLike[str],
    *,
    around: Any = None,
    radius_km: float = 200.0,
    lat: str | None = None,
    lon: str | None = None,
    title: str | None = None,
    dark: bool = False,
) -> int:
    """Draw where the rows of a table are; return how many rows have coordinates.

    Parameters
    ----------
    source
        What `open_rows` takes: a lake's table, files, Arrow, data frames.
    path
        File to write: ``.png``, ``.svg`` or ``.pdf``; ``.html`` is a page whose map is moved and
        magnified (extra ``map``). Equal Earth; a dot is half a degree.
    around
        Rows of another table, such as the popular points: the land within `radius_km` of any of
        them is tinted.
    radius_km
        Great-circle radius, km.
    lat, lon
        Columns of `source`, found by their usual names when not given.
    title
        The name of the source when not given.
    dark
        Light ink on dark paper.

    Raises
    ------
    FileError
        If there are no coordinates, or `path` ends in no known format.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> draw_map({"lat": [48.9, None, 35.0], "lon": [2.3, 0.0, 135.8]}, folder.name + "/map.png")
    2
    >>> folder.cleanup()
    """
    log.refuse_address(path)
    kind = maps.format_of(path)
    opened = open_rows(source)
    counts = _counted(opened, lat, lon)
    near = None if around is None else _within(count_rows(around), radius_km)
    name = title or Path(opened.name).name
    said = "" if near is None else f"within {radius_km:,g} km of {_called(around)}"
    if kind == "html":
        maps.write_page(path, name, counts, near, said, dark=dark)
        return int(counts.sum())
    drawn = maps.WorldMap(name, dark=dark)
    if near is not None:
        drawn.shade(near, said)
    drawn.counts(counts)
    drawn.save(path)
    return int(counts.sum())


def draw_version(version: TableVersion, path: Path) -> bool:
    """Draw a version for its card; False where it has no rows with coordinates.

    A table that was made by keeping away from popular places (recipe ``hard``) shows them, as far
    as they can be opened.
    """
    try:
        counts = count_rows(version)
    except FileError:
        return False
    if not counts.any():
        return False
    drawn = maps.WorldMap(f"{version.path.name}, version {version.version}")
    near = _kept_away_from(version)
    if near is not None:
        radius_km, cells = near
        drawn.shade(cells, f"within {radius_km:,g} km of a popular point")
    drawn.counts(counts)
    drawn.save(path)
    return True


def count_rows(source: Any, lat: str | None = None, lon: str | None = None) -> Counts:
    """Return the rows of a source by half degree, shape `geodata.maps.SHAPE`.

    Examples
    --------
    >>> int(count_rows({"lat": [1.0, 91.0], "lon": [2.0, 2.0]}).sum())
    1
    """
    return _counted(open_rows(source), lat, lon)


def _counted(source: Source, lat: str | None, lon: str | None) -> Counts:
    opened = with_points(source)
    found = coordinate_columns(opened.columns, lat, lon, where=opened.name)
    counts = np.zeros(maps.SHAPE, np.int64)
    for batch in opened.batches(found):
        at = coords.arrays(*(coords.parse_numbers(batch.table[name]) for name in found))
        counts += maps.count_cells(at.lat[at.valid], at.lon[at.valid])
    return counts


def _kept_away_from(version: TableVersion) -> tuple[float, NDArray[np.bool_]] | None:
    note = version.note
    try:  # a note may say anything, and the points may be gone: the rows are shown without them
        if note["recipe"] != "hard":
            return None
        radius_km = float(note["parameters"]["radius_km"])
        points = reopen(version.path.parent, "popular", note["inputs"]["popular"])
        return radius_km, _within(_counted(points.source, None, None), radius_km)
    except (ValueError, LookupError, TypeError):
        return None


def _within(points: Counts, radius_km: float) -> NDArray[np.bool_]:
    """Return the half degrees whose middle lies within a radius of one that holds points."""

    def middles(row: NDArray[np.int64], col: NDArray[np.int64]) -> tuple[Any, Any]:
        return (row + 0.5) / 2.0 - 90.0, (col + 0.5) / 2.0 - 180.0

    row, col = np.indices(maps.SHAPE)
    near = popular.within_km(
        *middles(row.ravel(), col.ravel()), *middles(*np.nonzero(points)), radius_km
    )
    return near.reshape(maps.SHAPE)


def _called(source: Any) -> str:
    return Path(str(source)).name if isinstance(source, str | os.PathLike) else "those places"
