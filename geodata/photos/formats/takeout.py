"""Google Takeout: what the JSON file beside a picture says of place and time.

Takeout strips nothing from the pictures, but positions that were set by hand are only in the
JSON. What the picture itself says counts first.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata.files import Batch
from geodata.photos.formats import exif

_NUMBERED = re.compile(r"(?P<stem>.+?)(?P<number>\(\d+\))?(?P<ending>\.[^.]+)")
_CUT = 46
"""Takeout cuts the names of JSON files to 51 letters with their ending."""
_MAX_BYTES = 1 << 20
_LOOKED_AT = 200


def is_takeout(folder: Path) -> bool:
    """Return whether one of the first pictures of a folder has Takeout's JSON beside it."""
    first = islice(exif.images_in(folder), _LOOKED_AT)
    return any(_said(folder / name) is not None for name in first)


def takeout_batches(folder: Path, keep: Sequence[str]) -> Iterator[Batch]:
    """Yield the pictures as `exif_batches` does; the JSON fills what is missing."""
    for batch in exif.exif_batches(folder, keep):
        rows = batch.table.to_pylist()
        for row in rows:
            said = _said(folder / row["photo_id"]) or {}
            if row["status"] == "missing" and said.get("lat") is not None:
                row |= {"lat": said["lat"], "lon": said["lon"], "status": None, "reason": None}
            row["taken_at"] = row["taken_at"] or said.get("taken_at")
        yield Batch(pa.Table.from_pylist(rows, batch.table.schema), batch.bad)


def _said(picture: Path) -> dict[str, Any] | None:
    """Return place and time of a picture's JSON file; None if it has none."""
    name = _sidecar(picture.name, _names(picture.parent, picture.parent.stat().st_mtime_ns))
    if name is None:
        return None
    try:
        with (picture.parent / name).open("rb") as file:
            found = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not {"photoTakenTime", "geoData"} & found.keys():
        return None
    for key in ("geoDataExif", "geoData"):
        place = found.get(key)
        lat, lon = (place.get(k) if isinstance(place, dict) else None
                    for k in ("latitude", "longitude"))  # fmt: skip
        if not isinstance(lat, int | float) or not isinstance(lon, int | float):
            continue
        if (lat, lon) != (0, 0):  # how Takeout says: no position
            return {"lat": float(lat), "lon": float(lon), "taken_at": _time(found)}
    return {"taken_at": _time(found)}


def _time(found: dict[str, Any]) -> str | None:
    taken = found.get("photoTakenTime")
    seconds = taken.get("timestamp") if isinstance(taken, dict) else None
    try:
        when = datetime.datetime.fromtimestamp(int(str(seconds)), datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=64)
def _names(folder: Path, changed_ns: int) -> frozenset[str]:
    return frozenset(p.name for p in folder.iterdir() if p.suffix.lower() == ".json")


def _sidecar(picture: str, names: frozenset[str]) -> str | None:
    """Return the JSON file of a picture among the names of its folder.

    Examples
    --------
    >>> names = frozenset(["a.jpg.json", "a.jpg(1).json", "b.jpg.supplemental-metadata.json"])
    >>> [_sidecar(p, names) for p in ("a.jpg", "a(1).jpg", "b.jpg", "a-edited.jpg", "c.jpg")]
    ['a.jpg.json', 'a.jpg(1).json', 'b.jpg.supplemental-metadata.json', 'a.jpg.json', None]
    """
    parts = _NUMBERED.fullmatch(picture)
    if parts is None:
        return None
    stem, number, ending = parts["stem"], parts["number"] or "", parts["ending"]
    for base in dict.fromkeys((stem + ending, stem.removesuffix("-edited") + ending)):
        whole = f"{base}.supplemental-metadata"
        for name in (f"{base}{number}.json", f"{whole}{number}.json"):
            if name in names:
                return name
        if len(whole) > _CUT:
            for length in range(len(whole), _CUT - 8, -1):
                if f"{whole[:length]}{number}.json" in names:
                    return f"{whole[:length]}{number}.json"
    return None
