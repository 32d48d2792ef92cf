"""Compile the region tables of a set into its index."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geodata import files, locate
from geodata.boundaries import COUNTRIES, INDEX, UNITS, Borders, from_wkb, groups, read_region_table
from geodata.boundary_build.filling import fill


def compile_set(folder: str | os.PathLike[str], *, edges_per_strip: float = 4.0) -> Path:
    """Compile the region tables of a folder into its index; return the index file.

    Parameters
    ----------
    edges_per_strip : float
        Smaller gives a finer, faster and larger index: see `geodata.locate.build`.
    """
    folder = Path(folder)
    countries, units = (read_region_table(folder / file) for file in (COUNTRIES, UNITS))
    shapes = [from_wkb(table) for table in (countries, units)]
    layer = np.repeat([0, 1], [len(countries), len(units)])
    identity = files.sha256(folder / COUNTRIES) + files.sha256(folder / UNITS)
    index = locate.build(
        np.concatenate(shapes),
        layer,
        edges_per_strip=edges_per_strip,
        meta={"sha256": _short(identity)},
    )
    country_group, unit_group = groups(countries, units)
    owners = _own_units(index.owners, country_group, unit_group)
    country, unit = owners.T
    is_open = (country >= 0) & (unit < 0) & np.isin(country_group, unit_group)[country]
    path = folder / INDEX
    fill(index, owners, is_open, country_group, Borders(shapes[1], unit_group)).save(path)
    return path


def _own_units(
    owners: NDArray[np.int32], country_group: NDArray[np.int64], unit_group: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Owners as (country row, unit row): a unit counts only inside its own country."""
    country, unit = owners[:, 0], owners[:, 1] - len(country_group)
    own = (country >= 0) & (unit >= 0) & (country_group[country] == unit_group[unit])
    return np.stack([country, np.where(own, unit, -1)], axis=1).astype(np.int32)


def _short(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
