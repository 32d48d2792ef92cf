"""One sentence that says how a score, a comparison or a table of models came out."""

from __future__ import annotations

from geodata.evaluation.report.words.phrases import (
    between,
    chance,
    counted,
    failure,
    km,
    percent,
    tally,
    threshold,
)
from geodata.evaluation.report.words.shown import main_threshold
from geodata.evaluation.scores import Comparison, Evaluation, Models


def of_result(result: Evaluation) -> str:
    """Say what share is right, how large errors are, and whether anything is doubtful."""
    if failure(result) or not result.rows:
        return ""
    at = main_threshold(result.scores.scoring.thresholds_km)
    noun = "truth row" if result.scores.scoring.missing == "wrong" else "answered row"
    doubts = [one for one in result.findings if one.severity != "info"]
    doubt = f"; {tally(doubts)} below" if doubts else ""
    return (
        f"{percent(result.accuracy[at], 1)}% of {counted(result.scores.denominator, noun)} are "
        f"within {threshold(at)} ({between(result.intervals[at])}%), and half of the answers "
        f"within {km(result.median_km)} km{doubt}."
    )


def of_pair(found: Comparison) -> str:
    """Say which of two files is better, or that none is shown to be."""
    at = main_threshold(found.a.scores.scoring.thresholds_km)
    pair = next(one for one in found.paired if one.threshold_km == at)
    gap = pair.difference
    ends = f"{100 * gap.low:+.1f} to {100 * gap.high:+.1f} points, p {chance(pair.p_value)}"
    if not found.rows or gap.low <= 0 <= gap.high:
        shown = f"A - B is {100 * gap.value:+.1f} ({ends})"
        return f"No difference is shown within {threshold(at)}: {shown}."
    better, worse = ("A", "B") if gap.value > 0 else ("B", "A")
    return (
        f"{better} is better than {worse} within {threshold(at)}: A - B is "
        f"{100 * gap.value:+.1f} ({ends})."
    )


def of_many(found: Models) -> str:
    """Say which model is best, and which are not told from it."""
    at = main_threshold(found.first.scores.scoring.thresholds_km)
    shares = found.accuracy if found.same_rows else found.common_accuracy
    best = sorted(found.best(shares, at))
    if not best or len(found.results) < 2:
        return ""
    level = sorted(set(found.level_with_best(at)) - set(best))
    rest = f"; not told from it: {', '.join(level)}" if level else ", and told from all others"
    if len(best) > 1:
        rest = ""
    verb = "is" if len(best) == 1 else "are"
    return (
        f"{' and '.join(best)} {verb} best within {threshold(at)} "
        f"({percent(shares[best[0]][at], 1)}% on the rows that are compared){rest}."
    )
