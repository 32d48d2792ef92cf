"""Compact, restore, checkpoint, names that SQL can tell apart, vacuum and ancestors, forks."""

import os
import threading

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings, strategies as st

from geodata import query, tables
from geodata.tables import TableChangedError, TableError, log
from geodata.tables.log import checkpoints, reading, replaying


def rows(*values):
    return pa.table({"n": pa.array(values, pa.int64())})


def numbers(path, version=None):
    return tables.open(path, version).arrow()["n"].to_pylist()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lake" / "photos"


def appended(path, count):
    for n in range(count):
        tables.append(path, rows(n, n), note={"n": n})


# compact


def test_compact_keeps_rows_order_hash_note_and_tags(path):
    appended(path, 5)
    tables.tag(path, "paper", 2)
    hashes = [tables.open(path, v).content_hash for v in range(5)]
    assert tables.verify(path).is_sealed
    assert tables.compact(path) == 5
    opened = tables.open(path)
    assert len(opened.files) == 1
    assert numbers(path) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [tables.open(path, v).content_hash for v in range(6)] == [*hashes, hashes[4]]
    assert opened.note == {"n": 4, "compacted": 4}
    assert tables.tags(path) == {"paper": 2}
    newest = tables.history(path)[0]
    assert (newest.kind, newest.rows_added) == ("compact", 0)
    report = tables.verify(path)
    assert (report.ok, report.is_sealed, report.content_hash) == (True, True, hashes[4])
    assert tables.append(path, rows(9)) == 6
    assert numbers(path)[-2:] == [4, 9]


def test_compact_of_a_compact_table_makes_no_version(path):
    appended(path, 1)
    assert tables.compact(path) == 0
    appended(path, 2)
    assert tables.compact(path) == tables.compact(path) == 3


def test_compact_fills_files_to_what_is_asked(path):
    appended(path, 10)
    assert tables.compact(path, file_rows=8) == 10
    assert len(tables.open(path).files) == 3
    with pytest.raises(tables.TableError, match="file_rows 0 must be"):
        tables.compact(path, file_rows=0)


def test_compact_keeps_rows_appended_meanwhile(path, monkeypatch):
    from geodata.tables.upkeep import compacting

    appended(path, 3)
    replace, late = compacting._replace, [7, 8]

    def later(*args):
        if late:
            tables.append(path, rows(late.pop()))
        return replace(*args)

    monkeypatch.setattr(compacting, "_replace", later)
    tables.compact(path)
    assert numbers(path) == [0, 0, 1, 1, 2, 2, 8, 7]
    assert len(tables.open(path).files) == 1
    assert tables.verify(path).orphans == ()


@pytest.fixture
def written(monkeypatch):
    """The rows of each file that is written."""
    from geodata.tables.data_files import parquet

    write_one, found = parquet.write_one, []

    def noted(file, parts, schema):
        made = write_one(file, parts, schema)
        found.append(made.sums.rows)
        return made

    monkeypatch.setattr(parquet, "write_one", noted)
    return found


def between_tries(monkeypatch, *steps):
    """Do something behind each copy, before its commit is tried."""
    from geodata.tables.upkeep import compacting

    copy, left = compacting._copy, list(steps)

    def later(*args):
        copy(*args)
        if left:
            left.pop(0)()

    monkeypatch.setattr(compacting, "_copy", later)
    return left


def test_compact_copies_large_tables_once_and_then_what_came_meanwhile(path, monkeypatch, written):
    appended(path, 5)
    tables.append(path, rows(5, 5))
    left = between_tries(
        monkeypatch,
        lambda: tables.append(path, rows(6, 6)),
        lambda: (tables.append(path, rows(7, 7)), tables.append(path, rows(8, 8))),
    )
    del written[:]
    assert tables.compact(path, file_rows=8) == 9
    assert not left
    assert written == [8, 4, 2, 2, 2, 2, 4]  # twelve rows; appended, copied; twice, copied
    assert numbers(path) == [n for n in range(9) for _ in range(2)]
    assert [file.name[:13] for file in tables.open(path).files] == [
        "part-00000005", "part-00000005", "part-00000006", "part-00000008"
    ]  # fmt: skip
    assert tables.verify(path).problems == tables.verify(path).orphans == ()


