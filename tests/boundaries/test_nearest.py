"""Distance to borders against brute force over finely sampled borders."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from geodata.boundaries.nearest import Borders
from geodata.boundaries.raster import Raster
from geodata.boundaries.rings import Lines, edges_of
from geodata.sphere import haversine_km


def brute(polygons, lat, lon, step=0.002):
    """Distance to each polygon's border, by measuring to points every few hundred metres."""
    columns = []
    for polygon in polygons:
        xy = shapely.get_coordinates(shapely.segmentize(shapely.boundary(polygon), step))
        columns.append([haversine_km(y, x, xy[:, 1], xy[:, 0]).min() for y, x in zip(lat, lon)])
    return np.array(columns).T


def scattered(seed, west=-170.0, east=170.0):
    rng = np.random.default_rng(seed)
    centres = np.c_[rng.uniform(west, east, 6), rng.uniform(-70, 70, 6)]
    centres[1:4] = centres[0] + rng.normal(0, 1.5, (3, 2))
    return np.array([shapely.Point(c).buffer(0.4, 4) for c in centres], object), centres


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nearest_region_is_the_nearest_by_brute_force(seed):
    polygons, centres = scattered(seed)
    rng = np.random.default_rng(seed)
    lon, lat = (centres[0] + rng.normal(0, 2.0, (20, 2))).T
    region, distance = Borders(polygons).nearest(lat, lon)
    truth = brute(polygons, lat, lon)
    assert distance == pytest.approx(truth.min(axis=1), rel=0.002, abs=0.3)
    chosen = truth[np.arange(len(lat)), region]
    assert (chosen <= truth.min(axis=1) * 1.004 + 0.3).all()


def test_groups_limit_what_a_point_sees():
    near, far = shapely.box(0, 0, 1, 1), shapely.box(5, 0, 6, 1)
    borders = Borders(np.array([near, far], object), np.array([7, 9]))
    lat, lon = np.array([0.5, 0.5]), np.array([1.5, 1.5])
    region, distance = borders.nearest(lat, lon, group=np.array([7, 9]))
    assert region.tolist() == [0, 1]
    assert distance == pytest.approx([55.6, 389.2], abs=0.1)


def test_nothing_within_the_limit():
    borders = Borders(np.array([shapely.box(0, 0, 1, 1)], object))
    region, distance = borders.nearest(np.array([0.5, 50.0]), np.array([1.05, 50.0]), max_km=10.0)
    assert region.tolist() == [0, -1]
    assert distance[0] == pytest.approx(5.56, abs=0.01)
    assert np.isinf(distance[1])


def test_limits_of_parts_of_a_kilometre_are_not_taken_for_each_other():
    """2.83 km east of a border, in the next cell of the raster, which 2.2 km do not reach."""
    borders = Borders(np.array([shapely.box(0, 0, 1.225, 1)], object))
    lat, lon = np.array([0.5]), np.array([1.2505])
    for limit, region in ((2.2, -1), (2.9, 0), (2.2, -1), (2.84, 0), (2.82, -1)):
        assert borders.nearest(lat, lon, max_km=limit)[0].tolist() == [region]
        assert borders.nearest_one(0.5, 1.2505, max_km=limit)[0] == region


def test_across_the_antimeridian_and_around_the_pole():
    fiji = shapely.box(-180, -17, -179.5, -16)
    cap = shapely.box(-180, 85, 180, 90)
    borders = Borders(np.array([fiji, cap], object))
    region, distance = borders.nearest(np.array([-16.5, 84.0]), np.array([179.9, 33.0]))
    assert region.tolist() == [0, 1]
    assert distance == pytest.approx([10.66, 111.19], abs=0.05)


def test_slack_returns_every_region_that_could_be_nearest():
    polygons = np.array([shapely.box(i, 0, i + 0.5, 1) for i in range(5)], object)
    found = Borders(polygons).within(np.array([0.5]), np.array([0.75]), slack_km=60.0)
    assert found.region.tolist() == [0, 1]
    wider = Borders(polygons).within(np.array([0.5]), np.array([0.75]), slack_km=120.0)
    assert wider.region.tolist() == [0, 1, 2]
    assert (np.diff(wider.distance_km) >= 0).all()


def test_regions_of_far_and_near_points_come_by_point():
    """Far points are searched again with a wider box, after the near ones were found."""
    polygons = np.array([shapely.box(i, 0, i + 0.5, 1) for i in range(2)], object)
    lat, lon = np.full(4, 0.5), np.array([4.0, 0.75, 9.0, 1.75])
    found = Borders(polygons).within(lat, lon, slack_km=60.0)
    assert found.point.tolist() == [0, 1, 1, 2, 3]
    assert found.region.tolist() == [1, 0, 1, 1, 1]
    assert found.distance_km == pytest.approx([277.98, 27.8, 27.8, 833.9, 27.8], abs=0.1)


