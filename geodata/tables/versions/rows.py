"""Rows by whatever names them: a table of a lake at a version, or what `geodata.files` reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from geodata import files, images
from geodata.files import Source
from geodata.tables.log import address_of

if TYPE_CHECKING:
    from geodata.tables.versions.version import TableVersion

_LOG = "_delta_log"


def open_rows(
    source: Any,
    *,
    format: str | None = None,  # noqa: A002
    what: str = "table",
    encoding: str | None = None,
) -> Source:
    """Open rows for reading, damaged ones kept or refused as the reader says.

    Parameters
    ----------
    source
        The folder of a versioned table, ``lake/photos``, ``lake/photos@3`` or
        ``lake/photos@paper``; a table in a bucket, ``s3://bucket/lake/photos@3``; a
        `TableVersion`; WebDataset shards, a ``.tar`` or a folder of them; or what
        `geodata.files.open_source` takes: files, folders of shards, Arrow, data frames.
    format, what, encoding
        As in `geodata.files.open_source`.

    Raises
    ------
    FileError, TableError
        If it is not there or cannot be read.

    Examples
    --------
    >>> open_rows({"id": ["a"], "lat": [1.0], "lon": [2.0]}).columns
    ('id', 'lat', 'lon')
    """
    if isinstance(source, str | os.PathLike):
        if address := address_of(source):
            from geodata.tables.buckets import open_bucket

            return open_bucket(address).source()
        folder, version = _table_at(Path(os.fspath(source)))
        if folder is not None:
            from geodata.tables.versions.version import open_version  # brings deltalake

            return source_of_version(open_version(folder, version))
        if format is None and images.shard_paths(source):
            return images.open_samples(source)
    elif hasattr(source, "content_hash"):
        return source_of_version(source)
    return files.open_source(source, format=format, what=what, encoding=encoding)


def source_of_version(version: TableVersion) -> Source:
    """Return a version of a table as a source of rows."""

    def stream(names: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
        outer = None if names is None else files.outer_names(version.schema, names)
        yield from version.batches(outer, rows)

    return Source(
        f"{version.path}@{version.version}",
        files.flat_names(version.schema),
        "table",
        version.rows,
        schema=version.schema,
        stream=stream,
        reference=version.reference(),
    )


def _table_at(path: Path) -> tuple[Path | None, str | None]:
    """Return the folder of a table and the version asked for; None where a path names no table."""
    try:
        if (path / _LOG).is_dir():
            return path, None
        name, _, version = path.name.rpartition("@")
        if (path.with_name(name) / _LOG).is_dir():
            return path.with_name(name), version
    except (OSError, ValueError):  # no name before an @; too long, a NUL: the reader of files says
        pass
    return None, None
