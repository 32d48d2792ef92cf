"""The ``geodata photos`` commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from geodata.cli import options
from geodata.cli.terminal import say

IMAGES = "Pictures"

photos_app = typer.Typer(
    help="Photo metadata of any kind into one schema.",
    epilog="Example: geodata photos import mp16.csv --lake lake --table photos",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands to the ``geodata`` application."""
    app.add_typer(photos_app, name="photos", rich_help_panel="Data")


@photos_app.command("import", no_args_is_help=True)
def import_(
    source: Annotated[
        Path,
        typer.Argument(
            help="CSV, TSV, Parquet, JSONL, GeoJSON or YFCC100M file; JSON of Flickr or Mapillary; "
            "folder (also of Google Takeout), tar or zip of pictures.",
            show_default=False,
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Parquet file to write.")] = None,
    lake: Annotated[
        Path | None, typer.Option(help="Folder of versioned tables to append to instead.")
    ] = None,
    table: Annotated[str, typer.Option(help="Name of the table in the lake.")] = "photos",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="mp16, im2gps3k, yfcc100m, osv5m, gsv-cities, exif, takeout, geojson, flickr, "
            "mapillary, csv, tsv, parquet, jsonl; else detected.",
        ),
    ] = None,
    id_: Annotated[str | None, options.column("Id of the photo.", "--id")] = None,
    lat: Annotated[str | None, options.column("Latitude, degrees.")] = None,
    lon: Annotated[str | None, options.column("Longitude, degrees.")] = None,
    image: Annotated[str | None, options.column("Path or URL of the picture.")] = None,
    author: Annotated[str | None, options.column("Photographer; hashed on import.")] = None,
    taken_at: Annotated[str | None, options.column("When the photo was taken.")] = None,
    licence_column: Annotated[str | None, options.column("Licence of the photo.")] = None,
    keep: Annotated[
        list[str] | None,
        options.column("Another column, or field of EXIF or XMP, to keep. Can be repeated."),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(
            help="Where the pictures are: tar, zip, folder or URL. Can be repeated.",
            rich_help_panel=IMAGES,
        ),
    ] = None,
    min_image_bytes: Annotated[
        int | None,
        typer.Option(
            help="Smaller pictures are 'photo_unavailable'; by default 5120 for Flickr data.",
            rich_help_panel=IMAGES,
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Append a source that the table holds already.")
    ] = False,
    licence: Annotated[
        str | None, typer.Option(help="Licence of rows whose source does not say.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Text of the column 'source'; else the format.")
    ] = None,
    salt: Annotated[
        str | None,
        typer.Option(
            envvar="GEODATA_SALT",
            show_envvar=True,
            help="Hashed before each author, better given in the environment; by default the "
            "lake's own, and none for a file.",
        ),
    ] = None,
    no_salt: Annotated[
        bool, typer.Option("--no-salt", help="Hash authors without a salt, also in a lake.")
    ] = False,
) -> None:
    """Import photo metadata: one row out for each row in, bad rows with a status.

    Example: geodata photos import mp16_places365.csv -o photos.parquet --images mp-16-images.tar

    Example: geodata photos import holiday/ --lake lake --table photos
    """
    from geodata import photos
    from geodata.cli.terminal import progress

    given = {
        "photo_id": id_, "lat": lat, "lon": lon, "image": image, "author": author,
        "taken_at": taken_at, "licence": licence_column,
    }  # fmt: skip
    with progress(f"importing {source.name}") as step:
        report = photos.import_(
            source,
            _target(out, lake, table),
            format=format_,
            columns={role: column for role, column in given.items() if column is not None},
            keep=keep or (),
            salt=_salt(salt, no_salt),
            images=images or None,
            min_image_bytes=min_image_bytes,
            licence=licence,
            source_name=name,
            again=again,
            progress=step,
        )
    _print(report)


@photos_app.command("index", no_args_is_help=True)
def index(
    archives: Annotated[list[Path], typer.Argument(help="Tar and zip files of pictures.")],
) -> None:
    """Index archives of pictures ahead of their use; the index is kept beside each.

    Example: geodata photos index mp-16-images.tar
    """
    from geodata import photos

    for path in archives:
        found = photos.open_archive(path)
        say(f"{photos.index_path(path)}: {len(found)} members")


def _salt(salt: str | None, none: bool) -> str | Literal[False] | None:
    if none and salt is not None:
        msg = "--no-salt and --salt (or GEODATA_SALT) exclude each other; give one of them"
        raise ValueError(msg)
    return False if none else salt


@photos_app.command("hash", no_args_is_help=True)
def hash_(
    name: Annotated[str, typer.Argument(help="Table of photos.", show_default=False)],
    lake: options.Lake,
    at: options.At = None,
    image_root: Annotated[
        Path | None, typer.Option(help="Folder that relative paths of pictures start from.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; by default one a processor.", min=1)
    ] = None,
) -> None:
    """Hash every picture of a table once, by what it looks like; needs the extra 'photos'.

    The hashes are the table 'hashes' of the lake. A run that was stopped goes on where it ended.

    Example: geodata photos hash photos --lake lake
    """
    from geodata import near_duplicates
    from geodata.cli.terminal import progress

    with progress(f"hashing the pictures of {name}", "pictures") as step:
        done = near_duplicates.hash_photos(
            lake, name, at, root=image_root, workers=workers, progress=step
        )
    print_hashed(name, done)


def print_hashed(name: str, done: Any) -> None:
    """Say what a run that hashes pictures did."""
    counts = ", ".join(f"{count:,} {status}" for status, count in done.statuses.items())
    say(
        f"{name}: {done.pictures:,} pictures, {done.known:,} hashed before; "
        f"now {counts or 'none to do'}"
    )
    if done.rows_without:
        say(f"{name}: {done.rows_without:,} rows name no picture")


def _target(out: Path | None, lake: Path | None, table: str) -> Path:
    if (out is None) == (lake is None):
        given = "both" if out is not None else "neither"
        msg = f"give either --out photos.parquet or --lake FOLDER, got {given}"
        raise ValueError(msg)
    if lake is not None:
        from geodata import tables

        return tables.path_of(lake, table)
    assert out is not None
    if out.suffix.lower() not in (".parquet", ".pq"):
        msg = f"--out {out}: expected a name that ends in .parquet"
        raise ValueError(msg)
    return out


def _print(report: object) -> None:
    from geodata.photos import STATUSES, ImportReport

    assert isinstance(report, ImportReport)
    version = "" if report.version is None else f" (version {report.version})"
    say(f"{report.target}{version}: {report.rows} rows")
    say(f"format {report.format}: {report.detected}")
    columns = ", ".join(f"{role} = {column}" for role, column in report.columns.items())
    say(f"columns {columns}")
    for status, count in report.statuses.items():
        say(f"  {count:>12}  {status:18} {STATUSES[status]}")
    for row, why in report.unreadable[:5]:
        say(f"  row {row}: {why}")
    if report.raw:
        kinds = ", ".join(sorted(report.raw))
        total = sum(report.raw.values())
        say(f"  {total:>12}  RAW files ({kinds}) are left out; export them as JPEG")
    if report.repeated_ids:
        say(f"  {report.repeated_ids:>12}  rows have the id of an earlier row of the source")
    if report.known_ids:
        say(f"  {report.known_ids:>12}  rows have an id that the table held before")
    if report.repeated_ids or report.known_ids:
        say("  equal ids stay; geodata dataset build dedupe keeps one row of each")
    if "author" in report.columns:
        say(f"authors are hashed: {report.made_by['authors']}")
    for hint in (report.swap_hint, report.id_hint):
        if hint:
            say(f"warning: {hint}", fg="yellow", err=True)
