"""When a photo was taken: every way to write it, beside Python's own calendar."""

import datetime

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from geodata.photos.times import iso_times

NO_DAY = "2013-02-29"


def told(values, kind=None):
    return iso_times(pa.array(values, kind)).to_pylist()


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("2012/05/18", "2012-05-18"),
        ("2012-05-18+17:11:13", "2012-05-18T17:11:13"),
        ("2012-05-18 17:11:13 +0200", "2012-05-18T17:11:13+02:00"),
        ("2012-05-18 17:11:13 Z", "2012-05-18T17:11:13Z"),
        (" 2012-05-18 ", "2012-05-18"),
        ("2012-05-18T17:11:13.123456789-11:30", "2012-05-18T17:11:13-11:30"),
        ("2012-05-18T17:11:13.1234567891", None),
        ("2012-05-18T17:11:13.", None),
        ("2012-05-18T17:11", None),
        ("2012-05-18T17:11:13z", None),
        ("2012-05-18Z", None),
        ("2012-05-18T00:00:00", "2012-05-18T00:00:00"),
        ("2012-05-18T19:59:59", "2012-05-18T19:59:59"),
        ("2012-05-18T23:59:59+23:59", "2012-05-18T23:59:59+23:59"),
        ("2012-05-18T24:00:00", None),
        ("2012-05-18T17:60:00", None),
        ("2012-05-18T17:11:60", None),
        ("2012-05-18T17:11:13+24:00", None),
        ("2012-05-18T17:11:13+19:60", None),
        ("2012-05-18T17:11:13+99:99", None),
        ("0000-12-31", None),
        ("0001-01-01", "0001-01-01"),
        ("9999-12-31T23:59:59", "9999-12-31T23:59:59"),
        ("12012-05-18", None),
        ("2012-02-29", "2012-02-29"),
        ("12345678", None),
        ("100000000", "1973-03-03T09:46:40Z"),
        ("9999999999999", "2286-11-20T17:46:39Z"),
        ("12345678901234", None),
        ("-1337361073", None),
    ],
)
def test_a_text_has_its_time_whatever_is_beside_it(text, taken):
    assert told([text]) == [taken]
    assert told([text, NO_DAY, "1337361073"]) == [taken, None, "2012-05-18T17:11:13Z"]
    assert told([NO_DAY, text], pa.large_string()) == [None, taken]
    assert told([None, text]) == [None, taken]


@given(
    st.datetimes(), st.none() | st.integers(-1439, 1439), st.sampled_from("T +"),
    st.sampled_from("-:/"), st.booleans(),
)  # fmt: skip
def test_any_day_and_clock_come_back_in_one_form(when, offset, middle, mark, beside):
    when = when.replace(microsecond=0)
    zone = None if offset is None else datetime.timezone(datetime.timedelta(minutes=offset))
    day = f"{when.year:04}{mark}{when.month:02}{mark}{when.day:02}"
    text = f"{day}{middle}{when:%H:%M:%S}"
    if zone is not None:
        ahead = f"{abs(offset) // 60:02}{abs(offset) % 60:02}"
        text += ("-" if offset < 0 else "+") + ahead
    whole = when.replace(tzinfo=zone).isoformat()
    assert told([text, NO_DAY] if beside else [text])[0] == whole
    assert told([day]) == [when.date().isoformat()]


@pytest.mark.parametrize(
    ("number", "taken"),
    [
        (1, "1970-01-01T00:00:01Z"), (0, None), (-1, None), (None, None),
        (10**11, "5138-11-16T09:46:40Z"), (10**11 + 1, "1973-03-03T09:46:40Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59Z"), (253_402_300_800_000, None),
    ],
)  # fmt: skip
def test_numbers_are_seconds_and_above_ten_to_the_eleven_milliseconds(number, taken):
    assert told([number, 2], pa.int64()) == [taken, "1970-01-01T00:00:02Z"]
    assert told([number], pa.float64()) == [taken]


def test_parts_of_a_second_are_left_out_before_and_after_1970():
    assert told([1.5, 0.5, float("nan"), float("inf")]) == [
        "1970-01-01T00:00:01Z", "1970-01-01T00:00:00Z", None, None,
    ]  # fmt: skip
    assert told([-1, 1_500_000], pa.timestamp("us")) == [
        "1969-12-31T23:59:59", "1970-01-01T00:00:01",
    ]  # fmt: skip
    assert told([-1500, None], pa.timestamp("ms", "UTC")) == ["1969-12-31T23:59:58Z", None]
    assert told([-1], pa.timestamp("ns", "Asia/Kolkata")) == ["1969-12-31T23:59:59Z"]


@pytest.mark.parametrize(
    ("seconds", "taken"),
    [
        (-62_135_596_801, None), (-62_135_596_800, "0001-01-01T00:00:00"),
        (253_402_300_799, "9999-12-31T23:59:59"), (253_402_300_800, None),
        (2**55, None), (-(2**55), None),
    ],
)  # fmt: skip
def test_a_year_has_four_digits(seconds, taken):
    assert told([seconds, 0], pa.timestamp("s")) == [taken, "1970-01-01T00:00:00"]
    if abs(seconds) < 2**40:
        days = seconds // 86400
        assert told([days], pa.date32()) == [taken and taken[:10]]
        assert told([days * 86_400_000], pa.date64()) == [taken and taken[:10]]


def test_a_date_with_a_part_of_a_day_is_that_day():
    assert told([-1, 1, None], pa.date64()) == ["1969-12-31", "1970-01-01", None]


@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.date32(), pa.bool_(), pa.null()])
def test_a_column_without_a_time_is_text_of_its_length(kind):
    for values in ([], [None, None]):
        found = iso_times(pa.array(values, kind))
        assert (found.type, found.to_pylist()) == (pa.string(), values)


def test_what_tells_no_time_is_missing():
    for column in (pa.array([[1]]), pa.array([True]), pa.array([b"2012-05-18"])):
        found = iso_times(column)
        assert (found.type, found.to_pylist()) == (pa.string(), [None])
