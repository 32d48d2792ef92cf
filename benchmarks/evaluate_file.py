"""`evaluation.evaluate` on a Parquet pair beside pandas merge and NumPy, each in its own process.

    python benchmarks/evaluate_file.py [--rows 10000000]

Ids are text, then integers, and the predictions are shuffled, as files in the wild are. Prints
processor time, wall time and peak memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

OURS = """
from geodata import evaluation
r = evaluation.evaluate(sys.argv[1], sys.argv[2], regions=False)
print([r.scores.correct[t] for t in (1, 25, 200, 750, 2500)])
"""

PANDAS = """
import numpy as np, pandas as pd
p, t = pd.read_parquet(sys.argv[1]), pd.read_parquet(sys.argv[2])
m = t.merge(p, on="id", how="left", suffixes=("", "_pred"))
a, b, c, d = (np.radians(m[k].to_numpy()) for k in ("lat", "lon", "lat_pred", "lon_pred"))
h = np.sin((c - a) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2) ** 2
km = 2 * 6371 * np.arcsin(np.sqrt(h))
print([int((km <= t).sum()) for t in (1, 25, 200, 750, 2500)], np.nanmedian(km), np.nanmean(km))
print(np.nanquantile(km, [0.1, 0.25, 0.75, 0.9]), (5000 * np.exp(-km / 1492.7)).mean())
"""

TIMED = """
import sys, time
start = time.perf_counter()
{work}
peak = next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]
print(f"cpu {{time.process_time():.2f}} s, wall {{time.perf_counter() - start:.1f}} s, "
      f"peak {{int(peak) / 1024:.0f}} MiB")
"""


def make(folder, rows, text_ids):
    rng = np.random.default_rng(0)
    ids = rng.permutation(rows)
    lat, lon = rng.uniform(-60, 70, rows), rng.uniform(-179, 179, rows)
    off = np.exp(rng.normal(-2, 3, rows)) * rng.choice([-1, 1], rows)
    guess = np.clip(lat + off, -89, 89)
    for name, order, values in (("truth", np.arange(rows), lat), ("preds", ids, guess)):
        key = pa.array(order)
        column = key.cast(pa.string()) if text_ids else key
        table = pa.table({"id": column, "lat": values[order], "lon": lon[order]})
        pq.write_table(table, folder / f"{name}.parquet")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    for text_ids in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), options.rows, text_ids)
            files = [f"{folder}/preds.parquet", f"{folder}/truth.parquet"]
            # an installed package has its bytecode, whatever the environment says of a checkout
            cached = {**os.environ, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
            cached.pop("PYTHONDONTWRITEBYTECODE", None)
            print(f"{options.rows:,} rows, {'text' if text_ids else 'integer'} ids, shuffled")
            for name, work in (("geodata", OURS), ("pandas", PANDAS)):
                code = TIMED.format(work=work)
                for _ in range(2):  # the first run writes the bytecode
                    done = subprocess.run(
                        [sys.executable, "-c", code, *files], check=True, capture_output=True,
                        text=True, env=cached,
                    )  # fmt: skip
                print(f"  {name:8} {done.stdout.splitlines()[-1]}  {done.stdout.splitlines()[0]}")


if __name__ == "__main__":
    main()
