"""Checkpoints of the log: the state of a version in one file, so that opening stays quick.

They are Delta's own, and every reader of Delta uses them. The commits stay beside them, so that
`verify` can tell a checkpoint that names other files than the commits do.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from geodata.tables import errors
from geodata.tables.log import locking, newest, reading, seals

EVERY = 32
"""Versions from one checkpoint to the next: what is read from single commits at most."""

HINT = newest.HINT

_ENDING = ".checkpoint.parquet"


def checkpoint(path: str | os.PathLike[str], version: int | None = None) -> int:
    """Write a checkpoint of a version, the latest by default, and return the version.

    Appends make one every 32 versions; a table that another tool wrote opens faster after this.

    Raises
    ------
    TableError
        If there is no such table or version, or it cannot be read.
    StorageFullError
        If there is no room.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/t", pa.table({"a": [1]}))
    >>> tables.checkpoint(lake.name + "/t"), tables.verify(lake.name + "/t").ok
    (0, True)
    >>> lake.cleanup()
    """
    root = reading.check_path(path)
    with locking.alone(root):
        return _checkpoint(root, version)


def _checkpoint(root: Path, version: int | None) -> int:
    table = reading.load(root, version)
    number = int(table.version())
    name = f"{number:020}{_ENDING}"
    if sealed(root).get(number) and (root / reading.LOG / name).is_file():
        return number
    with errors.storage(root, "writing a checkpoint"):
        (root / reading.SEALS).mkdir(exist_ok=True)
        seals.break_seal(root, HINT)  # a stop in between leaves no seal that is another file's
        table.create_checkpoint()
        seals.seal_file(root, name, f"{number:020}.checkpoint")
        seals.seal_file(root, HINT, HINT)
    return number


def is_due(version: int) -> bool:
    """Return whether a version is one of those behind which a table is kept quick.

    Examples
    --------
    >>> [version for version in range(100) if is_due(version)]
    [31, 63, 95]
    """
    return version % EVERY == EVERY - 1


def keep_short(root: Path, version: int) -> None:
    """Write the checkpoint that is due after a commit; a table without one is only slower."""
    if is_due(version):
        with contextlib.suppress(errors.TableError, OSError):
            checkpoint(root, version)


def sealed(root: Path) -> dict[int, Path]:
    """Return the seals of checkpoints by version."""
    ending = ".checkpoint.sha256"
    found = (root / reading.SEALS).glob(f"*{ending}")
    return {int(f.name.removesuffix(ending)): f for f in found}
