"""Tables of facts: what each function reads out of a few made-up rows."""

import hashlib

import pytest

from geodata.boundaries import facts
from geodata.boundaries.building import iso
from tests.boundary_build import world

TABLES = {
    "country_names": [["XK", "Kosovo"], ["FR", "Gaul"]],
    "pieces": [["rock", "GI", "box:1", "true"], ["found", "GI", "box:2", "false"]],
    "claims": [["rock", "ru", "RU"], ["rock", "bm", "BM"], ["other", "us", "US"]],
    "sovereigns": [
        ["BQ", "", "NL", "All", "NL-1"],
        ["BQ", "Q5", "NL", "Saba", ""],
        ["SJ", "Q1", "NO", "Svalbard", "NO-21"],
    ],
    "levels": [["GI", "parent", "child"], ["BM", "unit", "top"]],
    "codes": [["GI-1", "One"], ["GI-2", "Two", "GI-1"], ["FR-BRE", "Brittany"], ["BM-1", "Other"]],
    "parents": [["GI-1", "GI-9"], ["BM-9", "BM-1"]],
    "units": [["BM", "Name", "hint", "drop", "GI", "GI-1", "Called", "GI-2"]],
    "names": [["GI-1", "Uno"]],
    "aliases": [["GI-1", "Eins"], ["GI-1", "Un"], ["GI-2", "Zwei"]],
    "scripts": [["BM", "Greek"], ["GR", "Greek"]],
}


@pytest.fixture(autouse=True)
def tables(tmp_path):
    with world.tables_of(tmp_path, TABLES):
        yield tmp_path


def test_pieces_have_their_claims_by_view():
    assert facts.pieces() == (
        facts.Piece("rock", "GI", "box:1", True, (("bm", "BM"), ("ru", "RU"))),
        facts.Piece("found", "GI", "box:2", False, ()),
    )


def test_a_territory_has_a_sovereign_and_an_island_its_own_region():
    every = facts.Sovereign("NL", "All", "NL-1")
    assert facts.sovereign("BQ") == facts.sovereign("BQ", "Q9") == every
    assert facts.sovereign("BQ", "Q5") == facts.Sovereign("NL", "Saba", None)
    assert facts.sovereign("SJ") is None
    assert facts.sovereign("SJ", "Q1").admin1_name == "Svalbard"
    assert facts.sovereign("FR") is None


@pytest.mark.parametrize(
    ("code", "name"), [("FR", "Gaul"), ("XK", "Kosovo"), ("BO", "Bolivia"), ("AD", "Andorra")]
)
def test_names_of_countries_are_the_tables_then_the_common_then_the_short_ones(code, name):
    assert facts.country_name(code) == name
    assert facts.is_country(code)


def test_a_code_that_is_none():
    assert not facts.is_country("QQ")
    with pytest.raises(KeyError, match="country code 'QQ' is neither in ISO 3166-1 nor in the"):
        facts.country_name("QQ")


def test_levels_and_scripts_of_countries():
    assert [facts.parent_is_admin1(code) for code in ("GI", "BM", "FR")] == [True, False, False]
    assert [facts.drawn_level(code) for code in ("GI", "BM", "FR")] == ["child", "top", "top"]
    assert [facts.writes_latin(code) for code in ("BM", "GI", "GR")] == [False, True, False]


def test_corrections_names_and_aliases_by_code():
    fix = facts.Correction("drop", "GI", "GI-1", "Called", "GI-2")
    assert facts.corrections() == {("BM", "Name", "hint"): fix}
    assert facts.unit_names() == {"GI-1": "Uno"}
    assert facts.unit_aliases() == {"GI-1": {"Eins", "Un"}, "GI-2": {"Zwei"}}


def test_digests_are_of_the_files_in_use(tables):
    found = facts.digests()
    assert tuple(found) == facts.TABLES
    for name, digest in found.items():
        assert digest == hashlib.sha256((tables / f"{name}.csv").read_bytes()).hexdigest()


