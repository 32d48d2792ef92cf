"""Making and joining shards piece by piece: what is told, what is counted, what is compared."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import cor, files, hashing, records, scale, tables
from geodata.scale import joining, sharding
from geodata.scale.dealing import Shard
from geodata.tables import log

ROWS = pa.table({"id": list("abcde"), "lat": [48.9, 35.7, None, 0.0, 1.0],
                 "lon": [2.3, 139.7, 0.0, 0.0, 1.0]})  # fmt: skip


@pytest.fixture
def out(tmp_path):
    for i in (1, 2):
        scale.label_shard(ROWS, tmp_path / "out", f"{i}/2", worldview="in")
    return tmp_path / "out"


def manifest(out, number, of=2):
    return json.loads((out / f"_shard-{number:05d}-of-{of:05d}.json").read_text())


def test_a_manifest_says_what_the_shard_is(out):
    one = manifest(out, 1)
    path = out / "shard-00001-of-00002.parquet"
    whole = pq.read_table(path)
    kept = tables.kept_schema(whole.schema)
    assert one["files"] == {path.name: files.sha256(path)}
    assert (one["rows"], one["about"]["rows_in_all"], one["about"]["kind"]) == (2, 5, "label")
    assert one["more"]["content"] == list(hashing.of_table(tables.fitted(whole, kept)))
    assert one["more"]["match"] == {"inside": 2, "nearest": 0, "none": 0, "invalid": 0}
    assert manifest(out, 2)["more"]["match"]["invalid"] == 1
    assert one["about"]["options"]["worldview"] == "in"
    assert one["about"]["input"] == {"name": "table", "rows": 5}
    assert one["about"]["software"] == scale.Score().identity()["software"]


def test_a_shard_tells_its_progress_and_what_it_did(tmp_path):
    told = []
    made = scale.label_shard(
        ROWS, tmp_path / "a" / "out", "2/2", progress=lambda *rows: told.append(rows), detail=True
    )
    assert made.path == tmp_path / "a" / "out" / "shard-00002-of-00002.parquet"
    assert (str(made.shard), made.rows, made.resumed, made.report.rows) == ("2/2", 3, False, 3)
    assert told[-1] == (3, 3)
    again = scale.label_shard(ROWS, tmp_path / "a" / "out", Shard(2, 2), detail=True)
    assert (again.path, again.rows, again.resumed, again.report) == (made.path, 3, True, None)


def test_a_worker_that_sees_another_source_is_refused(tmp_path):
    pq.write_table(ROWS, tmp_path / "rows.parquet")
    job = sharding.LabelJob.of(tmp_path / "rows.parquet", tmp_path / "out")
    assert (job.rows, job.folder) == (5, tmp_path / "out")
    pq.write_table(ROWS.slice(1), tmp_path / "rows.parquet")
    told = "rows in the source is 4 on this worker and 5 on the driver"
    with pytest.raises(scale.WorkerMismatchError, match=told):
        job.make(Shard(1, 1))
    assert not (tmp_path / "out").exists()
    other = sharding.LabelJob(
        ROWS, tmp_path / "out", scale.Label(expected={"software": "a 1"}), 5, {}
    )
    with pytest.raises(scale.WorkerMismatchError, match=r"^software is"):
        other.make(Shard(1, 1))


def test_a_job_is_prepared_for_its_number_of_shards(out, tmp_path):
    job = sharding.LabelJob.of(ROWS, out, worldview="in")
    job.prepare(2)
    with pytest.raises(scale.ShardError, match="another number of shards"):
        job.prepare(3)
    with pytest.raises(scale.ShardError, match="options worldview is 'un', there 'in'"):
        sharding.LabelJob.of(ROWS, out).prepare(2)
    sharding.LabelJob.of(ROWS, tmp_path / "a" / "b").prepare(2)
    assert (tmp_path / "a" / "b").is_dir()


def test_what_is_missing_is_told_by_number(out, tmp_path):
    with pytest.raises(scale.ShardError) as told:
        scale.join_shards(tmp_path / "none")
    assert str(told.value) == (
        f"{tmp_path / 'none'} holds no finished shard; geodata label FILE -o {tmp_path / 'none'} "
        "--shard 1/16 makes one"
    )
    for i in (2, 3):
        (out / f"_shard-{i:05d}-of-00002.json").unlink(missing_ok=True)
    with pytest.raises(scale.ShardError) as told:
        scale.join_shards(out)
    assert str(told.value) == (
        f"{out}: 1 of 2 shards are missing: 2; make them with --shard 2/2, and join again"
    )


def test_shards_are_checked_without_a_table(out, tmp_path):
    assert scale.join_shards(out) == joining.JoinedShards(2, 5)
    joined = scale.join_shards(out, tmp_path / "lake" / "t")
    opened = tables.open(tmp_path / "lake" / "t")
    assert joined == joining.JoinedShards(2, 5, 0, opened.content_hash)
    assert opened.note == {
        "shards": 2, "about": manifest(out, 1)["about"],
        "content": list(hashing.combine(hashing.Sums(*manifest(out, i)["more"]["content"])
                                        for i in (1, 2))),
    }  # fmt: skip
    expected = cor.label_table(ROWS, worldview="in")
    assert opened.arrow()["id"].to_pylist() == list("abcde")
    assert opened.arrow()["country"].equals(expected["country"])
    assert scale.join_shards(out, tmp_path / "lake" / "t").resumed
    tables.append(tmp_path / "lake" / "t", opened.arrow().slice(0, 1))
    with pytest.raises(scale.ShardError, match="was not made from shards; choose another name"):
        scale.join_shards(out, tmp_path / "lake" / "t")


@pytest.mark.parametrize("table", ["s3://bucket/lake/t", "gs:/bucket/lake/t", "http://b/t"])
def test_a_table_in_a_bucket_is_refused_before_anything_is_written(out, table, monkeypatch):
    monkeypatch.setattr(joining, "_written", lambda *_: pytest.fail("it was written"))
    with pytest.raises(tables.TableError, match="is an address; lakes in buckets"):
        scale.join_shards(out, table)


def test_shards_that_changed_while_they_were_joined(out, tmp_path):
    path = out / "_shard-00001-of-00002.json"
    plain = manifest(out, 1)
    plain["more"]["content"][1] += 1
    path.write_text(json.dumps(plain))
    with pytest.raises(scale.ShardError, match=r"t@0 has content hash .*, its shards .*; a shard"):
        scale.join_shards(out, tmp_path / "lake" / "t")


def test_an_error_of_the_rows_is_no_other_join(out, tmp_path, monkeypatch):
    def damaged(paths):
        raise scale.ShardError("damaged on the way")
        yield

    monkeypatch.setattr(joining, "_rows", damaged)
    with pytest.raises(scale.ShardError, match="damaged on the way"):
        scale.join_shards(out, tmp_path / "lake" / "t")
    assert not tables.exists(tmp_path / "lake" / "t")


def test_columns_that_a_table_keeps_in_another_type_are_joined(tmp_path):
    """The content is that of the rows as the table holds them: microseconds, wider numbers."""
    more = {
        "at": pa.array([1, None, 3, 4, 5], pa.timestamp("ms")),
        "day": pa.array([0, 86_400_000, None, 0, 0], pa.date64()),
        "n": pa.array([255, 0, None, 1, 2], pa.uint8()),
        "half": pa.array([0.5, None, 1.0, 2.0, 3.0], pa.float32()).cast(pa.float16()),
        "word": pa.array(["x", None, "y", "x", "x"]).dictionary_encode(),
    }
    rows = ROWS
    for name, column in more.items():
        rows = rows.append_column(name, column)
    for i in (1, 2):
        scale.label_shard(rows, tmp_path / "out", f"{i}/2")
    scale.join_shards(tmp_path / "out", tmp_path / "lake" / "t")
    found = tables.open(tmp_path / "lake" / "t").arrow()
    assert found["at"].type == pa.timestamp("us")
    assert found["at"].cast(pa.int64()).to_pylist() == [1000, None, 3000, 4000, 5000]
    assert found["n"].to_pylist() == [255, 0, None, 1, 2]


def test_other_rows_of_the_same_number_are_another_version(tmp_path):
    """Rows in memory have no hash that tells them apart: their content does."""
    table = tmp_path / "lake" / "t"
    for name, rows in (("a", ROWS), ("b", ROWS.take([4, 3, 2, 1, 1]))):
        scale.label_shard(rows, tmp_path / name, "1/1")
    made = [scale.join_shards(tmp_path / name, table) for name in "aab"]
    assert [(one.version, one.resumed) for one in made] == [(0, False), (0, True), (1, False)]
    assert tables.open(table).arrow()["id"].to_pylist() == list("edcbb")


def test_the_table_is_held_from_the_last_look_to_the_commit(out, tmp_path, monkeypatch):
    """Who joins the same shards then waits, and finds the version."""
    original, held = joining._there, []

    def there(table, made):
        held.append(log.is_held(tmp_path / "lake" / "t"))
        return original(table, made)

    monkeypatch.setattr(joining, "_there", there)
    assert scale.join_shards(out, tmp_path / "lake" / "t").version == 0
    assert held == [False, True]
    assert not log.is_held(tmp_path / "lake" / "t")


def test_columns_that_a_shard_without_rows_does_not_know(tmp_path):
    pq.write_table(pa.table({"a": pa.nulls(0), "b": pa.array([], pa.int32())}), tmp_path / "1")
    pq.write_table(pa.table({"a": ["x"], "b": pa.array([1], pa.int64())}), tmp_path / "2")
    found = joining._schema([tmp_path / "1", tmp_path / "2"])
    assert found == pa.schema([("a", pa.string()), ("b", pa.int64())])
    assert found.metadata is None


def test_shards_of_records_count_what_they_left_out(tmp_path):
    rows = ROWS.rename_columns(["photo_id", "lat", "lon"]).append_column(
        "image", pa.array(["a.jpg", None, "c.jpg", "d.jpg", "e.jpg"])
    )
    asked = {"options": records.Options(check="skip", missing="drop"), "shard_rows": 1}
    made = [scale.records_shard(rows, tmp_path / "out", f"{i}/2", **asked) for i in (1, 2)]
    assert [one.rows for one in made] == [2, 1]
    assert [one.path for one in made] == [tmp_path / "out"] * 2
    one = manifest(tmp_path / "out", 1)
    assert sorted(one["files"]) == [f"data/train-{i:05d}-of-00003.parquet" for i in (0, 2)]
    assert one["more"]["dropped"] == 2
    assert one["about"]["options"] == {"records": str(asked["options"]), "format": "parquet"}
    assert one["about"]["input"]["files"] == 3
    assert "rows_in_all" not in one["about"]
    assert scale.join_shards(tmp_path / "out") == joining.JoinedShards(2, 3)
    for ending in ("parquet", "JSONL"):
        with pytest.raises(scale.ShardError) as told:
            scale.records_shard(rows, tmp_path / f"a.{ending}", "1/2", **asked)
        assert str(told.value) == (
            f"{tmp_path}/a.{ending}: shards of records lie in a folder; name one, such as "
            f"{tmp_path}/a"
        )


def test_only_parquet_becomes_a_table(tmp_path):
    rows = ROWS.slice(0, 2).rename_columns(["photo_id", "lat", "lon"])
    rows = rows.append_column("image", pa.array(["a.jpg", "b.jpg"]))
    options = records.Options(check="skip", images="reference")
    scale.records_shard(rows, tmp_path / "out", "1/1", format="llava", options=options)
    assert "content" not in manifest(tmp_path / "out", 1, 1)["more"]
    assert manifest(tmp_path / "out", 1, 1)["about"]["options"]["format"] == "llava"
    assert scale.join_shards(tmp_path / "out").rows == 2
    with pytest.raises(scale.ShardError, match="only Parquet shards become a table; leave the"):
        scale.join_shards(tmp_path / "out", tmp_path / "lake" / "t")
    for i in (1, 2, 3):
        scale.records_shard(rows.slice(0, 1), tmp_path / "few", f"{i}/3", options=options)
    assert manifest(tmp_path / "few", 3, 3)["files"] == {}
    assert scale.join_shards(tmp_path / "few", tmp_path / "lake" / "few").rows == 1


@pytest.mark.parametrize("number", [1, 2])
def test_any_shard_that_is_damaged_is_told(out, number):
    path = out / f"shard-{number:05d}-of-00002.parquet"
    path.unlink()
    with pytest.raises(scale.ShardError, match=f"shard {number}/2: {path.name} is gone; make it"):
        scale.join_shards(out)


@pytest.mark.parametrize(("told", "adds_up"), [(4, False), (5, True), (6, False)])
def test_rows_of_shards_add_up_to_those_of_their_input(out, told, adds_up):
    for number in (1, 2):
        one = manifest(out, number)
        one["about"]["rows_in_all"] = told
        (out / f"_shard-{number:05d}-of-00002.json").write_text(json.dumps(one))
    if adds_up:
        assert scale.join_shards(out).rows == 5
        return
    with pytest.raises(scale.ShardError, match=f"the shards hold 5 rows, their input {told};"):
        scale.join_shards(out)


def test_a_mended_shard_is_made_again_and_others_stay(out):
    path = out / "shard-00001-of-00002.parquet"
    path.write_bytes(b"damaged")
    with pytest.raises(scale.ShardError) as told:
        scale.join_shards(out)
    assert str(told.value) == (
        f"{out}: shard 1/2: {path.name} is not what was written; make it again with --shard 1/2"
    )
    assert not scale.label_shard(ROWS, out, "1/2", worldview="in").resumed
    assert scale.label_shard(ROWS, out, "2/2", worldview="in").resumed
    assert scale.join_shards(out).rows == 5
