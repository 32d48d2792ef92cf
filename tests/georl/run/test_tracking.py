"""A tracker takes the figures of a run, or is refused before it starts (georl.run.tracking)."""

import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading

import pytest
import torch
from transformers import TrainerCallback

from georl import data, run, sft
from georl.config import ConfigError, check, checks, load, replace
from georl.run import JsonLines, launch, tracking

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

RUN = [*SMALL, "task=sft", "train.batch=8", "train.per_device=8", "max_steps=3"]


def run_of(folder, *more):
    where = [f"data.places={write_places(folder)}", f"output={folder / 'my-run'}"]
    return load(None, [*RUN, "train.logging_steps=1", *where, *more])


def fresh(monkeypatch, name):
    """Let a module be looked for anew, and forgotten after the test."""
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, name)


# --- before the work starts -----------------------------------------------------------------


@pytest.mark.parametrize("name", checks.TRACKERS)
def test_a_missing_package_is_told_before_anything_is_written(tmp_path, monkeypatch, name):
    """Also beside a folder of that name, as wandb leaves one behind where it ran."""
    run = run_of(tmp_path, f"train.report_to=[{name}]")
    (tmp_path / "here" / name).mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "here")])
    fresh(monkeypatch, name)
    with pytest.raises(ConfigError, match=f"needs {name}, which is not installed; pip install"):
        launch.check_start(run)
    assert not (tmp_path / "my-run").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("[wandbb]", "has 'wandbb'; did you mean wandb? There are trackio, tensorboard, wandb"),
        ("[tensorboard, mlflow]", "has 'mlflow'; there are trackio, tensorboard, wandb, or [] for"),
        ("all", "has 'all'; there are"),
    ],
)
def test_a_tracker_that_is_none_is_refused_with_those_there_are(given, said):
    with pytest.raises(ConfigError, match=re.escape(f"train.report_to {said}")):
        check(load(None, [f"train.report_to={given}"]))
    check(load(None, ["train.report_to=[trackio, tensorboard, wandb]"]))


STAND_IN = """
import os
class Error(Exception): pass
class UsageError(Error): pass
class _Settings:
    mode = os.environ["SAID_MODE"]
    base_url = os.environ["SAID_URL"]
def setup():
    return type("Setup", (), {"settings": _Settings})
def login():
    if os.environ["SAID_KEY"] == "none":
        raise UsageError("No API key configured. Log in.\\nMore of it.\\nAnd more.")
"""
"""As much of wandb as is asked before a run."""


