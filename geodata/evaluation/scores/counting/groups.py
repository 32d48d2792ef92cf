"""Break a score down by a column: each value becomes a code once, and a group is a bincount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from geodata.evaluation.scores.counting.rule import Scoring

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """The score of the truth rows that share one value of a column; NULL is a value too."""

    value: Any
    rows: int
    answered: int
    correct: dict[float, int]
    accuracy: dict[float, float | None]
    """Of ``rows``, or of ``answered`` with missing='exclude'."""
    coverage: float | None
    mean_km: float | None
    """Over answered rows, as is the median."""
    median_km: float | None
    geoscore: float | None


@dataclass(frozen=True)
class GroupCodes:
    """A column as codes: ``values[codes[i]]`` is the value of row i."""

    values: tuple[Any, ...]
    codes: NDArray[np.int32]
    """Shape (rows,)."""

    @staticmethod
    def of(column: Any) -> GroupCodes:
        """Return the codes of a whole Arrow or array-like column.

        Examples
        --------
        >>> GroupCodes.of(["FR", None, "FR"])
        GroupCodes(values=('FR', None), codes=array([0, 1, 0], dtype=int32))
        """
        builder = GroupCodesBuilder()
        builder.add(column)
        return builder.finish()


class GroupCodesBuilder:
    """Collect a column piece by piece; codes are numbered by first appearance."""

    def __init__(self) -> None:
        self._index: dict[Any, int] = {}
        self._parts: list[NDArray[np.int32]] = []

    def add(self, column: Any) -> None:
        """Append the values of an Arrow array, chunked array or sequence.

        Raises
        ------
        ValueError
            For lists, structs and maps.
        """
        for chunk in _chunks(column):
            encoded = chunk.dictionary_encode(null_encoding="encode")
            known = [self._code(value) for value in encoded.dictionary.to_pylist()]
            self._parts.append(np.array(known, np.int32)[np.asarray(encoded.indices)])

    def finish(self) -> GroupCodes:
        """Return the codes of everything added."""
        codes = np.concatenate(self._parts) if self._parts else np.empty(0, np.int32)
        self._parts.clear()
        return GroupCodes(tuple(self._index), codes)

    def _code(self, value: Any) -> int:
        if value != value:  # NaN is a missing value, and never equal to itself
            value = None
        return self._index.setdefault(value, len(self._index))


def share(count: int, rows: int) -> float | None:
    """Return ``count / rows``, None where there are no rows.

    Examples
    --------
    >>> share(1, 4), share(0, 0)
    (0.25, None)
    """
    return count / rows if rows else None


def summarise(
    groups: GroupCodes,
    scoring: Scoring,
    ranks: NDArray[np.uint8],
    answered: NDArray[np.bool_],
    distances: Floats,
    points: Floats,
) -> tuple[Group, ...]:
    """Return one `Group` a value, most rows first, ties by the value's text.

    Parameters
    ----------
    groups
        The column, shape (rows,).
    scoring
        Thresholds and what a missing answer is.
    ranks, answered
        `Outcome.rank` and `Outcome.answered` of every row, shape (rows,).
    distances, points
        Errors in km and GeoScores of the answered rows, shape (answered,).
    """
    size, levels = len(groups.values), len(scoring.thresholds_km) + 1
    table = np.bincount(groups.codes.astype(np.int64) * levels + ranks, minlength=size * levels)
    counts = np.cumsum(table.reshape(size, levels), axis=1)
    codes = groups.codes[answered]
    there = np.bincount(codes, minlength=size)
    sums = np.bincount(codes, distances, size), np.bincount(codes, points, size)
    medians = _medians(codes, distances, there)
    found = [
        _group(value, scoring, counts[i], int(there[i]), sums[0][i], sums[1][i], medians[i])
        for i, value in enumerate(groups.values)
    ]
    return tuple(sorted(found, key=lambda g: (-g.rows, g.value is None, str(g.value))))


def _group(
    value: Any,
    scoring: Scoring,
    counts: NDArray[np.int64],
    answered: int,
    sum_km: float,
    sum_points: float,
    median_km: float,
) -> Group:
    rows = int(counts[-1])
    denominator = rows if scoring.missing == "wrong" else answered
    correct = dict(zip(scoring.thresholds_km, counts[:-1].tolist(), strict=True))
    return Group(
        value=value,
        rows=rows,
        answered=answered,
        correct=correct,
        accuracy={t: share(count, denominator) for t, count in correct.items()},
        coverage=share(answered, rows),
        mean_km=float(sum_km) / answered if answered else None,
        median_km=float(median_km) if answered else None,
        geoscore=float(sum_points) / denominator if denominator else None,
    )


def _medians(codes: NDArray[np.int32], distances: Floats, sizes: NDArray[np.int64]) -> Floats:
    """Return each group's median, any number for an empty one: one sort for all of them."""
    if not len(distances):
        return np.zeros(len(sizes))
    order = np.argsort(distances)
    narrow = np.uint16 if len(sizes) <= 1 << 16 else np.int32  # NumPy sorts 16 bits by radix
    order = order[np.argsort(codes[order].astype(narrow), kind="stable")]
    ordered = distances[order]
    start = np.cumsum(sizes) - sizes
    last = len(ordered) - 1
    low = ordered[start + (sizes - 1) // 2]
    high = ordered[np.minimum(start + sizes // 2, last)]  # an empty group may lie behind the end
    return np.asarray((low + high) / 2)


def _chunks(column: Any) -> list[pa.Array]:
    if isinstance(column, pa.ChunkedArray):
        chunks: list[pa.Array] = column.chunks
    elif isinstance(column, pa.Array):
        chunks = [column]
    else:
        chunks = [pa.array(column)]
    plain = []
    for chunk in chunks:
        if isinstance(chunk, pa.DictionaryArray):
            chunk = chunk.dictionary_decode()
        if pa.types.is_nested(chunk.type):
            msg = f"a column to group by is {chunk.type}; it must hold text, numbers or dates"
            raise ValueError(msg)
        plain.append(chunk)
    return plain
