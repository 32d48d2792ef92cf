"""What a map of a set draws: outer rings, simplified, islets left out, countries on land."""

import numpy as np
import pytest
import shapely

from geodata import boundaries
from geodata.boundaries.exchange import drawing


def rings(*shapes):
    return [ring.round(6).tolist() for ring in drawing._rings(np.array(shapes, object))]


def test_a_ring_has_a_point_each_five_degrees():
    (ring,) = rings(shapely.box(0, 0, 10, 4))
    assert ring == [[10, 0], [10, 4], [5, 4], [0, 4], [0, 0], [5, 0], [10, 0]]
    (ring,) = rings(shapely.box(0, 0, 5, 5))
    assert len(ring) == 5


@pytest.mark.parametrize(("side", "drawn"), [(0.141, 0), (0.142, 1)])
def test_islets_under_a_hundredth_of_a_square_degree_are_left_out(side, drawn):
    assert len(rings(shapely.Polygon([(0, 0), (side, 0), (0, side)]))) == drawn


@pytest.mark.parametrize(("off", "points"), [(0.07, 5), (0.09, 6)])
def test_outlines_are_simplified_to_eight_hundredths_of_a_degree(off, points):
    (ring,) = rings(shapely.Polygon([(0, 0), (2, 0), (2, 2), (1, 2 + off), (0, 2)]))
    assert len(ring) == points


def test_parts_are_rings_of_their_own_and_lines_none():
    both = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(3, 0, 4, 1)])
    mixed = shapely.GeometryCollection([both, shapely.LineString([(0, 0), (9, 9)])])
    hole = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 2, 2))
    assert [len(rings(shape)) for shape in (both, mixed, hole)] == [2, 2, 1]
    assert rings() == []


def test_a_country_is_drawn_where_land_is():
    land = np.array([shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 2), shapely.box(9, 9, 10, 10)])
    sea = shapely.box(1, 1, 3, 5)
    (found,) = drawing._on_land(np.array([sea], object), land)
    assert found.equals(shapely.box(1, 1, 3, 2))
    (none,) = drawing._on_land(np.array([shapely.box(6, 6, 7, 7)], object), land)
    assert none.is_empty
    assert drawing._on_land(np.array([], object), land).tolist() == []


def test_the_land_of_the_world_is_where_the_maps_draw_it():
    land = shapely.STRtree(drawing._land())
    for (lon, lat), there in (((2.35, 48.86), True), ((-130.0, 0.0), False)):
        assert bool(len(land.query(shapely.Point(lon, lat), "intersects"))) == there


def test_pieces_of_countries_that_no_source_draws_are_approximate_too():
    layers = [
        shapely.polygons(list(map(shapely.linearrings, some)))
        for some in drawing._layers(boundaries.load())
    ]
    for lat, lon, drawn, disputed in (
        (35.30, 79.50, True, True),  # Aksai Chin
        (22.22, 36.65, True, True),  # Hala'ib
        (42.23, 43.97, True, True),  # South Ossetia
        (45.00, 34.30, False, True),  # Crimea
        (47.00, 2.50, False, False),
    ):
        there = [bool(shapely.contains_xy(some, lon, lat).any()) for some in layers]
        assert there == [True, drawn, disputed], (lat, lon)
