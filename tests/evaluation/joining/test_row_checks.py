"""Checks of single rows, batch after batch: each limit from both sides, each row number."""

import numpy as np
import pyarrow as pa
import pytest

from geodata.evaluation.joining.matches.row_checks import (
    RowChecks,
    constant_answer,
    float_ids,
    is_summary,
    placeholders,
)
from geodata.evaluation.joining.sides import CheckedRows, check_rows
from geodata.files import Batch, Columns

NAN = float("nan")


def checked(lat, lon, **columns):
    table = pa.table({"lat": pa.array(lat), "lon": pa.array(lon), **columns})
    return check_rows(Batch(table, {}), Columns(None, "lat", "lon"))


def told(*batches, bad=()):
    checks = RowChecks()
    for i, rows in enumerate(batches):
        checks.add(rows, dict(bad) if i == 0 else None)
    return checks


def said(checks):
    return [str(one) for one in checks.findings()]


def test_nothing_is_said_of_no_rows_and_of_good_ones():
    assert RowChecks().findings() == told(checked([1.5], [2.5])).findings() == []


def test_rows_are_counted_on_over_batches_and_ten_are_named():
    blank = checked([None, "1", None], [None, "2", None])
    checks = told(*[blank] * 6)
    assert (checks.rows, checks.answered) == (18, 6)
    assert said(checks) == [
        "info: empty_answers: 12 rows hold no answer, and count as wrong (rows 1, 3, 4, 6, 7, 9, "
        "10, 12, 13, 15, ...). Nothing to do if the model did not answer."
    ]


def test_the_first_reason_of_damage_is_told():
    checks = RowChecks()
    for row, why in ((1, "two fields"), (0, "no JSON")):
        table = pa.table({"lat": ["1", None], "lon": ["2", None]})
        bad = {row: why}
        checks.add(check_rows(Batch(table, bad), Columns(None, "lat", "lon")), bad)
    told_ = [str(one) for one in checks.findings() if one.code == "damaged"]
    assert told_ == [
        "warning: damaged: 2 rows do not fit the format of the file (two fields) and count as "
        "wrong (rows 2, 3). Quote fields that hold commas or line breaks; write JSON with a JSON "
        "library."
    ]


def test_a_note_is_of_rows_of_this_batch_and_a_recount_of_all():
    checks = RowChecks(rows=100)
    checks.note("float_ids", np.array([False, True]), "'1e3'")
    checks.note("float_ids", np.array([False, False]), "nothing")
    checks.rows += 2
    checks.note("float_ids", np.array([True] * 12), "'2e3'")
    assert (checks.count, checks.reason) == ({"float_ids": 13}, {"float_ids": "'1e3'"})
    assert checks.first["float_ids"] == [101, *range(102, 111)]
    checks.recount("float_ids", np.arange(5, 17), "others")
    checks.recount("refused", np.array([], np.int64))
    assert (checks.count, checks.reason["float_ids"]) == ({"float_ids": 12, "refused": 0}, "others")
    assert checks.first == {"float_ids": list(range(5, 15)), "refused": []}
    assert [one.code for one in checks.findings()] == ["float_ids"]


@pytest.mark.parametrize(
    ("good", "lon", "swapped"),
    [(19, 90.0, True), (20, 90.0, False), (19, -90.5, False), (19, 90.5, False), (0, 5.0, True)],
)
def test_columns_are_swapped_from_one_latitude_in_twenty_on(good, lon, swapped):
    """A longitude beyond 90 degrees says that the columns are as they should be."""
    lats, lons = [95.0, *[1.5] * good], [5.0, *[lon] * good]
    found = told(checked(lats, lons))
    lines = [
        f"error: swapped_columns: 1 of {good + 1} rows have |latitude| > 90 and no longitude has: "
        "the columns are swapped (rows 1). "
        "Swap the headers, or name the columns with lat= and lon=."
    ]
    assert said(found)[:-1] == lines * swapped
    assert found.findings()[-1].code == "out_of_range"


@pytest.mark.parametrize(
    ("lat", "lon", "hint"),
    [
        (90.5, 90.0, 1),
        (-360.0, -90.0, 1),
        (360.5, 5.0, 0),
        (-360.5, 5.0, 0),
        (90.5, 90.5, 0),
        (89.0, 400.0, 0),
    ],
)
def test_a_latitude_that_could_be_a_longitude(lat, lon, hint):
    problems = checked([lat, 1.0], [lon, 1.0]).problems
    assert problems["lat_beyond_90"].tolist() == [bool(hint), False]
    assert problems["out_of_range"].tolist() == [True, False]


def test_null_island_is_both_numbers():
    checks = told(checked([0.0, 0.0, -0.0, None], [1.0, 0.0, 0.0, None]), checked([5.0], [0.0]))
    (found,) = checks.findings()[:1]
    assert [(one.code, one.rows, one.count) for one in checks.findings()] == [
        ("empty_answers", (4,), 1), ("null_island", (2, 3), 2)
    ]  # fmt: skip
    assert found.severity == "info"


