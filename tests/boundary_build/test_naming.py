"""Natural Earth's units named, coded, corrected, split and joined, one rule at a time."""

import pytest
import shapely
from shapely import Point, box

from geodata.boundary_build import naming, units
from geodata.boundary_build.seeds import LANDMARK, read_seeds
from geodata.boundary_build.units import Unit

from . import world
from .world import place, rows, same, seeds, shapes

ONE, TWO, THREE = box(0, 0, 1, 1), box(1, 0, 2, 1), box(2, 0, 3, 1)
CODES = [
    ["BM-A", "Alfa"],
    ["BM-B", "Brävo [Beta]"],
    ["BM-C", "Chárlie, Province"],
    ["BM-P", "Parent"],
    ["BM-K", "Child", "BM-P"],
]


@pytest.fixture
def facts(tmp_path):
    """Return a function that takes tables of facts and has them used till the test ends."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def use(**tables):
            stack.enter_context(world.tables_of(tmp_path / "tables", {"codes": CODES} | tables))

        yield use


def unit(name, shape=ONE, others=(), fips="", country="BM"):
    return Unit(country, name, tuple(others), fips, shape)


def table(*found, known=None):
    return naming.unit_table(found, known or {})


def coded(*found, known=None):
    """Return (name, code) of the first level, in order."""
    made = table(*found, known=known)
    return list(zip(made["admin1_name"].to_pylist(), made["admin1_code"].to_pylist(), strict=True))


# Codes


@pytest.mark.parametrize(
    ("name", "others", "code"),
    [
        ("Alfa", (), "BM-A"),
        ("ALFÁ", (), "BM-A"),  # case and accents
        ("Province of Alfa", (), "BM-A"),  # words for the kind
        ("Beta", (), "BM-B"),  # the name in brackets
        ("Charlie", (), "BM-C"),
        ("Nobody", (), None),
        ("Nobody", ("Noone", "Alfa"), "BM-A"),  # names of others
        ("Nobody", ("Beta", "Alfa"), "BM-B"),  # the first that is one
        ("Alfa", ("Beta",), "BM-A"),  # its own counts first
        ("Parent", (), "BM-P"),
        ("Child", (), None),  # the top level is drawn
        ("Province", (), None),  # nothing but a word for the kind
    ],
)
def test_a_unit_has_the_code_of_the_one_division_that_is_called_so(facts, name, others, code):
    facts()
    assert coded(unit(name, others=others), unit("Zulu", TWO))[0][1] == code


def test_where_the_second_level_is_drawn_its_codes_come_first(facts):
    facts(levels=[["BM", "unit", "child"]])
    assert coded(unit("Child"), unit("Alfa", TWO)) == [("Alfa", "BM-A"), ("Child", "BM-K")]


def test_two_divisions_of_one_name_give_no_code(facts):
    facts(codes=[["BM-A", "Alfa"], ["BM-X", "Álfa"], ["BM-Y", "Yankee"]])
    assert coded(unit("ALFA"), unit("Yankee", TWO)) == [("ALFA", None), ("Yankee", "BM-Y")]
    assert coded(unit("Alfa"), unit("Yankee", TWO))[0] == ("Alfa", "BM-A")  # letter for letter


def test_a_code_that_two_units_claim_goes_to_the_one_named_more_like_it(facts):
    facts()
    assert coded(unit("Alfa"), unit("Alfa Province", TWO)) == [
        ("Alfa", "BM-A"),
        ("Alfa Province", None),
    ]
    assert coded(unit("Alfa Province", TWO), unit("Alfa")) == [
        ("Alfa", "BM-A"),
        ("Alfa Province", None),
    ]
    first, second = unit("Zulu", ONE, ["Alfa"]), unit("Yankee", TWO, ["Alfa"])
    assert coded(first, second) == [("Yankee", None), ("Zulu", None)]  # as much alike
    assert coded(unit("Alfa"), unit("Alfa", TWO)) == [("Alfa", "BM-A")]  # two parts of one


def test_a_code_of_the_table_is_sure_and_takes_none_away(facts):
    facts(units=[["BM", "Zulu", "", "", "", "BM-A"], ["BM", "Beta", "", "", "", "none"]])
    assert coded(unit("Zulu"), unit("Alfa", TWO), unit("Beta", THREE)) == [
        ("Alfa", "BM-A"),
        ("Beta", None),
        ("Zulu", "BM-A"),
    ]


# Corrections


def test_a_correction_without_a_code_leaves_the_code_of_the_name(facts):
    facts(units=[["BM", "Alfa", "", "", "", "", "Ay"]])
    assert coded(unit("Alfa"), unit("Zulu", TWO)) == [("Ay", "BM-A"), ("Zulu", None)]


def test_a_correction_without_a_name_leaves_the_one_of_iso_at_the_second_level(facts):
    facts(units=[["BM", "Yank", "", "", "", "BM-K", "", "BM-P"]])
    made = rows(table(unit("Yank"), unit("Alfa", TWO)))["BM-K"]
    assert (made["name"], made["admin1_name"]) == ("Child", "Parent")


def test_a_correction_is_found_by_country_name_and_hint(facts):
    fixes = [
        ["BM", "Zulu", "", "", "", "", "By name"],
        ["BM", "Zulu", "F1", "", "", "", "By FIPS"],
        ["BM", "Zulu", "woe", "", "", "", "By Yahoo"],
        ["BM", "Zulu", "gn", "", "", "", "By GeoNames"],
    ]
    facts(units=fixes)
    found = {
        key: coded(unit("Zulu", ONE, others, fips, country), unit("Alfa", TWO, country=country))
        for key, others, fips, country in [
            ("gn", ("woe", "gn"), "F1", "BM"),
            ("woe", ("woe",), "F1", "BM"),
            ("fips", ("other",), "F1", "BM"),
            ("name", ("other",), "F2", "BM"),
            ("none", ("woe", "gn"), "F1", "GI"),
        ]
    }
    assert {key: pair[-1][0] for key, pair in found.items()} == {
        "gn": "By GeoNames", "woe": "By Yahoo", "fips": "By FIPS", "name": "By name",
        "none": "Zulu",
    }  # fmt: skip


def test_units_are_dropped_moved_and_renamed(facts):
    facts(
        units=[
            ["BM", "Gone", "", "drop"],
            ["-1", "Lease", "", "", "BM", "BM-B"],
            ["BM", "Old", "", "rename", "", "BM-A", "New"],
            ["BM", "Kept", "", "", "", "BM-C", "Other"],
        ]
    )
    made = rows(
        table(
            unit("Gone", box(9, 9, 10, 10), country="BM"),
            unit("Lease", ONE, country="-1"),
            unit("Old", TWO, ["Older"]),
            unit("Kept", THREE, ["Keep"]),
            unit("", box(8, 8, 9, 9)),
        )
    )
    assert list(made) == ["BM-B", "BM-A", "BM-C"]
    assert made["BM-A"]["name"] == "New"
    assert made["BM-A"]["aliases"] == ["Alfa"]
    assert made["BM-B"]["name"] == "Lease"
    assert made["BM-C"]["name"] == "Other"
    assert made["BM-C"]["aliases"] == ["Chárlie", "Keep", "Kept"]


def test_a_parent_of_the_table_is_the_first_level(facts):
    facts(
        units=[
            ["BM", "Zulu", "", "", "", "", "", "BM-B"],
            ["BM", "Yank", "", "", "", "", "Y!", "BM-P"],
        ],
        names=[["BM-P", "Papa"]],
    )
    made = rows(table(unit("Zulu"), unit("Yank", TWO, ["Child"])))
    zulu, yank = made.values()
    assert [zulu[key] for key in ("id", "admin1_name", "admin1_code", "admin2_name", "code")] == [
        "BM/Brävo/Zulu", "Brävo", "BM-B", "Zulu", None,
    ]  # fmt: skip
    assert zulu["level"] == yank["level"] == "admin2"
    assert zulu["admin1_aliases"] == ["Beta"]
    assert "local" not in zulu["names"]
    assert (yank["admin1_name"], yank["name"]) == ("Papa", "Y!")
    assert yank["admin1_aliases"] == ["Parent"]


def test_the_first_level_is_the_highest_that_iso_lists(facts):
    facts(
        levels=[["BM", "parent", "child"]],
        codes=[
            ["BM-1", "Eins"],
            ["BM-2", "Zwei", "BM-1"],
            ["BM-3", "Drei [Tres], Province", "BM-2"],
            ["BM-4", "Vier", "BM-404"],
            ["BM-5", "Fünf", "BM-1"],
        ],
        names=[["BM-5", "Five"]],
    )
    made = rows(table(unit("Drei"), unit("Vier", TWO), unit("Funf", THREE)))
    pairs = [(r["admin1_name"], r["admin1_code"], r["admin2_name"]) for r in made.values()]
    assert pairs == [("Eins", "BM-1", "Drei"), ("Eins", "BM-1", "Five"), ("Vier", "BM-4", None)]
    assert made["BM-3"]["aliases"] == ["Tres"]
    assert made["BM-5"]["aliases"] == ["Funf", "Fünf"]
    facts(codes=[["BM-1", "Eins"], ["BM-2", "Zwei", "BM-1"]], levels=[["BM", "unit", "child"]])
    assert rows(table(unit("Zwei"), unit("Zulu", TWO)))["BM-2"]["admin1_name"] == "Zwei"


# Names


@pytest.mark.parametrize(
    ("name", "listed", "shown"),
    [
        ("Bravo", "Brävo", "Brävo"),  # ISO has more accents
        ("Brävó", "Brävo", "Brävó"),  # as many or fewer
        ("Bravo", "Brävo Province", "Brävo"),  # without the kind, as Natural Earth has it
        ("Bravo Province", "Brävo Province", "Brävo Province"),
        ("Bravo", "Other [Brävo]", "Brävo"),
        ("Bravo", "Brävo Alto", "Bravo"),  # another name
        ("Bravo", "BRAVO", "Bravo"),
    ],
)
def test_letters_that_natural_earth_dropped_come_back(facts, name, listed, shown):
    facts(codes=[["BM-B", listed]], units=[["BM", name, "", "", "", "BM-B"]])
    assert coded(unit(name)) == [(shown, "BM-B")]


def test_only_where_names_are_written_in_latin_letters(facts):
    facts(scripts=[["BM", "Greek"]])
    assert coded(unit("Bravo")) == [("Bravo", "BM-B")]


def test_names_of_the_table_come_before_all_others(facts):
    facts(names=[["BM-B", "Best"]], units=[["BM", "Bravo", "", "", "", "BM-B", "Fixed"]])
    made = rows(table(unit("Bravo")))["BM-B"]
    assert made["name"] == "Best"
    assert made["names"] == {"en": "Best", "local": "Brävo"}
    assert made["aliases"] == ["Beta", "Bravo", "Brävo"]


def test_other_names_that_two_units_have_are_nobodys(facts):
    facts(aliases=[["BM-A", "Ay"], ["BM-A", "Yankee"], ["BM-A", "A1"], ["BM-B", "Bee"]])
    made = rows(
        table(
            unit("Alfa", ONE, ["Both", "bóth", "Bravo"]),
            unit("Bravo", TWO, ["BOTH", "Brav"]),
            unit("Both", THREE, country="GI"),
            unit("Other", box(9, 0, 10, 1), country="GI"),
        )
    )
    # one's own name may be another's too, and what the table says is not counted
    assert made["BM-A"]["aliases"] == ["A1", "Ay", "Yankee"]
    assert made["BM-B"]["aliases"] == ["Bee", "Beta", "Brav", "Bravo"]
    assert made["BM-B"]["admin1_aliases"] == ["BOTH", "Bee", "Beta", "Brav", "Bravo"]
    assert made["GI/Both"]["aliases"] == []


def test_the_name_that_the_table_gives_is_no_other_name_of_another(facts):
    facts(names=[["BM-B", "Best"]])
    made = rows(table(unit("Alfa", ONE, ["BEST", "Aleph"]), unit("Bravo", TWO)))
    assert made["BM-A"]["aliases"] == ["Aleph"]
    assert made["BM-A"]["admin1_aliases"] == ["Aleph", "BEST"]


def test_a_name_of_a_correction_stays_at_the_second_level(facts):
    facts(units=[["BM", "Yank", "", "", "", "BM-K", "Y!", "BM-P"]])
    made = rows(table(unit("Yank"), unit("Alfa", TWO)))["BM-K"]
    assert (made["name"], made["admin2_name"], made["admin1_name"]) == ("Y!", "Y!", "Parent")
    assert made["aliases"] == ["Child", "Yank"]


def test_one_unit_without_a_code_is_no_division(facts):
    facts()
    assert coded(unit("Zulu")) == []
    assert coded(unit("Alfa")) == [("Alfa", "BM-A")]
    assert coded(unit("Zulu"), unit("Yankee", TWO)) == [("Yankee", None), ("Zulu", None)]


# Rows


def test_rows_come_by_country_and_names(facts):
    facts(units=[["BM", n, "", "", "", "", "", "BM-P"] for n in ("y", "x")])
    made = table(
        unit("Zulu", country="GI"),
        unit("Alfa", TWO, country="GI"),
        unit("y", THREE),
        unit("x", ONE),
        unit("Zulu", TWO),
    )
    assert made["id"].to_pylist() == [
        "BM/Parent/x", "BM/Parent/y", "BM/Zulu", "GI/Alfa", "GI/Zulu",
    ]  # fmt: skip


def test_parts_of_one_division_become_one_row(facts):
    facts(splits=[["BM", "Bravo", "0.25 0,1 0,1 1,0.25 1", "Cut"]])
    large, rest = unit("Bravo", ONE, ["Bra"]), unit("Bravo", box(9, 0, 9.1, 0.1), ["Vo"])
    made = table(unit("Alfa", TWO), large, rest, unit("Cut", THREE, ["Cutter"]))
    found = rows(made)
    assert found["BM-B"]["aliases"] == ["Beta", "Bra", "Bravo", "Vo"]
    assert found["BM-B"]["admin1_aliases"] == ["Beta", "Bra", "Bravo", "Vo"]
    assert found["BM-B"]["approximate"] is False
    assert same(shapes(made)["BM-B"], shapely.union_all([box(0, 0, 0.25, 1), box(9, 0, 9.1, 0.1)]))
    # of the parts that are called Cut the larger one was not drawn by hand
    cut = found["BM/Cut"]
    assert cut["approximate"] is False
    assert cut["aliases"] == ["Cutter"]
    assert same(shapes(made)["BM/Cut"], box(0.25, 0, 1, 1).union(THREE))


def test_what_was_split_off_by_hand_is_approximate(facts):
    facts(
        splits=[
            ["BM", "Alfa", "0.5 0,2 0,2 2,0.5 2", "Right"],
            ["BM", "Alfa", "0 0.5,2 0.5,2 2,0 2", "Top"],
            ["GI", "Alfa", "0 0,9 0,9 9", "Never"],
        ]
    )
    made = table(unit("Alfa", ONE, ["A"]), unit("Bravo", TWO))
    found, drawn = rows(made), shapes(made)
    assert {key: row["approximate"] for key, row in found.items()} == {
        "BM-A": False, "BM-B": False, "BM/Right": True, "BM/Top": True,
    }  # fmt: skip
    assert found["BM/Right"]["aliases"] == []
    assert same(drawn["BM/Right"], box(0.5, 0, 1, 1))
    assert same(drawn["BM/Top"], box(0, 0.5, 0.5, 1))
    assert same(drawn["BM-A"], box(0, 0, 0.5, 0.5))


# Units of today


def test_units_that_nobody_draws_are_made_of_their_places(facts):
    facts(names=[["BM-A", "First"]])
    known = {"BM": seeds((0.25, 0.5, "", "BM-A"), (0.75, 0.5, "", "BM-B"))}
    made = table(unit("Gone"), known=known)
    found = rows(made)
    assert list(found) == ["BM-B", "BM-A"]
    assert found["BM-A"] == {
        "id": "BM-A", "level": "admin1", "parent": "BM", "country": "BM", "code": "BM-A",
        "name": "First", "names": {"en": "First", "local": "Alfa"}, "aliases": ["Alfa"],
        "admin1_name": "First", "admin1_code": "BM-A", "admin1_aliases": ["Alfa"],
        "admin2_name": None, "admin2_code": None, "disputed": False, "claims": [],
        "approximate": True, "source": "Natural Earth and GeoNames",
        "release": "Natural Earth 4.1.0", "licence": "public domain and CC BY 4.0",
    }  # fmt: skip
    assert (found["BM-B"]["name"], found["BM-B"]["aliases"]) == ("Brävo", ["Beta"])
    assert same(shapes(made)["BM-A"], box(0, 0, 0.5, 1))


def test_a_part_of_an_extinct_unit_joins_the_unit_that_is_drawn(facts):
    """Its aliases are there once; the larger part says whether it is approximate."""
    facts()
    at = [(x, 0.5, "", code) for x, code in [(0.1, "BM-B"), (0.7, "BM-A"), (1.5, "BM-B")]]
    made = table(unit("Gone"), unit("Bravo", TWO, ["Bra"]), known={"BM": seeds(*at)})
    found = rows(made)
    assert list(found) == ["BM-A", "BM-B"]
    assert found["BM-B"]["aliases"] == ["Beta", "Bra", "Bravo"]
    assert [found[c]["approximate"] for c in ("BM-A", "BM-B")] == [True, False]
    assert found["BM-B"]["source"] == "Natural Earth and GeoNames"
    assert same(shapes(made)["BM-B"], box(0, 0, 0.4, 1).union(TWO))


def test_a_part_joins_the_unit_that_is_drawn_under_the_name_that_it_has_there(facts):
    facts(units=[["BM", "Bravo", "", "", "", "BM-B", "Fixed"]])
    at = [(x, 0.5, "", code) for x, code in [(0.1, "BM-B"), (0.7, "BM-A"), (1.5, "BM-B")]]
    made = table(unit("Gone"), unit("Bravo", TWO), known={"BM": seeds(*at)})
    assert made.select(["id", "name"]).to_pydict() == {
        "id": ["BM-A", "BM-B"], "name": ["Alfa", "Fixed"]
    }  # fmt: skip


def test_a_unit_of_today_keeps_what_is_nearest_to_its_own_places(facts):
    facts()
    at = [(0.25, 0.5, "1", ""), (0.75, 0.5, "2", "BM-B")]
    made = table(unit("Alfa"), unit("Charlie", TWO), known={"BM": seeds(*at)})
    assert same(shapes(made)["BM-A"], box(0, 0, 0.5, 1))
    assert same(shapes(made)["BM-B"], box(0.5, 0, 1, 1))
    assert rows(made)["BM-A"]["approximate"] is False


def test_a_unit_of_the_second_level_is_divided_by_its_own_code(facts):
    """Two of one parent: each keeps its places, and one of today is cut out of the first."""
    codes = [["BM-P", "Papa"], *([f"BM-{name}", name, "BM-P"] for name in ("KK", "JJ", "NN"))]
    facts(levels=[["BM", "parent", "child"]], codes=codes)
    at = [(0.25, 0.5, "1", "BM-KK"), (0.75, 0.5, "2", "BM-NN"), (1.5, 0.5, "3", "BM-JJ")]
    made = table(unit("KK"), unit("JJ", TWO), known={"BM": seeds(*at)})
    found = shapes(made)
    assert {key: round(shape.area, 3) for key, shape in found.items()} == {
        "BM-KK": 0.5, "BM-NN": 0.5, "BM-JJ": 1.0,
    }  # fmt: skip
    assert same(found["BM-NN"], box(0.5, 0, 1, 1))
    assert {row["approximate"] for row in rows(made).values() if row["id"] != "BM-NN"} == {False}


def test_a_country_of_which_nothing_is_drawn_gets_islets(facts):
    facts()
    alone = {"BM": seeds((5, 5, "", "BM-A"), (6, 5, "", "BM-B"))}
    assert table(known=alone)["id"].to_pylist() == ["BM-A", "BM-B"]
    at = [(5, 5, "", "BM-A"), (6, 5, "", "BM-B"), (7, 5, "", "")]  # nobody knows the third
    known = {"BM": seeds(*at), "GI": seeds((0, 0, "1", ""))}
    made = table(known=known)
    assert made["id"].to_pylist() == ["BM-A", "BM-B"]
    assert shapes(made)["BM-A"].covers(Point(5, 5))


def test_parents_that_are_drawn_by_their_children_get_no_islet(facts):
    facts(levels=[["BM", "parent", "child"]], codes=[["BM-P", "Papa"], ["BM-K", "Kid", "BM-P"]])
    known = {"BM": seeds((0.5, 0.5, "1", "BM-K"), (7, 7, "2", "BM-P"))}
    assert table(unit("Kid"), known=known)["id"].to_pylist() == ["BM-K"]


def test_a_border_that_places_moved_says_so(facts):
    facts()
    own = [(0.5, y / 10, "W", "") for y in range(1, 9)]
    own += [(1.5, y / 10, "E", "") for y in range(1, 9)]
    own += [(2.5, y / 10, "Z", "") for y in range(1, 9)]  # in the unit without a code
    still = {"BM": seeds(*own)}
    units_ = unit("Alfa"), unit("Bravo", TWO), unit("Zulu", THREE)
    assert {row["source"] for row in rows(table(*units_, known=still)).values()} == {
        "Natural Earth"
    }
    moved = {"BM": seeds(*own, (1.02, 0.45, LANDMARK + "BM-A", ""))}
    made = rows(table(*units_, known=moved))
    assert {key: row["source"] for key, row in made.items()} == {
        "BM-A": "Natural Earth and GeoNames", "BM-B": "Natural Earth and GeoNames",
        "BM/Zulu": "Natural Earth",
    }  # fmt: skip
    assert {row["approximate"] for row in made.values()} == {False}
    assert shapes(table(*units_, known=moved))["BM-A"].covers(Point(1.02, 0.45))


# Natural Earth's file and GeoNames'


def test_units_are_read_in_order_with_what_they_lack(tmp_path):
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    path = world.write_units(
        tmp_path / "units.parquet",
        [
            ("BM", "Alfa", ONE, "Woe", "Gn", "F1"),
            (None, None, TWO, None, "Only"),
            ("BM", "None", None),
            ("BM", "Twisted", bow_tie, "Only", None, None),
        ],
    )
    read = units.read_units(path)
    assert [(u.country, u.name, u.other_names, u.fips, u.approximate) for u in read] == [
        ("BM", "Alfa", ("Woe", "Gn"), "F1", False),
        ("", "", ("Only",), "", False),
        ("BM", "Twisted", ("Only",), "", False),
    ]
    assert read[2].geometry.is_valid
    assert read[2].geometry.area == 2


def test_land_is_joined_by_country_and_name():
    found = units.land(
        [unit("Alfa"), unit("Alfa", TWO), unit("Bravo", THREE), unit("Alfa", THREE, country="GI")]
    )
    assert list(found) == [("BM", "Alfa"), ("BM", "Bravo"), ("GI", "Alfa")]
    assert found["BM", "Alfa"].equals(box(0, 0, 2, 1))


def test_seeds_are_the_tables_and_geonames_with_what_the_table_says(facts, tmp_path):
    facts(
        groups=[
            ["BM", "BM-A", "07"],
            ["BM", "BM-B", "", "Ville"],
            ["BM", "BM-C", "", "Town", "1.5", "2.5"],
            ["GI", "GI-1", "08"],
        ],
        landmarks=[["BM-B", "Bridge", "3.5", "4.5"]],
    )
    gazette = world.write_gazette(
        tmp_path / "places.json",
        [
            place(3, "Ville", 10.123456, 20, "BM", "07"),
            place(2, "Dorf", 11, 21.5, "BM", "07"),
            place(4, "Hamlet", 12, 22, "BM", "0.8"),
            place(5, "Ville", 13, 23, "GI", "09"),
        ],
    )
    found = read_seeds(gazette)
    assert list(found) == ["BM", "GI"]
    mine = found["BM"]
    listed = zip(mine.lonlat.tolist(), mine.group.tolist(), mine.code.tolist(), strict=True)
    assert list(listed) == [
        ([2.5, 1.5], "", "BM-C"),
        ([4.5, 3.5], "=BM-B", ""),
        ([21.5, 11.0], "07", "BM-A"),
        ([20.0, 10.12346], "07", "BM-B"),
        ([22.0, 12.0], "0.8", ""),
    ]
    assert found["GI"].code.tolist() == [""]
