"""Numbers, names and sentences as a report writes them."""

from __future__ import annotations

from collections.abc import Sequence

from geodata.evaluation.findings import Finding
from geodata.evaluation.scores import Evaluation, Interval

NONE = "–"


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


def chance(p_value: float) -> str:
    """Return a p-value to three digits.

    Examples
    --------
    >>> chance(0.0214), chance(1e-9)
    ('0.021', '<0.001')
    """
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


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


def counted(count: int, noun: str = "row") -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> counted(1), counted(2997, "truth row")
    ('1 row', '2,997 truth rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def group_name(value: object) -> str:
    """Return a value of a break-down column as text."""
    return "(none)" if value is None else str(value)


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


def rows_of(finding: Finding) -> str:
    """Say which rows a finding is about.

    Examples
    --------
    >>> rows_of(Finding("x", "info", "", (1, 5), 9, ""))
    'rows 1, 5, … (9 in all)'
    """
    if not finding.rows:
        return ""
    numbers = ", ".join(f"{row:,}" for row in finding.rows)
    noun = "row" if finding.count == 1 else "rows"
    more = f", … ({finding.count:,} in all)" if finding.count > len(finding.rows) else ""
    return f"{noun} {numbers}{more}"


def tally(findings: Sequence[Finding]) -> str:
    """Count findings by severity.

    Examples
    --------
    >>> tally([]), tally([Finding("x", "info", "", (), 2, "")])
    ('none', '1 note')
    """
    nouns = {"error": "error", "warning": "warning", "info": "note"}
    counts = [
        (sum(found.severity == severity for found in findings), noun)
        for severity, noun in nouns.items()
    ]
    return ", ".join(counted(n, noun) for n, noun in counts if n) or "none"


def names(result: Evaluation) -> tuple[str, str]:
    """Return the names of the predictions and of the truth."""
    found = [str(result.inputs.get(key, {}).get("name", key)) for key in ("predictions", "truth")]
    return found[0], found[1]


def rule(result: Evaluation) -> str:
    """Say what makes a row right."""
    scoring = result.scores.scoring
    where = {"sphere": "sphere (R = 6371 km)", "wgs84": "WGS84 ellipsoid"}[scoring.distance]
    sign = "<" if scoring.strict else "<="
    if any(found.code == "distances_only" for found in result.findings):
        return f"A row is right if the file's own distance {sign} threshold; nothing is measured."
    return f"A row is right if distance {sign} threshold, on the {where}."


def denominator(result: Evaluation) -> str:
    """Say what shares are taken of."""
    scores = result.scores
    answered = (
        f"{counted(scores.rows, 'truth row')}, {scores.answered:,} answered "
        f"(coverage {percent(scores.coverage)}%)"
    )
    if scores.scoring.missing == "wrong":
        return f"{answered}; missing counts as wrong."
    return f"{answered}. MISSING ANSWERS ARE EXCLUDED: shares are of answered rows only."


def unanswered(result: Evaluation) -> str:
    """Say what the rows without an answer have instead, and what they count as."""
    rest = (
        f"{result.refused:,} refused, {result.unreadable:,} unreadable, {result.missing:,} missing"
    )
    if result.scores.scoring.missing == "wrong":
        return f"Without an answer: {rest}; all of them count as wrong."
    return f"Without an answer: {rest}; none of them is in the denominator."


def failure(result: Evaluation) -> tuple[str, ...]:
    """Say that nothing was scored, where that is so, and why."""
    if result.scores.answered or not result.rows:
        return ()
    errors = [found for found in result.findings if found.severity == "error"]
    why = f" {sentence(errors[0].message)}" if errors else ""
    return (f"NOTHING WAS SCORED: no truth row has a valid answer.{why}",)


def method(result: Evaluation) -> str:
    """Say what the intervals are."""
    options = result.options
    kind = f"Intervals: {100 * options.confidence:g}%"
    if options.cluster is None:
        return f"{kind}, Wilson; rows are taken to be independent."
    codes = result.scores.codes.get(options.cluster)
    clusters = f"{len(codes.values):,} clusters" if codes else "clusters"
    return f"{kind}, bootstrap over {clusters} of {options.cluster!r} (seed {options.seed})."


def interval_name(result: Evaluation) -> str:
    """Return what the intervals are called, such as 95% interval."""
    return f"{100 * result.options.confidence:g}% interval"
