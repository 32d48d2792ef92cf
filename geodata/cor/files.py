"""Label a file of coordinates into another file: streaming, row order and columns kept."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from geodata import SOFTWARE, coords, files
from geodata.cor.labelling import Labeller
from geodata.cor.labels import attach

SWAP_SHARE = 0.01
"""More latitudes than this beyond ±90 suggest that the columns are swapped."""


@dataclass(frozen=True)
class LabelReport:
    """What labelling a file did.

    Attributes
    ----------
    rows : int
    matches : dict of str to int
        Rows by ``match``: inside, nearest, none, invalid.
    beyond_pole : int
        Rows with a latitude that is a number outside [-90, 90].
    lat, lon : str
        The columns that were read.
    made_by : dict
        Versions, boundary set and options.
    """

    rows: int
    matches: dict[str, int]
    beyond_pole: int
    lat: str
    lon: str
    made_by: dict[str, Any]

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
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    engine: Labeller,
    *,
    lat: str | None = None,
    lon: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> LabelReport:
    """Label the rows of a CSV, TSV, Parquet or JSONL file into a new one.

    Parameters
    ----------
    source, target : path
        The formats are told by their endings. The target appears whole or not at all. Text
        coordinates (CSV) become numbers in a Parquet target.
    engine : Labeller
    lat, lon : str, optional
        Names of the coordinate columns; found by their usual names if not given.
    progress : callable, optional
        Called with the rows done and the rows in all (None where the format does not tell).

    Raises
    ------
    FileError
        If a file cannot be read or written as its ending says.
    ValueError
        If a coordinate column is missing.
    """
    opened = files.open_table(source)
    kind = files.file_format(target)
    lat_name, lon_name = coords.find_columns(list(opened.columns), lat, lon)
    made_by = describe(engine)
    matches = dict.fromkeys(("inside", "nearest", "none", "invalid"), 0)
    rows = beyond = 0
    with files.replacing(target) as beside:
        writer = _Writer(beside, kind, made_by)
        for batch in itertools.chain(_batches(opened), [None]):
            if batch is None:
                if writer.is_empty:
                    writer.write(_labelled(_no_rows(opened), lat_name, lon_name, engine, kind)[0])
                continue
            labelled, outside = _labelled(batch, lat_name, lon_name, engine, kind)
            writer.write(labelled)
            for item in pc.value_counts(labelled["match"]).to_pylist():
                matches[item["values"]] += item["counts"]
            rows, beyond = rows + batch.num_rows, beyond + outside
            if progress is not None:
                progress(rows, opened.rows)
        writer.close()
    if kind != "parquet":
        files.write_text(f"{os.fspath(target)}.meta.json", json.dumps(made_by, indent=2) + "\n")
    return LabelReport(rows, matches, beyond, lat_name, lon_name, made_by)


def write_table(table: pa.Table, target: str | os.PathLike[str]) -> None:
    """Write a table whole, or leave what was there; the format is told by the ending.

    Raises
    ------
    FileError
        For an unknown ending or a folder that does not exist.
    """
    kind = files.file_format(target)
    with files.replacing(target) as beside:
        writer = _Writer(beside, kind, {"software": SOFTWARE})
        writer.write(table)
        writer.close()


def describe(engine: Labeller) -> dict[str, Any]:
    """Return what a label depends on: versions, boundary set, places and options."""
    return {
        "software": SOFTWARE,
        "boundaries": engine.boundaries.name,
        "boundaries_sha256": engine.boundaries.sha256,
        "places_sha256": engine.places.file.sha256,
        "worldview": engine.worldview,
        "dependencies": engine.dependencies,
        "max_offset_km": engine.max_offset_km,
    }


def _batches(opened: files.TableFile) -> Iterator[pa.Table]:
    """Batches with one schema: a later JSONL batch may lack a column or know its type."""
    schema: pa.Schema | None = None
    for batch in opened.batches():
        if schema is None:
            schema = batch.schema
        elif batch.schema != schema:
            batch = _conformed(batch, schema)
        yield batch


def _conformed(batch: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        if field.name not in batch.column_names:
            columns.append(pa.nulls(batch.num_rows, field.type))
            continue
        column = batch[field.name]
        try:
            columns.append(column.cast(field.type))
        except pa.ArrowException:
            msg = (
                f"column {field.name!r} is {field.type} at first and {column.type} later; "
                "write it with one type"
            )
            raise files.FileError(msg) from None
    return pa.table(columns, schema=schema)


def _no_rows(opened: files.TableFile) -> pa.Table:
    if opened.format == "parquet":
        return pq.read_schema(opened.path).empty_table()
    return pa.table({name: pa.array([], pa.string()) for name in opened.columns})


def _labelled(
    batch: pa.Table, lat: str, lon: str, engine: Labeller, kind: str
) -> tuple[pa.Table, int]:
    y, x = coords.parse_numbers(batch[lat]), coords.parse_numbers(batch[lon])
    points = coords.arrays(y, x)
    if kind == "parquet":
        for name, column in ((lat, y), (lon, x)):
            batch = batch.set_column(batch.column_names.index(name), name, column)
    return attach(batch, engine.table(points)), _beyond_pole(y)


def _beyond_pole(lat: pa.ChunkedArray) -> int:
    if not (pa.types.is_floating(lat.type) or pa.types.is_integer(lat.type)):
        return 0
    values = lat.drop_null().to_numpy().astype(np.float64)
    return int(np.count_nonzero(np.isfinite(values) & (np.abs(values) > coords.MAX_LAT)))


class _Writer:
    """Writes tables of one schema, one after the other, in any of the formats."""

    def __init__(self, path: Path, kind: str, made_by: dict[str, Any]) -> None:
        self._path, self._kind, self._made_by = path, kind, made_by
        self._sink: Any = None

    @property
    def is_empty(self) -> bool:
        return self._sink is None

    def write(self, table: pa.Table) -> None:
        if self._sink is None:
            self._open(table.schema)
        if self._kind == "jsonl":
            for row in table.to_pylist():
                self._sink.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        elif self._kind == "parquet":
            self._sink.write_table(table.cast(self._schema))
        else:
            self._sink.write_table(_flat(table))

    def _open(self, schema: pa.Schema) -> None:
        if self._kind == "jsonl":
            self._sink = self._path.open("w", encoding="utf-8")
        elif self._kind == "parquet":
            meta = {**(schema.metadata or {}), b"geodata": json.dumps(self._made_by).encode()}
            self._schema = schema.with_metadata(meta)
            self._sink = pq.ParquetWriter(self._path, self._schema, compression="zstd")
        else:
            delimiter = "\t" if self._kind == "tsv" else ","
            options = pacsv.WriteOptions(delimiter=delimiter, quoting_style="needed")
            self._sink = pacsv.CSVWriter(self._path, _flat(schema.empty_table()).schema,
                                         write_options=options)  # fmt: skip

    def close(self) -> None:
        self._sink.close()


def _flat(table: pa.Table) -> pa.Table:
    """Nested columns as JSON text, which is what a CSV cell can hold."""
    for i, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            text = [None if v is None else json.dumps(v, default=str) for v in table[i].to_pylist()]
            table = table.set_column(i, field.name, pa.array(text, pa.string()))
    return table
