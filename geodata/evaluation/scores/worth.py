"""Say what a confidence is worth, and what makes it doubtful."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from geodata.evaluation.findings import Finding, finding
from geodata.evaluation.scores.confidence import (
    BackOff,
    Confidence,
    back_off,
    halves,
    radii,
    selective,
)
from geodata.evaluation.scores.counting import Scores
from geodata.evaluation.scores.result import Options

LEVELS = ("city", "admin1", "country")
"""Levels to answer at, the finest first."""

MOST = 1e6
"""No model is surer, or less sure, than a number of this size says: beyond it one was misread."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def confidence_of(
    source: str,
    values: Floats,
    scores: Scores,
    options: Options,
    right: Mapping[str, Bools],
    labelled: Bools,
) -> tuple[Confidence, list[Finding]]:
    """Return what a confidence is worth, and what to know about it.

    Parameters
    ----------
    source
        What the confidence is.
    values
        Of each truth row, NaN where there is none.
    scores, options
    right
        By level, whether each truth row's region is right; empty where it was not asked.
    labelled
        Whether each truth row lies in a country.
    """
    there = scores.there
    sure, distance = values[there], scores.distances_km
    curve = selective(
        scores.within()[there],
        sure,
        scores.scoring.thresholds_km,
        rows=scores.denominator,
        source=source,
    )
    clusters = scores.codes[options.cluster].codes[there] if options.cluster else None
    learnt = halves(len(distance), options.seed, clusters)
    levels: tuple[BackOff, ...] = ()
    if right:
        rows = labelled[there]
        known = {level: right[level][there][rows] for level in LEVELS}
        levels = back_off(known, sure[rows], learnt[rows])
    found = Confidence(curve, radii(distance, sure, learnt), levels)
    return found, _doubts(source, sure, found)


def _doubts(source: str, sure: Floats, found: Confidence) -> list[Finding]:
    """Say what makes a confidence doubtful."""
    out, known = [], sure[~np.isnan(sure)]
    if len(known) < len(sure):
        out.append(
            finding(
                "confidence_missing",
                "warning",
                f"{len(sure) - len(known)} of {len(sure)} answers have no {source} that is a "
                "number; they are taken last",
                "Write a number beside every answer.",
                count=len(sure) - len(known),
            )
        )
    if not len(known):
        return out
    low, high = float(known.min()) + 0.0, float(known.max()) + 0.0  # -0 is shown as 0
    if low == high:
        out.append(
            finding(
                "confidence_constant",
                "warning",
                f"every {source} is {low:g}: it tells no answer from another",
                "Look whether the model was asked for it, or leave the column out.",
                count=len(known),
            )
        )
        return out
    if high > 100 or low < -MOST:
        beyond = np.count_nonzero(np.abs(known) > MOST)
        out.append(
            finding(
                "confidence_range",
                "error" if beyond else "warning",
                f"{source} goes from {low:g} to {high:g}, which is no probability, percentage or "
                "log-probability: only its order is used",
                "Look for answers whose confidence was misread.",
                count=int(beyond or (known > 100).sum()),
            )
        )
    return out + _reversed(source, found)


def _reversed(source: str, found: Confidence) -> list[Finding]:
    curve = found.curve
    t = curve.thresholds_km[len(curve.thresholds_km) // 2]
    if curve.answered < 100:
        return []
    whole = float(curve.risk_coverage(t)[1][-1])
    area = curve.aurc[t]
    if area is None or area <= whole + 0.05:
        return []
    return [
        finding(
            "confidence_reversed",
            "warning",
            f"answers with a higher {source} are worse: mean risk {area:.2f} against "
            f"{whole:.2f} in no order, at {t:g} km",
            "Look whether the column is an uncertainty.",
        )
    ]
