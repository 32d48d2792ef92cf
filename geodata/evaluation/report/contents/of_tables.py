"""What a report says of many models, in order and in words; and the table of a paper, in LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from geodata.evaluation.findings import Finding
from geodata.evaluation.report import words
from geodata.evaluation.report.contents.of_scores import CATEGORY_HEADINGS, of_findings
from geodata.evaluation.report.words import (
    Contents,
    Section,
    Table,
    main_threshold,
    percent,
    threshold,
)
from geodata.evaluation.scores import CATEGORIES, Interval, Models

MOST_PAIRS = 28
"""Up to so many pairs of models are listed."""

Shares = Mapping[str, Mapping[float, float | None]]

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "[": "{[}", "]": "{]}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "–": "--", "≥": r"$\geq$", "±": r"$\pm$", "†": r"$^\dagger$",
}  # fmt: skip


def of_models(found: Models) -> Contents:
    """Return the accuracies, the tests and the published rows of many models."""
    one, policy = found.first, found.first.scores.scoring.missing
    sections = [Section("accuracy", "Accuracy", tables=[*_tables(found), *_published(found)])]
    if pairs := _pairs(found):
        sections.append(Section("pairs", "Every two models", tables=[pairs]))
    sections.append(of_findings([*found.findings, *_labelled(found)]))
    rows = f"{words.counted(one.rows, 'truth row')}, {found.common:,} answered by all"
    about = [f"{rows} {len(found.results)} models; missing: {policy}.", words.rule(one)]
    if not found.same_rows:
        answered = ", ".join(f"{n} {r.scores.answered:,}" for n, r in found.results.items())
        about.insert(0, f"THE MODELS ANSWERED DIFFERENT ROWS: {answered}.")
    return Contents(
        title=f"{len(found.results)} models scored against {words.names(one)[1]}",
        about=(*about, words.method(one)),
        sections=tuple(sections),
        warned=not found.same_rows,
        verdict=words.of_many(found),
    )


def to_latex(found: Models) -> str:
    """Return the tables of accuracies as LaTeX; needs the package booktabs."""
    lines = [r"% \usepackage{booktabs}"]
    tables = _tables(found)
    for known in _published(found):  # a paper has them below its own rows
        last = tables[-1]
        tables[-1] = replace(
            last, lines=[*last.lines, *known.lines], notes=[*last.notes, *known.notes]
        )
    for table in tables:
        lines += [f"% {table.title}"] if table.title else []
        lines += [rf"\begin{{tabular}}{{{table.align}}}", r"\toprule"]
        lines += [" & ".join(map(_escaped, table.head)) + r" \\", r"\midrule"]
        lines += list(_latex_lines(table))
        lines += [r"\bottomrule", r"\end{tabular}"]
        lines += [f"% {note}" for note in table.notes]
    return "\n".join(lines) + "\n"


def _latex_lines(table: Table) -> Iterator[str]:
    for i, line in enumerate(table.lines):
        if len(line) == 1:
            yield r"\midrule"
            wide = rf"\multicolumn{{{len(table.head)}}}{{l}}"
            yield rf"{wide}{{\emph{{{_escaped(line[0])}}}}} \\"
            continue
        cells = [_escaped(cell) for cell in line]
        for j, cell in enumerate(cells):
            if (i, j) in table.bold:
                number, space, rest = cell.partition(" ")
                cells[j] = rf"\textbf{{{number}}}{space}{rest}"
        yield " & ".join(cells) + r" \\"


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)


def _tables(found: Models) -> list[Table]:
    """Return the table on the denominator and, where rows differ, on the common rows."""
    if found.same_rows:
        return [_accuracy(found, found.accuracy, found.intervals, "", tested=True)]
    policy = found.first.scores.scoring.missing
    title = "Of all truth rows, a missing answer wrong"
    if policy == "exclude":
        title = "Of the rows that each model answered: not to be compared"
    tables = [_accuracy(found, found.accuracy, found.intervals, title, tested=False)]
    if found.common:
        title = f"On the {found.common:,} rows that all answered"
        tables.append(_accuracy(found, found.common_accuracy, None, title, tested=True))
    return tables


def _accuracy(
    found: Models,
    accuracy: Shares,
    intervals: Mapping[str, Mapping[float, Interval | None]] | None,
    title: str,
    *,
    tested: bool,
) -> Table:
    thresholds = found.first.scores.scoring.thresholds_km
    equal = {t: found.level_with_best(t) if tested else set[str]() for t in thresholds}
    lines: list[tuple[str, ...]] = []
    bold: set[tuple[int, int]] = set()
    for i, (name, shares) in enumerate(accuracy.items()):
        cells = []
        for j, t in enumerate(thresholds, 1):
            ends = intervals[name][t] if intervals else None
            width = f"±{100 * ends.half_width:.1f}" if ends else ""
            mark = "†" if name in equal[t] else " " if ends else ""
            cells.append(f"{percent(shares[t])}{mark}{width}")
            if name in found.best(accuracy, t):
                bold.add((i, j))
        lines.append((name, *cells))
    notes = []
    if intervals:
        notes.append(f"±: half of the {words.interval_name(found.first)}.")
    if tested and found.tests:
        per = len(found.tests) // len(thresholds)
        notes.append(
            f"†: not told from the best, p ≥ 0.05 in an exact paired test on {found.common:,} "
            f"rows, Holm over {words.counted(per, 'pair')}."
        )
    head = ("% of rows within", *map(threshold, thresholds))
    return Table(head, lines, title=title, bold=bold, notes=notes)


def _published(found: Models) -> list[Table]:
    if not found.published:
        return []
    thresholds = found.first.scores.scoring.thresholds_km
    lines: list[tuple[str, ...]] = []
    for category in CATEGORIES:
        rows = [row for row in found.published if row.category == category]
        lines += [(CATEGORY_HEADINGS[category],)] if rows else []
        lines += [(row.label, *(percent(row.accuracy.get(t)) for t in thresholds)) for row in rows]
    head = ("% of rows within", *map(threshold, thresholds))
    notes = ["Each paper's own protocol; * not checked against the paper's own table."]
    return [Table(head, lines, title=f"Published on {found.published[0].benchmark}", notes=notes)]


def _pairs(found: Models) -> Table | None:
    at = main_threshold(found.first.scores.scoring.thresholds_km)
    tests = [one for one in found.tests if one.threshold_km == at]
    if not tests or len(tests) > MOST_PAIRS:
        return None
    head = ("A", "B", "A - B", "only A", "only B", "p", "p Holm")
    lines = [
        (one.a, one.b, f"{100 * one.difference:+.2f}", f"{one.only_a:,}", f"{one.only_b:,}",
         words.chance(one.p_value), words.chance(one.p_holm))
        for one in tests
    ]  # fmt: skip
    title = f"Within {threshold(at)}, on the {found.common:,} rows that all answered"
    return Table(head, lines, title=title, align="llrrrrr")


def _labelled(found: Models) -> list[Finding]:
    """Return the findings of all files once, those of one or some with their names."""
    named: dict[Finding, list[str]] = {}
    for name, result in found.results.items():
        for one in result.findings:
            named.setdefault(one, []).append(name)
    everyone = len(found.results)
    return [
        one if len(who) == everyone else replace(one, message=f"{', '.join(who)}: {one.message}")
        for one, who in named.items()
    ]
