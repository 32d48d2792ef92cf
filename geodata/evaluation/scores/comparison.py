"""What a comparison of two files says."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from geodata.evaluation.findings import Finding
from geodata.evaluation.scores.intervals import Paired
from geodata.evaluation.scores.result import Evaluation, interval_dict, plain


@dataclass(frozen=True)
class Comparison:
    """Two prediction files on the same truth rows.

    Attributes
    ----------
    a, b : Evaluation
        Each file on its own.
    paired : tuple of Paired
        For each threshold the difference on the truth rows that both answered, with its interval
        and test.
    findings : tuple of Finding
        About the pair, e.g. that the files are nearly the same.
    on_all : tuple of Paired
        The same on all truth rows, a missing answer wrong; empty where both answered the same
        rows, or missing answers are excluded.
    only_a_answered, only_b_answered : int
        Truth rows that one file answered and the other did not.
    """

    a: Evaluation
    b: Evaluation
    paired: tuple[Paired, ...]
    findings: tuple[Finding, ...]
    on_all: tuple[Paired, ...]
    only_a_answered: int
    only_b_answered: int

    @property
    def rows(self) -> int:
        """Truth rows that both answered: what `paired` compares."""
        return self.paired[0].rows

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON types."""
        return {
            "schema": "geodata.comparison/1",
            "rows": self.rows,
            "only_a_answered": self.only_a_answered,
            "only_b_answered": self.only_b_answered,
            "a": self.a.as_dict(),
            "b": self.b.as_dict(),
            "paired": [_pair(pair) for pair in self.paired],
            "on_all": [_pair(pair) for pair in self.on_all],
            "findings": [found.as_dict() for found in self.findings],
        }

    def to_json(self) -> str:
        """Return `as_dict` as JSON text."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, default=plain) + "\n"


def _pair(pair: Paired) -> dict[str, Any]:
    shares = {"accuracy_a": pair.accuracy_a, "accuracy_b": pair.accuracy_b}
    return {**asdict(pair), **shares, "difference": interval_dict(pair.difference)}
