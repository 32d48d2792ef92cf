"""GeoJSON as rows and rows as GeoJSON: what each feature becomes, value by value."""

import json
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import cor
from geodata.cor import geojson
from geodata.files import FileError


def read(tmp_path, *features, **beside):
    path = tmp_path / "in.geojson"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": list(features)} | beside), "utf-8"
    )
    whole, source = geojson.read_geojson(path)
    return whole, pa.concat_tables([source.no_rows(), *source.tables(None)])


def point(*at, **properties):
    return {
        "type": "Feature", "properties": properties,
        "geometry": {"type": "Point", "coordinates": list(at)},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.geojson", True), ("A.GeoJSON", True), ("a.geo.json", True), ("a.json", False),
        ("geojson", False), ("a.geojson.gz", False), (None, False), (b"a.geojson", False),
    ],
)  # fmt: skip
def test_names_of_geojson(name, expected):
    assert geojson.is_geojson(name) is expected


def test_each_feature_is_a_row_with_its_point(tmp_path):
    whole, rows = read(
        tmp_path,
        point(2, 48.5, 33.0, note="x", n=1),
        point(-3.25, 50, lat=7, lon="east"),
        {"type": "Feature", "geometry": None, "properties": None},
        {"geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}},
        {"geometry": {"type": "Point", "coordinates": [1]}},
        {"geometry": {"type": "Point", "coordinates": "12"}},
        {"geometry": {"type": "Point", "coordinates": [1, "2"]}},
        {"geometry": {"type": "Point", "coordinates": [True, 2]}},
        {"geometry": [1, 2]},
        name="mine",
    )
    assert whole["name"] == "mine"
    assert rows.column_names == ["note", "n", "lat", "lon"]
    assert rows["lat"].to_pylist() == [48.5, 50.0, *[None] * 7]
    assert rows["lon"].to_pylist() == [2.0, -3.25, *[None] * 7]
    assert rows["note"].to_pylist() == ["x", *[None] * 8]
    assert rows.schema.field("lat").type == rows.schema.field("lon").type == pa.float64()


def test_a_mark_before_the_text_is_none_of_it(tmp_path):
    """As programs on Windows write it."""
    path = tmp_path / "in.geojson"
    path.write_text(json.dumps({"features": [point(2, 48.5, note="é")]}), "utf-8-sig")
    whole, source = geojson.read_geojson(path)
    assert list(whole) == ["features"]
    (rows,) = source.tables(None)
    assert rows.to_pylist() == [{"note": "é", "lat": 48.5, "lon": 2.0}]


def test_a_text_that_was_cut_within_a_letter_is_labelled_too(tmp_path):
    path, out = tmp_path / "in.geojson", tmp_path / "out.geojson"
    path.write_text(json.dumps({"features": [point(2.35, 48.85, note="sea \ud83d")]}))
    cor.label_file(path, out)
    (feature,) = json.loads(out.read_text(encoding="utf-8"))["features"]
    assert (feature["properties"]["note"], feature["properties"]["country"]) == ("sea ?", "France")


def test_values_of_several_kinds_become_text(tmp_path):
    _, rows = read(tmp_path, point(1, 2, v=[1]), point(1, 2, v="t"), point(1, 2), point(1, 2, v=7))
    assert rows["v"].to_pylist() == ["[1]", "t", None, "7"]


def test_whole_numbers_beyond_64_bits_are_text_and_beyond_all_floats_no_coordinates(tmp_path):
    big, endless = 2**64, 10**400
    _, rows = read(tmp_path, point(1, 2, v=big), point(endless, 2, v=7), point(1, -endless))
    assert rows["v"].to_pylist() == ["18446744073709551616", "7", None]
    assert rows["lat"].to_pylist() == [2.0, None, None]
    assert rows["lon"].to_pylist() == [1.0, None, None]


def test_a_collection_of_nothing_has_coordinates(tmp_path):
    _, rows = read(tmp_path)
    assert (rows.column_names, rows.num_rows) == (["lat", "lon"], 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read as GeoJSON: "),
        ("[]", "expected a FeatureCollection with a list of features"),
        ('{"features": {}}', "expected a FeatureCollection with a list of features"),
        ('{"features": [1]}', "expected a FeatureCollection with a list of features"),
        ('{"features": [{"properties": [1]}]}', "expected a FeatureCollection with a list of "),
        ('{"features": ' + "[" * 200_000, "cannot be read as GeoJSON: maximum recursion depth"),
    ],
)
def test_other_files_are_refused(tmp_path, text, told):
    path = tmp_path / "in.geojson"
    path.write_text(text)
    with pytest.raises(FileError) as caught:
        geojson.read_geojson(path)
    assert str(caught.value).startswith(f"{path}: {told}")


def written(tmp_path, *tables, whole=None, added=()):
    schema = pa.schema([("id", pa.string()), ("y", pa.float64()), ("x", pa.float64())])
    path = tmp_path / "out.geojson"
    with geojson.geojson_writing(path, ("y", "x"), whole, added) as writer:
        for table in tables:
            writer.write(pa.table(table, schema=schema))
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    return json.loads(text)


