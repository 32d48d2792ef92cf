"""A table that is appended to ten thousand times: what an append, opening it and SQL take then.

    python benchmarks/appends.py [--appends 10000] [--keep FOLDER] [--compact 1000]

Every append is one row, made as a user makes it, with the compactions and checkpoints that come by
themselves. CPU time at a hundred appends and at the end: the least of nine for one call, and the
mean over the last 64 appends, which has the compaction and the checkpoints in it. The bar is twice
the time at a hundred. Then as many files of ``--compact`` rows each are compacted by hand.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from geodata import query, tables
from geodata.tables.commits import tidying
from geodata.tables.log import checkpoints


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--appends", type=int, default=10_000)
    parser.add_argument("--compact", type=int, default=1000, help="rows of each file; 0: leave out")
    parser.add_argument("--keep", help="folder to leave the tables in")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        lake = Path(args.keep or made)
        print(
            f"{'appends':>10}{'append':>9}{'mean':>8}{'open':>8}{'sql':>8}  CPU ms; versions, files"
        )
        first = _appended(lake, 100)
        last = _appended(lake, args.appends)
        print(f"{'ratio':>10}" + "".join(f"{b / a:8.2f}" for a, b in zip(first, last, strict=True)))
        if args.compact:
            _compacted(lake / "files" / "t", args.appends, args.compact)


def _appended(lake, appends):
    table = lake / f"a{appends}" / "t"
    for n in range(appends - 64):
        tables.append(table, _row(n), note={"n": n})
    start = time.process_time()
    for n in range(appends - 64, appends):
        tables.append(table, _row(n), note={"n": n})
    mean = (time.process_time() - start) / 64 * 1000
    opened = tables.open(table)
    assert opened.rows == appends
    took = (
        _least(lambda: tables.append(table, _row(0))),
        mean,
        _least(lambda: tables.open(table)),
        _least(lambda: _sql(table.parent)),
    )
    figures = "".join(f"{one:8.1f}" for one in took)
    print(f"{appends:10} {figures}  {opened.version + 1}, {len(opened.files)}", flush=True)
    return took


def _row(n):
    return pa.table({"photo_id": [f"p{n}"], "lat": [n / 200.0 % 90], "lon": [n / 100.0 % 180]})


def _sql(lake):
    with query.connect(lake) as con:
        con.sql("SELECT count(*) FROM t").fetchall()


def _least(call):
    call()
    times = []
    for _ in range(9):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times) * 1000


def _compacted(table, files, rows):
    """Compact a table of small files; the compaction behind appends is left out to get them."""
    many, tidying.MANY = tidying.MANY, files + 1
    every, checkpoints.EVERY = checkpoints.EVERY, 10 * files
    whole = pa.table({"n": np.arange(rows), "lat": np.linspace(-80, 80, rows)})
    tables.append(table, (whole for _ in range(files)), schema=whole.schema, file_rows=rows)
    tidying.MANY, checkpoints.EVERY = many, every
    before = len(tables.open(table).files)
    start, cpu = time.perf_counter(), time.process_time()
    tables.compact(table)
    took = time.perf_counter() - start, time.process_time() - cpu
    after = len(tables.open(table).files)
    print(f"compact {before:,} files to {after}: {took[0]:.1f} s, {took[1]:.1f} of CPU")


if __name__ == "__main__":
    main()
