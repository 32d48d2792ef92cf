"""The whole path on an MP-16-like file: import, label, rand, popular, hard, records, SQL.

    python benchmarks/datasets.py [--rows 4720000] [--places PLACES.csv] [--keep FOLDER]

The file is made from real photo places (columns LAT, LON) by jitter, 0.01% of the rows damaged
on purpose; without --places, from clumps on the sphere. Each stage is a process of its own, so
that its peak memory is its own, and prints seconds, peak resident memory and what it made. Then
selective queries are timed on the labelled rows, with the row groups that DuckDB had to read.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from geodata import datasets, files, photos, query, records, tables

STAGES = ("make", "import", "label", "rand", "popular", "hard", "records")


def main():
    args = _arguments()
    if args.stage:
        print(json.dumps(_stage(args.stage, Path(args.keep), args.rows, args.places)))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(args.keep or made)
        folder.mkdir(exist_ok=True)
        print(f"{args.rows:,} rows")
        print(f"{'stage':10}{'seconds':>9}{'CPU s':>8}{'peak MiB':>10}  made")
        total = np.zeros(2)
        for stage in STAGES:
            told = _run(stage, folder, args)
            if stage != "make":
                total += np.array([told["seconds"], told["cpu"]])
            figures = f"{told['seconds']:9.1f}{told['cpu']:8.1f}{told['peak_mib']:10.0f}"
            print(f"{stage:10}{figures}  {told['made']}", flush=True)
        print(f"{'all but make':10}{total[0]:7.1f}{total[1]:8.1f}")
        _selective(folder / "lake")


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4_720_000)
    parser.add_argument("--places", type=Path, help="CSV of real places with LAT and LON")
    parser.add_argument("--keep", help="folder to leave the file and the lake in")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(stage, folder, args):
    command = [sys.executable, __file__, "--stage", stage, "--keep", str(folder)]
    command += ["--rows", str(args.rows)]
    command += ["--places", str(args.places)] if args.places else []
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _make(folder, rows, places):
    rng = np.random.default_rng(0)
    lat, lon = _jitter(rng, *_places(places, rng), rows)
    number = rng.permutation(rows).astype(np.int64) * 37 + 1_000_000
    author = (rng.pareto(1.0, rows) * 500).astype(np.int64) % 300_000  # few take most photos
    ids = [f"{n & 255:02x}/{n >> 8 & 255:02x}/{n}.jpg" for n in number.tolist()]
    text_lat = [f"{v:.6f}" for v in lat.tolist()]
    for i in range(0, rows, 10_000):
        text_lat[i] = ("91.5", "", "nan", "48,8")[i // 10_000 % 4]
    table = pa.table(
        {
            "IMG_ID": ids,
            "AUTHOR": [f"{a}@N00" for a in author.tolist()],
            "LAT": text_lat,
            "LON": [f"{v:.6f}" for v in lon.tolist()],
            "S3_Label": rng.integers(0, 3, rows),
            "Prob_indoor": np.round(rng.random(rows), 6),
        }
    )
    pacsv.write_csv(table, folder / "mp16.csv")
    near = rng.random(rows) < 0.04  # rows the base model is near; the others get the antipode
    error = np.where(rng.random(rows) < 0.5, 0.003, 0.1)
    predictions = pa.table(
        {
            "IMG_ID": table["IMG_ID"],
            "lat": np.clip(np.where(near, lat + error * rng.normal(size=rows), -lat), -90, 90),
            "lon": np.where(near, lon, lon - 180),
        }
    )
    pq.write_table(predictions, folder / "predictions.parquet")


def _places(path, rng):
    if path is None:
        centre = rng.normal(size=(3, 400))[:, rng.integers(0, 400, 100_000)]
        clump = centre + 0.02 * rng.standard_t(3, size=(3, 100_000))
        clump /= np.linalg.norm(clump, axis=0)
        return np.degrees(np.arcsin(clump[2])), np.degrees(np.arctan2(clump[1], clump[0]))
    table = files.read_table(path)
    return tuple(table[name].cast(pa.float64()).to_numpy() for name in ("LAT", "LON"))


def _jitter(rng, lat, lon, n):
    which = rng.integers(0, len(lat), n)
    spread = 10 ** rng.uniform(-5, 0.5, n)
    y = np.clip(lat[which] + spread * rng.normal(size=n), -90, 90)
    return y, (lon[which] + spread * rng.normal(size=n) + 180) % 360 - 180


def _stage(stage, folder, rows, places):
    lake, start = folder / "lake", time.perf_counter()
    if stage == "make":
        _make(folder, rows, places)
        made = f"{(folder / 'mp16.csv').stat().st_size / 1e6:.0f} MB of CSV"
    elif stage == "import":
        report = photos.import_(folder / "mp16.csv", lake / "photos", format="mp16")
        made = f"{report.rows:,} rows, {report.statuses}"
    elif stage == "records":
        options = records.Options(kind="sft")
        sft = records.write("rand", folder / "sft.parquet", lake=lake, options=options)
        options = records.Options(kind="grpo")
        grpo = records.write("hard", folder / "grpo.parquet", lake=lake, options=options)
        made = f"{sft.rows:,} chats, {grpo.rows:,} prompts"
    else:
        built = _built(stage, lake, folder, rows / 4_720_000)
        wrong = sum(audit.offending for audit in built.audits)
        made = f"{built.rows:,} rows, {wrong} audited wrong, {built.content_hash[:12]}"
    took = time.perf_counter() - start
    cpu = time.process_time()
    return {"seconds": took, "cpu": cpu, "peak_mib": _peak_mib(), "made": made}


def _peak_mib():
    """Return this process's own peak; ru_maxrss would be that of the process it came from."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _built(stage, lake, folder, share):
    if stage == "label":
        return datasets.build(lake, "labelled", "labelled")
    if stage == "popular":
        answers = folder / "predictions.parquet"
        n = max(int(2_000 * share), 20)
        return datasets.build(lake, "popular", "popular", {"predictions": answers}, n=n)
    n = {"rand": 500_000, "hard": 200_000}[stage]
    return datasets.build(lake, stage, stage, n=int(n * share))


