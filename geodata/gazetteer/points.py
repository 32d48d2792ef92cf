"""The point that names stand for: free texts, or country, region and city by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from geodata import boundaries
from geodata.gazetteer.cities import COMPARABLE, Choice, cities
from geodata.gazetteer.regions import Region, country_named, divisions
from geodata.gazetteer.text import is_name, is_no_answer, words

CODE_LETTERS = 2
"""Letters of a country's code that may be short for a city too."""

METROPOLIS = 3_000_000
"""People of a city from which it may be."""

_SEPARATORS = re.compile(r"[,;，、،؛()（）\n]+")

# Countries whose addresses end in the code of a state: "Austin, TX".
_POSTAL = ("US", "CA", "AU")


@dataclass(frozen=True)
class Place:
    """A point that a name stands for.

    Attributes
    ----------
    lat, lon : float
        Degrees.
    code : str or None
        Of the country or region that was asked for; of a city, its country.
    name : str
        As labels have it; a city as GeoNames has it.
    level : str
        'country', 'admin1' or 'city'.
    ambiguous : bool
        Whether the name means other places of comparable size too.
    population : int or None
        Of a city, 0 where unknown; None for regions.
    country_code, admin1_code : str or None
        Where it lies.
    """

    lat: float
    lon: float
    code: str | None
    name: str
    level: str
    ambiguous: bool
    population: int | None
    country_code: str
    admin1_code: str | None


@dataclass(frozen=True)
class _Found:
    """A reading of a text: a place or a region, and how many people speak for it."""

    weight: float
    ambiguous: bool
    place: int | None = None
    region: Region | None = None
    division: int | None = None


def by_names(country: Any, admin1: Any, city: Any) -> Place | None:
    """Return the point of a country, region and city by name; see `geodata.gazetteer.geocode`."""
    if any(name is not None and not is_name(name) for name in (country, city)):
        return None
    of = country_named(country) if country is not None else None
    if country is not None and of is None:
        return None
    code = of.code if of is not None else None
    division = divisions().find(admin1, code) if is_name(admin1) else None
    if city is not None:
        inside = _city(city, code, division[0]) if division else _place(city, code)
        return _shown(inside or _in_territory(city, code))
    if admin1 is not None:
        return _shown(_region(division)) if division else None
    return _shown(_state(of)) if of is not None else None


def _place(name: str, country: str | None) -> _Found | None:
    """Read a name that was given as a city: a region where no city of comparable size has it."""
    city = _city(name, country, None)
    named = divisions().find(name, country, parts=False)
    region = _region(named) if named is not None else None
    if city is None or city.place is None or region is None:
        return city or region
    return city if cities().population(city.place) >= COMPARABLE * region.weight else region


def _in_territory(name: str, country: str | None) -> _Found | None:
    """Read a name in the territories of a country that have an own code: Macau, China."""
    territories = _territories().get(country or "", ())
    of = country_named(name)
    if of is not None and of.code in territories:
        return _state(of)
    found = [city for code in territories if (city := _city(name, code, None)) is not None]
    return max(found, key=lambda city: city.weight, default=None)


@lru_cache(maxsize=1)
def _territories() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in boundaries.facts_table("sovereigns"):
        if row["code"] not in found.setdefault(row["sovereign_code"], []):
            found[row["sovereign_code"]].append(row["code"])
    return found


def by_text(text: Any) -> Place | None:
    """Return the point of a free text; see `geodata.gazetteer.geocode`."""
    if not is_name(text):
        return None
    of = country_named(text)
    if of is not None:
        return _shown(_abbreviated(text) or _state(of))
    parts = [part.strip() for part in _SEPARATORS.split(text) if part.strip()]
    if any(map(is_no_answer, parts)):
        return None
    if len(parts) < 2:
        return _shown(_city_or_region(parts[0], None)) if parts else None
    found = [reading for reading in _readings(parts) if reading is not None]
    found = found or list(_abroad(parts))
    if not found:
        return None
    best = max(found, key=lambda reading: reading.weight)
    rivals = [other for other in found if other is not best and not _same(best, other)]
    doubt = any(other.weight >= COMPARABLE * best.weight for other in rivals)
    return _shown(replace(best, ambiguous=best.ambiguous or doubt))


def _abbreviated(text: str) -> _Found | None:
    """Return the metropolis that a country's code is short for too: LA is Los Angeles or Laos."""
    text = text.strip()
    if len(text) > CODE_LETTERS or not (text.isascii() and text.isupper()):
        return None
    city = _city(text, None, None)
    if city is None or city.place is None or cities().population(city.place) < METROPOLIS:
        return None
    initials = "".join(word[0] for word in words(cities().places.name(city.place)))
    at_home = cities().places.countries[cities().places.country[city.place]] == text
    return replace(city, ambiguous=True) if initials == text.lower() and not at_home else None


