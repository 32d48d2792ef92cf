"""Ways to take one of several answers against plain loops, with answers that are no place."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from geodata.evaluation.joining import Several
from geodata.evaluation.scores import candidates
from geodata.evaluation.scores.counting import Scorer, Scoring
from geodata.evaluation.scores.result import Options
from geodata.evaluation.scores.ways import candidate_scores

NAN = float("nan")
PLACES = {
    0.0: ("AA", "AA-1", "a"), 1.0: ("AA", "AA-1", "b"), 10.0: ("AA", "AA-2", "a"),
    40.0: ("BB", "AA-1", "a"), 90.0: (None, None, None),
}  # fmt: skip
"""Labels by longitude, on the equator."""

ANSWER = st.tuples(
    st.sampled_from([NAN, *PLACES]), st.sampled_from([NAN, 0.1, 0.5, 0.9]), st.integers(0, 3)
)
PHOTOS = st.lists(st.lists(ANSWER, max_size=6), max_size=6)


def several(photos):
    flat = [one for photo in photos for one in photo]
    lon = np.array([one[0] for one in flat], float)
    start = np.concatenate([[0], np.cumsum([len(photo) for photo in photos])]).astype(np.int64)
    return Several(start, np.where(np.isnan(lon), np.nan, 0.0), np.nan_to_num(lon, nan=1.0), None)


def apart(a, b):
    return np.radians(abs(a - b)) * 6371.0


def plain_medoid(places):
    """Return the places of one photo that lie nearest to the others, in order; ties by rounding."""
    sums = {i: round(sum(apart(x, y) for y in places if y == y), 3)
            for i, x in enumerate(places) if x == x}  # fmt: skip
    return [i for i, total in sums.items() if total == min(sums.values())]


def plain_vote(places):
    """Return the answers that are left once country, region and city have voted."""
    left = [i for i, x in enumerate(places) if x == x]
    for level in range(3):
        said = [PLACES[places[i]][level] for i in left]
        most = max(map(said.count, said), default=0)
        winner = next((one for one in said if said.count(one) == most), None)
        left = [i for i, one in zip(left, said, strict=True) if one == winner]
    return left


@settings(deadline=None)
@given(PHOTOS)
def test_each_way_is_a_plain_loop(photos):
    found = several(photos)
    sure = np.array([one[1] for photo in photos for one in photo], float)
    rank = np.array([one[2] for photo in photos for one in photo], np.uint8)
    flat = [one[0] for photo in photos for one in photo]
    labels = pa.table(
        {
            name: pa.chunked_array(
                [pa.array([PLACES.get(x, ("AA", "AA-2", "z"))[i] for x in flat], pa.string())]
            )
            for i, name in enumerate(("country_code", "admin1_code", "city"))
        }
    )
    first, most = candidates.first(found), candidates.most(found, sure)
    medoid, vote = candidates.medoid(found), candidates.vote(found, labels)
    spread = candidates.spread_km(found)
    nearest = candidates.nearest_rank(found, rank, 4)
    for i, photo in enumerate(photos):
        at, places = found.start[i], [one[0] for one in photo]
        assert first[i] == (at if photo else -1)
        assert nearest[i] == min((one[2] for one in photo), default=4)
        known = [k for k, one in enumerate(photo) if one[0] == one[0] and one[1] == one[1]]
        surest = max(known, key=lambda k: (photo[k][1], -k), default=None)
        assert most[i] == (-1 if surest is None else at + surest)
        near = plain_medoid(places)
        check(medoid[i] - at, near, places)
        there = [x for x in places if x == x]
        if len(there) < 2:
            assert np.isnan(spread[i])
        else:
            mean = sum(apart(places[near[0]], y) for y in there) / len(there)
            assert spread[i] == pytest.approx(mean, abs=1e-3)
        left = plain_vote(places)
        check(vote[i] - at, [left[k] for k in plain_medoid([places[k] for k in left])], places)


def check(chosen, best, places):
    """Of answers that are level one is taken, of the same place the first of them."""
    if not best:
        assert chosen < 0
    else:
        assert chosen in best
        assert places.index(places[chosen]) in (chosen, *(set(range(len(places))) - set(best)))


def test_many_photos_are_measured_in_pieces(monkeypatch):
    rng = np.random.default_rng(0)
    photos = [[(rng.uniform(0, 90), 0, 0) for _ in range(k)] for k in [3, 5, 3, 1] * 9]
    whole = candidates.summed_km(several(photos))
    expected = [sum(apart(x, y) for y, *_ in photo) for photo in photos for x, *_ in photo]
    assert whole == pytest.approx(expected)
    many = (1 << 20) + 1
    alone = Several(np.arange(many + 1), np.zeros(many), np.zeros(many), None)
    assert [len(rows) for rows in candidates._rectangles(alone)] == [many - 1, 1]
    for pairs, sizes in (
        (1, [1] * 36), (9, [9, *[1] * 27]), (30, [9, 3, 3, 3, 3, 3, 3, *[1] * 9])
    ):  # fmt: skip
        monkeypatch.setattr(candidates, "_PAIRS_AT_A_TIME", pairs)
        assert candidates.summed_km(several(photos)).tolist() == whole.tolist()
        assert [len(rows) for rows in candidates._rectangles(several(photos))] == sizes


def scored(km, **options):
    """Return the scores of the first answers, errors in km."""
    scorer = Scorer(Scoring((25.0, 200.0), **options))
    scorer.add(pa.table({"pred_distance_km": pa.array(km, pa.float64())}))
    return scorer.finish()


def away(km):
    return np.degrees(km / 6371.0)


def test_every_way_is_scored_over_all_photos():
    """Four photos: the first answer 10, 100, none at all, and 3,000 km off."""
    lon = [away(10), away(500), away(100), away(5), away(3000), away(20)]
    found = Several(
        np.array([0, 2, 4, 4, 6]), np.zeros(6), np.array(lon),
        np.array([0.2, 0.9, 0.1, 0.8, np.nan, 0.3]),
    )  # fmt: skip
    truth = np.zeros(4), np.zeros(4)
    scores = scored([10.0, 100.0, None, 3000.0])
    ways, told = candidate_scores(found, "rows", truth, scores, Options(), regions=False)
    assert ways.accuracy == {
        "first": {25.0: 0.25, 200.0: 0.5},
        "best": {25.0: 0.5, 200.0: 0.5},
        "medoid": {25.0: 0.25, 200.0: 0.5},
        "oracle": {25.0: 0.75, 200.0: 0.75},
    }
    assert (ways.k, ways.k_min, ways.layout, ways["oracle"]) == (2, 2, "rows", ways.oracle)
    assert ways.intervals["best"][25.0].value == 0.5
    assert "Interval" not in repr(ways)
    assert [str(one) for one in told] == [
        "info: several_answers: a photo has up to 2 answers (rows with its id); the first is "
        "scored. The table of candidates has the other ways to take one."
    ]
    assert told[0].count == 6
    scores = scored([10.0, 100.0, None, 3000.0], missing="exclude")
    ways, _ = candidate_scores(found, "rows", truth, scores, Options(), regions=False)
    assert ways["oracle"] == {25.0: 1.0, 200.0: 1.0}


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("rows", "rows with its id"), ("columns", "pairs of columns"),
        ("list", "answers in a list"), ("other", "other"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("asked", [None, False, True])
def test_photos_with_fewer_answers_are_told(layout, words, asked):
    found = Several(np.array([0, 3, 3, 4, 6]), np.zeros(6), np.zeros(6), None)
    given_ = {} if asked is None else {"asked": asked}
    ways, told = candidate_scores(
        found, layout, (np.zeros(4), np.zeros(4)), scored([0.0, None, 0.0, 0.0]), Options(),
        regions=False, **given_,
    )  # fmt: skip
    assert (ways.k, ways.k_min) == (3, 1)
    assert f"up to 3 answers ({words})" in told[0].message
    assert str(told[1]) == (
        f"{'warning' if asked else 'error'}: varying_candidates: photos have 1 to 3 answers: the "
        "oracle favours those with more (rows 3, 4). Ask for as many answers for every photo, or "
        f"say that they may differ with --candidates {layout} (candidates={layout!r})."
    )
    assert told[1].count == 2


def test_photos_without_any_answer():
    none = Several(np.zeros(3, np.int64), np.empty(0), np.empty(0), None)
    places = np.zeros(2), np.zeros(2)
    ways, told = candidate_scores(none, "list", places, scored([None, None]), Options(), True)
    assert (ways.k, ways.k_min, len(told)) == (0, 0, 1)
    assert set(ways.accuracy) == {"first", "medoid", "vote", "oracle"}
    assert all(shares == {25.0: 0.0, 200.0: 0.0} for shares in ways.accuracy.values())
