"""The nearest point of short runs of edges, in a plane near by and on the sphere.

The plane is scaled at the point that is measured from; it is not true far away, nor by a pole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.sphere import unit_vectors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LONGEST = 0.5
"""Degrees of an edge that is measured as one; longer ones are cut."""


class Plane(NamedTuple):
    """Edges of m pieces as seen from m points, each (m, edges)."""

    square: Floats
    t: Floats
    start: tuple[Floats, Floats]
    along: tuple[Floats, Floats]

    def of(self, rows: Ints) -> Plane:
        """Return some of the pieces."""
        (ay, ax), (dy, dx) = self.start, self.along
        start, along = (ay[rows], ax[rows]), (dy[rows], dx[rows])
        return Plane(self.square[rows], self.t[rows], start, along)

    def nearest(self) -> tuple[Floats, Floats]:
        """Return the latitude and longitude of the nearest point of each piece, (m,)."""
        rows, edge = np.arange(len(self.square)), self.square.argmin(axis=1)
        t, (ay, ax), (dy, dx) = self.t[rows, edge], self.start, self.along
        return ay[rows, edge] + t * dy[rows, edge], ax[rows, edge] + t * dx[rows, edge]

    def nearest_of(self, rows: list[int]) -> tuple[Floats, Floats]:
        """Return what `nearest` does of a few pieces, without the fixed cost of arrays."""
        (ay, ax), (dy, dx) = self.start, self.along
        at = [(row, int(self.square[row].argmin())) for row in rows]
        lat = [ay[i].item() + self.t[i].item() * dy[i].item() for i in at]
        lon = [ax[i].item() + self.t[i].item() * dx[i].item() for i in at]
        return np.array(lat), np.array(lon)


def in_plane(y: Floats, x: Floats, edges: Floats) -> Plane:
    """Measure from points, (m,) or (1,) degrees, to the edges of pieces.

    Parameters
    ----------
    y, x : ndarray
        Latitudes and longitudes; the longitudes may leave ±180 to be near an edge.
    edges : ndarray, shape (m, 4, edges)
        Ends of the edges of each piece: lon, lat, lon, lat.
    """
    ax, ay, bx, by = edges[:, 0], edges[:, 1], edges[:, 2], edges[:, 3]
    scale = np.cos(np.radians(y))[:, None]
    py = y[:, None] - ay
    px = (x[:, None] - ax) * scale
    east, dy = bx - ax, by - ay
    dx = east * scale
    length = dx * dx + dy * dy
    along = (px * dx + py * dy) / np.where(length > 0, length, 1.0)
    t = np.minimum(np.maximum(along, 0.0), 1.0)  # half of what np.clip costs for a few
    px -= t * dx
    py -= t * dy
    square = px * px + py * py
    return Plane(square, t, (ay, ax), (dy, east))


def feet(y: Floats, x: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """Return the latitude and longitude of the nearest point of each piece, (m,), on the sphere.

    An edge is taken as the straight line through the Earth between its ends, from which one of a
    degree departs by 240 m: right wherever the point is.

    Parameters
    ----------
    y, x, edges
        As `in_plane` takes them.
    """
    start, end = (unit_vectors(edges[:, i + 1], edges[:, i]) for i in (0, 2))
    along, away = end - start, unit_vectors(y, x)[:, None] - start
    length = (along * along).sum(axis=-1)
    t = np.clip((away * along).sum(axis=-1) / np.where(length > 0, length, 1.0), 0.0, 1.0)
    edge = ((away - t[..., None] * along) ** 2).sum(axis=-1).argmin(axis=1)
    rows = np.arange(len(edge))
    lon, lat, lon_end, lat_end = edges[rows, :, edge].T
    t = t[rows, edge]
    return lat + t * (lat_end - lat), lon + t * (lon_end - lon)


def cut(ends: Floats, longest: float) -> tuple[Floats, Ints]:
    """Cut edges into parts of equal length, none longer than ``longest`` degrees along an axis.

    Returns
    -------
    ends : ndarray, shape (n, 4)
        In the order of the edges.
    edge : ndarray of int, shape (n,)
        Which edge each is a part of.
    """
    along = ends[:, 2:] - ends[:, :2]
    count = np.maximum(np.ceil(np.abs(along).max(axis=1) / longest), 1.0).astype(np.int64)
    edge = np.repeat(np.arange(len(ends)), count)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    share = np.stack([nth, nth + 1], axis=1) / count[edge, None]
    start, along = ends[edge, :2], along[edge]
    return np.hstack([start + along * share[:, :1], start + along * share[:, 1:]]), edge
