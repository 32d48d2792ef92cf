"""Rows of Parquet in batches that are bounded in rows and in bytes, and files refused as bombs.

A kilobyte of Parquet can hold gigabytes: one text and a million references to it, runs of zeros in
lists, pages that unpack a thousand times. The footer tells rows and bytes of a row group, the
dictionary at its start tells how long a text can be; from them follows how many rows are read at
a time, and which texts are read as the dictionaries that they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata.files.formats import BATCH_ROWS, FileError, TableFile
from geodata.files.readers.cutting import BOMB_RATIO, PIECE_BYTES, gathered, pieces_of_file
from geodata.files.readers.flattening import MAX_BATCH_BYTES, Batch, flat, flat_names, outer_names

SMALL_ROWS, SMALLEST_ROWS = 1 << 12, 1 << 9
"""Rows read at a time where a row group is larger than a batch may be, and much larger."""

PEEKED_ROWS = (1, 1 << 10)
"""A dictionary is handed out with the first value that is not NULL: here, or here."""

BOMB_ROWS, BOMB_ROWS_PER_BYTE = 10_000_000, 64

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}


def parquet_head(path: Path) -> TableFile:
    """Read names and number of rows from the footer.

    Raises
    ------
    FileError
        For a file whose footer promises far more than the file can hold.
    """
    with pq.ParquetFile(path) as parquet:
        _refuse_bomb(str(path), path.stat().st_size, parquet)
        names = flat_names(parquet.schema_arrow)
        return TableFile(path, "parquet", names, parquet.metadata.num_rows)


def parquet_batches(file: TableFile, names: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows in order with flat columns."""
    for table in parquet_rows(file.path, names, BATCH_ROWS, threads=True):
        yield Batch(flat(table, names), {})


