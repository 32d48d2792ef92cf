"""SQL cannot write: 300 generated statements that would, by `run` and on a locked connection."""

import os
import random
import time

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import query, tables
from geodata.query.held_files import FOLDER

VERBS = [
    "COPY (SELECT 1 AS a) TO '{target}' (FORMAT {format}, USE_TMP_FILE false)",
    "COPY (SELECT 1 AS a) TO '{target}' (FORMAT {format})",
    "COPY photos TO '{target}' (FORMAT {format})",
    "COPY (SELECT 1 AS a, 2 AS b) TO '{folder}' (FORMAT {format}, PARTITION_BY (b), OVERWRITE)",
    "INSERT INTO photos VALUES ('x', 0, 0) RETURNING *",
    "UPDATE photos SET photo_id = 'x' RETURNING *",
    "DELETE FROM photos RETURNING *",
    "MERGE INTO photos USING (SELECT 1) ON true WHEN MATCHED THEN DELETE RETURNING *",
]
"""What can stand in a WITH as well as alone."""
ALONE = [
    "ATTACH '{folder}/new.db' AS d",
    "ATTACH '{target}' AS d",
    "EXPORT DATABASE '{folder}/out'",
    "EXPORT DATABASE '{folder}/out' (FORMAT {format})",
    "IMPORT DATABASE '{folder}'",
    "CREATE TABLE d.t AS SELECT 1",
    "CREATE SECRET (TYPE s3)",
    "CREATE PERSISTENT SECRET (TYPE s3)",
    "INSTALL httpfs",
    "LOAD '{target}'",
    "SET enable_external_access = true",
    "SET allowed_paths = ['{target}']",
    "SET temp_directory = '{folder}/spill'",
    "RESET lock_configuration",
    "PRAGMA enable_profiling = 'json'; PRAGMA profiling_output = '{folder}/p.json'; SELECT 1",
    "PRAGMA import_database('{folder}')",
    "CALL enable_logging(storage = 'file', storage_path = '{folder}/log')",
    "CALL create_external_resource('{folder}/r')",
    "CHECKPOINT",
    "VACUUM",
    "USE d",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{target}' (FORMAT {format})",
    "PREPARE p AS COPY (SELECT 1) TO '{target}'; EXECUTE p",
    "BEGIN; COPY (SELECT 1) TO '{target}'; COMMIT",
    "DROP VIEW photos",
    "ALTER VIEW photos RENAME TO x",
]
FUNCTIONS = [
    "read_parquet('{target}')",
    "read_csv('{secret}')",
    "read_text('{secret}')",
    "read_blob('{target}')",
    "read_json_auto('{secret}')",
    "read_duckdb('{target}')",
    "parquet_metadata('{target}')",
    "sniff_csv('{secret}')",
    "glob('{folder}/*')",
    "query('FROM read_text(''{secret}'')')",
    "query('WITH t AS (COPY (SELECT 1) TO ''{target}'') FROM t')",
    "json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{secret}'')'))",
    "duckdb_settings()",
    "duckdb_secrets()",
    "duckdb_temporary_files()",
    "duckdb_logs()",
    "force_checkpoint()",
    "enable_logging()",
    "truncate_duckdb_logs()",
    "arrow_scan(1, 2, 3)",
    "held_scan('{target}')",
]
"""What stands behind FROM."""
SCALARS = ["getenv('HOME')", "current_setting('temp_directory')", "write_log('x')"]

WRAPS = [
    "WITH t AS ({0}) SELECT * FROM t",
    "WITH t AS MATERIALIZED ({0}) FROM t",
    "WITH t AS NOT MATERIALIZED ({0}) SELECT count(*) FROM t, t AS u",
    "WITH a AS (SELECT 1), b AS ({0}) SELECT * FROM a, b",
    "WITH a AS (WITH b AS ({0}) FROM b) FROM a",
    "WITH RECURSIVE a(i) AS (SELECT 1 UNION ALL SELECT 2 FROM a WHERE i < 2), b AS ({0}) FROM b",
    "SELECT * FROM (WITH t AS ({0}) SELECT * FROM t)",
    "SELECT (WITH t AS ({0}) SELECT count(*) FROM t)",
    "SELECT 1 WHERE EXISTS (WITH t AS ({0}) FROM t)",
    "SELECT 1 UNION ALL (WITH t AS ({0}) SELECT 1 FROM t)",
    "SELECT [(WITH t AS ({0}) SELECT count(*) FROM t)] AS x",
    "FROM range(2) r(i), LATERAL (WITH t AS ({0}) SELECT i FROM t)",
    "SELECT i FROM range(3) r(i) ORDER BY (WITH t AS ({0}) SELECT count(*) FROM t)",
    "VALUES ((WITH t AS ({0}) SELECT count(*) FROM t))",
    "SELECT * FROM photos WHERE lat IN (WITH t AS ({0}) SELECT 1 FROM t)",
    "DESCRIBE WITH t AS ({0}) FROM t",
    "SUMMARIZE WITH t AS ({0}) FROM t",
    "SELECT 1; WITH t AS ({0}) FROM t",
    "{0}",
]


