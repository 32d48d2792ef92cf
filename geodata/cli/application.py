"""The application ``geodata``: its verbs, its version, and how a mistake is told."""

from __future__ import annotations

from typing import Annotated

import typer

from geodata import SOFTWARE
from geodata.cli import (
    boundary_sets,
    datasets,
    evaluate,
    gazetteer,
    labelling,
    leaking,
    photos,
    queries,
    records,
    tabling,
)
from geodata.printable import printable

app = typer.Typer(
    name="geodata",
    help="Coordinates to supervision, versioned datasets, honest evaluation.",
    no_args_is_help=True,
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
    leaking,
    boundary_sets,
):
    verb.register(app)


def main() -> None:
    """Run the command; a mistake of the user is one line and exit code 2."""
    try:
        app()
    except (ValueError, TypeError, OSError) as error:
        typer.secho(f"error: {printable(error)}", fg="red", err=True)
        raise SystemExit(2) from None


def _version(show: bool) -> None:
    if show:
        typer.echo(SOFTWARE)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Coordinates to supervision, versioned datasets, honest evaluation."""
