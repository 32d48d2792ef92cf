"""Prediction files as people write them score what they scored, and are told what they were."""

from .whole import KNOWN, lines


def test_every_file_scores_and_is_told_as_it_was():
    assert lines() == KNOWN.read_text(encoding="utf-8").splitlines(), (
        "python -m tests.evaluation.joining.whole writes them anew; read what changed"
    )
