"""Views on a DuckDB connection: files read with our code, and the versions of Delta tables."""

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

    Source: TypeAlias = str | os.PathLike[str] | pa.Table
    Sources: TypeAlias = Mapping[str, Source] | Iterable[str | os.PathLike[str]]


def add_files(con: duckdb.DuckDBPyConnection, given: Sources | None, names: set[str]) -> None:
    """Make a view of each file or Arrow table, see `geodata.query.connect`.

    Parameters
    ----------
    con
        Not yet locked.
    given
        A mapping of view name to file or table, or paths.
    names
        View names taken so far, in lower case; grows.
    """
    for name, source in _named(given).items():
        _claim(name, names)
        _add_source(con, name, source)


def add_lake(con: duckdb.DuckDBPyConnection, lake: Path, names: set[str]) -> list[str]:
    """Make a view of each table and each of its versions; return the files they read."""
    from geodata import tables

    if (lake / "_delta_log").is_dir():
        folders = [lake]
    else:
        folders = [lake / name for name in tables.names(lake)]
    opened = [_add_table(con, folder, names) for folder in folders]
    return sorted(set().union(*opened))


def view_name(path: str | os.PathLike[str]) -> str:
    """Return the view name of a file: its stem with anything but letters and digits as ``_``.

    Examples
    --------
    >>> view_name("runs/preds.parquet"), view_name("2026 run-1.csv")
    ('preds', 't_2026_run_1')
    """
    name = re.sub(r"\W", "_", Path(path).stem)
    return name if name and not name[0].isdigit() else f"t_{name}"


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


def _claim(name: str, names: set[str]) -> None:
    if not isinstance(name, str) or not name or "\0" in name:
        msg = f"table name {name!r} is not a non-empty text"
        raise ValueError(msg)
    if name.casefold() in names:
        msg = f"two tables would be named {name!r}; DuckDB ignores case, so rename one"
        raise ValueError(msg)
    names.add(name.casefold())


def _add_source(con: duckdb.DuckDBPyConnection, name: str, source: Source) -> None:
    """Register Arrow data under a name of its own, and a view that reads NaN as NULL."""
    is_data = hasattr(source, "__arrow_c_stream__")
    data = files.as_table(source, f"table {name!r}") if is_data else _open(Path(source))
    hidden = f"__{name}"
    con.register(hidden, data)
    nan_as_null = [
        f"CASE WHEN isfinite({column}) OR isinf({column}) THEN {column} END AS {column}"
        for column in (_name(f.name) for f in data.schema if pa.types.is_floating(f.type))
    ]
    replace = f" REPLACE ({', '.join(nan_as_null)})" if nan_as_null else ""
    con.execute(f"CREATE VIEW {_name(name)} AS SELECT *{replace} FROM {_name(hidden)}")


def _open(path: Path) -> Any:
    """Open a file with our reader; DuckDB itself opens none, and expands no ``*`` in a name."""
    source = files.open_source(path)
    if source.kind == "parquet":
        import pyarrow.dataset as ds

        return ds.dataset([str(part.path) for part in source.parts], format="parquet")
    table = files.read_table(path)
    if source.kind in ("csv", "tsv"):
        return numbers_from_text(table)
    return files.typed(table, source.kinds())


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


def _add_table(con: duckdb.DuckDBPyConnection, folder: Path, names: set[str]) -> set[str]:
    from geodata import tables

    latest, name = tables.open(folder), view_name(folder)
    opened: set[str] = set()
    for commit in tables.history(folder):
        try:
            version = tables.open(folder, commit.version)
        except tables.TableChangedError:
            continue  # an old version whose files were vacuumed; the latest was opened above
        view = f"{name}_v{version.version}"
        _claim(view, names)
        if version.files:
            version.duckdb(con).create_view(view)
        else:
            con.register(view, version.schema.empty_table())
        opened.update(map(str, version.files))
    _claim(name, names)
    con.execute(f"CREATE VIEW {_name(name)} AS FROM {_name(f'{name}_v{latest.version}')}")
    return opened


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
