"""The parts of a table's log one by one: addresses, seals, tags, locks, small files."""

import hashlib
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import tables
from geodata.hashing import Sums
from geodata.tables import commits, log
from geodata.tables.commits import attempts, tidying
from geodata.tables.log import (
    Active,
    addresses,
    checkpoints,
    locking,
    own_files,
    reading,
    seals,
    tagging,
)
from geodata.tables.upkeep import verifying


def rows(*values):
    return pa.table({"n": pa.array(values, pa.int64())})


@pytest.fixture
def table(tmp_path):
    for n in range(3):
        tables.write(tmp_path / "lake" / "t", rows(n))
    return tmp_path / "lake" / "t"


# addresses


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("s3://b/l/t", "s3://b/l/t"), ("s3a:/b/t/", "s3a://b/t"), ("gs://b//", "gs://b"),
        ("gcs:/b", "gcs://b"), (Path("s3://b/t"), "s3://b/t"), ("s3:///b", None), ("s3://", None),
        ("http://b/t", None), ("a/s3://b", None), ("S3://b", None), ("lake/t", None),
    ],
)  # fmt: skip
def test_an_address_is_told_from_a_path(path, address):
    assert addresses.address_of(path) == address


@pytest.mark.parametrize("path", ["s3://b/t", Path("gs://b/t"), "http://b/t", "x://y"])
def test_an_address_is_refused_where_only_a_folder_will_do(path):
    with pytest.raises(tables.TableError) as told:
        addresses.refuse_address(path)
    assert str(told.value).startswith(
        f"{addresses.address_of(path) or str(path)!r} is an address; lakes in buckets (s3://,"
    )
    addresses.refuse_address("lake/t")


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("s3://b/t@3", ("s3://b/t", 3)), ("s3://b/t", ("s3://b/t", None)),
        ("s3://me@b/t", ("s3://me@b/t", None)), ("s3://b@2/t@007", ("s3://b@2/t", 7)),
    ],
)  # fmt: skip
def test_the_version_behind_an_address(address, parts):
    assert addresses.split_version(address) == parts


@pytest.mark.parametrize("version", ["", "v1", "-1", "1.0", "\u0663", "1@2"])
def test_a_table_in_a_bucket_has_numbers_only(version):
    with pytest.raises(tables.TableError, match="is no version; a table in a bucket has numbers"):
        addresses.split_version(f"s3://b/t@{version}")


def test_a_folder_that_stands_for_a_bucket_is_called_by_its_address(tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "_views", {})
    assert (addresses.lake_of(tmp_path), addresses.called(tmp_path / "t")) == (
        None, str(tmp_path / "t")
    )  # fmt: skip
    addresses.stands_for(tmp_path, "s3://b/lake")
    assert addresses.lake_of(tmp_path) == "s3://b/lake"
    assert addresses.called(tmp_path / "t") == "s3://b/lake/t"


# names and commits


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("a", True), ("A" + "b" * 63, True), ("a" + "b" * 64, False), ("a.b-c_9", True),
        ("a.", False), ("9a", False), ("_a", False), ("", False), ("é", False), ("a b", False),
        ("a\n", False), ("a/b", False), (5, False),
    ],
)  # fmt: skip
def test_what_names_a_table_or_tag(name, good):
    if good:
        assert reading.check_name(name) == name
        return
    with pytest.raises(tables.TableError) as told:
        reading.check_name(name)
    assert str(told.value) == (
        f"{name!r} cannot name a table or tag: a name is a letter and then at most 63 letters, "
        "digits, '_', '-' or '.' (not last)"
    )


def test_the_newest_commit_is_that_of_the_largest_number(tmp_path):
    folder = tmp_path / "_delta_log"
    folder.mkdir()
    assert own_files.newest_commit(folder) == -1
    names = [f"{9:020}.json", f"{10:020}.json", f"{11:020}.json.tmp", f"{12:020}.crc"]
    names += ["x" * 20 + ".txt", "_commit_a.json.tmp", f"{13:020}.checkpoint.parquet", "x.json"]
    names += [f"{14:020}.checkpoint.80a083e8.json"]  # as others write them
    for name in names:
        (folder / name).touch()
    assert own_files.newest_commit(folder) == 10
    (folder / ("x" * 20 + ".json")).touch()
    assert own_files.newest_commit(folder) == -1


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a\\b", "a%b", "a\0b"])
def test_what_is_no_bare_name_of_a_file(tmp_path, name):
    with pytest.raises(tables.TableChangedError, match="is not the bare name of a file"):
        own_files.check_own(tmp_path, name)
    own_files.check_own(tmp_path, "gone")  # who opens the version says so
    (tmp_path / "a b.parquet").touch()
    own_files.check_own(tmp_path, "a b.parquet")


