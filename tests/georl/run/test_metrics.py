"""What the trainer logs becomes a line of metrics.jsonl, with times and tokens a second."""

import time
from types import SimpleNamespace

import pytest

from georl.run import JsonLines, metrics
from georl.run.metrics import MetricsCallback
from georl.run.record import METRICS


def at(step, history=(), first=True):
    return SimpleNamespace(global_step=step, log_history=list(history), is_world_process_zero=first)


def test_a_line_holds_numbers_times_and_the_speed_since_the_line_before(tmp_path):
    made = MetricsCallback(tmp_path)
    before = time.perf_counter()
    made.on_train_begin(
        None, at(3, [{"num_tokens": n} for n in (20.0, 40.0, 100.0)] + [{"loss": 1.0}]), None
    )
    time.sleep(0.05)
    made.on_log(
        None, at(4), None, logs={"loss": 1.5, "num_tokens": 600, "train_loss": 9.0, "word": "x"}
    )
    time.sleep(0.05)
    made.on_log(None, at(5), None, logs={"loss": 1.25})
    made.on_log(None, at(6), None, logs={"num_tokens": 700})
    after = time.perf_counter()
    made.on_log(None, at(7, first=False), None, logs={"loss": 1.0})
    made.on_log(None, at(7), None, logs={})
    made.on_log(None, at(7), None)
    first, second, third = JsonLines(tmp_path / METRICS).read()
    assert first.keys() == {
        "step",
        "seconds",
        "cpu_seconds",
        "tokens_per_second",
        "loss",
        "num_tokens",
    }
    assert (first["step"], first["loss"], first["num_tokens"]) == (4, 1.5, 600.0)
    assert second.keys() == {"step", "seconds", "cpu_seconds", "loss"}
    assert 0.05 <= first["seconds"] <= second["seconds"] <= third["seconds"]
    assert third["seconds"] <= after - before + 0.001
    for row in (first, second, third):
        assert row["seconds"] == round(row["seconds"], 3)
        assert row["cpu_seconds"] == round(row["cpu_seconds"], 3)
    assert first["tokens_per_second"] == pytest.approx(500 / first["seconds"], rel=0.05)
    since = third["seconds"] - first["seconds"]  # the line without tokens does not count
    assert third["tokens_per_second"] == pytest.approx(100 / since, rel=0.05)


def test_a_checkpoint_is_logged_before(tmp_path):
    for saves, logs in ((True, False), (False, True), (False, False)):
        control = SimpleNamespace(should_save=saves, should_log=logs)
        MetricsCallback(tmp_path).on_step_end(None, None, control)
        assert control.should_log is (saves or logs)


@pytest.fixture
def clock(monkeypatch):
    """Seconds of the wall and of the processor, as the test sets them."""
    now = SimpleNamespace(wall=100.0, cpu=7.0)
    monkeypatch.setattr(
        metrics,
        "time",
        SimpleNamespace(perf_counter=lambda: now.wall, process_time=lambda: now.cpu),
    )
    return now


def test_times_to_the_letter(tmp_path, clock):
    """Seconds since training began, not since the trainer was made; tokens since the last count."""
    made = MetricsCallback(tmp_path)
    clock.wall = 160.0
    made.on_train_begin(None, at(0), None)
    clock.wall, clock.cpu = 162.50049, 9.12349
    made.on_log(None, at(1), None, logs={"num_tokens": 30})
    made.on_log(None, at(1), None, logs={"num_tokens": 40})  # at the same instant: no rate
    clock.wall = 166.50049
    made.on_log(None, at(2), None, logs={"num_tokens": 51, "loss": 2, "word": "x", "none": None})
    assert JsonLines(tmp_path / METRICS).read() == [
        {"step": 1, "seconds": 2.5, "cpu_seconds": 9.123, "tokens_per_second": 12.0,
         "num_tokens": 30.0},
        {"step": 1, "seconds": 2.5, "cpu_seconds": 9.123, "num_tokens": 40.0},
        {"step": 2, "seconds": 6.5, "cpu_seconds": 9.123, "tokens_per_second": 5.2,
         "num_tokens": 51.0, "loss": 2.0},
    ]  # fmt: skip


def test_without_a_start_and_without_tokens_before_it_counts_from_nothing(tmp_path, clock):
    made = MetricsCallback(tmp_path)
    clock.wall = 110.0
    made.on_log(None, at(1), None, logs={"num_tokens": 30})
    made.on_train_begin(None, at(1, [{"loss": 1.0}]), None)
    clock.wall = 120.0
    made.on_log(None, at(2), None, logs={"num_tokens": 50})
    rows = JsonLines(tmp_path / METRICS).read()
    assert [(row["seconds"], row["tokens_per_second"]) for row in rows] == [
        (10.0, 3.0),
        (10.0, 5.0),
    ]
