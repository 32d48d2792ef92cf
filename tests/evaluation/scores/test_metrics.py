import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from geodata import query, sphere
from geodata.evaluation.scores.counting import metrics, outcomes
from geodata.evaluation.scores.counting.groups import GroupCodes
from geodata.evaluation.scores.counting.rule import TIE_KM, Scoring
from geodata.evaluation.scores.counting.thresholds import threshold_counts, threshold_shares
from geodata.evaluation.scores.regions.accuracy import region_accuracy, region_matches

R = sphere.EARTH_RADIUS_KM
LATS = st.floats(-90, 90)
LONS = st.floats(-180, 180)


def joined(lat, lon, pred_lat, pred_lon, **more):
    columns = {"lat": lat, "lon": lon, "pred_lat": pred_lat, "pred_lon": pred_lon}
    return pa.table({k: pa.array(v, pa.float64()) for k, v in columns.items()} | more)


def random_rows(n, seed=0, missing=0.1):
    rng = np.random.default_rng(seed)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)
    step = np.exp(rng.normal(np.log(60), 2.5, n)).clip(0, 15000) / 111.2
    pred_lat = np.clip(lat + step * rng.normal(size=n), -90, 90)
    pred_lon = lon + step * rng.normal(size=n)
    pred_lon = np.remainder(pred_lon + 180, 360) - 180
    gone = rng.random(n) < missing
    return joined(
        lat,
        lon,
        pa.array(pred_lat, mask=gone),
        pa.array(pred_lon, mask=gone),
        country=pa.array(rng.choice(["FR", "DE", "JP", None], n).tolist(), pa.string()),
    )


def score(table, scoring=None, by=(), batch_rows=None):
    scorer = metrics.Scorer(scoring, by=by)
    for batch in table.to_batches(max_chunksize=batch_rows) if batch_rows else [table]:
        scorer.add(batch)
    return scorer.finish()


def test_denominator_is_every_truth_row():
    nan, inf = float("nan"), float("inf")
    table = joined(
        [0.0] * 6, [0.0] * 6, [0.0, None, nan, 91.0, 0.0, inf], [0.0, 0.0, 0.0, 0.0, 400.0, 0.0]
    )
    scores = score(table)
    assert (scores.rows, scores.answered, scores.denominator) == (6, 1, 6)
    assert scores.coverage == 1 / 6
    assert set(scores.accuracy.values()) == {1 / 6}
    assert scores.geoscore == 5000 / 6
    assert scores.median_km == 0.0


def test_missing_exclude_changes_the_denominator_and_says_so():
    table = joined([0.0, 0.0], [0.0, 0.0], [0.0, None], [0.0, None])
    scores = score(table, Scoring(missing="exclude"))
    assert scores.accuracy[25] == 1.0
    assert (scores.rows, scores.denominator, scores.coverage) == (2, 1, 0.5)
    assert scores.scoring.missing == "exclude"


def test_no_rows_and_no_answers_give_none_not_nan():
    empty = score(joined([], [], [], []))
    assert (empty.rows, empty.coverage, empty.accuracy[25]) == (0, None, None)
    assert (empty.median_km, empty.mean_km, empty.geoscore) == (None, None, None)
    nothing = metrics.Scorer(by=["country"]).finish()
    assert nothing.rows == 0
    silent = score(joined([1.0], [1.0], [None], [None]))
    assert (silent.accuracy[2500], silent.median_km, silent.geoscore) == (0.0, None, 0.0)
    assert score(joined([1.0], [1.0], [None], [None]), Scoring(missing="exclude")).geoscore is None


def test_truth_without_a_place_is_an_error_that_names_the_row():
    scorer = metrics.Scorer()
    scorer.add(joined([0.0], [0.0], [0.0], [0.0]))
    with pytest.raises(ValueError, match=r"truth row 2 has lat 91\.0"):
        scorer.add(joined([0.0, 91.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]))
    with pytest.raises(ValueError, match="no column 'pred_lat'"):
        outcomes.score_rows(pa.table({"lat": [0.0], "lon": [0.0]}))


