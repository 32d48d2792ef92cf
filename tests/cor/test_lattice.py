"""Points that lie evenly over the Earth, and disputed ones, have the labels that they had."""

from .lattice import KNOWN, lines


def test_points_have_the_labels_that_they_had():
    assert lines() == KNOWN.read_text(encoding="utf-8").splitlines(), (
        "python -m tests.cor.lattice writes them anew; read what changed"
    )
