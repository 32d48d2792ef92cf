"""The commands around a reward model: its records, and how far to believe it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.printable import tell


def register(app: typer.Typer) -> None:
    """Add the commands to the ``georl`` application."""
    app.command("judge-records", rich_help_panel="GLOBE")(judge_records)
    app.command(rich_help_panel="GLOBE")(calibrate)


def judge_records(
    table: Annotated[Path, typer.Argument(metavar="REASONS", help="A reasoning set.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write.")],
    split: Annotated[str, typer.Option(help="Splits to take; records keep theirs.")] = "all",
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
    tell(f"records in {output}: {data.told_records(counts)}")


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
    tell(calibration.calibrate(given, judge, output, name=model).text(), end="")
    tell(f"report in {output / 'calibration.html'}")
