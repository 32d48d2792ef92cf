"""Versioned tables: versions, notes, tags, damage, full disks, kills and many writers."""

import contextlib
import errno
import importlib.util
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.table import TableAlterer
from hypothesis import given, settings, strategies as st

from geodata import hashing, tables
from geodata.tables.commits import attempts

WRITER = Path(__file__).with_name("table_writer.py")
_spec = importlib.util.spec_from_file_location("table_writer", WRITER)
table_writer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(table_writer)


def photos(n=10, start=0):
    return pa.table(
        {
            "photo_id": pa.array([f"p{start + i}" for i in range(n)], pa.string()),
            "lat": np.linspace(-80, 80, n),
            "lon": np.linspace(-170, 170, n),
        }
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "photos"


# versions


def test_each_append_is_a_version_that_stays(path):
    assert tables.append(path, photos(3)) == 0
    assert tables.append(path, photos(2, 3)) == 1
    assert tables.write(path, photos(1, 9)) == 2
    assert [tables.open(path, v).rows for v in (0, 1, 2)] == [3, 5, 1]
    assert tables.open(path).version == 2
    assert tables.open(path, 1).arrow()["photo_id"].to_pylist() == ["p0", "p1", "p2", "p3", "p4"]
    assert tables.verify(path).ok


def test_every_reader_gives_the_rows_in_order(path):
    for i in range(3):
        tables.append(path, photos(7, 7 * i), file_rows=4)
    version = tables.open(path)
    expected = pa.concat_tables([photos(7, 7 * i) for i in range(3)])
    assert len(version.files) == 6
    assert version.arrow().equals(expected)
    assert version.polars().collect().to_arrow().cast(expected.schema).equals(expected)
    assert version.dataset().to_table().equals(expected)
    assert pa.concat_tables(version.batches()).equals(expected)
    assert version.duckdb().to_arrow_table().equals(expected)
    assert version.arrow(["lat"]).column_names == ["lat"]


def test_filters_reach_the_files(path):
    tables.append(path, photos(1000), file_rows=100)
    con = duckdb.connect()
    relation = tables.open(path).duckdb(con).filter("lat > 79").project("photo_id")
    assert relation.count("*").fetchall() == [(7,)]
    assert "lat>79" in relation.explain().replace(" ", "").replace(".0", "")


def test_new_columns_are_null_in_old_rows_and_missing_ones_in_new(path):
    tables.append(path, photos(2))
    tables.append(path, pa.table({"photo_id": ["x"], "country": ["France"]}))
    tables.append(path, photos(1, 5))
    version = tables.open(path)
    assert version.schema.names == ["photo_id", "lat", "lon", "country"]
    expected = [None, None, "France", None]
    assert version.arrow()["country"].to_pylist() == expected
    assert version.polars().collect()["country"].to_list() == expected
    assert [r[3] for r in version.duckdb().fetchall()] == expected
    assert tables.verify(path).ok
    assert [c.kind for c in tables.history(path)] == ["append", "append", "schema", "append"]


def test_a_column_that_no_file_has_is_null_in_sql(path):
    tables.append(path, photos(2))
    tables.append(path, photos(2).append_column("taken_at", pa.nulls(2, pa.timestamp("us"))))
    only_schema = tables.open(path, [c.version for c in tables.history(path)][1])
    assert only_schema.duckdb().fetchall()[0][3] is None
    assert only_schema.polars().collect()["taken_at"].null_count() == 2
    assert only_schema.duckdb().to_arrow_table().schema.field("taken_at").type == pa.timestamp("us")


def test_local_times_can_be_added_to_a_table_without(path):
    tables.append(path, photos(1))
    taken = pa.array([datetime(2020, 1, 2, 3, 4, 5)], pa.timestamp("ns"))
    tables.append(path, photos(1).append_column("taken_at", taken))
    tables.write(path, pa.table({"other": taken}))
    assert tables.open(path).arrow()["other"].to_pylist() == [datetime(2020, 1, 2, 3, 4, 5)]
    assert tables.verify(path).ok


def test_types_are_kept_or_widened(path):
    rows = pa.table(
        {
            "u8": pa.array([255], pa.uint8()),
            "cell": pa.array([0x8F2830828052D25], pa.uint64()),
            "word": pa.array(["x"]).dictionary_encode(),
            "large": pa.array(["x"], pa.large_string()),
            "view": pa.array(["x"], pa.string_view()),
            "unit": pa.array([[0.1, 0.2, 0.3]], pa.list_(pa.float64(), 3)),
            "turns": [[{"role": "user", "content": "hi"}]],
            "day": [date(2020, 1, 1)],
            "at": pa.array([0], pa.timestamp("s", tz="Europe/Paris")),
            "flag": [True],
            "bytes": [b"\0\1"],
        }
    )
    tables.append(path, rows)
    version = tables.open(path)
    got = version.arrow()
    assert got["cell"].to_pylist() == [0x8F2830828052D25]
    assert got["unit"].to_pylist() == [[0.1, 0.2, 0.3]]
    assert got["turns"].to_pylist() == [[{"role": "user", "content": "hi"}]]
    assert got["at"].to_pylist() == [datetime(1970, 1, 1, tzinfo=UTC)]
    assert version.polars().collect().height == 1
    assert version.duckdb().count("*").fetchall() == [(1,)]
    assert tables.verify(path).ok


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pa.table({"lat": ["48.8"]}), r"column 'lat' is string in these rows and double"),
        (pa.table({"LAT": [48.8]}), r"'LAT' and the table's 'lat' differ only in case"),
        (pa.table({"x": pa.nulls(1)}), r"all its values are NULL: give it a type"),
        (pa.table({"x": pa.array([1], pa.duration("s"))}), r"no table holds"),
        (pa.table({"x": [1], "X": [1]}), r"are one name to SQL"),
        (pa.table({" x": [1]}), r"column name ' x'"),
        (pa.table({}), r"no columns"),
        (pa.table({"c": pa.array([1 << 63], pa.uint64())}), r"does not fit int64"),
    ],
)
def test_columns_that_do_not_fit_are_refused_and_nothing_is_left(path, rows, message):
    tables.append(path, photos(2))
    before = sorted(p.name for p in path.rglob("*"))
    with pytest.raises(tables.TableSchemaError, match=message):
        tables.append(path, rows)
    assert sorted(p.name for p in path.rglob("*")) == before
    assert tables.open(path).version == 0


