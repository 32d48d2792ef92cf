"""Far borders: cells leave out no edge that is the nearest, in any order, with any limit."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from geodata.boundaries import far
from geodata.boundaries.nearest import Borders
from geodata.boundaries.plane import cut, feet
from geodata.boundaries.rings import edges_of
from geodata.sphere import EARTH_RADIUS_KM, haversine_km, unit_vectors


def made(polygons, group=None):
    ends, _, region = edges_of(np.array(polygons, object))
    ends, whole = cut(ends, 0.5)
    region = region[whole]
    groups = np.zeros(len(ends), np.int64) if group is None else np.asarray(group)[region]
    return far.Far.of(ends[:, :, None], region, groups)


def every_edge(this, lat, lon, group):
    """Measure to all edges of the group: what cells may never change."""
    found = []
    for y, x, g in zip(lat, lon, group, strict=True):
        k = np.searchsorted(this.group, g)
        at = np.arange(this.start[k], this.start[k + 1])
        ends = this.edges[at][:, :, None]
        east = x - 360.0 * np.rint((x - ends[:, 0, 0]) / 360.0)
        km = haversine_km(y, east, *feet(np.full(len(at), y), east, ends))
        found.append(min(zip(km.tolist(), this.region[at].tolist(), strict=True)))
    km, region = zip(*found, strict=True)
    return np.array(region), np.array(km)


def islands(seed):
    rng = np.random.default_rng(seed)
    centres = np.c_[rng.uniform(-178, 178, 9), rng.uniform(-80, 80, 9)]
    grain = rng.integers(1, 30, 9)
    shapes = [shapely.Point(c).buffer(rng.uniform(0.01, 2), int(g)) for c, g in zip(centres, grain)]
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 40)))
    return shapes, np.r_[lat, 90.0, -90.0, 0.0], np.r_[rng.uniform(-180, 180, 40), 0.0, 7.0, 180.0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([50.0, 1000.0, 5000.0, np.inf]))
def test_cells_leave_out_no_edge_that_is_nearest(seed, grouped, limit):
    shapes, lat, lon = islands(seed)
    shapes += [shapely.box(-180, -90, 180, -85), shapely.box(179, 10, 180, 12)]
    groups = np.arange(len(shapes)) % 2 * 5 if grouped else None
    of = np.arange(len(lat)) % 2 * 5 if grouped else np.zeros(len(lat), np.int64)
    this = made(shapes, groups)
    region, km = every_edge(this, lat, lon, of)
    for _ in range(2):  # the second time, the cells are there
        found = this.nearest(lat, lon, of, limit)
        near = km <= limit
        assert (found[0][near] == region[near]).all()
        assert (found[1][near] == km[near]).all()
        assert ((found[1] > limit) | near).all()
    one = [this.nearest(lat[i : i + 1], lon[i : i + 1], of[i : i + 1]) for i in range(len(lat))]
    assert np.array([o[1][0] for o in one]).tolist() == km.tolist()


@pytest.mark.parametrize("lat", [1.01, 1.08, 5.0, 60.0])
def test_a_corner_of_two_regions_goes_to_the_first_however_far_it_is(lat):
    """Squares side by side, seen from the north of the corner that they share."""
    squares = [shapely.box(1, 0, 2, 1), shapely.box(0, 0, 1, 1), shapely.box(8, 0, 9, 1)]
    y, x = np.array([lat]), np.array([1.0])
    for shapes in (squares, [squares[1], squares[0], squares[2]]):
        found = made(shapes).nearest(y, x, np.zeros(1, np.int64))
        assert found[0].tolist() == [0]
        borders = Borders(np.array(shapes, object))
        assert borders.nearest(y, x)[0].tolist() == [0]
        assert borders.nearest_one(lat, 1.0)[0] == borders.region_one(lat, 1.0, group=0) == 0
        assert found[1][0] == pytest.approx(haversine_km(lat, 1.0, 1.0, 1.0), rel=1e-9)


def test_what_is_kept_is_bounded_and_begins_anew(monkeypatch):
    monkeypatch.setattr(far, "_KEPT", 50)
    monkeypatch.setattr(far, "_PAIRS", 7)
    shapes, lat, lon = islands(3)
    this, of = made(shapes), np.zeros(len(lat), np.int64)
    truth = every_edge(this, lat, lon, of)
    for begin in (0, 20, 0):
        part = slice(begin, begin + 20)
        found = this.nearest(lat[part], lon[part], of[part])
        assert found[1].tolist() == truth[1][part].tolist()
    assert max(len(cells.key) for cells in this._known) <= 20


def test_open_sea_beyond_the_limit_is_left_by_its_cell():
    """Cost: no edge is measured, and no small cell is worked out."""
    this = made([shapely.Point(0, 0).buffer(1.0, 500)])
    lat, lon = np.full(1000, -30.0) + np.linspace(0, 1, 1000), np.full(1000, 150.0)
    region, km = this.nearest(lat, lon, np.zeros(1000, np.int64), 1000.0)
    assert set(region) == {-1}
    assert np.isinf(km).all()
    assert [len(cells.key) for cells in this._known[1:]] == [0, 0, 0]


def test_a_cell_far_off_keeps_the_part_of_a_coast_that_can_be_nearest():
    """Cost: within twice the radius of the nearest lies all of it, 2,000 edges."""
    this = made([shapely.Point(0, 0).buffer(1.0, 500)])
    lat, lon = np.full(9, 10.5), np.linspace(20.1, 20.9, 9)
    region, km = this.nearest(lat, lon, np.zeros(9, np.int64))
    assert (region.tolist(), km.tolist()) == tuple(
        column.tolist() for column in every_edge(this, lat, lon, np.zeros(9, np.int64))
    )
    kept = [len(cells.edge) for cells in this._known]
    assert (np.array(kept) < [1100, 300, 100, 300]).all(), kept


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 3.0), st.floats(1.0, 40.0))
def test_two_coasts_that_are_as_near_are_both_kept(seed, size, away):
    """Points scatter about the line that is as far from the one as from the other."""
    rng = np.random.default_rng(seed)
    turn = rng.uniform(0, 2 * np.pi)
    coasts = [
        shapely.Point(away * np.cos(t), away * np.sin(t)).buffer(size, 40) for t in (turn, -turn)
    ]
    this, nobody = made(coasts), np.zeros(60, np.int64)
    lon, lat = rng.uniform(-away, away, 60), rng.normal(0, size, 60)
    region, km = every_edge(this, lat, lon, nobody)
    found = this.nearest(lat, lon, nobody)
    assert (found[0].tolist(), found[1].tolist()) == (region.tolist(), km.tolist())


def test_a_long_straight_border_is_measured_where_it_is():
    """A box of two meridians and two parallels, seen from far: pyproj's answer is 0.5% of it."""
    box = np.array([shapely.box(-40, 10, 40, 60)], object)
    fine = shapely.get_coordinates(shapely.segmentize(box[0], 0.01))
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(62, 85, 50), rng.uniform(-170, 170, 50)
    truth = [haversine_km(y, x, fine[:, 1], fine[:, 0]).min() for y, x in zip(lat, lon)]
    _, km = Borders(box).nearest(lat, lon)
    assert km == pytest.approx(truth, rel=0.001, abs=1.0)


def test_no_regions_at_all():
    nothing = np.zeros(0, np.int64)
    this = far.Far.of(np.zeros((0, 4, 1)), nothing, nothing)
    region, km = this.nearest(np.zeros(2), np.zeros(2), np.zeros(2, np.int64))
    assert (region.tolist(), np.isinf(km).all()) == ([-1, -1], True)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.1, 0.5]))
def test_balls_hold_their_edges_and_little_more(seed, size):
    """Larger balls would find the same borders, after measuring more of them."""
    rng = np.random.default_rng(seed)
    middle = np.c_[rng.uniform(-179, 179, 40), rng.uniform(-80, 80, 40)]
    ends = middle[:, [0, 1, 0, 1]] + rng.uniform(-size / 2, size / 2, (40, 4))
    share = np.linspace(0, 1, 21)[:, None]
    lon, lat = (ends[:, i] * (1 - share) + ends[:, i + 2] * share for i in (0, 1))
    centre, radius = far._balls(ends)
    reach = EARTH_RADIUS_KM * np.linalg.norm(unit_vectors(lat, lon) - centre, axis=-1).max(axis=0)
    assert (reach <= radius + 1e-6).all()
    assert (radius <= reach * 1.2 + 0.01).all()
