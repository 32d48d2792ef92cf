"""Country, region and city accuracy from labels of the truth and of the prediction.

Labels come from `geodata.evaluation.scores.regions.labels`; this module only compares them.
``sql/metrics/region_accuracy.sql`` is the same in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.evaluation.scores.counting import share

LEVELS = {"country": "country_code", "admin1": "admin1_code", "city": "city"}
"""Level and its label column; the prediction's column has ``pred_`` before it."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class RegionAccuracy:
    """How often one level is right; counts of several batches add up with ``+``."""

    level: str
    rows: int
    """Truth rows."""
    labelled: int
    """Truth rows with a label at this level: the denominator. Open sea has no country."""
    answered: int
    """Labelled rows whose prediction has a label too."""
    correct: int

    @property
    def accuracy(self) -> float | None:
        """Share of labelled rows that are right, in [0, 1]; None where no truth row has a label."""
        return share(self.correct, self.labelled)

    @property
    def coverage(self) -> float | None:
        """Share of labelled rows whose prediction has a label."""
        return share(self.answered, self.labelled)

    def __add__(self, other: RegionAccuracy) -> RegionAccuracy:
        if self.level != other.level:
            msg = f"cannot add {other.level} counts to {self.level} counts; add level by level"
            raise ValueError(msg)
        return RegionAccuracy(
            self.level,
            self.rows + other.rows,
            self.labelled + other.labelled,
            self.answered + other.answered,
            self.correct + other.correct,
        )


def region_accuracy(labels: pa.Table | pa.RecordBatch) -> dict[str, RegionAccuracy]:
    """Return country, admin1 and city accuracy, for the levels whose two columns are there.

    A region is right only in the right country, and a city only in the right country and
    region, so that Paris, Texas is not Paris, France. A prediction without a label is wrong.

    Parameters
    ----------
    labels
        Text columns country_code, admin1_code, city and pred_country_code, pred_admin1_code,
        pred_city; one row is one truth row.

    Raises
    ------
    ValueError
        If the two country columns are missing.

    Examples
    --------
    >>> found = region_accuracy(pa.table({
    ...     "country_code": ["FR", "US", None], "pred_country_code": ["FR", None, "FR"]}))
    >>> found["country"].accuracy, found["country"].coverage, found["country"].labelled
    (0.5, 0.5, 2)
    """
    found: dict[str, RegionAccuracy] = {}
    for level, right in region_matches(labels).items():
        truth, guess = (_present(labels, prefix + LEVELS[level]) for prefix in ("", "pred_"))
        found[level] = RegionAccuracy(
            level,
            labels.num_rows,
            int(truth.sum()),
            int((truth & guess).sum()),
            int(right.sum()),
        )
    return found


@dataclass
class RegionCounts:
    """Region accuracy of batches of rows as they go by."""

    found: dict[str, RegionAccuracy] = field(default_factory=dict)
    """By level; empty before the first rows."""
    keep: bool = False
    """Whether to keep which rows are right, a byte a row and level."""
    rows: dict[str, list[Bools]] = field(default_factory=dict)
    """By level, for each batch: whether each row is right."""
    labelled: list[Bools] = field(default_factory=list)
    """For each batch: whether the truth lies in a country."""

    def add(self, truth: pa.Table, guess: pa.Table, levels: Iterable[str] = tuple(LEVELS)) -> None:
        """Count the next rows, from labels of the truth and of the predictions."""
        columns = [LEVELS[level] for level in levels]
        pair = {name: truth[name] for name in columns}
        pair |= {f"pred_{name}": guess[name] for name in columns}
        table = pa.table(pair)
        self.count(region_accuracy(table))
        if self.keep:
            self.labelled.append(_present(table, LEVELS["country"]))
            for level, right in region_matches(table).items():
                self.rows.setdefault(level, []).append(right)

    def count(self, parts: Mapping[str, RegionAccuracy]) -> None:
        """Add the counts of the next rows."""
        for level, part in parts.items():
            self.found[level] = self.found[level] + part if level in self.found else part


def region_matches(labels: pa.Table | pa.RecordBatch) -> dict[str, Bools]:
    """Return for each level whether each row is right, shape (rows,); see `region_accuracy`.

    Examples
    --------
    >>> rows = pa.table({"country_code": ["FR", "US"], "pred_country_code": ["FR", "FR"],
    ...                  "city": ["Paris", "Paris"], "pred_city": ["Paris", "Paris"]})
    >>> region_matches(rows)["city"]
    array([ True, False])
    """
    names = labels.schema.names
    matches: dict[str, Bools] = {}
    inside = np.ones(labels.num_rows, bool)
    for level, column in LEVELS.items():
        if column not in names or f"pred_{column}" not in names:
            if level == "country":
                msg = (
                    f"region accuracy needs country_code and pred_country_code; the columns are "
                    f"{', '.join(names)}; label both coordinates with cor.label_table"
                )
                raise ValueError(msg)
            continue
        truth, guess = labels.column(column), labels.column(f"pred_{column}")
        same = _bools(pc.fill_null(pc.equal(truth, guess), False))
        matches[level] = inside & same
        neither = ~_present(labels, column) & ~_present(labels, f"pred_{column}")
        inside = inside & (same | (neither if level == "admin1" else False))
    return matches


def _present(labels: pa.Table | pa.RecordBatch, column: str) -> Bools:
    return _bools(pc.is_valid(labels.column(column)))


def _bools(column: Any) -> Bools:
    return np.asarray(column).astype(bool)