def disguised(text, rng):
    """Write a statement with other letters, comments and blanks outside its quotes."""
    parts = text.split("'")
    for i in range(0, len(parts), 2):
        words = parts[i].split(" ")
        if rng.random() < 0.5:
            words = [w.upper() if rng.random() < 0.5 else w.lower() for w in words]
        blanks = [" ", "  ", "\n", "\t", " /* ; */ ", " -- x\n", " /* COPY */ "]
        parts[i] = "".join(w + rng.choice(blanks if rng.random() < 0.3 else [" "]) for w in words)
    return "'".join(parts)


def variants(places, count=300):
    rng = random.Random(10)
    for _ in range(count):
        kind = rng.random()
        if kind < 0.6:
            text = rng.choice(WRAPS).format(rng.choice(VERBS))
        elif kind < 0.75:
            text = rng.choice(ALONE)
        elif kind < 0.95:
            text = rng.choice(WRAPS).format(f"SELECT * FROM {rng.choice(FUNCTIONS)}")
        else:
            text = f"SELECT {rng.choice(SCALARS)}"
        target = rng.choice([places["data"], places["secret"], places["new"], places["held"]])
        form = rng.choice(["parquet", "csv", "json"])
        text = text.replace("{format}", form).replace("{target}", str(target))
        text = text.replace("{secret}", str(places["secret"]))
        yield disguised(text.replace("{folder}", str(places["folder"])), rng)


