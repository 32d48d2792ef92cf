"""The grid of places, laid out by hand: which list a point has, at every corner of the map."""

import numpy as np

from geodata import files
from geodata.places.grid import PlaceGrid

ROWS, COLUMNS = 360, 720
FILLED = {  # base cell: shift, so 1, 4 x 4 and 32 x 32 cells
    (0, 0): 0, (0, 719): 2, (359, 0): 2, (359, 719): 5, (180, 360): 5, (179, 359): 1,
}  # fmt: skip


def grid():
    """Each cell of a filled base cell has a list of its own: place 10 k + b, and one more or two.

    Cells are numbered from 1, in the order of their base cells, row by row.
    """
    base, near_start = np.zeros(ROWS * COLUMNS, np.int32), np.zeros(ROWS * COLUMNS, np.int32)
    cells, start, item, near = [0], [0, 0], [], []
    for number, ((row, column), shift) in enumerate(sorted(FILLED.items())):
        at = row * COLUMNS + column
        base[at], near_start[at] = 8 * len(cells) + shift, len(near)
        near += [100 * number + k for k in range(3)]
        for _ in range(4**shift):
            cells.append(len(start) - 1)
            length = len(start) % 3 + 1
            item += list(range(length))
            start.append(len(item))
    return PlaceGrid(
        base, np.array(cells, np.int32), near_start, np.array(near, np.int32),
        np.array(start, np.int32), np.array(item, np.uint16),
    )  # fmt: skip


def wanted(lat, lon):
    """The places at a point by counting in steps of half a degree and of its parts."""
    row, column = min(int((lat + 90) // 0.5), 359), min(int((lon + 180) // 0.5), 719)
    if (row, column) not in FILLED:
        return []
    before = 1
    for number, ((r, c), shift) in enumerate(sorted(FILLED.items())):
        if (r, c) == (row, column):
            side = 2**shift
            south, west = row * 0.5 - 90, column * 0.5 - 180
            north = min(int((lat - south) / 0.5 * side), side - 1)
            east = min(int((lon - west) / 0.5 * side), side - 1)
            k = before + north * side + east
            return [100 * number + j for j in range((k + 1) % 3 + 1)]
        before += 4**shift
    raise AssertionError


LAST = float(np.nextafter(180.0, 0.0))  # 180 more is 360 to a float, which is no column

POINTS = [
    (-90.0, -180.0), (-89.6, -179.6), (-89.5, -180.0), (-90.0, 179.5), (-89.51, 179.99),
    (90.0, -180.0), (89.5, -179.51), (90.0, 179.99999), (89.5, 179.5), (89.9999, 179.75),
    (0.0, 0.0), (0.49999, 0.49999), (0.25, 0.125), (0.5 / 32, 0.5 / 32), (0.5, 0.0), (0.0, 0.5),
    (-0.5, -0.5), (-0.25, -0.25), (-1e-9, -1e-9), (-0.26, -0.01), (45.0, 45.0),
    *((lat, LAST) for lat in (-90.0, -89.8, -89.6, 89.6, 89.8, 90.0)),
]  # fmt: skip


def test_a_point_has_the_places_of_its_cell():
    made = grid()
    rng = np.random.default_rng(0)
    more = [
        (row * 0.5 - 90 + dy, column * 0.5 - 180 + dx)
        for row, column in FILLED
        for dy, dx in rng.uniform(0, 0.5, (60, 2)).tolist()
    ]
    points = POINTS + more
    lat, lon = (np.array(axis) for axis in zip(*points, strict=True))
    lists = made.lists(lat, lon)
    for i, (y, x) in enumerate(points):
        places = wanted(y, x)
        assert made.at(y, x) == places, (y, x)
        assert lists.length[i] == len(places)
        one = type(lists)(*(column[i : i + 1] for column in lists))
        assert [int(made.places(one, k, 1)[0]) for k in range(len(places))] == places


def test_candidates_of_many_points_at_once():
    made = grid()
    lat, lon = (np.array(axis) for axis in zip(*POINTS, strict=True))
    lists = made.lists(lat, lon)
    order = np.argsort(-lists.length, kind="stable")
    lists = type(lists)(*(column[order] for column in lists))
    for k in range(3):
        m = int((lists.length > k).sum())
        assert made.places(lists, k, m).tolist() == [
            wanted(*POINTS[i])[k] for i in order[:m].tolist()
        ]
    last = lists.length[: int((lists.length > 0).sum())] - 1
    assert made.places(lists, last.astype(np.int64), len(last)).tolist() == [
        wanted(*POINTS[i])[-1] for i in order[: len(last)].tolist()
    ]


def test_the_arrays_are_taken_by_their_names(tmp_path):
    made = vars(grid())
    files.save_arrays(tmp_path / "grid.bin", made, {})
    found = vars(PlaceGrid.of(files.load_arrays(tmp_path / "grid.bin")))
    assert list(found) == list(made)
    assert all(np.array_equal(found[name], array) for name, array in made.items())
