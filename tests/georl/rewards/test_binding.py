"""Rewards by name: which functions of a module count, and what they are given and give."""

import importlib
import inspect
import math
import sys
from types import SimpleNamespace

import pytest

from georl import rewards
from georl.config import ConfigError, RewardConfig


def bound(module, *names):
    return rewards.bind_rewards(module, RewardConfig(dict.fromkeys(names, 1.0)))


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A person's module of rewards, which imports a helper that takes completions first."""
    (tmp_path / "someones_tools.py").write_text("def lengths(completions): return [1.0]\n")
    own = "def own(completions, **_): return lengths(completions)\n"
    (tmp_path / "someones_rewards.py").write_text("from someones_tools import lengths\n" + own)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("someones_tools", "someones_rewards"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("someones_rewards")


def test_an_imported_helper_is_no_reward(module):
    assert bound(module, "own")[0](["x"]) == [1.0]
    with pytest.raises(ConfigError, match=r"unknown reward 'lengths'.*there are own"):
        bound(module, "lengths")


@pytest.mark.parametrize("name", ["mine", "geo_r"])
def test_a_function_that_is_set_on_the_rewards_is_one(module, monkeypatch, name):
    monkeypatch.setattr(rewards, name, module.lengths, raising=False)
    assert bound(rewards, name)[0](["x"]) == [1.0]


def test_the_face_hands_on_rewards_and_no_helper_that_looks_like_one():
    functions = [getattr(rewards, name) for name in rewards.__all__]
    taking = {
        f.__name__: f.__module__
        for f in functions
        if inspect.isfunction(f) and next(iter(inspect.signature(f).parameters)) == "completions"
    }
    assert {"geo_r", "distance", "format", "region", "consistency"} <= taking.keys()
    assert {"visual_grounding", "place_accuracy", "think_format"} <= taking.keys()
    assert set(taking.values()) == {"georl.rewards.geo", "georl.rewards.globe"}
    assert len(bound(rewards, *taking)) == len(taking)


@pytest.mark.parametrize("values", [[1.0, math.inf], [1.0]])
def test_a_reward_must_give_one_finite_number_an_answer(values):
    def own(completions, **columns):
        return values

    (checked,) = rewards.bind_rewards(SimpleNamespace(own=own), RewardConfig({"own": 1.0}))
    with pytest.raises(ValueError, match=r"reward 'own' gave (inf for answer 1|1 values for 2)"):
        checked(["a", "b"])


def test_an_unknown_reward_names_the_nearest_and_nan_is_refused():
    with pytest.raises(ConfigError, match=r"unknown reward 'geor'.*did you mean geo_r"):
        rewards.bind_rewards(rewards, RewardConfig({"geor": 1.0}))
    with pytest.raises(ConfigError, match="no argument 'knot'"):
        rewards.bind_rewards(rewards, RewardConfig({"geo_r": 1.0}, {"geo_r": {"knot": 1}}))
    bound = rewards.bind_rewards(
        rewards, RewardConfig({"geo_r": 1.0}, {"geo_r": {"values": [1, 1, 1, 1]}})
    )
    assert bound[0](["(1.0, 2.0)"], lat=[50.0], lon=[50.0]) == [1.0]
    assert bound[0].__name__ == "geo_r"


OWN = "tests.georl.own_rewards"
COLUMNS = {"id": ["a", "b", "c"], "lat": [1.0] * 3, "lon": [2.0] * 3}


def own(name, weight=1.0):
    (function,) = rewards.bind_rewards(rewards, RewardConfig({f"{OWN}:{name}": weight}))
    return function


def test_a_reward_of_one_s_own_is_found_by_its_module_and_bears_that_name():
    function = own("length")
    assert function.__name__ == f"{OWN}:length"
    assert function(["x" * 50, "", "y"], **COLUMNS) == [0.5, 0.0, 0.01]
    with pytest.raises(ConfigError, match=rf"no function 'lenght'; did you mean {OWN}:length\?"):
        own("lenght")
    with pytest.raises(ConfigError, match="has no function 'number'"):
        own("number")
    with pytest.raises(ConfigError, match="has no function 'hidden'") as caught:
        own("hidden")
    assert "_hidden" not in str(caught.value)  # what begins with a bar is nobody else's
    for name in ("no.such.module:f", ":f", "..x:f"):
        with pytest.raises(ConfigError, match="cannot be imported"):
            rewards.bind_rewards(rewards, RewardConfig({name: 1.0}))


def test_a_module_in_the_working_directory_is_found_and_its_mistakes_are_told(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    (tmp_path / "lying_here.py").write_text("def f(completions, **_): return [2.0]\n")
    (tmp_path / "broken_here.py").write_text("1 / 0\n")
    assert bound(rewards, "lying_here:f")[0](["x"]) == [2.0]
    with pytest.raises(ConfigError, match=r"'broken_here' cannot be imported .ZeroDivisionError"):
        bound(rewards, "broken_here:f")


@pytest.mark.parametrize(("name", "value"), [("slow", 0.25), ("scorer", 0.5), ("Scorer", 0.5)])
def test_async_rewards_stay_async(name, value):
    import asyncio

    from trl.trainer.utils import is_async_callable

    function = own(name)
    assert is_async_callable(function)
    assert asyncio.run(function(["x", "y", "z"], **COLUMNS)) == [value] * 3
    assert not is_async_callable(own("length"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("breaks", r"breaks' failed on 3 answers: KeyError: 'population' \(own_rewards.py, line"),
        ("short", "short' gave 1 values for 3 answers; give one for each"),
        ("words", "words' gave 'high' for answer 0 .photo 'a'.; give None to leave"),
        ("nothing", "nothing' gave None; give a list of a number or None for each of the 3"),
    ],
)
def test_a_reward_that_fails_is_told_with_its_name(name, message):
    with pytest.raises(rewards.RewardError, match=message):
        own(name)(["x", "y", "z"], **COLUMNS)


def test_none_leaves_an_answer_out_and_other_numbers_become_floats():
    import numpy as np
    import torch

    assert own("rarely")(["x", "y", "z"], **COLUMNS) == [1.0, None, None]
    for made in (np.float32(0.5), torch.tensor(0.5), True, 1):
        (function,) = rewards.bind_rewards(
            SimpleNamespace(own=lambda completions, made=made, **_: [made]),
            RewardConfig({"own": 1.0}),
        )
        (given,) = function(["x"])
        assert type(given) is float
        assert given == float(made)


def test_rewards_given_in_python_take_the_place_of_the_configured_ones():
    def mine(completions, **columns):
        return [1.0] * len(completions)

    config = RewardConfig({"geo_r": 1.0, "mine": 0.25}, {"geo_r": {"values": [1, 1, 1, 1]}})
    chosen = rewards.bind_given(rewards, [mine, f"{OWN}:length"], config)
    assert [f.__name__ for f in chosen.functions] == ["mine", f"{OWN}:length"]
    assert chosen.settings == RewardConfig({"mine": 0.25, f"{OWN}:length": 1.0}, {})
    kept = rewards.bind_given(rewards, ["geo_r"], config)
    assert kept.settings.arguments == {"geo_r": {"values": [1, 1, 1, 1]}}
    assert kept.functions[0](["(1.0, 2.0)"], lat=[50.0], lon=[50.0]) == [1.0]
    for given, message in (
        ([mine, mine], "two rewards are called 'mine'"),
        ([3], "reward_funcs has 3; give a function"),
        (["geo_x"], "did you mean geo_r"),
        ([], "no reward with a weight"),
    ):
        with pytest.raises(ConfigError, match=message):
            rewards.bind_given(rewards, given, config)


def test_chain_and_what_is_logged_of_it():
    here = "Coordinates: (48.8584, 2.2945)"
    texts = [f"Country: {name}\n{here}" for name in ("France", "frankreich", "Japan", "Atlantis")]
    texts += [here, "Country: France", "", "Country: \n" + here]
    assert rewards.held(texts) == [True, True, False, False, None, None, None, None]
    assert rewards.chain(texts) == [1.0] * 4 + [0.0] * 4
    chats = [[{"role": "assistant", "content": text}] for text in texts]
    assert rewards.held(chats) == rewards.held(texts)
    shares = rewards.chain_shares(rewards.held(texts))
    assert shares == {"chain/present": 0.5, "chain/consistent": 0.25}
    assert rewards.chain_shares([]) == {"chain/present": 0.0, "chain/consistent": 0.0}


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("exponential", {"scale_km": "1e3"}, "'>' not supported .*; YAML reads 1e3 as text, write"),
        ("place_accuracy", {"alpha": "half"}, "'<=' not supported .*; YAML reads 1e3 as text"),
        ("geo_r", {"knots_km": 5, "values": 3}, "1 knots_km and 1 values; give as many of each"),
        ("geo_r", {"knots_km": None}, "1 knots_km and 4 values; give as many of each"),
        ("geo_r", {"lat": [1.0]}, ".*multiple values for keyword argument 'lat'"),
        ("localizability", {"model": "m", "url": "http://x", "timeout_s": "1e1"}, "'>' not supp"),
    ],
)
def test_an_argument_of_the_wrong_kind_is_refused_before_a_model_is_loaded(name, given, said):
    with pytest.raises(ConfigError, match=rf"^rewards\.arguments of {name}: {said}"):
        rewards.bind_rewards(rewards, RewardConfig({name: 1.0}, {name: given}))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "ftp://x"}, "url 'ftp://x' is no http or https URL, e.g. http://localhost:8000/v1"),
        ({"url": ""}, "url '' is no http or https URL, e.g. http://localhost:8000/v1"),
        ({"url": "http://me@x/v1"}, "url holds more than a host and a path; give the key by "
         "rewards.arguments.localizability.key_variable"),
        ({"key_variable": "HOME"}, "key_variable is 'HOME', and only variables named ..._API_KEY "
         "may be sent to a server; rename it, e.g. MY_API_KEY"),
        ({"timeout_s": 0}, "timeout_s is 0; it must be above 0"),
        ({"concurrency": 0}, "concurrency must be above 0, and retries not below 0"),
        ({"retries": -1}, "concurrency must be above 0, and retries not below 0"),
        ({"concurrency": 1, "retries": 0, "key_variable": "MY_API_KEY"}, None),
        ({"key_variable": None}, None),
    ],
)  # fmt: skip
def test_no_judge_is_sent_what_no_other_server_is(given, said):
    """A configuration may be a stranger's: it must not carry a secret of the machine away."""
    whole = {"model": "m", "url": "http://localhost:1/v1"} | given
    config = RewardConfig({"localizability": 1.0}, {"localizability": whole})
    if said is None:
        rewards.bind_rewards(rewards, config)
        return
    for call in (lambda: rewards.localizability(**whole),
                 lambda: rewards.bind_rewards(rewards, config)):  # fmt: skip
        with pytest.raises(ConfigError) as error:
            call()
        assert str(error.value) == f"rewards.arguments.localizability.{said}"
