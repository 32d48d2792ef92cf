"""A write is whole or not there, follows a link, and keeps who may read the file."""

import os
from pathlib import Path

import pytest

from geodata import files


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_the_mode_of_a_file_stays(tmp_path, mode):
    target = tmp_path / "a"
    target.write_text("old")
    target.chmod(mode)
    files.write_text(target, "new")
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", mode)


def test_a_new_file_has_the_mode_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        files.write_text(tmp_path / "a", "new")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_an_executable_or_set_id_bit_is_no_part_of_who_may_read(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o4755)
    files.write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o755


def test_a_link_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/a")
    (tmp_path / "two").symlink_to("link")
    for text in ("new", "newer"):
        files.write_text(tmp_path / "two", text)
        assert (tmp_path / "there" / "a").read_text() == text
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "two").is_symlink()
    assert [p.name for p in (tmp_path / "there").iterdir()] == ["a"]


def test_a_link_to_nowhere_and_a_circle(tmp_path):
    (tmp_path / "link").symlink_to("none/a")
    with pytest.raises(files.FileError, match="does not exist"):
        files.write_text(tmp_path / "link", "x")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises((files.FileError, OSError)):
        files.write_text(tmp_path / "circle", "x")


def test_a_pipe_is_no_file_to_replace(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(files.FileError, match="not a regular file"):
        files.write_text(tmp_path / "pipe", "x")
    assert [p.name for p in tmp_path.iterdir()] == ["pipe"]


def watched(monkeypatch, refuses=lambda path: False):
    """Note what is synced, by its path, and what is renamed, in their order."""
    done, sync, replace = [], os.fsync, Path.replace

    def fsync(handle):
        path = Path(f"/proc/self/fd/{handle}").readlink()
        done.append(("sync", path))
        if refuses(path):
            raise OSError(5, "Input/output error")
        sync(handle)

    def renamed(path, target):
        done.append(("rename", path))
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", renamed)
    return done


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="names of handles are Linux's")
def test_what_is_written_is_synced_before_it_has_its_name_and_then_the_name(tmp_path, monkeypatch):
    """Or a machine that loses power then has an empty file under the name."""
    done = watched(monkeypatch)
    with files.replacing(tmp_path / "a") as beside:
        beside.write_text("new")
        assert done == []
    assert done == [("sync", beside), ("rename", beside), ("sync", tmp_path)]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="names of handles are Linux's")
def test_a_disk_that_does_not_take_a_file_leaves_the_old_one(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")
    with monkeypatch.context() as patch:
        done = watched(patch, lambda path: path.name.endswith(".part"))
        with pytest.raises(OSError, match="Input/output error"):
            files.write_text(tmp_path / "a", "new")
    assert [what for what, _ in done] == ["sync"]
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    watched(monkeypatch, lambda path: path.is_dir())  # some file systems sync no folder
    files.write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"


def test_what_is_half_written_is_no_file_of_its_folder(tmp_path):
    """Whoever reads the folder meanwhile sees what was there."""
    (tmp_path / "a.csv").write_text("id\nold\n")
    for name in ("a.csv", "b.csv"):
        with files.replacing(tmp_path / name) as beside:
            beside.write_text("id\nhalf")
            assert files.open_source(tmp_path).paths == (tmp_path / "a.csv",)
            assert beside.parent == tmp_path
