"""Small files of appends become one behind their back: rows, order, versions, hashes stay."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings, strategies as st

from geodata import tables
from geodata.tables import data_files
from geodata.tables.commits import tidying
from geodata.tables.log import checkpoints
from geodata.tables.log.reading import Active

ROOT = Path(__file__).resolve().parents[2]


def rows(*values):
    return pa.table({"n": pa.array(values, pa.int64())})


@pytest.fixture
def quick(monkeypatch):
    """Four files are many, and every other version is looked at."""
    monkeypatch.setattr(tidying, "MANY", 4)
    monkeypatch.setattr(checkpoints, "EVERY", 2)


def active(counts, start=0):
    names = (f"part-{i:08}-00000-{'a' * 32}.parquet" for i in range(start, start + len(counts)))
    return [Active(name, 100, count) for name, count in zip(names, counts, strict=True)]


def test_a_table_that_is_appended_to_often_has_few_files(tmp_path):
    table = tmp_path / "t"
    for n in range(200):
        tables.append(table, rows(n), note={"n": n})
    opened = tables.open(table)
    assert opened.arrow()["n"].to_pylist() == list(range(200))
    assert len(opened.files) <= tidying.MANY + checkpoints.EVERY
    kinds = [entry.kind for entry in tables.history(table)]
    assert kinds.count("append") == 200
    assert 1 <= kinds.count("compact") <= 2
    report = tables.verify(table)
    assert (report.ok, report.is_sealed, report.orphans) == (True, True, ())
    assert len(DeltaTable(str(table)).file_uris()) == len(opened.files)  # as others see it


def test_every_version_keeps_rows_hash_and_note(tmp_path, quick):
    table, held = tmp_path / "t", {}
    for n in range(40):
        number = tables.append(table, rows(*[n] * (n % 3 + 1)), note={"n": n})
        held[number] = tables.open(table, number).content_hash
    for number, content in held.items():
        opened = tables.open(table, number)
        assert opened.content_hash == content
        values = opened.arrow()["n"].to_pylist()
        assert values == sorted(values)
    newest = tables.history(table)
    (made, *_) = [entry for entry in newest if entry.kind == "compact"]
    assert made.note["n"] == made.note["compacted"] - sum(
        entry.kind == "compact" and entry.version < made.version for entry in newest
    )
    assert made.rows_added == 0
    assert tables.open(table, made.version).content_hash == held[made.version - 1]
    assert tables.verify(table).ok


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 3000), max_size=40))
def test_small_files_are_the_end_of_a_table(counts):
    """By the rule itself, said once more: the farthest file with no more rows than all behind."""
    files = active(counts)
    found = tidying.small_files(files)
    far = [
        i for i, count in enumerate(counts) if i < len(counts) - 1 and count <= sum(counts[i + 1 :])
    ]
    assert found == (files[min(far) :] if far else [])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=400))
def test_rows_are_rewritten_a_few_times_and_files_stay_few(appends):
    """A model of the policy: rows that an append brings, merged whenever there are many."""
    held, written = [], 0
    for number, count in enumerate(appends):
        held.append(count)
        small = tidying.small_files(active(held))
        if number % 32 == 31 and len(small) >= tidying.MANY:
            together = sum(file.rows for file in small)
            held[len(held) - len(small) :] = [together]
            written += together
    assert len(held) <= tidying.MANY + 32 + len(bin(sum(appends)))
    assert written <= sum(appends) * len(bin(len(appends)))


def test_large_files_and_those_of_other_tools_stay(tmp_path, quick):
    full = active([1, 1, tidying._FULL_ROWS, 1, 1])
    assert [file.rows for file in tidying.small_files(full)] == [1, 1]
    wide = [
        *active([1]),
        Active(active([1], 1)[0].name, tidying._FULL_BYTES, 1),
        *active([1, 1], 2),
    ]
    assert len(tidying.small_files(wide)) == 2
    table = tmp_path / "t"
    for n in range(3):
        tables.append(table, rows(n))
    from deltalake import write_deltalake

    for n in range(6):
        write_deltalake(table, rows(n), mode="append")
    theirs = {file.name for file in tables.open(table).files if file.name.count("-") > 3}
    for n in range(3):
        tables.append(table, rows(n))
    opened = tables.open(table)
    assert len(theirs) == 6
    assert theirs < {file.name for file in opened.files}
    assert sorted(opened.arrow()["n"].to_pylist()) == sorted([0, 1, 2, *range(6), 0, 1, 2])


def test_the_files_of_one_append_stay_together():
    files = active([100, 1, 1, 1])
    both = [
        files[0],
        files[1]._replace(name=files[0].name.replace("-00000-", "-00001-")),
        *files[2:],
    ]
    assert tidying.small_files(files) == files[1:]
    assert tidying.small_files(both) == files[2:]


def test_rows_that_changed_on_disk_are_not_written_anew(tmp_path, quick):
    table = tmp_path / "t"
    for n in range(3):
        tables.append(table, rows(n, n))
    victim = tables.open(table).files[0]
    schema = tables.open(table).schema
    made = data_files.write_one(victim.with_name("other.parquet"), iter([rows(7, 7)]), schema)
    (table / made.name).replace(victim)
    for n in range(3, 7):
        tables.append(table, rows(n, n))
    assert "compact" not in [entry.kind for entry in tables.history(table)]
    assert not tables.verify(table).ok
    assert tables.verify(table).orphans == ()


def test_another_version_meanwhile_wins(tmp_path, quick, monkeypatch):
    table = tmp_path / "t"
    for n in range(3):
        tables.append(table, rows(n))
    write = data_files.write

    def slow(root, *given):
        made = write(root, *given)
        monkeypatch.setattr(data_files, "write", write)
        tables.append(table, rows(100))
        return made

    small = tidying.small_files
    monkeypatch.setattr(
        tidying,
        "small_files",
        lambda files: (monkeypatch.setattr(data_files, "write", slow), small(files))[1],
    )
    tables.append(table, rows(3))
    monkeypatch.setattr(tidying, "small_files", small)
    assert sorted(tables.open(table).arrow()["n"].to_pylist()) == [0, 1, 2, 3, 100]
    report = tables.verify(table)
    assert (report.ok, report.orphans) == (True, ())


KILLED = """
import os, signal, sys
import pyarrow as pa
from geodata import tables
from geodata.tables.commits import tidying
from geodata.tables import data_files, log
from geodata.tables.log import checkpoints
tidying.MANY, checkpoints.EVERY = 4, 2
where = sys.argv[2]
for n in range(8):
    tables.append(sys.argv[1], pa.table({"n": [n]}), note={"n": n})
