"""The application ``geodata``: its verbs, its version, and how a mistake is told."""

from __future__ import annotations

from typing import Annotated

import typer

from geodata import __version__, commandline
from geodata.cli import (
    boundary_sets,
    datasets,
    evaluate,
    forgetting,
    gazetteer,
    labelling,
    leaking,
    mapping,
    photos,
    queries,
    records,
    sharding,
    tabling,
)
from geodata.cli.terminal import say

app = typer.Typer(
    name="geodata",
    help="Coordinates to supervision, versioned datasets, honest evaluation.",
    epilog="Example: geodata label 48.8584 2.2945",
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
    mapping,
    records,
    photos,
    datasets,
    forgetting,
    leaking,
    sharding,
    boundary_sets,
):
    verb.register(app)


def main() -> None:
    """Run the command; a mistake of the user is one line and exit code 2."""
    commandline.run(app, "geodata")


def program() -> None:
    """Run the command as a program of its own: the process ends with it."""
    commandline.leaving(main)


def _version(show: bool) -> None:
    if show:
        say(f"geodata {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Coordinates to supervision, versioned datasets, honest evaluation."""
