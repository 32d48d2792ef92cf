"""The content hash is a published contract: what a value adds, worked out with plain integers."""

import hashlib
import json
import struct
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from geodata import hashing

GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def scrambled(z):
    return mix((z + GOLDEN) & MASK)


def seed(name):
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def of_bytes(data):
    total = sum(scrambled(i + 1) * (byte + 1) for i, byte in enumerate(data))
    return scrambled((total + len(data) * GOLDEN) & MASK)


def placed(value, where):
    """Return what a value counts in a place: 0 for None."""
    return 0 if value is None else scrambled((of_value(value) + where) & MASK)


def of_value(value):
    if isinstance(value, str):
        return of_bytes(value.encode())
    if isinstance(value, bytes):
        return of_bytes(value)
    if isinstance(value, float):
        plain = float("nan") if value != value else value
        return (
            0x7FF8000000000000
            if value != value
            else struct.unpack("<Q", struct.pack("<d", plain))[0]
        )
    if isinstance(value, Decimal):
        return of_bytes(str(value).encode())
    if isinstance(value, dict):
        return (GOLDEN + sum(placed(v, seed(k)) for k, v in value.items())) & MASK
    if isinstance(value, list):
        items = (scrambled((placed(v, 0) + scrambled(i)) & MASK) for i, v in enumerate(value))
        return (len(value) * GOLDEN + sum(items)) & MASK
    return int(value) & MASK


def of_row(row):
    return scrambled((GOLDEN + sum(placed(v, seed(k)) for k, v in row.items())) & MASK)


ROWS = [
    {"t": "Zürich", "b": b"\x00\xff", "f": 1.5, "i": -7, "o": True, "l": [1, None, 3],
     "s": {"x": "a", "y": 2.0}, "d": Decimal("12.30"), "n": None},
    {"t": "", "b": b"", "f": float("nan"), "i": 2**63 - 1, "o": False, "l": [],
     "s": {"x": None, "y": None}, "d": Decimal("-0.01"), "n": None},
    {"t": None, "b": None, "f": None, "i": None, "o": None, "l": None, "s": None, "d": None,
     "n": None},
    {"t": "x" * 70, "b": b"y" * 300, "f": -0.0, "i": 0, "o": True, "l": [None],
     "s": {"x": "", "y": float("inf")}, "d": Decimal("0.00"), "n": None},
]  # fmt: skip
SCHEMA = pa.schema(
    {"t": pa.string(), "b": pa.binary(), "f": pa.float64(), "i": pa.int64(), "o": pa.bool_(),
     "l": pa.list_(pa.int64()), "s": pa.struct({"x": pa.string(), "y": pa.float64()}),
     "d": pa.decimal128(9, 2), "n": pa.null()}
)  # fmt: skip


def test_a_row_hashes_as_the_plain_sum_over_its_values():
    table = pa.Table.from_pylist(ROWS, SCHEMA)
    assert hashing.row_hashes(table).tolist() == [of_row(row) for row in ROWS]
    sums = hashing.of_table(table)
    known = [of_row(row) for row in ROWS]
    assert sums == (4, sum(known) & MASK, sum(scrambled(h ^ GOLDEN) for h in known) & MASK)
    columns = [["b", "binary"], ["d", "decimal128(9, 2)"], ["f", "double"], ["i", "int64"],
               ["l", "list<int64>"], ["n", "null"], ["o", "bool"],
               ["s", "struct<x:string,y:double>"], ["t", "string"]]  # fmt: skip
    text = json.dumps({"columns": columns, "content": list(sums)})
    assert hashing.digest(sums, table.schema) == hashlib.sha256(text.encode()).hexdigest()
    for column in SCHEMA.names:  # each by itself: a fault of one is not hidden by another
        alone = hashing.row_hashes(table.select([column])).tolist()
        assert alone == [of_row({column: row[column]}) for row in ROWS]


