"""The pictures of a page by small numbers: classes, lines, layers and hatches from both sides."""

import re
from dataclasses import replace

import numpy as np
import pytest

from geodata import evaluation
from geodata.evaluation.report.pictures import figures, plots
from geodata.evaluation.report.pictures.plots import Axis
from geodata.evaluation.scores.result import Row

WORLD = plots._frame([])


def result(thresholds=(1, 25, 200, 750, 2500), country=None):
    truth = {"id": list("abcde"), "lat": [0.0] * 5, "lon": [0.0] * 5}
    if country:
        truth["country"] = country
    lat = np.degrees(np.array([0.05, 3.0, 30.0, 700.0, 9000.0]) / 6371.0)
    preds = {"id": list("abcde"), "lat": lat, "lon": [0.0] * 5}
    by = ("country",) if country else ()
    return evaluation.evaluate(preds, truth, thresholds, regions=False, by=by)


def rows(count, km, lat=10.0):
    return tuple(Row(str(i), lat, float(i % 90), lat, float(i % 90) + 5, km) for i in range(count))


# the axis


def test_places_on_the_axis_are_logarithms():
    axis = Axis(0.1, 1000.0)
    at = {0.1: 0.0, 1.0: 0.25, 10.0: 0.5, 1000.0: 1.0, 0.01: 0.0, 5000.0: 1.0}
    for km, place in at.items():
        assert axis.at(km) == pytest.approx(place)
    assert axis.ticks() == pytest.approx([0.1, 1, 10, 100, 1000])
    assert Axis(0.2, 99.0).ticks() == pytest.approx([1, 10])


@pytest.mark.parametrize(
    ("thresholds", "low"),
    [((1, 25), 0.1), ((0.2, 25), 0.1), ((0.19, 25), 0.01), ((0.02, 1), 0.01), ((0, 0.002), 0.001),
     ((0,), 0.1)],
)  # fmt: skip
def test_the_axis_begins_below_the_smallest_threshold(thresholds, low):
    axis = plots.curve_axis(result(thresholds))
    assert axis.low == pytest.approx(low)
    assert axis.high == pytest.approx(np.pi * 6371)


def test_the_curve_is_the_share_within_each_distance():
    found = result()
    svg = plots.error_curve(found)
    line = re.search(r'<path class="curve" d="M([^"]*)"', svg)[1]
    xy = np.array([pair.split() for pair in line.split("L")], float)
    assert xy[[0, -1], 0].tolist() == [0.0, 1000.0]
    assert len(xy) == 300
    errors = found.scores.distances_km
    km = 0.1 * (np.pi * 6371 / 0.1) ** (xy[:, 0] / 1000)
    share = 1 - xy[:, 1] / 400
    assert np.abs(share[::20] - [(errors <= d * 1.002).mean() for d in km[::20]]).max() <= 0.2
    assert share[0] == pytest.approx(0.2)
    assert share[-1] == 1.0
    lines = re.findall(r'<path class="grid" d="M(\d+) 0V400"/>', svg)
    axis = plots.curve_axis(found)
    assert [int(x) for x in lines] == [round(1000 * axis.at(t)) for t in (1, 25, 200, 750, 2500)]
    assert 'd="M0 300H1000M0 200H1000M0 100H1000"' in svg
    assert 'preserveAspectRatio="none"' in svg
    zero = plots.error_curve(result((0, 25)))
    assert len(re.findall(r"0V400", zero)) == 1
    assert len(re.findall(r'class="own"', zero)) == 1


def test_an_error_is_within_its_own_distance():
    errors = {"id": list("abcd"), "distance_km": [0.1, 0.1, 5.0, 30_000.0]}
    svg = plots.error_curve(evaluation.evaluate(errors, thresholds_km=(25,)))
    assert re.search(r'class="curve" d="M0 (\d+)', svg)[1] == "200"


