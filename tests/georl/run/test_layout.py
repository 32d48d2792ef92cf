"""Which sharding wrote a checkpoint, read from the names of its files (georl.run.layout)."""

import pytest

from georl.config import ConfigError
from georl.run import checkpoints, layout


def sealed(folder, *names):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("x")
    checkpoints.seal(folder, {})
    return folder


@pytest.mark.parametrize(
    ("names", "kind", "processes"),
    [
        ([], None, 0),
        (["model.safetensors", "rng_state.pth"], None, 1),
        (["optimizer.pt", "rng_state.pth", "scheduler.pt"], "ddp", 1),
        (["rng_state_0.pth", "optimizer.pt", "rng_state_1.pth", "rng_state_2.pth"], "ddp", 3),
        (["optimizer.bin", "rng_state_0.pth", "rng_state_1.pth"], "fsdp", 2),
        (["optimizer_0/__0_0.distcp", "rng_state_0.pth"], "fsdp", 1),
        (["pytorch_model_fsdp_0/x", "optimizer_0/.metadata", "optimizer.pt"], "fsdp", 0),
        (["global_step4/bf16_zero_pp_rank_0.pt", "rng_state_0.pth"], "deepspeed", 1),
        (["optimizer.bin", "global_step4/a"], "deepspeed", 0),
        (["global_metrics.json", "optimizer.pt", "rng_state.pth"], "ddp", 1),
        (["my_rng_state.pth", "my_optimizer.bin", "a/global_step4", "an-optimizer.pt"], None, 0),
    ],
)
def test_the_files_of_each_sharding(names, kind, processes):
    assert layout.written_by(names) == (kind, processes)
    assert layout.written_by(iter(names)) == (kind, processes)  # any iterable, read once


def test_a_refusal_says_what_was_and_what_is_and_what_to_do(tmp_path):
    folder = sealed(
        tmp_path / "checkpoint-3", "optimizer.bin", "rng_state_0.pth", "rng_state_1.pth"
    )
    with pytest.raises(ConfigError) as error:
        layout.check(tmp_path, "none", 1)
    assert str(error.value) == (
        f"{folder} was written by 2 processes with train.strategy=fsdp, and now there are 1 with "
        "ddp, for which it holds no optimizer; start as then, or set another output and model.name "
        "to weights of this run"
    )


def test_the_newest_whole_checkpoint_alone_is_asked(tmp_path):
    sealed(tmp_path / "checkpoint-2", "optimizer.bin", "rng_state.pth")
    layout.check(tmp_path, "fsdp", 1)
    new = sealed(tmp_path / "checkpoint-10", "optimizer.pt", "rng_state.pth")
    layout.check(tmp_path, "ddp", 2)
    with pytest.raises(ConfigError, match="checkpoint-10 was written by 1 processes"):
        layout.check(tmp_path, "fsdp", 1)
    (new / checkpoints.MARKER).unlink()
    layout.check(tmp_path, "fsdp", 1)
    with pytest.raises(ConfigError, match="checkpoint-2 was written"):
        layout.check(tmp_path, "ddp", 2)
    layout.check(tmp_path / "nowhere", "ddp", 2)


@pytest.mark.parametrize("world", [1, 2, 3])
def test_deepspeed_needs_the_processes_that_wrote_it(tmp_path, world):
    """It has a file for each; the others have one optimizer for any number."""
    folder = tmp_path / "checkpoint-1"
    names = ("global_step1", "rng_state_0.pth", "rng_state_1.pth")
    sealed(folder, *names)
    if world == 2:
        layout.check(tmp_path, "deepspeed", world)
        return
    with pytest.raises(ConfigError, match=f"written by 2 processes .* now there are {world} with"):
        layout.check(tmp_path, "deepspeed", world)
