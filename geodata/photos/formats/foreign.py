"""Photo lists that are no tables: GeoJSON, Flickr's and Mapillary's JSON, as rows.

A file is told by what it holds. Positions are taken as they are written, longitude first where
the format has them so; a position of 0, 0 that the source itself says is none becomes NULL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from geodata.files import FileError, json_of

ENDINGS = (".json", ".geojson")
MAX_BYTES = 1 << 30
"""A JSON document is read as a whole."""

_Row = dict[str, Any]
_HEAD = 1 << 16


class Foreign(NamedTuple):
    """What a document was told to be, and its rows as text columns."""

    format: str
    told: str
    table: pa.Table
    columns: dict[str, str]
    """Column by role; roles that are not here have none."""


def recognised(path: Path) -> Foreign | None:
    """Return the rows of a JSON document of a known kind, None for anything else.

    Raises
    ------
    FileError
        If it begins as one, and is too large or no JSON.
    """
    if path.suffix.lower() not in ENDINGS or not _may_be(path):
        return None
    if path.stat().st_size > MAX_BYTES:
        msg = (
            f"{path}: has {path.stat().st_size:,} bytes, and JSON of this kind is read as a whole, "
            f"up to {MAX_BYTES:,}; write it as JSON lines or CSV with id, lat, lon (ogr2ogr -f CSV "
            "-lco GEOMETRY=AS_XY for GeoJSON)"
        )
        raise FileError(msg)
    try:
        document = json_of(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read as JSON: {error}"
        raise FileError(msg) from error
    return _of_document(document)


def _may_be(path: Path) -> bool:
    """Return whether the head of a file has a word of a known kind."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    words = (b'"FeatureCollection"', b'"photos"', b'"geometry"', b'"MAPLatitude"', b'"features"')
    return any(word in head for word in words)


def _of_document(document: Any) -> Foreign | None:
    for kind in _KINDS:
        found = kind(document)
        if found is not None:
            return found
    return None


def _geojson(document: Any) -> Foreign | None:
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        return None
    features = document.get("features")
    if not isinstance(features, list):
        return None
    rows = [_feature(f if isinstance(f, dict) else {}) for f in features]
    return _table("geojson", "a GeoJSON FeatureCollection", rows, "id")


def _feature(feature: Mapping[str, Any]) -> _Row:
    properties = feature.get("properties")
    row = dict(properties) if isinstance(properties, dict) else {}
    row = {name: value for name, value in row.items() if name not in ("lat", "lon")}
    if feature.get("id") is not None:
        row["id"] = feature["id"]
    return row | _point(feature.get("geometry"))


def _point(geometry: Any) -> _Row:
    """Return the coordinates of a point; of another geometry none."""
    if isinstance(geometry, dict) and geometry.get("type") == "Point":
        found = geometry.get("coordinates")
        if isinstance(found, list) and len(found) >= 2:
            return {"lat": found[1], "lon": found[0]}
    return {"lat": None, "lon": None}


def _flickr(document: Any) -> Foreign | None:
    """Flickr's API: ``photos.photo``, of flickr.photos.search and its like, with extras=geo."""
    photos = document.get("photos") if isinstance(document, dict) else None
    found = photos.get("photo") if isinstance(photos, dict) else None
    if not isinstance(found, list):
        return None
    rows = []
    for photo in found:
        row = dict(photo) if isinstance(photo, dict) else {}
        lat, lon = row.pop("latitude", None), row.pop("longitude", None)
        unset = str(row.get("accuracy", "1")) == "0"  # how Flickr says: no position
        rows.append(row | {"lat": None if unset else lat, "lon": None if unset else lon})
    return _table("flickr", "photos.photo of Flickr's API", rows, "id", author="owner",
                  taken_at="datetaken", licence="license", image="url_o")  # fmt: skip


def _mapillary(document: Any) -> Foreign | None:
    """Mapillary's API: ``data`` of images with ``geometry``, which some of them may lack."""
    found = document.get("data") if isinstance(document, dict) else None
    if not isinstance(found, list) or not all(isinstance(e, dict) and "id" in e for e in found):
        return None
    if not any(isinstance(e.get("geometry"), dict) for e in found):
        return None
    rows = []
    for entry in found:
        creator = entry.get("creator")
        author = creator.get("id") if isinstance(creator, dict) else creator
        rows.append(entry | _point(entry.get("geometry")) | {"creator": author})
    return _table("mapillary", "data of Mapillary's API, its field geometry", rows, "id",
                  author="creator", taken_at="captured_at", image="thumb_original_url")  # fmt: skip


def _mapillary_tools(document: Any) -> Foreign | None:
    """``mapillary_image_description.json``: MAPLatitude, MAPLongitude, filename."""
    entries = document if isinstance(document, list) else []
    if not all(isinstance(e, dict) for e in entries):
        return None
    if not any("MAPLatitude" in e for e in entries):
        return None
    rows = [
        {**e, "lat": e.get("MAPLatitude"), "lon": e.get("MAPLongitude"),
         "taken": _map_time(e.get("MAPCaptureTime"))}
        for e in entries
    ]  # fmt: skip
    return _table("mapillary", "the description of mapillary_tools", rows, "filename",
                  image="filename", taken_at="taken")  # fmt: skip


def _map_time(text: Any) -> str | None:
    """Return ``2023_01_05_10_11_12_345`` as ISO 8601."""
    parts = str(text).split("_")
    if len(parts) < 6 or not all(p.isdigit() for p in parts):
        return None
    return "{}-{}-{}T{}:{}:{}Z".format(*parts)


_KINDS: tuple[Callable[[Any], Foreign | None], ...] = (
    _geojson, _flickr, _mapillary, _mapillary_tools,
)  # fmt: skip


def _table(format_: str, told: str, rows: list[_Row], id_: str, **roles: str) -> Foreign:
    names = list(dict.fromkeys(["lat", "lon", *(name for row in rows for name in row)]))
    columns = {name: pa.array([_text(row.get(name)) for row in rows], pa.string())
               for name in names}  # fmt: skip
    wanted = {"photo_id": id_, "lat": "lat", "lon": "lon", **roles}
    held = {role: name for role, name in wanted.items() if name in columns}
    return Foreign(format_, told, pa.table(columns), held)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
