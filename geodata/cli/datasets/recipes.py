"""The ``geodata dataset build`` commands, one for each recipe of `geodata.datasets.RECIPES`.

An option that is not given is None here: the recipe's own default holds, as the help reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from geodata.cli import on_ray, options, terminal
from geodata.cli.datasets.reports import print_audits, print_report
from geodata.cli.options import ShowsDefaults, given, keyword_defaults, with_groups
from geodata.cli.terminal import say

recipes_app = typer.Typer(
    help="Build a dataset as a new version, then audit it; exit code 1 if an audit finds rows."
    "\n\nEach recipe has options of its own: geodata dataset build rand --help",
    epilog="Example: geodata dataset build rand --lake lake -n 500000",
    no_args_is_help=True,
)


class _RecipeCommand(ShowsDefaults):
    def python_defaults(self) -> Mapping[str, Any]:
        from geodata import datasets

        name = self.name or ""
        recipe = datasets.RECIPES[name]
        seed = keyword_defaults(datasets.build)["seed"]
        return {"name": _table(name), "seed": seed, **recipe.inputs, **recipe.parameters()}


@dataclass(frozen=True)
class _Build:
    """What every recipe is asked with."""

    lake: options.Lake
    name: Annotated[str | None, typer.Option(help="Table to write, as a new version.")] = None
    rows: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Table of the lake to start from: NAME, NAME@3 for a version, NAME@TAG.",
            autocompletion=terminal.tables,
        ),
    ] = None

    def run(
        self, recipe: str, seed: int | None, cluster: options.Cluster | None = None, **options: Any
    ) -> None:
        """Build the dataset, leaving out what was not given, and print what came of it."""
        from geodata import datasets

        asked = {"rows": self.rows, "seed": seed, **options}
        asked = {n: None if v is EVERY else v for n, v in asked.items() if v is not None}
        roles, name = datasets.RECIPES[recipe].inputs, self.name or _table(recipe)
        inputs = {role: asked.pop(role) for role in roles if role in asked}
        if cluster is not None and cluster.is_ray():
            built = on_ray.build(recipe, self.lake, name, inputs, cluster.address, asked)
        else:
            built = datasets.build(recipe, self.lake, name, inputs, **asked)
        say(f"{built.name}, version {built.version}: {built.rows:,} rows")
        say(f"content hash {built.content_hash}")
        print_report(built.report)
        print_audits(built.audits)


EVERY = object()
"""Stands for None where that is asked for, since None here is what was not given."""

Seed = Annotated[int | None, typer.Option(help="Decides what is random: same seed, same rows.")]
# Nothing in the recipe is random: taken, and recorded, for scripts that give all recipes one seed.
RecordedSeed = Annotated[int | None, typer.Option("--seed", hidden=True)]


def register(app: typer.Typer) -> None:
    """Add the commands to ``geodata dataset``."""
    commands = (labelled, rand, popular, hard, split, exclude_benchmark, dedupe, filter_, join,
                annotate, union)  # fmt: skip
    for command in commands:
        name = command.__name__.rstrip("_").replace("_", "-")
        recipes_app.command(name, cls=_RecipeCommand, no_args_is_help=True)(command)
    app.add_typer(recipes_app, name="build")


@with_groups
def labelled(
    build: _Build, labelling: options.Labelling, cluster: options.Cluster, seed: RecordedSeed = None
) -> None:
    """Add country, region and city to photos; rows without coordinates stay, unlabelled.

    Example: geodata dataset build labelled --lake lake --from photos
    """
    build.run("labelled", seed, cluster, **given(labelling))


@with_groups
def rand(
    build: _Build,
    cluster: options.Cluster,
    n: Annotated[
        str | None, typer.Option("-n", help="Rows to choose, or 'all' that have coordinates.")
    ] = None,
    stratify: Annotated[
        str | None,
        typer.Option(help="Column, such as country_code: each of its values gets its share."),
    ] = None,
    allocation: Annotated[
        str | None,
        typer.Option(
            help="Share of a value with --stratify: 'proportional' to its rows, or 'equal'."
        ),
    ] = None,
    seed: Seed = None,
) -> None:
    """Choose rows at random among those with coordinates, as Geo-R's MP16-Rand.

    Example: geodata dataset build rand --lake lake -n 500000 --seed 3
    """
    if allocation is not None and stratify is None:
        msg = (
            f"--allocation {allocation} divides rows among the values of --stratify COLUMN; add it"
        )
        raise ValueError(msg)
    build.run("rand", seed, cluster, n=_count(n), stratify=stratify, allocation=allocation)


def _count(given: str | None) -> Any:
    if given is None or given.strip().isdigit():
        return None if given is None else int(given)
    if given.strip().lower() == "all":
        return EVERY
    msg = f"-n {given!r} is neither a number of rows nor 'all'"
    raise ValueError(msg)


@with_groups
def popular(
    build: _Build,
    predictions: Annotated[
        str,
        typer.Option(
            help="A model's answers about the rows: a file, or a table of the lake.",
            show_default=False,
        ),
    ],
    radius_km: Annotated[
        float | None, typer.Option(help="An answer within this is right: the photo is localized.")
    ] = None,
    thin: Annotated[
        int | None,
        typer.Option(help="At most one row in an H3 cell of this resolution, 0 to 15; else all."),
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", help="Rows to choose at random of those; else all.")
    ] = None,
    exclude_km: Annotated[
        float | None,
        typer.Option(help="Count how many rows 'hard' would keep with this radius; report only."),
    ] = None,
    seed: Seed = None,
) -> None:
    """Choose the rows that a model localizes, with its answer and the error beside each.

    Example: geodata dataset build popular --lake lake --predictions preds.csv -n 100000
    """
    build.run(
        "popular", seed, predictions=predictions, radius_km=radius_km, thin=thin, n=n,
        exclude_km=exclude_km,
    )  # fmt: skip


@with_groups
def hard(
    build: _Build,
    cluster: options.Cluster,
    popular: Annotated[
        str | None, typer.Option(help="Popular points: a table of the lake, or a file.")
    ] = None,
    radius_km: Annotated[
        float | None, typer.Option(help="Rows within this of a popular point are left out.")
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", help="Rows to choose at random of the others; else all.")
    ] = None,
    seed: Seed = None,
) -> None:
    """Choose rows far from every popular point, as Geo-R's MP16-Hard.

    Example: geodata dataset build hard --lake lake -n 200000
    """
    build.run("hard", seed, cluster, popular=popular, radius_km=radius_km, n=n)


@with_groups
def split(
    build: _Build,
    validation: Annotated[
        float | None, typer.Option(help="Share of the rows for validation, from 0 to 1.")
    ] = None,
    test: Annotated[
        float | None, typer.Option(help="Share of the rows for the test, from 0 to 1.")
    ] = None,
    resolution: Annotated[
        int | None,
        typer.Option(help="H3 cells of this resolution stay whole: 0 (coarse) to 5."),
    ] = None,
    buffer: Annotated[
        int | None,
        typer.Option(help="Leave out rows within so many cells (9 km) of another part; 0: none."),
    ] = None,
    least: Annotated[
        float | None,
        typer.Option(help="Refuse a part with less than this share of its rows; 0 takes any."),
    ] = None,
    seed: Seed = None,
) -> None:
    """Divide rows into train, validation and test that share no photographer and no place.

    The column 'split' says which. Rows that would leak are left out and counted.

    Example: geodata dataset build split --lake lake --from labelled --test 0.1
    """
    build.run(
        "split", seed, validation=validation, test=test, resolution=resolution, buffer=buffer,
        least=least,
    )  # fmt: skip


@with_groups
def exclude_benchmark(
    build: _Build,
    benchmark: Annotated[
        str, typer.Option(help="The test set: a file, or a table of the lake.", show_default=False)
    ],
    by: Annotated[str | None, typer.Option(help="What no row may share with the test set.")] = None,
    radius_km: Annotated[
        float | None, typer.Option(help="The rule 'radius': how near is the same place.")
    ] = None,
    seed: RecordedSeed = None,
) -> None:
    """Leave out rows that share a photo, a photographer or a place with a test set.

    Example: geodata dataset build exclude-benchmark --lake lake --benchmark im2gps3k.csv
    """
    build.run("exclude-benchmark", seed, benchmark=benchmark, by=by, radius_km=radius_km)


@with_groups
def dedupe(
    build: _Build,
    by: Annotated[
        str | None,
        typer.Option(help="Columns that make a repetition together, with commas between."),
    ] = None,
    seed: Seed = None,
) -> None:
    """Keep one row of those that are equal in some columns.

    Example: geodata dataset build dedupe --lake lake --from photos --by author,lat,lon
    """
    build.run("dedupe", seed, by=by)


@with_groups
def filter_(
    build: _Build,
    cluster: options.Cluster,
    where: Annotated[
        str | None, typer.Option(help="SQL condition, such as \"country_code = 'JP'\".")
    ] = None,
    seed: RecordedSeed = None,
) -> None:
    """Keep the rows for which a SQL condition is true.

    Example: geodata dataset build filter --lake lake --where "country_code = 'JP'" --name japan
    """
    build.run("filter", seed, cluster, where=where)


@with_groups
def join(
    build: _Build,
    other: Annotated[
        str, typer.Option(help="What to add: a file, or a table of the lake.", show_default=False)
    ],
    on: Annotated[str | None, typer.Option(help="Column that both sides have.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="Columns to add, with commas between; else all.")
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Put before the new names.")] = None,
    how: Annotated[
        str | None, typer.Option(help="'left' keeps rows without a partner, 'inner' does not.")
    ] = None,
    seed: RecordedSeed = None,
) -> None:
    """Add columns of another table or file to the rows of the same id.

    Example: geodata dataset build join --lake lake --other scores.csv --name scored
    """
    build.run("join", seed, other=other, on=on, columns=columns, prefix=prefix, how=how)


@with_groups
def annotate(
    build: _Build,
    annotations: Annotated[
        str,
        typer.Option(
            help="Answers or labels, several a photo: a file or a table.", show_default=False
        ),
    ],
    on: Annotated[str | None, typer.Option(help="Column of the id, on both sides.")] = None,
    by: Annotated[str | None, typer.Option(help="Column that says who gave an answer.")] = None,
    values: Annotated[
        str | None, typer.Option(help="Columns to keep, with commas between; else all.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Name of the new column, a list.")] = None,
    seed: RecordedSeed = None,
) -> None:
    """Give each row the list of what others said of it, with who said it.

    Example: geodata dataset build annotate --lake lake --annotations answers.csv --by model
    """
    build.run("annotate", seed, annotations=annotations, on=on, by=by, values=values, column=column)


@with_groups
def union(
    build: _Build,
    other: Annotated[str, typer.Option(help="Another table of the lake.", show_default=False)],
    origin: Annotated[
        str | None, typer.Option(help="New column that says which table a row is from.")
    ] = None,
    seed: RecordedSeed = None,
) -> None:
    """Put the rows of two tables one after the other.

    Example: geodata dataset build union --lake lake --from flickr --other mapillary --name both
    """
    build.run("union", seed, other=other, origin=origin)


def _table(recipe: str) -> str:
    """Return the table that a recipe writes if no other is named."""
    return recipe.replace("-", "_")
