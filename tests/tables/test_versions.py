"""Versions as they are opened, compared, handed over in parts and named as inputs."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from geodata import files, hashing, tables
from geodata.tables.log import Active
from geodata.tables.versions import past, rows as rows_of, version, watching
from geodata.tables.versions.diffs import Diff


def rows(*values, **more):
    return pa.table({"n": pa.array(values, pa.int64()), **more})


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "lake" / "t"
    tables.append(path, rows(1, 2), {"by": "us"})
    tables.append(path, rows(3, 4, 5), file_rows=2)
    return path


# opening


def test_a_version_gives_its_rows_by_columns_and_batches(table):
    tables.append(table, rows(6, o=["x"]))
    opened = tables.open(table)
    assert (opened.version, opened.rows, len(opened.files)) == (3, 6, 4)
    assert [len(t) for t in opened.batches(batch_rows=1)] == [1] * 6
    assert [t.column_names for t in opened.batches(["o"])] == [["o"]] * 4
    assert pa.concat_tables(opened.batches(["o", "n"])).to_pydict() == {
        "o": [None] * 5 + ["x"], "n": [1, 2, 3, 4, 5, 6]
    }  # fmt: skip
    assert opened.arrow(["n"]).column_names == ["n"]
    assert opened.duckdb().fetchall() == [*((n, None) for n in range(1, 6)), (6, "x")]
    assert opened.polars().collect()["n"].to_list() == [1, 2, 3, 4, 5, 6]
    assert tables.open(table, 0).note == {"by": "us"}
    assert tables.open(table, 1).note == {}
    assert opened.reference() == {
        "table": "t", "version": 3, "rows": 6, "content_hash": opened.content_hash
    }  # fmt: skip
    empty = dataclasses.replace(opened, files=(), rows=0)
    for found in (
        empty.arrow(),
        empty.polars().collect().to_arrow(),
        empty.duckdb().to_arrow_table(),
    ):
        assert (len(found), found.column_names) == (0, ["n", "o"])


def test_a_content_hash_is_that_of_the_rows_whoever_wrote_them(table):
    whole = tables.open(table).arrow()
    expected = hashing.digest(hashing.of_table(whole), whole.schema)
    assert tables.open(table).content_hash == expected
    write_deltalake(str(table), rows(6), mode="append")
    mixed = tables.open(table)
    assert mixed.content_hash == hashing.digest(
        hashing.of_table(rows(1, 2, 3, 4, 5, 6)), whole.schema
    )
    assert mixed.rows == 6
    assert mixed.note == {}


def test_a_file_of_another_size_or_gone_is_told(table):
    opened = tables.open(table)
    file = opened.files[1]
    data = file.read_bytes()
    file.write_bytes(data + b"x")
    with pytest.raises(tables.TableChangedError) as told:
        tables.open(table)
    assert str(told.value) == (
        f"{table}: version 1 cannot be opened, 1 of its 3 files changed since the commit: "
        f"{file.name} has {len(data) + 1} bytes, committed were {len(data)}; restore them, or open "
        "another version"
    )
    assert tables.open(table, 0).rows == 2
    assert version.open_version(table, None, check=False).rows == 5
    file.unlink()
    with pytest.raises(
        tables.TableChangedError, match=r"is gone .deleted, or vacuumed as no tag kept"
    ):
        tables.open(table)
    file.write_bytes(data)
    assert tables.open(table) == opened


def test_a_version_that_changed_while_it_was_opened_is_looked_at_again(table, monkeypatch):
    original, looks = version._check_files, []

    def check(root, number, active):
        looks.append(number)
        if len(looks) == 1:
            tables.write(table, rows(9))
            raise tables.TableChangedError("vacuumed")
        original(root, number, active)

    monkeypatch.setattr(version, "_check_files", check)
    assert tables.open(table).arrow()["n"].to_pylist() == [9]
    assert looks == [1, 2]


def test_rows_are_counted_where_the_log_does_not_say(table):
    opened = tables.open(table)
    (first, *_) = opened.files
    assert version._rows(table, Active(first.name, 0, None)) == 2
    assert version._rows(table, Active(first.name, 0, 7)) == 7
    assert version._quoted('a"b') == '"a""b"'


# differences


@pytest.mark.parametrize(
    ("before", "after", "added", "removed"),
    [
        ([1, 2, 2], [2, 3], 1, 2), ([1, 1, 1], [1], 0, 2), ([1], [1, 1, 1], 2, 0), ([], [1], 1, 0),
        ([1], [], 0, 1), ([1, 2], [2, 1], 0, 0), ([None, 1], [1, None], 0, 0), ([], [], 0, 0),
    ],
)  # fmt: skip
def test_rows_added_and_removed_are_counted_with_repetition(
    tmp_path, before, after, added, removed
):
    for values in (before, after):
        tables.write(tmp_path / "t", rows(*values))
    found = tables.diff(tmp_path / "t", 0)
    assert found == Diff(0, 1, len(before), len(after), added, removed, (), (), ())
    assert found.same == (not added and not removed)
    back = tables.diff(tmp_path / "t", 1, 0)
    assert (back.rows_added, back.rows_removed, back.a, back.b) == (removed, added, 1, 0)


def test_columns_added_removed_and_changed(tmp_path):
    tables.write(tmp_path / "t", rows(1, gone=[1], kind=[1], stays=["x"]))
    tables.write(tmp_path / "t", rows(1, kind=[1.0], stays=["x"], fresh=[2], new=[3]))
    found = tables.diff(tmp_path / "t", 0, 1)
    assert found.columns_added == ("fresh", "new")
    assert found.columns_removed == ("gone",)
    assert found.columns_changed == ("kind",)
    assert not found.same
    same = Diff(0, 1, 1, 1, 0, 0, (), (), ())
    assert same.same
    for name in ("columns_added", "columns_removed", "columns_changed"):
        assert not dataclasses.replace(same, **{name: ("a",)}).same
    for name in ("rows_added", "rows_removed"):
        assert not dataclasses.replace(same, **{name: 1}).same


def test_files_that_both_share_are_not_read(table, monkeypatch):
    read, original = [], version.data_files.read
    monkeypatch.setattr(
        version.data_files, "read", lambda path, *a: read.append(path) or original(path, *a)
    )
    assert tables.diff(table, 0, 1).rows_added == 3
    assert set(read) == set(tables.open(table).files) - set(tables.open(table, 0).files)


# rows by what names them


def test_a_table_is_named_by_folder_version_or_tag(table, tmp_path, monkeypatch):
    tables.tag(table, "first", 0)
    monkeypatch.chdir(tmp_path)
    for name, count in (("lake/t", 5), ("lake/t@0", 2), ("lake/t@first", 2), (table, 5)):
        source = tables.open_rows(name)
        assert (source.rows, source.kind, source.columns) == (count, "table", ("n",))
    assert tables.open_rows(tables.open(table, 0)).name == f"{table}@0"
    assert source.reference == tables.open(table).reference()
    assert [len(t) for t in source.tables(rows=2)] == [2, 2, 1]
    assert rows_of._table_at(tmp_path / "lake" / "t@0") == (tmp_path / "lake" / "t", "0")
    with pytest.raises(tables.VersionNotFoundError, match="there is no tag ''"):
        tables.open_rows("lake/t@")  # as of an empty variable of a shell: not the latest
    for other in ("lake", "lake/@0", "lake/none@0", "a\0b", "x" * 5000):
        assert rows_of._table_at(tmp_path / other) == (None, None)
    tables.append(tmp_path / "lake" / "nested", pa.table({"at": [{"x": 1, "y": 2}], "n": [1]}))
    (part,) = tables.open_rows(tmp_path / "lake" / "nested").tables(["at.y"])
    assert part.column_names == ["at"]
    (tmp_path / "a.csv").write_text("id;x\né;1\n", encoding="latin-1")
    assert tables.open_rows(tmp_path / "a.csv", format="csv", encoding="latin-1").columns == (
        "id",
        "x",
    )
    with pytest.raises(TypeError, match=r"^the answers must be a path"):
        tables.open_rows(5, what="the answers")


# parts


def test_parts_travel_as_text_and_are_read_by_order(tmp_path):
    path = tmp_path / "t"
    one, two = (tables.write_part(path, rows(n, t=["x"]), order) for n, order in ((1, 5), (2, 3)))
    sent = [tables.Part.read(part.text()) for part in (*one, *two)]
    assert sent == [*one, *two]
    assert sent[0].schema == pa.schema([("n", pa.int64()), ("t", pa.string())])
    assert tables.commit_parts(path, iter(sent), {"a": 1}) == 0
    opened = tables.open(path)
    assert (opened.arrow()["n"].to_pylist(), opened.note) == ([2, 1], {"a": 1})
    assert tables.write_part(path, rows().cast(pa.schema([("n", pa.int64())]))) == []
    (more,) = tables.write_part(path, rows(3, new=[1]))
    assert tables.commit_parts(path, [*one, more]) == 1
    assert tables.open(path).schema.names == ["n", "t", "new"]
    with pytest.raises(
        tables.TableError, match="there are no parts, so there is nothing to commit"
    ):
        tables.commit_parts(path, [])
    with pytest.raises(tables.TableError, match="the note must be JSON"):
        tables.commit_parts(path, one, {"a": float("nan")})


def test_a_part_that_changed_is_told_and_a_new_name_is_checked(tmp_path):
    path = tmp_path / "lake" / "t"
    (part,) = tables.write_part(path, rows(1))
    file = path / part.file.name
    data = file.read_bytes()
    for damage in (lambda: file.write_bytes(data + b"x"), file.unlink):
        damage()
        with pytest.raises(tables.TableChangedError, match="is not as it was written; write it"):
            tables.commit_parts(path, [part])
    file.write_bytes(data)
    tables.append(tmp_path / "lake" / "T", rows(1))
    with pytest.raises(tables.TableError, match="SQL could not tell the two names apart"):
        tables.commit_parts(path, [part])


@pytest.mark.parametrize("which", [0, 1, 2])
def test_any_part_that_changed_is_told(tmp_path, which):
    path = tmp_path / "t"
    parts = [part for n in range(3) for part in tables.write_part(path, rows(n), n)]
    file = path / parts[which].file.name
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(tables.TableChangedError, match=f"the part {file.name} is not as it was"):
        tables.commit_parts(path, parts)
    assert not tables.exists(path)


# inputs


def test_an_input_of_a_lake_or_of_a_file(table, tmp_path):
    opened = tables.open_input(table.parent, "rows", "t@0")
    assert (opened.label, opened.columns, opened.version.version) == ("t@0", ("n",), 0)
    assert opened.reference == tables.open(table, 0).reference()
    assert [len(t) for t in opened.batches(["n", "n"])] == [2]
    again = tables.reopen(table.parent, "rows", opened.reference)
    assert again.reference == opened.reference
    wrong = {**opened.reference, "content_hash": "0" * 64}
    with pytest.raises(tables.DatasetError) as told:
        tables.reopen(table.parent, "rows", wrong)
    assert str(told.value) == (
        f"t@0: content_hash is {opened.reference['content_hash'][:12]}, the dataset was built from "
        f"{'0' * 12}; restore the table, or build the dataset again"
    )
    path = tmp_path / "points.csv"
    path.write_text("lat,lon,n\n1,2,3\n91,2,4\n")
    file = tables.open_input(table.parent, "popular", path)
    assert file.reference == {
        "file": "points.csv", "sha256": files.sha256(path), "bytes": path.stat().st_size
    }  # fmt: skip
    assert file.coordinate_columns() == ("lat", "lon")
    ((points, extra),) = file.points(["n"])
    assert (points.lat.tolist()[0], points.valid.tolist()) == (1.0, [True, False])
    assert extra["n"].to_pylist() == ["3", "4"]
    file.refuse_changed()
    file.need("lat", "n")
    with pytest.raises(
        tables.DatasetError, match="has no column 'x'; its columns are lat, lon, n;"
    ):
        file.need("lat", "x", "y")
    path.write_text("lat,lon,n\n1,2,5\n")
    with pytest.raises(tables.DatasetError, match="was written while the dataset was made from it"):
        file.refuse_changed()
    with pytest.raises(tables.DatasetError):
        opened.coordinate_columns()
    for other in (pa.table({"a": [1]}), 5, None):
        with pytest.raises(
            TypeError, match=f"the input 'rows' is {type(other).__name__}; give the"
        ):
            tables.open_input(table.parent, "rows", other)


def test_coordinates_of_an_input_are_as_they_stand(tmp_path):
    """A recipe that writes them again changes none, not even 180 to -180."""
    path = tmp_path / "points.csv"
    path.write_text("lat,lon\n1,180\n2,-180\n3,200\n")
    ((points, _),) = tables.open_input(tmp_path, "rows", path).points()
    assert points.lon.tolist()[:2] == [180.0, -180.0]
    assert points.lon.tolist()[2] == 200.0 or not points.valid[2]


def test_a_file_that_a_lake_keeps_goes_on_under_its_own_name(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("lat,lon\n1,2\n")
    file = tables.open_input(tmp_path / "lake", "popular", path)
    assert (file.label, file.version) == ("points.csv", None)
    with pytest.raises(tables.DatasetError) as told:
        _ = file.table
    assert str(told.value).startswith(
        "the popular of a dataset must be a table of the lake, got the file points.csv; bring it"
    )
    (tmp_path / "lake").mkdir()
    file.keep(tmp_path / "lake")
    path.unlink()
    again = tables.reopen(tmp_path / "lake", "popular", file.reference)
    assert (again.label, again.reference, again.columns) == (
        "points.csv", file.reference, ("lat", "lon")
    )  # fmt: skip
    assert again.source.path != path


def test_a_file_that_is_gone_is_another_than_was_hashed(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("lat,lon\n1,2\n")
    file = tables.open_input(tmp_path, "popular", path)
    file.refuse_changed()
    path.unlink()
    with pytest.raises(tables.DatasetError, match=r"points\.csv was written while the dataset"):
        file.refuse_changed()


def test_a_format_that_is_named_comes_before_what_the_ending_says(tmp_path):
    (tmp_path / "rows.tar").write_text("id,lat,lon\na,1,2\n")
    source = tables.open_rows(tmp_path / "rows.tar", format="csv")
    assert (source.kind, source.columns) == ("csv", ("id", "lat", "lon"))
    with pytest.raises(files.FileError):
        tables.open_rows(tmp_path / "rows.tar")


def test_a_file_is_seen_by_time_size_and_number(tmp_path):
    path = tmp_path / "a"
    assert watching.seen(None) is None
    assert watching.seen(path) is None
    assert watching.seen(tmp_path) is None
    path.write_text("x")
    found = path.stat()
    assert watching.seen(path) == (found.st_mtime_ns, found.st_size, found.st_ino)


# history


@pytest.mark.parametrize(
    ("note", "names"),
    [
        ({}, []), ({"source": {"name": "a.csv"}}, ["a.csv"]), ({"source": "x"}, []),
        ({"inputs": {"rows": {"table": "t", "version": 3}, "popular": {"file": "p.csv"}, "x": 5}},
         ["t@3", "p.csv"]),
        ({"inputs": {"a": {"file": "", "table": "t", "version": 0}}}, ["t@0"]),
        ({"inputs": {"a": {"table": "t", "version": 0}}, "source": {"name": "b"}}, ["t@0"]),
        ({"inputs": [1], "source": {"name": "b"}}, ["b"]), ({"source": {}}, ["None"]),
    ],
)  # fmt: skip
def test_what_a_version_was_made_from(note, names):
    assert past._made_from(note) == names


def test_rows_added_by_each_kind_of_commit(table):
    tables.append(table, rows(6, new=[1]))
    tables.compact(table)
    tables.restore(table, 0)
    write_deltalake(str(table), rows(7), mode="append")
    tables.tag(table, "b", 0)
    tables.tag(table, "a", 0)
    found = tables.history(table)
    assert [(c.version, c.kind, c.rows_added) for c in found] == [
        (6, "WRITE", None), (5, "restore", 0), (4, "compact", 0), (3, "append", 1),
        (2, "schema", 0), (1, "append", 3), (0, "append", 2),
    ]  # fmt: skip
    assert [c.tags for c in found][-1] == ("a", "b")
    assert found[0].software == {}
    assert set(found[-1].software) == {"geodata", "deltalake", "pyarrow", "numpy"}
    assert (found[-1].note, found[1].note) == ({"by": "us"}, {"by": "us", "restored": 0})
    assert np.all(np.diff([c.time.timestamp() for c in reversed(found)]) >= 0)
