"""Exclusion agrees with brute force all over the sphere, and its three ways with each other."""

from pathlib import Path

import duckdb
import h3
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from geodata import popular, sphere
from geodata.popular import exclusion, hexagons
from geodata.popular.centres import Centres, unit_vectors

ROOT = Path(__file__).parents[2]
GALLERY = ROOT.parent / "shared" / "data" / "points" / "geoclip_gallery_100k.csv"
MACRO = ROOT / "sql" / "macros" / "far_from_popular.sql"
RADII = (0.001, 1.0, 25.0, 200.0, 2500.0, 15000.0, 20000.0)


def brute_force(lat, lon, popular_lat, popular_lon, radius_km):
    limit = sphere.threshold_a(radius_km)
    out = np.zeros(len(lat), bool)
    for i, (y, x) in enumerate(zip(lat, lon, strict=True)):
        out[i] = (sphere.haversine_a(y, x, popular_lat, popular_lon) <= limit).any()
    return out


def on_sphere(rng, n):
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


def places(rng, n):
    """Points all over the sphere, in clumps, at both poles and on the antimeridian."""
    lat, lon = on_sphere(rng, n)
    k = rng.integers(0, max(n // 20, 1), n)
    lat = np.where(rng.random(n) < 0.5, lat, np.clip(lat[k] + rng.normal(size=n), -90, 90))
    lat[:4] = [90.0, -90.0, 0.0, 65.0]
    lon[:4] = [10.0, -70.0, 180.0, -180.0]
    return lat, lon


def hugging(rng, lat, lon, radius_km, n):
    """Points at the radius, give or take from nothing to a metre, around given centres."""
    k = rng.integers(0, len(lat), n)
    offset = rng.choice([0, 1e-15, -1e-15, 1e-13, -1e-13, 1e-12, -1e-12, 1e-9, -1e-9, 1e-6], n)
    angle = np.minimum(radius_km / sphere.EARTH_RADIUS_KM * (1 + offset), np.pi)
    bearing = rng.uniform(0, 2 * np.pi, n)
    phi, lam = np.radians(lat[k]), np.radians(lon[k])
    phi2 = np.arcsin(
        np.clip(np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(bearing), -1, 1)
    )
    lam2 = lam + np.arctan2(
        np.sin(bearing) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * np.sin(phi2)
    )
    return np.degrees(phi2), np.clip(np.degrees(lam2), -360, 360)


def with_edges(rng, lat, lon, n):
    """Add points at the poles and on the antimeridian, written both ways."""
    pole = rng.choice([-90.0, 90.0], n), rng.uniform(-180, 180, n)
    line = rng.uniform(-90, 90, n), rng.choice([-180.0, 180.0], n)
    return np.concatenate([lat, pole[0], line[0]]), np.concatenate([lon, pole[1], line[1]])


@pytest.mark.parametrize("radius_km", RADII)
@pytest.mark.parametrize("direct", [True, False])
def test_no_difference_from_brute_force(radius_km, direct, monkeypatch):
    monkeypatch.setattr(exclusion, "_DIRECT", 1 << 62 if direct else -1)
    rng = np.random.default_rng(1)
    centres = places(rng, 400)
    lat, lon = with_edges(rng, *on_sphere(rng, 1500), 100)
    near = hugging(rng, *centres, radius_km, 1500)
    lat, lon = np.concatenate([lat, near[0]]), np.concatenate([lon, near[1]])

    got = popular.within_km(lat, lon, *centres, radius_km)

    np.testing.assert_array_equal(got, brute_force(lat, lon, *centres, radius_km))


def test_real_places_5000_random_and_5000_hugging():
    if not GALLERY.is_file():
        pytest.skip(f"the sample of 100k real photo places is not at {GALLERY}")
    centres = np.loadtxt(GALLERY, delimiter=",", skiprows=1).T[:, ::10]
    rng = np.random.default_rng(2)
    lat, lon = with_edges(rng, *on_sphere(rng, 4000), 500)
    near = with_edges(rng, *hugging(rng, *centres, 200.0, 4000), 500)
    lat, lon = np.concatenate([lat, near[0]]), np.concatenate([lon, near[1]])
    expected = brute_force(lat, lon, *centres, 200.0)
    whole = np.tile(lat, 6), np.tile(lon, 6)  # enough rows for the raster

    np.testing.assert_array_equal(popular.within_km(lat, lon, *centres), expected)
    np.testing.assert_array_equal(popular.within_km(*whole, *centres), np.tile(expected, 6))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-360, 360)), min_size=1, max_size=8),
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-360, 360)), min_size=1, max_size=8),
    st.floats(1e-9, 25000.0),
)
def test_any_points_and_radius_agree_with_brute_force(points, centres, radius_km):
    lat, lon = np.array(points).T
    popular_lat, popular_lon = np.array(centres).T
    expected = brute_force(lat, lon, popular_lat, popular_lon, radius_km)
    grown = popular.PopularRegions(radius_km)
    grown.add(popular_lat, popular_lon)

    got = popular.within_km(lat, lon, popular_lat, popular_lon, radius_km)

    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(grown.contains(lat, lon), expected)


