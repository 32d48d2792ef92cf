"""Findings that a careful reviewer would raise."""

import numpy as np
import pyarrow as pa
import pytest

from geodata import evaluation, sphere
from geodata.evaluation.checks import lint
from geodata.evaluation.checks.reviewing import _repeated

N = 400


def _rows(n=N, seed=0):
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-60, 75, n), rng.uniform(-175, 175, n)
    y, x = np.clip(lat + rng.normal(0, 0.5, n), -89, 89), lon + rng.normal(0, 0.5, n)
    ids = [f"{i * 7919 % 10007}.jpg" for i in range(n)]
    return pa.table({"id": ids, "lat": lat, "lon": lon}), ids, y, x


def _codes(ids, y, x, truth, **more):
    found = evaluation.evaluate(
        {"id": ids, "lat": y, "lon": x, **more}, truth, regions=False
    ).findings
    return {one.code: one for one in found}


def test_good_answers_raise_nothing():
    truth, ids, y, x = _rows()
    assert _codes(ids, y, x, truth) == {}


@pytest.mark.parametrize(
    ("turn", "unit"),
    [
        (lambda y, x: (np.radians(y), np.radians(x)), "radians"),
        (lambda y, x: (np.round(y * 1e7), np.round(x * 1e7)), "degrees x 1e7"),
        (lambda y, x: (np.round(y * 1e6), np.round(x * 1e6)), "degrees x 1e6"),
        (lambda y, x: (_north(y), np.radians(x) * 6378137), "EPSG:3857 metres"),
        (lambda y, x: (np.radians(x) * 6378137, _north(y)), "EPSG:3857 metres, x first"),
    ],
)
def test_a_unit_is_named(turn, unit):
    truth, ids, y, x = _rows()
    found = _codes(ids, *turn(y, x), truth)["likely_unit"]
    assert found.severity == "error"
    assert f"read as {unit}" in found.message


def _north(lat):
    from pyproj import Transformer

    there = Transformer.from_crs(4326, 3857, always_xy=True)
    return np.asarray(there.transform(np.zeros(len(lat)), lat)[1])


def test_half_invalid_without_a_unit_is_an_error_too():
    truth, ids, y, x = _rows()
    bad = np.where(np.arange(N) < N / 2, 5000.0 + np.arange(N) ** 2, y)
    assert _codes(ids, bad, x, truth)["mostly_invalid"].severity == "error"
    bad = np.where(np.arange(N) < N / 2 - 1, 5000.0 + np.arange(N) ** 2, y)
    assert "mostly_invalid" not in _codes(ids, bad, x, truth)


@pytest.mark.parametrize(("rows", "told"), [(4, False), (5, True)])
def test_a_handful_of_bad_rows_is_no_unit(rows, told):
    truth, ids, _, x = _rows(rows)
    assert ("mostly_invalid" in _codes(ids, 5000.0 + np.arange(rows) ** 2, x, truth)) == told


@pytest.mark.parametrize(("rows", "told"), [(19, False), (20, True)])
def test_radians_are_told_from_20_rows(rows, told):
    truth, ids, y, x = _rows(rows)
    assert ("likely_unit" in _codes(ids, np.radians(y), np.radians(x), truth)) == told


def test_small_true_answers_are_not_radians():
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-1, 1, N), rng.uniform(0, 3, N)
    truth = pa.table({"id": list(range(N)), "lat": lat, "lon": lon})
    assert "likely_unit" not in _codes(list(range(N)), lat + 0.01, lon, truth)


@pytest.mark.parametrize(("lat", "lon"), [((1.6, 3.0), (0.0, 3.0)), ((0.0, 1.5), (3.2, 6.0))])
def test_radians_are_told_beside_a_truth_that_cannot_be_radians(lat, lon):
    """Latitudes in radians end at pi / 2, longitudes at pi: beyond either a truth has degrees."""
    rng = np.random.default_rng(0)
    y, x = rng.uniform(*lat, N), rng.uniform(*lon, N)
    truth = pa.table({"id": list(range(N)), "lat": y, "lon": x})
    assert "likely_unit" in _codes(list(range(N)), np.radians(y), np.radians(x), truth)


def test_shuffled_answers_are_at_chance():
    truth, ids, y, x = _rows()
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(N)
        assert "at_chance" in _codes(ids, y[order], x[order], truth)
    same = np.full(N, 48.86), np.full(N, 2.35)
    assert "at_chance" in _codes(ids, *same, truth)
    assert "at_chance" not in _codes(ids[:20], y[order][:20], x[order][:20], truth)


def test_weak_but_real_answers_are_not_at_chance():
    truth, ids, y, x = _rows(2000)
    rng = np.random.default_rng(2)
    guess = rng.random(2000) < 0.9
    y, x = np.where(guess, rng.permutation(y), y), np.where(guess, rng.permutation(x), x)
    assert "at_chance" not in _codes(ids, y, x, truth)


