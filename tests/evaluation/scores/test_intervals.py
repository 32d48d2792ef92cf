import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from geodata import sphere
from geodata.evaluation.scores.intervals import bootstrap, closed_form, pairs


@given(st.integers(1, 10_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_the_closed_form(pair):
    correct, rows = pair
    z, p = stats.norm.ppf(0.975), correct / rows
    centre = (p + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(p * (1 - p) / rows + z**2 / (4 * rows**2))
    found = closed_form.wilson(correct, rows)
    assert found.low == pytest.approx(centre - half, abs=1e-9)
    assert found.high == pytest.approx(centre + half, abs=1e-9)


def test_half_width_of_im2gps3k():
    """1.67 points at 25 km for 2,997 independent rows at about 32%."""
    assert round(100 * closed_form.wilson(959, 2997).half_width, 2) == 1.67
    assert round(100 * bootstrap.bootstrap_share(959, 2997).half_width, 1) == 1.7


def test_photographers_widen_the_interval():
    """198 photographers, the top ten own a third: clustered is more than twice as wide."""
    rng = np.random.default_rng(5)
    sizes = np.concatenate([np.full(10, 100), rng.multinomial(1997, np.full(188, 1 / 188))])
    author = np.repeat(np.arange(198), sizes)
    skill = rng.beta(0.9, 1.9, 198)
    right = rng.random(len(author)) < skill[author]
    alone = closed_form.wilson(int(right.sum()), len(right)).half_width
    together = bootstrap.clustered_shares(right[:, None], author)[0]
    assert together.method == "cluster bootstrap"
    assert together.half_width > 2 * alone
    shuffled = bootstrap.clustered_shares(right[:, None], rng.permutation(author))[0]
    assert shuffled.half_width == pytest.approx(alone, rel=0.25)


def test_clusters_that_agree_count_as_one_row_each():
    codes = np.repeat(np.arange(100), 50)
    right = (codes % 2 == 0)[:, None]
    few = bootstrap.clustered_shares(right, codes)[0]
    assert few.half_width == pytest.approx(bootstrap.bootstrap_share(50, 100).half_width, rel=0.05)


def test_bootstrap_agrees_with_scipy():
    rng = np.random.default_rng(3)
    right = rng.random(400) < 0.3
    theirs = stats.bootstrap(
        (right.astype(float),), np.mean, method="percentile", n_resamples=9999, rng=rng
    ).confidence_interval
    mine = bootstrap.bootstrap_share(int(right.sum()), 400)
    rows = bootstrap.bootstrap_mean(right.astype(float))
    for found in (mine, rows):
        assert found.low == pytest.approx(theirs.low, abs=0.006)
        assert found.high == pytest.approx(theirs.high, abs=0.006)


def test_paired_bootstrap_agrees_with_scipy():
    rng = np.random.default_rng(4)
    a = rng.random(500) < 0.5
    b = np.where(rng.random(500) < 0.8, a, rng.random(500) < 0.4)
    theirs = stats.bootstrap(
        (a.astype(float), b.astype(float)),
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        paired=True,
        method="percentile",
        rng=rng,
    ).confidence_interval
    mine = pairs.compare_within(a[:, None], b[:, None], (25.0,))[0]
    assert mine.difference.value == pytest.approx(a.mean() - b.mean(), abs=1e-15)
    assert mine.difference.low == pytest.approx(theirs.low, abs=0.006)
    assert mine.difference.high == pytest.approx(theirs.high, abs=0.006)
    singles = pairs.compare_within(a[:, None], b[:, None], (25.0,), np.arange(500))[0]
    assert singles.difference.low == pytest.approx(mine.difference.low, abs=0.006)


def test_normal_interval_continues_the_bootstrap():
    points = np.random.default_rng(6).exponential(1000, bootstrap.NORMAL_ROWS + 1)
    normal = bootstrap.bootstrap_mean(points)
    drawn = bootstrap.bootstrap_mean(points[:-1])
    assert (normal.method, drawn.method) == ("normal", "bootstrap")
    assert normal.half_width == pytest.approx(drawn.half_width, rel=0.05)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_tail(only_a, only_b):
    n, k = only_a + only_b, min(only_a, only_b)
    expected = min(1.0, 2 * stats.binom.cdf(k, n, 0.5)) if n else 1.0
    assert pairs.mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-9)


def test_comparing_a_file_with_itself():
    right = np.random.default_rng(0).random((50, 2)) < 0.5
    for found in pairs.compare_within(right, right, (25.0, 200.0)):
        assert (found.only_a, found.only_b, found.p_value) == (0, 0, 1.0)
        bound = stats.norm.ppf(0.975) ** 2 / (50 + stats.norm.ppf(0.975) ** 2)
        assert found.difference.low == pytest.approx(-bound)
        assert found.difference.high == pytest.approx(bound)


def test_same_seed_same_interval():
    """R14: a draw depends on the input and the seed only."""
    right = np.random.default_rng(1).random((300, 3)) < 0.4
    codes = np.arange(300) // 7
    first, again, other = (
        bootstrap.clustered_shares(right, codes, seed=seed) for seed in (9, 9, 10)
    )
    assert first == again
    assert first != other
    renumbered = bootstrap.clustered_shares(right, codes * 10 + 3, seed=9)
    assert renumbered == first


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(8)
    hits = [
        found.low <= 0.3 <= found.high
        for found in (
            bootstrap.bootstrap_share(int(k), 400, resamples=2000)
            for k in rng.binomial(400, 0.3, 400)
        )
    ]
    assert 0.91 <= np.mean(hits) <= 0.98


def test_median_interval_is_made_of_data():
    values = np.random.default_rng(2).exponential(100, 501)
    found = closed_form.median_interval(values)
    assert found.value == np.median(values)
    assert {found.low, found.high} <= set(values)
    few = closed_form.median_interval([3.0, 1.0])
    assert (few.low, few.value, few.high) == (0.0, 2.0, sphere.HALF_CIRCUMFERENCE_KM)


@pytest.mark.parametrize("n", [*range(1, 60), 999, 1000, 54_321, 1_000_000])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_ends_of_the_median_are_the_farthest_that_a_binomial_allows(n, confidence):
    found = closed_form.median_interval(np.arange(1.0, n + 1), confidence=confidence)
    rank = int(found.low)
    tail = (1 - confidence) / 2
    assert stats.binom.cdf(rank - 1, n, 0.5) <= tail < stats.binom.cdf(rank, n, 0.5)
    assert found.high == (n + 1 - rank if rank else sphere.HALF_CIRCUMFERENCE_KM)


def test_nothing_to_say_is_none():
    assert closed_form.wilson(0, 0) is None
    assert bootstrap.bootstrap_share(0, 0) is None
    assert bootstrap.bootstrap_mean([]) is None
    assert closed_form.median_interval([]) is None
    assert bootstrap.bootstrap_mean([3.0]).half_width == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: closed_form.wilson(5, 4), "5 of 4 rows"),
        (lambda: closed_form.wilson(1, 2, confidence=95), "confidence 95"),
        (lambda: bootstrap.clustered_shares([[1], [0]], [3, 3]), "found 1 cluster"),
        (lambda: bootstrap.clustered_shares([[1], [0]], [3]), "one a row"),
        (lambda: pairs.compare_within([[True]], [[True]], (1.0, 25.0)), "same thresholds"),
        (lambda: pairs.compare_within(np.ones((0, 1)), np.ones((0, 1)), (1.0,)), "non-empty"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("rows", "within"), [(20, 0.81), (50, 0.96), (100, 0.98)])
def test_wilson_holds_the_truth_as_often_as_the_page_says(rows, within):
    counts = np.arange(rows + 1)
    found = [closed_form.wilson(int(count), rows) for count in counts]
    low, high = np.array([one.low for one in found]), np.array([one.high for one in found])
    truths = np.linspace(0.02, 0.98, 961)
    chances = stats.binom.pmf(counts, rows, truths[:, None])
    holds = (low <= truths[:, None]) & (truths[:, None] <= high)
    coverage = (chances * holds).sum(axis=1)
    assert np.mean((coverage >= 0.93) & (coverage <= 0.97)) == pytest.approx(within, abs=0.006)
    assert coverage.mean() == pytest.approx(0.952, abs=0.002)
