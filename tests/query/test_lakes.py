"""Tables of a lake as views: their names, what is looked at when, what is told of lost files."""

import pyarrow as pa
import pytest

from geodata import query, tables
from geodata.tables.errors import TableError


def test_capital_letters_of_a_table_are_small_ones_in_sql(tmp_path):
    tables.write(tmp_path / "Photos-EU", pa.table({"n": [7]}))
    with query.connect(tmp_path) as con:
        assert con.tables == ("photos_eu",)
        assert con.sql("SELECT n FROM Photos_EU").fetchall() == [(7,)]
        assert con.sql("SELECT n FROM PHOTOS_eu_V0").fetchall() == [(7,)]


def test_the_folder_one_stands_in_is_called_by_its_name(tmp_path, monkeypatch):
    tables.write(tmp_path / "photos", pa.table({"n": [7]}))
    monkeypatch.chdir(tmp_path / "photos")
    assert query.run("FROM photos", lake=".").to_pylist() == [{"n": 7}]


def test_files_of_the_newest_version_are_looked_at_when_a_lake_is_opened(tmp_path):
    tables.write(tmp_path / "photos", pa.table({"n": [7]}))
    tables.open(tmp_path / "photos").files[0].unlink()
    with pytest.raises(TableError, match="version 0 cannot be opened"):
        query.connect(tmp_path)


def test_of_several_versions_that_are_lost_the_first_by_name_is_told(tmp_path):
    for n in range(6):
        tables.write(tmp_path / "photos", pa.table({"n": [n]}))
    for version in range(5):
        tables.open(tmp_path / "photos", version).files[0].unlink()
    with query.connect(tmp_path) as con:
        assert con.sql("FROM photos").fetchall() == [(5,)]
        for first in (0, 1, 2, 3):
            named = ", ".join(f"photos_v{version}" for version in range(4, first - 1, -1))
            with pytest.raises(TableError, match=f"version {first} cannot be opened"):
                con.sql(f"FROM {named}")


WAYS = {
    "sql": lambda con: con.sql("SELECT n FROM photos_v0").fetchall(),
    "query": lambda con: con.query("SELECT n FROM photos_v0").fetchall(),
    "execute": lambda con: con.execute("SELECT n FROM photos_v0").fetchall(),
    "table": lambda con: con.table("photos_v0").fetchall(),
    "view": lambda con: con.view("photos_v0").fetchall(),
    "sql of a cursor": lambda con: con.cursor().sql("SELECT n FROM photos_v0").fetchall(),
    "query of a cursor": lambda con: con.cursor().query("SELECT n FROM photos_v0").fetchall(),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whatever_names_a_view_first_makes_it(tmp_path, way):
    """On a connection of its own for each: what one has made, another would find."""
    tables.write(tmp_path / "photos", pa.table({"n": [7]}))
    tables.write(tmp_path / "photos", pa.table({"n": [8]}))
    with query.connect(tmp_path) as con:
        assert way(con) == [(7,)]


def test_two_names_that_are_one_in_sql_are_told_when_a_lake_is_opened(tmp_path):
    """Of tables of the lake, and of a table and a file given beside it."""
    tables.write(tmp_path / "mp-16", pa.table({"n": [7]}))
    file = {"MP_16": pa.table({"n": [1]})}
    with pytest.raises(ValueError, match="two tables would be named 'MP_16'; DuckDB ignores case"):
        query.connect(tmp_path, files=file)
    tables.write(tmp_path / "other", pa.table({"n": [8]}))
    (tmp_path / "other").rename(tmp_path / "mp_16")  # which `write` refuses
    with pytest.raises(ValueError, match="two tables would be named 'mp_16'; DuckDB ignores case"):
        query.connect(tmp_path)
    with query.connect(files=file) as con:
        assert con.sql("FROM mp_16").fetchall() == [(1,)]
