"""Run the SQL audits that fit a dataset: each returns the rows that should not be there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geodata import popular, query
from geodata.tables import Input, TableVersion

if TYPE_CHECKING:
    import duckdb

SHOWN = 100
"""Most offending rows that an audit keeps; all are counted."""

_MEMORY, _THREADS = "384MB", 4
"""Of DuckDB; what needs more spills to disk. Each thread needs some of it."""

_RESOLUTION = 5


@dataclass(frozen=True)
class Audit:
    """What one audit found."""

    name: str
    """Of the file in ``sql/audits`` and of the macro."""
    offending: int
    rows: pa.Table
    """The first of the offending rows."""


def run_audits(
    version: TableVersion, note: Mapping[str, Any], opened: Mapping[str, Input]
) -> tuple[Audit, ...]:
    """Return the results of the audits that fit the recipe of a version.

    Parameters
    ----------
    version
        What was built; its note may not say so yet.
    note
        Recipe and parameters.
    opened
        Its inputs by role.
    """
    import duckdb

    pa.default_memory_pool().release_unused()  # what writing the rows left
    with (
        tempfile.TemporaryDirectory(prefix="geodata-") as spill,
        duckdb.connect() as con,
        query.Hearing(con) as hearing,
    ):

        def audited() -> tuple[Audit, ...]:
            con.execute("SET enable_progress_bar = false")
            con.execute(f"SET memory_limit = '{_MEMORY}'")
            con.execute(f"SET threads = {_THREADS}")
            con.execute("SET temp_directory = ?", [spill])
            query.load_sql(con)
            version.duckdb(con).create_view("rows_")
            return tuple(_run(con, *call) for call in _calls(con, version, note, opened))

        return hearing.step(audited)


_Call = tuple[str, str, list[Any]]


def _calls(
    con: duckdb.DuckDBPyConnection,
    version: TableVersion,
    note: Mapping[str, Any],
    opened: Mapping[str, Input],
) -> Iterator[_Call]:
    """Yield the name of each audit that applies, its call, and values for it."""
    recipe, names, numbers = note["recipe"], set(version.schema.names), _numbers(version.schema)
    is_placed = {"lat", "lon"} <= numbers
    if "photo_id" in names:
        yield "dataset_duplicate_ids", "dataset_duplicate_ids('rows_')", []
    if recipe == "labelled":
        yield "dataset_null_country", "dataset_null_country('rows_')", []
    if recipe in ("rand", "popular", "hard", "split") and is_placed:
        yield "dataset_bad_coordinates", "dataset_bad_coordinates('rows_')", []
    more: Mapping[str, Callable[[], Iterator[_Call]]] = {
        "hard": lambda: _hard(con, numbers, note["parameters"]["radius_km"], opened["popular"]),
        "split": lambda: _split(con, names),
        "exclude-benchmark": lambda: _excluded(con, names, note, opened["benchmark"]),
    }
    if recipe in more and is_placed:
        yield from more[recipe]()


def _run(con: duckdb.DuckDBPyConnection, name: str, call: str, values: list[Any]) -> Audit:
    counted = con.execute(f"SELECT count(*) FROM {call}", values).fetchall()
    offending = int(counted[0][0])
    shown = con.sql(f"FROM {call} LIMIT {SHOWN if offending else 0}", params=values)
    return Audit(name, offending, shown.to_arrow_table())


def _hard(
    con: duckdb.DuckDBPyConnection, numbers: set[str], radius_km: float, places: Input
) -> Iterator[_Call]:
    if "h3_5" not in numbers:
        return
    found = [points for points, _ in places.points()]
    lat, lon = (np.concatenate([p[i] for p in found]) for i in range(2))
    cells = popular.cells(lat, lon, radius_km, _RESOLUTION)
    con.register("popular_cells", cells)
    con.register("popular_points", popular.cell_points(cells, lat, lon, radius_km))
    con.execute("CREATE VIEW hard_cells AS SELECT *, h3_5 AS cell FROM rows_")
    call = "dataset_near_popular('hard_cells', 'popular_cells', 'popular_points', ?)"
    yield "dataset_near_popular", call, [radius_km]


def _split(con: duckdb.DuckDBPyConnection, names: set[str]) -> Iterator[_Call]:
    con.execute(f"CREATE VIEW split_rows AS SELECT {_with(names, 'author', 'h3_5')} FROM rows_")
    yield "dataset_split_leaks", "dataset_split_leaks('split_rows')", []


def _excluded(
    con: duckdb.DuckDBPyConnection, names: set[str], note: Mapping[str, Any], benchmark: Input
) -> Iterator[_Call]:
    """Compare columns of the same names, as far as the build had a rule for them."""
    rules = note["parameters"]["by"]
    by_rule = {"photo_id": ["photo_id"], "author": ["author"], "coordinate": ["lat", "lon"]}
    wanted = [column for rule, columns in by_rule.items() if rule in rules for column in columns]
    if benchmark.version is None or "photo_id" not in names:
        return  # a file's columns have other names and types
    columns = ("photo_id", "author", "lat", "lon")
    con.execute(f"CREATE VIEW kept AS SELECT {_with(names, *columns)} FROM rows_")
    numbers = _numbers(benchmark.version.schema)
    held = set(wanted) & set(benchmark.columns) - ({"lat", "lon"} - numbers)
    benchmark.version.duckdb(con).create_view("benchmark_rows")
    shown = ", ".join(c if c in held else f"NULL AS {c}" for c in columns)
    con.execute(f"CREATE VIEW benchmark AS SELECT {shown} FROM benchmark_rows")
    yield "dataset_leaked_rows", "dataset_leaked_rows('kept', 'benchmark')", []


def _numbers(schema: pa.Schema) -> set[str]:
    """Return the columns that hold numbers: places written as text are not compared in SQL."""
    return {
        field.name
        for field in schema
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
    }


def _with(names: set[str], *needed: str) -> str:
    """Select everything, and NULL for the needed columns that are not there."""
    return ", ".join(["*", *(f"NULL AS {n}" for n in needed if n not in names)])
