"""Count rows within thresholds and nothing else: of distances, or of coordinates, which is fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata import sphere
from geodata.evaluation.scores.counting.groups import share
from geodata.evaluation.scores.counting.outcomes import A_LIMIT_KM, chunks
from geodata.evaluation.scores.counting.rule import THRESHOLDS_KM, Missing, Scoring, thresholds_of

Floats = NDArray[np.float64]


def threshold_shares(
    distance_km: Any,
    thresholds_km: Sequence[float] = THRESHOLDS_KM,
    *,
    strict: bool = False,
    missing: Missing = "wrong",
) -> dict[float, float | None]:
    """Return the share of rows within each threshold.

    Parameters
    ----------
    distance_km
        One error for each truth row, shape (n,), km: an array or an Arrow column. NULL and NaN
        are missing answers: wrong, and never within.
    thresholds_km, strict, missing
        As in `Scoring`.

    Returns
    -------
    dict of threshold to share in [0, 1]
        None where there is no row to count.

    Examples
    --------
    >>> threshold_shares([0.5, 25.0, 300.0, None], (25, 200))
    {25.0: 0.5, 200.0: 0.5}
    >>> threshold_shares([0.5, 25.0, 300.0, None], (25,), strict=True, missing="exclude")
    {25.0: 0.3333333333333333}
    """
    scoring = Scoring(thresholds_of(thresholds_km), strict=strict, missing=missing)
    distance = np.asarray(distance_km, np.float64)  # NaN for NULL, of Arrow too
    there = int(np.count_nonzero(~np.isnan(distance)))
    counts = [int(np.count_nonzero(distance <= limit)) for limit in scoring.limits_km]
    rows = len(distance) if missing == "wrong" else there
    return {t: share(c, rows) for t, c in zip(scoring.thresholds_km, counts, strict=True)}


def threshold_counts(
    lat: ArrayLike,
    lon: ArrayLike,
    pred_lat: ArrayLike,
    pred_lon: ArrayLike,
    thresholds_km: Sequence[float] = THRESHOLDS_KM,
    *,
    strict: bool = False,
) -> dict[float, int]:
    """Return how many rows lie within each threshold on the sphere: the fast path, no arcsine.

    Parameters
    ----------
    lat, lon, pred_lat, pred_lon
        Float64 degrees, shape (n,), valid or NaN; a NaN is never within.

    Examples
    --------
    >>> threshold_counts([0.0, 0.0], [0.0, 0.0], [0.1, np.nan], [0.0, 0.0])
    {1.0: 0, 25.0: 1, 200.0: 1, 750.0: 1, 2500.0: 1}
    """
    scoring = Scoring(thresholds_of(thresholds_km), strict=strict)
    columns = [np.asarray(v, np.float64) for v in (lat, lon, pred_lat, pred_lon)]
    measure, limits = sphere.haversine_a, scoring.limits_a
    if scoring.thresholds_km[-1] > A_LIMIT_KM:
        measure, limits = sphere.haversine_km, scoring.limits_km
    counts = np.zeros(len(limits), np.int64)
    for part in chunks(len(columns[0])):
        value = measure(*(column[part] for column in columns))
        counts += [np.count_nonzero(value <= limit) for limit in limits]
    return dict(zip(scoring.thresholds_km, counts.tolist(), strict=True))
