"""What every form of a report says in the same words: numbers, rules, names, footnotes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from geodata.evaluation.findings import Finding
from geodata.evaluation.scores import CATEGORIES, Evaluation, Group, Interval, Published

NONE = "–"
FEW_ROWS = 10
"""Groups with fewer rows are not ranked, and are marked on a map."""

CATEGORY_WORDS = {
    "closed-world": "Closed world (own weights only)",
    "llm-assisted": "Assisted by a language model",
    "web-search": "With live web search",
}
UNCHECKED = "* not checked against the paper's own table"
LEVEL_WORDS = {"country": "Country", "admin1": "Region (admin1)", "city": "City"}
_RANK = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Line:
    """One row of the table that sets a result beside published ones."""

    label: str
    category: str | None
    """One of `CATEGORIES`; None for the user's own file."""
    cells: tuple[str, ...]
    """Percent, one a threshold."""
    own: bool = False


def percent(share: float | None, digits: int = 2) -> str:
    """Return a share in [0, 1] as percent without the sign.

    Examples
    --------
    >>> percent(0.25158), percent(1.0, 1), percent(None)
    ('25.16', '100.0', '–')
    """
    return NONE if share is None else f"{100 * share:.{digits}f}"


def km(distance: float | None) -> str:
    """Return a distance in km with about three digits.

    Examples
    --------
    >>> km(0.0123), km(2.894), km(224.75), km(9402.2), km(None)
    ('0.012', '2.89', '225', '9,402', '–')
    """
    if distance is None:
        return NONE
    digits = 0 if distance >= 100 else 1 if distance >= 10 else 2 if distance >= 1 else 3
    return f"{distance:,.{digits}f}"


def threshold(value: float) -> str:
    """Return a threshold as it is written in a heading.

    Examples
    --------
    >>> threshold(2500.0), threshold(0.5)
    ('2,500 km', '0.5 km')
    """
    return f"{value:,.10g} km"


def between(interval: Interval | None, *, share: bool = True) -> str:
    """Return the ends of an interval, in percent or km.

    Examples
    --------
    >>> between(Interval(0.5, 0.4, 0.6, 0.95, "wilson"))
    '40.0–60.0'
    """
    if interval is None:
        return NONE
    ends = (interval.low, interval.high)
    return "–".join(percent(end, 1) if share else km(end) for end in ends)


