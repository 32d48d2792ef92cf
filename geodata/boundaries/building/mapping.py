"""A column mapping of the user's as the provider of a file."""

from __future__ import annotations

from collections.abc import Mapping

from geodata.boundaries.building.providers import OWN_FILE, Layout, Provider
from geodata.boundaries.facts import is_country
from geodata.boundaries.schema import LEVELS
from geodata.files import FileError

_KEYS = ("country", "name", "level", "code", "id", "parent", "disputed", "name:LANGUAGE")


def own_provider(columns: Mapping[str, str] | None, licence: str | None) -> Provider:
    """Return the provider of a file with columns of the user's own.

    Parameters
    ----------
    columns
        See `geodata.boundaries.build`.
    licence
        What the set's provenance says; 'not stated' if None.

    Raises
    ------
    FileError
        For a key that is not known, or without a country or a name.

    Examples
    --------
    >>> made = own_provider({"country": "iso", "admin1": "NAME_1"}, "CC0")
    >>> made.layouts[0].level, made.layouts[0].names
    ('admin1', ('NAME_1',))
    """
    given = dict(columns or {})
    level, name = _level_and_name(given)
    _refuse_unknown(given)
    if not given.get("country") or not (name or level == "country"):
        msg = (
            "say what the columns of the file mean: -c country=ISO -c admin1=NAME "
            "(columns={'country': 'ISO', 'admin1': 'NAME'}); "
            f"known are {', '.join((*_KEYS, *LEVELS[1:]))}"
        )
        raise FileError(msg)
    layout = _layout(given, level, name)
    return Provider(OWN_FILE, licence or "not stated", "", (layout,), shareable=licence is not None)


def _level_and_name(given: dict[str, str]) -> tuple[str, str]:
    """Take level and name out of a mapping; the deepest key that is a level stands for both."""
    deepest = [level for level in LEVELS[1:] if level in given]
    if not deepest:
        return given.pop("level", "admin1"), given.pop("name", "")
    level = deepest[-1]
    name = given.pop(level)
    for code in (f"{level}_code",):
        if code in given:
            given.setdefault("code", given.pop(code))
    for above in deepest[:-1]:
        given.setdefault("parent", given.pop(above))
    return given.pop("level", level), given.pop("name", name)


def _refuse_unknown(given: Mapping[str, str]) -> None:
    for key in given:
        if key not in _KEYS and not key.startswith("name:"):
            known = ", ".join((*_KEYS, *LEVELS[1:]))
            msg = f"unknown key {key!r}; known are {known} (-c/--column, columns=)"
            raise FileError(msg)


def _layout(given: Mapping[str, str], level: str, name: str) -> Layout:
    languages = tuple((key[5:], column) for key, column in given.items() if key[:5] == "name:")
    fixed = level in LEVELS
    country = given["country"]
    literal = len(country) == 2 and country.isupper() and is_country(country)
    optional = (given.get(key, "") for key in ("code", "id", "parent", "disputed"))
    code, key, parent, disputed = optional
    needed = [name, code, key, parent, disputed, *(column for _, column in languages)]
    needed += [] if literal else [country]
    needed += [] if fixed else [level]
    return Layout(
        requires=tuple(column for column in needed if column),
        country=(country,),
        names=(name,) if name else (),
        level=level if fixed else "",
        level_column="" if fixed else level,
        level_values=() if fixed else tuple((one, one) for one in LEVELS),
        key=key,
        parents=(parent,) if parent else (),
        code=code,
        disputed=disputed,
        languages=languages,
        country_code=country if literal else "",
    )
