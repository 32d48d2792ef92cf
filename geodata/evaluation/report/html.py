"""An evaluation as one self-contained HTML page without network or scripts, stable to the byte."""

from __future__ import annotations

from importlib import resources

from geodata import SOFTWARE
from geodata.evaluation.report import contents as words, markup, places, plots
from geodata.evaluation.scores import SCHEMA, Evaluation

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(result: Evaluation) -> str:
    """Return the whole page as text."""
    predictions, truth = words.names(result)
    style = resources.files("geodata.evaluation.report").joinpath("report.css").read_text("utf-8")
    title = markup.text(f"{predictions} scored against {truth}")
    body = "".join(
        section
        for section in (
            _head(result),
            _accuracy(result),
            _errors(result),
            _map(result),
            places.countries(result),
            places.regions(result),
            places.breakdowns(result),
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
        f"<h1>{markup.text(predictions)}</h1>\n"
        f"<p{kind}>Scored against <strong>{markup.text(truth)}</strong>: "
        f"{markup.text(words.denominator(result))}</p>\n"
        f"<p>{markup.text(words.rule(result).replace('<=', '≤'))} "
        f"{markup.text(words.method(result))} "
        f'The checks gave <a href="#findings">{words.tally(found)}</a>.</p>\n'
        f'<dl class="facts">'
        + "".join(
            f"<div><dt>{markup.text(name)}</dt><dd>{markup.text(number)}<small>{markup.text(note)}</small></dd></div>"
            for name, number, note in facts
        )
        + "</dl>\n</header>\n"
    )


def _accuracy(result: Evaluation) -> str:
    thresholds = result.scores.scoring.thresholds_km
    heads = [f'<span class="within">within </span>{words.threshold(t)}' for t in thresholds]
    head = markup.row(["", *heads], cell="th", escape=False)
    own = "".join(
        f'<td class="n">{words.percent(result.accuracy[t])}'
        f"<small>{words.between(result.intervals[t])}</small></td>"
        for t in thresholds
    )
    counts = [f"{result.scores.correct[t]:,}" for t in thresholds]
    lines = [
        f'<tr class="own"><th scope="row">{markup.text(words.names(result)[0])}'
        f"<small>{100 * result.options.confidence:g}% interval</small></th>{own}</tr>",
        markup.row([f"rows right, of {result.scores.denominator:,}", *counts]),
    ]
    category: str | None = None
    for line in words.published_lines(result)[1:]:
        if line.category is not None and line.category != category:
            category = line.category
            heading = f"Published · {words.CATEGORY_WORDS[category]}"
            lines.append(
                f'<tr class="group"><th colspan="{len(thresholds) + 1}">{heading}</th></tr>'
            )
        lines.append(markup.row([line.label, *line.cells]))
    notes = []
    if result.published:
        about = f"Published results on {result.published[0].benchmark}."
        notes = [about, *(f"{note}." for note in words.published_notes(result.published))]
    return markup.section(
        "accuracy",
        "Accuracy",
        f"<p>Share of rows within each distance, in percent.</p>{markup.table(head, lines)}"
        f"{markup.note(notes)}",
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
    head = markup.row(["", *(f"{name} of rows" for name, _ in quantiles), "mean"], cell="th")
    line = markup.row(["error below, km", *(x for _, x in quantiles), words.km(scores.mean_km)])
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
    return markup.section(
        "errors",
        "How large the errors are",
        "<p>Share of all rows whose error is at most so many kilometres; the vertical lines are "
        "the thresholds. The curve ends at the coverage.</p>"
        f'<figure><div class="plot">{plots.error_curve(result)}{"".join(labels)}</div>'
        f"{markup.legend(legend)}</figure>\n"
        f"<h3>Errors of answered rows</h3>{markup.table(head, [line])}",
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
    return markup.section(
        "map",
        "Where the errors are",
        f"<figure>{plots.error_map(result)}{markup.legend(legend)}"
        f"<figcaption>{caption}</figcaption></figure>",
    )


def _worst(result: Evaluation) -> str:
    if not result.worst:
        return ""
    head = markup.row(["id", "error, km", "true lat", "lon", "predicted lat", "lon"], cell="th")
    lines = [
        markup.row(
            [
                row.id,
                words.km(row.distance_km),
                *(f"{x:.5f}" for x in (row.lat, row.lon, row.pred_lat, row.pred_lon)),
            ]
        )
        for row in result.worst
    ]
    return markup.section(
        "worst", "Largest errors", f"<p>Worth a look one by one.</p>{markup.table(head, lines)}"
    )


def _findings(result: Evaluation) -> str:
    found = words.ordered(result.findings)
    items = "".join(
        f'<li class="{one.severity}"><span class="severity">{one.severity}</span> '
        f"<code>{markup.text(one.code)}</code><p>{markup.text(words.sentence(one.message))}</p>"
        + (f'<p class="note">{markup.text(words.where(one))}</p>' if one.rows else "")
        + f"<p>{markup.text(one.remedy)}</p></li>"
        for one in found
    )
    about = (
        f"<p>{words.tally(found).capitalize()}. Rows are counted from 1, without the header.</p>"
        if found
        else "<p>The checks found nothing to report.</p>"
    )
    return markup.section("findings", "Findings", f'{about}<ul class="findings">{items}</ul>')


def _made(result: Evaluation) -> str:

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
        ("software", f"{SOFTWARE}, schema {SCHEMA}"),
    ]
    if result.regions or result.scores.by.keys() & {"country", "admin1", "continent", "town_km"}:
        from geodata import boundaries

        facts.append(("boundaries", f"bundled · {boundaries.load().sha256}"))
    lines = [
        f'<tr><th scope="row">{markup.text(name)}</th>'
        f"<td><code>{markup.text(known)}</code></td></tr>"
        for name, known in facts
    ]
    return markup.section(
        "made", "What made this", f'<div class="scroll"><table class="made">{"".join(lines)}'
        "</table></div>",
    )  # fmt: skip
