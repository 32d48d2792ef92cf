"""What a run asks and teaches, of what `geodata.answers` can write: as its configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geodata import answers
from georl.config import DataConfig


def question(data: DataConfig) -> str:
    r"""Return the text that is asked about each photo.

    Examples
    --------
    >>> question(DataConfig(prompt="location")).splitlines()[-1]
    'Coordinates: (latitude, longitude)'
    >>> question(DataConfig(question="Where was this photo taken?"))
    'Where was this photo taken?'
    """
    return data.question or answers.question(data.prompt, data.levels)


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
    country, admin1, city = (row.get(key) if key in named else None for key in answers.LEVELS)
    return answers.render(
        country,
        admin1,
        city,
        row["lat"],
        row["lon"],
        decimals=data.decimals,
        round_degrees=data.round_degrees,
    )
