"""The rows of a file by its format, damaged ones in their place, and files that are bombs refused.

What a small file unfolds into is bounded before it is unfolded: rows, columns, bytes of one
column chunk, length of a line, and text that a dictionary repeats.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata.files.formats import BATCH_ROWS, FileError, TableFile

MAX_COLUMNS = 4096
MAX_LINE_CHARS = 1 << 26
MAX_BATCH_BYTES = 1 << 27
MAX_DEPTH = 4
SAMPLE_ROWS = 200
SMALL_FILE_BYTES = 1 << 26
BOMB_ROWS, BOMB_ROWS_PER_BYTE, BOMB_RATIO = 10_000_000, 64, 100


class Batch(NamedTuple):
    """Some rows of a source; ``bad`` maps the offset of a damaged row to what is wrong."""

    table: pa.Table
    bad: dict[int, str]


def flat_names(schema: pa.Schema, prefix: str = "", depth: int = 0) -> tuple[str, ...]:
    """Return column names, nested ones joined with points."""
    names: list[str] = []
    for field in schema:
        if pa.types.is_struct(field.type) and depth < MAX_DEPTH:
            inner = pa.schema([field.type.field(i) for i in range(field.type.num_fields)])
            names += flat_names(inner, f"{prefix}{field.name}.", depth + 1)
        else:
            names.append(prefix + field.name)
    return tuple(names)


def flat(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return the named columns, nested ones taken out, all text of one type."""
    return pa.table({name: _plain(_nested(table, name)) for name in names})


def _nested(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name in table.column_names:
        return table.column(name)
    outer = max((c for c in table.column_names if name.startswith(f"{c}.")), key=len)
    column, rest = table.column(outer), name[len(outer) + 1 :]
    while rest:
        fields = [column.type.field(i).name for i in range(column.type.num_fields)]
        step = max((f for f in fields if rest == f or rest.startswith(f"{f}.")), key=len)
        column, rest = pc.struct_field(column, [fields.index(step)]), rest[len(step) + 1 :]
    return column


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give text one type; a dictionary must not unfold into more than a batch may hold."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        if pa.types.is_binary(kind.value_type) or pa.types.is_string(kind.value_type):
            _refuse_expansion(column)
        column, kind = pc.cast(column, kind.value_type), kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pc.cast(column, pa.string())
    return column


def _refuse_expansion(column: pa.ChunkedArray) -> None:
    for chunk in column.chunks:
        lengths = pc.take(pc.binary_length(chunk.dictionary), chunk.indices)
        size = pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0
        if size > MAX_BATCH_BYTES * 4:
            msg = f"{len(chunk)} rows unfold into {size >> 20} MiB of text; the file is a bomb"
            raise FileError(msg)


def refuse_bomb(path: Path, metadata: pq.FileMetaData) -> None:
    """Refuse a file whose footer promises far more than the file can hold."""
    size = path.stat().st_size
    if metadata.num_rows > BOMB_ROWS and metadata.num_rows > BOMB_ROWS_PER_BYTE * size:
        msg = f"{path}: claims {metadata.num_rows} rows in {size} bytes; not a table of answers"
        raise FileError(msg)
    # not column by column: pyarrow 26 aborts the process on some damaged column footers
    for group in range(metadata.num_row_groups):
        unpacked = metadata.row_group(group).total_byte_size
        if unpacked > max(MAX_BATCH_BYTES, BOMB_RATIO * size):
            msg = f"{path}: row group {group} unfolds from {size} bytes into {unpacked >> 20} MiB"
            raise FileError(msg)


def _parquet_batches(file: TableFile, names: Sequence[str]) -> Iterator[Batch]:
    small = file.path.stat().st_size <= SMALL_FILE_BYTES
    # pre_buffer would keep whole row groups in memory
    with pq.ParquetFile(file.path, pre_buffer=False) as probe:
        schema = probe.schema_arrow
    text = [field.name for field in schema if str(field.type) in ("string", "large_string")]
    # a small file may hold one huge string and a million references to it: keep them as such
    with pq.ParquetFile(
        file.path, pre_buffer=False, read_dictionary=text if small else None
    ) as parquet:
        outer = [c for c in schema.names if any(n == c or n.startswith(f"{c}.") for n in names)]
        for batch in parquet.iter_batches(BATCH_ROWS, columns=outer, use_threads=True):
            yield Batch(flat(pa.Table.from_batches([batch]), names), {})


def _csv_batches(file: TableFile, names: Sequence[str]) -> Iterator[Batch]:
    waiting: list[tuple[int, str]] = []
    line = 2 if file.header else 1  # the number of the next row
    for good in file.batches(list(names), bad_rows=waiting):
        batch = _insert(good, line, waiting, file, names)
        line += batch.table.num_rows
        yield batch
    if waiting:
        yield _insert(_no_rows(names), line, waiting, file, names)


def _no_rows(names: Sequence[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _insert(
    good: pa.Table, line: int, waiting: list[tuple[int, str]], file: TableFile, names: Sequence[str]
) -> Batch:
    """Put damaged rows back among the good ones that begin at ``line``."""
    bad: dict[int, str] = {}
    rows: list[dict[str, str | None]] = []
    for number, text in waiting:
        if number > line + good.num_rows + len(bad):
            break
        fields = _split(text, file)
        # after the damage nothing is in its column for sure; the first field is before it
        rows.append({name: fields[0] if name == file.columns[0] else None for name in names})
        bad[number - line] = f"{len(fields)} fields, the header has {len(file.columns)}"
    if not bad:
        return Batch(good, {})
    del waiting[: len(bad)]
    damaged = pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names]))
    order = np.empty(good.num_rows + len(bad), np.int64)
    is_bad = np.zeros(len(order), bool)
    is_bad[list(bad)] = True
    order[~is_bad] = np.arange(good.num_rows)
    order[is_bad] = good.num_rows + np.arange(len(bad))
    return Batch(pa.concat_tables([good, damaged]).take(pa.array(order)), bad)


