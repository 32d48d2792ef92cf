"""A photo that is forgotten is nowhere in the lake, and what is left is whole."""

import json
import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from typer.testing import CliRunner

from geodata import datasets, photos, tables
from geodata.cli import app
from geodata.tables import log
from geodata.tables.upkeep import exchanging, rewriting

SECRET = "zz/alice-4711.jpg"  # the largest id, so that it is in the ranges of the log
WORD = re.compile(r"alice-4711")


def metadata(names, lat=48.0):
    n = len(names)
    return pa.table({
        "IMG_ID": names, "AUTHOR": [f"{i % 3}@N00" for i in range(n)],
        "LAT": [lat + i / 100 for i in range(n)], "LON": [2.0 + i / 100 for i in range(n)],
    })  # fmt: skip


def some(count, start=0):
    return [f"aa/{i:06d}.jpg" for i in range(start, start + count)]


@pytest.fixture
def lake(tmp_path):
    """Several versions, tags, a checkpoint, a vacuumed version, derived tables, a kept input."""
    lake = tmp_path / "lake"
    path = lake / "photos"
    photos.import_(metadata([*some(9), SECRET]), path)
    photos.import_(metadata(some(9, 100), 35.0), path)
    tables.tag(path, "paper")
    photos.import_(metadata([SECRET, *some(5, 200)], 10.0), path)
    tables.checkpoint(path)
    tables.compact(path)
    test = tmp_path / "test.csv"
    test.write_text(f"photo_id,lat,lon\n{SECRET},48.0,2.0\nq.jpg,1.0,1.0\n")
    datasets.build("rand", lake, "sample", {"rows": "photos@paper"}, n=19, seed=3)
    datasets.build("exclude-benchmark", lake, "clean", {"rows": "photos", "benchmark": str(test)},
                   by="coordinate")  # fmt: skip
    datasets.build("filter", lake, "near", "photos", where=f"photo_id <> '{SECRET}'")
    tables.write(lake / "other", pa.table({"a": [1]}))
    return lake


def every_text(folder):
    """Yield file and text of everything below, cells of Parquet files included."""
    for file in folder.rglob("*"):
        if file.is_file():
            if file.suffix == ".parquet":
                yield file, str(pq.read_table(file).to_pylist())
            yield file, file.read_bytes().decode("latin-1")


def holding(folder):
    return {str(file) for file, text in every_text(folder) if WORD.search(text)}


def ids(path, version=None):
    return tables.open(path, version).arrow()["photo_id"].to_pylist()


def test_a_photo_is_nowhere_and_all_else_is_there(lake):
    names = ("photos", "sample", "clean", "near")
    versions = {name: len(tables.history(lake / name)) for name in names}
    before = {(n, v): ids(lake / n, v) for n in names for v in range(versions[n])}
    other = {f.name: f.stat().st_ino for f in (lake / "other").glob("*.parquet")}
    assert len(holding(lake)) > 8
    found = tables.forget(lake, [SECRET])
    assert holding(lake) == set()
    assert (found.missing, found.holding, set(found.rows)) == (
        (),
        (),
        {"photos", "sample", "clean"},
    )
    assert found.rows["photos"] == 4, "two imports and both once more, compacted"
    assert len(found.inputs) == 1
    assert "test.csv, an input of clean" in found.elsewhere
    for (name, version), had in before.items():
        assert ids(lake / name, version) == [one for one in had if one != SECRET]
        theirs = DeltaTable(str(lake / name), version=version).to_pyarrow_table()["photo_id"]
        assert sorted(theirs.to_pylist()) == sorted(ids(lake / name, version))
        report = tables.verify(lake / name, version)
        assert (report.problems, report.is_sealed) == ((), True)
        assert report.content_hash == tables.open(lake / name, version).content_hash
    assert tables.tags(lake / "photos") == {"paper": 1}
    newest = tables.history(lake / "photos")[0]
    assert (newest.kind, newest.rows_added) == ("forget", 0)
    assert newest.note["forgot"] == {"photos": 1, "rows": 4}
    assert newest.note["source"]["format"] == "table"
    assert other == {f.name: f.stat().st_ino for f in (lake / "other").glob("*.parquet")}
    assert sorted(p.name for p in lake.iterdir()) == [
        "_inputs", "_private", "clean", "near", "other", "photos", "sample"
    ]  # fmt: skip
    photos.import_(metadata(["late.jpg"]), lake / "photos")
    assert tables.verify(lake / "photos").ok


