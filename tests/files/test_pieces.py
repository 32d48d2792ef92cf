"""Batches are bounded in bytes as they unfold, whatever holds the rows, and lose none."""

import contextlib
import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from geodata import files, tables
from geodata.files import FileError
from geodata.files.readers import cutting, loaded, parquet

LONG = "x" * 1000


def written_out(value):
    """Return the bytes of a Python value: texts their length, numbers eight."""
    if value is None:
        return 0
    if isinstance(value, str | bytes):
        return len(value.encode() if isinstance(value, str) else value)
    if isinstance(value, dict):
        return sum(map(written_out, value.values()))
    return sum(map(written_out, value)) if isinstance(value, list | tuple) else 8


texts = st.one_of(st.none(), st.text(max_size=6))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "word": texts,
            "bytes": st.one_of(st.none(), st.binary(max_size=5)),
            "words": st.one_of(st.none(), st.lists(texts, max_size=3)),
            "inner": st.fixed_dictionaries({"text": texts, "more": st.lists(texts, max_size=2)}),
            "turns": st.lists(st.fixed_dictionaries({"role": texts}), max_size=2),
        }
    ),
    max_size=12,
)
SCHEMA = pa.schema(
    [
        ("word", pa.string()),
        ("bytes", pa.binary()),
        ("words", pa.list_(pa.string())),
        ("inner", pa.struct([("text", pa.string()), ("more", pa.list_(pa.string()))])),
        ("turns", pa.list_(pa.struct([("role", pa.string())]))),
    ]
)


@settings(deadline=None)
@given(rows=ROWS, start=st.integers(0, 3))
def test_the_bytes_of_a_row_are_those_of_its_values(rows, start):
    table = pa.Table.from_pylist(rows, SCHEMA).slice(start)
    coded = table["word"].dictionary_encode()
    for column in (*table.columns, coded):
        told = [size for chunk in column.chunks for size in cutting.row_bytes(chunk).tolist()]
        assert told == list(map(written_out, column.to_pylist()))


@settings(deadline=None)
@given(lists=st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), max_size=6))
@pytest.mark.parametrize("kind", [pa.list_(pa.int64(), 2), pa.large_list(pa.int64())], ids=str)
def test_lists_of_numbers_count_by_their_width(kind, lists):
    column = pa.array(lists, kind)
    assert cutting.row_bytes(column).tolist() == [16] * len(lists)
    assert cutting.row_bytes(column[1:]).tolist() == [16] * max(0, len(lists) - 1)


@settings(deadline=None)
@given(rows=ROWS, most=st.integers(1, 40))
def test_pieces_hold_all_rows_and_no_more_bytes_than_asked(rows, most):
    table = pa.Table.from_pylist(rows, SCHEMA)
    coded = table.set_column(0, "word", table["word"].dictionary_encode())
    made = list(cutting.pieces(coded, "it", most))
    assert [row for piece in made for row in piece.to_pylist()] == rows
    for piece in made:
        size = sum(written_out(row) for row in piece.to_pylist())
        assert size <= most or piece.num_rows == 1 or coded.nbytes <= most


def test_pieces_are_as_long_as_they_may_be():
    words = pa.table({"word": pa.array(["ab"] * 7).dictionary_encode()})
    assert [t.num_rows for t in cutting.pieces(words, "it", 6)] == [3, 3, 1]
    assert [t.num_rows for t in cutting.pieces(words, "it", 5)] == [2, 2, 2, 1]
    assert [t.num_rows for t in cutting.pieces(words, "it", 1)] == [1] * 7


@pytest.fixture
def small(monkeypatch):
    """Bounds a thousandth of what they are, so that small files meet them."""
    for module in (cutting, parquet):
        monkeypatch.setattr(module, "PIECE_BYTES", 1 << 15)
    monkeypatch.setattr(parquet, "MAX_BATCH_BYTES", 1 << 17)
    monkeypatch.setattr(parquet, "SMALL_ROWS", 64)
    monkeypatch.setattr(parquet, "SMALLEST_ROWS", 16)
    for module in (cutting, loaded):
        monkeypatch.setattr(module, "FREE_BYTES", 1 << 19)
    monkeypatch.setattr(cutting, "BOMB_ROW_BYTES", 2000)


@pytest.mark.parametrize(
    ("free", "ratio", "a_row", "refused"),
    [
        (8000, 0, 7, False),  # 1000 rows of 8 bytes: as much as any file may
        (7999, 0, 7, True),
        (0, 80, 7, False),  # as many times the 100 bytes of the file
        (0, 79, 7, True),
        (0, 0, 8, False),  # as long as rows may be
    ],
)
def test_a_file_may_unfold_up_to_its_bounds(monkeypatch, free, ratio, a_row, refused):
    monkeypatch.setattr(cutting, "FREE_BYTES", free)
    monkeypatch.setattr(cutting, "BOMB_RATIO", ratio)
    monkeypatch.setattr(cutting, "BOMB_ROW_BYTES", a_row)
    table = pa.table({"n": pa.array(range(1000), pa.int64())})
    with pytest.raises(FileError) if refused else contextlib.nullcontext():
        assert pa.concat_tables(cutting.pieces_of_file([table], "x", 100)) == table


