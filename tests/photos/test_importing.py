"""Photo import: every format from files made here, damaged rows, archives, EXIF, the command."""

import bz2
import csv
import gc
import hashlib
import importlib.util
import io
import json
import math
import random
import sqlite3
import struct
import tarfile
import zipfile
from fractions import Fraction
from pathlib import Path

import h3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image
from typer.testing import CliRunner

from geodata import cli, hashing, photos, tables
from geodata.files import FileError
from geodata.images import archive as photo_archive, tar as photo_tar
from geodata.leakage import author_hash, marked_salt
from geodata.photos.formats import exif as photo_exif, yfcc

MP16 = "IMG_ID,AUTHOR,LAT,LON,S3_Label,S16_Label,S365_Label,Prob_indoor,Prob_natural,Prob_urban"
PRO = MP16 + ",neighbourhood,city,county,state,region,country,country_code,continent"
PHOTO = b"\xff\xd8" + b"x" * 6000
SMALL = b"\xff\xd8" + b"x" * 100


def read(source, **options) -> pa.Table:
    return pa.concat_tables(photos.read(source, **options))


def rows(source, *names, **options) -> list:
    found = read(source, **options).select(list(names)).to_pylist()
    return [tuple(row.values()) for row in found]


def text_file(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# ---- the schema -------------------------------------------------------------------------------


def test_a_row_in_the_one_schema(tmp_path):
    path = text_file(
        tmp_path / "mp16.csv", MP16, "45/77/32.jpg,7@N00,48.8584,2.2945,0,1,2,.1,.2,.7"
    )
    table = read(path, licence="see Flickr")
    assert table.schema.equals(photos.SCHEMA)
    row = table.to_pylist()[0]
    assert row == {
        "photo_id": "45/77/32.jpg",
        "lat": 48.8584,
        "lon": 2.2945,
        "image": "45/77/32.jpg",
        "author": sha("7@N00"),
        "taken_at": None,
        "source": "mp16",
        "source_row": 0,
        "licence": "see Flickr",
        "status": "ok",
        "reason": None,
        "h3_3": h3.str_to_int(h3.latlng_to_cell(48.8584, 2.2945, 3)),
        "h3_5": h3.str_to_int(h3.latlng_to_cell(48.8584, 2.2945, 5)),
        "x": pytest.approx(math.cos(math.radians(48.8584)) * math.cos(math.radians(2.2945))),
        "y": pytest.approx(math.cos(math.radians(48.8584)) * math.sin(math.radians(2.2945))),
        "z": pytest.approx(math.sin(math.radians(48.8584))),
    }


def test_cells_and_vectors_are_those_of_the_libraries():
    random_ = np.random.default_rng(0)
    lat = np.concatenate([np.degrees(np.arcsin(random_.uniform(-1, 1, 500))), [90, -90, 0, 0]])
    lon = np.concatenate([random_.uniform(-180, 180, 500), [0, 0, -180, 180]])
    table = read({"id": [str(i) for i in range(504)], "lat": lat, "lon": lon})
    wrapped = table["lon"].to_numpy()
    for resolution in (3, 5):
        cells = [h3.str_to_int(h3.latlng_to_cell(*p, resolution)) for p in zip(lat, wrapped)]
        assert table[f"h3_{resolution}"].to_pylist() == cells
    xyz = np.stack([table[axis].to_numpy() for axis in "xyz"])
    assert np.allclose(np.linalg.norm(xyz, axis=0), 1)
    assert np.allclose(np.degrees(np.arcsin(xyz[2])), lat)
    assert wrapped[-1] == -180


def test_authors_are_hashed_with_and_without_salt():
    source = {"id": ["a", "b", "c"], "lat": [1, 1, 1], "lon": [1, 1, 1], "author": ["u", "", None]}
    assert rows(source, "author") == [(sha("u"),), (None,), (None,)]
    told = hashlib.scrypt(b"pepper", salt=b"geodata salt mark", n=1 << 14, r=8, p=1, dklen=4)
    salted = f"{told.hex()}:{hashlib.sha256(b'pepper' + bytes(1) + sha('u').encode()).hexdigest()}"
    assert rows(source, "author", salt="pepper") == [(salted,), (None,), (None,)]
    assert rows(source, "author", salt=b"pepper")[0] == (salted,)
    assert rows(source, "author", columns={"author": None})[0] == (None,)


# ---- formats ----------------------------------------------------------------------------------


def test_mp16_pro_keeps_only_what_is_asked(tmp_path):
    path = text_file(
        tmp_path / "MP16_Pro_places365.csv",
        PRO,
        '7e/c3/81.jpg,1@N00,35.0,135.75,1,2,3,.1,.2,.7,,"Kyoto, 京都市",,,,日本,jp,Asia',
    )
    table = read(path, keep=["city", "country_code"])
    assert table.column_names == [*photos.SCHEMA.names, "city", "country_code"]
    assert table["city"].to_pylist() == ["Kyoto, 京都市"]
    assert "neighbourhood" not in table.column_names


def test_im2gps3k_is_told_from_mp16_by_its_ids(tmp_path):
    path = text_file(
        tmp_path / "im2gps3k_places365.csv",
        MP16,
        "1000269685_e60e9cdfb4_1125_78841376@N00.jpg,78841376@N00,44.4,8.9,1,1,1,.1,.2,.7",
    )
    report = photos.import_(path, tmp_path / "out.parquet")
    assert report.format == "im2gps3k"
    assert "IMG_ID no folders" in report.detected
    assert report.columns == {"photo_id": "IMG_ID", "lat": "LAT", "lon": "LON", "author": "AUTHOR"}


def yfcc_row(**changes) -> list[str]:
    values = {
        "line": "0", "photoid": "6985418911", "hash": "4e2f7a26a1dfbf165a7e30bdabf7e72a",
        "uid": "4e2f%40N00", "unickname": "nino63004", "datetaken": "2012-02-16 09:56:37.0",
        "dateuploaded": "1331840483", "capturedevice": "Canon+PowerShot", "title": "a%20b%22c",
        "description": "", "usertags": "x,y", "machinetags": "", "longitude": "120.5853",
        "latitude": "31.3001", "accuracy": "14", "pageurl": "http://www.flickr.com/photos/x/1/",
        "downloadurl": "http://farm8.staticflickr.com/7205/6985418911_df7747990d.jpg",
        "licensename": "Attribution-NonCommercial-NoDerivs License", "licenseurl": "http://c/",
        "serverid": "7205", "farmid": "8", "secret": "df", "secretoriginal": "692d", "ext": "jpg",
        "marker": "0",
    }  # fmt: skip
    assert tuple(values) == yfcc.NAMES
    return list((values | changes).values())


YFCC_ROWS = [
    yfcc_row(),
    yfcc_row(photoid="2", longitude="", latitude=""),
    yfcc_row(photoid="3", marker="1", ext="mp4"),
    yfcc_row(photoid="4", uid="", datetaken="null", title='5" "quote'),
    yfcc_row(photoid="5", latitude="91.0"),
]
YFCC_SEEN = [
    ("6985418911", 31.3001, 120.5853, "ok", sha("4e2f@N00"), "2012-02-16T09:56:37"),
    ("2", None, None, "missing", sha("4e2f@N00"), "2012-02-16T09:56:37"),
    ("3", 31.3001, 120.5853, "video", sha("4e2f@N00"), "2012-02-16T09:56:37"),
    ("4", 31.3001, 120.5853, "ok", None, None),
    ("5", None, None, "invalid", sha("4e2f@N00"), "2012-02-16T09:56:37"),
]
SEEN = ("photo_id", "lat", "lon", "status", "author", "taken_at")


@pytest.mark.parametrize("name", ["yfcc100m_dataset", "yfcc100m_dataset-0.bz2", "yfcc.tsv"])
@pytest.mark.parametrize("old", [False, True])
def test_yfcc100m_text(tmp_path, name, old):
    kept = [i for i, n in enumerate(yfcc.NAMES) if not old or n in yfcc.OLD_NAMES]
    text = "".join("\t".join(row[i] for i in kept) + "\n" for row in YFCC_ROWS)
    path = tmp_path / name
    path.write_bytes(bz2.compress(text.encode()) if name.endswith("bz2") else text.encode())
    table = read(path, keep=["title", "capturedevice", "pageurl"])
    assert [tuple(row.values()) for row in table.select(list(SEEN)).to_pylist()] == YFCC_SEEN
    first = table.to_pylist()[0]
    assert (first["source"], first["title"], first["capturedevice"]) == (
        "yfcc100m", 'a b"c', "Canon PowerShot",
    )  # fmt: skip
    assert first["image"].startswith("http://farm8")
    assert first["pageurl"] == "http://www.flickr.com/photos/x/1/"
    assert first["licence"] == "Attribution-NonCommercial-NoDerivs License"


def test_yfcc100m_damaged_lines_stay_in_place(tmp_path):
    lines = ["\t".join(row) for row in YFCC_ROWS]
    lines.insert(2, "only\tthree\tfields")
    path = text_file(tmp_path / "yfcc100m_dataset", *lines)
    report = photos.import_(path, tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found["status"].to_pylist() == ["ok", "missing", "unreadable", "video", "ok", "invalid"]
    assert report.unreadable == ((2, "3 fields, the header has 25"),)
    assert report.statuses == {"ok": 2, "missing": 1, "invalid": 1, "unreadable": 1, "video": 1}


def test_yfcc100m_with_a_damaged_first_row(tmp_path):
    path = text_file(tmp_path / "part.txt", "\t".join(yfcc_row(latitude="N48", marker="x")))
    assert rows(path, "status", format="yfcc100m") == [("invalid",)]


def yfcc_sqlite(path: Path, table: str = "yfcc100m_dataset") -> Path:
    names = yfcc.OLD_NAMES
    numbers = {"latitude": "REAL", "longitude": "REAL", "photoid": "INTEGER"}
    columns = ", ".join(f"{name} {numbers.get(name, '')}" for name in names)
    with sqlite3.connect(path) as con:
        con.execute(f"CREATE TABLE {table} ({columns})")
        for row in YFCC_ROWS:
            kept = [None if v == "" else v for n, v in zip(yfcc.NAMES, row) if n in names]
            con.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", kept)
    con.close()
    return path


def test_yfcc100m_sqlite_is_only_read(tmp_path):
    path = yfcc_sqlite(tmp_path / "yfcc100m_dataset.sql")
    before = path.read_bytes()
    assert rows(path, *SEEN) == YFCC_SEEN
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    other = yfcc_sqlite(tmp_path / "other.sqlite", "photos")
    with pytest.raises(FileError, match=r"no table 'yfcc100m_dataset'; .* photos"):
        read(other)
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(before[:100] + b"\xff" * 3000)
    with pytest.raises(FileError, match="cannot be read as SQLite"):
        read(damaged)


def test_osv5m(tmp_path):
    path = text_file(
        tmp_path / "train.csv",
        "id,latitude,longitude,thumb_original_url,country,sequence,captured_at,unique_city",
        "1234567890123456789,-33.86,151.2,https://scontent/x,AU,s1,1529913600000,Sydney_AU",
    )
    found = rows(path, "photo_id", "image", "taken_at", "author", "source", "status")
    assert found == [
        (
            "1234567890123456789",
            "1234567890123456789.jpg",
            "2018-06-25T08:00:00Z",
            None,
            "osv5m",
            "ok",
        )
    ]


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "table", "polars"])
def test_any_table_with_a_mapping(tmp_path, kind):
    data = {"Nr": ["007", "1e3", "b"], "breite": ["1.5", "-2", ""], "laenge": ["2", "190", "3"],
            "wer": ["u", "v", "w"], "wann": ["2012-05-18T17:11:13+0200", "2012-05-18", "bald"],
            "rest": ["p", "q", "r"]}  # fmt: skip
    table = pa.table(data)
    source = tmp_path / f"fotos.{kind}"
    if kind == "parquet":
        pq.write_table(table, source)
    elif kind == "jsonl":
        text_file(source, *map(json.dumps, table.to_pylist()))
    elif kind == "table":
        source = table
    elif kind == "polars":
        source = pytest.importorskip("polars").from_arrow(table)
    else:
        with source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t" if kind == "tsv" else ",")
            writer.writerows([data, *zip(*data.values())])
    mapping = {
        "photo_id": "Nr",
        "lat": "breite",
        "lon": "laenge",
        "author": "wer",
        "taken_at": "wann",
    }
    found = rows(source, "photo_id", "lat", "lon", "status", "author", "taken_at", "rest",
                 columns=mapping, keep=["rest"])  # fmt: skip
    assert found == [
        ("007", 1.5, 2.0, "ok", sha("u"), "2012-05-18T17:11:13+02:00", "p"),
        ("1e3", -2.0, -170.0, "ok", sha("v"), "2012-05-18", "q"),
        ("b", None, None, "missing", sha("w"), None, "r"),
    ]


