"""What a careful reviewer would ask of a score before believing it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata import sphere
from geodata.evaluation.checks.chance import against_chance
from geodata.evaluation.checks.units import against_units
from geodata.evaluation.findings import SHOWN, Finding, finding
from geodata.evaluation.joining import Joined, Predictions, distance_columns, read_numbers
from geodata.files import BATCH_ROWS
from geodata.hashing import mix

REPEATED_SHARE = 0.05
"""From this share of truth rows on, places that repeat are told."""

REPEATED_ROWS = 10

AGREES_KM, AGREES_SHARE = 1.0, 0.02
"""Two distances agree where they differ by less than 1 km or 2%."""

UNITS = {"metres": 1000.0, "miles": 0.621371}

Places = tuple[NDArray[np.float64], NDArray[np.float64]]


def review(
    predictions: Predictions, joined: Joined, truth: Places, answers: Places
) -> list[Finding]:
    """Return what makes a score doubtful as a whole.

    Parameters
    ----------
    predictions, joined
    truth, answers
        Latitudes and longitudes of the first truth rows and their answers, degrees, shape (n,).
    """
    found = against_units(predictions, joined, truth, answers)
    if _none_matched(joined):
        return found + _nothing(joined)
    found = found or against_chance(joined, truth, answers)
    if not joined.has_truth:
        return found
    return found + _repeated(truth) + _own_distance(predictions, joined, truth, answers)


def _none_matched(joined: Joined) -> bool:
    answers = joined.pred_lat if joined.pred_distance_km is None else joined.pred_distance_km
    if joined.matched is None:
        return bool(np.isnan(answers).all())
    for start in range(0, joined.rows, BATCH_ROWS):  # the first batch settles it as a rule
        at = joined.matched[start : start + BATCH_ROWS]
        if not np.isnan(answers[at[at >= 0]]).all():
            return False
    return True


def _nothing(joined: Joined) -> list[Finding]:
    return [
        finding(
            "nothing_scored",
            "error",
            f"none of {joined.rows} truth rows has a valid answer: every figure is zero",
            "Look at the other findings: ids, columns, units.",
            count=joined.rows,
        )
    ]


def _repeated(truth: Places) -> list[Finding]:
    """Say how many truth rows share their place with another row."""
    bits = [np.ascontiguousarray(values + 0.0).view(np.uint64) for values in truth]  # no -0.0
    keys = np.sort(mix(bits[0]) ^ bits[1])
    same = keys[1:] == keys[:-1]  # as a rule few: then nothing needs to be gathered
    if 2 * np.count_nonzero(same) < max(REPEATED_ROWS, REPEATED_SHARE * len(keys)):
        return []
    pairs = np.stack(truth, axis=1).view(np.complex128)  # sorted by latitude, longitude
    _, back, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(counts[back] > 1)
    if len(rows) < max(REPEATED_ROWS, REPEATED_SHARE * len(pairs)):
        return []
    return [
        finding(
            "truth_repeats_places",
            "info",
            f"{len(rows)} of {len(pairs)} truth rows have the very coordinates of another row: "
            f"there are {len(counts)} places, and rows of one are not independent",
            "Resample by photographer or place with cluster=.",
            rows=rows[:SHOWN],
            count=len(rows),
        )
    ]


def _own_distance(
    predictions: Predictions, joined: Joined, truth: Places, answers: Places
) -> list[Finding]:
    """Compare a distance that the file has with the one that is measured."""
    known = distance_columns(predictions.source.columns)
    if not known:
        return []
    name, (lat, _) = known[0].name, truth
    at = np.arange(len(lat)) if joined.matched is None else joined.matched[: len(lat)]
    theirs = np.append(read_numbers(predictions, name), np.nan)[at]
    ours = sphere.haversine_km(*truth, *answers)
    both = ~np.isnan(theirs) & ~np.isnan(ours)
    off = both & ~_agree(theirs, ours)
    rows = np.flatnonzero(off)
    if not len(rows) or len(rows) < 0.001 * both.sum():
        return []
    for unit, factor in UNITS.items():
        if _agree(theirs[both] / factor, ours[both]).mean() > 0.99:
            return [
                finding(
                    "distance_column",
                    "info",
                    f"column {name!r} agrees with what is measured once read as {unit}",
                    "Nothing to do: distances are measured anew, in km.",
                    count=int(both.sum()),
                )
            ]
    row = int(rows[0])
    return [
        finding(
            "distance_column",
            "warning",
            f"{len(rows)} of {both.sum()} rows disagree with the file's own {name!r}: truth row "
            f"{row + 1} is {ours[row]:,.1f} km off, {name} says {theirs[row]:,.1f}",
            "Look whether the file was scored on this truth, and how ids are joined.",
            rows=rows[:SHOWN],
            count=len(rows),
        )
    ]


def _agree(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(a - b) <= np.maximum(AGREES_KM, AGREES_SHARE * b))
