"""The files that hold the rows of a table: how many, what is in them, what is said of them."""

import errno
import json
import math
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import tables
from geodata.tables import data_files, errors
from geodata.tables.data_files import parquet, schemas


def n_rows(count, start=0):
    return pa.table({"n": pa.array(range(start, start + count), pa.int64())})


def written(root, given, *, file_rows=100, order=7):
    root.mkdir(exist_ok=True)
    given = list(given)
    return data_files.write(root, iter(given), given[0].schema, order, file_rows)


def groups(path):
    with pq.ParquetFile(path) as file:
        return [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]


@pytest.mark.parametrize(
    ("given", "file_rows", "expected"),
    [
        ([30], 12, [[4, 4, 4], [4, 4, 4], [4, 2]]),
        ([30], 13, [[4, 4, 4], [4, 4, 4], [4, 2]]),
        ([30], 11, [[4, 4], [4, 4], [4, 4], [4, 2]]),
        ([7], 3, [[3], [3], [1]]),
        ([8], 8, [[4, 4]]),
        ([1, 0, 2, 3, 5, 1], 8, [[4, 4], [4]]),
        ([1] * 9, 4, [[4], [4], [1]]),
        ([0], 4, []),
    ],
)
def test_rows_fill_groups_and_groups_fill_files(tmp_path, monkeypatch, given, file_rows, expected):
    """However they come; a group has four rows here, a file as many groups as fit."""
    monkeypatch.setattr(parquet, "ROW_GROUP", 4)
    starts = [sum(given[:i]) for i in range(len(given))]
    pieces = [n_rows(count, start) for count, start in zip(given, starts, strict=True)]
    made = written(tmp_path / "t", pieces, file_rows=file_rows)
    paths = [tmp_path / "t" / file.name for file in made]
    assert [groups(path) for path in paths] == expected
    assert [n for path in paths for n in pq.read_table(path)["n"].to_pylist()] == list(
        range(sum(given))
    )
    for i, (file, path) in enumerate(zip(made, paths, strict=True)):
        assert file.name.startswith(f"part-00000007-{i:05d}-")
        assert file.size == path.stat().st_size
        assert json.loads(file.stats)["numRecords"] == sum(groups(path))


@pytest.mark.parametrize(("most", "expected"), [(32, [[4], [4], [4]]), (33, [[4, 4], [4]])])
def test_a_file_ends_where_it_has_enough_bytes(tmp_path, monkeypatch, most, expected):
    monkeypatch.setattr(parquet, "ROW_GROUP", 4)  # 32 bytes of numbers
    monkeypatch.setattr(parquet, "_MAX_BYTES", most)
    made = written(tmp_path / "t", [n_rows(4), n_rows(4, 4), n_rows(4, 8)])
    assert [groups(tmp_path / "t" / file.name) for file in made] == expected
    monkeypatch.setattr(parquet, "_MAX_BYTES", 65)
    made = written(tmp_path / "u", [n_rows(4), n_rows(4, 4), n_rows(4, 8), n_rows(4, 12)])
    assert [groups(tmp_path / "u" / file.name) for file in made] == [[4, 4, 4], [4]]


def test_figures_of_files():
    """Those that the documentation and the benchmarks speak of."""
    assert (parquet.ROW_GROUP, parquet.FILE_ROWS, parquet._MAX_BYTES) == (131_072, 524_288, 2**28)


def coded(path):
    """Return the columns that are written with a dictionary."""
    with pq.ParquetFile(path) as file:
        group = file.metadata.row_group(0)
        columns = [group.column(i) for i in range(group.num_columns)]
        return [c.path_in_schema for c in columns if c.has_dictionary_page]


