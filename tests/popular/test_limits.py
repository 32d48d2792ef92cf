"""Limits of the exclusion that hardly any data reach: forced, and by plain geometry."""

import inspect

import h3
import numpy as np
import pyarrow as pa
import pytest

from geodata import popular, sphere
from geodata.popular import centres, exclusion, hexagons, raster
from geodata.popular.centres import AMBIGUOUS, INSIDE, OUTSIDE, Centres

ZERO = np.array([0.0])


def one(radius_km=100.0):
    return Centres(ZERO, ZERO, radius_km)


def test_a_margin_lies_on_both_sides_of_the_radius():
    places = one()
    chord = 2 * np.sin(100.0 / 6371.0 / 2)
    assert places.surely == pytest.approx(chord - 1e-12, abs=1e-15)
    assert places.maybe == pytest.approx(chord + 1e-12, abs=1e-15)
    regions = popular.PopularRegions(100.0)
    assert (regions._surely, regions._maybe) == (places.surely, places.maybe)


@pytest.mark.parametrize("within", [True, False])
def test_what_lies_between_is_decided_by_the_formula_alone(within):
    """The chords are moved so far that the tree alone would answer otherwise."""
    lat, lon = np.array([0.5, 0.5]), np.array([0.0, 0.1])
    radius = float(sphere.haversine_km(0, 0, 0.5, 0.1)) * (1 + 1e-9) if within else 10.0
    places, regions = one(radius), popular.PopularRegions(radius)
    regions.add(0.0, 0.0)
    places.surely, places.maybe = 0.0, 0.1
    regions._surely, regions._maybe = 0.0, 0.1
    assert places.contains(lat, lon).tolist() == [within, within]
    assert regions.contains(lat, lon).tolist() == [within, within]
    places.surely, regions._surely = 0.05, 0.05
    assert places.contains(lat, lon).tolist() == [True, True]
    assert regions.contains(lat, lon).tolist() == [True, True]
    places.surely, places.maybe = -1.0, 0.001
    regions._surely, regions._maybe = -1.0, 0.001
    assert places.contains(lat, lon).tolist() == [False, False]
    assert regions.contains(lat, lon).tolist() == [False, False]


@pytest.mark.parametrize(("radius", "within"), [(100.0, True), (30.0, False)])
def test_one_of_several_centres_is_enough(radius, within):
    lat, lon = np.array([0.0, 1.6, -1.6]), np.zeros(3)
    places, regions = Centres(lat, lon, radius), popular.PopularRegions(radius)
    regions.add(lat, lon)
    places.surely, places.maybe = -1.0, 0.1
    regions._surely, regions._maybe = -1.0, 0.1
    point = np.array([0.5]), ZERO
    assert places.contains(*point).tolist() == regions.contains(*point).tolist() == [within]


def test_one_number_beside_a_column_is_no_pair():
    regions = popular.PopularRegions()
    for lat, lon in ((1.0, [2.0, 3.0]), ([1.0, 2.0], 3.0)):
        for call in (regions.add, regions.contains):
            with pytest.raises((TypeError, ValueError)):
                call(lat, lon)
    assert len(regions) == 0


def test_columns_that_are_named_are_latitude_and_longitude():
    rows = pa.table({"a": [60.0, 3.0], "b": [3.0, 60.0]})
    near = pa.table({"lat": [60.0], "lon": [0.0]})
    assert popular.exclude(rows, near, lat="a", lon="b").to_pydict() == {"a": [3.0], "b": [60.0]}
    assert popular.exclude(rows, near, lat="b", lon="a").to_pydict() == {"a": [60.0], "b": [3.0]}


def test_cells_are_looked_at_again_where_the_coarse_ones_are_in_doubt():
    rng = np.random.default_rng(4)
    places = Centres(*rng.uniform(-80, 80, (2, 9)), 2000.0)
    rows = 120
    keys = raster._keys(rng.uniform(-90, 90, 3000), rng.uniform(-180, 180, 3000), rows)
    states, used = raster._states(places, keys, rows), np.unique(keys)
    assert states[used].tolist() == raster._classify(places, used, rows).tolist()
    assert 0 < (states[used] == AMBIGUOUS).mean() < 0.2
    assert not np.delete(states, used).any()


