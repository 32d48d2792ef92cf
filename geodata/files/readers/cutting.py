"""Pieces of a table: few enough rows that, written out, they stay within a number of bytes.

A text that a dictionary holds once and a million rows name is a million texts once it is plain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import buffers
from geodata.files.formats import FileError

PIECE_BYTES = 1 << 25
"""Most bytes of a piece: a batch of ordinary rows is far below, and is one piece."""

MAX_ROW_BYTES = 1 << 28
"""A single row that is larger is no row of a table."""

BOMB_RATIO, BOMB_ROW_BYTES, FREE_BYTES = 100, 1 << 12, 1 << 29
"""A file that unfolds into more than `FREE_BYTES` and so many times its size, in rows longer than
a page of text, is a bomb; a million rows with the same question are none."""


def pieces(table: pa.Table, where: str, most: int | None = None) -> Iterator[pa.Table]:
    """Yield the rows in order, each time as many as unfold into at most that many bytes.

    Parameters
    ----------
    table
        Any columns; dictionaries count with what their codes stand for, also inside nested ones.
    where
        What an error names.
    most
        Bytes, `PIECE_BYTES` by default. A row that is larger comes alone.

    Raises
    ------
    FileError
        For a row of more than `MAX_ROW_BYTES`.

    Examples
    --------
    >>> words = pa.array(["x" * 1000] * 100).dictionary_encode()
    >>> [piece.num_rows for piece in pieces(pa.table({"word": words}), "a table", 25_000)]
    [25, 25, 25, 25]
    """
    yield from _cut(table, _sizes(table, where, most), most)


def pieces_of_file(tables: Iterable[pa.Table], where: str, size: int) -> Iterator[pa.Table]:
    """Yield all rows of a file in `pieces`, unless it is a bomb.

    Parameters
    ----------
    tables
        Its rows as they are held, dictionaries as such.
    where
        What an error names.
    size
        Bytes of the file.

    Raises
    ------
    FileError
        If it unfolds into far more than its size, in long rows.
    """
    rows = unfolded = 0
    for table in tables:
        sizes = _sizes(table, where, None)
        rows += table.num_rows
        unfolded += table.nbytes if sizes is None else int(sizes.sum())
        if unfolded > max(FREE_BYTES, BOMB_RATIO * size) and unfolded > BOMB_ROW_BYTES * rows:
            msg = f"{where}: {rows} rows unfold from {size} bytes into {unfolded >> 20} MiB"
            raise FileError(f"{msg}; the file is a bomb, not a table")
        yield from _cut(table, sizes, None)


def _sizes(table: pa.Table, where: str, most: int | None) -> NDArray[np.int64] | None:
    """Return the bytes of each row, written out; None if the table is one piece as it is."""
    if table.nbytes <= (most or PIECE_BYTES) and not any(_unfolds(f.type) for f in table.schema):
        return None
    size = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        start = 0
        for chunk in column.chunks:
            size[start : start + len(chunk)] += row_bytes(chunk)
            start += len(chunk)
    if len(size) and size.max() > MAX_ROW_BYTES:
        msg = f"{where}: a row unfolds into {size.max() >> 20} MiB, more than a row may hold"
        raise FileError(f"{msg} ({MAX_ROW_BYTES >> 20}); leave out the column that is so large")
    return size


def _cut(table: pa.Table, size: NDArray[np.int64] | None, most: int | None) -> Iterator[pa.Table]:
    if size is None:
        yield table
        return
    ends, start = np.cumsum(size), 0
    while start < table.num_rows:
        bound = (ends[start - 1] if start else 0) + (most or PIECE_BYTES)
        stop = max(start + 1, int(np.searchsorted(ends, bound, side="right")))
        yield table.slice(start, stop - start)
        start = stop


def gathered(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Yield the rows of small tables as larger ones: up to ``rows``, or `PIECE_BYTES` as they are.

    Examples
    --------
    >>> small = (pa.table({"a": [i]}) for i in range(5))
    >>> [table.num_rows for table in gathered(small, 2)]
    [2, 2, 1]
    """
    held: list[pa.Table] = []
    count = size = 0
    for table in tables:
        full = count + table.num_rows > rows or size + table.nbytes > PIECE_BYTES
        if held and (full or table.schema != held[0].schema):
            yield _one(held)
            held, count, size = [], 0, 0
        held.append(table)
        count, size = count + table.num_rows, size + table.nbytes
    if held:
        yield _one(held)


def _one(tables: list[pa.Table]) -> pa.Table:
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables).combine_chunks()


def row_bytes(column: Any) -> NDArray[np.int64]:
    """Return the bytes of each value of an array, written out, shape (n,).

    Examples
    --------
    >>> row_bytes(pa.array(["abc", None, "x"]).dictionary_encode()).tolist()
    [3, 0, 1]
    >>> row_bytes(pa.array([{"a": [1.0, 2.0], "b": "xyz"}])).tolist()
    [19]
    """
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return row_bytes(column.storage)
    if pa.types.is_dictionary(kind):
        each = buffers.column(row_bytes(column.dictionary))
        return buffers.numbers(pc.take(each, column.indices), absent=0)
    if pa.types.is_struct(kind):
        inner = (row_bytes(child) for child in column.flatten())
        return sum(inner, np.zeros(len(column), np.int64))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind):
        return _of_lists(column.values, buffers.numbers(column.offsets))
    if pa.types.is_fixed_size_list(kind):
        start = column.offset * kind.list_size
        bounds = start + np.arange(len(column) + 1, dtype=np.int64) * kind.list_size
        return _of_lists(column.values, bounds)
    if _is_text(kind):
        return buffers.numbers(pc.binary_length(column), absent=0).astype(np.int64)
    width = column.nbytes / max(1, len(column))  # views, unions: what they hold on average
    with_width = kind.bit_width / 8 if _is_fixed(kind) else width
    return np.full(len(column), int(with_width), np.int64)


def _of_lists(values: Any, bounds: NDArray[Any]) -> NDArray[np.int64]:
    if _is_fixed(values.type):
        found: NDArray[np.int64] = np.diff(bounds).astype(np.int64) * values.type.bit_width // 8
        return found
    ends = np.concatenate([[0], np.cumsum(row_bytes(values))])
    return np.asarray(ends[bounds[1:]] - ends[bounds[:-1]], np.int64)


def _is_text(kind: pa.DataType) -> bool:
    is_ = pa.types
    return any(
        tell(kind)
        for tell in (is_.is_string, is_.is_binary, is_.is_large_string, is_.is_large_binary)
    )


def _is_fixed(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind) or pa.types.is_nested(kind):
        return False
    try:
        return bool(kind.bit_width)
    except ValueError:
        return False


def _unfolds(kind: pa.DataType) -> bool:
    """Return whether a dictionary is in a type, at any depth."""
    if pa.types.is_dictionary(kind):
        return True
    return any(_unfolds(kind.field(i).type) for i in range(kind.num_fields))
