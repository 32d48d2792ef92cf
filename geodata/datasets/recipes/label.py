"""The recipe ``labelled``: photos with their Chain of Region, sorted so that queries skip files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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
    labelling = Labelling(boundaries, worldview, dependencies, max_offset_km)
    cuts = labelling.cuts(rows)
    parts = PartsOnDisk(len(cuts) + 1, rows.table.path.parent)
    matches: Counter[str] = Counter()
    for batch in labelling.batches(rows):
        matches.update(batch.matches())
        for bucket, piece in batch.buckets(cuts):
            parts.add(bucket, piece)
    schema, report = labelling.schema(rows), labelling.report(rows, matches)
    return Made(tables.kept_schema(schema), _sorted(parts), rows.table.rows, report)


class Batch(NamedTuple):
    """Rows that were labelled, and where each goes."""

    rows: pa.Table
    order: _Order

    def matches(self) -> dict[str, int]:
        """Count the rows by how they were matched."""
        found = pc.value_counts(self.rows["match"]).to_pylist()
        return {item["values"]: item["counts"] for item in found}

    def buckets(self, cuts: _Order) -> Iterator[tuple[int, pa.Table]]:
        """Yield the number and the rows of each bucket between orders, with their order."""
        bucket = np.searchsorted(cuts, self.order, side="right")
        rows = self.rows.append_column(_ORDER, pa.array(self.order))
        for i in np.unique(bucket):
            yield int(i), rows.filter(pa.array(bucket == i))


@dataclass(frozen=True)
class Labelling:
    """How rows are labelled and where they go, for any process that labels some of them."""

    boundaries: str = "bundled"
    worldview: str = "un"
    dependencies: str = "own"
    max_offset_km: float = MAX_OFFSET_KM

    def cuts(self, rows: Input) -> _Order:
        """Return the orders at which buckets end, so that each holds about `BUCKET_ROWS` rows."""
        total = rows.table.rows
        return _cuts(self._engine(), _sample(rows, total), total)

    def batches(self, rows: Input) -> Iterator[Batch]:
        """Yield the rows with their labels, in their order."""
        engine, schema = self._engine(), self.schema(rows)
        for points, table in rows.points(rows.columns):
            checked = coords.arrays(points.lat, points.lon)._replace(valid=points.valid)
            labelled_ = attach(table.select(rows.columns), engine.table(checked)).cast(schema)
            yield Batch(labelled_, _order_of(labelled_, checked))

    def schema(self, rows: Input) -> pa.Schema:
        """Return names and types of labelled rows."""
        return _no_rows(rows, self._engine()).schema

    def report(self, rows: Input, matches: Mapping[str, int]) -> dict[str, Any]:
        """Return what the recipe says of all rows."""
        names = ("inside", "nearest", "none", "invalid")
        return {
            "rows_in": rows.table.rows,
            "match": {name: matches.get(name, 0) for name in names},
            "made_by": describe(self._engine()),
            "rows": rows.table.rows,
        }

    def _engine(self) -> Labeller:
        return labeller(self.boundaries, self.worldview, self.dependencies, self.max_offset_km)


def sorted_rows(bucket: pa.Table) -> pa.Table:
    """Return the rows of a bucket in their order, without it; equal ones as they came."""
    order = np.argsort(np.asarray(bucket[_ORDER]), kind="stable")
    return bucket.drop_columns([_ORDER]).take(pa.array(order))


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


def _sorted(parts: PartsOnDisk) -> Iterator[pa.Table]:
    with parts:
        for i in range(len(parts)):
            table = parts.take(i)
            if table is not None:
                yield sorted_rows(table)