def test_a_refused_first_append_leaves_no_folder(path):
    with pytest.raises(tables.TableSchemaError):
        tables.append(path, pa.table({"c": pa.array([1, 1 << 63], pa.uint64())}))
    assert not path.exists()


def test_empty_tables(path):
    tables.append(path, photos(0))
    version = tables.open(path)
    assert (version.rows, version.files) == (0, ())
    assert version.arrow().schema == version.schema
    assert version.polars().collect().height == 0
    assert version.duckdb().fetchall() == []
    assert tables.append(path, photos(0)) == 1
    assert tables.verify(path).ok
    assert "n<1K" in tables.card(path)


def test_rows_come_from_anything_that_speaks_arrow(path):
    table = photos(4)
    tables.append(path, table.to_batches()[0])
    tables.append(path, pl.from_arrow(table))
    tables.append(path, duckdb.connect().from_arrow(table))
    batches = (b for t in (table, table) for b in t.to_batches())
    tables.append(path, pa.RecordBatchReader.from_batches(table.schema, batches))
    assert tables.open(path).rows == 20
    with pytest.raises(TypeError, match="rows are list"):
        tables.append(path, [1, 2])


def test_a_failing_stream_commits_nothing(path):
    def broken():
        yield from photos(5).to_batches()
        msg = "the source broke"
        raise OSError(msg)

    tables.append(path, photos(1))
    before = sorted(p.name for p in path.rglob("*"))
    reader = pa.RecordBatchReader.from_batches(photos(1).schema, broken())
    with pytest.raises(OSError, match="the source broke"):
        tables.append(path, reader)
    assert sorted(p.name for p in path.rglob("*")) == before


# names


class ReadingStoppedError(Exception):
    """Of nobody's hierarchy: a caller's own."""


def photos_then(error, n=3):
    yield photos(n)
    yield from photos(n, n).to_batches()
    raise error


