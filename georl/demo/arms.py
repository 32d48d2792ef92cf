"""The training runs that the demo compares: what each is told, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from georl.config import Config, load


@dataclass(frozen=True)
class Sizes:
    """How long the demo takes."""

    pool: int = 20_000
    held_out: int = 512
    sft_steps: int = 700
    """Of 32 photos each."""
    grpo_steps: int = 140
    answers: int = 192
    """In a GRPO step: 8 to each photo."""
    grpo_learning_rate: float = 6e-5


QUICK = Sizes(6_000, 256, sft_steps=320, grpo_steps=60, answers=128, grpo_learning_rate=2e-4)
"""For a look within two minutes; a model that has learnt less also gains faster."""


@dataclass(frozen=True)
class Arm:
    """One training run of the comparison."""

    name: str
    title: str
    task: str
    places: str
    """'random' or 'hard'."""
    prompt: str = "cor"
    start: str | None = None
    """The arm whose final model it starts from."""


MAIN = (
    Arm("sft-cor", "SFT, Chain of Region", "sft", "random"),
    Arm("grpo-random", "SFT, then GRPO on random places", "grpo", "random", start="sft-cor"),
)
QUESTIONS = (
    Arm("grpo-hard", "SFT, then GRPO on hard places", "grpo", "hard", start="sft-cor"),
    Arm("sft-location", "SFT, coordinates only", "sft", "random", prompt="location"),
    Arm("sft-hard", "SFT, Chain of Region, hard places only", "sft", "hard"),
)


def arm_config(arm: Arm, output: Path, sizes: Sizes, seed: int) -> Config:
    """Return the run of an arm."""
    given = [
        f"task={arm.task}",
        f"seed={seed}",
        f"output={output / arm.name}",
        f"data.places={output / 'data' / arm.places}.parquet",
        "data.question=Where?",
        f"data.prompt={arm.prompt}",
        "data.levels=[country]",
        "data.decimals=1",
        "data.round_degrees=1",
        "train.adam_beta2=0.95",
    ]
    if arm.task == "sft":
        steps = [f"train.max_steps={sizes.sft_steps}", "train.warmup_steps=60"]
        batch = ["train.batch=32", "train.per_device=32"]
        pace = ["train.learning_rate=1.5e-3", "train.weight_decay=0.01"]
        return load(None, [*given, *batch, *steps, *pace])
    model = output / str(arm.start) / "final"
    batch = [f"train.batch={sizes.answers}", f"train.per_device={sizes.answers}"]
    steps = [f"train.max_steps={sizes.grpo_steps}", "train.logging_steps=2"]
    pace = [
        f"train.learning_rate={sizes.grpo_learning_rate}",
        "train.schedule=constant_with_warmup",
        "train.warmup_steps=5",
    ]
    return load(None, [*given, *batch, *steps, *pace, f"model.name={model}", "grpo.max_tokens=40"])
