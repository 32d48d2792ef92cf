"""One machine, plain processes, a local Ray cluster and an S3 server on the same rows.

    python benchmarks/scale.py [--rows 2000000] [--shards 16] [--only label bucket score images]

``label``: a file labelled by one process, by two processes a half each, and on a Ray cluster of
two workers; one content hash, and the throughput of Ray beside that of the two processes, each
after its start. ``bucket``: the rows to an S3 server on loopback (moto) and back. ``score``:
joined rows scored by this process, by DuckDB and on Ray. ``images``: photos of 1024x768 as JPEG in
WebDataset shards, streamed as `georl` does for SFT, one for every thousand rows. Prints figures,
and an error where rows differ; docs/log.md keeps dated ones. 20M rows take about 4 GB of disk, 50M
for ``score`` alone 3.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = str(ROOT)

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from geodata import cor, evaluation, files, hashing, query, scale, tables

GROUP = 1 << 18

HALF = """
import sys, time
from geodata import scale
import pyarrow as pa
from geodata.scale.dealing import Shard
from geodata.scale.sharding import LabelJob
scale.Label()(pa.table({"lat": [0.0], "lon": [0.0]}))  # the start: the index is opened
start, cpu = time.perf_counter(), time.process_time()
source, folder, count, mine = sys.argv[1:3] + [int(sys.argv[3]), int(sys.argv[4])]
job = LabelJob.of(source, folder)  # hashed once a process, as Ray's driver does
for number in range(mine, count + 1, 2):
    job.make(Shard(number, count))
print(time.perf_counter() - start, time.process_time() - cpu)
"""


def make(path, rows, *, predicted):
    """Write points all over the globe, a part of them with an answer near them."""
    rng = np.random.default_rng(0)
    writer = None
    for start in range(0, rows, GROUP):
        n = min(GROUP, rows - start)
        lat = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
        lon = rng.uniform(-180, 180, n)
        table = pa.table({"lat": lat, "lon": lon})
        if predicted:
            none = rng.random(n) < 0.1
            off = np.exp(rng.normal(-2, 3, n)) * rng.choice([-1, 1], n)
            table = table.append_column(
                "pred_lat", pa.array(np.clip(lat + off, -90, 90), mask=none)
            )
            table = table.append_column("pred_lon", pa.array(lon, mask=none))
        else:
            ids = pa.array(np.arange(start, start + n)).cast(pa.string())
            table = table.add_column(0, "photo_id", ids)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def content(batches, schema):
    kept = tables.kept_schema(schema)
    sums = (hashing.of_table(tables.fitted(batch, kept)) for batch in batches)
    return hashing.digest(hashing.combine(sums), kept)


def timed(work):
    """Return wall and CPU seconds of some work in this process and its children, and its result."""
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    start = time.perf_counter()
    found = work()
    wall = time.perf_counter() - start
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime
              for a, b in zip(before, after, strict=True))  # fmt: skip
    return wall, cpu, found


class Workers:
    """Watches the memory that the worker processes of Ray have for themselves, in MiB."""

    def __init__(self):
        self.seen = {}
        self._left = threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._left.set()
        self._thread.join()

    def told(self):
        """Return the largest of each quarter of the time, over workers that did something."""
        series = [s for s in self.seen.values() if len(s) > 7]
        cuts = [(i * len(s) // 4, (i + 1) * len(s) // 4, s) for s in series for i in range(4)]
        tops = [max(s[start:stop]) for start, stop, s in cuts]
        return [max(tops[i::4], default=0) for i in range(4)]

    def _watch(self):
        while not self._left.wait(0.5):
            for folder in Path("/proc").iterdir():
                if not folder.name.isdigit():
                    continue
                try:
                    if not (folder / "cmdline").read_bytes().startswith(b"ray::"):
                        continue
                    status = (folder / "status").read_text()
                except OSError:
                    continue
                own = next((x for x in status.splitlines() if x.startswith("RssAnon")), "0 0")
                self.seen.setdefault(folder.name, []).append(int(own.split()[1]) / 1024)


def cluster():
    import ray

    if not ray.is_initialized():
        wall, _, _ = timed(lambda: ray.init(
            num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
        ))  # fmt: skip
        print(f"ray {ray.__version__}: start of a local cluster {wall:.1f} s", flush=True)
    return ray


def of_workers(ray):
    """Return CPU seconds of the processes of the cluster that are alive."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and (folder / "cmdline").read_bytes().startswith(b"ray::"):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                total += (int(fields[11]) + int(fields[12])) / ticks
        except OSError:
            continue
    return total


