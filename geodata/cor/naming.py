"""What the regions of a boundary set are called, under a view of the world and in a language."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import buffers
from geodata.boundaries import BoundarySet
from geodata.cor import languages

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Region:
    """What one (country row, unit row) is called."""

    country: str | None
    country_code: str | None
    admin1: str | None
    admin1_code: str | None
    admin2: str | None


FIELDS = tuple(field.name for field in fields(Region))


@dataclass(frozen=True)
class View:
    """How regions are named.

    Attributes
    ----------
    worldview, dependencies
        As in `geodata.cor.label`.
    lang : str, optional
        A language of `geodata.cor.languages`; None for the names of the set.
    """

    worldview: str
    dependencies: str
    lang: str | None = None


@dataclass(frozen=True, eq=False)
class Naming:
    """Names of (country row, unit row) pairs; each pair is named once and has a number.

    Attributes
    ----------
    boundaries : BoundarySet
    view : View
    """

    boundaries: BoundarySet
    view: View

    def region(self, country: int, unit: int) -> Region:
        """Return what one pair is called."""
        found = self._known.get((country, unit))
        if found is None:
            self._add([(country, unit)])
            found = self._known[country, unit]
        return found

    def numbers(self, country: Ints, unit: Ints) -> Ints:
        """Return the number of each pair, (n,), -1 without a country.

        A unit nearly always lies in one country, so the pair is found by its last member; what
        is found there and is another pair is looked up by itself.
        """
        slot = np.where(unit >= 0, unit + len(self._rows), country)
        number, pairs = self._slots.take(slot), self._pairs
        known = (number >= 0) & (pairs[0].take(number) == country)
        others = np.flatnonzero(~known & (country >= 0))
        if len(others):
            width = len(self.boundaries.units) + 1
            key = country[others].astype(np.int64) * width + unit[others] + 1
            distinct, which = np.unique(key, return_inverse=True)
            found = [(int(k // width), int(k % width) - 1) for k in distinct]
            self._add([pair for pair in found if pair not in self._known])
            number[others] = np.array([self._number[pair] for pair in found], np.int32)[which]
        number[country < 0] = -1
        return number

    def texts(self, field: str) -> tuple[list[str], Ints]:
        """Return the distinct texts of a field, and the one of each numbered pair; -1 for none."""
        with self._lock:
            words = self._words[field]
            return list(words), np.array(self._codes[field], np.int32)

    def names(self, field: str) -> pa.Array:
        """Return the text of a field for each numbered pair, NULL for none."""
        words, code = self.texts(field)
        return buffers.texts(words).take(buffers.column(code, absent=code < 0))

    def _add(self, pairs: list[tuple[int, int]]) -> None:
        first: dict[int, int] = {}
        with self._lock:
            for pair in pairs:
                if pair in self._known:
                    continue
                region = self._describe(*pair)
                number = self._number[pair] = len(self._number)
                for field in FIELDS:
                    text, words = getattr(region, field), self._words[field]
                    code = -1 if text is None else words.setdefault(text, len(words))
                    self._codes[field].append(code)
                slot = pair[1] + len(self._rows) if pair[1] >= 0 else pair[0]
                first.setdefault(slot, number)
                self._known[pair] = region
            self.__dict__["_pairs"] = np.array([*self._number] or [(-1, -1)], np.int32).T.copy()
            for slot, number in first.items():  # last: whoever reads a number finds its pair
                if self._slots[slot] < 0:
                    self._slots[slot] = number

    def _describe(self, country: int, unit: int) -> Region:
        code = self.shown_codes[country]
        own = code == self.codes[country]
        info = self._rows[country] if own else self._by_code[code]  # an island has its own region
        admin1, admin1_code, admin2 = self._unit_names(unit)
        if not own:
            admin1_code = None  # the code belongs to the other worldview's country
        sovereign = info["sovereign_code"]
        if self.view.dependencies == "sovereign" and sovereign in self._by_code:
            return Region(
                self._name(self._by_code[sovereign]), sovereign,
                self._translated(code, info["sovereign_admin1_name"]),
                info["sovereign_admin1_code"], admin1,
            )  # fmt: skip
        return Region(self._name(info), code, admin1, admin1_code, admin2)

    def _name(self, row: Mapping[str, Any]) -> str:
        """Return a country's name in the language, from the set or from CLDR, else its own."""
        own = dict(row.get("names") or ()).get(self.view.lang)
        return str(own or self._translated(row["code"], row["name"]))

    def _translated(self, code: str, name: str) -> str:
        if self.view.lang is None:
            return name
        return languages.country_names(self.view.lang).get(code, name)

    def _unit_names(self, unit: int) -> tuple[str | None, str | None, str | None]:
        if unit < 0:
            return None, None, None
        row = self._units[unit]
        admin1, admin2 = row["admin1_name"], row["admin2_name"]
        own = dict(row.get("names") or ()).get(self.view.lang)
        if own and admin2 is None:
            admin1 = own
        elif own:
            admin2 = own
        return admin1, row["admin1_code"], admin2

    @cached_property
    def _lock(self) -> Any:
        return threading.RLock()

    @cached_property
    def _known(self) -> dict[tuple[int, int], Region]:
        return {}

    @cached_property
    def _number(self) -> dict[tuple[int, int], int]:
        return {}

    @cached_property
    def _words(self) -> dict[str, dict[str, int]]:
        return {field: {} for field in FIELDS}

    @cached_property
    def _codes(self) -> dict[str, list[int]]:
        return {field: [] for field in FIELDS}

    @cached_property
    def _slots(self) -> Ints:
        """Number of the first pair with a unit, or with a country and no unit; -1 for none."""
        return np.full(len(self._rows) + len(self.boundaries.units), -1, np.int32)

    @cached_property
    def _pairs(self) -> Ints:
        """Country and unit of each number, (2, n)."""
        return np.full((2, 1), -1, np.int32)

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.boundaries.countries.to_pylist()
        return rows

    @cached_property
    def _units(self) -> list[dict[str, Any]]:
        wanted = ("admin1_name", "admin1_code", "admin2_name", "names")
        have = [name for name in wanted if name in self.boundaries.units.column_names]
        rows: list[dict[str, Any]] = self.boundaries.units.select(have).to_pylist()
        return rows

    @cached_property
    def codes(self) -> list[str]:
        """ISO code of each country row."""
        return [row["code"] for row in self._rows]

    @cached_property
    def claims(self) -> list[tuple[tuple[str, str], ...]]:
        """(worldview, code) pairs of each country row."""
        return [
            tuple((claim["worldview"], claim["code"]) for claim in row["claims"] or ())
            for row in self._rows
        ]

    @cached_property
    def shown_codes(self) -> list[str]:
        """Code of each country row under the worldview."""
        return [
            dict(claims).get(self.view.worldview, code)
            for code, claims in zip(self.codes, self.claims, strict=True)
        ]

    @cached_property
    def disputed(self) -> list[bool]:
        """Whether each country row is disputed."""
        return [bool(row["disputed"]) for row in self._rows]

    def keeps_levels(self, code: str) -> bool:
        """Return whether a country is shown as one, not as a region of its sovereign."""
        own = self.view.dependencies == "own"
        return own or self._by_code[code]["sovereign_code"] not in self._by_code

    @cached_property
    def _by_code(self) -> dict[str, dict[str, Any]]:
        return {row["code"]: row for row in reversed(self._rows)}
