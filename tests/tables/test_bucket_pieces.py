"""Tables in a bucket piece by piece; a folder stands for the store, `test_buckets` asks one."""

import dataclasses
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.transaction import create_table_with_add_actions

from geodata import tables
from geodata.tables import buckets, commits, log
from geodata.tables.buckets import mirrors, objects
from geodata.tables.log import addresses

local = pytest.importorskip("fsspec.implementations.local")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The folder in which what is written to ``s3://`` lies."""

    def here(address):
        return str(tmp_path / "store" / address.partition("://")[2])

    (tmp_path / "store").mkdir()
    whole = pafs.PyFileSystem(pafs.FSSpecHandler(local.LocalFileSystem(auto_mkdir=True)))
    system = pafs.SubTreeFileSystem(str(tmp_path / "store"), whole)
    monkeypatch.setattr(objects, "system_of", lambda a: (system, a.partition("://")[2]))
    monkeypatch.setattr(objects, "DeltaTable", lambda a, version=None: DeltaTable(here(a), version))
    monkeypatch.setattr(
        objects, "create_table_with_add_actions",
        lambda a, *given, **more: create_table_with_add_actions(here(a), *given, **more),
    )  # fmt: skip
    monkeypatch.setattr(mirrors, "_folders_of", {})
    monkeypatch.setattr(addresses, "_views", {})
    yield tmp_path / "store"
    for folder, _ in mirrors._folders_of.values():
        folder.cleanup()


TABLE = "s3://bucket/lake/t"


def rows(*values, **more):
    return pa.table({"n": pa.array(values, pa.int64()), **more})


def numbers(version, **asked):
    return [n for table in version.batches(**asked) for n in table["n"].to_pylist()]


def test_versions_are_those_of_a_folder(store, tmp_path):
    for path in (TABLE, tmp_path / "lake" / "t"):
        assert tables.append(path, rows(1, 2), {"by": "us"}) == 0
        assert tables.append(path, rows(3, 4, 5), file_rows=2) == 1
        assert tables.write(path, rows(9)) == 2
    for number, wanted in ((0, [1, 2]), (1, [1, 2, 3, 4, 5]), (2, [9])):
        there, here = (
            buckets.open_bucket(TABLE, number),
            tables.open(tmp_path / "lake" / "t", number),
        )
        assert (there.address, there.version, there.rows) == (TABLE, number, here.rows)
        assert (there.content_hash, there.schema) == (here.content_hash, here.schema)
        assert numbers(there) == numbers(here) == wanted
        assert buckets.open_bucket(f"{TABLE}@{number}") == there
        assert len(there.files) == len(here.files)
    assert buckets.open_bucket(TABLE) == there
    assert buckets.open_bucket(f"{TABLE}@0", 1).version == 1
    first = buckets.open_bucket(TABLE, 1)
    assert [file.name[:14] for file in first.files] == ["part-00000000-", *["part-00000001-"] * 2]
    assert set(first.recorded()) == {file.name for file in first.files}
    notes = [objects._noted(TABLE, number) for number in range(3)]
    assert [note["kind"] for note in notes] == ["append", "append", "write"]
    assert notes[0]["note"] == {"by": "us"}
    assert [len(t) for t in first.batches(batch_rows=1)] == [1] * 5
    assert sorted(path.name for path in store.iterdir()) == ["bucket"]


def test_a_source_of_a_bucket(store):
    tables.append(TABLE, rows(1, 2, at=[{"lat": 1.0}] * 2, o=["x", "y"]))
    source = tables.open_rows(TABLE)
    assert (source.name, source.columns, source.kind, source.rows) == (
        f"{TABLE}@0", ("n", "at.lat", "o"), "table", 2
    )  # fmt: skip
    assert source.reference == {
        "address": TABLE, "version": 0, "rows": 2,
        "content_hash": buckets.open_bucket(TABLE).content_hash,
    }  # fmt: skip
    (table,) = source.tables(["at.lat"])
    assert table.to_pydict() == {"at": [{"lat": 1.0}] * 2}
    assert [len(t) for t in source.tables(rows=1)] == [1, 1]


