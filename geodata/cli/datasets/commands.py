"""The ``geodata dataset`` commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from geodata.cli import options, terminal
from geodata.cli.datasets import recipes, vacuuming
from geodata.cli.datasets.reports import print_audits, print_exported
from geodata.cli.terminal import say, say_text

dataset_app = typer.Typer(
    help="Datasets by recipe: build, check, replay.",
    epilog="Example: geodata dataset list --lake lake",
    no_args_is_help=True,
)

Name = Annotated[
    str,
    typer.Argument(help="Name of the dataset.", show_default=False, autocompletion=terminal.tables),
]

Inputs = Annotated[
    list[Path] | None,
    typer.Option(help="Folder where files it was built from are now. Can be repeated."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the ``geodata`` application."""
    recipes.register(dataset_app)
    vacuuming.register(dataset_app)
    app.add_typer(dataset_app, name="dataset", rich_help_panel="Data")


@dataset_app.command("list", no_args_is_help=True)
def list_(lake: options.Lake) -> None:
    """List the tables of a lake: latest version, rows, recipe.

    Example: geodata dataset list --lake lake
    """
    from geodata import tables

    here = tables.near(lake)
    found = tables.names(here)
    if not found:
        told = tables.address_of(lake) or lake
        say(f"{told}: no tables; geodata photos import FILE --lake {told} makes one")
    for name in found:
        path = tables.path_of(here, name)
        opened = tables.open_version(path, None, check=not tables.is_view(here))
        recipe = tables.history(path)[0].note.get("recipe", "-")
        say(f"{name:24} version {opened.version:3} {opened.rows:12,} rows  {recipe}")


@dataset_app.command("history", no_args_is_help=True)
def history(name: Name, lake: options.Lake) -> None:
    """List the versions of a dataset, newest first: rows, recipe, inputs, tags.

    Example: geodata dataset history rand --lake lake
    """
    from geodata import tables

    for commit in tables.history(tables.path_of(tables.near(lake), name)):
        tags = f" [{', '.join(commit.tags)}]" if commit.tags else ""
        added = "? rows" if commit.rows_added is None else f"{commit.rows_added:,} rows"
        say(f"{commit.version}{tags}  {commit.time:%Y-%m-%d %H:%M:%S} UTC  {commit.kind}, {added}")
        note = commit.note
        if isinstance(note.get("source"), dict):
            source = note["source"]
            hashed = f", SHA-256 {source['sha256'][:12]}" if "sha256" in source else ""
            say(f"   {note.get('step', 'import')} of {source.get('name')}{hashed}")
        if "recipe" in note:
            used = ", ".join(
                f"{role} {ref.get('file') or ref['table'] + '@' + str(ref['version'])}"
                for role, ref in note["inputs"].items()
            )
            say(f"   {note['recipe']} of {used}; seed {note['seed']}")
            say(f"   {json.dumps(note['parameters'], ensure_ascii=False)}")


@dataset_app.command("verify", no_args_is_help=True)
def verify(
    name: Name,
    lake: options.Lake,
    at: options.At = None,
    expect: Annotated[
        str | None,
        typer.Option(help="Content hash or SHA-256 that was published with the version."),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Move what stopped writers left, an hour ago or earlier, to LAKE/_leftovers.",
        ),
    ] = False,
) -> None:
    """Check every file against its SHA-256 and the rows against their content hash.

    Exit code 1 if something is wrong, or cannot be checked because seals or hashes are missing.
    Only --expect tells a table that was replaced as a whole.

    Example: geodata dataset verify rand --lake lake
    """
    from geodata import tables

    path = tables.path_of(lake, name)
    for moved in tables.repair(path) if repair else []:
        say(f"moved {moved} to {lake}/_leftovers/{name}")
    report = tables.verify(path, at, expect=expect)
    for problem in [*report.problems, *_unchecked(report)]:
        say(f"error: {problem}", fg="red", err=True)
    remedy = "; it is not an hour old, and stays" if repair else " (--repair)"
    for orphan in report.orphans:
        say(
            f"no version uses {orphan}: a writer was stopped, or is about to commit{remedy}",
            err=True,
        )
    if report.problems:
        raise typer.Exit(1)
    say(f"{name}, version {report.version}: {report.rows:,} rows in {report.files} files")
    say(f"content hash {report.content_hash}")
    if report.sha256 is not None:  # of a table in a bucket there is none
        say(f"SHA-256      {report.sha256}")
    if not report.is_sealed:
        raise typer.Exit(1)
    checked = "files and rows" if report.sha256 is None else "the log, tags, files and rows"
    say(f"nothing is wrong: {checked} are those that were committed")


def _unchecked(report: Any) -> list[str]:
    """Say what `verify` had nothing to compare with."""
    lines = []
    if report.unsealed:
        numbers = ", ".join(map(str, report.unsealed[:5])) + (", ..." * (len(report.unsealed) > 5))
        lines.append(
            f"{len(report.unsealed)} commits have no seal ({numbers}): a writer was stopped, or "
            "another tool made them; the next commit through geodata seals them"
        )
    if report.unrecorded:
        lines.append(
            f"{len(report.unrecorded)} files have no recorded SHA-256 ({report.unrecorded[0]}): "
            "another tool made them; geodata dataset compact records them anew"
        )
    return lines


