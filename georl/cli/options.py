"""Arguments that several commands of ``georl`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG",
        help="YAML file, or the name of a bundled one: tiny-cpu, qwen2.5-vl-3b-1gpu-lora, "
        "qwen2.5-vl-3b-8xa100, qwen2.5-vl-7b-8xa100, globe-7b-8xa100, globe-tiny-cpu, "
        "reward-model-7b, reward-model-tiny-cpu.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Any field, e.g. train.learning_rate=1e-5."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the resolved run and its memory, then stop.")
]
