"""Limits and words of the SQL layer: choices, names, views, the clock and the files it may read."""

import io
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from geodata import files, query, tables
from geodata.query import QueryError, QueryLimitError
from geodata.query.choosing import typed_rows
from geodata.query.clock import Clock
from geodata.query.held_files import HeldFiles
from geodata.query.views import add_files, claim, numbers_from_text, view_name


def opened(**columns):
    return files.open_source(pa.table(columns))


def refused(call, *args, error=QueryError, **options):
    with pytest.raises(error) as told:
        call(*args, **options)
    return str(told.value)


# which rows


@pytest.mark.parametrize(
    "word",
    [
        "random()", "uuid ()", "UUIDv4()", "uuidv7()", "gen_random_uuid()", "now()", "today()",
        "get_current_time()", "get_current_timestamp()", "transaction_timestamp()",
        "nextval('x')", "setseed(1)", "current_date", "current_time", "CURRENT_TIMESTAMP",
        "localtime", "localtimestamp",
    ],
)  # fmt: skip
def test_a_condition_on_chance_or_the_clock_is_refused(word):
    where = f"lat > 1 AND {word} IS NOT NULL"
    found = "localtime" if word.startswith("local") else word.partition("(")[0].rstrip()
    assert refused(query.true_rows, opened(lat=[1.0]), where) == (
        f"where={where!r} uses {found}, which says something else each time; a choice that can be "
        "repeated depends on the rows only"
    )


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('"random"() < 0.5', "random"), ("random/* */() < 0.5", "random"),
        ("RANDOM -- a comment\n() < 0.5", "random"), ('main."Now"() > \'2020-01-01\'', "now"),
        ("current_localtime() > '12:00'", "current_localtime"),
        ("current_localtimestamp() > '2020-01-01'", "current_localtimestamp"),
        ("txid_current() > 5", "txid_current"), ("age(TIMESTAMP '2020-01-01') > '1 y'", "age"),
        ("(TIMESTAMP '2020-01-01').age() > INTERVAL 1 YEAR", "age"),
        ("lat IN (SELECT lat FROM rows USING SAMPLE 1)", "SAMPLE"),
        ("lat IN (SELECT lat FROM rows TABLESAMPLE 50%)", "SAMPLE"),
        ("lat IN (FROM rows TABLESAMPLE reservoir(1) REPEATABLE (7))", "SAMPLE"),
    ],
)  # fmt: skip
def test_chance_and_the_clock_are_found_however_they_are_written(where, found):
    """By what DuckDB reads in it, where no word of the text tells."""
    assert refused(query.true_rows, opened(lat=[1.0]), where) == (
        f"where={where!r} uses {found}, which says something else each time; a choice that can be "
        "repeated depends on the rows only"
    )


@pytest.mark.parametrize(
    "where",
    [
        "age(TIMESTAMP '2021-01-01', TIMESTAMP '2020-01-01') > INTERVAL 1 DAY",
        "'random' <> 'now' AND lat > 0 -- today", "lat = (SELECT min(lat) AS sample FROM rows)",
    ],
)  # fmt: skip
def test_what_is_the_same_each_time_may_be_called_alike(where):
    assert query.true_rows(opened(lat=[1.0]), where).true.tolist() == [True]


def test_a_word_that_holds_such_a_name_is_no_such_function():
    rows = opened(randomness=[1.0, 2.0], known=[1.0, 2.0])
    assert query.true_rows(rows, "randomness > 1 AND abs(known) > 1").true.tolist() == [False, True]


@pytest.mark.parametrize("where", ["", "  ", None, 5])
def test_what_is_no_text_is_no_condition(where):
    assert refused(query.true_rows, opened(lat=[1.0]), where) == (
        f"where={where!r} is no condition; give SQL such as country_code = 'JP'"
    )


@pytest.mark.parametrize(
    "where",
    [
        "true) AS BOOLEAN) AS said FROM rows UNION ALL SELECT 0, CAST((true",
        "lat IN (unnest([1, 2]))",
    ],
)
def test_a_condition_gives_each_row_once(where):
    said = refused(query.true_rows, opened(lat=[1.0, 3.0]), where)
    assert said.startswith(f"where={where!r} is no condition on single rows; give SQL such as")


