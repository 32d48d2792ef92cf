"""Read what a file holds beyond one answer a photo: several answers, and how sure each is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geodata.evaluation.joining import (
    Joined,
    Opened,
    Several,
    confidence_column,
    read_numbers,
    words_of,
)
from geodata.evaluation.scores import Row, first, spread_km

WORDS_CHARS = 200
"""So much of the words is shown beside a row."""

Floats = NDArray[np.float64]


def several_of(opened: Opened, joined: Joined) -> Several | None:
    """Return the answers of each truth row; None where there is one a photo."""
    if opened.several is None:
        return None
    at = np.arange(joined.rows) if joined.matched is None else joined.matched
    return opened.several.take(at)


def with_words(
    opened: Opened, joined: Joined, rows: tuple[Row, ...], at: NDArray[np.int64]
) -> tuple[Row, ...]:
    """Return rows with the model's words beside each, in one line and cut short.

    Parameters
    ----------
    opened, joined, rows
    at
        Numbers of the truth rows that they are, shape (n,).
    """
    theirs = at if joined.matched is None else joined.matched[at]
    said = words_of(opened.predictions, theirs.astype(np.int64))
    return tuple(
        row if words is None else replace(row, words=_short(words))
        for row, words in zip(rows, said, strict=True)
    )


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= WORDS_CHARS else f"{line[: WORDS_CHARS - 1]}…"


def truth_places(joined: Joined) -> tuple[Floats, Floats]:
    """Return latitude and longitude of each truth row, degrees, shape (rows,)."""
    return joined.lat, joined.lon


def read_confidence(
    opened: Opened, joined: Joined, several: Several | None, column: str | None
) -> tuple[str, Floats] | None:
    """Return what the confidence of each truth row's answer is, and its values; None for none.

    A column of the file goes first, but where it is that of several rows a photo; then the
    confidence of the first of several answers; then how near several answers are to each other.
    """
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
        values = np.append(several.confidence, np.nan)
        return "confidence of the first answer", values[first(several)]
    return "agreement of the answers", -spread_km(several)
