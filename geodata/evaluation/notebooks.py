"""Results that a notebook shows as tables.

What writes them is imported when it is asked for: a score alone needs neither maps nor pages.
"""

from __future__ import annotations

from geodata.evaluation import report
from geodata.evaluation.scores import Comparison, Evaluation


class ShownEvaluation(Evaluation):
    """The score of one prediction file, and the forms it has."""

    def to_html(self) -> str:
        """Return the report as one self-contained HTML page."""
        return report.to_html(self)

    def _repr_html_(self) -> str:
        return report.notebook_html(self)


class ShownComparison(Comparison):
    """Two prediction files on the same truth rows, and the forms they have."""

    def to_html(self) -> str:
        """Return everything as one self-contained HTML page."""
        return report.comparison_html(self)

    def _repr_html_(self) -> str:
        return report.notebook_html(self)
