"""The picture of a run's curves: its axes do not exaggerate."""

from matplotlib import pyplot as plt
from PIL import Image

from georl.run import JsonLines, curves
from georl.run.record import METRICS


def size(path):
    with Image.open(path) as picture:
        return picture.size


def test_axes_start_at_zero_or_below():
    figure = curves.drawn({"loss": [(10, 1.9), (20, 1.8)], "reward": [(10, -0.5), (20, 0.5)]})
    loss, reward = figure.axes[:2]
    assert (loss.get_xlim()[0], loss.get_ylim()[0]) == (0, 0)
    assert loss.get_ylim()[1] >= 1.9
    assert reward.get_ylim()[0] <= -0.5
    assert {line.get_alpha() for line in loss.get_xgridlines()} == {0.3}  # behind the curve
    plt.close(figure)


def test_the_picture_has_a_panel_for_each_curve_of_the_log(tmp_path):
    assert curves.plot(tmp_path) is None  # without a log
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": None, "reward": 0.5}]
    JsonLines(tmp_path / METRICS).write(rows)
    assert curves.plot(tmp_path) is None  # one point is no curve
    JsonLines(tmp_path / METRICS).write(
        [{"step": 3, "loss": 1.0, "other": 3.0}, {"step": 4, "other": 4.0}]
    )
    path = curves.plot(tmp_path)
    assert path == tmp_path / "curves.png"
    assert size(path) == (440, 308)  # 4 by 2.8 inches of 110 dots
    JsonLines(tmp_path / METRICS).write([{"step": 5, "reward": 0.6, "entropy": 1.0}])
    assert size(curves.plot(tmp_path)) == (880, 308)


def test_a_curve_has_its_points_and_name():
    series = {name: [(i, float(i) * k) for i in range(4)] for k, name in enumerate("abcde")}
    figure = curves.drawn(series)
    assert [axis.axison for axis in figure.axes] == [True] * 5 + [False]
    for axis, (name, points) in zip(figure.axes, series.items(), strict=False):
        assert axis.get_title() == name
        assert axis.get_lines()[0].get_xydata().tolist() == [list(point) for point in points]
    plt.close(figure)
