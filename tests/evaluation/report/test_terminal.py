"""A report at a terminal: where a table is cut, and what is bold, dim, or coloured."""

import io
import re

import pytest
from rich.console import Console

from geodata.evaluation.findings import finding
from geodata.evaluation.report.formats import terminal
from geodata.evaluation.report.words import Contents, Remark, Section, Table

STYLES = {"1": "bold", "2": "dim", "3": "italic", "31": "red", "32": "green", "33": "yellow",
          "36": "cyan"}  # fmt: skip


def styled(found, width=80):
    """Return [(style, words)] of what is not plain, the text without it."""
    text = io.StringIO()
    terminal.print_contents(
        found, Console(file=text, width=width, force_terminal=True, color_system="standard")
    )
    told = []
    for codes, words in re.findall(r"\x1b\[([0-9;]+)m([^\x1b]*)\x1b\[0m", text.getvalue()):
        style = " ".join(STYLES[code] for code in codes.split(";"))
        told.append((style, words.strip()))
    return [one for one in told if one[1]], re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue())


TABLE = Table(("name", "n"), [("group",), ("one", "1"), ("two", "2")], title="A table",
              strong={1}, bold={(2, 1)}, notes=["A note."])  # fmt: skip


@pytest.mark.parametrize(
    ("warned", "verdict", "first"), [(False, "bold green", None), (True, "bold", "bold yellow")]
)
def test_what_stands_out(warned, verdict, first):
    remarks = [Remark(kind, f"c{kind}", "Said.", "row 1", "Mend.") for kind in terminal._STYLES]
    sections = (Section("a", "First", "About it.", [TABLE]), Section("b", "Next", remarks=remarks))
    found = Contents("Title", ("one", "two"), sections, warned=warned, verdict="Good.")
    told, text = styled(found)
    assert told == [
        ("bold", "Title"), (verdict, "Good."), *([(first, "one")] if first else []),
        ("bold", "First"), ("dim", "About it."), ("italic", "A table"), ("italic", "group"),
        ("bold", "one"), ("bold", "1"), ("bold", "2"), ("dim", "A note."), ("bold", "Next"),
        ("bold red", "error"), ("bold", "cerror"), ("yellow", "warning"), ("bold", "cwarning"),
        ("cyan", "info"), ("bold", "cinfo"),
    ]  # fmt: skip
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines == [
        "Title", "Good.", "one", "two", "", "First", "About it.", "", "A table",
        "name   n", "────────", "group", "one    1", "two    2", " A note.", "", "Next",
        "error cerror", "  Said.", "  row 1", "  Remedy: Mend.",
        "warning cwarning", "  Said.", "  row 1", "  Remedy: Mend.",
        "info cinfo", "  Said.", "  row 1", "  Remedy: Mend.",
    ]  # fmt: skip


def test_a_blank_line_stands_before_a_title_that_follows_something():
    bare = Table(("", ""), [("a", "b")], align="ll")
    for about, tables, blank in (
        ("", [TABLE], ["First", "A table"]),
        ("", [bare, TABLE], ["First", "a  b", "", "A table"]),
        ("Said.", [bare], ["First", "Said.", "a  b"]),
    ):
        found = Contents("T", (), (Section("a", "First", about, tables),))
        lines = [line.rstrip() for line in styled(found)[1].splitlines()]
        assert lines[2 : 2 + len(blank)] == blank
    facts = Contents("T", ("x",), (), facts=bare)
    assert [line.rstrip() for line in styled(facts)[1].splitlines()] == ["T", "x", "", "a  b"]


@pytest.mark.parametrize(
    ("cells", "width", "pieces"),
    [
        ([8, 8, 8], 46, [[0, 1, 2, 3]]),
        ([8, 8, 8], 45, [[0, 1, 2], [0, 3]]),
        ([8, 8, 8], 36, [[0, 1, 2], [0, 3]]),
        ([8, 8, 8], 35, [[0, 1], [0, 2], [0, 3]]),
        ([90, 8], 80, [[0, 1], [0, 2]]),
        ([8, 90], 80, [[0, 1], [0, 2]]),
        ([], 80, [[0]]),
    ],
)
def test_columns_that_do_not_fit_go_below(cells, width, pieces):
    """The first column is given 16 letters, each other its widest cell and two more."""
    head = ("label", *("h" * 3 for _ in cells))
    lines = [("x" * 40, *("9" * n for n in cells)), ("a heading that is as long as can be" * 9,)]
    assert list(terminal._pieces(Table(head, lines), width)) == pieces
    turned = Table(("label", *("h" * n for n in cells)), [("x", *("9" for _ in cells))])
    assert list(terminal._pieces(turned, width)) == pieces
    words = Table(head, lines, align="l" * len(head))
    assert list(terminal._pieces(words, width)) == [list(range(len(head)))]


def test_findings_alone_are_printed_with_errors_first():
    text = io.StringIO()
    found = [finding("x", "info", "six", "Look."), finding("y", "error", "bad", "Mend.", rows=[2])]
    terminal.print_findings(found, Console(file=text, width=80))
    assert text.getvalue().splitlines() == [
        "", "Findings: 1 error, 1 note", "Rows are counted from 1, without the header.", "error y",
        "  bad.", "  row 3", "  Remedy: Mend.", "info x", "  six.", "  Remedy: Look.",
    ]  # fmt: skip
