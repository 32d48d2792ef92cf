"""Score each way to take one of several answers a photo."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.evaluation.findings import SHOWN, Finding, finding
from geodata.evaluation.joining import Several
from geodata.evaluation.scores.candidates import (
    CandidateScores,
    first,
    medoid,
    most,
    nearest_rank,
    vote,
)
from geodata.evaluation.scores.counting import Scores, score_rows
from geodata.evaluation.scores.regions import labels_at
from geodata.evaluation.scores.result import Options
from geodata.evaluation.scores.uncertainty import shares_of

Floats = NDArray[np.float64]


def candidate_scores(
    several: Several,
    layout: str,
    truth: tuple[Floats, Floats],
    scores: Scores,
    options: Options,
    regions: bool,
    asked: bool = False,
) -> tuple[CandidateScores, list[Finding]]:
    """Score each way to take one of several answers.

    Parameters
    ----------
    several
        Of each truth row.
    layout
        How the file holds them.
    truth
        Latitude and longitude of each truth row, degrees.
    scores, options
    regions
        Whether to let regions vote, which labels every answer.
    asked
        Whether the caller said how the file holds them: then photos may have fewer than others.
    """
    rank = _ranks(several, truth, scores)
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
    return CandidateScores(k, k_min, layout, known, made), _told(k, k_min, layout, several, asked)


def _ranks(several: Several, truth: tuple[Floats, Floats], scores: Scores) -> NDArray[np.uint8]:
    """Return the rank of each answer."""
    owner = several.owners()
    lat, lon = truth
    columns = {"lat": lat[owner], "lon": lon[owner], "pred_lat": several.lat}
    return score_rows(pa.table(columns | {"pred_lon": several.lon}), scores.scoring).rank


def _told(k: int, k_min: int, layout: str, several: Several, asked: bool) -> list[Finding]:
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
                "warning" if asked else "error",
                f"photos have {k_min} to {k} answers: the oracle favours those with more",
                "Ask for as many answers for every photo, or say that they may differ with "
                f"--candidates {layout} (candidates={layout!r}).",
                rows=rows[:SHOWN],
                count=len(rows),
            )
        )
    return found
