"""Photos of a run, from a table to what the trainers read, each step by hand."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from georl import data
from georl.config import ModelConfig, load
from georl.data import DataError, lanes, opening, world

PROMPT = [{"role": "user", "content": "Where?"}]


def png(shade, size=(56, 56)):
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def shade(image):
    return image.getpixel((0, 0))[0]


@pytest.fixture
def folder(tmp_path):
    """Photos of a table's own folder, of the image root, and of a folder that is neither."""
    for name, colour in (("lake/own.png", 10), ("root/a.png", 20), ("other/b.png", 30)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(png(colour))
    return tmp_path


def run(folder, columns, *more):
    n = len(next(iter(columns.values())))
    place = {"lat": [1.0] * n, "lon": [2.0] * n}
    table = pa.table({"id": [f"p{i}" for i in range(n)], **place, **columns})
    pq.write_table(table, folder / "lake" / "t.parquet")
    given = [f"data.table={folder / 'lake' / 't.parquet'}", f"output={folder / 'run'}"]
    return load(None, [*given, "data.question=Where?", *more])


def refused(call, *given, **more):
    with pytest.raises(DataError) as caught:
        call(*given, **more)
    return str(caught.value)


# ---- which photos


def both(paths):
    """The same references as text, which is read in place, and as structs, which are laid out."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    structs = [None if path is None else {"bytes": None, "path": path} for path in paths]
    return (pa.array(paths, pa.string()), pa.array(structs, kind))


@pytest.mark.parametrize("form", [0, 1])
def test_relative_photos_start_from_the_table_else_from_the_root(folder, monkeypatch, form):
    monkeypatch.chdir(folder / "root")
    column = both(["own.png", "a.png", "../other/b.png"])[form]
    found = data.photos(run(folder, {"image": column}), "sft")
    assert [shade(found.reader.image(r)) for r in found.table.to_pylist()] == [10, 20, 30]
    asked = run(folder, {"image": column}, f"data.image_root={folder / 'root'}")
    told = refused(data.photos, asked, "sft")
    assert told.startswith("1 of 3 images are missing (own.png); fetch them")


@pytest.mark.parametrize("form", [0, 1])
def test_only_photos_of_the_root_or_the_table_are_sent_to_a_server(folder, form):
    column = both(["own.png", "../other/b.png", None])[form]
    columns = {"image": column}
    more = ["task=predict", f"predict.output={folder / 'out.csv'}", "data.skip_missing=true"]
    url = "predict.url=http://127.0.0.1:9/v1"
    kept = data.photos(run(folder, columns, *more), "predict")
    assert [shade(kept.reader.image(row)) for row in kept.table.to_pylist()] == [10, 30]
    sent = data.photos(run(folder, columns, *more, url), "predict")
    rows = sent.table.to_pylist()
    assert [row["id"] for row in rows] == ["p0", "p1"]  # its answer says why there is none
    assert shade(sent.reader.image(rows[0])) == 10
    assert "leads outside" in refused(sent.reader.image, rows[1])
    other_task = run(folder, columns, url, f"predict.output={folder / 'out.csv'}")
    assert "other/b.png leads outside data.image_root; repair" in refused(
        data.photos, other_task, "predict"
    )
    assert "own.png" not in refused(data.photos, other_task, "predict")
    trained = data.photos(run(folder, columns, url, "data.skip_missing=true"), "sft")
    assert [shade(trained.reader.image(row)) for row in trained.table.to_pylist()] == [10, 30]


def test_what_a_cell_holds_is_told_by_its_bytes_its_path_or_its_row(folder, capsys):
    both = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    good = png(40)
    cells = [
        [{"bytes": good, "path": "gone.png"}],
        [{"bytes": b"<html>", "path": "own.png"}],
        [{"bytes": None, "path": "own.png"}],
        [{"bytes": None, "path": "gone.png"}],
        [{"bytes": b"", "path": None}],
        [{"bytes": good, "path": None}] * 2,
        [{"bytes": None, "path": "own.png"}] * 3,
        None,
    ]
    made = run(folder, {"image": pa.array(cells, both)})
    assert refused(data.photos, made, "grpo").splitlines()[:2] == [
        "3 of 8 images are missing (gone.png, row 'p4', row 'p7'); fetch them, set "
        "data.image_root, or set data.skip_missing=true to go on without these rows",
        f"3 of 8 images cannot be used: row 'p1' is not an image, row 'p5' has 2 images, where "
        f"one is read, {folder / 'lake' / 'own.png'} has 3 images, where one is read; repair them, "
        "or set data.skip_missing=true to go on without these rows",
    ]
    made = run(folder, {"image": pa.array(cells, both)}, "data.skip_missing=true")
    found = data.photos(made, "grpo")
    assert found.table.column_names == ["id", "lat", "lon", "row"]
    assert found.table.select(["id", "row"]).to_pylist() == [
        {"id": "p0", "row": 0}, {"id": "p2", "row": 2}
    ]  # fmt: skip
    assert [shade(found.reader.image(row)) for row in found.table.to_pylist()] == [40, 10]


def test_rows_are_numbered_over_all_parts_that_are_laid_out(folder, monkeypatch):
    monkeypatch.setattr(opening, "_UNPACK_ROWS", 3)
    found = data.photos(run(folder, {"image": [png(i) for i in range(10)]}), "sft")
    assert found.table["row"].to_pylist() == list(range(10))
    assert [shade(found.reader.image(row)) for row in found.table.to_pylist()] == [*range(10)]
    few = data.photos(run(folder, {"image": [png(i) for i in range(10)]}, "data.limit=7"), "sft")
    assert few.table["row"].to_pylist() == list(range(7))


def test_what_is_laid_out_is_that_of_the_choice(folder):
    """Runs share a folder; each choice of rows, column and chats has a file of its own."""
    columns = {
        "image": [png(i) for i in range(6)],
        "photo": [png(100 + i) for i in range(6)],
        "split": ["a", "a", "a", "b", "b", "b"],
    }
    cache = f"data.cache={folder / 'cache'}"
    for more, shades in (
        (["data.split=all"], range(6)),
        (["data.split=a"], range(3)),
        (["data.split=b"], range(3, 6)),
        (["data.split=b", "data.limit=1"], [3]),
        (["data.split=b", "data.limit=2"], [3, 4]),
        (["data.split=all", "data.where=id > 'p3'"], [4, 5]),
        (["data.split=all", "data.where=id > 'p4'"], [5]),
        (["data.split=all", "data.image=photo"], range(100, 106)),
    ):
        found = data.photos(run(folder, columns, cache, *more), "sft")
        rows = found.table.to_pylist()
        assert [shade(found.reader.image(row)) for row in rows] == [*shades]
    own = data.photos(run(folder, columns, "data.split=a"), "sft")
    assert [shade(own.reader.image(row)) for row in own.table.to_pylist()] == [0, 1, 2]
    assert len([*(folder / "run" / "cache").glob("*.arrow")]) == 1


def test_of_one_table_each_choice_is_laid_out_once(folder):
    columns = {"image": [png(i) for i in range(4)], "split": ["a", "a", "b", "b"]}
    asked = run(folder, {**columns, "scan": columns["image"][::-1]})
    table, cache = asked.data.table, folder / "cache"

    def laid_out(*more):
        made = load(None, [f"data.table={table}", f"data.cache={cache}", f"output={folder}", *more])
        rows = data.photos(made, "sft").table.num_rows
        return rows, len([*cache.glob("*.arrow")])

    assert laid_out("data.split=a") == laid_out("data.split=a") == (2, 1)
    assert laid_out("data.split=b") == (2, 2)
    assert laid_out("data.split=b", "data.limit=1") == (1, 3)
    assert laid_out("data.where=split='b'") == (2, 4)
    assert laid_out("data.split=b", f"data.image_root={folder}") == (2, 5)  # another home
    assert laid_out("data.split=b", "seed=3") == (2, 5)
    assert laid_out("data.split=b", "data.where=id='p2'") == (1, 6)
    assert laid_out("data.split=b", "data.where=id='p3'") == (1, 7)
    assert laid_out("data.split=b", "data.image=scan") == (2, 8)


def test_the_column_of_pictures_is_named_or_refused_in_these_words(folder):
    chat = [[{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "x"}]]
    columns = {"image": [png(1)], "images": [[png(2)]], "scan": [png(3)], "messages": chat}
    usual = data.photos(run(folder, columns), "sft")
    named = data.photos(run(folder, columns, "data.image=scan"), "sft")
    columns.pop("messages")
    plain = data.photos(run(folder, columns), "sft")
    columns.pop("images")
    columns["messages"] = chat
    alone = data.photos(run(folder, columns), "sft")
    found = [p.reader.image(p.table.to_pylist()[0]) for p in (usual, named, plain, alone)]
    assert list(map(shade, found)) == [2, 3, 1, 1]
    made = run(folder, {"photo": ["x"]})
    assert refused(data.photos, made, "sft") == (
        f"{made.data.table} has no column 'image' for the image; set data.image to one of id, lat, "
        "lon, photo"
    )


def test_records_that_name_their_pictures_bring_their_own_chats(folder):
    chat = [[{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]]
    columns = {"image": ["own.png"], "messages": chat}
    found = data.photos(run(folder, columns, "data.question=null"), "sft")
    (row,) = found.table.to_pylist()
    assert found.reader.said(row, True) == ("Q", "A")
    assert shade(found.reader.image(row)) == 10
    del columns["messages"]
    plain = data.photos(run(folder, columns, "data.decimals=1"), "sft")
    (row,) = plain.table.to_pylist()
    assert row["image"] == str(folder / "lake" / "own.png")
    assert "row" not in row  # it is read where it lies, not laid out
    assert plain.reader.said(row, True) == ("Where?", "Coordinates: (1.0, 2.0)")


@pytest.mark.parametrize("more", [(), ("data.image=scan",), ("data.image=other",)])
@pytest.mark.parametrize("left_out", [(), ("messages",), ("images",), ("image", "messages")])
def test_a_stream_takes_the_column_of_pictures_that_a_run_over_all_rows_takes(
    folder, left_out, more
):
    chat = [[{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "x"}]]
    columns = {"image": [png(1)], "images": [[png(2)]], "scan": [png(3)], "messages": chat}
    made = run(folder, {k: v for k, v in columns.items() if k not in left_out}, *more)

    def mapped():
        found = data.photos(made, "sft")
        return shade(found.reader.image(found.table.to_pylist()[0]))

    def streamed():
        shards = lanes.open_shards(made.data)
        ((_, row),) = shards.rows(shards.units[0], ["id"], lambda number: True)
        return shade(Image.open(io.BytesIO(row["bytes"])))

    if "data.image=other" in more or (not more and "image" in left_out):
        assert refused(mapped) == refused(streamed)
    else:
        assert mapped() == streamed()


# ---- what is read of a row


def test_a_photo_is_as_large_as_the_run_says_wherever_it_comes_from(folder):
    small = "model.max_pixels=784"
    for image in (both(["own.png"])[0], both(["own.png"])[1], [png(1)]):
        found = data.photos(run(folder, {"image": image}, small), "sft")
        assert found.reader.image(found.table.to_pylist()[0]).size == (28, 28)
    found = data.photos(load(None, ["data.rows=1", small]), "sft")
    assert found.reader.image(found.table.to_pylist()[0]).size == (28, 28)
    reader = data.Reader(load(None, []).data, model=ModelConfig(max_pixels=784))
    row = {"id": "x", "lat": 1.0, "lon": 2.0}
    assert reader.image(row).size == (28, 28)
    assert np.array_equal(data.Reader(load(None, []).data).image(row), world.Earth().crop(1.0, 2.0))


def test_a_photo_that_no_processor_takes_names_its_row(folder):
    image = [png(1, (28 * 201, 28)), png(1)[:60]]
    found = data.photos(run(folder, {"image": image}, "model.max_pixels=7840"), "sft")
    long, cut = found.table.to_pylist()
    told = refused(found.reader.image, long)
    assert told.startswith("image of row 'p0' (")
    assert "5628x28 pixels, more than 200 times as long as wide, which no processor takes" in told
    assert told.endswith("; repair or drop the row")
    assert refused(found.reader.image, cut).startswith("image of row 'p1' (60 bytes) cannot be rea")
    longest = png(1, (28 * 200, 28))
    found = data.photos(run(folder, {"image": [longest]}, "model.max_pixels=7840"), "sft")
    (row,) = found.table.to_pylist()
    assert found.reader.image(row).height == 28


def test_photos_from_anywhere_are_opened_unless_they_are_sent(folder):
    given = load(None, ["data.table=t.csv", f"data.image_root={folder / 'root'}"]).data
    row = {"id": "x", "image": "../other/b.png"}
    assert shade(data.Reader(given).image(row)) == 30
    assert "image of row 'x' (../other/b.png) cannot be read: " in refused(
        data.Reader(given, sent=True).image, row
    )


def test_a_batch_opens_each_photo_once_and_shares_it(folder, monkeypatch):
    opened, image = [], data.Reader.image
    monkeypatch.setattr(
        data.Reader, "image", lambda self, row: opened.append(row["id"]) or image(self, row)
    )
    asked = run(folder, {"image": [png(1), png(2)], "country": ["Gabon", None]})
    rows = data.load(asked, completions=True)
    batch = rows[[1, 0, 1]]
    assert opened == ["p1", "p0"]
    assert [*map(shade, batch["image"])] == [2, 1, 2]
    assert batch["image"][0] is batch["image"][2]
    assert {*batch} == {"id", "lat", "lon", "country", "image", "prompt", "completion"}
    assert batch["prompt"] == [PROMPT] * 3
    assert [turns[0]["role"] for turns in batch["completion"]] == ["assistant"] * 3
    assert batch["completion"][1][0]["content"].startswith("Country: Gabon\n")
    assert "completion" not in data.load(asked, completions=False)[0]


def test_what_is_said_is_the_answer_that_is_taught_or_hoped_for(folder):
    chat = [[{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]]
    columns = {"images": [[png(2)]], "messages": chat, "country": ["Gabon"]}
    found = data.photos(run(folder, columns, "data.question=null", "data.decimals=1"), "grpo")
    (row,) = found.table.to_pylist()
    assert found.reader.said(row, True) == ("Q", "A")
    asked, hoped = found.reader.said(row, False)
    assert (asked, hoped) == ("Q", "Country: Gabon\nCoordinates: (1.0, 2.0)")
    plain = data.photos(run(folder, {"image": [png(2)]}, "data.decimals=1"), "sft")
    (row,) = plain.table.to_pylist()
    assert plain.reader.said(row, True) == ("Where?", "Coordinates: (1.0, 2.0)")


def test_the_tokenizer_learns_each_question_fifty_times_and_every_answer(folder):
    chats = [
        [{"role": "user", "content": q}, {"role": "assistant", "content": a}]
        for q, a in (("Q1", "A1"), ("Q2", "A2"), ("Q1", "A3"))
    ]
    columns = {"images": [[png(2)]] * 3, "messages": chats}
    asked = run(folder, columns, "data.question=null")
    said = data.texts(data.load(asked, completions=True), asked)
    one = ["user\nQ1", "assistant\n", "user\nQ2", "assistant\n"]
    assert said == one * 50 + ["A1", "A2", "A3"]


def test_no_row_at_all_is_told_with_the_table(folder):
    made = run(folder, {"image": pa.array([], pa.string())})
    assert refused(data.load, made, completions=True) == (
        f"{made.data.table} has no rows to train on"
    )


def test_records_that_bring_their_answers_need_no_coordinates(folder):
    chat = [[{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "x"}]]
    made = run(folder, {"images": [[png(2)]], "messages": chat})
    table = pq.read_table(made.data.table)
    pq.write_table(table.drop_columns(["lat", "lon"]), made.data.table)
    assert data.photos(made, "sft").table.column_names == ["id", "row"]
    assert data.photos(made, "predict").table.column_names == ["id", "row"]
    assert "found no latitude column" in refused(data.photos, made, "grpo")
    pq.write_table(table.set_column(1, "lat", [[99.0]]), made.data.table)
    for purpose in ("sft", "grpo"):
        assert "1 of 1 rows have no valid coord" in refused(data.photos, made, purpose)
    assert data.photos(made, "predict").table.column_names == ["id", "row"]


def test_records_without_rows_ask_nothing(folder):
    turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    columns = {"images": pa.array([], pa.list_(pa.binary())), "messages": pa.array([], turns)}
    assert data.photos(run(folder, columns), "sft").table.num_rows == 0


def test_the_question_of_the_first_row_that_is_used_is_compared(folder):
    chats = [
        [{"role": "user", "content": q}, {"role": "assistant", "content": "x"}]
        for q in ("Other?", "Where?")
    ]
    columns = {"images": [[], [png(2)]], "messages": chats}
    found = data.photos(run(folder, columns, "data.skip_missing=true"), "sft")
    assert found.table["id"].to_pylist() == ["p1"]
    columns["images"][0] = [png(1)]
    assert "which ask 'Other?'" in refused(data.photos, run(folder, columns), "sft")


# ---- the world


def test_the_world_is_as_many_points_as_are_asked_for_and_the_first_of_them():
    more = ["data.rows=6", "seed=4"]
    whole = data.photos(load(None, more), "grpo").table
    assert whole.equals(world.world_photos(6, 4))
    few = data.photos(load(None, [*more, "data.limit=2"]), "grpo").table
    assert few.equals(whole.slice(0, 2))


def test_places_of_the_world_without_coordinates_are_told(tmp_path, capsys):
    places = pa.table({"name": ["a", "b"], "lat": [1.0, 99.0], "lon": [2.0, 3.0]})
    pq.write_table(places, tmp_path / "places.parquet")
    asked = [f"data.places={tmp_path / 'places.parquet'}", f"output={tmp_path}", "data.id=name"]
    assert refused(data.photos, load(None, asked), "sft").startswith(
        "1 of 2 rows have no valid coordinates: row 1 (id 'b'); correct them"
    )
    kept = data.photos(load(None, [*asked, "data.skip_missing=true"]), "sft").table.to_pylist()
    assert kept == [{"id": "a", "lat": 1.0, "lon": 2.0}]
    assert "going on without 1 of 2 photos" in capsys.readouterr().out
