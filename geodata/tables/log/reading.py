"""The log of a versioned table: where it is and what a version holds.

Transactions are Delta Lake's: the library's (`deltalake`), and where they are plain our own, which
list nothing (`newest`, `appending`). No old commit is ever cleaned up, so that every version
that was named can be opened for good. Nothing that a log names is opened unless it is a file of the
table's own folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from deltalake import DeltaTable

from geodata.hashing import Sums
from geodata.tables import errors
from geodata.tables.errors import TableChangedError, TableError, VersionNotFoundError
from geodata.tables.log import addresses, newest, own_files, replaying

KEY = "geodata"
LOG = "_delta_log"
SEALS = "_seals"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)


class Active(NamedTuple):
    """A file of a version, as the log has it."""

    name: str
    size: int
    rows: int | None


def check_name(name: str) -> str:
    """Return the name of a table or tag.

    Raises
    ------
    TableError
        Unless it is a letter followed by up to 63 letters, digits, ``_``, ``-`` or ``.``.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith("."):
        msg = (
            f"{name!r} cannot name a table or tag: a name is a letter and then at most 63 letters, "
            "digits, '_', '-' or '.' (not last)"
        )
        raise TableError(msg)
    return name


def check_path(path: str | os.PathLike[str]) -> Path:
    """Return the absolute folder of a table, whose last part is its name.

    Raises
    ------
    TableError
        For an address (``s3://...``), a bad name, or a percent sign, which the log's addresses
        cannot tell from an escape.
    """
    text = os.fspath(path)
    addresses.refuse_address(path)
    root = Path(os.path.abspath(text))  # noqa: PTH100, symbolic links stay as they are
    check_name(root.name)
    if "%" in str(root):
        msg = f"{root}: a folder with '%' in its name cannot hold a table; rename the folder"
        raise TableError(msg)
    return root


