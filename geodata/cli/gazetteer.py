"""The verb ``geodata geocode``: names to coordinates."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from geodata.cli.terminal import say, say_text


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command(no_args_is_help=True, rich_help_panel="Labels and places")(geocode)


def geocode(
    text: Annotated[
        str | None, typer.Argument(help="Names from the small to the large, with commas.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Name or code, in place of TEXT.")] = None,
    admin1: Annotated[str | None, typer.Option(help="State, province, prefecture.")] = None,
    city: Annotated[str | None, typer.Option(help="City, town or village.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the coordinates of a place by its name, offline; exit code 1 if there is none.

    Example: geodata geocode "Kyoto, Japan"
    """
    from geodata import gazetteer

    place = gazetteer.geocode(text, country=country, admin1=admin1, city=city)
    if place is None:
        wanted = ", ".join(name for name in (text, city, admin1, country) if name)
        say(f"error: no place is called {wanted!r}; check the spelling", fg="red", err=True)
        raise typer.Exit(1)
    say_text(json.dumps(asdict(place), ensure_ascii=False) if as_json else _shown(place))


def _shown(place: object) -> str:
    from geodata.gazetteer import Place

    assert isinstance(place, Place)
    code = place.admin1_code or place.country_code
    people = f", {place.population:,} people" if place.population else ""
    doubt = "; other places have this name: add a region or country" if place.ambiguous else ""
    return f"{place.lat:.5f} {place.lon:.5f}\n{place.name} ({place.level}, {code}{people}){doubt}"
