"""Scores as sums that add: each batch gives some counts, and counts of batches add up.

Sums of distances and points are whole numbers of 1e-9 km and 1e-9 points, so they do not depend
on the order of addition. Quantiles come from a histogram of distances whose bins are a thousandth
wide.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import coords, files
from geodata.evaluation.scores import (
    RegionAccuracy,
    RegionCounts,
    Scoring,
    geoscore_points,
    label_sources,
    labels_of,
    score_rows,
)
from geodata.scale.agreeing import BatchFunction

UNIT = 1e-9
"""Kilometres or points: a millionth of a metre."""

COLUMNS = ("lat", "lon", "pred_lat", "pred_lon")

_SMALLEST_KM = 1e-6
_BINS_A_FACTOR_E = 1000
_EXACT_ROWS = 1 << 18  # so many times 2e13 units fit into 63 bits


@dataclass(frozen=True)
class ScoreSums:
    """What some truth rows count; add those of all batches.

    Attributes
    ----------
    scoring : Scoring
        What decided it.
    rows, answered : int
        Truth rows; those with a valid prediction.
    within : tuple of int
        Rows within each threshold, in their order.
    km, points : int
        Sums over answered rows, in units of 1e-9.
    bins : dict of int to int
        Rows by bin of distance.
    regions : dict of str to RegionAccuracy
        By level; empty where regions were not compared.

    Examples
    --------
    >>> rows = pa.table({"lat": [0.0, 0.0], "lon": [0.0, 0.0],
    ...                  "pred_lat": [0.1, None], "pred_lon": [0.0, None]})
    >>> sums = ScoreSums.read(Score()(rows))
    >>> both = sums + sums
    >>> both.rows, both.answered, both.accuracy[25.0], round(both.mean_km, 3)
    (4, 2, 0.5, 11.119)
    """

    scoring: Scoring = field(default_factory=Scoring)
    rows: int = 0
    answered: int = 0
    within: tuple[int, ...] = ()
    km: int = 0
    points: int = 0
    bins: dict[int, int] = field(default_factory=dict)
    regions: dict[str, RegionAccuracy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.within:
            object.__setattr__(self, "within", (0,) * len(self.scoring.thresholds_km))

    def __add__(self, other: ScoreSums) -> ScoreSums:
        if self.scoring != other.scoring:
            msg = f"sums of {self.scoring} and of {other.scoring} cannot be added; score alike"
            raise ValueError(msg)
        levels = RegionCounts(dict(self.regions))
        levels.count(other.regions)
        bins = {
            key: self.bins.get(key, 0) + other.bins.get(key, 0)
            for key in self.bins.keys() | other.bins.keys()
        }
        return ScoreSums(
            self.scoring,
            self.rows + other.rows,
            self.answered + other.answered,
            tuple(a + b for a, b in zip(self.within, other.within, strict=True)),
            self.km + other.km,
            self.points + other.points,
            bins,
            levels.found,
        )

    @property
    def denominator(self) -> int:
        """Rows that shares are taken of, see `Scoring.missing`."""
        return self.rows if self.scoring.missing == "wrong" else self.answered

    @property
    def accuracy(self) -> dict[float, float | None]:
        """Share of rows within each threshold; None where there are no rows."""
        shares = [n / self.denominator if self.denominator else None for n in self.within]
        return dict(zip(self.scoring.thresholds_km, shares, strict=True))

    @property
    def coverage(self) -> float | None:
        """Answered / rows."""
        return self.answered / self.rows if self.rows else None

    @property
    def mean_km(self) -> float | None:
        """Over answered rows."""
        return self.km * UNIT / self.answered if self.answered else None

    @property
    def geoscore(self) -> float | None:
        """Mean over the denominator."""
        return self.points * UNIT / self.denominator if self.denominator else None

    def quantile_km(self, share: float) -> float | None:
        """Return a quantile of the error over answered rows, right to a thousandth of itself.

        Raises
        ------
        ValueError
            For a share outside [0, 1].
        """
        if not 0.0 <= share <= 1.0:
            msg = f"quantile {share!r} is outside [0, 1]; give shares, not percentages"
            raise ValueError(msg)
        if not self.answered:
            return None
        keys = np.array(sorted(self.bins))
        counts = np.cumsum([self.bins[key] for key in keys.tolist()])
        at = int(np.searchsorted(counts, share * (self.answered - 1), side="right"))
        key = int(keys[at])
        return 0.0 if key < 0 else float(_SMALLEST_KM * np.exp((key + 0.5) / _BINS_A_FACTOR_E))

    def row(self) -> pa.Table:
        """Return the sums as a table of one row, which travels between machines."""
        plain = {
            "rows": self.rows, "answered": self.answered, "within": list(self.within),
            "km": self.km, "points": self.points, "bins": sorted(self.bins.items()),
            "regions": [
                [r.level, r.rows, r.labelled, r.answered, r.correct] for r in self.regions.values()
            ],
            "scoring": asdict(self.scoring),
        }  # fmt: skip
        return pa.table({"rows": [self.rows], "sums": [json.dumps(plain)]})

    @classmethod
    def read(cls, table: pa.Table) -> ScoreSums:
        """Return the sum of all rows of a table that `row` made; of none, zero."""
        return reduce(cls.__add__, map(cls._of, table["sums"].to_pylist())) if len(table) else cls()

    @classmethod
    def _of(cls, text: str) -> ScoreSums:
        plain = json.loads(text)
        return cls(
            Scoring(**plain["scoring"]),
            plain["rows"], plain["answered"], tuple(plain["within"]), plain["km"], plain["points"],
            dict(plain["bins"]),
            {found[0]: RegionAccuracy(*found) for found in plain["regions"]},
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """Return the scores as plain JSON types."""
        return {
            "schema": "geodata.score_sums/1",
            "rows": self.rows,
            "answered": self.answered,
            "coverage": self.coverage,
            "correct": dict(zip(map(str, self.scoring.thresholds_km), self.within, strict=True)),
            "accuracy": {str(t): share for t, share in self.accuracy.items()},
            "mean_km": self.mean_km,
            "median_km": self.quantile_km(0.5),
            "geoscore": self.geoscore,
            "regions": {
                level: {"labelled": r.labelled, "correct": r.correct, "accuracy": r.accuracy}
                for level, r in self.regions.items()
            },
        }


@dataclass(frozen=True)
class Score(BatchFunction):
    """Score joined rows: one row with the sums of a batch.

    A batch holds lat, lon, pred_lat, pred_lon, degrees; one row is one truth row.

    Parameters
    ----------
    scoring : Scoring
    regions : bool
        Also compare country, admin1 and city of both coordinates.
    columns : tuple of str
        What the rows call lat, lon, pred_lat and pred_lon.

    Examples
    --------
    >>> rows = pa.table({"y": [0.0], "x": [0.0], "py": [0.1], "px": [0.0]})
    >>> ScoreSums.read(Score(columns=("y", "x", "py", "px"))(rows)).accuracy[25.0]
    1.0
    """

    scoring: Scoring = field(default_factory=Scoring)
    regions: bool = False
    columns: tuple[str, str, str, str] = COLUMNS

    def identity(self) -> dict[str, Any]:
        """Return version, rule, and where regions are compared the hashes of what labels."""
        sources = {
            f"{name}_sha256": source["sha256"]
            for name, source in (label_sources().items() if self.regions else ())
        }
        return (
            super().identity()
            | {"scoring": str(self.scoring), "columns": list(self.columns)}
            | sources
        )

    def _made(self, batch: pa.Table) -> pa.Table:
        numbers = [coords.parse_numbers(files.plain_column(batch[name])) for name in self.columns]
        batch = pa.table(numbers, names=list(COLUMNS))
        outcome = score_rows(batch, self.scoring)
        distance = outcome.distance_km[outcome.answered]
        levels = len(self.scoring.thresholds_km)
        counts = np.cumsum(np.bincount(outcome.rank, minlength=levels + 1))[:levels]
        regions = RegionCounts()
        if self.regions:
            regions.add(labels_of(batch), labels_of(batch, "pred_"))
        found = ScoreSums(
            self.scoring, batch.num_rows, len(distance), tuple(counts.tolist()),
            exact_sum(distance), exact_sum(geoscore_points(distance)), _bins(distance),
            regions.found,
        )  # fmt: skip
        return found.row()


def exact_sum(values: NDArray[np.float64]) -> int:
    """Return the sum in units of 1e-9, the same in any order and of any parts.

    Examples
    --------
    >>> exact_sum(np.array([0.1, 0.2])) == exact_sum(np.array([0.2])) + exact_sum(np.array([0.1]))
    True
    """
    whole = np.rint(values / UNIT).astype(np.int64)
    return sum(
        int(whole[start : start + _EXACT_ROWS].sum()) for start in range(0, len(whole), _EXACT_ROWS)
    )


def _bins(distance: NDArray[np.float64]) -> dict[int, int]:
    """Count distances by bin; -1 holds what is below a millimetre."""
    scaled = np.log(np.maximum(distance, _SMALLEST_KM) / _SMALLEST_KM) * _BINS_A_FACTOR_E
    keys = np.where(distance < _SMALLEST_KM, -1, np.floor(scaled).astype(np.int64))
    found, counts = np.unique(keys, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def total(tables: Iterable[pa.Table]) -> ScoreSums:
    """Return the sum of what `Score` gave for all batches."""
    return ScoreSums.read(pa.concat_tables(tables))
