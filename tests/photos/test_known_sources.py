"""Imports that know each other, and sources of other tools."""

import hashlib
import json
import os
import signal
import subprocess
import sys

import pyarrow as pa
import pytest
from PIL import Image
from typer.testing import CliRunner

from geodata import photos, tables
from geodata.cli import app
from geodata.files import FileError
from geodata.photos.repeats import IdCounter


def read(source, **options):
    return pa.concat_tables(photos.read(source, **options)).to_pylist()


def csv_file(path, *lines, header="id,lat,lon"):
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def run(*words, code=0):
    done = CliRunner().invoke(app, [str(w) for w in words], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


# imports that know each other


def test_the_same_file_is_refused_under_any_name(tmp_path):
    one = csv_file(tmp_path / "a.csv", "a,1,2", "b,3,4")
    photos.import_(one, tmp_path / "lake" / "t")
    other = tmp_path / "moved.csv"
    other.write_bytes(one.read_bytes())
    with pytest.raises(photos.AlreadyImportedError, match=r"version 0 .* 2 rows of it, as a\.csv"):
        photos.import_(other, tmp_path / "lake" / "t")
    assert tables.open(tmp_path / "lake" / "t").rows == 2
    report = photos.import_(other, tmp_path / "lake" / "t", again=True)
    assert (report.version, report.known_ids, report.repeated_ids) == (1, 2, 0)
    photos.import_(csv_file(tmp_path / "b.csv", "a,1,2"), tmp_path / "lake" / "t")
    photos.import_(one, tmp_path / "lake" / "u")  # another table knows nothing of it
    photos.import_(one, tmp_path / "a.parquet")
    photos.import_(one, tmp_path / "a.parquet")


def test_a_table_that_was_replaced_may_take_the_file_again(tmp_path):
    one, path = csv_file(tmp_path / "a.csv", "a,1,2"), tmp_path / "lake" / "t"
    photos.import_(one, path)
    tables.write(path, pa.concat_tables(photos.read({"id": ["z"], "lat": [1.0], "lon": [1.0]})))
    assert photos.import_(one, path).version == 2


def test_a_folder_of_pictures_is_known_by_names_and_sizes(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "a.jpg")
    photos.import_(folder, tmp_path / "lake" / "t")
    with pytest.raises(photos.AlreadyImportedError):
        photos.import_(folder, tmp_path / "lake" / "t")
    Image.new("RGB", (9, 9), "red").save(folder / "b.jpg")
    assert photos.import_(folder, tmp_path / "lake" / "t").known_ids == 1


def test_of_two_imports_at_once_one_is_refused(tmp_path, monkeypatch):
    """Both find nothing when they begin; the second one looks again before it commits."""
    one, path = csv_file(tmp_path / "a.csv", "a,1,2", "b,3,4"), tmp_path / "lake" / "t"
    started = []

    def other(done, total):
        if not started:
            started.append(photos.import_(one, path))

    with pytest.raises(photos.AlreadyImportedError, match="version 0"):
        photos.import_(one, path, progress=other)
    assert (tables.open(path).rows, tables.open(path).version) == (2, 0)
    assert tables.verify(path).orphans == ()
    started.clear()
    assert photos.import_(one, path, again=True).known_ids == 2


def test_ids_that_came_meanwhile_are_known(tmp_path):
    path = tmp_path / "lake" / "t"
    photos.import_(csv_file(tmp_path / "a.csv", "a,1,2"), path)
    other = csv_file(tmp_path / "b.csv", "b,1,2", "c,1,2")
    done = []

    def during(rows, total):
        if not done:
            done.append(photos.import_(other, path))

    report = photos.import_(csv_file(tmp_path / "c.csv", "b,3,4", "d,1,1"), path, progress=during)
    assert (report.version, report.known_ids) == (2, 1)


def test_ids_of_every_part_of_the_table_are_known(tmp_path):
    """Of the first part, of the last one, and of none; parts without an id are parts, too."""
    counter = IdCounter()
    counter.add(pa.table({"photo_id": ["a", "z", "b", None]}))
    path = tmp_path / "t"
    for ids in (["a", "a", "c"], [None], ["b", "d"]):
        tables.append(path, pa.table({"photo_id": pa.array(ids, pa.string())}))
    assert len(list(tables.open(path).batches(["photo_id"]))) == 3
    assert counter.known(tables.open(path)) == 2
    assert counter.known(tables.open(path, 0)) == counter.known(tables.open(path, 1)) == 1
    assert counter.known(None) == 0


def test_a_file_that_is_written_while_it_is_imported(tmp_path):
    one, path = csv_file(tmp_path / "a.csv", "a,1,2"), tmp_path / "lake" / "t"

    def grows(rows, total):
        one.write_text(one.read_text() + "b,3,4\n")

    with pytest.raises(FileError, match="written while it was read; nothing was imported"):
        photos.import_(one, path, progress=grows)
    assert not path.exists()
    assert photos.import_(one, path).rows == 2


KILLED = """
import os, signal, sys
from geodata import photos
from geodata.tables.log import seals
def killed(root, version):  # behind the commit
    os.kill(os.getpid(), signal.SIGKILL)
seals.seal = killed
photos.import_(sys.argv[1], sys.argv[2])
"""


def test_after_a_kill_behind_the_commit_the_rows_are_found(tmp_path):
    one, path = csv_file(tmp_path / "a.csv", "a,1,2", "b,3,4"), tmp_path / "lake" / "t"
    done = subprocess.run([sys.executable, "-c", KILLED, str(one), str(path)], check=False,
                          env=os.environ)  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(photos.AlreadyImportedError, match=r"version 0"):
        photos.import_(one, path)
    assert tables.open(path).rows == 2


def test_equal_ids_are_counted(tmp_path):
    path = tmp_path / "lake" / "t"
    first = photos.import_(csv_file(tmp_path / "a.csv", "a,1,2", "b,3,4", "a,5,6", ",7,8"), path)
    assert (first.repeated_ids, first.known_ids, first.ids) == (1, 0, "column")
    more = csv_file(tmp_path / "b.csv", "b,1,2", "c,3,4", "c,3,4", "a,1,2", "d,1,2")
    told = run("photos", "import", more, "--lake", tmp_path / "lake", "--table", "t")
    assert "1  rows have the id of an earlier row of the source" in told
    assert "2  rows have an id that the table held before" in told
    assert tables.open(path).rows == 9
    other = photos.import_(csv_file(tmp_path / "c.csv", "d,1,2", "a,1,2", "e,1,2"), path)
    assert other.known_ids == 2  # one of either import before, which lie in files of their own


def test_row_numbers_as_ids_are_told(tmp_path):
    one = csv_file(tmp_path / "a.csv", "1,2", header="lat,lon")
    told = run("photos", "import", one, "--lake", tmp_path / "lake")
    assert "their ids are row numbers" in told
    assert photos.import_(one, tmp_path / "a.parquet").ids == "row number"
    named = csv_file(tmp_path / "b.csv", "x.jpg,1,2", header="image,lat,lon")
    report = photos.import_(named, tmp_path / "b.parquet")
    assert (report.ids, report.id_hint) == ("image", None)
    both = csv_file(tmp_path / "c.csv", "p1,x.jpg,1,2", header="id,image,lat,lon")
    assert photos.import_(both, tmp_path / "c.parquet").ids == "column"


def test_the_command_refuses_insists_and_history_names_the_file(tmp_path):
    one = csv_file(tmp_path / "a.csv", "a,1,2")
    run("photos", "import", one, "--lake", tmp_path / "lake")
    with pytest.raises(photos.AlreadyImportedError, match="--again"):
        run("photos", "import", one, "--lake", tmp_path / "lake")
    run("photos", "import", one, "--lake", tmp_path / "lake", "--again")
    told = run("dataset", "history", "photos", "--lake", tmp_path / "lake")
    assert told.count("photos import of a.csv, SHA-256 ") == 2


# whose rows are whose

MP16 = "IMG_ID,AUTHOR,LAT,LON"


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["7e/c3/81.jpg", "00/00/1.jpg"], "mp16"),
        (["7e_c3_81.jpg", "00_00_1.jpg"], "mp16"),
        (["1000269685_e60e9cdfb4_1125_78841376@N00.jpg"], "im2gps3k"),
        (["holiday/1.jpg", "holiday/2.jpg"], "csv"),
        (["a.jpg"], "csv"),
        (["7e/c3/81.jpg", "holiday/2.jpg", "holiday/3.jpg"], "csv"),
        ([], "csv"),
    ],
)
def test_a_csv_is_a_benchmark_only_if_its_rows_are(tmp_path, ids, expected):
    path = csv_file(tmp_path / "x.csv", *(f"{i},7@N00,1,2" for i in ids), header=MP16)
    report = photos.import_(path, tmp_path / "o.parquet")
    assert report.format == expected
    if expected == "csv" and ids:
        assert "ids of neither" in report.detected
        assert read(path)[0]["source"] == "x"