def spread(seed, n=60):
    rng = np.random.default_rng(seed)
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_far_points_anywhere_get_the_nearest_region_by_brute_force(seed, grouped):
    polygons, _ = scattered(seed)
    more = [shapely.box(-180, 84, 180, 90), shapely.box(178, -3, 180, 3)]
    polygons = np.r_[polygons, shapely.segmentize(more, 0.25)]
    group = np.arange(len(polygons)) % 2 if grouped else None
    lat, lon = spread(seed, 25)
    outside = ~shapely.contains_xy(shapely.union_all(polygons), lon, lat)  # others are not measured
    lat, lon = lat[outside], lon[outside]
    of = np.arange(len(lat)) % 2
    region, distance = Borders(polygons, group).nearest(lat, lon, group=of if grouped else None)
    truth = brute(polygons, lat, lon, step=0.05)
    if grouped:
        truth[group[None, :] != of[:, None]] = np.inf
    some = truth.min(axis=1) < 3000
    assert distance[some] == pytest.approx(truth.min(axis=1)[some], rel=0.003, abs=3.0)
    assert (truth[np.arange(len(lat)), region] <= truth.min(axis=1) * 1.01 + 3.0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 3.0, 10.0, 200.0, 20_100.0]))
def test_one_point_gets_the_numbers_of_many_bit_for_bit(seed, max_km):
    polygons, centres = scattered(seed)
    rng = np.random.default_rng(seed)
    lat, lon = spread(seed, 6)
    near = centres[rng.integers(0, 6, 20)] + rng.normal(0, 0.4, (20, 2))
    lat, lon = np.clip(np.r_[lat, near[:, 1]], -90, 90), (np.r_[lon, near[:, 0]] + 180) % 360 - 180
    for group in (None, np.arange(6) % 2):
        borders = Borders(polygons, group)
        of = np.arange(len(lat)) % 2
        many = borders.nearest(lat, lon, group=None if group is None else of, max_km=max_km)
        for i, (y, x) in enumerate(zip(lat.tolist(), lon.tolist(), strict=True)):
            mine = None if group is None else int(of[i])
            one = borders.nearest_one(y, x, group=mine, max_km=max_km)
            assert one == (many[0][i], many[1][i])
        assert ((many[0] >= 0) == (many[1] <= max_km)).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.0, 10.0, 120.0, 499.0, 501.0]))
def test_the_raster_never_hides_a_border_within_the_limit(seed, limit):
    polygons, centres = scattered(seed, -179.5, 179.5)
    rng = np.random.default_rng(seed)
    near = centres[rng.integers(0, 6, 200)] + rng.normal(0, 3.0, (200, 2))
    lat, lon = np.clip(near[:, 1], -90, 90), (near[:, 0] + 180) % 360 - 180
    raster = Raster.of(edges_of(polygons).ends, limit)
    seen = raster.may_reach(lat, lon)
    distance = brute(polygons, lat, lon, step=0.02).min(axis=1)
    assert seen[distance < limit].all()
    assert [raster.may_reach_one(y, x) for y, x in zip(lat.tolist(), lon.tolist())] == seen.tolist()
    if 0 < limit < 50:
        assert not seen[distance > limit + 120].any()


def patchwork(seed):
    """Squares that share borders, in three groups: at 47 N, by a pole, across the antimeridian."""
    rng = np.random.default_rng(seed)
    corners = [(7.0, 47.0), (20.0, 86.0), (178.6, -17.0)]
    shapes, group = [], []
    for number, (west, south) in enumerate(corners):
        for column in range(6):
            for row in range(3):
                x = (west + 0.5 * column + 180.0) % 360.0 - 180.0
                if x + 0.5 <= 180.0:
                    shapes.append(
                        shapely.box(x, south + 0.5 * row, x + 0.5, south + 0.5 * row + 0.5)
                    )
                    group.append(number)
    shapes = shapely.segmentize(np.array(shapes, object), rng.uniform(0.02, 0.6))
    return Borders(shapes, np.array(group)), corners


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_region_alone_is_that_of_the_distance(seed):
    quick_answers(seed)


def test_it_is_not_the_slow_way_that_answers():
    assert sum(map(quick_answers, range(5))) > 60


