"""Forget photos: their rows go from every version of every table that is kept.

Versions, tags and names stay; what changes are the files that held the rows, and all that the log
tells of them: sizes, hashes, ranges of values, contents, and the names of inputs in the notes of
datasets that were made from them. A table is written again beside itself and then exchanged in
one step.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from geodata import files
from geodata.tables import lakes, log, versions
from geodata.tables.errors import TableError
from geodata.tables.upkeep import rewriting
from geodata.tables.upkeep.rewriting import Task
from geodata.tables.versions import open_version

_BESIDE = 8
"""Bytes of a file around an id that tell whether it is a word."""


@dataclass(frozen=True)
class Forgotten:
    """What `forget` removed, and what it could not reach."""

    rows: Mapping[str, int]
    """Rows that were removed from files, by table; a row of two files of a table counts twice."""
    missing: tuple[str, ...]
    """Ids that no table had."""
    inputs: tuple[str, ...]
    """Copies of files in the lake that held an id and were removed; a replay needs the file."""
    holding: tuple[str, ...]
    """Files of the lake in which an id still stands, relative to it."""
    elsewhere: tuple[str, ...]
    """What lies outside the lake and was not searched: files that tables were made from."""


def forget(
    path: str | os.PathLike[str],
    ids: Iterable[str],
    *,
    column: str | None = None,
) -> Forgotten:
    """Remove the rows of photos from every version that is kept; `verify` passes afterwards.

    Stop other writers first: one that commits meanwhile makes it fail, with that table unchanged.
    A kill leaves each table as it was or done; call it again to finish. Versions keep their
    numbers and tags, and get other content hashes; datasets that were made from them can be
    opened, and a replay of them gives other rows where it draws at random.

    Parameters
    ----------
    path
        A lake, whose tables are all searched, or one table.
    ids
        Photo ids, exactly as they stand in the column.
    column
        Of the id; found by its usual names, such as ``photo_id``, if None.

    Raises
    ------
    TableNotFoundError
        If there is no table.
    TableChangedError
        If a table is not what was committed; it stays as it is.
    TableConflictError
        If somebody committed meanwhile.
    TableError
        If no id is given, or the file system cannot exchange folders.
    StorageFullError
        If there is no room.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/photos", pa.table({"photo_id": ["alice-1", "bob-1"]}))
    >>> tables.forget(lake.name, ["alice-1"]).rows
    {'photos': 1}
    >>> tables.open(lake.name + "/photos", 0).arrow()["photo_id"].to_pylist()
    ['bob-1']
    >>> tables.verify(lake.name + "/photos").ok
    True
    >>> lake.cleanup()
    """
    log.refuse_address(path)
    wanted = _checked(ids)
    given = Path(path).resolve()
    is_table = log.exists(given)
    lake = given.parent if is_table else given
    tables = [given.name] if is_table else versions.names(lake)
    if not tables:
        log.check_version(given)  # says that there is no table
    found: set[str] = set()
    rows: dict[str, int] = {}
    for name in tables:
        changed = rewriting.rewrite(log.check_path(lake / name), Task(wanted, column))
        found |= changed.found
        if changed.files:
            rows[name] = changed.rows
    for name in versions.names(lake):  # what their notes name as inputs has another content now
        rewriting.rewrite(log.check_path(lake / name), Task(reference=_Inputs(lake).now))
    removed = [] if is_table else sorted(_remove_inputs(lake, wanted))
    return Forgotten(
        rows,
        tuple(one for one in wanted if one not in found),
        tuple(removed),
        tuple(sorted(_holding(lake, wanted))),
        tuple(_elsewhere(lake, tables)),
    )


def _checked(ids: Iterable[str]) -> tuple[str, ...]:
    wanted = [ids] if isinstance(ids, str) else list(ids)
    if not wanted or not all(isinstance(one, str) and one for one in wanted):
        msg = f"ids {wanted[:3]!r}: expected texts, at least one, none of them empty"
        raise TableError(msg)
    return tuple(dict.fromkeys(wanted))


@dataclass(frozen=True)
class _Inputs:
    """How notes name inputs of a lake now."""

    lake: Path

    def now(self, reference: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a reference with the content of the version, if rows of it were forgotten."""
        name, version = reference.get("table"), reference.get("version")
        if not isinstance(name, str) or not isinstance(version, int):
            return reference
        root = self.lake / name
        if Path(name).name != name or not log.exists(root):
            return reference
        if not 0 <= version <= log.last_version(root):
            return reference
        if "forgotten" not in log.commit_at(root, version)[log.KEY]:
            return reference
        return {**reference, **open_version(root, version, check=False).reference()}


