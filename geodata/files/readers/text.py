"""Text files as bytes and lines: unpacked, decoded, with the head that tells columns."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from geodata.files.formats import FileError, TableFile

MAX_HEADER_BYTES = 1 << 20
DELIMITERS = ",;\t|"
_TOLD = re.compile(rf"sep=([{DELIMITERS}])[,;\t|]*\s*", re.I)
_HEAD_BYTES = 1 << 12
_LOOK_BYTES = 1 << 24


def open_bytes(path: Path, compression: str | None = None) -> Any:
    """Open a file for reading in one go, unpacked on the way."""
    return pa.input_stream(os.fspath(path), compression=compression, buffer_size=1 << 16)


def open_text(file: TableFile, errors: str = "strict") -> IO[str]:
    """Open a file as text without its byte-order mark, line ends as they are."""
    encoding = "utf-8-sig" if file.encoding == "utf-8" else file.encoding
    raw = open_bytes(file.path, file.compression)
    return io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="")


def encoding_of(path: Path, compression: str | None) -> str:
    """Return 'utf-16' where a byte-order mark or the zero bytes of Latin text say so, else 'utf-8'.

    Spreadsheets export UTF-16; nothing else than UTF-8 is guessed, since a wrong guess would
    change names without a word.
    """
    with open_bytes(path, compression) as raw:
        head = raw.read(_HEAD_BYTES)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if head and head[1::2].count(0) > 0.8 * len(head[1::2]):
        return "utf-16-le"
    return "utf-8"


def encoding_hint(error: Exception, file: TableFile | None = None) -> str:
    """Return what to do about a text that is not UTF-8, empty for other errors.

    With the file, lines are named where it holds UTF-8 and something else.

    Examples
    --------
    >>> encoding_hint(ValueError("x")), encoding_hint(ValueError("invalid UTF8 data"))[:20]
    ('', '; it is not UTF-8: c')
    """
    if not isinstance(error, UnicodeError) and "UTF8" not in str(error):
        return ""
    if "utf-16" in str(error):
        return "; it begins as UTF-16 and breaks off, or is not UTF-16 throughout: write it again"
    lines = None if file is None else _two_encodings(file)
    if lines is not None:
        return (
            f"; line {lines[0]} is UTF-8 and line {lines[1]} is not: two encodings in one file; "
            "write its parts again as UTF-8"
        )
    return (
        "; it is not UTF-8: convert it with iconv -f LATIN1 -t UTF-8, or name what it is: "
        "files.open_source(path, encoding='latin-1'), geodata evaluate --encoding latin-1"
    )


def _two_encodings(file: TableFile) -> tuple[int, int] | None:
    """Return a line that needs UTF-8 and one that is none, among the first lines; else None."""
    good = bad = None
    with open_bytes(file.path, file.compression) as raw:
        head = raw.read(_LOOK_BYTES)
    for number, line in enumerate(head.split(b"\n")[:-1], 1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            good = good or number
        except UnicodeDecodeError:
            bad = bad or number
        if good and bad:
            return good, bad
    return None


def delimited_head(
    path: Path, kind: str, compression: str | None, encoding: str | None = None
) -> TableFile:
    """Read the header of a CSV or TSV file.

    Raises
    ------
    FileError
        For an empty first line or names that repeat.
    """
    encoding = encoding or encoding_of(path, compression)
    head = TableFile(path, kind, (), encoding=encoding, compression=compression)
    with open_text(head) as file:
        first = file.readline(MAX_HEADER_BYTES)
        told = _TOLD.fullmatch(first)
        if told:  # Excel's way to say what separates the fields
            first = file.readline(MAX_HEADER_BYTES)
        second = file.readline(MAX_HEADER_BYTES)
    delimiter = "\t" if kind == "tsv" else _delimiter(first, second)
    delimiter = told[1] if told else delimiter
    names = tuple(name.strip() for name in _fields(first, delimiter))
    if not any(names):
        msg = f"{path}: line 1 is empty; expected a header with column names"
        raise FileError(msg)
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        msg = f"{path}: the header repeats {', '.join(map(repr, repeated))}; names must be unique"
        raise FileError(msg)
    return TableFile(
        path, kind, names, delimiter=delimiter, encoding=encoding, compression=compression,
        above=1 if told else 0,
    )  # fmt: skip


def _delimiter(first: str, second: str) -> str:
    """Return what separates the fields of a CSV: a comma, unless only another one fits."""
    counts = {mark: len(_fields(first, mark)) for mark in DELIMITERS}
    possible = [mark for mark, count in counts.items() if count > 1]
    fitting = [mark for mark in possible if len(_fields(second, mark)) == counts[mark]]
    return next(iter(fitting or possible), ",")


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)
