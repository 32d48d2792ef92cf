"""Exclusion by a raster: space is classified once, only points in doubtful cells are measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata import coords
from geodata.popular.centres import AMBIGUOUS, OUTSIDE, Centres, Floats

_COARSE = 8
"""Cells on a side of the fine raster in one cell of the coarse."""


_CHUNK = 1 << 18


def within_raster(
    centres: Centres, lat: Floats, lon: Floats, radius_km: float
) -> NDArray[np.bool_]:
    """Return which points lie within the radius, shape (n,); those in doubt are measured."""
    rows = _raster_rows(radius_km)
    keys = _keys(lat, lon, rows)
    states = _states(centres, keys, rows)
    out = np.empty(len(lat), np.int8)
    for i in range(0, len(lat), _CHUNK):
        out[i : i + _CHUNK] = states[keys[i : i + _CHUNK]]
    undecided = np.flatnonzero(out == AMBIGUOUS)
    points = coords.arrays(lat[undecided], lon[undecided], wrap=False)
    out[undecided] = centres.contains(points.lat, points.lon)
    return out.astype(bool)


def _raster_rows(radius_km: float) -> int:
    """Return the rows of the fine raster: 0.1 degree at 200 km, finer for smaller circles."""
    coarse_rows = int(np.clip(np.ceil(225 * 200.0 / radius_km), 15, 450))
    return coarse_rows * _COARSE


def _keys(lat: Floats, lon: Floats, rows: int) -> NDArray[np.int32]:
    """Return the cell of each point, and for an invalid point one cell past the last.

    A point on a cell's own border may fall by 1 ulp to the neighbour; `Centres` has room for it.
    """
    out = np.empty(len(lat), np.int32)
    scale = rows / 180.0
    for i in range(0, len(lat), _CHUNK):
        points = coords.arrays(lat[i : i + _CHUNK], lon[i : i + _CHUNK])
        row = ((points.lat + 90.0) * scale).astype(np.int32)
        col = ((points.lon + 180.0) * scale).astype(np.int32)
        np.minimum(row, rows - 1, out=row)
        np.minimum(col, 2 * rows - 1, out=col)
        key = row * (2 * rows) + col
        if not points.valid.all():
            key[~points.valid] = 2 * rows * rows
        out[i : i + _CHUNK] = key
    return out


def _states(centres: Centres, keys: NDArray[np.int32], rows: int) -> NDArray[np.int8]:
    """Return the verdict on every cell that holds a point, coarse cells first."""
    states = np.zeros(2 * rows * rows + 1, np.int8)
    states[keys] = AMBIGUOUS
    states[-1] = OUTSIDE  # invalid points are within nothing
    used = np.flatnonzero(states)
    parents = used // (2 * rows) // _COARSE * (2 * rows // _COARSE) + (used % (2 * rows) // _COARSE)
    coarse_rows = rows // _COARSE
    coarse = np.zeros(2 * coarse_rows * coarse_rows, np.int8)
    coarse[parents] = AMBIGUOUS
    occupied = np.flatnonzero(coarse)
    coarse[occupied] = _classify(centres, occupied, coarse_rows)
    states[used] = coarse[parents]
    open_cells = used[coarse[parents] == AMBIGUOUS]
    states[open_cells] = _classify(centres, open_cells, rows)
    return states


def _classify(centres: Centres, found: NDArray[np.int64], rows: int) -> NDArray[np.int8]:
    step = 180.0 / rows
    lat = np.asarray((found // (2 * rows) + 0.5) * step - 90.0, np.float64)
    lon = np.asarray((found % (2 * rows) + 0.5) * step - 180.0, np.float64)
    return centres.classify(lat, lon, _reach(lat, step))


def _reach(lat: Floats, step: float) -> Floats:
    """Return the chord from the middle of each cell to its corners nearest the equator.

    a <= sin²(dlat/2) + cos(lat) cos(lat') sin²(dlon/2), largest at these corners. No cell lies
    on both sides of the equator.
    """
    edge = np.abs(lat) - step / 2
    half = np.sin(np.radians(step / 4)) ** 2
    across = np.cos(np.radians(lat)) * np.cos(np.radians(edge))
    return np.asarray(2.0 * np.sqrt(half * (1.0 + across)))