def test_a_chord_at_a_limit_itself():
    """It is surely within, or it is asked about; a cell that ends there is inside, or in doubt."""
    lat, far = np.array([0.5]), np.array([0.5, 0.6])
    places, regions = one(1e4), popular.PopularRegions(1e4)
    regions.add(0.0, 0.0)
    chord = float(places._nearest(sphere.unit_vectors(lat, ZERO), 1.0)[0])
    vector = sphere.unit_vectors(lat, ZERO) - sphere.unit_vectors(ZERO, ZERO)
    asked = []
    exact = regions._exact
    regions._exact = lambda *point: asked.append(point) or exact(*point)
    regions._surely, regions._maybe = -1.0, float(np.sqrt((vector**2).sum()))
    assert regions.contains(lat, ZERO).tolist() == [True]
    assert len(asked) == 1
    regions._surely, regions._exact = regions._maybe, None
    assert regions.contains(lat, ZERO).tolist() == [True]
    places.surely, places.maybe, places._exact = chord, 2 * chord, None
    assert places.contains(lat, ZERO).tolist() == [True]
    assert places.classify(lat, ZERO, 0.0).tolist() == [INSIDE]
    places.surely, places.maybe = -1.0, chord
    reach = np.array([0.0, 0.1])
    assert places.classify(far, np.zeros(2), reach).tolist() == [AMBIGUOUS, AMBIGUOUS]


def test_the_formula_is_asked_of_points_between_only():
    lat, lon = np.array([0.0, 0.8, 0.95, 40.0]), np.zeros(4)
    places, regions = one(), popular.PopularRegions(100.0)
    regions.add(0.0, 0.0)
    places._exact = regions._exact = None
    for found in (places.contains(lat, lon), regions.contains(lat, lon)):
        assert found.tolist() == [True, True, False, False]
    assert regions.contains([], []).tolist() == regions.contains([], np.array([])).tolist() == []
    assert regions.contains([None, 95.0], [0.0, 0.0]).tolist() == [False, False]


def test_centres_beyond_the_bound_are_not_looked_for():
    points = sphere.unit_vectors(np.array([0.5, 40.0]), np.zeros(2))
    found = one()._nearest(points, 0.01)
    assert found.tolist() == [pytest.approx(2 * np.sin(np.radians(0.25))), np.inf]


def test_longitudes_are_measured_as_they_are_written(monkeypatch):
    """Bit for bit: 200.37 less 360 has another last digit."""
    lons = [
        float(lon)
        for lon in np.arange(200.0, 360.0, 0.37)
        if sphere.haversine_a(0, lon, 0, 1.7)
        <= sphere.threshold_a(sphere.haversine_km(0, lon, 0, 1.7))
        < sphere.haversine_a(0, lon - 360.0, 0, 1.7)
    ]
    assert len(lons) > 5
    for lon in lons[:9]:
        radius = float(sphere.haversine_km(0, lon, 0, 1.7))
        regions = popular.PopularRegions(radius)
        regions.add(0.0, 1.7)
        assert regions.contains(0.0, lon).tolist() == [True]
        for direct in (0, 9):
            monkeypatch.setattr(exclusion, "_DIRECT", direct)
            for kind in (list, np.array):
                found = popular.within_km(kind([0.0]), kind([lon]), [0.0], [1.7], radius)
                assert found.tolist() == [True]


@pytest.mark.parametrize(
    ("kind", "plain"),
    [(np.array, True), (lambda v: np.array(v, np.float32), True), (list, False),
     (lambda v: np.array(v, int), False), (lambda v: np.ma.array(v, mask=False), False)],
)  # fmt: skip
def test_plain_columns_of_numbers_go_to_the_raster_as_they_are(monkeypatch, kind, plain):
    monkeypatch.setattr(exclusion, "_DIRECT", 2)
    given = []
    raster_ = exclusion.within_raster
    monkeypatch.setattr(
        exclusion, "within_raster", lambda *args: given.append(args[1:3]) or raster_(*args)
    )
    lat, lon = kind([0.0, 1.0, 2.0]), kind([0.0, 0.0, 0.0])
    assert popular.within_km(lat, lon, ZERO, ZERO).tolist() == [True, True, False]
    ((y, x),) = given
    assert (y is lat, x is lon) == (plain, plain)
    with pytest.raises(ValueError, match="equally long"):
        popular.within_km(lat, lon[:2], ZERO, ZERO)


