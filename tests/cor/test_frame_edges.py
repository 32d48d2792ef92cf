"""Frames at their edges: which column is read, which row is told, what is refused and why."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from geodata import cor
from geodata.cor.frames import attach, frame_of
from geodata.cor.points import arrow_points
from geodata.files import FileError

PARIS, KYOTO = (48.8584, 2.2945), (35.0, 135.77)
LAT, LON = [PARIS[0], KYOTO[0]], [PARIS[1], KYOTO[1]]


def codes(table, *args, **options):
    return list(cor.label_table(table, *args, **options)["country_code"].to_pylist())


def refused(table, *args, error=ValueError, **options):
    with pytest.raises(error) as told:
        cor.label_table(table, *args, **options)
    return str(told.value)


def points(*pairs, crs=4326, **columns):
    shapes = [None if pair is None else shapely.Point(pair[1], pair[0]) for pair in pairs]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


# arrays and lists


def test_arrays_come_back_with_their_checked_coordinates():
    found = cor.label_table([PARIS[0], 91, None], [PARIS[1] - 360, 0.0, 1.0])
    assert found["lat"].to_pylist() == [PARIS[0], None, None]
    assert found["lon"].to_pylist() == [pytest.approx(PARIS[1]), None, None]
    assert found["match"].to_pylist() == ["inside", "invalid", "invalid"]


def test_a_series_beside_an_array_is_paired_by_position():
    lat = pd.Series(LAT, index=["a", "b"])
    for given in ((lat, np.array(LON)), (np.array(LAT), pd.Series(LON, index=[7, 8]))):
        assert codes(*given) == ["FR", "JP"]
    assert codes(lat, pd.Series(LON, index=["a", "b"])) == ["FR", "JP"]
    assert refused(lat, pd.Series(LON, index=["b", "a"])).startswith("the latitudes and the long")


@pytest.mark.parametrize("shape", [(2,), (2, 2, 2), (3, 2, 1), (2, 1), (0, 3)])
def test_an_array_of_another_shape_is_told(shape):
    assert refused(np.zeros(shape)) == (
        f"an array of shape {shape} has no two columns of lat, lon; give shape (n, 2), or "
        "latitudes and longitudes as two arrays"
    )


def test_rows_of_a_list_are_all_of_one_kind():
    assert codes([PARIS, list(KYOTO), np.array(PARIS)]) == ["FR", "JP", "FR"]
    assert codes((PARIS, KYOTO)) == ["FR", "JP"]
    assert cor.label_table(()).num_rows == cor.label_table(np.empty((0, 2))).num_rows == 0
    for rows in ([PARIS, (1.0, 2.0, 3.0)], [PARIS, "ab"], ["ab", PARIS], [PARIS, b"ab"],
                 [PARIS, {"lat": 1.0, "lon": 2.0}], [{"lat": 1.0, "lon": 2.0}, PARIS],
                 [PARIS, 5], [{"lat", "lon"}]):  # fmt: skip
        told = refused(rows, error=TypeError)
        assert told.startswith(f"a list of {type(rows[0]).__name__} is no table; give pairs")
    named = [{"y": PARIS[0], "x": PARIS[1], "lat": 35.0, "lon": 135.77}]
    assert codes(named) == ["JP"]
    assert codes(named, lat="y", lon="x") == ["FR"]
    assert codes({"y": LAT, "x": LON, "lat": LAT[::-1], "lon": LON[::-1]}, lat="y", lon="x") == [
        "FR", "JP",
    ]  # fmt: skip


def test_a_text_is_told_by_its_beginning():
    assert refused("p" * 100, error=TypeError) == (
        f"expected a table, got the text {'p' * 60!r}; label a file with cor.label_file"
    )
    assert "b'photos.csv'" in refused(b"photos.csv", error=TypeError)


def test_labels_stand_behind_the_other_columns_with_what_the_schema_says():
    schema = pa.schema(
        [pa.field("city", pa.int8()), pa.field("a", pa.int8(), metadata={"unit": "m"})],
        metadata={"k": "v"},
    )
    labels = pa.table({"city": ["x"], "match": ["y"]})
    found = attach(pa.table([[1], [2]], schema=schema), labels)
    assert found.to_pydict() == {"a": [2], "city": ["x"], "match": ["y"]}
    assert found.schema.field("a").metadata == {b"unit": b"m"}
    assert found.schema.metadata == {b"k": b"v"}


# pandas


def test_a_column_that_occurs_twice_is_refused_if_it_is_read():
    def frame(*names):
        return pd.DataFrame([[PARIS[0], PARIS[1], 0.0]], columns=list(names))

    for names, twice in ((("y", "x", "y"), "y"), (("y", "x", "x"), "x")):
        told = refused(frame(*names), lat="y", lon="x", error=FileError)
        assert told == f"column {twice!r} occurs twice; names must be unique"
    other = pd.DataFrame([[*PARIS, 1, 2]], columns=["y", "x", "note", "note"])
    found = cor.label_table(other, lat="y", lon="x")
    assert found["country_code"].tolist() == ["FR"]
    assert list(found.columns)[:4] == ["y", "x", "note", "note"]


def test_names_of_columns_may_be_numbers():
    frame = pd.DataFrame([[*PARIS, "x"]], columns=["lat", "lon", 7])
    assert list(cor.label_table(frame).columns)[:4] == ["lat", "lon", 7, "country"]
    flat = pd.DataFrame([[*PARIS]], columns=[0, 1])
    assert cor.label_table(flat, lat="0", lon="1")["country_code"].tolist() == ["FR"]
    assert refused(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")]))) == (
        "the columns have 2 levels; flatten them first: frame.columns = ['_'.join(map(str, names))"
        " for names in frame.columns]"
    )


def test_objects_are_read_one_by_one_and_text_among_them_as_in_files():
    frame = pd.DataFrame({"lat": ["48.8584", 35.0, "1_0", b"5"], "lon": [2.2945, "135.77", 1, 1]})
    found = cor.label_table(frame)
    assert found["country_code"].tolist()[:2] == ["FR", "JP"]
    assert found["match"].tolist() == ["inside", "inside", "invalid", "invalid"]


# geometry


def test_columns_that_are_named_go_before_the_geometry():
    frame = points(PARIS, north=[KYOTO[0]], lon=[KYOTO[1]], lat=[PARIS[0]], east=[KYOTO[1]])
    assert cor.label_table(frame)["country_code"].tolist() == ["FR"]
    assert cor.label_table(frame, lat="north")["country_code"].tolist() == ["JP"]
    assert cor.label_table(frame, lat="north", lon="east")["country_code"].tolist() == ["JP"]
    east = points(KYOTO, lat=[PARIS[0]], east=[PARIS[1]])
    assert cor.label_table(east, lon="east")["country_code"].tolist() == ["FR"]
    table = pa.table(frame[["north", "lon", "geometry"]].to_arrow())
    assert codes(table, lat="north") == ["JP"]
    assert codes(pa.table(east.to_arrow()), lon="east") == ["FR"]


def test_a_latitude_and_a_longitude_of_a_table_go_before_its_geometry():
    table = pa.table(points(PARIS, lat=[KYOTO[0]], lon=[KYOTO[1]]).to_arrow())
    assert arrow_points(table) is None
    assert codes(table) == ["JP"]
    plain = pa.table({"a": [1]})
    assert arrow_points(plain) is None
    assert codes(pa.table(points(PARIS, lat=[1.0]).to_arrow())) == ["FR"]


def test_a_frame_without_an_active_geometry_says_so():
    none = "the GeoDataFrame has no active geometry; choose one with set_geometry"
    assert refused(gpd.GeoDataFrame({"lat": [1.0], "lon": [2.0]})) == none
    assert refused(points(PARIS, a=[1]).rename(columns={"geometry": "shape"})) == none


def test_shapes_of_other_kinds_are_named():
    line, square = shapely.LineString([(0, 0), (1, 1)]), shapely.box(0, 0, 1, 1)
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(0, 0), square, line], crs=4326)
    told = "'geometry' holds a {}, labels are of points; take a point of each shape first"
    assert refused(frame).startswith(told.format("LineString"))
    for encoding in ("wkb", "geoarrow"):
        if encoding == "wkb":
            table = pa.table(frame.to_arrow(geometry_encoding=encoding))
            assert refused(table).startswith(told.format("Polygon"))


@pytest.mark.parametrize("make", [lambda frame: frame, lambda frame: pa.table(frame.to_arrow())])
@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([PARIS, (91.0, 2.0)], "(91, 2) in row 1"),
        ([(1.0, 2.0), (3.0, -361.0), (95.0, 1.0)], "(3, -361) in row 1"),
        ([(-90.5, 2.0)], "(-90.5, 2) in row 0"),
    ],
)
def test_points_without_a_system_that_are_no_degrees_are_told_by_row(make, pairs, told):
    assert refused(make(points(*pairs, crs=None))) == (
        f"'geometry' has no CRS, and {told} is no latitude and longitude; say which it is: "
        "frame.set_crs(...)"
    )
    edge = cor.label_table(make(points((90.0, 360.0), (-90.0, -360.0), None, crs=None)))
    assert str(edge["match"][2]) == "invalid"


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
@pytest.mark.parametrize("crs", [4326, 3857, 2056])
def test_points_of_several_chunks_with_missing_ones(encoding, crs):
    """Sliced and put together again, as batches of a file are; Swiss metres, too."""
    bern = (46.948, 7.4474)
    frame = points(bern, None, (46.2, 6.15), (47.37, 8.54)).to_crs(crs)
    for interleaved in (True, False):
        table = pa.table(frame.to_arrow(geometry_encoding=encoding, interleaved=interleaved))
        parts = pa.concat_tables([table.slice(3, 1), table.slice(1, 2), table.slice(0, 1)])
        found = cor.label_table(parts)
        assert found["match"].to_pylist() == ["inside", "invalid", "inside", "inside"]
        assert found["admin1_code"].to_pylist() == ["CH-ZH", None, "CH-GE", "CH-BE"]
        given = frame_of(table).points
        assert given.valid.tolist() == [True, False, True, True]
        assert given.lat[[0, 3]] == pytest.approx([46.948, 47.37], abs=1e-6)
        assert given.lon[[0, 3]] == pytest.approx([7.4474, 8.54], abs=1e-6)


def test_what_lies_below_a_missing_point_is_no_point():
    """A mask over the points leaves their numbers where they are."""
    gone = pa.array([False, True])
    parts = [pa.array([PARIS[1]] * 2), pa.array([PARIS[0]] * 2)]
    flat = pa.array([PARIS[1], PARIS[0]] * 2)
    field = {"ARROW:extension:name": "geoarrow.point"}
    for points_ in (
        pa.StructArray.from_arrays(parts, ["x", "y"], mask=gone),
        pa.FixedSizeListArray.from_arrays(flat, 2, mask=gone),
    ):
        schema = pa.schema([pa.field("where", points_.type, metadata=field)])
        table = pa.table([points_], schema=schema)
        found = cor.label_table(table)
        assert found["country_code"].to_pylist() == ["FR", None]
        assert found["match"].to_pylist() == ["inside", "invalid"]
        assert cor.label_table(table.slice(1))["match"].to_pylist() == ["invalid"]


def parquet_like(epsg, **about):
    """A table as GeoParquet is read: WKB, and what the schema says of it."""
    shape = shapely.to_wkb(shapely.Point(PARIS[1], PARIS[0]))
    if epsg == 3857:
        shape = points(PARIS).to_crs(3857).geometry.to_wkb()[0]
    geo = {"primary_column": "shape", "columns": {"shape": about}}
    schema = pa.schema([("shape", pa.binary())], metadata={"geo": json.dumps(geo)})
    return pa.table([[shape]], schema=schema)


def test_geoparquet_says_its_system_or_means_degrees():
    assert codes(parquet_like(4326)) == ["FR"]
    assert codes(parquet_like(4326, crs=None)) == ["FR"]
    assert codes(parquet_like(3857, crs="EPSG:3857")) == ["FR"]
    assert "has no CRS" in refused(parquet_like(3857, crs=None))
    assert cor.label_table(parquet_like(3857))["match"].to_pylist() == ["invalid"]
    lost = parquet_like(4326).rename_columns(["other"])
    assert "no latitude column among other" in refused(lost)
    empty = parquet_like(4326).replace_schema_metadata({"geo": '{"columns": {}}'})
    assert "no latitude column among shape" in refused(empty)


def test_bytes_that_are_no_geometry_are_told():
    for cell in (b"no wkb", b""):
        table = parquet_like(4326).set_column(0, "shape", pa.array([cell]))
        table = table.replace_schema_metadata(parquet_like(4326).schema.metadata)
        told = refused(table)
        assert told.startswith("column 'shape' is no WKB: ")
        assert told.endswith("; name the coordinates with lat= and lon=")


@pytest.mark.parametrize("about", [b"", b"{}", b"[]", b'"text"', b'{"crs": null}'])
def test_geometry_of_arrow_with_any_remark_about_it(about):
    meta = {"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": about}
    shape = shapely.to_wkb(shapely.Point(PARIS[1], PARIS[0]))
    schema = pa.schema([pa.field("where", pa.binary(), metadata=meta)])
    assert codes(pa.table([[shape]], schema=schema)) == ["FR"]
    meta["ARROW:extension:name"] = "geoarrow.polygon"
    schema = pa.schema([pa.field("where", pa.binary(), metadata=meta)])
    assert "no latitude column among where" in refused(pa.table([[shape]], schema=schema))
