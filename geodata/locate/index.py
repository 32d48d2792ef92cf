"""Exact point-in-polygon for every layer in one pass: which region owns each point.

The index is a grid of quarter-degree base cells. A base cell without a border holds its answer;
one with borders is divided into k x k sub-cells; a sub-cell that borders cross holds the few
edges inside it. One query is one gather for most points, two for the rest, and a short loop over
edges for the points near a border; it does not depend on the number of vertices.

**Rule.** A point belongs to a polygon when a ray towards the east crosses its edges an odd number
of times, an edge being crossed when ``y_low <= y < y_high`` and the point is strictly left of it.
Every edge is oriented the same way (lower end first) whichever polygon it comes from, and the
left-of test is exact, so a point on a border that two regions share lies in exactly one of them.
Where polygons of one layer overlap, the one with the smallest area wins.

**Layout**, all arrays C order, ready to be memory-mapped and read by a compiled kernel:

===============  ========  =====================================================================
array            shape     content
===============  ========  =====================================================================
``base``         (W*H,)    row-major from (-90, -180); >= 0: owner id, < 0: ``~head``
``head``         (n,)      ``sub offset << 8 | log2 k`` of a divided base cell
``sub``          (n,)      k*k sub-cells, row-major; >= 0: owner id, < 0: ``~record``
``edge_start``   (r + 1,)  first edge of each record
``table_start``  (r,)      where the record's part of ``table`` begins
``inside``       (r,)      bit j: candidate j's parity before any edge is looked at
``edge``         (e, 4)    x_low, y_low, x_high, y_high in 1e-7 degrees
``mask``         (e,)      bit j: the edge bounds candidate j; bits 14, 15: see `edge_masks`
``table``        (t,)      owner id by the candidates' parities
``owners``       (o, L)    region of each layer for an owner id, -1 for none
===============  ========  =====================================================================
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata import files
from geodata.files import FileError

COLUMNS, ROWS = 1440, 720
CELL = 0.25
UNITS = 1e7
"""Vertices are integers in 1e-7 degrees (1.1 cm); ``n / UNITS`` is the nearest float64."""

LOW_EAST, HIGH_EAST = np.uint16(1 << 14), np.uint16(1 << 15)
CANDIDATE_BITS = np.uint16((1 << 14) - 1)
MAX_CANDIDATES = 14

# Shewchuk's bound for the sign of a 2 x 2 determinant of differences is 3.3e-16.
_UNCERTAIN = 4e-16
_CHUNK = 1 << 16
FORMAT = "locate-1"


@dataclass(frozen=True)
class Index:
    """Owners of points; build one with `geodata.locate.building.build` or `load`.

    Attributes
    ----------
    data : mapping of name to array
        The arrays of the module's table.
    meta : mapping
        What made the index: format, number of layers and regions, and the caller's notes.
    """

    data: dict[str, NDArray[Any]]
    meta: dict[str, Any]

    @property
    def owners(self) -> NDArray[np.int32]:
        """Region of each layer for every owner id, shape (o, L); -1 where there is none."""
        return self.data["owners"]

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        return sum(array.nbytes for array in self.data.values())

    def locate(self, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.int32]:
        """Return the owner id of each point.

        Parameters
        ----------
        lat, lon : array_like of shape (n,), degrees
            Finite, latitude in [-90, 90], longitude in [-180, 180); `geodata.coords.arrays`
            makes them so.

        Returns
        -------
        ndarray of int32, shape (n,)
            Row of `owners`.
        """
        y, x = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
        out = np.empty(len(y), np.int32)
        for part in _chunks(len(y)):
            out[part] = self._locate(y[part], x[part])
        return out

    def regions(self, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.int32]:
        """Return the region of each layer for each point, shape (n, L); -1 for none."""
        return self.owners[self.locate(lat, lon)]

    def _locate(self, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.int32]:
        data = self.data
        col_f, row_f = (x + 180.0) * (1 / CELL), (y + 90.0) * (1 / CELL)
        col = np.minimum(col_f.astype(np.int32), COLUMNS - 1)
        row = np.minimum(row_f.astype(np.int32), ROWS - 1)
        out = data["base"].take(row * COLUMNS + col)
        divided = np.flatnonzero(out < 0)
        if not len(divided):
            return out
        head = data["head"].take(~out[divided])
        k = np.left_shift(1, head & 255)
        i = np.minimum(((col_f[divided] - col[divided]) * k).astype(np.int64), k - 1)
        j = np.minimum(((row_f[divided] - row[divided]) * k).astype(np.int64), k - 1)
        value = data["sub"].take((head >> 8) + j * k + i)
        out[divided] = value
        crossed = np.flatnonzero(value < 0)
        if len(crossed):
            point = divided[crossed]
            out[point] = self._resolve(~value[crossed], y[point], x[point])
        return out

    def _resolve(
        self, record: NDArray[np.int32], y: NDArray[np.float64], x: NDArray[np.float64]
    ) -> NDArray[np.int32]:
        """Return owners of points in cells that borders cross, by the parity of the crossings."""
        data = self.data
        first = data["edge_start"].take(record)
        count = data["edge_start"].take(record + 1) - first
        start = np.cumsum(count) - count
        which = np.repeat(np.arange(len(record)), count)
        edge = np.arange(len(which)) + np.repeat(first - start, count)
        masks = edge_masks(
            data["edge"].take(edge, axis=0), data["mask"].take(edge), y.take(which), x.take(which)
        )
        parity = np.bitwise_xor.reduceat(masks, start) ^ data["inside"].take(record)
        row = data["table_start"].take(record) + (parity & CANDIDATE_BITS)
        return np.asarray(data["table"].take(row))

    @cached_property
    def _views(self) -> tuple[Any, ...]:
        """Plain buffers for `locate_one`: indexing them costs a fifth of indexing an array."""
        names = ("base", "head", "sub", "edge_start", "table_start", "inside", "mask", "table")
        flat = [np.ascontiguousarray(self.data[name]).reshape(-1) for name in (*names, "edge")]
        return tuple(memoryview(array) for array in flat)  # type: ignore[arg-type]

    def locate_one(self, lat: float, lon: float) -> int:
        """Return the owner id of one point; the same answer as `locate`, without arrays."""
        base, head, sub, edge_start, table_start, inside, mask, table, edge = self._views
        col_f, row_f = (lon + 180.0) * (1 / CELL), (lat + 90.0) * (1 / CELL)
        col, row = min(int(col_f), COLUMNS - 1), min(int(row_f), ROWS - 1)
        owner: int = base[row * COLUMNS + col]
        if owner >= 0:
            return owner
        packed = head[~owner]
        k = 1 << (packed & 255)
        i, j = min(int((col_f - col) * k), k - 1), min(int((row_f - row) * k), k - 1)
        owner = sub[(packed >> 8) + j * k + i]
        if owner >= 0:
            return owner
        record = ~owner
        parity = inside[record]
        for e in range(edge_start[record], edge_start[record + 1]):
            if _toggles(edge[4 * e :], mask[e], lat, lon):
                parity ^= mask[e]
        found: int = table[table_start[record] + (parity & int(CANDIDATE_BITS))]
        return found

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the index as one file that `load` maps; return its SHA-256."""
        return files.save_arrays(path, self.data, self.meta)


