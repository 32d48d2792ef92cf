"""Rewards of a batch whose rows differ, and what a reward of one's own is bound with."""

import inspect
import math
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from georl import rewards
from georl.config import ConfigError, RewardConfig
from georl.rewards import binding, by_path, chains, entities, globe, inputs, spoken

PARIS, LYON, TOKYO = (48.8566, 2.3522), (45.7640, 4.8357), (35.6812, 139.7671)


def said(place, head=""):
    return f"{head}({place[0]:.4f}, {place[1]:.4f})"


# ---- rows


def test_each_row_is_held_against_its_own_truth():
    """The first answers nothing, and no two truths are alike."""
    texts = ["no idea", said(LYON), said(TOKYO), "", said(PARIS), said(TOKYO)]
    truth = [PARIS, PARIS, TOKYO, LYON, PARIS, LYON]
    lat, lon = zip(*truth, strict=True)
    assert rewards.region(texts, lat, lon) == [0.0, pytest.approx(1 / 3), 1.0, 0.0, 1.0, 0.0]
    near = rewards.geo_r(texts, lat, lon)
    assert [r == 1.0 for r in near] == [False, False, True, False, True, False]
    assert near[1] == pytest.approx(1 - 0.5 * 391.5 / 750, abs=1e-3)  # Paris to Lyon
    release = rewards.geo_r_release(texts, lat, lon)
    assert release == pytest.approx([(n + (n > 0)) / 2 for n in near[:5]] + [release[5]], abs=1e-4)
    assert rewards.distance([texts[1]], [PARIS[0]], [PARIS[1]]) == [near[1]]


def test_levels_are_counted_that_the_truth_has():
    """Sydney and the outback of New South Wales; Agadez and the desert of its region."""
    sydney, outback = (-33.8688, 151.2093), (-31.0, 143.0)
    agadez, desert = (16.9742, 7.9865), (23.0, 12.0)
    chain = chains.at(*np.array([sydney, outback, agadez, desert]).T)
    assert [one["city"] is None for one in chain] == [False, True, False, True]
    texts, truth = [said(p) for p in (outback, sydney, agadez, desert)], (
        sydney, outback, desert, agadez,
    )  # fmt: skip
    got = rewards.region(texts, *zip(*truth, strict=True))
    assert got == pytest.approx([2 / 3, 1.0, 1.0, 2 / 3])


def test_the_names_of_a_row_go_with_its_own_coordinate():
    texts = ["Country: Japan", said(PARIS, "Country: Japan\n"), "x",
             said(TOKYO, "Country: Japan\n"), said(PARIS, "Country: France\n"),
             said(PARIS)]  # fmt: skip
    assert rewards.consistency(texts) == [0.0, 0.0, 0.0, 1.0, 1.0, 0.0]
    assert rewards.held(texts) == [None, False, None, True, True, None]
    assert rewards.chain(texts) == [0.0, 1.0, 0.0, 1.0, 1.0, 0.0]


def test_labels_of_a_point_bear_their_names():
    (tokyo, paris) = chains.at(np.array([TOKYO[0], PARIS[0]]), np.array([TOKYO[1], PARIS[1]]))
    assert list(tokyo) == ["country_code", "admin1", "admin1_code", "city"]
    assert (tokyo["country_code"], tokyo["admin1"], tokyo["admin1_code"]) == (
        "JP", "Tokyo", "JP-13",
    )  # fmt: skip
    assert (paris["country_code"], paris["city"]) == ("FR", "Paris")


@pytest.mark.parametrize(
    ("country", "name", "code"),
    [
        ("Pakistan", "Punjab", "PK-PB"),
        ("India", "Punjab", "IN-PB"),
        ("Netherlands", "Limburg", "NL-LI"),
    ],
)
def test_a_region_is_looked_for_inside_its_country(country, name, code):
    """Two countries have one of that name; the label is in another language here."""
    answer = SimpleNamespace(country=country, admin1=name)
    chain = {"country_code": code[:2], "admin1": "x", "admin1_code": code, "city": None}
    assert chains.consistent(answer, chain, {}) == 1.0
    assert chains.consistent(answer, {**chain, "admin1_code": "FR-BRE"}, {}) == 0.5


