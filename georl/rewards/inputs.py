"""What a reward reads: the texts of a batch, their coordinates, and the truth beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata import answers, coords

Pair = tuple[float, float] | None
"""A read coordinate, degrees, or None."""

Floats = NDArray[np.float64]

_LOC = re.compile(
    r"[\"']LOC[\"']\s{0,4}:\s{0,4}\[\s{0,4}([+-]?[0-9]{1,3}(?:\.[0-9]{1,40})?)\s{0,4},"
    r"\s{0,4}([+-]?[0-9]{1,3}(?:\.[0-9]{1,40})?)\s{0,4}\]"
)


def texts(completions: Sequence[Any]) -> list[str]:
    """Return the text of each completion, empty where there is none."""
    return [c if type(c) is str else _text(c) for c in completions]


def _text(completion: Any) -> str:
    """Return the text of a completion: itself, or the last assistant turn of a chat."""
    if isinstance(completion, str):
        return completion
    if isinstance(completion, dict):
        completion = [completion]
    if not isinstance(completion, list | tuple):
        return ""
    turns = [turn for turn in completion if isinstance(turn, dict)]
    said = [turn for turn in turns if turn.get("role", "assistant") == "assistant"]
    content = said[-1].get("content") if said else None
    if isinstance(content, list | tuple):
        parts = (part.get("text") if isinstance(part, dict) else part for part in content)
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def strict_pairs(completions: Sequence[Any]) -> list[Pair]:
    """Return the one valid pair of each completion, Geo-R Eq. 6."""
    return [answers.strict_pair(text) for text in texts(completions)]


def tolerant_pairs(completions: Sequence[Any]) -> list[Pair]:
    """Return what a tolerant reading takes from each completion without doubt."""
    read = map(answers.parse_tolerant, texts(completions))
    return [None if a.lat is None or a.lon is None or a.ambiguous else (a.lat, a.lon) for a in read]


def release_pair(text: str) -> Pair:
    """Return the pair under ``LOC`` or the strict one, None if there are both or several."""
    strict = answers.strict_pair(text)
    located = _LOC.findall(text) if len(text) <= answers.MAX_CHARS else []
    if not located:
        return strict
    if strict is not None or len(located) > 1:
        return None
    lat, lon = float(located[0][0]) + 0.0, float(located[0][1]) + 0.0
    return (lat, lon) if abs(lat) <= 90.0 and abs(lon) <= 180.0 else None


def rows(pairs: list[Pair]) -> tuple[list[int], Floats, Floats]:
    """Return the rows that hold a pair, and their latitudes and longitudes."""
    rows = [row for row, pair in enumerate(pairs) if pair is not None]
    places = np.array([pair for pair in pairs if pair is not None], np.float64).reshape(-1, 2)
    return rows, places[:, 0], places[:, 1]


def truth(n: int, lat: Sequence[float], lon: Sequence[float]) -> tuple[Floats, Floats]:
    """Return the true coordinates, checked; a row without one is an error."""
    if len(lat) != n or len(lon) != n:
        msg = (
            f"{n} completions, {len(lat)} lat and {len(lon)} lon; the columns must have one value "
            "for each completion"
        )
        raise ValueError(msg)
    checked = coords.arrays(_fast(lat), _fast(lon))
    if not checked.valid.all():
        row = int(np.argmin(checked.valid))
        msg = (
            f"the truth in row {row} is lat={lat[row]!r}, lon={lon[row]!r}, which is no place; "
            "drop rows without coordinates before training"
        )
        raise ValueError(msg)
    return checked.lat, checked.lon


def _fast(column: Any) -> Any:
    """Turn a plain list of floats into an array at once; other columns keep their types."""
    plain = isinstance(column, list) and set(map(type, column)) == {float}
    return np.array(column, np.float64) if plain else column
