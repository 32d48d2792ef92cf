"""What answers are worth, and which of them are kept (georl.run.rollouts, georl.run.record)."""

import math
from collections import defaultdict
from types import SimpleNamespace

import h3
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from georl.config import load
from georl.run import JsonLines, record, rollouts
from georl.run.rollouts import RolloutLog, accuracies, answer_coordinates, merge_rollouts

NAMES = ["geo_r", "mine:f"]


class Trainer:
    """What the log asks of a trainer."""

    def __init__(self, *, step=0, rank=0, training=True):
        self.model = SimpleNamespace(training=training)
        self.state = SimpleNamespace(global_step=step)
        self.accelerator = SimpleNamespace(process_index=rank, is_main_process=rank == 0)
        self._metrics = {"train": defaultdict(list), "eval": defaultdict(list)}


def log_of(folder, *more):
    weights = "rewards.weights={geo_r: 0.5, 'mine:f': 2.0}"
    return RolloutLog(load(None, [f"output={folder}", weights, *more]), NAMES)


def photos(count, start=0):
    return [
        {"id": f"p{start + i}", "lat": 10.0 + i, "lon": 20.0 - i, "country": "Here" if i else None}
        for i in range(count)
    ]


TEXTS = [
    "(10.0, 20.0)",
    [{"role": "assistant", "content": "(12.0, 19.0)"}],
    "no idea",
    "(0.0, 0.0)",
]


def test_a_logged_step_keeps_so_many_answers_over_all_its_draws(tmp_path):
    log = log_of(tmp_path, "grpo.rollout_samples=5", "train.logging_steps=3")
    trainer = Trainer(step=2)
    first = torch.tensor([[0.25, 1.0], [0.5, 2.0], [0.75, math.nan], [0.0, 4.0]])
    log.keep(trainer, photos(4), TEXTS, first, [True, True, False, True])
    assert log.last[0].tolist() == [2.125, 4.25, 0.375, 8.0]
    assert log.last[1].tolist() == [True, True, False, True]
    log.keep(trainer, photos(4, 4), TEXTS, first.flip(0), [True] * 4)
    log.keep(trainer, photos(4, 8), TEXTS, first, [True] * 4)
    assert sorted(path.name for path in (tmp_path / "rollouts").iterdir()) == [
        "step-000003-000.parquet",
        "step-000003-001.parquet",
    ]
    assert merge_rollouts(tmp_path) == tmp_path / "rollouts.parquet"
    found = pq.read_table(tmp_path / "rollouts.parquet").to_pylist()
    assert [row["id"] for row in found] == [f"3/{i}" for i in range(5)]
    assert [row["photo"] for row in found] == ["p0", "p1", "p2", "p3", "p4"]
    assert [row["step"] for row in found] == [3] * 5
    assert [row["answer"] for row in found[:3]] == ["(10.0, 20.0)", "(12.0, 19.0)", "no idea"]
    assert [(row["pred_lat"], row["pred_lon"]) for row in found[:3]] == [
        (10.0, 20.0), (12.0, 19.0), (None, None),
    ]  # fmt: skip
    assert [(row["lat_true"], row["lon_true"]) for row in found[:2]] == [(10.0, 20.0), (11.0, 19.0)]
    assert [row["country"] for row in found[:2]] == [None, "Here"]
    assert found[0]["distance_km"] == 0.0
    assert found[1]["distance_km"] == pytest.approx(math.radians(1) * 6371.0, rel=1e-3)
    assert found[2]["distance_km"] is None
    assert [row["reward_geo_r"] for row in found] == [0.25, 0.5, 0.75, 0.0, 0.0]
    assert found[1]["reward_mine:f"] == 2.0


@pytest.mark.parametrize(
    ("more", "trainer"),
    [
        (["train.logging_steps=3"], Trainer(step=1)),
        (["train.logging_steps=3"], Trainer(step=3)),
        (["grpo.rollout_samples=0", "train.logging_steps=1"], Trainer()),
        (["train.logging_steps=1"], Trainer(training=False)),
    ],
    ids=["before a logged step", "after one", "none asked for", "in an evaluation"],
)
def test_other_answers_are_counted_and_not_kept(tmp_path, more, trainer):
    log_of(tmp_path, *more).keep(trainer, photos(4), TEXTS, torch.ones(4, 2), [True] * 4)
    assert not (tmp_path / "rollouts").exists()
    mode, other = ("train", "eval") if trainer.model.training else ("eval", "train")
    assert trainer._metrics[mode]["format"] == [0.75]
    assert not trainer._metrics[other]
    assert merge_rollouts(tmp_path) is None


