"""Names of countries by language, from Unicode CLDR."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from geodata.boundaries import facts_table


@cache
def _table() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in facts_table("cldr_languages"):
        found.setdefault(row["language"], {})[row["code"]] = row["name"]
    return found


def languages_covered() -> list[str]:
    """Return the languages that countries have names in, as BCP 47 codes."""
    return list(_table())


def language(code: str | None) -> str | None:
    """Return a language as the table spells it, None for English, which the sets themselves hold.

    ``ja-JP`` is ``ja``, ``ZH-hant`` is ``zh-Hant``.

    Raises
    ------
    ValueError
        If countries have no names in it.

    Examples
    --------
    >>> language("ja-JP"), language("ZH-hant"), language("en")
    ('ja', 'zh-Hant', None)
    """
    if code is None:
        return None
    known = {name.lower(): name for name in languages_covered()}
    wanted = code.lower().replace("_", "-")
    while wanted not in known and "-" in wanted:
        wanted = wanted.rpartition("-")[0]
    if wanted not in known:
        msg = f"lang {code!r} is unknown; choose one of {', '.join(languages_covered())}"
        raise ValueError(msg)
    return None if known[wanted] == "en" else known[wanted]


def country_names(code: str) -> Mapping[str, str]:
    """Return the name of each country, by ISO code, in a language of `languages_covered`.

    Examples
    --------
    >>> country_names("ja")["FR"]
    'フランス'
    """
    return _table()[code]
