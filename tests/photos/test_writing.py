"""Targets of an import, a Parquet file as it is written, a source that changes meanwhile."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata.files import FileError
from geodata.photos import writing
from geodata.photos.watching import unchanged


def test_a_target_is_a_parquet_file_or_a_folder(tmp_path):
    assert writing.is_file_target(tmp_path / "a.parquet")
    assert writing.is_file_target(str(tmp_path / "a.PQ"))
    (tmp_path / "a.parquet").touch()
    assert writing.is_file_target(tmp_path / "a.parquet")  # which is replaced
    assert not writing.is_file_target(tmp_path / "photos")
    assert not writing.is_file_target(tmp_path)
    (tmp_path / "b").touch()
    for name, said in (
        ("a.b.csv", "photos are written as Parquet; name it a.b.parquet, or a table"),
        ("b", "is a file; expected a name that ends in .parquet or the folder of a table"),
    ):
        with pytest.raises(FileError) as told:
            writing.is_file_target(tmp_path / name)
        assert str(told.value) == f"{tmp_path / name}: {said}"


def test_columns_that_hardly_repeat_have_no_dictionary(tmp_path):
    plain = {"photo_id": "a", "image": "b", "source_row": 1}
    plain |= dict.fromkeys(("lat", "lon", "x", "y", "z"), 1.5)
    rows = pa.table({name: [value] * 9 for name, value in (plain | {"status": "ok"}).items()})
    writing.write_parquet(tmp_path / "a.parquet", rows.schema, iter([rows, rows]), {"step": "s"})
    file = pq.ParquetFile(tmp_path / "a.parquet")
    parts = [file.metadata.row_group(0).column(i) for i in range(len(rows.schema))]
    packed = {part.path_in_schema for part in parts if "RLE_DICTIONARY" in part.encodings}
    assert packed == {"status"}
    assert file.read().num_rows == 18
    assert json.loads(file.schema_arrow.metadata[b"geodata"])["step"] == "s"


def test_a_file_that_was_written_since_is_refused_at_the_end(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    assert list(unchanged(iter("ab"), path)) == ["a", "b"]
    batches = unchanged(iter("ab"), path)
    assert next(batches) == "a"
    path.write_text("newer")
    assert next(batches) == "b"
    with pytest.raises(FileError) as told:
        next(batches)
    assert str(told.value) == (
        f"{path} was written while it was read; nothing was imported: try again"
    )
    late = unchanged(iter("ab"), path)
    path.write_text("written before the first row was asked for")
    os.utime(path, (1, 1))
    with pytest.raises(FileError):
        list(late)