def test_the_count_begins_anew_with_each_step(tmp_path):
    log = log_of(tmp_path, "grpo.rollout_samples=3", "train.logging_steps=1")
    for step in (0, 1, 10):
        log.keep(Trainer(step=step), photos(2), TEXTS[:2], torch.ones(2, 2), [True] * 2)
    merge_rollouts(tmp_path)
    found = pq.read_table(tmp_path / "rollouts.parquet")["id"].to_pylist()
    assert found == ["1/0", "1/1", "2/0", "2/1", "11/0", "11/1"]


def test_of_several_processes_the_first_keeps_its_own_rows(tmp_path, monkeypatch):
    """Rewards come of all, two rows a process; answers and truth are a process's own."""
    monkeypatch.setattr(rollouts, "gather_object", lambda own: [*own, *own])
    every = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0]])
    log = log_of(tmp_path, "train.logging_steps=1")
    log.keep(Trainer(rank=1), photos(2), TEXTS[:2], every, [True, False])
    assert not (tmp_path / "rollouts").exists()
    assert log.last[0].tolist() == [0.5, 1.0, 1.5, 2.0]
    assert log.last[1].tolist() == [True, False, True, False]
    written = {}
    monkeypatch.setattr(log, "_wanted", lambda _: True)
    monkeypatch.setattr(log, "_write", lambda *given: written.update(rewards=given[-1]))
    for rank, own in ((0, [1.0, 2.0]), (1, [3.0, 4.0])):
        log.keep(Trainer(rank=rank), photos(2), TEXTS[:2], every, [True] * 2)
        assert written["rewards"][:, 0].tolist() == own


def test_a_line_of_a_group_says_where_it_was_and_what_it_earned(tmp_path):
    log = log_of(tmp_path)
    rewards = torch.tensor([[0.0, 0.5, 1.0], [0.25, 0.25, 0.25]])
    told = (torch.tensor([False, True]), torch.tensor([True, False]))
    log.keep_groups(Trainer(step=4, rank=1), photos(2), rewards, *told)
    assert not (tmp_path / "groups.jsonl").exists()
    log.keep_groups(Trainer(step=4), photos(2), rewards, *told)
    assert JsonLines(tmp_path / "groups.jsonl").read() == [
        {"step": 5, "id": "p0", "country": None, "cell": h3.latlng_to_cell(10.0, 20.0, 2),
         "mean": 0.5, "range": 1.0, "equal": False, "invalid": True},
        {"step": 5, "id": "p1", "country": "Here", "cell": h3.latlng_to_cell(11.0, 19.0, 2),
         "mean": 0.25, "range": 0.0, "equal": True, "invalid": False},
    ]  # fmt: skip
    with pytest.raises(ValueError, match="argument"):
        log.keep_groups(Trainer(), photos(1), rewards, *told)


def test_shares_are_of_all_answers_and_a_bound_is_within():
    km = np.array([0.0, 25.0, 25.1, 200.0, 750.0, 2500.0, 2500.1, math.nan])
    assert accuracies(km) == {
        "within_25km": 2 / 8,
        "within_200km": 4 / 8,
        "within_750km": 5 / 8,
        "within_2500km": 6 / 8,
        "format": 7 / 8,
    }


def test_coordinates_are_read_strictly():
    lat, lon = answer_coordinates(["(1.5, -2.5)", "1.5 N, 2.5 W", "(1.5, 2.5) (3.5, 4.5)"])
    assert lat.tolist()[0] == 1.5
    assert lon.tolist()[0] == -2.5
    assert np.isnan(lat[1:]).all()
    assert np.isnan(lon[1:]).all()
    assert [len(part) for part in answer_coordinates([])] == [0, 0]


def test_an_evaluation_counts_apart_and_rewards_without_a_number_weigh_nothing(tmp_path):
    log = log_of(tmp_path, "train.logging_steps=1")
    assert [part.shape for part in log.last] == [(0,), (0,)]  # before any answer
    rewards = torch.tensor([[math.nan, math.nan], [1.0, math.nan]])
    log.keep(Trainer(), photos(2), TEXTS[:2], rewards, [False, True])
    assert log.last[0].tolist() == [0.0, 0.5]
    assert log.last[1].dtype == torch.bool


def test_distances_of_all_processes_make_the_shares(tmp_path, monkeypatch):
    monkeypatch.setattr(rollouts, "gather_object", lambda own: [*own, *([math.nan] * len(own))])
    trainer = Trainer()
    log_of(tmp_path).keep(trainer, photos(2), TEXTS[:2], torch.ones(2, 2), [True, True])
    told = trainer._metrics["train"]
    assert told["format"] == [0.5]
    assert told["within_25km"] == [0.25]
    assert told["within_200km"] == [0.5]


