"""Many processes at one table: nothing is lost, nothing half there, and no false alarm."""

import collections
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from geodata import hashing, tables
from geodata.tables import (
    TableChangedError,
    TableConflictError,
    commits,
    data_files,
    log,
    upkeep,
)
from geodata.tables.commits import attempts
from geodata.tables.log import checkpoints, locking, own_files, tagging
from geodata.tables.upkeep import compacting, exchanging, forgetting, rewriting, verifying
from geodata.tables.versions import version
from tests.tables.stress import ROWS, chunk

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lake" / "photos"


def numbers(n, start=0):
    return pa.table({"photo_id": [f"p{start + i}" for i in range(n)]})


# all verbs at once


def at_once(path, roles, seconds, hours):
    """Run a process for each role; return what they said by kind."""
    tables.append(path, chunk(0))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.tables.stress", role, str(path), str(i), str(seconds),
             str(hours)],
            env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for i, role in enumerate(roles, 1)
    ]  # fmt: skip
    said = collections.defaultdict(list)
    for worker in workers:
        for line in worker.communicate()[0].splitlines():
            for kind, what in json.loads(line).items():
                said[kind].append(what)
        assert worker.returncode == 0
    assert sorted(said["did"]) == sorted(roles)
    return said


def check_all(path):
    """Check the table, its tags, and the content of every version that can be opened."""
    report = tables.verify(path)
    assert report.problems == ()
    for name in tables.tags(path):
        assert tables.open(path, name).arrow().num_rows == tables.open(path, name).rows
    opened = 0
    for number in range(tables.open(path).version + 1):
        try:
            version = tables.open(path, number)
        except TableChangedError:  # vacuumed
            continue
        opened += 1
        kept = tables.kept_schema(version.schema)
        sums = hashing.of_table(tables.fitted(version.arrow(), kept))
        assert hashing.digest(sums, kept) == version.content_hash
    assert opened


def test_writers_upkeep_and_readers_at_once(path, figure):
    """What was committed is there once, whatever tidies up meanwhile."""
    seconds = figure("seconds of writers and upkeep", ci=5, full=60)
    roles = ["append", "append", "compact", "tag", "untag", "vacuum", "checkpoint", "read",
             "verify", "history"]  # fmt: skip
    said = at_once(path, roles, seconds, 2 / 3600)
    assert said["wrong"] == []
    assert len(said["committed"]) > 1
    there = collections.Counter(tables.open(path).arrow(["chunk"])["chunk"].to_pylist())
    assert there == dict.fromkeys([0, *said["committed"]], ROWS)
    check_all(path)


@pytest.mark.slow
def test_every_verb_at_once(path, figure):
    """Rows go, too: nothing is damaged, and nobody is told a thing that is not so."""
    seconds = figure("seconds of every verb", ci=15, full=120)
    roles = ["append", "append", "compact", "restore", "forget", "tag", "untag", "vacuum", "repair",
             "checkpoint", "read", "verify", "history"]  # fmt: skip
    said = at_once(path, roles, seconds, 0)
    assert said["wrong"] == []
    check_all(path)


# one moment each


def between(monkeypatch, module, name, what, *faces):
    """Let something else happen once, just before a function of a module is called.

    ``faces`` are those through which it is called, too.
    """
    original, left = getattr(module, name), [what]

    def called(*args, **options):
        if left:
            left.pop()()
        return original(*args, **options)

    for there in (module, *faces):
        monkeypatch.setattr(there, name, called)


@pytest.mark.parametrize("does", ["append", "write", "compact"])
def test_files_that_were_taken_before_the_commit_are_not_committed(path, monkeypatch, does):
    for n in range(3):
        tables.append(path, numbers(2, n))
    before = tables.open(path).version
    between(
        monkeypatch, attempts, "committing", lambda: tables.vacuum(path, retention_hours=0), commits
    )
    call = {"compact": lambda: tables.compact(path)}.get(
        does, lambda: getattr(tables, does)(path, numbers(1, 9))
    )
    with pytest.raises(TableConflictError, match=r"(?s)about to be committed, was removed.*again"):
        call()
    assert tables.open(path).version == before
    assert tables.open(path).arrow().num_rows == 6
    assert tables.verify(path).ok


def test_a_file_that_was_taken_while_it_was_written(path, monkeypatch):
    tables.append(path, numbers(2))

    def rows():
        yield numbers(data_files.ROW_GROUP)
        assert list(path.glob(".part-*"))
        for file in path.glob(".part-*"):
            file.unlink()

    with pytest.raises(TableConflictError, match="was being written was removed"):
        tables.append(path, rows(), schema=numbers(1).schema)
    assert (tables.open(path).version, tables.verify(path).orphans) == (0, ())


