"""The ``geodata evaluate``, ``compare`` and ``lint`` commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodata import SOFTWARE
from geodata.cli import on_ray, options
from geodata.cli.options import with_groups
from geodata.cli.terminal import say

if TYPE_CHECKING:
    from rich.console import Console

    from geodata.evaluation import Finding

WIDTH = 80
"""Width of the text where the output is not a terminal."""


def register(app: typer.Typer) -> None:
    """Add the commands to the ``geodata`` application."""
    app.command(no_args_is_help=True, rich_help_panel="Scores")(evaluate)
    app.command(no_args_is_help=True, rich_help_panel="Scores")(compare)
    app.command(no_args_is_help=True, rich_help_panel="Scores")(lint)


@with_groups
def evaluate(
    preds: options.Predictions,
    truth: options.TruthFile = None,
    *,
    scoring: options.Scoring,
    missing: options.Missing = "wrong",
    by: options.By = None,
    regions: options.Regions = None,
    names: options.Names = None,
    benchmark: options.Benchmark = None,
    columns: options.Columns,
    candidates: options.Candidates = "auto",
    rank: options.Rank = None,
    confidence_column: options.ConfidenceColumn = None,
    json: options.Json = None,
    markdown: options.Markdown = None,
    report: options.Report = None,
    train: options.Train = None,
    against: options.Against = None,
    strict: options.Strict = False,
    engine: options.Engine = None,
    address: options.Address = None,
) -> None:
    """Score a prediction file: accuracy by distance, with intervals and findings.

    The denominator is the number of truth rows: a missing answer is wrong.

    Findings that are errors exit with 1, and with --strict warnings do too.

    Example: geodata evaluate preds.csv --truth truth.csv --report report.html

    Example: geodata evaluate preds.jsonl -t truth.csv --benchmark im2gps3k

    Example: geodata evaluate joined.parquet --engine ray --address auto

    Answers may be names, in columns or in lines such as "country: Japan" and "city: Kyoto".
    """
    from geodata import evaluation
    from geodata.cli.terminal import progress
    from geodata.evaluation import errors_first, report as reports

    check_folders(json, markdown, report)
    if options.is_ray(engine, address):
        refused = {
            "--truth": truth, "--by": by, "--cluster": scoring.cluster, "--names": names,
            "--benchmark": benchmark, "--rank": rank, "--confidence-column": confidence_column,
            "--markdown": markdown, "--report": report, "--train": train, "--against": against,
            "--text": columns.text, "--distance-column": columns.distance_column,
            "--distance-unit": columns.distance_unit,
        }  # fmt: skip
        on_ray.evaluate(preds, scoring, missing, regions, columns, json, address, refused)
        return
    asked = list(dict.fromkeys(by or []))
    extra = ["country"] if report is not None and regions is not False else []
    with progress(f"scoring {preds.name}") as step:
        result = evaluation.evaluate(
            preds,
            truth,
            **scoring.keywords(),
            **columns.keywords(),
            missing=options.choice("--missing", missing, ("wrong", "exclude")),
            by=list(dict.fromkeys([*asked, *extra])),
            regions=regions,
            names=names,
            benchmark=benchmark,
            candidates=options.choice(
                "--candidates", candidates, ("auto", "rows", "columns", "list", "none")
            ),
            rank=rank,
            confidence_column=confidence_column,
            progress=step,
        )
    found = [*result.findings]
    if train is not None or against:
        opened = _opened(preds, columns, with_truth=truth is None)
        found += _further(opened, truth or preds, columns, train, against)
    result = replace(result, findings=tuple(errors_first(found)))
    if json is not None:
        reports.write_json(result, json)
    if markdown is not None:
        reports.write_markdown(result, markdown, by=asked)
    if report is not None:
        reports.write_html(result, report)
    reports.print_evaluation(result, console(), by=asked)
    report_written(json, markdown, report)
    finish(result.findings, strict)


@with_groups
def compare(
    a: Annotated[Path, typer.Argument(help="Predictions A.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="Predictions B.", show_default=False)],
    truth: Annotated[Path, typer.Option("--truth", "-t", help="Truth rows.", show_default=False)],
    *,
    scoring: options.Scoring,
    columns: options.Columns,
    json: options.Json = None,
    report: options.Page = None,
    strict: options.Strict = False,
) -> None:
    """Compare two prediction files on the same truth rows, pair by pair.

    Prints both accuracies on the rows that both answered, the difference with its interval and
    the p of an exact paired test.

    Example: geodata compare a.csv b.csv --truth truth.csv --cluster author
    """
    from geodata import evaluation, files
    from geodata.evaluation import report as reports

    check_folders(json, report)
    found = evaluation.compare(
        a, b, truth, **scoring.keywords(), **columns.keywords(), regions=False
    )
    if json is not None:
        reports.write_json(found, json)
    if report is not None:
        files.write_text(report, reports.comparison_html(found))
    # after the files: who reads the first lines only, as head does, ends the process here
    reports.print_comparison(found, console())
    report_written(json, report)
    finish([*found.findings, *found.a.findings, *found.b.findings], strict)


@with_groups
def lint(
    preds: options.Predictions,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", "-t", help="Truth rows, to compare ids and places with."),
    ] = None,
    *,
    columns: options.Columns,
    json: options.Json = None,
    train: options.Train = None,
    against: options.Against = None,
    strict: options.Strict = False,
) -> None:
    """Look for what is wrong with a prediction file, without scoring it.

    Every finding names rows and a remedy.

    Findings that are errors exit with 1, and with --strict warnings do too.

    Example: geodata lint preds.csv --truth truth.csv --train train.parquet --strict
    """
    from geodata.evaluation import errors_first, report as reports
    from geodata.evaluation.checks import lint as check
    from geodata.evaluation.joining import read_truth

    check_folders(json)
    if train is not None and truth is None:
        msg = "--train is compared with the truth; name it with --truth truth.csv"
        raise ValueError(msg)
    opened = _opened(preds, columns, with_truth=False)
    true = None if truth is None else read_truth(truth, **columns.of_truth())
    match = columns.keywords()["match"]
    found = errors_first(check(opened, true, against=against or (), train=train, match=match))
    if json is not None:
        _write_findings(json, preds, truth, found)
    reports.print_findings(found, console())
    report_written(json)
    finish(found, strict)


def _further(
    opened: Any,
    truth: Path,
    columns: options.Columns,
    train: Path | None,
    against: Sequence[Path] | None,
) -> list[Finding]:
    """Return findings about training rows and other submissions."""
    from geodata.evaluation.checks import near_duplicates, overlap
    from geodata.evaluation.joining import read_truth

    found = [one for other in against or () for one in near_duplicates(opened, other)]
    if train is not None:
        found += overlap(train, read_truth(truth, **columns.of_truth()))
    return found


def _opened(preds: Path, columns: options.Columns, *, with_truth: bool) -> Any:
    from geodata.evaluation.joining import read_predictions

    return read_predictions(preds, **columns.of_predictions(), with_truth=with_truth)


def _write_findings(path: Path, preds: Path, truth: Path | None, found: Sequence[Finding]) -> None:
    import json

    from geodata import files

    inputs = {"predictions": preds} | ({} if truth is None else {"truth": truth})
    made = {role: {"name": p.name, "sha256": files.sha256(p)} for role, p in inputs.items()}
    whole = {
        "schema": "geodata.findings/1",
        "made_by": {"software": SOFTWARE, "inputs": made},
        "findings": [one.as_dict() for one in found],
    }
    files.write_text(path, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")


def check_folders(*targets: Path | None) -> None:
    """Refuse a target whose folder is missing before the work, not after it."""
    for target in targets:
        if target is not None and not target.parent.is_dir():
            msg = f"cannot write {target}: there is no folder {target.parent}; make it first"
            raise FileNotFoundError(msg)


def report_written(*targets: Path | None) -> None:
    """Say which files were written."""
    for target in targets:
        if target is not None:
            say(f"wrote {target}", err=True)


def finish(findings: Sequence[Finding], strict: bool) -> None:
    """Exit with 1 where findings fail the run, and say in one line which do."""
    from geodata.evaluation import failing

    bad = failing(findings, strict=strict)
    if bad:
        more = f" (and {len(bad) - 1} more above)" if len(bad) > 1 else ""
        message = f"geodata: {bad[0].severity}: {bad[0].code}: {bad[0].message}{more}"
        say(message, err=True, fg="red" if bad[0].severity == "error" else "yellow")
        raise typer.Exit(1)


def console() -> Console:
    """Return where to print; a pipe gets `WIDTH` columns."""
    from rich.console import Console

    # A pipe has no width of its own.
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
