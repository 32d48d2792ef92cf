"""How sure a share or a median is without drawing anything: Wilson, and order statistics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.95


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

    check_confidence(confidence)
    if rows == 0 and correct == 0:
        return None
    if not 0 <= correct <= rows:
        msg = f"{correct} of {rows} rows cannot be right; expected 0 <= correct <= rows"
        raise ValueError(msg)
    found = binomtest(int(correct), int(rows)).proportion_ci(confidence, method="wilson")
    return Interval(correct / rows, float(found.low), float(found.high), confidence, "wilson")


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


def check_confidence(confidence: float) -> None:
    """Refuse a confidence outside (0, 1)."""
    if not 0 < confidence < 1:
        msg = f"confidence {confidence!r} is outside (0, 1); 0.95 is usual"
        raise ValueError(msg)
