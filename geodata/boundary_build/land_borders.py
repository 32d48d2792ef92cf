"""Land borders of countries: Natural Earth's where they are finer, on country-coder's coast.

country-coder has 26,000 vertices for the world: its coast is generous, its land borders are
straight for kilometres. Where a division of one country reaches over such a border, the strip goes
to the country of the division, unless

- it is too wide to be a matter of drawing, or holds most of a part (an enclave such as Baarle),
- it touches a disputed piece, whose outline has reasons of its own,
- country-coder's border is the finer one there, or
- GeoNames knows no more places in it of the one country than of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geodata.boundaries.building import polygonal, snap
from geodata.boundary_build.seeds import Seeds

WIDEST_DEGREES = 0.06
"""Strips that hold a disc of this width are more than a line drawn otherwise."""

SMALLEST = 0.03
"""Parts of countries below this area in square degrees keep country-coder's border."""

KEPT = 0.5
"""No strip is more than this share of a part of a country, or of a division."""

LEAST = 1e-9
"""Strips below this area in square degrees are rounding."""


def with_land_borders(
    shapes: Sequence[shapely.Geometry],
    codes: Sequence[str],
    fixed: Sequence[shapely.Geometry],
    units: pa.Table,
    seeds: Mapping[str, Seeds],
) -> list[shapely.Geometry]:
    """Return country shapes with strips exchanged along their land borders.

    Parameters
    ----------
    shapes, codes
        Countries as country-coder draws them, and their ISO 3166-1 codes.
    fixed
        Disputed pieces; no border is moved where one of them is.
    units
        Divisions, with columns ``country`` and ``geometry``.
    seeds
        Places of each country.
    """
    strips = _strips(shapes, codes, fixed, units)
    strips = [strips[i] for i in _supported(strips, codes, seeds)]
    new = list(shapes)
    for source in {source for source, _, _ in strips}:
        lost = shapely.union_all([strip for s, _, strip in strips if s == source])
        new[source] = polygonal(snap(shapely.difference(new[source], lost)))
    for target in {target for _, target, _ in strips}:
        won = [strip for _, t, strip in strips if t == target]
        new[target] = polygonal(snap(shapely.union_all([new[target], *won])))
    return new


Strip = tuple[int, int, shapely.Geometry]


def _strips(
    shapes: Sequence[shapely.Geometry],
    codes: Sequence[str],
    fixed: Sequence[shapely.Geometry],
    units: pa.Table,
) -> list[Strip]:
    country = units["country"].to_pylist()
    land = shapely.from_wkb(units["geometry"].to_numpy())
    parts, of = shapely.get_parts(np.array(shapes, object), return_index=True)
    shapely.prepare(parts)
    kept = shapely.STRtree(fixed)
    first: dict[str, int] = {}
    for at in np.argsort([-shape.area for shape in shapes], kind="stable").tolist():
        first.setdefault(codes[at], at)
    pairs = shapely.STRtree(parts).query(land, predicate="intersects").T.tolist()
    found = []
    for unit, part in pairs:
        source, target = int(of[part]), first.get(country[unit], -1)
        if codes[source] == country[unit] or target < 0 or parts[part].area < SMALLEST:
            continue
        over = shapely.get_parts(shapely.intersection(land[unit], parts[part]))
        most = KEPT * min(parts[part].area, land[unit].area)
        found += [
            (source, target, strip)
            for strip in over[(shapely.area(over) > LEAST) & (shapely.area(over) < most)]
            if shapely.is_empty(shapely.buffer(strip, -WIDEST_DEGREES / 2))
            and not len(kept.query(strip, predicate="intersects"))
            and _finer(land[unit], parts[part], strip)
        ]
    return found


def _finer(land: shapely.Geometry, part: shapely.Geometry, strip: shapely.Geometry) -> bool:
    """Tell whether the division has at least as many vertices along a strip as the country."""
    around = shapely.box(*strip.bounds).buffer(0.01)
    return _vertices(land, around) >= _vertices(part, around)


def _vertices(shape: shapely.Geometry, box: shapely.Geometry) -> int:
    west, south, east, north = box.bounds
    xy = shapely.get_coordinates(shape)
    inside = (xy >= [west, south]) & (xy <= [east, north])
    return int(inside.all(axis=1).sum())


def _supported(
    strips: list[Strip], codes: Sequence[str], seeds: Mapping[str, Seeds]
) -> NDArray[np.int64]:
    """Return the strips with more places of the country that gets them than of the other."""
    lonlat = np.concatenate([some.lonlat for some in seeds.values()])
    country = np.repeat(list(seeds), [len(some.lonlat) for some in seeds.values()])
    tree = shapely.STRtree(shapely.points(lonlat))
    zones = np.array([strip for _, _, strip in strips], object)
    at, place = tree.query(zones, predicate="intersects")
    source = np.array([codes[source] for source, _, _ in strips])
    target = np.array([codes[target] for _, target, _ in strips])
    against = np.zeros(len(strips), np.int64)
    np.add.at(against, at, (country[place] == source[at]).astype(np.int64))
    np.subtract.at(against, at, (country[place] == target[at]).astype(np.int64))
    return np.flatnonzero(against < 0)
