"""Where regions of one level overlap, and what they leave open of their countries.

Areas are measured along parallels, like the lines of a scanner: between two crossings of a border
the number of regions over the line is constant, so lengths are exact and the area is a sum of
strips. The strips are as narrow as a million crossings allow: 60 m for Switzerland, a kilometre
for the world. What is thinner than a strip from south to north can be missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.sphere import EARTH_RADIUS_KM

_CROSSINGS = 1_000_000
_WIDEST = 0.1
_LEAST = 1e-6
"""Shorter lengths (degrees, 10 cm) are the rounding of coordinates, not an overlap."""
_APART = 400.0
_KM_PER_DEGREE = EARTH_RADIUS_KM * np.pi / 180

Shapes = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coverage:
    """How the regions of one level cover the land.

    Attributes
    ----------
    overlapping : int
        Regions that lie partly over another one of their level and country.
    overlap_km2 : float
    with_gaps : int
        Countries that their regions do not fill.
    gap_km2 : float
    """

    overlapping: int
    overlap_km2: float
    with_gaps: int = 0
    gap_km2: float = 0.0


def measure(
    shapes: Shapes,
    group: Ints,
    around: Shapes | None = None,
    around_group: Ints | None = None,
) -> Coverage:
    """Measure the overlaps of regions and the gaps that they leave in those around them.

    Parameters
    ----------
    shapes : ndarray of polygons, shape (n,)
        Longitude and latitude, degrees.
    group : ndarray of int, shape (n,)
        Only regions of one group can overlap.
    around, around_group : ndarray, shape (m,), optional
        Regions that those of their group should fill; a group without regions is left out.

    Examples
    --------
    >>> west, east = shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)
    >>> found = measure(np.array([west, east]), np.zeros(2, int))
    >>> found.overlapping, round(found.overlap_km2)  # a degree square on the equator
    (1, 12364)
    """
    if not len(shapes):
        return Coverage(0, 0.0)
    edges, region = _edges(shapes)
    step = float(np.clip(np.abs(edges[:, 3] - edges[:, 1]).sum() / _CROSSINGS, 1e-5, _WIDEST))
    row, x, of, sign = _crossings(edges, region, step)
    place = x + _APART * group[of]
    order = np.lexsort((place, row))
    depth = np.cumsum(sign[order])
    length = np.diff(place[order], append=np.inf)
    over = (depth >= 2) & (length > _LEAST)
    overlap = _area(row[order][over], length[over], step)
    found = Coverage(len(np.unique(of[order][over])), overlap)
    if around is None or around_group is None:
        return found
    outer, outer_region = _edges(around)
    asked = np.isin(around_group, group)[outer_region]
    row2, x2, of2, sign2 = _crossings(outer[asked], outer_region[asked], step)
    gaps = _gaps(
        np.r_[row, row2],
        np.r_[place, x2 + _APART * around_group[of2]],
        np.r_[sign, np.zeros(len(row2), np.int64)],
        np.r_[np.zeros(len(row), np.int64), sign2],
        step,
    )
    return Coverage(found.overlapping, found.overlap_km2, *gaps)


def _gaps(row: Ints, place: Floats, inner: Ints, outer: Ints, step: float) -> tuple[int, float]:
    order = np.lexsort((place, row))
    length = np.diff(place[order], append=np.inf)
    is_open = (np.cumsum(outer[order]) >= 1) & (np.cumsum(inner[order]) == 0) & (length > _LEAST)
    groups = np.floor((place[order][is_open] + 180.0) / _APART)
    return len(np.unique(groups)), _area(row[order][is_open], length[is_open], step)


def _area(row: Ints, length: Floats, step: float) -> float:
    lat = np.radians((row + 0.5) * step - 90.0)
    return float((length * np.cos(lat)).sum() * step * _KM_PER_DEGREE**2)


def _edges(shapes: Shapes) -> tuple[Floats, Ints]:
    """Edges as x, y, x, y, the southern end first, and the region of each."""
    parts, region = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    a, b = xy[:-1][same], xy[1:][same]
    up = (a[:, 1] <= b[:, 1])[:, None]
    ends = np.hstack([np.where(up, a, b), np.where(up, b, a)])
    return ends, region[part][ring[:-1][same]]


def _crossings(edges: Floats, region: Ints, step: float) -> tuple[Ints, Floats, Ints, Ints]:
    """Row, x, region and +1 (into the region, going east) or -1 for every crossing."""
    low = np.ceil((edges[:, 1] + 90.0) / step - 0.5).astype(np.int64)
    high = np.ceil((edges[:, 3] + 90.0) / step - 0.5).astype(np.int64)
    count = high - low
    edge = np.repeat(np.arange(len(edges)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + low[edge]
    ax, ay, bx, by = edges[edge].T
    x = ax + ((row + 0.5) * step - 90.0 - ay) / (by - ay) * (bx - ax)
    of = region[edge]
    order = np.lexsort((x, row, of))
    row, x, of = row[order], x[order], of[order]
    sign = np.tile([1, -1], len(row) // 2)  # rings close: crossings come in pairs
    return row, x, of, sign
