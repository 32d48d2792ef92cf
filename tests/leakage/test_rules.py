"""Each rule of what two sets share, clause by clause (geodata.leakage)."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest

from geodata import leakage
from geodata.leakage import Salt, author_hash, marks, not_compared

PLAIN = hashlib.sha256(b"me").hexdigest()


def photos(*ids):
    return marks([pa.table({"id": pa.array(ids, pa.string())})], id="id")


def authors(*names, **options):
    table = pa.table({"who": pa.array(names, pa.string())})
    return marks([table], author="who", **options)


def places(*pairs):
    lat, lon = zip(*pairs, strict=True)
    return marks([pa.table({"y": pa.array(lat), "x": pa.array(lon)})], pair=("y", "x"))


# hashes and salts


def test_a_hash_is_what_the_docs_say():
    mark = hashlib.scrypt(b"pepper", salt=b"geodata salt mark", n=16384, r=8, p=1, dklen=4).hex()
    made = leakage.marked_salt(b"pepper")
    assert (made.value, made.mark, len(mark)) == (b"pepper", mark, 8)
    assert author_hash("me") == PLAIN
    assert author_hash("é") == hashlib.sha256("é".encode()).hexdigest()
    assert author_hash("me", Salt(b"pepper")) == hashlib.sha256(b"pepper\0me").hexdigest()
    salted = hashlib.sha256(b"pepper\0" + PLAIN.encode()).hexdigest()
    assert author_hash("me", made) == f"{mark}:{salted}"
    assert "pepper" not in repr(made)


A, B = Salt(b"a", "aaaaaaaa"), Salt(b"b", "bbbbbbbb")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("me", " me ", True), ("me", PLAIN, True), ("me", "you", False), (PLAIN, PLAIN, True),
        (author_hash("me", A), author_hash("me", A), True), (PLAIN.upper(), PLAIN, False),
        (author_hash("me", A), author_hash("you", A), False), (PLAIN[:-1], "me", False),
        (None, None, False), ("", "", False), ("me", None, False),
    ],
)  # fmt: skip
def test_photographers_one_by_one(one, other, same):
    assert leakage.shared_authors(authors(one), authors(other)).tolist() == [same]
    assert leakage.shared_authors(authors(other), authors(one)).tolist() == [same]
    assert not_compared(authors(one), authors(other)) is None


def test_what_has_no_salt_is_taken_as_it_would_be_with_that_of_the_lake():
    found = authors("me", PLAIN, author_hash("me", A), author_hash("me", B), None, salt=A)
    assert found.salts == {A.mark, B.mark}
    known = leakage.shared_authors(found, authors(author_hash("me", A)))
    assert known.tolist() == [True, True, True, False, False]
    assert authors("me", author_hash("me", B)).salts == {"", B.mark}
    assert authors(None).salts == frozenset()


def test_the_salts_are_those_of_all_batches():
    """Else photographers of the first batch were not compared, as under another salt."""
    batches = [pa.table({"who": [name]}) for name in (author_hash("me", A), "you", "me")]
    found = marks(batches, author="who")
    assert found.salts == {A.mark, ""}
    assert leakage.shared_authors(found, authors(author_hash("me", A))).tolist() == [
        True, False, False
    ]  # fmt: skip
    assert leakage.shared_authors(found, authors("me")).tolist() == [False, False, True]


def test_photographers_that_cannot_be_compared_are_told_in_these_words():
    salted, both = authors(author_hash("me", A)), authors(author_hash("me", A), "you")
    assert leakage.shared_authors(salted, authors("me")) is None
    assert not_compared(salted, authors("me")) == (
        "photographers are not compared: their ids are hashed with different salts (aaaaaaaa; "
        "none); import both into one lake, or both with one --salt"
    )
    assert leakage.shared_authors(both, authors("you")).tolist() == [False, True]
    assert not_compared(both, authors("you")) == (
        "some photographers are not compared: their ids are hashed with different salts (none and "
        "aaaaaaaa; none); import both into one lake, or both with one --salt"
    )
    for one, other in ((salted, authors(None)), (authors(None), salted), (photos("a"), salted)):
        assert not_compared(one, other) is None
    assert leakage.shared_authors(salted, authors(None)).tolist() == [False]
    assert leakage.shared_authors(authors(None), salted).tolist() == [False]
    assert leakage.shared_authors(photos("a"), salted) is None
    assert leakage.shared_authors(salted, photos("a")) is None


# photos


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("photos/x.jpg", "photos_x.png", True), ("a/photos/x.jpg", "photos/x.jpg", False),
        ("x.jpg", "a/x.png", True), ("a/x.jpg", "b/x.png", False), ("x", "y", False),
        ("C:\\a\\x.JPG", "a/x", False), ("C:\\a\\x.JPG", "C:/a/x", True), (" x ", "x", True),
        ("q/123456.jpg", "r/123456_0123456789.png", True), ("q/12345.jpg", "r/12345.png", False),
        ("q/012345678.jpg", "r/012345678.jpg", False), ("ab_cd_123456", "q/123456.jpg", True),
        ("q/123456_0123456789_b.jpg", "r/123456.png", True), ("q/123456_b.jpg", "r/123456", False),
        (None, None, False), ("", "", False), (None, "x", False),
    ],
)  # fmt: skip
def test_photos_one_by_one(one, other, same):
    assert leakage.shared_photos(photos(one), photos(other)).tolist() == [same]
    assert leakage.shared_photos(photos(other), photos(one)).tolist() == [same]


@pytest.mark.parametrize(
    "ending", ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "avif", "JPG"]
)
def test_the_ending_of_a_picture_is_no_part_of_its_name(ending):
    assert leakage.shared_photos(photos(f"a/x.{ending}"), photos("a/x")).tolist() == [True]
    assert leakage.shared_photos(photos(f"x.{ending}.csv"), photos("x")).tolist() == [False]
    assert leakage.shared_photos(photos(f"x{ending}"), photos("x")).tolist() == [False]


def test_each_row_is_looked_for_among_all_others():
    rows, others = photos("a/1", "2", "c/3", "d/4", None), photos("2.jpg", "1", "x/3", "d_4.png")
    assert leakage.shared_photos(rows, others).tolist() == [True, True, False, True, False]
    assert leakage.shared_photos(others, rows).tolist() == [True, True, False, True]
    assert leakage.shared_photos(rows, authors("a")) is None
    assert leakage.shared_photos(authors("a"), rows) is None


# places


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((1.0, 2.0), (1.0, 2.0), True), ((1.0, 2.0), (1.0, 2.00002), False),
        ((1.0, 2.0), (1.00002, 2.0), False), ((1.0, 2.0), (1.000004, 1.999996), True),
        ((1.0, 2.0), (2.0, 1.0), False), ((-90.0, -180.0), (-90.0, -180.0), True),
        ((-90.0, -180.0), (-90.0, 180.0), True), ((10.0, 190.0), (10.0, -170.0), True),
        ((90.0, 179.9), (90.0, 179.9), True), ((-1.0, -2.0), (1.0, 2.0), False),
        ((10.0, 179.999998), (10.0, -179.999998), True), ((10.0, 179.9999), (10.0, -180.0), False),
        ((10.0, -180.0), (20.0, -180.0), False),
        ((95.0, 2.0), (95.0, 2.0), False), ((None, 2.0), (None, 2.0), False),
        ((0.0, 0.0), (-0.0, 0.0), True), ((0.00001, 0.0), (0.0, 0.00001), False),
    ],
)  # fmt: skip
def test_places_one_by_one(one, other, same):
    one, other = (tuple(np.nan if v is None else v for v in pair) for pair in (one, other))
    assert leakage.shared_places(places(one), places(other)).tolist() == [same]
    assert leakage.shared_places(places(other), places(one)).tolist() == [same]


def test_places_of_text_and_of_many_rows():
    table = pa.table({"y": ["1.5", "x", "3"], "x": ["2.5", "2.5", None]})
    found = marks([table, table], pair=("y", "x"))
    assert found.rows == 6
    shared = leakage.shared_places(found, places((9.0, 9.0), (1.5, 2.5)))
    assert shared.tolist() == [True, False, False] * 2
    assert leakage.shared_places(found, photos("a")) is None
    assert leakage.shared_places(photos("a"), found) is None
    assert leakage.GRID_PER_DEGREE == 1e5


def test_no_rows_have_no_marks():
    none = marks([], id="id", author="who", pair=("y", "x"))
    assert (none.rows, none.photos, none.authors, none.points, none.salts) == (
        0, None, None, None, frozenset()
    )  # fmt: skip