def test_rows_become_points_and_no_number_that_json_lacks(tmp_path):
    nan = float("nan")
    found = written(
        tmp_path,
        {"id": ["é"], "y": [48.5], "x": [2.0]},
        {"id": ["b", None], "y": [nan, None], "x": [1.0, 1.0]},
    )
    assert found == {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [2.0, 48.5]},
                "properties": {"id": "é"},
            },
            {"type": "Feature", "geometry": None, "properties": {"id": "b"}},
            {"type": "Feature", "geometry": None, "properties": {"id": None}},
        ],
    }
    assert "é" in (tmp_path / "out.geojson").read_text(encoding="utf-8")
    assert written(tmp_path)["features"] == []


def test_a_collection_stays_as_it_is_and_gets_the_columns_added(tmp_path):
    features = [{"id": 7, "geometry": "kept", "properties": {"id": "old", "a": [1]}}, {"bbox": 1}]
    found = written(
        tmp_path,
        {"id": ["new", "2"], "y": [float("inf"), 2.0], "x": [1.0, 2.0]},
        whole={"type": "FeatureCollection", "name": "n", "features": features},
        added=["id", "y"],
    )
    assert found == {
        "type": "FeatureCollection",
        "name": "n",
        "features": [
            {"id": 7, "geometry": "kept", "properties": {"id": "new", "a": [1], "y": None}},
            {"bbox": 1, "properties": {"id": "2", "y": 2.0}},
        ],
    }
    assert features[0]["properties"] == {"id": "old", "a": [1]}


def test_shards_of_other_types_stay_as_they_are_written(tmp_path):
    """JSON has no types of columns: other formats refuse a column of numbers and then of text."""
    (tmp_path / "shards").mkdir()
    cells = [[1], [1.5], pa.nulls(1), ["x"], [True]]
    for i, cell in enumerate(cells):
        rows = pa.table({"lat": [float(i)], "lon": [2], "n": cell})
        pq.write_table(rows, tmp_path / "shards" / f"{i}.parquet")
    cor.label_file(tmp_path / "shards", tmp_path / "out.geojson")
    text = (tmp_path / "out.geojson").read_text(encoding="utf-8")
    assert [feature["properties"]["n"] for feature in json.loads(text)["features"]] == [
        1, 1.5, None, "x", True
    ]  # fmt: skip
    assert '"n": 1,' in text
    assert '"coordinates": [2, 4.0]' in text
    with pytest.raises(FileError, match="column 'n' is int64 at first and double later"):
        cor.label_file(tmp_path / "shards", tmp_path / "out.jsonl")


@pytest.mark.parametrize(
    ("at", "place"),
    [
        ([2, 48.5, "high"], (48.5, 2.0)), ([2, 48.5, None, 7], (48.5, 2.0)),
        ([2, 48], (48.0, 2.0)), ([2, None], (None, None)), ([2, True], (None, None)),
        ([], (None, None)), ({"0": 2}, (None, None)),
    ],
)  # fmt: skip
def test_the_first_two_numbers_are_the_point(tmp_path, at, place):
    _, rows = read(tmp_path, {"geometry": {"type": "Point", "coordinates": at}})
    assert (rows["lat"][0].as_py(), rows["lon"][0].as_py()) == place


def test_a_table_of_features_keeps_its_numbers_of_either_kind(tmp_path):
    """Whole numbers are coordinates, too; a flag is none, and a row without both has no point."""
    path = tmp_path / "out.geojson"
    tables = [
        pa.table({"y": [48, 1, None], "x": [2, 0, 3]}),
        pa.table({"y": [1.0, 2.0], "x": [float("inf"), 4.0]}),
        pa.table({"y": ["1"], "x": ["2"]}),
    ]
    with geojson.geojson_writing(path, ("y", "x")) as writer:
        for table in tables:
            writer.write(table)
    found = json.loads(path.read_text(encoding="utf-8"))["features"]
    points = [feature["geometry"] and feature["geometry"]["coordinates"] for feature in found]
    assert points == [[2, 48], [0, 1], None, None, [4.0, 2.0], None]
    assert all(feature["properties"] == {} for feature in found)


def test_what_json_has_no_word_for_is_text(tmp_path):
    rows = pa.table(
        {
            "y": [48.5],
            "x": [2.0],
            "taken": [datetime(2024, 5, 1, 12, 30)],
            "day": [date(2024, 5, 1)],
            "price": [Decimal("1.50")],
        }
    )
    path = tmp_path / "out.geojson"
    with geojson.geojson_writing(path, ("y", "x")) as writer:
        writer.write(rows)
    (feature,) = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert feature["properties"] == {
        "taken": "2024-05-01 12:30:00", "day": "2024-05-01", "price": "1.50"
    }  # fmt: skip


def test_a_failure_on_the_way_writes_nothing(tmp_path):
    path = tmp_path / "out.geojson"
    path.write_text("old")
    with pytest.raises(RuntimeError), geojson.geojson_writing(path, ("y", "x")):
        raise RuntimeError
    assert path.read_text() == "old"
