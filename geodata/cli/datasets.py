"""The ``geodata dataset`` commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

INPUTS = "Inputs: a table of the lake (labelled, labelled@3, labelled@tag) or a file"
SAMPLE = "Recipes rand, popular, hard"
DIVIDE = "Recipes split, exclude-benchmark, dedupe"
LABEL = "Recipe labelled"

dataset_app = typer.Typer(help="Datasets by recipe: build, check, replay.", no_args_is_help=True)

Lake = Annotated[Path, typer.Option(help="Folder of versioned tables.", show_default=False)]
Name = Annotated[str, typer.Argument(help="Name of the dataset.", show_default=False)]
At = Annotated[str | None, typer.Option("--at", help="Version or tag; the latest if left out.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the ``geodata`` application."""
    app.add_typer(dataset_app, name="dataset")


@dataset_app.command("list")
def list_(lake: Lake) -> None:
    """List the tables of a lake: rows, version, recipe."""
    from geodata import tables

    for name in tables.names(lake):
        path = tables.path_of(lake, name)
        opened = tables.open(path)
        recipe = tables.history(path)[0].note.get("recipe", "-")
        typer.echo(f"{name:24} version {opened.version:3} {opened.rows:12,} rows  {recipe}")


@dataset_app.command("build", no_args_is_help=True)
def build(
    recipe: Annotated[
        str,
        typer.Argument(
            help="labelled, rand, popular, hard, split, exclude-benchmark or dedupe.",
            show_default=False,
        ),
    ],
    lake: Lake,
    name: Annotated[str | None, typer.Option(help="Dataset to write; else the recipe's.")] = None,
    rows: Annotated[
        str | None, typer.Option("--from", help="The rows to start from.", rich_help_panel=INPUTS)
    ] = None,
    popular: Annotated[
        str | None, typer.Option(help="hard: the popular points.", rich_help_panel=INPUTS)
    ] = None,
    predictions: Annotated[
        str | None, typer.Option(help="popular: a model's answers.", rich_help_panel=INPUTS)
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(help="exclude-benchmark: the test set.", rich_help_panel=INPUTS),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    n: Annotated[
        int | None, typer.Option("-n", help="Rows to choose.", rich_help_panel=SAMPLE)
    ] = None,
    radius_km: Annotated[
        float | None,
        typer.Option(
            help="popular: what is localized (25); hard: what is near (200); "
            "exclude-benchmark: what is the same place (1).",
            rich_help_panel=SAMPLE,
        ),
    ] = None,
    stratify: Annotated[
        str | None, typer.Option(help="rand: a column.", rich_help_panel=SAMPLE)
    ] = None,
    allocation: Annotated[
        str | None, typer.Option(help="rand: proportional or equal.", rich_help_panel=SAMPLE)
    ] = None,
    thin: Annotated[
        int | None,
        typer.Option(help="popular: one row an H3 cell of this.", rich_help_panel=SAMPLE),
    ] = None,
    exclude_km: Annotated[
        float | None,
        typer.Option(help="popular: radius of the hard set to report.", rich_help_panel=SAMPLE),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="dedupe: columns; exclude-benchmark: rules. With commas between.",
            rich_help_panel=DIVIDE,
        ),
    ] = None,
    validation: Annotated[
        float | None, typer.Option(help="split: share of rows.", rich_help_panel=DIVIDE)
    ] = None,
    test: Annotated[
        float | None, typer.Option(help="split: share of rows.", rich_help_panel=DIVIDE)
    ] = None,
    resolution: Annotated[
        int | None, typer.Option(help="split: H3 cells that stay whole.", rich_help_panel=DIVIDE)
    ] = None,
    buffer: Annotated[
        int | None, typer.Option(help="split: cells between the parts.", rich_help_panel=DIVIDE)
    ] = None,
    boundaries: Annotated[
        str | None, typer.Option(help="Name or folder of a set.", rich_help_panel=LABEL)
    ] = None,
    worldview: Annotated[str | None, typer.Option(rich_help_panel=LABEL)] = None,
    dependencies: Annotated[str | None, typer.Option(rich_help_panel=LABEL)] = None,
    max_offset_km: Annotated[float | None, typer.Option(rich_help_panel=LABEL)] = None,
) -> None:
    """Build a dataset as a new version, then audit it; exit code 1 if an audit finds rows.

    Example: geodata dataset build labelled --lake lake --from photos

    Example: geodata dataset build popular --lake lake --predictions preds.csv -n 100000

    Example: geodata dataset build hard --lake lake -n 200000
    """
    from geodata import datasets

    params = {
        "n": n, "radius_km": radius_km, "stratify": stratify, "allocation": allocation,
        "thin": thin, "exclude_km": exclude_km, "by": by, "validation": validation, "test": test,
        "resolution": resolution, "buffer": buffer, "boundaries": boundaries,
        "worldview": worldview, "dependencies": dependencies, "max_offset_km": max_offset_km,
    }  # fmt: skip
    inputs = {
        "rows": rows, "popular": popular, "predictions": predictions, "benchmark": benchmark,
    }  # fmt: skip
    built = datasets.build(
        lake,
        name or recipe.replace("-", "_"),
        recipe,
        inputs,
        seed=seed,
        **{key: value for key, value in params.items() if value is not None},
    )
    typer.echo(f"{built.name}, version {built.version}: {built.rows:,} rows")
    typer.echo(f"content hash {built.content_hash}")
    _print_report(built.report)
    _print_audits(built.audits)


