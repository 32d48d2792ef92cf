"""Any frame in, the same frame out: kind, order, index and columns, however it was made."""

import json
import subprocess
import sys
from decimal import Decimal

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyproj
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from geodata import coords, cor

CITIES = {
    "Tokyo": (35.6595, 139.7005),
    "Lima": (-12.0464, -77.0428),
    "Paris": (48.8584, 2.2945),
    "Nairobi": (-1.2864, 36.8172),
    "Sydney": (-33.8568, 151.2153),
}
NAMES = list(CITIES)
LATS, LONS = (np.array(axis) for axis in zip(*CITIES.values(), strict=True))


def frame(index=None):
    return pd.DataFrame({"name": NAMES, "lat": LATS, "lon": LONS}, index=index)


INDEXES = {
    "range": pd.RangeIndex(5),
    "strings": pd.Index(list("edcba"), name="photo"),
    "duplicates": pd.Index([7, 7, 7, 1, 1]),
    "dates": pd.date_range("2026-01-01", periods=5, tz="Asia/Tokyo"),
    "pairs": pd.MultiIndex.from_product([["a"], range(5)], names=["batch", None]),
    "floats": pd.Index([0.5, np.nan, 2, 3, 4]),
    "categories": pd.CategoricalIndex(list("xyxyz")),
    "a column's name": pd.Index(range(5), name="lat"),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_pandas_comes_back_with_its_index(index):
    given_frame = frame(index)
    before = given_frame.copy(deep=True)
    found = cor.label_table(given_frame)
    assert type(found) is pd.DataFrame
    pd.testing.assert_index_equal(found.index, index)
    assert found["city"].tolist() == NAMES
    assert list(found.columns[:4]) == ["name", "lat", "lon", "country"]
    pd.testing.assert_frame_equal(given_frame, before)
    pd.testing.assert_frame_equal(found[["name", "lat", "lon"]], before)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 5))
def test_a_shuffled_and_filtered_frame_gets_its_own_cities(order, kept):
    """`df["city"] = label_table(df)["city"]` must not put Tokyo on Lima."""
    given_frame = frame().iloc[order[:kept]]
    given_frame = given_frame.assign(city=cor.label_table(given_frame)["city"])
    assert given_frame["city"].tolist() == given_frame["name"].tolist()


def test_the_types_of_the_user_s_columns_stay():
    given_frame = frame().assign(
        small=np.arange(5, dtype=np.int8),
        maybe=pd.array([1, None, 3, 4, 5], dtype="Int64"),
        kind=pd.Categorical(list("abcab"), ordered=True),
        when=pd.date_range("2026-01-01", periods=5, tz="UTC"),
        thing=[object(), [1], {"a": 1}, None, "x"],
        arrow=pd.array(["a"] * 5, dtype=pd.ArrowDtype(pa.large_string())),
    )
    given_frame.attrs["source"] = "camera"
    found = cor.label_table(given_frame)
    assert found[given_frame.columns].dtypes.to_dict() == given_frame.dtypes.to_dict()
    assert found.attrs == {"source": "camera"}
    assert [a is b for a, b in zip(found["thing"], given_frame["thing"])] == [True] * 5


@pytest.mark.parametrize(
    "wild", ["object", "Float64", "float32", "string", "text", "arrow", "decimal"]
)
def test_coordinates_of_any_type_in_pandas(wild):
    def series(values):
        texts = [str(v) for v in values]
        return {
            "object": lambda: pd.Series([float(v) for v in values], dtype=object),
            "Float64": lambda: pd.Series(values, dtype="Float64"),
            "float32": lambda: pd.Series(values, dtype="float32"),
            "string": lambda: pd.Series(texts, dtype="string"),
            "text": lambda: pd.Series(texts, dtype=object),
            "arrow": lambda: pd.Series(values, dtype=pd.ArrowDtype(pa.float64())),
            "decimal": lambda: pd.Series([Decimal(t) for t in texts], dtype=object),
        }[wild]()

    given_frame = pd.DataFrame({"lat": series(LATS), "lon": series(LONS)})
    assert cor.label_table(given_frame)["city"].tolist() == NAMES
    mixed = pd.DataFrame({"lat": [48.8584, "x", None, True], "lon": [2.2945] * 4})
    assert cor.label_table(mixed)["match"].tolist() == ["inside"] + ["invalid"] * 3


