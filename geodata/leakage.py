"""What two sets of photos share: the photo itself, its photographer, its place.

One rule for everybody who asks, the audit of a test set and the recipe that cleans training rows:

- the same photo: equal ids, folders and endings aside. ``45/77/3228511372.jpg``,
  ``45_77_3228511372`` and ``3228511372_8a3f0c12de.jpg`` are one photo of Flickr; ``a/1.jpg`` is
  ``1`` but not ``b/1.jpg``.
- the same photographer: equal names, whether a side has them as they are or as the SHA-256 that
  an import makes of them. A salted hash equals nothing but itself.
- the same place: equal coordinates to 1e-5 degrees, about a metre.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import coords, hashing
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

_SHA256 = r"^[0-9a-f]{64}$"


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


def marks(
    tables: Iterable[pa.Table],
    *,
    id: str | None = None,  # noqa: A002
    author: str | None = None,
    pair: tuple[str, str] | None = None,
) -> Marks:
    """Read what rows can share.

    Parameters
    ----------
    tables
        The rows in batches; a NULL shares nothing.
    id, author, pair
        Their columns: photo id, photographer, latitude and longitude.

    Examples
    --------
    >>> train = marks([pa.table({"id": ["45_77_3228511372.jpg", "x"]})], id="id")
    >>> test = marks([pa.table({"id": ["45/77/3228511372.jpg", "y"]})], id="id")
    >>> shared_photos(train, test)
    array([ True, False])
    """
    photos: list[tuple[Any, ...]] = []
    authors: list[Keys] = []
    points: list[coords.Coordinates] = []
    rows = 0
    for table in tables:
        rows += table.num_rows
        if id is not None:
            photos.append(_photo_keys(id_text(table[id])))
        if author is not None:
            authors.append(_author_keys(id_text(table[author])))
        if pair is not None:
            points.append(coords.arrays(*(coords.parse_numbers(table[name]) for name in pair)))
    return Marks(
        rows,
        Photos(*map(np.concatenate, zip(*photos, strict=True))) if photos else None,
        np.concatenate(authors) if authors else None,
        coords.Coordinates(*map(np.concatenate, zip(*points, strict=True))) if points else None,
    )


def shared_photos(rows: Marks, others: Marks) -> Mask | None:
    """Return which rows are a photo of the others, shape (n,); None where a side has no ids."""
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
    """Return which rows are by a photographer of the others, None where a side names none."""
    if rows.authors is None or others.authors is None:
        return None
    return _among(rows.authors, others.authors)


def shared_places(rows: Marks, others: Marks) -> Mask | None:
    """Return which rows are at a place of the others, None where a side has no coordinates."""
    if rows.points is None or others.points is None:
        return None
    return _among(_cells(rows.points), _cells(others.points))


def _among(keys: Keys, others: Keys) -> Mask:
    return np.asarray((keys != 0) & np.isin(keys, np.unique(others)))


def _photo_keys(ids: Any) -> tuple[Keys, Keys, Mask, Keys]:
    names = pc.replace_substring(pc.utf8_trim_whitespace(ids), "\\", "/")
    stems = pc.replace_substring_regex(names, _IMAGE_ENDING, "")
    bases = pc.replace_substring_regex(stems, r"^.*/", "")
    is_bare = np.asarray(pc.fill_null(pc.equal(stems, bases), False)).astype(bool)
    number = pc.struct_field(pc.extract_regex(names, _FLICKR), "number")
    flat = pc.replace_substring(stems, "/", "_")
    return _keys(flat), _keys(bases), is_bare, _keys(number)


def _author_keys(names: Any) -> Keys:
    """Hash names as an import does, those that are hashes already as they are."""
    words = pa.chunked_array(pc.utf8_trim_whitespace(names)).combine_chunks().dictionary_encode()
    known = words.dictionary
    is_hash = np.asarray(pc.match_substring_regex(known, _SHA256)).astype(bool)
    texts = [
        text if hashed else hashlib.sha256(text.encode()).hexdigest()
        for text, hashed in zip(known.to_pylist(), is_hash.tolist(), strict=True)
    ]
    return _keys(pa.array(texts, pa.string()).take(words.indices))


def _keys(values: Any) -> Keys:
    hashed = hashing.row_hashes(pa.table({"value": values}))
    hashed[np.asarray(pc.is_null(values)).astype(bool)] = 0
    return hashed


def _cells(points: coords.Coordinates) -> Keys:
    cell = np.round((points.lat + 90) * GRID_PER_DEGREE).astype(np.uint64) << np.uint64(32)
    cell |= np.round((points.lon + 180) * GRID_PER_DEGREE).astype(np.uint64) + np.uint64(1)
    return np.where(points.valid, cell, np.uint64(0))
