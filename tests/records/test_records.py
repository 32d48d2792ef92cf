"""Records: chats that TRL and `datasets` read, LLaVA lines, shards, images from anywhere."""

import gc
import io
import json
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image
from typer.testing import CliRunner

from geodata import answers, cor, files, records, tables
from geodata.answers import questions
from geodata.cli import app
from geodata.records import chats

PLACES = [("France", "FR", 48.8584, 2.2945), ("Japan", "JP", 43.452002, 142.615358),
          ("Fiji", "FJ", -17.7, 179.9), (None, None, -60.0, 0.0)]  # fmt: skip


def picture(colour="red", kind="JPEG"):
    out = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(out, kind)
    return out.getvalue()


def photos(n=20, image="{i}.jpg"):
    lat = [PLACES[i % 4][2] for i in range(n)]
    lon = [PLACES[i % 4][3] for i in range(n)]
    table = pa.table(
        {
            "photo_id": [f"p{i}" for i in range(n)],
            "lat": lat,
            "lon": lon,
            "image": [image.format(i=i) for i in range(n)],
            "status": ["ok"] * n,
        }
    )
    return cor.label_table(table)


@pytest.fixture
def folder(tmp_path):
    for i in range(20):
        (tmp_path / f"{i}.jpg").write_bytes(picture((i * 12, 0, 0)))
    return tmp_path


def text_of(turns, kind="text"):
    return [p["text"] for t in turns for p in t["content"] if p["type"] == kind]


# chats


def test_an_answer_is_the_chain_and_reads_back():
    rows = photos()
    for record, row in zip(records.sft(rows).to_pylist(), rows.to_pylist(), strict=True):
        said = text_of(record["completion"])[0]
        chain = answers.parse_strict(said)
        assert (chain.country, chain.admin1, chain.city) == (
            row["country"], row["admin1"], row["city"],
        )  # fmt: skip
        assert abs(chain.lat - row["lat"]) < 1e-6
        assert abs(chain.lon - row["lon"]) < 1e-6
        assert said == answers.render(
            row["country"], row["admin1"], row["city"], row["lat"], row["lon"]
        )
        assert text_of(record["prompt"]) == [questions.question("cor")]
        assert [p["type"] for p in record["prompt"][0]["content"]] == ["image", "text"]
        assert record["images"] == [{"bytes": None, "path": row["image"]}]


@pytest.mark.parametrize("variant", ["cot", "location"])
def test_the_baselines_answer_with_coordinates(variant):
    record = records.sft(photos(1), variant=variant).to_pylist()[0]
    assert text_of(record["completion"]) == ["Coordinates: (48.858400, 2.294500)"]
    assert text_of(record["prompt"]) == [questions.question(variant)]


def test_prompts_carry_the_truth_for_rewards():
    rows = photos()
    made = records.grpo(rows)
    assert "completion" not in made.column_names
    for name in ("lat", "lon", *records.TRUTH):
        assert made[name].to_pylist() == rows[name].to_pylist()


def test_messages_hold_both_turns():
    record = records.sft(photos(2), form="messages").to_pylist()[1]
    assert [turn["role"] for turn in record["messages"]] == ["user", "assistant"]
    assert text_of(record["messages"])[1].startswith("Country: Japan\nState: ")
    assert "prompt" not in record


def test_rows_that_make_no_record_are_told_or_left_out(tmp_path):
    rows = photos(6).to_pylist()
    rows[1]["lat"], rows[2]["image"], rows[3]["lon"] = None, "", float("nan")
    table = pa.Table.from_pylist(rows)
    with pytest.raises(records.RecordError, match=r"2 of 6 rows have no valid.*1 have no image"):
        records.sft(table)
    assert records.sft(table, missing="drop")["photo_id"].to_pylist() == ["p0", "p4", "p5"]
    written = records.write(table, tmp_path / "a.parquet", options=records.Options(missing="drop"))
    assert (written.rows, written.dropped) == (3, 3)
    with pytest.raises(records.RecordError, match="no row of 1 makes a record"):
        records.write(
            table.slice(1, 1), tmp_path / "b.parquet", options=records.Options(missing="drop")
        )
    with pytest.raises(records.RecordError, match="no column 'image' for records; the columns"):
        records.sft(table.drop_columns(["image"]))
    with pytest.raises(records.RecordError, match="variant='cort' is not known; expected cor"):
        records.sft(table, variant="cort")
    assert records.sft(table.slice(0, 0)).num_rows == 0
    assert not (tmp_path / "b.parquet").exists()


# images


