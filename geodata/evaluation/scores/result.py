"""What an evaluation says: numbers, how sure they are, what made them, what to look at."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from geodata import SOFTWARE
from geodata.evaluation.findings import Finding
from geodata.evaluation.scores.bootstrap import RESAMPLES, SEED
from geodata.evaluation.scores.groups import Group
from geodata.evaluation.scores.intervals import CONFIDENCE, Interval
from geodata.evaluation.scores.metrics import Scores
from geodata.evaluation.scores.pairs import Paired
from geodata.evaluation.scores.published import Published
from geodata.evaluation.scores.regions import RegionAccuracy

SCHEMA = "geodata.evaluation/1"
"""Name and version of the JSON form; the number rises when a field changes its meaning."""


@dataclass(frozen=True)
class Options:
    """How the rows were read and what the intervals are; `Scoring` holds what decides a score.

    Attributes
    ----------
    match : str
        How ids were compared.
    by : tuple of str
        Columns that the score is broken down by.
    cluster : str or None
        Column whose values are resampled whole, e.g. the photographer.
    confidence, resamples, seed
        Of the intervals.
    benchmark : str or None
        Whose published results stand beside the numbers.
    names : bool or None
        Whether names stood for places; None where the file decided.
    """

    match: str = "auto"
    by: tuple[str, ...] = ()
    cluster: str | None = None
    confidence: float = CONFIDENCE
    resamples: int = RESAMPLES
    seed: int = SEED
    benchmark: str | None = None
    names: bool | None = None


@dataclass(frozen=True)
class Row:
    """One row worth looking at."""

    id: str
    lat: float
    lon: float
    pred_lat: float
    pred_lon: float
    distance_km: float


@dataclass(frozen=True)
class Evaluation:
    """The score of one prediction file.

    Attributes
    ----------
    scores : Scores
        Every number, by threshold and by group.
    intervals : dict of threshold in km to Interval
        Around each accuracy; None where there are no rows.
    median_interval : Interval or None
        Around the median error, km.
    regions : dict of level to RegionAccuracy
        From labels of both coordinates; empty where not asked for.
    named_regions : dict of level to RegionAccuracy
        From names that the predictions give; empty where they give none.
    string_regions : dict of level to RegionAccuracy
        The same names beside the truth's own by the string rule of GLOBE's release; empty where
        one of the two has none.
    findings : tuple of Finding
    published : tuple of Published
        Rows of the named benchmark.
    worst, sample : tuple of Row
        The largest errors, and answered rows drawn at random for the map.
    options : Options
    inputs : dict
        Name and SHA-256 of what was read.
    """

    scores: Scores
    intervals: dict[float, Interval | None]
    median_interval: Interval | None
    regions: dict[str, RegionAccuracy]
    named_regions: dict[str, RegionAccuracy]
    string_regions: dict[str, RegionAccuracy]
    findings: tuple[Finding, ...]
    published: tuple[Published, ...]
    worst: tuple[Row, ...]
    sample: tuple[Row, ...] = field(repr=False)
    options: Options
    inputs: dict[str, Any]

    @property
    def accuracy(self) -> dict[float, float | None]:
        """Share in [0, 1] of truth rows within each threshold in km."""
        return self.scores.accuracy

    @property
    def coverage(self) -> float | None:
        """Share of truth rows that have a valid prediction."""
        return self.scores.coverage

    @property
    def rows(self) -> int:
        """Number of truth rows."""
        return self.scores.rows

    @property
    def median_km(self) -> float | None:
        """Median error of the answered rows, km."""
        return self.scores.median_km

    @property
    def mean_km(self) -> float | None:
        """Mean error of the answered rows, km."""
        return self.scores.mean_km

    @property
    def geoscore(self) -> float | None:
        """Mean of 5000 exp(-d / 1492.7); a missing answer earns 0."""
        return self.scores.geoscore

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON types, with everything that made it."""
        scores, scoring = self.scores, self.scores.scoring
        return {
            "schema": SCHEMA,
            "made_by": {"software": SOFTWARE, "inputs": self.inputs},
            "scoring": {
                **asdict(scoring),
                "thresholds_km": list(scoring.thresholds_km),
                "quantiles": list(scoring.quantiles),
                "rule": f"d {'<' if scoring.strict else '<='} t",
            },
            "options": {**asdict(self.options), "by": list(self.options.by)},
            "rows": scores.rows,
            "answered": scores.answered,
            "denominator": scores.denominator,
            "coverage": scores.coverage,
            "thresholds": [
                {
                    "km": t,
                    "correct": scores.correct[t],
                    "accuracy": scores.accuracy[t],
                    "interval": _interval(self.intervals[t]),
                }
                for t in scoring.thresholds_km
            ],
            "median_km": scores.median_km,
            "median_interval": _interval(self.median_interval),
            "mean_km": scores.mean_km,
            "quantiles_km": [{"q": q, "km": km} for q, km in scores.quantiles_km.items()],
            "geoscore": scores.geoscore,
            "regions": {level: _region(found) for level, found in self.regions.items()},
            "named_regions": {k: _region(found) for k, found in self.named_regions.items()},
            "string_regions": {k: _region(found) for k, found in self.string_regions.items()},
            "by": {name: [_group(g) for g in groups] for name, groups in scores.by.items()},
            "findings": [found.as_dict() for found in self.findings],
            "worst": [asdict(row) for row in self.worst],
            "published": [_published(row) for row in self.published],
        }

    def to_json(self) -> str:
        """Return `as_dict` as JSON text, the same bytes for the same result."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, default=str) + "\n"


@dataclass(frozen=True)
class Comparison:
    """Two prediction files on the same truth rows.

    Attributes
    ----------
    a, b : Evaluation
    paired : tuple of Paired
        For each threshold the difference with its interval, and McNemar's test.
    findings : tuple of Finding
        About the pair, e.g. that the files are nearly the same.
    """

    a: Evaluation
    b: Evaluation
    paired: tuple[Paired, ...]
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON types."""
        return {
            "schema": "geodata.comparison/1",
            "a": self.a.as_dict(),
            "b": self.b.as_dict(),
            "paired": [
                {**asdict(pair), "difference": _interval(pair.difference)} for pair in self.paired
            ],
            "findings": [found.as_dict() for found in self.findings],
        }

    def to_json(self) -> str:
        """Return `as_dict` as JSON text."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, default=str) + "\n"


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else asdict(interval)


def _region(found: RegionAccuracy) -> dict[str, Any]:
    return {**asdict(found), "accuracy": found.accuracy, "coverage": found.coverage}


def _group(group: Group) -> dict[str, Any]:
    thresholds = [
        {"km": t, "correct": count, "accuracy": group.accuracy[t]}
        for t, count in group.correct.items()
    ]
    whole = asdict(group)
    return {
        **{k: v for k, v in whole.items() if k not in ("correct", "accuracy")},
        "thresholds": thresholds,
    }


def _published(row: Published) -> dict[str, Any]:
    accuracy = [{"km": t, "accuracy": share} for t, share in row.accuracy.items()]
    return {**asdict(row), "accuracy": accuracy}
