"""The whole paper in small, on this machine, in minutes: ``georl demo``.

    data -> SFT -> GRPO -> predictions -> evaluation

A million-parameter Qwen2.5-VL learns to say where on Earth a crop of Blue Marble lies. Besides
the main line it repeats the paper's questions on the same held-out places: Chain of Region
against coordinates alone, random against hard places for SFT and for RL, GRPO against SFT. It
prints what came out, whichever way.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata import evaluation, popular
from geodata.files import replacing, write_text
from georl import predict, rewards, world
from georl.config import Config, dump, load
from georl.metrics_log import METRICS, JsonLines

THRESHOLDS_KM = (25, 200, 750, 2500)

LOCALIZED_KM = 100.0
"""A place counts as localized by the SFT model within this distance ..."""

POPULAR_PLACES, EXCLUSION_KM = 60, 200.0
"""... so many of those are drawn as popular, and the hard pool keeps this far from them."""

HELD_OUT_SEED = 1_000_003

SAMPLES = 2
"""Answers sampled to each held-out place to measure what GRPO raises, the sampled reward."""


class DemoError(ValueError):
    """A training run of the demo stopped: carries the end of its log."""


@dataclass(frozen=True)
class Sizes:
    """How long the demo takes."""

    pool: int = 20_000
    held_out: int = 512
    sft_steps: int = 450
    grpo_steps: int = 140
    answers: int = 256


QUICK = Sizes(pool=6_000, held_out=256, sft_steps=120, grpo_steps=12, answers=128)


@dataclass(frozen=True)
class Arm:
    """One training run of the comparison."""

    name: str
    title: str
    task: str
    places: str
    """'random' or 'hard'."""
    prompt: str = "cor"
    start: str | None = None
    """The arm whose final model it starts from."""


MAIN = (
    Arm("sft-cor", "SFT, Chain of Region, random places", "sft", "random"),
    Arm("grpo-random", "+ GRPO on random places", "grpo", "random", start="sft-cor"),
)
QUESTIONS = (
    Arm("sft-location", "SFT, coordinates only, random places", "sft", "random", prompt="location"),
    Arm("sft-hard", "SFT, Chain of Region, hard places", "sft", "hard"),
    Arm("grpo-hard", "+ GRPO on hard places", "grpo", "hard", start="sft-cor"),
)


def run(
    output: Path,
    *,
    seed: int = 0,
    quick: bool = False,
    workers: int = 2,
    sizes: Sizes | None = None,
) -> str:
    """Train, predict, evaluate; write everything into ``output`` and return the report.

    Parameters
    ----------
    output
        Folder; a second start goes on where the first was stopped.
    seed
        Decides places, weights and draws.
    quick
        The main line only, much shorter: a rising curve within about a minute.
    workers
        Training runs side by side, the cores shared between them.
    sizes
        Places and steps; by default the full demo's, or the quick one's.
    """
    started = time.perf_counter()
    sizes = sizes or (QUICK if quick else Sizes())
    (output / "data").mkdir(parents=True, exist_ok=True)
    truth = _places(output, "held-out", sizes.held_out, HELD_OUT_SEED + seed)
    _places(output, "random", sizes.pool, seed)
    arms = MAIN if quick else MAIN + QUESTIONS
    waves = [[a for a in arms if a.start is None and a.places == "random"]]
    waves.append([arm for arm in arms if arm not in waves[0]])
    for number, wave in enumerate(waves):
        if number == 1 and not quick:
            _hard_places(output, sizes, seed)
        with ThreadPoolExecutor(max(1, workers)) as pool:
            for arm in pool.map(lambda a: _train(a, output, sizes, seed, workers), wave):
                print(f"[{time.perf_counter() - started:4.0f} s] {arm.title}: done", flush=True)
    scores = {arm.name: _score(arm, output, truth, sizes) for arm in arms}
    plot(output, arms)
    report = _report(output, arms, scores, time.perf_counter() - started)
    write_text(output / "report.md", report)
    return report


def arm_config(arm: Arm, output: Path, sizes: Sizes, seed: int) -> Config:
    """Return the run of an arm."""
    given = [
        f"task={arm.task}",
        f"seed={seed}",
        f"output={output / arm.name}",
        f"data.places={output / 'data' / arm.places}.parquet",
        "data.question=Where?",
        f"data.prompt={arm.prompt}",
        "data.levels=[country]",
        "data.decimals=1",
        "data.round_degrees=1",
        "train.adam_beta2=0.95",
    ]
    if arm.task == "sft":
        steps = [f"train.max_steps={sizes.sft_steps}", "train.warmup_steps=30"]
        return load(None, [*given, *steps, "train.learning_rate=3e-3", "train.weight_decay=0.01"])
    model = output / str(arm.start) / "final"
    batch = [f"train.batch={sizes.answers}", f"train.per_device={sizes.answers}"]
    steps = [f"train.max_steps={sizes.grpo_steps}", "train.logging_steps=2"]
    pace = [
        "train.learning_rate=3e-5",
        "train.schedule=constant_with_warmup",
        "train.warmup_steps=5",
    ]
    return load(None, [*given, *batch, *steps, *pace, f"model.name={model}", "grpo.max_tokens=40"])


def _places(output: Path, name: str, rows: int, seed: int) -> Path:
    path = output / "data" / f"{name}.parquet"
    if not path.is_file():
        _write(path, world.photos(rows, seed))
    return path


def _write(path: Path, table: pa.Table) -> None:
    with replacing(path) as beside:
        pq.write_table(table, beside)


def _train(arm: Arm, output: Path, sizes: Sizes, seed: int, workers: int) -> Arm:
    """Run one arm in a process of its own; its output goes to log.txt beside its model."""
    final = output / arm.name / "final" / "COMPLETE"
    if final.is_file():
        return arm
    config = output / "data" / f"{arm.name}.yaml"
    write_text(config, dump(arm_config(arm, output, sizes, seed)))
    threads = str(max(1, (os.cpu_count() or 1) // max(1, workers)))
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "TRANSFORMERS_VERBOSITY": "error"}
    log = output / "data" / f"{arm.name}.log"
    with log.open("w", encoding="utf-8") as file:
        command = [sys.executable, "-m", "georl.cli", arm.task, str(config)]
        done = subprocess.run(command, env=environment, stdout=file, stderr=file, check=False)
    if done.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        msg = f"{arm.name} stopped with status {done.returncode}; the end of {log}:\n{tail}"
        raise DemoError(msg)
    return arm


def _predict(
    arm: Arm, output: Path, places: str, target: Path, sizes: Sizes, sample: int | None = None
) -> pa.Table:
    """Return the answers of an arm, greedy, or sampled at temperature 1 with a seed."""
    if not target.is_file():
        base = arm_config(arm, output, sizes, 0)
        settings = [
            f"data.places={output / 'data' / places}.parquet",
            f"predict.output={target}",
            "predict.batch=256",
            "predict.max_tokens=40",
            f"model.name={output / arm.name / 'final'}",
        ]
        if sample is not None:
            settings += ["predict.temperature=1.0", f"seed={sample}"]
        kept = [f"data.prompt={base.data.prompt}", f"data.question={base.data.question}"]
        predict.predict(load(None, ["task=predict", *kept, *settings]))
    return pq.read_table(target)


def _hard_places(output: Path, sizes: Sizes, seed: int) -> None:
    """Write the pool without what lies near places that the SFT model localizes."""
    path = output / "data" / "hard.parquet"
    if path.is_file():
        return
    pool = pq.read_table(output / "data" / "random.parquet")
    probe = pool.slice(0, 1000)
    _write(output / "data" / "probe.parquet", probe)
    found = _predict(MAIN[0], output, "probe", output / "data" / "probe-answers.parquet", sizes)
    good = np.flatnonzero(_distances(found, probe) <= LOCALIZED_KM)
    chosen = np.random.default_rng(seed).permutation(good)[:POPULAR_PLACES]
    _write(path, popular.exclude(pool, probe.take(pa.array(chosen)), EXCLUSION_KM))


def _distances(answers: pa.Table, truth: pa.Table) -> np.ndarray[Any, np.dtype[np.float64]]:
    from geodata import sphere

    lat, lon = (pc.fill_null(answers[axis], float("nan")).to_numpy() for axis in ("lat", "lon"))
    return sphere.haversine_km(lat, lon, truth["lat"].to_numpy(), truth["lon"].to_numpy())


@dataclass(frozen=True)
class Score:
    """What the greedy answers of an arm are worth on the held-out places."""

    median_km: float
    accuracy: dict[float, float]
    reward: float
    """Mean of Geo-R's reward over the greedy answers."""
    sampled: np.ndarray[Any, np.dtype[np.float64]]
    """Reward of answers sampled at temperature 1, (held-out places,), the mean of `SAMPLES`."""