def test_names_and_formats_without_an_ending(tmp_path):
    text = "id,lat,lon\na,1,2\n"
    for name, content in (("photos", text), ("photos.txt", text.replace(",", "\t"))):
        (tmp_path / name).write_text(content)
        assert rows(tmp_path / name, "photo_id", "lat", "lon") == [("a", 1.0, 2.0)]
    (tmp_path / "records").write_text('{"id": 12345678901234567890123, "lat": 1, "lon": 2}\n')
    assert rows(tmp_path / "records", "photo_id") == [("12345678901234567890123",)]
    pq.write_table(pa.table({"lat": [1.0], "lon": [2.0]}), tmp_path / "part-0")
    assert rows(tmp_path / "part-0", "photo_id", "source") == [("0", "part-0")]


def test_numeric_ids_of_a_data_frame_stay_whole():
    source = {"id": pa.array([1.0, None, float("nan")]), "lat": [1.0] * 3, "lon": [1.0] * 3}
    assert rows(source, "photo_id", "status") == [("1", "ok"), (None, "no_id"), (None, "no_id")]


def test_points_without_ids_take_their_row_number(shared):
    path = shared / "points" / "geoclip_gallery_100k.csv"
    table = read(path)
    assert table.num_rows == 100_000
    assert table["photo_id"][99_999].as_py() == "99999"
    assert set(table["status"].to_pylist()) == {"ok"}


