"""The demo without its trainings: its places, the order of its runs, what they are asked."""

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import popular, sphere
from georl import data
from georl.demo import demo
from georl.demo.arms import MAIN, QUESTIONS, QUICK, Sizes

SIZES = Sizes(pool=300, held_out=12, sft_steps=3, grpo_steps=2, answers=16)


def answers_of(table, off):
    lat = table["lat"].to_numpy() + off
    texts = [f"Coordinates: ({a:.4f}, {b:.4f})" for a, b in zip(lat, table["lon"].to_pylist(),
                                                                strict=True)]  # fmt: skip
    return pa.table({"id": table["id"], "answer": texts, "lat": lat, "lon": table["lon"]})


@pytest.fixture
def told(monkeypatch):
    """What is trained and predicted, in order; predictions lie half a degree off."""
    notes = []

    def predict(config):
        notes.append(("predict", config))
        truth = pq.read_table(config.data.places)
        target = Path(config.predict.output)
        target.parent.mkdir(exist_ok=True, parents=True)
        pq.write_table(answers_of(truth, 0.5 + 0.1 * config.seed), target)

    def train(jobs, workers, started):
        notes.append(("train", [job.name for job in jobs], workers, started))
        for job in jobs:
            folder = Path(job.config.output)
            folder.mkdir(exist_ok=True, parents=True)
            (folder / "metrics.jsonl").write_text("")
            assert Path(job.config.data.places).is_file()

    monkeypatch.setattr(demo, "train_all", train)
    monkeypatch.setattr(demo.predict, "predict", predict)
    return notes


def test_the_first_run_is_trained_alone_then_the_longest_first(tmp_path, told):
    before = time.perf_counter()
    scores = demo.scored(tmp_path, MAIN + QUESTIONS, SIZES, seed=4, workers=3)
    (_, one, workers, started), (_, rest, others, again) = (n for n in told if n[0] == "train")
    assert (one, workers) == (["sft-cor"], 3)
    assert (rest, others) == (["grpo-random", "grpo-hard", "sft-location", "sft-hard"], 3)
    assert before <= started == again <= time.perf_counter()
    assert list(scores) == [arm.name for arm in MAIN + QUESTIONS]
    assert scores["sft-cor"].median_km == pytest.approx(0.5 * 111.2, rel=1e-3)
    pool = pq.read_table(tmp_path / "data" / "random.parquet")
    assert pool.equals(data.world_photos(300, 4))
    held_out = pq.read_table(tmp_path / "data" / "held-out.parquet")
    assert held_out.equals(data.world_photos(12, 1_000_003 + 4))
    told.clear()
    demo.scored(tmp_path, MAIN, SIZES, seed=4)
    assert [note[1:3] for note in told] == [(["sft-cor"], 2), (["grpo-random"], 2)]


def test_answers_are_asked_greedily_and_drawn_at_temperature_one(tmp_path, told):
    demo.scored(tmp_path, MAIN, SIZES, seed=4)
    asked = [note[1] for note in told if note[0] == "predict"]
    assert [one.predict.temperature for one in asked] == [0.0, 1.0, 1.0] * 2
    assert [one.seed for one in asked] == [0, 0, 1] * 2
    first = asked[1]
    folder = tmp_path / "sft-cor"
    assert [Path(one.predict.output).name for one in asked[:3]] == [
        "predictions.parquet", "sampled-0.parquet", "sampled-1.parquet"
    ]  # fmt: skip
    assert first.predict.output == str(folder / "sampled-0.parquet")
    assert first.model.name == str(folder / "final")
    assert first.data.places == str(tmp_path / "data" / "held-out.parquet")
    assert (first.predict.batch, first.predict.max_tokens) == (256, 40)
    assert (first.data.prompt, first.data.question, first.task) == ("cor", "Where?", "predict")
    arm = QUESTIONS[1]
    demo._predict(arm, tmp_path, "held-out", tmp_path / "x.parquet", SIZES)
    assert told[-1][1].data.prompt == "location"
    assert told[-1][1].data.question == "Where?"


