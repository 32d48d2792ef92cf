"""Borders as short runs of edges: in a tree of boxes, and as balls for one point at a time.

A run lies in a ball around its middle, so the distances to the middles bound those to the runs
from both sides, wherever on the globe the point is. For one point that is one product of a matrix
and a vector, and what is left are the few runs that can be the nearest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.boundaries.plane import LONGEST, cut, in_plane
from geodata.boundaries.rings import edges_of
from geodata.sphere import EARTH_RADIUS_KM, unit_vectors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLEAR = 1.5
"""Of squares in the plane: what is so much larger is farther on the sphere. The plane distorts
them by a tenth of it where it is used."""

STEEP = 80.0
"""Degrees, where the plane of a box of some kilometres is still true to 1%."""

_EDGES = 6
_BENT_KM = 0.2
"""A straight edge in degrees, at most half a degree long, leaves the great circle by less."""


class Pieces(NamedTuple):
    """Short runs of edges: their boxes, ends (p, 4, edges) and regions (p,).

    The ends are lon, lat, lon, lat; a shorter run repeats its last edge.
    """

    tree: shapely.STRtree
    edges: Floats
    region: Ints

    @classmethod
    def of(cls, geometries: NDArray[Any]) -> Pieces:
        """Cut the rings of polygons, (n,)."""
        edges, ring, region = edges_of(geometries)
        edges, whole = cut(edges, LONGEST)
        ring, region = ring[whole], region[whole]
        position = np.arange(len(ring)) - np.searchsorted(ring, ring)
        first = np.flatnonzero(position % _EDGES == 0)
        low = np.minimum.reduceat(np.minimum(edges[:, :2], edges[:, 2:]), first)
        high = np.maximum.reduceat(np.maximum(edges[:, :2], edges[:, 2:]), first)
        tree = shapely.STRtree(boxes(*low.T, *high.T))
        last = np.r_[first[1:], len(ring)] - 1
        nth = np.minimum(first[:, None] + np.arange(_EDGES), last[:, None])
        columns = np.ascontiguousarray(edges[nth].transpose(0, 2, 1))
        return cls(tree, columns, region[first])


def boxes(west: Floats, south: Floats, east: Floats, north: Floats) -> NDArray[Any]:
    """Return diagonals, which have the envelope of a box at half its cost."""
    return np.asarray(
        shapely.linestrings(np.stack([west, south, east, north], 1).reshape(-1, 2, 2))
    )


@dataclass(frozen=True)
class Balls:
    """The pieces of each group in balls, to find the nearest region of one point.

    Attributes
    ----------
    pieces : Pieces
    group : ndarray of int, shape (p,)
        Of each piece.
    """

    pieces: Pieces
    group: Ints

    def nearest_region(self, lat: float, lon: float, group: int) -> int | None:
        """Return the nearest region of one point in a group; None where that is not clear."""
        part = self._parts.get(group)
        if part is None:
            return None
        middle, radius, piece = (column[part] for column in self._balls)
        phi, lam = math.radians(lat), math.radians(lon)
        flat = math.cos(phi)
        point = np.array([flat * math.cos(lam), flat * math.sin(lam), math.sin(phi)])
        chord = middle.dot(point)  # no new arrays below: they cost more than the numbers in them
        np.subtract(1.0, chord, out=chord)
        np.maximum(chord, 0.0, out=chord)
        np.sqrt(chord, out=chord)
        chord *= math.sqrt(2.0) * EARTH_RADIUS_KM
        reach = float((chord + radius).min())
        chord -= radius
        piece = piece[chord <= reach + _BENT_KM]
        of = self.pieces.region[piece]
        if (of == of[0]).all():
            return int(of[0])
        if abs(lat) > STEEP or reach * abs(math.tan(phi)) > 0.05 * EARTH_RADIUS_KM:
            return None  # the plane is not true enough
        edges = self.pieces.edges.take(piece, axis=0)
        near = lon - 360.0 * np.rint((lon - edges[:, 0, 0]) / 360.0)
        square = in_plane(np.array([lat]), near, edges).square.min(axis=1)
        best = int(square.argmin())
        rival = square[of != of[best]].min()
        return int(of[best]) if rival > CLEAR * square[best] else None

    @cached_property
    def _parts(self) -> dict[int, slice]:
        known, first = np.unique(np.sort(self.group), return_index=True)
        ends = [*first[1:].tolist(), len(self.group)]
        pairs = zip(known.tolist(), first.tolist(), ends, strict=True)
        return {group: slice(begin, end) for group, begin, end in pairs}

    @cached_property
    def _balls(self) -> tuple[Floats, Floats, Ints]:
        """Middle, (p, 3), and radius, km, of the ball of each piece, and the piece; by group."""
        piece = np.argsort(self.group, kind="stable")
        middle, radius = np.empty((len(piece), 3)), np.empty(len(piece))
        for begin in range(0, len(piece), 4096):  # at once, a first label takes 20 MB more
            part = slice(begin, begin + 4096)
            edges = self.pieces.edges.take(piece[part], axis=0)
            ends = np.concatenate([unit_vectors(edges[:, i + 1], edges[:, i]) for i in (0, 2)], 1)
            mean = ends.mean(axis=1)
            middle[part] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
            far = np.linalg.norm(ends - middle[part, None], axis=2).max(axis=1)
            radius[part] = EARTH_RADIUS_KM * far + _BENT_KM
        return middle, radius, piece
