"""A table written again beside itself without some rows, every version that is kept.

Version numbers, tags and names of files stay. Files that hold a row are written without it; the
log gets their new sizes, hashes and statistics, and every version its new content.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata import files, hashing
from geodata.hashing import Sums
from geodata.tables import commits, data_files, log
from geodata.tables.data_files import DataFile
from geodata.tables.errors import TableChangedError, TableConflictError, storage
from geodata.tables.upkeep.exchanging import make_beside, remove_beside, take_place

LONG = 5
"""Characters of an id that is also looked for inside longer texts; ``1`` would be everywhere."""


@dataclass
class Rewritten:
    """What of a table changes."""

    files: dict[str, DataFile] = field(default_factory=dict)
    """The new file by name."""
    before: dict[str, Sums] = field(default_factory=dict)
    """What the file held."""
    found: set[str] = field(default_factory=set)
    """Ids that were there."""
    left_out: set[str] = field(default_factory=set)
    """Files of stopped writers that may hold one."""

    @property
    def rows(self) -> int:
        """How many rows go, of all files."""
        return sum(self.before[name].rows - new.sums.rows for name, new in self.files.items())


@dataclass(frozen=True)
class Task:
    """What is to go, and what notes are to say."""

    ids: tuple[str, ...] = ()
    column: str | None = None
    """Of the id; by its usual names if None."""
    reference: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    """Given how a note names an input, how it names it now."""


def rewrite(root: Path, task: Task) -> Rewritten:
    """Write a table without the rows of some photos and put it in the table's place.

    Nothing is written where nothing changes.

    Raises
    ------
    TableChangedError
        If the table is not what was committed: a rewrite would seal the damage.
    TableConflictError
        If somebody committed meanwhile, or forgets in the same lake.
    """
    with log.alone(root.parent):  # there is one place beside
        version = log.check_version(root)
        try:
            beside = make_beside(root)
            with storage(root, "writing it again"):
                changed, is_new = _make(root, beside, version, task)
            if is_new:
                with log.alone(root):
                    if log.last_version(root) == version:  # else a version may name them by now
                        for name in changed.left_out:
                            (root / name).unlink(missing_ok=True)
                    take_place(root, version)
            return changed
        except FileNotFoundError as error:
            msg = f"{root}: {error.filename} was removed meanwhile, by vacuum or repair; try again"
            raise TableConflictError(msg) from error
        finally:
            remove_beside(root)


def _make(root: Path, beside: Path, version: int, task: Task) -> tuple[Rewritten, bool]:
    """Make the folder that takes the table's place; return also whether it is another."""
    changed = Rewritten()
    names = _named(root, version)
    for name in names if task.ids else []:
        if (root / name).is_file() and holds(root / name, task):
            _rewrite_file(root, beside, name, task, changed)
    changed.left_out = {f.name for f in _leftovers(root, names) if task.ids and holds(f, task)}
    lines = list(_lines(root, version, changed, task))
    if not changed.files and not changed.left_out and all(new == old for new, old in lines):
        return changed, False
    _complete(root, beside, changed.left_out | set(changed.files))
    for number, (new, _) in enumerate(lines):
        files.write_text(beside / log.LOG / f"{number:020}.json", new)
    if changed.files:
        _add_commit(beside, version, changed)
    log.seal(beside, log.last_version(beside))
    if any((root / log.LOG).glob("*.checkpoint*")):
        log.checkpoint(beside)
    return changed, True


def holds(file: Path, task: Task) -> bool:
    """Return whether a Parquet file has a row of a photo; one that cannot be read may have."""
    try:
        return any(_mask(t, task)[0] is not None for t in _tables(file, task.column))
    except (pa.ArrowException, OSError):
        return True


def id_column(names: Sequence[str], column: str | None) -> str | None:
    """Return the column of the id: the one that is given, or one of the usual names."""
    if column is not None:
        return column if column in names else None
    return files.find_named(list(names), files.ID_NAMES, "id", "table")


