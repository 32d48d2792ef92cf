"""What a dataset was made from: inputs opened by name, pinned by version and hash, opened again.

An input is a table of the lake, ``labelled``, ``labelled@3`` or ``labelled@paper``, or a file
that `geodata.files` reads. What names it in a commit is enough to open the very same rows later,
or to say that they are no longer there.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata import coords, files
from geodata.errors import GeodataError
from geodata.tables import lakes
from geodata.tables.versions import writing
from geodata.tables.versions.rows import source_of_version
from geodata.tables.versions.version import TableVersion
from geodata.tables.versions.watching import seen


class DatasetError(GeodataError, ValueError):
    """A dataset that cannot be built as asked: says what was found, the rule and the remedy."""


@dataclass(frozen=True)
class Input:
    """Rows that a recipe reads, as often as it needs."""

    role: str
    reference: Mapping[str, Any]
    """What names the rows in a commit: table, version and content hash, or file and SHA-256."""
    source: files.Source
    version: TableVersion | None = None
    seen: tuple[int, ...] | None = None
    """What the system said of a file, time and size, before it was hashed."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.source.columns

    @property
    def label(self) -> str:
        """What the input is called in messages: ``labelled@3`` or the file."""
        if self.version is not None:
            return f"{self.version.path.name}@{self.version.version}"
        return str(self.reference["file"])

    @property
    def table(self) -> TableVersion:
        """The version of a table.

        Raises
        ------
        DatasetError
            If the input is a file.
        """
        if self.version is None:
            msg = (
                f"the {self.role} of a dataset must be a table of the lake, got the file "
                f"{self.label}; bring it in with geodata photos import or tables.write"
            )
            raise DatasetError(msg)
        return self.version

    def keep(self, lake: str | os.PathLike[str]) -> None:
        """Let a lake find the file again, whatever becomes of the working directory."""
        if self.version is None and self.source.path is not None:
            lakes.keep(lake, self.reference, self.source.path)

    def refuse_changed(self) -> None:
        """Check that a file is the one that was hashed; asked when its rows were read.

        Raises
        ------
        DatasetError
            If somebody wrote it meanwhile: the rows may not be those that the commit would name.
        """
        path = self.source.path
        if self.seen is not None and seen(path) != self.seen:
            msg = (
                f"{self.label} was written while the dataset was made from it; nothing was "
                "committed: build it again when the file is whole"
            )
            raise DatasetError(msg)

    def need(self, *names: str) -> None:
        """Check that columns are there.

        Raises
        ------
        DatasetError
            If one is not; lists those that are.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            msg = (
                f"{self.label} has no column {missing[0]!r}; its columns are "
                f"{', '.join(self.columns)}; photos import and the labelled recipe make the usual"
            )
            raise DatasetError(msg)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield the rows in their order, memory flat."""
        yield from self.source.tables(None if columns is None else list(dict.fromkeys(columns)))

    def points(self, extra: Sequence[str] = ()) -> Iterator[tuple[coords.Coordinates, pa.Table]]:
        """Yield checked coordinates, bit for bit as stored, and the ``extra`` columns beside them.

        Raises
        ------
        DatasetError
            If there are no coordinate columns.
        """
        lat, lon = self.coordinate_columns()
        for table in self.batches([lat, lon, *extra]):
            y, x = coords.parse_numbers(table[lat]), coords.parse_numbers(table[lon])
            yield coords.arrays(y, x, wrap=False), table

    def coordinate_columns(self) -> tuple[str, str]:
        """Return the names of the latitude and the longitude column."""
        try:
            return files.coordinate_columns(self.columns, where=self.label)
        except ValueError as error:
            raise DatasetError(str(error)) from error


def open_input(lake: str | os.PathLike[str], role: str, source: Any) -> Input:
    """Open an input by the name that a person gives it.

    Parameters
    ----------
    lake
        Folder of tables.
    role
        What the recipe uses it for.
    source
        ``name``, ``name@version``, ``name@tag``, or the path of a CSV, TSV, Parquet or JSONL
        file.

    Raises
    ------
    TableError, FileError
        If it is not there or cannot be read.
    TypeError
        For anything but text or a path.

    Examples
    --------
    >>> import tempfile
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/photos", pa.table({"photo_id": ["a"]}))
    >>> open_input(lake.name, "rows", "photos").label
    'photos@0'
    >>> lake.cleanup()
    """
    if not isinstance(source, str | os.PathLike):
        msg = (
            f"the input {role!r} is {type(source).__name__}; give the name of a table, "
            "'labelled' or 'labelled@3', or a file: rows in memory cannot be replayed, write them "
            "to the lake with tables.write first"
        )
        raise TypeError(msg)
    text = os.fspath(source)
    if files.is_table_file(text):
        return _file(role, text)
    name, _, version = text.partition("@")
    return _table(role, writing.open(writing.path_of(lake, name), version or None))


def reopen(
    lake: str | os.PathLike[str],
    role: str,
    reference: Mapping[str, Any],
    look_in: Sequence[str | os.PathLike[str]] = (),
) -> Input:
    """Open the very rows that a commit names.

    A file is known by its hash and looked for in ``look_in``, in the lake, where it was, and in
    the working directory.

    Raises
    ------
    DatasetError
        If they changed since; TableError and FileError if they are gone.
    """
    if "file" in reference:
        try:
            found = _file(role, str(lakes.find(lake, reference, look_in)))
        except lakes.ChangedFileError as error:
            raise DatasetError(str(error)) from error
        # its name in the lake is its hash; messages go on with the name it came with
        return dataclasses.replace(found, reference=reference)
    path = writing.path_of(lake, str(reference["table"]))
    found = _table(role, writing.open(path, int(reference["version"])))
    if found.reference["content_hash"] != reference["content_hash"]:
        msg = (
            f"{found.label}: content_hash is {found.reference['content_hash'][:12]}, the dataset "
            f"was built from {str(reference['content_hash'])[:12]}; restore the table, or build "
            "the dataset again"
        )
        raise DatasetError(msg)
    return found


def _table(role: str, version: TableVersion) -> Input:
    return Input(role, version.reference(), source_of_version(version), version)


def _file(role: str, path: str) -> Input:
    before = seen(Path(path))
    opened = files.open_source(path)
    reference = {
        "file": Path(path).name,
        "sha256": files.sha256(path),
        "bytes": Path(path).stat().st_size,
    }
    return Input(role, reference, opened, seen=before)