def test_places_that_are_there_are_those_that_are_learnt(tmp_path, told):
    """The saturating pool is laid there beforehand, and a stopped demo goes on with its own."""
    (tmp_path / "data").mkdir()
    mine = {name: data.world_photos(20, seed) for name, seed in (("random", 8), ("held-out", 9))}
    for name, table in mine.items():
        pq.write_table(table, tmp_path / "data" / f"{name}.parquet")
    demo.scored(tmp_path, MAIN, SIZES, seed=4)
    for name, table in mine.items():
        assert pq.read_table(tmp_path / "data" / f"{name}.parquet").equals(table)


def test_no_hard_places_are_sought_where_no_run_is_trained_on_them(tmp_path, told):
    demo.scored(tmp_path, MAIN, SIZES)
    assert not (tmp_path / "data" / "hard.parquet").exists()


def hard(tmp_path, told, off, rows=1500):
    """Hard places of a pool whose first thousand places are answered so many degrees off."""
    (tmp_path / "data").mkdir()
    pool = data.world_photos(rows, 1)
    pq.write_table(pool, tmp_path / "data" / "random.parquet")
    probe = pool.slice(0, 1000)
    target = tmp_path / "data" / "probe-answers.parquet"
    pq.write_table(answers_of(probe, off), target)
    demo._hard_places(tmp_path, SIZES, 5)
    return pool, probe, pq.read_table(tmp_path / "data" / "hard.parquet")


def test_hard_places_are_far_from_sixty_that_are_found(tmp_path, told):
    off = np.where(np.arange(1000) % 2, 0.898, 0.9002)  # 99.9 and 100.1 km
    pool, probe, left = hard(tmp_path, told, off)
    assert pq.read_table(tmp_path / "data" / "probe.parquet").equals(probe)
    good = np.arange(1, 1000, 2)
    chosen = np.random.default_rng(5).permutation(good)[:60]
    assert left.equals(popular.exclude(pool, probe.take(pa.array(chosen)), 200.0))
    centres = probe.take(pa.array(chosen))
    km = np.min([sphere.haversine_km(a, b, left["lat"].to_numpy(), left["lon"].to_numpy())
                 for a, b in zip(centres["lat"].to_pylist(), centres["lon"].to_pylist(),
                                 strict=True)], axis=0)  # fmt: skip
    assert 200 < km.min() < 230
    assert 0 < left.num_rows < pool.num_rows
    (tmp_path / "data" / "hard.parquet").write_bytes(b"mine")
    demo._hard_places(tmp_path, SIZES, 5)
    assert (tmp_path / "data" / "hard.parquet").read_bytes() == b"mine"


@pytest.mark.parametrize(("quick", "names"), [(True, 2), (False, 5)])
def test_a_demo_ends_in_a_report_on_paper_and_as_a_page(tmp_path, told, monkeypatch, quick, names):
    asked, parts = [], ["A sentence."]

    def scored(output, arms, sizes, *, seed, workers):
        asked.append((output, len(arms), sizes, seed, workers))
        return {}

    monkeypatch.setattr(demo, "scored", scored)
    monkeypatch.setattr(demo.telling, "plot", lambda output, arms: asked.append(len(arms)))
    monkeypatch.setattr(demo.telling, "parts", lambda output, arms, scores: parts)
    text = demo.run(tmp_path, seed=3, quick=quick, workers=7)
    assert asked == [(tmp_path, names, QUICK if quick else Sizes(), 3, 7), names]
    assert text.splitlines()[1:] == ["", "A sentence."]
    assert text.startswith("# georl demo: ")
    assert int(text.split()[3]) < 60
    assert (tmp_path / "report.md").read_text() == text
    assert "<p>A sentence.</p>" in (tmp_path / "report.html").read_text()
    demo.run(tmp_path, quick=quick, sizes=SIZES)
    assert asked[2] == (tmp_path, names, SIZES, 0, 2)


def test_others_loading_bars_are_kept_quiet(monkeypatch):
    from transformers.utils import logging

    monkeypatch.setattr(logging, "_tqdm_active", True, raising=False)
    demo.no_bars_of_others()
    assert not logging.is_progress_bar_enabled()
