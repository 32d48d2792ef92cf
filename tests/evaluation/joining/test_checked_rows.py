"""Cells that hold a place, an error, or nothing: each status and each thing that is wrong."""

import decimal

import numpy as np
import pyarrow as pa
import pytest

from geodata.evaluation.joining.sides import STATUSES, check_distances, check_rows
from geodata.evaluation.joining.sides.checked_rows import (
    as_floats,
    is_blank,
    not_finite,
    places_in,
)
from geodata.evaluation.joining.sides.distances import (
    LONGEST_KM,
    DistanceColumn,
    check_unit,
    choose_distances,
    distance_columns,
)
from geodata.files import Batch, Columns, FileError

NAN = float("nan")
INF = float("inf")


def column(*cells, kind=None):
    return pa.chunked_array([pa.array(cells, kind)])


def read(rows):
    """Return (lat, lon, status) of each row, None for no number."""
    places = zip(rows.lat.tolist(), rows.lon.tolist(), rows.status.tolist(), strict=True)
    return [(None if y != y else y, None if x != x else x, STATUSES[s]) for y, x, s in places]


def wrong(rows):
    return {name: np.flatnonzero(mask).tolist() for name, mask in rows.problems.items()}


def of_columns(lat, lon, bad=()):
    table = pa.table({"lat": lat, "lon": lon})
    return check_rows(Batch(table, dict(bad)), Columns(None, "lat", "lon"))


def of_text(*texts, bad=(), regions=()):
    table = pa.table({"text": texts, "land": ["X"] * len(texts)})
    return check_rows(Batch(table, dict(bad)), Columns(None, None, None, "text", regions))


TEXT_CELLS = [
    ("1.5", "2.5", "ok", None), ("90", "-360", "ok", None), ("", None, "missing", None),
    (" none ", "N/A", "missing", None), ("-", "null", "missing", None),
    ("1", "", "invalid", "half"),
    (None, "2", "invalid", "half"), ("x", "", "invalid", "half"), ("NaN", "", "invalid", "half"),
    ("x", "2", "invalid", "word"), ("1", "x", "invalid", "word"),
    ("nan", "2", "invalid", "endless"),
    ("1", "-inf", "invalid", "endless"), ("Infinity", "x", "invalid", "endless"),
    ("90.5", "2", "invalid", "swapped"), ("-91", "90", "invalid", "swapped"),
    ("91", "90.5", "invalid", "range"), ("361", "5", "invalid", "range"),
    ("5", "360.5", "invalid", "range"), ("360", "5", "invalid", "swapped"),
    ("1e400", "2", "invalid", "endless"),
]  # fmt: skip


def test_cells_of_text_one_by_one():
    lat, lon, status, kinds = zip(*TEXT_CELLS, strict=True)
    rows = of_columns(lat, lon)
    assert [STATUSES[code] for code in rows.status] == list(status)
    assert np.isnan(rows.lat).tolist() == np.isnan(rows.lon).tolist()
    assert np.isnan(rows.lat).tolist() == [one != "ok" for one in status]
    assert read(rows)[:2] == [(1.5, 2.5, "ok"), (90.0, 0.0, "ok")]

    def at(*names):
        return [i for i, kind in enumerate(kinds) if kind in names]

    assert wrong(rows) == {
        "half_missing": at("half"), "not_finite": at("endless"), "not_a_number": at("word"),
        "out_of_range": at("range", "swapped"), "lat_beyond_90": at("swapped"),
    }  # fmt: skip
    assert rows.regions == {}
    assert rows.distance_km is None


def test_cells_of_numbers_one_by_one():
    lat = [1.5, None, NAN, INF, 95.0, 1.0, NAN, None, 1.0]
    lon = [2.5, None, 2.0, 2.0, 2.0, None, None, NAN, NAN]
    rows = of_columns(pa.array(lat), pa.array(lon))
    assert [STATUSES[code] for code in rows.status] == ["ok", "missing", *["invalid"] * 7]
    assert wrong(rows) == {
        "half_missing": [5, 6, 7], "not_finite": [2, 3, 8], "not_a_number": [],
        "out_of_range": [4], "lat_beyond_90": [4],
    }  # fmt: skip
    whole = of_columns(pa.array([1, None, 91]), pa.array([2, 5, 5]))
    assert read(whole) == [(1.0, 2.0, "ok"), (None, None, "invalid"), (None, None, "invalid")]
    assert wrong(whole)["half_missing"] == [1]
    assert wrong(whole)["not_finite"] == []
    assert of_columns([1.0], [2.0]).problems == {}


