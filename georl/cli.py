"""The ``georl`` command: one function a verb, no logic of its own."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    add_completion=False,
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
def plan(path: ConfigFile, overrides: Overrides = None) -> None:
    """Print the resolved configuration and a memory estimate.

    Example: georl plan qwen2.5-vl-7b-8xa100 train.per_device=2
    """
    from georl import config, plan as planning

    print(planning.describe(config.load(path, overrides or [])))


@app.command("judge-records")
def judge_records(
    table: Annotated[Path, typer.Argument(metavar="REASONS", help="A reasoning set.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write.")],
    split: Annotated[str | None, typer.Option(help="Splits of the set to take.")] = None,
    where: Annotated[str | None, typer.Option(help="SQL condition on its rows.")] = None,
    image: Annotated[str, typer.Option(help="Column with the image.")] = "image",
    leave_out: Annotated[
        list[str] | None, typer.Option(help="A step whose drops say neither yes nor no.")
    ] = None,
    test_share: Annotated[float, typer.Option(help="Share of photos kept back.")] = 0.1,
) -> None:
    """Turn kept and dropped reasonings into yes and no, for a reward model.

    Example: georl judge-records reasons.parquet -o judge.parquet
    """
    from georl import config, data

    given = config.DataConfig(table=str(table), split=split, where=where, image=image)
    counts = data.write_judgements(given, output, leave_out=leave_out or (), test_share=test_share)
    told = ", ".join(f"{counts[name]} {name}" for name in ("yes", "no", "train", "test"))
    others = sorted(set(counts) - {"yes", "no", "train", "test"})
    left = ", ".join(f"{counts[name]} {name}" for name in others)
    print(f"records in {output}: {told}" + (f"; left out {left}" if left else ""))


@app.command()
def calibrate(
    table: Annotated[Path, typer.Argument(metavar="RECORDS", help="Of georl judge-records.")],
    model: Annotated[str, typer.Option(help="Folder of the judge, or its name at --url.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the report.")] = Path(
        "calibration"
    ),
    url: Annotated[str | None, typer.Option(help="Server with log-probabilities.")] = None,
    split: Annotated[str, typer.Option(help="Splits to measure on, or all.")] = "test",
    image_root: Annotated[str, typer.Option(help="Where relative image paths start.")] = ".",
) -> None:
    """Measure a judge on photos it has not seen: AUC, reliability, ECE.

    Example: georl calibrate judge.parquet --model out/judge/final
    """
    from georl import calibration, config, rewards

    judge = rewards.localizability(model=model, url=url)
    given = config.DataConfig(table=str(table), split=split, image_root=image_root)
    print(calibration.calibrate(given, judge, output, name=model).text(), end="")
    print(f"report in {output / 'calibration.html'}")


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
    """
    from georl import demo as whole

    if globe:
        chosen = range(seed, seed + seeds)
        print(whole.run_globe(output, seeds=chosen, quick=quick, workers=workers), end="")
        return
    if seeds != 1:
        msg = "--seeds needs --globe; without it --seed chooses one"
        raise typer.BadParameter(msg)
    print(whole.run(output, seed=seed, quick=quick, workers=workers), end="")


def main() -> None:
    """Run the command line; a problem of the user's is one line, not a traceback."""
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        stopped = app(standalone_mode=False, prog_name="georl")
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except (ValueError, OSError) as error:
        sys.exit(f"georl: {error}")
    except Exception as error:
        if not hasattr(error, "format_message"):  # typer's own class, wherever it comes from
            raise
        print(f"georl: {_usage(error)}", file=sys.stderr)
        sys.exit(2)
    sys.exit(stopped if isinstance(stopped, int) else 0)


def _usage(error: Any) -> str:
    """Return what is wrong with a command line, in a line with the nearest right word."""
    said = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    name = getattr(error, "option_name", None)
    if name and context is not None:
        options = [o for p in context.command.get_params(context) for o in p.opts if o[:2] == "--"]
        near = difflib.get_close_matches(name, options, 1, 0.5)
        said = f"no option {name}" + (f"; did you mean {near[0]}?" if near else "")
    verb = context.command_path if context is not None else "georl"
    return f"{said}{'' if said.endswith('?') else ';'} {verb} --help shows what there is"


if __name__ == "__main__":
    main()