def _score(arm: Arm, output: Path, truth: Path, sizes: Sizes) -> Score:
    target = output / arm.name / "predictions.parquet"
    answers = _predict(arm, output, "held-out", target, sizes)
    result = evaluation.evaluate(target, truth, THRESHOLDS_KM)
    write_text(output / arm.name / "evaluation.json", result.to_json())
    table = pq.read_table(truth)
    earned = _earned(answers, table)
    drawn = [
        _predict(arm, output, "held-out", output / arm.name / f"sampled-{k}.parquet", sizes, k)
        for k in range(SAMPLES)
    ]
    sampled = np.mean([_earned(answer, table) for answer in drawn], axis=0)
    accuracy = {float(km): float(share or 0.0) for km, share in result.accuracy.items()}
    return Score(float(result.median_km or np.nan), accuracy, float(earned.mean()), sampled)


def _earned(answers: pa.Table, truth: pa.Table) -> np.ndarray[Any, np.dtype[np.float64]]:
    texts = [text or "" for text in answers["answer"].to_pylist()]
    lat, lon = truth["lat"].to_pylist(), truth["lon"].to_pylist()
    return np.array(rewards.geo_r(texts, lat, lon))


def _report(output: Path, arms: tuple[Arm, ...], scores: dict[str, Score], seconds: float) -> str:
    heads = " | ".join(f"@{t} km" for t in THRESHOLDS_KM)
    lines = [
        f"# georl demo: {seconds:.0f} s",
        "",
        f"| run | median km | {heads} | reward, greedy | reward, sampled |",
        "|---" * (4 + len(THRESHOLDS_KM)) + "|",
    ]
    for arm in arms:
        score = scores[arm.name]
        shares = " | ".join(f"{score.accuracy[t]:.3f}" for t in THRESHOLDS_KM)
        mean = f"{score.reward:.3f} | {score.sampled.mean():.3f}"
        lines.append(f"| {arm.title} | {score.median_km:.0f} | {shares} | {mean} |")
    lines.append("")
    for arm in arms:
        if arm.start is not None:
            gain = scores[arm.name].sampled - scores[arm.start].sampled
            error = gain.std() / len(gain) ** 0.5
            lines.append(
                f"Sampled reward on held-out places, {arm.name}: {gain.mean():+.3f} "
                f"(standard error {error:.3f})"
            )
    lines += ["", *_findings(output, arms)]
    lines += [
        "",
        f"Curves: {output / 'curves.png'}. Each run: {output}/NAME/metrics.jsonl, evaluation.json.",
    ]
    return "\n".join(lines) + "\n"


