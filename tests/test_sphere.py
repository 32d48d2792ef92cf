"""Distances on the sphere and the ellipsoid, beside pyproj and by hand."""

import numpy as np
import pyproj
import pytest

from geodata import sphere

QUARTER = np.pi * 6371.0 / 2
"""From a pole to the equator, km."""
BY_HAND = [
    ((0, 0, 0, 90), QUARTER),
    ((0, 0, 90, 0), QUARTER),
    ((0, 0, 90, 77), QUARTER),
    ((0, 10, 0, 10), 0.0),
    ((90, 0, 90, 120), 0.0),
    ((-90, 0, 90, 120), 2 * QUARTER),
    ((0, 20, 0, -160), 2 * QUARTER),
    ((30, 0, -30, 180), 2 * QUARTER),
    ((0, 179, 0, -179), QUARTER / 45),
    ((0, -179, 0, 181), 0.0),
    ((45, 0, 45, 180), QUARTER),
    ((10, 0, 55, 0), QUARTER / 2),
]


def drawn(n=2000, seed=3):
    """Points all over the sphere, and points near others and near antipodes."""
    rng = np.random.default_rng(seed)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, (2, n)))), rng.uniform(-180, 180, (2, n))
    near, far = slice(0, n // 4), slice(n // 4, n // 2)
    lat[1, near], lon[1, near] = lat[0, near] + 1e-4, lon[0, near] - 1e-4
    lat[1, far], lon[1, far] = 1e-4 - lat[0, far], lon[0, far] + 180 - 1e-4
    return np.clip(lat[0], -90, 90), lon[0], np.clip(lat[1], -90, 90), lon[1]


@pytest.mark.parametrize(("points", "km"), BY_HAND)
def test_distances_by_hand(points, km):
    assert float(sphere.haversine_km(*points)) == pytest.approx(km, abs=1e-9)
    a = float(sphere.haversine_a(*points))
    assert a == pytest.approx(np.sin(km / 6371.0 / 2) ** 2, abs=1e-15)
    assert float(sphere.threshold_a(km)) == pytest.approx(a, abs=1e-15)
    assert sphere.HALF_CIRCUMFERENCE_KM == 2 * QUARTER


def test_distances_are_those_of_pyproj():
    lat1, lon1, lat2, lon2 = drawn()
    km = sphere.haversine_km(lat1, lon1, lat2, lon2)
    ball = pyproj.Geod(a=6_371_000, b=6_371_000).inv(lon1, lat1, lon2, lat2)[2] / 1000
    assert np.abs(km - ball).max() < 1e-6
    a = sphere.haversine_a(lat1, lon1, lat2, lon2)
    np.testing.assert_allclose(a, np.sin(ball / 6371.0 / 2) ** 2, atol=1e-12)
    back = sphere.haversine_km(lat2, lon2, lat1, lon1)
    np.testing.assert_allclose(back, km, rtol=0, atol=1e-9)


def test_geodesics_are_those_of_pyproj_in_the_shape_that_is_given():
    lat1, lon1, lat2, lon2 = (part[:60].reshape(3, 20) for part in drawn())
    found = sphere.wgs84_km(lat1, lon1, lat2, lon2)
    assert found.shape == (3, 20)
    wanted = pyproj.Geod(ellps="WGS84").inv(lon1, lat1, lon2, lat2)[2] / 1000
    np.testing.assert_array_equal(found, wanted)
    one = sphere.wgs84_km(0, 0, [0, 90], 1)
    assert one.shape == (2,)
    assert one == pytest.approx([111.319490793, 10_001.965729312], abs=1e-8)
    assert sphere.wgs84_km(0, 0, 0, 1).shape == ()


def test_shapes_and_missing_values():
    column = np.array([[0.0], [np.nan], [90.0]])
    for distance in (sphere.haversine_km, sphere.haversine_a):
        found = distance(column, 0.0, [0.0, 90.0], 0.0)
        assert found.shape == (3, 2)
        assert np.isnan(found).tolist() == [[False] * 2, [True] * 2, [False] * 2]
        for place in range(4):
            given = [1.0, 2.0, 3.0, 4.0]
            given[place] = np.nan
            assert np.isnan(distance(*given))
        assert distance(0, 0, 0, 0).shape == ()
        assert distance(np.float32(0), 0, np.float32(1), 0).dtype == np.float64


def test_small_numbers_of_narrow_types_are_not_lost():
    lat = np.array([100, -100], np.int16) // 2
    km = sphere.haversine_km(lat, np.int8(127), lat, np.int8(-127))
    np.testing.assert_allclose(km, sphere.haversine_km([50.0, -50.0], 127.0, [50.0, -50.0], -127.0))
    assert km[0] == pytest.approx(km[1])


def test_a_haversine_is_at_most_one_and_antipodes_are_within_the_longest():
    lat, lon = np.degrees(np.arcsin(np.linspace(-1, 1, 20_001))), np.linspace(-180, 0, 20_001)
    a = sphere.haversine_a(lat, lon, -lat, lon + 180)
    assert a.max() == 1.0
    assert (a <= sphere.threshold_a(sphere.HALF_CIRCUMFERENCE_KM)).all()


@pytest.mark.parametrize(
    ("km", "a"),
    [
        (0, 0.0), (-5, 0.0), (QUARTER, 0.5), (2 * QUARTER, 1.0), (1e9, 1.0),
        (QUARTER * 2 / 3, 0.25), (np.nan, np.nan),
    ],
)  # fmt: skip
def test_a_threshold_as_a_haversine(km, a):
    assert float(sphere.threshold_a(km)) == pytest.approx(a, abs=1e-15, nan_ok=True)
    assert sphere.threshold_a([km, 0.0]).shape == (2,)


def test_points_as_vectors():
    found = sphere.unit_vectors([0, 0, 0, 90, -90, 30], [0, 90, 180, 50, 0, -90])
    half = np.sqrt(3) / 2
    wanted = [[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, 0, 1], [0, 0, -1], [0, -half, 0.5]]
    np.testing.assert_allclose(found, wanted, atol=1e-15)
    assert sphere.unit_vectors(0, 90) == pytest.approx([0.0, 1.0, 0.0], abs=1e-15)
    assert sphere.unit_vectors(np.zeros((4, 2)), 0.0)[3, 1].tolist() == [1.0, 0.0, 0.0]
    lat1, lon1, lat2, lon2 = drawn(200)
    chord = np.linalg.norm(
        sphere.unit_vectors(lat1, lon1) - sphere.unit_vectors(lat2, lon2), axis=1
    )
    km = 2 * 6371.0 * np.arcsin(np.minimum(chord / 2, 1.0))
    np.testing.assert_allclose(km, sphere.haversine_km(lat1, lon1, lat2, lon2), atol=1e-3)
