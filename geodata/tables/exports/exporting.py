"""Hand a version on as a folder that everyone's tools open: Parquet by split, card, Croissant.

The Parquet files are GeoParquet 1.1 where the rows have coordinates, so geopandas, QGIS and
DuckDB see points; to any other reader the geometry is one more column of bytes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata import coords
from geodata.files import FileError, coordinate_columns, free_folder
from geodata.tables import data_files, errors, log
from geodata.tables.errors import TableError
from geodata.tables.exports import cards, croissant
from geodata.tables.versions import TableVersion, open_version

_Path = str | os.PathLike[str]

TRAIN = "train"
GEOMETRY = "geometry"
_SPLIT_NAME = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
"""A point in well-known binary: byte order, type 1, x (longitude), y (latitude)."""


def export(path: _Path, out: _Path, version: int | str | None = None) -> Path:
    """Write a version as a folder that any Parquet reader and ``datasets`` open; return it.

    The folder holds ``data/train-00000-of-00003.parquet`` and so on, one series of files for each
    value of a text column ``split``, else all as ``train``; ``README.md`` (the card),
    ``croissant.json`` (what machines read of it, Croissant 1.0) and a map. Rows with coordinates
    get a column ``geometry``, points in longitude and latitude (GeoParquet 1.1, OGC:CRS84), NULL
    where a coordinate is none; a column that has this name already stays as it is. The folder
    appears whole or not at all. Read it with ``datasets.load_dataset("parquet", data_dir=out)``
    or ``datasets.load_dataset(out)``, a file of it with ``geopandas.read_parquet``.

    Raises
    ------
    TableError
        If ``out`` exists and is not an empty folder, or is the working one, or a split is NULL or
        has a name that is no part of a file's.
    StorageFullError
        If there is no room.

    References
    ----------
    GeoParquet 1.1.0, https://geoparquet.org/releases/v1.1.0/;
    Croissant 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html.

    Examples
    --------
    >>> import tempfile
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/photos", pa.table({"lat": [48.9], "lon": [2.3]}))
    >>> made = export(lake.name + "/photos", lake.name + "/out")
    >>> sorted(path.name for path in made.iterdir())
    ['README.md', 'croissant.json', 'data', 'map.png']
    >>> pq.read_table(made / "data").column_names
    ['lat', 'lon', 'geometry']
    >>> lake.cleanup()
    """
    log.refuse_address(out)
    opened = open_version(path, version)
    target = free_folder(Path(out), TableError)
    splits = _splits(opened)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        beside.chmod(0o755)
        with errors.storage(Path(out), "exporting"):
            exported = _write_data(opened, beside / "data", list(splits or {TRAIN: 0}))
            cards.write_into(opened, beside, splits or {TRAIN: opened.rows})
            croissant.write(opened, beside, exported)
        beside.replace(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Path(out)


def _splits(version: TableVersion) -> dict[str, int]:
    """Return the rows of each split, train first; none where no text column says so."""
    counts = cards.split_counts(version)
    if None in counts:
        msg = (
            f"{version.path.name}@{version.version}: {counts[None]:,} rows have no split (NULL); "
            'give them one, or leave them out with the recipe filter, where="split IS NOT NULL"'
        )
        raise TableError(msg)
    wrong = [name for name in counts if not _SPLIT_NAME.fullmatch(str(name))]
    if wrong:
        msg = (
            f"{version.path.name}@{version.version}: the split {wrong[0]!r:.80} is no part of a "
            "file's name; rename it with letters, digits and _, such as train, validation, test"
        )
        raise TableError(msg)
    usual = {name: i for i, name in enumerate((TRAIN, "validation", "test"))}
    order = sorted(counts, key=lambda name: (usual.get(str(name), len(usual)), str(name)))
    return {str(name): counts[name] for name in order}


@dataclass
class _Series:
    """The files of one split while they are written."""

    folder: Path
    schema: pa.Schema
    written: list[Path] = field(default_factory=list)
    _writer: Any = None
    _extent: _Extent | None = None

    def add(self, rows: pa.Table, points: coords.Coordinates | None) -> None:
        if self._writer is None:
            path = self.folder / f"part-{len(self.written):05d}"
            self._writer = pq.ParquetWriter(
                path, self.schema, compression="zstd", write_page_checksum=True
            )
            self._extent = _Extent()
            self.written.append(path)
        if points is not None and self._extent is not None:
            self._extent.add(points)
        self._writer.write_table(rows)

    def end_file(self, is_geo: bool) -> None:
        if self._writer is not None:
            if is_geo and self._extent is not None:
                self._writer.add_key_value_metadata({"geo": json.dumps(self._extent.metadata())})
            self._writer.close()
            self._writer = None

    def named(self, split: str) -> list[Path]:
        """Give the files their names, now that their number is known."""
        count = len(self.written)
        for i, path in enumerate(self.written):
            name = f"{split}-{i:05d}-of-{count:05d}.parquet"
            self.written[i] = path.rename(self.folder.parent / name)
        self.folder.rmdir()
        return self.written


class _Extent:
    """The box of the points of a file."""

    def __init__(self) -> None:
        self._box = [np.inf, np.inf, -np.inf, -np.inf]

    def add(self, points: coords.Coordinates) -> None:
        lat, lon = points.lat[points.valid], points.lon[points.valid]
        if len(lat):
            x0, y0, x1, y1 = self._box
            self._box = [min(x0, lon.min()), min(y0, lat.min()),
                         max(x1, lon.max()), max(y1, lat.max())]  # fmt: skip

    def metadata(self) -> dict[str, Any]:
        column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Point"]}
        if np.isfinite(self._box).all():
            column["bbox"] = [float(v) for v in self._box]
        columns = {GEOMETRY: column}  # without a crs it is OGC:CRS84, longitude before latitude
        return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": columns}


def _write_data(version: TableVersion, folder: Path, splits: list[str]) -> dict[str, list[Path]]:
    """Write one series of files for each split; return them by split."""
    folder.mkdir()
    pair = _pair(version.schema)
    schema = version.schema
    if pair is not None:
        schema = schema.append(pa.field(GEOMETRY, pa.binary()))
    series = {}
    for number, split in enumerate(splits):
        (folder / f".{number}").mkdir()
        series[split] = _Series(folder / f".{number}", schema)
    alone = splits[0] if splits == [TRAIN] else None
    for file in version.files:
        for part in data_files.read(file, version.schema):
            for split, rows in _divided(part, alone, splits):
                series[split].add(*_with_geometry(rows, pair))
        for one in series.values():
            one.end_file(pair is not None)
    if not any(one.written for one in series.values()):
        first = series[splits[0]]
        first.add(*_with_geometry(version.schema.empty_table(), pair))
        first.end_file(pair is not None)
    return {split: one.named(split) for split, one in series.items()}


def _divided(
    rows: pa.Table, alone: str | None, splits: list[str]
) -> Iterator[tuple[str, pa.Table]]:
    if alone is not None:
        yield alone, rows
        return
    for split in splits:
        own = rows.filter(pc.equal(rows["split"], split))
        if own.num_rows:
            yield split, own


def _pair(schema: pa.Schema) -> tuple[str, str] | None:
    if GEOMETRY in (name.lower() for name in schema.names):  # one name to SQL
        return None
    try:
        return coordinate_columns(schema.names)
    except FileError:
        return None


def _with_geometry(
    rows: pa.Table, pair: tuple[str, str] | None
) -> tuple[pa.Table, coords.Coordinates | None]:
    if pair is None:
        return rows, None
    points = coords.arrays(*(coords.parse_numbers(rows[name]) for name in pair))
    return rows.append_column(GEOMETRY, points_wkb(points)), points


def points_wkb(points: coords.Coordinates) -> pa.Array:
    """Return points as well-known binary, NULL where a coordinate is none; shape (n,).

    References
    ----------
    OGC 06-103r4, Simple Feature Access, section 8.2.

    Examples
    --------
    >>> points_wkb(coords.arrays([48.0, 91.0], [2.0, 0.0])).to_pylist()[1] is None
    True
    """
    n = len(points.lat)
    made = np.zeros(n, _POINT)
    made["order"], made["kind"] = 1, 1
    made["x"], made["y"] = points.lon, points.lat
    offsets = np.arange(n + 1, dtype=np.int32) * _POINT.itemsize
    whole = pa.Array.from_buffers(
        pa.binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(made.tobytes())]
    )
    return pc.if_else(pa.array(points.valid), whole, pa.scalar(None, pa.binary()))
