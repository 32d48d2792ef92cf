"""The edges of polygons, ring by ring; and the lines where the name of the land changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geodata.boundaries.far import Far
from geodata.boundaries.plane import LONGEST, cut

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Edges(NamedTuple):
    """Edges in the order of their rings."""

    ends: Floats
    """Lon, lat, lon, lat, (e, 4) degrees."""
    ring: Ints
    region: Ints


def edges_of(geometries: NDArray[Any]) -> Edges:
    """Return the edges of polygons; the region of an edge is the position of its polygon."""
    parts, region = shapely.get_parts(geometries, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    ends, ring = np.hstack([xy[:-1], xy[1:]])[same], ring[:-1][same]
    return Edges(ends, ring, region[part][ring])


@dataclass(frozen=True)
class Lines:
    """The edges of regions where what lies on both sides is not called the same."""

    _far: Far

    @classmethod
    def between(cls, geometries: NDArray[Any], name: ArrayLike) -> Lines:
        """Take the edges of polygons without those inside what has one name, (n,) numbers.

        An edge is inside where two polygons of that name have it, vertex by vertex. The edge of
        the land or of the waters, with nothing behind, is a line too.

        Examples
        --------
        >>> polygons = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
        >>> Lines.between(polygons, [7, 7, 9]).distance_km([0.5], [1.0]).round(1)  # 0.5° to 0, 1
        array([55.6])
        """
        ends, _, region = edges_of(geometries)
        names = np.asarray(name)[region]
        swap = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
        ordered = np.where(swap[:, None], ends[:, [2, 3, 0, 1]], ends)
        rows = np.column_stack([ordered, names.astype(np.float64)])
        _, first, count = np.unique(rows, axis=0, return_index=True, return_counts=True)
        kept, _ = cut(ends[np.sort(first[count == 1])], LONGEST)
        one = np.zeros(len(kept), np.int64)
        return cls(Far.of(kept[:, :, None], one, one))

    def distance_km(self, lat: ArrayLike, lon: ArrayLike) -> Floats:
        """Return the great-circle distance from points, (n,) degrees, to the nearest line, km."""
        y, x = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
        return self._far.nearest(y, x, np.zeros(len(y), np.int64))[1]
