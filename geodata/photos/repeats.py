"""What a table holds already: the same source imported before, ids that occur twice."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from geodata import files, tables
from geodata.errors import GeodataError
from geodata.hashing import text_hashes
from geodata.photos import formats

MOST_IDS = 1 << 26
"""Beyond this many ids, 8 bytes each, they are not counted on import; the audit counts them."""

_REPLACES = ("write", "restore")
"""Kinds of commits after which rows of earlier imports may be gone."""


class AlreadyImportedError(GeodataError, ValueError):
    """The same source is in the table already; nothing was appended."""


def fingerprint(path: Path | None) -> str | None:
    """Return SHA-256 of a source's content, None for rows in memory.

    Of a folder of pictures: of the names and sizes of its pictures, since reading them all would
    take as long as the import.
    """
    if path is None:
        return None
    if path.is_file():
        return files.sha256(path)
    digest = hashlib.sha256()
    for name in formats.images_in(path):
        digest.update(
            f"{name}\0{(path / name).stat().st_size}\n".encode("utf-8", "surrogateescape")
        )
    return digest.hexdigest()


def refuse_again(
    target: str | os.PathLike[str], origin: Mapping[str, Any], called: str | os.PathLike[str]
) -> None:
    """Refuse a source whose rows an earlier import brought into the table.

    Parameters
    ----------
    target
        Folder of the table.
    origin
        Of the source: name and SHA-256.
    called
        What messages call the table.

    An import that was killed behind its commit is found here by the next one: its rows are there.

    Raises
    ------
    AlreadyImportedError
        With the version, its rows and its time.
    """
    if "sha256" not in origin or not tables.exists(Path(target)):
        return
    for commit in tables.history(target):
        known = commit.note.get("source")
        if isinstance(known, Mapping) and known.get("sha256") == origin["sha256"]:
            rows = "its" if commit.rows_added is None else f"{commit.rows_added:,}"
            other = "" if known.get("name") == origin["name"] else f", as {known.get('name')}"
            msg = (
                f"{origin['name']} (SHA-256 {str(origin['sha256'])[:12]}) is in {called} already: "
                f"version {commit.version} of {commit.time:%Y-%m-%d %H:%M} UTC has {rows} rows "
                f"of it{other}; nothing was appended (--again, again=True, appends it once more)"
            )
            raise AlreadyImportedError(msg)
        if commit.kind in _REPLACES:
            return


def new(
    rows: Iterator[pa.Table], target: Path, origin: Mapping[str, Any], held: contextlib.ExitStack
) -> Iterator[pa.Table]:
    """Yield rows, then refuse what another import brought meanwhile, as `refuse_again` does.

    Parameters
    ----------
    held
        Holds the table from then on, so that nobody comes between the answer and the commit.
    """
    yield from rows
    held.enter_context(tables.alone(target))
    refuse_again(target, origin, target)


def before(target: Path, version: int) -> tables.TableVersion | None:
    """Return what a table held when an import became a version of it, None for a new table."""
    if version == 0 or not tables.exists(target):
        return None
    seen_before = tables.is_view(target.parent)  # of a bucket: what was brought when it began
    return tables.open(target, None if seen_before else version - 1)


class IdCounter:
    """Count ids that occur twice among the rows that pass, and those that a table held before.

    Ids are compared by 64-bit hashes: of 67 million, two that differ are taken for one with a
    chance near 1 in 8,000.

    Examples
    --------
    >>> counter = IdCounter()
    >>> counter.add(pa.table({"photo_id": ["a", "b", "a", None, None]}))
    >>> counter.repeated()
    1
    """

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self._many = 0

    def add(self, rows: pa.Table) -> None:
        """Take in the ids of some rows; NULL is no id."""
        if self._many <= MOST_IDS:
            ids = rows["photo_id"].combine_chunks().drop_null()
            self._parts.append(text_hashes(ids))
            self._many += len(ids)

    def repeated(self) -> int | None:
        """Return how many rows have the id of an earlier row, None if there were too many."""
        found = self._sorted()
        return None if found is None else int((found[1:] == found[:-1]).sum())

    def known(self, before: tables.TableVersion | None) -> int | None:
        """Return how many rows have an id that a version of a table holds."""
        found = self._sorted()
        if found is None or before is None or "photo_id" not in before.schema.names:
            return None if found is None else 0
        hit = np.zeros(len(found), bool)
        for part in before.batches(["photo_id"]):
            asked = np.unique(text_hashes(part["photo_id"].combine_chunks().drop_null()))
            at = np.searchsorted(asked, found)
            at[at == len(asked)] = 0
            if len(asked):
                hit |= asked[at] == found
        return int(hit.sum())

    def _sorted(self) -> Any:
        if self._many > MOST_IDS:
            return None
        if len(self._parts) != 1:
            self._parts = [np.concatenate([np.empty(0, np.uint64), *self._parts])]
        self._parts[0].sort()
        return self._parts[0]
