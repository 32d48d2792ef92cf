"""GeoJSON points in and out (RFC 7946), read whole as the format asks."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata import files
from geodata.files import FileError, Source

ENDINGS = (".geojson", ".geo.json")


def is_geojson(path: Any) -> bool:
    """Tell whether a name ends as one of GeoJSON.

    Examples
    --------
    >>> is_geojson("photos.GeoJSON"), is_geojson("photos.json")
    (True, False)
    """
    return isinstance(path, str | os.PathLike) and os.fspath(path).lower().endswith(ENDINGS)


def read_geojson(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Source]:
    """Return a collection as it is written, and its properties with ``lat`` and ``lon`` as rows.

    A feature that is no point has neither; properties of those names give way.

    Raises
    ------
    FileError
        If the file is no collection of features.
    """
    try:
        whole = files.json_of(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read as GeoJSON: {error}"
        raise FileError(msg) from None
    features = whole.get("features") if isinstance(whole, dict) else None
    if not isinstance(features, list) or not all(map(_is_feature, features)):
        msg = f"{path}: expected a FeatureCollection with a list of features"
        raise FileError(msg)
    rows = []
    for feature in features:
        lat, lon = _position(feature.get("geometry"))
        rows.append({**(feature.get("properties") or {}), "lat": lat, "lon": lon})
    names = dict.fromkeys(name for row in rows for name in row) or {"lat": None, "lon": None}
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    for name in ("lat", "lon"):
        columns[name] = pa.array([row[name] for row in rows], pa.float64())
    return whole, files.source_of(pa.table(columns), os.fspath(path))


@contextlib.contextmanager
def geojson_writing(
    path: str | os.PathLike[str],
    point: tuple[str, str],
    whole: dict[str, Any] | None = None,
    added: Sequence[str] = (),
) -> Iterator[GeoJsonWriter]:
    """Give a writer for features; see `geodata.files.writing`.

    Parameters
    ----------
    path
        The file.
    point
        Columns with the latitude and the longitude, which become the geometry.
    whole
        A collection whose features are the rows: they stay and get the columns ``added``.
    """
    writer = GeoJsonWriter()
    yield writer
    if whole is None:
        features = [_feature(row, *point) for table in writer.tables for row in table.to_pylist()]
    else:  # what a feature has beside is as it was, also where a column had to make it text
        rows = [row for table in writer.tables for row in table.select(added).to_pylist()]
        features = [
            {**feature, "properties": {**(feature.get("properties") or {}), **_tidy(row)}}
            for feature, row in zip(whole["features"], rows, strict=True)
        ]
    out = {**(whole or {"type": "FeatureCollection"}), "features": features}
    files.write_text(path, json.dumps(out, ensure_ascii=False, default=str) + "\n")


class GeoJsonWriter:
    """Takes batches of rows; the file is written when all are there."""

    takes_lines = False

    def __init__(self) -> None:
        self.tables: list[pa.Table] = []

    def write(self, table: pa.Table, lines: Sequence[str] | None = None) -> None:
        """Take some rows."""
        self.tables.append(table)


def _feature(row: dict[str, Any], lat: str, lon: str) -> dict[str, Any]:
    point = _point(row.pop(lat, None), row.pop(lon, None))
    return {"type": "Feature", "geometry": point, "properties": _tidy(row)}


def _is_feature(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("properties"), dict | None)


def _position(geometry: Any) -> tuple[float | None, float | None]:
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return None, None
    at = geometry.get("coordinates")
    if not isinstance(at, list) or len(at) < 2:
        return None, None
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in at[:2]):
        return None, None
    try:
        return float(at[1]), float(at[0])
    except OverflowError:  # a whole number of hundreds of digits
        return None, None


def _point(lat: Any, lon: Any) -> dict[str, Any] | None:
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in (lat, lon)):
        return None
    return {"type": "Point", "coordinates": [lon, lat]}


def _column(values: list[Any]) -> pa.Array:
    """Return a column of one type; values of several, or beyond 64 bits, become JSON text."""
    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, OverflowError):
        text = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
        return pa.array(text, pa.string())


def _tidy(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without numbers that JSON does not have."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
