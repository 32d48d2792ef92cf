"""The index against plain shapely: R2 (one owner a point), R3 (label correctness), R5."""

from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from geodata import locate
from geodata.files import FileError
from geodata.locate import building, index


def oracle(polygons, layers, lat, lon):
    """Smallest polygon of each layer that covers the point, by shapely alone."""
    owner = np.full((len(lat), max(layers) + 1), -1)
    points = shapely.points(lon, lat)
    for i in np.argsort(-shapely.area(polygons), kind="stable"):
        owner[shapely.intersects(polygons[i], points), layers[i]] = i
    return owner


def on_a_border(polygons, lat, lon):
    points = shapely.points(lon, lat)
    touched = np.zeros(len(lat), bool)
    for polygon in polygons:
        touched |= shapely.intersects(shapely.boundary(polygon), points)
    return touched


def snapped(polygons):
    """Vertices at 1e-7 degrees, as the index stores them."""
    return shapely.transform(polygons, lambda xy: np.rint(xy * 1e7) / 1e7)


def tiling(seed, n=60, size=3.0):
    """Triangles that tile a square: shared borders and shared vertices everywhere."""
    rng = np.random.default_rng(seed)
    south, west = rng.uniform(-80, 70), rng.uniform(-180, 170)
    frame = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    xy = np.vstack([frame, rng.random((n, 2))]) * size + (west, south)
    xy = np.rint(xy * 1e7) / 1e7
    return np.array(shapely.delaunay_triangles(shapely.MultiPoint(xy)).geoms, object), xy


