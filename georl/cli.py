"""The ``georl`` command: demo, sft, grpo, predict, plan, reason, serve. No logic of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata import commandline
from geodata.printable import tell

app = typer.Typer(
    no_args_is_help=True,
    help="Train vision-language models to say where a photo was taken, with geographic rewards.",
    epilog="Example: georl demo --quick",
    pretty_exceptions_enable=False,
)


def _version(show: bool) -> None:
    if show:
        from georl import __version__

        tell(f"georl {__version__}")
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
        tell(plan.describe(settings))
    elif task == "sft":
        from georl import sft

        tell(f"model in {sft.train(settings)}")
    elif task == "grpo":
        from georl import grpo

        tell(f"model in {grpo.train(settings)}")
    else:
        from georl import predict

        tell(f"predictions in {predict.predict(settings)}")


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
    tell(planning.describe(settings, card=chosen, rows=rows))
    if chosen is not None:
        planning.check_fit(settings, planning.model_shape(settings.model), chosen)
    if write is not None:
        called = shlex.join([str(path), *(overrides or [])])
        for file in planning.write(settings, called, write, hours=hours):
            tell(f"# wrote {file}")


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for everything the demo writes.")] = Path(
        "georl-demo"
    ),
    seed: Annotated[int, typer.Option(help="Decides places, weights and draws.")] = 0,
    quick: Annotated[
        bool, typer.Option(help="Two minutes: fewer steps, the main line only.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Training runs side by side.")] = 2,
) -> None:
    """Train a small model on the real Earth: data, SFT, GRPO, predictions, evaluation.

    Example: georl demo --quick
    """
    from georl import demo as whole

    tell(whole.run(output, seed=seed, quick=quick, workers=workers), end="")


@app.command()
def serve(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder, or hub name.")],
    name: Annotated[str | None, typer.Option(help="What clients call it.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen at; no key is asked for.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    revision: Annotated[str | None, typer.Option(help="Commit of a hub model.")] = None,
) -> None:
    """Serve a model over HTTP: OpenAI's chat completions with images and log-probabilities.

    For trying out and tests; vLLM serves the same interface fast.

    Example: georl serve out/tiny/final --port 8000
    """
    from georl import serve as serving

    serving.listen(model, name=name, host=host, port=port, revision=revision)


reason = typer.Typer(
    no_args_is_help=True,
    help="Build a reasoning set as GLOBE's MP16-Reason: models tell why a photo is where it is, "
    "five steps keep what holds. Steps: ask, filter, truth, agree, verify.",
    epilog="Example: georl reason plan two-servers photos.table=photos.csv",
)
app.add_typer(reason, name="reason")

ReasonFile = Annotated[
    Path,
    typer.Argument(metavar="CONFIG", help="YAML file, or the bundled two-servers."),
]


@reason.command(name="plan")
def reason_plan(path: ReasonFile, overrides: Overrides = None) -> None:
    """Print where photos would go, and an estimate of calls, time and cost; send nothing.

    Example: georl reason plan reason.yaml models.qwen.usd_per_million_in=0.4
    """
    from georl import config, reasoning

    tell(reasoning.plan(config.load_reason(path, overrides or [])))


@reason.command(name="build")
def reason_build(
    path: ReasonFile,
    overrides: Overrides = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, then stop.")] = False,
) -> None:
    """Run the steps that are not up to date, and write the table with its card.

    Stopped or killed, it goes on where it was: an answer that is there is not asked for again.

    Example: georl reason build reason.yaml photos.table=lake/photos@3 table=lake/reason
    """
    from georl import config, reasoning

    settings = config.load_reason(path, overrides or [])
    tell(reasoning.plan(settings))
    if not dry_run:
        built = reasoning.build(settings)
        tell(
            f"{built.table}@{built.version}: {built.kept} of {built.rows} photos kept; "
            f"card in {built.card}"
        )


@reason.command(name="ask")
def reason_ask(path: ReasonFile, overrides: Overrides = None) -> None:
    """Step a: ask every model about every photo; answers that are there are not asked for again.

    Example: georl reason ask reason.yaml photos.limit=100
    """
    _reason_step("ask", path, overrides)


@reason.command(name="filter")
def reason_filter(path: ReasonFile, overrides: Overrides = None) -> None:
    """Step b: drop photos that a model calls impossible or unlikely to locate.

    Example: georl reason filter reason.yaml filter.min_localizability=0.6
    """
    _reason_step("filter", path, overrides)


@reason.command(name="truth")
def reason_truth(path: ReasonFile, overrides: Overrides = None) -> None:
    """Step c: drop answers that contradict where the photo was taken.

    Example: georl reason truth reason.yaml truth.near_km=50 truth.predictor=geoclip.csv
    """
    _reason_step("truth", path, overrides)


@reason.command(name="agree")
def reason_agree(path: ReasonFile, overrides: Overrides = None) -> None:
    """Step d: keep photos whose models agree on the place and reason alike.

    Example: georl reason agree reason.yaml agree.url=http://localhost:8003/v1 agree.model=bge-m3
    """
    _reason_step("agree", path, overrides)


@reason.command(name="verify")
def reason_verify(path: ReasonFile, overrides: Overrides = None) -> None:
    """Step e: drop rows whose reasoning names what is not visible in the photo.

    Example: georl reason verify reason.yaml verify.file=visible.parquet verify.min_share=0.8
    """
    _reason_step("verify", path, overrides)


@reason.command(name="status")
def reason_status(path: ReasonFile, overrides: Overrides = None) -> None:
    """Print what each step dropped and why, and which steps are of other settings.

    Example: georl reason status reason.yaml
    """
    from georl import config, reasoning

    tell(reasoning.status(config.load_reason(path, overrides or [])))


def _reason_step(step: str, path: Path, overrides: list[str] | None) -> None:
    from georl import config, reasoning

    tell(f"rows in {reasoning.run(config.load_reason(path, overrides or []), step)}")


def main() -> None:
    """Run the command line; a problem of the user's is one line, not a traceback."""
    commandline.run(app, "georl")


if __name__ == "__main__":
    main()
