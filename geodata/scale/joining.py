"""Join shards: one verified version of a table, or nothing and what is missing."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geodata import files, hashing, tables
from geodata.hashing import Sums
from geodata.scale.dealing import ShardError
from geodata.scale.manifests import Manifest, numbers, read_all

_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class JoinedShards:
    """Shards that are whole, and the version that they became.

    Attributes
    ----------
    shards, rows : int
    version : int, optional
        Of the table; None where only the shards were checked.
    content_hash : str, optional
        Of that version, computed again from its rows.
    resumed : bool
        Whether the table held these shards already.
    """

    shards: int
    rows: int
    version: int | None = None
    content_hash: str | None = None
    resumed: bool = False


def join_shards(folder: _Path, table: _Path | None = None) -> JoinedShards:
    """Check the shards in a folder and make one version of a table of them, all or nothing.

    Joining twice makes one version: the second time finds it.

    Parameters
    ----------
    folder : path
        Where `label_shard` or `records_shard` wrote.
    table : path, optional
        The table; made if it is not there. Without one the shards are only checked.

    Raises
    ------
    ShardError
        If shards are missing, damaged, of different jobs, or do not add up; or the table holds
        rows that did not come from shards. The table is then as it was.
    TableError
        If the version cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from geodata.scale import label_shard
    >>> lake = tempfile.TemporaryDirectory()
    >>> rows = {"id": ["a", "b", "c"], "lat": [48.9, 35.7, 0.0], "lon": [2.3, 139.7, 0.0]}
    >>> for i in (1, 2):
    ...     _ = label_shard(rows, lake.name + "/shards", f"{i}/2")
    >>> join_shards(lake.name + "/shards", lake.name + "/labelled").rows
    3
    >>> lake.cleanup()
    """
    place = Path(folder)
    found = _whole(place)
    rows = sum(one.rows for one in found)
    if table is None:
        return JoinedShards(len(found), rows)
    tables.refuse_address(table)  # its version is read again, which a bucket has no call for
    paths = [place / name for one in found for name in one.files]
    if not paths or any(path.suffix != ".parquet" for path in paths):
        msg = f"{place}: only Parquet shards become a table; leave the table out to check others"
        raise ShardError(msg)
    made = {
        "shards": len(found),
        "about": dict(found[0].about),
        "content": list(hashing.combine(Sums(*one.more["content"]) for one in found)),
    }
    version = there = _there(table, made)
    if version is None:
        version, there = _written(table, paths, made)
    return _verified(
        table, version, made, JoinedShards(len(found), rows, resumed=there is not None)
    )


def _written(table: _Path, paths: Sequence[Path], made: dict[str, Any]) -> tuple[int, int | None]:
    """Write the version; return it twice if another process made it of the same shards first."""
    others: list[int] = []
    with contextlib.ExitStack() as held:

        def rows() -> Iterator[pa.Table]:
            yield from _rows(paths)
            held.enter_context(tables.alone(Path(table)))  # until it is committed
            if (number := _there(table, made)) is not None:
                others.append(number)
                msg = f"{table} was joined from these shards meanwhile"
                raise ShardError(msg)

        try:
            return tables.write(table, rows(), made, schema=_schema(paths)), None
        except ShardError:
            if not others:
                raise
            return others[0], others[0]


def _verified(
    table: _Path, version: int, made: dict[str, Any], joined: JoinedShards
) -> JoinedShards:
    """Compute the content of the version from its rows, and compare it with the shards."""
    report = tables.verify(table, version)
    report.raise_for_problems()
    opened = tables.open(table, version)
    expected = hashing.digest(Sums(*made["content"]), opened.schema)
    if report.content_hash != expected:
        msg = (
            f"{table}@{report.version} has content hash {str(report.content_hash)[:12]}, its "
            f"shards {expected[:12]}; a shard changed while it was read: join them again"
        )
        raise ShardError(msg)
    return dataclasses.replace(joined, version=version, content_hash=expected)


def _there(table: _Path, made: dict[str, Any]) -> int | None:
    """Return the latest version if it came from these shards; refuse rows of other making."""
    path = Path(table)
    if path.name not in (tables.names(path.parent) if path.parent.is_dir() else ()):
        return None
    opened = tables.open(path)
    note = opened.note
    if "shards" not in note:
        msg = f"{path} was not made from shards; choose another name to keep it"
        raise ShardError(msg)
    is_same = all(note.get(key) == value for key, value in made.items())
    return opened.version if is_same else None


def _whole(folder: Path) -> list[Manifest]:
    """Return the manifests of all shards of a job, each with its files as they were written."""
    found = read_all(folder) if folder.is_dir() else []
    if not found:
        msg = f"{folder} holds no finished shard; geodata label FILE -o {folder} --shard 1/16 makes"
        raise ShardError(f"{msg} one")
    count = found[0].shard.count
    missing = sorted(set(range(1, count + 1)) - {one.shard.number for one in found})
    if missing:
        msg = (
            f"{folder}: {len(missing)} of {count} shards are missing: {numbers(missing)}; make "
            f"them with --shard {missing[0]}/{count}, and join again"
        )
        raise ShardError(msg)
    for one in found:
        if problem := one.problem(folder):
            msg = f"{folder}: shard {one.shard}: {problem}; make it again with --shard {one.shard}"
            raise ShardError(msg)
    _add_up(found, folder)
    return found


def _add_up(found: Sequence[Manifest], folder: Path) -> None:
    rows, wanted = sum(one.rows for one in found), found[0].about.get("rows_in_all")
    if wanted is not None and rows != wanted:
        msg = (
            f"{folder}: the shards hold {rows:,} rows, their input {wanted:,}; make all of them "
            "again in an empty folder"
        )
        raise ShardError(msg)


def _schema(paths: Sequence[Path]) -> pa.Schema:
    """Return the columns of the shards; one without rows may know less of their types."""
    schemas = [pq.read_schema(path).remove_metadata() for path in paths]
    return pa.unify_schemas(schemas, promote_options="permissive")


def _rows(paths: Sequence[Path]) -> Iterator[pa.Table]:
    for path in paths:
        yield from files.open_source(path).tables()
