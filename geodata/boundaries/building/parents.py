"""Which region each region lies in: by the key that its source gives, else by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.boundaries.schema import LEVELS


@dataclass(frozen=True, slots=True)
class Region:
    """One region as its provider draws it: an ISO country code, the names, the best first."""

    level: str
    country: str
    name: str
    others: tuple[str, ...]
    code: str | None
    key: str | None
    parents: tuple[str, ...]
    """Keys or codes of regions above, the nearest first."""
    disputed: bool
    geometry: shapely.Geometry
    names: Mapping[str, str]
    """Names by language."""
    claims: tuple[tuple[str, str], ...]
    """(worldview, country code) where they differ from ``country``."""
    path: str


Above = dict[str, Region]
"""The regions above one region by level, where there is one."""


def ancestors(by_level: Mapping[str, Sequence[Region]]) -> dict[str, list[Above]]:
    """Find the divisions above each division.

    A region that names its parent by key or code has it. Another one lies in the smallest region
    of its country around a point of its surface. An admin2 outside every admin1 goes to the
    nearest of its country, if its country has any.

    Returns
    -------
    dict of str to list
        For each level below the country and each of its regions, in order, those above it.
    """
    named = {
        name: region
        for level in LEVELS[1:-1]
        for region in by_level[level]
        for name in (region.key, region.code)
        if name is not None
    }
    found: dict[str, list[Above]] = {}
    own: dict[int, Above] = {}  # by the identity of the region
    for depth, level in enumerate(LEVELS[1:], start=1):
        rows = by_level[level]
        above: list[Above] = [_by_key(region, named, own) for region in rows]
        for upper in LEVELS[1:depth]:
            around = _around(rows, by_level[upper])
            for mine, place in zip(above, around, strict=True):
                if upper not in mine and place >= 0:
                    mine[upper] = by_level[upper][place]
        if level == "admin2":
            _nearest(rows, by_level["admin1"], above)
        found[level] = above
        own.update({id(region): mine for region, mine in zip(rows, above, strict=True)})
    return found


def _by_key(region: Region, named: Mapping[str, Region], own: Mapping[int, Above]) -> Above:
    above: Above = {}
    for name in region.parents:
        parent = named.get(name)
        if parent is None or LEVELS.index(parent.level) >= LEVELS.index(region.level):
            continue
        for level, one in {**own.get(id(parent), {}), parent.level: parent}.items():
            above.setdefault(level, one)
    return above


def _around(rows: Sequence[Region], above: Sequence[Region]) -> NDArray[np.int64]:
    """Row of the smallest region of the same country around each region's point, -1 for none."""
    result = np.full(len(rows), -1, np.int64)
    points = shapely.point_on_surface(np.array([region.geometry for region in rows], object))
    shapes = np.array([region.geometry for region in above], object)
    which, point = shapely.STRtree(points).query(shapes, predicate="intersects")
    same = np.array(
        [above[a].country == rows[p].country for a, p in zip(which, point, strict=True)]
    )
    which, point = which[same.astype(bool)], point[same.astype(bool)]
    order = np.lexsort((which, shapely.area(shapes)[which], point))
    at, first = np.unique(point[order], return_index=True)
    result[at] = which[order][first]
    return result


def _nearest(rows: Sequence[Region], above: Sequence[Region], found: list[Above]) -> None:
    """Give rows without an admin1 the nearest one of their country."""
    by_country: dict[str, list[Region]] = {}
    for one in above:
        by_country.setdefault(one.country, []).append(one)
    for region, mine in zip(rows, found, strict=True):
        near = by_country.get(region.country, [])
        if "admin1" not in mine and near:
            point = shapely.point_on_surface(region.geometry)
            distance = shapely.distance([one.geometry for one in near], point)
            mine["admin1"] = near[int(np.argmin(distance))]
