"""Rows of shards in order, dealt over lanes: one lane is what one worker of one process reads.

A shard is a tar of WebDataset or a row group of Parquet. Shards come in an order that the seed and
the round decide, and go round the lanes; where there are fewer shards than lanes, the rows of each
do. A place in a lane is three numbers, so reading goes on behind any row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geodata import files, images as pictures, tables
from georl.config import DataConfig
from georl.data import chats as chat_columns, images
from georl.data.sources import DataError

_BATCH = 32

Row = dict[str, Any]


class Unit(NamedTuple):
    """A part of the rows that is read in one go: a tar shard, or a row group of Parquet."""

    path: Path
    group: int | None = None


class Place(NamedTuple):
    """Where a lane stands: behind some rows of a shard, in a round over all of them."""

    round: int = 0
    unit: int = 0
    row: int = 0


@dataclass(frozen=True)
class Shards:
    """The rows of a run as shards; only their heads were looked at."""

    label: str
    schema: pa.Schema
    units: tuple[Unit, ...]
    image: str
    chats: tuple[str, ...]
    home: Path

    def stamp(self) -> list[list[Any]]:
        """Return what changes when the shards do: their names and sizes."""
        return [[unit.path.name, unit.group, unit.path.stat().st_size] for unit in self.units]

    def rows(
        self, unit: Unit, columns: Sequence[str], wanted: Callable[[int], bool]
    ) -> Iterator[tuple[int, Row]]:
        """Yield those rows of a shard whose number is wanted: columns, and ``bytes`` or ``path``.

        Pictures of other rows of a tar are not read.
        """
        made = self._of_tar(unit, wanted) if unit.group is None else self._of_parquet(unit, columns)
        for number, row in made:
            if wanted(number):
                image = {name: row.get(name) for name in ("bytes", "path", "problem")}
                yield number, {name: row.get(name) for name in columns} | image

    def _of_tar(self, unit: Unit, wanted: Callable[[int], bool]) -> Iterator[tuple[int, Row]]:
        name = unit.path.relative_to(self.home).as_posix()
        with unit.path.open("rb") as file:
            for number, sample in enumerate(pictures.samples(unit.path)):
                if wanted(number):
                    row = pictures.row_of(sample, file, name)
                    own = sample.picture
                    held = None if own is None else pictures.content(file, own)
                    found = {"bytes": held, "path": row.get("image")}
                    yield number, row | found | {"problem": images.problem_of(held)}

    def _of_parquet(self, unit: Unit, columns: Sequence[str]) -> Iterator[tuple[int, Row]]:
        number = 0
        with pq.ParquetFile(unit.path, pre_buffer=False, page_checksum_verification=True) as file:
            held = [n for n in (*columns, self.image) if n in file.schema_arrow.names]
            for batch in file.iter_batches(_BATCH, [unit.group], held, use_threads=False):
                table = pa.Table.from_batches([batch])
                seen = images.unpacked(table[self.image]).to_pylist()
                for row, found in zip(table.to_pylist(), seen, strict=True):
                    yield number, row | found
                    number += 1


def open_shards(data: DataConfig) -> Shards:
    """Open what ``data.table`` names as shards.

    Raises
    ------
    DataError, FileError, TableError
        If it is neither WebDataset shards nor Parquet nor a table of a lake, or not there; for
        a choice of rows, which a stream cannot make.
    """
    path = Path(data.table)
    if tars := pictures.shard_paths(path):
        schema = pictures.open_samples(path).schema
        assert schema is not None, "samples have one"
        units, label = [Unit(tar) for tar in tars], data.table
    else:
        paths, schema, label = _parquet(path, data)
        units = [Unit(p, group) for p in paths for group in _groups(p)]
    _refuse_choice(data, schema, label)
    chats = tuple(chat_columns.columns(schema))
    image = chat_columns.image_column(schema, data, label)
    home = path if path.is_dir() else path.parent
    return Shards(label, schema, tuple(units), image, chats, home)


def lane(shards: Shards, columns: Sequence[str], number: int, count: int, seed: int, start: Place
         ) -> Iterator[tuple[Place, Row]]:  # fmt: skip
    """Yield the rows of one of ``count`` lanes for ever, each with the place behind it.

    Rows of one round are in exactly one lane.

    Parameters
    ----------
    seed
        Decides the order of the shards in each round.
    start
        The place behind the last row that is not wanted again.

    Raises
    ------
    DataError
        If the lane has no row.
    """
    place, in_all = start, len(shards.units)
    while True:
        order = np.random.default_rng([seed, place.round]).permutation(in_all)
        own = order[number::count] if in_all >= count else order
        step = 1 if in_all >= count else count
        is_empty = place[1:] == (0, 0)
        for at in range(place.unit, len(own)):
            first = place.row if at == place.unit else 0

            def wanted(i: int, first: int = first, at: int = at, step: int = step) -> bool:
                return i >= first and (i + at) % step == number % step

            for i, row in shards.rows(shards.units[int(own[at])], columns, wanted):
                is_empty = False
                yield Place(place.round, at, i + 1), row
        if is_empty:
            msg = (
                f"{shards.label} has too few rows for {count} readers (processes x train.workers): "
                f"reader {number} gets none; set fewer train.workers"
            )
            raise DataError(msg)
        place = Place(place.round + 1)


def _parquet(path: Path, data: DataConfig) -> tuple[list[Path], pa.Schema, str]:
    if path.is_dir() and tables.exists(path):
        opened = tables.open(path, data.version)
        return list(opened.files), opened.schema, f"{data.table}@{opened.version}"
    try:
        found = files.open_source(path)
    except files.FileError as error:
        raise DataError(str(error)) from error
    if found.kind != "parquet" or found.schema is None:
        msg = (
            f"data.stream reads WebDataset shards, Parquet and tables of a lake, and {path} is "
            f"{found.kind}; leave data.stream out"
        )
        raise DataError(msg)
    return [part.path for part in found.parts], found.schema, data.table


def _groups(path: Path) -> range:
    return range(pq.read_metadata(path).num_row_groups)


def _refuse_choice(data: DataConfig, schema: pa.Schema, label: str) -> None:
    given = [n for n in ("split", "where", "limit") if getattr(data, n) not in (None, "all")]
    if given:
        msg = (
            f"data.{given[0]} with data.stream, which reads whole shards; choose when they are "
            "written (geodata records --split, --where), or leave data.stream out"
        )
        raise DataError(msg)
    if "split" in schema.names and data.split is None:
        msg = (
            f"{label} has a column 'split', and data.stream reads all rows; set data.split=all, or "
            "write shards of one split (geodata records --split train)"
        )
        raise DataError(msg)
