"""country-coder's features, the recipes of disputed pieces and the rules of a set."""

import json

import numpy as np
import pyarrow as pa
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from geodata import files
from geodata.boundaries.building.regions import RegionTables, country_rows, unit_rows
from geodata.boundary_build import bundled, countries
from geodata.boundary_build.countries import Feature

from . import world
from .world import feature, same, shapes


def read(tmp_path, *features):
    return countries.read_features(world.write_features(tmp_path / "borders.json", features))


# Features


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        (("BM", ["GI"], "NU"), "BM"),  # its own
        ((None, ["150", "GI"], "NU"), "GI"),  # the first group that is a country
        (("UN", ["EU", "GI", "FR"], "NU"), "GI"),  # its own is no country
        ((None, ["EU"], "NU"), "NU"),
        ((None, [], None), None),
        (("QQ", ["155"], "QR"), None),
    ],
)
def test_a_feature_belongs_to_the_nearest_country_above_it(tmp_path, properties, code):
    iso, groups, country = properties
    (found,) = read(tmp_path, feature("Q1", box(0, 0, 1, 1), iso, groups, country))
    assert (found.wikidata, found.code) == ("Q1", code)


@pytest.mark.parametrize(
    ("code", "groups", "continent"),
    [
        ("BM", ["002"], "Africa"),
        ("BM", ["142"], "Asia"),
        ("BM", ["150"], "Europe"),
        ("BM", ["009"], "Oceania"),
        ("BM", ["019", "005"], "South America"),
        ("BM", ["019", "003"], "North America"),
        ("BM", ["003", "005"], "South America"),
        ("BM", ["001"], None),
        ("AQ", ["009"], "Antarctica"),
    ],
)
def test_continents_are_those_of_the_united_nations(tmp_path, code, groups, continent):
    assert read(tmp_path, feature("Q1", box(0, 0, 1, 1), code, groups))[0].continent == continent


def test_a_feature_without_groups_or_shape(tmp_path):
    raw = feature("Q1", box(0, 0, 1, 1), "BM")
    raw["properties"]["groups"] = None
    found = read(tmp_path, raw, feature("Q2", None, "GI"))
    assert [(f.wikidata, f.code, f.continent) for f in found] == [("Q1", "BM", None)]


@pytest.mark.parametrize(("east", "onto"), [(179.981, 180.0), (179.98, 179.98), (180.0, 180.0)])
def test_what_ends_two_kilometres_short_of_the_antimeridian_reaches_it(tmp_path, east, onto):
    found = read(
        tmp_path,
        feature("Q1", box(170, -5, east, 5), "BM"),
        feature("Q2", box(-east, -5, -170, 5), "BM"),
    )
    assert found[0].geometry.bounds == (170, -5, onto, 5)
    assert found[1].geometry.bounds == (-onto, -5, -170, 5)


def test_shapes_are_repaired(tmp_path):
    bow_tie = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    (found,) = read(tmp_path, feature("Q1", bow_tie, "BM"))
    assert found.geometry.is_valid
    assert found.geometry.area == 2


@pytest.mark.parametrize("content", [[], {"type": "Feature"}, {}])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "borders.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match=r"borders\.json, a GeoJSON FeatureCollection") as caught:
        countries.read_features(path)
    assert str(caught.value).startswith(f"{path}: expected country-coder's")


# Rows


def country_table(tmp_path, features, land=None, **tables):
    names = {"country_names": [["BM", "B"], ["GI", "G"], ["XK", "K"]]}
    with world.tables_of(tmp_path / "tables", names | tables):
        nothing = pa.table(
            {"country": pa.array([], pa.string()), "geometry": pa.array([], pa.binary())}
        )
        seeds = {"BM": world.seeds((50, 50, "1", ""))}
        return countries.country_table(features, land or {}, nothing, seeds)


def part(wikidata, code, shape, continent="Europe"):
    return Feature(wikidata, code, continent, shape)