def test_a_damaged_row_has_no_answer_even_where_its_first_field_was_read():
    bad = {1: "3 fields"}
    rows = of_columns(["1", "2", "95"], ["3", "4", "5"], bad)
    assert read(rows) == [(1.0, 3.0, "ok"), (None, None, "invalid"), (None, None, "invalid")]
    assert wrong(rows)["damaged"] == [1]
    first = of_columns(
        ["1", "2", "95", "x"], ["3", None, "5", None], {1: "2 fields", 2: "4 fields"}
    )
    assert {name: at for name, at in wrong(first).items() if at} == {
        "half_missing": [3], "damaged": [1, 2]
    }  # fmt: skip
    rows = of_text("(1, 3)", "(2, 4)", bad=bad)
    assert read(rows) == [(1.0, 3.0, "ok"), (None, None, "invalid")]
    km = DistanceColumn("d", "km", told=True)
    rows = check_distances(Batch(pa.table({"d": ["1", "2"]}), bad), km)
    assert rows.distance_km.tolist()[0] == 1.0
    assert np.isnan(rows.distance_km[1])
    assert (rows.status.tolist(), wrong(rows)["damaged"]) == ([0, 3], [1])
    assert "damaged" not in of_columns(["1"], ["3"]).problems


# degrees, minutes, letters


@pytest.mark.parametrize(
    ("lat", "lon", "place"),
    [
        ("48°51'30\"N", "2°17'42\"E", (48.0 + 51 / 60 + 30 / 3600, 2.295)),
        ("33°30'S", "9°W", (-33.5, -9.0)), ("33.5S", "151.25 E", (-33.5, 151.25)),
        ("S 33.5", "E151.25", (-33.5, 151.25)), ("10°", "20°", (10.0, 20.0)),
        ("1.5N", "2.5", None), ("1.5N", None, None), (None, "2.5E", None), ("north", "east", None),
        ("91°N", "5°E", None), ("48N", "x", None), ("", "5E", None),
        ("48N", "-2W", None), ("48E", "2N", None), ("48N", "2N", None), ("1e1x", "2e1x", None),
        ("48°N" + " " * 56, "2°E", (48.0, 2.0)), ("48°N" + " " * 57, "2°E", None),
        ("48°N", "2°E" + " " * 57 + "!", None),
    ],
)  # fmt: skip
def test_angles_in_cells(lat, lon, place):
    found = places_in(column("1.25", lat, "x"), column("2.25", lon, None))
    assert [part[0] for part in found] == [1.25, 2.25]
    assert np.isnan([part[2] for part in found]).any()
    if place is None:
        assert np.isnan([part[1] for part in found]).any()
    else:
        assert [part[1] for part in found] == pytest.approx(place)


def test_angles_are_read_where_both_columns_are_text_only():
    found = places_in(column("5°N", "1"), column(5.0, None))
    assert np.isnan(found[0][0])
    assert np.isnan(found[1][1])


def test_what_a_column_holds_is_not_changed():
    cells = pa.chunked_array([pa.array(np.array([1.5, NAN]))]), pa.chunked_array([[2.5, 3.5]])
    found = places_in(*cells)
    assert [part.tolist()[0] for part in found] == [1.5, 2.5]
    assert cells[0].to_pylist()[0] == 1.5


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (column("1.5", " 2 ", "x", None), [1.5, 2.0, NAN, NAN]),
        (column(1, None, 3, kind=pa.int8()), [1.0, NAN, 3.0]),
        (column(1.5, None, kind=pa.float32()), [1.5, NAN]),
        (column(decimal.Decimal("1.25"), None), [1.25, NAN]),
        (column(True, False), [NAN, NAN]),
        (column(2**53 + 1, 3), [2.0**53, 3.0]),
        (column([1.0], None), [NAN, NAN]),
    ],
)
def test_columns_as_numbers(cells, numbers):
    assert np.array_equal(as_floats(cells), numbers, equal_nan=True)
    assert as_floats(cells).dtype == np.float64


def test_what_is_blank_and_what_is_endless():
    words = column("", " ", "none", "NULL", "n/a", "na", "-", None, "nan", "0", "--", "none x")
    assert is_blank(words).tolist() == [True] * 8 + [False] * 4
    assert is_blank(column(1.5, None, NAN)).tolist() == [False, True, False]
    ends = column("nan", " -INF ", "+infinity", "1e999", "x", None, "1")
    assert not_finite(ends, np.array([NAN, -INF, INF, INF, NAN, NAN, 1.0])).tolist() == [
        True, True, True, True, False, False, False
    ]  # fmt: skip
    assert not_finite(column(1, None), np.array([1.0, NAN])).tolist() == [False, False]
    floats = column(1.5, None, NAN, INF)
    assert not_finite(floats, np.array([1.5, NAN, NAN, INF])).tolist() == [False, False, True, True]


# words and names


def test_words_one_by_one():
    rows = of_text(
        "(48.86, 2.35)", None, "  ", "I cannot help with that.", "a street", "(95.5, 190.5)",
        "Country: France\nCity: Paris\n(48.86, 2.35)", "Country: Peru",
        "(1.5, 2.5) or maybe (50.5, 60.5)",
    )  # fmt: skip
    assert [row[2] for row in read(rows)] == [
        "ok", "missing", "missing", "refused", "unparsable", "invalid", "ok", "unparsable",
        "ambiguous",
    ]  # fmt: skip
    assert read(rows)[0] == (48.86, 2.35, "ok")
    assert all(row[0] is None for row in read(rows)[1:6])
    assert wrong(rows) == {"out_of_range": [5]}
    assert rows.regions["country"].to_pylist() == [*[None] * 6, "France", "Peru", None]
    assert rows.regions["city"].to_pylist() == [*[None] * 6, "Paris", None, None]
    assert set(rows.regions) == {"country", "admin1", "city"}


