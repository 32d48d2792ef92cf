"""Heads are worked on in pieces that fit in memory, each once and in order."""

from types import SimpleNamespace

import numpy as np
import pytest

from geodata.locate import contents


@pytest.mark.parametrize(
    ("room", "pieces"),
    [
        (1, [(0, 1), (1, 2), (2, 3), (3, 4)]),
        (7, [(0, 1), (1, 2), (2, 4)]),  # 4, 9, 4 and 2 pairs: the second alone is too many
        (13, [(0, 2), (2, 4)]),
        (12, [(0, 1), (1, 2), (2, 4)]),
        (19, [(0, 4)]),
        (1 << 22, [(0, 4)]),
    ],
)
def test_each_head_is_in_one_piece(monkeypatch, room, pieces):
    heads = SimpleNamespace(cell=np.arange(4), k=np.array([2, 3, 1, 1]))
    pairs = np.array([0, 1, 2, 2, 2, 2, 3, 3])  # candidates: 1, 1, 4 and 2 of k^2 sub-cells
    monkeypatch.setattr(contents, "_CHUNK_PAIRS", room)
    assert list(contents._head_chunks(heads, pairs)) == pieces


def test_no_heads_are_no_pieces():
    heads = SimpleNamespace(cell=np.arange(0), k=np.empty(0, int))
    assert list(contents._head_chunks(heads, np.empty(0, int))) == []
