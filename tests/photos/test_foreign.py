"""Documents of other tools: which they are, row by row, and what is none of them."""

import json
import os

import pytest

from geodata.files import FileError
from geodata.photos.formats import foreign

POINT = {"type": "Point", "coordinates": [2.5, 1.5, 9]}
NONE = {"lat": None, "lon": None}
PLACE = {"lat": "1.5", "lon": "2.5"}


def told(tmp_path, document, name="a.json"):
    path = tmp_path / name
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    found = foreign.recognised(path)
    return found and (found.format, found.told, found.table.to_pylist(), found.columns)


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def test_features_have_their_properties_and_the_position_of_their_point(tmp_path):
    features = (
        {"id": 0, "geometry": POINT,
         "properties": {"id": "own", "lat": 9, "lon": 9, "ü": {"é": [1]}}},
        {"id": None, "properties": {"id": "own"}, "geometry": {**POINT, "coordinates": [1]}},
        {"geometry": {**POINT, "coordinates": [2.5, 1.5]}}, {"properties": [1]}, 7,
        {"geometry": {**POINT, "type": "MultiPoint"}},
        {"geometry": {**POINT, "coordinates": {"0": 1, "1": 2}}},
    )  # fmt: skip
    rest = {"ü": None, "id": None}
    assert told(tmp_path, collection(*features), "a.GeoJSON") == (
        "geojson",
        "a GeoJSON FeatureCollection",
        [
            PLACE | {"ü": '{"é": [1]}', "id": "0"}, NONE | rest | {"id": "own"}, PLACE | rest,
            NONE | rest, NONE | rest, NONE | rest, NONE | rest,
        ],
        {"photo_id": "id", "lat": "lat", "lon": "lon"},
    )  # fmt: skip


def test_what_only_a_later_feature_says_has_a_column_too(tmp_path):
    features = [{"properties": {"a": 1}, "geometry": POINT}, {"id": "x", "properties": {"b": "é"}}]
    _, _, rows, columns = told(tmp_path, collection(*features))
    assert rows == [
        PLACE | {"a": "1", "b": None, "id": None}, NONE | {"a": None, "b": "é", "id": "x"},
    ]  # fmt: skip
    assert columns == {"photo_id": "id", "lat": "lat", "lon": "lon"}
    _, _, _, columns = told(tmp_path, collection(*features[:1]))
    assert columns == {"lat": "lat", "lon": "lon"}


def test_photos_of_flickr(tmp_path):
    photo = {"id": "5", "owner": "7@N00", "latitude": "1.5", "longitude": 2.5, "accuracy": 16,
             "datetaken": "2012-05-18 17:11:13", "license": 4, "url_o": "u"}  # fmt: skip
    others = (
        {"id": 6, "latitude": 0, "longitude": 0, "accuracy": 0},
        {"latitude": 1.5, "longitude": 2.5}, {"accuracy": "0", "latitude": 3}, "x",
    )  # fmt: skip
    format_, said, rows, columns = told(tmp_path, {"photos": {"photo": [photo, *others]}})
    assert (format_, said) == ("flickr", "photos.photo of Flickr's API")
    assert [(row["id"], row["lat"], row["lon"]) for row in rows] == [
        ("5", "1.5", "2.5"), ("6", None, None), (None, "1.5", "2.5"), (None, None, None),
        (None, None, None),
    ]  # fmt: skip
    assert "latitude" not in rows[0]
    assert columns == {
        "photo_id": "id", "lat": "lat", "lon": "lon", "author": "owner", "taken_at": "datetaken",
        "licence": "license", "image": "url_o",
    }  # fmt: skip


def test_a_title_that_was_cut_within_a_letter_hinders_no_photo(tmp_path):
    photo = {"latitude": 1.5, "longitude": 2.5, "accuracy": 16}
    photos = [{"id": "5", "title": "sea \ud83d", **photo}, {"id": "6", "title": "sea 😀", **photo}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"photos": {"photo": photos}}))  # as escapes, as Flickr writes them
    table = foreign.recognised(path).table
    assert table["id"].to_pylist() == ["5", "6"]
    assert table["title"].to_pylist() == ["sea ?", "sea 😀"]


def test_images_of_mapillary(tmp_path):
    images = [
        {"id": 1, "geometry": POINT, "creator": {"id": 3, "username": "x"}, "captured_at": 5,
         "thumb_original_url": "u"},
        {"id": 2, "geometry": POINT, "creator": "y"}, {"id": 3},
    ]  # fmt: skip
    format_, said, rows, columns = told(tmp_path, {"data": images})
    assert (format_, said) == ("mapillary", "data of Mapillary's API, its field geometry")
    assert [(row["id"], row["lat"], row["lon"], row["creator"]) for row in rows] == [
        ("1", "1.5", "2.5", "3"), ("2", "1.5", "2.5", "y"), ("3", None, None, None),
    ]  # fmt: skip
    assert columns == {
        "photo_id": "id", "lat": "lat", "lon": "lon", "author": "creator",
        "taken_at": "captured_at", "image": "thumb_original_url",
    }  # fmt: skip


