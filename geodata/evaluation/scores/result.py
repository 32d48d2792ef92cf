"""What an evaluation says: numbers, how sure they are, what made them, what to look at."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata import SOFTWARE
from geodata.evaluation.findings import Finding
from geodata.evaluation.scores.candidates import CandidateScores
from geodata.evaluation.scores.confidence import COVERAGES, Confidence
from geodata.evaluation.scores.counting import Group, Scores
from geodata.evaluation.scores.intervals import CONFIDENCE, RESAMPLES, SEED, Interval
from geodata.evaluation.scores.published import Published
from geodata.evaluation.scores.readings import Readings
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

    def __post_init__(self) -> None:
        """Refuse a cluster without a name, and numbers that nothing can be drawn with."""
        if self.cluster == "":
            msg = "cluster='' (--cluster) names no column; leave it out, or name a truth column"
            raise ValueError(msg)
        if self.seed < 0:
            msg = f"seed={self.seed} (--seed) must be a whole number from 0"
            raise ValueError(msg)
        if self.resamples < 2:
            msg = f"resamples={self.resamples} must be a whole number from 2"
            raise ValueError(msg)


@dataclass(frozen=True)
class Row:
    """One row worth looking at."""

    id: str
    lat: float
    lon: float
    pred_lat: float
    """Degrees; NaN, as the longitude, where the file has distances and no coordinates."""
    pred_lon: float
    distance_km: float
    words: str | None = None
    """What the model said, cut short; None where the file has no words."""


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
    refused, unreadable : int
        Truth rows whose answer declines, and whose answer holds no place that can be read. With
        ``answered`` and ``missing`` they are all ``rows``.
    readings : Readings or None
        The answers read in several ways, where they were parsed from text.
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
    refused: int
    unreadable: int
    readings: Readings | None
    candidates: CandidateScores | None
    confidence: Confidence | None

    @property
    def oracle(self) -> dict[float, float | None]:
        """Share of truth rows with one of the K answers within each threshold.

        With one answer a photo that is the accuracy.
        """
        return self.accuracy if self.candidates is None else self.candidates.oracle

    @property
    def aurc(self) -> dict[float, float | None]:
        """Area under the risk-coverage curve by threshold; empty without a confidence."""
        return {} if self.confidence is None else self.confidence.curve.aurc

    def risk_coverage(self, threshold_km: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return coverage and risk of the k surest answers, see `Selective.risk_coverage`.

        Raises
        ------
        ValueError
            Without a confidence, or for a threshold that was not scored.
        """
        if self.confidence is None:
            msg = (
                "the predictions have no confidence; name its column with confidence_column=, or "
                "give several answers a photo"
            )
            raise ValueError(msg)
        return self.confidence.curve.risk_coverage(threshold_km)

    @property
    def answered(self) -> int:
        """Truth rows with a valid prediction, right or wrong."""
        return self.scores.answered

    @property
    def missing(self) -> int:
        """Truth rows without a row of their own, or with nothing in it."""
        return self.rows - self.answered - self.refused - self.unreadable

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
            "refused": self.refused,
            "unreadable": self.unreadable,
            "missing": self.missing,
            "denominator": scores.denominator,
            "coverage": scores.coverage,
            "thresholds": [
                {
                    "km": t,
                    "correct": scores.correct[t],
                    "accuracy": scores.accuracy[t],
                    "interval": interval_dict(self.intervals[t]),
                }
                for t in scoring.thresholds_km
            ],
            "readings": None if self.readings is None else self.readings.as_dict(),
            "median_km": scores.median_km,
            "median_interval": interval_dict(self.median_interval),
            "mean_km": scores.mean_km,
            "quantiles_km": [{"q": q, "km": km} for q, km in scores.quantiles_km.items()],
            "geoscore": scores.geoscore,
            "regions": {level: _region(found) for level, found in self.regions.items()},
            "named_regions": {k: _region(found) for k, found in self.named_regions.items()},
            "string_regions": {k: _region(found) for k, found in self.string_regions.items()},
            "by": {name: [_group(g) for g in groups] for name, groups in scores.by.items()},
            "findings": [found.as_dict() for found in self.findings],
            "worst": [_row(row) for row in self.worst],
            "published": [published_dict(row) for row in self.published],
            "candidates": _candidates(self.candidates),
            "confidence": _confidence(self.confidence),
        }

    def to_json(self) -> str:
        """Return `as_dict` as JSON text, the same bytes for the same result."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, default=plain) + "\n"


def interval_dict(interval: Interval | None) -> dict[str, Any] | None:
    """Return an interval as plain JSON types."""
    return None if interval is None else asdict(interval)


def _row(row: Row) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in asdict(row).items()}


def _region(found: RegionAccuracy) -> dict[str, Any]:
    return {**asdict(found), "accuracy": found.accuracy, "coverage": found.coverage}


def _group(group: Group) -> dict[str, Any]:
    thresholds = [
        {"km": t, "correct": count, "accuracy": group.accuracy[t]}
        for t, count in group.correct.items()
    ]
    whole = {**asdict(group), "value": plain(group.value)}
    return {
        **{k: v for k, v in whole.items() if k not in ("correct", "accuracy")},
        "thresholds": thresholds,
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: a finite number, a truth value, NULL, else its text."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, int | str) else str(value)


def published_dict(row: Published) -> dict[str, Any]:
    """Return a published row as plain JSON types."""
    accuracy = [{"km": t, "accuracy": share} for t, share in row.accuracy.items()]
    return {**asdict(row), "accuracy": accuracy}


def _candidates(found: CandidateScores | None) -> dict[str, Any] | None:
    if found is None:
        return None
    ways = {
        way: [
            {"km": t, "accuracy": share, "interval": interval_dict(found.intervals[way][t])}
            for t, share in shares.items()
        ]
        for way, shares in found.accuracy.items()
    }
    return {"k": found.k, "k_min": found.k_min, "layout": found.layout, "ways": ways}


def _confidence(found: Confidence | None) -> dict[str, Any] | None:
    if found is None:
        return None
    curve = found.curve
    return {
        "source": curve.source,
        "unknown": curve.unknown,
        "aurc": [{"km": t, "aurc": area} for t, area in curve.aurc.items()],
        "selective": [
            {
                "coverage": coverage,
                "thresholds": [
                    {"km": t, "accuracy": curve.accuracy_at(coverage, t)}
                    for t in curve.thresholds_km
                ],
            }
            for coverage in COVERAGES
        ],
        "radii": [asdict(one) for one in found.radii],
        "back_off": [asdict(one) for one in found.back_off],
    }
