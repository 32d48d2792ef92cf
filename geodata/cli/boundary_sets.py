"""The ``geodata boundaries`` commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.cli.progress import progress

boundaries_app = typer.Typer(help="Boundary sets: list, build, verify.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the ``geodata`` application."""
    app.add_typer(boundaries_app, name="boundaries")


@boundaries_app.command("list")
def list_() -> None:
    """List the boundary sets that can be named."""
    from geodata import boundaries

    for name, folder in boundaries.available().items():
        try:
            found = boundaries.load(folder if name != "bundled" else name)
        except ValueError as error:
            typer.echo(f"{name:20} cannot be opened: {error}")
            continue
        typer.echo(
            f"{name:20} {found.countries.num_rows} countries and territories, "
            f"{found.units.num_rows} units, sha256 {found.sha256[:12]}"
        )


@boundaries_app.command("build", no_args_is_help=True)
def build(
    name: Annotated[
        str,
        typer.Argument(
            help="'bundled', or whose files they are: overture, geoboundaries, gadm, "
            "natural-earth, whosonfirst or osm-2020.",
            show_default=False,
        ),
    ],
    source: Annotated[
        Path, typer.Option("--from", help="Folder with the source files.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write; else a new set NAME-DATE, or for bundled the package's own."
        ),
    ] = None,
) -> None:
    """Build a boundary set from source files.

    Example: geodata boundaries build overture --from downloads
    """
    from geodata import boundary_build

    with progress(f"building {name}"):
        folder = boundary_build.build_set(name, source, out)
    typer.echo(f"{folder}: built")
    for file in sorted(folder.iterdir()):
        typer.echo(f"  {file.name:24} {file.stat().st_size / 1e6:8.2f} MB")


@boundaries_app.command("verify")
def verify(
    name: Annotated[str, typer.Argument(help="Name or folder of a set.")] = "bundled",
) -> None:
    """Check the files of a set against their SHA-256; exit code 1 if one differs.

    Example: geodata boundaries verify bundled
    """
    from geodata import boundaries

    problems = boundaries.verify_set(boundaries.load(name).folder)
    for problem in problems:
        typer.secho(f"error: {problem}", fg="red", err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{name}: every file matches its SHA-256")
