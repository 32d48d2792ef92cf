"""The rows of records in an order that a seed decides, pictures left on disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from geodata import hashing, tables
from geodata.hashing import sampling_keys
from geodata.records import chats

_SPILL_ROWS = 64


class Shuffled:
    """Rows in the order of their keys, a few at a time.

    Parameters
    ----------
    table
        All rows, shape (n,).
    rows
        Numbers of those that are taken.
    seed
        Of the order.
    """

    def __init__(self, table: pa.Table, rows: np.ndarray, seed: int) -> None:
        self._heavy = holds_bytes(table.schema)
        self._table = table if self._heavy else table.combine_chunks()
        keys = sampling_keys(table.select(["photo_id"]), seed)
        self._order = rows[np.lexsort([rows, keys[rows]])]

    @property
    def schema(self) -> pa.Schema:
        """Columns of the rows."""
        return self._table.schema

    def __len__(self) -> int:
        return len(self._order)

    def slices(self, start: int, stop: int) -> Iterator[pa.Table]:
        """Yield the rows from ``start`` to ``stop`` of the shuffled order."""
        stop = min(stop, len(self))
        for i in range(start, stop, chats.BATCH_ROWS):
            rows = self._order[i : min(i + chats.BATCH_ROWS, stop)]
            if self._heavy:  # taking rows would copy the pictures of all of them at once
                yield pa.concat_tables([self._table.slice(int(row), 1) for row in rows])
            else:
                yield self._table.take(pa.array(rows))

    def stamp(self) -> str:
        """Return a text that changes with the rows and their order; pictures by their size."""
        light = [n for n in self._table.column_names if n != "image"]
        columns = self._table.select(light if self._heavy else self._table.column_names)
        sums = hashing.combine(hashing.of_table(part) for part in _parts(columns))
        return f"{hashing.digest(sums, columns.schema)} {hash_of(self._order)}"


def hash_of(order: np.ndarray) -> str:
    """Return a hash of numbers in their order."""
    import hashlib

    return hashlib.sha256(np.ascontiguousarray(order).tobytes()).hexdigest()


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, 1 << 16):
        yield table.slice(start, 1 << 16)


def holds_bytes(schema: pa.Schema) -> bool:
    """Return whether the pictures themselves are in the rows."""
    kind = schema.field("image").type if "image" in schema.names else pa.null()
    if pa.types.is_struct(kind):
        return True
    return any(is_(kind) for is_ in (pa.types.is_binary, pa.types.is_large_binary))


@contextmanager
def on_disk(parts: Iterable[pa.Table], schema: pa.Schema, folder: Path) -> Iterator[pa.Table]:
    """Give rows as one table that lies in a file while it is used, mapped into memory."""
    beside = Path(tempfile.mkdtemp(prefix=".records.", dir=folder))
    path = beside / "rows.arrow"
    try:
        with (
            tables.storage(path, "laying out pictures"),
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_file(sink, schema) as writer,
        ):
            for part in parts:
                writer.write_table(part, max_chunksize=_SPILL_ROWS)
        with pa.memory_map(str(path)) as mapped:
            yield pa.ipc.open_file(mapped).read_all()
    finally:
        shutil.rmtree(beside, ignore_errors=True)
