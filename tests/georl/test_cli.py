"""The command line tells a mistake in a line (georl.cli)."""

import socket
import time

import pytest

import georl


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["sftt", "tiny-cpu"], "No such command 'sftt'. Did you mean 'sft'? georl --help"),
        (["qqqq"], "No such command 'qqqq'; georl --help shows"),
        (["sft", "--dryrun", "tiny-cpu"], "no option --dryrun; did you mean --dry-run? georl sft"),
        (["demo", "--sead", "3"], "no option --sead; did you mean --seed? georl demo --help"),
        (["--versoin"], "no option --versoin; did you mean --version? georl --help"),
        (["grpo"], "Missing argument 'CONFIG'; georl grpo --help shows"),
        (["demo", "--seed", "x"], "Invalid value for '--seed':"),
        (["demo", "--seed"], "requires an argument"),
        (["demo", "--seeds", "2"], "--seeds needs --globe"),
        (["judge-records", "reasons.parquet"], "Missing option '--output'"),
        (
            ["calibrate", "judge.parquet", "--modle", "x"],
            "no option --modle; did you mean --model?",
        ),
    ],
)
def test_a_mistyped_command_is_one_line_with_the_nearest_word(command, arguments, expected):
    status, out, err = command(*arguments)
    assert status == 2
    assert out == ""
    assert err.startswith("georl: ")
    assert expected in err
    assert err.count("\n") == 1


def test_the_bare_command_prints_its_help(command):
    status, out, err = command()
    assert status == 0
    assert err == ""
    assert all(verb in out for verb in ("sft", "grpo", "predict", "plan", "demo", "--version"))
    assert command("--help") == (status, out, err)


def test_the_version_is_told(command):
    assert command("--version") == (0, f"georl {georl.__version__}\n", "")


@pytest.mark.parametrize("task", ["sft", "grpo", "predict"])
def test_what_is_missing_here_is_told_before_the_hub_is_asked(command, monkeypatch, tmp_path, task):
    def asked(*_, **__):
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    given = ["model.name=No/Such", "model.revision=abc", "data.table=no/such.parquet"]
    places = [f"output={tmp_path / 'out'}", f"predict.output={tmp_path / 'p.jsonl'}"]
    status, _, err = command(task, "qwen2.5-vl-3b-1gpu-lora", *given, *places)
    assert status == 2
    assert "no/such.parquet" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("other", ["--quick", "--globe"])
def test_one_demo_at_a_time(command, other):
    status, _, err = command("demo", "--science", other)
    assert status == 2
    assert "give one of --quick, --science and --globe" in err


@pytest.mark.parametrize("task", ["sft", "grpo", "predict"])
def test_another_task_than_the_command_is_refused(command, task):
    other = "grpo" if task != "grpo" else "sft"
    status, out, err = command(task, "tiny-cpu", "train.max_steps=1", f"task={other}")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"task={other} was given to georl {task}; leave it out" in err
    assert "was given to" not in command(task, "tiny-cpu", f"task={task}", "--dry-run")[2]


def test_a_model_that_is_nowhere_is_told_at_once(command, monkeypatch, tmp_path):
    status, out, err = command("serve", "No/Such")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "'No/Such' is not a folder here" in err
    assert "--revision" in err
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    for given in (
        ["serve", "No/Such", "--revision", "0" * 40],
        ["predict", "tiny-cpu", "model.name=No/Such", f"model.revision={'0' * 40}",
         f"predict.output={tmp_path / 'p.jsonl'}"],
    ):  # fmt: skip
        started = time.monotonic()
        status, out, err = command(*given)
        assert (status, err.count("\n")) == (2, 1)
        assert "the hub at http://127.0.0.1:1 cannot be reached" in err
        assert time.monotonic() - started < 20
