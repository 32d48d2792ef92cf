"""Open anything tabular and stream it: files, folders and patterns of them, Arrow, data frames.

A damaged row stays in the stream, at its place, as a row of NULLs with a reason, so that no
row is lost and row numbers stay those of the file; or it is refused with its line. A file that
cannot be read at all raises `FileError`.
"""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from geodata.files import readers
from geodata.files.arrow import as_table
from geodata.files.columns import listed
from geodata.files.formats import (
    BATCH_ROWS,
    FORMATS,
    FileError,
    TableFile,
    compression_of,
    file_format,
)
from geodata.files.parts import batches_of, readable
from geodata.files.shards import shards
from geodata.files.whole import sha256

Damaged = Literal["keep", "refuse"]
"""What becomes of a row that cannot be read: NULLs and a reason in its place, or an error."""


@dataclass(frozen=True)
class Source:
    """Rows to read as often as needed; only heads were looked at."""

    name: str
    columns: tuple[str, ...]
    """Column names; a nested one is joined with points, ``prediction.lat``."""
    kind: str
    """'csv', 'tsv', 'parquet', 'jsonl', 'json', or 'table' for rows that are in no file."""
    rows: int | None
    """Number of rows where it is known without reading them."""
    parts: tuple[TableFile, ...] = ()
    schema: pa.Schema | None = None
    """The columns as they are stored, where they have types: Parquet and tables."""
    stream: Callable[[Sequence[str] | None, int], Iterator[pa.Table]] | None = None
    """Rows that are in no file: a function of column names (None for all) and batch size."""
    reference: Mapping[str, Any] | None = None
    """What tells rows that are in no file from others."""

    @property
    def path(self) -> Path | None:
        """The file, where it is one."""
        return self.parts[0].path if len(self.parts) == 1 else None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that the rows are in."""
        return tuple(part.path for part in self.parts)

    def identity(self) -> dict[str, Any]:
        """Return what tells this source from another: name and SHA-256, or rows if in memory."""
        if not self.parts:
            return {"name": self.name, **(self.reference or {"rows": self.rows})}
        hashes = [sha256(part.path) for part in self.parts]
        if len(hashes) == 1:
            return {"name": self.parts[0].path.name, "sha256": hashes[0]}
        whole = hashlib.sha256("".join(hashes).encode()).hexdigest()
        return {"name": Path(self.name).name, "files": len(hashes), "sha256": whole}

    def batches(
        self,
        columns: Sequence[str] | None = None,
        *,
        damaged: Damaged = "keep",
        lines: bool = False,
    ) -> Iterator[readers.Batch]:
        """Yield all rows in order with flat columns, all or those named, memory flat.

        Parameters
        ----------
        columns
            Names of `columns`.
        damaged
            ``keep`` a row that cannot be read at its place, or ``refuse`` the file there.
        lines
            Also give JSON rows as they are written.

        Raises
        ------
        FileError
            If the file turns out to be unreadable on the way.
        """
        names = list(self.columns if columns is None else columns)
        if self.stream is not None:
            for table in self.stream(names, BATCH_ROWS):
                yield from (
                    readers.Batch(readers.flat(t, names), {})
                    for t in readers.pieces(table, self.name)
                )
        for part in self.parts:
            yield from _checked_rows(part, names, damaged, lines)

    def tables(
        self, columns: Sequence[str] | None = None, *, rows: int = BATCH_ROWS
    ) -> Iterator[pa.Table]:
        """Yield all rows in order, columns as they are stored; a damaged row is refused.

        Parameters
        ----------
        columns
            Names of `columns`; of a nested one the outer column is given.
        rows
            Most rows a batch, for CSV about.

        Raises
        ------
        FileError
            With the line of a row that cannot be read.
        """
        if self.stream is not None:
            for table in self.stream(columns, rows):
                yield from readers.pieces(table, self.name)
        for part in self.parts:
            if part.format == "parquet":
                with readable(part):
                    yield from readers.parquet_tables(part, columns, rows)
            elif part.format in readers.LOADED:
                with readable(part):
                    yield from readers.loaded_tables(part, columns, rows)
            else:
                yield from (b.table for b in self._part(part).batches(columns, damaged="refuse"))

    def _part(self, part: TableFile) -> Source:
        return Source(str(part.path), self.columns, part.format, None, (part,))

    def no_rows(self) -> pa.Table:
        """Return a table with the columns as they are stored and no rows."""
        return (
            readers.no_rows(self.columns)
            if self.schema is None
            else pa.Table.from_batches([], self.schema)
        )

    def kinds(self) -> readers.Kinds:
        """Return the kind of every column of JSON, read from all rows; empty for other formats.

        Names that first occur far down are there too, which `columns` may lack.
        """
        kinds: readers.Kinds = {}
        for part in self.parts:
            if part.format in ("jsonl", "json"):
                with readable(part):
                    found = readers.json_kinds(part)
                for name, kind in found.items():
                    kinds[name] = kind if kinds.get(name, kind) == kind else "text"
        return kinds


def open_source(
    source: Any,
    *,
    format: str | None = None,  # noqa: A002
    what: str = "table",
    encoding: str | None = None,
) -> Source:
    """Open a path, an Arrow table or anything with ``__arrow_c_stream__`` for reading.

    Parameters
    ----------
    source
        Path of a CSV, TSV, Parquet, JSONL or JSON file, the text formats also as .gz, .bz2 or
        .zst; feather or Arrow IPC, .npz, .xlsx (with openpyxl), .geojson;
        folder of such files, or a pattern with ``*``; pyarrow table, batch or reader;
        pandas or polars data frame; mapping of column names to values; a `Source`.
    format
        A value of `FORMATS`, such as 'csv' or 'arrow', where the ending of a path does not tell.
    what
        How error messages call a table that has no path.
    encoding
        Of text files that are neither UTF-8 nor UTF-16, such as 'latin-1'. It is never guessed: a
        wrong guess would change names without a word.

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
    if isinstance(source, Source):
        return source
    if isinstance(source, str | os.PathLike):
        path = Path(os.fspath(source))
        try:
            return _of_files(path, format, encoding)
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
    return source_of(as_table(source), what)