def quick_answers(seed):
    """Compare points around groups; return how many the quick way answers."""
    borders, corners = patchwork(seed)
    rng = np.random.default_rng(seed)
    clear = 0
    for group, (west, south) in enumerate(corners):
        spread = np.exp(rng.uniform(np.log(0.01), np.log(30.0), (30, 1)))
        near = (west + 1.5, south + 0.75) + spread * rng.normal(0, 1.0, (30, 2))
        lat, lon = np.clip(near[:, 1], -90, 90), (near[:, 0] + 180) % 360 - 180
        region = borders.nearest(lat, lon, group=np.full(30, group))[0]
        for i, (y, x) in enumerate(zip(lat.tolist(), lon.tolist(), strict=True)):
            assert borders.region_one(y, x, group=group) == region[i]
            clear += borders._balls.nearest_region(y, x, group) is not None
    return clear


@pytest.mark.parametrize("lat", [62.0, -74.0, 79.0])
def test_the_region_alone_where_the_plane_and_the_sphere_disagree(lat):
    """One region to the north-east, another to the south-west, about as far."""
    rng, plane, taken = np.random.default_rng(5), 0, 0
    for _ in range(60):
        step, ratio = rng.uniform(0.2, 0.4), rng.uniform(0.95, 1.05)
        north, east = step, step / np.cos(np.radians(lat))
        shapes = [
            shapely.box(10 + east, lat + north, 10.2 + east, lat + north + 0.1),
            shapely.box(9.8 - east, lat - north - 0.1, 10 - east * ratio, lat - north * ratio),
        ]
        borders = Borders(np.array(shapes, object), np.array([3, 3]))
        region = int(borders.nearest(np.array([lat]), np.array([10.0]), group=np.array([3]))[0][0])
        assert borders.region_one(lat, 10.0, group=3) == region
        plane += (0 if ratio > 1 else 1) != region
        taken += region
    assert plane > 0
    assert 0 < taken < 60


@pytest.mark.parametrize(
    ("lat", "away", "clear"),
    [(30, 3.0, True), (30, 5.0, False), (60, 0.5, True), (60, 2.0, False),
     (-60, 0.5, True), (-60, 2.0, False), (79.9, 0.02, True), (80.1, 0.02, False)],
)  # fmt: skip
def test_the_plane_answers_only_where_it_is_true(lat, away, clear):
    """Within 5% of the Earth's radius over the slope of the meridians, up to 80 degrees."""
    wide = 6 / np.cos(np.radians(lat))
    near = shapely.box(10 - wide, lat + away, 10 + wide, lat + away + 0.5)
    far = shapely.box(10 - wide, lat - 1.35 * away - 0.5, 10 + wide, lat - 1.35 * away)
    shapes = shapely.segmentize(np.array([near, far], object), 0.5)
    borders = Borders(shapes, np.array([3, 3]))
    assert borders._balls.nearest_region(lat, 10.0, 3) == (0 if clear else None)
    assert borders.region_one(lat, 10.0, group=3) == 0


def test_the_region_alone_where_rows_of_groups_are_mixed():
    """Four squares on the equator, of two groups by turns; sets need not be sorted by country."""
    shapes = np.array([shapely.box(x, 0, x + 1, 1) for x in (0, 3, 6, 9)], object)
    borders = Borders(shapes, np.array([9, 7, 9, 7]))
    for x, group, region in ((2.0, 9, 0), (2.0, 7, 1), (8.0, 9, 2), (8.0, 7, 3), (0.5, 7, 1)):
        assert borders._balls.nearest_region(0.5, x, group) == region
        assert borders.region_one(0.5, x, group=group) == region


def test_the_region_alone_of_a_group_without_regions():
    borders = Borders(np.array([shapely.box(0, 0, 1, 1)], object), np.array([7]))
    assert borders.region_one(0.5, 40.0, group=8) == -1
    assert borders.region_one(0.5, 40.0, group=7) == 0
    alone = Borders(np.array([shapely.box(0, 0, 1, 1), shapely.box(3, 0, 4, 1)], object))
    assert [alone.region_one(0.5, x, group=0) for x in (1.5, 2.9)] == [0, 1]


def test_a_group_without_regions_has_no_nearest():
    borders = Borders(np.array([shapely.box(0, 0, 1, 1)], object), np.array([7]))
    region, distance = borders.nearest(np.array([0.5]), np.array([40.0]), group=np.array([8]))
    assert region.tolist() == [-1]
    assert np.isinf(distance[0])
    assert borders.nearest_one(0.5, 40.0, group=8) == (-1, np.inf)


def test_many_small_pieces_are_pruned_rightly():
    """Coasts of unlike grain: a near piece of a long edge against many fine ones farther off."""
    rng = np.random.default_rng(8)
    fine = [shapely.Point(p).buffer(1.5, 200) for p in rng.uniform(-30, 30, (12, 2))]
    coarse = [shapely.Point(p).buffer(3.0, 2) for p in rng.uniform(-30, 30, (12, 2))]
    polygons = np.array([*fine, *coarse], object)
    lat, lon = rng.uniform(-35, 35, (2, 400))
    region, distance = Borders(polygons).nearest(lat, lon)
    truth = brute(polygons, lat, lon, step=0.02)
    assert distance == pytest.approx(truth.min(axis=1), rel=0.01, abs=1.2)
    assert (truth[np.arange(len(lat)), region] <= truth.min(axis=1) * 1.02 + 2.4).all()


