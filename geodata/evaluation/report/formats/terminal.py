"""Reports as text for a terminal; 80 columns are enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich import box, table as rich
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from geodata.evaluation.findings import Finding
from geodata.evaluation.report import contents
from geodata.evaluation.report.contents import of_comparison, of_models
from geodata.evaluation.report.words import Contents, Section, Table
from geodata.evaluation.scores import Comparison, Evaluation, Models
from geodata.printable import one_line

LABEL_WIDTH = 16
"""Columns of a table that do not fit beside this much of its first go into a table below."""

_BETWEEN = 2
_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def print_evaluation(
    result: Evaluation, console: Console, *, by: Sequence[str] | None = None
) -> None:
    """Print a result.

    Parameters
    ----------
    result
    console
        Its width is respected; 80 columns are enough.
    by
        Break-downs to print; those of the options if None.
    """
    print_contents(contents.of_evaluation(result, by=by), console)


def print_comparison(found: Comparison, console: Console) -> None:
    """Print both accuracies of a pair, the differences and what to know about the pair."""
    print_contents(of_comparison(found), console)


def print_models(found: Models, console: Console) -> None:
    """Print many models on one truth."""
    print_contents(of_models(found), console)


def print_findings(findings: Iterable[Finding], console: Console) -> None:
    """Print findings, errors first, with rows and remedy."""
    _print_section(contents.of_findings(findings), console)


def print_contents(found: Contents, console: Console) -> None:
    """Print a whole report."""
    console.print(_text(found.title, style="bold"))
    if found.verdict:
        console.print(_text(found.verdict, style="bold green" if not found.warned else "bold"))
    for i, line in enumerate(found.about):
        console.print(_text(line, style="bold yellow" if found.warned and i == 0 else ""))
    if found.facts is not None:
        console.print()
        _print_table(found.facts, console)
    for section in found.sections:
        _print_section(section, console)


def _text(text: str, style: str = "") -> Text:
    return Text(one_line(text), style=style)


def _print_section(section: Section, console: Console) -> None:
    console.print()
    console.print(_text(section.title, style="bold"))
    if section.about:
        console.print(_text(section.about, style="dim"))
    for i, table in enumerate(section.tables):
        if table.title:
            if i or section.about:
                console.print()
            console.print(_text(table.title, "italic"))
        _print_table(table, console)
    for one in section.remarks:
        console.print(
            Text.assemble((one.severity, _STYLES[one.severity]), " ", (one_line(one.code), "bold"))
        )
        for line in filter(None, (one.message, one.rows, f"Remedy: {one.remedy}")):
            console.print(Padding(_text(line), (0, 0, 0, 2), expand=False))


def _print_table(table: Table, console: Console) -> None:
    for columns in _pieces(table, console.width):
        console.print(_grid(table, columns))
    for note in table.notes:
        console.print(Padding(_text(note, style="dim"), (0, 0, 0, 1), expand=False))


def _grid(table: Table, columns: Sequence[int]) -> rich.Table:
    grid = rich.Table(box=box.SIMPLE_HEAD, header_style="", show_edge=False, pad_edge=False,
                      collapse_padding=True, show_header=any(table.head))  # fmt: skip
    for i in columns:
        right = table.align[i] == "r"
        grid.add_column(
            _text(table.head[i]),
            justify="right" if right else "left",
            no_wrap=right,
            overflow="fold",
        )
    for number, line in enumerate(table.lines):
        if len(line) == 1:
            grid.add_section()
            grid.add_row(_text(line[0], style="italic"))
            continue
        style = "bold" if number in table.strong else ""
        cells = (_text(line[i], "bold" if (number, i) in table.bold else "") for i in columns)
        grid.add_row(*cells, style=style)
    return grid


def _pieces(table: Table, width: int) -> Iterator[list[int]]:
    """Yield the columns of each table that fits, the first column always first."""
    lines = [table.head, *(line for line in table.lines if len(line) > 1)]
    piece, used = [0], LABEL_WIDTH
    for i in range(1, len(table.head)):
        wide = max(len(line[i]) for line in lines) + _BETWEEN
        if used + wide > width and len(piece) > 1 and table.align[i] == "r":
            yield piece
            piece, used = [0], LABEL_WIDTH
        piece.append(i)
        used += wide
    yield piece
