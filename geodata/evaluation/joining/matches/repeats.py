"""Refuse ids that a file repeats with other values, report those that it repeats with the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.evaluation.findings import SHOWN, Finding, PredictionError, finding
from geodata.evaluation.joining.matches import matching
from geodata.evaluation.joining.matches.scan import Scan
from geodata.evaluation.joining.sides import Answers, Truth


def refuse_repeated(
    ours: Scan, keys: NDArray[np.uint64], answers: Answers, found: list[Finding]
) -> bool:
    """Return whether the ids of the predictions all differ.

    Raises
    ------
    PredictionError
        If one has two answers.
    """
    later, first = matching.repeated(keys, matching.row_bits(len(keys)))
    if not len(later):
        return True
    _report_repeated(ours, later, first, answers.same(later, first), "answers", found)
    return False


def refuse_repeated_truth(
    theirs: Scan, truth: Truth, keys: NDArray[np.uint64], found: list[Finding]
) -> None:
    """Refuse a truth in which an id has two places."""
    later, first = matching.repeated(keys, matching.row_bits(len(keys)))
    if not len(later):
        return
    places = theirs.places(truth.columns, np.union1d(later, first))
    same = np.array([places[a] == places[b] for a, b in zip(later, first, strict=True)], bool)
    _report_repeated(theirs, later, first, same, "places", found)


def _report_repeated(
    scan: Scan,
    later: NDArray[np.int64],
    first: NDArray[np.int64],
    same: NDArray[np.bool_],
    what: str,
    found: list[Finding],
) -> None:
    if same.all():
        found.append(
            finding(
                "duplicate_ids",
                "warning",
                f"{scan.source.name}: {len(later)} rows repeat an id with equal {what}",
                "Write each id once.",
                rows=later[:SHOWN],
                count=len(later),
            )
        )
        return
    rows, firsts = later[~same], first[~same]
    name = scan.ids_at([int(rows[0])])[0]
    raise PredictionError(
        finding(
            "duplicate_ids",
            "error",
            f"{scan.source.name}: {len(rows)} rows repeat an id with other {what}: {name!r} is in "
            f"rows {firsts[0] + 1} and {rows[0] + 1}",
            "Keep one row an id.",
            rows=rows[:SHOWN],
            count=len(rows),
        )
    )
