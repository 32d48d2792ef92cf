"""Match ids of two files through 64-bit keys: 8 bytes a row, whatever the ids look like.

Ids are text, and equal only if they are the same text: ``1e3`` is not ``1000``. The looser
readings are ways to write one photo's id that occur in the wild; each is used when asked for.
Two different ids share a key with probability 2^-64, 5e-6 for any pair in 10M x 10M rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import buffers
from geodata.hashing import mix

_EXTENSION = r"(?i)\.(jpe?g|png|webp|gif|bmp|tiff?|heic|avif)$"
_EXTENSIONS = _EXTENSION.replace(r"\.(", r"(?:\.(?:").replace(")$", "))+$")
_FLOAT_ID = re.compile(r"[0-9]{1,40}(\.[0-9]{0,40})?([eE]\+?[0-9]{1,2})?")
_FLOAT_ID_RE2 = r"^[0-9]+(\.[0-9]*|(\.[0-9]*)?[eE]\+?[0-9]{1,2})$"


def trimmed(ids: Any) -> Any:
    """Return ids without white space around them.

    Examples
    --------
    >>> trimmed(pa.array([" a.jpg "])).to_pylist()
    ['a.jpg']
    """
    return pc.utf8_trim_whitespace(ids)


def stems(ids: Any) -> Any:
    r"""Return ids without folders and without the ending of an image file.

    Examples
    --------
    >>> stems(pa.array(["45/77/322.jpg", "C:\\photos\\a.PNG", "78841376@N00"])).to_pylist()
    ['322', 'a', '78841376@N00']
    """
    names = pc.replace_substring_regex(trimmed(ids), r"^.*[/\\]", "")
    return pc.replace_substring_regex(names, _EXTENSION, "")


def flattened(ids: Any) -> Any:
    """Return ids with ``_`` for the folder separator and without an image ending.

    Examples
    --------
    >>> flattened(pa.array(["45/77/322.jpg", "45_77_322"])).to_pylist()
    ['45_77_322', '45_77_322']
    """
    names = pc.replace_substring_regex(trimmed(ids), _EXTENSION, "")
    return pc.replace_substring_regex(names, r"[/\\]", "_")


def without_endings(ids: Any) -> Any:
    """Return ids without folders and without all endings of image files.

    Examples
    --------
    >>> without_endings(pa.array(["a/x.jpg.jpg", "x.JPG", "x.v2.png"])).to_pylist()
    ['x', 'x', 'x.v2']
    """
    return pc.replace_substring_regex(stems(ids), _EXTENSIONS, "")


def lower_case(ids: Any) -> Any:
    """Return ids in lower case, without folders and image endings.

    Examples
    --------
    >>> lower_case(pa.array(["A_7.JPG", "a_7"])).to_pylist()
    ['a_7', 'a_7']
    """
    return pc.utf8_lower(without_endings(ids))


def without_zeros(ids: Any) -> Any:
    """Return numbers without leading zeros, and without folders and image endings.

    Examples
    --------
    >>> without_zeros(pa.array(["00042.jpg", "42", "0", "0x1"])).to_pylist()
    ['42', '42', '0', '0x1']
    """
    return pc.replace_substring_regex(without_endings(ids), r"^0+([0-9]+)$", r"\1")


def whole_numbers(ids: Any) -> Any:
    """Return ids with numbers written as floats, ``3.228e9`` or ``322.0``, as whole numbers.

    Examples
    --------
    >>> whole_numbers(pa.array(["3.228511372e9", "322.0", "0.5", "1e3a"])).to_pylist()
    ['3228511372', '322', '0.5', '1e3a']
    """
    ids = trimmed(ids)
    if not looks_float(ids).any():
        return ids
    return pa.array([None if v is None else _whole(v) for v in ids.to_pylist()], pa.string())


def looks_float(ids: Any) -> NDArray[np.bool_]:
    """Return which ids are numbers written with a point or an exponent.

    Examples
    --------
    >>> looks_float(pa.array(["3.2e9", "322.0", "322", "a.5"])).tolist()
    [True, True, False, False]
    """
    return buffers.flags(pc.match_substring_regex(ids, _FLOAT_ID_RE2))


def _whole(text: str) -> str:
    if not _FLOAT_ID.fullmatch(text) or text.isdigit():
        return text
    number = Decimal(text)
    return str(int(number)) if number == number.to_integral_value() else text


DENSE = 4
"""Integer keys with at most this many numbers a row in their range are looked up in a table."""

MODES: dict[str, Callable[[Any], Any] | None] = {
    "exact": None,
    "trim": trimmed,
    "stem": stems,
    "flat": flattened,
    "number": whole_numbers,
    "endings": without_endings,
    "case": lower_case,
    "zeros": without_zeros,
}
"""The readings of an id, strictest first; 'auto' tries them in this order."""


def id_keys(ids: Any, mode: str, *, first_row: int) -> NDArray[np.uint64]:
    """Return a 64-bit key for each id; rows without an id get keys of their own.

    Parameters
    ----------
    ids : pyarrow array, shape (n,)
        Text.
    mode
        A key of `MODES`.
    first_row
        Row number of the first id, to give rows without an id their key.

    Examples
    --------
    >>> a = id_keys(pa.array(["x.jpg", "y"]), "stem", first_row=0)
    >>> b = id_keys(pa.array(["f/x", None]), "stem", first_row=0)
    >>> bool(a[0] == b[0]), bool(a[1] == b[1])
    (True, False)
    """
    import polars as pl

    read = MODES[mode]
    values = ids if read is None else read(ids)
    hashed = pl.Series(values=values).hash().to_numpy().astype(np.uint64)
    if values.null_count:
        rows = np.flatnonzero(buffers.flags(pc.is_null(values)))
        hashed[rows] = pl.Series(rows + first_row).hash().to_numpy()
    return hashed


def whole_number_keys(ids: Any, *, first_row: int) -> NDArray[np.uint64]:
    """Return integer ids as keys that keep neighbours together, for `find_rows` and `repeated`.

    Examples
    --------
    >>> whole_number_keys(pa.chunked_array([[7, 8]]), first_row=0).tolist()
    [7, 8]
    """
    if ids.null_count:
        own = np.arange(first_row, first_row + len(ids)) + np.iinfo(np.int64).min
        ids = pc.coalesce(ids, buffers.column(own))
    return np.array(buffers.numbers(ids)).view(np.uint64)


def _dense(keys: NDArray[np.uint64]) -> tuple[int, int] | None:
    """Return the lowest key and how wide all keys' range is, if it is a few numbers a row."""
    low, high = int(keys.min()), int(keys.max())
    return (low, high - low + 1) if high - low < DENSE * len(keys) else None


