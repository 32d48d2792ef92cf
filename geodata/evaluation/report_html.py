"""An evaluation as one self-contained HTML page without network or scripts, stable to the byte."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from importlib import resources

from geodata.evaluation import report_plots as plots
from geodata.evaluation import report_words as words
from geodata.evaluation.groups import Group
from geodata.evaluation.result import SCHEMA, Evaluation

TOP_GROUPS = 15
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(result: Evaluation) -> str:
    """Return the whole page as text."""
    predictions, truth = words.names(result)
    style = resources.files("geodata.evaluation").joinpath("report.css").read_text("utf-8")
    title = _text(f"{predictions} scored against {truth}")
    body = "".join(
        section
        for section in (
            _head(result),
            _accuracy(result),
            _errors(result),
            _map(result),
            _countries(result),
            _regions(result),
            _breakdowns(result),
            _worst(result),
            _findings(result),
            _made(result),
        )
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<link rel="icon" href="data:,">\n<title>{title}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _head(result: Evaluation) -> str:
    predictions, truth = words.names(result)
    excluded = result.scores.scoring.missing == "exclude"
    kind = ' class="warn"' if excluded else ""
    found = words.ordered(result.findings)
    median = words.between(result.median_interval, share=False)
    points = words.NONE if result.geoscore is None else f"{result.geoscore:,.0f}"
    at = words.main_threshold(result.scores.scoring.thresholds_km)
    facts = [
        (f"Within {words.threshold(at)}", f"{words.percent(result.accuracy[at])}%",
         f"{words.between(result.intervals[at])}% ({100 * result.options.confidence:g}% interval)"),
        ("Median error", f"{words.km(result.median_km)} km", f"{median} km, answered rows"),
        ("GeoScore", points, "of 5,000"),
        ("Coverage", f"{words.percent(result.coverage)}%",
         f"{result.scores.answered:,} of {result.rows:,} rows answered"),
    ]  # fmt: skip
    if "country" in result.regions:
        country = result.regions["country"]
        facts.append(
            ("Country", f"{words.percent(country.accuracy)}%", f"of {country.labelled:,} rows")
        )
    return (
        f'<header>\n<p class="kicker">Image geolocalization · evaluation</p>\n'
        f"<h1>{_text(predictions)}</h1>\n"
        f"<p{kind}>Scored against <strong>{_text(truth)}</strong>: "
        f"{_text(words.denominator(result))}</p>\n"
        f"<p>{_text(words.rule(result).replace('<=', '≤'))} {_text(words.method(result))} "
        f'The checks gave <a href="#findings">{words.tally(found)}</a>.</p>\n'
        f'<dl class="facts">'
        + "".join(
            f"<div><dt>{_text(name)}</dt><dd>{_text(number)}<small>{_text(note)}</small></dd></div>"
            for name, number, note in facts
        )
        + "</dl>\n</header>\n"
    )


def _accuracy(result: Evaluation) -> str:
    thresholds = result.scores.scoring.thresholds_km
    heads = [f'<span class="within">within </span>{words.threshold(t)}' for t in thresholds]
    head = _row(["", *heads], cell="th", escape=False)
    own = "".join(
        f'<td class="n">{words.percent(result.accuracy[t])}'
        f"<small>{words.between(result.intervals[t])}</small></td>"
        for t in thresholds
    )
    counts = [f"{result.scores.correct[t]:,}" for t in thresholds]
    lines = [
        f'<tr class="own"><th scope="row">{_text(words.names(result)[0])}'
        f"<small>{100 * result.options.confidence:g}% interval</small></th>{own}</tr>",
        _row([f"rows right, of {result.scores.denominator:,}", *counts]),
    ]
    category: str | None = None
    for line in words.published_lines(result)[1:]:
        if line.category is not None and line.category != category:
            category = line.category
            heading = f"Published · {words.CATEGORY_WORDS[category]}"
            lines.append(
                f'<tr class="group"><th colspan="{len(thresholds) + 1}">{heading}</th></tr>'
            )
        lines.append(_row([line.label, *line.cells]))
    notes = []
    if result.published:
        about = f"Published results on {result.published[0].benchmark}."
        notes = [about, *(f"{note}." for note in words.published_notes(result.published))]
    return _section(
        "accuracy",
        "Accuracy",
        f"<p>Share of rows within each distance, in percent.</p>{_table(head, lines)}"
        f"{_note(notes)}",
    )


def _errors(result: Evaluation) -> str:
    scores, axis = result.scores, plots.curve_axis(result)
    labels = [
        f'<span class="axis y" style="top:{100 - share}%">{share}%</span>'
        for share in (0, 25, 50, 75, 100)
    ]
    for tick in axis.ticks():
        minor = "" if round(tick) in (1, 100, 10_000) else " minor"
        labels.append(
            f'<span class="axis x{minor}" style="left:{100 * axis.at(tick):.2f}%">'
            f"{tick:,.10g}</span>"
        )
    labels.append('<span class="axis name">error, km (log scale)</span>')
    quantiles = [(f"{100 * q:g}%", words.km(x)) for q, x in scores.quantiles_km.items()]
    head = _row(["", *(f"{name} of rows" for name, _ in quantiles), "mean"], cell="th")
    line = _row(["error below, km", *(x for _, x in quantiles), words.km(scores.mean_km)])
    kinds = {row.category for row in result.published}
    legend = [("this file, with interval", plots.RAMP[0])] + [
        (f"published, {kind}", colour)
        for kind, colour in (
            ("closed-world", "#9aa5b0"),
            ("llm-assisted", "#dc8a3c"),
            ("web-search", "#ad2f2b"),
        )
        if kind in kinds
    ]
    return _section(
        "errors",
        "How large the errors are",
        "<p>Share of all rows whose error is at most so many kilometres; the vertical lines are "
        "the thresholds. The curve ends at the coverage.</p>"
        f'<figure><div class="plot">{plots.error_curve(result)}{"".join(labels)}</div>'
        f"{_legend(legend)}</figure>\n<h3>Errors of answered rows</h3>{_table(head, [line])}",
    )


def _map(result: Evaluation) -> str:
    if not result.sample:
        return ""
    classes = plots.error_classes(result.scores.scoring.thresholds_km)
    lows = ["", *(f"{end:,.10g}" for end, _ in classes[:-1])]
    legend = []
    for low, (end, colour) in zip(lows, classes, strict=True):
        upper = "" if end == float("inf") else f"{end:,.10g} km"
        name = f"over {low} km" if not upper else f"{low}–{upper}" if low else f"up to {upper}"
        legend.append((name, colour))
    shown, answered = len(result.sample), result.scores.answered
    far = sum(row.distance_km > plots.LINES_FROM_KM for row in result.sample)
    drawn = len(plots.far_rows(result.sample))
    some = f"for {drawn:,} of {far:,} such dots" if drawn < far else ""
    which = "all" if shown == answered else f"{shown:,} of"
    caption = (
        f"A dot is the true place of a photo, coloured by its error; {which} "
        f"{words.rows(answered, 'answered row')}"
        f"{'' if shown == answered else ' drawn at random'}. Great circles lead to predictions "
        f"more than {plots.LINES_FROM_KM:g} km off{', ' + some if some else ''}. "
        "Equal Earth projection."
    )
    return _section(
        "map",
        "Where the errors are",
        f"<figure>{plots.error_map(result)}{_legend(legend)}"
        f"<figcaption>{caption}</figcaption></figure>",
    )


def _countries(result: Evaluation) -> str:
    groups = result.scores.by.get("country", ())
    known = _by_code(groups)
    if not known:
        return ""
    at = words.main_threshold(result.scores.scoring.thresholds_km)
    named = _country_names()
    legend = [(f"{20 * i}–{20 * i + 20}%", colour) for i, colour in enumerate(plots.SHARE_RAMP)]
    worst = words.worst_groups(list(known.values()), at)
    code_of = {id(group): code for code, group in known.items()}
    labels = [named.get(code_of[id(group)], words.value(group.value)) for group in worst]
    few = sum(group.rows < words.FEW_ROWS for group in known.values())
    caption = (
        f"Share of each country's rows within {words.threshold(at)}; grey: no rows. Hatched: fewer "
        f"than {words.FEW_ROWS} rows ({few} of {len(known)} countries). Equal Earth projection."
    )
    return _section(
        "countries",
        "Accuracy by country",
        f"<figure>{plots.choropleth(known, named, at)}"
        f"{_legend(legend, 'shares', ('few rows', 'hatch'))}"
        f"<figcaption>{caption}</figcaption></figure>"
        f"<h3>Lowest accuracy within {words.threshold(at)}</h3>"
        f"{_groups(result, worst, labels, bar_km=at)}",
    )


def _regions(result: Evaluation) -> str:
    parts = []
    for title, found in (
        ("From the predicted coordinates", result.regions),
        ("From the names that were answered", result.named_regions),
    ):
        if found:
            head = _row(["", "right, %", "rows right", "of labelled", "answered, %"], cell="th")
            lines = [
                _row(
                    [
                        words.LEVEL_WORDS.get(level, level),
                        words.percent(one.accuracy),
                        f"{one.correct:,}",
                        f"{one.labelled:,}",
                        words.percent(one.coverage),
                    ]
                )
                for level, one in found.items()
            ]
            parts.append(f"<h3>{title}</h3>{_table(head, lines)}")
    if not parts:
        return ""
    about = (
        "<p>A region counts only in the right country, and a city only in the right region. Rows "
        "without a label, such as photos at sea, are left out.</p>"
    )
    return _section("regions", "Country, region and city", about + "".join(parts))


def _breakdowns(result: Evaluation) -> str:
    parts = []
    for name in words.broken_down_by(result):
        groups = result.scores.by[name]
        if name == "country" and len(_by_code(groups)) == sum(g.value is not None for g in groups):
            continue  # the map and its table say it
        note = f", the {TOP_GROUPS} largest of {len(groups):,}" if len(groups) > TOP_GROUPS else ""
        shown = groups[:TOP_GROUPS]
        labels = [words.value(group.value) for group in shown]
        parts.append(f"<h3>By {_text(name)}{note}</h3>{_groups(result, shown, labels)}")
    return _section("by", "Break-downs", "".join(parts)) if parts else ""


def _worst(result: Evaluation) -> str:
    if not result.worst:
        return ""
    head = _row(["id", "error, km", "true lat", "lon", "predicted lat", "lon"], cell="th")
    lines = [
        _row(
            [
                row.id,
                words.km(row.distance_km),
                *(f"{x:.5f}" for x in (row.lat, row.lon, row.pred_lat, row.pred_lon)),
            ]
        )
        for row in result.worst
    ]
    return _section(
        "worst", "Largest errors", f"<p>Worth a look one by one.</p>{_table(head, lines)}"
    )


def _findings(result: Evaluation) -> str:
    found = words.ordered(result.findings)
    items = "".join(
        f'<li class="{one.severity}"><span class="severity">{one.severity}</span> '
        f"<code>{_text(one.code)}</code><p>{_text(words.sentence(one.message))}</p>"
        + (f'<p class="note">{_text(words.where(one))}</p>' if one.rows else "")
        + f"<p>{_text(one.remedy)}</p></li>"
        for one in found
    )
    about = (
        f"<p>{words.tally(found).capitalize()}. Rows are counted from 1, without the header.</p>"
        if found
        else "<p>The checks found nothing to report.</p>"
    )
    return _section("findings", "Findings", f'{about}<ul class="findings">{items}</ul>')


def _made(result: Evaluation) -> str:
    from geodata import __version__

    scoring, options = result.scores.scoring, result.options
    facts: list[tuple[str, str]] = []
    for role, known in result.inputs.items():
        detail = known.get("sha256") or words.rows(int(known.get("rows", 0)))
        facts.append((role, f"{known.get('name', '')} · {detail}"))
    facts += [
        ("rule", words.rule(result)),
        ("missing answers", scoring.missing),
        ("ids compared", options.match),
        ("intervals", f"{words.method(result)} {options.resamples:,} resamples"),
        ("broken down by", ", ".join(options.by) or words.NONE),
        ("software", f"georl {__version__}, schema {SCHEMA}"),
    ]
    if result.regions or result.scores.by.keys() & {"country", "admin1", "continent", "town_km"}:
        from geodata import boundaries

        facts.append(("boundaries", f"bundled · {boundaries.load().sha256}"))
    lines = [
        f'<tr><th scope="row">{_text(name)}</th><td><code>{_text(known)}</code></td></tr>'
        for name, known in facts
    ]
    return _section(
        "made", "What made this", f'<div class="scroll"><table class="made">{"".join(lines)}'
        "</table></div>",
    )  # fmt: skip


def _groups(
    result: Evaluation, groups: Sequence[Group], labels: Sequence[str], bar_km: float | None = None
) -> str:
    thresholds = words.shown_thresholds(result.scores.scoring.thresholds_km)
    heads = ["", "rows", *(f"{words.threshold(t)}, %" for t in thresholds), "median, km"]
    lines = []
    for group, label in zip(groups, labels, strict=True):
        share = group.accuracy[bar_km] if bar_km is not None else None
        bar = ""
        if share is not None:
            fill = f"width:{100 * share:.1f}%;background:{plots.share_colour(share)}"
            bar = f'<span class="bar"><i style="{fill}"></i></span>'
        cells = [
            f"{group.rows:,}",
            *(words.percent(group.accuracy[t], 1) for t in thresholds),
            words.km(group.median_km),
        ]
        numbers = "".join(f'<td class="n">{cell}</td>' for cell in cells)
        lines.append(f'<tr><th scope="row">{bar}{_text(label)}</th>{numbers}</tr>')
    return _table(_row(heads, cell="th"), lines)


def _by_code(groups: Iterable[Group]) -> dict[str, Group]:
    """Return groups by country code; a truth file's own column may hold names."""
    from geodata.evaluation.report_world import outlines

    codes = {name.casefold(): code for code, name in _country_names().items()}
    found: dict[str, Group] = {}
    for group in groups:
        text = str(group.value)
        code = text if text in outlines() else codes.get(text.casefold())
        if group.value is not None and code is not None:
            found.setdefault(code, group)
    return found


