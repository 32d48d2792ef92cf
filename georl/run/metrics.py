"""The record of a run: metrics.jsonl always, rollouts and groups as tables, a plot at the end."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from accelerate.utils import gather_object
from numpy.typing import NDArray
from torch import Tensor
from transformers import TrainerCallback

from geodata import answers, sphere
from geodata.files import replacing
from georl.config import Config

THRESHOLDS_KM = (25, 200, 750, 2500)

METRICS, GROUPS, ROLLOUTS = "metrics.jsonl", "groups.jsonl", "rollouts"

CLOSING = "train_runtime"
"""Key of the row that the trainer logs once it is done."""

_PART = re.compile(r"step-([0-9]{6,})-[0-9]+\.parquet")


class JsonLines:
    """A file of JSON objects that grows a line at a time and can be cut back to a step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Append rows; NaN and infinity, which JSON does not have, become null."""
        text = "".join(json.dumps(_finite(row), ensure_ascii=False) + "\n" for row in rows)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)

    def read(self) -> list[dict[str, Any]]:
        """Return the rows, without a last line that was cut short."""
        if not self.path.is_file():
            return []
        whole = self.path.read_text(encoding="utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def cut(self, step: int) -> None:
        """Drop the rows after ``step`` and closing rows, which a resumed run writes again."""
        if not self.path.is_file():
            return
        rows = [r for r in self.read() if r.get("step", 0) <= step and CLOSING not in r]
        with replacing(self.path) as beside:
            beside.write_text(
                "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8"
            )


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


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
            self._tokens = tokens
        self._last = now
        self._log.write([row | numbers])


class RolloutLog:
    """What the answers of GRPO are worth: validity, distance, samples for the folder rollouts."""

    def __init__(self, config: Config, reward_names: Sequence[str]) -> None:
        self._folder = Path(config.output) / ROLLOUTS
        self._groups = JsonLines(Path(config.output) / GROUPS)
        self._names, self._weights = list(reward_names), list(config.rewards.weights.values())
        self._samples = config.grpo.rollout_samples
        self._every = config.train.logging_steps
        self._step, self._parts, self._kept = 0, 0, 0  # of the step that is being sampled
        self.last: tuple[Tensor, Tensor] = (torch.zeros(0), torch.zeros(0))
        """Weighted total reward and validity of all processes' last answers, (B,) each."""

    def keep(self, trainer: Any, rows: list[Any], completions: list[Any], rewards: Tensor) -> None:
        """Read the answers to ``rows``; log their accuracy; keep a sample for the table.

        Parameters
        ----------
        rewards
            (B of all processes, functions)
        """
        texts = [turns[0]["content"] if isinstance(turns, list) else turns for turns in completions]
        lat, lon = answer_coordinates(texts)
        truth = np.array([[row["lat"], row["lon"]] for row in rows], np.float64)
        km = np.asarray(sphere.haversine_km(lat, lon, truth[:, 0], truth[:, 1]))
        mode = "train" if trainer.model.training else "eval"
        everywhere = np.array(gather_object(km.tolist()), np.float64)
        for name, value in accuracies(everywhere).items():
            trainer._metrics[mode][name].append(value)
        start = trainer.accelerator.process_index * len(rows)
        own = rewards[start : start + len(rows)]
        weights = torch.tensor(self._weights, device=own.device)
        valid = torch.tensor(np.isfinite(everywhere), device=own.device)
        self.last = ((rewards * weights).nansum(1), valid)
        if mode == "train" and self._wanted(trainer):
            self._write(trainer.state.global_step + 1, rows, texts, lat, lon, km, own)

    def keep_groups(
        self, trainer: Any, rows: list[Any], rewards: Tensor, flat: Tensor, invalid: Tensor
    ) -> None:
        """Append one line a group: where it was and whether it could teach.

        ``geodata sql`` counts them by country or H3 cell.

        Parameters
        ----------
        rows
            One a group of all processes, with id, country, lat and lon.
        rewards
            (groups, G)
        flat, invalid
            (groups,)
        """
        import h3

        if not trainer.accelerator.is_main_process:
            return
        lines = [
            {
                "step": trainer.state.global_step + 1,
                "id": row["id"],
                "country": row["country"],
                "cell": h3.latlng_to_cell(row["lat"], row["lon"], 2),
                "mean": float(group.mean()),
                "range": float(group.amax() - group.amin()),
                "equal": bool(is_flat),
                "invalid": bool(is_invalid),
            }
            for row, group, is_flat, is_invalid in zip(rows, rewards, flat, invalid, strict=True)
        ]
        self._groups.write(lines)

    def _wanted(self, trainer: Any) -> bool:
        step = trainer.state.global_step + 1  # the step that these answers are for
        return bool(
            self._samples and trainer.accelerator.is_main_process and step % self._every == 0
        )

    def _write(
        self,
        step: int,
        rows: list[Any],
        texts: list[str],
        lat: Any,
        lon: Any,
        km: Any,
        rewards: Any,
    ) -> None:
        if step != self._step:
            self._step, self._parts, self._kept = step, 0, 0
        n = min(self._samples - self._kept, len(rows))  # a step may draw several times
        if n <= 0:
            return
        columns: dict[str, Any] = {
            "step": [step] * n,
            "id": [f"{step}/{self._kept + i}" for i in range(n)],
            "photo": [row["id"] for row in rows[:n]],
            "answer": texts[:n],
            "pred_lat": _nullable(lat[:n]),
            "pred_lon": _nullable(lon[:n]),
            "distance_km": _nullable(km[:n]),
            "lat_true": [row["lat"] for row in rows[:n]],
            "lon_true": [row["lon"] for row in rows[:n]],
            "country": pa.array([row.get("country") for row in rows[:n]], pa.string()),
        }
        for i, name in enumerate(self._names):
            columns[f"reward_{name}"] = rewards[:n, i].double().cpu().numpy()
        self._folder.mkdir(parents=True, exist_ok=True)
        with replacing(self._folder / f"step-{step:06d}-{self._parts:03d}.parquet") as beside:
            pq.write_table(pa.table(columns), beside)
        self._parts, self._kept = self._parts + 1, self._kept + n


