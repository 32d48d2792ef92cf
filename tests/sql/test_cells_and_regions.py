"""Rows near popular points by cell, and right regions by level: beside their rules in Python."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from geodata import query, sphere

RADIUS = 200.0
HALF = float(sphere.HALF_CIRCUMFERENCE_KM)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as made:
        query.load_sql(made)
        yield made


def drawn(seed, n=60):
    """Photos, cells and points in few cells, so that a row meets several of them or none."""
    rng = np.random.default_rng(seed)
    cells = [1, 2, 3, 4, 5, 6, 7, None]

    def column(size):
        return pa.array([cells[i] for i in rng.integers(0, 8, size)], pa.int64())

    def places(size):
        centre = rng.uniform(-60, 60, 2)
        return {
            "lat": centre[0] + rng.uniform(-3, 3, size),
            "lon": np.remainder(centre[1] * 3 + rng.uniform(-4, 4, size) + 180, 360) - 180,
        }

    photos = {"row": list(range(n)), "cell": column(n), **places(n)}
    near = {
        "cell": column(12),
        "lat": photos["lat"][:12] + rng.uniform(-2, 2, 12),
        "lon": photos["lon"][:12] + rng.uniform(-2, 2, 12),
    }
    kinds = {"cell": [1, 2, 3, None], "class": ["inside", "ambiguous", "ambiguous", "inside"]}
    return pa.table(photos), pa.table(kinds), pa.table(near)


@pytest.mark.parametrize("seed", range(12))
def test_rows_are_far_from_every_popular_point_or_near_one(con, seed):
    photos, cells, points = drawn(seed)
    for name, table in (("photos", photos), ("cells", cells), ("points", points)):
        con.register(name, table)
    limit = float(sphere.threshold_a(RADIUS))
    near, margin = [], []
    for row in photos.to_pylist():
        found = row["cell"] == 1
        edge = False
        for point in points.to_pylist():
            a = float(sphere.haversine_a(row["lat"], row["lon"], point["lat"], point["lon"]))
            if row["cell"] is not None and row["cell"] == point["cell"]:
                found |= a <= limit
                edge |= abs(a - limit) < 1e-12
        near.append(found)
        margin.append(edge)
    assert not any(margin)
    assert 0 < sum(near) < len(near)
    columns = ", ".join(photos.column_names)
    call = f"('photos', 'cells', 'points', {RADIUS})"
    far = con.sql(f"SELECT {columns} FROM far_from_popular{call} ORDER BY row").fetchall()
    bad = con.sql(f"SELECT {columns} FROM dataset_near_popular{call} ORDER BY row").fetchall()
    rows = [tuple(row.values()) for row in photos.to_pylist()]
    assert far == [row for row, is_near in zip(rows, near, strict=True) if not is_near]
    assert bad == [row for row, is_near in zip(rows, near, strict=True) if is_near]


def one(con, macro, photo, point, radius):
    """Rows that a macro gives of one photo and one popular point of its cell."""
    for name, (lat, lon) in (("photo", photo), ("point", point)):
        con.register(name, pa.table({"cell": [5], "lat": [lat], "lon": [lon]}))
    con.register("none", pa.table({"cell": pa.array([], pa.int64()), "class": pa.array([], "str")}))
    return len(con.sql(f"FROM {macro}('photo', 'none', 'point', {radius!r})").fetchall())


def east(km):
    return 0.0, float(np.degrees(km / 6371.0))


@pytest.mark.parametrize(
    ("km", "far", "near"),
    [
        (199.0, 0, 1), (200 - 2e-6, 0, 1), (200 - 5e-7, 0, 0), (200 + 1e-9, 1, 0), (201.0, 1, 0),
    ],
)  # fmt: skip
def test_the_edge_of_a_radius_and_the_millimetre_beside_it(con, km, far, near):
    """By distance along the equator; the audit lets a millimetre pass, the recipe nothing."""
    assert one(con, "far_from_popular", (0.0, 0.0), east(km), RADIUS) == far
    assert one(con, "dataset_near_popular", (0.0, 0.0), east(km), RADIUS) == near


def test_the_bar_of_the_audit_itself_is_near(con):
    """Radii a millimetre above a distance, of which some put the bar on it to the last bit."""
    on_it = 0
    for km in (150.0, 300.0, 1000.0, 5000.0):
        lat, lon = east(km)
        radii = km + 1e-6 - 1e-9 + np.arange(-40, 40) * np.spacing(km)
        con.register("radii", pa.table({"r": radii}))
        same = f"limit_a(r - 1e-6, false) = haversine_a(0, 0, {lat!r}, {lon!r})"
        for (radius,) in con.sql(f"SELECT r FROM radii WHERE {same}").fetchall():
            assert one(con, "dataset_near_popular", (0.0, 0.0), (lat, lon), radius) == 1
            on_it += 1
    assert on_it


def test_a_row_exactly_at_the_radius_goes(con):
    """In the operations of `geodata.sphere`: for many radii the two agree to the last bit."""
    rng = np.random.default_rng(3)
    for radius in rng.uniform(1, 15_000, 40).tolist():
        lat1, lat2 = rng.uniform(-80, 80, 2).tolist()
        lon1, lon2 = rng.uniform(-180, 180, 2).tolist()
        a = float(sphere.haversine_a(lat1, lon1, lat2, lon2))
        own = float(sphere.haversine_km(lat1, lon1, lat2, lon2))
        for limit in (radius, own, np.nextafter(own, 0), np.nextafter(own, 1e9)):
            wanted = int(not a <= float(sphere.threshold_a(limit)))
            found = one(con, "far_from_popular", (lat1, lon1), (lat2, lon2), float(limit))
            assert found == wanted, (lat1, lon1, lat2, lon2, limit)


def test_nothing_is_farther_than_half_a_circumference(con):
    rng = np.random.default_rng(4)
    for lat, lon in zip(rng.uniform(-90, 90, 60), rng.uniform(-180, 0, 60), strict=True):
        photo, point = (float(lat), float(lon)), (float(-lat), float(lon + 180))
        for radius in (HALF, 30_000.0, 1e6):
            assert one(con, "far_from_popular", photo, point, radius) == 0
        assert one(con, "far_from_popular", photo, point, HALF - 1.0) == 1


LEVELS = ("country_code", "admin1_code", "city")
VALUES = {"country_code": ["FR", "US", None], "admin1_code": ["X", "Y", None],
          "city": ["Paris", "Rome", None]}  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_a_region_is_right_with_all_that_lie_above_it(con, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    columns = {}
    for level in LEVELS:
        values = VALUES[level][: 3 if seed % 3 else 2]
        for name in (level, f"pred_{level}"):
            cells = [values[i] for i in rng.integers(0, len(values), n)]
            columns[name] = pa.array(cells, pa.string())
    table = pa.table(columns)
    con.register("labelled", table)
    expected, rows = [], table.to_pylist()
    for depth, level in enumerate(LEVELS):
        labelled = [row for row in rows if row[level] is not None]
        right = [
            row for row in labelled
            if row["country_code"] is not None
            and all(row[above] == row[f"pred_{above}"] for above in LEVELS[: depth + 1])
        ]  # fmt: skip
        answered = [row for row in labelled if row[f"pred_{level}"] is not None]
        of = len(labelled)
        shares = [len(part) / of if of else None for part in (right, answered)]
        name = level.partition("_")[0]
        expected.append((name, n, of, len(answered), len(right), *shares))
    assert con.sql("FROM region_accuracy('labelled')").fetchall() == expected


@pytest.mark.parametrize("place", range(3))
def test_what_is_the_same_is_at_no_distance_however_long_the_vectors(con, place):
    """Squares of differences: numbers that only their differences keep finite."""
    long = ["0"] * 3
    long[place] = "1e308"
    call = f"chord2({', '.join(f'{v}::DOUBLE' for v in long * 2)})"
    assert con.sql(f"SELECT {call}").fetchall() == [(0.0,)]
    half = ["1e154::DOUBLE"] * 3
    half[place] = "0"
    assert con.sql(f"SELECT chord2({', '.join(half)}, 0, 0, 0)").fetchall() == [(None,)]
    ahead = ["0"] * 6
    ahead[place], ahead[place + 3] = "3::DOUBLE", "1::DOUBLE"
    assert con.sql(f"SELECT chord2({', '.join(ahead)})").fetchall() == [(4.0,)]
