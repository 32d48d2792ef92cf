"""The ``geodata map`` command: where the rows of a table are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.cli.terminal import say


def register(app: typer.Typer) -> None:
    """Add the command to the ``geodata`` application."""
    app.command("map", no_args_is_help=True, rich_help_panel="Data")(map_)


def map_(
    rows: Annotated[
        Path,
        typer.Argument(
            help="Table of a lake (lake/hard, lake/hard@3) or a file with coordinates.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="File to write: .png, .svg, .pdf; .html can be moved."),
    ] = Path("map.png"),
    around: Annotated[
        Path | None,
        typer.Option(help="Places of another table: what lies within the radius is tinted."),
    ] = None,
    radius_km: Annotated[
        float, typer.Option("--radius-km", min=0.001, help="Radius around them.")
    ] = 200.0,
    lat: Annotated[str | None, typer.Option(help="Name of the latitude column.")] = None,
    lon: Annotated[str | None, typer.Option(help="Name of the longitude column.")] = None,
    title: Annotated[str | None, typer.Option(help="Title, else the name of the table.")] = None,
    dark: Annotated[bool, typer.Option("--dark", help="Light ink on dark paper.")] = False,
) -> None:
    """Draw where the rows of a table are, on a map of the world.

    Example: geodata map photos.csv -o map.png

    Example: geodata map lake/hard -o hard.html

    Example: geodata map lake/hard --around lake/popular --radius-km 200 -o hard.svg
    """
    from geodata import tables

    drawn = tables.draw_map(
        rows, out, around=around, radius_km=radius_km, lat=lat, lon=lon, title=title, dark=dark
    )
    say(f"{drawn:,} rows with coordinates in {out}")
