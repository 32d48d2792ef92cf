"""The pieces of the exclusion: where another way is taken, and what each way answers."""

import numpy as np
import pyarrow as pa
import pytest

from geodata import popular, sphere
from geodata.popular import centres, exclusion, growing, hexagons, raster
from geodata.popular.centres import AMBIGUOUS, INSIDE, OUTSIDE, Centres

KM = float(sphere.haversine_km(0.0, 0.0, 0.0, 1.0))
"""A degree of the equator."""


@pytest.mark.parametrize(
    ("radius_km", "rows"),
    [(200.0, 1800), (100.0, 3600), (99.9, 3600), (201.0, 1792), (3000.0, 120), (20_015.0, 120),
     (1.0, 3600)],
)  # fmt: skip
def test_the_raster_is_finer_for_smaller_circles(radius_km, rows):
    assert raster._raster_rows(radius_km) == rows


@pytest.mark.parametrize("chunk", [1, 3, 1 << 18])
def test_the_cell_of_a_point(monkeypatch, chunk):
    monkeypatch.setattr(raster, "_CHUNK", chunk)
    points = [(-90, -180, 0), (-90, 179.9, 7), (90, -180, 24), (90, 179.9, 31), (90, 180, 24),
              (0, 0, 20), (-0.1, -0.1, 11), (44.9, 44.9, 20), (45.0, 45.0, 29), (10.0, 190.0, 16),
              (91.0, 0.0, 32), (np.nan, 0.0, 32)]  # fmt: skip
    lat, lon, keys = (np.array(axis, float) for axis in zip(*points))
    assert raster._keys(lat, lon, 4).tolist() == keys.tolist()


