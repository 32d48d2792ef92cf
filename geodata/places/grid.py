"""The grid of a file of places: which places can win the city of a point, at a glance.

There are 360 x 720 ``base`` cells of half a degree, row by row from the south-west, each
``8 * start + shift``. Base cell ``b`` holds ``2**shift`` rows of as many ``cells`` from
``start``, and each of these the number ``k`` of a list, 0 where no city is near. The candidates
are the places ``near[near_start[b] + j]`` for ``j`` in ``list_item[list_start[k] :
list_start[k + 1]]``: all that can win anywhere in the cell, in ascending order.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.files import ArrayFile
from geodata.sphere import EARTH_RADIUS_KM

BASE_ROWS, BASE_COLS = 360, 720
MAX_SHIFT = 5

_FINE = 2 << MAX_SHIFT  # finest cells in a degree
_SIDE = 1 << MAX_SHIFT  # and in a base cell
_LAST_ROW, _LAST_COL = BASE_ROWS * _SIDE - 1, BASE_COLS * _SIDE - 1

Floats = NDArray[np.float64]


class Lists(NamedTuple):
    """Candidate lists of n points, each of shape (n,).

    Attributes
    ----------
    first, length : ndarray of int32
        Where the point's list begins, and how many candidates it has; 0 where no city is near.
    near : ndarray of int32
        Where the places of the point's base cell begin.
    """

    first: NDArray[np.int32]
    length: NDArray[np.int32]
    near: NDArray[np.int32]


@dataclass(frozen=True)
class PlaceGrid:
    """The arrays of the grid, as laid out above."""

    base: NDArray[np.int32]
    cells: NDArray[np.int32]
    near_start: NDArray[np.int32]
    near: NDArray[np.int32]
    list_start: NDArray[np.int32]
    list_item: NDArray[np.uint16]

    @classmethod
    def of(cls, file: ArrayFile) -> PlaceGrid:
        """Take the grid from a file of places."""
        return cls(*(file.arrays[field.name] for field in fields(cls)))

    def lists(self, lat: Floats, lon: Floats) -> Lists:
        """Find the lists of points, (n,) degrees, longitude in [-180, 180)."""
        north = np.minimum(((lat + 90.0) * _FINE).astype(np.int32), _LAST_ROW)
        east = np.minimum(((lon + 180.0) * _FINE).astype(np.int32), _LAST_COL)
        around = (north >> MAX_SHIFT) * BASE_COLS + (east >> MAX_SHIFT)
        entry = self.base.take(around)
        shift = entry & 7
        drop = MAX_SHIFT - shift
        north, east = north & (_SIDE - 1), east & (_SIDE - 1)
        number = self.cells.take((entry >> 3) + ((north >> drop) << shift) + (east >> drop))
        first = self.list_start.take(number)
        length = self.list_start.take(number + 1) - first
        return Lists(first, length, self.near_start.take(around))

    def places(self, lists: Lists, k: int | NDArray[np.int64], m: int) -> NDArray[np.int32]:
        """Return candidate ``k`` of the first ``m`` lists, which must be longer than ``k``.

        ``k`` may also be one number for each of these lists, shape (m,).
        """
        item = self.list_item.take(lists.first[:m] + k)
        return self.near.take(lists.near[:m] + item)

    def at(self, lat: float, lon: float) -> list[int]:
        """Return the places that may win at one point."""
        view = self._view
        north = min(int((lat + 90.0) * _FINE), _LAST_ROW)
        east = min(int((lon + 180.0) * _FINE), _LAST_COL)
        around = (north >> MAX_SHIFT) * BASE_COLS + (east >> MAX_SHIFT)
        entry = view["base"][around]
        shift = entry & 7
        drop = MAX_SHIFT - shift
        north, east = north & (_SIDE - 1), east & (_SIDE - 1)
        number = view["cells"][(entry >> 3) + ((north >> drop) << shift) + (east >> drop)]
        items = view["list_item"][view["list_start"][number] : view["list_start"][number + 1]]
        near, first = view["near"], view["near_start"][around]
        return [near[first + item] for item in items]

    @cached_property
    def _view(self) -> dict[str, Any]:
        """The arrays as flat memory: one element costs a fifth of what it does through NumPy."""
        return {field.name: getattr(self, field.name).data for field in fields(self)}


def points_km(lat: Floats, lon: Floats) -> Floats:
    """Return points on the Earth's sphere, km, shape (3, n)."""
    phi, lam = np.radians(lat), np.radians(lon)
    cos_phi = np.cos(phi)
    return EARTH_RADIUS_KM * np.stack([cos_phi * np.cos(lam), cos_phi * np.sin(lam), np.sin(phi)])


def point_km(lat: float, lon: float) -> tuple[float, float, float]:
    """Return one point on the Earth's sphere, km: the numbers of `points_km`, bit for bit."""
    angles = np.radians(np.array([lat, lon]))
    (sin_phi, sin_lam), (cos_phi, cos_lam) = np.sin(angles).tolist(), np.cos(angles).tolist()
    x, y = EARTH_RADIUS_KM * (cos_phi * cos_lam), EARTH_RADIUS_KM * (cos_phi * sin_lam)
    return x, y, EARTH_RADIUS_KM * sin_phi
