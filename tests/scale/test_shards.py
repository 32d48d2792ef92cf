"""Shards of a file: together the rows of one process, never fewer and never twice."""

import json
import os
import resource
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st
from typer.testing import CliRunner

from geodata import cor, files, hashing, records, scale, tables
from geodata.cli import app
from geodata.scale import joining
from geodata.scale.dealing import Shard, count_rows, part_of

RNG = np.random.default_rng(3)
N = 1000


def photos(n=N):
    lat = np.degrees(np.arcsin(RNG.uniform(-1, 1, n)))
    return pa.table({
        "photo_id": [f"p{i}" for i in range(n)],
        "lat": pa.array(lat, mask=RNG.random(n) < 0.02),
        "lon": RNG.uniform(-180, 180, n),
        "n": np.arange(n),
    })  # fmt: skip


ROWS = photos()


def as_csv(folder):
    files.write_table(ROWS, folder / "photos.csv")
    return folder / "photos.csv"


def as_jsonl(folder):
    files.write_table(ROWS, folder / "photos.jsonl")
    return folder / "photos.jsonl"


def as_parquet(folder):
    pq.write_table(ROWS, folder / "photos.parquet", row_group_size=130)
    return folder / "photos.parquet"


def as_folder(folder):
    (folder / "photos").mkdir()
    for i, start in enumerate(range(0, N, 300)):
        pq.write_table(ROWS.slice(start, 300), folder / "photos" / f"{i}.parquet", 90)
    return folder / "photos"


def as_table(folder):
    tables.write(folder / "lake" / "photos", ROWS, file_rows=220)
    return f"{folder}/lake/photos@0"


FORMS = [as_csv, as_jsonl, as_parquet, as_folder, as_table]


def content(source):
    rows = files.read_table(source) if not isinstance(source, pa.Table) else source
    kept = tables.kept_schema(rows.schema)
    return hashing.digest(hashing.of_table(tables.fitted(rows, kept)), kept)


@given(st.integers(0, 10**12), st.integers(1, 99_999))
def test_spans_are_a_partition(rows, count):
    ends = [0]
    for number in sorted({1, min(2, count), count // 2 or 1, count}):
        start, stop = Shard(number, count).span(rows)
        assert start <= stop
        assert stop - start in (rows // count, -(-rows // count))
        if number > 1:
            assert Shard(number - 1, count).span(rows)[1] == start
        ends.append(stop)
    assert Shard(1, count).span(rows)[0] == 0
    assert ends[-1] == rows


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return [(form, form(tmp_path_factory.mktemp(form.__name__))) for form in FORMS]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 4), st.integers(0, N), st.integers(0, N), st.sampled_from([7, 100, 5000]))
def test_a_part_is_the_rows_from_one_number_to_another(sources, form, a, b, rows):
    start, stop = sorted((a, b))
    source = tables.open_rows(sources[form][1])
    assert count_rows(source) == N
    parts = list(part_of(source, start, stop).tables(["n"], rows=rows))
    found = [int(value) for part in parts for value in part["n"].to_pylist()]
    assert found == list(range(start, stop))


@pytest.mark.parametrize(("start", "stop"), [(0, 7), (7, 8), (13, 29), (29, 30), (30, 30)])
def test_a_part_of_rows_in_memory_counts_all_batches_before_it(start, stop):
    source = files.source_of(pa.table({"n": range(30)}))
    parts = list(part_of(source, start, stop).tables(["n"], rows=4))
    assert [n for part in parts for n in part["n"].to_pylist()] == list(range(start, stop))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [1, 3])
def test_shards_are_together_what_one_process_writes(tmp_path, form, count):
    source = form(tmp_path)
    for i in range(count):
        made = scale.label_shard(source, tmp_path / "out", f"{i + 1}/{count}", detail=True)
        assert made.resumed is False
    cor.label_file(source, tmp_path / "whole.parquet", detail=True)
    whole = files.read_table(tmp_path / "whole.parquet")
    assert (
        files.read_table(tmp_path / "out")
        .drop_columns("photo_id")
        .equals(whole.drop_columns("photo_id"))
    )
    joined = scale.join_shards(tmp_path / "out", tmp_path / "lake2" / "labelled")
    assert (joined.shards, joined.rows, joined.version) == (count, N, 0)
    assert joined.content_hash == content(whole)
    assert (
        tables.open(tmp_path / "lake2" / "labelled").arrow()["photo_id"].equals(whole["photo_id"])
    )


