"""What the demo comes to, in a sentence: was something learnt, and how sure is that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata import sphere

RESAMPLES = 2000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """A difference and its 95% interval."""

    value: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    def text(self, digits: int) -> str:
        """Return it as +0.049 [+0.031, +0.067].

        Examples
        --------
        >>> Change(-7.0, -20.2, 3.1).text(0)
        '-7 [-20, +3]'
        """
        shown = (f"{number:+.{digits}f}" for number in (self.value, self.low, self.high))
        return "{} [{}, {}]".format(*shown)


def rise(before: Floats, after: Floats) -> Change:
    """Return the mean of paired differences, (n,) each, and 1.96 standard errors around it.

    Examples
    --------
    >>> rise(np.array([0.0, 0.0]), np.array([0.5, 0.5])).text(2)
    '+0.50 [+0.50, +0.50]'
    """
    gain = after - before
    mean, half = float(gain.mean()), 1.96 * float(gain.std(ddof=1)) / len(gain) ** 0.5
    return Change(mean, mean - half, mean + half)


def median_change(before_km: Floats, after_km: Floats, seed: int = 0) -> Change:
    """Return the change of a median over the same places, by a bootstrap over places.

    Parameters
    ----------
    before_km, after_km
        Errors, (n,), in km; infinite where there is no answer.
    seed
        Of the `RESAMPLES` draws.

    Returns
    -------
    Change
        In km; NaN throughout where a median is infinite.
    """
    n = len(before_km)
    rows = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    with np.errstate(invalid="ignore"):
        value = float(np.median(after_km) - np.median(before_km))
        drawn = np.median(after_km[rows], axis=1) - np.median(before_km[rows], axis=1)
    low, high = (float(q) for q in np.quantile(drawn, (0.025, 0.975), method="nearest"))
    return Change(value, low, high)


def best_single(lat: Floats, lon: Floats) -> int:
    """Return which of the places, (n,) degrees, has the least median error as answer to all.

    Examples
    --------
    >>> best_single(np.array([0.0, 0.0, 0.0]), np.array([0.0, 1.0, 1.0]))
    1
    """
    return int(_medians(lat, lon).argmin())


def blind_km(lat: Floats, lon: Floats) -> float:
    """Return the median error of the best single answer to all places, one of them, km.

    It is what can be had without looking at a photo.

    Examples
    --------
    >>> blind_km(np.array([0.0, 0.0, 0.0]), np.array([0.0, 1.0, 1.0]))
    0.0
    """
    return float(_medians(lat, lon).min())


def _medians(lat: Floats, lon: Floats) -> Floats:
    km = np.asarray(sphere.haversine_km(lat[:, None], lon[:, None], lat[None], lon[None]))
    return np.asarray(np.median(km, axis=1))


def sentence(taught_km: float, blind: float, reward: Change, median: Change) -> str:
    """Return the verdict.

    Parameters
    ----------
    taught_km
        Median error after SFT on held-out places.
    blind
        `blind_km` of them.
    reward, median
        What GRPO changed on held-out places: sampled reward, and median error in km.
    """
    learnt = taught_km < 0.5 * blind
    sft = (
        f"SFT {'learnt where photos are' if learnt else 'has not learnt where photos are'}: a "
        f"median error of {taught_km:,.0f} km on held-out places, {blind:,.0f} for the best "
        "answer without looking"
    )
    how = "shows no change of" if not reward.sure else "raised" if reward.value > 0 else "lowered"
    fell = "fell" if median.value < 0 else "rose"
    moved = f"the median error {fell} ({median.text(0)} km)"
    if not median.sure:
        moved = f"the median error is not told apart from before ({median.text(0)} km)"
    return f"{sft}; GRPO {how} the held-out reward ({reward.text(3)}), and {moved}."
