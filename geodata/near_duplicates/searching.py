"""All pairs of 64-bit hashes that differ in few bits, without looking at most of the others.

Multi-index hashing (Norouzi, Punjani, Fleet 2012, https://arxiv.org/abs/1307.2982): a hash is cut
into four bands of 16 bits. If two hashes differ in at most r bits, then in one of the bands they
differ in few, and a band has only 65,536 values to look at. Exact: no pair is missed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]

MOST_BITS = 15
"""Beyond it more of the known hashes would have to be looked at than left out."""

_BANDS, _BAND_BITS = 4, 16
_AT_ONCE = 1 << 22
"""Candidates that are compared at a time: some 150 MB."""


class Pairs(NamedTuple):
    """Pairs of rows that are near, ordered by query, then by known row; shape (n,) each."""

    query: Rows
    known: Rows
    bits: NDArray[np.uint8]
    """How many bits differ."""


def near(queries: Hashes, known: Hashes, most_bits: int) -> Pairs:
    """Return every pair of a query and a known hash that differ in at most so many bits.

    Parameters
    ----------
    queries, known
        64-bit hashes, shapes (m,) and (n,).
    most_bits
        From 0 to `MOST_BITS`.

    Raises
    ------
    ValueError
        For another ``most_bits``.

    Examples
    --------
    >>> near(np.array([0b1011], np.uint64), np.array([0, 0b1010, 0b0011], np.uint64), 1)
    Pairs(query=array([0, 0]), known=array([1, 2]), bits=array([1, 1], dtype=uint8))
    """
    if isinstance(most_bits, bool) or most_bits not in range(MOST_BITS + 1):
        msg = f"most_bits {most_bits!r} must be a whole number from 0 to {MOST_BITS}"
        raise ValueError(msg)
    found = [
        hits
        for band, radius in enumerate(_radii(most_bits))
        if radius >= 0
        for hits in _in_band(queries, known, band, radius, most_bits)
    ]
    if not found:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))
    query, row, bits = (np.concatenate(part) for part in zip(*found, strict=True))
    # a pair that is near in several bands was found in each
    _, first = np.unique(query * np.int64(len(known)) + row, return_index=True)
    return Pairs(query[first], row[first], bits[first])


def _radii(most_bits: int) -> list[int]:
    """Return how many bits may differ in each band, -1 for a band that need not be looked at.

    Their sum plus the number of bands is ``most_bits + 1``: two hashes that differ in more than
    that in every band differ in more than ``most_bits`` altogether.

    Examples
    --------
    >>> _radii(10), _radii(2)
    ([2, 2, 2, 1], [0, 0, 0, -1])
    """
    each, more = divmod(most_bits + 1, _BANDS)
    return [each - 1 + (band < more) for band in range(_BANDS)]


def _masks(radius: int) -> Iterator[int]:
    """Yield every pattern of at most ``radius`` bits of a band."""
    for count in range(radius + 1):
        for bits in itertools.combinations(range(_BAND_BITS), count):
            yield sum(1 << bit for bit in bits)


def _in_band(
    queries: Hashes, known: Hashes, band: int, radius: int, most_bits: int
) -> Iterator[tuple[Rows, Rows, NDArray[np.uint8]]]:
    """Yield the near pairs that differ in at most ``radius`` bits of a band."""
    values, asked = _band(known, band), _band(queries, band)
    order = np.argsort(values, kind="stable")
    by_value = known[order]
    ends = np.concatenate([[0], np.cumsum(np.bincount(values, minlength=1 << _BAND_BITS))])
    for mask in _masks(radius):
        probe = asked ^ mask
        first, count = ends[probe], ends[probe + 1] - ends[probe]
        for block in _blocks(count):
            n = count[block]
            starts = np.cumsum(n) - n
            at = np.repeat(first[block] - starts, n)
            at += np.arange(len(at))
            bits = np.bitwise_count(by_value[at] ^ np.repeat(queries[block], n))
            hit = np.flatnonzero(bits <= most_bits)
            query = np.searchsorted(np.cumsum(n), hit, side="right") + block.start
            yield query.astype(np.int64), order[at[hit]], bits[hit]


def _band(hashes: Hashes, band: int) -> Rows:
    return (hashes >> np.uint64(band * _BAND_BITS) & np.uint64(0xFFFF)).astype(np.int64)


def _blocks(count: Rows) -> Iterator[slice]:
    """Yield runs of queries, each with about `_AT_ONCE` candidates, one query at least."""
    ends = np.cumsum(count)
    start = 0
    while start < len(count):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + _AT_ONCE, side="right")), start + 1)
        yield slice(start, stop)
        start = stop
