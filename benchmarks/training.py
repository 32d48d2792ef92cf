"""Benchmarks of training: GRPO step time beside stock TRL, and vanishing advantages.

    python benchmarks/training.py step      ours and stock interleaved in one process
    python benchmarks/training.py vanish    reward gained per generated token on a saturated task

Both stand on a model that `georl demo` (or sft on configs/tiny-cpu.yaml) has trained: --model.
Times are process CPU seconds, so that other work on the machine does not blur them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# as a script, this folder comes first in the path, and its datasets.py hides the library
sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent]
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import pyarrow.parquet as pq
import torch
from transformers import TrainerCallback

from geodata import sphere
from georl import config, data, grpo, models, predict, rewards, world
from georl.config import Config, load
from georl.metrics_log import JsonLines, MetricsCallback

TASK = [
    "task=grpo",
    "data.rows=2000",
    "data.question=Where?",
    "data.levels=[country]",
    "data.decimals=1",
    "data.round_degrees=1",
    "grpo.max_tokens=40",
    "train.learning_rate=3e-5",
    "train.schedule=constant",
    "train.adam_beta2=0.95",
    "train.logging_steps=1",
]


class Clock(TrainerCallback):
    """CPU seconds between the ends of successive steps: fetch, sample, reward, update."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last: float | None = None

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Forget the last run."""
        self._last = None

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Note the time of the step."""
        now = time.process_time()
        if self._last is not None:
            self.seconds.append(now - self._last)
        self._last = now


def trainer_for(run: Config) -> grpo.GeoGRPOTrainer:
    rows = data.load(run, completions=False)
    model, processor = models.load(run.model, texts=data.texts(rows, run), seed=run.seed)
    trainer = grpo.GeoGRPOTrainer(
        run=run,
        model=model,
        reward_funcs=grpo.reward_functions(run),
        args=grpo.arguments(run, processor),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.add_callback(MetricsCallback(Path(run.output)))
    return trainer


def step(model: str, rounds: int, steps: int, rows: int) -> None:
    """Print CPU seconds a step, ours and stock, in alternating blocks."""
    clocks, trainers = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, shared in (("stock", "false"), ("shared", "true")):
            size = [
                f"train.batch={rows}",
                f"train.per_device={rows}",
                f"train.max_steps={steps + 1}",
            ]
            run = load(
                None,
                [
                    *TASK,
                    *size,
                    f"model.name={model}",
                    f"output={folder}/{name}",
                    f"grpo.share_prompts={shared}",
                ],
            )
            trainers[name], clocks[name] = trainer_for(run), Clock()
            trainers[name].add_callback(clocks[name])
        for _ in range(rounds):
            for trainer in trainers.values():
                trainer.train()
    medians = {name: statistics.median(clock.seconds) for name, clock in clocks.items()}
    for name, seconds in medians.items():
        print(
            f"{name:8} {seconds:8.3f} CPU-s a step of {rows} answers, "
            f"{len(clocks[name].seconds)} steps"
        )
    print(f"stock / shared = {medians['stock'] / medians['shared']:.2f}")


def vanish(model: str, seeds: int, steps: int, rows: int) -> None:
    """Print held-out reward gained per million generated tokens, ours and stock.

    The task is saturated on purpose: four of five training places are ones that the model
    already localizes, and the temperature is low, so most groups of stock GRPO are flat.
    """
    gains: dict[str, list[float]] = {"stock": [], "ours": []}
    with tempfile.TemporaryDirectory() as folder:
        places = saturated_places(model, Path(folder))
        for seed in range(seeds):
            for name, more in VANISH_ARMS.items():
                run = vanish_run(model, Path(folder) / f"{name}-{seed}", places, seed, steps, rows)
                run = config.load(None, [*run, *more])
                trainer = trainer_for(run)
                held_out = world.photos(512, 99)
                before = sampled_reward(trainer, held_out)
                trainer.train()
                gain = sampled_reward(trainer, held_out) - before
                tokens = trainer.generated_tokens / 1e6
                gains[name].append(gain / tokens)
                log = JsonLines(Path(run.output) / "metrics.jsonl").read()
                flat = statistics.mean(row["groups/equal"] for row in log if "groups/equal" in row)
                print(
                    f"seed {seed} {name:6} reward {before:.4f} {gain:+.4f}, {tokens:.3f} M tokens, "
                    f"{gain / tokens:+.4f} a million, {flat:.0%} flat groups",
                    flush=True,
                )
    for name, values in gains.items():
        spread = statistics.stdev(values) if len(values) > 1 else float("nan")
        print(f"{name:6} {statistics.mean(values):+.4f} a million tokens, sd {spread:.4f}")


VANISH_ARMS = {
    "stock": [],
    "ours": [
        "groups.drop_equal=true",
        "groups.tries=1",
        "curriculum.enabled=true",
        "curriculum.radius_km=100",
        "curriculum.saturated=0.85",
    ],
}


def vanish_run(
    model: str, output: Path, places: Path, seed: int, steps: int, rows: int
) -> list[str]:
    output.mkdir()
    return [
        *TASK,
        f"model.name={model}",
        f"output={output}",
        f"data.places={places}",
        f"seed={seed}",
        f"train.batch={rows}",
        f"train.per_device={rows}",
        f"train.max_steps={steps}",
        "train.learning_rate=6e-5",
        "grpo.temperature=0.2",
    ]


def saturated_places(model: str, folder: Path, rows: int = 2000) -> Path:
    """Write places of which four in five are localized by the model within 150 km."""
    pool = world.photos(rows, 7)
    target = folder / "pool.parquet"
    pq.write_table(pool, target)
    given = [f"model.name={model}", f"data.places={target}", "data.question=Where?"]
    sizes = ["predict.batch=256", "predict.max_tokens=40", f"predict.output={folder / 'p.parquet'}"]
    found = pq.read_table(predict.predict(config.load(None, ["task=predict", *given, *sizes])))
    lat, lon = (found[axis].to_numpy(zero_copy_only=False) for axis in ("lat", "lon"))
    km = sphere.haversine_km(lat, lon, pool["lat"].to_numpy(), pool["lon"].to_numpy())
    easy, other = np.flatnonzero(km <= 150), np.flatnonzero(~(km <= 150))
    chosen = np.sort(np.concatenate([easy, other[: len(easy) // 4]]))
    pq.write_table(pool.take(chosen), target)
    return target


def sampled_reward(trainer: grpo.GeoGRPOTrainer, held_out: Any) -> float:
    """Return the mean reward of answers at temperature 1 to held-out places, two each."""
    run = trainer.run
    rows = [row for row in held_out.to_pylist() for _ in range(2)]
    earth = world.Earth()
    options = config.PredictConfig(temperature=1.0, max_tokens=40)
    torch.manual_seed(0)
    model = trainer.accelerator.unwrap_model(trainer.model).eval()
    texts: list[str] = []
    for at in range(0, len(rows), 256):
        images = [earth.crop(row["lat"], row["lon"]) for row in rows[at : at + 256]]
        texts += predict.generate(
            model, trainer.processing_class, images, run.data.question, options
        )
    model.train()
    truth = {axis: [row[axis] for row in rows] for axis in ("lat", "lon")}
    return statistics.mean(rewards.geo_r(texts, **truth))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["step", "vanish"])
    parser.add_argument("--model", default="out/tiny/final")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.what == "step":
        step(options.model, options.rounds, options.steps, options.rows)
    else:
        vanish(options.model, options.seeds, options.steps, options.rows)


if __name__ == "__main__":
    main()
