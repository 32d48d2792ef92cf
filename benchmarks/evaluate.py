"""Time five threshold shares over N rows beside what people write first; one thread.

    python benchmarks/evaluate.py [--rows 10000000] [--repeat 3]

Ratios are taken inside one process, best of --repeat; all counts must be identical.
"""

from __future__ import annotations

import argparse
import gc
import time

import duckdb
import numpy as np
import pyarrow as pa

from geodata import query
from geodata.evaluation import scores

THRESHOLDS = (1, 25, 200, 750, 2500)
R = 6371.0
BLOCK = 1_000_000

NAIVE_MACRO = """
CREATE OR REPLACE MACRO naive_km(lat1, lon1, lat2, lon2) AS
2 * 6371 * asin(sqrt(
    pow(sin(radians(lat2 - lat1) / 2), 2)
    + cos(radians(lat1)) * cos(radians(lat2)) * pow(sin(radians(lon2 - lon1) / 2), 2)
))
"""

UNIT_VECTORS = """
CREATE TABLE vectors AS SELECT
    cos(radians(lat)) * cos(radians(lon)) AS x,
    cos(radians(lat)) * sin(radians(lon)) AS y,
    sin(radians(lat)) AS z,
    cos(radians(pred_lat)) * cos(radians(pred_lon)) AS pred_x,
    cos(radians(pred_lat)) * sin(radians(pred_lon)) AS pred_y,
    sin(radians(pred_lat)) AS pred_z
FROM joined
"""


def main() -> None:
    """Print the table; exit with an error if counts differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    columns = rows_like_a_model(args.rows)
    print(f"{args.rows:,} rows, one thread, DuckDB {duckdb.__version__}, NumPy {np.__version__}")
    agreed = set()
    for compare in (compare_numpy, compare_duckdb):
        agreed.add(compare(columns, args.repeat))
        gc.collect()
    if len(agreed) > 1:
        raise SystemExit(f"counts differ: {agreed}")
    print(f"all counts identical: {dict(zip(THRESHOLDS, agreed.pop(), strict=True))}")


def rows_like_a_model(n, seed=0):
    """Return truth anywhere on land latitudes and errors from metres to the other continent."""
    rng = np.random.default_rng(seed)
    columns = {name: np.empty(n) for name in ("lat", "lon", "pred_lat", "pred_lon")}
    for start in range(0, n, BLOCK):
        part = slice(start, min(n, start + BLOCK))
        size = part.stop - start
        lat, lon = np.radians(rng.uniform(-56, 70, size)), np.radians(rng.uniform(-180, 180, size))
        arc = np.exp(rng.normal(np.log(120), 2.6, size)).clip(0, 18_000) / R
        bearing = rng.uniform(0, 2 * np.pi, size)
        to_lat = np.arcsin(np.sin(lat) * np.cos(arc) + np.cos(lat) * np.sin(arc) * np.cos(bearing))
        to_lon = lon + np.arctan2(
            np.sin(bearing) * np.sin(arc) * np.cos(lat), np.cos(arc) - np.sin(lat) * np.sin(to_lat)
        )
        columns["lat"][part], columns["lon"][part] = np.degrees(lat), np.degrees(lon)
        columns["pred_lat"][part] = np.degrees(to_lat)
        columns["pred_lon"][part] = np.remainder(np.degrees(to_lon) + 180, 360) - 180
    return columns


def compare_numpy(columns, repeat):
    """Time the formula as usually written, and `scores.threshold_counts`."""
    lat, lon, pred_lat, pred_lon = columns.values()

    def naive():
        a = (
            np.sin(np.radians(pred_lat - lat) / 2) ** 2
            + np.cos(np.radians(lat))
            * np.cos(np.radians(pred_lat))
            * np.sin(np.radians(pred_lon - lon) / 2) ** 2
        )
        km = 2 * R * np.arcsin(np.sqrt(np.minimum(a, 1)))
        return tuple(int((km <= t).sum()) for t in THRESHOLDS)

    def ours():
        return tuple(scores.threshold_counts(lat, lon, pred_lat, pred_lon, THRESHOLDS).values())

    jobs = {"NumPy naive asin": naive, "scores.threshold_counts": ours}
    return report(jobs, len(lat), repeat, bars={"scores.threshold_counts": 1.2})


def compare_duckdb(columns, repeat):
    """Time a naive asin macro and the SQL metrics on plain columns and stored unit vectors."""
    con = duckdb.connect()
    con.execute("SET threads = 1")
    query.load_sql(con)
    con.execute(NAIVE_MACRO)
    con.register("given", pa.table(columns))
    con.execute("CREATE TABLE joined AS FROM given")
    con.execute(UNIT_VECTORS)
    filters = ", ".join(f"count(*) FILTER (WHERE km <= {t})" for t in THRESHOLDS)
    inner = "SELECT naive_km(lat, lon, pred_lat, pred_lon) AS km FROM joined"
    correct = "SELECT correct FROM {}('{}') ORDER BY threshold_km"

    def naive():
        return con.execute(f"SELECT {filters} FROM ({inner})").fetchall()[0]

    def plain():
        return first_column(con, correct.format("threshold_accuracy", "joined"))

    def vectors():
        return first_column(con, correct.format("threshold_accuracy_unit", "vectors"))

    jobs = {
        "DuckDB naive asin macro": naive,
        "threshold_accuracy, plain columns": plain,
        "threshold_accuracy_unit, stored unit vectors": vectors,
    }
    bars = {
        "threshold_accuracy, plain columns": 2.0,
        "threshold_accuracy_unit, stored unit vectors": 8.0,
    }
    return report(jobs, len(columns["lat"]), repeat, bars=bars)


def first_column(con, sql):
    """Return the first column of a query."""
    return tuple(row[0] for row in con.execute(sql).fetchall())


def report(jobs, rows, repeat, bars):
    """Run the jobs in turn, print rates against the first, return their common counts."""
    seconds = {name: [] for name in jobs}
    counts = set()
    for _ in range(repeat):
        for name, job in jobs.items():
            start = time.process_time()
            counts.add(tuple(int(v) for v in job()))
            seconds[name].append(time.process_time() - start)
    if len(counts) > 1:
        raise SystemExit(f"counts differ: {counts}")
    best = {name: min(taken) for name, taken in seconds.items()}
    slowest = next(iter(best.values()))
    for name, taken in best.items():
        bar = f"  (bar {bars[name]}x)" if name in bars else ""
        print(f"{name:46s} {rows / taken / 1e6:8.1f} M rows/s {slowest / taken:6.2f}x{bar}")
    return counts.pop()


if __name__ == "__main__":
    main()
