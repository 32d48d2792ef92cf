"""The ``geodata sql`` command: a question to files or a lake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the ``geodata`` application."""
    app.command(no_args_is_help=True)(sql)


def sql(
    query: Annotated[
        str, typer.Argument(help="One SELECT, DESCRIBE or SUMMARIZE.", show_default=False)
    ],
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="CSV, TSV, Parquet or JSONL files; each is a table, a.parquet is 'a'.",
        ),
    ] = None,
    lake: Annotated[
        Path | None, typer.Option(help="Folder of versioned tables, each by its name.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the rows to this file; its ending is the format."),
    ] = None,
    rows: Annotated[int, typer.Option(help="Most rows to print.", min=0)] = 40,
) -> None:
    """Ask files or a lake a question in SQL; nothing else can be read or written.

    Example: geodata sql "SELECT admin1, count(*) FROM labelled GROUP BY ALL" labelled.parquet

    Example: geodata sql "SELECT count(*) FROM hard" --lake lake
    """
    from geodata import query as queries

    table = queries.run(query, lake=lake, files=sources or None)
    if out is not None:
        from geodata.files import write_table

        write_table(table, out)
        typer.echo(f"{out}: {table.num_rows} rows")
        return
    _print_table(table, rows)


def _print_table(table: Any, most: int) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for field in table.schema:
        number = str(field.type).startswith(("int", "uint", "double", "float", "decimal"))
        shown.add_column(field.name, justify="right" if number else "left", overflow="fold")
    for row in table.slice(0, most).to_pylist():
        shown.add_row(*("NULL" if v is None else _cell(v) for v in row.values()))
    Console().print(shown)
    if table.num_rows > most:
        typer.echo(f"... {table.num_rows - most} more rows; --rows shows more, -o writes them all")


def _cell(value: object) -> str:
    from rich.markup import escape

    return escape(f"{value:.6g}" if isinstance(value, float) else str(value))