def test_subdivisions_are_isos_with_what_the_tables_add():
    own = iso.subdivisions("GI")
    assert dict(own) == {
        "GI-1": iso.Subdivision("GI-1", "One", "GI-9"),
        "GI-2": iso.Subdivision("GI-2", "Two", "GI-1"),
    }
    france = iso.subdivisions("FR")
    assert france["FR-BRE"] == iso.Subdivision("FR-BRE", "Brittany", None)
    assert france["FR-29"].parent == "FR-BRE"
    assert dict(iso.subdivisions("BM")) == {"BM-1": iso.Subdivision("BM-1", "Other", None)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Alfa", ["Alfa"]),
        ("Alfa / Bravo", ["Alfa", "Bravo"]),
        ("Alfa (Bravo/Charlie) [Delta]", ["Alfa", "Bravo", "Charlie", "Delta"]),
        ("Alfa, Province of (Bravo, Land)", ["Alfa", "Bravo"]),
        ("Cymru GB-CYM / Wales GB-WLS", ["Cymru", "Wales"]),
        ("[Alfa]", ["Alfa"]),
        ("Alfa/", ["Alfa"]),
        ("Alfa /  ", ["Alfa"]),
    ],
)
def test_an_entry_holds_several_names(name, expected):
    assert iso.readings(name) == expected


@pytest.mark.parametrize(
    ("text", "plain", "bare", "shown"),
    [
        ("Província de São Paulo", "provinciadesaopaulo", "saopaulo", "São Paulo"),
        ("Łódzkie [PL-10]", "lodzkiepl10", "lodzkie", "Łódzkie [PL-10]"),
        ("D'Or `x` County", "dorxcounty", "dorx", "D'Or `x`"),
        ("Weißeær", "weisseaer", "weisseaer", "Weißeær"),
        ("Oblast", "oblast", "", ""),
        ("北京", "", "", "北京"),
    ],
)
def test_names_are_reduced_step_by_step(text, plain, bare, shown):
    assert (iso.plain(text), iso.bare(text), iso.without_kinds(text)) == (plain, bare, shown)


def test_how_far_a_name_was_sought():
    """Three ways for each name: letter for letter, plain, without words for the kind."""
    index = iso.NameIndex("FR", {"A": iso.Subdivision("A", "Álfa", None)})
    found = [index.find(names) for names in (["Álfa"], ["alfa"], ["alfa oblast"], ["?", "alfa"])]
    assert found == [("A", 0), ("A", 1), ("A", 2), ("A", 4)]
    assert index.find([]) == index.find(["x"]) == (None, 0)


@pytest.mark.parametrize(
    ("country", "name", "code"),
    [("FR", "Same", "T"), ("GI", "Same", "C"), ("FR", "Low", None), ("GI", "Top", "T2")],
)
def test_the_level_that_is_drawn_is_meant(country, name, code):
    """Where the second level is drawn, the first is meant only where it alone has the name."""
    index = iso.NameIndex(
        country,
        {
            "T": iso.Subdivision("T", "Same", None),
            "C": iso.Subdivision("C", "Same", "T"),
            "L": iso.Subdivision("L", "Low", "T"),
            "T2": iso.Subdivision("T2", "Top", None),
        },
    )
    assert index.find([name])[0] == code


def test_a_name_of_two_divisions_ends_the_search_whatever_other_names_say():
    """The best name decides: a later one that only one of them has would be a guess."""
    index = iso.NameIndex(
        "US",
        {
            "A": iso.Subdivision("A", "Alfa", None),
            "B": iso.Subdivision("B", "Álfa", None),
            "C": iso.Subdivision("C", "Charlie", None),
        },
    )
    assert index.find(["Alfa"]) == ("A", 0)
    assert index.find(["alfa", "Charlie"]) == (None, 0)
    assert index.find(["Zulu", "Charlie"]) == ("C", 3)
    assert index.find(["Zulu", "ALFA", "Charlie"]) == (None, 0)
