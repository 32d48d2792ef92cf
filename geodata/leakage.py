"""What two sets of photos share: the photo itself, its photographer, its place.

One rule for everybody who asks, the audit of a test set and the recipe that cleans training rows:

- the same photo: equal ids, folders and endings aside. ``45/77/3228511372.jpg``,
  ``45_77_3228511372`` and ``3228511372_8a3f0c12de.jpg`` are one photo of Flickr; ``a/1.jpg`` is
  ``1`` but not ``b/1.jpg``.
- the same photographer: equal names, whether a side has them as they are or as the SHA-256 that
  an import makes of them. A salted hash equals nothing but itself, so that photographers under
  two salts are not compared, which `not_compared` says.
- the same place: equal coordinates to 1e-5 degrees, about a metre.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import buffers, coords, hashing
from geodata.files import id_text

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

GRID_PER_DEGREE = 1e5  # about a metre

_IMAGE_ENDING = r"(?i)\.(jpe?g|png|webp|gif|bmp|tiff?|heic|avif)$"
_FLICKR = (
    r"^(?:.*/)?(?:[0-9a-f]{1,3}_[0-9a-f]{1,3}_)?(?P<number>[1-9][0-9]{5,})"
    r"(?:_[0-9a-f]{10}(?:_.*)?)?(?:\.[A-Za-z]{3,4})?$"
)
"""Folders, as such or flat, number, then perhaps the secret of ten digits and more, an ending."""

_SHA256 = r"^(?:[0-9a-f]{8}:)?[0-9a-f]{64}$"
"""A hash that an import made, behind the mark of its salt where a lake has one."""

_MARK_COST = 1 << 14
"""Of scrypt: who guesses salts by their marks pays a hundredth of a second for each."""


@dataclass(frozen=True)
class Salt:
    """What is hashed before each author's id, so that a list of known ids does not find them."""

    value: bytes = field(repr=False)
    mark: str = ""
    """Eight hex digits that tell salts apart and do not tell the salt; put before each hash."""


def marked_salt(value: bytes) -> Salt:
    """Return a salt with its mark.

    Examples
    --------
    >>> author_hash("12@N00", marked_salt(b"pepper"))[:9] == marked_salt(b"pepper").mark + ":"
    True
    """
    told = hashlib.scrypt(value, salt=b"geodata salt mark", n=_MARK_COST, r=8, p=1, dklen=4)
    return Salt(value, told.hex())


def author_hash(name: str, salt: Salt | None = None) -> str:
    """Return the SHA-256 in hex of a photographer's UTF-8 name, salted or not.

    With a marked salt, of salt, a zero byte and the hash without a salt: who has the salt can
    compare with plain hashes. With a salt without a mark, of salt, a zero byte and the name.

    Examples
    --------
    >>> author_hash("12@N00")[:8], author_hash("12@N00", Salt(b"pepper", "0a1b2c3d"))[:12]
    ('426dea27', '0a1b2c3d:877')
    """
    plain = hashlib.sha256(name.encode()).hexdigest()
    if salt is None:
        return plain
    if salt.mark:
        return _salted(plain, salt)
    return hashlib.sha256(salt.value + b"\0" + name.encode()).hexdigest()


def _salted(plain: str, salt: Salt) -> str:
    digest = hashlib.sha256(salt.value + b"\0" + plain.encode()).hexdigest()
    return f"{salt.mark}:{digest}"


@dataclass(frozen=True)
class Photos:
    """What names the photos of some rows, as 64-bit keys, 0 for a row without."""

    path: Keys
    """Of the whole id with folders, however they are separated, and without ending."""
    base: Keys
    """Of its last part."""
    is_bare: Mask
    """Whether the id has no folders."""
    number: Keys
    """Of the number of a Flickr photo."""


@dataclass(frozen=True)
class Marks:
    """What rows can share; None where there is no column."""

    rows: int
    photos: Photos | None
    authors: Keys | None
    points: coords.Coordinates | None
    salts: frozenset[str] = frozenset()
    """Marks of the salts of the authors, the empty text for names and hashes without one."""


def marks(
    tables: Iterable[pa.Table],
    *,
    id: str | None = None,  # noqa: A002
    author: str | None = None,
    pair: tuple[str, str] | None = None,
    salt: Salt | None = None,
) -> Marks:
    """Read what rows can share.

    Parameters
    ----------
    tables
        The rows in batches; a NULL shares nothing.
    id, author, pair
        Their columns: photo id, photographer, latitude and longitude.
    salt
        Of a lake: photographers without a salt are taken as they would be with it.

    Examples
    --------
    >>> train = marks([pa.table({"id": ["45_77_3228511372.jpg", "x"]})], id="id")
    >>> test = marks([pa.table({"id": ["45/77/3228511372.jpg", "y"]})], id="id")
    >>> shared_photos(train, test)
    array([ True, False])
    """
    photos: list[tuple[Any, ...]] = []
    authors: list[Keys] = []
    salts: set[str] = set()
    points: list[coords.Coordinates] = []
    rows = 0
    for table in tables:
        rows += table.num_rows
        if id is not None:
            photos.append(_photo_keys(id_text(table[id])))
        if author is not None:
            keys, found = _author_keys(id_text(table[author]), salt)
            authors.append(keys)
            salts |= found
        if pair is not None:
            points.append(coords.arrays(*(coords.parse_numbers(table[name]) for name in pair)))
    return Marks(
        rows,
        Photos(*map(np.concatenate, zip(*photos, strict=True))) if photos else None,
        np.concatenate(authors) if authors else None,
        coords.Coordinates(*map(np.concatenate, zip(*points, strict=True))) if points else None,
        frozenset(salts),
    )


