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
        inside = self._divisions, int(self._division[unit])
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
            inside=(self._divisions, own),
        )  # fmt: skip
        index, distance = match.index, match.distance_km
        for other in self._indices[1:]:  # disputed rows that have no place of their own
            code = other.take(country)
            need = np.flatnonzero((index < 0) & (code >= 0))
            if len(need):
                more = self.places.nearest(
                    points.lat[need], points.lon[need], code[need],
                    inside=(self._divisions, own[need]),
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

    @cached_property
    def _divisions(self) -> Divisions:
        """Where the set itself puts every place; nowhere if it puts it in another country."""
        owners = self.boundaries.locate(self.places.lat, self.places.lon)
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
