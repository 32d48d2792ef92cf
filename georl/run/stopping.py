"""Stop a run that is asked to: a checkpoint of the step that it is at, then an exit that says so.

SLURM sends SIGTERM before it takes a machine away, and the signal that a job asks for (SIGUSR1
in those of `georl plan`) before its time is up. Transformers' own ``enable_jit_checkpoint`` saves
between the backward pass and the update, on each process when it has heard of the signal, and seals
nothing; here all processes agree on the step.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback

from geodata.printable import tell

STOPPED = 75
"""Exit status of a run that stopped as asked and can go on: EX_TEMPFAIL of sysexits.h."""

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class StopCallback(TrainerCallback):
    """Save and stop at the end of the step in which any process was asked to.

    Parameters
    ----------
    trainer
        Its processes agree after each step.
    period
        Steps that one set of answers serves: a checkpoint is written at multiples only, as what is
        left of the answers is not in it.
    """

    def __init__(self, trainer: Any, period: int) -> None:
        self._trainer, self._period = trainer, period
        self.asked, self.stopped = 0, False  # which signal came, 0 for none

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a checkpoint and the end, the same on every process."""
        if state.global_step % self._period or state.global_step >= state.max_steps:
            return
        accelerator = self._trainer.accelerator
        asked = torch.tensor([self.asked], device=accelerator.device)
        if accelerator.num_processes > 1:
            asked = accelerator.gather(asked).max()
        if int(asked):
            self.asked = int(asked)
            self.stopped = control.should_save = control.should_training_stop = True

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Note signals instead of dying of them; only the main thread can, others change nothing.

        It lasts until the final model is written, which no signal then cuts short.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(number: int, frame: FrameType | None) -> None:
            self.asked = number

        before = {number: signal.signal(number, note) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def leave(self, checkpoint: str) -> None:
        """End the process if it was stopped, with a status that says so.

        Raises
        ------
        SystemExit
            With `STOPPED`, if the run was stopped.
        """
        if not self.stopped:
            return
        if self._trainer.accelerator.is_main_process:
            name = signal.Signals(self.asked).name
            tell(
                f"stopped by {name} with {checkpoint} sealed; the same command goes on from there "
                f"(exit status {STOPPED})"
            )
        self._trainer.accelerator.wait_for_everyone()
        raise SystemExit(STOPPED)
