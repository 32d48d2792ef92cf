"""A boundary set on disk: region tables, a compiled index, and who owns each point.

A set is a folder with ``countries.parquet`` and ``units.parquet`` (the regions with their
geometry), ``index.geoindex`` (compiled from them, memory-mapped) and ``PROVENANCE.json``.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geodata import files, locate
from geodata.files import FileError

INDEX, COUNTRIES, UNITS = "index.geoindex", "countries.parquet", "units.parquet"
PROVENANCE = "PROVENANCE.json"


class Owners(NamedTuple):
    """Rows of the region tables that own each point, shapes (n,); -1 for none."""

    country: NDArray[np.int32]
    unit: NDArray[np.int32]
    offset_km: NDArray[np.float64]
    """Distance to the country's border where the point lies outside every country, else 0."""


# eq=False: a set is opened once and is itself; comparing tables cell by cell would be absurd
@dataclass(frozen=True, eq=False)
class BoundarySet:
    """Admin0 and admin1 regions with their index; get one with `geodata.boundaries.load`.

    Attributes
    ----------
    name : str
    folder : Path
    index : geodata.locate.Index
        Its owners are (row of ``countries``, row of ``units``).
    countries, units : pyarrow.Table
        The regions without their geometry.
    """

    name: str
    folder: Path
    index: locate.Index
    countries: pa.Table
    units: pa.Table

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
        owner = self.index.owners[self.index.locate(lat, lon)]
        country, unit = owner[:, 0].copy(), owner[:, 1].copy()
        offset = np.zeros(len(country))
        outside = np.flatnonzero(country < 0)
        if len(outside) and max_offset_km > 0:
            near, distance = self._country_borders.nearest(
                lat[outside], lon[outside], max_km=max_offset_km
            )
            country[outside] = near
            offset[outside] = np.where(near >= 0, distance, 0.0)
        need = np.flatnonzero((country >= 0) & (unit < 0) & self._has_units[country])
        if len(need):
            group = self._groups[0][country[need]]
            unit[need] = self.unit_borders.nearest(lat[need], lon[need], group=group)[0]
        return Owners(country, unit, offset)

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
            unit, _ = self.unit_borders.nearest_one(lat, lon, group=group)
        return country, unit, offset

    @cached_property
    def _owner_rows(self) -> list[tuple[int, int]]:
        return [(a, b) for a, b in self.index.owners.tolist()]

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
    codes = [*countries["code"].to_pylist(), *units["country"].to_pylist()]
    number = np.unique(np.asarray(codes, str), return_inverse=True)[1]
    return number[: len(countries)], number[len(countries) :]


def open_set(folder: str | os.PathLike[str], name: str | None = None) -> BoundarySet:
    """Open the set in a folder that `geodata.boundary_build` has finished.

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
    tables = []
    for file in (COUNTRIES, UNITS):
        names = [n for n in pq.read_schema(folder / file).names if n != "geometry"]
        tables.append(read_region_table(folder / file, names))
    return BoundarySet(name or folder.name, folder, index, *tables)


def verify_set(folder: str | os.PathLike[str]) -> list[str]:
    """Return what is wrong with the files of a set, compared with its provenance; [] if nothing.

    Raises
    ------
    FileError
        If the folder holds no set.
    """
    folder = Path(folder)
    open_set(folder)
    problems = []
    record = folder / PROVENANCE
    if not record.is_file():
        return [f"{PROVENANCE} is missing"]
    for name, entry in json.loads(record.read_text())["outputs"].items():
        if not (folder / name).is_file():
            problems.append(f"{name} is missing")
        elif files.sha256(folder / name) != entry["sha256"]:
            problems.append(f"{name} does not match its SHA-256")
    return problems


def _geometries(path: Path) -> NDArray[Any]:
    return from_wkb(read_region_table(path, ["geometry"]))


def read_region_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file without pyarrow's dataset module, which takes pandas along."""
    with pq.ParquetFile(path) as file:
        return file.read(columns=columns, use_threads=False)


def from_wkb(table: pa.Table) -> NDArray[Any]:
    """Return the shapes of region rows as shapely geometries, shape (n,)."""
    import shapely

    return np.asarray(shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False)))