# ---- damaged rows -----------------------------------------------------------------------------

NASTY = [
    ("48.8584", "2.2945", "ok"),
    ("", "", "missing"),
    ("1", "", "missing"),
    ("nan", "NaN", "missing"),
    ("NULL", "null", "missing"),
    ("\\N", "\\N", "missing"),
    ("0", "0", "null_island"),
    ("-0.0", "0.000", "null_island"),
    ("0", "1e-9", "ok"),
    ("91", "0", "invalid"),
    ("-90.000001", "0", "invalid"),
    ("90", "180", "ok"),
    ("45", "360.5", "invalid"),
    ("45", "190", "ok"),
    ("inf", "0", "invalid"),
    ("1e999", "0", "invalid"),
    ("48,8584", "2,2945", "invalid"),
    ("48°51'N", "2°17'E", "invalid"),
    ("٤٨", "2", "invalid"),
    ("1_0", "2", "invalid"),
    ("True", "1", "invalid"),
    (" 12.5 ", "\t3", "ok"),
]


def test_nasty_coordinates_have_the_right_status(tmp_path):
    """R4, and sharp edges 2 and 8."""
    path = tmp_path / "nasty.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("id", "lat", "lon"), *((i, *r[:2]) for i, r in enumerate(NASTY))]
        )
    table = read(path)
    assert table["status"].to_pylist() == [status for _, _, status in NASTY]
    usable = np.array([status == "ok" for _, _, status in NASTY])
    for name in ("lat", "lon", "h3_3", "h3_5", "x", "y", "z"):
        assert np.array_equal(~np.asarray(table[name].is_null()), usable)
        if name != "h3_3":
            assert not np.isnan(table[name].drop_null().to_numpy()).any()
    assert table["reason"][9].as_py() == "lat 91, lon 0"


def test_nasty_values_of_an_arrow_table():
    source = pa.table(
        {
            "id": list("abcdef"),
            "lat": pa.array([1.0, float("nan"), None, float("inf"), 0.0, -90.0]),
            "lon": pa.array([1, 2, 3, 4, 0, 5]),
        }
    )
    expected = ["ok", "missing", "missing", "invalid", "null_island", "ok"]
    assert read(source)["status"].to_pylist() == expected
    wrong = source.set_column(1, "lat", pa.array([True] * 6))
    assert set(read(wrong)["status"].to_pylist()) == {"invalid"}


def test_unreadable_rows_are_kept_in_place_with_their_number(tmp_path):
    path = text_file(
        tmp_path / "mp16.csv",
        MP16,
        "a/1,u,1,2,0,0,0,0,0,0",
        "a/2,u,1,2",
        "",
        '"a/3\nb",u,1,2,0,0,0,0,0,0',
        "a/4,u,1,2,0,0,0,0,0,0,0,0",
        ",u,1,2,0,0,0,0,0,0",
    )
    report = photos.import_(path, tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["status"] for row in found] == ["ok", "unreadable", "ok", "unreadable", "no_id"]
    assert [row["photo_id"] for row in found] == ["a/1", "a/2", "a/3\nb", "a/4", None]
    assert [row["source_row"] for row in found] == [0, 1, 2, 3, 4]
    assert [row for row, _ in report.unreadable] == [1, 3]
    assert "4 fields, the header has 10" in report.unreadable[0][1]


@pytest.mark.parametrize("bad", [19, 20, 21])
def test_of_unreadable_rows_the_first_twenty_are_told(tmp_path, bad):
    lines = [line for i in range(bad) for line in (f"a/{i},u,1,2,0,0,0,0,0,0", f"b/{i},u")]
    report = photos.import_(text_file(tmp_path / "a.csv", MP16, *lines), tmp_path / "out.parquet")
    assert [row for row, _ in report.unreadable] == list(range(1, 2 * min(bad, 20), 2))
    assert report.statuses["unreadable"] == bad


def test_jsonl_lines_that_are_no_objects(tmp_path):
    path = text_file(tmp_path / "a.jsonl", '{"id": "a", "lat": 1, "lon": 2}', "[1]", "{", "",
                     '{"id": "b", "lat": "x", "lon": 2}')  # fmt: skip
    assert rows(path, "photo_id", "status") == [
        ("a", "ok"), (None, "unreadable"), (None, "unreadable"), ("b", "invalid"),
    ]  # fmt: skip


NUMBERS = st.one_of(
    st.floats(-400, 400).map(repr),
    st.sampled_from(
        ["", "0", "nan", "NULL", "91", "-90", "180", "-181", "1e400", "x", "1,5", "-0"]
    ),
)


