"""The paper's two questions where a small model can answer them: ``georl demo --science``.

The demo's own model has no geography to recall, so a chain costs it words and gives nothing, and
its pool does not saturate. Here both conditions are made, each with its control:

- chain or coordinates alone, for a model that was taught cities as text (`georl.demo.teaching`),
  and for one that was taught others;
- hard or random places in GRPO, on a pool of which most photos stand at a few places that the
  model has learnt by heart, so their answers all earn the same.

Each over several seeds, with a 95% interval over the seeds.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geodata.files import replacing, write_text
from geodata.printable import tell
from georl import data
from georl.demo import teaching, telling
from georl.demo.arms import MAIN, QUESTIONS, Sizes
from georl.demo.demo import scored
from georl.run import METRICS, JsonLines

POPULAR_SPOTS, POPULAR_SHARE, SPOT_DEGREES = 20, 0.9, 0.02
"""Nine in ten photos of the saturating pool stand within some km of one of twenty spots."""

SATURATING = Sizes(6_000, 256, sft_steps=400, grpo_steps=60, answers=128, grpo_learning_rate=1e-4)

POOL_ARMS = (*MAIN, QUESTIONS[0])
"""SFT, then GRPO on random places of the pool, and on its hard ones."""


def run_science(
    output: Path,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    workers: int = 2,
    lesson: teaching.Lesson | None = None,
    sizes: Sizes = SATURATING,
) -> str:
    """Ask both questions, write report.md and report.html into ``output``, return the Markdown.

    Parameters
    ----------
    output
        Folder; a second start goes on where the first was stopped.
    seeds
        At least two, for an interval.
    workers
        Processes side by side, one core each.
    lesson, sizes
        How much is taught; by default what fits into 20 minutes on two cores.

    Raises
    ------
    ValueError
        For fewer than two seeds.

    Examples
    --------
    >>> print(run_science(Path("georl-science")))  # doctest: +SKIP
    """
    if len(seeds) < 2:
        msg = f"{len(seeds)} seed gives no interval over seeds; ask for at least 2"
        raise ValueError(msg)
    started = time.perf_counter()
    chains = chain_errors(output / "cities", seeds, lesson or teaching.Lesson(), workers)
    pools = [pool_scores(output / f"pool-{seed}", sizes, seed, workers) for seed in seeds]
    title = f"georl demo --science: {time.perf_counter() - started:.0f} s"
    parts = telling.experiment_parts(chains, pools)
    text = telling.markdown(title, parts)
    write_text(output / "report.md", text)
    write_text(output / "report.html", telling.html_page(title, parts))
    return text


def chain_errors(
    folder: Path, seeds: Sequence[int], lesson: teaching.Lesson, workers: int
) -> list[telling.ChainErrors]:
    """Return the errors of every seed, with the knowledge and without it, taught or read."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(seed, knows) for seed in seeds for knows in (True, False)]
    started = time.perf_counter()
    waiting = [job for job in jobs if not _file(folder, *job, lesson).is_file()]
    with (
        _one_thread_each(),
        ProcessPoolExecutor(
            max(1, workers), mp_context=multiprocessing.get_context("spawn")
        ) as pool,
    ):
        running = {pool.submit(teaching.found_km, lesson, *job): job for job in waiting}
        for done in as_completed(running):
            seed, knows = running[done]
            write_text(_file(folder, seed, knows, lesson), json.dumps(done.result()))
            how = "that knows the cities" if knows else "that does not"
            seconds = time.perf_counter() - started
            tell(f"[{seconds:4.0f} s] chain or coordinates, seed {seed}, a model {how}: done")
    return [
        telling.ChainErrors(
            seed, knows, json.loads(_file(folder, seed, knows, lesson).read_text("utf-8"))
        )
        for seed, knows in jobs
    ]


def _file(folder: Path, seed: int, knows: bool, lesson: teaching.Lesson) -> Path:
    size = f"{lesson.cities}-{lesson.text_steps}-{lesson.picture_steps}"
    return folder / f"{size}-seed-{seed}-{'knows' if knows else 'control'}.json"


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started meanwhile use one thread: the matrices are small."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def pool_scores(folder: Path, sizes: Sizes, seed: int, workers: int) -> telling.PoolScores:
    """Return what GRPO gains on random and on hard places of a saturating pool."""
    places = folder / "data" / "random.parquet"
    places.parent.mkdir(parents=True, exist_ok=True)
    if not places.is_file():
        with replacing(places) as beside:
            pq.write_table(saturating(sizes.pool, seed), beside)
    with _one_thread_each():
        found = scored(folder, POOL_ARMS, sizes, seed=seed, workers=workers)
    flat = {arm.name: _flat(folder / arm.name) for arm in POOL_ARMS if arm.task == "grpo"}
    return telling.PoolScores(seed, found, flat)


def _flat(folder: Path) -> float:
    """Return the mean share of groups whose answers all earned the same."""
    rows = JsonLines(folder / METRICS).read()
    shares = [row["groups/equal"] for row in rows if row.get("groups/equal") is not None]
    return float(np.mean(shares)) if shares else float("nan")


def saturating(rows: int, seed: int) -> pa.Table:
    """Return photo places as people take them: most at a few spots, the rest all over the land.

    Parameters
    ----------
    rows
        Of the table; as `georl.data.world_photos`.
    seed
        Decides the spots and the places.
    """
    pool = data.world_photos(rows, seed)
    rng = np.random.default_rng((seed, 4))
    popular = rng.random(rows) < POPULAR_SHARE
    at = np.where(popular, rng.integers(0, POPULAR_SPOTS, rows), np.arange(rows))
    moved: dict[str, Any] = {name: pool[name].take(pa.array(at)) for name in pool.column_names}
    moved["id"] = pool["id"]
    for axis in ("lat", "lon"):
        moved[axis] = moved[axis].to_numpy() + rng.normal(0.0, SPOT_DEGREES, rows) * popular
    return pa.table(moved)
