"""What stays as it is stored: late keys, words for nothing, metadata, rows of several files."""

import json
from collections import UserDict

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import files
from geodata.files.readers import cutting


@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_a_whole_file_has_the_keys_that_come_late(tmp_path, ending):
    """Of JSON only the first rows are looked at when it is opened."""
    rows = [{"id": str(i)} for i in range(300)] + [{"id": "last", "late": "x"}]
    path = tmp_path / f"a.{ending}"
    path.write_text("\n".join(map(json.dumps, rows)) if ending == "jsonl" else json.dumps(rows))
    assert files.open_source(path).columns == ("id",)
    found = files.read_table(path)
    assert found.column_names == ["id", "late"]
    assert found["late"].to_pylist() == [None] * 300 + ["x"]
    assert files.read_table(path, ["late"])["late"].null_count == 300


@pytest.mark.parametrize("word", ["NULL", "null", "NA", "N/A", "nan", "None", "-", "true", "1e3"])
def test_a_word_in_a_csv_is_a_word(tmp_path, word):
    """Only an empty field is nothing: a photographer may be called Null."""
    (tmp_path / "a.csv").write_text(f"id,who\n{word},{word}\n,\n")
    assert files.read_table(tmp_path / "a.csv").to_pylist() == [
        {"id": word, "who": word}, {"id": None, "who": None},
    ]  # fmt: skip


def test_any_mapping_of_columns_is_a_table():
    columns = {"id": ["a", "b"], "lat": [1.0, 2.0]}
    for given in (columns, UserDict(columns)):
        source = files.open_source(given)
        assert (source.columns, source.rows) == (("id", "lat"), 2)
        assert next(source.tables()).to_pydict() == columns


def test_what_made_a_file_stands_beside_what_its_schema_says(tmp_path):
    own = pa.schema([("id", pa.string())], {"geo": "{}", "owner": "me"})
    for made, more in ((None, {}), ({"step": "s"}, {b"geodata": b'{"step": "s"}'})):
        with files.writing(tmp_path / "a.parquet", own, made) as writer:
            writer.write(pa.table({"id": ["a"]}))
        found = pq.read_schema(tmp_path / "a.parquet").metadata
        assert found == {b"geo": b"{}", b"owner": b"me", **more}


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_the_rows_of_a_folder_are_those_of_all_its_files(tmp_path, ending):
    import pyarrow.feather as feather

    for name, count in (("a", 2), ("b", 0), ("c", 3)):
        table = pa.table({"n": pa.array([1] * count, pa.int64())})
        if ending == "parquet":
            pq.write_table(table, tmp_path / f"{name}.parquet")
        else:
            feather.write_feather(table, tmp_path / f"{name}.feather")
    assert files.open_source(tmp_path).rows == 5
    assert sum(table.num_rows for table in files.open_source(tmp_path).tables()) == 5


def test_of_no_row_group_there_is_no_row(tmp_path):
    pq.write_table(pa.table({"n": range(6)}), tmp_path / "a.parquet", row_group_size=2)

    def rows(groups):
        read = files.parquet_rows(tmp_path / "a.parquet", groups=groups)
        return [n for table in read for n in table["n"].to_pylist()]

    assert rows(None) == list(range(6))
    assert rows([2, 0]) == [4, 5, 0, 1]
    assert rows([]) == []


def test_a_part_of_lists_of_one_length_counts_its_own_texts():
    texts = pa.array([["a", "b"], ["ccc", "dddd"], ["e", "ff"]], pa.list_(pa.string(), 2))
    assert cutting.row_bytes(texts).tolist() == [2, 7, 3]
    assert cutting.row_bytes(texts[1:]).tolist() == [7, 3]
    assert cutting.row_bytes(texts[2:]).tolist() == [3]


@pytest.mark.parametrize("part", ["min", "max", "err", "bbox", "bin", "rad", "score", "distance"])
def test_a_name_that_says_it_is_no_place_is_none_wherever_it_says_so(part):
    for name in (f"{part}_model_x", f"model_{part}_x", f"model_x_{part}"):
        assert files.find_pair([f"{name}_lat", f"{name}_lon"], ("pred",), "t") is None
    assert files.find_pair(["m_x_lat", "m_x_lon"], ("pred",), "t") == ("m_x_lat", "m_x_lon")
