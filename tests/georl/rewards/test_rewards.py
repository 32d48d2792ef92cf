"""Rewards: the equations, TRL's calling forms, and attacks that must not pay."""

from __future__ import annotations

import functools
import json
import math
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from geodata import answers, sphere
from georl import rewards
from georl.rewards import chains

HERE = Path(__file__).parents[2]
PARIS = (48.8584, 2.2945)
BY_DISTANCE = (
    rewards.geo_r,
    rewards.distance,
    functools.partial(rewards.distance, tolerant=True),
    rewards.exponential,
    rewards.geoscore,
    rewards.geo_r_release,
)

points = st.tuples(
    st.floats(-90, 90).map(lambda v: round(v, 6)), st.floats(-179, 179).map(lambda v: round(v, 6))
)


def eq5(d: float) -> float:
    """Geo-R Eq. 5 as printed, clipped: the oracle."""
    if d < 750:
        return 1 - 0.5 * d / 750
    if d < 2500:
        return 0.5 - 0.3 * (d - 750) / 1750
    return max(0.0, 0.2 - 0.2 * (d - 2500) / 17500)


def rendered(point: tuple[float, float]) -> str:
    return answers.render("France", "Île-de-France", "Paris", *point)


def read_attacks() -> list[dict]:
    lines = (HERE / "data" / "attacks.jsonl").read_text(encoding="utf-8").splitlines()
    attacks = [json.loads(line) for line in lines]
    for attack in attacks:
        unit, times = attack.get("padding", ["", 0])
        attack["text"] = unit * times + attack["text"]
    return attacks


# ---- the equations (R1)


@given(st.lists(st.tuples(points, points), min_size=1, max_size=20))
def test_geo_r_is_equation_5_on_the_sphere(pairs):
    said, true = zip(*pairs, strict=True)
    got = rewards.geo_r([rendered(p) for p in said], [t[0] for t in true], [t[1] for t in true])
    for reward, p, t in zip(got, said, true, strict=True):
        assert reward == pytest.approx(eq5(float(sphere.haversine_km(*p, *t))), abs=1e-12)


@pytest.mark.parametrize(
    ("km", "expected"), [(0, 1.0), (375, 0.75), (750, 0.5), (2500, 0.2), (11250, 0.1), (20015, 0.0)]
)
def test_geo_r_at_its_knots(km, expected):
    lon = min(180.0, math.degrees(km / sphere.EARTH_RADIUS_KM))
    text = f"(0.0, {lon:.15f})"
    assert rewards.geo_r([text], [0.0], [0.0])[0] == pytest.approx(expected, abs=1e-9)


def test_knots_and_values_are_arguments():
    got = rewards.geo_r(["(0.0, 1.0)"], [0.0], [0.0], knots_km=(0, 222.389853), values=(1, 0))
    assert got == [pytest.approx(0.5, abs=1e-6)]


@pytest.mark.parametrize(
    ("knots", "values", "said"),
    [
        ((0, 750), (1.0,), "as many"),
        ((0,), (1.0,), "at least 2"),
        ((750, 0), (1.0, 0.0), "increase"),
        ((0, 750), (1.0, -0.1), r"\[0, 1\]"),
        ((0, 750), (math.nan, 0.1), r"\[0, 1\]"),
    ],
)
def test_bad_shapes_are_refused(knots, values, said):
    with pytest.raises(ValueError, match=said):
        rewards.geo_r(["x"], [0.0], [0.0], knots_km=knots, values=values)


def test_release_variant_differs_as_documented():
    text = "{'LOC': [0.0, 25.0]}"
    d = float(sphere.haversine_km(0, 25, 0, 0))
    near = round(0.5 - 0.3 * (d - 750) / 2250, 4)
    assert rewards.geo_r_release([text], [0.0], [0.0]) == [pytest.approx((near + 1) / 2)]
    assert rewards.geo_r([text], [0.0], [0.0]) == [0.0]


@pytest.mark.parametrize("scale", [0, -1, math.nan])
def test_exponential_refuses_a_scale_that_is_none(scale):
    with pytest.raises(ValueError, match="positive"):
        rewards.exponential(["x"], [0.0], [0.0], scale_km=scale)


@given(st.lists(points, min_size=1, max_size=30))
def test_a_batch_is_its_rows(said):
    texts = [rendered(p) for p in said] + ["no idea"]
    lat, lon = [PARIS[0]] * len(texts), [PARIS[1]] * len(texts)
    for reward in BY_DISTANCE:
        alone = [reward([text], PARIS[:1], PARIS[1:])[0] for text in texts]
        assert reward(texts, lat, lon) == alone