def expected_status(photo_id: str, lat: str, lon: str) -> str:
    """The rule written again, one row at a time in plain Python."""
    if {lat.strip().lower(), lon.strip().lower()} & {"", "nan", "null"}:
        return "missing"
    try:
        y, x = float(lat), float(lon)
    except ValueError:
        return "invalid"
    if not (abs(y) <= 90 and abs(x) <= 360):
        return "invalid"
    if y == 0 and x == 0:
        return "null_island"
    return "no_id" if not photo_id.strip() else "ok"


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6),
            NUMBERS,
            NUMBERS,
            st.sampled_from([0, 0, 0, 1, -1]),
        ),
        max_size=40,
    ),
    kind=st.sampled_from(["csv", "tsv"]),
)
def test_every_input_row_appears_once_with_its_status(tmp_path, data, kind):
    """R4 and R8: nothing is lost, doubled or moved, whatever the rows hold."""
    path = tmp_path / f"rows.{kind}"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t" if kind == "tsv" else ",", quoting=csv.QUOTE_ALL)
        writer.writerow(["id", "lat", "lon"])
        for photo_id, lat, lon, damage in data:
            writer.writerow([photo_id, lat, lon, "extra"][: 3 + damage])
    if kind == "tsv":  # beside a tab, a comma is a decimal comma
        data = [(name, y.replace(",", "."), x.replace(",", "."), d) for name, y, x, d in data]
    table = pa.concat_tables([photos.SCHEMA.empty_table(), *photos.read(path)])
    expected = ["unreadable" if damage else expected_status(*row) for *row, damage in data]
    assert table["status"].to_pylist() == expected
    assert table["source_row"].to_pylist() == list(range(len(data)))
    for (photo_id, lat, _, damage), row in zip(data, table.to_pylist()):
        # blanks around an id are not part of it
        assert row["photo_id"] == (photo_id.strip() or None) or damage
        assert (row["lat"] == float(lat)) if row["lat"] is not None else row["status"] != "ok"


def test_any_batch_size_gives_the_same_rows(tmp_path):
    """R5: one large file, many batches; rows keep their order and numbers."""
    random_ = random.Random(1)
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.write("id,lat,lon\n")
        for i in range(200_000):
            lat = random_.choice(["", "91", f"{random_.uniform(-90, 90):.6f}"])
            file.write(f"{i:09d}{'-' * 30},{lat},{random_.uniform(-180, 180):.6f}\n")
            if i % 50_000 == 7:
                file.write("damaged\n")
    batches = list(photos.read(path))
    assert len(batches) > 1
    table = pa.concat_tables(batches)
    assert table["source_row"].to_pylist() == list(range(200_004))
    with path.open() as file:
        whole = [line for line in csv.DictReader(file) if line["lat"] is not None]
    in_memory = pa.table({name: [line[name] for line in whole] for name in ("id", "lat", "lon")})
    again = read(in_memory, source_name="large")
    good = np.flatnonzero(np.array(table["status"].to_pylist()) != "unreadable")
    same = [n for n in table.column_names if n not in ("source_row", "status", "reason")]
    damaged = np.flatnonzero(np.array(table["status"].to_pylist()) == "unreadable")
    assert len(damaged) == 4
    assert table.take(good).select(same).equals(again.select(same))


def test_memory_is_flat(tmp_path):
    """R13 in small: what Arrow holds at any batch is far less than the file."""
    path = tmp_path / "large.csv"
    line = "3{:09d}.jpg,u{},48.85,2.35," + "x" * 800 + "\n"
    with path.open("w") as file:
        file.write("id,author,lat,lon,rest\n")
        file.writelines(line.format(i, i % 1000) for i in range(500_000))
    gc.collect()
    before = pa.total_allocated_bytes()
    peak = max(pa.total_allocated_bytes() - before for _ in photos.read(path, keep=["rest"]))
    assert peak < 0.6 * path.stat().st_size


# pyarrow complains on standard error of a short row that is not UTF-8, before it refuses it
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["csv", "jsonl", "yfcc"])
def test_damaged_files_raise_typed_errors_only(tmp_path, kind):
    """R8: 150 mutants of each format end in rows with a status or in a FileError."""
    lines = {
        "csv": [MP16] + ['a/1.jpg,"u, v",48.85,2.35,1,2,3,.1,.2,.7'] * 5,
        "jsonl": ['{"id": "a", "lat": 48.85, "lon": 2.35, "author": "u"}'] * 5,
        "yfcc": ["\t".join(row) for row in YFCC_ROWS],
    }[kind]
    good = "\n".join(lines).encode()
    random_ = random.Random(7)
    path = tmp_path / ("yfcc100m_dataset" if kind == "yfcc" else f"a.{kind}")
    ends = {"rows": 0, "error": 0}
    for _ in range(150):
        data = bytearray(good)
        for _ in range(random_.randint(1, 8)):
            at = random_.randrange(len(data))
            data[at : at + random_.randrange(3)] = random_.choice(
                [b"", b'"', b"\n", b"\0", b"\xff", b",", b"\t", b"{", b"1e999", b"\xc3\xa9"]
            )
        path.write_bytes(data)
        try:
            table = read(path)
        except FileError:
            ends["error"] += 1
            continue
        ends["rows"] += 1
        bad = ("missing", "invalid", "null_island", "unreadable")
        for status, lat in zip(table["status"].to_pylist(), table["lat"].to_pylist()):
            assert (lat is None) == (status in bad)
    assert min(ends.values()) > 5


# ---- errors -----------------------------------------------------------------------------------


def test_errors_say_what_was_found_and_expected(tmp_path):
    table = text_file(tmp_path / "a.csv", "name,breite", "x,1")
    with pytest.raises(
        FileError, match="no latitude column among name, breite; expected one of lat"
    ):
        read(table)
    with pytest.raises(FileError, match="no column 'LAT' for lat; the columns are name, breite"):
        read(table, columns={"lat": "LAT"})
    with pytest.raises(FileError, match="'mp16' needs the columns IMG_ID, LAT, LON; found name"):
        read(table, format="mp16")
    with pytest.raises(FileError, match=r"2 .*expected 25|1 tab-separated fields.*expected 25"):
        read(table, format="yfcc100m")
    with pytest.raises(ValueError, match="unknown format 'mp17'; expected one of mp16"):
        read(table, format="mp17")
    with pytest.raises(ValueError, match="'latitude' is no role; expected photo_id, lat"):
        read(table, columns={"latitude": "breite"})
    good = text_file(tmp_path / "b.csv", "id,lat,lon,Status", "x,1,2,3")
    with pytest.raises(FileError, match="no column 'city' to keep; the columns are id, lat"):
        read(good, keep=["city"])
    with pytest.raises(ValueError, match="'Status' is a name of the photo schema"):
        read(good, keep=["Status"])
    with pytest.raises(TypeError, match="give a list of column names"):
        read(good, keep="Status")
    with pytest.raises(FileError, match="no such file or folder"):
        read(tmp_path / "nothing.csv")
    (tmp_path / "blob").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(FileError, match=r"unknown format, it begins with .*expected a CSV"):
        read(tmp_path / "blob")
    (tmp_path / "empty").mkdir()
    text_file(tmp_path / "empty" / "part.csv", "a")
    with pytest.raises(FileError, match=r"holds no picture \(.jpg.*part.csv"):
        read(tmp_path / "empty")
    with pytest.raises(FileError, match="written as Parquet; name it out"):
        photos.import_(good, tmp_path / "out.csv")
    with pytest.raises(TypeError, match="must be a path, an Arrow table or a data frame"):
        read(17)