def label(folder, rows, shards):
    source = folder / "rows.parquet"
    make(source, rows, predicted=False)
    wall, cpu, _ = timed(lambda: cor.label_file(source, folder / "one.parquet"))
    one = files.open_source(folder / "one.parquet")
    expected = content(one.tables(), one.schema)
    size = (folder / "one.parquet").stat().st_size
    (folder / "one.parquet").unlink()
    print(f"label, one process: {wall:.1f} s, CPU {cpu:.1f} s, {size / rows:.0f} bytes a row")
    words = [sys.executable, "-c", HALF, str(source), str(folder / "plain"), str(shards)]
    halves = [subprocess.Popen([*words, str(i)], stdout=subprocess.PIPE, text=True) for i in (1, 2)]
    spent = [[float(x) for x in half.communicate()[0].split()] for half in halves]
    plain = max(wall for wall, _ in spent)
    print(f"label, two processes: {plain:.1f} s, CPU {sum(cpu for _, cpu in spent):.1f} s")
    same(joined(folder, "plain"), expected, "two processes")
    ray = cluster()
    scale.label_on_ray({"lat": [0.0] * 2, "lon": [0.0] * 2}, folder / "warm", 2)
    cpu = of_workers(ray)
    with Workers() as watched:
        wall, own, _ = timed(lambda: scale.label_on_ray(source, folder / "ray", shards))
    cpu = of_workers(ray) - cpu
    print(f"label, Ray, two workers: {wall:.1f} s, CPU {own + cpu:.1f} s; {plain / wall:.2f} of "
          f"the throughput of two processes; a worker's own memory by quarters of the time "
          f"{', '.join(f'{top:.0f}' for top in watched.told())} MiB")  # fmt: skip
    same(joined(folder, "ray"), expected, "Ray")
    source.unlink()


def joined(folder, name):
    found = scale.join_shards(folder / name, folder / "lake" / name).content_hash
    remove(folder / "lake")
    remove(folder / name)
    return found


def remove(folder):
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def same(found, expected, who):
    print(
        f"  {who}: {'equal' if found == expected else 'ANOTHER CONTENT'} {found[:12]}", flush=True
    )
    if found != expected:
        sys.exit(1)


def bucket(folder, rows):
    from tests.tables import s3_server

    source = folder / "rows.parquet"
    make(source, rows, predicted=False)
    opened = files.open_source(source)
    expected = content(opened.tables(), opened.schema)
    with s3_server.server() as endpoint:
        os.environ |= s3_server.KEYS | {"AWS_ENDPOINT_URL": endpoint}
        address = "s3://bucket/lake/rows"
        wall, cpu, _ = timed(lambda: tables.append(address, opened.tables(), schema=opened.schema))
        print(f"bucket, written: {wall:.1f} s, CPU {cpu:.1f} s")
        wall, cpu, found = timed(lambda: tables.open_rows(address))
        wall, cpu, told = timed(lambda: content(found.tables(), found.schema))
        print(f"bucket, read: {wall:.1f} s, CPU {cpu:.1f} s")
        same(told, expected, "read from the server")
        same(tables.verify(address).content_hash, expected, "verify on the server")
    source.unlink()


