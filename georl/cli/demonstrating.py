"""The ``georl demo`` command: both papers in small."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.printable import tell


def register(app: typer.Typer) -> None:
    """Add the command to the ``georl`` application."""
    app.command(rich_help_panel="Try out")(demo)


def demo(
    output: Annotated[Path, typer.Option(help="Folder for everything the demo writes.")] = Path(
        "georl-demo"
    ),
    seed: Annotated[int, typer.Option(help="Decides places, weights and draws.")] = 0,
    quick: Annotated[
        bool, typer.Option(help="Two minutes: fewer steps, the main line only.")
    ] = False,
    science: Annotated[
        bool,
        typer.Option(
            help="20 minutes: does a chain help a model that knows geography, do hard places help "
            "GRPO where the pool saturates; over three seeds, with controls."
        ),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Training runs side by side.")] = 2,
    globe: Annotated[
        bool, typer.Option(help="GLOBE: a reward model, three rewards, scores from names.")
    ] = False,
    seeds: Annotated[
        int, typer.Option(min=1, help="With --globe: so many whole paths, from --seed on.")
    ] = 1,
) -> None:
    """Train a small model on the real Earth: data, SFT, GRPO, predictions, evaluation.

    Example: georl demo --quick

    Example: georl demo --globe --seeds 3 --output georl-globe

    Example: georl demo --science --output georl-science
    """
    from georl import demo as whole

    if science and (quick or globe):
        msg = "give one of --quick, --science and --globe"
        raise typer.BadParameter(msg)
    if seeds != 1 and not globe:
        msg = "--seeds needs --globe; without it --seed chooses"
        raise typer.BadParameter(msg)
    if science:
        tell(whole.run_science(output, seeds=range(seed, seed + 3), workers=workers), end="")
        return
    if globe:
        chosen = range(seed, seed + seeds)
        tell(whole.run_globe(output, seeds=chosen, quick=quick, workers=workers), end="")
        return
    tell(whole.run(output, seed=seed, quick=quick, workers=workers), end="")