def test_a_failed_import_leaves_the_old_file(tmp_path):
    """R11: an open quote in the middle, a file cut short: nothing is replaced."""
    target = tmp_path / "photos.parquet"
    target.write_bytes(b"old")
    for source in (
        text_file(tmp_path / "open.csv", "id,lat,lon", "a,1,2", '"b,1,2', "c,1,2"),
        tmp_path / "cut.parquet",
    ):
        if source.suffix == ".parquet":
            pq.write_table(
                pa.table({"id": ["a"] * 999, "lat": [1.0] * 999, "lon": [2.0] * 999}), source
            )
            source.write_bytes(source.read_bytes()[:-20])
        with pytest.raises(FileError):
            photos.import_(source, target)
        assert target.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "cut.parquet",
        "open.csv",
        "photos.parquet",
    ]


def test_an_empty_source_gives_an_empty_table(tmp_path):
    source = text_file(tmp_path / "a.csv", MP16 + ",city")
    report = photos.import_(source, tmp_path / "out.parquet", keep=["city"])
    assert (report.rows, report.statuses) == (0, {})
    assert pq.read_schema(tmp_path / "out.parquet").names == [*photos.SCHEMA.names, "city"]


def test_swapped_columns_are_hinted_at(tmp_path):
    source = text_file(tmp_path / "a.csv", "id,lat,lon", *(f"{i},{100 + i},5" for i in range(9)))
    report = photos.import_(source, tmp_path / "out.parquet")
    assert "9 of 9 values in 'lat' are beyond ±90" in report.swap_hint


# ---- targets ----------------------------------------------------------------------------------


