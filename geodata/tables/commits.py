"""Make a version of a table: Delta Lake's transaction, our note and hashes, and a seal.

A commit carries, under the key ``geodata``, the note of its author and the SHA-256 and content
of each file it adds. A seal beside the log holds the SHA-256 of the commit itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, TableFeatures
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions

import geodata
from geodata import files
from geodata.errors import GeodataError
from geodata.tables import errors
from geodata.tables.data_files import DataFile, now_ms
from geodata.tables.errors import TableConflictError, TableError
from geodata.tables.log import KEY, LOG, SEALS, exists, first_line, load, schema_of

_PATIENCE_S = 120.0
_CONFIGURATION = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}


def commit(
    root: Path,
    written: list[DataFile],
    schema_for: Callable[[pa.Schema | None], pa.Schema],
    mode: str,
    note: dict[str, Any],
) -> int:
    """Make written files a version, retrying while others commit first.

    Parameters
    ----------
    schema_for
        Given the table's current schema (None where there is no table), the one to have after.
    mode
        ``append`` or ``overwrite``.

    Raises
    ------
    TableConflictError, StorageFullError, TableSchemaError
    """
    identity = uuid.uuid4().hex
    payload = _note_payload(identity, written, mode, note)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with errors.storage(root, "committing"):
                version = _attempt(root, written, schema_for, mode, payload)
        except (CommitFailedError, _MadeMeanwhileError) as error:
            if time.monotonic() > deadline:
                msg = f"{root}: other writers kept committing for {_PATIENCE_S:g} s; try again"
                raise TableConflictError(msg) from error
            time.sleep(random.uniform(0.002, 0.05))
            continue
        except BaseException as error:
            made = _version_of(root, identity)  # it may fail after the commit was made
            if made is None and isinstance(error, DeltaError):
                msg = f"{root}: the commit was refused: {first_line(error)}"
                raise TableError(msg) from error
            if made is None:
                raise
            version = made
        seal(root)
        return version


def _version_of(root: Path, identity: str) -> int | None:
    """Return which of the newest commits carries an identity."""
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
    payload: str,
) -> int:
    """Commit on top of the newest version, or fail if that is no longer the newest.

    Retries of the Delta library are off: it would let rows appended meanwhile survive an
    overwrite, and it does not tell which version a commit became.
    """
    adds = [AddAction(f.name, f.size, {}, now_ms(), True, f.stats) for f in written]
    if not exists(root):
        return _create(root, adds, schema_for(None), payload)
    table = load(root)
    known = schema_of(table)
    schema = schema_for(known)
    table = _evolve(root, table, schema, mode)
    table.create_write_transaction([*adds], mode, Schema.from_arrow(schema), **_properties(payload))
    return int(table.version()) + 1


def _create(root: Path, adds: list[AddAction], schema: pa.Schema, payload: str) -> int:
    try:
        create_table_with_add_actions(
            str(root),
            Schema.from_arrow(schema),
            adds,
            mode="error",
            configuration=_CONFIGURATION,
            **_properties(payload),
        )
    except DeltaError as error:
        if exists(root):
            raise _MadeMeanwhileError from error
        raise
    return 0


def _evolve(root: Path, table: DeltaTable, schema: pa.Schema, mode: str) -> DeltaTable:
    """Add what the schema needs before rows use it: a feature, and for an append the columns."""
    properties = _properties(json.dumps({"kind": "schema", "software": software()}))
    if _has_local_time(schema) and "timestampNtz" not in (table.protocol().writer_features or []):
        # The library would commit the rows without it, and no version could be opened again.
        table.alter.add_feature(
            TableFeatures.TimestampWithoutTimezone,
            allow_protocol_versions_increase=True,
            **properties,
        )
        table = load(root)
    known = set(schema_of(table).names)
    new = [field for field in Schema.from_arrow(schema).fields if field.name not in known]
    if mode == "append" and new:
        table.alter.add_columns(new, **properties)
        table = load(root)
    return table


def _has_local_time(kind: pa.Schema | pa.DataType) -> bool:
    if isinstance(kind, pa.Schema) or pa.types.is_struct(kind):
        return any(_has_local_time(field.type) for field in kind)
    if pa.types.is_map(kind):
        return _has_local_time(kind.key_type) or _has_local_time(kind.item_type)
    if pa.types.is_list(kind):
        return _has_local_time(kind.value_type)
    return bool(pa.types.is_timestamp(kind)) and kind.tz is None


def _properties(payload: str) -> dict[str, Any]:
    return {
        "commit_properties": CommitProperties(custom_metadata={KEY: payload}, max_commit_retries=0),
        "post_commithook_properties": PostCommitHookProperties(
            create_checkpoint=False, cleanup_expired_logs=False
        ),
    }


def _note_payload(identity: str, written: list[DataFile], mode: str, note: dict[str, Any]) -> str:
    payload = {
        "kind": "append" if mode == "append" else "write",
        "id": identity,
        "note": note,
        "software": software(),
        "files": {file.name: file.entry() for file in written},
    }
    return json.dumps(payload, ensure_ascii=False, allow_nan=False)


def software() -> dict[str, str]:
    """Return the versions of what writes tables."""
    names = ("deltalake", "pyarrow", "numpy")
    versions = {name: importlib.metadata.version(name) for name in names}
    return {"geodata": geodata.__version__, **versions}


def seal(root: Path) -> None:
    """Record the SHA-256 of every commit that has no seal yet; a full disk leaves them without."""
    folder = root / SEALS
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        sealed = {file.stem for file in folder.glob("*.sha256")}
        for entry in sorted((root / LOG).glob("*.json")):
            if entry.stem.isdigit() and entry.stem not in sealed:
                with entry.open("rb") as file:
                    os.fsync(file.fileno())
                files.write_text(folder / f"{entry.stem}.sha256", sealed_text(entry))


def sealed_text(entry: Path) -> str:
    """Return what the seal of a commit file says."""
    return hashlib.sha256(entry.read_bytes()).hexdigest() + "\n"
