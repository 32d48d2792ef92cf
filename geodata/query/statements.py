"""What a statement of a stranger may be: one query, with nothing in it that writes.

DuckDB 2.0 takes ``COPY``, ``INSERT`` and others inside a common table expression and calls the
whole a SELECT, so the kind of the statement tells nothing. The judge is DuckDB's own parse, as
``json_serialize_sql`` gives it: every node of a query must be of a kind listed here, and every
function that gives rows must be one that reads nothing but its arguments. What a later DuckDB
adds is refused until it is listed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from geodata.query.errors import QueryError
from geodata.query.objects import sql_folder

if TYPE_CHECKING:
    import duckdb

_NODES = {
    "SELECT_NODE",
    "SET_OPERATION_NODE",
    "RECURSIVE_CTE_NODE",
    "CTE_NODE",
}
"""Kinds of query nodes; a COPY inside a WITH would be a COPY_QUERY_NODE."""

_ROW_FUNCTIONS = {
    "duckdb_columns",
    "duckdb_functions",
    "duckdb_keywords",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "histogram",
    "histogram_values",
    "json_each",
    "json_tree",
    "pragma_table_info",
    "pragma_version",
    "query_table",
    "range",
    "repeat",
    "repeat_row",
    "summary",
    "unnest",
}
"""Functions in FROM that read no file, no setting, and no text as SQL."""

_REFUSED = {"current_setting", "getenv", "getvariable", "nextval", "setval", "write_log"}
"""Functions elsewhere that tell of the machine or leave a trace."""


def only_query(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """Return the one query that a text holds.

    Parameters
    ----------
    con
        Any connection; it parses and runs nothing of the text.

    Raises
    ------
    QueryError
        For no statement, several, one that is not a query, and one that holds anything that
        writes, reads files or settings, or runs a text as SQL.

    Examples
    --------
    >>> import duckdb
    >>> only_query(duckdb.connect(), "WITH t AS (COPY (SELECT 1) TO 'x.csv') FROM t")
    Traceback (most recent call last):
        ...
    geodata.query.errors.QueryError: COPY cannot be run inside a query here; give one SELECT ...
    """
    import duckdb

    _check_text(sql)
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(str(error).splitlines()[0]) from error  # then a drawing of the query
    if len(statements) != 1:
        msg = f"found {len(statements)} statements; give one SELECT"
        raise QueryError(msg)
    if not _is_select(statements[0]):
        word = statements[0].query.split()[0].upper()  # without the comments before it
        msg = f"a {word} statement cannot be run here; give one SELECT, DESCRIBE or SUMMARIZE"
        raise QueryError(msg)
    for node in _nodes(_parsed(con, sql)):
        _check(node)
    return statements[0]


def parsed_nodes(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Return every object of DuckDB's parse of a query.

    Raises
    ------
    QueryError
        Where it has none.
    """
    return list(_nodes(_parsed(con, sql)))


def _check_text(sql: str) -> None:
    """Refuse half a letter: DuckDB's own word for it is that arguments are of another type."""
    try:
        sql.encode()
    except UnicodeEncodeError as error:
        msg = (
            f"character {error.start + 1} of the query is no text that can be written in UTF-8; "
            "write it anew"
        )
        raise QueryError(msg) from error


def _is_select(statement: Any) -> bool:
    import duckdb

    try:
        return bool(statement.type == duckdb.StatementType.SELECT)
    except ValueError:  # a kind that DuckDB's Python package has no name for
        return False


def _parsed(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    import duckdb

    try:
        [(text,)] = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
        parsed = json.loads(text)
    except (duckdb.Error, ValueError, RecursionError) as error:
        msg = f"the query cannot be checked, so it is not run ({str(error).splitlines()[0]})"
        raise QueryError(msg) from error
    if parsed.get("error", True):
        reason = parsed.get("error_message", "no parse")
        msg = f"the query cannot be checked, so it is not run ({reason})"
        raise QueryError(msg)
    return parsed


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a tree, however deep."""
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _check(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _NODES:
        word = kind.removesuffix("_NODE").removesuffix("_QUERY").replace("_", " ")
        msg = f"{word} cannot be run inside a query here; give one SELECT that only reads"
        raise QueryError(msg)
    if kind == "TABLE_FUNCTION":
        _check_row_function(node.get("function"))
    name = node.get("function_name")
    if isinstance(name, str) and name.casefold() in _REFUSED:
        msg = f"{name} cannot be used here: a query reads the given tables and nothing else"
        raise QueryError(msg)


def _check_row_function(function: Any) -> None:
    name = function.get("function_name", "?") if isinstance(function, dict) else "?"
    if str(name).casefold() not in _ROW_FUNCTIONS | _macros():
        msg = (
            f"{name} cannot be used here: a query reads the given tables and nothing else; name "
            "the tables in FROM"
        )
        raise QueryError(msg)


def _macros() -> set[str]:
    """Return the names of the project's own macros, each in a file of its name."""
    return {path.stem for path in sql_folder().glob("*/*.sql")}
