"""ISO 3166-2, and finding the subdivision that a name means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from geodata.boundaries.facts import KINDS, drawn_level, facts_table

# Letters that Unicode does not take apart into a base letter and an accent.
LETTERS = str.maketrans(
    {"ı": "i", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ß": "ss", "æ": "ae", "œ": "oe", "ə": "a"}
)


@dataclass(frozen=True)
class Subdivision:
    """An entry of ISO 3166-2."""

    code: str
    name: str
    parent: str | None


@cache
def subdivisions(country: str) -> Mapping[str, Subdivision]:
    """Return ISO 3166-2 of a country by code, with what the tables add.

    ``codes`` adds divisions that are younger than the list, ``parents`` what they merged into.

    Examples
    --------
    >>> subdivisions("FR")["FR-75C"]
    Subdivision(code='FR-75C', name='Paris', parent='FR-IDF')
    """
    import pycountry

    get: Any = pycountry.subdivisions.get
    listed = get(country_code=country) or []
    found = {s.code: Subdivision(s.code, s.name, s.parent_code) for s in listed}
    for row in facts_table("codes"):
        if row["code"].startswith(f"{country}-"):
            found[row["code"]] = Subdivision(row["code"], row["name"], row["parent"] or None)
    for row in facts_table("parents"):
        if row["code"] in found:
            found[row["code"]] = replace(found[row["code"]], parent=row["parent"])
    return MappingProxyType(found)


def plain(text: str) -> str:
    """Reduce a name to its letters: no accents, case, blanks or punctuation.

    Examples
    --------
    >>> plain("Đắk Lắk"), plain("Provence-Alpes-Côte d’Azur")
    ('daklak', 'provencealpescotedazur')
    """
    return "".join(_words(text))


def bare(text: str) -> str:
    """Reduce a name further: without words for the kind of division.

    Examples
    --------
    >>> bare("Stockholms län [SE-01]"), bare("Provincie Friesland")
    ('stockholms', 'friesland')
    """
    words = _words(re.sub(r"\[.*?\]", " ", text))
    return "".join(word for word in words if word not in KINDS)


def readings(name: str) -> list[str]:
    """Return the names that an ISO entry holds: brackets, slashes and inversions taken apart.

    Examples
    --------
    >>> readings("Catalunya [Cataluña]")
    ['Catalunya', 'Cataluña']
    >>> readings("Dagestan, Respublika")
    ['Dagestan']
    """
    name = re.sub(r"\s[A-Z]{2}-\w+", "", name)  # codes of the other language: "Cymru GB-CYM"
    inside = re.findall(r"[\[(](.*?)[\])]", name)
    outside = re.sub(r"\s*[\[(].*?[\])]", "", name)
    split = [part.strip() for text in (outside, *inside) for part in text.split("/")]
    return [part.split(",")[0].strip() for part in split if part]


def without_kinds(text: str) -> str:
    """Return a name as written, without words for the kind of division.

    Examples
    --------
    >>> without_kinds("Međimurska županija")
    'Međimurska'
    """
    return " ".join(word for word in text.split() if plain(word) not in KINDS)


class NameIndex:
    """Looks names up among the subdivisions of one country, strictest reading first."""

    def __init__(self, country: str, iso: Mapping[str, Subdivision]) -> None:
        self._prefer_child = drawn_level(country) == "child"
        self._steps = [
            (key, _group((key(reading), s) for s in iso.values() for reading in readings(s.name)))
            for key in (str, plain, bare)
        ]

    def find(self, names: Iterable[str]) -> tuple[str | None, int]:
        """Return the code and how far its name was sought; (None, 0) where none or two agree."""
        for rank, name in enumerate(names):
            for step, (key, table) in enumerate(self._steps):
                found = self._level(table.get(key(name), []))
                if len(found) == 1 and key(name):
                    return found[0].code, rank * len(self._steps) + step
                if found:
                    return None, 0
        return None, 0

    def _level(self, found: list[Subdivision]) -> list[Subdivision]:
        wanted = [s for s in found if (s.parent is not None) == self._prefer_child]
        return wanted or (found if self._prefer_child else [])


def _group(pairs: Iterable[tuple[str, Subdivision]]) -> dict[str, list[Subdivision]]:
    groups: dict[str, list[Subdivision]] = {}
    for key, value in pairs:
        known = groups.setdefault(key, [])
        if value not in known:
            known.append(value)
    return groups


def _words(text: str) -> list[str]:
    letters = unicodedata.normalize("NFKD", text.lower().translate(LETTERS))
    ascii_text = letters.encode("ascii", "ignore").decode("ascii").replace("'", "").replace("`", "")
    return re.findall(r"[a-z0-9]+", ascii_text)
