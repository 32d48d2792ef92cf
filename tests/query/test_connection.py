import http.server
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import query as connection
from geodata.files import FileError
from geodata.query import objects
from geodata.tables.errors import TableError


@pytest.fixture
def preds(tmp_path):
    path = tmp_path / "given" / "preds.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"id": ["a", "b", "c"], "km": [1.0, 30.0, float("nan")]}), path)
    return path


def test_files_become_views_named_by_their_stem(preds, tmp_path):
    csv = tmp_path / "given" / "2026 truth-1.csv"
    csv.write_text("id,lat,lon,score,empty\n007,1.5,2,1e3,\n1e3,-0.5,3,x,\n")
    jsonl = tmp_path / "given" / "rows.jsonl"
    jsonl.write_text('{"id": "a", "n": 1}\n{"id": "b", "n": null}\n')
    with connection.connect(files=[preds, csv, jsonl]) as con:
        assert con.sql("SELECT id FROM preds").fetchall() == [("a",), ("b",), ("c",)]
        rows = con.sql("FROM t_2026_truth_1").fetchall()
        assert rows == [("007", 1.5, 2.0, "1e3", None), ("1e3", -0.5, 3.0, "x", None)]
        assert con.sql("SELECT sum(n) FROM rows").fetchall() == [(1,)]


def test_nan_reads_as_null(preds):
    """DuckDB 2.0 counts a NaN in Parquet as below a threshold: 3 of 3 instead of 2 of 3."""
    sql = "SELECT count(*) AS n, count(km) AS k, count_if(km <= 1000) AS near, max(km) AS m FROM p"
    expected = [{"n": 3, "k": 2, "near": 2, "m": 30.0}]
    assert connection.run(sql, files={"p": preds}).to_pylist() == expected
    assert connection.run(sql, files={"p": pq.read_table(preds)}).to_pylist() == expected


@pytest.mark.parametrize("name", ['x"; DROP TABLE y; --', "a b", "select", "пред", "a'b", "[x]*?"])
def test_any_name_is_only_a_name(preds, name, tmp_path):
    """R9: names of views and of files are data."""
    quoted = '"' + name.replace('"', '""') + '"'
    assert (
        connection.run(f"SELECT count(*) AS n FROM {quoted}", files={name: preds})[0][0].as_py()
        == 3
    )
    odd = tmp_path / f"{name.replace('/', '_')}.parquet"
    pq.write_table(pa.table({"v": [42]}), odd)
    (tmp_path / "x.parquet").write_bytes(b"not this one")
    found = connection.run(f'SELECT v FROM "{connection.view_name(odd)}"', files=[odd])
    assert found.to_pylist() == [{"v": 42}]


def test_two_files_of_one_name_are_refused(preds, tmp_path):
    other = tmp_path / "preds.parquet"
    other.write_bytes(preds.read_bytes())
    with pytest.raises(ValueError, match="would both be the table 'preds'; name them"):
        connection.connect(files=[preds, other])
    with pytest.raises(ValueError, match="DuckDB ignores case"):
        connection.connect(files={"a": preds, "A": other})
    with pytest.raises(ValueError, match="not a non-empty text"):
        connection.connect(files={"": preds})


def test_unreadable_files_say_what_was_found(tmp_path):
    with pytest.raises(FileError, match="found nothing there"):
        connection.connect(files=[tmp_path / "none.parquet"])
    with pytest.raises(TableError, match="a lake is a folder of tables"):
        connection.connect(tmp_path / "none")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(FileError, match="cannot be read as parquet"):
        connection.connect(files=[broken])


