"""Records as each trainer documents them, splits, batches by bytes, tries that go on."""

import io
import json
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import answers, query, records, tables
from geodata.records import chats, forms

N = 12


def picture(shade=0, size=(8, 6)):
    out = io.BytesIO()
    Image.new("RGB", size, (shade, 0, 0)).save(out, "JPEG")
    return out.getvalue()


def photos(n=N, image="{i}.jpg"):
    return pa.table(
        {
            "photo_id": [f"p{i}" for i in range(n)],
            "lat": [i / 2 for i in range(n)],
            "lon": [float(i) for i in range(n)],
            "image": [image.format(i=i) for i in range(n)],
            "country": [None if i % 4 == 0 else "France" for i in range(n)],
            "split": ["test" if i < 3 else "validation" if i < 5 else "train" for i in range(n)],
        }
    )


@pytest.fixture
def folder(tmp_path):
    """Pictures as files and in a tar."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for i in range(N):
            (tmp_path / f"{i}.jpg").write_bytes(picture(i * 20))
            archive.add(tmp_path / f"{i}.jpg", f"in/{i}.jpg")
    return tmp_path


def written(folder, form, kind="sft", image="{i}.jpg", **more):
    options = records.Options(kind=kind, image_root=str(folder), check="refuse")
    out = folder / f"out-{form}"
    records.write(photos(image=image), out, format=form, split="all", shard_rows=5,
                  options=options, **more)  # fmt: skip
    return out


def parquet_rows(out):
    paths = sorted((out / "data").glob("train-*.parquet"))
    assert len(paths) == 3
    return pa.concat_tables([pq.ParquetFile(p).read() for p in paths]).to_pylist()


def shade(picture_bytes):
    return Image.open(io.BytesIO(picture_bytes)).getpixel((4, 3))[0]


def check_answer(text, number):
    found = answers.parse_strict(text)
    assert (found.lat, found.lon) == (number / 2, float(number))
    assert found.country == (None if number % 4 == 0 else "France")


@pytest.mark.parametrize("kind", ["sft", "grpo"])
def test_verl(folder, kind):
    """https://verl.readthedocs.io/en/latest/preparation/prepare_data.html, its five fields."""
    rows = parquet_rows(written(folder, "verl", kind))
    assert sorted(row["extra_info"]["photo_id"] for row in rows) == sorted(
        f"p{i}" for i in range(N)
    )
    for index, row in enumerate(rows):
        assert {"data_source", "prompt", "ability", "reward_model", "extra_info"} <= row.keys()
        number = int(row["extra_info"]["photo_id"][1:])
        assert [turn["role"] for turn in row["prompt"]] == ["user"]
        assert row["prompt"][0]["content"].startswith("<image>\n")
        assert row["reward_model"]["style"] == "rule"
        check_answer(row["reward_model"]["ground_truth"], number)
        assert row["extra_info"]["index"] == index
        assert (row["extra_info"]["split"], row["extra_info"]["lat"]) == ("train", number / 2)
        assert abs(shade(row["images"][0]["bytes"]) - number * 20) < 5


def test_easyr1(folder):
    rows = parquet_rows(written(folder, "easyr1", image="a.tar#in/{i}.jpg"))
    for row in rows:
        number = int(row["photo_id"][1:])
        assert row["problem"].count("<image>") == len(row["images"]) == 1
        check_answer(row["answer"], number)
        assert abs(shade(row["images"][0]["bytes"]) - number * 20) < 5


@pytest.mark.parametrize("form", ["verl", "easyr1"])
def test_datasets_opens_what_trainers_load_with_it(folder, form):
    datasets = pytest.importorskip("datasets")
    out = written(folder, form)
    loaded = datasets.load_dataset("parquet", data_dir=str(out), cache_dir=str(folder / "c"))
    assert loaded["train"].num_rows == N
    assert loaded["train"][0]["images"][0].size == (8, 6)


