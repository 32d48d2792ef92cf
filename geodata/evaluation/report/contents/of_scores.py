"""What a report says, in order and in words, before anybody writes it as a page or as text.

Every sentence, heading and cell is made here once; the renderers choose only how it looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from geodata import SOFTWARE
from geodata.evaluation.findings import Finding, errors_first
from geodata.evaluation.report import words
from geodata.evaluation.report.contents import beyond
from geodata.evaluation.report.contents.of_worst import of_worst
from geodata.evaluation.report.contents.parsing import of_readings
from geodata.evaluation.report.words import (
    Contents,
    Remark,
    Section,
    Table,
    between,
    broken_down_by,
    counted,
    country_names,
    km,
    main_threshold,
    percent,
    rows_of,
    sentence,
    shown_thresholds,
    threshold,
    worst_groups,
)
from geodata.evaluation.scores import CATEGORIES, SCHEMA, Evaluation, Group

TOP_GROUPS = 10
CATEGORY_HEADINGS = {
    "closed-world": "Closed world (own weights only)",
    "llm-assisted": "Assisted by a language model",
    "web-search": "With live web search",
}
LEVEL_NAMES = {"country": "Country", "admin1": "Region (admin1)", "city": "City"}


def of_evaluation(
    result: Evaluation, *, by: Sequence[str] | None = None, most: int = TOP_GROUPS
) -> Contents:
    """Return what a result says.

    Parameters
    ----------
    result
    by
        Break-downs to show; those of the options if None.
    most
        How many groups of a break-down to show, the largest first.
    """
    predictions, truth = words.names(result)
    wanted = broken_down_by(result, by)
    failure = words.failure(result)
    sections = (
        _accuracy(result),
        of_readings(result),
        *beyond.sections(result),
        _errors(result),
        _countries(result, wanted),
        _regions(result),
        _breakdowns(result, wanted, most),
        of_worst(result),
        of_findings(result.findings),
        _made(result),
    )
    return Contents(
        title=f"{predictions} scored against {truth}",
        about=(
            *failure,
            words.denominator(result),
            words.unanswered(result),
            words.rule(result),
            words.method(result),
        ),
        sections=tuple(one for one in sections if one.tables or one.name == "findings"),
        facts=_facts(result),
        warned=bool(failure) or result.scores.scoring.missing == "exclude",
        verdict=words.of_result(result),
    )


def of_findings(findings: Iterable[Finding]) -> Section:
    """Return findings in words, errors first."""
    found = errors_first(findings)
    return Section(
        "findings",
        f"Findings: {words.tally(found)}",
        "Rows are counted from 1, without the header." if any(one.rows for one in found) else "",
        remarks=[
            Remark(one.severity, one.code, sentence(one.message), rows_of(one), one.remedy)
            for one in found
        ],
    )


def _facts(result: Evaluation) -> Table:
    at = main_threshold(result.scores.scoring.thresholds_km)
    points = words.NONE if result.geoscore is None else f"{result.geoscore:,.0f}"
    median = between(result.median_interval, share=False)
    lines = [
        (f"Within {threshold(at)}", f"{percent(result.accuracy[at])}%",
         f"{between(result.intervals[at])}% ({words.interval_name(result)})"),
        ("Median error", f"{km(result.median_km)} km", f"{median} km, answered rows"),
        ("GeoScore", points, "of 5,000"),
        ("Coverage", f"{percent(result.coverage)}%",
         f"{result.scores.answered:,} of {result.rows:,} rows answered"),
    ]  # fmt: skip
    if result.candidates is not None:
        known = result.candidates
        lines.append((f"Oracle of {known.k} within {threshold(at)}",
                      f"{percent(known.oracle[at])}%", "the best of the answers"))  # fmt: skip
    if result.confidence is not None:
        area = percent(result.confidence.curve.aurc[at])
        lines.append((f"AURC at {threshold(at)}", f"{area}%", "mean risk, surest first"))
    if "country" in result.regions:
        found = result.regions["country"]
        lines.append(("Country", f"{percent(found.accuracy)}%", f"of {counted(found.labelled)}"))
    return Table(("", "", ""), lines, align="lrl")


def _accuracy(result: Evaluation) -> Section:
    correct, of = result.scores.correct, f"{result.scores.denominator:,}"
    head = ("within", "right %", words.interval_name(result), "rows right", "of")
    lines = [
        (threshold(t), percent(share), between(result.intervals[t]), f"{correct[t]:,}", of)
        for t, share in result.accuracy.items()
    ]
    tables = [Table(head, lines, aside=2, bar=1)]
    if result.published:
        tables.append(_published(result))
    return Section("accuracy", "Accuracy", tables=tables)


def _published(result: Evaluation) -> Table:
    """Return the user's line and then the published ones, category by category."""
    thresholds = result.scores.scoring.thresholds_km
    lines = [(words.names(result)[0], *(percent(result.accuracy[t]) for t in thresholds))]
    for category in CATEGORIES:
        rows = [row for row in result.published if row.category == category]
        lines += [(CATEGORY_HEADINGS[category],)] if rows else []
        lines += [(row.label, *(percent(row.accuracy.get(t)) for t in thresholds)) for row in rows]
    notes = ["Each paper's own protocol: ties and failures may be counted differently."]
    if any(not row.checked for row in result.published):
        notes.append("* not checked against the paper's own table.")
    title = f"Published on {result.published[0].benchmark}"
    head = ("% of rows within", *map(threshold, thresholds))
    return Table(head, lines, title=title, strong={0}, notes=notes)


