"""A content hash of rows that does not depend on files, row groups, order or threads.

Every value is hashed to 64 bits, a row to the mixed sum over its columns, the content to the sum
over its rows modulo 2^64, kept twice with different mixing. Sums add: the content of a version is
the sum over its files, whatever the files are. A NULL counts as nothing, so a file written before
a column existed has the content of one that holds NULL there.

It tells whether two sets of rows are equal; a change goes unseen with a chance near 2^-57. It is
no defence against forgery: that is what the SHA-256 of every file is for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_BLOCK_ROWS = 1 << 16
_BLOCK_BYTES = 1 << 22
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_NAN = np.uint64(0x7FF8000000000000)
_MASK = (1 << 64) - 1


class Sums(NamedTuple):
    """The content of some rows: how many, and two sums of their hashes modulo 2^64."""

    rows: int = 0
    first: int = 0
    second: int = 0

    @classmethod
    def read(cls, value: Any) -> Sums | None:
        """Return a content from JSON, None for what is none."""
        is_one = isinstance(value, list) and len(value) == 3 and all(type(n) is int for n in value)
        return cls(*value) if is_one else None

    def minus(self, other: Sums) -> Sums:
        """Return the content without that of others, which were part of it."""
        return Sums(
            self.rows - other.rows,
            (self.first - other.first) & _MASK,
            (self.second - other.second) & _MASK,
        )

    def plus(self, other: Sums) -> Sums:
        """Return the content of both."""
        return Sums(
            self.rows + other.rows,
            (self.first + other.first) & _MASK,
            (self.second + other.second) & _MASK,
        )


def of_table(table: pa.Table) -> Sums:
    """Return the sums over a table's rows.

    Examples
    --------
    >>> one = pa.table({"a": [1, 2], "b": ["x", None]})
    >>> other = pa.table({"b": ["x"], "a": [1]}), pa.table({"a": [2]})
    >>> of_table(one) == of_table(other[0]).plus(of_table(other[1]))
    True
    """
    total = Sums()
    for start in range(0, table.num_rows, _BLOCK_ROWS):
        rows = row_hashes(table.slice(start, _BLOCK_ROWS))
        second = _mix(rows ^ _GOLDEN)
        total = total.plus(Sums(len(rows), int(rows.sum()), int(second.sum())))
    return total


def combine(parts: Iterable[Sums]) -> Sums:
    """Return the content of all parts together."""
    total = Sums()
    for part in parts:
        total = total.plus(part)
    return total


def digest(sums: Sums, schema: pa.Schema) -> str:
    """Return the content hash, 64 hex digits: rows, column names and types; not their order."""
    columns = sorted([field.name, type_text(field.type)] for field in schema)
    text = json.dumps({"columns": columns, "content": list(sums)}, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def row_hashes(table: pa.Table) -> Hashes:
    """Return one hash a row, shape (n,)."""
    total = np.full(table.num_rows, _GOLDEN, np.uint64)
    for field in table.schema:
        column = table[field.name].combine_chunks()
        total += _placed(column, _seed(field.name))
    return _mix(total)


def type_text(kind: pa.DataType) -> str:
    """Return the name of a type, the same for every reader of the same file.

    Examples
    --------
    >>> type_text(pa.large_list(pa.large_string()))
    'list<string>'
    """
    if pa.types.is_large_string(kind):
        return "string"
    if pa.types.is_large_binary(kind):
        return "binary"
    if pa.types.is_struct(kind):
        inner = ",".join(f"{f.name}:{type_text(f.type)}" for f in kind)
        return f"struct<{inner}>"
    if pa.types.is_map(kind):
        return f"map<{type_text(kind.key_type)},{type_text(kind.item_type)}>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return f"list<{type_text(kind.value_type)}>"
    return str(kind)


def _placed(column: pa.Array, seed: np.uint64) -> Hashes:
    """Return the hashes of values as they count in a place: mixed with its seed, 0 for NULL."""
    if pa.types.is_dictionary(column.type) and not _is_plain(column.dictionary):
        column = column.dictionary_decode()
    out = _mix(_values(column) + seed)
    if column.null_count:
        out[np.asarray(column.is_null())] = 0
    return out


def _is_plain(words: pa.Array) -> bool:
    """Return whether each place of a dictionary holds a value, and there is one at all."""
    return len(words) > 0 and not words.null_count


def _values(column: pa.Array) -> Hashes:
    kind = column.type
    if pa.types.is_dictionary(kind):
        words = _values(column.dictionary)
        return words[np.asarray(column.indices.fill_null(0)).astype(np.intp)]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _texts(column)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _bytes(column)
    if pa.types.is_struct(kind):
        return _structs(column)
    if pa.types.is_map(kind):
        kind = pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)]))
        return _lists(column.cast(kind))
    if pa.types.is_fixed_size_list(kind):
        return _lists(column.cast(pa.list_(kind.value_type)))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _lists(column)
    return _numbers(column)


def _numbers(column: pa.Array) -> Hashes:
    kind = column.type
    if pa.types.is_null(kind):
        return np.zeros(len(column), np.uint64)
    if pa.types.is_floating(kind):
        floats = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
        bits = floats.view(np.uint64).copy()
        bits[np.isnan(floats)] = _NAN
        return bits
    if pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind):
        return _bytes(column.cast(pa.string() if pa.types.is_decimal(kind) else pa.binary()))
    if pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())
    elif pa.types.is_temporal(kind):
        column = column.view(pa.int64() if kind.bit_width == 64 else pa.int32())
    whole = pc.fill_null(column, pa.scalar(0).cast(column.type))
    return np.asarray(whole).astype(np.int64).view(np.uint64)


def _texts(column: pa.Array) -> Hashes:
    """Hash each distinct text once where texts repeat, as country names and photographers do."""
    head = column.slice(0, 4096)
    if pc.count_distinct(head).as_py() < 0.9 * len(head):
        words = column.fill_null("").dictionary_encode()
        return _bytes(words.dictionary)[np.asarray(words.indices).astype(np.intp)]
    return _bytes(column)


def _bytes(column: pa.Array) -> Hashes:
    """Hash texts and binaries: the sum of weight(position) x (byte + 1), mixed with the length."""
    column = column.cast(pa.large_binary())
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset :][: len(column) + 1]
    buffer = column.buffers()[2]
    data = np.frombuffer(buffer, np.uint8) if buffer is not None else np.empty(0, np.uint8)
    lengths = np.diff(offsets)
    out = np.zeros(len(column), np.uint64)
    weights = _mix(np.arange(1, int(lengths.max(initial=0)) + 1).astype(np.uint64))
    start = 0
    while start < len(column):
        stop = int(np.searchsorted(offsets, offsets[start] + _BLOCK_BYTES, "right")) - 1
        stop = max(stop, start + 1)
        _sum_bytes(data, offsets[start : stop + 1], weights, out[start:stop])
        start = stop
    return _mix(out + lengths.astype(np.uint64) * _GOLDEN)


def _sum_bytes(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], weights: Hashes, out: Hashes
) -> None:
    lengths = np.diff(offsets)
    held = np.flatnonzero(lengths)
    if not len(held):
        return
    starts = offsets[:-1] - offsets[0]
    position = np.arange(offsets[-1] - offsets[0]) - np.repeat(starts, lengths)
    terms = weights[position] * (data[offsets[0] : offsets[-1]].astype(np.uint64) + np.uint64(1))
    out[held] = np.add.reduceat(terms, starts[held])


def _structs(column: pa.Array) -> Hashes:
    total = np.full(len(column), _GOLDEN, np.uint64)
    for field, child in zip(column.type, column.flatten(), strict=True):
        total += _placed(child, _seed(field.name))
    return total


def _lists(column: pa.Array) -> Hashes:
    """Hash lists by their items and the places of these."""
    if column.null_count:  # a NULL list may stand over items
        column = pc.fill_null(column, pa.scalar([], column.type))
    lengths = np.asarray(pc.list_value_length(column)).astype(np.int64)
    items = column.flatten()
    starts = np.cumsum(lengths) - lengths
    place = (np.arange(len(items)) - np.repeat(starts, lengths)).astype(np.uint64)
    hashes = _placed(items, np.uint64(0))
    out = lengths.astype(np.uint64) * _GOLDEN
    held = np.flatnonzero(lengths)
    if len(held):
        out[held] += np.add.reduceat(_mix(hashes + _mix(place)), starts[held])
    return out


def _seed(name: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))


def mix(values: Hashes) -> Hashes:
    """Scramble 64 bits one to one: the finalizer of splitmix64 (Steele et al. 2014).

    Examples
    --------
    >>> mix(np.array([0, 1], np.uint64)).tolist()
    [0, 6238072747940578789]
    """
    z = values ^ (values >> np.uint64(30))
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def _mix(values: Hashes) -> Hashes:
    return mix(values + _GOLDEN)


_TEXT_ROWS = 1 << 16
_TEXT_BYTES = 1 << 22
"""Bytes of texts that are hashed at a time: some 40 bytes of memory each."""


def text_hashes(texts: pa.Array) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each text, the same on every machine; NULL hashes as ''.

    The polynomial hash of the bytes modulo 2^64, from prefix sums, then mixed. What looks
    something up by it compares the texts too.
    """
    out = np.empty(len(texts), np.uint64)
    for start in range(0, len(texts), _TEXT_ROWS):
        part = pc.fill_null(pc.cast(texts.slice(start, _TEXT_ROWS), pa.large_string()), "")
        _, offsets, data = part.buffers()
        ends = np.frombuffer(offsets, np.int64)[part.offset : part.offset + len(part) + 1]
        code = np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]]
        out[start : start + len(part)] = _polynomials(code, ends - ends[0])
    return out


