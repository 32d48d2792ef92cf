"""The ``geodata evaluate``, ``compare`` and ``lint`` commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodata import SOFTWARE
from geodata.cli import options as opts

if TYPE_CHECKING:
    from rich.console import Console

    from geodata.evaluation.findings import Finding

WIDTH = 80
"""Width of the text where the output is not a terminal."""


def register(app: typer.Typer) -> None:
    """Add the commands to the ``geodata`` application."""
    app.command(no_args_is_help=True)(evaluate)
    app.command(no_args_is_help=True)(compare)
    app.command(no_args_is_help=True)(lint)


def evaluate(
    preds: opts.Predictions,
    truth: opts.TruthFile = None,
    thresholds: opts.Thresholds = "1,25,200,750,2500",
    less_than: opts.LessThan = False,
    distance: opts.Distance = "sphere",
    missing: opts.Missing = "wrong",
    cluster: opts.Cluster = None,
    by: opts.By = None,
    regions: opts.Regions = None,
    benchmark: opts.Benchmark = None,
    seed: opts.Seed = 0,
    id_: opts.Id = None,
    lat: opts.Lat = None,
    lon: opts.Lon = None,
    pred_id: opts.PredId = None,
    pred_lat: opts.PredLat = None,
    pred_lon: opts.PredLon = None,
    text: opts.WordsColumn = None,
    match: opts.Match = "auto",
    json: opts.Json = None,
    markdown: opts.Markdown = None,
    report: opts.Report = None,
    train: opts.Train = None,
    against: opts.Against = None,
    strict: opts.Strict = False,
) -> None:
    """Score a prediction file: accuracy by distance, with intervals and findings.

    The denominator is the number of truth rows: a missing answer is wrong.

    Findings that are errors exit with 1, and with --strict warnings do too.

    Example: geodata evaluate preds.csv --truth truth.csv --report report.html

    Example: geodata evaluate preds.jsonl -t truth.csv --benchmark im2gps3k
    """
    from geodata import evaluation
    from geodata.cli.progress import progress
    from geodata.evaluation import report as reports
    from geodata.evaluation.findings import errors_first

    _known_folders(json, markdown, report)
    asked = list(dict.fromkeys(by or []))
    extra = ["country"] if report is not None and regions is not False else []
    with progress(f"scoring {preds.name}") as step:
        result = evaluation.evaluate(
            preds,
            truth,
            _numbers(thresholds),
            strict=less_than,
            distance=_choice("--distance", distance, ("sphere", "wgs84")),
            missing=_choice("--missing", missing, ("wrong", "exclude")),
            match=_match(match),
            id=id_,
            lat=lat,
            lon=lon,
            pred_id=pred_id,
            pred_lat=pred_lat,
            pred_lon=pred_lon,
            text=text,
            by=list(dict.fromkeys([*asked, *extra])),
            cluster=cluster,
            regions=regions,
            benchmark=benchmark,
            seed=seed,
            progress=step,
        )
    found = [*result.findings]
    if train is not None or against:
        columns = {"id": pred_id, "lat": pred_lat, "lon": pred_lon, "text": text}
        true = {"id": id_, "lat": lat, "lon": lon}
        found += _further(
            _opened(preds, columns, truth is None), truth or preds, true, train, against
        )
    result = replace(result, findings=tuple(errors_first(found)))
    reports.print_evaluation(result, _console(), by=asked)
    if json is not None:
        reports.write_json(result, json)
    if markdown is not None:
        reports.write_markdown(result, markdown, by=asked)
    if report is not None:
        reports.write_html(result, report)
    _written(json, markdown, report)
    _finish(result.findings, strict)


def compare(
    a: Annotated[Path, typer.Argument(help="Predictions A.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="Predictions B.", show_default=False)],
    truth: Annotated[Path, typer.Option("--truth", "-t", help="Truth rows.", show_default=False)],
    thresholds: opts.Thresholds = "1,25,200,750,2500",
    less_than: opts.LessThan = False,
    distance: opts.Distance = "sphere",
    cluster: opts.Cluster = None,
    seed: opts.Seed = 0,
    id_: opts.Id = None,
    lat: opts.Lat = None,
    lon: opts.Lon = None,
    pred_id: opts.PredId = None,
    pred_lat: opts.PredLat = None,
    pred_lon: opts.PredLon = None,
    text: opts.WordsColumn = None,
    match: opts.Match = "auto",
    json: opts.Json = None,
    strict: opts.Strict = False,
) -> None:
    """Compare two prediction files on the same truth rows, pair by pair.

    Prints both accuracies, the difference with its interval and McNemar's exact p.

    Example: geodata compare a.csv b.csv --truth truth.csv --cluster author
    """
    from geodata import evaluation
    from geodata.evaluation import report as reports

    _known_folders(json)
    found = evaluation.compare(
        a,
        b,
        truth,
        thresholds_km=_numbers(thresholds),
        strict=less_than,
        distance=_choice("--distance", distance, ("sphere", "wgs84")),
        match=_match(match),
        id=id_,
        lat=lat,
        lon=lon,
        pred_id=pred_id,
        pred_lat=pred_lat,
        pred_lon=pred_lon,
        text=text,
        cluster=cluster,
        regions=False,
        seed=seed,
    )
    reports.print_comparison(found, _console())
    if json is not None:
        reports.write_json(found, json)
    _written(json)
    _finish([*found.findings, *found.a.findings, *found.b.findings], strict)


def lint(
    preds: opts.Predictions,
    truth: opts.TruthFile = None,
    id_: opts.Id = None,
    lat: opts.Lat = None,
    lon: opts.Lon = None,
    pred_id: opts.PredId = None,
    pred_lat: opts.PredLat = None,
    pred_lon: opts.PredLon = None,
    text: opts.WordsColumn = None,
    match: opts.Match = "auto",
    json: opts.Json = None,
    train: opts.Train = None,
    against: opts.Against = None,
    strict: opts.Strict = False,
) -> None:
    """Look for what is wrong with a prediction file, without scoring it.

    Every finding names rows and a remedy.

    Findings that are errors exit with 1, and with --strict warnings do too.

    Example: geodata lint preds.csv --truth truth.csv --train train.parquet --strict
    """
    from geodata.evaluation import report as reports
    from geodata.evaluation.checks import lint as check
    from geodata.evaluation.findings import errors_first
    from geodata.evaluation.joining import read_truth

    _known_folders(json)
    if train is not None and truth is None:
        msg = "--train is compared with the truth; name it with --truth truth.csv"
        raise ValueError(msg)
    opened = _opened(preds, {"id": pred_id, "lat": pred_lat, "lon": pred_lon, "text": text}, False)
    true = None if truth is None else read_truth(truth, id=id_, lat=lat, lon=lon)
    found = errors_first(
        check(opened, true, against=against or (), train=train, match=_match(match))
    )
    console = _console()
    reports.print_findings(found, console)
    if json is not None:
        _write_findings(json, preds, truth, found)
    _written(json)
    _finish(found, strict)


def _further(
    opened: Any,
    truth: Path,
    columns: dict[str, str | None],
    train: Path | None,
    against: Sequence[Path] | None,
) -> list[Finding]:
    """Return findings about training rows and other submissions."""
    from geodata.evaluation.checks import near_duplicates, overlap
    from geodata.evaluation.joining import read_truth

    found = [one for other in against or () for one in near_duplicates(opened, other)]
    if train is not None:
        found += overlap(
            train, read_truth(truth, id=columns["id"], lat=columns["lat"], lon=columns["lon"])
        )
    return found


def _opened(preds: Path, columns: dict[str, str | None], with_truth: bool) -> Any:
    from geodata.evaluation.joining import read_predictions

    return read_predictions(preds, **columns, with_truth=with_truth)


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


def _numbers(text: str) -> tuple[float, ...]:
    """Return the thresholds in a text such as ``1,25,200``."""
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        msg = f"--thresholds {text!r} is not a list of numbers; write km, such as 1,25,200"
        raise ValueError(msg) from None


def _choice(option: str, given: str, allowed: tuple[str, ...]) -> Any:
    if given not in allowed:
        msg = f"{option} {given!r} is unknown; expected one of {', '.join(allowed)}"
        raise ValueError(msg)
    return given


def _match(given: str) -> Any:
    return _choice("--match", given, ("auto", "exact", "trim", "stem", "flat", "number"))


def _known_folders(*targets: Path | None) -> None:
    """Refuse a target whose folder is missing before the work, not after it."""
    for target in targets:
        if target is not None and not target.parent.is_dir():
            msg = f"cannot write {target}: there is no folder {target.parent}; make it first"
            raise FileNotFoundError(msg)


def _written(*targets: Path | None) -> None:
    for target in targets:
        if target is not None:
            typer.echo(f"wrote {target}", err=True)


def _finish(findings: Sequence[Finding], strict: bool) -> None:
    from geodata.evaluation.findings import failing

    if failing(findings, strict=strict):
        raise typer.Exit(1)


def _console() -> Console:
    from rich.console import Console

    # A pipe has no width of its own.
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
