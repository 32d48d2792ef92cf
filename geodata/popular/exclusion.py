"""The radius on arrays and tables: which points are within, and the rows that are not."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import coords
from geodata.files import as_table, coordinate_columns, plain_column
from geodata.popular.centres import Centres, check_radius, checked_points
from geodata.popular.raster import within_raster


def within_km(
    lat: Any, lon: Any, popular_lat: Any, popular_lon: Any, radius_km: float = 200.0
) -> NDArray[np.bool_]:
    """Return whether each point is within ``radius_km`` of any popular point.

    Space is classified once: cells of a latitude-longitude raster are wholly inside, wholly
    outside or ambiguous, and only points of ambiguous cells are looked up one by one.

    Parameters
    ----------
    lat, lon
        Points, shape (n,), degrees: NumPy, Arrow or lists. A missing or invalid one is within
        nothing: its answer is False.
    popular_lat, popular_lon
        Popular points, shape (m,), degrees; m may be 0.
    radius_km
        Great-circle radius on the sphere of 6371 km, above 0; half the circumference and more
        reaches every point.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        If a popular point or the radius is not valid, or lengths differ.

    References
    ----------
    Geo-R, arXiv 2601.00388, construction of MP16-Hard.

    Examples
    --------
    >>> within_km([48.86, -89.0, 0.0], [2.35, 10.0, -179.5], [49, -90, 0], [2, 0, 179.5])
    array([ True,  True,  True])
    >>> within_km([0.0, 0.0, None], [0.0, 1.0, 0.0], [0.0], [0.0], radius_km=111)
    array([ True, False, False])
    """
    return Circles(popular_lat, popular_lon, radius_km).hold(lat, lon)


class Circles:
    """Equal circles around popular points, indexed once and asked as often as needed.

    Parameters and errors are those of `within_km`.

    Examples
    --------
    >>> circles = Circles([0.0], [0.0], 111)
    >>> circles.hold([0.0, 0.0, None], [0.0, 1.0, 0.0])
    array([ True, False, False])
    """

    def __init__(self, popular_lat: Any, popular_lon: Any, radius_km: float = 200.0) -> None:
        self._radius = check_radius(radius_km)
        points = checked_points(popular_lat, popular_lon, "popular point")
        self._centres = Centres(*points, self._radius)

    def hold(self, lat: Any, lon: Any) -> NDArray[np.bool_]:
        """Return whether each point is within a circle, shape (n,)."""
        centres, radius = self._centres, self._radius
        if _is_plain(lat) and _is_plain(lon) and len(lat) == len(lon) > _DIRECT:
            # its chunks are checked there, while they are in the cache
            return within_raster(centres, lat, lon, radius)
        points = coords.arrays(lat, lon, wrap=False)
        if len(points.valid) <= _DIRECT:
            return centres.contains(points.lat, points.lon) & points.valid
        return within_raster(centres, points.lat, points.lon, radius) & points.valid


def exclude(
    table: Any,
    popular_table: Any,
    radius_km: float = 200.0,
    lat: str | None = None,
    lon: str | None = None,
    *,
    invalid: Literal["keep", "drop", "error"] = "keep",
) -> pa.Table:
    """Return the table without the rows within ``radius_km`` of a popular point.

    Parameters
    ----------
    table, popular_table
        Arrow tables or anything with ``__arrow_c_stream__``: polars, pandas, DuckDB relations.
    radius_km
        As in `within_km`.
    lat, lon
        Coordinate columns of ``table``, and of ``popular_table`` if it has them; found by their
        usual names otherwise.
    invalid
        What becomes of rows without a valid coordinate, which no distance can judge: ``keep``
        them (only near rows go), ``drop`` them, or raise an ``error``.

    Returns
    -------
    pyarrow.Table
        The rows that remain, in their order, all columns.

    Raises
    ------
    ValueError
        If a column is not found, a popular point is not valid, or a row is not and ``invalid``
        is ``error``.

    Examples
    --------
    >>> photos = pa.table({"id": ["paris", "perth", "?"], "lat": [48.9, -32.0, None],
    ...                    "lon": [2.3, 115.9, 0.0]})
    >>> popular = pa.table({"lat": [49.4], "lon": [1.1]})
    >>> exclude(photos, popular)["id"].to_pylist()
    ['perth', '?']
    >>> exclude(photos, popular, invalid="drop")["id"].to_pylist()
    ['perth']
    """
    if invalid not in ("keep", "drop", "error"):
        msg = f"invalid={invalid!r} is not known; expected 'keep', 'drop' or 'error'"
        raise ValueError(msg)
    rows, places = as_table(table), as_table(popular_table, "popular_table")
    y, x = _columns(rows, lat, lon)
    names = set(places.column_names)
    popular_y, popular_x = _columns(
        places, lat if lat in names else None, lon if lon in names else None
    )
    valid = coords.arrays(y, x).valid
    if invalid == "error" and not valid.all():
        first = int(np.flatnonzero(~valid)[0])
        msg = (
            f"{int((~valid).sum())} of {len(valid)} rows have no valid coordinate, row {first} is "
            "the first; correct them, or choose invalid='keep' or 'drop'"
        )
        raise ValueError(msg)
    keep = ~within_km(y, x, popular_y, popular_x, radius_km)
    if invalid == "drop":
        keep &= valid
    return rows.filter(pa.array(keep))


def _columns(table: pa.Table, lat: str | None, lon: str | None) -> tuple[Any, Any]:
    """Return the coordinates as numbers; text is read as it is in files."""
    names = coordinate_columns(table.column_names, lat, lon)
    y, x = (coords.parse_numbers(plain_column(table[name])) for name in names)
    return y, x


def _is_plain(values: Any) -> bool:
    return type(values) is np.ndarray and values.ndim == 1 and values.dtype.kind == "f"


_DIRECT = 50_000
"""Up to this many points the tree alone is quicker than a raster."""
