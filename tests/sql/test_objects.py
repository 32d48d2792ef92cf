"""Given rows, expected rows, for every object in sql/; loaded as text, as `.read` would."""

import itertools
import math
import re

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import query, sphere
from geodata.evaluation.scores.counting import metrics
from geodata.evaluation.scores.counting.rule import THRESHOLDS_KM, Scoring

FOLDER = query.sql_folder()
FILES = sorted(path for name in query.SQL_FOLDERS for path in (FOLDER / name).glob("*.sql"))
OURS = ("haversine", "within_km", "geoscore", "chord2", "limit_a", "threshold", "error", "region")


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        for name in query.SQL_FOLDERS:
            for path in sorted((FOLDER / name).glob("*.sql")):
                connection.execute(path.read_text(encoding="utf-8"))
        connection.execute(
            """
            CREATE TABLE joined AS SELECT * FROM (VALUES
                ('a', 0.0::DOUBLE, 0.0::DOUBLE, 0.0::DOUBLE, 0.1::DOUBLE, 'FR'),
                ('b', 0.0, 0.0, NULL, NULL, 'FR'),
                ('c', 90.0, 0.0, -90.0, 50.0, 'DE'),
                ('d', 10.0, 20.0, 'nan', 5.0, NULL),
                ('e', 0.0, 0.0, degrees(25 / 6371.0), 0.0, 'DE'),
                ('f', 0.0, 0.0, 91.0, 0.0, 'DE'),
                ('g', 0.0, 0.0, 0.0, 'inf', NULL),
                ('h', 0.0, 0.0, 0.0005, -0.0005, NULL)
            ) AS rows (id, lat, lon, pred_lat, pred_lon, country_code)
            """
        )
        yield connection


def column(con, sql):
    return [row[0] for row in con.sql(sql).fetchall()]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_one_object_a_file_named_as_the_file(path):
    text = path.read_text(encoding="utf-8")
    created = re.findall(r"^CREATE OR REPLACE MACRO (\w+)", text, re.MULTILINE)
    assert created == [path.stem]
    if path.stem.startswith((*OURS, "predictions_")):
        header = text[: text.index("CREATE")]
        assert header.startswith(f"-- {path.stem}(")
        for word in ("What", "Grain", "Units", "Source" if "audits" not in str(path) else "Input"):
            assert re.search(rf"^-- {word} +\S", header, re.MULTILINE), word


@pytest.mark.parametrize("name", ["haversine_km", "haversine_a", "geoscore", "chord2", "limit_a"])
def test_macros_stand_alone(name):
    with duckdb.connect() as con:
        con.execute((FOLDER / "macros" / f"{name}.sql").read_text(encoding="utf-8"))


def test_distances_agree_with_pyproj_and_numpy(con):
    """R1: 500k pairs on the sphere, within 1e-6 km of pyproj and of sphere.haversine_km."""
    from pyproj import Geod

    rng = np.random.default_rng(11)
    n = 500_000
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, (2, n))))
    lon = rng.uniform(-180, 180, (2, n))
    lat[1, : n // 4] = np.clip(lat[0, : n // 4] + rng.normal(0, 1e-3, n // 4), -90, 90)
    lon[1, : n // 4] = lon[0, : n // 4] + rng.normal(0, 1e-3, n // 4)
    con.register("pairs", pa.table({"a": lat[0], "b": lon[0], "c": lat[1], "d": lon[1]}))
    found = con.sql(
        "SELECT haversine_km(a, b, c, d) AS km, haversine_a(a, b, c, d) AS a FROM pairs"
    ).to_arrow_table()
    km = found["km"].to_numpy()
    metres = Geod(a=6371000, b=6371000).inv(lon[0], lat[0], lon[1], lat[1])[2]
    assert np.abs(km - metres / 1000).max() < 1e-6
    assert np.abs(km - sphere.haversine_km(lat[0], lon[0], lat[1], lon[1])).max() < 1e-9
    np.testing.assert_allclose(
        found["a"].to_numpy(), sphere.haversine_a(lat[0], lon[0], lat[1], lon[1]), atol=1e-15
    )


def test_antipodes_are_numbers(con):
    """R1: 1M antipodes, none NaN or NULL, all half a circumference away."""
    rng = np.random.default_rng(12)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 1_000_000)))
    lon = rng.uniform(-180, 0, 1_000_000)
    con.register("pairs", pa.table({"lat": lat, "lon": lon}))
    rows = con.sql(
        "SELECT count(km), count_if(isnan(km)), max(abs(km - pi() * 6371)) "
        "FROM (SELECT haversine_km(lat, lon, -lat, lon + 180) AS km FROM pairs)"
    ).fetchall()
    assert rows[0][:2] == (1_000_000, 0)
    assert rows[0][2] < 1e-6


