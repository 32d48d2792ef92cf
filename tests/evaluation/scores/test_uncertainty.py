"""Which rows an interval is of, and with which options it is made."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from geodata.evaluation.scores import uncertainty
from geodata.evaluation.scores.counting import Scorer, Scoring
from geodata.evaluation.scores.intervals import (
    bootstrap,
    closed_form,
    clustered_median,
    clustered_shares,
    median_interval,
    pairs,
    wilson,
)
from geodata.evaluation.scores.result import Options

KM = [1.0, 300.0, None, 50.0, 5.0, None, 9000.0, 20.0, 100.0, 3.0, None, 30.0] * 5
AUTHOR = [f"a{i % 7}" for i in range(60)]


def scored(km, author, **options):
    scorer = Scorer(Scoring((25.0, 200.0), **options), by=("author",))
    scorer.add(pa.table({"pred_distance_km": pa.array(km, pa.float64()), "author": author}))
    return scorer.finish()


ANSWERED = np.array([km is not None for km in KM])
WITHIN = np.array([[km is not None and km <= t for t in (25.0, 200.0)] for km in KM])
CODES = np.arange(60) % 7
WAYS = [Options(), Options(confidence=0.8),
        *(Options(cluster="author", **more) for more in
          ({}, {"confidence": 0.8}, {"resamples": 50}, {"seed": 4}))]  # fmt: skip


@pytest.mark.parametrize("options", WAYS, ids=range(6))
@pytest.mark.parametrize("missing", ["wrong", "exclude"])
def test_the_interval_of_a_share_is_of_the_denominator(options, missing):
    scores = scored(KM, AUTHOR, missing=missing)
    counted = np.ones(60, bool) if missing == "wrong" else ANSWERED
    rows, used = WITHIN[counted], {"confidence": options.confidence}
    if options.cluster is None:
        expected = [wilson(int(column.sum()), len(rows), **used) for column in rows.T]
    else:
        used |= {"resamples": options.resamples, "seed": options.seed}
        expected = clustered_shares(rows, CODES[counted], **used)
    found = uncertainty.intervals_of(scores, options)
    assert found == dict(zip((25.0, 200.0), expected, strict=True))
    assert uncertainty.shares_of(WITHIN, scores, options) == expected


@pytest.mark.parametrize("options", WAYS, ids=range(6))
def test_the_interval_of_the_median_is_of_the_answered(options):
    drawn_km = np.random.default_rng(0).uniform(0, 900, 400).round(3).tolist()
    given_km = [None if i % 9 == 2 else one for i, one in enumerate(drawn_km)]
    codes = np.arange(400) % 7
    scores = scored(given_km, [f"a{i}" for i in codes])
    used, answered = {"confidence": options.confidence}, np.arange(400) % 9 != 2
    km = np.array(drawn_km)[answered]
    if options.cluster is None:
        expected = median_interval(km, **used)
    else:
        drawn = {"resamples": options.resamples, "seed": options.seed}
        below = (km <= np.median(km))[:, None]
        (half,) = clustered_shares(below, codes[answered], **used, **drawn)
        expected = clustered_median(km, half, **used)
    assert uncertainty.median_of(scores, options) == expected


def test_without_rows_or_clusters_there_is_less_to_say():
    clustered = Options(cluster="author")
    silent = scored([None] * 4, list("aabb"), missing="exclude")
    assert uncertainty.intervals_of(silent, clustered) == {25.0: None, 200.0: None}
    assert uncertainty.median_of(silent, clustered) is None
    pair = scored([1.0, 2.0, 3.0, None], list("aabb"))
    assert uncertainty.median_of(pair, clustered).method == "cluster bootstrap"
    alone = scored([1.0, 2.0, 3.0, None], list("aaab"))
    assert uncertainty.median_of(alone, clustered) == median_interval([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="found 1 cluster"):
        uncertainty.intervals_of(scored([1.0, 2.0], ["a", "a"]), clustered)


def test_few_clusters_are_told_with_their_number():
    clustered = Options(cluster="author")
    (found,) = uncertainty.few_clusters(scored(KM, AUTHOR), clustered)
    assert str(found) == (
        "warning: few_clusters: 'author' has 7 clusters: under 20 an interval is rough, whatever "
        "is corrected. Take a finer column to resample by, or more data."
    )
    assert found.count == 7
    assert uncertainty.few_clusters(scored(KM, AUTHOR), Options()) == []
    none = scored([], pa.array([], pa.string()))
    assert uncertainty.few_clusters(none, clustered) == []


# intervals by hand


@pytest.mark.parametrize("n", [1, 2, 5, 40, 1000])
def test_a_difference_of_everything_has_the_closed_form(n):
    """All rows discordant to one side: Tango's equation is ``n (1 - d) / (1 + d) = z^2``."""
    for confidence in (0.95, 0.8):
        z = stats.norm.ppf((1 + confidence) / 2)
        end = (n - z * z) / (n + z * z)
        better = closed_form.paired_share(n, 0, n, confidence=confidence)
        worse = closed_form.paired_share(0, n, n, confidence=confidence)
        assert (better.value, better.high) == (1.0, 1.0)
        assert (worse.value, worse.low) == (-1.0, -1.0)
        assert better.low == pytest.approx(end, abs=1e-9)
        assert worse.high == pytest.approx(-end, abs=1e-9)
        assert (better.method, better.confidence) == ("score", confidence)


