"""What unit coordinates are in that are no degrees."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geodata import sphere
from geodata.evaluation.findings import Finding, finding
from geodata.evaluation.joining import STATUSES, Joined, Predictions, read_numbers

WEB_MERCATOR_M = 6_378_137.0
"""Radius of the sphere of EPSG:3857, m."""

FITS_KM = 1_000.0
"""A unit is named where the median answer, so read, is this near to the truth, and ..."""

FITS_BETTER = 0.5
"""... this share of the distance that the answers have as they are."""

FEWEST = 5
RADIANS_ROWS = 20

Floats = NDArray[np.float64]
Places = tuple[Floats, Floats]


def against_units(
    predictions: Predictions, joined: Joined, truth: Places, answers: Places
) -> list[Finding]:
    """Return an error where half of the answers or more are no places, or all are radians.

    Parameters
    ----------
    predictions, joined
    truth, answers
        Latitudes and longitudes of the first truth rows and their answers, degrees, shape (n,).
    """
    there = joined.pred_status != STATUSES.index("missing")
    bad = np.flatnonzero(joined.pred_status == STATUSES.index("invalid"))
    invalid = len(bad) >= FEWEST and 2 * len(bad) >= np.count_nonzero(there)
    small = _radian_range(*answers) and not _radian_range(*truth)
    columns, (lat, _) = predictions.columns, truth
    if predictions.distance is not None and invalid:
        return [_mostly_invalid("distances", bad, there, "Look at the unit: --distance-unit m.")]
    if columns.lat is None or not (invalid or small):
        return []
    raw = _beside(joined, len(lat), read_numbers(predictions, columns.lat),
                  read_numbers(predictions, str(columns.lon)))  # fmt: skip
    unit = _unit(truth, answers, raw)
    if unit is not None:
        how = f"{len(bad)} of {np.count_nonzero(there)} answers are no places; " if invalid else ""
        return [
            finding(
                "likely_unit",
                "error",
                f"{how}read as {unit} the answers lie near the truth",
                "Write latitude and longitude in decimal degrees, latitude first.",
                rows=bad[:10],
                count=len(bad) if invalid else len(answers[0]),
            )
        ]
    remedy = "Write latitude and longitude in decimal degrees, latitude first."
    return [_mostly_invalid("places", bad, there, remedy)] if invalid else []


def _mostly_invalid(
    what: str, bad: NDArray[np.int64], there: NDArray[np.bool_], remedy: str
) -> Finding:
    message = f"{len(bad)} of {np.count_nonzero(there)} answers are no {what}"
    return finding("mostly_invalid", "error", message, remedy, rows=bad[:10], count=len(bad))


def _radian_range(lat: Floats, lon: Floats) -> bool:
    known = ~np.isnan(lat)
    inside = (np.abs(lat[known]) <= np.pi / 2) & (np.abs(lon[known]) <= np.pi)
    return bool(known.sum() >= RADIANS_ROWS and inside.all())


def _beside(joined: Joined, rows: int, lat: Floats, lon: Floats) -> Places:
    """Return raw numbers of the first truth rows, NaN where there is none."""
    at = np.arange(rows) if joined.matched is None else joined.matched[:rows]
    return np.append(lat, np.nan)[at], np.append(lon, np.nan)[at]


def _unit(truth: Places, answers: Places, raw: Places) -> str | None:
    """Return the unit under which the raw numbers lie nearest to the truth, if they do."""
    best, nearest = None, FITS_KM
    as_is = sphere.haversine_km(*truth, *answers)
    if not np.isnan(as_is).all():
        nearest = min(nearest, FITS_BETTER * float(np.nanmedian(as_is)))
    with np.errstate(over="ignore"):
        for name, lat, lon in _readings(*raw):
            inside = (np.abs(lat) <= 90) & (np.abs(lon) <= 360)
            if np.count_nonzero(inside) < max(FEWEST, 0.5 * np.count_nonzero(~np.isnan(raw[0]))):
                continue
            away = sphere.haversine_km(truth[0][inside], truth[1][inside], lat[inside], lon[inside])
            if np.median(away) < nearest:
                best, nearest = name, float(np.median(away))
    return best


def _readings(a: Floats, b: Floats) -> Iterator[tuple[str, Floats, Floats]]:
    """Yield what two columns of numbers may mean, as degrees."""
    yield "radians", np.degrees(a), np.degrees(b)
    yield "radians, longitude first,", np.degrees(b), np.degrees(a)
    yield "degrees, longitude first,", b, a
    for power in (5, 6, 7):
        yield f"degrees x 1e{power}", a / 10**power, b / 10**power
    for name, y, x in (("EPSG:3857 metres", a, b), ("EPSG:3857 metres, x first,", b, a)):
        lat = np.degrees(np.arctan(np.sinh(y / WEB_MERCATOR_M)))
        yield name, np.where(np.abs(y) > 360, lat, np.nan), np.degrees(x / WEB_MERCATOR_M)