def sorted_by_key(hashes: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """Return the rows sorted by key: each value is the key's top bits, then the row number.

    Sorting whole numbers is eight times as fast as sorting their positions.
    """
    packed = np.arange(len(hashes), dtype=np.uint64)
    packed |= (mix(hashes) >> np.uint64(bits)) << np.uint64(bits)
    packed.sort()
    return packed


def row_bits(*lengths: int) -> int:
    """Return how many bits a row number needs in files of these lengths."""
    return max(length.bit_length() for length in lengths)


def repeated(hashes: NDArray[np.uint64], bits: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows whose key was there before, and the first row with that key.

    Examples
    --------
    >>> later, first = repeated(np.array([5, 7, 5, 5], np.uint64), 2)
    >>> later.tolist(), first.tolist()
    ([2, 3], [0, 0])
    """
    if len(hashes) and (dense := _dense(hashes)) is not None:
        low, width = dense
        seen = np.zeros(width, bool)
        seen[hashes - np.uint64(low)] = True
        if np.count_nonzero(seen) == len(hashes):
            return np.empty(0, np.int64), np.empty(0, np.int64)
    packed = sorted_by_key(hashes, bits)
    top = packed >> np.uint64(bits)
    candidate = np.zeros(len(packed), bool)
    np.equal(top[1:], top[:-1], out=candidate[1:])
    candidate[:-1] |= candidate[1:]
    del top
    rows = np.sort((packed[candidate] & np.uint64((1 << bits) - 1)).astype(np.int64))
    _, first, back = np.unique(hashes[rows], return_index=True, return_inverse=True)
    firsts = rows[first][back]
    later = rows != firsts
    return rows[later], firsts[later]


def find_rows(
    wanted: NDArray[np.uint64], among: NDArray[np.uint64], *, chunk: int = 1 << 20
) -> NDArray[np.int32]:
    """Return for each wanted key the first row that has it, -1 where none has.

    Examples
    --------
    >>> find_rows(np.array([7, 9, 5], np.uint64), np.array([5, 7, 7], np.uint64)).tolist()
    [1, -1, 0]
    """
    out = np.full(len(wanted), -1, np.int32)
    if not len(among) or not len(wanted):
        return out
    if np.array_equal(wanted, among):  # a repeated key finds its own row: the caller refuses it
        return np.arange(len(wanted), dtype=np.int32)
    dense = _dense(among)
    if dense is not None:
        return _find_dense(wanted, among, *dense)
    bits = row_bits(len(wanted), len(among))
    mask, shift = np.uint64((1 << bits) - 1), np.uint64(bits)
    theirs = sorted_by_key(among, bits)
    ours = sorted_by_key(wanted, bits)  # in order, so that the search walks through memory
    for start in range(0, len(ours), chunk):
        part = ours[start : start + chunk]
        rows = (part & mask).astype(np.int64)
        at = np.searchsorted(theirs, (part >> shift) << shift)
        while len(rows):
            inside = at < len(theirs)
            rows, at = rows[inside], at[inside]
            found = theirs[at]
            same = found >> shift == mix(wanted[rows]) >> shift
            rows, at, found = rows[same], at[same], (found[same] & mask).astype(np.int64)
            hit = among[found] == wanted[rows]
            out[rows[hit]] = found[hit]
            rows, at = rows[~hit], at[~hit] + 1
    return out


def _find_dense(
    wanted: NDArray[np.uint64], among: NDArray[np.uint64], low: int, width: int
) -> NDArray[np.int32]:
    table = np.full(width, -1, np.int32)
    backwards = np.arange(len(among))[::-1]  # so that the first row stays
    table[among[::-1] - np.uint64(low)] = backwards
    at = wanted - np.uint64(low)  # wraps below the lowest, which is then beyond the table
    inside = at < np.uint64(width)
    if inside.all():
        return np.asarray(table[at])
    out = np.full(len(wanted), -1, np.int32)
    out[inside] = table[at[inside]]
    return out
