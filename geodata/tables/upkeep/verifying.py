"""Check that a table still is what was committed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata import files, hashing
from geodata.hashing import Sums
from geodata.tables import data_files, log
from geodata.tables.errors import TableChangedError, TableError
from geodata.tables.log import address_of
from geodata.tables.upkeep import exchanging, repairing
from geodata.tables.versions import TableVersion, open_version, size_problem

_STOPPED = (
    "{} was left by a forget that was stopped, and may hold what was to be forgotten; forget again"
)

_TRIES = 3


@dataclass(frozen=True)
class Report:
    """What `verify` found."""

    path: Path | str
    """Of the table; text where it is an address."""
    version: int | None
    """The version whose content was computed; None where the log could not be read."""
    rows: int
    files: int
    """Files whose SHA-256 was computed, of all versions that are kept."""
    content_hash: str | None
    """The content hash, computed from the rows of the version."""
    problems: tuple[str, ...]
    sha256: str | None
    """One SHA-256 over those of the version's files: no other files have it. A compacted version
    has another, with the same content hash."""
    unrecorded: tuple[str, ...]
    """Files that another tool committed, without a SHA-256 to compare with."""
    unsealed: tuple[int, ...]
    """Commits without a seal: a writer was killed, or another tool made them."""
    orphans: tuple[str, ...]
    """Files that no commit names: a writer was killed, or is about to commit. Harmless; `repair`
    moves them aside."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with what can be checked."""
        return not self.problems

    @property
    def is_sealed(self) -> bool:
        """Whether everything can be checked: no commit without a seal, no file without a hash."""
        return not self.unsealed and not self.unrecorded

    def raise_for_problems(self) -> None:
        """Raise `TableChangedError` with the problems, if there are any."""
        if self.problems:
            msg = f"{self.path}: {len(self.problems)} problems; {'; '.join(self.problems[:5])}"
            raise TableChangedError(msg)


