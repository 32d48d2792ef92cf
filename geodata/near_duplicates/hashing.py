"""Hash the pictures of a table once each, in processes, into a table beside it."""

from __future__ import annotations

import collections
import contextlib
import itertools
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import images, tables
from geodata.files import FileError
from geodata.near_duplicates.fingerprints import FINE_BYTES, fingerprint, software
from geodata.tables import DatasetError, TableVersion

TABLE = "hashes"
"""Table of a lake that keeps the hashes of its pictures, whatever tables name them."""

SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("phash", pa.int64()),
        ("phash_fine", pa.binary()),
    ]
)
STATUSES = ("ok", "missing", "unreadable")

_COMMIT_PHOTOS = 20_000
"""A run that is stopped loses at most so many."""
_TASK_PHOTOS = 64

_Path = str | os.PathLike[str]
_Row = tuple[str, str, str | None, int | None, bytes | None]
_Rows = Generator[_Row, None, None]
_Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Hashed:
    """What a run of `hash_photos` did."""

    table: str
    version: int | None
    """Of the table of hashes; None if there is none yet."""
    pictures: int
    """Different pictures that the rows name."""
    known: int
    """Of these, hashed before."""
    statuses: dict[str, int]
    """Of those looked at now: ``ok``, ``missing``, ``unreadable``."""
    rows_without: int
    """Rows that name no picture."""


def hash_photos(
    lake: _Path,
    name: str,
    version: int | str | None = None,
    *,
    root: _Path | None = None,
    table: str = TABLE,
    workers: int | None = None,
    progress: _Progress | None = None,
) -> Hashed:
    """Hash the pictures that the column ``image`` of a table names, those without a hash yet.

    The hashes are rows of one table of the lake, in versions of 20,000 pictures, so that a run
    that was stopped goes on where it ended, and two at once write each picture once. A picture is
    known by the text of ``image``: one that changed under its name keeps its old hash. One that was
    missing is looked for again.

    Parameters
    ----------
    root
        Folder that relative paths start from, by default the lake, and the current folder for
        what is not there.
    table
        Where the hashes are kept.
    workers
        Processes, by default one a processor; 1 works in this one. A script that asks for more
        needs ``if __name__ == "__main__":``, as `multiprocessing` says.
    progress
        Called with the pictures done and those to do.

    Raises
    ------
    DatasetError
        If the table has no column ``image`` of text.
    FileError
        If ImageHash is not installed, or a worker was ended, as by the system for its memory.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
    >>> from PIL import Image
    >>> lake = tempfile.TemporaryDirectory()
    >>> Image.linear_gradient("L").save(lake.name + "/a.png")
    >>> _ = tables.append(lake.name + "/photos", pa.table({"image": ["a.png", "b.png"]}))
    >>> hash_photos(lake.name, "photos", root=lake.name, workers=1).statuses
    {'ok': 1, 'missing': 1}
    >>> lake.cleanup()
    """
    opened = tables.open(tables.path_of(lake, name), version)
    wanted, without = _pictures(opened)
    target = tables.path_of(lake, table)
    done, _ = _known(target)
    left = wanted.filter(pc.invert(pc.is_in(wanted, value_set=done)))
    made_by = {"step": "photos hash", **software(), "source": {"name": name}}
    statuses: Counter[str] = Counter()
    at = _At(os.fspath(lake), None) if root is None else _At(None, os.fspath(root))
    rows = _rows(left.to_pylist(), at, workers or _cores())
    with contextlib.closing(_told(rows, len(left), progress)) as counted:
        while part := list(itertools.islice(counted, _COMMIT_PHOTOS)):
            statuses.update(row[1] for row in part)
            with tables.alone(Path(lake)):
                if fresh := _new(part, target):
                    tables.append(target, _table(fresh), made_by)
    return Hashed(
        table=table,
        version=tables.open(target).version if tables.exists(target) else None,
        pictures=len(wanted),
        known=len(wanted) - len(left),
        statuses={s: statuses[s] for s in STATUSES if statuses[s]},
        rows_without=without,
    )