def test_columns_of_a_bucket_stay(store):
    tables.append(TABLE, rows(1, o=["x"]))
    assert tables.append(TABLE, rows(2)) == 1
    assert buckets.open_bucket(TABLE).of_file is not None
    whole = pa.concat_tables(buckets.open_bucket(TABLE).batches())
    assert whole.to_pydict() == {"n": [1, 2], "o": ["x", None]}
    assert pa.concat_tables(buckets.open_bucket(TABLE).batches(["o"])).column_names == ["o"]
    with pytest.raises(tables.TableSchemaError) as told:
        tables.append(TABLE, rows(3, new=[1], newer=[2]))
    assert str(told.value) == f"{TABLE} has no column 'new'; a table in a bucket keeps its columns"
    assert len(list(store.rglob("*.parquet"))) == 2
    assert tables.write(TABLE, rows(3, new=[1])) == 2
    assert buckets.open_bucket(TABLE).schema.names == ["n", "new"]


def test_what_is_not_there_is_told(store, monkeypatch):
    with pytest.raises(tables.TableNotFoundError, match=f"^{TABLE}: there is no table; make one"):
        buckets.open_bucket(TABLE)
    with pytest.raises(tables.TableNotFoundError):
        buckets.open_bucket(TABLE, 3)
    tables.append(TABLE, rows(1))
    with pytest.raises(tables.VersionNotFoundError, match=f"^{TABLE}: there is no version 7"):
        buckets.open_bucket(TABLE, 7)

    def load(address, version=None):
        raise objects.DeltaError("no answer\nand more")

    monkeypatch.setattr(objects, "DeltaTable", load)
    with pytest.raises(tables.TableError) as told:
        buckets.open_bucket(TABLE)
    assert str(told.value) == (
        f"{TABLE}: the bucket cannot be read (no answer); {objects.keys_of(TABLE)}"
    )


def test_what_another_tool_made_has_no_recorded_content(store):
    tables.append(TABLE, rows(1))
    write_deltalake(str(store / "bucket/lake/t"), rows(2), mode="append")
    theirs = buckets.open_bucket(TABLE)
    assert (theirs.total, theirs.content_hash, sorted(numbers(theirs))) == (None, None, [1, 2])
    tables.append(TABLE, rows(3))
    assert buckets.open_bucket(TABLE).total is None
    assert len(buckets.open_bucket(TABLE).recorded()) == 2
    tables.write(TABLE, rows(4))
    assert buckets.open_bucket(TABLE).content_hash is not None
    sums, problems = objects.problems_of(theirs)
    assert (sums.rows, problems) == (2, [])
    report = tables.verify(TABLE, 1)
    assert (report.ok, report.files, len(report.unrecorded), report.sha256) == (True, 2, 1, None)


def test_damage_is_told_by_the_file(store):
    tables.append(TABLE, rows(*range(100)))
    tables.append(TABLE, rows(7))
    version = buckets.open_bucket(TABLE)
    first, second = (store / "bucket/lake/t" / file.name for file in version.files)
    assert objects.problems_of(version)[1] == []
    report = tables.verify(TABLE)
    assert (report.ok, report.path, report.version, report.rows) == (True, TABLE, 1, 101)
    assert tables.verify(TABLE, expect=report.content_hash.upper()).ok
    (told,) = tables.verify(TABLE, expect="0" * 64).problems
    assert told == f"the content hash is {report.content_hash}, expected was {'0' * 64}"
    data = first.read_bytes()
    first.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    told = f"{first.name} does not have the SHA-256 that was committed"
    sums, problems = objects.problems_of(version)
    assert (sums.rows, problems) == (1, [told])
    second.unlink()
    one, other = objects.problems_of(version)[1]
    assert one == told
    assert other.startswith(f"{second.name} cannot be read: ")


def test_rows_that_the_commit_did_not_count_are_told(store):
    tables.append(TABLE, rows(1, 2))
    version = buckets.open_bucket(TABLE)
    other = dataclasses.replace(version, total=version.total.plus(version.total))
    assert objects.problems_of(other)[1] == [
        "the version does not hold the rows that its commit counted"
    ]


def test_a_log_that_names_another_folder_is_refused(store):
    tables.append(TABLE, rows(1))
    file = store / "bucket/lake/t/_delta_log" / f"{0:020}.json"
    name = buckets.open_bucket(TABLE).files[0].name
    for other in (f"x/{name}", "a%2520b.parquet"):
        text = file.read_text()
        file.write_text(text.replace(f'"path":"{name}"', f'"path":"{other}"'))
        with pytest.raises(
            tables.TableChangedError, match="which is no file of the table's folder"
        ):
            buckets.open_bucket(TABLE)
        file.write_text(text)


