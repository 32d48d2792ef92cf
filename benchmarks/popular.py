"""Popular-region exclusion beside a plain k-d tree, end to end, one thread.

    OMP_NUM_THREADS=1 python benchmarks/popular.py [--rows 4720000] [--places PLACES.csv]

Candidates and popular points come from a file of real photo places (columns LAT, LON), jittered
from a metre to 300 km; without one, from clumps on the sphere. Each line compares CPU seconds of
the same question, answered by both in one process, and counts the rows that differ. Then the
answers are checked against brute force, and the stored-cell way in SQL is timed.
"""

import argparse
import time
from pathlib import Path

import duckdb
import h3ronpy.vector
import numpy as np
import pyarrow as pa
from scipy.spatial import cKDTree

from geodata import files, popular, sphere

RADIUS_KM = 200.0
SQL = Path(__file__).parents[1] / "sql" / "macros" / "far_from_popular.sql"


def main():
    args = _arguments()
    rng = np.random.default_rng(0)
    places = _places(args.places, rng)
    photos = _jitter(rng, places, args.rows)
    few = (places[0][:2000], places[1][:2000])
    world = np.degrees(np.arcsin(rng.uniform(-1, 1, args.rows))), rng.uniform(-180, 180, args.rows)
    print(f"{args.rows:,} candidates, {len(places[0]):,} popular points, {RADIUS_KM:g} km")
    print(f"{'':24}{'ours':>9}{'cKDTree':>9}{'ratio':>8}{'within':>9}{'differ':>8}")
    for name, points, near in (
        ("photos x photos", photos, places),
        ("photos x 2k popular", photos, few),
        ("sphere x photos", world, places),
    ):
        ours, got = _timed(lambda p=points, n=near: popular.within_km(*p, *n, RADIUS_KM))
        plain, expected = _timed(lambda p=points, n=near: _plain_tree(*p, *n))
        print(
            f"{name:24}{ours:8.2f}s{plain:8.2f}s{plain / ours:7.1f}x{got.mean():9.4f}"
            f"{int((got != expected).sum()):8}"
        )
    _against_brute_force(rng, world, places)
    _in_sql(photos, places)


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4_720_000)
    parser.add_argument("--places", type=Path, help="CSV of popular points with LAT and LON")
    return parser.parse_args()


def _places(path, rng):
    if path is None:
        angle = rng.normal(size=(3, 400)), rng.integers(0, 400, 100_000)
        clump = angle[0][:, angle[1]] + 0.02 * rng.standard_t(3, size=(3, 100_000))
        clump /= np.linalg.norm(clump, axis=0)
        return np.degrees(np.arcsin(clump[2])), np.degrees(np.arctan2(clump[1], clump[0]))
    table = files.read_table(path)
    return tuple(table[name].cast(pa.float64()).to_numpy() for name in ("LAT", "LON"))


def _jitter(rng, places, n):
    which = rng.integers(0, len(places[0]), n)
    spread = 10 ** rng.uniform(-5, 0.5, n)
    lat = np.clip(places[0][which] + spread * rng.normal(size=n), -90, 90)
    return lat, (places[1][which] + spread * rng.normal(size=n) + 180) % 360 - 180


def _timed(question):
    start = time.process_time()
    answer = question()
    return time.process_time() - start, answer


def _unit(lat, lon):
    phi, lam = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)


def _plain_tree(lat, lon, popular_lat, popular_lon):
    chord = 2 * np.sin(RADIUS_KM / sphere.EARTH_RADIUS_KM / 2)
    tree = cKDTree(_unit(popular_lat, popular_lon))
    found = tree.query(_unit(lat, lon), k=1, distance_upper_bound=chord * (1 + 1e-9))[0]
    return found <= chord


def _against_brute_force(rng, world, places):
    """5,000 random points and 5,000 at the radius, poles and the antimeridian among both."""
    centres = np.array(places)[:, rng.integers(0, len(places[0]), 4000)]
    angle = RADIUS_KM / sphere.EARTH_RADIUS_KM * (1 + rng.choice([0, 1e-13, -1e-13, 1e-9], 4000))
    bearing, phi = rng.uniform(0, 2 * np.pi, 4000), np.radians(centres[0])
    lat = np.arcsin(np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(bearing))
    lon = np.arctan2(
        np.sin(bearing) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * np.sin(lat)
    )
    hugging = np.degrees(lat), (centres[1] + np.degrees(lon) + 180) % 360 - 180
    for name, points in (("random", (world[0][:4000], world[1][:4000])), ("hugging", hugging)):
        lat = np.concatenate([points[0], rng.choice([-90, 90], 500), rng.uniform(-90, 90, 500)])
        lon = np.concatenate([points[1], rng.uniform(-180, 180, 500), np.full(500, -180.0)])
        got = popular.within_km(lat, lon, *places, RADIUS_KM)
        limit = sphere.threshold_a(RADIUS_KM)
        exact = [
            (sphere.haversine_a(y, x, *places) <= limit).any()
            for y, x in zip(lat, lon, strict=True)
        ]
        print(f"brute force, {len(lat):,} {name}: {int((got != exact).sum())} differ")


def _in_sql(photos, places):
    con = duckdb.connect()
    con.execute("SET threads = 1")
    con.execute(SQL.read_text(encoding="utf-8"))
    cells = pa.array(h3ronpy.vector.coordinates_to_cells(*photos, 5)).cast(pa.int64())
    rows = pa.table({"lat": photos[0], "lon": photos[1], "cell": cells})
    con.register("given", rows)
    con.execute("CREATE TABLE photos AS FROM given")
    made, tables = _timed(lambda: _cell_tables(places))
    con.register("popular_cells", tables[0])
    con.register("popular_points", tables[1])
    query = "FROM far_from_popular('photos', 'popular_cells', 'popular_points', ?) SELECT count(*)"
    took, kept = _timed(lambda: con.execute(query, [RADIUS_KM]).fetchall()[0][0])
    expected = int((~popular.within_km(*photos, *places, RADIUS_KM)).sum())
    print(
        f"stored H3 cells in SQL: {made:.2f}s to make {tables[0].num_rows:,} cells, then "
        f"{took:.2f}s; {kept:,} rows kept, {kept - expected} differ"
    )


def _cell_tables(places):
    cells = popular.cells(*places, RADIUS_KM, 5)
    return cells, popular.cell_points(cells, *places, RADIUS_KM)


if __name__ == "__main__":
    main()
