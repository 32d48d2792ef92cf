"""Whether a checkpoint fits the launch that goes on from it: processes, and how they share weights.

A model's weights fit any launch. The optimizer's moments lie in files of the sharding that wrote
them: Trainer fails on others when all is loaded, or goes on with moments of 0, and DeepSpeed has
one file for each process.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from georl.config import ConfigError
from georl.run import checkpoints
from georl.run.checkpoints import CheckpointError


def check(output: Path, strategy: str, world: int) -> None:
    """Refuse a launch for which the newest checkpoint has no optimizer, before it is read.

    Parameters
    ----------
    output
        Folder of the run.
    strategy
        What the launcher set up: none, ddp, fsdp, deepspeed.
    world
        Its processes.

    Raises
    ------
    ConfigError
        With what wrote the checkpoint, what is there now, and what to start with.
    """
    for folder in reversed(checkpoints.listed(output)):
        with contextlib.suppress(CheckpointError):
            files = checkpoints.manifest(folder)["files"]
            kind, wrote = written_by(files)
            now = strategy if strategy in ("fsdp", "deepspeed") else "ddp"
            if kind not in (None, now) or (kind == "deepspeed" and wrote != world):
                msg = (
                    f"{folder} was written by {wrote} processes with train.strategy={kind}, and "
                    f"now there are {world} with {now}, for which it holds no optimizer; start as "
                    "then, or set another output and model.name to weights of this run"
                )
                raise ConfigError(msg)
            return


def written_by(files: Iterable[str]) -> tuple[str | None, int]:
    """Return the sharding and the processes that wrote a checkpoint's files.

    ``ddp`` stands for all that hold the whole optimizer, one process included; None is a
    checkpoint without optimizer.

    Examples
    --------
    >>> written_by(["optimizer.pt", "rng_state_0.pth", "rng_state_1.pth"])
    ('ddp', 2)
    >>> written_by(["optimizer.bin", "rng_state.pth"])
    ('fsdp', 1)
    """
    names = list(files)
    processes = sum(name.startswith("rng_state") for name in names)
    if any(name.startswith("global_step") for name in names):
        return "deepspeed", processes
    if any(name.startswith("optimizer") and not name.endswith(".pt") for name in names):
        return "fsdp", processes
    return ("ddp" if "optimizer.pt" in names else None), processes
