"""Land outlines and great circles on the Equal Earth projection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata import sphere

SOUTH, NORTH = -60.0, 84.5
"""Latitudes that a map shows when nothing lies beyond them."""

STEP_KM = 250.0
_A = (1.340264, -0.081106, 0.000893, 0.003796)

Floats = NDArray[np.float64]


def project(lat: Any, lon: Any) -> tuple[Floats, Floats]:
    """Return Equal Earth x and y of points in degrees, on the unit sphere, y up.

    References
    ----------
    Savric, Patterson and Jenny, Int. J. Geographical Information Science 33(3), 2019.

    Examples
    --------
    >>> x, y = project([0.0, 90.0], [180.0, 0.0])
    >>> x.round(4), y.round(4)
    (array([2.7066, 0.    ]), array([0.    , 1.3174]))
    """
    root3 = 3**0.5 / 2
    theta = np.arcsin(root3 * np.sin(np.radians(np.asarray(lat, np.float64))))
    a1, a2, a3, a4 = _A
    square, sixth = theta**2, theta**6
    y = theta * (a1 + a2 * square + sixth * (a3 + a4 * square))
    slope = a1 + 3 * a2 * square + sixth * (7 * a3 + 9 * a4 * square)
    x = np.radians(np.asarray(lon, np.float64)) * np.cos(theta) / (root3 * slope)
    return np.asarray(x), np.asarray(y)


def great_circle(lat1: float, lon1: float, lat2: float, lon2: float) -> list[Floats]:
    """Return the great circle between two points as pieces that do not cross the antimeridian.

    Returns
    -------
    list of ndarray, each of shape (k, 2)
        Latitude and longitude, degrees, at most `STEP_KM` apart. Antipodes have no one great
        circle: theirs goes over the north pole, and between the poles over the equator.

    Examples
    --------
    >>> [piece[[0, -1]].round(1).tolist() for piece in great_circle(0, 170, 0, -170)]
    [[[0.0, 170.0], [0.0, 180.0]], [[0.0, -180.0], [0.0, -170.0]]]
    """
    ends = np.array([_vector(lat1, lon1), _vector(lat2, lon2)])
    distance = float(sphere.haversine_km(lat1, lon1, lat2, lon2))
    angle = distance / sphere.EARTH_RADIUS_KM
    if np.pi - angle < 1e-6:
        over = (0.0, lon1) if abs(lat1) > 89.0 else (90.0, lon2)
        first = great_circle(lat1, lon1, over[0], lon1)
        return first + great_circle(*over, lat2, lon2)
    t = np.linspace(0.0, 1.0, max(2, int(np.ceil(distance / STEP_KM)) + 1))
    if angle < 1e-9:
        points = np.repeat(ends[:1], len(t), axis=0)
    else:
        weights = np.stack([np.sin((1 - t) * angle), np.sin(t * angle)], axis=1)
        points = weights @ ends / np.sin(angle)
    lat = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    lon = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
    return cut(lat, lon)


def _vector(lat: float, lon: float) -> Floats:
    phi, theta = np.radians(lat), np.radians(lon)
    return np.array([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])


def cut(lat: Floats, lon: Floats) -> list[Floats]:
    """Split a line, degrees, where longitude jumps; both pieces end on the antimeridian."""
    jumps = np.flatnonzero(np.abs(np.diff(lon)) > 180.0)
    if not len(jumps):
        return [np.stack([lat, lon], axis=1)]
    pieces, start = [], 0
    head: list[list[float]] = []
    for i in jumps.tolist():
        side = 180.0 if lon[i] > 0 else -180.0
        gap = (side - lon[i]) / (lon[i + 1] + 2 * side - lon[i])
        at = float(lat[i] + gap * (lat[i + 1] - lat[i]))
        body = np.stack([lat[start : i + 1], lon[start : i + 1]], axis=1).tolist()
        pieces.append(np.array([*head, *body, [at, side]]))
        head, start = [[at, -side]], i + 1
    rest = np.stack([lat[start:], lon[start:]], axis=1).tolist()
    return [*pieces, np.array([*head, *rest])]