def test_lineage_is_in_the_file_and_has_no_salt(tmp_path):
    source = text_file(tmp_path / "a.csv", "id,lat,lon,author", "x,1,2,u")
    steps = []
    report = photos.import_(
        source, tmp_path / "o.parquet", salt="pepper", progress=lambda *step: steps.append(step)
    )
    kept = pq.read_schema(tmp_path / "o.parquet").metadata[b"geodata"]
    assert json.loads(kept) == report.made_by
    assert report.made_by["source"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert b"pepper" not in kept
    assert steps == [(1, None)]


def test_appending_to_a_versioned_table(tmp_path):
    source = text_file(tmp_path / "a.csv", "id,lat,lon", "x,1,2", "y,,")
    folder = tmp_path / "lake" / "photos"
    assert photos.import_(source, folder).version == 0
    report = photos.import_({"id": ["z"], "lat": [1.0], "lon": [1.0]}, folder, source_name="more")
    assert report.version == 1
    files = sorted(p.name for p in folder.iterdir() if p.suffix == ".parquet")
    found = tables.open(folder)
    assert found.arrow()["photo_id"].to_pylist() == ["x", "y", "z"]
    assert tables.history(folder)[0].note == report.made_by
    damaged = tmp_path / "b.csv"
    damaged.write_bytes(b"id,lat,lon\n" + b"a,1.000000,2.000000\n" * 300_000 + b"\xff,1,2\n")
    with pytest.raises(FileError, match=r"b\.csv: cannot be read as CSV"):
        photos.import_(damaged, folder)  # after the first batches were written
    assert sorted(p.name for p in folder.iterdir() if p.suffix == ".parquet") == files
    assert len(tables.history(folder)) == 2


# ---- archives ---------------------------------------------------------------------------------


def make_tar(path: Path, members: list[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=form) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def make_zip(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w") as shard:
        for i, (name, content) in enumerate(members):
            how = zipfile.ZIP_DEFLATED if i % 2 else zipfile.ZIP_STORED
            shard.writestr(name, content, compress_type=how)
    return path


NAMES = [
    "images/45_77_1.jpg",
    "images/日本/京都.jpg",
    "images/" + "d" * 90 + "/" + "f" * 90 + ".jpg",
    "images/" + "very-long-" * 30 + ".jpg",
    "images/empty.jpg",
]


@pytest.mark.parametrize(
    "form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, None]
)
def test_members_are_those_of_the_standard_library(tmp_path, form):
    """tarfile and zipfile as oracles, on long and foreign names, folders and links."""
    names = [n for n in NAMES if form != tarfile.USTAR_FORMAT or len(n) < 250]
    content = [(n, b"" if "empty" in n else n.encode() * 99) for n in names]
    path = tmp_path / "a.archive"
    if form is None:
        make_zip(path, content)
    else:
        make_tar(path, content, form)
        with tarfile.open(path, "a", format=form) as tar:
            for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE):
                info = tarfile.TarInfo("images/other" + str(kind[0]))
                info.type, info.linkname = kind, "45_77_1.jpg"
                tar.addfile(info)
    archive = photos.open_archive(path)
    assert archive.names.to_pylist() == names
    assert archive.prefix == "images/"
    for name, data in content:
        assert archive.read(name) == data
        assert photos.open_image(f"{path}#{name}") == data
    assert archive.sizes(archive.find(pa.array([*names, "no", None]))).tolist() == [
        *(len(data) for _, data in content), -1, -1,
    ]  # fmt: skip


def test_random_archives_agree_with_tarfile(tmp_path):
    random_ = random.Random(3)
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        alphabet = "abcé漢/._- " if form != tarfile.USTAR_FORMAT else "abc._- "
        content = []
        for i in range(300):
            length = random_.choice([3, 20, 80] + [99, 180, 300] * (form != tarfile.USTAR_FORMAT))
            name = "".join(random_.choices(alphabet, k=length)).strip("/ .") or "x"
            content.append((f"{name}{i}.jpg", random_.randbytes(random_.randint(0, 2000))))
        path = make_tar(tmp_path / f"r{form}.tar", content, form)
        with tarfile.open(path) as tar:
            expected = [(m.name, m.offset_data, m.size) for m in tar]
        found = [(m.name, m.offset, m.size) for m in photo_tar.members(path, "tar")]
        assert found == expected


def test_mp16_rule_and_unavailable_photos(tmp_path):
    tar = make_tar(
        tmp_path / "mp-16-images.tar",
        [("mp16/45_77_1.jpg", PHOTO), ("mp16/45_77_2.jpg", SMALL), ("mp16/x.jpg", PHOTO)],
    )
    lines = [f"45/77/{i}.jpg,u,{'1' if i != 4 else ''},2,0,0,0,0,0,0" for i in (1, 2, 3, 4)]
    path = text_file(tmp_path / "mp16.csv", MP16, *lines)
    found = read(path, images=tar).to_pylist()
    assert [row["status"] for row in found] == [
        "ok",
        "photo_unavailable",
        "image_missing",
        "missing",
    ]
    assert found[0]["image"] == f"{tar}#mp16/45_77_1.jpg"
    assert found[2]["image"] is None
    assert found[1]["lat"] == 1.0
    assert found[1]["reason"] == "the picture has 102 bytes"
    assert photos.open_image(found[0]["image"]) == PHOTO
    assert read(path, images=tar, min_image_bytes=0)["status"][1].as_py() == "ok"
    assert photos.index_path(tar).is_file()


def test_shards_folders_and_urls(tmp_path):
    shards = tmp_path / "shards"
    shards.mkdir()
    make_zip(shards / "00.zip", [("00/1.jpg", PHOTO), ("00/2.jpg", SMALL)])
    make_zip(shards / "01.zip", [("01/3.jpg", PHOTO), ("a/9.jpg", PHOTO), ("b/9.jpg", PHOTO)])
    source = text_file(tmp_path / "train.csv", "id,latitude,longitude,captured_at,sequence",
                       *(f"{i},1,2,,s" for i in (1, 2, 3, 4, 9)))  # fmt: skip
    found = read(source, images=shards).to_pylist()
    assert [row["status"] for row in found] == ["ok", "ok", "ok", "image_missing", "image_missing"]
    assert found[2]["image"] == f"{shards / '01.zip'}#01/3.jpg"
    assert found[4]["reason"] == "several pictures have this name"
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "1.jpg").write_bytes(PHOTO)
    places = [plain, shards]
    assert read(source, images=places)["status"].to_pylist()[:3] == ["ok", "ok", "ok"]
    from_url = read(source, images="https://example.org/osv")["image"].to_pylist()
    assert from_url[0] == "https://example.org/osv/1.jpg"
    outside = {"id": ["a"], "lat": [1.0], "lon": [1.0], "image": ["../train.csv"]}
    assert read(outside, images=plain)["status"].to_pylist() == ["image_missing"]


def test_the_index_follows_the_archive_and_repairs_itself(tmp_path):
    path = make_tar(tmp_path / "a.tar", [("1.jpg", b"one")])
    assert photos.open_archive(path).read("1.jpg") == b"one"
    make_tar(path, [("0.jpg", b"zero" * 300), ("1.jpg", b"two"), ("1.jpg", b"three")])
    assert photos.open_archive(path).read("1.jpg") == b"three"  # the last one, as tar unpacks it
    photos.index_path(path).write_bytes(b"damaged")
    photo_archive._open.cache_clear()
    assert photos.open_archive(path).read("0.jpg") == b"zero" * 300


def test_damaged_archives_are_refused(tmp_path):
    """R15: cut short, a flipped header, a flipped byte of a zip member, compressed as a whole."""
    whole = make_tar(tmp_path / "a.tar", [(f"{i}.jpg", b"x" * 700) for i in range(20)]).read_bytes()
    for i, content in enumerate(
        (whole[: 512 * 7 + 100], whole[:512] + b"x" * 600 + whole[1112:3000], b"", b"text" * 200)
    ):
        path = tmp_path / f"bad{i}.tar"
        path.write_bytes(content)
        with pytest.raises(FileError):
            photos.open_archive(path)
        assert not photos.index_path(path).exists()
    shard = make_zip(tmp_path / "a.zip", [("1.jpg", b"abc" * 500), ("2.jpg", b"abc" * 500)])
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(data)
    with pytest.raises(FileError, match="CRC-32 does not match"):
        photos.open_archive(shard).read("1.jpg")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("1.jpg"))
    with pytest.raises(FileError, match=r"compressed with gzip.*decompress it to a plain"):
        photos.open_archive(tmp_path / "b.tar.gz")


def test_open_image_says_why_not(tmp_path):
    path = make_tar(tmp_path / "a#b.tar", [("c#d.jpg", b"one")])
    assert photos.open_image(f"{path}#c#d.jpg") == b"one"
    assert photos.open_image("a#b.tar#c#d.jpg", root=tmp_path) == b"one"
    with pytest.raises(FileError, match=r"no such member; the archive has 1, such as 'c#d.jpg'"):
        photos.open_image(f"{path}#e.jpg")
    with pytest.raises(FileError, match="is a URL, and nothing is downloaded"):
        photos.open_image("https://example.org/a.jpg")
    with pytest.raises(FileError, match="no such picture"):
        photos.open_image(tmp_path / "none.jpg")
    with pytest.raises(FileError):
        photos.open_image("nul\0.jpg")


@given(st.lists(st.text(max_size=12), max_size=60))
def test_text_hashes_tell_texts_apart(texts):
    """Slices, NULLs and chunks hash as the texts alone do; different texts differ."""
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    whole = hashing.text_hashes(pa.array(texts, pa.string()))
    alone = [int(hashing.text_hashes(pa.array([t]))[0]) for t in texts]
    assert whole.tolist() == alone
    assert len(set(alone)) == len(set(texts))
    assert hashing.text_hashes(pa.array(texts, pa.string())[1:]).tolist() == alone[1:]


# ---- pictures ---------------------------------------------------------------------------------