@pytest.mark.parametrize(
    "error",
    [ReadingStoppedError("here"), OSError(errno.ENOSPC, "the disk read from"), KeyboardInterrupt()],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("call", [tables.append, tables.write])
def test_an_error_on_the_way_keeps_its_type_and_commits_nothing(path, call, error):
    """Also one that says a disk is full: it is not the table's."""
    cause = ValueError("why")
    error.__cause__ = cause
    with pytest.raises(type(error)) as caught:
        call(path, photos_then(error), schema=photos().schema, file_rows=2)
    assert caught.value is error
    assert error.__cause__ is cause
    assert not path.exists()
    tables.append(path, photos(4))
    files = sorted(path.rglob("*"))
    with pytest.raises(type(error)):
        call(path, photos_then(error), schema=photos().schema, file_rows=2)
    assert sorted(path.rglob("*")) == files
    assert tables.open(path).version == 0
    assert tables.verify(path).ok


def test_an_iterator_with_its_schema_is_written_as_the_rows_are(path):
    schema = photos().schema
    parts = iter([photos(3), photos(0), *photos(4, 3).to_batches()])
    assert tables.append(path, parts, {"source": "parts"}, schema=schema) == 0
    assert tables.open(path).arrow().equals(pa.concat_tables([photos(3), photos(4, 3)]))
    assert tables.history(path)[0].rows_added == 7
    assert tables.write(path, iter(()), schema=schema) == 1
    assert tables.open(path).arrow().schema.names == schema.names
    narrow = pa.schema([("n", pa.int32())])
    assert tables.write(path, [pa.table({"n": [1, 2]})], schema=narrow) == 2
    assert tables.open(path).arrow()["n"].type == pa.int32()


def test_an_iterator_of_something_else_is_refused(path):
    schema = photos().schema
    with pytest.raises(TypeError, match=r"generator.*schema= an iterable of tables"):
        tables.append(path, (photos(1) for _ in range(2)))
    with pytest.raises(TypeError, match="hold a dict; expected tables or record batches"):
        tables.append(path, [photos(1), {"photo_id": "a"}], schema=schema)
    with pytest.raises(tables.TableSchemaError, match="on the way have the columns a; the schema"):
        tables.append(path, [photos(1), pa.table({"a": [1]})], schema=schema)
    assert not path.exists()


@pytest.mark.parametrize(
    "name", ["..", ".hidden", "a/b", "", "a b", "é", "1a", "a'; DROP", "x" * 65, "a.", "a\n"]
)
def test_bad_names_are_refused(tmp_path, name):
    with pytest.raises(tables.TableError, match="cannot name a table or tag"):
        tables.path_of(tmp_path, name)


def test_paths_that_are_addresses_or_hold_percent_are_refused(tmp_path):
    with pytest.raises(tables.TableError, match="give a path"):
        tables.append("https://bucket/photos", photos(1))
    with pytest.raises(tables.TableError, match="give a path"):
        tables.open("s3://bucket/photos")
    for lake in ("s3://bucket/lake", Path("s3://bucket/lake")):  # pathlib takes a slash away
        with pytest.raises(tables.TableError, match=r"s3://bucket/lake.* is an address"):
            tables.names(lake)
    with pytest.raises(tables.TableError, match="rename the folder"):
        tables.append(tmp_path / "a%20b" / "photos", photos(1))


@pytest.mark.parametrize("folder", ["a b", "k=v", "st*r", "b[1]", "q?x", "h#x", "é", "it's"])
def test_odd_folder_names_are_read_as_they_are(tmp_path, folder):
    (tmp_path / "bx").mkdir()
    path = tmp_path / folder / "photos"
    tables.append(path, photos(3))
    version = tables.open(path)
    assert version.duckdb().columns == ["photo_id", "lat", "lon"]
    assert version.duckdb().fetchall() == [tuple(r.values()) for r in photos(3).to_pylist()]
    assert version.polars().collect().height == version.dataset().count_rows() == 3
    assert tables.verify(path).ok
    assert tables.names(tmp_path / folder) == ["photos"]


def test_names_lists_tables_only(tmp_path):
    tables.append(tmp_path / "b", photos(1))
    tables.append(tmp_path / "a", photos(1))
    (tmp_path / "other").mkdir()
    (tmp_path / "file").write_text("x")
    assert tables.names(tmp_path) == ["a", "b"]
    with pytest.raises(tables.TableNotFoundError):
        tables.names(tmp_path / "none")


# notes, history, tags, diff


def test_history_keeps_notes_newest_first(path):
    note = {"inputs": [{"table": "mp16", "version": 3}], "parameters": {"radius_km": 200.0}}
    tables.append(path, photos(3), note=note)
    tables.write(path, photos(1), note={"seed": 7, "text": "Île-de-France"})
    tables.tag(path, "paper", 0)
    newest, oldest = tables.history(path)
    assert (newest.version, newest.kind, newest.rows_added) == (1, "write", 1)
    assert newest.note == {"seed": 7, "text": "Île-de-France"}
    assert oldest.note == note == tables.open(path, 0).note
    assert oldest.tags == ("paper",)
    assert oldest.time.tzinfo is UTC
    assert "geodata" in oldest.software


@pytest.mark.parametrize("note", [{"x": float("nan")}, {"x": {1, 2}}, {"x": np.int64(1)}])
def test_notes_are_json(path, note):
    with pytest.raises(tables.TableError, match="the note must be JSON"):
        tables.append(path, photos(1), note=note)
    assert not path.exists()


@pytest.mark.parametrize("version", [5, -1, "v9", True, 1.0, "-1"])
def test_versions_that_do_not_exist(path, version):
    tables.append(path, photos(1))
    with pytest.raises(tables.VersionNotFoundError):
        tables.open(path, version)


def test_tables_that_do_not_exist(path):
    for call in (tables.open, tables.history, tables.verify, tables.card):
        with pytest.raises(tables.TableNotFoundError, match="there is no table"):
            call(path)
    with pytest.raises(tables.TableNotFoundError):
        tables.open(path, "paper")


def test_tags_name_versions_and_move_only_when_told(path):
    tables.append(path, photos(1))
    tables.append(path, photos(1, 1))
    assert tables.tag(path, "v1.0", 0) == 0
    assert tables.tag(path, "latest") == 1
    assert tables.open(path, "v1.0").rows == 1
    assert tables.open(path, "0").version == 0
    with pytest.raises(tables.TableError, match="is on version 0; give move=True"):
        tables.tag(path, "v1.0", 1)
    tables.tag(path, "v1.0", 1, move=True)
    assert tables.tags(path) == {"latest": 1, "v1.0": 1}
    tables.untag(path, "latest")
    with pytest.raises(tables.VersionNotFoundError, match=r"the tags are v1\.0"):
        tables.untag(path, "latest")
    with pytest.raises(tables.TableError, match="cannot name"):
        tables.tag(path, "../evil", 0)


def test_a_tag_of_no_table_says_that_there_is_none(path):
    """And nothing is made where it was looked for."""
    for call in (tables.tag, tables.untag):
        with pytest.raises(tables.TableNotFoundError, match="there is no table"):
            call(path.parent / "photo", "paper")
    assert not (path.parent / "photo").exists()


def test_a_named_version_is_never_vacuumed(path):
    for i in range(5):
        tables.write(path, photos(2, i))
    tables.tag(path, "paper", 1)
    (path / "part-left-by-a-killed-writer.parquet").write_bytes(b"x")
    assert tables.vacuum(path) == []  # all younger than a week
    listed = tables.vacuum(path, keep=[2], retention_hours=0, dry_run=True)
    assert tables.vacuum(path, keep=[2], retention_hours=0) == listed
    assert len(listed) == 3
    assert [tables.open(path, v).rows for v in ("paper", 2, 4)] == [2, 2, 2]
    with pytest.raises(tables.TableChangedError, match="version 0 cannot be opened"):
        tables.open(path, 0)
    assert tables.verify(path).ok
    with pytest.raises(tables.VersionNotFoundError):
        tables.vacuum(path, keep=[77], retention_hours=0)


def test_vacuum_refuses_where_a_tag_is_damaged(path):
    tables.write(path, photos(1))
    tables.tag(path, "paper")
    tables.write(path, photos(1))
    file = path / "_tags" / "paper.json"
    file.write_text(file.read_text().replace('"version": 0', '"version": 1'))
    with pytest.raises(tables.TableChangedError, match="the tag is damaged"):
        tables.vacuum(path, retention_hours=0)
    assert tables.open(path, 0).rows == 1


def test_diff_counts_rows_and_columns(path):
    tables.append(path, pa.table({"a": [1, 2, 2, 3], "b": ["x"] * 4}))
    tables.append(path, pa.table({"a": [3], "b": ["x"]}))
    tables.write(path, pa.table({"a": [1.0, 3.0], "c": [None, "y"]}))
    grown = tables.diff(path, 0, 1)
    assert (grown.rows_added, grown.rows_removed, grown.same) == (1, 0, False)
    rebuilt = tables.diff(path, 1)
    assert (rebuilt.columns_added, rebuilt.columns_removed) == (("c",), ("b",))
    assert rebuilt.columns_changed == ("a",)
    assert (rebuilt.rows_a, rebuilt.rows_b) == (5, 2)
    assert tables.diff(path, 1, 1).same


# content hash (R14)


def content(table):
    return hashing.digest(hashing.of_table(table), table.schema)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1) | st.none(),
            st.floats() | st.none(),
            st.text() | st.none(),
            st.lists(st.text(max_size=3) | st.none(), max_size=3) | st.none(),
            st.binary(max_size=5) | st.none(),
        ),
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_content_hash_tells_rows_apart_and_ignores_order_and_layout(rows, rng):
    kinds = [pa.int64(), pa.float64(), pa.string(), pa.list_(pa.string()), pa.binary()]

    def build(some):
        columns = list(zip(*some, strict=True)) if some else [[]] * 5
        return pa.table(
            {f"c{i}": pa.array(c, k) for i, (c, k) in enumerate(zip(columns, kinds, strict=True))}
        )

    table, shuffled = build(rows), list(rows)
    rng.shuffle(shuffled)
    other = build(shuffled).select(["c4", "c2", "c0", "c1", "c3"])
    cut = rng.randint(0, len(rows))
    pieces = pa.concat_tables([other.slice(0, cut), other.slice(cut)])
    assert content(pieces) == content(table)
    if rows:
        which, column = rng.randrange(len(rows)), rng.randrange(5)
        changed = list(rows)
        row = list(changed[which])
        row[column] = {0: 5, 1: 2.5, 2: "other", 3: ["o", "o", "o", "o"], 4: b"another"}[column]
        if row[column] != rows[which][column]:
            changed[which] = tuple(row)
            assert content(build(changed)) != content(table)
        assert content(build(rows + rows[:1])) != content(table)


