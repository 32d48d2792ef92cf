"""The best place of a division, found by latitude, beside a look at every place of the country."""

import numpy as np
import pytest

from geodata.places import ANY
from geodata.places.divisions import Divisions, PlaceColumns, covers, territories
from geodata.places.grid import points_km


def columns(lat, lon, country, reach, **given):
    """What the rule knows of places; all in one division of GeoNames, each its own city."""
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    n = len(lat)
    sites = np.c_[points_km(lat, lon).T, np.broadcast_to(reach, n)]
    rest = {
        "city": np.arange(n, dtype=np.int32), "population": np.full(n, 1000, np.int32),
        "radius": np.full(n, 0.4), "admin1": np.zeros(n, np.int16), "unknown": np.zeros(n, bool),
    } | given  # fmt: skip
    return PlaceColumns(lat, np.asarray(country, np.int16), sites=sites, **rest)


def drawn(rng, n):
    """Places all over the globe, at poles and the antimeridian, some of them in one spot."""
    lat = np.r_[np.degrees(np.arcsin(rng.uniform(-1, 1, n - 8))), 90, -90, 90, 0, 0, 5, 5, 5]
    lon = np.r_[rng.uniform(-180, 180, n - 8), 0, 0, 90, 179.9, -179.9, 7, 7, 7]
    return lat, lon


@pytest.mark.parametrize("seed", range(6))
def test_the_best_place_that_fits_is_found_wherever_the_point_is(seed):
    rng = np.random.default_rng(seed)
    n, points = int(rng.integers(9, 120)), 120
    lat, lon = drawn(rng, n)
    country, reach = rng.integers(0, 3, n), rng.uniform(0, [0.1, 40, 900][seed % 3], n)
    reach[-3:] = reach[-3]
    known = columns(lat, lon, country, reach)
    made = Divisions(rng.integers(-1, 4, n).astype(np.int32), known.city, known)
    y, x = drawn(rng, points)
    y[:3], x[:3] = -lat[:3], np.where(lon[:3] > 0, lon[:3] - 180, lon[:3] + 180)  # antipodes
    own, of = rng.integers(-1, 6, points), rng.integers(-1, 4, points)
    at = points_km(y, x)
    found = made.winners(at, y, of, own)
    for i in range(points):
        fits = (country == of[i]) & np.isin(made.division, (own[i], ANY))
        score = np.linalg.norm(known.sites[:, :3] - at[:, i], axis=1) - reach
        best = np.flatnonzero(fits & (score <= score[fits].min(initial=np.inf) + 1e-9))
        assert found[i] in (best.tolist() or [-1]), i
        if len(best) > 1 and len(set(zip(lat[best], lon[best], strict=True))) == 1:
            assert found[i] == best[0]
        assert made.winner(tuple(at[:, i].tolist()), int(of[i]), int(own[i])) == found[i]
    assert (found >= 0).any()
    assert (found < 0).any()


@pytest.mark.parametrize("first", [1.0, -1.0])
def test_of_places_as_near_north_and_south_the_first_wins(first):
    """Lanes go by latitude; the order of the file decides between equals all the same."""
    known = columns([first, -first, 40.0], [10.0, 10.0, 10.0], [0, 0, 0], 0.5)
    made = Divisions(np.array([2, 2, 2], np.int32), known.city, known)
    at = points_km(np.array([0.0]), np.array([10.0]))
    assert made.winner(tuple(at[:, 0].tolist()), 0, 2) == 0
    assert made.winners(at, np.array([0.0]), np.array([0]), np.array([2])).tolist() == [0]


def test_the_only_place_of_a_division_may_be_at_the_antipodes():
    for lat, lon in ((0.0, 0.0), (90.0, 0.0), (-45.0, 20.0)):
        known = columns([lat], [lon], [0], 5.0)
        made = Divisions(np.array([2], np.int32), known.city, known)
        there = points_km(np.array([-lat]), np.array([lon - 180.0]))
        args = np.array([-lat]), np.array([0]), np.array([2])
        assert made.winners(there, *args).tolist() == [0]
        assert made.winner(tuple(there[:, 0].tolist()), 0, 2) == 0


