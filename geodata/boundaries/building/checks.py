"""What regions must be to become one set: not on their side, and each drawn once."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from geodata.boundaries.building import shapes
from geodata.boundaries.building.parents import Region
from geodata.boundaries.registry import BUNDLED
from geodata.boundaries.schema import COUNTRIES
from geodata.files import FileError

Floats = NDArray[np.float64]
_SLACK_DEGREES = 5.0
_SAME_SHARE = 0.5
"""Two boxes that share more than this of the smaller one draw the same region."""


def refuse_swapped_axes(regions: list[Region]) -> None:
    """Refuse regions that lie in their countries only when latitude and longitude change places.

    Raises
    ------
    FileError
        If that is so for more than half of the regions.
    """
    boxes = shapely.bounds([region.geometry for region in regions])
    lon, lat = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    countries = [region.country for region in regions]
    swapped = ~_at_home(countries, lat, lon) & _at_home(countries, lon, lat)
    if swapped.mean() > 0.5:
        one = int(np.flatnonzero(swapped)[0])
        msg = (
            f"{regions[one].path}: latitude and longitude look swapped: {regions[one].name!r} of "
            f"{regions[one].country} would lie near latitude {lat[one]:.1f}, longitude "
            f"{lon[one]:.1f}; say swap_axes=True (--swap-axes) if they are"
        )
        raise FileError(msg)


def _at_home(countries: list[str], lat: Floats, lon: Floats) -> NDArray[np.bool_]:
    anywhere = np.array([-180.0, -90.0, 180.0, 90.0])
    box = np.array([_country_boxes().get(code, anywhere) for code in countries])
    return np.asarray(
        (lon >= box[:, 0] - _SLACK_DEGREES)
        & (lon <= box[:, 2] + _SLACK_DEGREES)
        & (lat >= box[:, 1] - _SLACK_DEGREES)
        & (lat <= box[:, 3] + _SLACK_DEGREES)
    )


@cache
def _country_boxes() -> dict[str, Floats]:
    """West, south, east and north of each country of the bundled set, degrees."""
    table = pq.read_table(BUNDLED / COUNTRIES, columns=["code", "geometry"])
    codes = table["code"].to_pylist()
    bounds = shapely.bounds(shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False)))
    found: dict[str, Floats] = {}
    for code, box in zip(codes, bounds, strict=True):
        known = found.get(code, box)
        found[code] = np.r_[np.minimum(known[:2], box[:2]), np.maximum(known[2:], box[2:])]
    return found


def joined(regions: list[Region]) -> list[Region]:
    """Return each region once: rows of one file with one key are its parts.

    Raises
    ------
    FileError
        If two files draw the same region: two releases, or the same file twice.
    """
    groups: dict[tuple[object, ...], list[Region]] = {}
    for number, region in enumerate(regions):
        own = region.key or number
        identity = (region.level, region.country, own, region.code, region.disputed)
        groups.setdefault(identity, []).append(region)
    for group in groups.values():
        _refuse_two_files(group)
    _refuse_same_names(regions)
    return [_union(group) for group in groups.values()]


def _refuse_same_names(regions: list[Region]) -> None:
    """Refuse two files that give one name of a country and level to the same place."""
    groups: dict[tuple[str, str, str], list[Region]] = {}
    for region in regions:
        if region.name:
            groups.setdefault((region.level, region.country, region.name), []).append(region)
    for group in groups.values():
        first, *others = group
        _refuse_two_files([first, *(one for one in others if _same_place(first, one))])


def _refuse_two_files(group: list[Region]) -> None:
    paths = {region.path for region in group}
    if len(paths) > 1:
        one, other = sorted(paths)[:2]
        msg = (
            f"{group[0].level} {group[0].name!r} of {group[0].country} is drawn in {one} and in "
            f"{Path(other).name}: two releases mixed? give the files of one"
        )
        raise FileError(msg)


def _same_place(one: Region, other: Region) -> bool:
    box, area = shapely.box(*one.geometry.bounds), shapely.box(*other.geometry.bounds)
    shared = shapely.area(shapely.intersection(box, area))
    return bool(shared > _SAME_SHARE * min(box.area, area.area))


def _union(group: list[Region]) -> Region:
    if len(group) == 1:
        return group[0]
    union = shapely.union_all([region.geometry for region in group])
    return replace(group[0], geometry=shapes.polygonal(shapes.snap(union)))
