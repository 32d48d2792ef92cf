"""How sure a share or a mean is by resampling, of rows or of whole clusters.

A bootstrap of counts does not draw rows. Resampling n rows with replacement makes the count of
each outcome multinomial, so drawing those counts is the same bootstrap, and 10M rows cost what
100 do; `scipy.stats.bootstrap` would hold resamples x rows values. With clusters whole
clusters are drawn, because photos of one photographer succeed and fail together.

Every draw comes from a generator with the given seed: same input, same interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.evaluation.scores.intervals import CONFIDENCE, Interval, check_confidence

RESAMPLES = 10_000
MIN_RESAMPLES = 1_000
MAX_DRAWS = 50_000_000
"""Draws of clusters in one interval: above 5,000 clusters there are fewer resamples."""

SEED = 0

NORMAL_ROWS = 5_000
"""Above this many independent rows a mean of bounded values has its normal interval."""

_DRAWS_AT_A_TIME = 1 << 20

Floats = NDArray[np.float64]


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
    check_confidence(confidence)
    if rows == 0:
        return None
    draws = np.random.default_rng(seed).binomial(rows, correct / rows, resamples) / rows
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
    check_confidence(confidence)
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
    check_confidence(confidence)
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


def paired_share(
    only_a: int,
    only_b: int,
    rows: int,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return the paired bootstrap interval of a difference of two shares, A minus B.

    What is drawn is how many rows only A has right, only B, and both or neither.

    Examples
    --------
    >>> round(paired_share(19, 20, 600).value, 5)
    -0.00167
    """
    chances = np.array([only_a, only_b, rows - only_a - only_b]) / rows
    draws = np.random.default_rng(seed).multinomial(rows, chances, resamples)
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
    generator, clusters = np.random.default_rng(seed), len(sizes)
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