def test_only_columns_that_are_named_are_read_and_bytes_only_if_named():
    kinds = {
        "plain": pa.binary(),
        "large": pa.large_binary(),
        "listed": pa.list_(pa.binary()),
        "inside": pa.struct([("a", pa.int64()), ("b", pa.large_binary())]),
        "deep": pa.list_(pa.struct([("b", pa.binary())])),
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
    }
    table = pa.table({name: pa.nulls(2, kind) for name, kind in kinds.items()})
    from geodata.query.choosing import _named_columns

    source = files.open_source(table)
    assert _named_columns(source, "1 = 1").column_names == ["text", "texts"]
    assert _named_columns(source, "PLAIN IS NULL").column_names == ["plain"]
    assert _named_columns(source, "deep IS NULL OR large IS NULL").column_names == ["large", "deep"]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (pa.string(), {"a": 2, "b": 1, None: 1}),
        (pa.large_string(), {"a": 2, "b": 1, None: 1}),
        (pa.string_view(), {"a": 2, "b": 1, None: 1}),
        (pa.dictionary(pa.int8(), pa.string()), {"a": 2, "b": 1, None: 1}),
        (pa.dictionary(pa.int8(), pa.large_string()), {"a": 2, "b": 1, None: 1}),
        (pa.null(), {}),
        (pa.int64(), {}),
        (pa.binary(), {}),
    ],
)
def test_splits_are_text_of_any_kind(kind, found):
    values = {pa.int64(): [1, None, 2, 1], pa.null(): [None] * 4}.get(kind, ["b", None, "a", "a"])
    given = pa.array(
        values, getattr(kind, "value_type", kind)
    )  # of words first: not all pyarrow can
    rows = opened(split=given.cast(kind))
    assert list(query.split_counts(rows).items()) == list(found.items())
    if not found:
        assert query.choose(rows) is None
    else:
        assert query.choose(rows, "a").tolist() == [False, False, True, True]


def test_a_column_that_is_not_there_holds_no_split():
    rows = opened(**{f"c{i:02}": [1] for i in range(31)})
    assert refused(query.choose, rows, "train") == (
        "table has no column 'split', so split='train' names nothing; its columns are "
        f"{', '.join(f'c{i:02}' for i in range(30))}; the recipe 'split' makes one"
    )
    assert query.choose(rows) is query.choose(rows, "all") is None
    assert query.split_counts(rows) == {}


def test_names_of_splits_come_before_commas_and_before_all():
    rows = opened(split=["a,b", "a", "b", "all", None, ""])
    assert query.choose(rows, "a,b").tolist() == [True] + [False] * 5
    assert query.choose(rows, "a, b").tolist() == [False, True, True, False, False, False]
    assert query.choose(rows, "all").tolist() == [False, False, False, True, False, False]
    assert list(query.split_counts(rows)) == ["", "a", "a,b", "all", "b", None]
    assert refused(query.choose, rows, "a,c,d") == (
        "table has no split 'c'; it has  1, a 1, a,b 1, all 1, b 1, NULL 1 rows; 'all' takes every "
        "row"
    )


def test_a_hundred_splits_are_the_most():
    hundred = [f"s{i:03}" for i in range(99)]
    assert len(query.split_counts(opened(split=[*hundred, None]))) == 100
    said = refused(query.split_counts, opened(split=[*hundred, "s99", None]))
    assert said == (
        "the column 'split' has 101 values, more than 100: it divides no dataset; rename it"
    )


def test_rows_of_each_split_are_told_with_commas():
    rows = opened(split=["x"] * 1234)
    assert refused(query.choose, rows) == (
        "table has splits (x 1,234 rows); choose one, several with commas between, or all"
    )
    assert refused(query.choose, rows, where="xsplit = 1").startswith("table has splits")
    said = refused(query.choose, rows, "x", "split = 'y'")
    assert said == "table: none of its 1,234 rows is left with split='x' and where=\"split = 'y'\""
    said = refused(query.choose, rows, None, "split = 'y'")
    assert said == "table: none of its 1,234 rows is left with where=\"split = 'y'\""


