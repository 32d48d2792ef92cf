"""Read prediction files and join them to the truth: one row per truth row, in its order.

The joined rows are streamed. What stays in memory is 8 bytes a truth row and 33 bytes a
prediction (key, latitude, longitude, status, position), whatever else the files hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import coords
from geodata.evaluation.checks import Finding
from geodata.evaluation.joining.matching import id_text
from geodata.evaluation.joining.rows import LEVELS, MISSING, STATUSES, numbers
from geodata.files import (
    ID_NAMES,
    REGION_NAMES,
    TEXT_NAMES,
    Columns,
    FileError,
    Source,
    find_named,
    find_pair,
    given,
    not_found,
    open_source,
)

Match = Literal["auto", "exact", "trim", "stem", "flat", "number"]

FIXED = ("id", "lat", "lon", "pred_lat", "pred_lon", "status")
"""Columns that every joined batch has."""


@dataclass(frozen=True)
class Predictions:
    """A prediction file whose columns are known; its rows are read when they are needed."""

    source: Source
    columns: Columns
    """Where id, prediction and text are."""
    checked_text: str | None
    """Column with the model's words beside coordinate columns, for the linter."""


@dataclass(frozen=True)
class Truth:
    """A truth file whose columns are known."""

    source: Source
    columns: Columns
    extras: tuple[str, ...]
    """The other columns, which go along into the joined rows."""


