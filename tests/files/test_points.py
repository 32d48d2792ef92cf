"""Columns that hold whole points: what is one, in which order, and under which name."""

import json
import math
import struct

import pyarrow as pa
import pytest

from geodata import files
from geodata.files import points


def wkb(order, kind, *numbers, srid=None):
    head = b"" if srid is None else struct.pack(f"{order}I", srid)
    values = struct.pack(f"{order}{len(numbers)}d", *numbers)
    return bytes([order == "<"]) + struct.pack(f"{order}I", kind) + head + values


def geojson(*numbers, kind="Point"):
    return {"type": kind, "coordinates": list(numbers)}


@pytest.mark.parametrize(
    ("value", "point"),
    [
        ([48.5, 2.5], (48.5, 2.5)), ((48.5, 2.5, 30.0), (48.5, 2.5)), ([48.5], None),
        ([1, 2, 3, 4], None), (["48.5", "2.5"], (48.5, 2.5)), (["a", 2], None), ([None, 2], None),
        ({"lat": 48.5, "lng": 2.5}, (48.5, 2.5)), ({"latitude": "48.5", "lon": 2}, (48.5, 2.0)),
        ({"lat": 48.5}, None), (geojson(2.5, 48.5), (48.5, 2.5)),
        (geojson(2.5, 48.5, 9), (48.5, 2.5)),
        (geojson(2.5), None), (geojson([2.5, 48.5], [1, 2], kind="LineString"), None),
        ({"coordinates": [2.5, 48.5]}, None), (geojson(2.5, 48.5, kind="Feature"), None),
        ({"type": "Point", "coordinates": "2.5"}, None), (5, None), (None, None), (True, None),
        ("POINT (2.5 48.5)", (48.5, 2.5)), ("point z(2.5 48.5 9)", (48.5, 2.5)),
        ("SRID=4326;POINT(2.5 48.5)", (48.5, 2.5)), (" POINT M ( -2.5e0 +48.5 )", (48.5, -2.5)),
        ("POINT (2..5 1)", None), ("LINESTRING (2 48)", None), ("POINT EMPTY", None),
        ("48.5, 2.5", (48.5, 2.5)), ("(48.5 2.5)", (48.5, 2.5)), ("[48.5;-2]", (48.5, -2.0)),
        ("['48.5', '2.5']", (48.5, 2.5)), ("48.5", None), ("1234, 5", None), ("48.5, 2.5, 9", None),
        (json.dumps(geojson(2.5, 48.5)), (48.5, 2.5)), (' {"lat": 1, "lon": 2}', (1.0, 2.0)),
        pytest.param('{"coordinates": ' + "[" * 100_000, None, id="deep"),
        ("{", None), ('["a"]', None), ("words", None), ("", None),
        (wkb("<", 1, 2.5, 48.5), (48.5, 2.5)), (wkb(">", 1, 2.5, 48.5), (48.5, 2.5)),
        (wkb("<", 1001, 2.5, 48.5, 9.0), (48.5, 2.5)),
        (wkb("<", 3001, 2.5, 48.5, 9, 9), (48.5, 2.5)),
        (wkb("<", 4001, 2.5, 48.5), None), (wkb("<", 2, 2.5, 48.5), None),
        (wkb("<", 0x80000001, 2.5, 48.5, 9.0), (48.5, 2.5)),
        (wkb("<", 0x40000001, 2.5, 48.5, 9), (48.5, 2.5)),
        (wkb("<", 0x20000001, 2.5, 48.5, srid=4326), (48.5, 2.5)),
        (wkb(">", 0xE0000001, 2.5, 48.5, 9, 9, srid=4326), (48.5, 2.5)),
        (wkb("<", 0x20000001, 2.5, 48.5, srid=1)[:-1], None), (wkb("<", 1, 2.5, 48.5)[:-1], None),
        (b"\x02" + wkb("<", 1, 2.5, 48.5)[1:], None), (b"", None),
        (wkb("<", 1, 2.5, 48.5).hex(), (48.5, 2.5)),
        (wkb("<", 1, 2.5, 48.5).hex().upper(), (48.5, 2.5)),
        (f" {wkb('<', 1, 2.5, 48.5).hex()} ", (48.5, 2.5)),
        (wkb("<", 1, 2.5, 48.5).hex()[:-1], None),
        ("zz" * 21, None), (wkb("<", 1, 2.5, 48.5).hex() + "00" * 79, (48.5, 2.5)),
        (wkb("<", 1, 2.5, 48.5).hex() + "00" * 80, None),
    ],
    ids=repr,
)  # fmt: skip
def test_the_point_that_a_value_is(value, point):
    found = points._point(value, False)
    if point is None:
        assert all(map(math.isnan, found))
    else:
        assert found == point


@pytest.mark.parametrize(
    ("value", "point"),
    [
        ([2.5, 48.5], (48.5, 2.5)), ("2.5, 48.5", (48.5, 2.5)), ("POINT (2.5 48.5)", (48.5, 2.5)),
        (geojson(2.5, 48.5), (48.5, 2.5)), ({"lat": 48.5, "lon": 2.5}, (48.5, 2.5)),
        (wkb("<", 1, 2.5, 48.5), (48.5, 2.5)),
    ],
    ids=repr,
)  # fmt: skip
def test_longitude_is_first_where_the_name_says_so(value, point):
    assert points._point(value, True) == point


