"""Score predictions against truth rows: threshold accuracy, errors, GeoScore, break-downs.

The denominator is the number of truth rows: a row without a valid prediction is wrong. With
``missing="exclude"`` such rows leave the denominator, and the result says so.

The test that decides a threshold is that of `geodata.evaluation.scores.rule`. On the sphere it is
made on the haversine of the distance, which needs no arcsine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from geodata import coords, sphere
from geodata.evaluation.scores.groups import Group, GroupCodes, share, summarise
from geodata.evaluation.scores.rule import THRESHOLDS_KM, Missing, Scoring

GEOSCORE_MAX = 5000.0
GEOSCORE_SCALE_KM = 1492.7

CHUNK_ROWS = 1 << 15
"""Rows worked on at a time, so that temporaries stay in the cache."""

_A_LIMIT_KM = 20_000.0  # haversine_a loses digits near antipodes; beyond this use distances
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


@dataclass(frozen=True)
class Scores:
    """The score of one prediction file; shares in [0, 1], None where nothing can be said."""

    scoring: Scoring
    rows: int
    """Truth rows."""
    answered: int
    """Truth rows with a valid prediction."""
    denominator: int
    """Rows that shares are taken of: ``rows``, or ``answered`` with missing='exclude'."""
    correct: dict[float, int]
    """Rows within each threshold."""
    accuracy: dict[float, float | None]
    coverage: float | None
    """answered / rows."""
    mean_km: float | None
    """Over answered rows."""
    median_km: float | None
    """Over answered rows."""
    quantiles_km: dict[float, float | None]
    """Over answered rows, linearly interpolated (NumPy's default, `quantile_cont` in SQL)."""
    geoscore: float | None
    """Mean over the denominator; a missing answer earns 0 points."""
    by: dict[str, tuple[Group, ...]] = field(default_factory=dict)
    distances_km: Floats = field(default_factory=lambda: np.empty(0), repr=False, compare=False)
    """Errors of the answered rows in row order, shape (answered,), km."""
    ranks: NDArray[np.uint8] = field(
        default_factory=lambda: np.empty(0, np.uint8), repr=False, compare=False
    )
    """`Outcome.rank` of every truth row, shape (rows,): what intervals and comparisons need."""
    codes: dict[str, GroupCodes] = field(default_factory=dict, repr=False, compare=False)
    """Group of every truth row for each break-down column, e.g. to resample by cluster."""

    def within(self) -> Bools:
        """Return whether each truth row is within each threshold, shape (rows, thresholds)."""
        return self.ranks[:, None] <= np.arange(len(self.scoring.thresholds_km), dtype=np.uint8)


class Scorer:
    """Score a joined table batch by batch; memory is 9 bytes a row and 4 for each column in `by`.

    A batch holds lat, lon, pred_lat, pred_lon (degrees) and the columns to break down by; one
    row is one truth row. The result does not depend on how the rows were cut into batches.

    Parameters
    ----------
    scoring
        What decides a score.
    by
        Columns to break the result down by, or to resample by.

    Examples
    --------
    >>> scorer = Scorer()
    >>> _ = scorer.add(pa.table({"lat": [0.0, 0.0], "lon": [0.0, 0.0],
    ...                          "pred_lat": [0.1, None], "pred_lon": [0.0, None]}))
    >>> scores = scorer.finish()
    >>> scores.accuracy[25.0], scores.coverage, scores.rows
    (0.5, 0.5, 2)
    """

    def __init__(self, scoring: Scoring | None = None, *, by: Sequence[str] = ()) -> None:
        self.scoring = scoring or Scoring()
        self.by = tuple(dict.fromkeys(by))
        self._rows = 0
        self._outcomes: list[Outcome] = []
        self._groups = {name: GroupCodes.builder() for name in self.by}

    def add(self, batch: pa.Table | pa.RecordBatch) -> Outcome:
        """Score one batch and return it scored row by row.

        Raises
        ------
        ValueError
            If a column is missing or a truth row has no valid coordinate.
        """
        outcome = score_rows(batch, self.scoring, first_row=self._rows)
        self._rows += batch.num_rows
        self._outcomes.append(outcome._replace(distance_km=outcome.distance_km[outcome.answered]))
        for name, builder in self._groups.items():
            builder.add(_column(batch, name))
        return outcome

    def finish(self) -> Scores:
        """Return the scores of all rows added."""
        distances = _joined([o.distance_km for o in self._outcomes], np.float64)
        answered = _joined([o.answered for o in self._outcomes], np.bool_)
        ranks = _joined([o.rank for o in self._outcomes], np.uint8)
        self._outcomes.clear()
        codes = {name: builder.finish() for name, builder in self._groups.items()}
        points = geoscore_points(distances)
        return Scores(
            scoring=self.scoring,
            **_totals(self.scoring, distances, points, ranks),
            by={
                name: summarise(code, self.scoring, ranks, answered, distances, points)
                for name, code in codes.items()
            },
            distances_km=distances,
            ranks=ranks,
            codes=codes,
        )


def score_rows(
    batch: pa.Table | pa.RecordBatch, scoring: Scoring | None = None, *, first_row: int = 0
) -> Outcome:
    """Score each row of a joined table.

    Parameters
    ----------
    batch
        Columns lat, lon (truth) and pred_lat, pred_lon, degrees; a prediction that is NULL,
        not finite or out of range is no prediction.
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
    truth = coords.arrays(_column(batch, "lat"), _column(batch, "lon"))
    if not truth.valid.all():
        row = int(np.argmin(truth.valid))
        found = [_column(batch, name)[row].as_py() for name in ("lat", "lon")]
        msg = (
            f"truth row {first_row + row} has lat {found[0]!r}, lon {found[1]!r}, which is no "
            "place; every truth row needs one: mend it or leave the row out"
        )
        raise ValueError(msg)
    guess = coords.arrays(_column(batch, "pred_lat"), _column(batch, "pred_lon"))
    distance = np.empty(batch.num_rows)
    rank = np.empty(batch.num_rows, np.uint8)
    for part in _chunks(batch.num_rows):
        points = truth.lat[part], truth.lon[part], guess.lat[part], guess.lon[part]
        distance[part], rank[part] = _measure(points, scoring)
    distance[~guess.valid] = 0.0
    rank[~guess.valid] = len(scoring.thresholds_km)
    return Outcome(distance, guess.valid, rank)


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
    scoring = Scoring(tuple(thresholds_km), strict=strict, missing=missing)
    distance = _distances(distance_km)
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
    scoring = Scoring(tuple(thresholds_km), strict=strict)
    columns = [np.asarray(v, np.float64) for v in (lat, lon, pred_lat, pred_lon)]
    measure, limits = sphere.haversine_a, scoring.limits_a
    if scoring.thresholds_km[-1] > _A_LIMIT_KM:
        measure, limits = sphere.haversine_km, scoring.limits_km
    counts = np.zeros(len(limits), np.int64)
    for part in _chunks(len(columns[0])):
        value = measure(*(column[part] for column in columns))
        counts += [np.count_nonzero(value <= limit) for limit in limits]
    return dict(zip(scoring.thresholds_km, counts.tolist(), strict=True))


def geoscore_points(distance_km: ArrayLike) -> Floats:
    """Return GeoScore, ``5000 exp(-d / 1492.7)``, of each distance.

    Parameters
    ----------
    distance_km
        Any shape, km.

    References
    ----------
    OSV-5M, arXiv 2404.18873; PIGEON, arXiv 2307.05845.

    Examples
    --------
    >>> geoscore_points([0.0, 1492.7]).round(1)
    array([5000. , 1839.4])
    """
    distance = np.asarray(distance_km, np.float64)
    return np.asarray(GEOSCORE_MAX * np.exp(-distance / GEOSCORE_SCALE_KM))


def _totals(
    scoring: Scoring, distances: Floats, points: Floats, ranks: NDArray[np.uint8]
) -> dict[str, Any]:
    rows, answered = len(ranks), len(distances)
    counts = np.cumsum(np.bincount(ranks, minlength=len(scoring.thresholds_km) + 1))
    correct = dict(zip(scoring.thresholds_km, counts[:-1].tolist(), strict=True))
    denominator = rows if scoring.missing == "wrong" else answered
    wanted = (*scoring.quantiles, 0.5)
    found = np.quantile(distances, wanted).tolist() if answered else [None] * len(wanted)
    return {
        "rows": rows,
        "answered": answered,
        "denominator": denominator,
        "correct": correct,
        "accuracy": {t: share(count, denominator) for t, count in correct.items()},
        "coverage": share(answered, rows),
        "mean_km": float(distances.mean()) if answered else None,
        "median_km": found[-1],
        "quantiles_km": dict(zip(scoring.quantiles, found, strict=False)),
        "geoscore": float(points.sum()) / denominator if denominator else None,
    }


def _measure(points: tuple[Floats, ...], scoring: Scoring) -> tuple[Floats, NDArray[np.uint8]]:
    """Return distances and ranks; on the sphere the haversine serves both."""
    if scoring.distance == "wgs84":
        distance = sphere.wgs84_km(*points)
        return distance, _rank(distance, scoring.limits_km)
    a = sphere.haversine_a(*points)
    distance = 2.0 * sphere.EARTH_RADIUS_KM * np.arcsin(np.sqrt(a))
    far = a > _ASIN_LIMIT_A
    if far.any():
        distance[far] = sphere.haversine_km(*(p[far] for p in points))
    if scoring.thresholds_km[-1] > _A_LIMIT_KM:
        return distance, _rank(distance, scoring.limits_km)
    return distance, _rank(a, scoring.limits_a)


def _rank(value: Floats, limits: Floats) -> NDArray[np.uint8]:
    rank = np.zeros(len(value), np.uint8)
    for limit in limits:
        rank += ~(value <= limit)  # NaN fails every limit
    return rank


def _chunks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, CHUNK_ROWS):
        yield slice(start, start + CHUNK_ROWS)


def _joined(parts: list[Any], dtype: Any) -> Any:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _column(batch: pa.Table | pa.RecordBatch, name: str) -> Any:
    names = batch.schema.names
    if name not in names:
        msg = f"the joined table has no column {name!r}; its columns are {', '.join(names)}"
        raise ValueError(msg)
    return batch.column(name)


def _distances(values: Any) -> Floats:
    """Return float64 distances, NaN where there is none."""
    if hasattr(values, "__arrow_c_stream__") or isinstance(values, pa.Array | pa.ChunkedArray):
        column = values if isinstance(values, pa.Array) else pa.chunked_array(values)
        filled = pc.fill_null(pc.cast(column, pa.float64()), float("nan"))
        return np.asarray(filled, np.float64)
    return np.asarray(values, np.float64)
