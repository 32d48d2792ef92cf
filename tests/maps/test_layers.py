"""Every layer of a map, told as text: what lies where, in which order, colour, width and words."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image
from pyproj import Proj

from geodata import maps
from geodata.maps import cells, projection, world

EARTH = Proj(proj="eqearth", R=1.0)
INK = {False: "#17202a", True: "#e6ebf0"}


def colours(values):
    return " ".join(to_hex(value, keep_alpha=True) for value in values) or "none"


def box(xy):
    """Return west, east, south and north of what is drawn, in degrees where it can be read back."""
    xy = np.asarray(xy, float).reshape(-1, 2)
    if not len(xy):
        return "nowhere"
    return " ".join(f"{value:.2f}" for value in (*xy.min(0), *xy.max(0)))


def layer(one):
    """Return one artist as a line: kind, layer, colours, width, opacity, how many, and its box."""
    kind = type(one).__name__
    if kind == "Line2D":
        what = (
            to_hex(one.get_color()),
            one.get_linewidth(),
            one.get_alpha(),
            box(one.get_xydata()),
        )
    elif kind == "Polygon":
        what = (to_hex(one.get_facecolor()), box(one.get_xy()))
    elif kind == "PathCollection":
        at = np.asarray(one.get_offsets())
        face, edge = colours(one.get_facecolor()), colours(one.get_edgecolor())
        what = (face, edge, one.get_sizes().tolist(), one.get_linewidth().tolist(), box(at))
    else:
        corners = [path.vertices for path in one.get_paths() if len(path.vertices)]
        edges, widths = colours(one.get_edgecolor()), one.get_linewidth().tolist()
        what = (colours(one.get_facecolor()), edges, widths, one.get_alpha(), len(corners))
        what += (box(np.concatenate(corners)) if corners else "nowhere",)
    label = one.get_label() or "_"
    told = "" if label.startswith("_") else f" {label!r}"
    return f"{kind} {one.get_zorder()} {' '.join(map(str, what))}{told}"


def layers(drawn):
    return [layer(one) for one in (*drawn.axes.patches, *drawn.axes.collections, *drawn.axes.lines)]


def fresh(drawn):
    """Return the layers that were drawn on an empty map."""
    empty = layers(maps.WorldMap(dark=drawn.paper is world.DARK))
    return [line for line in layers(drawn) if line not in empty]


@pytest.mark.parametrize("dark", [False, True])
def test_an_empty_map_is_sea_then_land(dark):
    drawn = maps.WorldMap("The title", dark=dark)
    sea, land = layers(drawn)
    x, south, north = 2.7066, EARTH(0, -60)[1], EARTH(0, 84.5)[1]
    paper = {False: ("#f3f6f8", "#e2e3de", "#ffffff"), True: ("#1a222b", "#39434d", "#1a222b")}[
        dark
    ]
    assert sea == f"Polygon 0 {paper[0]} {-x:.2f} {south:.2f} {x:.2f} {north:.2f}"
    assert land.startswith(f"PolyCollection 1 {paper[1]}ff {paper[2]}ff [0.35] None ")
    assert int(land.split()[6]) == sum(map(len, maps.outlines().values()))
    title = drawn.axes._left_title
    assert (title.get_text(), to_hex(title.get_color()), title.get_size()) == (
        "The title",
        INK[dark],
        12,
    )
    assert not drawn.axes.axison
    assert drawn.axes.get_aspect() == 1
    assert np.allclose(drawn.axes.get_xlim(), (-x * 1.01, x * 1.01), atol=1e-4)
    assert np.allclose(drawn.axes.get_ylim(), (south, north))
    assert maps.WorldMap().axes.get_title(loc="left") == ""


def test_the_sheet_is_as_wide_as_asked_for_and_half_as_high():
    figure = maps.WorldMap().figure
    assert figure.get_size_inches().tolist() == [9.0, 9.0 * 0.52]
    assert (figure.dpi, to_hex(figure.get_facecolor())) == (130, "#ffffff")
    assert figure.get_layout_engine().__class__.__name__ == "ConstrainedLayoutEngine"
    wide = maps.WorldMap(width=4.0, dark=True).figure
    assert wide.get_size_inches().tolist() == [4.0, 2.08]
    assert to_hex(wide.get_facecolor()) == "#12171d"
    part = maps.WorldMap(axes=figure.add_subplot(), width=1.0)
    assert part.figure is figure


def test_points_are_dots_of_one_colour_above_the_land():
    drawn = maps.WorldMap()
    drawn.points([48.0, -20.0, 95.0, None], [2.0, 120.0, 0.0, 0.0], "two", size=7.0)
    (x1, y1), (x2, y2) = EARTH(2.0, 48.0), EARTH(120.0, -20.0)
    assert fresh(drawn) == [
        f"PathCollection 4 #1d4e79ff #1d4e79ff [7.0] [0] {x1:.2f} {y2:.2f} {x2:.2f} {y1:.2f}",
        "PathCollection 1 #1d4e79ff #1d4e79ff [28] [1.0] nowhere 'two'",
    ]
    drawn = maps.WorldMap(dark=True)
    drawn.points([0.0], [0.0], colour="#123456")
    assert fresh(drawn) == ["PathCollection 4 #123456ff #123456ff [22.0] [0] 0.00 0.00 0.00 0.00"]


@pytest.mark.parametrize(
    ("count", "size"), [(1, 22.0), (409, 22.0), (450, 20.0), (1000, 9.0), (6000, 1.5), (9000, 1.5)]
)
def test_dots_shrink_as_there_are_more_of_them(count, size):
    drawn = maps.WorldMap()
    drawn.points(np.zeros(count), np.linspace(-170, 170, count))
    assert f"[{size}]" in fresh(drawn)[0]


def test_no_points_are_no_reason_to_fail():
    drawn = maps.WorldMap()
    drawn.points([], [], "none")
    assert [line.split()[-2:] for line in fresh(drawn)] == [
        ["[0]", "nowhere"],
        ["nowhere", "'none'"],
    ]


def test_the_map_reaches_two_degrees_beyond_what_lies_beyond_it():
    drawn = maps.WorldMap()
    drawn.points([-57.0, 82.0], [0.0, 0.0])
    drawn.fit()
    assert np.allclose(drawn.axes.get_ylim(), (EARTH(0, -60)[1], EARTH(0, 84.5)[1]))
    drawn.points([-75.0], [0.0])
    drawn.points([87.0], [0.0])
    drawn.fit()
    assert np.allclose(drawn.axes.get_ylim(), (EARTH(0, -77)[1], EARTH(0, 89)[1]))
    sea = drawn._sea.get_xy()
    assert np.allclose((sea[:, 1].min(), sea[:, 1].max()), drawn.axes.get_ylim())
    drawn.points([-89.5, 89.5], [0.0, 0.0])
    drawn.fit()  # there is no sea beyond the poles
    sea = drawn._sea.get_xy()
    assert np.allclose((sea[:, 1].min(), sea[:, 1].max()), (EARTH(0, -90)[1], EARTH(0, 90)[1]))


def test_the_globe_is_91_points_up_the_east_and_91_down_the_west():
    x, y = world._globe(-60.0, 84.5)
    up = np.linspace(-60.0, 84.5, 91)
    east, west = EARTH(np.full(91, 180.0 - 1e-12), up), EARTH(np.full(91, -180.0), up[::-1])
    assert np.allclose(x, [*east[0], *west[0]])
    assert np.allclose(y, [*east[1], *west[1]])


def cell(lat, lon):
    counts = np.zeros(maps.SHAPE, np.int64)
    for at, on in zip(lat, lon, strict=True):
        counts[int((at + 90) * 2), int((on + 180) * 2)] += 1
    return counts


def test_shaded_half_degrees_lie_where_they_are_true():
    drawn = maps.WorldMap()
    marked = np.zeros(maps.SHAPE, bool)
    marked[200:240, 300:340] = True  # 10 to 30 degrees north, 30 to 10 west
    drawn.shade(marked, "near")
    tint, entry = fresh(drawn)
    kind, order, face, edge, *_, opacity, _, west, south, east, north = tint.split()
    assert (kind, order, face, edge, opacity) == (
        "QuadContourSet", "2", "#dc8a3c4c", "none", "0.3"
    )  # fmt: skip
    found = [float(value) for value in (west, south, east, north)]
    want = (EARTH(-30, 10)[0], EARTH(0, 10)[1], EARTH(-10, 30)[0], EARTH(0, 30)[1])
    assert np.allclose(found, want, atol=0.006)
    assert entry == "PathCollection 1 #dc8a3c4c #dc8a3c4c [28] [1.0] nowhere 'near'"


def bar_of(drawn):
    (bar,) = [axes for axes in drawn.figure.axes if axes is not drawn.axes]
    return bar


@pytest.mark.parametrize("dark", [False, True])
def test_counts_have_colours_by_their_logarithm_and_a_bar(dark):
    drawn = maps.WorldMap(dark=dark)
    drawn.counts(cell([10.2] * 9 + [20.2] * 3 + [30.2], [5.2] * 9 + [6.2] * 3 + [7.2]))
    (dots,) = [one for one in drawn.axes.collections if one.get_zorder() == 4]
    assert dots.get_array().tolist() == [1, 3, 9]  # fuller ones are drawn over emptier ones
    assert np.allclose(
        dots.get_offsets(), np.transpose(EARTH([7.25, 6.25, 5.25], [30.25, 20.25, 10.25]))
    )
    assert (dots.norm.__class__.__name__, dots.norm.vmin, dots.norm.vmax) == ("LogNorm", 1, 9)
    ramp = [to_hex(dots.cmap(share)) for share in (0.0, 1.0)]
    assert ramp == (["#4f8fb3", "#fff3cf"] if dark else ["#e6c265", "#1d4e79"])
    assert to_hex(dots.cmap(0.5), keep_alpha=False) == ("#b3c18a" if dark else "#72b0a0")
    bar = bar_of(drawn)
    drawn.figure.draw_without_rendering()
    label = bar.yaxis.label
    assert (label.get_text(), label.get_size(), to_hex(label.get_color())) == (
        "rows in half a degree", 8, INK[dark]
    )  # fmt: skip
    ticks = [*bar.yaxis.get_major_ticks(), *bar.yaxis.get_minor_ticks()]
    assert {to_hex(t.label2.get_color()) for t in ticks} == {INK[dark]}
    assert {t.label2.get_size() for t in ticks} == {8}
    assert not bar.spines["outline"].get_visible()
    assert bar.yaxis.get_major_formatter()(1234.0) == "1,234"
    assert bar.yaxis.get_minor_formatter()(2.0) == "2"
    size = bar._colorbar_info
    assert (size["shrink"], size["pad"], size["aspect"]) == (0.6, 0.01, 28)
    assert size["parents"] == [drawn.axes]
    assert not drawn.axes.get_legend_handles_labels()[1]


@pytest.mark.parametrize(("most", "told"), [(10, "2"), (11, "")])
def test_minor_marks_are_numbered_up_to_ten(most, told):
    drawn = maps.WorldMap()
    drawn.counts(cell([0.2] * most + [1.2], [0.2] * most + [1.2]))
    drawn.figure.draw_without_rendering()
    assert bar_of(drawn).yaxis.get_minor_formatter()(2.0) == told


@pytest.mark.parametrize(("each", "said"), [(1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")])
def test_counts_that_are_the_same_are_told_in_the_legend(each, said):
    drawn = maps.WorldMap()
    drawn.counts(cell([10.2] * each + [20.2] * each, [5.2] * each + [6.2] * each))
    dots, entry = fresh(drawn)
    assert dots.startswith("PathCollection 4 #1d4e79ff #1d4e79ff [22.0] [0] ")
    assert entry == (
        f"PathCollection 1 #1d4e79ff #1d4e79ff [28] [1.0] nowhere '{said} in half a degree'"
    )
    assert drawn.figure.axes == [drawn.axes]


def test_counts_of_nothing_draw_nothing():
    drawn = maps.WorldMap()
    drawn.counts(np.zeros(maps.SHAPE, np.int64))
    assert fresh(drawn) == []


def test_regions_are_filled_below_the_dots():
    drawn = maps.WorldMap()
    ring = np.array([[0.0, 10.0], [20.0, 10.0], [20.0, 30.0], [0.0, 10.0]])
    drawn.regions([ring], "#aa0000", "red", alpha=0.5)
    x1, y1 = EARTH(20, 10)
    y2 = EARTH(0, 30)[1]
    assert fresh(drawn) == [
        f"PolyCollection 2 #aa000080 #ffffff80 [0.15] 0.5 1 0.00 {y1:.2f} {x1:.2f} {y2:.2f}",
        "PathCollection 1 #aa000080 #aa000080 [28] [1.0] nowhere 'red'",
    ]
    drawn = maps.WorldMap()
    drawn.regions([ring])
    assert fresh(drawn)[0].startswith("PolyCollection 2 #e2e3deff #ffffffff [0.15] 1.0 1 ")
    assert len(fresh(drawn)) == 1
    drawn.regions([], "#00aa00", "nothing to see")
    assert len(fresh(drawn)) == 1


def test_circles_are_outlines_around_each_point():
    drawn = maps.WorldMap()
    drawn.circles([0.0, 40.0], [0.0, 90.0], 1111.949266, "1,000 km")
    first, second, entry = sorted(fresh(drawn), key=lambda line: line.startswith("Path"))
    x, y = EARTH(10, 0)[0], EARTH(0, 10)[1]
    assert first == f"Line2D 3 #dc8a3c 0.8 None {-x:.2f} {-y:.2f} {x:.2f} {y:.2f}"
    assert f"{EARTH(0, 30)[1]:.2f} " in second
    assert second.endswith(f" {EARTH(0, 50)[1]:.2f}")
    assert entry == "PathCollection 1 none #dc8a3cff [28] [1.0] nowhere '1,000 km'"
    with pytest.raises(ValueError, match="shorter"):
        drawn.circles([0.0, 1.0], [0.0], 10.0)


def test_ways_are_great_circles_in_their_own_colours():
    drawn = maps.WorldMap()
    drawn.ways([(0.0, 0.0, 0.0, 90.0), (0.0, 170.0, 0.0, -170.0)], ["#00aa00", "#aa0000"])
    whole, edge, near = EARTH(90, 0)[0], 2.71, EARTH(170, 0)[0]
    assert fresh(drawn) == [
        f"Line2D 3 #00aa00 0.7 0.75 0.00 0.00 {whole:.2f} 0.00",
        f"Line2D 3 #aa0000 0.7 0.75 {near:.2f} 0.00 {edge:.2f} 0.00",
        f"Line2D 3 #aa0000 0.7 0.75 {-edge:.2f} 0.00 {-near:.2f} 0.00",
    ]
    with pytest.raises(ValueError, match="shorter"):
        drawn.ways([(0.0, 0.0, 0.0, 90.0)], [])


@pytest.mark.parametrize("dark", [False, True])
def test_a_saved_map_has_a_legend_of_what_was_named(tmp_path, dark):
    drawn = maps.WorldMap(dark=dark)
    drawn.points([1.0], [1.0])
    drawn.save(tmp_path / "a.svg")
    assert drawn.axes.get_legend() is None
    drawn.points([-80.0], [1.0], "named")
    drawn.save(tmp_path / "a.svg")
    legend = drawn.axes.get_legend()
    (text,) = legend.get_texts()
    assert (text.get_text(), text.get_size(), to_hex(text.get_color())) == ("named", 8, INK[dark])
    assert not legend.get_frame_on()
    assert legend._loc == 3  # lower left
    assert drawn.axes.get_ylim()[0] == pytest.approx(EARTH(0, -82)[1])


def test_a_saved_map_says_nothing_of_when_or_by_what_it_was_made(tmp_path):
    drawn = maps.WorldMap("t")
    for ending in ("svg", "pdf", "png"):
        drawn.save(tmp_path / f"a.{ending}")
        drawn.save(tmp_path / f"b.{ending}")
        first = (tmp_path / f"a.{ending}").read_bytes()
        assert first == (tmp_path / f"b.{ending}").read_bytes()
        assert not [w for w in (b"dc:date", b"CreationDate", b"Software") if w in first]
    assert drawn._repr_png_() == (tmp_path / "a.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        wide, high = image.size
    assert 1170 < wide < 1190  # 9 inches of 130 points, tight around what is drawn
    assert 530 < high < 640


def test_a_line_is_cut_at_each_crossing_of_the_antimeridian():
    lat = np.array([0.0, 10.0, 20.0, 30.0, 20.0, 10.0])
    lon = np.array([170.0, -170.0, -160.0, -175.0, 175.0, 165.0])
    pieces = [piece.round(6).tolist() for piece in projection.cut(lat, lon)]
    assert pieces == [
        [[0.0, 170.0], [5.0, 180.0]],
        [[5.0, -180.0], [10.0, -170.0], [20.0, -160.0], [30.0, -175.0], [25.0, -180.0]],
        [[25.0, 180.0], [20.0, 175.0], [10.0, 165.0]],
    ]
    whole = projection.cut(np.array([1.0, 2.0]), np.array([-90.0, 90.0]))
    assert [piece.tolist() for piece in whole] == [[[1.0, -90.0], [2.0, 90.0]]]


@pytest.mark.parametrize(
    ("ends", "count"),
    [((0, 0, 0, 2.0), 2), ((0, 0, 0, 2.3), 3), ((0, 0, 0, 90), 42), ((5, 5, 5, 5), 2)],
)
def test_a_great_circle_has_a_point_each_250_km(ends, count):
    (piece,) = maps.great_circle(*ends)
    assert len(piece) == count
    assert np.allclose(piece[[0, -1]], [ends[:2], ends[2:]])
    steps = [np.hypot(*np.subtract(b, a)) * 111.195 for a, b in itertools.pairwise(piece)]
    assert max(steps) <= 250.0
    assert np.allclose(steps, steps[0])


@pytest.mark.parametrize(
    ("ends", "over"),
    [
        ((10.0, 20.0, -10.0, -160.0), (90.0, None)),
        ((-10.0, 20.0, 10.0, -160.0), (90.0, None)),
        ((89.5, 0.0, -89.5, 180.0), (0.0, 0.0)),
        ((90.0, 30.0, -90.0, 30.0), (0.0, 30.0)),
    ],
)
def test_antipodes_are_joined_over_the_pole_and_poles_over_the_equator(ends, over):
    pieces = maps.great_circle(*ends)
    assert np.allclose(pieces[0][0], ends[:2], atol=1e-6)
    assert np.allclose(pieces[-1][-1][0], ends[2], atol=1e-6)
    points = np.concatenate(pieces)
    near = np.abs(points[:, 0] - over[0]) < 1e-6
    assert near.any()
    if over[1] is not None:
        assert np.allclose(points[near][:, 1], over[1])
    assert all(np.isfinite(piece).all() for piece in pieces)


def test_a_cap_is_73_points_and_closes():
    for at in ((0.0, 0.0), (50.0, -120.0)):
        (edge,) = maps.cap(*at, 300.0)
        assert edge.shape == (73, 2)
        assert np.allclose(edge[0], edge[-1])
        assert np.allclose(
            edge[0], (at[0] + np.degrees(300 / 6371.0), at[1])
        )  # it begins in the north
    assert len(maps.cap(0.0, 179.5, 300.0)) == 3


def test_half_degrees_are_counted_by_their_south_west_corner():
    lat = np.array([-90.0, -89.5001, -89.5, 89.5, 90.0, 0.0])
    lon = np.array([-180.0, -179.5001, -179.5, 179.5, 180.0, 0.0])
    counts = cells.count_cells(lat, lon)
    assert cells.SHAPE == counts.shape == (360, 720)
    assert {(int(r), int(c)): int(counts[r, c]) for r, c in np.argwhere(counts)} == {
        (0, 0): 2, (1, 1): 1, (359, 719): 2, (180, 360): 1
    }  # fmt: skip
    many, at_lat, at_lon = cells.counted(counts)
    assert many.tolist() == [1, 1, 2, 2]
    assert at_lat.tolist() == [-89.25, 0.25, -89.75, 89.75]
    assert at_lon.tolist() == [-179.25, 0.25, -179.75, 179.75]