def test_no_distance_is_null_never_nan(con):
    km = column(con, "SELECT haversine_km(lat, lon, pred_lat, pred_lon) FROM joined ORDER BY id")
    assert [i for i, v in enumerate(km) if v is None] == [1, 3, 5, 6]
    assert km[2] == pytest.approx(20015.086796020572, abs=1e-9)
    for sql in (
        "haversine_km(0, 0, 0, NULL)",
        "haversine_km(-91, 0, 0, 0)",
        "haversine_km(0, 361, 0, 0)",
        "haversine_km('nan'::DOUBLE, 0, 0, 0)",
        "haversine_a(0, '-inf'::DOUBLE, 0, 0)",
        "within_km(0, 0, 'nan'::DOUBLE, 0, 25)",
        "chord2('nan'::DOUBLE, 0, 0, 1, 0, 0)",
        "geoscore('nan'::DOUBLE)",
        "geoscore(NULL)",
        "geoscore(-1)",
        "limit_a(NULL, false)",
    ):
        assert column(con, f"SELECT {sql}") == [None], sql


def test_narrow_types_are_computed_in_double(con):
    """R1: FLOAT, DECIMAL and integer columns are raised to DOUBLE before anything else."""
    sql = "SELECT haversine_km(48.8584::FLOAT, 2.2945::FLOAT, 51.5007::FLOAT, -0.1246::FLOAT)"
    floats = [float(np.float32(v)) for v in (48.8584, 2.2945, 51.5007, -0.1246)]
    assert column(con, sql)[0] == pytest.approx(float(sphere.haversine_km(*floats)), abs=1e-9)
    assert column(con, "SELECT haversine_km(0, 0, 0::DECIMAL(9, 4), 1)")[0] == pytest.approx(
        111.19492664455873
    )


def test_within_km_ties(con):
    degrees = "degrees(25 / 6371.0)"
    assert column(con, f"SELECT within_km(0, 0, {degrees}, 0, 25)") == [True]
    assert column(con, "SELECT within_km(0, 0, 0, 1, 111)") == [False]


def test_geoscore(con):
    found = column(con, "SELECT unnest([geoscore(0), geoscore(1492.7), geoscore(1e6)])")
    assert found == pytest.approx([5000.0, 5000 / np.e, 0.0], abs=1e-9)


def test_threshold_accuracy(con):
    rows = con.sql("FROM threshold_accuracy('joined')").fetchall()
    assert [row[:4] for row in rows] == [
        (1.0, 8, 4, 1),
        (25.0, 8, 4, 3),
        (200.0, 8, 4, 3),
        (750.0, 8, 4, 3),
        (2500.0, 8, 4, 3),
    ]
    assert rows[1][4:] == (3 / 8, 4 / 8, "wrong")
    strict = con.sql("FROM threshold_accuracy('joined', thresholds_km := [25], strict := true)")
    assert strict.fetchall()[0][:5] == (25.0, 8, 4, 2, 0.25)
    excluded = con.sql(
        "FROM threshold_accuracy('joined', thresholds_km := [20016, 0], missing := 'exclude')"
    ).fetchall()
    assert [row[3:] for row in excluded] == [(4, 1.0, 0.5, "exclude"), (0, 0.0, 0.5, "exclude")]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("thresholds_km := [1, -2]", "every threshold in km must be a number >= 0"),
        ("thresholds_km := ['nan'::DOUBLE]", "every threshold in km must be a number >= 0"),
        ("thresholds_km := range(11)", "1 to 10 thresholds"),
        ("thresholds_km := []", "1 to 10 thresholds"),
        ("missing := 'drop'", "missing is wrong or exclude"),
    ],
)
def test_threshold_accuracy_refuses(con, call, message):
    with pytest.raises(duckdb.Error, match=message):
        con.sql(f"FROM threshold_accuracy('joined', {call})").fetchall()