def _split(text: str, file: TableFile) -> list[str]:
    delimiter = "\t" if file.format == "tsv" else ","
    try:
        return next(csv.reader([text], delimiter=delimiter), []) or [""]
    except csv.Error:
        return text.split(delimiter)


def refuse_open_quotes(file: TableFile) -> None:
    """Find a quote that is never closed: it would swallow the rows that follow it."""
    with file.path.open("rb") as raw:
        if not any(b'"' in block for block in iter(lambda: raw.read(1 << 20), b"")):
            return
    delimiter = "\t" if file.format == "tsv" else ","
    with file.path.open(encoding="latin-1", newline="") as lines:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        start = 1
        try:
            for _ in reader:
                start = reader.line_num + 1
        except csv.Error as error:
            msg = f"{file.path}: line {start}: a quoted field does not end as it should ({error})"
            raise FileError(msg) from error


def _json_rows(file: TableFile) -> Iterator[dict[str, Any] | str]:
    """Yield one object a line, or a text that says why a line is none.

    Numbers stay as they are written: the ids ``1e3`` and ``1000`` are two, and a photo id of
    23 digits keeps them all.
    """
    with file.path.open(encoding="utf-8-sig") as lines:
        for line in iter(lambda: lines.readline(MAX_LINE_CHARS), ""):
            if len(line) == MAX_LINE_CHARS:
                msg = f"{file.path}: a line is longer than {MAX_LINE_CHARS} characters"
                raise FileError(msg)
            if not line.strip():
                continue
            try:
                row = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
            except (ValueError, RecursionError) as error:
                yield f"not JSON: {str(error)[:80]}"
                continue
            yield row if isinstance(row, dict) else f"{type(row).__name__}, expected an object"


def json_names(file: TableFile) -> tuple[str, ...]:
    """Return the names that occur in the first lines."""
    names: dict[str, None] = {}
    for number, row in enumerate(_json_rows(file), 1):
        if isinstance(row, dict):
            names.update(dict.fromkeys(_flat_row(row)))
        elif number == 1:
            msg = f"{file.path}: line 1 is {row}"
            raise FileError(msg)
        if number == SAMPLE_ROWS or len(names) > MAX_COLUMNS:
            break
    return tuple(names)


def _flat_row(row: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str | None]:
    flat: dict[str, str | None] = {}
    for key, value in row.items():
        if isinstance(value, dict) and depth < MAX_DEPTH:
            flat.update(_flat_row(value, f"{prefix}{key}.", depth + 1))
        elif value is None or isinstance(value, str):
            flat[prefix + key] = value
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            flat[prefix + key] = f"[{', '.join(value)}]"  # numbers came as they are written
        else:
            flat[prefix + key] = json.dumps(value)
    return flat


def _json_batches(file: TableFile, names: Sequence[str]) -> Iterator[Batch]:
    values: dict[str, list[str | None]] = {name: [] for name in names}
    bad: dict[int, str] = {}
    rows = size = 0
    for row in _json_rows(file):
        flat = {} if isinstance(row, str) else _flat_row(row)
        if isinstance(row, str):
            bad[rows] = row
        for name, column in values.items():
            value = flat.get(name)
            column.append(value)
            size += len(value) if value else 0
        rows += 1
        if rows == BATCH_ROWS or size > MAX_BATCH_BYTES:
            yield Batch(_text_table(values), bad)
            values, bad, rows, size = {name: [] for name in names}, {}, 0, 0
    if rows:
        yield Batch(_text_table(values), bad)


def _text_table(values: dict[str, list[str | None]]) -> pa.Table:
    # a lone surrogate, legal in JSON, has no UTF-8
    def clean(value: str | None) -> str | None:
        if value is None or value.isascii():
            return value
        return value.encode("utf-8", "replace").decode()

    columns = {name: [clean(value) for value in column] for name, column in values.items()}
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


READERS = {
    "csv": _csv_batches,
    "tsv": _csv_batches,
    "parquet": _parquet_batches,
    "jsonl": _json_batches,
}
