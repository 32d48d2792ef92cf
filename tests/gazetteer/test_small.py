"""Names of a few invented places and regions: each rule with the answer worked out by hand."""

import numpy as np
import pytest

from geodata import gazetteer
from geodata.boundary_build import place_names
from geodata.boundary_build.places import write
from geodata.files import FileError, load_arrays
from geodata.gazetteer import cities as module, text
from geodata.gazetteer.cities import Cities
from geodata.gazetteer.regions import ALIAS, BARE, NAME, PART, Countries, Divisions, Region
from geodata.places import Places
from tests.boundary_build.world import place, write_gazette


def cities(folder, *rows):
    write(folder, write_gazette(folder / "p.json", rows))
    arrays = load_arrays(place_names.write(folder)).arrays
    return Cities(Places.load(folder / "places.bin"), arrays["key"].data, arrays["place"].data)


def found(known, name, *where):
    """Return the id of the place that a name means, and whether it is ambiguous."""
    choice = known.find(name, *where)
    return choice and (int(known.places.geonameid[choice.place]), choice.ambiguous)


# Which place of a name is meant


@pytest.mark.parametrize(
    ("people", "answer"),
    [
        ((1000, 99), (1, True)),  # 300 stand for fewer
        ((10_000, 999), (1, False)),
        ((10_000, 1001), (1, True)),  # a tenth is comparable
        ((500, 400), (1, True)),
        ((400, 500), (2, True)),
        ((299, 100), (1, True)),  # both count for 300: the first
    ],
)
def test_the_largest_of_a_name_is_meant(tmp_path, people, answer):
    rows = [place(i + 1, "Same", 10 * i, 10, "AA", f"{i}", p) for i, p in enumerate(people)]
    assert found(cities(tmp_path, *rows), "same", None) == answer


@pytest.mark.parametrize(("people", "meant"), [(40_000, 2), (44_000, 1), (300_000, 1)])
def test_a_name_that_is_not_its_own_counts_for_a_twentieth(tmp_path, people, meant):
    """Of 2,100 people under their own name 42,000 are the twentyfold."""
    rows = [
        place(1, "Large", 0, 0, "AA", "01", people, ["Other"]),
        place(2, "Other", 20, 0, "AA", "02", 2_100),
    ]
    assert found(cities(tmp_path, *rows), "Other", None)[0] == meant


@pytest.mark.parametrize(("apart", "ambiguous"), [(0.224, False), (0.226, True)])
def test_places_of_a_name_within_25_km_are_one(tmp_path, apart, ambiguous):
    rows = [place(1, "Same", 0, 0, "AA", "01", 500), place(2, "Same", 0, apart, "AA", "02", 400)]
    assert found(cities(tmp_path, *rows), "Same", None) == (1, ambiguous)


def test_one_far_place_of_a_name_is_enough_for_doubt(tmp_path):
    rows = [
        place(1, "Same", 0, 0, "AA", "01", 500),
        place(2, "Same", 0, 0.1, "AA", "02", 400),
        place(3, "Same", 0, 5, "AA", "03", 400),
    ]
    assert found(cities(tmp_path, *rows[:2]), "Same", None) == (1, False)
    assert found(cities(tmp_path, *rows), "Same", None) == (1, True)


def test_how_far_apart_two_places_are_is_counted_from_where_they_are(tmp_path):
    """60 degrees north and far east, a tenth of a degree apart each way: 12.4 km."""
    rows = [place(1, "Same", 60, 100, "AA", "01", 500), place(2, "Same", 60.1, 100.1, "AA", "02")]
    assert found(cities(tmp_path, *rows), "Same", None) == (2, False)


