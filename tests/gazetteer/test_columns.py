"""Columns of names of every kind, and names by row; names that stand for the region above."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from geodata import boundaries, gazetteer
from geodata.gazetteer import columns
from geodata.gazetteer.cities import _readings
from geodata.gazetteer.regions import Divisions, Region
from geodata.gazetteer.text import key, readings, words

NAMES = ["USA", "Niger", None, "Korea", "?", "USA"]
CODES = ["US", "NE", None, "KR", None, "US"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.large_string()),
    ],
    ids=str,
)  # fmt: skip
def test_text_of_every_kind_is_a_column(kind):
    made = pa.array(NAMES, pa.string()).cast(kind)
    for column in (made, pa.chunked_array([made.slice(0, 2), made.slice(2)])):
        assert columns.text_array(column).type == pa.string()
        assert columns.texts(column) == NAMES
        assert gazetteer.codes(country=column)["country_code"].to_pylist() == CODES


@pytest.mark.parametrize("column", [pa.array([1, None]), pa.array([b"a", b"b"]), pa.nulls(2)])
def test_other_kinds_hold_no_name(column):
    assert columns.texts(column) == [None, None]
    assert columns.text_array(column).type == pa.string()


def test_values_that_are_no_text_are_no_names():
    assert columns.texts(["Mali", 7, None, b"x", np.nan]) == ["Mali", None, None, None, None]
    assert columns.texts({"Mali": 1}) == columns.texts(iter(["Mali"])) == ["Mali"]
    for value in ("Mali", b"Mali", 7, None):
        with pytest.raises(ValueError) as told:
            columns.texts(value)
        assert (
            str(told.value) == f"expected a column of names, got {value!r}; wrap one name in a list"
        )


def test_columns_of_one_table():
    for made in (gazetteer.codes, gazetteer.places):
        with pytest.raises(ValueError, match="country, admin1 and city are all missing; give"):
            made()
        with pytest.raises(ValueError, match=r"have lengths \[1, 2, 3\]; give columns of one"):
            made(country=["a"], admin1=["a", "b", "c"], city=["a", "b"])
    assert gazetteer.places(country=[]).schema.names == list(columns.PLACE_COLUMNS)


def test_each_row_has_the_answer_of_its_own_names():
    """All combinations, shuffled; the answer to one is that of `geocode` and of the codes."""
    values = (["France", "USA", "unknown", None], ["Texas", None, "Bretagne"], ["Paris", None, "x"])
    rows = list(itertools.product(*values)) * 2
    order = np.random.default_rng(4).permutation(len(rows))
    rows = [rows[i] for i in order]
    country, admin1, city = zip(*rows, strict=True)
    codes = gazetteer.codes(country=country, admin1=admin1, city=city).to_pylist()
    places = gazetteer.places(country=country, admin1=admin1, city=city).to_pylist()
    for (country, admin1, city), code, place in zip(rows, codes, places, strict=True):
        one = gazetteer.codes(country=[country], admin1=[admin1], city=[city]).to_pylist()
        assert [code] == one
        own = None if country == "unknown" else country
        found = gazetteer.geocode(country=own, admin1=admin1, city=city)
        assert place == {
            name: None if found is None else getattr(found, name) for name in columns.PLACE_COLUMNS
        }


def test_a_row_without_a_country_is_not_looked_for_everywhere():
    found = gazetteer.resolve_many(["Bavaria"] * 4, "admin1", ["Germany", None, "", "France"])
    assert [region and region.code for region in found] == ["DE-BY", None, None, None]
    found = gazetteer.resolve_many(["Bavaria", "Texas"], "admin1")
    assert [region.code for region in found] == ["DE-BY", "US-TX"]
    with pytest.raises(ValueError, match="1 names and 2 countries; give one country for each"):
        gazetteer.resolve_many(["Bavaria"], "admin1", ["Germany", "France"])


def test_a_second_level_stands_for_the_first_by_all_its_names():
    rows = [row for row in boundaries.load().units.to_pylist() if row["admin2_name"]]
    also = [(alias, row) for row in rows for alias in row["aliases"] or []]
    assert len(also) > 100
    lost = []
    for name, row in [(row["admin2_name"], row) for row in rows] + also[::3]:
        found = gazetteer.resolve(name, "admin1", row["country"])
        if found is None and key(name):
            lost.append(name)
    assert lost == []
    sole = {}
    for name, row in also:
        sole.setdefault((row["country"], key(name)), set()).add(row["admin1_name"])
    right = [
        gazetteer.resolve(name, "admin1", row["country"]).name == row["admin1_name"]
        for name, row in also[::3]
        if len(sole[row["country"], key(name)]) == 1
    ]
    assert np.mean(right) > 0.95  # others are the name of a first level, too


def test_the_end_of_a_code_is_what_follows_the_country():
    codes = {"AA-B": 0, "CC-B": 1, "AA-B-C": 2, "AA-1": 3, "AA": 4}
    listed = [Region(code, code, "admin1", code[:2]) for code in codes]
    assert Divisions(listed, [], codes, {}).by_ending == {"B": [0, 1]}


def test_of_regions_in_countries_without_people_the_first_is_meant(monkeypatch):
    from geodata.gazetteer import regions

    listed = [Region(f"{code}-1", "Same", "admin1", code) for code in ("AA", "BB", "CC")]
    known = Divisions(listed, [], {}, {"same": [(0, 0), (0, 1), (0, 2)]})
    monkeypatch.setattr(regions, "_people", lambda: {"AA": 0})
    assert known.find("Same", None) == (0, True)
    monkeypatch.setattr(regions, "_people", lambda: {"CC": 1})
    assert known.find("Same", None) == (2, True)


@pytest.mark.parametrize(
    ("name", "without"), [("서울시", "서울"), ("北京市", "北京"), ("某县", "某"), ("某鎮", None)]
)
def test_a_sign_for_the_kind_of_a_place_may_be_left_out(name, without):
    found = [reading for reading in _readings(words(name)) if reading != key(name)]
    assert found == ([] if without is None else [key(without)])


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Korea, Republic of", ["korearepublicof", "republicofkorea", "korea"]),
        ("Korea, Republic, of", ["korearepublicof", "republicofkorea", "korea"]),
        ("Kingdom of Spain", ["kingdomofspain", "spain"]),
        ("Spain (Kingdom of) (the)", ["spainkingdomof", "kingdomofspain", "spain"]),
        ("la France", ["lafrance", "france"]),
        ("the l'Italie", ["litalie", "italie"]),
        ("LA, USA", ["lausa", "usala"]),
        (", France", ["france", "france"]),
        ("France,", ["france"]),
        ("State of Georgia", ["stateofgeorgia"]),
        ("of Spain", ["ofspain"]),
        ("Kingdom of", ["kingdomof"]),
        ("United Kingdom of the Isle of Man", ["unitedkingdomofisleofman", "isleofman"]),
        ("", [""]),
    ],
)
def test_readings_of_a_country_from_the_strictest_on(text, keys):
    assert list(readings(text)) == keys


def test_names_of_two_letters_beyond_ascii_are_read_as_they_are_written():
    """Áo is Austria in Vietnamese; three letters are a name in any case."""
    aliases = [row["alias"] for row in boundaries.facts_table("country_aliases")]
    wide = [alias for alias in aliases if not alias.isascii() and alias.lower() != alias]
    three = [alias for alias in wide if len(key(alias)) == 3]
    assert three
    assert "Áo" in wide
    assert gazetteer.resolve("Áo").code == "AT"
    assert gazetteer.resolve("áo") is gazetteer.resolve("ÁO") is None
    for alias in three:
        assert gazetteer.resolve(alias.lower()) == gazetteer.resolve(alias) is not None