NESTED = [
    ("text", lambda n: [LONG] * n),
    ("text after NULLs", lambda n: [None] * (n // 2) + [LONG] * (n - n // 2)),
    ("only NULL", lambda n: pa.nulls(n, pa.string())),
    ("binary", lambda n: [LONG.encode()] * n),
    ("a.b", lambda n: [{"c": LONG, "d": i} for i in range(n)]),
    ("list", lambda n: [["y", LONG]] * n),
    ("turns", lambda n: [[{"role": "user", "content": LONG}]] * n),
    ("map", lambda n: pa.array([[("k", LONG)]] * n, pa.map_(pa.string(), pa.string()))),
    ("numbers", lambda n: [[0.0] * 125] * n),
    ("one long", lambda n: ["a"] * (n - 1) + [LONG * 30]),
    ("fixed", lambda n: pa.array([LONG.encode()] * n, pa.binary(1000))),
    ("coded", lambda n: pa.array([LONG] * n).dictionary_encode()),
]


@pytest.mark.parametrize("group", [7, 300])
@pytest.mark.parametrize(("name", "make"), NESTED, ids=[name for name, _ in NESTED])
def test_parquet_of_any_kind_comes_whole_in_pieces(small, tmp_path, name, make, group):
    path = tmp_path / "a.parquet"
    table = pa.table({name: make(300), "id": list(map(str, range(300)))})
    pq.write_table(table, path, row_group_size=group)
    for wanted in (None, [name], ["id"]):
        made = list(parquet.parquet_rows(path, wanted, 100, threads=wanted is None))
        expected = table if wanted is None else table.select(wanted)
        assert pa.concat_tables(made).to_pylist() == expected.to_pylist()
        assert {t.schema for t in made} == {pq.read_table(path, columns=wanted).schema}
        assert max(t.num_rows for t in made) <= 100
        for one in made:
            size = sum(written_out(row) for row in one.to_pylist())
            assert size <= 1 << 15 or one.num_rows == 1


@pytest.mark.parametrize("row", [1000, 3000])
def test_a_file_is_a_bomb_only_if_its_rows_are_long(small, tmp_path, row):
    """A question of a thousand letters that every row repeats is no bomb."""
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(2000, np.int32)), ["x" * row])
    table = pa.table({"lat": np.zeros(2000), "id": words})
    pq.write_table(table, tmp_path / "a.parquet")
    feather.write_feather(table, tmp_path / "a.feather")
    for path in (tmp_path / "a.parquet", tmp_path / "a.feather"):
        source = files.open_source(path)
        if row == 1000:
            assert sum(t.num_rows for t in source.tables()) == 2000
            assert sum(b.table.num_rows for b in source.batches()) == 2000
            continue
        told = rf"{path.name}: \d+ rows unfold from \d+ bytes into \d MiB; the file is"
        for read in (source.tables, source.batches):
            with pytest.raises(FileError, match=told):
                list(read())
        assert len(list(source.tables(["lat"]))) == 1  # the other columns are as good as ever


def test_a_table_in_memory_is_nobodys_bomb(small):
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(2000, np.int32)), ["x" * 3000])
    source = files.open_source(pa.table({"id": words}))
    made = [batch.table for batch in source.batches()]
    assert sum(t.num_rows for t in made) == 2000
    assert max(t.nbytes for t in made) <= 1 << 15


def test_a_row_that_fills_memory_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(cutting, "MAX_ROW_BYTES", 1000)
    monkeypatch.setattr(cutting, "PIECE_BYTES", 100)
    for length, told in ((1000, False), (1_100_000, True)):
        table = pa.table({"id": ["a", "x" * length]})
        pq.write_table(table, tmp_path / "a.parquet")
        read = parquet.parquet_rows(tmp_path / "a.parquet")
        if told:
            with pytest.raises(
                FileError, match=r"a.parquet: a row unfolds into 1 MiB, .*\(0\); le"
            ):
                list(read)
        else:
            assert [t.num_rows for t in read] == [1, 1]


def test_lists_that_claim_far_more_than_the_file_holds_are_refused(monkeypatch, tmp_path):
    path = tmp_path / "a.parquet"
    lists = pa.array([[0.0] * 1000] * 1000)
    pq.write_table(pa.table({"id": ["a"] * 1000, "lists": lists}), path)
    assert sum(t.num_rows for t in parquet.parquet_rows(path)) == 1000
    monkeypatch.setattr(parquet, "BOMB_ROWS", 900_000)
    with pytest.raises(FileError, match=r"lists in row group 0 unfold from \d+ bytes into 7 MiB"):
        files.open_source(path)


