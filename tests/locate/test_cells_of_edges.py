"""Which cells know an edge: all within a margin of it, by exact fractions, and hardly more."""

from fractions import Fraction

import numpy as np
import pytest

from geodata.locate import building
from geodata.locate.edges import MARGIN

STEP = 0.25
SIZE = 4


def touched(edge, west=0.0, south=0.0, step=STEP, size=SIZE):
    one = [np.array([value]) for value in (west, south, step)]
    who, row, column = building._touched(np.array([edge], float), *one, size, size)
    assert not who.any()
    assert len({*zip(row, column, strict=True)}) == len(row)
    return set(zip(row.tolist(), column.tolist(), strict=True))


def met(edge, row, column, beside, above):
    """Whether an edge meets a cell that is grown to both sides and up and down (Liang-Barsky)."""
    ax, ay, bx, by = map(Fraction, edge)
    low, high = Fraction(0), Fraction(1)
    for start, run, first, grown in (
        (ax, bx - ax, column * Fraction(STEP), Fraction(beside)),
        (ay, by - ay, row * Fraction(STEP), Fraction(above)),
    ):
        least, most = first - grown - start, first + Fraction(STEP) + grown - start
        if run == 0:
            if not least <= 0 <= most:
                return False
            continue
        ends = sorted((least / run, most / run))
        low, high = max(low, ends[0]), min(high, ends[1])
    return low <= high


def cells(edge, beside, above):
    return {
        (row, column)
        for row in range(SIZE)
        for column in range(SIZE)
        if met(edge, row, column, beside, above)
    }


def test_a_cell_knows_the_edges_just_outside_it():
    """A billionth of a degree above and below, two beside: what lies farther off it need not."""
    assert MARGIN == 1e-9
    for line, off, known in ((0.5, 0.5e-9, {1, 2}), (0.5, 1.3e-9, {2}), (0.5, -0.5e-9, {1, 2}),
                             (0.5, -1.3e-9, {1}), (0.0, -0.5e-9, {0}), (0.0, -1.3e-9, set()),
                             (1.0, 0.5e-9, {3}), (1.0, 1.3e-9, set())):  # fmt: skip
        assert touched((0.3, line + off, 0.45, line + off)) == {(row, 1) for row in known}
    for line, off, known in ((0.5, 1.7e-9, {1, 2}), (0.5, 2.4e-9, {2}), (0.5, -1.7e-9, {1, 2}),
                             (0.5, -2.4e-9, {1}), (0.0, -1.7e-9, {0}), (0.0, -2.4e-9, set()),
                             (1.0, 1.7e-9, {3}), (1.0, 2.4e-9, set())):  # fmt: skip
        assert touched((line + off, 0.3, line + off, 0.4)) == {(1, column) for column in known}


@pytest.mark.parametrize("seed", range(4))
def test_every_cell_within_the_margin_knows_an_edge(seed):
    """Edges through corners of cells but for a few billionths, of all slopes, some beyond all."""
    rng = np.random.default_rng(seed)
    for _ in range(150):
        corner = rng.integers(0, SIZE + 1, 2) * STEP + rng.choice([-3, -1, 0, 1, 3], 2) * 1e-9
        turn = rng.choice([rng.uniform(0, np.pi), 10.0 ** rng.uniform(-9, -1)])
        run = np.array([np.cos(turn), np.sin(turn)])
        before, behind = rng.uniform(0, 2, 2) * rng.integers(0, 2, 2)
        ends = sorted(
            [(corner - before * run)[::-1].tolist(), (corner + behind * run)[::-1].tolist()]
        )
        edge = (ends[0][1], ends[0][0], ends[1][1], ends[1][0])
        found = touched(edge)
        assert found >= cells(edge, MARGIN, MARGIN * (1 - 1e-6)), edge
        assert found <= cells(edge, 4 * MARGIN, 2 * MARGIN), edge
