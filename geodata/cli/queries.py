"""The ``geodata sql`` command: a question to files or a lake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from geodata.cli import terminal
from geodata.cli.terminal import say
from geodata.printable import one_line


def register(app: typer.Typer) -> None:
    """Add the command to the ``geodata`` application."""
    app.command(no_args_is_help=True, rich_help_panel="Data")(sql)


def sql(
    query: Annotated[
        str,
        typer.Argument(
            help="One SELECT, DESCRIBE or SUMMARIZE.",
            show_default=False,
            autocompletion=terminal.query,
        ),
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
    format_: Annotated[
        str, typer.Option("--format", help="How to print: table, markdown, csv, json.")
    ] = "table",
    rows: Annotated[
        int | None,
        typer.Option(help="Most rows to print; by default 40, and all as csv or json.", min=0),
    ] = None,
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
    from geodata.cli.terminal import progress

    terminal.check(format_)
    asked: dict[str, Any] = {"lake": lake, "files": sources or None, "memory_limit": memory,
                             "timeout_s": timeout or None}  # fmt: skip
    with progress("running", "%") as step:
        asked["progress"] = lambda percent: step(int(percent), 100)
        if out is not None:
            with queries.stream(query, **asked) as answer:
                count = _write(answer, out)
        elif terminal.is_whole(format_):
            turn = {"csv": terminal.as_csv, "json": terminal.as_json}[format_]
            with queries.stream(query, max_rows=rows, **asked) as answer:
                terminal.write(turn(answer.schema, answer.batches))
            return
        else:
            most = terminal.SHOWN if rows is None else rows
            found = queries.run(query, max_rows=most + 1, **asked)
    if out is not None:
        say(f"{out}: {count} rows")
        return
    if format_ == "markdown":
        terminal.write(terminal.as_markdown(found.schema, found.slice(0, most)))
    else:
        _print_table(found, most)
    if found.num_rows > most:
        say("... and more rows; --rows shows more, -o writes them all", err=format_ == "markdown")


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
        side: Any = "right" if terminal.is_number(field.type) else "left"
        shown.add_column(escape(one_line(field.name)), justify=side, overflow="fold")
    for row in table.slice(0, most).to_pylist():
        shown.add_row(*(escape(terminal.cell(v)) for v in row.values()))
    Console().print(shown)
