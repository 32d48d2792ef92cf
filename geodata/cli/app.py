"""The ``geodata`` command: verbs over the modules, no logic of its own."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from geodata import SOFTWARE
from geodata.cli import datasets, evaluate, gazetteer, photos
from geodata.cli.progress import progress

app = typer.Typer(
    name="geodata",
    help="Coordinates to supervision, versioned datasets, honest evaluation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
boundaries_app = typer.Typer(help="Boundary sets: list, build, verify.", no_args_is_help=True)
app.add_typer(boundaries_app, name="boundaries")
evaluate.register(app)
photos.register(app)
datasets.register(app)
gazetteer.register(app)


def main() -> None:
    """Run the command; a mistake of the user is one line and exit code 2."""
    try:
        app()
    except (ValueError, TypeError, OSError) as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise SystemExit(2) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _version(show: bool) -> None:
    if show:
        typer.echo(SOFTWARE)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Coordinates to supervision, versioned datasets, honest evaluation."""


# An unknown option is taken as an argument, because -33.86 is a latitude.
@app.command(no_args_is_help=True, context_settings={"ignore_unknown_options": True})
def label(
    what: Annotated[
        list[str], typer.Argument(help="LAT LON in degrees, or one file: CSV, TSV, Parquet, JSONL.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; its ending is the format.")
    ] = None,
    lat: Annotated[str | None, typer.Option(help="Name of the latitude column.")] = None,
    lon: Annotated[str | None, typer.Option(help="Name of the longitude column.")] = None,
    boundaries: Annotated[str, typer.Option(help="Boundary set: a name or a folder.")] = "bundled",
    worldview: Annotated[
        str, typer.Option(help="Whose view of disputed areas: un, or a claimant such as in.")
    ] = "un",
    dependencies: Annotated[
        str, typer.Option(help="Territories as their 'own' country or part of their 'sovereign'.")
    ] = "own",
    max_offset_km: Annotated[
        float, typer.Option(help="Off every coast: take the nearest country within this.")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one point as JSON.")] = False,
) -> None:
    """Label coordinates with country, region and city.

    Example: geodata label 48.8584 2.2945

    Example: geodata label photos.csv -o labelled.parquet
    """
    from geodata.cor import labeller

    engine = labeller(boundaries, worldview, dependencies, max_offset_km)
    if len(what) == 2 and all(map(_is_number, what)):
        from geodata import coords

        chain = engine.one(*coords.scalar(float(what[0]), float(what[1])))
        typer.echo(json.dumps(asdict(chain), ensure_ascii=False) if as_json else _chain(chain))
        return
    if len(what) != 1:
        msg = f"expected LAT LON or one file, got {' '.join(what)!r}"
        raise ValueError(msg)
    if out is None:
        msg = f"say where to write: geodata label {what[0]} -o labelled.parquet"
        raise ValueError(msg)
    _label_file(Path(what[0]), out, engine, lat, lon)


def _chain(chain: object) -> str:
    from geodata.cor import RegionChain

    assert isinstance(chain, RegionChain)
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
    return f"{chain.text()}\n{'; '.join(notes)}"


def _label_file(source: Path, out: Path, engine: object, lat: str | None, lon: str | None) -> None:
    from geodata.cor import Labeller, label_file_with

    assert isinstance(engine, Labeller)
    with progress(f"labelling {source.name}") as step:
        report = label_file_with(engine, source, out, lat=lat, lon=lon, progress=step)
    counts = ", ".join(f"{n} {match}" for match, n in report.matches.items() if n)
    typer.echo(f"{out}: {report.rows} rows labelled ({counts or 'no rows'})")
    typer.echo(
        f"boundaries {report.made_by['boundaries']} {report.made_by['boundaries_sha256'][:12]}, "
        f"worldview {engine.worldview}, dependencies {engine.dependencies}"
    )
    if report.swap_hint:
        typer.secho(f"warning: {report.swap_hint}", fg="yellow", err=True)


@boundaries_app.command("list")
def boundaries_list() -> None:
    """List the boundary sets that can be named."""
    from geodata import boundaries as sets

    for name, folder in sets.available().items():
        try:
            found = sets.load(folder if name != "bundled" else name)
        except ValueError as error:
            typer.echo(f"{name:20} cannot be opened: {error}")
            continue
        typer.echo(
            f"{name:20} {found.countries.num_rows} countries and territories, "
            f"{found.units.num_rows} units, sha256 {found.sha256[:12]}"
        )


@boundaries_app.command("build")
def boundaries_build(
    name: Annotated[str, typer.Argument(help="'bundled', or the name of a source.")],
    source: Annotated[
        Path, typer.Option("--from", help="Folder with the source files.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; the package's own for 'bundled'.")
    ] = None,
) -> None:
    """Build a boundary set from source files.

    Example: geodata boundaries build bundled --from DIR
    """
    from geodata import boundary_build

    with progress(f"building {name}"):
        folder = boundary_build.build_set(name, source, out)
    typer.echo(f"{folder}: built")
    for file in sorted(folder.iterdir()):
        typer.echo(f"  {file.name:24} {file.stat().st_size / 1e6:8.2f} MB")


@boundaries_app.command("verify")
def boundaries_verify(
    name: Annotated[str, typer.Argument(help="Name or folder of a set.")] = "bundled",
) -> None:
    """Check the files of a set against their SHA-256."""
    from geodata import boundaries as sets

    folder = sets.load(name).folder
    problems = sets.verify_set(folder)
    for problem in problems:
        typer.secho(f"error: {problem}", fg="red", err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{name}: every file matches its SHA-256")


@app.command(no_args_is_help=True)
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT, DESCRIBE or SUMMARIZE.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="CSV, TSV, Parquet or JSONL files; each is a view named by its stem."),
    ] = None,
    lake: Annotated[
        Path | None, typer.Option(help="Folder of versioned tables; each is a view.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the rows to this file instead.")
    ] = None,
    rows: Annotated[int, typer.Option(help="Most rows to print.")] = 40,
) -> None:
    """Ask files or a lake a question in SQL; nothing else can be read or written.

    Example: geodata sql "SELECT admin1, count(*) FROM labelled GROUP BY ALL" labelled.parquet
    """
    from geodata import query as query_module

    table = query_module.run(query, lake=lake, files=files or None)
    if out is not None:
        from geodata.files import write_table

        write_table(table, out)
        typer.echo(f"{out}: {table.num_rows} rows")
        return
    _print_table(table, rows)


def _print_table(table: Any, most: int) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for field in table.schema:
        number = str(field.type).startswith(("int", "uint", "double", "float", "decimal"))
        shown.add_column(field.name, justify="right" if number else "left", overflow="fold")
    for row in table.slice(0, most).to_pylist():
        shown.add_row(*("NULL" if v is None else _cell(v) for v in row.values()))
    Console().print(shown)
    if table.num_rows > most:
        typer.echo(f"... {table.num_rows - most} more rows; --rows shows more, -o writes them all")


def _cell(value: object) -> str:
    from rich.markup import escape

    return escape(f"{value:.6g}" if isinstance(value, float) else str(value))
