"""Rollouts of a run: what the model answered, how far off, with which rewards."""

from __future__ import annotations

import math
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

from geodata import answers, sphere
from geodata.files import replacing
from georl.config import Config
from georl.run.record import GROUPS, PART, ROLLOUTS, JsonLines

THRESHOLDS_KM = (25, 200, 750, 2500)


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

    def keep(
        self,
        trainer: Any,
        rows: list[Any],
        completions: list[Any],
        rewards: Tensor,
        valid: Sequence[bool],
    ) -> None:
        """Read the answers to ``rows``; log their accuracy; keep a sample for the table.

        Parameters
        ----------
        rewards
            (B of all processes, functions)
        valid
            Of each answer to ``rows``: whether a reward in use can read it.
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
        readable = torch.tensor(gather_object(list(valid)), device=own.device)
        self.last = ((rewards * weights).nansum(1), readable)
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
        return bool(trainer.accelerator.is_main_process and step % self._every == 0)

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
    pairs = [answers.strict_pair(text) or (math.nan, math.nan) for text in texts]
    lat, lon = np.array(pairs, np.float64).reshape(-1, 2).T
    return lat, lon


def accuracies(km: NDArray[np.float64]) -> dict[str, float]:
    """Return the share of answers within each threshold, and with coordinates at all."""
    within = {f"within_{t}km": float((km <= t).mean()) for t in THRESHOLDS_KM}
    return within | {"format": float(np.isfinite(km).mean())}


def _nullable(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))


def merge_rollouts(output: Path) -> Path | None:
    """Write the samples of all steps as one rollouts.parquet; None if there are none."""
    parts = sorted(part for part in (output / ROLLOUTS).glob("*") if PART.fullmatch(part.name))
    if not parts:
        return None
    table = pa.concat_tables([pq.read_table(part) for part in parts])
    target = output / "rollouts.parquet"
    with replacing(target) as beside:
        pq.write_table(table, beside)
    return target
