"""Verifying and forgetting step by step: what each step finds, keeps and writes."""

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import files, hashing, tables
from geodata.hashing import Sums
from geodata.tables import log
from geodata.tables.upkeep import forgetting, repairing, rewriting, verifying
from geodata.tables.upkeep.rewriting import Rewritten, Task


def photos(*ids, **more):
    return pa.table({"photo_id": list(ids), **more})


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "lake" / "t"
    tables.append(path, photos("alice", "bob"))
    tables.append(path, photos("carol"))
    tables.write(path, photos("dora"))
    return path


# verify


def test_the_sha256_of_a_version_by_hand(table):
    opened = tables.open(table, 1)
    lines = [f"{file.name} {files.sha256(file)}" for file in opened.files]
    lines += [f"photo_id: {hashing.type_text(pa.string())}"]
    wanted = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    report = tables.verify(table, 1)
    assert (report.sha256, report.content_hash) == (wanted, opened.content_hash)
    assert (report.path, report.version, report.rows, report.files) == (table, 1, 3, 3)
    assert tables.verify(table, 1, expect=f" {wanted.upper()}\n").ok
    assert tables.verify(table, expect=tables.open(table).content_hash).ok
    (told,) = tables.verify(table, expect=wanted).problems
    latest = tables.verify(table)
    assert told == (
        f"the content hash is {latest.content_hash} and the SHA-256 {latest.sha256}, expected was "
        f"{wanted}: this is not what was published"
    )


def test_every_kind_of_damage_of_the_log_is_told(table):
    seal = table / "_seals" / f"{1:020}.sha256"
    whole = seal.read_text()
    seal.unlink()
    report = tables.verify(table)
    assert (report.ok, report.unsealed, report.is_sealed) == (True, (1,), False)
    seal.write_text("0" * 64 + "\n")
    assert tables.verify(table).problems == ("commit 1 or its seal is not what was written",)
    seal.write_text(whole)
    (table / "_seals" / f"{9:020}.sha256").write_text(whole)
    assert tables.verify(table).problems == ("commit 9 is gone",)
    with pytest.raises(tables.TableChangedError) as told:
        tables.verify(table).raise_for_problems()
    assert str(told.value) == f"{table}: 1 problems; commit 9 is gone"


def test_checkpoints_are_compared_with_their_seals(table):
    tables.checkpoint(table)
    assert tables.verify(table).ok
    file = table / "_delta_log" / f"{2:020}.checkpoint.parquet"
    seal = table / "_seals" / f"{2:020}.checkpoint.sha256"
    hint = table / "_seals" / "_last_checkpoint.sha256"
    kept = hint.read_text()
    hint.write_text("x")
    assert verifying._check_checkpoints(table)[0] == [
        "_last_checkpoint or its seal is not what was written; remove both"
    ]
    hint.unlink()
    assert verifying._check_checkpoints(table)[0] == []
    hint.write_text(kept)
    seal.write_text("x")
    assert verifying._check_checkpoints(table)[0] == [
        "checkpoint 2 or its seal is not what was written; remove both, the commits are enough: "
        f"{file.name}, {seal.name}"
    ]
    file.unlink()
    assert verifying._check_checkpoints(table)[0] == [
        f"checkpoint 2 is gone; remove its seal {seal.name}"
    ]


@pytest.mark.parametrize("which", [0, 2])
def test_files_of_other_versions_are_checked_while_they_are_there(table, which):
    name = tables.open(table, which).files[0].name
    file = table / name
    data = file.read_bytes()
    file.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    told = f"{name} does not have the SHA-256 that was committed"
    assert tables.verify(table).problems == (told,)
    file.write_bytes(data + b"x")
    (told,) = tables.verify(table).problems
    assert told == f"{name} has {len(data) + 1} bytes, committed were {len(data)}"
    file.unlink()
    gone = tables.verify(table)
    assert gone.ok == (which == 0)  # what no tag keeps may have been vacuumed
    assert gone.content_hash is None or which == 0
    if which == 0:
        tables_tagged = tables.open(table).version
        tables.tag(table, "now", tables_tagged)
        assert tables.verify(table).ok