def test_a_quarter_is_no_rival_of_its_city(tmp_path):
    """A metropolis with a radius of 40 km, and a quarter of its name at its rim."""
    rows = [
        place(1, "Same", 0, 0, "AA", "01", 10_000_000),
        place(2, "Same", 0, 0.3, "AA", "01", 1_000_000),
        place(3, "Far", 0, 5, "AA", "01", 100),
    ]
    known = cities(tmp_path, *rows)
    assert found(known, "Same", None) == (1, False)
    assert known.canonical(1) == "Same"
    apart = cities(tmp_path, rows[0], rows[1] | {"admin1code": "02"})
    assert found(apart, "Same", None) == (1, True)


def test_a_country_bounds_the_search(tmp_path):
    rows = [place(1, "Same", 0, 0, "AA", "01", 900), place(2, "Same", 20, 0, "BB", "01", 800)]
    known = cities(tmp_path, *rows)
    assert found(known, "Same", None) == (1, True)
    assert found(known, "Same", "BB") == (2, False)
    assert found(known, "Same", "CC") is None
    assert found(known, "Other", "BB") is None
    assert known.point(1) == (20.0, 0.0)
    assert (known.population(0), known.population(1)) == (900, 800)


def test_a_division_bounds_the_search(tmp_path, monkeypatch):
    rows = [place(i, "Same", 0, 10 * i, "AA", "01", 1000 - i) for i in (1, 2, 3)]
    known = cities(tmp_path, *rows)
    monkeypatch.setitem(vars(known), "_division", np.array([7, 8, -1], np.int32))
    assert found(known, "Same", "AA", 8) == (2, False)
    assert found(known, "Same", None, 7) == (1, False)
    assert found(known, "Same", "AA", 9) is None
    assert known.divisions([2, 0]) == [-1, 7]


@pytest.mark.parametrize(
    ("located", "voted"),
    [
        ([4] * 9 + [5], [4] * 10),  # nine of ten
        ([4] * 8 + [5] * 2, [4] * 8 + [5] * 2),
        ([4] * 9 + [-1], [4] * 10),
        ([-1] * 9 + [4], [-1] * 10),
    ],
)
def test_nearly_all_places_of_a_division_decide_for_the_rest(tmp_path, located, voted):
    rows = [place(i, f"P{i}", 0, i, "AA", "01") for i in range(10)]
    rows += [place(20 + i, f"Q{i}", 5, i, "AA", "02") for i in range(2)]
    known = cities(tmp_path, *rows)
    result = known._voted(np.arange(12), np.array([*located, 8, 9], np.int32))
    assert result.tolist() == [*voted, 8, 9]  # one of two are not nearly all


def test_a_region_is_the_place_nearest_to_its_people(tmp_path):
    rows = [
        place(1, "West", 0, 0, "AA", "01", 1_000),
        place(2, "Middle", 0, 6, "AA", "01", 10),
        place(3, "East", 0, 10, "AA", "01", 2_000),
        place(4, "Abroad", 0, 7, "BB", "01", 9_000_000),
        place(5, "Empty", 0, 50, "CC", "01", 0),
        place(6, "Void", 0, 52, "CC", "01", 0),
        place(7, "Bare", 0, 54, "CC", "01", 0),
    ]
    known = cities(tmp_path, *rows)
    assert known.centre("AA") == 1  # the mean of the people is at 6.67
    assert known.centre("CC") == 5  # without people that of the places
    assert known.centre("ZZ") is None
    assert (known.largest("AA"), known.largest("CC"), known.largest("ZZ")) == (2_000, 0, 0)