def test_every_version_of_a_table_is_a_view(tmp_path):
    from deltalake import DeltaTable, write_deltalake

    lake = tmp_path / "a lake"
    photos = str(lake / "photos")
    write_deltalake(photos, pa.table({"id": ["a"], "x": [1.0]}))
    write_deltalake(photos, pa.table({"id": ["b"], "x": [2.0]}), mode="append")
    write_deltalake(photos, pa.table({"id": ["c"], "y": [3]}), mode="append", schema_mode="merge")
    DeltaTable.create(str(lake / "empty"), pa.schema([("a", pa.string())]))
    (lake / "notes.txt").write_text("not a table")
    with connection.connect(lake) as con:
        assert con.sql("FROM photos_v0").fetchall() == [("a", 1.0)]
        assert con.sql("SELECT id FROM photos_v1 ORDER BY id").fetchall() == [("a",), ("b",)]
        rows = con.sql("FROM photos ORDER BY id").fetchall()
        assert rows == [("a", 1.0, None), ("b", 2.0, None), ("c", None, 3)]
        assert con.sql("FROM empty").fetchall() == []
    one = connection.run("SELECT count(*) AS n FROM photos", lake=lake / "photos")
    assert one.to_pylist() == [{"n": 3}]
    write_deltalake(str(lake / "parts"), pa.table({"p": ["u"], "n": [1]}), partition_by=["p"])
    with pytest.raises(TableError, match="partitions"):
        connection.connect(lake)


def test_settings_are_taken(preds):
    with connection.connect(files=[preds], memory_limit="200MB", threads=1) as con:
        sql = "SELECT current_setting('threads'), current_setting('memory_limit')"
        assert con.sql(sql).fetchall() == [(1, "190.7 MiB")]


def test_work_larger_than_memory_spills_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with connection.connect(memory_limit="60MB", threads=1) as con:
        sql = "SELECT count(*) FROM (SELECT DISTINCT hash(i) AS h FROM range(4_000_000) t(i))"
        assert con.sql(sql).fetchall() == [(4_000_000,)]
    assert list(tmp_path.iterdir()) == []


def test_sql_lies_beside_the_package_or_in_it():
    folder = connection.sql_folder()
    assert {p.name for p in folder.iterdir()} >= set(connection.SQL_FOLDERS)


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        (["geodata/sql", "sql"], "geodata/sql"), (["sql"], "sql"), (["../sql"], None),
        (["geodata/query/sql"], None), ([], None),
    ],
)  # fmt: skip
def test_sql_is_looked_for_in_the_package_then_beside_it(tmp_path, folders, found):
    """The module's own text in another place: a wheel, a checkout, and what is neither."""
    root = tmp_path / "site"
    copy = root / "geodata" / "query" / "objects.py"
    copy.parent.mkdir(parents=True)
    shutil.copy(objects.__file__, copy)
    for folder in folders:
        (root / folder / "macros").mkdir(parents=True)
    (root / "geodata" / "sql").mkdir(exist_ok=True)
    spec = importlib.util.spec_from_file_location("objects_elsewhere", copy)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if found is None:
        with pytest.raises(FileNotFoundError, match=r"no sql folder in .*geodata or beside it"):
            module.sql_folder()
    else:
        assert module.sql_folder() == root / found