def test_a_curve_of_rewards_bends_where_it_is_told_to():
    """Any number of knots; constant before the first and behind the last."""
    km = math.degrees(1 / 6371.0088)  # degrees of the equator
    texts = [f"(0.0, {d * km:.12f})" for d in (50.0, 150.0, 250.0, 450.0)]
    got = rewards.geo_r(
        texts, [0.0] * 4, [0.0] * 4, knots_km=(100, 200, 300), values=(0.8, 0.4, 0.0)
    )
    assert got == pytest.approx([0.8, 0.6, 0.2, 0.0], abs=1e-5)
    up = rewards.distance(texts, [0.0] * 4, [0.0] * 4, knots_km=(0, 500), values=(0.0, 1.0))
    assert up == pytest.approx([0.1, 0.3, 0.5, 0.9], abs=1e-5)
    for knots in ((0, 0), (0, 1, 1)):
        with pytest.raises(ValueError, match="must increase"):
            rewards.geo_r(texts, [0.0] * 4, [0.0] * 4, knots_km=knots, values=[0.5] * len(knots))
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        rewards.geo_r(texts, [0.0] * 4, [0.0] * 4, knots_km=(0, 1), values=(1.1, 0.0))
    with pytest.raises(ValueError, match="as many of each"):
        rewards.geo_r(texts, [0.0] * 4, [0.0] * 4, knots_km=[[0, 1], [2, 3]], values=[[1, 0]] * 2)


def test_distances_of_any_size_have_their_rewards():
    """A quarter of the way round, and scales and knots of less than a kilometre."""
    a_quarter = 6371.0 * math.pi / 2
    near = round(0.2 - 0.2 * (a_quarter - 3000) / 17000, 4)
    assert rewards.geo_r_release(["(0.0, 90.0)"], [0.0], [0.0]) == [pytest.approx((near + 1) / 2)]
    assert rewards.geo_r(["(0.0, 90.0)"], [0.0], [0.0]) == [
        pytest.approx(0.2 - 0.2 * (a_quarter - 2500) / 17500, abs=1e-6)
    ]
    a_degree = 6371.0 * math.pi / 180
    text = [f"(0.0, {0.25 / a_degree:.12f})"]
    assert rewards.exponential(text, [0.0], [0.0], scale_km=0.5) == [
        pytest.approx(math.exp(-0.5), abs=1e-5)
    ]
    got = rewards.geo_r(text, [0.0], [0.0], knots_km=(0.0, 0.5), values=(1.0, 0.0))
    assert got == [pytest.approx(0.5, abs=1e-5)]


@pytest.mark.parametrize("column", [list, tuple, pd.Series, np.array, lambda v: [*map(int, v)]])
def test_truths_of_every_kind_are_the_same_numbers(column):
    lat, lon = inputs.truth(3, column([1.0, 2.0, 3.0]), column([4.0, 5.0, 6.0]))
    assert (lat.tolist(), lon.tolist()) == ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])


def test_a_bad_value_of_a_reward_is_told_by_the_first_row_that_has_one():
    made = rewards.combine([lambda completions, **_: [0.5, math.nan, 0.5, -math.inf]], [1.0])
    with pytest.raises(ValueError, match="gave nan in row 1; a reward is a finite number"):
        made("abcd")
    with pytest.raises(ValueError, match=r"gave shape \(1,\) for 2 completions; it must give one"):
        rewards.combine([lambda completions, **_: [0.5]], [1.0])("ab")


# ---- the parts of an answer


@pytest.mark.parametrize(
    "text",
    ["<answer>city: A<answer>city: B</answer>", "city: A</answer>", "<answer>city: A",
     "<answer>city: A</answer><answer>", "<answer>A</answer></think>city: B</answer>",
     "</answer><answer>city: A</answer>"],
)  # fmt: skip
def test_a_block_that_opens_or_ends_twice_or_never_says_nothing(text):
    assert spoken.answer(text) == ""
    assert spoken.names(text) == (None, None)


def test_a_text_of_so_many_signs_is_read_and_one_more_is_not():
    found = "{'LOC': [1.0, 2.0]}"
    text = " " * (65536 - len(found)) + found
    assert inputs.release_pair(text) == (1.0, 2.0)
    assert inputs.release_pair(f" {text}") is None
    for far in ("-90.001, 2.0", "1.0, -180.001"):
        assert inputs.release_pair(f"{{'LOC': [{far}]}}") is None


def test_a_city_is_not_the_state_of_another():
    assert globe._city("Austin, Dallas") == "Austin, Dallas"
    assert globe._city("Austin, Ontario") == "Austin, Ontario"
    assert globe._city("Portland, Oregon") == "Portland"