@pytest.mark.parametrize("max_km", [8.0, 20_100.0])
def test_one_point_sees_across_the_antimeridian_and_the_pole(max_km):
    shapes = [shapely.box(-180, -17, -179.99, -16), shapely.box(-40, 89.98, 10, 90)]
    borders = Borders(np.array(shapes, object))
    for lat, lon in ((-16.5, 179.99), (-16.5, 179.995), (89.995, 120.0), (89.97, -170.0)):
        many = borders.nearest(np.array([lat]), np.array([lon]), max_km=max_km)
        assert many[0][0] >= 0
        assert borders.nearest_one(lat, lon, max_km=max_km) == (many[0][0], many[1][0])


def test_lines_leave_out_what_lies_inside_one_name():
    polygons = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    lat, lon = np.array([0.5, 0.5, 0.5]), np.array([1.01, 1.95, 2.05])
    apart = Lines.between(polygons, [0, 1, 2]).distance_km(lat, lon)
    assert apart == pytest.approx([1.112, 5.56, 5.56], abs=0.01)
    joined = Lines.between(polygons, [5, 5, 6]).distance_km(lat, lon)
    assert joined == pytest.approx([55.6, 5.56, 5.56], abs=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_lines_measure_as_pyproj_does_on_the_sphere(seed):
    polygons, _ = scattered(seed)
    sphere = pyproj.Geod(a=6_371_000, b=6_371_000)
    lat, lon = spread(seed, 5)
    found = Lines.between(polygons, np.arange(6)).distance_km(lat, lon)
    xy = shapely.get_coordinates(shapely.segmentize(shapely.boundary(polygons), 0.005))
    for y, x, km in zip(lat, lon, found, strict=True):
        many = np.full(len(xy), x), np.full(len(xy), y)
        truth = sphere.inv(*many, xy[:, 0], xy[:, 1])[2].min() / 1000
        assert km == pytest.approx(truth, rel=0.001, abs=0.3)


def ring_around_a_pole(rng, north):
    """A polar region with an uneven edge, drawn down to the pole as maps in degrees do."""
    lon = np.linspace(-180, 180, 25)
    lat = rng.uniform(70, 86, 25)
    lat[-1] = lat[0]
    shape = shapely.Polygon([*zip(lon, lat), (180, 90), (-180, 90)])
    return shape if north else shapely.transform(shape, lambda xy: xy * [1, -1])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_points_around_a_pole_get_the_nearest_border_by_brute_force(seed, north):
    rng = np.random.default_rng(seed)
    polygons = np.array([ring_around_a_pole(rng, north), shapely.box(20, -5, 60, 30)], object)
    lat = rng.uniform(75, 90, 30) * (1 if north else -1)
    lon = rng.uniform(-180, 180, 30)
    region, distance = Borders(polygons).nearest(lat, lon)
    truth = brute(polygons, lat, lon, step=0.02)
    assert distance == pytest.approx(truth.min(axis=1), rel=0.001, abs=1.2)
    assert (truth[np.arange(30), region] <= truth.min(axis=1) * 1.001 + 1.2).all()
    near = truth.min(axis=1) < 19.0
    region, distance = Borders(polygons).nearest(lat, lon, max_km=20.0)
    assert (region[near] >= 0).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 10.0, 120.0]))
def test_the_raster_follows_long_edges(seed, limit):
    rng = np.random.default_rng(seed)
    polygon = shapely.Polygon(np.c_[rng.uniform(-180, 180, 3), rng.uniform(-75, 75, 3)])
    lat, lon = rng.uniform(-80, 80, 60), rng.uniform(-180, 180, 60)
    on = shapely.get_coordinates(
        shapely.line_interpolate_point(polygon.exterior, rng.uniform(0, 500, 60))
    )
    lat, lon = np.r_[lat, np.clip(on[:, 1] + rng.normal(0, 0.3, 60), -90, 90)], np.r_[lon, on[:, 0]]
    raster = Raster.of(edges_of(np.array([polygon], object)).ends, limit)
    seen = raster.may_reach(lat, (lon + 180) % 360 - 180)
    distance = brute([polygon], lat, lon, step=0.05)[:, 0]
    assert seen[distance < limit].all()
    assert not seen[distance > limit + 160].any()  # two cells' diagonals, and an edge's part