def test_polars_and_its_lazy_frames():
    given_frame = pl.from_pandas(frame()).with_columns(
        pl.col("name").cast(pl.Categorical), pl.lit("Narnia").alias("country")
    )
    found = cor.label_table(given_frame)
    assert isinstance(found, pl.DataFrame)
    assert found["city"].to_list() == NAMES
    assert found["country"].to_list()[0] == "Japan"
    assert found.schema["name"] == pl.Categorical
    lazy = cor.label_table(given_frame.lazy().filter(pl.col("lat") < 0))
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect()["city"].to_list() == ["Lima", "Nairobi", "Sydney"]


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:4087", "ESRI:54009", None])
def test_points_of_a_geodataframe_in_any_crs(crs):
    points = gpd.points_from_xy(LONS, LATS, crs=4326 if crs else None)
    given_frame = gpd.GeoDataFrame({"name": NAMES}, geometry=points, index=list("edcba"))
    if crs:
        given_frame = given_frame.to_crs(crs)
    found = cor.label_table(given_frame)
    assert type(found) is gpd.GeoDataFrame
    assert found["city"].tolist() == NAMES
    assert found.crs == given_frame.crs
    assert found.geometry.to_wkb().tolist() == given_frame.geometry.to_wkb().tolist()
    assert found.index.tolist() == list("edcba")
    series = cor.label_table(given_frame.geometry)
    assert type(series) is gpd.GeoDataFrame
    assert series["city"].tolist() == NAMES
    assert series.crs == given_frame.crs


def test_reprojection_is_pyproj_s():
    zone = gpd.GeoDataFrame(geometry=[shapely.Point(448252, 5411935)], crs=32631)  # Paris, UTM
    lon, lat = pyproj.Transformer.from_crs(32631, 4326, always_xy=True).transform(448252, 5411935)
    one = cor.label(lat, lon)
    found = cor.label_table(zone).iloc[0]
    assert (found["city"], found["city_distance_km"]) == (one.city, one.city_distance_km)


def test_points_that_are_none():
    shapes = [shapely.Point(2.2945, 48.8584), None, shapely.Point()]
    found = cor.label_table(gpd.GeoDataFrame(geometry=shapes, crs=4326))
    assert found["match"].tolist() == ["inside", "invalid", "invalid"]
    square = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    with pytest.raises(ValueError, match=r"'geometry' holds a Polygon.*representative_point"):
        cor.label_table(square)
    metres = gpd.GeoDataFrame(geometry=[shapely.Point(255422, 6250828)])
    with pytest.raises(ValueError, match=r"has no CRS.*set_crs"):
        cor.label_table(metres)
    named = cor.label_table(square.assign(y=48.8584, x=2.2945), lat="y", lon="x")
    assert named["city"].tolist() == ["Paris"]


@pytest.mark.parametrize("name", ["taken at", None, 7])
def test_a_geoseries_of_any_name(name):
    points = gpd.GeoSeries(gpd.points_from_xy(LONS, LATS), crs=4326, name=name).to_crs(3857)
    found = cor.label_table(points)
    assert found["city"].tolist() == NAMES
    assert found.active_geometry_name == (name if isinstance(name, str) else "geometry")
    assert found.crs == points.crs


@pytest.mark.parametrize("encoding", ["geoarrow", "wkb", "WKB"])
def test_geoarrow_and_wkb_columns(encoding):
    points = gpd.GeoDataFrame({"name": NAMES}, geometry=gpd.points_from_xy(LONS, LATS), crs=4326)
    for given_frame in (points, points.to_crs(3857)):
        table = pa.table(
            given_frame.to_arrow(geometry_encoding=encoding, interleaved=encoding == "WKB")
        )
        found = cor.label_table(table)
        assert isinstance(found, pa.Table)
        assert found["city"].to_pylist() == NAMES
        assert found.schema.field("geometry") == table.schema.field("geometry")


def test_interleaved_points_with_an_offset_and_a_missing_one():
    points = gpd.GeoDataFrame(geometry=[None, *gpd.points_from_xy(LONS, LATS)], crs=4326)
    for interleaved in (True, False):
        arrow = points.to_arrow(geometry_encoding="geoarrow", interleaved=interleaved)
        assert cor.label_table(pa.table(arrow).slice(1, 3))["city"].to_pylist() == NAMES[:3]
        assert cor.label_table(pa.table(arrow))["match"].to_pylist()[0] == "invalid"