def probes(polygons, xy, seed, n=300):
    """Points that hug borders: vertices, points on edges, one unit in the last place off."""
    rng = np.random.default_rng(seed)
    rings = shapely.get_coordinates(polygons)
    a = rings[rng.integers(0, len(rings), n)]
    step = rng.integers(-1, 2, (n, 2))
    near = np.where(step == 0, a, np.nextafter(a, np.where(step > 0, np.inf, -np.inf)))
    along = a + rng.random((n, 1)) * (rings[rng.integers(0, len(rings), n)] - a)
    level = np.c_[rng.uniform(xy[:, 0].min(), xy[:, 0].max(), n), a[:, 1]]
    grid = np.rint(along * 256) / 256
    both = np.vstack([a, near, along, level, grid])
    keep = (np.abs(both[:, 1]) <= 90) & (both[:, 0] >= -180) & (both[:, 0] < 180)
    return both[keep, 1], both[keep, 0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_r2_every_point_of_a_tiling_has_exactly_one_owner(seed):
    triangles, xy = tiling(seed)
    index = building.build(triangles)
    lat, lon = probes(triangles, xy, seed)
    hull = shapely.box(*shapely.total_bounds(triangles))
    within = shapely.contains_properly(hull, shapely.points(lon, lat))
    owner = index.regions(lat, lon)[:, 0]
    assert (owner[within] >= 0).all()
    covers = shapely.intersects(triangles[owner[within]], shapely.points(lon, lat)[within])
    assert covers.all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_r3_same_as_a_plain_shapely_loop(seed):
    rng = np.random.default_rng(seed)
    centres = rng.uniform((-170, -80), (170, 80), (25, 2))
    centres[::2] = centres[0] + rng.normal(0, 1, (13, 2))  # half of them overlap
    wild = [shapely.Point(c).buffer(r, 3) for c, r in zip(centres, rng.uniform(0.05, 4, 25))]
    polygons = snapped(np.array([p.difference(p.centroid.buffer(0.02)) for p in wild], object))
    layers = rng.integers(0, 3, len(polygons))
    layers[0] = 2
    index = building.build(polygons, layers, edges_per_strip=rng.choice([1, 4]))
    pick = shapely.get_coordinates(polygons)[rng.integers(0, 300, 200)]
    xy = np.vstack([pick + rng.normal(0, s, pick.shape) for s in (1e-9, 1e-3, 0.3)])
    xy[:, 1] = np.clip(xy[:, 1], -90, 90)
    lat, lon = xy[:, 1], xy[:, 0]
    expected = oracle(polygons, layers, lat, lon)
    wrong = (index.regions(lat, lon) != expected).any(axis=1)
    assert not wrong[~on_a_border(polygons, lat, lon)].any()


def test_r5_one_point_gives_what_arrays_give():
    triangles, xy = tiling(7)
    index = building.build(triangles)
    lat, lon = probes(triangles, xy, 7)
    single = [index.locate_one(y, x) for y, x in zip(lat.tolist(), lon.tolist())]
    assert (index.locate(lat, lon) == single).all()


def test_one_point_beside_a_polygon_is_in_none():
    """In a part of a cell that no border crosses, while others of the cell are crossed."""
    index = building.build([shapely.Polygon([(0, -1.03), (1.01, 0), (0, 1.03), (-1, 0)])])
    lat, lon = [0.99, 0.99, -0.99, 0.0], [0.24, -0.24, 0.24, 0.0]
    assert index.regions(lat, lon).ravel().tolist() == [-1, -1, -1, 0]
    found = [index.locate_one(*point) for point in zip(lat, lon, strict=True)]
    assert index.owners[found].ravel().tolist() == [-1, -1, -1, 0]


def test_the_smaller_of_overlapping_polygons_wins_and_layers_are_independent():
    country, enclave = shapely.box(0, 0, 10, 10), shapely.box(4, 4, 5, 5)
    county = shapely.box(3, 3, 6, 6)
    index = building.build([country, enclave, county], [0, 0, 1])
    assert index.regions([4.5, 5.5, 1.0, 20.0], [4.5, 5.5, 1.0, 20.0]).tolist() == [
        [1, 2],
        [0, 2],
        [0, -1],
        [-1, -1],
    ]
    # in cells that the border of the enclave or of the county crosses, outside of it
    beside = index.regions([3.9, 5.1, 4.5, 2.9, 6.1, 3.1], [4.5, 4.5, 5.1, 4.5, 4.5, 3.1])
    assert beside.tolist() == [[0, 2], [0, 2], [0, 2], [0, -1], [0, -1], [0, 2]]


def test_poles_and_the_antimeridian():
    cap = shapely.box(-180, 80, 180, 90)
    east, west = shapely.box(170, -20, 180, -10), shapely.box(-180, -20, -170, -10)
    corner = shapely.box(170, -90, 180, -80)
    index = building.build([cap, shapely.MultiPolygon([east, west]), corner])
    last = np.nextafter(180.0, 0)  # a hair more and it would lie in the first column
    lat = [89.999999, 85, -15, -15, -15, 79.0, 90.0, -90.0, 90.0, 0.0, -85.0, -90.0, 90.0]
    lon = [12.0, -180.0, -180.0, last, 169.9, 0.0, 0.0, -180.0, 179.99, 0.0, last, last, last]
    owner = index.locate(lat, lon)  # an edge ends below its upper end: 90 itself is nobody's
    assert index.owners[owner, 0].tolist() == [
        0, 0, 1, 1, -1, -1, -1, -1, -1, -1, 2, 2, -1
    ]  # fmt: skip
    assert [index.locate_one(*point) for point in zip(lat, lon, strict=True)] == owner.tolist()


@pytest.mark.parametrize("off", [-1e-7, 0.0, 1e-7])
@pytest.mark.parametrize("border", [0.5, 0.5625])
def test_an_edge_a_unit_beside_a_border_of_cells(off, border):
    """Of a base cell, and of a part of one: neither side takes what is the other's."""
    west, east = border + off, 2.5 + border + off
    index = building.build([shapely.box(west, 0.1, east, 2.1)])
    x = np.array([-0.3, -2e-7, 0.0, 2e-7, 0.3])
    lon = np.r_[west + x, east + x]
    inside = [-1, -1, 0, 0, 0, 0, 0, -1, -1, -1]
    for lat in (0.2, 0.5, 1.1, 1.25, 2.0):
        assert index.regions(np.full(10, lat), lon).ravel().tolist() == inside
    column = np.arange(0.01, 4, 0.0625)
    found = index.regions(np.full(len(column), 1.13), column).ravel() == 0
    assert (found == ((column >= west) & (column < east))).all()


def test_cells_named_are_divided_finer_and_answer_the_same():
    triangles, xy = tiling(9)
    lat, lon = probes(triangles, xy, 9)
    plain = building.build(triangles)
    cell = np.unique(locate.base_cell(lat, lon))
    fine = building.build(triangles, finer=cell[: len(cell) // 2])
    assert (fine.regions(lat, lon) == plain.regions(lat, lon)).all()
    k = [np.bincount(index.data["head"] & 255, minlength=5) for index in (plain, fine)]
    assert k[1][4:].sum() > k[0][4:].sum()
    assert k[1].sum() == k[0].sum()
    nowhere = building.build(triangles, finer=[0])
    assert all((nowhere.data[name] == array).all() for name, array in plain.data.items())


@pytest.mark.parametrize(
    ("lat", "lon", "cell"),
    [(-90.0, -180.0, 0), (-90.0, 179.999, 1439), (90.0, -180.0, 719 * 1440), (0.0, 0.0, 519120),
     (-90.0, np.nextafter(180.0, 0), 1439), (90.0, np.nextafter(180.0, 0), 720 * 1440 - 1)],
)  # fmt: skip
def test_base_cells_are_counted_from_the_south_west(lat, lon, cell):
    assert locate.base_cell([lat], [lon]).tolist() == [cell]


def test_crowded_cells_are_divided_further():
    """Twenty slices that meet in one point do not fit one record; finer cells do, but for it."""
    turn = np.linspace(0, 2 * np.pi, 41)
    ring = np.c_[np.cos(turn), np.sin(turn)]
    slices = [shapely.Polygon([(0, 0), ring[i], ring[i + 1]]) for i in range(40)]
    with pytest.raises(ValueError, match="more than 14 regions meet"):
        building.build(slices)
    fine = [shapely.box(i * 0.01, 0, i * 0.01 + 0.01, 0.002) for i in range(30)]
    index = building.build(fine, edges_per_strip=1000)
    assert index.regions(np.full(30, 0.001), np.arange(30) * 0.01 + 0.005)[:, 0].tolist() == list(
        range(30)
    )


@pytest.mark.parametrize(
    ("polygons", "layers", "message"),
    [
        ([], None, "at least one polygon"),
        ([shapely.Point(0, 0)], None, "expected a filled polygon"),
        ([shapely.Polygon()], None, "expected a filled polygon"),
        ([shapely.box(0, 0, 200, 1)], None, "split at the antimeridian"),
        ([shapely.box(0, 0, 1, 1)], [0, 1], "one number >= 0 a geometry"),
    ],
)
def test_bad_polygons_are_refused(polygons, layers, message):
    with pytest.raises(ValueError, match=message):
        building.build(polygons, layers)


def test_saved_index_is_mapped_and_verified(tmp_path):
    triangles, xy = tiling(3)
    index = building.build(triangles, meta={"set": "tiling"})
    path = tmp_path / "tiling.geoindex"
    digest = index.save(path)
    assert index.save(tmp_path / "again.geoindex") == digest  # same input, same bytes
    loaded = locate.load(path, verify=True)
    lat, lon = probes(triangles, xy, 3)
    assert (loaded.locate(lat, lon) == index.locate(lat, lon)).all()
    assert loaded.meta["set"] == "tiling"
    damaged = bytearray(path.read_bytes())
    damaged[-5] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(FileError, match="does not match its SHA-256"):
        locate.load(path, verify=True)


def test_other_files_are_not_taken_for_an_index(tmp_path):
    path = tmp_path / "x.geoindex"
    for content in (b"", b"GEOARR01", b"GEOARR01" + b"\xff" * 8, b"hello" * 100):
        path.write_bytes(content)
        with pytest.raises(FileError):
            locate.load(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_edges_that_lean_either_way_are_decided_exactly(seed):
    """Points on an edge but for rounding, where the determinant's sign is noise, by fractions.

    Numbers of all sizes: where they are alike, differences are exact and the sign is right.
    """
    rng = np.random.default_rng(seed)
    sign = rng.choice([-1, 1], (3, 200))
    west, south, run = (sign * 10 ** rng.uniform(0, 7, (3, 200))).astype(int)
    low, rise = np.c_[west, south], (10 ** rng.uniform(0, 7, 200)).astype(int)
    edge = np.c_[low, low[:, 0] + run, low[:, 1] + rise].astype(np.int32)
    ends = edge / index.UNITS
    part = rng.random(200)
    y = ends[:, 1] + part * (ends[:, 3] - ends[:, 1])
    x = ends[:, 0] + part * (ends[:, 2] - ends[:, 0])
    mask = np.ones(200, np.uint16)
    found = index.edge_masks(edge, mask, y, x) != 0
    expected = [
        low <= at < high and (bx - ax) * (at - low) > (high - low) * (fx - ax)
        for (ax, low, bx, high), at, fx in zip(
            [map(Fraction, row) for row in ends.tolist()], map(Fraction, y.tolist()),
            map(Fraction, x.tolist()), strict=True,
        )
    ]  # fmt: skip
    assert found.tolist() == expected
    assert [index._toggles(e, 0, b, a) for e, b, a in zip(edge, y, x, strict=True)] == expected
