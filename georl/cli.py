"""The ``georl`` command: demo, sft, grpo, predict, plan. No logic of its own."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from geodata.ending import end_cleanly
from geodata.printable import printable, tell

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
def plan(path: ConfigFile, overrides: Overrides = None) -> None:
    """Print the resolved configuration and a memory estimate.

    Example: georl plan qwen2.5-vl-7b-8xa100 train.per_device=2
    """
    from georl import config, plan as planning

    tell(planning.describe(config.load(path, overrides or [])))


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


def main() -> None:
    """Run the command line; a problem of the user's is one line, not a traceback."""
    end_cleanly()
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        stopped = app(standalone_mode=False, prog_name="georl")
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except (ValueError, OSError) as error:
        sys.exit(f"georl: {printable(error)}")
    except Exception as error:
        if not hasattr(error, "format_message"):  # typer's own class, wherever it comes from
            raise
        tell(f"georl: {_usage(error)}", err=True)
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
