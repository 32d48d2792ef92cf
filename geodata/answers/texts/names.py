"""Read the country, the region and the city that a text names in lines, keys or brackets."""

from __future__ import annotations

import re

_COUNTRY = r"country(?: name)?|nation|pays|país|land"
_ADMIN1 = (
    r"(?:state|province|region|prefecture|territory)"
    r"(?:[ ]?/[ ]?(?:state|province|region|administrative region|territory)){0,2}"
    r"|administrative[ _]region|admin(?:istrative)?[ _]?(?:area|level)?[ _]?1"
)
_CITY = (
    r"(?:nearest |closest )?(?:city|town|municipality|locality|village)"
    r"(?:(?:[ ]?/[ ]?| or )(?:city|town|place|village|area|locality)){0,2}|place(?: name)?"
)
_MAX_KEYS = 200
"""So many of the last separators are looked at."""

_KEY_CHARS = 80
"""No key of those below is as long, with all that may stand before it."""

_SEPARATOR = re.compile(r"[:=|>]")
# A key starts a line, or follows an opening bracket, a quote, a comma or a cell border.
_KEY = re.compile(
    rf"(?:^|[\n\]{{,|;<(>\"'])[ \t]{{0,8}}(?:[-+•#]{{1,4}}[ \t]{{0,4}}|[0-9][.)][ \t])?[\"']?"
    rf"(?:(?P<country>{_COUNTRY})|(?P<admin1>{_ADMIN1})|(?P<city>{_CITY}))[\"']?[ \t]{{0,2}}$",
    re.I,
)
_NEXT_KEY = re.compile(
    rf"[,;|][ ]{{0,4}}[\"']?(?:{_COUNTRY}|{_ADMIN1}|{_CITY}"
    r"|lat(?:itude)?|lon(?:g(?:itude)?)?|lng|coordinates?)[\"']?[ ]{0,2}[:=|]|[|]|</|;",
    re.I,
)
_EXPLAINED = re.compile(r"[ ]\([^()]{0,150}\)?[ .]{0,2}$")
_INITIALS = re.compile(r"\b\w\.[ ]?\w\.$")
_NOTHING = re.compile(
    r"(?:un(?:known|specified|determined|certain|clear|available|identified)|not\b|none\b|null\b"
    r"|n/?a\b|no\b|cannot|can't|unable|undefined|undetermined|indeterminate|nil\b|tbd\b"
    r"|\?|\.\.\.|-+$|<|\{|\[?(?:country|state|city|region|name|place)[ ]?(?:name)?\]?$)",
    re.I,
)


def read_names(text: str) -> tuple[str | None, str | None, str | None]:
    """Return country, admin1 and city of a prepared text; the last one named wins.

    Placeholders such as "Unknown" or "Not specified" are no names, and an explanation in
    parentheses after a name is no part of it.
    """
    found: dict[str, str] = {}
    for match in list(_SEPARATOR.finditer(text))[-_MAX_KEYS:]:
        key = _KEY.search(text, max(0, match.start() - _KEY_CHARS), match.start())
        after = text[match.end() : match.end() + 200].partition("\n")[0]
        if key and (name := _value(after)):
            found[_level(key)] = name
    return found.get("country"), found.get("admin1"), found.get("city")


def _level(match: re.Match[str]) -> str:
    return "country" if match["country"] else "admin1" if match["admin1"] else "city"


def _value(raw: str) -> str:
    """Return the name at the start of what follows a key, an empty text if there is none."""
    raw = raw.strip()
    quote = raw[:1]
    if quote in ('"', "'") and quote in raw[1:]:
        name = raw[1:].partition(quote)[0]
    elif quote == "[" and "]" in raw:
        name = raw[1:].partition("]")[0].strip("\"' ")
    else:
        following = _NEXT_KEY.search(raw)
        name = raw[: following.start()] if following else raw
        name = name.strip(" \t\"',;}]_\\")
    name = " ".join(_EXPLAINED.sub("", name).split()).strip(" ,;")
    if not _INITIALS.search(name):
        name = name.strip(" ,;.")
    return "" if len(name) > 120 or _NOTHING.match(name) else name
