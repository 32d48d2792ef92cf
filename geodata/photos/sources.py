"""Tell what a photo source is, find its columns, and read it in batches of rows.

What is found by looking (format, columns) is kept with the reason, so that an import can say
what it did and an error what it found and what it expected.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata.files import (
    AUTHOR_NAMES,
    ID_NAMES,
    IMAGE_NAMES,
    LICENCE_NAMES,
    TIME_NAMES,
    Batch,
    FileError,
    Source,
    coordinate_columns,
    find_named,
    is_table_file,
    open_source,
)
from geodata.photos import formats

ROLES = ("photo_id", "lat", "lon", "image", "author", "taken_at", "licence")
"""What a column of a source can be mapped to."""

LAYOUTS = (
    *("mp16", "im2gps3k", "yfcc100m", "osv5m", "gsv-cities", "exif", "takeout"),
    *("geojson", "flickr", "mapillary"),
)
TABLES = ("csv", "tsv", "parquet", "jsonl")
FLICKR = ("mp16", "im2gps3k", "yfcc100m", "flickr")

_USUAL = {
    "photo_id": ID_NAMES,
    "image": IMAGE_NAMES,
    "author": AUTHOR_NAMES,
    "taken_at": TIME_NAMES,
    "licence": LICENCE_NAMES,
}
"""Usual names by role; a column has one role, the first that takes it."""

_NEEDED = {
    "mp16": ("IMG_ID", "LAT", "LON"),
    "im2gps3k": ("IMG_ID", "LAT", "LON"),
    "osv5m": ("id", "latitude", "longitude"),
    "yfcc100m": ("photoid", "latitude", "longitude"),
    "gsv-cities": ("place_id", "year", "month", "northdeg", "city_id", "lat", "lon", "panoid"),
}
_OSV_SIGNS = ("thumb_original_url", "captured_at", "sequence", "unique_country", "drive_side")

_ID_FORMS = {
    "mp16": re.compile(r"[0-9a-f]{2}[/_][0-9a-f]{2}[/_]\d+\.jpe?g", re.IGNORECASE),
    "im2gps3k": re.compile(r"\d+_[0-9a-f]+_\d+_[^/]+@N\d\d\.jpe?g", re.IGNORECASE),
    "osv5m": re.compile(r"\d+"),
}
"""What ids of a benchmark look like: the same columns alone make a file none of its rows."""
_SAMPLE_IDS = 1000
_ALIKE = 0.9

GSV_PARTS = ("city_id", "place_id", "year", "month", "northdeg")
"""Columns that a picture of GSV-Cities is named by, with lat, lon and panoid."""

_Batches = Callable[[Sequence[str]], Iterator[Batch]]


@dataclass(frozen=True)
class PhotoSource:
    """A source of photo rows; only its head was looked at."""

    name: str
    path: Path | None
    format: str
    """One of `LAYOUTS` or `TABLES`, or ``table`` for rows in memory."""
    detected: str
    """How the format was told."""
    columns: dict[str, str]
    """Column of the source by role; a role that is not there has no column."""
    keep: tuple[str, ...]
    rows: int | None
    _read: _Batches
    raw: Mapping[str, int] = field(default_factory=dict)
    """RAW files beside the pictures, by ending: they are left out."""

    def batches(self) -> Iterator[Batch]:
        """Yield every row, damaged ones as NULLs with a reason: columns are roles and kept ones.

        More columns may be there: ``status`` and ``reason`` of rows already judged, and
        ``_marker`` and ``_ext`` of YFCC100M.
        """
        names = {**self.columns, **{name: name for name in self.keep}}
        for batch in self._read(list(dict.fromkeys(names.values()))):
            table = pa.table({new: batch.table[old] for new, old in names.items()})
            yield Batch(table, batch.bad)


def open_photos(
    source: Any,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str | None] | None = None,
    keep: Sequence[str] = (),
) -> PhotoSource:
    """Look at the head of a source: see `geodata.photos.read`."""
    _check_arguments(format, columns or {}, keep)
    if not isinstance(source, str | os.PathLike):
        opened = open_source(source, what="photos")
        return _from_table(opened, None, format, columns or {}, keep)
    path = Path(source)
    if path.is_dir() or format in ("exif", "takeout") or _is_archive(path):
        return _from_pictures(path, format, columns or {}, keep)
    if not path.is_file():
        msg = f"{str(path)[:200]}: there is no such file or folder of photos"
        raise FileError(msg)
    if formats.is_sqlite(path):
        names = formats.sqlite_names(path)
        told = f"SQLite table {formats.SQLITE_TABLE}"
        read: _Batches = lambda wanted: formats.sqlite_batches(path, wanted)  # noqa: E731
        return _built(str(path), path, ("yfcc100m", told), names, columns or {}, keep, read)
    return _from_file(path, format, columns or {}, keep)


def _from_file(
    path: Path, format_: str | None, columns: Mapping[str, str | None], keep: Sequence[str]
) -> PhotoSource:
    suffix = path.suffix.lower()
    if (found := formats.recognised(path)) is not None and format_ in (None, found.format):
        return _from_foreign(found, path, columns, keep)
    if format_ in ("geojson", "flickr", "mapillary"):
        msg = f"{path}: is no JSON document of format {format_!r}; leave the format out to detect"
        raise FileError(msg)
    if format_ == "yfcc100m" or (format_ is None and suffix not in (".parquet", ".pq")):
        line = formats.first_line(path)
        names = formats.text_names(line, sure=format_ == "yfcc100m")
        if names is not None:
            told = f"{len(names)} tab-separated fields without a header"
            read: _Batches = lambda wanted: formats.text_batches(path, names, wanted)  # noqa: E731
            return _built(str(path), path, ("yfcc100m", told), names, columns, keep, read)
        if format_ == "yfcc100m" and "photoid" not in line.lower():
            msg = (
                f"{path}: the first line has {line.count(chr(9)) + 1} tab-separated fields "
                f"({line[:60]!r}), expected 25 (or 23) fields of YFCC100M without a header"
            )
            raise FileError(msg)
    kind = format_ if format_ in TABLES else None
    if kind is None and not is_table_file(path):
        kind = _sniffed(path)
    opened = open_source(path, format=kind)
    return _from_table(opened, path, format_, columns, keep)


def _from_foreign(
    found: formats.Foreign, path: Path, columns: Mapping[str, str | None], keep: Sequence[str]
) -> PhotoSource:
    opened = open_source(found.table, what=str(path))
    own: dict[str, str | None] = {role: found.columns.get(role) for role in ROLES}
    told = (found.format, found.told)
    return _built(str(path), path, told, opened.columns, {**own, **columns}, keep, opened.batches,
                  opened.rows)  # fmt: skip


def _sniffed(path: Path) -> str:
    """Tell CSV, TSV, Parquet or JSONL by the head of a file whose ending does not."""
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PAR1":
        return "parquet"
    line = formats.first_line(path).lstrip("\ufeff")
    is_text = line.replace("\t", "").isprintable() and "\ufffd" not in line
    if is_text and path.suffix.lower() not in (".gz", ".bz2"):
        if line.startswith("{"):
            return "jsonl"
        for mark, kind in (("\t", "tsv"), (",", "csv")):
            if mark in line:
                return kind
    msg = (
        f"{path}: unknown format, it begins with {line[:60]!r}; expected a CSV, TSV, Parquet or "
        "JSONL file with a header, a YFCC100M file (25 or 23 tab-separated fields, or SQLite), or "
        "a folder, tar or zip of pictures"
    )
    raise FileError(msg)


def _from_table(
    opened: Source,
    path: Path | None,
    format_: str | None,
    columns: Mapping[str, str | None],
    keep: Sequence[str],
) -> PhotoSource:
    if format_ in LAYOUTS:
        found = (format_, "as asked")
        _check_needed(opened, format_)
    else:
        found = _layout(opened)
    return _built(
        opened.name, path, found, opened.columns, columns, keep, opened.batches, opened.rows
    )


def _check_needed(opened: Source, format_: str) -> None:
    lower = {name.lower() for name in opened.columns}
    missing = [name for name in _NEEDED[format_] if name.lower() not in lower]
    if missing:
        msg = (
            f"{opened.name}: format {format_!r} needs the columns {', '.join(_NEEDED[format_])}; "
            f"found {', '.join(opened.columns[:30])}"
        )
        raise FileError(msg)


def _layout(opened: Source) -> tuple[str, str]:
    """Tell the layout of a table by its columns, and MP-16 from IM2GPS3K by its first id."""
    lower = {name.lower(): name for name in opened.columns}
    if {"img_id", "author", "lat", "lon"} <= lower.keys():
        ids = _ids_of_head(opened, lower["img_id"])
        told = "columns IMG_ID, AUTHOR, LAT, LON; IMG_ID {} folders"
        if _alike(ids, "mp16"):
            return "mp16", told.format("with")
        if _alike(ids, "im2gps3k"):
            return "im2gps3k", told.format("no")
        seen = f", such as {ids[0]!r:.60}" if ids else ""
        return opened.kind, f"columns of MP-16 and IM2GPS3K, but ids of neither{seen}"
    if {"photoid", "uid", "latitude", "longitude"} <= lower.keys():
        return "yfcc100m", "columns photoid, uid, latitude, longitude"
    signs = [name for name in _OSV_SIGNS if name in lower]
    if set(_NEEDED["gsv-cities"]) <= lower.keys():
        return "gsv-cities", f"columns {', '.join(_NEEDED['gsv-cities'])}"
    is_osv = {"id", "latitude", "longitude"} <= lower.keys() and len(signs) > 1
    if is_osv and _alike(_ids_of_head(opened, lower["id"]), "osv5m"):
        return "osv5m", f"columns id, latitude, longitude, {', '.join(signs)}"
    return opened.kind, "no known layout: columns by their usual names"


def _ids_of_head(opened: Source, column: str) -> list[str]:
    for batch in itertools.islice(opened.batches([column]), 1):
        head = batch.table[column].slice(0, _SAMPLE_IDS).drop_null()
        return [str(value) for value in head.to_pylist()]
    return []


def _alike(ids: Sequence[str], layout: str) -> bool:
    """Return whether nearly all ids look like those of a benchmark."""
    fit = sum(_ID_FORMS[layout].fullmatch(one.strip()) is not None for one in ids)
    return bool(ids) and fit >= _ALIKE * len(ids)


def _from_pictures(
    path: Path, format_: str | None, columns: Mapping[str, str | None], keep: Sequence[str]
) -> PhotoSource:
    if format_ not in (None, "exif", "takeout") or columns:
        what = "columns" if columns else f"format {format_!r}"
        msg = f"{path}: is a folder or archive of pictures (format 'exif'), so {what} do not apply"
        raise FileError(msg)
    if not path.exists():
        msg = f"{path}: there is no such folder of pictures"
        raise FileError(msg)
    if next(iter(formats.pictures(path)), None) is None:
        names = formats.names_in(path)
        if raw := formats.raw_files(path):
            msg = f"{path}: holds {raw.total()} RAW files and no picture; export them as JPEG first"
            raise FileError(msg)
        msg = (
            f"{path}: holds no picture ({', '.join(formats.PICTURE_ENDINGS)}), but "
            f"{', '.join(names) or 'nothing'}; import table files one by one, unpacked"
        )
        raise FileError(msg)
    told = "a folder of pictures" if path.is_dir() else "an archive of pictures"
    kind, read = "exif", lambda _: formats.exif_batches(path, keep)
    own, raw = {name: name for name in formats.EXIF_COLUMNS}, formats.raw_files(path)
    if path.is_dir() and format_ != "exif" and formats.is_takeout(path):
        told += " with Google Takeout's JSON files beside them"
        kind, read = "takeout", lambda _: formats.takeout_batches(path, keep)
    return PhotoSource(str(path), path, kind, told, own, tuple(keep), None, read, raw)


def _built(
    name: str,
    path: Path | None,
    found: tuple[str, str],
    names: Sequence[str],
    columns: Mapping[str, str | None],
    keep: Sequence[str],
    read: _Batches,
    rows: int | None = None,
) -> PhotoSource:
    roles = _roles(name, list(names), found[0], columns)
    absent = [one for one in keep if one not in names]
    if absent:
        msg = f"{name}: no column {absent[0]!r} to keep; the columns are {', '.join(names)}"
        raise FileError(msg)
    extra = {"marker": _named(names, "marker"), "ext": _named(names, "ext")}
    if found[0] == "yfcc100m":
        roles |= {f"_{role}": column for role, column in extra.items() if column is not None}
    if found[0] == "gsv-cities":
        roles |= {f"_{part}": str(_named(names, part)) for part in GSV_PARTS}
    return PhotoSource(name, path, *found, roles, tuple(keep), rows, read)


def _roles(
    where: str, names: list[str], format_: str, given: Mapping[str, str | None]
) -> dict[str, str]:
    for role, column in given.items():
        if column is not None and column not in names:
            msg = f"{where}: no column {column!r} for {role}; the columns are {', '.join(names)}"
            raise FileError(msg)
    lat, lon = coordinate_columns(names, given.get("lat"), given.get("lon"), where=where)
    roles = {"lat": lat, "lon": lon}
    for role, usual in _USUAL.items():
        free = [name for name in names if name not in roles.values()]
        column = given[role] if role in given else find_named(free, usual, role, where)
        if column is not None:
            roles[role] = column
    if format_ in ("mp16", "im2gps3k", "osv5m", "gsv-cities") and "image" not in given:
        roles.pop("image", None)  # the id names the picture; the links of OSV-5M run out
    return {role: roles[role] for role in ROLES if role in roles}


def _named(names: Sequence[str], lower: str) -> str | None:
    return next((name for name in names if name.strip().lower() == lower), None)


def _is_archive(path: Path) -> bool:
    return not is_table_file(path) and formats.is_archive(path)


def _check_arguments(
    format_: str | None, columns: Mapping[str, str | None], keep: Sequence[str]
) -> None:
    known = (*LAYOUTS, *TABLES)
    if format_ is not None and format_ not in known:
        msg = f"unknown format {format_!r}; expected one of {', '.join(known)}, or none to detect"
        raise ValueError(msg)
    wrong = [role for role in columns if role not in ROLES]
    if wrong:
        msg = f"columns: {wrong[0]!r} is no role; expected {', '.join(ROLES)}"
        raise ValueError(msg)
    if isinstance(keep, str):
        msg = f"keep: {keep!r} is text; give a list of column names"
        raise TypeError(msg)
