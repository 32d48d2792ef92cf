"""What ``--engine ray`` does in the commands that have it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geodata.cli import options
from geodata.cli.terminal import progress, say


def label(source: str, out: str | None, shards: int, address: str | None, **options: Any) -> None:
    """Label a file on a Ray cluster into a folder of shards."""
    from geodata import scale

    if "-" in (source, out) or out is None:
        msg = "--engine ray reads a file and writes to a folder: give FILE and --out FOLDER"
        raise ValueError(msg)
    with progress(f"labelling {Path(source).name} on Ray") as step:
        made = scale.label_on_ray(source, out, shards, address=address, progress=step, **options)
    there = sum(one.resumed for one in made)
    was = f", {there} of them there already" if there else ""
    say(f"{out}: {sum(one.rows for one in made):,} rows in {len(made)} shards{was}")
    say(f"one version of them: geodata tables join-shards {out} --lake LAKE")


def build(
    recipe: str,
    lake: Path,
    name: str,
    inputs: Mapping[str, Any],
    address: str | None,
    asked: Mapping[str, Any],
) -> Any:
    """Build a dataset on a Ray cluster."""
    from geodata import scale

    with progress(f"building {name} on Ray") as step:
        return scale.build_on_ray(
            recipe, lake, name, inputs, address=address, progress=step, **asked
        )


def evaluate(
    source: Path,
    scoring: options.Scoring,
    missing: str,
    regions: bool | None,
    columns: options.Columns,
    target: Path | None,
    address: str | None,
    refused: Mapping[str, Any],
) -> None:
    """Score joined rows on a Ray cluster and print what adds up: shares, mean, median."""
    from geodata import files, scale
    from geodata.evaluation.scores import Scoring

    given = [name for name, value in refused.items() if value]
    if given:
        msg = (
            f"{given[0]} does not work with --engine ray, which scores one table with lat, lon, "
            "pred_lat and pred_lon by sums that add; leave it out, or leave --engine out"
        )
        raise ValueError(msg)
    asked = scoring.keywords()
    rule = Scoring(
        asked["thresholds_km"], strict=asked["strict"], distance=asked["distance"],
        missing=options.choice("--missing", missing, ("wrong", "exclude")),
    )  # fmt: skip
    found = scale.score_file(
        source, rule, regions=bool(regions), address=address,
        truth=(columns.lat, columns.lon), pred=(columns.pred_lat, columns.pred_lon),
    )  # fmt: skip
    say(f"{found.rows:,} truth rows, {found.answered:,} answered")
    for threshold, share in found.accuracy.items():
        say(f"within {threshold:7g} km  {_percent(share)}")
    for level, part in found.regions.items():
        say(f"{level:16}  {_percent(part.accuracy)}")
    if found.mean_km is not None:
        median = found.quantile_km(0.5)
        say(f"mean {found.mean_km:.3f} km, median {median:.4g} km, to a thousandth")
        say(f"GeoScore {found.geoscore:.1f}")
    if target is not None:
        files.write_text(target, json.dumps(found.as_dict(), indent=2) + "\n")
        say(f"{target}: written")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}%"
