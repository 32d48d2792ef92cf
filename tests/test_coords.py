"""Coordinates at the door: each edge of the rule, for scalars, texts, arrays and Arrow columns."""

import datetime
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from geodata import coords

BELOW_180 = math.nextafter(180.0, 0.0)
BEYOND_180 = math.nextafter(-180.0, -181.0)
LONGITUDES = [
    (-180.0, -180.0), (BELOW_180, BELOW_180), (180.0, -180.0), (180.5, -179.5), (-180.5, 179.5),
    (360.0, 0.0), (-360.0, 0.0), (270.0, -90.0), (-270.0, 90.0), (0.0, 0.0), (-0.1, -0.1),
]  # fmt: skip
"""Given, and on the map."""


@pytest.mark.parametrize(("lon", "wanted"), LONGITUDES)
def test_a_longitude_is_turned_into_the_map(lon, wanted):
    assert coords.wrap_lon(lon) == wanted
    assert coords.scalar(0, lon) == (0.0, wanted)
    assert coords.arrays([0.0], [lon]).lon.tolist() == [wanted]
    assert coords.arrays([0.0], [lon], wrap=False).lon.tolist() == [lon]


@given(st.floats(-360, 360))
def test_what_was_turned_lies_on_the_map_and_is_the_same_meridian(lon):
    found = coords.wrap_lon(lon)
    assert -180.0 <= found < 180.0
    assert abs(math.remainder(found - lon, 360.0)) < 1e-12
    assert coords.arrays([1.0], [lon]).lon.tolist() == [found]


def test_a_hair_beyond_the_antimeridian_stays_below_180():
    for lon in (BEYOND_180, -180 - 1e-14, -180 - 1e-13):
        assert -180.0 <= coords.wrap_lon(lon) < 180.0
        assert -180.0 <= coords.arrays([0.0], [lon]).lon[0] < 180.0
    assert coords.wrap_lon(BEYOND_180) == -180.0
    assert coords.arrays([0.0], [BEYOND_180]).lon.tolist() == [-180.0]


EDGES = [(90.0, 360.0), (-90.0, -360.0)]


@pytest.mark.parametrize(("lat", "lon"), EDGES)
def test_the_last_latitude_and_longitude_count_and_the_next_number_does_not(lat, lon):
    assert coords.scalar(lat, lon) == (lat, 0.0)
    y, x = (math.nextafter(value, 2 * value) for value in (lat, lon))
    with pytest.raises(ValueError, match=r"latitude -?90.0+1\d* is outside \[-90, 90\]; did you"):
        coords.scalar(y, 0.0)
    with pytest.raises(ValueError, match=r"longitude -?360.0+\d* is outside \[-360, 360\]; give"):
        coords.scalar(0.0, x)
    found = coords.arrays([lat, y, 1.0], [lon, 1.0, x])
    assert found.valid.tolist() == [True, False, False]
    assert found.lat.tolist() == [lat, 0.0, 0.0]
    assert found.lon.tolist() == [0.0, 0.0, 0.0]


NO_NUMBERS = [
    None, True, False, np.True_, "1", b"1", 1j, datetime.date(2026, 1, 1),
    np.timedelta64(1, "s"), np.datetime64("2026-01-01"), [1.0], np.array([1.0]),
    np.ma.masked, np.ma.array(1.0, mask=False),
]  # fmt: skip


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_number_is_refused_on_either_side(value):
    for name, pair in (("latitude", (value, 1.0)), ("longitude", (1.0, value))):
        with pytest.raises(TypeError, match=f"{name} must be a number in degrees, got"):
            coords.scalar(*pair)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, Decimal("nan"), Decimal("1e999"), 10**400]
)
def test_what_is_not_finite_is_refused_on_either_side(value):
    for name, pair in (("latitude", (value, 1.0)), ("longitude", (1.0, value))):
        with pytest.raises(ValueError, match=f"{name} -?(nan|inf) is not finite; drop the row"):
            coords.scalar(*pair)
    assert coords.arrays([value, 1.0], [1.0, value]).valid.tolist() == [False, False]