@dataset_app.command("history")
def history(name: Name, lake: Lake) -> None:
    """List the versions of a dataset, newest first: rows, recipe, inputs, tags."""
    from geodata import tables

    for commit in tables.history(tables.path_of(lake, name)):
        tags = f" [{', '.join(commit.tags)}]" if commit.tags else ""
        added = "? rows" if commit.rows_added is None else f"{commit.rows_added:,} rows"
        typer.echo(
            f"{commit.version}{tags}  {commit.time:%Y-%m-%d %H:%M:%S} UTC  {commit.kind}, {added}"
        )
        note = commit.note
        if "recipe" in note:
            used = ", ".join(
                f"{role} {ref.get('file') or ref['table'] + '@' + str(ref['version'])}"
                for role, ref in note["inputs"].items()
            )
            typer.echo(f"   {note['recipe']} of {used}; seed {note['seed']}")
            typer.echo(f"   {json.dumps(note['parameters'], ensure_ascii=False)}")


@dataset_app.command("verify")
def verify(name: Name, lake: Lake, at: At = None) -> None:
    """Check every file against its SHA-256 and the rows against the content hash."""
    from geodata import tables

    report = tables.verify(tables.path_of(lake, name), at)
    for problem in report.problems:
        typer.secho(f"error: {problem}", fg="red", err=True)
    if not report.ok:
        raise typer.Exit(1)
    typer.echo(f"{name}, version {report.version}: {report.rows:,} rows in {report.files} files")
    typer.echo(f"content hash {report.content_hash}")


@dataset_app.command("rebuild")
def rebuild(
    name: Name,
    lake: Lake,
    at: At = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the rows again, to replace damaged files.")
    ] = False,
) -> None:
    """Replay a dataset from its recorded inputs; the content hash must be the same."""
    from geodata import datasets

    built = datasets.rebuild(lake, name, at, write=write)
    typer.echo(f"{name}, version {built.version}: {built.rows:,} rows, the same content hash")
    typer.echo(f"content hash {built.content_hash}")


@dataset_app.command("audit")
def audit(name: Name, lake: Lake, at: At = None) -> None:
    """Run the audits of a dataset again; exit code 1 if one finds rows."""
    from geodata import datasets

    _print_audits(datasets.audit(lake, name, at))


@dataset_app.command("diff")
def diff(
    name: Name,
    a: Annotated[str, typer.Argument(help="Version or tag.", show_default=False)],
    b: Annotated[str | None, typer.Argument(help="Version or tag; the latest.")] = None,
    *,
    lake: Lake,
) -> None:
    """Compare two versions: rows and columns that came and went."""
    from geodata import tables

    found = tables.diff(tables.path_of(lake, name), a, b)
    typer.echo(
        f"version {found.a} ({found.rows_a:,} rows) -> {found.b} ({found.rows_b:,} rows): "
        f"{found.rows_added:,} rows added, {found.rows_removed:,} removed"
    )
    for what in ("added", "removed", "changed"):
        names = getattr(found, f"columns_{what}")
        if names:
            typer.echo(f"columns {what}: {', '.join(names)}")


@dataset_app.command("tag")
def tag(
    name: Name,
    label: Annotated[str, typer.Argument(help="Name for the version.", show_default=False)],
    lake: Lake,
    at: At = None,
    move: Annotated[bool, typer.Option("--move", help="Move the tag if it is taken.")] = False,
) -> None:
    """Name a version, so that it can be opened by that name and is never vacuumed."""
    from geodata import tables

    number = tables.tag(tables.path_of(lake, name), label, at, move=move)
    typer.echo(f"{name}@{label} is version {number}")


@dataset_app.command("export")
def export(
    name: Name,
    lake: Lake,
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder.", show_default=False)],
    at: At = None,
) -> None:
    """Write a version as Parquet files with its card, as load_dataset("parquet") reads."""
    from geodata import tables

    typer.echo(str(tables.export(tables.path_of(lake, name), out, at)))


@dataset_app.command("card")
def card(
    name: Name,
    lake: Lake,
    at: At = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for README.md and the map.")
    ] = None,
) -> None:
    """Print the card of a version, or write it with its map."""
    from geodata import tables

    path = tables.path_of(lake, name)
    if out is None:
        typer.echo(tables.card(path, at))
    else:
        typer.echo(str(tables.write_card(path, out, at)))


def _print_report(report: Mapping[str, Any], indent: str = "  ") -> None:
    for key, value in report.items():
        name = key.replace("_", " ")
        if isinstance(value, Mapping):
            typer.echo(f"{indent}{name}:")
            _print_report(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            typer.echo(f"{indent}{name}:")
            for row in value:
                told = ", ".join(f"{k.replace('_', ' ')} {_shown(v)}" for k, v in row.items())
                typer.echo(f"{indent}  {told}")
        else:
            typer.echo(f"{indent}{name}: {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "not compared" if value is None else str(value)


def _print_audits(audits: Any) -> None:
    for found in audits:
        typer.echo(f"audit {found.name}: {found.offending:,} rows")
        for row in found.rows.slice(0, 5).to_pylist():
            typer.secho(f"  {row}", fg="red", err=True)
    if any(found.offending for found in audits):
        raise typer.Exit(1)
