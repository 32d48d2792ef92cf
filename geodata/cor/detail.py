"""What stands behind a label: ids, claims, how each level was decided, how near its border is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import buffers, coords
from geodata.boundaries import BoundarySet
from geodata.coords import Coordinates
from geodata.cor.naming import Naming
from geodata.places import Places

if TYPE_CHECKING:
    from geodata.boundaries import Lines

LEVELS = ("country", "admin1", "admin2", "city")

DETAIL = (
    *("country_border_km", "admin1_border_km", "admin2_border_km"),
    *("country_id", "admin1_id", "admin2_id", "city_id"),
    *("country_method", "admin1_method", "admin2_method", "city_method"),
    "claims",
)
"""Columns that `geodata.cor.label_table` adds on request."""

_CLAIM = pa.struct([("worldview", pa.string()), ("code", pa.string())])

Ints = NDArray[np.int32]


def detail_columns(wanted: bool | Sequence[str]) -> tuple[str, ...]:
    """Return the wanted columns of `DETAIL`: all for True, none for False.

    Raises
    ------
    ValueError
        For a name that is not there.
    """
    if isinstance(wanted, bool):
        return DETAIL if wanted else ()
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    unknown = [name for name in names if name not in DETAIL]
    if unknown:
        msg = f"detail {unknown[0]!r} is unknown; choose from {', '.join(DETAIL)}"
        raise ValueError(msg)
    return names


@dataclass(frozen=True)
class Detail:
    """What stands behind one label; each is a mapping of level to value, without absent levels.

    Attributes
    ----------
    border_km : mapping of str to float
        Distance to the nearest border of the level.
    ids : mapping of str to str
        Identity of the region in the boundary set, and of the city in GeoNames.
    method : mapping of str to str
        ``inside`` a polygon, the ``nearest`` one, or the ``place`` that the city rule names.
    """

    border_km: Mapping[str, float]
    ids: Mapping[str, str]
    method: Mapping[str, str]

    def with_city(self, places: Places, city: int) -> Detail:
        """Return the detail with the city's, -1 for none."""
        if city < 0:
            return self
        ids = {**self.ids, "city": str(int(places.geonameid[city]))}
        return replace(self, ids=ids, method={**self.method, "city": "place"})


@dataclass(frozen=True, eq=False)
class Details:
    """The details of a boundary set under one view.

    Attributes
    ----------
    boundaries : BoundarySet
    places : Places
    naming : Naming
    """

    boundaries: BoundarySet
    places: Places
    naming: Naming

    def one(self, lat: float, lon: float, country: int, unit: int) -> Detail:
        """Return the detail of one point, but for its city."""
        points = coords.arrays(np.array([lat]), np.array([lon]))
        rows = np.array([country], np.int32), np.array([unit], np.int32)
        columns = self.columns(points, *rows, np.full(1, -1, np.int32), DETAIL)
        found: list[dict[str, Any]] = []
        for what in ("border_km", "id", "method"):
            cells = {level: columns.get(f"{level}_{what}") for level in LEVELS}
            values = {k: v[0].as_py() for k, v in cells.items() if v is not None}
            found.append({k: v for k, v in values.items() if v is not None})
        return Detail(*found)

    def columns(
        self, points: Coordinates, country: Ints, unit: Ints, city: Ints, wanted: Sequence[str]
    ) -> dict[str, pa.Array]:
        """Return the wanted columns of `DETAIL`, in that order."""
        made: dict[str, pa.Array] = {}
        for name in wanted:
            level, _, what = name.partition("_")
            if name == "claims":
                made[name] = self._claim_lists.take(_index(country))
            elif level == "city":
                made[name] = self._of_city(what, city)
            else:
                row = self._row(level, country, unit)
                if what == "id":
                    made[name] = self._ids(level).take(_index(row))
                elif what == "method":
                    made[name] = self._method(level, points, row)
                else:
                    made[name] = self._border_km(level, points, row)
        return made

    def _row(self, level: str, country: Ints, unit: Ints) -> Ints:
        """Return the row of the region of a level, -1 where a point has none."""
        if level == "country":
            return country
        there = np.append(buffers.flags(self._names[f"{level}_name"].is_valid()), False)
        return np.where(there.take(unit) & (country >= 0), unit, np.int32(-1))

    def _of_city(self, what: str, city: Ints) -> pa.Array:
        index = _index(city)
        if what == "id":
            return buffers.column(self.places.geonameid).take(index).cast(pa.string())
        return buffers.texts(["place"]).take(_index(np.where(city < 0, np.int32(-1), np.int32(0))))

    def _ids(self, level: str) -> pa.Array:
        """Return the set's own ids of a level, else the codes."""
        table = self.boundaries.countries if level == "country" else self.boundaries.units
        return _whole(table["id" if level in ("country", self._drawn) else f"{level}_code"])

    @cached_property
    def _drawn(self) -> str:
        """The level that a row of the units has: the deepest that is named."""
        return "admin2" if self._names["admin2_name"].null_count < len(self._units) else "admin1"

    def _method(self, level: str, points: Coordinates, row: Ints) -> pa.Array:
        import shapely

        shapes = self.boundaries.shapes[level != "country"]
        some = np.flatnonzero(row >= 0)
        method = np.full(len(row), -1, np.int32)
        inside = shapely.intersects_xy(shapes[row[some]], points.lon[some], points.lat[some])
        method[some] = np.where(inside, 0, 1)
        return buffers.texts(["inside", "nearest"]).take(_index(method))

    def _border_km(self, level: str, points: Coordinates, row: Ints) -> pa.Array:
        distance = np.zeros(len(row))
        some = np.flatnonzero(row >= 0)
        if len(some):
            distance[some] = self._lines(level).distance_km(points.lat[some], points.lon[some])
        return buffers.column(distance, absent=row < 0)

    def _lines(self, level: str) -> Lines:
        from geodata.boundaries import Lines  # takes shapely along, which one label does without

        if level not in self._known_lines:
            countries, units = self.boundaries.shapes
            if level == "country":
                names: list[Any] = list(self.naming.shown_codes)
                shapes = countries
            else:
                fields = ["country", "admin1_name", "admin2_name"][: 2 + (level == "admin2")]
                names = list(zip(*(self._units[f].to_pylist() for f in fields), strict=True))
                shapes = units
            number: dict[Any, int] = {}
            numbers = [number.setdefault(name, len(number)) for name in names]
            self._known_lines[level] = Lines.between(shapes, numbers)
        return self._known_lines[level]

    @cached_property
    def _known_lines(self) -> dict[str, Lines]:
        return {}

    @cached_property
    def _units(self) -> pa.Table:
        return self.boundaries.units

    @cached_property
    def _names(self) -> dict[str, pa.Array]:
        return {name: _whole(self._units[name]) for name in ("admin1_name", "admin2_name")}

    @cached_property
    def _claim_lists(self) -> pa.Array:
        rows = [[{"worldview": v, "code": c} for v, c in some] for some in self.naming.claims]
        return pa.array(rows, pa.list_(_CLAIM))


def _index(row: Ints) -> pa.Array:
    return buffers.column(row, absent=row < 0)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