def load(path: str | os.PathLike[str], *, verify: bool = False) -> Index:
    """Map an index file; with ``verify`` read it all and check its SHA-256.

    Raises
    ------
    geodata.files.FileError
        If it is no array file, is damaged, or was written in another format.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import box
    >>> from geodata.locate import build
    >>> folder = tempfile.TemporaryDirectory()
    >>> _ = build([box(0, 0, 1, 1), box(1, 0, 2, 1)]).save(folder.name + "/squares.index")
    >>> load(folder.name + "/squares.index", verify=True).regions([0.5, 0.5], [0.5, 1.5])
    array([[0],
           [1]], dtype=int32)
    >>> folder.cleanup()
    """
    file = files.load_arrays(path, verify=verify)
    if file.meta.get("format") != FORMAT:
        found = file.meta.get("format", "no format")
        msg = f"{path}: expected an index in format {FORMAT}, found {found}; build it again"
        raise FileError(msg)
    return Index(file.arrays, file.meta)


def base_cell(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.int64]:
    """Return the base cells of points, (n,) degrees, row by row from the south-west.

    Examples
    --------
    >>> base_cell([-90.0, -90.0, 90.0], [-180.0, -179.7, -180.0])
    array([      0,       1, 1035360])
    """
    row = np.minimum((np.asarray(lat, np.float64) + 90.0) * (1 / CELL), ROWS - 1).astype(np.int64)
    column = (np.asarray(lon, np.float64) + 180.0) * (1 / CELL)
    return row * COLUMNS + np.minimum(column, COLUMNS - 1).astype(np.int64)


