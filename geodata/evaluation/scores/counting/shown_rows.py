"""The rows that a report shows: those with the largest errors, and a seeded sample for a map."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WORST_ROWS = 20
SAMPLE_ROWS = 2_000

Floats = NDArray[np.float64]


class Kept(NamedTuple):
    """Rows that are shown, in the order in which they are."""

    rows: NDArray[np.int64]
    """Numbers of truth rows, shape (n,)."""
    distance_km: Floats
    key: Floats
    """What they are sorted by, the largest first; ties by row."""


class ShownRows:
    """Keeps rows to show while batches of joined rows go by; needs no second walk.

    Examples
    --------
    >>> shown = ShownRows(0)
    >>> shown.add(np.array([5.0, 9.0, 7.0]), np.array([True, False, True]))
    >>> shown.worst.rows.tolist(), shown.worst.distance_km.tolist()
    ([2, 0], [7.0, 5.0])
    """

    def __init__(self, seed: int) -> None:
        self.seed, self.rows = seed, 0
        none = Kept(np.empty(0, np.int64), np.empty(0), np.empty(0))
        self.worst, self.sample = none, none
        """The largest errors, and a random order that depends on the seed only."""

    def add(self, distance_km: Floats, answered: NDArray[np.bool_]) -> None:
        """Look at the next rows; both arrays have shape (rows of the batch,)."""
        draw = np.random.default_rng([self.seed, self.rows]).random(len(answered))
        for name, key, most in (("worst", distance_km, WORST_ROWS), ("sample", draw, SAMPLE_ROWS)):
            kept: Kept = getattr(self, name)
            # only rows that beat the last one kept are sorted: few, after the first batches
            cut = kept.key[-1] if len(kept.key) == most else -np.inf
            at = np.flatnonzero(answered & (key > cut))
            if len(at) > most:  # the last that can be kept, and all that are level with it
                at = at[key[at] >= np.partition(key[at], -most)[-most]]
            if len(at):
                setattr(
                    self, name, _first(kept, Kept(at + self.rows, distance_km[at], key[at]), most)
                )
        self.rows += len(answered)


def _first(kept: Kept, more: Kept, most: int) -> Kept:
    columns: list[NDArray[Any]] = [np.concatenate(pair) for pair in zip(kept, more, strict=True)]
    order = np.argsort(-columns[2], kind="stable")[:most]
    return Kept(*(column[order] for column in columns))