def verify(
    path: str | os.PathLike[str],
    version: int | str | None = None,
    *,
    expect: str | None = None,
) -> Report:
    """Check the log, the tags, the SHA-256 of every file, and the content of a version.

    A table is compared with what it says of itself. Only ``expect`` tells one that was replaced as
    a whole, with log and seals.

    Parameters
    ----------
    version
        Number or tag whose content hash is computed from its rows; the latest by default. The
        files of the latest and of every tagged version are checked in any case; those of other
        versions where they are still there.
    expect
        The content hash or the SHA-256 that was published with the version, 64 hex digits. The
        content hash finds mistakes; who may forge needs the SHA-256, see `Report.sha256`.

    Raises
    ------
    TableNotFoundError, VersionNotFoundError
        If there is nothing to check. What is wrong with a table is reported, not raised.
    TableError
        If ``expect`` is not a hash.

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
    if address := address_of(path):
        return _verified_bucket(address, version, _check_expected(expect))
    root = log.check_path(path)
    if not log.exists(root):
        log.check_version(root)  # says that there is no table
    expected = _check_expected(expect)
    for _ in range(_TRIES):
        before = _state(root)
        report = _report(root, version, expected)
        if report.ok or _state(root) == before:
            break  # else versions, tags or files came and went meanwhile
    return report


def _state(root: Path) -> object:
    """Return what tells that a table is another than a moment ago."""
    try:
        return root.stat().st_ino, log.last_version(root), log.tags(root)
    except TableError:
        return None


def _settled(root: Path, look: Callable[[Path], Any]) -> Any:
    """Return what a look finds; one that finds something looks again while nobody commits."""
    found = look(root)
    if any(found):
        with log.alone(root):
            return look(root)
    return found


def _report(root: Path, version: int | str | None, expected: str | None) -> Report:
    problems, unsealed = _settled(root, _check_log)
    problems += _settled(root, _check_checkpoints)[0]
    if exchanging.place_beside(root).is_dir() and not log.is_held(root.parent):
        problems.append(_STOPPED.format(exchanging.place_beside(root)))
    kept, wrong = _kept(root, version)
    problems += wrong
    opened = kept[0] if kept else None
    recorded, wrong = _recorded(root)
    problems += wrong
    needed = {file.name for one in kept for file in one.files}
    found = {file.name for file in root.glob("part-*.parquet")}
    for name in sorted(needed | (found & set(recorded))):
        problem = _check_file(root, name, recorded.get(name))
        if problem and (name in needed or (root / name).is_file()):  # else vacuumed meanwhile
            problems.append(problem)
    content, sha256, wrong = None, None, []
    if opened and not problems:
        content, sha256, wrong = _read(opened, recorded)
    if expected and expected not in (content, sha256):
        wrong.append(
            f"the content hash is {content} and the SHA-256 {sha256}, expected was {expected}: "
            "this is not what was published"
        )
    return Report(
        path=root,
        version=opened.version if opened else None,
        rows=opened.rows if opened else 0,
        files=len(needed | (found & set(recorded))),
        content_hash=content,
        problems=tuple(problems + wrong),
        sha256=sha256,
        unrecorded=tuple(sorted(needed - set(recorded))),
        unsealed=tuple(unsealed),
        orphans=tuple(
            file.relative_to(root).as_posix()
            for file in repairing.leftovers(root, set(recorded) | needed)
        ),
    )


def _check_log(root: Path) -> tuple[list[str], list[int]]:
    """Compare every commit with its seal."""
    problems: list[str] = []
    unsealed: list[int] = []
    found = {s.name.removesuffix(".sha256"): s for s in (root / log.SEALS).glob("*.sha256")}
    # behind the seals, so that a commit of this moment is there if its seal is
    entries = {e.stem: e for e in (root / log.LOG).glob("*.json") if e.stem.isdigit()}
    known = {stem: seal for stem, seal in found.items() if stem.isdigit()}
    for stem in sorted(entries):
        if stem not in known:
            unsealed.append(int(stem))
        elif known[stem].read_bytes() != log.sealed_text(entries[stem]).encode():
            problems.append(f"commit {int(stem)} or its seal is not what was written")
    problems += [f"commit {int(s)} is gone" for s in sorted(set(known) - set(entries))]
    return problems, unsealed


def _check_checkpoints(root: Path) -> tuple[list[str]]:
    """Compare every checkpoint with its seal, and what the library makes of it with the commits."""
    problems: list[str] = []
    for version, seal in sorted(log.sealed(root).items()):
        file = root / log.LOG / f"{version:020}.checkpoint.parquet"
        if not file.is_file():
            problems.append(f"checkpoint {version} is gone; remove its seal {seal.name}")
        elif seal.read_bytes() != log.sealed_text(file).encode():
            problems.append(
                f"checkpoint {version} or its seal is not what was written; remove both, the "
                f"commits are enough: {file.name}, {seal.name}"
            )
    hint, seal = root / log.LOG / log.HINT, root / log.SEALS / f"{log.HINT}.sha256"
    is_known = seal.is_file() and hint.is_file()
    if is_known and seal.read_bytes() != log.sealed_text(hint).encode():
        problems.append(f"{hint.name} or its seal is not what was written; remove both")
    if problems or not any((root / log.LOG).glob("*.checkpoint*")):
        return (problems,)
    try:
        found = (log.by_library(root), log.snapshot(root))
        if any([f[:2] for f in one.files] != _by_commits(root, one.version) for one in found):
            told = "a checkpoint names other files than the commits; remove the checkpoints"
            problems.append(told)
    except TableError as error:
        return ([str(error)],)
    return (problems,)


def _by_commits(root: Path, version: int) -> list[tuple[Any, ...]]:
    return [f[:2] for f in log.active_of(root, log.replay(root / log.LOG, version))]


def _verified_bucket(address: str, version: int | str | None, expected: str | None) -> Report:
    """Check the files of one version in a bucket, and its content."""
    from geodata.tables.buckets import open_bucket, problems_of

    opened = open_bucket(address if version is None else f"{address}@{version}")
    sums, problems = problems_of(opened)
    found = hashing.digest(sums, opened.schema)
    if expected not in (None, found):
        problems.append(f"the content hash is {found}, expected was {expected}")
    recorded = opened.recorded()
    unrecorded = tuple(f.name for f in opened.files if f.name not in recorded)
    return Report(
        path=address, version=opened.version, rows=opened.rows, files=len(opened.files),
        content_hash=found, problems=tuple(problems), sha256=None, unrecorded=unrecorded,
        unsealed=(), orphans=(),
    )  # fmt: skip


def _check_expected(expect: str | None) -> str | None:
    if expect is None:
        return None
    text = expect.strip().lower()
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        msg = f"expected {expect!r} is not a hash; give the 64 hex digits that verify prints"
        raise TableError(msg)
    return text


def _sha256(version: TableVersion) -> str:
    """Return one SHA-256 over those of the files, each with its name and its columns."""
    lines = [f"{file.name} {files.sha256(file)}" for file in version.files]
    columns = [f"{field.name}: {hashing.type_text(field.type)}" for field in version.schema]
    return hashlib.sha256("\n".join([*lines, *columns]).encode()).hexdigest()


def _kept(root: Path, version: int | str | None) -> tuple[list[TableVersion], list[str]]:
    """Open the asked version first, then the latest and the tagged ones."""
    problems: list[str] = []
    try:
        tags = log.tags(root)
    except TableChangedError as error:
        tags, problems = {}, [str(error)]
    opened: list[TableVersion] = []
    wanted = [log.resolve(root, version) if version is not None else None]
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
    except TableError as error:
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


def _read(
    version: TableVersion, recorded: dict[str, Any]
) -> tuple[str | None, str | None, list[str]]:
    """Return the content hash, the SHA-256 and what is wrong with the rows."""
    try:
        content, wrong = _content(version, recorded)
        return content, _sha256(version), wrong
    except FileNotFoundError as error:  # looked at a moment ago
        return None, None, [f"{Path(str(error.filename)).name} is gone"]


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
    said = log.total(version.path, version.version)
    if said is not None and said != total:
        problems.append("the version does not hold the rows that its commit counted")
    if total.rows != version.rows:
        problems.append(f"the log counts {version.rows} rows, the files hold {total.rows}")
    return hashing.digest(total, version.schema), problems
