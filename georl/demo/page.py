"""A small report as Markdown and as one HTML page, from the same parts."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #8888;padding:.3rem .6rem;"
    "text-align:left}th{background:#8882}@media(prefers-color-scheme:dark){body{background:#111;"
    "color:#ddd}}"
)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Heading:
    """A heading below the title."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table; every row has as many cells as the head."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


Part = str | Heading | Table
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
    if isinstance(part, str):
        return part
    lines = ["| " + " | ".join(row) + " |" for row in (part.head, *part.rows)]
    return "\n".join([lines[0], "|---" * len(part.head) + "|", *lines[1:]])


def page(title: str, parts: Sequence[Part]) -> str:
    """Return the report as one self-contained HTML page, without scripts or network.

    Examples
    --------
    >>> "<td>1 &lt; 2</td>" in page("A", [Table(["x"], [["1 < 2"]])])
    True
    """
    body = "\n".join(map(_tagged, parts))
    name = html.escape(title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _tagged(part: Part) -> str:
    if isinstance(part, Heading):
        return f"<h2>{html.escape(part.text)}</h2>"
    if isinstance(part, str):
        return f"<p>{html.escape(part)}</p>"
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in part.head)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in part.rows
    )
    return f"<table>\n<tr>{head}</tr>\n{rows}\n</table>"
