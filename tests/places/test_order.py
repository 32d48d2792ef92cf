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


def test_a_longitude_of_another_turn_has_the_same_city():
    places, rng = Places.load(), np.random.default_rng(6)
    west, east = np.flatnonzero(places.lon < -1), np.flatnonzero(places.lon > 1)
    for at, turn in ((rng.choice(west, 40), 360.0), (rng.choice(east, 40), -360.0)):
        for i in at.tolist():
            code = places.countries[places.country[i]]
            lat, lon = float(places.lat[i]), float(places.lon[i])
            city, km = places.one(lat, lon + turn, code)
            usual = places.one(lat, lon, code)
            assert city == usual[0]
            assert km == pytest.approx(usual[1], abs=1e-9)


def test_a_city_counts_up_to_the_very_distance_that_is_allowed():
    places, rng = Places.load(), np.random.default_rng(7)
    radius, tried = rule.radius_km(places.population), 0
    for i in rng.integers(0, len(places), 400).tolist():
        lat, lon = min(float(places.lat[i]) + 0.15, 90.0), float(places.lon[i])
        code = places.countries[places.country[i]]
        found = places.one(lat, lon, code)
        most = found and float(found[1] - radius[found[0]])
        if not most or not 0.0 <= most <= 25.0:
            continue
        tried += 1
        less = float(np.nextafter(most, 0.0))
        for max_km, wanted in ((most, found), (less, None)):
            assert places.one(lat, lon, code, max_km=max_km) == wanted
            many = places.nearest([lat], [lon], code, max_km=max_km)
            pair = (int(many.index[0]), float(many.distance_km[0]))
            assert pair == (wanted or (-1, 0.0))
    assert tried > 100


def test_the_first_row_that_is_no_place_is_told():
    places = Places.load()
    for lat, lon, row in (
        ([90.0, -90.0, 90.5], [0.0] * 3, 2), ([90.0, 0.0], [720.0, np.inf], 1),
        ([np.nan, 91.0], [0.0] * 2, 0), ([1.0, 1.0, 1.0], [0.0, np.nan, np.inf], 1),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=rf"in row {row} are not a point on Earth"):
            places.nearest(lat, lon, "FR")


def test_people_of_each_country_are_those_of_its_places():
    places = Places.load()
    people = places.people()
    assert len(people) == len(places.countries)
    for index in range(0, len(people), 17):
        assert people[index] == int(places.population[places.country == index].sum())
