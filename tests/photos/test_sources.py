"""What a source is told to be, by its head, and what is said where it is nothing known."""

import gzip
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import photos
from geodata.files import FileError
from geodata.photos.formats import yfcc
from geodata.photos.sources import open_photos

MP16 = "IMG_ID,AUTHOR,LAT,LON"
GSV = "place_id,year,month,northdeg,city_id,lat,lon,panoid"


def file_of(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def refused(source, error=FileError, **options):
    with pytest.raises(error) as told:
        open_photos(source, **options)
    return str(told.value)


def seen(source, **options):
    opened = open_photos(source, **options)
    return opened.format, opened.detected


@pytest.mark.parametrize(
    ("good", "bad", "format_"), [(900, 100, "mp16"), (899, 101, "csv"), (900, 9100, "csv")]
)
def test_nine_in_ten_of_the_first_thousand_ids_tell_a_benchmark(tmp_path, good, bad, format_):
    ids = [f"7e/c3/{i}.jpg" for i in range(good)] + [f"own{i}" for i in range(bad)]
    if bad > 1000:  # what lies behind the first thousand says nothing
        ids, format_ = [*ids[:900], *ids[900:1000], *ids[1000:]], "mp16"
    path = file_of(tmp_path / "a.csv", "\n".join([MP16, *(f"{i},u,1,2" for i in ids)]))
    assert seen(path)[0] == format_


@pytest.mark.parametrize(
    ("one", "format_"),
    [
        ("7E/C3/81.JPG", "mp16"), (" 7e/c3/81.jpeg ", "mp16"), ("7e/c3/8a.jpg", "csv"),
        ("7ee/c3/81.jpg", "csv"), ("7e/c3/81.png", "csv"), ("7g/c3/81.jpg", "csv"),
        ("1_e60E_1125_788@n00.JPEG", "im2gps3k"), ("1_e6_11_78@N0.jpg", "csv"),
        ("1_e6_11_@N00.jpg", "csv"), ("1_e6_11_7/8@N00.jpg", "csv"),
    ],
)  # fmt: skip
def test_ids_of_a_benchmark_have_a_form(tmp_path, one, format_):
    path = file_of(tmp_path / "a.csv", f"{MP16}\n{one},u,1,2\n")
    assert (
        seen(path)
        == {
            "mp16": ("mp16", "columns IMG_ID, AUTHOR, LAT, LON; IMG_ID with folders"),
            "im2gps3k": ("im2gps3k", "columns IMG_ID, AUTHOR, LAT, LON; IMG_ID no folders"),
            "csv": ("csv", f"columns of MP-16 and IM2GPS3K, but ids of neither, such as {one!r}"),
        }[format_]
    )


def test_a_long_id_is_cut_and_no_id_is_not_shown(tmp_path):
    one = "own/" + "x" * 90
    told = "columns of MP-16 and IM2GPS3K, but ids of neither"
    path = file_of(tmp_path / "a.csv", f"{MP16}\n{one},u,1,2\n")
    assert seen(path) == ("csv", f"{told}, such as {one!r:.60}")
    assert seen(file_of(tmp_path / "b.csv", f"{MP16}\n")) == ("csv", told)


@pytest.mark.parametrize(
    ("header", "first", "found"),
    [
        ("photoid,uid,latitude,longitude", "1,u,1,2",
         ("yfcc100m", "columns photoid, uid, latitude, longitude")),
        ("PhotoID,UID,Latitude,Longitude", "1,u,1,2",
         ("yfcc100m", "columns photoid, uid, latitude, longitude")),
        ("photoid,user,latitude,longitude", "1,u,1,2", None),
        (GSV, "1,2014,7,42,London,51.5,-0.1,p", ("gsv-cities", "columns place_id, year, month, "
         "northdeg, city_id, lat, lon, panoid")),
        (GSV.replace("month", "day"), "1,2014,7,42,London,51.5,-0.1,p", None),
        ("id,latitude,longitude,sequence,captured_at", "7,1,2,s,",
         ("osv5m", "columns id, latitude, longitude, captured_at, sequence")),
        ("id,latitude,longitude,sequence", "7,1,2,s", None),
        ("id,latitude,longitude,sequence,captured_at", "7x,1,2,s,", None),
        ("id,lat,longitude,sequence,captured_at", "7,1,2,s,", None),
        ("IMG_ID,LAT,LON", "7e/c3/81.jpg,1,2", None),
    ],
)  # fmt: skip
def test_a_layout_is_told_by_its_columns(tmp_path, header, first, found):
    path = file_of(tmp_path / "a.csv", f"{header}\n{first}\n")
    assert seen(path) == (found or ("csv", "no known layout: columns by their usual names"))


def test_a_layout_that_is_asked_for_is_taken(tmp_path):
    path = file_of(tmp_path / "a.csv", "ID,Latitude,Longitude,image\n7x,1,2,b.jpg\n")
    assert seen(path, format="osv5m") == ("osv5m", "as asked")
    (row,) = next(photos.read(path, format="osv5m")).to_pylist()
    assert (row["image"], row["source"]) == ("7x.jpg", "osv5m")
    assert refused(path, format="gsv-cities") == (
        f"{path}: format 'gsv-cities' needs the columns place_id, year, month, northdeg, city_id, "
        "lat, lon, panoid; found ID, Latitude, Longitude, image"
    )
    wide = file_of(tmp_path / "b.csv", ",".join(f"c{i}" for i in range(40)) + "\n")
    assert refused(wide, format="mp16").endswith("c28, c29")
    few = file_of(tmp_path / "d.csv", "img_id,Lat,LON\nx,1,2\n")
    assert seen(few, format="mp16") == ("mp16", "as asked")
    header = file_of(tmp_path / "c.csv", "PhotoID,UID,Latitude,Longitude\n1,u,1,2\n")
    assert seen(header, format="yfcc100m") == ("yfcc100m", "as asked")


@pytest.mark.parametrize("names", [yfcc.NAMES, yfcc.OLD_NAMES])
def test_lines_without_a_header_say_how_many_fields(tmp_path, names):
    values = {"photoid": "7", "latitude": "48.9", "longitude": "2.3", "marker": "0"}
    path = file_of(tmp_path / "part", "\t".join(values.get(name, "x") for name in names) + "\n")
    told = f"{len(names)} tab-separated fields without a header"
    assert seen(path) == seen(path, format="yfcc100m") == ("yfcc100m", told)


def test_what_is_no_line_of_yfcc_is_told(tmp_path):
    path = file_of(tmp_path / "part", "a\t" + "b" * 90 + "\n")
    assert refused(path, format="yfcc100m") == (
        f"{path}: the first line has 2 tab-separated fields ({'a' + chr(9) + 'b' * 58!r}), "
        "expected 25 (or 23) fields of YFCC100M without a header"
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('\ufeff{"id": 1, "lat": 1, "lon": 2}\n', "jsonl"), ("id\tlat\tlon,x\n1\t1\t2\n", "tsv"),
        ("id,lat,lon\n1,1,2\n", "csv"),
    ],
)  # fmt: skip
def test_a_file_whose_ending_tells_nothing_is_told_by_its_head(tmp_path, text, kind):
    path = file_of(tmp_path / "photos.dat", text)
    names = {} if kind != "tsv" else {"columns": {"lon": "lon,x"}}
    assert open_photos(path, **names).format == kind
    packed = tmp_path / "photos.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert refused(packed).startswith(f"{packed}: unknown format, it begins with ")


