"""The demo's sentence: what was learnt, with intervals that an own computation confirms."""

import numpy as np
import pytest

from geodata import sphere
from georl.demo.telling import verdict


def test_a_rise_is_the_mean_gain_and_its_normal_interval():
    rng = np.random.default_rng(1)
    before, after = rng.random(400), rng.random(400) + 0.2
    found, gain = verdict.rise(before, after), after - before
    error = np.sqrt(((gain - gain.mean()) ** 2).sum() / 399 / 400)
    assert found.value == pytest.approx(gain.mean())
    assert (found.low, found.high) == pytest.approx(
        (gain.mean() - 1.96 * error, gain.mean() + 1.96 * error)
    )
    assert found.sure
    assert not verdict.rise(before, before).sure


def test_a_median_that_fell_everywhere_fell_surely_and_noise_does_not():
    rng = np.random.default_rng(2)
    km = rng.lognormal(5, 1, 300)
    fell = verdict.median_change(km, km * 0.5)
    assert fell.value == pytest.approx(-0.5 * np.median(km))
    assert fell.high < 0
    assert fell.low < fell.value < fell.high
    assert not verdict.median_change(km, rng.permutation(km)).sure


@pytest.mark.parametrize("seed", [0, 5])
def test_a_fortieth_of_the_draws_lies_beyond_either_end(seed):
    rng = np.random.default_rng(seed)
    before, after = rng.lognormal(5, 1, 90), rng.lognormal(5, 1, 90)
    rows = np.random.default_rng(seed).integers(0, 90, (verdict.RESAMPLES, 90))
    drawn = sorted(np.median(after[one]) - np.median(before[one]) for one in rows)
    found = verdict.median_change(before, after, seed)
    for end, share in ((found.low, 0.025), (found.high, 0.975)):
        below, upto = sum(one < end for one in drawn), sum(one <= end for one in drawn)
        assert below <= share * len(drawn) <= upto + 1
    assert found != verdict.median_change(before, after, seed + 1)


def test_answers_that_are_missing_count_as_infinitely_far():
    km = np.array([10.0, 20.0, 30.0, np.inf])
    assert verdict.median_change(km, np.array([10.0, 20.0, 30.0, 40.0])).value == 0.0


def test_the_blind_guess_is_the_best_of_all_places():
    rng = np.random.default_rng(3)
    lat, lon = rng.uniform(-30, 60, 40), rng.uniform(-10, 50, 40)
    best = min(
        np.median([float(sphere.haversine_km(a, b, c, d)) for c, d in zip(lat, lon, strict=True)])
        for a, b in zip(lat, lon, strict=True)
    )
    assert verdict.blind_km(lat, lon) == pytest.approx(best)


@pytest.mark.parametrize(
    ("reward", "median", "said"),
    [
        ((0.05, 0.03, 0.07), (-20, -30, -10), "GRPO raised the held-out reward (+0.050"),
        ((0.05, 0.03, 0.07), (-20, -30, -10), "the median error fell (-20 [-30, -10] km)"),
        ((-0.05, -0.07, -0.03), (20, 10, 30), "lowered the held-out reward"),
        ((-0.05, -0.07, -0.03), (20, 10, 30), "the median error rose (+20"),
        ((0.05, 0.03, 0.07), (0.6, 0.2, 0.9), "the median error rose (+1"),
        ((0.05, 0.03, 0.07), (-0.6, -0.9, -0.2), "the median error fell (-1"),
        ((0.01, -0.01, 0.03), (-2, -9, 4), "shows no change of the held-out reward"),
        ((0.01, -0.01, 0.03), (-2, -9, 4), "is not told apart from before (-2 [-9, +4] km)"),
    ],
)
def test_the_sentence_says_what_the_intervals_say(reward, median, said):
    changes = verdict.Change(*reward), verdict.Change(*median)
    assert said in verdict.sentence(190.0, 2900.0, *changes)


def test_a_model_no_better_than_a_blind_guess_has_not_learnt():
    none = verdict.Change(0.0, -0.1, 0.1)
    assert "SFT has not learnt" in verdict.sentence(2000.0, 2900.0, none, none)
    assert "SFT learnt" in verdict.sentence(1400.0, 2900.0, none, none)