def test_images_come_from_paths_archives_urls_and_bytes(tmp_path):
    one, two, three = picture("red"), picture("blue", "PNG"), picture("green")
    (tmp_path / "a.jpg").write_bytes(one)
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        info = tarfile.TarInfo("x/b.png")
        info.size = len(two)
        tar.addfile(info, io.BytesIO(two))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("c.jpg", three)
    rows = photos(4).drop_columns(["image"])
    rows = rows.append_column(
        "image", pa.array(["a.jpg", "b.tar#x/b.png", "c.zip#c.jpg", "https://x.org/d.jpg"])
    )
    root = str(tmp_path)
    got = [r[0] for r in records.sft(rows, image_root=root)["images"].to_pylist()]
    assert got[0] == {"bytes": None, "path": str(tmp_path / "a.jpg")}
    assert [g["bytes"] for g in got[1:3]] == [two, three]
    assert got[3] == {"bytes": None, "path": "https://x.org/d.jpg"}
    whole = records.grpo(rows.slice(0, 3), images="bytes", image_root=root)["images"].to_pylist()
    assert [w[0]["bytes"] for w in whole] == [one, two, three]
    again = rows.slice(0, 3).set_column(
        rows.column_names.index("image"), "image", pa.array([one, two, three])
    )
    held = records.sft(again)["images"].to_pylist()
    assert [h[0]["bytes"] for h in held] == [one, two, three]
    with pytest.raises(files.FileError, match="nothing is downloaded"):
        records.sft(rows, images="bytes", image_root=root)


# files that datasets and TRL read


def test_datasets_opens_the_images(folder):
    """The Parquet file alone tells `datasets` that the column holds pictures."""
    datasets = pytest.importorskip("datasets")
    target = folder / "records.parquet"
    records.write(photos(), target, options=records.Options(image_root=str(folder)))
    loaded = datasets.load_dataset(
        "parquet", data_files=str(target), split="train", cache_dir=str(folder / "cache")
    )
    assert loaded.num_rows == 20
    row = loaded[3]
    number = int(row["photo_id"][1:])
    assert row["images"][0].size == (8, 6)
    assert abs(row["images"][0].getpixel((0, 0))[0] - number * 12) < 4
    assert row["prompt"][0]["content"][0]["type"] == "image"


def test_trl_takes_the_records_as_they_are(folder):
    pytest.importorskip("trl")
    from trl.data_utils import is_conversational, prepare_multimodal_messages

    datasets = pytest.importorskip("datasets")
    target = folder / "records.parquet"
    for kind in ("sft", "grpo"):
        records.write(photos(), target, options=records.Options(kind=kind, image_root=str(folder)))
        loaded = datasets.load_dataset(
            "parquet", data_files=str(target), split="train", cache_dir=str(folder / kind)
        )
        assert is_conversational(loaded[0])
        ready = prepare_multimodal_messages(loaded[0]["prompt"], images=loaded[0]["images"])
        assert ready[0]["content"][0]["image"].size == (8, 6)
        if kind == "sft":
            said = prepare_multimodal_messages(loaded[0]["completion"])
            assert said[0]["content"][0]["text"].endswith(")")


def test_a_folder_holds_shards_in_shuffled_order(folder):
    datasets = pytest.importorskip("datasets")
    written = records.write(photos(), folder / "out", shard_rows=6, seed=1)
    names = sorted(p.name for p in (folder / "out" / "data").iterdir())
    assert written.files == 4
    assert names[0] == "train-00000-of-00004.parquet"
    parts = [pq.read_table(folder / "out" / "data" / name) for name in names]
    assert [p.num_rows for p in parts] == [6, 6, 6, 2]
    ids = pa.concat_tables(parts)["photo_id"].to_pylist()
    assert sorted(ids) == sorted(f"p{i}" for i in range(20))
    assert ids != [f"p{i}" for i in range(20)]
    loaded = datasets.load_dataset(
        "parquet", data_dir=str(folder / "out"), split="train", cache_dir=str(folder / "cache")
    )
    assert loaded["photo_id"][:] == ids
    with pytest.raises(records.RecordError, match="is not an empty folder"):
        records.write(photos(), folder / "out")


@pytest.mark.parametrize("image", ["reference", "bytes"])
@pytest.mark.parametrize(("rows", "pictures"), [(3, 99), (99, 2), (1, 1), (7, 3)])
def test_records_are_the_same_however_many_are_made_at_a_time(
    folder, monkeypatch, image, rows, pictures
):
    options = records.Options(images=image, image_root=str(folder))
    table = photos()
    whole = records.sft(table, images=image, image_root=str(folder))
    records.write(table, folder / "whole.parquet", seed=1, options=options)
    monkeypatch.setattr(chats, "BATCH_ROWS", rows)
    monkeypatch.setattr(chats, "BATCH_BYTES", pictures * len(picture()))
    made = list(chats.batches(table, options))
    assert pa.concat_tables(made).equals(whole)
    if image == "bytes":  # all pictures have nearly one size, so batches hold as many
        assert len(made) >= 20 // (min(rows, pictures) + 1)
        assert {part.num_rows for part in made[:-1]} <= {min(rows, pictures + n) for n in (0, 1)}
    else:
        assert {part.num_rows for part in made[:-1]} == ({rows} if rows < 20 else set())
    records.write(table, folder / "small.parquet", seed=1, options=options)
    same = [pq.read_table(folder / f"{name}.parquet") for name in ("whole", "small")]
    assert same[0].equals(same[1])