def test_who_comes_second_commits_behind_and_a_lost_answer_counts_once(store, monkeypatch):
    tables.append(TABLE, rows(1))
    original, tries = objects._attempt, []

    def second(*given):
        tries.append(given)
        if len(tries) == 1:
            write_deltalake(str(store / "bucket/lake/t"), rows(5), mode="append")
            raise objects.CommitFailedError("another came first")
        return original(*given)

    monkeypatch.setattr(objects, "_attempt", second)
    assert tables.append(TABLE, rows(2)) == 2
    assert len(tries) == 2

    def lost(*given):
        tries.append(given)
        original(*given)
        raise OSError("the answer was lost")

    monkeypatch.setattr(objects, "_attempt", lost)
    assert tables.append(TABLE, rows(3)) == 3
    assert len(tries) == 3
    assert sorted(numbers(buckets.open_bucket(TABLE))) == [1, 2, 3, 5]

    def refused(*given):
        raise OSError("no rights\nand more")

    monkeypatch.setattr(objects, "_attempt", refused)
    with pytest.raises(tables.TableError, match=f"^{TABLE}: the commit was refused: no rights$"):
        tables.append(TABLE, rows(4))

    def kept(*given):
        raise objects.CommitFailedError("others")

    now, slept = iter((0.0, 120.0, 120.5)), []
    clock = SimpleNamespace(monotonic=lambda: next(now), sleep=slept.append)
    monkeypatch.setattr(objects, "_attempt", kept)
    monkeypatch.setattr(objects, "time", clock)
    told = f"^{TABLE}: other writers kept committing for 120 s; try again$"
    with pytest.raises(tables.TableConflictError, match=told):
        tables.append(TABLE, rows(4))
    assert len(slept) == 1
    assert 0.01 <= slept[0] <= 0.2


def test_columns_that_changed_meanwhile(store):
    tables.append(TABLE, rows(1))
    payload = commits.Payload("id", "append", {})
    table = objects._load(TABLE, None)
    with pytest.raises(
        tables.TableConflictError, match="its columns changed while rows were written"
    ):
        objects._attempt(TABLE, table, pa.schema([("n", pa.int32())]), "append", payload)


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ('{"add":{}}', {}), ('{"commitInfo":{}}', {}), ('\n{"commitInfo":{"geodata":"{}"}}\n', {}),
        ('{"add":{}}\n{"commitInfo":{"geodata":"{\\"a\\":1}"}}', {"a": 1}),
        ('{"commitInfo":{"geodata":"[1]"}}', {}),
        ('{"commitInfo":{"geodata":"{"}}', None), ("{", None),
    ],
)  # fmt: skip
def test_what_we_noted_in_a_commit(store, text, noted):
    file = store / "bucket/lake/t/_delta_log" / f"{3:020}.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    if noted is not None:
        assert objects._noted(TABLE, 3) == noted
        return
    with pytest.raises(tables.TableChangedError, match=f"^{TABLE}: commit 3 cannot be read"):
        objects._noted(TABLE, 3)


def test_the_commit_of_an_identity(store):
    for n in range(3):
        tables.append(TABLE, rows(n))
    identity = objects._noted(TABLE, 1)["id"]
    assert objects._version_of(TABLE, identity, range(3)) == 1
    assert objects._version_of(TABLE, identity, range(2, 3)) is None


# views


def test_a_lake_is_seen_from_here(store, tmp_path):
    for name in ("photos", "others", "_private", ".hidden"):
        tables.append(str(store / "bucket/lake/x"), rows(1))
        (store / "bucket/lake/x").rename(store / "bucket/lake" / name)
    (store / "bucket/lake/readme.md").touch()
    (store / "bucket/lake/_inputs").mkdir()
    (store / "bucket/lake/_inputs/a.csv").write_text("a")
    assert mirrors._folders("s3://bucket/lake") == ["others", "photos"]
    assert tables.near(tmp_path / "own") == tmp_path / "own"
    near = tables.near("s3://bucket/lake", only="photos")
    assert near.parts[-3:] == ("s3", "bucket", "lake")
    assert buckets.is_view(near)
    assert not buckets.is_view(tmp_path)
    assert sorted(path.name for path in near.iterdir()) == ["photos"]
    assert not list(near.rglob("*.parquet"))
    opened = tables.open(near / "photos")
    assert opened.arrow().equals(rows(1))
    assert len(list(near.rglob("*.parquet"))) == 1
    assert tables.near("s3://bucket/lake") == near
    assert sorted(path.name for path in near.iterdir()) == ["others", "photos"]
    tables.near("s3://bucket/lake", inputs=True)
    assert (near / "_inputs/a.csv").read_text() == "a"
    tables.append(str(store / "bucket/lake/photos"), rows(2))
    tables.near("s3://bucket/lake")
    assert tables.open(near / "photos").arrow()["n"].to_pylist() == [1, 2]
    assert not list(near.rglob(".*.part"))