QUESTIONS_ASKED = (
    ("Chain of Region against coordinates only (SFT)", "sft-cor", "sft-location"),
    ("random against hard places (SFT)", "sft-cor", "sft-hard"),
    ("hard against random places (GRPO)", "grpo-hard", "grpo-random"),
    ("GRPO against SFT", "grpo-random", "sft-cor"),
)


def _findings(output: Path, arms: tuple[Arm, ...]) -> list[str]:
    """Return each question with the paired difference at 200 km and its 95% interval."""
    names = {arm.name for arm in arms}
    lines = ["Difference of accuracy at 200 km, paired, with its 95% interval:"]
    for question, ours, theirs in QUESTIONS_ASKED:
        if {ours, theirs} <= names:
            lines.append(f"- {question}: {_difference(output, ours, theirs)}")
    return lines


def _difference(output: Path, ours: str, theirs: str) -> str:
    files = [output / name / "predictions.parquet" for name in (ours, theirs)]
    compared = evaluation.compare(files[0], files[1], output / "data" / "held-out.parquet")
    at = next(pair for pair in compared.paired if pair.threshold_km == 200)
    spread = at.difference
    if spread is None:
        return "no rows in common"
    sure = "yes" if spread.low > 0 else "no, the other way" if spread.high < 0 else "not told apart"
    return f"{spread.value:+.3f} [{spread.low:+.3f}, {spread.high:+.3f}] ({sure})"


def plot(output: Path, arms: tuple[Arm, ...]) -> Path:
    """Draw the loss of the SFT runs and the sampled reward of the GRPO runs."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6))
    for axis, task, field in ((axes[0], "sft", "loss"), (axes[1], "grpo", "reward")):
        for arm in (arm for arm in arms if arm.task == task):
            rows = JsonLines(output / arm.name / METRICS).read()
            points = [(row["step"], row[field]) for row in rows if row.get(field) is not None]
            if points:
                axis.plot(*zip(*points, strict=True), label=arm.title, linewidth=1.3)
        axis.set_xlabel("step")
        axis.set_title({"sft": "SFT loss", "grpo": "GRPO sampled reward"}[task], fontsize=10)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    figure.tight_layout()
    target = output / "curves.png"
    with replacing(target) as beside:
        figure.savefig(beside, dpi=120, format="png")
    plt.close(figure)
    return target
