"""Benchmarks of training: GRPO step time beside stock TRL, and vanishing advantages.

    python benchmarks/training.py step      ours and stock interleaved in one process
    python benchmarks/training.py demo      the demo's main line over seeds: error, reward gained
    python benchmarks/training.py vanish    reward gained per generated token on a saturated task

`step` needs a model that `georl demo` (or sft on configs/tiny-cpu.yaml) has trained: --model.
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
if __name__ == "__main__":  # not where a test imports it, and starts processes of its own
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import TrainerCallback

from georl import config, demo, grpo, held_out, rewards, sft
from georl.config import Config, load
from georl.data import world
from georl.run import JsonLines
from georl.run.metrics import MetricsCallback

WORLD = [
    "data.rows=2000",
    "data.question=Where?",
    "data.levels=[country]",
    "data.decimals=1",
    "data.round_degrees=1",
]
SFT = [
    *WORLD,
    "task=sft",
    "train.learning_rate=1.5e-3",
    "train.adam_beta2=0.95",
    "train.weight_decay=0.01",
    "train.warmup_steps=60",
    "train.batch=32",
    "train.per_device=32",
    "train.max_steps=600",
]
TASK = [
    *WORLD,
    "task=grpo",
    "grpo.max_tokens=40",
    "train.learning_rate=6e-5",
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
    trainer = grpo.build(run)
    trainer.add_callback(MetricsCallback(Path(run.output)))
    return trainer


def step(model: str, rounds: int, steps: int, rows: int, micro: int) -> None:
    """Print CPU seconds a step, ours and stock, in alternating blocks."""
    clocks, trainers = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, shared in (("stock", "false"), ("shared", "true")):
            size = [
                f"train.batch={rows}",
                f"train.per_device={rows // micro}",
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
            f"{name:8} {seconds:8.3f} CPU-s a step of {rows} answers in {micro} micro-batches, "
            f"{len(clocks[name].seconds)} steps"
        )
    print(f"stock / shared = {medians['stock'] / medians['shared']:.2f}")


def demo_bars(seeds: int) -> None:
    """Print the main line of `georl demo` for several seeds: before and after GRPO."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            found = demo.scored(Path(folder) / str(seed), demo.MAIN, demo.Sizes(), seed=seed)
            before, after = found["sft-cor"], found["grpo-random"]
            gain = after.sampled - before.sampled
            print(
                f"seed {seed}: median {before.median_km:.0f} -> {after.median_km:.0f} km, within "
                f"750 km {before.accuracy[750]:.3f} -> {after.accuracy[750]:.3f}, sampled reward "
                f"{before.sampled.mean():.3f} {gain.mean():+.3f} (se {gain.std() / 512**0.5:.3f})",
                flush=True,
            )


