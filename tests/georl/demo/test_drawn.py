"""What the picture of the demo shows, read from its axes (georl.demo.telling.pictures)."""

import io
from dataclasses import replace

import matplotlib.colors
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from geodata.maps import project
from georl.demo.telling import pictures
from georl.demo.telling.pictures import BLIND, GREY, Stage

PLACES = np.array([[10.0, 20.0], [-30.0, 5.0], [50.0, 40.0], [0.0, 0.0], [60.0, -10.0]])
KM = np.array([30.0, 200.0, 700.0, 3000.0, np.inf])
ANSWERS = np.array([[11.0, 21.0], [-31.0, 6.0], [51.0, 41.0], [1.0, 1.0], [np.nan, np.nan]])
BEFORE = Stage("after SFT", np.array([0.0, 0.5, 1.0, 0.5, 0.5]), KM, np.hstack([PLACES, ANSWERS]))
AFTER = replace(BEFORE, title="after GRPO", reward=np.array([0.6, 0.8, 0.7, 0.7, 0.7]), km=KM / 2)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Figures as they were saved, each with its file: on light paper, on dark, and of low rewards.

    A picture takes a second, so each is drawn once.
    """
    folder, kept, save = tmp_path_factory.mktemp("drawn"), [], Figure.savefig

    def noted(self, *given, **options):
        kept.append(self)
        save(self, *given, **options)

    def draw(name, stages, blind, *, dark=False):
        at = pictures.draw(stages, np.array(blind), KM, folder / name, dark=dark)
        assert at == folder / name
        return kept[-1], at

    few = replace(BEFORE, reward=np.full(5, 0.01))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", noted)
        return {
            "light": draw("light.png", (BEFORE, AFTER), (0.2, 0.4)),
            "dark": draw("dark.png", (BEFORE,), (0.9, 0.9), dark=True),
            "low": draw("low.png", (few,), (-0.1, -0.3)),
        }


def hexed(colour):
    return matplotlib.colors.to_hex(colour)


def test_rewards_stand_with_their_standard_error_over_the_blind_answer(drawn):
    figure, _ = drawn["light"]
    rewards = figure.axes[2]
    assert rewards.get_title() == "held-out reward of sampled answers, ± one standard error"
    assert [text.get_text() for text in rewards.texts] == [
        f"{BLIND}: 0.300", "0.500 ± 0.158", "0.700 ± 0.032",  # deviations 0.354 and 0.071 of five
    ]  # fmt: skip
    places = [(-0.55, 0.3), (0, 0.5), (1, 0.7)]
    assert [text.xy for text in rewards.texts] == [pytest.approx(one) for one in places]
    assert [text.get_text() for text in rewards.get_xticklabels()] == ["after SFT", "after GRPO"]
    blind, *_ = rewards.lines
    assert hexed(blind.get_color()) == GREY
    assert list(blind.get_ydata()) == pytest.approx([0.3, 0.3])
    points = [bars.lines[0] for bars in rewards.containers]
    assert [(float(p.get_xdata()[0]), float(p.get_ydata()[0])) for p in points] == [
        (0.0, 0.5), (1.0, pytest.approx(0.7)),
    ]  # fmt: skip
    bars = [bars.lines[2][0].get_segments()[0][:, 1] for bars in rewards.containers]
    assert bars[0] == pytest.approx([0.5 - 0.1581, 0.5 + 0.1581], abs=1e-4)
    assert hexed(points[1].get_color()) == pictures.LATER[0]
    assert rewards.get_xlim() == pytest.approx((-0.6, 1.8))


def test_the_axis_of_rewards_holds_all_that_stands_on_it(drawn):
    limits = {name: drawn[name][0].axes[-2].get_ylim() for name in drawn}
    assert limits["light"] == pytest.approx((0.0, 1.25 * 0.7))  # the best stage
    assert limits["dark"] == pytest.approx((0.0, 1.25 * 0.9))  # the blind answer above it
    assert limits["low"] == pytest.approx((-0.2, 1.25 * 0.1))  # below nothing, and never flat


def test_errors_are_curves_of_shares(drawn):
    figure, _ = drawn["light"]
    errors = figure.axes[3]
    assert errors.get_title() == "share of held-out places within a distance"
    assert errors.get_xlabel() == "km"
    *curves, middle = errors.lines
    assert [line.get_label() for line in curves] == ["after SFT", "after GRPO", BLIND]
    for line, km in zip(curves, (KM, KM / 2, KM), strict=True):
        assert line.get_xdata().tolist() == km.tolist()
        assert line.get_ydata().tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
        assert line.get_drawstyle() == "steps-post"
    assert [line.get_linestyle() for line in curves] == ["-", "-", "--"]
    assert [hexed(line.get_color()) for line in curves[1:]] == [pictures.LATER[0], GREY]
    assert list(middle.get_ydata()) == [0.5, 0.5]  # where a curve crosses it is its median
    assert (errors.get_xscale(), errors.get_xlim(), errors.get_ylim()) == (
        "log", (10, 20_000), (0, 1)
    )  # fmt: skip
    assert [text.get_text() for text in errors.get_xticklabels()] == [
        "25", "200", "750", "2,500", "10,000"
    ]  # fmt: skip
    assert errors.get_xticks().tolist() == [25, 200, 750, 2500, 10_000]
    assert errors.get_xticks(minor=True).tolist() == []


def test_each_map_shows_the_places_six_degrees_around_and_the_ways_by_error(drawn):
    figure, _ = drawn["light"]
    west, east = project([0.0, 0.0], [-16.0, 46.0])[0]
    south, north = project([-36.0, 66.0], [0.0, 0.0])[1]
    for axes, stage in zip(figure.axes[:2], (BEFORE, AFTER), strict=True):
        assert axes.get_xlim() == pytest.approx((west, east))
        assert axes.get_ylim() == pytest.approx((south, north))
        assert stage.title in axes.get_title() + axes.get_title("left")
    said = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert said == ["up to 200 km off: 2", "up to 750 km off: 1", "over 750 km off: 1"]
    said = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert said == ["up to 200 km off: 2", "up to 750 km off: 1", "over 750 km off: 1"]


def test_rewards_and_errors_share_the_row_above_the_maps(drawn):
    for name, stages in (("low", 1), ("light", 2)):
        figure, at = drawn[name]
        figure.draw_without_rendering()
        *maps, rewards, errors = (axes.get_position() for axes in figure.axes)
        assert len(maps) == stages
        assert rewards.x1 < errors.x0
        assert rewards.width == pytest.approx(errors.width, rel=0.1)
        assert all(one.y1 < rewards.y0 and one.height > rewards.height for one in maps)
        with Image.open(at) as picture:
            assert picture.size == (1200, 1008)


@pytest.mark.parametrize("paper", ["dark", "light"])
def test_axes_are_dressed_as_the_maps_beside_them(drawn, paper):
    figure, at = drawn[paper]
    first, *_, rewards, errors = figure.axes
    inks = {hexed(text.get_color()) for text in first.get_legend().get_texts()}
    for axes in (rewards, errors):
        texts = [axes.title, axes.xaxis.label, *axes.texts, *axes.get_xticklabels()]
        texts += axes.get_legend().get_texts() if axes.get_legend() else []
        assert {hexed(text.get_color()) for text in texts} == inks
        sides = axes.spines
        assert [sides[side].get_visible() for side in ("top", "right", "left", "bottom")] == [
            False, False, True, True
        ]  # fmt: skip
        assert {hexed(sides[side].get_edgecolor()) for side in ("left", "bottom")} == inks
        assert (np.mean(matplotlib.colors.to_rgb(axes.get_facecolor())) < 0.5) == (paper == "dark")
        assert hexed(axes.get_facecolor()) not in inks
    corner = Image.open(io.BytesIO(at.read_bytes())).convert("RGB").getpixel((0, 0))
    assert hexed(np.array(corner) / 255) == hexed(rewards.get_facecolor())


def test_words_are_of_two_sizes_and_lines_of_two_widths(drawn):
    figure, _ = drawn["light"]
    for axes in figure.axes[2:]:
        small = [axes.xaxis.label, *axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]
        small += axes.get_legend().get_texts() if axes.get_legend() else []
        assert {text.get_fontsize() for text in small if text.get_text()} == {8.0}
        assert axes.title.get_fontsize() == 10.0
    assert {line.get_linewidth() for line in figure.axes[3].lines} == {1.6, 0.6}
    assert not figure.axes[3].get_legend().get_frame_on()
    assert not figure.axes[0].get_legend().get_frame_on()