def _row_groups(lake, code):
    """Count the row groups whose range of countries holds a code, and all."""
    held = every = 0
    for file in tables.open(lake / "labelled").files:
        meta = pq.read_metadata(file)
        at = meta.schema.names.index("country_code")
        for i in range(meta.num_row_groups):
            found = meta.row_group(i).column(at).statistics
            every += 1
            held += found is None or not found.has_min_max or found.min <= code <= found.max
    return f"{held} of {every}"


def _selective(lake):
    print(f"\n{'selective query on labelled':72}{'seconds':>8}  row groups read")
    questions = {
        "JP": "SELECT admin1, count(*) FROM labelled WHERE country_code = 'JP' GROUP BY ALL",
        "IS": "SELECT count(*), avg(lat) FROM labelled WHERE country_code = 'IS'",
        "FR": "SELECT count(*) FROM labelled WHERE country_code = 'FR' AND city = 'Paris'",
    }
    with query.connect(lake, threads=2) as con:
        for code, question in questions.items():
            con.sql(question).fetchall()
            start = time.perf_counter()
            con.sql(question).fetchall()
            took = time.perf_counter() - start
            print(f"{question[:70]:72}{took:8.3f}  {_row_groups(lake, code)}")
        plan = con.sql(f"EXPLAIN ANALYZE {questions['IS']}").fetchall()[0][1]
    told = ("Function", "Filters", "Total Files", "Row Groups")
    print(
        *(line.strip("│ ") for line in plan.splitlines() if any(t in line for t in told)), sep="\n"
    )


if __name__ == "__main__":
    main()
