"""What the trainer logs, as lines of metrics.jsonl: whatever else a run reports to."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from georl.run.record import METRICS, JsonLines


class MetricsCallback(TrainerCallback):
    """Write what the trainer logs to metrics.jsonl, with wall time, CPU time and tokens/s."""

    def __init__(self, output: Path) -> None:
        self._log = JsonLines(output / METRICS)
        self._started = self._last = time.perf_counter()
        self._tokens = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clocks; tokens go on from where the run stands."""
        self._started = self._last = time.perf_counter()
        counts = [row["num_tokens"] for row in state.log_history if "num_tokens" in row]
        self._tokens = counts[-1] if counts else 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Log before every checkpoint: the sums behind a row's means are not saved in it."""
        control.should_log |= control.should_save

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Append one line."""
        if not state.is_world_process_zero or not logs:
            return
        now = time.perf_counter()
        row: dict[str, Any] = {"step": state.global_step, "seconds": round(now - self._started, 3)}
        row["cpu_seconds"] = round(time.process_time(), 3)
        numbers = {k: float(v) for k, v in logs.items() if isinstance(v, int | float)}
        numbers.pop("train_loss", None)  # of the steps since the last start only
        tokens = numbers.get("num_tokens")
        if tokens is not None and now > self._last:
            row["tokens_per_second"] = round((tokens - self._tokens) / (now - self._last), 1)
            self._tokens, self._last = tokens, now
        self._log.write([row | numbers])
