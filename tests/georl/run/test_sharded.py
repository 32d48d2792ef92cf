"""Processes that share the weights by FSDP2 compute what whole ones do, on gloo."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from georl import models, sft
from georl.config import load
from georl.run import JsonLines, checkpoints, layout

from ..tiny_runs import SMALL, write_places
from .test_stopping import RUN, history, run_file, start, to

pytestmark = pytest.mark.slow

SHARDED = Path(__file__).with_name("sharded_on_cpu.py")
ROOT = Path(__file__).parents[3]

REWARD = """
def score(completions, **_):
    return [len(chat[0]["content"]) % 7 / 7 for chat in completions]
"""
"""Even of random answers no two earn the same; named by its path, as a user names his own."""


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return write_places(tmp_path_factory.mktemp("world"))


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_share_the_weights_give_what_whole_ones_give(places, tmp_path, processes):
    """FSDP2 on gloo: the same losses, a model that loads, and resumed from a full checkpoint."""
    sizes = [f"train.per_device={8 // processes}", "max_steps=4", "train.save_steps=2"]
    path = run_file(tmp_path, [*RUN, *sizes, *to(places, tmp_path / "ddp")])
    assert start(path, "nothing", "0", processes=processes).returncode == 0
    shard = [*RUN, *sizes, "train.strategy=fsdp", *to(places, tmp_path / "fsdp")]
    path = run_file(tmp_path, shard)
    once = start(path, processes=processes, script=SHARDED)
    assert once.returncode == 0, once.stderr
    assert once.stdout.count("held ['DTensor']") == processes
    joined = once.stdout.count("loading, joined: True")
    assert joined == processes  # else each of them reads all weights
    assert layout.written_by(checkpoints.manifest(tmp_path / "fsdp/checkpoint-4")["files"]) == (
        "fsdp",
        processes,
    )
    expected = [loss for _, loss in history(tmp_path / "ddp")]
    assert [loss for _, loss in history(tmp_path / "fsdp")] == pytest.approx(expected, rel=1e-6)
    shutil.rmtree(tmp_path / "fsdp" / "checkpoint-4")
    again = start(path, processes=processes, script=SHARDED)
    assert "going on from" in again.stdout, again.stderr
    assert [loss for _, loss in history(tmp_path / "fsdp")] == pytest.approx(expected, rel=1e-6)
    ours, theirs = (
        dict(
            models.load(load(None, [f"model.name={tmp_path / name / 'final'}"]).model)[
                0
            ].named_parameters()
        )
        for name in ("fsdp", "ddp")
    )
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-5, atol=1e-6)


def test_grpo_with_shared_weights_gives_what_whole_ones_give(places, tmp_path):
    """Sampling, the KL's reference and the update, as TRL does them: prompts are not shared."""
    base = tmp_path / "base"
    sft.train(load(None, [*RUN, "max_steps=2", "train.per_device=8", *to(places, base)]))
    (tmp_path / "letters.py").write_text(REWARD)
    sizes = ["train.batch=16", "train.per_device=4", "grpo.generations=4", "grpo.max_tokens=8"]
    steps = ["train.logging_steps=1", "max_steps=3", "learning_rate=1e-3", "grpo.beta=0.5"]
    given = [*SMALL, "task=grpo", f"model.name={base / 'final'}", *sizes, *steps]
    given += ["rewards.weights={'letters:score': 1.0}", "grpo.share_prompts=false"]
    rows = {}
    for name in ("fsdp", "ddp"):
        settings = [*given, f"train.strategy={name}", *to(places, tmp_path / name)]
        path = run_file(tmp_path, settings)
        found = start(path, processes=2, script=SHARDED, PYTHONPATH=f"{tmp_path}:{ROOT}")
        assert found.returncode == 0, found.stderr
        rows[name] = [
            row for row in JsonLines(tmp_path / name / "metrics.jsonl").read() if "loss" in row
        ]
    assert len(rows["ddp"]) == 3
    assert max(row["grad_norm"] for row in rows["ddp"]) > 1e-2
    for ours, theirs in zip(rows["fsdp"], rows["ddp"], strict=True):
        for key in ("loss", "grad_norm", "reward", "kl", "entropy", "completions/mean_length"):
            assert ours[key] == pytest.approx(theirs[key], rel=1e-3, abs=1e-6), key


def test_answers_of_different_lengths_on_each_process(places, tmp_path):
    """A process whose answers have ended goes on until those of the others have.

    It holds a part of every layer that the others need: without it they would wait for ever. The
    held-out rows, an odd number, are answered with shared weights as with whole ones.
    """
    base, asked = tmp_path / "base", tmp_path / "asked.parquet"
    taught = [*RUN, "max_steps=150", "train.per_device=8", "train.learning_rate=1e-2"]
    sft.train(load(None, [*taught, *to(places, base)]))
    names = [f"asked-{i}" for i in range(7)]
    where = {"lat": [40.2, -8.1, 3.3, -20.4, 55.5, 12.6, 1.7], "lon": [float(i) for i in range(7)]}
    pq.write_table(pa.table({"id": names, **where, "country": ["Northland"] * 7}), asked)
    (tmp_path / "letters.py").write_text(REWARD)
    sizes = ["train.batch=16", "train.per_device=4", "grpo.generations=4", "grpo.max_tokens=200"]
    steps = ["train.logging_steps=1", "max_steps=3", "learning_rate=1e-3"]
    look = [f"data.eval_table={asked}", "data.eval_rows=7", "train.eval_steps=2"]
    given = [*SMALL, "task=grpo", f"model.name={base / 'final'}", *sizes, *steps, *look]
    given += ["rewards.weights={'letters:score': 1.0}", "grpo.share_prompts=false"]
    given += ["train.best_metric=answered"]
    rows = {}
    for name in ("fsdp", "ddp"):
        settings = [*given, f"train.strategy={name}", *to(places, tmp_path / name)]
        path = run_file(tmp_path, settings)
        found = start(path, processes=2, script=SHARDED, PYTHONPATH=f"{tmp_path}:{ROOT}")
        assert found.returncode == 0, found.stderr
        rows[name] = JsonLines(tmp_path / name / "metrics.jsonl").read()
        checkpoints.verify(tmp_path / name / "best")
    lengths = [row for row in rows["ddp"] if "completions/max_length" in row]
    assert min(row["completions/max_length"] for row in lengths) < 200
    assert any(row["completions/min_length"] < row["completions/max_length"] for row in lengths)
    told = [row for row in rows["ddp"] if "eval_reward" in row]
    assert [row["step"] for row in told] == [2, 3]
    assert told[0]["eval_answered"] > 0
    for ours, theirs in zip(rows["fsdp"], rows["ddp"], strict=True):
        assert ours.keys() == theirs.keys()
        for key in {"loss", "reward", "completions/mean_length", "eval_reward"} & ours.keys():
            assert ours[key] == pytest.approx(theirs[key], rel=1e-3, abs=1e-6), key
        assert ours.get("eval_answered") == theirs.get("eval_answered")
    model = load(None, [f"model.name={tmp_path / 'fsdp' / 'best'}"]).model
    assert sum(value.numel() for value in models.load(model)[0].parameters()) > 0
