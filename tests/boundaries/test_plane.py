"""Edges cut, drawn into the raster and measured in the plane: figures worked out by hand."""

import numpy as np
import pytest
import shapely

from geodata.boundaries.border_pieces import Balls, Pieces
from geodata.boundaries.plane import cut, feet, in_plane
from geodata.boundaries.raster import COLUMNS, ROWS, Raster
from geodata.boundaries.rings import edges_of
from geodata.boundaries.set import numbered
from geodata.sphere import haversine_km


def test_edges_are_cut_into_equal_parts_in_their_order():
    ends = np.array([[0, 0, 1.2, 0.3], [5, 5, 5, 5], [0, 0, 0, -1.0], [0, 0, 0.5, 0.1]])
    parts, edge = cut(ends, 0.5)
    assert edge.tolist() == [0, 0, 0, 1, 2, 2, 3]
    assert parts == pytest.approx(
        np.array([
            [0, 0, 0.4, 0.1], [0.4, 0.1, 0.8, 0.2], [0.8, 0.2, 1.2, 0.3], [5, 5, 5, 5],
            [0, 0, 0, -0.5], [0, -0.5, 0, -1], [0, 0, 0.5, 0.1],
        ])
    )  # fmt: skip


def test_the_edges_of_a_polygon_are_those_of_its_rings():
    hole = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 2, 2))
    both = shapely.MultiPolygon([shapely.box(9, 9, 10, 10), shapely.box(11, 9, 12, 10)])
    found = edges_of(np.array([hole, both], object))
    assert np.bincount(found.ring).tolist() == [4, 4, 4, 4]
    assert found.region.tolist() == [0] * 8 + [1] * 8
    assert np.abs(found.ends[:, 2:] - found.ends[:, :2]).sum() == 4 * 4 + 4 + 4 + 4


def test_pieces_are_runs_of_six_edges_of_one_ring():
    """A ring of 14 edges: 6, 6 and 2, of which the last is repeated."""
    turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = shapely.Polygon(np.c_[10 + 0.1 * np.cos(turn), 0.1 * np.sin(turn)])
    polygons = np.array([ring, shapely.box(0, 0, 0.2, 0.1)], object)
    pieces = Pieces.of(polygons)
    runs = zip(pieces.region.tolist(), pieces.edges.round(9), strict=True)
    every = edges_of(polygons)
    known = zip(every.region.tolist(), every.ends.round(9).tolist(), strict=True)
    there = {(region, *edge) for region, run in runs for edge in run.T.tolist()}
    assert there == {(region, *edge) for region, edge in known}
    assert pieces.region.tolist() == [0, 0, 0, 1]
    assert pieces.edges.shape == (4, 4, 6)
    assert (pieces.edges[2, :, 2:] == pieces.edges[2, :, 1:2]).all()
    assert not (pieces.edges[2, :, 0] == pieces.edges[2, :, 1]).all()
    assert sorted(pieces.tree.query(shapely.Point(0.1, 0.05).buffer(0.001)).tolist()) == [3]
    assert pieces.tree.geometries[3].bounds == (0, 0, 0.2, 0.1)


def test_a_point_in_the_very_middle_of_a_piece_has_its_region():
    """Where its distance is a rounding below zero."""
    rng = np.random.default_rng(0)
    for lat, lon in zip(rng.uniform(-60, 60, 60), rng.uniform(-179, 179, 60), strict=True):
        speck = shapely.box(lon - 1e-9, lat - 1e-9, lon + 1e-9, lat + 1e-9)
        balls = Balls(Pieces.of(np.array([speck], object)), np.zeros(1, np.int64))
        assert balls.nearest_region(lat, lon, 0) == 0
        assert balls.nearest_region(lat, lon, 1) is None


@pytest.mark.parametrize("middle", [0.0, 55.0, -75.0])
def test_feet_on_the_sphere_are_on_the_nearest_of_several_edges(middle):
    """Against points all along each edge; the last edge of a piece is a point."""
    rng, n = np.random.default_rng(1), 60
    y, x = middle + rng.uniform(-1, 1, n), 20 + rng.uniform(-1, 1, n)
    start = np.stack([20 + rng.uniform(-1, 1, (n, 6)), middle + rng.uniform(-1, 1, (n, 6))], 1)
    edges = np.concatenate([start, start + rng.uniform(-0.4, 0.4, (n, 2, 6))], 1)
    edges[:, 2:, 5] = edges[:, :2, 5]
    share = np.linspace(0, 1, 801)[:, None, None]
    lon, lat = (edges[:, i] + share * (edges[:, i + 2] - edges[:, i]) for i in (0, 1))
    away = haversine_km(y[:, None], x[:, None], lat, lon)
    found = haversine_km(y, x, *feet(y, x, edges))
    np.testing.assert_allclose(found, away.min(axis=(0, 2)), rtol=1e-3, atol=0.05)


# The raster


def drawn(edges, limit):
    near = Raster.of(np.array(edges, float), limit).near
    return [divmod(int(cell), COLUMNS) for cell in np.flatnonzero(near)]


