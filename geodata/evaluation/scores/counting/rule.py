"""What decides a score: thresholds, ties, the distance, and what a missing answer is.

One test decides every threshold, here and in ``sql/``: ``d <= t`` with `sphere.haversine_km`,
where a distance closer to the threshold than `TIE_KM` is on it: within for ``<=``, outside for
``strict``. The margin is wider than the rounding of float64 degrees, so engines that disagree
in the last digit agree on ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geodata import sphere

THRESHOLDS_KM = (1.0, 25.0, 200.0, 750.0, 2500.0)
"""Street, city, region, country, continent: the five of Im2GPS3K evaluation."""

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

TIE_KM = 1e-9
"""One micrometre: the rounding of float64 degrees is 400 times smaller."""

Missing = Literal["wrong", "exclude"]
Distance = Literal["sphere", "wgs84"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scoring:
    """What decides a score; written into every result.

    Parameters
    ----------
    thresholds_km
        Thresholds, km, finite and >= 0; kept in ascending order, each once.
    strict
        Test ``d < t`` instead of ``d <= t``.
    distance
        'sphere' (R = 6371 km) or 'wgs84' (geodesic on the ellipsoid).
    missing
        'wrong' or 'exclude': what a truth row without a valid prediction is.
    quantiles
        Quantiles of the error to report, in [0, 1].

    Raises
    ------
    ValueError
        For a threshold or quantile out of range, or an unknown word.

    Examples
    --------
    >>> Scoring(thresholds_km=(200, 25)).thresholds_km
    (25.0, 200.0)
    """

    thresholds_km: tuple[float, ...] = THRESHOLDS_KM
    strict: bool = False
    distance: Distance = "sphere"
    missing: Missing = "wrong"
    quantiles: tuple[float, ...] = QUANTILES

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds_km", _checked_thresholds(self.thresholds_km))
        object.__setattr__(self, "quantiles", _checked_quantiles(self.quantiles))
        _one_of("distance", self.distance, ("sphere", "wgs84"))
        _one_of("missing", self.missing, ("wrong", "exclude"))

    @property
    def limits_km(self) -> Floats:
        """The thresholds moved by `TIE_KM`: a row is within where its distance is <= these."""
        return np.asarray(self.thresholds_km) + (-TIE_KM if self.strict else TIE_KM)

    @property
    def limits_a(self) -> Floats:
        """`limits_km` as haversines, to compare with `sphere.haversine_a`."""
        limits = self.limits_km
        return np.where(limits < 0, -1.0, sphere.threshold_a(limits))


def thresholds_of(thresholds_km: Sequence[float]) -> tuple[float, ...]:
    """Return thresholds as `Scoring` takes them.

    Raises
    ------
    ValueError
        For one number in place of several.
    """
    try:
        return tuple(thresholds_km)
    except TypeError:
        msg = f"thresholds_km={thresholds_km!r} is not a list; give one even for one, such as (25,)"
        raise ValueError(msg) from None


def _checked_thresholds(values: Sequence[float]) -> tuple[float, ...]:
    if any(isinstance(v, str) for v in values):
        msg = f"thresholds_km={values!r} holds text; give km as numbers, such as (25, 200)"
        raise ValueError(msg)
    thresholds = sorted({float(v) for v in values})
    if not thresholds or len(thresholds) > 250:
        msg = f"thresholds_km has {len(thresholds)} values; expected 1 to 250"
        raise ValueError(msg)
    for t in thresholds:
        if not 0.0 <= t < np.inf:
            msg = f"threshold {t!r} km is not a finite number >= 0; mend thresholds_km"
            raise ValueError(msg)
    return tuple(thresholds)


def _checked_quantiles(values: Sequence[float]) -> tuple[float, ...]:
    quantiles = tuple(float(v) for v in values)
    for q in quantiles:
        if not 0.0 <= q <= 1.0:
            msg = f"quantile {q!r} is outside [0, 1]; give shares, not percentages"
            raise ValueError(msg)
    return quantiles


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        msg = f"{name} {value!r} is unknown; expected {' or '.join(map(repr, allowed))}"
        raise ValueError(msg)
