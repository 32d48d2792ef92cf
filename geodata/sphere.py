"""Great-circle distance on a sphere of R = 6371 km, and on the WGS84 ellipsoid as an option.

This is the one definition of distance in the project: metrics, rewards, exclusion and the
SQL macro ``haversine_km`` agree with it. Geo-R (arXiv 2601.00388) Eq. 1-4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM = 6371.0
"""Sphere radius of Geo-R Eq. 4, km."""

HALF_CIRCUMFERENCE_KM = np.pi * EARTH_RADIUS_KM
"""Distance between antipodes, the largest that exists: 20015.086796 km."""


def haversine_a(
    lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike
) -> NDArray[np.float64]:
    """Return ``sin²(d / 2R)``, the haversine of the central angle, in [0, 1].

    It grows with the distance, so a threshold test needs no arcsine: ``d <= t`` is
    ``a <= threshold_a(t)``. This is the canonical distance predicate of the project.

    Parameters
    ----------
    lat1, lon1, lat2, lon2
        Degrees, any shapes that broadcast; computed in float64 whatever the input dtype.

    Returns
    -------
    ndarray of float64, the broadcast shape
        Not a number where an input is. Clipped at 1, which rounding passes near antipodes.

    Examples
    --------
    >>> float(haversine_a(0, 0, 0, 180))
    1.0
    >>> bool(haversine_a(48.86, 2.35, 51.51, -0.13) <= threshold_a(350))
    True
    """
    phi1, phi2 = _radians(lat1), _radians(lat2)
    half_dphi = (phi2 - phi1) * 0.5
    half_dlam = np.radians(np.asarray(lon2, np.float64) - np.asarray(lon1, np.float64)) * 0.5
    sin_phi, sin_lam = np.sin(half_dphi), np.sin(half_dlam)
    a = sin_phi * sin_phi + np.cos(phi1) * np.cos(phi2) * (sin_lam * sin_lam)
    return np.asarray(np.minimum(a, 1.0))  # 1 + 2^-52 occurs in 3.7% of exact antipodes


def threshold_a(distance_km: ArrayLike) -> NDArray[np.float64]:
    """Return the haversine ``sin²(t / 2R)`` of a distance in km, to compare with `haversine_a`.

    Examples
    --------
    >>> bool(haversine_a(0, 0, 0, 1) <= threshold_a(112))
    True
    """
    angle = np.asarray(distance_km, np.float64) / EARTH_RADIUS_KM
    return np.asarray(np.sin(np.clip(angle, 0.0, np.pi) * 0.5) ** 2)


def haversine_km(
    lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike
) -> NDArray[np.float64]:
    """Return the great-circle distance in km on the sphere of R = 6371 km.

    ``d = 2 R asin(sqrt(a))``, evaluated as ``2 R atan2(sqrt(a), sqrt(1 - a))`` with ``1 - a``
    formed without cancellation, so that it is exact to a micrometre from identical points to
    antipodes.

    Parameters
    ----------
    lat1, lon1, lat2, lon2
        Degrees, any shapes that broadcast.

    Returns
    -------
    ndarray of float64, the broadcast shape, km
        NaN where an input is NaN; a 0-d array for scalars.

    References
    ----------
    Geo-R, arXiv 2601.00388, Eq. 1-4. T. Vincenty, Survey Review 23 (1975), spherical case.

    Examples
    --------
    >>> round(float(haversine_km(48.8584, 2.2945, 51.5007, -0.1246)), 3)
    340.539
    >>> round(float(haversine_km(90, 0, -90, 123)), 6)  # pole to pole, whatever the longitude
    20015.086796
    >>> float(haversine_km(0, -180, 0, 180))  # the antimeridian is one line
    0.0
    >>> haversine_km([0, 0], [0, 0], 0, [0, 1]).round(3)
    array([  0.   , 111.195])
    """
    phi1, phi2 = _radians(lat1), _radians(lat2)
    # Reduced in degrees, where it is exact: two longitudes 360 degrees apart are one meridian.
    dlon = np.remainder(np.asarray(lon2, np.float64) - np.asarray(lon1, np.float64) + 180.0, 360.0)
    lam = np.radians(dlon - 180.0)
    sin1, cos1, sin2, cos2 = np.sin(phi1), np.cos(phi1), np.sin(phi2), np.cos(phi2)
    cos_lam = np.cos(lam)
    y = np.hypot(cos2 * np.sin(lam), cos1 * sin2 - sin1 * cos2 * cos_lam)
    x = sin1 * sin2 + cos1 * cos2 * cos_lam
    return np.asarray(EARTH_RADIUS_KM * np.arctan2(y, x))


def wgs84_km(
    lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike
) -> NDArray[np.float64]:
    """Return the geodesic distance in km on the WGS84 ellipsoid (Karney 2013, through pyproj).

    Parameters and shapes are those of `haversine_km`; at most 0.56% away from it.

    Examples
    --------
    >>> round(float(wgs84_km(48.8584, 2.2945, 51.5007, -0.1246)), 3)
    340.895
    """
    from pyproj import Geod

    columns = [np.asarray(v, np.float64) for v in (lon1, lat1, lon2, lat2)]
    shape = np.broadcast_shapes(*(v.shape for v in columns))
    lon_1, lat_1, lon_2, lat_2 = (np.broadcast_to(v, shape) for v in columns)
    metres = Geod(ellps="WGS84").inv(lon_1, lat_1, lon_2, lat_2)[2]
    return np.asarray(metres, np.float64).reshape(shape) / 1000.0


def unit_vectors(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Return points on the unit sphere: degrees of shape (n,) to x, y, z of shape (n, 3).

    Chords between them order points as great-circle distances do.

    Examples
    --------
    >>> unit_vectors([0.0, 90.0], [0.0, 45.0]).round(3)
    array([[1., 0., 0.], [0., 0., 1.]])
    """
    phi, lam = _radians(lat), _radians(lon)
    cos_phi = np.cos(phi)
    return np.stack([cos_phi * np.cos(lam), cos_phi * np.sin(lam), np.sin(phi)], axis=-1)


def _radians(degrees: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(np.radians(np.asarray(degrees, np.float64)))
