"""The ``georl`` command: demo, sft, grpo, predict, plan. No logic of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False
)

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file; see configs/.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Fields to override.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the resolved run and its memory, then stop.")
]


def _run(task: str, path: Path | None, overrides: list[str] | None, dry_run: bool) -> None:
    from georl import config, config_checks, plan

    given = [*(overrides or []), *([f"task={task}"] if task else [])]
    run = config.load(path, given)
    config_checks.check(run)
    if dry_run:
        print(plan.describe(run))
        return
    if task == "sft":
        from georl import sft

        print(f"model in {sft.train(run)}")
    elif task == "grpo":
        from georl import grpo

        print(f"model in {grpo.train(run)}")
    else:
        from georl import predict

        print(f"predictions in {predict.predict(run)}")


@app.command()
def sft(path: ConfigFile, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """Fine-tune on Chain-of-Region answers."""
    _run("sft", path, overrides, dry_run)


@app.command()
def grpo(path: ConfigFile, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """Train with GRPO and geographic rewards."""
    _run("grpo", path, overrides, dry_run)


@app.command()
def predict(path: ConfigFile, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """Answer over a table of photos; write a predictions file."""
    _run("predict", path, overrides, dry_run)


@app.command()
def plan(path: ConfigFile, overrides: Overrides = None) -> None:
    """Print the resolved configuration and a memory estimate."""
    from georl import config
    from georl import plan as planning

    run = config.load(path, overrides or [])
    print(planning.describe(run))


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
    """Train a small model on the real Earth: data, SFT, GRPO, predictions, evaluation."""
    from georl import demo as running

    print(running.run(output, seed=seed, quick=quick, workers=workers))


def main() -> None:
    """Run the command line; a problem of the user's is one message, not a traceback."""
    try:
        app(standalone_mode=False)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.Abort:
        sys.exit(130)
    except (ValueError, OSError) as error:
        sys.exit(f"georl: {error}")
    except Exception as error:
        if type(error).__module__.startswith("click"):
            error.show() if hasattr(error, "show") else None
            sys.exit(getattr(error, "exit_code", 2))
        raise


if __name__ == "__main__":
    main()