@pytest.fixture
def places(tmp_path):
    lake, folder = tmp_path / "lake", tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.csv").write_text("word\nthe-secret-word\n")
    rows = {"photo_id": ["a", "b"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    tables.append(lake / "photos", pa.table(rows))
    return {
        "root": tmp_path,
        "lake": lake,
        "data": tables.open(lake / "photos").files[0],
        "secret": folder / "secret.csv",
        "folder": folder,
        "new": folder / "new.out",
        "held": f"{FOLDER}photos/0.parquet",
    }


def state(places):
    return {p: p.read_bytes() for p in sorted(places["root"].rglob("*")) if p.is_file()}


def test_no_variant_is_run(places):
    before, found = state(places), list(variants(places))
    assert len(set(found)) > 280
    for sql in found:
        with pytest.raises(query.QueryError) as raised:
            query.run(sql, files={"photos": pa.table({"lat": [1.0]})})
        told = str(raised.value).replace(str(sql), "")
        assert "the-secret-word" not in told, sql
    assert state(places) == before


def test_no_variant_writes_or_reads_on_a_locked_connection(places):
    """The lock alone, without the check of statements: what it lets run touches no file."""
    before = state(places)
    with query.connect(places["lake"]) as con:
        for sql in variants(places):
            try:
                found = str(con.execute(sql).fetchall())
            except duckdb.Error as error:
                found = str(error).replace(sql, "")
            assert "the-secret-word" not in found, sql
            assert state(places) == before, sql
            con.execute("ROLLBACK") if "BEGIN" in sql.upper() else None
        con.execute("CREATE OR REPLACE VIEW photos AS SELECT 1")  # its own catalogue is its own
    assert tables.verify(places["lake"] / "photos").ok


def test_the_example_of_the_attack(places):
    """A COPY inside a WITH is a SELECT for DuckDB; it replaced a file of the lake."""
    data = places["data"]
    sql = f"WITH t AS (COPY (SELECT 1) TO '{data}' (FORMAT parquet, USE_TMP_FILE false)) FROM t"
    assert duckdb.extract_statements(sql)[0].type == duckdb.StatementType.SELECT
    before = data.read_bytes()
    with pytest.raises(query.QueryError, match="COPY cannot be run inside a query here"):
        query.run(sql, lake=places["lake"])
    with query.connect(places["lake"]) as con:
        for name in (str(data), places["held"], f"{FOLDER}photos/new.parquet"):
            with pytest.raises(duckdb.Error, match=r"disabled by configuration|read-only"):
                con.execute(sql.replace(str(data), name)).fetchall()
    assert data.read_bytes() == before


def test_what_is_judged_is_not_what_stands_in_quotes():
    words = "COPY INSERT read_csv('x') getenv"
    quoted = words.replace("'", "''")
    found = query.run(f"SELECT '{quoted}' AS \"COPY (SELECT 1) TO\" -- COPY x TO 'y'")
    assert found.to_pylist() == [{"COPY (SELECT 1) TO": words}]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 5) FROM t",
        "FROM query_table('photos') UNION ALL BY NAME FROM photos EXCEPT FROM photos WHERE false",
        "SELECT *, row_number() OVER () FROM photos, LATERAL (SELECT lat + 1), unnest([1, 2])",
        "FROM generate_series(1, 3) INTERSECT FROM range(2)",
        "FROM (PIVOT photos ON photo_id IN ('a') USING count(*))",
        "FROM (UNPIVOT photos ON lat, lon)",
        "SELECT key FROM json_each('{\"a\": 1}')",
        "FROM threshold_accuracy('scored')",
        "FROM histogram('photos', lat)",
        "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()",
        "SELECT table_name FROM information_schema.tables",
        "SHOW ALL TABLES",
        "FROM photos TABLESAMPLE 100%",
        "SELECT lat FROM photos QUALIFY row_number() OVER (ORDER BY lat) = 1",
        "FROM photos a ASOF JOIN photos b ON a.lat >= b.lat",
    ],
)
def test_queries_that_only_read_are_run(sql):
    photos = pa.table({"photo_id": ["a", "b"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]})
    scored = photos.append_column("pred_lat", photos["lat"]).append_column(
        "pred_lon", photos["lon"]
    )
    assert query.run(sql, files={"photos": photos, "scored": scored}).num_rows >= 1


def test_no_path_of_the_machine_is_readable(places):
    listing = places["root"] / "given.parquet"
    pq.write_table(pa.table({"v": [1]}), listing)
    with query.connect(places["lake"], files=[listing]) as con:
        con.sql("FROM photos").fetchall()
        views = str(con.sql("SELECT * FROM duckdb_views() WHERE NOT internal").fetchall())
        settings = str(con.sql("FROM duckdb_settings()").fetchall())
        assert "photos" in views
        assert "given" in views
        assert str(places["root"]) not in views + settings
        with pytest.raises(duckdb.Error) as raised:
            con.sql("SELECT nothing FROM photos").fetchall()
        assert str(places["root"]) not in str(raised.value)


def test_a_name_of_a_held_file_gives_the_file_to_readers_only(places):
    with query.connect(places["lake"]) as con:
        con.sql("FROM photos").fetchall()
        assert con.sql(f"FROM '{places['held']}'").fetchall() == con.sql("FROM photos").fetchall()
        with pytest.raises(duckdb.Error):
            con.sql(f"FROM '{FOLDER}photos/../../secret.csv'").fetchall()
        assert con.sql(f"FROM read_text('{FOLDER}*')").fetchall() == []


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(places):
    with query.connect(places["lake"]) as con:
        con.sql("FROM photos").fetchall()
        places["data"].unlink()
        os.mkfifo(places["data"])
        begun = time.monotonic()
        with pytest.raises(duckdb.Error):
            con.sql("SELECT * FROM photos").fetchall()
        assert time.monotonic() - begun < 60


def test_what_was_spilled_goes_with_the_connection(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with query.connect(memory_limit="60MB", threads=1) as con:
        con.sql(
            "SELECT count(*) FROM (SELECT DISTINCT hash(i) FROM range(4_000_000) t(i))"
        ).fetchall()
        (spill,) = tmp_path.iterdir()
        (spill / "left").write_text("x")
    assert list(tmp_path.iterdir()) == []
