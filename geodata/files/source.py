"""Open anything tabular and stream it: files by name, Arrow tables, data frames.

A damaged row stays in the stream, at its place, as a row of NULLs with a reason, so that no
row is lost and row numbers stay those of the file. A file that cannot be read at all raises
`geodata.files.FileError`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geodata.files.columns import listed
from geodata.files.formats import BATCH_ROWS, FileError, TableFile, open_table, sha256
from geodata.files.readers import (
    MAX_COLUMNS,
    READERS,
    Batch,
    flat,
    flat_names,
    json_names,
    refuse_bomb,
    refuse_open_quotes,
)


@dataclass(frozen=True)
class Source:
    """A table to read, from a file or from memory; only its head was looked at."""

    name: str
    columns: tuple[str, ...]
    """Column names; a nested one is joined with points, ``prediction.lat``."""
    file: TableFile | None
    table: pa.Table | None

    @property
    def kind(self) -> str:
        """'csv', 'tsv', 'parquet', 'jsonl' or 'table'."""
        return "table" if self.file is None else self.file.format

    def identity(self) -> dict[str, Any]:
        """Return what tells this source from another: name and SHA-256, or rows if in memory."""
        if self.file is None:
            return {"name": self.name, "rows": self.table.num_rows if self.table else 0}
        return {"name": self.file.path.name, "sha256": sha256(self.file.path)}

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Batch]:
        """Yield all rows in order with the named columns, memory flat.

        Raises
        ------
        FileError
            If the file turns out to be unreadable on the way.
        """
        names = list(self.columns if columns is None else columns)
        if self.table is not None:
            for start in range(0, self.table.num_rows, BATCH_ROWS):
                yield Batch(flat(self.table.slice(start, BATCH_ROWS), names), {})
        elif self.file is not None:
            with _typed(self.file):
                yield from READERS[self.kind](self.file, names)


def open_source(source: Any, *, format: str | None = None, what: str = "table") -> Source:  # noqa: A002
    """Open a path, an Arrow table or anything with ``__arrow_c_stream__`` for reading.

    Parameters
    ----------
    source
        Path of a CSV, TSV, Parquet or JSONL file; pyarrow table, batch or reader; pandas or
        polars data frame; mapping of column names to values.
    format
        'csv', 'tsv', 'parquet' or 'jsonl' where the ending of a path does not tell.
    what
        How error messages call a table that has no path.

    Raises
    ------
    FileError
        For a file that is absent, of unknown format or unreadable.
    TypeError
        For anything else that is not a table.

    Examples
    --------
    >>> open_source({"id": ["a"], "lat": [1.0], "lon": [2.0]}).columns
    ('id', 'lat', 'lon')
    """
    if isinstance(source, str | os.PathLike):
        path = Path(os.fspath(source))
        try:
            return _open_file(path, format)
        except (ValueError, OSError) as error:  # a NUL in the name, a name too long
            if isinstance(error, FileError):
                raise
            msg = f"{str(path)[:200]!r} is not a file: {error}"
            raise FileError(msg) from error
    if isinstance(source, Mapping):
        source = pa.table(dict(source))
    if not (hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")):
        msg = (
            f"{what} must be a path, an Arrow table or a data frame, got {type(source).__name__}; "
            "a list of dicts becomes one with pyarrow.Table.from_pylist"
        )
        raise TypeError(msg)
    table = source if isinstance(source, pa.Table) else pa.table(source)
    return Source(what, _checked(flat_names(table.schema), what), None, table)


def _open_file(path: Path, format_: str | None) -> Source:
    file = open_table(path, format=format_)
    with _typed(file):
        if file.format == "parquet":
            with pq.ParquetFile(path, pre_buffer=False) as parquet:
                names = flat_names(parquet.schema_arrow)
                refuse_bomb(path, parquet.metadata)
        elif file.format == "jsonl":
            names = json_names(file)
        else:
            names = file.columns
            refuse_open_quotes(file)
    return Source(str(path), _checked(names, str(path)), file, None)


def _checked(names: tuple[str, ...], where: str) -> tuple[str, ...]:
    if len(names) > MAX_COLUMNS:
        msg = f"{where} has {len(names)} columns, more than {MAX_COLUMNS}; keep those you need"
        raise FileError(msg)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        msg = f"{where}: the names {listed(repeated)} occur twice; column names must be unique"
        raise FileError(msg)
    return names


@contextlib.contextmanager
def _typed(file: TableFile) -> Iterator[None]:
    """Turn what a damaged file raises inside a reader into a FileError."""
    try:
        yield
    except FileError:
        raise
    except (pa.ArrowException, OSError, UnicodeError, MemoryError, OverflowError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        msg = f"{file.path}: cannot be read as {file.format}: {reason}"
        raise FileError(msg) from error