def test_rows_come_by_code_and_size_and_the_largest_is_the_country(tmp_path):
    table = country_table(
        tmp_path,
        [
            part("Q1", "GI", box(0, 0, 1, 1)),
            part("Q2", "BM", box(5, 0, 6, 1), "Africa"),
            part("Q3", "GI", box(2, 0, 5, 1), "Asia"),
            part("Q4", None, box(9, 0, 10, 1)),
            part("Q5", "BM", box(7, 0, 8, 1), "Africa"),
        ],
        sovereigns=[["GI", "Q3", "BM", "Big"], ["BM", "", "GI", "All"], ["BM", "Q5", "GI", "All"]],
    )
    assert table["id"].to_pylist() == ["BM", "GI", "GI/"]
    assert table["sovereign_admin1_name"].to_pylist() == ["All", "Big", None]
    assert table["continent"].to_pylist() == ["Africa", "Asia", "Asia"]
    found = shapes(table)
    assert same(found["BM"], MultiPolygon([box(5, 0, 6, 1), box(7, 0, 8, 1)]))
    assert same(found["GI"], box(2, 0, 5, 1))


HOST = part("Q1", "BM", box(0, 0, 10, 10))
OTHER = part("Q2", "GI", box(10, 0, 12, 10))


@pytest.mark.parametrize(
    ("recipe", "shape"),
    [
        ("feature:Q3", box(20, 0, 21, 1)),
        ("box:8 8 12 9@BM", box(8, 8, 10, 9)),  # no farther than its host
        ("box:8 8 12 9@GI", box(10, 8, 12, 9)),
        ("polygon:-1 0,2 0,-1 3@BM", Polygon([(0, 0), (2, 0), (0, 2)])),
        ("box:0 0 1 1@BM+box:5 5 6 6@BM", MultiPolygon([box(0, 0, 1, 1), box(5, 5, 6, 6)])),
        ("box:0 0 1 1@BM+feature:Q3", MultiPolygon([box(0, 0, 1, 1), box(20, 0, 21, 1)])),
        ("country:GI", box(10, 0, 12, 10)),
        ("units:BM/One@BM", box(0, 0, 10, 5)),
        ("units:BM/One|BM/Two/b@BM", box(0, 0, 10, 10)),
    ],
)
def test_a_piece_is_what_its_recipe_says(tmp_path, recipe, shape):
    land = {
        ("BM", "One"): box(0, 0, 10, 5), ("BM", "Two/b"): box(0, 5, 10, 10),
        ("GI", "One"): box(0, 3, 10, 6),
    }  # fmt: skip
    moved = part("Q3", "BM", box(20, 0, 21, 1))
    table = country_table(
        tmp_path, [HOST, OTHER, moved], land, pieces=[["p", "BM", recipe, "true"]]
    )
    found = shapes(table)
    assert same(found["BM/p" if "BM" in found else "BM"], shape)
    # a country that is a piece as a whole has no rest, and a feature that is one is cut out
    assert ("GI" in found) == (recipe != "country:GI")
    rest = HOST.geometry if "feature:Q3" in recipe else HOST.geometry.union(moved.geometry)
    assert same(found["BM"], rest)
    assert table["approximate"].to_pylist()[table["id"].to_pylist().index("BM/p")] == (
        "polygon:" in recipe
    )


def test_a_piece_of_units_takes_the_coast_and_sea_nearest_to_them(tmp_path):
    """The country is drawn a degree off the land of two units, which meet at 5.

    The source draws One a hundredth too far: what is Two's stays Two's.
    """
    host = part("Q1", "BM", box(-1, -1, 11, 11))
    land = {
        ("BM", "One"): box(0, 0, 5.01, 10),
        ("BM", "Two"): box(5, 0, 10, 10),
        ("GI", "Near"): box(-0.5, 4, 0, 6),  # another country's has no say
    }
    table = country_table(tmp_path, [host], land, pieces=[["p", "BM", "units:BM/One@BM", "true"]])
    piece = shapes(table)["BM/p"]
    for lon, lat in [(0.1, 5), (-0.79, 5), (2, 10.79), (2, -0.79), (4.9, 9.9), (4.5, 10.4)]:
        assert piece.covers(Point(lon, lat)), (lon, lat)
    for lon, lat in [(-0.81, 5), (2, 10.81), (5.005, 5), (5.01, 5), (5.05, 10.02), (5.01, 10.1)]:
        assert not piece.covers(Point(lon, lat)), (lon, lat)
    # each of these is nearer to One than one of the six reaches and farther from Two
    for lon, lat in [(4.99, 10.018), (4.97, 10.048), (4.94, 10.097), (4.88, 10.195), (4.8, 10.39)]:
        assert piece.covers(Point(lon, lat)), (lon, lat)
    # between two reaches a sliver at sea is left to the country
    for lon, lat in [(4.99, 10.005), (4.9, 10.5)]:
        assert not piece.covers(Point(lon, lat)), (lon, lat)