@pytest.mark.parametrize("n", [1, 65, 5000])
def test_texts_that_repeat_hash_as_each_would_alone(n):
    words = [None if i % 5 == 4 else f"word {i % 3}" for i in range(n)]
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int16(), pa.string())):
        table = pa.table({"w": pa.array(words, pa.string()).cast(kind)})
        known = {word: of_row({"w": word}) for word in set(words)}
        assert hashing.row_hashes(table).tolist() == [known[word] for word in words]
        assert hashing.row_hashes(table.slice(n // 2)).tolist() == [
            known[word] for word in words[n // 2 :]
        ]


@pytest.mark.parametrize(
    ("array", "plain"),
    [
        (pa.array([1.5, None], pa.float32()), [1.5, None]),
        (pa.array([255, 1], pa.uint8()), [255, 1]),
        (pa.array([2**64 - 1], pa.uint64()), None),
        (pa.array([86_400_000_000, None], pa.timestamp("us")), [86_400_000_000, None]),
        (pa.array([3, None], pa.date32()), [3, None]),
        (pa.array([5], pa.time32("s")), [5]),
        (pa.array([7], pa.duration("ms")), [7]),
        (pa.array([b"abc", None], pa.binary(3)), [b"abc", None]),
        (pa.array([b"abc"], pa.large_binary()), [b"abc"]),
        (pa.array([[1, 2], None], pa.list_(pa.int64(), 2)), [[1, 2], None]),
        (pa.array([[1, 2]], pa.large_list(pa.int64())), [[1, 2]]),
        (
            pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
            [[{"key": "a", "value": 1}], []],
        ),
        (pa.array([[["a"], []], [None]], pa.list_(pa.list_(pa.string()))), [[["a"], []], [None]]),
    ],
)
def test_each_type_hashes_as_the_value_that_it_holds(array, plain):
    if plain is None:
        assert len(set(hashing.row_hashes(pa.table({"c": array})).tolist())) == 1
        return
    assert hashing.row_hashes(pa.table({"c": array})).tolist() == [of_row({"c": v}) for v in plain]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pa.large_string(), "string"), (pa.large_binary(), "binary"), (pa.string(), "string"),
        (pa.map_(pa.large_string(), pa.int8()), "map<string,int8>"),
        (pa.list_(pa.large_binary(), 3), "list<binary>"),
        (pa.struct({"a": pa.large_list(pa.float32())}), "struct<a:list<float>>"),
        (pa.decimal128(9, 2), "decimal128(9, 2)"),
    ],
)  # fmt: skip
def test_names_of_types_do_not_tell_large_from_small(kind, text):
    assert hashing.type_text(kind) == text


def test_sums_add_and_take_away_modulo_2_64():
    a, b = hashing.Sums(3, MASK, 5), hashing.Sums(2, 3, MASK)
    assert a.plus(b) == (5, 2, 4)
    assert a.plus(b).minus(b) == a
    assert b.minus(a) == (-1, 4, MASK - 5)
    assert hashing.combine([a, b, b]) == a.plus(b).plus(b)
    assert hashing.combine([]) == (0, 0, 0)


def test_blocks_of_rows_add_up(monkeypatch):
    texts = [str(i) for i in range(300)]
    table = pa.table({"t": texts, "b": [bytes([i % 256]) * (i % 9) for i in range(300)]})
    whole, rows = hashing.of_table(table), hashing.row_hashes(table).tolist()
    monkeypatch.setattr(hashing, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(hashing, "_BLOCK_BYTES", 16)
    assert hashing.of_table(table) == whole
    assert hashing.row_hashes(table).tolist() == rows


def polynomial(data):
    total = sum((byte + 1) * pow(GOLDEN, i, 1 << 64) for i, byte in enumerate(data)) & MASK
    return ((total ^ (total >> 32)) * GOLDEN) & MASK


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), max_size=12), st.integers(0, 3))
def test_a_text_hashes_as_its_polynomial(texts, skipped):
    known = [polynomial((text or "").encode()) for text in texts][skipped:]
    for kind in (pa.string(), pa.large_string()):
        assert hashing.text_hashes(pa.array(texts, kind)[skipped:]).tolist() == known


