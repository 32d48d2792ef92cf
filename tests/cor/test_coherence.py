"""A chain does not contradict itself: its city lies in its admin1, by the same boundary set."""

import csv
import threading

import numpy as np
import pyarrow.csv as pacsv
import pytest

from geodata import coords, cor
from geodata.cor.labelling import labeller


def contradicting(lat, lon):
    """Share of the chains with a city whose own label has another admin1."""
    engine = labeller(None, "un", "own", 10.0)
    found = engine.table(coords.arrays(lat, lon))
    owners = engine.boundaries.locate(np.asarray(lat), np.asarray(lon))
    city, _ = engine._cities.many(coords.arrays(lat, lon), owners.country, owners.unit)
    some = np.flatnonzero(city >= 0)
    places = engine.places
    there = engine.table(coords.arrays(places.lat[city[some]], places.lon[city[some]]))
    here = found.take(some)
    pairs = [(t["country_code"].to_pylist(), t["admin1"].to_pylist()) for t in (here, there)]
    free = set(places.territories.tolist())
    bad = [
        a is not None and b is not None and (c, a) != (d, b) and int(p) not in free
        for c, a, d, b, p in zip(*pairs[0], *pairs[1], city[some], strict=True)
    ]
    return np.mean(bad)


def test_real_photos_hardly_ever_contradict_themselves(shared):
    table = pacsv.read_csv(shared / "points" / "geoclip_gallery_100k.csv").slice(0, 40_000)
    assert contradicting(table["LAT"].to_numpy(), table["LON"].to_numpy()) <= 0.001


@pytest.mark.parametrize(
    ("lat", "lon", "admin1", "city"),
    [
        (40.7163, -74.0328, "New Jersey", "Jersey City"),  # Exchange Place, across from Manhattan
        (38.6245, -90.1507, "Illinois", "East Saint Louis"),
        (24.957, 121.225, "Taoyuan", "Taoyuan"),
        (33.4418, -94.0377, "Arkansas", "Texarkana"),
        (33.4251, -94.0477, "Texas", "Texarkana"),
        (39.0997, -94.5786, "Missouri", "Kansas City"),
        (39.1141, -94.6275, "Kansas", "Kansas City"),
        (35.6329, 139.8804, "Chiba", "Urayasu"),
        (48.8918, 2.2389, "Île-de-France", "Paris"),
        (22.3817, 114.188, "Sha Tin", "Hong Kong"),  # a city that is its whole territory
        (1.3329, 103.7436, "South West", "Singapore"),
        (42.0003, 21.3953, "Karpoš", "Skopje"),  # a division without a place, inside a city
    ],
)
def test_cities_at_the_border_of_a_division(lat, lon, admin1, city):
    chain = cor.label(lat, lon)
    assert (chain.admin1, chain.city) == (admin1, city)


def test_twins_keep_their_names():
    """The two Texarkanas and Kansas Cities are four places."""
    pairs = [((33.4418, -94.0377), (33.4251, -94.0477)), ((39.0997, -94.5786), (39.1141, -94.6275))]
    for one, other in pairs:
        ids = [cor.label(*point, detail=True).ids["city"] for point in (one, other)]
        assert ids[0] != ids[1]


def test_one_is_many_also_where_divisions_decide(shared):
    path = shared / "points" / "geoclip_gallery_100k.csv"
    with path.open(encoding="utf-8") as file:
        rows = [(float(r["LAT"]), float(r["LON"])) for r in csv.DictReader(file)][::33]
    lat, lon = map(list, zip(*rows, strict=True))
    found = cor.label_table(lat, lon)
    single = [cor.label(*row) for row in rows]
    for name in ("country_code", "admin1", "admin2", "city", "city_distance_km", "offset_km"):
        assert found[name].to_pylist() == [getattr(chain, name) for chain in single], name


def test_a_new_engine_used_by_many_threads_gives_one_answer():
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(-60, 70, 4000), rng.uniform(-180, 180, 4000)
    want = cor.label_table(lat, lon)
    engine = labeller(None, "un", "own", 10.5)  # not opened by another test
    found = [None] * 4

    def work(k):
        found[k] = engine.table(coords.arrays(lat, lon))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(table.equals(found[0]) for table in found)
    far = [name for name in want.column_names if name not in ("lat", "lon")]
    inside = np.flatnonzero(np.asarray(want["match"].to_pylist()) == "inside")
    assert found[0].select(far).take(inside).equals(want.select(far).take(inside))
