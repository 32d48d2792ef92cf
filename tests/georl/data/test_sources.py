"""Records, shards, archives and table versions as training data (georl.data and its parts)."""

import io
import json
import pickle
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import records, tables
from georl import data
from georl.config import ConfigError, load
from georl.data import DataError
from georl.run import checkpoints

N = 12
LABELS = {"country": "France", "admin1": "Bretagne", "admin1_code": "FR-BRE", "city": "Brest"}


def jpeg(shade, kind="JPEG"):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, 90, 200)).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve JPEG photos of brightness 0, 20, 40, ... as files and in a zip."""
    path = tmp_path_factory.mktemp("photos")
    with zipfile.ZipFile(path / "shard.zip", "w") as shard:
        for i in range(N):
            (path / f"{i}.jpg").write_bytes(jpeg(20 * i))
            shard.writestr(f"in/{i}.jpg", jpeg(20 * i))
    return path


def labelled(folder, form="path", rows=range(N)):
    """Rows of a labelled table; photo i is of brightness 20 i and lies at (48, -4 + i / 10)."""
    forms = {
        "path": [f"{i}.jpg" for i in rows],
        "bytes": [(folder / f"{i}.jpg").read_bytes() for i in rows],
        "struct": [{"bytes": None, "path": f"{i}.jpg"} for i in rows],
        "member": [f"shard.zip#in/{i}.jpg" for i in rows],
    }
    n = len(rows)
    return pa.table(
        {
            "photo_id": [f"p{i}" for i in rows],
            "lat": [48.0] * n,
            "lon": [-4 + i / 10 for i in rows],
            "image": forms[form],
            **{name: [value] * n for name, value in LABELS.items()},
        }
    )


def run_on(tmp_path, folder, table, *more):
    given = [f"data.table={table}", f"data.image_root={folder}", f"output={tmp_path / 'run'}"]
    return load(None, [*given, f"predict.output={tmp_path / 'out.jsonl'}", *more])


def text_of(turns):
    return "".join(part.get("text", "") for turn in turns for part in turn["content"])


def check_rows(rows, completions):
    """Every photo has its own image, truth, labels and answer, whatever the order."""
    assert sorted(row["id"] for row in rows) == sorted(f"p{i}" for i in range(N))
    for row in rows:
        i = int(row["id"][1:])
        assert abs(row["image"].getpixel((5, 5))[0] - 20 * i) < 8
        assert (row["lat"], row["lon"]) == (48.0, -4 + i / 10)
        assert {name: row[name] for name in LABELS} == LABELS
        marks = [part["type"] for turn in row["prompt"] for part in turn["content"]]
        assert marks == ["image", "text"]
        assert "geographic reasoning agent" in text_of(row["prompt"])
        if completions:
            said = text_of(row["completion"])
            assert said.startswith("Country: France\nState: Bretagne\nCity: Brest\n")
            assert f"{row['lon']:.6f}" in said


FORMS = ("path", "bytes", "struct", "member")
WRITTEN = [(form, target) for form in FORMS for target in ("r.parquet", "shards")]
WRITTEN += [(form, "r.jsonl") for form in FORMS if form != "bytes"]  # LLaVA-style holds paths


@pytest.mark.parametrize(("form", "target"), WRITTEN)
@pytest.mark.parametrize("kind", ["sft", "grpo"])
def test_records_keep_image_truth_labels_and_messages(tmp_path, folder, form, target, kind):
    images = "reference" if form == "struct" else "auto"
    root = {"image_root": str(folder)} if form == "member" else {}
    options = records.Options(kind=kind, images=images, **root)
    records.write(labelled(folder, form), tmp_path / target, shard_rows=5, options=options)
    run = run_on(tmp_path, folder, tmp_path / target, f"task={kind}")
    rows = data.load(run, completions=kind == "sft")
    check_rows(rows, kind == "sft")
    again = pickle.loads(pickle.dumps(rows.format["format_kwargs"]["transform"]))
    stored = rows.with_format(None)[3]
    assert again({k: [v] for k, v in stored.items()})["image"][0] == rows[3]["image"]


@pytest.mark.parametrize("form", ["completion", "messages"])
def test_sft_records_serve_grpo_without_their_answers(tmp_path, folder, form):
    path = tmp_path / "r.parquet"
    records.write(labelled(folder), path, options=records.Options(form=form))
    rows = data.load(run_on(tmp_path, folder, path, "task=grpo"), completions=False)
    assert "completion" not in rows[0]
    check_rows(rows, completions=False)


def test_prompts_without_answers_cannot_be_taught(tmp_path, folder):
    path = tmp_path / "r.parquet"
    records.write(labelled(folder), path, options=records.Options(kind="grpo"))
    with pytest.raises(DataError, match=r"prompts without answers.*geodata records sft"):
        data.load(run_on(tmp_path, folder, path), completions=True)


def llava(path, turns, **more):
    said = [{"from": who, "value": text} for who, text in turns]
    path.write_text(json.dumps([{"id": "a", "image": "1.jpg", "conversations": said, **more}]))
    return path


def test_llava_records_of_others_teach_without_coordinates_and_grpo_asks_for_them(tmp_path, folder):
    turns = [("human", "<image>\nWhere?"), ("gpt", "Hm."), ("human", "Well?"), ("gpt", "Brest.")]
    run = run_on(tmp_path, folder, llava(tmp_path / "r.json", turns))
    row = data.load(run, completions=True)[0]
    assert text_of(row["completion"]) == "Brest."
    assert [turn["role"] for turn in row["prompt"]] == ["user", "assistant", "user"]
    assert row["image"].size == (40, 30)
    with pytest.raises(DataError, match=r"found no latitude column.*data\.lat"):
        data.load(run, completions=False)


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([("human", "<image>Where?")], "'a' end without an assistant turn"),
        ([("gpt", "<image>Here.")], "'a' ask nothing: there is no user turn"),
    ],
)
def test_chats_that_cannot_be_taught_name_their_row(tmp_path, folder, turns, message):
    run = run_on(tmp_path, folder, llava(tmp_path / "r.json", turns, lat=1.0, lon=2.0))
    with pytest.raises(DataError, match=message):
        data.load(run, completions=True)[0]


def test_a_configured_question_beside_records_is_refused_unless_it_is_theirs(tmp_path, folder):
    path = tmp_path / "r.parquet"
    records.write(labelled(folder), path, options=records.Options(variant="location"))
    for more in ("data.question=Where?", "data.prompt=cot"):
        with pytest.raises(DataError, match=r"holds chats, which ask .* would go unused; set data"):
            data.load(run_on(tmp_path, folder, path, more), completions=True)
    run = run_on(tmp_path, folder, path, "data.prompt=location", "data.decimals=1")
    assert text_of(data.load(run, completions=True)[0]["completion"]).startswith("Coordinates: (48")


def test_a_version_is_pinned_and_a_resumed_run_never_reads_another(tmp_path, folder):
    lake = tmp_path / "lake"
    path = lake / "rand"
    assert tables.append(path, labelled(folder, rows=range(5))) == 0
    tables.tag(path, "paper")
    run = data.pinned(run_on(tmp_path, folder, path))
    assert run.data.version == "0"
    sealed = tmp_path / "run" / "checkpoint-1"
    sealed.mkdir(parents=True)
    (sealed / "weights").write_bytes(b"w")
    checkpoints.seal(sealed, checkpoints.identity(run))

    tables.append(path, labelled(folder, rows=range(5, N)))
    now = data.pinned(run_on(tmp_path, folder, path))
    with pytest.raises(ConfigError, match=r"data\.version: '0' there, '1' now"):
        checkpoints.newest(tmp_path / "run", checkpoints.identity(now))
    for version in ("0", "paper"):
        again = data.pinned(run_on(tmp_path, folder, path, f"data.version={version}"))
        assert checkpoints.newest(tmp_path / "run", checkpoints.identity(again)) == sealed
        assert len(data.load(again, completions=True)) == 5
    found = data.load(now, completions=True)
    assert len(found) == N
    assert found[9]["completion"][0]["content"].startswith("Country: France\nState: Bretagne")
    assert abs(found[9]["image"].getpixel((5, 5))[0] - 180) < 8


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("rand", ["data.version=7"], "no version 7; the versions are 0 to 0"),
        ("rand", ["data.version=papre"], "papre.*paper"),
        ("rand@0", [], r"write data\.table=.*rand data\.version=0"),
        ("none", [], "there is no such file or folder; data.table is 'world'"),
        ("", [], "is a lake; name one of its tables, rand: data.table="),
        ("photos.csv", ["data.version=1"], r"version is '1', but .*photos\.csv is no table"),
        ("tars", [], "is no tar archive, so no WebDataset shard"),
        ("mixed", [], "holds csv and parquet files"),
        ("empty", [], "holds no .*csv.* file and is no table"),
        ("uneven", [], r"b\.csv has no column 'image', which .*a\.csv has"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(tmp_path, folder, name, more, message):
    lake = tmp_path / "lake"
    tables.append(lake / "rand", labelled(folder))
    tables.tag(lake / "rand", "paper")
    for made in ("tars/0.tar", "mixed/a.csv", "mixed/b.parquet", "empty/a.jpg"):
        (lake / made).parent.mkdir(exist_ok=True)
        (lake / made).touch()
    (lake / "uneven").mkdir()
    (lake / "uneven" / "a.csv").write_text("lat,lon,image\n")
    (lake / "uneven" / "b.csv").write_text("lat,lon\n")
    (lake / "photos.csv").write_text("lat,lon,image\n")
    with pytest.raises(ValueError, match=message):
        data.load(run_on(tmp_path, folder, lake / name, *more), completions=True)


def test_the_world_has_no_versions_and_takes_its_places_from_a_table(tmp_path, folder):
    with pytest.raises(DataError, match="world is no table"):
        data.load(load(None, ["data.version=1"]), completions=True)
    tables.append(tmp_path / "lake" / "rand", labelled(folder))
    run = load(None, [f"data.places={tmp_path / 'lake' / 'rand'}", "data.limit=7"])
    rows = data.load(run, completions=False)
    assert (len(rows), rows[6]["lon"], rows[6]["city"]) == (7, -3.4, "Brest")


def test_images_in_the_table_are_unpacked_once_and_not_kept_in_memory(tmp_path, folder):
    path = tmp_path / "photos.parquet"
    pq.write_table(labelled(folder, "bytes"), path)
    run = run_on(tmp_path, folder, path, f"data.cache={tmp_path / 'shared'}")
    before = pa.total_allocated_bytes()
    rows = data.load(run, completions=True)
    assert pa.total_allocated_bytes() - before < path.stat().st_size / 2
    check_photos = [rows[i]["image"].getpixel((5, 5))[0] for i in range(N)]
    assert np.abs(np.array(check_photos) - 20 * np.arange(N)).max() < 8
    (made,) = (tmp_path / "shared").glob("*.arrow")
    stamp = made.stat().st_mtime_ns
    data.load(run, completions=False)
    assert made.stat().st_mtime_ns == stamp
    pq.write_table(labelled(folder, "bytes", range(3, N)), path)
    changed = data.load(run, completions=True)
    assert (len(changed), changed[0]["id"]) == (N - 3, "p3")
    assert abs(changed[0]["image"].getpixel((5, 5))[0] - 60) < 8


def test_many_rows_cost_little_and_no_image_is_opened_before_it_is_asked_for(tmp_path, folder):
    n = 50_000
    table = labelled(folder).take(pa.array(np.arange(n) % N))
    table = table.set_column(0, "photo_id", pa.array(map(str, range(n))))
    references = pa.array([f"https://example.invalid/{i}.jpg" for i in range(n)])
    table = table.set_column(3, "image", references)
    tables.append(tmp_path / "lake" / "big", table)
    run = run_on(tmp_path, folder, tmp_path / "lake" / "big")
    assert data.photos(run, "sft").table.nbytes < 150 * n
    rows = data.load(run, completions=True)
    assert len(rows) == n
    with pytest.raises(DataError, match=r"row '49999' .*cannot be read"):
        rows[n - 1]


def test_a_label_that_the_first_line_lacks_is_read_all_the_same(tmp_path, folder):
    lines = [{"image": "0.jpg", "lat": 1.0, "lon": 2.0}, {"image": "1.jpg", "lat": 1, "lon": 2}]
    lines[1]["country"] = "Gabon"
    path = tmp_path / "photos.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    rows = data.load(run_on(tmp_path, folder, path), completions=True)
    assert [row["country"] for row in rows] == [None, "Gabon"]


def split_table(folder):
    names = ["test"] * 3 + ["validation"] * 2 + ["train"] * (N - 5)
    return labelled(folder).append_column("split", pa.array(names))


@pytest.mark.parametrize("form", ["parquet", "csv", "lake"])
def test_a_split_is_chosen_or_the_run_is_refused(tmp_path, folder, form):
    table = split_table(folder)
    if form == "lake":
        path = tmp_path / "lake" / "rand"
        tables.append(path, table, file_rows=5)
    elif form == "parquet":
        pq.write_table(table, path := tmp_path / "photos.parquet")
    else:
        pa.csv.write_csv(table, path := tmp_path / "photos.csv")
    told = (
        r"splits \(test 3, train 7, validation 2 rows\); choose one.*\(data\.split, data\.where\)"
    )
    with pytest.raises(DataError, match=told):
        data.load(run_on(tmp_path, folder, path), completions=True)
    with pytest.raises(DataError, match=told):  # a condition on other columns chooses none
        data.load(run_on(tmp_path, folder, path, "data.where=lon > -3.25"), completions=True)
    with pytest.raises(DataError, match="no split 'val'; it has test 3"):
        data.load(run_on(tmp_path, folder, path, "data.split=val"), completions=True)
    for more, numbers in (
        (["data.split=train"], range(5, N)),
        (["data.split=test,validation"], range(5)),
        (["data.split= validation , test"], range(5)),
        (["data.split=all"], range(N)),
        (["data.split=train", "data.where=lon > -3.25"], range(8, N)),
        (["data.where=split = 'test'", "data.limit=2"], range(2)),
    ):
        rows = data.load(run_on(tmp_path, folder, path, *more), completions=True)
        assert [row["id"] for row in rows] == [f"p{i}" for i in numbers]
        for row, i in zip(rows, numbers):
            assert abs(row["image"].getpixel((5, 5))[0] - 20 * i) < 8


def test_images_in_a_table_are_those_of_the_split(tmp_path, folder):
    table = split_table(folder).set_column(3, "image", labelled(folder, "bytes")["image"])
    pq.write_table(table, path := tmp_path / "photos.parquet", row_group_size=4)
    shared_cache = f"data.cache={tmp_path / 'cache'}"
    for split, numbers in (("train", range(5, N)), ("test", range(3))):
        run = run_on(tmp_path, folder, path, f"data.split={split}", shared_cache)
        rows = data.load(run, completions=True)
        assert [row["id"] for row in rows] == [f"p{i}" for i in numbers]
        for row, i in zip(rows, numbers):
            assert abs(row["image"].getpixel((5, 5))[0] - 20 * i) < 8
