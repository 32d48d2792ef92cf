"""What a connection is set to, what it passes on, and how DuckDB's errors are told."""

import tempfile
from pathlib import Path
from typing import ClassVar

import duckdb
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from geodata import query
from geodata.files import FileError
from geodata.query.clock import Clock
from geodata.query.connection import Connection
from geodata.query.errors import QueryError, QueryLimitError
from geodata.query.mishaps import plain, telling
from geodata.query.statements import only_query

ALWAYS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "enable_progress_bar": "true",
    "enable_progress_bar_print": "false",
    "progress_bar_time": "0",
    "python_enable_replacements": "false",
}
LOCKED = {
    "enable_external_access": ("true", "false"),
    "lock_configuration": ("false", "true"),
}


@pytest.mark.parametrize("locked", [True, False])
def test_settings_of_a_connection(locked):
    with query.connect(locked=locked) as con:
        rows = con.sql("SELECT name, value FROM duckdb_settings()").fetchall()
        spill = con.sql("SELECT current_setting('temp_directory')").fetchall()[0][0]
    found = {name: str(value).replace("'", "") for name, value in rows}
    wanted = ALWAYS | {name: both[locked] for name, both in LOCKED.items()}
    assert {name: found[name] for name in wanted} == wanted
    own = found["allowed_directories"].strip("[]").split(", ")
    assert ("held://data/" in own) is locked
    assert {folder for folder in own if folder} <= {"held://data/", f"{spill}/"}
    assert Path(spill).parent == Path(tempfile.gettempdir())
    assert Path(spill).name.startswith("geodata-")
    with query.connect() as other:
        assert other.sql("SELECT current_setting('temp_directory')").fetchall()[0][0] != spill


def test_an_open_connection_reads_files_of_ones_own(tmp_path):
    (tmp_path / "it's.csv").write_text("a\n1\n")
    with query.connect(locked=False) as con:
        assert con.sql("FROM read_csv(?)", params=[str(tmp_path / "it's.csv")]).fetchall() == [(1,)]
        con.execute("SET threads = 1")


def test_a_folder_with_a_quote_in_its_name_is_a_folder(tmp_path, monkeypatch):
    folder = tmp_path / "it's"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with query.connect(memory_limit="100MB", threads=2) as con:
        found = con.sql("SELECT current_setting('temp_directory')").fetchall()[0][0]
        assert Path(found).parent == folder
        assert con.sql("SELECT current_setting('threads')").fetchall() == [(2,)]
        assert con.sql("SELECT current_setting('memory_limit')").fetchall() == [("95.3 MiB",)]


def test_without_options_threads_and_memory_are_those_of_duckdb():
    names = "SELECT current_setting('threads'), current_setting('memory_limit')"
    with query.connect() as con, duckdb.connect() as own:
        assert con.sql(names).fetchall() == own.sql(names).fetchall()


def test_tables_are_the_views_that_there_are_without_what_holds_them(tmp_path):
    with query.connect(files={"b": pa.table({"x": [1]}), "a": pa.table({"x": [2]})}) as con:
        assert con.tables == ("a", "b")
        con.execute("CREATE TABLE mine AS SELECT 1 AS y")
        con.execute("CREATE TABLE __hidden AS SELECT 1 AS y")
        assert con.tables == ("a", "b", "mine")
        assert con.cursor().tables == ("a", "b", "mine")
        assert con.cursor().sql("FROM mine").fetchall() == [(1,)]
    with query.connect() as con:
        assert con.tables == ()


def test_a_statement_may_be_one_that_duckdb_parsed():
    (statement,) = duckdb.extract_statements("SELECT ? + 1")
    with query.connect() as con:
        assert con.execute(statement, [2]).fetchall() == con.query("SELECT 3").fetchall() == [(3,)]


def test_everything_of_the_connection_itself_is_there():
    con = query.connect()
    assert con.description == con.duckdb.description
    assert con.register("t", pa.table({"x": [1]})) is con.duckdb
    assert con.sql("FROM t").fetchall() == [(1,)]
    with pytest.raises(AttributeError, match="nothing"):
        con.nothing()
    con.close()
    with pytest.raises(duckdb.Error, match="closed"):
        con.sql("SELECT 1")
    con.close()
    with pytest.raises(AttributeError, match="duckdb"):
        _ = Connection.__new__(Connection).duckdb


