"""Start a run: what TRL is told, what must hold before the model is loaded, memory, resume."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import TrainingArguments

from geodata.printable import tell
from georl import models
from georl.config import Config, ConfigError, accumulation, missing_package, world_size
from georl.run import (
    checkpoints,
    curves,
    hub,
    layout,
    metrics,
    ownership,
    resume,
    rollouts,
    stopping,
    tracking,
)


def check_start(config: Config) -> None:
    """Refuse, before the model is loaded, a launch or a folder that another run or program made.

    Some launchers quietly run one process, or another sharding than asked; a run that was
    meant for eight GPUs must not find that out after a day.

    Raises
    ------
    ConfigError
        With what was asked, what is there, and the launch line or the setting that mends it.

    Examples
    --------
    >>> import tempfile
    >>> from georl.config import load
    >>> folder = tempfile.TemporaryDirectory()
    >>> check_start(load(None, [f"output={folder.name}"]))
    >>> check_start(load(None, [f"output={folder.name}", "strategy=fsdp", "processes=2"]))
    Traceback (most recent call last):
        ...
    georl.config.tree.ConfigError: train.strategy is 'fsdp' but the launcher set up ...
    >>> folder.cleanup()
    """
    found, gpus = _strategy(world_size()), torch.cuda.device_count()
    problem = _launch_problem(config.train.strategy, found, gpus)
    problem = problem or _overwrites_its_model(config) or _no_reference(config)
    problem = problem or missing_package(config) or hub.no_token(config)
    problem = problem or tracking.refused(config)
    if problem:
        raise ConfigError(problem)
    ownership.refuse_foreign(Path(config.output))
    if config.train.resume:
        checkpoints.refuse_other(Path(config.output), checkpoints.identity(config))
        layout.check(Path(config.output), _strategy(world_size()), world_size())


def _launch_problem(asked: str, found: str, gpus: int) -> str | None:
    if asked not in ("auto", found):
        how = "torchrun" if asked == "ddp" else f"accelerate launch with {asked} switched on"
        return (
            f"train.strategy is {asked!r} but the launcher set up {found!r}; start with {how}, "
            "or set train.strategy=auto to accept it"
        )
    if found in ("fsdp", "deepspeed") and not gpus:
        return (
            f"the launcher set up {found!r}, which on a machine without GPUs quietly becomes "
            "'ddp'; start with torchrun and train.strategy=ddp"
        )
    if found == "fsdp" and os.environ.get("FSDP_STATE_DICT_TYPE") != "FULL_STATE_DICT":
        return (
            "the launcher set up FSDP without FULL_STATE_DICT, so no model would be written that "
            "loads again; start with accelerate launch --config_file configs/accelerate/fsdp2.yaml"
        )
    if gpus > 1 and world_size() == 1 and "LOCAL_RANK" not in os.environ:
        return (
            f"one process sees {gpus} GPUs, and Trainer would multiply the batch by them; start "
            f"with torchrun --nproc_per_node {gpus}, or set CUDA_VISIBLE_DEVICES=0 to use one"
        )
    return None


def _overwrites_its_model(config: Config) -> str | None:
    model, output = Path(config.model.name), Path(config.output)
    if not model.is_dir() or output.resolve() not in (model.resolve(), *model.resolve().parents):
        return None
    return (
        f"model.name {str(model)!r} lies in the output folder {str(output)!r}, where this run "
        "deletes and writes checkpoints; set another output"
    )


def _no_reference(config: Config) -> str | None:
    alone = config.model.name == "tiny" and not config.model.lora_rank
    if not (alone and config.task == "grpo" and config.grpo.beta):
        return None
    return (
        f"grpo.beta is {config.grpo.beta}, a penalty for leaving the starting model, but 'tiny' "
        "starts from random weights; teach it with georl sft and set model.name to its folder, "
        "or set grpo.beta=0"
    )


def _strategy(processes: int) -> str:
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true":
        return "fsdp"
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true":
        return "deepspeed"
    return "ddp" if processes > 1 else "none"


def join_processes() -> None:
    """Let the processes of a run find each other; called before a model is loaded.

    Only then does transformers know that weights will be sharded, and reads them on one process of
    a machine and not, 33 GB each for 7B, on all eight.
    """
    if world_size() > 1:
        PartialState(cpu=not torch.cuda.is_available())


def part_processes() -> None:
    """End the group of a run's processes; a program calls it when its work is done.

    NCCL wants to be told, or one that ends early holds up another. gloo's threads may outlive
    their group: a program ends with `geodata.ending.leave`, or it can abort behind its last step.

    Examples
    --------
    >>> part_processes()  # of a run that is alone: nothing to end
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _check_processes(trainer: Any) -> None:
    """Refuse to go on if the trainer runs alone where the launcher started several."""
    found, kind = trainer.accelerator.num_processes, str(trainer.accelerator.distributed_type)
    wanted = {"fsdp": "FSDP", "deepspeed": "DEEPSPEED"}.get(_strategy(found))
    if found != world_size() or (wanted is not None and not kind.endswith(wanted)):
        msg = (
            f"the launcher started {world_size()} processes with strategy "
            f"{_strategy(world_size())!r}, but the trainer has {found} of kind {kind}; on CPU "
            "use torchrun with ACCELERATE_USE_CPU=true"
        )
        raise ConfigError(msg)