def test_more_shards_than_rows(tmp_path):
    rows = ROWS.slice(0, 2)
    for i in range(5):
        scale.label_shard(rows, tmp_path / "out", Shard(i + 1, 5))
    joined = scale.join_shards(tmp_path / "out", tmp_path / "lake" / "t")
    assert joined.content_hash == content(cor.label_table(rows))


@pytest.fixture
def shards(tmp_path):
    source = as_parquet(tmp_path)
    for i in (1, 2, 3):
        scale.label_shard(source, tmp_path / "out", f"{i}/3")
    return tmp_path / "out"


def test_a_missing_shard_is_named_and_nothing_is_written(shards, tmp_path):
    (shards / "_shard-00002-of-00003.json").unlink()
    with pytest.raises(scale.ShardError, match=r"1 of 3 shards are missing: 2; .* --shard 2/3"):
        scale.join_shards(shards, tmp_path / "lake" / "t")
    assert not (tmp_path / "lake").exists()


def test_a_shard_that_is_there_is_not_made_again(shards, tmp_path):
    file = shards / "shard-00002-of-00003.parquet"
    before = file.stat().st_mtime_ns
    made = scale.label_shard(tmp_path / "photos.parquet", shards, "2/3")
    assert (made.resumed, made.rows, made.report) == (True, 333, None)
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_shard_is_named_and_can_be_made_again(shards, tmp_path, damage):
    file = shards / "shard-00003-of-00003.parquet"
    data = file.read_bytes()
    file.unlink()
    if damage != "gone":
        middle = len(data) // 2
        cut = data[:middle]
        flipped = cut + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        file.write_bytes(flipped if damage == "flip" else cut)
    with pytest.raises(scale.ShardError, match=r"shard 3/3: shard-00003.* --shard 3/3"):
        scale.join_shards(shards, tmp_path / "lake" / "t")
    assert scale.label_shard(tmp_path / "photos.parquet", shards, "3/3").resumed is False
    assert scale.join_shards(shards).rows == N


def test_joining_twice_makes_one_version(shards, tmp_path):
    table = tmp_path / "lake" / "t"
    first = scale.join_shards(shards, table)
    again = scale.join_shards(shards, table)
    assert (first.resumed, again.resumed) == (False, True)
    assert (again.version, again.content_hash) == (first.version, first.content_hash)
    assert len(tables.history(table)) == 1
    other = tmp_path / "other"
    for i in (1, 2):
        scale.label_shard(tmp_path / "photos.parquet", other, f"{i}/2", worldview="in")
    assert scale.join_shards(other, table).version == 1
    assert tables.open(table).rows == N  # replaced, not appended


def test_two_joins_at_once_make_one_version(shards, tmp_path, monkeypatch):
    table, others = tmp_path / "lake" / "t", []
    original = joining._rows

    def slow(paths):
        yield from original(paths)
        if not others:
            others.append(None)
            others.append(scale.join_shards(shards, table))

    monkeypatch.setattr(joining, "_rows", slow)
    second = scale.join_shards(shards, table)
    assert (others[1].resumed, second.resumed) == (False, True)
    assert (second.version, second.content_hash) == (0, others[1].content_hash)
    assert len(tables.history(table)) == 1
    assert tables.verify(table).orphans == ()


def test_a_version_that_came_behind_a_join_is_not_compared(shards, tmp_path, monkeypatch):
    """What was there already is checked at its own number."""
    table = tmp_path / "lake" / "t"
    first = scale.join_shards(shards, table)
    original = joining._verified

    def later(*args):
        tables.append(table, tables.open(table).arrow().slice(0, 1))
        return original(*args)

    monkeypatch.setattr(joining, "_verified", later)
    again = scale.join_shards(shards, table)
    assert (again.version, again.content_hash) == (0, first.content_hash)


def test_a_table_of_another_making_is_kept(shards, tmp_path):
    tables.write(tmp_path / "lake" / "photos", ROWS)
    with pytest.raises(scale.ShardError, match="was not made from shards"):
        scale.join_shards(shards, tmp_path / "lake" / "photos")
    assert len(tables.history(tmp_path / "lake" / "photos")) == 1


@pytest.mark.parametrize(
    ("shard", "options", "message"),
    [
        ("1/4", {}, "another number of shards"),
        ("2/3", {"worldview": "in"}, "options worldview is 'in', there 'un'"),
        ("2/3", {"detail": True}, "options detail is True"),
        ("2/3", {"max_offset_km": 0.0}, "options max_offset_km is 0.0"),
    ],
)
def test_shards_of_another_job_are_refused_before_the_work(
    shards, tmp_path, shard, options, message
):
    before = sorted(shards.iterdir())
    with pytest.raises(scale.ShardError, match=message):
        scale.label_shard(tmp_path / "photos.parquet", shards, shard, **options)
    assert sorted(shards.iterdir()) == before


