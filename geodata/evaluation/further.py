"""What a file says beyond one answer a photo: several answers, and how sure each is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.evaluation.findings import SHOWN, Finding, finding
from geodata.evaluation.joining import Joined, Opened, Several, confidence_column, read_numbers
from geodata.evaluation.one_pass import Pass, shares_of
from geodata.evaluation.scores import (
    CandidateScores,
    Confidence,
    Options,
    Scores,
    back_off,
    first,
    halves,
    labels_at,
    medoid,
    most,
    nearest_rank,
    radii,
    score_rows,
    selective,
    spread_km,
    vote,
)

LEVELS = ("city", "admin1", "country")
"""Levels to answer at, the finest first."""

Floats = NDArray[np.float64]


def several_of(opened: Opened, joined: Joined) -> Several | None:
    """Return the answers of each truth row; None where there is one a photo."""
    if opened.several is None:
        return None
    at = np.arange(joined.rows) if joined.matched is None else joined.matched
    return opened.several.take(at)


def candidate_scores(
    several: Several, layout: str, joined: Joined, scores: Scores, options: Options, regions: bool
) -> tuple[CandidateScores, list[Finding]]:
    """Score each way to take one of several answers.

    Parameters
    ----------
    several
        Of each truth row.
    layout
        How the file holds them.
    joined, scores, options
    regions
        Whether to let regions vote, which labels every answer.
    """
    rank = _ranks(several, joined, scores)
    worst = len(scores.scoring.thresholds_km)
    ways = {"first": first(several)}
    if several.confidence is not None:
        ways["best"] = most(several, several.confidence)
    ways["medoid"] = medoid(several)
    if regions:
        ways["vote"] = vote(several, labels_at(several.lat, several.lon))
    picked = {
        way: np.where(at >= 0, rank[at], worst) if len(rank) else np.full(len(at), worst)
        for way, at in ways.items()
    }
    picked["oracle"] = nearest_rank(several, rank, worst)
    thresholds, made, known = scores.scoring.thresholds_km, {}, {}
    for way, ranks in picked.items():
        within = np.asarray(ranks)[:, None] <= np.arange(worst)
        found = shares_of(within, scores, options)
        made[way] = dict(zip(thresholds, found, strict=True))
        known[way] = {t: None if one is None else one.value for t, one in made[way].items()}
    counts = several.counts[several.counts > 0]
    k, k_min = (int(counts.max()), int(counts.min())) if len(counts) else (0, 0)
    return CandidateScores(k, k_min, layout, known, made), _told(k, k_min, layout, several)


def _ranks(several: Several, joined: Joined, scores: Scores) -> NDArray[np.uint8]:
    """Return the rank of each answer."""
    owner = several.owners()
    batches = list(joined.batches(["lat", "lon"]))
    if not batches or not len(owner):
        return np.empty(0, np.uint8)
    truth = pa.Table.from_batches(batches)
    table = truth.take(pa.array(owner))
    for name, values in (("pred_lat", several.lat), ("pred_lon", several.lon)):
        table = table.append_column(name, pa.array(values, mask=np.isnan(values)))
    return score_rows(table, scores.scoring).rank


def _told(k: int, k_min: int, layout: str, several: Several) -> list[Finding]:
    how = {"rows": "rows with its id", "columns": "pairs of columns", "list": "answers in a list"}
    found = [
        finding(
            "several_answers",
            "info",
            f"a photo has up to {k} answers ({how.get(layout, layout)}); the first is scored",
            "The table of candidates has the other ways to take one.",
            count=len(several.lat),
        )
    ]
    if k != k_min:
        rows = np.flatnonzero((several.counts > 0) & (several.counts < k))
        found.append(
            finding(
                "varying_candidates",
                "warning",
                f"photos have {k_min} to {k} answers: the oracle favours those with more",
                "Ask for as many answers for every photo.",
                rows=rows[:SHOWN],
                count=len(rows),
            )
        )
    return found


def read_confidence(
    opened: Opened, joined: Joined, several: Several | None, column: str | None
) -> tuple[str, Floats] | None:
    """Return what the confidence of each truth row's answer is, and its values; None for none.

    A column of the file goes first, then the confidence of the first of several answers, then
    how near several answers are to each other.
    """
    if several is not None and several.confidence is not None and opened.layout == "rows":
        return _of_first(several)
    name = None
    if opened.layout != "rows":
        name = confidence_column(opened.predictions, column)
    if name is not None:
        values = np.append(read_numbers(opened.predictions, name), np.nan)  # -1 finds the NaN
        at = np.arange(joined.rows) if joined.matched is None else joined.matched
        return name, values[at]
    if several is None:
        return None
    if several.confidence is not None:
        return _of_first(several)
    return "agreement of the answers", -spread_km(several)


def _of_first(several: Several) -> tuple[str, Floats]:
    assert several.confidence is not None
    return "confidence of the first answer", np.append(several.confidence, np.nan)[first(several)]


def confidence_of(
    source: str, values: Floats, passed: Pass, options: Options
) -> tuple[Confidence, list[Finding]]:
    """Return what a confidence is worth, and what to know about it.

    Parameters
    ----------
    source
        What the confidence is.
    values
        Of each truth row, NaN where there is none.
    passed, options
    """
    scores = passed.scores
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
    levels: tuple = ()
    if passed.right:
        rows = passed.labelled[there]
        right = {level: passed.right[level][there][rows] for level in LEVELS}
        levels = back_off(right, sure[rows], learnt[rows])
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
    low, high = float(known.min()), float(known.max())
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
    if high > 100 or not np.isfinite(known).all():
        out.append(
            finding(
                "confidence_range",
                "warning",
                f"{source} goes from {low:g} to {high:g}, which is no probability, percentage or "
                "log-probability: only its order is used",
                "Look for answers whose confidence was misread.",
                count=int((known > 100).sum()),
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