def test_of_no_rows_none_is_left_and_that_is_no_error():
    assert query.choose(opened(lat=pa.array([], pa.float64())), where="lat > 1").tolist() == []


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_rows_of_text_files_are_typed(tmp_path, ending):
    between = {"csv": ",", "tsv": "\t"}.get(ending)
    path = tmp_path / f"rows.{ending}"
    if between:
        path.write_text(
            f"id{between}n{between}mixed\n07{between}1.5{between}1\n08{between}2{between}x\n"
        )
    else:
        path.write_text(
            '{"id": "07", "n": 1.5, "mixed": "1"}\n{"id": "08", "n": 2, "mixed": "x"}\n'
        )
    table = typed_rows(files.open_source(path))
    assert table.to_pydict() == {"id": ["07", "08"], "n": [1.5, 2.0], "mixed": ["1", "x"]}
    assert typed_rows(files.open_source(path), ["n"]).to_pydict() == {"n": [1.5, 2.0]}
    empty = tmp_path / f"empty.{ending}"
    empty.write_text(f"id{between}n\n" if between else "")
    if between:
        assert typed_rows(files.open_source(empty)).to_pydict() == {"id": [], "n": []}
        assert typed_rows(files.open_source(empty), ["n"]).to_pydict() == {"n": []}


# names


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.parquet", "b"), ("b-c d.csv", "b_c_d"), ("9.csv", "t_9"), ("a.b.csv", "a_b"),
        ("é.csv", "é"), ("-.csv", "_"), ("a9", "a9"),
    ],
)  # fmt: skip
def test_a_view_is_named_after_its_file(path, name):
    assert view_name(path) == name


@pytest.mark.parametrize("name", ["", None, 5, "a\0b"])
def test_what_is_no_text_is_no_name(name):
    said = refused(claim, name, set(), error=ValueError)
    assert said == f"table name {name!r} is not a non-empty text"


def test_a_name_is_taken_once_in_whatever_case():
    names = {"photos"}
    claim("Straße", names)
    assert names == {"photos", "strasse"}
    for name in ("PHOTOS", "STRASSE"):
        assert refused(claim, name, names, error=ValueError) == (
            f"two tables would be named {name!r}; DuckDB ignores case, so rename one"
        )


