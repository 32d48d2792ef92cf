"""The pictures of a page with the labels, legends and captions beside them, as HTML.

The text is not in the SVG, so that a phone shows it as large as a screen does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from geodata.evaluation.report.pictures import plots
from geodata.evaluation.report.words import (
    FEW_ROWS,
    counted,
    country_names,
    group_name,
    main_threshold,
    threshold,
)
from geodata.evaluation.scores import Evaluation, Group
from geodata.maps import outlines
from geodata.printable import html as escaped


def error_curve(result: Evaluation) -> str:
    """Return the share of rows within each distance, with its axes named."""
    axis = plots.curve_axis(result)
    labels = [
        f'<span class="axis y" style="top:{100 - share}%">{share}%</span>'
        for share in (0, 25, 50, 75, 100)
    ]
    for tick in axis.ticks():
        minor = "" if tick in (1, 100, 10_000) else " minor"
        labels.append(
            f'<span class="axis x{minor}" style="left:{100 * axis.at(tick):.2f}%">'
            f"{tick:,.10g}</span>"
        )
    labels.append('<span class="axis name">error, km (log scale)</span>')
    kinds = {row.category for row in result.published}
    legend = [("this file, with interval", "var(--accent)")]
    legend += [(f"published, {kind}", colour) for kind, colour in plots.CATEGORY_COLOURS.items()
               if kind in kinds]  # fmt: skip
    caption = (
        "Share of all rows whose error is at most so many kilometres; the vertical lines are "
        "the thresholds. The curve ends at the coverage."
    )
    picture = f'<div class="plot">{plots.error_curve(result)}{"".join(labels)}</div>'
    return _figure(picture, legend, caption)


def error_map(result: Evaluation) -> str:
    """Return the map of the sampled rows; nothing where no row is answered."""
    if not result.sample:
        return ""
    ends, colours = plots.error_classes(result.scores.scoring.thresholds_km)
    between = (f"{low:,.10g}–{threshold(high)}" for low, high in itertools.pairwise(ends))
    names = (f"up to {threshold(ends[0])}", *between, f"over {threshold(ends[-1])}")
    far = sum(row.distance_km > plots.LINES_FROM_KM for row in result.sample)
    drawn = len(plots.far_rows(result.sample))
    caption = (
        f"A dot is the true place of a photo, coloured by its error; {len(result.sample):,} of "
        f"{counted(result.scores.answered, 'answered row')}, drawn in random order. Great circles "
        f"lead to predictions more than {threshold(plots.LINES_FROM_KM)} off, {drawn:,} of "
        f"{far:,}. Equal Earth projection."
    )
    legend = zip(names, colours, strict=True)
    return _figure(plots.error_map(result), legend, caption)


def country_map(result: Evaluation) -> str:
    """Return the map of countries by accuracy; nothing where the rows name none."""
    named = country_names() if "country" in result.scores.by else {}
    known = _by_code(result.scores.by.get("country", ()), named)
    if not known:
        return ""
    at = main_threshold(result.scores.scoring.thresholds_km)
    legend = [(f"{20 * i}–{20 * i + 20}%", colour) for i, colour in enumerate(plots.SHARE_RAMP)]
    few = sum(group.rows < FEW_ROWS for group in known.values())
    caption = (
        f"Share of each country's rows within {threshold(at)}; grey: no rows. Hatched: fewer "
        f"than {FEW_ROWS} rows ({few} of {len(known)} countries). Equal Earth projection."
    )
    hatched = '<li><i class="hatch"></i>few rows</li>'
    return _figure(plots.choropleth(known, named, at), legend, caption, "shares", hatched)


def bar(share: str) -> str:
    """Return percent, a number as text, as a bar; an empty text where there is none."""
    try:
        width = float(share)
    except ValueError:
        return ""
    fill = f"width:{width:.1f}%;background:{plots.share_colour(width / 100)}"
    return f'<span class="bar"><i style="{fill}"></i></span>'


def _figure(
    picture: str, legend: Iterable[tuple[str, str]], caption: str, kind: str = "", last: str = ""
) -> str:
    """Return a picture, names with their colours, and a caption."""
    items = "".join(
        f'<li><i style="background:{colour}"></i>{escaped(name)}</li>' for name, colour in legend
    )
    return (
        f'<figure>{picture}<ul class="legend {kind}">{items}{last}</ul>'
        f"<figcaption>{escaped(caption)}</figcaption></figure>\n"
    )


def _by_code(groups: Iterable[Group], named: dict[str, str]) -> dict[str, Group]:
    """Return groups by country code; a truth file's own column may hold names."""
    codes = {name.casefold(): code for code, name in named.items()}
    found: dict[str, Group] = {}
    for group in groups:
        text = group_name(group.value)
        code = text if text in outlines() else codes.get(text.casefold())
        if code is not None:
            found.setdefault(code, group)
    return found
