"""What ``data.table`` names: a file, a folder of shards, or a version of a table in a lake.

Rows are read in batches, as often as needed; nothing here looks at an image.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geodata import files, records, tables
from geodata.files import as_table
from georl.config import Config, DataConfig

_HEAD_ROWS = 1000


class DataError(ValueError):
    """Photos that cannot be trained on or predicted: says which rows, why and what to do."""


@dataclass(frozen=True)
class Source:
    """Rows on disk, opened from their heads only."""

    label: str
    """What messages call it: the path, for a version of a table ``path@3``."""
    schema: pa.Schema
    """Names and types of the columns; all text where the format has no types."""
    parts: tuple[files.TableFile, ...] = ()
    version: tables.TableVersion | None = None
    llava: Path | None = None
    """LLaVA-style records, see `geodata.records.llava`."""

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """Yield columns in file order, at most ``rows`` rows a time, memory flat."""
        names = list(columns)
        for table in self._tables(names, rows):
            yield as_table(table)

    def stamp(self) -> str:
        """Return a text that changes when the files do: their paths, sizes and times."""
        paths = self.version.files if self.version else tuple(p.path for p in self.parts)
        state = [(str(p.resolve()), p.stat()) for p in paths or (self.llava,) if p is not None]
        return json.dumps([(name, s.st_size, s.st_mtime_ns) for name, s in state])

    def _tables(self, names: list[str], rows: int) -> Iterator[pa.Table]:
        if self.version is not None:
            yield from self.version.batches(names, rows)
        elif self.llava is not None:
            for made in records.read_llava_batches(self.llava, batch_rows=min(rows, 4096)):
                yield made.select(names)
        for part in self.parts:
            yield from part.batches(names, rows)


def pinned(config: Config) -> Config:
    """Return the run with ``data.version`` as the number of the version that it will read.

    A run without a version reads the newest. From here on its records name that version, so
    that a resumed run reads the same rows or is refused, whatever was committed meanwhile.

    Raises
    ------
    DataError, TableError
        If there is no such version or tag, with what there is; or for a version of what is
        not a table.
    """
    path, version = Path(config.data.table), config.data.version
    if config.data.table == "world" or not _is_table(path):
        _refuse_version(config.data)
        return config
    number = tables.open(path, version).version
    return dataclasses.replace(config, data=dataclasses.replace(config.data, version=str(number)))


def open_source(data: DataConfig) -> Source:
    """Open what ``data.table`` and ``data.version`` name.

    Raises
    ------
    DataError, FileError, TableError
        If it is not there, is nothing that can be read, or has no such version.
    """
    path = Path(data.table)
    if _is_table(path):
        opened = tables.open(path, data.version)
        return Source(f"{data.table}@{opened.version}", opened.schema, version=opened)
    _refuse_version(data)
    if path.is_dir():
        return _of_files(data.table, _shards(path))
    if not path.exists():
        raise DataError(_absent(path))
    return _of_files(data.table, [path])


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


def _shards(folder: Path) -> list[Path]:
    """Return the table files in a folder, in the order of their names."""
    inside = sorted(p for p in folder.rglob("*") if p.is_file())
    shown = [p for p in inside if not _hidden(p.relative_to(folder))]
    found = [p for p in shown if p.suffix.lower() in files.FORMATS]
    if len({files.file_format(p) for p in found}) == 1 and not any(
        p.is_relative_to(folder / name) for p in found for name in tables.names(folder)
    ):
        return found
    raise DataError(_no_shards(folder, found, shown))


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _no_shards(folder: Path, found: list[Path], shown: list[Path]) -> str:
    if names := tables.names(folder):
        return (
            f"{folder} is a lake; name one of its tables, {', '.join(names)}: data.table="
            f"{folder / names[0]}"
        )
    if found:
        kinds = sorted({files.file_format(p) for p in found})
        return f"{folder} holds {' and '.join(kinds)} files; name one of them, or one kind's folder"
    if any(p.suffix.lower() == ".tar" for p in shown):
        return (
            f"{folder} holds tar shards, which are not read here; write Parquet, e.g. with "
            "geodata records --format parquet"
        )
    return f"{folder} holds no {', '.join(sorted(files.FORMATS))} file and is no table of a lake"


def _of_files(label: str, paths: list[Path]) -> Source:
    if paths[0].suffix.lower() == ".json" or _is_llava(paths[0]):
        if len(paths) > 1:
            msg = f"{label} holds {len(paths)} files of LLaVA-style records; name one of them"
            raise DataError(msg)
        head = next(records.read_llava_batches(paths[0], batch_rows=_HEAD_ROWS), None)
        schema = pa.schema([]) if head is None else head.schema
        return Source(label, schema, llava=paths[0])
    parts = tuple(files.open_table(path) for path in paths)
    schema = _schema(parts[0])
    for part in parts[1:]:
        lacking = set(schema.names) - set(_schema(part).names)
        if lacking and part.format != "jsonl":
            msg = f"{part.path} has no column {min(lacking)!r}, which {parts[0].path} has"
            raise DataError(msg)
    return Source(label, schema, parts)


def _is_llava(path: Path) -> bool:
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        return False
    return "conversations" in files.open_table(path).columns


def _schema(part: files.TableFile) -> pa.Schema:
    if part.format == "parquet":
        return pq.read_schema(part.path)
    if part.format == "jsonl":  # a row may leave out what it does not have
        head: Any = next(part.batches(None, _HEAD_ROWS), None)
        return pa.schema([]) if head is None else head.schema
    return pa.schema([(name, pa.string()) for name in part.columns])