def test_the_order_depends_on_the_seed_alone(tmp_path):
    """R14: rows in another order give the same file."""
    rows = photos()
    other = rows.take(pa.array(np.arange(20)[::-1]))
    for name, table, seed in (("a", rows, 1), ("b", other, 1), ("c", rows, 2)):
        records.write(table, tmp_path / f"{name}.parquet", seed=seed)
    a, b, c = ((tmp_path / f"{name}.parquet").read_bytes() for name in "abc")
    assert a == b != c


def test_records_of_a_table_of_the_lake(tmp_path):
    tables.write(tmp_path / "lake" / "rand", photos())
    written = records.write("rand@0", tmp_path / "r.parquet", lake=tmp_path / "lake")
    assert written.rows == 20
    expected = records.sft(photos()).sort_by("photo_id")
    assert pq.read_table(tmp_path / "r.parquet").sort_by("photo_id").equals(expected)
    with pytest.raises(tables.VersionNotFoundError):
        records.write("rand@7", tmp_path / "r.parquet", lake=tmp_path / "lake")


def test_a_record_that_fails_leaves_the_file_as_it_was(folder):
    """R11: nothing is there until all of it is."""
    target = folder / "r.parquet"
    records.write(photos(), target)
    before = target.read_bytes()
    (folder / "13.jpg").unlink()
    options = records.Options(images="bytes", image_root=str(folder))
    with pytest.raises(files.FileError, match=r"13\.jpg: there is no such picture"):
        records.write(photos(), target, options=options)
    assert target.read_bytes() == before
    with pytest.raises(files.FileError):
        records.write(photos(), folder / "new", options=options)
    assert sorted(p.name for p in folder.iterdir() if p.suffix != ".jpg") == ["r.parquet"]


# WebDataset


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its reader's files
@pytest.mark.parametrize("kind", ["sft", "grpo"])
def test_shards_hold_pictures_and_json(folder, kind):
    wds = pytest.importorskip("webdataset")
    (folder / "4.jpg").write_bytes(picture("blue", "PNG"))
    options = records.Options(kind=kind, image_root=str(folder))
    for out in ("one", "two"):
        written = records.write(
            photos(), folder / out, format="webdataset", shard_rows=8, options=options
        )
    assert written.files == 3
    names = sorted((folder / "one").iterdir())
    assert [n.read_bytes() for n in names] == [
        n.read_bytes() for n in sorted((folder / "two").iterdir())
    ]
    samples = list(wds.WebDataset([str(n) for n in names], shardshuffle=False, empty_check=False))
    assert len(samples) == 20
    for sample in samples:
        record = json.loads(sample["json"])
        i = record["photo_id"][1:]
        ending = "png" if i == "4" else "jpg"
        assert sample[ending] == (folder / f"{i}.jpg").read_bytes()
        assert ("completion" in record) == (kind == "sft")
        assert isinstance(record["lat"], float)
    del samples, sample
    gc.collect()  # closes the files that the reader of webdataset left open


# LLaVA-style records


def test_llava_lines_read_back(tmp_path):
    rows = photos()
    written = records.write(rows, tmp_path / "r.jsonl")
    assert written.rows == 20
    first = json.loads((tmp_path / "r.jsonl").read_text().splitlines()[0])
    assert [t["from"] for t in first["conversations"]] == ["human", "gpt"]
    assert first["conversations"][0]["value"].startswith("<image>\nYou are")
    back = records.read_llava(tmp_path / "r.jsonl").sort_by("photo_id")
    made = records.sft(rows, form="messages").sort_by("photo_id")
    for name in ("photo_id", "images", "messages"):
        assert back[name].to_pylist() == made[name].to_pylist()
    whole = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    (tmp_path / "r.json").write_text(json.dumps(whole))
    assert records.read_llava(tmp_path / "r.json").sort_by("photo_id").equals(back)
    held = rows.set_column(rows.column_names.index("image"), "image", pa.array([picture()] * 20))
    with pytest.raises(records.RecordError, match="is bytes, and LLaVA-style records hold paths"):
        records.write(held, tmp_path / "r.jsonl")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1 is not JSON"),
        ("[1]", "line 1 is list, expected an object"),
        ("[" * 100_000, "line 1 is not JSON"),
        ('{"id": 1}', "record 1: has no 'conversations'; it has id"),
        ('{"conversations": [{"from": "bot", "value": "x"}]}', "a turn is .*human, gpt, system"),
        ('{"conversations": [{"from": "gpt", "value": 1}]}', "and 'value', a text"),
        ('{"conversations": [{"from": "human", "value": "<image>"}]}', "1 times <image>.*0 images"),
        ('{"image": 3, "conversations": [{"from": "gpt", "value": ""}]}', "'image' is 3"),
    ],
)
def test_llava_records_of_another_form_are_told(tmp_path, line, message):
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(ValueError, match=message):
        records.read_llava(path)


