"""What a report says of several answers and of a confidence, by small numbers."""

from dataclasses import replace

import numpy as np
import pytest

from geodata import evaluation
from geodata.evaluation.report.contents import beyond
from geodata.evaluation.scores.confidence.held_out import BackOff, Radius

N = 40
TRUTH = {"id": [f"r{i}" for i in range(N)], "lat": [10.0] * N, "lon": [20.0] * N}


def result(thresholds=(1.0, 25.0, 200.0, 2500.0), lists=None, **columns):
    rows = {"id": TRUTH["id"], **(columns or {"lat": [10.0] * N, "lon": [20.0] * N})}
    if lists is not None:
        rows = {"id": TRUTH["id"], "guesses": lists}
    return evaluation.evaluate(rows, TRUTH, thresholds, regions=False, lint=False)


def sections(found):
    return {one.name: one for one in beyond.sections(found)}


def test_there_is_a_section_for_what_there_is():
    assert sections(result()) == {}
    assert set(sections(result(lat=[10.0] * N, lon=[20.0] * N, prob=np.linspace(0, 1, N)))) == {
        "confidence"
    }
    assert set(sections(result(lists=[[[10.0, 20.0], [11.0, 21.0]]] * N))) == {
        "candidates", "confidence"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("short", "title"), [(0, "3 answers a photo"), (1, "2 to 3 answers a photo")]
)
def test_how_many_answers_a_photo_has(short, title):
    near = [[10.0, 20.0], [10.5, 20.0], [60.0, 20.0]]
    lists = [near[:2]] * short + [near] * (N - short)
    found = sections(result(lists=lists))["candidates"]
    assert found.title == title
    table, ends = found.tables
    assert table.head == ("answer taken", "1 km", "25 km", "200 km", "2,500 km")
    assert [line[0] for line in table.lines] == ["the first", "the medoid", "oracle, the best"]
    assert table.lines[0][1:] == table.lines[-1][1:] == ("100.00",) * 4
    medoid = f"{100 * short / N:.2f}"
    assert table.lines[1][1:] == (medoid, medoid, "100.00", "100.00")
    # the third of four thresholds is the middle one
    assert (ends.title, ends.lines[0][:2]) == ("Within 200 km", ("the first", "100.00"))
    assert ends.lines[0][2].endswith("–100.0")


def test_radii_and_levels_by_hand():
    found = result(lat=[10.0] * N, lon=[20.0] * N, prob=np.linspace(0, 1, N)).confidence
    radius = Radius(0.5, 3.0, 0.4567, (100.0, 20.0, 1.5), 0.6789, 1234)
    levels = (
        BackOff(0.85, "city", 0.123456, 0.25, 0.5, 9), BackOff(0.85, "admin1", None, 0.0, None, 9),
        BackOff(0.85, "country", 12345678.0, 0.5, 1.0, 9),
    )  # fmt: skip
    known = replace(found, radii=(radius,), back_off=levels)
    curve, radii, down = beyond._confidence(known, (1.0, 25.0)).tables
    assert curve.head == ("coverage", "1 km", "25 km")
    assert [line[0] for line in curve.lines] == [
        *(f"{n}%" for n in range(100, 0, -10)), "AURC"
    ]  # fmt: skip
    assert curve.lines[-1][1:] == ("0.00", "0.00")
    assert radii.lines == [("50%", "3.00", "45.7", "1.50", "100", "67.9")]
    assert radii.notes == [
        "One conformal radius for all, then one for each of 3 parts by confidence; measured on "
        "1,234 answers."
    ]
    assert down.lines == [
        ("city", "0.1235", "25.0", "50.0"), ("region (admin1)", "–", "0.0", "–"),
        ("country", "1.235e+07", "50.0", "100.0"), ("no answer", "–", "25.0", "–"),
    ]  # fmt: skip
    assert down.notes == [
        "Bars are set so that 85% of the answers given at a level are right there."
    ]
    bare = replace(found, radii=(), back_off=())
    assert len(beyond._confidence(bare, (1.0,)).tables) == 1
    assert beyond._confidence(bare, (1.0,)).about.startswith("By prob. Radii and bars are learnt")