def test_what_lies_around_is_told_as_such(table):
    for name in ("part-x.parquet", ".part-y.part", "other.txt"):
        (table / name).touch()
    (table / "_delta_log" / "_commit_z.json.tmp").touch()
    report = tables.verify(table)
    assert report.ok
    assert report.orphans == (".part-y.part", "_delta_log/_commit_z.json.tmp", "part-x.parquet")
    assert (report.unrecorded, report.is_sealed) == ((), True)
    known = {"part-x.parquet"}
    found = [file.name for file in repairing.leftovers(table, known)]
    assert "part-x.parquet" not in found
    assert "_commit_z.json.tmp" in found


def test_versions_that_are_kept_are_opened_once_each(table):
    tables.tag(table, "a", 0)
    tables.tag(table, "b", 1)
    tables.tag(table, "c", 2)
    opened, problems = verifying._kept(table, 1)
    assert ([one.version for one in opened], problems) == ([1, 2, 0], [])
    assert [one.version for one in verifying._kept(table, None)[0]] == [2, 0, 1]
    with pytest.raises(tables.VersionNotFoundError):
        verifying._kept(table, 9)
    (table / "_tags" / "a.json").write_text("{}")
    opened, problems = verifying._kept(table, None)
    assert [one.version for one in opened] == [2]
    assert len(problems) == 1
    assert "the tag is damaged" in problems[0]


def test_rows_that_are_not_those_that_were_counted(table):
    opened = tables.open(table)
    recorded = log.recorded(table, 2)
    assert verifying._content(opened, recorded) == (opened.content_hash, [])
    name = opened.files[0].name
    wrong = {name: recorded[name] | {"content": [9, 9, 9]}}
    assert verifying._content(opened, wrong)[1] == [
        f"{name} does not hold the rows that were committed"
    ]
    import dataclasses

    more = dataclasses.replace(opened, rows=7)
    assert verifying._content(more, {})[1] == ["the log counts 7 rows, the files hold 1"]
    other = dataclasses.replace(opened, version=1)
    assert verifying._content(other, {})[1] == [
        "the version does not hold the rows that its commit counted"
    ]


@pytest.mark.parametrize(
    ("age", "hours", "moved"), [(3599, 1.0, False), (3601, 1.0, True), (5, 0.0, True)]
)
def test_leftovers_are_moved_once_they_are_old(table, monkeypatch, age, hours, moved):
    import os
    import time

    left = table / "part-x.parquet"
    left.write_text("x")
    os.utime(left, (time.time() - age,) * 2)
    assert tables.repair(table, older_than_hours=hours) == (["part-x.parquet"] if moved else [])
    assert left.exists() != moved
    assert (table.parent / "_leftovers" / "t" / "part-x.parquet").exists() == moved
    target = table.parent / "a.txt"
    assert repairing._free(target) == target
    target.touch()
    assert repairing._free(target).name == "a.txt.2"
    (table.parent / "a.txt.2").symlink_to("nowhere")
    assert repairing._free(target).name == "a.txt.3"


# forget


@pytest.mark.parametrize(
    ("value", "scrubbed"),
    [
        ("alice", "(forgotten)"), ("of alice.", "of (forgotten)."), ("malice", "malice"),
        ("alices alice", "alices (forgotten)"), ("bo", "(forgotten)"), ("of bo.", "of bo."),
        (5, 5), (None, None), (["alice", {"alice": ["x", "bo"]}],
                               ["(forgotten)", {"(forgotten)": ["x", "(forgotten)"]}]),
    ],
)  # fmt: skip
def test_ids_in_notes(value, scrubbed):
    assert rewriting._scrubbed(value, ("alice", "bo")) == scrubbed
    assert rewriting.LONG == 5


@pytest.mark.parametrize(
    ("value", "scrubbed"),
    [
        ("by @alice, of c++11.", "by (forgotten), of (forgotten)."), ("@alice", "(forgotten)"),
        ("to me.you!", "to (forgotten)"), ("me.you! said", "(forgotten) said"),
        ("b@alice @alices", "b@alice @alices"), ("me.you!x meXyou!", "me.you!x meXyou!"),
        ("ccc11", "ccc11"),
    ],
)  # fmt: skip
def test_ids_in_notes_may_begin_and_end_with_any_sign(value, scrubbed):
    """Signs are no patterns, and a word may end where no letter does."""
    assert rewriting._scrubbed(value, ("@alice", "c++11", "me.you!")) == scrubbed