def fingerprints_of(
    lake: _Path, rows: pa.Table, table: str = TABLE
) -> tuple[NDArray[np.bool_], NDArray[np.uint64], NDArray[np.uint8]]:
    """Return which rows have a hash, and the hashes of these.

    Parameters
    ----------
    rows
        With a column ``image``, shape (n,).

    Returns
    -------
    tuple
        A mask, shape (n,), and of the m rows where it is True the coarse hashes, shape (m,), and
        the fine ones, shape (m, 32).
    """
    target = tables.path_of(lake, table)
    kept = tables.open(target).arrow(["image", "status", "phash", "phash_fine"])
    kept = kept.filter(pc.equal(kept["status"], "ok"))
    at = pc.index_in(rows["image"], value_set=kept["image"].combine_chunks())
    has = np.asarray(at.is_valid()).astype(bool)
    at = pa.chunked_array(at).combine_chunks().drop_null()
    coarse = np.asarray(kept["phash"].take(at)).astype(np.int64).view(np.uint64)
    fine = b"".join(kept["phash_fine"].take(at).to_pylist())
    return has, coarse, np.frombuffer(fine, np.uint8).reshape(-1, FINE_BYTES)


def _pictures(opened: TableVersion) -> tuple[pa.Array, int]:
    """Return the different pictures that rows name, in their order, and how many name none."""
    field = opened.schema.field("image") if "image" in opened.schema.names else None
    if field is None or not pa.types.is_string(field.type):
        found = "no such column" if field is None else str(field.type)
        msg = (
            f"{opened.path.name}@{opened.version}: pictures are named by the text of a column "
            f"'image', found {found}; photos import --images makes it"
        )
        raise DatasetError(msg)
    named = opened.arrow(["image"])["image"].combine_chunks()
    held = named.filter(pc.greater(pc.binary_length(named), 0))
    return pc.unique(held), len(named) - len(held)


def _known(target: Path) -> tuple[pa.Array, frozenset[str]]:
    """Return the pictures that were looked at, and those that were missing then."""
    if not tables.exists(target):
        return pa.array([], pa.string()), frozenset()
    rows = tables.open(target).arrow(["image", "status"])
    absent = pc.equal(rows["status"], "missing")
    done, missing = (rows.filter(m)["image"].combine_chunks() for m in (pc.invert(absent), absent))
    return done, frozenset(missing.to_pylist())


def _new(rows: Sequence[_Row], target: Path) -> list[_Row]:
    """Return the rows that the table does not tell; another run may have written meanwhile."""
    done, missing = _known(target)
    told = pc.is_in(pa.array([row[0] for row in rows]), value_set=done).to_pylist()
    left = (row for row, known in zip(rows, told, strict=True) if not known)
    return [row for row in left if row[1] != "missing" or row[0] not in missing]


def _table(rows: Sequence[_Row]) -> pa.Table:
    columns = zip(zip(*rows, strict=True), SCHEMA, strict=True)
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in columns], schema=SCHEMA)


def _told(rows: _Rows, total: int, progress: _Progress | None) -> _Rows:
    for done, row in enumerate(rows, 1):
        if progress is not None:
            progress(done, total)
        yield row


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _At(NamedTuple):
    """Where references start: the lake where something is there, or a folder that was named."""

    lake: str | None
    root: str | None


def _rows(references: list[str], at: _At, workers: int) -> _Rows:
    """Yield a row for each picture in order, few tasks ahead of what was taken."""
    starts = range(0, len(references), _TASK_PHOTOS)
    tasks = (references[start : start + _TASK_PHOTOS] for start in starts)
    if workers == 1 or len(starts) < 2:
        for task in tasks:
            yield from _hash_many(task, at)
        return
    ahead: collections.deque[Future[list[_Row]]] = collections.deque()
    # a fork would copy the threads' locks of Arrow and of the Delta library
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        for task in tasks:
            ahead.append(pool.submit(_hash_many, task, at))
            if len(ahead) > 4 * workers:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()
    except BrokenProcessPool as error:
        msg = "a worker that hashes pictures was ended; run again with fewer workers to go on"
        raise FileError(msg) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _hash_many(references: list[str], at: _At) -> list[_Row]:
    return [_hash_one(reference, at) for reference in references]


def _hash_one(reference: str, at: _At) -> _Row:
    (found_at,) = images.started([reference], at.lake)
    try:
        picture = images.open_image(str(found_at), root=at.root)
    except FileError as error:
        return reference, "missing", str(error)[:200], None, None
    try:
        found = fingerprint(picture)
    except FileError as error:
        return reference, "unreadable", str(error), None, None
    signed = found.coarse - (found.coarse >> 63 << 64)
    return reference, "ok", None, signed, found.fine
