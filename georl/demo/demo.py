"""The whole paper in small, on this machine, in minutes: ``georl demo``.

    data -> SFT -> GRPO -> predictions -> evaluation

A million-parameter Qwen2.5-VL learns to say where on Earth a crop of Blue Marble lies. Besides
the main line it repeats the paper's questions on the same held-out places: Chain of Region
against coordinates alone, random against hard places for SFT and for RL, GRPO against SFT. It
prints what came out, whichever way.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geodata import popular
from geodata.files import replacing, write_text
from georl import data, predict
from georl.config import load
from georl.demo import telling
from georl.demo.arms import MAIN, QUESTIONS, QUICK, Arm, Sizes, arm_config
from georl.demo.runs import Job, no_bars_of_others, train_all

LOCALIZED_KM = 100.0
"""A place counts as localized by the SFT model within this distance ..."""

POPULAR_PLACES, EXCLUSION_KM = 60, 200.0
"""... so many of those are drawn as popular, and the hard pool keeps this far from them."""

HELD_OUT_SEED = 1_000_003

SAMPLES = 2
"""Answers sampled to each held-out place to measure what GRPO raises, the sampled reward."""


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
        Folder; a second start goes on where the first was stopped, and one with other settings is
        refused.
    seed
        Decides places, weights and draws.
    quick
        The main line only, much shorter: a rising curve within about two minutes.
    workers
        Training runs side by side, the cores shared between them.
    sizes
        Places and steps; by default the full demo's, or the quick one's.

    Examples
    --------
    >>> print(run(Path("demo"), quick=True))  # doctest: +SKIP
    """
    started = time.perf_counter()
    sizes = sizes or (QUICK if quick else Sizes())
    arms = MAIN if quick else MAIN + QUESTIONS
    scores = scored(output, arms, sizes, seed=seed, workers=workers)
    telling.plot(output, arms)
    parts = telling.parts(output, arms, scores)
    title = telling.title(time.perf_counter() - started)
    text = telling.markdown(title, parts)
    write_text(output / "report.md", text)
    write_text(output / "report.html", telling.html_page(title, parts))
    return text


def scored(
    output: Path, arms: Sequence[Arm], sizes: Sizes, *, seed: int = 0, workers: int = 2
) -> dict[str, telling.Score]:
    """Train the arms and score their answers to the held-out places.

    Parameters
    ----------
    output, sizes, seed, workers
        As for `run`.
    arms
        ``MAIN``, or more of them; the first is what others start from.

    Returns
    -------
    dict
        Name of the arm -> its score.

    Examples
    --------
    >>> from georl.demo import MAIN, Sizes
    >>> sizes = Sizes(pool=500, held_out=64, sft_steps=20, grpo_steps=4)
    >>> scores = scored(Path("demo"), MAIN, sizes)  # doctest: +SKIP
    >>> sorted(scores)  # doctest: +SKIP
    ['grpo-random', 'sft-cor']
    """
    started = time.perf_counter()
    no_bars_of_others()
    (output / "data").mkdir(parents=True, exist_ok=True)
    truth = _places(output, "held-out", sizes.held_out, HELD_OUT_SEED + seed)
    _places(output, "random", sizes.pool, seed)
    first, *rest = arms  # all others wait for it, so it gets every core; then the longest first
    rest.sort(key=lambda arm: arm.task)
    train_all([_job(first, output, sizes, seed)], workers, started)
    if any(arm.places == "hard" for arm in arms):
        _hard_places(output, sizes, seed)
    train_all([_job(arm, output, sizes, seed) for arm in rest], workers, started)
    return {arm.name: _score(arm, output, truth, sizes) for arm in arms}


def _job(arm: Arm, output: Path, sizes: Sizes, seed: int) -> Job:
    return Job(arm.name, arm.title, arm_config(arm, output, sizes, seed))


def _places(output: Path, name: str, rows: int, seed: int) -> Path:
    path = output / "data" / f"{name}.parquet"
    if not path.is_file():
        _write(path, data.world_photos(rows, seed))
    return path


def _write(path: Path, table: pa.Table) -> None:
    with replacing(path) as beside:
        pq.write_table(table, beside)


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
    good = np.flatnonzero(telling.distances(found, probe) <= LOCALIZED_KM)
    chosen = np.random.default_rng(seed).permutation(good)[:POPULAR_PLACES]
    _write(path, popular.exclude(pool, probe.take(pa.array(chosen)), EXCLUSION_KM))


def _score(arm: Arm, output: Path, truth: Path, sizes: Sizes) -> telling.Score:
    """Answer the held-out places greedily, and where GRPO is concerned also by sampling."""
    folder = output / arm.name
    _predict(arm, output, "held-out", folder / telling.PREDICTIONS, sizes)
    draws = range(SAMPLES if arm in MAIN or arm.task == "grpo" else 0)
    files = [folder / f"sampled-{k}.parquet" for k in draws]
    drawn = [_predict(arm, output, "held-out", file, sizes, k) for k, file in enumerate(files)]
    return telling.score(folder, truth, drawn)
