"""A table from a stranger: its log names only what is the table's, and verify says what it is."""

import json
import os
import random
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from geodata import query, tables
from geodata.tables.log import checkpoints

SECRET = "not-the-tables-own"


def rows(*values):
    return pa.table({"word": pa.array(values, pa.string())})


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "lake" / "photos"
    tables.append(path, rows("a", "b"))
    return path


@pytest.fixture
def secret(tmp_path):
    secret = tmp_path / "secret.parquet"
    pq.write_table(rows(SECRET, "x"), secret)
    return secret


def add(path, name, size):
    """Commit a file by hand, as a stranger's log has it."""
    version = tables.open(path).version + 1
    entry = {"path": name, "size": size, "partitionValues": {}, "modificationTime": 0}
    entry |= {"dataChange": True, "stats": '{"numRecords": 2}'}
    file = path / "_delta_log" / f"{version:020}.json"
    file.write_text(
        json.dumps({"commitInfo": {"timestamp": 0}}) + "\n" + json.dumps({"add": entry})
    )


def refused(path, tmp_path, match):
    """Check that every door to the rows is closed, and that nothing is written or removed."""
    lake, out = path.parent, tmp_path / "out"
    calls = [
        lambda: tables.open(path),
        lambda: tables.export(path, out),
        lambda: tables.card(path),
        lambda: tables.compact(path),
        lambda: tables.append(path, rows("c")),
        lambda: tables.vacuum(path, retention_hours=0),
        lambda: tables.diff(path, 0, None),
        lambda: tables.restore(path, 1),
        lambda: query.run("FROM photos", lake=lake),
        lambda: tables.open_rows(path).tables(),
    ]
    before = state(tmp_path)
    for call in calls:
        with pytest.raises(tables.TableChangedError, match=match) as raised:
            call()
        assert SECRET not in str(raised.value)
    report = tables.verify(path)
    assert not report.ok
    assert report.content_hash is None
    assert state(tmp_path) == before
    assert [c.version for c in tables.history(path)] == [1, 0]  # history opens no file of a version


