"""What stays as it is stored: late keys, words for nothing, metadata; and packed as unpacked."""

import bz2
import csv
import gzip
import json
from collections import UserDict

import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from geodata import files
from geodata.files.readers import cutting, delimited


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


def test_a_batch_a_reader_and_a_frame_are_tables():
    table = pa.table({"id": ["a", "b"], "lat": [1.0, 2.0]})
    (batch,) = table.to_batches()
    for given in (batch, table.to_reader(), table.to_pandas(), OnlyArray(batch)):
        source = files.open_source(given, what="the rows")
        assert (source.name, source.columns, source.rows) == ("the rows", ("id", "lat"), 2)
        for _ in range(2):  # as often as needed
            assert pa.concat_tables(source.tables()).to_pydict() == table.to_pydict()


class OnlyArray:
    """What gives an array of Arrow and no stream."""

    def __init__(self, batch):
        self.batch = batch

    def __arrow_c_array__(self, requested_schema=None):
        return self.batch.__arrow_c_array__(requested_schema)


def test_what_made_a_file_stands_beside_what_its_schema_says(tmp_path):
    own = pa.schema([("id", pa.string())], {"geo": "{}", "owner": "me"})
    for made, more in ((None, {}), ({"step": "s"}, {b"geodata": b'{"step": "s"}'})):
        with files.writing(tmp_path / "a.parquet", own, made) as writer:
            writer.write(pa.table({"id": ["a"]}))
        found = pq.read_schema(tmp_path / "a.parquet").metadata
        assert found == {b"geo": b"{}", b"owner": b"me", **more}


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_the_rows_of_a_folder_are_those_of_all_its_files(tmp_path, ending):
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


# packed


def packed(path, data):
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else bz2.compress(data))
    return path


@pytest.mark.parametrize("packing", ["gz", "bz2"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_the_encoding_of_a_packed_file_is_told_by_what_is_in_it(tmp_path, packing, encoding):
    path = packed(tmp_path / f"a.csv.{packing}", "city,lat\nZürich,47.4\n".encode(encoding))
    assert files.read_table(path).to_pylist() == [{"city": "Zürich", "lat": "47.4"}]


def test_damage_of_a_packed_file_is_told_as_of_one_that_is_not(tmp_path):
    """Lines of two encodings, and a quote that is not closed."""
    for data, told in (
        ("a,b\né,1\n".encode() + b"\xe9,1\n", "line 2 is UTF-8 and line 3 is not"),
        (b'a,b\n1,2\n"x,3\n4,5\n', "line 3: a quoted field does not end as it should"),
        (b"a,b\n1,2\nx\n", "line 3 has 1 fields, the header has 2"),
    ):
        (tmp_path / "a.csv").write_bytes(data)
        for path in (tmp_path / "a.csv", packed(tmp_path / "a.csv.gz", data)):
            with pytest.raises(files.FileError, match=told):
                files.read_table(path)


def test_a_quote_is_seen_where_the_packed_bytes_have_none(tmp_path):
    """Of many rows a few hundred packed bytes are left, as a rule without that byte."""
    for rows in range(400):
        path = packed(tmp_path / "a.csv.gz", b"a,b\n" + b"1,2\n" * rows + b'"x,3\n')
        if b'"' not in path.read_bytes():
            break
    with pytest.raises(files.FileError, match=f"line {rows + 2}: a quoted field does not end"):
        files.open_source(path)


# several


def test_the_first_sheet_counts_whichever_was_open_when_it_was_saved(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "lat"])
    book.active.append(["a", 1.5])
    book.create_sheet("notes").append(["what", "why"])
    book.active = 1
    book.save(tmp_path / "a.xlsx")
    assert files.read_table(tmp_path / "a.xlsx").to_pylist() == [{"id": "a", "lat": "1.5"}]


def test_of_several_damaged_rows_the_first_is_refused(tmp_path):
    for name, text, line in (
        ("a.csv", "id,lat\na,1\nb\nc,3\nd,4,5\n", 3),
        ("a.jsonl", '{"id": "a"}\n[1]\n{"id": "c"}\n7\n', 2),
    ):
        (tmp_path / name).write_text(text)
        source = files.open_source(tmp_path / name)
        with pytest.raises(files.FileError, match=f"{name}: line {line} "):
            list(source.batches(damaged="refuse"))
        (batch,) = source.batches()
        assert sorted(batch.bad) == [1, 3]


@pytest.mark.parametrize("more", ["a", "b"])
def test_shards_of_a_csv_have_the_same_columns(tmp_path, more):
    for name in "ab":
        head, row = ("id,lat", "1,2") if name == more else ("id", "1")
        (tmp_path / f"{name}.csv").write_text(f"{head}\n{row}\n")
    lacks = "b" if more == "a" else "a"
    told = rf"{lacks}\.csv has no column 'lat', which .*{more}\.csv has$"
    with pytest.raises(files.FileError, match=told):
        files.open_source(tmp_path)


def test_shards_of_json_have_the_columns_of_all_in_their_order(tmp_path):
    for name, rows in (("a", [{"id": "a", "x": 1}]), ("b", [{"y": 2, "id": "b"}])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = files.open_source(tmp_path)
    assert source.columns == ("id", "x", "y")
    rows = [row for batch in source.batches() for row in batch.table.to_pylist()]
    assert rows == [{"id": "a", "x": "1", "y": None}, {"id": "b", "x": None, "y": "2"}]
    assert pa.concat_tables(source.tables()).to_pylist() == rows
    assert files.read_table(tmp_path).to_pylist() == rows


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "tsv"])
def test_an_encoding_that_is_named_is_that_of_every_text(tmp_path, ending):
    row = {"id": "é1", "city": "Zürich"}
    mark = "," if ending == "csv" else "\t"
    text = json.dumps([row] if ending == "json" else row, ensure_ascii=False)
    if ending in ("csv", "tsv"):
        text = f"{mark.join(row)}\n{mark.join(row.values())}\n"
    (tmp_path / f"a.{ending}").write_bytes(text.encode("latin-1"))
    source = files.open_source(tmp_path / f"a.{ending}", encoding="latin-1")
    assert next(source.batches()).table.to_pylist() == [row]
    assert next(source.tables()).to_pylist() == [row]
    with pytest.raises(files.FileError, match="not UTF-8"):
        list(files.open_source(tmp_path / f"a.{ending}").batches())