def _remove_inputs(lake: Path, ids: Sequence[str]) -> Iterator[str]:
    """Remove copies of files that hold an id; yield their names."""
    folder = lake / lakes.FOLDER
    for file in folder.glob("*"):
        if file.is_file() and _holds(file, ids):
            file.unlink()
            yield f"{lakes.FOLDER}/{file.name}"


def _holding(lake: Path, ids: Sequence[str]) -> Iterator[str]:
    """Yield the files of a lake in which an id still stands."""
    for folder, below, names in os.walk(lake):
        if Path(folder) == lake and lakes.PRIVATE in below:
            below.remove(lakes.PRIVATE)
        for name in names:
            file = Path(folder) / name
            if file.is_file() and _holds(file, ids):
                yield file.relative_to(lake).as_posix()


def _holds(file: Path, ids: Sequence[str]) -> bool:
    """Return whether an id stands in a file, alone in a cell or as a word of its bytes."""
    long = [one for one in ids if len(one) >= rewriting.LONG]
    is_table = files.is_table_file(file.name) and not file.name.endswith(".json")
    if is_table:
        try:
            if _in_cells(file, ids, long):
                return True
        except (ValueError, pa.ArrowException, OSError):
            is_table = False
    words = [one.encode() for one in (long if is_table else ids)]
    pattern = re.compile(rb"(?<!\w)(?:" + b"|".join(map(re.escape, words)) + rb")(?!\w)")
    beyond = max(map(len, words), default=0) + _BESIDE
    return bool(words) and any(pattern.search(block) for block in _blocks(file, beyond))


def _in_cells(file: Path, ids: Sequence[str], long: Sequence[str]) -> bool:
    opened = files.open_source(file)
    known = pa.array(list(ids), pa.string())
    words = r"(?:^|\W)(?:" + "|".join(map(re.escape, long)) + r")(?:$|\W)"
    for rows in opened.tables(None):
        for texts in _texts_of(rows):
            if pc.any(pc.is_in(pc.utf8_trim_whitespace(texts), known)).as_py():
                return True
            if long and pc.any(pc.match_substring_regex(texts, words)).as_py():
                return True
    return False


def _texts_of(rows: pa.Table) -> Iterator[pa.Array]:
    """Yield the texts of all columns, and ids that are numbers as texts."""
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if pa.types.is_integer(column.type) and files.squeeze(name) in files.ID_NAMES:
            column = files.id_text(column)
        for chunk in column.chunks:
            yield from _texts(chunk)


def _texts(values: pa.Array) -> Iterator[pa.Array]:
    """Yield the texts of a column, those in its lists and records too."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        yield from _texts(values.dictionary)
    elif pa.types.is_map(kind):
        yield from _texts(values.keys)
        yield from _texts(values.items)
    elif pa.types.is_struct(kind):
        for child in values.flatten():
            yield from _texts(child)
    elif (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    ):
        yield from _texts(values.flatten())
    elif (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    ):
        yield values.cast(pa.string())


def _blocks(file: Path, beyond: int) -> Iterator[bytes]:
    """Yield the bytes of a file, each block with so many of the one before."""
    last = b""
    with file.open("rb") as opened:
        while block := opened.read(1 << 22):
            yield last + block
            last = block[-beyond:]


def _elsewhere(lake: Path, tables: Sequence[str]) -> Iterator[str]:
    """Yield what the tables were made from that lies outside the lake."""
    told: dict[str, None] = {}
    for name in tables:
        for commit in versions.history(lake / name):
            source, inputs = commit.note.get("source"), commit.note.get("inputs")
            if isinstance(source, dict) and source.get("name"):
                told[f"{source['name']}, imported into {name}"] = None
            for one in inputs.values() if isinstance(inputs, dict) else []:
                if isinstance(one, dict) and one.get("file"):
                    told[f"{one['file']}, an input of {name}"] = None
    yield from told
