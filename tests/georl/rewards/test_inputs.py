"""What a reward reads, at its bounds; what it is bound with (georl.rewards)."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from georl import rewards
from georl.config import ConfigError, RewardConfig
from georl.endpoints import EndpointError
from georl.rewards import binding, by_path, chains, entities, inputs, spoken, verdicts


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("{'LOC': [90, 180]}", (90.0, 180.0)),
        ("{'LOC': [-90.0, -180.0]}", (-90.0, -180.0)),
        ('{"LOC" : [+1.5 ,  2]}', (1.5, 2.0)),
        ("{'LOC': [90.001, 2.0]}", None),
        ("{'LOC': [1.0, 180.001]}", None),
        ("{'LOC': [1.0, 2.0]} {'LOC': [1.0, 2.0]}", None),
        ("{'LOC': [1.0, 2.0]} (3.0, 4.0)", None),
        ("(3.0, 4.0)", (3.0, 4.0)),
        ("{'loc': [1.0, 2.0]}", None),
        ("{'LOC': [1.0]}", None),
        ("{'LOC':     [1.0, 2.0]}", None),
        ("{'LOC': [1.0, 2.0]}" + " " * 10**6, None),
    ],
)
def test_the_released_form_at_its_bounds(text, pair):
    found = inputs.release_pair(text)
    assert found == pair
    if pair is not None:
        assert all(math.copysign(1.0, value) > 0 or value < 0 for value in found)
    assert math.copysign(1.0, inputs.release_pair("{'LOC': [-0, -0.0]}")[0]) == 1.0
    assert math.copysign(1.0, inputs.release_pair("{'LOC': [-0, -0.0]}")[1]) == 1.0


def test_the_last_turn_of_the_assistant_is_what_is_said():
    turns = [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"},
             {"role": "assistant", "content": "c"}, {"role": "tool", "content": "d"}]  # fmt: skip
    parts = [{"type": "text", "text": "x"}, {"type": "image"}, "y", 3]
    said = inputs.texts(
        [turns, [{"content": parts}], {"content": "z"}, ({"content": "t"},), 5, "s"]
    )
    assert said == ["c", "xy", "z", "t", "", "s"]


def test_rows_and_pairs_stay_together():
    found = inputs.rows([None, (1.0, 2.0), None, (3.0, 4.0)])
    assert found[0] == [1, 3]
    assert found[1].tolist() == [1.0, 3.0]
    assert found[2].tolist() == [2.0, 4.0]
    assert [len(part) for part in inputs.rows([None])] == [0, 0, 0]


def test_a_truth_of_another_length_or_off_the_globe_is_named():
    for lat, lon in (([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0])):
        with pytest.raises(ValueError, match=r"2 completions, . lat and . lon; the columns must"):
            inputs.truth(2, lat, lon)
    with pytest.raises(ValueError, match=r"row 1 is lat=91.0, lon=1.0, which is no place"):
        inputs.truth(3, [1.0, 91.0, 95.0], [1.0, 1.0, 1.0])
    lat, lon = inputs.truth(2, [90.0, -90.0], [180.0, -180.0])
    assert np.abs(lat).tolist() == [90.0, 90.0]


def test_agreement_stops_at_the_first_level_that_differs():
    true = {"country_code": "FR", "admin1": "A", "city": "C"}
    assert chains.agreement({"country_code": "FR", "admin1": "B", "city": "C"}, true) == 1 / 3
    assert chains.agreement(true, {**true, "admin1": None}) == 1.0
    assert chains.agreement({**true, "city": None}, {**true, "city": None}) == 1.0


def test_weights_are_shared_out_and_values_checked():
    both = rewards.combine(
        [lambda completions, **_: [1.0] * len(completions), rewards.format], [3, 1]
    )
    assert both(["x"]) == [0.75]
    for values, said in (([1.0, math.inf], "gave inf in row 1"), ([[1.0], [2.0]], "gave shape")):
        bad = rewards.combine([lambda completions, values=values, **_: values], [2])
        with pytest.raises(ValueError, match=said):
            bad(["x", "y"])


# --- what is bound --------------------------------------------------------------------------


def bound(weights, arguments=None, module=rewards):
    return rewards.bind_rewards(module, RewardConfig(weights, arguments or {}))


def test_a_weight_of_0_only_logs_and_all_of_0_teach_nothing():
    config = RewardConfig({"geo_r": 1.0, "think_format": 0.0})
    functions = rewards.bind_rewards(rewards, config)
    assert binding.valid(functions, config, ["(1.0, 2.0)", "x"]) == [True, False]
    turned = RewardConfig({"geo_r": 0.0, "think_format": 1.0})
    functions = rewards.bind_rewards(rewards, turned)
    assert binding.valid(functions, turned, ["(1.0, 2.0)", "x"]) == [True, True]
    assert binding.valid(functions, turned, []) == []
    with pytest.raises(ConfigError, match="are all 0; give at least one reward a weight"):
        bound({"geo_r": 0.0})
    with pytest.raises(
        ConfigError, match=r"has \['distance'\], which rewards.weights does not use"
    ):
        bound({"geo_r": 1.0}, {"distance": {}})
    with pytest.raises(ConfigError, match=r"rewards\.weights has geo_r: inf"):
        bound({"geo_r": math.inf})
    with pytest.raises(ConfigError, match=r"unknown reward 'qqqqqq' .weight 2.0.; there are"):
        bound({"qqqqqq": 2.0})


def test_what_a_reward_can_read_follows_its_arguments():
    texts = ["(1.0, 2.0)", "1 N, 2 E", "{'LOC': [1.0, 2.0]}", "x"]
    for name, arguments, read in (
        ("geo_r", {}, [True, False, False, False]),
        ("distance", {}, [True, False, False, False]),
        ("distance", {"tolerant": False}, [True, False, False, False]),
        ("distance", {"tolerant": True}, [True, True, None, False]),
        ("geo_r_release", {}, [True, False, True, False]),
        ("think_format", {}, [True] * 4),
    ):
        config = RewardConfig({name: 1.0}, {name: arguments})
        found = binding.valid(rewards.bind_rewards(rewards, config), config, texts)
        assert [a for a, b in zip(found, read, strict=True) if b is not None] == [
            b for b in read if b is not None
        ]


def test_an_answer_counts_that_any_weighed_reward_can_read_in_any_order():
    texts = ["(1.0, 2.0)", "{'LOC': [1.0, 2.0]}", "1 N, 2 E", "x"]

    def never(completions, **columns):
        return [0.0] * len(completions)

    never.valid = lambda completions: [0] * len(completions)  # read as false
    for names in (["geo_r_release", "geo_r", "never"], ["never", "geo_r", "geo_r_release"]):
        module = SimpleNamespace(
            geo_r=rewards.geo_r, geo_r_release=rewards.geo_r_release, never=never
        )
        config = RewardConfig(dict.fromkeys(names, 1.0))
        found = binding.valid(rewards.bind_rewards(module, config), config, texts)
        assert found == [True, True, False, False]
        assert {type(one) for one in found} == {bool}


def test_arguments_win_over_columns_and_functions_keep_their_words():
    def mine(completions, k=1, **columns):
        """What it does."""
        return [k + columns["lat"][0]] * len(completions)

    module = SimpleNamespace(mine=mine)
    (made,) = bound({"mine": 1.0}, {"mine": {"k": 5}}, module)
    assert (made.__name__, made.__doc__) == ("mine", "What it does.")
    assert made(["x"], k=100, lat=[2.0]) == [7.0]
    assert made.valid is None

    def maker(k=1):
        return lambda completions, **_: [float(k)] * len(completions)

    maker.builds_reward = True
    (made,) = bound({"maker": 1.0}, {"maker": {"k": 3}}, SimpleNamespace(maker=maker))
    assert made(["x", "y"]) == [3.0, 3.0]


def test_photos_are_named_where_there_are_any():
    (made,) = bound({"f": 1.0}, module=SimpleNamespace(f=lambda completions, **_: [None, math.nan]))
    with pytest.raises(rewards.RewardError, match=r"nan for answer 1 \(photo 'b'\); give None"):
        made(["x", "y"], id=["a", "b"])
    with pytest.raises(rewards.RewardError, match=r"nan for answer 1; give None"):
        made(["x", "y"])
    for value in ("3", [1], object()):
        f = SimpleNamespace(f=lambda completions, value=value, **_: [value])
        (made,) = bound({"f": 1.0}, module=f)
        with pytest.raises(rewards.RewardError, match="for answer 0"):
            made(["x"])


def test_names_of_what_is_called():
    from functools import partial

    class Kind:
        def __call__(self, completions):
            return []

    def plain(completions):
        return []

    assert by_path.name_of(partial(partial(plain))) == "plain"
    assert by_path.name_of(Kind()) == "Kind"
    assert not by_path.is_async(partial(plain))
    assert not by_path.is_async(Kind())


# --- words ----------------------------------------------------------------------------------


def test_a_judge_says_yes_or_no_in_any_dress():
    assert verdicts.verdict({"Yes": 0.5}) == 1.0
    assert verdicts.verdict({"NO.": 0.5}) == 0.0
    assert verdicts.verdict({"▁yes": 0.25, "Ġ'Yes'": 0.25, "no\n": 0.5}) == 0.5
    with pytest.raises(EndpointError, match=r"its first tokens are \['a', 'b', 'c', 'd', 'e'\]"):
        verdicts.verdict(dict.fromkeys("abcdef", 0.1))


def test_entities_stand_as_words_at_the_ends_too():
    assert entities.share("tram", ["tram"]) == 1.0
    assert entities.share("trams and buses", ["tram", "bus"]) == 1.0
    assert entities.share("tramway", ["tram"]) == 0.0
    assert entities.share("etram or tram", ["tram"]) == 1.0
    assert entities.share("a" * 7996 + " tram", ["tram"]) == 0.0
    assert entities.share("b" * 7995 + " tram", ["tram"]) == 1.0
    long = " ".join(["word"] * 39)
    assert entities.share(f"{long} tram", ["tram"]) == 1.0
    assert entities.share(f"{long} word tram", ["tram"]) == 0.0
    assert entities.listed([" tram ", "TRAM", {"text": "car"}]) == ["tram", "car"]
    assert entities.listed("tram") == ["tram"]
    for bad in ({"text": "a"}, 5):
        with pytest.raises(ValueError, match="give a list of texts"):
            entities.listed(bad)
    with pytest.raises(ValueError, match="an entity is 3"):
        entities.listed([3])


def test_an_answer_block_of_a_thousand_signs_is_read():
    head = "country: Chad\ncity: "
    for count, names in ((1000, "Chad"), (1001, None)):
        text = head + "x" * (count - len(head))
        assert spoken.names(text).country == names
    assert spoken.names("city: **[Kyoto]**, country: 'Japan'.") == ("Japan", "Kyoto")
    assert spoken.names("x") == (None, None)
    assert spoken.answer("<answer>a</answer> more") == ""
    assert spoken.answer("<answer>a") == ""
    assert spoken.answer("<think>x</think> a") == ""
    assert spoken.reasoning("a</think>b") == "a"
