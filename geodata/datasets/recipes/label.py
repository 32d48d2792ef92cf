"""The recipe ``labelled``: photos with their Chain of Region, sorted so that queries skip files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import coords, tables
from geodata.cor import MAX_OFFSET_KM, Labeller, attach, describe, labeller
from geodata.datasets.recipes.parts_on_disk import PartsOnDisk
from geodata.datasets.recipes.sampling import CELL, Made, cells_of, has_cells
from geodata.tables import Input

BUCKET_ROWS = 1 << 18
"""Rows that are sorted at once."""

_SAMPLE_ROWS = 1 << 15
_ORDER = "__order"
_CELL_BITS = 22
_LAST_CODE = 0xFFFF

_Order = NDArray[np.int64]


def labelled(
    inputs: Mapping[str, Input],
    seed: int,
    *,
    boundaries: str = "bundled",
    worldview: str = "un",
    dependencies: str = "own",
    max_offset_km: float = MAX_OFFSET_KM,
) -> Made:
    """Label every row with `cor.label_table`; a row without valid coordinates stays, unlabelled.

    Rows are sorted by country and then by H3 cell, so that a query about a country or a place
    reads few files. Parameters are those of `cor.label`.
    """
    rows = inputs["rows"]
    engine = labeller(boundaries, worldview, dependencies, max_offset_km)
    total = rows.table.rows
    cuts = _cuts(engine, _sample(rows, total), total)
    parts = PartsOnDisk(len(cuts) + 1, rows.table.path.parent)
    matches: Counter[str] = Counter()
    schema = _no_rows(rows, engine).schema
    for points, table in rows.points(rows.columns):
        checked = coords.arrays(points.lat, points.lon)._replace(valid=points.valid)
        batch = attach(table.select(rows.columns), engine.table(checked)).cast(schema)
        found = pc.value_counts(batch["match"]).to_pylist()
        matches.update({item["values"]: item["counts"] for item in found})
        _put(parts, batch, _order_of(batch, checked), cuts)
    report = {
        "rows_in": total,
        "match": {name: matches[name] for name in ("inside", "nearest", "none", "invalid")},
        "made_by": describe(engine),
        "rows": total,
    }
    return Made(tables.kept_schema(schema), _sorted(parts), total, report)


def _no_rows(rows: Input, engine: Labeller) -> pa.Table:
    none = np.empty(0)
    points = coords.Coordinates(none, none, none.astype(bool))
    return attach(rows.table.schema.empty_table(), engine.table(points))


def _sample(rows: Input, total: int) -> coords.Coordinates:
    """Return every k-th point, to see how the rows are spread."""
    step = max(1, total // _SAMPLE_ROWS)
    parts = [(p.lat[::step], p.lon[::step], p.valid[::step]) for p, _ in rows.points()]
    if not parts:
        return coords.Coordinates(np.empty(0), np.empty(0), np.empty(0, bool))
    lat, lon, valid = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return coords.arrays(lat, lon)._replace(valid=valid)


def _cuts(engine: Labeller, sample: coords.Coordinates, total: int) -> _Order:
    """Return the orders at which buckets end, so that each holds about `BUCKET_ROWS` rows."""
    buckets = -(-total // BUCKET_ROWS)
    if buckets < 2 or not len(sample.lat):
        return np.empty(0, np.int64)
    order = np.sort(_order_of(engine.table(sample), sample))
    return np.unique(order[np.arange(1, buckets) * len(order) // buckets])


def _order_of(labels: pa.Table, points: coords.Coordinates) -> _Order:
    """Return where each row goes: two letters of its country, then its cell; unlabelled last."""
    words = labels["country_code"].combine_chunks().dictionary_encode()
    codes = [int.from_bytes(str(c).encode()[:2].ljust(2, b"\0")) for c in words.dictionary]
    index = np.asarray(words.indices.fill_null(len(codes))).astype(np.int64)
    order = np.array([*codes, _LAST_CODE], np.int64)[index] << _CELL_BITS
    if has_cells(labels):
        cells = np.asarray(labels[CELL].fill_null(0)).astype(np.int64)
    else:
        cells = np.zeros(len(order), np.int64)
        cells[points.valid] = cells_of(points.lat[points.valid], points.lon[points.valid])
    # base cell and five digits; the rest of an H3 index of resolution 5 is the same everywhere
    return np.asarray(order | (cells >> 30 & (1 << _CELL_BITS) - 1))


def _put(parts: PartsOnDisk, batch: pa.Table, order: _Order, cuts: _Order) -> None:
    bucket = np.searchsorted(cuts, order, side="right")
    rows = batch.append_column(_ORDER, pa.array(order))
    for i in np.flatnonzero(np.bincount(bucket, minlength=len(parts))):
        parts.add(int(i), rows.filter(pa.array(bucket == i)))


def _sorted(parts: PartsOnDisk) -> Iterator[pa.Table]:
    with parts:
        for i in range(len(parts)):
            table = parts.take(i)
            if table is not None:
                order = np.argsort(np.asarray(table[_ORDER]), kind="stable")
                yield table.drop_columns([_ORDER]).take(pa.array(order))