@pytest.mark.parametrize("head", ["words", "a\x07,b", "a,\ufffd", ""])
def test_a_head_of_no_kind_is_shown(tmp_path, head):
    path = file_of(tmp_path / "photos.dat", f"{head}{'z' * 70}\n")
    assert refused(path) == (
        f"{path}: unknown format, it begins with {(head + 'z' * 70)[:60]!r}; expected a CSV, TSV, "
        "Parquet or JSONL file with a header, a YFCC100M file (25 or 23 tab-separated fields, or "
        "SQLite), or a folder, tar or zip of pictures"
    )


@pytest.mark.parametrize("ending", [".parquet", ".pq"])
def test_a_parquet_file_is_not_read_as_text(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    pq.write_table(pa.table({"lat": [1.0], "lon": [2.0]}), path)
    opened = open_photos(path)
    assert (opened.format, opened.rows, opened.name, opened.path) == ("parquet", 1, str(path), path)
    assert open_photos(pa.table({"lat": [1.0, 2.0], "lon": [2.0, 2.0]})).rows == 2


def test_a_packed_table_is_no_packed_tar(tmp_path):
    path = tmp_path / "photos.tar.csv.gz"
    path.write_bytes(gzip.compress(b"id,lat,lon\n1,1,2\n"))
    assert open_photos(path).format == "csv"


def test_a_document_that_is_asked_for_must_be_one(tmp_path):
    table = [{"id": "a", "lat": 1, "lon": 2}]
    path = file_of(tmp_path / "a.json", json.dumps(table))
    for format_ in ("geojson", "flickr", "mapillary"):
        assert refused(path, format=format_) == (
            f"{path}: is no JSON document of format {format_!r}; leave the format out to detect"
        )
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [2, 1]}}
    whole = file_of(tmp_path / "b.json", json.dumps({"type": "FeatureCollection",
                                                     "features": [point]}))  # fmt: skip
    opened = open_photos(whole, format="geojson")
    assert (opened.detected, opened.rows) == ("a GeoJSON FeatureCollection", 1)
    assert opened.columns == {"lat": "lat", "lon": "lon"}
    assert "is no JSON document of format 'flickr'" in refused(whole, format="flickr")


