"""The lines of a run's record, as they come back after a kill (georl.run.record)."""

import math

from hypothesis import given, strategies as st

from georl.run import JsonLines

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


def test_numbers_that_json_does_not_have_are_null(tmp_path):
    log = JsonLines(tmp_path / "metrics.jsonl")
    log.write([{"step": 1, "loss": math.nan}, {"step": 2, "loss": math.inf, "at": "\u2028\x85"}])
    assert [row["loss"] for row in log.read()] == [None, None]