def test_a_place_with_a_long_reach_wins_far_beyond_the_nearest_by_latitude():
    """Many small places lie between; the one that wins is the last that its reach still lets."""
    lat = np.r_[np.linspace(-1, 1, 41), 9.0]
    lon = np.r_[np.full(41, 3.0), 0.0]
    known = columns(lat, lon, np.zeros(42), np.r_[np.zeros(41), 700.0])
    made = Divisions(np.zeros(42, np.int32), known.city, known)
    y = np.array([0.0, 0.0])
    at = points_km(y, np.array([0.0, 3.0]))
    assert made.winners(at, y, np.zeros(2, int), np.zeros(2, int)).tolist() == [41, 20]


def test_what_fits_a_division():
    known = columns([0.0] * 3, [0.0] * 3, [0] * 3, 0.0)
    made = Divisions(np.array([4, ANY, 5], np.int32), np.array([0, 0, 2], np.int32), known)
    for own, fitting in ((4, [True, True, False]), (5, [False, True, True]), (ANY, [True] * 3)):
        assert made.fits(np.arange(3), np.full(3, own)).tolist() == fitting
        assert [made.fits_one(place, own) for place in range(3)] == fitting
    assert [made.city_of(place) for place in range(3)] == [0, 0, 2]


@pytest.mark.parametrize(
    ("apart", "inner", "outer", "held"),
    [
        (3.0, 2.0, 5.0, True), (3.001, 2.0, 5.0, True), (4.0, 2.0, 5.0, True),  # a fifth: half
        (4.001, 2.0, 5.0, False), (2.0, 3.0, 5.0, True), (2.001, 3.0, 5.0, False),
        (0.0, 5.0, 5.0, True), (0.0, 5.001, 5.0, False),
        (9.0, 2.0, 20**0.5, False), (20**0.5 - 1.0, 2.0, 20**0.5 + 1e-12, True),
    ],
)  # fmt: skip
def test_what_is_held_by_a_larger_place(apart, inner, outer, held):
    assert covers(*(np.array([value]) for value in (apart, inner, outer))).tolist() == [held]


@pytest.mark.parametrize(
    ("city", "unknown", "whole"),
    [
        ([0, 0, 0, 3], [True] * 4, [0]),  # three of four
        ([0, 0, 2, 3], [True] * 4, []),  # just half is not most
        ([0, 0, 0, 3], [False, True, True, True], []),
    ],
)
def test_a_city_that_most_places_of_its_country_are_part_of(city, unknown, whole):
    known = columns(
        [0.0] * 5, [0.0] * 5, [0] * 4 + [1], 0.0,
        city=np.array([*city, 4], np.int32), unknown=np.array([*unknown, False]),
    )  # fmt: skip
    assert territories(known).tolist() == whole
    parts = columns([0.0] * 3, [0.0] * 3, [0] * 3, 0.0, city=np.zeros(3, np.int32),
                    unknown=np.ones(3, bool))  # fmt: skip
    assert territories(parts).tolist() == [0]  # also where the last place is a part
    made = Divisions.of(known, np.array([7, 7, 8, 8, 9]))
    assert made.division.tolist() == [ANY if 0 in whole else 7, 7, 8, 8, 9]


def held_by(**given):
    """The city of a part whose own city lies in another division, among two others of its own.

    Part 1 (radius 1) of city 0; 2 and 3 lie 3 and 4 km from it and have radii of 5 and 9 km.
    """
    km = 1 / 111.19492664455873
    plain = {
        "population": np.array([9000, 100, 500, 500]), "radius": np.array([30.0, 1.0, 5.0, 9.0]),
        "admin1": np.zeros(4, int), "unknown": np.zeros(4, bool),
        "city": np.array([0, 0, 2, 3], np.int32),
    } | given  # fmt: skip
    known = columns([0, 10 * km, 13 * km, 6 * km], [0.0] * 4, [0] * 4, 0.0, **plain)
    made = Divisions.of(known, np.array([1, 2, 2, 2]))
    return made.city.tolist()


