"""The places of the divisions of a boundary set, so that a city never contradicts the division.

GeoNames says in which first-level division a place lies, a boundary set draws divisions of its
own, and near a border the two differ. `Divisions` holds the set's opinion of every place: the
winner of a point is then sought in the point's own division, and a quarter is part of a city of
its own division only. A division of ``ANY`` stands for a place that fits every point: one that
the set does not place, and a city that is its whole territory (Hong Kong, Singapore), whose
divisions are its districts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from geodata.places.grid import Floats
from geodata.sphere import EARTH_RADIUS_KM

ANY = -1
"""The division of a place, or a point, that none is known of."""

_PROBES = 4  # places above and below in latitude that bound the search
_LANE = 1000.0  # between groups on the one axis that holds all latitudes
_SLACK_KM = 1e-3

Ints = NDArray[Any]


class Asked(Protocol):
    """What the rule asks of divisions for one point."""

    def fits_one(self, place: int, own: int) -> bool:
        """Tell whether a place fits the division of a point."""

    def city_of(self, place: int) -> int:
        """Return the city of a place."""

    def winner(self, point: tuple[float, float, float], country: int, own: int) -> int:
        """Return the best place that fits, -1 for none."""


class PlaceColumns(NamedTuple):
    """What the rule knows of n places, in the order of the file."""

    lat: Floats
    country: Ints
    city: Ints
    population: Ints
    sites: Floats
    """Position and reach, km, (n, 4)."""
    radius: Floats
    admin1: Ints
    """GeoNames' division."""
    unknown: NDArray[np.bool_]
    """Whether GeoNames knows none."""


@dataclass(frozen=True)
class Divisions:
    """Divisions of n places, and their cities inside them.

    Attributes
    ----------
    division : ndarray of int32, shape (n,)
        Any numbers from 0; `ANY` fits every point.
    city : ndarray of int32, shape (n,)
        Index of the city that the place is part of, or its own: one that fits its division.
    """

    division: Ints
    city: Ints
    _places: PlaceColumns

    @classmethod
    def of(cls, places: PlaceColumns, division: Ints) -> Divisions:
        """Make what the rule needs of the division of each place, (n,)."""
        division = np.array(division, np.int32)
        division[territories(places)] = ANY
        return cls(division, _cities(places, division), places)

    def fits(self, place: Ints, own: Ints) -> NDArray[np.bool_]:
        """Tell which places fit the division of their points."""
        division = self.division.take(place)
        return np.asarray((division == own) | (division == ANY) | (own == ANY))

    def fits_one(self, place: int, own: int) -> bool:
        """Return what `fits` does, for one place."""
        division = self._view[0][place]
        return division in (own, ANY) or own == ANY

    def city_of(self, place: int) -> int:
        """Return the city of one place."""
        return self._view[1][place]

    @cached_property
    def _view(self) -> tuple[memoryview, memoryview]:
        """The columns as flat memory: one element costs a fifth of what it does through NumPy."""
        return self.division.data, self.city.data

    def winners(self, point: Floats, lat: Floats, country: Ints, own: Ints) -> Ints:
        """Return the place with the smallest ``d - R`` that fits, -1 for none.

        Parameters
        ----------
        point : ndarray, shape (3, n), km
        lat : ndarray, shape (n,), degrees
        country, own : ndarray of int, shape (n,)
        """
        score, place = self._best(point, lat, country, own)
        other_score, other = self._best(point, lat, country, np.full_like(own, ANY))
        better = (other_score < score) | ((other_score == score) & (other < place))
        found = np.where(better, other, place)
        return np.where(np.isfinite(np.minimum(score, other_score)), found, -1)

    def winner(self, point: tuple[float, float, float], country: int, own: int) -> int:
        """Return what `winners` does, for one point."""
        found = []
        lanes, at = self._lanes, np.array(point)[:, None]
        for division in (own, ANY):
            lane = lanes.number.get((country, division))
            if lane is None:
                continue
            part = slice(int(lanes.start[lane]), int(lanes.start[lane + 1]))
            away = lanes.axis[:, part] - at
            away *= away
            score = np.sqrt(away[0] + away[1] + away[2]) - lanes.reach[part]
            least = score.min()
            found.append((float(least), int(lanes.place[part][score == least].min())))
        return min(found)[1] if found else -1

    def _best(self, point: Floats, lat: Floats, country: Ints, own: Ints) -> tuple[Floats, Ints]:
        """Return (score, place) of the best place of each point's lane; infinity without one."""
        score, place = np.full(len(lat), np.inf), np.empty(len(lat), np.int64)
        lanes = self._lanes
        lane, known = lanes.find(country, own)
        at = np.flatnonzero(known)
        if not len(at):
            return score, place
        lane, lat, point = lane[at], lat[at], point[:, at]
        first, last = lanes.start[lane], lanes.start[lane + 1]
        middle = np.searchsorted(lanes.latitude, lane * _LANE + lat)
        begin, end = np.maximum(middle - _PROBES, first), np.minimum(middle + _PROBES, last)
        bound, _ = self._scored(point, begin, end)
        chord = bound + lanes.reach_most[lane] + _SLACK_KM
        wide = np.degrees(2.0 * np.arcsin(np.minimum(chord / (2.0 * EARTH_RADIUS_KM), 1.0)))
        begin = np.searchsorted(lanes.latitude, lane * _LANE + lat - wide)
        end = np.searchsorted(lanes.latitude, lane * _LANE + lat + wide, "right")
        score[at], place[at] = self._scored(point, begin, end)
        return score, place

    def _scored(self, point: Floats, begin: Ints, end: Ints) -> tuple[Floats, Ints]:
        """Return the best (score, place) of each run of places by latitude; none is empty."""
        lanes, count = self._lanes, end - begin
        start = np.cumsum(count) - count
        who = np.repeat(np.arange(len(count)), count)
        at = np.arange(len(who)) + (begin - start)[who]
        dx, dy, dz = (lanes.axis[k].take(at) - point[k].take(who) for k in range(3))
        score = np.sqrt(dx * dx + dy * dy + dz * dz) - lanes.reach.take(at)
        best = np.minimum.reduceat(score, start)
        tied = np.flatnonzero(score == best[who])
        place = np.full(len(count), np.iinfo(np.int64).max)
        np.minimum.at(place, who[tied], lanes.place[at[tied]])
        return best, place

    @cached_property
    def _lanes(self) -> _Lanes:
        return _Lanes.of(self._places, self.division)