def parquet_tables(file: TableFile, names: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
    """Yield the rows in order with the columns as they are stored, all or those named."""
    yield from parquet_rows(file.path, names, rows)


def parquet_schema(file: TableFile) -> pa.Schema:
    """Return the schema as stored."""
    return pq.read_schema(file.path)


def parquet_rows(
    source: str | os.PathLike[str] | pa.NativeFile,
    names: Sequence[str] | None = None,
    rows: int = BATCH_ROWS,
    *,
    groups: Sequence[int] | None = None,
    threads: bool = False,
    checksums: bool = False,
) -> Iterator[pa.Table]:
    """Yield the rows of a file in order, columns as they are stored; memory flat for any file.

    Parameters
    ----------
    source
        A path, or an open Arrow file.
    names
        Columns, nested ones by their path; all for None.
    rows
        Most rows a batch. Fewer come where they would unfold into more bytes than a batch may hold.
    groups
        Row groups to read; all for None.
    threads
        Decode columns at the same time.
    checksums
        Compare every page with its checksum.

    Raises
    ------
    FileError
        For a file that promises far more than it can hold, or a row too large for memory.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = folder.name + "/photos.parquet"
    >>> pq.write_table(pa.table({"id": list("abc"), "lat": [1.0, 2.0, 3.0]}), path)
    >>> [table.num_rows for table in parquet_rows(path, ["id"], 2)]
    [2, 1]
    >>> folder.cleanup()
    """
    where, size = _told(source)
    with ExitStack() as opened:

        def handle(texts: tuple[str, ...]) -> pq.ParquetFile:
            # pre_buffer keeps whole row groups: 563 MB against 215 MB, flat, for one 416 MB file
            return opened.enter_context(
                pq.ParquetFile(
                    source,
                    pre_buffer=False,
                    read_dictionary=list(texts),
                    page_checksum_verification=checksums,
                )
            )

        plain = handle(())
        _refuse_bomb(where, size, plain)
        outer = None if names is None else outer_names(plain.schema_arrow, names)
        reader = _Groups(plain, handle, outer)
        wanted = range(plain.metadata.num_row_groups) if groups is None else groups
        small = (t for group in wanted for t in reader.read(group, rows, threads=threads))
        for piece in pieces_of_file(gathered(small, rows), where, size):
            yield piece if piece.schema == reader.schema else piece.cast(reader.schema)


class _Groups:
    """Reads row groups, each with as many rows at a time as its sizes allow."""

    def __init__(
        self,
        plain: pq.ParquetFile,
        handle: Callable[[tuple[str, ...]], pq.ParquetFile],
        outer: list[str] | None,
    ) -> None:
        schema = plain.schema_arrow
        self._outer = outer
        self.schema = schema if outer is None else pa.schema([schema.field(n) for n in outer])
        self._texts = {
            leaf.path: name
            for leaf, name in zip(_leaves(plain), _owners(schema), strict=True)
            if leaf.physical_type == "BYTE_ARRAY" and name in self.schema.names
        }
        self._listed = _Listed(plain)
        self._plain, self._handle = plain, handle
        self._handles: dict[tuple[str, ...], pq.ParquetFile] = {(): plain}

    def read(self, group: int, rows: int, *, threads: bool) -> Iterator[pa.Table]:
        """Yield the rows of a group; long texts as dictionaries."""
        about = self._plain.metadata.row_group(group)
        count = about.num_rows
        size = max(about.total_byte_size, self._listed.bytes(group))
        longest = self._longest(group) if count * size > MAX_BATCH_BYTES else {}
        few = _at_a_time(count, size, max(longest.values(), default=0), rows)
        long = tuple(name for name, most in longest.items() if most * few > PIECE_BYTES)
        for batch in self._opened(long).iter_batches(
            few, row_groups=[group], columns=self._outer, use_threads=threads
        ):
            yield pa.Table.from_batches([batch])

    def _longest(self, group: int) -> dict[str, int]:
        """Return the bytes of the longest text in the dictionaries of each column of a group."""
        found: dict[str, int] = {}
        for rows in PEEKED_ROWS:
            left = sorted({*self._texts.values()} - found.keys())
            if left:
                head = self._opened(tuple(self._texts)).iter_batches(
                    rows, row_groups=[group], columns=left, use_threads=False
                )
                found |= _longest_words(next(head))
        return {text: found.get(name, MAX_BATCH_BYTES) for text, name in self._texts.items()}

    def _opened(self, texts: tuple[str, ...]) -> pq.ParquetFile:
        if texts not in self._handles:
            self._handles[texts] = self._handle(texts)
        return self._handles[texts]


def _at_a_time(count: int, size: int, longest: int, rows: int) -> int:
    """Return how many rows of a group to read at a time, of its rows and bytes."""
    if size <= PIECE_BYTES and longest * min(count, rows) <= PIECE_BYTES:
        return rows
    most = SMALL_ROWS if size <= 4 * MAX_BATCH_BYTES else SMALLEST_ROWS
    return max(1, min(rows, most, PIECE_BYTES * count // max(1, size)))


class _Listed:
    """The bytes of lists and of values of a fixed length, written out.

    Runs of one value cost a list nothing, so that `total_byte_size` does not tell them. Files
    without lists are not asked column by column: pyarrow 26 aborts on some damaged footers.
    """

    def __init__(self, parquet: pq.ParquetFile) -> None:
        self._metadata = parquet.metadata
        self._widths = {
            i: _WIDTHS.get(leaf.physical_type) or max(leaf.length, 4)
            for i, leaf in enumerate(_leaves(parquet))
            if leaf.max_repetition_level or leaf.physical_type == "FIXED_LEN_BYTE_ARRAY"
        }

    def bytes(self, group: int) -> int:
        if not self._widths:
            return 0
        about = self._metadata.row_group(group)
        return sum(about.column(i).num_values * width for i, width in self._widths.items())


def _leaves(parquet: pq.ParquetFile) -> list[Any]:
    return [parquet.schema.column(i) for i in range(len(parquet.schema))]


def _owners(schema: pa.Schema) -> list[str]:
    """Return the column that each leaf of a file lies in; a point in a name may be its own."""
    return [field.name for field in schema for _ in range(_leaf_count(field.type))]


def _leaf_count(kind: pa.DataType) -> int:
    if isinstance(kind, pa.BaseExtensionType):
        return _leaf_count(kind.storage_type)
    fields = [kind.field(i).type for i in range(kind.num_fields)]
    return sum(map(_leaf_count, fields)) or 1


def _longest_words(batch: pa.RecordBatch) -> dict[str, int]:
    """Return the bytes of the longest text of each column all of whose dictionaries are there."""
    found: dict[str, int] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        words = list(_dictionaries(column))
        if words and all(map(len, words)):
            found[name] = max(pc.max(pc.binary_length(one)).as_py() or 0 for one in words)
    return found


def _dictionaries(column: Any) -> Iterator[Any]:
    """Yield the words of every dictionary of text in an array, at any depth."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        if not pa.types.is_primitive(kind.value_type):
            yield column.dictionary
    elif pa.types.is_struct(kind):
        for child in column.flatten():
            yield from _dictionaries(child)
    elif pa.types.is_nested(kind):
        yield from _dictionaries(column.values)


def _told(source: Any) -> tuple[str, int]:
    """Return how errors call a file, and its bytes."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source), Path(source).stat().st_size
    return "the file", source.size()


def _refuse_bomb(where: str, size: int, parquet: pq.ParquetFile) -> None:
    metadata, lists = parquet.metadata, _Listed(parquet)
    if metadata.num_rows > BOMB_ROWS and metadata.num_rows > BOMB_ROWS_PER_BYTE * size:
        msg = f"{where}: claims {metadata.num_rows} rows in {size} bytes; not a table of answers"
        raise FileError(msg)
    for group in range(metadata.num_row_groups):
        unpacked = metadata.row_group(group).total_byte_size
        if unpacked > max(MAX_BATCH_BYTES, BOMB_RATIO * size):
            msg = f"{where}: row group {group} unfolds from {size} bytes into {unpacked >> 20} MiB"
            raise FileError(msg)
        listed = lists.bytes(group)
        if listed > 8 * max(BOMB_ROWS, BOMB_ROWS_PER_BYTE * size):
            msg = f"{where}: lists in row group {group} unfold from {size} bytes into"
            raise FileError(f"{msg} {listed >> 20} MiB; not a table of answers")
