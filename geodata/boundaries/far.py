"""The nearest border of points that may be far from any: balls of balls, not a growing search.

Pieces of borders are gathered, by group and neighbourhood, under nodes; each has a ball around it
(straight distances through the Earth, km, which rank as great circles do). For a point only the
nodes, then the pieces, are kept that reach nearer than the farthest side of another; the few that
are left are measured. So it makes no difference how far the border is, or where on the globe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.boundaries.plane import in_plane
from geodata.sphere import EARTH_RADIUS_KM, haversine_km, unit_vectors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NODE = 16
"""Pieces of a node."""

_PAIRS = 1 << 20
"""Pairs of point and node that are judged at a time."""

_SLACK_KM = 2e-3
"""Above the rounding of a distance that a product of unit vectors gives, 0.3 m at most."""


class Balls(NamedTuple):
    """Middles, (n, 3) unit vectors, and radii, (n,) km."""

    middle: Floats
    radius: Floats

    @classmethod
    def around(cls, edges: Floats) -> Balls:
        """Return a ball around each piece, (p, 4, e) degrees."""
        lon, lat = edges[:, 0::2].reshape(len(edges), -1), edges[:, 1::2].reshape(len(edges), -1)
        ends = unit_vectors(lat, lon)
        middle = _unit(ends.sum(axis=1))
        radius = EARTH_RADIUS_KM * np.linalg.norm(ends - middle[:, None], axis=2).max(axis=1)
        # How far an edge, straight in degrees, leaves the straight line between its ends.
        span = np.radians(np.abs(edges[:, 2:] - edges[:, :2]))
        sag = EARTH_RADIUS_KM * (span**2).sum(axis=1).max(axis=1) / 4.0
        long = span.max(axis=(1, 2)) > 1.0
        return cls(middle, np.where(long, 2.0 * EARTH_RADIUS_KM, radius + sag))

    def gathered(self, start: Ints) -> Balls:
        """Return balls around runs of these, from ``start[i]`` to ``start[i + 1]``."""
        begin, size = start[:-1], np.diff(start)
        middle = _unit(np.add.reduceat(self.middle, begin))
        apart = np.linalg.norm(self.middle - np.repeat(middle, size, axis=0), axis=1)
        radius = np.maximum.reduceat(EARTH_RADIUS_KM * apart + self.radius, begin)
        return Balls(middle, radius)


@dataclass(frozen=True)
class Far:
    """Pieces under nodes, both sorted by group.

    Attributes
    ----------
    edges : ndarray of float64, shape (p, 4, e)
        Ends of the edges of each piece: lon, lat, lon, lat.
    region : ndarray of int, shape (p,)
    pieces, nodes : Balls
    node_start : ndarray of int, shape (nodes + 1,)
        First piece of each node.
    group : ndarray of int, shape (g,)
        The groups there are, ascending.
    group_start : ndarray of int, shape (g + 1,)
        First node of each group.
    """

    edges: Floats
    region: Ints
    pieces: Balls
    nodes: Balls
    node_start: Ints
    group: Ints
    group_start: Ints

    @classmethod
    def of(cls, edges: Floats, region: Ints, group: Ints) -> Far:
        """Gather pieces; ``group`` is that of each piece, (p,)."""
        order = np.lexsort((_interleaved(edges[:, :2, 0]), group))
        edges, region, group = edges[order], region[order], group[order]
        known, first = np.unique(group, return_index=True)
        place = np.arange(len(group)) - np.repeat(first, np.diff(np.r_[first, len(group)]))
        start = np.r_[np.flatnonzero(place % _NODE == 0), len(group)]
        pieces = Balls.around(edges)
        group_start = np.searchsorted(start, np.r_[first, len(group)]).astype(np.int64)
        return cls(edges, region, pieces, pieces.gathered(start), start, known, group_start)

    def nearest(self, lat: Floats, lon: Floats, group: NDArray[Any]) -> tuple[Ints, Floats]:
        """Return (region, km) of points, (n,) degrees; (-1, infinity) where their group has none.

        Equal distances go to the region that comes first.
        """
        region, distance = np.full(len(lat), -1, np.int64), np.full(len(lat), np.inf)
        middle = unit_vectors(lat, lon)
        for at, g in _by_value(np.asarray(group)):
            k = int(np.searchsorted(self.group, g))
            if k < len(self.group) and self.group[k] == g:
                nodes = slice(int(self.group_start[k]), int(self.group_start[k + 1]))
                step = max(_PAIRS // (nodes.stop - nodes.start), 1)
                for part in (at[i : i + step] for i in range(0, len(at), step)):
                    found = self._search(lat[part], lon[part], middle[part], nodes)
                    region[part], distance[part] = found
        return region, distance

    def _search(
        self, lat: Floats, lon: Floats, middle: Floats, nodes: slice
    ) -> tuple[Ints, Floats]:
        chord = _chord(middle @ self.nodes.middle[nodes].T)
        radius = self.nodes.radius[nodes]
        best = (chord + radius).min(axis=1)
        point, node = np.nonzero(chord - radius <= best[:, None] + _SLACK_KM)
        point, piece = self._opened(point, node + nodes.start)
        chord = _chord((middle[point] * self.pieces.middle[piece]).sum(axis=1))
        radius = self.pieces.radius[piece]
        begin = np.flatnonzero(np.r_[True, point[1:] != point[:-1]])
        best = np.minimum.reduceat(chord + radius, begin)
        kept = np.flatnonzero(chord - radius <= best[point] + _SLACK_KM)
        return self._measured(lat, lon, point[kept], piece[kept])

    def _opened(self, point: Ints, node: Ints) -> tuple[Ints, Ints]:
        """Return (point, piece) for the pieces under nodes."""
        first, count = self.node_start[node], self.node_start[node + 1] - self.node_start[node]
        begin = np.cumsum(count) - count
        piece = np.arange(count.sum()) - np.repeat(begin - first, count)
        return np.repeat(point, count), piece

    def _measured(self, lat: Floats, lon: Floats, point: Ints, piece: Ints) -> tuple[Ints, Floats]:
        """Return the nearest region and its distance; every point has a piece."""
        edges, y, x = self.edges.take(piece, axis=0), lat[point], lon[point]
        x = x - 360.0 * np.rint((x - edges[:, 0, 0]) / 360.0)
        km = haversine_km(y, x, *in_plane(y, x, edges).nearest())
        region = self.region[piece]
        order = np.lexsort((region, km, point))
        first = order[np.flatnonzero(np.r_[True, point[1:] != point[:-1]])]
        return region[first], km[first]


def _chord(cosine: Floats) -> Floats:
    """Return straight distances, km, from the product of two unit vectors; rounded to 0.3 m."""
    return EARTH_RADIUS_KM * np.sqrt(np.maximum(2.0 - 2.0 * cosine, 0.0))


def _unit(vectors: Floats) -> Floats:
    """Return vectors with length 1; what is no direction becomes a pole."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-9, vectors / np.maximum(length, 1e-9), [0.0, 0.0, 1.0])


def _by_value(values: NDArray[Any]) -> Iterator[tuple[Ints, int]]:
    """Yield (positions, value) for each distinct value."""
    order = np.argsort(values, kind="stable")
    ends = np.flatnonzero(np.diff(values[order])) + 1
    for at in np.split(order, ends) if len(order) else ():
        yield at, int(values[at[0]])


def _interleaved(middle: Floats) -> Ints:
    """Return the bits of longitude and latitude, (n, 2) degrees, in turn (Morton order)."""
    share = (middle + np.array([180.0, 90.0])) / np.array([360.0, 180.0])
    scaled = (share * 65535.0).astype(np.int64)
    code = np.zeros(len(middle), np.int64)
    for bit in range(16):
        code |= ((scaled[:, 0] >> bit) & 1) << (2 * bit)
        code |= ((scaled[:, 1] >> bit) & 1) << (2 * bit + 1)
    return code
