"""Names for versions, and removing the files that no kept version needs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from geodata import files
from geodata.tables import errors
from geodata.tables.errors import TableChangedError, TableError, VersionNotFoundError
from geodata.tables.log import locking, reading

FOLDER = "_tags"
_Path = str | os.PathLike[str]


def tag(path: _Path, name: str, version: int | str | None = None, *, move: bool = False) -> int:
    """Name a version, the latest by default, and return its number.

    A named version can be opened by its name and its files are never vacuumed.

    Parameters
    ----------
    move
        Allow an existing tag to move to another version.

    Raises
    ------
    TableError
        For a bad name, or a tag that is on another version already.
    TableChangedError
        If files of the version are gone: nothing would be left to name.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/t", pa.table({"a": [1]}))
    >>> tables.tag(lake.name + "/t", "paper")
    0
    >>> tables.open(lake.name + "/t", "paper").rows, tables.tags(lake.name + "/t")
    (1, {'paper': 0})
    >>> lake.cleanup()
    """
    root = reading.check_path(path)
    reading.check_name(name)
    with locking.alone(root):
        return _tag(root, name, resolve(root, version), move=move)


def _tag(root: Path, name: str, version: int | None, *, move: bool) -> int:
    number = reading.check_version(root, version)
    before = tags(root).get(name)
    if before is not None and before != number and not move:
        msg = f"{root}: tag {name!r} is on version {before}; give move=True to put it on {number}"
        raise TableError(msg)
    gone = [f.name for f in reading.snapshot(root, number).files if not (root / f.name).is_file()]
    if gone:
        msg = (
            f"{root}: version {number} was vacuumed, {len(gone)} of its files are gone "
            f"({gone[0]}); tag a version that can be opened"
        )
        raise TableChangedError(msg)
    (root / FOLDER).mkdir(exist_ok=True)
    with errors.storage(root, "tagging"):
        files.write_text(root / FOLDER / f"{name}.json", text(name, number))
    return number


def untag(path: _Path, name: str) -> None:
    """Remove a name; the version stays until it is vacuumed.

    Raises
    ------
    TableNotFoundError
        If there is no table.
    VersionNotFoundError
        If there is no such tag.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/t", pa.table({"a": [1]}))
    >>> _ = tables.tag(lake.name + "/t", "paper")
    >>> untag(lake.name + "/t", "paper")
    >>> tags(lake.name + "/t"), tables.open(lake.name + "/t", 0).rows
    ({}, 1)
    >>> lake.cleanup()
    """
    root = reading.check_path(path)
    reading.check_version(root, None)  # says that there is no table
    with locking.alone(root):
        if name not in tags(root):
            raise VersionNotFoundError(_unknown(root, name))
        (root / FOLDER / f"{name}.json").unlink()


def tags(path: _Path) -> dict[str, int]:
    """Return the tags of a table and the versions they name.

    Raises
    ------
    TableChangedError
        If a tag's file is damaged.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/t", pa.table({"a": [1]}))
    >>> _ = tables.tag(lake.name + "/t", "paper")
    >>> tags(lake.name + "/t")
    {'paper': 0}
    >>> lake.cleanup()
    """
    root = reading.check_path(path)
    found = {}
    for file in sorted((root / FOLDER).glob("*.json")):
        with contextlib.suppress(FileNotFoundError):  # untagged at this moment
            found[file.stem] = _read(file)
    return found


def resolve(root: Path, version: int | str | None) -> int | None:
    """Return the number of a version given as number, digits or tag; None stays the latest.

    Raises
    ------
    VersionNotFoundError
    """
    if version is None:
        return None
    if isinstance(version, str):
        if version.isascii() and version.isdigit():
            return int(version)
        reading.check_version(root)  # no table is the better answer than no tag
        try:
            return tags(root)[version]
        except KeyError:
            raise VersionNotFoundError(_unknown(root, version)) from None
    try:
        if isinstance(version, bool):
            raise TypeError
        return version.__index__()
    except (AttributeError, TypeError):
        msg = f"{root}: version {version!r} is neither a number nor a tag"
        raise VersionNotFoundError(msg) from None


def vacuum(
    path: _Path,
    *,
    keep: Iterable[int | str] = (),
    retention_hours: float = 168.0,
    dry_run: bool = False,
) -> list[str]:
    """Remove files that no kept version uses, also what killed writers left; return their names.

    Kept are the latest version, every tagged one, those in ``keep``, and every version from which
    a tagged version in the same lake was made, at however many steps. A version that is not kept
    cannot be opened afterwards. Files younger than ``retention_hours`` stay in any case,
    because a writer may be about to commit them.

    Raises
    ------
    VersionNotFoundError
        If a version to keep does not exist; nothing is removed.
    TableChangedError
        If a tag or the log is damaged, here or in a table beside it; nothing is removed.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> for n in range(3):
    ...     _ = tables.write(lake.name + "/t", pa.table({"a": [n]}))
    >>> _ = tables.tag(lake.name + "/t", "first", 0)
    >>> len(tables.vacuum(lake.name + "/t", retention_hours=0))  # version 1
    1
    >>> tables.open(lake.name + "/t", "first").arrow()["a"].to_pylist()
    [0]
    >>> lake.cleanup()
    """
    root = reading.check_path(path)
    if not retention_hours >= 0:
        msg = f"retention_hours {retention_hours!r} must be 0 or more"
        raise TableError(msg)
    with locking.alone(root):  # what no version needs now is not to be restored or tagged meanwhile
        unused = _unused(root, keep, time.time() - retention_hours * 3600.0)
        if not dry_run:
            for file in unused:
                file.unlink(missing_ok=True)
    return sorted(file.name for file in unused)


def _unused(root: Path, keep: Iterable[int | str], newest: float) -> list[Path]:
    kept = {None, *tags(root).values(), *(resolve(root, version) for version in keep)}
    used = {f.name for version in kept for f in reading.snapshot(root, version).files}
    for version in _ancestors(root) - kept:  # of one that was vacuumed before, nothing is left
        used |= {f.name for f in reading.snapshot(root, version).files}
    candidates = [*root.glob("part-*.parquet"), *root.glob(".part-*.part")]
    return [f for f in candidates if f.name not in used and is_older(f, newest)]


def is_older(file: Path, moment: float) -> bool:
    """Return whether a file, itself where it is a link, was last written by a moment."""
    try:
        return file.lstat().st_mtime <= moment
    except FileNotFoundError:  # its writer finished it, or removed it
        return False


def _ancestors(root: Path) -> set[int]:
    """Return the versions of a table from which tagged versions in its lake were made."""
    names = [p.name for p in root.parent.iterdir() if p.is_dir() and reading.exists(p)]
    lake = {name: root.parent / name for name in names}
    waiting = [(name, version) for name in lake for version in tags(lake[name]).values()]
    seen: set[tuple[str, int]] = set()
    while waiting:
        made = waiting.pop()
        if made not in seen:
            seen.add(made)
            waiting += [pair for pair in _inputs(lake[made[0]], made[1]) if pair[0] in lake]
    last = reading.last_version(root)  # a note may say anything
    return {version for name, version in seen if name == root.name and version <= last}


def _inputs(folder: Path, version: int) -> list[tuple[str, int]]:
    """Return the tables and versions that a commit names as its inputs."""
    if not 0 <= version <= reading.last_version(folder):
        return []
    note = reading.commit_at(folder, version)[reading.KEY].get("note", {})
    inputs = note.get("inputs") if isinstance(note, dict) else None
    found = inputs.values() if isinstance(inputs, dict) else []
    return [
        (str(one["table"]), int(one["version"]))
        for one in found
        if isinstance(one, dict) and "table" in one and str(one.get("version", "")).isdigit()
    ]


def text(name: str, version: int) -> str:
    """Return what a tag's file says: the version, and a sum that a flipped bit breaks."""
    check = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
    return json.dumps({"version": version, "check": check}) + "\n"


def _read(file: Path) -> int:
    try:
        found = file.read_text(encoding="utf-8")
        version = int(json.loads(found)["version"])
    except (ValueError, KeyError, TypeError):
        version, found = -1, ""
    if found != text(file.stem, version):
        msg = f"{file}: the tag is damaged; remove the file and tag the version again"
        raise TableChangedError(msg)
    return version


def _unknown(root: Path, name: str) -> str:
    listed = ", ".join(tags(root)) or "none yet"
    return f"{root}: there is no tag {name!r}; the tags are {listed}"