def test_which_rows_are_a_photos():
    rows = photos("a", "b", None, "a").append_column("n", pa.array([1, 2, 3, 4]))
    mask, found = rewriting._mask(rows, Task(("a", "z")))
    assert (mask.to_pylist(), found) == ([True, False, False, True], {"a"})
    assert rewriting._mask(rows, Task(("z",))) == (None, set())
    mask, found = rewriting._mask(rows, Task(("2", "4"), "n"))
    assert (mask.to_pylist(), found) == ([False, True, False, True], {"2", "4"})
    assert rewriting._mask(rows, Task(("a",), "none")) == (None, set())
    assert rewriting._mask(rows.select(["n"]), Task(("a",))) == (None, set())
    assert rewriting.id_column(["n", "img_id"], None) == "img_id"
    assert rewriting.id_column(["n", "img_id"], "n") == "n"
    assert rewriting.id_column(["img_id"], "n") is None


def test_a_file_that_cannot_be_read_may_hold_one(tmp_path):
    pq.write_table(photos("a", "b"), tmp_path / "a.parquet")
    assert rewriting.holds(tmp_path / "a.parquet", Task(("b",)))
    assert not rewriting.holds(tmp_path / "a.parquet", Task(("c",)))
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    assert rewriting.holds(tmp_path / "a.parquet", Task(("c",)))


def test_the_count_of_a_version_that_lost_rows():
    old, new = hashing.of_table(photos("a", "b")), hashing.of_table(photos("b"))
    other = hashing.of_table(photos("x"))
    file = tables_file("f", new)
    changed = Rewritten({"f": file, "g": file}, {"f": old, "g": old})
    assert changed.rows == 2
    payload = {"total": list(old.plus(other)), "forgotten": 3}
    rewriting._count(payload, ["f"], changed)
    assert payload == {"total": list(new.plus(other)), "forgotten": 4}
    plain = {}
    rewriting._count(plain, ["f", "g"], changed)
    assert plain == {"forgotten": 2}
    rewriting._count(plain, [], changed)
    assert plain == {"forgotten": 2}


def tables_file(name, sums):
    from geodata.tables.data_files import DataFile

    return DataFile(name, 7, "ab", sums, '{"numRecords": 1}')


def test_what_the_log_says_of_a_file_changes_with_it(table):
    changed = Rewritten({"f": tables_file("f", Sums())}, {"f": Sums()})
    task = Task(("alice",))

    def after(action, task=task):
        rewriting._change_file(table, action, changed, task)
        return action

    assert after({"path": "f", "size": 9, "stats": "x"}) == {
        "path": "f", "size": 7, "stats": '{"numRecords": 1}'
    }  # fmt: skip
    assert after({"path": "f"}) == {"path": "f"}
    gone = {"path": "gone", "stats": '{"numRecords": 4, "minValues": {"a": "alice"}}'}
    assert after(dict(gone)) == {"path": "gone", "stats": '{"numRecords": 4}'}
    assert after(dict(gone), Task()) == gone
    here = tables.open(table).files[0].name
    kept = {"path": here, "stats": '{"minValues": {}}'}
    assert after(dict(kept)) == kept


def test_a_photo_goes_from_every_version_and_the_rest_stays(table):
    content = [tables.open(table, v).content_hash for v in range(3)]
    told = tables.forget(table.parent, ["alice", "nobody", "alice"])
    assert (dict(told.rows), told.missing, told.inputs, told.holding) == (
        {"t": 1},
        ("nobody",),
        (),
        (),
    )
    assert [tables.open(table, v).arrow()["photo_id"].to_pylist() for v in range(4)] == [
        ["bob"], ["bob", "carol"], ["dora"], ["dora"]
    ]  # fmt: skip
    now = [tables.open(table, v).content_hash for v in range(3)]
    assert [a == b for a, b in zip(content, now)] == [False, False, True]
    last = tables.history(table)[0]
    assert (last.version, last.kind, last.rows_added) == (3, "forget", 0)
    assert last.note == {"forgot": {"photos": 1, "rows": 1}}
    assert [log.commit_at(table, v)[log.KEY].get("forgotten") for v in range(4)] == [
        1,
        1,
        None,
        None,
    ]
    report = tables.verify(table)
    assert (report.ok, report.is_sealed, report.orphans) == (True, True, ())
    assert not (table.parent / "_forgetting").exists()
    again = tables.forget(table.parent, ["alice"])
    assert (dict(again.rows), again.missing) == ({}, ("alice",))
    assert tables.open(table).version == 3


