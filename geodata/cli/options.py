"""Options that several commands of ``geodata`` share, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COLUMNS = "Columns (found by their usual names)"
SCORING = "What decides a score"
OUTPUT = "Where to write"
CHECKS = "Checks"
Predictions = Annotated[
    Path, typer.Argument(help="Predictions: CSV, TSV, Parquet or JSONL.", show_default=False)
]
TruthFile = Annotated[
    Path | None,
    typer.Option("--truth", "-t", help="Truth rows; left out if PREDS holds them too."),
]
Id = Annotated[str | None, typer.Option("--id", help="Truth: id.", rich_help_panel=COLUMNS)]
Lat = Annotated[str | None, typer.Option(help="Truth: latitude.", rich_help_panel=COLUMNS)]
Lon = Annotated[str | None, typer.Option(help="Truth: longitude.", rich_help_panel=COLUMNS)]
PredId = Annotated[str | None, typer.Option(help="Predictions: id.", rich_help_panel=COLUMNS)]
PredLat = Annotated[
    str | None, typer.Option(help="Predictions: latitude.", rich_help_panel=COLUMNS)
]
PredLon = Annotated[
    str | None, typer.Option(help="Predictions: longitude.", rich_help_panel=COLUMNS)
]
WordsColumn = Annotated[
    str | None,
    typer.Option("--text", help="Predictions: the model's words.", rich_help_panel=COLUMNS),
]
Match = Annotated[
    str,
    typer.Option(
        help="How ids are compared: auto, exact, trim, stem (no .jpg), flat (no folders), number.",
        rich_help_panel=COLUMNS,
    ),
]
Thresholds = Annotated[
    str, typer.Option(help="Distances in km, with commas between.", rich_help_panel=SCORING)
]
LessThan = Annotated[
    bool,
    typer.Option("--less-than", help="Right is d < t, not d <= t.", rich_help_panel=SCORING),
]
Distance = Annotated[
    str,
    typer.Option(help="'sphere' (R = 6371 km) or 'wgs84'.", rich_help_panel=SCORING),
]
Missing = Annotated[
    str,
    typer.Option(
        help="Rows without an answer: 'wrong', or 'exclude' from the denominator.",
        rich_help_panel=SCORING,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        help="Truth column whose values are resampled whole, e.g. the photographer.",
        rich_help_panel=SCORING,
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of the intervals.", rich_help_panel=SCORING)]
Json = Annotated[Path | None, typer.Option("--json", help="JSON file.", rich_help_panel=OUTPUT)]
Train = Annotated[
    Path | None,
    typer.Option(
        help="Training rows: find photos, photographers and places that the truth shares.",
        rich_help_panel=CHECKS,
    ),
]
Against = Annotated[
    list[Path] | None,
    typer.Option(
        help="Another submission, to find one that is nearly the same. Can be repeated.",
        rich_help_panel=CHECKS,
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit with 1 on any warning.", rich_help_panel=CHECKS)
]
By = Annotated[
    list[str] | None,
    typer.Option(
        help="Break down by a truth column, or country, admin1, continent, h3, town_km. "
        "Can be repeated.",
        rich_help_panel=SCORING,
    ),
]
Regions = Annotated[
    bool | None,
    typer.Option(
        "--regions/--no-regions",
        help="Country, admin1 and city accuracy; by default up to a million rows.",
        rich_help_panel=SCORING,
    ),
]
Benchmark = Annotated[
    str | None,
    typer.Option(
        help="Published results to print beside: im2gps3k, yfcc4k, mp16-reason-test.",
        rich_help_panel=SCORING,
    ),
]
Markdown = Annotated[Path | None, typer.Option(help="Markdown file.", rich_help_panel=OUTPUT)]
Report = Annotated[
    Path | None,
    typer.Option(
        help="HTML file: one page with plots and maps; adds the break-down by country.",
        rich_help_panel=OUTPUT,
    ),
]
