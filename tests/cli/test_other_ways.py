"""Options on the way that is taken seldom: one shard, a file without a lake, an older version."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from geodata import near_duplicates, tables
from geodata.cli import app
from tests.near_duplicates.photos_made import cut, jpeg, scene


def run(*words, code=0):
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "80"})
    assert done.exit_code == code, (done.output, done.exception)
    return done


# records


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Four labelled rows in a file and in a lake; no picture is there."""
    monkeypatch.chdir(tmp_path)
    table = pa.table({
        "photo_id": ["p0", "p1", "p2", "p3"], "image": ["0.jpg", "1.jpg", "2.jpg", "3.jpg"],
        "lat": [48.9, 35.7, -33.9, 40.7], "lon": [2.3, 139.7, 151.2, -74.0],
        "country": ["France", "Japan", "Australia", "United States"],
        "country_code": ["FR", "JP", "AU", "US"], "split": ["train", "train", "test", "test"],
        "city": pa.nulls(4, pa.string()), "admin1": pa.nulls(4, pa.string()),
    })  # fmt: skip
    pq.write_table(table, "rows.parquet")
    tables.write("lake/labelled", table)
    return tmp_path


def held(folder):
    """Return what the files of a folder hold, by name; what a shard notes of itself left out."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "_"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize(
    "words",
    [
        ("--split", "all"), ("--split", "train"), ("--split", "all", "--where", "lat < 40"),
        ("--split", "all", "--seed", "3"), ("--split", "all", "--shard-rows", "3"),
        ("--split", "all", "--variant", "location"), ("--split", "all", "--form", "messages"),
        ("--split", "all", "--format", "llava"), ("--split", "all", "--image-root", "else"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_all_shards_are_the_folder_that_one_run_writes(rows, words):
    asked = ("records", "sft", "--lake", "lake", "--from", "labelled", "--no-check", "--images",
             "reference", "--shard-rows", 2, *words)  # fmt: skip
    run(*asked, "-o", "whole")
    run(*asked, "-o", "parts", "--shard", "1/2")
    run(*asked, "-o", "parts", "--shard", "2/2")
    assert held(rows / "parts") == held(rows / "whole")


def test_a_condition_holds_for_each_shard(rows):
    asked = ("records", "sft", "--from", "rows.parquet", "--split", "all", "--no-check",
             "--where", "lat < 40", "-o", "parts", "--shard", "1/1")  # fmt: skip
    assert run(*asked).stdout.splitlines()[0].endswith(": shard 1/1, 2 rows, written")
    found = pq.read_table(rows / "parts")["images"].to_pylist()
    assert sorted(one[0]["path"] for one in found) == ["1.jpg", "2.jpg"]


@pytest.mark.parametrize("words", [(), ("--image-root", "pics")])
def test_pictures_lie_in_the_folder_that_is_named_or_beside_the_file(rows, monkeypatch, words):
    """Another picture of the same name beside the file is not the one."""
    (rows / "away").mkdir()
    for folder, colour in (("", "red"), ("away/pics", "blue")):
        (rows / folder).mkdir(exist_ok=True)
        for i in range(4):
            Image.new("RGB", (8, 8), colour).save(rows / folder / f"{i}.jpg")
    monkeypatch.chdir(rows / "away")
    run("records", "sft", "--from", "../rows.parquet", "--split", "all", "-o", "a.parquet", *words)
    found = [one[0]["path"] for one in pq.read_table("a.parquet")["images"].to_pylist()]
    home = "pics" if words else str(rows)
    assert sorted(found) == [f"{home}/{i}.jpg" for i in range(4)]


# tables


def test_shards_in_the_folder_where_one_stands_are_called_like_it(rows, monkeypatch):
    run("label", "rows.parquet", "-o", "parts", "--shard", "1/1")
    monkeypatch.chdir(rows / "parts")
    told = run("tables", "join-shards", ".", "--lake", "../lake").stdout
    assert told.startswith("../lake/parts: version 0, 4 rows, verified\n")
    assert tables.open(rows / "lake" / "parts").rows == 4


def test_the_history_tells_a_commit_without_a_row_from_one_that_is_not_known(rows):
    for i in range(3):
        tables.append("lake/t", pa.table({"a": [i]}))
    tables.compact("lake/t")
    first = run("dataset", "history", "t", "--lake", "lake").stdout.splitlines()[0]
    assert first.endswith("compact, 0 rows")


# leakage


def test_pictures_of_the_version_that_is_named_are_hashed_and_compared(tmp_path, monkeypatch):
    """The newest version has other pictures, and the one that is asked for was never hashed."""
    monkeypatch.chdir(tmp_path)
    for i in range(3):
        Image.radial_gradient("L").rotate(90 * i).crop((0, 40 * i, 200, 256)).save(f"{i}.png")
    for name, i in (("train", 0), ("test", 0)):
        tables.write(f"lake/{name}", pa.table({"photo_id": [name], "image": [f"{i}.png"]}))
    tables.tag("lake/train", "paper")
    tables.write("lake/train", pa.table({"photo_id": ["new", "x"], "image": ["1.png", "2.png"]}))
    told = run("leakage", "--lake", "lake", "--train", "train@paper", "--test", "test",
               "--image-root", ".", "--workers", 1).stdout.splitlines()  # fmt: skip
    assert "train: 1 pictures, 0 hashed before; now 1 ok" in told
    at = told.index("test@0 in train@0: 1 rows")
    assert told[at + 4] == "             1  look alike, of 1 compared by picture"


@pytest.mark.parametrize("option", ["--bits", "--bits-fine"])
def test_each_bound_of_the_look_holds_alone(tmp_path, monkeypatch, option):
    """Two pictures, one cut at its sides: coarse and fine hashes both differ in some bits."""
    monkeypatch.chdir(tmp_path)
    whole = scene(3, (256, 192))
    (tmp_path / "0.jpg").write_bytes(jpeg(whole))
    (tmp_path / "1.jpg").write_bytes(jpeg(cut(whole, 0.02)))
    for i, name in enumerate(("train", "test")):
        tables.write(f"lake/{name}", pa.table({"photo_id": [name], "image": [f"{i}.jpg"]}))
        near_duplicates.hash_photos("lake", name, root=tmp_path, workers=1)
    words = ("leakage", "--lake", "lake", "--train", "train", "--test", "test", "--image-root", ".")
    alike = "1  look alike, of 1 compared by picture"
    assert alike in run(*words).stdout
    assert alike not in run(*words, option, 0).stdout
