"""Views on a DuckDB connection: files, Arrow tables, and the versions of Delta tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from geodata import coords, files

if TYPE_CHECKING:
    import os

    import duckdb

    from geodata.query.held_files import HeldFiles

    Source: TypeAlias = str | os.PathLike[str] | pa.Table
    Sources: TypeAlias = Mapping[str, Source] | Iterable[str | os.PathLike[str]]


def add_files(
    con: duckdb.DuckDBPyConnection, held: HeldFiles, given: Sources | None, names: set[str]
) -> None:
    """Make a view of each file or Arrow table, see `geodata.query.connect`.

    Parameters
    ----------
    con
        Not yet locked.
    held
        The connection's file system; Parquet files are read through it.
    given
        A mapping of view name to file or table, or paths.
    names
        View names taken so far, in lower case; grows.
    """
    for name, source in _named(given).items():
        claim(name, names)
        _add_source(con, held, name, source)


def view_name(path: str | os.PathLike[str]) -> str:
    """Return the view name of a file: its stem with anything but letters and digits as ``_``.

    Examples
    --------
    >>> view_name("runs/preds.parquet"), view_name("2026 run-1.csv")
    ('preds', 't_2026_run_1')
    """
    name = re.sub(r"\W", "_", Path(path).stem)
    return name if name and not name[0].isdigit() else f"t_{name}"


def claim(name: str, names: set[str]) -> None:
    """Take a name for a view.

    Raises
    ------
    ValueError
        If it is taken, in whatever case, or is no name.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        msg = f"table name {name!r} is not a non-empty text"
        raise ValueError(msg)
    if name.casefold() in names:
        msg = f"two tables would be named {name!r}; DuckDB ignores case, so rename one"
        raise ValueError(msg)
    names.add(name.casefold())


def _named(given: Sources | None) -> dict[str, Source]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, str | Path):
        given = [given]
    named: dict[str, Source] = {}
    for path in given:
        name = view_name(path)
        if name in named:
            msg = (
                f"{named[name]} and {path} would both be the table {name!r}; name them: "
                "files={'a': ..., 'b': ...}"
            )
            raise ValueError(msg)
        named[name] = path
    return named


def _add_source(con: duckdb.DuckDBPyConnection, held: HeldFiles, name: str, source: Source) -> None:
    """Make a view of a source that reads NaN as NULL."""
    is_data = hasattr(source, "__arrow_c_stream__")
    opened = None if is_data else files.open_source(Path(source))
    if opened is not None and opened.kind == "parquet":
        paths = held.hold(name, [Path(part.path) for part in opened.parts])
        rows = con.read_parquet(paths, union_by_name=True, hive_partitioning=False)
    else:
        # Arrow data is registered under a name of its own, which keeps it alive
        con.register(f"__{name}", _in_memory(name, source, opened))
        rows = con.sql(f"FROM {_name(f'__{name}')}")
    columns = [
        f"CASE WHEN isfinite({column}) OR isinf({column}) THEN {column} END AS {column}"
        if str(kind) in ("FLOAT", "DOUBLE")
        else column
        for column, kind in zip(map(_name, rows.columns), rows.types, strict=True)
    ]
    rows.project(", ".join(columns)).create_view(name)


def _in_memory(name: str, source: Source, opened: files.Source | None) -> pa.Table:
    """Read a source with our reader; DuckDB itself opens none, and expands no ``*`` in a name."""
    if opened is None:
        return files.as_table(source, f"table {name!r}")
    kinds = opened.kinds()  # reads all of a JSON file, so that its late keys are known
    table = files.read_table(Path(source), list(kinds) or None)
    if opened.kind in ("csv", "tsv"):
        return numbers_from_text(table)
    return files.typed(table, kinds)


def numbers_from_text(table: pa.Table) -> pa.Table:
    """Make numbers of the columns that hold nothing else and are not named like an id."""
    for i, field in enumerate(table.schema):
        if files.is_name(field.name):
            continue
        column = table.column(i)
        parsed = coords.parse_numbers(column)
        if parsed.null_count == column.null_count and pc.any(pc.is_valid(column)).as_py():
            table = table.set_column(i, field.name, parsed)
    return table


def _name(identifier: Any) -> str:
    return '"' + str(identifier).replace('"', '""') + '"'