def test_a_longitude_in_words_is_brought_to_half_the_globe():
    assert read(of_text("(10.0, 180.0)", "(10.0, -180.0)")) == [(10.0, -180.0, "ok")] * 2


def test_names_in_columns_stand_beside_those_in_words():
    rows = of_text("Country: Peru\n(1, 2)", regions=(("country", "land"),))
    assert rows.regions["country"].to_pylist() == ["X"]
    assert rows.regions["city"].to_pylist() == [None]


def test_rows_of_names_wait_for_a_place():
    table = pa.table({"land": ["Peru", None, "", "n/a"], "town": [None, "Lima", " ", None]})
    columns = Columns(None, None, None, None, (("country", "land"), ("city", "town")))
    rows = check_rows(Batch(table, {0: "x"}), columns)
    assert [row[2] for row in read(rows)] == ["invalid", "unparsable", "missing", "missing"]
    assert rows.regions["city"].to_pylist() == [None, "Lima", " ", None]
    assert rows.lat is not rows.lon
    numbers = pa.table({"land": [7, None]})
    rows = check_rows(Batch(numbers, {}), Columns(None, None, None, None, (("country", "land"),)))
    assert [row[2] for row in read(rows)] == ["unparsable", "missing"]
    assert rows.regions["country"].to_pylist() == ["7", None]


# distances


@pytest.mark.parametrize(("unit", "km"), [("km", 2.0), ("m", 0.002), ("mi", 3.218688)])
def test_errors_one_by_one(unit, km):
    beyond = str(LONGEST_KM / km * 2 + 1)
    cells = ["2", "0", "", None, "none", "-0.5", beyond, "nan", "inf", "-inf", "x", "2 km"]
    rows = check_distances(Batch(pa.table({"d": cells}), {}), DistanceColumn("d", unit, told=True))
    assert [STATUSES[code] for code in rows.status] == (
        ["ok"] * 2 + ["missing"] * 3 + ["invalid"] * 7
    )
    assert rows.distance_km[:2].tolist() == pytest.approx([km, 0.0])
    assert np.isnan(rows.distance_km[2:]).all()
    assert np.isnan(rows.lat).all()
    assert np.isnan(rows.lon).all()
    assert rows.lat is not rows.lon
    assert wrong(rows) == {
        "not_finite": [7, 8, 9], "no_distance": [10, 11], "distance_range": [5, 6]
    }  # fmt: skip
    assert pytest.approx(np.pi * 6371 + 30) == LONGEST_KM


def test_columns_of_errors_those_with_a_unit_first_in_their_order():
    names = [
        "error",
        "id",
        "distance_mi",
        "dist",
        "a.b.error_km",
        "distance_km_in_m",
        "m_error_km",
        "distance.m",
    ]
    assert [tuple(one) for one in distance_columns(names)] == [
        ("distance_mi", "mi", True), ("a.b.error_km", "km", True), ("m_error_km", "km", True),
        ("distance.m", "m", True),
        ("error", "km", False), ("dist", "km", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "asked", "unit", "chosen"),
    [
        (["id", "error"], None, None, ("error", "km", False)),
        (["id", "error"], None, "m", ("error", "m", True)),
        (["error", "error_m"], None, None, ("error_m", "m", True)),
        (["error_km", "error_m"], "error_m", None, ("error_m", "m", True)),
        (["error_km", "error_m"], "error_m", "mi", ("error_m", "mi", True)),
        (["gap miles"], "gap miles", None, ("gap miles", "mi", True)),
        (["miles gap"], "miles gap", None, ("miles gap", "km", False)),
        (["off2"], "off2", None, ("off2", "km", False)), (["7"], "7", None, ("7", "km", False)),
        (["id"], None, "km", None),
    ],
)  # fmt: skip
def test_the_column_of_errors_that_is_taken(names, asked, unit, chosen):
    found = choose_distances(names, "a.csv", asked, unit)
    assert (found and tuple(found)) == chosen


def test_what_is_no_choice_and_no_unit():
    with pytest.raises(FileError) as told:
        choose_distances(["error", "dist"], "a.csv")
    assert str(told.value) == (
        "a.csv: error, dist could all be the distances; name one with --distance-column "
        "(distance_column=)"
    )
    with pytest.raises(FileError, match="no column 'x' for distance_column"):
        choose_distances(["error"], "a.csv", "x")
    for unit in (None, "km", "m", "mi"):
        check_unit(unit)
    with pytest.raises(ValueError, match="distance_unit '' is unknown; expected one of km, m, mi"):
        check_unit("")
