"""What recipes share: rows chosen by a mask, and samples that depend on nothing but the rows.

A row's place in a sample is a 64-bit key: the hash of its ``photo_id`` (`geodata.hashing`)
mixed with the seed. The n rows with the smallest keys are the sample. So it depends on neither
the order of rows or files nor on threads, and a smaller sample is part of every larger one with
the same seed. Rows whose keys are equal (a photo that occurs twice) are ordered by the hash of
the whole row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import coords
from geodata.hashing import sampling_keys, type_text
from geodata.photos import STATUSES
from geodata.tables import DatasetError, Input

Mask = NDArray[np.bool_]
Keys = NDArray[np.uint64]

ID = "photo_id"
STATUS = "status"
CELL = "h3_5"
"""H3 cell of resolution 5, stored with every photo."""


@dataclass(frozen=True)
class Made:
    """What a recipe made: rows still to be written, and what it counted."""

    schema: pa.Schema
    batches: Iterator[pa.Table]
    rows: int
    report: dict[str, Any]
    empty: str = "no row of the input is left"
    """Why there are no rows, if there are none."""
    keep: Mask | None = None
    """The rows of the input ``rows`` that these are, unchanged, where they are some of them."""


def chosen(source: Input, keep: Mask, report: dict[str, Any], **why: str) -> Made:
    """Return the rows of a table where ``keep``, shape (rows,), is True, in their order."""
    rows = where(source, keep)
    return Made(source.table.schema, rows, int(keep.sum()), report, **why, keep=keep)


def where(source: Input, keep: Mask) -> Iterator[pa.Table]:
    """Yield the rows where ``keep``, shape (rows,), is True."""
    start = 0
    for table in source.batches():
        part = keep[start : start + table.num_rows]
        start += table.num_rows
        if part.any():
            yield table if part.all() else table.filter(pa.array(part))


def smallest(source: Input, key: Keys, among: Mask, n: int, seed: int) -> Mask:
    """Return the mask of the ``n`` rows with the smallest keys among some, shape (rows,).

    Parameters
    ----------
    key
        Of every row, shape (rows,).
    among
        The rows to choose from; at least ``n`` are True.
    """
    rows = np.flatnonzero(among)
    keep = np.zeros(len(key), bool)
    if n >= len(rows):
        keep[rows] = True
        return keep
    if n == 0:
        return keep
    last = np.partition(key[rows], n - 1)[n - 1]
    keep[rows[key[rows] < last]] = True
    tied = rows[key[rows] == last]
    need = n - int(keep.sum())
    keep[_first_by_content(source, tied, seed)[:need]] = True
    return keep


def _first_by_content(source: Input, rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Order rows whose keys are equal by the hash of all their columns."""
    if len(rows) == 1:
        return rows
    mask = np.zeros(source.table.rows, bool)
    mask[rows] = True
    parts = [sampling_keys(t, seed, t.column_names) for t in where(source, mask)]
    return rows[np.argsort(np.concatenate(parts), kind="stable")]


def usable_points(
    source: Input, extra: Sequence[str] = ()
) -> Iterator[tuple[coords.Coordinates, Mask, pa.Table]]:
    """Yield coordinates, which rows a dataset can use, and the ``extra`` columns beside them.

    A row is usable with a valid coordinate, unless the import gave it a status other than ``ok``,
    such as ``photo_unavailable``.
    """
    status = [STATUS] if STATUS in source.columns else []
    for points, table in source.points([*extra, *status]):
        usable = points.valid
        if status and pa.types.is_string(table.schema.field(STATUS).type):
            refused = pc.is_in(table[STATUS], pa.array([s for s in STATUSES if s != "ok"]))
            usable = usable & ~np.asarray(refused).astype(bool)
        yield points, usable, table


def need_plain(source: Input, *names: str) -> None:
    """Check that columns are there whose values can be compared: no lists, no structs.

    Raises
    ------
    DatasetError
        If one is not there, or is nested.
    """
    source.need(*names)
    schema = source.source.no_rows().schema
    for name in names:
        kind = schema.field(name).type
        if pa.types.is_nested(kind):
            msg = (
                f"{source.label}: the column {name!r} holds {type_text(kind)}, whose values cannot "
                "be told apart here; choose a column of texts or numbers"
            )
            raise DatasetError(msg)


def left_out(valid: Mask, usable: Mask) -> dict[str, int]:
    """Count the rows that no sample takes, for a report."""
    return {
        "rows_in": len(valid),
        "without_valid_coordinates": int((~valid).sum()),
        "with_another_status_than_ok": int((valid & ~usable).sum()),
    }


def check_count(n: int | None, available: int, what: str) -> int:
    """Return how many rows to take, all for None; none where none are there.

    Raises
    ------
    DatasetError
        For a number below 1 or above what is there. Where nothing is there, the recipe says why.
    """
    if n is None:
        return available
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        msg = f"n={n!r} must be a whole number above 0"
        raise DatasetError(msg)
    if n > available > 0:
        remedy = f"choose n={available} (-n {available}) or fewer"
        msg = f"n={n:,} rows are wanted, {available:,} {what}; {remedy}"
        raise DatasetError(msg)
    return min(n, available)


def has_cells(table: pa.Table) -> bool:
    """Return whether H3 cells are stored with the rows, as numbers."""
    stored = table.schema.field(CELL) if CELL in table.column_names else None
    return stored is not None and bool(pa.types.is_integer(stored.type))


def cells_of(lat: NDArray[np.float64], lon: NDArray[np.float64], resolution: int = 5) -> Any:
    """Return the H3 cells of valid points as int64, shape (n,)."""
    from h3ronpy import vector

    found = pa.array(vector.coordinates_to_cells(lat, lon, resolution))
    return np.asarray(found).astype(np.uint64).view(np.int64)
