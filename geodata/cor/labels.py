"""The Chain of Region of a point, of arrays and of tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from geodata import coords
from geodata.cor.chain import RegionChain
from geodata.cor.labelling import labeller
from geodata.files import as_table, coordinate_columns

__all__ = ["MAX_OFFSET_KM", "RegionChain", "attach", "label", "label_table"]

MAX_OFFSET_KM = 10.0
"""A point outside every country takes the nearest one within this distance."""


def label(
    lat: float,
    lon: float,
    *,
    boundaries: Any = None,
    worldview: str = "un",
    dependencies: str = "own",
    max_offset_km: float = MAX_OFFSET_KM,
) -> RegionChain:
    """Return the Chain of Region of one point.

    Parameters
    ----------
    lat, lon : float, degrees
        A longitude beyond ±180 is wrapped.
    boundaries : BoundarySet, str or path, optional
        From `geodata.boundaries.load`, or what it takes; the bundled set by default.
    worldview : str
        Whose view of disputed areas: ``un`` (default) or the ISO code of a claimant in lower
        case, e.g. ``in``.
    dependencies : {'own', 'sovereign'}
        Whether a territory with its own ISO code (Réunion, Hong Kong) is its own country, or a
        region of its sovereign.
    max_offset_km : float, km
        A point outside every country takes the nearest one within this distance.

    Returns
    -------
    RegionChain

    Raises
    ------
    TypeError
        For anything that is not a number.
    ValueError
        For a number that is not finite or out of range, or an unknown option.

    Examples
    --------
    >>> chain = label(48.8584, 2.2945)
    >>> chain.country_code, chain.admin1_code, chain.admin2, chain.city
    ('FR', 'FR-IDF', 'Paris', 'Paris')
    >>> label(0, -20).match  # the open Atlantic
    'none'
    """
    y, x = coords.scalar(lat, lon)
    return labeller(boundaries, worldview, dependencies, max_offset_km).one(y, x)


def label_table(
    table: Any,
    lon_array: Any = None,
    *,
    lat: str | None = None,
    lon: str | None = None,
    boundaries: Any = None,
    worldview: str = "un",
    dependencies: str = "own",
    max_offset_km: float = MAX_OFFSET_KM,
) -> pa.Table:
    """Label every row of a table, or of two coordinate arrays.

    Parameters
    ----------
    table : pyarrow.Table, anything with ``__arrow_c_stream__``, mapping, or array of shape (n,)
        Rows with a latitude and a longitude column (degrees, numbers), or the latitudes.
    lon_array : array of shape (n,), optional
        The longitudes, where ``table`` is an array of latitudes.
    lat, lon : str, optional
        Names of the coordinate columns; found by their usual names if not given.
    boundaries, worldview, dependencies, max_offset_km
        As in `label`.

    Returns
    -------
    pyarrow.Table
        The same rows in the same order with the columns country, country_code, admin1,
        admin1_code, admin2, city, city_distance_km, match, offset_km and disputed. A row whose
        coordinates are missing or not valid has match 'invalid' and NULL names. A column of the
        input that has one of these names is replaced.

    Raises
    ------
    ValueError
        If a coordinate column is missing, or arrays differ in length.

    Examples
    --------
    >>> rows = label_table([48.8584, None], [2.2945, 0.0])
    >>> rows.select(["country_code", "city", "match"]).to_pylist()
    [{'country_code': 'FR', 'city': 'Paris', 'match': 'inside'},
     {'country_code': None, 'city': None, 'match': 'invalid'}]
    """
    engine = labeller(boundaries, worldview, dependencies, max_offset_km)
    rows, checked = _rows(table, lon_array, lat, lon)
    return attach(rows, engine.table(checked))


def attach(rows: pa.Table, labels: pa.Table) -> pa.Table:
    """Return the rows with the label columns behind their own, replacing any of the same name."""
    kept = [name for name in rows.column_names if name not in labels.column_names]
    columns = [rows[name] for name in kept] + labels.columns
    return pa.table(columns, names=kept + labels.column_names)


def _rows(
    table: Any, lon_array: Any, lat: str | None, lon: str | None
) -> tuple[pa.Table, coords.Coordinates]:
    if lon_array is not None:
        checked = coords.arrays(table, lon_array)
        invalid = ~checked.valid
        columns = [pa.array(values, mask=invalid) for values in (checked.lat, checked.lon)]
        return pa.table(columns, names=["lat", "lon"]), checked
    rows = pa.table(dict(table)) if isinstance(table, Mapping) else as_table(table)
    lat_name, lon_name = coordinate_columns(rows.column_names, lat, lon)
    return rows, coords.arrays(rows[lat_name], rows[lon_name])