def test_no_rows_give_null(con):
    con.execute("CREATE TABLE nothing AS FROM joined LIMIT 0")
    rows = con.sql("FROM threshold_accuracy('nothing')").fetchall()
    assert {row[1:6] for row in rows} == {(0, 0, 0, None, None)}
    quantiles = con.sql("FROM error_quantiles('nothing', quantiles := [0.5])").fetchall()
    assert quantiles == [(0.5, None, None, None, 0, 0, None)]
    assert con.sql("FROM threshold_accuracy_by('nothing', country_code)").fetchall() == []


def test_threshold_accuracy_by(con):
    rows = con.sql("FROM threshold_accuracy_by('joined', country_code)").fetchall()
    assert rows == [
        ("DE", 25.0, 3, 2, 1, 1 / 3, 2 / 3),
        (None, 25.0, 3, 1, 1, 1 / 3, 1 / 3),
        ("FR", 25.0, 2, 1, 1, 0.5, 0.5),
    ]
    halves = con.sql("FROM threshold_accuracy_by('joined', lat >= 10, threshold_km := 1)")
    assert sorted(halves.fetchall())[1][:5] == (True, 1.0, 2, 1, 0)


def test_error_quantiles(con):
    rows = con.sql("FROM error_quantiles('joined', quantiles := [0.5, 1.0])").fetchall()
    assert [row[0] for row in rows] == [0.5, 1.0]
    assert rows[0][1] == pytest.approx((11.119492664455874 + 25) / 2)
    assert rows[1][1] == pytest.approx(20015.086796)
    assert rows[0][4:] == (8, 4, 0.5)


def test_nan_in_parquet_is_wrong_not_right(con, tmp_path):
    """DuckDB 2.0 folds `x <= 25` to true on column statistics that leave NaN out."""
    nan = float("nan")
    rows = pa.table({"id": ["a", "b", "c"], "lat": [0.0] * 3, "lon": [0.0] * 3})
    rows = rows.append_column("pred_lat", pa.array([0.0, 0.1, nan]))
    rows = rows.append_column("pred_lon", pa.array([0.0, 0.1, nan]))
    vectors = {n: [1.0, 1.0, 1.0] for n in ("x", "pred_x")}
    vectors |= {n: [0.0, 0.0, 0.0] for n in ("y", "z", "pred_y")} | {"pred_z": [0.0, 0.001, nan]}
    for name, data in (("rows", rows), ("vectors", pa.table(vectors))):
        pq.write_table(data, tmp_path / f"{name}.parquet")
        con.execute(f"CREATE VIEW {name} AS FROM read_parquet('{tmp_path / f'{name}.parquet'}')")
    for sql in ("threshold_accuracy('rows')", "threshold_accuracy_unit('vectors')"):
        counts = con.sql(f"SELECT truth_rows, answered, correct FROM {sql}").fetchall()
        assert counts[1:] == [(3, 2, 2)] * 4, sql
    assert column(con, "SELECT count(haversine_km(lat, lon, pred_lat, pred_lon)) FROM rows") == [2]
    assert column(con, "SELECT id FROM predictions_missing('rows')") == ["c"]
    assert column(con, "SELECT id FROM predictions_null_island('rows')") == ["a"]
    assert column(con, "SELECT id FROM predictions_out_of_range('rows')") == []
    assert column(con, "SELECT pred_lat FROM predictions_repeated('rows', at_least := 1)") == [
        0,
        0.1,
    ]
    assert column(con, "SELECT count(geoscore(pred_lat)) FROM rows") == [2]
    quantiles = con.sql("FROM error_quantiles('rows', quantiles := [1.0])").fetchall()[0]
    assert quantiles[1] == pytest.approx(15.725, abs=1e-3)
    assert quantiles[4:6] == (3, 2)


