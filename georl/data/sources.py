"""What ``data.table`` names: a file, a folder of shards, or a version of a table in a lake.

Rows are read in batches, as often as needed; nothing here looks at an image.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import files, query, records, tables
from geodata.errors import GeodataError
from geodata.files import as_table
from georl.config import Config, DataConfig

_HEAD_ROWS = 1000


class DataError(GeodataError, ValueError):
    """Photos that cannot be trained on or predicted: says which rows, why and what to do."""


@dataclass(frozen=True)
class Source:
    """Rows on disk, opened from their heads only."""

    label: str
    """What messages call it: the path, for a version of a table ``path@3``."""
    schema: pa.Schema
    """Names and types of the columns; all text where the format has no types."""
    rows: files.Source | None = None
    version: tables.TableVersion | None = None
    llava: Path | None = None
    """LLaVA-style records, see `geodata.records.llava`."""
    keep: NDArray[np.bool_] | None = None
    """The rows that ``data.split`` and ``data.where`` choose, all for None."""

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """Yield columns in file order, at most ``rows`` rows a time, memory flat."""
        names, start = list(columns), 0
        if self.rows is not None:
            for table in map(as_table, self.rows.tables(names, rows=rows)):
                if self.keep is not None:
                    part = self.keep[start : start + table.num_rows]
                    start += table.num_rows
                    if not part.any():
                        continue
                    table = table.filter(pa.array(part))
                yield table
        elif self.llava is not None:
            for made in records.read_llava_batches(self.llava, batch_rows=min(rows, 4096)):
                yield as_table(made.select(names))

    def stamp(self) -> str:
        """Return a text that changes when the files do: their paths, sizes and times."""
        parts = () if self.rows is None else self.rows.paths
        paths = self.version.files if self.version else parts
        state = [(str(p.resolve()), p.stat()) for p in paths or (self.llava,) if p is not None]
        return json.dumps([(name, s.st_size, s.st_mtime_ns) for name, s in state])


def pinned(config: Config) -> Config:
    """Return the run with ``data.version`` as the number of the version that it will read.

    A run without a version reads the newest. From here on its records name that version, so
    that a resumed run reads the same rows or is refused, whatever was committed meanwhile.

    Raises
    ------
    DataError, TableError
        If there is no such version or tag, with what there is; or for a version of what is
        not a table.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from georl.config import load
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/photos", pa.table({"photo_id": ["a"]}))
    >>> pinned(load(None, [f"data.table={lake.name}/photos"])).data.version
    '0'
    >>> lake.cleanup()
    """
    path, version = Path(config.data.table), config.data.version
    if config.data.table == "world" or not _is_table(path):
        _refuse_version(config.data)
        return config
    number = tables.open(path, version).version
    return dataclasses.replace(config, data=dataclasses.replace(config.data, version=str(number)))


def open_source(data: DataConfig) -> Source:
    r"""Open what ``data.table`` and ``data.version`` name.

    Raises
    ------
    DataError, FileError, TableError
        If it is not there, is nothing that can be read, or has no such version.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "photos.csv")
    >>> _ = path.write_text("id,image,lat,lon\n007,a.jpg,48.9,2.3\n")
    >>> open_source(DataConfig(table=str(path))).schema.names
    ['id', 'image', 'lat', 'lon']
    >>> folder.cleanup()
    """
    path = Path(data.table)
    if _is_table(path):
        opened = tables.open(path, data.version)
        rows = tables.source_of_version(opened)
        label = f"{data.table}@{opened.version}"
        return Source(label, opened.schema, rows, opened, keep=_chosen(rows, data))
    _refuse_version(data)
    if path.is_dir():
        _refuse_lake(path)
    elif not path.exists() and "*" not in path.name:
        raise DataError(_absent(path))
    if path.suffix.lower() == ".json" or _is_llava(path):
        _refuse_choice(data)
        head = next(records.read_llava_batches(path, batch_rows=_HEAD_ROWS), None)
        schema = pa.schema([]) if head is None else head.schema
        return Source(data.table, schema, llava=path)
    try:
        found = tables.open_rows(path)
    except files.FileError as error:
        raise DataError(str(error)) from error
    return Source(data.table, _schema(found), found, keep=_chosen(found, data))


def home_of(data: DataConfig) -> Path | None:
    """Return the folder that relative images start from before ``data.image_root`` is asked.

    It is the lake of a table, or the folder that the files lie in; None where ``data.image_root``
    names one.

    Examples
    --------
    >>> home_of(DataConfig(table="lake/rand.parquet")).as_posix()
    'lake'
    >>> home_of(DataConfig(table="lake/rand.parquet", image_root="photos"))
    """
    if data.image_root != DataConfig().image_root:
        return None
    path = Path(data.table)
    return path if path.is_dir() and not _is_table(path) else path.parent


def _chosen(rows: files.Source, data: DataConfig) -> NDArray[np.bool_] | None:
    try:
        return query.choose(rows, data.split, data.where)
    except query.QueryError as error:
        msg = f"{error} (data.split, data.where)"
        raise DataError(msg) from error


def _refuse_choice(data: DataConfig) -> None:
    if data.split is not None or data.where is not None:
        msg = (
            f"{data.table} holds records without columns to choose by; leave data.split and "
            "data.where out, and choose when the records are written (geodata records --split)"
        )
        raise DataError(msg)


def _is_table(path: Path) -> bool:
    return path.is_dir() and tables.exists(path)


def _refuse_version(data: DataConfig) -> None:
    if data.version is not None:
        msg = (
            f"data.version is {data.version!r}, but {data.table} is no table of a lake, and only "
            "those have versions; set data.version=null, or data.table to the folder of a table"
        )
        raise DataError(msg)


def _absent(path: Path) -> str:
    name, at, version = path.name.rpartition("@")
    if at and _is_table(path.with_name(name)):
        table = path.with_name(name)
        return f"{path} is not there; write data.table={table} data.version={version}"
    return (
        f"{path}: there is no such file or folder; data.table is 'world', a CSV, TSV, JSONL or "
        "Parquet file, a folder of such files, or the folder of a table in a lake"
    )


def _refuse_lake(folder: Path) -> None:
    if names := tables.names(folder):
        msg = (
            f"{folder} is a lake; name one of its tables, {', '.join(names)}: data.table="
            f"{folder / names[0]}"
        )
        raise DataError(msg)


def _is_llava(path: Path) -> bool:
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        return False
    return "conversations" in files.open_source(path).columns


def _schema(rows: files.Source) -> pa.Schema:
    if rows.schema is not None:
        return rows.schema
    return pa.schema([(name, pa.string()) for name in rows.columns])