@pytest.fixture
def wandb(tmp_path, monkeypatch):
    """A function that says how wandb is set up; what stands in for it asks no network."""
    (tmp_path / "path" / "wandb").mkdir(parents=True)
    (tmp_path / "path" / "wandb" / "__init__.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path / "path")
    for name in ("WANDB_PROJECT", "RANK"):
        monkeypatch.setenv(name, "x")  # so that it is put back
        monkeypatch.delenv(name)

    def said(mode="online", url="http://127.0.0.1:1", key="there"):
        fresh(monkeypatch, "wandb")
        for name, value in {"MODE": mode, "URL": url, "KEY": key}.items():
            monkeypatch.setenv(f"SAID_{name}", value)

    return said


@pytest.fixture
def server():
    """A server that knows nobody."""

    class Nobody(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Nobody) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


def test_wandb_without_a_network_is_told_and_not_waited_for(tmp_path, wandb):
    wandb()
    with pytest.raises(ConfigError) as error:
        launch.check_start(run_of(tmp_path, "train.report_to=[wandb]"))
    assert re.fullmatch(
        r"wandb's server http://127.0.0.1:1 cannot be reached \(.*refused\); set "
        r"WANDB_MODE=offline and send the run later with wandb sync, or take it out of "
        r"train\.report_to",
        str(error.value),
    )
    assert not (tmp_path / "my-run").exists()


def test_wandb_without_a_key_is_told_with_the_ways_to_one(wandb, server):
    run = load(None, ["train.report_to=[tensorboard, wandb]"])
    wandb(url=server, key="none")
    said = tracking.refused(run)
    assert said.startswith("wandb lets nobody in (No API key configured. Log in); run wandb login,")
    assert said.endswith("with wandb sync, or take it out of train.report_to")
    wandb(url=server)
    assert tracking.refused(run) is None


def test_a_server_that_takes_a_connection_and_says_nothing_is_not_waited_for(wandb, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr("georl.http.REACH_S", 0.2)
        wandb(url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        said = tracking.refused(load(None, ["train.report_to=[wandb]"]))
    assert "cannot be reached (timed out); set WANDB_MODE=offline" in said


def test_a_server_that_greets_is_there(wandb, tmp_path):
    """urllib reads a file as it reads a page: no status, no error."""
    (tmp_path / "page").write_text("welcome")
    wandb(url=(tmp_path / "page").as_uri())
    assert tracking.refused(load(None, ["train.report_to=[wandb]"])) is None


@pytest.mark.parametrize("mode", ["offline", "disabled"])
def test_wandb_that_asks_no_server_needs_neither(wandb, mode):
    wandb(mode=mode, key="none")
    assert tracking.refused(load(None, ["train.report_to=[wandb]"])) is None


def test_only_the_process_that_logs_is_asked_and_only_of_wandb(wandb, monkeypatch):
    wandb()
    assert tracking.refused(load(None, ["train.report_to=[tensorboard]"])) is None
    assert "WANDB_PROJECT" not in os.environ
    run = load(None, ["train.report_to=[wandb]"])
    for rank, told in (("1", False), ("0", True)):
        monkeypatch.setenv("RANK", rank)
        assert (tracking.refused(run) is not None) == told
    assert os.environ["WANDB_PROJECT"] == "georl"
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    tracking.refused(run)
    assert os.environ["WANDB_PROJECT"] == "mine"


# --- while it runs --------------------------------------------------------------------------


def test_runs_are_called_by_their_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tracking.names(load(None, ["output=a/b-7/"])) == {"run_name": "b-7", "project": "georl"}
    assert tracking.names(load(None, ["output=."]))["run_name"] == tmp_path.name
    assert tracking.names(load(None, ["output=/"]))["run_name"] == "georl"


@pytest.fixture
def tracker(tmp_path, monkeypatch):
    """A tracker's module whose call fails."""
    for name in ("trackio", "wandb"):
        text = "def log():\n    raise OSError('the disk is full\\nand more\\nand more')\n"
        (tmp_path / f"{name}.py").write_text(text)
        fresh(monkeypatch, name)
    monkeypatch.syspath_prepend(tmp_path)
    return __import__


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trackio", "trackio failed (OSError: the disk is full); take it out of train.report_to;"),
        ("wandb", "wandb failed (OSError: the disk is full); set WANDB_MODE=offline and send the"),
    ],
)
def test_what_a_tracker_raises_is_told_by_its_name(tracker, name, said):
    with pytest.raises(ConfigError) as error, tracking.explained(["tensorboard", name]):
        tracker(name).log()
    assert str(error.value).startswith(said)
    assert str(error.value).endswith("the run goes on from its last checkpoint")
    with pytest.raises(OSError, match="the disk is full"), tracking.explained(["tensorboard"]):
        tracker(name).log()
    with pytest.raises(OSError, match="another"), tracking.explained([name]):
        raise OSError("another")


def test_the_tracker_is_told_that_failed_and_not_one_of_like_name(tmp_path, monkeypatch):
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "__init__.py").write_text("")
    deep = "def call(other):\n    other() if other else [][0]\n"
    (tmp_path / "wandb" / "deep.py").write_text(deep)
    (tmp_path / "trackio_more.py").write_text(deep)
    (tmp_path / "trackio.py").write_text(deep)
    for name in ("wandb", "wandb.deep", "trackio_more", "trackio"):
        fresh(monkeypatch, name)
    monkeypatch.syspath_prepend(tmp_path)
    from trackio import call as trackio
    from trackio_more import call as like
    from wandb.deep import call as wandb

    with pytest.raises(IndexError), tracking.explained(["trackio", "wandb"]):
        like(None)
    with (
        pytest.raises(ConfigError, match=r"^wandb failed"),
        tracking.explained(["trackio", "wandb"]),
    ):
        wandb(None)
    both = [["trackio", "wandb"], ["wandb", "trackio"]]
    for trackers in both:  # one below the other: the first of the run's list
        with pytest.raises(ConfigError) as error, tracking.explained(trackers):
            trackio(lambda: wandb(None))
        assert str(error.value).startswith(f"{trackers[0]} failed")
    with tracking.explained(["wandb"]):
        pass


