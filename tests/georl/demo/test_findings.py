"""What the science experiments found, told: tables and sentences from numbers by hand."""

import numpy as np
import pytest
from scipy import stats

from georl.demo.telling import findings, page
from georl.demo.telling.report import Score
from georl.demo.telling.verdict import Change, sentence

NONE = Change(0.0, -0.1, 0.1)


def chain(seed, knows, found, alone):
    """A model that finds so many of ten cities with the chain, and so many without."""
    km = {
        "chain": [200.0] * found + [1200.0] * (10 - found),
        "coordinates": [50.0] * alone + [201.0] * (9 - alone) + [None],
    }
    return findings.ChainErrors(seed, knows, km)


def score(share, reward, median=456.7):
    sampled = np.array([reward - 0.1, reward + 0.1])
    return Score(median, {200.0: share, 750.0: 0.99}, 0.77, sampled, np.array([1.0, 2.0]))


CHAINS = [chain(1, False, 3, 3), chain(0, True, 8, 4), chain(1, True, 9, 5), chain(0, False, 2, 2)]
POOLS = [
    findings.PoolScores(
        seed,
        {"sft-cor": score(0.5, 0.3), "grpo-random": score(0.6, 0.4), "grpo-hard": score(0.7, 0.5)},
        {"grpo-random": 0.914, "grpo-hard": 0.125},
    )
    for seed in (0, 1)
]


@pytest.fixture(scope="module")
def parts():
    return findings.experiment_parts(CHAINS, POOLS)


def test_a_city_is_found_within_200_km():
    one = chain(0, True, 8, 4)
    assert (one.found("chain"), one.found("coordinates")) == (0.8, 0.4)
    assert one.gain == pytest.approx(0.4)
    assert one.gains() == [0] * 4 + [1] * 4 + [0] * 2
    assert (one.median("chain"), one.median("coordinates")) == (200.0, 201.0)


def test_the_reward_of_a_run_is_the_mean_of_its_sampled_answers():
    """Most answers to hard places earn nothing: their middle one would hide all gains."""
    sampled = np.array([0.0, 0.0, 0.0, 0.2, 0.8])
    scores = {"grpo-hard": Score(1.0, {200.0: 0.5}, 0.9, sampled, np.ones(5))}
    assert findings.PoolScores(0, scores, {}).reward("grpo-hard") == pytest.approx(0.2)


@pytest.mark.parametrize("n", [2, 3, 5, 9, 10, 11, 40])
def test_the_interval_over_seeds_is_student_s(n):
    values = [0.1 * i**1.5 for i in range(n)]
    found = findings.over_seeds(values)
    low, high = stats.t.interval(0.95, n - 1, loc=np.mean(values), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


def test_the_table_of_the_chain_has_those_that_know_the_cities_first(parts):
    assert isinstance(parts[1], page.Heading)
    assert parts[3] == page.Table(
        ("seed", "model", "found, chain", "found, coordinates only", "median km, chain",
         "median km, coordinates only"),
        [("0", "knows the cities", "0.800", "0.400", "200", "201"),
         ("1", "knows the cities", "0.900", "0.500", "200", "126"),
         ("0", "control", "0.200", "0.200", "1,200", "201"),
         ("1", "control", "0.300", "0.300", "1,200", "201")],
    )  # fmt: skip


def test_the_gain_of_the_chain_stands_with_its_interval(parts):
    gains = parts[4]
    assert gains.head == ("chain minus coordinates alone, found", "mean [95% over seeds]")
    half = 1.96 * 0.4899 / 20**0.5  # 8 of 20 cities gain one
    assert gains.rows == [
        ("knows the cities", f"+0.400 [{0.4 - half:+.3f}, {0.4 + half:+.3f}]"),
        ("control", "+0.000 [+0.000, +0.000]"),
    ]


def test_the_table_of_the_pool_has_a_line_a_seed_and_a_run(parts):
    assert parts[7].head == ("seed", "run", "reward", "found", "median km", "groups all alike")
    assert parts[7].rows == [
        (seed, *line) for seed in "01" for line in (
            ("sft-cor", "0.300", "0.500", "457", ""), ("grpo-random", "0.400", "0.600", "457",
                                                       "91%"),
            ("grpo-hard", "0.500", "0.700", "457", "12%"),
        )
    ]  # fmt: skip
    assert parts[8].rows == [
        ("sampled reward", "+0.100 [+0.100, +0.100]"),
        ("found within 200 km", "+0.100 [+0.100, +0.100]"),
    ]


def test_the_paper_s_differences_stand_beside_ours_in_points(parts):
    assert parts[11].rows == [
        ("chain minus coordinates alone (SFT, Table 3)", "50.2 - 48.6 = +1.6",
         "+40.0 [+18.5, +61.5]"),
        ("hard minus random (GRPO, Table 5)", "54.6 - 51.6 = +3.0", "+10.0 [+10.0, +10.0]"),
    ]  # fmt: skip
    assert [part.text for part in parts if isinstance(part, page.Heading)] == [
        "Does a chain help? Held-out cities that pictures spell",
        "Hard or random places for GRPO? A pool that saturates", "Beside the paper",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "chain", "pool"),
    [
        (Change(0.2, 0.1, 0.3), "helps", "teach more than"),
        (Change(-0.2, -0.3, -0.1), "hurts", "teach less than"),
        *((not_sure, "makes no sure difference to", "are not told apart from") for not_sure in (
            NONE, Change(0.2, -0.1, 0.5), Change(-0.2, -0.5, 0.1))),
    ],
)  # fmt: skip
def test_the_sentence_says_more_less_or_neither_of_each(change, chain, pool):
    told = findings._verdict(change, NONE, NONE)
    assert told.startswith(f"The chain {chain} a model that knows the cities ({change.text(3)}")
    told = findings._verdict(NONE, change, NONE)
    assert f"found) and {chain} one that does not ({change.text(3)})" in told
    told = findings._verdict(NONE, NONE, change)
    assert f"hard places {pool} random ones ({change.text(3)} reward)" in told


def test_an_interval_that_ends_at_nothing_is_not_sure():
    assert not Change(0.1, 0.0, 0.2).sure
    assert not Change(-0.1, -0.2, 0.0).sure
    assert sentence(1450.0, 2900.0, NONE, NONE).startswith("SFT has not learnt")  # half of it
    assert sentence(1449.0, 2900.0, NONE, NONE).startswith("SFT learnt where photos are: a median")
