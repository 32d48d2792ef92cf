"""Intervals and tests that respect clusters, few rows and rows that do not differ."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import optimize, stats

from geodata import sphere
from geodata.evaluation.scores.intervals import bootstrap, closed_form, clusters, pairs


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=10))
def test_sign_flip_counts_all_signs(parts):
    observed = abs(sum(parts))
    signs = itertools.product((1, -1), repeat=len(parts))
    as_far = [abs(np.dot(s, parts)) >= observed for s in signs]
    assert clusters.sign_flip(parts) == pytest.approx(np.mean(as_far), abs=1e-9)


@given(st.integers(0, 40), st.integers(0, 40))
def test_one_row_a_cluster_is_mcnemar(a, b):
    found = clusters.sign_flip([1] * a + [-1] * b + [0] * 5)
    assert found == pytest.approx(pairs.mcnemar(a, b), abs=1e-9)


def test_large_sums_go_over_into_the_normal():
    rng = np.random.default_rng(0)
    parts = rng.integers(-30, 33, 1200)
    assert np.abs(parts).sum() < clusters._EXACT_SUM
    exact = clusters.sign_flip(parts)
    normal = 2 * stats.norm.sf(abs(parts.sum()) / np.sqrt((parts.astype(float) ** 2).sum()))
    assert exact == pytest.approx(normal, rel=0.05)
    assert clusters.sign_flip(np.tile(parts, 40)) < exact


@pytest.mark.parametrize(
    ("over", "chance"), [(0, 0.5), (1, 2 * stats.norm.sf(1.0))], ids=["exact", "normal"]
)
def test_up_to_how_large_a_sum_the_chance_is_exact(over, chance):
    """Of two clusters, one with nearly all rows: of four signs two are as far, or one sigma."""
    parts = [clusters._EXACT_SUM - 1 + over, 1]
    assert clusters.sign_flip(parts) == pytest.approx(chance, abs=1e-3)
    assert clusters.sign_flip([-part for part in parts]) == clusters.sign_flip(parts)


def _clustered(rng, count, mean, within):
    """Rows in clusters of 20 whose success rates scatter: intra-cluster correlation `within`."""
    sizes = np.full(count, 20)
    rate = rng.beta(mean * (1 - within) / within, (1 - mean) * (1 - within) / within, count)
    codes = np.repeat(np.arange(count), sizes)
    return rng.random(len(codes)) < rate[codes], codes


@pytest.mark.parametrize(("count", "least"), [(5, 0.89), (10, 0.92), (30, 0.92)])
def test_a_share_in_few_clusters_is_covered(count, least):
    rng = np.random.default_rng(count)
    hits = []
    for _ in range(400):
        right, codes = _clustered(rng, count, 0.35, 0.2)
        found = bootstrap.clustered_shares(right[:, None], codes, resamples=400)[0]
        hits.append(found.low <= 0.35 <= found.high)
    assert least <= np.mean(hits) <= 0.985


def test_the_clustered_test_rejects_as_often_as_it_says():
    """McNemar's test rejects 39% of true null hypotheses here at 5%."""
    rng, rejected = np.random.default_rng(1), []
    for _ in range(400):
        tilt = rng.choice([-0.4, 0.4], 20)[np.repeat(np.arange(20), 20)]
        a, b = rng.random(400) < 0.5 + tilt / 2, rng.random(400) < 0.5 - tilt / 2
        pair = pairs.compare_within(
            a[:, None], b[:, None], (25.0,), np.repeat(np.arange(20), 20), resamples=200
        )[0]
        rejected.append(
            (pair.p_value < 0.05, pairs.mcnemar(pair.only_a, pair.only_b) < 0.05,
             pair.difference.low <= 0 <= pair.difference.high)
        )  # fmt: skip
    ours, plain, covered = np.mean(rejected, axis=0)
    assert ours <= 0.08
    assert plain > 0.3
    assert covered >= 0.92


@pytest.mark.parametrize("value", [0, 1])
def test_all_or_nothing_in_clusters_still_has_a_width(value):
    right = np.full((60, 1), value, bool)
    found = bootstrap.clustered_shares(right, np.repeat(np.arange(12), 5))[0]
    t = stats.t.ppf(0.975, 11)
    reach = t**2 / (12 + t**2)
    assert found.value == value
    assert (found.high - found.low) == pytest.approx(reach)
    assert 0 <= found.low <= found.high <= 1


def test_no_discordant_row_in_clusters():
    right = np.random.default_rng(0).random((60, 1)) < 0.5
    found = pairs.compare_within(right, right, (25.0,), np.repeat(np.arange(12), 5))[0]
    z = stats.norm.ppf(0.975)
    assert found.difference.high == pytest.approx(z**2 / (12 + z**2))
    assert found.difference.low == pytest.approx(-found.difference.high)
    assert found.p_value == 1.0