@dataclass(frozen=True)
class Joined:
    """Truth rows with their predictions; iterate `batches` as often as needed."""

    truth: Truth
    rows: int
    """Number of truth rows, the denominator of every share."""
    findings: list[Finding]
    matched: NDArray[np.int32] | None
    """shape (rows,): row of the prediction, -1 where none; None if row i has prediction i."""
    pred_lat: NDArray[np.float64]
    pred_lon: NDArray[np.float64]
    """shape (predictions,), degrees, NaN where there is none."""
    pred_status: NDArray[np.uint8]
    """shape (predictions,): index into `rows.STATUSES`."""
    pred_regions: dict[str, pa.Array]
    """Named regions of the predictions by level, text; empty where they name none."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of every batch."""
        regions = tuple(f"pred_{level}" for level in self.pred_regions)
        return (*FIXED, *regions, *_renamed(self.truth.extras).values())

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
        needs = self.truth.columns
        read = [name for name in (needs.lat, needs.lon) if name is not None]
        if needs.id is not None and "id" in wanted:
            read.insert(0, needs.id)
        start = 0
        for batch in self.truth.source.batches(list(dict.fromkeys([*read, *extras]))):
            table = batch.table.slice(0, self.rows - start)
            if not table.num_rows:
                return
            made = self._made(table, start, set(wanted))
            made |= {new_name[name]: _one_chunk(table.column(name)) for name in extras}
            yield pa.RecordBatch.from_pydict({name: made[name] for name in wanted})
            start += table.num_rows

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows at once, see `batches`."""
        batches = list(self.batches(columns))
        if not batches:
            return pa.table({name: pa.array([], pa.null()) for name in columns or self.columns})
        return pa.concat_tables(
            [pa.Table.from_batches([batch]) for batch in batches], promote_options="permissive"
        )

    def _made(self, table: pa.Table, start: int, wanted: set[str]) -> dict[str, pa.Array]:
        stop = start + table.num_rows
        at = np.arange(start, stop) if self.matched is None else self.matched[start:stop]
        made: dict[str, pa.Array] = {}
        if "id" in wanted:
            made["id"] = _ids(table, self.truth.columns.id, start)
        if {"lat", "lon"} & wanted:
            place = coords.arrays(
                numbers(table.column(str(self.truth.columns.lat))),
                numbers(table.column(str(self.truth.columns.lon))),
            )
            made |= {"lat": pa.array(place.lat), "lon": pa.array(place.lon)}
        if {"pred_lat", "pred_lon"} & wanted:
            lat = _gather(self.pred_lat, at, np.nan)
            mask = np.isnan(lat)
            made["pred_lat"] = pa.array(lat, mask=mask)
            made["pred_lon"] = pa.array(_gather(self.pred_lon, at, np.nan), mask=mask)
        if "status" in wanted:
            codes = _gather(self.pred_status, at, MISSING)
            made["status"] = pa.array(STATUSES).take(pa.array(codes))
        for level, names in self.pred_regions.items():
            if f"pred_{level}" in wanted:
                made[f"pred_{level}"] = names.take(pa.array(at, mask=at < 0))
        return made


def read_predictions(
    source: Any,
    *,
    id: str | None = None,  # noqa: A002
    lat: str | None = None,
    lon: str | None = None,
    text: str | None = None,
    format: str | None = None,  # noqa: A002
    with_truth: bool = False,
) -> Predictions:
    """Open predictions and find their columns; no row is read yet but the head.

    Parameters
    ----------
    source
        Path of a CSV, TSV, Parquet or JSONL file, Arrow table or data frame.
    id, lat, lon
        Column names; found by their usual names if None. Nested ones are joined with points.
    text
        Column with the model's words. If it is given and ``lat`` and ``lon`` are not, or if
        the source has no coordinate columns, answers are parsed from it.
    format
        'csv', 'tsv', 'parquet' or 'jsonl' where the ending of a path does not tell.
    with_truth
        The source holds the truth as well: bare ``lat, lon`` are the truth then, and
        predictions need a name such as ``lat_pred`` or a text column.

    Raises
    ------
    geodata.files.FileError
        If the file cannot be read or a column cannot be found.
    TypeError
        If the source is not a table.

    Examples
    --------
    >>> table = {"IMG_ID": ["a.jpg"], "lat_pred": [48.9], "lon_pred": [2.3]}
    >>> read_predictions(table).columns.lat
    'lat_pred'
    """
    opened = open_source(source, format=format, what="predictions")
    names, where = list(opened.columns), opened.name
    given_id = given(id, names, "id", where)
    usual_id = given_id or find_named(names, ID_NAMES, "id", where)
    if usual_id is None and not with_truth:
        raise not_found(names, "id column", where)
    words = given(text, names, "text", where)
    pair = _given_pair(names, lat, lon, where)
    if pair is None and words is None:
        pair = find_pair(names, ("pred",) if with_truth else ("pred", "plain"), where)
        if with_truth and pair is None and find_pair(names, ("truth",), where):
            pair = find_pair(names, ("plain",), where)
    free = [name for name in names if name not in {usual_id, *(pair or ())}]
    words = words or find_named(free, TEXT_NAMES, "text", where)
    if pair is None and words is None:
        raise not_found(names, "predicted latitude and longitude, nor a text column,", where)
    regions = _region_columns(names, with_truth, where) if pair else ()
    y, x = pair or (None, None)
    found = Columns(usual_id, y, x, None if pair else words, regions)
    return Predictions(opened, found, words if pair else None)


def read_truth(
    source: Any,
    *,
    id: str | None = None,  # noqa: A002
    lat: str | None = None,
    lon: str | None = None,
    format: str | None = None,  # noqa: A002
    predictions: Predictions | None = None,
) -> Truth:
    """Open the truth and find its columns; parameters and errors are those of `read_predictions`.

    With ``predictions`` given, the source is theirs and the columns that they use are left.

    Examples
    --------
    >>> read_truth({"id": ["a"], "lat": [48.9], "lon": [2.3], "author": ["x"]}).extras
    ('author',)
    """
    opened = (
        open_source(source, format=format, what="truth")
        if predictions is None
        else (predictions.source)
    )
    taken = set(predictions.columns.used()) if predictions else set()
    if predictions:
        taken.discard(str(predictions.columns.id))
    names, where = [name for name in opened.columns if name not in taken], opened.name
    id_column = given(id, names, "id", where) or find_named(names, ID_NAMES, "id", where)
    if id_column is None and predictions is None:
        raise not_found(names, "id column", where)
    pair = _given_pair(names, lat, lon, where) or find_pair(names, ("truth", "plain"), where)
    if pair is None:
        raise not_found(names, "true latitude and longitude", where)
    extras = tuple(name for name in names if name not in {id_column, *pair})
    return Truth(opened, Columns(id_column, *pair), extras)


def join(
    predictions: Any,
    truth: Any = None,
    *,
    id: str | None = None,  # noqa: A002
    lat: str | None = None,
    lon: str | None = None,
    match: Match = "auto",
) -> Joined:
    """Put each truth row beside its prediction, exactly one row per truth row.

    Parameters
    ----------
    predictions
        What `read_predictions` returns, or its first argument.
    truth
        Path, table or data frame; None if the predictions' file holds the truth as well.
    id, lat, lon
        Columns of the truth; found by their usual names if None.
    match
        How ids are compared. 'exact': as text. 'stem': without folders and image ending;
        'flat': with ``_`` for the folder separator; 'number': ``3.2e9`` as an integer; 'trim':
        without outer white space. 'auto': exact, unless one of the others is the only way
        that all ids match, which becomes a finding.

    Raises
    ------
    geodata.files.FileError
        If a file cannot be read.
    geodata.evaluation.checks.findings.PredictionError
        If an id occurs twice with different values, or the truth has no valid place for it.

    Examples
    --------
    >>> joined = join(
    ...     {"id": ["b", "a"], "lat": [1.0, None], "lon": [2.0, None]},
    ...     {"id": ["a", "b", "c"], "lat": [0, 0, 0], "lon": [0, 0, 0]},
    ... )
    >>> joined.table(["id", "pred_lat"]).to_pylist()
    [{'id': 'a', 'pred_lat': None}, {'id': 'b', 'pred_lat': 1.0}, {'id': 'c', 'pred_lat': None}]
    """
    from geodata.evaluation.joining.joining import join_opened

    if not isinstance(predictions, Predictions):
        predictions = read_predictions(predictions, with_truth=truth is None)
    if isinstance(truth, Truth):
        opened = truth
    elif truth is None:
        opened = read_truth(None, id=id, lat=lat, lon=lon, predictions=predictions)
    else:
        opened = read_truth(truth, id=id, lat=lat, lon=lon)
    return join_opened(predictions, opened, match=match, same_file=truth is None)


def _given_pair(
    names: Sequence[str], lat: str | None, lon: str | None, where: str
) -> tuple[str, str] | None:
    if lat is None and lon is None:
        return None
    if lat is None or lon is None:
        msg = f"{where}: name both lat= and lon=, got {lat!r} and {lon!r}"
        raise FileError(msg)
    return str(given(lat, names, "lat", where)), str(given(lon, names, "lon", where))


def _region_columns(
    names: Sequence[str], with_truth: bool, where: str
) -> tuple[tuple[str, str], ...]:
    found = []
    for level in LEVELS:
        bare = REGION_NAMES[level]
        usual = [f"{role}{n}" for n in bare for role in ("pred", "predicted", "prediction")]
        usual += [f"{n}{role}" for n in bare for role in ("pred", "predicted")]
        name = find_named(names, usual if with_truth else [*usual, *bare], level, where)
        if name is not None:
            found.append((level, name))
    return tuple(found)


def _renamed(extras: Sequence[str]) -> dict[str, str]:
    """Map truth columns to names that the joined rows do not use themselves."""
    taken = {*FIXED, *(f"pred_{level}" for level in LEVELS)}
    return {name: f"truth_{name}" if name in taken else name for name in extras}


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _ids(table: pa.Table, name: str | None, start: int) -> pa.Array:
    if name is None:
        return pa.array([str(start + i + 1) for i in range(table.num_rows)], pa.string())
    ids = id_text(table.column(name))
    return _one_chunk(ids) if isinstance(ids, pa.ChunkedArray) else ids


def _gather(values: NDArray[Any], at: NDArray[Any], absent: float) -> NDArray[Any]:
    """Return ``values[at]`` with ``absent`` where ``at`` is -1."""
    if not len(values):
        return np.full(len(at), absent, values.dtype)
    out = np.full(len(at), absent, values.dtype)
    there = at >= 0
    out[there] = values[at[there]]
    return out
