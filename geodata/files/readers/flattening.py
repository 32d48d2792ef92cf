"""Batches of rows with flat columns: nested ones by their path, text of one type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from geodata.files.formats import FileError

MAX_COLUMNS = 4096
MAX_BATCH_BYTES = 1 << 27
MAX_DEPTH = 4


class Batch(NamedTuple):
    """Some rows of a source."""

    table: pa.Table
    bad: Mapping[int, str]
    """What is wrong with a damaged row, by its offset."""
    at: Mapping[int, int] = MappingProxyType({})
    """The line of the file that a damaged row is, by its offset."""
    lines: Sequence[str] | None = None
    """The rows as the file has them, where they were asked for and are JSON objects."""


def no_rows(names: Sequence[str]) -> pa.Table:
    """Return a table of text columns without rows."""
    return pa.table({name: pa.nulls(0, pa.string()) for name in names})


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
    return pa.table({name: column_at(table, name) for name in names})


def outer_names(schema: pa.Schema, names: Sequence[str]) -> list[str]:
    """Return the columns of a schema that hold the named ones, each once, in its order."""
    return [c for c in schema.names if any(n == c or n.startswith(f"{c}.") for n in names)]


def column_at(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column by its path, ``prediction.lat``; dictionaries and text views become text.

    Examples
    --------
    >>> column_at(pa.table({"p": [{"lat": 1.5}]}), "p.lat").to_pylist()
    [1.5]
    """
    return _plain(_nested(table, name))


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