@pytest.mark.parametrize(
    ("values", "repeats"),
    [
        ([0, 0, 1, 1], True),
        ([0, 0, 1, 2], False),
        ([*range(2048), *range(2048)], True),
        ([*range(2049), *range(2047)], False),
        ([*range(4096), *[0] * 9000], False),
        ([*[0] * 4096, *range(9000)], True),
    ],
)
def test_columns_whose_values_repeat_have_a_dictionary(tmp_path, values, repeats):
    rows = pa.table({"same": [1] * len(values), "n": values, "own": list(range(len(values)))})
    (file,) = written(tmp_path / "t", [rows], file_rows=10**6)
    assert coded(tmp_path / "t" / file.name) == ["same", *(["n"] if repeats else [])]
    (file,) = written(tmp_path / "t", [rows.select(["own"])], file_rows=10**6)
    assert coded(tmp_path / "t" / file.name) == []
    nested = rows.append_column("at", pa.array([{"lat": i} for i in range(len(values))]))
    (file,) = written(tmp_path / "t", [nested], file_rows=10**6)
    assert "own" in coded(tmp_path / "t" / file.name)


def test_a_file_is_packed_and_each_page_has_its_checksum(tmp_path):
    (file,) = written(tmp_path / "t", [n_rows(9)])
    path = tmp_path / "t" / file.name
    with pq.ParquetFile(path) as opened:
        assert opened.metadata.row_group(0).column(0).compression == "ZSTD"
        assert opened.metadata.metadata is None
        chunk = opened.metadata.row_group(0).column(0)
    data = bytearray(path.read_bytes())
    data[chunk.data_page_offset + chunk.total_compressed_size - 1] ^= 1  # in the page's values
    path.write_bytes(data)
    with pytest.raises(OSError, match=r"(?i)crc|checksum"):
        list(data_files.read(path, n_rows(0).schema))


def test_rows_are_read_in_the_order_of_the_schema_so_many_a_time(tmp_path):
    rows = pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    (file,) = written(tmp_path / "t", [rows])
    schema = pa.schema([("b", pa.string()), ("a", pa.int64()), ("new", pa.float64())])
    found = list(data_files.read(tmp_path / "t" / file.name, schema, 2))
    assert [table.num_rows for table in found] == [2, 1]
    assert pa.concat_tables(found).to_pydict() == {
        "b": ["x", "y", "z"], "a": [1, 2, 3], "new": [None] * 3
    }  # fmt: skip


def stats(tmp_path, rows, **options):
    (file,) = written(tmp_path / "t", [rows], **options)
    found = json.loads(file.stats)
    assert found["nullCount"] == {}
    return found["minValues"], found["maxValues"]


def test_the_range_of_a_file_is_that_of_all_its_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP", 2)
    rows = pa.table({
        "n": [5, 6, 1, 2, 8, 9], "x": [0.5, None, 0.25, 2.0, -1.0, 3.0],
        "none": pa.array([1, 2, None, None, 3, 4]),  # a group without values has no range
        "null": pa.array([None] * 6, pa.int64()),
        "text": ["b", "a", "d", "c", "f", "é"],
    })  # fmt: skip
    low, high = stats(tmp_path, rows)
    assert low == {"n": 1, "x": -1.0, "text": "a"}
    assert high == {"n": 9, "x": 3.0, "text": "é"}


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_the_range_of_a_file_is_that_of_any_of_its_groups(tmp_path, monkeypatch, order):
    """The least and the largest may lie in the first group, between, or in the last."""
    monkeypatch.setattr(parquet, "ROW_GROUP", 1)
    rows = pa.table({"n": [1, 5, 9], "x": [-2.5, 0.0, 7.5], "text": ["a", "m", "z"]})
    low, high = stats(tmp_path, rows.take(list(order)))
    assert low == {"n": 1, "x": -2.5, "text": "a"}
    assert high == {"n": 9, "x": 7.5, "text": "z"}


def test_what_has_no_plain_range_has_none(tmp_path):
    rows = pa.table({
        "short": ["a", "x" * 32], "long": ["a", "x" * 33], "long_first": ["A" * 33, "b"],
        "inf": [1.0, math.inf], "minus": [-math.inf, 0.0], "nan": [math.nan, 1.0],
        "flag": [True, False], "day": pa.array([0, 1], pa.date32()),
        "at": [{"n": 1}, {"n": 2}], "list": [[1], [2]], "bytes": [b"a", b"b"],
        "small": pa.array([1, 2], pa.int8()), "half": pa.array([1.0, 2.0], pa.float32()),
        "n": [3, 4],
    })  # fmt: skip
    low, high = stats(tmp_path, rows)
    assert low == {"short": "a", "nan": 1.0, "small": 1, "half": 1.0, "n": 3}
    assert high == {"short": "x" * 32, "nan": 1.0, "small": 2, "half": 2.0, "n": 4}


