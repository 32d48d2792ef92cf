"""Make a version of a table: Delta Lake's transaction, our note and hashes, and a seal.

A commit carries, under the key ``geodata``, the note of its author and the SHA-256 and content
of each file it adds, and the content of the whole version.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, TableFeatures
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions

import geodata
from geodata import hashing
from geodata.errors import GeodataError
from geodata.hashing import Sums
from geodata.tables import data_files, errors, log
from geodata.tables.commits import appending
from geodata.tables.data_files import DataFile, now_ms
from geodata.tables.errors import TableConflictError, TableError
from geodata.tables.log import KEY, LOG, Snapshot, exists, first_line, load, schema_of

_PATIENCE_S = 120.0
CONFIGURATION = log.CONFIGURATION


def commit(
    root: Path,
    written: list[DataFile],
    schema_for: Callable[[pa.Schema | None], pa.Schema],
    mode: str,
    note: dict[str, Any],
    opened: Snapshot | None = None,
) -> int:
    """Make written files a version, retrying while others commit first.

    Parameters
    ----------
    opened
        The table as it was before they were written, to commit on top of first.
    schema_for
        Given the table's current schema (None where there is no table), the one to have after.
    mode
        ``append`` or ``overwrite``.

    Raises
    ------
    TableConflictError, StorageFullError, TableSchemaError
    """
    kind = "append" if mode == "append" else "write"
    first = [opened]

    def attempt(identity: str) -> int:
        payload = Payload(identity, kind, note, written)
        return _attempt(root, written, schema_for, mode, payload, first.pop() if first else None)

    return committing(root, attempt, written)


def committing(root: Path, attempt: Callable[[str], int], written: Sequence[DataFile] = ()) -> int:
    """Call what commits, again while others commit first, and seal the version that it made.

    Parameters
    ----------
    attempt
        Given an identity that its payload must carry, the number of the version that it made.
    written
        Files that the version names: nothing is committed unless they are there.

    Raises
    ------
    TableConflictError, StorageFullError
    """
    identity = uuid.uuid4().hex
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with log.alone(root):
                version = _committed(root, attempt, identity, written)
                log.seal(root, version)
        except (CommitFailedError, _MadeMeanwhileError) as error:
            if time.monotonic() > deadline:
                msg = f"{root}: other writers kept committing for {_PATIENCE_S:g} s; try again"
                raise TableConflictError(msg) from error
            time.sleep(random.uniform(0.002, 0.05))
            continue
        log.keep_short(root, version)
        return version


def _committed(
    root: Path, attempt: Callable[[str], int], identity: str, written: Sequence[DataFile]
) -> int:
    try:
        with errors.storage(root, "committing"):
            _check_there(root, written)
            return attempt(identity)
    except (CommitFailedError, _MadeMeanwhileError):
        raise
    except BaseException as error:
        made = _version_of(root, identity)  # it may fail after the commit was made
        if made is None and isinstance(error, DeltaError):
            msg = f"{root}: the commit was refused: {first_line(error)}"
            raise TableError(msg) from error
        if made is None or not isinstance(error, Exception):
            raise
        return made


def discard(root: Path, written: Sequence[DataFile]) -> None:
    """Remove files whose commit failed or was stopped, unless the log names them.

    An interrupt may come behind the moment in which the version was made: then they are its rows.
    """
    with contextlib.suppress(OSError):  # a log that cannot be read may name them
        if written and _version_of(root, written[0].name) is None:
            data_files.remove(root, written)


def _check_there(root: Path, written: Sequence[DataFile]) -> None:
    """Refuse to commit files that a vacuum, a repair or a forget took meanwhile."""
    for file in written:
        if not (root / file.name).is_file():
            msg = (
                f"{root}: {file.name}, about to be committed, was removed meanwhile (by vacuum or "
                "repair with a retention shorter than the writing took, or by forget); nothing "
                "was committed: write the rows again"
            )
            raise TableConflictError(msg)


@dataclass(frozen=True)
class Payload:
    """What a commit of ours says, beside what Delta needs."""

    identity: str
    kind: str
    note: dict[str, Any]
    written: Sequence[DataFile] = ()

    def text(self, total: Sums | None) -> str:
        """Return it as JSON, with the content of the version that the commit makes."""
        payload: dict[str, Any] = {
            "kind": self.kind,
            "id": self.identity,
            "note": self.note,
            "software": software(),
            "files": {file.name: file.entry() for file in self.written},
        }
        return json.dumps(_with(payload, total), ensure_ascii=False, allow_nan=False)

    def sums(self) -> Sums:
        """Return the content of the files that it adds."""
        return hashing.combine(file.sums for file in self.written)


def _with(payload: dict[str, Any], total: Sums | None) -> dict[str, Any]:
    return payload if total is None else payload | {"total": list(total)}


def _version_of(root: Path, identity: str) -> int | None:
    """Return which of the newest commits carries an identity, or names a file."""
    entries = sorted((f for f in (root / LOG).glob("*.json") if f.stem.isdigit()), reverse=True)
    for entry in entries[:100]:
        if identity in entry.read_text(encoding="utf-8", errors="replace"):
            return int(entry.stem)
    return None


class _MadeMeanwhileError(GeodataError):
    """Another writer created the table first."""


def _attempt(
    root: Path,
    written: list[DataFile],
    schema_for: Callable[[pa.Schema | None], pa.Schema],
    mode: str,
    payload: Payload,
    opened: Snapshot | None,
) -> int:
    """Commit on top of the newest version, or fail if that is no longer the newest.

    Retries of the Delta library are off: it would let rows appended meanwhile survive an
    overwrite, and it does not tell which version a commit became.
    """
    if opened is None and not exists(root):
        return _create(root, actions(written), schema_for(None), payload.text(payload.sums()))
    if mode == "append":
        before = opened or log.snapshot(root)
        if _append(root, before, written, schema_for(before.schema), payload):
            return before.version + 1
    table = load(root)
    schema = schema_for(schema_of(table))
    if _evolve(root, table, schema, mode):  # others may have committed behind it: look again
        return _attempt(root, written, schema_for, mode, payload, None)
    known = content(root, int(table.version())) if mode == "append" else Sums()
    total = None if known is None else known.plus(payload.sums())
    table.create_write_transaction(
        actions(written), mode, Schema.from_arrow(schema), **properties(payload.text(total))
    )
    return int(table.version()) + 1


def _append(
    root: Path, before: Snapshot, written: list[DataFile], schema: pa.Schema, payload: Payload
) -> bool:
    """Commit files behind a version, if they are all that the next one needs."""
    if not before.is_plain or set(schema.names) != set(before.schema.names):
        return False
    known = content(root, before.version)
    total = None if known is None else known.plus(payload.sums())
    return appending.commit(root, before.version, written, payload.text(total), payload.identity)


def actions(written: Sequence[DataFile], *, new_rows: bool = True) -> list[Any]:
    """Return what adds files to a version; ``new_rows`` is false where they hold older rows."""
    return [AddAction(f.name, f.size, {}, now_ms(), new_rows, f.stats) for f in written]


def content(root: Path, version: int) -> Sums | None:
    """Return the recorded content of a version, None where another tool wrote a part of it."""
    total = log.total(root, version)
    if total is not None:
        return total
    known = log.recorded(root, version)
    entries = [known.get(file.name) for file in log.snapshot(root, version).files]
    if any(entry is None for entry in entries):
        return None
    return hashing.combine(Sums(*entry["content"]) for entry in entries if entry)


def _create(root: Path, adds: list[AddAction], schema: pa.Schema, payload: str) -> int:
    try:
        create_table_with_add_actions(
            str(root),
            Schema.from_arrow(schema),
            adds,
            mode="error",
            configuration=CONFIGURATION,
            **properties(payload),
        )
    except DeltaError as error:
        if exists(root):
            raise _MadeMeanwhileError from error
        raise
    return 0


def _evolve(root: Path, table: DeltaTable, schema: pa.Schema, mode: str) -> bool:
    """Commit one thing that the schema needs before rows use it; False if nothing is missing.

    It is a feature of the table, or for an append its new columns.
    """
    if _has_local_time(schema) and "timestampNtz" not in (table.protocol().writer_features or []):
        # The library would commit the rows without it, and no version could be opened again.
        table.alter.add_feature(
            TableFeatures.TimestampWithoutTimezone,
            allow_protocol_versions_increase=True,
            **_same_content(root, table),
        )
        return True
    known = set(schema_of(table).names)
    new = [field for field in Schema.from_arrow(schema).fields if field.name not in known]
    if mode == "append" and new:
        table.alter.add_columns(new, **_same_content(root, table))
    return mode == "append" and bool(new)


def _same_content(root: Path, table: DeltaTable) -> dict[str, Any]:
    """Return the options of a commit behind a table that leaves its content: NULLs add nothing."""
    total = content(root, int(table.version()))
    return properties(json.dumps(_with({"kind": "schema", "software": software()}, total)))


def _has_local_time(kind: pa.Schema | pa.DataType) -> bool:
    if isinstance(kind, pa.Schema) or pa.types.is_struct(kind):
        return any(_has_local_time(field.type) for field in kind)
    if pa.types.is_map(kind):
        return _has_local_time(kind.key_type) or _has_local_time(kind.item_type)
    if pa.types.is_list(kind):
        return _has_local_time(kind.value_type)
    return bool(pa.types.is_timestamp(kind)) and kind.tz is None


def properties(payload: str) -> dict[str, Any]:
    """Return the options of a commit: our payload, no retries, nothing behind it."""
    return {
        "commit_properties": CommitProperties(custom_metadata={KEY: payload}, max_commit_retries=0),
        "post_commithook_properties": PostCommitHookProperties(
            create_checkpoint=False, cleanup_expired_logs=False
        ),
    }


def software() -> dict[str, str]:
    """Return the versions of what writes tables."""
    return dict(_software())


@functools.cache
def _software() -> tuple[tuple[str, str], ...]:
    names = ("deltalake", "pyarrow", "numpy")
    versions = ((name, importlib.metadata.version(name)) for name in names)
    return ("geodata", geodata.__version__), *versions
