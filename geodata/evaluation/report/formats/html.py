"""Reports as one self-contained HTML page without network or scripts, stable to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from geodata.evaluation.report import contents, pictures
from geodata.evaluation.report.words import Contents, Remark, Section, Table
from geodata.evaluation.scores import Evaluation
from geodata.printable import html as escaped

TOP_GROUPS = 15

CARD_COLUMNS = 12
"""So many columns have names on a card, see report.css."""

_NOT_IN_STYLE = dict.fromkeys(map(ord, "\"'\\;{}\n"), " ")

FITS_A_PHONE = 4
"""A table of more columns becomes a card a line where the page is narrow."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def to_html(result: Evaluation) -> str:
    """Return a result as one self-contained HTML page, the same bytes for the same result.

    Parameters
    ----------
    result
        From `geodata.evaluation.evaluate`; with ``by=("country",)`` the page has a map of
        countries.

    Examples
    --------
    >>> from geodata import evaluation
    >>> rows = {"id": ["a"], "lat": [48.86], "lon": [2.35]}
    >>> text = to_html(evaluation.evaluate(rows, rows, regions=False))
    >>> text.startswith("<!doctype html>"), "<script" in text
    (True, False)
    """
    drawn = {
        "errors": pictures.error_curve(result),
        "map": pictures.error_map(result),
        "countries": pictures.country_map(result),
    }
    return page(contents.of_evaluation(result, most=TOP_GROUPS), drawn)


def page(found: Contents, pictures: dict[str, str]) -> str:
    """Return a whole report; ``pictures`` are HTML by name of their section."""
    style = resources.files("geodata.evaluation.report").joinpath("report.css").read_text("utf-8")
    sections = list(found.sections)
    if pictures.get("map"):
        after = [section.name for section in sections].index("errors") + 1
        sections.insert(after, Section("map", "Where the errors are"))
    body = "".join(_section(section, pictures.get(section.name, "")) for section in sections)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<link rel="icon" href="data:,">\n<title>{escaped(found.title)}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n{_head(found, sections)}{body}"
        f"</main>\n</body>\n</html>\n"
    )


def _head(found: Contents, sections: list[Section]) -> str:
    attention = ' class="warn"' if found.warned else ""
    first, *others = (escaped(line.replace("<=", "≤")) for line in found.about)
    facts = "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(number)}"
        f"<small>{escaped(note)}</small></dd></div>"
        for name, number, note in (found.facts.lines if found.facts else ())
    )
    links = "".join(f'<a href="#{one.name}">{escaped(one.title)}</a>' for one in sections)
    return (
        f'<header>\n<p class="kicker">Image geolocalization · evaluation</p>\n'
        f"<h1>{escaped(found.title)}</h1>\n{_verdict(found)}"
        f"<p{attention}>{first}</p>\n<p>{' '.join(others)}</p>\n"
        f'<dl class="facts">{facts}</dl>\n<nav>{links}</nav>\n</header>\n'
    )


def fragment(found: Contents) -> str:
    """Return a report without pictures and style, for a page that has its own: a notebook."""
    about = "".join(f"<p>{escaped(line)}</p>\n" for line in found.about)
    facts = _table(found.facts) if found.facts is not None else ""
    body = "".join(_section(section, "") for section in found.sections)
    return f"<h3>{escaped(found.title)}</h3>\n{_verdict(found)}{about}{facts}{body}"


def _verdict(found: Contents) -> str:
    shown = escaped(found.verdict)
    return f'<p class="verdict"><strong>{shown}</strong></p>\n' if shown else ""


def _section(section: Section, picture: str) -> str:
    about = f"<p>{escaped(section.about)}</p>\n" if section.about else ""
    tables = "".join(map(_table, section.tables))
    remarks = "".join(map(_remark, section.remarks))
    remarks = f'<ul class="findings">{remarks}</ul>\n' if remarks else ""
    return (
        f'<section id="{section.name}">\n<h2>{escaped(section.title)}</h2>\n'
        f"{about}{picture}{tables}{remarks}</section>\n"
    )


def _table(table: Table) -> str:
    """Return a table that scrolls on its own where the page is narrow."""
    title = f"<h3>{escaped(table.title)}</h3>\n" if table.title else ""
    kind = _as_cards(table) if len(table.head) > FITS_A_PHONE else ""
    head = _line(table, table.head, 'th scope="col"') if any(table.head) else ""
    lines = []
    for i, line in enumerate(table.lines):
        if len(line) == 1:
            wide = f'<th colspan="{len(table.head)}">{escaped(line[0])}</th>'
            lines.append(f'<tr class="group">{wide}</tr>')
        else:
            shown = [_cell(table, i, j) for j in range(len(line))]
            lines.append(_line(table, line, "td", i in table.strong, shown))
    notes = escaped(" ".join(table.notes))
    notes = f'<p class="note">{notes}</p>\n' if notes else ""
    return (
        f'{title}<div class="scroll" tabindex="0"><table{kind}><thead>{head}</thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>\n"
        f"{notes}"
    )


def _as_cards(table: Table) -> str:
    """Return the attributes of a table that becomes cards; they name its columns for the style."""
    heads = [head for i, head in enumerate(table.head) if i != table.aside]
    names = (
        f"--c{i}:'{head.translate(_NOT_IN_STYLE)}'"
        for i, head in enumerate(heads[1:CARD_COLUMNS], 2)
    )
    return f' class="cards" style="{escaped(";".join(names))}"'


def _cell(table: Table, i: int, j: int) -> str:
    cell = escaped(table.lines[i][j])
    if (i, j) in table.links:
        cell = f'<a href="{escaped(table.links[i, j])}" rel="noreferrer">{cell}</a>'
    return f"<b>{cell}</b>" if (i, j) in table.bold else cell


def _line(
    table: Table,
    cells: tuple[str, ...],
    tag: str,
    strong: bool = False,
    made: Sequence[str] = (),
) -> str:
    """Return a table row; the first cell heads it, and the column aside joins the one before.

    ``made`` are the cells as HTML.
    """
    shown = list(made) or [escaped(cell) for cell in cells]
    if table.bar is not None and tag == "td":
        shown[0] = pictures.bar(cells[table.bar]) + shown[0]
    if table.aside is not None:
        shown[table.aside - 1] += f"<small>{shown[table.aside]}</small>"
    line = [f"<{tag if tag != 'td' else 'th scope=row'}>{shown[0]}</th>"]
    for i in range(1, len(shown)):
        if i != table.aside:
            number = ' class="n"' if table.align[i] == "r" else ""
            line.append(f"<{tag}{number}>{shown[i]}</{tag[:2]}>")
    kind = ' class="own"' if strong else ""
    return f"<tr{kind}>{''.join(line)}</tr>"


def _remark(one: Remark) -> str:
    rows = f'<p class="note">{escaped(one.rows)}</p>' if one.rows else ""
    return (
        f'<li class="{one.severity}"><span class="severity">{one.severity}</span> '
        f"<code>{escaped(one.code)}</code><p>{escaped(one.message)}</p>{rows}"
        f"<p>{escaped(one.remedy)}</p></li>"
    )