@pytest.mark.parametrize(
    ("edge", "limit", "cells"),
    [
        # 10 km are 0.0899 degrees of latitude, and 0.0914 of longitude at 10.2
        ([20.1, 10.1, 20.2, 10.1], 10.0, [(400, 800), (400, 801)]),
        ([20.1, 10.1, 20.1, 10.1], 0.0, [(400, 800)]),
        ([20.1, 10.1, 20.1, 10.1], 10.9, [(400, 800)]),
        ([20.1, 10.1, 20.1, 10.1], 10.95, [(400, 799), (400, 800)]),
        ([20.1, 10.1, 20.1, 10.1], 11.2, [(399, 799), (399, 800), (400, 799), (400, 800)]),
        ([20.1, -10.1, 20.1, -10.1], 10.9, [(319, 800)]),
        ([20.1, -10.1, 20.1, -10.1], 10.95, [(319, 799), (319, 800)]),
        ([179.9, 0.1, 180.0, 0.1], 5.0, [(360, 0), (360, 1439)]),
        ([-180.0, 0.1, -179.9, 0.1], 5.0, [(360, 0), (360, 1439)]),
        ([7.0, 89.9, 7.0, 89.9], 12.0, [(719, c) for c in range(COLUMNS)]),
        ([7.0, -90.0, 7.0, -89.9], 1.0, [(0, c) for c in range(COLUMNS)]),
    ],
)
def test_the_cells_that_an_edge_may_reach(edge, limit, cells):
    assert drawn([edge], limit) == cells


def test_a_long_edge_is_drawn_as_its_parts():
    """A diagonal of eight cells: those that it crosses and those beside a corner, no others."""
    found = set(drawn([[0.05, 0.05, 1.95, 1.95]], 0.001))
    assert {(360 + i, 720 + i) for i in range(8)} <= found
    assert all(abs((row - 360) - (column - 720)) <= 1 for row, column in found)


def test_what_a_raster_says_of_points():
    raster = Raster.of(np.array([[20.1, 10.1, 20.2, 10.1], [-180, 89.9, 180, 89.9]]), 1.0)
    lat, lon = [10.0, 10.2499, 10.25, 10.1, 90.0, -90.0], [20.0, 20.2499, 20.1, 20.25, 179.9, 0.0]
    assert raster.may_reach(np.array(lat), np.array(lon)).tolist() == [
        True, True, False, False, True, False,
    ]  # fmt: skip
    assert [raster.may_reach_one(y, x) for y, x in zip(lat, lon, strict=True)] == [
        True, True, False, False, True, False,
    ]  # fmt: skip
    assert (ROWS, COLUMNS) == (720, 1440)


@pytest.mark.parametrize(("limit", "all_"), [(500.0, False), (500.1, True)])
def test_beyond_500_km_nothing_is_drawn(limit, all_):
    raster = Raster.of(np.array([[20.1, 10.1, 20.2, 10.1]]), limit)
    assert (raster.near is None) == all_
    assert raster.may_reach(np.array([-60.0]), np.array([-100.0])).tolist() == [all_]
    assert raster.may_reach_one(-60.0, -100.0) is all_


# The plane


def test_the_nearest_point_of_each_piece():
    """At 60 degrees one of longitude is half one of latitude."""
    pieces = np.array([
        [[0.0, 2.0], [61.0, 61.0], [2.0, 2.0], [61.0, 63.0]],
        [[3.0, 3.0], [60.0, 60.0], [3.0, 3.0], [60.0, 60.0]],
        [[-2.0, -2.0], [59.0, 59.5], [-2.0, -2.0], [59.5, 60.5]],
    ])  # fmt: skip
    plane = in_plane(np.full(3, 60.0), np.array([1.0, 1.0, 0.0]), pieces)
    assert plane.square == pytest.approx(np.array([[1, 1.25], [1, 1], [1.25, 1]]))
    assert plane.t == pytest.approx(np.array([[0.5, 0], [0, 0], [1, 0.5]]))
    lat, lon = plane.nearest()
    assert (lat.tolist(), lon.tolist()) == ([61.0, 60.0, 60.0], [1.0, 3.0, -2.0])
    for rows in ([2, 0], [1]):
        some, few = plane.nearest_of(rows), plane.of(np.array(rows)).nearest()
        for one, other, whole in zip(some, few, (lat, lon), strict=True):
            assert one.tolist() == other.tolist() == whole[rows].tolist()


def test_the_nearest_point_on_the_sphere():
    """Of a quarter of the equator from the pole: all are as far, its middle from 45 north."""
    edges = np.array([[[0.0], [0.0], [10.0], [0.0]], [[0.0], [0.0], [0.0], [10.0]]])
    lat, lon = feet(np.array([20.0, 4.0]), np.array([5.0, 1.0]), edges)
    assert (lat.tolist(), lon[0]) == (pytest.approx([0.0, 4.0], abs=0.01), pytest.approx(5.0))
    ends = feet(np.array([0.0, 0.0]), np.array([-3.0, 70.0]), edges[[0, 0]])
    assert ends[1].tolist() == [0.0, 10.0]
    two = np.array([[[0.0, 0.0], [0.0, 1.0], [10.0, 10.0], [0.0, 1.0]]])
    assert feet(np.array([0.9]), np.array([5.0]), two)[0][0] == pytest.approx(1.0)


def test_numbers_are_equal_for_equal_codes():
    one, two, three = numbered(["b", "a", "b"], [], ["c", "a"])
    assert one[0] == one[2] != one[1] == three[1]
    assert (len(two), len(three), len({*one, *three})) == (0, 2, 3)
