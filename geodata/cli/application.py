"""The application ``geodata``: its verbs, its version, and how a mistake is told."""

from __future__ import annotations

from typing import Annotated

import typer

from geodata import SOFTWARE
from geodata.cli import (
    boundary_sets,
    datasets,
    evaluate,
    forgetting,
    gazetteer,
    labelling,
    photos,
    queries,
    records,
    tabling,
)
from geodata.cli.telling import say, say_text
from geodata.ending import end_cleanly

app = typer.Typer(
    name="geodata",
    help="Coordinates to supervision, versioned datasets, honest evaluation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for verb in (
    labelling,
    gazetteer,
    evaluate,
    tabling,
    queries,
    records,
    photos,
    datasets,
    forgetting,
    boundary_sets,
):
    verb.register(app)


def main() -> None:
    """Run the command; a mistake of the user is one line and exit code 2."""
    end_cleanly()
    try:
        app()
    except (ValueError, TypeError, OSError) as error:
        say_text(f"error: {error}", fg="red", err=True)
        raise SystemExit(2) from None


def _version(show: bool) -> None:
    if show:
        say(SOFTWARE)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Coordinates to supervision, versioned datasets, honest evaluation."""
