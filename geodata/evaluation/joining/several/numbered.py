"""Find the columns of several answers by their number: lat_1, lon_1, lat_2, lon_2, ..."""

from __future__ import annotations

import re
from collections.abc import Sequence

from geodata.evaluation.joining.several.confidences import CONFIDENCE_NAMES
from geodata.files import axis_of, squeeze

_NUMBER = re.compile(r"[0-9]+")


def numbered_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the latitude and longitude column of each answer, in order of their numbers.

    Columns of the truth are not answers. The first rest of the name that has whole pairs counts.

    Examples
    --------
    >>> numbered_pairs(["id", "lat_2", "lon_2", "lat_1", "lon_1"])
    [('lat_1', 'lon_1'), ('lat_2', 'lon_2')]
    >>> numbered_pairs(["id", "lat", "lon"])
    []
    """
    found: dict[str, dict[int, dict[str, str]]] = {}
    for name in names:
        number = _number(name)
        axis = axis_of(_NUMBER.sub("", name)) if number is not None else None
        if number is not None and axis is not None and axis[1] != "truth":
            found.setdefault(axis[2], {}).setdefault(number, {})[axis[0]] = name
    for group in found.values():
        pairs = [(one["lat"], one["lon"]) for _, one in sorted(group.items()) if len(one) == 2]
        if len(pairs) > 1:
            return pairs
    return []


def numbered_confidences(names: Sequence[str], count: int) -> list[str]:
    """Return the confidence column of each answer; none unless each has one.

    Examples
    --------
    >>> numbered_confidences(["prob_1", "prob_2"], 2), numbered_confidences(["prob_1"], 2)
    (['prob_1', 'prob_2'], [])
    """
    found: dict[int, str] = {}
    for name in names:
        number = _number(name)
        if number is not None and squeeze(_NUMBER.sub("", name)) in CONFIDENCE_NAMES:
            found.setdefault(number, name)
    return [name for _, name in sorted(found.items())] if len(found) == count else []


def _number(name: str) -> int | None:
    numbers = _NUMBER.findall(name)
    return int(numbers[0]) if len(numbers) == 1 and len(numbers[0]) < 6 else None
