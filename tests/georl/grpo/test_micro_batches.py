"""Micro-batches hold whole groups, and how many positions that saves (georl.grpo)."""

import contextlib
import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from trl.trainer import grpo_trainer
from trl.trainer.utils import shuffle_sequence_dict, split_tensor_dict

from georl import grpo, plan
from georl.config import ConfigError, check, load
from georl.grpo import micro_batches, sharing

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@given(
    groups=st.integers(1, 12),
    size=st.integers(2, 8),
    steps=st.integers(1, 6),
    idle=st.integers(0, 30),
    seed=st.integers(0, 99),
)
def test_the_order_is_a_permutation_with_groups_in_one_piece(groups, size, steps, idle, seed):
    """With idle rows behind, as many of them in each micro-batch as in any other, or one less."""
    rows = groups * size + idle
    rows += -rows % steps
    real = torch.arange(rows) < groups * size
    group = torch.where(real, torch.arange(rows) // size, groups)
    torch.manual_seed(seed)
    order = micro_batches.order(group, real, steps)
    assert sorted(order.tolist()) == list(range(rows))
    kept = [row for row in order.tolist() if real[row]]
    pieces = [group[row].item() for row in kept]
    assert sum(a != b for a, b in pairwise(pieces)) == groups - 1
    held = real[order].view(steps, -1).sum(1)
    assert held.max() - held.min() <= 1


@given(groups=st.integers(2, 12), per_micro=st.integers(1, 3))
def test_micro_batches_of_whole_groups_tear_none(groups, per_micro):
    group = torch.arange(groups * per_micro).repeat_interleave(4)
    order = micro_batches.order(group, torch.ones(len(group), dtype=torch.bool), groups)
    for part in group[order].view(groups, -1):
        assert len(part.unique()) == per_micro


def test_groups_come_in_any_order_and_the_random_state_goes_on_as_that_of_trl():
    group = torch.arange(4).repeat_interleave(2)
    seen = set()
    for seed in range(200):
        torch.manual_seed(seed)
        order = micro_batches.order(group, torch.ones(8, dtype=torch.bool), 4)
        after = torch.rand(1)
        torch.manual_seed(seed)
        shuffle_sequence_dict({"x": group})
        assert torch.equal(after, torch.rand(1))
        seen.add(tuple(group[order][::2].tolist()))
    assert len(seen) == math.factorial(4)


def test_trl_has_its_own_shuffle_back_afterwards():
    stock = grpo_trainer.shuffle_sequence_dict
    with micro_batches.together(2):
        assert grpo_trainer.shuffle_sequence_dict is not stock
        batch = {"x": torch.arange(6), "none": None, "one": torch.tensor(3), "y": list("abcdef")}
        mixed = grpo_trainer.shuffle_sequence_dict(batch)  # no groups: what TRL does
        assert sorted(mixed["y"]) == list("abcdef")
        batch |= {"group": torch.arange(6) // 3, "completion_mask": torch.ones(6, 2)}
        mixed = grpo_trainer.shuffle_sequence_dict(batch)
        assert [mixed["x"].tolist()] == [["abcdef".index(y) for y in mixed["y"]]]
        assert mixed["none"] is None
        assert mixed["one"] == 3
    assert grpo_trainer.shuffle_sequence_dict is stock
    with contextlib.suppress(RuntimeError), micro_batches.together(2):
        raise RuntimeError
    assert grpo_trainer.shuffle_sequence_dict is stock


# --- positions of the shipped configurations ------------------------------------------------

GEO_R = ["task=grpo", "learning_rate=1e-6", "train.batch=256", "per_device=8"]
"""As the head of the files says."""
LANGUAGE = {
    "3b": SimpleNamespace(
        hidden_size=2048, intermediate_size=11008, num_attention_heads=16, num_key_value_heads=2
    ),
    "7b": SimpleNamespace(
        hidden_size=3584, intermediate_size=18944, num_attention_heads=28, num_key_value_heads=4
    ),
}


def counted(run, language, lengths):
    """Positions of stock TRL and of ours, and rows of ours, in the update of one process."""
    size, tokens = run.grpo.generations, plan.tokens_of(run)
    rows = run.train.batch // run.train.processes
    prompt, steps = tokens["image"] + tokens["prompt"], rows // run.train.per_device
    batch = {
        "mask": torch.arange(run.grpo.max_tokens) < torch.as_tensor(lengths)[:, None],
        "group": torch.arange(rows) // size,
    }
    batch = {"completion_mask": batch["mask"].long(), "group": batch["group"]}
    answer = int(batch["completion_mask"].sum(1).max())
    stock, ours, held = rows * (prompt + answer), 0, 0
    with micro_batches.together(steps):
        shuffled = grpo_trainer.shuffle_sequence_dict(batch)
    for part in split_tensor_dict(shuffled, steps):
        mask = part["completion_mask"]
        best = sharing.answers_a_row(language, prompt, float(mask.sum(1).float().mean()))
        dealt = sharing.rows_of(part["group"].tolist(), best, mask.sum(1).tolist())
        first, number = sharing.unique(dealt)
        packed = sharing.pack(
            torch.ones(len(first), prompt, dtype=torch.long),
            torch.ones(len(first), prompt, dtype=torch.long),
            torch.zeros(3, len(first), prompt, dtype=torch.long),
            torch.ones_like(mask),
            mask,
            torch.tensor(number),
            dtype=torch.bfloat16,
        )
        ours, held = ours + packed.input_ids.numel(), held + len(first)
    return stock, ours, held


@pytest.mark.parametrize("size", ["3b", "7b"])
def test_the_eight_gpu_configurations_have_a_third_of_the_positions(size):
    """Where every answer is as long as it may be: 3.67 times fewer, and 8 times fewer photos."""
    run = load(f"qwen2.5-vl-{size}-8xa100", GEO_R)
    stock, ours, rows = counted(run, LANGUAGE[size], [128] * 32)
    assert stock / ours == pytest.approx(3.67, abs=0.01)
    assert rows == 4
    lengths = np.random.default_rng(0).integers(20, 80, 32)  # as answers of a chain are
    stock, ours, _ = counted(run, LANGUAGE[size], lengths)
    assert stock / ours > 5


def test_globe_s_long_answers_share_a_photo_in_fours():
    """1,024 tokens an answer: whole groups of 16 in a row would mostly look past each other."""
    run = load("globe-7b-8xa100")
    stock, ours, rows = counted(run, LANGUAGE["7b"], [1024] * 32)
    assert stock / ours == pytest.approx(1.40, abs=0.01)
    assert rows == 8
    lengths = np.random.default_rng(0).integers(100, 500, 32)  # as traces of reasoning are
    stock, ours, rows = counted(run, LANGUAGE["7b"], lengths)
    assert stock / ours > 3
    assert rows == 2


@pytest.mark.parametrize(
    ("name", "more", "language"),
    [
        ("qwen2.5-vl-7b-8xa100", GEO_R, LANGUAGE["7b"]),
        ("qwen2.5-vl-3b-8xa100", GEO_R, LANGUAGE["3b"]),
        ("globe-7b-8xa100", [], LANGUAGE["7b"]),
        ("globe-7b-8xa100", ["grpo.max_tokens=300"], LANGUAGE["7b"]),
    ],
)
def test_the_plan_tells_the_positions_that_an_update_has(name, more, language):
    """Its sums beside rows that are really laid out."""
    run = load(name, more)
    size = "3B" if "3b" in name else "7B"
    said = plan.positions(run, plan.KNOWN[f"Qwen2.5-VL-{size}"])
    groups = 32 // run.grpo.generations
    stock, ours, rows = counted(run, language, [run.grpo.max_tokens] * 32)
    assert (said.stock * groups, said.rows * groups) == (stock, rows)
    assert said.shared * groups == pytest.approx(ours, rel=0.002)  # a row's last token is no place
    assert said.bound >= said.stock / said.shared


def test_three_times_fewer_up_to_a_length_that_is_told():
    """GLOBE's answers: at the mean that the plan names sharing reaches 3x, and beyond it not."""
    run, shape = load("globe-7b-8xa100"), plan.KNOWN["Qwen2.5-VL-7B"]
    mean = plan.mean_for_bar(run, shape)
    for tokens, enough in ((mean, True), (mean + 3, False)):
        rest = round((16 * tokens - 1024) / 15)  # one runs to the limit, to which stock TRL pads
        stock, ours, _ = counted(run, LANGUAGE["7b"], [*([1024] + [rest] * 15) * 2])
        assert (stock / ours >= 3 * 0.999) == enough
    assert plan.mean_for_bar(load("qwen2.5-vl-7b-8xa100", GEO_R), shape) == 128
    assert plan.mean_for_bar(load("globe-7b-8xa100", ["max_pixels=3136"]), shape) < 400
    assert plan.mean_for_bar(load("globe-7b-8xa100", ["grpo.share_prompts=false"]), shape) == 0


@given(count=st.integers(1, 64), best=st.floats(0.2, 200))
def test_answers_are_dealt_over_the_rows_that_cost_least(count, best):
    """The closed form against every number of rows."""

    def cost(n):
        return best**2 * n / count + count / n  # A / k + B k at k = count / n, by B

    assert cost(plan.rows(count, best)) <= min(map(cost, range(1, count + 1))) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("settings", "shared"),
    [
        (["grpo.share_prompts=false"], False),
        (["grpo.vllm=off"], False),
        (["grpo.vllm=off", "train.strategy=ddp"], True),
        (["task=sft"], False),
    ],
)
def test_positions_are_told_where_prompts_are_shared(settings, shared):
    run = load("qwen2.5-vl-7b-8xa100", [*GEO_R, *settings])
    shape = plan.KNOWN["Qwen2.5-VL-7B"]
    assert (plan.positions(run, shape) is not None) == shared
    told = plan.describe(run, shape)
    assert ("3.67x fewer" in told) == shared
    assert ("prompts are not shared" in told) == (not shared and run.task == "grpo")


def test_the_plan_says_why_three_times_fewer_is_out_of_reach():
    told = plan.describe(load("globe-7b-8xa100"), plan.KNOWN["Qwen2.5-VL-7B"]).splitlines()
    at = next(i for i, line in enumerate(told) if line.startswith("# positions"))
    assert told[at].endswith("18,912, stock TRL 26,496; 1.40x fewer")
    assert told[at + 2] == "#   16 (632 + 1,024) / (632 + 16 x 1,024) = 1.56x"
    assert told[at + 3] == "#   3x up to 457 tokens on average, the longest 1,024"
    assert max(map(len, told[at : at + 4])) <= 80


def test_rows_are_as_long_as_costs_least():
    """The closed form against a search, with the operations of a layer counted one by one."""
    for model in LANGUAGE.values():
        h, i = model.hidden_size, model.intermediate_size
        kv = h * model.num_key_value_heads // model.num_attention_heads
        for prompt, answer in ((632, 128), (632, 1024), (300, 40), (1400, 700)):

            def cost(k, h=h, i=i, kv=kv, prompt=prompt, answer=answer):
                width = prompt + k * answer
                layer = 2 * (2 * h * h + 2 * h * kv + 3 * h * i)  # q, o; k, v; the MLP
                return width * (layer + 4 * h * width) / k  # scores, and values by them

            best = min(range(1, 200), key=cost)
            found = sharing.answers_a_row(model, prompt, answer)
            assert cost(found) <= 1.02 * cost(best)


def test_answers_are_dealt_evenly_over_rows():
    assert sharing.rows_of([0] * 8, 5, [7] * 8) == [(0, 0), (0, 1)] * 4
    assert sharing.rows_of([3, 3, 9], 100, [1, 2, 3]) == [(3, 0), (3, 0), (9, 0)]
    assert sharing.rows_of([3, 9, 3], 1, [5, 5, 4]) == [(3, 0), (9, 0), (3, 1)]
    assert sharing.rows_of([3, 9, 3], 1, [0, 0, 0]) == [(3, 0), (9, 0), (3, 1)]  # each its own
    # each prompt by the lengths of its own answers: 9 | 1 1 and 1 1 | 9
    mixed = sharing.rows_of([3, 3, 3, 9, 9, 9], 1.5, [9, 1, 1, 1, 1, 9])
    assert [row for _, row in mixed] == [0, 1, 1, 1, 1, 0]
    long = sharing.rows_of([1] * 5, 2.5, [1, 1, 9, 4, 4])
    assert {row for (_, row), size in zip(long, [1, 1, 9, 4, 4], strict=True) if size == 4} == {1}


# --- what is refused and told ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("train.per_device=4 train.batch=64", "use 8 or 16"),
        ("train.per_device=12 train.batch=96", "use 8 or 16"),
        ("train.per_device=20 train.batch=160 grpo.generations=5", None),
        ("train.per_device=2 train.batch=8", "use 8,"),
        ("train.per_device=4 train.batch=64 grpo.share_prompts=false", None),
        ("train.per_device=4 train.batch=64 task=sft", None),
    ],
)
def test_micro_batches_that_tear_groups_are_refused_with_the_sizes_that_do_not(settings, said):
    run = load(None, ["task=grpo", *settings.split(" ")])
    if said is None:
        check(run, 1)
        return
    with pytest.raises(ConfigError, match=r"tears groups of grpo\.generations = 8 apart") as error:
        check(run, 1)
    assert said in str(error.value)
    assert "grpo.share_prompts=false" in str(error.value)


