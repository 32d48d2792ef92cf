"""Columns of names: each distinct combination is looked up once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.gazetteer.points import by_names, code_names
from geodata.gazetteer.text import is_name

COLUMNS = ("country_code", "admin1_code", "city")

PLACE_COLUMNS = {
    "lat": pa.float64(), "lon": pa.float64(), "code": pa.string(), "name": pa.string(),
    "level": pa.string(), "ambiguous": pa.bool_(),
}  # fmt: skip


def texts(values: Any) -> list[str | None]:
    """Return the values of a column as text, None where they are not text.

    Examples
    --------
    >>> texts(["Mali", None, 7.5])
    ['Mali', None, None]
    """
    found: list[str | None] = text_array(values).to_pylist()
    return found


def text_array(values: Any) -> pa.Array:
    """Return a column as an Arrow string array, shape (n,), NULL where a value is not text.

    Raises
    ------
    ValueError
        If it is a single value.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        if is_text or pa.types.is_string_view(kind):
            return values.cast(pa.string())
        return pa.nulls(len(values), pa.string())
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        msg = f"expected a column of names, got {values!r:.80}; wrap one name in a list"
        raise ValueError(msg)
    return pa.array([v if isinstance(v, str) else None for v in values], pa.string())


def code_table(country: Any, admin1: Any, city: Any) -> pa.Table:
    """Return the codes of columns of names; see `geodata.gazetteer.codes`."""
    row, distinct = _distinct_names(country, admin1, city)
    found = [code_names(*names) for names in distinct]
    unique = pa.table(
        {name: pa.array([f[at] for f in found], pa.string()) for at, name in enumerate(COLUMNS)}
    )
    return unique.take(pa.array(row))


def place_table(country: Any, admin1: Any, city: Any) -> pa.Table:
    """Return the places of columns of names; see `geodata.gazetteer.places`."""
    row, distinct = _distinct_names(country, admin1, city)
    found = [by_names(*(name if is_name(name) else None for name in names)) for names in distinct]
    unique = pa.table(
        {
            name: pa.array(
                [None if place is None else getattr(place, name) for place in found], kind
            )
            for name, kind in PLACE_COLUMNS.items()
        }
    )
    return unique.take(pa.array(row))


def _distinct_names(
    country: Any, admin1: Any, city: Any
) -> tuple[NDArray[np.int64], list[tuple[str | None, ...]]]:
    """Return the number of each row's combination of names, and the distinct combinations."""
    columns = [None if c is None else text_array(c) for c in (country, admin1, city)]
    lengths = sorted({len(c) for c in columns if c is not None})
    if len(lengths) != 1:
        what = f"have lengths {lengths}" if lengths else "are all missing"
        msg = f"the columns country, admin1 and city {what}; give columns of one table"
        raise ValueError(msg)
    encoded = [_encoded(c, lengths[0]) for c in columns]
    row, distinct = _combinations([index for index, _ in encoded], [len(v) for _, v in encoded])
    return row, [
        tuple(names[i] for (_, names), i in zip(encoded, combination, strict=True))
        for combination in distinct
    ]


def _encoded(column: pa.Array | None, rows: int) -> tuple[NDArray[np.int64], list[str | None]]:
    """Return the number of each row's value, and the values; NULL is the last of them."""
    if column is None:
        return np.zeros(rows, np.int64), [None]
    coded = pc.dictionary_encode(column)
    names: list[str | None] = [*coded.dictionary.to_pylist(), None]
    index = pc.fill_null(coded.indices.cast(pa.int64()), len(names) - 1)
    return index.to_numpy(zero_copy_only=False), names


def _combinations(
    indices: list[NDArray[np.int64]], sizes: list[int]
) -> tuple[NDArray[np.int64], list[tuple[int, ...]]]:
    """Return the number of each row's combination, and the distinct combinations."""
    packed = indices[0]
    for index, size in zip(indices[1:], sizes[1:], strict=True):
        packed = np.unique(packed * size + index, return_inverse=True)[1]
    _, first, row = np.unique(packed, return_index=True, return_inverse=True)
    columns = [index[first].tolist() for index in indices]
    return row, list(zip(*columns, strict=True))
