"""Every option of every public function changes what it says: at a value that is not its default.

The functions and their keywords are found in the faces of geodata. A new keyword fails
`test_every_option_has_a_case` until a module of this folder says what it changes.
"""

import pytest

from tests.options import finding, labels, lakes, pictures, rows, scores  # noqa: F401  # they fill the table
from tests.options.world import World

OPTIONS = {str(option): option for option in finding.options()}


def test_there_are_options_to_find():
    """The search itself: a function, a method, a data class of options, a module."""
    for option in (
        "geodata.cor.label:max_offset_km",
        "geodata.boundaries.BoundarySet.locate:max_offset_km",
        "geodata.records.Options:urls",
        "geodata.coords.arrays:wrap",
    ):
        assert option in OPTIONS
    assert len(OPTIONS) > 300


def test_every_option_has_a_case():
    missing = OPTIONS.keys() - finding.EFFECTS.keys() - finding.TESTS.keys() - finding.COST.keys()
    assert not missing, (
        f"no test says what these options change: {sorted(missing)}; say it in tests/options/, "
        "or name the test that sees it"
    )


def test_no_case_is_of_an_option_that_is_gone():
    tables = (finding.EFFECTS, finding.TESTS, finding.COST)
    assert {option for table in tables for option in table} - OPTIONS.keys() == set()
    assert sum(map(len, tables)) == len(OPTIONS), "an option has two cases"


def test_cost_is_no_way_out():
    assert len(finding.COST) <= 5


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return World.lake_in(tmp_path_factory.mktemp("world"))


def right(expected, found):
    return expected(found) if callable(expected) else bool(expected == found)


@pytest.mark.parametrize("option", sorted(finding.EFFECTS))
def test_an_option_changes_what_it_says(option, lake, tmp_path):
    effect, keyword = finding.EFFECTS[option], OPTIONS[option].keyword
    assert effect.value is not OPTIONS[option].default
    plain, changed = World(tmp_path / "plain", lake), World(tmp_path / "changed", lake)
    value = effect.value(changed) if callable(effect.value) else effect.value
    without, with_ = effect.call(plain), effect.call(changed, **{keyword: value})
    assert right(effect.plain, without), without
    assert right(effect.changed, with_), with_
    assert without != with_


@pytest.mark.parametrize("option", sorted(finding.TESTS))
def test_a_named_test_is_there_and_uses_the_option(option):
    source = finding.source_of(finding.TESTS[option])
    assert source is not None, f"{finding.TESTS[option]} is not there"
    assert OPTIONS[option].keyword in source
