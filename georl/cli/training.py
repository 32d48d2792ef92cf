"""The commands that run a configuration: sft, grpo, predict, and plan before them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.printable import tell
from georl.cli.options import ConfigFile, DryRun, Overrides


def register(app: typer.Typer) -> None:
    """Add the commands to the ``georl`` application."""
    for command in (sft, grpo, predict, plan):
        app.command(rich_help_panel="Train")(command)


def _start(task: str, path: Path, overrides: list[str] | None, dry_run: bool) -> None:
    from georl import config, plan

    _refuse_other_task(task, overrides or [])
    settings = config.load(path, [*(overrides or []), f"task={task}"])
    config.check(settings)
    if dry_run:
        tell(plan.describe(settings))
    elif task == "sft":
        from georl import sft

        _ended(sft.train(settings))
    elif task == "grpo":
        from georl import grpo

        _ended(grpo.train(settings))
    else:
        from georl import predict

        tell(f"predictions in {predict.predict(settings)}")


def _ended(model: Path) -> None:
    """Say where the model is, once for all processes of a run, and part them."""
    from georl import config, run

    if config.is_first():
        tell(f"model in {model}")
    run.part_processes()


def _refuse_other_task(task: str, overrides: list[str]) -> None:
    """Refuse ``georl sft ... task=grpo``: what is asked for twice must be asked for alike."""
    for key, _, value in (override.partition("=") for override in overrides):
        if key.strip() == "task" and value.strip() != task:
            msg = f"task={value.strip()} was given to georl {task}; leave it out, or run the other"
            raise typer.BadParameter(f"{msg} command: sft, grpo or predict")


def sft(path: ConfigFile, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """Fine-tune on Chain-of-Region answers.

    Example: georl sft tiny-cpu train.max_steps=50

    Example: georl sft qwen2.5-vl-3b-1gpu-lora data.table=lake/rand data.image_root=photos
    """
    _start("sft", path, overrides, dry_run)


def grpo(path: ConfigFile, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """Train with GRPO and geographic rewards.

    Example: georl grpo tiny-cpu model.name=out/tiny/final output=out/tiny-grpo train.max_steps=20
    """
    _start("grpo", path, overrides, dry_run)


def predict(path: ConfigFile, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """Answer over a table of photos; write a predictions file.

    Example: georl predict tiny-cpu model.name=out/tiny/final predict.output=answers.parquet

    Example: georl predict run.yaml data.table=photos.csv predict.url=http://localhost:8000/v1
    """
    _start("predict", path, overrides, dry_run)


def plan(
    path: ConfigFile,
    overrides: Overrides = None,
    card: Annotated[
        str | None,
        typer.Option(help="What each process runs on, e.g. a100-80: does it fit, how long."),
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows of the training table.")] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="Folder for the files that start the run: run.sh, job.sbatch, ..."),
    ] = None,
    hours: Annotated[int, typer.Option(min=1, help="Limit of one SLURM job.")] = 24,
) -> None:
    """Print the resolved run, its memory, disk and time; write the files that start it.

    Example: georl plan qwen2.5-vl-7b-8xa100 train.per_device=2 --card a100-80 --rows 500000

    Example: georl plan qwen2.5-vl-7b-8xa100 --card a100-80 --write launch
    """
    import shlex

    from georl import config, plan as planning

    settings = config.load(path, overrides or [])
    planned = settings
    if settings.grpo.vllm == "server" and settings.grpo.vllm_url is None:
        planned = config.replace(settings, grpo__vllm_url="http://named-at-the-start:8000")
    config.check(planned, max(settings.train.processes, 1))
    chosen = None if card is None else planning.card_of(card)
    tell(planning.describe(settings, card=chosen, rows=rows))
    if chosen is not None:
        planning.check_fit(settings, planning.model_shape(settings.model), chosen)
    if write is not None:
        called = shlex.join([str(path), *(overrides or [])])
        for file in planning.write(settings, called, write, hours=hours):
            tell(f"# wrote {file}")
