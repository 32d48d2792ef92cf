"""Units of today inside units that are gone: the cells of the places that lie in them.

Natural Earth 4.1 draws Kenya's eight provinces of before 2013. Each place of GeoNames knows its
county; the land that is nearer to it than to the other places of the province is taken for the
county's. Such a unit is right to half the distance between two places, a few kilometres where
people live, and is marked `approximate`.

`divide` makes the units that are missing; `geodata.boundary_build.borders` moves the borders of
units that are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.boundaries.building import polygonal, snap
from geodata.boundary_build.seeds import LANDMARK, Seeds, codes_of

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]

LEAST_SHARE = 0.1
"""A unit that is drawn elsewhere gets a part of an extinct one from this share of its places."""

ISLET_DEGREES = 0.02
"""Radius of the disc that stands for an island which no source draws."""

UNSPECIFIED = "", "00"
"""GeoNames' codes for places of no known division."""

NEAR_DEGREES = 0.1
"""How far off its land, in degrees, a place still counts for a unit."""


def owners(shapes: Sequence[shapely.Geometry], lonlat: Floats) -> NDArray[np.int64]:
    """Return which shape each place lies in, or within `NEAR_DEGREES` of; -1 for none."""
    owner = np.full(len(lonlat), -1, np.int64)
    if not len(shapes):
        return owner
    points = shapely.points(lonlat)
    tree = shapely.STRtree(shapes)
    at, shape = tree.query(points, predicate="intersects")
    owner[at[::-1]] = shape[::-1]
    out = np.flatnonzero(owner < 0)
    at, shape = tree.query_nearest(points[out], max_distance=NEAR_DEGREES, all_matches=False)
    owner[out[at]] = shape
    return owner


def agreed(seeds: Seeds, owner: NDArray[np.int64], codes: Sequence[str]) -> dict[str, str]:
    """Return the code that each GeoNames group means: one group for a code, most places agreeing.

    A group that the table ``groups`` gives a code keeps it.

    Parameters
    ----------
    codes
        Code of each shape that ``owner`` counts; '' for none.
    """
    from scipy.optimize import linear_sum_assignment

    given = {g: c for g, c in zip(seeds.group.tolist(), seeds.code.tolist(), strict=True) if c}
    code = np.array([*codes, ""])[owner]
    landmark = np.char.startswith(seeds.group, LANDMARK)
    counted = (
        ~np.isin(seeds.group, UNSPECIFIED)
        & ~landmark
        & (code != "")
        & (seeds.code == "")
        & (owner >= 0)
    )
    groups, group = np.unique(seeds.group[counted], return_inverse=True)
    names, name = np.unique(code[counted], return_inverse=True)
    votes = np.zeros((len(groups), len(names)))
    np.add.at(votes, (group, name), 1)
    votes[:, np.isin(names, list(given.values()))] = 0
    row, column = linear_sum_assignment(votes, maximize=True)
    return {
        str(groups[r]): str(names[c])
        for r, c in zip(row.tolist(), column.tolist(), strict=True)
        if votes[r, c] > 0
    }


def divide(
    shapes: Sequence[shapely.Geometry],
    codes: Sequence[str],
    seeds: Seeds,
    *,
    known: frozenset[str] = frozenset(),
) -> tuple[list[shapely.Geometry], list[tuple[str, shapely.Geometry]]]:
    """Divide units of one country among those of today.

    Parameters
    ----------
    shapes, codes
        The units that the sources draw, and the ISO 3166-2 code of each, '' for none.
    seeds
        The places of the country.
    known
        More codes that are drawn, such as those of parents.

    Returns
    -------
    left
        What is left of each unit; an empty geometry where nothing is.
    parts
        Codes and shapes taken out of them. A code can come several times.
    """
    tabled = set(seeds.code.tolist()) - {""}
    owner = owners(shapes, seeds.lonlat)
    code = codes_of(seeds, agreed(seeds, owner, codes))
    landmark = np.char.startswith(seeds.group, LANDMARK)
    left: list[shapely.Geometry] = []
    parts: list[tuple[str, shapely.Geometry]] = []
    for at, shape in enumerate(shapes):
        mine = (owner == at) & ~landmark
        wanted = _wanted(code[mine], tabled, extinct=bool(tabled) and not codes[at])
        label = np.where(np.isin(code, list(wanted)), code, codes[at])
        used = mine & (label != "")
        if not wanted - {codes[at]}:
            left.append(shape)
            continue
        lonlat, label = seeds.lonlat[used], label[used]
        if codes[at] and codes[at] not in label:  # a unit of today keeps its middle
            lonlat = np.vstack([lonlat, shapely.get_coordinates(shape.representative_point())])
            label = np.append(label, codes[at])
        found = _shared(shape, lonlat, label)
        left.append(found.pop(codes[at], shapely.MultiPolygon()))
        parts += found.items()
    made = {name for name, _ in parts}.union(codes, known)
    parts += [
        (name, islets(seeds.lonlat[seeds.code == name], left)) for name in sorted(tabled - made)
    ]
    return left, parts


def _wanted(code: Texts, tabled: set[str], *, extinct: bool) -> set[str]:
    count = Counter(name for name in code.tolist() if name)
    least = LEAST_SHARE * count.total()
    return {name for name, n in count.items() if name in tabled or (extinct and n >= least)}


def _shared(shape: shapely.Geometry, lonlat: Floats, label: Texts) -> dict[str, shapely.Geometry]:
    """Return the parts of a shape that are nearest to the places of each label."""
    names = sorted(set(label.tolist()))
    if len(names) == 1:
        return {names[0]: shape}
    zones = zones_of(shape.bounds, lonlat, label)
    found, rest = {}, shape
    for name in names[:-1]:
        part = polygonal(snap(shapely.intersection(rest, zones[name])))
        rest = polygonal(snap(shapely.difference(rest, zones[name])))
        found[name] = part
    found[names[-1]] = rest
    return {name: part for name, part in found.items() if not part.is_empty}


def zones_of(
    bounds: tuple[float, ...], lonlat: Floats, label: Texts
) -> dict[str, shapely.Geometry]:
    """Join the Voronoi cells of the places of each label, in a plane true at their middle."""
    places, first = np.unique(lonlat, axis=0, return_index=True)
    flat = np.array([np.cos(np.radians((bounds[1] + bounds[3]) / 2)), 1.0])
    edge = shapely.box(*(np.array(bounds).reshape(2, 2) * flat).ravel()).buffer(1)
    if len(places) == 1:
        cells = np.array([edge])
    else:
        diagram = shapely.voronoi_polygons(
            shapely.multipoints(places * flat), extend_to=edge, ordered=True
        )
        cells = shapely.get_parts(diagram)
    of = label[first]
    back = {
        name: shapely.transform(shapely.union_all(cells[of == name]), lambda xy: xy / flat)
        for name in sorted(set(of.tolist()))
    }
    return back


def islets(lonlat: Floats, others: Sequence[shapely.Geometry]) -> shapely.Geometry:
    """Return discs around places of an island that no source draws, off the land of others."""
    discs = shapely.union_all(shapely.points(lonlat).tolist()).buffer(ISLET_DEGREES, quad_segs=4)
    near = [other for other in others if other.intersects(discs)]
    return polygonal(snap(shapely.difference(discs, shapely.union_all(near)) if near else discs))