def answer_coordinates(texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates in each answer by the strict contract; NaN where there are none."""
    parsed = [answers.parse_strict(text) for text in texts]
    lat = np.array([math.nan if a.lat is None else a.lat for a in parsed], np.float64)
    lon = np.array([math.nan if a.lon is None else a.lon for a in parsed], np.float64)
    return lat, lon


def accuracies(km: NDArray[np.float64]) -> dict[str, float]:
    """Return the share of answers within each threshold, and with coordinates at all."""
    within = {f"within_{t}km": float((km <= t).mean()) for t in THRESHOLDS_KM}
    return within | {"format": float(np.isfinite(km).mean())}


def _nullable(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))


def plot(output: Path) -> Path | None:
    """Draw the curves of metrics.jsonl into curves.png; None if there is nothing to draw."""
    rows = JsonLines(output / METRICS).read()
    wanted = (
        "loss",
        "mean_token_accuracy",
        "reward",
        "within_750km",
        "within_200km",
        "entropy",
        "groups/equal",
    )
    series = {k: [(r["step"], r[k]) for r in rows if r.get(k) is not None] for k in wanted}
    series = {name: points for name, points in series.items() if len(points) > 1}
    if not series:
        return None
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    columns = min(3, len(series))
    lines = -(-len(series) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(4 * columns, 2.8 * lines), squeeze=False)
    for axis in axes.flat[len(series) :]:
        axis.axis("off")
    for axis, (name, points) in zip(axes.flat, series.items(), strict=False):
        axis.plot(*zip(*points, strict=True), linewidth=1.2)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("step", fontsize=9)
        axis.grid(alpha=0.3)
    return save_figure(figure, output / "curves.png", dpi=110)


def save_figure(figure: Any, target: Path, dpi: int) -> Path:
    """Write a matplotlib figure as a whole PNG or none, close it and return the path."""
    from matplotlib import pyplot as plt

    figure.tight_layout()
    with replacing(target) as beside:
        figure.savefig(beside, dpi=dpi, format="png")
    plt.close(figure)
    return target


def cut(output: Path, step: int) -> None:
    """Take the record of a run back to ``step``; -1 leaves nothing of it.

    Parameters
    ----------
    output
        Folder of the run.
    step
        Optimizer step that the run goes on from.
    """
    for name in (METRICS, GROUPS):
        if step < 0:
            (output / name).unlink(missing_ok=True)
        else:
            JsonLines(output / name).cut(step)
    (output / "rollouts.parquet").unlink(missing_ok=True)
    for part in (output / ROLLOUTS).glob("*"):
        found = _PART.fullmatch(part.name)
        if part.suffix == ".part" or (found and int(found[1]) > step):
            part.unlink()


def merge_rollouts(output: Path) -> Path | None:
    """Write the samples of all steps as one rollouts.parquet; None if there are none."""
    parts = sorted(part for part in (output / ROLLOUTS).glob("*") if _PART.fullmatch(part.name))
    if not parts:
        return None
    table = pa.concat_tables([pq.read_table(part) for part in parts])
    target = output / "rollouts.parquet"
    with replacing(target) as beside:
        pq.write_table(table, beside)
    return target
