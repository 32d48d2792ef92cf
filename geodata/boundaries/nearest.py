"""Great-circle distance from points to the borders of regions, for the few points that need it.

Borders are cut into short pieces in one STR-tree. A query collects the pieces that meet a box
around the point and grows the box until the nearest region in it is nearer than the box is wide,
so the answer does not depend on the distortion of the lat/lon plane. Where only the nearest region
is asked for, pieces that are clearly farther than another are dropped before anything is sorted,
a raster answers where no border can be within the limit, and one point takes a path without the
fixed cost of arrays; the numbers are the same, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.boundaries.border_pieces import CLEAR, STEEP, Balls, Pieces, boxes
from geodata.boundaries.far import Far
from geodata.boundaries.plane import in_plane
from geodata.boundaries.raster import Raster
from geodata.sphere import EARTH_RADIUS_KM, HALF_CIRCUMFERENCE_KM, haversine_km

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FIRST_RADIUS_KM = 2.0
_BOXES_KM = (2.0, 12.0)  # of those that are tried before what is far is searched as such
_GROWTH = 2.0
_BOX_KM = 50.0  # within this limit one box finds all there is; beyond, boxes grow too many
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
    def _pieces(self) -> Pieces:
        return Pieces.of(self.geometries)

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
        region = np.full(len(lat), -1, np.int64)
        distance = np.full(len(lat), np.inf)
        far = np.flatnonzero(self._raster(max_km).may_reach(lat, lon))
        flat = np.abs(lat) <= STEEP
        for radius in _boxes_km(max_km):
            at = far[flat[far]]
            at = at[self._raster(radius).may_reach(lat[at], lon[at])]
            found = self._within(lat[at], lon[at], None if group is None else group[at], radius)
            new = np.r_[True, found.point[1:] != found.point[:-1]][: len(found.point)]
            near = at[found.point[new]]
            region[near], distance[near] = found.region[new], found.distance_km[new]
            far = far[region[far] < 0]
        far = far if max_km > _BOX_KM else far[~flat[far]]
        if len(far):
            mine = np.zeros(len(far), np.int64)
            if self.group is not None and group is not None:
                mine = np.asarray(group[far])
            of, km = self._far.nearest(lat[far], lon[far], mine, max_km)
            fits = km <= max_km
            region[far[fits]], distance[far[fits]] = of[fits], km[fits]
        return region, distance

    def _within(
        self, lat: Floats, lon: Floats, group: NDArray[Any] | None, max_km: float
    ) -> Distances:
        """Return regions within a distance, the nearest first, without what is clearly farther."""
        parts = []
        radius, slack = np.full(len(lat), max_km), np.zeros(len(lat))
        for part in _slices(len(lat), max_km):
            found, _ = self._search(
                lat[part], lon[part], None if group is None else group[part],
                radius[part], slack[part], max_km, nearest=True,
            )  # fmt: skip
            parts.append(Distances(found.point + part.start, found.region, found.distance_km))
        return _joined(parts)

    def nearest_one(
        self,
        lat: float,
        lon: float,
        *,
        group: int | None = None,
        max_km: float = HALF_CIRCUMFERENCE_KM,
    ) -> tuple[int, float]:
        """Return (region, km) of one point: the numbers of `nearest`, bit for bit."""
        if not self._raster(max_km).may_reach_one(lat, lon):
            return -1, np.inf
        for radius in _boxes_km(max_km):
            found = self._search_one(lat, lon, group, radius)
            if found is None:
                break
            if found[1] <= radius or radius >= max_km:
                return found if found[1] <= max_km else (-1, np.inf)
        groups = None if group is None else np.array([group])
        of, km = self.nearest(np.array([lat]), np.array([lon]), group=groups, max_km=max_km)
        return int(of[0]), float(km[0])

    def region_one(self, lat: float, lon: float, *, group: int) -> int:
        """Return the region of `nearest_one` without its distance, which is sooner."""
        region = self._balls.nearest_region(lat, lon, group)
        return self.nearest_one(lat, lon, group=group)[0] if region is None else region

    @cached_property
    def _balls(self) -> Balls:
        region = self._pieces.region
        return Balls(
            self._pieces, np.zeros_like(region) if self.group is None else self.group[region]
        )

    @cached_property
    def _far(self) -> Far:
        _, edges, region = self._pieces
        nobody = np.zeros(len(region), np.int64)
        return Far.of(edges, region, nobody if self.group is None else self.group[region])

    def _raster(self, max_km: float) -> Raster:
        """Return the raster for a limit; a few are kept, since the limit hardly changes."""
        known = self._rasters.get(max_km)
        if known is None:
            if len(self._rasters) > len(_BOXES_KM):
                self._rasters.clear()
            known = self._rasters[max_km] = Raster.of(
                self._pieces.edges.transpose(0, 2, 1).reshape(-1, 4), max_km
            )
        return known

    @cached_property
    def _rasters(self) -> dict[float, Raster]:
        return {}

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
                    radius[at], slack[at], max_km, nearest=False,
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
        *,
        nearest: bool,
    ) -> tuple[Distances, NDArray[np.bool_]]:
        """Search one box a point; a point is finished when nothing outside could matter."""
        point, piece, shift = self._reach(lat, lon, radius * _BOX_MARGIN + 1e-9)
        if group is not None and self.group is not None:
            mine = self.group[self._pieces.region[piece]] == group[point]
            point, piece, shift = point[mine], piece[mine], shift[mine]
        clear = _clearly(lat, radius)[point] if nearest else None
        found = self._measure(lat, lon, point, piece, shift, clear)
        bound = np.full(len(lat), np.inf)
        np.minimum.at(bound, found.point, found.distance_km)
        finished = (bound + slack <= radius) | (radius >= max_km)
        limit = np.minimum(bound + slack, max_km)
        keep = finished[found.point] & (found.distance_km <= limit[found.point])
        point, region, distance = found.point[keep], found.region[keep], found.distance_km[keep]
        return Distances(point, region, distance), finished

    def _reach(self, lat: Floats, lon: Floats, radius_km: Floats) -> tuple[Ints, Ints, Floats]:
        """(point, piece, shift of the longitude) for pieces that meet each point's box."""
        angle = np.minimum(radius_km / EARTH_RADIUS_KM, np.pi)
        south, north = lat - np.degrees(angle), lat + np.degrees(angle)
        ratio = np.sin(np.minimum(angle, np.pi / 2)) / np.maximum(np.cos(np.radians(lat)), 1e-12)
        whole = (south <= -90) | (north >= 90) | (ratio >= 1)
        dlon = np.where(whole, 180.0, np.degrees(np.arcsin(np.minimum(ratio, 1.0))))
        columns = []
        for shift in (-360.0, 0.0, 360.0):
            west, east = lon + shift - dlon, lon + shift + dlon
            near = np.flatnonzero((east >= -180.0) & (west <= 180.0))
            if len(near):
                squares = boxes(west[near], south[near], east[near], north[near])
                who, piece = self._pieces.tree.query(squares)
                columns.append((near[who], piece, np.full(len(who), shift)))
        point, piece, moved = (np.concatenate(c) for c in zip(*columns, strict=True))
        return point, piece, moved

    def _measure(
        self,
        lat: Floats,
        lon: Floats,
        point: Ints,
        piece: Ints,
        shift: Floats,
        clear: Floats | None = None,
    ) -> Distances:
        """Distance from each point to each region among its pieces.

        The nearest point of a piece is found in the plane scaled at the query point; its
        distance is then measured on the sphere. Pieces that are farther than ``clear`` times
        the nearest one, squared, are left out.
        """
        if not len(piece):
            return _joined([])
        plane = in_plane(lat[point], lon[point] + shift, self._pieces.edges.take(piece, axis=0))
        of, least = self._pieces.region[piece], plane.square.min(axis=1)
        if clear is not None:
            best = np.full(len(lat), np.inf)
            np.minimum.at(best, point, least)
            kept = np.flatnonzero(least <= best[point] * clear)
            point, of, least, plane = point[kept], of[kept], least[kept], plane.of(kept)
        order = np.lexsort((least, of, point))
        point, of = point[order], of[order]
        winner = np.r_[True, (of[1:] != of[:-1]) | (point[1:] != point[:-1])]
        point, of, win = point[winner], of[winner], order[winner]
        distance = haversine_km(lat[point], lon[point], *plane.of(win).nearest())
        order = np.lexsort((of, distance, point))
        return Distances(point[order], of[order], distance[order])

    def _search_one(
        self, lat: float, lon: float, group: int | None, radius: float
    ) -> tuple[int, float] | None:
        """Search one box around one point; None where it meets a pole or the antimeridian."""
        dlat = math.degrees(radius * _BOX_MARGIN / EARTH_RADIUS_KM)
        dlon = dlat / max(math.cos(math.radians(abs(lat) + dlat)), 1e-12)  # a little too wide
        if abs(lat) + dlat > STEEP or abs(lon) + dlon >= 180.0:
            return None
        tree, edges, region = self._pieces
        piece = tree.query(shapely.box(lon - dlon, lat - dlat, lon + dlon, lat + dlat))
        of = region[piece]
        if group is not None and self.group is not None:
            mine = self.group[of] == group
            piece, of = piece[mine], of[mine]
        if not len(piece):
            return -1, math.inf
        plane = in_plane(np.array([lat]), np.array([lon]), edges.take(piece, axis=0))
        square = plane.square.min(axis=1)
        near = np.flatnonzero(square <= square.min() * CLEAR)
        least: dict[int, tuple[float, int]] = {}
        for r, at, i in zip(of[near].tolist(), square[near].tolist(), near.tolist(), strict=True):
            if r not in least or at < least[r][0]:
                least[r] = at, i
        regions = sorted(least)
        km = haversine_km(lat, lon, *plane.nearest_of([least[r][1] for r in regions]))
        first = int(km.argmin())
        return regions[first], float(km[first])


def _boxes_km(max_km: float) -> tuple[float, ...]:
    """Return the radii of the boxes in which the nearest region is sought, one after the other."""
    return _BOXES_KM if max_km > _BOX_KM else (max_km,)


def _clearly(lat: Floats, radius_km: Floats) -> Floats:
    """Return how much larger a square in the plane must be to be no nearer on the sphere."""
    distortion = 4.0 * radius_km / EARTH_RADIUS_KM * np.abs(np.tan(np.radians(lat)))
    return np.where(distortion < 0.2, CLEAR, 1e300)  # not infinity: 0 times it is no number


def _joined(parts: list[Distances]) -> Distances:
    empty = Distances(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    point, region, distance = (np.concatenate(c) for c in zip(*(empty, *parts), strict=True))
    order = np.argsort(point, kind="stable")
    return Distances(point[order], region[order], distance[order])


def _slices(n: int, radius_km: float) -> Iterator[slice]:
    """Few points at a time where the boxes are large: memory stays some hundred megabytes."""
    step = int(np.clip(2e5 / radius_km, 50, 20_000))
    return (slice(at, min(at + step, n)) for at in range(0, n, step))
