"""A write is whole or not there, follows a link, and keeps who may read the file."""

import os

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
