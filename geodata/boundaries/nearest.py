"""Great-circle distance from points to the borders of regions, for the few points that need it.

Borders are cut into short pieces in one STR-tree. A query collects the pieces that meet a box
around the point and grows the box until the nearest region in it is nearer than the box is wide,
so the answer does not depend on the distortion of the lat/lon plane.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.sphere import EARTH_RADIUS_KM, HALF_CIRCUMFERENCE_KM, haversine_km

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PIECE_EDGES = 6
_FIRST_RADIUS_KM = 2.0
_GROWTH = 2.0
_BOX_MARGIN = 1.0001  # rounding of the box must not lose a piece that touches it


class Distances(NamedTuple):
    """Distances from points to regions, ordered by point, then distance, then region."""

    point: Ints
    region: Ints
    distance_km: Floats


@dataclass(frozen=True)
class Borders:
    """Border pieces of regions, ready to be searched.

    Attributes
    ----------
    geometries : ndarray of shapely polygons, shape (n,)
    group : ndarray of int, shape (n,), optional
        A point of group g only sees the regions of group g.
    """

    geometries: NDArray[Any]
    group: NDArray[Any] | None = None

    @cached_property
    def _pieces(self) -> tuple[shapely.STRtree, Floats, Ints, Ints]:
        """The tree, edges (e, 4), first edge of each piece (p + 1,), region of each piece."""
        parts, region = shapely.get_parts(self.geometries, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        same = ring[1:] == ring[:-1]
        edges, ring = np.hstack([xy[:-1], xy[1:]])[same], ring[:-1][same]
        position = np.arange(len(ring)) - np.searchsorted(ring, ring)
        first = np.flatnonzero(position % _PIECE_EDGES == 0)
        low = np.minimum.reduceat(np.minimum(edges[:, :2], edges[:, 2:]), first)
        high = np.maximum.reduceat(np.maximum(edges[:, :2], edges[:, 2:]), first)
        tree = shapely.STRtree(shapely.box(*low.T, *high.T))
        return tree, edges, np.r_[first, len(ring)], region[part][ring[first]]

    def nearest(
        self,
        lat: Floats,
        lon: Floats,
        *,
        group: NDArray[Any] | None = None,
        max_km: float = HALF_CIRCUMFERENCE_KM,
    ) -> tuple[Ints, Floats]:
        """Return the nearest region of each point and its distance, shapes (n,).

        The region is -1 (and the distance infinite) where none is within ``max_km``; equal
        distances go to the region that comes first.
        """
        found = self.within(lat, lon, group=group, max_km=max_km)
        region = np.full(len(lat), -1, np.int64)
        distance = np.full(len(lat), np.inf)
        first = np.unique(found.point, return_index=True)[1]
        region[found.point[first]] = found.region[first]
        distance[found.point[first]] = found.distance_km[first]
        return region, distance

    def within(
        self,
        lat: Floats,
        lon: Floats,
        *,
        group: NDArray[Any] | None = None,
        slack_km: float | Floats = 0.0,
        max_km: float = HALF_CIRCUMFERENCE_KM,
    ) -> Distances:
        """Return every region whose border is within ``slack_km`` of the nearest one's distance.

        Parameters
        ----------
        lat, lon : ndarray, shape (n,), degrees
        group : ndarray, shape (n,), optional
            The group of each point, where the regions have groups.
        slack_km : float or ndarray of shape (n,), km
        max_km : float, km
            Regions farther than this are left out.
        """
        slack = np.broadcast_to(np.asarray(slack_km, np.float64), lat.shape)
        radius = np.minimum(_FIRST_RADIUS_KM + 2 * slack, max_km)
        pending = np.arange(len(lat))
        done: list[Distances] = []
        while len(pending):
            unfinished: list[Ints] = []
            for part in _slices(len(pending), float(radius[pending].max())):
                at = pending[part]
                found, finished = self._search(
                    lat[at], lon[at], None if group is None else group[at],
                    radius[at], slack[at], max_km,
                )  # fmt: skip
                done.append(Distances(at[found.point], found.region, found.distance_km))
                unfinished.append(at[~finished])
            pending = np.concatenate(unfinished)
            radius = np.minimum(radius * _GROWTH, max_km)
        return _joined(done)

    def _search(
        self,
        lat: Floats,
        lon: Floats,
        group: NDArray[Any] | None,
        radius: Floats,
        slack: Floats,
        max_km: float,
    ) -> tuple[Distances, NDArray[np.bool_]]:
        """Search one box a point; a point is finished when nothing outside could matter."""
        point, piece, shift = self._reach(lat, lon, radius * _BOX_MARGIN + 1e-9)
        if group is not None and self.group is not None:
            mine = self.group[self._pieces[3][piece]] == group[point]
            point, piece, shift = point[mine], piece[mine], shift[mine]
        found = self._measure(lat, lon, point, piece, shift)
        bound = np.full(len(lat), np.inf)
        np.minimum.at(bound, found.point, found.distance_km)
        finished = (bound + slack <= radius) | (radius >= max_km)
        limit = np.minimum(bound + slack, max_km)
        keep = finished[found.point] & (found.distance_km <= limit[found.point])
        point, region, distance = found.point[keep], found.region[keep], found.distance_km[keep]
        return Distances(point, region, distance), finished

    def _reach(self, lat: Floats, lon: Floats, radius_km: Floats) -> tuple[Ints, Ints, Floats]:
        """(point, piece, shift of the longitude) for pieces that meet each point's box."""
        tree, *_ = self._pieces
        angle = np.minimum(radius_km / EARTH_RADIUS_KM, np.pi)
        south, north = lat - np.degrees(angle), lat + np.degrees(angle)
        ratio = np.sin(np.minimum(angle, np.pi / 2)) / np.maximum(np.cos(np.radians(lat)), 1e-12)
        whole = (south <= -90) | (north >= 90) | (ratio >= 1)
        dlon = np.where(whole, 180.0, np.degrees(np.arcsin(np.minimum(ratio, 1.0))))
        columns = []
        for shift in (-360.0, 0.0, 360.0):
            west, east = lon + shift - dlon, lon + shift + dlon
            near = np.flatnonzero((east >= -180.0) & (west <= 180.0))
            boxes = shapely.box(west[near], south[near], east[near], north[near])
            who, piece = tree.query(boxes)
            columns.append((near[who], piece, np.full(len(who), shift)))
        point, piece, moved = (np.concatenate(c) for c in zip(*columns, strict=True))
        return point, piece, moved

    def _measure(
        self, lat: Floats, lon: Floats, point: Ints, piece: Ints, shift: Floats
    ) -> Distances:
        """Distance from each point to each region among its pieces.

        The nearest point of a piece is found in the plane scaled at the query point; its
        distance is then measured on the sphere.
        """
        if not len(piece):
            return _joined([])
        _, edges, start, region = self._pieces
        count = start[piece + 1] - start[piece]
        first = np.cumsum(count) - count
        pair = np.repeat(np.arange(len(piece)), count)
        ax, ay, bx, by = edges[np.arange(len(pair)) + (start[piece] - first)[pair]].T
        y, x = lat[point], lon[point] + shift
        scale = np.cos(np.radians(y))[pair]
        py = y[pair] - ay
        px = (x[pair] - ax) * scale
        dx, dy = (bx - ax) * scale, by - ay
        length = dx * dx + dy * dy
        t = np.clip((px * dx + py * dy) / np.where(length > 0, length, 1.0), 0.0, 1.0)
        square = (px - t * dx) ** 2 + (py - t * dy) ** 2
        least = np.minimum.reduceat(square, first)
        of = region[piece]
        order = np.lexsort((least, of, point))
        point, of = point[order], of[order]
        winner = np.r_[True, (of[1:] != of[:-1]) | (point[1:] != point[:-1])]
        point, of, win = point[winner], of[winner], order[winner]
        nth = np.arange(len(pair)) - first[pair]
        hit = np.where(square == least[pair], nth, _PIECE_EDGES)
        edge = first[win] + np.minimum.reduceat(hit, first)[win]
        lat2, lon2 = ay[edge] + t[edge] * dy[edge], ax[edge] + t[edge] * (bx - ax)[edge]
        distance = haversine_km(lat[point], lon[point], lat2, lon2)
        order = np.lexsort((of, distance, point))
        return Distances(point[order], of[order], distance[order])


def _joined(parts: list[Distances]) -> Distances:
    empty = Distances(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    point, region, distance = (np.concatenate(c) for c in zip(*(empty, *parts), strict=True))
    order = np.argsort(point, kind="stable")
    return Distances(point[order], region[order], distance[order])


def _slices(n: int, radius_km: float) -> Iterator[slice]:
    """Few points at a time where the boxes are large: memory stays some hundred megabytes."""
    step = int(np.clip(2e5 / radius_km, 50, 20_000))
    return (slice(at, min(at + step, n)) for at in range(0, n, step))
