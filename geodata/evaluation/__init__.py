"""Score any prediction file: threshold accuracy with intervals, coverage, findings, reports.

result = evaluation.evaluate("preds.csv", "truth.csv")
result.accuracy[25], result.coverage, result.rows, result.median_km
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