@given(
    st.floats(1.0, 1e7).flatmap(
        lambda n: st.tuples(st.just(n), st.floats(0, 1), st.sampled_from([0.0, 0.3, 1.0]))
    )
)
def test_a_difference_of_rows_that_are_no_whole_number_has_ends(case):
    rows, share, rest = case
    a, b = rows * share, rows * (1 - share) * rest
    found, turned = closed_form.paired_share(a, b, rows), closed_form.paired_share(b, a, rows)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


def test_wilson_ends_at_nothing_and_at_all():
    for rows in (1, 3, 7, 49, 1000):
        assert wilson(0, rows).low == 0.0
        assert wilson(rows, rows).high == 1.0
        for quantile in (1.28, 1.96, 2.7, 12.7):
            reach = quantile**2 / (rows + quantile**2)
            nothing = closed_form.wilson_ends(0.0, rows, quantile)
            assert nothing == (0.0, pytest.approx(reach))
            whole = closed_form.wilson_ends(1.0, rows, quantile)
            assert whole == (pytest.approx(1 - reach), 1.0)
        z = stats.norm.ppf(0.9)
        found = wilson(0, rows, confidence=0.8)
        assert found.high == pytest.approx(z * z / (rows + z * z))
        assert (found.confidence, found.method, found.value) == (0.8, "wilson", 0.0)
    for correct, rows in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match=f"{correct} of {rows} rows cannot be right; exp"):
            wilson(correct, rows)
    assert wilson(5, 5).value == 1.0


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [(0.0, 1.0, (0.0, 10.0)), (0.1, 0.9, (2.0, 9.0)), (0.15, 0.85, (2.0, 9.0)),
     (0.01, 0.55, (1.0, 6.0)), (0.5, 0.51, (6.0, 6.0)), (0.0, 0.0, (0.0, 10.0))],
)  # fmt: skip
def test_a_clustered_median_stands_at_the_ranks_of_the_share(low, high, ends):
    values = np.arange(10.0, 0, -1)
    if high == 0.0:
        return
    half = closed_form.Interval(0.5, low, high, 0.95, "cluster bootstrap")
    found = clustered_median(values, half, confidence=0.9)
    assert (found.value, (found.low, found.high)) == (5.5, ends)
    assert (found.method, found.confidence) == ("cluster bootstrap", 0.9)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, -0.5])
def test_a_confidence_lies_between_nothing_and_all(confidence):
    rows, codes = np.array([[1], [0], [1]]), [0, 1, 2]
    for call in (
        lambda: wilson(1, 2, confidence=confidence),
        lambda: closed_form.paired_share(1, 2, 5, confidence=confidence),
        lambda: median_interval([1.0], confidence=confidence),
        lambda: bootstrap.bootstrap_share(1, 2, confidence=confidence),
        lambda: bootstrap.bootstrap_mean([], confidence=confidence),
        lambda: clustered_shares(rows, codes, confidence=confidence),
        lambda: bootstrap.clustered_means(rows, codes, confidence=confidence),
        lambda: pairs.compare_within(rows, rows, (1.0,), confidence=confidence),
    ):
        with pytest.raises(ValueError, match=rf"confidence {confidence} is outside \(0, 1\)"):
            call()


