"""Scores against plain loops that say what each number means."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from geodata.evaluation.scores.confidence import held_out
from geodata.evaluation.scores.counting.shown_rows import Kept, ShownRows, _first
from geodata.evaluation.scores.intervals import bootstrap
from geodata.evaluation.scores.intervals.clusters import Clusters, by_cluster
from geodata.evaluation.scores.regions.accuracy import (
    RegionAccuracy,
    RegionCounts,
    region_accuracy,
    region_matches,
)
from geodata.evaluation.scores.regions.string_rule import string_accuracy, true_name_columns

NAME = st.sampled_from([None, "A", "B"])
LEVELS = {"country": "country_code", "admin1": "admin1_code", "city": "city"}


def labels(rows, levels=tuple(LEVELS)):
    columns = [p + LEVELS[level] for level in levels for p in ("", "pred_")]
    values = zip(*rows, strict=True) if rows else [[]] * len(columns)
    return pa.table(
        {n: pa.array(list(v), pa.string()) for n, v in zip(columns, values, strict=False)}
    )


@settings(deadline=None)
@given(st.lists(st.tuples(*[NAME] * 6), max_size=8))
def test_a_region_is_right_inside_the_right_one(rows):
    found, right = region_accuracy(labels(rows)), region_matches(labels(rows))
    counted = dict.fromkeys(LEVELS, 0)
    for i, (c, pc, a, pa_, t, pt) in enumerate(rows):
        country = c is not None and c == pc
        region = country and a is not None and a == pa_
        city = country and a == pa_ and t is not None and t == pt  # no region in either is one
        for level, is_right in zip(LEVELS, (country, region, city), strict=True):
            counted[level] += is_right
            assert right[level][i] == is_right
    for level, at in zip(LEVELS, (0, 2, 4), strict=True):
        known = [row for row in rows if row[at] is not None]
        answered = [row for row in known if row[at + 1] is not None]
        assert found[level] == RegionAccuracy(
            level, len(rows), len(known), len(answered), counted[level]
        )
        if known:
            assert found[level].accuracy == counted[level] / len(known)
            assert found[level].coverage == len(answered) / len(known)
        else:
            assert found[level].accuracy is found[level].coverage is None


def test_levels_without_both_columns_are_left_out():
    rows = labels([("A", "A", "B", "B")], ("country", "city"))
    assert list(region_accuracy(rows)) == ["country", "city"]
    assert region_accuracy(rows)["city"].correct == 1
    assert list(region_accuracy(rows.drop(["pred_city"]))) == ["country"]
    with pytest.raises(ValueError, match="country_code and pred_country_code; the columns are "
                                         "country_code, city, pred_city; label both"):  # fmt: skip
        region_accuracy(rows.drop(["pred_country_code"]))


def test_counts_of_batches_add_up_level_by_level():
    a, b = RegionAccuracy("city", 1, 2, 3, 4), RegionAccuracy("city", 10, 20, 30, 40)
    assert a + b == RegionAccuracy("city", 11, 22, 33, 44)
    with pytest.raises(ValueError, match="cannot add country counts to city counts; add level by"):
        a + RegionAccuracy("country", 1, 1, 1, 1)
    truth = pa.table({"country_code": ["A", None], "admin1_code": ["X", None], "city": ["T", "U"]})
    guess = pa.table({"country_code": ["A", "A"], "admin1_code": ["Y", None], "city": ["T", "U"]})
    for keep in (False, True):
        counts = RegionCounts(keep=keep)
        counts.add(truth, guess)
        counts.add(truth, guess, ["country"])
        found = counts.found.items()
        assert {n: (c.rows, c.labelled, c.answered, c.correct) for n, c in found} == {
            "country": (4, 2, 2, 2), "admin1": (2, 1, 1, 0), "city": (2, 2, 2, 0)
        }  # fmt: skip
        kept = {level: [part.tolist() for part in parts] for level, parts in counts.rows.items()}
        assert kept == ({} if not keep else {
            "country": [[True, False]] * 2, "admin1": [[False, False]], "city": [[False, False]]
        })  # fmt: skip
        assert [part.tolist() for part in counts.labelled] == ([[True, False]] * 2 if keep else [])


def test_rows_are_kept_only_where_they_are_asked_for():
    counts = RegionCounts()
    counts.add(labels([("A",) * 6]), labels([("A",) * 6]))
    assert (counts.rows, counts.labelled, counts.found["city"].rows) == ({}, [], 1)


def test_the_string_rule_takes_the_levels_that_both_sides_name():
    batch = pa.record_batch(
        {
            "land": ["France", "France", "  ", None],
            "town": ["Paris", "Lyon", "Rome", "Bonn"],
            "pred_country": ["france", "Spain", "Italy", None],
            "pred_city": ["paris", "Lyon", None, "Bonn"],
        }
    )
    both = string_accuracy(batch, {"country": "land", "city": "town"})
    assert {n: (c.rows, c.labelled, c.answered, c.correct) for n, c in both.items()} == {
        "country": (4, 2, 2, 1), "city": (4, 4, 3, 1)
    }  # fmt: skip
    alone = string_accuracy(batch, {"city": "town"})
    assert {n: (c.labelled, c.answered, c.correct) for n, c in alone.items()} == {"city": (4, 3, 3)}
    only = string_accuracy(
        batch.drop_columns(["pred_country"]), {"country": "land", "city": "town"}
    )
    assert list(only) == ["city"]
    assert true_name_columns(["CITY", "nation"], "t.csv") == {"city": "CITY"}
    assert true_name_columns(["x"], "t.csv") == {}


# what is learnt on half of the rows


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_a_conformal_radius_is_the_error_of_its_rank(distance, level):
    rank = int(np.ceil(round((len(distance) + 1) * level, 9)))
    found = held_out.conformal_radius(distance, level)
    if rank > len(distance):
        assert found == pytest.approx(np.pi * 6371.0)
    else:
        assert found == sorted(distance)[rank - 1]


@pytest.mark.parametrize(
    ("n", "level", "rank"),
    [(19, 0.95, 19), (18, 0.95, None), (9, 0.9, 9), (9, 0.5, 5), (99, 0.8, 80)],
)
def test_ranks_of_whole_numbers_are_not_rounded_up(n, level, rank):
    found = held_out.conformal_radius(np.arange(1.0, n + 1), level)
    assert found == (held_out.HALF_CIRCUMFERENCE_KM if rank is None else rank)


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(0, 5))
def test_halves_are_half_of_the_rows_or_clusters(rows, seed):
    assert held_out.halves(rows, seed).sum() == (rows + 1) // 2
    codes = np.arange(rows) % 7 * 3
    learnt = held_out.halves(rows, seed, codes)
    assert len({int(c) for c in codes[learnt]}) == (len(set(codes.tolist())) + 1) // 2
    assert not set(codes[learnt].tolist()) & set(codes[~learnt].tolist())


def test_halves_follow_their_seed():
    drawn = [held_out.halves(60, seed).tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    groups = np.arange(60) // 2
    drawn = [held_out.halves(60, seed, groups).tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_parts_are_fifths_by_confidence_and_equal_ones_stay_together():
    sure = np.repeat(np.arange(10.0), 4)
    learnt = np.tile([True, True, False, False], 10)
    assert held_out._parts(sure, learnt).tolist() == np.repeat([0, 1, 2, 3, 4], 8).tolist()
    level = np.array([1.0] * 30 + [2.0] * 10)
    assert held_out._parts(level, np.ones(40, bool)).tolist() == [0] * 30 + [1] * 10
    assert held_out._parts(np.zeros(9), np.ones(9, bool)).tolist() == [0] * 9
    beyond = held_out._parts(
        np.array([*range(10), 99.0, -5.0]), np.array([True] * 10 + [False] * 2)
    )
    assert beyond.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 0]


def test_a_part_without_learnt_rows_joins_the_one_below_it():
    sure = np.array([0.0, 0, 0, 0, 5, 5, 5, 5, 2.0])
    learnt = np.array([True] * 8 + [False])
    assert held_out._parts(sure, learnt).tolist() == [0] * 4 + [1] * 4 + [0]


def plain_back_off(right, sure, learnt, target):
    free, told = [True] * len(sure), []
    for level, correct in right.items():
        bar = None
        for one in sorted({s for s in sure if np.isfinite(s)}, reverse=True):
            given_ = [i for i in range(len(sure)) if free[i] and learnt[i] and sure[i] >= one]
            fits = any(free[i] and learnt[i] and sure[i] == one for i in range(len(sure)))
            if fits and sum(correct[i] for i in given_) / len(given_) >= target:
                bar = one
        here = [free[i] and bar is not None and sure[i] >= bar for i in range(len(sure))]
        free = [f and not h for f, h in zip(free, here, strict=True)]
        unseen = [i for i in range(len(sure)) if here[i] and not learnt[i]]
        share = sum(correct[i] for i in unseen) / len(unseen) if unseen else None
        told.append((level, bar, len(unseen) / sum(not v for v in learnt), share))
    return told


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_answers_back_off_as_a_plain_search_does(seed, target):
    rng = np.random.default_rng(seed)
    sure = rng.integers(0, 6, 44) / 5.0
    sure[rng.random(44) < 0.1] = np.nan
    learnt = np.arange(44) % 2 == 0
    right = {level: rng.random(44) < p * np.nan_to_num(sure) + 0.2
             for level, p in (("city", 0.5), ("admin1", 0.7), ("country", 0.9))}  # fmt: skip
    found = held_out.back_off(right, sure, learnt, target=target)
    plain = plain_back_off(right, np.nan_to_num(sure, nan=-np.inf), learnt, target)
    assert [(one.level, one.bar, one.share, one.precision) for one in found] == plain
    assert {(one.target, one.held_out) for one in found} == {(target, 22)}


@pytest.mark.parametrize(
    ("learnt", "unseen", "taught"), [(20, 20, True), (19, 20, False), (20, 19, False)]
)
def test_twenty_answers_in_each_half_teach_something(learnt, unseen, taught):
    half = np.array([True] * learnt + [False] * unseen)
    sure = np.linspace(0, 1, len(half))
    assert bool(held_out.radii(np.ones(len(half)), sure, half)) == taught
    assert bool(held_out.back_off({"city": half}, sure, half)) == taught


def test_radii_are_learnt_on_one_half_and_told_of_the_other():
    rng = np.random.default_rng(3)
    distance, sure = rng.uniform(0, 1000, 200), rng.random(200)
    sure[:5] = np.nan
    learnt = held_out.halves(200, 0)
    found = held_out.radii(distance, sure, learnt)
    part = held_out._parts(np.nan_to_num(sure, nan=-np.inf), learnt)
    assert [one.level for one in found] == [0.5, 0.8, 0.9, 0.95]
    for one in found:
        assert one.conformal_km == held_out.conformal_radius(distance[learnt], one.level)
        assert one.covered == np.mean(distance[~learnt] <= one.conformal_km)
        each = [
            held_out.conformal_radius(distance[learnt & (part == i)], one.level) for i in range(5)
        ]
        assert one.calibrated_km == tuple(each)
        held = [d <= each[p] for d, p in zip(distance[~learnt], part[~learnt], strict=True)]
        assert one.calibrated_covered == np.mean(held)
        assert one.held_out == 100


# intervals


def test_a_bootstrap_follows_its_clusters_seed_confidence_and_number():
    values = np.arange(100.0) ** 2

    def ends(**options):
        found = bootstrap.bootstrap_mean(values, **options)
        return found.low, found.high

    assert ends() == ends(seed=0) == ends(confidence=0.95, resamples=10_000)
    assert len({ends(), ends(seed=1), ends(resamples=500), ends(confidence=0.9)}) == 4
    clusters = np.arange(100) // 5
    grouped = {ends(clusters=clusters), ends(clusters=clusters, seed=1),
               ends(clusters=clusters, resamples=500),
               ends(clusters=clusters, confidence=0.9)}  # fmt: skip
    assert len(grouped) == 4
    wide, narrow = ends(confidence=0.99), ends(confidence=0.5)
    assert wide[0] < ends()[0] < narrow[0] < values.mean() < narrow[1] < ends()[1] < wide[1]
    assert bootstrap.bootstrap_mean(values).method == "bootstrap"
    assert bootstrap.bootstrap_mean(values, clusters).method == "cluster bootstrap"
    asked = ((0, 1000, 0.95), (1, 1000, 0.95), (0, 2000, 0.95), (0, 1000, 0.8))
    shares = {bootstrap.bootstrap_share(30, 100, seed=s, resamples=r, confidence=c).low
              for s, r, c in asked}  # fmt: skip
    assert len(shares) >= 3
    within = (np.arange(100) % 3 == 0)[:, None]
    lows = {bootstrap.clustered_shares(within, clusters, seed=s, resamples=r, confidence=c)[0].low
            for s, r, c in asked}  # fmt: skip
    assert len(lows) == 4


def test_a_mean_of_many_rows_has_the_normal_interval():
    rng = np.random.default_rng(0)
    for count, method in ((1, "normal"), (5000, "bootstrap"), (5001, "normal")):
        values = rng.random(count)
        assert bootstrap.bootstrap_mean(values, resamples=1000).method == method
    found = bootstrap.bootstrap_mean(values, confidence=0.9)
    half = 1.6448536269514722 * values.std(ddof=1) / np.sqrt(5001)
    ends = (values.mean() - half, values.mean() + half)
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-4)
    assert bootstrap.bootstrap_mean([]) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 9)), min_size=2))
def test_rows_are_gathered_by_their_cluster(rows):
    codes, a, b = map(np.array, zip(*rows, strict=True))
    kinds = sorted(set(codes.tolist()))
    if len(kinds) < 2:
        with pytest.raises(ValueError, match="found 1 cluster; resampling needs at least 2"):
            by_cluster(np.stack([a, b], 1), codes)
        return
    found = by_cluster(np.stack([a, b], 1), codes)
    assert found.sizes.tolist() == [int((codes == k).sum()) for k in kinds]
    assert found.sums.tolist() == [[a[codes == k].sum(), b[codes == k].sum()] for k in kinds]
    assert np.allclose(found.means(), [a.mean(), b.mean()])
    n = found.sizes
    assert found.effective == pytest.approx(n.sum() ** 2 / (n * n).sum())


def test_clusters_that_do_not_fit_are_refused():
    for values, codes in ((np.zeros(3), [0, 1, 2]), (np.zeros((3, 1)), [0, 1])):
        with pytest.raises(
            ValueError, match=r"clusters has shape .* for values of shape .*; one a"
        ):
            by_cluster(values, codes)


def test_two_clusters_have_one_degree_of_freedom():
    _, quantile = Clusters(np.array([5.0, 5.0]), np.array([[1.0], [4.0]])).widening(0.95)
    assert quantile == pytest.approx(12.7062, abs=1e-3)
    _, quantile = Clusters(np.array([50.0, 1.0]), np.array([[1.0], [1.0]])).widening(0.95)
    assert quantile == pytest.approx(12.7062, abs=1e-3)  # worth less than two: still one


# rows that are shown


def test_of_equal_errors_the_earlier_row_is_shown_first():
    many = np.arange(64)
    kept = Kept(many[:32], np.ones(32), np.ones(32))
    more = Kept(many[32:], np.ones(32), np.ones(32))
    assert _first(kept, more, 40)[0].tolist() == many[:40].tolist()


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(0, 3))
def test_the_largest_errors_are_shown_whatever_the_batches(seed, step, kinds):
    rng = np.random.default_rng(seed)
    rows = 150
    distance = rng.integers(0, (5, 50, 10**6, 2)[kinds], rows).astype(float)
    answered = rng.random(rows) < 0.8
    shown = ShownRows(7)
    for start in range(0, rows, step):
        shown.add(distance[start : start + step], answered[start : start + step])
    known = [i for i in range(rows) if answered[i]]
    worst = sorted(known, key=lambda i: (-distance[i], i))[:20]
    assert shown.worst.rows.tolist() == worst
    assert shown.worst.distance_km.tolist() == distance[worst].tolist()
    draws = [np.random.default_rng([7, start]).random(min(step, rows - start))
             for start in range(0, rows, step)]  # fmt: skip
    draw = np.concatenate(draws)
    assert shown.sample.rows.tolist() == sorted(known, key=lambda i: -draw[i])
    assert shown.rows == rows


def test_a_sample_of_two_thousand_is_kept():
    shown = ShownRows(0)
    for _ in range(3):
        shown.add(np.arange(1500.0), np.ones(1500, bool))
    assert (len(shown.sample.rows), len(shown.worst.rows)) == (2000, 20)
    draw = np.concatenate([np.random.default_rng([0, s]).random(1500) for s in (0, 1500, 3000)])
    assert shown.sample.rows.tolist() == np.argsort(-draw)[:2000].tolist()
    whole = ShownRows(0)
    whole.add(np.arange(3000.0), np.ones(3000, bool))
    draw = np.random.default_rng([0, 0]).random(3000)
    assert whole.sample.rows.tolist() == np.argsort(-draw)[:2000].tolist()
