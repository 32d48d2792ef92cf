"""Risk, coverage, radii and bars equal a plain computation, and hold on rows not seen."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from geodata.evaluation.scores.confidence import held_out
from geodata.evaluation.scores.confidence.risk import selective

ROWS = st.lists(st.tuples(st.booleans(), st.floats(-9, 9)), min_size=1, max_size=40)


@given(ROWS.filter(lambda rows: len({c for _, c in rows}) == len(rows)))
def test_the_curve_is_a_plain_count(rows):
    right, sure = zip(*rows)
    found = selective(np.array(right)[:, None], sure, (25.0,), rows=len(rows) + 3)
    ordered = [r for _, r in sorted(zip(sure, right), reverse=True)]
    risks = [1 - sum(ordered[:k]) / k for k in range(1, len(rows) + 1)]
    coverage, risk = found.risk_coverage(25)
    assert risk == pytest.approx(risks)
    assert coverage == pytest.approx([k / (len(rows) + 3) for k in range(1, len(rows) + 1)])
    assert found.aurc[25.0] == pytest.approx(np.mean(risks))


@pytest.mark.parametrize("sure", [[1, 1, 1, 1], [2, 1, 1, 0], [0, np.nan, np.nan, 3]])
def test_ties_take_the_mean_over_all_orders(sure):
    right = np.array([True, False, True, False])
    found = selective(right[:, None], sure, (25.0,))
    keys = np.nan_to_num(np.array(sure, float), nan=-99)
    curves = [
        np.cumsum(~right[list(order)]) / np.arange(1, 5)
        for order in itertools.permutations(range(4))
        if all(keys[i] >= keys[j] for i, j in itertools.pairwise(order))
    ]
    assert found.risk_coverage(25)[1] == pytest.approx(np.mean(curves, axis=0))


def test_accuracy_at_a_coverage():
    right = np.arange(10) < 6
    found = selective(right[:, None], -np.arange(10.0), (25.0,), rows=20)
    assert found.accuracy_at(0.3, 25) == 1.0
    assert found.accuracy_at(0.5, 25) == pytest.approx(0.6)
    assert found.accuracy_at(0.55, 25) is None
    with pytest.raises(ValueError, match="30 km was not scored; there are 25"):
        found.risk_coverage(30)


def _simulated(n, seed):
    rng = np.random.default_rng(seed)
    scale = 10 ** rng.uniform(-1, 3, n)
    return rng.exponential(1.0, n) * scale, -np.log(scale) + rng.normal(0, 0.3, n)


def test_conformal_radii_hold_on_rows_not_seen():
    distance, sure = _simulated(40_000, 0)
    learnt = held_out.halves(len(distance), 0)
    found = {one.level: one for one in held_out.radii(distance, sure, learnt)}
    assert set(found) == set(held_out.RADIUS_LEVELS)
    for level, one in found.items():
        inside = distance[~learnt] <= one.conformal_km
        assert one.covered == pytest.approx(inside.mean())
        assert one.covered == pytest.approx(level, abs=0.01)
        assert one.calibrated_covered == pytest.approx(level, abs=0.01)
        assert one.calibrated_km[-1] < one.conformal_km < one.calibrated_km[0]
        k = int(np.ceil((learnt.sum() + 1) * level))
        assert one.conformal_km == np.sort(distance[learnt])[k - 1]


def test_a_conformal_radius_covers_in_repeated_small_samples():
    """With 30 rows the mean coverage is at least 90%, which the plain quantile misses."""
    rng, covered, plain = np.random.default_rng(3), [], []
    for _ in range(3000):
        seen, new = rng.exponential(1.0, 30), rng.exponential(1.0)
        covered.append(new <= held_out.conformal_radius(seen, 0.9))
        plain.append(new <= np.quantile(seen, 0.9))
    assert 0.89 <= np.mean(covered) <= 0.93
    assert np.mean(plain) < np.mean(covered)


def test_halves_keep_clusters_whole():
    codes = np.random.default_rng(0).integers(0, 50, 1000)
    learnt = held_out.halves(1000, 4, codes)
    assert all(len(set(learnt[codes == c])) == 1 for c in range(50))
    assert 0.3 < learnt.mean() < 0.7
    assert (held_out.halves(1000, 4, codes) == learnt).all()
    assert (held_out.halves(1000, 5, codes) != learnt).any()
    drawn = [held_out.halves(n, 0).sum() for n in range(6)]
    assert drawn == [0, 1, 1, 2, 2, 3]  # the odd one is learnt from
    assert [held_out.halves(n, 0, np.arange(n)).sum() for n in range(6)] == drawn


def test_back_off_answers_where_it_is_right():
    rng = np.random.default_rng(1)
    sure = rng.random(20_000)
    draw = rng.random(20_000)
    right = {"city": draw < sure, "admin1": draw < sure + 0.2, "country": draw < sure + 0.4}
    learnt = held_out.halves(20_000, 0)
    found = held_out.back_off(right, sure, learnt, target=0.9)
    free = ~learnt
    for one in found:
        assert one.precision == pytest.approx(0.9, abs=0.02)
        here = free & (sure >= one.bar)
        free &= ~here
        assert one.share == pytest.approx(here.sum() / (~learnt).sum())
        assert one.precision == pytest.approx(right[one.level][here].mean())
    bars = [one.bar for one in found]
    assert bars == sorted(bars, reverse=True)
    assert bars[0] == pytest.approx(0.8, abs=0.03)


def test_an_answer_at_the_radius_lies_inside():
    learnt = np.arange(80) % 2 == 0
    for one in held_out.radii(np.ones(80), np.arange(80), learnt):
        assert (one.conformal_km, one.covered, one.calibrated_covered) == (1.0, 1.0, 1.0)


def test_too_few_rows_teach_nothing():
    learnt = held_out.halves(30, 0)
    assert held_out.radii(np.ones(30), np.ones(30), learnt) == ()
    assert held_out.back_off({"city": np.ones(30, bool)}, np.ones(30), learnt) == ()


@pytest.mark.parametrize("none", [np.nan, -np.inf])
def test_a_confidence_of_nothing_is_no_bar(none):
    """A chance of 0 has the logarithm minus infinity: no answer is as sure as that."""
    learnt, right = np.arange(44) % 2 == 0, {"city": np.ones(44, bool)}
    (found,) = held_out.back_off(right, np.full(44, none), learnt)
    assert (found.bar, found.share, found.precision) == (None, 0.0, None)
    sure = np.where(np.arange(44) < 4, none, 0.5)
    (found,) = held_out.back_off(right, sure, learnt)
    assert (found.bar, found.share) == (0.5, 20 / 22)
    surest = np.where(np.arange(44) < 4, np.inf, 0.5)
    (found,) = held_out.back_off(right, surest, learnt)
    assert (found.bar, found.share) == (0.5, 1.0)
    (found,) = held_out.back_off(right, np.full(44, np.inf), learnt)
    assert found.bar is None


def test_one_half_is_learnt_from_and_the_other_measured():
    """Forty learnt answers in five parts of eight, 0 to 40 km off; the others are all 25 km off."""
    learnt = np.arange(80) < 40
    sure = np.concatenate([np.arange(40.0), np.repeat([3.0, 20.0], 20)])
    distance = np.concatenate([np.arange(40) // 8 * 10.0, np.full(40, 25.0)])
    half, *_, most = held_out.radii(distance, sure, learnt)
    assert (half.level, half.conformal_km, half.covered) == (0.5, 20.0, 0.0)
    assert half.calibrated_km == (0.0, 10.0, 20.0, 30.0, 40.0)
    assert (half.calibrated_covered, half.held_out) == (0.0, 40)  # in parts of 0 km and of 20
    assert (most.conformal_km, most.covered) == (40.0, 1.0)
    right = {"city": learnt & (sure >= 10), "country": learnt}
    city, country = held_out.back_off(right, sure, learnt, target=1.0)
    assert (city.bar, city.share, city.precision, city.held_out) == (10.0, 0.5, 0.0, 40)
    assert (country.bar, country.share, country.precision) == (0.0, 0.5, 0.0)
