"""A small report as Markdown and as one HTML page, from the same parts."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geodata.printable import html as escaped
from georl.calibration import document, grid


@dataclass(frozen=True)
class Heading:
    """A heading below the title."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table; every row has as many cells as the head."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A picture on light and on dark paper, and what it shows in words."""

    light: Path
    dark: Path
    words: str


@dataclass(frozen=True)
class Points:
    """A sentence and the points below it."""

    text: str
    points: Sequence[str]


Part = str | Heading | Table | Picture | Points
"""A paragraph is plain text."""


def markdown(title: str, parts: Sequence[Part]) -> str:
    """Return the report as Markdown.

    Examples
    --------
    >>> print(markdown("A", ["b", Table(["x"], [["1"]])]), end="")
    # A
    <BLANKLINE>
    b
    <BLANKLINE>
    | x |
    |---|
    | 1 |
    """
    return "\n\n".join([f"# {title}", *map(_marked, parts)]) + "\n"


def _marked(part: Part) -> str:
    if isinstance(part, Heading):
        return f"## {part.text}"
    if isinstance(part, Picture):
        return f"![{part.words}]({part.light.name})"
    if isinstance(part, Points):
        return "\n".join([part.text, *(f"- {point}" for point in part.points)])
    if isinstance(part, str):
        return part
    lines = ["| " + " | ".join(row) + " |" for row in (part.head, *part.rows)]
    return "\n".join([lines[0], "|---" * len(part.head) + "|", *lines[1:]])


def html_page(title: str, parts: Sequence[Part]) -> str:
    """Return the report as one self-contained HTML page, without scripts or network.

    Examples
    --------
    >>> "1 &lt; 2</th>" in html_page("A", [Table(["x"], [["1 < 2"]])])
    True
    """
    return document(title, "".join(f"{_tagged(part)}\n" for part in parts))


def _tagged(part: Part) -> str:
    if isinstance(part, Heading):
        return f"<h2>{escaped(part.text)}</h2>"
    if isinstance(part, Table):
        return grid(part.head, part.rows)
    if isinstance(part, Picture):
        dark, light = (_inline(path) for path in (part.dark, part.light))
        return (
            f'<picture><source srcset="{dark}" media="(prefers-color-scheme: dark)">'
            f'<img src="{light}" alt="{escaped(part.words)}"></picture>'
        )
    if isinstance(part, Points):
        points = "".join(f"<li>{escaped(point)}</li>" for point in part.points)
        return f"<p>{escaped(part.text)}</p>\n<ul>{points}</ul>"
    return f"<p>{escaped(part)}</p>"


def _inline(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
