"""Say which rows of two files have no partner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geodata.evaluation.findings import SHOWN, Finding, finding
from geodata.evaluation.joining.matches import matching
from geodata.evaluation.joining.matches.scan import Scan


def used_rows(matched: NDArray[np.int32], rows: int) -> NDArray[np.bool_]:
    """Return which of so many predictions are matched to a truth row, shape (rows,)."""
    used = np.zeros(rows, bool)
    used[matched[matched >= 0]] = True
    return used


def unmatched_findings(
    theirs: Scan,
    ours: Scan,
    matched: NDArray[np.int32],
    used: NDArray[np.bool_],
    keys: NDArray[np.uint64],
) -> list[Finding]:
    """Return findings on truth rows without a prediction and predictions without a truth row.

    Parameters
    ----------
    theirs, ours
        The truth and the predictions.
    matched
        Row of the prediction for each truth row, -1 where none, shape (truth rows,).
    used
        Which predictions are matched, shape (predictions,); repeats of an id are added to it.
    keys
        Keys of the predictions' ids, shape (predictions,).
    """
    found: list[Finding] = []
    absent = np.flatnonzero(matched < 0)
    if not used.all():
        later, first = matching.repeated(keys, matching.row_bits(len(keys)))
        used[later] |= used[first]
    extra = np.flatnonzero(~used)
    if len(absent) == theirs.rows and theirs.rows and ours.rows:
        names = theirs.ids_at([0]) + ours.ids_at([0])
        found.append(
            finding(
                "no_ids_match",
                "error",
                f"no id of {ours.source.name} is one of the truth; the truth's first is "
                f"{_told(names[0])}, the predictions' first is {_told(names[1])}",
                "Name the id columns with id=, or pass match='stem', 'flat' or 'number'.",
                count=theirs.rows,
            )
        )
    if len(absent):
        found.append(
            finding(
                "missing_predictions",
                "warning",
                f"{len(absent)} of {theirs.rows} truth rows have no prediction and count as "
                f"wrong: {_some(theirs, absent)}",
                "Predict every row, or leave it: coverage is printed beside accuracy.",
                rows=absent[:SHOWN],
                count=len(absent),
            )
        )
    if len(extra):
        found.append(
            finding(
                "extra_predictions",
                "warning",
                f"{len(extra)} of {ours.rows} predictions are for ids that the truth does not "
                f"have: {_some(ours, extra)}",
                "Look whether the truth file is the one that was predicted.",
                rows=extra[:SHOWN],
                count=len(extra),
            )
        )
    return found


def _some(scan: Scan, rows: Sequence[int] | NDArray[np.int64]) -> str:
    names = scan.ids_at([int(row) for row in rows[:3]])
    return ", ".join(map(_told, names)) + (", ..." if len(rows) > 3 else "")


def _told(name: str | None) -> str:
    return "no id" if name is None else repr(name[:60])
