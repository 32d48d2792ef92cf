"""Places by name, which of several is meant, and the point that stands for a region."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata import boundaries, files
from geodata.files import FileError
from geodata.gazetteer.text import key, unqualified, words
from geodata.places import MIN_POPULATION, Places
from geodata.sphere import haversine_km, unit_vectors

KEYS_FILE = "places_keys.bin"

COMPARABLE = 0.1
"""A place is of comparable size if it has a tenth of the people of another."""

OTHER_NAME = 0.05
"""What a place's people count for where the name is not its own."""

NEARLY_ALL = 0.9
"""Share of the places of a division of GeoNames that decides for the rest."""

SAME_KM = 25.0
"""Two places of one name nearer than this are one place: city level in image geolocalization."""

# Words that a place's name may have beyond those of GeoNames: "Kyoto City", "Greater London".
_KINDS = frozenset(["city", "town", "village", "municipality", "metropolis", "greater", "of"])

# The federal districts of Latin America, and "city" in East Asia (Korean is kept decomposed).
_CAPITALS = (["d", "c"], ["d", "f"])
_JOINED_CAPITALS = ("dc", "df")
_KIND_SIGNS = tuple(words("市 县 시"))

_UNSOUGHT, _OUTSIDE = -2, -1


class Choice(NamedTuple):
    """The place that a name most likely means."""

    place: int
    weight: float
    ambiguous: bool


@dataclass(frozen=True)
class Cities:
    """Places with an index of their names.

    Attributes
    ----------
    places : Places
    keys, entries : memoryview
        Hashes in ascending order and what they stand for, see `geodata.boundary_build.place_names`.
    """

    places: Places
    keys: memoryview
    entries: memoryview

    def named(self, name: str) -> list[tuple[int, bool]]:
        """Return (index, whether it is the place's own name) of every place of a name."""
        for folded in _readings(words(name)):
            found = [*self._keyed(folded), *self._also_named(folded)]
            if found:
                return found
        return []

    def _also_named(self, folded: str) -> list[tuple[int, bool]]:
        """Return the place that the table ``city_aliases`` gives for a name."""
        alias = city_aliases().get(folded)
        if alias is None:
            return []
        country, own_name = alias
        inside = self._codes[country]
        return [hit for hit in self._keyed(own_name) if self._country[hit[0]] == inside and hit[1]]

    def _keyed(self, folded: str) -> list[tuple[int, bool]]:
        if not folded:
            return []
        wanted = hashed(folded)
        at = bisect_left(self.keys, wanted)
        found = []
        while at < len(self.keys) and self.keys[at] == wanted:
            entry = self.entries[at]
            found.append((entry >> 1, not entry & 1))
            at += 1
        return found

    def find(self, name: str, country: str | None, division: int | None = None) -> Choice | None:
        """Return the place of a name within a country and a division, None if there is none.

        The one with most people, where a name that is not a place's own counts for a twentieth:
        Victoria is an old name of Hong Kong, but the own name of other towns.
        """
        found = self.named(name)
        if country is not None:
            inside = self._codes.get(country, _OUTSIDE)
            found = [hit for hit in found if self._country[hit[0]] == inside]
        if division is not None:
            kept = self.divisions([place for place, _ in found])
            found = [hit for hit, own in zip(found, kept, strict=True) if own == division]
        return self._largest(found)

    def _largest(self, found: list[tuple[int, bool]]) -> Choice | None:
        if not found:
            return None
        weighed = sorted((-self._weight(place, own), place) for place, own in found)
        least, best = weighed[0]
        rivals = [place for weight, place in weighed[1:] if weight <= COMPARABLE * least]
        return Choice(best, -least, self._elsewhere(best, rivals))

    def _weight(self, place: int, own: bool) -> float:
        people = max(self._population[place], MIN_POPULATION)
        return people if own else OTHER_NAME * people

    def _elsewhere(self, best: int, rivals: list[int]) -> bool:
        """Return whether a rival is neither near nor part of the same city."""
        city = self._city
        apart = [place for place in rivals if city[place] != city[best]]
        if not apart:
            return False
        lat, lon = (self.places.file.arrays[name] for name in ("lat_e5", "lon_e5"))
        distance = haversine_km(
            lat[best] / 1e5, lon[best] / 1e5, lat[apart] / 1e5, lon[apart] / 1e5
        )
        return bool((distance > SAME_KM).any())

    def canonical(self, place: int) -> str:
        """Return what labels call a place: the name of the city that it is part of."""
        return self.places.name(self._city[place])

    def point(self, place: int) -> tuple[float, float]:
        """Return latitude and longitude of a place, degrees."""
        lat, lon = (self.places.file.arrays[name] for name in ("lat_e5", "lon_e5"))
        return int(lat[place]) / 1e5, int(lon[place]) / 1e5

    def population(self, place: int) -> int:
        """Return the people of a place, 0 where unknown."""
        return int(self._population[place])

    def divisions(self, chosen: Iterable[int]) -> list[int]:
        """Return the index of the first-level division of each place, -1 for none.

        By position, because the codes of GeoNames are not those of ISO; but simplified borders
        follow no river exactly. Where nearly all places of one division of GeoNames lie in one
        division of ours, the others do too: Saint Louis is in Missouri.
        """
        index = np.fromiter(chosen, np.int64)
        for country in np.unique(self.places.country[index[self._division[index] == _UNSOUGHT]]):
            inside = np.flatnonzero(self.places.country == country)
            self._division[inside] = self._voted(inside, self._locate(inside))
        found: list[int] = self._division[index].tolist()
        return found

    def _locate(self, chosen: NDArray[np.int64]) -> NDArray[np.int32]:
        from geodata.gazetteer.regions import divisions

        known = divisions()
        lat, lon = (self.places.file.arrays[name][chosen] / 1e5 for name in ("lat_e5", "lon_e5"))
        index = boundaries.load().index
        unit = index.owners[index.locate(lat, lon)][:, 1]
        found = np.append(known.rows, _OUTSIDE)[unit].astype(np.int32)
        codes = np.array([*(region.country_code for region in known.regions), ""])
        own = self.places.country_index(codes)[found] == self.places.country[chosen]
        return np.where(own, found, _OUTSIDE).astype(np.int32)

    def _voted(self, index: NDArray[np.int64], located: NDArray[np.int32]) -> NDArray[np.int32]:
        group = self.places.file.arrays["admin1"][index]
        voted = located.copy()
        for number in np.unique(group):
            members = group == number
            choices, counts = np.unique(located[members], return_counts=True)
            if counts.max() >= NEARLY_ALL * counts.sum():
                voted[members] = choices[counts.argmax()]
        return voted

    def centre(self, country: str, division: int | None = None) -> int | None:
        """Return the place that stands for a region, None where it has none.

        It is the one nearest to the centre of population, the mean position of the people,
        so it lies in the region, and not far from where most photos of it are taken.
        """
        inside = self._inside(country, division)
        if not len(inside):
            return None
        lat, lon = (self.places.file.arrays[name][inside] / 1e5 for name in ("lat_e5", "lon_e5"))
        vectors = unit_vectors(lat, lon)
        people = self.places.population[inside].astype(np.float64)
        mean = (people if people.any() else np.ones(len(inside))) @ vectors
        return int(inside[np.argmax(vectors @ mean)])

    def largest(self, country: str, division: int | None = None) -> int:
        """Return the people of a region's largest place, 0 where it has none."""
        return int(self.places.population[self._inside(country, division)].max(initial=0))

    def _inside(self, country: str, division: int | None) -> NDArray[np.int64]:
        inside = np.flatnonzero(self.places.country == self._codes.get(country, _OUTSIDE))
        if division is None:
            return inside
        kept = np.array(self.divisions(inside), np.int32) == division
        return np.asarray(inside[kept])

    @cached_property
    def _division(self) -> NDArray[np.int32]:
        """Division of each place, filled in where it is asked for."""
        return np.full(len(self.places), _UNSOUGHT, np.int32)

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {code: index for index, code in enumerate(self.places.countries)}

    @cached_property
    def _country(self) -> memoryview:
        return self.places.country.data

    @cached_property
    def _city(self) -> memoryview:
        return self.places.city.data

    @cached_property
    def _population(self) -> memoryview:
        return self.places.population.data