def test_an_empty_batch_is_empty():
    for reward in BY_DISTANCE:
        assert reward([], [], []) == []
    assert rewards.format([]) == rewards.region([], [], []) == rewards.consistency([]) == []


# ---- TRL's calling forms


@pytest.mark.parametrize(
    "completion",
    [
        "(48.8584, 2.2945)",
        [{"role": "assistant", "content": "(48.8584, 2.2945)"}],
        [{"role": "assistant", "content": [{"type": "text", "text": "(48.8584, 2.2945)"}]}],
        [{"role": "user", "content": "(1.5, 2.5)"}, {"content": "(48.8584, 2.2945)"}],
        {"role": "assistant", "content": "(48.8584, 2.2945)"},
    ],
)
def test_every_form_of_a_completion_is_read(completion):
    columns = {"prompts": ["?"], "completion_ids": [[1]], "country": ["France"], "trainer_state": 0}
    assert rewards.geo_r(completions=[completion], lat=[48.8584], lon=[2.2945], **columns) == [1.0]
    assert rewards.format(completions=[completion], **columns) == [1.0]


@pytest.mark.parametrize(
    "completion",
    [
        *(None, 7, b"(48.8584, 2.2945)", [], [None], [{}]),
        [{"role": "user", "content": "(1.5, 2.5)"}],
        [{"role": "assistant", "content": None}],
        [{"role": "assistant", "content": [{"type": "image"}]}],
    ],
)
def test_what_is_no_answer_earns_nothing(completion):
    for reward in BY_DISTANCE:
        assert reward([completion], [48.8584], [2.2945]) == [0.0]


@pytest.mark.parametrize("column", [list, tuple, np.array, lambda v: np.array(v, np.float32)])
def test_truth_columns_may_be_arrays(column):
    got = rewards.geo_r(["(48.5, 2.25)", "(1.0, 2.0)"], column([48.5, 1.0]), column([2.25, 2.0]))
    assert got == [1.0, 1.0]
    assert {type(value) for value in got} == {float}


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, 91.0, "48.8", True])
def test_a_missing_truth_is_an_error_that_names_the_row(bad):
    for reward in (*BY_DISTANCE, rewards.region):
        with pytest.raises(ValueError, match="row 1"):
            reward(["(1.0, 2.0)"] * 3, [1.0, bad, 1.0], [2.0, 2.0, 2.0])


def test_columns_of_another_length_are_an_error():
    with pytest.raises(ValueError, match="2 completions, 1 lat"):
        rewards.geo_r(["a", "b"], [1.0], [2.0])


# ---- attacks (R6, R7)


@pytest.mark.parametrize("attack", read_attacks(), ids=lambda a: a["attack"])
def test_r7_attacks_earn_what_their_single_coordinate_deserves(attack):
    lat, lon = [PARIS[0]], [PARIS[1]]
    deserved = attack["deserves"]
    for reward in BY_DISTANCE:
        honest = reward([rendered(PARIS)], lat, lon)[0]
        got = reward([attack["text"]], lat, lon)[0]
        assert 0.0 <= got <= honest == 1.0
        if isinstance(reward, functools.partial) or reward is rewards.geo_r_release:
            continue  # they read more forms, checked below
        expected = 0.0 if deserved is None else reward([rendered(tuple(deserved))], lat, lon)[0]
        assert got <= expected + 1e-12
    assert rewards.format([attack["text"]])[0] == (deserved is not None)


def test_r7_there_are_enough_attacks():
    assert len({attack["text"] for attack in read_attacks()}) >= 50


@pytest.mark.parametrize("attack", read_attacks(), ids=lambda a: a["attack"])
def test_r7_tolerant_reading_pays_no_doubtful_answer(attack):
    read = answers.parse_tolerant(attack["text"])
    got = rewards.distance([attack["text"]], [PARIS[0]], [PARIS[1]], tolerant=True)[0]
    if read.lat is None or read.lon is None or read.ambiguous:
        assert got == 0.0
    else:
        assert got == pytest.approx(eq5(float(sphere.haversine_km(read.lat, read.lon, *PARIS))))


