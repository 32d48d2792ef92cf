"""Shards counted by hand: which lane reads which row, where it stands, and what is said of it."""

import json
import os
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import webdataset
from pyarrow import feather

from geodata import records, tables
from georl import data
from georl.config import ConfigError, DataConfig, load
from georl.data import DataError, loader as data_loader
from georl.data.lanes import Place, Shards, Unit, lane, open_shards
from georl.run import JsonLines
from tests.georl.data.test_sources import jpeg
from tests.georl.tiny_runs import SMALL


def write(path, count=4, **more):
    columns = {"id": [f"p{i}" for i in range(count)], "lat": [1.0 * i for i in range(count)],
               "lon": [2.0 * i for i in range(count)], "country": ["Chad"] * count,
               "image": [jpeg(i) for i in range(count)]}  # fmt: skip
    pq.write_table(pa.table(columns | more), path, row_group_size=40)
    return path


def refused(call, *given, kind=DataError):
    with pytest.raises(kind) as error:
        call(*given)
    return str(error.value)


# ---- lanes


class Numbered(Shards):
    """Shards of so many rows."""

    sizes = ()

    def rows(self, unit, columns, wanted):
        for i in range(self.sizes[unit.group]):
            if wanted(i):
                yield i, {"row": (unit.group, i)}


def numbered(*sizes):
    units = tuple(Unit(None, i) for i in range(len(sizes)))
    made = Numbered("t", pa.schema([]), units, "image", (), None)
    object.__setattr__(made, "sizes", sizes)
    return made


def taken(shards, number, count, seed, start=Place(), rows=40, rounds=2):
    found = []
    for place, row in lane(shards, (), number, count, seed, start):
        if place.round >= rounds or len(found) == rows:
            return found
        found.append((tuple(place), row["row"]))
    return found


def order(seed, at, shards):
    """The shards of a round: what numpy shuffles of the seed and the round's number."""
    return [int(i) for i in np.random.default_rng([seed, at]).permutation(shards)]


@pytest.mark.parametrize("seed", [0, 6])
@pytest.mark.parametrize(("number", "count"), [(0, 1), (0, 2), (1, 2), (2, 5), (4, 5)])
def test_whole_shards_go_round_the_lanes(seed, number, count):
    """Five shards, of 1 to 5 rows; also where there are as many lanes as shards."""
    sizes = (1, 2, 3, 4, 5)
    expected = [
        ((at, k, i + 1), (unit, i))
        for at in (0, 1)
        for k, unit in enumerate(order(seed, at, 5)[number::count])
        for i in range(sizes[unit])
    ]
    assert taken(numbered(*sizes), number, count, seed) == expected
    assert order(seed, 0, 5) != order(seed, 1, 5)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_rows_of_a_shard_go_round_where_there_are_more_lanes(number):
    """Two shards of seven rows for three lanes: the second begins with the lane before."""
    expected = [
        ((at, k, i + 1), (unit, i))
        for at in (0, 1)
        for k, unit in enumerate(order(3, at, 2))
        for i in range(7)
        if (i + k) % 3 == number
    ]
    assert taken(numbered(7, 7), number, 3, 3) == expected


def test_a_lane_goes_on_behind_its_place_and_into_the_next_round():
    whole = taken(numbered(3, 2), 0, 1, 4)
    for at, (place, _) in enumerate(whole[:-1]):
        assert taken(numbered(3, 2), 0, 1, 4, Place(*place)) == whole[at + 1 :]
    last = Place(*whole[4][0])  # nothing is left of this round
    assert taken(numbered(3, 2), 0, 1, 4, last)[0] == whole[5]


def test_a_lane_without_rows_is_refused_in_these_words():
    told = refused(lambda: next(lane(numbered(2), (), 2, 3, 0, Place())))
    assert told == (
        "t has too few rows for 3 readers (processes x train.workers): reader 2 gets none; set "
        "fewer train.workers"
    )
    assert taken(numbered(2), 1, 3, 0, rounds=1) == [((0, 0, 2), (0, 1))]


