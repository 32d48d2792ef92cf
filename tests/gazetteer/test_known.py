"""Some three hundred names stand for the places that they stood for."""

from .known import KNOWN, lines


def test_names_stand_for_the_same_places():
    assert lines() == KNOWN.read_text(encoding="utf-8").splitlines(), (
        "python -m tests.gazetteer.known writes them anew; read what changed"
    )