def test_a_commit_of_another_tool_has_nothing_of_ours(tmp_path):
    (tmp_path / "_delta_log").mkdir()
    file = tmp_path / "_delta_log" / f"{0:020}.json"
    for text, told in (
        ('{"add":{}}', (0, "", {})),
        ('{"add":{}}\n{"commitInfo":{"timestamp":5,"operation":"X"}}', (5, "X", {})),
        ('{"commitInfo":{"timestamp":5,"operation":"X","geodata":"[1]"}}', (5, "X", {})),
        ('{"commitInfo":{"timestamp":5,"operation":"X","geodata":"{"}}', (5, "X", {})),
        ('{"commitInfo":{"timestamp":5,"operation":"X","geodata":"{\\"a\\":1}"}}',
         (5, "X", {"a": 1})),
    ):  # fmt: skip
        file.write_text(text)
        found = reading.commit_at(tmp_path, 0)
        assert (found["timestamp"], found["operation"], found["geodata"]) == told
        assert found["version"] == 0
    for text in ("{", "5", '{"commitInfo":{"timestamp":"x"}}', '{"commitInfo":5}'):
        file.write_text(text)
        with pytest.raises(tables.TableChangedError, match="the commit cannot be read"):
            reading.commit_at(tmp_path, 0)
    assert reading.committed_at({"timestamp": 1_500}) == datetime.fromtimestamp(1.5, UTC)


def test_what_commits_recorded_begins_where_it_is_asked_to(table):
    names = [next(iter(reading.commit_at(table, v)["geodata"]["files"])) for v in range(3)]
    assert list(reading.recorded(table, 2)) == names
    assert list(reading.recorded(table, 2, since=1)) == names[1:]
    assert list(reading.recorded(table, 1)) == names[:2]
    assert list(reading.added(table, 1)) == names[:2]
    assert [entry["version"] for entry in reading.commits(table, 2, 2)] == [2]
    assert reading.total(table, 1) == Sums(*reading.recorded(table, 1, 1)[names[1]]["content"])


@pytest.mark.parametrize(
    ("text", "line"), [("a\nb", "a"), ("  a\n", "a"), ("", "SaidError"), ("\n", "SaidError")]
)
def test_the_first_line_of_an_error(text, line):
    class SaidError(ValueError):
        def __str__(self):
            return text

    assert reading.first_line(SaidError()) == line


# seals and checkpoints


def test_commits_before_that_have_no_seal_get_one(table):
    folder = table / "_seals"
    made = {path.name: path.read_text() for path in folder.glob("*")}
    assert sorted(made) == [f"{n:020}.sha256" for n in range(3)]
    for n in range(3):
        entry = table / "_delta_log" / f"{n:020}.json"
        assert made[f"{n:020}.sha256"] == hashlib.sha256(entry.read_bytes()).hexdigest() + "\n"
    (folder / f"{0:020}.sha256").write_text("damaged")
    (folder / f"{1:020}.sha256").unlink()
    (folder / f"{2:020}.sha256").unlink()
    seals.seal(table, 2)
    assert (folder / f"{0:020}.sha256").read_text() == "damaged"  # never made good
    assert (folder / f"{1:020}.sha256").read_text() == made[f"{1:020}.sha256"]
    (folder / f"{2:020}.sha256").write_text("of another")
    seals.seal(table, 2)
    assert (folder / f"{2:020}.sha256").read_text() == "of another"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    seals.seal(table, 2)
    assert {path.name: path.read_text() for path in folder.glob("*")} == made
    seals.seal(table, 7)  # no such commit: opening goes on without a seal


