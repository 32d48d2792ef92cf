"""Rewards that ask the map: chains of regions, and names against codes."""

from __future__ import annotations

from geodata import answers, cor, gazetteer
from georl.rewards.inputs import Floats

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
