"""One file of a source by its format: its rows in batches, and what damage in it raises."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import pyarrow as pa

from geodata.files import readers
from geodata.files.formats import FileError, TableFile


def batches_of(
    part: TableFile, names: Sequence[str], *, lines: bool = False
) -> Iterator[readers.Batch]:
    """Yield the rows of one file by its format, damaged ones in their place."""
    if part.format == "parquet":
        return readers.parquet_batches(part, names)
    if part.format in readers.LOADED:
        return readers.loaded_batches(part, names)
    if part.is_text:
        return readers.delimited_batches(part, names)
    return readers.json_batches(part, names, lines=lines)


@contextlib.contextmanager
def readable(file: TableFile) -> Iterator[None]:
    """Turn what a damaged file raises inside a reader into a FileError.

    Examples
    --------
    >>> from pathlib import Path
    >>> with readable(TableFile(Path("a.parquet"), "parquet", ())):
    ...     raise OSError("a page ends too early")
    Traceback (most recent call last):
        ...
    geodata.files.formats.FileError: a.parquet: cannot be read as parquet: a page ends too early
    """
    try:
        yield
    except FileError:
        raise
    except (pa.ArrowException, OSError, UnicodeError, MemoryError, OverflowError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        kind = file.format.upper() if file.format != "parquet" else "parquet"
        msg = f"{file.path}: cannot be read as {kind}: {reason}{readers.encoding_hint(error, file)}"
        raise FileError(msg) from error
