"""Checkpoints are whole or refused: R15, R16 (georl.run.checkpoints)."""

import json

import numpy as np
import pytest

from georl.config import ConfigError, load
from georl.run import checkpoints
from georl.run.checkpoints import CheckpointError

RUN = {"task": "sft", "model.name": "tiny"}


def checkpoint(folder, run=RUN, size=600):
    """A sealed folder of a few small files."""
    rng = np.random.default_rng(int(folder.name.rpartition("-")[2]))
    (folder / "part").mkdir(parents=True)
    for name in ("model.safetensors", "optimizer.pt", "part/rng_state.pth"):
        (folder / name).write_bytes(rng.bytes(size))
    checkpoints.seal(folder, run)
    return folder


def test_every_flipped_bit_of_1000_is_found(tmp_path):
    folder = checkpoint(tmp_path / "checkpoint-3")
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    rng = np.random.default_rng(7)
    for _ in range(1000):
        path = files[rng.integers(len(files))]
        whole = path.read_bytes()
        at, bit = rng.integers(len(whole)), rng.integers(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :])
        if path.name != checkpoints.MARKER or whole[at : at + 1] != b"\n":
            with pytest.raises((CheckpointError, ValueError)):
                checkpoints.verify(folder)
        path.write_bytes(whole)
    assert checkpoints.verify(folder)["run"] == RUN


@pytest.mark.parametrize("damage", ["cut", "missing", "unsealed", "half deleted"])
def test_a_damaged_checkpoint_is_passed_over_for_the_older_good_one(tmp_path, capsys, damage):
    good, bad = (checkpoint(tmp_path / f"checkpoint-{step}") for step in (9, 10))
    target = bad / "optimizer.pt"
    if damage == "cut":
        target.write_bytes(target.read_bytes()[:-1])
    elif damage == "missing":
        target.unlink()
    elif damage == "unsealed":
        (bad / checkpoints.MARKER).unlink()
    else:
        (bad / checkpoints.MANIFEST).unlink()
    assert checkpoints.newest(tmp_path, RUN) == good
    assert "passing over checkpoint-10" in capsys.readouterr().out


def test_without_any_good_checkpoint_the_run_starts_over(tmp_path):
    bad = checkpoint(tmp_path / "checkpoint-2")
    (bad / checkpoints.MARKER).unlink()
    assert checkpoints.newest(tmp_path, RUN) is None
    assert checkpoints.newest(tmp_path / "absent", RUN) is None


def test_a_checkpoint_of_another_model_is_refused_with_what_differs(tmp_path):
    checkpoint(tmp_path / "checkpoint-2")
    with pytest.raises(ConfigError, match=r"model\.name: 'tiny' there, 'other' now"):
        checkpoints.newest(tmp_path, RUN | {"model.name": "other"})


def test_the_oldest_are_deleted_and_steps_sort_as_numbers(tmp_path):
    for step in (2, 10, 9, 100):
        checkpoint(tmp_path / f"checkpoint-{step}")
    checkpoints.prune(tmp_path, keep=2)
    assert [p.name for p in checkpoints.listed(tmp_path)] == ["checkpoint-10", "checkpoint-100"]


def test_the_identity_of_a_run_is_what_its_weights_depend_on():
    base = checkpoints.identity(load(None, []))
    assert checkpoints.identity(load(None, ["logging_steps=1", "output=x"])) == base
    for change in ("learning_rate=1e-3", "max_steps=9", "decimals=2", "lora_alpha=1", "seed=1"):
        assert checkpoints.identity(load(None, [change])) != base
    assert checkpoints.identity(load(None, ["grpo.temperature=0.5"])) == base  # SFT samples nothing
    grpo = checkpoints.identity(load(None, ["task=grpo"]))
    assert json.loads(json.dumps(grpo)) == grpo
