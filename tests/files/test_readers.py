"""The readers one by one: batches of Parquet, lines of JSON, fields of CSV, sheets, GeoJSON."""

import json
import math
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from geodata import files
from geodata.files import FileError, formats, readers
from geodata.files.readers import cutting, delimited, flattening, jsonrows, loaded, parquet, text
from geodata.files.readers.jsonrows import _Written

NAN = float("nan")


def test_nan_is_null_in_json_at_any_depth(tmp_path):
    rows = pa.table({
        "a": [NAN, 1.0], "l": [[1.0, NAN], [math.inf]], "s": [{"x": -math.inf, "y": [NAN]}, None],
        "m": pa.array([[("k", NAN)], []], pa.map_(pa.string(), pa.float64())),
    })  # fmt: skip
    files.write_table(rows, tmp_path / "a.jsonl")
    lines = (tmp_path / "a.jsonl").read_text().splitlines()

    def refuse(name):
        raise AssertionError(name)

    found = [json.loads(line, parse_constant=refuse) for line in lines]
    assert found == [
        {"a": None, "l": [1.0, None], "s": {"x": None, "y": [None]}, "m": [["k", None]]},
        {"a": 1.0, "l": [None], "s": None, "m": []},
    ]  # fmt: skip
    files.write_table(rows, tmp_path / "a.csv")
    assert "NaN" not in (tmp_path / "a.csv").read_text().splitlines()[1].partition(",")[2]
    assert "Infinity" not in (tmp_path / "a.csv").read_text()


def test_what_json_has_no_kind_for_is_text(tmp_path):
    rows = pa.table({"t": pa.array([0], pa.timestamp("s")), "l": [[b"x"]]})
    files.write_table(rows, tmp_path / "a.jsonl")
    found = json.loads((tmp_path / "a.jsonl").read_text())
    assert found == {"t": "1970-01-01 00:00:00", "l": ["b'x'"]}


# Parquet

MIB = 1 << 20


def test_bounds_of_batches():
    assert (cutting.PIECE_BYTES, cutting.MAX_ROW_BYTES) == (32 * MIB, 256 * MIB)
    assert (cutting.BOMB_RATIO, cutting.BOMB_ROW_BYTES, cutting.FREE_BYTES) == (
        100,
        4096,
        512 * MIB,
    )
    assert (parquet.SMALL_ROWS, parquet.SMALLEST_ROWS, parquet.PEEKED_ROWS) == (
        4096,
        512,
        (1, 1024),
    )
    assert (parquet.BOMB_ROWS, parquet.BOMB_ROWS_PER_BYTE) == (10_000_000, 64)
    assert (loaded.MAX_BYTES, loaded.MAX_WORKBOOK_BYTES) == (2048 * MIB, 128 * MIB)
    assert (jsonrows.MAX_LINE_CHARS, jsonrows.SAMPLE_ROWS) == (64 * MIB, 200)
    assert formats.BATCH_ROWS == 131_072


