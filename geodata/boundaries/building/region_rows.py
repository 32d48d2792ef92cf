"""Regions as any provider draws them become the rows of a boundary set.

Countries get the names and facts of the bundled set; a country that nobody drew is the union of
its divisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow.parquet as pq
import shapely

from geodata.boundaries.building import shapes
from geodata.boundaries.building.parents import Above, Region, ancestors
from geodata.boundaries.building.regions import RegionTables, country_rows, unit_rows
from geodata.boundaries.facts import country_name
from geodata.boundaries.registry import BUNDLED
from geodata.boundaries.schema import COUNTRIES, LEVELS


@dataclass(frozen=True)
class Origin:
    """What stands beside every region of one build."""

    source: str
    release: str | None
    licence: str


def region_tables(regions: list[Region], origin: Origin) -> RegionTables:
    """Return the rows of the set, sorted, so that the same regions give the same bytes."""
    by_level = {level: [r for r in regions if r.level == level] for level in LEVELS}
    by_level["country"] += _undrawn(by_level)
    by_level["country"].sort(key=lambda r: (r.country, -shapely.area(r.geometry), r.key or ""))
    ids = _Ids()
    facts = vars(origin)
    there = {region.country for region in by_level["country"]}
    countries = [_country_row(region, ids, there) | facts for region in by_level["country"]]
    above = ancestors(by_level)
    for level in LEVELS[1:]:  # parents have their ids before their children ask
        pairs = sorted(zip(by_level[level], above[level], strict=True), key=_order)
        by_level[level], above[level] = [r for r, _ in pairs], [a for _, a in pairs]
        for region, mine in pairs:
            ids.give(region, _path(region, mine))
    made = {
        level: [
            _unit_row(region, mine, ids) | facts
            for region, mine in zip(by_level[level], above[level], strict=True)
        ]
        for level in LEVELS[1:]
    }
    divided = made["admin1"] + made["admin2"]
    divided.sort(
        key=lambda row: (
            row["country"],
            row["admin1_name"] or "",
            row["admin2_name"] or "",
            row["geometry"],
        )
    )
    below = unit_rows(made["locality"] + made["neighbourhood"])
    return RegionTables(country_rows(countries), unit_rows(divided), below)


class _Ids:
    """Ids of regions, unique in the set: the source's key, else the path of names."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self._of: dict[int, str] = {}
        self._country: dict[str, str] = {}

    def give(self, region: Region, path: str) -> str:
        wanted = region.key or path
        count = self._used[wanted] = self._used.get(wanted, 0) + 1
        own = wanted if count == 1 else f"{wanted}#{count}"
        self._of[id(region)] = own
        if region.level == "country":
            self._country.setdefault(region.country, own)
        return own

    def of(self, region: Region) -> str:
        return self._of[id(region)]

    def country(self, code: str) -> str:
        return self._country[code]


def _order(pair: tuple[Region, Above]) -> tuple[str, ...]:
    region, above = pair
    box = "{:+09.4f} {:+09.4f}".format(*region.geometry.bounds[:2])
    return region.country, _path(region, above), region.key or "", box


def _path(region: Region, above: Above) -> str:
    names = [above[level].name for level in LEVELS[1:] if level in above]
    return "/".join([region.country, *names, region.name])


def _undrawn(by_level: dict[str, list[Region]]) -> list[Region]:
    """Return the countries that nobody drew, from their divisions, else their localities."""
    drawn = {region.country for region in by_level["country"]}
    missing: dict[str, list[shapely.Geometry]] = {}
    for levels in (("admin1", "admin2"), ("locality",)):
        parts: dict[str, list[shapely.Geometry]] = {}
        for region in (region for level in levels for region in by_level[level]):
            if region.country not in drawn and region.country not in missing:
                parts.setdefault(region.country, []).append(region.geometry)
        missing |= parts
    return [_union(country, parts) for country, parts in missing.items()]


def _union(country: str, parts: list[shapely.Geometry]) -> Region:
    union = shapes.polygonal(shapes.snap(shapely.union_all(parts)))
    return Region("country", country, "", (), None, None, (), False, union, {}, (), "")


def _country_row(region: Region, ids: _Ids, there: set[str]) -> dict[str, Any]:
    facts = _bundled_facts().get(region.country, {})
    name = country_name(region.country)
    return {
        "id": ids.give(region, region.country),
        "level": "country",
        "code": region.country,
        "name": name,
        "names": {"en": name, **region.names},
        **facts,
        "disputed": region.disputed,
        # a claimant that the set does not draw has no name to show
        "claims": [{"worldview": v, "code": code} for v, code in region.claims if code in there],
        "geometry": shapes.wkb([region.geometry])[0],
    }


@cache
def _bundled_facts() -> dict[str, dict[str, Any]]:
    """Continent and sovereign of each country, which no provider has alike."""
    wanted = [
        "code",
        "alpha3",
        "continent",
        "sovereign_code",
        "sovereign_admin1_name",
        "sovereign_admin1_code",
    ]
    table = pq.read_table(BUNDLED / COUNTRIES, columns=wanted)
    return {row.pop("code"): row for row in reversed(table.to_pylist())}  # the first row is main


def _unit_row(region: Region, above: Above, ids: _Ids) -> dict[str, Any]:
    line = {**above, region.level: region}
    admin1, admin2 = line.get("admin1"), line.get("admin2")
    parent = next((above[level] for level in reversed(LEVELS) if level in above), None)
    return {
        "id": ids.of(region),
        "level": region.level,
        "parent": ids.of(parent) if parent else ids.country(region.country),
        "country": region.country,
        "code": region.code,
        "name": region.name,
        "names": region.names,
        "admin1_name": admin1.name if admin1 else None,
        "admin1_code": admin1.code if admin1 else None,
        "admin2_name": admin2.name if admin2 else None,
        "admin2_code": admin2.code if admin2 else None,
        "aliases": list(region.others),
        "admin1_aliases": list(admin1.others) if admin1 else [],
        "disputed": region.disputed,
        "claims": [{"worldview": view, "code": code} for view, code in region.claims],
        "geometry": shapes.wkb([region.geometry])[0],
    }