def test_values_that_look_alike_have_their_own_hash():
    one = [
        pa.table({"a": ["x", None]}),
        pa.table({"a": ["x", ""]}),
        pa.table({"a": ["", "x\0"]}),
        pa.table({"a": ["x\0", None]}),
        pa.table({"b": ["x", None]}),
        pa.table({"a": [b"x", None]}),
        pa.table({"a": [["x"], None]}),
        pa.table({"a": [["x"], []]}),
        pa.table({"a": [["x", None], []]}),
        pa.table({"a": [[None, "x"], []]}),
        pa.table({"a": [0, 1]}),
        pa.table({"a": [0.0, 1.0]}),
        pa.table({"a": [False, True]}),
        pa.table({"a": [{"k": "x"}, None]}),
        pa.table({"a": [{"k": "x"}, {"k": None}]}),
    ]
    assert len({content(t) for t in one}) == len(one)


def test_values_swapped_between_rows_change_the_content():
    assert content(pa.table({"a": [1, 2], "b": [1, 2]})) != content(
        pa.table({"a": [1, 2], "b": [2, 1]})
    )


def test_long_and_repeated_texts_hash_as_short_ones_do():
    words = ["Île-de-France", "", None, "x" * 70_000, "日本"] * 400
    rng = np.random.default_rng(0)
    table = pa.table({"a": pa.array(words)})
    shuffled = table.take(rng.permutation(len(words)))
    singly = hashing.combine(hashing.of_table(table.slice(i, 1)) for i in range(len(words)))
    assert hashing.of_table(shuffled) == hashing.of_table(table) == singly