def test_r7_released_form_pays_one_answer():
    both = "{'LOC': [48.8584, 2.2945]} (48.8584, 2.2945)"
    twice = "{'LOC': [48.8584, 2.2945]} {'LOC': [1.0, 2.0]}"
    outside = "{'LOC': [95.0, 2.2945]}"
    assert rewards.geo_r_release([both, twice, outside], [48.8584] * 3, [2.2945] * 3) == [0.0] * 3


@given(points, st.lists(points, min_size=1, max_size=5))
def test_r7_adding_guesses_never_pays(answer, guesses):
    text = rendered(answer) + "".join(f" ({a:.6f}, {b:.6f})" for a, b in guesses)
    assert rewards.geo_r([text], [PARIS[0]], [PARIS[1]]) == [0.0]


@given(st.lists(st.text("0123456789.,-+() \nNaife°", max_size=80), max_size=8))
def test_r6_rewards_are_finite_shares(texts):
    for reward in BY_DISTANCE:
        got = reward(texts, [1.0] * len(texts), [2.0] * len(texts))
        assert len(got) == len(texts)
        assert all(type(r) is float and 0.0 <= r <= 1.0 for r in got)


def random_texts(n: int) -> list[str]:
    rng = random.Random(11)
    alphabet = "0123456789" * 3 + ".,-+() \n" * 3 + "eNaif°४"
    return ["".join(rng.choices(alphabet, k=rng.randint(0, 60))) for _ in range(n)]


def test_r6_fuzzed_batches_are_finite(figure):
    n = figure("rewarded texts", ci=20_000, full=1_000_000)
    texts = random_texts(n)
    got = np.array(rewards.geo_r(texts, [1.0] * n, [2.0] * n))
    assert ((got >= 0.0) & (got <= 1.0)).all()
    assert (got > 0.0).any() == any(rewards.format(texts))


# ---- combinations


def test_combine_is_the_weighted_mean():
    both = rewards.combine([rewards.geo_r, rewards.format], [0.75, 0.25])
    columns = {"lat": [0.0, 0.0], "lon": [0.0, 0.0], "prompts": ["?", "?"]}
    got = both(completions=["(0.0, 0.0)", "(0.0, 90.0)"], **columns)
    alone = rewards.geo_r(["(0.0, 90.0)"], [0.0], [0.0])[0]
    assert got == [1.0, pytest.approx(0.75 * alone + 0.25)]
    assert both.__name__ == "geo_r_format"


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, math.nan], []])
def test_combine_refuses_bad_weights(weights):
    with pytest.raises(ValueError, match="weight"):
        rewards.combine([rewards.geo_r, rewards.format], weights)


@pytest.mark.parametrize(("values", "said"), [([math.nan], "row 0"), ([1.0, 1.0], "one each")])
def test_combine_refuses_a_broken_reward(values, said):
    def broken(completions, **columns):
        return values

    with pytest.raises(ValueError, match=f"broken.*{said}"):
        rewards.combine([broken], [1.0])(completions=["x"])


# ---- on the map


def test_levels_agree_from_the_top():
    true = {"country_code": "FR", "admin1": "Île-de-France", "city": "Paris"}
    assert chains.agreement(true, true) == 1.0
    assert chains.agreement({**true, "city": "Versailles"}, true) == pytest.approx(2 / 3)
    assert chains.agreement({**true, "country_code": "BE"}, true) == 0.0
    assert chains.agreement(true, {**true, "city": None, "admin1": None}) == 1.0
    assert chains.agreement(true, dict.fromkeys(true)) == 0.0


def test_region_asks_the_map():
    pytest.importorskip("geodata.cor", reason="no labelling in this installation")
    texts = ["(48.8530, 2.3499)", "(43.2965, 5.3698)", "(40.4168, -3.7038)", "Paris"]
    got = rewards.region(texts, lat=[48.8584] * 4, lon=[2.2945] * 4)
    assert got == [1.0, pytest.approx(1 / 3), 0.0, 0.0]


def test_consistency_asks_gazetteer_and_map():
    pytest.importorskip("geodata.gazetteer", reason="no gazetteer in this installation")
    said = [
        answers.render("France", "Île-de-France", "Paris", *PARIS),
        answers.render("France", None, None, *PARIS),
        answers.render("France", "Bretagne", None, *PARIS),
        answers.render("Germany", "Île-de-France", None, *PARIS),
        answers.render("Atlantis", None, None, *PARIS),
        answers.render(None, None, "Paris", *PARIS),
        "Country: France",
    ]
    assert rewards.consistency(said) == [1.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0]


def test_rewards_load_without_torch():
    code = "import sys; from georl import rewards; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