def _readings(parts: list[str]) -> Iterator[_Found | None]:
    """Read the last part as a country, a region, and a postal code: CA is Canada or California."""
    first, *middle, last = parts
    of = country_named(last)
    if of is not None:
        yield from _in_country(first, middle, of.code)
    found = divisions().find(last, None)
    postal = [divisions().by_code.get(f"{code}-{last.replace('.', '')}") for code in _POSTAL]
    for division in dict.fromkeys([found[0] if found else None, *postal]):
        if division is not None:
            yield _city(first, divisions().regions[division].country_code, division)


def _abroad(parts: list[str]) -> Iterator[_Found]:
    """Read the last part as the end of any region's code: Rio de Janeiro, RJ."""
    first, *_, last = parts
    for division in divisions().by_ending.get(last.replace(".", ""), ()):
        found = _city(first, divisions().regions[division].country_code, division)
        if found is not None:
            yield found


def _in_country(first: str, middle: list[str], country: str | None) -> Iterator[_Found | None]:
    """Read a name within a country or a region of it, else also within its territories."""
    for name in reversed(middle):
        division = divisions().find(name, country)
        if division is not None:
            yield _city(first, country, division[0])
            return
    home, away = _city_or_region(first, country), _in_territory(first, country)
    yield home
    if away is not None and home is not None and home.weight >= COMPARABLE * away.weight:
        away = replace(away, weight=min(away.weight, home.weight))  # the country comes first
    yield away


def _city_or_region(name: str, country: str | None) -> _Found | None:
    city = _city(name, country, None)
    named = divisions().find(name, country, parts=False)
    if named is None:
        return city
    region = _region(named)
    if city is None or city.place is None:
        return region
    inside = cities().divisions([city.place])[0] == named[0]
    comparable = city.weight >= COMPARABLE * region.weight
    if (inside and comparable) or city.weight > region.weight:
        return city if inside else replace(city, ambiguous=True)
    return replace(region, ambiguous=region.ambiguous or (comparable and not inside))


def _city(name: str, country: str | None, division: int | None) -> _Found | None:
    if division is not None:
        country = divisions().regions[division].country_code
    choice: Choice | None = cities().find(name, country, division)
    return _Found(choice.weight, choice.ambiguous, place=choice.place) if choice else None


def _region(found: tuple[int, bool]) -> _Found:
    division, ambiguous = found
    region = divisions().regions[division]
    people = _largest(region.country_code, division)
    return _Found(people, ambiguous, region=region, division=division)


def _state(of: Region) -> _Found:
    return _Found(0.0, of.ambiguous, region=of)


def _same(one: _Found, other: _Found) -> bool:
    return (one.place, one.region) == (other.place, other.region)


def _shown(found: _Found | None) -> Place | None:
    if found is None:
        return None
    if found.place is not None:
        return _city_place(found.place, found.ambiguous)
    region = found.region
    assert region is not None
    lat, lon = _point(region.country_code, found.division)
    code = region.code if region.level == "admin1" else None
    return Place(
        lat, lon, region.code, region.name, region.level, found.ambiguous, None,
        region.country_code, code,
    )  # fmt: skip


def _city_place(place: int, ambiguous: bool) -> Place:
    known = cities()
    lat, lon = known.point(place)
    (division,) = known.divisions([place])
    code = divisions().regions[division].code if division >= 0 else None
    country = known.places.countries[known.places.country[place]]
    return Place(
        lat, lon, country, known.places.name(place), "city", ambiguous,
        known.population(place), country, code,
    )  # fmt: skip


@lru_cache(maxsize=1 << 12)
def _largest(country: str, division: int) -> int:
    return cities().largest(country, division)


@lru_cache(maxsize=1 << 12)
def _point(country: str, division: int | None) -> tuple[float, float]:
    centre = cities().centre(country, division)
    return cities().point(centre) if centre is not None else _surface_point(country, division)


def _surface_point(country: str, division: int | None) -> tuple[float, float]:
    """Return a point of the largest part of a region's polygon, where it has no place."""
    import pyarrow.parquet as pq
    import shapely

    folder = boundaries.BUNDLED
    if division is None:
        rows = pq.read_table(folder / "countries.parquet", columns=["code", "geometry"])
        mask = np.array(rows["code"].to_pylist()) == country
    else:
        rows = pq.read_table(folder / "units.parquet", columns=["geometry"])
        mask = np.array(divisions().rows) == division
    shapes = shapely.from_wkb(np.array(rows["geometry"].to_pylist(), object)[mask])
    parts = shapely.get_parts(shapes)
    point = shapely.point_on_surface(parts[np.argmax(shapely.area(parts))])
    return float(point.y), float(point.x)


def code_names(country: Any, admin1: Any, city: Any) -> tuple[str | None, str | None, str | None]:
    """Return country code, region code and city, as labels have them, of one row's names."""
    of = country_named(country) if is_name(country) else None
    if of is None:
        return None, None, None
    found = divisions().find(admin1, of.code) if is_name(admin1) else None
    division = found[0] if found else None
    choice = cities().find(city, of.code, division) if is_name(city) else None
    if choice is None and division is not None and is_name(city):
        choice = cities().find(city, of.code)  # a place beside the border of its region
    return (
        of.code,
        None if division is None else divisions().regions[division].code,
        None if choice is None else cities().canonical(choice.place),
    )
