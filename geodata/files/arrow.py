"""Arrow tables from whatever speaks Arrow, without the view types that few kernels take."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def as_table(value: Any, what: str = "table") -> pa.Table:
    """Return a pyarrow table of a table, record batch or anything with ``__arrow_c_stream__``.

    Text and binary views, which polars hands out and most Arrow kernels refuse, become plain
    text and binary; every other type stays.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> as_table(pa.table({"a": pa.array(["x"], pa.string_view())})).schema.field("a").type
    DataType(string)
    """
    if isinstance(value, pa.Table):
        table = value
    elif hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__"):
        table = pa.table(value)
    else:
        msg = (
            f"{what} is {type(value).__name__}; expected a pyarrow.Table or anything with "
            "__arrow_c_stream__ (polars, pandas, a DuckDB relation)"
        )
        raise TypeError(msg)
    for i, field in enumerate(table.schema):
        kind = without_views(field.type)
        if kind != field.type:
            column = pa.chunked_array([cast(c, kind) for c in table[i].chunks], kind)
            table = table.set_column(i, field.with_type(kind), column)
    return table


def without_views(kind: pa.DataType) -> pa.DataType:
    """Return the type with text, binary and list views replaced by the plain types.

    Examples
    --------
    >>> without_views(pa.list_(pa.string_view()))
    ListType(list<item: string>)
    """
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, without_views(kind.value_type), kind.ordered)
    if pa.types.is_struct(kind):
        return pa.struct([f.with_type(without_views(f.type)) for f in kind])
    if pa.types.is_map(kind):
        return pa.map_(without_views(kind.key_type), without_views(kind.item_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(without_views(kind.value_type), kind.list_size)
    if pa.types.is_large_list(kind):
        return pa.large_list(without_views(kind.value_type))
    if pa.types.is_list(kind) or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return pa.list_(without_views(kind.value_type))
    return kind


def plain_column(column: Any) -> Any:
    """Return a column without dictionary, view or extension type; its values stay.

    Examples
    --------
    >>> plain_column(pa.array(["x", "x"]).dictionary_encode()).type
    DataType(string)
    """
    if isinstance(column, pa.ChunkedArray):
        if not column.num_chunks:
            return column if column.type == without_views(column.type) else _empty(column.type)
        return pa.chunked_array([plain_column(chunk) for chunk in column.chunks])
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        return cast(column, without_views(column.type.value_type))
    kind = without_views(column.type)
    return column if kind == column.type else cast(column, kind)


def _empty(kind: pa.DataType) -> pa.Array:
    return pa.array([], without_views(kind))


def cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cast an array, also dictionaries whose values are views.

    Examples
    --------
    >>> words = pa.array(["x", "x"]).dictionary_encode()
    >>> cast(words, pa.string()).to_pylist()
    ['x', 'x']
    """
    if not pa.types.is_dictionary(array.type):
        return array.cast(kind)
    values = array.dictionary.cast(without_views(array.type.value_type))
    words = pa.DictionaryArray.from_arrays(array.indices, values, ordered=array.type.ordered)
    return words.cast(kind)


def id_text(column: Any) -> Any:
    """Return an id column as text; empty text becomes NULL.

    Whole floating-point numbers lose their ``.0``, since a photo id was never a fraction.

    Examples
    --------
    >>> id_text(pa.array([7, 1000])).to_pylist(), id_text(pa.array(["1e3", ""])).to_pylist()
    (['7', '1000'], ['1e3', None])
    >>> id_text(pa.array([3228511372.0, None])).to_pylist()
    ['3228511372', None]
    """
    kind = column.type
    if pa.types.is_floating(kind):
        values = column.to_pylist()
        return pa.array([None if v is None or v != v else _plain_float(v) for v in values])
    if pa.types.is_null(kind):
        return pc.cast(column, pa.string())
    if not pa.types.is_string(kind):
        column = pc.cast(column, pa.string())
    length = pc.binary_length(column)
    if pc.min(length).as_py() != 0:  # also where there is no text at all
        return column
    return pc.if_else(pc.equal(length, 0), pa.scalar(None, pa.string()), column)


def _plain_float(value: float) -> str:
    whole = abs(value) < 1e300 and value == int(value)
    return str(int(value)) if whole else repr(value)
