"""What a report says of two files, in order and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from geodata.evaluation.findings import Finding
from geodata.evaluation.report import words
from geodata.evaluation.report.contents.of_scores import of_findings
from geodata.evaluation.report.words import Contents, Section, Table, percent, threshold
from geodata.evaluation.scores import Comparison, Paired


def of_comparison(found: Comparison) -> Contents:
    """Return both accuracies of a pair, the differences and what to know about the pair."""
    rows, all_rows = found.rows, found.a.rows
    tables = [_table(found, found.paired, f"On the {rows:,} rows that both answered")]
    if found.on_all:
        title = f"On all {all_rows:,} truth rows, a missing answer wrong"
        tables.append(_table(found, found.on_all, title))
    (a, truth), (b, _) = words.names(found.a), words.names(found.b)
    denominators = (f"{x}: {words.denominator(one)}" for x, one in (("A", found.a), ("B", found.b)))
    alone = found.only_a_answered + found.only_b_answered
    differ = (
        f"THE FILES ANSWERED DIFFERENT ROWS: {found.only_a_answered:,} only A, "
        f"{found.only_b_answered:,} only B. What follows is on the {rows:,} that both answered.",
    )
    return Contents(
        title=f"On the {rows:,} of {all_rows:,} truth rows that both answered: A {a}, B {b}, "
        f"truth {truth}",
        about=(*(differ if alone else ()), *denominators, words.rule(found.a)),
        sections=(
            Section("accuracy", "Accuracy", tables=tables),
            of_findings([*found.findings, *_labelled(found)]),
        ),
        warned=alone > 0,
        verdict=words.of_pair(found),
    )


def _table(found: Comparison, paired: Sequence[Paired], title: str) -> Table:
    options = found.a.options
    head = ("within", "A %", "B %", "A - B", words.interval_name(found.a), "only A", "only B",
            "p")  # fmt: skip
    lines, sure = [], set()
    for i, pair in enumerate(paired):
        difference, low, high = (
            f"{100 * share:+.2f}"
            for share in (pair.difference.value, pair.difference.low, pair.difference.high)
        )
        shares = (percent(pair.accuracy_a), percent(pair.accuracy_b))
        counts = (f"{pair.only_a:,}", f"{pair.only_b:,}")
        lines.append(
            (threshold(pair.threshold_km), *shares, difference, f"{low} to {high}", *counts,
             words.chance(pair.p_value))
        )  # fmt: skip
        if pair.difference.low > 0 or pair.difference.high < 0:
            sure.add(i)
    note = "A - B in points with Tango's interval. p is McNemar's exact test"
    if options.cluster:
        note = (
            f"A - B in points with its bootstrap interval over {options.cluster!r}. p is exact: "
            f"A and B swapped in whole {options.cluster!r}"
        )
    return Table(head, lines, title=title, strong=sure, notes=[f"{note}."])


def _labelled(found: Comparison) -> list[Finding]:
    """Return the findings of both files, with A or B before the message of one file's own."""
    both = set(found.a.findings) & set(found.b.findings)
    named = [
        replace(one, message=f"{label}: {one.message}")
        for label, result in (("A", found.a), ("B", found.b))
        for one in result.findings
        if one not in both
    ]
    return [one for one in found.a.findings if one in both] + named
