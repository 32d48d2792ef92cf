"""Which rows a shard is: the i-th of n equal parts of a source, read without reading the others."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geodata import files, images, tables
from geodata.errors import GeodataError
from geodata.files import Source, TableFile


class ShardError(GeodataError, ValueError):
    """Shards that cannot be made or joined as asked: says which and what to do."""


@dataclass(frozen=True)
class Shard:
    """One of ``count`` parts, numbered from 1."""

    number: int
    count: int

    @classmethod
    def of(cls, text: str | Shard) -> Shard:
        """Read ``i/n``.

        Raises
        ------
        ShardError
            For another text, or a number outside 1 to n.

        Examples
        --------
        >>> Shard.of("2/16")
        Shard(number=2, count=16)
        """
        if isinstance(text, Shard):
            return text
        found = re.fullmatch(r"\s*([0-9]{1,5})/([0-9]{1,5})\s*", str(text), re.ASCII)
        if found is None:
            msg = f"--shard {text!r} is not i/n; write 3/16 for the third of sixteen shards"
            raise ShardError(msg)
        number, count = int(found[1]), int(found[2])
        if not 1 <= number <= count:
            msg = (
                f"--shard {text!r}: shards of {count} are numbered 1 to {count}; a SLURM array "
                f"that counts so is sbatch --array=1-{max(count, 1)}"
            )
            raise ShardError(msg)
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def name(self) -> str:
        """What its files are called, without ending.

        Examples
        --------
        >>> Shard(2, 16).name
        'shard-00002-of-00016'
        """
        return f"shard-{self.number:05d}-of-{self.count:05d}"

    def span(self, rows: int) -> tuple[int, int]:
        """Return the first row and the one behind the last, of so many rows.

        Examples
        --------
        >>> [Shard(i, 3).span(10) for i in (1, 2, 3)]
        [(0, 3), (3, 6), (6, 10)]
        """
        return rows * (self.number - 1) // self.count, rows * self.number // self.count


def count_rows(source: Source) -> int:
    """Return the rows of a source; text formats are read through for it."""
    if source.rows is not None:
        return source.rows
    first = list(source.columns[:1])
    return sum(table.num_rows for table in source.tables(first))


def part_of(source: Source, start: int, stop: int) -> Source:
    """Return the rows of a source from one number to another, as a source.

    Files and row groups of Parquet, and files of a table, that hold none of them are not read. Its
    readers raise `FileError` for a file that is damaged.
    """

    def stream(names: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
        at = 0
        for length, read in _pieces(source, names, rows):
            if length is not None and (at + length <= start or at >= stop):
                at += length
                continue
            for table in read():
                low, high = max(start - at, 0), min(stop - at, table.num_rows)
                at += table.num_rows
                if low < high:
                    yield table.slice(low, high - low)
                if at >= stop:
                    return

    return _Part(
        source.name, source.columns, source.kind, stop - start, schema=source.schema,
        stream=stream, whole=source,
    )  # fmt: skip


@dataclass(frozen=True)
class _Part(Source):
    whole: Source | None = None

    def kinds(self) -> Any:
        """Return the kinds of the whole, so that all parts have one schema."""
        return self.whole.kinds() if self.whole is not None else {}


_Piece = tuple[int | None, Callable[[], Iterator[pa.Table]]]


def _pieces(source: Source, names: Sequence[str] | None, rows: int) -> Iterator[_Piece]:
    """Yield what can be skipped whole: its rows, None where that is not known, and a reader."""
    if source.kind == "parquet" and source.parts:
        for part in source.parts:
            yield from _row_groups(part, names, rows)
    elif source.reference is not None and "table" in source.reference:
        path, _, number = source.name.rpartition("@")
        version = tables.open(path, int(number))
        outer = None if names is None else files.outer_names(version.schema, names)
        for file in version.files:
            length = int(pq.read_metadata(file).num_rows)
            one = dataclasses.replace(version, files=(file,), rows=length)
            yield length, partial(one.batches, outer, rows)
    elif isinstance(source, images.Samples):
        for shard in source.shards:
            held = _samples_in(shard, tables.seen(shard))
            yield held, partial(source.of_shards((shard,)).tables, names, rows=rows)
    else:
        yield None, partial(source.tables, names, rows=rows)


@lru_cache(maxsize=100_000)
def _samples_in(shard: Path, stamp: tuple[int, ...] | None) -> int:
    """Count the samples of a shard by its headers, once a process for a file as it is."""
    return sum(1 for _ in images.samples(shard))


def _row_groups(part: TableFile, names: Sequence[str] | None, rows: int) -> Iterator[_Piece]:
    with files.readable(part), pq.ParquetFile(part.path) as file:
        for group in range(file.metadata.num_row_groups):
            read = partial(_row_group, part, names, rows, group)
            yield int(file.metadata.row_group(group).num_rows), read


def _row_group(
    part: TableFile, names: Sequence[str] | None, rows: int, group: int
) -> Iterator[pa.Table]:
    with files.readable(part):
        yield from files.parquet_rows(part.path, names, rows, groups=[group])