def test_gsv_cities(tmp_path):
    header = "place_id,year,month,northdeg,city_id,lat,lon,panoid"
    path = csv_file(tmp_path / "London.csv", "100007,2014,7,42,London,51.5,-0.1200,p_-A",
                    "100007,2015,11,7,London,51.5,-0.12,p2", header=header)  # fmt: skip
    report = photos.import_(path, tmp_path / "o.parquet")
    assert (report.format, report.repeated_ids) == ("gsv-cities", 0)
    found = read(path)
    assert [row["photo_id"] for row in found] == ["p_-A", "p2"]
    assert found[0]["image"] == "London_0000007_2014_07_042_51.5_-0.12_p_-A.jpg"
    assert (found[1]["lat"], found[1]["lon"]) == (51.5, -0.12)


# documents

FEATURES = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "id": 7, "properties": {"name": "x", "lat": 99, "n": {"a": [1]}},
         "geometry": {"type": "Point", "coordinates": [2.3, 48.9, 30]}},
        {"type": "Feature", "properties": {"id": "own"}, "geometry": None},
        {"type": "Feature", "id": 9, "properties": None,
         "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}},
        "no feature",
    ],
}  # fmt: skip
FLICKR = {"photos": {"page": 1, "photo": [
    {"id": "5", "owner": "7@N00", "latitude": "48.9", "longitude": 2.3, "accuracy": "16",
     "datetaken": "2012-05-18 17:11:13", "license": "4"},
    {"id": "6", "owner": "7@N00", "latitude": 0, "longitude": 0, "accuracy": 0},
]}}  # fmt: skip
MAPILLARY = {"data": [{"id": "8", "captured_at": 1529913600000, "creator": {"id": "3"},
                       "geometry": {"type": "Point", "coordinates": [2.3, 48.9]}}]}  # fmt: skip