@pytest.mark.parametrize(
    ("count", "size", "longest", "rows", "taken"),
    [
        (1000, 32 * MIB, 0, 100, 100), (1000, 32 * MIB + 1, 0, 10_000, 999),
        (1000, 64 * MIB, 0, 10_000, 500), (1000, 64 * MIB, 0, 100, 100),
        (10**6, 33 * MIB, 0, 10**6, 4096), (1000, MIB, 32 * MIB // 100, 100, 100),
        (1000, MIB, 32 * MIB // 100 + 1, 100, 100), (10**6, MIB, 32 * MIB // 100, 10**5, 4096),
        (50, MIB, 32 * MIB // 50, 10**5, 10**5), (50, MIB, 32 * MIB // 50 + 1, 10**5, 1600),
        (10**9, 4 * flattening.MAX_BATCH_BYTES, 0, 10**6, 4096),
        (10**9, 4 * flattening.MAX_BATCH_BYTES + 1, 0, 10**6, 512), (1, 10**12, 0, 10, 1),
    ],
)  # fmt: skip
def test_how_many_rows_are_read_at_a_time(count, size, longest, rows, taken):
    assert parquet._at_a_time(count, size, longest, rows) == taken


def groups_of(path):
    return parquet._Groups(pq.ParquetFile(path), lambda texts: pq.ParquetFile(
        path, read_dictionary=list(texts)), None)  # fmt: skip


def test_the_longest_text_of_a_group_is_that_of_its_dictionaries(tmp_path):
    rows = pa.table({
        "word": ["abc", "é" * 4, "x"] * 50, "none": pa.nulls(150, pa.string()),
        "late": [None] * 100 + ["yy"] * 50, "n": list(range(150)),
        "at": [{"t": "pq", "u": [{"v": "12345"}]}] * 150,
        "fixed": pa.array([b"12"] * 150, pa.binary(2)),
    })  # fmt: skip
    pq.write_table(rows, tmp_path / "a.parquet")
    found = groups_of(tmp_path / "a.parquet")._longest(0)
    assert found == {
        "word": 8, "late": 2, "none": flattening.MAX_BATCH_BYTES, "at.t": 5,
        "at.u.list.element.v": 5,
    }  # fmt: skip
    plain = pa.table({"word": ["abc"] * 9})
    pq.write_table(plain, tmp_path / "b.parquet", use_dictionary=False)
    assert groups_of(tmp_path / "b.parquet")._longest(0)["word"] in (3, flattening.MAX_BATCH_BYTES)


def test_dictionaries_of_text_at_any_depth():
    words = pa.array(["a", "bb"]).dictionary_encode()
    numbers = pa.array([1, 2]).dictionary_encode()
    nested = pa.StructArray.from_arrays([words, numbers], ["w", "n"])
    lists = pa.ListArray.from_arrays(pa.array([0, 2], pa.int32()), words)
    for column, count in ((words, 1), (numbers, 0), (nested, 1), (lists, 1), (pa.array(["a"]), 0)):
        assert len(list(parquet._dictionaries(column))) == count
    batch = pa.record_batch({"w": words, "n": numbers, "e": pa.array([None, None], words.type)})
    assert parquet._longest_words(batch) == {"w": 2}


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (pa.int8(), 1), (pa.list_(pa.string()), 1), (pa.struct([("a", TEXT := pa.string())]), 1),
        (pa.struct([("a", TEXT), ("b", pa.list_(TEXT))]), 2), (pa.map_(TEXT, TEXT), 2),
        (pa.list_(pa.struct([("a", TEXT), ("b", TEXT), ("c", TEXT)])), 3), (pa.uuid(), 1),
    ],
    ids=str,
)  # fmt: skip
def test_leaves_of_a_column(kind, count):
    assert parquet._leaf_count(kind) == count
    schema = pa.schema([("a.b", kind), ("c", TEXT)])
    assert parquet._owners(schema) == ["a.b"] * count + ["c"]


def test_what_lists_and_fixed_values_take(tmp_path):
    rows = pa.table({
        "i": pa.array([[1, 2], [3]], pa.list_(pa.int32())), "d": [[1.0], None], "n": [1, 2],
        "b": pa.array([[True], [False]]), "t": [["a"], ["b", "c"]],
        "f": pa.array([b"123456", b"654321"], pa.binary(6)),
        "s": pa.array([b"1", b"2"], pa.binary(1)),
    })  # fmt: skip
    pq.write_table(rows, tmp_path / "a.parquet")
    with pq.ParquetFile(tmp_path / "a.parquet") as file:
        told = parquet._Listed(file)
        assert sorted(told._widths.values()) == [1, 4, 4, 4, 6, 8]
        # 3 integers, 2 doubles (a NULL counts), 2 flags, 3 texts, and 2 of each fixed length
        assert told.bytes(0) == 3 * 4 + 2 * 8 + 2 * 1 + 3 * 4 + 2 * 6 + 2 * 4
    pq.write_table(rows.select(["n"]), tmp_path / "b.parquet")
    with pq.ParquetFile(tmp_path / "b.parquet") as file:
        assert parquet._Listed(file).bytes(0) == 0


def test_a_footer_that_promises_too_much_is_refused(tmp_path, monkeypatch):
    pq.write_table(pa.table({"n": [1] * 1000, "l": [[0] * 100] * 1000}), tmp_path / "a.parquet")
    path, size = tmp_path / "a.parquet", (tmp_path / "a.parquet").stat().st_size

    def refused(**bounds):
        with monkeypatch.context() as patch, pq.ParquetFile(path) as file:
            for name, value in bounds.items():
                patch.setattr(parquet, name, value)
            try:
                parquet._refuse_bomb("w", size, file)
            except FileError as error:
                return str(error)
        return ""

    assert refused() == ""
    few = {"BOMB_ROWS": 999, "BOMB_ROWS_PER_BYTE": 0}
    listed = "w: lists in row group 0 unfold from"
    assert refused(**few) == f"w: claims 1000 rows in {size} bytes; not a table of answers"
    assert refused(**few | {"BOMB_ROWS": 1000}).startswith(listed)
    assert refused(**few | {"BOMB_ROWS_PER_BYTE": 1000 / size}).startswith(listed)
    assert refused(BOMB_ROWS=100_000, BOMB_ROWS_PER_BYTE=0) == ""  # 100,000 numbers of 8 bytes
    assert refused(BOMB_ROWS=99_999, BOMB_ROWS_PER_BYTE=0).startswith(listed)
    with pq.ParquetFile(path) as file:
        unpacked = file.metadata.row_group(0).total_byte_size
    assert refused(MAX_BATCH_BYTES=unpacked, BOMB_RATIO=0) == ""
    assert refused(MAX_BATCH_BYTES=unpacked - 1, BOMB_RATIO=0).startswith("w: row group 0 unfolds")
    assert refused(MAX_BATCH_BYTES=0, BOMB_RATIO=unpacked / size) == ""


def test_small_tables_are_gathered():
    def sizes(counts, rows):
        made = cutting.gathered((pa.table({"n": [0] * n}) for n in counts), rows)
        return [table.num_rows for table in made]

    assert sizes([2, 2, 2], 4) == [4, 2]
    assert sizes([2, 3, 9, 1], 4) == [2, 3, 9, 1]
    assert sizes([], 4) == []
    other = [pa.table({"n": [1]}), pa.table({"n": [1.0]}), pa.table({"n": [2.0]})]
    assert [table.num_rows for table in cutting.gathered(iter(other), 9)] == [1, 2]
    (one,) = cutting.gathered(iter([other[0], other[0]]), 9)
    assert one["n"].num_chunks == 1


def test_small_tables_are_gathered_up_to_so_many_bytes(monkeypatch):
    monkeypatch.setattr(cutting, "PIECE_BYTES", 32)  # four numbers

    def sizes(*counts):
        made = cutting.gathered((pa.table({"n": [0] * n}) for n in counts), 99)
        return [table.num_rows for table in made]

    assert sizes(2, 2, 2) == [4, 2]
    assert sizes(2, 3, 1) == [2, 4]
    assert sizes(9, 1) == [9, 1]


def test_bytes_of_values_of_every_width():
    for column, told in (
        (pa.array([1, None], pa.int16()), [2, 2]), (pa.array([True] * 9), [0] * 9),
        (pa.array(["ab", None, ""]), [2, 0, 0]), (pa.array([b"abc"], pa.large_binary()), [3]),
        (pa.array([["ab", "c"], None, []]), [3, 0, 0]),
        (pa.array([[1, 2], []], pa.list_(pa.int8())), [2, 0]),
        (pa.array([["a", "b"]], pa.list_(pa.string(), 2)), [2]), (pa.nulls(2), [0, 0]),
        (pa.array(["x" * 40, "y" * 40], pa.string_view()), [56, 56]),
        (pa.array([[("k", "vv")]], pa.map_(pa.string(), pa.string())), [3]),
    ):  # fmt: skip
        found = cutting.row_bytes(column)
        assert (found.tolist(), found.dtype) == (told, np.int64), column.type
    assert not cutting._unfolds(pa.list_(pa.string()))
    assert cutting._unfolds(pa.list_(pa.struct([("a", pa.dictionary(pa.int8(), pa.string()))])))


# nested columns


def test_names_are_taken_out_down_to_a_depth(monkeypatch):
    kind = pa.int64()
    for name in "dcba":
        kind = pa.struct([(name, kind), ("x", pa.int8())])
    schema = pa.schema([("top", kind), ("list", pa.list_(kind))])
    assert flattening.flat_names(schema) == (
        "top.a.b.c.d", "top.a.b.c.x", "top.a.b.x", "top.a.x", "top.x", "list"
    )  # fmt: skip
    monkeypatch.setattr(flattening, "MAX_DEPTH", 2)
    assert flattening.flat_names(schema) == ("top.a.b", "top.a.x", "top.x", "list")
    deep = {"a": {"b": {"c": {"d": 1}}}}
    monkeypatch.setattr(jsonrows, "MAX_DEPTH", 2)
    assert dict(jsonrows._leaves(deep)) == {"a.b.c": {"d": 1}}


# JSON


def leaf(value):
    return jsonrows._DECODER.decode(json.dumps(value))


@pytest.mark.parametrize(
    ("row", "flat"),
    [
        ({"choices": [{"text": "a"}]}, {"choices.text": "a"}),
        ({"resps": [["a"]]}, {"resps": "a"}), ({"resps": [[["a"]]]}, {"resps": "a"}),
        ({"outputs": ["a", "b"]}, {"outputs": '["a", "b"]'}), ({"outputs": []}, {"outputs": "[]"}),
        ({"other": ["a"]}, {"other": '["a"]'}), ({"n": 1.50, "b": True, "x": None},
                                                {"n": "1.5", "b": "true", "x": None}),
        ({"a": {"b": {"é": [1, {"c": "d"}]}}}, {"a.b.é": '[1, {"c": "d"}]'}), ({"a": {}}, {}),
    ],
)  # fmt: skip
def test_a_row_is_flat(row, flat):
    assert jsonrows._flat(leaf(row)) == flat


@pytest.mark.parametrize(
    ("text_", "kind"),
    [
        ("null", ""), ("true", "boolean"), ("1", "integer"), ("-12", "integer"), ("1.0", "number"),
        ("1e3", "number"), ("NaN", "number"), ("9" * 18, "integer"), ("9" * 19, "text"),
        ("-" + "9" * 18, "integer"), ('"a"', "text"), ("[1]", "text"), ("{}", "text"),
    ],
)  # fmt: skip
def test_the_kind_of_a_value(text_, kind):
    assert jsonrows._kind(jsonrows._DECODER.decode(text_)) == kind


def kinds_of(tmp_path, *lines):
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    return files.open_source(tmp_path / "a.jsonl").kinds()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ("1 2", "integer"), ("1 2.5", "number"), ("2.5 1", "number"), ('1 "a"', "text"),
        ("null 1", "integer"), ("1 null", "integer"), ("null null", "text"), ("true 1", "text"),
        ("true null false", "boolean"), ("1 2.5 3", "number"), ('2.5 "a" 1', "text"),
    ],
)  # fmt: skip
def test_the_kind_of_a_column_is_that_of_all_rows(tmp_path, values, kind):
    lines = [f'{{"v": {value}}}' for value in values.split()]
    assert kinds_of(tmp_path, *lines, "{", "5") == {"v": kind}
    ids = [line.replace('"v"', '"photo_id"') for line in lines]
    assert kinds_of(tmp_path, *ids) == {"photo_id": "text"}