def test_a_name_that_the_tables_add_means_the_place_of_that_name_alone(tmp_path, monkeypatch):
    """Not what is larger and has the name beside its own, nor a place abroad."""
    rows = [
        place(1, "Town", 0, 0, "AA", "01", 1_000),
        place(2, "Large", 0, 20, "AA", "02", 500_000, ["Town"]),
        place(3, "Town", 0, 40, "BB", "01", 9_000),
    ]
    known = cities(tmp_path, *rows)
    monkeypatch.setattr(module, "city_aliases", lambda: {"isle": ("AA", "town")})
    assert found(known, "Isle", "AA") == found(known, "The Isle", None) == (1, False)
    assert found(known, "Town", "AA") == (2, False)
    assert found(known, "Isle", "BB") is None


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("The", ["the"]), ("And", ["and"]), ("the The", ["the", "the"]),
        ("The, and.", ["the", "and"]),
        ("The Bahamas", ["bahamas"]), ("Salt and the Sea", ["salt", "sea"]), ("-", []), ("", []),
    ],
)  # fmt: skip
def test_a_name_of_silent_words_alone_keeps_them(said, kept):
    """The and And are places; they are left out only beside other words."""
    assert text.words(said) == kept


def test_an_index_of_other_places_than_those_there_are_is_refused(tmp_path, monkeypatch):
    cities(tmp_path, place(1, "Only", 0, 0, "AA", "01", 500))
    monkeypatch.setattr(module.boundaries, "BUNDLED", tmp_path)
    with pytest.raises(FileError) as caught:
        module.cities.__wrapped__()
    told = "made from other places than those beside it; build the bundled set again"
    assert str(caught.value) == f"{tmp_path / module.KEYS_FILE}: {told}"


# Names of places


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Paris", ["paris"]),
        ("Kyoto City", ["kyotocity", "kyoto"]),
        ("City of York", ["cityofyork", "york"]),
        ("near Paris", ["nearparis", "paris"]),
        ("near Kyoto City", ["nearkyotocity", "nearkyoto", "kyotocity", "kyoto"]),
        ("Bogotá D.C.", ["bogotadc", "bogota"]),
        ("Ciudad DF", ["ciudaddf", "ciudad"]),
        ("Mexico D F", ["mexicodf", "mexico"]),
        ("Bay Area", ["bayarea"]),
        ("北京市", ["北京市", "北京"]),
        ("市", ["市", ""]),
    ],
)
def test_the_keys_of_a_place_from_the_strictest_on(name, expected):
    assert list(dict.fromkeys(module._readings(text.words(name)))) == expected


def test_a_name_is_sought_under_one_key_after_the_other(tmp_path):
    rows = [place(1, "York", 0, 0, "AA", "01", 900), place(2, "York City", 9, 9, "AA", "02", 100)]
    known = cities(tmp_path, *rows)
    assert known.named("York City") == [(1, True)]
    assert known.named("City of York") == [(0, True)]
    assert known.named("") == known.named("—") == []


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("near of Paris", "paris"),
        ("of Paris", "of paris"),
        ("suburban outskirts", ""),
        ("Rome suburbs", "rome"),
        ("Rome city centre", "rome city"),
        ("Greater Rome Metro Area", "rome"),
        ("Rome Metro", "rome metro"),
        ("Rome metro region", "rome metro"),
        ("central inner Rome", "rome"),
    ],
)
def test_words_about_surroundings_are_left_out(said, left):
    assert " ".join(text.unqualified(text.words(said))) == left


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("x" * 200, True), ("x" * 201, False), ("\n ", False), ("", False), (b"x", False),
        ("NaN", False), ("nan", False), ("Nan", True), ("NAN.", False), ("(N/A)", False),
        ("not a place", True), ("unknown places", True), ("<none>", False), ("—", True),
    ],
)  # fmt: skip
def test_what_can_be_a_name(value, name):
    assert text.is_name(value) == name


@pytest.mark.parametrize(
    ("answer", "truth", "same"),
    [
        ("abcdefg", "abcdefghij", True),  # seven of ten
        ("abcdef", "abcdefghi", False),  # two thirds
        ("abcdefghij", "ABCDEFG ", True),
        ("bcdefgh", "abcdefghij", True),  # anywhere in it
        ("abcdefx", "abcdefghij", False),
        (" ", " ", False),
        ("x", None, False),
        (None, "x", False),
    ],
)
def test_the_released_rule(answer, truth, same):
    assert gazetteer.same_by_string(answer, truth) is same


