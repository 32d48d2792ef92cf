"""What is told of a query on its way, and the time that a stream counts."""

import subprocess
import sys
import time

import pytest

from geodata import query
from geodata.query.clock import Clock


class Engine:
    """Stands for DuckDB, which says how far it is as it likes: -1 where it cannot know."""

    def __init__(self, *percents):
        self.percents = list(percents)

    def query_progress(self):
        return self.percents.pop(0) if self.percents else -1.0


def test_progress_is_told_from_0_to_100_where_it_is_known():
    told = []
    engine = Engine(-1.0, 0.0, 0.5, 50.0, 120.0)
    with Clock(engine, None, told.append):
        for _ in range(1000):
            if not engine.percents:
                break
            time.sleep(0.01)
    assert told == [0.0, 0.5, 50.0, 100.0]


def test_a_clock_looks_up_no_more_often_than_it_ticks():
    assert Clock(Engine(), 0.045)._wait() == 0.05
    assert Clock(Engine(), 100.0)._wait() > 90


def test_the_time_of_a_stream_counts_until_its_last_row(monkeypatch):
    """Also where nothing is left for DuckDB to do, and so nothing to interrupt."""
    with query.stream("FROM range(5000)", timeout_s=1000) as answer:
        assert next(answer.batches).num_rows == 2048
        later = time.monotonic() + 1000
        monkeypatch.setattr(time, "monotonic", lambda: later)
        with pytest.raises(query.QueryLimitError, match="longer than 1000 s"):
            next(answer.batches)


def test_the_time_is_over_when_it_is_used_up(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    clock = Clock(Engine(), 2.0)
    for now, over in ((6.9, False), (7.0, True), (7.1, True)):
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        assert clock.is_over is over


def test_a_stream_that_is_left_open_does_not_hold_up_the_end():
    code = (
        "from geodata import query\n"
        "left = query.stream('FROM range(5000)', timeout_s=1e6)\n"
        "print(next(left.__enter__().batches).num_rows)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "2048\n"
