"""The rewards of GLOBE (arXiv 2506.14674): grounded in what is visible, right as a place, in form.

Each has TRL's signature. `visual_grounding` and `think_format` need no model, `place_accuracy` the
gazetteer; the fourth, `georl.rewards.localizability`, asks a judge. How they are weighed is the
configuration's, with `georl.config.REWARD_PRESETS` for the paper and the release.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from geodata import cor, gazetteer
from georl.rewards import entities as things, inputs, spoken

CITY_SHARE = 0.8
"""GLOBE's a: what the city adds to the country; its code implies it, the paper leaves it open."""


def visual_grounding(
    completions: Sequence[Any], entities: Sequence[Any], **columns: Any
) -> list[float | None]:
    """Return the share of a photo's entities that the reasoning names, GLOBE's R_vis.

    Parameters
    ----------
    completions
        Length n, as TRL gives them: text or chat turns. What stands before ``</think>`` is the
        reasoning; a text without it has none.
    entities
        Length n: what is visible in each photo, a list of texts or of mappings with ``text``.
    **columns
        Other columns that TRL passes; not used.

    Returns
    -------
    list of float or None, length n
        In [0, 1]; None for a row without entities, which cannot be judged.

    Raises
    ------
    ValueError
        If lengths differ or a row's entities are no texts.

    Notes
    -----
    An entity counts as words of its own, with a plural in -s, in sentences; see
    `georl.rewards.entities`. The released code takes any part of a word, also in a bare list.

    Examples
    --------
    >>> text = "<think>The tram climbs a steep street.</think><answer>city: Lisbon</answer>"
    >>> visual_grounding([text], entities=[["tram", "street", "car"]])
    [0.6666666666666666]
    """
    _same_length(len(completions), entities=entities)
    rewards: list[float | None] = []
    for text, row in zip(inputs.texts(completions), entities, strict=True):
        wanted = things.listed(row)
        rewards.append(things.share(spoken.reasoning(text), wanted) if wanted else None)
    return rewards


def place_accuracy(
    completions: Sequence[Any],
    country: Sequence[str | None] | None = None,
    city: Sequence[str | None] | None = None,
    *,
    lat: Sequence[float] | None = None,
    lon: Sequence[float] | None = None,
    alpha: float = CITY_SHARE,
    rule: Literal["gazetteer", "release"] = "gazetteer",
    **columns: Any,
) -> list[float | None]:
    r"""Return GLOBE's R_geo: ``1[country] (a 1[city] + 1 - a)``.

    Parameters
    ----------
    completions
        Length n, as TRL gives them. Read is the answer block after the thinking, in its one
        ``country:`` and its one ``city:``; several of a kind are none.
    country, city
        The true names or codes, length n. A city that is missing is not asked for.
    lat, lon
        True coordinates, degrees: their labels are the truth where no ``country`` is given.
    alpha
        What the city adds to the country, in [0, 1].
    rule
        'gazetteer' compares places: "USA" is the United States and Niger is not Nigeria;
        'release' compares texts as the released code does, see `geodata.gazetteer`.
    **columns
        Other columns that TRL passes; not used.

    Returns
    -------
    list of float or None, length n
        In [0, 1]; None where the true coordinates lie in no country.

    Raises
    ------
    ValueError
        If lengths differ, a true country is missing or unknown, or an option is out of range.

    Examples
    --------
    >>> said = ["<answer>country: USA\ncity: NYC</answer>", "country: US\ncity: Boston"]
    >>> [round(r, 6) for r in place_accuracy(said, country=["US"] * 2, city=["New York"] * 2)]
    [1.0, 0.2]
    """
    if not 0.0 <= alpha <= 1.0:
        msg = f"alpha is {alpha}; the share of the city lies in [0, 1], 0.8 in GLOBE"
        raise ValueError(msg)
    if rule not in ("gazetteer", "release"):
        msg = f"rule is {rule!r}; expected 'gazetteer' or 'release'"
        raise ValueError(msg)
    countries, cities = _truth(len(completions), country, city, lat, lon)
    said = [spoken.names(text) for text in inputs.texts(completions)]
    compare = _by_place if rule == "gazetteer" else _by_string
    right_country, right_city = compare(said, countries, cities)
    unasked = np.array([not gazetteer.is_name(name) for name in cities], bool)
    both = alpha * (right_city | unasked) + 1.0 - alpha
    rewards = np.where(right_country, both, 0.0).tolist()
    return [None if at is None else r for r, at in zip(rewards, countries, strict=True)]


