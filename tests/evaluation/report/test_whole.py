"""Each form of each report, whole: no word, number, mark or line of a picture changes unseen."""

import json

import numpy as np
import pytest

from .whole import GOLDEN, NORTH, ROWS, brief, forms, score


@pytest.fixture(scope="module")
def made():
    return forms()


def test_every_form_is_there(made):
    assert sorted(made) == sorted(path.name for path in GOLDEN.iterdir())


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir()))
def test_a_report_reads_as_it_did(made, name):
    known = (GOLDEN / name).read_text(encoding="utf-8")
    assert made[name].splitlines() == known.splitlines(), (
        "python -m tests.evaluation.report.whole writes the reports anew; read what changed"
    )


def test_errors_are_those_that_the_rows_were_made_with():
    """The numbers that the reports were first checked by: each answer lies so far north."""
    off = np.array([NORTH[i * i % 9] * (1 + i / 100) for i in range(ROWS)]) * np.pi / 180 * 6371.0
    found = score()
    named = [i for i in range(ROWS) if i % 11 == 7]  # the city that is named stands for these
    rows = np.delete(np.arange(ROWS), named)
    known = found.scores
    assert known.answered == ROWS
    for row in found.worst:
        i = int(row.id.partition("|")[2].strip("*"))
        assert i in named or row.distance_km == pytest.approx(off[i], rel=1e-9)
    for threshold, right in known.correct.items():
        assert (off[rows] <= threshold).sum() <= right <= (off[rows] <= threshold).sum() + 4


def test_a_result_as_json_is_read_back_and_indented():
    text = score().to_json()
    assert text.endswith("}\n")
    assert text.splitlines()[1].startswith('  "')
    assert json.loads(brief(text))["published"] == json.loads(text)["published"][:2]
