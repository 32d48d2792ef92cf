"""What a vacuum takes of what writers left, and how a version to keep is named."""

import os
import time

import pyarrow as pa
import pytest

from geodata import tables
from geodata.tables.log import reading


@pytest.fixture
def table(tmp_path):
    for n in range(4):
        tables.write(tmp_path / "lake" / "t", pa.table({"n": [n]}))
    return tmp_path / "lake" / "t"


@pytest.mark.parametrize(("age_h", "goes"), [(167.0, False), (169.0, True)])
def test_what_a_killed_writer_left_goes_once_it_is_old(table, age_h, goes):
    """A file that no commit names, and one that was half written; nothing else is touched."""
    left = [table / "part-x.parquet", table / ".part-y.parquet.z.part"]
    others = [table / "notes.txt", table / ".other.part", table / "other.parquet"]
    for file in (*left, *others):
        file.write_text("x")
        os.utime(file, (time.time() - age_h * 3600,) * 2)
    assert tables.vacuum(table) == (sorted(file.name for file in left) if goes else [])
    assert [file.exists() for file in left] == [not goes] * 2
    assert all(file.exists() for file in others)


@pytest.mark.parametrize("keep", [["1", 0], [1, "first"], ("01", "0"), iter([0, 1])])
def test_versions_to_keep_are_numbers_digits_or_tags(table, keep):
    tables.tag(table, "first", 0)
    (name,) = (one for one in reading.added(table, 2) if one not in set(reading.added(table, 1)))
    assert tables.vacuum(table, keep=keep, retention_hours=0) == [name]
    assert [tables.open(table, v).rows for v in (0, 1, 3)] == [1, 1, 1]
    with pytest.raises(tables.VersionNotFoundError, match="there is no tag 'second'"):
        tables.vacuum(table, keep=["second"], retention_hours=0)


def test_who_asks_for_no_table_is_told_which_are_there(table):
    for name in "cab":
        tables.append(table.parent / name, pa.table({"n": [1]}))
    (table.parent / "folder").mkdir()
    for call in (tables.open, tables.vacuum, tables.history):
        with pytest.raises(tables.TableNotFoundError) as told:
            call(table.parent / "none")
        assert str(told.value) == (
            f"{table.parent / 'none'}: there is no table; the tables there are a, b, c, t"
        )
    with pytest.raises(tables.TableNotFoundError, match="photos import and dataset build"):
        tables.open(table.parent / "folder" / "none")
