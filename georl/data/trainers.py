"""What the trainers of SFT and GRPO are given alike, once all that can be told before is."""

from __future__ import annotations

from typing import Any

from georl import models
from georl.config import Config, check
from georl.data.opening import load, texts
from georl.data.sources import pinned
from georl.data.streaming import Stream
from georl.plan import check_memory
from georl.run import check_start, join_processes

SFT_DROPOUT = 0.05
"""Of LoRA layers where the run leaves it open; GRPO has none."""


def checked(config: Config) -> Config:
    """Return the run with its version of the data pinned, or refuse it; no model is loaded.

    Raises
    ------
    ConfigError, DataError, TableError
        For settings that do not fit together, a launch that is not the one asked for, an
        output folder of another run, or data that are not there.
    """
    check(config)
    config = pinned(config)
    check_start(config)
    return config


def trainer_inputs(config: Config, *, completions: bool) -> dict[str, Any]:
    """Return the arguments of TRL's trainers that the method does not change.

    Parameters and errors are those of `georl.data.load`; a model that is larger than the device
    or cannot be loaded is a ConfigError.
    """
    rows: Any  # before the hub is asked how large the model is
    if config.data.stream:
        rows = Stream(config)
        said = rows.texts()
    else:
        rows = load(config, completions=completions)
        said = texts(rows, config)
    check_memory(config)
    join_processes()
    model, processor = models.load(config.model, texts=said, seed=config.seed)
    return {
        "model": model,
        "train_dataset": rows,
        "processing_class": processor,
        "peft_config": models.lora(config.model, SFT_DROPOUT if completions else 0.0),
    }
