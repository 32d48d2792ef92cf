"""Limits of distance to the micrometre, and at the ends of what a distance can be."""

import math

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import query

HALF = math.pi * 6371


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as made:
        query.load_sql(made)
        yield made


def value(con, expression):
    return con.sql(f"SELECT {expression}").fetchall()[0][0]


@pytest.mark.parametrize(
    ("km", "strict", "squared"),
    [
        (0, False, 1e-9), (0, True, -1e-9), (1, False, 1 + 1e-9), (1, True, 1 - 1e-9),
        (-1, False, -(1 - 1e-9)), (-1, True, -(1 + 1e-9)), (1e-9, True, 0.0), (-1e-9, False, 0.0),
        (5e-10, True, -5e-10), (-5e-10, False, 5e-10),
    ],
)  # fmt: skip
def test_a_limit_is_a_micrometre_wider_or_narrower(con, km, strict, squared):
    found = value(con, f"limit_a({km!r}, {str(strict).lower()})")
    wanted = math.copysign(math.sin(abs(squared) / 12742) ** 2, squared)
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-40)


def test_from_half_a_circumference_on_a_limit_lets_in_every_distance(con):
    """Rounding makes some antipodes 1 + 2^-52, which a limit of 1 would leave out."""
    for km in (HALF, HALF + 1, 1e9):
        assert 1 + 2**-52 <= value(con, f"limit_a({km!r}::DOUBLE, false)") < 1 + 1e-14
    assert value(con, f"limit_a({HALF - 1}::DOUBLE, false)") < 1 - 1e-9
    rng = np.random.default_rng(1)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))
    lon = rng.uniform(-180, 0, 20_000)
    rows = pa.table({"lat": lat, "lon": lon, "pred_lat": -lat, "pred_lon": lon + 180})
    con.register("antipodes", rows)
    found = con.sql(f"FROM threshold_accuracy('antipodes', thresholds_km := [{HALF!r}, 20016.0])")
    assert [row[3] for row in found.fetchall()] == [20_000, 20_000]


@pytest.mark.parametrize("km", [1.0, 25.0, 200.0, 750.0])
def test_what_lies_within_a_micrometre_of_a_limit_is_on_it(con, km):
    """Along the equator, just before, on and just beyond a limit; half a micrometre is on it."""
    away = [-2e-9, -5e-10, 0.0, 5e-10, 2e-9]
    lon = np.degrees((km + np.array(away)) / 6371.0)
    con.register("near", pa.table({"lat": [0.0] * 5, "lon": [0.0] * 5, "pred_lat": [0.0] * 5,
                                   "pred_lon": lon}))  # fmt: skip
    for strict, right in (("false", 4), ("true", 1)):
        found = con.sql(
            f"SELECT correct FROM threshold_accuracy('near', [{km}], strict := {strict})"
        ).fetchall()
        by = con.sql(
            "SELECT correct FROM threshold_accuracy_by('near', lat, "
            f"threshold_km := {km}, strict := {strict})"
        ).fetchall()
        assert found == by == [(right,)]
    within = con.sql(f"SELECT within_km(lat, lon, pred_lat, pred_lon, {km}) FROM near").fetchall()
    assert [row[0] for row in within] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ("geoscore('inf'::DOUBLE)", None), ("geoscore('-inf'::DOUBLE)", None),
        ("geoscore(-1e-9)", None), ("geoscore(0)", 5000.0), ("geoscore(-0.0)", 5000.0),
        ("geoscore(1492.7)", 5000 / math.e), ("geoscore(14927)", 5000 * math.exp(-10)),
        ("chord2('inf'::DOUBLE, 0, 0, 0, 0, 0)", None),
        ("chord2(0, 0, '-inf'::DOUBLE, 0, 0, 0)", None),
        ("chord2(1, 0, 0, -1, 0, 0)", 4), ("chord2(1, 2, 3, 4, 6, 15)", 169),
        ("within_km(0, 0, 0, 0, 0)", True), ("within_km(0, 0, 0, 0, NULL)", None),
        ("within_km(0, 0, 91, 0, 25)", None),
        ("within_km(0, 0, 0, 0, -1e-9)", True), ("within_km(0, 0, 0, 0, -1.01e-9)", False),
    ],
)  # fmt: skip
def test_scalars_at_their_ends(con, call, wanted):
    found = value(con, call)
    assert found == (pytest.approx(wanted) if isinstance(wanted, float) else wanted)


def test_what_lies_on_a_limit_itself_is_within_it_at_each_of_ten_thresholds(con):
    """One row on each limit, in the order of the limits."""
    thresholds = [0.5, 1, 5, 10, 25, 50, 200, 750, 2500, 10_000]
    con.execute(
        f"CREATE OR REPLACE TABLE limits AS SELECT limit_a(unnest({thresholds}), false) AS a"
    )
    found = con.sql(f"FROM threshold_shares('limits', {thresholds}, false, 'wrong')").fetchall()
    assert [row[:4] for row in found] == [(t, 10, 10, n + 1) for n, t in enumerate(thresholds)]