def test_a_checkpoint_that_is_there_and_sealed_is_not_written_again(table):
    assert checkpoints.sealed(table) == {}
    assert tables.checkpoint(table, 1) == 1
    file = table / "_delta_log" / f"{1:020}.checkpoint.parquet"
    seal = table / "_seals" / f"{1:020}.checkpoint.sha256"
    assert checkpoints.sealed(table) == {1: seal}
    os.utime(file, (1, 1))
    assert tables.checkpoint(table, 1) == 1
    assert file.stat().st_mtime == 1
    seal.unlink()
    tables.checkpoint(table, 1)
    assert seal.is_file()
    file.unlink()
    (table / "_delta_log" / "_last_checkpoint").unlink()
    tables.checkpoint(table, 1)
    assert file.is_file()
    assert tables.checkpoint(table) == 2
    assert sorted(checkpoints.sealed(table)) == [1, 2]
    assert (table / "_seals" / "_last_checkpoint.sha256").is_file()


def test_a_checkpoint_is_due_behind_32_versions(table, monkeypatch):
    assert checkpoints.EVERY == 32
    assert [n for n in range(130) if checkpoints.is_due(n)] == [31, 63, 95, 127]
    monkeypatch.setattr(checkpoints, "EVERY", 3)
    checkpoints.keep_short(table, 1)
    assert checkpoints.sealed(table) == {}
    checkpoints.keep_short(table, 2)
    assert list(checkpoints.sealed(table)) == [2]
    checkpoints.keep_short(table.parent / "none", 2)  # only slower


# tags


def test_a_tag_stays_where_it_is_unless_it_is_told_to_move(table):
    assert tables.tag(table, "paper", 1) == 1
    assert tables.tag(table, "paper", 1) == 1
    with pytest.raises(tables.TableError) as told:
        tables.tag(table, "paper", 0)
    assert str(told.value) == (
        f"{table}: tag 'paper' is on version 1; give move=True to put it on 0"
    )
    assert tables.tag(table, "paper", move=True) == 2
    assert tables.tag(table, "first", "0") == 0
    assert tables.tags(table) == {"first": 0, "paper": 2}
    file = table / "_tags" / "paper.json"
    check = hashlib.sha256(b"paper 2").hexdigest()
    assert file.read_text() == json.dumps({"version": 2, "check": check}) + "\n"
    with pytest.raises(tables.VersionNotFoundError) as told:
        tables.untag(table, "papers")
    assert str(told.value) == f"{table}: there is no tag 'papers'; the tags are first, paper"
    for name in ("first", "paper"):
        tables.untag(table, name)
    with pytest.raises(tables.VersionNotFoundError, match=r"the tags are none yet$"):
        tables.untag(table, "paper")
    with pytest.raises(tables.TableNotFoundError):
        tables.untag(table.parent / "none", "paper")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": null}', '{"version": 1}', "null",
             tagging.text("paper", 1)[:-1], tagging.text("papers", 1)],
)  # fmt: skip
def test_a_tag_that_is_damaged_is_no_tag(table, text):
    tables.tag(table, "paper", 1)
    (table / "_tags" / "paper.json").write_text(text)
    with pytest.raises(tables.TableChangedError, match=r"paper\.json: the tag is damaged; remove"):
        tables.tags(table)


@pytest.mark.parametrize("version", [True, 1.5, None, "no", b"1"])
def test_what_is_a_version(table, version):
    if version is None:
        assert tagging.resolve(table, None) is None
        return
    with pytest.raises(tables.VersionNotFoundError):
        tagging.resolve(table, version)


def test_digits_are_a_number_before_they_are_a_tag(table):
    import numpy as np

    assert [tagging.resolve(table, v) for v in (1, "1", "01", np.int8(1))] == [1] * 4
    with pytest.raises(tables.VersionNotFoundError, match="there is no tag '\u0661'"):
        tagging.resolve(table, "\u0661")


def test_a_file_is_older_if_it_was_written_by_a_moment(tmp_path):
    file = tmp_path / "a"
    file.touch()
    os.utime(file, (100, 100))
    assert tagging.is_older(file, 100.0)
    assert not tagging.is_older(file, 99.9)
    assert not tagging.is_older(tmp_path / "gone", 1e12)
    link = tmp_path / "link"
    link.symlink_to(file)
    assert not tagging.is_older(link, 101.0)  # the link itself is new


