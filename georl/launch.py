"""Start a run: what TRL is told, what must hold before the model is loaded, memory, resume."""

from __future__ import annotations

import difflib
import functools
import inspect
import json
import os
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainingArguments

from geodata.files import write_text
from georl import checkpoints, metrics_log
from georl.config import Config, ConfigError, RewardConfig, accumulation, dump

CURRICULUM = "curriculum.json"


def world_size() -> int:
    """Return the number of processes that the launcher started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def check_strategy(config: Config) -> None:
    """Refuse a launch that is not what the configuration asks for.

    Some launchers quietly run one process, or another sharding than asked; a run that was
    meant for eight GPUs must not find that out after a day.

    Raises
    ------
    ConfigError
        With what was asked, what is there, and the launch line.
    """
    asked, found = config.train.strategy, _strategy(world_size())
    if asked not in ("auto", found):
        how = "torchrun" if asked == "ddp" else f"accelerate launch with {asked} switched on"
        msg = (
            f"train.strategy is {asked!r} but the launcher set up {found!r}; start with {how}, "
            "or set train.strategy=auto to accept it"
        )
        raise ConfigError(msg)


def _strategy(processes: int) -> str:
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true":
        return "fsdp"
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true":
        return "deepspeed"
    return "ddp" if processes > 1 else "none"


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
    """Return the training arguments that SFT and GRPO share, none left to a default that moves."""
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
        "save_strategy": "steps" if train.save_steps else "no",
        "save_steps": train.save_steps or 500,
        "save_total_limit": None,  # georl.checkpoints deletes old ones once the new one is sealed
        "dataloader_num_workers": train.workers,
        "remove_unused_columns": False,
        "use_cpu": not torch.cuda.is_available(),
        "disable_tqdm": False,
    }


def _checkpointing(on: bool) -> dict[str, bool]:
    """Name gradient checkpointing as this version of transformers does, and as TRL reads it."""
    new = "activation_checkpointing" in TrainingArguments.__dataclass_fields__
    return {"gradient_checkpointing": on} | ({"activation_checkpointing": on} if new else {})


def bind_rewards(module: Any, config: RewardConfig) -> list[Any]:
    """Return the named functions of a rewards module with their arguments bound.

    Raises
    ------
    ConfigError
        For an unknown name or argument, with what there is.
    """
    bound = []
    known = _reward_names(module)
    for name, weight in config.weights.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.3)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            msg = f"unknown reward {name!r} (weight {weight}); {hint}"
            raise ConfigError(msg)
        function = getattr(module, name)
        bound.append(_with_arguments(name, function, config.arguments.get(name, {})))
    unused = set(config.arguments) - set(config.weights)
    if unused:
        msg = f"rewards.arguments has {sorted(unused)}, which rewards.weights does not use"
        raise ConfigError(msg)
    if not any(config.weights.values()):
        msg = "rewards.weights are all 0; give at least one reward a weight"
        raise ConfigError(msg)
    return bound


def _reward_names(module: Any) -> list[str]:
    """Return the module's own functions that take completions first."""
    own = {n: f for n, f in vars(module).items() if inspect.isfunction(f) and n[0] != "_"}
    return [
        n
        for n, f in own.items()
        if next(iter(inspect.signature(f).parameters), "") == "completions"
    ]


def _with_arguments(name: str, function: Any, arguments: dict[str, Any]) -> Any:
    known = inspect.signature(function).parameters
    for argument in arguments:
        if argument not in known:
            msg = f"reward {name!r} has no argument {argument!r}; it has {', '.join(known)}"
            raise ConfigError(msg)

    @functools.wraps(function)
    def checked(*args: Any, **columns: Any) -> list[float | None]:
        values: list[float | None] = function(*args, **{**columns, **arguments})
        for row, value in enumerate(values):
            if value is not None and value != value:  # only NaN is not itself
                msg = (
                    f"reward {name!r} gave NaN for answer {row}; give None to leave an answer "
                    "out, or a finite number"
                )
                raise ValueError(msg)
        return values

    return checked


def run(trainer: Any, config: Config) -> Path:
    """Train, from the newest verified checkpoint if there is one; return the final model's folder.

    The output folder then holds config.yaml, metrics.jsonl, curves.png, for GRPO
    groups.jsonl and rollouts.parquet, the checkpoints, and ``final``.
    """
    _check_processes(trainer)
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    run_id = checkpoints.identity(config)
    trainer.add_callback(metrics_log.MetricsCallback(output))
    trainer.add_callback(SealCallback(trainer, config))
    start = checkpoints.newest(output, run_id) if config.train.resume else None
    if trainer.accelerator.is_main_process:
        write_text(output / "config.yaml", dump(config))
        if start is None:
            (output / metrics_log.METRICS).unlink(missing_ok=True)
            (output / metrics_log.GROUPS).unlink(missing_ok=True)
        else:
            print(f"going on from {start}")
    if start is not None and hasattr(trainer, "curriculum"):
        trainer.curriculum.restore(start / CURRICULUM)
    trainer.train(resume_from_checkpoint=str(start) if start else None)
    final = output / "final"
    trainer.save_model(str(final))
    if trainer.accelerator.is_main_process:
        _without_pickle(final)
        checkpoints.seal(final, run_id)
        metrics_log.plot(output)
        metrics_log.merge_rollouts(output)
    trainer.accelerator.wait_for_everyone()
    return final


def _without_pickle(folder: Path) -> None:
    """Delete Trainer's pickled arguments: nothing reads them, and config.yaml says the same."""
    (folder / "training_args.bin").unlink(missing_ok=True)


class ExactResume:
    """Load a checkpoint's weights into the trainer's model, all of them or an error.

    ``save_pretrained`` writes Qwen2.5-VL under the hub's parameter names (``visual...``,
    ``model.layers...``), and Trainer's own resume matches those with the names in memory
    (``model.visual...``): none fits, it warns, and goes on from the starting weights.
    """

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        trainer: Any = self
        state = json.loads((Path(resume_from_checkpoint) / "trainer_state.json").read_text("utf-8"))
        counts = [row["num_tokens"] for row in state["log_history"] if "num_tokens" in row]
        trainer._total_train_tokens = int(counts[-1]) if counts else 0  # TRL counts from 0 again
        target = model if model is not None else trainer.model
        sharded = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
        if sharded or hasattr(target, "peft_config"):
            super()._load_from_checkpoint(resume_from_checkpoint, model)  # type: ignore[misc]
            return
        stored = type(target).from_pretrained(resume_from_checkpoint, dtype=target.dtype)
        target.load_state_dict(stored.state_dict(), strict=True)


class SealCallback(TrainerCallback):
    """After the trainer wrote a checkpoint: add our state, seal it, delete the oldest."""

    def __init__(self, trainer: Any, config: Config) -> None:
        self._trainer, self._config = trainer, config

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seal on one process, when all have written their part."""
        trainer = self._trainer
        trainer.accelerator.wait_for_everyone()
        if state.is_world_process_zero:
            output = Path(self._config.output)
            folder = output / f"checkpoint-{state.global_step}"
            if hasattr(trainer, "curriculum"):
                trainer.curriculum.save(folder / CURRICULUM)
            _without_pickle(folder)
            checkpoints.seal(folder, checkpoints.identity(self._config))
            checkpoints.prune(output, self._config.train.keep_checkpoints)
        trainer.accelerator.wait_for_everyone()
