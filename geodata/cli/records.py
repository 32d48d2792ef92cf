"""The ``geodata records`` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from geodata.cli.sharding import tell_shard
from geodata.cli.terminal import say


def register(app: typer.Typer) -> None:
    """Add the command to the ``geodata`` application."""
    app.command(no_args_is_help=True, rich_help_panel="Data")(records)


def records(
    kind: Annotated[str, typer.Argument(help="sft or grpo.", show_default=False)],
    source: Annotated[
        str,
        typer.Option(
            "--from", help="Table of the lake; without --lake, a file.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="NAME.parquet, NAME.jsonl, or a new folder.", show_default=False
        ),
    ],
    lake: Annotated[
        Path | None, typer.Option(help="Folder of versioned tables, where --from is one.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Split to take, such as train; several with commas between, or all."),
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Take only rows for which this SQL condition is true.")
    ] = None,
    variant: Annotated[
        str, typer.Option(help="cor (Chain of Region), cot (free words) or location.")
    ] = "cor",
    form: Annotated[
        str, typer.Option(help="sft: 'completion' (prompt and completion) or 'messages'.")
    ] = "completion",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="parquet (TRL), verl, easyr1, ms-swift, llama-factory, llava or webdataset; else "
            "by the ending.",
        ),
    ] = None,
    images: Annotated[
        str, typer.Option(help="auto (archive members as bytes), bytes or reference.")
    ] = "auto",
    image_root: Annotated[
        str | None,
        typer.Option(help="Folder that relative image paths start from, and embedded ones lie in."),
    ] = None,
    keep_metadata: Annotated[
        bool,
        typer.Option(
            "--keep-metadata",
            help="Embed pictures with their EXIF: owner, serial, comments, position, thumbnail.",
        ),
    ] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Write records also of pictures that are not there.")
    ] = False,
    urls: Annotated[
        bool, typer.Option("--urls", help="Leave pictures that are URLs to the reader.")
    ] = False,
    missing: Annotated[
        str, typer.Option(help="Rows without coordinates or image: error or drop.")
    ] = "error",
    seed: Annotated[int, typer.Option(help="Decides the order of the records.")] = 0,
    shard_rows: Annotated[
        int, typer.Option(help="Most records in one file, where --out is a folder.")
    ] = 10_000,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Write every Nth file of the folder --out only, from the Ith: 3/16."
        ),
    ] = None,
) -> None:
    """Write chat records for training: sft with answers, grpo with truth columns.

    Example: geodata records sft --lake lake --from rand -o rand-sft.parquet

    Example: geodata records sft --lake lake --from split --split train -o train.parquet

    Example: geodata records grpo --lake lake --from hard -o shards --format webdataset

    Example: geodata records sft --lake lake --from rand -o records --shard 3/16
    """
    from geodata import files, records as module, scale
    from geodata.cli.terminal import progress
    from geodata.images import started_table

    options = module.Options(
        kind=kind, variant=variant, form=form, images=images, image_root=image_root,
        missing=missing, keep_metadata=keep_metadata, urls=urls,
        check="tell" if no_check else "refuse",
    )  # fmt: skip
    rows: Any = source
    if lake is None:
        home = None if image_root is not None else Path(source).parent
        rows = started_table(files.read_table(source), home)
    with progress(f"writing {out.name}") as step:
        chosen: dict[str, Any] = {
            "lake": lake, "split": split, "where": where, "format": format_, "seed": seed,
            "shard_rows": shard_rows, "options": options, "progress": step,
        }  # fmt: skip
        if shard is not None:
            made = scale.records_shard(rows, out, shard, **chosen)
        else:
            written = module.write(rows, out, **chosen)
    if shard is not None:
        tell_shard(made)
        if not isinstance(made.report, module.Written):
            return
        written = made.report
    dropped = f", {written.dropped:,} rows left out" if written.dropped else ""
    say(f"{written.path}: {written.rows:,} records, {written.files} files{dropped}")
    if written.absent:
        warning = f"warning: {written.absent:,} pictures are not there"
        say(warning, fg="yellow", err=True)
    if written.resumed:
        say(f"  {written.resumed} files were there from an earlier try")
    if written.stripped:
        told = dict(written.stripped)
        count = told.pop("pictures", 0)
        left = ", ".join(f"{name} {n:,}" for name, n in told.items())
        say(f"  left out of {count:,} pictures: {left} (--keep-metadata keeps it)")