def test_sql_and_python_give_the_same_score(con):
    """R1, R5: thresholds, quantiles, mean, GeoScore and groups on 20k random rows."""
    rng = np.random.default_rng(13)
    n = 20_000
    lat, lon = rng.uniform(-89, 89, n), rng.uniform(-180, 180, n)
    step = np.exp(rng.normal(np.log(0.6), 2.5, n)).clip(0, 80)
    gone = rng.random(n) < 0.2
    table = pa.table(
        {
            "lat": lat,
            "lon": lon,
            "pred_lat": pa.array(np.clip(lat + step * rng.normal(size=n), -90, 90), mask=gone),
            "pred_lon": pa.array(lon + step * rng.normal(size=n), mask=gone),
            "part": pa.array(rng.choice(["x", "y"], n).tolist()),
        }
    )
    con.register("random_rows", table)
    for strict in (False, True):
        for missing in ("wrong", "exclude"):
            scorer = metrics.Scorer(Scoring(strict=strict, missing=missing), by=["part"])
            scorer.add(table)
            mine = scorer.finish()
            options = f"strict := {strict}, missing := '{missing}'"
            rows = con.sql(f"FROM threshold_accuracy('random_rows', {options})").fetchall()
            assert [row[3] for row in rows] == list(mine.correct.values())
            assert [row[4] for row in rows] == list(mine.accuracy.values())
            assert rows[0][5] == mine.coverage
    rows = con.sql("FROM error_quantiles('random_rows')").fetchall()
    scores = metrics.Scorer()
    scores.add(table)
    mine = scores.finish()
    assert [r[1] for r in rows] == pytest.approx(list(mine.quantiles_km.values()), abs=1e-8)
    assert rows[0][2:4] == pytest.approx((mine.mean_km, mine.geoscore), rel=1e-12)


@pytest.mark.parametrize(
    "answers", [[None], [1.0], [1.0, None], [1.0, 90.0], [None, None]], ids=str
)
def test_the_smallest_relations_are_scored_as_numpy_scores_them(con, answers):
    """One row, and one of two without an answer: where divisions and quantiles have their edges."""
    n = len(answers)
    answered = pa.array(answers, pa.float64())
    table = pa.table(
        {"lat": [0.0] * n, "lon": [0.0] * n, "pred_lat": answered, "pred_lon": answered,
         "part": ["x"] * n}
    )  # fmt: skip
    con.register("few", table)
    scorer = metrics.Scorer(by=["part"])
    scorer.add(table)
    mine = scorer.finish()
    rows = con.sql("FROM error_quantiles('few')").fetchall()
    for mine_km, row in zip(mine.quantiles_km.values(), rows, strict=True):
        assert row[1] == (None if mine_km is None else pytest.approx(mine_km))
        assert row[2] == (None if mine.mean_km is None else pytest.approx(mine.mean_km))
        assert row[3] == pytest.approx(mine.geoscore)
        assert row[4:] == (n, n - answered.null_count, mine.coverage)
    rows = con.sql("FROM threshold_accuracy('few')").fetchall()
    assert [row[3:6] for row in rows] == [
        (right, share, mine.coverage)
        for right, share in zip(mine.correct.values(), mine.accuracy.values(), strict=True)
    ]
    for row in rows:
        by = con.sql(
            f"FROM threshold_accuracy_by('few', part, threshold_km := {row[0]})"
        ).fetchall()
        assert [one[4:7] for one in by] == [row[3:6]]


def test_unit_vectors_give_the_same_counts(con):
    rng = np.random.default_rng(14)
    n = 20_000
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    lon = rng.uniform(-180, 180, n)
    step = np.exp(rng.normal(np.log(0.6), 2.5, n)).clip(0, 80)
    to_lat = np.clip(lat + step * rng.normal(size=n), -90, 90)
    to_lon = np.remainder(lon + step * rng.normal(size=n) + 180, 360) - 180
    con.register(
        "points", pa.table({"lat": lat, "lon": lon, "pred_lat": to_lat, "pred_lon": to_lon})
    )
    con.execute(
        """
        CREATE TABLE vectors AS SELECT
            cos(radians(lat)) * cos(radians(lon)) AS x,
            cos(radians(lat)) * sin(radians(lon)) AS y,
            sin(radians(lat)) AS z,
            cos(radians(pred_lat)) * cos(radians(pred_lon)) AS pred_x,
            cos(radians(pred_lat)) * sin(radians(pred_lon)) AS pred_y,
            sin(radians(pred_lat)) AS pred_z
        FROM points
        """
    )
    plain = con.sql("FROM threshold_accuracy('points')").fetchall()
    assert con.sql("FROM threshold_accuracy_unit('vectors')").fetchall() == plain