def test_a_version_that_was_vacuumed_meanwhile_is_not_restored(path, monkeypatch):
    for n in range(3):
        tables.write(path, numbers(2, n))
    between(
        monkeypatch, attempts, "committing", lambda: tables.vacuum(path, retention_hours=0), commits
    )
    with pytest.raises(TableChangedError, match="is gone"):
        tables.restore(path, 0)
    assert tables.open(path).version == 2
    assert tables.verify(path).ok


def test_compact_goes_on_with_the_latest_where_its_rows_were_vacuumed(path, monkeypatch):
    for n in range(3):
        tables.append(path, numbers(2, 2 * n))

    def others():
        for n in range(2):
            (tables.append if n else tables.write)(path, numbers(3, 10 * n))
        tables.vacuum(path, retention_hours=0)

    between(monkeypatch, compacting, "_compact", others)
    assert tables.compact(path) == 5
    assert tables.open(path).arrow()["photo_id"].to_pylist() == [
        "p0", "p1", "p2", "p10", "p11", "p12"
    ]  # fmt: skip
    assert tables.verify(path).ok


def test_a_version_that_was_vacuumed_gets_no_tag(path):
    for n in range(3):
        tables.write(path, numbers(2, n))
    tables.vacuum(path, retention_hours=0)
    with pytest.raises(TableChangedError, match=r"version 0 was vacuumed, 1 of its files are gone"):
        tables.tag(path, "paper", 0)
    assert tables.tags(path) == {}
    assert tables.tag(path, "paper") == 2
    assert tables.verify(path).ok


def test_a_vacuum_waits_for_who_holds_the_table(path):
    tables.append(path, numbers(2))
    done = threading.Event()

    def vacuums():
        tables.vacuum(path, retention_hours=0)
        done.set()

    worker = threading.Thread(target=vacuums)
    with locking.alone(path):
        assert locking.is_held(path)
        worker.start()
        assert not done.wait(0.3)
    worker.join()
    assert done.is_set()
    assert not locking.is_held(path)


def test_who_waits_too_long_is_told(path, monkeypatch):
    tables.append(path, numbers(2))
    monkeypatch.setattr(locking, "PATIENCE_S", 0.05)
    told = []

    def tags():
        try:
            tables.tag(path, "a")
        except TableConflictError as error:
            told.append(str(error))

    with locking.alone(path):
        worker = threading.Thread(target=tags)
        worker.start()
        worker.join()
    assert "another process has held it for 0.05 s" in told[0]