def test_a_derived_table_knows_its_inputs_again(lake):
    tables.forget(lake, [SECRET])
    for name in ("sample", "near"):
        (reference,) = tables.open(lake / name).note["inputs"].values()
        used = tables.open(lake / "photos", reference["version"])
        assert reference == used.reference()
    assert "(forgotten)" in json.dumps(tables.open(lake / "near").note)
    assert datasets.audit(lake, "sample")


def test_one_table_only_says_what_still_holds_it(lake):
    found = tables.forget(lake / "photos", [SECRET, "never-there"])
    assert (found.missing, set(found.rows)) == (("never-there",), {"photos"})
    assert list(found.holding) == sorted(found.holding)
    tops = {file.partition("/")[0] for file in found.holding}
    assert tops == {"sample", "clean", "near", "_inputs"}
    assert SECRET not in ids(lake / "photos")
    assert {str(lake / file) for file in found.holding} == holding(lake)
    (reference,) = tables.open(lake / "sample").note["inputs"].values()
    assert reference == tables.open(lake / "photos", "paper").reference()


def test_again_changes_nothing(lake):
    tables.forget(lake, [SECRET])
    before = {file: file.stat().st_mtime_ns for file in lake.rglob("*") if file.is_file()}
    found = tables.forget(lake, [SECRET])
    assert (found.rows, found.missing) == ({}, (SECRET,))
    assert before == {file: file.stat().st_mtime_ns for file in lake.rglob("*") if file.is_file()}


def test_vacuumed_versions_keep_no_range(tmp_path):
    path = tmp_path / "t"
    for n, name in enumerate((SECRET, "b", "c")):
        tables.write(path, pa.table({"photo_id": ["a", name], "n": [n, n]}))
    tables.vacuum(path, retention_hours=0)
    assert holding(tmp_path)
    tables.forget(path, [SECRET])
    assert holding(tmp_path) == set()
    report = tables.verify(path)
    assert (report.problems, report.is_sealed) == ((), True)
    assert ids(path) == ["a", "c"]


def test_the_last_row_of_a_table_and_a_column_of_another_name(tmp_path):
    path = tmp_path / "t"
    tables.write(path, pa.table({"who": pa.array(["x1"]), "s": [{"k": 1}]}))
    assert tables.forget(path, ["x1"]).rows == {}
    assert tables.forget(path, ["x1"], column="who").rows == {"t": 1}
    assert tables.open(path).rows == 0
    assert tables.verify(path).ok
    tables.append(path, pa.table({"who": ["x2"], "s": [{"k": 2}]}))
    assert tables.open(path).arrow()["who"].to_pylist() == ["x2"]


def test_numbers_as_ids(tmp_path):
    tables.write(tmp_path / "t", pa.table({"photo_id": pa.array([7, 77, None], pa.int64())}))
    assert tables.forget(tmp_path, ["7"]).rows == {"t": 1}
    assert ids(tmp_path / "t") == [77, None]


def test_what_a_stopped_writer_left_goes_too(lake):
    left = lake / "photos" / f"part-00000009-00000-{'0' * 32}.parquet"
    pq.write_table(pa.table({"photo_id": [SECRET]}), left)
    half = lake / "photos" / ".part-x.part"
    half.write_bytes(b"PAR1 " + SECRET.encode())
    other = lake / "photos" / f"part-00000009-00001-{'0' * 32}.parquet"
    pq.write_table(pa.table({"photo_id": ["me"]}), other)
    tables.forget(lake, [SECRET])
    assert (left.exists(), half.exists(), other.exists()) == (False, False, True)


STEPS = [
    (rewriting, "_complete"),
    (rewriting, "_add_commit"),
    (log, "seal"),
    (rewriting, "take_place"),
    (exchanging, "_exchange"),
]


@pytest.mark.parametrize("step", [0, 1, 2, 3, 4, "after"])
def test_a_kill_leaves_a_table_as_it_was_or_done(tmp_path, step):
    path = tmp_path / "photos"
    for n in range(2):
        tables.append(path, pa.table({"photo_id": [f"{n}", SECRET]}))
    pid = os.fork()
    if not pid:
        try:
            if step == "after":
                real = exchanging._exchange

                def exchange(a, b):
                    real(a, b)
                    os._exit(9)

                exchanging._exchange = exchange
            else:
                module, name = STEPS[step]
                setattr(module, name, lambda *args: os._exit(9))
            tables.forget(path, [SECRET])
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    had = [SECRET in ids(path, v) for v in range(2)]
    assert had in ([True, True], [False, False])
    assert had[0] == (step != "after")
    (problem,) = tables.verify(path).problems
    assert "forget again" in problem
    tables.forget(path, [SECRET])
    assert holding(tmp_path) == set()
    assert tables.verify(path).ok
    assert [ids(path, v) for v in range(2)] == [["0"], ["0", "1"]]


