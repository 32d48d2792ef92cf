"""What a model is asked about a photo: Chain of Region, step by step, or the location alone.

The Chain-of-Region question follows Geo-R (arXiv 2601.00388) in substance: exactly four levels,
from what the image shows, from the country down to the coordinates. The other two are the
baselines of its ablation. The wording is ours; the paper does not give its own.
"""

from __future__ import annotations

from collections.abc import Sequence

VARIANTS = ("cor", "cot", "location")
"""Chain of Region, reasoning in free words before the coordinates, coordinates alone."""

LEVELS = {
    "country": ("Country", "Country"),
    "admin1": ("State / Administrative Region", "State"),
    "city": ("City or Place", "City"),
}
"""Level -> its title in the question and its key in the answer."""

_REASON = "Use only what is visible in the image."

_COORDINATES = "Coordinates (latitude, longitude in decimal degrees)"


def question(variant: str = "cor", levels: Sequence[str] = tuple(LEVELS)) -> str:
    """Return what the user asks, for 'cor', 'cot' or 'location'.

    Parameters
    ----------
    variant
        One of `VARIANTS`.
    levels
        For 'cor', the levels above the coordinates, of `LEVELS`.

    Raises
    ------
    ValueError
        For any other variant or an unknown level.

    Examples
    --------
    >>> print(question("cor", ["country"]))
    You are a geographic reasoning agent. Analyse the image and predict where it was taken, at
    exactly 2 levels:
    1. Country
    2. Coordinates (latitude, longitude in decimal degrees)
    Use only what is visible in the image. Answer in this form:
    Country: ...
    Coordinates: (latitude, longitude)
    """
    if variant == "location":
        return (
            f"Where was this photo taken? {_REASON} Answer with the coordinates only, in this "
            "form:\nCoordinates: (latitude, longitude)"
        )
    if variant == "cot":
        return (
            "Where was this photo taken? Think step by step about the clues in it: buildings, "
            f"signs, plants, terrain, light. {_REASON} End with one line in this form:\n"
            "Coordinates: (latitude, longitude)"
        )
    if variant != "cor":
        msg = f"unknown prompt {variant!r}; expected {', '.join(VARIANTS)}"
        raise ValueError(msg)
    return _chain_question(levels)


def _chain_question(levels: Sequence[str]) -> str:
    unknown = [level for level in levels if level not in LEVELS]
    if unknown:
        msg = f"unknown level {unknown[0]!r}; expected {', '.join(LEVELS)}"
        raise ValueError(msg)
    titles = [*(LEVELS[level][0] for level in levels), _COORDINATES]
    numbered = "\n".join(f"{i}. {title}" for i, title in enumerate(titles, 1))
    form = "\n".join(f"{LEVELS[level][1]}: ..." for level in levels)
    return (
        "You are a geographic reasoning agent. Analyse the image and predict where it was "
        f"taken, at\nexactly {len(titles)} levels:\n{numbered}\n{_REASON} Answer in this form:\n"
        f"{form}\nCoordinates: (latitude, longitude)"
    )
