"""What the demo found: scores of every arm, paired differences, curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geodata import answers, evaluation, sphere
from geodata.evaluation import PredictionError
from geodata.files import write_text
from georl import rewards
from georl.demo.arms import Arm
from georl.demo.telling import pictures, verdict
from georl.demo.telling.page import Part, Picture, Points, Table
from georl.run import METRICS, THRESHOLDS_KM, JsonLines, save_figure

PREDICTIONS = "predictions.parquet"

QUESTIONS_ASKED = (
    ("Chain of Region against coordinates only (SFT)", "sft-cor", "sft-location"),
    ("random against hard places (SFT)", "sft-cor", "sft-hard"),
    ("hard against random places (GRPO)", "grpo-hard", "grpo-random"),
    ("GRPO against SFT", "grpo-random", "sft-cor"),
)


@dataclass(frozen=True)
class Score:
    """What the answers of an arm are worth on the held-out places."""

    median_km: float
    accuracy: dict[float, float]
    reward: float
    """Mean of Geo-R's reward over the greedy answers."""
    sampled: NDArray[np.float64] | None
    """Reward of answers sampled at temperature 1, (held-out places,), their mean; or None."""
    km: NDArray[np.float64]
    """Error of each greedy answer, (held-out places,); infinite without an answer."""


def score(folder: Path, truth: Path, sampled: Sequence[pa.Table]) -> Score:
    """Evaluate the greedy answers in ``folder``, write evaluation.json, reward the sampled ones."""
    result = evaluation.evaluate(folder / PREDICTIONS, truth, THRESHOLDS_KM)
    write_text(folder / "evaluation.json", result.to_json())
    table = pq.read_table(truth)
    earned = [earned_rewards(drawn, table) for drawn in sampled]
    greedy = pq.read_table(folder / PREDICTIONS)
    km = distances(greedy, table)
    return Score(
        np.nan if result.median_km is None else result.median_km,
        {float(km): float(share or 0.0) for km, share in result.accuracy.items()},
        float(earned_rewards(greedy, table).mean()),
        np.mean(earned, axis=0) if earned else None,
        np.where(np.isnan(km), np.inf, km),
    )


def distances(said: pa.Table, truth: pa.Table) -> NDArray[np.float64]:
    """Return the error of each answer in km, (rows,); NaN without one. Rows are in one order."""
    lat, lon = (pc.fill_null(said[axis], float("nan")).to_numpy() for axis in ("lat", "lon"))
    return sphere.haversine_km(lat, lon, truth["lat"].to_numpy(), truth["lon"].to_numpy())


def earned_rewards(said: pa.Table, truth: pa.Table) -> NDArray[np.float64]:
    """Return Geo-R's reward of each answer, (rows,)."""
    lat, lon = truth["lat"].to_pylist(), truth["lon"].to_pylist()
    return np.array(rewards.geo_r(said["answer"].to_pylist(), lat, lon))


def title(seconds: float) -> str:
    """Return the heading of the report."""
    return f"georl demo: {seconds:.0f} s"


def parts(output: Path, arms: Sequence[Arm], scores: dict[str, Score]) -> list[Part]:
    """Return the report: verdict, picture, scores, gains, the paper's questions, where to look."""
    heads = [f"@{t} km" for t in THRESHOLDS_KM]
    curves = [_curve_line(output, arm) for arm in arms if arm.task == "grpo"]
    return [
        _verdict(output, arms, scores),
        _learnt(output, arms, scores),
        Table(
            ["run", "median km", *heads, "reward, greedy", "reward, sampled"],
            [_score_line(arm, scores[arm.name]) for arm in arms],
        ),
        Points("Sampled reward while training, from the first steps to the last:", curves),
        Points("On held-out places, with 95% intervals:", _gains(arms, scores)),
        Points("Difference of accuracy at 200 km, paired, with its 95% interval:",
               _findings(output, arms)),
        f"Curves: {output / 'curves.png'}. Each run: {output}/NAME/metrics.jsonl, evaluation.json, "
        f"predictions.parquet. Compare any two: geodata compare {output}/A/{PREDICTIONS} "
        f"{output}/B/{PREDICTIONS} --truth {output}/data/held-out.parquet",
    ]  # fmt: skip


def _compared(arms: Sequence[Arm]) -> tuple[Arm, Arm]:
    """Return the first GRPO arm behind the SFT arm that it starts from."""
    after = next(arm for arm in arms if arm.start)
    return next(arm for arm in arms if arm.name == after.start), after


def _learnt(output: Path, arms: Sequence[Arm], scores: dict[str, Score]) -> Picture:
    """Draw what SFT and GRPO reach beside an answer without looking; return the picture."""
    truth = pq.read_table(output / "data" / "held-out.parquet")
    lat, lon = truth["lat"].to_numpy(), truth["lon"].to_numpy()
    stages = []
    for name, arm in zip(("after SFT", "after GRPO"), _compared(arms), strict=True):
        found = scores[arm.name]
        assert found.sampled is not None, "both are sampled"
        said = pq.read_table(output / arm.name / PREDICTIONS, columns=["lat", "lon"])
        answer = [pc.fill_null(said[axis], float("nan")).to_numpy() for axis in ("lat", "lon")]
        ways = np.column_stack([lat, lon, *answer])
        stages.append(pictures.Stage(name, found.sampled, found.km, ways))
    best = verdict.best_single(lat, lon)
    text = answers.render(None, None, None, float(lat[best]), float(lon[best]))
    earned = np.array(rewards.geo_r([text] * len(lat), lat.tolist(), lon.tolist()))
    km = np.asarray(sphere.haversine_km(lat, lon, lat[best], lon[best]))
    light, dark = output / "learnt.png", output / "learnt-dark.png"
    for target in (light, dark):
        pictures.draw(stages, earned, km, target, dark=target == dark)
    words = (
        "Held-out reward with its standard error, shares of places within a distance, and maps "
        "of the answers, after SFT and after GRPO"
    )
    return Picture(light, dark, words)


