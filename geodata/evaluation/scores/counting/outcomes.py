"""Score rows one by one: the error, whether there is an answer, and the thresholds it is within.

The test that decides a threshold is that of `geodata.evaluation.scores.counting.rule`. On the
sphere it is made on the haversine of the distance, which needs no arcsine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import buffers, coords, sphere
from geodata.evaluation.scores.counting.rule import Scoring

CHUNK_ROWS = 1 << 15
"""Rows worked on at a time, so that temporaries stay in the cache."""

A_LIMIT_KM = 20_000.0
"""`sphere.haversine_a` loses digits near antipodes: beyond this distances are compared."""

GIVEN_KM = "pred_distance_km"
"""Column of errors that a file holds instead of coordinates."""

_ASIN_LIMIT_A = 0.9  # up to here asin(sqrt(a)) is right to TIE_KM

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Outcome(NamedTuple):
    """One batch scored row by row, in the order of its rows."""

    distance_km: Floats
    """Error in km, 0 where there is no valid prediction: read ``answered`` first."""
    answered: Bools
    rank: NDArray[np.uint8]
    """Index of the smallest threshold that holds; the number of thresholds where none does."""


def score_rows(
    batch: pa.Table | pa.RecordBatch, scoring: Scoring | None = None, *, first_row: int = 0
) -> Outcome:
    """Score each row of a joined table.

    Parameters
    ----------
    batch
        Columns lat, lon (truth) and pred_lat, pred_lon, degrees; a prediction that is NULL,
        not finite or out of range is no prediction. With a column pred_distance_km the errors
        are taken from it, NULL where there is none, and no coordinate is read.
    scoring
        What decides a score.
    first_row
        Number of the first row, for messages.

    Raises
    ------
    ValueError
        If a column is missing or a truth row has no valid coordinate.

    Examples
    --------
    >>> rows = pa.table({"lat": [0.0], "lon": [0.0], "pred_lat": [0.1], "pred_lon": [0.0]})
    >>> score_rows(rows).distance_km.round(3), score_rows(rows).rank
    (array([11.119]), array([1], dtype=uint8))
    """
    scoring = scoring or Scoring()
    if GIVEN_KM in batch.schema.names:
        return _as_given(batch.column(GIVEN_KM), scoring)
    truth = coords.arrays(column_of(batch, "lat"), column_of(batch, "lon"))
    if not truth.valid.all():
        row = int(np.argmin(truth.valid))
        found = [column_of(batch, name)[row].as_py() for name in ("lat", "lon")]
        msg = (
            f"truth row {first_row + row} has lat {found[0]!r}, lon {found[1]!r}, which is no "
            "place; every truth row needs one: mend it or leave the row out"
        )
        raise ValueError(msg)
    guess = coords.arrays(column_of(batch, "pred_lat"), column_of(batch, "pred_lon"))
    distance = np.empty(batch.num_rows)
    rank = np.empty(batch.num_rows, np.uint8)
    for part in chunks(batch.num_rows):
        points = truth.lat[part], truth.lon[part], guess.lat[part], guess.lon[part]
        distance[part], rank[part] = _measure(points, scoring)
    distance[~guess.valid] = 0.0
    rank[~guess.valid] = len(scoring.thresholds_km)
    return Outcome(distance, guess.valid, rank)


def _as_given(errors: Any, scoring: Scoring) -> Outcome:
    """Return the outcome of errors that are known without coordinates."""
    km = np.array(buffers.numbers(errors, absent=np.nan), np.float64)
    answered = ~np.isnan(km)
    rank = _rank(km, scoring.limits_km)
    km[~answered] = 0.0
    return Outcome(km, answered, rank)


def _measure(points: tuple[Floats, ...], scoring: Scoring) -> tuple[Floats, NDArray[np.uint8]]:
    """Return distances and ranks; on the sphere the haversine serves both."""
    if scoring.distance == "wgs84":
        distance = sphere.wgs84_km(*points)
        return distance, _rank(distance, scoring.limits_km)
    a = sphere.haversine_a(*points)
    distance = 2.0 * sphere.EARTH_RADIUS_KM * np.arcsin(np.sqrt(a))
    far = a > _ASIN_LIMIT_A
    distance[far] = sphere.haversine_km(*(p[far] for p in points))
    if scoring.thresholds_km[-1] > A_LIMIT_KM:
        return distance, _rank(distance, scoring.limits_km)
    return distance, _rank(a, scoring.limits_a)


def _rank(value: Floats, limits: Floats) -> NDArray[np.uint8]:
    rank = np.zeros(len(value), np.uint8)
    for limit in limits:
        rank += ~(value <= limit)  # NaN fails every limit
    return rank


def chunks(rows: int) -> Iterator[slice]:
    """Yield slices of `CHUNK_ROWS` rows, the last one shorter."""
    for start in range(0, rows, CHUNK_ROWS):
        yield slice(start, start + CHUNK_ROWS)


def column_of(batch: pa.Table | pa.RecordBatch, name: str) -> Any:
    """Return a column of joined rows.

    Raises
    ------
    ValueError
        If there is none of this name; the message lists those that there are.
    """
    names = batch.schema.names
    if name not in names:
        msg = f"the joined table has no column {name!r}; its columns are {', '.join(names)}"
        raise ValueError(msg)
    return batch.column(name)
