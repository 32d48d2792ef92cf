"""Rewards that ask the map: chains of regions, and names against codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geodata import answers, cor, gazetteer
from georl.rewards.inputs import Floats, rows, texts

Chain = dict[str, str | None]
"""The labels of one point: country_code, admin1, admin1_code, city."""


def at(lat: Floats, lon: Floats) -> list[Chain]:
    """Return the labels of points, degrees; both columns of shape (n,)."""
    if not len(lat):
        return []
    names = ("country_code", "admin1", "admin1_code", "city")
    table = cor.label_table(lat, lon)
    columns = [table.column(name).to_pylist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def held(answered: Sequence[Any]) -> list[bool | None]:
    r"""Return of each completion whether the country that it names holds its coordinate.

    None where it names no country or has no strict pair.

    Examples
    --------
    >>> at_paris = "Coordinates: (48.8584, 2.2945)"
    >>> held([f"Country: France\n{at_paris}", f"Country: Japan\n{at_paris}", at_paris])
    [True, False, None]
    """
    read = [answers.parse_strict(text) for text in texts(answered)]
    pairs = [None if a.lat is None or a.lon is None else (a.lat, a.lon) for a in read]
    kept = [pair if a.country else None for pair, a in zip(pairs, read, strict=True)]
    at_rows, lat, lon = rows(kept)
    resolved: dict[tuple[str, str | None], str | None] = {}
    found: list[bool | None] = [None] * len(read)
    for row, chain in zip(at_rows, at(lat, lon), strict=True):
        code = _code(str(read[row].country), None, resolved)
        found[row] = code is not None and code == chain["country_code"]
    return found


def chain_shares(found: Sequence[bool | None]) -> dict[str, float]:
    """Return what every run logs of `held`: the share with a chain, and with one that fits.

    Examples
    --------
    >>> chain_shares([True, False, None, None])
    {'chain/present': 0.5, 'chain/consistent': 0.25}
    """
    count = max(len(found), 1)
    present = sum(one is not None for one in found) / count
    return {"chain/present": present, "chain/consistent": sum(map(bool, found)) / count}


def agreement(said: Chain, true: Chain) -> float:
    """Return the share of the true levels that agree, counted from the country down."""
    levels = ("country_code", "admin1", "city")
    present = [level for level in levels if true[level] is not None]
    agreed = 0
    for level in present:
        if said[level] != true[level]:
            break
        agreed += 1
    return agreed / len(present) if present else 0.0


def consistent(
    answer: answers.Answer,
    chain: Chain,
    resolved: dict[tuple[str, str | None], str | None],
) -> float:
    """Return the share of the named levels that a chain agrees with, 0 without a country."""
    if answer.country is None:
        return 0.0
    country = _code(answer.country, None, resolved)
    agreed = [country is not None and country == chain["country_code"]]
    if answer.admin1 is not None:
        agreed.append(agreed[0] and _is_region(answer.admin1, country, chain, resolved))
    return sum(agreed) / len(agreed)


def _is_region(
    name: str,
    country: str | None,
    chain: Chain,
    resolved: dict[tuple[str, str | None], str | None],
) -> bool:
    if chain["admin1"] is not None and name.casefold() == chain["admin1"].casefold():
        return True
    code = chain["admin1_code"]
    return code is not None and _code(name, country, resolved) == code


def _code(
    name: str, country: str | None, resolved: dict[tuple[str, str | None], str | None]
) -> str | None:
    """Return the code of a region in a country, or of a country; each name is asked once."""
    key = (name, country)
    if key not in resolved:
        if country is None:
            found = gazetteer.resolve(name, level="country")
        else:
            found = gazetteer.resolve(name, level="admin1", country=country)
        resolved[key] = None if found is None else found.code
    return resolved[key]
