"""Columns that hold a whole point: WKB, WKT, GeoJSON, a pair of numbers in a list or a text."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from geodata.files.columns import axis_of, squeeze
from geodata.files.readers import Batch
from geodata.files.source import Damaged, Source

_ROLE = r"pred|predicted|prediction|predictions|gt|groundtruth|true|truth|guess|answer|target|final"
_NAME = re.compile(
    rf"(?:{_ROLE}){{0,2}}(?:geometry|geom|wkb|wkt|geojson|thegeom|coordinates?|coords?|latlons?"
    r"|latlngs?|latlong|lonlat|lnglat|points?|location|loc|position|pos|gps)"
    rf"(?:wkb|wkt)?(?:{_ROLE}){{0,2}}"
)
_BARE = re.compile(rf"(?:{_ROLE}|preds|output|result|response){{1,2}}")
"""Names that say whose a value is and not what: a list of two numbers there is a point."""

_AXES = re.compile(r"lat[\W_]?l(?:on|ng)g?s?|l(?:on|ng)[\W_]?lat", re.I)
_LON_FIRST = re.compile(r"geometry|geom|geojson|lonlat|lnglat")
_WKT = re.compile(
    r"^\s*(?:SRID=\d{1,6};\s*)?POINT\s*Z?M?\s*\(\s*([-+\d.eE]{1,30})\s+([-+\d.eE]{1,30})", re.I
)
_PAIR = re.compile(
    r"^\s*[\[(]?\s*[\"']?([-+]?\d{1,3}(?:\.\d{0,30})?)[\"']?\s*[,;\s]\s*"
    r"[\"']?([-+]?\d{1,3}(?:\.\d{0,30})?)[\"']?\s*[\])]?\s*$"
)
_SNIFFED = 64
_EWKB_Z, _EWKB_M, _EWKB_SRID = 0x80000000, 0x40000000, 0x20000000

Pair = tuple[float, float]
_NONE: Pair = (float("nan"), float("nan"))


@dataclass(frozen=True)
class WithPoints(Source):
    """A source whose point columns are also there as ``name.lat`` and ``name.lon``.

    In a name such as ``pred_latlon`` the axes become ``pred_point.lat``.
    """

    points: tuple[str, ...] = ()

    def batches(
        self,
        columns: Sequence[str] | None = None,
        *,
        damaged: Damaged = "keep",
        lines: bool = False,
    ) -> Iterator[Batch]:
        """Yield all rows in order, see `Source.batches`."""
        names = list(self.columns if columns is None else columns)
        made = {name: p for p in self.points for name in _halves(p)}
        read = list(dict.fromkeys(made.get(name, name) for name in names))
        for batch in super().batches(read, damaged=damaged, lines=lines):
            used = {made[name] for name in names if name in made}
            pairs = {p: points_of(batch.table.column(p), p) for p in used}
            table = pa.table(
                {
                    name: pa.array(pairs[made[name]][name.endswith(".lon")], from_pandas=True)
                    if name in made
                    else batch.table.column(name)
                    for name in names
                }
            )
            yield batch._replace(table=table)


def with_points(source: Source) -> Source:
    """Return a source with the columns of its points, the same one where it has none.

    A column counts by its name and by what its first rows hold. A pair of numbers is latitude
    first, unless its column is called a geometry or ``lonlat``; WKB, WKT and GeoJSON are
    longitude first, as they say.

    Parameters
    ----------
    source
        An open source.

    Examples
    --------
    >>> from geodata.files import open_source
    >>> found = with_points(open_source({"id": ["a"], "coords": ["48.85, 2.35"]}))
    >>> found.columns
    ('id', 'coords', 'coords.lat', 'coords.lon')
    >>> next(found.batches(["coords.lon"])).table["coords.lon"].to_pylist()
    [2.35]
    """
    if isinstance(source, WithPoints):
        return source
    roles = {axis[1] for name in source.columns if (axis := axis_of(name))}
    named = [name for name in source.columns if _is_named_like_one(name)]
    bare = [name for name in source.columns if _BARE.fullmatch(squeeze(name.rpartition(".")[2]))]
    asked = [name for name in (*named, *bare) if _role(name) not in roles]
    if not asked:
        return source
    head = next(iter(source.batches(asked)), None)
    points = tuple(
        name
        for name in asked
        if head
        and _holds(head.table.column(name), name)
        and (name in named or _lists(head.table.column(name)))
    )
    if not points:
        return source
    columns = (*source.columns, *(half for p in points for half in _halves(p)))
    kept = {name: getattr(source, name) for name in Source.__dataclass_fields__}
    return WithPoints(**{**kept, "columns": columns}, points=points)


def _halves(name: str) -> tuple[str, str]:
    plain = _AXES.sub("point", name)
    return f"{plain}.lat", f"{plain}.lon"


def _is_named_like_one(name: str) -> bool:
    return any(_NAME.fullmatch(squeeze(part)) for part in (name, name.rpartition(".")[2]))


def _role(name: str) -> str | None:
    lat, _ = _halves(name)
    axis = axis_of(lat)
    return axis[1] if axis else None


def _holds(column: pa.ChunkedArray, name: str) -> bool:
    head = column.drop_null().slice(0, _SNIFFED)
    return len(head) > 0 and 2 * sum(p != p for p in points_of(head, name)[0]) < len(head)


def _lists(column: pa.ChunkedArray) -> bool:
    """Tell whether a column holds pairs of numbers in lists, and no words that look like one."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):  # an array of one shape, as data sets have them
        kind = kind.storage_type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return not (
            pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)
        )
    return False


