"""Many models on one truth: each with its score, every two of them with a test."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata import SOFTWARE
from geodata.evaluation.findings import Finding
from geodata.evaluation.scores.counting import share
from geodata.evaluation.scores.intervals import Interval, holm, sign_flip
from geodata.evaluation.scores.published import Published
from geodata.evaluation.scores.result import Evaluation, interval_dict, plain, published_dict

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Tested:
    """Two models at one threshold, on the rows that all models answered."""

    threshold_km: float
    a: str
    b: str
    only_a: int
    only_b: int
    difference: float
    """Share of A minus share of B."""
    p_value: float
    """Exact McNemar test; with clusters `sign_flip`."""
    p_holm: float
    """Corrected for all pairs at this threshold."""


@dataclass(frozen=True)
class Models:
    """Many models on one truth.

    Attributes
    ----------
    results : dict of name to Evaluation
    common : int
        Truth rows that all models answered.
    common_accuracy : dict of name to dict of threshold to share
        On those rows.
    tests : tuple of Tested
        Every two models at every threshold, on those rows; empty where there are none.
    published : tuple of Published
        Rows of the benchmark.
    findings : tuple of Finding
        About the set of models; what each file says of itself is in its result.
    """

    results: dict[str, Evaluation]
    common: int
    common_accuracy: dict[str, dict[float, float | None]]
    tests: tuple[Tested, ...]
    published: tuple[Published, ...]
    findings: tuple[Finding, ...]

    @property
    def accuracy(self) -> dict[str, dict[float, float | None]]:
        """Share of the denominator within each threshold, by model, as `evaluate` gives it."""
        return {name: result.accuracy for name, result in self.results.items()}

    @property
    def intervals(self) -> dict[str, dict[float, Interval | None]]:
        """Interval of each accuracy, by model."""
        return {name: result.intervals for name, result in self.results.items()}

    @property
    def first(self) -> Evaluation:
        """One of the results, for what all share: thresholds, rows, options."""
        return next(iter(self.results.values()))

    @property
    def same_rows(self) -> bool:
        """Whether all models answered the same truth rows."""
        return all(one.scores.answered == self.common for one in self.results.values())

    def best(self, accuracy: Mapping[str, Mapping[float, float | None]], t: float) -> set[str]:
        """Return the models with the highest accuracy at a threshold."""
        known = {n: one for n, shares in accuracy.items() if (one := shares[t]) is not None}
        top = max(known.values(), default=None)
        return {name for name, value in known.items() if value == top}

    def level_with_best(self, t: float) -> set[str]:
        """Return the models that no test tells from the best on the common rows."""
        best = self.best(self.common_accuracy, t)
        equal = {
            name
            for one in self.tests
            if one.threshold_km == t and one.p_holm >= SIGNIFICANT and {one.a, one.b} & best
            for name in (one.a, one.b)
        }
        return equal - best

    def as_dict(self) -> dict[str, Any]:
        """Return the table as plain JSON types."""
        return {
            "schema": "geodata.table/1",
            "made_by": {"software": SOFTWARE},
            "rows": self.first.rows,
            "common_rows": self.common,
            "models": {
                name: {
                    "thresholds": [
                        {
                            "km": t,
                            "accuracy": result.accuracy[t],
                            "interval": interval_dict(result.intervals[t]),
                            "common_accuracy": self.common_accuracy[name][t],
                        }
                        for t in result.accuracy
                    ],
                    "result": result.as_dict(),
                }
                for name, result in self.results.items()
            },
            "tests": [asdict(one) for one in self.tests],
            "published": [published_dict(row) for row in self.published],
            "findings": [found.as_dict() for found in self.findings],
        }

    def to_json(self) -> str:
        """Return `as_dict` as JSON text."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, default=plain) + "\n"


def tests_of(results: Mapping[str, Evaluation], rows: NDArray[np.bool_]) -> list[Tested]:
    """Test every two models at every threshold on some truth rows, with Holm's correction."""
    found: list[Tested] = []
    one = next(iter(results.values()))
    if not rows.any() or len(results) < 2:
        return found
    pairs = list(itertools.combinations(results, 2))
    cluster = one.options.cluster
    codes = one.scores.codes[cluster].codes[rows] if cluster else None
    for i, t in enumerate(one.scores.scoring.thresholds_km):
        right = {name: r.scores.ranks[rows] <= i for name, r in results.items()}
        counts = [
            (int((right[a] & ~right[b]).sum()), int((right[b] & ~right[a]).sum())) for a, b in pairs
        ]
        if codes is None:
            chances = _mcnemar(np.array(counts))
        else:
            ahead = [right[a].astype(np.int8) - right[b] for a, b in pairs]
            chances = [sign_flip(np.bincount(codes, surplus)) for surplus in ahead]
        total = int(rows.sum())
        found += [
            Tested(t, a, b, *count, (count[0] - count[1]) / total, p, corrected)
            for (a, b), count, p, corrected in zip(
                pairs, counts, chances, holm(chances), strict=True
            )
        ]
    return found


def accuracy_on(result: Evaluation, rows: NDArray[np.bool_]) -> dict[float, float | None]:
    """Return the accuracy on some truth rows."""
    ranks = result.scores.ranks[rows]
    return {
        t: share(int((ranks <= i).sum()), len(ranks))
        for i, t in enumerate(result.scores.scoring.thresholds_km)
    }


def _mcnemar(counts: NDArray[np.int64]) -> list[float]:
    """Return `mcnemar` of many pairs at once, shape (pairs, 2)."""
    from scipy.stats import binom

    low, total = counts.min(axis=1), counts.sum(axis=1)
    return [float(p) for p in np.minimum(1.0, 2 * binom.cdf(low, total, 0.5))]
