"""Versions read without a list of the log, and appends without the library: as with them."""

import errno
import json
import os
import shutil
import sys

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings, strategies as st

from geodata import tables
from geodata.tables import log
from geodata.tables.commits import appending
from geodata.tables.log import checkpoints, newest, reading, replaying

NAIVE = pa.timestamp("us")


def rows(*values, **more):
    return pa.table({"n": pa.array(values, pa.int64()), **more})


@pytest.fixture
def often(monkeypatch):
    """A checkpoint at every other version."""
    monkeypatch.setattr(checkpoints, "EVERY", 2)


@pytest.fixture
def table(tmp_path, often):
    for n in range(6):
        tables.append(tmp_path / "t", rows(n), note={"n": n})
    return tmp_path / "t"


def folder(table):
    return table / "_delta_log"


def commit_file(table, version):
    return folder(table) / f"{version:020}.json"


def read(table, version=None):
    return newest.read(folder(table), version)


def opened(call):
    """Return what a call gives, or its error."""
    try:
        return call()
    except tables.TableError as error:
        return str(error)


DOES = {
    "append": lambda t, n: tables.append(t, rows(n, n + 1)),
    "write": lambda t, n: tables.write(t, rows(n)),
    "column": lambda t, n: tables.append(t, rows(n, **{f"c{n}": pa.array(["x"])})),
    "time": lambda t, n: tables.append(t, rows(n, **{f"t{n}": pa.array([None], NAIVE)})),
    "compact": lambda t, n: tables.compact(t),
    "restore": lambda t, n: tables.restore(t, n % (tables.open(t).version + 1)),
    "theirs": lambda t, n: write_deltalake(t, rows(n), mode="append", schema_mode="merge"),
    "checkpoint": lambda t, n: tables.checkpoint(t, n % (tables.open(t).version + 1)),
    "no hint": lambda t, n: (folder(t) / "_last_checkpoint").unlink(missing_ok=True),
}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(sorted(DOES)), min_size=1, max_size=12))
def test_every_version_is_that_of_the_library(tmp_path_factory, does):
    path = tmp_path_factory.mktemp("lake") / "t"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "EVERY", 2)
        tables.append(path, rows(0))
        for n, what in enumerate(does):
            DOES[what](path, n)
        last = log.last_version(path)
        for version in (None, *range(last + 1)):
            state, found = read(path, version), log.by_library(path, version)
            if state is not None:
                assert state.version == found.version
                assert log.active_of(path, state) == found.files
                assert state.schema == found.schema
        assert tables.verify(path).ok


def listed(call):
    """Return how often the folder of a log is listed in a call."""
    found = []

    def hook(event, given):
        if event in ("os.listdir", "os.scandir") and "_delta_log" in str(given[0]):
            found.append(event)

    _HOOKS.append(hook)
    try:
        call()
    finally:
        _HOOKS.remove(hook)
    return len(found)


_HOOKS: list = []
sys.addaudithook(lambda *event: [hook(*event) for hook in _HOOKS])


def test_opening_lists_nothing_and_an_append_no_more_than_one_name(table, monkeypatch):
    assert listed(lambda: tables.open(table)) == 0
    assert listed(lambda: log.by_library(table)) > 0
    for module in (log, reading):
        monkeypatch.setattr(module, "load", lambda *_: pytest.fail("the library was asked"))
    assert tables.open(table).rows == 6
    monkeypatch.setattr(checkpoints, "EVERY", 99)
    assert listed(lambda: tables.append(table, rows(7))) == 1  # whether there is a table
    assert tables.open(table).arrow()["n"].to_pylist() == [0, 1, 2, 3, 4, 5, 7]
    assert tables.open(table, 5).version == 5  # from the checkpoint below it


def test_what_is_appended_is_there_for_every_reader(table):
    assert read(table) is not None
    number = tables.append(table, rows(6, 7), note={"by": "us"})
    assert "engineInfo" in (text := commit_file(table, number).read_text())
    assert "delta-rs" not in text
    theirs = DeltaTable(table)
    assert theirs.version() == number == 6
    assert sorted(polars.scan_delta(str(table)).collect()["n"].to_list()) == list(range(8))
    assert theirs.history(1)[0]["operation"] == "WRITE"
    known = pa.table(theirs.get_add_actions(flatten=True)).sort_by("path").to_pylist()
    assert [row["num_records"] for row in known] == [1, 1, 1, 1, 1, 1, 2]
    assert (known[-1]["min.n"], known[-1]["max.n"]) == (6, 7)
    assert tables.history(table)[0].note == {"by": "us"}
    report = tables.verify(table)
    assert (report.ok, report.is_sealed, report.orphans) == (True, True, ())
    assert not list(folder(table).glob("_commit_*"))


