"""The ``geodata tables`` commands: shards that many tasks wrote become one version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from geodata.scale import Sharded

tables_app = typer.Typer(
    help="Shards that many tasks wrote: join them into one version.",
    epilog="Example: geodata tables join-shards shards --lake lake --table labelled",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands to the ``geodata`` application."""
    app.add_typer(tables_app, name="tables", rich_help_panel="Data")


@tables_app.command("join-shards", no_args_is_help=True)
def join_shards(
    shards: Annotated[Path, typer.Argument(help="Folder of shards.", show_default=False)],
    lake: Annotated[
        Path | None, typer.Option(help="Folder of versioned tables; without it, check only.")
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Table to write; called like the folder if left out.")
    ] = None,
) -> None:
    """Check that all shards are there and whole, and make one verified version of them.

    Example: geodata tables join-shards shards --lake lake --table labelled

    Example: geodata tables join-shards records
    """
    from geodata import scale, tables

    if lake is None and table is not None:
        msg = "--table names a table of a lake: give --lake too"
        raise ValueError(msg)
    path = None if lake is None else tables.path_of(lake, table or shards.absolute().name)
    found = scale.join_shards(shards, path)
    if path is None:
        typer.echo(f"{shards}: {found.shards} shards, {found.rows:,} rows, all there and whole")
        return
    was = " (was there already)" if found.resumed else ""
    typer.echo(f"{path}: version {found.version}, {found.rows:,} rows, verified{was}")
    typer.echo(f"content hash {found.content_hash}")


def tell_shard(made: Sharded) -> None:
    """Print what became of a shard."""
    was = "was there already" if made.resumed else "written"
    typer.echo(f"{made.path}: shard {made.shard}, {made.rows:,} rows, {was}")
