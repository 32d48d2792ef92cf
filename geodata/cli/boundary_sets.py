"""The ``geodata boundaries`` commands."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodata.cli.terminal import progress, say

if TYPE_CHECKING:
    from geodata.boundaries import BoundarySet

boundaries_app = typer.Typer(
    help="Boundary sets: list, fetch, overture, build, verify, describe, diff, export.",
    epilog="Example: geodata boundaries list",
    no_args_is_help=True,
)

_WIDTH = 76
_SHOWN = 10
"""Regions that `diff` lists of each kind."""

SetName = Annotated[str, typer.Argument(help="Name or folder of a set.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the ``geodata`` application."""
    app.add_typer(boundaries_app, name="boundaries", rich_help_panel="Labels and places")


@boundaries_app.command("list")
def list_() -> None:
    """List the boundary sets that can be named, and those that can be fetched.

    Example: geodata boundaries list
    """
    from geodata import boundaries

    there = boundaries.available()
    for name, folder in there.items():
        try:
            found = boundaries.load(folder if name != "bundled" else name)
            counts = ", ".join(f"{level} {n}" for level, n in _counts(found).items())
        except ValueError as error:
            say(f"{name:20} cannot be opened: {error}")
            continue
        say(f"{name:20} {counts}, sha256 {found.sha256[:12]}")
    for name, known in boundaries.known_sets().items():
        if name not in there:
            say(f"{name:20} not here; geodata boundaries fetch {name} ({known.licence})")


def _counts(found: BoundarySet) -> dict[str, int]:
    deeper = {level: len(found.table(level, ["level"])) for level in found.levels[2:]}
    return {"countries": len(found.countries), "units": len(found.units), **deeper}


@boundaries_app.command("build", no_args_is_help=True)
def build(
    kind: Annotated[
        str,
        typer.Argument(
            help="Whose files they are: overture, geoboundaries, naturalearth, gadm, whosonfirst, "
            "country-levels; file for any other; bundled for the set of this package.",
            show_default=False,
        ),
    ],
    source: Annotated[
        list[Path],
        typer.Option("--from", help="File or folder; can be repeated.", show_default=False),
    ],
    out: Annotated[
        str | None,
        typer.Option(help="Name of the new set, or folder to write; else KIND-DATE."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            "-c",
            help="For file: MEANING=COLUMN, such as country=ISO, admin1=NAME, name:fr=NOM. "
            "Can be repeated.",
        ),
    ] = None,
    crs: Annotated[
        str | None, typer.Option(help="Coordinate system of files that name none: EPSG:2056.")
    ] = None,
    swap_axes: Annotated[
        bool, typer.Option("--swap-axes", help="The files have latitude before longitude.")
    ] = False,
    release: Annotated[str | None, typer.Option(help="Release, to write down.")] = None,
    licence: Annotated[str | None, typer.Option(help="Licence, to write down.")] = None,
) -> None:
    """Build a boundary set from source files.

    Example: geodata boundaries build overture --from downloads --out overture-2026-09

    Example: geodata boundaries build file --from cantons.gpkg -c country=CH -c admin1=NAME
    """
    if kind == "bundled":
        from geodata import boundary_build

        folder = boundary_build.build_bundled(source[0], out)
        say(f"{folder}: built")
        return
    from datetime import UTC, datetime

    from geodata import boundaries

    target = out or f"{kind}-{datetime.now(UTC).date().isoformat()}"
    with progress(f"building {target}", "steps") as step:
        made = boundaries.build(
            source,
            target,
            kind=kind,
            columns=_mapping(column) if column else None,
            crs=crs,
            swap_axes=swap_axes,
            release=release,
            licence=licence,
            progress=step,
        )
    say(f"{made.folder}: built")
    for line in _made(made.provenance):
        say(f"  {line}")
    for file in sorted(made.folder.iterdir()):
        say(f"  {file.name:24} {file.stat().st_size / 1e6:8.2f} MB")