def test_a_connection_that_is_left_or_forgotten_removes_what_it_spilled(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for leave in (lambda con: con.close(), lambda con: con.__exit__(None, None, None)):
        con = query.connect()
        spill = Path(con.sql("SELECT current_setting('temp_directory')").fetchall()[0][0])
        spill.mkdir(exist_ok=True)
        (spill / "left").write_text("x")
        cursor = con.cursor()
        cursor.close()
        assert spill.exists()
        leave(con)
        assert not spill.exists()
    con = query.connect()
    spill = Path(con.sql("SELECT current_setting('temp_directory')").fetchall()[0][0])
    spill.mkdir(exist_ok=True)
    del con
    assert not spill.exists()


def test_what_goes_wrong_while_it_is_opened_closes_it(tmp_path):
    open_files = Path("/proc/self/fd")
    before = len([*open_files.iterdir()]) if open_files.is_dir() else 0
    for _ in range(5):
        with pytest.raises(FileError, match="found nothing there") as told:
            query.connect(files=[tmp_path / "none.parquet"])
    if before:
        assert len([*open_files.iterdir()]) <= before + 1
    (left,) = (one.locals["con"] for one in told.traceback if one.name == "connect")
    with pytest.raises(duckdb.ConnectionException, match="closed"):
        left.execute("SELECT 1")


# how errors are told


@pytest.mark.parametrize(
    ("message", "tables", "told"),
    [
        ("Oops", [], "Oops\nthe tables are: (none)"),
        ("Oops  \n", ["b", "a"], "Oops\nthe tables are: b, a"),
        (
            'Catalog Error: Table with name Foto does not exist!\nDid you mean "pg_x"?\nLINE 1: x',
            ["fotos", "b"],
            "Catalog Error: Table with name Foto does not exist!\nLINE 1: x\n"
            "did you mean fotos? the tables are: fotos, b",
        ),
        (
            'View with name "FOTO" does not exist! Did you mean "x"?',
            ["foto"],
            'View with name "FOTO" does not exist!\ndid you mean foto? the tables are: foto',
        ),
        (
            "Table with name xyz does not exist",
            ["foto"],
            "Table with name xyz does not exist\nthe tables are: foto",
        ),
        (
            'Column "a" not found\nDid you mean "b"?',
            ["t"],
            'Column "a" not found\nDid you mean "b"?\nthe tables are: t',
        ),
        (
            "held://data/photos_v1/0.parquet is bad, held://data/x-y/1.parquet too",
            ["t"],
            "a file of the table is bad, a file of the table too\nthe tables are: t",
        ),
        ("Bad\n\nStack Trace:\n\na\nb", ["t"], "Bad\nthe tables are: t"),
        ("Bad\nThis error signals an assertion\nmore", ["t"], "Bad\nthe tables are: t"),
        ("Bad\nFor more information, see x", ["t"], "Bad\nthe tables are: t"),
    ],
)
def test_what_duckdb_says_without_what_only_its_authors_need(message, tables, told):
    assert plain(message, tables) == told


@pytest.mark.parametrize(
    ("error", "limit", "told"),
    [
        (MemoryError(), "1GB", "needs more memory than 1GB (out of memory); ask for less, or"),
        (MemoryError("no room\nat all"), None, "needs more memory than there is (no room); ask"),
        (duckdb.OutOfMemoryException("full"), "5MB", "needs more memory than 5MB (full); ask"),
        (OSError("Out of Memory Error: x"), "5MB", "more memory than 5MB (Out of Memory Error: x)"),
        (pa.ArrowInvalid("Out of Memory"), "5MB", "needs more memory than 5MB (Out of Memory);"),
    ],
)
def test_memory_that_is_gone_is_a_limit(error, limit, told):
    with query.connect() as con:
        with pytest.raises(QueryLimitError) as raised, telling(con, Clock(con, None), limit):
            raise error
        assert told in str(raised.value)
        assert str(raised.value).endswith("allow more: memory_limit=, --memory")
        assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", [duckdb.Error("a"), pa.ArrowInvalid("a"), OSError("a")])
def test_other_errors_are_told_with_the_tables_and_time_goes_first(error):
    with query.connect(files={"t": pa.table({"x": [1]})}) as con:
        with pytest.raises(QueryError) as raised, telling(con, Clock(con, None), None):
            raise error
        assert str(raised.value) == "a\nthe tables are: t"
        assert type(raised.value) is QueryError
        over = Clock(con, 1e-9)
        with pytest.raises(QueryLimitError, match="ran longer than 1e-09"), telling(con, over, "x"):
            raise error
        with pytest.raises(KeyError), telling(con, Clock(con, None), None):
            raise KeyError(1)


def test_limits_that_hold_where_nothing_is_said():
    limits = query.run.__kwdefaults__
    assert limits["max_bytes"] == 1024**3
    assert (limits["timeout_s"], limits["memory_limit"]) == (60.0, "1GB")
    assert (limits["max_rows"], limits["threads"]) == (None, None)
    streamed = query.stream.__wrapped__.__kwdefaults__
    assert streamed == {name: value for name, value in limits.items() if name != "max_bytes"}


def test_sql_is_loaded_by_the_names_of_its_files():
    """A macro may use those before it: `within_km` uses `haversine_km`."""

    class Recorder:
        ran: ClassVar[list[str]] = []

        def execute(self, sql):
            self.ran.append(sql)

    query.load_sql(Recorder())
    paths = [sorted((query.sql_folder() / name).glob("*.sql")) for name in query.SQL_FOLDERS]
    assert Recorder.ran == [path.read_text() for folder in paths for path in folder]


def test_a_query_whose_parse_says_nothing_is_not_run():
    with query.connect() as con:
        con.execute("CREATE MACRO json_serialize_sql(sql) AS '{}'")
        with pytest.raises(QueryError, match=r"cannot be checked, so it is not run \(no parse\)"):
            only_query(con.duckdb, "SELECT 1")


def test_a_file_without_rows_keeps_the_types_of_its_columns(tmp_path):
    rows = pa.table({"n": pa.array([], pa.int16()), "lat": pa.array([], pa.float64())})
    feather.write_feather(rows, tmp_path / "a.feather")
    found = query.run("SELECT n, lat FROM a", files=[tmp_path / "a.feather"])
    assert found.schema.types == [pa.int16(), pa.float64()]


def test_files_of_one_folder_are_one_table_whatever_their_types_and_their_order(tmp_path):
    """The first file has whole numbers and the second has not; neither is cut to the other's."""
    folder = tmp_path / "n=7"
    folder.mkdir()
    pq.write_table(pa.table({"x": [1], "y": ["a"]}), folder / "a.parquet")
    pq.write_table(pa.table({"y": ["b"], "x": [2.5]}), folder / "b.parquet")
    found = query.run("FROM t ORDER BY x", files={"t": folder}).to_pylist()
    assert found == [{"x": 1.0, "y": "a"}, {"x": 2.5, "y": "b"}]
