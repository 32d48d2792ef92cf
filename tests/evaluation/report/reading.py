"""Read the tables of a report back, so that its forms can be compared: lists of lines of cells."""

import re
from html.parser import HTMLParser

from geodata.evaluation.report import contents


def markdown_tables(text: str) -> list[list[list[str]]]:
    tables, before = [], ""
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)\*", "", cell)).strip()
                     for cell in re.split(r"(?<!\\)\|", line)[1:-1]]  # fmt: skip
            tables += [] if before.startswith("|") else [[]]
            tables[-1] += [] if set(line) <= set("|:- ") and "-" in line else [cells]
        before = line
    return tables


class _Tables(HTMLParser):
    """The facts, then each table of a page; what is set small is a cell of its own."""

    def __init__(self):
        super().__init__()
        self.tables, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        if tag in ("dl", "table"):
            self.tables.append([])
        elif tag in ("tr", "dt"):
            self.tables[-1].append([])
        if tag in ("td", "th", "dt", "dd", "small"):
            self.tables[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th", "dt", "dd")

    def handle_data(self, data):
        if self.inside:
            self.tables[-1][-1][-1] += data


def html_tables(text: str) -> list[list[list[str]]]:
    parser = _Tables()
    parser.feed(text)
    return parser.tables


def terminal_tables(text: str) -> list[list[list[str]]]:
    """Read lines with two spaces between cells; two tables have no head with a rule below."""
    lines, tables = text.splitlines(), []
    ruled = [i - 2 for i, line in enumerate(lines) if line.startswith("──")]
    starts = [lines.index(""), *ruled, lines.index("What made this")]
    ends = [*starts[1:], len(lines)]
    for start, end in zip(starts, ends, strict=True):
        table = []
        for line in lines[start + 1 : end]:
            if line.startswith("──"):
                continue
            cells = re.split(r" {2,}", line.strip())
            group = cells[0] in contents.CATEGORY_HEADINGS.values()
            if line.strip() and not group and len(cells) < 2:
                break  # the words after a table
            table += [cells] if line.strip() else []
        tables.append(table)
    return tables


def filled(tables: list[list[list[str]]]) -> list[list[list[str]]]:
    """Leave out empty cells and lines: not every form can show them."""
    lines = [[[c for c in line if c] for line in table] for table in tables]
    return [[line for line in table if line] for table in lines]