def dying(module, name, before):
    real = getattr(module, name)
    def dies(*given):
        if before:
            os.kill(os.getpid(), signal.SIGKILL)
        real(*given)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(module, name, dies)
real = tidying._keep_few
def armed(root):
    module, name, before = {
        "reading": (tidying, "_rows", True), "written": (data_files, "write", False),
        "committing": (tidying, "_replace", True), "committed": (tidying, "_replace", False),
        "sealed": (log, "seal", False),
    }[where]
    dying(module, name, before)
    real(root)
tidying._keep_few = armed
for n in range(8, 16):
    tables.append(sys.argv[1], pa.table({"n": [n]}), note={"n": n})
"""


@pytest.mark.parametrize("where", ["reading", "written", "committing", "committed", "sealed"])
def test_a_kill_loses_and_doubles_nothing(tmp_path, where):
    table = tmp_path / "t"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, table, where], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == -signal.SIGKILL
    values = tables.open(table).arrow()["n"].to_pylist()
    assert values == list(range(len(values)))
    assert len(values) >= 8
    tables.append(table, rows(len(values)))
    assert tables.open(table).arrow()["n"].to_pylist() == list(range(len(values) + 1))
    assert tables.verify(table).ok


def said_of_files(table, version):
    """Return what a commit says of files: whether it adds them, and whether rows changed."""
    text = (table / "_delta_log" / f"{version:020}.json").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    return sorted((k, v["dataChange"]) for one in found for k, v in one.items() if "path" in v)


def test_rows_that_are_only_put_together_are_no_change_of_data(tmp_path, quick):
    """Who follows a table by its log would read them twice."""
    table = tmp_path / "t"
    for n in range(4):
        tables.append(table, rows(n))
    kinds = {entry.version: entry.kind for entry in tables.history(table)}
    assert kinds == {4: "compact", 3: "append", 2: "append", 1: "append", 0: "append"}
    assert said_of_files(table, 3) == [("add", True)]
    assert said_of_files(table, 4) == [("add", False), *[("remove", False)] * 4]
    tables.append(table, rows(4))
    number = tables.compact(table)
    assert ("add", False) in said_of_files(table, number)
    assert ("add", True) not in said_of_files(table, number)


def test_files_of_one_writing_stay_as_they_were_asked_for(tmp_path, quick):
    table = tmp_path / "t"
    tables.write(table, rows(0))
    assert tables.write(table, rows(*range(9)), file_rows=1) == 1
    assert [entry.kind for entry in tables.history(table)] == ["write", "write"]
    assert len(tables.open(table).files) == 9
