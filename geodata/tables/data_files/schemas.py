"""The column types that versioned tables keep, and how rows are fitted to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from geodata.files import cast
from geodata.tables.errors import TableSchemaError

_SIGNED = {pa.uint8(): pa.int16(), pa.uint16(): pa.int32(), pa.uint32(): pa.int64()}


def kept_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the type a column is stored as, None where a table cannot hold it.

    Text, binary and lists lose their large, view and dictionary forms; unsigned integers become
    the next wider signed; times are microseconds, with a zone UTC.

    Examples
    --------
    >>> kept_type(pa.dictionary(pa.int8(), pa.large_string())), kept_type(pa.uint32())
    (DataType(string), DataType(int64))
    """
    if pa.types.is_dictionary(kind):
        return kept_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if pa.types.is_date(kind):
        return pa.date32()
    if pa.types.is_uint64(kind):
        return pa.int64()  # cells of H3 fit; a larger number is refused when it is cast
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_nested(kind):
        return _kept_nested(kind)
    plain = pa.types.is_primitive(kind) and not pa.types.is_time(kind)
    plain = plain and not pa.types.is_duration(kind) and not pa.types.is_interval(kind)
    if plain or pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _SIGNED.get(kind, kind)
    if pa.types.is_decimal128(kind):
        return kind
    return None


def _kept_nested(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_struct(kind):
        fields = [(f.name, kept_type(f.type)) for f in kind]
        return None if any(t is None for _, t in fields) else pa.struct(fields)
    if pa.types.is_map(kind):
        key, item = kept_type(kind.key_type), kept_type(kind.item_type)
        return None if key is None or item is None else pa.map_(key, item)
    if pa.types.is_union(kind) or pa.types.is_run_end_encoded(kind):
        return None
    item = kept_type(kind.value_type)
    return None if item is None else pa.list_(item)


def kept_schema(schema: pa.Schema, known: pa.Schema | None = None) -> pa.Schema:
    """Return the schema that rows of ``schema`` are stored with, all columns nullable.

    Parameters
    ----------
    known
        The table's own schema: its columns come first and keep their types, new ones follow.

    Raises
    ------
    TableSchemaError
        For names that repeat, a type no table holds, or one that does not fit the known column.
    """
    _check_names(schema)
    fields = {} if known is None else {f.name: f for f in known}
    folded = {name.lower(): name for name in fields}
    for field in schema:
        name = folded.get(field.name.lower(), field.name)
        if name != field.name:
            msg = f"column {field.name!r} and the table's {name!r} differ only in case; rename it"
            raise TableSchemaError(msg)
        if name in fields:
            _check_fits(field, fields[name].type)
            continue
        kind = kept_type(field.type)
        if kind is None:
            msg = f"column {name!r} has type {field.type}, which no table holds; {_remedy(field)}"
            raise TableSchemaError(msg)
        fields[name] = pa.field(name, kind, metadata=field.metadata)
    return pa.schema(list(fields.values()))


def fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the rows with exactly the columns of ``schema``: cast, NULL where missing.

    Raises
    ------
    TableSchemaError
        If a value does not fit its column.
    """
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table[field.name]
        try:
            chunks = [cast(chunk, field.type) for chunk in column.chunks]
        except (pa.ArrowException, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            msg = f"column {field.name!r} does not fit {field.type}: {reason}"
            raise TableSchemaError(msg) from error
        columns.append(pa.chunked_array(chunks, field.type))
    return pa.table(columns, schema=schema)


def stream(rows: Any, schema: pa.Schema | None = None) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Return the schema and the tables of anything that speaks Arrow, read once.

    Parameters
    ----------
    rows
        With ``schema``, also an iterable of tables or record batches of these columns. They reach
        the files without a RecordBatchReader, in which an error on the way would lose its type.

    Raises
    ------
    TypeError
        If it does not speak Arrow; as it is read, for an item that is no rows.
    TableSchemaError
        As it is read, for an item with other columns.
    """
    if isinstance(rows, pa.Table | pa.RecordBatch):
        rows, schema = [rows], schema or rows.schema
    elif schema is None and hasattr(rows, "__arrow_c_stream__"):
        rows = pa.RecordBatchReader.from_stream(rows)
        schema = rows.schema
    elif schema is None or not isinstance(rows, Iterable):
        msg = (
            f"rows are {type(rows).__name__}; expected a pyarrow.Table or anything with "
            "__arrow_c_stream__ (a RecordBatchReader, polars, pandas, a DuckDB relation), or with "
            "schema= an iterable of tables"
        )
        raise TypeError(msg)
    return schema, (_of_columns(part, schema) for part in rows)


def _of_columns(part: Any, schema: pa.Schema) -> pa.Table:
    if isinstance(part, pa.RecordBatch):
        part = pa.Table.from_batches([part])
    if not isinstance(part, pa.Table):
        msg = f"the rows hold a {type(part).__name__}; expected tables or record batches"
        raise TypeError(msg)
    if part.schema.names != schema.names:
        msg = (
            f"rows on the way have the columns {', '.join(part.schema.names)}; the schema given "
            f"with them says {', '.join(schema.names)}"
        )
        raise TableSchemaError(msg)
    return part


def _check_names(schema: pa.Schema) -> None:
    seen: dict[str, str] = {}
    if not len(schema):
        msg = "the rows have no columns; a table needs at least one"
        raise TableSchemaError(msg)
    for name in schema.names:
        if not name or name != name.strip() or not name.isprintable():
            msg = f"column name {name!r} is empty, padded or holds control characters; rename it"
            raise TableSchemaError(msg)
        if name.lower() in seen:
            msg = f"columns {seen[name.lower()]!r} and {name!r} are one name to SQL; rename one"
            raise TableSchemaError(msg)
        seen[name.lower()] = name


def _check_fits(field: pa.Field, kept: pa.DataType) -> None:
    """Allow the stored type, a narrower number of the same kind, and columns of NULLs."""
    kind = field.type
    if pa.types.is_null(kind) or kept_type(kind) == kept:
        return
    integers = pa.types.is_integer(kind) and pa.types.is_integer(kept)
    floats = pa.types.is_floating(kind) and pa.types.is_floating(kept)
    if (integers or floats) and kind.bit_width <= kept.bit_width:
        return
    msg = (
        f"column {field.name!r} is {kind} in these rows and {kept} in the table; cast it, or "
        "rebuild the table with write()"
    )
    raise TableSchemaError(msg)


def _remedy(field: pa.Field) -> str:
    if pa.types.is_null(field.type):
        return "all its values are NULL: give it a type, for example pa.nulls(n, pa.string())"
    return "cast it to a number, text, a date or a timestamp"
