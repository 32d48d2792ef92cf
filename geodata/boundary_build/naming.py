"""Natural Earth's units named and coded by ISO 3166-2: the rows of the unit layer.

Three rules make a row:

- *Level.* Where Natural Earth draws the second level (departments, provinces, counties), ISO's
  parent is admin1 and the unit is admin2; the table ``levels`` says where, and why.
- *Code.* A unit has the ISO 3166-2 code of the one subdivision of its country whose name agrees:
  letter for letter, else without accents and case, else without words for the kind of division
  ("Province of", "oblast"); Natural Earth's own name counts first, then its Yahoo and GeoNames
  names. No agreement or two of them: NULL. The table ``units`` corrects what names cannot tell.
- *Name.* Admin1 drawn by Natural Earth keeps its name, which is the one on English maps, with
  the letters restored that ISO has and Natural Earth dropped (in countries that write Latin
  letters). Where ISO's parent is admin1, both levels have ISO's names. The table ``names``
  replaces damaged, outdated and unreadable ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import shapely

from geodata import boundaries
from geodata.boundaries.building import (
    NameIndex,
    Subdivision,
    plain,
    polygonal,
    readings,
    snap,
    subdivisions,
    unit_rows,
    without_kinds,
    wkb,
)
from geodata.boundary_build import borders, cells
from geodata.boundary_build.seeds import Seeds
from geodata.boundary_build.units import Corrected, Unit, corrected

SURE = -1
"""Rank of a code that a correction gives; names rank from 0, the strictest, upwards."""


@dataclass(frozen=True)
class Named:
    """A unit with its place in the hierarchy."""

    country: str
    admin1: tuple[str, str | None]
    admin2: tuple[str, str | None] | None
    aliases: frozenset[str]
    admin1_aliases: frozenset[str]
    geometry: shapely.Geometry
    approximate: bool = False
    """Drawn by hand or from the cells of places, not by a source."""
    local: str = ""
    """Name as ISO 3166-2 writes it."""
    by_places: bool = False
    """Whether places of GeoNames moved its border."""

    @property
    def code(self) -> str | None:
        """ISO 3166-2 code of the unit itself."""
        return (self.admin2 or self.admin1)[1]


def unit_table(units: Iterable[Unit], seeds: Mapping[str, Seeds]) -> pa.Table:
    """Build the unit layer.

    Parameters
    ----------
    units
        Natural Earth's units.
    seeds
        Places of each country that tell where divisions of today lie.

    Returns
    -------
    pyarrow.Table
        Columns of `geodata.boundaries.UNIT_SCHEMA`, ordered by country and names; one row for
        each division.
    """
    named = _with_aliases(_straight(_joined(_named(corrected(units), seeds)), seeds))
    rows = sorted(named, key=lambda n: (n.country, n.admin1[0], n.admin2[0] if n.admin2 else ""))
    return unit_rows([_record(row) for row in rows])


def _named(units: list[Corrected], seeds: Mapping[str, Seeds]) -> list[Named]:
    by_country: dict[str, list[Corrected]] = {}
    for unit, fix in units:
        by_country.setdefault(unit.country, []).append((unit, fix))
    tabled = {country for country, some in seeds.items() if (some.code != "").any()}
    return [
        named
        for country in sorted(by_country.keys() | tabled)
        for named in _country_units(country, by_country.get(country, []), seeds.get(country))
    ]


def _country_units(country: str, units: list[Corrected], seeds: Seeds | None) -> list[Named]:
    iso = subdivisions(country)
    codes = _codes(country, units, iso)
    named = [
        _place(country, unit, fix, code, iso)
        for (unit, fix), code in zip(units, codes, strict=True)
    ]
    if seeds is not None:
        named = _divided(country, named, seeds, iso)
    if len(named) == 1 and named[0].admin1[1] is None:
        return []  # one unit that is the whole territory is no division of it
    return named


def _divided(
    country: str, named: list[Named], seeds: Seeds, iso: Mapping[str, Subdivision]
) -> list[Named]:
    """Take the units of today that nobody draws out of those that are drawn."""
    left, parts = cells.divide(
        [unit.geometry for unit in named],
        [unit.code or unit.admin1[1] or "" for unit in named],
        seeds,
        known=frozenset(unit.admin1[1] for unit in named if unit.admin1[1]),
    )
    kept = [
        replace(unit, geometry=shape)
        for unit, shape in zip(named, left, strict=True)
        if not shape.is_empty
    ]
    drawn = {unit.code: unit for unit in named if unit.code}
    made = [drawn.get(code) or _new(country, iso[code], shape, iso) for code, shape in parts]
    return kept + [
        replace(unit, geometry=shape, approximate=True, by_places=True)
        for unit, (_, shape) in zip(made, parts, strict=True)
    ]


def _new(
    country: str, own: Subdivision, shape: shapely.Geometry, iso: Mapping[str, Subdivision]
) -> Named:
    unit = Unit(country, readings(own.name)[0], (), "", shape)
    return _place(country, unit, None, own.code, iso)


def _straight(units: list[Named], seeds: Mapping[str, Seeds]) -> list[Named]:
    """Move borders inside countries to the right side of the places near them."""
    by_country: dict[str, list[Named]] = {}
    for unit in units:
        by_country.setdefault(unit.country, []).append(unit)
    result = []
    for country, mine in by_country.items():
        shapes = [unit.geometry for unit in mine]
        if country in seeds:
            codes = [unit.admin1[1] or "" for unit in mine]
            shapes = borders.straighten(shapes, codes, seeds[country])
        result += [
            unit if shape is unit.geometry else replace(unit, geometry=shape, by_places=True)
            for unit, shape in zip(mine, shapes, strict=True)
        ]
    return result


def _codes(
    country: str,
    units: list[Corrected],
    iso: Mapping[str, Subdivision],
) -> list[str | None]:
    """Give each unit its code; a code that several claim goes to the one it is named like."""
    index = NameIndex(country, iso)
    given = [_given(unit, fix, index) for unit, fix in units]
    best: dict[str, int] = {}
    for code, rank in given:
        if code is not None and rank != SURE:
            best[code] = min(rank, best.get(code, rank))
    names = {
        (code, unit.name)
        for (code, rank), (unit, _) in zip(given, units, strict=True)
        if code is not None and rank == best.get(code)
    }
    winners = Counter(code for code, _ in names)
    return [
        code if code and (rank == SURE or (rank == best[code] and winners[code] == 1)) else None
        for code, rank in given
    ]


def _given(
    unit: Unit, fix: boundaries.Correction | None, index: NameIndex
) -> tuple[str | None, int]:
    if fix and fix.code:
        return (None if fix.code == "none" else fix.code), SURE
    return index.find((unit.name, *unit.other_names))


def _place(
    country: str,
    unit: Unit,
    fix: boundaries.Correction | None,
    code: str | None,
    iso: Mapping[str, Subdivision],
) -> Named:
    own = iso.get(code) if code else None
    name = boundaries.unit_names().get(code or "") or (fix.name if fix else "")
    name = name or _name(country, unit, own)
    known = frozenset[str]() if fix and fix.action == "rename" else {unit.name, *unit.other_names}
    aliases = frozenset(readings(own.name) if own else []) | known
    local = readings(own.name)[0] if own else ""
    above = _parent(country, fix, own, iso)
    if above is None:
        return Named(
            country, (name, code), None, aliases, aliases, unit.geometry, unit.approximate, local
        )
    admin1 = boundaries.unit_names().get(above.code) or readings(above.name)[0]
    others = frozenset(readings(above.name))
    if own and not (fix and fix.name):
        name = boundaries.unit_names().get(own.code) or readings(own.name)[0]
    return Named(
        country, (admin1, above.code), (name, code), aliases, others, unit.geometry,
        unit.approximate, local,
    )  # fmt: skip


def _parent(
    country: str,
    fix: boundaries.Correction | None,
    own: Subdivision | None,
    iso: Mapping[str, Subdivision],
) -> Subdivision | None:
    if fix and fix.parent:
        return iso[fix.parent]
    if own and boundaries.parent_is_admin1(country):
        above = own
        while above.parent is not None and above.parent in iso:
            above = iso[above.parent]
        return None if above is own else above
    return None


def _name(country: str, unit: Unit, own: Subdivision | None) -> str:
    """Return Natural Earth's name, or ISO's where it differs by accents that it has more of."""
    if own is None or not boundaries.writes_latin(country):
        return unit.name
    for reading in readings(own.name):
        for text in (reading, without_kinds(reading)):
            if plain(text) == plain(unit.name) and _accents(text) > _accents(unit.name):
                return text
    return unit.name


def _accents(text: str) -> int:
    return sum(not letter.isascii() for letter in text)


def _joined(units: list[Named]) -> list[Named]:
    """Join the parts of one division; what is drawn in two parts has one row."""
    groups: dict[tuple[object, ...], list[Named]] = {}
    for unit in units:
        groups.setdefault((unit.country, unit.admin1, unit.admin2), []).append(unit)
    return [_union(group) for group in groups.values()]


def _union(group: list[Named]) -> Named:
    first = group[0]
    if len(group) == 1:
        return first
    union = polygonal(snap(shapely.union_all([unit.geometry for unit in group])))
    aliases = frozenset[str]().union(*(unit.aliases for unit in group))
    others = frozenset[str]().union(*(unit.admin1_aliases for unit in group))
    most = max(group, key=lambda unit: unit.geometry.area)
    return replace(
        first,
        aliases=aliases,
        admin1_aliases=others,
        geometry=union,
        approximate=most.approximate,
        by_places=any(unit.by_places for unit in group),
    )


def _record(unit: Named) -> dict[str, object]:
    admin1_name, admin1_code = unit.admin1
    admin2_name, admin2_code = unit.admin2 or (None, None)
    name, code = unit.admin2 or unit.admin1
    path = "/".join(filter(None, (unit.country, admin1_name, admin2_name)))
    return {
        "id": code or path,
        "level": "admin2" if unit.admin2 else "admin1",
        "parent": unit.country,
        "country": unit.country,
        "code": code,
        "name": name,
        "names": {"en": name, **({"local": unit.local} if unit.local else {})},
        "approximate": unit.approximate,
        "admin1_name": admin1_name,
        "admin1_code": admin1_code,
        "admin2_name": admin2_name,
        "admin2_code": admin2_code,
        "aliases": sorted(unit.aliases),
        "admin1_aliases": sorted(unit.admin1_aliases),
        "source": "Natural Earth and GeoNames" if unit.by_places else "Natural Earth",
        "release": "Natural Earth 4.1.0",
        "licence": "public domain and CC BY 4.0" if unit.by_places else "public domain",
        "geometry": wkb([unit.geometry])[0],
    }


def _with_aliases(units: list[Named]) -> list[Named]:
    """Add the common names of the table ``aliases``; leave out what names two units."""
    extra = boundaries.unit_aliases()
    own = [(unit.country, unit.admin2 or unit.admin1) for unit in units]
    uses = Counter(
        (country, plain(name))
        for (country, place), unit in zip(own, units, strict=True)
        for name in {plain(name): name for name in unit.aliases | {place[0]}}.values()
    )
    return [
        replace(
            unit,
            aliases=frozenset(
                name
                for name in unit.aliases | extra.get(code or "", frozenset())
                if uses[country, plain(name)] < 2 or plain(name) == plain(place)
            )
            - {place},
            admin1_aliases=(unit.admin1_aliases | extra.get(unit.admin1[1] or "", frozenset()))
            - {unit.admin1[0]},
        )
        for unit, (country, (place, code)) in zip(units, own, strict=True)
    ]