def lines_of(out):
    paths = sorted((out / "data").glob("*.jsonl"))
    assert len(paths) == 3
    return [json.loads(line) for p in paths for line in p.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("image", ["{i}.jpg", "a.tar#in/{i}.jpg"])
@pytest.mark.parametrize("form", ["ms-swift", "llama-factory", "llava"])
@pytest.mark.parametrize("kind", ["sft", "grpo"])
def test_lines_hold_messages_and_pictures_that_open(folder, form, image, kind):
    out = written(folder, form, kind, image=image)
    rows = lines_of(out)
    assert len(rows) == N
    for row in rows:
        if form == "llava":
            turns = [(t["from"], t["value"]) for t in row["conversations"]]
            who, paths, number = ("human", "gpt"), [row["image"]], int(row["id"][1:])
        else:
            turns = [(t["role"], t["content"]) for t in row["messages"]]
            who, paths, number = ("user", "assistant"), row["images"], int(row["photo_id"][1:])
        assert [role for role, _ in turns] == list(who[: 2 if kind == "sft" else 1])
        assert sum(text.count("<image>") for _, text in turns) == len(paths) == 1
        assert abs(shade((out / paths[0]).read_bytes()) - number * 20) < 5
        if kind == "sft":
            check_answer(turns[1][1], number)
        elif form == "ms-swift":
            check_answer(row["solution"], number)
        assert (row["lat"], row["lon"]) == (number / 2, number)
    more = {"images"} if "#" in image else set()
    more |= {"dataset_info.json"} if form == "llama-factory" else set()
    assert {p.name for p in out.iterdir()} == {"data"} | more


def test_llama_factory_finds_its_data_by_the_info(folder):
    """https://llamafactory.readthedocs.io: dataset_info.json, sharegpt form."""
    out = written(folder, "llama-factory")
    (entry,) = json.loads((out / "dataset_info.json").read_text()).values()
    assert entry["formatting"] == "sharegpt"
    assert (out / entry["file_name"]).is_dir()
    row = lines_of(out)[0]
    for name in entry["columns"].values():
        assert name in row
    tags = entry["tags"]
    for turn, tag in zip(row[entry["columns"]["messages"]], ("user_tag", "assistant_tag")):
        assert turn[tags["role_tag"]] == tags[tag]
        assert isinstance(turn[tags["content_tag"]], str)


def test_swift_lines_in_one_file(folder):
    options = records.Options(image_root=str(folder))
    records.write(photos(), folder / "r.jsonl", format="ms-swift", split="test", options=options)
    rows = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()]
    assert {row["photo_id"] for row in rows} == {"p0", "p1", "p2"}
    with pytest.raises(records.RecordError, match="records for verl are not jsonl"):
        records.write(photos(), folder / "v.jsonl", format="verl", split="all", options=options)


# which rows


def test_a_split_is_chosen_or_refused_with_the_choices(folder):
    options = records.Options(image_root=str(folder))
    lake = folder / "lake"
    tables.write(lake / "t", photos())
    for rows, home in ((photos(), None), ("t", lake)):
        with pytest.raises(query.QueryError, match=r"test 3, train 7, validation 2 rows"):
            records.write(rows, folder / "r.parquet", lake=home, options=options)
        with pytest.raises(query.QueryError, match="has no split 'trian'; it has test 3"):
            records.write(rows, folder / "r.parquet", lake=home, split="trian", options=options)
        for split, where, ids in (
            ("test", None, {0, 1, 2}),
            ("test,validation", None, {0, 1, 2, 3, 4}),
            (None, "split = 'test' AND lat > 0", {1, 2}),
            ("train", "country IS NULL", {8}),
            ("all", "lat >= 5", {10, 11}),
        ):
            records.write(rows, folder / "r.parquet", lake=home, split=split, where=where,
                          options=options)  # fmt: skip
            found = pq.read_table(folder / "r.parquet")["photo_id"].to_pylist()
            assert set(found) == {f"p{i}" for i in ids}
        with pytest.raises(query.QueryError, match="none of its 12 rows is left"):
            records.write(rows, folder / "r.parquet", lake=home, split="all", where="lat > 99",
                          options=options)  # fmt: skip
    records.write("t", folder / "out", lake=lake, split="test", options=options)
    assert [p.name for p in (folder / "out" / "data").iterdir()] == ["test-00000-of-00001.parquet"]
    nulls = photos().set_column(5, "split", pa.array(["train"] * 9 + [None] * 3))
    with pytest.raises(query.QueryError, match="train 9, NULL 3 rows"):
        records.write(nulls, folder / "r.parquet", options=options)


