"""The sections of a report that split the score: by country, level of region, any column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from geodata.evaluation.report import contents as words, markup, plots
from geodata.evaluation.scores import Evaluation, Group
from geodata.maps import outlines

TOP_GROUPS = 15


def countries(result: Evaluation) -> str:
    """Return the section with the map of countries and the worst of them."""
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
    return markup.section(
        "countries",
        "Accuracy by country",
        f"<figure>{plots.choropleth(known, named, at)}"
        f"{markup.legend(legend, 'shares', ('few rows', 'hatch'))}"
        f"<figcaption>{caption}</figcaption></figure>"
        f"<h3>Lowest accuracy within {words.threshold(at)}</h3>"
        f"{_groups(result, worst, labels, bar_km=at)}",
    )


def regions(result: Evaluation) -> str:
    """Return the section on country, region and city accuracy."""
    parts = []
    for title, found in (
        ("From the predicted coordinates", result.regions),
        ("From the names that were answered", result.named_regions),
    ):
        if found:
            head = markup.row(
                ["", "right, %", "rows right", "of labelled", "answered, %"], cell="th"
            )
            lines = [
                markup.row(
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
            parts.append(f"<h3>{title}</h3>{markup.table(head, lines)}")
    if not parts:
        return ""
    about = (
        "<p>A region counts only in the right country, and a city only in the right region. Rows "
        "without a label, such as photos at sea, are left out.</p>"
    )
    return markup.section("regions", "Country, region and city", about + "".join(parts))


def breakdowns(result: Evaluation) -> str:
    """Return the section with a table for each break-down."""
    parts = []
    for name in words.broken_down_by(result):
        groups = result.scores.by[name]
        if name == "country" and len(_by_code(groups)) == sum(g.value is not None for g in groups):
            continue  # the map and its table say it
        note = f", the {TOP_GROUPS} largest of {len(groups):,}" if len(groups) > TOP_GROUPS else ""
        shown = groups[:TOP_GROUPS]
        labels = [words.value(group.value) for group in shown]
        parts.append(f"<h3>By {markup.text(name)}{note}</h3>{_groups(result, shown, labels)}")
    return markup.section("by", "Break-downs", "".join(parts)) if parts else ""


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
        lines.append(f'<tr><th scope="row">{bar}{markup.text(label)}</th>{numbers}</tr>')
    return markup.table(markup.row(heads, cell="th"), lines)


def _by_code(groups: Iterable[Group]) -> dict[str, Group]:
    """Return groups by country code; a truth file's own column may hold names."""
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
