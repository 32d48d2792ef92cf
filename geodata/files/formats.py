"""Which formats there are, told by the ending of a name, and what a file of rows is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import GeodataError

BATCH_ROWS = 1 << 17

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".geoparquet": "parquet",
    ".feather": "arrow",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".npz": "npz",
    ".xlsx": "xlsx",
    ".geojson": "geojson",
}
"""Format by the ending of a name; ``json`` is one array of objects, or lines after all."""

PACKED = frozenset(("parquet", "arrow", "npz", "xlsx"))
"""Formats that compress inside."""

COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""Compression by a second ending, which text formats may have: ``preds.csv.gz``."""


class FileError(GeodataError, ValueError):
    """A file that cannot be read or written as asked: says what was found and expected."""


@dataclass(frozen=True)
class TableFile:
    """Rows in one file: its format and columns, as its head tells them."""

    path: Path
    format: str
    """A value of `FORMATS`."""
    columns: tuple[str, ...]
    rows: int | None = None
    """Number of rows where the format tells (Parquet), else None."""
    header: bool = True
    """Whether the first line of a CSV or TSV names the columns."""
    above: int = 0
    """Lines above it: a spreadsheet's ``sep=;``."""
    quoting: bool = True
    """Whether a CSV or TSV quotes fields; where it does not, quotes are text."""
    delimiter: str = ","
    encoding: str = "utf-8"
    compression: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether fields are separated by a character, as in CSV and TSV."""
        return self.format in ("csv", "tsv")


def compression_of(path: str | os.PathLike[str]) -> str | None:
    """Return 'gzip', 'bz2' or 'zstd' by the last ending of a name, else None."""
    return COMPRESSIONS.get(Path(path).suffix.lower())


def is_table_file(path: str | os.PathLike[str]) -> bool:
    """Return whether the ending of a name is that of a format, compressed or not.

    Examples
    --------
    >>> is_table_file("a.CSV.gz"), is_table_file("a.tar.gz")
    (True, False)
    """
    return _ending(path) in FORMATS


def file_format(path: str | os.PathLike[str]) -> str:
    """Return 'csv', 'tsv', 'parquet', 'jsonl' or 'json' by the file's ending.

    Raises
    ------
    FileError
        For any other ending, and for Parquet inside another compression.
    """
    suffix = _ending(path)
    if suffix not in FORMATS:
        known = ", ".join(FORMATS)
        msg = f"{path}: unknown format {suffix or '(no ending)'!r}; expected {known}, or .gz of it"
        raise FileError(msg)
    kind = FORMATS[suffix]
    if kind in PACKED and compression_of(path):
        name = kind.capitalize()
        msg = f"{path}: {name} compresses inside; unpack it first and name it {Path(path).stem}"
        raise FileError(msg)
    return kind


def _ending(path: str | os.PathLike[str]) -> str:
    path = Path(path)
    return Path(path.stem).suffix.lower() if compression_of(path) else path.suffix.lower()