def test_shards_of_another_input_or_set_are_refused(shards, tmp_path):
    pq.write_table(ROWS.slice(1), tmp_path / "photos.parquet")
    with pytest.raises(scale.ShardError, match="input sha256 is"):
        scale.label_shard(tmp_path / "photos.parquet", shards, "2/3")
    manifest = shards / "_shard-00001-of-00003.json"
    plain = json.loads(manifest.read_text())
    plain["about"]["options"]["boundaries_sha256"] = "0" * 64
    manifest.write_text(json.dumps(plain))
    with pytest.raises(scale.ShardError, match="options boundaries_sha256 is"):
        scale.join_shards(shards)


def test_shards_that_do_not_add_up_are_refused(shards):
    for path in shards.glob("_*.json"):
        plain = json.loads(path.read_text())
        plain["about"]["rows_in_all"] = N + 1
        path.write_text(json.dumps(plain))
    with pytest.raises(scale.ShardError, match="hold 1,000 rows, their input 1,001"):
        scale.join_shards(shards)


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain.update(files={"../photos.parquet": "0" * 64}),
        lambda plain: plain.update(schema="geodata.shard/2"),
        lambda plain: plain.pop("rows"),
        lambda plain: plain.update(shard=2),
    ],
)
def test_a_manifest_that_is_none_is_refused(shards, change):
    path = shards / "_shard-00001-of-00003.json"
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))
    with pytest.raises(scale.ShardError, match="is no manifest of a shard"):
        scale.join_shards(shards)


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "a/b", "1/3/4", "-1/3", "", "¹/3"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(scale.ShardError, match=r"3/16|--array=1-"):
        Shard.of(text)


@pytest.fixture
def labelled(tmp_path):
    rows = cor.label_table(ROWS).append_column("image", pa.array([f"{i}.jpg" for i in range(N)]))
    return rows


