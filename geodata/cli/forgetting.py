"""The ``geodata tables`` command: what a lake holds of a person, removed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.cli import options
from geodata.cli.terminal import say

tables_app = typer.Typer(
    help="Tables of a lake: forget photos, join what many tasks wrote.",
    epilog="Example: geodata tables forget --lake lake --id 4711",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the command to the ``geodata`` application."""
    app.add_typer(tables_app, name="tables", rich_help_panel="Data")
    tables_app.callback()(_tables)


def _tables() -> None:
    """Tables of a lake: forget photos, join what many tasks wrote."""


@tables_app.command("forget", no_args_is_help=True)
def forget(
    name: Annotated[
        str | None, typer.Argument(help="Table; all tables of the lake if left out.")
    ] = None,
    *,
    lake: options.Lake,
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="Id of a photo. Can be repeated.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--ids", help="Text file with an id a line.")] = None,
    column: Annotated[str | None, options.column("Id of the photo.")] = None,
) -> None:
    """Remove the rows of photos from every version that is kept, statistics and copies included.

    Exit code 1 if the lake still holds an id somewhere, or never held one. Exports and copies of
    the lake are not reached.

    Example: geodata tables forget --lake lake --id 45/77/3228511372.jpg
    """
    from geodata import tables

    given = [*(ids or []), *(_lines(file) if file is not None else [])]
    if not given:
        msg = "name the photos: --id ID, or --ids FILE with an id a line"
        raise ValueError(msg)
    path = lake if name is None else tables.path_of(lake, name)
    found = tables.forget(path, given, column=column)
    for table, rows in found.rows.items():
        say(f"{table}: {rows:,} rows removed, of all versions that are kept")
    if not found.rows:
        say("no row removed")
    for one in found.inputs:
        say(f"removed the copy {one}; a replay needs the file again (--inputs)")
    for one in found.missing:
        say(f"no table has the id {one!r}", fg="yellow", err=True)
    for one in found.holding:
        say(f"error: an id is still in {one}", fg="red", err=True)
    say("Not reached: exports, cards, backups and copies of the lake, and")
    for one in found.elsewhere:
        say(f"  {one}")
    say("  the pictures themselves.")
    if found.holding or found.missing:
        raise typer.Exit(1)


def _lines(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    return [line.strip() for line in lines if line.strip()]