def vanish(seeds: int, tokens: int, rows: int) -> None:
    """Print held-out reward gained from the same number of generated tokens, ours and stock.

    The photos are as skewed as those people take: most stand at a few places, which the model
    has learnt by heart, so their answers are all alike and stock GRPO spends its tokens there.
    What is wanted is the reward everywhere else, on held-out places all over the land.
    """
    gains: dict[str, list[float]] = {name: [] for name in VANISH_ARMS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = skewed_places(folder / "places.parquet")
        taught = sft.train(load(None, [*SFT, f"data.places={places}", f"output={folder}/sft"]))
        asked = world.world_photos(512, 99)
        for seed in range(seeds):
            for arm, more in VANISH_ARMS.items():
                given = vanish_run(taught, folder / f"{arm}-{seed}", places, seed, rows)
                run = load(None, [*given, *more])
                trainer = trainer_for(run)
                before = sampled_reward(trainer, asked)
                trainer.add_callback(Budget(trainer, tokens))
                trainer.train()
                gain = sampled_reward(trainer, asked) - before
                gains[arm].append(gain / (trainer.generated_tokens / 1e6))
                log = JsonLines(Path(run.output) / "metrics.jsonl").read()
                flat = statistics.mean(row["groups/equal"] for row in log if "groups/equal" in row)
                print(
                    f"seed {seed} {arm:10} reward {before:.4f} {gain:+.4f}, "
                    f"{trainer.state.global_step} steps, {trainer.generated_tokens / 1e6:.3f} M "
                    f"tokens, {gains[arm][-1]:+.4f} a million, {flat:.0%} flat groups",
                    flush=True,
                )
    stock = statistics.mean(gains["stock"])
    for arm, values in gains.items():
        spread = statistics.stdev(values) if len(values) > 1 else float("nan")
        mean = statistics.mean(values)
        print(f"{arm:10} {mean:+.4f} a million tokens, sd {spread:.4f}, {mean / stock:.2f} x stock")


DROP = ["groups.drop_equal=true", "groups.tries=1"]
CURRICULUM = ["curriculum.enabled=true", "curriculum.saturated=0.9"]
VANISH_ARMS = {"stock": [], "drop": DROP, "curriculum": CURRICULUM, "both": [*DROP, *CURRICULUM]}

POPULAR_PLACES, POPULAR_SHARE = 20, 0.9

DRAWS = 4
"""Answers sampled to each held-out place."""


def vanish_run(model: Path, output: Path, places: Path, seed: int, rows: int) -> list[str]:
    output.mkdir()
    return [
        *TASK,
        f"model.name={model}",
        f"output={output}",
        f"data.places={places}",
        f"seed={seed}",
        f"train.batch={rows}",
        f"train.per_device={rows}",
        "train.max_steps=100000",
    ]


def skewed_places(target: Path, rows: int = 8000) -> Path:
    """Write photo places of which most lie within a few km of one of a few spots."""
    pool = world.world_photos(rows, 7)
    rng = np.random.default_rng(7)
    popular = rng.random(rows) < POPULAR_SHARE
    spot = rng.integers(0, POPULAR_PLACES, rows)
    columns = {name: pool[name].to_numpy(zero_copy_only=False) for name in pool.column_names[1:]}
    moved = {name: np.where(popular, values[spot], values) for name, values in columns.items()}
    for axis in ("lat", "lon"):
        moved[axis] = moved[axis] + rng.normal(0.0, 0.02, rows) * popular
    pq.write_table(pa.table({"id": pool["id"], **moved}), target)
    return target


class Budget(TrainerCallback):
    """Stop after the step in which the run's generated tokens reach a number."""

    def __init__(self, trainer: grpo.GeoGRPOTrainer, tokens: int) -> None:
        self._trainer, self._tokens = trainer, tokens

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask the trainer to stop."""
        control.should_training_stop |= self._trainer.generated_tokens >= self._tokens


def sampled_reward(trainer: grpo.GeoGRPOTrainer, places: Any) -> float:
    """Return the mean reward of answers at temperature 1 to held-out places."""
    run = trainer.settings
    rows = [row for row in places.to_pylist() for _ in range(DRAWS)]
    earth = world.Earth()
    options = config.PredictConfig(temperature=1.0, max_tokens=40)
    torch.manual_seed(0)
    model = trainer.accelerator.unwrap_model(trainer.model).eval()
    texts: list[str] = []
    for at in range(0, len(rows), 256):
        images = [earth.crop(row["lat"], row["lon"]) for row in rows[at : at + 256]]
        texts += held_out.generate(
            model, trainer.processing_class, images, run.data.question, options
        )
    model.train()
    truth = {axis: [row[axis] for row in rows] for axis in ("lat", "lon")}
    return statistics.mean(rewards.geo_r(texts, **truth))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["step", "demo", "vanish"])
    parser.add_argument("--model", default="out/tiny/final")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--micro-batches", type=int, default=1, help="of a step; step only")
    parser.add_argument("--rows", type=int, default=None, help="256 answers a step; vanish 64")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=200_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.what == "step":
        step(
            options.model, options.rounds, options.steps, options.rows or 256, options.micro_batches
        )
    elif options.what == "demo":
        demo_bars(options.seeds)
    else:
        vanish(options.seeds, options.tokens, options.rows or 64)


if __name__ == "__main__":
    main()