def test_geoparquet_metadata_tells_the_column(tmp_path):
    points = gpd.GeoDataFrame({"name": NAMES}, geometry=gpd.points_from_xy(LONS, LATS), crs=4326)
    points.to_crs(3857).to_parquet(tmp_path / "points.parquet")
    table = pa.parquet.read_table(tmp_path / "points.parquet")
    assert cor.label_table(table)["city"].to_pylist() == NAMES


def test_what_a_schema_says_survives():
    field = pa.field("lat", pa.float64(), metadata={"unit": "degree"})
    schema = pa.schema([field, ("lon", pa.float64())], metadata={"camera": "x100"})
    found = cor.label_table(pa.table([LATS, LONS], schema=schema))
    assert found.schema.metadata == {b"camera": b"x100"}
    assert found.schema.field("lat").metadata == {b"unit": b"degree"}


@pytest.mark.parametrize("make", [pa.decimal32, pa.decimal64, pa.decimal128, pa.decimal256])
def test_decimals_of_every_precision(make):
    most = {pa.decimal32: 9, pa.decimal64: 18, pa.decimal128: 38, pa.decimal256: 76}[make]
    for precision in sorted({2, 4, 6, 9, most}):
        for scale in sorted({0, 1, precision - 2, precision}):
            texts = ["48", "-7", "0"] if precision - scale >= 2 else ["0.5", "-0.1", "0"]
            if scale == 0 and precision < 2:
                continue
            numbers = pa.array([*map(Decimal, texts), None]).cast(make(precision, scale))
            found = coords.arrays(numbers, pa.chunked_array([numbers]))
            assert found.valid.tolist() == [True, True, True, False], numbers.type
            assert found.lat.tolist() == found.lon.tolist() == [*map(float, texts), 0.0]


def test_duckdb_literals_are_decimals():
    relation = duckdb.sql("select 48.8584 as lat, 2.2945 as lon union all select null, 0.5")
    assert cor.label_table(relation)["city"].to_pylist() == ["Paris", None]


def test_hugging_face_datasets():
    datasets = pytest.importorskip("datasets")
    given_set = datasets.Dataset.from_dict({"name": NAMES, "lat": LATS, "lon": LONS})
    found = cor.label_table(given_set.shuffle(seed=3).select([4, 0, 2]))
    assert isinstance(found, datasets.Dataset)
    assert found["city"][:] == found["name"][:]
    again = cor.label_table(found)  # labels of its own name give way
    assert again.column_names == found.column_names
    assert again[:] == found[:]
    with pytest.raises(TypeError, match="label each split"):
        cor.label_table(datasets.DatasetDict(train=given_set))
    with pytest.raises(TypeError, match="batched=True"):
        cor.label_table(given_set.to_iterable_dataset())


def test_lists_and_arrays_of_pairs():
    pairs = list(CITIES.values())
    rows = [{"name": name, "lat": lat, "lon": lon} for name, (lat, lon) in CITIES.items()]
    for given_rows in (pairs, [list(p) for p in pairs], np.array(pairs), rows):
        assert cor.label_table(given_rows)["city"].to_pylist() == NAMES
    assert cor.label_table([]).num_rows == 0
    chosen = cor.label_table([(48.8584, 2.2945), (None, 1.0)])
    assert chosen["match"].to_pylist() == ["inside", "invalid"]


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ("photos.csv", TypeError, "label a file with cor.label_file"),
        (np.zeros((2, 3)), ValueError, r"shape \(2, 3\).*give shape \(n, 2\)"),
        ([1.0, 2.0], TypeError, "list of float is no table; give pairs"),
        (["ab", "cd"], TypeError, "list of str is no table"),
        ([{"lat": 1}, {"lat": "x"}], TypeError, "give each key one type"),
        (pd.Series([1.0]), TypeError, "give two: label_table"),
        (pl.Series([1.0]), TypeError, "give two: label_table"),
        (7, TypeError, "table is int; expected"),
        (pd.DataFrame({"a": [1]}), ValueError, "no latitude column among a"),
        (
            pd.DataFrame([[1, 2, 3]], columns=["lat", "lat", "lon"]),
            ValueError,
            "lat, lat|occurs twice|occur twice",
        ),
        (pd.DataFrame({"lat": [1], "latitude": [2], "lon": [3]}), ValueError, "could all be"),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
            ValueError,
            "flatten",
        ),
    ],
)
def test_what_is_no_table_is_told_in_one_line(bad, error, message):
    with pytest.raises(error, match=message) as caught:
        cor.label_table(bad)
    assert "\n" not in str(caught.value)


