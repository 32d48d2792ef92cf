"""What each command hands on of what was typed, and what it prints (georl.cli)."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

import georl.predict
import georl.sft
from georl import calibration, cli, config, data, demo, grpo, plan, reasoning, rewards, run, serve
from georl.cli import demonstrating, judging, serving, training


@pytest.fixture
def heard(monkeypatch):
    """Let a function only note what it is given; return the notes."""
    notes = []

    def listen(module, name, answer=None):
        def noted(*given, **more):
            notes.append((given, more))
            return answer

        monkeypatch.setattr(module, name, noted)
        return notes

    return listen


# --- training ---------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("task", "module"), [("sft", georl.sft), ("grpo", grpo)])
def test_a_run_is_trained_as_it_was_written_and_ends_with_its_model(
    command, heard, monkeypatch, task, module, first
):
    notes = heard(module, "train", Path("out/final"))
    parted = []
    monkeypatch.setattr(run, "part_processes", lambda: parted.append(1))
    monkeypatch.setenv("RANK", "0" if first else "1")
    told = command(task, "tiny-cpu", "train.max_steps=7", f"task={task}", "grpo.generations=4")
    assert told == (0, "model in out/final\n" if first else "", "")
    ((settings,), more), = notes  # fmt: skip
    assert more == {}
    assert (settings.task, settings.train.max_steps) == (task, 7)
    assert settings.model.name == config.load("tiny-cpu").model.name
    assert parted == [1]


def test_predictions_are_made_and_their_file_told(command, heard):
    notes = heard(georl.predict, "predict", Path("answers.csv"))
    told = command("predict", "tiny-cpu", "model.name=.", "data.limit=3")
    assert told == (0, "predictions in answers.csv\n", "")
    ((settings,), _), = notes  # fmt: skip
    assert (settings.task, settings.data.limit) == ("predict", 3)


@pytest.mark.parametrize("task", ["sft", "grpo", "predict"])
def test_a_dry_run_is_checked_and_told_and_not_begun(command, heard, task):
    for module, name in ((georl.sft, "train"), (grpo, "train"), (georl.predict, "predict")):
        notes = heard(module, name)
    status, out, _ = command(task, "tiny-cpu", "model.name=.", "--dry-run")
    assert (status, out) == (0, plan.describe(
        config.load("tiny-cpu", ["model.name=.", f"task={task}"])) + "\n")  # fmt: skip
    assert notes == []
    status, _, err = command(task, "tiny-cpu", "model.name=.", "learning_rate=-1", "--dry-run")
    assert status == 2
    assert "train.learning_rate is -1.0" in err


def test_another_task_is_refused_however_it_is_written(command):
    status, _, err = command("sft", "tiny-cpu", "seed=1", " task = grpo ")
    assert (status, err.count("\n")) == (2, 1)
    assert ("task=grpo was given to georl sft; leave it out, or run the other command: sft, grpo "
            "or predict;") in err  # fmt: skip
    training._refuse_other_task("sft", [" task = sft ", "model.task=grpo"])


@pytest.mark.parametrize(("processes", "asked"), [(0, 1), (1, 1), (8, 8)])
def test_a_plan_is_checked_for_the_processes_that_it_names(command, heard, processes, asked):
    notes = heard(config, "check")
    heard(plan, "describe", "told")
    given = ["tiny-cpu", f"train.processes={processes}", "grpo.vllm=server"]
    assert command("plan", *given) == (0, "told\n", "")
    ((settings, world), _), ((described,), more) = notes
    assert world == asked
    assert settings.grpo.vllm_url == "http://named-at-the-start:8000"
    assert described.grpo.vllm_url is None  # what is told is what was written
    assert more == {"card": None, "rows": None}
    notes.clear()
    command("plan", *given, "grpo.vllm_url=http://h:1")
    assert notes[0][0][0].grpo.vllm_url == "http://h:1"
    notes.clear()
    command("plan", "tiny-cpu")
    assert notes[0][0][0].grpo.vllm_url is None


def test_a_plan_for_a_card_is_held_against_it_and_written(command, heard, tmp_path):
    notes = heard(plan, "describe", "told")
    heard(plan, "check_fit")
    heard(plan, "write", [Path("launch/run.sh"), Path("launch/job.sbatch")])
    words = ["plan", "tiny-cpu", "data.question=Where is it?", "--card", "a100-80", "--rows", "9"]
    status, out, _ = command(*words, "--write", tmp_path / "launch", "--hours", "7")
    assert (status, out) == (0, "told\n# wrote launch/run.sh\n# wrote launch/job.sbatch\n")
    described, fitted, written = notes
    card = plan.card_of("a100-80")
    assert described[1] == {"card": card, "rows": 9}
    settings = described[0][0]
    assert fitted[0] == (settings, plan.model_shape(settings.model), card)
    called = "tiny-cpu 'data.question=Where is it?'"
    assert written == ((settings, called, tmp_path / "launch"), {"hours": 7})
    notes.clear()
    command("plan", "tiny-cpu", "--write", tmp_path)
    assert len(notes) == 2  # nothing to hold it against
    assert notes[1][1] == {"hours": 24}


# --- GLOBE ------------------------------------------------------------------------------------


def test_records_of_a_judge_are_made_as_it_was_typed(command, heard):
    notes = heard(data, "write_judgements", Counter(yes=2, no=1))
    status, out, _ = command(
        "judge-records", "r.parquet", "-o", "j.parquet", "--split", "train", "--where", "lat > 0",
        "--image", "photo", "--leave-out", "ask", "--leave-out", "agree", "--test-share", "0.25",
    )  # fmt: skip
    assert (status, out) == (0, "records in j.parquet: 2 yes, 1 no\n")
    ((given, target), more) = notes.pop()
    assert target == Path("j.parquet")
    assert (given.table, given.split, given.where, given.image) == (
        "r.parquet", "train", "lat > 0", "photo",
    )  # fmt: skip
    assert more == {"leave_out": ["ask", "agree"], "test_share": 0.25}
    command("judge-records", "r.parquet", "-o", "j.parquet")
    ((given, _), more) = notes.pop()
    assert (given.split, given.where, given.image) == ("all", None, "image")
    assert more == {"leave_out": (), "test_share": 0.1}


def test_a_judge_is_measured_as_it_was_typed(command, heard):
    notes = heard(calibration, "calibrate", SimpleNamespace(text=lambda: "AUC\n"))
    heard(rewards, "localizability", "the judge")
    words = ["calibrate", "j.parquet", "--model", "m"]
    more = ["--url", "http://h:1", "--split", "all", "--image-root", "photos", "-o", "there"]
    assert command(*words, *more)[:2] == (0, "AUC\nreport in there/calibration.html\n")
    ((_, judge), ((given, used, output), named)) = notes
    assert judge == {"model": "m", "url": "http://h:1"}
    assert (given.table, given.split, given.image_root) == ("j.parquet", "all", "photos")
    assert (used, output, named) == ("the judge", Path("there"), {"name": "m"})
    notes.clear()
    assert command(*words)[1].endswith("report in calibration/calibration.html\n")
    ((_, judge), ((given, _, output), _)) = notes
    assert (judge["url"], given.split, given.image_root) == (None, "test", ".")
    assert output == Path("calibration")


@pytest.mark.parametrize("step", ["ask", "filter", "truth", "agree", "verify"])
def test_each_step_of_a_reasoning_set_is_a_command(command, heard, step):
    notes = heard(reasoning, "run", Path("out/step.parquet"))
    told = command("reason", step, "two-servers", "photos.limit=3")
    assert told == (0, "rows in out/step.parquet\n", "")
    ((settings, named), more), = notes  # fmt: skip
    assert (named, more) == (step, {})
    assert settings == config.load_reason("two-servers", ["photos.limit=3"])


@pytest.mark.parametrize("name", ["plan", "status"])
def test_a_reasoning_set_is_planned_and_looked_at(command, heard, name):
    notes = heard(reasoning, name, "told")
    assert command("reason", name, "two-servers", "give_up=3") == (0, "told\n", "")
    assert notes == [((config.load_reason("two-servers", ["give_up=3"]),), {})]


def test_a_reasoning_set_is_built_behind_its_plan(command, heard):
    notes = heard(reasoning, "plan", "a plan")
    built = SimpleNamespace(table="t", version=3, kept=4, rows=9, card="card.md")
    heard(reasoning, "build", built)
    settings = config.load_reason("two-servers", ["give_up=3"])
    words = ["reason", "build", "two-servers", "give_up=3"]
    assert command(*words) == (0, "a plan\nt@3: 4 of 9 photos kept; card in card.md\n", "")
    assert notes == [((settings,), {})] * 2
    notes.clear()
    assert command(*words, "--dry-run") == (0, "a plan\n", "")
    assert len(notes) == 1


# --- trying out -------------------------------------------------------------------------------


def test_a_model_is_served_as_it_was_typed(command, heard):
    notes = heard(serve, "listen")
    more = ["--name", "n", "--host", "0.0.0.0", "--port", "65535", "--revision", "r"]
    assert command("serve", "m", *more)[0] == 0
    assert command("serve", "m")[0] == 0
    usual = {"name": None, "host": "127.0.0.1", "port": 8000, "revision": None}
    given = {"name": "n", "host": "0.0.0.0", "port": 65535, "revision": "r"}
    assert notes == [(("m",), given), (("m",), usual)]
    assert command("serve", "m", "--port", "0")[0] == 0
    for port in ("-1", "65536"):
        assert command("serve", "m", "--port", port)[0] == 2


@pytest.mark.parametrize(
    ("words", "name", "more"),
    [
        ([], "run", {"seed": 0, "quick": False, "workers": 2}),
        (["--quick", "--seed", "4", "--workers", "1"], "run",
         {"seed": 4, "quick": True, "workers": 1}),
        (["--science", "--seed", "4"], "run_science", {"seeds": range(4, 7), "workers": 2}),
        (["--science", "--workers", "3"], "run_science", {"seeds": range(3), "workers": 3}),
        (["--globe"], "run_globe", {"seeds": range(1), "quick": False, "workers": 2}),
        (["--globe", "--quick", "--seeds", "3", "--seed", "5", "--workers", "4"], "run_globe",
         {"seeds": range(5, 8), "quick": True, "workers": 4}),
    ],
)  # fmt: skip
def test_a_demo_is_run_as_it_was_typed(command, heard, words, name, more):
    for other in ("run", "run_science", "run_globe"):
        notes = heard(demo, other, f"{other} told\n")
    assert command("demo", *words) == (0, f"{name} told\n", "")
    assert notes == [((Path("georl-demo"),), more)]
    notes.clear()
    command("demo", *words, "--output", "there")
    assert notes[0][0] == (Path("there"),)


@pytest.mark.parametrize("words", [["--seeds", "0"], ["--workers", "0"], ["--seeds", "2"],
                                   ["--science", "--seeds", "2"]])  # fmt: skip
def test_a_demo_of_nothing_is_refused(command, heard, words):
    for name in ("run", "run_science"):
        notes = heard(demo, name, "")
    more = ["--globe"] if words == ["--seeds", "0"] else []
    status, out, err = command("demo", *words, *more)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert notes == []


def test_the_panels_of_the_help_are_those_of_the_modules():
    modules = {"Train": training, "GLOBE": judging, "Try out": demonstrating}
    found = {}
    for one in cli.app.registered_commands:
        found.setdefault(one.rich_help_panel, []).append(one.callback.__module__)
    assert set(found) == set(modules)
    assert found["Train"] == [training.__name__] * 4
    assert found["GLOBE"] == [judging.__name__] * 2
    assert found["Try out"] == [demonstrating.__name__, serving.__name__]
