"""Options on the way that is taken seldom: one shard, a file without a lake, an older version."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from geodata import cor, files, near_duplicates, tables
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


def test_pictures_of_an_older_version_are_hashed_on_request(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i in range(3):
        (tmp_path / f"{i}.jpg").write_bytes(jpeg(scene(i, (128, 96))))
    tables.write("lake/t", pa.table({"photo_id": ["a"], "image": ["0.jpg"]}))
    tables.tag("lake/t", "paper")
    tables.write("lake/t", pa.table({"photo_id": ["b", "c"], "image": ["1.jpg", "2.jpg"]}))
    words = ("photos", "hash", "t", "--lake", "lake", "--image-root", ".", "--workers", 1)
    for at in ("paper", 0):
        assert run(*words, "--at", at).stdout.startswith("t: 1 pictures, ")
    assert run(*words).stdout.startswith("t: 2 pictures, 0 hashed before; now 2 ok")


# cards


def test_the_card_of_an_older_version_is_written(rows):
    tables.write("lake/labelled", tables.open("lake/labelled").arrow().slice(0, 1))
    for words, count in (((), 1), (("--at", 0), 4)):
        run("dataset", "card", "labelled", "--lake", "lake", "-o", "card", *words)
        assert f"| rows | {count} |" in Path("card/README.md").read_text(encoding="utf-8")


# label


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ((), {}), (("--lat", "y", "--lon", "x"), {"lat": "y", "lon": "x"}),
        (("--lang", "ja"), {"lang": "ja"}), (("--detail",), {"detail": True}),
        (("--worldview", "cn"), {"worldview": "cn"}),
        (("--dependencies", "sovereign"), {"dependencies": "sovereign"}),
        (("--max-offset-km", 500), {"max_offset_km": 500.0}),
    ],
    ids=lambda one: " ".join(map(str, one)),
)  # fmt: skip
@pytest.mark.parametrize("shard", [False, True])
def test_an_option_of_labels_holds_for_a_file_and_for_a_shard(tmp_path, words, options, shard):
    """Taipei, Saint-Denis on Réunion, and off Brittany; in other columns Kyoto."""
    source, out = tmp_path / "a.csv", tmp_path / "out"
    source.write_text(
        "id,lat,lon,y,x\na,25.04,121.56,35,135.77\nb,-20.88,55.45,35,135.77\nc,48,-6.5,35,135.77\n"
    )
    cor.label_file(source, tmp_path / "b.parquet", **options)
    expected = files.read_table(tmp_path / "b.parquet").to_pylist()
    if shard:
        run("label", source, "-o", out, "--shard", "1/1", *words)
        (made,) = out.glob("*.parquet")
    else:
        made = tmp_path / "c.parquet"
        run("label", source, "-o", made, *words)
    assert files.read_table(made).to_pylist() == expected
    cor.label_file(source, tmp_path / "d.parquet")
    plain = files.read_table(tmp_path / "d.parquet").to_pylist()
    assert (expected == plain) == (not options)


# map


@pytest.mark.parametrize(("words", "title"), [((), "a.csv"), (("--title", "Here"), "Here")])
def test_a_map_is_called_like_its_file_unless_it_has_a_title(tmp_path, words, title):
    pytest.importorskip("bokeh", reason="the extra map is not installed")
    (tmp_path / "a.csv").write_text("lat,lon\n1,2\n")
    run("map", tmp_path / "a.csv", "-o", tmp_path / "m.html", *words)
    assert f"<title>{title}" in (tmp_path / "m.html").read_text(encoding="utf-8")


# evaluate


@pytest.fixture
def answers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("truth", "id,lat,lon,key\na,48.86,2.35,k1\nb,35.68,139.77,k2\n"),
        ("names", "id,country,city\na,France,Paris\nb,Japan,Tokyo\n"),
        ("both", "id,lat,lon,country,city\na,48.86,2.35,France,Paris\nb,,,Japan,Tokyo\n"),
        ("preds", "id,lat,lon\na,48.8,2.3\nb,35.7,139.7\n"),
        ("train", "id,lat,lon\nk2,1,2\n"),
    ):  # fmt: skip
        Path(f"{name}.csv").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "words", "answered"),
    [("names", (), 2), ("names", ("--names",), 2), ("names", ("--no-names",), 0),
     ("both", (), 1), ("both", ("--names",), 2), ("both", ("--no-names",), 1)],
)  # fmt: skip
def test_names_are_places_by_default_where_nothing_else_is(answers, file, words, answered):
    run("evaluate", f"{file}.csv", "-t", "truth.csv", "--no-regions", "--json", "a.json", *words,
        code=0 if answered else 1)  # fmt: skip
    assert json.loads(Path("a.json").read_text())["answered"] == answered


def test_what_breaks_a_score_down_is_noted_once(answers):
    run("evaluate", "preds.csv", "-t", "truth.csv", "--by", "key", "--by", "key", "--by", "country",
        "--report", "a.html", "--json", "a.json")  # fmt: skip
    assert json.loads(Path("a.json").read_text())["options"]["by"] == ["key", "country"]


@pytest.mark.parametrize("verb", ["evaluate", "lint"])
def test_rows_of_training_are_compared_with_the_ids_that_are_named(answers, verb):
    more = ("--no-regions",) if verb == "evaluate" else ()
    Path("keyed.csv").write_text("id,lat,lon\nk1,48.8,2.3\nk2,35.7,139.7\n")
    for words, shared in (((), False), (("--id", "key"), True)):
        file = "keyed.csv" if shared else "preds.csv"
        run(verb, file, "-t", "truth.csv", "--train", "train.csv", "--json", "a.json", *more,
            *words)  # fmt: skip
        codes = {one["code"] for one in json.loads(Path("a.json").read_text())["findings"]}
        assert ("id_overlap" in codes) == shared


def test_every_other_submission_is_looked_at(answers):
    rows = [f"p{i},{10 + i / 7:.4f},{20 + i / 7:.4f}\n" for i in range(40)]
    for name in ("mine", "same"):
        Path(f"{name}.csv").write_text("id,lat,lon\n" + "".join(rows))
    far = [f"p{i},{-10 - i},{i}\n" for i in range(40)]
    Path("far.csv").write_text("id,lat,lon\n" + "".join(far))
    Path("true.csv").write_text("id,lat,lon\n" + "".join(rows))
    for verb in (("lint",), ("evaluate", "-t", "true.csv", "--no-regions")):
        for given, found in ((("far", "same"), True), (("same", "far"), True), (("far",), False)):
            others = [word for one in given for word in ("--against", f"{one}.csv")]
            run(verb[0], "mine.csv", *verb[1:], *others, "--json", "a.json")
            codes = {one["code"] for one in json.loads(Path("a.json").read_text())["findings"]}
            assert ("near_duplicate" in codes) == found


# forget


@pytest.mark.parametrize(("words", "left"), [((), ["c", "a"]), (("--column", "key"), ["b", "a"])])
def test_photos_are_forgotten_by_the_column_that_is_named(tmp_path, monkeypatch, words, left):
    """The other column still holds the word: that is told by the exit code."""
    monkeypatch.chdir(tmp_path)
    tables.write("lake/t", pa.table({"photo_id": ["b", "c", "a"], "key": ["x", "b", "y"]}))
    told = run("tables", "forget", "t", "--lake", "lake", "--id", "b", *words,
               code=1).stdout  # fmt: skip
    assert told.startswith("t: 1 rows removed")
    assert tables.open("lake/t").arrow()["photo_id"].to_pylist() == left


# photos


def test_columns_to_keep_and_places_of_pictures_may_be_several(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("id,lat,lon,one,two\na.jpg,1,2,x,y\nb.jpg,1,2,z,w\n")
    for name in "ab":
        Path(name).mkdir()
        Path(name, f"{name}.jpg").write_bytes(b"x" * 9)
    run("photos", "import", "a.csv", "-o", "o.parquet", "--keep", "two", "--keep", "one",
        "--images", "a", "--images", "b")  # fmt: skip
    found = pq.read_table("o.parquet")
    assert found.column_names[-2:] == ["two", "one"]
    assert found.select(["image", "status", "one", "two"]).to_pylist() == [
        {"image": "a/a.jpg", "status": "ok", "one": "x", "two": "y"},
        {"image": "b/b.jpg", "status": "ok", "one": "z", "two": "w"},
    ]
