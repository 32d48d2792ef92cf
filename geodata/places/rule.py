r"""The city rule: which city a point belongs to.

A photo in the middle of a metropolis belongs to the metropolis, not to the quarter or hamlet
whose centre happens to be nearest; a photo in a village belongs to the village. GeoNames
lists quarters beside cities without saying which is which, so the rule decides it from
population and position. A place of population ``p`` has a built-up area of radius

.. math:: r = \sqrt{\max(p, 300) / (2000\,\pi)}\ \text{km}

(2,000 people per km²: 12.6 km for a million). Only places of the point's country compete.

1. **Part of a city.** Place ``q`` is part of place ``m`` if both lie in one GeoNames first-level
   division (or one of them in none), ``m`` is larger (or equal and of lower geonameid), and
   ``m`` covers all of ``q``: ``d(q, m) + r_q <= r_m``; of a ``q`` with a fifth of its people or
   fewer, half: ``d(q, m) + r_q / 2 <= r_m``, since quarters at the rim stick out of the circle. If
   several do, the one with the smallest ``d / r_m``; a part of a part belongs to the whole. So
   quarters trace the real outline of their city, which no circle does, a large neighbour (Sakai
   beside Osaka) stays itself, and the division keeps Jersey City out of New York. A place whose
   people are not known, with the name of one in its division within 10 km whose are, is that
   place listed twice, and part of it.
2. **Reach.** ``R_i = min(r_i, d_i) / 2``, where ``d_i`` is the distance to the nearest place of
   another city: a large town begins to count before its centre is near, but never further
   than half-way to its neighbour.
3. **Winner.** The point belongs to the city of the place with the smallest ``d - R``, the lowest
   geonameid among equals.
4. **Division.** Asked with the divisions of a boundary set (`geodata.places.divisions`), the rule
   lets only places of the point's own division win, and merges quarters inside it only, so that
   St. Louis is no city of Illinois. Where that leaves none, a city whose built-up area covers
   the point is its city after all: Skopje has divisions that hold no place. Where no other city
   of the country could win, a city stands for its parts, also for one in another division.
5. **Cap.** A point more than ``max_km`` (25) outside the radius of that city has none. 25 km is
   what image geolocalization counts as city level, and 97.5% of photos on land are that near.

The factors were chosen on the outlines of some 170 cities in OpenStreetMap and on the Swiss
localities of Who's On First, where the optimum is flat. The plain nearest place names the city
for 32% of the photo-like points inside such an outline and the locality for 72% of the Swiss
ones; this rule for 73% and 83%, at the price of naming the city for 15% of the points around an
outline instead of 6%. Of well-known places, which were read when the fifth was chosen, 92% get
the right city, against 69%. ``benchmarks/places.py`` prints these figures.

Distances of the rule are straight lines through the Earth, which rank as great circles do and
are a metre shorter at 100 km; the distance reported, and capped, is the great circle to the
city's centre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.places.divisions import ANY, Asked, Divisions
from geodata.places.grid import Floats, Lists, PlaceGrid, point_km, points_km
from geodata.sphere import EARTH_RADIUS_KM

MAX_KM = 25.0
"""How far outside its city's radius a point may be, at most."""

DENSITY = 2_000.0
"""People per km² of built-up area."""

MIN_POPULATION = 300
"""Stands in for a population that is smaller or unknown."""

NOBODY = -1
"""Index of the city of a point that has none."""

Inside = tuple[Divisions, NDArray[Any]] | None
"""Divisions of the places, and of each point; None where they make no difference."""

_CHUNK = 1 << 17  # points a time: the fastest of 2**11 to 2**20
_ROUNDS = 8  # candidates weighed for all points at once; later ones are few
_DIAMETER_KM = 2.0 * EARTH_RADIUS_KM


class _View(NamedTuple):
    """Columns as flat memory: one element costs a fifth of what it does through NumPy."""

    country: memoryview
    city: memoryview
    sites: memoryview
    radius: memoryview