class _Lanes(NamedTuple):
    """Places of one country and division side by side, by latitude."""

    number: dict[tuple[int, int], int]
    key: Ints
    start: Ints
    place: Ints
    latitude: Floats
    """Latitude plus 1000 for each lane before it: one ascending axis."""
    axis: Floats
    """Positions, (3, n) km."""
    reach: Floats
    reach_most: Floats

    @classmethod
    def of(cls, places: PlaceColumns, division: Ints) -> _Lanes:
        key = _lane_key(places.country, division)
        place = np.lexsort((places.lat, key))
        known, start, lane = np.unique(key[place], return_index=True, return_inverse=True)
        country, own = np.divmod(known, _WIDTH)
        pairs = zip(country.tolist(), (own - 1).tolist(), strict=True)
        reach = places.sites[place, 3]
        return cls(
            {pair: number for number, pair in enumerate(pairs)},
            known,
            np.r_[start, len(place)],
            place,
            lane * _LANE + places.lat[place],
            np.ascontiguousarray(places.sites[place, :3].T),
            reach,
            np.maximum.reduceat(reach, start),
        )

    def find(self, country: Ints, own: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """Return the lane of each country and division, and whether there is one."""
        key = _lane_key(country, own)
        lane = np.searchsorted(self.key, key).clip(max=len(self.key) - 1)
        return lane, (self.key[lane] == key) & (np.asarray(country) >= 0)


_WIDTH = 1 << 20


def _lane_key(country: Ints, division: Ints) -> Ints:
    return np.asarray(country, np.int64) * _WIDTH + division + 1


def territories(places: PlaceColumns) -> Ints:
    """Return the cities in no division that most places of their country are part of."""
    size = np.bincount(places.country)
    parts = np.bincount(places.city, minlength=len(places.city))
    whole = parts > size[places.country] / 2.0
    return np.flatnonzero(whole & places.unknown)


def _cities(places: PlaceColumns, division: Ints) -> Ints:
    """Follow each part that its city's division does not fit to a city that does.

    The rule is that of the whole: the larger place of the division that covers it, where it lies
    deepest; if none does, it is a city of its own.
    """
    city = np.array(places.city, np.int32)
    there, here = division[city], division
    wrong = np.flatnonzero((there != here) & (there != ANY) & (here != ANY))
    key = _lane_key(places.country, division)
    order = np.argsort(key, kind="stable")
    ends = np.searchsorted(key[order], key[wrong], "right")
    begins = np.searchsorted(key[order], key[wrong])
    for part, begin, end in zip(wrong.tolist(), begins.tolist(), ends.tolist(), strict=True):
        city[part] = _holder(places, part, order[begin:end])
    for part in wrong.tolist():
        while city[part] != city[city[part]]:
            city[part] = city[city[part]]
    return city


def covers(apart: Floats, inner: Floats, outer: Floats) -> NDArray[np.bool_]:
    """Tell whether the built-up areas of places hold others: all of them, or half of small ones.

    Parameters
    ----------
    apart : ndarray of float64, shape (n,), km
        Distance of their centres.
    inner, outer : ndarray of float64, shape (n,), km
        Radii of what is held and of what holds. A fifth of the people have a fifth of the square.

    Examples
    --------
    >>> covers(np.array([9.0, 9.0]), np.array([4.0, 5.0]), np.array([11.0, 11.0]))
    array([ True, False])
    """
    small = 5.0 * inner * inner <= outer * outer
    return np.asarray(apart + np.where(small, inner / 2.0, inner) <= outer)


def _holder(places: PlaceColumns, part: int, others: Ints) -> int:
    """Return the place among others that covers one most deeply, or that place itself."""
    larger = places.population[others] > places.population[part]
    larger |= (places.population[others] == places.population[part]) & (others < part)
    same = (places.admin1[others] == places.admin1[part]) | places.unknown[others]
    apart = np.linalg.norm(places.sites[others, :3] - places.sites[part, :3], axis=1)
    inside = covers(apart, places.radius[part], places.radius[others])
    held = np.flatnonzero(larger & inside & (same | places.unknown[part]))
    if not len(held):
        return part
    depth = apart[held] / places.radius[others[held]]
    return int(others[held[np.argmin(depth)]])
