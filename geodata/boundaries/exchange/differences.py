"""How two boundary sets differ: regions added, gone, renamed and moved, and rows that change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geodata.boundaries.registry import load
from geodata.boundaries.schema import LEVELS
from geodata.boundaries.set import BoundarySet, Owners
from geodata.files import FileError

MOVED_SHARE = 0.01
"""A region has moved when more than this share of its area, old and new together, changed sides."""


@dataclass
class Difference:
    """How the regions of one level differ between an old and a new set.

    Attributes
    ----------
    same : int
        Regions with the same name and, to the tolerance, the same border.
    added, removed : list of str
        Names with their country, such as ``Vestland (NO)``.
    renamed : list of (str, str)
        Old and new name of regions with one code.
    moved : list of (str, float)
        Name, and the share of the area that changed sides.
    """

    same: int = 0
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    moved: list[tuple[str, float]] = field(default_factory=list)


def diff(
    old: str | os.PathLike[str], new: str | os.PathLike[str], *, moved_share: float = MOVED_SHARE
) -> dict[str, Difference]:
    """Compare two sets level by level.

    Regions are the same by their ISO code, else by country and name. Divisions are compared in
    the countries that both sets have.

    Parameters
    ----------
    old, new
        Names or folders of sets.
    moved_share : float
        See `MOVED_SHARE`.

    Returns
    -------
    dict of str to Difference
        For each level that one of the sets has.

    Examples
    --------
    >>> found = diff("bundled", "bundled")["admin1"]
    >>> found.added, found.moved, found.same > 3000
    ([], [], True)
    """
    before, after = _regions(load(old)), _regions(load(new))
    both = {row["country"] for row in before["country"]} & {
        row["country"] for row in after["country"]
    }
    for side in (before, after):
        for level in LEVELS[1:]:
            side[level] = [row for row in side.get(level, []) if row["country"] in both]
    levels = [level for level in LEVELS if before[level] or after[level]]
    return {level: _compare(before[level], after[level], moved_share) for level in levels}


def _regions(chosen: BoundarySet) -> dict[str, list[dict[str, Any]]]:
    """Regions by their own level, whichever table they stand in."""
    found: dict[str, list[dict[str, Any]]] = {}
    for level in chosen.levels:
        of = "code" if level == "country" else "country"
        table = chosen.table(level, list(dict.fromkeys(["level", of, "code", "name", "geometry"])))
        for row in table.to_pylist():
            found.setdefault(row["level"], []).append({**row, "country": row[of]})
    return found


def _compare(
    before: list[dict[str, Any]], after: list[dict[str, Any]], moved_share: float
) -> Difference:
    found = Difference()
    pairs, gone, new = _pairs(before, after)
    found.removed = sorted(map(_shown, gone))
    found.added = sorted(map(_shown, new))
    for one, other in pairs:
        share = _share(one["geometry"], other["geometry"])
        if one["name"] != other["name"]:
            found.renamed.append((_shown(one), other["name"]))
        if share > moved_share:
            found.moved.append((_shown(other), share))
        found.same += one["name"] == other["name"] and share <= moved_share
    found.renamed.sort()
    found.moved.sort(key=lambda item: (-item[1], item[0]))
    return found


def _pairs(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> tuple[list[tuple[Any, Any]], list[Any], list[Any]]:
    """Rows of both that are the same region, and the rows of each that have no partner."""
    pairs: list[tuple[Any, Any]] = []
    for keys in (_by_code, _by_name):
        waiting: dict[Any, list[Any]] = {}
        for row in after:
            waiting.setdefault(keys(row), []).append(row)
        left = []
        for row in before:
            key = keys(row)
            if key is not None and waiting.get(key):
                pairs.append((row, waiting[key].pop(0)))
            else:
                left.append(row)
        before, after = left, [row for rows in waiting.values() for row in rows]
    return pairs, before, after


def _by_code(row: dict[str, Any]) -> Any:
    return row["code"]


def _by_name(row: dict[str, Any]) -> Any:
    return row["country"], row["name"]


def _shown(row: dict[str, Any]) -> str:
    return f"{row['name']} ({row['country']})"


def _share(one: bytes, other: bytes) -> float:
    if one == other:
        return 0.0
    a, b = shapely.from_wkb([one, other])
    together = shapely.area(shapely.union(a, b))
    return float(1.0 - shapely.area(shapely.intersection(a, b)) / together)


def rows_changed(
    old: str | os.PathLike[str],
    new: str | os.PathLike[str],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
) -> dict[str, int]:
    """Count the points that lie in another region of the new set than of the old.

    Parameters
    ----------
    old, new
        Names or folders of sets.
    lat, lon : ndarray, shape (n,), degrees
        Checked coordinates, see `geodata.coords.arrays`.

    Returns
    -------
    dict of str to int
        For country, admin1, admin2 and locality where both sets have them; a region stays the
        same if its ISO code or its name does. ``any`` counts the points that change at any of
        these levels.

    Raises
    ------
    FileError
        If lengths differ.

    Examples
    --------
    >>> rows_changed("bundled", "bundled", np.array([48.86, 35.68]), np.array([2.35, 139.69]))
    {'country': 0, 'admin1': 0, 'admin2': 0, 'any': 0}
    """
    if len(lat) != len(lon):
        msg = f"lat has {len(lat)} values, lon {len(lon)}; give one of each a point"
        raise FileError(msg)
    sides = [_named(load(name), lat, lon) for name in (old, new)]
    changed = {
        level: _differs(sides[0][level], sides[1][level]) for level in sides[0] if level in sides[1]
    }
    both = np.zeros(len(lat), bool)
    for differs in changed.values():
        both |= differs
    return {
        **{level: int(differs.sum()) for level, differs in changed.items()},
        "any": int(both.sum()),
    }


_Region = tuple[NDArray[Any], NDArray[Any]]
"""Code and name of each point's region; '' where it has none."""


def _differs(old: _Region, new: _Region) -> NDArray[np.bool_]:
    same_code = (old[0] == new[0]) & (old[0] != "")
    return np.asarray(~(same_code | (old[1] == new[1])), bool)


def _named(chosen: BoundarySet, lat: Any, lon: Any) -> dict[str, _Region]:
    """Return what each point's regions are called, by level."""
    return dict(_names(chosen, chosen.locate(lat, lon)))


def _names(chosen: BoundarySet, found: Owners) -> Iterator[tuple[str, _Region]]:
    def texts(table: pa.Table, row: NDArray[Any], *columns: str) -> _Region:
        code, name = (
            np.array([*(value or "" for value in table[column].to_pylist()), ""], object)[row]
            for column in columns
        )
        return code, name

    yield "country", texts(chosen.countries, found.country, "code", "code")
    for level in ("admin1", "admin2"):
        own = texts(chosen.units, found.unit, f"{level}_code", f"{level}_name")
        if level in found.deeper:
            table = chosen.table(level, ["code", "name"])
            deeper = texts(table, found.deeper[level], "code", "name")
            there = found.deeper[level] >= 0
            own = np.where(there, deeper[0], own[0]), np.where(there, deeper[1], own[1])
        yield level, own
    if "locality" in found.deeper:
        towns = chosen.table("locality", ["id", "name"])
        yield "locality", texts(towns, found.deeper["locality"], "id", "name")