def test_audits_return_the_offending_rows(con):
    assert column(con, "SELECT id FROM predictions_missing('joined') ORDER BY id") == ["b", "d"]
    out = column(con, "SELECT id FROM predictions_out_of_range('joined') ORDER BY id")
    assert out == ["f", "g"]
    assert column(con, "SELECT id FROM predictions_null_island('joined')") == ["h"]
    con.execute(
        """
        CREATE TABLE answers AS SELECT * FROM (VALUES
            ('a', 1.0, 2.0), ('a', 1.0, 2.0), ('b', 1.0, NULL), ('b', 1.0, 3.0), ('c', 1.0, 2.0),
            ('d', NULL, NULL), ('d', NULL, NULL)
        ) AS rows (id, pred_lat, pred_lon)
        """
    )
    rows = con.sql("SELECT id, copies, agree FROM predictions_duplicate_ids('answers')").fetchall()
    assert rows == [("a", 2, True)] * 2 + [("b", 2, False)] * 2 + [("d", 2, True)] * 2
    repeated = con.sql("FROM predictions_repeated('answers', at_least := 2)").fetchall()
    assert [(float(a), float(b), n) for a, b, n in repeated] == [(1.0, 2.0, 3)]


TEN_KM = (0.0, 0.5, 1.0, 10.0, 25.0, 100.0, 200.0, 750.0, 2500.0, 10_000.0)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("missing", ["wrong", "exclude"])
def test_every_form_decides_every_threshold_as_python_does(con, strict, missing):
    """Ten thresholds, each met exactly by rows along the equator; groups of unlike sizes."""
    rng = np.random.default_rng(5)
    away = np.degrees(np.array([*TEN_KM, 0.3, 30.0, 300.0, 9000.0] * 20) / 6371.0).clip(0, 179.9)
    n = len(away)
    lon, gone = rng.uniform(-180, 180, n), rng.random(n) < 0.2
    rows = {"lat": np.zeros(n), "lon": lon, "pred_lat": pa.array(np.zeros(n), mask=gone)}
    rows |= {"pred_lon": pa.array(lon + away, mask=gone)}
    rows |= {"part": pa.array(rng.choice(["x", "y", "z", None], n, p=[0.5, 0.1, 0.1, 0.3]))}
    con.register("rows_", pa.table(rows))
    con.execute(
        """
        CREATE OR REPLACE TABLE unit_ AS SELECT
            cos(radians(lon)) AS x, sin(radians(lon)) AS y, 0.0 AS z, 0.0 AS pred_z,
            cos(radians(pred_lon)) AS pred_x, sin(radians(pred_lon)) AS pred_y
        FROM rows_
        """
    )
    scorer = metrics.Scorer(Scoring(TEN_KM, strict=strict, missing=missing), by=["part"])
    scorer.add(pa.table(rows))
    mine = scorer.finish()
    options = f"thresholds_km := {list(TEN_KM)}, strict := {strict}, missing := '{missing}'"
    found = con.sql(f"FROM threshold_accuracy('rows_', {options})").fetchall()
    assert [row[0] for row in found] == list(TEN_KM)
    assert [row[3] for row in found] == list(mine.correct.values())
    assert [row[4] for row in found] == list(mine.accuracy.values())
    unit = con.sql(f"FROM threshold_accuracy_unit('unit_', {options})").fetchall()
    assert [row[:3] for row in unit] == [row[:3] for row in found]
    assert [row[4] is None for row in unit] == [row[4] is None for row in found]
    for t in TEN_KM:
        groups = con.sql(
            f"FROM threshold_accuracy_by('rows_', part, threshold_km := {t}, strict := {strict})"
        ).fetchall()
        own = {one.value: (one.rows, one.answered, one.correct[t]) for one in mine.by["part"]}
        assert {row[0]: row[2:5] for row in groups} == own
        sizes = [row[2] for row in groups]
        assert sizes == sorted(sizes, reverse=True)


