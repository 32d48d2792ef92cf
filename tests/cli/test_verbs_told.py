"""The smaller verbs: geocode, map, leakage, records, sql, forget, and what Ray is told."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from geodata import photos, query, records, tables
from geodata.cli import app, forgetting, gazetteer, leaking, on_ray
from geodata.files import FileError
from geodata.gazetteer import Place
from geodata.near_duplicates import Leakage
from geodata.near_duplicates.findings import Bursts, Overlap


def run(*words, code=0):
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "80"})
    assert done.exit_code == code, (done.output, done.exception)
    return done


# geocode


def shown(**changed):
    usual = {"lat": 1.234567, "lon": -2.5, "code": "XX", "name": "Bol", "level": "city",
             "ambiguous": False, "population": 1234567, "country_code": "TD",
             "admin1_code": "TD-LC"}  # fmt: skip
    return gazetteer._shown(Place(**usual | changed))


def test_a_place_is_told_in_two_lines():
    assert shown() == "1.23457 -2.50000\nBol (city, TD-LC, 1,234,567 people)"
    assert shown(admin1_code=None, population=0).endswith("\nBol (city, TD)")
    assert shown(population=None, ambiguous=True).endswith(
        "Bol (city, TD-LC); other places have this name: add a region or country"
    )


def test_a_place_that_is_not_there_is_told_by_all_its_names():
    told = run("geocode", "--city", "Nocity", "--admin1", "Texas", "--country", "US", code=1)
    assert told.stderr == "error: no place is called 'Nocity, Texas, US'; check the spelling\n"
    assert told.stdout == ""
    assert "'Nocity'" in run("geocode", "Nocity", code=1).stderr


def test_a_place_as_json_is_whole():
    cells = json.loads(run("geocode", "Kyoto, Japan", "--json").output)
    assert set(cells) == set(Place.__dataclass_fields__)
    texan = json.loads(run("geocode", "--city", "Paris", "--admin1", "Texas", "--country", "US",
                           "--json").output)  # fmt: skip
    assert texan["admin1_code"] == "US-TX"
    assert "ü" in run("geocode", "Zürich, Switzerland", "--json").output


# forget


def test_ids_of_a_file_are_its_lines(tmp_path):
    (tmp_path / "ids.txt").write_bytes(b"\xef\xbb\xbf a \n\n\tb/c.jpg\r\n  \n")
    assert forgetting._lines(tmp_path / "ids.txt") == ["a", "b/c.jpg"]


def test_what_is_forgotten_is_told(tmp_path):
    lake = tmp_path / "lake"
    rows = pa.table({"photo_id": [f"photo-{i:04}" for i in range(1500)]})
    tables.write(lake / "photos", rows)
    tables.write(lake / "rest", rows.slice(0, 1))
    (tmp_path / "ids.txt").write_text("\n".join(rows["photo_id"].to_pylist()[2:]))
    told = run("tables", "forget", "photos", "--lake", lake, "--ids", tmp_path / "ids.txt",
               "--id", "photo-0001").stdout.splitlines()  # fmt: skip
    assert told[0] == "photos: 1,499 rows removed, of all versions that are kept"
    assert told[-1] == "  the pictures themselves."
    assert tables.open(lake / "photos").arrow()["photo_id"].to_pylist() == ["photo-0000"]
    told = run("tables", "forget", "--lake", lake, "--id", "photo-none", code=1)
    assert told.stdout.startswith("no row removed\n")
    assert told.stderr == "no table has the id 'photo-none'\n"
    done = CliRunner().invoke(app, ["tables", "forget", "--lake", str(lake)])
    assert "name the photos: --id ID, or --ids FILE" in str(done.exception)


@pytest.mark.parametrize("more", [("--country", "FR"), ("--admin1", "Texas"), ("--city", "Lyon")])
def test_a_place_is_a_text_or_its_parts(more):
    done = CliRunner().invoke(app, ["geocode", "Paris", *more])
    assert str(done.exception) == "give either a text or country, admin1 and city, not both"


# map


@pytest.fixture
def places(tmp_path):
    (tmp_path / "a.csv").write_text("id,lat,lon,y,x\na,1,2,50,60\nb,3,4,,\n")
    (tmp_path / "b.csv").write_text("lat,lon\n5,6\n")
    return tmp_path


def drawn(places, *words):
    told = run("map", places / "a.csv", "-o", places / "m.svg", *words).output
    return told, (places / "m.svg").read_text()


def test_each_option_of_a_map_changes_it(places):
    told, plain = drawn(places)
    assert told == f"2 rows with coordinates in {places / 'm.svg'}\n"
    assert drawn(places, "--title", "Here and there")[1].count("Here and there")
    assert drawn(places, "--dark")[1] != plain
    told, _ = drawn(places, "--lat", "y", "--lon", "x")
    assert told.startswith("1 rows with coordinates")
    around = drawn(places, "--around", places / "b.csv", "--radius-km", 100)[1]
    assert around != plain
    assert drawn(places, "--around", places / "b.csv", "--radius-km", 900)[1] != around
    run("map", places / "a.csv", "--radius-km", 0.0001, code=2)


# leakage


def test_what_is_shared_is_told(capsys):
    none = pa.table({"a": pa.array([], pa.int64())})
    overlap = Overlap(rows_of="test", others="train", rows=1234, compared=5678, photo=None,
                      author=1000, place=0, look=2345, look_only=17, pairs=none)  # fmt: skip
    bursts = Bursts(rows_of="train", compared=5432, bursts=1001, photos=2002, largest=1003)
    leaking._print(Leakage({"test": "t@0"}, (overlap,), (bursts, bursts), 12, 80))
    line = "train: 2,002 of 5,432 photos in 1,001 bursts of one author, the largest 1,003"
    assert capsys.readouterr().out.splitlines() == [
        "", "test in train: 1,234 rows", "  not compared  share a photo id",
        "         1,000  share an author", "             0  share a place",
        "         2,345  look alike, of 5,678 compared by picture",
        "            17  of these share no photo id", "", line, line,
    ]  # fmt: skip


# records


@pytest.fixture
def lake(tmp_path):
    (tmp_path / "pics").mkdir()
    for i in range(3):
        exif = Image.Exif()
        exif[0x010E] = "a comment"
        data = io.BytesIO()
        Image.new("RGB", (40, 30), (60 * i, 10, 10)).save(data, "JPEG", exif=exif)
        (tmp_path / "pics" / f"{i}.jpg").write_bytes(data.getvalue())
    n = 5
    rows = {
        "photo_id": [f"p{i}" for i in range(n)], "image": [f"{i}.jpg" for i in range(n)],
        "lat": [48.9, 35.7, -33.9, 40.7, None], "lon": [2.3, 139.7, 151.2, -74.0, None],
        "country": ["France", "Japan", "Australia", "United States", None],
        "country_code": ["FR", "JP", "AU", "US", None], "city": ["Paris", None, None, None, None],
        "admin1": [None] * n, "split": ["train", "train", "test", "test", "train"],
    }  # fmt: skip
    table = pa.table({k: pa.array(v, pa.float64() if k in ("lat", "lon") else pa.string())
                      for k, v in rows.items()})  # fmt: skip
    tables.write(tmp_path / "lake" / "labelled", table)
    pq.write_table(table, tmp_path / "rows.parquet")
    return tmp_path


USUAL = {"kind": "sft", "images": "reference", "missing": "drop", "check": "tell"}
ASKED = [
    ((), {}, {}),
    (("--split", "train"), {}, {"split": "train"}),
    (("--where", "lat > 0"), {}, {"where": "lat > 0"}),
    (("--variant", "location"), {"variant": "location"}, {}),
    (("--form", "messages"), {"form": "messages"}, {}),
    (("--format", "llava"), {}, {"format": "llava"}),
    (("--seed", "3"), {}, {"seed": 3}),
    (("--image-root", "elsewhere"), {"image_root": "elsewhere"}, {}),
]


@pytest.mark.parametrize(("words", "options", "chosen"), ASKED)
def test_every_word_reaches_the_records(lake, monkeypatch, words, options, chosen):
    monkeypatch.chdir(lake)
    split = () if "--split" in words else ("--split", "all")
    told = run("records", "sft", "--lake", "lake", "--from", "labelled", "-o", "a.jsonl",
               "--images", "reference", "--missing", "drop", "--no-check", *split,
               *words)  # fmt: skip
    given = {"split": "all", **chosen}
    made = records.write("labelled", "b.jsonl", lake="lake",
                         options=records.Options(**USUAL | options), **given)  # fmt: skip
    assert (lake / "a.jsonl").read_text() == (lake / "b.jsonl").read_text()
    assert told.stdout.startswith(f"a.jsonl: {made.rows} records, 1 files")


def test_what_became_of_pictures_is_told(lake, monkeypatch):
    monkeypatch.chdir(lake)
    home = ("records", "grpo", "--from", "rows.parquet", "--image-root", "pics", "--split", "all")
    told = run(*home, "-o", "a.parquet", "--missing", "drop", "--images", "bytes")
    assert told.stdout.splitlines() == [
        "a.parquet: 3 records, 1 files, 2 rows left out",
        *[line for line in told.stdout.splitlines()[1:] if "--keep-metadata keeps it" in line],
    ]
    assert "  left out of 3 pictures: " in told.stdout
    kept = run(*home, "-o", "b.parquet", "--missing", "drop", "--images", "bytes",
               "--keep-metadata")  # fmt: skip
    assert "keep-metadata" not in kept.stdout
    sizes = [sum(len(i["bytes"]) for row in pq.read_table(f).to_pylist() for i in row["images"])
             for f in ("a.parquet", "b.parquet")]  # fmt: skip
    assert sizes[0] < sizes[1]
    absent = run(*home, "-o", "c.parquet", "--missing", "drop", "--images", "reference",
                 "--no-check")  # fmt: skip
    assert absent.stdout == "c.parquet: 4 records, 1 files, 1 rows left out\n"
    assert absent.stderr == "warning: 1 pictures are not there\n"
    done = CliRunner().invoke(app, [*home, "-o", "d.parquet", "--images", "reference"])
    assert isinstance(done.exception, ValueError | OSError)


def test_files_of_records_hold_so_many_rows(lake, monkeypatch):
    monkeypatch.chdir(lake)
    words = ("records", "sft", "--lake", "lake", "--from", "labelled", "--images", "reference",
             "--missing", "drop", "--no-check", "--split", "all", "--shard-rows", 3)  # fmt: skip
    assert run(*words, "-o", "whole").stdout == ("whole: 4 records, 2 files, 1 rows left out\n")
    told = run(*words, "-o", "parts", "--shard", "2/2").stdout.splitlines()
    assert told[0].endswith(": shard 2/2, 1 rows, written")
    assert told[1].startswith("parts: 1 records, 1 files")
    again = run(*words, "-o", "parts", "--shard", "2/2").stdout.splitlines()
    assert len(again) == 1
    assert again[0].endswith("was there already")


@pytest.mark.parametrize("rows", [0, -1])
def test_files_of_records_hold_a_row_at_least(lake, monkeypatch, rows):
    monkeypatch.chdir(lake)
    words = ("records", "sft", "--lake", "lake", "--from", "labelled", "-o", "out", "--split",
             "all", "--no-check", "--missing", "drop", f"--shard-rows={rows}")  # fmt: skip
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, records.RecordError)
    assert str(done.exception).startswith(f"shard_rows={rows} (--shard-rows) must be a whole num")
    assert not (lake / "out").exists()


# sql


def test_sql_shows_as_many_rows_as_it_is_asked_for():
    more = "... and more rows; --rows shows more, -o writes them all"
    for asked, count, there in (((), 40, 41), (("--rows", 2), 2, 3), (("--rows", 0), 0, 1)):
        sql = f"SELECT i::VARCHAR AS word FROM range({there}) t(i)"
        lines = run("sql", sql, *asked).stdout.splitlines()
        assert [line.strip() for line in lines] == ["word", *map(str, range(count)), more]
        whole = f"SELECT i::VARCHAR AS word FROM range({count}) t(i)"
        assert more not in run("sql", whole, *asked).stdout
    assert len(run("sql", "FROM range(50)", "--format", "csv").stdout.splitlines()) == 51


def test_sql_sets_numbers_to_the_right_and_texts_to_the_left():
    told = run("sql", "SELECT 7 AS number, 'a' AS wordy UNION ALL SELECT 1234567, '[b]x[/b]'")
    assert sorted(line.rstrip() for line in told.stdout.splitlines()) == sorted([
        " number  wordy", "      7  a", "1234567  [b]x[/b]",
    ])  # fmt: skip


def test_sql_folds_what_is_wider_than_the_screen_and_its_head_is_bold(monkeypatch):
    told = run("sql", "SELECT repeat('x', 200) AS a, 7 AS b")
    assert told.stdout.count("x") == 200
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1ma" in run("sql", "SELECT 1 AS a").stdout


def test_sql_writes_every_row_and_counts_them(tmp_path):
    assert run("sql", "FROM range(5000)", "-o", tmp_path / "a.parquet", "--rows", 1).stdout == (
        f"{tmp_path / 'a.parquet'}: 5000 rows\n"
    )
    assert pq.read_metadata(tmp_path / "a.parquet").num_rows == 5000


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_types_that_a_format_does_not_have(tmp_path, ending):
    out = tmp_path / f"a.{ending}"
    done = CliRunner().invoke(app, ["sql", "SELECT INTERVAL 1 DAY AS a", "-o", str(out)])
    assert isinstance(done.exception, FileError)
    told = str(done.exception)
    assert told.startswith(f"{out}: {ending} has no such type: ")
    assert told.endswith("; cast that column to text first")
    assert list(tmp_path.iterdir()) == []
    run("sql", "SELECT (INTERVAL 1 DAY)::VARCHAR AS a", "-o", out)


def test_sql_without_a_limit_of_time():
    run("sql", "SELECT 1 AS one", "--timeout", 0)
    run("sql", "SELECT 1", "--timeout", "-1", code=2)


@pytest.mark.parametrize("memory", ["much", "", "1 parsec", "'"])
def test_memory_that_is_no_amount(memory):
    done = CliRunner().invoke(app, ["sql", "SELECT 1 AS one", "--memory", memory])
    assert isinstance(done.exception, query.QueryError)
    told = str(done.exception)
    assert told.startswith(f"memory_limit={memory!r} is not an amount of memory; give a number")
    assert told.endswith("such as 1GB or 500MB (memory_limit=, --memory)")


# Ray


def test_shares_are_told_in_percent():
    assert on_ray._percent(None) == "-"
    assert on_ray._percent(0.1236) == "12.36%"
    assert on_ray._percent(1.0) == "100.00%"


# photos


def test_every_word_reaches_the_import(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pics").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "pics" / "a.jpg")
    (tmp_path / "rows.csv").write_text(
        "key,y,x,pic,who,when,lic,extra,lat,lon\n"
        "k1,1,2,a.jpg,ann,2020-01-02 03:04:05,CC0,e1,50,60\nk2,3,4,b.jpg,bob,,,e2,50,60\n"
    )
    columns = {"photo_id": "key", "lat": "y", "lon": "x", "image": "pic", "author": "who",
               "taken_at": "when", "licence": "lic"}  # fmt: skip
    flags = ("--id", "--lat", "--lon", "--image", "--author", "--taken-at", "--licence-column")
    words = [word for pair in zip(flags, columns.values(), strict=True) for word in pair]
    more = ("--keep", "extra", "--format", "csv", "--licence", "CC-BY-4.0", "--name", "mine",
            "--images", "pics", "--min-image-bytes", 1)  # fmt: skip
    for salt, given in ((("--no-salt",), False), (("--salt", "s"), "s"), ((), None)):
        told = run("photos", "import", "rows.csv", "-o", "a.parquet", *words, *more, *salt).stdout
        made = photos.import_(
            "rows.csv", "b.parquet", columns=columns, keep=["extra"], format="csv",
            licence="CC-BY-4.0", source_name="mine", images=["pics"], min_image_bytes=1, salt=given,
        )  # fmt: skip
        assert f"format csv: {made.detected}\n" in told
        found = pq.read_table("a.parquet")
        assert found.equals(pq.read_table("b.parquet"))
        assert found["lat"].to_pylist() == [1.0, 3.0]
        assert found["licence"].to_pylist() == ["CC0", "CC-BY-4.0"]
        assert found["extra"].to_pylist() == ["e1", "e2"]


def test_a_source_is_imported_twice_only_on_request(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("id,lat,lon\na,1,2\n")
    words = ("photos", "import", "rows.csv", "--lake", "lake", "--table", "mine")
    assert run(*words).stdout.startswith("lake/mine (version 0): 1 rows\n")
    assert isinstance(CliRunner().invoke(app, words).exception, ValueError)
    told = run(*words, "--again").stdout
    assert told.startswith("lake/mine (version 1): 1 rows\n")
    assert "             1  rows have an id that the table held before" in told


def test_archives_are_indexed_one_by_one(tmp_path, monkeypatch):
    import tarfile

    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"x")
    for name, count in (("one", 1), ("two", 2)):
        with tarfile.open(f"{name}.tar", "w") as tar:
            for i in range(count):
                tar.add("a.jpg", f"{i}.jpg")
    lines = run("photos", "index", "one.tar", "two.tar").stdout.splitlines()
    assert lines == [f"{photos.index_path('one.tar')}: 1 members",
                     f"{photos.index_path('two.tar')}: 2 members"]  # fmt: skip


# shards


def test_shards_become_a_table_called_like_their_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("id,lat,lon\na,48.85,2.29\nb,35.7,139.7\nc,1,2\n")
    for shard in ("1/2", "2/2"):
        run("label", "rows.csv", "-o", "parts", "--shard", shard)
    assert run("tables", "join-shards", "parts").stdout == (
        "parts: 2 shards, 3 rows, all there and whole\n"
    )
    first = run("tables", "join-shards", "parts", "--lake", "lake").stdout.splitlines()
    made = tables.open(tmp_path / "lake" / "parts")
    assert first == [f"{made.path.relative_to(tmp_path)}: version 0, 3 rows, verified",
                     f"content hash {made.content_hash}"]  # fmt: skip
    again = run("tables", "join-shards", "parts", "--lake", "lake").stdout
    assert "verified (was there already)" in again
    named = run("tables", "join-shards", "parts", "--lake", "lake", "--table", "mine").stdout
    assert "lake/mine: version 0, 3 rows, verified\n" in named