@dataset_app.command("rebuild", no_args_is_help=True)
def rebuild(
    name: Name,
    lake: options.Lake,
    at: options.At = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the rows again, to replace damaged files.")
    ] = False,
    inputs: Inputs = None,
) -> None:
    """Replay a dataset from its recorded inputs; the content hash must be the same.

    Example: geodata dataset rebuild rand --lake lake --at 0
    """
    from geodata import datasets

    built = datasets.rebuild(lake, name, at, write=write, look_in=inputs or ())
    say(f"{name}, version {built.version}: {built.rows:,} rows, the same content hash")
    say(f"content hash {built.content_hash}")


@dataset_app.command("audit", no_args_is_help=True)
def audit(name: Name, lake: options.Lake, at: options.At = None, inputs: Inputs = None) -> None:
    """Run the audits of a dataset again; exit code 1 if one finds rows.

    Example: geodata dataset audit hard --lake lake
    """
    from geodata import datasets

    print_audits(datasets.audit(lake, name, at, look_in=inputs or ()))


@dataset_app.command("diff", no_args_is_help=True)
def diff(
    name: Name,
    a: Annotated[str, typer.Argument(help="Version or tag to compare from.", show_default=False)],
    b: Annotated[
        str | None, typer.Argument(help="Version or tag to compare with; the latest if left out.")
    ] = None,
    *,
    lake: options.Lake,
) -> None:
    """Compare two versions: rows and columns that came and went.

    Example: geodata dataset diff rand 0 1 --lake lake
    """
    from geodata import tables

    found = tables.diff(tables.path_of(tables.near(lake), name), a, b)
    say(
        f"version {found.a} ({found.rows_a:,} rows) -> {found.b} ({found.rows_b:,} rows): "
        f"{found.rows_added:,} rows added, {found.rows_removed:,} removed"
    )
    for what in ("added", "removed", "changed"):
        names = getattr(found, f"columns_{what}")
        if names:
            say(f"columns {what}: {', '.join(names)}")


@dataset_app.command("tag", no_args_is_help=True)
def tag(
    name: Name,
    label: Annotated[str, typer.Argument(help="Name for the version.", show_default=False)],
    lake: options.Lake,
    at: options.At = None,
    move: Annotated[bool, typer.Option("--move", help="Move the tag if it is taken.")] = False,
) -> None:
    """Name a version, so that it can be opened by that name and is never vacuumed.

    Example: geodata dataset tag rand paper --lake lake --at 0
    """
    from geodata import tables

    number = tables.tag(tables.path_of(lake, name), label, at, move=move)
    say(f"{name}@{label} is version {number}")


@dataset_app.command("untag", no_args_is_help=True)
def untag(
    name: Name,
    label: Annotated[str, typer.Argument(help="Name of the version.", show_default=False)],
    lake: options.Lake,
) -> None:
    """Remove a name of a version; the version itself stays until it is vacuumed.

    Example: geodata dataset untag rand paper --lake lake
    """
    from geodata import tables

    tables.untag(tables.path_of(lake, name), label)
    say(f"{name}@{label} is no name any more")


@dataset_app.command("compact", no_args_is_help=True)
def compact(name: Name, lake: options.Lake) -> None:
    """Write the latest version into few files, as a new version with the same content hash.

    Example: geodata dataset compact photos --lake lake
    """
    from geodata import tables

    path = tables.path_of(lake, name)
    before = tables.open(path)
    opened = tables.open(path, tables.compact(path))
    if opened.version == before.version:
        say(f"{name}, version {opened.version}: {len(opened.files)} files, few enough")
        return
    say(f"{name}, version {opened.version}: {len(before.files):,} files are {len(opened.files):,}")
    say(f"content hash {opened.content_hash}")


@dataset_app.command("restore", no_args_is_help=True)
def restore(
    name: Name,
    version: Annotated[str, typer.Argument(help="Version or tag.", show_default=False)],
    lake: options.Lake,
) -> None:
    """Make an older version the latest again, as a new version; nothing is removed.

    Example: geodata dataset restore rand paper --lake lake
    """
    from geodata import tables

    path = tables.path_of(lake, name)
    opened = tables.open(path, tables.restore(path, version))
    say(f"{name}, version {opened.version}: {opened.rows:,} rows, those of {version}")
    say(f"content hash {opened.content_hash}")


@dataset_app.command("checkpoint", no_args_is_help=True)
def checkpoint(name: Name, lake: options.Lake) -> None:
    """Write the state of the latest version into one file, so that the table opens faster.

    Every 32nd commit does so; it is for tables that another tool or an older geodata wrote.

    Example: geodata dataset checkpoint photos --lake lake
    """
    from geodata import tables

    number = tables.checkpoint(tables.path_of(lake, name))
    say(f"{name}: checkpoint of version {number}")


@dataset_app.command("export", no_args_is_help=True)
def export(
    name: Name,
    lake: options.Lake,
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder.", show_default=False)],
    at: options.At = None,
) -> None:
    """Write a version as Parquet files by split, with its card, as load_dataset reads.

    Example: geodata dataset export rand --lake lake -o rand-export
    """
    from geodata import tables

    print_exported(tables.export(tables.path_of(tables.near(lake), name), out, at))


@dataset_app.command("card", no_args_is_help=True)
def card(
    name: Name,
    lake: options.Lake,
    at: options.At = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for README.md and the map; made if it is not there."
        ),
    ] = None,
) -> None:
    """Print the card of a version, or write it with its map.

    Example: geodata dataset card rand --lake lake
    """
    from geodata import tables

    path = tables.path_of(tables.near(lake), name)
    if out is None:
        say_text(tables.card(path, at))
    else:
        say(str(tables.write_card(path, out, at)))
