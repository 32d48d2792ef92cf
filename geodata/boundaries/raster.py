"""Where a border can be within a distance at all: a raster, so that open sea costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geodata.boundaries.plane import cut
from geodata.sphere import EARTH_RADIUS_KM

ROWS, COLUMNS = 720, 1440
_CELLS = 4.0  # a degree

MAX_KM = 500.0
"""Above this limit hardly a cell is out of reach, and no raster is drawn."""

_ROUNDING = 1e-6  # degrees by which a box is larger than it need be
_LONGEST = 0.25  # degrees: the box of a longer edge would hold much that it does not reach

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Raster:
    """Quarter-degree cells that an edge may reach, row by row from the south-west; None for all."""

    near: NDArray[np.bool_] | None

    @classmethod
    def of(cls, edges: Floats, limit_km: float) -> Raster:
        """Draw what lies within ``limit_km`` of each edge; (e, 4) lon, lat, lon, lat.

        A long edge is drawn as the boxes of its parts.
        """
        if limit_km > MAX_KM:
            return cls(None)
        edges, _ = cut(edges, _LONGEST)
        west, east = (f(edges[:, 0], edges[:, 2]) for f in (np.minimum, np.maximum))
        south, north = (f(edges[:, 1], edges[:, 3]) for f in (np.minimum, np.maximum))
        angle = limit_km / EARTH_RADIUS_KM
        south, north = south - np.degrees(angle) - _ROUNDING, north + np.degrees(angle) + _ROUNDING
        # A circle is widest, in degrees, where its centre is nearest to a pole.
        steep = np.cos(np.radians(np.minimum(np.maximum(np.abs(south), np.abs(north)), 90.0)))
        ratio = np.sin(angle) / np.maximum(steep, 1e-12)
        wide = np.where(ratio < 1, np.degrees(np.arcsin(np.minimum(ratio, 1.0))), 180.0) + _ROUNDING
        counts = np.zeros((ROWS + 1, COLUMNS + 1), np.int32)
        low, high = _row(south), _row(north) + 1
        for shift in (-360.0, 0.0, 360.0):
            left, right = west - wide + shift, east + wide + shift
            here = (right >= -180.0) & (left < 180.0)
            first, past = _column(left[here]), _column(right[here]) + 1
            for row, sign in ((low[here], 1), (high[here], -1)):
                np.add.at(counts, (row, first), sign)
                np.add.at(counts, (row, past), -sign)
        drawn = counts.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
        return cls(np.ascontiguousarray(drawn[:-1, :-1] > 0).ravel())

    def may_reach(self, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
        """Return False for the points, (n,) degrees, that no edge is near enough to; True else."""
        if self.near is None:
            return np.ones(len(lat), bool)
        return self.near.take(_row(lat) * COLUMNS + _column(lon))

    def may_reach_one(self, lat: float, lon: float) -> bool:
        """Return what `may_reach` does, for one point."""
        if self.near is None:
            return True
        row = min(int((lat + 90.0) * _CELLS), ROWS - 1)
        return bool(self._view[row * COLUMNS + min(int((lon + 180.0) * _CELLS), COLUMNS - 1)])

    @cached_property
    def _view(self) -> memoryview:
        return memoryview(b"") if self.near is None else self.near.data


def _row(lat: Floats) -> NDArray[np.int64]:
    return np.clip((lat + 90.0) * _CELLS, 0, ROWS - 1).astype(np.int64)


def _column(lon: Floats) -> NDArray[np.int64]:
    return np.clip((lon + 180.0) * _CELLS, 0, COLUMNS - 1).astype(np.int64)
