"""Label a file of coordinates into another file: streaming, row order and columns kept."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geodata import SOFTWARE, buffers, coords, files
from geodata.cor.detail import detail_columns
from geodata.cor.frames import attach
from geodata.cor.geojson import GeoJsonWriter, geojson_writing, is_geojson, read_geojson
from geodata.cor.labelling import Labeller, labeller
from geodata.cor.labels import MAX_OFFSET_KM
from geodata.cor.lines import without_keys
from geodata.files import Source, Writer
from geodata.tables import open_rows

SWAP_SHARE = 0.01
"""More latitudes than this beyond ±90 suggest that the columns are swapped."""

MOST_THREADS = 4
"""Beyond these, reading and writing are what takes the time."""

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class LabelReport:
    """What labelling a file did.

    Attributes
    ----------
    rows : int
    matches : dict of str to int
        Rows by ``match``: inside, nearest, none, invalid.
    beyond_pole : int
        Rows with a latitude outside [-90, 90] that could be a longitude.
    lat, lon : str
        The columns that were read.
    made_by : dict
        Versions, boundary set and options.
    replaced : tuple of str
        Columns of the file that labels of the same name took the place of.
    """

    rows: int
    matches: dict[str, int]
    beyond_pole: int
    lat: str
    lon: str
    made_by: dict[str, Any]
    replaced: tuple[str, ...] = ()

    @property
    def swap_hint(self) -> str | None:
        """Advice where latitude and longitude look swapped, else None."""
        if self.beyond_pole <= SWAP_SHARE * self.rows:
            return None
        return (
            f"{self.beyond_pole} of {self.rows} values in {self.lat!r} are beyond ±90: latitude "
            f"and longitude may be swapped; try --lat {self.lon} --lon {self.lat}"
        )


def label_file(
    source: Any,
    target: str | os.PathLike[str],
    *,
    lat: str | None = None,
    lon: str | None = None,
    boundaries: Any = None,
    worldview: str = "un",
    dependencies: str = "own",
    max_offset_km: float = MAX_OFFSET_KM,
    lang: str | None = None,
    detail: bool | Sequence[str] = False,
    progress: Progress | None = None,
) -> LabelReport:
    """Label the rows of a file, a folder of shards or a table of a lake into a new file.

    Parameters
    ----------
    source
        What `geodata.tables.open_rows` takes: CSV, TSV, Parquet, JSONL, JSON, packed or not, a
        folder of them, ``lake/photos@3``, Arrow or a data frame; or GeoJSON points.
    target : path
        Its ending tells the format. The file appears whole or not at all. Text coordinates (CSV)
        become numbers in a Parquet target; ids and other text stay as written; objects of JSON
        lines keep every key as it is written in a JSON target. A column of the name of a label
        gives way to it, and the report says so.
    lat, lon : str, optional
        Names of the coordinate columns; found by their usual names if not given.
    boundaries, worldview, dependencies, max_offset_km, lang
        As in `geodata.cor.label`.
    detail
        Columns to add, as in `geodata.cor.label_table`.
    progress : callable, optional
        Called with the rows done and the rows in all (None where the format does not tell).

    Returns
    -------
    LabelReport

    Raises
    ------
    FileError
        If a file cannot be read or written as its ending says.
    ValueError
        If a coordinate column is missing, or for an unknown option.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> rows = {"id": ["007"], "lat_pred": ["48.8584"], "lon_pred": ["2.2945"]}
    >>> label_file(rows, folder.name + "/labelled.csv").matches["inside"]
    1
    >>> folder.cleanup()
    """
    engine = labeller(boundaries, worldview, dependencies, max_offset_km, lang)
    return label_file_with(
        engine, source, target, lat=lat, lon=lon, detail=detail, progress=progress
    )


def label_file_with(
    engine: Labeller,
    source: Any,
    target: str | os.PathLike[str],
    *,
    lat: str | None = None,
    lon: str | None = None,
    detail: bool | Sequence[str] = False,
    progress: Progress | None = None,
) -> LabelReport:
    """Label with an engine that is open already, see `label_file`."""
    whole, opened = read_geojson(source) if is_geojson(source) else (None, open_rows(source))
    kind = "geojson" if is_geojson(target) else files.file_format(target)
    job = _Job(opened, engine, lat, lon, detail_columns(detail), kind)
    made_by = describe(engine)
    matches = dict.fromkeys(("inside", "nearest", "none", "invalid"), 0)
    rows = beyond = 0
    writing: AbstractContextManager[Writer | GeoJsonWriter]
    if kind == "geojson":
        writing = geojson_writing(target, (job.lat, job.lon), whole, job.label_names)
    else:
        unlike = (job.lat, job.lon, "city_distance_km")  # hardly a value occurs twice
        writing = files.writing(target, job.schema, made_by, plain=unlike, coded=job.coded)
    with writing as writer:
        for labelled, outside in job.write(writer):
            for item in pc.value_counts(labelled["match"]).to_pylist():
                matches[item["values"]] += item["counts"]
            rows, beyond = rows + labelled.num_rows, beyond + outside
            if progress is not None:
                progress(rows, opened.rows)
    if kind != "parquet":
        files.write_text(f"{os.fspath(target)}.meta.json", json.dumps(made_by, indent=2) + "\n")
    return LabelReport(rows, matches, beyond, job.lat, job.lon, made_by, job.replaced)


def describe(engine: Labeller) -> dict[str, Any]:
    """Return what a label depends on: versions, boundary set, places and options."""
    return {
        "software": SOFTWARE,
        "boundaries": engine.boundaries.name,
        "boundaries_sha256": engine.boundaries.sha256,
        "places_sha256": engine.places.file.sha256,
        "worldview": engine.worldview,
        "dependencies": engine.dependencies,
        **({"lang": engine.view.lang} if engine.view.lang else {}),
        "max_offset_km": engine.max_offset_km,
    }


class _Job:
    """Rows of a source on their way through the engine into a target of one schema."""

    def __init__(
        self,
        source: Source,
        engine: Labeller,
        lat: str | None,
        lon: str | None,
        detail: Sequence[str],
        kind: str,
    ) -> None:
        self._source, self._engine, self._detail = source, engine, detail
        self._numbers, self._coded = kind in ("parquet", "geojson"), kind == "parquet"
        self._kinds = source.kinds()
        names = list(self._kinds) or list(source.columns)
        as_lines = self._kinds and kind in ("jsonl", "json")
        keys = dict.fromkeys(n.partition(".")[0] for n in names) if as_lines else names
        self.replaced = tuple(name for name in keys if name in self.label_names)
        self.lat, self.lon = files.coordinate_columns(names, lat, lon, where=source.name)
        empty = files.no_rows(names) if self._kinds else source.no_rows()
        labelled = self._labelled(empty)[0].schema
        self.coded = [
            field.name for field in labelled
            if pa.types.is_dictionary(field.type) and field.name in self.label_names
        ]  # fmt: skip
        for name in self.coded:
            at = labelled.get_field_index(name)
            kind = labelled.field(at).type.value_type
            labelled = labelled.set(at, labelled.field(at).with_type(kind))
        self.schema = labelled

    @cached_property
    def label_names(self) -> list[str]:
        """The columns that labels are."""
        labels = self._engine.table(coords.arrays([], []), detail=self._detail)
        names: list[str] = labels.column_names
        return names

    def write(self, writer: Writer | GeoJsonWriter) -> Iterator[tuple[pa.Table, int]]:
        """Write all rows; yield the labels of each batch and its latitudes beyond the poles.

        Batches are labelled by threads, beside reading and writing, and written in their order.
        """
        if self._kinds and writer.takes_lines:  # what no label replaces stays as it is written
            batches = self._source.batches([self.lat, self.lon], damaged="refuse", lines=True)
            for batch, (labelled, beyond) in _ahead(lambda b: self._labelled(b.table), batches):
                kept: Sequence[str] = batch.lines
                if self.replaced:
                    kept = [without_keys(line, self.replaced) for line in kept]
                writer.write(labelled.select(self.label_names), kept)
                yield labelled, beyond
            return
        rows = files.ROW_GROUP if self._coded else files.BATCH_ROWS
        tables = self._source.tables(list(self._kinds) or None, rows=rows)
        for _, (labelled, beyond) in _ahead(self._labelled, tables):
            writer.write(labelled)
            yield labelled, beyond

    def _labelled(self, table: pa.Table) -> tuple[pa.Table, int]:
        y, x = (coords.parse_numbers(files.column_at(table, name)) for name in (self.lat, self.lon))
        if self._numbers:
            table = _with_numbers(table, self._kinds, {self.lat: y, self.lon: x})
        points = coords.arrays(y, x)
        labels = self._engine.table(points, detail=self._detail, coded=self._coded)
        return attach(table, labels), _beyond_pole(y)


def _ahead(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield (item, work(item)) in order, with a few of them worked on at the same time."""
    workers = min(_cores(), MOST_THREADS)
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[tuple[Any, Future[Any]]] = deque()
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > workers:
                first, done = waiting.popleft()
                yield first, done.result()
        for last, done in waiting:
            yield last, done.result()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _with_numbers(
    table: pa.Table, kinds: Mapping[str, str], points: Mapping[str, pa.ChunkedArray]
) -> pa.Table:
    """Give numbers of JSON and the coordinates of any text format their types."""
    for name, column in points.items():
        there = name in table.column_names  # else it lies inside a nested column, which has types
        if there and table[name].type != column.type:
            table = table.set_column(table.column_names.index(name), name, column)
    rest = {name: kind for name, kind in kinds.items() if name not in points}
    return files.typed(table, rest)


def _beyond_pole(lat: pa.ChunkedArray) -> int:
    if not (pa.types.is_floating(lat.type) or pa.types.is_integer(lat.type)):
        return 0
    size = np.abs(buffers.numbers(lat.drop_null()).astype(np.float64))
    return int(np.count_nonzero((size > coords.MAX_LAT) & (size <= coords.MAX_LON)))