def test_a_point_at_exactly_the_radius_is_within():
    distance = sphere.haversine_km(0, 0, 0, 1)
    assert sphere.haversine_a(0, 0, 0, 1) == sphere.threshold_a(distance)
    assert popular.within_km([0.0], [1.0], [0.0], [0.0], float(distance)).tolist() == [True]


def test_half_the_circumference_reaches_every_point():
    rng = np.random.default_rng(3)
    lat, lon = with_edges(rng, *on_sphere(rng, 100), 10)
    lat, lon = np.append(lat, -10.0), np.append(lon, -160.0)  # the antipode
    assert popular.within_km(lat, lon, [10.0], [20.0], sphere.HALF_CIRCUMFERENCE_KM).all()
    assert popular.within_km(lat, lon, [10.0], [20.0], 30000.0).all()


@pytest.mark.parametrize("kind", [np.asarray, pa.array, list])
def test_invalid_points_in_the_raster(kind, monkeypatch):
    monkeypatch.setattr(exclusion, "_DIRECT", -1)
    lat = kind(np.array([0.0, np.nan, 91.0, np.inf, 0.0, 45.0]))
    lon = kind(np.array([0.0, 0.0, 0.0, 0.0, -360.0, 0.0]))
    got = popular.within_km(lat, lon, [0.0], [0.0])
    assert got.tolist() == [True, False, False, False, True, False]


def test_empty_sets():
    assert popular.within_km([], [], [1.0], [1.0]).shape == (0,)
    assert popular.within_km([1.0, 2.0], [1.0, 2.0], [], []).tolist() == [False, False]
    assert popular.within_km(np.zeros(60_000), np.zeros(60_000), [], []).sum() == 0
    assert popular.cells([], []).num_rows == 0
    assert popular.cell_points(popular.cells([], []), [], []).num_rows == 0


def test_invalid_points_are_within_nothing_and_invalid_centres_are_refused():
    lat = [0.0, None, 91.0, float("nan"), True, 0.0]
    lon = [0.0, 0.0, 0.0, 0.0, 0.0, 361.0]
    assert popular.within_km(lat, lon, [0.0], [0.0]).tolist() == [True] + [False] * 5
    with pytest.raises(ValueError, match=r"popular point 1 of 2 has no valid latitude"):
        popular.within_km([0.0], [0.0], [0.0, None], [0.0, 0.0])
    with pytest.raises(ValueError, match="equally long"):
        popular.within_km([0.0], [0.0], [0.0], [])


@pytest.mark.parametrize("radius_km", [0, -1, float("nan"), float("inf"), True])
def test_radius_must_be_above_zero(radius_km):
    with pytest.raises(ValueError, match="radius_km"):
        popular.within_km([0.0], [0.0], [0.0], [0.0], radius_km)
    with pytest.raises(ValueError, match="radius_km"):
        popular.PopularRegions(radius_km)


def test_many_copies_of_one_place_are_one_place():
    near = Centres(np.zeros(10_000), np.zeros(10_000), 200.0)
    assert len(near.lat) == 1


