"""What the tests run on a local Ray cluster of two workers, in a process of its own.

`python -m tests.scale.ray_runs WHAT FOLDER` prints what it found as JSON.
"""

import io
import json
import os
import signal
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geodata import cor, hashing, popular, scale, tables
from geodata.evaluation.scores import Scoring
from geodata.scale.agreeing import BatchFunction
from geodata.scale.dealing import Shard
from geodata.scale.sharding import LabelJob

N = 20_000
KILLS = 7
"""Of workers that write rows; three more die between a shard and its manifest."""


def rows():
    rng = np.random.default_rng(1)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, N)))
    lon = rng.uniform(-180, 180, N)
    none = rng.random(N) < 0.1
    return pa.table({
        "id": [str(i) for i in range(N)], "lat": lat, "lon": lon,
        "pred_lat": pa.array(np.clip(lat + rng.normal(0, 2, N), -90, 90), mask=none),
        "pred_lon": pa.array(lon, mask=none),
    })  # fmt: skip


def content(table):
    kept = tables.kept_schema(table.schema)
    return hashing.digest(hashing.of_table(tables.fitted(table, kept)), kept)


@dataclass(frozen=True)
class Dying(BatchFunction):
    """Labels, and dies with its worker the first `KILLS` times that it is called."""

    folder: str = ""

    def _made(self, batch):
        for i in range(KILLS):
            try:
                os.close(os.open(f"{self.folder}/{i}", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
        return cor.label_table(batch)


@dataclass(frozen=True)
class DyingJob(LabelJob):
    """A labelling whose first tries die when the shard's file is there, but not its manifest."""

    def make(self, shard, progress=None):
        mark = self.folder / f"died-{shard.number}"
        if not mark.exists():
            mark.touch()
            super().make(shard)
            (self.folder / f"_{shard.name}.json").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().make(shard, progress)


def as_tars(folder):
    """WebDataset shards of some of the rows, without pictures."""
    folder.mkdir()
    for number in range(3):
        with tarfile.open(folder / f"{number:06d}.tar", "w") as tar:
            for row in rows().slice(number * 40, 40).to_pylist():
                text = json.dumps({"lat": row["lat"], "lon": row["lon"]}).encode()
                member = tarfile.TarInfo(f"{row['id']}.json")
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text))
    return folder


def quick(folder):
    import ray

    made = scale.label_on_ray(folder / "rows.parquet", folder / "shards", 3)
    joined = scale.join_shards(folder / "shards", folder / "lake" / "labelled")
    again = scale.label_on_ray(folder / "rows.parquet", folder / "shards", 3)
    tars = tables.open_rows(as_tars(folder / "tars"))
    scale.label_on_ray(folder / "tars", folder / "of-tars", 2)
    of_tars = scale.join_shards(folder / "of-tars", folder / "lake" / "tars").content_hash
    expected = content(cor.label_table(pa.concat_tables(tars.tables())))
    other = scale.Label(expected=scale.Label().expected | {"boundaries_sha256": "0" * 64})
    try:
        scale.check_nodes(ray, other)
    except scale.WorkerMismatchError as error:
        refused = str(error)
    return {
        "labelled": joined.content_hash, "resumed": [one.resumed for one in again],
        "rows": [one.rows for one in made], "refused": refused, "tars": of_tars == expected,
    }  # fmt: skip


def datasets(folder):
    from ray import data

    dataset = data.read_parquet(str(folder / "rows.parquet"))
    far = scale.map_dataset(dataset, scale.Exclude(folder / "popular.parquet", 900.0))
    version = scale.write_dataset(far, folder / "lake" / "hard", {"by": "ray"}, batch_rows=3000)
    hard = tables.open(folder / "lake" / "hard", version)
    sums = scale.score_dataset(dataset, batch_rows=7000)
    near = scale.Score(Scoring((5.0,)), regions=True)
    asked = {"scoring": Scoring((5.0,)), "regions": True}
    whole = scale.ScoreSums.read(near(rows()))
    assert scale.score_dataset(dataset, **asked) == whole
    turned = {"pred": ("lat", "lon"), "truth": ("lat", "lon")}
    exact = scale.score_file(str(folder / "rows.parquet"), **asked, **turned)
    assert exact.accuracy == {5.0: 1.0}
    assert scale.score_file(str(folder / "rows.parquet"), **asked) == whole
    return {
        "hard": hard.content_hash, "note": hard.note,
        "ok": tables.verify(folder / "lake" / "hard").ok,
        "sums": sums.row()["sums"][0].as_py(),
    }  # fmt: skip