def test_files_are_given_as_one_path_as_some_or_by_name(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rows.csv").write_text(f"id,n\n{folder},2\n")
    one, two = tmp_path / "x" / "rows.csv", tmp_path / "y" / "rows.csv"
    for given in (one, str(one), [one], {"rows": one}):
        assert query.run("SELECT id, n + 1 AS m FROM rows", files=given).to_pylist() == [
            {"id": "x", "m": 3.0}
        ]
    assert refused(query.run, "SELECT 1", files=[one, two], error=ValueError) == (
        f"{one} and {two} would both be the table 'rows'; name them: files={{'a': ..., 'b': ...}}"
    )
    both = query.run("FROM a UNION ALL FROM b", files={"a": one, "b": two})
    assert sorted(both["id"].to_pylist()) == ["x", "y"]


def test_numbers_are_made_of_whole_columns_that_are_no_names():
    table = pa.table(
        {
            "id": ["1", "2"],
            "lat": ["1.5", None],
            "word": ["1", "x"],
            "none": pa.nulls(2, pa.string()),
            "lon": ["-2", "3e1"],
        }
    )
    assert numbers_from_text(table).to_pydict() == {
        "id": ["1", "2"],
        "lat": [1.5, None],
        "word": ["1", "x"],
        "none": [None, None],
        "lon": [-2.0, 30.0],
    }


def test_nan_is_null_and_infinity_is_not():
    nan, inf = float("nan"), float("inf")
    rows = {
        name: pa.array([1.5, nan, inf, -inf, None], kind)
        for name, kind in (("a", pa.float64()), ("b", pa.float32()))
    } | {"n": [1, 2, 3, 4, 5]}
    table = pa.table(rows)
    with duckdb.connect() as con:
        names = set()
        add_files(con, HeldFiles(), {"rows": table}, names)
        assert names == {"rows"}
        found = con.sql("FROM rows").fetchall()
    assert found == [
        (1.5, 1.5, 1), (None, None, 2), (inf, inf, 3), (-inf, -inf, 4), (None, None, 5)
    ]  # fmt: skip


# the clock


def test_a_clock_without_limit_is_never_over():
    with duckdb.connect() as con:
        clock = Clock(con, None)
        assert not clock.is_over
        clock.check()
        with clock:
            assert not clock._thread.is_alive()  # nobody is waited for
        assert clock._wait() == 0.05


def test_a_clock_tells_its_limit_when_it_is_over():
    with duckdb.connect() as con:
        clock = Clock(con, 0.25)
        assert not clock.is_over
        assert 0.15 < clock._wait() <= 0.25
        time.sleep(0.27)
        assert clock.is_over
        assert clock._wait() == 0.05
        assert refused(clock.check, error=QueryLimitError) == (
            "the query ran longer than 0.25 s and was stopped; ask for less, or allow more: "
            "timeout_s=, --timeout"
        )
        assert Clock(con, 60.0, print)._wait() == 0.05


def test_a_watched_query_tells_how_far_it_is_and_ends_its_watch():
    with duckdb.connect() as con:
        told = []
        clock = Clock(con, None, told.append)
        with clock:
            assert clock._thread.is_alive()
            con.sql("SELECT sum(sqrt(i)) FROM range(40_000_000) t(i)").fetchall()
        assert not clock._thread.is_alive()
        assert all(0 <= percent <= 100 for percent in told)


# files that SQL may read


def test_a_held_file_reads_as_any_file_does(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(bytes(range(100)))
    held = HeldFiles()
    assert held.hold("a-b", [path, path]) == [
        "held://data/a_b/0.parquet",
        "held://data/a_b/1.parquet",
    ]
    assert held.hold("a b", [path]) == ["held://data/a_b_/0.parquet"]
    assert held.hold("a.b", [path]) == ["held://data/a_b__/0.parquet"]
    assert held.hold("café", [path]) == ["held://data/caf_/0.parquet"]
    with held.open("data/a_b/0.parquet") as file, io.BytesIO(bytes(range(100))) as plain:
        assert file.readable()
        assert file.seekable()
        assert not file.writable()
        for step in (
            lambda f: f.read(10), lambda f: f.tell(), lambda f: f.seek(5, os.SEEK_CUR),
            lambda f: f.read(3), lambda f: f.seek(-4, os.SEEK_END), lambda f: f.read(),
            lambda f: f.seek(90), lambda f: f.read(20), lambda f: f.tell(), lambda f: f.read(),
        ):  # fmt: skip
            assert step(file) == step(plain)
    assert file.closed
    file.close()
    info = {"name": "held://data/a_b/0.parquet", "size": 100, "type": "file"}
    assert held.info("data/a_b/0.parquet") == held.info("held://data/a_b/0.parquet") == info
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert held.modified("data/a_b/1.parquet") == datetime.fromtimestamp(1_700_000_000, UTC)
    assert held.exists("held://data/a_b/1.parquet")
    assert held.glob("data/a_b/1.parquet") == ["held://data/a_b/1.parquet"]
    assert held.glob("data/a_b/*.parquet") == []
    assert not held.exists("held://data/a_b/2.parquet")
    for call in (held.open, held.info, held.modified):
        said = refused(call, "data/other/0.parquet", error=FileNotFoundError)
        assert said == "held://data/other/0.parquet"
    for mode in ("wb", "r", "ab", "r+b"):
        said = refused(held.open, "data/a_b/0.parquet", mode, error=PermissionError)
        assert said == "held://data/a_b/0.parquet is read-only"


def test_a_pipe_in_the_place_of_a_file_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "a.parquet")
    held = HeldFiles()
    (name,) = held.hold("a", [tmp_path / "a.parquet"])
    before = len([*Path("/proc/self/fd").iterdir()])
    with pytest.raises(FileNotFoundError, match=r"^a\.parquet$") as told:
        held.open(name)
    assert len([*Path("/proc/self/fd").iterdir()]) == before
    assert told.tb is not None  # it is closed while the error still holds on to it


# a lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = tmp_path_factory.mktemp("lake")
    for n in (1, 2):
        tables.write(root / "mp-16", pa.table({"n": list(range(n))}))
    tables.write(root / "b_v1", pa.table({"n": [7]}))
    return root


def test_views_are_made_as_they_are_named(lake):
    with query.connect(lake) as con:

        def made():
            return [row[0] for row in con.duckdb.execute("SHOW TABLES").fetchall()]

        assert con.tables == ("b_v1", "mp_16")
        assert made() == []
        assert con.sql("SELECT count(*) FROM MP_16_V0").fetchall() == [(1,)]
        assert made() == ["mp_16_v0"]
        assert con.execute("SELECT count(*) FROM mp_16 WHERE n < ?", [5]).fetchall() == [(2,)]
        assert con.table("b_v1").fetchall() == con.query("FROM b_v1").fetchall() == [(7,)]
        assert con.view("b_v1_v0").fetchall() == [(7,)]
        assert con.tables == ("b_v1", "b_v1_v0", "mp_16", "mp_16_v0")
        for absent in ("mp_16_v2", "mp_16_v01", "mp_16_v", "c"):
            with pytest.raises(duckdb.Error, match=f"(?i){absent}"):
                con.sql(f"FROM {absent}").fetchall()
        with con.cursor() as other:
            assert other.sql("SELECT count(*) FROM mp_16_v1").fetchall() == [(2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW TABLES", "SELECT table_name FROM information_schema.tables",
        "SELECT view_name FROM duckdb_views() WHERE NOT internal",
        "SELECT name FROM sqlite_master", "SELECT relname FROM pg_class",
    ],
)  # fmt: skip
def test_a_statement_that_lists_tables_finds_them_all(lake, sql):
    with query.connect(lake) as con:
        names = {row[0] for row in con.sql(sql).fetchall()}
    assert {"b_v1", "mp_16"} <= names
    assert "mp_16_v0" not in names


def test_one_table_is_a_lake_too(lake):
    assert query.run("SELECT count(*) AS n FROM mp_16", lake=lake / "mp-16").to_pylist() == [
        {"n": 2}
    ]


# one query


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "found 0 statements; give one SELECT"),
        ("SELECT 1; SELECT 2", "found 2 statements; give one SELECT"),
        (
            "drop table x",
            "a DROP statement cannot be run here; give one SELECT, DESCRIBE or SUMMARIZE",
        ),
        (
            "-- a note\n/* and one more */ drop table x -- at its end",
            "a DROP statement cannot be run here; give one SELECT, DESCRIBE or SUMMARIZE",
        ),
        (
            "FROM read_csv('x')",
            "read_csv cannot be used here: a query reads the given tables and nothing else; name "
            "the tables in FROM",
        ),
        (
            "SELECT GetEnv('HOME')",
            "getenv cannot be used here: a query reads the given tables and nothing else",
        ),
        (
            "WITH t AS (COPY (SELECT 1) TO 'x.csv') FROM t",
            "COPY cannot be run inside a query here; give one SELECT that only reads",
        ),
    ],
)
def test_what_is_refused_is_told(sql, said):
    assert refused(query.run, sql).casefold() == said.casefold()


