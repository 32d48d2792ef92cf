"""The recipe ``rand``: a random sample, also so many rows of each value of a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.datasets.recipes.sampling import (
    ID,
    Keys,
    Made,
    Mask,
    check_count,
    chosen,
    left_out,
    need_plain,
    smallest,
    usable_points,
)
from geodata.hashing import sampling_keys
from geodata.tables import DatasetError, Input

ALLOCATIONS = ("proportional", "equal")


def rand(
    inputs: Mapping[str, Input],
    seed: int,
    *,
    n: int | None = 500_000,
    stratify: str | None = None,
    allocation: str = "proportional",
) -> Made:
    """Choose ``n`` rows with valid coordinates and status ``ok``, as Geo-R's MP16-Rand.

    Parameters
    ----------
    n
        Rows to choose.
    stratify
        A column, such as ``country_code`` or ``h3_3``: each of its values gets a fixed number of
        rows. NULL is a value of its own.
    allocation
        ``proportional`` to the rows of a value (largest remainders), or ``equal``: as near to the
        same number as the values have rows.
    """
    rows = inputs["rows"]
    rows.need(ID)
    need_plain(rows, *([stratify] if stratify else []))
    if allocation not in ALLOCATIONS:
        msg = f"allocation {allocation!r} is not known; expected {' or '.join(ALLOCATIONS)}"
        raise DatasetError(msg)
    if allocation == "equal" and stratify is None:
        msg = "allocation 'equal' divides rows among the values of a column; name it with stratify="
        raise DatasetError(msg)
    key, valid, usable, strata = _read(rows, seed, stratify)
    wanted = check_count(n, int(usable.sum()), f"of {rows.label} have coordinates and status ok")
    report: dict[str, Any] = {**left_out(valid, usable), "rows": wanted}
    empty = f"no row of {rows.label} has valid coordinates and status ok"
    if strata is None:
        return chosen(rows, smallest(rows, key, usable, wanted, seed), report, empty=empty)
    sizes = np.bincount(strata[usable])
    shares = _allocated(sizes, wanted, allocation)
    report["strata"] = {"column": stratify, "values": int((sizes > 0).sum())}
    keep = _stratified(rows, seed, key, usable, strata, shares)
    return chosen(rows, keep, report, empty=empty)


def _stratified(
    rows: Input,
    seed: int,
    key: Keys,
    usable: Mask,
    strata: NDArray[np.int64],
    shares: NDArray[np.int64],
) -> Mask:
    """Return the mask of the smallest keys of each stratum, all strata in one sort."""
    among = np.flatnonzero(usable)
    order = among[np.lexsort([key[among], strata[among]])]
    sizes = np.bincount(strata[order], minlength=len(shares))
    starts = np.cumsum(sizes) - sizes
    keep = np.zeros(len(key), bool)
    keep[order[np.arange(len(order)) - starts[strata[order]] < shares[strata[order]]]] = True
    cut = np.flatnonzero((shares > 0) & (shares < sizes))
    ends = starts[cut] + shares[cut]
    for stratum in cut[key[order[ends]] == key[order[ends - 1]]]:  # equal keys at the cut
        own = usable & (strata == stratum)
        keep &= ~own
        keep |= smallest(rows, key, own, int(shares[stratum]), seed)
    return keep


def _read(
    rows: Input, seed: int, stratify: str | None
) -> tuple[Keys, Mask, Mask, NDArray[np.int64] | None]:
    key, valid, usable = [np.empty(0, np.uint64)], [np.empty(0, bool)], [np.empty(0, bool)]
    values: list[pa.Array] = []
    for points, fit, table in usable_points(rows, [ID, *([stratify] if stratify else [])]):
        key.append(sampling_keys(table, seed))
        valid.append(points.valid)
        usable.append(fit)
        values += table[stratify].chunks if stratify else []
    strata = _codes(pa.chunked_array(values)) if values else None
    return np.concatenate(key), np.concatenate(valid), np.concatenate(usable), strata


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the rank of each row's value among the sorted values of a column, NULL last."""
    words = column.dictionary_encode().combine_chunks()
    if isinstance(words, pa.ChunkedArray):
        words = words.chunk(0)
    order = np.asarray(pc.array_sort_indices(words.dictionary)).astype(np.int64)
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = len(order)
    return np.asarray(rank[np.asarray(words.indices.fill_null(len(order))).astype(np.int64)])


def _allocated(sizes: NDArray[np.int64], n: int, allocation: str) -> NDArray[np.int64]:
    """Return how many rows each stratum gives, n in all; ties go to the first.

    Examples
    --------
    >>> _allocated(np.array([6, 3, 1]), 5, "proportional").tolist()
    [3, 2, 0]
    >>> _allocated(np.array([6, 3, 1]), 7, "equal").tolist()
    [3, 3, 1]
    """
    if allocation == "equal":
        return _equal(sizes, n)
    exact = sizes * n // max(int(sizes.sum()), 1)
    remainders = sizes * n - exact * int(sizes.sum())
    order = np.argsort(-remainders, kind="stable")
    exact[order[: n - int(exact.sum())]] += 1
    return np.asarray(exact)


def _equal(sizes: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    shares = np.zeros(len(sizes), np.int64)
    left = n
    while left:
        room = np.flatnonzero(shares < sizes)
        each = left // len(room)
        if not each:
            shares[room[:left]] += 1
            break
        more = np.minimum(sizes[room] - shares[room], each)
        shares[room] += more
        left -= int(more.sum())
    return shares
