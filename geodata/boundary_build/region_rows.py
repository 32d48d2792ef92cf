"""Regions as any provider draws them become the rows of a boundary set.

Countries get the names and facts of the bundled set; a country that nobody drew is the union of
its divisions; an admin2 finds its admin1 by key, else by place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geodata import boundaries
from geodata.boundary_build import shapes
from geodata.boundary_build.countries import COUNTRY_SCHEMA
from geodata.boundary_build.regions import RegionTables
from geodata.boundary_build.units import UNIT_SCHEMA

LEVELS = ("country", "admin1", "admin2")


@dataclass(frozen=True)
class Region:
    """One region as its provider draws it: an ISO country code, the names, the best first."""

    level: str
    country: str
    name: str
    others: tuple[str, ...]
    code: str | None
    key: str | None
    parent: str | None
    disputed: bool
    geometry: shapely.Geometry


def region_tables(regions: list[Region]) -> RegionTables:
    """Return the rows of the set, sorted, so that the same regions give the same bytes."""
    by_level = {level: [r for r in regions if r.level == level] for level in LEVELS}
    divisions = [*by_level["admin1"], *by_level["admin2"]]
    drawn = {region.country for region in by_level["country"]}
    missing = sorted({region.country for region in divisions} - drawn)
    derived = [_union(country, divisions) for country in missing]
    rows = [_country_row(region) for region in [*by_level["country"], *derived]]
    parents = _parents(by_level["admin1"], by_level["admin2"])
    divided = [_unit_row(region, None) for region in by_level["admin1"]]
    divided += [
        _unit_row(region, parent)
        for region, parent in zip(by_level["admin2"], parents, strict=True)
    ]
    rows.sort(key=lambda row: (row["code"], row["geometry"]))
    divided.sort(
        key=lambda row: (
            row["country"],
            row["admin1_name"] or "",
            row["admin2_name"] or "",
            row["geometry"],
        )
    )
    return RegionTables(
        pa.Table.from_pylist(rows, schema=COUNTRY_SCHEMA),
        pa.Table.from_pylist(divided, schema=UNIT_SCHEMA),
    )


def _union(country: str, divisions: list[Region]) -> Region:
    parts = [region.geometry for region in divisions if region.country == country]
    union = shapes.polygonal(shapes.snap(shapely.union_all(parts)))
    return Region("country", country, "", (), None, None, None, False, union)


def _parents(admin1: list[Region], admin2: list[Region]) -> list[Region | None]:
    """Find the admin1 of each admin2: by its key, else the one of its country around it."""
    by_key = {region.key: region for region in admin1 if region.key is not None}
    tree = shapely.STRtree([region.geometry for region in admin1])
    return [
        by_key.get(region.parent) if region.parent in by_key else _around(region, admin1, tree)
        for region in admin2
    ]


def _around(region: Region, admin1: list[Region], tree: shapely.STRtree) -> Region | None:
    point = shapely.point_on_surface(region.geometry)
    near = [admin1[i] for i in np.sort(tree.query(point, predicate="intersects"))]
    return next((one for one in near if one.country == region.country), None)


def _country_row(region: Region) -> dict[str, Any]:
    facts = _bundled_facts().get(region.country, {})
    return {
        "code": region.country,
        "name": boundaries.country_name(region.country),
        **facts,
        "disputed": region.disputed,
        "claims": [],
        "geometry": shapes.wkb([region.geometry])[0],
    }


@cache
def _bundled_facts() -> dict[str, dict[str, Any]]:
    """Continent and sovereign of each country, which no provider has alike."""
    path = boundaries.BUNDLED / "countries.parquet"
    wanted = [
        "code",
        "alpha3",
        "continent",
        "sovereign_code",
        "sovereign_admin1_name",
        "sovereign_admin1_code",
    ]
    return {row.pop("code"): row for row in pq.read_table(path, columns=wanted).to_pylist()}


def _unit_row(region: Region, parent: Region | None) -> dict[str, Any]:
    admin1 = parent if region.level == "admin2" else region
    admin2 = region if region.level == "admin2" else None
    return {
        "country": region.country,
        "admin1_name": admin1.name if admin1 else None,
        "admin1_code": admin1.code if admin1 else None,
        "admin2_name": admin2.name if admin2 else None,
        "admin2_code": admin2.code if admin2 else None,
        "aliases": list(region.others),
        "admin1_aliases": list(admin1.others) if admin1 else [],
        "geometry": shapes.wkb([region.geometry])[0],
    }