def test_a_tracker_that_fails_in_a_run_ends_it_with_a_word(tmp_path, tracker):
    torch.set_num_threads(1)
    made = run_of(tmp_path)
    given = data.trainer_inputs(made, completions=True)

    class Logs(TrainerCallback):
        def on_log(self, args, state, control, **_):
            tracker("trackio").log()

    trainer = sft.GeoSFTTrainer(args=sft.arguments(made), callbacks=[Logs()], **given)
    with pytest.raises(ConfigError, match="trackio failed"):
        run.fit(trainer, replace(made, train__report_to=["trackio"]))


# --- the trackers themselves, where they are installed ----------------------------------------


def tracked(tmp_path, name, **more):
    """Train in a process of its own, as trackers keep their state; return what was logged."""
    pytest.importorskip(name)
    where = [f"data.places={write_places(tmp_path)}", f"output={tmp_path / 'my-run'}"]
    held = ["train.eval_steps=2", "data.eval_table=world", "data.eval_rows=4"]
    given = [*RUN, *where, *held, "train.logging_steps=1", f"train.report_to=[{name}]"]
    alone = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TRACKIO_DIR": str(tmp_path / "kept")}
    done = subprocess.run(
        [sys.executable, "-m", "georl.cli", "sft", "tiny-cpu", *given],
        cwd=tmp_path, env={**os.environ, **alone, **more}, capture_output=True, text=True,
        timeout=300, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "my-run" / "final" / "COMPLETE").is_file()
    return JsonLines(tmp_path / "my-run" / "metrics.jsonl").read()


def figures(rows):
    return [(row["step"], pytest.approx(row["loss"])) for row in rows if "loss" in row]


def test_tensorboard_has_the_figures_of_the_log(tmp_path):
    rows = tracked(tmp_path, "tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (folder,) = (tmp_path / "my-run" / "runs").iterdir()
    read = EventAccumulator(str(folder))
    read.Reload()
    assert [(one.step, one.value) for one in read.Scalars("train/loss")] == figures(rows)
    assert [one.step for one in read.Scalars("eval/accuracy_25km")] == [2, 3]


def test_trackio_keeps_a_run_by_its_name_here(tmp_path):
    rows = tracked(tmp_path, "trackio")
    import sqlite3

    with sqlite3.connect(tmp_path / "kept" / "georl.db") as kept:
        found = kept.execute("select run_name, metrics from metrics order by id").fetchall()
    assert {name for name, _ in found} == {"my-run"}
    logged = [one for _, text in found if "train/loss" in (one := json.loads(text))]
    assert [(one["train/global_step"], one["train/loss"]) for one in logged] == figures(rows)
    assert sum("eval/accuracy_25km" in json.loads(text) for _, text in found) == 2


def test_wandb_offline_keeps_a_run_that_can_be_sent_later(tmp_path):
    tracked(tmp_path, "wandb", WANDB_MODE="offline", WANDB_DIR=str(tmp_path))
    (kept,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    content = kept.read_bytes()
    for told in (b"georl", b"my-run", b"train/loss", b"eval/accuracy_25km"):
        assert told in content


def test_wandb_without_a_key_or_a_network_ends_at_once(tmp_path, server):
    pytest.importorskip("wandb")
    alone = {"OMP_NUM_THREADS": "1", "HOME": str(tmp_path), "WANDB_MODE": "online"}
    for url, said in ((server, "wandb lets nobody in"), ("http://127.0.0.1:1", "cannot be reach")):
        done = subprocess.run(
            [sys.executable, "-m", "georl.cli", "sft", "tiny-cpu", "train.report_to=[wandb]"],
            cwd=tmp_path, env={**os.environ, **alone, "WANDB_BASE_URL": url, "WANDB_API_KEY": ""},
            capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "out").exists()