def test_compact_makes_one_file_of_rows_that_fit_into_one(path, monkeypatch, written):
    appended(path, 2)
    between_tries(monkeypatch, lambda: tables.append(path, rows(2, 2)))
    del written[:]
    assert tables.compact(path, file_rows=6) == 3
    assert written == [4, 2, 6]


def test_compact_copies_nothing_again_where_only_properties_changed(path, monkeypatch, written):
    appended(path, 4)
    changed = {"delta.logRetentionDuration": "interval 400 days"}
    between_tries(monkeypatch, lambda: DeltaTable(str(path)).alter.set_table_properties(changed))
    del written[:]
    assert tables.compact(path, file_rows=4) == 5
    assert written == [4, 4]
    assert numbers(path) == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    "changes",
    [
        lambda path: tables.write(path, rows(*range(20, 27)), file_rows=1),
        lambda path: tables.append(path, pa.table({"n": [20, 21], "new": ["x", "y"]})),
        lambda path: tables.restore(path, 3),
    ],
    ids=["overwritten", "a column more", "restored"],
)
def test_compact_begins_again_where_more_than_rows_came(path, monkeypatch, changes):
    appended(path, 6)
    between_tries(monkeypatch, lambda: changes(path))
    tables.compact(path, file_rows=4)
    held = tables.open(path)
    before = tables.open(path, held.version - 1)
    assert held.arrow().equals(before.arrow())
    assert held.content_hash == before.content_hash
    assert len({file.name[:13] for file in held.files}) == 1
    assert tables.verify(path).problems == tables.verify(path).orphans == ()


def test_compact_lets_no_writer_in_at_its_last_try(path, monkeypatch):
    appended(path, 6)
    late = threading.Thread(target=tables.append, args=(path, rows(9, 9)))
    before = [lambda: tables.append(path, rows(8, 8))] * 4

    def starts():
        late.start()
        late.join(0.3)
        assert late.is_alive()

    left = between_tries(monkeypatch, *before, starts)
    version = tables.compact(path, file_rows=4)
    late.join()
    assert not left
    assert (version, tables.open(path).version) == (10, 11)
    assert numbers(path) == [n for n in [*range(6), *[8] * 4, 9] for _ in range(2)]
    assert tables.verify(path).problems == tables.verify(path).orphans == ()


def test_compact_gives_up_where_others_never_stop(path, monkeypatch):
    from geodata.tables.upkeep import compacting

    appended(path, 2)
    replace = compacting._replace
    monkeypatch.setattr(
        compacting, "_replace", lambda *args: (tables.append(path, rows(9)), replace(*args))[1]
    )
    with pytest.raises(tables.TableConflictError, match="try again"):
        tables.compact(path)
    assert tables.verify(path).orphans == ()


def test_compact_refuses_rows_that_are_not_what_was_committed(path, tmp_path):
    appended(path, 2)
    tables.append(tmp_path / "other", rows(5, 5))
    file, other = tables.open(path).files[0], tables.open(tmp_path / "other").files[0]
    whole, theirs = file.read_bytes(), other.read_bytes()
    for wrong in (theirs, whole[:-8] + b"x" * 8):
        assert len(wrong) == len(whole)
        file.write_bytes(wrong)
        with pytest.raises(tables.TableChangedError, match="verify names the file"):
            tables.compact(path)
        report = tables.verify(path)
        assert (report.ok, report.version, report.orphans) == (False, 1, ())


def test_compact_with_columns_that_came_later(path):
    tables.append(path, rows(1))
    tables.append(path, rows(2).append_column("word", pa.array(["x"])))
    before = tables.open(path)
    tables.compact(path)
    assert tables.open(path).arrow() == before.arrow()
    assert tables.open(path).content_hash == before.content_hash


def test_compact_of_a_table_without_rows(path):
    tables.append(path, rows())
    tables.append(path, rows())
    assert tables.open(path, tables.compact(path)).rows == 0


# restore