def test_hints_are_brought_each_time_and_the_rest_once(store):
    path = store / "bucket/lake/t"
    tables.append(str(path), rows(1))
    tables.checkpoint(path)
    near = tables.near("s3://bucket/lake")
    wanted = list(mirrors._logs("s3://bucket/lake", near, None))
    assert wanted == ["t/_delta_log/_last_checkpoint"]
    assert list(mirrors._logs("s3://bucket/lake", near, "none")) == []


def test_folders_in_a_log_and_among_inputs_are_not_brought(store):
    """As other tools keep parts of checkpoints in the log."""
    tables.append(str(store / "bucket/lake/t"), rows(1))
    for folder in ("t/_delta_log/_sidecars", "_inputs/more"):
        (store / "bucket/lake" / folder).mkdir(parents=True)
        (store / "bucket/lake" / folder / "a").write_text("a")
    (store / "bucket/lake/_inputs/b.csv").write_text("b")
    near = tables.near("s3://bucket/lake", inputs=True)
    found = sorted(p.relative_to(near).as_posix() for p in near.rglob("*") if p.is_file())
    assert found == ["_inputs/b.csv", f"t/_delta_log/{0:020}.json"]
    assert tables.open(near / "t").rows == 1


def test_a_damaged_page_is_told_as_it_is_read(store):
    tables.append(TABLE, rows(*range(1000)))
    version = buckets.open_bucket(TABLE)
    file = store / "bucket/lake/t" / version.files[0].name
    with pq.ParquetFile(file) as opened:
        chunk = opened.metadata.row_group(0).column(0)
    data = bytearray(file.read_bytes())
    data[chunk.data_page_offset + chunk.total_compressed_size - 1] ^= 1  # in the page's values
    file.write_bytes(data)
    with pytest.raises(OSError, match=r"(?i)crc|checksum"):
        numbers(version)


def test_inputs_that_are_not_there_are_sent(store):
    tables.append(str(store / "bucket/lake/t"), rows(1))
    near = tables.near("s3://bucket/lake")
    (near / "_inputs").mkdir()
    for name in ("a.csv", "b.csv"):
        (near / "_inputs" / name).write_text("here")
    (store / "bucket/lake/_inputs").mkdir()
    (store / "bucket/lake/_inputs/a.csv").write_text("there")
    mirrors.send_inputs("s3://bucket/lake")
    found = {path.name: path.read_text() for path in (store / "bucket/lake/_inputs").iterdir()}
    assert found == {"a.csv": "there", "b.csv": "here"}


def test_a_file_that_cannot_be_brought_leaves_nothing(store, tmp_path):
    with pytest.raises(tables.TableError) as told:
        mirrors._bring("s3://bucket/lake", tmp_path / "view", "t/a.parquet")
    assert str(told.value).startswith(
        f"s3://bucket/lake/t/a.parquet: cannot be brought to {tmp_path / 'view'} ("
    )
    assert str(told.value).endswith("and TMPDIR names a folder with room")
    assert list((tmp_path / "view/t").iterdir()) == []
    with pytest.raises(tables.TableError, match="the bucket cannot be read"):
        mirrors._folders("s3://none/lake")


def test_a_file_that_breaks_off_on_its_way_leaves_nothing(store, tmp_path, monkeypatch):
    def broken(source, target, **_):
        Path(target).write_bytes(b"half of it")
        raise OSError("cut off\nand more")

    monkeypatch.setattr(pafs, "copy_files", broken)
    with pytest.raises(
        tables.TableError, match=r"t/a\.parquet: cannot be brought to .* \(cut off\);"
    ):
        mirrors._bring("s3://bucket/lake", tmp_path / "view", "t/a.parquet")
    assert list((tmp_path / "view/t").iterdir()) == []


