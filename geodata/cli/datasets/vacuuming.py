"""The ``geodata dataset vacuum`` command: files that no version needs any more."""

from __future__ import annotations

from typing import Annotated

import typer

from geodata.cli import options, terminal
from geodata.cli.terminal import say

HOURS = 168.0


def register(app: typer.Typer) -> None:
    """Add the command to ``geodata dataset``."""
    app.command("vacuum", no_args_is_help=True)(vacuum)


def vacuum(
    name: Annotated[
        str,
        typer.Argument(
            help="Name of the dataset.", show_default=False, autocompletion=terminal.tables
        ),
    ],
    lake: options.Lake,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Version or tag to keep beside the tagged ones. Can be repeated."),
    ] = None,
    hours: Annotated[
        float, typer.Option(min=0.0, help="Keep files that were written in the last so many hours.")
    ] = HOURS,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed; remove nothing.")
    ] = False,
) -> None:
    """Remove the files of old versions that no tag and no tagged dataset needs.

    The latest version stays, every tagged one, and what tagged datasets of the lake were made
    from. Other versions cannot be opened afterwards: tag what a paper names first.

    Example: geodata dataset vacuum photos --lake lake --dry-run
    """
    from geodata import tables

    path = tables.path_of(lake, name)
    files = tables.vacuum(path, keep=keep or (), retention_hours=hours, dry_run=True)
    sizes = {file: (path / file).stat().st_size for file in files if (path / file).is_file()}
    if not dry_run:
        files = tables.vacuum(path, keep=keep or (), retention_hours=hours)
    freed = sum(sizes.get(file, 0) for file in files)
    verb = "would be removed" if dry_run else "removed"
    tags = ", ".join(f"{tag} ({number})" for tag, number in tables.tags(path).items()) or "none"
    say(f"{name}: {len(files):,} files, {freed / 1e6:,.1f} MB {verb}; tags: {tags}")