@pytest.mark.parametrize("size", [1, 3, 64])
def test_texts_hash_the_same_in_pieces_of_any_size(size, monkeypatch):
    texts = pa.array(["abcdefgh" * 9, "", None, "é", "x" * 200, "abc", "z" * 64, "日本"])
    for some in (texts, texts.slice(3, 3)):
        monkeypatch.undo()
        whole = hashing.text_hashes(some).tolist()
        assert len(set(whole)) == len(set(some.fill_null("").to_pylist()))
        monkeypatch.setattr(hashing, "_TEXT_BYTES", size)
        assert hashing.text_hashes(some).tolist() == whole


def test_content_hash_is_the_same_for_any_files_threads_and_hash_seed(tmp_path):
    """R14: 1 and 8 threads, any PYTHONHASHSEED, any file layout."""
    rng = np.random.default_rng(1)
    table = photos(5000).append_column(
        "country", pa.array(["France", "Japan", None, "Peru"] * 1250)
    )
    tables.append(tmp_path / "a", table)
    for start in range(0, 5000, 1000):
        piece = table.take(rng.permutation(5000)[:0]) if start < 0 else table.slice(start, 1000)
        tables.append(tmp_path / "b", piece, file_rows=300)
    tables.write(tmp_path / "c", table.take(rng.permutation(5000)))
    hashes = set()
    before = pa.cpu_count()
    try:
        for threads in (1, 8):
            pa.set_cpu_count(threads)
            hashes |= {tables.open(tmp_path / name).content_hash for name in "abc"}
            hashes |= {tables.verify(tmp_path / name).content_hash for name in "abc"}
    finally:
        pa.set_cpu_count(before)
    code = "import sys; from geodata import tables; print(tables.verify(sys.argv[1]).content_hash)"
    for seed in ("1", "77"):
        hashes.add(
            subprocess.run(
                [sys.executable, "-c", code, str(tmp_path / "b")],
                env={**os.environ, "PYTHONHASHSEED": seed},
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
        )
    assert len(hashes) == 1


def test_a_column_of_nulls_counts_as_a_missing_one(path):
    tables.append(path, photos(2))
    tables.append(path, photos(1, 2).append_column("x", pa.array([1])))
    whole = tables.open(path).arrow()
    assert whole["x"].to_pylist() == [None, None, 1]
    assert tables.open(path).content_hash == content(whole)


# damage (R15) and other tools


def flip(file, rng):
    data = bytearray(file.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


def damaged(path, flips, seed):
    """Flip one bit at a time anywhere in a table and return those that verify did not see."""
    rng = random.Random(seed)
    files = sorted(f for f in path.rglob("*") if f.is_file())
    missed = []
    for _ in range(flips):
        file = rng.choice(files)
        whole = file.read_bytes()
        flip(file, rng)
        if tables.verify(path).ok:
            missed.append(file.name)
        file.write_bytes(whole)
    return missed


def small_lake(path):
    tables.append(path, photos(50), note={"seed": 1})
    tables.tag(path, "first")
    tables.write(path, photos(40), note={"text": "x" * 200}, file_rows=20)
    tables.append(path, photos(5, 90).append_column("country", pa.array(["France"] * 5)))
    tables.tag(path, "second")


def test_verify_finds_flipped_bits(path, figure):
    """R15."""
    small_lake(path)
    assert damaged(path, figure("flips in a table", ci=60, full=1000), 0) == []
    assert tables.verify(path).ok


def test_a_table_changed_behind_our_back(path):
    tables.append(path, photos(50), file_rows=10)
    tables.tag(path, "first")
    tables.append(path, photos(5))
    victim = tables.open(path).files[2]
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-1])
    with pytest.raises(tables.TableChangedError, match=r"changed since the commit: part-.* has"):
        tables.open(path)
    victim.unlink()
    with pytest.raises(tables.TableChangedError, match="is gone"):
        tables.open(path, "first")
    report = tables.verify(path)
    assert not report.ok
    with pytest.raises(tables.TableChangedError, match="1 problems"):
        report.raise_for_problems()
    victim.write_bytes(whole)
    assert tables.verify(path).ok
    (path / "_delta_log" / f"{0:020}.json").unlink()
    with pytest.raises(tables.TableChangedError, match="the log cannot be read"):
        tables.open(path)
    assert any("commit 0 is gone" in p for p in tables.verify(path).problems)


