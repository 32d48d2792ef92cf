"""The Parquet files of a versioned table: written whole, hashed, described."""

from __future__ import annotations

import itertools
import json
import math
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata import files, hashing
from geodata.hashing import Sums
from geodata.tables.data_files.schemas import fitted
from geodata.tables.errors import TableConflictError, storage

ROW_GROUP = 1 << 17
FILE_ROWS = 1 << 19
_MAX_BYTES = 1 << 28
_MAX_STAT_TEXT = 32


class DataFile(NamedTuple):
    """One file of a table as it was written."""

    name: str
    size: int
    sha256: str
    sums: Sums
    stats: str
    """Delta statistics, JSON."""

    def entry(self) -> dict[str, Any]:
        """Return what the commit records of it."""
        return {"size": self.size, "sha256": self.sha256, "content": list(self.sums)}


def write(
    root: Path, tables: Iterator[pa.Table], schema: pa.Schema, order: int, file_rows: int
) -> list[DataFile]:
    """Write rows as Parquet files under ``root``, none of them part of a version yet.

    Parameters
    ----------
    order
        Files sort by this number, then by their place in it.
    file_rows
        Most rows a file.

    Raises
    ------
    StorageFullError
        If there is no room; what was written is removed. An error of ``tables`` keeps its type,
        also one that says that another disk is full.
    TableConflictError
        If a vacuum or a repair took a file while it was written.
    """
    written: list[DataFile] = []
    theirs: list[BaseException] = []
    try:
        for part in _parts(_noting(tables, theirs), schema, file_rows):
            name = f"part-{order:08d}-{len(written):05d}-{uuid.uuid4().hex}.parquet"
            with storage(root, "writing rows", passing=theirs):
                written.append(write_one(root / name, part, schema))
    except BaseException as error:
        remove(root, written)
        if isinstance(error, FileNotFoundError) and error not in theirs and root.is_dir():
            msg = (
                f"{root}: a file that was being written was removed meanwhile (by vacuum, repair "
                "or forget); nothing was committed: write the rows again"
            )
            raise TableConflictError(msg) from error
        raise
    return written


def remove(root: Path, written: Sequence[DataFile]) -> None:
    """Remove files that did not become part of a version."""
    for file in written:
        (root / file.name).unlink(missing_ok=True)


def read(path: Path, schema: pa.Schema, rows: int = ROW_GROUP) -> Iterator[pa.Table]:
    """Yield the rows of a file in its order, memory flat, with the columns of ``schema``."""
    for table in files.parquet_rows(path, schema.names, rows, checksums=True):
        yield fitted(table, schema)


def _noting(tables: Iterator[pa.Table], raised: list[BaseException]) -> Iterator[pa.Table]:
    try:
        yield from tables
    except BaseException as error:
        raised.append(error)
        raise


def _parts(
    tables: Iterator[pa.Table], schema: pa.Schema, file_rows: int
) -> Iterator[Iterator[pa.Table]]:
    """Yield the row groups of one file after another."""
    groups = _row_groups(tables, schema, min(ROW_GROUP, file_rows))
    for first in groups:
        yield _one_file(first, groups, file_rows)


def _one_file(first: pa.Table, groups: Iterator[pa.Table], file_rows: int) -> Iterator[pa.Table]:
    rows, size = first.num_rows, first.nbytes
    yield first
    while rows + ROW_GROUP <= file_rows and size < _MAX_BYTES:
        group = next(groups, None)
        if group is None:
            return
        rows, size = rows + group.num_rows, size + group.nbytes
        yield group


def _row_groups(
    tables: Iterator[pa.Table], schema: pa.Schema, group_rows: int
) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    rows = 0
    for table in tables:
        for start in range(0, table.num_rows, group_rows):
            piece = fitted(table.slice(start, group_rows), schema)
            held.append(piece)
            rows += piece.num_rows
            if rows >= group_rows:
                both = pa.concat_tables(held)
                yield both.slice(0, group_rows)
                held, rows = [both.slice(group_rows)], rows - group_rows
    if rows:
        yield pa.concat_tables(held)


def write_one(path: Path, groups: Iterator[pa.Table], schema: pa.Schema) -> DataFile:
    """Write one file of at least one table, whole or not there."""
    sums = Sums()
    first = next(groups)
    with (
        files.replacing(path) as beside,
        beside.open("wb") as sink,
        pq.ParquetWriter(
            sink,
            schema,
            compression="zstd",
            use_dictionary=_dictionaries(first),
            write_page_checksum=True,
            store_schema=False,
        ) as writer,
    ):
        for group in itertools.chain([first], groups):
            writer.write_table(group, row_group_size=ROW_GROUP)
            sums = sums.plus(hashing.of_table(group))
    return DataFile(path.name, path.stat().st_size, files.sha256(path), sums, _stats(path, schema))


def _dictionaries(rows: pa.Table) -> bool | list[str]:
    """Return the columns whose values repeat: a dictionary of the others halves the speed."""
    if any(pa.types.is_nested(field.type) for field in rows.schema):
        return True  # they have no values of their own to count
    head = rows.slice(0, 4096)
    limit = head.num_rows // 2
    return [
        name for name in rows.column_names if pc.count_distinct(head[name]).as_py() <= limit
    ] or False


def _stats(path: Path, schema: pa.Schema) -> str:
    """Return Delta's statistics of a file: rows, and the range of numbers and short texts."""
    metadata = pq.read_metadata(path)
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    for i in range(metadata.num_columns):
        name = metadata.schema.column(i).path
        if name not in schema.names or not _has_range(schema.field(name).type):
            continue
        groups = [
            metadata.row_group(g).column(i).statistics for g in range(metadata.num_row_groups)
        ]
        ranges = [(s.min, s.max) for s in groups if s is not None and s.has_min_max]
        if ranges and len(ranges) == len(groups) and all(_is_plain(v) for r in ranges for v in r):
            low[name] = min(r[0] for r in ranges)
            high[name] = max(r[1] for r in ranges)
    stats = {"numRecords": metadata.num_rows, "minValues": low, "maxValues": high, "nullCount": {}}
    return json.dumps(stats)


def _has_range(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_string(kind))


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_STAT_TEXT
    return isinstance(value, int | float) and math.isfinite(value)


def now_ms() -> int:
    """Return the time as Delta writes it, milliseconds since 1970."""
    return int(time.time() * 1000)
