"""Counts of an import that comes in batches, and its advice."""

import dataclasses

import pyarrow as pa
import pytest

from geodata.photos.report import ImportReport, Tally

REPORT = ImportReport(
    target="t", version=None, format="csv", detected="", columns={"lat": "y", "lon": "x"},
    rows=200, statuses={}, unreadable=(), beyond_pole=3, made_by={},
)  # fmt: skip


def batch(first, *statuses, ids=None):
    rows = range(first, first + len(statuses))
    told = [f"row {row}" if one == "unreadable" else None for row, one in zip(rows, statuses)]
    return pa.table({
        "photo_id": pa.array(ids or [str(row) for row in rows]), "status": list(statuses),
        "source_row": list(rows), "reason": pa.array(told, pa.string()),
    })  # fmt: skip


def test_batches_add_up():
    tally = Tally()
    tally.add(batch(0, "ok", "missing", "ok", ids=["a", "b", "a"]), 2)
    tally.add(batch(3, "ok", "unreadable", ids=["a", "c"]), 5)
    assert (tally.rows, tally.beyond) == (5, 7)
    counts = {name: count for name, count in tally.statuses.items() if count}
    assert counts == {"ok": 3, "missing": 1, "unreadable": 1}
    assert tally.unreadable == [(4, "row 4")]
    assert tally.ids.repeated() == 2


def test_the_first_twenty_unreadable_rows_are_told_over_batches():
    tally = Tally()
    tally.add(batch(0, *["unreadable"] * 15), 0)
    tally.add(batch(15, "ok", *["unreadable"] * 15), 0)
    tally.add(batch(31, "unreadable"), 0)
    rows = [*range(15), *range(16, 21)]
    assert tally.unreadable == [(row, f"row {row}") for row in rows]
    assert tally.statuses["unreadable"] == 31


@pytest.mark.parametrize(("beyond", "rows", "hinted"), [(2, 200, False), (3, 200, True),
                                                        (0, 0, False), (1, 99, True)])  # fmt: skip
def test_one_latitude_in_a_hundred_may_be_wrong(beyond, rows, hinted):
    report = dataclasses.replace(REPORT, beyond_pole=beyond, rows=rows)
    assert report.swap_hint == (
        f"{beyond} of {rows} values in 'y' are beyond ±90: latitude and longitude may be swapped; "
        "try --lat x --lon y"
        if hinted
        else None
    )


@pytest.mark.parametrize("ids", ["column", "image", "row number"])
def test_row_numbers_as_ids_are_advised_against(ids):
    assert dataclasses.replace(REPORT, ids=ids).id_hint == (
        "no column names the photos, so their ids are row numbers, and rows of another file have "
        "the same; name a column with --id"
        if ids == "row number"
        else None
    )


def test_what_is_not_said_is_not_known():
    assert (REPORT.repeated_ids, REPORT.known_ids, REPORT.raw, REPORT.ids) == (
        None, None, {}, "column",
    )  # fmt: skip
