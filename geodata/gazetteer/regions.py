"""Countries and first-level divisions by their names and codes.

Names come from the bundled boundary set (so that a name means what labels call it), from the
tables ``cldr_names`` and ``country_aliases``, and for divisions from the aliases of the set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from geodata import boundaries
from geodata.boundaries import KINDS, facts_table
from geodata.gazetteer.text import key, readings, without_foreign_form, words
from geodata.places import Places

# Codes that are also words or mean "not available": in lower case they are no codes.
_WORD_CODES = """
ad ai am as at be by do ga id in io is it la ma me mo mr ms my na no om pa pm re so st to and are
bra can cod col cub gab gin guy jam lie mar pan per ton vat
"""
_WORDS = frozenset(_WORD_CODES.split())

_SHORTEST = 2
"""Names of so few letters beyond ASCII are read as they are written, case and accents too."""

_FORM_DECIDES = frozenset(["CN", "TW", "KR", "KP", "CG", "CD", "DM", "DO"])
"""Countries that share a name with another: which republic is meant, its form says."""

_KINDS = (KINDS | {"greater"}) - {"london"}

NAME, ALIAS, BARE, PART = range(4)
"""How a name was found, the surest first: as it is, by another name, without the word for the
kind of division, or as a second-level division inside."""


@dataclass(frozen=True)
class Region:
    """A country or a first-level division.

    Attributes
    ----------
    code : str or None
        ISO 3166-1 alpha-2 (XK for Kosovo) or ISO 3166-2; None for a division without a code.
    name : str
        As labels have it.
    level : str
        'country' or 'admin1'.
    country_code : str
        Its country; a country's own code.
    ambiguous : bool
        Whether the name asked for means other regions too.
    """

    code: str | None
    name: str
    level: str
    country_code: str
    ambiguous: bool = False


@dataclass(frozen=True)
class Countries:
    """The countries of the bundled set by key and by code."""

    by_code: dict[str, Region]
    by_key: dict[str, Region]

    def find(self, name: str) -> Region | None:
        """Return the country of a name or code, None if it is none."""
        text = name.strip()
        if text in self.by_code:
            return self.by_code[text]
        for number, reading in enumerate(readings(text)):
            found = self.by_key.get(reading)
            # Without its form a name that two share says nothing: which Congo, which Korea?
            if found is not None and not (number and found.ambiguous):
                return found
        found = self.by_key.get(without_foreign_form(text))
        if found is not None and not found.ambiguous and found.code not in _FORM_DECIDES:
            return found
        return None if text in _WORDS else self.by_code.get(text.upper() if text.islower() else "")


@dataclass(frozen=True)
class Divisions:
    """The first-level divisions of the bundled set.

    Attributes
    ----------
    regions : list of Region
    rows : list of int
        Index in ``regions`` of each row of the set's ``units``.
    """

    regions: list[Region]
    rows: list[int]
    by_code: dict[str, int]
    by_key: dict[str, list[tuple[int, int]]]

    @cached_property
    def by_ending(self) -> dict[str, list[int]]:
        """Indices by the end of the code, where it is letters: RJ of BR-RJ."""
        found: dict[str, list[int]] = defaultdict(list)
        for code, index in self.by_code.items():
            ending = code.partition("-")[2]
            if ending.isalpha():
                found[ending].append(index)
        return found

    def find(
        self, name: str, country: str | None, *, parts: bool = True
    ) -> tuple[int, bool] | None:
        """Return (index, ambiguous) of a name or code, None if there is none.

        With ``parts`` a second-level division stands for the first-level one it is in.
        """
        text = name.strip()
        index = self._coded(text, country)
        if index is not None:
            return index, False
        for reading in (key(text), _bare(text)):
            hits = [
                (rank, index)
                for rank, index in self.by_key.get(reading, ())
                if self._is_in(index, country) and (parts or rank < PART)
            ]
            if reading and hits:
                hits = self._of_kind(text, hits)
                best = min(hits)[0]
                kept = {index for rank, index in hits if rank == best}
                return max(kept, key=self._people), len(kept) > 1
        return None

    def _of_kind(self, text: str, hits: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Keep the regions that are called by the same word: Kyiv Oblast is not Kyiv."""
        kinds = _KINDS.intersection(words(text))
        same = [hit for hit in hits if kinds.intersection(words(self.regions[hit[1]].name))]
        return same or hits

    def _coded(self, text: str, country: str | None) -> int | None:
        code = text.upper() if text.isupper() or text.islower() else text
        index = self.by_code.get(code)
        if index is not None:
            return index if self._is_in(index, country) else None
        if country is None:
            return None
        # Lower-case words are no postal codes: "in", "or" and "me" are states.
        return self.by_code.get(f"{country}-{text.replace('.', '')}")

    def _is_in(self, index: int, country: str | None) -> bool:
        return country is None or self.regions[index].country_code == country

    def _people(self, index: int) -> tuple[int, int]:
        """Rank regions of one name: most people in the country, then the first."""
        return _people().get(self.regions[index].country_code, 0), -index