def points_of(column: pa.ChunkedArray, name: str = "") -> tuple[Any, Any]:
    """Return latitudes and longitudes of a column of points, degrees, NaN where there is none.

    Examples
    --------
    >>> lat, lon = points_of(pa.chunked_array([["POINT (2.35 48.85)", "48.85, 2.35", None]]))
    >>> lat.tolist(), lon.tolist()
    ([48.85, 48.85, nan], [2.35, 2.35, nan])
    """
    lon_first = _LON_FIRST.search(squeeze(name)) is not None
    pairs = [_point(value, lon_first) for value in column.to_pylist()]
    both = np.array(pairs, np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _point(value: Any, lon_first: bool) -> Pair:
    """Return (lat, lon) of one value."""
    if isinstance(value, bytes):
        return _from_wkb(value)
    if isinstance(value, dict):
        return _from_mapping(value)
    if isinstance(value, list | tuple):
        return _ordered(value[0], value[1], lon_first) if 2 <= len(value) <= 3 else _NONE
    if not isinstance(value, str):
        return _NONE
    if found := _WKT.match(value):
        return _ordered(found[1], found[2], True)
    if found := _PAIR.match(value):
        return _ordered(found[1], found[2], lon_first)
    if value.lstrip().startswith("{"):
        try:
            whole = json.loads(value)
        except (ValueError, RecursionError):
            return _NONE
        return _from_mapping(whole) if isinstance(whole, dict) else _NONE
    return _from_hex(value)


def _ordered(first: Any, second: Any, lon_first: bool) -> Pair:
    try:
        a, b = float(first), float(second)
    except (TypeError, ValueError):
        return _NONE
    return (b, a) if lon_first else (a, b)


def _from_mapping(value: dict[str, Any]) -> Pair:
    at = value.get("coordinates")
    if value.get("type") == "Point" and isinstance(at, list) and len(at) >= 2:
        return _ordered(at[0], at[1], True)
    halves = {axis[0]: one for key, one in value.items() if (axis := axis_of(str(key)))}
    return _ordered(halves.get("lat"), halves.get("lon"), False)


def _from_hex(text: str) -> Pair:
    try:
        return _from_wkb(bytes.fromhex(text)) if 42 <= len(text.strip()) <= 200 else _NONE
    except ValueError:
        return _NONE


def _from_wkb(raw: bytes) -> Pair:
    """Return the point of WKB or EWKB; other geometries are none.

    References
    ----------
    OGC 06-103r4, section 8.2; the flags of EWKB.
    """
    if len(raw) < 21 or raw[0] not in (0, 1):
        return _NONE
    order = "<" if raw[0] else ">"
    (kind,) = struct.unpack_from(f"{order}I", raw, 1)
    start = 9 if kind & _EWKB_SRID else 5
    flat = kind & ~(_EWKB_Z | _EWKB_M | _EWKB_SRID)
    if flat % 1000 != 1 or flat // 1000 > 3 or len(raw) < start + 16:
        return _NONE
    x, y = struct.unpack_from(f"{order}dd", raw, start)
    return y, x
