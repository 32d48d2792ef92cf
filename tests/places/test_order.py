"""Points are weighed by the square degree that they lie in, and many at a time: in their order."""

import numpy as np
import pytest

from geodata.places import rule
from geodata.places.grid import point_km, points_km
from geodata.places.places import Places


def test_points_are_ordered_by_their_square_degree_from_the_south_west():
    rng = np.random.default_rng(0)
    lat = np.r_[rng.uniform(-90, 90, 5000), 90.0, -90.0, -90.0, 0.0, -0.5, 89.5]
    lon = np.r_[rng.uniform(-180, 180, 5000), 0.0, -180.0, 179.5, 0.0, -0.5, -179.5]
    lat = np.repeat(lat, 3)  # equals stay as they were
    lon = np.repeat(lon, 3)
    wanted = np.lexsort((np.arange(len(lat)), np.floor(lon), np.floor(lat)))
    assert rule._by_degree(lat, lon).tolist() == wanted.tolist()
    assert rule._by_degree(np.empty(0), np.empty(0)).tolist() == []


@pytest.mark.parametrize("chunk", [1, 7, 100, 1000])
def test_any_number_of_points_at_a_time_gives_the_same(monkeypatch, chunk):
    places, rng = Places.load(), np.random.default_rng(chunk)
    at = rng.integers(0, len(places), 300)
    lat, lon = places.lat[at] + rng.normal(0, 0.05, 300), places.lon[at]
    lat = np.clip(lat, -90, 90)
    asked = lat, lon, places.country[at]
    whole = places.nearest(*asked)
    monkeypatch.setattr(rule, "_CHUNK", chunk)
    parts = places.nearest(*asked)
    assert parts.index.tolist() == whole.index.tolist()
    assert parts.distance_km.tolist() == whole.distance_km.tolist()


@pytest.mark.parametrize("rounds", [0, 1, 2, 30])
def test_candidates_in_rounds_or_all_at_once_give_the_same(monkeypatch, rounds):
    places, rng = Places.load(), np.random.default_rng(rounds)
    at = rng.integers(0, len(places), 2000)
    lat = np.clip(places.lat[at] + rng.normal(0, 0.05, 2000), -90, 90)
    asked = lat, places.lon[at], places.country[at]
    usual = places.nearest(*asked)
    monkeypatch.setattr(rule, "_ROUNDS", rounds)
    found = places.nearest(*asked)
    assert found.index.tolist() == usual.index.tolist()


def test_one_point_has_the_numbers_of_many():
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(-90, 90, 200), rng.uniform(-180, 180, 200)
    many = points_km(lat, lon)
    assert np.linalg.norm(many, axis=0) == pytest.approx(6371.0)
    assert [point_km(*pair) for pair in zip(lat.tolist(), lon.tolist(), strict=True)] == [
        tuple(column) for column in many.T.tolist()
    ]
    by_hand = points_km(np.array([0.0, 0.0, 90.0, -30.0]), np.array([0.0, 90.0, 7.0, 180.0]))
    half = 6371.0 * np.sqrt(0.75)
    wanted = [[6371.0, 0, 0], [0, 6371.0, 0], [0, 0, 6371.0], [-half, 0, -3185.5]]
    np.testing.assert_allclose(by_hand.T, wanted, atol=1e-9)


def test_a_radius_is_of_the_people_and_of_three_hundred_at_least():
    assert rule.radius_km([0, 300, 301, 2000, 2_000_000]) == pytest.approx(
        [np.sqrt(n / 2000 / np.pi) for n in (300, 300, 301, 2000, 2_000_000)]
    )