def test_the_last_number_before_an_edge_is_in_the_last_cell():
    """Its product may round up to the number of cells, which is the first of the next row."""
    lat, lon = np.array([0.01, np.nextafter(90.0, 0.0)]), np.full(2, np.nextafter(180.0, 0.0))
    rounded = 0
    for rows in [*range(120, 3601, 8), 4]:
        keys = raster._keys(lat, lon, rows)
        last = 2 * rows - 1
        assert keys.tolist() == [rows // 2 * 2 * rows + last, (rows - 1) * 2 * rows + last], rows
        rounded += int((lon[0] + 180.0) * (rows / 180.0)) > last
    assert rounded


@pytest.mark.parametrize("chunk", [1, 7, 1 << 18])
def test_the_raster_answers_as_the_tree(monkeypatch, chunk):
    monkeypatch.setattr(raster, "_CHUNK", chunk)
    rng = np.random.default_rng(3)
    lat, lon = rng.uniform(-90, 90, 60), rng.uniform(-180, 180, 60)
    lat[5] = np.nan
    for radius in (300.0, 3000.0, 21_000.0):
        places = Centres(np.array([0.0, 89.0]), np.array([0.0, 179.0]), radius)
        km = [sphere.haversine_km(lat, lon, *place) for place in ((0.0, 0.0), (89.0, 179.0))]
        expected = (np.minimum(*km) <= radius).tolist()
        assert raster.within_raster(places, lat, lon, radius).tolist() == expected


def test_a_verdict_on_a_cell_holds_on_all_of_it():
    """Of an eighth of the world down to a degree, against the corners and the middle."""
    places = Centres(np.array([10.0, -70.0]), np.array([20.0, 170.0]), 2000.0)
    seen = set()
    for rows in (4, 18, 90):
        found = np.arange(2 * rows * rows)
        states = raster._classify(places, found, rows)
        step = 180.0 / rows
        for at in (0.0, 0.5, 1.0):
            for across in (0.0, 0.5, 1.0):
                lat = (found // (2 * rows) + at) * step - 90.0
                lon = (found % (2 * rows) + across) * step - 180.0
                near = places.contains(lat, lon)
                assert near[states == INSIDE].all()
                assert not near[states == OUTSIDE].any()
        seen |= set(states.tolist())
        assert (states == AMBIGUOUS).mean() < {4: 0.6, 18: 0.35, 90: 0.12}[rows]
    assert seen == {INSIDE, OUTSIDE, AMBIGUOUS}


@pytest.mark.parametrize(("points", "way"), [(3, "tree"), (4, "raster")])
@pytest.mark.parametrize("kind", [np.asarray, list, pa.array])
def test_many_points_go_through_the_raster(monkeypatch, points, way, kind):
    monkeypatch.setattr(exclusion, "_DIRECT", 3)
    asked = []
    original = exclusion.within_raster
    monkeypatch.setattr(
        exclusion, "within_raster", lambda *given: asked.append(len(given[1])) or original(*given)
    )
    lat, lon = [0.0, 0.0, 95.0, 0.0][:points], [0.0, 1.5, 0.0, 2.1][:points]
    found = popular.within_km(kind(lat), kind(lon), [0.0], [0.0], 2 * KM)
    assert found.tolist() == [True, True, False, False][:points]
    assert asked == ([4] if way == "raster" else [])
    assert exclusion._DIRECT == 3


def test_up_to_fifty_thousand_points_the_tree_is_asked():
    assert exclusion._DIRECT == 50_000
    assert (raster._COARSE, raster._CHUNK) == (8, 262_144)
    assert centres.MARGIN == 1e-12
    assert (OUTSIDE, INSIDE, AMBIGUOUS) == (0, 1, 2)


@pytest.mark.parametrize("radius", [KM, np.nextafter(KM, 0.0), 2 * KM])
def test_points_at_the_radius_are_decided_by_the_formula(radius):
    lat, lon = np.array([0.0, 0.0, 1.0, -1.0]), np.array([1.0, -1.0, 0.0, 0.0])
    wanted = sphere.haversine_a(lat, lon, 0.0, 0.0) <= sphere.threshold_a(radius)
    places = Centres(np.array([0.0]), np.array([0.0]), radius)
    assert places.contains(lat, lon).tolist() == wanted.tolist()
    regions = popular.PopularRegions(radius)
    regions.add(0.0, 0.0)
    assert regions.contains(lat, lon).tolist() == wanted.tolist()


def test_centres_are_one_copy_of_each_place():
    places = Centres(np.array([1.0, 2.0, 1.0]), np.array([5.0, 6.0, 5.0]), 10.0)
    assert (places.lat.tolist(), places.lon.tolist()) == ([1.0, 2.0], [5.0, 6.0])
    none = Centres(np.array([]), np.array([]), 10.0)
    assert none.contains(np.array([1.0]), np.array([1.0])).tolist() == [False]
    assert none.classify(np.array([1.0]), np.array([1.0]), 0.1).tolist() == [OUTSIDE]
    assert places.classify(np.array([]), np.array([]), 0.1).tolist() == []
    assert places.within(np.array([1.0, 50.0]), np.array([5.0, 5.0]), 0.001) == [[0], []]
    assert places.within(np.array([1.5]), np.array([5.5]), 0.1) == [[0, 1]]


@pytest.mark.parametrize("radius", [0.0, -1.0, np.nan, np.inf, True, False])
def test_a_radius_that_is_none(radius):
    for call in (centres.check_radius, growing.PopularRegions):
        with pytest.raises(
            ValueError, match=r"^radius_km .* must be a finite number above 0, in km"
        ):
            call(radius)
    assert centres.check_radius(np.float32(2.5)) == 2.5


def test_a_popular_point_that_is_no_place_is_told_with_its_row():
    with pytest.raises(
        ValueError, match=r"^gallery 1 of 4 has no valid latitude .* \(2 such in all\)"
    ):
        centres.checked_points([0.0, None, 1.0, 91.0], [0.0] * 4, "gallery")
    lat, lon = centres.checked_points([90.0, -90.0], [-360.0, 360.0], "x")
    assert (lat.tolist(), lon.tolist()) == ([90.0, -90.0], [-360.0, 360.0])


def test_excluded_rows_by_what_becomes_of_those_without_a_place():
    table = pa.table({"id": list("abcd"), "lat": [0.0, 50.0, None, 95.0], "lon": [0.0] * 4})
    points = pa.table({"lat": [0.0], "lon": [0.0]})
    assert popular.exclude(table, points)["id"].to_pylist() == ["b", "c", "d"]
    assert popular.exclude(table, points, invalid="drop")["id"].to_pylist() == ["b"]
    with pytest.raises(
        ValueError, match=r"^2 of 4 rows have no valid coordinate, row 2 is the first"
    ):
        popular.exclude(table, points, invalid="error")
    good = table.slice(0, 2)
    assert popular.exclude(good, points, invalid="error")["id"].to_pylist() == ["b"]
    with pytest.raises(
        ValueError, match=r"^invalid='raise' is not known; expected 'keep', 'drop' or"
    ):
        popular.exclude(table, points, invalid="raise")
    near = pa.table({"lat": [0.0, 0.0], "lon": [1.79, 1.80]})
    assert popular.exclude(near, points)["lon"].to_pylist() == [1.80]  # 200 km are 1.7986 degrees
    named = near.rename_columns(["y", "x"])
    both = points.append_column("y", pa.array([80.0])).append_column("x", pa.array([80.0]))
    assert popular.exclude(named, both, lat="y", lon="x").num_rows == 2
    assert popular.exclude(named, points, lat="y", lon="x").num_rows == 1


def test_regions_say_what_they_are_and_carry_their_radius():
    regions = popular.PopularRegions()
    assert repr(regions) == "PopularRegions(radius_km=200.0, points=0)"
    assert regions.add([1.0, 1.0, 2.0], [3.0, 3.0, 4.0]) == 2
    assert regions.add([2.0, 5.0], [4.0, 6.0]) == 1
    table = regions.to_table()
    assert table.to_pydict() == {"lat": [1.0, 2.0, 5.0], "lon": [3.0, 4.0, 6.0]}
    assert table.schema.metadata == {b"radius_km": b"200.0"}
    assert popular.PopularRegions.from_table(table).radius_km == 200.0
    assert popular.PopularRegions.from_table(table, 7.0).radius_km == 7.0
    assert len(popular.PopularRegions.from_table(table, 7.0)) == 3
    assert regions.contains(1.0, 3.0).tolist() == [True]
    assert regions.contains([1.0, None, 95.0, -60.0], [3.0] * 4).tolist() == [
        True,
        False,
        False,
        False,
    ]


# cells


@pytest.mark.parametrize("resolution", [True, -1, 16, 2.5, "5", None])
def test_what_is_no_resolution(resolution):
    with pytest.raises(
        ValueError, match=r"is not an H3 resolution; choose 0 .coarse. to 15 .fine."
    ):
        hexagons._check_resolution(resolution)
    assert [hexagons._check_resolution(r) for r in (0, 15, np.int8(3))] == [0, 15, 3]


@pytest.mark.parametrize("resolution", [0, 1])
def test_cells_are_inside_ambiguous_or_not_there(resolution):
    """Against every cell of the resolution: its middle and its corners."""
    import h3

    lat, lon, radius = [10.0, -60.0], [20.0, 179.9], 1500.0
    table = popular.cells(lat, lon, radius, resolution)
    kind = dict(zip(table["cell"].to_pylist(), table["class"].to_pylist()))
    assert table["cell"].to_pylist() == sorted(kind)
    assert set(kind.values()) <= {"inside", "ambiguous"}
    whole = set(h3.get_res0_cells())
    for _ in range(resolution):
        whole = {child for cell in whole for child in h3.cell_to_children(cell)}
    for cell in whole:
        points = [h3.cell_to_latlng(cell), *h3.cell_to_boundary(cell)]
        near = popular.within_km(*map(list, zip(*points)), lat, lon, radius)
        verdict = kind.get(h3.str_to_int(cell))
        assert verdict != "inside" or near.all()
        assert verdict is not None or not near.any()
    found = popular.cell_points(table, lat, lon, radius)
    open_cells = {cell for cell, name in kind.items() if name == "ambiguous"}
    assert set(found["cell"].to_pylist()) <= open_cells
    pairs = set(zip(*found.to_pydict().values()))
    for cell in open_cells:
        y, x = h3.cell_to_latlng(h3.int_to_str(cell))
        for place in zip(lat, lon):
            if sphere.haversine_km(y, x, *place) <= radius:
                assert (cell, *place) in pairs


def test_no_open_cell_has_no_points():
    table = pa.table({"cell": pa.array([5], pa.int64()), "class": ["inside"]})
    found = popular.cell_points(table, [1.0], [2.0], 10.0)
    assert (found.num_rows, found.column_names) == (0, ["cell", "lat", "lon"])
    assert found.schema.types == [pa.int64(), pa.float64(), pa.float64()]
    assert popular.cells([], [], 10.0, 3).num_rows == 0
