"""The curriculum at its bounds, and what it writes and reads (georl.grpo.curriculum)."""

import json
from collections import defaultdict
from types import SimpleNamespace

import datasets
import pytest
import torch

from georl.config import CurriculumConfig
from georl.grpo import curriculum as module, groups
from georl.grpo.curriculum import Curriculum


def trainer(step=0, rank=0):
    rows = {
        "id": [str(i) for i in range(50)],
        "lat": [0.0] * 50,
        "lon": [float(i) for i in range(50)],
    }
    return SimpleNamespace(
        num_generations=2,
        train_dataset=datasets.Dataset.from_dict(rows),
        accelerator=SimpleNamespace(process_index=rank),
        state=SimpleNamespace(global_step=step),
        _metrics={"train": defaultdict(list)},
    )


def at(*lons):
    return [{"id": str(lon), "lat": 0.0, "lon": float(lon)} for lon in lons]


def made(seed=0, **settings):
    return Curriculum(CurriculumConfig(enabled=True, **settings), seed)


def test_a_group_saturates_where_its_worst_answer_is_just_good_enough():
    here, told = made(saturated=0.5), trainer()
    rewards = torch.tensor([[0.5, 1.0], [0.4999, 1.0], [0.9, 0.9], [0.9, 0.5]])
    here.observe(at(10, 20, 30, 30), rewards, told)
    table = here.popular.to_table().to_pydict()
    assert sorted(zip(table["lat"], table["lon"], strict=True)) == [(0.0, 10.0), (0.0, 30.0)]
    assert told._metrics["train"]["curriculum/regions"] == [2.0]
    here.observe(at(40), torch.tensor([[0.0, 0.0]]), told)
    assert told._metrics["train"]["curriculum/regions"] == [2.0, 2.0]
    assert not told._metrics["train"]["curriculum/swapped"]


def test_regions_have_the_radius_of_the_run():
    for radius, inside in ((100.0, False), (120.0, True)):  # a degree has 111.2 km
        here = made(radius_km=radius)
        here.popular.add(0.0, 10.0)
        assert here.popular.contains([0.0], [11.0]).tolist() == [inside]


def test_the_share_of_swapped_groups_is_logged_and_the_others_stay():
    here, told = made(radius_km=60.0, keep=0.0), trainer()
    rows = [row for row in at(5, 6, 7, 8) for _ in range(2)]
    assert here.choose(rows, told) is rows  # nothing is popular yet
    here.popular.add(0.0, 6.0)
    chosen = here.choose(rows, told)
    assert told._metrics["train"]["curriculum/swapped"] == [0.25]
    assert [row["lon"] for row in chosen[:2] + chosen[4:]] == [5.0, 5.0, 7.0, 7.0, 8.0, 8.0]
    assert chosen[2] == chosen[3]
    assert chosen[2]["lon"] != 6.0
    always = made(radius_km=60.0, keep=1.0)
    always.popular.add(0.0, 6.0)
    assert [row["lon"] for row in always.choose(rows, told)] == [row["lon"] for row in rows]


def test_where_all_is_popular_the_first_draw_is_taken():
    here = made(radius_km=20_100.0, keep=0.0)
    here.popular.add(0.0, 0.0)
    assert len(here.draw(6, trainer())) == 12
    assert here.draw(0, trainer()) == []


@pytest.mark.parametrize("budget", [1, 3])
def test_so_many_photos_are_tried_and_no_more(budget, monkeypatch):
    here, asked = made(radius_km=60.0, keep=0.0, budget=budget), []
    here.popular.add(0.0, 6.0)
    stock = here.popular.contains
    monkeypatch.setattr(
        here.popular, "contains", lambda lat, lon: asked.append(len(lat)) or stock(lat, lon)
    )
    here.draw(5, trainer())
    assert asked == [5 * budget]


def test_draws_differ_by_step_process_seed_and_turn_and_by_nothing_else():
    def drawn(seed=0, turns=1, **where):
        one = made(seed)
        for _ in range(turns):
            found = one.draw(10, trainer(**where))
        return [row["id"] for row in found]

    several = [drawn(), drawn(seed=1), drawn(turns=2), drawn(step=1), drawn(rank=1)]
    assert len({tuple(one) for one in several}) == 5
    assert drawn(step=1) == several[3]
    off = Curriculum(CurriculumConfig(enabled=False), 0).draw(10, trainer())
    assert len({row["id"] for row in off}) > 5


def test_the_state_on_disk_is_the_state_in_memory(tmp_path):
    here = made(radius_km=321.0)
    here.popular.add([1.0, 2.0], [3.0, 4.0])
    here.draw(1, trainer())
    here.save(tmp_path / "a.json")
    state = json.loads((tmp_path / "a.json").read_text())
    assert state == {"draws": 1, "radius_km": 321.0, "lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    other = made(radius_km=9.0)
    other.restore(tmp_path / "a.json")
    assert (other._draws, other.popular.radius_km, len(other.popular)) == (1, 321.0, 2)
    fresh = made()
    fresh.save(tmp_path / "b.json")
    other.restore(tmp_path / "b.json")
    assert (other._draws, len(other.popular)) == (0, 0)


def test_a_mean_is_that_over_the_processes(monkeypatch):
    monkeypatch.setattr(groups, "gather_object", lambda own: [*own, 0.5, 0.0])
    told = trainer()
    groups.log_mean(told, "x", 1.0)
    groups.log_value(told, "y", 3.0)
    assert told._metrics["train"] == {"x": [0.5], "y": [3.0]}
    assert module.log_mean is groups.log_mean
