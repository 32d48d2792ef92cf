"""Small parts of a GRPO step, each worked out by hand (georl.grpo)."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import GenerationConfig
from trl.trainer import grpo_trainer

from georl import plan
from georl.config import CurriculumConfig, GroupConfig
from georl.grpo import first_batch, groups, micro_batches, sharing
from georl.grpo.curriculum import Curriculum
from tests.georl.grpo import test_methods as methods, test_replacing as replacing


@pytest.mark.parametrize(
    ("heads", "keys", "width"), [(28, 4, 512), (16, 2, 448), (7, 7, 3584), (2, 1, 1792)]
)
def test_the_width_of_keys_is_that_of_their_share_of_the_heads(heads, keys, width):
    model = SimpleNamespace(
        hidden_size=3584, intermediate_size=18944, num_attention_heads=heads,
        num_key_value_heads=keys,
    )  # fmt: skip
    found = sharing.answers_a_row(model, 632, 1024.0)
    assert found == plan.answers_a_row(3584, width, 18944, 632, 1024.0)


@pytest.mark.parametrize(
    ("ended", "sizes"), [(2, [1, 5, 5]), (3, [1, 5, 2]), (0, [1, 5, 5])],
    ids=["two of five", "three of five", "none"],
)  # fmt: skip
def test_finished_answers_stay_until_they_are_half(ended, sizes):
    """All begin alike; so many of them end with their second token."""
    answers = [[5, methods.END if b < ended else 6, 7] for b in range(5)]
    model = methods.Scripted(answers, [0] * 5)
    generation = GenerationConfig(
        max_new_tokens=3, eos_token_id=methods.END, pad_token_id=methods.PAD, top_k=0
    )
    prompt = torch.tensor([[4, 7]])
    given = (model, prompt, torch.ones_like(prompt), None, model.group, generation)
    found = sharing.sample(*given).tolist()
    assert found == [[5, methods.END, methods.PAD]] * ended + [[5, 6, 7]] * (5 - ended)
    assert [len(ids) for ids, *_ in model.asked] == sizes


def test_a_range_of_just_epsilon_is_a_difference():
    rewards = torch.tensor([0.0, 0.5, 0.0, 0.25])
    assert groups.equal(rewards, 2, 0.5).tolist() == [False, True]


def test_what_a_batch_has_not_stays_so():
    ids = torch.arange(8).view(4, 2)
    batch = {"prompt_ids": ids, "completion_ids": ids, "advantages": torch.arange(4.0),
             "tool_mask": None, "texts": list("abcd"), "total": torch.tensor(9)}  # fmt: skip
    part = groups.take(batch, torch.tensor([2, 0]))
    assert (part["tool_mask"], part["texts"], int(part["total"])) == (None, ["c", "a"], 9)
    whole = groups.join([part, part], 0)
    assert (whole["tool_mask"], int(whole["total"])) == (None, 9)
    assert whole["texts"] == ["c", "a", "c", "a"]
    assert whole["advantages"].tolist() == [2.0, 0.0, 2.0, 0.0]


def test_the_curriculum_and_the_log_hear_of_every_group():
    trainer = replacing.Trainer(GroupConfig(), ["equal", "unreadable", "teaches"], [], 1)
    told = {}
    trainer.curriculum.observe = lambda *given: told.update(observe=given)
    trainer.rollouts.keep_groups = lambda *given: told.update(keep=given)
    rows = trainer.rows(trainer.first)
    for row in rows:
        row |= {"country": "Here", "lat": 1.0, "lon": 2.0, "image": "left out"}
    groups.drop_and_replace(trainer, rows)
    photos = [{"id": n, "country": "Here", "lat": 1.0, "lon": 2.0} for n in (1, 2, 3)]
    seen, rewards, where = told["observe"]
    assert (seen, rewards.tolist()) == (photos, [[0.5, 0.5], [0.0, 1.0], [0.0, 1.0]])
    assert where is trainer
    where, seen, rewards, flat, invalid = told["keep"]
    assert where is trainer
    assert (seen, rewards.tolist()) == (photos, [[0.5, 0.5], [0.0, 1.0], [0.0, 1.0]])
    assert flat.tolist() == [True, False, False]
    assert invalid.tolist() == [False, True, False]


def test_one_readable_answer_makes_a_group_one_that_can_teach():
    trainer = replacing.Trainer(GroupConfig(drop_equal=True), ["teaches", "unreadable"], [], 1)
    score = trainer._score

    def half(rows):
        batch = score(rows)
        rewards, _ = trainer.rollouts.last
        trainer.rollouts.last = rewards, torch.tensor([True, False, False, False])
        return batch

    trainer._score = half
    batch = groups.drop_and_replace(trainer, trainer.rows(trainer.first))
    assert batch["prompt_ids"][:, 0].tolist() == [1, 1]
    assert trainer._metrics["train"]["groups/invalid"] == [0.5]


def test_processes_stop_asking_each_other_once_none_has_room():
    """What is gathered: who has room, twice where one photo was missing; rows; their tokens."""
    for kinds, gathered in ((["teaches"], 3), (["equal"], 4)):
        options = GroupConfig(drop_equal=True, tries=9)
        trainer, asked = replacing.Trainer(options, kinds, ["teaches"], 1), []
        gather = trainer.accelerator.gather
        trainer.accelerator.gather = lambda one, to=asked, by=gather: to.append(one) or by(one)
        groups.drop_and_replace(trainer, trainer.rows(trainer.first))
        assert len(asked) == gathered


def test_what_is_as_wide_as_neither_prompt_nor_answer_is_not_padded():
    short = {"prompt_ids": torch.ones(2, 4), "completion_ids": torch.ones(2, 2),
             "image_sizes": torch.tensor([[5, 6, 7], [8, 9, 10]])}  # fmt: skip
    long = short | {"prompt_ids": torch.ones(2, 5), "completion_ids": torch.ones(2, 7)}
    found = groups.join([short, long], 0)
    assert found["image_sizes"].tolist() == [[5, 6, 7], [8, 9, 10]] * 2
    assert found["prompt_ids"][:, 0].tolist() == [0, 0, 1, 1]
    assert found["completion_ids"][:, -1].tolist() == [0, 0, 1, 1]


def test_short_answers_are_no_idle_rows():
    """Eight real rows of four groups, and as many idle: two of each in every micro-batch."""
    mask = torch.zeros(16, 5, dtype=torch.long)
    mask[:8, :3] = 1
    mask[0] = 1
    group = torch.arange(16) // 2
    with micro_batches.together(4):
        mixed = grpo_trainer.shuffle_sequence_dict({"group": group, "completion_mask": mask})
    assert mixed["completion_mask"].any(1).view(4, 4).sum(1).tolist() == [2, 2, 2, 2]
    alive = mixed["group"][mixed["completion_mask"].any(1)].view(4, 2)
    assert (alive[:, 0] == alive[:, 1]).all()


def test_regions_are_kept_in_the_order_of_their_places():
    """Whatever the order in which processes hand them over, so that runs repeat bit for bit."""
    lons = [70.0, -20.0, 40.0, 10.0, -60.0, 130.0, 100.0, -100.0]
    rows = [{"lat": 1.0, "lon": lon} for lon in lons] + [{"lat": 1.0, "lon": 70.0}]
    here = Curriculum(CurriculumConfig(enabled=True, radius_km=100.0), 0)
    trainer = SimpleNamespace(_metrics={"train": {"curriculum/regions": []}})
    here.observe(rows, torch.ones(len(rows), 2), trainer)
    assert here.popular.to_table()["lon"].to_pylist() == sorted(lons)


class Rows:
    """Photos of which only the columns that are asked for may be read."""

    lat, lon = np.array([0.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0])

    def __init__(self):
        self.picked = []

    def with_format(self, kind, columns):
        assert (kind, columns) == ("numpy", ["lat", "lon"])  # no picture is opened for its place
        return self

    def __getitem__(self, which):
        assert which == slice(None)
        return {"lat": self.lat, "lon": self.lon}

    def __getitems__(self, rows):
        self.picked += rows
        return [{"id": row} for row in rows]


def test_places_are_read_without_pictures_and_every_row_can_be_drawn():
    trainer = SimpleNamespace(
        num_generations=1, train_dataset=Rows(), accelerator=SimpleNamespace(process_index=0),
        state=SimpleNamespace(global_step=0),
    )  # fmt: skip
    Curriculum(CurriculumConfig(), 0).draw(60, trainer)
    assert set(trainer.train_dataset.picked) == {0, 1, 2}
    for settings in (CurriculumConfig(budget=1), CurriculumConfig(enabled=True, budget=1)):
        assert len(Curriculum(settings, 0).draw(3, trainer)) == 3
    enabled = Curriculum(CurriculumConfig(enabled=True, budget=2), 0)
    trainer.train_dataset.picked.clear()
    enabled.draw(60, trainer)
    assert set(trainer.train_dataset.picked) == {0, 1, 2}


def test_no_prompts_need_no_room():
    first_batch.check_lengths([], 0)


# --- the first batch, without a model ---------------------------------------------------------

PAD = 99


class Seen:
    """A processor that makes as many patches of a picture as its pixels have tens."""

    merge_size = 2
    image_token_id = PAD

    def __init__(self):
        self.asked = []
        self.image_processor = self

    def __call__(self, images, return_tensors):
        (picture,) = images
        self.asked.append((picture, return_tensors))
        return {"image_grid_thw": torch.tensor([[1, picture.height, picture.width]])}


def picture(width, height):
    return SimpleNamespace(width=width, height=height)


def test_each_picture_of_each_prompt_is_held_against_what_vllm_would_see():
    """Grids of patches, four of which make a token: 6, 1 and 12 of them."""
    here, there = Seen(), Seen()
    grid = torch.tensor([[1, 4, 6], [1, 2, 2], [1, 6, 8]])
    one, two, three = picture(6, 4), picture(2, 2), picture(8, 6)
    prompts = [[1, *[PAD] * 6], [1, 2], [*[PAD] * 13, 2]]
    first_batch.check_images(prompts, [[one], None, [two, three]], grid, here, there)
    assert there.asked == [(one, "pt"), (two, "pt"), (three, "pt")]
    assert here.asked == []
    large = picture(8, 8)
    with pytest.raises(
        ValueError, match=r"16 image tokens in a picture of 8x8 where this run has 12;"
    ):
        first_batch.check_images(prompts, [[one], [], [two, large]], grid, here, there)
    first_batch.check_images(prompts, [[one], None, [two, large]], grid, here, None)


def test_lengths_of_vllm_are_compared_prompt_by_prompt():
    said = [[[1, 2], [3]], "answers", "logprobs"]
    same = first_batch.compared(lambda prompts, images, count, **more: said)
    assert same([[1, 2], [3]], ["a", "b"], 4, profiler=None) is said
    for given, row, here, there in (([[1, 2], [3, 4]], 1, 2, 1), ([[1], [3]], 0, 1, 2)):
        with pytest.raises(ValueError, match=f"prompt {row} has {here} tokens here and {there} in"):
            same(given, None, 1)
