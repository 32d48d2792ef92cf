"""Every country and unit of the small world is found, first row and last, alone and in rows."""

import pytest
import shapely

from geodata import boundaries, coords, cor
from geodata.cor.labelling import Labeller
from geodata.cor.naming import View
from geodata.places import ANY, Places
from tests.boundary_build import small

DEGREE_KM = 111.19492664455873  # on a sphere of 6371 km


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small.build(tmp_path_factory.mktemp("world"))


def engine(folder, worldview="un", dependencies="own", km=10.0):
    view = View(worldview, dependencies)
    return Labeller(boundaries.load(folder), Places.load(folder / "places.bin"), view, km)


def within(shapes):
    """A point of each shape that lies in no smaller one, lat and lon."""
    alone = [
        shapely.difference(shape, shapely.union_all(shapes[shapely.area(shapes) < shape.area]))
        for shape in shapes
    ]
    points = shapely.point_on_surface(alone)
    return shapely.get_y(points), shapely.get_x(points)


@pytest.mark.parametrize("worldview", ["un", "bm", "aq"])
@pytest.mark.parametrize("dependencies", ["own", "sovereign"])
def test_a_point_of_each_country_is_inside_it(folder, worldview, dependencies):
    made = engine(folder, worldview, dependencies)
    lat, lon = within(made.boundaries.shapes[0])
    found = made.table(coords.arrays(lat, lon), detail=cor.DETAIL).to_pylist()
    known = made.boundaries.countries.to_pylist()
    assert len(found) == len(known) == 11
    for row, of, y, x in zip(found, known, lat.tolist(), lon.tolist(), strict=True):
        assert (row["country_id"], row["match"], row["offset_km"]) == (of["id"], "inside", 0.0)
        assert (row["disputed"], row["claims"]) == (of["disputed"], of["claims"])
        views = {claim["worldview"]: claim["code"] for claim in of["claims"]}
        shown = views.get(worldview, of["code"])
        sovereign = {"NU": "GI", "NU/Q5": "BM"}.get(of["id"])
        asked = sovereign if dependencies == "sovereign" and sovereign else shown
        assert row["country_code"] == asked, of["id"]
        chain = made.one(y, x, detail=True)
        for name in ("country", "country_code", "admin1", "admin1_code", "admin2", "city",
                     "city_distance_km", "match", "offset_km", "disputed"):  # fmt: skip
            assert getattr(chain, name) == row[name], (of["id"], name)
        assert chain.ids.get("country") == of["id"]


def test_a_point_of_each_unit_has_its_names(folder):
    made = engine(folder)
    units = made.boundaries.units.to_pylist()
    lat, lon = within(made.boundaries.shapes[1])
    rows = made.table(coords.arrays(lat, lon), detail=["admin1_id", "admin2_id"]).to_pylist()
    for row, unit in zip(rows, units, strict=True):
        names = ("admin1_code", "admin2")
        if unit["admin1_name"] == "Leased":  # the set draws it in no country's outline but BM's
            assert row["admin1"] in ("Leased", None)
            continue
        assert row["admin1"] == unit["admin1_name"]
        assert [row[name] for name in names] == [unit["admin1_code"], unit["admin2_name"]]
        assert row["admin1_id"] == (
            unit["id"] if unit["admin2_name"] is None else unit["admin1_code"]
        )
        assert row["admin2_id"] == (None if unit["admin2_name"] is None else unit["id"])


def test_nearest_is_the_first_country_too_and_its_last_kilometre_counts(folder):
    """Eight kilometres north of Antarctica, which is the first row of all."""
    lat = -80 + 8 / DEGREE_KM
    for km, match in ((8.001, "nearest"), (7.999, "none")):
        made = engine(folder, km=km)
        (row,) = made.table(coords.arrays([lat], [0.5])).to_pylist()
        chain = made.one(lat, 0.5)
        assert (row["match"], chain.match) == (match, match)
        assert row["country_code"] == chain.country_code == ("AQ" if match == "nearest" else None)
        if match == "nearest":
            assert row["offset_km"] == chain.offset_km == pytest.approx(8.0, abs=1e-6)
        else:
            assert row["offset_km"] is chain.offset_km is None


def test_a_place_off_the_coast_belongs_to_what_lies_within_ten_kilometres(tmp_path):
    """Far lies 13 km south of Alfa and is free; Reef lies 3 km south of it and is Alfa's.

    In Bravo, beside the border, Alfa's Strand and Reef are near and no cities; Far fits.
    """
    far = small.place(70, "Far", -0.1215, 2.04, "BM", "01", 20_000)
    gazette = small.world.write_sources(
        tmp_path / "source", small.FEATURES, small.UNITS, [*small.PLACES, far]
    )
    with small.world.tables_of(tmp_path / "tables", small.TABLES):
        folder = small.make.build_bundled(tmp_path / "source", tmp_path / "set", gazette=gazette)
    made = engine(folder)
    cities, places = made._cities, made.places
    names = places.names.to_pylist()
    place, reef, strand, claimed = map(names.index, ("Far", "Reef", "Strand", "Claimed"))
    assert cities.divisions.division[place] == cities.division_of(place) == ANY
    alfa = made.boundaries.units["admin1_name"].to_pylist().index("Alfa")
    for near in (reef, strand):
        assert cities.divisions.division[near] == cities.division_of(near) == alfa
    assert cities.division_of(names.index("Astray")) == ANY  # the set puts it into another country
    assert cities.division_of(claimed) == cities.divisions.division[claimed] >= 0
    (row,) = made.table(coords.arrays([0.09], [2.06])).to_pylist()
    chain = made.one(0.09, 2.06)
    assert (row["admin1"], row["city"]) == (chain.admin1, chain.city) == ("Brävo", "Far")
    assert row["city_distance_km"] == chain.city_distance_km
    assert row["city_distance_km"] == pytest.approx(0.2125 * DEGREE_KM, rel=1e-3)
