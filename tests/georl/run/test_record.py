"""The lines of a run's record, as they come back after a kill (georl.run.record)."""

import math

import pytest
from hypothesis import given, strategies as st

from georl.run import JsonLines, record

ROWS = st.lists(st.fixed_dictionaries({"step": st.integers(0, 9), "answer": st.text()}))


@given(ROWS, st.integers(0, 9))
def test_rows_come_back_whatever_the_answers_hold(tmp_path_factory, rows, step):
    log = JsonLines(tmp_path_factory.mktemp("log") / "metrics.jsonl")
    log.write(rows)
    with log.path.open("a", encoding="utf-8") as file:
        file.write('{"step": 3, "ans')  # a line that a kill cut short
    assert log.read() == rows
    log.cut_back(step)
    assert log.read() == [row for row in rows if row["step"] <= step]


@pytest.mark.parametrize("kept", range(1, 12))
def test_a_line_may_be_cut_short_inside_a_letter(tmp_path, kept):
    """Rows of many groups are written in pieces, and letters of two or three bytes have no half."""
    log = JsonLines(tmp_path / "groups.jsonl")
    log.write([{"step": 1, "country": "Österreich"}])
    with log.path.open("ab") as file:
        file.write('{"a": "Ö中"'.encode()[:kept])
    assert log.read() == [{"step": 1, "country": "Österreich"}]
    log.cut_back(1)
    assert log.path.read_bytes() == '{"step": 1, "country": "Österreich"}\n'.encode()


def test_numbers_that_json_does_not_have_are_null(tmp_path):
    log = JsonLines(tmp_path / "metrics.jsonl")
    log.write([{"step": 1, "loss": math.nan}, {"step": 2, "loss": math.inf, "at": "\u2028\x85"}])
    assert [row["loss"] for row in log.read()] == [None, None]


def test_a_file_is_utf_8_that_a_person_can_read(tmp_path):
    log = JsonLines(tmp_path / "metrics.jsonl")
    log.write([{"step": 1, "answer": "Österreich"}])
    log.write([{"step": 2, "loss": -math.inf, "deep": 1.5, "none": None}])
    assert (
        log.path.read_bytes()
        == (
            '{"step": 1, "answer": "Österreich"}\n'
            '{"step": 2, "loss": null, "deep": 1.5, "none": null}\n'
        ).encode()
    )


def test_a_row_without_a_step_belongs_to_the_start(tmp_path):
    log = JsonLines(tmp_path / "metrics.jsonl")
    log.write([{"about": "run"}, {"step": 1}, {"step": 2}])
    log.cut_back(1)
    assert log.read() == [{"about": "run"}, {"step": 1}]
    log.cut_back(0)
    assert log.read() == [{"about": "run"}]
    log.cut_back(-1)
    assert log.read() == []
    assert log.path.is_file()


def test_a_log_that_is_not_there_is_empty_and_stays_so(tmp_path):
    log = JsonLines(tmp_path / "metrics.jsonl")
    assert log.read() == []
    log.cut_back(3)
    assert not log.path.exists()
    record.cut_back(tmp_path, -1)
    record.cut_back(tmp_path, 3)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("step-000004-000.parquet", True),
        ("step-000004-12.parquet", True),
        ("step-1000000-000.parquet", True),
        ("step-00004-000.parquet", False),
        ("step-000004.parquet", False),
        ("step-000004-000.parquet.bak", False),
        ("my-step-000004-000.parquet", False),
    ],
)
def test_a_part_of_the_rollouts_is_known_by_its_whole_name(tmp_path, name, ours):
    (tmp_path / "rollouts").mkdir()
    (tmp_path / "rollouts" / name).touch()
    record.cut_back(tmp_path, 3)
    assert (tmp_path / "rollouts" / name).exists() != ours
