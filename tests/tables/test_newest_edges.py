"""The ends of what is read without the library, and of what is appended without it."""

import json
import os

import pyarrow as pa
import pytest
from deltalake.exceptions import CommitFailedError

from geodata import tables
from geodata.tables.commits import appending
from geodata.tables.log import checkpoints, newest


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Six versions, the newest with a checkpoint."""
    monkeypatch.setattr(checkpoints, "EVERY", 2)
    for n in range(6):
        tables.append(tmp_path / "t", pa.table({"n": [n]}))
    return tmp_path / "t"


def commit_file(table, version):
    return table / "_delta_log" / f"{version:020}.json"


def version_of(table, version=None):
    found = newest.read(table / "_delta_log", version)
    return None if found is None else found.version


def follow(table, count):
    for number in range(6, 6 + count):
        commit_file(table, number).write_text('{"commitInfo": {"timestamp": 0}}\n')


def test_96_commits_behind_a_checkpoint_are_read_one_by_one(table):
    follow(table, 96)
    assert version_of(table) == 5 + 96
    assert version_of(table, 5 + 96) == 5 + 96
    assert version_of(table, 5 + 95) == 5 + 95
    follow(table, 97)
    assert version_of(table) is None
    assert version_of(table, 5 + 97) is None
    assert version_of(table, 5 + 96) == 5 + 96


@pytest.mark.parametrize(("ahead", "is_read"), [(2, False), (2 + 63, False), (2 + 64, True)])
def test_a_commit_up_to_64_numbers_ahead_is_behind_a_gap(table, ahead, is_read):
    commit_file(table, 5 + ahead).write_text("{}\n")
    assert (version_of(table) is not None) == is_read
    assert version_of(table, 5) == 5  # whoever names a version needs nothing behind it


def test_the_first_checkpoint_may_be_that_of_the_first_version(tmp_path, monkeypatch):
    tables.append(tmp_path / "t", pa.table({"n": [1]}))
    tables.checkpoint(tmp_path / "t", 0)
    assert version_of(tmp_path / "t", 0) == 0
    tables.append(tmp_path / "t", pa.table({"n": [2]}))
    assert version_of(tmp_path / "t", 1) == 1


def payload(identity):
    return json.dumps({"id": identity})


def test_another_commit_of_that_number_comes_first_whatever_is_in_it(table):
    commit_file(table, 6).write_bytes(b"\xff\xfe")
    with pytest.raises(CommitFailedError, match="version 6 is there"):
        appending.commit(table, 5, [], payload("mine"), "mine")
    commit_file(table, 6).write_bytes(b"\xff mine \xfe")  # it was made, though it seemed not
    assert appending.commit(table, 5, [], payload("mine"), "mine") is True
    assert not list((table / "_delta_log").glob("_commit_*"))


def test_a_log_that_was_exchanged_is_looked_at_again(table):
    (table / "_delta_log").rename(table / "gone")
    with pytest.raises(CommitFailedError):
        appending.commit(table, 5, [], payload("mine"), "mine")


def test_a_commit_is_on_disk_before_it_has_its_name(table, monkeypatch):
    synced = []
    real = os.fsync

    def fsync(handle):
        synced.append((os.fstat(handle).st_size, commit_file(table, 6).exists()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    assert appending.commit(table, 5, [], payload("zürich"), "zürich") is True
    text = commit_file(table, 6).read_text("utf-8")
    assert synced == [(len(text.encode()), False)]
    assert "zürich" in text.replace("\\\\u00fc", "ü")
    assert json.loads(text)["commitInfo"]["operationParameters"]["mode"] == "Append"


def test_a_file_of_unknown_rows_beside_one_whose_column_is_called_as_their_count(table):
    """Then the statistics are read as JSON, and what they do not say is not known."""
    names = [tables.open(table).files[0].name, "part-x.parquet", "part-y.parquet"]
    told = ['{"numRecords": 1, "minValues": {"numRecords": 7}}', '{"minValues": {}}']
    for name, stats in zip(names[1:], told, strict=True):
        (table / name).write_bytes((table / names[0]).read_bytes())
        entry = {"path": name, "size": (table / name).stat().st_size, "partitionValues": {},
                 "modificationTime": 0, "dataChange": True, "stats": stats}  # fmt: skip
        number = newest.read(table / "_delta_log").version + 1
        lines = [{"commitInfo": {"timestamp": 0}}, {"add": entry}]
        commit_file(table, number).write_text("".join(json.dumps(one) + "\n" for one in lines))
    tables.checkpoint(table)
    state = newest.read(table / "_delta_log")
    assert [state.adds[name].rows for name in names] == [1, 1, None]
    assert tables.open(table).rows == 8


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_appends_nothing_though_it_needs_no_library(table):
    """What comes behind an append, checkpoints and small files, would need it."""
    tables.checkpoint(table)  # by the library, in the parent
    before = sorted(path.name for path in table.rglob("*"))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            told = f"made {tables.append(table, pa.table({'n': [6]}))}"
        except tables.TableError as error:
            told = str(error)
        os.write(write, told.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    assert told.startswith(f"{table}: tables can be read but not written in a process that was")
    assert sorted(path.name for path in table.rglob("*")) == before
    assert tables.append(table, pa.table({"n": [6]})) == 6
