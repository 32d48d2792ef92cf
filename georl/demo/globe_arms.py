"""The training runs of ``georl demo --globe``: what each is told, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from georl.config import Config, load

QUESTION = "Where?"


@dataclass(frozen=True)
class GlobeSizes:
    """How long the demo takes."""

    reasons: int = 3000
    """Rows of the reasoning set; the base learns from as many of its own."""
    held_out: int = 600
    """Rows, of which more than half are photos to find; the others are no answers."""
    base_steps: int = 375
    """Of 32 photos each."""
    sft_steps: int = 100
    judge_steps: int = 150
    grpo_steps: int = 60
    answers: int = 192
    """In a GRPO step: 8 to each photo."""
    hidden: int = 64
    layers: int = 3


GLOBE_QUICK = GlobeSizes(
    600, 120, base_steps=250, sft_steps=5, judge_steps=10, grpo_steps=3, answers=32, hidden=48,
    layers=2,
)  # fmt: skip
"""The whole path in two minutes: the answers get their form, and the cities are guessed."""


@dataclass(frozen=True)
class GlobeArm:
    """One training run."""

    name: str
    title: str
    task: str
    rewards: tuple[str, ...] = ()
    paper: tuple[float, float] | None = None
    """Within 25 and 200 km on MP16-Reason-Test in the paper, percent; Qwen2.5-VL-7B on photos."""


BASE = GlobeArm("base", "base", "sft", paper=(51.11, 61.29))
JUDGE = GlobeArm("judge", "reward model", "sft")
TRAINED = (
    GlobeArm("sft", "SFT", "sft", paper=(56.76, 70.21)),
    GlobeArm("accuracy", "accuracy only", "grpo", ("place_accuracy",), (59.24, 71.93)),
    GlobeArm(
        "localizability", "+ localizability", "grpo", ("place_accuracy", "localizability"),
        (59.83, 72.22),
    ),
    GlobeArm(
        "all", "all three", "grpo", ("place_accuracy", "localizability", "visual_grounding"),
        (62.85, 73.83),
    ),
)  # fmt: skip
"""The rows of the paper's ablation, each trained from the base."""

WEIGHTS = {"place_accuracy": 1.0, "localizability": 0.5, "visual_grounding": 0.2}
"""Those of the release, whose format reward weighs 1 in every arm."""


def globe_config(arm: GlobeArm, folder: Path, sizes: GlobeSizes, seed: int) -> Config:
    """Return the run of an arm in the folder of its seed."""
    given = [f"seed={seed}", f"output={folder / arm.name}"]
    start = folder / ("blank" if arm == BASE else "base/final")
    given.append(f"model.name={start}")
    if arm == JUDGE:
        table = f"data.table={folder / 'data' / 'judge.parquet'}"
        return load("reward-model-tiny-cpu", [*given, table, f"max_steps={sizes.judge_steps}"])
    table = f"data.table={folder / 'data' / ('base' if arm == BASE else 'train')}.parquet"
    if arm.task == "sft":
        steps = sizes.base_steps if arm == BASE else sizes.sft_steps
        rate = 2e-3 if arm == BASE else 1e-3
        pace = [f"learning_rate={rate}", "adam_beta2=0.95", f"warmup_steps={min(40, steps // 4)}"]
        batch = ["train.batch=32", "per_device=32", f"max_steps={steps}"]
        return load(None, ["task=sft", *given, table, *pace, *batch])
    weights = {name: WEIGHTS[name] for name in arm.rewards} | {"think_format": 1.0}
    arguments: dict[str, dict[str, object]] = {"place_accuracy": {"alpha": 0.8}}
    if "localizability" in weights:
        arguments["localizability"] = {"model": str(folder / "judge" / "final")}
    batch = [f"train.batch={sizes.answers}", f"per_device={sizes.answers}"]
    rewards = [f"rewards.weights={weights}", f"rewards.arguments={arguments}"]
    length = [f"max_steps={sizes.grpo_steps}", "rewards.preset=null"]
    return load("globe-tiny-cpu", [*given, table, *batch, *length, *rewards])