def test_one_pair_is_a_column_of_one_row():
    regions = popular.PopularRegions(100.0)
    assert regions.add(10.0, 190.0) == 1
    assert regions.add([10.0], [190.0]) == regions.add(np.float32(10), np.array(190)) == 0
    assert regions.to_table().to_pydict() == {"lat": [10.0], "lon": [190.0]}
    for lat, lon, near in (
        (10.0, -170.0, True), (np.array(10.0), np.float64(190), True), (95.0, 0.0, False),
        (None, 0.0, False), (float("nan"), 0.0, False), (10.0, 400.0, False), (True, 0.0, False),
    ):  # fmt: skip
        assert regions.contains(lat, lon).tolist() == [near]
    for lat, lon in ((95.0, 0.0), (None, 0.0), (10.0, float("inf"))):
        with pytest.raises(ValueError, match="popular point 0 of 1 has no valid latitude"):
            regions.add(lat, lon)
    assert len(regions) == 1


def test_of_several_near_regions_the_nearest_decides():
    regions = popular.PopularRegions(100.0)
    regions.add([0.0, 1.5, 3.0], [0.0, 0.0, 0.0])
    lat = np.array([0.7, 1.0, 2.2, 2.9, 4.0, -0.95])
    km = np.min([sphere.haversine_km(lat, 0.0, y, 0.0) for y in (0.0, 1.5, 3.0)], axis=0)
    assert regions.contains(lat, np.zeros(6)).tolist() == (km <= 100.0).tolist()


@pytest.mark.parametrize(
    ("lat", "reach", "verdict"),
    [(0.5, 0.0, INSIDE), (0.5, 0.005, INSIDE), (0.5, 0.008, AMBIGUOUS), (1.0, 0.0, OUTSIDE),
     (1.0, 0.001, OUTSIDE), (1.0, 0.005, AMBIGUOUS), (60.0, 0.1, OUTSIDE), (60.0, 2.0, AMBIGUOUS)],
)  # fmt: skip
def test_the_verdict_on_a_cell_by_how_far_it_reaches(lat, reach, verdict):
    """A hundred kilometres are a chord of 0.0157; half a degree is 0.0087, a degree 0.0175."""
    found = one().classify(np.array([lat, 0.1]), np.zeros(2), np.array([reach, 0.0]))
    assert (found.tolist(), found.dtype) == ([verdict, INSIDE], np.int8)
    assert one().classify(np.array([lat]), ZERO, reach).tolist() == [verdict]


def test_centres_within_the_reach_of_a_cell_in_their_order():
    places = Centres(np.array([3.0, 1.0, 2.0, 40.0]), np.zeros(4), 100.0)
    assert places.within(np.array([2.0, 0.0]), np.zeros(2), 0.002) == [[0, 1, 2], [0]]
    assert places.within(np.array([2.0]), ZERO, 0.0) == [[1]]


@pytest.mark.parametrize("rows", [2, 8, 120, 1800])
def test_a_cell_reaches_to_its_corners_nearest_the_equator(rows):
    step = 180.0 / rows
    lat = (np.arange(rows) + 0.5) * step - 90.0
    reach = raster._reach(lat, step)
    corners = [
        (lat + up * step / 2, np.full(rows, side * step / 2)) for up in (-1, 1) for side in (-1, 1)
    ]
    middle = sphere.unit_vectors(lat, np.zeros(rows))
    chords = [np.linalg.norm(sphere.unit_vectors(*at) - middle, axis=1) for at in corners]
    np.testing.assert_allclose(reach, np.max(chords, axis=0), rtol=1e-9)


def test_cells_by_a_plain_look_at_each():
    """Around Paris, against the distance of each cell's middle."""
    reach = 1420.0 / np.sqrt(7.0) ** 3
    home = h3.latlng_to_cell(48.86, 2.35, 3)
    expected = {}
    for cell in h3.grid_disk(home, 9):
        km = sphere.haversine_km(*h3.cell_to_latlng(cell), 48.86, 2.35)
        if km <= 200.0 + reach:
            expected[h3.str_to_int(cell)] = "inside" if km <= 200.0 - reach else "ambiguous"
    table = popular.cells([48.86], [2.35], resolution=3)
    assert dict(zip(table["cell"].to_pylist(), table["class"].to_pylist())) == expected
    assert list(expected.values()).count("inside") == 4
    points = popular.cell_points(table, [48.86], [2.35])
    open_cells = sorted(cell for cell, kind in expected.items() if kind == "ambiguous")
    assert points["cell"].to_pylist() == open_cells
    assert set(points["lat"].to_pylist()) == {48.86}


