"""What a text means in an invented world, where every count of people is at the edge of a rule.

Countries Alfaland (AA), Bravoland (BB) and Yankee (YY), Terra (TT) of Alfaland; divisions Xray
and Yankee of Alfaland, Nocode of Bravoland.
"""

import numpy as np
import pytest

from geodata import gazetteer
from geodata.boundary_build import place_names
from geodata.boundary_build.places import write
from geodata.files import load_arrays
from geodata.gazetteer import points, regions
from geodata.gazetteer.cities import Cities
from geodata.gazetteer.regions import NAME, PART, Countries, Divisions, Region
from geodata.places import Places
from tests.boundary_build.world import place, write_gazette

YANKEE, XRAY, NOCODE = range(3)
COUNTRIES = {"AA": "Alfaland", "BB": "Bravoland", "YY": "Yankee", "TT": "Terra", "LB": "Libra"}
SEATS = [  # (id, name, country, division, people), so that each country and division has a point
    (1, "Seat A", "AA", XRAY, 10_000), (2, "Seat B", "BB", NOCODE, 10_000),
    (3, "Seat Y", "YY", -1, 10_000), (4, "Seat T", "TT", -1, 10_000),
    (5, "Seat L", "LB", -1, 10_000), (6, "Seat Z", "AA", YANKEE, 10_000),
]  # fmt: skip


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Make a world of places beside the seats: (id, name, country, division, people, *also)."""
    listed = [
        Region("AA-Y", "Yankee", "admin1", "AA"),
        Region("AA-X", "Xray", "admin1", "AA"),
        Region(None, "Nocode", "admin1", "BB"),
    ]
    countries = {code: Region(code, name, "country", code) for code, name in COUNTRIES.items()}
    known = Countries(countries, {r.name.lower(): r for r in countries.values()})
    codes = {region.code: i for i, region in enumerate(listed) if region.code}
    keys = {region.name.lower(): [(NAME, i)] for i, region in enumerate(listed)}
    keys["part"] = [(PART, XRAY)]
    keys["both"] = [(NAME, XRAY), (NAME, YANKEE)]

    def make(*rows):
        rows = sorted([*SEATS, *rows], key=lambda row: (row[2], row[0]))
        made = [
            place(number, name, 10, 10 * at, country, f"{division}", people, also)
            for at, (number, name, country, division, people, *also) in enumerate(rows)
        ]
        write(tmp_path, write_gazette(tmp_path / "p.json", made))
        arrays = load_arrays(place_names.write(tmp_path)).arrays
        cities = Cities(
            Places.load(tmp_path / "places.bin"), arrays["key"].data, arrays["place"].data
        )
        assert cities.places.geonameid.tolist() == [row[0] for row in rows]
        monkeypatch.setitem(vars(cities), "_division", np.array([r[3] for r in rows], np.int32))
        monkeypatch.setattr(points, "cities", lambda: cities)
        points._largest.cache_clear()
        points._point.cache_clear()

    monkeypatch.setattr(regions, "_people", dict)
    monkeypatch.setattr(points, "divisions", lambda: Divisions(listed, [], codes, keys))
    monkeypatch.setattr(points, "country_named", known.find)
    monkeypatch.setattr(points, "_territories", lambda: {"AA": ["TT", "YY"]})
    yield make
    points._largest.cache_clear()
    points._point.cache_clear()


def told(found):
    """Level, name, country, division and whether in doubt."""
    if found is None:
        return None
    return found.level, found.name, found.country_code, found.admin1_code, found.ambiguous


def said(text):
    return told(gazetteer.geocode(text))


@pytest.mark.parametrize(
    ("people", "where", "meant"),
    [
        (1000, YANKEE, "city"), (999, YANKEE, "admin1"), (1000, XRAY, "city"),
        (999, XRAY, "admin1"), (50_000, YANKEE, "city"),
    ],
)  # fmt: skip
def test_a_city_by_name_is_a_region_where_no_place_is_a_tenth_of_its_largest(
    world, people, where, meant
):
    world((10, "Xray", "AA", where, people))
    found = gazetteer.geocode(country="Alfaland", city="Xray")
    code = {XRAY: "AA-X", YANKEE: "AA-Y"}[where] if meant == "city" else "AA-X"
    assert told(found) == (meant, "Xray", "AA", code, False)
    assert found.population == (people if meant == "city" else None)
    assert found.code == ("AA" if meant == "city" else "AA-X")


@pytest.mark.parametrize(
    ("people", "where", "meant", "doubt"),
    [
        (1000, XRAY, "city", False), (999, XRAY, "admin1", False),
        (1000, YANKEE, "admin1", True), (999, YANKEE, "admin1", False),
        (10_000, YANKEE, "admin1", True), (10_001, YANKEE, "city", True),
        (30_000, XRAY, "city", False),
    ],
)  # fmt: skip
def test_one_name_is_the_city_in_its_region_or_the_larger_of_both(
    world, people, where, meant, doubt
):
    world((10, "Xray", "AA", where, people))
    code = {XRAY: "AA-X", YANKEE: "AA-Y"}[where] if meant == "city" else "AA-X"
    assert said("Xray") == said(" xray. ") == (meant, "Xray", "AA", code, doubt)
    assert said("Xray, Alfaland") == (meant, "Xray", "AA", code, doubt)
    assert said("Xray, Bravoland") is None


def test_a_part_of_a_region_stands_for_it_where_a_region_is_asked_for(world):
    world((10, "Twin", "AA", XRAY, 900), (11, "Twin", "AA", YANKEE, 901))
    assert said("Part") is said("Part, Alfaland") is None
    assert gazetteer.geocode(country="AA", city="Part") is None
    xray = ("admin1", "Xray", "AA", "AA-X", False)
    assert told(gazetteer.geocode(country="AA", admin1="Part")) == xray
    assert told(gazetteer.geocode(admin1="Part")) == xray
    assert (
        said("Twin, Part, Alfaland") == said("Twin, Part") == ("city", "Twin", "AA", "AA-X", False)
    )
    assert points.code_names("AA", "Part", "Twin") == ("AA", "AA-X", "Twin")


def test_a_name_of_two_regions_is_in_doubt_however_it_is_asked_for(world):
    world()
    first = ("admin1", "Yankee", "AA", "AA-Y", True)
    assert said("Both") == said("Both, Alfaland") == first
    assert told(gazetteer.geocode(admin1="Both")) == first
    assert told(gazetteer.geocode(country="AA", admin1="Both")) == first
    assert told(gazetteer.geocode(country="AA", city="Both")) == first
    found = gazetteer.places(country=["AA", "AA"], admin1=["Both", "Xray"])
    assert found["ambiguous"].to_pylist() == [True, False]


def test_a_region_without_a_city_of_its_name_and_a_city_without_a_region(world):
    world((10, "Only", "BB", NOCODE, 500))
    assert said("Nocode") == ("admin1", "Nocode", "BB", None, False)
    assert said("Only") == said("Only, Bravoland") == ("city", "Only", "BB", None, False)
    assert said("Only, Nocode") == ("city", "Only", "BB", None, False)
    assert said("Only, Xray") is None
    assert said("Yankee") == ("country", "Yankee", "YY", None, False)
    assert told(gazetteer.geocode(admin1="Xray")) == ("admin1", "Xray", "AA", "AA-X", False)
    assert told(gazetteer.geocode(city="Only")) == ("city", "Only", "BB", None, False)
    assert told(gazetteer.geocode(country="BB", admin1="Xray", city="Only"))[1] == "Only"
    assert gazetteer.geocode(country="AA", admin1="Xray", city="Only") is None
    assert gazetteer.geocode(country="AA", city="Only") is None
    assert gazetteer.geocode(country="AA", admin1="Nocode") is None
    assert gazetteer.geocode(admin1="Nowhere") is None


@pytest.mark.parametrize(
    ("here", "there", "country", "doubt"),
    [
        (10_000, 1000, "YY", True), (10_000, 999, "YY", False), (1000, 10_000, "AA", True),
        (999, 10_000, "AA", False), (500, 500, "YY", True),
    ],
)  # fmt: skip
def test_the_last_name_is_a_country_and_a_region_and_the_larger_place_is_meant(
    world, here, there, country, doubt
):
    world((10, "Twin", "YY", -1, here), (11, "Twin", "AA", YANKEE, there))
    code = {"YY": None, "AA": "AA-Y"}[country]
    assert said("Twin, Yankee") == ("city", "Twin", country, code, doubt)


def test_one_place_in_two_readings_is_no_doubt(world):
    """Port lies in Terra; it is found in the territory, and of Alfaland in nothing else."""
    world((10, "Port", "TT", -1, 400), (11, "Solo", "AA", YANKEE, 400))
    assert said("Port, Alfaland") == ("city", "Port", "TT", None, False)
    assert said("Port, Terra") == ("city", "Port", "TT", None, False)
    assert said("Terra, Alfaland") == ("country", "Terra", "TT", None, False)
    assert said("Bravoland, Alfaland") is None
    assert said("Solo, Yankee") == ("city", "Solo", "AA", "AA-Y", False)
    assert told(gazetteer.geocode(country="AA", city="Terra"))[1] == "Terra"
    assert gazetteer.geocode(country="BB", city="Port") is None
    assert gazetteer.geocode(country="BB", city="Terra") is None


def test_of_two_territories_the_larger_place_is_meant(world):
    world((10, "Port", "TT", -1, 400), (11, "Port", "YY", -1, 500))
    assert told(gazetteer.geocode(country="AA", city="Port"))[2] == "YY"
    world((10, "Port", "TT", -1, 600), (11, "Port", "YY", -1, 500))
    assert told(gazetteer.geocode(country="AA", city="Port"))[2] == "TT"


def test_names_in_the_middle_say_which_and_the_last_of_them_first(world):
    world((10, "Twin", "AA", XRAY, 900), (11, "Twin", "AA", YANKEE, 800))
    assert said("Twin, Alfaland") == ("city", "Twin", "AA", "AA-X", True)
    assert said("Twin, Yankee, Alfaland") == ("city", "Twin", "AA", "AA-Y", False)
    assert said("Twin, Xray, Yankee, Alfaland") == ("city", "Twin", "AA", "AA-Y", False)
    assert said("Twin, Yankee, Xray, Alfaland") == ("city", "Twin", "AA", "AA-X", False)
    assert said("Twin, Nowhere, Yankee, Somewhere, AA") == ("city", "Twin", "AA", "AA-Y", False)
    assert said("Twin, Nocode, Alfaland") == ("city", "Twin", "AA", "AA-X", True)
    assert said("Seat A, Yankee, Alfaland") is None
    assert said("Twin, X") == ("city", "Twin", "AA", "AA-X", False)  # the end of a code
    assert said("Twin, Y.") == ("city", "Twin", "AA", "AA-Y", False)
    assert said("Twin, Q") is None


@pytest.mark.parametrize(
    "text", ["Twin, Yankee", " , Twin , Yankee", "Twin,,Yankee,", "Twin; Yankee", "Twin (Yankee)",
             "Twin、Yankee", "Twin，Yankee", "Twin\nYankee", ";Twin, ,Yankee ,"]
)  # fmt: skip
def test_what_stands_between_names(world, text):
    world((11, "Twin", "AA", YANKEE, 800))
    assert said(text) == ("city", "Twin", "AA", "AA-Y", False)
    assert said(" , Twin") == said("Twin, ") == ("city", "Twin", "AA", "AA-Y", False)
    assert said(" ; ") is None


@pytest.mark.parametrize("text", ["None, Alfaland", "Twin, unknown", "Twin, N/A, Alfaland"])
def test_one_word_for_no_answer_makes_it_none(world, text):
    world((10, "None", "AA", XRAY, 900), (11, "Twin", "AA", XRAY, 900))
    assert said(text) is None


@pytest.mark.parametrize(
    ("text", "country", "people", "level"),
    [
        ("LB", "AA", 3_000_000, "city"), ("LB", "AA", 2_999_999, "country"),
        (" LB ", "AA", 3_000_000, "city"), ("lb", "AA", 3_000_000, "country"),
        ("LB", "LB", 3_000_000, "country"), ("Libra", "AA", 3_000_000, "country"),
    ],
)  # fmt: skip
def test_a_code_of_a_country_is_a_metropolis_abroad_with_these_initials(
    world, text, country, people, level
):
    world((10, "Los Bravos", country, XRAY if country == "AA" else -1, people, "LB"))
    found = gazetteer.geocode(text)
    if level == "city":
        assert told(found) == ("city", "Los Bravos", "AA", "AA-X", True)
    else:
        assert told(found) == ("country", "Libra", "LB", None, False)


def test_a_metropolis_of_other_initials_is_no_code(world):
    world((10, "Grand", "AA", XRAY, 5_000_000, "LB"))
    assert said("LB") == ("country", "Libra", "LB", None, False)
    assert said("LB, Alfaland")[1] == said("L.B.")[1] == "Grand"  # no country is written so


def test_codes_of_a_place_beside_the_border_of_its_region(world):
    world((10, "Twin", "AA", YANKEE, 800))
    assert points.code_names("AA", "Xray", "Twin") == ("AA", "AA-X", "Twin")
    assert points.code_names("AA", "Yankee", "Twin") == ("AA", "AA-Y", "Twin")
    assert points.code_names("AA", None, "Twin") == ("AA", None, "Twin")
    assert points.code_names("AA", "Nocode", "Twin") == ("AA", None, "Twin")
    assert points.code_names("BB", "Nocode", "Twin") == ("BB", None, None)
    assert points.code_names(None, "Xray", "Twin") == (None, None, None)
    assert points.code_names("Atlantis", "Xray", "Twin") == (None, None, None)
    assert points.code_names("AA", "unknown", "None") == ("AA", None, None)
    assert points.code_names("AA", "Xray", "Atlantis") == ("AA", "AA-X", None)


def test_a_place_says_where_it_is_and_how_many_live_there(world):
    world((10, "Twin", "AA", YANKEE, 800))
    city = gazetteer.geocode("Twin")
    assert (city.lat, city.lon, city.code, city.population) == (10.0, 20.0, "AA", 800)
    region, state = gazetteer.geocode("Xray"), gazetteer.geocode("Bravoland")
    assert (region.lat, region.lon, region.code, region.population) == (10.0, 0.0, "AA-X", None)
    assert (state.lat, state.lon, state.code, state.admin1_code) == (10.0, 30.0, "BB", None)


# the bundled world


def test_regions_without_a_place_stand_on_their_largest_part():
    """By the polygons: Bouvet and the like have no place, nor have some divisions."""
    import pyarrow.parquet as pq
    import shapely

    from geodata import boundaries

    cities, known = points.cities(), points.divisions()
    countries = pq.read_table(
        boundaries.BUNDLED / "countries.parquet", columns=["code", "geometry"]
    )
    parts = {}
    for row in countries.to_pylist():
        shape = shapely.from_wkb(row["geometry"])
        parts.setdefault(row["code"], []).extend(shapely.get_parts(shape).tolist())
    empty = [code for code in parts if cities.centre(code) is None]
    assert len(empty) > 2
    for code in empty:
        lat, lon = points._surface_point(code, None)
        largest = max(parts[code], key=lambda part: part.area)
        assert largest.contains(shapely.Point(lon, lat)), code
        found = gazetteer.geocode(country=code)
        assert (found.lat, found.lon) == (lat, lon)
    units = pq.read_table(boundaries.BUNDLED / "units.parquet", columns=["geometry"])["geometry"]
    bare = [
        i for i, region in enumerate(known.regions)
        if cities.centre(region.country_code, i) is None
    ][:5]  # fmt: skip
    for index in bare:
        lat, lon = points._surface_point(known.regions[index].country_code, index)
        shapes = [
            part
            for row, unit in zip(units.to_pylist(), known.rows, strict=True)
            if unit == index
            for part in shapely.get_parts(shapely.from_wkb(row)).tolist()
        ]
        assert max(shapes, key=lambda part: part.area).contains(shapely.Point(lon, lat))
    assert bare