@pytest.mark.parametrize(
    "kind", [int, float, Decimal, Fraction, np.int8, np.uint16, np.float32, np.float64, np.array]
)
def test_numbers_of_any_kind_are_numbers(kind):
    assert coords.scalar(kind(45), kind(100)) == (45.0, 100.0)
    assert all(type(value) is float for value in coords.scalar(kind(45), kind(100)))
    found = coords.arrays([kind(45), None], [kind(100), 1])
    assert found.lat.tolist() == [45.0, 0.0]
    assert found.lon.tolist() == [100.0, 0.0]
    assert found.valid.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1,2", (1.0, 2.0)), ("1;2", (1.0, 2.0)), ("1 2", (1.0, 2.0)), ("1\t2", (1.0, 2.0)),
        (" ( 1.5 , -2e1 ) ", (1.5, -20.0)), ("[1;2]", (1.0, 2.0)), ("+1,.5", (1.0, 0.5)),
        ("1.,190", (1.0, -170.0)),
    ],
)  # fmt: skip
def test_a_text_with_two_numbers_is_a_pair(text, wanted):
    assert coords.pair(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "1", "1,x", "x,1", "1,2,3", "1,,2", "1_0,2", "1,nan", "٣,1", "1e1000,2"]
)
def test_any_other_text_is_no_pair(text):
    with pytest.raises(ValueError, match="is no coordinate; write latitude and longitude as in"):
        coords.pair(text)


def test_a_long_text_is_told_by_its_beginning():
    with pytest.raises(ValueError) as told:
        coords.pair("x" * 100)
    assert str(told.value).startswith(f"'{'x' * 60}' is no coordinate")


def test_both_columns_say_whether_a_row_is_valid():
    nan = math.nan
    for kind in (list, np.array, pa.array, pl.Series):
        found = coords.arrays(kind([1.0, nan, 3.0, 4.0]), kind([5.0, 6.0, math.inf, 190.0]))
        assert found.valid.tolist() == [True, False, False, True]
        assert found.lat.tolist() == [1.0, 0.0, 0.0, 4.0]
        assert found.lon.tolist() == [5.0, 0.0, 0.0, -170.0]


def test_rows_behind_a_bad_one_are_read():
    found = coords.arrays([None, "x", 3.0, True, 5], [1, 2.0, 3, 4, 190])
    assert found.valid.tolist() == [False, False, True, False, True]
    assert found.lat.tolist() == [0.0, 0.0, 3.0, 0.0, 5.0]
    assert found.lon.tolist() == [0.0, 0.0, 3.0, 0.0, -170.0]


def test_what_was_given_is_not_changed():
    for lon in ([190.0, 10.0], [190.0, math.nan]):
        y, x = np.array([1.0, 2.0]), np.array(lon)
        before = x.copy()
        for given_lat, given_lon in ((y, x), (pa.array(y), pa.array(x))):
            assert coords.arrays(given_lat, given_lon).lon[0] == -170.0
        np.testing.assert_array_equal(x, before)
        assert y.tolist() == [1.0, 2.0]


def test_a_mask_takes_rows_out_on_either_side():
    plain, masked = np.array([1.0, 2.0]), np.ma.array([1.0, 2.0], mask=[True, False])
    assert coords.arrays(masked, plain).valid.tolist() == [False, True]
    assert coords.arrays(plain, masked).valid.tolist() == [False, True]
    objects = np.ma.array([1.0, "x"], mask=[False, False], dtype=object)
    assert coords.arrays(objects, plain).valid.tolist() == [True, False]


