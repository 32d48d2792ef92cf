"""The application ``georl``: its verbs, its version, and how a mistake is told."""

from __future__ import annotations

from typing import Annotated

import typer

from geodata import commandline
from geodata.printable import tell
from georl.cli import demonstrating, judging, reasons, serving, training

app = typer.Typer(
    no_args_is_help=True,
    help="Train vision-language models to say where a photo was taken, with geographic rewards.",
    epilog="Example: georl demo --quick",
    pretty_exceptions_enable=False,
)
for verb in (training, judging, reasons, demonstrating, serving):
    verb.register(app)


def main() -> None:
    """Run the command line; a problem of the user's is one line, not a traceback."""
    commandline.run(app, "georl")


def program() -> None:
    """Run the command as a program of its own: the process ends with it."""
    commandline.leaving(main)


def _version(show: bool) -> None:
    if show:
        from georl import __version__

        tell(f"georl {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train vision-language models to say where a photo was taken, with geographic rewards."""
