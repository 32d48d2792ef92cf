"""Run a verb of a lake and stop it dead at one of its steps: each line on input is one run.

    python killed_verbs.py

A line is VERB, LAKE and STEP with tabs between them; the run is a process of its own, forked from
this one, which has loaded everything and used nothing. A step is a touch of the lake's files, or
of those beside it, through Python: opening, renaming, linking, removing, making, listing. Step 0
never comes: the run ends by itself. What is printed: how many steps there were, and whether it
was killed.
"""

import os
import signal
import sys
import traceback
from pathlib import Path

import duckdb  # noqa: F401, loaded before the forks
import imagehash  # noqa: F401
import polars  # noqa: F401
import pyarrow as pa

from geodata import cor, datasets, near_duplicates, photos, records, tables
from geodata.photos import AlreadyImportedError
from geodata.tables.commits import tidying
from geodata.tables.log import checkpoints

TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir", "os.scandir",
           "os.truncate", "os.link", "tempfile.mkstemp", "os.chmod")  # fmt: skip


def import_(lake, source="more.csv", table="photos", **options):
    try:
        photos.import_(lake.parent / source, lake / table, **options)
    except AlreadyImportedError:
        return  # the run before was killed behind its commit


def append(lake):
    if not tables.exists(lake / "new"):  # or the run before was killed behind its commit
        tables.append(lake / "new", pa.table({"a": [1, 2, 3]}))


def append_again(lake):
    """Behind the last version, without the library; and what tidies up behind it."""
    more = pa.table({"photo_id": ["p99"], "lat": [1.0], "lon": [5.0]})
    tidying.MANY = 3
    if tables.open(lake / "photos").rows == 30:
        checkpoints.EVERY = tables.open(lake / "photos").version + 2
        tables.append(lake / "photos", more)


def hash_(lake):
    near_duplicates.hash_photos(lake, "pictures", root=lake.parent / "images", workers=1)


def untag(lake):
    if "first" in tables.tags(lake / "photos"):
        tables.untag(lake / "photos", "first")


def north(rows):
    """Keep rows: a recipe of a user's own."""
    return rows.filter(rows["lat"].to_numpy() > 20)


def record(lake, name, **options):
    out = lake.parent / "out" / name
    given = records.Options(kind="sft", image_root=str(lake.parent / "images"), **options)
    if not out.exists():  # or it was killed when it was whole
        records.write("places", out, lake=lake, options=given, shard_rows=2)


def export(lake):
    out = lake.parent / "out" / "exported"
    if not out.exists():
        tables.export(lake / "photos", out)


def build(recipe, name="made", inputs="photos", **parameters):
    return lambda lake: datasets.build(
        recipe, lake, name,
        {role: lake.parent / one if "." in one else one for role, one in inputs.items()}
        if isinstance(inputs, dict) else inputs,
        **parameters,
    )  # fmt: skip


datasets.register(north)

VERBS = {
    "compact": lambda lake: tables.compact(lake / "photos"),
    "restore": lambda lake: tables.restore(lake / "photos", 0),
    "checkpoint": lambda lake: tables.checkpoint(lake / "photos"),
    "tag": lambda lake: tables.tag(lake / "photos", "paper", 0, move=True),
    "untag": untag,
    "vacuum": lambda lake: tables.vacuum(lake / "old", retention_hours=0),
    "forget": lambda lake: tables.forget(lake, ["p3", "n4", "a"]),
    "repair": lambda lake: tables.repair(lake / "old", older_than_hours=0),
    "append": append,
    "append again": append_again,
    "write": lambda lake: tables.write(lake / "photos", pa.table({"photo_id": ["p1"]})),
    "import": lambda lake: import_(lake, columns={"author": None}),
    "import pictures": lambda lake: import_(lake, "images"),
    "import columns": lambda lake: import_(lake, table="plain"),
    "labelled": build("labelled"),
    "rand": build("rand", inputs="places", n=3),
    "popular": build("popular", inputs={"rows": "places", "predictions": "said.csv"}, n=1),
    "hard": build("hard", inputs={"rows": "places", "popular": "known"}, n=2),
    "split": build("split", inputs="places", validation=0.25, test=0.25, buffer=0, least=0.0),
    "exclude": build("exclude-benchmark", inputs={"rows": "photos", "benchmark": "more.csv"}),
    "dedupe": build("dedupe"),
    "union": build("union", inputs={"rows": "photos", "other": "pictures"}),
    "filter": build("filter", where="lat > 20"),
    "join": build("join", inputs={"rows": "photos", "other": "scores.csv"}),
    "annotate": build("annotate", inputs={"rows": "photos", "annotations": "answers.csv"},
                      by="model"),
    "own recipe": build("north", inputs={"rows": "photos"}),
    "hash": hash_,
    "export": export,
    "records": lambda lake: record(lake, "sft.parquet"),
    "records folder": lambda lake: record(lake, "sft"),
    "records jsonl": lambda lake: record(lake, "sft.jsonl", images="reference"),
}  # fmt: skip


def run(verb, lake, at, told):
    steps, around = 0, str(lake.parent)

    def hook(event, given):
        nonlocal steps
        if event in TOUCHES and any(around in str(value) for value in given[:2]):
            steps += 1
            if steps == at:
                os.write(told, str(steps).encode())
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    VERBS[verb](lake)
    os.write(told, str(steps).encode())
    os._exit(0)


def main():
    cor.label(35.7, 139.7)  # the bundled borders are read once, before the forks
    for line in sys.stdin:
        verb, lake, at = line.rstrip("\n").split("\t")
        ours, theirs = os.pipe()
        worker = os.fork()
        if worker == 0:
            try:
                run(verb, Path(lake), int(at), theirs)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        _, status = os.waitpid(worker, 0)
        os.close(theirs)
        steps = os.read(ours, 100).decode() or "0"
        os.close(ours)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(steps, "killed" if killed else f"ended {os.waitstatus_to_exitcode(status)}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