@pytest.mark.parametrize("ids", [[], "", [""], [5], [None, "a"]])
def test_what_are_no_ids(table, ids):
    with pytest.raises(tables.TableError, match="expected texts, at least one, none of them empty"):
        tables.forget(table, ids)
    assert forgetting._checked("one") == ("one",)
    assert forgetting._checked(iter(["b", "a", "b"])) == ("b", "a")


def test_a_block_of_bytes_begins_with_the_end_of_the_one_before(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(bytes(range(10)))

    class Small:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def read(self, size):
            assert size == 1 << 22
            return self.file.read(6)

    opened = type(tmp_path).open
    monkeypatch.setattr(type(tmp_path), "open", lambda self, mode: Small(opened(self, mode)))
    found = list(forgetting._blocks(tmp_path / "a", 4))
    assert found == [bytes(range(6)), bytes([2, 3, 4, 5, 6, 7, 8, 9])]


@pytest.mark.parametrize("length", [3, 2000])
def test_an_id_of_any_length_is_found_across_blocks(tmp_path, length):
    """Of bytes that are read four megabytes at a time."""
    name = "x" * length
    (tmp_path / "a.bin").write_bytes(b" " * ((1 << 22) - length // 2) + name.encode() + b" end")
    assert forgetting._holds(tmp_path / "a.bin", [name])
    assert not forgetting._holds(tmp_path / "a.bin", [name[1:]])
    assert not forgetting._holds(tmp_path / "a.bin", [name + "x"])


@pytest.mark.parametrize("name", ["a.parquet", "a.csv.gz", "a.jsonl", "a.bin"])
def test_a_short_id_is_looked_for_in_the_bytes_of_what_cannot_be_read(tmp_path, name):
    """In a table that can be read a cell is looked at, where ``x1`` is no part of a word."""
    (tmp_path / name).write_bytes(b"PAR1 of x1, and half of a fil\xff\xfe")
    assert forgetting._holds(tmp_path / name, ["x1"])
    assert not forgetting._holds(tmp_path / name, ["x"])


def test_what_the_owner_keeps_private_is_not_looked_at(tmp_path):
    lake = tmp_path / "lake"
    tables.append(lake / "t", photos("alice"))
    for folder in (lake / "_private", lake / "more" / "_private"):
        folder.mkdir(parents=True)
        (folder / "names.txt").write_text("alice is A")
    assert tables.forget(lake, ["alice"]).holding == ("more/_private/names.txt",)


def test_what_lies_outside_the_lake_is_told(tmp_path):
    lake = tmp_path / "lake"
    tables.append(
        lake / "t", photos("a"), {"source": {"name": "a.csv"}, "inputs": {"x": {"file": "p"}}}
    )
    tables.append(lake / "t", photos("b"), {"source": {"name": ""}, "inputs": [1]})
    tables.append(
        lake / "u", photos("c"), {"source": {"name": "a.csv"}, "inputs": {"x": {"table": "t"}}}
    )
    assert tables.forget(lake, ["z"]).elsewhere == (
        "a.csv, imported into t", "p, an input of t", "a.csv, imported into u"
    )  # fmt: skip


def test_letters_of_notes_stay_as_they_were_written(tmp_path):
    """Also in commits that are written again: people read the log, and look for words in it."""
    path = tmp_path / "t"
    tables.append(path, photos("a", "b"), {"city": "Zürich"})
    tables.append(path, photos("c"), {"city": "Zürich"})
    tables.append(path, photos("a", "d"), {"city": "Zürich"})
    tables.forget(path, ["a"])
    for number in range(4):
        assert "Zürich" in (path / log.LOG / f"{number:020}.json").read_text(encoding="utf-8")
    assert [one.note["city"] for one in tables.history(path)] == ["Zürich"] * 4


def test_tags_are_told_by_their_names(table):
    for number, name in enumerate(["d", "b", "e", "a", "c"]):
        tables.tag(table, name, number % 3)
    assert list(tables.tags(table).items()) == [("a", 0), ("b", 1), ("c", 1), ("d", 0), ("e", 2)]
