"""Where shapes of a map lie to the last digit, its legend, and what its files do not tell."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from geodata import maps
from geodata.maps import interactive, land, projection, world
from geodata.maps.projection import project
from tests.maps.pages import parts_of


def ring_places():
    """Every ring of land in degrees, (lat, lon), as it is projected."""
    return [
        np.transpose(project(ring[:, 1] / 100, ring[:, 0] / 100))
        for rings in maps.outlines().values()
        for ring in rings
    ]


def test_land_lies_where_its_outlines_do():
    (drawn,) = maps.WorldMap().axes.collections
    paths = [path.vertices for path in drawn.get_paths()]
    expected = ring_places()
    assert len(paths) == len(expected)
    for path, ring in zip(paths, expected, strict=True):
        np.testing.assert_allclose(path[: len(ring)], ring, atol=1e-12)
    west, south, east, north = (*np.concatenate(expected).min(0), *np.concatenate(expected).max(0))
    assert (west, east) == pytest.approx((-2.7, 2.7), abs=0.1)
    assert -1.4 < south < -1.2
    assert 1.2 < north < 1.35


def test_outlines_are_sums_of_steps_in_hundredths_of_a_degree():
    import pyarrow.parquet as pq

    land.outlines.cache_clear()
    found = land.outlines()
    assert set(map(type, found.values())) == {list}
    path = land.resources.files("geodata.maps").joinpath("world.parquet")
    with path.open("rb") as file:
        rows = pq.read_table(file).to_pylist()
    assert sum(map(len, found.values())) == len(rows)
    first = next(row for row in rows if row["code"] == "FR")
    ring = found["FR"][0]
    assert ring[:, 0].tolist() == np.cumsum(first["lon"]).tolist()
    assert ring[:, 1].tolist() == np.cumsum(first["lat"]).tolist()
    assert ring.dtype == np.int16
    every = np.concatenate([ring for rings in found.values() for ring in rings])
    assert np.abs(every).max(axis=0).tolist() <= [18_000, 9_000]


def test_a_tint_ends_where_its_half_degrees_end():
    drawn = maps.WorldMap()
    marked = np.zeros(maps.SHAPE, bool)
    marked[200:240, 360] = True  # 10 to 30 degrees north, half a degree east of Greenwich
    drawn.shade(marked)
    (tint,) = [one for one in drawn.axes.collections if one.get_zorder() == 2]
    xy = np.concatenate([path.vertices for path in tint.get_paths()])
    assert (xy[:, 1].min(), xy[:, 1].max()) == pytest.approx(
        [float(project(lat, 0.0)[1]) for lat in (10.0, 30.0)], abs=2e-4
    )
    assert (xy[:, 0].min(), xy[:, 0].max()) == pytest.approx(
        [0.0, float(project(10.25, 0.5)[0])], abs=2e-4
    )
    assert len(drawn.axes.get_legend_handles_labels()[0]) == 0


def marks(drawn):
    """Return (label, corners, size, face, edge) of each entry of the legend."""
    handles, labels = drawn.axes.get_legend_handles_labels()
    return [
        (label, len(one.get_paths()[0].vertices), one.get_sizes().tolist(),
         *(to_hex(c[0], keep_alpha=True) if len(c) else None
           for c in (one.get_facecolor(), one.get_edgecolor())))
        for one, label in zip(handles, labels, strict=True)
    ]  # fmt: skip


SQUARE, CIRCLE = 5, 26


def test_entries_of_the_legend_are_squares_and_circles():
    drawn = maps.WorldMap()
    drawn.shade(np.ones(maps.SHAPE, bool), "tint")
    drawn.points([1.0], [2.0], "dot", colour="#123456")
    drawn.regions([np.array([[0.0, 0.0], [5.0, 0.0], [5.0, 5.0]])], "#654321", "area", alpha=0.5)
    drawn.circles([0.0], [0.0], 100.0, "around")
    drawn.counts(np.eye(*maps.SHAPE, dtype=int) * 7)
    assert marks(drawn) == [
        ("tint", SQUARE, [28], "#dc8a3c4c", "#dc8a3c4c"),
        ("dot", CIRCLE, [28], "#123456ff", "#123456ff"),
        ("area", SQUARE, [28], "#65432180", "#65432180"),
        ("around", CIRCLE, [28], None, "#dc8a3cff"),
        ("7 rows in half a degree", CIRCLE, [28], "#1d4e79ff", "#1d4e79ff"),
    ]


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_a_file_does_not_tell_when_or_with_what_it_was_drawn(tmp_path, ending):
    for name in "ab":
        drawn = maps.WorldMap("t")
        drawn.points([1.0], [2.0], "dot")
        drawn.save(tmp_path / f"{name}.{ending}")
    data = (tmp_path / f"a.{ending}").read_bytes()
    assert data == (tmp_path / f"b.{ending}").read_bytes()
    for word in (b"dc:date", b"CreationDate", b"Software"):
        assert word not in data


def test_a_map_is_framed_with_its_legend_when_it_is_written(tmp_path):
    drawn = maps.WorldMap(dark=True)
    drawn.points([88.0], [2.0], "dot")
    drawn.save(tmp_path / "a.svg")
    legend = drawn.axes.get_legend()
    assert (legend._loc, legend.get_frame_on()) == (3, False)
    (text,) = legend.get_texts()
    assert (text.get_text(), text.get_size(), to_hex(text.get_color())) == ("dot", 8, "#e6ebf0")
    assert drawn.axes.get_ylim()[1] == pytest.approx(float(project(90.0, 0.0)[1]))
    shown = maps.WorldMap()
    shown.points([88.0], [2.0], "dot")
    assert shown._repr_png_().startswith(b"\x89PNG")
    assert shown.axes.get_legend() is not None
    assert shown.axes.get_ylim() == drawn.axes.get_ylim()
    bare = maps.WorldMap()
    bare.points([1.0], [2.0])
    bare.save(tmp_path / "b.svg")
    assert bare.axes.get_legend() is None


# great circles


@pytest.mark.parametrize(
    ("ends", "top"),
    [((89.0, 0.0, -89.0, 180.0), 90.0), ((89.1, 0.0, -89.1, 180.0), 89.1),
     ((-89.0, 0.0, 89.0, 180.0), 90.0), ((-89.1, 0.0, 89.1, 180.0), 89.1)],
)  # fmt: skip
def test_antipodes_within_a_degree_of_the_poles_are_joined_over_the_equator(ends, top):
    points = np.concatenate(maps.great_circle(*ends))
    assert np.abs(points[:, 0]).max() == pytest.approx(top, abs=1e-6)


@pytest.mark.parametrize(("apart", "over"), [(5e-7, True), (2e-6, False)])
def test_nearly_antipodes_have_no_circle_of_their_own(apart, over):
    """Apart in radians, eastwards; their own circle leaves the meridian."""
    pieces = maps.great_circle(0.0, 20.0, 0.0, -160.0 + np.degrees(apart))
    top = np.concatenate(pieces)[:, 0].max()
    assert top == pytest.approx(90.0 if over else 0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("lon", "share"), [((170.0, -170.0), 0.5), ((100.0, -100.0), 0.5), ((-150.0, 120.0), 1 / 3),
                       ((179.0, -172.0), 1 / 9)],
)  # fmt: skip
def test_a_line_crosses_the_antimeridian_where_it_does(lon, share):
    lat = np.array([5.0, 10.0, 40.0])
    side = np.copysign(180.0, lon[0])
    first, second = projection.cut(lat, np.array([lon[0], *lon]))
    at = 10.0 + 30.0 * share
    np.testing.assert_allclose(first, [[5.0, lon[0]], [10.0, lon[0]], [at, side]])
    np.testing.assert_allclose(second, [[at, -side], [40.0, lon[1]]])
    assert len(projection.cut(lat, np.array([0.0, 90.0, -90.0]))) == 1


def test_a_point_is_its_own_great_circle():
    for apart in (0.0, 1e-9):
        (piece,) = maps.great_circle(10.0, 20.0, 10.0 + apart, 20.0)
        assert piece.tolist() == [pytest.approx([10.0, 20.0])] * 2
    assert projection.STEP_KM == 250.0


def test_points_of_a_great_circle_lie_on_it_and_are_evenly_apart():
    """Against vectors: the middle of two is their sum; a quarter is the middle of a half."""
    (piece,) = maps.great_circle(10.0, 20.0, 40.0, 90.0)
    a, b = (projection._vector(*end) for end in ((10.0, 20.0), (40.0, 90.0)))
    pole = np.cross(a, b)
    points = np.array([projection._vector(*point) for point in piece])
    assert np.abs(points @ pole).max() < 1e-12
    steps = np.arccos(np.clip((points[1:] * points[:-1]).sum(axis=1), -1, 1))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert len(points) == int(np.ceil(np.arccos(a @ b) * 6371 / 250)) + 1


# the page


def test_land_of_a_page_lies_where_its_outlines_do():
    pytest.importorskip("bokeh", reason="the extra map is not installed")
    drawn = interactive._figure("t", world.LIGHT)
    (land_drawn,) = drawn.renderers
    data = land_drawn.data_source.data
    expected = ring_places()
    assert len(data["xs"]) == len(data["ys"]) == len(expected)
    for x, y, ring in zip(data["xs"], data["ys"], expected, strict=True):
        np.testing.assert_array_equal(np.transpose([x, y]), np.round(ring, 4))


def test_dots_of_a_page_tell_their_half_degree_and_fuller_ones_come_last(tmp_path):
    pytest.importorskip("bokeh", reason="the extra map is not installed")
    counts = np.zeros(maps.SHAPE, np.int64)
    counts[[10, 200, 300], [700, 400, 20]] = [5, 1, 3]
    drawn = interactive._figure("t", world.DARK)
    interactive._dots(drawn, counts, world.DARK)
    data = drawn.renderers[1].data_source.data
    assert [data[name].tolist() for name in ("rows", "lat", "lon")] == [
        [1, 3, 5], [10.25, 60.25, -84.75], [20.25, -169.75, 170.25]
    ]  # fmt: skip
    x, y = project(data["lat"], data["lon"])
    assert data["x"].tolist() == np.round(x, 4).tolist()
    assert data["y"].tolist() == np.round(y, 4).tolist()
    maps.write_page(tmp_path / "m.html", "t", counts)
    assert len(parts_of(tmp_path / "m.html")["ColumnDataSource"]) == 2