def test_where_nothing_can_be_held_all_goes_on(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert not locking.is_held(path)
    for n in range(2):
        tables.append(path, numbers(2, n))
    tables.tag(path, "a")
    assert tables.compact(path) == 2
    assert tables.verify(path).ok


def test_a_table_that_was_exchanged_is_held_where_it_is_now(path, tmp_path):
    """Who waited for a folder that another one replaced does not hold the old one."""
    tables.append(path, numbers(2))
    other = tmp_path / "lake" / "other"
    tables.append(other, numbers(3))
    got = []

    def waits():
        with locking.alone(path):
            got.append(path.stat().st_ino)

    worker = threading.Thread(target=waits)
    with locking.alone(path), locking.alone(other):
        worker.start()
        exchanging._exchange(path, other)
        there = path.stat().st_ino
        worker.join(0.3)
        assert got == []
    worker.join()
    assert got == [there]


def test_a_table_that_is_exchanged_between_two_steps_is_held_where_it_is_now(
    path, tmp_path, monkeypatch
):
    fcntl = pytest.importorskip("fcntl")
    tables.append(path, numbers(2))
    other = tmp_path / "lake" / "other"
    tables.append(other, numbers(3))
    between(monkeypatch, fcntl, "flock", lambda: exchanging._exchange(path, other))
    with locking.alone(path):
        assert locking.is_held(path)
        assert not locking.is_held(other)


def test_a_forked_process_holds_nothing_on(path):
    """Workers are forked while a thread commits: they live on, the lock does not."""
    tables.append(path, numbers(2))
    read, write = os.pipe()
    with locking.alone(path):
        child = os.fork()
        if child == 0:
            os.write(write, b"!")
            signal.pause()
    try:
        assert os.read(read, 1) == b"!"
        assert not locking.is_held(path)
        with locking.alone(path):
            assert locking.is_held(path)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_process_forked_while_it_holds_a_table_asks_anew(path):
    tables.append(path, numbers(2))
    with locking.alone(path):
        child = os.fork()
        if child == 0:
            os._exit(0 if not locking._held.__dict__ and locking.is_held(path) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert locking.is_held(path)


def test_a_reader_of_the_latest_follows_when_its_files_go(path, monkeypatch):
    tables.write(path, numbers(2))

    def other():
        tables.write(path, numbers(3))
        tables.vacuum(path, retention_hours=0)

    between(monkeypatch, version, "_check_files", other)
    assert (tables.open(path).version, tables.open(path).rows) == (1, 3)
    with pytest.raises(TableChangedError):
        tables.open(path, 0)


def test_types_that_changed_while_rows_were_written(path, monkeypatch):
    narrow = pa.table({"n": pa.array([1], pa.int32())})
    tables.write(path, narrow)
    wide = pa.table({"n": pa.array([1 << 40], pa.int64())})
    between(monkeypatch, attempts, "committing", lambda: tables.write(path, wide))
    with pytest.raises(TableConflictError, match="became int64 while rows with int32"):
        tables.append(path, narrow)
    assert tables.open(path).arrow()["n"].to_pylist() == [1 << 40]
    report = tables.verify(path)
    assert (report.problems, report.orphans) == ((), ())
    tables.append(path, narrow)
    assert tables.verify(path).ok


# no false alarm


def test_a_commit_between_two_looks_is_no_damage(path, monkeypatch):
    """Of verify, at each of the functions through which it looks at the log."""
    for n in range(40):
        tables.append(path, numbers(1, n))
    for module, name in [
        (verifying, "_check_log"), (verifying, "_check_checkpoints"), (verifying, "_kept"),
        (verifying, "_recorded"), (verifying, "_by_commits"), (verifying, "_content"),
        (log, "by_library"), (log, "snapshot"), (log, "replay"), (own_files, "newest_commit"),
        (log, "sealed"), (log, "tags"),
    ]:  # fmt: skip
        for call in (
            lambda: tables.append(path, numbers(1, 90)),
            lambda: tables.compact(path),
            lambda: (tables.write(path, numbers(4)), tables.vacuum(path, retention_hours=0)),
            lambda: checkpoints.checkpoint(path),
        ):
            with monkeypatch.context() as patch:
                between(patch, module, name, call)
                report = tables.verify(path)
            assert (report.problems, report.unsealed) == ((), ()), name


def test_a_commit_that_is_about_to_get_its_seal_is_no_stopped_one(path, monkeypatch):
    tables.append(path, numbers(1))
    original = log.seal

    def late(*args):
        threading.Event().wait(0.3)
        original(*args)

    monkeypatch.setattr(log, "seal", late)
    writer = threading.Thread(target=tables.append, args=(path, numbers(1, 5)))
    writer.start()
    while log.last_version(path) == 0:
        pass
    report = tables.verify(path)
    writer.join()
    assert (report.problems, report.unsealed) == ((), ())


def test_a_forget_at_work_is_no_stopped_one(path):
    tables.append(path, numbers(2))
    exchanging.make_beside(path)
    with locking.alone(path.parent):
        assert tables.verify(path).ok
    assert not tables.verify(path).ok


# forget


def test_tags_that_came_and_went_during_a_forget_are_those_of_the_end(path, monkeypatch):
    for n in range(3):
        tables.append(path, numbers(2, 2 * n))
    tables.tag(path, "old", 0)

    def others():
        tables.untag(path, "old")
        tables.tag(path, "new", 1)

    between(monkeypatch, rewriting, "take_place", others)
    tables.forget(path, ["p0"])
    assert tables.tags(path) == {"new": 1}
    assert tables.verify(path).ok


def test_two_forgets_in_one_lake_wait_for_each_other(path, monkeypatch):
    """There is one place where a table is written again: two in it would lose the table."""
    tables.append(path, numbers(20))
    first, errors = threading.Event(), []
    original = rewriting._complete

    def slow(*args):
        if not first.is_set():
            first.set()
            threading.Event().wait(0.3)
        return original(*args)

    monkeypatch.setattr(rewriting, "_complete", slow)

    def forgets(one):
        try:
            tables.forget(path, [one])
        except Exception as error:
            errors.append(error)

    workers = [threading.Thread(target=forgets, args=(one,)) for one in ("p3", "p4")]
    workers[0].start()
    first.wait()
    workers[1].start()
    for worker in workers:
        worker.join()
    assert errors == []
    assert set(tables.open(path).arrow()["photo_id"].to_pylist()) == {
        f"p{i}" for i in range(20) if i not in (3, 4)
    }
    assert tables.verify(path).ok


@pytest.mark.parametrize("moment", ["_complete", "_lines", "_leftovers"])
def test_rows_written_during_a_forget_are_committed_behind_it(path, monkeypatch, moment):
    """A file that another writer is about to commit comes over, whenever it was written."""
    tables.append(path, numbers(3))
    schema = tables.kept_schema(numbers(1).schema)
    held = []

    def writes():
        held.extend(data_files.write(path, iter([numbers(2, 50)]), schema, 1, 100))

    between(monkeypatch, rewriting, moment, writes)
    tables.forget(path, ["p0"])
    commits.commit(path, held, lambda known: schema, "append", {})
    assert sorted(tables.open(path).arrow()["photo_id"].to_pylist()) == ["p1", "p2", "p50", "p51"]
    assert tables.verify(path).ok


def test_who_commits_while_files_come_over_waits_for_them(path, monkeypatch):
    tables.append(path, numbers(3))
    schema = tables.kept_schema(numbers(1).schema)
    held, errors = [], []

    def commit():
        try:
            commits.commit(path, held, lambda known: schema, "append", {})
        except TableConflictError as error:
            errors.append(error)

    writer = threading.Thread(target=commit)
    original = exchanging._exchange

    def slow(*args):
        held.extend(data_files.write(path, iter([numbers(2, 50)]), schema, 1, 100))
        original(*args)
        writer.start()
        writer.join(0.3)

    monkeypatch.setattr(exchanging, "_exchange", slow)
    tables.forget(path, ["p0"])
    writer.join()
    assert errors == []
    assert tables.open(path).rows == 4
    assert tables.verify(path).ok


def test_a_file_that_holds_the_photo_is_gone_for_its_writer(path):
    tables.append(path, numbers(3))
    schema = tables.kept_schema(numbers(1).schema)
    held = data_files.write(path, iter([numbers(1)]), schema, 1, 100)
    tables.forget(path, ["p0"])
    with pytest.raises(TableConflictError, match="was removed meanwhile"):
        commits.commit(path, held, lambda known: schema, "append", {})
    assert tables.open(path).arrow()["photo_id"].to_pylist() == ["p1", "p2"]


def test_a_file_that_was_committed_during_a_forget_stays(path, monkeypatch):
    """Also where it held the photo: the forget is refused, and nothing of it is done."""
    tables.append(path, numbers(3))
    schema = tables.kept_schema(numbers(1).schema)
    held = data_files.write(path, iter([numbers(1)]), schema, 1, 100)
    original = rewriting._complete

    def late(*args):
        original(*args)
        commits.commit(path, held, lambda known: schema, "append", {})

    monkeypatch.setattr(rewriting, "_complete", late)
    with pytest.raises(TableConflictError, match="another writer committed meanwhile"):
        tables.forget(path, ["p0"])
    assert tables.open(path).rows == 4
    assert tables.verify(path).ok


def test_a_vacuum_during_a_forget(path, monkeypatch):
    for n in range(3):
        tables.write(path, numbers(3, n))
    original, raced = forgetting.rewriting._rewrite_file, []

    def late(*args):
        if not raced:
            raced.append(tables.vacuum(path, retention_hours=0))
        return original(*args)

    monkeypatch.setattr(rewriting, "_rewrite_file", late)
    with pytest.raises(TableConflictError, match="was removed meanwhile"):
        tables.forget(path, ["p0"])
    assert len(raced[0]) == 2
    assert not exchanging.place_beside(path).exists()
    assert tables.verify(path).ok
    tables.forget(path, ["p2"])
    assert tables.open(path).arrow()["photo_id"].to_pylist() == ["p3", "p4"]


def test_a_tag_that_goes_while_they_are_read(path, monkeypatch):
    tables.append(path, numbers(1))
    for name in "ab":
        tables.tag(path, name)
    between(monkeypatch, tagging, "_read", lambda: (path / "_tags" / "a.json").unlink())
    assert tables.tags(path) == {"b": 0}


def test_upkeep_asks_again_behind_a_restore_of_the_latest(path):
    tables.append(path, numbers(1))
    assert upkeep.restore(path, 0) == 0
