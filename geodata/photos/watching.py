"""Refuse a source that is written while it is imported: its rows would not be what was hashed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from geodata import files, tables

_Rows = TypeVar("_Rows")


def unchanged(batches: Iterator[_Rows], path: Path | None) -> Iterator[_Rows]:
    """Return what is read of a file that is hashed behind this call.

    Raises
    ------
    FileError
        When all was read, if the file was written since the call.

    Examples
    --------
    >>> list(unchanged(iter("ab"), None))
    ['a', 'b']
    """
    seen = tables.seen(path)

    def checked() -> Iterator[_Rows]:
        yield from batches
        if tables.seen(path) != seen:
            msg = f"{path} was written while it was read; nothing was imported: try again"
            raise files.FileError(msg)

    return checked()
