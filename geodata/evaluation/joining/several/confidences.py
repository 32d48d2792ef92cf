"""Read how sure a model says it is: a probability, a log-probability, any number that orders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.evaluation.joining.sides import Predictions, as_floats
from geodata.files import find_named, given

CONFIDENCE_NAMES = (
    *("confidence", "predconfidence", "confidencescore", "conf", "certainty", "probability"),
    *("prob", "predprob", "logprob", "logprobs", "avglogprob", "meanlogprob", "sumlogprob"),
    *("sequencelogprob", "loglikelihood", "logp"),
)
"""Usual names of a confidence, squeezed, in order of trust."""


def confidence_column(predictions: Predictions, name: str | None = None) -> str | None:
    """Return the column of the confidence; None where there is none.

    Raises
    ------
    geodata.files.FileError
        If the named column is not there.
    """
    source = predictions.source
    known = given(name, source.columns, "confidence", source.name)
    return known or find_named(source.columns, CONFIDENCE_NAMES, "confidence", source.name)


def read_numbers(predictions: Predictions, column: str) -> NDArray[np.float64]:
    """Return a column of numbers, NaN where a row has none, shape (predictions,).

    Examples
    --------
    >>> from geodata.evaluation.joining import read_predictions
    >>> table = {"id": ["a", "b"], "lat": [1, 2], "lon": [1, 2], "conf": ["0.5", "sure"]}
    >>> read_numbers(read_predictions(table), "conf")
    array([0.5, nan])
    """
    parts = [as_floats(b.table.column(column)) for b in predictions.source.batches([column])]
    return np.concatenate(parts) if parts else np.empty(0)
