"""Clusters that are all alike: nothing varies between them, and what is told still has a width."""

import numpy as np
import pytest
from scipy import optimize, stats

from geodata import evaluation
from geodata.evaluation.scores.intervals import bootstrap, clusters, pairs
from geodata.evaluation.scores.intervals.closed_form import paired_share


def alike(right, of, times):
    """Return rows of clusters in each of which so many are right, and their codes."""
    sizes = [of * n for n in times]
    rows = np.concatenate([np.tile(np.arange(of) < right, n) for n in times])
    return rows, np.repeat(np.arange(len(times)), sizes)


EVEN, UNEVEN = [1] * 10, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize(("right", "of"), [(1, 2), (1, 3), (2, 3), (1, 7), (3, 49), (10, 11)])
@pytest.mark.parametrize("times", [EVEN, UNEVEN])
@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_a_share_that_is_the_same_in_all_clusters_has_a_row_for_each(right, of, times, confidence):
    """The ends solve the score equation of a row for each effective cluster."""
    rows, codes = alike(right, of, times)
    asked = {"resamples": 500, "confidence": confidence}
    (found,) = bootstrap.clustered_shares(rows[:, None], codes, **asked)
    worth = sum(times) ** 2 / sum(n * n for n in times)
    quantile = stats.t.ppf((1 + confidence) / 2, worth - 1)
    share = right / of

    def surplus(p, sign):
        return sign * (share - p) - quantile * np.sqrt(p * (1 - p) / worth)

    low = optimize.brentq(surplus, 1e-12, share, (1,))
    high = optimize.brentq(surplus, share, 1 - 1e-12, (-1,))
    assert found.value == pytest.approx(share)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_residuals_of_whole_numbers_are_exact():
    rows, codes = alike(3, 49, UNEVEN)
    mixed = np.stack([rows, ~rows, np.arange(len(rows)) < 9], axis=1)
    found = clusters.by_cluster(mixed, codes).residuals()
    assert not found[:, :2].any()
    n = np.bincount(codes)
    expected = np.bincount(codes[:9], minlength=10) - n * 9 / n.sum()
    assert found[:, 2] == pytest.approx(expected)
    assert found[:, 2].sum() == pytest.approx(0)


def test_a_single_resample_says_nothing_of_the_spread():
    rows, codes = np.array([1, 1, 0, 1, 0, 0, 0, 1]), np.arange(8) // 2
    (found,) = bootstrap.clustered_shares(rows[:, None], codes, resamples=1)
    quantile = stats.t.ppf(0.975, 3)
    half = quantile / (1 + quantile**2 / 4) * np.sqrt(0.25 / 4 + quantile**2 / 64)
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half))


@pytest.mark.parametrize("confidence", [0.95, 0.8])
@pytest.mark.parametrize(("ahead", "of", "sign"), [(1, 2, 1), (1, 3, 1), (1, 3, -1), (3, 3, 1)])
def test_a_difference_that_is_the_same_in_all_clusters_has_a_width(ahead, of, sign, confidence):
    rows, codes = alike(ahead, of, [2] * 12)
    a, b = (rows, rows & False)[::sign]
    asked = {"resamples": 500, "confidence": confidence}
    (found,) = pairs.compare_within(a[:, None], b[:, None], (25.0,), codes, **asked)
    one, share = found.difference, ahead / of
    bound = paired_share(share * 12, 0, 12, confidence=confidence)
    ends = (bound.low, bound.high) if sign == 1 else (-bound.high, -bound.low)
    assert one.value == pytest.approx(sign * share)
    assert (one.low, one.high) == pytest.approx(ends)
    assert one.high - one.low > 0.1
    assert one.confidence == confidence
    assert one.method == "cluster bootstrap"
    assert found.p_value == pytest.approx(2 / 2**12)


