"""Files in and out: formats by name, rows in batches, writes that are whole or not there.

Reading keeps what the file says: every CSV and TSV column is text until somebody parses it,
because type sniffing merges the ids ``1e3`` and ``1000`` and loses leading zeros.
"""

from __future__ import annotations

import atexit
import contextlib
import csv
import functools
import hashlib
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from geodata.errors import GeodataError

BATCH_ROWS = 1 << 17
MAX_HEADER_BYTES = 1 << 20
READ_AHEAD_S = 0.2
"""Longer than pyarrow takes for the block of a CSV file that it is reading ahead."""

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


class FileError(GeodataError, ValueError):
    """A file that cannot be read or written as asked: says what was found and expected."""


@dataclass(frozen=True)
class TableFile:
    """A table in a file: its format and columns, read from its head only."""

    path: Path
    format: str
    columns: tuple[str, ...]
    rows: int | None
    """Number of rows where the format tells (Parquet), else None."""
    header: bool = True
    """Whether the first line of a CSV or TSV names the columns."""
    quoting: bool = True
    """Whether a CSV or TSV quotes fields; where it does not, quotes are text."""

    def batches(
        self,
        columns: list[str] | None = None,
        batch_rows: int = BATCH_ROWS,
        *,
        bad_rows: list[tuple[int, str]] | None = None,
    ) -> Iterator[pa.Table]:
        """Yield the rows in file order, at most ``batch_rows`` a time, memory flat.

        Parameters
        ----------
        columns
            The columns to read, all by default.
        batch_rows
            Most rows a batch.
        bad_rows
            A list that takes CSV rows whose number of fields is not the header's, as (row
            number, text), the first line being row 1; they are left out of the batches then.

        Raises
        ------
        FileError
            For a row that does not fit the header, with its line number, unless ``bad_rows``
            is given.
        """
        if self.format == "parquet":
            yield from _parquet_batches(self.path, columns, batch_rows)
        elif self.format == "jsonl":
            yield from _jsonl_batches(self.path, columns, batch_rows)
        else:
            yield from _csv_batches(self, columns, bad_rows)


def file_format(path: str | os.PathLike[str]) -> str:
    """Return 'csv', 'tsv', 'parquet' or 'jsonl' by the file's ending.

    Raises
    ------
    FileError
        For any other ending.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        msg = f"{path}: unknown format {suffix or '(no ending)'!r}; expected {', '.join(FORMATS)}"
        raise FileError(msg)
    return FORMATS[suffix]


def open_table(path: str | os.PathLike[str], *, format: str | None = None) -> TableFile:  # noqa: A002
    """Read the head of a CSV, TSV, Parquet or JSONL file.

    Parameters
    ----------
    path
        The file.
    format
        'csv', 'tsv', 'parquet' or 'jsonl'; by default what the ending says.

    Raises
    ------
    FileError
        If there is no such file, or its head is not what its ending says.
    """
    path = Path(path)
    kind = file_format(path) if format is None else format
    if kind not in FORMATS.values():
        msg = f"unknown format {kind!r}; expected {', '.join(sorted(set(FORMATS.values())))}"
        raise FileError(msg)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        msg = f"{path}: expected a {kind} file, found {found} there"
        raise FileError(msg)
    if kind == "parquet":
        with _readable(path, "parquet"), pq.ParquetFile(path) as file:
            return TableFile(path, kind, tuple(file.schema_arrow.names), file.metadata.num_rows)
    if kind == "jsonl":
        return TableFile(path, kind, _jsonl_columns(path), None)
    return TableFile(path, kind, _csv_header(path, _delimiter(kind)), None)


def read_table(path: str | os.PathLike[str], columns: list[str] | None = None) -> pa.Table:
    """Read a whole file that `open_table` can open."""
    source = open_table(path)
    tables = list(source.batches(columns))
    if tables:
        return pa.concat_tables(tables, promote_options="permissive")
    return pa.table({name: pa.array([], pa.string()) for name in columns or source.columns})


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file as hex."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path beside ``target`` to write to; sync and rename it there if all went well.

    A reader sees the old file or the new one, never a part; after an error or a kill the old
    one is untouched.

    Raises
    ------
    FileError
        If the folder of the target does not exist.
    """
    target = Path(target)
    if not target.parent.is_dir():
        msg = f"cannot write {target}: the folder {target.parent} does not exist; create it first"
        raise FileError(msg)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    beside = Path(name)
    try:
        beside.chmod(0o666 & ~_umask())
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(target)
        _sync_folder(target.parent)
    finally:
        beside.unlink(missing_ok=True)


