"""What is made along the way is made where the rows lie, whatever device is the default."""

import contextlib
from types import SimpleNamespace

import pytest
import torch
from transformers import GenerationConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from georl.config import GroupConfig
from georl.grpo import groups, micro_batches, sharing
from tests.georl.grpo import test_methods as methods, test_replacing as replacing

ELSEWHERE = torch.device("meta")
"""Holds no values: what is made there and meant for here is an error, or shows in the result."""


def on_the_processor(call):
    """Let what stands in for a model or a trainer make its own tensors here."""

    def called(*given, **options):
        with torch.device("cpu"):
            return call(*given, **options)

    return called


def test_rows_are_laid_out_where_their_tokens_are():
    ids, mask = torch.tensor([[0, 7, 8], [4, 5, 6]]), torch.tensor([[0, 1, 1], [1, 1, 1]])
    said, real = torch.tensor([[11, 12], [21, 0], [31, 32]]), torch.tensor([[1, 1], [1, 0], [1, 1]])
    group = torch.tensor([0, 0, 1])
    here = sharing.prompt_positions(None, ids, mask, None)
    expected = sharing.pack(ids, mask, here, said, real, group)
    with ELSEWHERE:
        positions = sharing.prompt_positions(None, ids, mask, None)
        found = sharing.pack(ids, mask, positions, said, real, group)
    for name, value in expected._asdict().items():
        assert torch.equal(getattr(found, name), value), name


def test_answers_are_sampled_where_their_prompts_are():
    model = methods.Scripted(methods.ANSWERS, [0, 0, 0, 1])
    speak = on_the_processor(model.__call__)
    model.batch_select_indices = on_the_processor(model.batch_select_indices)
    generation = GenerationConfig(
        max_new_tokens=4, eos_token_id=methods.END, pad_token_id=methods.PAD, top_k=0
    )
    prompts = torch.tensor([[5, 7, 8], [6, 7, 8]])
    mask, group = torch.ones_like(prompts), model.group
    with ELSEWHERE:
        found = sharing.sample(speak, prompts, mask, None, group, generation)
    assert found.tolist() == methods.WRITTEN


def test_groups_are_dropped_and_replaced_where_they_are():
    options = GroupConfig(drop_equal=True, tries=1)
    photos = ["equal", "teaches", "equal"], ["teaches", "equal"]
    trainer = replacing.Trainer(options, *photos, 4, "grpo")
    trainer._score = on_the_processor(trainer._score)
    asked = trainer.rows(trainer.first)
    with ELSEWHERE:
        batch = groups.drop_and_replace(trainer, asked)
    assert batch["prompt_ids"][:, 0].tolist()[:4] == [2, 2, 101, 101]
    assert batch["completion_mask"].any(1).tolist() == [True] * 4
    assert float(batch["loss_scale"]) == 1.0
    alone = replacing.Trainer(options, ["teaches", "equal"], ["equal"], 4, "grpo")
    alone._score = on_the_processor(alone._score)
    with ELSEWHERE:
        batch = groups.drop_and_replace(alone, alone.rows(alone.first))
    assert batch["completion_mask"].any(1).tolist() == [True, True, False, False]
    assert float(batch["loss_scale"]) == 2.0


def test_rows_are_numbered_where_the_groups_are():
    group = torch.zeros(4, dtype=torch.long, device=ELSEWHERE)
    group.tolist = lambda: [0, 0, 1, 1]
    real = torch.ones(4, dtype=torch.bool)
    assert micro_batches.order(group, real, 2).device == ELSEWHERE


def test_prompts_are_numbered_and_padded_on_the_device_of_the_run(monkeypatch):
    fields = {"pixel_values": [[1.0], [2.0]], "image_grid_thw": [[1, 1, 1], [1, 1, 1]]}
    monkeypatch.setattr(GRPOTrainer, "_tokenize_prompts", lambda *_: ([[7], [8, 9]], None, fields))
    trainer = methods.made(_tokenizer=SimpleNamespace(pad_token_id=0))
    trainer.accelerator.device = ELSEWHERE
    turns = [[{"role": "user", "content": [{"type": "text", "text": t}]}] for t in "ab"]
    trainer._tokenize_prompts(turns)
    ids, mask, images = trainer._unique
    for value in (trainer._group, ids, mask, images.pixel_values, images.grid):
        assert value.device == ELSEWHERE


@pytest.mark.parametrize("best", [9.0, 0.5])
def test_log_probabilities_are_read_where_the_answers_are(monkeypatch, best):
    ids = torch.tensor([[3, 4, 11, 12], [3, 4, 21, 0]])
    monkeypatch.setattr(sharing, "answers_a_row", lambda *_: best)
    trainer, model = methods.made(), methods.Reads(True)
    trainer.accelerator.autocast = contextlib.nullcontext
    trainer._bare = lambda read: read.__self__
    speak = on_the_processor(model.__call__)
    speak.__self__ = model
    given = ids, (ids != 0).long(), 2, None, torch.tensor([4, 4])
    expected = trainer._shared_logps(speak, *given)
    with ELSEWHERE:
        found = trainer._shared_logps(speak, *given)
    assert [one.tolist() for one in found] == [one.tolist() for one in expected]
