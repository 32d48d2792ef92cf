"""Check that a table still is what was committed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata import files, hashing
from geodata.hashing import Sums
from geodata.tables import commits, data_files, log, tagging
from geodata.tables.errors import TableChangedError, TableError
from geodata.tables.versions import TableVersion, open_version, size_problem


@dataclass(frozen=True)
class Report:
    """What `verify` found."""

    path: Path
    version: int | None
    """The version whose content was computed; None where the log could not be read."""
    rows: int
    files: int
    """Files whose SHA-256 was computed, of all versions that are kept."""
    content_hash: str | None
    """The content hash, computed from the rows of the version."""
    problems: tuple[str, ...]
    unrecorded: tuple[str, ...]
    """Files that another tool committed, without a SHA-256 to compare with."""
    unsealed: tuple[int, ...]
    """Commits without a seal: a writer was killed, or another tool made them."""
    orphans: tuple[str, ...]
    """Files that no commit names: a writer was killed, or is about to commit. Harmless."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def raise_for_problems(self) -> None:
        """Raise `TableChangedError` with the problems, if there are any."""
        if self.problems:
            msg = f"{self.path}: {len(self.problems)} problems; {'; '.join(self.problems[:5])}"
            raise TableChangedError(msg)


def verify(path: str | os.PathLike[str], version: int | str | None = None) -> Report:
    """Check the log, the tags, the SHA-256 of every file, and the content of a version.

    Parameters
    ----------
    version
        Number or tag whose content hash is computed from its rows; the latest by default. The
        files of the latest and of every tagged version are checked in any case; those of other
        versions where they are still there.

    Raises
    ------
    TableNotFoundError, VersionNotFoundError
        If there is nothing to check. What is wrong with a table is reported, not raised.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/t", pa.table({"a": [1, 2]}))
    >>> report = tables.verify(lake.name + "/t")
    >>> report.ok, report.rows, report.content_hash == tables.open(lake.name + "/t").content_hash
    (True, 2, True)
    >>> tables.open(lake.name + "/t").files[0].unlink()
    >>> tables.verify(lake.name + "/t").ok
    False
    >>> lake.cleanup()
    """
    root = log.check_path(path)
    if not log.exists(root):
        log.load(root)  # says that there is no table
    problems, unsealed = _check_log(root)
    kept, wrong = _kept(root, version)
    problems += wrong
    opened = kept[0] if kept else None
    recorded, wrong = _recorded(root)
    problems += wrong
    needed = {file.name for one in kept for file in one.files}
    found = {file.name for file in root.glob("part-*.parquet")}
    for name in sorted(needed | (found & set(recorded))):
        problem = _check_file(root, name, recorded.get(name))
        problems += [problem] if problem else []
    content, wrong = _content(opened, recorded) if opened and not problems else (None, [])
    return Report(
        path=root,
        version=opened.version if opened else None,
        rows=opened.rows if opened else 0,
        files=len(needed | (found & set(recorded))),
        content_hash=content,
        problems=tuple(problems + wrong),
        unrecorded=tuple(sorted(needed - set(recorded))),
        unsealed=tuple(unsealed),
        orphans=tuple(sorted(found - set(recorded) - needed)),
    )


def _check_log(root: Path) -> tuple[list[str], list[int]]:
    """Compare every commit with its seal."""
    problems: list[str] = []
    unsealed: list[int] = []
    entries = {e.stem: e for e in (root / log.LOG).glob("*.json") if e.stem.isdigit()}
    seals = {s.stem: s for s in (root / log.SEALS).glob("*.sha256")}
    for stem in sorted(entries):
        if stem not in seals:
            unsealed.append(int(stem))
        elif seals[stem].read_bytes() != commits.sealed_text(entries[stem]).encode():
            problems.append(f"commit {int(stem)} or its seal is not what was written")
    problems += [f"commit {int(s)} is gone" for s in sorted(set(seals) - set(entries))]
    return problems, unsealed


def _kept(root: Path, version: int | str | None) -> tuple[list[TableVersion], list[str]]:
    """Open the asked version first, then the latest and the tagged ones."""
    problems: list[str] = []
    try:
        tags = tagging.tags(root)
    except TableChangedError as error:
        tags, problems = {}, [str(error)]
    opened: list[TableVersion] = []
    wanted = [tagging.resolve(root, version) if version is not None else None]
    for number in [*wanted, None, *sorted(set(tags.values()))]:
        try:
            one = open_version(root, number, check=False)
        except TableChangedError as error:
            problems.append(str(error))
            continue
        except TableError as error:
            if number == wanted[0]:
                raise
            problems.append(str(error))
            continue
        if one.version not in [o.version for o in opened]:
            opened.append(one)
    return opened, list(dict.fromkeys(problems))


def _recorded(root: Path) -> tuple[dict[str, Any], list[str]]:
    try:
        return log.recorded(root, log.last_version(root)), []
    except (TableError, KeyError, TypeError, AttributeError) as error:
        return {}, [f"what the commits recorded cannot be read: {error}"]


def _check_file(root: Path, name: str, entry: dict[str, Any] | None) -> str:
    if entry is None:
        return "" if (root / name).is_file() else f"{name} is gone"
    problem = size_problem(root, log.Active(name, entry.get("size", -1), None))
    if problem:
        return f"{name} {problem}"
    if files.sha256(root / name) != entry.get("sha256"):
        return f"{name} does not have the SHA-256 that was committed"
    return ""


def _content(version: TableVersion, recorded: dict[str, Any]) -> tuple[str | None, list[str]]:
    """Compute the content from the rows, and compare it file by file with what was recorded."""
    total = Sums()
    problems: list[str] = []
    for file in version.files:
        sums = hashing.combine(hashing.of_table(t) for t in data_files.read(file, version.schema))
        entry = recorded.get(file.name)
        if entry is not None and list(sums) != entry["content"]:
            problems.append(f"{file.name} does not hold the rows that were committed")
        total = total.plus(sums)
    if total.rows != version.rows:
        problems.append(f"the log counts {version.rows} rows, the files hold {total.rows}")
    return hashing.digest(total, version.schema), problems