@pytest.mark.parametrize("km", [0.0, 0.3, 1, 25, 200, 750, 2500, 10007.5, 19999, 20015])
@pytest.mark.parametrize("axis", ["meridian", "equator"])
def test_a_distance_equal_to_the_threshold_is_on_it(km, axis):
    """R1: the same tie in the row scorer, the fast counts, a distance column and SQL."""
    degrees = np.degrees(km / R)
    if axis == "equator":
        point = (0.0, -90.0, 0.0, degrees - 90.0)
    else:
        point = (-90.0, 7.0, degrees - 90.0, 7.0)
    table = joined(*([v] for v in point))
    distance = sphere.haversine_km(*point)
    for threshold in (km, float(distance)):
        for strict in (False, True):
            scoring = Scoring((threshold,), strict=strict)
            expected = int(not strict)
            assert score(table, scoring).correct[threshold] == expected
            columns = [[v] for v in point]
            counts = threshold_counts(*columns, (threshold,), strict=strict)
            assert counts[threshold] == expected
            shares = threshold_shares([distance], (threshold,), strict=strict)
            assert shares[threshold] == expected
            if km < 19_999:
                word = str(strict).lower()
                sql = f"threshold_accuracy('t', thresholds_km := [{threshold}], strict := {word})"
                assert query.run(f"SELECT correct FROM {sql}", files={"t": table})[0][
                    0
                ].as_py() == (expected)


@given(LATS, LONS, LATS, LONS, st.floats(0, 20020), st.booleans())
def test_rank_is_the_distance_predicate(lat1, lon1, lat2, lon2, threshold, strict):
    table = joined([lat1], [lon1], [lat2], [lon2])
    outcome = outcomes.score_rows(table, Scoring((threshold,), strict=strict))
    distance = float(sphere.haversine_km(lat1, lon1, lat2, lon2))
    if abs(distance - threshold) <= 2 * TIE_KM:
        return  # a tie, tested above
    assert (outcome.rank[0] == 0) == (distance < threshold)
    assert abs(outcome.distance_km[0] - distance) <= TIE_KM


@given(
    hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(0, 20015) | st.just(np.nan)),
    st.lists(st.floats(0, 20015), min_size=1, max_size=6, unique=True),
)
def test_threshold_shares_against_counting(distances, thresholds):
    found = threshold_shares(distances, thresholds)
    for threshold, value in found.items():
        right = sum(d <= threshold + TIE_KM for d in distances.tolist())
        assert value == (right / len(distances) if len(distances) else None)


def test_scores_against_pandas():
    pd = pytest.importorskip("pandas")
    table = random_rows(5000)
    frame = table.to_pandas()
    frame["km"] = sphere.haversine_km(frame.lat, frame.lon, frame.pred_lat, frame.pred_lon)
    scores = score(table, by=["country"])
    for threshold in (1, 25, 200, 750, 2500):
        assert scores.correct[threshold] == int((frame.km <= threshold).sum())
    assert scores.median_km == pytest.approx(frame.km.median(), abs=1e-8)
    assert scores.mean_km == pytest.approx(frame.km.mean(), rel=1e-12)
    assert scores.quantiles_km[0.9] == pytest.approx(frame.km.quantile(0.9), abs=1e-8)
    assert scores.geoscore == pytest.approx(
        (5000 * np.exp(-frame.km / 1492.7)).fillna(0).mean(), rel=1e-12
    )
    frame["country"] = frame["country"].astype(object).where(frame["country"].notna(), None)
    by_pandas = frame.groupby("country", dropna=False)
    assert len(scores.by["country"]) == by_pandas.ngroups
    for group in scores.by["country"]:
        rows = frame[frame.country.isna() if group.value is None else frame.country == group.value]
        assert (group.rows, group.answered) == (len(rows), int(rows.km.notna().sum()))
        assert group.accuracy[200] == (rows.km <= 200).sum() / len(rows)
        assert group.median_km == pytest.approx(rows.km.median(), abs=1e-8)
        assert group.mean_km == pytest.approx(rows.km.mean(), rel=1e-12)
    assert isinstance(pd.__version__, str)


@pytest.mark.parametrize("batch_rows", [1, 7, 1000, 40_000])
def test_batches_do_not_change_a_score(batch_rows):
    """R5: whole or in pieces, to the last bit."""
    table = random_rows(300 * batch_rows if batch_rows < 1000 else 70_000)
    whole = score(table, by=["country"])
    parts = score(table, by=["country"], batch_rows=batch_rows)
    assert whole == parts
    np.testing.assert_array_equal(whole.distances_km, parts.distances_km)
    np.testing.assert_array_equal(whole.within(), parts.within())


def test_thresholds_are_sorted_and_strictness_nests():
    table = random_rows(2000)
    loose = score(table, Scoring((2500, 1, 25, 25)))
    assert loose.scoring.thresholds_km == (1.0, 25.0, 2500.0)
    assert list(loose.correct.values()) == sorted(loose.correct.values())
    strict = score(table, Scoring((2500, 1, 25), strict=True))
    assert all(strict.correct[t] <= loose.correct[t] for t in strict.correct)


def test_wgs84_is_the_geodesic():
    from pyproj import Geod

    table = random_rows(500, missing=0)
    scores = score(table, Scoring(distance="wgs84"))
    columns = [table[c].to_numpy() for c in ("lon", "lat", "pred_lon", "pred_lat")]
    km = Geod(ellps="WGS84").inv(*columns)[2] / 1000
    np.testing.assert_allclose(scores.distances_km, km, atol=1e-9)
    assert scores.correct[200] == int((km <= 200).sum())


