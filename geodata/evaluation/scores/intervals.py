"""How sure a score is: Wilson and bootstrap intervals, clusters, and paired comparison.

A bootstrap of counts does not draw rows. Resampling n rows with replacement makes the count of
each outcome multinomial, so drawing those counts is the same bootstrap, and 10M rows cost what
100 do; `scipy.stats.bootstrap` would hold resamples x rows values. With clusters whole
clusters are drawn, because photos of one photographer succeed and fail together.

Every draw comes from a generator with the given seed: same input, same interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
RESAMPLES = 10_000
MIN_RESAMPLES = 1_000
MAX_DRAWS = 50_000_000
"""Draws of clusters in one interval: above 5,000 clusters there are fewer resamples."""

SEED = 0

NORMAL_ROWS = 5_000
"""Above this many independent rows a mean of bounded values has its normal interval."""

_DRAWS_AT_A_TIME = 1 << 20

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A value and the interval around it, in the unit of the value."""

    value: float
    low: float
    high: float
    confidence: float
    method: str
    """'wilson', 'bootstrap', 'cluster bootstrap', 'normal' or 'order statistics'."""

    @property
    def half_width(self) -> float:
        """Half of high - low."""
        return (self.high - self.low) / 2


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


def wilson(correct: int, rows: int, *, confidence: float = CONFIDENCE) -> Interval | None:
    """Return the Wilson score interval of a share.

    Parameters
    ----------
    correct, rows
        Rows that are right, and all rows.
    confidence
        In (0, 1).

    Returns
    -------
    Interval or None
        None where there are no rows.

    Raises
    ------
    ValueError
        Unless 0 <= correct <= rows.

    References
    ----------
    E. B. Wilson, JASA 22 (1927); `scipy.stats.binomtest`.

    Examples
    --------
    >>> found = wilson(959, 2997)
    >>> round(found.value, 4), round(100 * found.half_width, 2)
    (0.32, 1.67)
    """
    from scipy.stats import binomtest

    _check_confidence(confidence)
    if rows == 0 and correct == 0:
        return None
    if not 0 <= correct <= rows:
        msg = f"{correct} of {rows} rows cannot be right; expected 0 <= correct <= rows"
        raise ValueError(msg)
    found = binomtest(int(correct), int(rows)).proportion_ci(confidence, method="wilson")
    return Interval(correct / rows, float(found.low), float(found.high), confidence, "wilson")


