"""What DuckDB raises, said as an error of ours: what was wrong, where, and what there is."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from geodata.query.errors import QueryError, QueryLimitError
from geodata.query.held_files import FOLDER

if TYPE_CHECKING:
    from geodata.query.clock import Clock
    from geodata.query.connection import Connection

_NO_TABLE = re.compile(r"(?:Table|View) with name (?P<name>.+?) does not exist")
_GUESS = re.compile(r"\n?Did you mean .*")
_TRACE = re.compile(r"\n+(?:Stack Trace|This error signals|For more information)[\s\S]*")
_HELD = re.compile(re.escape(FOLDER) + r"[\w./-]*")


@contextlib.contextmanager
def telling(con: Connection, clock: Clock, limit: str | None) -> Iterator[None]:
    """Turn what DuckDB raises into an error of ours; pyarrow hands it on as an OSError."""
    import duckdb

    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError, MemoryError) as error:
        raise _told(error, con, clock, limit) from error


def _told(error: BaseException, con: Connection, clock: Clock, limit: str | None) -> QueryError:
    """Return an error of DuckDB as one of ours, which says what can be done."""
    import duckdb

    if clock.is_over:
        return clock.error()
    first = (str(error) or "out of memory").splitlines()[0]
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError) or "Out of Memory" in first:
        return QueryLimitError(
            f"the query needs more memory than {limit or 'there is'} ({first}); ask for less, or "
            "allow more: memory_limit=, --memory"
        )
    return QueryError(plain(str(error), con.tables))


def plain(message: str, tables: Sequence[str]) -> str:
    r"""Return what DuckDB says without what only its authors need, and the tables that there are.

    Guesses of its own catalogue, traces of its stack and the names by which it holds files go;
    the line and the place in it stay.

    Examples
    --------
    >>> print(plain("Catalog Error: Table with name fotos does not exist!\n"
    ...             'Did you mean "pg_type"?\n\nLINE 1: FROM fotos', ["photos"]))
    Catalog Error: Table with name fotos does not exist!
    <BLANKLINE>
    LINE 1: FROM fotos
    did you mean photos? the tables are: photos
    """
    told = _HELD.sub("a file of the table", _TRACE.sub("", message))
    guess = ""
    if missing := _NO_TABLE.search(told):
        told = _GUESS.sub("", told)
        near = difflib.get_close_matches(missing["name"].strip('"').casefold(), tables)
        guess = f"did you mean {near[0]}? " if near else ""
    return f"{told.rstrip()}\n{guess}the tables are: {', '.join(tables) or '(none)'}"
