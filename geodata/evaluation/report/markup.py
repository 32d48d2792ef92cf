"""The few pieces of HTML that a report is made of; text is escaped where it comes in."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


def text(value: object) -> str:
    """Return any value as escaped text."""
    return html.escape(str(value), quote=True)


def section(name: str, title: str, body: str) -> str:
    """Return a section with a heading; the body is HTML."""
    return f'<section id="{name}">\n<h2>{title}</h2>\n{body}\n</section>\n'


def row(cells: Sequence[str], cell: str = "td", *, escape: bool = True) -> str:
    """Return a table row: a heading and numbers; the cells are text unless ``escape`` is off."""
    scope = f' scope="{"col" if cell == "th" else "row"}"'
    first, *others = [text(one) for one in cells] if escape else cells
    rest = "".join(
        f'<{cell} class="n"{scope if cell == "th" else ""}>{other}</{cell}>' for other in others
    )
    return f"<tr><th{scope}>{first}</th>{rest}</tr>"


def table(head: str, lines: Iterable[str]) -> str:
    """Return a table that scrolls on its own where the page is narrow."""
    return (
        f'<div class="scroll"><table><thead>{head}</thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def note(notes: Sequence[str]) -> str:
    """Return small print, nothing where there is none."""
    return f'<p class="note">{text(" ".join(notes))}</p>' if notes else ""


def legend(
    entries: Iterable[tuple[str, str]], kind: str = "", last: tuple[str, str] | None = None
) -> str:
    """Return a list of names, each with its colour; ``last`` is a name and a class."""
    items = [
        f'<li><i style="background:{colour}"></i>{text(name)}</li>' for name, colour in entries
    ]
    if last is not None:
        items.append(f'<li><i class="{last[1]}"></i>{text(last[0])}</li>')
    return f'<ul class="legend {kind}">{"".join(items)}</ul>'