def test_only_the_columns_without_a_spread_get_a_row_for_each_cluster():
    a = np.random.default_rng(0).random((60, 3)) < 0.5
    b = a.copy()
    b[:20, 1] = False
    codes = np.arange(60) // 5
    found = [one.difference for one in pairs.compare_within(a, b, (1.0, 25.0, 200.0), codes)]
    bound = paired_share(0, 0, 12)
    for same in (found[0], found[2]):
        assert (same.low, same.high) == (bound.low, bound.high)
    assert (found[1].low, found[1].high) != (bound.low, bound.high)
    assert found[1].value == a[:20, 1].sum() / 60


@pytest.mark.parametrize(
    ("resamples", "count", "drawn"),
    [(10_000, 5_000, 10_000), (10_000, 5_001, 9_998), (10_000, 40_000, 1_250),
     (10_000, 50_000, 1_000), (10_000, 10**7, 1_000), (700, 10**7, 700), (2_000, 10, 2_000),
     (10**8, 3, 16_666_666)],
)  # fmt: skip
def test_above_5000_clusters_there_are_fewer_resamples_but_a_thousand(resamples, count, drawn):
    assert bootstrap._affordable(resamples, count) == drawn


def test_clusters_are_drawn_with_replacement_a_million_at_a_time():
    whole = np.concatenate(list(bootstrap._weights(np.ones(50), 30_000, 3)))
    assert whole.shape == (30_000, 50)
    assert set(whole.sum(axis=1).tolist()) == {50.0}
    assert whole.mean(axis=0) == pytest.approx(np.ones(50), abs=0.03)
    assert whole.var() == pytest.approx(1 - 1 / 50, abs=0.01)
    assert [len(part) for part in bootstrap._weights(np.ones(1 << 19), 3, 0)] == [2, 1]
    many = (1 << 20) + 1
    assert [part.shape for part in bootstrap._weights(np.ones(many), 2, 0)] == [(1, many)] * 2


def test_the_kurtosis_is_that_of_residuals_of_uneven_clusters():
    sizes = np.array([10.0, 20.0, 15.0, 12.0, 18.0, 25.0, 14.0, 30.0])
    sums = np.array([[1.0], [2.0], [1.0], [1.0], [1.0], [2.0], [1.0], [25.0]])
    share = sizes / sizes.sum()
    squares = (sums[:, 0] - sizes * sums.sum() / sizes.sum()) ** 2 / (1 - share)
    kurtosis = (squares**2).mean() / squares.mean() ** 2
    worth = sizes.sum() ** 2 / (sizes**2).sum()
    freedom = np.clip(1.75 * worth / (kurtosis - 1), 1, worth - 1)
    assert 1 < freedom < worth - 1
    (found,) = clusters.Clusters(sizes, sums).share_quantiles(0.95)
    assert found == pytest.approx(stats.t.ppf(0.975, freedom))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_what_is_mended_does_not_depend_on_the_unit(scale):
    sums = np.array([[1.0, 5.0], [4.0, 5.0], [2.0, 5.0], [9.0, 5.0]]) * scale
    found = clusters.Clusters(np.full(4, 10.0), sums)
    assert found.widening(0.9)[0] == pytest.approx([np.sqrt(4 / 3), 1.0])
    assert found.share_quantiles(0.9) == pytest.approx([stats.t.ppf(0.95, 3)] * 2)
    uneven = clusters.Clusters(np.array([10.0, 30.0]), np.array([[1.0], [9.0]]) * scale)
    assert uneven.widening(0.9)[0] == pytest.approx([np.sqrt((1 / 0.75 + 1 / 0.25) / 2)])


def test_common_rows_of_one_author_are_no_proof():
    """A table is not lost for it: of the two signs that one cluster may have, both are as far."""
    ids = [str(i) for i in range(12)]
    truth = {"id": ids, "lat": [0.0] * 12, "lon": [0.0] * 12, "author": ["x"] * 9 + [*"abc"]}
    good = {"id": ids, "lat": [0.0] * 12, "lon": [0.0] * 12}
    bad = {"id": ids[:9], "lat": [50.0] * 9, "lon": [0.0] * 9}
    found = evaluation.table({"good": good, "bad": bad}, truth, (25,), cluster="author")
    assert found.common == 9
    (test,) = found.tests
    assert (test.only_a, test.difference, test.p_value, test.p_holm) == (9, 1.0, 1.0, 1.0)
