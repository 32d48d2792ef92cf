"""A default is a promise: another one changes what everybody gets who said nothing."""

from tests.options import defaults
from tests.options.finding import GEODATA


def test_no_default_changed_unseen():
    defaults.check(GEODATA)
    assert len(defaults.then(GEODATA)) > 600
