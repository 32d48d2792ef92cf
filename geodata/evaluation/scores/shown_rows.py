"""The rows that a report shows: those with the largest errors, and a seeded sample for a map."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.evaluation.scores.result import Row

WORST_ROWS = 20
SAMPLE_ROWS = 2_000


@dataclass
class ShownRows:
    """Keeps rows to show while batches of joined rows go by; needs no second walk."""

    seed: int
    worst: list[tuple[float, int, Row]] = field(default_factory=list)
    """Each with what it is sorted by: the negative error, then the number of the row."""
    sample: list[tuple[float, int, Row]] = field(default_factory=list)
    rows: int = 0

    def add(
        self, batch: pa.Table, distance_km: NDArray[np.float64], answered: NDArray[np.bool_]
    ) -> None:
        """Look at the next rows; both arrays have shape (rows of the batch,)."""
        draw = np.random.default_rng([self.seed, self.rows]).random(batch.num_rows)
        for kept, key, most in (
            (self.worst, distance_km, WORST_ROWS),
            (self.sample, draw, SAMPLE_ROWS),
        ):
            # only rows that beat the last one kept are sorted: few, after the first batches
            cut = -kept[-1][0] if len(kept) == most else -np.inf
            at = np.flatnonzero(answered & (key > cut))
            at = at[np.argsort(-key[at], kind="stable")[:most]]
            picked = batch.select(["id", "lat", "lon", "pred_lat", "pred_lon"]).take(at)
            for i, row in zip(at.tolist(), picked.to_pylist(), strict=True):
                shown = Row(**row, distance_km=float(distance_km[i]))
                kept.append((-float(key[i]), self.rows + i, shown))
            kept.sort(key=lambda entry: entry[:2])
            del kept[most:]
        self.rows += batch.num_rows

    def worst_rows(self) -> tuple[Row, ...]:
        """Return the rows with the largest errors, the largest first."""
        return tuple(row for *_, row in self.worst)

    def sample_rows(self) -> tuple[Row, ...]:
        """Return answered rows in a random order that depends on the seed only."""
        return tuple(row for *_, row in self.sample)
