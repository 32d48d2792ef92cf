"""Cities inside the divisions of a boundary set, against the rule over every place that fits."""

import numpy as np
import pytest

from geodata.places import ANY, MAX_KM
from geodata.places.places import Places, radius_km

from .test_places import build, made_up, points_km, row


@pytest.fixture(scope="module")
def clusters(tmp_path_factory):
    return build(tmp_path_factory.mktemp("divided"), made_up(seed=11, n=700))


def drawn(places, seed):
    """Return a division for every place, by which side of a few lines it lies on."""
    rng = np.random.default_rng(seed)
    cut = np.sort(rng.uniform(-1, 1, 3))
    division = np.searchsorted(cut, np.sin(places.lat * 9 + places.lon * 7)).astype(np.int32)
    division[rng.random(len(places)) < 0.05] = ANY
    return division


def brute(places, divisions, lat, lon, country, own):
    """Return the city by weighing every place of the country that fits, and how clear it is."""
    at = points_km(places.lat, places.lon)
    reach = places.file.arrays["reach_m"] / 1000
    fits = (divisions.division == own) | (divisions.division == ANY) | (own == ANY)
    mine = np.flatnonzero((places.country == country) & fits)
    if not len(mine):
        return -1, np.inf
    point = points_km(lat, lon)
    score = np.linalg.norm(at[mine] - point, axis=1) - reach[mine]
    winner = mine[np.argmin(score)]
    city = int(divisions.city[winner]) if own != ANY else int(places.city[winner])
    if own not in (ANY, divisions.division[city]) and divisions.division[city] != ANY:
        city = int(winner)
    km = 2 * 6371 * np.arcsin(np.linalg.norm(at[city] - point) / 2 / 6371)
    beyond = km - radius_km(places.population)[city] - MAX_KM
    rivals = np.sort(score)[1:2]
    clear = min(abs(beyond), (rivals[0] - score.min()) if len(rivals) else np.inf)
    return (city if beyond <= 0 else -1), clear


@pytest.mark.parametrize("seed", range(3))
def test_the_city_fits_the_division_of_the_point(clusters, seed):
    rng, n = np.random.default_rng(seed), 1500
    divisions = clusters.divisions(drawn(clusters, seed))
    index = rng.integers(0, len(clusters), n)
    lat = np.clip(clusters.lat[index] + rng.normal(0, 0.3, n), -90, 90)
    lon = np.remainder(clusters.lon[index] + rng.normal(0, 0.5, n) + 180, 360) - 180
    country, own = clusters.country[index], rng.integers(-1, 5, n).astype(np.int32)
    found = clusters.nearest(lat, lon, country, inside=(divisions, own))
    plain = clusters.nearest(lat, lon, country)
    moved = stood = 0
    for i in range(n):
        city, clear = brute(clusters, divisions, lat[i], lon[i], country[i], own[i])
        got = int(found.index[i])
        if got != city and clear > 1e-6:
            # only a city that covers the point may stand where the division has none
            assert got == plain.index[i]
            assert city == -1 or divisions.division[got] == own[i]  # it stands for its parts
            assert city >= 0 or found.distance_km[i] <= radius_km(clusters.population)[got]
            stood += city >= 0
        moved += got != plain.index[i]
        code = clusters.countries[country[i]]
        one = clusters.one(float(lat[i]), float(lon[i]), code, inside=(divisions, int(own[i])))
        assert one == ((got, found.distance_km[i]) if got >= 0 else None)
    assert moved > n / 10
    assert stood <= 1


def test_without_divisions_nothing_changes(clusters):
    divisions = clusters.divisions(np.full(len(clusters), ANY))
    own = np.zeros(300, np.int32)
    index = np.arange(300)
    asked = clusters.lat[index], clusters.lon[index], clusters.country[index]
    plain, found = clusters.nearest(*asked), clusters.nearest(*asked, inside=(divisions, own))
    assert (plain.index == found.index).all()
    assert (plain.distance_km == found.distance_km).all()


def test_quarters_join_a_city_of_their_own_division(tmp_path):
    rows = [
        row(1, "Metropolis", 50.0, 10.0, "AA", 5_000_000),
        row(2, "Town", 50.1, 10.1, "AA", 900_000),
        row(3, "Quarter", 50.1, 10.12, "AA", 3_000),
        row(4, "Lone quarter", 49.95, 10.0, "AA", 3_000),
    ]
    places = build(tmp_path, rows)
    assert [places.name(c) for c in places.city] == ["Metropolis"] * 4
    divisions = places.divisions(np.array([0, 1, 1, 2]))
    assert [places.name(c) for c in divisions.city] == [
        "Metropolis",
        "Town",
        "Town",
        "Lone quarter",
    ]
    here = [50.1], [10.12], "AA"
    found = places.nearest(*here, inside=(divisions, np.array([1], np.int32)))
    assert places.name(found.index[0]) == "Town"
    across = places.nearest(*here, inside=(divisions, np.array([0], np.int32)))
    assert places.name(across.index[0]) == "Metropolis"


def test_of_two_cities_that_cover_a_quarter_it_joins_the_one_it_lies_deepest_in(tmp_path):
    rows = [
        row(1, "Metropolis", 50.0, 10.0, "AA", 9_000_000),
        row(2, "Large", 50.0, 10.2, "AA", 2_500_000),
        row(3, "Near", 50.02, 10.05, "AA", 2_000_000),
        row(4, "Quarter", 50.02, 10.06, "AA", 3_000),
    ]
    places = build(tmp_path, rows)
    assert [places.name(c) for c in places.city] == ["Metropolis"] * 4
    divisions = places.divisions(np.array([0, 1, 1, 1]))
    assert [places.name(c) for c in divisions.city][3] == "Near"


def test_a_city_that_is_its_whole_territory_fits_every_district(tmp_path):
    rows = [row(1, "City state", 1.3, 103.8, "SS", 5_000_000, admin1="")]
    rows += [row(8, "Quarter", 1.3, 103.85, "SS", 9_000), row(9, "Isle", 2.9, 105.0, "SS", 50)]
    places = build(tmp_path, rows)
    assert places.territories.tolist() == [0]
    divisions = places.divisions(np.array([0, 1, 2]))
    assert divisions.division.tolist() == [ANY, 1, 2]
    found = places.nearest([1.3], [103.85], "SS", inside=(divisions, np.array([1], np.int32)))
    assert places.name(found.index[0]) == "City state"


def test_hong_kong_and_singapore_are_territories():
    places = Places.load()
    names = {places.name(int(i)) for i in places.territories}
    assert {"Hong Kong", "Singapore", "Monaco", "Gibraltar"} <= names
    assert "New York City" not in names


@pytest.mark.parametrize("numbers", [[ANY, 1], [1, ANY], [1, 1], [ANY, ANY]])
def test_of_places_that_tie_the_first_wins_for_one_point_and_for_many(tmp_path, numbers):
    rows = [row(i, name, 50.0, 10.0, "AA", 9_000) for i, name in ((1, "First"), (2, "Second"))]
    divisions = build(tmp_path, rows).divisions(np.array(numbers))
    assert divisions.division.tolist() == numbers
    lat, lon = np.array([50.02]), np.array([10.03])
    point = points_km(lat, lon)
    assert divisions.winner(tuple(point[0].tolist()), 0, 1) == 0
    assert divisions.winners(point.T, lat, np.array([0]), np.array([1])).tolist() == [0]
