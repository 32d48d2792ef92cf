"""Give the strips between the two boundary layers their admin1 at build time.

The country layer reaches farther out to sea than the unit layer, and along land borders the two
differ by some hundred metres. A point there belongs to the nearest unit of its country. For most
cells of the index that unit is the same all over the cell, which is certain when every other unit
is farther from the cell's centre by more than the cell's diameter: those cells are filled here.
Whole base cells that are not certain, far out at sea, are divided first. What then stays open,
`geodata.boundaries.BoundarySet` measures point by point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.boundaries.nearest import Borders
from geodata.locate import CELL, COLUMNS, Index
from geodata.sphere import haversine_km

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_DIVISION = 4
"""Parts of an open base cell along each side; 8 would halve what stays open and double the index
of the bundled set's sea."""

_SAFETY = 1.1
"""On the diameter: distances to a border are measured in a plane."""

_DOUBT = 0.01
"""Of the distance, by which that may be wrong where it is far."""

_LEAST_KM = 1.0
"""A doubt that is within the safety."""


def fill(
    index: Index,
    owners: NDArray[np.int32],
    is_open: NDArray[np.bool_],
    group: Ints,
    borders: Borders,
    *,
    records: bool = True,
    cells: Ints | None = None,
) -> Index:
    """Return the index with open owners replaced wherever one unit is certain.

    Parameters
    ----------
    index : Index
    owners : ndarray of int32, shape (o, columns)
        Country row, unit row (-1 for none) and what else each owner id keeps.
    is_open : ndarray of bool, shape (o,)
        Owners that have a country but no unit although the country has units.
    group : ndarray of int, shape (countries,)
        Group of each country row: rows of one country share it.
    borders : Borders
        The units' borders, in the groups of their countries.
    records : bool
        Also fill the cells that borders cross: half of the time, for a strip of points.
    cells : ndarray of int, optional
        Base cells to fill, row by row from the south-west; all by default. What is certain in one
        does not depend on the others.
    """
    data = {name: array.copy() for name, array in index.data.items()}
    book = _Owners(owners)
    wanted = np.ones(len(data["base"]), bool)
    if cells is not None:
        wanted[:] = False
        wanted[cells] = True
    for name, places in (("base", _base_cells), ("sub", _sub_cells)):
        if name == "sub":
            _divide(data, is_open, wanted)
        at = _open_cells(data[name], is_open)
        at = at[wanted[at if name == "base" else _home(data, at)]]
        owner = data[name][at]
        unit = _certain_unit(group[owners[owner, 0]], *places(data, at), borders)
        sure = unit >= 0
        data[name][at[sure]] = book.ids(owner[sure], unit[sure])
    if records:
        _fill_records(data, owners, is_open, group, borders, book, wanted)
    data["owners"] = book.table()
    return Index(data, index.meta)


class _Owners:
    """Owner ids for rows of the levels, new ones appended to those of the index."""

    def __init__(self, owners: NDArray[np.int32]) -> None:
        self._rows = [tuple(row) for row in owners.tolist()]
        self._id = {row: i for i, row in reversed(list(enumerate(self._rows)))}

    def ids(self, owner: NDArray[Any], unit: NDArray[Any]) -> NDArray[np.int32]:
        """Return the ids of owners whose unit is replaced."""
        out = np.empty(len(owner), np.int32)
        for i, (old, new) in enumerate(zip(owner.tolist(), unit.tolist(), strict=True)):
            country, _, *deeper = self._rows[old]
            row = (country, new, *deeper)
            if row not in self._id:
                self._id[row] = len(self._rows)
                self._rows.append(row)
            out[i] = self._id[row]
        return out

    def table(self) -> NDArray[np.int32]:
        return np.array(self._rows, np.int32)


def _open_cells(cells: NDArray[np.int32], is_open: NDArray[np.bool_]) -> Ints:
    """Positions of the cells that are not filled; owners beyond ``is_open`` are filled ones."""
    known = (cells >= 0) & (cells < len(is_open))
    return np.flatnonzero(known & is_open[np.where(known, cells, 0)])


def _divide(
    data: dict[str, NDArray[Any]], is_open: NDArray[np.bool_], wanted: NDArray[np.bool_]
) -> None:
    """Divide the base cells that are open still, so that parts of them can be filled."""
    cell = _open_cells(data["base"], is_open)
    cell = cell[wanted[cell]]
    size = _DIVISION * _DIVISION
    first = len(data["sub"]) + np.arange(len(cell)) * size
    data["sub"] = np.r_[data["sub"], np.repeat(data["base"][cell], size)]
    data["base"][cell] = ~(len(data["head"]) + np.arange(len(cell), dtype=np.int32))
    data["head"] = np.r_[data["head"], (first << 8) | int(np.log2(_DIVISION))]


