"""Ctrl-C and SIGTERM while DuckDB works: heard at once, as what they are."""

import signal
import threading

import pytest

from geodata import query
from geodata.query.hearing import Hearing

LIMIT_S = 60.0
"""Longer than any of these would wait; a signal that is not heard ends in this limit's error."""

PAIRS = "FROM range(10_000_000) a, range(10_000_000) b"
STATEMENTS = {
    "one row at the end": f"SELECT sum(a.range * b.range) {PAIRS}",
    "a row now and then": f"SELECT a.range {PAIRS} WHERE (a.range * b.range) % 1000000007 = 7",
    "no row ever": f"SELECT a.range {PAIRS} WHERE a.range + b.range = -1",
    "many rows": f"SELECT a.range {PAIRS}",
}


@pytest.fixture(params=[KeyboardInterrupt, lambda: SystemExit(143)], ids=["Ctrl-C", "SIGTERM"])
def stop(request):
    """What a signal raises half a second from now."""
    error = request.param()

    def handler(*_):
        raise error

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    yield error
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_a_signal_ends_a_query_at_once(stop, statement):
    threads = threading.active_count()
    with (
        pytest.raises(type(stop)) as caught,
        query.stream(statement, timeout_s=LIMIT_S) as answer,
    ):
        for _ in answer.batches:
            pass
    assert caught.value is stop
    assert threading.active_count() == threads


def test_the_connection_goes_on_after_a_step_was_stopped(stop):
    with query.connect() as con, Hearing(con) as hearing:
        with pytest.raises(type(stop)):
            hearing.step(lambda: con.sql(STATEMENTS["one row at the end"]).fetchall())
        assert hearing.step(lambda: con.sql("SELECT 6 * 7").fetchall()) == [(42,)]


def test_an_error_of_a_step_is_raised_as_it_is_and_interrupts_nothing():
    with query.connect() as con, Hearing(con) as hearing:
        interrupted = []
        con.interrupt = lambda: interrupted.append(1)
        with pytest.raises(ZeroDivisionError):
            hearing.step(lambda: 1 // 0)
        assert hearing.step(lambda: 7) == 7
        assert not interrupted
