"""Popular regions as H3 cells, so that SQL can exclude rows through a stored cell column.

A cell is ``inside`` when every point of it is within the radius of a popular point, and
``ambiguous`` when some may be; a cell that is not listed has none. Rows of ambiguous cells are
compared with the few popular points that can decide them. The macro
``sql/macros/far_from_popular.sql`` joins both to a table of rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.popular.centres import (
    AMBIGUOUS,
    INSIDE,
    Centres,
    check_radius,
    checked_points,
    chord,
)

_REACH_KM = 1420.0
"""No H3 cell of resolution r reaches farther than this / sqrt(7)^r from its centre.

Measured over all cells of resolutions 0 to 4: 1382.9, 1401.7, 1404.5, 1404.9, 1405.0 km."""

_DESCENDANTS = 1.1
"""Descendants stick out of their ancestor; measured 1.04 of its reach, at three levels down."""

_MAX_CELLS = 50_000_000

_Cells = NDArray[np.uint64]


def cells(
    popular_lat: Any, popular_lon: Any, radius_km: float = 200.0, resolution: int = 5
) -> pa.Table:
    """Return the H3 cells that popular circles cover wholly or may touch.

    Parameters
    ----------
    popular_lat, popular_lon
        Popular points, shape (m,), degrees.
    radius_km
        Great-circle radius, km, above 0.
    resolution
        H3 resolution of the stored cell column, 0 to 15.

    Returns
    -------
    pyarrow.Table
        ``cell`` int64, ascending and unique; ``class`` text, ``inside`` or ``ambiguous``.

    Raises
    ------
    ValueError
        For an invalid point, radius or resolution, or if more than 50 million cells would come
        out.

    Examples
    --------
    >>> table = cells([48.86], [2.35], radius_km=200, resolution=3)
    >>> table.num_rows, table["class"].to_pylist().count("inside")
    (22, 4)
    """
    target = _check_resolution(resolution)
    points = checked_points(popular_lat, popular_lon, "popular point")
    centres = Centres(*points, check_radius(radius_km))
    inside: list[_Cells] = []
    frontier = _base_cells()
    for level in range(target + 1):
        leaf = level == target
        states = centres.classify(
            *_cell_middles(frontier), _reach(level, 1.0 if leaf else _DESCENDANTS)
        )
        inside.append(_children(frontier[states == INSIDE], target))
        frontier = frontier[states == AMBIGUOUS]
        if not leaf:
            frontier = _children(frontier, level + 1)
    return _table(np.concatenate(inside), frontier)


def cell_points(
    cell_table: Any, popular_lat: Any, popular_lon: Any, radius_km: float = 200.0
) -> pa.Table:
    """Return, for each ambiguous cell, the popular points that can decide its rows.

    Parameters
    ----------
    cell_table
        The result of `cells` for the same points and radius.
    popular_lat, popular_lon, radius_km
        As in `cells`.

    Returns
    -------
    pyarrow.Table
        ``cell`` int64, ``lat`` and ``lon`` float64, degrees: one row a cell and point.

    Examples
    --------
    >>> table = cells([48.86], [2.35], radius_km=200, resolution=3)
    >>> cell_points(table, [48.86], [2.35], radius_km=200).num_rows  # one for each ambiguous cell
    18
    """
    points = checked_points(popular_lat, popular_lon, "popular point")
    centres = Centres(*points, check_radius(radius_km))
    rows = pa.table(cell_table)
    open_ = np.asarray(rows["class"].to_numpy(zero_copy_only=False) == "ambiguous", bool)
    found = rows["cell"].to_numpy()[open_].view(np.uint64)
    if not len(found):
        return pa.table(
            {"cell": found.view(np.int64), "lat": centres.lat[:0], "lon": centres.lon[:0]}
        )
    deciding = centres.within(*_cell_middles(found), _reach(_resolution_of(found), 1.0))
    counts = [len(points) for points in deciding]
    chosen = np.fromiter((i for points in deciding for i in points), np.int64, sum(counts))
    return pa.table(
        {
            "cell": np.repeat(found.view(np.int64), counts),
            "lat": centres.lat[chosen],
            "lon": centres.lon[chosen],
        }
    )


def _check_resolution(resolution: int) -> int:
    if isinstance(resolution, bool) or resolution not in range(16):
        msg = f"resolution {resolution!r} is not an H3 resolution; choose 0 (coarse) to 15 (fine)"
        raise ValueError(msg)
    return int(resolution)


def _reach(resolution: int, factor: float) -> float:
    return float(chord(factor * _REACH_KM / np.sqrt(7.0) ** resolution))


def _base_cells() -> _Cells:
    import h3

    return np.array([h3.str_to_int(cell) for cell in h3.get_res0_cells()], np.uint64)


def _resolution_of(cells_: _Cells) -> int:
    return int(cells_[0]) >> 52 & 15  # bits 52 to 55 of an H3 index


def _children(cells_: _Cells, resolution: int) -> _Cells:
    """Return all cells of a finer resolution below these; refuses a flood."""
    import h3ronpy

    if not len(cells_):
        return cells_
    expected = len(cells_) * 7 ** (resolution - _resolution_of(cells_))
    if expected > _MAX_CELLS:
        msg = (
            f"about {expected:,} H3 cells of resolution {resolution} would be needed, the limit "
            f"is {_MAX_CELLS:,}; choose a coarser resolution or a smaller radius"
        )
        raise ValueError(msg)
    return np.asarray(pa.array(h3ronpy.change_resolution(cells_, resolution))).astype(np.uint64)


def _cell_middles(cells_: _Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from h3ronpy import vector

    batch = pa.record_batch(vector.cells_to_coordinates(cells_))
    return np.asarray(batch["lat"]), np.asarray(batch["lng"])


def _table(inside: _Cells, ambiguous: _Cells) -> pa.Table:
    both = np.concatenate([inside, ambiguous]).view(np.int64)
    order = np.argsort(both)
    names = pa.array(["inside", "ambiguous"])
    which = np.repeat(np.array([0, 1], np.int8), [len(inside), len(ambiguous)])[order]
    return pa.table({"cell": both[order], "class": names.take(pa.array(which))})
