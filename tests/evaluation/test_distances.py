"""A file that keeps distances and no coordinates is scored by them, and what is lost is said."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import given, settings, strategies as st

from geodata import evaluation, sphere
from geodata.evaluation.checks import lint
from geodata.evaluation.findings import PredictionError
from geodata.evaluation.joining.sides.distances import LONGEST_KM, distance_columns
from geodata.evaluation.report import to_html
from geodata.evaluation.scores.counting.rule import Scoring
from geodata.files import FileError

ROWS = 200


def files(seed: int = 0):
    """Truth, answers, and the errors of these answers, three without one."""
    rng = np.random.default_rng(seed)
    ids = [f"p{i}" for i in range(ROWS)]
    lat, lon = rng.uniform(-60, 60, ROWS), rng.uniform(-170, 170, ROWS)
    away = rng.exponential(3.0, ROWS)
    truth = {"id": ids, "lat": lat, "lon": lon, "who": [f"w{i % 31}" for i in range(ROWS)]}
    lat_p, lon_p = lat + away / 2, lon + away
    lat_p[:3] = lon_p[:3] = np.nan
    answers = {"id": ids, "lat": [None if x != x else x for x in lat_p],
               "lon": [None if x != x else x for x in lon_p]}  # fmt: skip
    km = sphere.haversine_km(lat, lon, lat_p, lon_p)
    return truth, answers, [None if x != x else float(x) for x in km]


@pytest.mark.parametrize(
    ("name", "per_km", "options"),
    [
        ("distance_km", 1.0, {}),
        ("error_m", 1000.0, {}),
        ("predicted distance (meters)", 1000.0, {}),
        ("dist_miles", 1 / 1.609344, {}),
        ("distance", 1.0, {}),
        ("d", 1.0, {"distance_column": "d"}),
        ("off_by_m", 1000.0, {"distance_column": "off_by_m"}),
        ("distance", 1000.0, {"distance_unit": "m"}),
    ],
)
@pytest.mark.parametrize("missing", ["wrong", "exclude"])
def test_the_scores_are_those_of_the_coordinates(name, per_km, options, missing):
    truth, answers, km = files()
    errors = {"id": truth["id"], name: [None if x is None else x * per_km for x in km]}
    ours = evaluation.evaluate(errors, truth, missing=missing, cluster="who", **options)
    theirs = evaluation.evaluate(answers, truth, missing=missing, cluster="who", regions=False)
    assert ours.accuracy == theirs.accuracy
    assert ours.median_km == pytest.approx(theirs.median_km, rel=1e-9)
    assert ours.mean_km == pytest.approx(theirs.mean_km, rel=1e-9)
    assert ours.geoscore == pytest.approx(theirs.geoscore, rel=1e-9)
    assert {t: (i.low, i.high) for t, i in ours.intervals.items()} == {
        t: (i.low, i.high) for t, i in theirs.intervals.items()
    }
    assert (ours.answered, ours.missing, ours.rows) == (ROWS - 3, 3, ROWS)
    assert ours.regions == {}
    codes = [one.code for one in ours.findings]
    assert "distances_only" in codes
    assert ("distance_unit" in codes) == (
        name in ("distance", "d") and not options.get("distance_unit")
    )


def test_without_a_truth_the_files_own_rows_are_all_rows(tmp_path):
    _, _, km = files()
    path = tmp_path / "errors.csv"
    pacsv.write_csv(pa.table({"id": range(ROWS), "distance_km": km}), path)
    found = evaluation.evaluate(path)
    known = np.array([x for x in km if x is not None])
    for t, share in found.accuracy.items():
        assert share == np.count_nonzero(known <= t) / ROWS
    assert found.median_km == np.median(known)
    told = next(one for one in found.findings if one.code == "distances_only")
    assert "no truth either" in told.message
    made = json.loads(found.to_json(), parse_constant=lambda name: pytest.fail(name))
    assert made["worst"][0]["lat"] is None
    assert made["worst"][0]["distance_km"] == max(known)
    page = to_html(found)
    assert "nan" not in page.lower().replace("financ", "")
    assert "the file&#x27;s own distance" in page or "the file's own distance" in page


def test_coordinates_and_words_go_first_and_a_disagreement_is_told():
    truth, answers, km = files()
    wrong = [None if x is None else x + 500 for x in km]
    both = evaluation.evaluate({**answers, "distance_km": wrong}, truth, regions=False)
    assert both.accuracy == evaluation.evaluate(answers, truth, regions=False).accuracy
    assert "distance_column" in [one.code for one in both.findings]
    assert "distances_only" not in [one.code for one in both.findings]
    words = [f"({y}, {x})" for y, x in zip(answers["lat"], answers["lon"], strict=True)]
    read = evaluation.evaluate({"id": truth["id"], "text": words, "error_km": wrong}, truth)
    assert read.accuracy == both.accuracy
    # a column that is named goes before both
    named = evaluation.evaluate(
        {**answers, "distance_km": wrong}, truth, distance_column="distance_km"
    )
    assert named.accuracy[25] == 0.0
    # and a pair that is named before all
    pair = evaluation.evaluate(
        {**answers, "distance_km": wrong}, truth, distance_column="distance_km",
        pred_lat="lat", pred_lon="lon", regions=False,
    )  # fmt: skip
    assert pair.accuracy == both.accuracy


def test_a_file_with_the_truth_and_distances():
    truth, _, km = files()
    rows = {"id": truth["id"], "gt_lat": truth["lat"], "gt_lon": truth["lon"], "error_km": km}
    for found in (evaluation.evaluate(rows), evaluation.evaluate(rows, truth)):
        assert found.answered == ROWS - 3
        assert found.worst[0].lat == found.worst[0].lat
        assert (
            "no truth" not in next(f for f in found.findings if f.code == "distances_only").message
        )


def test_compare_and_table():
    truth, answers, km = files()
    errors = {"id": truth["id"], "distance_km": km}
    pair = evaluation.compare(errors, answers, truth, regions=False)
    assert {one.difference.value for one in pair.paired} == {0.0}
    found = evaluation.table({"errors": errors, "answers": answers}, truth)
    assert found.accuracy["errors"] == found.accuracy["answers"]
    assert found.common == ROWS - 3


def test_compare_reads_the_named_column():
    truth, _, km = files()
    first = {"id": truth["id"], "off": km}
    second = {"id": truth["id"], "off": [None if x is None else x * 2 for x in km]}
    pair = evaluation.compare(first, second, truth, distance_column="off", distance_unit="km")
    assert any(one.difference.value > 0 for one in pair.paired)
    assert not any(one.code == "distance_unit" for one in pair.a.findings)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("-1", "distance_range"),
        ("30000", "distance_range"),
        ("1e9", "distance_range"),
        ("NaN", "not_finite"),
        ("inf", "not_finite"),
        ("12 km", "no_distance"),
        ("", "empty_answers"),
    ],
)
def test_a_cell_that_is_no_distance(cell, code):
    rows = {"id": list("abcdefgh"), "distance_km": ["1"] * 7 + [cell]}
    found = evaluation.evaluate(rows)
    assert [one.rows for one in found.findings if one.code == code] == [(8,)]
    assert found.accuracy[1] == 7 / 8
    assert found.answered == 7


def test_edges_of_what_a_distance_may_be():
    rows = {"id": ["a", "b", "c"], "distance_km": [0.0, LONGEST_KM, np.nextafter(LONGEST_KM, 1e9)]}
    assert evaluation.evaluate(rows).answered == 2
    rows["distance_km"] = [20_016.0, 20_045.0, 20_046.0]  # 30 km beyond half of the way round
    assert evaluation.evaluate(rows).answered == 2


def test_a_name_that_tells_its_unit_goes_first():
    rows = {"id": ["a"], "error": [30.0], "distance_m": [30.0], "dist": [2.0]}
    found = evaluation.evaluate(rows)
    assert (found.median_km, found.accuracy[1.0]) == (0.03, 1.0)
    assert "distance_unit" not in {one.code for one in found.findings}
    with pytest.raises(FileError, match=r"predictions: error_km, distance_m could all be the dist"):
        evaluation.evaluate({"id": ["a"], "error_km": [0.03]} | rows)
    assert evaluation.evaluate(rows, distance_column="dist").median_km == 2.0


def test_mostly_no_distances_is_an_error():
    truth, _, km = files()
    metres = [None if x is None else x * 1000 for x in km]
    found = evaluation.evaluate({"id": truth["id"], "distance": metres}, truth)
    assert found.findings[0].code == "mostly_invalid"
    assert found.findings[0].severity == "error"


def test_what_cannot_be_chosen_is_named():
    with pytest.raises(FileError, match="distance_km, distance_m could all be the distances"):
        evaluation.evaluate({"id": ["a"], "distance_km": [1.0], "distance_m": [1000.0]})
    with pytest.raises(FileError, match="no column 'nope'"):
        evaluation.evaluate({"id": ["a"], "distance_km": [1.0]}, distance_column="nope")
    with pytest.raises(ValueError, match="expected one of km, m, mi"):
        evaluation.evaluate({"id": ["a"], "distance_km": [1.0]}, distance_unit="ft")
    with pytest.raises(FileError, match="found no predicted latitude"):
        evaluation.evaluate({"id": ["a"], "score": [1.0]})


def test_an_id_with_two_distances_is_refused():
    rows = {"id": ["a", "a"], "distance_km": [1.0, 2.0]}
    for truth in (None, {"id": ["a"], "lat": [0.0], "lon": [0.0]}):
        with pytest.raises(PredictionError, match="duplicate_ids"):
            evaluation.evaluate(rows, truth)
        with pytest.raises(PredictionError, match="duplicate_ids"):
            evaluation.evaluate({**rows, "rank": [1, 2]}, truth)
    assert evaluation.evaluate({"id": ["a", "a"], "distance_km": [1.0, 1.0]}).findings


def test_lint_says_it_too():
    rows = {"id": ["a", "b"], "distance": [1.0, -2.0]}
    codes = [one.code for one in lint(rows)]
    assert {"distances_only", "distance_unit", "distance_range"} <= set(codes)
    (alone,) = (one for one in lint(rows) if one.code == "distances_only")
    assert "no truth either" in alone.message
    truth = {"id": ["a", "b"], "lat": [0.0, 1.0], "lon": [0.0, 1.0]}
    (beside,) = (one for one in lint(rows, truth) if one.code == "distances_only")
    assert "no truth" not in beside.message


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("distance_km", "km"), ("distance (m)", "m"), ("ErrorKm", "km"), ("km_error", "km"),
        ("haversine_distance_in_miles", "mi"), ("geodesic_error_meters", "m"), ("gcd", None),
        ("dist", None), ("prediction_error", None), ("distance_to_gt_km", "km"),
        ("result.distance_km", "km"), ("run.of.error_km", "km"),
        ("distance_bin", 0), ("distance_to_road_km", 0),
        ("error_message", 0), ("km", 0), ("dist_sea", 0), ("id", 0), ("lat_error", 0),
    ],
)  # fmt: skip
def test_names(name, unit):
    found = distance_columns([name])
    if unit == 0:
        assert found == []
    else:
        assert [(one.unit, one.told) for one in found] == [(unit or "km", unit is not None)]


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.none(), st.floats(0, 20015)), min_size=1, max_size=40),
    st.booleans(),
    st.permutations(range(40)),
)
def test_any_distances_equal_numpy(km, strict, order):
    """Independent oracle: counting in NumPy, rows joined in another order than the truth's."""
    n = len(km)
    order = [i for i in order if i < n]
    truth = {"id": [str(i) for i in range(n)], "lat": [0.0] * n, "lon": [0.0] * n}
    rows = {
        "id": [str(i) for i in order],
        "distance_km": pa.array([km[i] for i in order], pa.float64()),
    }
    found = evaluation.evaluate(rows, truth, (1, 25, 200), strict=strict, lint=False)
    limits = Scoring((1, 25, 200), strict=strict).limits_km
    for (t, share), limit in zip(found.accuracy.items(), limits, strict=True):
        right = sum(x is not None and x <= limit for x in km)
        assert share == right / n, t
    assert found.answered == sum(x is not None for x in km)
