"""How many positions an update goes over, by hand (georl.plan.sharing)."""

import pytest

from georl import plan
from georl.config import load
from georl.plan import sharing

SHAPE = plan.Shape(
    parameters=1000, vision_parameters=200, layers=3, hidden=8, intermediate=20, kv_width=4,
    vocabulary=50, tied=False, vision_layers=2, vision_hidden=6, vision_intermediate=10,
)  # fmt: skip


@pytest.mark.parametrize("best", [0.5, 1.0, 2.0, 3.7, 5.0, 16.0, 40.0])
@pytest.mark.parametrize("count", [1, 2, 7, 16])
def test_rows_cost_least(count, best):
    """With A = best^2 and B = 1, an answer in n rows costs A n / count + count / n."""
    costs = {n: best**2 * n / count + count / n for n in range(1, count + 1)}
    assert costs[sharing.rows(count, best)] == pytest.approx(min(costs.values()))


def test_of_two_that_cost_the_same_the_fewer_rows_are_taken():
    best = 24.5**0.5
    assert 2 * best**2 == 7**2  # 7 answers in one row, or in two
    assert sharing.rows(7, best) == 1


def test_how_many_answers_a_row_should_hold_by_hand():
    """L = 10 + 4 + 1.5 x 20 = 44 and P = 100: sqrt(100 x 144) / C."""
    assert sharing.answers_a_row(10, 4, 20, 100, 30.0) == pytest.approx(4.0)
    assert sharing.answers_a_row(10, 4, 20, 100, 0.5) == pytest.approx(120.0)  # a token at least


@pytest.mark.parametrize("keys", [2, 2000])
def test_the_mean_up_to_which_sharing_pays_by_hand(keys):
    """16 answers of at most 400 tokens to a prompt of 220."""
    shape = plan.Shape(**{**vars(SHAPE), "kv_width": 2 * keys})
    given = ["task=grpo", "name=x", "max_pixels=78400", "grpo.max_tokens=400",
             "grpo.generations=16"]  # fmt: skip
    run = load(None, given)
    assert sharing.BAR == 3.0
    full = sharing.positions(run, shape)
    found = sharing.mean_for_bar(run, shape)
    page = plan.describe(run, shape)
    assert f"\n#   3x up to {found:,} tokens on average, the longest 400\n" in page
    assert 0 < found < 400

    def fits(other):
        mean = (400 + 15 * other) / 16
        best = sharing.answers_a_row(8, keys, 20, 220, mean)
        lengths = [400, *[other] * 15]
        held = [0] * sharing.rows(16, best)
        for length, at in zip(lengths, sharing.deal(lengths, best), strict=True):
            held[at] += length
        return 3 * len(held) * (220 + max(held)) <= full.stock

    best = max(other for other in range(1, 401) if fits(other))
    assert found == int((400 + 15 * best) / 16)


def test_a_mean_may_be_that_of_answers_of_one_token_beside_the_longest():
    """4 answers to a prompt of 121, the longest 192: with 2 tokens more they lie in two rows."""
    given = ["task=grpo", "name=x", "max_pixels=784", "grpo.generations=4"]
    run = load(None, [*given, "grpo.max_tokens=192"])
    assert 3 * (121 + 195) <= 4 * (121 + 192) < 3 * 2 * (121 + 192)
    assert sharing.mean_for_bar(run, SHAPE) == int((192 + 3) / 4)


def test_a_mean_may_be_the_one_at_which_sharing_is_just_so_many_times_fewer():
    """4 answers to a prompt of 122 in one row, the longest 58, the others 20."""
    given = ["task=grpo", "name=x", "max_pixels=1568", "grpo.generations=4"]
    run = load(None, [*given, "grpo.max_tokens=58"])
    assert 3 * (122 + 58 + 3 * 20) == 4 * (122 + 58)
    assert sharing.mean_for_bar(run, SHAPE) == int((58 + 3 * 20) / 4) == 29


def test_keys_and_values_count_in_what_a_position_costs():
    """L = 8 + 2000 + 30, so a row holds sqrt(220 (2038 + 220)) / 100 = 7.05 of 16 answers."""
    given = ["task=grpo", "name=x", "max_pixels=78400", "grpo.generations=16"]
    run = load(None, [*given, "grpo.max_tokens=100"])
    shape = plan.Shape(**{**vars(SHAPE), "kv_width": 4000})
    assert sharing.positions(run, shape).rows == 2


def test_answers_are_dealt_to_the_shortest_row():
    assert sharing.deal([5, 9, 7, 1], 2) == [1, 0, 1, 0]
    assert sharing.deal([0, 0, 0, 0], 2) == [0, 1, 0, 1]  # an empty one takes a place too
    assert sharing.deal([3, 3, 3], 1) == [0, 1, 2]
    assert sharing.deal([4], 9) == [0]
    assert sharing.deal([2, 1, 1], 2) == [0, 1, 1]  # two of one token are as long as one of two


def test_positions_of_a_group_by_hand():
    found = sharing.Positions(8, 600, 100, 2)
    assert (found.stock, found.shared) == (8 * 700, 2 * 600 + 8 * 100)
    assert found.bound == pytest.approx(8 * 700 / (600 + 800))
    given = ["task=grpo", "name=x", "max_pixels=78400", "grpo.max_tokens=40", "grpo.generations=4"]
    made = sharing.positions(load(None, given), SHAPE)
    assert (made.generations, made.prompt, made.answer) == (4, 220, 40)
    for more, shared in (
        (["task=sft"], False), (["grpo.share_prompts=false"], False), ([], True),
        (["strategy=fsdp"], False), (["strategy=deepspeed"], False),
        (["strategy=fsdp", "grpo.vllm=server"], True), (["strategy=ddp"], True),
    ):  # fmt: skip
        run = load(None, [*given, *more])
        assert (sharing.positions(run, SHAPE) is not None) == shared, more
        assert (sharing.mean_for_bar(run, SHAPE) > 0) <= shared


def test_what_is_said_of_positions():
    run = ["task=grpo", "name=x", "max_pixels=78400", "grpo.generations=4"]
    text = plan.describe(load(None, [*run, "grpo.share_prompts=false"]), SHAPE)
    assert "\n# positions of an update: prompts are not shared, each answer has its own\n" in text
    text = plan.describe(load(None, [*run, "grpo.max_tokens=2000"]), SHAPE)
    made = sharing.positions(load(None, [*run, "grpo.max_tokens=2000"]), SHAPE)
    assert f"{made.shared:,}, stock TRL {made.stock:,}; {made.stock / made.shared:.2f}x" in text
    assert (
        "\n#   with answers that long no layout gives more than\n#   4 (220 + 2,000) / (220 + 4 x "
        f"2,000) = {made.bound:.2f}x\n" in text
    )
    assert "positions" not in plan.describe(load(None, run[1:]), SHAPE)
    # 4 (160 + 20) is just 3 (160 + 4 x 20)
    just = load(None, [*run, "max_pixels=31360", "grpo.max_tokens=20"])
    text = plan.describe(just, SHAPE)
    assert "in an update: 240, stock TRL 720; 3.00x fewer\n# estimated memory" in text
    few = plan.describe(load(None, [*run, "grpo.generations=64", "grpo.max_tokens=4"]), SHAPE)
    assert "no layout gives more" not in few
