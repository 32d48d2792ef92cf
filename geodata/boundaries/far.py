"""The nearest border of points that may be far from any: cells that know which edges can matter.

The globe is cut into cells, and these again. A cell keeps the edges that can be nearest for some
point in it: those that come nearer to its middle than the far side of another one does, and twice
the cell's radius besides (distances are straight ones through the Earth, which rank as great
circles do and obey the rule of triangles). Two edges that lie side by side, seen from afar, come
nearer or go away together: the radius counts by what it can turn them against each other, twice
their distance over the sum of theirs to the cell. That bounds the difference of two unit vectors
(Dunkl and Williams, American Mathematical Monthly 71, 1964), which the difference of two distances
has for its gradient. A cell is worked out from the edges of the one around it
when a point falls into it for the first time, and is kept. So a point is measured to a few edges,
however far they are, and to none where its cell is beyond the limit as a whole.

Edges are straight in degrees, and so short that each is measured on the sphere as the straight line
through the Earth between its ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.boundaries.plane import feet
from geodata.sphere import EARTH_RADIUS_KM, haversine_km, unit_vectors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CELLS = (20.0, 5.0, 1.0, 0.25)
"""Sizes of the cells, degrees; each a whole part of the one before, the first of 180."""

_FEW = 16
"""With so many edges a cell is not cut again."""

_PAIRS = 1 << 16
"""Pairs of a point or cell and an edge that are judged at a time; so many fit a cache."""

_KEPT = 1 << 24
"""Edges that the cells of one size keep together, 8 bytes each; beyond, they begin anew."""

_SLACK_KM = 2e-3
"""Above the rounding of a distance that a product of unit vectors gives, 0.3 m at most."""


class Cells(NamedTuple):
    """Cells of one size that are worked out, by key.

    Attributes
    ----------
    key : ndarray of int, shape (k,), ascending
        Group and cell.
    begin, size : ndarray of int, shape (k,)
        Where the edges of each lie in ``edge``.
    low : ndarray of float, shape (k,), km
        No edge is nearer, in a straight line, to any point of the cell.
    edge : ndarray of int, shape (m,)
    """

    key: Ints
    begin: Ints
    size: Ints
    low: Floats
    edge: Ints

    @classmethod
    def none(cls) -> Cells:
        """Return no cells."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, nothing, np.zeros(0), nothing)

    def holding(self, key: Ints) -> NDArray[np.bool_]:
        """Return which cells are among these."""
        if not len(self.key):
            return np.zeros(len(key), bool)
        at = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return np.asarray(self.key[at] == key)

    def and_also(self, more: Cells) -> Cells:
        """Return these and others that are not among them."""
        key = np.r_[self.key, more.key]
        order = np.argsort(key, kind="stable")
        begin = np.r_[self.begin, more.begin + len(self.edge)]
        size, low = np.r_[self.size, more.size], np.r_[self.low, more.low]
        edge = np.concatenate([self.edge, more.edge])
        return Cells(key[order], begin[order], size[order], low[order], edge)