def _named(root: Path, version: int) -> set[str]:
    """Return every file that a commit ever added, each checked to be the table's own."""
    names: set[str] = set()
    for number in range(version + 1):
        for action in _actions(root, number):
            if "add" in action:
                names.add(str(action["add"]["path"]))
    folder = root.resolve()
    for name in names:
        log.check_own(folder, name)
    return names


def _actions(root: Path, number: int) -> list[dict[str, Any]]:
    file = root / log.LOG / f"{number:020}.json"
    seal = root / log.SEALS / f"{file.stem}.sha256"
    try:
        if seal.is_file() and seal.read_text() != log.sealed_text(file):
            msg = f"{root}: commit {number} or its seal is not what was written; see verify"
            raise TableChangedError(msg)
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        if isinstance(error, TableChangedError):
            raise
        msg = f"{file}: the commit cannot be read ({log.first_line(error)}); see verify"
        raise TableChangedError(msg) from error


def _tables(file: Path, column: str | None) -> Iterator[pa.Table]:
    """Yield the column of the id."""
    name = id_column(pq.read_schema(file).names, column)
    if name is not None:
        yield from files.parquet_rows(file, [name])


def _mask(rows: pa.Table, task: Task) -> tuple[Any, set[str]]:
    """Return which rows are a photo's and which ids they have; None where no row is."""
    name = id_column(rows.column_names, task.column)
    if name is None:
        return None, set()
    texts = files.id_text(rows[name])
    mask = pc.fill_null(pc.is_in(texts, pa.array(task.ids, pa.string())), False)
    if not pc.any(mask).as_py():
        return None, set()
    return mask, set(pc.filter(texts, mask).to_pylist())


def _rewrite_file(root: Path, beside: Path, name: str, task: Task, changed: Rewritten) -> None:
    old: list[Sums] = []
    schema = pq.read_schema(root / name)

    def kept() -> Iterator[pa.Table]:
        yielded = False
        for rows in data_files.read(root / name, schema):
            old.append(hashing.of_table(rows))
            mask, found = _mask(rows, task)
            changed.found |= found
            rest = rows if mask is None else rows.filter(pc.invert(mask))
            if rest.num_rows:
                yielded = True
                yield rest
        if not yielded:
            yield schema.empty_table()

    changed.files[name] = data_files.write_one(beside / name, kept(), schema)
    changed.before[name] = hashing.combine(old)


def _lines(root: Path, version: int, changed: Rewritten, task: Task) -> Iterator[tuple[str, str]]:
    """Yield the text of every commit, as it is to be and as it is."""
    alive: set[str] = set()
    for number in range(version + 1):
        actions = _actions(root, number)
        for action in actions:
            for kind in ("add", "remove"):
                if kind in action:
                    _change_file(root, action[kind], changed, task)
            if "add" in action:
                alive.add(action["add"]["path"])
            if "remove" in action:
                alive.discard(action["remove"]["path"])
        for action in actions:
            info = action.get("commitInfo", {})
            if isinstance(info.get(log.KEY), str):
                info[log.KEY] = _payload(info[log.KEY], alive, changed, task)
        old = (root / log.LOG / f"{number:020}.json").read_text(encoding="utf-8")
        new = "".join(json.dumps(a, ensure_ascii=False) + "\n" for a in actions)
        is_same = actions == [json.loads(line) for line in old.splitlines()]
        yield (old if is_same else new), old


def _change_file(root: Path, action: dict[str, Any], changed: Rewritten, task: Task) -> None:
    new = changed.files.get(action["path"])
    if new is not None:
        action |= {"size": new.size} if "size" in action else {}
        action |= {"stats": new.stats} if action.get("stats") else {}
    elif task.ids and action.get("stats") and not (root / action["path"]).is_file():
        # what a vacuumed file held is told by nothing but these ranges
        rows = json.loads(action["stats"]).get("numRecords")
        action["stats"] = json.dumps({"numRecords": rows})


