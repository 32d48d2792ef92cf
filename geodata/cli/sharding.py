"""The ``geodata tables`` commands: shards that many tasks wrote become one version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geodata.cli.forgetting import tables_app
from geodata.cli.terminal import say

if TYPE_CHECKING:
    from geodata.scale import Sharded


def register(app: typer.Typer) -> None:
    """Add the command to ``geodata tables``."""
    del app  # the group is another file's
    tables_app.command("join-shards", no_args_is_help=True)(join_shards)


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
        say(f"{shards}: {found.shards} shards, {found.rows:,} rows, all there and whole")
        return
    was = " (was there already)" if found.resumed else ""
    say(f"{path}: version {found.version}, {found.rows:,} rows, verified{was}")
    say(f"content hash {found.content_hash}")


def tell_shard(made: Sharded) -> None:
    """Print what became of a shard."""
    was = "was there already" if made.resumed else "written"
    say(f"{made.path}: shard {made.shard}, {made.rows:,} rows, {was}")
