"""The log read by us, commit by commit: what `deltalake` is compared with.

`verify` compares, so that a checkpoint cannot name other files than the commits do. A process that
was forked reads this way, because the Delta library does not work there (its threads stay with the
parent).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata.tables.errors import TableChangedError, TableError


@dataclass
class State:
    """A table after its commits up to a version."""

    version: int
    schema_text: str = ""
    adds: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the log says of each file, by name."""

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        from deltalake import Schema

        return pa.schema(Schema.from_json(self.schema_text))


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
        file = log_folder / f"{number:020}.json"
        try:
            for line in file.read_text(encoding="utf-8").splitlines():
                _apply(state, json.loads(line), log_folder.parent)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, TableError):
                raise
            msg = f"{file}: the commit cannot be read ({error})"
            raise TableChangedError(msg) from error
    return state


def _apply(state: State, action: Any, root: Path) -> None:
    if not isinstance(action, dict):
        msg = f"an action is an object, not {str(action)[:40]!r}"
        raise TypeError(msg)
    if "metaData" in action:
        found = action["metaData"]
        state.schema_text = str(found["schemaString"])
        if found.get("partitionColumns"):
            raise _unread(root)
    elif "remove" in action:
        state.adds.pop(action["remove"]["path"], None)
    elif "add" in action:
        if action["add"].get("deletionVector"):
            raise _unread(root)
        state.adds[action["add"]["path"]] = action["add"]


def _unread(root: Path) -> TableError:
    return TableError(
        f"{root}: the table has partitions or deletion vectors, which are not read here"
    )