def held(whole):
    return [(row, number, text_) for row, number, text_ in jsonrows._held(leaf(whole))]


@pytest.mark.parametrize(
    ("whole", "rows"),
    [
        ({"rows": [{"a": "1"}, {"a": "2"}]}, [{"a": "1"}, {"a": "2"}]),
        ({"about": "x", "rows": [{"a": "1"}]}, [{"a": "1"}]),
        ({"rows": [{"a": "1"}], "more": [{"b": "1"}]}, None),
        ({"rows": [{"a": "1"}], "tags": ["x"]}, None), ({"rows": []}, None),
        ({"rows": [{"a": "1"}], "config": {"l": ["x"]}}, None),
        ({"rows": [{"a": "1"}], "config": {"l": "x"}, "c": {"d": ["y"]}}, None),
        ({"lat": "1", "rows": [{"a": "1"}]}, None), ({"id": "1", "rows": [{"a": "1"}]}, None),
        ({"p1": {"lat": "1"}, "p2": {"lat": "2"}},
         [{"id": "p1", "lat": "1"}, {"id": "p2", "lat": "2"}]),
        ({"p1": {"lat": "1"}}, None), ({"p1": {"lat": "1"}, "p2": "x"}, None),
        ({"prediction": {"lat": "1"}, "truth": {"lat": "2"}}, None),
        ({"p1": ["1", "2"], "p2": ["3", "4"]},
         [{"id": "p1", "prediction": ["1", "2"]}, {"id": "p2", "prediction": ["3", "4"]}]),
        ({"p1": ["1", "2"], "p2": ["3"]}, None), ({"p1": ["1", "2"]}, None),
        ({"p1": ["1", "2"], "p2": ["3", "4", "5"]}, None), ({}, None), ({"a": "x", "b": "y"}, None),
    ],
)  # fmt: skip
def test_the_rows_that_an_object_holds(whole, rows):
    found = held(whole)
    assert [row for row, _, _ in found] == ([whole] if rows is None else rows)
    assert [number for _, number, _ in found] == list(range(1, len(found) + 1))
    assert [json.loads(text_) for _, _, text_ in found] == [row for row, _, _ in found]