def rows(count: int, noun: str = "row") -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> rows(1), rows(2997, "truth row")
    ('1 row', '2,997 truth rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def names(result: Evaluation) -> tuple[str, str]:
    """Return the names of the predictions and of the truth."""
    found = [str(result.inputs.get(key, {}).get("name", key)) for key in ("predictions", "truth")]
    return found[0], found[1]


def rule(result: Evaluation) -> str:
    """Say what makes a row right."""
    scoring = result.scores.scoring
    sign = "<" if scoring.strict else "<="
    where = {
        "sphere": "on the sphere (R = 6371 km)",
        "wgs84": "on the WGS84 ellipsoid",
    }
    return f"A row is right if distance {sign} threshold, {where[scoring.distance]}."


def denominator(result: Evaluation) -> str:
    """Say what shares are taken of."""
    scores = result.scores
    answered = (
        f"{rows(scores.rows, 'truth row')}, {scores.answered:,} answered "
        f"(coverage {percent(scores.coverage)}%)"
    )
    if scores.scoring.missing == "wrong":
        return f"{answered}; missing counts as wrong."
    return f"{answered}. MISSING ANSWERS ARE EXCLUDED: shares are of answered rows only."


def method(result: Evaluation) -> str:
    """Say what the intervals are."""
    options = result.options
    confidence = f"{100 * options.confidence:g}%"
    if options.cluster is None:
        return f"Intervals: {confidence}, Wilson; rows are taken to be independent."
    codes = result.scores.codes.get(options.cluster)
    clusters = f"{len(codes.values):,} clusters" if codes else "clusters"
    return (
        f"Intervals: {confidence}, bootstrap over {clusters} of {options.cluster!r} "
        f"(seed {options.seed})."
    )


def published_lines(result: Evaluation) -> list[Line]:
    """Return the user's row and then the published ones, category by category."""
    thresholds = result.scores.scoring.thresholds_km
    own = tuple(percent(result.accuracy[t]) for t in thresholds)
    lines = [Line(names(result)[0], None, own, own=True)]
    for category in CATEGORIES:
        lines += [
            Line(row.label, category, tuple(percent(row.accuracy.get(t)) for t in thresholds))
            for row in result.published
            if row.category == category
        ]
    return lines


def published_notes(published: Iterable[Published]) -> list[str]:
    """Return the footnotes that published rows need."""
    found = list(published)
    notes = ["Each paper's own protocol: ties and failures may be counted differently"]
    return notes + ([UNCHECKED] if any(not row.checked for row in found) else [])


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with errors first, each once."""
    return sorted(dict.fromkeys(findings), key=lambda one: _RANK[one.severity])


def where(finding: Finding) -> str:
    """Say which rows a finding is about.

    Examples
    --------
    >>> where(Finding("x", "info", "", (1, 5), 9, ""))
    'rows 1, 5, … (9 in all)'
    """
    if not finding.rows:
        return ""
    numbers = ", ".join(f"{row:,}" for row in finding.rows)
    noun = "row" if finding.count == 1 else "rows"
    return f"{noun} {numbers}" + (
        f", … ({finding.count:,} in all)" if finding.count > len(finding.rows) else ""
    )


def tally(findings: Sequence[Finding]) -> str:
    """Count findings by severity.

    Examples
    --------
    >>> tally([])
    'no findings'
    """
    words = {"error": "error", "warning": "warning", "info": "note"}
    counts = [
        (sum(found.severity == severity for found in findings), word)
        for severity, word in words.items()
    ]
    return ", ".join(rows(n, word) for n, word in counts if n) or "no findings"


def broken_down_by(result: Evaluation, by: Sequence[str] | None = None) -> list[str]:
    """Return the break-downs to show: those asked for, not the column that is only resampled."""
    wanted = result.options.by if by is None else by
    return [name for name in dict.fromkeys(wanted) if name in result.scores.by]


def main_threshold(thresholds_km: Sequence[float]) -> float:
    """Return the threshold a map or ranking uses: the one nearest to 200 km in ratio.

    Examples
    --------
    >>> main_threshold((1.0, 25.0, 200.0, 750.0)), main_threshold((0.0, 1000.0))
    (200.0, 1000.0)
    """
    return min(thresholds_km, key=lambda t: abs(math.log(max(t, 1e-6) / 200.0)))


def shown_thresholds(thresholds_km: Sequence[float], most: int = 5) -> tuple[float, ...]:
    """Return at most so many thresholds, evenly chosen, always with the first and last.

    Examples
    --------
    >>> shown_thresholds((1.0, 2.0, 3.0, 4.0), most=3)
    (1.0, 3.0, 4.0)
    """
    last = len(thresholds_km) - 1
    if last < most:
        return tuple(thresholds_km)
    return tuple(thresholds_km[math.ceil(i * last / (most - 1))] for i in range(most))


def worst_groups(groups: Sequence[Group], at_km: float, most: int = 12) -> list[Group]:
    """Return the groups with the lowest accuracy, those of few rows only if there is no other."""
    known = [group for group in groups if group.value is not None]
    enough = [group for group in known if group.rows >= FEW_ROWS] or known
    return sorted(enough, key=lambda g: (g.accuracy[at_km] or 0.0, -g.rows, str(g.value)))[:most]


def sentence(text: str) -> str:
    """Return a message with one full stop.

    Examples
    --------
    >>> sentence("6 answers"), sentence("'a', ...")
    ('6 answers.', "'a', …")
    """
    if text.endswith("..."):
        return f"{text[:-3]}…"
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def value(found: object) -> str:
    """Return a break-down value as text."""
    return "(none)" if found is None else str(found)
