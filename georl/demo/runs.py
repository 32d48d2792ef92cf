"""Run the trainings of the demo as processes side by side, with their progress."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from geodata.errors import GeodataError
from geodata.files import write_text
from georl.config import Config, ConfigError, dump, load
from georl.run import METRICS, JsonLines

POLL_S = 0.5

MAX_THREADS = 4
"""More than these gain nothing on matrices as small as the tiny model's."""


class DemoError(GeodataError, ValueError):
    """A training run of the demo stopped, with the end of its log; or another one is there."""


@dataclass(frozen=True)
class Job:
    """One training run."""

    name: str
    title: str
    config: Config


def train_all(jobs: Sequence[Job], workers: int, started: float) -> None:
    """Train every job that is not finished, ``workers`` at a time, the cores shared out.

    Parameters
    ----------
    jobs
        Their outputs go to ``config.output``, what they print to NAME.log beside it.
    workers
        Processes at a time.
    started
        `time.perf_counter` at the start of the demo, for the times that are shown.

    Raises
    ------
    DemoError
        If a run fails; the others are stopped. Also if a finished run there has other settings.
    """
    waiting = [job for job in jobs if not _finished(job)]
    workers = max(1, min(workers, len(waiting)))
    running: list[_Running] = []
    with _progress() as bar:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    running.append(_Running(waiting.pop(0), workers, bar))
                time.sleep(POLL_S)
                for training in [t for t in running if t.over()]:
                    running.remove(training)
                    seconds = time.perf_counter() - started
                    bar.console.print(
                        f"[{seconds:4.0f} s] {training.job.title}: done", markup=False
                    )
        finally:
            for training in running:
                training.stop()


def no_bars_of_others() -> None:
    """Keep the bars that show the loading of a million weights out of the demo's lines."""
    from transformers.utils import logging

    quiet: Any = logging.disable_progress_bar
    quiet()


def _finished(job: Job) -> bool:
    """Return whether a run is there already; one of other settings is not taken for it."""
    output = Path(job.config.output)
    if not (output / "final" / "COMPLETE").is_file():
        return False
    said, was = output.with_suffix(".yaml"), ""
    if said.is_file():
        with contextlib.suppress(ConfigError):
            run = load(said)
            if (run.seed, run.train) == (job.config.seed, job.config.train):
                return True
            was = f" (seed {run.seed}, {run.train.max_steps} steps)"
        msg = f"{output} holds a run of other settings{was}; give another --output, or delete it"
        raise DemoError(msg)
    return True


def _progress() -> Progress:
    console = Console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("step {task.completed:.0f}/{task.total:.0f}  {task.fields[shown]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class _Running:
    """A training process and its line of the progress display."""

    def __init__(self, job: Job, workers: int, bar: Progress) -> None:
        self.job, self._bar = job, bar
        self._metrics = JsonLines(Path(job.config.output) / METRICS)
        self._line = bar.add_task(job.title, total=job.config.train.max_steps, shown="starting")
        self._log_path = Path(job.config.output).with_suffix(".log")
        self._log: IO[str] = self._log_path.open("w", encoding="utf-8")
        self.process = _start(job, workers, self._log)

    def over(self) -> bool:
        """Show where the run stands; return whether it has ended."""
        rows = self._metrics.read()
        if rows:
            last = rows[-1]
            field = "reward" if self.job.config.task == "grpo" else "loss"
            shown = f"{field} {last[field]:.3f}" if isinstance(last.get(field), float) else ""
            self._bar.update(self._line, completed=last["step"], shown=shown)
        status = self.process.poll()
        if status is None:
            return False
        self._log.close()
        self._bar.remove_task(self._line)
        if status:
            tail = self._log_path.read_text(encoding="utf-8", errors="replace")[-2000:]
            msg = f"{self.job.name} stopped with status {status}; the end of {self._log_path}:"
            raise DemoError(f"{msg}\n{tail}")
        return True

    def stop(self) -> None:
        """End the process, and wait until it has ended."""
        self.process.kill()
        self.process.wait()
        self._log.close()


def _start(job: Job, workers: int, log: IO[str]) -> subprocess.Popen[str]:
    path = Path(job.config.output).with_suffix(".yaml")
    write_text(path, dump(job.config))
    environment = _environment(workers)
    command = [sys.executable, "-m", "georl.cli", job.config.task, str(path)]
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log, text=True)


def _environment(workers: int) -> dict[str, str]:
    """Return the environment of a run: its share of the cores, unless the user has said one."""
    threads = str(max(1, min(MAX_THREADS, (os.cpu_count() or 1) // workers)))
    return {"OMP_NUM_THREADS": threads, **os.environ, "TRANSFORMERS_VERBOSITY": "error"}
