"""Columns that an evaluation can be broken down by and that no file needs to hold.

They are made from the truth's coordinates: ``country`` and ``admin1`` (codes), ``continent``,
``h3`` (cell of resolution 3, about 12,400 km²) and ``town_km`` (distance to the city that the
place belongs to, in classes). A column of the truth file that has the same name goes first.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

H3_RESOLUTION = 3
TOWN_KM = (2.0, 5.0, 10.0, 25.0, 50.0)
"""Upper ends of the distance classes, km; farther is "over 50 km or none"."""

DERIVED = ("country", "admin1", "continent", "h3", "town_km")
_FROM_LABELS = {"country", "admin1", "continent", "town_km"}


def derived_columns(wanted: Sequence[str], available: Sequence[str]) -> tuple[str, ...]:
    """Return the wanted columns that have to be made.

    Raises
    ------
    ValueError
        For a column that is neither in the truth nor one that can be made.

    Examples
    --------
    >>> derived_columns(["author", "country"], ["id", "author"])
    ('country',)
    """
    made = tuple(name for name in wanted if name not in available)
    for name in made:
        if name not in DERIVED:
            msg = (
                f"no column {name!r} to break the score down by; the truth has "
                f"{', '.join(available)}, and {', '.join(DERIVED)} can be made"
            )
            raise ValueError(msg)
    return made


def with_derived(batch: pa.RecordBatch, wanted: Sequence[str], labels: pa.Table | None) -> pa.Table:
    """Return a joined batch with derived columns.

    Parameters
    ----------
    batch : RecordBatch
        With lat and lon, degrees.
    wanted : sequence of str
        Of `DERIVED`.
    labels : pyarrow.Table or None
        Labels of the truth's coordinates, if any of the wanted columns needs them.
    """
    table = pa.Table.from_batches([batch])
    for name in wanted:
        table = table.append_column(name, _column(name, table, labels))
    return table


def needs_labels(wanted: Sequence[str]) -> bool:
    """Return whether any of the columns is made from labels."""
    return bool(_FROM_LABELS & set(wanted))


def _column(name: str, table: pa.Table, labels: pa.Table | None) -> Any:
    if name == "h3":
        return _cells(table)
    if labels is None:
        msg = f"column {name!r} is made from labels, and none were given"
        raise ValueError(msg)
    if name == "country":
        return labels["country_code"]
    if name == "admin1":
        return pc.coalesce(labels["admin1_code"], labels["admin1"])
    if name == "continent":
        return _continents(labels["country_code"])
    return _town_classes(labels["city_distance_km"])


def _cells(table: pa.Table) -> pa.Array:
    import h3

    lat, lon = (table[name].to_numpy() for name in ("lat", "lon"))
    cells = [h3.latlng_to_cell(y, x, H3_RESOLUTION) for y, x in zip(lat, lon, strict=True)]
    return pa.array(cells, pa.string())


def _continents(codes: pa.ChunkedArray) -> pa.ChunkedArray:
    from geodata import boundaries

    rows = boundaries.load().countries
    first = dict(zip(*(rows[n].to_pylist() for n in ("code", "continent")), strict=True))
    distinct = pc.unique(codes.drop_null())
    names = pa.array([first.get(code) for code in distinct.to_pylist()], pa.string())
    return pc.take(names, pc.index_in(codes, distinct))


def _town_classes(distance_km: pa.ChunkedArray) -> pa.Array:
    edges = (0.0, *TOWN_KM)
    names = [f"{a:g} to {b:g} km" for a, b in itertools.pairwise(edges)]
    names.append(f"over {TOWN_KM[-1]:g} km or none")
    distance = np.asarray(pc.fill_null(distance_km, np.inf))
    return pa.array(np.asarray(names)[np.searchsorted(TOWN_KM, distance)])