def test_whiskers_reach_from_low_to_high():
    found = result()
    svg = plots.error_curve(found)
    for t, interval in found.intervals.items():
        x = f"{1000 * plots.curve_axis(found).at(t):.0f}"
        top, bottom = 400 * (1 - interval.high), 400 * (1 - interval.low)
        assert f'class="whisker" d="M{x} {top:.1f}V{bottom:.1f}"' in svg
    bare = replace(found, intervals=dict.fromkeys(found.intervals))
    assert "whisker" not in plots.error_curve(bare)
    assert plots.error_curve(bare).count('class="own"') == 5
    assert "20.00% (–)</title>" in plots.error_curve(bare)


# classes of errors


@pytest.mark.parametrize(
    ("thresholds", "at"),
    [((1.0,), [0, 5]), ((1.0, 2.0), [0, 2, 5]), ((1.0, 2.0, 3.0), [0, 2, 3, 5]),
     ((1.0, 2.0, 3.0, 4.0), [0, 1, 2, 4, 5]), ((1.0, 2.0, 3.0, 4.0, 5.0), [0, 1, 2, 3, 4, 5])],
)  # fmt: skip
def test_colours_of_classes_go_from_end_to_end(thresholds, at):
    ends, colours = plots.error_classes(thresholds)
    assert ends == list(thresholds)
    assert colours == [plots.RAMP[i] for i in at]


def test_an_error_at_a_threshold_is_below_it_and_large_ones_come_first():
    some = [*rows(1, 1.0), *rows(1, 25.0), *rows(1, 25.1), *rows(1, 0.5)]
    assert [(i, [row.distance_km for row in members]) for i, members in plots._by_class(
        some, [1.0, 25.0])] == [(2, [25.1]), (1, [25.0]), (0, [1.0, 0.5])]  # fmt: skip
    assert list(plots._by_class([], [1.0])) == []


@pytest.mark.parametrize(
    ("share", "colour"), [(0.0, 0), (0.19, 0), (0.2, 1), (0.79, 3), (0.8, 4), (1.0, 4)]
)
def test_the_colour_of_a_share(share, colour):
    assert plots.share_colour(share) == plots.SHARE_RAMP[colour]


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("50.00", "width:50.0%;background:#72b0a0"),
        ("0.04", "width:0.0%;background:#e6c265"),
        ("100", "width:100.0%;background:#1d4e79"),
        ("–", None),
    ],
)
def test_a_bar_is_as_wide_as_its_share(text, drawn):
    assert figures.bar(text) == (
        f'<span class="bar"><i style="{drawn}"></i></span>' if drawn else ""
    )


# the map of errors


def test_lines_lead_to_the_first_two_hundred_far_answers():
    near, far = rows(3, 200.0), rows(205, 200.1)
    assert plots.far_rows([*near, *far]) == list(far[:200])
    assert plots.far_rows(near) == []
    caption = figures.error_map(replace(result(), sample=(*near, *far)))
    assert "208 of 5 answered rows" in caption
    assert "more than 200 km off, 200 of 205." in caption
    assert figures.error_map(replace(result(), sample=())) == ""


@pytest.mark.parametrize(
    ("far", "opacity"), [(1, "0.70"), (85, "0.70"), (86, "0.70"), (100, "0.60"), (200, "0.30")]
)
def test_many_lines_are_fainter(far, opacity):
    svg = plots.error_map(replace(result(), sample=rows(far, 300.0)))
    assert set(re.findall(r'opacity="([0-9.]+)"', svg)) == {opacity}


@pytest.mark.parametrize(("count", "size"), [(500, "large point"), (501, "point")])
def test_few_points_are_large(count, size):
    svg = plots.error_map(replace(result(), sample=rows(count, 5.0)))
    assert set(re.findall(r'class="((?:large )?point)"', svg)) == {size}


@pytest.mark.parametrize(("count", "layers"), [(100, 1), (101, 2), (200, 2), (201, 3)])
def test_points_are_drawn_a_hundred_at_a_time(count, layers):
    svg = plots.error_map(replace(result(), sample=rows(count, 5.0)))
    paths = re.findall(r'<path class="large point" stroke="[^"]*" d="([^"]*)"/>', svg)
    assert [len(re.findall("h0", path)) for path in paths] == [
        min(100, count - 100 * i) for i in range(layers)
    ]


