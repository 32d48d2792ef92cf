"""Parts of the science experiments: the pool, what is kept of a seed, what a process is told."""

import json
import math
import os

import numpy as np
import pytest

from geodata import sphere
from georl import data
from georl.demo import science, teaching
from georl.demo.arms import MAIN, QUESTIONS, Sizes
from georl.demo.telling import Score
from georl.demo.telling.findings import PoolScores

LESSON = teaching.Lesson(cities=24, text_steps=4, picture_steps=3)


def errors(folder, seed, knows, km):
    """Write what a model found, as a run before would have."""
    name = f"24-4-3-seed-{seed}-{'knows' if knows else 'control'}.json"
    (folder / name).write_text(json.dumps({"chain": [km], "coordinates": [km + 1]}))


def test_the_pool_stands_at_twenty_spots_but_for_a_tenth():
    rows = 4000
    pool, plain = science.saturating(rows, 3), data.world_photos(rows, 3)
    assert pool.column_names == plain.column_names
    assert pool["id"].equals(plain["id"])
    lat, lon = pool["lat"].to_numpy(), pool["lon"].to_numpy()
    stays = (lat == plain["lat"].to_numpy()) & (lon == plain["lon"].to_numpy())
    assert abs(stays.mean() - 0.1) < 4 * math.sqrt(0.09 / rows)
    spots = np.column_stack([plain[axis].to_numpy()[:20] for axis in ("lat", "lon")])
    gaps = np.abs(np.column_stack([lat, lon])[~stays][:, None] - spots).max(-1)
    spot, gap = gaps.argmin(1), gaps.min(1)
    assert gap.max() < 0.12  # six standard deviations
    assert np.bincount(spot, minlength=20).min() > 0.7 * (~stays).sum() / 20
    off = np.column_stack([lat, lon])[~stays] - spots[spot]
    assert off.std(0) == pytest.approx([0.02, 0.02], rel=0.05)
    assert off.mean(0) == pytest.approx([0.0, 0.0], abs=0.002)
    names = plain["country"].to_pylist()
    moved = np.flatnonzero(~stays).tolist()
    assert [pool["country"][i].as_py() for i in moved] == [names[k] for k in spot]
    assert (sphere.haversine_km(lat[stays], lon[stays], spots[0, 0], spots[0, 1]) > 100).any()
    assert pool.equals(science.saturating(rows, 3))


def test_the_share_of_groups_that_are_alike_is_a_mean_over_steps(tmp_path):
    rows = [{"step": 1, "groups/equal": 0.5}, {"step": 2}, {"step": 3, "groups/equal": None},
            {"step": 4, "groups/equal": 0.0}]  # fmt: skip
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert science._flat(tmp_path) == 0.25
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n')
    assert math.isnan(science._flat(tmp_path))


@pytest.mark.parametrize("before", [None, "7"])
def test_processes_have_one_thread_each_and_this_one_keeps_its_own(monkeypatch, before):
    monkeypatch.setenv("OMP_NUM_THREADS", "x")
    if before is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", before)
    with science._one_thread_each():
        assert os.environ["OMP_NUM_THREADS"] == "1"
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_what_was_found_before_is_read_and_nothing_is_taught(tmp_path, capsys):
    for seed in (4, 5):
        for knows in (True, False):
            errors(tmp_path, seed, knows, 100.0 * seed + knows)
    found = science.chain_errors(tmp_path, (4, 5), LESSON, workers=0)
    assert [(one.seed, one.knows, one.km["chain"], one.km["coordinates"]) for one in found] == [
        (4, True, [401.0], [402.0]), (4, False, [400.0], [401.0]),
        (5, True, [501.0], [502.0]), (5, False, [500.0], [501.0]),
    ]  # fmt: skip
    assert capsys.readouterr().out == ""


def test_both_questions_of_two_seeds_end_in_one_report(tmp_path, monkeypatch):
    (tmp_path / "cities").mkdir()
    for seed in (4, 5):
        for knows in (True, False):
            errors(tmp_path / "cities", seed, knows, 100.0 * seed)
    asked = []
    some = Score(1.0, {200.0: 0.5}, 0.5, np.array([0.5]), np.array([1.0]))

    def pool(folder, sizes, seed, workers):
        asked.append((folder, sizes, seed, workers))
        arms = dict.fromkeys(("grpo-random", "grpo-hard"), some)
        return PoolScores(seed, arms, {"grpo-hard": 0.1, "grpo-random": 0.9})

    monkeypatch.setattr(science, "pool_scores", pool)
    sizes = Sizes(1, 2)
    text = science.run_science(tmp_path, seeds=(4, 5), workers=3, lesson=LESSON, sizes=sizes)
    assert asked == [(tmp_path / f"pool-{seed}", sizes, seed, 3) for seed in (4, 5)]
    assert text.startswith("# georl demo --science: ")
    assert int(text.split()[4]) < 60  # seconds
    assert (tmp_path / "report.md").read_text() == text
    assert "The chain makes no sure difference to a model" in text
    assert "<table>" in (tmp_path / "report.html").read_text()
    science.run_science(tmp_path, seeds=(4, 5), lesson=LESSON)
    assert asked[2:] == [(tmp_path / f"pool-{s}", science.SATURATING, s, 2) for s in (4, 5)]
    for seed in range(3):
        for knows in (True, False):
            errors(tmp_path / "cities", seed, knows, 100.0)
    science.run_science(tmp_path, lesson=LESSON)
    assert [seed for _, _, seed, _ in asked[4:]] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"^1 seed gives no interval over seeds; ask for at l"):
        science.run_science(tmp_path, seeds=(4,))


def test_the_pool_is_written_once_and_its_three_arms_are_scored(tmp_path, monkeypatch):
    asked = []

    def scored(folder, arms, sizes, *, seed, workers):
        asked.append((folder, arms, sizes, seed, workers, os.environ["OMP_NUM_THREADS"]))
        for arm in arms:
            (folder / arm.name).mkdir(exist_ok=True)
            (folder / arm.name / "metrics.jsonl").write_text('{"groups/equal": 0.75}\n')
        return {"some": "scores"}

    monkeypatch.setattr(science, "scored", scored)
    sizes = Sizes(30, 2)
    found = science.pool_scores(tmp_path / "a" / "b", sizes, 6, 3)
    arms = (*MAIN, QUESTIONS[0])
    assert asked == [(tmp_path / "a" / "b", arms, sizes, 6, 3, "1")]
    assert (found.seed, found.scores) == (6, {"some": "scores"})
    assert found.flat == {"grpo-random": 0.75, "grpo-hard": 0.75}
    places = tmp_path / "a" / "b" / "data" / "random.parquet"
    written = science.pq.read_table(places)
    assert written.equals(science.saturating(30, 6))
    places.write_bytes(b"mine")
    science.pool_scores(tmp_path / "a" / "b", sizes, 6, 3)
    assert places.read_bytes() == b"mine"


def test_the_saturating_pool_is_this_large():
    assert Sizes(6_000, 256, 400, 60, 128, 1e-4) == science.SATURATING
    assert (science.POPULAR_SPOTS, science.POPULAR_SHARE) == (20, 0.9)