@pytest.mark.parametrize("packing", ["zstd", "lz4", "uncompressed"])
def test_a_batch_of_arrow_that_unfolds_is_refused_before_it_is_unpacked(small, tmp_path, packing):
    path = tmp_path / "a.feather"
    for rows, told in ((500, False), (600, True)):
        feather.write_feather(pa.table({"id": [LONG] * rows}), path, compression=packing)
        if told and packing != "uncompressed":  # what is not packed is mapped and costs nothing
            with pytest.raises(FileError, match=r"a batch of \d+ bytes unfolds into 0 MiB; write"):
                files.open_source(path)
        else:
            assert files.read_table(path).num_rows == rows


@pytest.mark.parametrize("is_file", [True, False])
def test_arrow_comes_batch_by_batch_with_the_columns_asked_for(small, tmp_path, is_file):
    path = tmp_path / "a.arrow"
    table = pa.table({"a": list(range(500)), "b": ["x" * 90] * 500, "c": [{"d": 1}] * 500})
    new = pa.ipc.new_file if is_file else pa.ipc.new_stream
    with pa.OSFile(str(path), "wb") as sink, new(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=50)
    source = files.open_source(path)
    assert source.rows == 500
    assert source.schema == table.schema
    assert pa.concat_tables(source.tables()).equals(table)
    made = [batch.table for batch in source.batches(["c.d", "a"])]
    assert pa.concat_tables(made).to_pylist() == [{"c.d": 1, "a": i} for i in range(500)]
    assert max(t.num_rows for t in source.tables(rows=70)) <= 70
    assert [t.num_rows for t in source.tables(rows=100)] == [100] * 5


def test_members_of_a_zip_that_unfold_are_refused(small, tmp_path):
    path = tmp_path / "a.npz"
    for rows, told in ((1000, False), (100_000, True)):
        np.savez_compressed(path, lat=np.zeros(rows), lon=np.zeros(rows))
        if told:
            with pytest.raises(FileError, match=r"members unfold from \d+ bytes into 1 MiB"):
                files.open_source(path)
        else:
            assert files.read_table(path).num_rows == rows


def test_a_packed_text_that_would_fill_memory_is_refused_where_it_is_held_whole(small, tmp_path):
    import gzip

    from geodata.files import reading

    path = tmp_path / "a.csv.gz"
    for rows, told in ((1000, False), (40_000, True)):
        path.write_bytes(gzip.compress(b"id,lat,lon\n" + b"photo,1.2345678,2.3456789\n" * rows))
        reading.FREE_BYTES = 1 << 19
        try:
            if told:
                with pytest.raises(
                    FileError, match=r"unfolds from \d+ bytes into \d+ MiB and more"
                ):
                    files.read_table(path)
            else:
                assert files.read_table(path).num_rows == rows
        finally:
            reading.FREE_BYTES = 1 << 29
    assert sum(b.table.num_rows for b in files.open_source(path).batches()) == 40_000


def test_a_lake_is_read_in_pieces_too(small, tmp_path):
    tables.write(tmp_path / "lake" / "t", pa.table({"id": [LONG] * 300, "n": range(300)}))
    made = list(tables.open(tmp_path / "lake" / "t").batches())
    assert pa.concat_tables(made)["n"].to_pylist() == list(range(300))
    assert max(sum(written_out(row) for row in one.to_pylist()) for one in made) <= 1 << 15


def test_words_are_read_beside_their_rows_where_batches_end_elsewhere(small, tmp_path):
    """Answers come in larger batches than the words behind them."""
    from geodata.evaluation.joining import join

    said = ["I cannot tell. " + "x" * 900, "48.1, 2.1 " + "y" * 900, ""]
    rows = [
        {"id": str(i), "lat": None if i % 2 else 1.0, "lon": None if i % 2 else 2.0,
         "answer": said[i % 3]}
        for i in range(300)
    ]  # fmt: skip
    path = tmp_path / "preds.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    truth = {"id": list(map(str, range(300))), "lat": [0.0] * 300, "lon": [0.0] * 300}
    status = join(path, truth).table(["status"])["status"].to_pylist()
    few = join(pa.Table.from_pylist(rows), truth).table(["status"])["status"].to_pylist()
    assert status == few
    assert {status[i] for i in range(0, 300, 2)} == {"ok"}
    assert len({status[i] for i in range(1, 300, 2)}) > 1
    assert json.dumps(status)


def test_what_is_no_regular_file_is_called_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    for name, what in (
        ("pipe", "a pipe or device"),
        ("zero", "a pipe or device"),
        ("no", "nothing"),
    ):
        with pytest.raises(FileError, match=f"{name}.csv: expected a csv file, found {what} there"):
            files.open_source(tmp_path / f"{name}.csv")


@pytest.mark.parametrize("checksums", [False, True])
def test_a_page_that_was_changed_is_noticed(tmp_path, checksums):
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"n": [12345, 67890]}), path, write_page_checksum=True, use_dictionary=False,
        compression="none", write_statistics=False,
    )  # fmt: skip
    content = bytearray(path.read_bytes())
    content[content.index((67890).to_bytes(8, "little"))] ^= 1
    path.write_bytes(content)
    read = parquet.parquet_rows(path, checksums=checksums)
    if checksums:
        with pytest.raises(OSError, match="CRC"):
            list(read)
    else:
        assert next(read)["n"].to_pylist() == [12345, 67891]