@pytest.mark.parametrize(("age_h", "goes"), [(167.9, False), (168.1, True)])
def test_a_week_is_how_long_files_stay(table, age_h, goes):
    unused = [table / name for name in reading.added(table, 1)]
    then = time.time() - age_h * 3600
    for file in unused:
        os.utime(file, (then, then))
    wanted = sorted(file.name for file in unused) if goes else []
    assert tables.vacuum(table, dry_run=True) == wanted
    assert all(file.is_file() for file in unused)
    assert tables.vacuum(table) == wanted
    assert [file.is_file() for file in unused] == [not goes] * 2
    for hours in (-0.1, float("nan")):
        with pytest.raises(tables.TableError, match=r"retention_hours .* must be 0 or more"):
            tables.vacuum(table, retention_hours=hours)


def test_what_a_tagged_version_was_made_from_is_kept_at_any_step(table):
    """c@0, tagged, of b@1 of t@1; t@0, b@0 and what is not tagged go."""
    lake = table.parent

    def made_of(*inputs):
        named = [{"table": name, "version": version} for name, version in inputs]
        return {"inputs": {str(i): one for i, one in enumerate(named)}}

    tables.write(lake / "b", rows(0), made_of(("t", 0)))
    tables.write(lake / "b", rows(1), made_of(("t", 1), ("t", 99), ("gone", 0), ("b", 1)))
    tables.write(lake / "b", rows(2))
    tables.write(lake / "c", rows(0), made_of(("b", "1")))
    tables.write(lake / "c", rows(1), {"inputs": [1]})
    tables.tag(lake / "c", "paper", 0)
    tables.tag(lake / "c", "other", 1)
    assert tagging._ancestors(table) == {1}
    assert tagging._ancestors(lake / "b") == {1}
    assert tagging._ancestors(lake / "c") == {0, 1}
    assert len(tables.vacuum(table, retention_hours=0)) == 1
    assert [tables.open(table, v).arrow()["n"].to_pylist() for v in (1, 2)] == [[1], [2]]
    with pytest.raises(tables.TableChangedError):
        tables.open(table, 0)
    assert len(tables.vacuum(lake / "b", retention_hours=0, keep=[0])) == 0
    assert len(tables.vacuum(lake / "b", retention_hours=0)) == 1


# locks


def test_who_cannot_be_locked_is_not_held(tmp_path):
    assert not locking.is_held(tmp_path / "gone")
    with locking.alone(tmp_path / "gone"):
        assert not locking.is_held(tmp_path / "gone")
    with locking.alone(tmp_path):
        assert locking.is_held(tmp_path)
        with locking.alone(tmp_path / "." / ""):
            pass
        assert locking.is_held(tmp_path)
    assert not locking.is_held(tmp_path)
    assert locking.PATIENCE_S == 120.0


def test_a_lock_is_let_go_behind_an_error(tmp_path):
    with pytest.raises(KeyError), locking.alone(tmp_path):
        raise KeyError
    assert not locking.is_held(tmp_path)
    assert locking._handles == set()


# commits


def test_who_waits_too_long_for_others_is_told(table, monkeypatch):
    tries = []

    def attempt(identity):
        tries.append(identity)
        raise attempts.CommitFailedError("another came first")

    clock = iter([0.0, 120.0, 120.0, 120.1])
    monkeypatch.setattr(attempts, "time", Clock(clock))
    with pytest.raises(tables.TableConflictError) as told:
        commits.committing(table, attempt)
    assert str(told.value) == f"{table}: other writers kept committing for 120 s; try again"
    assert len(tries) == 3
    assert len(set(tries)) == 1


class Clock:
    def __init__(self, moments):
        self.monotonic = moments.__next__

    def sleep(self, seconds):
        assert 0.002 <= seconds <= 0.05


def test_an_error_behind_the_commit_does_not_make_it_twice(table, monkeypatch):
    original = attempts._attempt

    def late(*given):
        original(*given)
        raise attempts.DeltaError("late")

    monkeypatch.setattr(attempts, "_attempt", late)
    assert tables.append(table, rows(9)) == 3
    assert tables.open(table).arrow()["n"].to_pylist() == [2, 9]
    assert log.last_version(table) == 3

    def refused(*given):
        raise attempts.DeltaError("no\nand more")

    monkeypatch.setattr(attempts, "_attempt", refused)
    with pytest.raises(tables.TableError) as told:
        tables.append(table, rows(9))
    assert str(told.value) == f"{table}: the commit was refused: no"
    assert len(list(table.glob("part-*"))) == 4


