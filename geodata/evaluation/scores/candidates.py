"""Several answers a photo: which one to take, and how good the best of them is.

An answer that is no place is NaN and is never taken, save as the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from geodata import sphere
from geodata.evaluation.joining import Several
from geodata.evaluation.scores.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PAIRS_AT_A_TIME = 1 << 20


@dataclass(frozen=True)
class CandidateScores:
    """The score of each way to take one of several answers."""

    k: int
    """Most answers a photo."""
    k_min: int
    """Fewest answers a photo that has any."""
    layout: str
    """'rows', 'columns' or 'list': how the file holds them."""
    accuracy: dict[str, dict[float, float | None]]
    """By way ('first', 'best', 'medoid', 'vote', 'oracle') and threshold in km: shares of the
    denominator. 'best' needs a confidence of each answer, 'vote' labels."""
    intervals: dict[str, dict[float, Interval | None]] = field(repr=False)

    @property
    def oracle(self) -> dict[float, float | None]:
        """Share of photos with at least one of the K answers within each threshold."""
        return self.accuracy["oracle"]

    def __getitem__(self, way: str) -> dict[float, float | None]:
        return self.accuracy[way]


def first(several: Several) -> Ints:
    """Return the first answer of each photo, -1 where there is none."""
    return np.where(several.counts > 0, several.start[:-1], -1)


def most(several: Several, value: ArrayLike) -> Ints:
    """Return each photo's answer with the largest value, the first of equals; -1 for none.

    An answer whose value is NaN, or that is no place, is not taken.

    Examples
    --------
    >>> found = Several(np.array([0, 2, 3]), np.zeros(3), np.zeros(3), None)
    >>> most(found, [1.0, 5.0, np.nan]).tolist()
    [1, -1]
    """
    values = np.asarray(value, np.float64)
    rows = np.flatnonzero(~np.isnan(values) & ~np.isnan(several.lat))
    owner = several.owners()[rows]
    order = np.lexsort((rows, -values[rows], owner))
    owner, rows = owner[order], rows[order]
    head = np.append(True, owner[1:] != owner[:-1]) if len(owner) else np.empty(0, bool)
    out = np.full(len(several.start) - 1, -1, np.int64)
    out[owner[head]] = rows[head]
    return out


def summed_km(several: Several) -> Floats:
    """Return the sum of each answer's distances to the other answers of its photo, km.

    Returns
    -------
    shape (answers,), NaN where an answer is no place.
    """
    out = np.full(len(several.lat), np.nan)
    for rows in _rectangles(several):
        lat, lon = several.lat[rows], several.lon[rows]
        apart = sphere.haversine_km(lat[:, :, None], lon[:, :, None], lat[:, None], lon[:, None])
        out[rows] = np.nansum(apart, axis=2)
    out[np.isnan(several.lat)] = np.nan
    return out


def medoid(several: Several) -> Ints:
    """Return each photo's spherical medoid: the answer with the least summed distance to others.

    Examples
    --------
    >>> found = Several(np.array([0, 3]), np.array([0.0, 1.0, 50.0]), np.zeros(3), None)
    >>> medoid(found).tolist()
    [1]
    """
    return most(several, -summed_km(several))


def spread_km(several: Several) -> Floats:
    """Return the mean distance of each photo's answers to their medoid, km, shape (photos,).

    NaN for a photo with fewer than two answers that are places: one answer cannot disagree.
    """
    chosen, total = medoid(several), summed_km(several)
    there = np.bincount(several.owners(), ~np.isnan(several.lat), len(chosen))
    out = np.full(len(chosen), np.nan)
    known = there >= 2
    out[known] = total[chosen[known]] / there[known]
    return out


def vote(several: Several, labels: pa.Table) -> Ints:
    """Return each photo's answer by a vote of regions.

    The country that most answers lie in wins, then the region in it, then the city; the first of
    equals. Of the answers there, the medoid is taken. Open sea is a region too.

    Parameters
    ----------
    several
    labels
        country_code, admin1_code and city of each answer, text.
    """
    owner, alive = several.owners(), ~np.isnan(several.lat)
    key = owner
    for column in ("country_code", "admin1_code", "city"):
        values = pc.fill_null(labels[column], "").combine_chunks().dictionary_encode()
        codes = np.asarray(values.indices, np.int64)
        _, key = np.unique(np.stack([key, codes]), axis=1, return_inverse=True)
        key = np.asarray(key).ravel()
        votes = np.bincount(key[alive], minlength=len(key))
        winner = most(several, np.where(alive, votes[key], np.nan))
        won = winner[owner]
        alive &= (won >= 0) & (key == key[won])
    left = Several(several.start, np.where(alive, several.lat, np.nan), several.lon, None)
    return medoid(left)


def nearest_rank(several: Several, rank: NDArray[np.uint8], worst: int) -> NDArray[np.uint8]:
    """Return the smallest `Outcome.rank` of each photo's answers, ``worst`` where it has none."""
    out = np.full(len(several.start) - 1, worst, np.uint8)
    np.minimum.at(out, several.owners(), rank)
    return out


def _rectangles(several: Several) -> Iterator[Any]:
    """Yield rows of answers of photos that have as many, shape (photos, k)."""
    counts = several.counts
    for k in np.unique(counts[counts > 0]).tolist():
        photos = np.flatnonzero(counts == k)
        step = max(1, _PAIRS_AT_A_TIME // (k * k))
        for begin in range(0, len(photos), step):
            yield several.start[photos[begin : begin + step], None] + np.arange(k)
