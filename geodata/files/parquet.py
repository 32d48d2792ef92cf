"""Rows of Parquet, and files refused that are bombs.

What a small file unfolds into is bounded before it is unfolded: rows, bytes of a row group, and
text that a dictionary repeats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata.files.flat import MAX_BATCH_BYTES, Batch, flat, flat_names, outer_names
from geodata.files.formats import BATCH_ROWS, FileError, TableFile

SMALL_FILE_BYTES = 1 << 26
LONG_TEXT = 4 * MAX_BATCH_BYTES // BATCH_ROWS
"""Bytes: a batch of texts of this length is as large as a batch may unfold into."""

PEEKED_GROUPS = 64
"""With more row groups than this it is not looked how long their texts are."""

BOMB_ROWS, BOMB_ROWS_PER_BYTE, BOMB_RATIO = 10_000_000, 64, 100


def parquet_head(path: Path) -> TableFile:
    """Read names and number of rows from the footer.

    Raises
    ------
    FileError
        For a file whose footer promises far more than the file can hold.
    """
    with pq.ParquetFile(path, pre_buffer=False) as parquet:
        _refuse_bomb(path, parquet.metadata)
        names = flat_names(parquet.schema_arrow)
        return TableFile(path, "parquet", names, parquet.metadata.num_rows)


def parquet_batches(file: TableFile, names: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows in order with flat columns."""
    # pre_buffer would keep whole row groups in memory
    with pq.ParquetFile(file.path, pre_buffer=False) as probe:
        schema = probe.schema_arrow
    outer = outer_names(schema, names)
    repeated = _repeated_text(file.path, schema, outer)
    with pq.ParquetFile(file.path, pre_buffer=False, read_dictionary=repeated) as parquet:
        for batch in parquet.iter_batches(BATCH_ROWS, columns=outer, use_threads=True):
            yield Batch(flat(pa.Table.from_batches([batch]), names), {})


def _repeated_text(path: Path, schema: pa.Schema, names: Sequence[str]) -> list[str]:
    """Return the text columns that must be read as dictionaries, which takes six times as long.

    A small file may hold one huge string and a million references to it: these are kept as such.
    The first row of a row group tells, since its dictionary comes whole.
    """
    kinds = ("string", "large_string")
    text = [field.name for field in schema if field.name in names and str(field.type) in kinds]
    if not text or path.stat().st_size > SMALL_FILE_BYTES:
        return []
    with pq.ParquetFile(path, pre_buffer=False, read_dictionary=text) as parquet:
        if parquet.num_row_groups > PEEKED_GROUPS:
            return text
        long: set[str] = set()
        for group in range(parquet.num_row_groups):
            for batch in parquet.iter_batches(1, row_groups=[group], columns=text):
                long |= {name for name in text if _longest(batch.column(name)) > LONG_TEXT}
                break
    return sorted(long)


def _longest(column: pa.DictionaryArray) -> int:
    return pc.max(pc.binary_length(column.dictionary)).as_py() or 0


def parquet_tables(file: TableFile, names: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
    """Yield the rows in order with the columns as they are stored, all or those named."""
    # pre_buffer keeps whole row groups: 563 MB against 215 MB, flat, for one 416 MB file
    with pq.ParquetFile(file.path, pre_buffer=False) as parquet:
        outer = None if names is None else outer_names(parquet.schema_arrow, names)
        for batch in parquet.iter_batches(rows, columns=outer, use_threads=False):
            yield pa.Table.from_batches([batch])


def parquet_schema(file: TableFile) -> pa.Schema:
    """Return the schema as stored."""
    return pq.read_schema(file.path)


def _refuse_bomb(path: Path, metadata: pq.FileMetaData) -> None:
    size = path.stat().st_size
    if metadata.num_rows > BOMB_ROWS and metadata.num_rows > BOMB_ROWS_PER_BYTE * size:
        msg = f"{path}: claims {metadata.num_rows} rows in {size} bytes; not a table of answers"
        raise FileError(msg)
    # not column by column: pyarrow 26 aborts the process on some damaged column footers
    for group in range(metadata.num_row_groups):
        unpacked = metadata.row_group(group).total_byte_size
        if unpacked > max(MAX_BATCH_BYTES, BOMB_RATIO * size):
            msg = f"{path}: row group {group} unfolds from {size} bytes into {unpacked >> 20} MiB"
            raise FileError(msg)