def _country_names() -> dict[str, str]:
    from geodata import boundaries

    table = boundaries.load().countries
    pairs = zip(table["code"].to_pylist(), table["name"].to_pylist(), strict=True)
    return dict(reversed(list(pairs)))


def _text(text: object) -> str:
    return html.escape(str(text), quote=True)


def _section(name: str, title: str, body: str) -> str:
    return f'<section id="{name}">\n<h2>{title}</h2>\n{body}\n</section>\n'


def _row(cells: Sequence[str], cell: str = "td", *, escape: bool = True) -> str:
    scope = f' scope="{"col" if cell == "th" else "row"}"'
    first, *others = [_text(text) for text in cells] if escape else cells
    rest = "".join(
        f'<{cell} class="n"{scope if cell == "th" else ""}>{other}</{cell}>' for other in others
    )
    return f"<tr><th{scope}>{first}</th>{rest}</tr>"


def _table(head: str, lines: Iterable[str]) -> str:
    return (
        f'<div class="scroll"><table><thead>{head}</thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _note(notes: Sequence[str]) -> str:
    return f'<p class="note">{_text(" ".join(notes))}</p>' if notes else ""


def _legend(
    entries: Iterable[tuple[str, str]], kind: str = "", last: tuple[str, str] | None = None
) -> str:
    items = [
        f'<li><i style="background:{colour}"></i>{_text(name)}</li>' for name, colour in entries
    ]
    if last is not None:
        items.append(f'<li><i class="{last[1]}"></i>{_text(last[0])}</li>')
    return f'<ul class="legend {kind}">{"".join(items)}</ul>'
