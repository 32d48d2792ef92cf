"""Ctrl-C and SIGTERM while DuckDB works: heard at once, as what they are."""

import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from geodata import datasets, query, tables
from geodata.query import objects
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
    """What a signal raises; `until_stopped` asks for it."""
    error = request.param()

    def handler(*_):
        raise error

    query.run("SELECT 1")  # loads what is loaded at first use: an import is not what is stopped
    before = signal.signal(signal.SIGALRM, handler)
    yield error
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def until_stopped(call, *args, **options):
    """Ask for the signal half a second from now, and call: a busy machine takes long to begin."""
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    call(*args, **options)


def gone_through(statement):
    with query.stream(statement, timeout_s=LIMIT_S) as answer:
        for _ in answer.batches:
            pass


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_a_signal_ends_a_query_at_once(stop, statement):
    threads = threading.active_count()
    with pytest.raises(type(stop)) as caught:
        until_stopped(gone_through, statement)
    assert caught.value is stop
    assert threading.active_count() == threads


def test_the_connection_goes_on_after_a_step_was_stopped(stop):
    with query.connect() as con, Hearing(con) as hearing:
        endless = con.sql(STATEMENTS["one row at the end"])
        with pytest.raises(type(stop)):
            until_stopped(hearing.step, endless.fetchall)
        assert hearing.step(lambda: con.sql("SELECT 6 * 7").fetchall()) == [(42,)]


class Late(ThreadPoolExecutor):
    """Stopped while a step is handed over: before the other thread knows of it, or after."""

    def __init__(self, known, error):
        super().__init__(1)
        self.known, self.error = known, error

    def submit(self, *given):
        if self.known:
            super().submit(*given)
        raise self.error


@pytest.mark.parametrize("known", [False, True])
def test_a_step_that_was_stopped_while_it_was_handed_over_is_over(known):
    """Else the connection would be busy when it is closed, and that would be told instead."""
    called = []
    with query.connect() as con, Hearing(con) as hearing:
        endless = con.sql(STATEMENTS["no row ever"])
        usual, hearing._beside = hearing._beside, Late(known, KeyboardInterrupt("now"))
        with pytest.raises(KeyboardInterrupt, match="now"):
            hearing.step(lambda: called.append(1) or endless.fetchall())
        hearing._beside.shutdown()
        hearing._beside = usual
        assert hearing.step(lambda: con.sql("SELECT 6 * 7").fetchall()) == [(42,)]
    assert known or not called


def test_an_error_of_a_step_is_raised_as_it_is_and_interrupts_nothing():
    with query.connect() as con, Hearing(con) as hearing:
        interrupted = []
        con.interrupt = lambda: interrupted.append(1)
        with pytest.raises(ZeroDivisionError):
            hearing.step(lambda: 1 // 0)
        assert hearing.step(lambda: 7) == 7
        assert not interrupted


@pytest.fixture
def endless(tmp_path, monkeypatch):
    """The project's SQL, with an audit and a macro of which neither comes to an end."""
    folder = tmp_path / "sql"
    shutil.copytree(query.sql_folder(), folder)
    monkeypatch.setattr(objects, "sql_folder", lambda: folder)

    def make(name):
        path = next(folder.glob(f"*/{name}.sql"))
        count = f"(SELECT count(*) {PAIRS} WHERE a.range + b.range = -1)"
        if path.parent.name == "audits":
            text = f"CREATE OR REPLACE MACRO {name}(photos) AS TABLE (SELECT {count} AS n)"
        else:
            text = f"CREATE OR REPLACE TABLE {name} AS SELECT {count} AS n"
        path.write_text(text)

    return make


def test_a_signal_while_a_connection_is_opened_is_heard_as_what_it_is(stop, endless):
    """DuckDB says of a statement of the main thread only that it was interrupted."""
    endless("within_km")
    for call, given in ((query.connect, ()), (query.run, ("SELECT 1",))):
        with pytest.raises(type(stop)) as caught:
            until_stopped(call, *given)
        assert caught.value is stop


def test_a_signal_while_a_dataset_is_audited_is_heard_as_what_it_is(stop, endless, tmp_path):
    rows = pa.table({"photo_id": ["a"], "lat": [1.0], "lon": [2.0]})
    tables.write(tmp_path / "labelled", rows)
    datasets.build("rand", tmp_path, n=1)
    endless("dataset_duplicate_ids")
    threads = threading.active_count()
    with pytest.raises(type(stop)) as caught:
        until_stopped(datasets.audit, tmp_path, "rand")
    assert caught.value is stop
    assert threading.active_count() == threads