def test_a_commit_made_meanwhile_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "photos"
    tables.append(path, pa.table({"photo_id": ["a", SECRET]}))
    real = rewriting.take_place

    def late(root, version):
        tables.append(path, pa.table({"photo_id": ["b"]}))
        real(root, version)

    monkeypatch.setattr(rewriting, "take_place", late)
    with pytest.raises(tables.TableConflictError, match="nothing was changed"):
        tables.forget(path, [SECRET])
    monkeypatch.undo()
    assert ids(path) == ["a", SECRET, "b"]
    assert tables.verify(path).ok
    tables.forget(path, [SECRET])
    assert ids(path) == ["a", "b"]


def test_rows_written_meanwhile_are_carried_over(tmp_path, monkeypatch):
    path = tmp_path / "photos"
    tables.append(path, pa.table({"photo_id": ["a", SECRET]}))
    real = exchanging._exchange
    late = path / f"part-00000001-00000-{'0' * 32}.parquet"

    def exchange(a, b):
        pq.write_table(pa.table({"photo_id": ["b"]}), late)
        real(a, b)

    monkeypatch.setattr(exchanging, "_exchange", exchange)
    tables.forget(path, [SECRET])
    assert late.is_file()


def test_a_damaged_table_is_not_sealed_again(lake):
    file = lake / "photos" / log.LOG / f"{0:020}.json"
    file.write_text(file.read_text().replace("numRecords", "numrecords"))
    with pytest.raises(tables.TableChangedError, match="commit 0 or its seal"):
        tables.forget(lake, [SECRET])
    assert not (lake / exchanging.FOLDER).exists()
    assert pc.sum(pc.equal(tables.open(lake / "sample").arrow()["photo_id"], SECRET)).as_py() == 1


@pytest.mark.parametrize("given", [[], [""], [1], ["a", None]])
def test_ids_that_are_none(lake, given):
    with pytest.raises(tables.TableError, match="expected texts"):
        tables.forget(lake, given)


def test_a_folder_without_tables(tmp_path):
    with pytest.raises(tables.TableNotFoundError):
        tables.forget(tmp_path, ["a"])


def test_the_command(lake, tmp_path):
    listed = tmp_path / "ids.txt"
    listed.write_text(f"\n{SECRET}\n\n")
    run = CliRunner().invoke
    done = run(app, ["tables", "forget", "photos", "--lake", str(lake), "--ids", str(listed)])
    assert done.exit_code == 1
    assert "photos: 4 rows removed" in done.output
    assert "still in sample/" in done.output
    done = run(app, ["tables", "forget", "--lake", str(lake), "--id", SECRET])
    assert done.exit_code == 0, done.output
    assert "sample: 1 rows removed" in done.output
    assert "removed the copy _inputs/" in done.output
    assert "exports, cards, backups" in done.output
    assert holding(lake) == set()
    assert isinstance(run(app, ["tables", "forget", "--lake", str(lake)]).exception, ValueError)
    done = run(
        app, ["tables", "forget", "other", "--lake", str(lake), "--id", "7", "--column", "a"]
    )
    assert (done.exit_code, "no table has the id" in done.output) == (1, True)


def test_only_copies_that_hold_the_id_are_removed(lake, tmp_path):
    """The other inputs stay as they are, and so does what is no file."""
    kept = tmp_path / "kept.csv"
    kept.write_text("photo_id,lat,lon\nzz/alice-47110.jpg,48.0,2.0\nq.jpg,1.0,1.0\n")
    datasets.build("exclude-benchmark", lake, "rest", {"rows": "photos", "benchmark": str(kept)},
                   by="coordinate")  # fmt: skip
    (lake / "_inputs" / "folder").mkdir()
    own = ["b.txt", "d.txt", "a.txt", "e.txt", "c.txt"]
    for name in own:
        (lake / "_inputs" / name).write_text(f"of {SECRET}.")
    before = {file.name for file in (lake / "_inputs").iterdir()}
    found = tables.forget(lake, [SECRET])
    assert len(found.inputs) == 6
    assert list(found.inputs) == sorted(found.inputs)
    left = {file.name for file in (lake / "_inputs").iterdir()}
    assert before - left == {Path(name).name for name in found.inputs} > set(own)
    assert [(lake / "_inputs" / one).read_text() for one in left - {"folder"}] == [kept.read_text()]
