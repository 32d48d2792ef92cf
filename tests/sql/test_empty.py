"""Metrics of no rows: counts are 0 and shares are NULL, in every form."""

import duckdb
import pytest

from geodata import query


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as made:
        query.load_sql(made)
        made.execute(
            "CREATE TABLE none AS SELECT 1.0 AS lat, 2.0 AS lon, 3.0 AS pred_lat, 4.0 AS pred_lon, "
            "'a' AS country_code, 'a' AS pred_country_code, 'b' AS admin1_code, "
            "'b' AS pred_admin1_code, 'c' AS city, 'c' AS pred_city, 1.0 AS x, 1.0 AS y, 1.0 AS z, "
            "1.0 AS pred_x, 1.0 AS pred_y, 1.0 AS pred_z WHERE false"
        )
        yield made


def test_regions(con):
    found = con.sql("FROM region_accuracy('none')").fetchall()
    assert found == [(level, 0, 0, 0, 0, None, None) for level in ("country", "admin1", "city")]


@pytest.mark.parametrize("form", ["threshold_accuracy", "threshold_accuracy_unit"])
@pytest.mark.parametrize("missing", ["wrong", "exclude"])
def test_thresholds(con, form, missing):
    found = con.sql(f"FROM {form}('none', [1, 25], missing := '{missing}')").fetchall()
    assert found == [(km, 0, 0, 0, None, None, missing) for km in (1.0, 25.0)]
    assert con.sql("FROM threshold_accuracy_by('none', country_code)").fetchall() == []


def test_quantiles(con):
    found = con.sql("FROM error_quantiles('none', quantiles := [0.5, 0.9])").fetchall()
    assert found == [(q, None, None, None, 0, 0, None) for q in (0.5, 0.9)]
