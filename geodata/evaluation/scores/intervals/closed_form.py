"""How sure a share, a difference or a median is without drawing anything.

``benchmarks/intervals.py`` prints how often each interval holds what it should.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.sphere import HALF_CIRCUMFERENCE_KM

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A value and the interval around it, in the unit of the value."""

    value: float
    low: float
    high: float
    confidence: float
    method: str
    """'wilson', 'score', 'bootstrap', 'cluster bootstrap', 'normal' or 'order statistics'."""

    @property
    def half_width(self) -> float:
        """Half of high - low."""
        return (self.high - self.low) / 2


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
    E. B. Wilson, JASA 22 (1927); written as `scipy.stats.binomtest` writes it.

    Examples
    --------
    >>> found = wilson(959, 2997)
    >>> round(found.value, 4), round(100 * found.half_width, 2)
    (0.32, 1.67)
    """
    check_confidence(confidence)
    if rows == 0 and correct == 0:
        return None
    if not 0 <= correct <= rows:
        msg = f"{correct} of {rows} rows cannot be right; expected 0 <= correct <= rows"
        raise ValueError(msg)
    quantile, share = normal_quantile(confidence), correct / rows
    whole = 2 * (rows + quantile**2)
    middle = (2 * rows * share + quantile**2) / whole
    half = quantile / whole * math.sqrt(4 * rows * share * (1 - share) + quantile**2)
    low = 0.0 if correct == 0 else middle - half
    high = 1.0 if correct == rows else middle + half
    return Interval(share, low, high, confidence, "wilson")


def wilson_ends(share: float, rows: float, quantile: float) -> tuple[float, float]:
    """Return the ends of Wilson's interval; the rows need not be a whole number.

    Examples
    --------
    >>> [round(end, 3) for end in wilson_ends(0.0, 20.0, 1.96)]
    [0.0, 0.161]
    """
    square = quantile**2 / rows
    middle = (share + square / 2) / (1 + square)
    half = quantile / (1 + square) * (share * (1 - share) / rows + square / (4 * rows)) ** 0.5
    # a share of 0 or 1 is an end itself, which rounding may miss by the last digit
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def paired_share(
    only_a: float, only_b: float, rows: float, *, confidence: float = CONFIDENCE
) -> Interval:
    """Return Tango's score interval of a difference of two shares on the same rows, A minus B.

    It holds where bootstrap and Wald intervals collapse: with no discordant row it is
    ``z^2 / (n + z^2)`` to either side.

    Parameters
    ----------
    only_a, only_b
        Rows that only A has right, and only B; they need not be whole numbers.
    rows
        All rows that both were scored on.

    References
    ----------
    T. Tango, Statistics in Medicine 17 (1998) 891-908.

    Examples
    --------
    >>> found = paired_share(0, 0, 100)
    >>> round(found.low, 3), round(found.high, 3)
    (-0.037, 0.037)
    """
    from scipy.optimize import brentq

    check_confidence(confidence)
    if only_b > only_a:  # the same turned over: on this side the equation keeps its digits
        turned = paired_share(only_b, only_a, rows, confidence=confidence)
        return replace(turned, value=-turned.value, low=-turned.high, high=-turned.low)
    quantile = normal_quantile(confidence)
    value = (only_a - only_b) / rows

    def beyond(difference: float) -> float:
        """Return the score statistic of a difference, falling from high to low."""
        middle = (2 * rows - only_a + only_b) * difference - only_a - only_b
        root = middle**2 + 8 * rows * only_b * difference * (1 - difference)
        only = (max(root, 0.0) ** 0.5 - middle) / (4 * rows)
        variance = rows * (2 * only + difference * (1 - difference))
        surplus = rows * (value - difference)  # exactly 0 at the value, where both may be
        return float(surplus / max(variance, 1e-300) ** 0.5)

    edge = 1 - 1e-12
    low = brentq(lambda d: beyond(d) - quantile, -edge, value)
    inside = beyond(edge) < -quantile  # else the end lies in the last digits before 1
    high = brentq(lambda d: beyond(d) + quantile, value, edge) if inside else 1.0
    return Interval(value, min(low, value), max(high, value), confidence, "score")


def median_interval(distance_km: ArrayLike, *, confidence: float = CONFIDENCE) -> Interval | None:
    """Return a distribution-free interval of the median from order statistics.

    The ends are the k-th smallest and k-th largest error, k the largest number for which
    ``2 P(Bin(n, 1/2) < k) <= 1 - confidence``. Up to five rows no data value is far enough out at
    95%: the ends are then those of all errors on Earth, 0 and 20,015 km.

    Parameters
    ----------
    distance_km
        Errors of the answered rows, shape (n,), km.

    References
    ----------
    W. J. Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2;
    `scipy.stats.quantile_test` and its ``confidence_interval`` for many rows.

    Examples
    --------
    >>> found = median_interval(np.arange(1.0, 102.0))
    >>> found.value, found.low, found.high
    (51.0, 41.0, 61.0)
    """
    check_confidence(confidence)
    values = np.asarray(distance_km, np.float64)
    if not len(values):
        return None
    first, chances = _below_half(len(values))
    rank = first + int(np.searchsorted(chances, (1 - confidence) / 2, side="right"))
    return _of_ranks(values, rank, len(values) + 1 - rank, confidence)


def _below_half(n: int) -> tuple[int, NDArray[np.float64]]:
    """Return the first k that matters, and P(Bin(n, 1/2) <= k) from there to ``n // 2``.

    Sixteen standard deviations out, nothing is left to add. Both halves together are 1, so the
    chances need no factorial; `scipy.special` has them too, after 0.1 to 0.2 s of import.
    """
    middle = n // 2
    first = max(0, middle - int(8 * n**0.5))
    k = np.arange(middle, first, -1.0)
    weight = np.exp(np.cumsum(np.log(k / (n - k + 1))))[::-1]  # beside that of the middle
    weight = np.append(weight, 1.0)
    whole = 2 * weight.sum() - (n % 2 == 0)
    return first, np.cumsum(weight) / whole


def clustered_median(
    distance_km: ArrayLike, share: Interval, *, confidence: float = CONFIDENCE
) -> Interval:
    """Return Woodruff's interval of the median: the quantiles at the ends of a share's interval.

    Parameters
    ----------
    distance_km
        Errors of the answered rows, shape (n,), km, n > 0.
    share
        Interval of the share of rows whose error is at most the median, from clusters.

    References
    ----------
    R. S. Woodruff, Journal of the American Statistical Association 47 (1952).

    Examples
    --------
    >>> half = Interval(0.5, 0.25, 0.75, 0.95, "cluster bootstrap")
    >>> found = clustered_median(np.arange(1.0, 102.0), half)
    >>> found.low, found.value, found.high
    (26.0, 51.0, 76.0)
    """
    values = np.asarray(distance_km, np.float64)
    low, high = np.floor(share.low * len(values)), np.ceil(share.high * len(values))
    found = _of_ranks(values, int(low) + (share.low > 0), int(high), confidence)
    return Interval(found.value, found.low, found.high, confidence, share.method)


def _of_ranks(values: NDArray[np.float64], low: int, high: int, confidence: float) -> Interval:
    """Return the interval between two order statistics, counted from 1."""
    half = len(values) // 2
    ordered = np.sort(values)  # quicker than to select four of them
    middle = ordered[half : half + 1] if len(values) % 2 else ordered[half - 1 : half + 1]
    first = float(ordered[low - 1]) if low >= 1 else 0.0
    last = float(ordered[high - 1]) if high <= len(ordered) else HALF_CIRCUMFERENCE_KM
    return Interval(float(middle.mean()), first, last, confidence, "order statistics")


def normal_quantile(confidence: float) -> float:
    """Return how many standard errors to either side hold this share of a normal distribution.

    Examples
    --------
    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    return NormalDist().inv_cdf((1 + confidence) / 2)


def check_confidence(confidence: float) -> None:
    """Refuse a confidence outside (0, 1)."""
    if not 0 < confidence < 1:
        msg = f"confidence {confidence!r} is outside (0, 1); 0.95 is usual"
        raise ValueError(msg)