def test_the_description_of_mapillary_tools(tmp_path):
    format_, said, rows, columns = told(tmp_path, [
        {"filename": "b.jpg", "error": {"type": "ü"}},
        {"filename": "a.jpg", "MAPLatitude": 1.5, "MAPLongitude": 2.5,
         "MAPCaptureTime": "2018_06_25_08_09_10_345"},
    ])  # fmt: skip
    assert (format_, said) == ("mapillary", "the description of mapillary_tools")
    seen = [(row["filename"], row["lat"], row["lon"], row["taken"]) for row in rows]
    assert seen == [
        ("b.jpg", None, None, None), ("a.jpg", "1.5", "2.5", "2018-06-25T08:09:10Z"),
    ]  # fmt: skip
    assert rows[0]["error"] == '{"type": "ü"}'
    assert columns == {
        "photo_id": "filename", "lat": "lat", "lon": "lon", "image": "filename",
        "taken_at": "taken",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"type": "Feature", "geometry": POINT}, "a.json"), ([collection()], "a.json"),
        ({"type": "Topology", "features": []}, "a.json"),
        ({"type": "FeatureCollection", "features": {}}, "a.json"), (collection(), "a.csv"),
        ({"photos": {"photo": {"id": 1}}}, "a.json"), ({"photos": [1]}, "a.json"),
        ({"data": [{"id": 1, "geometry": POINT}, 7], "x": "geometry"}, "a.json"),
        ({"data": [{"id": 1, "geometry": POINT}, {"geometry": POINT}]}, "a.json"),
        ({"data": [{"id": 1, "geometry": "POINT (1 2)"}]}, "a.json"),
        ({"data": [], "geometry": 1}, "a.json"), ({"data": {"geometry": 1}}, "a.json"),
        ([{"MAPLatitude": 1}, 7], "a.json"), ([], "a.json"),
        ([{"id": "MAPLatitude", "x": {"photos": 1}}], "a.json"),
        ({"MAPLatitude": 1}, "a.json"), ([{"id": 1, "lat": 1, "lon": 2}], "a.json"),
    ],
)  # fmt: skip
def test_what_is_no_document_of_these(tmp_path, document, name):
    assert told(tmp_path, document, name) is None


@pytest.mark.parametrize("word", ["photos", "geometry", "MAPLatitude", "features"])
def test_only_a_word_in_the_head_makes_a_file_be_read(tmp_path, word):
    path = tmp_path / "a.json"
    path.write_text(f'{{"x": "{"y" * 65000}", "{word}": ')
    with pytest.raises(FileError, match="cannot be read as JSON: "):
        foreign.recognised(path)
    path.write_text(f'{{"x": "{"y" * 65536}", "{word}": ')
    assert foreign.recognised(path) is None
    for damaged in ('{"type": "FeatureCollection"', '{"features": ' + "[" * 100_000):
        path.write_text(damaged)
        with pytest.raises(FileError, match="cannot be read as JSON: "):
            foreign.recognised(path)


def test_a_document_may_have_a_mark_of_byte_order_and_no_more_than_its_bytes(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(collection()), encoding="utf-8-sig")
    size = path.stat().st_size
    monkeypatch.setattr(foreign, "MAX_BYTES", size)
    assert foreign.recognised(path).table.num_rows == 0
    monkeypatch.setattr(foreign, "MAX_BYTES", size - 1)
    with pytest.raises(FileError) as refused:
        foreign.recognised(path)
    assert str(refused.value) == (
        f"{path}: has {size} bytes, and JSON of this kind is read as a whole, up to {size - 1}; "
        "write it as JSON lines or CSV with id, lat, lon (ogr2ogr -f CSV -lco GEOMETRY=AS_XY for "
        "GeoJSON)"
    )


def test_a_document_of_more_than_a_gigabyte_is_not_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"photos"')
    os.truncate(path, (1 << 30) + 1)  # of zeros that take no space
    with pytest.raises(FileError, match=r"has 1,073,741,825 bytes, .* up to 1,073,741,824; "):
        foreign.recognised(path)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2023_01_05_10_11_12", "2023-01-05T10:11:12Z"),
        ("2023_01_05_10_11_12_345", "2023-01-05T10:11:12Z"), ("2023_01_05_10_11", None),
        ("2023_01_05_10_11_12_x", None), ("2023_01_05_10_11_", None), (None, None),
    ],
)  # fmt: skip
def test_a_capture_time_has_six_numbers(text, time):
    assert foreign._map_time(text) == time