@pytest.mark.parametrize(
    ("lats", "south", "north"),
    [([], -60.0, 84.5), ([-59.9, 84.4], -60.0, 84.5), ([-60.0], -90.0, 84.5), ([84.5], -60.0, 90.0),
     ([-70.0, 89.0], -90.0, 90.0)],
)  # fmt: skip
def test_the_map_reaches_as_far_as_its_points(lats, south, north):
    frame = plots._frame(lats)
    assert (frame.south, frame.north, frame.width) == (south, north, 3600)
    x, y = frame.xy([north, south, 0.0], [0.0, 0.0, 180.0]).T.tolist()
    assert (x, y[0]) == ([1800, 1800, 3600], 0)
    assert 0 <= frame.height - y[1] <= 1


@pytest.mark.parametrize(
    ("lat", "pred_lat", "reach"),
    [(0.0, 10.0, []), (-75.0, 0.0, [-75.0]), (0.0, -75.0, [-75.0]), (0.0, 88.0, [88.0]),
     (88.0, -75.0, [88.0, -75.0])],
)  # fmt: skip
def test_the_map_reaches_to_the_answers_as_to_the_photos(lat, pred_lat, reach):
    one = Row("a", lat, 5.0, pred_lat, 6.0, 9000.0)
    svg = plots.error_map(replace(result(), sample=(one,)))
    height = int(re.search(r'viewBox="0 0 3600 ([0-9]+)"', svg)[1])
    assert height == plots._frame(reach).height
    assert (height > WORLD.height) == bool(reach)
    drawn = re.search(r'<path class="arc"[^>]* d="([^"]*)"', svg)[1]
    y = [int(pair.split()[1]) for pair in re.split("[ML]", drawn) if pair]
    assert 0 <= min(y) <= max(y) <= height


# countries


def test_countries_of_few_rows_are_hatched():
    codes = ["FR"] * 10 + ["DE"] * 9
    ids = [str(i) for i in range(19)]
    truth = {"id": ids, "lat": [0.0] * 19, "lon": [0.0] * 19, "country": codes}
    found = evaluation.evaluate(truth, truth, regions=False, by=("country",))
    groups = {g.value: g for g in found.scores.by["country"]}
    svg = plots.choropleth(groups, {"FR": "France"}, 200.0)
    titles = re.findall(r"<title>([^<]*)</title>", svg)
    assert sorted(titles) == [
        "DE: 100.0% of 9 rows within 200 km, median error 0.000 km",
        "France: 100.0% of 10 rows within 200 km, median error 0.000 km",
    ]
    drawn = dict(re.findall(r"<title>(\w+):[^<]*</title>(.*?)</g>", svg))
    assert ('fill="url(#few)"' in drawn["DE"], 'fill="url(#few)"' in drawn["France"]) == (
        True,
        False,
    )
    page = figures.country_map(found)
    assert "than 10 rows (1 of 2 countries)" in page
    assert "within 200 km; grey: no rows" in page
    none = {"FR": replace(groups["FR"], accuracy={200.0: None})}
    assert "<title>" not in plots.choropleth(none, {}, 200.0)
    wrong = {"FR": replace(groups["FR"], accuracy={200.0: 0.0})}  # is not the grey of no rows
    (drawn,) = re.findall("<g fill=.*?</g>", plots.choropleth(wrong, {}, 200.0))
    assert "<title>FR: 0.0% of 10 rows within 200 km" in drawn
    assert figures.country_map(result()) == ""
    assert figures.country_map(result(country=["Nowhere"] * 5)) == ""


def test_large_countries_lie_below_small_ones():
    land = list(plots._land(WORLD))
    assert land.index("ZA") < land.index("LS")
    assert land.index("IT") < land.index("SM")
    assert "AQ" not in land
    assert "AQ" in plots._land(plots._frame([-80.0]))


def test_a_ring_is_told_in_steps_without_those_that_stay():
    points = np.array([[5, 5], [5, 5], [7, 4], [7, 9], [7, 9], [3, 9]])
    assert plots._ring(points) == "M5 5l2-1l0 5l-4 0Z"
    assert plots._path(np.array([[1.04, 2.0], [3.0, 4.26]])) == "M1 2L3 4.3"
    assert plots._path(np.array([[1, 2], [3, 4]])) == "M1 2L3 4"
