"""Write what an evaluation says: Markdown for a page, HTML for a person, text for a terminal.

report.write_html(result, "report.html")
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from geodata import files
from geodata.evaluation.report import contents as words
from geodata.evaluation.scores import Comparison, Evaluation

TOP_GROUPS = 10


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
    from geodata.evaluation.report.html import page

    return page(result)


def write_html(result: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write `to_html`; the file appears whole or not at all."""
    files.write_text(path, to_html(result))


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
    predictions, truth = words.names(result)
    blocks = [
        f"# {_cell(predictions)} scored against {_cell(truth)}",
        f"{words.denominator(result)}\n{words.rule(result)}\n{words.method(result)}",
        "## Accuracy",
        _accuracy(result),
        *_errors(result),
        *_regions(result),
        *_published(result),
        *(_groups(result, name) for name in words.broken_down_by(result, by)),
        f"## Findings: {words.tally(result.findings)}",
        *_findings(result),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def write_markdown(
    result: Evaluation, path: str | os.PathLike[str], *, by: Sequence[str] | None = None
) -> None:
    """Write `to_markdown`; the file appears whole or not at all."""
    files.write_text(path, to_markdown(result, by=by))


def write_json(result: Evaluation | Comparison, path: str | os.PathLike[str]) -> None:
    """Write a result's JSON; the file appears whole or not at all."""
    files.write_text(path, result.to_json())


def _accuracy(result: Evaluation) -> str:
    confidence = f"{100 * result.options.confidence:g}% interval"
    return _table(
        ["within", "right %", confidence, "rows right", "of"],
        [
            [
                words.threshold(t),
                words.percent(share),
                words.between(result.intervals[t]),
                f"{result.scores.correct[t]:,}",
                f"{result.scores.denominator:,}",
            ]
            for t, share in result.accuracy.items()
        ],
    )


def _errors(result: Evaluation) -> list[str]:
    scores = result.scores
    heads = [f"{100 * q:g}% of rows" for q in scores.quantiles_km]
    cells = [words.km(x) for x in scores.quantiles_km.values()]
    median = words.between(result.median_interval, share=False)
    points = words.NONE if scores.geoscore is None else f"{scores.geoscore:,.0f}"
    return [
        "## Error of answered rows",
        _table(["", *heads, "mean"], [["error below, km", *cells, words.km(scores.mean_km)]]),
        f"Median {words.km(scores.median_km)} km (interval {median} km). "
        f"GeoScore {points} of 5,000.",
    ]


def _regions(result: Evaluation) -> list[str]:
    blocks: list[str] = []
    for title, found in (
        ("Regions, from coordinates", result.regions),
        ("Regions, from the names that were answered", result.named_regions),
    ):
        lines = [
            [
                words.LEVEL_WORDS.get(level, level),
                words.percent(one.accuracy),
                f"{one.correct:,}",
                f"{one.labelled:,}",
                words.percent(one.coverage),
            ]
            for level, one in found.items()
        ]
        if lines:
            heads = ["level", "right %", "rows right", "of labelled", "answered %"]
            blocks += [f"## {title}", _table(heads, lines)]
    return blocks


def _published(result: Evaluation) -> list[str]:
    if not result.published:
        return []
    heads = [words.threshold(t) for t in result.scores.scoring.thresholds_km]
    lines, category = [], None
    for line in words.published_lines(result):
        if line.category is not None and line.category != category:
            category = line.category
            lines.append([f"*{words.CATEGORY_WORDS[category]}*", *([""] * len(heads))])
        label = f"**{_cell(line.label)}**" if line.own else line.label.replace("*", r"\*")
        lines.append([label, *line.cells])
    notes = [note.replace("*", r"\*") for note in words.published_notes(result.published)]
    return [
        f"## Published on {result.published[0].benchmark}",
        _table(["% of rows within", *heads], lines, escape=False),
        "\n".join(f"{note}." for note in notes),
    ]


def _groups(result: Evaluation, name: str) -> str:
    groups = result.scores.by[name]
    thresholds = words.shown_thresholds(result.scores.scoring.thresholds_km)
    note = f", the {TOP_GROUPS} largest of {len(groups):,}" if len(groups) > TOP_GROUPS else ""
    lines = [
        [
            words.value(group.value),
            f"{group.rows:,}",
            *(words.percent(group.accuracy[t], 1) for t in thresholds),
            words.km(group.median_km),
        ]
        for group in groups[:TOP_GROUPS]
    ]
    heads = [name, "rows", *(f"{words.threshold(t)}, %" for t in thresholds), "median, km"]
    return f"## By {_cell(name)}{note}\n\n{_table(heads, lines)}"


def _findings(result: Evaluation) -> list[str]:
    found = []
    for one in words.ordered(result.findings):
        where = f" ({words.where(one)})" if one.rows else ""
        message = _cell(words.sentence(one.message))
        found.append(f"- **{one.severity}** `{one.code}`{where}: {message} {_cell(one.remedy)}")
    return ["\n".join(found)]


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]], *, escape: bool = True) -> str:
    made = [heads, [":---", *(["---:"] * (len(heads) - 1))]]
    made += [[_cell(cell) for cell in line] if escape else line for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in made)


def _cell(text: str) -> str:
    """Return text that cannot break a Markdown table or start formatting."""
    flat = " ".join(text.split())
    for mark in ("\\", "|", "*", "`", "<", "["):
        flat = flat.replace(mark, f"\\{mark}")
    return flat
