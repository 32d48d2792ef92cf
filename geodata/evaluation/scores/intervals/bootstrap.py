"""How sure a share or a mean is by resampling, of rows or of whole clusters.

A bootstrap of counts does not draw rows. Resampling n rows with replacement makes the count of
each outcome multinomial, so drawing those counts is the same bootstrap, and 10M rows cost what
100 do; `scipy.stats.bootstrap` would hold resamples x rows values. With clusters whole
clusters are drawn, because photos of one photographer succeed and fail together, and what few
clusters do to the spread is mended as `geodata.evaluation.scores.intervals.clusters` says.

Every draw comes from a generator with the given seed: same input, same interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.evaluation.scores.intervals.closed_form import (
    CONFIDENCE,
    Interval,
    check_confidence,
    normal_quantile,
    wilson_ends,
)
from geodata.evaluation.scores.intervals.clusters import Clusters, by_cluster

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

    The resampled standard error, widened as `Clusters.widening` says, gives the number of
    independent rows that the rows are worth; the interval is Wilson's for that many, with
    Student's quantile (`Clusters.share_quantiles`). Where all clusters are alike, as where every
    row is right, or none, nothing varies: each effective cluster is then worth one row, which is
    the widest that clusters can make it.

    Parameters
    ----------
    within
        Bool, shape (n, k): e.g. `Scores.within()`, one column a threshold.
    clusters
        Non-negative integer code of each row's cluster, shape (n,): e.g. `GroupCodes.codes`.

    Returns
    -------
    list of k Interval

    Raises
    ------
    ValueError
        With fewer than two clusters: nothing can be resampled.

    References
    ----------
    E. L. Korn, B. I. Graubard, Survey Methodology 24 (1998); N. Dean, M. Pagano, Journal of
    Survey Statistics and Methodology 3 (2015), for intervals of shares with an effective number
    of rows. ``benchmarks/intervals.py`` prints how often they hold.

    Examples
    --------
    >>> right = np.array([[1], [1], [0], [0], [1], [0]])
    >>> clustered_shares(right, [0, 0, 1, 1, 2, 2])[0].value
    0.5
    """
    check_confidence(confidence)
    found = by_cluster(np.asarray(within), clusters)
    error = _draws(found, resamples, seed).std(axis=0)
    factor, _ = found.widening(confidence)
    quantiles = found.share_quantiles(confidence)
    intervals = []
    spreads = np.where(found.residuals().any(axis=0), error * factor, 0.0)
    for share, spread, quantile in zip(
        found.means().tolist(), spreads.tolist(), quantiles.tolist(), strict=True
    ):
        worth = share * (1 - share) / spread**2 if spread > 0 else found.effective
        ends = wilson_ends(share, worth, quantile)
        intervals.append(Interval(share, *ends, confidence, "cluster bootstrap"))
    return intervals


def clustered_means(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[Interval]:
    """Return the cluster bootstrap interval of each column's mean, of differences for example.

    The percentile interval, stretched from the mean by `Clusters.widening` times Student's over
    the normal quantile.

    Parameters
    ----------
    values
        Finite, shape (n, k).
    clusters
        As in `clustered_shares`.

    Examples
    --------
    >>> found = clustered_means(np.arange(12.0)[:, None], np.arange(12) // 3)[0]
    >>> found.value, found.low < 5.5 < found.high
    (5.5, True)
    """
    check_confidence(confidence)
    found = by_cluster(np.asarray(values), clusters)
    draws = _draws(found, resamples, seed)
    factor, quantile = found.widening(confidence)
    stretch = factor * quantile / normal_quantile(confidence)
    means = found.means()
    spread = means + (draws - means) * stretch
    return [
        _percentile(float(means[i]), spread[:, i], confidence, "cluster bootstrap")
        for i in range(len(means))
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
    found = clustered_means(
        array[:, None], codes, confidence=confidence, resamples=resamples, seed=seed
    )[0]
    return replace(found, method="bootstrap") if clusters is None else found


def _draws(found: Clusters, resamples: int, seed: int) -> Floats:
    """Return the mean of each column in each resample of clusters, shape (r, k)."""
    sizes, sums = found
    return np.concatenate(
        [w @ sums / (w @ sizes)[:, None] for w in _weights(sizes, resamples, seed)]
    )


def _weights(sizes: Floats, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each cluster is drawn, shape (r, c), r resamples at a time."""
    generator, clusters = np.random.default_rng(seed), len(sizes)
    resamples = _affordable(resamples, clusters)
    at_a_time = max(1, _DRAWS_AT_A_TIME // clusters)
    for start in range(0, resamples, at_a_time):
        count = min(at_a_time, resamples - start)
        drawn = generator.integers(0, clusters, (count, clusters))
        drawn += np.arange(count)[:, None] * clusters  # bincount is 5 times a multinomial draw
        times = np.bincount(drawn.ravel(), minlength=count * clusters)
        yield times.reshape(count, clusters).astype(np.float64)


def _affordable(resamples: int, clusters: int) -> int:
    """Return how many of the resamples are drawn, see `MAX_DRAWS`."""
    return min(resamples, max(MIN_RESAMPLES, MAX_DRAWS // clusters))


def _normal_mean(values: Floats, confidence: float) -> Interval:
    middle = float(values.mean())
    error = float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
    half = normal_quantile(confidence) * error
    return Interval(middle, middle - half, middle + half, confidence, "normal")


def _percentile(value: float, draws: Floats, confidence: float, method: str) -> Interval:
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(value, float(low), float(high), confidence, method)
