"""What a lake keeps beside its tables: files of inputs, names, the salt."""

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pytest

from geodata import files, tables
from geodata.tables import lakes
from geodata.tables.lakes import kept_inputs, naming, salts


def reference(data, name="points.csv"):
    return {"file": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


@pytest.fixture
def lake(tmp_path, monkeypatch):
    (tmp_path / "lake").mkdir()
    (tmp_path / "at").mkdir()
    monkeypatch.chdir(tmp_path / "at")
    return tmp_path / "lake"


DATA = b"lat,lon\n1,2\n"


def test_a_small_file_is_copied_under_its_hash_and_a_large_one_noted(lake, tmp_path, monkeypatch):
    own = tmp_path / "points.csv"
    own.write_bytes(DATA)
    monkeypatch.setattr(kept_inputs, "KEPT_BYTES", len(DATA))
    lakes.keep(lake, reference(DATA), own)
    copy = lake / "_inputs" / f"{reference(DATA)['sha256']}.csv"
    assert list((lake / "_inputs").iterdir()) == [copy]
    assert copy.read_bytes() == DATA
    copy.write_bytes(b"ours")  # what is there stays: it is never made twice
    lakes.keep(lake, reference(DATA), own)
    assert copy.read_bytes() == b"ours"
    copy.unlink()
    monkeypatch.setattr(kept_inputs, "KEPT_BYTES", len(DATA) - 1)
    lakes.keep(lake, reference(DATA), own)
    pointer = lake / "_inputs" / f"{reference(DATA)['sha256']}.path"
    assert pointer.read_text() == "../points.csv"
    assert lakes.find(lake, reference(DATA)).resolve() == own
    monkeypatch.undo()
    assert kept_inputs.KEPT_BYTES == 64 * 1024 * 1024


def test_a_large_file_is_noted_from_where_the_lake_lies_behind_its_links(
    lake, tmp_path, monkeypatch
):
    """`..` behind a link to a folder leads beside the folder, not beside the link."""
    monkeypatch.setattr(kept_inputs, "KEPT_BYTES", 0)
    real = tmp_path / "disk" / "lakes" / "lake"
    real.mkdir(parents=True)
    lake.rmdir()
    lake.symlink_to(real)
    own = tmp_path / "data" / "points.csv"
    own.parent.mkdir()
    own.write_bytes(DATA)
    named = tmp_path / "named.csv"
    named.symlink_to(own)
    lakes.keep(lake, reference(DATA), named)
    named.unlink()
    (pointer,) = (real / "_inputs").iterdir()
    assert pointer.read_text() == "../../../data/points.csv"
    assert lakes.find(lake, reference(DATA)).resolve() == own
    assert lakes.find(real, reference(DATA)).resolve() == own


def test_a_file_that_changed_meanwhile_is_not_kept(lake, tmp_path):
    own = tmp_path / "points.csv"
    own.write_bytes(DATA + b"3,4\n")
    with pytest.raises(kept_inputs.ChangedFileError, match=r"points\.csv was written meanwhile"):
        lakes.keep(lake, reference(DATA), own)
    assert list((lake / "_inputs").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.csv", ".csv"), ("a.b.csv", ".b.csv"), ("a.csv.gz", ".csv.gz"), ("a.JSONL", ".JSONL"),
        ("a.parquet.old", ".old"), ("a", ""),
    ],
)  # fmt: skip
def test_a_copy_keeps_the_ending_that_tells_its_format(lake, name, ending):
    found = kept_inputs._copy(lake, reference(DATA, name))
    assert found == lake / f"{reference(DATA)['sha256']}{ending}"


@pytest.mark.parametrize("text", ["", "a" * 63, "a" * 65, "g" * 64, "A" * 64, "../" + "a" * 61])
def test_what_is_no_hash_becomes_no_path(lake, text):
    with pytest.raises(files.FileError, match="is no SHA-256"):
        lakes.find(lake, {"file": "a.csv", "sha256": text})