def _payload(text: str, alive: set[str], changed: Rewritten, task: Task) -> str:
    """Return our part of a commit after its version changed."""
    try:
        payload = json.loads(text)
    except ValueError:
        return str(_scrubbed(text, task.ids))
    if not isinstance(payload, dict):
        return text
    before = json.dumps(payload)
    recorded = payload.get("files")
    if isinstance(recorded, dict):
        recorded |= {k: new.entry() for k, new in changed.files.items() if k in recorded}
    _count(payload, [name for name in changed.files if name in alive], changed)
    note = payload.get("note")
    if isinstance(note, dict):
        inputs = note.get("inputs")
        if isinstance(inputs, dict):
            named = {k: task.reference(v) if isinstance(v, dict) else v for k, v in inputs.items()}
            note = {**note, "inputs": named}
        payload["note"] = _scrubbed(note, task.ids)
    return text if json.dumps(payload) == before else json.dumps(payload, ensure_ascii=False)


def _count(payload: dict[str, Any], gone: Sequence[str], changed: Rewritten) -> None:
    """Count the content of the version anew, and how many rows it lost."""
    if not gone:
        return
    total = Sums.read(payload.get("total"))
    if total is not None:
        for name in gone:
            total = total.minus(changed.before[name]).plus(changed.files[name].sums)
        payload["total"] = list(total)
    rows = sum(changed.before[n].rows - changed.files[n].sums.rows for n in gone)
    payload["forgotten"] = payload.get("forgotten", 0) + rows


def _scrubbed(value: Any, ids: Sequence[str]) -> Any:
    """Return a note in which no text is an id, or has one of some length in it as a word."""
    if isinstance(value, dict):
        return {_scrubbed(k, ids): _scrubbed(v, ids) for k, v in value.items()}
    if isinstance(value, list):
        return [_scrubbed(v, ids) for v in value]
    if not isinstance(value, str):
        return value
    if value in ids:
        return "(forgotten)"
    for one in ids:
        if len(one) >= LONG and one in value:
            value = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", "(forgotten)", value)
    return value


def _leftovers(root: Path, names: set[str]) -> list[Path]:
    """Return files of writers that were stopped."""
    found = [*root.glob("part-*.parquet"), *root.glob(".part-*.part")]
    return [f for f in found if f.name not in names]


def _complete(root: Path, beside: Path, without: set[str]) -> None:
    """Put all else of the table beside: links to the same files, copies of its folders."""
    for entry in root.iterdir():
        target = beside / entry.name
        if entry.name in (log.LOG, log.SEALS, log.FOLDER) or entry.name in without:
            continue
        if entry.is_symlink():
            target.symlink_to(entry.readlink())
        elif entry.is_dir():
            shutil.copytree(entry, target, symlinks=True)
        else:
            _link(entry, target)
    shutil.copystat(root, beside)
    (beside / log.LOG).mkdir()


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except FileNotFoundError:  # what no version needs may have been vacuumed
        return
    except OSError:  # a file system without links
        shutil.copy2(file, target)


def _add_commit(beside: Path, version: int, changed: Rewritten) -> None:
    """Tell in the history that rows were forgotten, not which."""
    ours = log.commit_at(beside, version)[log.KEY]
    told = {"photos": len(changed.found), "rows": changed.rows}
    payload = commits.Payload(uuid.uuid4().hex, "forget", {**ours.get("note", {}), "forgot": told})
    total = log.total(beside, version)
    info = {
        "timestamp": data_files.now_ms(),
        "operation": "FORGET",
        log.KEY: payload.text(total),
    }
    line = json.dumps({"commitInfo": info}, ensure_ascii=False) + "\n"
    files.write_text(beside / log.LOG / f"{version + 1:020}.json", line)