def test_where_nothing_is_is_told(tmp_path):
    path = tmp_path / "none.csv"
    assert refused(path) == f"{path}: there is no such file or folder of photos"
    long = tmp_path / ("x" * 220)
    assert refused(long) == f"{str(long)[:200]}: there is no such file or folder of photos"
    for format_ in ("exif", "takeout"):
        folder = tmp_path / "none"
        assert refused(folder, format=format_) == f"{folder}: there is no such folder of pictures"


def test_pictures_have_their_own_columns(tmp_path):
    for names in ("abcdefg", "a"):
        for name in names:
            (tmp_path / f"{name}.txt").touch()
    endings = ".jpg, .jpeg, .jpe, .png, .tif, .tiff, .webp, .heic, .heif, .avif"
    said = f"{tmp_path}: holds no picture ({endings}), but "
    after = "; import table files one by one, unpacked"
    assert refused(tmp_path) == f"{said}a.txt, b.txt, c.txt, d.txt, e.txt{after}"
    (tmp_path / "no").mkdir()
    assert refused(tmp_path / "no") == said.replace(": holds", "/no: holds") + f"nothing{after}"
    Image.new("RGB", (4, 4)).save(tmp_path / "h.jpg")
    no = f"{tmp_path}: is a folder or archive of pictures (format 'exif'), so "
    assert refused(tmp_path, format="csv") == f"{no}format 'csv' do not apply"
    assert refused(tmp_path, columns={"lat": "x"}) == f"{no}columns do not apply"
    assert seen(tmp_path) == seen(tmp_path, format="takeout") == ("exif", "a folder of pictures")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tmp_path / "h.jpg", "h.jpg")
    assert seen(tmp_path / "a.tar") == ("exif", "an archive of pictures")
    assert open_photos(tmp_path).rows is None


def test_pictures_of_takeout_are_told_unless_exif_is_asked_for(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    file_of(tmp_path / "a.jpg.json", '{"photoTakenTime": {"timestamp": "1"}}')
    told = "a folder of pictures with Google Takeout's JSON files beside them"
    assert seen(tmp_path) == seen(tmp_path, format="takeout") == ("takeout", told)
    assert seen(tmp_path, format="exif") == ("exif", "a folder of pictures")


def test_arguments_that_are_none_are_told_with_those_there_are(tmp_path):
    path = file_of(tmp_path / "a.csv", "id,lat,lon\n1,1,2\n")
    known = ("mp16, im2gps3k, yfcc100m, osv5m, gsv-cities, exif, takeout, geojson, flickr, "
             "mapillary, csv, tsv, parquet, jsonl")  # fmt: skip
    assert refused(path, ValueError, format="x") == (
        f"unknown format 'x'; expected one of {known}, or none to detect"
    )
    assert refused(path, ValueError, columns={"lat": "lat", "x": None}) == (
        "columns: 'x' is no role; expected photo_id, lat, lon, image, author, taken_at, licence"
    )
    assert refused(path, TypeError, keep="id") == "keep: 'id' is text; give a list of column names"
    assert refused(path, keep=["id", "x"]) == (
        f"{path}: no column 'x' to keep; the columns are id, lat, lon"
    )


def test_a_column_has_one_role_and_a_kept_one_may_have_one_too(tmp_path):
    path = file_of(tmp_path / "a.csv", "uid,lat,lon,url,Marker ,ext\nu,1,2,v,1,jpg\n")
    opened = open_photos(path, keep=["uid"])
    roles = {"photo_id": "uid", "lat": "lat", "lon": "lon", "image": "url"}
    assert opened.columns == roles  # neither the author, nor the marks of YFCC100M
    (batch,) = opened.batches()
    assert batch.table.column_names == ["photo_id", "lat", "lon", "image", "uid"]
    assert batch.table.to_pylist()[0]["uid"] == "u"
    names = ("photoid", "uid", "latitude", "longitude", " Marker", "EXT")
    assert open_photos({name: ["1"] for name in names}).columns == {
        "photo_id": "photoid", "lat": "latitude", "lon": "longitude", "author": "uid",
        "_marker": " Marker", "_ext": "EXT",
    }  # fmt: skip
