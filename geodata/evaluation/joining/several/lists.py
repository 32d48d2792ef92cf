"""Read lists of answers from a cell: pairs, objects with lat and lon, or the model's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import answers, coords
from geodata.evaluation.joining.several.confidences import CONFIDENCE_NAMES
from geodata.files import Source, axis_of, squeeze

LIST_NAMES = (
    *("candidates", "predictions", "preds", "guesses", "answers", "samples", "topk", "top5"),
    *("hypotheses", "proposals", "points", "responses", "completions", "outputs", "generations"),
    *("coordinates", "locations", "results"),
)
"""Usual names of a column with a list of answers, squeezed."""

Point = tuple[float, float, float]
"""Latitude, longitude, degrees, and confidence; NaN where there is none."""


def list_columns(source: Source) -> list[str]:
    """Return the column with lists of answers, or the two with lists of lat and lon.

    Examples
    --------
    >>> from geodata.files import source_of
    >>> list_columns(source_of(pa.table({"id": ["a"], "guesses": [[[1.0, 2.0], [3.0, 4.0]]]})))
    ['guesses']
    """
    names = [name for name in source.columns if squeeze(name) in LIST_NAMES]
    axes = {name: axis_of(name) for name in source.columns if _may_list(source, name)}
    for y in (name for name, axis in axes.items() if axis and axis[0] == "lat"):
        names += [
            f"{y}\0{x}"
            for x, axis in axes.items()
            if axis and axis[0] == "lon" and axis[1:] == (axes[y] or axis)[1:]
        ]
    for name in names:
        columns = name.split("\0")
        batch = next(source.batches(columns), None)
        if batch is None or not batch.table.num_rows:
            continue
        cells = [batch.table.column(one).slice(0, 100).to_pylist() for one in columns]
        if any(_points(*row) for row in zip(*cells, strict=True)):
            return columns
    return []


def _may_list(source: Source, name: str) -> bool:
    """Tell from the head whether a column of one axis can hold lists."""
    if source.schema is None:
        return source.kind in ("json", "jsonl")
    if name not in source.schema.names:
        return False
    kind = source.schema.field(name).type  # large in a frame of polars, of one size for arrays
    lists = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
    return any(is_one(kind) for is_one in lists)


def read_lists(
    source: Source, columns: Sequence[str], rest: Sequence[str]
) -> tuple[pa.Table, tuple[Any, Any, Any, Any]]:
    """Return the other columns, and the answers: starts, latitudes, longitudes, confidences."""
    tables, counts, points = [], [0], list[Point]()
    for batch in source.batches([*rest, *columns]):
        tables.append(batch.table.select(list(rest)))
        cells = (batch.table.column(name).to_pylist() for name in columns)
        for row in zip(*cells, strict=True):
            found = _points(*row)
            points += found
            counts.append(len(found))
    flat: NDArray[np.float64] = np.array(points, np.float64).reshape(-1, 3)
    place = coords.arrays(flat[:, 0], flat[:, 1])
    lat, lon = (np.where(place.valid, axis, np.nan) for axis in (place.lat, place.lon))
    sure = flat[:, 2] if not np.isnan(flat[:, 2]).all() else None
    table = pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})
    return table, (np.cumsum(counts), lat, lon, sure)


def _points(cell: Any, lons: Any = None) -> list[Point]:
    """Return the answers in one cell, or in one of latitudes and one of longitudes."""
    values = _listed(cell)
    if lons is not None:
        other = _listed(lons)
        pairs = zip(values, other, strict=False) if len(values) == len(other) else ()
        return [(_number(y), _number(x), np.nan) for y, x in pairs]
    if not values or not isinstance(values[0], Mapping | list | tuple | str):
        return []
    found = [_point(value) for value in values]
    return found if any(point[0] == point[0] for point in found) else []


def _listed(cell: Any) -> Sequence[Any]:
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return []
    return cell if isinstance(cell, list | tuple) else []


def _point(value: Any) -> Point:
    if isinstance(value, Mapping):
        axes = {str(name): axis_of(str(name)) for name in value}
        lat, lon = (
            next(
                (_number(value[n]) for n, axis in axes.items() if axis and axis[0] == want), np.nan
            )
            for want in ("lat", "lon")
        )
        known = {squeeze(str(name)): name for name in value}
        sure = next((_number(value[known[n]]) for n in CONFIDENCE_NAMES if n in known), np.nan)
        return lat, lon, sure
    if isinstance(value, str):
        answer = answers.parse_tolerant(value)
        return _number(answer.lat), _number(answer.lon), np.nan
    if isinstance(value, list | tuple) and len(value) >= 2:
        return _number(value[0]), _number(value[1]), _number(value[2]) if len(value) > 2 else np.nan
    return np.nan, np.nan, np.nan


def _number(value: Any) -> float:
    try:
        return float(value) if value is not None and not isinstance(value, bool) else np.nan
    except (TypeError, ValueError):
        return np.nan