def edge_masks(
    edge: NDArray[np.int32],
    mask: NDArray[np.uint16],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
) -> NDArray[np.uint16]:
    """Return the mask of each edge that toggles its point, else 0; shapes (n, 4), (n,), (n,).

    An edge toggles a point when the point's ray crosses it. Where an end lies east of the cell,
    the edges that continue there are not in the cell, so ``[y >= y_end]`` is added, which makes
    the parity of the cell's own edges change exactly where the true parity does.
    """
    ends = edge / UNITS
    ax, ay, bx, by = ends[:, 0], ends[:, 1], ends[:, 2], ends[:, 3]
    above_low, above_high = y >= ay, y >= by
    spans = above_low ^ above_high
    t1, t2 = (bx - ax) * (y - ay), (by - ay) * (x - ax)
    det = t1 - t2
    left = det > 0
    unsure = np.flatnonzero(spans & (np.abs(det) <= _UNCERTAIN * (np.abs(t1) + np.abs(t2))))
    for i in unsure:
        left[i] = left_of(ax[i], ay[i], bx[i], by[i], x[i], y[i])
    toggles = (
        (spans & left)
        ^ (above_low & ((mask & LOW_EAST) != 0))
        ^ (above_high & ((mask & HIGH_EAST) != 0))
    )
    return np.where(toggles, mask, np.uint16(0))


def left_of(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> bool:
    """Return whether (x, y) is strictly left of the edge from a up to b, in exact arithmetic."""
    fax, fay, fbx, fby, fx, fy = (Fraction(float(v)) for v in (ax, ay, bx, by, x, y))
    return (fbx - fax) * (fy - fay) > (fby - fay) * (fx - fax)


def _toggles(edge: Any, mask: int, y: float, x: float) -> bool:
    ax, ay, bx, by = edge[0] / UNITS, edge[1] / UNITS, edge[2] / UNITS, edge[3] / UNITS
    above_low, above_high = y >= ay, y >= by
    toggles = False
    if above_low != above_high:
        t1, t2 = (bx - ax) * (y - ay), (by - ay) * (x - ax)
        det = t1 - t2
        if abs(det) <= _UNCERTAIN * (abs(t1) + abs(t2)):
            toggles = left_of(ax, ay, bx, by, x, y)
        else:
            toggles = det > 0
    east_low, east_high = bool(mask & int(LOW_EAST)), bool(mask & int(HIGH_EAST))
    return toggles ^ (above_low and east_low) ^ (above_high and east_high)


def _chunks(n: int) -> Iterator[slice]:
    """Parts that stay in the processor's cache."""
    return (slice(at, min(at + _CHUNK, n)) for at in range(0, n, _CHUNK))