def think_format(completions: Sequence[Any], **columns: Any) -> list[float]:
    """Return 1 for one thinking block, then one answer block, and nothing else; else 0.

    Examples
    --------
    >>> think_format(["<think>Signs.</think><answer>Oslo</answer>", "Oslo"])
    [1.0, 0.0]
    """
    return [float(spoken.is_well_formed(text)) for text in inputs.texts(completions)]


Flags = np.ndarray[Any, np.dtype[np.bool_]]


def _by_place(
    said: list[spoken.Named], country: list[str | None], city: list[str | None]
) -> tuple[Flags, Flags]:
    """Compare codes of countries, and cities as labels call them, inside the true country."""
    answered = gazetteer.codes(
        country=[name.country for name in said], city=[_city(name.city) for name in said]
    )
    true = gazetteer.codes(country=country, city=city)
    codes, cities = (answered[name].to_pylist() for name in ("country_code", "city"))
    true_codes = true["country_code"].to_pylist()
    for name, code in zip(country, true_codes, strict=True):
        if name is not None and code is None:
            msg = f"the true country {name!r} is not known; give its English name or ISO code"
            raise ValueError(msg)
    right = [a is not None and a == b for a, b in zip(codes, true_codes, strict=True)]
    right_city = [
        (a is not None and a == b) or _same_key(name.city, real)
        for a, b, name, real in zip(cities, true["city"].to_pylist(), said, city, strict=True)
    ]
    return np.array(right, bool), np.array(right_city, bool)


def _by_string(
    said: list[spoken.Named], country: list[str | None], city: list[str | None]
) -> tuple[Flags, Flags]:
    same = gazetteer.same_by_string
    pairs = [
        (same(name.country, true), same(name.city, real))
        for name, true, real in zip(said, country, city, strict=True)
    ]
    found = np.array(pairs, bool).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _city(name: str | None) -> str | None:
    """Return the name of a city without its state: "Austin, TX" is Austin."""
    if name is None:
        return None
    head, _, rest = name.partition(",")
    inside = gazetteer.resolve(rest, level="admin1", country="US")
    return head if inside is not None else name


def _same_key(said: str | None, true: str | None) -> bool:
    """Compare cities by their folded names: the gazetteer may not know them."""
    return gazetteer.is_name(said) and gazetteer.is_name(true) and (
        gazetteer.key(said) == gazetteer.key(true) != ""
    )  # fmt: skip


def _truth(
    n: int,
    country: Sequence[str | None] | None,
    city: Sequence[str | None] | None,
    lat: Sequence[float] | None,
    lon: Sequence[float] | None,
) -> tuple[list[str | None], list[str | None]]:
    """Return the true countries and cities, as they were given or as labels of coordinates."""
    if country is None:
        if lat is None or lon is None:
            msg = "place_accuracy needs the truth: columns country and city, or lat and lon"
            raise ValueError(msg)
        labels = cor.label_table(*inputs.truth(n, lat, lon))
        return labels["country_code"].to_pylist(), labels["city"].to_pylist()
    cities: list[str | None] = [None] * n if city is None else list(city)
    _same_length(n, country=country, city=cities)
    for row, name in enumerate(country):
        if not gazetteer.is_name(name):
            msg = (
                f"the true country in row {row} is {name!r}, which is no name; drop rows without "
                "a country before training"
            )
            raise ValueError(msg)
    return list(country), cities


def _same_length(n: int, **columns: Sequence[Any]) -> None:
    for name, column in columns.items():
        if len(column) != n:
            msg = f"{n} completions and {len(column)} {name}; give one for each completion"
            raise ValueError(msg)
