"""Imports of the same content, and ids that come again."""

import contextlib
import hashlib
import os
import threading

import pyarrow as pa
import pytest

from geodata import tables
from geodata.photos import repeats

ORIGIN = {"name": "b.csv", "sha256": "ab" * 32}
ROWS = pa.table({"photo_id": ["a", "b"]})


def test_a_fingerprint_is_of_the_bytes_or_of_names_and_sizes(tmp_path):
    assert repeats.fingerprint(None) is None
    (tmp_path / "z.jpg").write_bytes(b"four")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"left out")
    assert repeats.fingerprint(tmp_path / "z.jpg") == hashlib.sha256(b"four").hexdigest()
    (tmp_path / os.fsdecode(b"\xff.jpg")).write_bytes(b"no UTF-8")
    found = b"z.jpg\x004\n\xff.jpg\x008\ndeep/a.png\x000\n"  # a folder's own come first
    assert repeats.fingerprint(tmp_path) == hashlib.sha256(found).hexdigest()


def refused(path, origin=ORIGIN):
    with pytest.raises(repeats.AlreadyImportedError) as told:
        repeats.refuse_again(path, origin, "the lake")
    return str(told.value)


@pytest.mark.parametrize(("name", "other"), [("b.csv", ""), ("a.csv", ", as a.csv")])
def test_what_is_there_is_told_with_its_version(tmp_path, name, other):
    many = pa.table({"photo_id": [str(i) for i in range(1234)]})
    tables.append(tmp_path / "t", many, {"source": ORIGIN | {"name": name}})
    tables.append(tmp_path / "t", ROWS, {"source": "told as text"})
    (newest, commit) = tables.history(tmp_path / "t")
    assert (newest.version, commit.version) == (1, 0)
    assert refused(tmp_path / "t") == (
        f"b.csv (SHA-256 abababababab) is in the lake already: version 0 of "
        f"{commit.time:%Y-%m-%d %H:%M} UTC has 1,234 rows of it{other}; nothing was appended "
        "(--again, again=True, appends it once more)"
    )
    repeats.refuse_again(tmp_path / "t", {"name": "b.csv"}, "the lake")  # of no known content
    repeats.refuse_again(tmp_path / "t", ORIGIN | {"sha256": "cd" * 32}, "the lake")
    repeats.refuse_again(tmp_path / "u", ORIGIN, "the lake")


def test_behind_what_replaces_a_table_nothing_is_looked_for(tmp_path):
    path, note = tmp_path / "t", {"source": ORIGIN}
    tables.append(path, ROWS, {})
    tables.append(path, ROWS, note)
    tables.restore(path, 0)
    repeats.refuse_again(path, ORIGIN, "the lake")
    tables.write(path, ROWS, note)  # what replaces it may be the import itself
    assert "version 3" in refused(path)
    tables.append(path, ROWS, {})
    assert "version 3" in refused(path)
    tables.write(path, ROWS, {})
    repeats.refuse_again(path, ORIGIN, "the lake")


def ids(*names):
    return pa.table({"photo_id": pa.array(names, pa.string())})


def test_equal_ids_of_any_batch_are_counted_once_too_often():
    counter = repeats.IdCounter()
    assert counter.repeated() == 0
    assert counter.known(None) == 0
    for part in (ids("a", "b"), ids(), ids(None, "b", "b"), ids("c", "a")):
        counter.add(part)
    assert counter.repeated() == 3
    counter.add(ids("c"))  # it goes on after an answer
    assert counter.repeated() == 4


@pytest.mark.parametrize("most", [1, 2, 3])
def test_too_many_ids_are_not_counted(tmp_path, monkeypatch, most):
    monkeypatch.setattr(repeats, "MOST_IDS", most)
    tables.append(tmp_path / "t", ids("a"))
    there = tables.open(tmp_path / "t")
    counter = repeats.IdCounter()
    counter.add(ids("a", "b", None))
    many = most < 2
    assert counter.repeated() == (None if many else 0)
    assert counter.known(there) == (None if many else 1)
    assert counter.known(None) == (None if many else 0)
    counter.add(ids("a"))
    many = most < 3
    assert counter.repeated() == (None if many else 1)
    assert counter.known(there) == (None if many else 2)


def test_a_table_is_held_between_the_answer_and_the_commit(tmp_path):
    """Another import waits until the first one is done."""
    tables.append(tmp_path / "t", ids("a"))
    entered = threading.Event()

    def other():
        with tables.alone(tmp_path / "t"):
            entered.set()

    waiting = threading.Thread(target=other)
    with contextlib.ExitStack() as held:
        assert list(repeats.new(iter([ids("b")]), tmp_path / "t", {}, held)) == [ids("b")]
        waiting.start()
        assert not entered.wait(0.3)
    waiting.join()
    assert entered.is_set()


def test_ids_are_counted_to_67_million():
    assert repeats.MOST_IDS == 67_108_864


def test_a_table_without_ids_holds_none(tmp_path):
    counter = repeats.IdCounter()
    counter.add(ids("a", "a"))
    tables.append(tmp_path / "t", pa.table({"n": [1]}))
    assert counter.known(tables.open(tmp_path / "t")) == 0


def test_the_version_before_an_import(tmp_path):
    path = tmp_path / "t"
    assert repeats.before(path, 1) is None
    for name in "abc":
        tables.append(path, ids(name))
    assert repeats.before(path, 0) is None
    assert repeats.before(path, 1).rows == 1
    assert repeats.before(path, 2).rows == 2
