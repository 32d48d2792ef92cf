"""Compact where rows are large: files end by bytes before they end by rows."""

import pyarrow as pa
import pytest

from geodata import tables
from geodata.tables.data_files import parquet


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A table whose files end at each row group of two rows."""
    monkeypatch.setattr(parquet, "ROW_GROUP", 2)
    monkeypatch.setattr(parquet, "_MAX_BYTES", 1)
    return tmp_path / "lake" / "t"


def appended(path, *counts):
    for number, count in enumerate(counts):
        tables.append(path, pa.table({"n": [number] * count}))
    return [len(tables.open(path).files), len(tables.history(path))]


@pytest.mark.parametrize("counts", [(2, 2), (2, 2, 1)])
def test_as_many_files_as_before_are_no_new_version(path, counts):
    """Else each run of a nightly job copied the table once more."""
    before = appended(path, *counts)
    assert before == [len(counts)] * 2
    assert tables.compact(path) == len(counts) - 1
    assert [len(tables.open(path).files), len(tables.history(path))] == before
    report = tables.verify(path)
    assert (report.ok, report.orphans) == (True, ())


def test_one_file_less_is_a_new_version(path):
    assert appended(path, 2, 1, 1) == [3, 3]
    assert tables.compact(path) == 3
    assert len(tables.open(path).files) == 2
    assert tables.open(path).arrow()["n"].to_pylist() == [0, 0, 1, 2]
    assert tables.compact(path) == 3
