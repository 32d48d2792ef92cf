"""AUC, reliability and ECE beside independent counts (georl.calibration)."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from georl import calibration
from georl.calibration.measures import auc_interval

ROWS = st.lists(
    st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=60
)


@given(ROWS)
def test_auc_is_the_rank_statistic_and_the_count_of_pairs(rows):
    said, yes = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    found = calibration.auc(said, yes)
    if yes.all() or not yes.any():
        assert found is None
        return
    pairs = [(a > b) + (a == b) / 2 for a in said[yes] for b in said[~yes]]
    assert found == pytest.approx(np.mean(pairs))
    ranks = stats.mannwhitneyu(said[yes], said[~yes]).statistic
    assert found == pytest.approx(ranks / (yes.sum() * (~yes).sum()))


@given(ROWS, st.integers(1, 12))
def test_ece_and_brier_are_what_a_slow_count_says(rows, bins):
    said, yes = [r[0] for r in rows], [r[1] for r in rows]
    found = calibration.reliability(said, yes, bins)
    assert sum(one.rows for one in found) == len(rows)
    total = 0.0
    for one in found:
        inside = [
            (s, y) for s, y in rows if one.low <= s < one.high or (one.high == 1.0 and s == 1.0)
        ]
        assert len(inside) == one.rows
        assert one.said == pytest.approx(sum(s for s, _ in inside) / len(inside))
        assert one.was == pytest.approx(sum(y for _, y in inside) / len(inside))
        total += abs(sum(s - y for s, y in inside)) / len(rows)
    assert calibration.expected_error(found) == pytest.approx(total)
    assert calibration.brier(said, yes) == pytest.approx(
        sum((s - y) ** 2 for s, y in rows) / len(rows)
    )


def test_nothing_measured_is_none_and_no_zero():
    assert calibration.auc([], []) is None
    assert calibration.brier([], []) is None
    assert calibration.expected_error(calibration.reliability([], [])) is None


@pytest.mark.parametrize(
    ("scores", "labels", "said"),
    [([0.5], [True, False], "one row of each"), ([0.5, 1.2], [1, 0], "row 1 is 1.2"),
     ([0.5, float("nan")], [1, 0], "row 1 is nan")],
)  # fmt: skip
def test_what_is_no_probability_is_refused(scores, labels, said):
    for measure in (calibration.auc, calibration.brier, calibration.reliability):
        with pytest.raises(ValueError, match=said):
            measure(scores, labels)
    with pytest.raises(ValueError, match="bins is 0"):
        calibration.reliability([0.5], [1], 0)


def test_the_interval_holds_the_value_and_widens_where_photos_repeat():
    rng = np.random.default_rng(0)
    yes = rng.random(200) < 0.5
    said = np.clip(0.5 + 0.2 * (yes - 0.5) + rng.normal(0, 0.2, 200), 0, 1)
    alone = auc_interval(said, yes, range(200))
    assert alone[0] < calibration.auc(said, yes) < alone[1]
    five = auc_interval(np.repeat(said, 5), np.repeat(yes, 5), np.repeat(range(200), 5))
    assert five[1] - five[0] > 0.8 * (alone[1] - alone[0])
    assert auc_interval(said, yes, range(200), resamples=50, seed=1) != alone
    assert auc_interval(said[:3], np.array([True] * 3), range(3)) is None


def test_what_is_printed_are_the_figures_and_a_dash_for_none():
    found = calibration.Calibration(
        judge="j", records="r", split="all", rows=3, yes=3, auc=None, interval=None, ece=0.25,
        brier=0.125, bins=[], by_step={"truth": (2, None), "seen": (1, 0.5)}, without={},
    )  # fmt: skip
    lines = [" ".join(line.split()) for line in found.text().splitlines()]
    for line in ("AUC -", "ECE 0.250", "Brier 0.125"):
        assert any(told.startswith(line) for told in lines), line
    assert lines[-2:] == ["truth 2 -", "seen 1 0.500"]
    bare = dataclasses.replace(found, by_step={}).text()
    assert "dropped in step" in found.text()
    assert "dropped in step" not in bare
