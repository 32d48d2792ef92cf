"""Rows are chosen by a split and a condition (geodata.query.choosing)."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import files, query
from geodata.query import QueryError

ROWS = pa.table(
    {
        "Name": ["a", "b", None, "d"],
        "lat": [1.0, None, 3.0, 4.0],
        "image": [b"xx", None, b"", b"yyy"],
        "split": ["train", "test", "val", None],
    }
)


@pytest.mark.parametrize("form", ["table", "parquet"])
@pytest.mark.parametrize(
    ("where", "true", "null"),
    [
        ("lat > 2", [2, 3], [1]),
        ("NAME = 'b' OR lat = 4", [1, 3], [2]),  # NULL or false is NULL
        ("octet_length(image) > 1", [0, 3], [1]),  # a column of bytes, which no other reads
        ("image IS NULL", [1], []),
        ("image IS NULL AND lat IS NULL", [1], []),
        ("1 < 2", [0, 1, 2, 3], []),  # names no column
        ("NULL", [], [0, 1, 2, 3]),
        ("split <> 'test' -- 'a comment", [0, 2], [3]),
    ],
)
def test_a_condition_reads_the_columns_that_it_names(tmp_path, form, where, true, null):
    source = ROWS
    if form == "parquet":
        pq.write_table(ROWS, source := tmp_path / "rows.parquet")
    found = query.true_rows(files.open_source(source), where)
    assert found.true.nonzero()[0].tolist() == true
    assert found.null.nonzero()[0].tolist() == null


@pytest.mark.parametrize(
    ("split", "where", "rows"),
    [
        ("train", None, [0]),
        (" val ,train", None, [0, 2]),
        ("all", None, None),
        ("all", "lat > 2", [2, 3]),
        (None, "SPLIT = 'val'", [2]),
        (None, "split IS NULL", [3]),
        ("train,val", "lat > 2", [2]),
    ],
)
def test_split_and_condition_must_both_hold(split, where, rows):
    found = query.choose(files.open_source(ROWS), split, where)
    assert (None if found is None else found.nonzero()[0].tolist()) == rows


@pytest.mark.parametrize(
    ("split", "where", "told"),
    [
        (None, None, r"splits \(test 1, train 1, val 1, NULL 1 rows\); choose one"),
        (None, "lat > 2", "choose one"),
        (None, "Name = 'split_'", "choose one"),
        ("dev", None, "no split 'dev'"),
        ("train", "lat > 2", r"none of its 4 rows is left with split='train' and where='lat > 2'"),
    ],
)
def test_a_choice_of_nothing_is_refused(split, where, told):
    with pytest.raises(QueryError, match=told):
        query.choose(files.open_source(ROWS), split, where)


def test_rows_that_duckdb_gives_in_another_order_are_told_in_that_of_the_source():
    """A window sorts the rows: the least latitude comes first, and stands in the second row."""
    source = files.open_source({"lat": [3.0, 1.0, 2.0, None]})
    found = query.true_rows(source, "row_number() OVER (ORDER BY lat NULLS LAST) = 1")
    assert found.true.tolist() == [False, True, False, False]
    found = query.true_rows(source, "lag(lat) OVER (ORDER BY lat) > 1")
    assert found.true.tolist() == [True, False, False, True]
    assert found.null.tolist() == [False, True, False, False]


def test_a_condition_gives_one_answer_a_row():
    source = files.open_source({"lat": [1.0, 3.0]})
    with pytest.raises(QueryError, match="is no condition on single rows"):
        query.true_rows(source, "true) AS BOOLEAN) AS more, CAST((true")


def test_shards_whose_numbers_differ_in_type_are_one_table(tmp_path):
    pq.write_table(pa.table({"lat": [1, 2]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"lat": [2.5]}), tmp_path / "b.parquet")
    source = files.open_source(tmp_path)
    assert query.choose(source, where="lat > 1.5").tolist() == [False, True, True]