def batches(tmp_path, *lines, name="a.jsonl", **asked):
    (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    file = files.open_source(tmp_path / name).parts[0]
    return list(jsonrows.json_batches(file, ["a"], **asked))


def test_lines_come_in_batches_with_what_is_wrong_at_its_place(tmp_path):
    lines = ['{"a": 1}', "", " {bad ", '{"a": "é"}', "[1]", "7", '{"b": 1}']
    one, two = batches(tmp_path, *lines, rows=4, lines=True)
    assert one.table["a"].to_pylist() == ["1", None, "é", None]
    assert {row: why[:8] for row, why in one.bad.items()} == {1: "not JSON", 3: "list, ex"}
    assert one.at == {1: 3, 3: 5}
    assert one.lines == ['{"a": 1}', "{bad", '{"a": "é"}', "[1]"]
    assert two.table["a"].to_pylist() == [None, None]
    assert (two.bad, two.at) == ({0: "number, expected an object"}, {0: 6})
    assert batches(tmp_path, *lines)[0].lines is None
    assert len(batches(tmp_path, *lines)) == 1
    assert batches(tmp_path, *lines[:1], rows=1)[0].table.num_rows == 1


def test_a_batch_of_json_ends_with_its_bytes(tmp_path, monkeypatch):
    lines = ['{"a": "xxxx"}'] * 5
    for most, wanted in ((7, [2, 2, 1]), (8, [3, 2]), (3, [1] * 5), (99, [5])):
        monkeypatch.setattr(jsonrows, "MAX_BATCH_BYTES", most)
        assert [b.table.num_rows for b in batches(tmp_path, *lines)] == wanted
    monkeypatch.setattr(jsonrows, "MAX_BATCH_BYTES", 16)
    assert [b.table.num_rows for b in batches(tmp_path, *lines, lines=True)] == [1] * 5
    monkeypatch.setattr(jsonrows, "MAX_BATCH_BYTES", 17)
    assert [b.table.num_rows for b in batches(tmp_path, *lines, lines=True)] == [2, 2, 1]


def test_names_are_those_of_the_first_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonrows, "SAMPLE_ROWS", 2)
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{bad\n{"b": 1}\n{"c": 1}\n')
    assert files.open_source(path).columns == ("a", "b")
    path.write_text("[1]\n{}")
    with pytest.raises(FileError, match=r"a\.jsonl: line 1 is list, expected an object"):
        files.open_source(path)


def test_a_line_has_a_bound(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":1}\n{"a":12}\n')
    monkeypatch.setattr(jsonrows, "MAX_LINE_CHARS", 10)
    assert len(batches(tmp_path, '{"a":1}', '{"a":12}')[0].table) == 2
    monkeypatch.setattr(jsonrows, "MAX_LINE_CHARS", 8)
    with pytest.raises(FileError, match="a line is longer than 8 characters"):
        batches(tmp_path, '{"a":1}', '{"a":12}')


def test_text_columns_become_what_they_are():
    table = pa.table({"i": ["1", None], "n": ["1", "2.5"], "b": ["true", "false"], "t": ["x", "y"]})
    kinds = {"i": "integer", "n": "number", "b": "boolean", "t": "text", "gone": "integer"}
    found = readers.typed(table, kinds)
    assert found.to_pydict() == {
        "i": [1, None], "n": [1.0, 2.5], "b": [True, False], "t": ["x", "y"]
    }  # fmt: skip
    assert readers.typed(table, {}).equals(table)
    assert jsonrows._encodable("a\ud800é") == "a?é"
    assert jsonrows._encodable("é") == "é"
    assert jsonrows._name(_Written("1")) == "number"


# CSV


def csv(tmp_path, data, **options):
    path = tmp_path / "a.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return files.open_source(path, **options)


@pytest.mark.parametrize(
    ("data", "names", "rows"),
    [
        ("a,b\n1,2\n", ("a", "b"), [("1", "2")]), ("a;b\n1;2\n", ("a", "b"), [("1", "2")]),
        ("a|b\n1|2\n", ("a", "b"), [("1", "2")]), ("a\tb\n1\t2\n", ("a", "b"), [("1", "2")]),
        (" a , b \n1,2\n", ("a", "b"), [("1", "2")]),
        ("sep=;\na;b\n1;2\n", ("a", "b"), [("1", "2")]),
        ("SEP=|\na|b\n1|2\n", ("a", "b"), [("1", "2")]),
        ("sep=;,,\na;b\n1;2\n", ("a", "b"), [("1", "2")]),
        ('a,b\n"x,y",2\n', ("a", "b"), [("x,y", "2")]), ("a,b\n,2\n", ("a", "b"), [(None, "2")]),
        ('a,b\n"",2\n', ("a", "b"), [("", "2")]), ("\ufeffa,b\n1,2", ("a", "b"), [("1", "2")]),
    ],
)  # fmt: skip
def test_fields_of_a_csv(tmp_path, data, names, rows):
    found = csv(tmp_path, data)
    assert found.columns == names
    (batch,) = found.batches()
    assert list(zip(*batch.table.to_pydict().values())) == rows


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_encodings_that_are_told_by_the_head(tmp_path, encoding):
    (batch,) = csv(tmp_path, "city,lat\nZürich,47.4\nBern,46.9\n".encode(encoding)).batches()
    assert batch.table["city"].to_pylist() == ["Zürich", "Bern"]
    latin = "city,lat\nZürich,47.4\n".encode("latin-1")
    (batch,) = csv(tmp_path, latin, encoding="latin-1").batches()
    assert batch.table["city"].to_pylist() == ["Zürich"]


def told(tmp_path, data):
    with pytest.raises(FileError) as error:
        list(csv(tmp_path, data).batches())
    return str(error.value)


def test_a_file_of_two_encodings_names_a_line_of_each(tmp_path):
    good, bad = "é,1\n".encode(), b"\xe9,1\n"
    head = b"a,b\nplain,1\n"
    assert "; line 3 is UTF-8 and line 5 is not:" in told(tmp_path, head + good + good + bad + bad)
    assert "; line 4 is UTF-8 and line 3 is not:" in told(tmp_path, head + bad + good)
    assert "it is not UTF-8: convert it" in told(tmp_path, head + bad + bad)


def test_headers_that_cannot_be(tmp_path):
    assert told(tmp_path, "a,b,a,c,c,c\n").endswith("repeats 'a', 'c'; names must be unique")
    for data in ("\na,b\n", ",,\n1,2,3\n", ""):
        assert "line 1 is empty; expected a header" in told(tmp_path, data)


@pytest.mark.parametrize(
    ("data", "line"),
    [('a,b\n1,2\n"x,3\n4,5\n', 3), ('a,b\n"x"y,3\n', 2), ('"a,b\n1,2\n', 1)],
)
def test_a_quote_that_is_not_closed_is_told_with_its_line(tmp_path, data, line):
    assert f"a.csv: line {line}: a quoted field does not end as it should (" in told(tmp_path, data)


def test_a_quote_far_down_is_looked_for(tmp_path):
    rows = "1,2\n" * 600_000  # beyond the first two mebibytes
    assert "line 600002: a quoted field" in told(tmp_path, "a,b\n" + rows + '"x,3\n')


@pytest.mark.parametrize(
    ("lines", "rows", "bad"),
    [
        (["1,2", "x", "3,4"], ["1", "x", "3"], {1: "1 fields, the header has 2"}),
        (["x", "1,2"], ["x", "1"], {0: "1 fields, the header has 2"}),
        (["1,2", "a,b,c"], ["1", "a"], {1: "3 fields, the header has 2"}),
        (["a,b,c", "d,e,f"], ["a", "d"], {0: "3 fields, the header has 2",
                                                1: "3 fields, the header has 2"}),
        (["1,2", "x", "y", "3,4", "z,z,z"], ["1", "x", "y", "3", "z"],
         {1: "1 fields, the header has 2", 2: "1 fields, the header has 2",
          4: "3 fields, the header has 2"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("above", ["", "sep=,\n"])
def test_damaged_rows_of_a_csv_stay_at_their_place(tmp_path, lines, rows, bad, above):
    found = list(csv(tmp_path, above + "a,b\n" + "\n".join(lines) + "\n").batches())
    assert [v for batch in found for v in batch.table["a"].to_pylist()] == rows
    start, seen, at = 0, {}, {}
    for batch in found:
        seen |= {start + row: why for row, why in batch.bad.items()}
        at |= {start + row: line for row, line in batch.at.items()}
        start += batch.table.num_rows
    assert seen == bad
    first = 3 if above else 2
    assert at == {row: row + first for row in bad}
    values = [v for batch in found for v in batch.table["b"].to_pylist()]
    assert all(values[row] is None for row in bad)


def test_a_comma_in_a_number_is_a_point_where_it_separates_nothing(tmp_path):
    text_ = "id;lat;lon;distance_km;name\n1,5;48,85;-2,5;1,25;a,5\n2;x,5;1,2,3; 7,0 ;b\n"
    (batch,) = csv(tmp_path, text_).batches()
    assert batch.table.to_pydict() == {
        "id": ["1,5", "2"], "lat": ["48.85", "x,5"], "lon": ["-2.5", "1,2,3"],
        "distance_km": ["1.25", "7.0"], "name": ["a,5", "b"],
    }  # fmt: skip
    measures = ("km", "error", "haversine", "dist", "dist_a", "probability", "confidence", "err_m",
                "mi", "x (km)")  # fmt: skip
    assert all(delimited._MEASURES.search(name) for name in measures)
    assert not any(
        delimited._MEASURES.search(name) for name in ("film", "district", "name", "temi")
    )


# whole files


def test_cells_of_a_sheet():
    found = loaded.table_of_cells(
        [[None, None], ["id", " lat ", None, ""], [7.0, 1.5, "x", "y"], [None], ["a"], [0, ""]], "w"
    )
    assert found.to_pydict() == {"id": ["7", "a", "0"], "lat": ["1.5", None, None]}
    with pytest.raises(FileError, match=r"^w: the first sheet is empty"):
        loaded.table_of_cells([[None]], "w")
    with pytest.raises(FileError, match=r"^w: the header repeats a name"):
        loaded.table_of_cells([["a", "a "], [1, 2]], "w")


def test_arrays_of_one_length_are_a_table(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, s=np.array(["a", "b"]), b=np.array([b"x", b"y"]), n=np.array([1, 2], "i2"),
             at=np.array([[1.0, 2.0], [3.0, 4.0]]), scalar=np.array(5),
             cube=np.zeros((3, 2, 2)))  # fmt: skip
    found = files.read_table(path)
    whole = pa.concat_tables(files.open_source(path).tables())
    assert whole.to_pydict() == {
        "s": ["a", "b"], "b": ["x", "y"], "n": [1, 2], "at": [[1.0, 2.0], [3.0, 4.0]]
    }  # fmt: skip
    assert whole.schema.field("n").type == pa.int16()
    assert found.num_rows == 2
    for arrays, says in (
        ({"a": [1], "b": [1, 2]}, r"one value a row; found a \(1,\), b \(2,\)"),
        ({"a": 5}, r"found a \(\)"), ({}, "found none"),
    ):  # fmt: skip
        np.savez(path, **{name: np.array(value) for name, value in arrays.items()})
        with pytest.raises(FileError, match=says):
            files.open_source(path)
    np.savez(path, a=np.array([None]))
    with pytest.raises(FileError, match="holds Python objects"):
        files.open_source(path)
    path.write_bytes(b"")
    with pytest.raises(FileError, match="cannot be read as NPZ"):
        files.open_source(path)


def test_members_that_claim_too_much(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"0" * 60_000)
        archive.writestr("b", b"0" * 40_000)
    size = path.stat().st_size
    assert loaded._members_bytes(path) == 100_000
    monkeypatch.setattr(loaded, "BOMB_RATIO", 0)
    monkeypatch.setattr(loaded, "FREE_BYTES", 100_000)
    loaded._refuse_members(path)
    monkeypatch.setattr(loaded, "FREE_BYTES", 99_999)
    with pytest.raises(FileError, match=f"its members unfold from {size} bytes into 0 MiB; not"):
        loaded._refuse_members(path)
    monkeypatch.setattr(loaded, "BOMB_RATIO", 100_000 / size)
    loaded._refuse_members(path)


def test_points_of_geojson(tmp_path):
    path = tmp_path / "a.geojson"
    features = [
        {"id": 7, "properties": {"n": 1.5, "o": {"a": "é"}, "t": "x"},
         "geometry": {"type": "Point", "coordinates": [2, 48.5, 9]}},
        {"id": 8, "properties": {"id": "own"}, "geometry": {"type": "Point", "coordinates": [1]}},
        {"properties": None, "geometry": None},
        {"geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}},
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = pa.concat_tables(files.open_source(path).tables())
    assert found.to_pydict() == {
        "n": ["1.5", None, None, None], "o": ['{"a": "é"}', None, None, None],
        "t": ["x", None, None, None], "id": ["7", "own", None, None],
        "geometry.lat": ["48.5", None, None, None], "geometry.lon": ["2", None, None, None],
    }  # fmt: skip
    for said in ("[]", "{}", '{"features": 5}', '{"features": [5]}'):
        path.write_text(said)
        with pytest.raises(FileError, match="expected a GeoJSON FeatureCollection with features"):
            files.open_source(path)


@pytest.mark.parametrize("stream", [False, True])
def test_arrow_batches_with_the_columns_that_are_asked_for(tmp_path, stream):
    rows = pa.table({"n": list(range(7)), "w": pa.array(list("abcdefg"), pa.string_view()),
                     "at": [{"x": 1}] * 7})  # fmt: skip
    opener = pa.ipc.new_stream if stream else pa.ipc.new_file
    with opener(tmp_path / "a.arrow", rows.schema) as writer:
        writer.write_table(rows, max_chunksize=3)
    source = files.open_source(tmp_path / "a.arrow")
    assert (source.rows, source.columns) == (7, ("n", "w", "at.x"))
    assert source.schema.field("w").type == pa.string()
    (whole,) = source.tables()
    assert whole["w"].to_pylist() == list("abcdefg")
    (some,) = source.tables(["at.x", "n"])
    assert some.column_names == ["n", "at"]
    assert max(len(t) for t in source.tables(rows=2)) <= 2
    assert [n for t in source.tables(["n"], rows=2) for n in t["n"].to_pylist()] == list(range(7))
    feather.write_feather(rows.select(["n"]), tmp_path / "b.feather")
    assert files.read_table(tmp_path / "b.feather").num_rows == 7


def test_a_file_that_is_read_whole_has_a_bound(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    np.savez(path, n=np.arange(3))
    monkeypatch.setattr(loaded, "MAX_BYTES", path.stat().st_size)
    assert files.open_source(path).rows == 3
    monkeypatch.setattr(loaded, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(FileError, match="0 MiB of npz; write it as Parquet first"):
        files.open_source(path)


def test_the_head_that_tells_an_encoding(tmp_path):
    for data, told_ in (
        (b"\xff\xfea\0", "utf-16"), (b"\xfe\xff\0a", "utf-16"),
        ("abcde".encode("utf-16-le"), "utf-16-le"),
        (b"", "utf-8"), (b"a", "utf-8"), (b"a\0b\0c\0d\0ef", "utf-8"), (b"abc", "utf-8"),
        (b"a\0b\0c\0d\0e\0f\0g\0h\0i\0jk", "utf-16-le"),
    ):  # fmt: skip
        (tmp_path / "a").write_bytes(data)
        assert text.encoding_of(tmp_path / "a", None) == told_, data


def test_a_group_is_read_by_its_rows_bytes_and_longest_text(tmp_path, monkeypatch):
    rows = pa.table({"word": ["x" * 100, "y"] * 500, "n": [0] * 1000})
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=800)
    with pq.ParquetFile(tmp_path / "a.parquet") as file:
        sizes = [file.metadata.row_group(i).total_byte_size for i in range(2)]
    asked, original = [], parquet._at_a_time
    monkeypatch.setattr(
        parquet, "_at_a_time", lambda *given: asked.append(given) or original(*given)
    )
    assert sum(map(len, parquet.parquet_rows(tmp_path / "a.parquet", None, 300))) == 1000
    assert asked == [(800, sizes[0], 0, 300), (200, sizes[1], 0, 300)]
    asked.clear()
    monkeypatch.setattr(parquet, "MAX_BATCH_BYTES", 800 * sizes[0] - 1)
    monkeypatch.setattr(parquet, "PIECE_BYTES", 3000)
    found = list(parquet.parquet_rows(tmp_path / "a.parquet", None, 300))
    assert pa.concat_tables(found).equals(rows)
    assert asked == [(800, sizes[0], 100, 300), (200, sizes[1], 0, 300)]


def test_the_longest_text_is_known_once_each_dictionary_of_a_column_is():
    words = pa.array(["aaa"]).dictionary_encode()
    empty = pa.array([None], words.type)
    both = pa.StructArray.from_arrays([words, empty], ["a", "b"])
    whole = pa.StructArray.from_arrays([words, words], ["a", "b"])
    batch = pa.record_batch({"both": both, "whole": whole, "plain": pa.array(["a"])})
    assert parquet._longest_words(batch) == {"whole": 3}


@pytest.mark.parametrize("block", [30, 1 << 22])
def test_damage_in_a_later_block_has_its_own_line(tmp_path, monkeypatch, block):
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", block)
    lines = [f"{i:04},b" for i in range(20)]
    lines[3], lines[17] = "xxxx", "yyyy,b,c"
    found = list(csv(tmp_path, "a,b\n" + "\n".join(lines) + "\n").batches())
    assert (len(found) > 2) == (block == 30)
    assert [v for b in found for v in b.table["a"].to_pylist()] == [line[:4] for line in lines]
    assert [line for b in found for line in b.at.values()] == [5, 19]


def test_five_levels_are_taken_out():
    kind, value = pa.int64(), 1
    for name in "gfedcba":
        kind, value = pa.struct([(name, kind)]), {name: value}
    schema = pa.schema([("top", kind)])
    assert flattening.flat_names(schema) == ("top.a.b.c.d",)
    assert list(dict(jsonrows._leaves({"top": value}))) == ["top.a.b.c.d"]
