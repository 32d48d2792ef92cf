"""The picture of a run's curves: its axes do not exaggerate."""

from matplotlib import pyplot as plt

from georl.run import curves


def test_axes_start_at_zero_or_below():
    figure = curves.drawn({"loss": [(10, 1.9), (20, 1.8)], "reward": [(10, -0.5), (20, 0.5)]})
    loss, reward = figure.axes[:2]
    assert (loss.get_xlim()[0], loss.get_ylim()[0]) == (0, 0)
    assert loss.get_ylim()[1] >= 1.9
    assert reward.get_ylim()[0] <= -0.5
    plt.close(figure)
