"""Reports as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from geodata.evaluation.report import contents
from geodata.evaluation.report.words import Contents, Remark, Table
from geodata.evaluation.scores import Evaluation
from geodata.printable import code, markdown

_RULES = {"l": ":---", "r": "---:"}


def to_markdown(result: Evaluation, *, by: Sequence[str] | None = None) -> str:
    """Return a result as Markdown tables.

    Parameters
    ----------
    result
    by
        Break-downs to write; those of the options if None.

    Examples
    --------
    >>> from geodata import evaluation
    >>> rows = {"id": ["a"], "lat": [48.86], "lon": [2.35]}
    >>> print(to_markdown(evaluation.evaluate(rows, rows, (25,), regions=False)))
    # predictions scored against truth
    ...
    | within | right % | 95% interval | rows right | of |
    | :--- | ---: | ---: | ---: | ---: |
    | 25 km | 100.00 | 20.7–100.0 | 1 | 1 |
    ...
    """
    return text_of(contents.of_evaluation(result, by=by))


def text_of(found: Contents) -> str:
    """Return a whole report."""
    verdict = f"**{_escaped(found.verdict)}**" if found.verdict else ""
    blocks = [f"# {_escaped(found.title)}", verdict, "\n".join(map(_escaped, found.about))]
    if found.facts is not None:
        blocks += _table(found.facts)
    for section in found.sections:
        blocks += [f"## {_escaped(section.title)}", _escaped(section.about)]
        blocks += [block for table in section.tables for block in _table(table)]
        blocks.append("\n".join(map(_remark, section.remarks)))
    return "\n\n".join(filter(None, blocks)) + "\n"


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"### {_escaped(table.title)}"
    lines = [[*map(_escaped, table.head)], [_RULES[side] for side in table.align]]
    for i, line in enumerate(table.lines):
        cells = [
            f"**{_escaped(cell)}**" if (i, j) in table.bold else _escaped(cell)
            for j, cell in enumerate(line)
        ]
        if len(line) == 1:
            cells = [f"*{cells[0]}*", *[""] * (len(table.head) - 1)]
        elif i in table.strong:
            cells[0] = f"**{cells[0]}**"
        lines.append(cells)
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines)
    yield "\n".join(map(_escaped, table.notes))


def _remark(one: Remark) -> str:
    where = f" ({_escaped(one.rows)})" if one.rows else ""
    message, remedy = _escaped(one.message), _escaped(one.remedy)
    return f"- **{one.severity}** {code(one.code)}{where}: {message} {remedy}"


def _escaped(text: str) -> str:
    """Return text that cannot break a Markdown table or start formatting."""
    return markdown(" ".join(text.split()))
