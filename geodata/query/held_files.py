"""A file system for DuckDB in which a few files can be read and nothing else can be done.

DuckDB's own lists of allowed paths allow writing as well as reading: with a lake's files on them,
``COPY`` replaces the lake's rows. Here a file is given a name of ours, ``held://data/...``, and
the only thing that can be done with that name is to open it for reading. Paths of the machine do
not appear in SQL, neither in views nor in settings nor in errors; no name is a pattern.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fsspec import AbstractFileSystem

if TYPE_CHECKING:
    import duckdb

PROTOCOL = "held"
FOLDER = f"{PROTOCOL}://data/"
"""What a locked connection is allowed to open; this module then allows reading only."""


class _Handle(io.RawIOBase):
    """An open file that is closed when it is forgotten: DuckDB does not close all that it opens."""

    def __init__(self, path: Path) -> None:
        self._at = 0
        # a pipe in the place of a file would be waited for without end
        self._handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        found = os.fstat(self._handle)
        self._size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise FileNotFoundError(path.name)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        wanted = self._size - self._at if size < 0 else size
        data = os.pread(self._handle, wanted, self._at)
        self._at += len(data)
        return data

    def close(self) -> None:
        if not self.closed and hasattr(self, "_handle"):
            os.close(self._handle)
        super().close()


class HeldFiles(AbstractFileSystem):  # type: ignore[misc]
    """Files that SQL may read, by names of ours.

    Examples
    --------
    >>> held = HeldFiles()
    >>> held.hold("photos", [Path("/srv/lake/photos/part-0.parquet")])
    ['held://data/photos/0.parquet']
    >>> held.open("held://data/photos/0.parquet", "wb")
    Traceback (most recent call last):
        ...
    PermissionError: held://data/photos/0.parquet is read-only
    """

    protocol: ClassVar[str] = PROTOCOL
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._paths: dict[str, Path] = {}

    def hold(self, name: str, paths: Sequence[Path]) -> list[str]:
        """Make files readable and return what they are called, in the same order."""
        folder = FOLDER + re.sub(r"\W", "_", name, flags=re.ASCII)
        while f"{folder}/0.parquet" in self._paths:
            folder += "_"
        named = {f"{folder}/{i}.parquet": path for i, path in enumerate(paths)}
        self._paths.update(named)
        return list(named)

    def open(self, path: str, mode: str = "rb", *_: Any, **__: Any) -> Any:
        """Open a held file for reading.

        Raises
        ------
        PermissionError
            For any mode but ``rb``.
        FileNotFoundError
            For a name that is not held.
        """
        if mode != "rb":
            msg = f"{self._full(path)} is read-only"
            raise PermissionError(msg)
        return _Handle(self._real(path))

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return name, size and type of a held file."""
        found = self._real(path).stat()
        return {"name": self._full(path), "size": found.st_size, "type": "file"}

    def modified(self, path: str) -> datetime:
        """Return when a held file was last written."""
        return datetime.fromtimestamp(self._real(path).stat().st_mtime, UTC)

    def exists(self, path: str, **_: Any) -> bool:
        """Return whether a file is held."""
        return self._full(path) in self._paths

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the name itself if it is held: no character of a name is a pattern."""
        return [self._full(path)] if self.exists(path) else []

    def _real(self, path: str) -> Path:
        try:
            return self._paths[self._full(path)]
        except KeyError:
            raise FileNotFoundError(self._full(path)) from None

    @staticmethod
    def _full(path: str) -> str:
        return f"{PROTOCOL}://{path.removeprefix(f'{PROTOCOL}://')}"


def held_files(con: duckdb.DuckDBPyConnection) -> HeldFiles:
    """Give a connection a file system of this kind, empty."""
    held = HeldFiles()
    con.register_filesystem(held)
    return held
