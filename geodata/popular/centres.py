"""Is a point within a radius of any of many centres: exact, through unit vectors and a k-d tree.

Chords between unit vectors order points as great-circle distances do and obey the triangle
inequality, so a tree in space decides all points but those within micrometres of the radius.
Those go through the canonical predicate ``haversine_a <= threshold_a`` of `geodata.sphere`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata import coords, sphere
from geodata.sphere import unit_vectors

Floats = NDArray[np.float64]

OUTSIDE, INSIDE, AMBIGUOUS = 0, 1, 2
"""Verdicts on a cell: no point of it, every point of it, or some points may be within."""

MARGIN = 1e-12
"""Chord on the unit sphere, 6 micrometres. Rounding of chords and haversines is below 1e-14."""


def chord(distance_km: ArrayLike) -> Floats:
    """Return the chord on the unit sphere under a great-circle distance in km."""
    return np.asarray(2.0 * np.sqrt(sphere.threshold_a(distance_km)))


def check_radius(radius_km: float) -> float:
    """Return the radius as a float.

    Raises
    ------
    ValueError
        If it is not a finite number above 0.
    """
    number = float(radius_km)
    if isinstance(radius_km, bool) or not (np.isfinite(number) and number > 0.0):
        msg = (
            f"radius_km {radius_km!r} must be a finite number above 0, in km; "
            f"{sphere.HALF_CIRCUMFERENCE_KM:.3f} reaches every point"
        )
        raise ValueError(msg)
    return number


def checked_points(lat: Any, lon: Any, what: str) -> tuple[Floats, Floats]:
    """Return coordinates bit for bit as given, all of them valid.

    Raises
    ------
    ValueError
        If one is missing, not finite or out of range; names the first such row.
    """
    given = coords.arrays(lat, lon, wrap=False)
    bad = np.flatnonzero(~given.valid)
    if len(bad):
        msg = (
            f"{what} {bad[0]} of {len(given.valid)} has no valid latitude in [-90, 90] and "
            f"longitude in [-360, 360] ({len(bad)} such in all); drop these rows or correct them "
            "first"
        )
        raise ValueError(msg)
    return given.lat, given.lon


class Centres:
    """The centres of equal circles, indexed.

    Parameters
    ----------
    lat, lon
        Centres, shape (m,), degrees, valid.
    radius_km
        Radius of every circle.
    """

    def __init__(self, lat: Floats, lon: Floats, radius_km: float) -> None:
        from scipy.spatial import cKDTree

        # One copy of each place: geotags repeat, and a tree is slow where thousands coincide.
        places = np.unique(lat + 1j * lon)
        self.lat: Floats = np.ascontiguousarray(places.real)
        self.lon: Floats = np.ascontiguousarray(places.imag)
        self.limit_a = float(sphere.threshold_a(radius_km))
        limit = float(chord(radius_km))
        self.surely, self.maybe = limit - MARGIN, limit + MARGIN
        # Splits at the middle build in half the time and cost queries nothing.
        self._tree: Any = cKDTree(unit_vectors(self.lat, self.lon), balanced_tree=False)

    def contains(self, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
        """Return whether each point is within the radius of a centre, ties included.

        Parameters
        ----------
        lat, lon
            Shape (n,), degrees, valid.
        """
        if not self._tree.n:
            return np.zeros(len(lat), bool)
        points = unit_vectors(lat, lon)
        nearest = self._nearest(points, self.maybe)
        out = np.asarray(nearest <= self.surely)
        for i in np.flatnonzero(~out & np.isfinite(nearest)):
            out[i] = self._exact(points[i], lat[i], lon[i])
        return out

    def classify(self, lat: Floats, lon: Floats, reach: Floats | float) -> NDArray[np.int8]:
        """Return OUTSIDE, INSIDE or AMBIGUOUS for each cell.

        Parameters
        ----------
        lat, lon
            Cell centres, shape (n,), degrees.
        reach
            Chord from the centre within which all of the cell lies, shape (n,) or one for all.
        """
        if not self._tree.n or not len(lat):
            return np.zeros(len(lat), np.int8)
        nearest = self._nearest(unit_vectors(lat, lon), self.maybe + float(np.max(reach)))
        out = np.full(len(lat), AMBIGUOUS, np.int8)
        out[nearest - reach > self.maybe] = OUTSIDE
        out[nearest + reach <= self.surely] = INSIDE
        return out

    def within(self, lat: Floats, lon: Floats, reach: float) -> list[list[int]]:
        """Return, for each cell, which centres may be within the radius of a point of it."""
        limit = self.maybe + reach
        found = self._tree.query_ball_point(unit_vectors(lat, lon), limit, return_sorted=True)
        return list(found)

    def _nearest(self, points: Floats, bound: float) -> Floats:
        return np.asarray(self._tree.query(points, distance_upper_bound=bound)[0])

    def _exact(self, point: Floats, lat: float, lon: float) -> bool:
        near = self._tree.query_ball_point(point, self.maybe)
        a = sphere.haversine_a(lat, lon, self.lat[near], self.lon[near])
        return bool((a <= self.limit_a).any())