def test_a_piece_of_units_ends_half_way_to_an_island_of_others(tmp_path):
    """Half a degree off; and around its corners it has the shape of a polygon of sixteen sides."""
    host = part("Q1", "BM", box(-2, -2, 12, 12))
    land = {("BM", "One"): box(0, 0, 5, 10), ("BM", "Isle"): box(-0.7, 2, -0.5, 3)}
    table = country_table(tmp_path, [host], land, pieces=[["p", "BM", "units:BM/One@BM", "true"]])
    piece = shapes(table)["BM/p"]
    assert piece.covers(Point(-0.1, 2.5))
    assert not piece.covers(Point(-0.3, 2.5))
    east, north = np.cos(np.radians(101.25)), np.sin(np.radians(101.25))
    rim = 0.8 * np.cos(np.pi / 16)
    assert piece.covers(Point(east * (rim - 0.002), 10 + north * (rim - 0.002)))
    assert not piece.covers(Point(east * (rim + 0.002), 10 + north * (rim + 0.002)))


def test_a_row_says_whose_it_is_in_which_view(tmp_path):
    table = country_table(
        tmp_path,
        [HOST, part("Q9", "XK", box(30, 0, 31, 1), None)],
        pieces=[["p", "BM", "box:0 0 1 1@BM", "true"], ["q", "BM", "box:0 0 2 2@BM", "false"]],
        claims=[["p", "gi", "GI"], ["p", "cn", "CN"], ["q", "gi", "XK"]],
    )
    found = world.rows(table)
    assert list(found) == ["BM", "BM/q", "BM/p", "XK"]
    assert [row["disputed"] for row in found.values()] == [False, False, True, False]
    claims = [[tuple(claim.values()) for claim in row["claims"]] for row in found.values()]
    assert claims == [[], [("gi", "XK")], [("cn", "CN"), ("gi", "GI")], []]
    assert [row["alpha3"] for row in found.values()] == ["BMU"] * 3 + ["XKX"]


# The rules of a set


def rule_breaking(countries_=(), units_=()):
    """Problems of BM and GI with their divisions, some cells of them others."""
    base = {"level": "country", "geometry": shapely.to_wkb(box(0, 0, 1, 1)), "claims": []}
    listed = [base | {"id": c, "code": c} for c in ("BM", "GI")]
    unit = {"level": "admin1", "geometry": base["geometry"], "country": "BM"}
    units = [
        unit | {"id": "BM-A", "admin1_name": "Alfa", "admin1_code": "BM-A"},
        unit | {"id": "B", "admin1_name": "Bravo"},
        unit | {"id": "C", "admin1_name": "Bravo", "admin2_name": "Kid", "admin2_code": "BM-K"},
    ]
    for row, cells in countries_:
        listed[row] |= cells
    for row, cells in units_:
        units[row] |= cells
    return RegionTables(country_rows(listed), unit_rows(units))


EMPTY = shapely.to_wkb(MultiPolygon())
INVALID = shapely.to_wkb(Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))
STRANGERS = [{"worldview": x, "code": f"Q{x}"} for x in "FEDCBA"]
TAKEN = {"admin1_name": "Alfa", "admin1_code": "BM-A"}


