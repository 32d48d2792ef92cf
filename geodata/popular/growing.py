"""A set of popular regions that grows while training runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import coords, sphere
from geodata.files import as_table, coordinate_columns
from geodata.popular.centres import MARGIN, Floats, check_radius, checked_points, chord
from geodata.sphere import unit_vectors

_RADIUS_KEY = b"radius_km"


class PopularRegions:
    """Circles of one radius around popular points; points are added at any time.

    It answers as `popular.within_km` does for the points added so far. The index is an R-tree
    of unit vectors: adding costs about 50 microseconds a point, asking about 40.

    Parameters
    ----------
    radius_km
        Great-circle radius, km, above 0.

    Examples
    --------
    >>> regions = PopularRegions(radius_km=200)
    >>> regions.contains([48.9], [2.3])
    array([False])
    >>> regions.add([49.4], [1.1])
    1
    >>> regions.contains([48.9, -32.0, None], [2.3, 115.9, 0.0]), len(regions)
    (array([ True, False, False]), 1)
    """

    def __init__(self, radius_km: float = 200.0) -> None:
        from rtree import index

        self.radius_km = check_radius(radius_km)
        limit = float(chord(self.radius_km))
        self._surely, self._maybe = limit - MARGIN, limit + MARGIN
        self._limit_a = sphere.threshold_a(self.radius_km)
        self._lat: list[float] = []
        self._lon: list[float] = []
        self._known: set[tuple[float, float]] = set()
        self._index: Any = index.Index(properties=index.Property(dimension=3))

    def __len__(self) -> int:
        return len(self._lat)

    def __repr__(self) -> str:
        return f"PopularRegions(radius_km={self.radius_km!r}, points={len(self)})"

    def add(self, lat: Any, lon: Any) -> int:
        """Add popular points and return how many were new.

        Parameters
        ----------
        lat, lon
            Degrees: one pair, or columns of shape (k,). A place that is known is not added again.

        Raises
        ------
        ValueError
            If a point is not valid; then none is added.
        """
        lats, lons = checked_points(*_columns(lat, lon), "popular point")
        before = len(self)
        vectors = unit_vectors(lats, lons)
        for point, vector in zip(
            zip(lats.tolist(), lons.tolist(), strict=True), vectors, strict=True
        ):
            if point in self._known:
                continue
            self._known.add(point)
            self._index.insert(len(self._lat), (*vector, *vector))
            self._lat.append(point[0])
            self._lon.append(point[1])
        return len(self) - before

    def contains(self, lat: Any, lon: Any) -> NDArray[np.bool_]:
        """Return whether each point is within the radius of a popular point, ties included.

        Parameters
        ----------
        lat, lon
            Degrees: columns of shape (n,), or one pair, which counts as n = 1. A missing or
            invalid point is within nothing.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        given = coords.arrays(*_columns(lat, lon), wrap=False)
        out = np.zeros(len(given.valid), bool)
        rows = np.flatnonzero(given.valid)
        if len(self):
            out[rows] = self._contains(given.lat[rows], given.lon[rows])
        return out

    def _contains(self, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
        vectors = unit_vectors(lat, lon)
        ids, _ = self._index.nearest_v(vectors, vectors, num_results=1, strict=True)
        centres = unit_vectors(np.array(self._lat)[ids], np.array(self._lon)[ids])
        chords = np.sqrt(((centres - vectors) ** 2).sum(axis=1))
        out = np.asarray(chords <= self._surely)
        for i in np.flatnonzero(~out & (chords <= self._maybe)):
            out[i] = self._exact(vectors[i], lat[i], lon[i])
        return out

    def _exact(self, vector: Floats, lat: float, lon: float) -> bool:
        box = (*(vector - self._maybe), *(vector + self._maybe))
        ids = np.fromiter(self._index.intersection(box), np.int64)
        a = sphere.haversine_a(lat, lon, np.array(self._lat)[ids], np.array(self._lon)[ids])
        return bool((a <= self._limit_a).any())

    def to_table(self) -> pa.Table:
        """Return the points in the order they were added: ``lat``, ``lon``; radius in metadata.

        Examples
        --------
        >>> regions = PopularRegions(radius_km=25)
        >>> regions.add(35.68, 139.77)
        1
        >>> PopularRegions.from_table(regions.to_table())
        PopularRegions(radius_km=25.0, points=1)
        """
        columns = {
            "lat": pa.array(self._lat, pa.float64()),
            "lon": pa.array(self._lon, pa.float64()),
        }
        return pa.table(columns).replace_schema_metadata({_RADIUS_KEY: repr(self.radius_km)})

    @classmethod
    def from_table(cls, table: Any, radius_km: float | None = None) -> PopularRegions:
        """Return the regions of a table with coordinate columns.

        Parameters
        ----------
        table
            A result of `to_table`, or any table with latitude and longitude columns.
        radius_km
            Needed where the table does not carry its radius.

        Raises
        ------
        ValueError
            If there is no radius, or a point is not valid.
        """
        rows = as_table(table)
        if radius_km is None:
            stored = (rows.schema.metadata or {}).get(_RADIUS_KEY)
            if stored is None:
                msg = "the table carries no radius_km; give from_table(table, radius_km=200)"
                raise ValueError(msg)
            radius_km = float(stored)
        regions = cls(radius_km)
        y, x = coordinate_columns(rows.column_names)
        regions.add(rows[y], rows[x])
        return regions


def _columns(lat: Any, lon: Any) -> tuple[Any, Any]:
    """Take one pair as columns of one row."""
    if np.ndim(lat) == 0 and np.ndim(lon) == 0 and not hasattr(lat, "__arrow_c_stream__"):
        return [lat], [lon]
    return lat, lon