def _readings(folded: list[str]) -> Iterator[str]:
    """Yield the keys under which a place may be known, the strictest first."""
    yield "".join(folded)
    kept = unqualified(folded)
    if not kept:
        return
    for found in (folded, kept):
        if found is kept and len(kept) < len(folded):
            yield "".join(kept)
        plain = [word for word in found if word not in _KINDS]
        if len(plain) < len(found):
            yield "".join(plain)
    if folded[-2:] in _CAPITALS:  # Bogotá D.C.
        yield "".join(folded[:-2])
    elif folded[-1] in _JOINED_CAPITALS:
        yield "".join(folded[:-1])
    joined = "".join(folded)
    if joined.endswith(_KIND_SIGNS):
        yield next(joined[: -len(sign)] for sign in _KIND_SIGNS if joined.endswith(sign))


@lru_cache(maxsize=1)
def city_aliases() -> dict[str, tuple[str, str]]:
    """Return country and key of the own name of places by the key of another name."""
    rows = boundaries.facts_table("city_aliases")
    return {key(row["alias"]): (row["country"], key(row["name"])) for row in rows}


def hashed(folded: str) -> int:
    """Return the BLAKE2b hash of a key, 40 bits, as a number.

    A name that no place has meets one that some place has once in two million; three bytes more
    would add two megabytes to the package.
    """
    return int.from_bytes(hashlib.blake2b(folded.encode(), digest_size=5).digest(), "little")


def places_identity(places: Places) -> str:
    """Return what the index of names depends on: the SHA-256 of which places there are."""
    return hashlib.sha256(places.geonameid.tobytes()).hexdigest()


@lru_cache(maxsize=1)
def cities() -> Cities:
    """Return the bundled places by name; opened once a process.

    Raises
    ------
    FileError
        If the index of names was not made from the places beside it.
    """
    places = Places.load()
    path = Path(boundaries.BUNDLED) / KEYS_FILE
    file = files.load_arrays(path)
    if file.meta.get("places") != places_identity(places):
        msg = f"{path}: made from other places than those beside it; build the bundled set again"
        raise FileError(msg)
    return Cities(places, file.arrays["key"].data, file.arrays["place"].data)
