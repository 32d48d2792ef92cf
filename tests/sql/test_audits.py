"""Audits of datasets on small random tables, beside their rules in plain Python."""

import math
from collections import Counter

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from geodata import query

ROWS = 12
VALUES = {  # few values, so that rows share them; NULL on both sides
    "photo_id": ["a", "b", "c", "d", "e", "f", "g", None],
    "author": ["x", "y", "z", "w", "v", None],
    "lat": [1.0, 2.0, 3.0, 4.0, None, math.nan, 90.0, 90.5, -91.0],
    "lon": [1.0, 2.0, 3.0, None, math.nan, 360.0, -360.5, math.inf],
    "h3_5": [1, 2, 3, 4, 5, None],
    "split": ["train", "train", "train", "test", None],
    "match": ["inside", "nearest", "none", "invalid", None],
    "country": ["France", None],
    "country_code": ["FR", None],
}
TYPES = {"lat": pa.float64(), "lon": pa.float64(), "h3_5": pa.int64()}


def drawn(rng):
    columns = {"row": list(range(ROWS))}
    for name, values in VALUES.items():
        cells = [values[i] for i in rng.integers(0, len(values), ROWS)]
        columns[name] = pa.array(cells, TYPES.get(name, pa.string()))
    return pa.table(columns)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as made:
        query.load_sql(made)
        yield made


def place(row):
    """Return what rows may share: a row without a coordinate shares none."""
    pair = row["lat"], row["lon"]
    return pair if all(value is not None and math.isfinite(value) for value in pair) else None


def bad_coordinates(row):
    return place(row) is None or abs(row["lat"]) > 90 or abs(row["lon"]) > 360


def null_country(row):
    named = row["country"] is not None and row["country_code"] is not None
    return row["match"] is None or (row["match"] in ("inside", "nearest") and not named)


def shared(row, other, of):
    return of(row) is not None and any(of(row) == of(one) for one in other)


@pytest.mark.parametrize("seed", range(60))
def test_each_audit_names_the_rows_that_its_rule_names(con, seed):
    rng = np.random.default_rng(seed)
    photos, benchmark = drawn(rng), drawn(rng).slice(0, 2)
    rows, others = photos.to_pylist(), benchmark.to_pylist()
    con.register("photos", photos)
    con.register("benchmark", benchmark)

    def audited(call, field="row"):
        return sorted(con.sql(f"SELECT {field} FROM {call}").fetchall())

    assert audited("dataset_bad_coordinates('photos')") == [
        (row["row"],) for row in rows if bad_coordinates(row)
    ]
    assert audited("dataset_null_country('photos')") == [
        (row["row"],) for row in rows if null_country(row)
    ]
    copies = Counter(row["photo_id"] for row in rows if row["photo_id"])
    assert audited("dataset_duplicate_ids('photos')", "row, copies") == [
        (row["row"], copies[row["photo_id"]]) for row in rows if copies[row["photo_id"]] > 1
    ]
    ordered = con.sql("SELECT photo_id FROM dataset_duplicate_ids('photos')").fetchall()
    assert ordered == sorted(ordered)
    by = {"photo_id": lambda r: r["photo_id"], "author": lambda r: r["author"], "coordinate": place}
    expected = [
        (row["row"], [n for n, of in by.items() if shared(row, others, of)]) for row in rows
    ]
    assert audited("dataset_leaked_rows('photos', 'benchmark')", "row, shares") == [
        pair for pair in expected if pair[1]
    ]
    leaking = []
    for row in rows:
        for of in (by["author"], lambda r: r["h3_5"], place):
            splits = {one["split"] for one in rows if of(row) is not None and of(one) == of(row)}
            if len(splits - {None}) > 1:
                leaking.append((row["row"],))
                break
    assert audited("dataset_split_leaks('photos')") == leaking


def test_repeated_ids_come_together_in_order(con):
    ids = np.random.default_rng(0).permutation([f"p{i}" for i in range(5000)] * 2).tolist()
    columns = {"id": ids, "photo_id": ids, "pred_lat": [1.0] * 10_000, "pred_lon": [1.0] * 10_000}
    con.register("many", pa.table(columns))
    for call, name in (
        ("dataset_duplicate_ids('many')", "photo_id"),
        ("predictions_duplicate_ids('many')", "id"),
    ):
        found = [row[0] for row in con.sql(f"SELECT {name} FROM {call}").fetchall()]
        assert found == sorted(ids), call
