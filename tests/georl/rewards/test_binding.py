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
