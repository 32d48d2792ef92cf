"""Groups that cannot teach, and the curriculum (georl.grpo.groups)."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from georl.config import CurriculumConfig
from georl.grpo import groups
from georl.grpo.curriculum import Curriculum

PAD = 9


def batch(prompt, answer, rows=4, seed=0):
    """A TRL batch of ``rows`` rows with one image of two patches each."""
    generator = torch.Generator().manual_seed(seed)

    def ids(width):
        return torch.randint(0, 9, (rows, width), generator=generator)

    return {
        "prompt_ids": ids(prompt),
        "prompt_mask": torch.ones(rows, prompt, dtype=torch.long),
        "completion_ids": ids(answer),
        "completion_mask": torch.ones(rows, answer, dtype=torch.long),
        "advantages": torch.randn(rows, generator=generator),
        "num_items_in_batch": torch.tensor(rows * answer),
        "ref_per_token_logps": torch.randn(rows, answer, generator=generator),
        "mm_token_type_ids": torch.ones(rows, prompt + answer, dtype=torch.long),
        "pixel_values": torch.randn(2 * rows, 5, generator=generator),
        "image_grid_thw": torch.tensor([[1, 1, 2]] * rows),
        "num_images": [1] * rows,
        "group": torch.arange(rows) // 2,
    }


@given(hnp.arrays(np.float64, (6, 4), elements=st.sampled_from([0.0, 0.2, 0.5, 1.0])))
def test_equal_groups_are_those_with_one_value(rewards):
    found = groups.equal(torch.tensor(rewards).view(-1), 4)
    assert found.tolist() == [len(set(row)) == 1 for row in rewards.tolist()]


def test_a_group_of_winners_with_one_loser_is_not_equal():
    """A leave-one-out test per row would drop the winners and keep the loser, or the reverse."""
    assert not groups.equal(torch.tensor([1.0, 1.0, 1.0, 0.0]), 4)[0]


def test_taking_rows_takes_their_images_too():
    whole = batch(3, 2)
    part = groups.take(whole, torch.tensor([3, 1]))
    assert part["num_images"] == [1, 1]
    assert torch.equal(part["prompt_ids"], whole["prompt_ids"][[3, 1]])
    assert torch.equal(part["pixel_values"], whole["pixel_values"][[6, 7, 2, 3]])
    assert part["num_items_in_batch"] == whole["num_items_in_batch"]


def test_joining_pads_prompts_left_and_answers_right_and_keeps_groups_apart():
    short, long = batch(3, 2), batch(5, 4, seed=1)
    joined = groups.join([short, long], PAD)
    assert joined["prompt_ids"].shape == (8, 5)
    assert joined["prompt_ids"][0].tolist() == [PAD, PAD, *short["prompt_ids"][0].tolist()]
    assert joined["prompt_mask"][0].tolist() == [0, 0, 1, 1, 1]
    assert joined["completion_ids"][0].tolist() == [*short["completion_ids"][0].tolist(), PAD, PAD]
    assert joined["completion_mask"][0].tolist() == [1, 1, 0, 0]
    assert joined["mm_token_type_ids"][0].tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0]
    assert joined["ref_per_token_logps"].shape == (8, 4)
    assert joined["pixel_values"].shape == (16, 5)
    assert joined["group"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_taking_and_joining_again_gives_the_batch_back():
    whole = batch(4, 3)
    halves = [groups.take(whole, torch.tensor(rows)) for rows in ([0, 1], [2, 3])]
    halves[1]["group"] = halves[1]["group"] - 1
    for key, value in groups.join(halves, PAD).items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, whole[key]), key
        else:
            assert value == whole[key]


@pytest.fixture
def trainer():
    """What the curriculum asks of a trainer, on one process."""
    from collections import defaultdict

    import datasets

    rows = datasets.Dataset.from_dict(
        {
            "id": [str(i) for i in range(101)],
            "lat": [0.0] * 101,
            "lon": [float(i) for i in range(101)],
        }
    )
    return SimpleNamespace(
        num_generations=2,
        train_dataset=rows,
        accelerator=SimpleNamespace(process_index=0),
        state=SimpleNamespace(global_step=0),
        _metrics={"train": defaultdict(list)},
    )


def lessons(trainer, lons):
    found = trainer.train_dataset.__getitems__([int(lon) for lon in lons])
    return [row for row in found for _ in range(trainer.num_generations)]


def test_saturated_places_become_popular_and_are_drawn_at_the_kept_share(trainer):
    curriculum = Curriculum(
        CurriculumConfig(enabled=True, radius_km=600, saturated=0.9, keep=0.2), 0
    )
    rows = lessons(trainer, [10, 90])
    curriculum.observe(rows[::2], torch.tensor([[0.95, 0.99], [0.99, 0.2]]), trainer)
    assert len(curriculum.popular) == 1
    stayed, elsewhere = 0, []
    for _ in range(300):
        chosen = curriculum.choose(lessons(trainer, [12, 80]), trainer)
        assert chosen[0] == chosen[1]  # a group asks about one photo
        assert chosen[2]["lon"] == 80.0
        stayed += chosen[0]["lon"] == 12.0
        elsewhere.append(chosen[0]["lon"])
    assert 0.1 < stayed / 300 < 0.3
    near = np.abs(np.array(elsewhere) - 10) <= 5
    assert near.mean() < 0.35


@pytest.mark.parametrize("keep", [0.0, 0.3, 1.0])
def test_new_groups_come_from_popular_places_at_the_kept_share(trainer, keep):
    config = CurriculumConfig(enabled=True, radius_km=2800, keep=keep, budget=50)
    curriculum = Curriculum(config, 0)
    curriculum.popular.add(0.0, 50.0)  # 25 degrees to either side
    drawn = [row["lon"] for row in curriculum.draw(200, trainer)[::2]]
    inside = np.mean([abs(lon - 50) <= 25 for lon in drawn])
    alone = 51 / 101  # of the photos lie inside
    expected = alone * keep / (alone * keep + 1 - alone)
    assert abs(inside - expected) < 0.12


def test_processes_draw_other_photos_and_each_the_same_ones_again(trainer):
    drawn = []
    for rank in (0, 1, 0):
        trainer.accelerator.process_index = rank
        drawn.append(Curriculum(CurriculumConfig(), 0).draw(8, trainer))
    assert drawn[0] == drawn[2]
    assert drawn[0] != drawn[1]


def test_switched_off_it_changes_nothing_and_learns_nothing(trainer):
    curriculum = Curriculum(CurriculumConfig(enabled=False), 0)
    rows = lessons(trainer, [10, 90])
    curriculum.observe(rows[::2], torch.ones(2, 2), trainer)
    assert curriculum.choose(rows, trainer) is rows
    assert len(curriculum.popular) == 0
    curriculum.popular.add(0.0, 10.0)  # as a run left it that had it on
    assert all(curriculum.choose(rows, trainer) is rows for _ in range(20))
    drawn = {curriculum.draw(1, trainer)[0]["lon"] for _ in range(300)}
    assert drawn & set(map(float, range(9, 12)))


def test_the_state_survives_saving_and_draws_go_on_as_before(trainer, tmp_path):
    config = CurriculumConfig(enabled=True, radius_km=300)
    first = Curriculum(config, 5)
    rows = lessons(trainer, [10, 33, 90])
    first.observe(rows[::2], torch.ones(3, 2), trainer)
    first.choose(rows, trainer)
    first.save(tmp_path / "state.json")
    second = Curriculum(config, 5)
    second.restore(tmp_path / "state.json")
    again = [c.choose(lessons(trainer, [10, 33, 90]), trainer) for c in (first, second)]
    assert again[0] == again[1]
    assert first.draw(4, trainer) == second.draw(4, trainer)


@given(st.integers(0, 10**6))
def test_missing_rewards_are_the_mean_of_their_group(seed):
    rng = np.random.default_rng(seed)
    given_rewards = rng.random((12, 3))
    given_rewards[rng.random((12, 3)) < 0.4] = np.nan
    found = groups.without_gaps(torch.tensor(given_rewards), 4).numpy()
    for start in range(0, 12, 4):
        for column in range(3):
            own = given_rewards[start : start + 4, column]
            there = own[~np.isnan(own)]
            filled = np.where(np.isnan(own), there.mean() if len(there) else np.nan, own)
            assert found[start : start + 4, column] == pytest.approx(filled, nan_ok=True)