@pytest.mark.parametrize(
    ("name", "lon_first"),
    [
        ("geometry", True), ("pred_geom", True), ("lon_lat", True), ("lnglat", True),
        ("geojson", True), ("coords", False), ("latlon", False), ("location", False), ("", False),
    ],
)  # fmt: skip
def test_the_order_is_told_by_the_name(name, lon_first):
    lat, lon = points.points_of(pa.chunked_array([["1, 2", None]]), name)
    assert (lat[0], lon[0]) == ((2.0, 1.0) if lon_first else (1.0, 2.0))
    assert math.isnan(lat[1])
    assert math.isnan(lon[1])
    assert [len(axis) for axis in points.points_of(pa.chunked_array([], pa.string()), name)] == [
        0,
        0,
    ]


def made(**columns):
    source = files.open_source({"id": ["a", "b", "c"], **columns})
    return files.with_points(source)


PAIRS = ["1, 2", "3, 4", None]


@pytest.mark.parametrize(
    "name",
    ["coords", "coordinate", "location", "pred_location", "geometry", "geom_wkt", "gps", "pos",
     "GT_Point", "row.coords", "pred coords", "target_latlng", "wkb", "the_geom", "final_pos"],
)  # fmt: skip
def test_names_of_points(name):
    found = made(**{name: PAIRS})
    half = points._AXES.sub("point", name)
    assert found.columns == ("id", name, f"{half}.lat", f"{half}.lon")
    assert found.points == (name,)
    assert files.with_points(found) is found


@pytest.mark.parametrize("name", ["city", "coordsystem", "mypoint", "x.city", "locations_a", "id2"])
def test_names_of_other_things(name):
    assert "points" not in made(**{name: PAIRS}).__dataclass_fields__


def test_halves_of_a_name_that_says_both_axes():
    for name, half in (("pred_latlon", "pred_point"), ("LatLng", "point"), ("lon_lat", "point"),
                       ("lat-longs", "point"), ("coords", "coords"),
                       ("a.lat_lng", "a.point")):  # fmt: skip
        assert points._halves(name) == (f"{half}.lat", f"{half}.lon")


def test_a_column_counts_by_what_its_first_rows_hold():
    def is_one(values):
        return points._holds(pa.chunked_array([pa.array(values, pa.string())]), "coords")

    assert is_one(["1, 2"])
    assert not is_one([])
    assert not is_one([None, None])
    assert is_one([None] * 200 + ["1, 2"])
    assert is_one(["1, 2", "1, 2", "x"])
    assert not is_one(["1, 2", "x"])
    assert is_one(["1, 2"] * 33 + ["x"] * 31 + ["x"] * 500)
    assert not is_one(["1, 2"] * 32 + ["x"] * 32 + ["1, 2"] * 500)
    assert not is_one(["x"] * 64 + ["1, 2"] * 500)


def test_a_bare_name_counts_where_it_holds_pairs_of_numbers():
    lists = [[1.0, 2.0], [3.0, 4.0], None]
    assert made(prediction=lists).points == ("prediction",)
    assert made(answer=pa.array(lists, pa.list_(pa.float64(), 2))).points == ("answer",)
    assert made(target=pa.array(lists, pa.large_list(pa.float64()))).points == ("target",)
    tensors = pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float64(), 2))
    tensors = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float64(), [2]), tensors)
    assert made(output=tensors).points == ("output",)
    words, deep = [["1", "2"]] * 3, [[[1.0], [2.0]]] * 3
    long_words = pa.array(words, pa.list_(pa.large_string()))
    for other in (words, long_words, deep, ["1, 2"] * 3, [{"lat": 1, "lon": 2}] * 3):
        assert not isinstance(made(prediction=other), points.WithPoints)
    assert made(coords=["1, 2"] * 3).points == ("coords",)


def test_a_role_that_has_its_columns_needs_no_point():
    axes = {"lat": [1.0] * 3, "lon": [2.0] * 3}
    assert not isinstance(made(coords=PAIRS, **axes), points.WithPoints)
    both = made(pred_coords=PAIRS, coords=PAIRS, **axes)
    assert both.points == ("pred_coords",)
    assert made(pred_coords=PAIRS, coords=PAIRS).points == ("pred_coords", "coords")


def test_batches_hold_what_is_asked_for_in_its_order():
    found = made(coords=PAIRS, geom=["5, 6", "POINT (7 8)", "x"])
    (batch,) = found.batches(["geom.lon", "id", "coords.lat", "geom"])
    assert batch.table.to_pydict() == {
        "geom.lon": [5.0, 7.0, None], "id": ["a", "b", "c"], "coords.lat": [1.0, 3.0, None],
        "geom": ["5, 6", "POINT (7 8)", "x"],
    }  # fmt: skip
    (batch,) = found.batches()
    assert batch.table.column_names == [
        "id", "coords", "geom", "coords.lat", "coords.lon", "geom.lat", "geom.lon"
    ]  # fmt: skip
    assert batch.table["coords.lon"].to_pylist() == [2.0, 4.0, None]
    (batch,) = found.batches(["id"])
    assert batch.table.column_names == ["id"]


def test_points_of_a_file_keep_what_is_wrong_with_a_row(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"coords": "1, 2"}\n{bad\n{"coords": "3, 4"}\n')
    found = files.with_points(files.open_source(path))
    (batch,) = found.batches(["coords.lat"], lines=True)
    assert batch.table["coords.lat"].to_pylist() == [1.0, None, 3.0]
    assert (list(batch.bad), batch.at, len(batch.lines)) == ([1], {1: 2}, 3)
    with pytest.raises(files.FileError, match="line 2"):
        list(found.batches(["coords.lat"], damaged="refuse"))
    assert (found.name, found.kind, found.paths) == (str(path), "jsonl", (path,))