def exists(root: str | os.PathLike[str]) -> bool:
    """Return whether a table is there."""
    try:
        with os.scandir(Path(root, LOG)) as entries:
            return any(entry.name.endswith(".json") for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False


@dataclass
class _Library:
    """Which process uses the Delta library: its threads stay with the parent after a fork."""

    used_by: int | None = None

    @property
    def is_of_parent(self) -> bool:
        return self.used_by not in (None, os.getpid())


_library = _Library()


def load(root: Path, version: int | None = None) -> DeltaTable:
    """Open the log at a version, the latest for None.

    Raises
    ------
    TableNotFoundError, VersionNotFoundError, TableChangedError
    """
    check_version(root, version)
    refuse_fork(root)
    with _trusted(root):
        _library.used_by = os.getpid()
        table = DeltaTable(str(root), version=version)
        if table.deletion_vectors().read_all().num_rows or table.metadata().partition_columns:
            msg = f"{root}: the table has partitions or deletion vectors, which are not read here"
            raise TableError(msg)
        return table


class Snapshot(NamedTuple):
    """What the log says of a version."""

    version: int
    schema: pa.Schema
    files: list[Active]
    is_plain: bool
    """Whether rows can be added by naming files, see `replaying.State.is_plain`."""


def snapshot(root: Path, version: int | None = None) -> Snapshot:
    """Read what a version holds, after a fork, too; without a list of the log where `newest` can.

    Raises
    ------
    TableNotFoundError, VersionNotFoundError, TableChangedError
    """
    state = newest.read(root / LOG, version)
    if state is None:
        return by_library(root, version)
    return Snapshot(state.version, state.schema, active_of(root, state), state.is_plain)


def by_library(root: Path, version: int | None = None) -> Snapshot:
    """Read what a version holds as the Delta library has it; commit by commit after a fork.

    Raises
    ------
    TableNotFoundError, VersionNotFoundError, TableChangedError
    """
    try:
        table = load(root, version)
    except _ForkedError:
        state = replaying.replay(root / LOG, check_version(root, version))
        return Snapshot(state.version, state.schema, active_of(root, state), False)
    return Snapshot(int(table.version()), schema_of(table), active(root, table), False)


def active_of(root: Path, state: replaying.State) -> list[Active]:
    """Return the files of a version that was replayed, in the order their rows were written."""
    return _checked(root, (Active(name, *add) for name, add in state.adds.items()))


def refuse_fork(root: Path) -> None:
    """Refuse to write in a process that was forked when the Delta library was in use."""
    if _library.is_of_parent:
        raise _ForkedError(_FORKED.format(root))


def _others(lake: Path) -> str:
    there = sorted(p.name for p in lake.iterdir() if exists(p)) if lake.is_dir() else []
    if there:
        return f"; the tables there are {', '.join(there[:20])}"
    return "; photos import and dataset build (tables.append, tables.write) make one"


def check_version(root: Path, version: int | None = None) -> int:
    """Return the number of a version that is there, the latest for None.

    Raises
    ------
    TableNotFoundError, VersionNotFoundError
    """
    if not exists(root):
        msg = f"{addresses.called(root)}: there is no table{_others(root.parent)}"
        raise errors.TableNotFoundError(msg)
    latest = last_version(root)
    if version is not None and not 0 <= version <= latest:
        told = addresses.called(root)
        msg = f"{told}: there is no version {version}; the versions are 0 to {latest}"
        raise VersionNotFoundError(msg)
    return latest if version is None else version


def last_version(root: Path) -> int:
    """Return the number of the newest commit file."""
    return own_files.newest_commit(root / LOG)


class _ForkedError(TableError):
    """The Delta library was in use when this process was forked, and works in the parent only."""


_FORKED = (
    "{}: tables can be read but not written in a process that was forked; start it with "
    "multiprocessing's 'spawn' or 'forkserver'"
)


@contextlib.contextmanager
def _trusted(root: Path | str) -> Iterator[None]:
    """Turn what the Delta library raises on a damaged log, panics too, into one error."""
    try:
        yield
    except (TableError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:
        is_panic = type(error).__name__ == "PanicException"
        if not isinstance(error, Exception) and not is_panic:
            raise
        if is_panic and "Forked process" in str(error):
            raise _ForkedError(_FORKED.format(root)) from None
        msg = f"{root}: the log cannot be read ({first_line(error)}); verify() names the file"
        raise TableChangedError(msg) from error


def schema_of(table: DeltaTable) -> pa.Schema:
    """Return the columns of a version as Arrow."""
    return pa.schema(table.schema())


def active(root: Path, table: DeltaTable) -> list[Active]:
    """Return the files of a version in the order their rows were written.

    Raises
    ------
    TableChangedError
        If the log names a file that is not the table's own, see `own_files.check_own`.
    """
    with _trusted(root):
        rows = pa.table(table.get_add_actions()).select(["path", "size_bytes", "num_records"])
    return _checked(root, (Active(*row.values()) for row in rows.to_pylist()))


def _checked(root: Path, files: Iterable[Active]) -> list[Active]:
    folder = root.resolve()
    found = sorted(files)
    for file in found:
        own_files.check_own(folder, file.name)
    return found


def commits(root: Path, version: int, since: int = 0) -> list[dict[str, Any]]:
    """Return the commits from one version to another, oldest first, as the log has them.

    Read from the log itself: the library numbers the history of an older version from the newest.

    Raises
    ------
    TableChangedError
        If a commit cannot be read.
    """
    return [commit_at(root, v) for v in range(since, version + 1)]


def commit_at(root: Path, version: int) -> dict[str, Any]:
    """Return one commit: version, timestamp, operation and, under `KEY`, what we noted.

    Raises
    ------
    TableChangedError
        If it cannot be read.
    """
    file = root / LOG / f"{version:020}.json"
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        info: dict[str, Any] = next((x["commitInfo"] for x in lines if "commitInfo" in x), {})
        timestamp, operation = int(info.get("timestamp", 0)), str(info.get("operation", ""))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        msg = f"{file}: the commit cannot be read ({first_line(error)})"
        raise TableChangedError(msg) from error
    payload = _payload(info.get(KEY))
    return {"version": version, "timestamp": timestamp, "operation": operation, KEY: payload}


def _payload(text: Any) -> dict[str, Any]:
    """Return our part of a commit; of what other tools write, and we never do, nothing."""
    try:
        payload = json.loads(text)
    except (TypeError, ValueError):
        return {}
    found = payload if isinstance(payload, dict) else {}
    return {k: v for k, v in found.items() if k not in ("note", "software") or isinstance(v, dict)}


def recorded(root: Path, version: int, since: int = 0) -> dict[str, dict[str, Any]]:
    """Return what commits recorded of each file that they added: size, sha256, content.

    Raises
    ------
    TableChangedError
        If it is not what we write.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in commits(root, version, since):
        files = entry[KEY].get("files", {})
        if not isinstance(files, dict) or any(rows_of(one) is None for one in files.values()):
            msg = f"{root}: commit {entry['version']} does not say what its files are; see verify"
            raise TableChangedError(msg)
        found |= files
    return found


def rows_of(recorded: Any) -> int | None:
    """Return the rows that a commit recorded of a file, None where it says nothing of the kind."""
    content = Sums.read(recorded.get("content")) if isinstance(recorded, dict) else None
    return None if content is None else content.rows


def added(root: Path, version: int) -> Iterator[str]:
    """Yield the name of every file that a commit ever added, ours and other tools'.

    Raises
    ------
    TableChangedError
        If a commit cannot be read.
    """
    for number in range(version + 1):
        file = root / LOG / f"{number:020}.json"
        try:
            actions = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            yield from [str(action["add"]["path"]) for action in actions if "add" in action]
        except (OSError, ValueError, TypeError, KeyError) as error:
            msg = f"{file}: the commit cannot be read ({first_line(error)})"
            raise TableChangedError(msg) from error


def total(root: Path, version: int) -> Sums | None:
    """Return what a commit recorded of the content of its whole version, if it did."""
    return Sums.read(commit_at(root, version)[KEY].get("total"))


def committed_at(entry: dict[str, Any]) -> datetime:
    """Return the time of a commit, UTC."""
    return datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)


def first_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
