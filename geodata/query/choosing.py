"""Choose rows by a SQL condition or by their split: which of a source's rows, in its order.

A table that says in a column ``split`` what each row is for is never read as a whole by accident:
whoever reads it to train says which rows, or is told what there is to choose from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import files
from geodata.files import Source
from geodata.query.errors import QueryError
from geodata.query.running import run
from geodata.query.statements import parsed_nodes
from geodata.query.views import numbers_from_text

SPLIT = "split"
"""Name of the column that says what a row is for."""

ALL = "all"
MOST_SPLITS = 100
_NO_SPLIT = "NULL"
_ROW = "__row_of_source"
_VOLATILE = re.compile(
    r"\b(?:random|uuid|uuidv4|uuidv7|gen_random_uuid|now|today|get_current_time(?:stamp)?|"
    r"transaction_timestamp|nextval|setseed)\s*\(|\bcurrent_(?:date|time|timestamp)\b|\blocaltime",
    re.IGNORECASE,
)
_VOLATILE_FUNCTIONS = {
    "current_localtime", "current_localtimestamp", "gen_random_uuid", "get_current_time",
    "get_current_timestamp", "nextval", "now", "random", "setseed", "today",
    "transaction_timestamp", "txid_current", "uuid", "uuidv4", "uuidv7",
}  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What a condition says of each row; shapes (rows,)."""

    true: NDArray[np.bool_]
    null: NDArray[np.bool_]
    """Where it says neither true nor false, as SQL does of a comparison with NULL."""


def true_rows(source: Source, where: str) -> Truth:
    """Return which rows of a source a SQL condition is true for, in the order of the source.

    Parameters
    ----------
    source
        Rows; the columns that the condition names are read.
    where
        What would follow WHERE, over the table ``rows``: ``country_code = 'JP' AND lat > 35``.
        It runs on the closed connection of `geodata.query.run`, so it reads nothing else.

    Raises
    ------
    QueryError
        If it is no condition, DuckDB refuses it, or it depends on chance or on the clock.

    Examples
    --------
    >>> rows = files.open_source({"country_code": ["FR", "JP", None]})
    >>> true_rows(rows, "country_code = 'JP'").true.tolist()
    [False, True, False]
    """
    if not isinstance(where, str) or not where.strip():
        msg = f"where={where!r:.80} is no condition; give SQL such as country_code = 'JP'"
        raise QueryError(msg)
    # the line break ends a comment that the condition may end with
    sql = f'SELECT "{_ROW}" AS row, CAST(({where}\n) AS BOOLEAN) AS said FROM rows'
    found = _VOLATILE.search(where)
    if word := found[0].rstrip("( ") if found else _volatile_in(sql):
        msg = (
            f"where={where!r:.200} uses {word}, which says something else each time; a choice that "
            "can be repeated depends on the rows only"
        )
        raise QueryError(msg)
    table = _named_columns(source, where)
    n = table.num_rows
    numbered = table.append_column(_ROW, pa.array(np.arange(n)))
    said = run(sql, files={"rows": numbered})
    rows = np.asarray(said["row"])
    if said.column_names != ["row", "said"] or not np.array_equal(np.sort(rows), np.arange(n)):
        msg = f"where={where!r:.200} is no condition on single rows; give SQL such as lat > 35"
        raise QueryError(msg)
    true, null = np.zeros(n, bool), np.zeros(n, bool)
    true[rows] = np.asarray(pc.fill_null(said["said"], False)).astype(bool)
    null[rows] = np.asarray(pc.is_null(said["said"])).astype(bool)
    return Truth(true, null)


def _volatile_in(sql: str) -> str | None:
    """Return what in a query is of chance or of the clock, however it is written."""
    import duckdb

    try:
        with duckdb.connect() as con:
            nodes = parsed_nodes(con, sql)
    except QueryError:  # it is told when it is run
        return None
    for node in nodes:
        name = str(node.get("function_name")).casefold()
        given = node.get("arguments", node.get("children")) or ()
        # with one argument, how long ago that is; with two, how long one is before the other
        if name in _VOLATILE_FUNCTIONS or (name == "age" and len(given) < 2):
            return name
        if node.get("sample"):
            return "SAMPLE"
    return None


