"""Every option of every public function changes what it says: at a value that is not its default.

The functions and their keywords are found in the faces of geodata. A new keyword fails
`test_every_option_has_one_case` until a module of this folder says what it changes.
"""

import pytest

from tests.options import labels, lakes, pictures, rows, scores  # noqa: F401  # they fill the table
from tests.options.finding import GEODATA
from tests.options.world import World

OPTIONS = GEODATA.options()


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


def test_every_option_has_one_case():
    GEODATA.check_all_have_one(OPTIONS)


def test_cost_is_no_way_out():
    assert len(GEODATA.cost) <= 5


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return World.lake_in(tmp_path_factory.mktemp("world"))


@pytest.mark.parametrize("option", sorted(GEODATA.effects))
def test_an_option_changes_what_it_says(option, lake, tmp_path):
    plain, changed = World(tmp_path / "plain", lake), World(tmp_path / "changed", lake)
    GEODATA.check_effect(OPTIONS[option], plain, changed)


@pytest.mark.parametrize("option", sorted(GEODATA.tests))
def test_a_named_test_is_there_and_uses_the_option(option):
    GEODATA.check_test(OPTIONS[option])
