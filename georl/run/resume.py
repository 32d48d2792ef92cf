"""Go on after a kill as if nothing had happened: where from, with what, and what is sealed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from transformers import TrainerCallback
from trl.trainer.utils import RepeatSampler

from geodata.files import write_text
from geodata.printable import tell
from georl.config import Config, dump
from georl.run import checkpoints, ownership, record

CURRICULUM = "curriculum.json"


def start(trainer: Any, config: Config) -> Path | None:
    """Find where to go on, the same on every process, and take away what lies beyond it.

    A killed run leaves log rows, rollouts and perhaps a torn checkpoint of steps that are now
    run again; a run that starts over leaves all of its predecessor's.

    Parameters
    ----------
    trainer
        With `ExactResume`, ready to train.
    config
        The run.

    Returns
    -------
    Path or None
        The checkpoint to give to ``trainer.train``; None starts from the first step.
    """
    output, is_main = Path(config.output), trainer.accelerator.is_main_process
    own = checkpoints.identity(config)
    found: list[Path | None] = [None]
    if is_main and config.train.resume:
        found = [checkpoints.newest(output, own)]
    newest: Path | None = broadcast_object_list(found)[0]
    step = checkpoints.step_of(newest) if newest else -1
    if is_main:
        ownership.claim(output, own, step)
        record.cut_back(output, step)
        write_text(output / "config.yaml", dump(config))
    if newest is not None:
        trainer.go_on_from(newest)
        if is_main:
            _tell(newest, trainer.accelerator.num_processes)
    trainer.accelerator.wait_for_everyone()
    return newest


def _tell(newest: Path, processes: int) -> None:
    tell(f"going on from {newest}")
    wrote = len(list(newest.glob("rng_state*.pth")))
    if wrote != processes:
        tell(
            f"{newest.name} was written by {wrote} processes and now there are {processes}: from "
            "here on the draws are other ones than those of an uninterrupted run"
        )


class ExactResume:
    """Load a checkpoint's weights into the trainer's model, all of them or an error.

    ``save_pretrained`` writes Qwen2.5-VL under the hub's parameter names (``visual...``,
    ``model.layers...``), and Trainer's own resume matches those with the names in memory
    (``model.visual...``): none fits, it warns, and goes on from the starting weights.
    """

    _epochs_done = 0

    def go_on_from(self, start: Path) -> None:
        """Read what Trainer does not restore itself; call it before ``train``."""
        trainer: Any = self
        state = json.loads((start / "trainer_state.json").read_text("utf-8"))
        counts = [row["num_tokens"] for row in state["log_history"] if "num_tokens" in row]
        trainer._total_train_tokens = int(counts[-1]) if counts else 0  # TRL counts from 0 again
        self._epochs_done = int(state["epoch"])
        if hasattr(trainer, "curriculum"):
            trainer.curriculum.restore(start / CURRICULUM)

    def _get_train_sampler(self, *given: Any, **options: Any) -> Any:
        """Draw the orders of past epochs, so that TRL's GRPO sampler goes on with the next one.

        Trainer's own sampler is told the epoch; TRL's starts again with the first order.
        """
        sampler = super()._get_train_sampler(*given, **options)  # type: ignore[misc]
        if isinstance(sampler, RepeatSampler) and sampler.shuffle:
            for _ in range(self._epochs_done):
                torch.randperm(sampler.num_samples, generator=sampler.generator)
        return sampler

    def _run_epoch(self, *given: Any, **options: Any) -> None:
        """Train an epoch, but no step beyond the last: Trainer asks only after a step."""
        trainer: Any = self
        if trainer.state.global_step >= trainer.state.max_steps:
            trainer.control.should_training_stop = True
            return
        super()._run_epoch(*given, **options)  # type: ignore[misc]

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        trainer: Any = self
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
            without_pickle(folder)
            checkpoints.seal(folder, checkpoints.identity(self._config))
            checkpoints.prune(output, self._config.train.keep_checkpoints)
        trainer.accelerator.wait_for_everyone()


def without_pickle(folder: Path) -> None:
    """Delete Trainer's pickled arguments: nothing reads them, and config.yaml says the same."""
    (folder / "training_args.bin").unlink(missing_ok=True)
