"""What a stranger's commit says under our key may have any form: it is told or not there."""

import json
import shutil

import pyarrow as pa
import pytest

from geodata import hashing, tables
from geodata.hashing import Sums

FORMS = [None, 5, "x", [1], True]
GOOD = {"size": 1, "sha256": "x", "content": [1, 2, 3]}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "lake" / "t"
    tables.append(path, pa.table({"photo_id": ["a", "b"]}), {"by": "us"})
    return path


def says(path, **changed):
    """Write our part of the first commit anew, as whoever hands the table on may."""
    file = path / "_delta_log" / f"{0:020}.json"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if "commitInfo" in line:
            ours = json.loads(line["commitInfo"]["geodata"])
            line["commitInfo"]["geodata"] = json.dumps(ours | changed)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    shutil.rmtree(path / "_seals")


def ours(call):
    """Return what a call gives; its error is one of a table."""
    try:
        return call()
    except tables.TableError as error:
        return error


@pytest.mark.parametrize("form", FORMS)
def test_a_note_of_another_form_is_none(table, form):
    says(table, note=form, software=form)
    (commit,) = tables.history(table)
    assert (commit.note, commit.software, commit.rows_added) == ({}, {}, 2)
    assert "<td>append</td>" in tables.history(table)._repr_html_()
    assert tables.open(table).note == {}
    assert "| rows | 2 |" in tables.card(table)
    assert tables.forget(table, ["a"]).rows == {"t": 1}
    assert tables.restore(table, 0) == 2
    assert tables.open(table).note == {"restored": 0}


@pytest.mark.parametrize("form", [*FORMS, {"a": 1}, [1, 2], [1, 2, "3"], [1, 2, 3.0], [1, 2, True]])
def test_a_content_of_another_form_is_computed_from_the_rows(table, form):
    says(table, total=form)
    assert Sums.read(form) is None
    rows = tables.open(table).arrow()
    expected = hashing.digest(hashing.of_table(rows), rows.schema)
    assert tables.open(table).content_hash == expected
    report = tables.verify(table)
    assert (report.ok, report.content_hash) == (True, expected)
    assert tables.append(table, pa.table({"photo_id": ["c"]})) == 1
    assert tables.verify(table).problems == ()
    assert tables.forget(table, ["a"]).rows == {"t": 1}
    assert tables.verify(table).ok


@pytest.mark.parametrize("content", [*FORMS, [1, 2, None], [1, 2], [1, 2, 3, 4]])
@pytest.mark.parametrize("whole", [True, False])
def test_hashes_of_another_form_are_told(table, content, whole):
    entry = {**GOOD, "content": content} if whole else content
    says(table, files={"part-x.parquet": entry})
    assert tables.history(table)[0].rows_added is None
    (told,) = [one for one in tables.verify(table).problems if "recorded" in one]
    assert told == (
        f"what the commits recorded cannot be read: {table}: commit 0 does not say what its files "
        "are; see verify"
    )
    for call in (tables.compact, lambda path: tables.forget(path, ["a"])):
        ours(lambda call=call: call(table))
    assert isinstance(ours(lambda: tables.open(table).rows), int)


def test_files_that_are_none_are_told(table):
    says(table, files=[1])
    assert tables.history(table)[0].rows_added is None
    assert any("does not say what its files are" in one for one in tables.verify(table).problems)
    assert isinstance(ours(lambda: tables.compact(table)), tables.TableChangedError)
    assert tables.forget(table, ["a"]).rows == {"t": 1}


def test_a_content_is_read_as_it_was_written():
    assert Sums.read([1, 2, 3]) == Sums(1, 2, 3)
    assert Sums.read(list(Sums())) == Sums()
    assert Sums.read([-1, 0, 2**64 - 1]) == Sums(-1, 0, 2**64 - 1)