def _mapping(given: list[str]) -> dict[str, str]:
    """Return the columns of options such as ``country=ISO``."""
    pairs = [text.partition("=") for text in given]
    for text, (meaning, _, column) in zip(given, pairs, strict=True):
        if not meaning or not column:
            msg = f"--column {text!r} is not MEANING=COLUMN, such as country=ISO"
            raise ValueError(msg)
    return {meaning: column for meaning, _, column in pairs}


_REPAIRS = {
    "invalid": "made valid",
    "empty": "dropped, without any area",
    "wrapped": "cut at ±180",
    "snapped": "snapped to 1e-7 degrees",
}


def _made(record: dict[str, Any]) -> list[str]:
    """Return what had to be done to make a set, and what it leaves open, as lines."""
    lines = [f"{record['rows']} rows read"]
    if not record.get("shareable", True):
        lines.append(f"not for others, export is refused; licence: {record['licence']}")
    repairs = [f"{n} {_REPAIRS[kind]}" for kind, n in record["repairs"].items() if n]
    lines.append(f"repairs: {', '.join(repairs) or 'none'}")
    left = [f"{n} {kind.replace('_', ' ')}" for kind, n in record["left_out"].items() if n]
    if left:
        lines.append(f"left out: {', '.join(left)}")
    if record["joined"]:
        lines.append(f"{record['joined']} rows joined to the region that they are a part of")
    for level, found in record["coverage"].items():
        if found["overlapping"]:
            lines.append(
                f"{level}: {found['overlapping']} overlap others, {found['overlap_km2']:,.1f} km2"
            )
        if found["with_gaps"]:
            lines.append(
                f"{level}: gaps in {found['with_gaps']} countries, {found['gap_km2']:,.1f} km2"
            )
    return lines


@boundaries_app.command("fetch", no_args_is_help=True)
def fetch(
    name: Annotated[str, typer.Argument(help="Name of a known set.", show_default=False)],
    registry: Annotated[
        Path | None, typer.Option(help="CSV with more sets: name, url, sha256, licence.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Replace a set of that name.")] = False,
) -> None:
    """Download a set, check it against its pinned SHA-256, and put it among your own.

    Example: geodata boundaries fetch lab-2026 --registry https-sets.csv
    """
    from geodata import boundaries

    with progress(f"fetching {name}", "bytes") as step:
        found = boundaries.fetch(name, registry=registry, again=again, progress=step)
    say(f"{found.folder}: fetched and verified, sha256 {found.sha256[:12]}")