def exif_bytes(gps: list[tuple[int, bytes | list[tuple[int, int]]]], taken: str = "") -> bytes:
    """Return an EXIF block with a GPS IFD of texts and rationals, written by hand."""
    out = bytearray(b"MM\0*\0\0\0\x08")
    ifd0 = [(0x8825, 4, 1, None)] + ([(0x8769, 4, 1, None)] if taken else [])
    at = len(out) + 2 + 12 * len(ifd0) + 4
    blocks, starts = b"", []
    groups = [gps] + ([[(0x9003, taken.encode() + b"\0")]] if taken else [])
    for tags in groups:
        starts.append(at + len(blocks))
        data_at = starts[-1] + 2 + 12 * len(tags) + 4
        entries, data = struct.pack(">H", len(tags)), b""
        for tag, value in tags:
            kind = 2 if isinstance(value, bytes) else 5
            raw = value if kind == 2 else b"".join(struct.pack(">II", *v) for v in value)
            inline = (
                raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(">I", data_at + len(data))
            )
            data += raw if len(raw) > 4 else b""
            entries += struct.pack(">HHI", tag, kind, len(value)) + inline
        blocks += entries + b"\0\0\0\0" + data
    out += struct.pack(">H", len(ifd0))
    for (tag, kind, count, _), start in sorted(zip(ifd0, starts)):
        out += struct.pack(">HHII", tag, kind, count, start)
    return b"Exif\0\0" + bytes(out + b"\0\0\0\0") + blocks


def gps_of(lat_ref=b"N\0", lat=((48, 1), (51, 1), (303, 10)), lon_ref=b"E\0",
           lon=((2, 1), (17, 1), (402, 10))):  # fmt: skip
    tags = [(1, lat_ref), (2, lat and list(lat)), (3, lon_ref), (4, lon and list(lon))]
    return [(tag, value) for tag, value in tags if value is not None]


def picture(path: Path, gps, taken: str = "") -> Path:
    Image.new("RGB", (4, 4)).save(path, exif=exif_bytes(gps, taken))
    return path


ZERO = ((0, 0), (0, 0), (0, 0))
PICTURES = {
    "paris.jpg": (gps_of(), "ok", None),
    "south-west.jpg": (gps_of(lat_ref=b"S\0", lon_ref=b"W\0"), "ok", None),
    "minutes.jpg": (gps_of(lat=((48, 1), (51505, 1000), (0, 1))), "ok", None),
    "lower.jpg": (gps_of(lat_ref=b"n\0", lon_ref=b"e\0"), "ok", None),
    "island.jpg": (gps_of(lat=((0, 1),) * 3, lon=((0, 1),) * 3), "null_island", None),
    "no-ref.jpg": (gps_of(lat_ref=None), "invalid", "no hemisphere: GPSLatitudeRef is None"),
    "empty-ref.jpg": (gps_of(lon_ref=b"\0\0"), "invalid", "no hemisphere: GPSLongitudeRef"),
    "swapped.jpg": (gps_of(lat_ref=b"E\0", lon_ref=b"N\0"), "invalid", "swapped hemispheres"),
    "no-fix.jpg": (gps_of(lat=ZERO, lon=ZERO), "missing", "without a latitude"),
    "half.jpg": (gps_of(lat=((48, 1), (51, 1), (0, 0))), "invalid", "seconds are 0/0"),
    "over-zero.jpg": (gps_of(lat=((48, 0), (51, 1), (0, 1))), "invalid", "fraction over zero"),
    "degrees.jpg": (gps_of(lat=((91, 1), (0, 1), (0, 1))), "invalid", "lat 91"),
    "minute-75.jpg": (gps_of(lon=((2, 1), (75, 1), (0, 1))), "invalid", "minutes are 75"),
    "clock.jpg": ([(7, [(9, 1), (5, 1), (1, 1)])], "missing", "GPS tags without a latitude"),
    "no-lon.jpg": (gps_of(lon=None), "missing", "without a longitude"),
    "eXIf.png": (gps_of(), "ok", None),
    "web.webp": (gps_of(), "ok", None),
    "scan.tif": (gps_of(), "ok", None),
}


