"""The nearest border of points that may be far from any: balls of balls, not a growing search.

Pieces of borders are gathered, by group and neighbourhood, under nodes, and these again; each has
a ball around it (straight distances through the Earth, km, which rank as great circles do). Level
by level only those are kept for a point that reach nearer than the farthest side of another; the
few pieces that are left are measured. So it makes no difference how far the border is, or where on
the globe, as long as edges are short.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.boundaries.plane import feet
from geodata.sphere import EARTH_RADIUS_KM, haversine_km, unit_vectors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NODE = 16
"""Members of a node."""

_TOP = 100
"""Nodes that a group has on its highest level, on average, at most."""

_PAIRS = 1 << 20
"""Pairs of point and node that are judged at a time."""

_POINTS = 1 << 14
"""Points that are searched at a time."""

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


class Level(NamedTuple):
    """Balls, and where the members of each begin on the level below, (n + 1,)."""

    balls: Balls
    start: Ints


@dataclass(frozen=True)
class Far:
    """Pieces under nodes, all sorted by group.

    Attributes
    ----------
    edges : ndarray of float64, shape (p, 4, e)
        Ends of the edges of each piece: lon, lat, lon, lat.
    region : ndarray of int, shape (p,)
    pieces : Balls
    levels : tuple of Level
        The highest first; one at least.
    group : ndarray of int, shape (g,)
        The groups there are, ascending.
    group_start : ndarray of int, shape (g + 1,)
        First node of each group on the highest level.
    """

    edges: Floats
    region: Ints
    pieces: Balls
    levels: tuple[Level, ...]
    group: Ints
    group_start: Ints

    @classmethod
    def of(cls, edges: Floats, region: Ints, group: Ints) -> Far:
        """Gather pieces; ``group`` is that of each piece, (p,)."""
        order = np.lexsort((_interleaved(edges[:, :2, 0]), group))
        edges, region, group = edges[order], region[order], group[order]
        known, first = np.unique(group, return_index=True)
        pieces = balls = Balls.around(edges)
        ends = np.r_[first, len(group)].astype(np.int64)
        levels: list[Level] = []
        while not levels or ends[-1] > _TOP * len(known):
            start = _runs(ends)
            balls = balls.gathered(start)
            levels.insert(0, Level(balls, start))
            ends = np.searchsorted(start, ends).astype(np.int64)
        return cls(edges, region, pieces, tuple(levels), known, ends)

    def nearest(self, lat: Floats, lon: Floats, group: NDArray[Any]) -> tuple[Ints, Floats]:
        """Return (region, km) of points, (n,) degrees; (-1, infinity) where their group has none.

        Equal distances go to the region that comes first.
        """
        region, distance = np.full(len(lat), -1, np.int64), np.full(len(lat), np.inf)
        middle = unit_vectors(lat, lon)
        for begin in range(0, len(lat), _POINTS):
            part = slice(begin, begin + _POINTS)
            point, ball = self._nodes(middle[part], np.asarray(group)[part])
            if len(point):
                found = self._search(lat[part], lon[part], middle[part], point, ball)
                region[part][found[0]], distance[part][found[0]] = found[1:]
        return region, distance

    def _nodes(self, middle: Floats, group: NDArray[Any]) -> tuple[Ints, Ints]:
        """Return (point, node) of the highest level for the nodes that may be nearest."""
        top = self.levels[0].balls
        points, nodes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for at, g in _by_value(group):
            k = int(np.searchsorted(self.group, g))
            if k == len(self.group) or self.group[k] != g:
                continue
            first, last = int(self.group_start[k]), int(self.group_start[k + 1])
            radius = top.radius[first:last, None]
            step = max(_PAIRS // (last - first), 1)
            for part in (at[i : i + step] for i in range(0, len(at), step)):
                chord = _chord(top.middle[first:last] @ middle[part].T)
                best = (chord + radius).min(axis=0)
                node, point = np.nonzero(chord - radius <= best + _SLACK_KM)
                points.append(part[point])
                nodes.append(node + first)
        point, node = np.concatenate(points), np.concatenate(nodes)
        order = np.argsort(point, kind="stable")
        return point[order], node[order]

    def _search(
        self, lat: Floats, lon: Floats, middle: Floats, point: Ints, ball: Ints
    ) -> tuple[Ints, Ints, Floats]:
        """Return (point, region, km) of points with nodes, by point."""
        start = self.levels[0].start
        for balls, below in (*self.levels[1:], Level(self.pieces, start)):
            point, ball = _opened(start, point, ball)
            chord = _chord(np.einsum("ij,ij->i", middle[point], balls.middle[ball]))
            radius = balls.radius[ball]
            first = np.flatnonzero(np.r_[True, point[1:] != point[:-1]])
            best = np.full(len(middle), np.inf)
            best[point[first]] = np.minimum.reduceat(chord + radius, first)
            kept = np.flatnonzero(chord - radius <= best[point] + _SLACK_KM)
            point, ball, start = point[kept], ball[kept], below
        return self._measured(lat, lon, point, ball)

    def _measured(
        self, lat: Floats, lon: Floats, point: Ints, piece: Ints
    ) -> tuple[Ints, Ints, Floats]:
        """Return (point, nearest region, its distance)."""
        edges, y, x = self.edges.take(piece, axis=0), lat[point], lon[point]
        x = x - 360.0 * np.rint((x - edges[:, 0, 0]) / 360.0)
        km = haversine_km(y, x, *feet(y, x, edges))
        region = self.region[piece]
        order = np.lexsort((region, km, point))
        first = order[np.flatnonzero(np.r_[True, point[1:] != point[:-1]])]
        return point[first], region[first], km[first]


def _opened(start: Ints, point: Ints, node: Ints) -> tuple[Ints, Ints]:
    """Return (point, member) for the members of nodes."""
    first, count = start[node], start[node + 1] - start[node]
    begin = np.cumsum(count) - count
    member = np.arange(count.sum()) - np.repeat(begin - first, count)
    return np.repeat(point, count), member


def _runs(ends: Ints) -> Ints:
    """Divide each range from ``ends[i]`` to ``ends[i + 1]`` into runs; return where all begin."""
    place = np.arange(ends[-1]) - np.repeat(ends[:-1], np.diff(ends))
    return np.asarray(np.r_[np.flatnonzero(place % _NODE == 0), ends[-1]], np.int64)


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
