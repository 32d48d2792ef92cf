"""A DuckDB connection with the project's macros, metrics and audits, and data as views.

Every table of a lake and every given file is a view. The connection is locked once they are
there: SQL that runs on it opens no other file and no socket, loads no extension and changes no
setting. Statements of strangers go through `run`, which takes one query and nothing else.
"""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from geodata.errors import GeodataError
from geodata.query.views import add_files, add_lake, view_name

if TYPE_CHECKING:
    import os

    import duckdb

    from geodata.query.views import Sources

SQL_FOLDERS = ("macros", "metrics", "audits")
"""In the order in which they are loaded: metrics use macros."""

__all__ = ["QueryError", "connect", "load_sql", "run", "sql_folder", "view_name"]


class QueryError(GeodataError, ValueError):
    """SQL that cannot be run as asked: says what was given and what is allowed."""


def connect(
    lake: str | os.PathLike[str] | None = None,
    *,
    files: Sources | None = None,
    memory_limit: str | None = None,
    threads: int | None = None,
    locked: bool = True,
) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with ``sql/`` loaded and data as views.

    Parameters
    ----------
    lake
        A folder of Delta tables, or one Delta table. Table ``photos`` becomes the view
        ``photos`` (its latest version) and one view a version: ``photos_v0``, ``photos_v1``.
    files
        CSV, TSV, Parquet or JSONL files, or Arrow tables: a mapping of view name to file, or
        paths, which are named by `view_name`. NaN reads as NULL. Columns of a CSV are text,
        save those that are numbers in every row and not named like an id.
    memory_limit
        Such as '2GB'; DuckDB's default is 80% of the machine. Larger work spills to disk.
    threads
        Default: every core. Sums of floats and unordered rows repeat exactly only with 1.
    locked
        False leaves settings and file access open, for your own code only. A locked connection
        still lets COPY overwrite the lake's own files: give strangers `run`, which does not.

    Returns
    -------
    duckdb.DuckDBPyConnection
        In memory; tables that you create last as long as the connection.

    Raises
    ------
    FileError
        If a file cannot be read.
    TableError
        If the lake or a table in it cannot be read.
    ValueError
        If two files would have the same view name.

    Examples
    --------
    >>> joined = pa.table({"lat": [0.0, 0.0], "lon": [0.0, 0.0],
    ...                    "pred_lat": [0.1, None], "pred_lon": [0.0, None]})
    >>> with connect(files={"joined": joined}) as con:
    ...     con.sql("SELECT threshold_km, accuracy FROM threshold_accuracy('joined')").fetchall()
    [(1.0, 0.0), (25.0, 0.5), (200.0, 0.5), (750.0, 0.5), (2500.0, 0.5)]
    """
    import duckdb

    con = duckdb.connect(":memory:")
    try:
        _configure(con, memory_limit, threads)
        load_sql(con)
        names: set[str] = set()
        opened = [] if lake is None else add_lake(con, Path(lake), names)
        add_files(con, files, names)
        if locked:
            _lock(con, opened)
    except BaseException:
        con.close()
        raise
    return con


def run(
    sql: str,
    *,
    lake: str | os.PathLike[str] | None = None,
    files: Sources | None = None,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> pa.Table:
    """Run one query of a user on the given data and nothing else.

    Parameters
    ----------
    sql
        One SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE or SHOW statement.
    lake, files, memory_limit, threads
        As in `connect`.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    QueryError
        For no statement, several, one that is not a query, or one that DuckDB refuses.
    FileError, TableError, ValueError
        As in `connect`.

    Examples
    --------
    >>> run("SELECT round(haversine_km(0, 0, 0, 1), 3) AS km").to_pylist()
    [{'km': 111.195}]
    >>> run("COPY (SELECT 1) TO 'out.csv'")
    Traceback (most recent call last):
        ...
    geodata.query.connection.QueryError: a COPY statement cannot be run here; give one SELECT, ...
    """
    import duckdb

    with connect(lake, files=files, memory_limit=memory_limit, threads=threads) as con:
        try:
            result: pa.Table = con.sql(_only_query(sql)).to_arrow_table()
        except duckdb.Error as error:
            views = ", ".join(row[0] for row in con.execute("SHOW TABLES").fetchall())
            msg = f"{error}\nthe tables are: {views or '(none)'}"
            raise QueryError(msg) from error
    return result


def sql_folder() -> Path:
    """Return the folder of the SQL objects: in the wheel ``geodata/sql``, else beside geodata.

    Raises
    ------
    FileNotFoundError
        If neither is there.

    Examples
    --------
    >>> sorted(p.name for p in (sql_folder() / "metrics").glob("threshold_accuracy.sql"))
    ['threshold_accuracy.sql']
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "sql", package.parent / "sql"):
        if (folder / "macros").is_dir():
            return folder
    msg = f"no sql folder in {package} or beside it; install geodata-georl again"
    raise FileNotFoundError(msg)


def load_sql(con: duckdb.DuckDBPyConnection) -> None:
    """Create every object of ``sql/`` on a DuckDB connection of your own.

    Examples
    --------
    >>> import duckdb
    >>> con = duckdb.connect()
    >>> load_sql(con)
    >>> con.sql("SELECT within_km(0, 0, 0, 1, 112)").fetchall()
    [(True,)]
    """
    for folder in SQL_FOLDERS:
        for path in sorted((sql_folder() / folder).glob("*.sql")):
            con.execute(path.read_text(encoding="utf-8"))


def _configure(
    con: duckdb.DuckDBPyConnection, memory_limit: str | None, threads: int | None
) -> None:
    # DuckDB makes this folder when it first spills and removes it when it closes.
    spill = Path(tempfile.gettempdir()) / f"geodata-{uuid.uuid4().hex}"
    con.execute(f"SET temp_directory = {_text(spill)}")
    if threads is not None:
        con.execute(f"SET threads = {int(threads)}")
    if memory_limit is not None:
        con.execute(f"SET memory_limit = {_text(memory_limit)}")
    for option in ("autoinstall_known_extensions", "autoload_known_extensions"):
        con.execute(f"SET {option} = false")
    con.execute("SET allow_community_extensions = false")
    con.execute("SET enable_progress_bar = false")
    con.execute("SET python_enable_replacements = false")  # no Python variable is a table


def _lock(con: duckdb.DuckDBPyConnection, opened: list[str]) -> None:
    """Close the door; the order matters, since each setting needs the ones after it open."""
    if opened:
        con.execute(f"SET allowed_paths = [{', '.join(map(_text, opened))}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _only_query(sql: str) -> Any:
    import duckdb

    statements = duckdb.extract_statements(sql)
    if len(statements) != 1:
        msg = f"found {len(statements)} statements; give one SELECT"
        raise QueryError(msg)
    if not _is_select(statements[0]):
        word = sql.split(maxsplit=1)[0].upper()
        msg = f"a {word} statement cannot be run here; give one SELECT, DESCRIBE or SUMMARIZE"
        raise QueryError(msg)
    return statements[0]


def _is_select(statement: Any) -> bool:
    import duckdb

    try:
        return bool(statement.type == duckdb.StatementType.SELECT)
    except ValueError:  # a kind that DuckDB's Python package has no name for
        return False


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