def test_our_append_is_that_of_the_library(table, monkeypatch):
    """The same rows in two copies of a table, by either way."""
    copies = [table.parent / name for name in ("ours", "theirs")]
    for copy in copies:
        shutil.copytree(table, copy)
    tables.append(copies[0], rows(8), note={"a": 1})
    monkeypatch.setattr(appending, "commit", lambda *_: False)
    tables.append(copies[1], rows(8), note={"a": 1})
    adds, infos = [], []
    for copy in copies:
        lines = map(json.loads, commit_file(copy, 6).read_text().splitlines())
        found = {name: value for line in lines for name, value in line.items()}
        infos.append({k: found["commitInfo"][k] for k in ("operation", "operationParameters")})
        unlike = ("path", "modificationTime")
        adds.append({k: v for k, v in found["add"].items() if v is not None and k not in unlike})
    assert adds[0] == adds[1]
    assert infos[0] == infos[1]
    assert tables.open(copies[0]).content_hash == tables.open(copies[1]).content_hash


@pytest.mark.parametrize("lost", [4, 5, 40])
def test_a_commit_that_is_lost_is_no_end_of_the_table(table, monkeypatch, lost):
    monkeypatch.setattr(checkpoints, "EVERY", 999)
    for n in range(6, 60):
        tables.append(table, rows(n))
    (folder(table) / "_last_checkpoint").write_text('{"version":3,"size":8}')
    commit_file(table, lost).unlink()
    for version in range(5, -1, -2):  # only the checkpoint of version 3 is left
        if version != 3:
            (folder(table) / f"{version:020}.checkpoint.parquet").unlink()
    assert read(table) is None
    assert opened(lambda: tables.open(table)) == opened(
        lambda: log.by_library(table) and pytest.fail("the library reads over the gap")
    )
    assert not tables.verify(table).ok


@pytest.mark.parametrize("name", ["hint", "checkpoint"])
def test_damage_is_never_another_version(table, name):
    tables.append(table, rows(6))
    expected = tables.open(table).files
    file = {"hint": folder(table) / "_last_checkpoint",
            "checkpoint": folder(table) / f"{5:020}.checkpoint.parquet"}[name]  # fmt: skip
    whole = file.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 100)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        state = read(table)
        if state is None:
            continue
        if log.active_of(table, state) != log.active_of(table, replaying.replay(folder(table), 6)):
            assert not tables.verify(table).ok  # as for the library: its seal tells
    for damaged in (b"", b"{}", b"[]", b"null", b'{"version": "x"}', b'{"version": 99}', whole[:9]):
        file.write_bytes(damaged)
        assert read(table) is None
    file.write_bytes(whole)
    assert tables.open(table).files == expected


@pytest.mark.parametrize("what", ["_last_checkpoint", f"{5:020}.checkpoint.parquet",
                                  f"{5:020}.json", f"{6:020}.json", ""])  # fmt: skip
