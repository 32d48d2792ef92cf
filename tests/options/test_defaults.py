"""A default is a promise: another one changes what everybody gets who said nothing."""

from tests.options import defaults


def test_no_default_changed_unseen():
    now, then = defaults.now(), defaults.then()
    changed = {name: (then[name], now.get(name)) for name in then if now.get(name) != then[name]}
    assert not changed, "if this is meant, python -m tests.options.defaults writes it down"
    assert len(now.keys() - then.keys()) <= 20, "write the new ones down, see defaults.py"
    assert len(then) > 600