def source_of(table: pa.Table, name: str = "table") -> Source:
    """Return a table in memory as a source."""

    def stream(names: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
        chosen = table if names is None else table.select(readers.outer_names(table.schema, names))
        for start in range(0, table.num_rows, rows):
            yield chosen.slice(start, rows)

    names = _checked(readers.flat_names(table.schema), name)
    return Source(name, names, "table", table.num_rows, schema=table.schema, stream=stream)


def _of_files(path: Path, format_: str | None, encoding: str | None) -> Source:
    if encoding is not None:
        _known_encoding(encoding)
    if format_ is not None and format_ not in FORMATS.values():
        expected = ", ".join(dict.fromkeys(FORMATS.values()))
        msg = f"unknown format {format_!r}; expected {expected}"
        raise FileError(msg)
    found = shards(path)
    parts = tuple(_head(one, format_, encoding) for one in (found or [path]))
    kind = parts[0].format
    names = dict.fromkeys(name for part in parts for name in part.columns)
    known = kind == "parquet" or kind in readers.LOADED
    rows = sum(part.rows or 0 for part in parts) if known else None
    _refuse_unlike(parts)
    schema = readers.parquet_schema(parts[0]) if kind == "parquet" else None
    schema = readers.loaded_schema(parts[0]) if kind in readers.LOADED else schema
    return Source(str(path), _checked(tuple(names), str(path)), kind, rows, parts, schema)


def _refuse_unlike(parts: Sequence[TableFile]) -> None:
    """Refuse shards that lack columns of the first; a row of JSON may leave out what it has not."""
    for part in parts[1:]:
        lacking = set(parts[0].columns) ^ set(part.columns)
        if lacking and part.format not in ("jsonl", "json"):
            name = min(lacking)
            has, lacks = (part, parts[0]) if name in part.columns else (parts[0], part)
            msg = f"{lacks.path} has no column {name!r}, which {has.path} has"
            raise FileError(msg)


def _known_encoding(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        msg = f"unknown encoding {encoding!r}; expected a name such as latin-1, cp1252 or utf-8"
        raise FileError(msg) from error


def _head(path: Path, format_: str | None, encoding: str | None = None) -> TableFile:
    kind = format_ or file_format(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "a pipe or device" if path.exists() else "nothing"
        msg = f"{path}: expected a {kind} file, found {found} there"
        raise FileError(msg)
    packing = compression_of(path)
    file = TableFile(path, kind, (), encoding=encoding or "utf-8", compression=packing)
    with readable(file):
        if kind == "parquet":
            return readers.parquet_head(path)
        if kind in readers.LOADED:
            return readers.loaded_head(path, kind)
        if kind in ("csv", "tsv"):
            file = readers.delimited_head(path, kind, packing, encoding)
            readers.refuse_open_quotes(file)
            return file
        return replace(file, columns=readers.json_names(file))


def _checked(names: tuple[str, ...], where: str) -> tuple[str, ...]:
    if len(names) > readers.MAX_COLUMNS:
        most = readers.MAX_COLUMNS
        msg = f"{where} has {len(names)} columns, more than {most}; keep those you need"
        raise FileError(msg)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        msg = f"{where}: the names {listed(repeated)} occur twice; column names must be unique"
        raise FileError(msg)
    return names


def _checked_rows(
    part: TableFile, names: list[str], damaged: Damaged, lines: bool
) -> Iterator[readers.Batch]:
    with readable(part):
        for batch in batches_of(part, names, lines=lines):
            if batch.bad and damaged == "refuse":
                row, why = min(batch.bad.items())
                verb = "has" if part.is_text else "is"
                msg = f"{part.path}: line {batch.at[row]} {verb} {why}"
                raise FileError(msg)
            yield batch