def test_a_link_is_left_to_who_refuses_it(table, tmp_path, what):
    tables.append(table, rows(6))
    if what == f"{5:020}.json":  # read for its note only: the checkpoint is of the same version
        commit_file(table, 6).unlink()
    place = folder(table) / what
    shutil.move(place, tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert read(table) is None
    with pytest.raises(tables.TableChangedError, match="is a link to another place"):
        tables.open(table)


def edited(table, change):
    """Commit an action of a stranger behind the last version."""
    number = log.last_version(table) + 1
    lines = [{"commitInfo": {"timestamp": 0}}, change]
    commit_file(table, number).write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("change", "is_read"),
    [
        ({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, True),
        ({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [],
                       "writerFeatures": ["appendOnly"]}}, True),
        ({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7,
                       "readerFeatures": ["deletionVectors"],
                       "writerFeatures": ["deletionVectors"]}}, False),
        ({"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}}, False),
        ({"protocol": {"minReaderVersion": 4, "minWriterVersion": 8}}, False),
        ({"add": {"path": "a%20b.parquet", "size": 1}}, False),
        ({"add": {"path": "a.parquet", "size": 1, "deletionVector": {"x": 1}}}, False),
    ],
)  # fmt: skip
def test_what_others_use_is_left_to_the_library(table, change, is_read):
    edited(table, change)
    assert (read(table) is not None) == is_read


@pytest.mark.parametrize(
    ("configuration", "schema", "writer", "features", "plain"),
    [
        ({}, None, 1, None, True),
        ({}, None, 2, None, True),
        ({}, None, 7, ["timestampNtz"], True),
        ({"delta.enableChangeDataFeed": "true"}, None, 2, None, False),
        ({"delta.constraints.positive": "n > 0"}, None, 2, None, False),
        ({}, '{"delta.invariants": "x"}', 2, None, False),
        ({}, None, 4, None, False),
        ({}, None, 7, ["rowTracking"], False),
    ],
)
def test_only_a_plain_table_is_written_without_the_library(
    table, configuration, schema, writer, features, plain
):
    known = tables.open(table).schema
    found = json.loads(DeltaTable(table).schema().to_json())
    if schema:
        found["fields"][0]["metadata"] = json.loads(schema)
    assert known.names == ["n"]
    edited(table, {"metaData": {"id": "x", "format": {"provider": "parquet", "options": {}},
                                "schemaString": json.dumps(found), "partitionColumns": [],
                                "configuration": configuration}})  # fmt: skip
    protocol = {"minReaderVersion": 1, "minWriterVersion": writer}
    edited(table, {"protocol": protocol | ({"writerFeatures": features} if features else {})})
    state = read(table)
    assert state is not None
    assert state.is_plain == plain


@pytest.mark.parametrize("more", [{"parts": 2}, {"v2Checkpoint": {"path": "x.parquet"}}])
def test_a_checkpoint_of_another_form_is_left(table, more):
    hint = folder(table) / "_last_checkpoint"
    assert read(table) is not None
    hint.write_text(json.dumps(json.loads(hint.read_text()) | more))
    assert read(table) is None


def test_a_checkpoint_with_files_of_its_own_is_left(table):
    """Version 2 of checkpoints may name other files, which hold the rows of the log."""
    file = folder(table) / f"{5:020}.checkpoint.parquet"
    known = pq.read_table(file)
    kind = known.schema.field("sidecar").type
    one = {"path": "x.parquet", "sizeInBytes": 1, "modificationTime": 0, "tags": None}
    sidecars = pa.array([one, *[None] * (len(known) - 1)], kind)
    at = known.schema.get_field_index("sidecar")
    pq.write_table(known.set_column(at, "sidecar", sidecars), file)
    assert read(table) is None


def test_a_checkpoint_of_many_commits_ago_is_left(table, monkeypatch):
    monkeypatch.setattr(newest, "_BEHIND", 3)
    monkeypatch.setattr(checkpoints, "EVERY", 999)
    for n in range(3):
        tables.append(table, rows(n))
        assert read(table).version == 6 + n
        assert read(table, 6 + n).version == 6 + n
    tables.append(table, rows(3))
    assert read(table) is None
    assert read(table, 9) is None
    assert tables.open(table).version == 9


@pytest.mark.parametrize("version", [-1, 6, 100, 2**70])
def test_a_version_that_is_not_there_is_refused_as_before(table, version):
    assert read(table, version) is None
    with pytest.raises(tables.VersionNotFoundError, match="the versions are 0 to 5"):
        tables.open(table, version)


def test_a_column_called_as_the_count_of_rows_changes_no_count(tmp_path, often):
    for n in range(4):
        more = {"numRecords": pa.array([7], pa.int64()), '"numRecords": 3': pa.array([9])}
        tables.append(tmp_path / "t", rows(n, **more))
    state = read(tmp_path / "t")
    assert [add.rows for add in state.adds.values()] == [1, 1, 1, 1]
    assert tables.open(tmp_path / "t").rows == 4


def test_the_count_of_rows_is_that_of_the_file_wherever_it_stands(table):
    theirs = tables.open(table).files[0]
    shutil.copy(theirs, table / "part-x.parquet")
    entry = {"path": "part-x.parquet", "size": theirs.stat().st_size, "partitionValues": {}}
    stats = '{"minValues": {"numRecords": 7}, "numRecords": 1}'
    edited(table, {"add": entry | {"modificationTime": 0, "dataChange": True, "stats": stats}})
    tables.checkpoint(table)
    assert read(table).adds["part-x.parquet"].rows == 1


def test_files_without_counted_rows_are_counted(table):
    theirs = tables.open(table).files[0]
    shutil.copy(theirs, table / "part-x.parquet")
    entry = {"path": "part-x.parquet", "size": theirs.stat().st_size, "partitionValues": {}}
    edited(table, {"add": entry | {"modificationTime": 0, "dataChange": True}})
    state = read(table)
    assert state.adds["part-x.parquet"].rows is None
    assert tables.open(table).rows == 7
    tables.checkpoint(table)
    assert read(table).adds["part-x.parquet"].rows is None
    assert tables.open(table).rows == 7


# commits


def test_who_comes_second_appends_behind_the_first(table, monkeypatch):
    real, others = appending.commit, iter([rows(100), rows(101)])

    def late(root, version, *given):
        for other in others:  # another writer, just before
            with monkeypatch.context() as patch:
                patch.setattr(appending, "commit", real)
                tables.append(table, other)
            break
        return real(root, version, *given)

    monkeypatch.setattr(appending, "commit", late)
    number = tables.append(table, rows(6))
    assert number == 8
    assert sorted(tables.open(table).arrow()["n"].to_pylist()) == [0, 1, 2, 3, 4, 5, 6, 100, 101]
    assert tables.verify(table).is_sealed


def test_a_commit_that_was_made_though_it_seems_not_is_not_made_twice(table, monkeypatch):
    """As a network's file system tells of a link that it made at the first of two requests."""
    real = os.link

    def twice(*given):
        real(*given)
        real(*given)

    monkeypatch.setattr(os, "link", twice)
    assert tables.append(table, rows(6)) == 6
    assert tables.open(table).rows == 7


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_without_links_the_library_commits(table, monkeypatch, number):
    def refuses(*_):
        raise OSError(number, "no links here")

    monkeypatch.setattr(os, "link", refuses)
    assert tables.append(table, rows(6)) == 6
    assert "delta-rs" in commit_file(table, 6).read_text()
    assert not list(folder(table).glob("_commit_*"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_commits_nothing(table, monkeypatch, number):
    def full(*_):
        raise OSError(number, "full")

    with monkeypatch.context() as patch:
        patch.setattr(appending, "_write_new", full)
        with pytest.raises(tables.StorageFullError, match="the table is as it was before"):
            tables.append(table, rows(6))
    report = tables.verify(table)
    assert (report.ok, report.version, report.orphans) == (True, 5, ())
    assert tables.append(table, rows(6)) == 6


def test_a_folder_that_was_exchanged_meanwhile_is_tried_again(table, monkeypatch):
    real, gone = appending._write_new, [1]

    def moves(file, text):
        real(file, text)
        if gone:
            gone.pop()
            file.unlink()

    monkeypatch.setattr(appending, "_write_new", moves)
    assert tables.append(table, rows(6)) == 6
    assert tables.open(table).rows == 7


def test_all_verbs_take_what_was_committed_by_us(tmp_path, often):
    lake = tmp_path / "lake"
    path = lake / "t"
    for n in range(8):
        tables.append(path, pa.table({"photo_id": [f"p{n}", f"q{n}"]}), note={"n": n})
    ours = sum("geodata/" in commit_file(path, v).read_text().split('"geodata":')[0]
               for v in range(8))  # fmt: skip
    assert ours >= 4
    tables.tag(path, "paper", 5)
    assert tables.diff(path, 5, 7).rows_added == 4
    assert tables.forget(path, ["p3"]).rows == {"t": 1}
    assert read(path) is not None
    assert [tables.open(path, v).rows for v in (2, 5, 7)] == [6, 11, 15]
    assert tables.append(path, pa.table({"photo_id": ["last"]})) == 9  # behind that of the forget
    assert tables.compact(path) == 10
    assert tables.restore(path, "paper") == 11
    tables.vacuum(path, retention_hours=0)
    assert tables.open(path).rows == tables.open(path, "paper").rows == 11
    assert [c.kind for c in tables.history(path)][:4] == ["restore", "compact", "append", "forget"]
    report = tables.verify(path)
    assert (report.problems, report.is_sealed, report.orphans) == ((), True, ())
    again = tables.export(path, tmp_path / "out")
    assert pq.read_table(again / "data").num_rows == 11


def test_a_table_with_settings_of_others_is_written_by_the_library(table):
    settings = {"delta.dataSkippingNumIndexedCols": "3"}
    edited(table, {"metaData": {"id": "x", "format": {"provider": "parquet", "options": {}},
                                "schemaString": DeltaTable(table).schema().to_json(),
                                "partitionColumns": [], "configuration": settings,
                                "createdTime": 0}})  # fmt: skip
    assert read(table) is not None
    number = tables.append(table, rows(6))
    assert "delta-rs" in commit_file(table, number).read_text()
    assert tables.open(table).rows == 7
