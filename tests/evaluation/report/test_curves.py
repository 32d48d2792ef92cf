"""The error curves of models: where each line runs, and what stands around it."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from geodata import evaluation
from geodata.evaluation.report import write_curves
from geodata.evaluation.report.pictures import curves

KM = np.array([0.05, 3.0, 3.0, 700.0])  # of five rows; one has no answer
LAT = np.degrees(KM / 6371.0)


def result(thresholds=(1, 25, 200, 750, 2500), missing="wrong"):
    truth = {"id": list("abcde"), "lat": [0.0] * 5, "lon": [0.0] * 5}
    preds = {"id": list("abcde"), "lat": [*LAT, None], "lon": [0.0] * 4 + [None]}
    return evaluation.evaluate(preds, truth, thresholds, regions=False, missing=missing)


def axes(results):
    (found,) = curves._figure(results).axes
    return found


@pytest.mark.parametrize(("missing", "of"), [("wrong", 5), ("exclude", 4)])
def test_a_curve_is_the_share_of_rows_within_each_distance(missing, of):
    drawn = axes({"one": result(missing=missing)})
    (curve, *rules) = drawn.get_lines()
    at, share = curve.get_data()
    assert (len(at), at[0], at[-1]) == (400, pytest.approx(0.1), pytest.approx(np.pi * 6371.0))
    assert np.allclose(np.diff(np.log(at)), np.log(at[1] / at[0]))
    assert np.allclose(share, [100 * np.sum(km >= KM) / of for km in at])
    assert [rule.get_xdata()[0] for rule in rules] == [1, 25, 200, 750, 2500]
    assert {(to_hex(r.get_color()), r.get_linewidth(), r.get_zorder()) for r in rules} == {
        ("#c9d0d6", 0.7, 0)
    }
    assert (curve.get_linewidth(), curve.get_label()) == (1.5, "one")
    assert (drawn.get_xscale(), drawn.get_xlim(), drawn.get_ylim()) == (
        "log",
        (at[0], at[-1]),
        (0, 100),
    )
    assert drawn.get_xlabel() == (
        "error, km (vertical lines: 1 km, 25 km, 200 km, 750 km, 2,500 km)"
    )
    assert drawn.get_ylabel() == "share of rows within, %"
    assert [n for n, spine in drawn.spines.items() if spine.get_visible()] == ["left", "bottom"]
    assert drawn.figure.get_size_inches().tolist() == [6.3, 3.6]


def test_small_thresholds_are_shown_too_and_zero_is_not():
    drawn = axes({"one": result((0, 0.05, 10))})
    assert drawn.get_xlim()[0] == pytest.approx(0.025)
    assert [line.get_xdata()[0] for line in drawn.get_lines()[1:]] == [0.05, 10]


@pytest.mark.parametrize("count", [1, 8, 9, 20])
def test_models_are_told_apart_and_named(count):
    found = result()
    drawn = axes({f"m{i}": found for i in range(count)})
    lines = drawn.get_lines()[:count]
    looks = [(to_hex(line.get_color()), line.get_linestyle()) for line in lines]
    assert len(set(looks)) == min(count, len(curves.COLOURS) * len(curves.STYLES))
    assert [look[0] for look in looks[: len(curves.COLOURS)]] == [
        to_hex(c) for c in curves.COLOURS[:count]
    ]
    legend = drawn.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [f"m{i}" for i in range(count)]
    assert {text.get_size() for text in legend.get_texts()} == {7 if count > 8 else 9}
    assert legend._loc == (6 if count > 8 else 0)  # beside the curves, or where there is room
    assert not legend.get_frame_on()


@pytest.mark.parametrize("ending", ["svg", "pdf", "SVG"])
def test_the_same_results_give_the_same_bytes(tmp_path, ending):
    for name in "ab":
        write_curves({"one": result()}, tmp_path / f"{name}.{ending}")
    data = (tmp_path / f"a.{ending}").read_bytes()
    assert data == (tmp_path / f"b.{ending}").read_bytes()
    assert b"dc:date" not in data
    assert b"CreationDate" not in data
    assert b"<text" not in data  # letters are shapes: no font is needed to read it


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError) as told:
        write_curves({"one": result()}, tmp_path / "a.png")
    assert str(told.value) == f"{tmp_path / 'a.png'}: a figure ends with .svg or .pdf, not .png"