def shared_photos(rows: Marks, others: Marks) -> Mask | None:
    """Return which rows are a photo of the others, shape (n,); None where a side has no ids.

    Examples
    --------
    >>> train = marks([pa.table({"id": ["a/1.jpg", "b/2.jpg"]})], id="id")
    >>> test = marks([pa.table({"id": ["1", "c/2.jpg"]})], id="id")
    >>> shared_photos(test, train)
    array([ True, False])
    """
    a, b = rows.photos, others.photos
    if a is None or b is None:
        return None
    return (
        _among(a.path, b.path)
        | _among(a.number, b.number)
        | (a.is_bare & _among(a.base, b.base))
        | _among(a.base, b.base[b.is_bare])
    )


def shared_authors(rows: Marks, others: Marks) -> Mask | None:
    """Return which rows are by a photographer of the others; None where that cannot be told.

    It cannot where a side names none, or where no salt of one side is one of the other's; the
    latter is what `not_compared` says.

    Examples
    --------
    >>> train = marks([pa.table({"author": ["12@N00", "34@N00"]})], author="author")
    >>> test = marks([pa.table({"author": [author_hash("12@N00"), None]})], author="author")
    >>> shared_authors(test, train)
    array([ True, False])
    """
    if rows.authors is None or others.authors is None:
        return None
    if rows.salts and others.salts and not rows.salts & others.salts:
        return None
    return _among(rows.authors, others.authors)


def not_compared(rows: Marks, others: Marks) -> str | None:
    """Say which photographers could not be compared, and what helps; None where all could.

    Examples
    --------
    >>> salted = pa.table({"author": [author_hash("me", Salt(b"pepper", "0a1b2c3d"))]})
    >>> a, b = (marks([t], author="author") for t in (salted, pa.table({"author": ["me"]})))
    >>> shared_authors(a, b) is None, not_compared(a, b)[:60]
    (True, 'photographers are not compared: their ids are hashed with di')
    """
    if not rows.salts or not others.salts or rows.salts == others.salts:
        return None
    part = "some " if rows.salts & others.salts else ""
    here, there = (" and ".join(s or "none" for s in sorted(m.salts)) for m in (rows, others))
    return (
        f"{part}photographers are not compared: their ids are hashed with different salts ({here}; "
        f"{there}); import both into one lake, or both with one --salt"
    )


def shared_places(rows: Marks, others: Marks) -> Mask | None:
    """Return which rows are at a place of the others, None where a side has no coordinates.

    Examples
    --------
    >>> train = marks([pa.table({"lat": [48.8584], "lon": [2.2945]})], pair=("lat", "lon"))
    >>> test = marks([pa.table({"lat": [48.8584, 48.8594], "lon": [2.2945, 2.2945]})],
    ...              pair=("lat", "lon"))
    >>> shared_places(test, train)
    array([ True, False])
    """
    if rows.points is None or others.points is None:
        return None
    return _among(_cells(rows.points), _cells(others.points))


def _among(keys: Keys, others: Keys) -> Mask:
    return np.asarray((keys != 0) & np.isin(keys, np.unique(others)))


def _photo_keys(ids: Any) -> tuple[Keys, Keys, Mask, Keys]:
    names = pc.replace_substring(pc.utf8_trim_whitespace(ids), "\\", "/")
    stems = pc.replace_substring_regex(names, _IMAGE_ENDING, "")
    bases = pc.replace_substring_regex(stems, r"^.*/", "")
    is_bare = buffers.flags(pc.equal(stems, bases))
    number = pc.struct_field(pc.extract_regex(names, _FLICKR), "number")
    flat = pc.replace_substring(stems, "/", "_")
    return _keys(flat), _keys(bases), is_bare, _keys(number)


def _author_keys(names: Any, salt: Salt | None) -> tuple[Keys, set[str]]:
    """Hash names as an import does, those that are hashes already as they are.

    Returns keys and the marks of the salts.
    """
    words = pa.chunked_array(pc.utf8_trim_whitespace(names)).combine_chunks().dictionary_encode()
    known = words.dictionary
    is_hash = np.asarray(pc.match_substring_regex(known, _SHA256)).astype(bool)
    texts = [
        text if hashed else author_hash(text)
        for text, hashed in zip(known.to_pylist(), is_hash.tolist(), strict=True)
    ]
    if salt is not None:
        texts = [text if ":" in text else _salted(text, salt) for text in texts]
    salts = {text.rpartition(":")[0] for text in texts}
    return _keys(pa.array(texts, pa.string()).take(words.indices)), salts


def _keys(values: Any) -> Keys:
    hashed = hashing.row_hashes(pa.table({"value": values}))
    hashed[np.asarray(pc.is_null(values)).astype(bool)] = 0
    return hashed


def _cells(points: coords.Coordinates) -> Keys:
    north = np.round(points.lat * GRID_PER_DEGREE).astype(np.int64)
    east = np.round((points.lon + 180) * GRID_PER_DEGREE) % (360 * GRID_PER_DEGREE)
    cell = north << 32 | east.astype(np.int64) + 1  # 0 is a row without a place
    return np.where(points.valid, cell, 0).view(np.uint64)
