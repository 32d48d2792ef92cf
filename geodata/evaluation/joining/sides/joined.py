"""A prediction file, a truth file, and the two joined: one row a truth row, in its order.

The joined rows are streamed. What stays in memory is 24 bytes a truth row and 33 bytes a
prediction (key, latitude, longitude, status, position), whatever else the files hold; a truth
file's places are read once, its other columns when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import buffers
from geodata.evaluation.findings import Finding
from geodata.evaluation.joining.sides.checked_rows import (
    INVALID,
    LEVELS,
    MISSING,
    REFUSED,
    STATUSES,
    UNPARSABLE,
)
from geodata.evaluation.joining.sides.distances import DistanceColumn
from geodata.files import (
    BATCH_ROWS,
    Columns,
    Source,
    id_text,
)

Match = Literal["auto", "exact", "trim", "stem", "flat", "number", "endings", "case", "zeros"]


FIXED = ("id", "lat", "lon", "pred_lat", "pred_lon", "status")
"""Columns that every joined batch has."""

DISTANCE = "pred_distance_km"
"""Column of the errors, where the predictions' file has them instead of coordinates."""


@dataclass(frozen=True)
class Predictions:
    """A prediction file whose columns are known; its rows are read when they are needed."""

    source: Source
    columns: Columns
    """Where id, prediction and text are."""
    checked_text: str | None
    """Column with the model's words beside coordinate columns, for the linter."""
    distance: DistanceColumn | None = None
    """Column of the errors where the file has no coordinates, None where it has answers."""

    def used(self) -> list[str]:
        """Return the columns that a score needs, each once."""
        own = [] if self.distance is None else [self.distance.name]
        return list(dict.fromkeys([*self.columns.used(), *own]))


@dataclass(frozen=True)
class Truth:
    """A truth file whose columns are known."""

    source: Source
    columns: Columns
    extras: tuple[str, ...]
    """The other columns, which go along into the joined rows."""

    @property
    def has_places(self) -> bool:
        """Whether there are coordinates; rows with distances alone can be scored without."""
        return self.columns.lat is not None


class Answers(NamedTuple):
    """Coordinates and status of predictions, each of shape (predictions,)."""

    lat: NDArray[np.float64]
    """Degrees, NaN where there is none."""
    lon: NDArray[np.float64]
    status: NDArray[np.uint8]
    distance_km: NDArray[np.float64] | None = None
    """Errors that stand for answers, see `Predictions.distance`."""

    def head(self, rows: int) -> Answers:
        """Return the first so many."""
        errors = None if self.distance_km is None else self.distance_km[:rows]
        return Answers(self.lat[:rows], self.lon[:rows], self.status[:rows], errors)

    def same(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.bool_]:
        """Return where two arrays of rows hold the same answer."""
        same = self.status[first] == self.status[second]
        for values in (self.lat, self.lon, self.distance_km):
            if values is not None:
                a, b = values[first], values[second]
                same &= (a == b) | np.isnan(a) & np.isnan(b)
        return np.asarray(same)


class Unanswered(NamedTuple):
    """Truth rows without an answer; with the answered ones they are all rows."""

    refused: int
    """Words that decline to say where the place is."""
    unreadable: int
    """Words without a coordinate, or a coordinate that is no place."""
    missing: int
    """No row, or nothing in it."""


