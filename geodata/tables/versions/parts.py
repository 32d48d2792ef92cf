"""Files that many processes write, and one commit that makes them a version.

A file belongs to no version until the commit, so a writer that dies, or writes twice because it
was tried again, adds nothing: only the parts that are handed to the commit count.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from geodata.hashing import Sums
from geodata.tables import commits, data_files, lakes, log
from geodata.tables.data_files import DataFile
from geodata.tables.errors import TableChangedError, TableError
from geodata.tables.versions.writing import check_note

_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Part:
    """A file of a table that belongs to no version yet."""

    file: DataFile
    schema: pa.Schema

    def text(self) -> str:
        """Return it as text, to be sent to who commits."""
        schema = base64.b64encode(self.schema.serialize().to_pybytes()).decode()
        return json.dumps([*self.file, schema])

    @classmethod
    def read(cls, text: str) -> Part:
        """Return what `text` made text of."""
        name, size, sha256, sums, stats, schema = json.loads(text)
        kept = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(schema)))
        return cls(DataFile(name, size, sha256, Sums(*sums), stats), kept)


def write_part(path: _Path, rows: pa.Table, order: int = 0) -> list[Part]:
    """Write rows as files in the folder of a table, which need not be there yet.

    Parameters
    ----------
    path
        The table's folder.
    rows
        Shape (n,).
    order
        Files of a version are read in this order.

    Raises
    ------
    TableError
        And its kinds, with the files removed.

    Examples
    --------
    >>> import tempfile
    >>> lake = tempfile.TemporaryDirectory()
    >>> parts = write_part(lake.name + "/photos", pa.table({"photo_id": ["a", "b"]}))
    >>> commit_parts(lake.name + "/photos", parts)
    0
    >>> lake.cleanup()
    """
    root = log.check_path(path)
    kept = data_files.kept_schema(rows.schema)
    root.mkdir(parents=True, exist_ok=True)
    written = data_files.write(root, iter([rows]), kept, order, data_files.FILE_ROWS)
    return [Part(file, kept) for file in written]


def commit_parts(path: _Path, parts: Iterable[Part], note: Mapping[str, Any] | None = None) -> int:
    """Make parts the whole content of a new version and return its number.

    Raises
    ------
    TableError
        If there are none, or a file is not there as it was written.
    TableSchemaError
        If the parts have different columns.

    Examples
    --------
    >>> import tempfile
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> parts = write_part(lake.name + "/t", pa.table({"a": [1, 2]}))
    >>> commit_parts(lake.name + "/t", parts), tables.open(lake.name + "/t").rows
    (0, 2)
    >>> lake.cleanup()
    """
    root, checked, held = log.check_path(path), check_note(note), list(parts)
    if not held:
        msg = f"{root}: there are no parts, so there is nothing to commit"
        raise TableError(msg)
    kept = held[0].schema
    for part in held[1:]:
        kept = data_files.kept_schema(part.schema, kept)
    for name, size in ((part.file.name, part.file.size) for part in held):
        if not (root / name).is_file() or (root / name).stat().st_size != size:
            msg = f"{root}: the part {name} is not as it was written; write it again"
            raise TableChangedError(msg)
    if not log.exists(root):
        lakes.check_new(root)
    return commits.commit(root, [p.file for p in held], lambda _: kept, "overwrite", checked)
