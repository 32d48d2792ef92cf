"""Photo rows into one Parquet file, as they come."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geodata import files
from geodata.files import FileError

ROW_GROUP = 1 << 18


def is_file_target(target: str | os.PathLike[str]) -> bool:
    """Return whether a target is a Parquet file, not the folder of a versioned table.

    Raises
    ------
    FileError
        For a file of another kind.
    """
    path = Path(target)
    kind = files.FORMATS.get(path.suffix.lower())
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
    schema = schema.with_metadata({b"geodata": json.dumps(made_by).encode()})
    # coordinates hardly repeat: a dictionary of them would be built and thrown away
    plain = {"photo_id", "lat", "lon", "image", "source_row", "x", "y", "z"}
    words = [name for name in schema.names if name not in plain]
    with (
        files.replacing(target) as beside,
        pq.ParquetWriter(beside, schema, compression="zstd", use_dictionary=words) as writer,
    ):
        waiting: list[pa.Table] = []
        for table in tables:
            waiting.append(table)
            if sum(map(len, waiting)) >= ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting).cast(schema))
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting).cast(schema))