@pytest.mark.parametrize(
    ("a", "b", "thresholds"),
    [
        (np.ones((3, 1)), np.ones((4, 1)), (1.0,)), (np.ones((3, 2)), np.ones((3, 1)), (1.0,)),
        (np.ones(3), np.ones(3), (1.0,)), (np.ones((3, 2)), np.ones((3, 2)), (1.0,)),
        (np.ones((0, 1)), np.ones((0, 1)), (1.0,)),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(a, b, thresholds):
    with pytest.raises(ValueError, match=r"within_a is \(.*\), within_b \(.*\), with 1 thres"):
        pairs.compare_within(a, b, thresholds)


def test_a_pair_by_hand():
    a = np.array([[1, 1, 1, 0, 0, 0, 1, 1], [1] * 8], bool).T
    b = np.array([[1, 0, 0, 1, 0, 0, 0, 1], [0] * 8], bool).T
    one, two = pairs.compare_within(a, b, (25.0, 200.0), confidence=0.8)
    assert (one.only_a, one.only_b, one.both, one.rows) == (3, 1, 2, 8)
    assert (one.accuracy_a, one.accuracy_b, one.threshold_km) == (5 / 8, 3 / 8, 25.0)
    assert one.p_value == pytest.approx(10 / 16)  # of 16 outcomes of 4 coins 10 are as far
    assert (two.only_a, two.only_b, two.both, two.p_value) == (8, 0, 0, pytest.approx(2 / 256))
    assert one.difference.confidence == two.difference.confidence == 0.8


def test_a_pair_in_clusters_is_a_mean_of_surpluses():
    a, b = np.random.default_rng(0).random((2, 300, 1)) < [[[0.6]], [[0.5]]]
    codes = np.arange(300) // 7
    surplus = a.astype(int) - b
    found = []
    for more in ({}, {"confidence": 0.8}, {"resamples": 60}, {"seed": 5}):
        one = pairs.compare_within(a, b, (25.0,), codes, **more)[0].difference
        assert one == bootstrap.clustered_means(surplus, codes, **more)[0]
        found.append((one.low, one.high))
    assert len(set(found)) == 4


def test_a_skewed_mean_in_clusters_reaches_farther_to_the_long_side():
    values = np.random.default_rng(2).exponential(1.0, 25) ** 3
    (found,) = bootstrap.clustered_means(values[:, None], np.arange(25))
    assert found.high - found.value > 1.1 * (found.value - found.low)


def test_rows_in_clusters_have_no_normal_interval_however_many_they_are():
    values = np.arange(6000.0)
    found = bootstrap.bootstrap_mean(values, np.arange(6000) // 1000, resamples=50)
    assert found.method == "cluster bootstrap"
    assert bootstrap.bootstrap_mean(values).method == "normal"


def test_the_normal_interval_of_a_mean_to_its_last_digit():
    values = np.random.default_rng(0).exponential(3.0, 5001)
    for confidence in (0.95, 0.5):
        found = bootstrap.bootstrap_mean(values, confidence=confidence)
        reach = stats.norm.ppf((1 + confidence) / 2) * stats.sem(values)
        ends = (values.mean() - reach, values.mean() + reach)
        assert (found.low, found.high) == pytest.approx(ends, rel=1e-12)
        assert found.confidence == confidence


def test_two_clusters_are_enough():
    (found,) = clustered_shares([[1], [0]], [3, 8], resamples=100)
    quantile = stats.t.ppf(0.975, 1)
    assert (found.value, found.confidence, found.method) == (0.5, 0.95, "cluster bootstrap")
    assert found.high - 0.5 == pytest.approx(0.5 - found.low)
    assert 0.4 < found.high - 0.5 < quantile


def test_a_mean_in_clusters_is_the_textbook_interval():
    """With 40 equal clusters: Student's, of their means, whose spread has 39 degrees of freedom."""
    rng = np.random.default_rng(0)
    values = rng.normal(5, 1, 40).repeat(5) + rng.normal(0, 0.1, 200)
    codes = np.arange(200) // 5
    means = values.reshape(40, 5).mean(axis=1)
    for confidence in (0.95, 0.8):
        half = stats.t.ppf((1 + confidence) / 2, 39) * means.std(ddof=1) / np.sqrt(40)
        (found,) = bootstrap.clustered_means(values[:, None], codes, confidence=confidence)
        assert found.value == pytest.approx(values.mean())
        assert found.high - found.low == pytest.approx(2 * half, rel=0.03)
        assert found.low + found.high == pytest.approx(2 * values.mean(), abs=0.1 * half)


@pytest.mark.parametrize("at_a_time", [1, 21, 50, 63, 7000])
def test_resamples_that_are_drawn_in_parts_are_those_of_one_whole(monkeypatch, at_a_time):
    """Seven clusters: 1, 3, 7, 9 and all of the 50 resamples at a time, the last part shorter."""
    values = np.random.default_rng(0).random((21, 2))
    whole = bootstrap.clustered_means(values, np.arange(21) // 3, resamples=50, seed=4)
    other = bootstrap.clustered_means(values, np.arange(21) // 3, resamples=51, seed=4)
    monkeypatch.setattr(bootstrap, "_DRAWS_AT_A_TIME", at_a_time)
    parts = bootstrap.clustered_means(values, np.arange(21) // 3, resamples=50, seed=4)
    assert parts == whole != other


@pytest.mark.parametrize(
    ("asked", "clusters", "drawn"),
    [
        (10_000, 5_000, 10_000), (10_000, 5_001, 9_998), (20_000, 5_000, 10_000),
        (10_000, 49_999, 1_000), (10_000, 100_000, 1_000), (500, 100_000, 500),
    ],
)  # fmt: skip
def test_of_many_clusters_fewer_resamples_are_drawn_but_never_below_a_thousand(
    asked, clusters, drawn
):
    """Fifty million draws of a cluster are what one interval may cost."""
    assert bootstrap._affordable(asked, clusters) == drawn


@pytest.mark.parametrize("resamples", [-1, 0, 1])
def test_one_resample_has_no_spread(resamples):
    with pytest.raises(ValueError) as told:
        Options(resamples=resamples)
    assert str(told.value) == f"resamples={resamples} must be a whole number from 2"
    assert Options(resamples=2).resamples == 2