def test_what_is_worth_what_lies_where_the_rewards_lie(tmp_path):
    """On a GPU they are; "meta" stands for any device that is not the processor."""
    log = log_of(tmp_path, "grpo.rollout_samples=0")
    rewards = torch.ones(2, 2, device="meta")
    log.keep(Trainer(), photos(2), TEXTS[:2], rewards, [True, False])
    assert [part.device.type for part in log.last] == ["meta", "meta"]


def test_samples_of_a_step_are_written_whole_with_their_types(tmp_path):
    tmp_path /= "not/there/yet"
    log = log_of(tmp_path, "grpo.rollout_samples=2", "train.logging_steps=1")
    rewards = torch.tensor([[0.1, math.nan], [0.2, 1.0]], dtype=torch.float32)
    log.keep(Trainer(), photos(2), ["nothing", "no more"], rewards, [False, False])
    (path,) = (tmp_path / "rollouts").iterdir()
    table = pq.read_table(path)
    assert {name: str(table.schema.field(name).type) for name in table.column_names} == {
        "step": "int64", "id": "string", "photo": "string", "answer": "string",
        "pred_lat": "double", "pred_lon": "double", "distance_km": "double",
        "lat_true": "double", "lon_true": "double", "country": "string",
        "reward_geo_r": "double", "reward_mine:f": "double",
    }  # fmt: skip
    assert table["pred_lat"].null_count == table["distance_km"].null_count == 2
    assert table["reward_geo_r"].to_pylist() == [float(np.float32(x)) for x in (0.1, 0.2)]


def test_photos_without_countries_have_the_same_columns(tmp_path):
    log = log_of(tmp_path, "train.logging_steps=1")
    bare = [{key: row[key] for key in ("id", "lat", "lon")} for row in photos(2)]
    log.keep(Trainer(), bare, TEXTS[:2], torch.ones(2, 2), [True] * 2)
    log.keep(Trainer(step=1), photos(2), TEXTS[:2], torch.ones(2, 2), [True] * 2)
    table = pq.read_table(merge_rollouts(tmp_path))
    assert table["country"].to_pylist() == [None, None, None, "Here"]


def test_only_parts_of_rollouts_are_merged(tmp_path):
    (tmp_path / "rollouts").mkdir()
    (tmp_path / "rollouts" / "mine.parquet").write_text("not a table")
    assert merge_rollouts(tmp_path) is None
    log = log_of(tmp_path, "train.logging_steps=1")
    log.keep(Trainer(), photos(2), TEXTS[:2], torch.ones(2, 2), [True] * 2)
    assert pq.read_table(merge_rollouts(tmp_path)).num_rows == 2


# --- cutting a record back ------------------------------------------------------------------


def left(folder):
    """Write the record of five steps, cut it back and return what is there."""
    (folder / "rollouts").mkdir(parents=True)
    for name in ("step-000003-000.parquet", "step-000003-001.parquet", "step-000004-000.parquet",
                 "step-1234567-000.parquet", "step-000001-0.parquet.part", "mine.txt"):  # fmt: skip
        (folder / "rollouts" / name).touch()
    (folder / "rollouts.parquet").touch()
    rows = [{"step": step, "loss": float(step)} for step in range(1, 6)]
    JsonLines(folder / "metrics.jsonl").write(
        [*rows[:3], {"step": 3, "train_runtime": 1.0}, *rows[3:]]
    )
    JsonLines(folder / "groups.jsonl").write(rows)


def test_a_record_is_taken_back_to_a_step(tmp_path):
    left(tmp_path)
    record.cut_back(tmp_path, 3)
    steps = [row["step"] for row in JsonLines(tmp_path / "groups.jsonl").read()]
    assert steps == [1, 2, 3]
    rows = JsonLines(tmp_path / "metrics.jsonl").read()
    assert rows == [{"step": step, "loss": float(step)} for step in (1, 2, 3)]
    assert not (tmp_path / "rollouts.parquet").exists()
    assert sorted(path.name for path in (tmp_path / "rollouts").iterdir()) == [
        "mine.txt", "step-000003-000.parquet", "step-000003-001.parquet",
    ]  # fmt: skip


def test_a_run_that_starts_over_keeps_nothing_and_one_at_its_start_keeps_step_0(tmp_path):
    left(tmp_path / "a")
    record.cut_back(tmp_path / "a", -1)
    assert not list((tmp_path / "a").glob("*.*"))
    assert [path.name for path in (tmp_path / "a" / "rollouts").iterdir()] == ["mine.txt"]
    JsonLines(tmp_path / "metrics.jsonl").write(
        [{"step": 0, "loss": 1.0}, {"step": 1, "loss": 1.0}]
    )
    record.cut_back(tmp_path, 0)
    assert JsonLines(tmp_path / "metrics.jsonl").read() == [{"step": 0, "loss": 1.0}]
    record.cut_back(tmp_path / "nowhere", 3)
    assert not (tmp_path / "nowhere").exists()
