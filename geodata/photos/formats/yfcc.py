"""YFCC100M: the tab-separated file without a header, in two forms, and the SQLite file.

https://multimediacommons.wordpress.com/yfcc100m-core-dataset/
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import sqlite3
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from geodata.files import Batch, FileError, TableFile, batches_of

NAMES = (
    "line", "photoid", "hash", "uid", "unickname", "datetaken", "dateuploaded", "capturedevice",
    "title", "description", "usertags", "machinetags", "longitude", "latitude", "accuracy",
    "pageurl", "downloadurl", "licensename", "licenseurl", "serverid", "farmid", "secret",
    "secretoriginal", "ext", "marker",
)  # fmt: skip
"""The columns of the tab-separated file, named as in the SQLite file."""

OLD_NAMES = tuple(name for name in NAMES if name not in ("line", "hash"))
"""The 23 columns of the older form."""

SQLITE_TABLE = "yfcc100m_dataset"
ROWS = 1 << 16

_ENCODED = ("uid", "unickname", "capturedevice", "title", "description", "usertags", "machinetags",
            "licensename")  # fmt: skip
_SQLITE_MAGIC = b"SQLite format 3\0"
_MAX_LINE = 1 << 20


def first_line(path: Path) -> str:
    """Return the first line of a text file, also one compressed with gzip or bzip2.

    Raises
    ------
    FileError
        If it cannot be read.
    """
    open_: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}
    try:
        with open_.get(path.suffix.lower(), open)(path, "rb") as file:
            line: bytes = file.readline(_MAX_LINE)
    except (OSError, EOFError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise FileError(msg) from error
    return line.decode("utf-8", "replace").rstrip("\r\n")


def is_sqlite(path: Path) -> bool:
    """Return whether a file is a SQLite database."""
    with path.open("rb") as file:
        return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC


def text_names(line: str, *, sure: bool = False) -> tuple[str, ...] | None:
    r"""Return the columns of a line of the tab-separated file, None if it is not one.

    Examples
    --------
    >>> text_names("id\tlat\tlon") is None
    True
    """
    fields = line.split("\t")
    names = {len(NAMES): NAMES, len(OLD_NAMES): OLD_NAMES}.get(len(fields))
    if names is None or sure:
        return names
    row = dict(zip(names, fields, strict=True))
    is_row = row["photoid"].isdigit() and row["marker"] in ("0", "1", "")
    return names if is_row and all(map(_is_number, (row["latitude"], row["longitude"]))) else None


def text_batches(path: Path, names: tuple[str, ...], columns: Sequence[str]) -> Iterator[Batch]:
    """Yield rows of the tab-separated file, fields decoded, damaged rows in their place."""
    file = TableFile(path, "tsv", names, header=False, quoting=False, delimiter="\t")
    for batch in batches_of(file, columns):
        yield Batch(_decoded(batch.table), batch.bad)


def sqlite_names(path: Path) -> tuple[str, ...]:
    """Return the column names of table ``yfcc100m_dataset``.

    Raises
    ------
    FileError
        If the database has no such table or cannot be read.
    """
    with _connected(path) as con:
        tables = [str(row[0]) for row in con.execute("SELECT name FROM sqlite_master")]
        if SQLITE_TABLE not in tables:
            found = ", ".join(tables[:20]) or "none"
            msg = f"{path}: has no table {SQLITE_TABLE!r}; its tables and indexes are: {found}"
            raise FileError(msg)
        return tuple(str(row[1]) for row in con.execute(f"PRAGMA table_info({SQLITE_TABLE})"))


def sqlite_batches(path: Path, columns: Sequence[str]) -> Iterator[Batch]:
    """Yield rows of the SQLite file as text, in its order, fields decoded; only reads."""
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    with _connected(path) as con:
        cursor = con.execute(f"SELECT {quoted} FROM {SQLITE_TABLE}")
        while rows := cursor.fetchmany(ROWS):
            values = zip(*rows, strict=True)
            texts = [pa.array([_as_text(v) for v in column], pa.string()) for column in values]
            yield Batch(_decoded(pa.table(dict(zip(columns, texts, strict=True)))), {})


@contextlib.contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    con = sqlite3.connect(f"file:{urllib.parse.quote(str(path.absolute()))}?mode=ro", uri=True)
    con.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        yield con
    except sqlite3.Error as error:
        msg = f"{path}: cannot be read as SQLite: {error}"
        raise FileError(msg) from error
    finally:
        con.close()


def _as_text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)  # str of a float gives it back exactly


def _decoded(table: pa.Table) -> pa.Table:
    """Undo the percent encoding; a space is written +, in dates too."""
    for i, name in enumerate(table.column_names):
        column = table[name]
        if name.lower() in _ENCODED:
            table = table.set_column(i, name, _unquoted(column))
        elif name.lower() == "datetaken":
            table = table.set_column(i, name, pc.replace_substring(column, "+", " "))
    return table


def _unquoted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    encoded = pc.match_substring_regex(column, "[%+]")
    if not pc.any(encoded).as_py():
        return column
    values = column.combine_chunks().dictionary_encode()
    words = [urllib.parse.unquote_plus(word) for word in values.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(words, pa.string()).take(values.indices)])


def _is_number(text: str) -> bool:
    try:
        if text:
            float(text)
    except ValueError:
        return False
    return True
