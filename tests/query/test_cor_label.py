"""``cor_label`` in SQL gives what `cor.label_table` gives."""

import subprocess
import sys

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv
import pytest

from geodata import cor, query, tables
from geodata.query.labels import FIELDS


def labelled(points, con):
    rows = con.sql("SELECT UNNEST(cor_label(lat, lon)) FROM points").to_arrow_table()
    expected = cor.label_table(points).select(list(FIELDS))
    assert rows.to_pylist() == expected.to_pylist()


def test_equal_to_label_table():
    rng = np.random.default_rng(3)
    lat = np.concatenate([rng.uniform(-95, 95, 3000), [np.nan, np.inf, 90, -90, 0]])
    lon = np.concatenate([rng.uniform(-200, 200, 3000), [0, 0, 180, -180, np.nan]])
    nulls = pa.array([i % 97 == 0 for i in range(len(lat))])
    points = pa.table({"lat": pa.array(lat, mask=np.asarray(nulls)), "lon": lon})
    with duckdb.connect() as con:  # a view of ours would make NaN NULL
        from geodata.query.labels import add_cor_label

        add_cor_label(con)
        con.register("points", points)
        con.execute("SET threads = 1")
        labelled(points, con)


def test_equal_on_100k_real_points(shared):
    points = pc_csv.read_csv(shared / "points" / "geoclip_gallery_100k.csv")
    names = {n.lower(): n for n in points.column_names}
    points = pa.table({"lat": points[names["lat"]], "lon": points[names["lon"]]})
    with query.connect(files={"points": points}, threads=1) as con:
        labelled(points, con)


@pytest.mark.parametrize(
    "call",
    [
        "cor_label(48.8584, 2.2945)",  # literals are DECIMAL
        "cor_label(48.8584::DOUBLE, 2.2945::FLOAT)",
        "cor_label(48.8584::DECIMAL(18, 10), 2.2945::DECIMAL(38, 20))",
    ],
)
def test_any_number_is_taken(call):
    assert query.run(f"SELECT {call}.city AS city").to_pylist() == [{"city": "Paris"}]


def test_whole_numbers():
    found = query.run("SELECT cor_label(48, 2).country_code AS a, cor_label(48, 2.0).country AS b")
    assert found.to_pylist() == [{"a": "FR", "b": "France"}]


def test_missing_is_invalid():
    sql = "SELECT cor_label(NULL, 2) AS a, cor_label(1, NULL) AS b, cor_label(91, 0) AS c"
    (row,) = query.run(sql).to_pylist()
    nothing = dict.fromkeys(FIELDS) | {"match": "invalid"}
    assert row == {"a": nothing, "b": nothing, "c": nothing}


def test_on_a_lake_and_grouped(tmp_path):
    rows = {"lat": [48.8584, 48.86, 35.68, None], "lon": [2.2945, 2.35, 139.69, 0.0]}
    tables.append(tmp_path / "photos", pa.table(rows))
    with query.connect(tmp_path) as con:
        found = con.sql("select cor_label(lat, lon).city from photos").fetchall()
        assert found[0] == ("Paris",)
        assert found[3] == (None,)
    label = "SELECT cor_label(lat, lon).country_code AS c, count(*) AS n FROM photos"
    sql = f"{label} GROUP BY c ORDER BY n DESC, c"
    found = query.run(sql, lake=tmp_path).to_pylist()
    assert found == [{"c": "FR", "n": 2}, {"c": "JP", "n": 1}, {"c": None, "n": 1}]


def test_connecting_loads_no_borders():
    code = (
        "import sys; from geodata import query\n"
        "with query.connect() as con: con.sql('SELECT 1').fetchall()\n"
        "assert 'geodata.boundaries.set' not in sys.modules, 'loaded'\n"
        "assert 'geodata.cor.labels' not in sys.modules, 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
