"""Results that a notebook shows as tables."""

from __future__ import annotations

from geodata.evaluation.report import comparison_html, notebook_html, to_html
from geodata.evaluation.scores import Comparison, Evaluation


class ShownEvaluation(Evaluation):
    """The score of one prediction file, and the forms it has."""

    def to_html(self) -> str:
        """Return the report as one self-contained HTML page."""
        return to_html(self)

    def _repr_html_(self) -> str:
        return notebook_html(self)


class ShownComparison(Comparison):
    """Two prediction files on the same truth rows, and the forms they have."""

    def to_html(self) -> str:
        """Return everything as one self-contained HTML page."""
        return comparison_html(self)

    def _repr_html_(self) -> str:
        return notebook_html(self)
