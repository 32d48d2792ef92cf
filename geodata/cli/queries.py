"""The ``geodata sql`` command: a question to files or a lake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from geodata.cli.telling import say
from geodata.printable import one_line, printable


def register(app: typer.Typer) -> None:
    """Add the command to the ``geodata`` application."""
    app.command(no_args_is_help=True, rich_help_panel="Data")(sql)


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
    timeout: Annotated[
        float, typer.Option(help="Longest that the query may run, seconds; 0 for no limit.", min=0)
    ] = 60.0,
    memory: Annotated[
        str, typer.Option(help="Memory that the query may use; more spills to disk.")
    ] = "1GB",
) -> None:
    """Ask files or a lake a question in SQL; nothing else can be read or written.

    Example: geodata sql "SELECT admin1, count(*) FROM labelled GROUP BY ALL" labelled.parquet

    Example: geodata sql "SELECT cor_label(lat, lon).city AS city FROM photos" --lake lake
    """
    from geodata import query as queries

    limits: dict[str, Any] = {"timeout_s": timeout or None, "memory_limit": memory}
    if out is not None:
        with queries.stream(query, lake=lake, files=sources or None, **limits) as answer:
            count = _write(answer, out)
        say(f"{out}: {count} rows")
        return
    found = queries.run(query, lake=lake, files=sources or None, max_rows=rows + 1, **limits)
    _print_table(found, rows)


def _write(answer: Any, out: Path) -> int:
    from geodata.files import writing

    count = 0
    with writing(out, answer.schema) as writer:
        for batch in answer.batches:
            writer.write(batch)
            count += batch.num_rows
    return count


def _print_table(table: Any, most: int) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for field in table.schema:
        number = str(field.type).startswith(("int", "uint", "double", "float", "decimal"))
        shown.add_column(
            escape(one_line(field.name)), justify="right" if number else "left", overflow="fold"
        )
    for row in table.slice(0, most).to_pylist():
        shown.add_row(*("NULL" if v is None else _cell(v) for v in row.values()))
    Console().print(shown)
    if table.num_rows > most:
        say("... and more rows; --rows shows more, -o writes them all")


def _cell(value: object) -> str:
    from rich.markup import escape

    return escape(f"{value:.6g}" if isinstance(value, float) else printable(value))
