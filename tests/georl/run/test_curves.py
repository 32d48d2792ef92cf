"""The picture of a run's curves: its axes do not exaggerate."""

import pytest
from matplotlib import colors, pyplot as plt
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


@pytest.mark.parametrize(
    ("count", "lines", "columns"),
    [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 2, 3), (6, 2, 3), (7, 3, 3)],
)
def test_panels_stand_three_in_a_line(count, lines, columns):
    figure = curves.drawn({str(k): [(1, 1.0), (2, 2.0)] for k in range(count)})
    grid = figure.axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (lines, columns)
    assert tuple(figure.get_size_inches()) == pytest.approx((4 * columns, 2.8 * lines))
    assert [axis.axison for axis in figure.axes] == [k < count for k in range(lines * columns)]
    plt.close(figure)


def test_a_panel_is_told_apart_by_its_curve_and_nothing_else():
    """One blue line, a title, its step below, no frame above and to the right."""
    figure = curves.drawn({"loss": [(10, 1.9), (20, 1.8)]})
    (axis,) = figure.axes
    (line,) = axis.get_lines()
    assert colors.same_color(line.get_color(), "#1d4e79")
    assert line.get_linewidth() == 1.4
    shown = {side: spine.get_visible() for side, spine in axis.spines.items()}
    assert shown == {"left": True, "bottom": True, "right": False, "top": False}
    assert (axis.get_title(), axis.get_xlabel()) == ("loss", "step")
    assert axis.title.get_fontsize() == 10
    assert axis.xaxis.label.get_fontsize() == 9
    assert all(line.get_visible() for line in axis.get_ygridlines())
    plt.close(figure)


def test_no_window_is_needed():
    """A cluster has none, and a backend that draws into one fails there."""
    plt.switch_backend("svg")
    plt.close(curves.drawn({"loss": [(10, 1.9), (20, 1.8)]}))
    assert plt.get_backend().lower() == "agg"


def test_an_axis_goes_below_zero_only_with_its_curve():
    figure = curves.drawn({"reward": [(1, 3.0), (2, -2.0)], "loss": [(1, 0.25), (2, 0.5)]})
    reward, loss = figure.axes
    assert reward.get_ylim()[0] == -2.0
    assert loss.get_ylim()[0] == 0.0
    plt.close(figure)


@pytest.mark.parametrize(
    "name",
    [
        *("loss", "mean_token_accuracy", "reward", "within_750km", "within_200km", "entropy"),
        *("groups/equal", "eval_accuracy_200km", "eval_median_km"),
    ],
)
def test_each_of_the_figures_that_a_run_is_judged_by_is_drawn(tmp_path, name, monkeypatch):
    drawn, stock = [], curves.drawn
    plt.close("all")  # of others
    monkeypatch.setattr(curves, "drawn", lambda series: drawn.append(series) or stock(series))
    JsonLines(tmp_path / METRICS).write([{"step": 3, name: 0.0}, {"step": 5, name: 2.0}])
    curves.plot(tmp_path)
    assert drawn == [{name: [(3, 0.0), (5, 2.0)]}]
    assert not plt.get_fignums()  # a run of days draws many


def test_a_picture_is_whole_or_not_there(tmp_path, monkeypatch):
    target = tmp_path / "curves.png"
    target.write_bytes(b"the one before")

    def broken(*_, **__):
        raise OSError("no space left")

    figure = curves.drawn({"loss": [(1, 1.0), (2, 2.0)]})
    monkeypatch.setattr(figure, "savefig", broken)
    with pytest.raises(OSError, match="no space"):
        curves.save_figure(figure, target, 50)
    assert target.read_bytes() == b"the one before"
    monkeypatch.undo()
    assert curves.save_figure(figure, target, 50) == target
    assert figure.subplotpars.left != plt.rcParams["figure.subplot.left"]  # texts have their room
    with Image.open(target) as picture:
        assert (picture.format, picture.size) == ("PNG", (200, 140))
