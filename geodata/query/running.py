"""Run one query of a stranger: checked before it runs, and stopped at its limits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from geodata.query.clock import Clock
from geodata.query.connection import connect
from geodata.query.errors import QueryError, QueryLimitError
from geodata.query.hearing import Hearing
from geodata.query.mishaps import telling
from geodata.query.statements import only_query

if TYPE_CHECKING:
    import os

    from geodata.query.connection import Connection
    from geodata.query.views import Sources

Progress = Callable[[float], None]

MEMORY_LIMIT = "1GB"
TIMEOUT_S = 60.0
MAX_BYTES = 1 << 30
"""Largest answer that `run` holds in memory."""

_VECTOR = 2048
"""Rows that DuckDB works on at a time: no answer is checked in smaller pieces."""


@dataclass(frozen=True)
class Answer:
    """The answer to a query, on its way."""

    schema: pa.Schema
    batches: Iterator[pa.Table]
    """Can be gone through once."""


def run(
    sql: str,
    *,
    lake: str | os.PathLike[str] | None = None,
    files: Sources | None = None,
    memory_limit: str | None = MEMORY_LIMIT,
    threads: int | None = None,
    max_rows: int | None = None,
    timeout_s: float | None = TIMEOUT_S,
    max_bytes: int | None = MAX_BYTES,
    progress: Progress | None = None,
) -> pa.Table:
    """Run one query of a user on the given data and nothing else.

    Parameters
    ----------
    sql
        One SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE or SHOW statement. Nothing in it may
        write, in whatever position, or read another file or a setting: it is refused unrun.
    lake, files, threads
        As in `connect`.
    memory_limit
        What DuckDB may use before it spills to disk; None for 80% of the machine.
    max_rows
        Most rows to return; the query is told, so that it stops early. None for all.
    timeout_s : float, seconds
        Longest that the query may run. None for no limit.
    max_bytes
        Largest answer, in memory. None for no limit.
    progress
        Called from another thread some times a second, with percent done as DuckDB guesses them.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    QueryLimitError
        If the query ran longer, needed more memory or has a larger answer.
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
    geodata.query.errors.QueryError: a COPY statement cannot be run here; give one SELECT, ...
    """
    with stream(
        sql,
        lake=lake,
        files=files,
        memory_limit=memory_limit,
        threads=threads,
        max_rows=max_rows,
        timeout_s=timeout_s,
        progress=progress,
    ) as answer:
        parts, size = [answer.schema.empty_table()], 0
        for part in answer.batches:
            size += part.nbytes
            if max_bytes is not None and size > max_bytes:
                msg = (
                    f"the answer is larger than {max_bytes:,} bytes; ask for fewer rows or columns,"
                    " raise max_bytes, or write it to a file (geodata sql -o)"
                )
                raise QueryLimitError(msg)
            parts.append(part)
        return pa.concat_tables(parts)


@contextlib.contextmanager
def stream(
    sql: str,
    *,
    lake: str | os.PathLike[str] | None = None,
    files: Sources | None = None,
    memory_limit: str | None = MEMORY_LIMIT,
    threads: int | None = None,
    max_rows: int | None = None,
    timeout_s: float | None = TIMEOUT_S,
    progress: Progress | None = None,
) -> Iterator[Answer]:
    """Run one query as `run` does, and give its rows as they are found, memory flat.

    The time limit counts until the last row was taken.

    Examples
    --------
    >>> with stream("FROM range(3) t(i)") as answer:
    ...     [batch.num_rows for batch in answer.batches]
    [3]
    """
    if max_rows is not None and not max_rows >= 0:
        msg = f"max_rows {max_rows!r} must be 0 or more"
        raise QueryError(msg)
    if timeout_s is not None and not timeout_s > 0:
        msg = f"timeout_s {timeout_s!r} must be above 0 seconds"
        raise QueryError(msg)
    with (
        connect(lake, files=files, memory_limit=memory_limit, threads=threads) as con,
        Hearing(con) as hearing,
    ):
        statement = hearing.step(lambda: only_query(con.duckdb, sql))
        clock = Clock(con, timeout_s, progress)
        with clock:
            with telling(con, clock, memory_limit):
                reader = hearing.step(lambda: _reader(con, statement, max_rows))
            try:
                told = telling(con, clock, memory_limit)
                yield Answer(reader.schema, _batches(reader, clock, hearing, told))
            finally:
                reader.close()


def _reader(con: Connection, statement: Any, max_rows: int | None) -> pa.RecordBatchReader:
    relation = con.sql(statement)
    if max_rows is not None:
        relation = relation.limit(max_rows)
    return relation.to_arrow_reader(_VECTOR)


def _batches(
    reader: pa.RecordBatchReader,
    clock: Clock,
    hearing: Hearing,
    told: contextlib.AbstractContextManager[None],
) -> Iterator[pa.Table]:
    with told:
        while (batch := hearing.step(lambda: next(reader, None))) is not None:
            clock.check()
            yield pa.Table.from_batches([batch])
