"""One version of a table, opened: DuckDB, polars or Arrow over exactly its files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from geodata import hashing
from geodata.hashing import Sums
from geodata.tables import buckets, data_files, log
from geodata.tables.errors import TableChangedError

if TYPE_CHECKING:
    import duckdb
    import polars as pl

_GLOB = re.compile(r"([\[\]?*])")


@dataclass(frozen=True)
class TableVersion:
    """A version of a table. It never changes; rows are read when they are asked for."""

    path: Path
    version: int
    schema: pa.Schema
    files: tuple[Path, ...]
    """The Parquet files of the version, in the order their rows were written."""
    rows: int

    def duckdb(
        self,
        con: duckdb.DuckDBPyConnection | None = None,
        names: Sequence[str] | None = None,
    ) -> duckdb.DuckDBPyRelation:
        """Return a DuckDB relation over the files; filters and columns are pushed down to them.

        Parameters
        ----------
        con
            A connection, also one that is locked to the table's folder; a new one by default.
        names
            What the connection calls the files, in their order; their paths by default.

        Examples
        --------
        >>> import tempfile
        >>> from geodata import tables
        >>> lake = tempfile.TemporaryDirectory()
        >>> _ = tables.append(lake.name + "/t", pa.table({"a": [1, 2, 3]}))
        >>> tables.open(lake.name + "/t").duckdb().filter("a > 1").count("*").fetchall()
        [(2,)]
        >>> lake.cleanup()
        """
        import duckdb

        con = duckdb.connect() if con is None else con
        empty = con.from_arrow(self.schema.empty_table())
        kinds = dict(zip(empty.columns, empty.types, strict=True))
        if not self.files:
            nulls = ", ".join(f"NULL::{kind} AS {_quoted(name)}" for name, kind in kinds.items())
            return con.sql(f"SELECT {nulls} LIMIT 0")
        # a star or bracket in a folder's name is not a pattern, nor is a=b a column
        paths = names or [_GLOB.sub(r"[\1]", str(f)) for f in self.files]
        found = con.read_parquet(list(paths), union_by_name=True, hive_partitioning=False)
        held = set(found.columns)
        columns = [
            _quoted(name) if name in held else f"NULL::{kind} AS {_quoted(name)}"
            for name, kind in kinds.items()
        ]
        return found.project(", ".join(columns))

    def polars(self) -> pl.LazyFrame:
        """Return a polars LazyFrame over the files."""
        import polars as pl

        empty = pl.DataFrame(self.schema.empty_table())
        if not self.files:
            return empty.lazy()
        return pl.scan_parquet(
            list(self.files),
            schema=empty.schema,
            missing_columns="insert",
            glob=False,
            hive_partitioning=False,
        )

    def dataset(self) -> Any:
        """Return a pyarrow.dataset.Dataset over the files."""
        import pyarrow.dataset as ds

        if not self.files:
            return ds.dataset(self.schema.empty_table())
        return ds.dataset([str(f) for f in self.files], schema=self.schema, format="parquet")

    def arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows, or some of their columns, as a pyarrow.Table in the order written."""
        return self.dataset().to_table(columns=None if columns is None else list(columns))

    def batches(
        self, columns: Sequence[str] | None = None, batch_rows: int = data_files.ROW_GROUP
    ) -> Iterator[pa.Table]:
        """Yield the rows, or some of their columns, in the order written, memory flat.

        At most ``batch_rows`` a time; the checksum of every page that is read is verified.
        """
        wanted = list(self.schema.names if columns is None else columns)
        schema = pa.schema([self.schema.field(name) for name in wanted])
        for file in self.files:
            yield from data_files.read(file, schema, batch_rows)

    @cached_property
    def note(self) -> dict[str, Any]:
        """The note of the commit that made the version."""
        entry = log.commit_at(self.path, self.version)
        note: dict[str, Any] = entry[log.KEY].get("note", {})
        return note

    @cached_property
    def content_hash(self) -> str:
        """64 hex digits that depend on the rows and columns only, not on files or order.

        From what was recorded as the files were written; `verify` computes it from the rows.
        """
        total = log.total(self.path, self.version)
        if total is None:  # another tool made the version
            total = hashing.combine(self._sums())
        return hashing.digest(total, self.schema)

    def reference(self) -> dict[str, Any]:
        """Return what names this version as an input in another's note.

        Examples
        --------
        >>> import tempfile
        >>> from geodata import tables
        >>> lake = tempfile.TemporaryDirectory()
        >>> _ = tables.append(lake.name + "/photos", pa.table({"a": [1]}))
        >>> reference = tables.open(lake.name + "/photos").reference()
        >>> reference["table"], reference["version"], len(reference["content_hash"])
        ('photos', 0, 64)
        >>> lake.cleanup()
        """
        return {
            "table": self.path.name,
            "version": self.version,
            "rows": self.rows,
            "content_hash": self.content_hash,
        }

    def _sums(self) -> Iterator[Sums]:
        known = log.recorded(self.path, self.version)
        for file in self.files:
            entry = known.get(file.name)
            if entry is not None:
                yield Sums(*entry["content"])
            else:  # another tool wrote it
                yield from map(hashing.of_table, data_files.read(file, self.schema))


def open_version(
    path: str | os.PathLike[str], version: int | str | None, *, check: bool = True
) -> TableVersion:
    """Open a version; with ``check``, after seeing that its files are there, whole by size."""
    root = log.check_path(path)
    found = log.snapshot(root, log.resolve(root, version))
    while check:
        buckets.fill(root, found.files)
        try:
            _check_files(root, found.version, found.files)
            break
        except TableChangedError:
            again = log.snapshot(root, log.resolve(root, version))
            if again == found:  # else it is another one by now: a vacuum or a forget came between
                raise
            found = again
    return TableVersion(
        path=root,
        version=found.version,
        schema=found.schema,
        files=tuple(root / file.name for file in found.files),
        rows=sum(_rows(root, file) for file in found.files),
    )


def _rows(root: Path, file: log.Active) -> int:
    if file.rows is not None:
        return file.rows
    import pyarrow.parquet as pq

    return int(pq.read_metadata(root / file.name).num_rows)


def _check_files(root: Path, version: int, active: list[log.Active]) -> None:
    wrong = [f"{f.name} {problem}" for f in active if (problem := size_problem(root, f))]
    if wrong:
        msg = (
            f"{root}: version {version} cannot be opened, {len(wrong)} of its {len(active)} files "
            f"changed since the commit: {wrong[0]}; restore them, or open another version"
        )
        raise TableChangedError(msg)


def size_problem(root: Path, file: log.Active) -> str:
    """Return what is wrong with a file at first sight, empty if nothing."""
    try:
        size = os.stat(f"{root}/{file.name}").st_size  # noqa: PTH116, thousands of files
    except OSError:
        return "is gone (deleted, or vacuumed as no tag kept it)"
    return "" if size == file.size else f"has {size} bytes, committed were {file.size}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
