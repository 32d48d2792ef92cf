"""A version read from its checkpoint and the commits behind it, without a list of the log.

The Delta library lists every file of the log's folder, however many there are. Here the names are
known: `_last_checkpoint` says where to begin, and commits are numbered. Whatever is not as our own
tables have it is left to the library: a log with a link or a gap, features that others use, a
checkpoint in parts.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata.tables.errors import TableError
from geodata.tables.log import replaying

HINT = "_last_checkpoint"
"""The file of the log that says which checkpoint is the newest; without it opening takes longer."""

_BEHIND = 96
"""Most commits that are read one by one; more are the library's."""

_AHEAD = 64
"""So many numbers behind the newest commit are looked at: a commit there means that one is lost."""

_COLUMNS = [
    *(f"add.{name}" for name in ("path", "size", "stats", "deletionVector.storageType")),
    *(f"metaData.{name}" for name in ("schemaString", "partitionColumns", "configuration")),
    *("protocol", "sidecar.path"),
]


def read(log: Path, version: int | None = None) -> replaying.State | None:
    """Return what a version holds, the newest for None; None where the library has to say.

    Parameters
    ----------
    log
        The folder of the log.

    Examples
    --------
    >>> import tempfile
    >>> read(Path(tempfile.gettempdir()) / "no log") is None
    True
    """
    try:
        if log.is_symlink():
            return None
        state = _checkpoint(log, _start(log, version))
        _follow(log, state, version)
        _own(log, f"{state.version:020}.json")  # its note is read by name
        return state if _is_ours(state) else None
    except (TableError, OSError, ValueError, TypeError, LookupError, AttributeError):
        return None
    except pa.ArrowException:
        return None


def _left() -> TableError:
    """Return what ends the reading here; nobody sees it."""
    return TableError("the log is the library's to read")


def _is_ours(state: replaying.State) -> bool:
    """Return whether we know all that the log says; an escape in a name is the library's."""
    return state.is_readable and not any("%" in name for name in state.adds)


def _start(log: Path, version: int | None) -> int:
    """Return which checkpoint to begin with."""
    if version is None:
        _own(log, HINT)
        hint = json.loads((log / HINT).read_bytes())
        if hint.get("parts") or hint.get("v2Checkpoint"):
            raise _left()
        return int(hint["version"])
    for number in range(version, max(version - _BEHIND - 1, -1), -1):
        if os.path.lexists(_checkpoint_of(log, number)):
            return number
    raise _left()


def _checkpoint_of(log: Path, number: int) -> str:
    return f"{log}/{number:020}.checkpoint.parquet"


def _own(log: Path, name: str) -> None:
    """Leave a file that is no regular one, or not there, to the library."""
    if not stat.S_ISREG(os.lstat(f"{log}/{name}").st_mode):
        raise _left()


def _checkpoint(log: Path, number: int) -> replaying.State:
    path = _checkpoint_of(log, number)
    _own(log, path[len(f"{log}/") :])
    with pq.ParquetFile(path, pre_buffer=False) as file:
        rows = file.read(columns=_COLUMNS, use_threads=False)
    if "sidecar" in rows.column_names and rows["sidecar"].null_count < len(rows):
        raise _left()
    state = replaying.State(number)
    for name in ("protocol", "metaData"):
        (action,) = rows[name].drop_null().to_pylist()
        replaying.apply(state, {name: _without_pairs(action)}, log.parent)
    adds = pa.Table.from_struct_array(rows["add"].drop_null())
    if adds["deletionVector"].null_count < len(adds):
        raise _left()
    columns = (adds["path"].to_pylist(), adds["size"].to_pylist(), _records(adds["stats"]))
    state.adds = {name: replaying.Add(*of) for name, *of in zip(*columns, strict=True)}
    return state


def _without_pairs(action: dict[str, Any]) -> dict[str, Any]:
    """Return an action with its map as an object; Arrow has it as pairs."""
    return {k: dict(v) if k == "configuration" else v for k, v in action.items()}


def _records(stats: pa.ChunkedArray) -> list[int | None]:
    """Return the number of rows that each file's statistics, JSON, say that it has."""
    once = pc.equal(pc.count_substring(stats, '"numRecords"'), 1)
    if pc.all(once).as_py():  # a column may be called so, too
        found = pc.extract_regex(stats, r'"numRecords":\s*(?P<n>\d+)')
        counts: list[int | None] = pc.struct_field(found, "n").cast(pa.int64()).to_pylist()
        return counts
    return [json.loads(text or "{}").get("numRecords") for text in stats.to_pylist()]


def _follow(log: Path, state: replaying.State, version: int | None) -> None:
    """Apply the commits behind a checkpoint, up to a version or to the last that is there."""
    for number in range(state.version + 1, state.version + _BEHIND + 2):
        name = f"{number:020}.json"
        if version is not None and number > version:
            return
        if not os.path.lexists(f"{log}/{name}"):
            break
        _own(log, name)
        replaying.apply_file(state, log / name)
        state.version = number
    else:
        raise _left()
    ahead = range(state.version + 2, state.version + 2 + _AHEAD)
    if version is not None or any(os.path.lexists(f"{log}/{n:020}.json") for n in ahead):
        raise _left()
