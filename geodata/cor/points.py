"""Coordinates in geometry: the points of a GeoDataFrame, of GeoArrow and of WKB columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import coords
from geodata.files import find_pair

_WGS84 = "EPSG:4326"
_EXTENSION, _EXTENSION_META = b"ARROW:extension:name", b"ARROW:extension:metadata"
_POINT_KINDS = ("geoarrow.point", "geoarrow.wkb", "ogc.wkb")

Floats = NDArray[np.float64]


def frame_points(geometry: Any) -> coords.Coordinates:
    """Return the points of a GeoSeries in degrees; it is reprojected from its own CRS.

    Raises
    ------
    ValueError
        For other geometries than points, and coordinates without a CRS that are no degrees.
    """
    kinds = set(geometry.geom_type.dropna()) - {"Point"}
    if kinds:
        _refuse_shapes(str(geometry.name), min(kinds))
    if geometry.crs is not None:
        _refuse_other_systems(str(geometry.name), geometry.crs)
        geometry = geometry.to_crs(_WGS84)
    lon, lat = (np.asarray(axis, np.float64) for axis in (geometry.x, geometry.y))
    if geometry.crs is None:
        _refuse_metres(str(geometry.name), lat, lon)
    return coords.arrays(lat, lon)


def arrow_points(rows: pa.Table) -> coords.Coordinates | None:
    """Return the points of the geometry column of a table; None where it has none.

    A table with a latitude and a longitude is read by these. The column is one of GeoArrow
    (points, or WKB), or the primary one of GeoParquet; without any CRS it holds lon, lat degrees.
    """
    if find_pair(rows.column_names, ("plain", "truth", "pred"), "the table") is not None:
        return None
    found = _geometry_column(rows)
    if found is None:
        return None
    name, crs = found
    lon, lat = _axes(name, rows[name])
    if crs is None:
        _refuse_metres(name, lat, lon)
    else:
        lon, lat = _reprojected(name, crs, lon, lat)
    return coords.arrays(lat, lon)


def _geometry_column(rows: pa.Table) -> tuple[str, Any] | None:
    """Return the name and CRS of the column with points."""
    geo = json.loads((rows.schema.metadata or {}).get(b"geo", b"{}"))
    primary = geo.get("primary_column")
    if primary in rows.column_names:
        return primary, geo["columns"].get(primary, {}).get("crs", "OGC:CRS84")
    for field in rows.schema:
        kind, about = _extension(field)
        if kind in _POINT_KINDS:
            return field.name, about.get("crs")
    return None


def _extension(field: pa.Field) -> tuple[str | None, Mapping[str, Any]]:
    if isinstance(field.type, pa.BaseExtensionType):
        kind, text = field.type.extension_name, field.type.__arrow_ext_serialize__()
    else:
        meta = field.metadata or {}
        kind, text = meta.get(_EXTENSION, b"").decode(), meta.get(_EXTENSION_META, b"")
    about = json.loads(text) if text else {}
    return kind, about if isinstance(about, Mapping) else {}


def _axes(name: str, column: pa.ChunkedArray) -> tuple[Floats, Floats]:
    """Return x and y; NaN for a missing or an empty point."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.chunks else pa.array([], column.type)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    missing = np.asarray(array.is_null())
    if pa.types.is_struct(array.type):
        x, y = (np.asarray(array.field(axis).to_numpy(False), np.float64) for axis in "xy")
    elif pa.types.is_fixed_size_list(array.type):
        width = array.type.list_size
        flat = np.asarray(array.values.to_numpy(False), np.float64).reshape(-1, width)
        pairs = flat[array.offset : array.offset + len(array)]
        x, y = pairs[:, 0], pairs[:, 1]
    else:
        x, y = _of_wkb(name, array)
    return np.where(missing, np.nan, x), y


def _of_wkb(name: str, array: pa.Array) -> tuple[Floats, Floats]:
    import shapely

    try:
        shapes = shapely.from_wkb(array.to_numpy(zero_copy_only=False))
    except (shapely.errors.ShapelyError, TypeError) as error:
        msg = f"column {name!r} is no WKB: {error}; name the coordinates with lat= and lon="
        raise ValueError(msg) from None
    kinds = shapely.get_type_id(shapes)
    other = np.flatnonzero((kinds != 0) & (kinds != -1))
    if len(other):
        _refuse_shapes(name, shapes[other[0]].geom_type)
    return shapely.get_x(shapes), shapely.get_y(shapes)


def _reprojected(name: str, crs: Any, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    import pyproj

    known = pyproj.CRS.from_user_input(crs)
    _refuse_other_systems(name, known)
    if known.equals(_WGS84, ignore_axis_order=True):
        return x, y
    lon, lat = pyproj.Transformer.from_crs(known, _WGS84, always_xy=True).transform(x, y)
    return np.asarray(lon), np.asarray(lat)


def _refuse_shapes(name: str, kind: str) -> None:
    msg = (
        f"{name!r} holds a {kind}, labels are of points; take a point of each shape first: "
        "frame.set_geometry(frame.representative_point())"
    )
    raise ValueError(msg)


def _refuse_other_systems(name: str, crs: Any) -> None:
    """Refuse a system in which x and y alone are no place: geocentric, vertical, of a building."""
    if not (crs.is_geographic or crs.is_projected):
        msg = (
            f"{name!r} is in {crs.name}, whose x and y are no place on a map; bring it to "
            "longitude and latitude with all its axes first"
        )
        raise ValueError(msg)


def _refuse_metres(name: str, lat: Floats, lon: Floats) -> None:
    beyond = (np.abs(lat) > coords.MAX_LAT) | (np.abs(lon) > coords.MAX_LON)
    if beyond.any():
        at = int(np.flatnonzero(beyond)[0])
        msg = (
            f"{name!r} has no CRS, and ({lat[at]:g}, {lon[at]:g}) in row {at} is no latitude and "
            "longitude; say which it is: frame.set_crs(...)"
        )
        raise ValueError(msg)