TOOLS = [{"MAPLatitude": 48.9, "MAPLongitude": 2.3, "MAPCaptureTime": "2018_06_25_08_00_00_000",
          "filename": "a.jpg"}, {"error": "no gps", "filename": "b.jpg"}]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "document", "format_", "seen"),
    [
        ("a.geojson", FEATURES, "geojson",
         [("7", "ok"), ("own", "missing"), ("9", "missing"), (None, "missing")]),
        ("a.json", FLICKR, "flickr", [("5", "ok"), ("6", "missing")]),
        ("a.json", MAPILLARY, "mapillary", [("8", "ok")]),
        ("a.json", TOOLS, "mapillary", [("a.jpg", "ok"), ("b.jpg", "missing")]),
    ],
)  # fmt: skip
def test_documents_of_other_tools(tmp_path, name, document, format_, seen):
    path = tmp_path / name
    path.write_text(json.dumps(document))
    found = read(path)
    assert [(row["photo_id"], row["status"]) for row in found] == seen
    assert (found[0]["lat"], found[0]["lon"]) == (48.9, 2.3)
    assert photos.import_(path, tmp_path / "o.parquet").format == format_
    if format_ == "mapillary":
        assert found[0]["taken_at"] == "2018-06-25T08:00:00Z"
    if format_ == "flickr":
        assert found[0]["author"] is not None
        assert found[0]["licence"] == "4"


