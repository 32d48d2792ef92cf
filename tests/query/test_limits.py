"""Queries stop at their limits of time, rows, memory and size, each with an error of ours."""

import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import query

ENDLESS = [
    "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b WHERE a.range + b.range = 3",
    "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t",
    "SELECT i, repeat('x', 100) FROM range(10_000_000_000) t(i)",
]


@pytest.mark.parametrize("sql", ENDLESS)
def test_time_is_limited(sql):
    begun = time.monotonic()
    with pytest.raises(query.QueryLimitError, match=r"longer than 0.3 s .* timeout_s=, --timeout"):
        query.run(sql, timeout_s=0.3, max_bytes=None)
    assert time.monotonic() - begun < 60


def test_the_default_has_a_limit():
    assert query.run("SELECT 1 AS a").to_pylist() == [{"a": 1}]
    assert query.run.__kwdefaults__["timeout_s"] == 60


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan")])
def test_a_limit_is_above_0(timeout_s):
    with pytest.raises(query.QueryError, match="must be above 0 seconds"):
        query.run("SELECT 1", timeout_s=timeout_s)
    with pytest.raises(query.QueryError, match="must be 0 or more"):
        query.run("SELECT 1", max_rows=-1)


@pytest.mark.parametrize(("rows", "found"), [(0, 0), (3, 3), (10, 5), (None, 5)])
def test_rows_are_limited(rows, found):
    assert query.run("FROM range(5)", max_rows=rows).num_rows == found


def test_the_engine_knows_how_many_rows_are_wanted():
    """Ten billion rows are not made for the first forty."""
    sql = "SELECT i, md5(i::VARCHAR) AS m FROM range(10_000_000_000) t(i)"
    begun = time.monotonic()
    assert query.run(sql, max_rows=41).num_rows == 41
    assert time.monotonic() - begun < 60
    assert query.run("SHOW TABLES", max_rows=1, files={"a": pa.table({"x": [1]})}).num_rows == 1


def test_an_answer_too_large_is_refused():
    with pytest.raises(query.QueryLimitError, match=r"larger than 1,000,000 bytes.* max_bytes"):
        query.run("FROM range(1_000_000)", max_bytes=1_000_000)


def test_an_answer_as_large_as_allowed_is_given():
    sql = "SELECT i FROM range(1000) t(i)"
    size = query.run(sql).nbytes  # eight a number, and a bit that says it is there
    assert 8 * 1000 <= size <= 8 * 1000 + 1000
    assert query.run(sql, max_bytes=size)["i"].to_pylist() == list(range(1000))
    with pytest.raises(query.QueryLimitError, match=f"larger than {size - 1:,} bytes"):
        query.run(sql, max_bytes=size - 1)


def test_the_memory_limit_is_told():
    sql = "SELECT list(i) FROM range(100_000_000) t(i)"
    with pytest.raises(query.QueryLimitError, match=r"more memory than 50MB .*--memory"):
        query.run(sql, memory_limit="50MB", threads=1)


def test_rows_can_be_taken_as_they_come():
    with query.stream("SELECT i FROM range(100_000) t(i)") as answer:
        assert answer.schema.names == ["i"]
        rows = [batch["i"].to_pylist() for batch in answer.batches]
    assert len(rows) > 10
    assert sorted(v for part in rows for v in part) == list(range(100_000))


def test_an_answer_can_be_left_early():
    begun = time.monotonic()
    with query.stream("SELECT i FROM range(10_000_000_000) t(i)") as answer:
        next(answer.batches)
    assert time.monotonic() - begun < 60


# Parquet bombs: small files that grow


def one_text_many_times(path):
    """100,000 rows of one text of 46 kB in a dictionary: 4.6 GB."""
    indices = pa.array(np.zeros(100_000, np.int32))
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 46_000]))
    pq.write_table(pa.table({"a": column}), path, compression="zstd", store_schema=False)


def one_long_text(path):
    """One text of 250 MB, which is refused by what the footer says."""
    table = pa.table({"a": pa.array(["y" * 250_000_000])})
    pq.write_table(table, path, compression="zstd", use_dictionary=False, write_statistics=False)


PEAK = """
import sys
from geodata import query
from geodata.errors import GeodataError
try:
    print(query.run(sys.argv[1], files={"t": sys.argv[2]}, memory_limit="500MB").num_rows)
except GeodataError as error:
    print(type(error).__name__, str(error).replace(sys.argv[2], "FILE")[:60])
# not ru_maxrss, which a child inherits from the process that started it
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.parametrize(
    ("make", "sql", "told"),
    [
        (one_text_many_times, "SELECT count(*), sum(length(a)) FROM t", "1"),
        (one_text_many_times, "SELECT a FROM t", "QueryLimitError the answer is larger"),
        (one_text_many_times, "SELECT list(a) FROM t", "QueryLimitError the query needs more"),
        (one_long_text, "SELECT a FROM t", "FileError FILE: row group 0 unfolds from"),
    ],
)
def test_bombs_cost_little(tmp_path, make, sql, told):
    bomb = tmp_path / "bomb.parquet"
    make(bomb)
    assert bomb.stat().st_size < 1_000_000
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PEAK, sql, bomb], capture_output=True, text=True, check=True
    )
    said, peak_mib = done.stdout.splitlines()
    assert said.startswith(told)
    assert int(peak_mib) < 1536, said
    assert time.monotonic() - begun < 60


def test_an_error_on_the_way_is_told_as_one_before():
    bad = pa.table({"a": ["1"] * 100_000 + ["x"]})
    with pytest.raises(query.QueryError, match=r"Could not convert string 'x'[\s\S]*tables are: t"):
        query.run("SELECT a::INT FROM t", files={"t": bad})


def test_what_the_reader_of_rows_raises_passes():
    def taken():
        with query.stream("FROM range(10)") as answer:
            next(answer.batches)
            raise OSError("mine")

    with pytest.raises(OSError, match="mine") as raised:
        taken()
    assert type(raised.value) is OSError