def common_arguments(config: Config) -> dict[str, Any]:
    """Return the training arguments that SFT and GRPO share, none left to a default that moves.

    Examples
    --------
    >>> from georl.config import load
    >>> found = common_arguments(load(None, ["train.learning_rate=3e-5", "train.max_steps=10"]))
    >>> found["learning_rate"], found["max_steps"]
    (3e-05, 10)
    """
    train = config.train
    return {
        "output_dir": config.output,
        "per_device_train_batch_size": train.per_device,
        "gradient_accumulation_steps": accumulation(config, world_size()),
        "learning_rate": train.learning_rate,
        "lr_scheduler_type": train.schedule,
        "warmup_steps": train.warmup_steps,
        "weight_decay": train.weight_decay,
        "adam_beta2": train.adam_beta2,
        "max_grad_norm": train.max_grad_norm,
        "num_train_epochs": train.epochs,
        "max_steps": train.max_steps,
        "seed": config.seed,
        "data_seed": config.seed,
        "bf16": config.model.dtype == "bfloat16",
        "fp16": False,
        **_checkpointing(config.model.gradient_checkpointing),
        "logging_steps": train.logging_steps,
        "report_to": list(train.report_to) or "none",
        **tracking.names(config),
        "save_strategy": "steps" if train.save_steps else "no",
        "save_steps": train.save_steps,
        "save_total_limit": None,  # `checkpoints` deletes old ones once the new one is sealed
        "dataloader_num_workers": train.workers,
        "remove_unused_columns": False,
        "use_cpu": not torch.cuda.is_available(),
        "disable_tqdm": False,
    }


def _checkpointing(on: bool) -> dict[str, bool]:
    """Name gradient checkpointing as this version of transformers does, and as TRL reads it."""
    new = "activation_checkpointing" in TrainingArguments.__dataclass_fields__
    return {"gradient_checkpointing": on} | ({"activation_checkpointing": on} if new else {})


def fit(trainer: Any, config: Config) -> Path:
    """Train, from the newest verified checkpoint if there is one; return the final model's folder.

    The output folder then holds run.json, which says whose it is, config.yaml, metrics.jsonl,
    curves.png, for GRPO groups.jsonl and rollouts.parquet, the checkpoints, and ``final``. What
    another run left there lies in ``replaced``.

    Raises
    ------
    SystemExit
        With status 75 after SIGTERM or SIGUSR1: a checkpoint is sealed, the run can go on.

    Examples
    --------
    >>> from georl import config, grpo
    >>> run = config.load("tiny-cpu", ["task=grpo", "name=runs/sft/final", "output=runs/grpo"])
    >>> fit(grpo.build(run), run)  # doctest: +SKIP
    PosixPath('runs/grpo/final')
    """
    _check_processes(trainer)
    output = Path(config.output)
    if trainer.accelerator.is_main_process:
        ownership.take(output)
    trainer.accelerator.wait_for_everyone()
    period = config.grpo.iterations if config.task == "grpo" else 1
    stop = stopping.StopCallback(trainer, period)
    trainer.add_callback(stop)  # before the log, which wants a row for every checkpoint
    trainer.add_callback(metrics.MetricsCallback(output))
    trainer.add_callback(resume.SealCallback(trainer, config))
    start = resume.start(trainer, config)
    if trainer.accelerator.is_main_process:
        found, each = trainer.accelerator.num_processes, config.train.per_device
        tell(
            f"training on {found} x {trainer.accelerator.device.type}, strategy "
            f"{_strategy(found)}, batch {config.train.batch} = {each} x "
            f"{accumulation(config, found)} accumulated x {found}"
        )
    with stop.listening():
        with explained_memory(), tracking.explained(config.train.report_to):
            trainer.train(resume_from_checkpoint=str(start) if start else None)
        stop.leave(f"checkpoint-{trainer.state.global_step}")
        return _finish(trainer, config)


def _finish(trainer: Any, config: Config) -> Path:
    """Write and seal the final model, and what people look at."""
    output = Path(config.output)
    final = output / "final"
    if trainer.accelerator.is_main_process and final.exists():
        checkpoints.delete(final)  # this run's own, from before: others were moved aside
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(final))
    if trainer.accelerator.is_main_process:
        hub.add_card(config, final)
        seal_model(final, config)
        curves.plot(output)
        rollouts.merge_rollouts(output)
        if address := hub.push(config, final):
            tell(f"sent to {address}")
    trainer.accelerator.wait_for_everyone()
    return final


def seal_model(folder: Path, config: Config) -> None:
    """Seal a model that the trainer has just saved; see `georl.run.checkpoints`.

    Raises
    ------
    ConfigError
        If it holds no weights.
    """
    _check_weights(folder)
    models.halve(folder, config.model)
    resume.without_pickle(folder)
    checkpoints.seal(folder, checkpoints.identity(config))


def _check_weights(final: Path) -> None:
    """Refuse to seal a model without weights, which some ways of sharding leave behind."""
    if not any(final.glob("*.safetensors")):
        msg = (
            f"{final} holds no weights: this way of sharding writes only shards; start again with "
            "configs/accelerate/fsdp2.yaml or zero3.yaml, it goes on from the last checkpoint"
        )
        raise ConfigError(msg)


@contextlib.contextmanager
def explained_memory() -> Iterator[None]:
    """Turn running out of memory into an error that says what lowers it.

    Raises
    ------
    ConfigError
        In place of PyTorch's own error, on GPU and CPU.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        first = str(error).partition("\n")[0]
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and (
            "can't allocate memory" not in first
        ):
            raise
        msg = (
            f"out of memory ({first}); lower train.per_device (train.batch may stay), "
            "model.max_pixels or grpo.max_tokens, set model.gradient_checkpointing=true or "
            "model.lora_rank=64; georl plan shows the parts"
        )
        raise ConfigError(msg) from error
