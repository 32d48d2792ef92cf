"""Sums of scores by hand: bins, quantiles, shares, and what travels between machines."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from geodata import scale
from geodata.evaluation.scores import RegionAccuracy, Scoring
from geodata.scale import scoring
from geodata.scale.scoring import ScoreSums, exact_sum


def joined(*km):
    """Rows on the equator whose predictions are so far off; None where there is none."""
    degrees = [None if one is None else math.degrees(one / 6371.0) for one in km]
    n = len(km)
    return pa.table({
        "lat": pa.array([0.0] * n, pa.float64()), "lon": pa.array([0.0] * n, pa.float64()),
        "pred_lat": pa.array([None if d is None else 0.0 for d in degrees], pa.float64()),
        "pred_lon": pa.array(degrees, pa.float64()),
    })  # fmt: skip


def sums(*km, **options):
    return ScoreSums.read(scale.Score(Scoring((5.0, 50.0), **options))(joined(*km)))


def test_sums_of_five_rows_by_hand():
    found = sums(1.0, 10.0, 40.0, 100.0, None)
    assert (found.rows, found.answered, found.within) == (5, 4, (1, 3))
    assert found.denominator == 5
    assert found.accuracy == {5.0: 0.2, 50.0: 0.6}
    assert found.coverage == 0.8
    assert found.mean_km == pytest.approx(151.0 / 4, abs=1e-8)
    points = sum(5000.0 * math.exp(-km / 1492.7) for km in (1.0, 10.0, 40.0, 100.0))
    assert found.geoscore == pytest.approx(points / 5, abs=1e-6)
    assert sum(found.bins.values()) == 4
    only = sums(1.0, 10.0, 40.0, 100.0, None, missing="exclude")
    assert (only.denominator, only.accuracy[50.0], only.coverage) == (4, 0.75, 0.8)
    assert only.geoscore == pytest.approx(points / 4, abs=1e-6)
    none = sums(None, None)
    assert (none.accuracy, none.coverage, none.mean_km) == ({5.0: 0.0, 50.0: 0.0}, 0.0, None)
    assert none.geoscore == 0.0
    out = sums(None, missing="exclude")
    assert (out.accuracy, out.geoscore) == ({5.0: None, 50.0: None}, None)


def test_quantiles_are_those_of_the_sorted_errors():
    km = [3.0, 0.0, 700.0, 20.0, 20_000.0]
    found = sums(*km)
    for share, value in ((0.0, 0.0), (0.24, 0.0), (0.25, 3.0), (0.5, 20.0), (0.75, 700.0),
                         (0.99, 700.0), (1.0, 20_000.0)):  # fmt: skip
        assert found.quantile_km(share) == pytest.approx(value, rel=5.1e-4)
    for share in (-0.01, 1.01, 50, float("nan")):
        with pytest.raises(ValueError, match=rf"^quantile {share!r} is outside \[0, 1\]; give"):
            found.quantile_km(share)
    assert sums(None).quantile_km(0.5) is None


def test_bins_are_a_thousandth_wide_from_a_millimetre():
    values = np.array(
        [0.0, 9.99e-7, 1.01e-6, 1e-6 * math.exp(0.9995), 1e-6 * math.exp(1.0005), 20_015.0]
    )
    assert scoring._bins(values) == {-1: 2, 9: 1, 999: 1, 1000: 1, 23719: 1}
    assert scoring._bins(np.array([5.0, 5.0, 5.001])) == {15424: 2, 15425: 1}
    assert scoring._bins(np.array([])) == {}
    one = ScoreSums(rows=1, answered=1, bins={1000: 1})
    assert one.quantile_km(0.5) == pytest.approx(1e-6 * math.exp(1.0005), rel=1e-12)
    assert ScoreSums(rows=1, answered=1, bins={-1: 1}).quantile_km(0.5) == 0.0
    assert ScoreSums(rows=1, answered=1, bins={0: 1}).quantile_km(1.0) > 0.0


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_an_exact_sum_of_parts(monkeypatch, rows):
    monkeypatch.setattr(scoring, "_EXACT_ROWS", rows)
    assert exact_sum(np.array([0.1, 0.2, 1e-9, 0.4e-9, 20_000.0])) == 20_000_300_000_001
    assert exact_sum(np.array([])) == 0
    assert scoring.UNIT == 1e-9


def test_so_many_rows_fit_into_an_integer():
    assert scoring._EXACT_ROWS == (1 << 18)
    assert scoring._EXACT_ROWS * 20_016 * 10**9 < 2**63


def test_sums_add_field_by_field():
    one = ScoreSums(Scoring((5.0, 50.0)), 5, 4, (1, 3), 10, 20, {1: 2, 3: 1},
                    {"city": RegionAccuracy("city", 5, 4, 3, 2)})  # fmt: skip
    two = ScoreSums(Scoring((5.0, 50.0)), 50, 40, (10, 30), 100, 200, {3: 4, 5: 6},
                    {"city": RegionAccuracy("city", 50, 40, 30, 20)})  # fmt: skip
    both = one + two
    assert (both.rows, both.answered, both.within, both.km, both.points) == (
        55, 44, (11, 33), 110, 220
    )  # fmt: skip
    assert both.bins == {1: 2, 3: 5, 5: 6}
    assert both.regions == {"city": RegionAccuracy("city", 55, 44, 33, 22)}
    # what was added stays: the sums of a batch may be added to others, too
    assert (one.rows, one.bins) == (5, {1: 2, 3: 1})
    assert one.regions == {"city": RegionAccuracy("city", 5, 4, 3, 2)}
    assert two.regions == {"city": RegionAccuracy("city", 50, 40, 30, 20)}
    for other in (Scoring((5.0,)), Scoring((5.0, 50.0), strict=True),
                  Scoring((5.0, 50.0), missing="exclude")):  # fmt: skip
        with pytest.raises(
            ValueError, match=r"^sums of .* and of .* cannot be added; score alike$"
        ):
            _ = one + ScoreSums(other)
    assert ScoreSums(Scoring((1.0, 2.0, 3.0))).within == (0, 0, 0)


def test_a_row_travels_and_comes_back():
    asked = Scoring((5.0, 50.0), strict=True, missing="exclude")
    one = ScoreSums(asked, 5, 4, (1, 3), 10, 20, {3: 1, -1: 2},
                    {"city": RegionAccuracy("city", 5, 4, 3, 2)})  # fmt: skip
    row = one.row()
    assert row["rows"].to_pylist() == [5]
    assert ScoreSums.read(row) == one
    assert ScoreSums.read(pa.concat_tables([row, row])) == one + one
    assert ScoreSums.read(row.slice(0, 0)) == ScoreSums()
    assert json.loads(row["sums"][0].as_py())["bins"] == [[-1, 2], [3, 1]]
    assert scoring.total([row, row, row]).rows == 15


@pytest.mark.parametrize(
    "asked",
    [Scoring((7.0,)), Scoring(strict=True), Scoring(distance="wgs84"), Scoring(missing="exclude"),
     Scoring(quantiles=(0.5,))],
)  # fmt: skip
def test_each_part_of_a_rule_travels_with_its_sums(asked):
    """Else what workers send could not be added to sums of the rule that was asked."""
    found = ScoreSums.read(scale.Score(asked)(joined(10.0)))
    assert found.scoring == asked
    assert (ScoreSums(asked) + found).rows == 1


def test_scores_as_plain_json():
    one = ScoreSums(Scoring((5.0, 50.0)), 4, 2, (1, 2), 10 * 10**9, 8 * 10**9, {-1: 2},
                    {"city": RegionAccuracy("city", 4, 4, 2, 1)})  # fmt: skip
    assert one.as_dict() == {
        "schema": "geodata.score_sums/1", "rows": 4, "answered": 2, "coverage": 0.5,
        "correct": {"5.0": 1, "50.0": 2}, "accuracy": {"5.0": 0.25, "50.0": 0.5}, "mean_km": 5.0,
        "median_km": 0.0, "geoscore": 2.0,
        "regions": {"city": {"labelled": 4, "correct": 1, "accuracy": 0.25}},
    }  # fmt: skip
    assert json.loads(json.dumps(one.as_dict())) == one.as_dict()
    for low, high in ((3, 2), (2, 3)):  # the median lies in the one bin or in the other
        five = ScoreSums(Scoring((5.0,)), 5, 5, (0,), bins={-1: low, 9000: high})
        assert (five.as_dict()["median_km"] > 0.0) == (high == 3)


def test_a_batch_is_scored_by_the_columns_that_are_named():
    rows = (
        joined(1.0, 10.0).rename_columns(["a", "b", "c", "d"]).append_column("e", pa.array([1, 2]))
    )
    named = scale.Score(Scoring((5.0,)), columns=("a", "b", "c", "d"))
    assert ScoreSums.read(named(rows)).within == (1,)
    swapped = scale.Score(Scoring((5.0,)), columns=("a", "b", "a", "b"))
    assert ScoreSums.read(swapped(rows)).within == (2,)
    assert scale.Score().columns == ("lat", "lon", "pred_lat", "pred_lon")


@pytest.mark.parametrize(("strict", "within"), [(False, 1), (True, 0)])
def test_a_row_at_the_threshold_itself(strict, within):
    from geodata import sphere

    rows = joined(5.0)
    km = float(sphere.haversine_km(0.0, 0.0, 0.0, rows["pred_lon"][0].as_py()))
    asked = scale.Score(Scoring((km,), strict=strict))
    assert ScoreSums.read(asked(rows)).within == (within,)