def test_refused_unparsable_and_blank_words_are_three_things():
    status = np.array([0, 1, 2, 3, 4, 5, 5], np.uint8)
    place = np.where(np.isin(status, (0, 4)), 1.5, NAN)
    checks = told(CheckedRows(place, place, status, {}, {}))
    assert checks.answered == 2
    assert {one.code: one.rows for one in checks.findings()} == {
        "unparsable": (3,), "refused": (6, 7), "empty_answers": (2,)
    }  # fmt: skip


# placeholders


def counting_up():
    """Every number of four digits and more that count upwards, within half the globe."""
    for start in range(1, 7):
        for stop in range(start + 3, 10):
            digits = "".join(map(str, range(start, stop + 1)))
            yield from (float(f"{digits[:k]}.{digits[k:]}") for k in range(1, len(digits)))


def test_every_number_that_counts_up_is_a_placeholder():
    runs = np.array([value for value in counting_up() if value <= 180])
    assert len(runs) > 30
    assert placeholders(runs, runs[::-1]).all()
    assert placeholders(-runs, runs).all()
    other = [1.234, 12.34, 1.23, 12.3, 123.0, 2.34567891, 1.235, 0.1234, 13.24, NAN, 1234.0]
    good = [True, True] + [False] * 9
    assert placeholders(np.array(other), np.full(11, 5.678)).tolist() == good
    assert placeholders(np.full(11, 5.678), np.array(other)).tolist() == good
    assert placeholders(np.array([]), np.array([])).tolist() == []


def test_a_placeholder_is_both_numbers():
    checks = told(checked([12.3456, 12.3456, 50.1], [50.1, 123.4567, 123.4567]))
    assert [(one.code, one.rows) for one in checks.findings()] == [("placeholder", (2,))]


# one answer for all


@pytest.mark.parametrize(
    ("same", "others", "blank", "place", "told_"),
    [
        (5, 20, 9, (48.5, 2.5), True), (5, 21, 0, (48.5, 2.5), False),
        (4, 0, 9, (48.5, 2.5), False), (5, 0, 0, (48.5, 2.5), True),
        (9, 0, 0, (0.0, 0.0), False), (9, 0, 0, (0.0, 2.5), True), (9, 0, 0, (48.5, 0.0), True),
        (0, 4, 9, (1.0, 1.0), False),
    ],
)  # fmt: skip
def test_an_answer_is_constant_from_five_rows_and_a_fifth_on(same, others, blank, place, told_):
    lat = np.array([NAN] * blank + [10.0 + i for i in range(others)] + [place[0]] * same)
    lon = np.array([NAN] * blank + [20.0] * others + [place[1]] * same)
    found = constant_answer(lat, lon)
    first = blank + others + 1
    rows = ", ".join(str(first + i) for i in range(same))
    assert [str(one) for one in found] == [
        f"warning: constant_answer: {same} of {same + others} answers are the same place "
        f"({place[0]}, {place[1]}) (rows {rows}). "
        "Look whether a default or a cached answer was written."
    ] * told_


def test_ten_rows_of_a_constant_answer_are_told():
    (found,) = constant_answer(np.full(12, 1.5), np.full(12, 2.5))
    assert (found.rows, found.count) == (tuple(range(1, 11)), 12)


def test_of_pairs_only_both_numbers_make_one_place():
    lat, lon = np.repeat([1.0, 2.0, 3.0], 3), np.tile([7.0, 8.0, 9.0], 3)
    assert constant_answer(lat, lon) == []


@pytest.mark.parametrize(("rows", "seen"), [(199_999, True), (200_000, False)])
def test_from_two_hundred_thousand_rows_on_every_second_is_looked_at(rows, seen):
    lat = np.arange(rows) / rows
    lat[1::2] = 55.5  # between those that are looked at
    found = constant_answer(lat, np.full(rows, 2.5))
    assert [one.count for one in found] == [rows // 2] * seen


# rows that are no photos, and ids that are floats


@pytest.mark.parametrize(
    ("text", "alone", "with_place"),
    [
        ("Average", True, True), ("mean: 12", True, False), ("TOTAL:", True, True),
        ("median of all", True, True), ("average_7.jpg", True, False),
        ("max_planck.jpg", True, False),
        ("acc@25km", True, False), ("std", True, False), ("min", True, False),
        ("rows", True, False),
        ("meanwhile", False, False), ("7.jpg", False, False), ("", True, True), ("  ", True, True),
        (None, True, True), (" overall ", True, True), ("mean" + " " + "x" * 41, True, False),
        ("mean" + " " + "x" * 80, True, False), ("mean" + " " + "x" * 81, False, False),
    ],
)  # fmt: skip
def test_a_summary_is_told_by_its_id(text, alone, with_place):
    assert is_summary(text, has_place=False) == alone
    assert is_summary(text, has_place=True) == with_place
    blank = text is None or not text.strip()
    assert is_summary(text, has_place=False, damaged=True) == (alone and not blank)


def test_ids_that_are_floats_are_told_with_the_first():
    mask, first = float_ids(pa.chunked_array([["a", "1.5"], [None, "2e3"]]))
    assert (mask.tolist(), first) == ([False, True, False, True], "'1.5'")
    mask, first = float_ids(pa.array(["a", "15"]))
    assert (mask.tolist(), first) == ([False, False], "")