def test_quantiles_and_thresholds_come_as_they_were_asked_for(con):
    """Errors of 0, 1, 2 ... 10 km: the tenths are the kilometres."""
    east = [math.degrees(km / 6371.0) for km in range(11)]
    rows = {"lat": [0.0] * 11, "lon": [0.0] * 11, "pred_lat": [0.0] * 11, "pred_lon": east}
    con.register("tenths", pa.table(rows))
    for asked in ([0.9, 0.1, 0.5], [1.0, 0.0], [0.25, 0.25]):
        found = con.sql(f"FROM error_quantiles('tenths', quantiles := {asked})").fetchall()
        assert [row[0] for row in found] == asked
        assert [row[1] for row in found] == pytest.approx([10 * q for q in asked], abs=1e-9)
        assert [row[2] for row in found] == pytest.approx([5.0] * len(asked))
    for form in ("threshold_accuracy('tenths', ", "threshold_shares('apart', "):
        con.execute(
            "CREATE OR REPLACE TEMP VIEW apart AS "
            "SELECT haversine_a(lat, lon, pred_lat, pred_lon) AS a FROM tenths"
        )
        more = ", false, 'wrong'" if "shares" in form else ""
        found = con.sql(f"FROM {form}[7, 2.5, 7, 0]{more})").fetchall()
        assert [(row[0], row[3]) for row in found] == [(7.0, 8), (2.5, 3), (7.0, 8), (0.0, 1)]


def test_a_strict_limit_of_a_micrometre_has_the_point_itself(con):
    """The limit that is told from it is 0, and so is the distance."""
    con.execute(
        "CREATE OR REPLACE TABLE own AS SELECT 1.0 lat, 2.0 lon, 1.0 pred_lat, 2.0 pred_lon"
    )
    call = "threshold_accuracy_by('own', lat, threshold_km := {}, strict := true)"
    columns = "SELECT correct, accuracy FROM "
    assert con.sql(columns + call.format("1e-9")).fetchall() == [(1, 1.0)]
    assert con.sql(columns + call.format("0.9e-9")).fetchall() == [(0, 0.0)]


@pytest.mark.parametrize("km", [25.0, 200.0, 2500.0])
def test_unit_vectors_know_a_strict_limit_and_rows_that_are_left_out(con, km):
    """One answer short of the limit, one on it, one beyond it, and none at all."""
    angles = [(km - 1e-3) / 6371.0, km / 6371.0, (km + 1e-3) / 6371.0, None]
    columns = {"x": [1.0] * 4, "y": [0.0] * 4, "z": [0.0] * 4, "pred_z": [0.0] * 4}
    columns["pred_x"] = [None if a is None else math.cos(a) for a in angles]
    columns["pred_y"] = [None if a is None else math.sin(a) for a in angles]
    con.register("units", pa.table(columns))
    for strict, right in (("false", 2), ("true", 1)):
        for missing, of in (("wrong", 4), ("exclude", 3)):
            found = con.sql(
                f"FROM threshold_accuracy_unit('units', [{km}], strict := {strict}, "
                f"missing := '{missing}')"
            ).fetchall()
            assert found == [(km, 4, 3, right, right / of, 0.75, missing)]


@pytest.mark.parametrize("thresholds", [["inf"], [1, "inf"], ["-inf"], ["nan", 1], [-0.5], [None]])
def test_a_threshold_is_a_finite_number(con, thresholds):
    listed = ", ".join("NULL" if t is None else f"'{t}'::DOUBLE" for t in thresholds)
    con.execute("CREATE OR REPLACE TABLE one AS SELECT 0.0 lat, 0.0 lon, 0.0 pred_lat, 0 pred_lon")
    with pytest.raises(duckdb.Error, match="every threshold in km must be a number >= 0"):
        con.sql(f"FROM threshold_accuracy('one', [{listed}])").fetchall()


def test_one_coordinate_that_is_no_number_is_seen_in_parquet_too(con, tmp_path):
    """Statistics of Parquet leave NaN out, and DuckDB answers from them what it can."""
    nan, inf = math.nan, math.inf
    rows = {
        "id": list("abcdefg"),
        "pred_lat": [0.0, nan, 0.0, nan, 0.0005, inf, 0.0],
        "pred_lon": [0.0, 0.0, nan, nan, 0.0, 0.0, -inf],
    }
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    con.execute(f"CREATE OR REPLACE VIEW seen AS FROM read_parquet('{tmp_path}/rows.parquet')")

    def named(macro):
        return [row[0] for row in con.sql(f"SELECT id FROM {macro}('seen') ORDER BY id").fetchall()]

    assert named("predictions_null_island") == ["a", "e"]
    assert named("predictions_missing") == ["b", "c", "d"]
    assert named("predictions_out_of_range") == ["f", "g"]
    repeated = con.sql("FROM predictions_repeated('seen', at_least := 1)").fetchall()
    assert repeated == [(0.0, 0.0, 1), (0.0005, 0.0, 1)]
    photos = (
        "(SELECT id, pred_lat AS lat, pred_lon AS lon, 'x' AS author, id AS photo_id FROM seen)"
    )
    con.execute(f"CREATE OR REPLACE VIEW placed AS FROM {photos}")
    assert [row[0] for row in con.sql(
        "SELECT id FROM dataset_bad_coordinates('placed') ORDER BY id"
    ).fetchall()] == list("bcdfg")  # fmt: skip


@pytest.mark.parametrize("gone", ["pred_lat", "pred_lon"])
def test_the_only_far_coordinate_may_be_no_number(con, tmp_path, gone):
    """All that a file's statistics know of lies at zero; the NaN beside it does not."""
    rows = {"id": ["a", "b"], "pred_lat": [0.0, 0.0], "pred_lon": [0.0, 0.0]}
    rows[gone] = [0.0, math.nan]
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    con.execute(f"CREATE OR REPLACE VIEW zeros AS FROM read_parquet('{tmp_path}/rows.parquet')")
    assert con.sql("SELECT id FROM predictions_null_island('zeros')").fetchall() == [("a",)]