@pytest.mark.parametrize(
    ("how", "move"),
    [
        ("1 row earlier", lambda ids, a: np.roll(a, 1)),
        ("2 rows later", lambda ids, a: np.roll(a, -2)),
        ("in reverse order", lambda ids, a: a[::-1]),
        ("once the truth is sorted by id", lambda ids, a: a[np.argsort(ids)]),
    ],
)
def test_moved_rows_are_an_error(how, move):
    truth, ids, y, x = _rows()
    found = _codes(ids, move(ids, y), move(ids, x), truth)["rows_out_of_order"]
    assert found.severity == "error"
    assert f"fit the truth {how}" in found.message


def test_ids_that_were_written_in_another_order():
    truth, ids, y, x = _rows()
    found = _codes(list(np.random.default_rng(0).permutation(ids)), y, x, truth)
    assert "row by row, whatever the ids" in found["rows_out_of_order"].message


def test_the_files_own_distance():
    truth, ids, y, x = _rows()
    away = sphere.haversine_km(truth["lat"].to_numpy(), truth["lon"].to_numpy(), y, x)
    assert "distance_column" not in _codes(ids, y, x, truth, distance_km=away + 0.3)
    assert _codes(ids, y, x, truth, distance=away * 1000)["distance_column"].severity == "info"
    other = np.roll(away, 1)
    found = _codes(ids, y, x, truth, distance_km=other)["distance_column"]
    assert found.severity == "warning"
    differ = np.abs(other - away) > np.maximum(1.0, 0.02 * away)
    assert found.count == differ.sum()


def test_places_that_repeat():
    truth, ids, y, x = _rows()
    lat, lon = (truth[name].to_numpy().copy() for name in ("lat", "lon"))
    lat[:60], lon[:60] = np.repeat(lat[:20], 3), np.repeat(lon[:20], 3)
    again = pa.table({"id": ids, "lat": lat, "lon": lon})
    found = _codes(ids, y, x, again)["truth_repeats_places"]
    assert found.count == 60
    assert f"there are {N - 40} places" in found.message
    assert "truth_repeats_places" in {one.code for one in lint(again, again)}


@pytest.mark.parametrize("repeated", range(8, 13))
def test_places_that_repeat_are_told_from_the_tenth_row_on(repeated):
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-80, 80, 150), rng.uniform(-170, 170, 150)
    lat[:repeated], lon[:repeated] = 10.0, 0.0
    lon[1:repeated:2] = -0.0  # the same meridian
    told = _repeated((lat, lon))
    assert [one.count for one in told] == ([repeated] if repeated >= 10 else [])
    pairs = rng.permutation(150)
    lat[:14], lon[:14] = np.repeat(lat[20:27], 2), np.repeat(lon[20:27], 2)
    assert _repeated((lat[pairs], lon[pairs]))[0].count >= 14


def test_nothing_answered_is_an_error():
    truth, ids, *_ = _rows()
    found = _codes(ids, [None] * N, [None] * N, truth)
    assert found["nothing_scored"].severity == "error"


@pytest.mark.parametrize("answered", [[], [0], [399]])
def test_one_answer_is_an_answer(answered):
    truth, ids, y, x = _rows()
    lat, lon = ([v if i in answered else None for i, v in enumerate(axis)] for axis in (y, x))
    beside = _codes(ids, lat, lon, truth)
    whole = truth.append_column("pred_lat", pa.array(lat, pa.float64()))
    whole = whole.append_column("pred_lon", pa.array(lon, pa.float64()))
    in_one_file = {one.code for one in evaluation.evaluate(whole, regions=False).findings}
    for codes in (beside, in_one_file):
        assert ("nothing_scored" in codes) == (not answered)


def test_the_own_distance_of_a_file_that_holds_the_truth_too():
    truth, _, y, x = _rows()
    whole = truth.append_column("pred_lat", pa.array(y)).append_column("pred_lon", pa.array(x))
    away = sphere.haversine_km(truth["lat"].to_numpy(), truth["lon"].to_numpy(), y, x)
    for own, told in ((away, 0), (np.where(np.arange(N) == 7, away + 50, away), 1)):
        table = whole.append_column("distance_km", pa.array(own))
        found = evaluation.evaluate(table, regions=False).findings
        assert [one.rows for one in found if one.code == "distance_column"] == [(8,)] * told


def test_a_benchmark_has_its_rows_and_ids():
    truth, ids, y, x = _rows()
    found = evaluation.evaluate(
        {"id": ids, "lat": y, "lon": x}, truth, regions=False, benchmark="im2gps3k"
    )
    codes = {one.code for one in found.findings}
    assert {"benchmark_rows", "benchmark_ids"} <= codes
    n = 2997
    lat = np.linspace(-50, 60, n)
    names = [f"{i}_abc{i % 10}_{i}_{i:08d}@N00.jpg" for i in range(n)]
    whole = {"id": names, "lat": lat, "lon": lat}
    found = evaluation.evaluate(whole, whole, regions=False, benchmark="im2gps3k")
    assert not {one.code for one in found.findings} & {"benchmark_rows", "benchmark_ids"}


def test_few_clusters_are_told():
    truth, ids, y, x = _rows()
    for count, told in ((19, True), (20, False)):
        by = truth.append_column("author", pa.array([f"u{i % count}" for i in range(N)]))
        found = evaluation.evaluate(
            {"id": ids, "lat": y, "lon": x}, by, regions=False, cluster="author"
        )
        assert ("few_clusters" in {one.code for one in found.findings}) == told