@pytest.mark.parametrize("kind", ["arrow", "chunked", "polars", "duckdb"])
def test_exclude_keeps_order_columns_and_takes_any_table(kind):
    table = pa.table(
        {
            "photo_id": ["a", "b", "c", "d"],
            "latitude": [48.9, -32.0, None, 49.0],
            "longitude": [2.3, 115.9, 0.0, -180.0],
        }
    )
    near = pa.table({"LAT": [49.4], "LON": [1.1]})
    given_ = {
        "arrow": lambda: table,
        "chunked": lambda: pa.concat_tables([table.slice(0, 2), table.slice(2)]),
        "polars": lambda: pl.from_arrow(table),
        "duckdb": lambda: duckdb.connect().from_arrow(table),
    }[kind]()
    kept = popular.exclude(given_, near)
    assert isinstance(kept, pa.Table)
    assert kept["photo_id"].to_pylist() == ["b", "c", "d"]
    assert kept.column_names == table.column_names
    assert popular.exclude(table, near, invalid="drop")["photo_id"].to_pylist() == ["b", "d"]
    with pytest.raises(ValueError, match="1 of 4 rows have no valid coordinate, row 2"):
        popular.exclude(table, near, invalid="error")
    with pytest.raises(ValueError, match="expected 'keep', 'drop' or 'error'"):
        popular.exclude(table, near, invalid="ignore")


def test_exclude_reads_texts_as_numbers():
    """As in files: a photo beside a popular point stayed, without a word."""
    lat, lon = pa.array(["48.9", "-32", "x"]), pa.array([" 2.3", "115.9", "0"])
    near = pa.table({"lat": ["49.4"], "lon": ["1.1"]})
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        table = pa.table({"id": ["a", "b", "c"], "lat": lat.cast(kind), "lon": lon.cast(kind)})
        kept = popular.exclude(table, near)
        assert kept == table.slice(1)
        assert popular.exclude(table, near, invalid="drop") == table.slice(1, 1)


def test_exclude_names_missing_columns_and_wrong_types():
    table = pa.table({"y1": [0.0], "x1": [0.0]})
    with pytest.raises(ValueError, match="found no latitude column among y1, x1"):
        popular.exclude(table, table)
    got = popular.exclude(table, pa.table({"lat": [0.0], "lon": [0.0]}), lat="y1", lon="x1")
    assert got.num_rows == 0
    with pytest.raises(TypeError, match="table is list"):
        popular.exclude([1], table)


def cell_column(lat, lon, resolution):
    return pa.array(
        [h3.str_to_int(h3.latlng_to_cell(y, x, resolution)) for y, x in zip(lat, lon, strict=True)],
        pa.int64(),
    )


def by_sql(lat, lon, cells, points, resolution, radius_km):
    """Return the answer of the SQL macro as within_km gives it."""
    con = duckdb.connect()
    con.execute(MACRO.read_text(encoding="utf-8"))
    rows = pa.table(
        {
            "row": np.arange(len(lat)),
            "lat": lat,
            "lon": lon,
            "cell": cell_column(lat, lon, resolution),
        }
    )
    con.register("photos", rows)
    con.register("popular_cells", cells)
    con.register("popular_points", points)
    query = "SELECT row FROM far_from_popular('photos', 'popular_cells', 'popular_points', ?)"
    near = np.ones(len(lat), bool)
    near[con.execute(query, [radius_km]).fetchnumpy()["row"]] = False
    return near


@pytest.mark.parametrize(
    ("radius_km", "resolution"), [(200.0, 3), (200.0, 5), (25.0, 5), (1.0, 7), (5000.0, 2)]
)
def test_cells_in_sql_agree_to_the_row(radius_km, resolution):
    rng = np.random.default_rng(4)
    centres = places(rng, 60)
    lat, lon = with_edges(rng, *on_sphere(rng, 1000), 50)
    near = hugging(rng, *centres, radius_km, 2000)
    lat, lon = np.concatenate([lat, near[0]]), np.concatenate([lon, near[1]])
    lon = np.where(lon >= 180, lon - 360, np.where(lon < -180, lon + 360, lon))
    cells = popular.cells(*centres, radius_km, resolution)
    points = popular.cell_points(cells, *centres, radius_km)

    got = by_sql(lat, lon, cells, points, resolution, radius_km)

    np.testing.assert_array_equal(got, popular.within_km(lat, lon, *centres, radius_km))


def test_rows_without_a_cell_stay():
    con = duckdb.connect()
    con.execute(MACRO.read_text(encoding="utf-8"))
    cells = popular.cells([0.0], [0.0], 200.0, 3)
    con.register("c", cells)
    con.register("p", popular.cell_points(cells, [0.0], [0.0]))
    con.execute("CREATE TABLE t AS SELECT NULL::BIGINT AS cell, NULL::DOUBLE AS lat, 0.0 AS lon")
    assert con.sql("SELECT count(*) FROM far_from_popular('t', 'c', 'p', 200.0)").fetchall() == [
        (1,)
    ]


