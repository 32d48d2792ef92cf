"""One leakage rule: what lint warns of is what exclude-benchmark drops."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import datasets, evaluation, leakage, photos, tables
from geodata.evaluation.checks import overlap
from geodata.photos import authors

SHARED = [
    ("45/77/3228511372.jpg", "45_77_3228511372.jpg"),
    ("45/77/3228511372.jpg", "3228511372_8a3f0c12de.jpg"),
    ("45_77_3228511372.jpg", "3228511372"),
    ("8c/b9/3228511372.jpg", "8c_b9_3228511372"),
    ("C:\\photos\\Tower.PNG", "Tower"),
    ("photos/x.jpg", "x.jpeg"),
    (" x.jpg", "x.jpg"),
    ("1000", "1000"),
]
APART = [
    ("a/1.jpg", "b/1.jpg"),
    ("45/77/3228511372.jpg", "45/77/3228511373.jpg"),
    ("1e3", "1000"),
    ("x.jpg", "x.csv"),
    ("13228511372", "3228511372"),
]


def rows(name, author="me", lat=1.0, lon=2.0):
    return pa.table({"photo_id": [name], "author": [author], "lat": [lat], "lon": [lon]})


def doors(tmp_path, train, test):
    """Return what both doors say of the photo, the photographer and the place."""
    photos.import_(train, tmp_path / "train")
    far = rows("quite another", "nobody", -60.0, 100.0)
    tables.append(tmp_path / "train", pa.concat_tables(photos.read(far)))
    photos.import_(test, tmp_path / "test.parquet")
    found = datasets.build(
        tmp_path, "clean", "exclude-benchmark", {"rows": "train",
        "benchmark": str(tmp_path / "test.parquet")}, by="photo_id,author,coordinate",
    )  # fmt: skip
    dropped = found.report["rows_that_share"]
    warned = {f.code for f in overlap(train, test)}
    return (
        [bool(dropped[rule]) for rule in ("photo_id", "author", "coordinate")],
        [f"{what}_overlap" in warned for what in ("id", "author", "coordinate")],
    )


@pytest.mark.parametrize(("one", "other"), SHARED + APART)
def test_the_photo(tmp_path, one, other):
    expected = [(one, other) in SHARED, False, False]
    for turn, (train, test) in enumerate(((one, other), (other, one))):
        given = rows(train, "a", 1.0, 2.0), rows(test, "b", 30.0, 40.0)
        path = tmp_path / str(turn)
        path.mkdir()
        assert doors(path, *given) == (expected, expected)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("12@N00", "12@N00", True),
        ("12@N00", " 12@N00", True),
        ("12@N00", "13@N00", False),
        ("12@N00", hashlib.sha256(b"12@N00").hexdigest(), True),
        ("12@N00", hashlib.sha256(b"salt\x0012@N00").hexdigest(), False),
    ],
)
def test_the_photographer_hashed_or_not(one, other, same):
    for train, test in ((one, other), (other, one)):
        found = overlap(rows("a", train), rows("b", test, 30.0, 40.0))
        assert [f.code for f in found] == ["author_overlap"] * same


def test_the_photographer_through_both_doors(tmp_path):
    given = rows("a", "12@N00"), rows("b", "12@N00", 30.0, 40.0)
    assert doors(tmp_path, *given) == ([False, True, False], [False, True, False])


@pytest.mark.parametrize(("lat", "same"), [(1.0, True), (1.000004, True), (1.00002, False)])
def test_the_place(tmp_path, lat, same):
    given = rows("a", "x", 1.0, 2.0), rows("b", "y", lat, 2.0)
    assert doors(tmp_path, *given) == ([False, False, same], [False, False, same])


def test_nothing_is_shared_by_rows_that_have_nothing():
    none = pa.table(
        {"photo_id": pa.array([None], pa.string()), "author": pa.array([None], pa.string()),
         "lat": pa.array([None], pa.float64()), "lon": pa.array([None], pa.float64())}
    )  # fmt: skip
    marks = leakage.marks([none], id="photo_id", author="author", pair=("lat", "lon"))
    for shared in (leakage.shared_photos, leakage.shared_authors, leakage.shared_places):
        assert shared(marks, marks).tolist() == [False]
    without = leakage.marks([none])
    for shared in (leakage.shared_photos, leakage.shared_authors, leakage.shared_places):
        assert shared(marks, without) is None
    assert (without.rows, marks.rows) == (1, 1)


def test_lint_of_a_file_sees_the_flat_form_in_training_rows(tmp_path):
    truth = pa.table({"IMG_ID": ["45/77/3228511372.jpg"], "LAT": [1.0], "LON": [2.0]})
    train = pa.table({"photo_id": ["45_77_3228511372.jpg"], "lat": [50.0], "lon": [60.0]})
    predictions = pa.table({"id": ["45/77/3228511372.jpg"], "lat": [1.0], "lon": [2.5]})
    codes = [f.code for f in evaluation.checks.lint(predictions, truth, train=train)]
    assert "id_overlap" in codes


def test_keys_of_many_rows_equal_those_of_one():
    names = [f"{i % 90}/{i % 7}/{i + 10**6}.jpg" for i in range(1000)]
    batches = [rows(name) for name in names]
    whole = leakage.marks(batches, id="photo_id", author="author", pair=("lat", "lon"))
    half = leakage.marks([pa.concat_tables(batches[:500])], id="photo_id")
    assert leakage.shared_photos(whole, half).tolist() == [True] * 500 + [False] * 500
    assert np.unique(whole.photos.path).size == 1000


# salts


def authors_of(lake, name="photos"):
    return tables.open(lake / name).arrow()["author"].to_pylist()


def test_a_lake_salts_by_default_and_tells_nobody(tmp_path):
    for lake in ("a", "b"):
        for name in ("photos", "more"):
            photos.import_(rows(name, "12@N00"), tmp_path / lake / name)
    found = {lake: authors_of(tmp_path / lake) for lake in "ab"}
    assert found["a"] == authors_of(tmp_path / "a", "more")
    assert found["a"] != found["b"]
    assert hashlib.sha256(b"12@N00").hexdigest() not in str(found)
    file = tmp_path / "a" / "_private" / "salt"
    secret = file.read_text().strip()
    assert (file.stat().st_mode & 0o777, len(secret)) == (0o600, 64)
    salt = tables.lake_salt(tmp_path / "a")
    assert found["a"] == [leakage.author_hash("12@N00", salt)]
    tables.export(tmp_path / "a" / "photos", tmp_path / "out")
    tables.write_card(tmp_path / "a" / "photos", tmp_path / "card")
    told = [repr(tables.history(tmp_path / "a" / "photos")), repr(salt)]
    assert salt.mark in told[0]
    places = [*tmp_path.glob("a/[!_]*/**/*"), *tmp_path.glob("out/**/*"), *tmp_path.glob("card/*")]
    held = [path.read_bytes() for path in places if path.is_file()]
    for form in (secret, bytes.fromhex(secret).hex(), str(bytes.fromhex(secret))):
        assert not any(form in text for text in told)
        assert not any(form.encode() in data for data in held)
    assert not any(bytes.fromhex(secret) in data for data in held)


def test_a_table_keeps_the_salt_that_it_began_with(tmp_path):
    photos.import_(rows("a"), tmp_path / "plain", salt=False)
    photos.import_(rows("b"), tmp_path / "plain")
    photos.import_(rows("a"), tmp_path / "own", salt="pepper")
    with pytest.raises(ValueError, match="give the same --salt"):
        photos.import_(rows("b"), tmp_path / "own")
    photos.import_(rows("b"), tmp_path / "own", salt="pepper")
    assert set(authors_of(tmp_path, "plain")) == {hashlib.sha256(b"me").hexdigest()}
    pepper = leakage.marked_salt(b"pepper")
    assert set(authors_of(tmp_path, "own")) == {leakage.author_hash("me", pepper)}
    assert not (tmp_path / "_private").exists()
    for name in ("plain", "own"):
        with pytest.raises(ValueError, match="would not be one"):
            photos.import_(rows("c"), tmp_path / name, salt="vinegar")
        assert len(authors_of(tmp_path, name)) == 2
    with pytest.raises(ValueError, match="would not be one"):
        photos.import_(rows("c"), tmp_path / "own", salt=False)


def test_a_salt_of_its_own_leaves_its_mark_and_nothing_else(tmp_path):
    """Whether two tables can be compared is known later, by whoever has neither salt."""
    for name, salt in (("a/photos", "pepper"), ("b/photos", "pepper"), ("c/photos", "vinegar")):
        photos.import_(rows(name[0], "12@N00"), tmp_path / name, salt=salt)
    photos.import_(rows("f", "12@N00"), tmp_path / "file.parquet", salt="pepper")
    a, b, c = (
        leakage.marks([tables.open(tmp_path / lake / "photos").arrow()], author="author")
        for lake in "abc"
    )
    file = leakage.marks([pq.read_table(tmp_path / "file.parquet")], author="author")
    for other in (b, file):
        assert leakage.shared_authors(a, other).tolist() == [True]
        assert leakage.not_compared(a, other) is None
    assert leakage.shared_authors(a, c) is None
    assert "different salts" in leakage.not_compared(a, c)
    noted = tables.history(tmp_path / "a" / "photos")[0].note["authors"]
    assert noted == f"sha256 with a salt of its own, {leakage.marked_salt(b'pepper').mark}"
    held = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"pepper" not in held


def test_a_lake_whose_salt_is_gone_is_not_given_another(tmp_path):
    photos.import_(rows("a"), tmp_path / "photos")
    (tmp_path / "_private" / "salt").unlink()
    with pytest.raises(ValueError, match="put the lake's _private/salt back"):
        photos.import_(rows("b"), tmp_path / "photos")
    assert not (tmp_path / "_private" / "salt").exists()


def test_a_table_with_hashes_of_before_without_a_mark_goes_on_as_it_began(tmp_path):
    old = hashlib.sha256(b"pepper\0me").hexdigest()
    table = pa.table({"photo_id": ["a"], "author": [old]})
    tables.append(tmp_path / "photos", table, note={"authors": "sha256 with a salt"})
    with pytest.raises(ValueError, match="give the same --salt"):
        photos.import_(rows("b"), tmp_path / "photos")
    chosen, told = authors.salt_for(tmp_path / "photos", "pepper")
    assert (leakage.author_hash("me", chosen), told) == (old, "sha256 with a salt")


def test_a_salt_that_others_may_read_or_that_is_damaged_is_refused(tmp_path):
    assert tables.lake_salt(tmp_path) is None
    tables.lake_salt(tmp_path, make=True)
    file = tmp_path / "_private" / "salt"
    file.chmod(0o640)
    with pytest.raises(tables.TableError, match="chmod 600"):
        tables.lake_salt(tmp_path)
    file.chmod(0o600)
    file.write_text("")
    with pytest.raises(tables.TableError, match="64 hex digits"):
        tables.lake_salt(tmp_path, make=True)


def test_photographers_under_two_salts_are_not_compared_and_that_is_said(tmp_path):
    for lake in ("a", "b"):
        photos.import_(rows(lake, "12@N00", lat=float(ord(lake) - 90)), tmp_path / lake / "photos")
    other = tmp_path / "other.parquet"
    pq.write_table(tables.open(tmp_path / "b" / "photos").arrow(), other)
    built = datasets.build("exclude-benchmark", tmp_path / "a", "clean", {"rows": "photos",
        "benchmark": str(other)}, by="photo_id,author")  # fmt: skip
    assert built.report["rows_that_share"] == {"photo_id": 0, "author": None}
    assert "different salts" in built.report["not_compared"]
    here, there = (tables.open(tmp_path / lake / "photos").arrow() for lake in "ab")
    (found,) = overlap(here, there)
    assert (found.code, "--salt" in found.remedy) == ("author_not_compared", True)
    assert [f.code for f in overlap(here, here)][1] == "author_overlap"


def test_some_under_another_salt(tmp_path):
    salts = [leakage.Salt(name.encode(), name * 8) for name in "ab"]
    mixed = pa.table({"author": [leakage.author_hash("me", s) for s in [*salts, None]]})
    one = leakage.marks([mixed], author="author")
    other = leakage.marks([mixed.slice(2)], author="author")
    assert leakage.shared_authors(one, other).tolist() == [False, False, True]
    assert leakage.not_compared(one, other).startswith("some photographers")
    brought = leakage.marks([mixed.slice(2)], author="author", salt=salts[1])
    assert leakage.shared_authors(one, brought).tolist() == [False, True, False]
    nobody = leakage.marks([pa.table({"author": pa.array([None], pa.string())})], author="author")
    assert leakage.not_compared(one, nobody) is None
