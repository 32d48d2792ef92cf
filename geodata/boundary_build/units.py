"""Units as Natural Earth draws them, brought up to date by our tables.

Natural Earth 4.1 is of 2018 and in places older. The table ``splits`` cuts off what became a unit
of its own, along outlines good to 5 or 10 km; the table ``units`` drops, moves and marks what
merged since, which `geodata.boundary_build.naming` then joins. What was redrawn altogether (Kenya,
Congo, Nepal) is divided by `geodata.boundary_build.cells`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapely

from geodata import boundaries
from geodata.boundaries.building import polygonal, repair, snap


@dataclass(frozen=True)
class Unit:
    """A unit as Natural Earth has it; names absent there are ''."""

    country: str
    name: str
    other_names: tuple[str, ...]
    fips: str
    geometry: shapely.Geometry
    approximate: bool = False
    """Cut off along a line drawn by hand."""


Corrected = tuple[Unit, boundaries.Correction | None]


def read_units(path: Path) -> list[Unit]:
    """Read Natural Earth's admin-1 units, in file order."""
    table = pq.read_table(path)
    rows = table.drop_columns(["geometry"]).to_pylist()
    fixed, _ = repair(shapely.from_wkb(np.array(table["geometry"].to_pylist(), object)))
    return [
        Unit(
            row["iso_a2"] or "",
            row["name"] or "",
            tuple(row[key] for key in ("woe_name", "gn_name") if row[key]),
            row["fips"] or "",
            geometry,
        )
        for row, geometry in zip(rows, fixed, strict=True)
        if geometry is not None
    ]


def _divided(units: Iterable[Unit]) -> list[Unit]:
    """Take out of old units what became a unit of its own, by the table ``splits``."""
    rows = boundaries.facts_table("splits")
    return [
        part
        for unit in units
        for part in _parts(unit, [r for r in rows if _names(r) == (unit.country, unit.name)])
    ]


def _names(row: dict[str, str]) -> tuple[str, str]:
    return row["ne_country"], row["ne_name"]


def _parts(unit: Unit, rows: list[dict[str, str]]) -> list[Unit]:
    parts = []
    for row in rows:
        points = [
            [float(number) for number in point.split()] for point in row["outline"].split(",")
        ]
        outline = shapely.Polygon(points)
        taken = polygonal(snap(shapely.intersection(unit.geometry, outline)))
        left = polygonal(snap(shapely.difference(unit.geometry, outline)))
        parts.append(Unit(unit.country, row["name"], (), "", taken, approximate=True))
        unit = replace(unit, geometry=left)
    return [unit, *parts]


def land(units: Iterable[Unit]) -> dict[tuple[str, str], shapely.Geometry]:
    """Return the land of the units by (country code, name) as Natural Earth has them."""
    result: dict[tuple[str, str], shapely.Geometry] = {}
    for unit in units:
        key = (unit.country, unit.name)
        known = result.get(key)
        result[key] = shapely.union(known, unit.geometry) if known else unit.geometry
    return result


def corrected(units: Iterable[Unit]) -> list[Corrected]:
    """Return the units up to date: split, dropped and moved, each with what corrects it."""
    found = [(unit, _correction(unit)) for unit in _divided(units) if unit.name]
    return [
        (replace(unit, country=fix.country) if fix and fix.country else unit, fix)
        for unit, fix in found
        if not (fix and fix.action == "drop")
    ]


def _correction(unit: Unit) -> boundaries.Correction | None:
    hints = (*reversed(unit.other_names), unit.fips, "")
    keys = [(unit.country, unit.name, hint) for hint in hints]
    return next((_corrections()[key] for key in keys if key in _corrections()), None)


@cache
def _corrections() -> dict[tuple[str, str, str], boundaries.Correction]:
    return boundaries.corrections()
