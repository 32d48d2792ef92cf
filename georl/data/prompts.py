"""What the model is asked, and the supervised answer: location only, CoT, Chain of Region.

The Chain-of-Region prompt follows Geo-R (arXiv 2601.00388) in substance: four levels, from the
image alone, from the country down to the coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geodata import answers
from geodata.answers import question
from georl.config import DataConfig

__all__ = ["Message", "answer", "question"]

Message = dict[str, str]


def answer(row: Mapping[str, Any], data: DataConfig) -> str:
    """Return the supervised answer of a photo: its chain, or its coordinates alone.

    Parameters
    ----------
    row
        lat, lon (degrees) and the names of the levels; a level without a name is left out.
    data
        ``prompt`` 'cor' writes the chain with ``levels``, any other the coordinates alone, as
        ``decimals`` and ``round_degrees`` say.

    Examples
    --------
    >>> row = {"lat": 48.8584, "lon": 2.2945, "country": "France", "city": "Paris"}
    >>> print(answer(row, DataConfig(levels=("country",), decimals=1, round_degrees=1.0)))
    Country: France
    Coordinates: (49.0, 2.0)
    """
    named = data.levels if data.prompt == "cor" else ()
    names = [row.get(level) if level in named else None for level in ("country", "admin1", "city")]
    lat, lon = (_rounded(row[axis], data.round_degrees) for axis in ("lat", "lon"))
    chain = answers.render(names[0], names[1], names[2], lat, lon)
    if data.decimals == 6:
        return chain
    head, newline, _ = chain.rpartition("\n")
    places = max(data.decimals, 1)  # the answer contract asks for a decimal point
    return f"{head}{newline}Coordinates: ({lat:.{places}f}, {lon:.{places}f})"


def _rounded(degrees: float, step: float) -> float:
    return round(degrees / step) * step + 0.0 if step else degrees