@pytest.mark.parametrize("code", [0xD800, 0xDCFF])
def test_half_a_letter_is_refused(code):
    """A byte of a command line that is no UTF-8 comes as one, and so does half a pair in JSON."""
    letter = chr(code)
    said = "character {} of the query is no text that can be written in UTF-8; write it anew"
    assert refused(query.run, f"SELECT '{letter}' AS a") == said.format(9)
    told = refused(query.true_rows, opened(word=["a"]), f"word = '{letter}'")
    assert re.fullmatch(said.format("[0-9]+"), told)
    assert query.run("SELECT 'ÿ\U0001f30d' AS a").to_pylist() == [{"a": "ÿ\U0001f30d"}]


@pytest.mark.parametrize("name", ["current_setting('x')", "getvariable('x')", "nextval('x')"])
def test_functions_that_tell_of_the_machine_are_refused(name):
    said = refused(query.run, f"SELECT {name}")
    assert said == (
        f"{name.partition('(')[0]} cannot be used here: a query reads the given tables and nothing "
        "else"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "FROM duckdb_columns() LIMIT 1", "FROM duckdb_functions() LIMIT 1",
        "FROM duckdb_keywords() LIMIT 1", "FROM duckdb_tables()", "FROM duckdb_types() LIMIT 1",
        "FROM duckdb_views() LIMIT 1", "FROM generate_series(1, 2)", "FROM range(2)",
        "FROM repeat(1, 2)", "FROM repeat_row(1, num_rows=2)", "FROM unnest([1, 2])",
        "FROM json_each('[1]')", "FROM json_tree('[1]')", "FROM pragma_version()",
        "FROM query_table('t')", "FROM histogram(t, n)",
        "FROM histogram_values(t, n)", "FROM pragma_table_info('t')",
        "SUMMARIZE t", "DESCRIBE t", "VALUES (1)", "SHOW TABLES",
        "WITH a AS (SELECT 1) FROM a UNION ALL FROM a",
        "WITH RECURSIVE a(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM a WHERE i < 3) FROM a",
    ],
)  # fmt: skip
def test_what_only_reads_is_run(sql):
    assert query.run(sql, files={"t": pa.table({"n": [1, 2]})}).num_columns


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_rows": -1}, "max_rows -1 must be 0 or more"),
        ({"max_rows": float("nan")}, "max_rows nan must be 0 or more"),
        ({"timeout_s": 0}, "timeout_s 0 must be above 0 seconds"),
        ({"timeout_s": float("nan")}, "timeout_s nan must be above 0 seconds"),
    ],
)
def test_limits_that_are_none_are_refused(options, said):
    assert refused(query.run, "SELECT 1", **options) == said


