"""Score any prediction file: threshold accuracy with intervals, coverage, findings, reports.

result = evaluation.evaluate("preds.csv", "truth.csv")
result.accuracy[25], result.coverage, result.rows, result.median_km
"""

from __future__ import annotations

from geodata.evaluation.result import Comparison, Evaluation, Options
from geodata.evaluation.run import compare, evaluate

__all__ = ["Comparison", "Evaluation", "Options", "compare", "evaluate"]