def test_a_thing_is_found_where_it_overlaps_itself():
    assert entities.share("one a-- there", ["--"]) == 0.0
    assert entities.share("one a--- there", ["--"]) == 1.0


def test_blanks_between_marks_are_no_items_of_a_list():
    assert entities.share("a dog, " * 7 + ", , ; , .", ["dog"]) == 1.0
    assert entities.share("a dog, " * 8 + ", , ; , .", ["dog"]) == 0.0


# ---- rewards by name


def bind(function, weight=1.0, **arguments):
    config = RewardConfig({"own": weight}, {"own": arguments})
    (made,) = rewards.bind_rewards(SimpleNamespace(own=function), config)
    return made


def test_a_reward_of_one_s_own_is_not_called_before_it_is_needed():
    """Only ours are pure: another may ask a server, or refuse a photo that is none."""
    calls = []

    def own(completions, k=1, **columns):
        calls.append(k)
        raise ValueError("not yet")

    made = bind(own, k=2)
    assert calls == []
    with pytest.raises(rewards.RewardError, match="failed on 1 answers: ValueError: not yet"):
        made(["x"])
    assert calls == [2]


@pytest.mark.parametrize(
    "value", [torch.tensor([1.0, 2.0]), np.array([1.0, 2.0]), b"high", "0.5", [], {}]
)
def test_what_is_no_single_number_is_told_and_not_guessed(value):
    with pytest.raises(rewards.RewardError, match=r"^reward 'own' gave .* for answer 1; give None"):
        bind(lambda completions, **_: [0.5, value])(["a", "b"])


def test_a_failure_is_told_by_the_line_where_it_happened():
    """Inside a function that the reward calls, not where the reward was called."""

    def own(completions, **columns):
        return inner(columns)

    def inner(columns):
        return columns["gone"]

    line = inspect.getsourcelines(inner)[1] + 1
    with pytest.raises(rewards.RewardError) as error:
        bind(own)(["a", "b"])
    assert str(error.value) == (
        f"reward 'own' failed on 2 answers: KeyError: 'gone' (test_rows_in_order.py, line {line})"
    )
    assert isinstance(error.value.__cause__, KeyError)


@pytest.mark.parametrize("weight", [-1.0, 0.5, 2])
def test_a_weight_may_be_any_finite_number_but_all_of_0(weight):
    assert bind(lambda completions: [1.0], weight)(["x"]) == [1.0]
    with pytest.raises(ConfigError, match="are all 0"):
        bind(lambda completions: [1.0], weight * 0)


@pytest.mark.parametrize("given", [{"geo_r": 1.0, "chain": -1.0}, {"geo_r": -0.5, "chain": 0.5}])
def test_weights_may_cancel_each_other_out(given):
    """What one takes away another gives: their sum says nothing."""
    assert len(rewards.bind_rewards(rewards, RewardConfig(given))) == 2
    chosen = rewards.bind_given(rewards, ["geo_r", "chain"], RewardConfig(given))
    assert chosen.settings.weights == given


def test_of_several_rewards_each_has_its_own_arguments_and_place():
    def first(completions, k=0, **_):
        return [float(k)] * len(completions)

    def second(completions, k=0, **_):
        return [float(-k)] * len(completions)

    module = SimpleNamespace(first=first, second=second)
    config = RewardConfig({"second": 0.0, "first": 1.0}, {"first": {"k": 3}, "second": {"k": 4}})
    made = rewards.bind_rewards(module, config)
    assert [one.__name__ for one in made] == ["second", "first"]
    assert [one(["x"]) for one in made] == [[-4.0], [3.0]]
    given = RewardConfig({"second": 0.5}, {"second": {"k": 7}, "first": {"k": 8}})
    chosen = rewards.bind_given(module, ["first", "second"], given)
    assert chosen.settings.weights == {"first": 1.0, "second": 0.5}
    assert chosen.settings.arguments == {"second": {"k": 7}, "first": {"k": 8}}
    assert [one(["x"]) for one in chosen.functions] == [[8.0], [-7.0]]
    only_logged = RewardConfig({"second": 0.0})
    chosen = rewards.bind_given(module, ["second", "first"], only_logged)
    assert chosen.settings.weights == {"second": 0.0, "first": 1.0}
    with pytest.raises(ConfigError, match="no reward with a weight"):
        rewards.bind_given(module, ["second"], RewardConfig({"second": 0.0}))
    with pytest.raises(ConfigError, match=r"^two rewards are called 'first'"):
        rewards.bind_given(module, ["first", first], RewardConfig())