def test_text_in_memory_is_read_as_in_files():
    text = pa.table({"lat": ["48.8584", " +1e1 ", "nan", "1_0", None], "lon": ["2.2945"] * 5})
    for table in (
        text,
        text.cast(pa.schema([("lat", pa.string_view()), ("lon", pa.large_string())])),
    ):
        assert cor.label_table(table)["match"].to_pylist() == ["inside"] * 2 + ["invalid"] * 3
    words = pa.table({"lat": text["lat"].dictionary_encode(), "lon": text["lon"]})
    assert cor.label_table(words)["match"].to_pylist() == ["inside"] * 2 + ["invalid"] * 3


def test_one_text_is_a_coordinate():
    assert cor.label("48.8584, 2.2945") == cor.label(48.8584, 2.2945)
    for text in ("48.85,2.35", "48.85 2.35", "(48.85; 2.35)", " 48.85 ,\t2.35 ", "[48.85, 2.35]"):
        assert cor.label(text).city == "Paris", text
    for text in ("", "48.85", "1,2,3", "a,b", "48.85,", "nan,nan", "48,85 2,35"):
        with pytest.raises(ValueError, match="write latitude and longitude as in"):
            cor.label(text)
    with pytest.raises(ValueError, match="did you swap"):
        cor.label("139.7,35.6")
    with pytest.raises(TypeError):
        cor.label("48.85", "2.35")
    with pytest.raises(TypeError):
        cor.label(48.85)


def test_longitudes_are_wrapped_to_360_and_refused_beyond():
    assert cor.label(0.5, 360) == cor.label(0.5, 0)
    assert cor.label(35.6595, 139.7005 - 360).city == "Tokyo"
    with pytest.raises(ValueError, match=r"outside \[-360, 360\]"):
        cor.label(0, 360.1)
    assert "±360 is wrapped" in cor.label.__doc__


def test_labels_are_replaced_by_position_also_in_pandas():
    given_frame = frame(pd.Index([1, 1, 2, 2, 3])).assign(city="Narnia", match=0)
    found = cor.label_table(given_frame)
    assert found["city"].tolist() == NAMES
    assert list(found.columns).count("city") == 1


def test_no_frame_library_is_loaded_for_a_label():
    code = (
        "import sys; from geodata import cor; import geodata\n"
        "cor.label(48.85, 2.29)\n"
        "import json; print(json.dumps(sorted({'pandas','polars','geopandas','datasets','shapely'}"
        " & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_two_series_of_other_rows_are_refused():
    frame = pd.DataFrame({"lat": [35.68, -12.05], "lon": [139.76, -77.04]})
    together = cor.label_table(frame["lat"], frame["lon"])["country_code"].to_pylist()
    assert together == ["JP", "PE"]
    with pytest.raises(ValueError, match="different indexes"):
        cor.label_table(frame["lat"], frame["lon"].sort_values())
    by_place = cor.label_table(frame["lat"].array, frame["lon"].sort_values(ascending=False).array)
    assert by_place["country_code"].to_pylist() == ["JP", "PE"]


def test_objects_of_several_kinds_are_read_one_by_one():
    objects = {"lat": [35.68, "-12.05", Decimal("48.8566"), "no"], "lon": ["139.76", -77, 2.35, 0]}
    rows = cor.label_table(pd.DataFrame(objects, dtype=object))
    assert rows["country_code"].tolist()[:3] == ["JP", "PE", "FR"]
    assert rows["match"].tolist() == ["inside", "inside", "inside", "invalid"]


@pytest.mark.parametrize("crs", ["EPSG:4978", "EPSG:5703"])
def test_a_system_without_places_is_refused(crs):
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(1e6, 2e6)], crs=crs)
    for rows in (frame, pa.table(frame.to_arrow())):
        with pytest.raises(ValueError, match="no place on a map"):
            cor.label_table(rows)
