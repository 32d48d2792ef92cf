"""How sure the figures of one file are, with the options it was scored with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.evaluation.findings import Finding, finding
from geodata.evaluation.scores.counting import Scores
from geodata.evaluation.scores.intervals import (
    FEW_CLUSTERS,
    Interval,
    clustered_median,
    clustered_shares,
    median_interval,
    wilson,
)
from geodata.evaluation.scores.result import Options

Bools = NDArray[np.bool_]


def intervals_of(scores: Scores, options: Options) -> dict[float, Interval | None]:
    """Return the interval of each accuracy."""
    thresholds = scores.scoring.thresholds_km
    if options.cluster is None:  # counts are all that Wilson's interval asks for
        found = [_wilson(scores.correct[t], scores, options) for t in thresholds]
    else:
        found = shares_of(scores.within(), scores, options)
    return dict(zip(thresholds, found, strict=True))


def _wilson(correct: int, scores: Scores, options: Options) -> Interval | None:
    return wilson(correct, scores.denominator, confidence=options.confidence)


def shares_of(within: Bools, scores: Scores, options: Options) -> list[Interval | None]:
    """Return the interval of each column's share of the denominator, shape (rows, k)."""
    counted = slice(None) if scores.scoring.missing == "wrong" else scores.there
    rows = within[counted]
    if options.cluster is None or not len(rows):
        return [_wilson(int(count), scores, options) for count in rows.sum(axis=0)]
    return [
        *clustered_shares(
            rows,
            scores.codes[options.cluster].codes[counted],
            confidence=options.confidence,
            resamples=options.resamples,
            seed=options.seed,
        )
    ]


def median_of(scores: Scores, options: Options) -> Interval | None:
    """Return the interval of the median error, which clusters widen as they do a share's."""
    distances = scores.distances_km
    codes = scores.codes[options.cluster].codes[scores.there] if options.cluster else None
    if codes is None or len(np.unique(codes)) < 2:
        return median_interval(distances, confidence=options.confidence)
    below = (distances <= np.median(distances))[:, None]
    half = clustered_shares(
        below, codes, confidence=options.confidence, resamples=options.resamples, seed=options.seed
    )[0]
    return clustered_median(distances, half, confidence=options.confidence)


def few_clusters(scores: Scores, options: Options) -> list[Finding]:
    """Say that intervals are rough where there are few clusters."""
    if options.cluster is None or not scores.rows:
        return []
    count = len(scores.codes[options.cluster].values)
    if count >= FEW_CLUSTERS:
        return []
    return [
        finding(
            "few_clusters",
            "warning",
            f"{options.cluster!r} has {count} clusters: under {FEW_CLUSTERS} an interval is rough, "
            "whatever is corrected",
            "Take a finer column to resample by, or more data.",
            count=count,
        )
    ]
