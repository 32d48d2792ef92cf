"""Boundary files in any format and projection, as records and shapes in degrees.

Parquet is read by the batch and only in the columns that a layout names; everything else goes
through geopandas. A file without a coordinate system is refused unless the caller says which it
has, and a file that is cut short is refused before GDAL makes something of its first half.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from geodata.boundaries.building.providers import Layout, Provider
from geodata.files import FileError

SUFFIXES = frozenset(
    [
        ".parquet",
        ".geoparquet",
        ".gpkg",
        ".geojson",
        ".json",
        ".geojsonl",
        ".shp",
        ".fgb",
        ".gml",
        ".kml",
        ".zip",
    ]
)
_BATCH_ROWS = 4096
_WGS84 = "OGC:CRS84"
Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Layer:
    """Rows of one file with the layout that tells what their columns mean."""

    path: Path
    layout: Layout
    records: list[dict[str, Any]]
    shapes: Shapes


@dataclass(frozen=True)
class Axes:
    """What the caller knows about coordinates that the files do not say."""

    crs: Any = None
    """Coordinate system of files that name none: what `pyproj.CRS` takes."""
    swapped: bool = False
    """Whether the files have latitude before longitude."""


def source_files(source: Any) -> list[Path]:
    """Return the boundary files of a path, a folder or a list of them, in order.

    Raises
    ------
    FileError
        If there is nothing, or no boundary file in a folder.
    """
    if not isinstance(source, str | os.PathLike):
        return [path for one in source for path in source_files(one)]
    path = Path(source)
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if found:
            return found
        msg = f"{path}: no boundary file in this folder; expected {', '.join(sorted(SUFFIXES))}"
        raise FileError(msg)
    if not path.is_file():
        msg = f"{path}: expected a boundary file, found nothing there"
        raise FileError(msg)
    return [path]


def layers(source: Provider, path: Path, axes: Axes) -> Iterator[Layer]:
    """Yield the layers of a file that have a layout of the source.

    Raises
    ------
    FileError
        If the file is damaged, has no coordinate system, or none of the layouts.
    """
    if not path.is_file():
        msg = f"{path}: expected a boundary file, found nothing there"
        raise FileError(msg)
    _refuse_half(path)
    parquet = path.suffix.lower() in {".parquet", ".geoparquet"}
    seen: list[str] = []
    found = False
    try:
        for layer in (_parquet if parquet else _other)(source, path, axes, seen):
            found = True
            yield layer
    except (OSError, ValueError, RuntimeError, pa.ArrowException) as error:
        if isinstance(error, FileError):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        msg = f"{path}: cannot be read as boundaries: {reason}"
        raise FileError(msg) from error
    if not found:
        wanted = " or ".join("(" + ", ".join(one.requires) + ")" for one in source.layouts)
        msg = f"{path}: expected columns {wanted} (kind {source.name!r}), found {seen}"
        raise FileError(msg)


def _layout(source: Provider, columns: list[str]) -> Layout | None:
    return next((one for one in source.layouts if set(one.requires) <= set(columns)), None)


def _parquet(source: Provider, path: Path, axes: Axes, seen: list[str]) -> Iterator[Layer]:
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        geo = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
        primary = geo.get("primary_column", "geometry")
        seen += [name for name in schema.names if name != primary]
        layout = _layout(source, seen)
        if layout is None:
            return
        if primary not in schema.names:
            msg = f"{path}: has no column {primary!r} with shapes (WKB)"
            raise FileError(msg)
        described = geo.get("columns", {}).get(primary)
        crs = None if described is None else described.get("crs", _WGS84)
        wanted = [*sorted(layout.columns(seen)), primary]
        for batch in file.iter_batches(_BATCH_ROWS, columns=wanted, use_threads=False):
            table = pa.Table.from_batches([batch])
            shapes = shapely.from_wkb(table[primary].to_numpy())
            records = table.drop_columns([primary]).to_pylist()
            yield Layer(path, layout, records, _degrees(path, shapes, crs, axes))


def _other(source: Provider, path: Path, axes: Axes, seen: list[str]) -> Iterator[Layer]:
    import geopandas

    for name in geopandas.list_layers(path)["name"]:
        frame = geopandas.read_file(path, layer=name)
        if not isinstance(frame, geopandas.GeoDataFrame):
            continue
        plain = frame.drop(columns=frame.geometry.name)
        seen[:] = plain.columns
        layout = _layout(source, seen)
        if layout is not None:
            kept = plain[sorted(layout.columns(seen))]
            records = pa.Table.from_pandas(kept, preserve_index=False).to_pylist()
            shapes = np.asarray(frame.geometry.values, object)
            yield Layer(path, layout, records, _degrees(path, shapes, frame.crs, axes))


def _degrees(path: Path, shapes: Shapes, named: Any, axes: Axes) -> Shapes:
    """Return shapes in longitude and latitude, degrees."""
    import pyproj

    if named is None and axes.crs is None:
        msg = (
            f"{path}: names no coordinate system; say which it has, such as crs='EPSG:4326' "
            "(--crs EPSG:4326)"
        )
        raise FileError(msg)
    crs = _crs(axes.crs if named is None else named)
    if axes.crs is not None and not _same(crs, _crs(axes.crs)):
        msg = f"{path}: is in {crs.name}, not in {_crs(axes.crs).name}; leave crs out"
        raise FileError(msg)
    if axes.swapped:
        shapes = shapely.transform(shapes, lambda xy: xy[:, ::-1])
    if _same(crs, _crs(_WGS84)):
        return shapes
    to_degrees = pyproj.Transformer.from_crs(crs, _WGS84, always_xy=True)
    moved = shapely.transform(shapes, lambda xy: np.column_stack(to_degrees.transform(*xy.T)))
    if not np.isfinite(shapely.bounds(moved[~shapely.is_missing(moved)])).all():
        msg = f"{path}: has coordinates that {crs.name} does not reach; is that its system?"
        raise FileError(msg)
    return np.asarray(moved)


def _crs(given: Any) -> Any:
    import pyproj

    try:
        return pyproj.CRS.from_user_input(given)
    except pyproj.exceptions.CRSError:
        msg = f"crs {given!r:.60} is no coordinate system; give one such as 'EPSG:4326'"
        raise FileError(msg) from None


def _same(one: Any, other: Any) -> bool:
    return bool(one.equals(other, ignore_axis_order=True))


def _refuse_half(path: Path) -> None:
    """Refuse a file that its own header, or its last byte, says is cut short."""
    suffix, size = path.suffix.lower(), path.stat().st_size
    with path.open("rb") as file:
        head = file.read(100)
        file.seek(max(size - 64, 0))
        tail = file.read().rstrip()
    whole = True
    if suffix in {".geojson", ".json"}:
        whole = tail.endswith(b"}")
    elif suffix == ".gml":
        whole = tail.endswith(b">")
    elif suffix == ".shp" and len(head) == 100:
        whole = 2 * int.from_bytes(head[24:28], "big") == size
    elif suffix == ".gpkg" and head.startswith(b"SQLite format 3"):
        whole = _whole_database(path, head, size)
    elif suffix == ".zip":
        whole = zipfile.is_zipfile(path)
    if not whole:
        msg = f"{path}: is cut short, half a download?; fetch it again"
        raise FileError(msg)


def _whole_database(path: Path, head: bytes, size: int) -> bool:
    page = int.from_bytes(head[16:18], "big")
    if int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page) > size:
        return False
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            told: str = database.execute("pragma quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError:
        return False
    return told == "ok"
