"""Borders of units inside a country, moved to the right side of the places near them.

Natural Earth's borders are generalised by some hundred metres, in places by kilometres, and some
islands are drawn with the wrong unit. GeoNames knows to which division each place belongs. Two
moves follow:

- an island whose places all belong to another unit goes there;
- a border behind which a place lies, beside places of its own division, moves past it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geodata.boundaries.building import polygonal, snap
from geodata.boundary_build.cells import agreed, owners, zones_of
from geodata.boundary_build.seeds import LANDMARK, Seeds, codes_of

DEPTH_DEGREES = 0.1
"""How far behind a border, in degrees, a place can lie to move it."""

AROUND, AROUND_LANDMARK = (1.3, 0.005), (1.1, 0.002)
"""A border moves past a place by its depth times the first, and by the second, degrees."""

ISLET_DEGREES = 0.03
"""Radius at most of the disc for a landmark on an island that no source draws."""

NEIGHBOURS, MINDED = 5, 0.4
"""A place behind a border counts where this share of so many neighbours belongs where it does."""

KEPT = 0.5
"""A unit never loses more than this share of its area to others."""


@dataclass
class _Units:
    """Units of one country while their borders move."""

    shapes: list[shapely.Geometry]
    before: list[float]
    codes: list[str]

    def give(self, source: int, target: int, zone: shapely.Geometry) -> None:
        """Move what lies in a zone from one unit to another, unless too little is left."""
        part = polygonal(snap(shapely.intersection(self.shapes[source], zone)))
        if part.is_empty:
            return
        left = polygonal(snap(shapely.difference(self.shapes[source], part)))
        if left.area >= KEPT * self.before[source]:
            self.shapes[source] = left
            self.shapes[target] = polygonal(snap(shapely.union(self.shapes[target], part)))

    def nearest(self, code: str, point: shapely.Geometry) -> tuple[float, int]:
        """Return distance in degrees and number of the nearest unit with a code."""
        of = [i for i, other in enumerate(self.codes) if other == code]
        away = shapely.distance(np.array([self.shapes[i] for i in of]), point)
        at = int(np.argmin(away))
        return float(away[at]), of[at]


def straighten(
    shapes: Sequence[shapely.Geometry], codes: Sequence[str], seeds: Seeds
) -> list[shapely.Geometry]:
    """Move borders of the first level of one country to the right side of its places.

    Parameters
    ----------
    shapes, codes
        Units, and the code of the first level that each lies in, '' for none.
    seeds
        The places of the country.

    Returns
    -------
    list of shapely.Geometry
        The units in the same order; together they cover what they covered.
    """
    units = _Units(list(shapes), [shape.area for shape in shapes], list(codes))
    owner = owners(shapes, seeds.lonlat)
    code = codes_of(seeds, agreed(seeds, owner, codes))
    code[~np.isin(code, list(set(codes)))] = ""
    known = np.flatnonzero((code != "") & (owner >= 0))
    if len(set(code[known].tolist())) < 2:
        return units.shapes
    told = set(code[known].tolist())
    lonlat, code = seeds.lonlat[known], code[known]
    sure = np.char.startswith(seeds.group[known], LANDMARK)
    _islands(units, lonlat, code, told)
    _islets(units, seeds)
    _past_places(units, lonlat, code, told, sure)
    return units.shapes


def _islands(
    units: _Units, lonlat: NDArray[np.float64], code: NDArray[np.str_], told: set[str]
) -> None:
    tree = shapely.STRtree(shapely.points(lonlat))
    for at, own in enumerate(units.codes):
        parts = shapely.get_parts(units.shapes[at])
        if own not in told or len(parts) < 2:
            continue
        part, place = tree.query(parts, predicate="intersects")
        for island in np.unique(part).tolist():
            there = set(code[place[part == island]].tolist())
            if len(there) == 1 and own not in there:
                _, to = units.nearest(there.pop(), parts[island])
                units.give(at, to, parts[island])


def _islets(units: _Units, seeds: Seeds) -> None:
    """Draw a disc for each landmark that lies off all land, nearest to a unit not its own."""
    at = np.flatnonzero(np.char.startswith(seeds.group, LANDMARK))
    for lonlat, group in zip(seeds.lonlat[at], seeds.group[at].tolist(), strict=True):
        code, point = group.removeprefix(LANDMARK), shapely.Point(lonlat)
        away = shapely.distance(units.shapes, point)
        nearest = int(np.argmin(away))
        if code not in units.codes or away[nearest] == 0 or units.codes[nearest] == code:
            continue
        radius = min(ISLET_DEGREES, 0.45 * float(away[nearest]))
        _, to = units.nearest(code, point)
        disc = snap(point.buffer(radius, quad_segs=4))
        units.shapes[to] = polygonal(snap(shapely.union(units.shapes[to], disc)))


def _past_places(
    units: _Units,
    lonlat: NDArray[np.float64],
    code: NDArray[np.str_],
    told: set[str],
    sure: NDArray[np.bool_],
) -> None:
    owner = owners(units.shapes, lonlat)
    own = np.array([*units.codes, ""])[owner]
    strays = np.flatnonzero(np.isin(own, list(told)) & (code != own))
    strays = strays[sure[strays] | _minded(lonlat, code, strays)]
    for at in sorted(set(owner[strays].tolist())):
        gone: dict[int, list[tuple[int, float]]] = {}
        for place in strays[owner[strays] == at].tolist():
            depth, to = units.nearest(str(code[place]), shapely.Point(lonlat[place]))
            if depth <= DEPTH_DEGREES:
                gone.setdefault(to, []).append((place, depth))
        mine = np.flatnonzero(owner == at)
        label = np.full(len(lonlat), -1)
        for to, places in gone.items():
            label[[place for place, _ in places]] = to
        zones = zones_of(units.shapes[at].bounds, lonlat[mine], label[mine].astype(str))
        for to, places in sorted(gone.items()):
            by = [AROUND_LANDMARK if sure[place] else AROUND for place, _ in places]
            radius = [depth * a + b for (_, depth), (a, b) in zip(places, by, strict=True)]
            points = shapely.points(lonlat[[place for place, _ in places]])
            reach = shapely.union_all(shapely.buffer(points, radius, quad_segs=4))
            units.give(at, to, shapely.intersection(zones[str(to)], reach))


def _minded(
    lonlat: NDArray[np.float64], code: NDArray[np.str_], strays: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which places have neighbours that mostly belong where they do."""
    count = min(NEIGHBOURS + 1, len(lonlat))
    _, near = cKDTree(lonlat).query(lonlat[strays], k=count)
    others = np.reshape(near, (len(strays), count))[:, 1:]
    share = (code[others] == code[strays][:, None]).mean(axis=1)
    return np.asarray(share >= MINDED)
