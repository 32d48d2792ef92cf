"""Scan a truth or prediction file once and keep 33 bytes a row: key, place, status.

Both files are scanned for ids and coordinates first, so that everything that makes a score
impossible (two answers for one photo, a truth without a place) is known before the first row
is scored, and every finding is known when `join` returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import buffers, coords
from geodata.evaluation.findings import SHOWN, Finding, PredictionError, finding
from geodata.evaluation.joining.matches import matching
from geodata.evaluation.joining.matches.row_checks import RowChecks, float_ids, is_summary
from geodata.evaluation.joining.sides import (
    AMBIGUOUS,
    MISSING,
    OK,
    REFUSED,
    UNPARSABLE,
    CheckedRows,
    Predictions,
    Truth,
    check_distances,
    check_rows,
    ids_of,
    places_in,
    status_of_words,
)
from geodata.files import Batch, Columns, Source, id_text, open_source

LAST_ROWS = 8


@dataclass
class Scan:
    """What is kept of a file: a key, and for predictions an answer, a row."""

    source: Source
    column: str | None
    whole_number_ids: bool
    key_parts: list[NDArray[np.uint64]] = field(default_factory=list)
    parts: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    regions: dict[str, list[pa.Array]] = field(default_factory=dict)
    last: list[tuple[str | None, bool, bool]] = field(default_factory=list)
    rows: int = 0
    no_id: list[int] = field(default_factory=list)

    def add_ids(
        self, table: pa.Table, has_place: NDArray[np.bool_], bad: Mapping[int, str]
    ) -> pa.ChunkedArray | None:
        """Take the ids of the next rows; return them as text where they are text."""
        ids = None
        if self.column is not None:
            column = table.column(self.column)
            if self.whole_number_ids:
                ids = pc.cast(column, pa.int64())
                self.key_parts.append(matching.whole_number_keys(ids, first_row=self.rows))
            else:
                ids = id_text(column)
                self.key_parts.append(matching.id_keys(ids, "exact", first_row=self.rows))
            if ids.null_count:
                empty = np.flatnonzero(buffers.flags(pc.is_null(ids)))
                self.no_id += (empty[: SHOWN - len(self.no_id)] + self.rows).tolist()
            tail = pc.cast(ids.slice(max(0, len(ids) - LAST_ROWS)), pa.string()).to_pylist()
            start = table.num_rows - len(tail)
            rows = [(name, bool(has_place[i]), i in bad) for i, name in enumerate(tail, start)]
            self.last = [*self.last, *rows][-LAST_ROWS:]
        self.rows += table.num_rows
        return None if self.whole_number_ids else ids

    def keys(self) -> NDArray[np.uint64]:
        """Return all keys, once."""
        keys = concatenated(self.key_parts, np.uint64)
        self.key_parts = []
        return keys[: self.rows]

    def column_of(self, name: str, dtype: Any) -> NDArray[Any]:
        """Return one kept column, once."""
        return concatenated(self.parts.pop(name, []), dtype)

    def reread(self, mode: str, rows: int) -> NDArray[np.uint64]:
        """Return the keys of the first rows under another reading of the ids."""
        out, start = [], 0
        for batch in self.source.batches([str(self.column)]):
            ids = id_text(batch.table.column(str(self.column)))
            out.append(matching.id_keys(ids, mode, first_row=start))
            start += len(ids)
        return concatenated(out, np.uint64)[:rows]

    def places(self, columns: Columns, rows: NDArray[np.int64]) -> dict[int, tuple[float, float]]:
        """Return the places of a few rows, given in ascending order."""
        out: dict[int, tuple[float, float]] = {}
        start = 0
        for batch in self.source.batches(columns.used()):
            place = _places_of(batch.table, columns)
            stop = start + batch.table.num_rows
            for row in rows[(rows >= start) & (rows < stop)].tolist():
                out[row] = (float(place.lat[row - start]), float(place.lon[row - start]))
            start = stop
        return out

    def ids_at(self, rows: Sequence[int]) -> list[str | None]:
        """Return the ids of a few rows, given in ascending order; None for no id."""
        return ids_of(self.source, str(self.column), rows)


def _places_of(batch: pa.Table, columns: Columns) -> coords.Coordinates:
    lat, lon = batch.column(str(columns.lat)), batch.column(str(columns.lon))
    return coords.arrays(*places_in(lat, lon))


def concatenated(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    """Return the parts as one array, empty if there are none."""
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def has_whole_number_ids(source: Source, column: str | None) -> bool:
    """Tell whether ids are integers that need no detour through text; no row is read for it."""
    if not _are_whole(source, column):
        return False
    # each shard has types of its own, and the source those of the first
    shards = (open_source(path) for path in source.paths[1:])
    return all(_are_whole(shard, column) for shard in shards)


def _are_whole(source: Source, column: str | None) -> bool:
    schema = source.schema
    if schema is None or column not in schema.names:
        return False
    kind = schema.field(column).type
    return bool(pa.types.is_integer(kind)) and kind != pa.uint64()


def scan_truth(scan: Scan, truth: Truth) -> list[Finding]:
    """Take keys and places of all truth rows; leave out a summary at the end.

    Raises
    ------
    PredictionError
        If a row has no id or no valid place.
    """
    columns, found = truth.columns, list[Finding]()
    wrong: list[tuple[int, str]] = []
    count = 0
    for batch in truth.source.batches(columns.used() or None):
        if not truth.has_places:  # the file has distances: nothing can be wrong with it
            _without_places(scan, batch)
            continue
        lat, lon = batch.table.column(str(columns.lat)), batch.table.column(str(columns.lon))
        place = _places_of(batch.table, columns)
        for name, values in (("lat", place.lat), ("lon", place.lon)):
            scan.parts.setdefault(name, []).append(values)
        valid = place.valid
        valid[list(batch.bad)] = False
        bad = np.flatnonzero(~valid)
        for row in bad[: LAST_ROWS + SHOWN - len(wrong)].tolist():
            cells = f"({lat[row].as_py()!r}, {lon[row].as_py()!r})"[:80]
            wrong.append((row + scan.rows, batch.bad.get(row, cells)))
        count += len(bad)
        scan.add_ids(batch.table, valid, batch.bad)
    footers = _footers(scan, found, truth.source.name)
    scan.rows -= footers
    if footers and truth.has_places:
        count -= sum(not place for _, place, _ in scan.last[-footers:])
    _refuse_truth(scan, truth.source.name, wrong, count)
    return found


def _without_places(scan: Scan, batch: Batch) -> None:
    none = np.full(batch.table.num_rows, np.nan)
    for name in ("lat", "lon"):
        scan.parts.setdefault(name, []).append(none)
    scan.add_ids(batch.table, np.zeros(len(none), bool), batch.bad)


def _refuse_truth(scan: Scan, where: str, wrong: list[tuple[int, str]], count: int) -> None:
    if count:
        row, cells = wrong[0]
        raise PredictionError(
            finding(
                "truth_coordinates",
                "error",
                f"{where}: {count} truth rows have no valid latitude and longitude: "
                f"row {row + 1} has {cells}",
                "Complete or remove these rows; latitude lies in [-90, 90].",
                rows=[row for row, _ in wrong if row < scan.rows],
                count=count,
            )
        )
    no_id = [row for row in scan.no_id if row < scan.rows]
    if no_id:
        raise PredictionError(
            finding(
                "truth_ids",
                "error",
                f"{where}: truth rows without an id",
                "Give every truth row an id.",
                rows=no_id,
            )
        )


def _footers(scan: Scan, found: list[Finding], where: str) -> int:
    footers = 0
    for row_id, place, damaged in reversed(scan.last):
        if not is_summary(row_id, has_place=place, damaged=damaged):
            break
        footers += 1
    if footers:
        found.append(footer_finding(where, range(scan.rows - footers, scan.rows)))
    return footers


def footer_finding(where: str, rows: Sequence[int]) -> Finding:
    """Return the finding for rows that summarise the file."""
    return finding(
        "footer_rows",
        "warning",
        f"{where}: the last {len(rows)} rows are a summary, not photos, and were left out",
        "Write averages to another file.",
        rows=rows,
    )


def scan_predictions(scan: Scan, predictions: Predictions) -> RowChecks:
    """Take key, answer and status of all predictions, and check each row."""
    checks = RowChecks()
    parts: dict[str, list[NDArray[Any]]] = {"lat": [], "lon": [], "status": []}
    id_column = predictions.columns.id
    for batch in predictions.source.batches(predictions.used()):
        rows = rows_of(batch, predictions)
        ids = scan.add_ids(batch.table, (rows.status == OK) | (rows.status == AMBIGUOUS), batch.bad)
        if id_column and pa.types.is_floating(batch.table.column(id_column).type):
            checks.note("float_ids", np.ones(batch.table.num_rows, bool), "a column of type double")
        elif ids is not None:
            checks.note("float_ids", *float_ids(ids))
        checks.add(rows, batch.bad)
        parts["lat"].append(rows.lat)
        parts["lon"].append(rows.lon)
        parts["status"].append(rows.status)
        if rows.distance_km is not None:
            parts.setdefault("distance_km", []).append(rows.distance_km)
        for level, names in rows.regions.items():
            scan.regions.setdefault(level, []).append(names)
    scan.parts = parts
    if predictions.checked_text is not None:
        _read_words(predictions, parts["status"], checks)
    return checks


def rows_of(batch: Batch, predictions: Predictions) -> CheckedRows:
    """Return the answers of a batch, or the distances that a file has instead."""
    if predictions.distance is not None:
        return check_distances(batch, predictions.distance)
    return check_rows(batch, predictions.columns)


def _read_words(
    predictions: Predictions, status: list[NDArray[np.uint8]], checks: RowChecks
) -> None:
    """Tell what rows without coordinates say in their words; read only where there are such rows.

    The status arrays are changed in place. Words with a coordinate leave a row missing: the file
    does not answer with it.
    """
    from geodata import answers

    if not any((part == MISSING).any() for part in status):
        return
    status[:] = [np.concatenate(status)]  # batches of other columns may end at other rows
    checks.rows = 0
    for code in ("empty_answers", "refused", "unparsable"):
        checks.count.pop(code, None)
        checks.first.pop(code, None)
    words = str(predictions.checked_text)
    for batch in predictions.source.batches([words]):
        column = batch.table.column(words)
        part = status[0][checks.rows : checks.rows + len(column)]
        for row in np.flatnonzero(part == MISSING).tolist():
            text = column[row].as_py()
            if isinstance(text, str) and answers.parse_tolerant(text).status != "ok":
                part[row] = status_of_words(text)
        for code, kind in (
            ("empty_answers", MISSING),
            ("refused", REFUSED),
            ("unparsable", UNPARSABLE),
        ):
            checks.note(code, part == kind)
        checks.rows += len(part)