def test_a_group_over_several_processes_is_not_refused():
    """No size keeps it whole."""
    run = load(None, ["task=grpo", "train.batch=8", "train.per_device=4"])
    check(run, 2)


@pytest.fixture
def small_run(tmp_path):
    torch.set_num_threads(1)
    settings = [*SMALL, "task=grpo", f"data.places={write_places(tmp_path)}", "train.batch=16"]
    more = ["train.per_device=8", "grpo.generations=4", "grpo.max_tokens=8"]
    return load(None, [*settings, *more, f"output={tmp_path / 'out'}"])


def test_the_log_says_why_prompts_are_not_shared(small_run, capsys, monkeypatch):
    trainer = grpo.build(small_run)
    assert trainer._share
    assert "prompts" not in capsys.readouterr().out
    monkeypatch.setattr(trainer.model.config, "_attn_implementation", "flash_attention_2")
    trainer.share_prompts(True)
    assert not trainer._share
    assert "model.attention=flash_attention_2 takes no mask" in capsys.readouterr().out
    monkeypatch.setattr(trainer.model.config, "model_type", "other")
    trainer.share_prompts(True)
    assert "qwen2_5_vl and qwen2_vl, and the model is other" in capsys.readouterr().out
    monkeypatch.setattr(trainer.accelerator.state, "distributed_type", "DistributedType.FSDP")
    trainer.share_prompts(True)
    assert "FSDP shards the weights" in capsys.readouterr().out
    trainer.share_prompts(False)  # asked for: nothing to tell
    assert capsys.readouterr().out == ""


def test_a_batch_without_groups_is_shuffled_as_trl_does():
    """Rows in the order they were asked for would bring each prompt into one update alone."""
    batch = {"y": list("abcdefgh")}
    torch.manual_seed(3)
    drawn = grpo_trainer.shuffle_sequence_dict(batch)["y"]
    torch.manual_seed(3)
    with micro_batches.together(4):
        mixed = grpo_trainer.shuffle_sequence_dict(batch)["y"]
    assert mixed == drawn != batch["y"]


def test_micro_batches_of_a_run_hold_whole_groups(small_run):
    trainer = grpo.build(small_run)
    held = []
    stock = trainer._compute_loss
    trainer._compute_loss = lambda model, part: held.append(part["group"]) or stock(model, part)
    trainer.args.max_steps = 2
    trainer.train()
    assert len(held) >= 4
    assert all(len(group) == 8 and len(group.unique()) == 2 for group in held)
