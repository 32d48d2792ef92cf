"""The search against brute force; fingerprints against copies; bursts against a slow search."""

import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from geodata import near_duplicates
from geodata.files import FileError
from geodata.near_duplicates import burst_of, fingerprint, near
from geodata.near_duplicates.reporting import MOST_BITS, MOST_FINE
from geodata.near_duplicates.searching import _masks, _radii
from tests.near_duplicates.photos_made import COPIES, jpeg, scene


def brute(queries, known, most):
    bits = np.bitwise_count(queries[:, None] ^ known[None])
    rows = np.argwhere(bits <= most)
    return {(int(a), int(b), int(bits[a, b])) for a, b in rows}


def found(pairs):
    return set(zip(*(part.tolist() for part in pairs)))


def hashes(rng, n, near_to=None, flips=14):
    out = rng.integers(0, 2**64, n, dtype=np.uint64)
    if near_to is not None and len(near_to):
        for i in range(0, n, 2):
            bits = rng.choice(64, rng.integers(0, flips + 1), replace=False)
            out[i] = rng.choice(near_to) ^ np.uint64(sum(1 << int(b) for b in bits))
    return out


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(0, 15), st.integers(0, 40), st.integers(0, 300))
def test_the_search_finds_what_brute_force_finds(seed, most, m, n):
    rng = np.random.default_rng(seed)
    known = hashes(rng, n)
    known[: n // 4] = known[:1] if n else 0  # blank pictures are equal by the thousand
    queries = hashes(rng, m, known)
    pairs = near(queries, known, most)
    assert found(pairs) == brute(queries, known, most)
    assert len(pairs.query) == len(found(pairs))  # once each
    assert np.all(np.diff(pairs.query) >= 0)


def test_no_block_is_lost_where_candidates_are_many(monkeypatch):
    from geodata.near_duplicates import searching

    monkeypatch.setattr(searching, "_AT_ONCE", 7)
    rng = np.random.default_rng(1)
    known = np.repeat(hashes(rng, 5), 30)
    queries = hashes(rng, 20, known)
    assert found(near(queries, known, 9)) == brute(queries, known, 9)


@pytest.mark.parametrize("most", range(16))
def test_bands_leave_no_gap(most):
    """If every band differs in more than its radius, the sum is above the limit."""
    radii = _radii(most)
    assert sum(radius + 1 for radius in radii) == most + 1
    for radius in set(radii) - {-1}:
        masks = list(_masks(radius))
        assert len(masks) == len(set(masks))
        assert set(masks) == {m for m in range(1 << 16) if m.bit_count() <= radius}


@pytest.mark.parametrize("wrong", [-1, 16, True])
def test_a_limit_that_is_none_is_refused(wrong):
    none = np.empty(0, np.uint64)
    with pytest.raises(ValueError, match="0 to 15"):
        near(none, none, wrong)


PHOTOS = 24


@pytest.fixture(scope="module")
def scenes():
    pictures = [scene(i) for i in range(PHOTOS)]
    return pictures, [fingerprint(jpeg(p)) for p in pictures]


def alike(a, b):
    coarse = (a.coarse ^ b.coarse).bit_count()
    fine = (int.from_bytes(a.fine) ^ int.from_bytes(b.fine)).bit_count()
    return coarse <= MOST_BITS and fine <= MOST_FINE


@pytest.mark.parametrize(
    ("copy", "least", "most"),
    [
        ("quality 50", 1.0, 1.0),
        ("quality 20", 1.0, 1.0),
        ("half the size", 1.0, 1.0),
        ("a quarter", 1.0, 1.0),
        ("grey", 1.0, 1.0),
        ("brighter", 0.95, 1.0),
        ("2% cut off", 0.95, 1.0),
        ("5% cut off", 0.7, 1.0),
        ("10% cut off", 0.0, 0.6),
        ("mirrored", 0.0, 0.0),
    ],
)
def test_recall_of_copies_is_what_the_docs_say(scenes, copy, least, most):
    pictures, known = scenes
    hit = [alike(fingerprint(COPIES[copy](p, i)), known[i]) for i, p in enumerate(pictures)]
    assert least <= np.mean(hit) <= most


def test_other_photos_are_not_alike(scenes):
    _, known = scenes
    assert not any(alike(a, b) for a, b in itertools.combinations(known, 2))


def test_a_picture_is_turned_as_its_exif_says():
    upright = scene(3)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by 90 degrees
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    assert alike(fingerprint(jpeg(lying, exif=exif)), fingerprint(jpeg(upright)))
    assert not alike(fingerprint(jpeg(lying)), fingerprint(jpeg(upright)))


def test_forms_of_a_picture_hash_alike():
    picture = scene(4)
    picture.save(png := io.BytesIO(), "png")
    picture.convert("P").save(gif := io.BytesIO(), "gif")
    one = fingerprint(jpeg(picture))
    assert alike(one, fingerprint(png.getvalue()))
    assert alike(one, fingerprint(gif.getvalue()))
    assert 0 <= one.coarse < 2**64
    assert len(one.fine) == 32


@pytest.mark.parametrize("damage", [b"", b"<html>", jpeg(scene(0))[:300]])
def test_what_is_no_picture_is_said(damage):
    with pytest.raises(FileError, match="cannot be read as a picture"):
        fingerprint(damage)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(0, 60), st.integers(1, 5))
def test_bursts_are_the_components_of_what_is_alike(seed, n, authors):
    rng = np.random.default_rng(seed)
    who = rng.integers(0, authors, n).astype(np.uint64)
    base = hashes(rng, 3)
    coarse = np.array([0] * n, np.uint64)
    for i in range(n):
        coarse[i] = hashes(rng, 1, base, 8)[0]
    fine = np.zeros((n, 32), np.uint8)
    fine[:, 0] = rng.integers(0, 4, n) * 85  # 0, 4 or 8 bits apart
    label = burst_of(who, coarse, fine, 10, 4)
    want = list(range(n))

    def root(i):
        return i if want[i] == i else root(want[i])

    for a, b in itertools.combinations(range(n), 2):
        near_fine = int(np.bitwise_count(fine[a] ^ fine[b]).sum()) <= 4
        near_coarse = int(coarse[a] ^ coarse[b]).bit_count() <= 10
        if who[a] == who[b] != 0 and near_fine and near_coarse:
            want[root(b)] = root(a)
    groups = {}
    for i in range(n):
        groups.setdefault(root(i), set()).add(i)
    expected = {frozenset(g) for g in groups.values() if len(g) > 1}
    got = {}
    for i, number in enumerate(label.tolist()):
        if number >= 0:
            got.setdefault(number, set()).add(i)
    assert {frozenset(g) for g in got.values()} == expected
    assert sorted(got) == list(range(len(got)))


def test_an_author_of_many_photos_is_searched_as_one_of_few(monkeypatch):
    from geodata.near_duplicates import bursts

    rng = np.random.default_rng(5)
    base = hashes(rng, 20)
    coarse = hashes(rng, 200, base, 6)
    who, fine = np.ones(200, np.uint64), np.zeros((200, 32), np.uint8)
    few = burst_of(who, coarse, fine, 10, 0)
    monkeypatch.setattr(bursts, "_FEW", 3)
    assert burst_of(who, coarse, fine, 10, 0).tolist() == few.tolist()
    assert few.max() > 2


def test_the_face_hands_on_what_it_says():
    assert near_duplicates.near is near