def test_what_cannot_be_sent_is_told(store, tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100)
    objects.upload("s3://bucket/lake", tmp_path, ["a"])
    assert (store / "bucket/lake/a").read_bytes() == b"x" * 100
    with pytest.raises(tables.TableError) as told:
        objects.upload("s3://bucket/lake", tmp_path, ["a", "gone"])
    assert str(told.value).startswith("s3://bucket/lake: cannot be written (")
    assert f"nothing was committed; {objects.keys_of('s3://b')}" in str(told.value)
    system, root = objects.system_of("s3://bucket/lake")
    assert objects._sha256(system, f"{root}/a") == hashlib.sha256(b"x" * 100).hexdigest()


def test_a_file_of_several_blocks_is_sent_and_hashed_to_its_end(store, tmp_path):
    """Rows of a few million photos are more than the 8 MiB that are read at once."""
    data = b"x" * (8 << 20) + b"the end"
    known = hashlib.sha256(data).hexdigest()
    (tmp_path / "large").write_bytes(data)
    objects.upload("s3://bucket/lake", tmp_path, ["large"])
    assert hashlib.sha256((store / "bucket/lake/large").read_bytes()).hexdigest() == known
    system, root = objects.system_of("s3://bucket/lake")
    assert objects._sha256(system, f"{root}/large") == known


def test_the_file_system_of_an_address(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for scheme in ("s3", "s3a"):
        system, root = objects.system_of(f"{scheme}://bucket/lake")
        assert (system.type_name, system.region, root) == ("s3", "eu-west-1", "bucket/lake")
    monkeypatch.setenv("AWS_REGION", "us-east-2")
    assert objects.system_of("s3://b")[0].region == "us-east-2"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1/")
    for scheme in ("gs", "gcs"):
        system, root = objects.system_of(f"{scheme}://bucket/lake")
        assert (system.type_name, root) == ("gcs", "bucket/lake")
    assert objects._GOOGLE_PATIENCE.total_seconds() == 20
    assert (objects._TRIES, objects.PATIENCE_S, mirrors._AT_ONCE) == (8, 120.0, 16)
    for address in ("gs://b", "gcs://b"):
        told = objects.keys_of(address)
        assert told.startswith("credentials come from the file that GOOGLE_APP")
    assert objects.keys_of("s3://b").startswith("keys and endpoint come from AWS_ACCESS_KEY_ID,")


@pytest.mark.parametrize("scheme", ["s3", "s3a"])
def test_without_an_endpoint_arrow_is_asked_by_the_name_that_it_knows(monkeypatch, scheme):
    """``s3a`` is Hadoop's word for it."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    asked = []
    arrow = SimpleNamespace(from_uri=lambda uri: asked.append(uri) or ("system", "bucket/lake"))
    monkeypatch.setattr(objects, "pafs", SimpleNamespace(FileSystem=arrow))
    assert objects.system_of(f"{scheme}://bucket/lake") == ("system", "bucket/lake")
    assert asked == ["s3://bucket/lake"]


@pytest.mark.parametrize(
    ("scheme", "names"),
    [("s3", ["empty", "t"]), ("s3a", ["empty", "t"]), ("gs", ["t"]), ("gcs", ["t"])],
)
def test_a_bucket_at_google_has_the_folders_that_its_files_name(store, scheme, names):
    tables.append(str(store / "bucket/lake/t"), rows(1))
    (store / "bucket/lake/empty").mkdir()
    assert mirrors._folders(f"{scheme}://bucket/lake") == names


def test_what_a_commit_writes_is_that_of_a_folder(store, tmp_path):
    """The payload of a commit, but for its identity and the name of its file."""
    told = []
    for path, folder in ((TABLE, store / "bucket/lake/t"), (tmp_path / "t", tmp_path / "t")):
        tables.append(path, rows(1), {"a": 1})
        tables.append(path, rows(2, 3))
        lines = (folder / "_delta_log" / f"{1:020}.json").read_text().splitlines()
        payload = json.loads(
            next(json.loads(x)["commitInfo"]["geodata"] for x in lines if "geodata" in x)
        )
        (entry,) = payload.pop("files").values()
        payload.pop("id")
        told.append((payload, entry["content"]))
        assert log.commit_at(folder, 1)["operation"] == "WRITE"
    assert told[0] == told[1]
    assert np.array_equal(told[0][0]["total"][0], 3)