def test_rows_of_parquet_keep_their_number_and_shards_their_stamp(tmp_path):
    """Groups of 40 and 5 rows; they are read 32 at a time."""
    path = write(tmp_path / "a.parquet", 45)
    shards = open_shards(DataConfig(table=str(path), stream=True))
    assert shards.units == (Unit(path, 0), Unit(path, 1))
    assert (shards.label, shards.image, shards.chats, shards.home) == (
        str(path), "image", (), tmp_path)  # fmt: skip
    size = path.stat().st_size
    assert shards.stamp() == [["a.parquet", 0, size], ["a.parquet", 1, size]]
    found = dict(shards.rows(shards.units[0], ["id", "none"], lambda i: i in (0, 31, 32, 39)))
    assert {i: row["id"] for i, row in found.items()} == {0: "p0", 31: "p31", 32: "p32", 39: "p39"}
    assert found[32] == {"id": "p32", "none": None, "bytes": jpeg(32), "path": None,
                         "problem": None}  # fmt: skip
    rest = [row["id"] for _, row in shards.rows(shards.units[1], ["id"], lambda i: True)]
    assert rest == [f"p{i}" for i in range(40, 45)]
    inside = open_shards(DataConfig(table=str(tmp_path), stream=True))
    assert (inside.home, inside.units) == (tmp_path, shards.units)


def test_a_damaged_page_is_not_read_as_if_it_were_whole(tmp_path):
    """Where the writer left sums of the pages: one changed letter of a name."""
    path, names = tmp_path / "a.parquet", ["namelong"] * 3
    table = pa.table({"id": names, "image": [jpeg(0)] * 3, "lat": [1.0] * 3, "lon": [2.0] * 3})
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(table, path, write_page_checksum=True, **options)
    content = path.read_bytes()
    assert content.count(b"namelong") == 3
    path.write_bytes(content.replace(b"namelong", b"namelung", 1))
    shards = open_shards(DataConfig(table=str(path), stream=True))
    with pytest.raises(OSError, match=r"checksum|CRC"):
        [*shards.rows(shards.units[0], ["id"], lambda i: True)]