def test_a_commit_is_known_by_its_identity_among_the_newest_hundred(tmp_path):
    folder = tmp_path / "_delta_log"
    folder.mkdir()
    for n in range(120):
        (folder / f"{n:020}.json").write_text(f"mark-{n}-")
    (folder / "x.json").write_text("mark-200-")
    assert attempts._version_of(tmp_path, "mark-119-") == 119
    assert attempts._version_of(tmp_path, "mark-20-") == 20
    assert attempts._version_of(tmp_path, "mark-19-") is None
    assert attempts._version_of(tmp_path, "mark-200-") is None


def test_local_times_are_found_at_any_depth():
    local, utc = pa.timestamp("us"), pa.timestamp("us", "UTC")
    deep = pa.list_(pa.struct([("a", pa.list_(local))]))
    for kind in (local, pa.list_(local), pa.struct([("a", utc), ("b", local)]), deep,
                 pa.map_(pa.string(), local)):  # fmt: skip
        assert attempts._has_local_time(pa.schema([("x", pa.string()), ("c", kind)]))
    for kind in (utc, pa.list_(utc), pa.struct([("a", utc)]), pa.map_(pa.string(), utc),
                 pa.date32(), pa.int64()):  # fmt: skip
        assert not attempts._has_local_time(pa.schema([("c", kind)]))


# small files


def a_file(order, rows, size=9, number=0, name=None):
    return Active(name or f"part-{order:08}-{number:05}-{'0' * 32}.parquet", size, rows)


FULL = tidying._FULL_ROWS


@pytest.mark.parametrize(
    ("counts", "taken"),
    [
        ([1, 1, 1], [1, 1, 1]), ([3, 1, 1], [1, 1]), ([2, 1, 1], [2, 1, 1]), ([5], []),
        ([FULL, 1, 1], [1, 1]), ([FULL - 1, FULL - 1, 1], [FULL - 1, FULL - 1, 1]),
        ([FULL - 1, 1], []),
        ([1, None, 1, 1], [1, 1]), ([0, 1], [0, 1]), ([1, 0], [0]), ([], []),
    ],
)  # fmt: skip
def test_the_files_at_the_end_that_hold_no_more_than_those_behind_them(counts, taken):
    found = tidying.small_files([a_file(i, n) for i, n in enumerate(counts)])
    assert [file.rows for file in found] == taken


def test_large_files_and_those_of_others_end_the_run():
    small = [a_file(i, 1) for i in range(5, 9)]
    for stop in (a_file(4, 1, size=1 << 24), a_file(4, FULL), a_file(4, None),
                 a_file(4, 1, name="part-00004-0.parquet"),
                 a_file(4, 1, name="x" + small[0].name)):  # fmt: skip
        assert tidying.small_files([a_file(3, 1), stop, *small]) == small
    for near in (a_file(4, 1, size=(1 << 24) - 1), a_file(4, 1)):
        assert tidying.small_files([near, *small]) == [near, *small]
    assert tidying.MANY == 128
    assert FULL == 262_144


def test_files_of_one_append_are_taken_all_or_none():
    files = [a_file(3, 1, number=n) for n in range(3)] + [a_file(4, 1), a_file(5, 1)]
    assert tidying.small_files(files) == files
    with_large = [a_file(3, FULL, number=0), a_file(3, 1, number=1), a_file(4, 1), a_file(5, 1)]
    assert tidying.small_files(with_large) == with_large[2:]
    assert tidying._order(a_file(37, 1)) == 37


