"""Rows put aside on disk in parts, each small enough to be sorted in memory."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from geodata import tables


class PartsOnDisk:
    """Parts of a table in files without a name, which vanish with the process that made them.

    Parameters
    ----------
    parts
        How many parts there are.
    folder
        On the disk to use.

    Examples
    --------
    >>> with PartsOnDisk(2, ".") as parts:
    ...     parts.add(1, pa.table({"a": [1]}))
    ...     parts.add(1, pa.table({"a": [2]}))
    ...     parts.take(0), parts.take(1)["a"].to_pylist()
    (None, [1, 2])
    """

    def __init__(self, parts: int, folder: str | os.PathLike[str]) -> None:
        self._folder = folder
        self._files: list[IO[bytes] | None] = [None] * parts
        self._writers: list[Any] = [None] * parts

    def __len__(self) -> int:
        return len(self._files)

    def __enter__(self) -> PartsOnDisk:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            if file is not None:
                file.close()

    def add(self, part: int, table: pa.Table) -> None:
        """Put rows into a part.

        Raises
        ------
        StorageFullError
            If there is no room.
        """
        with tables.storage(self._where, "sorting rows"):
            if self._writers[part] is None:
                file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
                options = pa.ipc.IpcWriteOptions(compression="lz4")
                self._files[part] = file
                self._writers[part] = pa.ipc.new_stream(file, table.schema, options=options)
            self._writers[part].write_table(table)

    def take(self, part: int) -> pa.Table | None:
        """Return the rows of a part in the order they came, and free its room; None for none."""
        file, writer = self._files[part], self._writers[part]
        if file is None:
            return None
        with tables.storage(self._where, "sorting rows"):
            writer.close()
            file.seek(0)  # writes what is held back
        with pa.ipc.open_stream(file) as reader:
            table = reader.read_all()
        file.close()
        self._files[part] = self._writers[part] = None
        return table

    @property
    def _where(self) -> Path:
        return Path(self._folder)