def write_text(target: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 text file whole, or leave what was there."""
    with replacing(target) as beside:
        beside.write_text(text, encoding="utf-8")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems refuse to sync a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _readable(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        msg = f"{path}: cannot be read as {kind}: {reason}"
        raise FileError(msg) from error


def _delimiter(kind: str) -> str:
    return "\t" if kind == "tsv" else ","


def _csv_header(path: Path, delimiter: str) -> tuple[str, ...]:
    with _readable(path, "CSV"), path.open(encoding="utf-8-sig", newline="") as file:
        head = file.readline(MAX_HEADER_BYTES)
    names = tuple(name.strip() for name in next(csv.reader([head], delimiter=delimiter), []))
    if not any(names):
        msg = f"{path}: line 1 is empty; expected a header with column names"
        raise FileError(msg)
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        msg = f"{path}: the header repeats {', '.join(map(repr, repeated))}; names must be unique"
        raise FileError(msg)
    return names


def _csv_batches(
    source: TableFile, columns: list[str] | None, bad_rows: list[tuple[int, str]] | None = None
) -> Iterator[pa.Table]:
    def refuse(row: pacsv.InvalidRow) -> str:
        if bad_rows is not None:
            bad_rows.append((row.number, row.text))
            return "skip"
        # Reading is sequential here, so the row has its number; the header is line 1.
        msg = (
            f"{source.path}: line {row.number} has {row.actual_columns} fields, "
            f"the header has {row.expected_columns}: {row.text[:80]!r}"
        )
        refused.append(msg)
        return "error"

    refused: list[str] = []
    whole = False
    try:
        with pacsv.open_csv(
            source.path,
            pacsv.ReadOptions(
                column_names=list(source.columns),
                skip_rows=1 if source.header else 0,
                use_threads=False,
                block_size=1 << 22,
            ),
            pacsv.ParseOptions(
                delimiter=_delimiter(source.format),
                quote_char='"' if source.quoting else False,
                newlines_in_values=source.quoting,
                invalid_row_handler=refuse,
            ),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(source.columns, pa.string()),
                include_columns=columns,
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=False,
            ),
        ) as reader:
            for batch in reader:
                if batch.num_rows:
                    yield pa.Table.from_batches([batch])
        whole = True
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        reason = refused[0] if refused else f"{source.path}: cannot be read as CSV: {error}"
        raise FileError(reason.splitlines()[0]) from error
    finally:
        if not whole:
            _outlast_readers()


@functools.cache
def _outlast_readers() -> None:
    """Let pyarrow's threads end before the interpreter does.

    After a read that was broken off, a thread still reads ahead and then lets go of
    ``invalid_row_handler``, a Python object; if the interpreter is ending by then, the process
    aborts. Two of 75 runs did so under load.
    """
    atexit.register(time.sleep, READ_AHEAD_S)


def _parquet_batches(path: Path, columns: list[str] | None, batch_rows: int) -> Iterator[pa.Table]:
    # pre_buffer keeps whole row groups: 563 MB against 215 MB, flat, for one 416 MB file
    with _readable(path, "parquet"), pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(batch_size=batch_rows, columns=columns, use_threads=False):
            yield pa.Table.from_batches([batch])


def _jsonl_rows(path: Path) -> Iterator[dict[str, Any]]:
    with _readable(path, "JSONL"), path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                msg = f"{path}: line {number} is not JSON: {error}"
                raise FileError(msg) from error
            if not isinstance(row, dict):
                msg = f"{path}: line {number} is {type(row).__name__}, expected an object"
                raise FileError(msg)
            yield row


def _jsonl_columns(path: Path) -> tuple[str, ...]:
    return tuple(next(_jsonl_rows(path), {}))


def _jsonl_batches(path: Path, columns: list[str] | None, batch_rows: int) -> Iterator[pa.Table]:
    rows: list[dict[str, Any]] = []
    for row in _jsonl_rows(path):
        rows.append(row)
        if len(rows) == batch_rows:
            yield _json_table(rows, columns)
            rows = []
    if rows:
        yield _json_table(rows, columns)


def _json_table(rows: list[dict[str, Any]], columns: list[str] | None) -> pa.Table:
    names = columns if columns is not None else list(dict.fromkeys(k for row in rows for k in row))
    return pa.table({name: _json_column([row.get(name) for row in rows]) for name in names})


def _json_column(values: list[Any]) -> pa.Array:
    """Keep numbers as numbers where all are; anything mixed or nested becomes its JSON text."""
    present = [v for v in values if v is not None]
    if all(isinstance(v, str) for v in present):
        return pa.array(values, pa.string())
    if all(isinstance(v, bool) for v in present):
        return pa.array(values, pa.bool_())
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in present):
        if all(isinstance(v, int) and abs(v) < 1 << 63 for v in present):
            return pa.array(values, pa.int64())
        if any(isinstance(v, float) for v in present):
            return pa.array([None if v is None else _float(v) for v in values], pa.float64())
    text = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    return pa.array(text, pa.string())


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")