def test_longitudes_beyond_180_are_the_same_meridian():
    assert score(joined([10.0], [179.9], [10.0], [-180.1])).correct[1] == 1
    assert score(joined([10.0], [-179.5], [10.0], [180.5])).correct[1] == 1


def test_text_is_not_a_coordinate():
    table = pa.table({"lat": [0.0], "lon": [0.0], "pred_lat": ["0"], "pred_lon": ["0"]})
    assert score(table).answered == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds_km": ()}, "expected 1 to 250"),
        ({"thresholds_km": (-1,)}, "threshold -1.0 km"),
        ({"thresholds_km": (float("nan"),)}, "threshold nan km"),
        ({"thresholds_km": (float("inf"),)}, "threshold inf km"),
        ({"quantiles": (50,)}, "not percentages"),
        ({"distance": "euclid"}, "expected 'sphere' or 'wgs84'"),
        ({"missing": "drop"}, "expected 'wrong' or 'exclude'"),
    ],
)
def test_bad_scoring_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Scoring(**options)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1.0, None, float("nan"), 30.0]),
        pa.array([1, None, None, 30], pa.int16()),
        pa.chunked_array([[1.0, None], [], [float("nan"), 30.0]]),
        pl.Series([1.0, None, float("nan"), 30.0]),
        [1.0, None, np.nan, 30.0],
    ],
    ids=["array", "numbers", "chunks", "polars", "list"],
)
def test_distances_come_in_any_column(column):
    assert threshold_shares(column, (1, 25, 30)) == {1.0: 0.25, 25.0: 0.25, 30.0: 0.5}
    assert threshold_shares(column, (25,), missing="exclude") == {25.0: 0.5}


def test_distances_of_pandas_may_be_none():
    pd = pytest.importorskip("pandas")
    column = pd.Series([1, None, 30], dtype="Int64")
    assert threshold_shares(column, (25, 30)) == {25.0: 1 / 3, 30.0: 2 / 3}


def test_group_codes_take_any_column():
    assert GroupCodes.of(pa.array([1.5, float("nan"), None])).values == (1.5, None)
    encoded = pa.array(["a", "b", "a"]).dictionary_encode()
    assert GroupCodes.of(encoded).codes.tolist() == [0, 1, 0]
    assert GroupCodes.of(pa.chunked_array([["x"], ["y", "x"]])).codes.tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="must hold text, numbers or dates"):
        GroupCodes.of(pa.array([[1], [2]]))


LABELS = pa.table(
    {
        "country_code": ["FR", "US", None, "MC", "FR", "NE"],
        "admin1_code": ["FR-IDF", "US-TX", None, None, "FR-IDF", None],
        "city": ["Paris", "Paris", None, "Monaco", "Paris", None],
        "pred_country_code": ["FR", "FR", "FR", "MC", None, "NG"],
        "pred_admin1_code": ["FR-IDF", "FR-IDF", None, None, None, None],
        "pred_city": ["Paris", "Paris", None, "Monaco", None, None],
    }
)


def test_region_accuracy_counts_labelled_truth_rows():
    found = region_accuracy(LABELS)
    assert (found["country"].correct, found["country"].labelled, found["country"].rows) == (2, 5, 6)
    assert (found["admin1"].correct, found["admin1"].labelled) == (1, 3)
    assert (found["city"].correct, found["city"].labelled, found["city"].answered) == (2, 4, 3)
    assert found["country"].coverage == 0.8
    assert region_matches(LABELS)["city"].tolist() == [True, False, False, True, False, False]


def test_region_accuracy_adds_up_over_batches_and_equals_sql():
    parts = [region_accuracy(batch) for batch in LABELS.to_batches(max_chunksize=2)]
    total = {level: parts[0][level] + parts[1][level] + parts[2][level] for level in parts[0]}
    assert total == region_accuracy(LABELS)
    rows = query.run("FROM region_accuracy('labels')", files={"labels": LABELS}).to_pylist()
    for row in rows:
        mine = total[row["level"]]
        assert (mine.rows, mine.labelled, mine.answered, mine.correct) == (
            row["truth_rows"],
            row["labelled"],
            row["answered"],
            row["correct"],
        )
        assert (mine.accuracy, mine.coverage) == (row["accuracy"], row["coverage"])
    with pytest.raises(ValueError, match="level by level"):
        total["country"] + total["city"]
    with pytest.raises(ValueError, match="pred_country_code"):
        region_accuracy(pa.table({"country_code": ["FR"]}))
