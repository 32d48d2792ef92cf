"""Options that several commands of ``geodata`` share, with their help."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

_COLUMNS = "Columns (found by their usual names)"
_SCORING = "What decides a score"
_OUTPUT = "Where to write"
_CHECKS = "Checks"


def column(text: str, *names: str) -> Any:
    """Return an option that names a column; its name is the parameter's if none is given."""
    return typer.Option(*names, help=text, rich_help_panel=_COLUMNS)


def scoring(text: str) -> Any:
    """Return an option that changes a score."""
    return typer.Option(help=text, rich_help_panel=_SCORING)


def output(name: str, text: str) -> Any:
    """Return an option that names a file to write."""
    return typer.Option(name, help=text, rich_help_panel=_OUTPUT)


Predictions = Annotated[
    Path, typer.Argument(help="Predictions: CSV, TSV, Parquet or JSONL.", show_default=False)
]
TruthFile = Annotated[
    Path | None,
    typer.Option("--truth", "-t", help="Truth rows; leave it out if the predictions hold them."),
]
Json = Annotated[Path | None, output("--json", "JSON file.")]
Train = Annotated[
    Path | None,
    typer.Option(
        help="Training rows: find photos, photographers and places that the truth shares.",
        rich_help_panel=_CHECKS,
    ),
]
Against = Annotated[
    list[Path] | None,
    typer.Option(
        help="Another submission, to find one that is nearly the same. Can be repeated.",
        rich_help_panel=_CHECKS,
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit with 1 on any warning.", rich_help_panel=_CHECKS)
]
Missing = Annotated[
    str, scoring("Rows without an answer: 'wrong', or 'exclude' from the denominator.")
]
By = Annotated[
    list[str] | None,
    scoring(
        "Break down by a truth column, or country, admin1, continent, h3, town_km. Can be repeated."
    ),
]
Regions = Annotated[
    bool | None,
    typer.Option(
        "--regions/--no-regions",
        help="Country, admin1 and city accuracy; by default up to a million rows.",
        rich_help_panel=_SCORING,
    ),
]
Names = Annotated[
    bool | None,
    typer.Option(
        "--names/--no-names",
        help="Turn answers that are country and city names into places; by default where no "
        "answer of the file is a coordinate.",
        rich_help_panel=_SCORING,
    ),
]
Benchmark = Annotated[
    str | None,
    scoring(
        "Published results to print beside, by name or arXiv id: im2gps3k, yfcc4k, "
        "mp16-reason-test."
    ),
]
Candidates = Annotated[
    str,
    column("Several answers a photo are in: auto, rows, columns (lat_1, ...), list, none."),
]
Rank = Annotated[str | None, column("Predictions: what orders the rows of one photo.")]
ConfidenceColumn = Annotated[
    str | None, column("Predictions: how sure an answer is.", "--confidence-column")
]
Markdown = Annotated[Path | None, output("--markdown", "Markdown file.")]
Report = Annotated[
    Path | None,
    output("--report", "HTML file: one page with plots and maps; adds the break-down by country."),
]

Page = Annotated[Path | None, output("--report", "HTML file: one page with all tables.")]
_ENGINE = "Engine"
Engine = Annotated[
    str | None,
    typer.Option(
        help="'ray': on a Ray cluster (extra ray); else in this process.", rich_help_panel=_ENGINE
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="Ray cluster, HOST:PORT or auto; else one on this machine.", rich_help_panel=_ENGINE
    ),
]

Lake = Annotated[Path, typer.Option(help="Folder of versioned tables.", show_default=False)]
At = Annotated[str | None, typer.Option("--at", help="Version or tag; the latest if left out.")]


@dataclass(frozen=True)
class Columns:
    """How the rows of predictions and truth are read and brought together."""

    id: Annotated[str | None, column("Truth: id.")] = None
    lat: Annotated[str | None, column("Truth: latitude.")] = None
    lon: Annotated[str | None, column("Truth: longitude.")] = None
    pred_id: Annotated[str | None, column("Predictions: id.")] = None
    pred_lat: Annotated[str | None, column("Predictions: latitude.")] = None
    pred_lon: Annotated[str | None, column("Predictions: longitude.")] = None
    text: Annotated[str | None, column("Predictions: the model's words.")] = None
    distance_column: Annotated[
        str | None,
        column("Predictions: error of each answer, where there are no coordinates."),
    ] = None
    distance_unit: Annotated[
        str | None, column("Of that column: km, m or mi; else what its name says.")
    ] = None
    encoding: Annotated[
        str | None, column("Of text files that are no UTF-8 or UTF-16, such as latin-1.")
    ] = None
    match: Annotated[
        str,
        column(
            "How ids are compared: auto, exact, trim, stem (no .jpg), flat (no folders), number, "
            "endings (no .jpg.jpg), case, zeros (007 is 7)."
        ),
    ] = "auto"

    def __post_init__(self) -> None:
        """Refuse a way to compare ids that there is not."""
        modes = ("auto", "exact", "trim", "stem", "flat", "number", "endings", "case", "zeros")
        choice("--match", self.match, modes)

    def keywords(self) -> dict[str, Any]:
        """Return the keywords of `evaluation.evaluate`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def of_truth(self) -> dict[str, Any]:
        """Return the keywords of `read_truth`."""
        return {"id": self.id, "lat": self.lat, "lon": self.lon, "encoding": self.encoding}

    def of_predictions(self) -> dict[str, Any]:
        """Return the keywords of `read_predictions`."""
        return {
            "id": self.pred_id, "lat": self.pred_lat, "lon": self.pred_lon, "text": self.text,
            "encoding": self.encoding, "distance_column": self.distance_column,
            "distance_unit": self.distance_unit,
        }  # fmt: skip


@dataclass(frozen=True)
class Scoring:
    """What decides a score, the same for one file and for two."""

    thresholds: Annotated[str, scoring("Distances in km, with commas between.")] = (
        "1,25,200,750,2500"
    )
    less_than: Annotated[
        bool,
        typer.Option("--less-than", help="Right is d < t, not d <= t.", rich_help_panel=_SCORING),
    ] = False
    distance: Annotated[str, scoring("'sphere' (R = 6371 km) or 'wgs84'.")] = "sphere"
    cluster: Annotated[
        str | None,
        scoring("Truth column whose values are resampled whole, e.g. the photographer."),
    ] = None
    seed: Annotated[int, scoring("Seed of the intervals.")] = 0

    def __post_init__(self) -> None:
        """Refuse a kind of distance that there is not."""
        choice("--distance", self.distance, ("sphere", "wgs84"))

    def keywords(self) -> dict[str, Any]:
        """Return the keywords of `evaluation.evaluate`."""
        return {
            "thresholds_km": self._thresholds_km(), "strict": self.less_than,
            "distance": self.distance, "cluster": self.cluster, "seed": self.seed,
        }  # fmt: skip

    def _thresholds_km(self) -> tuple[float, ...]:
        """Return the thresholds in a text such as ``1,25,200``."""
        try:
            return tuple(float(part) for part in self.thresholds.split(",") if part.strip())
        except ValueError:
            msg = (
                f"--thresholds {self.thresholds!r} is not a list of numbers; write km, such as "
                "1,25,200"
            )
            raise ValueError(msg) from None


@dataclass(frozen=True)
class Labelling:
    """How coordinates are labelled; what is None is left to `geodata.cor.label`."""

    boundaries: Annotated[
        str | None, typer.Option(help="Boundary set: a name or a folder; else the bundled one.")
    ] = None
    worldview: Annotated[
        str | None,
        typer.Option(help="Whose view of disputed areas: un, or a claimant such as in."),
    ] = None
    dependencies: Annotated[
        str | None,
        typer.Option(help="Territories as their 'own' country or part of their 'sovereign'."),
    ] = None
    max_offset_km: Annotated[
        float | None, typer.Option(help="Off every coast: take the nearest country within this.")
    ] = None


def choice(option: str, given: str, allowed: tuple[str, ...]) -> Any:
    """Return a value if it is one of those allowed, and refuse it if not."""
    if given not in allowed:
        msg = f"{option} {given!r} is unknown; expected one of {', '.join(allowed)}"
        raise ValueError(msg)
    return given


@dataclass(frozen=True)
class Cluster:
    """Where the rows are made and written."""

    engine: Engine = None
    address: Address = None

    def is_ray(self) -> bool:
        """Return whether Ray was asked for; see `is_ray`."""
        return is_ray(self.engine, self.address)


def is_ray(engine: str | None, address: str | None) -> bool:
    """Return whether Ray was asked for; refuse another engine, or an address without one."""
    if engine is None and address is not None:
        msg = f"--address {address!r} is of a Ray cluster: give --engine ray too"
        raise ValueError(msg)
    return engine is not None and bool(choice("--engine", engine, ("ray",)))