@pytest.mark.parametrize(("many", "files"), [(3, 1), (4, 3)])
def test_so_many_files_become_one(tmp_path, monkeypatch, many, files):
    monkeypatch.setattr(tidying, "MANY", many)
    for n in range(3):
        tables.append(tmp_path / "t", rows(n), note={"n": n})
    before = tables.open(tmp_path / "t")
    tidying.keep_few(tmp_path / "t", 30)  # not due
    assert tables.open(tmp_path / "t").version == 2
    tidying.keep_few(tmp_path / "t", 31)
    after = tables.open(tmp_path / "t")
    assert len(after.files) == files
    assert after.arrow()["n"].to_pylist() == [0, 1, 2]
    assert after.content_hash == before.content_hash
    if files == 1:
        assert after.note == {"n": 2, "compacted": 2}
        assert tables.history(tmp_path / "t")[0].kind == "compact"
        assert after.files[0].name.startswith("part-00000000-")


# forgetting


def photos(*ids, said=None):
    return pa.table({"photo_id": list(ids), "said": said or [""] * len(ids)})


@pytest.mark.parametrize("has_one", [True, False])
def test_a_table_has_a_checkpoint_again_if_it_had_one(tmp_path, has_one):
    tables.append(tmp_path / "t", photos("alice", "bob"))
    if has_one:
        tables.checkpoint(tmp_path / "t")
    tables.forget(tmp_path / "t", ["alice"])
    found = [path.name for path in (tmp_path / "t" / "_delta_log").glob("*.checkpoint*")]
    assert found == ([f"{1:020}.checkpoint.parquet"] if has_one else [])
    assert tables.verify(tmp_path / "t").ok


def test_a_file_that_lost_a_row_has_a_range_again(tmp_path):
    more = photos("alice", "bob", "carol").append_column("n", pa.array([1, 2, 3]))
    tables.append(tmp_path / "t", more)
    tables.forget(tmp_path / "t", ["alice"])
    lines = (tmp_path / "t" / "_delta_log" / f"{0:020}.json").read_text().splitlines()
    (add,) = [json.loads(line)["add"] for line in lines if '"add"' in line]
    stats = json.loads(add["stats"])
    assert (stats["numRecords"], stats["minValues"]["n"], stats["maxValues"]["n"]) == (2, 2, 3)
    tables.forget(tmp_path / "t", ["bob", "carol"])
    assert tables.open(tmp_path / "t").arrow().num_rows == 0


def test_a_forget_that_was_stopped_is_told_and_one_at_work_is_not(tmp_path):
    tables.append(tmp_path / "t", photos("alice"))
    (tmp_path / "_forgetting" / "t").mkdir(parents=True)
    (told,) = tables.verify(tmp_path / "t").problems
    assert told.startswith(f"{tmp_path / '_forgetting' / 't'} was left by a forget that was")
    with locking.alone(tmp_path):
        assert tables.verify(tmp_path / "t").problems == ()


def test_without_links_what_stays_is_copied(tmp_path, monkeypatch):
    tables.append(tmp_path / "t", photos("alice", "bob"))
    tables.append(tmp_path / "t", photos("carol"))

    def no_links(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr("geodata.tables.upkeep.rewriting.os.link", no_links)
    assert tables.forget(tmp_path / "t", ["alice"]).rows == {"t": 1}
    monkeypatch.undo()
    assert tables.open(tmp_path / "t").arrow()["photo_id"].to_pylist() == ["bob", "carol"]
    assert tables.verify(tmp_path / "t").ok


@pytest.mark.parametrize("said", [["x", "of alice."], ["alice: x", "y"], ["x", "alice"]])
def test_an_id_in_one_longer_text_is_told(tmp_path, said):
    tables.append(tmp_path / "t", photos("alice", "bob"))
    pq.write_table(pa.table({"said": said}), tmp_path / "export.parquet")
    assert tables.forget(tmp_path, ["alice"]).holding == ("export.parquet",)
    pq.write_table(pa.table({"said": ["malice", "alices"]}), tmp_path / "export.parquet")
    assert tables.forget(tmp_path, ["alice"]).holding == ()


# verifying


def test_a_finding_is_looked_at_again_while_nobody_commits(tmp_path):
    looks = []

    def look(root):
        looks.append(locking.is_held(root))
        return found.pop(0)

    for found, seen in (
        ([([], [])], [False]), ([(["x"], []), ([], [])], [False, True]),
        ([([], [1]), ([], [1])], [False, True]),
    ):  # fmt: skip
        looks.clear()
        last = found[-1]
        assert verifying._settled(tmp_path, look) == last
        assert looks == seen
