"""Evaluations and comparisons as text for a terminal; 80 columns are enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from geodata.evaluation.findings import Finding
from geodata.evaluation.report import contents as words
from geodata.evaluation.scores import Comparison, Evaluation, Paired

TOP_GROUPS = 10
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
    _print_head(result, console)
    console.print(_accuracy(result))
    _print_errors(result, console)
    for title, found in (
        ("Regions, from coordinates", result.regions),
        ("Regions, from the names that were answered", result.named_regions),
    ):
        if found:
            console.print(_regions(title, found.values()))
    if result.published:
        console.print(_published(result))
        for note in words.published_notes(result.published):
            console.print(Text(f" {note}", style="dim"))
    for name in words.broken_down_by(result, by):
        console.print(_groups(result, name))
    print_findings(result.findings, console)


def print_comparison(found: Comparison, console: Console) -> None:
    """Print both accuracies of a pair, the differences and what to know about the pair."""
    a, b = words.names(found.a)[0], words.names(found.b)[0]
    truth = words.names(found.a)[1]
    console.print(Text.assemble(("A ", "bold"), a, ("   B ", "bold"), b, f"   truth {truth}"))
    for label, one in (("A", found.a), ("B", found.b)):
        console.print(Text(f"{label}: {words.denominator(one)}"))
    console.print(Text(words.rule(found.a)))
    console.print(_differences(found))
    clustered = found.a.options.cluster
    console.print(
        Text(
            " A - B in points with its paired bootstrap interval. p is McNemar's exact test"
            + (
                f"; it takes rows to be independent, the interval resamples {clustered!r}: "
                "read the interval."
                if clustered
                else "."
            ),
            style="dim",
        )
    )
    print_findings(words.ordered([*found.findings, *_labelled(found)]), console)


def print_findings(findings: Iterable[Finding], console: Console) -> None:
    """Print findings, errors first, with rows and remedy."""
    found = words.ordered(findings)
    console.print()
    console.print(Text(f"Findings: {words.tally(found)}", style="bold"))
    for one in found:
        console.print(
            Text.assemble((one.severity, _STYLES[one.severity]), " ", (one.code, "bold")),
        )
        lines = [words.sentence(one.message), words.where(one), f"Remedy: {one.remedy}"]
        for line in filter(None, lines):
            console.print(Padding(Text(line), (0, 0, 0, 2)))


def _print_head(result: Evaluation, console: Console) -> None:
    predictions, truth = words.names(result)
    console.print(Text.assemble((predictions, "bold"), " scored against ", (truth, "bold")))
    excluded = result.scores.scoring.missing == "exclude"
    console.print(Text(words.denominator(result), style="bold yellow" if excluded else ""))
    console.print(Text(words.rule(result)))
    console.print(Text(words.method(result)))


def _table(title: str, *columns: str, left: int = 1) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        header_style="",
        pad_edge=False,
        show_edge=False,
    )
    for i, name in enumerate(columns):
        justify, wrap = ("left", False) if i < left else ("right", True)
        table.add_column(name, justify=justify, no_wrap=wrap, overflow="fold")  # type: ignore[arg-type]
    return table


def _accuracy(result: Evaluation) -> Table:
    confidence = f"{100 * result.options.confidence:g}% interval"
    table = _table("\nAccuracy", "within", "right %", confidence, "rows right", "of")
    for t, share in result.accuracy.items():
        table.add_row(
            words.threshold(t),
            Text(words.percent(share), style="bold"),
            words.between(result.intervals[t]),
            f"{result.scores.correct[t]:,}",
            f"{result.scores.denominator:,}",
        )
    return table


def _print_errors(result: Evaluation, console: Console) -> None:
    scores = result.scores
    found = {f"{100 * q:g}%": x for q, x in scores.quantiles_km.items() if q != 0.5}
    middle = len([q for q in scores.quantiles_km if q < 0.5])
    heads = list(found)
    heads.insert(middle, "median")
    cells = [words.km(x) for x in found.values()]
    cells.insert(middle, words.km(scores.median_km))
    table = _table("\nError of answered rows, km", *heads, "mean", left=0)
    table.add_row(*cells, words.km(scores.mean_km))
    console.print(table)
    median = words.between(result.median_interval, share=False)
    points = words.NONE if scores.geoscore is None else f"{scores.geoscore:,.0f}"
    console.print(Text(f" median between {median} km; GeoScore {points} of 5,000"))


def _regions(title: str, found: Iterable[object]) -> Table:
    from geodata.evaluation.scores import RegionAccuracy

    table = _table(f"\n{title}", "level", "right %", "rows right", "of labelled", "answered %")
    for one in found:
        assert isinstance(one, RegionAccuracy)
        table.add_row(
            words.LEVEL_WORDS.get(one.level, one.level),
            Text(words.percent(one.accuracy), style="bold"),
            f"{one.correct:,}",
            f"{one.labelled:,}",
            words.percent(one.coverage),
        )
    return table


def _published(result: Evaluation) -> Table:
    thresholds = words.shown_thresholds(result.scores.scoring.thresholds_km)
    at = [result.scores.scoring.thresholds_km.index(t) for t in thresholds]
    benchmark = result.published[0].benchmark
    heads = [words.threshold(t) for t in thresholds]
    table = _table(f"\nPublished on {benchmark}, % of rows within", "", *heads)
    category: str | None = None
    for line in words.published_lines(result):
        if line.category is not None and line.category != category:
            category = line.category
            table.add_section()
            table.add_row(Text(words.CATEGORY_WORDS[category], style="italic"))
        style = "bold" if line.own else ""
        table.add_row(Text(line.label), *(line.cells[i] for i in at), style=style)
    return table


def _groups(result: Evaluation, name: str) -> Table:
    groups = result.scores.by[name]
    thresholds = words.shown_thresholds(result.scores.scoring.thresholds_km)
    heads = [words.threshold(t) for t in thresholds]
    note = f" (the {TOP_GROUPS} largest of {len(groups):,})" if len(groups) > TOP_GROUPS else ""
    table = _table(f"\nBy {name}{note}, % of rows within", "", "rows", *heads, "median")
    for group in groups[:TOP_GROUPS]:
        shares = [words.percent(group.accuracy[t], 1) for t in thresholds]
        table.add_row(
            Text(words.value(group.value)), f"{group.rows:,}", *shares, words.km(group.median_km)
        )
    return table


def _differences(found: Comparison) -> Table:
    confidence = f"{100 * found.a.options.confidence:g}% interval"
    table = _table(
        "\nAccuracy", "within", "A %", "B %", "A - B", confidence, "only A", "only B", "p"
    )
    for pair in found.paired:
        difference = pair.difference
        sure = difference.low > 0 or difference.high < 0
        table.add_row(
            words.threshold(pair.threshold_km),
            words.percent(found.a.accuracy[pair.threshold_km]),
            words.percent(found.b.accuracy[pair.threshold_km]),
            Text(points(difference.value), style="bold" if sure else ""),
            f"{points(difference.low)} to {points(difference.high)}",
            f"{pair.only_a:,}",
            f"{pair.only_b:,}",
            p_value(pair),
        )
    return table


def points(share: float) -> str:
    """Return a difference of shares in percentage points, with its sign.

    Examples
    --------
    >>> points(0.0123), points(-0.0001)
    ('+1.23', '-0.01')
    """
    return f"{100 * share:+.2f}"


def p_value(pair: Paired) -> str:
    """Return a p value with three digits, or how small it is."""
    return "<0.001" if pair.p_value < 0.001 else f"{pair.p_value:.3f}"


def _labelled(found: Comparison) -> list[Finding]:
    """Return the findings of both files, with A or B before the message."""
    from dataclasses import replace

    both = set(found.a.findings) & set(found.b.findings)
    named = [
        replace(one, message=f"{label}: {one.message}")
        for label, result in (("A", found.a), ("B", found.b))
        for one in result.findings
        if one not in both
    ]
    return [one for one in found.a.findings if one in both] + named
