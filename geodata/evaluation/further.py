"""Read what a file holds beyond one answer a photo: several answers, and how sure each is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.evaluation.joining import Joined, Opened, Several, confidence_column, read_numbers
from geodata.evaluation.scores import first, spread_km

Floats = NDArray[np.float64]


def several_of(opened: Opened, joined: Joined) -> Several | None:
    """Return the answers of each truth row; None where there is one a photo."""
    if opened.several is None:
        return None
    at = np.arange(joined.rows) if joined.matched is None else joined.matched
    return opened.several.take(at)


def truth_places(joined: Joined) -> tuple[Floats, Floats]:
    """Return latitude and longitude of each truth row, degrees, shape (rows,)."""
    return joined.lat, joined.lon


def read_confidence(
    opened: Opened, joined: Joined, several: Several | None, column: str | None
) -> tuple[str, Floats] | None:
    """Return what the confidence of each truth row's answer is, and its values; None for none.

    A column of the file goes first, then the confidence of the first of several answers, then
    how near several answers are to each other.
    """
    if several is not None and several.confidence is not None and opened.layout == "rows":
        return _of_first(several)
    name = None
    if opened.layout != "rows":
        name = confidence_column(opened.predictions, column)
    if name is not None:
        values = np.append(read_numbers(opened.predictions, name), np.nan)  # -1 finds the NaN
        at = np.arange(joined.rows) if joined.matched is None else joined.matched
        return name, values[at]
    if several is None:
        return None
    if several.confidence is not None:
        return _of_first(several)
    return "agreement of the answers", -spread_km(several)


def _of_first(several: Several) -> tuple[str, Floats]:
    assert several.confidence is not None
    return "confidence of the first answer", np.append(several.confidence, np.nan)[first(several)]
