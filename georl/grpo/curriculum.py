"""Which prompts come next: those that the model sometimes gets right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from geodata.files import write_text
from geodata.popular import PopularRegions
from georl.config import CurriculumConfig
from georl.grpo.groups import Row, log_mean, log_value


class Curriculum:
    """Popular regions that grow from saturated groups, and draws that avoid them.

    Parameters
    ----------
    config
        ``enabled`` False leaves every draw as it is.
    seed
        With the step and the process it decides the draws, so a resumed run repeats them.
    """

    def __init__(self, config: CurriculumConfig, seed: int) -> None:
        self.config, self.seed = config, seed
        self.popular = PopularRegions(config.radius_km)
        self._places: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._draws = 0

    def observe(self, rows: Sequence[Row], rewards: Tensor, trainer: Any) -> None:
        """Make popular the places of groups whose worst answer is good.

        Parameters
        ----------
        rows
            One row a group of all processes, with lat and lon.
        rewards
            (groups, G)
        """
        if not self.config.enabled:
            return
        good = (rewards.amin(1) >= self.config.saturated).tolist()
        places = [
            (row["lat"], row["lon"]) for row, is_good in zip(rows, good, strict=True) if is_good
        ]
        for lat, lon in sorted(set(places)):
            self.popular.add(lat, lon)
        log_value(trainer, "curriculum/regions", float(len(self.popular)))

    def choose(self, inputs: list[Row], trainer: Any) -> list[Row]:
        """Return the rows of a batch, those in popular regions mostly swapped for others."""
        if not self.config.enabled or not len(self.popular):
            return inputs
        size = trainer.num_generations
        groups = inputs[::size]
        rng = self._rng(trainer)
        inside = self.popular.contains([g["lat"] for g in groups], [g["lon"] for g in groups])
        swap = inside & (rng.random(len(groups)) >= self.config.keep)
        fresh = iter(self._elsewhere(int(swap.sum()), rng, trainer))
        chosen = [next(fresh) if out else row for row, out in zip(groups, swap, strict=True)]
        log_mean(trainer, "curriculum/swapped", float(swap.mean()))
        return [row for row in chosen for _ in range(size)]

    def draw(self, groups: int, trainer: Any) -> list[Row]:
        """Return the rows of so many new groups, avoiding popular regions if enabled."""
        rows = self._elsewhere(groups, self._rng(trainer), trainer)
        return [row for row in rows for _ in range(trainer.num_generations)]

    def _rng(self, trainer: Any) -> np.random.Generator:
        """Return a generator that depends on nothing but where the run stands."""
        self._draws += 1
        rank = trainer.accelerator.process_index
        return np.random.default_rng([self.seed, trainer.state.global_step, rank, self._draws])

    def _elsewhere(self, count: int, rng: np.random.Generator, trainer: Any) -> list[Row]:
        if count == 0:
            return []
        lat, lon = self._all_places(trainer)
        picked = rng.integers(len(lat), size=(count, self.config.budget))
        if self.config.enabled:
            flat = picked.ravel()
            stay = ~self.popular.contains(lat[flat], lon[flat]).reshape(picked.shape)
            stay |= rng.random(picked.shape) < self.config.keep
            picked = picked[np.arange(count), stay.argmax(1)]
        else:
            picked = picked[:, 0]
        found: list[Row] = trainer.train_dataset.__getitems__(picked.tolist())
        return found

    def _all_places(self, trainer: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self._places is None:
            columns = trainer.train_dataset.with_format("numpy", columns=["lat", "lon"])[:]
            self._places = columns["lat"], columns["lon"]
        return self._places

    def save(self, path: Path) -> None:
        """Write the state beside a checkpoint, as JSON."""
        table = self.popular.to_table()
        state = {"draws": self._draws, "radius_km": self.popular.radius_km, **table.to_pydict()}
        write_text(path, json.dumps(state))

    def restore(self, path: Path) -> None:
        """Read what `save` wrote."""
        state = json.loads(path.read_text(encoding="utf-8"))
        self._draws = int(state["draws"])
        self.popular = PopularRegions(state["radius_km"])
        if state["lat"]:
            self.popular.add(state["lat"], state["lon"])
