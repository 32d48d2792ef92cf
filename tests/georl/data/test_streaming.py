"""Shards as training goes: every row once a round, the right row after a stop, bad ones counted."""

import io
import shutil
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import webdataset
from hypothesis import given, settings, strategies as st
from PIL import Image

from geodata import records, tables
from georl import data, sft
from georl.config import ConfigError, check, load, replace
from georl.data import DataError, loader as data_loader
from georl.data.lanes import Place, Shards, Unit, lane
from georl.run import JsonLines
from tests import pages
from tests.georl.tiny_runs import SMALL

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

N = 30
TINY = [*SMALL, "train.logging_steps=1", "train.batch=4", "train.per_device=4", "data.stream=true"]


def picture(i):
    buffer = io.BytesIO()
    Image.new("RGB", (56, 56), (10 * (i % 25), 100, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def photos(n=N):
    rng = np.random.default_rng(0)
    return pa.table({
        "photo_id": [f"p{i}" for i in range(n)],
        "lat": rng.uniform(-60, 60, n), "lon": rng.uniform(-170, 170, n),
        "country": ["France"] * n, "image": [picture(i) for i in range(n)],
    })  # fmt: skip


def as_others_write_it(folder, broken=()):
    """Shards of webdataset's own writer, in folders and with members that are no part of a row."""
    folder.mkdir()
    for number, start in enumerate(range(0, N, 8)):
        with webdataset.TarWriter(str(folder / f"{number:06d}.tar")) as shard:
            for row in photos().slice(start, 8).to_pylist():
                content = row.pop("image")
                if row["photo_id"] in broken:
                    content = content[:40]
                shard.write({"__key__": f"a/{row['photo_id']}", "png": content, "json": row,
                             "npy": np.zeros(2)})  # fmt: skip
    return folder


def as_records(folder):
    """Shards of our own exporter, chats and all, shuffled."""
    options = records.Options(kind="sft", variant="location")
    records.write(photos(), folder, format="webdataset", shard_rows=8, options=options)
    return folder


def as_parquet(folder):
    folder.mkdir()
    pq.write_table(photos().slice(0, 20), folder / "a.parquet", row_group_size=6)
    pq.write_table(photos().slice(20), folder / "b.parquet", row_group_size=6)
    return folder


def as_table(folder):
    tables.append(folder / "photos", photos(), file_rows=7)
    return folder / "photos"


FORMS = {f.__name__: f for f in (as_others_write_it, as_records, as_parquet, as_table)}


def run(table, *more, output="out"):
    return load(None, [*TINY, f"data.table={table}", f"output={output}", "task=sft", *more])


def run_on(form, folder, *more):
    """A run on shards of some form; records bring their question."""
    asked = ["data.question=null"] if form == "as_records" else []
    return run(FORMS[form](folder / "shards"), *asked, *more)


def a_round(stream, count):
    """Return the ids of the rows of the first round, by lane."""
    found = []
    for number in range(count):
        ids = []
        for place, row, problem in stream.made(number, count, Place()):
            if place.round:
                break
            assert problem is None
            ids.append(row["id"])
        found.append(ids)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_lanes_see_every_row_once(tmp_path, form, count):
    stream = data.Stream(run_on(form, tmp_path))
    lanes = a_round(stream, count)
    assert all(lanes)
    assert Counter(i for ids in lanes for i in ids) == Counter(photos()["photo_id"].to_pylist())


@pytest.mark.parametrize("form", FORMS)
def test_a_row_is_that_of_the_table(tmp_path, form):
    stream = data.Stream(run_on(form, tmp_path, "data.round_degrees=0"))
    there = {row["photo_id"]: row for row in photos().to_pylist()}
    found, rows = set(), iter(stream)
    for _ in range(N):
        row = next(rows)
        truth = there[row["id"]]
        found.add(row["id"])
        assert row["image"].size == (56, 56)
        pixel = Image.open(io.BytesIO(truth["image"])).getpixel((3, 3))
        assert row["image"].getpixel((3, 3)) == pixel
        assert (row["lat"], row["lon"], row["country"]) == (truth["lat"], truth["lon"], "France")
        answer = row["completion"][0]["content"]
        text = answer if isinstance(answer, str) else answer[0]["text"]
        said = float(text.rpartition("(")[2].partition(",")[0])
        assert abs(said - truth["lat"]) < (1e-3 if form == "as_records" else 0.06)
        assert row["prompt"][0]["role"] == "user"
    assert len(found) == N


def test_a_question_beside_chats_is_refused(tmp_path):
    with pytest.raises(data.DataError, match="would go unused"):
        data.Stream(run(as_records(tmp_path / "shards"), "data.question=Which town?"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_reading_goes_on_behind_any_row(tmp_path_factory, data):
    """Whatever the shards, lanes and rounds: a lane from a place is the rest of that lane."""
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    count, seed = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 5))

    class Numbered(Shards):
        def rows(self, unit, columns, wanted):
            for i in range(sizes[unit.group]):
                if wanted(i):
                    yield i, {"id": (unit.group, i)}

    units = tuple(Unit(None, i) for i in range(len(sizes)))
    shards = Numbered("t", pa.schema([]), units, "image", (), None)
    total = Counter()
    for number in range(count):
        try:
            reading = lane(shards, (), number, count, seed, Place())
            whole = [next(reading) for _ in range(25)]
        except DataError:
            assert sum(sizes) < 6 * count
            return
        total.update(row["id"] for place, row in whole if place.round == 0)
        at = data.draw(st.integers(0, 24))
        again = lane(shards, (), number, count, seed, whole[at][0])
        assert [next(again) for _ in range(24 - at)] == whole[at + 1 :]
    assert max(total.values()) == 1
    if sum(sizes) <= 20:
        assert len(total) == sum(sizes)


def loader(stream, output, workers=0, rank=0, processes=1, batch=4):
    return data.Loader(
        stream, batch, lambda rows: [row["id"] for row in rows], workers=workers, rank=rank,
        processes=processes, output=output, step=lambda: 1, pin=False,
    )  # fmt: skip


@pytest.mark.parametrize("workers", [0, 2])
def test_two_processes_see_rows_of_their_own_and_go_on_where_they_were(tmp_path, workers):
    stream = data.Stream(run(as_others_write_it(tmp_path / "shards")))
    seen = []
    for rank in (0, 1):
        whole = loader(stream, tmp_path, workers, rank, 2, batch=3)
        reading = iter(whole)
        before = [next(reading) for _ in range(3)]
        whole.save(tmp_path)
        after = [next(reading) for _ in range(5)]
        again = loader(stream, tmp_path, workers, rank, 2, batch=3)
        again.restore(tmp_path, 3)
        assert (again.standing.images, again.standing.batches) == (9, 3)
        resumed = iter(again)
        assert [next(resumed) for _ in range(5)] == after
        seen.append([i for ids in before for i in ids])
    assert len(set(seen[0]) | set(seen[1])) == len(seen[0]) + len(seen[1]) == 18


@pytest.mark.parametrize(("rank", "workers", "batches"), [(0, 2, 0), (1, 2, 3), (2, 3, 4)])
def test_the_workers_of_a_process_read_its_lanes_each_another(
    tmp_path, monkeypatch, rank, workers, batches
):
    """Whoever is next when a run goes on is the first worker, and reads the lane that is next."""
    asked = {}

    class Numbers:
        skips = False

        def made(self, number, count, start):
            asked[number] = (count, start)
            yield Place(0, 0, 1), {"id": number}, None

    standing = data_loader.Standing(batches, {rank * workers + 1: Place(7, 8, 9)})
    lanes = data_loader._Lanes(
        Numbers(), 1, rank * workers, workers, 4 * workers, standing, lambda rows: rows[0]["id"]
    )
    order = []
    for worker in range(workers):
        told = SimpleNamespace(id=worker)
        monkeypatch.setattr(data_loader, "get_worker_info", lambda told=told: told)
        ((made, note),) = lanes
        assert note["lane"] == made
        order.append(made)
    first = rank * workers
    assert order == [first + (worker + batches) % workers for worker in range(workers)]
    assert asked == {
        number: (4 * workers, Place(7, 8, 9) if number == first + 1 else Place())
        for number in order
    }
    monkeypatch.setattr(data_loader, "get_worker_info", lambda: None)
    ((made, _),) = lanes
    assert made == first + batches % workers


def test_a_broken_image_is_one_counted_row(tmp_path):
    shards = as_others_write_it(tmp_path / "shards", broken=("p3", "p9"))
    good = loader(data.Stream(run(shards, "data.skip_missing=true")), tmp_path / "out")
    reading = iter(good)
    ids = [i for _ in range(7) for i in next(reading)]
    assert sorted(ids) == sorted({f"p{i}" for i in range(N)} - {"p3", "p9"})
    assert good.standing.bad == 2
    listed = JsonLines(tmp_path / "out" / "unusable_photos.jsonl").read()
    assert sorted(row["id"] for row in listed) == ["p3", "p9"]
    assert {row["image"].partition("#")[2] for row in listed} == {"a/p3.png", "a/p9.png"}
    assert all("cannot be read" in row["problem"] for row in listed)
    with pytest.raises(data.DataError, match=r"image of row 'p[39]'.*data\.skip_missing=true"):
        [*zip(range(9), loader(data.Stream(run(shards)), tmp_path, workers=1), strict=False)]


@pytest.mark.parametrize("bad", ["lat", "picture", "member"])
def test_rows_without_place_or_picture_are_told(tmp_path, bad):
    rows = photos(8).to_pylist()
    rows[2] |= {"lat": {"lat": 95.0}.get(bad, 1.0), "image": b"no image" if bad == "picture" else
                picture(0)}  # fmt: skip
    shards = tmp_path / "shards.tar"
    with webdataset.TarWriter(str(shards)) as shard:
        for row in rows:
            content = row.pop("image")
            held = {} if bad == "member" and row["photo_id"] == "p2" else {"png": content}
            shard.write({"__key__": row["photo_id"], "json": row, **held})
    told = {"lat": "no valid coordinates", "picture": "not an image", "member": "is missing"}[bad]
    with pytest.raises(data.DataError, match=f"row 'p2'.*{told}"):
        [*zip(range(3), loader(data.Stream(run(shards)), tmp_path), strict=False)]


def test_only_broken_images_end_a_run_that_skips_them(tmp_path):
    with webdataset.TarWriter(str(tmp_path / "a.tar")) as shard:
        shard.write({"__key__": "a", "jpg": b"x", "json": {"lat": 1.0, "lon": 2.0}})
    with pytest.raises(data.DataError, match="rows after each other cannot be used, the last"):
        next(iter(loader(data.Stream(run(tmp_path / "a.tar", "data.skip_missing=true")), tmp_path)))


def losses(output):
    rows = JsonLines(output / "metrics.jsonl").read()
    return [(row["step"], row["loss"]) for row in rows if "loss" in row]


def test_a_streamed_run_that_was_stopped_goes_on_bit_for_bit(tmp_path):
    torch.set_num_threads(1)
    shards = as_others_write_it(tmp_path / "shards", broken=("p3",))
    more = ["train.max_steps=6", "train.save_steps=3", "train.per_device=2", "train.workers=2",
            "data.skip_missing=true", "train.learning_rate=1e-2"]  # fmt: skip
    sft.train(run(shards, *more, output=tmp_path / "whole"))
    whole = losses(tmp_path / "whole")
    stopped = tmp_path / "stopped"
    later = shutil.ignore_patterns("final", "checkpoint-6", "*.lock")
    shutil.copytree(tmp_path / "whole", stopped, ignore=later)
    sft.train(run(shards, *more, output=stopped))
    assert losses(stopped) == whole
    row = [r for r in JsonLines(stopped / "metrics.jsonl").read() if "loss" in r][-1]
    assert row["images"] == 24
    assert row["bad_images"] <= 1
    assert row["images_per_second"] > 0
    assert row["images_ready_per_second"] > 0
    with pytest.raises(ConfigError, match=r"train\.workers: 2 there, 1 now"):
        sft.train(run(shards, *more, "train.workers=1", output=stopped))


def test_shards_without_a_stream_are_read_in_place_in_any_order(tmp_path):
    made = as_records(tmp_path / "shards")
    asked = run(made, "data.stream=false", "data.question=null")
    rows = data.load(asked, completions=True)
    assert sorted(rows.with_format(None)["id"]) == sorted(photos()["photo_id"].to_pylist())
    at = rows.with_format(None)["id"].index("p7")
    assert rows[at]["image"].getpixel((1, 1)) == (70, 100, 0)
    other = as_others_write_it(tmp_path / "others")
    rows = data.load(load(None, [f"data.table={other}"]), completions=False)
    at = rows.with_format(None)["id"].index("p7")
    assert rows[at]["image"].getpixel((1, 1)) == (70, 100, 0)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["task=grpo", "grpo.generations=4"], "data.stream with task=grpo.*read in place"),
        (["data.table=world"], "which has no shards"),
        (["train.max_steps=-1"], "train.max_steps to rows x epochs / train.batch"),
    ],
)
def test_what_a_stream_cannot_do_is_said_by_the_configuration(more, message):
    with pytest.raises(ConfigError, match=message):
        check(run("shards", "train.max_steps=3", *more), processes=1)


