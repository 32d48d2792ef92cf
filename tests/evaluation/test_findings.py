"""Findings: rows from 1, ten of them, errors first, and what fails a run."""

import json

import pytest

from geodata.errors import GeodataError
from geodata.evaluation.findings import (
    Finding,
    PredictionError,
    errors_first,
    failing,
    finding,
    with_missing_excluded,
)


def made(code="x", severity="warning", message="m", **more):
    return finding(code, severity, message, "Do.", **more)


@pytest.mark.parametrize(
    ("rows", "count", "shown", "total", "words"),
    [
        ([], None, (), 0, "m. Do."),
        ([], 7, (), 7, "m. Do."),
        ([0], None, (1,), 1, "m (rows 1). Do."),
        ([4, 2], None, (5, 3), 2, "m (rows 5, 3). Do."),
        ([4, 2], 3, (5, 3), 3, "m (rows 5, 3, ...). Do."),
        (range(10), None, tuple(range(1, 11)), 10, "m (rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10). Do."),
        (range(11), None, tuple(range(1, 11)), 11,
         "m (rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...). Do."),
        (range(11), 40, tuple(range(1, 11)), 40,
         "m (rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...). Do."),
    ],
)  # fmt: skip
def test_ten_rows_are_named_and_all_are_counted(rows, count, shown, total, words):
    found = made(rows=rows, count=count)
    assert (found.rows, found.count) == (shown, total)
    assert str(found) == f"warning: x: {words}"
    assert json.loads(json.dumps(found.as_dict())) == {
        "code": "x", "severity": "warning", "message": "m", "rows": list(shown), "count": total,
        "remedy": "Do.",
    }  # fmt: skip


def test_an_error_is_raised_with_its_finding_and_without_its_severity():
    error = PredictionError(made(severity="error", rows=[2]))
    assert str(error) == "x: m (rows 3). Do."
    assert error.finding.code == "x"
    assert isinstance(error, ValueError)
    assert isinstance(error, GeodataError)
    assert error.exit_status == 1


def test_errors_come_first_each_once_and_in_their_order():
    words = [("a", "info"), ("b", "warning"), ("c", "error"), ("b", "warning"), ("d", "error"),
             ("e", "info"), ("f", "warning")]  # fmt: skip
    found = errors_first(made(*one) for one in words)
    assert [one.code for one in found] == ["c", "d", "b", "f", "a", "e"]
    assert errors_first([made(), made(message="other")]) == [made(), made(message="other")]


def test_warnings_fail_a_strict_run():
    found = [made(severity=one) for one in ("info", "warning", "error")]
    assert failing(found) == failing(found, strict=False) == found[2:]
    assert failing(found, strict=True) == found[1:]


def test_what_is_excluded_is_not_counted():
    told = made(message="2 rows hold nothing, and count as wrong", rows=[1, 2])
    plain = made(message="3 rows count as wrong")
    found = with_missing_excluded([told, plain])
    assert found == [
        Finding("x", "warning", "2 rows hold nothing, and are not counted", (2, 3), 2, "Do."), plain
    ]  # fmt: skip
