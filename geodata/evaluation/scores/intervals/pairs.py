"""Compare two files on the same truth rows, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.evaluation.scores.intervals.bootstrap import RESAMPLES, SEED, clustered_means
from geodata.evaluation.scores.intervals.closed_form import (
    CONFIDENCE,
    Interval,
    paired_share,
)
from geodata.evaluation.scores.intervals.clusters import by_cluster, sign_flip


@dataclass(frozen=True)
class Paired:
    """Two files on the same truth rows at one threshold."""

    threshold_km: float
    rows: int
    """Rows that both were scored on."""
    only_a: int
    """Rows that A has right and B has wrong."""
    only_b: int
    difference: Interval
    """Share of A minus share of B, paired row by row."""
    p_value: float
    """Exact and two-sided: McNemar's test on the discordant rows; with clusters, whose rows are
    not independent, its form with clusters as the units (`sign_flip`)."""
    both: int
    """Rows that both have right."""

    @property
    def accuracy_a(self) -> float:
        """Share of `rows` that A has right."""
        return (self.both + self.only_a) / self.rows

    @property
    def accuracy_b(self) -> float:
        """Share of `rows` that B has right."""
        return (self.both + self.only_b) / self.rows


def compare_within(
    within_a: ArrayLike,
    within_b: ArrayLike,
    thresholds_km: tuple[float, ...],
    clusters: ArrayLike | None = None,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[Paired]:
    """Compare two files row by row at each threshold.

    Parameters
    ----------
    within_a, within_b
        Bool, shape (n, k), the same truth rows in the same order: `Scores.within()` of each.
    thresholds_km
        The k thresholds.
    clusters
        Cluster code of each row, shape (n,), or None where rows are independent.

    Raises
    ------
    ValueError
        If the shapes differ or there are no rows.

    Examples
    --------
    >>> a, b = np.array([[True], [True], [False]]), np.array([[True], [False], [False]])
    >>> found = compare_within(a, b, (25.0,))[0]
    >>> found.only_a, found.only_b, round(found.difference.value, 3), found.p_value
    (1, 0, 0.333, 1.0)
    """
    a, b = np.asarray(within_a, bool), np.asarray(within_b, bool)
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] != len(thresholds_km) or not len(a):
        msg = (
            f"within_a is {a.shape}, within_b {b.shape}, with {len(thresholds_km)} thresholds; "
            "score both files on the same, non-empty truth with the same thresholds"
        )
        raise ValueError(msg)
    counts = [(int((x & ~y).sum()), int((y & ~x).sum())) for x, y in zip(a.T, b.T, strict=True)]
    if clusters is None:
        differences = [paired_share(*count, len(a), confidence=confidence) for count in counts]
        chances = [mcnemar(*count) for count in counts]
    else:
        surplus = a.astype(np.int8) - b.astype(np.int8)
        differences, chances = _clustered(surplus, clusters, confidence, resamples, seed)
    return [
        Paired(t, len(a), *counts[i], differences[i], chances[i], int((a[:, i] & b[:, i]).sum()))
        for i, t in enumerate(thresholds_km)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for how many there are, in the same order.

    The smallest is multiplied by their number m, the next by m - 1, and so on; none is smaller
    than one before it, none above 1.

    References
    ----------
    S. Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p_values, np.float64)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    out = np.empty(len(raw))
    out[order] = np.minimum(stepped, 1.0)
    return [float(p) for p in out]


def _clustered(
    surplus: NDArray[np.int8], clusters: ArrayLike, confidence: float, resamples: int, seed: int
) -> tuple[list[Interval], list[float]]:
    """Return intervals and p-values of each column of A minus B, rows in clusters."""
    found = clustered_means(
        surplus, clusters, confidence=confidence, resamples=resamples, seed=seed
    )
    whole = by_cluster(surplus, clusters)
    for i in np.flatnonzero(~whole.residuals().any(axis=0)).tolist():
        # nothing varies: a row for each effective cluster
        one, worth = found[i], whole.effective
        ahead, behind = (max(sign * one.value, 0.0) * worth for sign in (1, -1))
        bound = paired_share(ahead, behind, worth, confidence=confidence)
        found[i] = Interval(one.value, bound.low, bound.high, confidence, one.method)
    return found, [sign_flip(column) for column in whole.sums.T]


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the exact two-sided McNemar p-value of the discordant rows.

    Under the null hypothesis each discordant row favours A or B with probability 1/2; rows that
    both have right or wrong say nothing.

    References
    ----------
    Q. McNemar, Psychometrika 12 (1947), exact binomial form; `scipy.stats.binomtest`.

    Examples
    --------
    >>> mcnemar(0, 0), round(mcnemar(1, 9), 4)
    (1.0, 0.0215)
    """
    from scipy.stats import binomtest

    discordant = int(only_a) + int(only_b)
    if discordant == 0:
        return 1.0
    return float(binomtest(int(only_a), discordant, 0.5).pvalue)