@dataclass(frozen=True)
class CityRule:
    """What the rule weighs, of n places; the points it is asked for are checked coordinates.

    Attributes
    ----------
    country : ndarray of integers, shape (n,)
        Number of the country that a place competes in.
    city : ndarray of int32, shape (n,)
        Index of the city that the place is part of, or its own.
    sites : ndarray of float64, shape (n, 4)
        Position and reach of every place, km: one cache line or two each.
    radius : ndarray of float64, shape (n,)
        Of the built-up area, km.
    grid : PlaceGrid
        The few places that can win at a point.
    """

    country: NDArray[np.int16]
    city: NDArray[np.int32]
    sites: Floats
    radius: Floats
    grid: PlaceGrid

    def many(
        self, lat: Floats, lon: Floats, country: NDArray[Any], max_km: float, inside: Inside = None
    ) -> tuple[NDArray[np.int32], Floats]:
        """Return (city, km to its centre) of points, (n,) degrees; (`NOBODY`, 0.0) for none.

        ``inside`` is the divisions of the places, and that of each point.
        """
        index, distance = np.empty(len(lat), np.int32), np.empty(len(lat))
        for begin in range(0, len(lat), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            at = begin + _by_degree(lat[part], lon[part])  # neighbours ask for the same memory
            within = None if inside is None else (inside[0], inside[1].take(at))
            index[at], distance[at] = self._chunk(
                lat.take(at), lon.take(at), country.take(at), max_km, within
            )
        return index, distance

    def one(
        self,
        lat: float,
        lon: float,
        country: int,
        max_km: float,
        inside: tuple[Asked, int] | None = None,
    ) -> tuple[int, float] | None:
        """Return (city, km to its centre) of one point: the numbers of `many`, bit for bit."""
        point = point_km(lat, lon)
        view, best, winner = self._view, math.inf, NOBODY
        for place in self.grid.at(lat, lon):
            if view.country[place] == country:
                score = _chord(view, place, point) - view.sites[4 * place + 3]
                if score < best:
                    best, winner = score, place
        if winner == NOBODY:
            return None
        if inside is None:
            return self._measured(view.city[winner], point, max_km)
        city = self._city_inside(winner, point, country, inside)
        found = self._measured(city, point, max_km) if city != NOBODY else None
        return found or self._measured(view.city[winner], point, 0.0)

    def _measured(
        self, city: int, point: tuple[float, float, float], max_km: float
    ) -> tuple[int, float] | None:
        """Return a city and the km to its centre; None where it is too far."""
        chord = _chord(self._view, city, point)
        distance = _DIAMETER_KM * float(np.arcsin(chord / _DIAMETER_KM))
        return (city, distance) if distance - self._view.radius[city] <= max_km else None

    def _city_inside(
        self,
        winner: int,
        point: tuple[float, float, float],
        country: int,
        inside: tuple[Asked, int],
    ) -> int:
        """Return the city of one point whose unbounded winner is known; `NOBODY` for none."""
        divisions, own = inside
        if own == ANY:
            return self._view.city[winner]
        if not divisions.fits_one(winner, own):
            winner = divisions.winner(point, country, own)
            if winner == NOBODY:
                return NOBODY
        city = divisions.city_of(winner)
        return city if divisions.fits_one(city, own) else winner

    def _chunk(
        self, lat: Floats, lon: Floats, country: NDArray[Any], max_km: float, inside: Inside
    ) -> tuple[NDArray[np.int32], Floats]:
        point = points_km(lat, lon)
        winner = self._winners(self.grid.lists(lat, lon), point, country)
        city = self.city.take(winner)
        if inside is None:
            return self._capped(np.where(winner >= 0, city, np.int32(NOBODY)), point, max_km)
        away = np.flatnonzero((winner >= 0) & ~inside[0].fits(winner, inside[1]))
        first, winner = winner, winner.copy()
        own = inside[1][away]
        winner[away] = inside[0].winners(point[:, away], lat[away], country[away], own)
        whole = np.where(inside[1] == ANY, city, inside[0].city.take(winner))
        whole = np.where((winner >= 0) & inside[0].fits(whole, inside[1]), whole, winner)
        index, distance = self._capped(whole, point, max_km)
        none = np.flatnonzero((index == NOBODY) & (first >= 0))
        index[none], distance[none] = self._capped(city[none], point[:, none], 0.0)
        return index, distance

    def _capped(
        self, city: NDArray[np.int32], point: Floats, max_km: float
    ) -> tuple[NDArray[np.int32], Floats]:
        """Return cities and km to their centres; `NOBODY` and 0 where one is too far."""
        chord, _ = _chords(self.sites, np.maximum(city, 0), point)
        distance = _DIAMETER_KM * np.arcsin(chord / _DIAMETER_KM)
        known = (city >= 0) & (distance - self.radius.take(city) <= max_km)
        return np.where(known, city, np.int32(NOBODY)), np.where(known, distance, 0.0)

    def _winners(self, lists: Lists, point: Floats, country: NDArray[Any]) -> NDArray[np.int32]:
        """Return the winning place of each point, -1 where no place of its country is near.

        Points are put in order of their number of candidates, so that round ``k`` weighs
        candidate ``k`` of a leading slice and moves no point. A single candidate wins unweighed.
        """
        most = int(lists.length.max(initial=0))
        order = np.argsort((most - lists.length).astype(np.uint16), kind="stable")
        lists = Lists(*(column.take(order) for column in lists))
        point, country = point.take(order, axis=1), country.take(order)
        longer = len(order) - np.cumsum(np.bincount(lists.length))
        best, winner = np.full(len(order), np.inf), np.full(len(order), NOBODY, np.int32)
        several = int(longer[1]) if most > 1 else 0
        for k, m in enumerate(longer[:_ROUNDS].tolist()):
            place = self.grid.places(lists, k, m)
            if k == 0:
                alone = place[several:]
                own = np.flatnonzero(self.country.take(alone) == country[several:m])
                winner[several + own] = alone[own]
                place, m = place[:several], several
            chord, reach = _chords(self.sites, place, point[:, :m])
            score = chord - reach
            better = (score < best[:m]) & (self.country.take(place) == country[:m])
            at = np.flatnonzero(better)  # a third of what writing through the mask costs
            best[at], winner[at] = score[at], place[at]
        if most > _ROUNDS:
            m = int(longer[_ROUNDS])
            score, place = self._best_of_rest(lists, m, point, country)
            at = np.flatnonzero(score < best[:m])
            winner[at] = place[at]
        out = np.empty_like(winner)
        out[order] = winner
        return out

    def _best_of_rest(
        self, lists: Lists, m: int, point: Floats, country: NDArray[Any]
    ) -> tuple[Floats, NDArray[np.int32]]:
        """Return (score, place) of the best candidate after the rounds, of the first m points."""
        count = lists.length[:m] - np.int32(_ROUNDS)
        start = np.cumsum(count) - count
        who = np.repeat(np.arange(m), count)
        k = np.arange(_ROUNDS, _ROUNDS + len(who)) - start.take(who)
        place = self.grid.places(Lists(*(column.take(who) for column in lists)), k, len(who))
        chord, reach = _chords(self.sites, place, point.take(who, axis=1))
        score = np.where(self.country.take(place) == country.take(who), chord - reach, np.inf)
        best = np.minimum.reduceat(score, start)
        equal = np.flatnonzero(score == best.take(who))[::-1]
        winner = np.empty(m, np.int32)
        winner[who[equal]] = place[equal]  # the first of equals is written last
        return best, winner

    @cached_property
    def _view(self) -> _View:
        sites = self.sites.reshape(-1)
        return _View(self.country.data, self.city.data, sites.data, self.radius.data)


def radius_km(population: ArrayLike) -> Floats:
    """Return the radius of the built-up area, ``sqrt(max(p, 300) / (2000 pi))`` km.

    Examples
    --------
    >>> radius_km([0, 1_000_000]).round(2)
    array([ 0.22, 12.62])
    """
    people = np.maximum(np.asarray(population, np.float64), MIN_POPULATION)
    return np.asarray(np.sqrt(people / (np.pi * DENSITY)))


def _by_degree(lat: Floats, lon: Floats) -> NDArray[np.int64]:
    """Return the order of points by the square degree that they lie in."""
    row, column = (lat + 90.0).astype(np.uint16), (lon + 180.0).astype(np.uint16)
    return np.argsort(row * np.uint16(360) + column, kind="stable")  # 16 bits: no comparisons


def _chord(view: _View, place: int, point: tuple[float, float, float]) -> float:
    """Return the straight distance from a point to a place, km: `_chords` for one."""
    x, y, z = view.sites[4 * place : 4 * place + 3]
    dx, dy, dz = x - point[0], y - point[1], z - point[2]
    return math.sqrt(dx * dx + dy * dy + dz * dz)


def _chords(sites: Floats, place: NDArray[Any], point: Floats) -> tuple[Floats, Floats]:
    """Return straight distances from places to points (3, n), and the places' reach, km."""
    site = sites.take(place, axis=0)
    dx, dy, dz = site[:, 0] - point[0], site[:, 1] - point[1], site[:, 2] - point[2]
    dx *= dx
    dy *= dy
    dz *= dz
    dx += dy
    dx += dz
    return np.sqrt(dx, out=dx), site[:, 3]