@pytest.mark.parametrize(
    "array",
    [
        np.array([True, False]), np.array(["1", "2"]), np.array([b"1", b"2"]),
        np.array([1j, 2j]), np.array(["2026-01-01", "NaT"], "datetime64[D]"),
        np.array([1, 2], "timedelta64[s]"), pa.array([True, False]), pa.array(["1", "2"]),
        pa.array([b"1", b"2"]), pa.nulls(2), pa.array([1, 2], pa.timestamp("s")),
        pa.array([1, 2], pa.date32()), pa.chunked_array([["1"], ["2"]]), pl.Series(["1", "2"]),
    ],
    ids=lambda array: str(getattr(array, "dtype", getattr(array, "type", ""))),
)  # fmt: skip
def test_columns_of_other_kinds_hold_no_coordinate(array):
    assert coords.arrays(array, [1.0, 2.0]).valid.tolist() == [False, False]
    assert coords.arrays([1.0, 2.0], array).valid.tolist() == [False, False]


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.uint16(), pa.int64(), pa.float16(), pa.float32(), pa.float64(),
     pa.decimal128(9, 2), pa.decimal256(40, 3)],
)  # fmt: skip
def test_arrow_columns_of_numbers(kind):
    values = [np.float16(7.0), None, np.float16(9.0)] if kind == pa.float16() else [7, None, 9]
    made = pa.array(values, kind)
    for column in (made, pa.chunked_array([made.slice(0, 1), made.slice(1)])):
        found = coords.arrays(column, column)
        assert found.valid.tolist() == [True, False, True]
        assert found.lat.tolist() == found.lon.tolist() == [7.0, 0.0, 9.0]


def test_whole_numbers_that_no_float_is_are_out_of_range_and_no_error():
    big = 2**60 + 1
    for column in (pa.array([big, 1]), np.array([big, 1]), [big, 1]):
        assert coords.arrays(column, [1, 1]).valid.tolist() == [False, True]


@pytest.mark.parametrize("value", ["1e-5", "0.1", "48.85840001", "179.99999999"])
def test_a_decimal_is_the_number_that_its_text_is(value):
    column = pa.array([Decimal(value)], pa.decimal128(30, 20))
    assert coords.arrays(pa.array([0]), column).lon.tolist() == [float(value)]


def test_lengths_and_dimensions_are_told():
    with pytest.raises(ValueError, match="lat has 1 rows and lon has 2; they must be equally"):
        coords.arrays([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"lon must be one-dimensional, got shape \(1, 2\)"):
        coords.arrays([1.0, 2.0], np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"lat must be one-dimensional, got shape \(\); use"):
        coords.arrays(np.array(1.0), [1.0])
    assert coords.arrays((1.0, 2.0), (3, 4)).lon.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_text_is_a_number_if_it_is_written_as_a_plain_one(kind):
    texts = {
        "1": 1.0, "-1.5": -1.5, "+2": 2.0, " 3\t": 3.0, "\t +4 ": 4.0, ".5": 0.5, "5.": 5.0,
        "1e2": 100.0, "1E-2": 0.01, "1e+2": 100.0, "0" * 39 + "7": 7.0, "": None, " ": None,
        "1_0": None, "nan": None, "inf": None, "0x1": None, "1,5": None, "1 2": None, "--1": None,
        "+-1": None, "1e": None, "1e1.5": None, "٣": None, "1\n": None, ".": None,
        "0" * 40 + "7": None, "1e1000": None, "0." + "1" * 41: None,
    }  # fmt: skip
    column = pa.array([*texts, None], kind)
    found = coords.parse_numbers(column)
    assert found.type == pa.float64()
    assert dict(zip(texts, found.to_pylist(), strict=False)) == texts
    chunked = coords.parse_numbers(pa.chunked_array([column.slice(0, 4), column.slice(4)]))
    assert chunked.to_pylist() == found.to_pylist()


@pytest.mark.parametrize("column", [pa.array([1, None]), pa.array([b"1"]), pa.nulls(1)], ids=str)
def test_what_is_no_text_is_not_read(column):
    assert coords.parse_numbers(column) is column