def test_a_picture_of_a_tar_goes_by_the_shard_s_path_below_the_folder(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("in/a.tar", "b.tar"):
        with webdataset.TarWriter(str(tmp_path / name)) as shard:
            shard.write({"__key__": "k", "json": {"lat": 1.0, "lon": 2.0}, "jpg": jpeg(0)})
    shards = open_shards(DataConfig(table=str(tmp_path), stream=True))
    read = [[*shards.rows(unit, [], lambda i: True)] for unit in shards.units]
    paths = [row["path"] for ((_, row),) in read]
    expected = {"in/a.tar": "in/a.tar#k.jpg", "b.tar": "b.tar#k.jpg"}
    names = [unit.path.relative_to(tmp_path).as_posix() for unit in shards.units]
    assert paths == [expected[name] for name in names]


def test_what_a_stream_cannot_read_is_said_in_these_words(tmp_path):
    path = write(tmp_path / "a.parquet", 2, split=["a", "b"])
    given = DataConfig(table=str(path), stream=True)
    (tmp_path / "a.csv").write_text("id,lat,lon,image\n")
    feather.write_feather(pq.read_table(path), tmp_path / "a.arrow")

    def of(**more):
        return refused(open_shards, DataConfig(**{**vars(given), **more}))

    for kind in ("csv", "arrow"):  # also of a kind that has types
        assert of(table=str(tmp_path / f"a.{kind}")) == (
            f"data.stream reads WebDataset shards, Parquet and tables of a lake, and "
            f"{tmp_path / f'a.{kind}'} is {kind}; leave data.stream out"
        )
    assert of(table="no\0name").startswith("no\0name: unknown format ")
    assert of() == (
        f"{path} has a column 'split', and data.stream reads all rows; set data.split=all, or "
        "write shards of one split (geodata records --split train)"
    )
    for name, value in (("split", "a"), ("where", "lat > 0"), ("limit", 3)):
        assert of(**{name: value}) == (
            f"data.{name} with data.stream, which reads whole shards; choose when they are "
            "written (geodata records --split, --where), or leave data.stream out"
        )
    assert of(split="all", image="photo") == (
        f"{path} has no column 'photo' for the image; set data.image to one of id, lat, lon, "
        "country, image, split"
    )
    tables.append(tmp_path / "lake" / "t", pq.read_table(path).drop(["split"]))
    tables.append(tmp_path / "lake" / "t", pq.read_table(path).drop(["split"]))
    table = str(tmp_path / "lake" / "t")
    for version, label, units in ((None, f"{table}@1", 2), ("0", f"{table}@0", 1)):
        shards = open_shards(DataConfig(table=table, version=version, stream=True))
        assert (shards.label, len(shards.units)) == (label, units)


# ---- the stream


def stream_of(path, *more):
    given = [*SMALL, f"data.table={path}", "data.stream=true", "data.levels=[country]", *more]
    return data.Stream(load(None, given))


def test_the_tiny_model_s_tokenizer_is_given_the_first_rows(tmp_path):
    path = write(tmp_path / "a.parquet", 3, lat=[10.0, 99.0, 20.0])  # the second is unusable
    stream = stream_of(path)
    lines = stream.texts()
    assert lines[:100] == ["user\nWhere?", "assistant\n"] * 50
    assert [line.splitlines()[0] for line in lines[100:]] == ["Country: Chad"] * 2
    assert [f"({lat}" in line for lat, line in zip((10, 20), lines[100:], strict=True)] == [
        True
    ] * 2
    assert stream_of(path, "model.name=other").texts() == []


@pytest.mark.parametrize("stream", [True, False])
def test_the_tokenizer_is_given_three_thousand_rows_and_no_more(tmp_path, stream):
    n = 3001
    (tmp_path / "a.jpg").write_bytes(jpeg(0))
    columns = {"id": [str(i) for i in range(n)], "lat": [1.0] * n, "lon": [2.0] * n,
               "country": ["Chad"] * (n - 1) + ["Mali"], "image": ["a.jpg"] * n}  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    more = [f"data.table={tmp_path / 't.parquet'}", f"data.image_root={tmp_path}"]
    run = load(None, [*SMALL, *more, f"data.stream={str(stream).lower()}", "data.levels=[country]"])
    lines = (
        data.Stream(run).texts() if stream else data.texts(data.load(run, completions=True), run)
    )
    assert len(lines) == 100 + 3000
    assert {line.splitlines()[0] for line in lines[100:]} == {"Country: Chad"}


def test_the_tiny_model_s_tokenizer_is_given_what_records_ask_and_answer(tmp_path):
    turns = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": "That."}]
    path = write(tmp_path / "a.parquet", 2, messages=[turns] * 2)
    lines = stream_of(path, "data.question=null").texts()
    assert lines == ["user\nWhich?", "assistant\n"] * 50 + ["That."] * 2


@pytest.mark.parametrize(
    ("columns", "named"),
    [({}, "p1"), ({"id": ["p0", None, "p2"]}, "row 1"), ({"id": [4, 5, 6]}, "5")],
)
def test_a_row_goes_by_its_id_or_its_number(tmp_path, columns, named):
    stream = stream_of(write(tmp_path / "a.parquet", 3, **columns))
    names = [row["id"] for _, row, _ in zip_three(stream)]
    assert names[1] == named


def test_a_row_goes_by_the_column_that_is_named_for_it(tmp_path):
    path = write(tmp_path / "a.parquet", 3, name=["x", "y", "z"])
    for more, named in ((["data.id=name"], "y"), ([], "p1")):
        _, row, _ = zip_three(stream_of(path, *more))[1]
        assert row["id"] == named


def zip_three(stream):
    reading = stream.made(0, 1, Place())
    return [next(reading) for _ in range(3)]


@pytest.mark.parametrize("chats", [None, "completion", "messages"])
def test_a_trained_row_has_these_columns_and_no_more(tmp_path, chats):
    path = write(tmp_path / "a.parquet", 3, more=[1, 2, 3])
    asked = []
    if chats:
        options = records.Options(kind="sft", variant="location", images="bytes", form=chats)
        table = pq.read_table(path).rename_columns({"id": "photo_id"})
        records.write(table, tmp_path / "r.parquet", options=options)
        path, asked = tmp_path / "r.parquet", ["data.question=null", "data.prompt=location"]
    _, row, problem = zip_three(stream_of(path, *asked))[1]
    assert problem is None
    assert {*row} == {"id", "lat", "lon", "country", "image", "prompt", "completion"}
    assert (row["id"], row["lat"], row["lon"], row["country"]) == ("p1", 1.0, 2.0, "Chad")


def test_a_row_that_cannot_be_used_says_why_in_these_words(tmp_path):
    images = [jpeg(0), None, jpeg(2)]
    path = write(tmp_path / "a.parquet", 3, lat=[0.0, 1.0, 91.0], image=images)
    stream = stream_of(path)
    (_, _, fine), (_, _, missing), (_, _, nowhere) = zip_three(stream)
    assert fine is None
    assert missing == {
        "id": "p1", "image": None,
        "problem": "image of row 'p1' (None) cannot be read: there is none; repair or drop the row",
    }  # fmt: skip
    assert nowhere == {"id": "p2", "image": None, "problem": "row 'p2' has no valid coordinates"}
    reading = iter(stream)
    assert [next(reading)["id"] for _ in range(3)] == ["p0"] * 3


def test_a_sample_without_a_picture_is_told_with_its_id_or_its_file(tmp_path):
    with webdataset.TarWriter(str(tmp_path / "a.tar")) as shard:
        shard.write({"__key__": "a", "json": {"id": "p0", "lat": 1.0, "lon": 2.0}})
        shard.write({"__key__": "b", "json": {"lat": 1.0, "lon": 2.0}, "jpg": jpeg(0)})
        shard.write({"__key__": "c", "json": {"lat": 1.0, "lon": 2.0}, "jpg": b""})
    (_, _, missing), (_, fine, none), (_, _, empty) = zip_three(stream_of(tmp_path))
    assert missing == {
        "id": "p0", "image": None, "problem": "image of row 'p0' cannot be used: it is missing"
    }  # fmt: skip
    assert (fine["id"], fine["image"].size, none) == ("a.tar#b.jpg", (40, 30), None)
    assert (empty["id"], empty["image"]) == ("a.tar#c.jpg", "a.tar#c.jpg")
    assert empty["problem"].startswith("image of row 'a.tar#c.jpg' cannot be used: it is ")


def test_columns_that_are_no_coordinates_are_told_with_all_there_are(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["a"], "image": [jpeg(0)], "lon": [1.0]}), path)
    told = refused(stream_of, path)
    assert told.startswith(f"{path}, with columns id, image, lon: ")
    assert told.endswith("; data.lat and data.lon name them")