def test_restore_is_a_new_version_with_all_that_the_old_one_had(path):
    tables.append(path, rows(1), note={"made": "first"})
    tables.tag(path, "paper")
    tables.write(path, rows(2).append_column("word", pa.array(["x"])))
    tables.append(path, rows(3))
    old = tables.open(path, 0)
    assert tables.restore(path, "paper") == 3
    opened = tables.open(path)
    assert (opened.schema, opened.content_hash, opened.files) == (
        old.schema,
        old.content_hash,
        old.files,
    )
    assert opened.note == {"made": "first", "restored": 0}
    assert numbers(path, 2) == [2, 3]
    newest = tables.history(path)[0]
    assert (newest.kind, newest.rows_added) == ("restore", 0)
    report = tables.verify(path)
    assert (report.ok, report.is_sealed) == (True, True)
    assert tables.append(path, rows(4)) == 4
    assert numbers(path) == [1, 4]
    assert tables.verify(path).ok


def test_restore_of_what_is_not_there(path):
    appended(path, 2)
    with pytest.raises(tables.VersionNotFoundError):
        tables.restore(path, 7)
    with pytest.raises(tables.TableError, match="say which version"):
        tables.restore(path, None)
    tables.write(path, rows(5))
    tables.vacuum(path, retention_hours=0)
    with pytest.raises(tables.TableChangedError, match="is gone"):
        tables.restore(path, 1)
    assert tables.open(path).version == 2


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from(["append", "write", "compact", "restore", "checkpoint"]), max_size=9)
)
def test_any_sequence_keeps_every_version(tmp_path_factory, steps):
    """Against a list of lists: what each version held stays, and its hash is that of its rows."""
    path = tmp_path_factory.mktemp("lake") / "t"
    tables.append(path, rows(0))
    held = [[0]]
    for k, step in enumerate(steps, 1):
        if step == "append":
            tables.append(path, rows(k, k))
            held.append([*held[-1], k, k])
        elif step == "write":
            tables.write(path, rows(k))
            held.append([k])
        elif step == "compact":
            if tables.compact(path) == len(held):
                held.append(held[-1])
        elif step == "restore":
            if tables.restore(path, k % len(held)) == len(held):
                held.append(held[k % len(held)])
        else:
            tables.checkpoint(path)
    assert [numbers(path, v) for v in range(len(held))] == held
    report = tables.verify(path)
    assert (report.ok, report.is_sealed, report.orphans) == (True, True, ())
    assert report.content_hash == tables.open(path).content_hash


# checkpoints


def test_appends_make_checkpoints_and_every_version_opens(path):
    appended(path, checkpoints.EVERY + 3)
    names = sorted(f.name for f in (path / "_delta_log").glob("*.checkpoint.parquet"))
    assert names == [f"{checkpoints.EVERY - 1:020}.checkpoint.parquet"]
    assert tables.verify(path).is_sealed
    for version in (0, 10, checkpoints.EVERY - 1, checkpoints.EVERY + 1):
        assert tables.open(path, version).rows == 2 * (version + 1)
        assert DeltaTable(str(path), version=version).version() == version
    assert tables.checkpoint(path) == checkpoints.EVERY + 2
    assert tables.checkpoint(path) == checkpoints.EVERY + 2  # again changes nothing
    assert tables.verify(path).ok


def test_a_content_hash_reads_one_commit(path, monkeypatch):
    appended(path, 6)
    for module in (log, reading):
        monkeypatch.setattr(module, "recorded", lambda *_: pytest.fail("read every commit"))
    opened = tables.open(path)
    assert len(opened.content_hash) == 64
    assert opened.note == {"n": 5}
    tables.append(path, rows(1))


def test_a_replay_of_ours_agrees_with_the_library(path):
    appended(path, 3)
    tables.write(path, rows(1).append_column("t", pa.array([None], pa.timestamp("us", "UTC"))))
    tables.restore(path, 1)
    tables.compact(path)
    for version in range(tables.open(path).version + 1):
        found = log.snapshot(path, version)
        ours = replaying.replay(path / "_delta_log", version)
        assert (found.files, found.schema) == (log.active_of(path, ours), ours.schema)


