"""The rule of a threshold, to the last micrometre, and columns of distances and of groups."""

import math

import numpy as np
import pyarrow as pa
import pytest
from pyproj import Geod

from geodata.evaluation import evaluate
from geodata.evaluation.scores.counting import outcomes
from geodata.evaluation.scores.counting.groups import GroupCodes, GroupCodesBuilder, _medians
from geodata.evaluation.scores.counting.metrics import Scorer
from geodata.evaluation.scores.counting.rule import Scoring
from geodata.evaluation.scores.counting.thresholds import threshold_counts, threshold_shares

SPHERE = Geod(a=6371000.0, b=6371000.0)
MICROMETRE = 1e-9


@pytest.mark.parametrize(("strict", "sign"), [(False, 1), (True, -1)])
def test_limits_are_a_micrometre_to_the_side_that_ties_belong_to(strict, sign):
    scoring = Scoring((0.0, 25.0, 20_000.0), strict=strict)
    limits = [t + sign * MICROMETRE for t in (0.0, 25.0, 20_000.0)]
    assert scoring.limits_km.tolist() == limits
    expected = [math.sin(limit / 6371.0 / 2) ** 2 for limit in limits]
    expected[0] = -1.0 if strict else expected[0]
    assert scoring.limits_a.tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("off", "within"),
    [(-1.1, (1, 1)), (-1, (1, 1)), (-0.9, (1, 0)), (0.9, (1, 0)), (1, (1, 0)), (1.1, (0, 0))],
)
def test_a_micrometre_decides_a_tie(off, within):
    for strict, right in zip((False, True), within, strict=True):
        km, scoring = 1.0 + off * MICROMETRE, Scoring((1.0,), strict=strict)
        assert threshold_shares([km], (1.0,), strict=strict) == {1.0: right}
        found = outcomes.score_rows(pa.table({"pred_distance_km": [km]}), scoring)
        assert found.rank.tolist() == [1 - right]


def test_up_to_250_thresholds_are_counted():
    many = tuple(range(1, 251))
    assert Scoring(many).thresholds_km == many
    found = threshold_shares([249.5, 250.5], many)
    assert (found[249.0], found[250.0]) == (0.0, 0.5)
    rows = {"lat": [0.0] * 2, "lon": [0.0] * 2, "pred_lat": [2.246, 80.0], "pred_lon": [0.0] * 2}
    assert outcomes.score_rows(pa.table(rows), Scoring(many)).rank.tolist() == [249, 250]
    with pytest.raises(ValueError, match="thresholds_km has 251 values; expected 1 to 250"):
        Scoring((*many, 251))


@pytest.mark.parametrize("given", ["25", ("25", "200"), (25, "200")])
def test_thresholds_in_text_are_refused(given):
    """Letter by letter "25" would be 2 and 5 km."""
    with pytest.raises(ValueError, match=r"holds text; give km as numbers, such as \(25, 200\)$"):
        Scoring(given)
    with pytest.raises(ValueError, match="holds text"):
        threshold_shares([1.0], given)


def test_one_number_in_place_of_thresholds_is_told():
    rows = {"id": ["a"], "lat": [1.0], "lon": [2.0]}
    for call in (
        lambda: evaluate(rows, rows, 25),
        lambda: threshold_shares([1.0], 25),
        lambda: threshold_counts([0.0], [0.0], [0.0], [0.0], 25),
    ):
        with pytest.raises(
            ValueError, match=r"^thresholds_km=25 is not a list.*, such as \(25,\)$"
        ):
            call()


def test_quantiles_run_from_0_to_1_and_stand_in_their_order():
    assert Scoring(quantiles=(1, 0, 0.5)).quantiles == (1.0, 0.0, 0.5)
    for bad in (-0.001, 1.001):
        with pytest.raises(ValueError, match=rf"quantile {bad} is outside \[0, 1\]; give shares"):
            Scoring(quantiles=(0.5, bad))
    scorer = Scorer(Scoring(quantiles=(1, 0, 0.75)))
    scorer.add(pa.table({"pred_distance_km": [4.0, 0.0, 3.0, 1.0, None]}))
    assert scorer.finish().quantiles_km == {1.0: 4.0, 0.0: 0.0, 0.75: 3.25}


@pytest.mark.parametrize("km", [14_900.0, 16_000.0, 19_990.0, 20_010.0, 20_015.08])
def test_far_answers_are_measured_to_a_micrometre(km):
    """Near the antipode an arcsine loses digits: the sphere of pyproj is the oracle."""
    lat, lon, turn = np.full(12, 41.0), np.full(12, -3.0), np.arange(12) * 30.0
    x, y, _ = SPHERE.fwd(lon, lat, turn, np.full(12, km * 1000))
    rows = {
        "lat": [41.0, *lat],
        "lon": [-3.0, *lon],
        "pred_lat": [41.0, *y],
        "pred_lon": [-3.0, *x],
    }
    found = outcomes.score_rows(pa.table(rows), Scoring((25.0,))).distance_km
    assert found == pytest.approx([0.0] + [km] * 12, abs=2e-8)
    for nearer in ((), (25.0,)):  # the farthest threshold says how all are compared
        limits = (*nearer, km - 1e-6, km + 1e-6)
        counted = threshold_counts(lat, lon, y, x, limits)
        assert list(counted.values()) == [*(0 for _ in nearer), 0, 12]
        rank = outcomes.score_rows(pa.table(rows), Scoring(limits)).rank
        assert rank.tolist() == [0] + [len(nearer) + 1] * 12