def test_the_wheel_carries_the_sql_inside_the_package(tmp_path):
    pytest.importorskip("build")
    root = Path(connection.__file__).parents[2]
    if not (root / "pyproject.toml").is_file():
        pytest.skip("this is an installed georl, not a checkout that can be built")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path]
    built = subprocess.run([*command, root], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    code = "from geodata import query; print(query.sql_folder()); print(query.run('SELECT 1'))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.splitlines()[0] == str(tmp_path / "site" / "geodata" / "sql")
    here = {p.relative_to(connection.sql_folder()) for p in connection.sql_folder().rglob("*.sql")}
    inside = tmp_path / "site" / "geodata" / "sql"
    assert {p.relative_to(inside) for p in inside.rglob("*.sql")} == here


SECRET = "the-secret-word"

ESCAPES = """
FROM '{secret}'
FROM "{secret}"
FROM read_csv('{secret}')
FROM read_csv_auto('{folder}/*.csv')
FROM read_text('{secret}')
FROM read_blob('{secret}')
FROM read_json('{secret}')
FROM read_parquet('{other}')
FROM parquet_scan('{other}')
FROM parquet_metadata('{other}')
FROM parquet_schema('{other}')
FROM sniff_csv('{secret}')
FROM glob('{folder}/*')
FROM glob('/etc/*')
FROM read_text('/etc/passwd')
FROM read_text('/proc/self/environ')
FROM read_csv('/dev/stdin')
FROM query('SELECT * FROM read_text(''{secret}'')')
FROM query_table('{secret}')
FROM query_table(['{other}'])
FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{secret}'')'))
SELECT (SELECT content FROM read_text('{secret}'))
SELECT getenv('HOME')
WITH t AS MATERIALIZED (FROM read_text('{secret}')) FROM t
FROM read_text('file://{secret}')
FROM read_text('{folder}/../outside/secret.csv')
FROM read_csv('http://127.0.0.1:{port}/x.csv')
FROM 'http://127.0.0.1:{port}/x.parquet'
FROM 's3://bucket/x.parquet'
FROM read_parquet('hf://datasets/x/y.parquet')
COPY (SELECT 1) TO '{folder}/out.csv'
COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)
COPY (SELECT 1) TO '{given}' (FORMAT parquet, USE_TMP_FILE false)
COPY (SELECT 1) TO 'http://127.0.0.1:{port}/out.csv'
COPY preds FROM '{secret}'
EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/out2.csv'
CREATE TABLE t AS FROM read_text('{secret}')
CREATE VIEW v AS FROM read_text('{secret}')
CREATE MACRO m(p) AS TABLE FROM read_text(p); FROM m('{secret}')
PREPARE p AS COPY (SELECT 1) TO '{folder}/out3.csv'; EXECUTE p
ATTACH '{folder}/new.db'
ATTACH '{folder}/new.db' AS d (TYPE sqlite)
ATTACH 'http://127.0.0.1:{port}/d.db'
EXPORT DATABASE '{folder}/exported'
IMPORT DATABASE '{folder}'
INSTALL httpfs
INSTALL spatial FROM 'http://127.0.0.1:{port}'
FORCE INSTALL httpfs FROM community
LOAD httpfs
LOAD '{folder}/evil.duckdb_extension'
UPDATE EXTENSIONS
SET enable_external_access = true
SET lock_configuration = false
RESET enable_external_access
SET allowed_directories = ['/']
SET temp_directory = '{folder}/spill'
SET home_directory = '{folder}'
SET file_search_path = '{folder}'
SET extension_directory = '{folder}'
SET profiling_output = '{folder}/profile.json'
PRAGMA enable_profiling = 'json'; PRAGMA profiling_output = '{folder}/p.json'; SELECT 1
PRAGMA temp_directory = '{folder}/spill'
CALL enable_logging(storage = 'file', storage_path = '{folder}/log')
CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')
CREATE SECRET s (TYPE s3, PROVIDER credential_chain)
SELECT 1; FROM read_text('{secret}')
SELECT 1; COPY (SELECT 1) TO '{folder}/out4.csv'
FROM hidden_frame
""".strip().splitlines()


class Outside:
    """A folder nobody gave, a file in it, and a server that nobody may call."""

    def __init__(self, root, given):
        self.folder = root / "outside"
        self.folder.mkdir()
        self.secret = self.folder / "secret.csv"
        self.secret.write_text(f"word\n{SECRET}\n")
        self.other = self.folder / "other.parquet"
        pq.write_table(pa.table({"word": [SECRET]}), self.other)
        self.given = given
        self.calls = []
        calls = self.calls

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                calls.append(self.path)
                self.send_error(404)

            do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815

            def log_message(self, *args):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def state(self):
        home = Path.home() / ".duckdb"
        paths = [*self.folder.rglob("*"), *self.given.parent.rglob("*"), *home.rglob("*")]
        return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in paths}

    def text(self, sql):
        return sql.format(
            secret=self.secret,
            folder=self.folder,
            other=self.other,
            given=self.given,
            port=self.server.server_port,
        )


