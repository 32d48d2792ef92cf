"""The ``geodata leakage`` command: what training and test photos share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.cli import options
from geodata.cli.photos import print_hashed
from geodata.cli.terminal import say


def register(app: typer.Typer) -> None:
    """Add the command to the ``geodata`` application."""
    app.command(no_args_is_help=True, rich_help_panel="Data")(leakage)


def leakage(
    lake: options.Lake,
    train: Annotated[
        str, typer.Option(help="Training photos: a table, NAME or NAME@TAG.", show_default=False)
    ],
    test: Annotated[str, typer.Option(help="Test photos: a table.", show_default=False)],
    gallery: Annotated[
        str | None, typer.Option(help="Photos that answers are retrieved from: a table.")
    ] = None,
    image_root: Annotated[
        Path | None, typer.Option(help="Folder that relative paths of pictures start from.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that hash; by default one a processor.", min=1)
    ] = None,
    bits: Annotated[
        int, typer.Option(help="Most bits of 64 in which near-duplicates differ.", min=0, max=15)
    ] = 12,
    bits_fine: Annotated[
        int, typer.Option(help="Most bits of 256 in which they differ.", min=0, max=256)
    ] = 80,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for leakage.md, leakage.png, pairs-*.parquet."),
    ] = None,
) -> None:
    """Report what test, training and gallery share: ids, authors, places, and by picture.

    Pictures are hashed where that was not done yet; needs the extra 'photos'.

    Example: geodata leakage --lake lake --train photos --test im2gps3k -o leakage
    """
    from geodata import near_duplicates, tables
    from geodata.cli.terminal import progress

    for source in filter(None, (train, test, gallery)):
        version = tables.open_input(lake, "photos", source).table
        name = version.path.name
        with progress(f"hashing the pictures of {name}", "pictures") as step:
            done = near_duplicates.hash_photos(
                lake, name, version.version, root=image_root, workers=workers, progress=step
            )
        print_hashed(name, done)
    found = near_duplicates.report(
        lake, train=train, test=test, gallery=gallery, most_bits=bits, most_fine=bits_fine
    )
    _print(found)
    if out is not None:
        near_duplicates.write(found, out)
        say(f"{out}: leakage.md, leakage.png and the pairs")


def _print(found: object) -> None:
    from geodata.near_duplicates import Leakage

    assert isinstance(found, Leakage)
    for one in found.overlaps:
        say("")
        say(f"{one.rows_of} in {one.others}: {one.rows:,} rows")
        shares = {"share a photo id": one.photo, "share an author": one.author,
                  "share a place": one.place}  # fmt: skip
        for what, count in shares.items():
            say(f"  {'not compared' if count is None else f'{count:,}':>12}  {what}")
        say(f"  {one.look:>12,}  look alike, of {one.compared:,} compared by picture")
        say(f"  {one.look_only:>12,}  of these share no photo id")
    say("")
    for two in found.bursts:
        say(
            f"{two.rows_of}: {two.photos:,} of {two.compared:,} photos in {two.bursts:,} bursts of "
            f"one author, the largest {two.largest:,}"
        )
