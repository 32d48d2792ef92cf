"""Places that say which division they lie in: GeoNames' and those of the table ``groups``.

GeoNames gives every place the admin1 code of today, in a numbering of its own. Where the sources
draw a unit, most of its places tell which code means it; where they do not draw it, the table
``groups`` says so: by the code, by the name of a place, or by a town and its position. The table
``landmarks`` names sights on the bank of a border river and the like.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata import boundaries
from geodata.boundary_build import places

LANDMARK = "="
"""Before the code of a landmark in place of a GeoNames group: it moves borders, no more."""


@dataclass(frozen=True)
class Seeds:
    """Places of one country.

    Attributes
    ----------
    lonlat : ndarray of float64, shape (n, 2), degrees
    group : ndarray of str, shape (n,)
        GeoNames' admin1 code; '' for towns of the table, `LANDMARK` and the ISO 3166-2 code for
        landmarks.
    code : ndarray of str, shape (n,)
        ISO 3166-2 code that the table ``groups`` gives; '' where it says nothing.
    """

    lonlat: NDArray[np.float64]
    group: NDArray[np.str_]
    code: NDArray[np.str_]


def read_seeds(gazette: str | os.PathLike[str] | None = None) -> dict[str, Seeds]:
    """Return the seeds of every country by its alpha-2 code.

    Parameters
    ----------
    gazette
        GeoNames' places, see `geodata.boundary_build.places.read`.
    """
    by_group: dict[tuple[str, str], str] = {}
    by_place: dict[tuple[str, str], str] = {}
    rows: dict[str, list[tuple[float, float, str, str]]] = {}
    for row in boundaries.facts_table("groups"):
        country, code = row["country"], row["code"]
        if row["lat"]:
            rows.setdefault(country, []).append((float(row["lon"]), float(row["lat"]), "", code))
        elif row["place"]:
            by_place[country, row["place"]] = code
        else:
            by_group[country, row["group"]] = code
    for row in boundaries.facts_table("landmarks"):
        where = float(row["lon"]), float(row["lat"]), LANDMARK + row["code"], ""
        rows.setdefault(row["code"][:2], []).append(where)
    read = places.read(gazette)
    for at, name in enumerate(read.name):
        country, _, group = read.admin1_codes[read.admin1[at]].partition(".")
        code = by_place.get((country, name)) or by_group.get((country, group), "")
        lon, lat = read.lon_e5[at] / 1e5, read.lat_e5[at] / 1e5
        rows.setdefault(country, []).append((lon, lat, group, code))
    return {country: _seeds(found) for country, found in rows.items()}


def _seeds(rows: list[tuple[float, float, str, str]]) -> Seeds:
    lon, lat, group, code = zip(*rows, strict=True)
    return Seeds(np.c_[lon, lat].astype(np.float64), np.array(group), np.array(code))


def codes_of(seeds: Seeds, found: Mapping[str, str]) -> NDArray[np.str_]:
    """Return the code of every seed, '' where unknown.

    Parameters
    ----------
    found
        Code of each GeoNames group that most of its places agree on.
    """
    known = np.array([_meant(group, found) for group in seeds.group.tolist()], str)
    return np.where(seeds.code != "", seeds.code, known)


def _meant(group: str, found: Mapping[str, str]) -> str:
    return group.removeprefix(LANDMARK) if group.startswith(LANDMARK) else found.get(group, "")