def failing(pieces, error):
    yield from pieces
    raise error


def test_what_was_written_before_an_error_is_removed_and_the_error_stays(tmp_path):
    schema = n_rows(0).schema
    for error in (ValueError("x"), FileNotFoundError("theirs"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as told:
            data_files.write(tmp_path, failing([n_rows(4), n_rows(4)], error), schema, 0, 3)
        assert told.value is error
        assert list(tmp_path.iterdir()) == []


def test_a_full_disk_of_the_rows_is_theirs_and_one_of_the_table_ours(tmp_path, monkeypatch):
    schema, full = n_rows(0).schema, OSError(errno.ENOSPC, "elsewhere")
    with pytest.raises(OSError, match="elsewhere") as told:
        data_files.write(tmp_path, failing([n_rows(4)], full), schema, 0, 3)
    assert told.value is full

    def write_one(*_):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(parquet, "write_one", write_one)
    with pytest.raises(tables.StorageFullError) as told:
        written(tmp_path / "t", [n_rows(4)])
    assert str(told.value) == (
        f"{tmp_path / 't'}: no room left while writing rows ([Errno 28] no space); the table is as "
        "it was before: free space or choose another disk, then try again"
    )


def test_a_file_that_was_taken_is_told_unless_the_whole_table_went(tmp_path, monkeypatch):
    def write_one(path, *_):
        if gone:
            path.parent.rmdir()
        raise FileNotFoundError(path)

    monkeypatch.setattr(parquet, "write_one", write_one)
    gone = False
    with pytest.raises(tables.TableConflictError, match="was removed meanwhile"):
        written(tmp_path / "t", [n_rows(1)])
    gone = True
    with pytest.raises(FileNotFoundError):
        written(tmp_path / "t", [n_rows(1)])


def test_files_that_are_gone_are_removed_already(tmp_path):
    made = written(tmp_path / "t", [n_rows(4)], file_rows=1)
    (tmp_path / "t" / made[1].name).unlink()
    parquet.remove(tmp_path / "t", made)
    assert list((tmp_path / "t").iterdir()) == []


def test_a_time_is_milliseconds_since_1970(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1.2345)
    assert parquet.now_ms() == 1234


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, ""), True),
        (OSError(errno.EDQUOT, ""), True),
        (OSError(errno.EFBIG, ""), True),
        (OSError(errno.EACCES, ""), False),
        (ValueError("Generic: write (os error 28)"), True),
        (ValueError("first (os error 2)\nthen (os error 122)"), True),
        (ValueError("os error 28"), False),
        (ValueError("(os error 280)"), False),
        (ValueError("(os error 2) of 28)"), False),
    ],
)
def test_what_means_a_full_disk(tmp_path, error, is_full):
    assert errors.is_full(error) == is_full
    with (
        pytest.raises((tables.StorageFullError, type(error))) as told,
        errors.storage(tmp_path, "trying"),
    ):
        raise error
    assert isinstance(told.value, tables.StorageFullError) == is_full
    if is_full and isinstance(error, ValueError):
        line = next(line for line in str(error).splitlines() if "os error" in line)
        assert f"while trying ({line.strip()});" in str(told.value)


def test_a_full_disk_is_told_once_and_in_one_line(tmp_path):
    with pytest.raises(tables.StorageFullError) as told, errors.storage(tmp_path, "trying"):
        raise ValueError("a long story\n  of it (os error 28)  \nand more")
    assert "(of it (os error 28));" in str(told.value)
    known = OSError(errno.ENOSPC, "known")
    with pytest.raises(OSError, match="known"), errors.storage(tmp_path, "x", passing=[known]):
        raise known
    ours = tables.TableConflictError("(os error 28)")
    with pytest.raises(tables.TableConflictError), errors.storage(tmp_path, "x"):
        raise ours


