"""The ``georl reason`` commands: a reasoning set, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.printable import tell
from georl.cli.options import Overrides

reason = typer.Typer(
    no_args_is_help=True,
    help="Build a reasoning set as GLOBE's MP16-Reason: models tell why a photo is where it is, "
    "five steps keep what holds. Steps: ask, filter, truth, agree, verify.",
    epilog="Example: georl reason plan two-servers photos.table=photos.csv",
)

ReasonFile = Annotated[
    Path,
    typer.Argument(metavar="CONFIG", help="YAML file, or the bundled two-servers."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the ``georl`` application."""
    app.add_typer(reason, name="reason", rich_help_panel="GLOBE")


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
