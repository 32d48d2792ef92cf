"""Rows counted by half degree, which is as fine as a small map of the world can show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHAPE = (360, 720)
"""Rows of the raster from south to north, columns from -180 to 180 degrees."""


def count_cells(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many points fall into each half degree, shape `SHAPE`.

    Examples
    --------
    >>> counts = count_cells(np.array([90.0, -90.0]), np.array([-180.0, 179.9]))
    >>> int(counts[-1, 0]), int(counts[0, -1])
    (1, 1)
    """
    row = np.minimum(((lat + 90.0) * 2.0).astype(np.int64), SHAPE[0] - 1)
    col = np.minimum(((lon + 180.0) * 2.0).astype(np.int64), SHAPE[1] - 1)
    return np.bincount(row * SHAPE[1] + col, minlength=SHAPE[0] * SHAPE[1]).reshape(SHAPE)


def counted(
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return (rows, lat, lon) of the half degrees that hold rows, with their middles, (k,) each.

    Fuller ones come later, so that they are drawn over emptier ones.

    Examples
    --------
    >>> counts = count_cells(np.array([0.1, 0.1, -10.1]), np.array([0.1, 0.1, 20.1]))
    >>> [values.tolist() for values in counted(counts)]
    [[1, 2], [-10.25, 0.25], [20.25, 0.25]]
    """
    row, col = np.nonzero(counts)
    many = counts[row, col]
    order = np.argsort(many, kind="stable")
    lat = np.asarray((row[order] + 0.5) / 2.0 - 90.0, np.float64)
    lon = np.asarray((col[order] + 0.5) / 2.0 - 180.0, np.float64)
    return many[order], lat, lon
