"""Every option of every public function of georl does something: at a value not its default.

As tests/options/test_every_option.py for geodata, with the same finder: a new keyword fails
`test_every_option_has_one_case` until a module of this folder says what it changes.
"""

import pytest

from tests.georl.options import reading, rewarding, running  # noqa: F401  # they fill the table
from tests.options import defaults
from tests.options.finding import GEORL
from tests.options.world import World

OPTIONS = GEORL.options()


def test_there_are_options_to_find():
    """The search itself: a function, a class, a method, a module."""
    for option in (
        "georl.rewards.geo_r:knots_km",
        "georl.data.Reader:sent",
        "georl.endpoints.Endpoint.chat:seed",
        "georl.endpoints.Pace:per_second",
    ):
        assert option in OPTIONS
    assert len(OPTIONS) > 70


def test_every_option_has_one_case():
    GEORL.check_all_have_one(OPTIONS)


def test_no_default_changed_unseen():
    defaults.check(GEORL)
    assert len(defaults.then(GEORL)) > 70


def test_cost_is_no_way_out():
    assert len(GEORL.cost) <= 4


@pytest.mark.parametrize("option", sorted(GEORL.effects))
def test_an_option_changes_what_it_says(option, tmp_path):
    plain, changed = (World(tmp_path / name, tmp_path) for name in ("plain", "changed"))
    GEORL.check_effect(OPTIONS[option], plain, changed)


@pytest.mark.parametrize("option", sorted(GEORL.tests))
def test_a_named_test_is_there_and_uses_the_option(option):
    GEORL.check_test(OPTIONS[option])
