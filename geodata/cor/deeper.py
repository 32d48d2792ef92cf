"""Admin2 and localities of a set that has them: the region that contains a point names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import buffers
from geodata.boundaries import BoundarySet
from geodata.cor.naming import Naming


@dataclass(frozen=True, eq=False)
class Deeper:
    """Names of the levels below admin1, where the set has regions of them."""

    boundaries: BoundarySet
    naming: Naming

    def name(self, level: str, rows: Mapping[str, int], country: int) -> str | None:
        """Return the name of the region of a level that contains one point, None without."""
        row = rows.get(level, -1)
        return self._names(level)[row] if row >= 0 and self._keeps_levels[country] else None

    def put(
        self,
        columns: dict[str, Any],
        rows: Mapping[str, NDArray[np.int32]],
        country: NDArray[np.int32],
    ) -> None:
        """Replace ``admin2`` and ``city`` by the regions that contain the points, in place."""
        for level, column in (("admin2", "admin2"), ("locality", "city")):
            if level not in rows:
                continue
            own = self._keeps_levels[country] & (country >= 0)
            row = np.where(own, rows[level], -1)
            text = buffers.texts(self._names(level)).take(buffers.column(row, absent=row < 0))
            plain = columns[column].cast(pa.string())
            columns[column] = pc.coalesce(text, plain).dictionary_encode()
            if column == "city":
                inside = pc.is_valid(text)
                columns["city_distance_km"] = pc.if_else(inside, 0.0, columns["city_distance_km"])

    def _names(self, level: str) -> list[str | None]:
        if level not in self._known:
            table = self.boundaries.table(level, ["name", "names"])
            lang, names = self.naming.view.lang, table["name"].to_pylist()
            if lang is not None:
                own = [
                    dict(by_language or ()).get(lang) for by_language in table["names"].to_pylist()
                ]
                names = [mine or name for mine, name in zip(own, names, strict=True)]
            self._known[level] = names
        return self._known[level]

    @cached_property
    def _known(self) -> dict[str, list[str | None]]:
        return {}

    @cached_property
    def _keeps_levels(self) -> NDArray[np.bool_]:
        """Whether each country row keeps its levels; a territory shown as a region does not."""
        return np.array([self.naming.keeps_levels(code) for code in self.naming.shown_codes])