# columns

TEXT, BYTES = pa.string(), pa.binary()
KEPT = [
    (pa.uint8(), pa.int16()), (pa.uint16(), pa.int32()), (pa.uint32(), pa.int64()),
    (pa.uint64(), pa.int64()), (pa.int8(), pa.int8()), (pa.float16(), pa.float32()),
    (pa.float32(), pa.float32()), (pa.float64(), pa.float64()), (pa.bool_(), pa.bool_()),
    (TEXT, TEXT), (pa.large_string(), TEXT), (pa.string_view(), TEXT),
    (BYTES, BYTES), (pa.large_binary(), BYTES), (pa.binary_view(), BYTES),
    (pa.dictionary(pa.int8(), pa.large_binary()), BYTES),
    (pa.timestamp("s"), pa.timestamp("us")), (pa.timestamp("ns"), pa.timestamp("us")),
    (pa.timestamp("ms", "Asia/Tokyo"), pa.timestamp("us", "UTC")),
    (pa.date32(), pa.date32()), (pa.date64(), pa.date32()),
    (pa.decimal128(9, 2), pa.decimal128(9, 2)), (pa.decimal256(9, 2), None),
    (pa.time32("s"), None), (pa.time64("us"), None), (pa.duration("s"), None),
    (pa.month_day_nano_interval(), None), (pa.null(), None),
    (pa.list_(pa.uint8()), pa.list_(pa.int16())), (pa.large_list(TEXT), pa.list_(TEXT)),
    (pa.list_(pa.float32(), 3), pa.list_(pa.float32())), (pa.list_(pa.time32("s")), None),
    (pa.struct([("a", pa.uint8()), ("b", TEXT)]), pa.struct([("a", pa.int16()), ("b", TEXT)])),
    (pa.struct([("a", TEXT), ("b", pa.duration("s"))]), None),
    (pa.map_(pa.large_string(), pa.uint8()), pa.map_(TEXT, pa.int16())),
    (pa.map_(pa.time32("s"), TEXT), None), (pa.map_(TEXT, pa.time32("s")), None),
    (pa.run_end_encoded(pa.int32(), TEXT), None),
    (pa.dense_union([pa.field("a", TEXT)]), None), (pa.sparse_union([pa.field("a", TEXT)]), None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "kept"), KEPT, ids=lambda kind: str(kind))
def test_the_type_that_a_column_is_stored_as(kind, kept):
    assert schemas.kept_type(kind) == kept
    is_null = pa.types.is_null(kind)
    schema = pa.schema([pa.field("c", kind, nullable=is_null, metadata={"a": "b"})])
    if kept is not None:
        found = schemas.kept_schema(schema)
        assert found == pa.schema([("c", kept)])
        assert found.field("c").metadata == {b"a": b"b"}
        return
    remedy = (
        "all its values are NULL: give it a type, for example pa.nulls(n, pa.string())"
        if is_null
        else "cast it to a number, text, a date or a timestamp"
    )
    with pytest.raises(tables.TableSchemaError) as told:
        schemas.kept_schema(schema)
    assert str(told.value) == f"column 'c' has type {kind}, which no table holds; {remedy}"


KNOWN = pa.schema([("n", pa.int32()), ("x", pa.float32()), ("t", TEXT), ("b", pa.bool_())])