def test_rows_replaced_in_a_file_of_the_same_size_are_found(path):
    tables.append(path, photos(50))
    file = tables.open(path).files[0]
    size = file.stat().st_size
    pq.write_table(photos(50, 100), file, compression="zstd")
    with file.open("ab") as handle:
        handle.truncate(size)
    assert tables.open(path).version == 0  # the size is right
    assert not tables.verify(path).ok


def test_tables_of_other_tools_are_read_and_marked(path):
    write_deltalake(str(path), photos(4))
    assert tables.append(path, photos(2, 4), note={"ours": True}) == 1
    version = tables.open(path)
    assert version.arrow()["photo_id"].to_pylist().count("p4") == 1
    report = tables.verify(path)
    assert report.ok
    assert len(report.unrecorded) == 1
    assert report.content_hash == version.content_hash == content(version.arrow())
    assert DeltaTable(str(path)).version() == 1
    assert [c.kind for c in tables.history(path)] == ["append", "WRITE"]


def test_partitioned_tables_are_refused(path):
    write_deltalake(str(path), photos(4), partition_by=["photo_id"])
    with pytest.raises(tables.TableError, match="partitions or deletion vectors"):
        tables.open(path)


def test_other_delta_readers_see_the_same(path):
    small_lake(path)
    for version in range(4):
        theirs = pa.table(DeltaTable(str(path), version=version).to_pyarrow_table())
        assert content(theirs) == tables.open(path, version).content_hash
    assert pl.scan_delta(str(path)).filter(pl.col("lat") > 0).collect().height > 0


# full disk (R11)


