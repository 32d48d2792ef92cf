"""The ablation table of GLOBE as the demo found it: scores, rewards, differences, the judge."""

from __future__ import annotations

import html
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata import evaluation
from geodata.evaluation import PredictionError
from georl import rewards
from georl.calibration import Bin, document, grid, reliability_svg
from georl.demo import telling
from georl.demo.globe_arms import BASE, TRAINED, GlobeArm

THRESHOLDS_KM = (25.0, 200.0)
TRUTH = ("lat", "lon", "country", "city")
ARMS = (BASE, *TRAINED)

QUESTIONS = (
    ("SFT against the base", "sft", "base"),
    ("accuracy reward against the base", "accuracy", "base"),
    ("+ localizability against accuracy only", "localizability", "accuracy"),
    ("all three against accuracy only", "all", "accuracy"),
)

REWARDS = ("place_accuracy", "localizability", "visual_grounding", "think_format")


@dataclass(frozen=True)
class ArmScore:
    """What the names of an arm are worth on one seed's held-out photos."""

    within: dict[str, list[float]]
    """Threshold in km, as text -> share, and its 95% interval, in [0, 1]."""
    country: float
    city: float
    answered: float
    """Share of photos with an answer that is a place."""
    earned: dict[str, float | None]
    """Mean of each reward over the greedy answers; None where it gave no verdict."""


@dataclass(frozen=True)
class Found:
    """What one seed found."""

    seed: int
    judge: dict[str, Any]
    """The calibration, see `georl.calibration.Calibration`."""
    scores: dict[str, ArmScore]
    differences: dict[str, dict[str, list[float] | None]]


def arm_score(
    scored: evaluation.Evaluation, named: tuple[float, float], earned: dict[str, float | None]
) -> ArmScore:
    """Return what the report needs of an evaluation; ``named`` is of `names_right`."""
    within = {}
    for km, share in scored.accuracy.items():
        span = scored.intervals[km]
        assert span is not None
        assert share is not None
        within[f"{km:g}"] = [share, span.low, span.high]
    return ArmScore(within, *named, scored.coverage or 0.0, earned)


def names_right(
    texts: Sequence[str | None], country: Sequence[str | None], city: Sequence[str | None]
) -> tuple[float, float]:
    """Return the shares of answers with the right country, and with the right city in it.

    The truth is the names of the photos, not labels of their coordinates, which name suburbs.

    Examples
    --------
    >>> names_right(["country: USA, city: NYC", "country: US"], ["US"] * 2, ["New York"] * 2)
    (1.0, 0.5)
    """
    shares = []
    for alpha in (0.0, 1.0):
        each = rewards.place_accuracy(texts, country, city, alpha=alpha)
        shares.append(statistics.mean(value or 0.0 for value in each))
    return shares[0], shares[1]


def difference(ours: Path, theirs: Path, truth: Path) -> dict[str, list[float] | None]:
    """Return the paired difference at each threshold with its 95% interval, missing is wrong."""
    try:
        compared = evaluation.compare(ours, theirs, truth, text="answer")
    except PredictionError:
        return {f"{km:g}": None for km in THRESHOLDS_KM}
    found: dict[str, list[float] | None] = {}
    for pair in compared.on_all or compared.paired:
        if pair.threshold_km in THRESHOLDS_KM:
            spread = pair.difference
            shown = None if spread is None else [spread.value, spread.low, spread.high]
            found[f"{pair.threshold_km:g}"] = shown
    return found