def make_pictures(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    for name, (gps, _, _) in PICTURES.items():
        if name.endswith("tif"):
            ifd = Image.Exif()
            ifd.load(exif_bytes(gps))
            Image.new("RGB", (4, 4)).save(folder / name, exif=ifd)
        else:
            picture(folder / name, gps, "2012:05:18 17:11:13" if name == "paris.jpg" else "")
    Image.new("RGB", (4, 4)).save(folder / "sub" / "plain.JPG", "JPEG")
    (folder / "sub" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe1\0\x10Exif")
    (folder / "sub" / "text.jpg").write_text("not a picture")
    (folder / "sub" / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 40)
    (folder / "sub" / "notes.txt").write_text("ignored")
    return folder


@pytest.mark.parametrize("packed", [None, "tar", "zip"])
def test_pictures_with_exif(tmp_path, packed):
    folder = make_pictures(tmp_path / "pictures")
    source = folder
    if packed:
        content = [
            (p.relative_to(folder).as_posix(), p.read_bytes())
            for p in sorted(folder.rglob("*"))
            if p.is_file()
        ]
        source = (make_tar if packed == "tar" else make_zip)(
            tmp_path / f"pictures.{packed}", content
        )
    found = {row["photo_id"]: row for row in read(source).to_pylist()}
    assert len(found) == len(PICTURES) + 4
    for name, (_, status, reason) in PICTURES.items():
        assert found[name]["status"] == status, (name, found[name])
        assert (reason or "") in (found[name]["reason"] or ""), (name, found[name])
    assert found["paris.jpg"]["lat"] == pytest.approx(48 + 51 / 60 + 30.3 / 3600)
    assert found["south-west.jpg"]["lon"] == pytest.approx(-(2 + 17 / 60 + 40.2 / 3600))
    assert found["minutes.jpg"]["lat"] == pytest.approx(48 + 51.505 / 60)
    assert found["paris.jpg"]["taken_at"] == "2012-05-18T17:11:13"
    assert found["paris.jpg"]["author"] is None
    assert found["sub/plain.JPG"]["status"] == "missing"
    assert found["sub/broken.jpg"]["status"] == "unreadable"
    assert found["sub/text.jpg"]["status"] == "unreadable"
    assert found["sub/phone.heic"]["status"] == "unreadable"
    there = importlib.util.find_spec("pillow_heif") is not None
    said = "not a picture" if there else "pillow-heif"
    assert said in found["sub/phone.heic"]["reason"]
    assert photos.open_image(found["paris.jpg"]["image"]) == (folder / "paris.jpg").read_bytes()


def test_exif_tags_are_kept_only_if_asked(tmp_path):
    exif = Image.Exif()
    exif[0x0110], exif[0x013B] = "Camera\0", "A. Person"
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=exif)
    table = read(tmp_path, keep=["Model"])
    assert table.column_names == [*photos.SCHEMA.names, "Model"]
    assert table["Model"].to_pylist() == ["Camera"]
    with pytest.raises(ValueError, match="'Modell' is no EXIF tag"):
        read(tmp_path, keep=["Modell"])
    with pytest.raises(ValueError, match="so columns do not apply"):
        read(tmp_path, columns={"lat": "x"})


def test_flipped_bytes_of_a_picture_never_stop_an_import(tmp_path):
    """R8: 600 damaged EXIF blocks give a status each."""
    good = picture(tmp_path / "good.jpg", gps_of(), "2012:05:18 17:11:13").read_bytes()
    random_ = random.Random(5)
    folder = tmp_path / "flipped"
    folder.mkdir()
    for i in range(600):
        data = bytearray(good)
        for _ in range(random_.randint(1, 6)):
            data[random_.randrange(min(len(data), 400))] ^= 1 << random_.randrange(8)
        (folder / f"{i:03}.jpg").write_bytes(
            data[: random_.choice([len(data), random_.randrange(400)])]
        )
    table = read(folder)
    assert table.num_rows == 600
    assert set(table["status"].to_pylist()) <= set(photos.STATUSES)
    usable = table.filter(pa.compute.equal(table["status"], "ok"))
    assert usable["lat"].null_count == 0


@given(
    lat=st.fractions(-90, 90),
    lon=st.fractions(-180, 180),
    denominator=st.sampled_from([1, 100, 10**7]),
)
def test_positions_survive_degrees_minutes_seconds(lat, lon, denominator):
    def parts(value: Fraction):
        minutes, rest = divmod(abs(value) * 60, 1)
        seconds = (int(rest * 60 * denominator), denominator)
        return ((int(minutes) // 60, 1), (int(minutes) % 60, 1), seconds)

    gps = {1: "S" if lat < 0 else "N", 2: parts(lat), 3: "W" if lon < 0 else "E", 4: parts(lon)}
    found = photo_exif.position(gps)
    assert found.status == "ok"
    assert found.lat == pytest.approx(float(lat), abs=1 / 3600 / denominator + 1e-9)
    assert found.lon == pytest.approx(float(lon), abs=1 / 3600 / denominator + 1e-9)


PARTS = st.one_of(
    st.floats(), st.none(), st.text(max_size=2), st.tuples(st.integers(), st.integers())
)
TAGS = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.lists(PARTS, max_size=4),
)


@given(st.dictionaries(st.integers(0, 5), TAGS))
def test_any_gps_tags_give_a_status(gps):
    found = photo_exif.position(gps)
    assert found.status in ("ok", "missing", "invalid")
    assert (found.lat is None) == (found.status != "ok")
    if found.lat is not None:
        assert math.isfinite(found.lat)
        assert math.isfinite(found.lon)


# ---- times ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("2012-05-18 17:11:13.0", "2012-05-18T17:11:13"),
        ("2012:05:18 17:11:13", "2012-05-18T17:11:13"),
        ("2012-05-18T17:11:13.123456Z", "2012-05-18T17:11:13Z"),
        ("2012-05-18T17:11:13+02:00", "2012-05-18T17:11:13+02:00"),
        ("2012:05:18 17:11:13-0530", "2012-05-18T17:11:13-05:30"),
        ("2012-05-18", "2012-05-18"),
        ("1337361073", "2012-05-18T17:11:13Z"),
        ("1337361073123", "2012-05-18T17:11:13Z"),
        ("0000-00-00 00:00:00", None),
        ("2013-02-29", None),
        ("2012-13-01 00:00:00", None),
        ("2012-05-18 25:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times(given_, expected):
    table = {
        "id": ["a", "b"],
        "lat": [1.0, 1.0],
        "lon": [1.0, 1.0],
        "taken_at": [given_, "2000-01-01"],
    }
    assert rows(table, "taken_at") == [(expected,), ("2000-01-01",)]


def test_times_that_are_not_text():
    micro = 1_337_361_073_999_999
    for column, expected in (
        (pa.array([micro], pa.timestamp("us")), "2012-05-18T17:11:13"),
        (pa.array([micro], pa.timestamp("us", "Asia/Tokyo")), "2012-05-18T17:11:13Z"),
        (pa.array([1337361073123]), "2012-05-18T17:11:13Z"),
        (pa.array([15478], pa.date32()), "2012-05-18"),
        (pa.array([float("nan")]), None),
        (pa.array([True]), None),
    ):
        table = pa.table({"id": ["a"], "lat": [1.0], "lon": [1.0], "taken_at": column})
        assert rows(table, "taken_at") == [(expected,)]


# ---- the command ------------------------------------------------------------------------------


def test_the_command(tmp_path):
    source = text_file(tmp_path / "fotos.csv", "Nr,lat,lon,wer", "a,1,2,u", "b,91,2,u", "c,1")
    run = CliRunner().invoke
    asked = ["--id", "Nr", "--author", "wer"]
    result = run(
        cli.app,
        ["photos", "import", str(source), "-o", str(tmp_path / "p.parquet"), *asked],
        env={"GEODATA_SALT": "pepper"},
    )
    assert result.exit_code == 0, result.output
    assert "3 rows" in result.output
    assert "columns photo_id = Nr, lat = lat, lon = lon, author = wer" in result.output
    assert "row 2: 2 fields, the header has 4" in result.output
    table = pq.read_table(tmp_path / "p.parquet")
    assert table["author"][0].as_py() == author_hash("u", marked_salt(b"pepper"))
    lake = run(
        cli.app, ["photos", "import", str(source), "--lake", str(tmp_path / "lake"), "--id", "Nr"]
    )
    assert lake.exit_code == 0, lake.output
    assert tables.open(tmp_path / "lake" / "photos").rows == 3
    neither = run(cli.app, ["photos", "import", str(source)])
    assert isinstance(neither.exception, ValueError)
    tar = make_tar(tmp_path / "a.tar", [("1.jpg", b"x")])
    assert "1 members" in run(cli.app, ["photos", "index", str(tar)]).output
