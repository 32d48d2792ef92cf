"""The project's macros, metrics and audits: where their SQL lies, and how it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SQL_FOLDERS = ("macros", "metrics", "audits")
"""In the order in which they are loaded: metrics use macros."""


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
