"""Write rows as they come, into any format, whole or not at all."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from geodata.files.formats import FileError, compression_of, file_format
from geodata.files.whole import replacing

ROW_GROUP = 1 << 18
"""Rows of a Parquet row group: small batches are gathered."""


@contextlib.contextmanager
def writing(
    target: str | os.PathLike[str],
    schema: pa.Schema,
    made_by: Mapping[str, Any] | None = None,
    *,
    plain: Collection[str] = (),
    coded: Collection[str] = (),
) -> Iterator[Writer]:
    """Give a writer for a file that appears under its name when all went well.

    Parameters
    ----------
    target
        Its ending tells the format: .csv, .tsv, .parquet, .jsonl, the text formats also with
        .gz, .bz2 or .zst.
    schema
        Of all rows; batches that lack a column get NULLs there.
    made_by
        What made the rows, for the metadata of Parquet (key ``geodata``).
    plain
        Columns whose values hardly repeat, which Parquet then writes without a dictionary.
    coded
        Columns of text that come as dictionaries with 32-bit codes, which Parquet takes over as
        they are; whoever reads the file gets plain text.

    Raises
    ------
    FileError
        For an unknown ending, a folder that does not exist, a row that does not fit, or a type
        that the format does not have.

    Examples
    --------
    >>> import tempfile
    >>> from geodata.files import read_table
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = folder.name + "/photos.parquet"
    >>> with writing(path, pa.schema([("id", pa.string())]), {"step": "an example"}) as writer:
    ...     for name in "ab":
    ...         writer.write(pa.table({"id": [name]}))
    >>> read_table(path)["id"].to_pylist()
    ['a', 'b']
    >>> folder.cleanup()
    """
    kind = file_format(target)
    if kind not in _SINKS:
        msg = f"{target}: {kind} is read, not written; write {', '.join(_SINKS)}"
        raise FileError(msg)
    packing = compression_of(target)
    with (
        _types_of(kind, target),
        replacing(target) as beside,
        pa.output_stream(os.fspath(beside), compression=packing) as sink,
    ):
        made = _SINKS[kind](sink, schema, made_by, plain, coded)
        writer = Writer(made, _coded_schema(schema, coded))
        try:
            yield writer
        except BaseException:
            with contextlib.suppress(Exception):  # or it closes later, on a sink that is gone
                made.close()
            raise
        writer.close()


@contextlib.contextmanager
def _types_of(kind: str, target: str | os.PathLike[str]) -> Iterator[None]:
    """Say of a type that a format does not have, such as a span of time, what to do."""
    try:
        yield
    except pa.ArrowNotImplementedError as error:
        reason = str(error).partition("\n")[0]
        msg = f"{target}: {kind} has no such type: {reason}; cast that column to text first"
        raise FileError(msg) from error


class Writer:
    """Takes batches of rows; one schema for all of them."""

    def __init__(self, sink: Any, schema: pa.Schema) -> None:
        self._sink, self.schema = sink, schema

    def write(self, table: pa.Table, lines: Sequence[str] | None = None) -> None:
        """Write some rows.

        Parameters
        ----------
        table
            Their columns; with ``lines`` only those to add.
        lines
            The rows as JSON objects, which a JSON target takes over as they are written.
        """
        if lines is None:
            table = conformed(table, self.schema)
        self._sink.write(table, lines)

    @property
    def takes_lines(self) -> bool:
        """Whether rows that are JSON objects may be handed over as they are."""
        return isinstance(self._sink, _Objects)

    def close(self) -> None:
        """Write what is still held back."""
        self._sink.close()


def write_table(
    table: pa.Table,
    target: str | os.PathLike[str],
    made_by: Mapping[str, Any] | None = None,
) -> None:
    """Write a table whole, or leave what was there; the format is told by the ending.

    Raises
    ------
    FileError
        For an unknown ending or a folder that does not exist.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> write_table(pa.table({"id": ["007"], "lat": [48.9]}), folder.name + "/photos.jsonl")
    >>> with open(folder.name + "/photos.jsonl") as file:
    ...     print(file.read(), end="")
    {"id": "007", "lat": 48.9}
    >>> folder.cleanup()
    """
    with writing(target, table.schema, made_by) as writer:
        writer.write(table)


def write_tables(
    tables: Iterable[pa.Table],
    target: str | os.PathLike[str],
    schema: pa.Schema,
    made_by: Mapping[str, Any] | None = None,
    *,
    plain: Collection[str] = (),
) -> None:
    """Write tables of one schema one after the other, see `writing`."""
    with writing(target, schema, made_by, plain=plain) as writer:
        for table in tables:
            writer.write(table)


def conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the columns of a schema: those that are not there as NULLs.

    Raises
    ------
    FileError
        For a column that cannot have its type.

    Examples
    --------
    >>> conformed(pa.table({"a": [1]}), pa.schema([("b", pa.string()), ("a", pa.float64())]))
    pyarrow.Table
    b: string
    a: double
    ----
    b: [[null]]
    a: [[1]]
    """
    if table.schema.equals(schema):
        return table
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table[field.name]
        try:
            columns.append(column.cast(field.type))
        except pa.ArrowException:
            msg = (
                f"column {field.name!r} is {field.type} at first and {column.type} later; "
                "write it with one type"
            )
            raise FileError(msg) from None
    return pa.table(columns, schema=schema)


