"""What changed between two versions of a table."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geodata.hashing import row_hashes
from geodata.tables import data_files
from geodata.tables.versions.version import TableVersion, open_version


@dataclass(frozen=True)
class Diff:
    """What changed from version ``a`` to version ``b``."""

    a: int
    b: int
    rows_a: int
    rows_b: int
    rows_added: int
    """Rows of ``b`` that ``a`` does not have, counted with repetition."""
    rows_removed: int
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns_changed: tuple[str, ...]
    """Columns whose type changed."""

    @property
    def same(self) -> bool:
        """Whether both have the same columns and the same rows, in whatever order."""
        columns = self.columns_added + self.columns_removed + self.columns_changed
        return not (self.rows_added or self.rows_removed or columns)


def diff(path: str | os.PathLike[str], a: int | str, b: int | str | None = None) -> Diff:
    """Compare two versions, ``b`` the latest by default: rows by content, columns by type.

    Files that both share are not read. Rows are compared by their 64-bit hashes.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.write(lake.name + "/t", pa.table({"a": [1, 2, 2]}))
    >>> _ = tables.write(lake.name + "/t", pa.table({"a": [2, 3]}))
    >>> change = tables.diff(lake.name + "/t", 0, 1)
    >>> change.rows_added, change.rows_removed
    (1, 2)
    >>> lake.cleanup()
    """
    first, second = open_version(path, a), open_version(path, b)
    shared = set(first.files) & set(second.files)
    hashes = [_hashes(v, [f for f in v.files if f not in shared]) for v in (first, second)]
    kinds, which = np.unique(np.concatenate(hashes), return_inverse=True)
    halves = np.split(which, [len(hashes[0])])
    before, after = (np.bincount(half, minlength=len(kinds)) for half in halves)
    old = {f.name: f.type for f in first.schema}
    new = {f.name: f.type for f in second.schema}
    return Diff(
        a=first.version,
        b=second.version,
        rows_a=first.rows,
        rows_b=second.rows,
        rows_added=int(np.maximum(after - before, 0).sum()),
        rows_removed=int(np.maximum(before - after, 0).sum()),
        columns_added=tuple(n for n in new if n not in old),
        columns_removed=tuple(n for n in old if n not in new),
        columns_changed=tuple(n for n in new if n in old and new[n] != old[n]),
    )


def _hashes(version: TableVersion, files: list[Path]) -> Any:
    parts = [row_hashes(t) for f in files for t in data_files.read(f, version.schema)]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)