@pytest.mark.parametrize(("most", "found"), [(0, 0), (1, 1), (5, 5), (6, 5), (None, 5)])
def test_rows_are_as_many_as_asked_for(most, found):
    assert query.run("FROM range(5)", max_rows=most).num_rows == found


def test_an_answer_may_be_just_as_large_as_allowed():
    size = query.run("FROM range(5000)").nbytes
    assert size >= 40_000
    assert query.run("FROM range(5000)", max_bytes=size).num_rows == 5000
    said = refused(query.run, "FROM range(5000)", max_bytes=size - 1, error=QueryLimitError)
    assert said == (
        f"the answer is larger than {size - 1:,} bytes; ask for fewer rows or columns, raise "
        "max_bytes, or write it to a file (geodata sql -o)"
    )
    assert query.run("FROM range(5000)", max_bytes=None).num_rows == 5000


def test_rows_come_in_vectors_of_2048():
    with query.stream("FROM range(5000)") as answer:
        assert answer.schema.names == ["range"]
        assert [batch.num_rows for batch in answer.batches] == [2048, 2048, 904]


def test_a_label_in_sql_is_the_label_of_python():
    from geodata import cor

    at = pa.table({"lat": [48.8584, None, 0.0, 95.0], "lon": [2.2945, 1.0, -130.0, 0.0]})
    sql = "SELECT UNNEST(cor_label(lat, lon)) FROM t"
    assert re.sub(r"\s", "", str(query.run(sql, files={"t": at}).column_names)) == (
        "['country','country_code','admin1','admin1_code','admin2','city','city_distance_km',"
        "'match','offset_km']"
    )
    expected = cor.label_table(at).select(query.run(sql, files={"t": at}).column_names)
    assert query.run(sql, files={"t": at}).to_pylist() == expected.to_pylist()
