"""A DuckDB connection with the project's macros, metrics and audits, and data as views.

Every table of a lake and every given file is a view. The connection is locked once they are
there: SQL that runs on it opens no other file and no socket, loads no extension and changes no
setting. Statements of strangers go through `geodata.query.run`, which takes one query and nothing
else.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata import tables
from geodata.query.errors import QueryError
from geodata.query.hearing import Hearing
from geodata.query.held_files import FOLDER, held_files
from geodata.query.labels import add_cor_label
from geodata.query.lakes import LakeViews
from geodata.query.objects import load_sql
from geodata.query.views import add_files

if TYPE_CHECKING:
    import os
    from typing import Self

    import duckdb

    from geodata.query.held_files import HeldFiles
    from geodata.query.views import Sources


class Connection:
    """A DuckDB connection that makes the views of a lake as statements name them.

    Everything that a `duckdb.DuckDBPyConnection` has is there: ``sql``, ``execute``, ``table``,
    ``register``, ``close`` ...; `duckdb` is that connection itself, for code that asks for one.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, lake: LakeViews | None, spill: Path | None = None
    ) -> None:
        self.duckdb = con
        self._lake = lake
        if spill is not None:
            self._tidy = weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)

    def sql(self, query: Any, *args: Any, **options: Any) -> Any:
        """Run a statement; of a query, return a relation."""
        self._make(query)
        return self.duckdb.sql(query, *args, **options)

    def query(self, query: Any, *args: Any, **options: Any) -> Any:
        """Run a statement, as `sql` does."""
        return self.sql(query, *args, **options)

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        """Run statements, ``?`` in them filled from the parameters."""
        self._make(query)
        return self.duckdb.execute(query, *args, **options)

    def table(self, name: str) -> Any:
        """Return a table or view as a relation."""
        self._make(name)
        return self.duckdb.table(name)

    def view(self, name: str) -> Any:
        """Return a view as a relation."""
        self._make(name)
        return self.duckdb.view(name)

    def cursor(self) -> Connection:
        """Return another connection to the same tables and views, for another thread."""
        return Connection(self.duckdb.cursor(), self._lake)

    def interrupt(self) -> None:
        """Stop what runs on it, in whatever thread."""
        self.duckdb.interrupt()

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the lake's tables and of all views made so far."""
        rows = self.duckdb.execute("SHOW TABLES").fetchall()
        made = {row[0] for row in rows if not row[0].startswith("__")}
        return tuple(sorted(made | set(self._lake.names if self._lake else ())))

    def close(self) -> None:
        """Close the connection and remove what it spilled."""
        self.duckdb.close()
        if "_tidy" in vars(self):
            self._tidy()

    def _make(self, query: Any) -> None:
        if self._lake is not None:
            self._lake.make(self.duckdb, str(getattr(query, "query", query)))

    def __getattr__(self, name: str) -> Any:
        if name == "duckdb":  # not yet there, while a copy is made
            raise AttributeError(name)
        return getattr(self.duckdb, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    lake: str | os.PathLike[str] | None = None,
    *,
    files: Sources | None = None,
    memory_limit: str | None = None,
    threads: int | None = None,
    locked: bool = True,
) -> Connection:
    """Return a DuckDB connection with ``sql/`` loaded and data as views.

    Parameters
    ----------
    lake
        A folder of Delta tables, or one Delta table; or a lake in a bucket, ``s3://bucket/lake``,
        whose tables are brought over to ``TMPDIR`` as statements name them. Table ``photos`` is
        the view ``photos`` (its latest version as of now) and one view a version: ``photos_v0``,
        ``photos_v1``. A view is made when a statement first names it. Letters of a table's name
        that SQL does not take are ``_``: ``mp16-hard`` is ``mp16_hard``.
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
        reads the given data and writes nothing but its own spill folder, which goes with it.

    Returns
    -------
    Connection
        In memory; tables that you create last as long as the connection. Beside the macros it
        has ``cor_label(lat, lon)``, the Chain of Region of each row as a STRUCT of country,
        country_code, admin1, admin1_code, admin2, city, city_distance_km, match and offset_km.

    Raises
    ------
    FileError
        If a file cannot be read.
    TableError
        If the lake or a table in it cannot be read.
    QueryError
        If ``memory_limit`` is no amount of memory.
    ValueError
        If two files would have the same view name.

    Examples
    --------
    >>> import pyarrow as pa
    >>> joined = pa.table({"lat": [0.0, 0.0], "lon": [0.0, 0.0],
    ...                    "pred_lat": [0.1, None], "pred_lon": [0.0, None]})
    >>> with connect(files={"joined": joined}) as con:
    ...     con.sql("SELECT threshold_km, accuracy FROM threshold_accuracy('joined')").fetchall()
    [(1.0, 0.0), (25.0, 0.5), (200.0, 0.5), (750.0, 0.5), (2500.0, 0.5)]
    """
    import duckdb

    con = duckdb.connect(":memory:")
    # DuckDB makes this folder when it first spills and removes it when it closes.
    spill = Path(tempfile.gettempdir()) / f"geodata-{uuid.uuid4().hex}"
    try:
        with Hearing(con) as hearing:
            held = hearing.step(lambda: _furnish(con, spill, memory_limit, threads))
            names: set[str] = set()
            opened = None if lake is None else LakeViews(held, tables.near(lake), names)
            add_files(con, held, files, names)
            if locked:
                hearing.step(lambda: _lock(con))
    except BaseException:
        con.close()
        raise
    return Connection(con, opened, spill)


def _furnish(
    con: duckdb.DuckDBPyConnection, spill: Path, memory_limit: str | None, threads: int | None
) -> HeldFiles:
    """Give a connection its settings, the project's SQL and a file system of ours."""
    _configure(con, spill, memory_limit, threads)
    load_sql(con)
    add_cor_label(con)
    return held_files(con)


def _configure(
    con: duckdb.DuckDBPyConnection, spill: Path, memory_limit: str | None, threads: int | None
) -> None:
    con.execute(f"SET temp_directory = {_text(spill)}")
    if threads is not None:
        con.execute(f"SET threads = {int(threads)}")
    if memory_limit is not None:
        _limit_memory(con, memory_limit)
    for option in ("autoinstall_known_extensions", "autoload_known_extensions"):
        con.execute(f"SET {option} = false")
    con.execute("SET allow_community_extensions = false")
    # it is counted for those who ask the connection, and never drawn by DuckDB itself
    con.execute("SET enable_progress_bar = true")
    con.execute("SET enable_progress_bar_print = false")
    con.execute("SET progress_bar_time = 0")
    con.execute("SET python_enable_replacements = false")  # no Python variable is a table


def _limit_memory(con: duckdb.DuckDBPyConnection, memory_limit: str) -> None:
    import duckdb

    try:
        con.execute(f"SET memory_limit = {_text(memory_limit)}")
    except duckdb.Error as error:
        msg = (
            f"memory_limit={memory_limit!r} is not an amount of memory; give a number and its "
            "unit, such as 1GB or 500MB (memory_limit=, --memory)"
        )
        raise QueryError(msg) from error


def _lock(con: duckdb.DuckDBPyConnection) -> None:
    """Close the door; the order matters, since each setting needs the ones after it open."""
    con.execute(f"SET allowed_directories = [{_text(FOLDER)}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
