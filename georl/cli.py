"""The ``georl`` command: demo, sft, grpo, predict, plan. No logic of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata import commandline

app = typer.Typer(
    no_args_is_help=True,
    help="Train vision-language models to say where a photo was taken, with geographic rewards.",
    epilog="Example: georl demo --quick",
    pretty_exceptions_enable=False,
)


def _version(show: bool) -> None:
    if show:
        from georl import __version__

        print(f"georl {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train vision-language models to say where a photo was taken, with geographic rewards."""


ConfigFile = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG",
        help="YAML file, or the name of a bundled one: tiny-cpu, qwen2.5-vl-3b-1gpu-lora, "
        "qwen2.5-vl-3b-8xa100, qwen2.5-vl-7b-8xa100, globe-7b-8xa100.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Any field, e.g. train.learning_rate=1e-5."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the resolved run and its memory, then stop.")
]


def _start(task: str, path: Path, overrides: list[str] | None, dry_run: bool) -> None:
    from georl import config, plan

    settings = config.load(path, [*(overrides or []), f"task={task}"])
    config.check(settings)
    if dry_run:
        print(plan.describe(settings))
    elif task == "sft":
        from georl import sft

        print(f"model in {sft.train(settings)}")
    elif task == "grpo":
        from georl import grpo

        print(f"model in {grpo.train(settings)}")
    else:
        from georl import predict

        print(f"predictions in {predict.predict(settings)}")


@app.command()
def sft(path: ConfigFile, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """Fine-tune on Chain-of-Region answers.

    Example: georl sft tiny-cpu train.max_steps=50

    Example: georl sft qwen2.5-vl-3b-1gpu-lora data.table=lake/rand data.image_root=photos
    """
    _start("sft", path, overrides, dry_run)


@app.command()
def grpo(path: ConfigFile, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """Train with GRPO and geographic rewards.

    Example: georl grpo tiny-cpu model.name=out/tiny/final output=out/tiny-grpo train.max_steps=20
    """
    _start("grpo", path, overrides, dry_run)


@app.command()
def predict(path: ConfigFile, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """Answer over a table of photos; write a predictions file.

    Example: georl predict tiny-cpu model.name=out/tiny/final predict.output=answers.parquet

    Example: georl predict run.yaml data.table=photos.csv predict.url=http://localhost:8000/v1
    """
    _start("predict", path, overrides, dry_run)


@app.command()
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
    chosen = None if card is None else planning.card_of(card)
    print(planning.describe(settings, card=chosen, rows=rows))
    if chosen is not None:
        planning.check_fit(settings, planning.model_shape(settings.model), chosen)
    if write is not None:
        called = shlex.join([str(path), *(overrides or [])])
        for file in planning.write(settings, called, write, hours=hours):
            print(f"# wrote {file}")


@app.command()
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
    workers: Annotated[int, typer.Option(help="Training runs side by side.")] = 2,
) -> None:
    """Train a small model on the real Earth: data, SFT, GRPO, predictions, evaluation.

    Example: georl demo --quick

    Example: georl demo --science --output georl-science
    """
    from georl import demo as whole

    if science and quick:
        raise typer.BadParameter("give --quick or --science, not both")
    if science:
        seeds = range(seed, seed + 3)
        print(whole.run_science(output, seeds=seeds, workers=workers), end="")
        return
    print(whole.run(output, seed=seed, quick=quick, workers=workers), end="")


def main() -> None:
    """Run the command line; a problem of the user's is one line, not a traceback."""
    commandline.run(app, "georl")


if __name__ == "__main__":
    main()
