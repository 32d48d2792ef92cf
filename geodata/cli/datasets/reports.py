"""How the ``geodata dataset`` commands tell what a recipe counted and what audits found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from geodata.cli.terminal import say

if TYPE_CHECKING:
    from geodata.datasets import Audit

ROWS_SHOWN = 5
"""Most offending rows of an audit that are printed."""

_TOLD = ("photo_id", "lat", "lon")
_WIDTH = 76


def print_report(report: Mapping[str, Any], indent: str = "  ") -> None:
    """Print counts, one a line, those of a part further in."""
    for key, value in report.items():
        name = key.replace("_", " ")
        if isinstance(value, Mapping):
            say(f"{indent}{name}:")
            print_report(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            say(f"{indent}{name}:")
            for row in value:
                told = ", ".join(f"{k.replace('_', ' ')} {_shown(v)}" for k, v in row.items())
                say(f"{indent}  {told}")
        else:
            say(f"{indent}{name}: {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "not compared" if value is None else str(value)


def print_audits(audits: Iterable[Audit]) -> None:
    """Print what audits found; exit with 1 if one found a row."""
    for found in audits:
        say(f"audit {found.name}: {found.offending:,} rows")
        for row in found.rows.slice(0, ROWS_SHOWN).to_pylist():
            say(f"  {_line_of(row)}", fg="red", err=True)
        if found.offending and found.name == "dataset_duplicate_ids":
            say("  geodata dataset build dedupe keeps one row of each", err=True)
    if any(found.offending for found in audits):
        raise typer.Exit(1)


def _line_of(row: Mapping[str, Any]) -> str:
    """Return what tells a row from others, and what the audit found: the last column."""
    names = [*(name for name in _TOLD if name in row), list(row)[-1], "source"]
    told = [f"{name} {row[name]}" for name in dict.fromkeys(names) if row.get(name) is not None]
    text = ", ".join(told)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def print_exported(folder: Path) -> None:
    """Print how many rows each part of an export has, as its files say."""
    import pyarrow.parquet as pq

    rows: Counter[str] = Counter()
    for file in (folder / "data").iterdir():
        rows[file.name.partition("-")[0]] += pq.read_metadata(file).num_rows
    parts = ", ".join(f"{name} {count:,}" for name, count in rows.most_common())
    say(f"{folder}: {rows.total():,} rows ({parts}), card and Croissant file")