# ---- the loader


class Given:
    """A stream of so many rows, of which some are bad."""

    def __init__(self, bad, skips=True, shards=None):
        self.bad, self.skips, self.shards = bad, skips, shards

    def made(self, number, count, start):
        for i in range(5000):
            problem = {"id": f"p{i}", "image": None, "problem": "torn"} if self.bad(i) else None
            yield Place(0, 0, i + 1), {"id": i}, problem


def loader_of(stream, output, *, rank=0, processes=1, workers=0, step=lambda: 7):
    return data.Loader(
        stream, 2, lambda rows: [row["id"] for row in rows], workers=workers, rank=rank,
        processes=processes, output=output, step=step, pin=False,
    )  # fmt: skip


def test_a_thousand_bad_rows_are_passed_over_and_one_more_ends_the_run(tmp_path):
    made = loader_of(Given(lambda i: i < 1000), tmp_path / "a")
    assert next(iter(made)) == [1000, 1001]
    assert (made.standing.bad, made.standing.images, made.standing.batches) == (1000, 2, 1)
    listed = JsonLines(tmp_path / "a" / "unusable_photos.jsonl").read()
    assert len(listed) == 1000
    assert listed[3] == {"step": 7, "id": "p3", "image": None, "problem": "torn"}
    none = loader_of(Given(lambda i: i < 1001), tmp_path / "b")
    told = refused(lambda: next(iter(none)))
    assert told == "1001 rows after each other cannot be used, the last: torn"
    one = loader_of(Given(lambda i: 0 < i < 1500), tmp_path / "c")  # a good one before them
    assert next(iter(one)) == [0, 1500]


def test_the_first_bad_row_ends_a_run_that_skips_none(tmp_path):
    made = loader_of(Given(lambda i: i == 3, skips=False), tmp_path)
    reading = iter(made)
    assert next(reading) == [0, 1]
    assert refused(lambda: next(reading)) == (
        "torn; repair it, or set data.skip_missing=true to go on without it"
    )
    assert [row["id"] for row in JsonLines(tmp_path / "unusable_photos.jsonl").read()] == ["p3"]