def state(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


NAMES = [
    "../../secret.parquet",
    "..%2F..%2Fsecret.parquet",
    "{folder}/secret.parquet",
    "file://{folder}/secret.parquet",
    "./../../secret.parquet",
    "x/../../../secret.parquet",
    "..",
    "s3://bucket/x.parquet",
    "_delta_log/00000000000000000000.json",
    "sub/x.parquet",
    "..\\secret.parquet",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_log_cannot_name_another_folder(path, secret, tmp_path, name):
    (path / "sub").mkdir()
    shutil.copy(secret, path / "sub" / "x.parquet")
    add(path, name.format(folder=tmp_path), secret.stat().st_size)
    refused(path, tmp_path, r"is not the bare name of a file|cannot be read|is gone")


def test_100_generated_names_of_elsewhere(path, secret, tmp_path):
    rng = random.Random(0)
    log = path / "_delta_log" / f"{1:020}.json"
    for _ in range(100):
        parts = [rng.choice(["..", ".", "", "%2e%2e", "x", "..%2f.."]) for _ in range(4)]
        name = rng.choice(["", "/", "file://", "//"]) + "/".join(parts) + "/secret.parquet"
        add(path, name, secret.stat().st_size)
        with pytest.raises(tables.TableError) as raised:
            tables.open(path).arrow()
        assert SECRET not in str(raised.value), name
        assert not tables.verify(path).ok, name
        log.unlink()


def test_links_that_lead_outside_are_refused(path, secret, tmp_path):
    (path / "part-x.parquet").symlink_to(secret)
    add(path, "part-x.parquet", secret.stat().st_size)
    refused(path, tmp_path, "is a link to another place")


def test_links_inside_are_followed(path):
    file = tables.open(path).files[0]
    file.rename(path / "kept.parquet")
    file.symlink_to("kept.parquet")
    assert tables.open(path).arrow() == rows("a", "b")
    assert tables.verify(path).ok


@pytest.mark.parametrize("target", ["sub/x.parquet", "sub", "../photos/../x.parquet", "sub/../sub"])
def test_links_into_a_folder_of_the_table_are_refused(path, secret, tmp_path, target):
    """A table's files lie side by side; what is below may be anything."""
    (path / "sub").mkdir()
    shutil.copy(secret, path / "sub" / "x.parquet")
    shutil.copy(secret, path.parent / "x.parquet")
    (path / "part-x.parquet").symlink_to(target)
    add(path, "part-x.parquet", secret.stat().st_size)
    with pytest.raises(
        tables.TableChangedError, match=r"is a link to another place|is not a regular file"
    ):
        tables.open(path)


def test_a_table_behind_a_link_is_a_table(path, tmp_path):
    (tmp_path / "linked").symlink_to(path)
    assert tables.open(tmp_path / "linked").rows == 2


def test_a_pipe_is_no_file(path, tmp_path):
    os.mkfifo(path / "part-x.parquet")
    add(path, "part-x.parquet", 0)
    refused(path, tmp_path, "is not a regular file")


@pytest.mark.parametrize("what", ["log", "commit", "checkpoint"])
def test_a_log_that_is_a_link_is_refused(path, tmp_path, what):
    log = path / "_delta_log"
    name = {"log": "", "commit": f"{0:020}.json", "checkpoint": f"{0:020}.checkpoint.parquet"}[what]
    tables.checkpoint(path)
    place = log / name if name else log
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    with pytest.raises(tables.TableChangedError, match="is a link to another place"):
        tables.open(path)


# verify


def test_a_checkpoint_that_names_other_files_is_found(path):
    """The commits and their seals are whole; the library would read the checkpoint."""
    poisoned = path.parent / "poisoned"
    shutil.copytree(path, poisoned)
    tables.write(poisoned, rows("p", "q"))
    tables.append(path, rows("c", "d"))
    theirs = tables.open(poisoned).files[0]
    shutil.copy(theirs, path / theirs.name)
    assert (tables.checkpoint(poisoned), tables.verify(path).ok) == (1, True)
    name = f"{1:020}.checkpoint.parquet"
    shutil.copy(poisoned / "_delta_log" / name, path / "_delta_log" / name)
    assert tables.open(path).arrow()["word"].to_pylist() == ["p", "q"]
    report = tables.verify(path)
    assert any("names other files than the commits" in p for p in report.problems)
    assert tables.verify(path, expect=tables.open(path, 0).content_hash).ok is False


def test_damaged_checkpoints_are_found(path):
    tables.checkpoint(path)
    for file in [
        path / "_delta_log" / f"{0:020}.checkpoint.parquet",
        path / "_delta_log" / checkpoints.HINT,
    ]:
        whole = file.read_bytes()
        for at in range(0, len(whole), max(1, len(whole) // 40)):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            assert not tables.verify(path).ok, (file.name, at)
        file.write_bytes(whole)
    assert tables.verify(path).ok
    (path / "_delta_log" / f"{0:020}.checkpoint.parquet").unlink()
    assert any("is gone" in p for p in tables.verify(path).problems)


def test_expect_tells_a_table_replaced_as_a_whole(path):
    report = tables.verify(path)
    published, sha256 = report.content_hash, report.sha256
    assert tables.verify(path, expect=published).ok
    assert tables.verify(path, expect=sha256.upper()).ok
    shutil.rmtree(path)
    tables.append(path, rows("a", "c"))
    assert tables.verify(path).ok  # it agrees with itself
    for expected in (published, sha256):
        report = tables.verify(path, expect=expected)
        assert not report.ok
        assert "this is not what was published" in report.problems[0]


def test_expect_is_of_the_version_that_is_asked_for(path):
    first = tables.open(path).content_hash
    tables.append(path, rows("c"))
    assert not tables.verify(path, expect=first).ok
    assert tables.verify(path, 0, expect=first).ok


def test_equal_rows_written_again_have_the_same_content_and_another_sha256(path, tmp_path):
    again = tmp_path / "again"
    tables.append(again, rows("a", "b"))
    ours, theirs = tables.verify(path), tables.verify(again)
    assert ours.content_hash == theirs.content_hash
    assert ours.sha256 != theirs.sha256


@pytest.mark.parametrize("expect", ["", "abc", "z" * 64, "a" * 63])
def test_what_is_expected_is_a_hash(path, expect):
    with pytest.raises(tables.TableError, match="is not a hash"):
        tables.verify(path, expect=expect)


def test_a_content_that_a_commit_claims_is_checked(path):
    """The total of a version in its commit is what `content_hash` is made from."""
    log = path / "_delta_log" / f"{0:020}.json"
    info, *rest = log.read_text().splitlines()
    found = json.loads(info)
    if "commitInfo" not in found:
        rest, info = [info, *rest[:-1]], rest[-1]
        found = json.loads(info)
    ours = json.loads(found["commitInfo"]["geodata"])
    assert ours["total"] == next(iter(ours["files"].values()))["content"]
    ours["total"][1] += 1
    found["commitInfo"]["geodata"] = json.dumps(ours)
    log.write_text("\n".join([json.dumps(found), *rest]) + "\n")
    for seal in (path / "_seals").iterdir():
        seal.unlink()
    assert any("does not hold the rows" in p for p in tables.verify(path).problems)


@pytest.mark.parametrize("files", [[1], 5, "x", None])
def test_what_a_commit_recorded_may_be_anything(path, files):
    """It is told, and the rest is looked at all the same."""
    ours = json.dumps({"kind": "append", "files": files})
    line = {"commitInfo": {"timestamp": 0, "geodata": ours}}
    (path / "_delta_log" / f"{1:020}.json").write_text(json.dumps(line) + "\n")
    lost = tables.open(path).files[0]
    whole = lost.read_bytes()
    problems = tables.verify(path).problems
    assert any(one.startswith("what the commits recorded cannot be read: ") for one in problems)
    lost.unlink()
    assert any(lost.name in one for one in tables.verify(path).problems)
    lost.write_bytes(whole)
    assert tables.open(path).arrow() == rows("a", "b")


def test_missing_seals_and_hashes_are_told(tmp_path):
    path = tmp_path / "theirs"
    write_deltalake(str(path), rows("a"))
    report = tables.verify(path)
    assert (report.ok, report.is_sealed, report.unsealed) == (True, False, (0,))
    assert len(report.unrecorded) == 1
    assert tables.compact(path) == 1
    report = tables.verify(path)
    assert (report.ok, report.is_sealed, report.unsealed, report.unrecorded) == (True, True, (), ())