@pytest.mark.parametrize(
    ("time", "taken"),
    [
        ("2018_06_25_08_00_00", "2018-06-25T08:00:00Z"),
        ("2018_06_25_08_00", None),
        ("2018_06_25_08_00_0x_000", None),
        ("", None),
        (None, None),
        (2018, None),
    ],
)
def test_a_capture_time_that_is_cut_is_missing(tmp_path, time, taken):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{**TOOLS[0], "MAPCaptureTime": time}]))
    (row,) = read(path)
    assert (row["photo_id"], row["status"], row["taken_at"]) == ("a.jpg", "ok", taken)


def test_columns_that_are_named_count_before_those_of_a_document(tmp_path):
    path = tmp_path / "a.geojson"
    point = {"type": "Point", "coordinates": [2.3, 48.9]}
    own = {"name": "x", "who": "ann", "north": 1, "east": 2}
    feature = {"type": "Feature", "id": 7, "properties": own, "geometry": point}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    (row,) = read(path)
    assert (row["photo_id"], row["lat"], row["lon"], row["author"]) == ("7", 48.9, 2.3, None)
    named = {"photo_id": "name", "author": "who", "lat": "north", "lon": "east"}
    (row,) = read(path, columns=named, keep=["who"])
    assert (row["photo_id"], row["lat"], row["lon"], row["who"]) == ("x", 1.0, 2.0, "ann")
    assert row["author"] == hashlib.sha256(b"ann").hexdigest()
    (row,) = read(path, columns={"photo_id": None})
    assert row["photo_id"] == "0"


def test_documents_that_are_cut_or_of_another_kind_are_told(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(FEATURES)[:200])
    with pytest.raises(ValueError, match="cannot be read as JSON"):
        read(path)
    plain = tmp_path / "b.json"
    plain.write_text(json.dumps([{"id": "a", "lat": 1, "lon": 2}]))
    assert read(plain)[0]["photo_id"] == "a"
    with pytest.raises(ValueError, match="no JSON document of format 'geojson'"):
        read(plain, format="geojson")


def test_takeout_fills_what_the_picture_does_not_say(tmp_path):
    folder = tmp_path / "Takeout" / "Photos from 2018"
    folder.mkdir(parents=True)
    long = "a" * 40 + ".jpg"
    for name in ("a.jpg", "a(1).jpg", "b.jpg", "c.jpg", "d.jpg", long):
        Image.new("RGB", (8, 8)).save(folder / name)
    told = {"photoTakenTime": {"timestamp": "1529913600"},
            "geoData": {"latitude": 48.9, "longitude": 2.3}}  # fmt: skip
    (folder / "a.jpg.json").write_text(json.dumps(told))
    told["geoDataExif"] = {"latitude": -1.5, "longitude": 7.0}
    (folder / "a.jpg(1).json").write_text(json.dumps(told))
    none = {"title": "b.jpg", "geoData": {"latitude": 0.0, "longitude": 0.0}}
    (folder / "b.jpg.supplemental-metadata.json").write_text(json.dumps(none))
    (folder / "c.jpg.json").write_text("{")
    (folder / f"{long}.supple.json").write_text(json.dumps(told))
    report = photos.import_(tmp_path / "Takeout", tmp_path / "o.parquet")
    assert report.format == "takeout"
    found = {row["photo_id"].rpartition("/")[2]: row for row in read(tmp_path / "Takeout")}
    assert {k: (v["lat"], v["lon"], v["status"]) for k, v in found.items()} == {
        "a.jpg": (48.9, 2.3, "ok"), "a(1).jpg": (-1.5, 7.0, "ok"), "b.jpg": (None, None, "missing"),
        "c.jpg": (None, None, "missing"), "d.jpg": (None, None, "missing"), long: (-1.5, 7.0, "ok"),
    }  # fmt: skip
    assert found["a.jpg"]["taken_at"] == "2018-06-25T08:00:00Z"
    assert {r["status"] for r in read(tmp_path / "Takeout", format="exif")} == {"missing"}