@pytest.mark.parametrize(
    ("value", "read"),
    [(1, 1.0), (-2.5, -2.5), (0, 0.0), (True, None), (False, None), ("1", None), ([1], None)]
    + [(sign * ((1 << 63) - 1 + over), None if over else sign * 2.0**63) for sign in (1, -1)
       for over in (0, 1)],
)  # fmt: skip
def test_llava_coordinates_are_numbers_that_fit(tmp_path, value, read):
    path = tmp_path / "a.jsonl"
    entry = {"id": 5, "lat": value, "conversations": [{"from": "gpt", "value": "No."}]}
    path.write_text(json.dumps(entry) + "\n" + json.dumps(entry | {"id": None, "lon": value}))
    for size in (1, 4096):
        made = list(records.read_llava_batches(path, batch_rows=size))
        assert [part.num_rows for part in made] == ([1, 1] if size == 1 else [2])
    rows = pa.concat_tables(made).to_pylist()
    assert [row["photo_id"] for row in rows] == ["5", None]
    assert [(row["lat"], row["lon"]) for row in rows] == [(read, None), (read, read)]


def test_records_go_into_an_empty_folder_and_replace_no_file(folder):
    (folder / "out").mkdir()
    assert records.write(photos(), folder / "out", shard_rows=6).files == 4
    (folder / "other").write_text("mine")
    with pytest.raises(records.RecordError, match="is not an empty folder"):
        records.write(photos(), folder / "other", shard_rows=6)
    assert (folder / "other").read_text() == "mine"


def test_several_images_and_turns(tmp_path):
    path = tmp_path / "a.jsonl"
    turns = [("human", "<image>\n<image>\nSame place?"), ("gpt", "No."), ("human", "Why?"),
             ("gpt", "Snow.")]  # fmt: skip
    entry = {"image": ["a.jpg", "https://x.org/b.jpg"],
             "conversations": [{"from": f, "value": v} for f, v in turns]}  # fmt: skip
    path.write_text(json.dumps(entry))
    record = records.read_llava(path, image_root="photos").to_pylist()[0]
    assert record["photo_id"] is None
    assert [i["path"] for i in record["images"]] == ["photos/a.jpg", "https://x.org/b.jpg"]
    assert [p["type"] for p in record["messages"][0]["content"]] == ["image", "image", "text"]
    assert text_of(record["messages"]) == ["Same place?", "No.", "Why?", "Snow."]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.floats(-90, 90), st.floats(-180, 179.9))
def test_names_of_any_letters_survive(tmp_path_factory, country, city, lat, lon):
    rows = pa.table({"photo_id": ["a"], "lat": [lat], "lon": [lon], "image": ["a.jpg"],
                     "country": [country], "city": [city]})  # fmt: skip
    path = tmp_path_factory.mktemp("r") / "r.jsonl"
    records.write(rows, path)
    made = records.sft(rows, form="messages").to_pylist()[0]["messages"]
    assert records.read_llava(path)["messages"].to_pylist()[0] == made
    parsed = answers.parse_strict(text_of(made)[1])
    assert abs(parsed.lat - lat) <= 5.1e-7


@pytest.mark.parametrize("gone", [0, 3])
def test_the_command_says_which_pictures_are_not_there(folder, gone):
    for i in range(gone):
        (folder / f"{i}.jpg").unlink()
    pq.write_table(photos(), folder / "rows.parquet")
    words = [
        "records",
        "sft",
        "--from",
        str(folder / "rows.parquet"),
        "-o",
        str(folder / "r.parquet"),
    ]
    done = CliRunner().invoke(app, [*words, "--image-root", str(folder), "--no-check"])
    assert done.exit_code == 0, done.output
    assert f"{folder / 'r.parquet'}: 20 records, 1 files\n" in done.output
    assert ("pictures are not there" in done.output) == bool(gone)
    assert not gone or f"warning: {gone} pictures are not there" in done.output
