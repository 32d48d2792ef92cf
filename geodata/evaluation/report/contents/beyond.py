"""What a report says of several answers a photo and of a confidence."""

from __future__ import annotations

from geodata.evaluation.report.words import (
    NONE,
    Section,
    Table,
    between,
    km,
    percent,
    shown_thresholds,
    threshold,
)
from geodata.evaluation.scores import COVERAGES, CandidateScores, Confidence, Evaluation

WAYS = {
    "first": "the first",
    "best": "the most confident",
    "medoid": "the medoid",
    "vote": "vote by region",
    "oracle": "oracle, the best",
}
LEVELS = {"city": "city", "admin1": "region (admin1)", "country": "country"}


def sections(result: Evaluation) -> list[Section]:
    """Return the sections on candidates and confidence, those that there are."""
    thresholds = shown_thresholds(result.scores.scoring.thresholds_km)
    found = []
    if result.candidates is not None:
        found.append(_candidates(result.candidates, thresholds))
    if result.confidence is not None:
        found.append(_confidence(result.confidence, thresholds))
    return found


def _candidates(found: CandidateScores, thresholds: tuple[float, ...]) -> Section:
    least = f"{found.k_min} to " if found.k_min != found.k else ""
    head = ("answer taken", *map(threshold, thresholds))
    lines = [
        (WAYS[way], *(percent(shares[t]) for t in thresholds))
        for way, shares in found.accuracy.items()
    ]
    at = thresholds[len(thresholds) // 2]
    ends = [
        (WAYS[way], percent(shares[at]), between(found.intervals[way][at]))
        for way, shares in found.accuracy.items()
    ]
    about = (
        "The medoid is the answer nearest to all others; the vote takes the country, region and "
        "city that most answers lie in; the oracle knows the truth."
    )
    tables = [
        Table(head, lines, title="% of rows within"),
        Table(("answer taken", "right %", "interval"), ends, title=f"Within {threshold(at)}"),
    ]
    return Section("candidates", f"{least}{found.k} answers a photo", about, tables)


def _confidence(found: Confidence, thresholds: tuple[float, ...]) -> Section:
    curve = found.curve
    head = ("coverage", *map(threshold, thresholds))
    lines = [
        (f"{100 * coverage:g}%", *(percent(curve.accuracy_at(coverage, t)) for t in thresholds))
        for coverage in COVERAGES
    ]
    area = ("AURC", *(percent(curve.aurc[t]) for t in thresholds))
    notes = ["AURC: mean share of wrong answers over all coverages, % of answers; less is better."]
    tables = [
        Table(head, [*lines, area], title="Right among the surest answers, %", notes=notes),
        *_radii(found),
        *_levels(found),
    ]
    about = f"By {curve.source}. Radii and bars are learnt on half of the answers and measured on "
    return Section("confidence", "What the confidence is worth", f"{about}the other half.", tables)


def _radii(found: Confidence) -> list[Table]:
    if not found.radii:
        return []
    head = ("to hold", "radius, km", "held %", "surest, km", "least sure, km", "held % by part")
    lines = [
        (f"{100 * one.level:g}%", km(one.conformal_km), percent(one.covered, 1),
         km(one.calibrated_km[-1]), km(one.calibrated_km[0]), percent(one.calibrated_covered, 1))
        for one in found.radii
    ]  # fmt: skip
    parts = len(found.radii[0].calibrated_km)
    notes = [
        f"One conformal radius for all, then one for each of {parts} parts by confidence; "
        f"measured on {found.radii[0].held_out:,} answers."
    ]
    return [Table(head, lines, title="How large a radius must be", notes=notes)]


def _levels(found: Confidence) -> list[Table]:
    if not found.back_off:
        return []
    head = ("answer down to", "confidence from", "of rows %", "right %")
    lines = [
        (LEVELS[one.level], NONE if one.bar is None else f"{one.bar:.4g}", percent(one.share, 1),
         percent(one.precision, 1))
        for one in found.back_off
    ]  # fmt: skip
    rest = 1 - sum(one.share for one in found.back_off)
    lines.append(("no answer", NONE, percent(rest, 1), NONE))
    target = f"{100 * found.back_off[0].target:g}%"
    notes = [f"Bars are set so that {target} of the answers given at a level are right there."]
    return [Table(head, lines, title="How far down it may answer", notes=notes)]