def _polynomials(code: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    total = np.zeros(len(ends) - 1, np.uint64)
    for begin in range(0, len(code), _TEXT_BYTES):
        piece = code[begin : begin + _TEXT_BYTES]
        cuts = np.clip(ends - begin, 0, len(piece))
        sums = _prefix_sums(piece, cuts)
        if begin:  # a text goes on from the piece before, or ends where this one begins
            row = int(np.searchsorted(ends, begin)) - 1
            sums[row : row + 1] *= np.uint64(pow(int(_GOLDEN), begin - int(ends[row]), 1 << 64))
        total += sums
    total ^= total >> np.uint64(32)
    return np.asarray(total * _GOLDEN)


def _prefix_sums(code: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the polynomial of each text between two ends, its first byte the lowest power."""
    inverse = np.uint64(pow(int(_GOLDEN), -1, 1 << 64))
    powers = np.cumprod(np.full(len(code) + 1, _GOLDEN))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((code + np.uint64(1)) * powers[:-1])])
    shifts = np.cumprod(np.full(len(code) + 1, inverse))
    first, last = ends[:-1], ends[1:]
    return np.asarray((sums[last] - sums[first]) * shifts[first])


def sampling_keys(table: pa.Table, seed: int, columns: Sequence[str] = ("photo_id",)) -> Hashes:
    """Return the sampling key of each row, shape (n,).

    Examples
    --------
    >>> rows = pa.table({"photo_id": ["a", "b"]})
    >>> bool((sampling_keys(rows, 0) != sampling_keys(rows, 1)).all())
    True
    """
    return seeded(row_hashes(table.select(list(columns))), seed)


def seeded(values: Hashes, seed: int) -> Hashes:
    """Return 64-bit values scrambled with a seed, one to one."""
    return mix(values ^ np.uint64((seed + 1) * int(_GOLDEN) & _MASK))
