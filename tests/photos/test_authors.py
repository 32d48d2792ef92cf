"""With which salt an import hashes authors, and what its note says of it."""

import pyarrow as pa
import pytest

from geodata import tables
from geodata.leakage import Salt, marked_salt
from geodata.photos import authors


def noted(path, note):
    tables.append(path, pa.table({"n": [1]}), note={"authors": note})


def test_a_salt_that_is_given_is_the_salt(tmp_path):
    for given in ("own", b"own", marked_salt(b"own")):
        chosen, told = authors.salt_for(tmp_path / "lake" / "a", given)
        assert chosen == marked_salt(b"own")
        assert told == f"sha256 with a salt of its own, {chosen.mark}"
    assert authors.salt_for(tmp_path / "lake" / "a", False) == (None, "sha256")
    assert not (tmp_path / "lake").exists()  # no salt of the lake was made


def test_without_one_it_is_the_lakes(tmp_path):
    chosen, told = authors.salt_for(tmp_path / "lake" / "a", None)
    assert chosen == tables.lake_salt(tmp_path / "lake", make=False)
    assert told == f"sha256 with a salt of the lake, {chosen.mark}"
    noted(tmp_path / "lake" / "a", told)
    assert authors.salt_for(tmp_path / "lake" / "a", None) == (chosen, told)
    assert authors.salt_for(tmp_path / "lake" / "b", None) == (chosen, told)
    assert authors.salt_for(tmp_path / "lake" / "a", chosen) == (chosen, told)


@pytest.mark.parametrize(
    ("before", "given"),
    [("own", None), ("own", "other"), ("own", False), (None, "own"), (None, False)],
)
def test_a_table_has_one_salt(tmp_path, before, given):
    path = tmp_path / "lake" / "a"
    _, told = authors.salt_for(path, before)
    noted(path, told)
    now = authors.described(authors.as_salt(given or None)) if given is not None else "sha256"
    with pytest.raises(ValueError) as refused:
        authors.salt_for(path, given)
    assert str(refused.value) == (
        f"{path}: its authors are hashed as {told!r}, and this import would hash them as {now!r}: "
        "photographers of two imports would not be one; give the same --salt (salt=), put the "
        "lake's _private/salt back, or import into another table"
    )


def test_plain_hashes_stay_plain(tmp_path):
    path = tmp_path / "lake" / "a"
    noted(path, "sha256")
    assert authors.salt_for(path, False) == (None, "sha256")
    assert authors.salt_for(path, None) == (None, "sha256")


def test_hashes_of_a_salt_without_a_mark_go_on_without_one(tmp_path):
    path = tmp_path / "lake" / "a"
    noted(path, "sha256 with a salt")
    chosen, told = authors.salt_for(path, "own")
    assert (chosen, told) == (Salt(marked_salt(b"own").value), "sha256 with a salt")
    assert not chosen.mark


def test_the_newest_note_that_names_authors_counts(tmp_path):
    path = tmp_path / "lake" / "a"
    assert authors._before(path) is None
    noted(path, "sha256 with a salt")
    noted(path, "sha256")
    tables.append(path, pa.table({"n": [1]}), note={"other": 1})
    assert authors._before(path) == "sha256"


@pytest.mark.parametrize(("told", "mark"), [("sha256", "sha256"), ("a, b, c", "c")])
def test_a_mark_is_the_last_part(told, mark):
    assert authors._mark(told) == mark
