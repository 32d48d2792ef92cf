"""The one way that a command tells something: nothing in it is an order to the terminal."""

from __future__ import annotations

import typer

from geodata.printable import one_line, printable


def say(text: object, *, err: bool = False, fg: str | None = None) -> None:
    """Print one line; a line feed in a name or a value is written out."""
    typer.secho(one_line(text), fg=fg, err=err)


def say_text(text: object, *, err: bool = False, fg: str | None = None) -> None:
    """Print lines that the program made; the values in them are single lines."""
    typer.secho(printable(text), fg=fg, err=err)