@dataclass(frozen=True)
class Far:
    """Edges with balls around them, sorted by group, and the cells that are worked out so far.

    Attributes
    ----------
    edges : ndarray of float64, shape (n, 4)
        Ends of the edges: lon, lat, lon, lat.
    region : ndarray of int, shape (n,)
    middle : ndarray of float64, shape (n, 3), unit vectors
    radius : ndarray of float64, shape (n,), km
    group : ndarray of int, shape (g,)
        The groups there are, ascending.
    start : ndarray of int, shape (g + 1,)
        First edge of each group.
    """

    edges: Floats
    region: Ints
    middle: Floats
    radius: Floats
    group: Ints
    start: Ints
    _known: list[Cells] = field(default_factory=lambda: [Cells.none() for _ in _CELLS], repr=False)

    @classmethod
    def of(cls, edges: Floats, region: Ints, group: Ints) -> Far:
        """Take pieces, (p, 4, e) degrees, with the region and the group of each, (p,)."""
        ends, piece = _edges(edges)
        # Neighbours lie side by side, which is three times as fast to read.
        order = np.lexsort((_cell(1, ends[:, 1], ends[:, 0]), group[piece]))
        ends, piece = ends[order], piece[order]
        known, first = np.unique(group[piece], return_index=True)
        start = np.r_[first, len(piece)].astype(np.int64)
        return cls(ends, region[piece], *_balls(ends), known, start)

    def nearest(
        self, lat: Floats, lon: Floats, group: NDArray[Any], max_km: float = np.inf
    ) -> tuple[Ints, Floats]:
        """Return (region, km) of points, (n,) degrees; (-1, infinity) where their group has none.

        Equal distances go to the region that comes first. Points that are farther than ``max_km``
        from any edge may also get (-1, infinity), sooner.
        """
        region, distance = np.full(len(lat), -1, np.int64), np.full(len(lat), np.inf)
        reach = _straight(max_km) + _SLACK_KM
        of: Ints = np.searchsorted(self.group, np.atleast_1d(group)).astype(np.int64)
        at = (
            np.flatnonzero(self.group.take(of, mode="clip") == group) if len(self.group) else of[:0]
        )
        for level in range(len(_CELLS)):
            key = of[at] * _count(level) + _cell(level, lat[at], lon[at])
            keys, where = np.unique(key, return_inverse=True)
            cells = self._cells(level, keys)
            place: Ints = np.asarray(np.searchsorted(cells.key, keys[where]), np.int64)
            near = cells.low[place] <= reach
            done = (cells.size[place] <= _FEW) | (level == len(_CELLS) - 1)
            here = np.flatnonzero(near & done)
            for part in _parts(cells.size[place[here]]):
                few = here[part]
                found = self._measured(lat, lon, at[few], cells, place[few])
                region[found[0]], distance[found[0]] = found[1:]
            at = at[near & ~done]
        return region, distance

    def _cells(self, level: int, keys: Ints) -> Cells:
        """Return cells of a size, these among them; what is new is worked out and kept.

        Threads may do so at the same time: what is kept is exchanged as a whole.
        """
        cells = self._known[level]
        new = keys[~cells.holding(keys)]
        if len(new):
            if len(cells.edge) > _KEPT:
                cells, new = Cells.none(), keys
            cells = self._known[level] = cells.and_also(self._worked_out(level, new))
        return cells

    def _worked_out(self, level: int, key: Ints) -> Cells:
        """Return which edges matter in cells, from those that matter in the cells around them."""
        group, cell = np.divmod(key, _count(level))
        middle, radius = _around(level, cell)
        if level:
            outer = group * _count(level - 1) + _outer(level, cell)
            around = self._cells(level - 1, np.unique(outer))
            at = np.searchsorted(around.key, outer)
            begin, size, edges = around.begin[at], around.size[at], around.edge
        else:
            begin, size, edges = self.start[group], np.diff(self.start)[group], None
        sizes, lows, kept = [], [], []
        for part in _parts(size):
            which, edge = _opened(begin[part], size[part])
            edge = edge if edges is None else edges[edge]
            chord = _chord(middle[part][which], self.middle[edge])
            far, near = chord + self.radius[edge], chord - self.radius[edge]
            first = np.cumsum(size[part]) - size[part]
            least = np.minimum.reduceat(far, first)
            near_to = np.flatnonzero(near <= (least + 2 * radius[part] + _SLACK_KM)[which])
            lows.append(np.minimum.reduceat(near, first) - radius[part] - _SLACK_KM)
            which, edge, near = which[near_to], edge[near_to], near[near_to]
            best = edge[_first_of(which, far[near_to] == least[which])][which]
            apart = _chord(self.middle[edge], self.middle[best])
            twice = 2 * radius[part][which]
            reach = near + least[which] + self.radius[edge] - self.radius[best] - twice
            turn = np.divide(apart, reach, out=np.ones(len(reach)), where=reach > apart)
            keep = near <= least[which] + twice * turn + _SLACK_KM
            which, edge = which[keep], edge[keep]
            sizes.append(np.bincount(which, minlength=len(first)))
            kept.append(edge)
        sized = np.concatenate(sizes)
        return Cells(
            key, np.cumsum(sized) - sized, sized, np.concatenate(lows), np.concatenate(kept)
        )

    def _measured(
        self, lat: Floats, lon: Floats, at: Ints, cells: Cells, place: Ints
    ) -> tuple[Ints, Ints, Floats]:
        """Return (point, nearest region, its distance) for points and their cells."""
        size = cells.size[place]
        which, edge = _opened(cells.begin[place], size)
        edge = cells.edge[edge]
        chord = _chord(unit_vectors(lat[at], lon[at])[which], self.middle[edge])
        best = np.minimum.reduceat(chord + self.radius[edge], np.cumsum(size) - size)
        kept = np.flatnonzero(chord - self.radius[edge] <= best[which] + _SLACK_KM)
        point, edge = at[which[kept]], edge[kept]
        ends, y, x = self.edges.take(edge, axis=0)[:, :, None], lat[point], lon[point]
        x = x - 360.0 * np.rint((x - ends[:, 0, 0]) / 360.0)
        km, region = haversine_km(y, x, *feet(y, x, ends)), self.region[edge]
        order = np.lexsort((region, km, point))
        first = order[np.flatnonzero(np.diff(point[order], prepend=-1))]
        return point[first], region[first], km[first]


