"""How records get into files: which rows, in which order, how many a file, what is told."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import hashing, query, records, tables
from geodata.records import RecordError, chats, shuffled, writing
from tests.records.test_trainers import photos, picture

LOOSE = records.Options(check="skip")


def rows(n=12, **columns):
    return photos(n).drop_columns(["split"]) if not columns else pa.table(columns)


def ids(path):
    return pq.read_table(path)["photo_id"].to_pylist()


def order_of(table, seed):
    """By the key of each id, then by the number of the row."""
    keys = hashing.sampling_keys(table.select(["photo_id"]), seed)
    named = table["photo_id"].to_pylist()
    return [named[i] for i in sorted(range(len(named)), key=lambda i: (keys[i], i))]


def test_the_order_is_that_of_the_keys_and_equal_ids_stay_in_theirs(tmp_path):
    table = rows()
    for seed, given in ((0, {}), (7, {"seed": 7})):
        made = records.write(table, tmp_path / f"{seed}.parquet", options=LOOSE, **given)
        assert ids(made.path) == order_of(table, seed)
    same = pa.table({
        "photo_id": ["a"] * 4, "lat": [1.0, 2.0, 3.0, 4.0], "lon": [0.0] * 4, "image": ["x"] * 4
    })  # fmt: skip
    records.write(same, tmp_path / "same.parquet", options=LOOSE)
    assert pq.read_table(tmp_path / "same.parquet")["lat"].to_pylist() == [1.0, 2.0, 3.0, 4.0]


def test_a_file_of_a_folder_has_ten_thousand_rows_unless_told(tmp_path, monkeypatch):
    assert writing.SHARD_ROWS == 10_000
    made = records.write(rows(12), tmp_path / "out", shard_rows=5, options=LOOSE)
    assert made == writing.Written(
        tmp_path / "out", 12, 0, 3, {}, 0, 0,
        tuple(f"data/train-{i:05d}-of-00003.parquet" for i in range(3)),
    )  # fmt: skip
    assert [pq.ParquetFile(made.path / n).metadata.num_rows for n in made.names] == [5, 5, 2]
    assert [i for n in made.names for i in ids(made.path / n)] == order_of(rows(12), 0)
    whole = records.write(rows(12), tmp_path / "one", options=LOOSE)
    assert (whole.files, whole.names) == (1, ("data/train-00000-of-00001.parquet",))
    one = records.write(rows(12), tmp_path / "one.parquet", options=LOOSE)
    assert (one.rows, one.files, one.names) == (12, 1, ())


def test_files_of_one_process_among_several(tmp_path):
    asked = []

    def files_of(stamp, count):
        asked.append((stamp, count))
        return [2, 0]

    made = records.write(rows(12), tmp_path / "out", shard_rows=5, options=LOOSE, files_of=files_of)
    names = ("data/train-00002-of-00003.parquet", "data/train-00000-of-00003.parquet")
    assert (made.names, made.rows, made.files, made.resumed) == (names, 7, 2, 0)
    none = records.write(
        rows(12), tmp_path / "none", shard_rows=5, options=LOOSE, files_of=lambda *_: []
    )
    assert (none.names, none.rows, none.files) == ((), 0, 0)
    ((stamp, count),) = asked
    assert count == 3

    def stamp_of(table=None, **changed):
        told = {"shard_rows": 5, "options": LOOSE} | changed
        table = rows(12) if table is None else table
        seen = []
        records.write(table, tmp_path / "s", files_of=lambda *a: seen.append(a) or [], **told)
        return seen[0][0]

    assert stamp_of() == stamp
    strict = dataclasses.replace(LOOSE, variant="cot")
    for other in (
        stamp_of(shard_rows=4), stamp_of(seed=1), stamp_of(options=strict), stamp_of(rows(11)),
        stamp_of(format="verl"), stamp_of(photos(12), split="train"),
        stamp_of(rows(12).set_column(1, "lat", pa.array([9.0] * 12))),
    ):  # fmt: skip
        assert other != stamp


@pytest.fixture
def four(tmp_path):
    """A picture that is there, one that is not, one that is none, and a row without a place."""
    (tmp_path / "a.jpg").write_bytes(picture())
    (tmp_path / "c.jpg").write_text("words")
    return pa.table({
        "photo_id": ["a", "b", "c", "d"], "lat": [1.0, 2.0, 3.0, None], "lon": [0.0] * 4,
        "image": ["a.jpg", "b.jpg", "c.jpg", "a.jpg"],
    })  # fmt: skip


def options(tmp_path, **asked):
    return records.Options(image_root=str(tmp_path), **asked)


def usable(table, asked):
    keep, absent = writing._usable(table, asked)
    return "".join(np.array(table["photo_id"])[keep]), absent


def test_which_rows_make_records_by_what_is_checked(four, tmp_path):
    drop = {"missing": "drop"}
    assert usable(four, options(tmp_path, check="skip", **drop)) == ("abc", 0)
    assert usable(four, options(tmp_path, check="tell", **drop)) == ("abc", 2)
    assert usable(four, options(tmp_path, check="refuse", **drop)) == ("a", 0)
    good = four.slice(0, 2)
    assert usable(good, options(tmp_path)) == ("ab", 1)
    assert usable(good.slice(0, 1), options(tmp_path, check="refuse")) == ("a", 0)
    with pytest.raises(RecordError, match=r"^no row of 1 makes a record: none has coordinates"):
        usable(four.slice(3), options(tmp_path, **drop))
    with pytest.raises(RecordError, match=r"^no row of 2 makes a record"):
        usable(four.slice(1, 2), options(tmp_path, check="refuse", **drop))


def test_a_reference_that_is_no_picture_is_refused_and_one_that_is_away_told(four, tmp_path):
    with pytest.raises(RecordError) as told:
        usable(four.slice(0, 3), options(tmp_path))
    assert str(told.value).startswith("c.jpg of 'c' ")
    assert str(told.value).endswith(
        "; repair it, or leave such rows out with missing='drop', check='refuse'"
    )
    with pytest.raises(RecordError) as told:
        usable(four.slice(0, 2), options(tmp_path, check="refuse"))
    assert str(told.value).startswith("1 of 2 pictures are not there; the first, b.jpg of 'b' ")
    assert f"start from image_root ({tmp_path}): set it (--image-root)" in str(told.value)
    with pytest.raises(
        RecordError, match=r"image_root \(not set: the lake, else the current folder"
    ):
        usable(four.slice(0, 2), records.Options(check="refuse"))


@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_pictures_are_looked_at_so_many_at_a_time(tmp_path, monkeypatch, step):
    monkeypatch.setattr(writing, "_CHECK_ROWS", step)
    gone = {1, 2, 5, 6}
    for i in range(7):
        if i not in gone:
            (tmp_path / f"{i}.jpg").write_bytes(picture())
    lat = [None if i == 3 else 1.0 for i in range(7)]
    table = pa.table({"photo_id": [f"{i}" for i in range(7)], "lat": lat, "lon": [0.0] * 7,
                      "image": [f"{i}.jpg" for i in range(7)]})  # fmt: skip
    asked = options(tmp_path, missing="drop", check="refuse")
    assert usable(table, asked) == ("04", 0)
    assert usable(table, dataclasses.replace(asked, check="tell")) == ("012456", 4)


def test_pictures_in_the_rows_are_looked_at_one_by_one(monkeypatch):
    asked = []
    original = writing.reference_problems
    monkeypatch.setattr(
        writing,
        "reference_problems",
        lambda v, *a, **k: asked.append(len(v)) or original(v, *a, **k),
    )
    table = pa.table({"photo_id": ["a", "b", "c"], "lat": [1.0] * 3, "lon": [0.0] * 3,
                      "image": [picture(), b"words", picture(9)]})  # fmt: skip
    with pytest.raises(RecordError, match=r"^5 bytes of 'b' "):
        usable(table, records.Options())
    assert asked == [1, 1]
    assert usable(table, records.Options(missing="drop", check="refuse")) == ("ac", 0)
    struct = pa.array([{"bytes": None, "path": "no.jpg"}] * 3)
    table = table.set_column(3, "image", struct)
    with pytest.raises(RecordError, match=r"^3 of 3 pictures .* first, no\.jpg of 'a'"):
        usable(table, records.Options(check="refuse"))


def test_rows_of_a_lake_are_those_chosen_of_all_its_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lake = tmp_path / "lake"
    tables.write(lake / "rand", photos(12), file_rows=5)
    for name, given, wanted in (
        ("all", {"split": "all"}, range(12)), ("test", {"split": "test"}, range(3)),
        ("where", {"split": "all", "where": "lat > 2 AND lat < 5"}, range(5, 10)),
        ("both", {"split": "train", "where": "lat < 4"}, range(5, 8)),
    ):  # fmt: skip
        made = records.write(
            "rand", tmp_path / f"{name}.parquet", lake=lake, options=LOOSE, **given
        )
        assert sorted(ids(made.path)) == sorted(f"p{i}" for i in wanted)
        again = records.write(photos(12), tmp_path / f"{name}2.parquet", options=LOOSE, **given)
        assert ids(again.path) == ids(made.path)
    with pytest.raises(query.QueryError, match=r"\(split=, where=; --split, --where\)$"):
        records.write("rand", tmp_path / "x.parquet", lake=lake, options=LOOSE)
    tables.write(lake / "bare", photos(3).drop_columns(["image"]))
    with pytest.raises(tables.DatasetError, match="'image'"):
        records.write("bare", tmp_path / "x.parquet", lake=lake, options=LOOSE)


@pytest.mark.parametrize("is_struct", [False, True])
def test_pictures_of_a_lake_lie_in_a_file_meanwhile(tmp_path, monkeypatch, is_struct):
    monkeypatch.setattr(shuffled, "_SPILL_ROWS", 2)
    lake = tmp_path / "lake"
    data = [picture(i) for i in range(7)]
    column = pa.array(data)
    if is_struct:
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        column = pa.array([{"bytes": one, "path": None} for one in data], kind)
    tables.write(lake / "rand", photos(7).set_column(3, "image", column), file_rows=3)
    beside = []
    original = writing.on_disk

    def seen(parts, schema, folder):
        beside.append(folder)
        return original(parts, schema, folder)

    monkeypatch.setattr(writing, "on_disk", seen)
    (tmp_path / "out").mkdir()
    made = records.write("rand", tmp_path / "out" / "r.parquet", lake=lake, split="all")
    assert beside == [tmp_path / "out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["r.parquet"]
    found = {
        row["photo_id"]: row["images"][0]["bytes"] for row in pq.read_table(made.path).to_pylist()
    }
    assert len(found) == 7
    assert made.stripped.get("pictures", 7) == 7
    with original([photos(5).slice(0, 3), photos(5).slice(3)], photos(5).schema, tmp_path) as table:
        assert [path.name[:9] for path in tmp_path.iterdir() if path.name[0] == "."] == [
            ".records."
        ]
        assert table.equals(photos(5))
        assert [len(chunk) for chunk in table["lat"].chunks] == [2, 1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake", "out"]


@pytest.mark.parametrize(
    ("kind", "heavy"),
    [
        (pa.string(), False), (pa.large_string(), False), (pa.binary(), True),
        (pa.large_binary(), True), (pa.struct([("path", pa.string())]), True), (None, False),
    ],
)  # fmt: skip
def test_what_holds_pictures(kind, heavy):
    fields = [("photo_id", pa.string())] + ([] if kind is None else [("image", kind)])
    assert shuffled.holds_bytes(pa.schema(fields)) == heavy


@pytest.mark.parametrize("heavy", [False, True])
def test_rows_come_in_their_order_a_few_at_a_time(monkeypatch, heavy):
    monkeypatch.setattr(chats, "BATCH_ROWS", 3)
    table = rows(12)
    if heavy:
        table = table.set_column(3, "image", pa.array([b"%d" % i for i in range(12)]))
    chosen = np.array([0, 2, 3, 5, 7, 8, 11])
    made = shuffled.Shuffled(table, chosen, 4)
    assert len(made) == 7
    assert made.schema == table.schema
    kept = {f"p{i}" for i in chosen}
    wanted = [name for name in order_of(table, 4) if name in kept]
    for start, stop, sizes in ((0, 7, [3, 3, 1]), (2, 6, [3, 1]), (6, 99, [1]), (7, 9, [])):
        parts = list(made.slices(start, stop))
        assert [len(part) for part in parts] == sizes
        found = [name for part in parts for name in part["photo_id"].to_pylist()]
        assert found == wanted[start:stop]
        assert all(part.schema == table.schema for part in parts)


def test_a_stamp_is_that_of_rows_and_order():
    table, chosen = rows(12), np.arange(12)
    stamp = shuffled.Shuffled(table, chosen, 0).stamp()
    chunks = pa.concat_tables([table.slice(0, 5), table.slice(5)])
    assert shuffled.Shuffled(chunks, chosen, 0).stamp() == stamp
    for other in (
        shuffled.Shuffled(table, chosen, 1), shuffled.Shuffled(table, chosen[1:], 0),
        shuffled.Shuffled(table.set_column(3, "image", pa.array(["x"] * 12)), chosen, 0),
    ):  # fmt: skip
        assert other.stamp() != stamp
    many = pa.table({"photo_id": [str(i) for i in range(70_000)]})
    sums = hashing.of_table(many)
    whole = shuffled.Shuffled(many, np.arange(3), 0)
    assert whole.stamp().startswith(hashing.digest(sums, many.schema))
    heavy = table.set_column(3, "image", pa.array([b"a"] * 12))
    told = shuffled.Shuffled(heavy, chosen, 0).stamp()
    assert told.split()[0] != stamp.split()[0]
    assert told.split()[1] == stamp.split()[1]


def test_batches_end_with_so_many_rows_or_bytes(monkeypatch):
    assert (chats.BATCH_ROWS, chats.BATCH_BYTES) == (4096, 64 * 1024 * 1024)
    data = [picture(i) for i in range(7)]
    table = rows(7).set_column(3, "image", pa.array(data))
    asked = records.Options(keep_metadata=True)
    monkeypatch.setattr(chats, "BATCH_ROWS", 3)
    assert [len(part) for part in chats.batches(table, asked)] == [3, 3, 1]
    monkeypatch.setattr(chats, "BATCH_BYTES", len(data[0]) + len(data[1]))
    assert [len(part) for part in chats.batches(table, asked)] == [2, 2, 2, 1]
    monkeypatch.setattr(chats, "BATCH_BYTES", len(data[0]) + len(data[1]) + 1)
    assert [len(part) for part in chats.batches(table, asked)] == [3, 3, 1]


def test_rows_without_place_or_picture_are_counted():
    table = pa.table({
        "photo_id": ["a", "b", "c", "d"], "lat": [1.0, None, 91.0, 2.0], "lon": [0.0] * 4,
        "image": ["x", None, "y", ""], "other": [1] * 4, "city": ["P"] * 4,
    })  # fmt: skip
    with pytest.raises(RecordError) as told:
        chats.judged(table, records.Options())
    assert str(told.value) == (
        "2 of 4 rows have no valid coordinates and 2 have no image; the first is row 1, photo_id "
        "'b'; choose missing='drop' (--missing drop) to leave them out"
    )
    light, bad = chats.judged(table, records.Options(missing="drop"))
    assert bad.tolist() == [False, True, True, True]
    assert light.column_names == ["photo_id", "lat", "lon", "image", "city"]
    assert chats.usable(table, records.Options(missing="drop"))["photo_id"].to_pylist() == ["a"]
    assert len(chats.usable(table.slice(0, 1), records.Options())) == 1
    with pytest.raises(RecordError) as told:
        chats.judged(table.drop_columns(["lon", "image"]), records.Options())
    assert str(told.value) == (
        "the rows have no column 'lon' for records; the columns are photo_id, lat, other, city"
    )


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("kind", ("sft", "grpo")), ("variant", ("cor", "cot", "location")),
        ("form", ("completion", "messages")), ("images", ("auto", "bytes", "reference")),
        ("missing", ("error", "drop")), ("check", ("tell", "refuse", "skip")),
    ],
)  # fmt: skip
def test_options_are_one_of_those_that_are_told(name, allowed):
    for value in allowed:
        assert getattr(records.Options(**{name: value}), name) == value
    with pytest.raises(RecordError) as told:
        records.Options(**{name: "other"})
    assert str(told.value) == f"{name}='other' is not known; expected {', '.join(allowed)}"


def test_the_first_of_what_may_be_chosen_is_what_is_done():
    assert records.Options() == records.Options(
        kind="sft", variant="cor", form="completion", images="auto", image_root=None,
        missing="error", keep_metadata=False, check="tell", urls=False,
    )  # fmt: skip


def test_a_record_word_for_word():
    table = pa.table({
        "photo_id": ["a", "b"], "lat": [48.8584, 1.0], "lon": [2.2945, 2.0],
        "image": ["a.jpg", "b.jpg"], "country": ["France", None], "admin1": [None, None],
        "city": ["Paris", None],
    })  # fmt: skip
    question = [{"type": "image", "text": None}]
    first, second = records.sft(table, form="messages").to_pylist()
    asked = first["messages"][0]["content"][1]
    assert first["messages"] == [
        {"role": "user", "content": [*question, asked]},
        {"role": "assistant", "content": [{"type": "text", "text": (
            "Country: France\nCity: Paris\nCoordinates: (48.858400, 2.294500)"
        )}]},
    ]  # fmt: skip
    assert second["messages"][1]["content"][0]["text"] == "Coordinates: (1.000000, 2.000000)"
    assert second["messages"][0] == first["messages"][0]
    other = records.sft(table, variant="location").to_pylist()
    assert other[0]["completion"][0]["content"][0]["text"] == "Coordinates: (48.858400, 2.294500)"
    assert records.sft(table.slice(0, 0)).schema == records.sft(table).schema
    none = records.sft(table.slice(0, 0), form="messages")
    assert (len(none), none.column_names[2]) == (0, "messages")
