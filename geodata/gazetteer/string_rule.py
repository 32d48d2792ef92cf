"""The string rule of GLOBE's released code, to compare with: it is not how names are read here."""

from __future__ import annotations

from typing import Any

LEAST_RATIO = 0.7
"""Length of the shorter name over that of the longer, from which a part of it matches."""


def same_by_string(answer: Any, truth: Any) -> bool:
    """Return whether two names are the same by the rule of GLOBE's release.

    Lower-cased, one holds the other and is at least 0.7 times as long. So "Niger" is "Nigeria",
    and "USA" is not "United States".

    Parameters
    ----------
    answer, truth : str
        Anything else, and empty text, matches nothing.

    Examples
    --------
    >>> same_by_string("Niger", "Nigeria"), same_by_string("USA", "United States")
    (True, False)
    """
    if not isinstance(answer, str) or not isinstance(truth, str):
        return False
    shorter, longer = sorted((answer.strip().lower(), truth.strip().lower()), key=len)
    return bool(shorter) and shorter in longer and len(shorter) >= LEAST_RATIO * len(longer)
