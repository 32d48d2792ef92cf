"""Appends keep a table quick: many small files at its end become one, without being asked.

Each append is a file, and opening, SQL and the next append look at every file. So behind one
append in 32, where more than a hundred files that lie together are small, their rows are written
into one file, as a version of the kind ``compact``. A file is taken up again only once as many rows
came behind it, so that every row is rewritten a few times at most.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from deltalake import Schema
from deltalake.transaction import RemoveAction

from geodata import hashing
from geodata.hashing import Sums
from geodata.tables import data_files, log
from geodata.tables.commits import attempts
from geodata.tables.commits.attempts import Payload
from geodata.tables.errors import TableConflictError, TableError
from geodata.tables.log import Active

MANY = 128
"""So many small files become one."""

_FULL_ROWS = data_files.FILE_ROWS // 2
_FULL_BYTES = 1 << 24
"""A file of so many rows or bytes stays as it is."""

_NAME = re.compile(r"part-(\d{8})-\d{5}-[0-9a-f]{32}\.parquet")


def keep_few(root: Path, version: int) -> None:
    """Put the small files at the end of a table together where there are many.

    Called behind a commit. A table that stays as it is, as where others commit meanwhile, is only
    slower.
    """
    if log.is_due(version):
        with contextlib.suppress(TableError, OSError):
            _keep_few(root)


def _keep_few(root: Path) -> None:
    found = log.snapshot(root)
    small = small_files(found.files)
    if len(small) < MANY:
        return
    order = _order(small[0])
    recorded = log.recorded(root, found.version, since=order)
    if not all(file.name in recorded for file in small):  # another tool wrote some
        return
    schema = data_files.kept_schema(found.schema)
    rows = _rows(root, small, schema)
    written = data_files.write(root, rows, schema, order, data_files.FILE_ROWS)
    before = hashing.combine(Sums(*recorded[file.name]["content"]) for file in small)
    if hashing.combine(file.sums for file in written) != before:  # damage, which verify names
        data_files.remove(root, written)
        return
    try:
        attempts.committing(
            root, lambda identity: _replace(root, found, small, written, identity), written
        )
    except BaseException:
        attempts.discard(root, written)
        raise


def small_files(files: list[Active]) -> list[Active]:
    """Return the files at the end of a table that are worth being one, in their order.

    The first is the farthest that holds no more rows than all behind it.

    Examples
    --------
    >>> files = [Active(f"part-{i:08}-00000-{'0' * 32}.parquet", 9, rows)
    ...          for i, rows in enumerate([9_000_000, 90, 1, 1, 50, 1])]
    >>> [file.rows for file in small_files(files)]
    [1, 1, 50, 1]
    """
    first, behind = len(files), 0
    for i in range(len(files) - 1, -1, -1):
        rows = files[i].rows
        if rows is None or rows >= _FULL_ROWS or files[i].size >= _FULL_BYTES:
            break
        if not _NAME.fullmatch(files[i].name):
            break
        if rows <= behind:
            first = i
        behind += rows
    # rows of one append stay in their order: the new file sorts before later ones only
    while 0 < first < len(files) and files[first - 1].name[:13] == files[first].name[:13]:
        first += 1
    return files[first:]


def _order(file: Active) -> int:
    found = _NAME.fullmatch(file.name)
    assert found is not None, "small_files gives no others"
    return int(found[1])


def _rows(root: Path, files: list[Active], schema: pa.Schema) -> Iterator[pa.Table]:
    for file in files:
        yield from data_files.read(root / file.name, schema)


def _replace(
    root: Path,
    found: log.Snapshot,
    small: list[Active],
    written: list[data_files.DataFile],
    identity: str,
) -> int:
    table = log.load(root)
    if int(table.version()) != found.version:
        msg = f"{root}: another version came while small files were put together"
        raise TableConflictError(msg)
    last = log.commit_at(root, found.version)[log.KEY]
    note = {**last.get("note", {}), "compacted": found.version}
    payload = Payload(identity, "compact", note, written)
    now = data_files.now_ms()
    gone = [RemoveAction(file.name, False, now, file.size) for file in small]
    table.create_write_transaction(
        [*attempts.actions(written, new_rows=False), *gone],
        "append",
        Schema.from_arrow(found.schema),
        **attempts.properties(payload.text(attempts.content(root, found.version))),
    )
    return found.version + 1
