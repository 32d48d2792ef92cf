"""A folder of records is there when it is whole; what was finished waits beside it."""

import os
from pathlib import Path

import pytest

from geodata.records import RecordError
from geodata.records.partial import partial_folder


def names(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


def test_a_whole_folder_takes_its_place(tmp_path):
    with partial_folder(tmp_path / "out", "a") as beside:
        assert not (tmp_path / "out").exists()
        assert (beside.parent, beside.name[:5], beside.suffix) == (tmp_path, ".out.", ".partial")
        assert len(beside.name) == len(".out.") + 16 + len(".partial")
        (beside / "x.txt").write_text("x")
    assert names(tmp_path) == ["out", "out/x.txt"]


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.tar", "data/a.tar"])
def test_what_was_finished_waits_for_the_same_stamp(tmp_path, name):
    def broken(stamp):
        with partial_folder(tmp_path / "out", stamp) as beside:
            (beside / name).parent.mkdir(exist_ok=True)
            (beside / name).write_text("whole")
            (beside / "b.parquet.part").write_text("half")
            (beside / "data").mkdir(exist_ok=True)
            (beside / "data" / "b.tar.part").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken("a")
    with partial_folder(tmp_path / "out", "b") as beside:
        assert names(beside) == []
        (beside / "x").write_text("")
    assert names(tmp_path / "out") == ["x"]
    (tmp_path / "out" / "x").unlink()
    with partial_folder(tmp_path / "out", "a") as beside:
        assert (beside / name).read_text() == "whole"
        assert not [one for one in names(beside) if one.endswith(".part")]
    assert (tmp_path / "out" / name).is_file()
    assert [one for one in names(tmp_path) if one.startswith(".")] == []


@pytest.mark.parametrize("name", ["a.txt", ".hidden.parquet", "a.parquet.part"])
def test_what_is_not_finished_is_not_kept(tmp_path, name):
    def broken():
        with partial_folder(tmp_path / "out", "a") as beside:
            (beside / name).write_text("x")
            raise ValueError

    with pytest.raises(ValueError):
        broken()
    assert names(tmp_path) == []


def test_an_empty_folder_may_be_there_and_nothing_else(tmp_path):
    (tmp_path / "out").mkdir()
    with partial_folder(tmp_path / "out", "a") as beside:
        (beside / "x").write_text("")
    for taken in (tmp_path / "out", tmp_path / "out" / "x"):
        with pytest.raises(RecordError) as told, partial_folder(taken, "a"):
            pass
        assert str(told.value) == (
            f"{taken} exists and is not an empty folder; choose another one to write to"
        )
    with pytest.raises(RecordError) as told, partial_folder(tmp_path / "no" / "out", "a"):
        pass
    assert str(told.value) == f"{tmp_path / 'no'}: there is no such folder; create it first"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_to_a_folder_is_followed(tmp_path, is_there):
    """It was told behind the last row only, after hours."""
    real = tmp_path / "disk" / "real"
    (real if is_there else real.parent).mkdir(parents=True)
    (tmp_path / "out").symlink_to(real)
    with partial_folder(tmp_path / "out", "a") as beside:
        assert beside.parent == real.parent  # of one disk, so that it can take the place
        (beside / "x").write_text("")
    assert (tmp_path / "out").is_symlink()
    assert names(tmp_path) == ["disk", "disk/real", "disk/real/x", "out"]


@pytest.mark.parametrize("out", [".", "../here", "../link"])
def test_the_working_folder_is_not_replaced(tmp_path, monkeypatch, out):
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to("here")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(RecordError) as told, partial_folder(Path(out), "a"):
        pass
    assert str(told.value) == f"{out} is the working folder; name a new one in it"
    assert names(tmp_path) == ["here", "link"]


def test_one_writer_at_a_time_for_one_stamp(tmp_path):
    out = tmp_path / "out"
    with partial_folder(out, "a") as first:
        (first / "x").write_text("")
        with pytest.raises(RecordError) as told, partial_folder(out, "a"):
            pass
        assert str(told.value) == (
            f"{out}: another process writes the same records there; wait for it"
        )
        assert names(first) == ["x"]
    assert names(out) == ["x"]


def test_a_lock_that_a_killed_writer_left_holds_nobody_up(tmp_path):
    """It ends with the process, not with its file."""
    with partial_folder(tmp_path / "out", "a") as beside:
        (left,) = tmp_path.glob(".out.*.lock")
        (beside / "x").write_text("")
    (tmp_path / "out" / "x").unlink()
    left.write_text("")
    with partial_folder(tmp_path / "out", "a") as beside:
        (beside / "y").write_text("")
    assert names(tmp_path) == ["out", "out/y"]


def test_a_folder_that_cannot_be_removed_hides_no_error(tmp_path, monkeypatch):
    """Of an error in the rows the user hears, not of what was left behind."""

    def broken():
        with partial_folder(tmp_path / "out", "a"):
            {}["the reason"]

    def refused(*_, **__):
        raise PermissionError("not empty")

    monkeypatch.setattr(os, "rmdir", refused)
    with pytest.raises(KeyError, match="the reason"):
        broken()
    monkeypatch.undo()
    with partial_folder(tmp_path / "out", "a") as beside:
        (beside / "x").write_text("")
    assert [one for one in names(tmp_path) if one.startswith(".")] == []