# batches by bytes


def test_batches_end_with_the_picture_that_fills_them(folder, monkeypatch):
    monkeypatch.setattr(chats, "BATCH_BYTES", 3 * len(picture()))
    options = records.Options(images="bytes", image_root=str(folder))
    sizes = [made.num_rows for made in records.batches(photos(), options)]
    assert sizes == [3, 3, 3, 3]
    light = records.Options(images="reference")
    assert [made.num_rows for made in records.batches(photos(), light)] == [N]


def test_pictures_in_a_table_are_not_in_memory_at_once(tmp_path):
    """60 photos of 2 MB: neither the rows nor a batch of them is held as a whole."""
    rng = np.random.default_rng(0)
    out = io.BytesIO()
    noise = rng.integers(0, 255, (900, 900, 3), dtype=np.uint8)
    Image.fromarray(noise).save(out, "PNG")
    big = out.getvalue()
    assert len(big) > 2 << 20
    n = 60
    table = photos(n).drop_columns(["image", "split"]).append_column("image", pa.array([big] * n))
    tables.write(tmp_path / "lake" / "t", table)
    del table
    pool = pa.default_memory_pool()
    seen = []
    for form in ("parquet", "verl", "webdataset"):
        seen.clear()
        records.write("t", tmp_path / form, lake=tmp_path / "lake", format=form, shard_rows=25,
                      progress=lambda *_: seen.append(pool.bytes_allocated()))  # fmt: skip
        assert max(seen) < 5 * chats.BATCH_BYTES < n * len(big) * 3
    assert not list(tmp_path.glob(".*"))


# tries that go on


@pytest.mark.parametrize("form", ["parquet", "verl", "ms-swift", "webdataset"])
def test_a_try_goes_on_where_the_last_one_ended(folder, form, monkeypatch):
    options = records.Options(images="bytes", image_root=str(folder))

    def go(out, **more):
        return records.write(photos(), folder / out, format=form, split="all", shard_rows=4,
                             options=options, **more)  # fmt: skip

    go("whole")
    lost = (folder / "7.jpg").read_bytes()
    (folder / "7.jpg").unlink()
    try:
        with pytest.raises((records.RecordError, ValueError)):
            go("out")
        assert not (folder / "out").exists()
    finally:
        (folder / "7.jpg").write_bytes(lost)
    made = []
    real = forms.Job.batches
    monkeypatch.setattr(forms.Job, "batches", lambda job, start, stop, **c: (
        made.append(start), real(job, start, stop, **c))[1])  # fmt: skip
    again = go("out")
    assert again.resumed == 3 - len(made)
    assert again.rows == N
    whole, out = (
        {p.relative_to(folder / name): p.read_bytes()
         for p in (folder / name).rglob("*") if p.is_file()}
        for name in ("whole", "out")
    )  # fmt: skip
    assert whole == out
    assert not [p.name for p in folder.iterdir() if p.name.startswith(".")]


def test_another_try_does_not_take_the_shards_of_other_records(folder):
    options = records.Options(image_root=str(folder))
    calls = []

    def stop(done, _):
        calls.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        records.write(photos(), folder / "out", split="all", shard_rows=4, options=options,
                      progress=lambda d, t: stop(d, t) if d > 4 else None)  # fmt: skip
    (left,) = folder.glob(".out.*.partial")
    assert len(list(left.rglob("*.parquet"))) == 1
    other = records.write(photos(), folder / "out", split="all", shard_rows=4, options=options,
                          seed=1)  # fmt: skip
    assert other.resumed == 0
    assert left.is_dir()


def test_progress_counts_every_record(folder):
    seen = []
    options = records.Options(image_root=str(folder))
    records.write(photos(), folder / "out", split="all", shard_rows=5, options=options,
                  progress=lambda done, total: seen.append((done, total)))  # fmt: skip
    assert seen == [(5, N), (10, N), (N, N)]


def test_two_writers_of_the_same_records_do_not_meet(folder):
    options = records.Options(image_root=str(folder))

    def meet(*_):
        with pytest.raises(records.RecordError, match="another process writes the same"):
            records.write(photos(), folder / "out", split="all", options=options)

    written_ = records.write(photos(), folder / "out", split="all", options=options, progress=meet)
    assert written_.rows == N
