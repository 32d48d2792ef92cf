"""AUC, Brier score, reliability and expected calibration error of probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
"""Equal parts of [0, 1] in which a reliability curve is drawn."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Bin:
    """The verdicts in a part of [0, 1]: how many, what they say on average, what was so."""

    low: float
    high: float
    rows: int
    said: float
    """Mean probability of yes."""
    was: float
    """Share of the rows that are a yes."""


def auc(scores: Sequence[float] | Floats, labels: Sequence[bool] | Bools) -> float | None:
    """Return the chance that a yes has a higher score than a no, a tie counted half.

    Parameters
    ----------
    scores, labels
        Length n.

    Returns
    -------
    float or None
        In [0, 1]; None where all rows are of one kind.

    Raises
    ------
    ValueError
        If lengths differ, or a score is not in [0, 1].

    Notes
    -----
    It is the rank statistic of Mann and Whitney over the number of pairs.

    Examples
    --------
    >>> auc([0.9, 0.8, 0.3, 0.8], [True, True, False, False])
    0.875
    """
    said, yes = _checked(scores, labels)
    positives = int(yes.sum())
    negatives = len(yes) - positives
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(said, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    ranks = (below + (counts + 1) / 2)[inverse]
    return float((ranks[yes].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def brier(scores: Sequence[float] | Floats, labels: Sequence[bool] | Bools) -> float | None:
    """Return the mean squared difference of a probability from what was so, None without rows.

    Examples
    --------
    >>> brier([1.0, 0.5], [True, False])
    0.125
    """
    said, yes = _checked(scores, labels)
    return float(np.mean((said - yes) ** 2)) if len(said) else None


def reliability(
    scores: Sequence[float] | Floats, labels: Sequence[bool] | Bools, bins: int = BINS
) -> list[Bin]:
    """Return what was so where a judge said about as much, for each part of [0, 1] that is used.

    Parameters
    ----------
    scores, labels
        Length n.
    bins
        Equal parts; a score on a border belongs to the upper one, 1 to the last.

    Raises
    ------
    ValueError
        As `auc`, or for less than one bin.

    Examples
    --------
    >>> [(b.low, b.rows, b.said, b.was) for b in reliability([0.2, 0.4, 1.0], [0, 1, 1], bins=2)]
    [(0.0, 2, 0.30000000000000004, 0.5), (0.5, 1, 1.0, 1.0)]
    """
    if bins < 1:
        msg = f"bins is {bins}; a reliability curve has at least 1"
        raise ValueError(msg)
    said, yes = _checked(scores, labels)
    at = np.minimum((said * bins).astype(int), bins - 1)
    found = []
    for number in np.unique(at).tolist():
        inside = at == number
        mean, share = float(said[inside].mean()), float(yes[inside].mean())
        found.append(Bin(number / bins, (number + 1) / bins, int(inside.sum()), mean, share))
    return found


def expected_error(bins: Sequence[Bin]) -> float | None:
    """Return the expected calibration error: how far what was said lies from what was so.

    Weighed by rows, in the bins of `reliability`; None without rows.

    Examples
    --------
    >>> round(expected_error(reliability([0.2, 0.4, 1.0], [0, 1, 1], bins=2)), 4)
    0.1333
    """
    rows = sum(one.rows for one in bins)
    if not rows:
        return None
    return sum(one.rows * abs(one.said - one.was) for one in bins) / rows


def auc_interval(
    scores: Floats, labels: Bools, photos: Sequence[Any], *, resamples: int = 1000, seed: int = 0
) -> tuple[float, float] | None:
    """Return the 95% bootstrap interval of the AUC, whole photos drawn again.

    Parameters
    ----------
    scores, labels, photos
        Length n; reasonings about one photo are not independent.
    resamples, seed
        Of the bootstrap.

    Returns
    -------
    (float, float) or None
        None where too few draws hold both kinds of rows.
    """
    said, yes = _checked(scores, labels)
    groups = np.unique(np.asarray(photos, object).astype(str), return_inverse=True)[1]
    order = np.argsort(groups)
    rows_of = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        drawn = rng.integers(0, len(rows_of), len(rows_of))
        rows = np.concatenate([rows_of[i] for i in drawn])
        one = auc(said[rows], yes[rows])
        if one is not None:
            found.append(one)
    if len(found) < resamples / 2:
        return None
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _checked(scores: Any, labels: Any) -> tuple[Floats, Bools]:
    said, yes = np.asarray(scores, np.float64), np.asarray(labels).astype(bool)
    if said.shape != yes.shape or said.ndim != 1:
        msg = f"scores have the shape {said.shape} and labels {yes.shape}; give one row of each"
        raise ValueError(msg)
    inside = (said >= 0.0) & (said <= 1.0)
    if not inside.all():
        row = int(np.argmin(inside))
        msg = f"the score in row {row} is {said[row]}; a probability lies in [0, 1]"
        raise ValueError(msg)
    return said, yes