@pytest.mark.parametrize(("rows", "size"), [(3, 5), (1, 1), (100, 7)])
def test_pieces_of_texts_do_not_change_a_hash(monkeypatch, rows, size):
    texts = ["", "a", "abcdefghijklmnop", None, "xyz", "q" * 40, "rs", "tuvwxyz", "abc"]
    monkeypatch.setattr(hashing, "_TEXT_ROWS", rows)
    monkeypatch.setattr(hashing, "_TEXT_BYTES", size)
    known = [polynomial((text or "").encode()) for text in texts]
    assert hashing.text_hashes(pa.array(texts)).tolist() == known


def test_sampling_keys_are_the_row_hash_scrambled_with_the_seed():
    table = pa.table({"photo_id": ["a", "b"], "other": [1, 2]})
    for number in (0, 1, 12345):
        keys = hashing.sampling_keys(table, number)
        assert keys.tolist() == [
            mix(of_row({"photo_id": one}) ^ ((number + 1) * GOLDEN & MASK)) for one in "ab"
        ]
    both = hashing.sampling_keys(table, 0, ("photo_id", "other")).tolist()
    assert both == [
        mix(of_row({"photo_id": p, "other": n}) ^ GOLDEN) for p, n in (("a", 1), ("b", 2))
    ]
    assert hashing.mix(np.array([0, 5, MASK], np.uint64)).tolist() == [mix(0), mix(5), mix(MASK)]


@pytest.mark.parametrize(
    ("indices", "words"),
    [
        ([None, None], []),
        ([0, 1, None, 0], ["a", None]),
        ([1, None], ["b", "c"]),
        ([0, None], ["b"]),
    ],
)
def test_a_dictionary_hashes_as_the_values_that_it_stands_for(indices, words):
    column = pa.DictionaryArray.from_arrays(
        pa.array(indices, pa.int8()), pa.array(words, pa.string())
    )
    values = [None if i is None else words[i] for i in indices]
    assert hashing.row_hashes(pa.table({"c": column})).tolist() == [
        of_row({"c": v}) for v in values
    ]


def test_a_null_counts_as_nothing_whatever_stands_there():
    items, offsets = pa.array([1, 2, 3]), pa.array([0, 2, 3], pa.int32())
    hidden = pa.ListArray.from_arrays(offsets, items, mask=pa.array([True, False]))
    number = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x02"), items.buffers()[1]])
    double = pa.Array.from_buffers(
        pa.float64(), 2, [pa.py_buffer(b"\x02"), pa.array([7.0, 2.5]).buffers()[1]]
    )
    for column, plain in ((hidden, [None, [3]]), (number, [None, 2]), (double, [None, 2.5])):
        assert column.to_pylist() == plain
        assert hashing.row_hashes(pa.table({"c": column})).tolist() == [
            of_row({"c": value}) for value in plain
        ]


def test_the_digest_knows_names_as_they_are_written():
    schema = pa.schema({"ö": pa.int64(), "a": pa.large_string()})
    text = '{"columns": [["a", "string"], ["ö", "int64"]], "content": [1, 2, 3]}'
    known = hashlib.sha256(text.encode()).hexdigest()
    assert hashing.digest(hashing.Sums(1, 2, 3), schema) == known
    assert hashing.digest(hashing.Sums(1, 2, 3), pa.schema(list(schema)[::-1])) == known


def test_a_table_without_columns_or_rows_has_hashes_too():
    assert hashing.row_hashes(pa.table({"a": pa.array([], pa.string())})).tolist() == []
    assert hashing.of_table(pa.table({"a": pa.array([], pa.float64())})) == (0, 0, 0)
    assert hashing.text_hashes(pa.array([], pa.string())).tolist() == []


def test_hashing_leaves_its_values_as_they_were():
    values = np.array([1, 2, 3], np.uint64)
    hashing.mix(values)
    hashing.seeded(values, 1)
    assert values.tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), pa.large_binary()])
def test_a_slice_hashes_as_its_own_rows(kind):
    values = [b"ab", None, b"", b"cdefg", b"h"]
    table = pa.table({"c": pa.array(values, pa.binary()).cast(kind)}).slice(1, 3)
    assert hashing.row_hashes(table).tolist() == [of_row({"c": v}) for v in values[1:4]]
