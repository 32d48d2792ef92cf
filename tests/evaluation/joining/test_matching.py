"""Keys of ids, and which rows have them: hand-worked cases and a plain dictionary as an oracle."""

import inspect

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from geodata.evaluation.joining.matches import matching
from geodata.evaluation.joining.matches.matching import (
    DENSE,
    MODES,
    find_rows,
    id_keys,
    repeated,
    row_bits,
    whole_number_keys,
    whole_numbers,
)


def keys(*values):
    return np.array(values, np.uint64)


def fail(*given):
    raise AssertionError(given)


# readings of an id


@pytest.mark.parametrize(
    ("mode", "text", "read"),
    [
        ("trim", " a.jpg\t", "a.jpg"), ("trim", "A/b.JPG", "A/b.JPG"),
        ("stem", " a/b\\c.JPEG ", "c"), ("stem", "c.v2.png", "c.v2"),
        ("stem", "c.jpg.jpg", "c.jpg"),
        ("flat", " a/b\\c.jpg ", "a_b_c"), ("flat", "a/b.txt", "a_b.txt"),
        ("endings", "a/c.jpg.PNG.tiff", "c"), ("endings", "c.jpg.txt", "c.jpg.txt"),
        ("case", "F/ABC.JPG.jpg", "abc"), ("zeros", "f/000120.jpg", "120"), ("zeros", "000", "0"),
        ("zeros", "00a", "00a"), ("number", "7e2", "700"), ("number", "7.50e1", "75"),
        ("number", "5.", "5"), ("number", "5.e1", "50"), ("number", " 12.0 ", "12"),
        ("number", "1.25e1", "1.25e1"), ("number", "3E+2", "300"), ("number", "3e-2", "3e-2"),
        ("number", "1" + "0" * 38 + "1.0", "1" + "0" * 38 + "1"),
    ],
)  # fmt: skip
def test_a_reading_by_hand(mode, text, read):
    assert MODES[mode](pa.array([text])).to_pylist() == [read]


ENDINGS = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "avif", "JPG", "Tif")


@pytest.mark.parametrize("ending", ENDINGS)
def test_endings_of_images_are_no_part_of_an_id(ending):
    ids = pa.array([f"f/a.{ending}", f"a.{ending}.{ending}", f"a{ending}", f"a.{ending}x", ending])
    plain = [f"a{ending}", f"a.{ending}x", ending]
    assert MODES["stem"](ids).to_pylist() == ["a", f"a.{ending}", *plain]
    assert MODES["endings"](ids).to_pylist() == ["a", "a", *plain]
    assert MODES["flat"](ids).to_pylist() == ["f_a", f"a.{ending}", *plain]


def test_only_floats_become_whole_numbers_whatever_stands_beside_them():
    kept = ["007", "1e3a", "-3.0", "1_000", "inf", "nan", "0.5", "", None, "2" * 41 + ".0"]
    ids = pa.array([*kept, "3.0"])
    assert whole_numbers(ids).to_pylist() == [*kept, "3"]
    assert matching.looks_float(ids).tolist() == [False] * 6 + [True] + [False] * 2 + [True] * 2
    assert whole_numbers(pa.array([" 007 ", None])).to_pylist() == ["007", None]


# keys


@pytest.mark.parametrize("mode", ["exact", "stem"])
def test_a_row_without_an_id_has_a_key_of_its_own(mode):
    whole = id_keys(pa.array([None, "a", None, None, "a"], pa.string()), mode, first_row=0)
    assert whole[1] == whole[4]
    assert len(set(whole.tolist())) == 4
    rest = id_keys(pa.array([None, None, "a"], pa.string()), mode, first_row=2)
    assert rest.tolist() == whole[2:].tolist()


