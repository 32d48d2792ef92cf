"""The recipe ``dedupe``: one row of those that repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geodata import coords
from geodata.datasets.recipes.sampling import ID, Keys, Made, Mask, chosen, need_plain, where
from geodata.hashing import sampling_keys
from geodata.tables import DatasetError, Input


def dedupe(inputs: Mapping[str, Input], seed: int, *, by: Sequence[str] | str = (ID,)) -> Made:
    """Keep one row of those that are equal in some columns.

    Parameters
    ----------
    by
        Columns that make a repetition together: ``photo_id``, or ``author, lat, lon`` for a
        series of photos from one spot. A row with NULL in one of them repeats nothing. Of rows
        that repeat, one with valid coordinates stays before one without, else the one whose
        whole content has the smallest key.
    """
    rows = inputs["rows"]
    columns = _names(by)
    need_plain(rows, *columns)
    parts = [_marks(table, seed, columns) for table in rows.batches(columns)]
    mark = np.concatenate([p[0] for p in parts]) if parts else np.empty(0, np.uint64)
    whole = np.concatenate([p[1] for p in parts]) if parts else np.empty(0, bool)
    keep = np.ones(len(mark), bool)
    suspects = whole & _repeated(mark)
    keep[suspects] = _kept_of(rows, suspects, columns, seed)
    report = {
        "rows_in": len(keep),
        "by": columns,
        "rows_that_repeat_another": int((~keep).sum()),
        "rows_with_null_there": int((~whole).sum()),
        "rows": int(keep.sum()),
    }
    return chosen(rows, keep, report)


def _names(by: Sequence[str] | str) -> list[str]:
    names = [n.strip() for n in by.split(",")] if isinstance(by, str) else list(by)
    if not names or not all(names):
        msg = f"by={by!r} names no column; give photo_id, or author,lat,lon"
        raise DatasetError(msg)
    return names


def _marks(table: pa.Table, seed: int, columns: list[str]) -> tuple[Keys, Mask]:
    whole = np.ones(table.num_rows, bool)
    for name in columns:
        whole &= np.asarray(pc.is_valid(table[name])).astype(bool)
    return sampling_keys(table, seed, columns), whole


def _repeated(mark: Keys) -> Mask:
    order = np.argsort(mark, kind="stable")
    same = mark[order][1:] == mark[order][:-1]
    out = np.zeros(len(mark), bool)
    out[order[1:][same]] = True
    out[order[:-1][same]] = True
    return out


def _kept_of(rows: Input, suspects: Mask, columns: list[str], seed: int) -> Mask:
    """Decide among rows whose hashes repeat, by their values: which of them stay."""
    if not suspects.any():
        return np.empty(0, bool)
    held = pa.concat_tables(where(rows, suspects))
    lat, lon = rows.coordinate_columns()
    invalid = ~coords.arrays(held[lat], held[lon]).valid
    order = np.lexsort([sampling_keys(held, seed, held.column_names), invalid])
    groups = held.select(columns).take(pa.array(order))
    groups = groups.append_column("__place", pa.array(np.arange(len(order))))
    first = groups.group_by(columns).aggregate([("__place", "min")])["__place_min"].to_numpy()
    keep = np.zeros(len(order), bool)
    keep[order[first]] = True
    return keep