class _Parquet:
    """Parquet with row groups of one size, whatever the batches were."""

    def __init__(
        self,
        sink: pa.NativeFile,
        schema: pa.Schema,
        made_by: Mapping[str, Any] | None,
        plain: Collection[str],
        coded: Collection[str],
    ) -> None:
        if made_by is not None:
            made = {b"geodata": json.dumps(made_by).encode()}
            schema = schema.with_metadata({**(schema.metadata or {}), **made})
        words = [name for name in schema.names if name not in plain] if plain else True
        self._schema = _coded_schema(schema, coded)
        self._writer = pq.ParquetWriter(
            sink, self._schema, compression="zstd", use_dictionary=words, store_schema=not coded,
            # the least and the greatest of a few thousand names help nobody, and cost a tenth
            write_statistics=[n for n in schema.names if n not in coded] if coded else True,
        )  # fmt: skip
        self._about = {**(schema.metadata or {}), **_arrow_schema(schema)} if coded else {}
        self._waiting: list[pa.Table] = []

    def write(self, table: pa.Table, lines: Sequence[str] | None) -> None:
        self._waiting.append(table)
        if sum(map(len, self._waiting)) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            rows = pa.concat_tables(self._waiting).cast(self._schema)
            self._writer.write_table(rows.unify_dictionaries())
            self._waiting = []

    def close(self) -> None:
        self._flush()
        if self._about:
            self._writer.add_key_value_metadata(self._about)
        self._writer.close()


def _coded_schema(schema: pa.Schema, coded: Collection[str]) -> pa.Schema:
    """Return the schema with some columns of text as dictionaries."""
    for name in coded:
        at = schema.get_field_index(name)
        words = pa.dictionary(pa.int32(), schema.field(at).type)
        schema = schema.set(at, schema.field(at).with_type(words))
    return schema


def _arrow_schema(schema: pa.Schema) -> dict[bytes, bytes]:
    """Return what Arrow notes in a Parquet file so that a reader gets this schema."""
    return {b"ARROW:schema": base64.b64encode(schema.serialize().to_pybytes())}


class _Delimited:
    """CSV and TSV; what is nested becomes JSON text."""

    def __init__(self, delimiter: str, sink: pa.NativeFile, schema: pa.Schema) -> None:
        options = pacsv.WriteOptions(delimiter=delimiter, quoting_style="needed")
        head = _nested_as_text(pa.Table.from_batches([], schema)).schema
        self._writer = pacsv.CSVWriter(sink, head, write_options=options)

    def write(self, table: pa.Table, lines: Sequence[str] | None) -> None:
        self._writer.write_table(_nested_as_text(table))

    def close(self) -> None:
        self._writer.close()


class _Objects:
    """JSON objects, one a line or in an array; a missing value is null."""

    def __init__(self, begin: str, between: str, end: str, sink: pa.NativeFile) -> None:
        self._sink, self._next, self._between, self._end = sink, begin, between, end

    def write(self, table: pa.Table, lines: Sequence[str] | None) -> None:
        rows = (_json(row) for row in table.to_pylist())
        if lines is not None:
            rows = (_joined(line, more) for line, more in zip(lines, rows, strict=True))
        if text := self._between.join(rows):
            self._sink.write(f"{self._next}{text}".encode())
            self._next = self._between

    def close(self) -> None:
        begun = self._next == self._between
        self._sink.write((self._end if begun else self._next.strip() + self._end.strip()).encode())


def _json(row: Mapping[str, Any]) -> str:
    return json.dumps({k: _no_nan(v) for k, v in row.items()}, ensure_ascii=False, default=str)


def _no_nan(value: Any) -> Any:
    """Return a value without NaN and infinity, at any depth: JSON has none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _no_nan(one) for key, one in value.items()}
    return [_no_nan(one) for one in value] if isinstance(value, list | tuple) else value


def _joined(first: str, second: str) -> str:
    """Return one JSON object of two; the first stays as it is written."""
    if second == "{}":
        return first
    head = first.rstrip()[:-1].rstrip()
    return f"{head}{'' if head.endswith('{') else ', '}{second[1:]}"


def _nested_as_text(table: pa.Table) -> pa.Table:
    for i, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            values = map(_no_nan, table[i].to_pylist())
            text = [None if v is None else json.dumps(v, default=str) for v in values]
            table = table.set_column(i, field.name, pa.array(text, pa.string()))
    return table


_SINKS: dict[str, Callable[..., Any]] = {
    "parquet": _Parquet,
    "csv": lambda sink, schema, *_: _Delimited(",", sink, schema),
    "tsv": lambda sink, schema, *_: _Delimited("\t", sink, schema),
    "jsonl": lambda sink, *_: _Objects("", "\n", "\n", sink),
    "json": lambda sink, *_: _Objects("[\n", ",\n", "\n]\n", sink),
}