def _verdict(output: Path, arms: Sequence[Arm], scores: dict[str, Score]) -> str:
    """Return the sentence about the first GRPO arm and the SFT arm that it starts from."""
    theirs, ours = (scores[arm.name] for arm in _compared(arms))
    assert ours.sampled is not None, "a GRPO arm is sampled"
    assert theirs.sampled is not None, "so is what it starts from"
    table = pq.read_table(output / "data" / "held-out.parquet", columns=["lat", "lon"])
    return verdict.sentence(
        float(np.median(theirs.km)),
        verdict.blind_km(table["lat"].to_numpy(), table["lon"].to_numpy()),
        verdict.rise(theirs.sampled, ours.sampled),
        verdict.median_change(theirs.km, ours.km),
    )


def _score_line(arm: Arm, found: Score) -> list[str]:
    shares = [f"{found.accuracy[t]:.3f}" for t in THRESHOLDS_KM]
    sampled = "" if found.sampled is None else f"{found.sampled.mean():.3f}"
    return [arm.title, f"{found.median_km:.0f}", *shares, f"{found.reward:.3f}", sampled]


def _curve_line(output: Path, arm: Arm) -> str:
    values = [value for _, value in curve(output, arm)]
    name = arm.title
    if len(values) < 2:
        return f"{name}: too few steps to draw"
    width = min(24, len(values))
    bins = [float(np.mean(part)) for part in np.array_split(values, width)]
    return f"{name}: {bins[0]:.3f} {sparkline(bins)} {bins[-1]:.3f}"


def sparkline(values: Sequence[float]) -> str:
    """Return the values as a line of block characters, the lowest and the highest at the ends.

    Examples
    --------
    >>> sparkline([0.0, 0.5, 1.0])
    '▁▅█'
    """
    blocks = "▁▂▃▄▅▆▇█"
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(blocks[round((v - low) / span * (len(blocks) - 1))] for v in values)


def _gains(arms: Sequence[Arm], scores: dict[str, Score]) -> list[str]:
    lines = []
    for arm in arms:
        ours, theirs = scores[arm.name].sampled, scores[arm.start].sampled if arm.start else None
        if ours is None or theirs is None:
            continue
        before, after = scores[str(arm.start)].km, scores[arm.name].km
        lines += [
            f"Sampled reward, {arm.name} minus {arm.start}: {verdict.rise(theirs, ours).text(3)}",
            f"Median error, km, {arm.name} minus {arm.start}: "
            f"{verdict.median_change(before, after).text(0)}",
        ]
    return lines


def _findings(output: Path, arms: Sequence[Arm]) -> list[str]:
    """Return each question with the paired difference at 200 km and its 95% interval."""
    names = {arm.name for arm in arms}
    lines = []
    for question, ours, theirs in QUESTIONS_ASKED:
        if {ours, theirs} <= names:
            lines.append(f"{question}: {_difference(output, ours, theirs)}")
    return lines


def _difference(output: Path, ours: str, theirs: str) -> str:
    files = [output / name / PREDICTIONS for name in (ours, theirs)]
    try:
        compared = evaluation.compare(files[0], files[1], output / "data" / "held-out.parquet")
    except PredictionError:
        return "no place is answered by both"
    # a place without an answer is wrong here, as in the table above
    at = next(pair for pair in compared.on_all or compared.paired if pair.threshold_km == 200)
    spread = at.difference
    if spread is None:
        return "no rows in common"
    sure = "yes" if spread.low > 0 else "no, the other way" if spread.high < 0 else "not told apart"
    return f"{spread.value:+.3f} [{spread.low:+.3f}, {spread.high:+.3f}] ({sure})"


def curve(output: Path, arm: Arm) -> list[tuple[int, float]]:
    """Return (step, value) of an arm: the loss of SFT, the sampled reward of GRPO."""
    field = "reward" if arm.task == "grpo" else "loss"
    rows = JsonLines(output / arm.name / METRICS).read()
    return [(row["step"], row[field]) for row in rows if row.get(field) is not None]


def plot(output: Path, arms: Sequence[Arm]) -> Path:
    """Draw the loss of the SFT arms and the sampled reward of the GRPO arms."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6))
    titles = (("sft", "SFT loss"), ("grpo", "GRPO sampled reward"))
    for axis, (task, title) in zip(axes, titles, strict=True):
        drawn = [arm for arm in arms if arm.task == task]
        for arm, colour in zip(drawn, ("#1d4e79", *pictures.LATER), strict=False):
            _draw(axis, arm.title, curve(output, arm), colour)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_xlabel("step")
        axis.set_title(title, fontsize=10)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    return save_figure(figure, output / "curves.png", dpi=120)


def _draw(axis: Any, title: str, points: list[tuple[int, float]], colour: str) -> None:
    """Draw the points faintly and their running mean over."""
    if not points:
        return
    steps, values = np.array(points).T
    window = max(1, len(values) // 8)
    kernel = np.ones(window)
    smooth = np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
    axis.plot(steps, smooth, label=title, color=colour, linewidth=1.6)
    axis.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
