"""What a stopped writer left is listed, and moved aside when asked, and nothing else is."""

import os
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

from geodata import tables
from geodata.cli import app
from geodata.tables.log import tagging

LEFT = [
    f"part-00000009-00000-{'0' * 32}.parquet",
    ".part-00000009-00001-ab.parquet.xyz.part",
    "_delta_log/_commit_1b2c.json.tmp",
    "_seals/.00000000000000000000.sha256.xyz.part",
    "_tags/.paper.json.xyz.part",
]
DAY_S = 86400.0


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "lake" / "photos"
    for n in range(2):
        tables.append(path, pa.table({"n": [n]}))
    write_deltalake(str(path), pa.table({"n": [2]}), mode="append")  # named by another tool
    tables.tag(path, "paper", 0)
    return path


def leave(path, names=LEFT, age_s=DAY_S):
    for name in names:
        pq.write_table(pa.table({"n": [7]}), path / name)
        os.utime(path / name, (time.time() - age_s,) * 2)


def test_they_are_listed_and_moved_aside(path):
    before = [tables.open(path, v).arrow()["n"].to_pylist() for v in range(3)]
    kept = {p for p in path.rglob("*") if p.is_file()}
    leave(path)
    assert tables.verify(path).orphans == tuple(sorted(LEFT))
    assert sorted(tables.repair(path)) == sorted(LEFT)
    assert tables.verify(path).orphans == ()
    assert {p for p in path.rglob("*") if p.is_file()} == kept
    aside = path.parent / "_leftovers" / "photos"
    assert all((aside / name).is_file() for name in LEFT)
    assert [tables.open(path, v).arrow()["n"].to_pylist() for v in range(3)] == before
    assert tables.names(path.parent) == ["photos"]
    assert tables.repair(path) == []


def test_equal_names_do_not_replace_each_other(path):
    for _ in range(3):
        leave(path, LEFT[:1])
        assert tables.repair(path) == LEFT[:1]
    aside = path.parent / "_leftovers" / "photos"
    assert sorted(p.name for p in aside.iterdir()) == [LEFT[0], f"{LEFT[0]}.2", f"{LEFT[0]}.3"]


@pytest.mark.parametrize(("age_s", "hours", "moves"), [
    (1800.0, 1.0, False), (5400.0, 1.0, True), (5400.0, 2.0, False), (0.0, 0.0, True),
])  # fmt: skip
def test_a_writer_that_is_at_work_keeps_its_files(path, age_s, hours, moves):
    leave(path, LEFT[:2], age_s)
    assert len(tables.repair(path, older_than_hours=hours)) == 2 * moves


@pytest.mark.parametrize("hours", [-1.0, float("nan")])
def test_a_time_that_is_none(path, hours):
    with pytest.raises(tables.TableError, match="older_than_hours"):
        tables.repair(path, older_than_hours=hours)


def test_a_link_to_nowhere_is_moved_as_it_is(path):
    (path / LEFT[0]).symlink_to("nowhere")
    (path / "folder.part").mkdir()
    (path / ".folder.part").mkdir()  # no file: nobody's half
    assert tables.verify(path).orphans == (LEFT[0],)
    assert tables.repair(path, older_than_hours=0) == [LEFT[0]]
    aside = path.parent / "_leftovers" / "photos" / LEFT[0]
    assert str(aside.readlink()) == "nowhere"
    assert tables.verify(path).orphans == ()


def test_with_a_log_that_cannot_be_read_nothing_moves(path):
    leave(path)
    (path / "_delta_log" / f"{1:020}.json").write_text("{")
    with pytest.raises(tables.TableChangedError, match="cannot be read"):
        tables.repair(path)
    assert all((path / name).exists() for name in LEFT)


def test_the_command(path):
    leave(path)
    where = ["dataset", "verify", "photos", "--lake", str(path.parent)]
    told = CliRunner().invoke(app, where).output
    assert told.count("(--repair)") == len(LEFT)
    told = CliRunner().invoke(app, [*where, "--repair"]).output
    assert told.count("moved ") == len(LEFT)
    assert "(--repair)" not in told


def test_a_version_that_cannot_be_opened_hides_nothing_of_the_others(tmp_path):
    path = tmp_path / "lake" / "t"
    for _ in range(2):
        tables.write(path, pa.table({"id": ["a", "b"]}))
    tables.checkpoint(path)  # the latest version does not need the first commit
    (path / "_delta_log" / f"{0:020d}.json").write_text('{"add": {"path": "../x.parquet"}}')
    (file,) = tables.open(path).files
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    report = tables.verify(path, 0)
    assert any("commit 0" in told for told in report.problems)
    assert any(file.name in told for told in report.problems)


def test_a_commit_that_cannot_be_read_hides_no_file_of_the_newest_version(tmp_path):
    """From a checkpoint on the newest version opens, whatever became of the first commit."""
    path = tmp_path / "t"
    for number in range(3):
        tables.append(path, pa.table({"id": [str(number)]}))
    tables.checkpoint(path)
    (path / "_delta_log" / f"{0:020}.json").write_text("x")
    file = tables.open(path).files[-1]
    file.unlink()
    for asked in (0, None):
        told = " ".join(tables.verify(path, asked).problems)
        assert "commit cannot be read" in told
        assert file.name in told


def test_each_tag_of_a_version_that_is_not_there_is_told(tmp_path):
    path = tmp_path / "t"
    tables.append(path, pa.table({"id": ["a"]}))
    tables.tag(path, "first")
    for name, number in (("x", 7), ("y", 8)):
        (path / "_tags" / f"{name}.json").write_text(tagging.text(name, number))
    told = tables.verify(path).problems
    assert [one.partition("there is no ")[2][:9] for one in told] == ["version 7", "version 8"]
    with pytest.raises(tables.VersionNotFoundError, match="there is no version 9"):
        tables.verify(path, 9)