@boundaries_app.command("overture", no_args_is_help=True)
def overture(
    countries: Annotated[
        list[str], typer.Argument(help="ISO 3166-1 codes: CH LI.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder for the file.")] = Path(),
    release: Annotated[
        str | None, typer.Option(help="Such as 2026-09-24.0; else the newest.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", help="Folder with releases; else Overture's public bucket."),
    ] = None,
) -> None:
    """Get the divisions of some countries from Overture, to build a set of.

    Example: geodata boundaries overture CH LI --out downloads
    """
    from geodata import boundaries

    where = {} if source is None else {"source": source}
    with progress("reading Overture", "files") as step:
        path = boundaries.fetch_overture(countries, out, release=release, progress=step, **where)
    say(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


@boundaries_app.command("verify")
def verify(name: SetName = "bundled") -> None:
    """Check the files of a set against their SHA-256; exit code 1 if one differs.

    Example: geodata boundaries verify bundled
    """
    from geodata import boundaries

    problems = boundaries.verify_set(boundaries.find(name))
    for problem in problems:
        say(f"error: {problem}", fg="red", err=True)
    if problems:
        raise typer.Exit(1)
    say(f"{name}: every file matches its SHA-256")


@boundaries_app.command("describe")
def describe(
    name: SetName = "bundled",
    map_: Annotated[
        Path | None,
        typer.Option("--map", help="Also draw it: a .png or .svg file.", show_default=False),
    ] = None,
) -> None:
    """Tell what a set holds, from whom, and what had to be done to it.

    Example: geodata boundaries describe bundled

    Example: geodata boundaries describe bundled --map bundled.png
    """
    from geodata import boundaries

    found = boundaries.describe(name)
    say(f"{found.name}  {found.folder}")
    for title, text in (
        ("regions", ", ".join(f"{level} {n:,}" for level, n in found.regions.items())),
        ("sources", ", ".join(found.sources)),
        ("releases", ", ".join(found.releases) or "not stated"),
        ("licences", ", ".join(found.licences)),
        ("worldviews", " ".join(found.worldviews)),
        ("disputed", f"{found.disputed} regions"),
        ("approx.", f"{found.approximate} regions"),
        ("size", f"{found.size / 1e6:,.1f} MB"),
        ("sha256", found.sha256),
    ):
        for line in textwrap.wrap(f"{title:11}{text}", _WIDTH, subsequent_indent=" " * 11):
            say(f"  {line}")
    if "repairs" in found.provenance:
        for line in _made(found.provenance):
            say(f"  {line}")
    if map_ is not None:
        say(f"{boundaries.draw_map(name, map_)}: drawn")


@boundaries_app.command("diff", no_args_is_help=True)
def diff(
    old: Annotated[str, typer.Argument(help="Name or folder of a set.", show_default=False)],
    new: Annotated[str, typer.Argument(help="Name or folder of a set.", show_default=False)],
    table: Annotated[
        Path | None,
        typer.Option(help="File with coordinates: count the rows whose labels would change."),
    ] = None,
    lat: Annotated[str | None, typer.Option(help="Name of the latitude column.")] = None,
    lon: Annotated[str | None, typer.Option(help="Name of the longitude column.")] = None,
) -> None:
    """Tell which regions two sets do not have in common, and which moved.

    Example: geodata boundaries diff bundled cantons --table photos.csv
    """
    from geodata import boundaries

    for level, found in boundaries.diff(old, new).items():
        say(
            f"{level}: {found.same} the same, {len(found.added)} added, {len(found.removed)} gone, "
            f"{len(found.renamed)} renamed, {len(found.moved)} moved"
        )
        _echo_some("added", found.added)
        _echo_some("gone", found.removed)
        _echo_some("renamed", [f"{one} -> {other}" for one, other in found.renamed])
        _echo_some("moved", [f"{name}, {share:.0%} of its area" for name, share in found.moved])
    if table is not None:
        points = _points(table, lat, lon)
        changed = boundaries.rows_changed(old, new, points.lat, points.lon)
        told = ", ".join(f"{n} {level}" for level, n in changed.items() if level != "any")
        say(f"{table}: {changed['any']} of {len(points.lat)} rows would change: {told}")


def _echo_some(title: str, names: list[str]) -> None:
    if names:
        more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        say(f"  {title}: {'; '.join(names[:_SHOWN])}{more}")


def _points(table: Path, lat: str | None, lon: str | None) -> Any:
    """Return the checked coordinates of the rows of a file that have some."""
    import numpy as np
    import pyarrow as pa

    from geodata import coords, files, tables

    opened = tables.open_rows(table)
    names = files.coordinate_columns(list(opened.columns), lat, lon, where=opened.name)
    rows = pa.concat_tables(
        pa.table([coords.parse_numbers(files.column_at(batch, n)) for n in names], ["y", "x"])
        for batch in opened.tables(None)
    )
    found = coords.arrays(rows["y"], rows["x"])
    valid = np.flatnonzero(found.valid)
    return found._replace(lat=found.lat[valid], lon=found.lon[valid], valid=found.valid[valid])


@boundaries_app.command("export", no_args_is_help=True)
def export(
    name: Annotated[str, typer.Argument(help="Name or folder of a set.", show_default=False)],
    out: Annotated[
        Path,
        typer.Argument(
            help="File: .zip (the whole set), .parquet or .geojson.", show_default=False
        ),
    ],
) -> None:
    """Write a set as one file for others, where its licence lets them have it.

    Example: geodata boundaries export cantons cantons.zip
    """
    from geodata import boundaries, files

    path = boundaries.export(name, out)
    say(f"{path}: {path.stat().st_size / 1e6:.2f} MB, sha256 {files.sha256(path)}")
