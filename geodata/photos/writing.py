"""Photo rows into one Parquet file, as they come."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata import files
from geodata.files import FileError


def is_file_target(target: str | os.PathLike[str]) -> bool:
    """Return whether a target is a Parquet file, not the folder of a versioned table.

    Raises
    ------
    FileError
        For a file of another kind.
    """
    path = Path(target)
    kind = files.file_format(path) if files.is_table_file(path) else None
    if kind not in (None, "parquet"):
        msg = f"{path}: photos are written as Parquet; name it {path.stem}.parquet, or a table"
        raise FileError(msg)
    if kind is None and path.is_file():
        msg = f"{path}: is a file; expected a name that ends in .parquet or the folder of a table"
        raise FileError(msg)
    return kind == "parquet"


def write_parquet(
    target: str | os.PathLike[str],
    schema: pa.Schema,
    tables: Iterator[pa.Table],
    made_by: dict[str, Any],
) -> None:
    """Write tables of one schema to a Parquet file whole; lineage goes into its metadata."""
    # coordinates hardly repeat: a dictionary of them would be built and thrown away
    plain = {"photo_id", "lat", "lon", "image", "source_row", "x", "y", "z"}
    files.write_tables(tables, target, schema, made_by, plain=plain)