# Countries and regions


def country(code, name, *, ambiguous=False):
    return Region(code, name, "country", code, ambiguous)


def test_a_country_is_found_by_code_then_by_its_keys():
    plain, shared, word = country("XA", "Alfa"), country("XB", "Bravo", ambiguous=True), "IN"
    known = Countries(
        {"XA": plain, "XAA": plain, word: country(word, "India"), "CG": country("CG", "Congo")},
        {"alfa": plain, "bravo": shared, "congo": country("CG", "Congo")},
    )
    for name in ("XA", " XA ", "xa", "xaa", "Alfa", "ALFA", "Kingdom of Alfa", "Alfa, Republic of",
                 "la Alfa", "Republik Alfa"):  # fmt: skip
        assert known.find(name) == plain, name
    assert known.find("Bravo") == shared
    for name in ("Kingdom of Bravo", "Republik Bravo", "Xa", "in", "xb", "Charlie", "XAb"):
        assert known.find(name) is None, name
    assert known.find("IN").code == "IN"
    assert known.find("Republik Congo") is None  # which of them, its form says
    assert known.find("Republic of Congo").code == "CG"


def division(code, name, of):
    return Region(code, name, "admin1", of)


@pytest.fixture
def divisions(monkeypatch):
    from geodata.gazetteer import regions

    monkeypatch.setattr(regions, "_people", lambda: {"AA": 10, "BB": 20, "CC": 20})
    listed = [
        division("AA-1", "Alfa", "AA"),
        division("BB-1", "Alfa", "BB"),
        division("CC-1", "Alfa", "CC"),
        division("AA-X", "Kyiv", "AA"),
        division("AA-Y", "Kyiv Oblast", "AA"),
        division(None, "Bare", "BB"),
    ]
    keys = {
        "alfa": [(NAME, 0), (NAME, 1), (NAME, 2)],
        "bravo": [(ALIAS, 0), (BARE, 1)],
        "part": [(PART, 3), (PART, 3)],
        "kyiv": [(NAME, 3), (BARE, 4)],
        "kyivoblast": [(NAME, 4)],
        "": [(BARE, 5)],
    }
    codes = {r.code: i for i, r in enumerate(listed) if r.code}
    return Divisions(listed, [], codes, keys)


@pytest.mark.parametrize(
    ("name", "of", "found_"),
    [
        ("Alfa", None, (1, True)),  # most people, then the first
        ("Alfa", "AA", (0, False)),
        ("Alfa", "DD", None),
        ("Province of Alfa", "CC", (2, False)),
        ("Bravo", None, (0, False)),  # the surer way alone counts
        ("Bravo", "BB", (1, False)),
        ("AA-1", None, (0, False)),
        ("aa-1", "AA", (0, False)),
        ("AA-1", "BB", None),
        ("Aa-1", None, None),
        ("X", "AA", (3, False)),  # the end of a code, within a country
        ("x", "AA", None),  # a word, not a postal code
        ("X.", "AA", (3, False)),
        ("X", None, None),
        ("X", "BB", None),
        ("Kyiv", "AA", (3, False)),
        ("Kyiv Oblast", "AA", (4, False)),
        ("Oblast Kyiv", "AA", (4, False)),  # called by the same word
        ("Part", "AA", (3, False)),
        ("Province", None, None),  # nothing but the word for the kind
        ("  Alfa ", "BB", (1, False)),
    ],
)
def test_a_division_is_found(divisions, name, of, found_):
    assert divisions.find(name, of) == found_


def test_parts_stand_for_what_they_are_in_unless_they_must_not(divisions):
    assert divisions.find("Part", None) == (3, False)
    assert divisions.find("Part", None, parts=False) is None
    assert divisions.find("Alfa", "AA", parts=False) == (0, False)


def test_the_ends_of_codes_are_letters(divisions):
    assert dict(divisions.by_ending) == {"X": [3], "Y": [4]}