@dataclass(frozen=True)
class Joined:
    """Truth rows with their predictions; iterate `batches` as often as needed."""

    truth: Truth
    rows: int
    """Number of truth rows, the denominator of every share."""
    findings: list[Finding]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    """shape (rows,), degrees: the truth."""
    cuts: tuple[int, ...]
    """Rows of each batch as the truth was read."""
    matched: NDArray[np.int32] | None
    """shape (rows,): row of the prediction, -1 where none; None if row i has prediction i."""
    pred_lat: NDArray[np.float64]
    pred_lon: NDArray[np.float64]
    """shape (predictions,), degrees, NaN where there is none."""
    pred_status: NDArray[np.uint8]
    """shape (predictions,): index into `rows.STATUSES`."""
    pred_regions: dict[str, pa.Array]
    """Named regions of the predictions by level, text; empty where they name none."""
    pred_distance_km: NDArray[np.float64] | None = None
    """shape (predictions,), km: errors that the file has instead of coordinates, or None."""

    @property
    def has_truth(self) -> bool:
        """Whether the true places are known; a file of distances is scored without them too."""
        return self.truth.has_places

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of every batch."""
        regions = tuple(f"pred_{level}" for level in self.pred_regions)
        if self.pred_distance_km is not None:
            regions = (*regions, DISTANCE)
        return (*FIXED, *regions, *_renamed(self.truth.extras).values())

    def unanswered(self) -> Unanswered:
        """Count the truth rows without an answer by what they have instead."""
        counts = np.zeros(len(STATUSES), np.int64)
        for start in range(0, self.rows, BATCH_ROWS):
            stop = min(start + BATCH_ROWS, self.rows)
            at = np.arange(start, stop) if self.matched is None else self.matched[start:stop]
            codes = _gather(self.pred_status, at, MISSING)
            counts += np.bincount(codes, minlength=len(STATUSES))
        missing, refused = int(counts[MISSING]), int(counts[REFUSED])
        return Unanswered(refused, int(counts[[UNPARSABLE, INVALID]].sum()), missing)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield all rows in truth order, at most 131,072 at a time.

        Parameters
        ----------
        columns
            Some of `columns`, all by default; fewer are faster.

        Returns
        -------
        Iterator of pyarrow.RecordBatch
            ``id`` text; ``lat, lon`` and ``pred_lat, pred_lon`` float64 degrees, the latter
            NULL where there is no answer; ``status`` text; ``pred_country`` and so on where
            predictions name regions; then the other columns of the truth.
        """
        wanted = list(self.columns if columns is None else columns)
        new_name = _renamed(self.truth.extras)
        extras = [name for name in self.truth.extras if new_name[name] in wanted]
        start = 0
        for rows, table in self._tables(extras, with_ids="id" in wanted):
            rows = min(rows, self.rows - start)
            if not rows:
                return
            made = self._made(table, slice(start, start + rows), set(wanted))
            made |= {new_name[n]: _one_chunk(table.column(n).slice(0, rows)) for n in extras}
            yield pa.RecordBatch.from_pydict({name: made[name] for name in wanted})
            start += rows

    def _tables(self, extras: list[str], *, with_ids: bool) -> Iterator[tuple[int, pa.Table]]:
        """Yield the rows of each batch of the truth, and what is to be read of them."""
        name = self.truth.columns.id
        read = [name, *extras] if with_ids and name is not None else extras
        if not read:
            yield from ((rows, pa.table({})) for rows in self.cuts)
            return
        for batch in self.truth.source.batches(list(dict.fromkeys(read))):
            yield batch.table.num_rows, batch.table

    def ids_at(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the ids of a few truth rows, given in ascending order."""
        name = self.truth.columns.id
        if name is None:
            return [str(row + 1) for row in rows.tolist()]
        found = ids_of(self.truth.source, name, rows.tolist()) if len(rows) else []
        return [str(one) for one in found]

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows at once, see `batches`."""
        batches = list(self.batches(columns))
        if not batches:
            return pa.table({name: pa.array([], pa.null()) for name in columns or self.columns})
        return pa.concat_tables(
            [pa.Table.from_batches([batch]) for batch in batches], promote_options="permissive"
        )

    def _made(self, table: pa.Table, part: slice, wanted: set[str]) -> dict[str, pa.Array]:
        at = np.arange(part.start, part.stop) if self.matched is None else self.matched[part]
        made = {"lat": buffers.column(self.lat[part]), "lon": buffers.column(self.lon[part])}
        if "id" in wanted:
            made["id"] = _ids(table, self.truth.columns.id, part)
        if {"pred_lat", "pred_lon"} & wanted:
            lat = _gather(self.pred_lat, at, np.nan)
            mask = np.isnan(lat)
            made["pred_lat"] = buffers.column(lat, absent=mask)
            made["pred_lon"] = buffers.column(_gather(self.pred_lon, at, np.nan), absent=mask)
        if "status" in wanted:
            codes = _gather(self.pred_status, at, MISSING)
            made["status"] = pa.array(STATUSES).take(pa.array(codes))
        if DISTANCE in wanted and self.pred_distance_km is not None:
            errors = _gather(self.pred_distance_km, at, np.nan)
            made[DISTANCE] = buffers.column(errors, absent=np.isnan(errors))
        for level, names in self.pred_regions.items():
            if f"pred_{level}" in wanted:
                made[f"pred_{level}"] = names.take(buffers.column(at, absent=at < 0))
        return made


def _renamed(extras: Sequence[str]) -> dict[str, str]:
    """Map truth columns to names that the joined rows do not use themselves."""
    taken = {*FIXED, DISTANCE, *(f"pred_{level}" for level in LEVELS)}
    return {name: f"truth_{name}" if name in taken else name for name in extras}


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def ids_of(source: Source, column: str, rows: Sequence[int]) -> list[str | None]:
    """Return the ids of a few rows of a source, given in ascending order; None for no id."""
    out: list[str | None] = []
    start = 0
    for batch in source.batches([column]) if len(rows) else ():
        stop = start + batch.table.num_rows
        inside = [row - start for row in rows[len(out) :] if row < stop]
        if inside:
            ids = id_text(batch.table.column(column).take(buffers.column(np.array(inside))))
            out += ids.to_pylist()
        start = stop
        if len(out) == len(rows):
            break
    return out


def words_of(predictions: Predictions, rows: NDArray[np.int64]) -> list[str | None]:
    """Return the model's words in a few rows of its file, in any order; None where it has none."""
    name = predictions.columns.text or predictions.checked_text
    found: dict[int, str | None] = {}
    start = 0
    for batch in predictions.source.batches([name]) if name and len(rows) else ():
        stop = start + batch.table.num_rows
        for row in rows[(rows >= start) & (rows < stop)].tolist():
            value = batch.table.column(name)[row - start].as_py()
            found[row] = value if isinstance(value, str) and value.strip() else None
        start = stop
    return [found.get(row) for row in rows.tolist()]


def _ids(table: pa.Table, name: str | None, part: slice) -> pa.Array:
    if name is None:
        return pa.array([str(i + 1) for i in range(part.start, part.stop)], pa.string())
    ids = id_text(table.column(name).slice(0, part.stop - part.start))
    return _one_chunk(ids) if isinstance(ids, pa.ChunkedArray) else ids


def _gather(values: NDArray[Any], at: NDArray[Any], absent: float) -> NDArray[Any]:
    """Return ``values[at]`` with ``absent`` where ``at`` is -1."""
    if not len(values):
        return np.full(len(at), absent, values.dtype)
    there = at >= 0
    if there.all():
        return values.take(at)  # a third of the time of an index
    out = np.full(len(at), absent, values.dtype)
    out[there] = values[at[there]]
    return out