def limited(code, path, limit):
    """Run code in a process whose files may not grow past a limit, as on a full disk."""
    return subprocess.run(
        [sys.executable, "-c", code, str(path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        check=False,
        capture_output=True,
        text=True,
    )


FULL = """
import sys, numpy as np, pyarrow as pa
from geodata import tables
rows = pa.table({{"a": np.random.default_rng(0).random({rows})}})
try:
    tables.{call}
except tables.StorageFullError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("rows", "call"),
    [
        (100_000, "append(sys.argv[1], rows)"),
        (100_000, "write(sys.argv[1], rows)"),
        (10, "append(sys.argv[1], rows, note={'text': 'x' * 200_000})"),
        (10, "export(sys.argv[1], sys.argv[1] + '-out')"),
    ],
)
def test_a_full_disk_is_one_error_and_changes_nothing(tmp_path, rows, call):
    """R11: while rows are written, while the commit is, and on export."""
    path = tmp_path / "photos"
    tables.append(path, pa.table({"a": np.random.default_rng(1).random(20_000)}))
    before = {p: p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()}
    done = limited(FULL.format(rows=rows, call=call), path, 100_000)
    assert "no room left" in done.stdout, done.stderr
    after = {p: p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()}
    left = [p for p in after if p not in before]
    assert all(p.name.startswith("_commit") or p.suffix == ".tmp" for p in left), left
    assert tables.verify(path).ok
    assert tables.open(path).version == 0
    assert tables.append(path, pa.table({"a": [1.0]})) == 1


def test_a_full_disk_on_the_first_append_leaves_nothing(tmp_path):
    """R11."""
    path = tmp_path / "lake" / "photos"
    done = limited(FULL.format(rows=100_000, call="append(sys.argv[1], rows)"), path, 50_000)
    assert "no room left" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_errors_of_the_delta_library_are_told_apart():
    from geodata.tables.errors import is_full

    assert is_full(OSError(errno.ENOSPC, "No space left on device"))
    assert is_full(ValueError("Generic LocalFileSystem error: ... (os error 28)"))
    assert not is_full(OSError(errno.ENOENT, "No such file"))
    assert not is_full(ValueError("os error 2)"))


# kills (R10)


def one_run(writer, kill_after=None, wait_s=0.0):
    """Start a run; kill it some way into the commit after ``kill_after`` others."""
    writer.stdin.write("go\n")
    writer.stdin.flush()
    lines, pid = 0, None
    while (line := writer.stdout.readline()) != "over\n":
        assert line, "the writer is gone"
        pid = int(line.split()[1]) if line.startswith("ready") else pid
        if lines == kill_after:
            time.sleep(wait_s)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        lines += 1


def killed_run(path, kills, seed):
    """Append chunks while the writer is killed again and again; check the table after each."""
    rng = random.Random(seed)
    chunks, sums, prefix = 40, hashing.Sums(), []
    for k in range(chunks):
        sums = sums.plus(hashing.of_table(table_writer.chunk(k)))
        prefix.append(hashing.digest(sums, table_writer.chunk(0).schema))
    command = [sys.executable, str(WRITER), str(path), str(chunks)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    seen, left = set(), 0
    with writer:
        for _ in range(kills):
            one_run(writer, rng.randrange(4), rng.uniform(0, 0.03))
            if not (path / "_delta_log" / f"{0:020}.json").exists():
                continue  # killed before the table was there
            version, report = tables.open(path), tables.verify(path)
            assert report.ok, report.problems
            assert version.rows % table_writer.ROWS == 0
            assert report.content_hash == prefix[version.rows // table_writer.ROWS - 1]
            seen.add(version.version)
            left += len(report.orphans) + len(report.unsealed)
            if version.rows > 30 * table_writer.ROWS:
                tables.write(path, table_writer.chunk(0))
                tables.vacuum(path, retention_hours=0)
        one_run(writer)
        writer.stdin.close()
    assert tables.verify(path).content_hash == prefix[-1]
    tables.vacuum(path, retention_hours=0)
    report = tables.verify(path)
    # what was being written beside; `repair` moves it away once it is an hour old
    orphans = [name for name in report.orphans if not name.endswith((".part", ".tmp"))]
    assert (orphans, report.unsealed, report.ok) == ([], (), True)
    return seen, left


def test_kill_during_commits(path, figure):
    """R10."""
    kills = figure("kills", ci=20, full=200)
    seen, left = killed_run(path, kills, 1)
    if kills >= 200:
        assert len(seen) > 20  # the kills fell on many versions
        assert left > 0  # and some of them in the middle of a commit


# many at once (R12)


def test_writers_and_readers_at_once(path):
    """R12, the figure of CI: no commit lost, no mixed snapshot; columns added meanwhile, too."""
    tables.append(path, table_writer.chunk(0))
    problems, stop = [], threading.Event()

    def reads():
        while not stop.is_set():
            try:
                check_snapshot(path)
            except BaseException as error:
                problems.append(error)
                return

    def writes(w):
        try:
            for k in range(4):
                rows = table_writer.chunk(1 + 4 * w + k)
                if k == 2:
                    rows = rows.append_column(f"by_{w}", pa.array([w] * rows.num_rows))
                tables.append(path, rows)
        except BaseException as error:
            problems.append(error)

    readers = [threading.Thread(target=reads) for _ in range(2)]
    writers = [threading.Thread(target=writes, args=(w,)) for w in range(3)]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    assert problems == []
    assert sorted(set(tables.open(path).arrow()["chunk"].to_pylist())) == list(range(13))
    assert tables.open(path).rows == 13 * table_writer.ROWS
    report = tables.verify(path)
    assert report.ok
    assert (report.orphans, report.unsealed) == ((), ())


def check_snapshot(path):
    version = tables.open(path)
    rows = version.arrow()
    assert rows.num_rows == version.rows
    counts = rows["chunk"].value_counts().to_pylist()
    assert all(c["counts"] == table_writer.ROWS for c in counts)


MANY = """
import sys
sys.path.insert(0, sys.argv[3])
import table_writer, test_tables
from geodata import tables
path, who = sys.argv[1], int(sys.argv[2])
if who < 5:
    for k in range(20):
        tables.append(path, table_writer.chunk(1 + 20 * who + k))
else:
    while tables.open(path).rows < 101 * table_writer.ROWS:
        test_tables.check_snapshot(path)
"""


@pytest.mark.slow
def test_8_readers_and_5_writers(path):
    """R12: 5 writers x 20 commits, 8 readers, a process each."""
    tables.append(path, table_writer.chunk(0))
    command = [sys.executable, "-c", MANY, str(path)]
    workers = [subprocess.Popen([*command, str(w), str(WRITER.parent)]) for w in range(13)]
    assert [worker.wait() for worker in workers] == [0] * 13
    assert tables.open(path).rows == 101 * table_writer.ROWS
    assert len(tables.history(path)) == 101
    assert tables.verify(path).ok


@pytest.mark.parametrize(
    ("mode", "what"),
    [("append", "add_columns"), ("append", "add_feature"), ("overwrite", "add_feature")],
)
def test_rows_that_came_behind_a_new_column_are_counted(path, monkeypatch, mode, what):
    """The content that a commit records is that of the version behind which it stands."""
    tables.append(path, pa.table({"a": [1]}))
    original, others = getattr(TableAlterer, what), iter([{"a": [2]}, {"a": [3], "c": [4]}])

    def altered(*args, **options):
        original(*args, **options)
        for rows in others:  # once
            tables.append(path, pa.table(rows))

    monkeypatch.setattr(TableAlterer, what, altered)
    moment = pa.array([0], pa.timestamp("us"))
    rows = pa.table({"a": [5], "b": moment if what == "add_feature" else [6]})
    (tables.append if mode == "append" else tables.write)(path, rows)
    found = tables.open(path).arrow()
    is_append = mode == "append"
    assert sorted(found["a"].to_pylist()) == ([1, 2, 3, 5] if is_append else [5])
    assert set(found.column_names) == ({"a", "b", "c"} if is_append else {"a", "b"})
    assert list(others) == []
    assert tables.verify(path).problems == ()


def test_a_rebuild_does_not_keep_rows_appended_meanwhile(path, monkeypatch):
    tables.append(path, photos(1))
    attempt = attempts._attempt
    raced = []

    def race(*args):
        if not raced:
            raced.append(True)
            monkeypatch.setattr(attempts, "_attempt", attempt)
            tables.append(path, photos(3, 50))
            monkeypatch.setattr(attempts, "_attempt", race)
        return attempt(*args)

    monkeypatch.setattr(attempts, "_attempt", race)
    assert tables.write(path, photos(2)) == 2
    assert tables.open(path).rows == 2
    assert tables.open(path, 1).rows == 4


# cards and export


def labelled():
    return pa.table(
        {
            "photo_id": ["a", "b", "c", "d"],
            "lat": [48.9, 35.0, -33.9, None],
            "lon": [2.3, 135.8, 18.4, None],
            "country": ["France", "Japan", "South Africa", None],
            "country_code": ["FR", "JP", "ZA", None],
            "source": ["mp16"] * 4,
            "licence": ["CC-BY", "CC-BY", "CC|0", None],
        }
    )


def test_card_counts_and_lists_what_made_it(path, tmp_path):
    note = {"parameters": {"radius_km": 200}, "inputs": [{"table": "mp16", "version": 2}]}
    tables.append(path, labelled(), note=note)
    out = tmp_path / "card"
    out.mkdir()
    text = tables.write_card(path, out).read_text(encoding="utf-8")
    assert (out / "map.png").read_bytes().startswith(b"\x89PNG")
    for line in (
        "| Africa | 1 | 25.00% |",
        "| (none) | 1 | 25.00% |",
        "| Japan | 1 | 25.00% |",
        "| mp16 | 4 | 100.00% |",
        "| CC\\|0 | 1 | 25.00% |",
        "## Parameters",
        '"radius_km": 200',
        "## Inputs",
        tables.open(path).content_hash,
        "![Where the rows are",
    ):
        assert line in text
    head = text.split("---")[1]
    assert "pretty_name" in head
    assert "n<1K" in head


def test_export_is_read_by_datasets(path, tmp_path):
    datasets = pytest.importorskip("datasets")
    tables.append(path, labelled())
    tables.append(path, labelled().append_column("turns", pa.array([[{"role": "user"}]] * 4)))
    out = tables.export(path, tmp_path / "out")
    names = ["README.md", "croissant.json", "data", "map.png"]
    assert sorted(p.name for p in out.iterdir()) == names
    for arguments in (("parquet", {"data_dir": str(out)}), (str(out), {})):
        loaded = datasets.load_dataset(
            arguments[0], split="train", cache_dir=str(tmp_path / "cache"), **arguments[1]
        )
        assert loaded["photo_id"][:] == ["a", "b", "c", "d"] * 2
        assert loaded[0]["turns"] is None
        assert loaded[7]["turns"] == [{"role": "user"}]
    exported = pq.read_table(out / "data")
    assert content(exported.drop_columns("geometry")) == tables.open(path).content_hash
    with pytest.raises(tables.TableError, match="is not an empty folder"):
        tables.export(path, out)
    with pytest.raises(tables.TableError, match="there is no such folder"):
        tables.export(path, tmp_path / "none" / "out")


def test_export_of_a_version_without_rows(path, tmp_path):
    tables.append(path, photos(0))
    out = tables.export(path, tmp_path / "out")
    assert pq.read_table(out / "data").schema.names == ["photo_id", "lat", "lon", "geometry"]


def test_references_name_an_input(path):
    tables.append(path, photos(3))
    reference = tables.open(path).reference()
    assert json.loads(json.dumps(reference)) == reference
    assert reference["rows"] == 3


def test_whether_a_table_is_there_is_asked_of_any_path(tmp_path):
    assert not tables.exists(tmp_path / "t")
    tables.append(tmp_path / "t", pa.table({"a": [1]}))
    assert tables.exists(tmp_path / "t")
    assert tables.exists(str(tmp_path / "t"))
    assert not tables.exists(str(tmp_path))