def test_a_batch_in_pieces_is_the_batch():
    n = outcomes.CHUNK_ROWS * 2 + 5
    assert [(p.start, p.stop) for p in outcomes.chunks(n)][-1][0] == outcomes.CHUNK_ROWS * 2
    east = np.linspace(0.0, 90.0, n)
    columns = np.zeros(n), np.zeros(n), np.zeros(n), east
    km = np.radians(east) * 6371.0
    expected = {t: int((km <= t).sum()) for t in (1.0, 25.0, 2500.0, 20_001.0)}
    assert threshold_counts(*columns, (1, 25, 2500)) == {t: expected[t] for t in (1.0, 25.0, 2500)}
    assert threshold_counts(*columns, (1, 25, 20_001))[20_001.0] == n
    rows = pa.table(dict(zip(("lat", "lon", "pred_lat", "pred_lon"), columns, strict=True)))
    assert outcomes.score_rows(rows).distance_km == pytest.approx(km, abs=1e-9)


@pytest.mark.parametrize("distance", ["sphere", "wgs84"])
def test_a_row_without_an_answer_has_no_distance_and_the_worst_rank(distance):
    rows = {"lat": [1.0] * 3, "lon": [2.0] * 3, "pred_lat": [1.0, None, 95.0],
            "pred_lon": [2.0, 3.0, 2.0]}  # fmt: skip
    found = outcomes.score_rows(pa.table(rows), Scoring((1.0, 25.0), distance=distance))
    assert found.distance_km.tolist() == [0.0, 0.0, 0.0]
    assert found.answered.tolist() == [True, False, False]
    assert found.rank.tolist() == [0, 2, 2]
    given_ = outcomes.score_rows(pa.table({"pred_distance_km": [1.0, None, 30.0]}), Scoring((1.0,)))
    assert given_.distance_km.tolist() == [1.0, 0.0, 30.0]
    assert (given_.answered.tolist(), given_.rank.tolist()) == ([True, False, True], [0, 1, 1])


def test_a_score_is_short_to_read_and_compares_its_figures():
    def scored(*km):
        scorer = Scorer(by=["who", "who"])
        scorer.add(pa.table({"pred_distance_km": [*km], "who": ["a"] * len(km)}))
        return scorer.finish()

    found = scored(1.0, 2.0)
    for name in ("distances_km", "ranks", "there", "codes"):
        assert f"{name}=" not in repr(found)
    assert found == scored(2.0, 1.0)
    assert found != scored(1.0, 3.0)
    assert list(found.by) == list(found.codes) == ["who"]
    nothing = Scorer().finish()
    assert (nothing.distances_km.dtype, nothing.ranks.dtype, nothing.there.dtype) == (
        np.float64, np.uint8, bool
    )  # fmt: skip
    assert nothing.within().shape == (0, 5)


@pytest.mark.parametrize("groups", [65_536, 65_537, 70_000])
def test_medians_of_many_groups_are_each_their_own(groups):
    """Beyond 65,536 groups a code needs more than 16 bits."""
    codes = np.arange(groups, dtype=np.int32)[::-1]
    distances = np.random.default_rng(0).random(groups)
    found = _medians(codes, distances, np.ones(groups, np.int64))
    assert found.tolist() == distances[::-1].tolist()


def test_a_truth_row_without_a_place_is_named_with_both_numbers():
    rows = {"lat": [1.0, None], "lon": [2.0, 7.5], "pred_lat": [0.0] * 2, "pred_lon": [0.0] * 2}
    with pytest.raises(ValueError, match=r"truth row 41 has lat None, lon 7\.5, which is no place"):
        outcomes.score_rows(pa.table(rows), first_row=40)
    with pytest.raises(ValueError, match="truth row 1 has lat None"):
        outcomes.score_rows(pa.table(rows))
    with pytest.raises(ValueError, match="has no column 'lon'; its columns are lat, pred_lat"):
        outcomes.score_rows(pa.table(rows).select(["lat", "pred_lat"]))


def test_codes_run_on_from_piece_to_piece():
    builder = GroupCodesBuilder()
    builder.add(["b", None])
    builder.add(pa.array(["a", "b"]))
    builder.add(pa.chunked_array([[float("nan")], [2.0]]))
    found = builder.finish()
    assert found.values == ("b", None, "a", 2.0)
    assert found.codes.tolist() == [0, 1, 2, 0, 1, 3]
    assert found.codes.dtype == np.int32
    assert builder.finish().codes.tolist() == []
    assert GroupCodes.of([]).values == ()


@pytest.mark.parametrize("column", [[{"a": 1}], [[1]]], ids=["struct", "list"])
def test_what_is_nested_is_no_group(column):
    with pytest.raises(ValueError, match=r"a column to group by is (struct|list)<.*>; it must"):
        GroupCodes.of(column)