def test_cells_hold_their_class_on_points_of_the_cell():
    rng = np.random.default_rng(5)
    centres = places(rng, 40)
    cells = popular.cells(*centres, 300.0, 3)
    ids = cells["cell"].to_numpy()
    assert (np.diff(ids) > 0).all()
    lat, lon = hugging(rng, *centres, 300.0, 3000)
    known = dict(zip(ids.tolist(), cells["class"].to_pylist(), strict=True))
    classes = [known.get(cell) for cell in cell_column(lat, lon, 3).to_pylist()]
    within = popular.within_km(lat, lon, *centres, 300.0)
    assert within[[c == "inside" for c in classes]].all()
    assert not within[[c is None for c in classes]].any()


@pytest.mark.parametrize("resolution", [-1, 16, 2.5, True, None])
def test_cells_refuse_what_is_not_a_resolution(resolution):
    with pytest.raises(ValueError, match="is not an H3 resolution"):
        popular.cells([0.0], [0.0], 200.0, resolution)


def test_cells_refuse_a_flood():
    with pytest.raises(ValueError, match="choose a coarser resolution"):
        popular.cells([0.0], [0.0], 2000.0, 9)


def test_no_cell_reaches_past_the_bound_used():
    from geodata.popular.hexagons import _REACH_KM

    rng = np.random.default_rng(6)
    for resolution in (0, 3, 6, 9, 12):
        lat, lon = on_sphere(rng, 300)
        for cell in {h3.latlng_to_cell(y, x, resolution) for y, x in zip(lat, lon, strict=True)}:
            corners = np.array(h3.cell_to_boundary(cell)).T
            reach = sphere.haversine_km(*h3.cell_to_latlng(cell), *corners).max()
            assert reach < _REACH_KM / 7 ** (resolution / 2)


def test_regions_grow_and_answer_as_within_km():
    rng = np.random.default_rng(7)
    centres = places(rng, 300)
    near = hugging(rng, *centres, 200.0, 500)
    lat, lon = with_edges(rng, *near, 20)
    regions = popular.PopularRegions()
    assert not regions.contains(lat, lon).any()
    for stop in (1, 50, 300):
        start = len(regions)
        regions.add(centres[0][start:stop], centres[1][start:stop])
        expected = popular.within_km(lat, lon, centres[0][:stop], centres[1][:stop])
        np.testing.assert_array_equal(regions.contains(lat, lon), expected)
    assert len(regions) == 300
    assert regions.add(centres[0], centres[1]) == 0


def test_regions_round_trip_and_refuse_invalid_points_whole():
    regions = popular.PopularRegions(25)
    assert regions.add(10.0, 20.0) == 1
    with pytest.raises(ValueError, match="popular point 1 of 2"):
        regions.add([1.0, 95.0], [1.0, 1.0])
    assert len(regions) == 1
    again = popular.PopularRegions.from_table(regions.to_table())
    assert again.radius_km == 25.0
    assert again.contains(10.1, 20.1).tolist() == [True]
    with pytest.raises(ValueError, match="carries no radius_km"):
        popular.PopularRegions.from_table(pa.table({"lat": [1.0], "lon": [1.0]}))


def test_unit_vectors_have_length_one():
    rng = np.random.default_rng(8)
    lengths = np.linalg.norm(unit_vectors(*on_sphere(rng, 1000)), axis=1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-15)


@pytest.mark.parametrize(("finer", "needed"), [(0, 3), (1, 21), (2, 147)])
def test_a_flood_of_cells_is_refused_at_its_limit(monkeypatch, finer, needed):
    """Each cell has seven below it; pentagons, with six, are among the coarsest only."""
    parents = np.array([h3.str_to_int(h3.latlng_to_cell(40.0 + i, 10.0, 4)) for i in range(3)],
                       np.uint64)  # fmt: skip
    monkeypatch.setattr(hexagons, "_MAX_CELLS", needed)
    assert len(set(hexagons._children(parents, 4 + finer).tolist())) == needed
    monkeypatch.setattr(hexagons, "_MAX_CELLS", needed - 1)
    with pytest.raises(
        ValueError, match=rf"about {needed:,} .*resolution {4 + finer} .* {needed - 1:,};"
    ):
        hexagons._children(parents, 4 + finer)
    assert not len(hexagons._children(parents[:0], 4))
