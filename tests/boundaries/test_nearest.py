"""Distance to borders against brute force over finely sampled borders."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from geodata.boundaries.nearest import Borders
from geodata.sphere import haversine_km


def brute(polygons, lat, lon, step=0.002):
    """Distance to each polygon's border, by measuring to points every few hundred metres."""
    columns = []
    for polygon in polygons:
        xy = shapely.get_coordinates(shapely.segmentize(shapely.boundary(polygon), step))
        columns.append([haversine_km(y, x, xy[:, 1], xy[:, 0]).min() for y, x in zip(lat, lon)])
    return np.array(columns).T


def scattered(seed, west=-170.0, east=170.0):
    rng = np.random.default_rng(seed)
    centres = np.c_[rng.uniform(west, east, 6), rng.uniform(-70, 70, 6)]
    centres[1:4] = centres[0] + rng.normal(0, 1.5, (3, 2))
    return np.array([shapely.Point(c).buffer(0.4, 4) for c in centres], object), centres


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nearest_region_is_the_nearest_by_brute_force(seed):
    polygons, centres = scattered(seed)
    rng = np.random.default_rng(seed)
    lon, lat = (centres[0] + rng.normal(0, 2.0, (20, 2))).T
    region, distance = Borders(polygons).nearest(lat, lon)
    truth = brute(polygons, lat, lon)
    assert distance == pytest.approx(truth.min(axis=1), rel=0.002, abs=0.3)
    chosen = truth[np.arange(len(lat)), region]
    assert (chosen <= truth.min(axis=1) * 1.004 + 0.3).all()


def test_groups_limit_what_a_point_sees():
    near, far = shapely.box(0, 0, 1, 1), shapely.box(5, 0, 6, 1)
    borders = Borders(np.array([near, far], object), np.array([7, 9]))
    lat, lon = np.array([0.5, 0.5]), np.array([1.5, 1.5])
    region, distance = borders.nearest(lat, lon, group=np.array([7, 9]))
    assert region.tolist() == [0, 1]
    assert distance == pytest.approx([55.6, 389.2], abs=0.1)


def test_nothing_within_the_limit():
    borders = Borders(np.array([shapely.box(0, 0, 1, 1)], object))
    region, distance = borders.nearest(np.array([0.5, 50.0]), np.array([1.05, 50.0]), max_km=10.0)
    assert region.tolist() == [0, -1]
    assert distance[0] == pytest.approx(5.56, abs=0.01)
    assert np.isinf(distance[1])


def test_across_the_antimeridian_and_around_the_pole():
    fiji = shapely.box(-180, -17, -179.5, -16)
    cap = shapely.box(-180, 85, 180, 90)
    borders = Borders(np.array([fiji, cap], object))
    region, distance = borders.nearest(np.array([-16.5, 84.0]), np.array([179.9, 33.0]))
    assert region.tolist() == [0, 1]
    assert distance == pytest.approx([10.66, 111.19], abs=0.05)


def test_slack_returns_every_region_that_could_be_nearest():
    polygons = np.array([shapely.box(i, 0, i + 0.5, 1) for i in range(5)], object)
    found = Borders(polygons).within(np.array([0.5]), np.array([0.75]), slack_km=60.0)
    assert found.region.tolist() == [0, 1]
    wider = Borders(polygons).within(np.array([0.5]), np.array([0.75]), slack_km=120.0)
    assert wider.region.tolist() == [0, 1, 2]
    assert (np.diff(wider.distance_km) >= 0).all()