def test_a_part_joins_the_city_of_its_division_that_it_lies_deepest_in():
    assert held_by() == [0, 3, 2, 3]  # 4 of 9 km is deeper than 3 of 5
    assert held_by(radius=np.array([30.0, 1.0, 5.0, 4.0])) == [0, 2, 2, 3]  # 4.5 km do not fit 4
    assert held_by(radius=np.array([30.0, 1.0, 3.4, 4.4])) == [0, 1, 2, 3]  # half of 1 sticks out
    assert held_by(radius=np.array([30.0, 1.0, 3.5 + 1e-9, 4.4])) == [0, 2, 2, 3]


def test_a_part_stays_with_its_city_where_that_lies_in_its_division():
    """Whatever else covers it: part 1 is of city 0 by another rule than by cover."""
    km = 1 / 111.19492664455873
    known = columns(
        [0, 40 * km, 43 * km], [0.0] * 3, [0] * 3, 0.0, population=np.array([9000, 100, 500]),
        radius=np.array([3.0, 1.0, 9.0]), city=np.array([0, 0, 2], np.int32),
    )  # fmt: skip
    for division, city in (
        ([1, 1, 1], [0, 0, 2]), ([ANY, 1, 1], [0, 0, 2]), ([1, ANY, 1], [0, 0, 2]),
        ([2, 1, 1], [0, 2, 2]), ([2, 1, 3], [0, 1, 2]),
    ):  # fmt: skip
        assert Divisions.of(known, np.array(division)).city.tolist() == city, division


def test_of_many_that_hold_a_part_as_deeply_it_joins_the_first():
    n, km = 300, 1 / 111.19492664455873
    lat = np.r_[0.0, np.where(np.arange(1, n) % 3, 40.0, 3.0) * km]
    known = columns(
        lat, np.zeros(n), np.zeros(n), 0.0, population=np.r_[100, np.full(n - 1, 900)],
        radius=np.r_[1.0, np.full(n - 1, 9.0)], city=np.r_[n - 1, np.arange(1, n)].astype(np.int32),
    )  # fmt: skip
    division = np.r_[5, np.arange(1, n) % 2 * 5]
    division[-1] = 7
    assert Divisions.of(known, division).city.tolist() == [3, *range(1, n)]


def test_a_part_joins_a_larger_place_only():
    people = np.array([9000, 100, 99, 99])
    assert held_by(population=people) == [0, 1, 2, 3]
    assert held_by(population=np.array([9000, 100, 100, 101])) == [0, 3, 2, 3]
    assert held_by(population=np.array([9000, 100, 101, 100])) == [0, 2, 2, 3]  # equal: the first


def test_a_part_joins_a_place_of_its_own_division_of_geonames_or_of_none():
    apart = np.array([0, 0, 1, 1])
    assert held_by(admin1=apart) == [0, 1, 2, 3]
    assert held_by(admin1=np.array([0, 0, 0, 1])) == [0, 2, 2, 3]
    assert held_by(admin1=apart, unknown=np.array([False, True, False, False])) == [0, 3, 2, 3]
    assert held_by(admin1=apart, unknown=np.array([False, False, True, False])) == [0, 2, 2, 3]


def test_a_part_of_a_part_joins_the_whole():
    """2 joins 3, which covers it; 1 would join 2 and so joins 3."""
    km = 1 / 111.19492664455873
    known = columns(
        [0, 10 * km, 12 * km, 16 * km], [0.0] * 4, [0] * 4, 0.0,
        population=np.array([90_000, 100, 5000, 30_000]),
        radius=np.array([60.0, 1.0, 4.0, 9.0]), city=np.zeros(4, np.int32),
    )  # fmt: skip
    made = Divisions.of(known, np.array([1, 2, 2, 2]))
    assert made.city.tolist() == [0, 3, 3, 3]
    assert Divisions.of(known, np.array([1, 1, 2, ANY])).city.tolist() == [0, 0, 2, 0]
