"""From coordinates to label columns: a boundary set, places, and the caller's view of the world.

`geodata.cor` is the door; this is the engine behind it, made once for each set of options.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import boundaries as _boundaries
from geodata.boundaries import BoundarySet
from geodata.coords import Coordinates
from geodata.cor.chain import RegionChain
from geodata.places import Places

DEFAULT_WORLDVIEW = "un"
DEPENDENCIES = ("own", "sovereign")

# A tuple, because pa.array imports pandas where there is one, and one label needs neither.
_MATCHES = ("inside", "nearest", "none", "invalid")
_INSIDE, _NEAREST, _NONE, _INVALID = range(4)


@dataclass(frozen=True)
class _Region:
    """What one (country row, unit row) is called under the chosen view."""

    country: str | None
    country_code: str | None
    admin1: str | None
    admin1_code: str | None
    admin2: str | None


@dataclass(frozen=True)
class Labeller:
    """Labels points with one boundary set and one view of the world.

    Attributes
    ----------
    boundaries : BoundarySet
    places : Places
    worldview, dependencies, max_offset_km
        As in `geodata.cor.label`.
    """

    boundaries: BoundarySet
    places: Places
    worldview: str
    dependencies: str
    max_offset_km: float

    def one(self, lat: float, lon: float) -> RegionChain:
        """Return the chain of one checked point."""
        country, unit, offset = self.boundaries.locate_one(
            lat, lon, max_offset_km=self.max_offset_km
        )
        if country < 0:
            return RegionChain(
                lat, lon, None, None, None, None, None, None, None, "none", None, False, ()
            )
        region = self._region(country, unit)
        deeper = self.boundaries.deeper_one(lat, lon) if offset == 0.0 else {}
        admin2 = self._deeper_name("admin2", deeper, country) or region.admin2
        locality = self._deeper_name("locality", deeper, country)
        city, distance = (locality, 0.0) if locality else self._city(lat, lon, country)
        match = "inside" if offset == 0.0 else "nearest"
        claims = self._claims[country]
        return RegionChain(
            lat, lon, region.country, region.country_code, region.admin1, region.admin1_code,
            admin2, city, distance, match, offset, self._disputed[country], claims,
        )  # fmt: skip

    def table(self, points: Coordinates) -> pa.Table:
        """Return the label columns of checked points, in order; invalid rows have NULL names."""
        found = self.boundaries.locate(points.lat, points.lon, max_offset_km=self.max_offset_km)
        country = np.where(points.valid, found.country, -1)
        row, names = self._names(country, found.unit)
        city, distance = self._cities(points, country)
        match = np.full(len(country), _INSIDE, np.int8)
        match[found.offset_km > 0] = _NEAREST
        match[country < 0] = _NONE
        match[~points.valid] = _INVALID
        index = pa.array(row, mask=row < 0)
        columns = {name: pc.take(names[name], index) for name in names}
        columns["city"] = pc.take(self.places.names, pa.array(city, mask=city < 0))
        columns["city_distance_km"] = pa.array(distance, mask=city < 0)
        self._put_deeper(columns, found.deeper, country)
        columns["match"] = pc.take(pa.array(_MATCHES), pa.array(match))
        columns["offset_km"] = pa.array(found.offset_km, mask=country < 0)
        disputed = np.where(country >= 0, self._disputed_rows[country], False)
        columns["disputed"] = pa.array(disputed)
        return pa.table(columns)

    def _put_deeper(
        self,
        columns: dict[str, Any],
        deeper: Mapping[str, NDArray[np.int32]],
        country: NDArray[np.int32],
    ) -> None:
        """Replace admin2 and city by the regions of the set that contain the points."""
        for level, column in (("admin2", "admin2"), ("locality", "city")):
            if level in deeper:
                row = np.where(self._own_names[country] & (country >= 0), deeper[level], -1)
                names = pa.array(self._deeper_names(level), pa.string())
                text = pc.take(names, pa.array(row, mask=row < 0))
                columns[column] = pc.coalesce(text, columns[column])
                if column == "city":
                    inside = pc.is_valid(text)
                    columns["city_distance_km"] = pc.if_else(
                        inside, 0.0, columns["city_distance_km"]
                    )

    def _deeper_name(self, level: str, rows: dict[str, int], country: int) -> str | None:
        row = rows.get(level, -1)
        return self._deeper_names(level)[row] if row >= 0 and self._own_names[country] else None

    def _deeper_names(self, level: str) -> list[str | None]:
        if level not in self._deeper_known:
            names = self.boundaries.table(level, ["name"])["name"].to_pylist()
            self._deeper_known[level] = names
        return self._deeper_known[level]

    @cached_property
    def _deeper_known(self) -> dict[str, list[str | None]]:
        return {}

    @cached_property
    def _own_names(self) -> NDArray[np.bool_]:
        """Whether each country row keeps its levels; a territory shown as a region does not."""
        codes = [self._by_code[code]["sovereign_code"] for code in self._shown_codes]
        return np.array([self.dependencies == "own" or c not in self._by_code for c in codes])

    def _names(
        self, country: NDArray[np.int32], unit: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], dict[str, pa.Array]]:
        """Row in the names of the distinct regions for each point, and those names."""
        width = len(self.boundaries.units) + 1
        key = np.where(country >= 0, country.astype(np.int64) * width + unit + 1, -1)
        space = np.full(len(self.boundaries.countries) * width + 1, -1, np.int64)
        space[key] = 0
        distinct = np.flatnonzero(space[:-1] == 0)
        space[distinct] = np.arange(len(distinct))
        space[-1] = -1  # no country
        regions = [self._region(int(k // width), int(k % width) - 1) for k in distinct]
        names = {
            field: pa.array([getattr(region, field) for region in regions], pa.string())
            for field in _Region.__dataclass_fields__
        }
        return space[key], names

    def _region(self, country: int, unit: int) -> _Region:
        key = (country, unit)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._describe(country, unit)
        return found

    @cached_property
    def _known(self) -> dict[tuple[int, int], _Region]:
        return {}

    def _describe(self, country: int, unit: int) -> _Region:
        code = self._shown_codes[country]
        info = self._by_code[code]
        names = self._units[unit] if unit >= 0 else (None, None, None)
        admin1, admin1_code, admin2 = names
        if admin1_code is not None and code != self._codes[country]:
            admin1_code = None  # the code belongs to the other worldview's country
        sovereign = info["sovereign_code"]
        if self.dependencies == "sovereign" and sovereign in self._by_code:
            name = self._by_code[sovereign]["name"]
            return _Region(
                name, sovereign, info["sovereign_admin1_name"], info["sovereign_admin1_code"],
                admin1,
            )  # fmt: skip
        return _Region(info["name"], code, admin1, admin1_code, admin2)

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.boundaries.countries.to_pylist()
        return rows

    @cached_property
    def _codes(self) -> list[str]:
        return [row["code"] for row in self._rows]

    @cached_property
    def _claims(self) -> list[tuple[tuple[str, str], ...]]:
        return [
            tuple((claim["worldview"], claim["code"]) for claim in row["claims"] or ())
            for row in self._rows
        ]

    @cached_property
    def _shown_codes(self) -> list[str]:
        return [
            dict(claims).get(self.worldview, code)
            for code, claims in zip(self._codes, self._claims, strict=True)
        ]

    @cached_property
    def _by_code(self) -> dict[str, dict[str, Any]]:
        return {row["code"]: row for row in reversed(self._rows)}

    @cached_property
    def _disputed(self) -> list[bool]:
        return [bool(row["disputed"]) for row in self._rows]

    @cached_property
    def _disputed_rows(self) -> NDArray[np.bool_]:
        return np.array(self._disputed)

    @cached_property
    def _units(self) -> list[tuple[str | None, str | None, str | None]]:
        columns = ("admin1_name", "admin1_code", "admin2_name")
        return list(zip(*(self.boundaries.units[c].to_pylist() for c in columns), strict=True))

    @cached_property
    def _city_codes(self) -> list[tuple[str, ...]]:
        """Country codes under which a row's places are listed: its own, then other claims."""
        return [
            tuple(dict.fromkeys([code, *(claim for _, claim in claims)]))
            for code, claims in zip(self._codes, self._claims, strict=True)
        ]

    def _city(self, lat: float, lon: float, country: int) -> tuple[str | None, float | None]:
        for code in self._city_codes[country]:
            found = self.places.one(lat, lon, code)
            if found is not None:
                return self.places.name(found[0]), found[1]
        return None, None

    def _cities(
        self, points: Coordinates, country: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        match = self.places.nearest(points.lat, points.lon, self._place_country[0][country])
        index, distance = match.index.copy(), match.distance_km.copy()
        for other in self._place_country[1:]:  # disputed rows that have no place of their own
            code = other[country]
            need = np.flatnonzero((index < 0) & (code >= 0))
            if len(need):
                more = self.places.nearest(points.lat[need], points.lon[need], code[need])
                index[need], distance[need] = more.index, more.distance_km
        return index, distance

    @cached_property
    def _place_country(self) -> list[NDArray[np.int16]]:
        """Index in `Places.countries` of each country row, first choice first; -1 for none."""
        most = max(len(codes) for codes in self._city_codes)
        return [
            self.places.country_index([*(c[k] if k < len(c) else "" for c in self._city_codes), ""])
            for k in range(most)
        ]


def labeller(boundaries: Any, worldview: str, dependencies: str, max_offset_km: float) -> Labeller:
    """Return the labeller for these options; the same one for the same options.

    Raises
    ------
    ValueError
        For an unknown worldview or dependencies, or a negative or non-finite offset.
    """
    if isinstance(boundaries, BoundarySet):
        chosen = boundaries
    else:
        chosen = _boundaries.load("bundled" if boundaries is None else os.fspath(boundaries))
    return _labeller(chosen, worldview.lower(), dependencies, max_offset_km)


@lru_cache(maxsize=16)
def _labeller(
    chosen: BoundarySet, worldview: str, dependencies: str, max_offset_km: float
) -> Labeller:
    if dependencies not in DEPENDENCIES:
        msg = f"dependencies {dependencies!r} is unknown; choose 'own' or 'sovereign'"
        raise ValueError(msg)
    if not 0.0 <= max_offset_km < float("inf"):
        msg = f"max_offset_km {max_offset_km!r} is not a distance; give kilometres, 0 or more"
        raise ValueError(msg)
    engine = Labeller(chosen, Places.load(), worldview, dependencies, max_offset_km)
    known = sorted({view for claims in engine._claims for view, _ in claims})
    if worldview != DEFAULT_WORLDVIEW and worldview not in known:
        msg = f"worldview {worldview!r} is unknown; choose {', '.join(['un', *known])}"
        raise ValueError(msg)
    return engine
