"""Labels of a small invented world: every cell of them worked out by hand, under every view."""

import numpy as np
import pytest
import shapely

from geodata import boundaries, coords, cor
from geodata.cor.labelling import Labeller
from geodata.cor.naming import View
from geodata.places import Places
from tests.boundary_build import small

DEGREE_KM = 111.19492664455873  # on a sphere of 6371 km


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small.build(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def engine(folder):
    chosen, places = boundaries.load(folder), Places.load(folder / "places.bin")
    made = {}

    def use(worldview="un", dependencies="own", lang=None, km=10.0):
        key = worldview, dependencies, lang, km
        if key not in made:
            made[key] = Labeller(chosen, places, View(worldview, dependencies, lang), km)
        return made[key]

    return use


def cells(engine, lat, lon, **options):
    """Return one row of the table, which is what the chain of the point says."""
    made = engine(**options)
    (row,) = made.table(coords.arrays([lat], [lon]), detail=cor.DETAIL).to_pylist()
    (coded,) = made.table(coords.arrays([lat], [lon]), coded=True).to_pylist()
    assert coded == {name: row[name] for name in coded}
    chain = made.one(lat, lon, detail=True)
    for name in coded:
        assert getattr(chain, name) == row[name], name
    for what in ("id", "method", "border_km"):
        of = {"id": chain.ids, "method": chain.method, "border_km": chain.border_km}[what]
        for level in ("country", "admin1", "admin2", "city"):
            assert row.get(f"{level}_{what}") == of.get(level), (level, what)
    assert [(c["worldview"], c["code"]) for c in row["claims"] or ()] == list(chain.claims)
    return row


NOTHING = dict.fromkeys(
    ("country", "country_code", "admin1", "admin1_code", "admin2", "city", "city_distance_km")
)


@pytest.mark.parametrize(
    ("lat", "lon", "options", "expected"),
    [
        # in a division of its own country, at a place
        (
            1.0, 3.0, {},
            {"country": "Bermuda Made Up", "country_code": "BM", "admin1": "Brävo",
             "admin1_code": "BM-B", "admin2": None, "city": "Bravo 0", "city_distance_km": 0.0,
             "match": "inside", "offset_km": 0.0, "disputed": False, "country_id": "BM",
             "admin1_id": "BM-B", "admin2_id": None, "city_id": "10", "city_method": "place",
             "country_method": "inside", "admin1_method": "inside", "admin2_method": None,
             "claims": []},
        ),
        # the second level, too far from any place
        (
            0.5, 5.0, {},
            {"country_code": "GI", "admin1": "South", "admin1_code": "GI-S", "admin2": "Hotel",
             "city": None, "city_distance_km": None, "admin1_id": "GI-S", "admin2_id": "GI-H",
             "city_id": None, "city_method": None, "admin2_method": "inside"},
        ),
        # a piece that others claim: its own country's division keeps its code, another's has none
        (
            3.2, 6.5, {},
            {"country_code": "GI", "admin1": "Romeo", "admin1_code": "GI-R", "admin2": "Golf",
             "disputed": True, "country_id": "GI/rock",
             "claims": [{"worldview": "aq", "code": "AQ"}, {"worldview": "bm", "code": "BM"}]},
        ),
        (
            3.2, 6.5, {"worldview": "bm"},
            {"country": "Bermuda Made Up", "country_code": "BM", "admin1": "Romeo",
             "admin1_code": None, "admin2": "Golf", "disputed": True, "match": "inside"},
        ),
        (3.2, 6.5, {"worldview": "aq"}, {"country": "Antarctica", "country_code": "AQ"}),
        (1.0, 3.0, {"worldview": "bm"}, {"country_code": "BM", "admin1_code": "BM-B"}),
        # a territory, and an island of it that has another sovereign
        (
            0.5, 10.5, {},
            {"country": "Niue", "country_code": "NU", "admin1": None, "admin1_code": None},
        ),
        (
            0.5, 10.5, {"dependencies": "sovereign"},
            {"country": "Gibraltar", "country_code": "GI", "admin1": "Niue",
             "admin1_code": "GI-9", "admin2": None, "country_id": "NU"},
        ),
        (
            0.5, 12.2, {"dependencies": "sovereign"},
            {"country": "Bermuda Made Up", "country_code": "BM", "admin1": "Far Niue",
             "admin1_code": None, "country_id": "NU/Q5"},
        ),
        (0.5, 12.2, {}, {"country": "Niue", "country_code": "NU", "country_id": "NU/Q5"}),
        # languages: countries have names in them, what is made up has not
        (1.0, 5.0, {"lang": "ja"}, {"country": "ジブラルタル", "admin1": "South"}),
        (0.5, 10.5, {"lang": "ja", "dependencies": "sovereign"},
         {"country": "ジブラルタル", "admin1": "ニウエ"}),
        # on the claimed rock a claimant's place is a city where there is no other, beside it none
        (3.2, 6.5, {}, {"city": "Claimed", "city_id": "35"}),
        (3.2, 6.5, {"worldview": "bm"}, {"city": "Claimed"}),
        (2.9, 6.5, {}, {"country_code": "GI", "country_id": "GI/coast", "city": None}),
        # a place that the set puts into another country than GeoNames fits all of its own
        (1.5, 4.05, {}, {"country_code": "GI", "admin2": "Hotel", "city": "Astray"}),
        # places of Alfa, one of them three kilometres off its coast, are no cities of Bravo
        (0.09, 2.06, {}, {"admin1": "Brävo", "city": None}),
        (0.07, 1.94, {}, {"admin1": "Alfa", "city": "Strand"}),
        # off the coast: eight kilometres from BM's western coast
        (
            1.0, -8 / DEGREE_KM, {},
            {"country_code": "BM", "admin1": "Alfa", "match": "nearest", "city": None,
             "country_method": "nearest", "admin1_method": "nearest", "disputed": False},
        ),
        (1.0, -8 / DEGREE_KM, {"km": 7.99}, NOTHING | {"match": "none", "offset_km": None}),
        (1.0, -8 / DEGREE_KM, {"km": 0.0}, NOTHING | {"match": "none"}),
        # a country without divisions
        (0.5, 15.5, {}, {"country_code": "XK", "admin1": None, "admin1_id": None, "claims": [],
                         "disputed": True, "admin1_method": None, "admin1_border_km": None}),
        (50.0, 50.0, {}, NOTHING | {"match": "none", "disputed": False, "claims": None,
                                    "country_id": None, "city_id": None}),
    ],
)  # fmt: skip
def test_a_label_is_this(engine, lat, lon, options, expected):
    row = cells(engine, lat, lon, **options)
    assert {name: row[name] for name in expected} == expected


def test_how_far_off_and_how_far_from_borders(engine):
    off = cells(engine, 1.0, -8 / DEGREE_KM)
    assert off["offset_km"] == pytest.approx(8 * np.cos(np.radians(1)), rel=1e-4)
    assert off["country_border_km"] == pytest.approx(off["offset_km"])
    inside = cells(engine, 1.0, 3.9)
    assert inside["country_border_km"] == pytest.approx(0.12 * DEGREE_KM, rel=1e-3)
    assert inside["admin1_border_km"] == pytest.approx(0.12 * DEGREE_KM, rel=1e-3)
    assert inside["city_distance_km"] is None
    middle = cells(engine, 1.0, 2.1)  # the border of two divisions is none of countries
    assert middle["admin1_border_km"] == pytest.approx(0.1 * DEGREE_KM, rel=1e-3)
    assert middle["country_border_km"] == pytest.approx(1.0 * DEGREE_KM, rel=1e-3)
    near = cells(engine, 1.0, 3.1)
    assert near["city"] == "Bravo 0"
    assert near["city_distance_km"] == pytest.approx(0.1 * DEGREE_KM, rel=1e-3)


def test_the_rim_of_a_claimed_piece_is_a_border(engine):
    """A border is the edge of a polygon of the level; the rock begins at 3."""
    for view in ("un", "bm"):
        row = cells(engine, 3.2, 6.5, worldview=view)
        assert row["country_border_km"] == pytest.approx(0.2 * DEGREE_KM, rel=1e-3)


def test_rows_of_a_table_that_are_no_points(engine):
    lat, lon = [1.0, np.nan, 91.0, 50.0, 1.0], [3.0, 3.0, 3.0, 50.0, -0.05]
    for coded in (False, True):
        found = engine().table(coords.arrays(lat, lon), detail=cor.DETAIL, coded=coded)
        assert found["match"].to_pylist() == ["inside", "invalid", "invalid", "none", "nearest"]
        assert found["country_code"].to_pylist() == ["BM", None, None, None, "BM"]
        assert found["disputed"].to_pylist() == [False] * 5
        offset = found["offset_km"].to_pylist()
        assert [x is None for x in offset] == [False, True, True, True, False]
        assert found["claims"].to_pylist() == [[], None, None, None, []]


def test_detail_columns_are_those_asked_for_in_order(engine):
    points = coords.arrays([1.0], [3.0])
    wanted = ("city_id", "claims", "country_border_km", "admin1_method")
    found = engine().table(points, detail=wanted)
    plain = engine().table(points)
    assert found.column_names == [*plain.column_names, *wanted]
    assert plain.column_names == [
        "country", "country_code", "admin1", "admin1_code", "admin2", "city", "city_distance_km",
        "match", "offset_km", "disputed",
    ]  # fmt: skip


def test_names_are_numbered_once_and_found_again(engine):
    """Pairs of a country and a unit that is not its own are looked up by themselves."""
    naming = engine()._naming
    country = naming.boundaries.countries["id"].to_pylist()
    unit = naming.boundaries.units["id"].to_pylist()
    gi, rock, golf = country.index("GI"), country.index("GI/rock"), unit.index("GI-G")
    rows = np.array([gi, rock, gi, -1, gi, -1], np.int32)
    units = np.array([golf, golf, -1, golf, golf, -1], np.int32)
    for _ in range(2):
        number = naming.numbers(rows, units)
        assert number[3] == number[5] == -1
        assert number[0] == number[4]
        assert len({*number[:3].tolist()}) == 3
        names = naming.names("admin2").take(np.maximum(number, 0)).to_pylist()
        assert names[:3] == ["Golf", "Golf", None]
    assert naming.region(gi, golf).admin2 == "Golf"
    assert naming.region(gi, -1).admin1 is None


def test_a_place_lies_in_the_division_that_the_set_puts_it_in(engine):
    """Stripe lies east of where country-coder has the border, in BM all the same."""
    row = cells(engine, 2.0, 4.015)
    assert (row["country_code"], row["admin1"], row["city"]) == ("BM", "Brävo", "Stripe")
    # its radius is 1.8 km; a kilometre east of it lies another country, which it is no city of
    other = cells(engine, 2.0, 4.03)
    assert (other["country_code"], other["city"]) == ("GI", None)
    assert shapely.Point(4.015, 2.0).within(small.LAND)