@pytest.mark.parametrize(
    ("line", "kind", "told"),
    [
        (
            '{"metaData": {"schemaString": "{}", "partitionColumns": ["a"]}}',
            TableError,
            "partitions",
        ),
        ('{"add": {"path": "a", "deletionVector": {"x": 1}}}', TableError, "deletion vectors"),
        ('{"add": {"pa', TableChangedError, "cannot be read"),
        ('{"add": {}}', TableChangedError, "cannot be read"),
        ('{"add": []}', TableChangedError, "cannot be read"),
        ("[]", TableChangedError, "cannot be read"),
        ("7", TableChangedError, "cannot be read"),
        ('"metaData"', TableChangedError, "cannot be read"),
    ],
)
def test_what_a_replay_cannot_read_is_told_apart(tmp_path, line, kind, told):
    """What another writer may do is no damage: its error is not turned into one."""
    (tmp_path / f"{0:020}.json").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(TableError, match=told) as caught:
        replaying.replay(tmp_path, 0)
    assert type(caught.value) is kind


# forks


def forked(call):
    """Run a call in a forked process and return what it gave, as text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            text = str(call())
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_lake_opens_after_a_fork(path, capfd):
    appended(path, 3)
    tables.write(path, rows(5, 6).append_column("word", pa.array(["x", "y"])))
    assert tables.open(path).rows == 2  # the library is in use
    expected = (tables.open(path).schema, tables.open(path).content_hash, numbers(path, 1))
    assert forked(
        lambda: (tables.open(path).schema, tables.open(path).content_hash, numbers(path, 1))
    ) == str(expected)
    assert forked(lambda: len(tables.history(path))) == "4"
    assert forked(lambda: tables.verify(path).ok) == "True"
    told = forked(lambda: tables.append(path, rows(1)))
    assert "cannot" in told or "not written" in told
    assert "spawn" in told
    assert "panicked" not in capfd.readouterr().err
    assert tables.append(path, rows(7)) >= 4  # the parent writes as before


# names


@pytest.mark.parametrize(
    ("there", "new"),
    [
        ("P", "p"),
        ("photos", "Photos"),
        ("a-b", "a_b"),
        ("a.b", "a-b"),
        ("p", "p_v0"),
        ("p", "P_V12"),
        ("p_v0", "p"),
        ("a-b", "a_b_v3"),
    ],
)
def test_names_that_sql_cannot_tell_apart_are_refused(tmp_path, there, new):
    tables.append(tmp_path / there, rows(1))
    for call in (tables.append, tables.write):
        with pytest.raises(tables.TableError, match="choose another name"):
            call(tmp_path / new, rows(2))
    assert tables.names(tmp_path) == [there]
    assert not (tmp_path / new).exists()


@pytest.mark.parametrize(
    ("there", "new"), [("p", "p_version"), ("p", "p_v"), ("p", "q_v0"), ("p_v0", "q")]
)
def test_other_names_are_taken(tmp_path, there, new):
    tables.append(tmp_path / there, rows(1))
    tables.append(tmp_path / new, rows(2))
    tables.append(tmp_path / there, rows(3))
    with query.connect(tmp_path) as con:
        assert con.sql(f"SELECT count(*) FROM {there}").fetchall() == [(2,)]
        assert con.sql(f"FROM {new}").fetchall() == [(2,)]


def test_a_folder_that_is_no_table_takes_no_name(tmp_path):
    (tmp_path / "Photos").mkdir()
    (tmp_path / "readme_v0").write_text("x")
    tables.append(tmp_path / "photos", rows(1))
    tables.append(tmp_path / "readme", rows(1))


# views on demand


def test_views_are_made_when_they_are_named(path):
    appended(path, 4)
    with query.connect(path.parent) as con:
        made = "SELECT view_name FROM duckdb_views WHERE NOT internal"
        assert con.duckdb.execute(made).fetchall() == []
        assert con.sql("SELECT count(*) FROM PHOTOS_V1").fetchall() == [(4,)]
        assert con.execute("SELECT count(*) FROM photos").fetchall() == [(8,)]
        assert con.table("photos_v2").count("*").fetchall() == [(6,)]
        assert con.view("photos_v0").count("*").fetchall() == [(2,)]
        sql = "SELECT count(*) FROM query_table('pho' || 'tos')"
        assert con.query(sql).fetchall() == [(8,)]
        assert con.tables == ("photos", "photos_v0", "photos_v1", "photos_v2")
    names = query.run("SHOW TABLES", lake=path.parent)["name"].to_pylist()
    assert names == ["photos"]
    with pytest.raises(query.QueryError, match="the tables are: photos"):
        query.run("FROM photos_v4", lake=path.parent)


def test_a_version_that_was_vacuumed_is_told(path):
    appended(path, 1)
    tables.write(path, rows(5))
    tables.vacuum(path, retention_hours=0)
    assert query.run("SELECT n FROM photos", lake=path.parent).to_pylist() == [{"n": 5}]
    with pytest.raises(tables.TableChangedError, match="version 0 cannot be opened"):
        query.run("FROM photos_v0", lake=path.parent)


def test_a_connection_sees_the_version_of_its_beginning(path):
    appended(path, 1)
    with query.connect(path.parent) as con:
        tables.append(path, rows(9))
        assert con.sql("SELECT count(*) FROM photos").fetchall() == [(2,)]


def test_views_from_many_threads(path):
    appended(path, 8)
    problems = []

    def ask(con, version):
        try:
            for _ in range(3):
                sql = f"SELECT count(*) FROM photos_v{version} JOIN photos USING (n)"
                assert con.sql(sql).fetchall() == [(4 * (version + 1),)]
        except BaseException as error:
            problems.append(error)

    with query.connect(path.parent) as con:
        cursors = [con.cursor() for _ in range(4)]
        threads = [
            threading.Thread(target=ask, args=(cursor, version))
            for cursor, version in zip(cursors, (1, 5, 1, 7))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []


# vacuum


def made_from(*inputs):
    return {"inputs": {f"i{k}": {"table": t, "version": v} for k, (t, v) in enumerate(inputs)}}


def test_tags_protect_the_versions_they_were_made_from(tmp_path):
    lake = tmp_path
    for n in range(4):
        tables.write(lake / "photos", rows(n))
    tables.write(lake / "labelled", rows(1), note=made_from(("photos", 1)))
    tables.write(lake / "labelled", rows(2), note=made_from(("photos", 2)))
    tables.write(lake / "rand", rows(3), note=made_from(("labelled", 0)))
    tables.write(lake / "rand", rows(4), note=made_from(("labelled", 1), ("gone", 3)))
    tables.tag(lake / "rand", "paper", 0)
    assert len(tables.vacuum(lake / "photos", retention_hours=0, dry_run=True)) == 2
    assert len(tables.vacuum(lake / "photos", retention_hours=0)) == 2  # versions 0 and 2
    assert numbers(lake / "photos", 1) == [1]
    assert tables.vacuum(lake / "labelled", retention_hours=0) == []
    tables.untag(lake / "rand", "paper")
    assert len(tables.vacuum(lake / "photos", retention_hours=0)) == 1
    with pytest.raises(tables.TableChangedError):
        tables.open(lake / "photos", 1)


def test_a_note_that_is_no_lineage_protects_nothing(tmp_path):
    for n in range(2):
        tables.write(tmp_path / "photos", rows(n))
    for k, note in enumerate(
        [
            {"inputs": ["photos"]},
            {"inputs": {"a": {"table": "photos", "version": "x"}}},
            {"inputs": {"a": "photos"}},
            {"inputs": {"a": {"table": "photos", "version": 99}}},
            {"inputs": {"a": {"table": "../photos", "version": 0}}},
        ]
    ):
        tables.write(tmp_path / f"t{k}", rows(1), note=note)
        tables.tag(tmp_path / f"t{k}", "paper")
    try:
        assert len(tables.vacuum(tmp_path / "photos", retention_hours=0)) == 1
    except tables.VersionNotFoundError:
        pytest.fail("a version that a note names and that never was stops the vacuum")


def test_many_appends_stay_quick(path):
    """Not the time, which no machine promises: how many commits are read does not grow."""
    appended(path, 70)
    reads = []
    commit_at = log.commit_at
    try:
        log.commit_at = lambda root, v: reads.append(v) or commit_at(root, v)
        tables.append(path, rows(1))
        assert tables.open(path).content_hash
    finally:
        log.commit_at = commit_at
    assert len(reads) <= 4
    assert np.all(np.diff(numbers(path)[:140]) >= 0)