def _base_cells(data: dict[str, NDArray[Any]], at: Ints) -> tuple[Floats, Floats, Floats]:
    """South, west and size of base cells, degrees."""
    row, column = np.divmod(at, COLUMNS)
    return -90.0 + row * CELL, -180.0 + column * CELL, np.full(len(at), CELL)


def _home(data: dict[str, NDArray[Any]], at: Ints) -> Ints:
    """Return the base cells of sub-cells."""
    cell = np.flatnonzero(data["base"] < 0)
    cell = cell[np.argsort(~data["base"][cell])]  # of each head
    return np.asarray(cell[np.searchsorted(data["head"] >> 8, at, "right") - 1])


def _sub_cells(data: dict[str, NDArray[Any]], at: Ints) -> tuple[Floats, Floats, Floats]:
    """South, west and size of sub-cells, degrees."""
    first = data["head"] >> 8
    head = np.searchsorted(first, at, "right") - 1
    south, west, _ = _base_cells(data, _home(data, at))
    k = np.left_shift(1, data["head"][head] & 255)
    row, column = np.divmod(at - first[head], k)
    return south + row * (CELL / k), west + column * (CELL / k), CELL / k


def _certain_unit(group: Ints, south: Floats, west: Floats, size: Floats, borders: Borders) -> Ints:
    """Return the unit that is nearest all over each cell, or -1 where that is not certain."""
    lat, lon = south + size / 2, west + size / 2
    # the farthest corner is one on the side of the equator
    corner = np.where(lat >= 0, south, south + size)
    diameter = 2 * haversine_km(lat, lon, corner, west)
    unit = np.full(len(group), -1, np.int64)
    at, slack = np.arange(len(group)), diameter * _SAFETY
    for _ in range(2):  # how far the nearest is, and so the doubt, is known after the first
        found = borders.within(lat[at], lon[at], group=group[at], slack_km=slack)
        point, first, count = np.unique(found.point, return_index=True, return_counts=True)
        unit[at] = -1
        alone = point[count == 1]
        unit[at[alone]] = found.region[first[count == 1]]
        doubt = _DOUBT * found.distance_km[first[count == 1]]
        at, slack = at[alone[doubt > _LEAST_KM]], (slack[alone] + doubt)[doubt > _LEAST_KM]
    return unit


def _fill_records(
    data: dict[str, NDArray[Any]],
    owners: NDArray[np.int32],
    is_open: NDArray[np.bool_],
    group: Ints,
    borders: Borders,
    book: _Owners,
    within: NDArray[np.bool_],
) -> None:
    """Give each record whose table has open owners a table with its own units instead."""
    starts, table_of = np.unique(data["table_start"], return_inverse=True)
    bounds = np.r_[starts, len(data["table"])]
    open_countries = [
        np.unique(owners[rows[is_open[rows]], 0])
        for rows in np.split(data["table"], starts[1:])
    ]  # fmt: skip
    width = max((len(c) for c in open_countries), default=0)
    wanted = np.full((len(starts), width), -1, np.int64)
    for i, found in enumerate(open_countries):
        wanted[i, : len(found)] = found
    cell = np.flatnonzero(data["sub"] < 0)
    mine = within[_home(data, cell[~data["sub"][cell]])]
    units = np.full((len(table_of), width), -1, np.int64)
    for j in range(width):
        country = wanted[table_of, j]
        has = np.flatnonzero((country >= 0) & mine)
        square = _sub_cells(data, cell[~data["sub"][cell]][has])
        units[has, j] = _certain_unit(group[country[has]], *square, borders)
    fresh = np.flatnonzero((units >= 0).any(axis=1))
    keys, which = np.unique(np.c_[table_of[fresh], units[fresh]], axis=0, return_inverse=True)
    tables, length = [data["table"]], len(data["table"])
    start = np.empty(len(keys), np.int64)
    for i, key in enumerate(keys):
        before = data["table"][bounds[key[0]] : bounds[key[0] + 1]]
        table = before.copy()
        for country, unit in zip(wanted[key[0]], key[1:], strict=True):
            if unit >= 0:
                hit = is_open[before] & (owners[before, 0] == country)
                table[hit] = book.ids(before[hit], np.full(np.count_nonzero(hit), unit))
        start[i], length = length, length + len(table)
        tables.append(table)
    data["table_start"][fresh] = start[which.ravel()]
    data["table"] = np.concatenate(tables)