def test_a_file_is_looked_for_where_it_was_named_first_and_in_the_working_folder_last(
    lake, tmp_path
):
    """Every place in turn: the one before it is emptied, then spoiled."""
    given = tmp_path / "was" / "points.csv"
    for folder in (given.parent, tmp_path / "named", lake / "_inputs"):
        folder.mkdir()
    digest = reference(DATA)["sha256"]
    places = [
        tmp_path / "named" / "points.csv", tmp_path / "itself.txt",
        lake / "_inputs" / f"{digest}.csv", tmp_path / "noted.csv", given, lake / "points.csv",
        tmp_path / "at" / "points.csv",
    ]  # fmt: skip
    (lake / "_inputs" / f"{digest}.path").write_text("../noted.csv")
    look_in = [tmp_path / "named", tmp_path / "itself.txt"]
    wanted = reference(DATA, str(given))
    for path in places:
        path.write_bytes(DATA)
    for place in places:
        assert lakes.find(lake, wanted, look_in).resolve() == place
        place.write_bytes(b"other")
    with pytest.raises(kept_inputs.ChangedFileError) as told:
        lakes.find(lake, wanted, look_in)
    other = hashlib.sha256(b"other").hexdigest()[:12]
    assert str(told.value) == (
        f"{places[0]}: sha256 is {other}, the dataset was built from {digest[:12]}; restore the "
        "file, or name the folder where it is now (look_in=, --inputs)"
    )
    for place in places:
        place.unlink()
    with pytest.raises(files.FileError) as told:
        lakes.find(lake, wanted)
    assert not isinstance(told.value, kept_inputs.ChangedFileError)
    assert str(told.value).startswith(
        f"points.csv: expected the file with SHA-256 {digest[:12]}, found nothing in the lake"
    )


# names


@pytest.mark.parametrize(
    ("there", "new", "taken"),
    [
        ("photos", "Photos", True), ("mp-16", "mp.16", True), ("mp_16", "MP-16", True),
        ("photos", "photos_v0", True), ("photos", "PHOTOS-v12", True),
        ("photos_v3", "photos", True),
        ("photos", "photos_v", False), ("photos", "photos_vx", False), ("photos", "photo", False),
        ("photos", "photos_v0_v1", False), ("photos", "photos2", False), ("photos", "av0", False),
        ("a_v0", "a_v1", False), ("photos", "xphotos_v0", False), ("photos", "photos_v0x", False),
    ],
)  # fmt: skip
def test_two_names_that_sql_could_not_tell_apart(lake, there, new, taken):
    tables.append(lake / there, pa.table({"a": [1]}))
    (lake / "photos_v7").mkdir(exist_ok=True)  # no table
    if not taken:
        assert tables.append(lake / new, pa.table({"a": [1]})) == 0
        return
    with pytest.raises(tables.TableError) as told:
        tables.append(lake / new, pa.table({"a": [1]}))
    assert str(told.value).startswith(f"{lake / new}: the table {there!r} is there, and SQL could")
    assert not (lake / new).exists()
    assert tables.append(lake / there, pa.table({"a": [1]})) == 1


def test_a_name_in_sql():
    assert naming.sql_name("a-b.c d_é1") == "a_b_c_d__1"
    naming.check_new(Path("/no/such/lake/photos"))


# the salt


def test_a_salt_is_drawn_once_and_for_its_owner(lake):
    assert tables.lake_salt(lake) is None
    assert list(lake.iterdir()) == []
    salt = tables.lake_salt(lake, make=True)
    file = lake / "_private" / "salt"
    text = file.read_text()
    assert len(text) == 65
    assert bytes.fromhex(text.strip()) == salts._read(file)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [path.name for path in file.parent.iterdir()] == ["salt"]
    assert tables.lake_salt(lake, make=True) == tables.lake_salt(lake) == salt
    other = lake.parent / "other"
    other.mkdir()
    assert tables.lake_salt(other, make=True) != salt


def test_the_salt_of_who_came_first_stays(lake):
    tables.lake_salt(lake, make=True)
    file = lake / "_private" / "salt"
    before = file.read_text()
    salts._draw(file)
    assert file.read_text() == before
    assert [path.name for path in file.parent.iterdir()] == ["salt"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o601, 0o660])
def test_a_salt_that_others_may_read_is_refused(lake, mode):
    tables.lake_salt(lake, make=True)
    file = lake / "_private" / "salt"
    file.chmod(mode)
    with pytest.raises(tables.TableError, match="others may read the salt of the lake; chmod 600"):
        tables.lake_salt(lake)
    file.chmod(0o400)
    assert tables.lake_salt(lake) is not None


@pytest.mark.parametrize("text", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "é" * 64])
def test_what_is_no_salt_is_told(lake, text):
    tables.lake_salt(lake, make=True)
    (lake / "_private" / "salt").write_text(text)
    with pytest.raises(
        tables.TableError, match="expected 64 hex digits, which are the lake's salt"
    ):
        tables.lake_salt(lake)


def test_a_salt_that_cannot_be_put_there_leaves_nothing(lake, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError("no links")))
    with pytest.raises(PermissionError):
        tables.lake_salt(lake, make=True)
    assert list((lake / "_private").iterdir()) == []


def test_of_several_names_that_clash_the_first_is_told(lake):
    """``a_v2`` beside ``a`` would be its version 2."""
    for number in (3, 0, 4, 1, 2):
        tables.append(lake / f"a_v{number}", pa.table({"n": [1]}))
    with pytest.raises(tables.TableError, match=r"the table 'a_v0' is there"):
        tables.append(lake / "a", pa.table({"n": [1]}))