def test_a_cell_of_several_centres_has_a_row_for_each():
    lat, lon = [0.0, 0.5, 40.0], [0.0, 0.0, 0.0]
    table = popular.cells(lat, lon, 200.0, 3)
    found = popular.cell_points(table, lat, lon, 200.0)
    cells = found["cell"].to_numpy()
    assert (np.diff(cells) >= 0).all()
    reach = 1420.0 / np.sqrt(7.0) ** 3
    for cell in set(cells.tolist()):
        y, x = h3.cell_to_latlng(h3.int_to_str(cell))
        near = [a for a in lat if sphere.haversine_km(y, x, a, 0.0) <= 200.0 + reach]
        rows = found.filter(np.asarray(cells == cell))
        assert rows["lat"].to_pylist() == near
        assert set(rows["lon"].to_pylist()) == {0.0}


def test_cells_below_stick_out_of_those_above_by_less_than_is_allowed_for():
    parent = h3.latlng_to_cell(10.0, 20.0, 2)
    y, x = h3.cell_to_latlng(parent)
    own = max(sphere.haversine_km(y, x, *at) for at in h3.cell_to_boundary(parent))
    below = [at for c in h3.cell_to_children(parent, 5) for at in h3.cell_to_boundary(c)]
    most = max(sphere.haversine_km(y, x, *at) for at in below)
    assert own < most < own * hexagons._DESCENDANTS
    assert (hexagons._REACH_KM, hexagons._DESCENDANTS) == (1420.0, 1.1)
    assert hexagons._MAX_CELLS == 50_000_000
    assert hexagons._reach(2, 1.1) == pytest.approx(2 * np.sin(1.1 * 1420 / 7 / 6371 / 2))


def test_what_sticks_out_of_a_cell_is_not_inside_with_it():
    """A circle around all of the coarsest cell's own reach leaves a corner of one below it out."""
    cell = "805dfffffffffff"
    centre = sphere.unit_vectors(*(np.array([v]) for v in h3.cell_to_latlng(cell)))[0]
    corners = [(k, at) for k in h3.cell_to_children(cell, 2) for at in h3.cell_to_boundary(k)]
    km = [sphere.haversine_km(*h3.cell_to_latlng(cell), *at) for _, at in corners]
    below, far = corners[int(np.argmax(km))]
    assert max(km) > hexagons._REACH_KM + 1
    out = sphere.unit_vectors(*(np.array([v]) for v in far))[0] - centre
    away = -(out - (out @ centre) * centre)  # from the middle, away from that corner
    angle = 20.0 / 6371.0
    x, y, z = np.cos(angle) * centre + np.sin(angle) * away / np.linalg.norm(away)
    place = float(np.degrees(np.arcsin(z))), float(np.degrees(np.arctan2(y, x)))
    radius = 20.0 + hexagons._REACH_KM + 0.5
    assert sphere.haversine_km(*place, *far) > radius
    found = popular.cells([place[0]], [place[1]], radius, 2)
    kinds = dict(zip(found["cell"].to_pylist(), found["class"].to_pylist()))
    assert kinds[h3.str_to_int(below)] == "ambiguous"
    assert list(kinds.values()).count("inside") > 20


def test_two_hundred_kilometres_and_resolution_five_are_taken_if_nothing_is_said():
    near = np.array([1.79, 1.80])  # 200 km are 1.7986 degrees
    assert popular.within_km(near, np.zeros(2), ZERO, ZERO).tolist() == [True, False]
    assert popular.Circles(ZERO, ZERO).hold(near, np.zeros(2)).tolist() == [True, False]
    assert popular.PopularRegions().radius_km == 200.0
    for call in (popular.cells, popular.cell_points, popular.exclude):
        assert inspect.signature(call).parameters["radius_km"].default == 200.0
    assert inspect.signature(popular.cells).parameters["resolution"].default == 5
    assert popular.cells(ZERO, ZERO, resolution=2).equals(popular.cells(ZERO, ZERO, 200.0, 2))


@pytest.mark.parametrize("chunk", [1, 1 << 18])
def test_points_of_one_cell_and_of_many(monkeypatch, chunk):
    """Random places and the tree as an oracle, so coarse that both verdicts occur at each level."""
    monkeypatch.setattr(raster, "_CHUNK", chunk)
    rng = np.random.default_rng(8)
    lat, lon = rng.uniform(-90, 90, 400), rng.uniform(-180, 180, 400)
    lat[:5], lon[5:10] = np.nan, np.inf
    places = Centres(*rng.uniform(-80, 80, (2, 12)), 2500.0)
    good = np.isfinite(lat) & np.isfinite(lon)
    expected = np.zeros(400, bool)
    expected[good] = places.contains(lat[good], lon[good])
    assert raster.within_raster(places, lat, lon, 2500.0).tolist() == expected.tolist()
    assert 20 < expected.sum() < 380
    assert centres.MARGIN == 1e-12