def score(folder, rows):
    source = folder / "joined.parquet"
    make(source, rows, predicted=True)
    opened, ours = files.open_source(source), scale.Score()
    wall, cpu, whole = timed(
        lambda: scale.ScoreSums.read(pa.concat_tables([ours(t) for t in opened.tables()]))
    )
    print(f"score, one process, sums: {wall:.1f} s, CPU {cpu:.1f} s")
    wall, cpu, once = timed(lambda: evaluation.evaluate(source, regions=False).scores)
    print(f"score, one process, evaluate: {wall:.1f} s, CPU {cpu:.1f} s")
    agree(list(once.correct.values()), list(whole.within), "evaluate")
    with query.connect(files={"joined": source}, threads=1, memory_limit="4GB") as con:
        asked = "SELECT threshold_km, correct, truth_rows FROM threshold_accuracy('joined')"
        wall, cpu, found = timed(lambda: con.sql(asked).fetchall())
    print(f"score, DuckDB, one thread: {wall:.1f} s, CPU {cpu:.1f} s")
    counts = {t: n for t, n, _ in found}
    agree(list(counts.values()), list(whole.within), "DuckDB")
    ray = cluster()
    cpu = of_workers(ray)
    with Workers() as watched:
        wall, own, on_ray = timed(lambda: scale.score_file(str(source)))
    cpu = of_workers(ray) - cpu
    print(f"score, Ray, two workers: {wall:.1f} s, CPU {own + cpu:.1f} s, "
          f"a worker's own memory at most {max(watched.told()):.0f} MiB")  # fmt: skip
    agree(list(on_ray.within), list(whole.within), "Ray")
    agree([on_ray.km, on_ray.points, on_ray.answered], [whole.km, whole.points, whole.answered],
          "Ray, sums")  # fmt: skip
    source.unlink()


def photo(rng):
    """A JPEG of 1024x768 with shapes and grain, about as large as one of a camera."""
    shapes = Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    grain = rng.normal(0, 12, (768, 1024, 1))
    whole = np.asarray(shapes.resize((1024, 768), Image.Resampling.BICUBIC)) + grain
    out = io.BytesIO()
    Image.fromarray(np.clip(whole, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


def images(folder, rows):
    import webdataset

    from georl import config, data

    count, rng = max(rows // 1000, 64), np.random.default_rng(0)
    (folder / "tars").mkdir()
    held = [photo(rng) for _ in range(16)]
    for number in range(4):
        with webdataset.TarWriter(str(folder / "tars" / f"{number:06d}.tar")) as tar:
            for i in range(number, count, 4):
                tar.write({"__key__": f"{i:09d}", "jpg": held[i % 16],
                           "json": {"lat": i / 1e6, "lon": 0.0, "country": "France"}})  # fmt: skip
    print(f"images: {count} photos of {len(held[0]) / 1024:.0f} KiB")
    asked = ["task=sft", "data.stream=true", f"data.table={folder / 'tars'}"]
    run = config.load(None, [*asked, "model.max_pixels=401408", "train.max_steps=1"])
    size = next(iter(data.Stream(run)))["image"].size
    tokens = size[0] * size[1] // 28**2
    for workers in (0, 1, 2):
        loader = data.Loader(
            data.Stream(run), 8, arrays, workers=workers, rank=0, processes=1, output=folder,
            step=lambda: 0, pin=False,
        )  # fmt: skip
        reading = iter(loader)
        next(reading)
        wall, cpu, _ = timed(lambda reading=reading: [next(reading) for _ in range(count // 8)])
        rate = count // 8 * 8 / wall
        own = f"{1000 * cpu / count:.0f} ms CPU a photo, " if not workers else ""
        print(f"images, {workers} workers: {own}{rate:.0f} images/s, "
              f"{rate * tokens:,.0f} image tokens/s of {tokens} a photo; "
              f"ready {loader.per_second():.0f} images/s")  # fmt: skip
        del reading
    remove(folder / "tars")


def arrays(rows):
    return [np.asarray(row["image"]) for row in rows]


def agree(found, expected, who):
    print(f"  {who}: {'equal' if found == expected else 'DIFFERENT'} {found}", flush=True)
    if found != expected:
        sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--only", nargs="+", default=["label", "bucket", "score", "images"])
    parser.add_argument("--folder", type=Path, help="Where the rows lie meanwhile.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        what = {"label": lambda p: label(p, asked.rows, asked.shards),
                "bucket": lambda p: bucket(p, asked.rows),
                "score": lambda p: score(p, asked.rows),
                "images": lambda p: images(p, asked.rows)}  # fmt: skip
        for name in asked.only:
            print(f"{name}: {asked.rows:,} rows", flush=True)
            what[name](Path(folder))


if __name__ == "__main__":
    main()
