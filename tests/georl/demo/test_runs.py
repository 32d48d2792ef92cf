"""Training runs side by side: how many, what is shown, what ends them (georl.demo.runs)."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from georl.config import dump, load, replace
from georl.demo import runs
from georl.demo.runs import DemoError, Job


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(runs, "POLL_S", 0.01)


def job(folder, name, task="sft"):
    given = [f"task={task}", f"output={folder / name}", "train.max_steps=10"]
    return Job(name, f"the run {name}", load(None, given))


@pytest.fixture
def started(monkeypatch):
    """Small programs in place of trainings, by the name of the job; notes what was started."""
    programs, begun = {}, []

    def start(job, workers, log):
        program = programs.get(job.name, "pass")
        process = subprocess.Popen([sys.executable, "-c", program], stdout=log, stderr=log)
        alive = sum(other.poll() is None for _, _, other in begun)
        assert alive < workers
        begun.append((job.name, workers, process))
        return process

    monkeypatch.setattr(runs, "_start", start)
    return programs, begun


def test_runs_that_are_finished_are_left_and_the_others_told_in_turn(tmp_path, started, capsys):
    _, begun = started
    (tmp_path / "b" / "final").mkdir(parents=True)
    (tmp_path / "b" / "final" / "COMPLETE").write_text("")
    runs.train_all([job(tmp_path, name) for name in "abcd"], 2, time.perf_counter() - 61.0)
    assert [(name, workers) for name, workers, _ in begun] == [("a", 2), ("c", 2), ("d", 2)]
    told = capsys.readouterr().out.splitlines()
    assert sorted(line.partition("] ")[2] for line in told) == [
        f"the run {name}: done" for name in "acd"
    ]
    assert {line[:3] for line in told} == {"[  "}
    assert all(61 <= int(line[1:5]) < 121 for line in told)
    begun.clear()
    runs.train_all([job(tmp_path, "e")], 2, time.perf_counter())
    assert [workers for _, workers, _ in begun] == [1]  # which has all cores then
    runs.train_all([job(tmp_path, "b")], 2, time.perf_counter())
    assert len(begun) == 1


def test_two_are_trained_at_a_time(tmp_path, started):
    programs, begun = started
    wait = "import pathlib, time\nwhile not pathlib.Path({!r}).exists(): time.sleep(0.01)"
    programs["b"] = f"open({str(tmp_path / 'sign')!r}, 'w')"
    programs["a"] = wait.format(str(tmp_path / "sign"))  # ends only if b runs beside it
    runs.train_all([job(tmp_path, name) for name in "ab"], 2, 0.0)
    assert len(begun) == 2


def test_a_run_that_fails_ends_the_others_and_shows_the_end_of_its_log(tmp_path, started):
    programs, begun = started
    programs["a"] = programs["c"] = "import time; time.sleep(60)"
    said = "b'\\xff' + b'x' * 3000 + b' the end'"  # of which the first is no UTF-8
    programs["b"] = f"import sys; sys.stdout.buffer.write({said}); sys.exit(3)"
    with pytest.raises(DemoError) as caught:
        runs.train_all([job(tmp_path, name) for name in "abc"], 3, 0.0)
    first, _, rest = str(caught.value).partition("\n")
    assert first == f"b stopped with status 3; the end of {tmp_path / 'b.log'}:"
    assert rest == "x" * (2000 - 8) + " the end"
    # none is left to end by itself, whichever was started first
    assert [process.returncode < 0 for name, _, process in begun if name != "b"] == [True, True]


def test_a_run_that_was_killed_has_failed(tmp_path, started):
    """For want of memory, for one: the demo goes on with no half-trained model."""
    programs, _ = started
    programs["a"] = "import os; os.kill(os.getpid(), 9)"
    with pytest.raises(DemoError, match=r"^a stopped with status -9; the end of "):
        runs.train_all([job(tmp_path, "a")], 1, 0.0)


@pytest.mark.parametrize(("name", "value"), [("seed", 1), ("train.max_steps", 9)])
def test_a_finished_run_of_other_settings_is_not_taken_for_this_one(
    tmp_path, started, monkeypatch, name, value
):
    """As where a quick demo stands in the folder, and the whole one is started."""
    _, begun = started
    ours = job(tmp_path, "a")
    (tmp_path / "a" / "final").mkdir(parents=True)
    (tmp_path / "a" / "final" / "COMPLETE").write_text("")
    (tmp_path / "a.yaml").write_text(dump(ours.config))
    monkeypatch.chdir(tmp_path.parent)  # the same folder by another name
    runs.train_all([job(Path(tmp_path.name), "a")], 1, 0.0)
    other = replace(ours.config, **{name.replace(".", "__"): value})
    with pytest.raises(DemoError) as caught:
        runs.train_all([Job("b", "b", job(tmp_path, "b").config), Job("a", "a", other)], 1, 0.0)
    assert str(caught.value) == (
        f"{tmp_path / 'a'} holds a run of other settings (seed 0, 10 steps); give another "
        "--output, or delete it"
    )
    (tmp_path / "a.yaml").write_text("no: setting")
    with pytest.raises(DemoError, match="holds a run of other settings; give another"):
        runs.train_all([ours], 1, 0.0)
    assert begun == []


def test_a_model_that_was_written_in_part_is_trained_again(tmp_path, started):
    _, begun = started
    (tmp_path / "a" / "final").mkdir(parents=True)
    (tmp_path / "a" / "final" / "config.json").write_text("{}")
    runs.train_all([job(tmp_path, "a")], 1, 0.0)
    assert [name for name, _, _ in begun] == ["a"]


@pytest.mark.parametrize(("task", "field"), [("sft", "loss"), ("grpo", "reward")])
def test_a_line_shows_where_a_run_stands(tmp_path, monkeypatch, task, field):
    folder = tmp_path / "a"
    folder.mkdir()
    with runs._progress() as bar:
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        monkeypatch.setattr(runs, "_start", lambda *_: process)
        running = runs._Running(job(tmp_path, "a", task), 1, bar)
        (line,) = bar.tasks
        assert (line.description, line.total, line.fields["shown"]) == (
            "the run a", 10, "starting"
        )  # fmt: skip
        assert not running.over()
        assert line.fields["shown"] == "starting"
        rows = [{"step": 2, field: 0.5}, {"step": 3, field: 0.25}]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
        assert not running.over()
        assert (line.completed, line.fields["shown"]) == (3, f"{field} 0.250")
        with (folder / "metrics.jsonl").open("a") as file:
            file.write('{"step": 10}\n')
        assert not running.over()
        assert (line.completed, line.fields["shown"]) == (10, "")
        process.communicate(b"\n")
        assert running.over()
        assert bar.tasks == []
        assert running._log.closed


def test_the_display_is_a_terminal_s_and_goes_with_it():
    bar = runs._progress()
    assert bar.disable  # what is no terminal gets lines alone
    assert bar.live.transient
    assert bar.columns[1].bar_width == 24


def test_a_run_is_the_command_with_its_settings_beside_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GIVEN", "kept")
    asked = {}
    monkeypatch.setattr(subprocess, "Popen", lambda command, **given: asked.update(
        given, command=command))  # fmt: skip
    one = job(tmp_path, "a", "grpo")
    runs._start(one, 1, log := object())
    path = tmp_path / "a.yaml"
    assert asked["command"] == [sys.executable, "-m", "georl.cli", "grpo", str(path)]
    assert load(path) == one.config
    assert asked["stdout"] is asked["stderr"] is log
    assert asked["text"] is True
    environment = asked["env"]
    assert (environment["GIVEN"], environment["TRANSFORMERS_VERBOSITY"]) == ("kept", "error")
    assert environment["OMP_NUM_THREADS"]


def test_threads_are_at_least_one_where_cores_are_not_known(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert runs._environment(2)["OMP_NUM_THREADS"] == "1"
    assert runs.MAX_THREADS == 4


def test_what_a_run_prints_is_beside_its_folder(tmp_path, started):
    programs, _ = started
    programs["a"] = "import sys; print('hello'); print('there', file=sys.stderr)"
    runs.train_all([job(tmp_path, "a")], 1, 0.0)
    assert sorted(Path(tmp_path / "a.log").read_text().split()) == ["hello", "there"]
