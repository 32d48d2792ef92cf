"""Numbers of names: each pair once, found again at a glance, whatever was asked between."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from geodata import boundaries
from geodata.cor.naming import FIELDS, Naming, View

PAIRS = [(5, 3), (5, -1), (7, 3), (0, 0), (0, -1), (-1, 2), (-1, -1), (5, 3)]


@pytest.fixture
def naming():
    return Naming(boundaries.load(), View("un", "own"))


def columns(pairs):
    return (np.array(column, np.int32) for column in zip(*pairs, strict=True))


def test_a_pair_that_was_numbered_is_not_looked_up_again(naming):
    """By the last of the pair: a unit, or a country without one; the first pair with it."""
    first = naming.numbers(*columns([(5, 3), (5, -1), (0, 0), (0, -1), (-1, 2)]))
    assert sorted(first.tolist()) == [-1, 0, 1, 2, 3]
    rows = naming.boundaries.countries.num_rows
    assert naming._slots.shape == (rows + naming.boundaries.units.num_rows,)
    there = {rows + 3: first[0], 5: first[1], rows: first[2], 0: first[3]}
    assert {at: naming._slots[at] for at in np.flatnonzero(naming._slots >= 0)} == there
    assert naming._pairs.T[first[:4]].tolist() == [[5, 3], [5, -1], [0, 0], [0, -1]]
    naming._number.clear()  # where other pairs are looked up
    again = naming.numbers(*columns([(0, -1), (0, 0), (5, -1), (5, 3), (-1, -1)]))
    assert again.tolist() == [*first[[3, 2, 1, 0]].tolist(), -1]


def test_a_second_country_of_a_unit_is_looked_up_and_takes_no_place(naming):
    first = naming.numbers(*columns([(5, 3)]))
    both = naming.numbers(*columns(PAIRS))
    assert both[0] == both[-1] == first[0]
    assert both[5] == both[6] == -1
    assert sorted(both[:5].tolist()) == [0, 1, 2, 3, 4]
    assert naming._slots[naming.boundaries.countries.num_rows + 3] == first[0]
    assert naming.numbers(*columns(PAIRS)).tolist() == both.tolist()
    for number, pair in zip(both[:5].tolist(), PAIRS[:5], strict=True):
        region = naming.region(*pair)
        for field in FIELDS:
            words, codes = naming.texts(field)
            said = words[codes[number]] if codes[number] >= 0 else None
            assert said == getattr(region, field) == naming.names(field)[number].as_py(), field
            assert len(set(words)) == len(words)
            assert len(codes) == 5


def test_every_pair_that_occurs_has_its_own_number(naming):
    rows, units = naming.boundaries.countries.num_rows, naming.boundaries.units.num_rows
    rng = np.random.default_rng(1)
    country, unit = rng.integers(-1, rows, 5000), rng.integers(-1, units, 5000)
    pairs = np.array([country, unit], np.int32)
    number = naming.numbers(*pairs)
    assert ((number < 0) == (country < 0)).all()
    some = number >= 0
    assert (naming._pairs[:, number[some]] == pairs[:, some]).all()
    assert set(number[some].tolist()) == set(range(len(naming._number)))


def test_no_pair_at_all(naming):
    assert naming.numbers(*(np.array([], np.int32) for _ in "ab")).tolist() == []
    assert naming.numbers(*columns([(-1, -1), (-1, 0)])).tolist() == [-1, -1]
    assert naming.names("country").to_pylist() == []


def test_names_of_the_set_come_before_those_of_unicode():
    """A set with names of its own: the language's, else CLDR's, else what the row is called."""
    bundled = boundaries.load()
    at = bundled.countries.schema.get_field_index("names")
    codes = bundled.countries["code"].to_pylist()
    kind = bundled.countries.schema.field("names").type
    own = pa.array([[("de", "Das Franzland")] if code == "FR" else None for code in codes], kind)
    named = dataclasses.replace(bundled, countries=bundled.countries.set_column(at, "names", own))
    france, japan = codes.index("FR"), codes.index("JP")
    german = Naming(named, View("un", "own", "de"))
    assert german.region(france, -1).country == "Das Franzland"
    assert german.region(japan, -1).country == "Japan"
    japanese = Naming(named, View("un", "own", "ja"))
    assert japanese.region(france, -1).country == "フランス"
    assert Naming(named, View("un", "own")).region(france, -1).country == "France"


def test_a_claimant_is_called_as_its_main_row_is():
    """Russia has a row of its islands too; the set's own name stands at the first."""
    bundled = boundaries.load()
    at = bundled.countries.schema.get_field_index("names")
    ids = bundled.countries["id"].to_pylist()
    kind = bundled.countries.schema.field("names").type
    own = pa.array([[("de", "Das Russland")] if i == "RU" else None for i in ids], kind)
    named = dataclasses.replace(bundled, countries=bundled.countries.set_column(at, "names", own))
    assert [i for i in ids if i.startswith("RU")][:1] == ["RU"] != [i for i in ids if "RU" in i]
    german = Naming(named, View("ru", "own", "de"))
    assert german.region(ids.index("UA/crimea"), -1).country == "Das Russland"
    assert german.region(ids.index("RU"), -1).country == "Das Russland"