def choose(
    source: Source, split: str | None = None, where: str | None = None
) -> NDArray[np.bool_] | None:
    """Return which rows to read, shape (rows,), or None for every row.

    Parameters
    ----------
    source
        Rows. If they have a text column ``split``, ``split`` must be given, or a ``where`` that
        names that column.
    split
        A value of the column ``split``, several with commas between, or ``all``, which also takes
        the rows where it is NULL.
    where
        A condition as in `true_rows`; both must hold.

    Raises
    ------
    QueryError
        For a table with splits and no choice, a split that is not there, both with the choices
        and their rows; a condition that cannot be run; or a choice of no row.

    Examples
    --------
    >>> rows = files.open_source({"split": ["train", "test", None], "lat": [1.0, 2.0, 3.0]})
    >>> choose(rows, "train").tolist(), choose(rows, "all") is None
    ([True, False, False], True)
    >>> choose(rows)
    Traceback (most recent call last):
        ...
    geodata.query.errors.QueryError: table has splits (test 1, train 1, NULL 1 rows); choose \
one, several with commas between, or all
    """
    keep = _of_split(source, split, where)
    if where is not None:
        said = true_rows(source, where).true
        keep = said if keep is None else keep & said
    if keep is not None and len(keep) and not keep.any():
        asked = [f"split={split!r}"] * (split is not None) + [f"where={where!r}"] * bool(where)
        msg = f"{source.name}: none of its {len(keep):,} rows is left with {' and '.join(asked)}"
        raise QueryError(msg)
    return keep


def split_counts(source: Source) -> dict[str | None, int]:
    """Return the rows of each split, NULL last; empty where no text column has that name.

    Examples
    --------
    >>> split_counts(files.open_source({"split": ["test", None, "test"]}))
    {'test': 2, None: 1}
    """
    return _counted(_splits(source))


def _of_split(source: Source, split: str | None, where: str | None) -> NDArray[np.bool_] | None:
    column = _splits(source)
    if column is None:
        if split in (None, ALL):
            return None
        msg = (
            f"{source.name} has no column 'split', so split={split!r} names nothing; its columns "
            f"are {', '.join(source.columns[:30])}; the recipe 'split' makes one"
        )
        raise QueryError(msg)
    counts = _counted(column)
    if split is None:
        if not counts or (where is not None and re.search(r"\bsplit\b", where, re.IGNORECASE)):
            return None
        msg = (
            f"{source.name} has splits ({_told(counts)} rows); choose one, several with commas "
            "between, or all"
        )
        raise QueryError(msg)
    if split == ALL and ALL not in counts:
        return None
    wanted = [split] if split in counts else [name.strip() for name in split.split(",")]
    unknown = [name for name in wanted if name not in counts]
    if unknown:
        msg = (
            f"{source.name} has no split {unknown[0]!r}; it has {_told(counts)} rows; 'all' takes "
            "every row"
        )
        raise QueryError(msg)
    return np.asarray(pc.is_in(column, pa.array(wanted, pa.string()))).astype(bool)


def _splits(source: Source) -> pa.ChunkedArray | None:
    """Return the column ``split`` if there is one and it is text."""
    if SPLIT not in source.columns:
        return None
    parts = [chunk for table in source.tables([SPLIT]) for chunk in table[SPLIT].chunks]
    kinds = {part.type.value_type if pa.types.is_dictionary(part.type) else part.type
             for part in parts}  # fmt: skip
    if not all(map(_is_text, kinds)):
        return None
    return pa.chunked_array([part.cast(pa.string()) for part in parts], pa.string())


def _is_text(kind: pa.DataType) -> bool:
    return any(is_(kind) for is_ in (pa.types.is_string, pa.types.is_large_string,
                                     pa.types.is_string_view, pa.types.is_null))  # fmt: skip


def _counted(column: pa.ChunkedArray | None) -> dict[str | None, int]:
    if column is None:
        return {}
    counts = {one["values"]: one["counts"] for one in pc.value_counts(column).to_pylist()}
    if set(counts) <= {None}:
        return {}
    if len(counts) > MOST_SPLITS:
        msg = (
            f"the column 'split' has {len(counts):,} values, more than {MOST_SPLITS}: it divides "
            "no dataset; rename it"
        )
        raise QueryError(msg)
    return dict(sorted(counts.items(), key=lambda item: (item[0] is None, item[0])))


def _told(counts: dict[str | None, int]) -> str:
    return ", ".join(f"{_NO_SPLIT if k is None else k} {n:,}" for k, n in counts.items())


def _named_columns(source: Source, where: str) -> pa.Table:
    """Read the columns whose names occur in a condition; all that hold no bytes if none does."""
    text = where.lower()
    names = [name for name in source.columns if name.lower() in text]
    if source.schema is not None:
        plain = [f.name for f in source.schema if not _holds_bytes(f.type)]
    else:
        plain = list(source.columns)
    return typed_rows(source, names or plain)


def typed_rows(source: Source, columns: list[str] | None = None) -> pa.Table:
    """Read rows as SQL sees them: numbers where a text format holds nothing else.

    Examples
    --------
    >>> typed_rows(files.open_source({"a": [1, 2]}), ["a"])["a"].to_pylist()
    [1, 2]
    """
    tables = list(source.tables(columns))
    if not tables:
        empty: Any = source.no_rows()
        return empty if columns is None else empty.select(columns)
    table = pa.concat_tables(tables, promote_options="permissive")
    if source.kind in ("csv", "tsv"):
        return numbers_from_text(table)
    return files.typed(table, source.kinds()) if source.kind in ("jsonl", "json") else table


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_nested(kind):
        return any(_holds_bytes(kind.field(i).type) for i in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