def test_a_function_in_python_stands_before_one_of_ours_of_its_name():
    def geo_r(completions, **columns):
        return [0.25] * len(completions)

    chosen = rewards.bind_given(rewards, [geo_r], RewardConfig())
    assert chosen.functions[0](["(1.0, 2.0)"], lat=[1.0], lon=[2.0]) == [0.25]


def test_chats_are_read_as_their_answers():
    chat = [{"role": "assistant", "content": "{'LOC': [1.0, 2.0]}"}]
    other = [{"role": "assistant", "content": "(1.0, 2.0)"}]
    for name, read in (("geo_r_release", [True, True, False]), ("geo_r", [False, True, False])):
        config = RewardConfig({name: -1.0})
        bound = rewards.bind_rewards(rewards, config)
        assert binding.valid(bound, config, [chat, other, None]) == read


def test_functions_of_a_package_are_its_rewards_and_those_of_one_of_like_name_are_not(
    tmp_path, monkeypatch
):
    """`mine.inner` is of `mine`; `mine_tools` begins alike and is another."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "inner.py").write_text("def deep(completions): return [2.0]\n")
    (tmp_path / "mine_tools.py").write_text("def tool(completions): return [3.0]\n")
    (tmp_path / "mine" / "__init__.py").write_text(
        "from mine.inner import deep\nfrom mine_tools import tool\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("mine", "mine.inner", "mine_tools"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import mine

    (made,) = rewards.bind_rewards(mine, RewardConfig({"deep": 1.0}))
    assert made(["x"]) == [2.0]
    with pytest.raises(ConfigError, match="unknown reward 'tool'"):
        rewards.bind_rewards(mine, RewardConfig({"tool": 1.0}))
    for name in ("mine", "mine.inner", "mine_tools"):
        monkeypatch.delitem(sys.modules, name, raising=False)


# ---- what is called, and how


async def later(completions, k=0, **columns):
    return [float(k)]


class Waits:
    async def __call__(self, completions, **columns):
        return [0.5]


class Answers:
    def __call__(self, completions, **columns):
        return [0.5]


@pytest.mark.parametrize(
    ("function", "name", "waits"),
    [
        (later, "later", True), (partial(later, k=1), "later", True),
        (partial(partial(later, k=1), k=2), "later", True), (Waits(), "Waits", True),
        (partial(Waits()), "Waits", True), (Answers(), "Answers", False),
        (partial(Answers()), "Answers", False), (partial(len), "len", False),
    ],
)  # fmt: skip
def test_partial_functions_and_objects_are_called_by_what_they_hold(function, name, waits):
    assert by_path.name_of(function) == name
    assert by_path.is_async(function) is waits


def test_what_cannot_be_called_is_shown_short():
    with pytest.raises(ConfigError) as error:
        by_path.name_of("x" * 100)
    assert str(error.value) == (
        f"reward_funcs has {repr('x' * 100)[:60]}; give a function or the name of one"
    )


def test_a_name_that_is_only_somewhat_alike_is_suggested(tmp_path, monkeypatch):
    """By a third of its letters, more or less; below that all names are told."""
    for name, near in (("length", "exponential"), ("iou", "region")):
        with pytest.raises(
            ConfigError, match=rf"^unknown reward '{name}' .*; did you mean {near}\?"
        ):
            rewards.bind_rewards(rewards, RewardConfig({name: 1.0}))
    with pytest.raises(ConfigError, match=r"^unknown reward 'km' .*; there are "):
        rewards.bind_rewards(rewards, RewardConfig({"km": 1.0}))
    (tmp_path / "lengths_here.py").write_text("def Length(completions): return []\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lengths_here", raising=False)
    with pytest.raises(ConfigError, match=r"did you mean lengths_here:Length\?$"):
        by_path.load("lengths_here:let")
    with pytest.raises(ConfigError, match=r"; write package\.module:function$"):
        by_path.load("lengths_here:bits")
    with pytest.raises(ConfigError, match=r"'lengths_here' has no function 'Length:x'; did you"):
        by_path.load("lengths_here:Length:x")
    monkeypatch.delitem(sys.modules, "lengths_here")