def _errors(result: Evaluation) -> Section:
    quantiles = result.scores.quantiles_km
    head = ("share of rows", *(f"{100 * q:g}%" for q in quantiles), "mean")
    line = ("error below", *map(km, quantiles.values()), km(result.mean_km))
    table = Table(head, [line], title="Error of answered rows, km")
    return Section("errors", "How large the errors are", tables=[table])


def _countries(result: Evaluation, by: Sequence[str]) -> Section:
    at = main_threshold(result.scores.scoring.thresholds_km)
    asked = "country" in by or result.options.cluster == "country"
    worst = worst_groups(result.scores.by["country"], at) if asked else []
    title = f"Lowest accuracy within {threshold(at)}"
    tables = [_groups(result, "country", worst, title, at, country_names())] if worst else []
    return Section("countries", "Accuracy by country", tables=tables)


def _regions(result: Evaluation) -> Section:
    head = ("level", "right %", "rows right", "of labelled", "answered %")
    tables = []
    for title, found in (
        ("From the predicted coordinates", result.regions),
        ("From the names that were answered", result.named_regions),
        ("By the string rule of GLOBE's release", result.string_regions),
    ):
        lines = [
            (LEVEL_NAMES.get(level, level), percent(one.accuracy), f"{one.correct:,}",
             f"{one.labelled:,}", percent(one.coverage))
            for level, one in found.items()
        ]  # fmt: skip
        tables += [Table(head, lines, title=title)] if lines else []
    about = (
        "A region counts only in the right country, and a city only in the right region. "
        "Rows without a label, such as photos at sea, are left out."
    )
    return Section("regions", "Country, region and city", about, tables)


def _breakdowns(result: Evaluation, by: Sequence[str], most: int) -> Section:
    tables = []
    for name in by:
        groups = result.scores.by[name]
        note = f" (the {most} largest of {len(groups):,})" if len(groups) > most else ""
        tables.append(_groups(result, name, groups[:most], f"By {name}{note}, % of rows within"))
    return Section("by", "Break-downs", tables=tables)


def _groups(
    result: Evaluation,
    name: str,
    groups: Sequence[Group],
    title: str,
    bar_km: float | None = None,
    known_as: Mapping[str, str] | None = None,
) -> Table:
    """Return a line for each group; ``bar_km`` is the threshold whose shares become bars."""
    thresholds = shown_thresholds(result.scores.scoring.thresholds_km)
    lines = []
    for group in groups:
        value = words.group_name(group.value)
        shares = (percent(group.accuracy[t], 1) for t in thresholds)
        label = (known_as or {}).get(value, value)
        lines.append((label, f"{group.rows:,}", *shares, km(group.median_km)))
    head = (name, "rows", *map(threshold, thresholds), "median, km")
    bar = 2 + thresholds.index(bar_km) if bar_km in thresholds else None
    return Table(head, lines, title=title, bar=bar)


def _made(result: Evaluation) -> Section:
    """Say what the numbers can be made again from."""
    options = result.options
    lines = [
        (role, f"{known.get('name', '')} · {known.get('sha256') or counted(known.get('rows', 0))}")
        for role, known in result.inputs.items()
    ]
    lines += [
        ("missing", result.scores.scoring.missing),
        ("ids compared", options.match),
        ("resamples", f"{options.resamples:,}, seed {options.seed}"),
        ("broken down by", ", ".join(options.by) or words.NONE),
        ("software", f"{SOFTWARE}, schema {SCHEMA}"),
    ]
    return Section("made", "What made this", tables=[Table(("", ""), lines, align="ll")])
