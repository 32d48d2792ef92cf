"""The log read by us, commit by commit: what `deltalake` is compared with.

`verify` compares, so that a checkpoint cannot name other files than the commits do. A process that
was forked reads this way, because the Delta library does not work there (its threads stay with the
parent), and `newest` what came behind a checkpoint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from geodata.tables.errors import TableChangedError, TableError

CONFIGURATION = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}
"""What our tables are made with: nothing is cleaned up by itself."""

_READ = {"timestampNtz"}
_WRITTEN = {"timestampNtz", "appendOnly", "invariants"}
"""Features of Delta that a table of ours may have; the last two where it does not use them."""


class Add(NamedTuple):
    """What the log says of a file."""

    size: int
    rows: int | None


@dataclass
class State:
    """A table after its commits up to a version."""

    version: int
    schema_text: str = ""
    adds: dict[str, Add] = field(default_factory=dict)
    """The files by name."""
    protocol: dict[str, Any] = field(default_factory=dict)
    configuration: dict[str, str] = field(default_factory=dict)

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        from deltalake import Schema

        return pa.schema(Schema.from_json(self.schema_text))

    @property
    def is_readable(self) -> bool:
        """Whether files, rows and columns are all there is to it."""
        given = self.protocol
        version, features = given.get("minReaderVersion"), given.get("readerFeatures") or []
        return version == 1 or (version == 3 and set(features) <= _READ)

    @property
    def is_plain(self) -> bool:
        """Whether rows can be added by naming files: nothing else is to be checked or written."""
        given = self.protocol
        version, features = given.get("minWriterVersion"), given.get("writerFeatures") or []
        is_known = version in (1, 2) or (version == 7 and set(features) <= _WRITTEN)
        checked = '"delta.' in self.schema_text  # invariants, identity, generated columns
        return (
            self.is_readable
            and is_known
            and not checked
            and set(self.configuration) <= set(CONFIGURATION)
        )


def replay(log_folder: Path, version: int) -> State:
    """Read the commits from 0 to a version.

    Raises
    ------
    TableChangedError
        If one cannot be read.
    TableError
        For partitions or deletion vectors.
    """
    state = State(version)
    for number in range(version + 1):
        apply_file(state, log_folder / f"{number:020}.json")
    return state


def apply_file(state: State, file: Path) -> None:
    """Apply a commit.

    Raises
    ------
    TableChangedError, TableError
        As for `replay`.
    """
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            apply(state, json.loads(line), file.parent.parent)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, TableError):
            raise
        msg = f"{file}: the commit cannot be read ({error})"
        raise TableChangedError(msg) from error


def apply(state: State, action: Any, root: Path) -> None:
    """Apply one action of a commit or checkpoint.

    Raises
    ------
    TableError
        For partitions or deletion vectors.
    """
    if not isinstance(action, dict):
        msg = f"an action is an object, not {str(action)[:40]!r}"
        raise TypeError(msg)
    if "metaData" in action:
        found = action["metaData"]
        state.schema_text = str(found["schemaString"])
        state.configuration = dict(found.get("configuration") or {})
        if found.get("partitionColumns"):
            raise _unread(root)
    elif "protocol" in action:
        state.protocol = dict(action["protocol"])
    elif "remove" in action:
        state.adds.pop(action["remove"]["path"], None)
    elif "add" in action:
        found = action["add"]
        if found.get("deletionVector"):
            raise _unread(root)
        rows = json.loads(found.get("stats") or "{}").get("numRecords")
        state.adds[found["path"]] = Add(int(found["size"]), rows)


def _unread(root: Path) -> TableError:
    return TableError(
        f"{root}: the table has partitions or deletion vectors, which are not read here"
    )
