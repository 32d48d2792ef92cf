"""Columns of an index that fit together, and each way in which they do not."""

import zipfile

import numpy as np
import pytest

from geodata.images.archive import AMBIGUOUS, _indexed, _is_whole


@pytest.fixture
def index(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        for name in ("f/a.jpg", "f/b.jpg", "g/a.jpg"):
            made.writestr(name, b"x")
    return _indexed(tmp_path / "a.zip")


def changed(at, value):
    def change(column):
        column = column.copy()
        column[at] = value
        return column

    return change


def test_an_index_as_it_is_made_is_whole(index):
    columns, prefix = index
    assert _is_whole(columns, prefix)
    assert _is_whole(columns | {"name_starts": changed(1, 0)(columns["name_starts"])}, prefix)
    for name in ("name_member", "base_member"):
        for value in (AMBIGUOUS, 2):
            assert _is_whole(columns | {name: changed(0, value)(columns[name])}, prefix)


@pytest.mark.parametrize("prefix", [None, 5, b"f"])
def test_a_prefix_is_text(index, prefix):
    assert not _is_whole(index[0], prefix)


def test_no_column_may_be_missing(index):
    columns, prefix = index
    for name in columns:
        assert not _is_whole({k: v for k, v in columns.items() if k != name}, prefix), name


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *((name, lambda c: c.astype(np.int32)) for name in
          ("offset", "size", "packed", "method", "crc", "name_starts", "name_member")),
        ("name_bytes", lambda c: c.astype(np.int8)),
        *((name, lambda c: c[:-1]) for name in
          ("offset", "size", "packed", "method", "crc", "name_starts", "name_hash", "name_member",
           "base_hash", "base_member", "name_bytes")),
        ("name_starts", lambda c: np.delete(c, 1)), ("name_starts", lambda c: np.insert(c, 1, 0)),
        ("name_starts", changed(0, 1)), ("name_starts", changed(-1, 20)),
        ("name_starts", changed(1, 15)), ("name_member", changed(0, 3)),
        ("name_member", changed(0, AMBIGUOUS - 1)), ("base_member", changed(0, 3)),
        ("base_member", changed(0, AMBIGUOUS - 1)),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_not_whole(index, name, change):
    columns, prefix = index
    assert not _is_whole(columns | {name: change(columns[name])}, prefix)
