"""The city of a point: a place of its country, and of its own first-level division."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.boundaries import BoundarySet
from geodata.coords import Coordinates
from geodata.places import ANY, Divisions, Places

Ints = NDArray[np.int32]

PLACE_OFFSET_KM = 10.0
"""A place that lies off every coast belongs to the nearest country within this distance."""


@dataclass(frozen=True, eq=False)
class Cities:
    """Cities of the points of a boundary set.

    Attributes
    ----------
    boundaries : BoundarySet
    places : Places
    codes : list of tuple of str
        Country codes under which the places of each country row are listed: its own first, then
        those that others claim it for.
    """

    boundaries: BoundarySet
    places: Places
    codes: list[tuple[str, ...]]

    def one(self, lat: float, lon: float, country: int, unit: int) -> tuple[int, float] | None:
        """Return (place, km) of one point; None where there is none."""
        inside = self._asked, self._division_of_unit[unit]
        for code in self.codes[country]:
            found = self.places.one(lat, lon, code, inside=inside)
            if found is not None:
                return found
        return None

    def many(
        self, points: Coordinates, country: Ints, unit: Ints
    ) -> tuple[Ints, NDArray[np.float64]]:
        """Return (place, km) of points, (n,) each; -1 where there is none."""
        own = self._division.take(unit)  # -1 is the last one
        match = self.places.nearest(
            points.lat, points.lon, self._indices[0].take(country),
            inside=(self.divisions, own),
        )  # fmt: skip
        index, distance = match.index, match.distance_km
        for other in self._indices[1:]:  # disputed rows that have no place of their own
            code = other.take(country)
            need = np.flatnonzero((index < 0) & (code >= 0))
            if len(need):
                more = self.places.nearest(
                    points.lat[need], points.lon[need], code[need],
                    inside=(self.divisions, own[need]),
                )  # fmt: skip
                index[need], distance[need] = more.index, more.distance_km
        return index, distance

    @cached_property
    def _division(self) -> Ints:
        """Number of the first-level division of each unit, and `ANY` at the end, for none."""
        units = self.boundaries.units
        names = zip(units["country"].to_pylist(), units["admin1_name"].to_pylist(), strict=True)
        number: dict[Any, int] = {}
        found = [ANY if name[1] is None else number.setdefault(name, len(number)) for name in names]
        return np.array([*found, ANY], np.int32)

    def division_of(self, place: int) -> int:
        """Return the division that the set puts a place in, without asking for all others."""
        lat, lon = self.places.file.arrays["lat_e5"], self.places.file.arrays["lon_e5"]
        country, unit, _ = self.boundaries.locate_one(
            float(lat[place] / 1e5), float(lon[place] / 1e5), max_offset_km=PLACE_OFFSET_KM
        )
        listed = (
            country >= 0
            and self.places.countries[self.places.country[place]] in (self.codes[country])
        )
        return self._division_of_unit[unit] if listed else ANY

    @cached_property
    def _asked(self) -> _Asked:
        return _Asked(self)

    @cached_property
    def _division_of_unit(self) -> list[int]:
        return [int(number) for number in self._division]

    @cached_property
    def divisions(self) -> Divisions:
        """Where the set itself puts every place; nowhere if it puts it in another country."""
        owners = self.boundaries.locate(
            self.places.lat, self.places.lon, max_offset_km=PLACE_OFFSET_KM
        )
        division = self._division.take(owners.unit)
        listed = np.zeros(len(self.places), bool)
        for index in self._indices:
            listed |= index.take(owners.country) == self.places.country
        return self.places.divisions(np.where(listed, division, ANY))

    @cached_property
    def _indices(self) -> list[NDArray[np.int16]]:
        """Index in `Places.countries` of each country row, first choice first; -1 for none."""
        most = max(len(codes) for codes in self.codes)
        return [
            self.places.country_index([*(c[k] if k < len(c) else "" for c in self.codes), ""])
            for k in range(most)
        ]


class _Asked:
    """Divisions that are looked up one by one, as few points as a person asks for need few.

    The same answers as `Divisions`, which is made when a point needs the places around it.
    """

    def __init__(self, cities: Cities) -> None:
        self._cities = cities
        self._known: dict[int, int] = {}
        self._city: memoryview = cities.places.city.data
        self._territories = frozenset(cities.places.territories.tolist())

    def _division(self, place: int) -> int:
        known = self._known.get(place)
        if known is None:
            free = place in self._territories
            known = self._known[place] = ANY if free else self._cities.division_of(place)
        return known

    def fits_one(self, place: int, own: int) -> bool:
        return own == ANY or self._division(place) in (own, ANY)

    def city_of(self, place: int) -> int:
        city = int(self._city[place])
        if city == place:
            return place
        here, there = self._division(place), self._division(city)
        return city if ANY in (here, there) or here == there else self._whole.city_of(place)

    def winner(self, point: tuple[float, float, float], country: int, own: int) -> int:
        return self._whole.winner(point, country, own)

    @property
    def _whole(self) -> Divisions:
        return self._cities.divisions
