"""The ``geodata label`` command: one coordinate or a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodata.cli import on_ray, options, terminal
from geodata.cli.sharding import tell_shard
from geodata.cli.terminal import progress, say, say_text

if TYPE_CHECKING:
    from geodata.cor import RegionChain


class _LabelCommand(options.ShowsDefaults):
    def python_defaults(self) -> Mapping[str, Any]:
        return _defaults()


def register(app: typer.Typer) -> None:
    """Add the command to the ``geodata`` application."""
    # An unknown option is taken as an argument, because -33.86 is a latitude.
    settings = {"ignore_unknown_options": True}
    app.command(
        cls=_LabelCommand,
        no_args_is_help=True,
        context_settings=settings,
        rich_help_panel="Labels and places",
    )(label)


@options.with_groups
def label(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="LAT LON | FILE | -",
            help="Degrees, or one file: CSV, TSV, Parquet, JSONL, GeoJSON; - reads text formats.",
            show_default=False,
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", help="File to write; its ending is the format. - prints."),
    ] = None,
    lat: Annotated[str | None, typer.Option(help="Name of the latitude column.")] = None,
    lon: Annotated[str | None, typer.Option(help="Name of the longitude column.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one point as JSON.")] = False,
    lang: Annotated[
        str | None, typer.Option(help="Language of the countries' names, such as ja.")
    ] = None,
    detail: Annotated[
        bool, typer.Option("--detail", help="Add ids, methods and distances to borders.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Label one of N parts only, into the folder --out: 3/16."),
    ] = None,
    engine: options.Engine = None,
    address: options.Address = None,
    shards: Annotated[int, typer.Option(help="With --engine ray: how many files to write.")] = 64,
    *,
    labelling: options.Labelling,
) -> None:
    """Label coordinates with country, region and city.

    Example: geodata label 48.8584 2.2945

    Example: geodata label 48.8584,2.2945 --lang ja

    Example: geodata label photos.csv -o labelled.parquet

    Example: geodata label - < photos.csv > labelled.csv

    Example: geodata label photos.parquet -o shards --shard 3/16

    Example: geodata label photos.parquet -o shards --engine ray --address auto
    """
    from geodata import cor, tables

    unknown = [w for w in what if w[0:1] == "-" and w[1:2] not in _NUMERIC and w != "-"]
    if unknown:
        msg = f"there is no option {unknown[0]}; geodata label --help lists those there are"
        raise ValueError(msg)
    chosen = {**options.given(labelling), "lang": lang, "detail": detail}
    cluster = options.is_ray(engine, address)
    point = None if shard is not None or cluster else _point(what)
    _refuse_idle(point, out, shard, cluster)
    if point is not None:
        chain = cor.label(*point, **chosen)
        say_text(_as_json(chain) if as_json else _described(chain))
        return
    if len(what) != 1:
        given = repr(" ".join(what))
        msg = f"expected LAT LON or one file, got {given}; geodata label --help has examples"
        raise ValueError(msg)
    if _is_number(what[0]):
        msg = f"expected LAT LON or one file, got the one number {what[0]}; give both, lat first"
        raise ValueError(msg)
    if out is None and what[0] != "-":
        msg = f"say where to write: geodata label {what[0]} -o labelled.parquet"
        raise ValueError(msg)
    if out is not None and tables.address_of(out):
        msg = (
            f"{out} is an address, and label writes a file or a folder; for a table in a bucket: "
            "geodata photos import, then geodata dataset build labelled, both with --lake"
        )
        raise ValueError(msg)
    if cluster:
        on_ray.label(what[0], out, shards, address, lat=lat, lon=lon, **chosen)
        return
    if shard is not None:
        _label_shard(what[0], out, shard, lat=lat, lon=lon, **chosen)
        return
    with terminal.files_of(what[0], out or "-") as (source, target):
        _label_file(source, target, out or "-", lat=lat, lon=lon, **chosen)


_NUMERIC = (*"0123456789.",)


def _refuse_idle(point: Any, out: str | None, shard: str | None, cluster: bool) -> None:
    """Refuse an option that would be passed over without a word."""
    if point is not None and out not in (None, "-"):
        msg = f"--out {out} is for a file of coordinates, and one point is printed; leave it out"
        raise ValueError(msg)
    if cluster and shard is not None:
        msg = "--shard labels one part here, and --engine ray labels all of them; give one of them"
        raise ValueError(msg)


def _point(what: list[str]) -> tuple[Any, ...] | None:
    """Return what `cor.label` takes: two numbers, or a text with both; None for a file."""
    if len(what) == 2 and all(map(_is_number, what)):
        return float(what[0]), float(what[1])
    both = re.split(r"[\s,;]+", " ".join(what).strip())
    is_pair = len(both) == 2 and all(map(_is_number, both))
    return (" ".join(what),) if is_pair else None


def _defaults() -> dict[str, Any]:
    from geodata import cor

    return options.keyword_defaults(cor.label)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _as_json(chain: RegionChain) -> str:
    cells = asdict(chain)
    detail = cells.pop("detail")
    return json.dumps(cells | (detail or {}), ensure_ascii=False)


def _described(chain: RegionChain) -> str:
    """Return the text of a chain, and one line with what it does not say."""
    notes = [f"Match: {chain.match}"]
    if chain.match == "nearest":
        notes.append(f"{chain.offset_km:.1f} km off the border")
    if chain.city is not None:
        notes.append(f"{chain.city_distance_km:.1f} km from the centre of {chain.city}")
    codes = [code for code in (chain.country_code, chain.admin1_code) if code]
    if codes:
        notes.append(f"codes {', '.join(codes)}")
    if chain.disputed:
        claims = ", ".join(f"{code} in worldview {view}" for view, code in chain.claims)
        notes.append(f"disputed ({claims})" if claims else "disputed")
    lines = [chain.text(), "; ".join(notes)]
    if chain.detail is not None:
        lines += [
            f"{level}: {_level(chain, level)}"
            for level in chain.method  # in their order
        ]
    return "\n".join(lines)


def _level(chain: RegionChain, level: str) -> str:
    """Return what is known of one level: how it was decided, its id and its border."""
    parts = [f"{chain.method[level]}, id {chain.ids.get(level, 'none')}"]
    if level in chain.border_km:
        parts.append(f"{chain.border_km[level]:.1f} km from the nearest border")
    return ", ".join(parts)


def _label_shard(source: str, out: str | None, shard: str, **options: Any) -> None:
    from geodata import scale

    if "-" in (source, out) or out is None:
        msg = "--shard reads a file and writes to a folder: give FILE and --out FOLDER"
        raise ValueError(msg)
    with progress(f"labelling shard {shard} of {Path(source).name}") as step:
        made = scale.label_shard(source, out, shard, progress=step, **options)
    tell_shard(made)


def _label_file(source: str, target: str, shown: str, **options: Any) -> None:
    from geodata.cor import label_file

    with progress(f"labelling {Path(source).name}") as step:
        report = label_file(source, target, progress=step, **options)
    aside = shown == "-"  # rows are printed, so what is said about them is not
    counts = ", ".join(f"{n} {match}" for match, n in report.matches.items() if n)
    say(f"{shown}: {report.rows} rows labelled ({counts or 'no rows'})", err=aside)
    made = report.made_by
    say(
        f"boundaries {made['boundaries']} {made['boundaries_sha256'][:12]}, "
        f"worldview {made['worldview']}, dependencies {made['dependencies']}",
        err=aside,
    )
    if report.replaced:
        names = ", ".join(report.replaced)
        say(f"warning: labels replaced what the file had as {names}", fg="yellow", err=True)
    if report.rows and report.matches["invalid"] == report.rows:
        where = f"{Path(source).name} has a place in its columns {report.lat} and {report.lon}"
        hint = f"; {report.swap_hint}" if report.swap_hint else ""
        said = f"geodata: error: no row of {where}; expected decimal degrees{hint}"
        say(said, fg="red", err=True)
        raise typer.Exit(1)
    if report.swap_hint:
        say(f"warning: {report.swap_hint}", fg="yellow", err=True)