class Told(Given):
    """Says which process read a row, of which lane."""

    def made(self, number, count, start):
        for i in range(50):
            yield Place(0, 0, i + 1), {"id": (os.getpid(), number, count)}, None


def test_every_worker_reads_a_lane_of_its_own_in_a_process_of_its_own(tmp_path):
    made = loader_of(Told(None), tmp_path, rank=1, processes=3, workers=2)
    reading = iter(made)
    found = [next(reading) for _ in range(4)]
    del reading
    assert [{row[1:] for row in batch} for batch in found] == [{(2, 6)}, {(3, 6)}] * 2
    pids = [batch[0][0] for batch in found]
    assert pids[:2] == pids[2:]
    assert len({*pids, os.getpid()}) == 3
    assert made.standing.places == {2: Place(0, 0, 4), 3: Place(0, 0, 4)}


def test_the_time_of_workers_is_that_of_their_batches(tmp_path, monkeypatch):
    """Three batches of 1, 2 and 4 seconds; between them others have the time."""
    clock = iter([0.0, 1.0, 10.0, 12.0, 20.0, 24.0])
    monkeypatch.setattr(data_loader, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    made = loader_of(Given(lambda i: False), tmp_path)
    reading = iter(made)
    for _ in range(3):
        next(reading)
    assert made.standing.seconds == 7.0
    assert made.per_second() == pytest.approx(6 / 7)


def test_where_a_process_stands_is_written_as_it_is(tmp_path):
    shards = SimpleNamespace(stamp=lambda: [["a.tar", None, 12]])
    made = loader_of(Given(lambda i: i == 1, shards=shards), tmp_path, rank=3, processes=4)
    reading = iter(made)
    assert [next(reading), next(reading)] == [[0, 2], [3, 4]]
    assert made.per_second() == pytest.approx(4 / made.standing.seconds)
    made.standing.seconds = 0.5
    assert made.per_second() == 8.0
    made._workers = 3
    assert made.per_second() == 24.0
    made._workers = 0
    made.save(tmp_path)
    assert json.loads((tmp_path / "stream-00003.json").read_text()) == {
        "shape": {"processes": 4, "train.workers": 0, "shards": [["a.tar", None, 12]]},
        "batches": 2, "places": {"3": [0, 0, 5]}, "images": 4, "bad": 1, "seconds": 0.5,
    }  # fmt: skip
    assert (tmp_path / "unusable_photos-00003.jsonl").is_file()
    again = loader_of(made._stream, tmp_path, rank=3, processes=4)
    assert again.per_second() is None
    again.restore(tmp_path, 7)
    assert again.standing == data_loader.Standing(2, {3: Place(0, 0, 5)}, 4, 1, 0.5)
    assert len(again._unusable.read()) == 1
    again.restore(tmp_path, 6)  # what was listed behind this step is listed again
    assert again._unusable.read() == []


def test_a_run_of_another_shape_is_refused_in_these_words(tmp_path):
    shards = SimpleNamespace(stamp=lambda: [["a.tar", None, 12]])
    loader_of(Given(None, shards=shards), tmp_path, processes=2).save(tmp_path)
    other = SimpleNamespace(stamp=lambda: [["a.tar", None, 12], ["b.tar", None, 3]])

    def told(folder, shards, **more):
        made = loader_of(Given(None, shards=shards), tmp_path, **more)
        return refused(made.restore, folder, 1, kind=ConfigError)

    end = "; start it as it was, or set train.resume=false to start over"
    assert told(tmp_path, shards, processes=3, workers=1) == (
        f"{tmp_path} was streamed otherwise (processes: 2 there, 3 now; train.workers: 0 there, 1 "
        f"now){end}"
    )
    assert told(tmp_path, other, processes=2) == (
        f"{tmp_path} was streamed otherwise (shards: 1 of certain names and sizes there, 2 of "
        f"certain names and sizes now){end}"
    )
    assert told(tmp_path / "none", shards, processes=2) == (
        f"{tmp_path / 'none'} was streamed otherwise (processes: None there, 2 now; train.workers: "
        f"None there, 0 now; shards: None there, 1 of certain names and sizes now){end}"
    )