@pytest.fixture
def outside(tmp_path, preds):
    place = Outside(tmp_path, preds)
    yield place
    place.server.shutdown()
    place.server.server_close()


def test_escapes_touch_nothing(outside, preds, monkeypatch, tmp_path):
    """R9: 60 and more attempts through `run`: no file read or written, no socket opened."""
    monkeypatch.chdir(outside.folder)
    hidden_frame = pa.table({"word": [SECRET]})  # a Python variable is not a table either
    assert len(ESCAPES) >= 60
    before = outside.state()
    for sql in ESCAPES:
        try:
            found = str(connection.run(outside.text(sql), files={"preds": preds}).to_pylist())
        except connection.QueryError as error:
            found = str(error).replace(outside.text(sql), "")
        assert SECRET not in found, sql
        assert "root:" not in found, sql
        assert "PATH=" not in found, sql
    assert outside.state() == before
    assert outside.calls == []
    assert hidden_frame.num_rows == 1


def test_escapes_touch_nothing_on_a_locked_connection(outside, preds, tmp_path):
    """R9: the same attempts past the one-query rule, on the connection itself."""
    import duckdb

    before = outside.state()
    with connection.connect(files={"preds": preds}) as con:
        con.execute("CREATE TABLE mine AS FROM preds")
        for sql in ESCAPES:
            if "enable_logging" in sql and duckdb.__version__.startswith("1."):
                continue  # DuckDB 1.5 takes the call and then fails every later statement
            try:
                found = str(con.execute(outside.text(sql)).fetchall())
            except duckdb.Error as error:
                found = str(error).replace(outside.text(sql), "")
            assert SECRET not in found, sql
        assert con.sql("SELECT count(*) FROM mine").fetchall() == [(3,)]
    assert outside.state() == before
    assert outside.calls == []


def test_a_lake_is_not_written_through_run(tmp_path, outside):
    """R9: not even the files that the views read."""
    from deltalake import write_deltalake

    lake = tmp_path / "lake"
    write_deltalake(str(lake / "photos"), pa.table({"id": ["a"]}))
    data = next((lake / "photos").glob("*.parquet"))
    before = data.read_bytes()
    for sql in (
        f"COPY (SELECT 1) TO '{data}' (FORMAT parquet, USE_TMP_FILE false)",
        f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{data}' (FORMAT parquet, USE_TMP_FILE false)",
    ):
        with pytest.raises(connection.QueryError, match="statement cannot be run here"):
            connection.run(sql, lake=lake)
    with pytest.raises(connection.QueryError):
        connection.run(
            f"FROM read_text('{lake}/photos/_delta_log/00000000000000000000.json')", lake=lake
        )
    assert data.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "found 0 statements"),
        ("-- nothing", "found 0 statements"),
        ("SELECT 1; SELECT 2", "found 2 statements"),
        ("CREATE TABLE t (a INT)", "a CREATE statement cannot be run here"),
        ("UPDATE EXTENSIONS", "a UPDATE statement cannot be run here"),  # a kind without a name
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM nothing", "the tables are: .*preds"),
    ],
)
def test_run_takes_one_query(preds, sql, message):
    with pytest.raises(connection.QueryError, match=message):
        connection.run(sql, files=[preds])


@pytest.mark.parametrize("sql", ["DESCRIBE preds", "SUMMARIZE preds", "SHOW TABLES", "VALUES (1)"])
def test_run_takes_every_kind_of_query(preds, sql):
    assert connection.run(sql, files=[preds]).num_rows >= 1


def test_the_environment_is_left_alone(preds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    connection.run("SELECT 1", files=[preds])
    assert dict(os.environ) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["given"]