@pytest.mark.parametrize(
    ("name", "kind", "fits"),
    [
        ("n", pa.int32(), True), ("n", pa.int8(), True), ("n", pa.uint16(), True),
        ("n", pa.uint32(), True), ("n", pa.int64(), False), ("n", pa.float32(), False),
        ("n", TEXT, False), ("n", pa.null(), True), ("n", pa.bool_(), False),
        ("x", pa.float16(), True), ("x", pa.float32(), True), ("x", pa.float64(), False),
        ("x", pa.int8(), False), ("t", pa.large_string(), True), ("t", BYTES, False),
        ("b", pa.int8(), False), ("t", pa.null(), True),
    ],
)  # fmt: skip
def test_a_column_fits_that_of_the_table_or_is_refused(name, kind, fits):
    rows = pa.schema([("new", pa.uint8()), (name, kind)])
    if fits:
        assert schemas.kept_schema(rows, KNOWN) == pa.schema([*KNOWN, ("new", pa.int16())])
        return
    with pytest.raises(tables.TableSchemaError) as told:
        schemas.kept_schema(rows, KNOWN)
    assert str(told.value) == (
        f"column {name!r} is {kind} in these rows and {KNOWN.field(name).type} in the table; cast "
        "it, or rebuild the table with write()"
    )


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "the rows have no columns; a table needs at least one"),
        ([""], "column name '' is empty, padded or holds control characters; rename it"),
        ([" a"], "column name ' a' is empty, padded"), (["a\n"], "column name 'a\\n' is empty"),
        (["a\x07b"], "column name 'a\\x07b' is empty"),
        (["lat", "id", "Lat"], "columns 'lat' and 'Lat' are one name to SQL; rename one"),
        (["id", "id"], "columns 'id' and 'id' are one name to SQL; rename one"),
        (["N"], "column 'N' and the table's 'n' differ only in case; rename it"),
    ],
)  # fmt: skip
def test_names_that_no_table_takes(names, told):
    with pytest.raises(tables.TableSchemaError) as error:
        schemas.kept_schema(pa.schema([(name, TEXT) for name in names]), KNOWN)
    assert str(error.value).startswith(told)


def test_rows_are_fitted_chunk_by_chunk():
    rows = pa.table({"n": pa.chunked_array([[1, 2], [3]]), "rest": [1, 2, 3]})
    schema = pa.schema([("t", TEXT), ("n", pa.int16())])
    found = schemas.fitted(rows, schema)
    assert found.schema == schema
    assert found.to_pydict() == {"t": [None] * 3, "n": [1, 2, 3]}
    assert found["n"].num_chunks == 2
    with pytest.raises(tables.TableSchemaError, match=r"^column 'n' does not fit int8: .*300"):
        schemas.fitted(pa.table({"n": [300]}), pa.schema([("n", pa.int8())]))


def test_what_speaks_arrow_is_taken_with_its_own_columns_or_those_given():
    rows = n_rows(3)
    (batch,) = rows.to_batches()
    given = pa.schema([("n", pa.int8())])
    for one in (rows, batch, rows.to_reader()):
        schema, stream = schemas.stream(one)
        assert schema == rows.schema
        assert pa.concat_tables(stream).equals(rows)
    for one in (rows, batch):
        assert schemas.stream(one, given)[0] == given
    schema, stream = schemas.stream(iter([rows, batch]), given)
    assert schema == given
    assert [table.num_rows for table in stream] == [3, 3]
    for one in (5, "n", {"n": [1]}, [rows]):
        with pytest.raises(TypeError, match=rf"^rows are {type(one).__name__}; expected a pyarrow"):
            schemas.stream(one)
    with pytest.raises(TypeError, match=r"^rows are int; expected a pyarrow"):
        schemas.stream(5, given)
    with pytest.raises(TypeError, match=r"^the rows hold a dict; expected tables or record"):
        list(schemas.stream([{}], given)[1])
    with pytest.raises(
        tables.TableSchemaError, match=r"have the columns n; the schema given .* m$"
    ):
        list(schemas.stream([rows], pa.schema([("m", pa.int64())]))[1])


@pytest.mark.parametrize("names", [["a"], ["b", "a"], ["a", "b", "c"], ["a", "B"]])
def test_each_part_has_the_columns_that_were_told_and_in_their_order(names):
    """A part with fewer would become NULLs that nobody asked for."""
    given = pa.schema([("a", pa.int64()), ("b", pa.int64())])
    parts = [pa.table({"a": [1], "b": [2]}), pa.table({name: [1] for name in names})]
    schema, stream = schemas.stream(parts, given)
    assert schema == given
    assert next(stream).num_rows == 1
    with pytest.raises(tables.TableSchemaError, match=f"have the columns {', '.join(names)}; the"):
        next(stream)
