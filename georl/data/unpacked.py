"""Columns laid out on disk as they lie in memory, so that any row is read at once.

Parquet packs thousands of rows together, and training asks for them in random order. Images
that a table holds as bytes, and chats, are therefore written once to an Arrow file, which is
memory-mapped: the processes of a node share its pages, and none keeps it in memory.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock

from geodata import files, tables

_LAYOUT = 1


class Unpacked:
    """Rows of an Arrow file; a copy in another process maps the file anew."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]

    @functools.cached_property
    def table(self) -> pa.Table:
        """All rows, none of them read yet."""
        return pa.ipc.open_file(pa.memory_map(str(self.path))).read_all()

    def row(self, number: int, columns: Sequence[str]) -> dict[str, Any]:
        """Return columns of one row."""
        found = self.table.select(list(columns)).slice(number, 1)
        row: dict[str, Any] = found.to_pylist()[0]
        return row


def unpack(
    batches: Callable[[], Iterator[pa.Table]], folder: Path, stamp: str, label: str
) -> Unpacked:
    """Write batches to a file of ``folder`` that is named by ``stamp``, unless it is there.

    Parameters
    ----------
    batches
        Called once by the process that writes; the others wait.
    folder
        Made where it does not exist.
    stamp
        Changes when the rows do.
    label
        What the rows are called in messages.

    Raises
    ------
    StorageFullError
        If there is no room; nothing is left then.
    """
    name = hashlib.sha256(json.dumps([_LAYOUT, stamp]).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.arrow"
    with FileLock(folder / f".{name}.lock"):
        if not target.is_file():
            with tables.storage(target, f"unpacking {label}"), files.replacing(target) as new:
                _write(batches(), new)
    return Unpacked(target)


def _write(batches: Iterator[pa.Table], target: Path) -> None:
    first = next(batches, None)
    schema = pa.schema([]) if first is None else first.schema
    with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        if first is not None:
            writer.write_table(first)
        for table in batches:
            writer.write_table(table.cast(schema))
