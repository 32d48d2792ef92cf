"""Keep a table in shape: fewer and larger files, and back to an older version."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import Schema

from geodata.hashing import Sums
from geodata.tables import commits, data_files, log
from geodata.tables.commits import Payload
from geodata.tables.errors import TableChangedError, TableConflictError, TableError
from geodata.tables.versions import TableVersion, open_version

_TRIES = 5


def compact(path: str | os.PathLike[str], *, file_rows: int = data_files.FILE_ROWS) -> int:
    """Write the rows of the latest version into few files, as a new version; return its number.

    The new version has the same rows in the same order, the same content hash and the note of the
    one before, with ``compacted`` in it: that version's number. Older versions and their tags stay
    as they are, and so do their files until `vacuum`. A table that would not have fewer files
    stays as it is, unless another tool wrote some: what `verify` compares with is recorded anew.

    Parameters
    ----------
    file_rows
        Most rows a file.

    Raises
    ------
    TableChangedError
        If the rows are not those that were committed.
    TableConflictError
        If others kept committing meanwhile.
    StorageFullError
        If there is no room.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> for n in range(3):
    ...     _ = tables.append(lake.name + "/t", pa.table({"a": [n]}))
    >>> tables.compact(lake.name + "/t")
    3
    >>> opened = tables.open(lake.name + "/t")
    >>> len(opened.files), opened.content_hash == tables.open(lake.name + "/t", 2).content_hash
    (1, True)
    >>> lake.cleanup()
    """
    root = log.check_path(path)
    if isinstance(file_rows, bool) or not isinstance(file_rows, int) or file_rows < 1:
        msg = f"file_rows {file_rows!r} must be a whole number above 0"
        raise TableError(msg)
    copied = _Copied()
    try:
        for left in reversed(range(_TRIES)):
            with contextlib.nullcontext() if left else log.alone(root):  # what is left is little
                opened = open_version(root, None)
                recorded = log.recorded(root, opened.version)
                is_ours = all(file.name in recorded for file in opened.files)
                if is_ours and len(opened.files) <= max(1, math.ceil(opened.rows / file_rows)):
                    return opened.version
                number = _compact(opened, file_rows, copied, always=not is_ours)
            if number is not None:
                return number
    finally:
        commits.discard(root, copied.written)
    msg = f"{root}: other writers committed {_TRIES} times while it was compacted; try again"
    raise TableConflictError(msg)


@dataclass
class _Copied:
    """Files written so far, and those of a version, its first, whose rows they hold."""

    written: list[data_files.DataFile] = field(default_factory=list)
    of: list[str] = field(default_factory=list)
    schema: pa.Schema | None = None


def _compact(opened: TableVersion, file_rows: int, copied: _Copied, *, always: bool) -> int | None:
    """Compact a version; None where it is no longer the latest."""
    root = opened.path
    try:
        _copy(opened, file_rows, copied)
    except FileNotFoundError:  # vacuumed, as another version is the latest by now
        return None
    if len(copied.written) >= len(opened.files) and not always:  # large rows: files end by bytes
        return opened.version
    try:
        return commits.committing(
            root, lambda identity: _replace(opened, copied.written, identity), copied.written
        )
    except _MovedOnError:
        return None


def _copy(opened: TableVersion, file_rows: int, copied: _Copied) -> None:
    """Write the rows of a version again; those that others appended meanwhile, if they are many."""
    names, schema = [file.name for file in opened.files], data_files.kept_schema(opened.schema)
    goes_on = names[: len(copied.of)] == copied.of and schema == copied.schema
    if not goes_on or opened.rows <= file_rows:  # that is one file, and soon written
        commits.discard(opened.path, copied.written)
        copied.written, copied.of, copied.schema = [], [], schema
    rest = opened.files[len(copied.of) :]
    order = opened.version  # before the files of those who are about to append
    copied.written += data_files.write(opened.path, _rows(opened, rest), schema, order, file_rows)
    copied.of = names


def _rows(opened: TableVersion, files: Sequence[Path]) -> Iterator[pa.Table]:
    try:
        for file in files:
            yield from data_files.read(file, opened.schema)
    except pa.ArrowException as error:
        reason = log.first_line(error)
        msg = f"{opened.path}: its rows cannot be read ({reason}); verify names the file"
        raise TableChangedError(msg) from error


class _MovedOnError(TableError):
    """Another version came while the table was compacted."""


def _replace(opened: TableVersion, written: list[data_files.DataFile], identity: str) -> int:
    root = opened.path
    table = log.load(root)
    if int(table.version()) != opened.version:
        raise _MovedOnError
    note = _note(opened, "compacted")
    payload = Payload(identity, "compact", note, written)
    before, total = commits.content(root, opened.version), payload.sums()
    if before is not None and before != total:
        msg = f"{root}: the rows are not those that were committed; verify names the file"
        raise TableChangedError(msg)
    table.create_write_transaction(
        commits.actions(written, new_rows=False),
        "overwrite",
        Schema.from_arrow(opened.schema),
        **commits.properties(payload.text(total)),
    )
    return opened.version + 1


def restore(path: str | os.PathLike[str], version: int | str) -> int:
    """Make an older version the latest again, as a new version, and return its number.

    Nothing is removed: the versions between stay. The new version has the files, the columns, the
    content hash and the note of the older one, with ``restored`` in the note: its number. The
    latest version is not restored: its number is returned.

    Parameters
    ----------
    version
        Number or tag.

    Raises
    ------
    VersionNotFoundError
        If there is no such version.
    TableChangedError
        If files of it are gone.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> for n in range(2):
    ...     _ = tables.write(lake.name + "/t", pa.table({"a": [n]}))
    >>> tables.restore(lake.name + "/t", 0)
    2
    >>> tables.open(lake.name + "/t").arrow()["a"].to_pylist()
    [0]
    >>> lake.cleanup()
    """
    root: Path = log.check_path(path)
    if version is None:
        msg = f"{root}: say which version to restore, by number or tag"
        raise TableError(msg)
    number = open_version(root, version).version

    def attempt(identity: str) -> int:
        table = log.load(root)
        wanted = open_version(root, number)  # again: its files may have been vacuumed meanwhile
        if int(table.version()) == wanted.version:
            return wanted.version
        total: Sums | None = commits.content(root, wanted.version)
        payload = Payload(identity, "restore", _note(wanted, "restored"))
        table.restore(wanted.version, **commits.properties(payload.text(total)))
        return int(table.version())

    return commits.committing(root, attempt)


def _note(version: TableVersion, did: str) -> dict[str, Any]:
    return {**version.note, did: version.version}