def test_what_is_not_said_is_the_default_of_every_form(con):
    plain = con.sql("FROM threshold_accuracy('joined')").fetchall()
    assert [row[0] for row in plain] == list(THRESHOLDS_KM)
    said = f"thresholds_km := {list(THRESHOLDS_KM)}, strict := false, missing := 'wrong'"
    assert con.sql(f"FROM threshold_accuracy('joined', {said})").fetchall() == plain
    by = con.sql("FROM threshold_accuracy_by('joined', country_code)").fetchall()
    said = "threshold_km := 25, strict := false"
    assert con.sql(f"FROM threshold_accuracy_by('joined', country_code, {said})").fetchall() == by
    found = con.sql("SELECT quantile FROM error_quantiles('joined')").fetchall()
    assert found == [(0.1,), (0.25,), (0.5,), (0.75,), (0.9,)]


EDGES = [None, math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-9, 1e9]
EDGES += [
    sign * value
    for edge in (0.001, 90.0, 180.0, 360.0)
    for value in (edge, math.nextafter(edge, 0), math.nextafter(edge, 1e9))
    for sign in (1, -1)
]


def test_audits_of_predictions_at_every_edge(con):
    """Each pair of edge values, beside the rule in plain Python."""
    pairs = list(itertools.product(EDGES, EDGES))
    ids = list(range(len(pairs)))
    lat, lon = (pa.array([pair[i] for pair in pairs], pa.float64()) for i in (0, 1))
    con.register("edges", pa.table({"id": ids, "pred_lat": lat, "pred_lon": lon}))

    def none(value):
        return value is None or math.isnan(value)

    def beyond(value, most):
        return not none(value) and abs(value) > most

    rules = {
        "missing": lambda y, x: none(y) or none(x),
        "out_of_range": lambda y, x: beyond(y, 90) or beyond(x, 360),
        "null_island": lambda y, x: not (none(y) or none(x)) and max(abs(y), abs(x)) < 0.001,
    }
    for name, rule in rules.items():
        found = column(con, f"SELECT id FROM predictions_{name}('edges') ORDER BY id")
        assert found == [i for i, pair in zip(ids, pairs) if rule(*pair)], name


def test_repeated_answers_are_counted_from_a_bar_and_sorted(con):
    answers = [(2.0, 1.0)] * 3 + [(1.0, 5.0)] * 3 + [(1.0, 4.0)] * 3 + [(9.0, 9.0)] * 4
    answers += [(3.0, 3.0)] * 2 + [(math.inf, 1.0)] * 5 + [(1.0, math.nan)] * 5 + [(None, 1.0)] * 5
    lat, lon = zip(*answers)
    con.register("many", pa.table({"pred_lat": pa.array(lat), "pred_lon": pa.array(lon)}))
    found = con.sql("FROM predictions_repeated('many', at_least := 3)").fetchall()
    assert found == [(9.0, 9.0, 4), (1.0, 4.0, 3), (1.0, 5.0, 3), (2.0, 1.0, 3)]
    con.execute("CREATE TABLE ten AS SELECT 1.0 AS pred_lat, 2.0 AS pred_lon FROM range(10)")
    con.execute("CREATE TABLE nine AS SELECT 1.0 AS pred_lat, 2.0 AS pred_lon FROM range(9)")
    assert column(con, "SELECT copies FROM predictions_repeated('ten')") == [10]
    assert column(con, "SELECT copies FROM predictions_repeated('nine')") == []


@pytest.mark.parametrize("name", ["haversine_km", "haversine_a"])
def test_a_distance_is_null_just_beyond_each_edge(con, name):
    """The last latitude and longitude that count, and the next number, in each argument."""
    for place, most in ((0, 90.0), (1, 360.0), (2, 90.0), (3, 360.0)):
        for sign in (1, -1):
            for value in (most, math.nextafter(most, 0), math.nextafter(most, 1e9)):
                given = [10.0, 20.0, 30.0, 40.0]
                given[place] = sign * value
                found = con.execute(f"SELECT {name}(?, ?, ?, ?)", given).fetchone()[0]
                if value > most:
                    assert found is None, given
                else:
                    wanted = getattr(sphere, name)(*given)
                    assert found == pytest.approx(float(wanted), rel=1e-12), given