def bootstrap_share(
    correct: int,
    rows: int,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """Return the percentile bootstrap interval of a share; rows are drawn independently.

    Examples
    --------
    >>> round(100 * bootstrap_share(959, 2997).half_width, 1)
    1.7
    >>> bootstrap_share(0, 0) is None
    True
    """
    _check_confidence(confidence)
    if rows == 0:
        return None
    draws = _generator(seed).binomial(rows, correct / rows, resamples) / rows
    return _percentile(correct / rows, draws, confidence, "bootstrap")


def clustered_shares(
    within: ArrayLike,
    clusters: ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[Interval]:
    """Return the cluster bootstrap interval of each column's share.

    Parameters
    ----------
    within
        Bool or number, shape (n, k): e.g. `Scores.within()`, one column a threshold.
    clusters
        Non-negative integer code of each row's cluster, shape (n,): e.g. `GroupCodes.codes`.

    Returns
    -------
    list of k Interval

    Raises
    ------
    ValueError
        With fewer than two clusters: nothing can be resampled.

    Examples
    --------
    >>> right = np.array([[1], [1], [0], [0], [1], [0]])
    >>> clustered_shares(right, [0, 0, 1, 1, 2, 2])[0].value
    0.5
    """
    _check_confidence(confidence)
    values = np.asarray(within)
    sizes, sums = _by_cluster(values, clusters)
    draws = np.concatenate(
        [w @ sums / (w @ sizes)[:, None] for w in _weights(sizes, resamples, seed)]
    )
    shares = sums.sum(axis=0) / sizes.sum()
    return [
        _percentile(float(shares[i]), draws[:, i], confidence, "cluster bootstrap")
        for i in range(values.shape[1])
    ]


def bootstrap_mean(
    values: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """Return the bootstrap interval of a mean, of GeoScores for example.

    Parameters
    ----------
    values
        Shape (n,), finite.
    clusters
        As in `clustered_shares`; None draws rows, up to `NORMAL_ROWS` of them: beyond, the
        normal interval that the bootstrap tends to is used, and its method says so.

    Examples
    --------
    >>> found = bootstrap_mean(np.arange(100.0))
    >>> found.value, bool(43 < found.low < 45), found.method
    (49.5, True, 'bootstrap')
    """
    _check_confidence(confidence)
    array = np.asarray(values, np.float64)
    if not len(array):
        return None
    if clusters is None and (len(array) == 1 or len(array) > NORMAL_ROWS):
        return _normal_mean(array, confidence)
    codes = np.arange(len(array)) if clusters is None else clusters
    found = clustered_shares(
        array[:, None], codes, confidence=confidence, resamples=resamples, seed=seed
    )[0]
    return replace(found, method="bootstrap") if clusters is None else found


def median_interval(distance_km: ArrayLike, *, confidence: float = CONFIDENCE) -> Interval | None:
    """Return a distribution-free interval of the median from order statistics.

    The bounds are data values whose ranks are binomial quantiles, which needs no resampling.

    Parameters
    ----------
    distance_km
        Errors of the answered rows, shape (n,), km.

    References
    ----------
    `scipy.stats.quantile_test` and its ``confidence_interval``.

    Examples
    --------
    >>> found = median_interval(np.arange(1.0, 102.0))
    >>> found.value, found.low, found.high
    (51.0, 41.0, 61.0)
    """
    from scipy.stats import quantile_test

    values = np.asarray(distance_km, np.float64)
    if not len(values):
        return None
    middle = float(np.median(values))
    found = quantile_test(values, q=middle, p=0.5).confidence_interval(confidence)
    low, high = float(found.low), float(found.high)
    # Too few rows for a bound at this confidence: scipy answers NaN, the extremes are honest.
    low = low if np.isfinite(low) else float(values.min())
    high = high if np.isfinite(high) else float(values.max())
    return Interval(middle, low, high, confidence, "order statistics")


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
    _check_confidence(confidence)
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
        differences = [_paired(*count, len(a), **options) for count in counts]
    else:
        differences = clustered_shares(a.astype(np.int8) - b.astype(np.int8), clusters, **options)
    return [
        Paired(t, len(a), only_a, only_b, difference, mcnemar(only_a, only_b))
        for t, (only_a, only_b), difference in zip(thresholds_km, counts, differences, strict=True)
    ]


def _paired(
    only_a: int, only_b: int, rows: int, *, confidence: float, resamples: int, seed: int
) -> Interval:
    """Draw how many rows favour A, B and neither: the paired bootstrap of a difference."""
    chances = np.array([only_a, only_b, rows - only_a - only_b]) / rows
    draws = _generator(seed).multinomial(rows, chances, resamples)
    differences = (draws[:, 0] - draws[:, 1]) / rows
    return _percentile((only_a - only_b) / rows, differences, confidence, "bootstrap")


def _by_cluster(values: NDArray[Any], clusters: ArrayLike) -> tuple[Floats, Floats]:
    """Return the rows (c,) and column sums (c, k) of the clusters that occur."""
    codes = np.asarray(clusters)
    if values.ndim != 2 or codes.shape != values.shape[:1]:
        msg = f"clusters has shape {codes.shape} for values of shape {values.shape}; one a row"
        raise ValueError(msg)
    _, codes = np.unique(codes, return_inverse=True)
    sizes = np.bincount(codes).astype(np.float64)
    if len(sizes) < 2:
        msg = f"found {len(sizes)} cluster; resampling needs at least 2, so leave clusters out"
        raise ValueError(msg)
    sums = [np.bincount(codes, column.astype(np.float64)) for column in values.T]
    return sizes, np.stack(sums, axis=1)


def _weights(sizes: Floats, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each cluster is drawn, shape (r, c), r resamples at a time."""
    generator, clusters = _generator(seed), len(sizes)
    resamples = min(resamples, max(MIN_RESAMPLES, MAX_DRAWS // clusters))
    at_a_time = max(1, _DRAWS_AT_A_TIME // clusters)
    for start in range(0, resamples, at_a_time):
        count = min(at_a_time, resamples - start)
        drawn = generator.integers(0, clusters, (count, clusters))
        drawn += np.arange(count)[:, None] * clusters  # bincount is 5 times a multinomial draw
        times = np.bincount(drawn.ravel(), minlength=count * clusters)
        yield times.reshape(count, clusters).astype(np.float64)


def _normal_mean(values: Floats, confidence: float) -> Interval:
    from scipy.stats import norm

    middle = float(values.mean())
    error = float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
    half = float(norm.ppf((1 + confidence) / 2)) * error
    return Interval(middle, middle - half, middle + half, confidence, "normal")


def _percentile(value: float, draws: Floats, confidence: float, method: str) -> Interval:
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(value, float(low), float(high), confidence, method)


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        msg = f"confidence {confidence!r} is outside (0, 1); 0.95 is usual"
        raise ValueError(msg)