@lru_cache(maxsize=1)
def _people() -> dict[str, int]:
    """Return the people in the bundled places of each country."""
    places = Places.load()
    return dict(zip(places.countries, places.people(), strict=True))


@lru_cache(maxsize=1 << 16)
def country_named(name: str) -> Region | None:
    """Return the country of a name or code, None if it is none."""
    return countries().find(name)


@lru_cache(maxsize=1 << 16)
def division_named(name: str, country: str | None) -> Region | None:
    """Return the division of a name or code in a country by code, or in any; None if it is none."""
    found = divisions().find(name, country)
    if found is None:
        return None
    region = divisions().regions[found[0]]
    return replace(region, ambiguous=True) if found[1] else region


@lru_cache(maxsize=1)
def countries() -> Countries:
    """Return the countries by all their names; read once a process."""
    rows = boundaries.load().countries.select(["code", "alpha3", "name"]).to_pylist()
    by_code: dict[str, Region] = {}
    by_key: dict[str, Region] = {}
    for row in rows:
        region = Region(row["code"], row["name"], "country", row["code"])
        for code in (row["code"], row["alpha3"]):
            if code:
                by_code[code] = region
    for row in facts_table("cldr_names"):
        by_key[key(row["name"])] = by_code[row["code"]]
    for row in facts_table("country_aliases"):
        alias, found = row["alias"], replace(by_code[row["code"]], ambiguous=bool(row["also"]))
        if alias.isascii() or len(key(alias)) > _SHORTEST:
            by_key[key(alias)] = found
        else:  # "Áo" is Austria in Vietnamese, "ao" is nothing
            by_code.setdefault(alias, found)
    for region in by_code.values():
        by_key.setdefault(key(region.name), region)
    for row in facts_table("more_country_names"):
        by_key.setdefault(key(row["name"]), by_code[row["code"]])
    return Countries(by_code, by_key)


@lru_cache(maxsize=1)
def divisions() -> Divisions:
    """Return the divisions by all their names; read once a process."""
    rows = boundaries.load().units.to_pylist()
    number: dict[tuple[str, str], int] = {}
    regions: list[Region] = []
    by_code: dict[str, int] = {}
    by_key: dict[str, list[tuple[int, int]]] = defaultdict(list)
    row_of: list[int] = []
    for row in rows:
        identity = row["country"], row["admin1_name"]
        if identity not in number:
            number[identity] = len(regions)
            regions.append(Region(row["admin1_code"], row["admin1_name"], "admin1", row["country"]))
        index = number[identity]
        row_of.append(index)
        for code in (row["admin1_code"], row["admin2_code"]):
            if code:
                by_code.setdefault(code, index)
        for rank, folded in set(_keys(row)):
            by_key[folded].append((rank, index))
    return Divisions(regions, row_of, by_code, dict(by_key))


def _keys(row: dict[str, Any]) -> Iterator[tuple[int, str]]:
    own = row["admin1_aliases"] or []
    yield NAME, key(row["admin1_name"])
    yield from ((ALIAS, key(name)) for name in own)
    yield from ((BARE, _bare(name)) for name in (row["admin1_name"], *own))
    if row["admin2_name"] is not None:
        parts = [row["admin2_name"], *(row["aliases"] or [])]
        yield from ((PART, reduce(name)) for name in parts for reduce in (key, _bare))


def _bare(name: str) -> str:
    """Return the key of a name without words for the kind of division, "" if nothing is left."""
    return "".join(word for word in words(name) if word not in _KINDS)