def test_four_uneven_clusters_are_worth_three_even_ones():
    """60 rows in 30, 10, 10 and 10: 60² / (30² + 3 x 10²) is 3, whatever is made of it."""
    codes, none = np.repeat(np.arange(4), [30, 10, 10, 10]), np.zeros((60, 1), bool)
    t, z = stats.t.ppf(0.975, 2), stats.norm.ppf(0.975)
    (share,) = bootstrap.clustered_shares(none, codes)
    assert (share.low, share.high) == (0.0, pytest.approx(t**2 / (3 + t**2)))
    (pair,) = pairs.compare_within(none, none, (25.0,), codes)
    assert pair.difference.high == pytest.approx(z**2 / (3 + z**2))
    (ahead,) = pairs.compare_within(~none, none, (25.0,), codes)
    assert (ahead.difference.value, ahead.difference.high) == (1.0, 1.0)
    assert ahead.difference.low == pytest.approx(pairs.paired_share(3, 0, 3).low)
    found = clusters.by_cluster(np.random.default_rng(0).random((60, 1)), codes)
    assert found.effective == pytest.approx(3)
    assert found.widening(0.95)[1] == pytest.approx(t)


def test_equal_clusters_widen_by_the_textbook_factor():
    found = clusters.by_cluster(np.random.default_rng(0).random((40, 1)), np.arange(40) // 5)
    factor, quantile = found.widening(0.95)
    assert found.effective == pytest.approx(8)
    assert factor[0] == pytest.approx(np.sqrt(8 / 7))
    assert quantile == pytest.approx(stats.t.ppf(0.975, 7))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 200))
def test_the_paired_interval_solves_the_score_equation(a, b, more):
    """Tango's statistic at each end is the normal quantile; the constrained rate by brute force."""
    n = a + b + more
    found = closed_form.paired_share(a, b, n)
    z = stats.norm.ppf(0.975)
    assert -1 <= found.low <= found.value <= found.high <= 1
    for end, sign in ((found.low, 1), (found.high, -1)):
        rate = _constrained(a, b, n, end)
        statistic = (a - b - n * end) / np.sqrt(n * (2 * rate + end - end**2))
        assert statistic == pytest.approx(sign * z, abs=0.02)


def _constrained(a, b, n, delta):
    """Return the chance of 'only B' of largest likelihood where A - B is delta."""

    def loss(q):
        terms = ((a, q + delta), (b, q), (n - a - b, 1 - 2 * q - delta))
        return -sum(count * np.log(chance) for count, chance in terms if count)

    ends = max(0.0, -delta) + 1e-13, (1 - delta) / 2 - 1e-13
    return optimize.minimize_scalar(loss, bounds=ends, options={"xatol": 1e-13}).x


@pytest.mark.parametrize("n", [1, 2, 5, 6, 7, 8, 20, 51])
def test_the_median_is_covered_whatever_few_rows_there_are(n):
    rng = np.random.default_rng(n)
    draws = rng.exponential(100.0, (1500, n))
    found = [closed_form.median_interval(row) for row in draws]
    true = 100 * np.log(2)
    hits = np.mean([one.low <= true <= one.high for one in found])
    assert hits >= 0.94
    if n < 6:
        assert {(one.low, one.high) for one in found} == {(0.0, sphere.HALF_CIRCUMFERENCE_KM)}
    else:
        ordered = np.sort(draws[0])
        rank = int(np.searchsorted(ordered, found[0].low)) + 1
        assert 2 * stats.binom.cdf(rank - 1, n, 0.5) <= 0.05 < 2 * stats.binom.cdf(rank, n, 0.5)
        assert found[0].high == ordered[n - rank]


def test_a_clustered_median_is_the_quantiles_of_the_share():
    values = np.random.default_rng(0).exponential(100, 1000)
    half = closed_form.Interval(0.5, 0.4, 0.6, 0.95, "cluster bootstrap")
    found = closed_form.clustered_median(values, half)
    ordered = np.sort(values)
    assert (found.low, found.high) == (ordered[400], ordered[599])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_steps_down(chances):
    order = sorted(range(len(chances)), key=lambda i: chances[i])
    expected, worst = [0.0] * len(chances), 0.0
    for step, i in enumerate(order):
        worst = max(worst, min(1.0, chances[i] * (len(chances) - step)))
        expected[i] = worst
    assert pairs.holm(chances) == pytest.approx(expected)


@pytest.mark.parametrize("count", [10, 20, 50])
def test_a_rare_hit_in_uneven_clusters_is_covered(count):
    """86 to 91% with the degrees of freedom of even clusters."""
    rng, held = np.random.default_rng(1), []
    for _ in range(400):
        sizes = np.ceil(20 * rng.lognormal(0, 0.8, count)).astype(int)
        rate = rng.beta(0.05 * 7 / 3, 0.95 * 7 / 3, count)
        codes = np.repeat(np.arange(count), sizes)
        right = (rng.random(len(codes)) < rate[codes])[:, None]
        found = bootstrap.clustered_shares(right, codes, resamples=300)[0]
        held.append(found.low <= 0.05 <= found.high)
    assert 0.92 <= np.mean(held) <= 0.985


def test_the_quantile_of_a_share_follows_the_kurtosis_of_its_clusters():
    sums = np.stack([np.arange(40) % 2 * 5, np.arange(40) == 3], axis=1).astype(float)
    found = clusters.Clusters(np.full(40, 5.0), sums)
    even, rare = found.share_quantiles(0.95)
    assert even == pytest.approx(stats.t.ppf(0.975, 39))
    residuals = sums[:, 1] - sums[:, 1].mean()
    kurtosis = stats.kurtosis(residuals, fisher=False)
    assert rare == pytest.approx(stats.t.ppf(0.975, max(1, 1.75 * 40 / (kurtosis - 1))))
