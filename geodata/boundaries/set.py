"""A boundary set on disk: region tables, a compiled index, and who owns each point.

What its folder holds: `geodata.boundaries.schema`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geodata import locate
from geodata.boundaries.schema import (
    COUNTRIES,
    COUNTRY_SCHEMA,
    INDEX,
    PROVENANCE,
    TABLE_FILES,
    UNIT_SCHEMA,
    UNITS,
)
from geodata.files import FileError


class Owners(NamedTuple):
    """Rows of the region tables that own each point, shapes (n,); -1 for none."""

    country: NDArray[np.int32]
    unit: NDArray[np.int32]
    offset_km: NDArray[np.float64]
    """Distance to the country's border where the point lies outside every country, else 0."""
    deeper: Mapping[str, NDArray[np.int32]] = MappingProxyType({})
    """Rows of the levels below the units that the set has, by level: admin2, locality, ..."""


# eq=False: a set is opened once and is itself; comparing tables cell by cell would be absurd
@dataclass(frozen=True, eq=False)
class BoundarySet:
    """Regions of a country, of its divisions and below, with their index.

    Get one with `geodata.boundaries.load`. A set stands for its folder wherever a path is taken.

    Attributes
    ----------
    name : str
    folder : Path
    index : geodata.locate.Index
        Its owners are a row of the table of each of ``levels`` (-1 for none) where it lies in its
        own country, then of each of ``levels[1:]`` wherever it lies.
    countries, units : pyarrow.Table
        The regions without their geometry; `table` gives those of deeper levels.
    """

    name: str
    folder: Path
    index: locate.Index
    countries: pa.Table
    units: pa.Table

    def __fspath__(self) -> str:
        return os.fspath(self.folder)

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that the set has, from the country down."""
        return tuple(self.index.meta.get("levels", ("country", "admin1")))

    def table(self, level: str, columns: list[str] | None = None) -> pa.Table:
        """Return the regions of a level; without their geometry unless columns say so.

        Raises
        ------
        FileError
            If the set does not have the level.
        """
        if level not in self.levels:
            msg = f"{self.name}: has no level {level!r}; there are {', '.join(self.levels)}"
            raise FileError(msg)
        return _rows(self.folder / TABLE_FILES[level], columns)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What made the set: sources, release, licence, repairs, the SHA-256 of every file."""
        record: dict[str, Any] = json.loads((self.folder / PROVENANCE).read_text("utf-8"))
        return record

    @property
    def sha256(self) -> str:
        """Identity of the set: the SHA-256 of its region tables, as in the index."""
        return str(self.index.meta["sha256"])

    def locate(
        self,
        lat: NDArray[np.float64],
        lon: NDArray[np.float64],
        *,
        max_offset_km: float = 10.0,
    ) -> Owners:
        """Return which country and unit own each point.

        Parameters
        ----------
        lat, lon : ndarray of float64, shape (n,), degrees
            Checked by `geodata.coords.arrays`.
        max_offset_km : float, km
            Points outside every country go to the nearest one within this distance.
        """
        owner = self.index.locate(lat, lon)
        columns = self._owner_columns
        country, unit = columns[0].take(owner), columns[1].take(owner)
        offset = np.zeros(len(country))
        open_ = np.flatnonzero(self._open_owners.take(owner))
        outside = open_[country[open_] < 0]
        if len(outside) and max_offset_km > 0:
            near, distance = self._country_borders.nearest(
                lat[outside], lon[outside], max_km=max_offset_km
            )
            country[outside] = near
            offset[outside] = np.where(near >= 0, distance, 0.0)
        owned = open_[(country[open_] >= 0) & (unit[open_] < 0)]
        need = owned[self._has_units[country[owned]]]
        if len(need):
            group = self._groups[0][country[need]]
            unit[need] = self.unit_borders.nearest(lat[need], lon[need], group=group)[0]
        deeper = {level: columns[at + 2].take(owner) for at, level in enumerate(self.levels[2:])}
        return Owners(country, unit, offset, deeper)

    def containing(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> dict[str, NDArray[np.int32]]:
        """Return the smallest region of each level that contains each point, by level.

        Unlike `locate`, whichever country they belong to and without any nearest one.

        Parameters
        ----------
        lat, lon : ndarray of float64, shape (n,), degrees

        Returns
        -------
        dict of str to ndarray of int32, shape (n,)
            Rows of `table`; -1 for none.
        """
        owner = self.index.owners[self.index.locate(lat, lon)]
        below = {level: owner[:, len(self.levels) + at] for at, level in enumerate(self.levels[1:])}
        return {"country": owner[:, 0], **below}

    def deeper_one(self, lat: float, lon: float) -> dict[str, int]:
        """Return the row of each level below the units that owns one point; -1 for none."""
        if len(self.levels) == 2:
            return {}
        rows = self.index.owners[self.index.locate_one(lat, lon)].tolist()
        return dict(zip(self.levels[2:], rows[2:], strict=False))

    def locate_one(self, lat: float, lon: float, *, max_offset_km: float) -> tuple[int, int, float]:
        """Return (country row, unit row, offset in km) of one point; `locate` without arrays."""
        country, unit = self._owner_rows[self.index.locate_one(lat, lon)]
        if unit >= 0 or (country >= 0 and not self._has_units[country]):
            return country, unit, 0.0
        offset = 0.0
        if country < 0:
            if max_offset_km > 0:
                country, offset = self._country_borders.nearest_one(lat, lon, max_km=max_offset_km)
            if country < 0:
                return -1, unit, 0.0
        if unit < 0 and self._has_units[country]:
            group = self._groups[0][country]
            unit = self.unit_borders.region_one(lat, lon, group=group)
        return country, unit, offset

    @cached_property
    def _owner_rows(self) -> list[tuple[int, int]]:
        return [(a, b) for a, b, *_ in self.index.owners.tolist()]

    @cached_property
    def _owner_columns(self) -> NDArray[np.int32]:
        """The owners level by level."""
        return np.ascontiguousarray(self.index.owners.T)

    @cached_property
    def _open_owners(self) -> NDArray[np.bool_]:
        """Which owners leave the country or the unit of their points open."""
        country, unit = self._owner_columns[:2]
        return np.where(country < 0, True, (unit < 0) & self._has_units[country])

    @cached_property
    def _has_units(self) -> NDArray[np.bool_]:
        return np.isin(*self._groups)

    @cached_property
    def _country_borders(self) -> Any:
        from geodata.boundaries.nearest import Borders

        return Borders(_geometries(self.folder / COUNTRIES))

    @cached_property
    def unit_borders(self) -> Any:
        """Borders of the units, in the groups of their countries; read at first use."""
        from geodata.boundaries.nearest import Borders

        return Borders(_geometries(self.folder / UNITS), self._groups[1])

    @cached_property
    def shapes(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Geometries of the countries and of the units; read at first use."""
        return self._country_borders.geometries, self.unit_borders.geometries

    @cached_property
    def _groups(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return groups(self.countries, self.units)


def groups(countries: pa.Table, units: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a number for the code of each country row and for the country of each unit."""
    of_country, of_unit = numbered(countries["code"].to_pylist(), units["country"].to_pylist())
    return of_country, of_unit


def numbered(*codes: list[str]) -> list[NDArray[np.int64]]:
    """Return a number for each code, equal for equal codes, in the lists they came in."""
    number = np.unique(np.asarray([c for some in codes for c in some], str), return_inverse=True)[1]
    return np.split(number, np.cumsum([len(some) for some in codes])[:-1])


def open_set(folder: str | os.PathLike[str], name: str | None = None) -> BoundarySet:
    """Open the set in a folder that `geodata.boundaries.build` has finished.

    Raises
    ------
    FileError
        If a file of the set is missing or was not made from the region tables beside it.
    """
    folder = Path(folder)
    missing = [f for f in (COUNTRIES, UNITS, INDEX) if not (folder / f).is_file()]
    if missing:
        msg = (
            f"{folder}: not a boundary set, {', '.join(missing)} missing; "
            "make one with 'geodata boundaries build'"
        )
        raise FileError(msg)
    index = locate.load(folder / INDEX)
    tables = [_rows(folder / file) for file in (COUNTRIES, UNITS)]
    return BoundarySet(name or folder.name, folder, index, *tables)


def _rows(path: Path, columns: list[str] | None = None) -> pa.Table:
    wide = {"geometry", "bbox"}
    schema = COUNTRY_SCHEMA if path.name == COUNTRIES else UNIT_SCHEMA
    return read_region_table(path, columns or [name for name in schema.names if name not in wide])


def _geometries(path: Path) -> NDArray[Any]:
    return from_wkb(read_region_table(path, ["geometry"]))


def read_region_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file without pyarrow's dataset module, which takes pandas along.

    Raises
    ------
    FileError
        If it is damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns=columns, use_threads=False)
    except (OSError, ValueError, pa.ArrowException) as error:
        msg = f"{path}: cannot be read ({str(error)[:80]}); build or fetch the set again"
        raise FileError(msg) from error


def from_wkb(table: pa.Table) -> NDArray[Any]:
    """Return the shapes of region rows as shapely geometries, shape (n,)."""
    import shapely

    return np.asarray(shapely.from_wkb(table["geometry"].to_pylist()))