def over_seeds(values: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean of values and its 95% interval.

    Parameters
    ----------
    values
        Of each seed: the value, and the interval around it on its own photos.

    Returns
    -------
    list of float
        Mean, low, high: of one seed its own interval, of several Student's t over the seeds.

    Examples
    --------
    >>> over_seeds([[0.5, 0.4, 0.6]]), [round(v, 3) for v in over_seeds([[0.4], [0.5], [0.6]])]
    ([0.5, 0.4, 0.6], [0.5, 0.252, 0.748])
    """
    if len(values) == 1:
        return list(values[0])
    found = telling.over_seeds([value[0] for value in values])
    return [found.value, found.low, found.high]


def markdown(found: Sequence[Found]) -> str:
    """Return the report as Markdown, readable in 80 columns."""
    lines = [f"# GLOBE in small: {_seeds(found)}", "", *_table(*_accuracy(found)), ""]
    lines += [
        "What greedy answers earn, and the paper's own rows (7B, photos; not comparable):",
        "",
    ]
    lines += [*_table(*_earnings(found)), "", *_paired(found), "", *_judges(found), "", *_read()]
    return "\n".join(lines) + "\n"


def page(found: Sequence[Found]) -> str:
    """Return the report as one HTML page, with the reliability curve of each judge."""
    parts = [grid(*_accuracy(found)), "<h2>What greedy answers earn</h2>", grid(*_earnings(found))]
    parts += ["<h2>Differences</h2>", *_paragraphs(_paired(found))]
    parts += ["<h2>The reward model</h2>", *_paragraphs(_judges(found))]
    for one in found:
        bins = [Bin(**each) for each in one.judge["bins"]]
        parts += [f"<h3>Reliability, seed {one.seed}</h3>", reliability_svg(bins)]
    parts += ["<h2>How to read it</h2>", *_paragraphs(_read())]
    return document(f"GLOBE in small: {_seeds(found)}", "\n".join(parts))


Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]


def _seeds(found: Sequence[Found]) -> str:
    numbers = ", ".join(str(one.seed) for one in found)
    return f"seed {numbers}" if len(found) == 1 else f"{len(found)} seeds ({numbers})"


def _accuracy(found: Sequence[Found]) -> Rows:
    head = ("run", *(f"% @{km:g} km [95%]" for km in THRESHOLDS_KM), "country", "city")
    lines = []
    for arm in ARMS:
        scores = [one.scores[arm.name] for one in found]
        cells = [
            _percent(over_seeds([score.within[f"{km:g}"] for score in scores]))
            for km in THRESHOLDS_KM
        ]
        named = zip(*((score.country, score.city) for score in scores), strict=True)
        regions = [f"{100 * statistics.mean(values):.1f}" for values in named]
        lines.append((arm.title, *cells, *regions))
    return head, lines


def _earnings(found: Sequence[Found]) -> Rows:
    head = ("run", "place", "localiz.", "visual", "format", "paper @25 / @200")
    lines = []
    for arm in ARMS:
        scores = [one.scores[arm.name] for one in found]
        cells = [_mean([score.earned[name] for score in scores]) for name in REWARDS]
        lines.append((arm.title, *cells, _of_paper(arm)))
    return head, lines


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{statistics.mean(known):.3f}" if known else "-"


def _of_paper(arm: GlobeArm) -> str:
    return "" if arm.paper is None else " / ".join(f"{value:.2f}" for value in arm.paper)


def _percent(values: Sequence[float]) -> str:
    mean, low, high = (100 * value for value in values)
    return f"{mean:.1f} [{max(low, 0.0):.1f}, {min(high, 100.0):.1f}]"


def _paired(found: Sequence[Found]) -> list[str]:
    over = "95% over seeds" if len(found) > 1 else "95% over photos"
    lines = [f"Paired differences in points, a missing answer is wrong, {over}:"]
    for name, _, _ in QUESTIONS:
        told = []
        for km in THRESHOLDS_KM:
            each = [one.differences[name].get(f"{km:g}") for one in found]
            known = [value for value in each if value is not None]
            told.append(f"@{km:g} km {_points(over_seeds(known)) if known else 'none in common'}")
        lines += [f"- {name}:", f"  {'; '.join(told)}"]
    return lines


def _points(values: Sequence[float]) -> str:
    mean, low, high = (100 * value for value in values)
    sure = "more" if low > 0 else "less" if high < 0 else "not told apart"
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}] {sure}"


def _judges(found: Sequence[Found]) -> list[str]:
    lines = ["The reward model on photos that it has not seen:"]
    for one in found:
        judge, steps = one.judge, one.judge["by_step"]
        if judge["auc"] is None:
            lines.append(f"- seed {one.seed}: no verdict that could be measured")
            continue
        sea = steps.get("localizable", {}).get("auc")
        shown = "-" if sea is None else f"{sea:.3f}"
        lines += [
            f"- seed {one.seed}: AUC kept against dropped {judge['auc']:.3f}, land against open",
            f"  sea and cloud {shown}; ECE {judge['ece']:.3f}; {judge['rows']} rows",
        ]
    return lines


def _read() -> list[str]:
    return [
        "The photos are crops of Blue Marble around 32 cities, the reasonings are written",
        "by rules, the models have under a million parameters: what is tested here is the",
        "path, not the paper's claims. A base that has learnt the answers' form stands in",
        "for Qwen2.5-VL-7B, and every other row is trained from it on the same photos.",
    ]


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    rows = [head, ["---"] * len(head), *lines]
    return [f"| {' | '.join(row)} |" for row in rows]


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """Return the lines as HTML: items where they begin with a dash, else sentences."""
    text = "\n".join(lines).replace("\n  ", " ")
    items = [line for line in text.splitlines() if line.startswith("- ")]
    said = " ".join(line for line in text.splitlines() if not line.startswith("- "))
    listed = "".join(f"<li>{html.escape(item[2:])}</li>" for item in items)
    return [f"<p>{html.escape(said)}</p>", f"<ul>{listed}</ul>" if items else ""]