@pytest.mark.parametrize("form", ["parquet", "llama-factory", "ms-swift"])
def test_shards_of_records_are_the_files_of_one_process(tmp_path, labelled, form):
    options = records.Options(missing="drop")
    more = {"format": form, "shard_rows": 130, "seed": 5, "options": options}
    records.write(labelled, tmp_path / "out", **more)
    (tmp_path / "shards").mkdir()
    for i in (3, 1, 2):
        made = scale.records_shard(labelled, tmp_path / "shards" / "out", f"{i}/3", **more)
        assert made.rows == made.report.rows > 0
    names = {p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*") if p.is_file()}
    there = tmp_path / "shards" / "out"
    assert names == {
        p.relative_to(there)
        for p in there.rglob("*")
        if p.is_file() and not p.name.startswith("_shard")
    }
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == (there / name).read_bytes()
    assert scale.join_shards(there).rows == labelled.num_rows - ROWS["lat"].null_count
    again = scale.records_shard(labelled, there, "2/3", **more)
    assert again.resumed
    with pytest.raises(scale.ShardError, match="input records_sha256"):
        scale.records_shard(labelled, there, "2/3", **more | {"seed": 6})
    with pytest.raises(scale.ShardError, match="lie in a folder"):
        scale.records_shard(labelled, tmp_path / "one.parquet", "2/3")


def test_records_become_a_table(tmp_path, labelled):
    more = {"shard_rows": 300, "options": records.Options(kind="grpo", missing="drop")}
    for i in (1, 2):
        scale.records_shard(labelled, tmp_path / "out", f"{i}/2", **more)
    joined = scale.join_shards(tmp_path / "out", tmp_path / "lake" / "chats")
    whole = records.grpo(labelled, missing="drop")
    assert joined.rows == whole.num_rows
    assert joined.content_hash == content(whole)


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output, done.exception


@pytest.mark.parametrize("how", [["--engine", "ray"], ["--shard", "1/2"]])
@pytest.mark.parametrize(
    "words", [["-", "-o", "shards"], ["photos.csv", "-o", "-"], ["photos.csv"]], ids=" ".join
)
def test_parts_are_made_of_a_file_into_a_folder(tmp_path, monkeypatch, how, words):
    monkeypatch.chdir(tmp_path)
    as_csv(tmp_path)
    *_, error = run("label", *words, *how)
    assert "FILE and --out FOLDER" in str(error) or "say where to write" in str(error)
    assert [path.name for path in tmp_path.iterdir()] == ["photos.csv"]


def test_the_command_line(tmp_path, labelled):
    source, out = as_csv(tmp_path), tmp_path / "shards"
    for i in (1, 2):
        code, told, _ = run("label", source, "-o", out, "--shard", f"{i}/2", "--worldview", "in")
        assert code == 0
        assert "500 rows, written" in told
    assert (
        "was there already"
        in run("label", source, "-o", out, "--shard", "2/2", "--worldview", "in")[1]
    )
    assert "2 shards, 1,000 rows" in run("tables", "join-shards", out)[1]
    code, told, _ = run("tables", "join-shards", out, "--lake", tmp_path / "lake")
    assert code == 0
    assert "lake/shards: version 0, 1,000 rows, verified" in told
    assert (
        "was there already"
        in run("tables", "join-shards", out, "--lake", tmp_path / "lake", "--table", "shards")[1]
    )
    pq.write_table(labelled, tmp_path / "labelled.parquet")
    words = ["records", "sft", "--from", tmp_path / "labelled.parquet", "--missing", "drop"]
    words += ["--no-check", "-o", tmp_path / "records", "--shard-rows", 100]
    code, told, _ = run(*words, "--shard", "1/2")
    assert code == 0
    assert "shard 1/2" in told
    assert "2" in str(run("tables", "join-shards", tmp_path / "records")[2])


def test_mistakes_on_the_command_line(tmp_path):
    source = as_csv(tmp_path)
    for words, message in (
        (["label", source, "--shard", "1/2"], "say where to write"),
        (["label", "-", "-o", tmp_path / "out", "--shard", "1/2"], "give FILE and --out FOLDER"),
        (["label", source, "-o", tmp_path / "out", "--shard", "5/2"], "numbered 1 to 2"),
        (["tables", "join-shards", tmp_path], "holds no finished shard"),
        (["tables", "join-shards", tmp_path, "--table", "t"], "give --lake too"),
    ):
        code, _, error = run(*words)
        assert code != 0
        assert message in str(error)
    assert not (tmp_path / "out").exists()


def test_a_killed_task_leaves_no_finished_shard(shards, tmp_path, monkeypatch):
    """Killed between the file and its manifest: the shard counts as missing and is made again."""
    shutil.rmtree(shards)
    monkeypatch.setattr("geodata.scale.manifests.files.write_text", _killed)
    with pytest.raises(KeyboardInterrupt):
        scale.label_shard(tmp_path / "photos.parquet", shards, "1/1")
    monkeypatch.undo()
    assert (shards / "shard-00001-of-00001.parquet").is_file()
    with pytest.raises(scale.ShardError, match="no finished shard"):
        scale.join_shards(shards)
    assert not scale.label_shard(tmp_path / "photos.parquet", shards, "1/1").resumed
    assert scale.join_shards(shards).rows == N


def _killed(*_):
    raise KeyboardInterrupt


FULL = """
import sys
from geodata import scale, tables
try:
    scale.label_shard(sys.argv[1], sys.argv[2], "1/2")
except tables.StorageFullError as error:
    print(error)
"""


def test_a_full_disk_leaves_no_shard_and_the_same_call_makes_it(tmp_path):
    source, out = tmp_path / "rows.parquet", tmp_path / "shards"
    files.write_table(photos(40_000), source)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(source), str(out)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
        check=True,
        capture_output=True,
        text=True,
    )
    assert "no room left while labelling on" in done.stdout
    assert not [p for p in out.iterdir() if p.name[0] != "."]
    assert scale.label_shard(source, out, "1/2").rows == 20_000


def test_clocks_that_differ_change_nothing(tmp_path):
    """Files of a node whose clock is a day ahead or behind: rows by number, never by time."""
    source, out, lake = tmp_path / "rows.parquet", tmp_path / "shards", tmp_path / "lake"
    files.write_table(ROWS, source)
    for number, ahead in ((1, 86_400), (2, -86_400)):
        scale.label_shard(source, out, f"{number}/2")
        for path in out.glob(f"*shard-0000{number}*"):
            now = path.stat().st_mtime + ahead
            os.utime(path, (now, now))
    assert scale.label_shard(source, out, "1/2").resumed
    first = scale.join_shards(out, lake / "labelled")
    assert first.content_hash == content(cor.label_table(ROWS))
    table = lake / "parts"
    parts = [p for i in (1, 0) for p in tables.write_part(table, ROWS.slice(i * 500, 500), i)]
    for part, ahead in zip(parts, (86_400, -86_400), strict=True):
        now = (table / part.file.name).stat().st_mtime + ahead
        os.utime(table / part.file.name, (now, now))
    tables.commit_parts(table, parts)
    assert tables.open(table).arrow().equals(ROWS)
    assert tables.repair(table) == []
    assert tables.verify(table).ok
