"""The edges of polygons and the grid cells they cross: what building an index passes along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.locate.index import CELL, COLUMNS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Cells know the edges up to this far outside them, so that rounding cannot move a point into a
# cell that lacks an edge it needs. Degrees; far above rounding (1e-13), far below 1e-7.
MARGIN = 1e-9


@dataclass(frozen=True)
class Edges:
    """Unique edges, lower end first, and the regions that each bounds (CSR)."""

    units: NDArray[np.int32]  # (e, 4) x_low, y_low, x_high, y_high in 1e-7 degrees
    degrees: Floats  # (e, 4) the same as float64 degrees
    start: Ints  # (e + 1,)
    region: Ints  # by edge; regions are numbered by precedence, 0 wins
    regions: int

    def bounds(self, edge: Ints) -> tuple[Ints, Ints]:
        """Return (i, region) for every region that edge[i] bounds."""
        who, at = expand(self.start[edge], self.start[edge + 1] - 1)
        return who, self.region[at]

    def candidates(self, edge: Ints, cell: Ints) -> tuple[Ints, Ints]:
        """Return the distinct (cell, region) pairs of (edge, cell) pairs, in order."""
        who, region = self.bounds(edge)
        key = np.unique(cell[who] * self.regions + region)
        return key // self.regions, key % self.regions


@dataclass(frozen=True)
class Heads:
    """The base cells that borders cross, how each is divided, and its edges."""

    cell: Ints
    k: Ints
    sub: Ints  # (n + 1,) first sub-cell of each
    edge: Ints  # (p,) the edges in each base cell, by head
    edge_head: Ints  # (p,)

    @property
    def west(self) -> Floats:
        """Western border of each head, degrees."""
        return np.asarray(-180.0 + self.cell % COLUMNS * CELL, np.float64)

    @property
    def south(self) -> Floats:
        """Southern border of each head, degrees."""
        return np.asarray(-90.0 + self.cell // COLUMNS * CELL, np.float64)


def expand(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Return (i, v) for every i and every v in first[i]..last[i]."""
    count = np.maximum(last - first + 1, 0)
    who = np.repeat(np.arange(len(first)), count)
    start = np.cumsum(count) - count
    return who, np.arange(len(who)) - start[who] + first[who]