def test_what_a_stream_cannot_read_is_said(tmp_path):
    (tmp_path / "a.csv").write_text("id,lat,lon,image\n")
    with pytest.raises(data.DataError, match=r"is csv; leave data\.stream out"):
        data.Stream(run(tmp_path / "a.csv"))
    pq.write_table(photos().append_column("split", [["train"] * N]), tmp_path / "s.parquet")
    with pytest.raises(data.DataError, match="has a column 'split'"):
        data.Stream(run(tmp_path / "s.parquet"))
    assert data.Stream(run(tmp_path / "s.parquet", "data.split=all")).shards.units
    with pytest.raises(data.DataError, match=r"data\.limit with data.stream"):
        data.Stream(run(tmp_path / "s.parquet", "data.limit=3"))
    with pytest.raises(data.DataError, match="no column 'picture'"):
        data.Stream(run(tmp_path / "s.parquet", "data.split=all", "data.image=picture"))
    pq.write_table(photos().drop(["lat"]), tmp_path / "n.parquet")
    with pytest.raises(data.DataError, match=r"data\.lat and data\.lon name them"):
        data.Stream(run(tmp_path / "n.parquet"))


def test_the_page_about_shards_works_word_for_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    pages.follow(pages.TUTORIALS / "stream.md", tmp_path)


def test_the_loader_of_a_run_is_made_as_the_run_says(tmp_path):
    more = ["train.batch=6", "train.per_device=3", "train.workers=2", "train.max_steps=4"]
    made = run_on("as_parquet", tmp_path, "data.stream=true", *more)
    made = replace(made, output=str(tmp_path / "out"))
    given = data.trainer_inputs(data.checked(made), completions=True)
    trainer = sft.GeoSFTTrainer(args=sft.arguments(made), **given)
    found = trainer.loader
    assert trainer.get_train_dataloader() is found
    assert (found._batch, found._workers, found._rank, found._processes) == (3, 2, 0, 1)
    assert found._pin == torch.cuda.is_available()  # where there is none, pinning only warns
    assert found._unusable.path == tmp_path / "out" / "unusable_photos.jsonl"
    assert found._collate is trainer.data_collator
    trainer.state.global_step = 5
    assert found._step() == 6
    still = replace(made, data__stream=False)
    assert sft.arguments(made).ignore_data_skip
    assert not sft.arguments(still).ignore_data_skip