def test_whole_numbers_are_their_own_keys():
    ids = pa.chunked_array([[7, None], [-1, None, 0]], pa.int64())
    top = 1 << 63
    assert whole_number_keys(ids, first_row=4).tolist() == [7, top + 5, 2**64 - 1, top + 7, 0]
    assert whole_number_keys(ids, first_row=0).dtype == np.uint64


# in a table where keys are close together, by sorting elsewhere


@pytest.mark.parametrize(
    ("given", "found"),
    [((5, 12), (5, 8)), ((5, 13), None), ((5, 5), (5, 1)), ((9, 3, 6), (3, 7)), ((0, 11, 3),
     (0, 12)),
     ((0, 12, 3), None)],
)  # fmt: skip
def test_keys_are_close_within_four_numbers_a_row(given, found):
    assert DENSE == 4
    assert matching._dense(keys(*given)) == found


@pytest.mark.parametrize(
    ("given", "later", "first"),
    [
        ((), [], []), ((5,), [], []), ((5, 7), [], []), ((5, 5), [1], [0]),
        ((5, 5, 7), [1], [0]),  # as wide as there are rows
        ((7, 5, 7, 5, 7), [2, 3, 4], [0, 1, 0]),
        ((1 << 60, 3, 1 << 60), [2], [0]), ((1 << 60, 3), [], []),
    ],
)  # fmt: skip
def test_repeated_keys_by_hand(given, later, first):
    found = repeated(keys(*given), row_bits(len(given)))
    assert [part.tolist() for part in found] == [later, first]


def test_close_keys_that_all_differ_need_no_sorting(monkeypatch):
    monkeypatch.setattr(matching, "sorted_by_key", fail)
    assert [part.tolist() for part in repeated(keys(9, 6, 3), 2)] == [[], []]
    assert find_rows(keys(7, 2, 13, 6), keys(3, 6, 6, 12)).tolist() == [-1, -1, -1, 1]


@pytest.mark.parametrize(
    ("wanted", "among", "rows"),
    [
        ((), (1,), []), ((1,), (), [-1]), ((7, 7), (7, 7), [0, 1]), ((7, 7), (7, 7, 8), [0, 0]),
        ((3, 12, 2, 13), (12, 3, 12), [1, 0, -1, -1]),
        ((3, 12), (12, 3, 12), [1, 0]),
        ((1 << 60, 2, 3), (3, 1 << 60, 3, 1 << 60), [1, -1, 0]),
    ],
)  # fmt: skip
def test_rows_by_hand(wanted, among, rows):
    found = find_rows(keys(*wanted), keys(*among))
    assert (found.tolist(), found.dtype) == (rows, np.int32)


KEYS = st.lists(st.one_of(st.integers(0, 12), st.integers(0, 2**64 - 1)), max_size=40)


@given(KEYS, KEYS, st.sampled_from([0, 54, 61]), st.integers(1, 9))
def test_keys_whose_first_bits_agree_are_told_apart(wanted, among, fewer, chunk):
    """As many bits as a row number needs are left out of a key; more make more of them alike."""
    wanted = [*wanted, *among[::2]]
    first = {key: row for row, key in reversed(list(enumerate(among)))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "row_bits", lambda *n: max(fewer, row_bits(*n)))
        found = find_rows(keys(*wanted), keys(*among), chunk=chunk)
    if wanted != among:
        assert found.tolist() == [first.get(key, -1) for key in wanted]
    later, firsts = repeated(keys(*among), max(fewer, row_bits(len(among))))
    assert later.tolist() == [row for row, key in enumerate(among) if first[key] != row]
    assert firsts.tolist() == [first[among[row]] for row in later.tolist()]


def test_a_row_number_has_room_in_so_many_bits():
    assert [row_bits(n) for n in (0, 1, 2, 3, 4, 1 << 20)] == [0, 1, 2, 2, 3, 21]
    assert row_bits(3, 9, 4) == 4


def test_a_million_keys_are_looked_up_at_a_time():
    assert inspect.signature(find_rows).parameters["chunk"].default == 1_048_576
