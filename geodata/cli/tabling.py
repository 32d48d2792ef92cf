"""The ``geodata table`` command: many models on one truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from geodata.cli import options
from geodata.cli.evaluate import check_folders, console, finish, report_written
from geodata.cli.options import with_groups


def register(app: typer.Typer) -> None:
    """Add the command to the ``geodata`` application."""
    app.command(no_args_is_help=True, rich_help_panel="Scores")(table)


@with_groups
def table(
    preds: Annotated[
        list[Path], typer.Argument(help="Predictions, a file a model.", show_default=False)
    ],
    truth: Annotated[Path, typer.Option("--truth", "-t", help="Truth rows.", show_default=False)],
    *,
    scoring: options.Scoring,
    missing: options.Missing = "wrong",
    benchmark: options.Benchmark = None,
    columns: options.Columns,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX (booktabs).")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Print one HTML page.")] = False,
    figure: Annotated[
        Path | None, options.output("--figure", "Error curves of all models: .svg or .pdf.")
    ] = None,
    json: options.Json = None,
    report: options.Page = None,
    strict: options.Strict = False,
) -> None:
    """Score many prediction files on one truth, and test every two of them.

    The best of each column is bold; a dagger marks those that no paired test, with Holm's
    correction for all pairs, tells from it.

    Example: geodata table a.csv b.csv c.csv --truth truth.csv --latex > table.tex

    Example: geodata table *.csv -t truth.csv --benchmark im2gps3k --figure curves.pdf
    """
    from geodata import evaluation, files
    from geodata.evaluation import report as reports

    if latex + markdown + html > 1:
        msg = "--latex, --markdown and --html are three forms; give one of them"
        raise ValueError(msg)
    check_folders(json, figure, report)
    found = evaluation.table(
        names_of(preds),
        truth,
        benchmark=benchmark,
        missing=options.choice("--missing", missing, ("wrong", "exclude")),
        **scoring.keywords(),
        **columns.keywords(),
    )
    if json is not None:
        reports.write_json(found, json)
    if figure is not None:
        found.write_curves(figure)
    if report is not None:
        files.write_text(report, found.to_html())
    if latex or markdown or html:
        text = found.to_latex() if latex else found.to_markdown() if markdown else found.to_html()
        sys.stdout.write(text)
    else:
        reports.print_models(found, console())
    report_written(json, figure, report)
    finish([*found.findings, *(f for one in found.results.values() for f in one.findings)], strict)


def names_of(paths: list[Path]) -> dict[str, Path]:
    """Return files by their name without ending, with the folder where two are alike.

    Examples
    --------
    >>> list(names_of([Path("x/a.csv"), Path("y/a.csv"), Path("y/b.csv.gz")]))
    ['x/a', 'y/a', 'b']
    """
    short = [path.name.split(".")[0] or path.name for path in paths]
    named: dict[str, Path] = {}
    for path, name in zip(paths, short, strict=True):
        label = name if short.count(name) == 1 else f"{path.parent.name}/{name}"
        if label in named:
            label = str(path)
        if label in named:
            msg = f"{path} is given twice; give each file once"
            raise ValueError(msg)
        named[label] = path
    return named
