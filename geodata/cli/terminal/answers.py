"""How ``geodata sql`` prints an answer: for eyes, for a sheet, for a program, for a page."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from geodata.printable import printable

FORMATS = ("table", "csv", "json", "markdown")
SHOWN = 40
"""Most rows of a table that are printed unless more are asked for."""


def is_whole(format_: str) -> bool:
    """Return whether a format is for programs, which want every row."""
    return format_ in ("csv", "json")


def check(format_: str) -> None:
    """Refuse a format that is none."""
    if format_ not in FORMATS:
        msg = f"--format {format_!r} is not known; expected {', '.join(FORMATS)}"
        raise ValueError(msg)


def as_csv(schema: pa.Schema, batches: Iterator[pa.Table]) -> Iterator[str]:
    """Yield an answer as CSV: a header, NULL as nothing, nested values as JSON."""
    yield _csv_line(schema.names)
    for batch in batches:
        yield "".join(_csv_line([_plain(v) for v in row.values()]) for row in batch.to_pylist())


def as_json(schema: pa.Schema, batches: Iterator[pa.Table]) -> Iterator[str]:
    """Yield an answer as a JSON array, one object a line."""
    between = "[\n"
    for batch in batches:
        for row in batch.to_pylist():
            yield between + _json(row)
            between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"


def as_markdown(schema: pa.Schema, rows: pa.Table) -> Iterator[str]:
    """Yield an answer as a table of Markdown, numbers to the right."""
    yield _markdown_line([_escaped(name) for name in schema.names])
    yield _markdown_line(["---:" if is_number(f.type) else "---" for f in schema])
    for row in rows.to_pylist():
        yield _markdown_line([_escaped(cell(v)) for v in row.values()])


def write(parts: Iterator[str]) -> None:
    """Write text to the output; where that is a terminal, without what a terminal obeys."""
    for part in parts:
        lines = part if not sys.stdout.isatty() else "\n".join(map(printable, part.split("\n")))
        sys.stdout.write(lines)


def cell(value: object) -> str:
    """Return a value for eyes: six digits of a number, NULL by that word."""
    if value is None:
        return "NULL"
    return f"{value:.6g}" if isinstance(value, float) else printable(value)


def is_number(kind: pa.DataType) -> bool:
    """Return whether values of a type stand to the right."""
    return str(kind).startswith(("int", "uint", "double", "float", "decimal"))


def _csv_line(values: list[Any]) -> str:
    # the usual end of a line has a carriage return, so that one in a value is quoted too
    csv.writer(line := io.StringIO()).writerow(values)
    return line.getvalue().removesuffix("\r\n") + "\n"


def _plain(value: Any) -> Any:
    return _json(value) if isinstance(value, dict | list) else value


def _json(value: Any) -> str:
    return json.dumps(_finite(value), ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    """Return a value that JSON has: NaN and infinity are null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    is_odd = isinstance(value, float) and not abs(value) < float("inf")
    return None if is_odd else value


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _markdown_line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