def build(folder):
    """Datasets of a lake on Ray, each beside what one process makes of the same."""
    import ray

    from geodata import datasets as sets

    lake = folder / "lake"
    whole = rows().slice(0, 6000).rename_columns(["photo_id", *rows().column_names[1:]])
    bad = pa.array([None if i % 50 == 0 else v for i, v in enumerate(whole["lat"].to_pylist())])
    tables.write(lake / "photos", whole.set_column(1, "lat", bad), file_rows=2500)
    tables.write(lake / "popular", pa.table({"lat": [0.0, 48.9], "lon": [0.0, 2.3]}))
    asked = {
        "labelled": {"max_offset_km": 5.0},
        "rand": {"n": 700, "seed": 3},
        "hard": {"radius_km": 3000.0, "n": 900, "inputs": {"popular": "popular@0"}},
        "filter": {"where": "country_code = 'RU'"},
    }
    found, told = {}, []
    from geodata.datasets.recipes import label

    label.BUCKET_ROWS = 1500  # several buckets
    for recipe, options in asked.items():
        ours = scale.build_on_ray(
            recipe,
            lake,
            f"{recipe}-ray",
            span_rows=1100,
            progress=lambda done, total: told.append((done, total)),
            source="photos" if recipe == "labelled" else "labelled",
            **options,
        )
        one = sets.build(recipe, lake, recipe, **options)
        there, here = (tables.open(lake / name) for name in (f"{recipe}-ray", recipe))
        found[recipe] = {
            "hash": ours.content_hash == one.content_hash,
            "rows": there.arrow().equals(here.arrow()),
            "report": dict(ours.report) == dict(one.report),
            "ok": tables.verify(there.path).ok and not tables.verify(there.path).orphans,
            "replayed": sets.rebuild(lake, f"{recipe}-ray").content_hash == one.content_hash,
        }
        assert ours.rows == one.rows > 0
    before = sorted(p.name for p in (lake / "rand-ray").rglob("*"))
    try:
        scale.build_on_ray("filter", lake, "rand-ray", source="labelled", where="lat > 90")
    except sets.EmptyDatasetError:
        found["empty"] = before == sorted(p.name for p in (lake / "rand-ray").rglob("*"))
    assert ray.is_initialized()
    assert told[5] == (6, 6)  # spans of 6,000 rows; then the buckets
    return found


def kills(folder):
    from ray import data

    dataset = data.read_parquet(str(folder / "rows.parquet"))
    (folder / "marks").mkdir()
    made = scale.map_dataset(dataset, Dying(folder=str(folder / "marks")), batch_rows=4000)
    version = scale.write_dataset(made, folder / "lake" / "labelled", batch_rows=4000)
    labelled = tables.open(folder / "lake" / "labelled", version)
    # as label_on_ray does it, with workers that die
    import ray

    job = DyingJob.of(str(folder / "rows.parquet"), folder / "shards")
    job.prepare(3)
    task = ray.remote(max_retries=10)(lambda shard: job.make(shard).rows)
    rows = ray.get([task.remote(Shard(i, 3)) for i in (1, 2, 3)])
    joined = scale.join_shards(folder / "shards", folder / "lake" / "joined")
    return {
        "died": len(list((folder / "marks").iterdir())),
        "died_in_shards": len(list((folder / "shards").glob("died-*"))),
        "labelled": labelled.content_hash, "joined": joined.content_hash, "rows": rows,
        "versions": len(tables.history(folder / "lake" / "labelled")),
    }  # fmt: skip


def commands(folder):
    """What each command of ``commands.json`` prints there."""
    from typer.testing import CliRunner

    from geodata.cli import app

    os.chdir(folder)
    asked = json.loads(Path("commands.json").read_text())
    done = [CliRunner().invoke(app, words, env={"COLUMNS": "80"}) for words in asked]
    return {"said": [(one.exit_code, one.stdout or str(one.exception)) for one in done]}


if __name__ == "__main__":
    what, place = sys.argv[1], Path(sys.argv[2])
    whole = rows()
    pq.write_table(whole, place / "rows.parquet", row_group_size=3000)
    pq.write_table(whole.slice(0, 200).select(["lat", "lon"]), place / "popular.parquet")
    import ray as _ray

    _ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    what_for = {"quick": quick, "datasets": datasets, "kills": kills, "build": build,
                "commands": commands}  # fmt: skip
    told = what_for[what](place)
    points = pq.read_table(place / "popular.parquet")
    told["expected"] = {
        "labelled": content(cor.label_table(whole)),
        "hard": content(popular.exclude(whole, points, 900.0)),
        "sums": scale.Score()(whole)["sums"][0].as_py(),
    }
    print(json.dumps(told))
