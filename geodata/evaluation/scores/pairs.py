"""Compare two files on the same truth rows, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geodata.evaluation.scores.bootstrap import RESAMPLES, SEED, clustered_shares, paired_share
from geodata.evaluation.scores.intervals import CONFIDENCE, Interval, check_confidence


@dataclass(frozen=True)
class Paired:
    """Two files on the same truth rows at one threshold."""

    threshold_km: float
    rows: int
    only_a: int
    """Rows that A has right and B has wrong."""
    only_b: int
    difference: Interval
    """Share of A minus share of B, with its paired bootstrap interval."""
    p_value: float
    """Exact two-sided McNemar test on the discordant rows. Rows of one cluster are not
    independent, so with clusters read the interval, not this."""


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
        Cluster code of each row, shape (n,), or None to draw rows.

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
    check_confidence(confidence)
    a, b = np.asarray(within_a, bool), np.asarray(within_b, bool)
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] != len(thresholds_km) or not len(a):
        msg = (
            f"within_a is {a.shape}, within_b {b.shape}, with {len(thresholds_km)} thresholds; "
            "score both files on the same, non-empty truth with the same thresholds"
        )
        raise ValueError(msg)
    options: dict[str, Any] = {"confidence": confidence, "resamples": resamples, "seed": seed}
    counts = [(int((x & ~y).sum()), int((y & ~x).sum())) for x, y in zip(a.T, b.T, strict=True)]
    if clusters is None:
        differences = [paired_share(*count, len(a), **options) for count in counts]
    else:
        differences = clustered_shares(a.astype(np.int8) - b.astype(np.int8), clusters, **options)
    return [
        Paired(t, len(a), only_a, only_b, difference, mcnemar(only_a, only_b))
        for t, (only_a, only_b), difference in zip(thresholds_km, counts, differences, strict=True)
    ]


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