@pytest.mark.parametrize("ending", ["parquet", "feather", None])
def test_a_column_is_not_given_for_one_that_begins_alike(tmp_path, ending):
    table = pa.table({"lat": [1], "lat_2": [2], "lat_2x": [3], "at": [{"lat": 4, "lat_2": 5}]})
    source = table
    if ending is not None:
        source = tmp_path / f"a.{ending}"
        (pq.write_table if ending == "parquet" else feather.write_feather)(table, source)
    opened = files.open_source(source)
    assert [t.column_names for t in opened.tables(["lat_2"])] == [["lat_2"]]
    assert [t.column_names for t in opened.tables(["at.lat_2", "lat_2x"])] == [["lat_2x", "at"]]
    (batch,) = opened.batches(["at.lat_2", "lat_2"])
    assert batch.table.to_pylist() == [{"at.lat_2": 5, "lat_2": 2}]


@pytest.mark.parametrize("length", [131_072, 131_073, 1_000_000])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_long_field_is_read_in_quotes_as_without(tmp_path, length, quote):
    """The answer of a model, a shape as WKT, a picture as base64: longer than csv's own bound."""
    text = "x" * (length - 2) + (",\n" if quote else "yz")
    (tmp_path / "a.csv").write_text(f"id,text\n1,{quote}{text}{quote}\n2,b\n", newline="")
    assert files.read_table(tmp_path / "a.csv").to_pylist() == [
        {"id": "1", "text": text}, {"id": "2", "text": "b"},
    ]  # fmt: skip


def test_a_field_beyond_the_bound_of_csv_is_cut_at_its_commas(tmp_path):
    """Of a header and of a damaged row, which are not read by pyarrow."""
    long = "x" * 2000
    before = csv.field_size_limit(1000)
    try:
        (tmp_path / "a.csv").write_text(f"id,text\n{long}\n2,b\n{long},y,z\n")
        (batch,) = files.open_source(tmp_path / "a.csv").batches()
        (tmp_path / "b.csv").write_text(f"id,{long}\n2,b\n")
        names = files.open_source(tmp_path / "b.csv").columns
    finally:
        csv.field_size_limit(before)
    assert batch.bad == {0: "1 fields, the header has 2", 2: "3 fields, the header has 2"}
    assert batch.table.to_pydict() == {"id": [long, "2", long], "text": [None, "b", None]}
    assert names == ("id", long)


def test_a_quote_that_is_never_closed_is_not_held_whole(tmp_path):
    (tmp_path / "a.csv").write_text('id,text\n1,"' + "x\n" * 2_200_000)
    with pytest.raises(files.FileError, match=r"line 2: a quoted field .* \(field larger than"):
        files.open_source(tmp_path / "a.csv")


@pytest.mark.parametrize("packing", ["", ".gz"])
@pytest.mark.parametrize("block", [64, 1 << 22])
def test_a_damaged_row_has_its_line_behind_blank_ones_and_texts_of_several_lines(
    tmp_path, monkeypatch, packing, block
):
    """What a model says often has several lines."""
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", block)
    lines = ["id,text", "", 'a,"one', "two", "", 'three"', "b", "", "c,d", "", "", 'e,"x', '"']
    lines += ["f,g,h"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["sep=,", *lines]) + "\n")
    if packing:
        path = packed(tmp_path / "a.csv.gz", path.read_bytes())
    found = list(files.open_source(path).batches())
    assert [v for b in found for v in b.table["id"].to_pylist()] == ["a", "b", "c", "e", "f"]
    assert [line for b in found for line in b.at.values()] == [8, 15]
    with pytest.raises(files.FileError, match="line 8 has 1 fields, the header has 2"):
        files.read_table(path)


def test_where_quotes_are_text_a_line_is_a_row(tmp_path):
    (tmp_path / "a.tsv").write_text('x\t"open\n\nbad\ny\tz"\n\nworse\n')
    file = files.TableFile(
        tmp_path / "a.tsv", "tsv", ("a", "b"), header=False, quoting=False, delimiter="\t"
    )
    (batch,) = files.batches_of(file, ["a", "b"])
    assert batch.table["b"].to_pylist() == ['"open', None, 'z"', None]
    assert (dict(batch.at), len(batch.at), list(batch.at)) == ({1: 3, 3: 6}, 2, [1, 3])


@pytest.mark.parametrize("before", ["", " \n\t", "\ufeff", "\ufeff\r\n "])
@pytest.mark.parametrize("after", ["", "\n", " \r\n\t"])
def test_white_space_around_a_json_document_is_none_of_it(tmp_path, before, after):
    rows = [{"id": "a", "n": 1}, {"id": "b", "n": 2}]
    held = {row["id"]: {"n": row["n"]} for row in rows}
    for document in (rows, {"rows": rows}, {"about": "x", "rows": rows}, held):
        text = json.dumps(document, indent=1)
        (tmp_path / "a.json").write_text(f"{before}{text}{after}", encoding="utf-8", newline="")
        assert files.read_table(tmp_path / "a.json").to_pylist() == [
            {"id": "a", "n": "1"}, {"id": "b", "n": "2"},
        ]  # fmt: skip
