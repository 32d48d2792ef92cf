"""Score predictions against truth rows: threshold accuracy, errors, GeoScore, break-downs.

The denominator is the number of truth rows: a row without a valid prediction is wrong. With
``missing="exclude"`` such rows leave the denominator, and the result says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from geodata.evaluation.scores.counting.groups import (
    Group,
    GroupCodes,
    GroupCodesBuilder,
    share,
    summarise,
)
from geodata.evaluation.scores.counting.outcomes import Outcome, column_of, score_rows
from geodata.evaluation.scores.counting.rule import Scoring

GEOSCORE_MAX = 5000.0
GEOSCORE_SCALE_KM = 1492.7

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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
    by: dict[str, tuple[Group, ...]]
    distances_km: Floats = field(repr=False, compare=False)
    """Errors of the answered rows in row order, shape (answered,), km."""
    ranks: NDArray[np.uint8] = field(repr=False, compare=False)
    """`Outcome.rank` of every truth row, shape (rows,): what intervals and comparisons need."""
    there: Bools = field(repr=False, compare=False)
    """Whether each truth row has a valid prediction, shape (rows,)."""
    codes: dict[str, GroupCodes] = field(repr=False, compare=False)
    """Group of every truth row for each break-down column, e.g. to resample by cluster."""

    def within(self) -> Bools:
        """Return whether each truth row is within each threshold, shape (rows, thresholds)."""
        return self.ranks[:, None] <= np.arange(len(self.scoring.thresholds_km), dtype=np.uint8)


class Scorer:
    """Score a joined table batch by batch; memory is 10 bytes a row and 4 for each column in `by`.

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
        self._rows = 0
        self._outcomes: list[Outcome] = []
        self._groups = {name: GroupCodesBuilder() for name in by}

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
            builder.add(column_of(batch, name))
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
            there=answered,
            codes=codes,
        )


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
    # in sorted values the selection of each quantile is done: a third of the time
    found = np.quantile(np.sort(distances), wanted).tolist() if answered else [None] * len(wanted)
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


def _joined(parts: list[Any], dtype: Any) -> Any:
    return np.concatenate([np.empty(0, dtype), *parts])