@pytest.mark.parametrize(
    ("countries_", "units_", "expected"),
    [
        ([], [], []),
        ([(1, {"code": "QQ"})], [], ["country code QQ is unknown"]),
        ([(1, {"sovereign_code": "BM"})], [], []),
        ([(1, {"sovereign_code": "FR"})], [], ["claim or sovereign FR is no country of the set"]),
        (
            [(0, {"claims": [{"worldview": "x", "code": "NU"}, {"worldview": "y", "code": "GI"}]})],
            [],
            ["claim or sovereign NU is no country of the set"],
        ),
        (
            [(0, {"code": "QR", "sovereign_code": "QX"}), (1, {"code": "QM", "claims": STRANGERS})],
            [(i, {"country": "QR", "admin1_code": None, "admin2_code": None}) for i in range(3)],
            [
                *(f"country code {code} is unknown" for code in ("QM", "QR")),
                *(f"claim or sovereign Q{x} is no country of the set" for x in "ABCDEFX"),
            ],
        ),
        (
            [],
            [(0, {"admin1_code": "BM-Z"})],
            ["BM: admin1_code BM-Z of Alfa is not in ISO 3166-2"],
        ),
        (
            [],
            [(2, {"admin2_code": "GI-K"})],
            ["BM: admin2_code GI-K of Bravo is not in ISO 3166-2"],
        ),
        (
            [],
            [(1, {"country": "FR"})],
            ["unit Bravo lies in FR, which is no country of the set"],
        ),
        (
            [],
            [(1, {"country": "FR"}), (2, {"country": "NU", "admin2_code": None})],
            [
                "unit Bravo lies in FR, which is no country of the set",
                "unit Bravo lies in NU, which is no country of the set",
            ],
        ),
        ([], [(1, TAKEN)], ["('BM', 'Alfa', None) is there 2 times"]),
        (
            [],
            [(1, {"admin1_code": "BM-A"})],
            ["BM-A is there 2 times", "('BM', 'Bravo') is there 2 times"],
        ),
        (
            [],
            [(1, {"admin1_name": "Alfa"})],
            ["('BM', 'Alfa') is there 2 times", "('BM', 'Alfa', None) is there 2 times"],
        ),
        ([], [(1, {"admin2_code": "BM-K", "admin2_name": "Kit"})], ["BM-K is there 2 times"]),
        ([(1, {"geometry": EMPTY})], [], ["countries row 1 has an invalid or empty shape"]),
        ([], [(2, {"geometry": INVALID})], ["units row 2 has an invalid or empty shape"]),
    ],
)
def test_a_broken_rule_is_named(tmp_path, countries_, units_, expected):
    codes = [["BM-A", "A"], ["BM-K", "K", "BM-A"], ["GI-K", "K"]]
    with world.tables_of(tmp_path, {"codes": codes}):
        assert bundled.problems(rule_breaking(countries_, units_)) == expected


def test_a_set_that_breaks_rules_is_not_made(tmp_path):
    gazette = world.write_sources(
        tmp_path,
        [feature("Q1", box(0, 0, 4, 4), "BM", ["150"])],
        [("BM", f"Unit {i}", box(i / 10, 0, (i + 1) / 10, 4)) for i in range(6)],
        [world.place(1, "Town", 1, 1, "BM")],
    )
    wrong = [["BM", f"Unit {i}", "", "", "", f"BM-{i}"] for i in range(6)]
    with (
        world.tables_of(tmp_path / "tables", {"units": wrong}),
        pytest.raises(ValueError) as caught,
    ):
        bundled.write_bundled(tmp_path, tmp_path, gazette=gazette)
    told = "; ".join(f"BM: admin1_code BM-{i} of Unit {i} is not in ISO 3166-2" for i in range(5))
    assert str(caught.value) == f"the bundled set breaks 6 rules: {told}"
    assert not (tmp_path / "countries.parquet").exists()


def test_the_record_is_text_that_people_can_read(tmp_path):
    """It is there before the set is: with what is approximate, by its names as they are written."""
    gazette = world.write_sources(
        tmp_path,
        [feature("Q1", box(0, 0, 4, 4), "BM", ["150"])],
        [("BM", "Alfa", box(0, 0, 4, 4))],
        [world.place(1, "Town", 1, 1, "BM")],
    )
    cut = {"codes": [["BM-A", "Alfa"]], "splits": [["BM", "Alfa", "0 0,1 0,1 1,0 1", "Coupé"]]}
    with world.tables_of(tmp_path / "tables", cut):
        made = bundled.write_bundled(tmp_path, tmp_path, gazette=gazette)
    assert [path.name for path in made] == ["countries.parquet", "units.parquet", "PROVENANCE.json"]
    text = made[2].read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    record = json.loads(text)
    assert (record["name"], record["worldview"]) == ("bundled", "un")
    assert record["approximate"]["units"] == ["BM/Coupé"]
    assert {name: sorted(out) for name, out in record["outputs"].items()} == {
        "countries.parquet": ["rows", "sha256"], "units.parquet": ["rows", "sha256"],
    }  # fmt: skip
    assert [record["outputs"][path.name]["rows"] for path in made[:2]] == [1, 2]
    assert record["outputs"]["units.parquet"]["sha256"] == files.sha256(made[1])