def _edges(edges: Floats) -> tuple[Floats, Ints]:
    """Return the edges of pieces, (n, 4), and the piece of each, (n,)."""
    ends = edges.transpose(0, 2, 1).reshape(-1, 4)
    piece = np.repeat(np.arange(len(edges)), edges.shape[2])
    again = (np.diff(piece, prepend=-1) == 0) & (np.diff(ends, axis=0, prepend=np.nan) == 0).all(1)
    return ends[~again], piece[~again]  # a short piece repeats its last edge


def _balls(edges: Floats) -> tuple[Floats, Floats]:
    """Return the middle and the radius, km, of a ball around each edge, (n, 4) degrees."""
    one, other = (unit_vectors(edges[:, i + 1], edges[:, i]) for i in (0, 2))
    middle = _unit(one + other)
    radius = EARTH_RADIUS_KM * np.linalg.norm(one - middle, axis=1)
    # How far an edge, straight in degrees, leaves the straight line between its ends.
    span = np.radians(np.abs(edges[:, 2:] - edges[:, :2]))
    return middle, radius + EARTH_RADIUS_KM * (span**2).sum(axis=1) / 4.0


def _columns(level: int) -> int:
    return round(360.0 / _CELLS[level])


def _rows(level: int) -> int:
    return round(180.0 / _CELLS[level])


def _count(level: int) -> int:
    return _rows(level) * _columns(level)


def _cell(level: int, lat: Floats, lon: Floats) -> Ints:
    """Return the cells that points, degrees, lie in."""
    row = np.clip((lat + 90.0) / _CELLS[level], 0, _rows(level) - 1).astype(np.int64)
    column = np.clip((lon + 180.0) / _CELLS[level], 0, _columns(level) - 1).astype(np.int64)
    return np.asarray(row * _columns(level) + column, np.int64)


def _outer(level: int, cell: Ints) -> Ints:
    """Return the cells one size larger that hold cells."""
    row, column = np.divmod(cell, _columns(level))
    many = round(_CELLS[level - 1] / _CELLS[level])
    return np.asarray((row // many) * _columns(level - 1) + column // many, np.int64)


def _around(level: int, cell: Ints) -> tuple[Floats, Floats]:
    """Return the middle and the radius, km, of a ball around each cell."""
    row, column = np.divmod(cell, _columns(level))
    south, west = row * _CELLS[level] - 90.0, column * _CELLS[level] - 180.0
    north, east = south + _CELLS[level], west + _CELLS[level]
    middle = unit_vectors((south + north) / 2, (west + east) / 2)
    # No point of a cell is farther from its middle than a corner or the middle of a wide side.
    far = [unit_vectors(y, x) for y in (south, north) for x in (west, (west + east) / 2)]
    apart = np.max([np.linalg.norm(corner - middle, axis=1) for corner in far], axis=0)
    return middle, EARTH_RADIUS_KM * apart


def _opened(begin: Ints, size: Ints) -> tuple[Ints, Ints]:
    """Return (i, member) for the members ``begin[i]`` to ``begin[i] + size[i]``."""
    which = np.repeat(np.arange(len(size)), size)
    return which, np.arange(len(which)) + (begin - (np.cumsum(size) - size))[which]


def _first_of(which: Ints, there: NDArray[np.bool_]) -> Ints:
    """Return the first position at which each number, ascending from 0, is there."""
    at = np.flatnonzero(there)
    return np.asarray(at[np.unique(which[at], return_index=True)[1]])


def _parts(size: Ints) -> Iterator[slice]:
    """Divide a range into parts of some thousand members, one at least in each."""
    ends = np.cumsum(size)
    begin = 0
    while begin < len(size):
        done = ends[begin] - size[begin]
        end = max(int(np.searchsorted(ends, done + _PAIRS, side="right")), begin + 1)
        yield slice(begin, end)
        begin = end


def _chord(one: Floats, other: Floats) -> Floats:
    """Return straight distances, km, between unit vectors; rounded to 0.3 m."""
    cosine = np.einsum("ij,ij->i", one, other)
    return np.asarray(EARTH_RADIUS_KM * np.sqrt(np.maximum(2.0 - 2.0 * cosine, 0.0)))


def _straight(km: float) -> float:
    """Return the straight distance of two points that are so far apart along the Earth."""
    return 2.0 * EARTH_RADIUS_KM * float(np.sin(min(km / (2.0 * EARTH_RADIUS_KM), np.pi / 2)))


def _unit(vectors: Floats) -> Floats:
    """Return vectors with length 1; what is no direction becomes a pole."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-9, vectors / np.maximum(length, 1e-9), [0.0, 0.0, 1.0])
