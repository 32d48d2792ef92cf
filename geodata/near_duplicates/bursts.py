"""Bursts: photos of one author that look alike, directly or through others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.near_duplicates.searching import near

_FEW = 1024
"""Photos of an author that are compared with each other outright."""

_Hashes = NDArray[np.uint64]
_Rows = NDArray[np.int64]


def burst_of(
    authors: _Hashes, coarse: _Hashes, fine: NDArray[np.uint8], most_bits: int, most_fine: int
) -> _Rows:
    """Return the number of the burst that each photo is in, -1 for a photo that stands alone.

    Parameters
    ----------
    authors
        A key a photo, 0 where nobody is named; such a photo is in no burst. Shape (n,).
    coarse, fine
        Perceptual hashes: shape (n,), and (n, 32) bytes.
    most_bits, most_fine
        Most bits that the hashes of two alike differ in.

    Examples
    --------
    >>> authors = np.array([7, 7, 8, 7], np.uint64)
    >>> coarse = np.array([0, 1, 0, 2**63 - 1], np.uint64)
    >>> burst_of(authors, coarse, np.zeros((4, 32), np.uint8), 4, 0).tolist()
    [0, 0, -1, -1]
    """
    found = list(_pairs(authors, coarse, fine, most_bits, most_fine))
    if not found:
        return np.full(len(authors), -1, np.int64)
    a, b = (np.concatenate(part) for part in zip(*found, strict=True))
    size = len(authors)
    _, label = connected_components(coo_array((np.ones(len(a), bool), (a, b)), (size, size)))
    alone = np.bincount(label)[label] < 2
    _, numbered = np.unique(label[~alone], return_inverse=True)
    out = np.full(size, -1, np.int64)
    out[~alone] = numbered
    return out


def _pairs(
    authors: _Hashes, coarse: _Hashes, fine: NDArray[np.uint8], most_bits: int, most_fine: int
) -> Iterator[tuple[_Rows, _Rows]]:
    """Yield pairs of rows that are alike, author by author; equal hashes in one chain."""
    order = np.lexsort((coarse, authors))
    order = order[authors[order] != 0]
    who, what = authors[order], coarse[order]
    fresh = np.ones(len(order), bool)
    if len(order):
        same = (who[1:] == who[:-1]) & (what[1:] == what[:-1])
        same &= (fine[order[1:]] == fine[order[:-1]]).all(axis=1)
        fresh[1:] = ~same
        yield order[1:][same], order[:-1][same]
    order, who = order[fresh], who[fresh]
    cuts = np.flatnonzero(who[1:] != who[:-1]) + 1
    for rows in np.split(order, cuts):
        if len(rows) > 1:
            a, b = _alike(coarse[rows], most_bits)
            sure = bits_apart(fine[rows[a]], fine[rows[b]]) <= most_fine
            yield rows[a[sure]], rows[b[sure]]


def _alike(coarse: _Hashes, most_bits: int) -> tuple[_Rows, _Rows]:
    """Return each pair of different places whose hashes are near, once."""
    if len(coarse) <= _FEW:
        a, b = np.nonzero(np.bitwise_count(coarse[:, None] ^ coarse[None]) <= most_bits)
    else:
        a, b, _ = near(coarse, coarse, most_bits)
    once = a < b
    return a[once], b[once]


def bits_apart(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many bits differ in each row, shape (n,).

    Examples
    --------
    >>> bits_apart(np.array([[255, 0]], np.uint8), np.array([[0, 1]], np.uint8)).tolist()
    [9]
    """
    return np.asarray(np.bitwise_count(a ^ b).sum(axis=1, dtype=np.int64))
