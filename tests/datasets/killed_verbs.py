"""Run a verb of a lake and stop it dead at one of its steps: each line on input is one run.

    python killed_verbs.py

A line is ``VERB LAKE STEP``; the run is a process of its own, forked from this one, which has
loaded everything and used nothing. A step is a touch of the lake's files through Python: opening,
renaming, removing, making, listing. Step 0 never comes: the run ends by itself. What is printed:
how many steps there were, and whether it was killed.
"""

import os
import signal
import sys
from pathlib import Path

import duckdb  # noqa: F401, loaded before the forks
import imagehash  # noqa: F401
import polars  # noqa: F401
import pyarrow as pa

from geodata import datasets, near_duplicates, photos, tables
from geodata.photos import AlreadyImportedError

TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir", "os.scandir",
           "os.truncate", "os.link", "tempfile.mkstemp", "os.chmod")  # fmt: skip


def import_(lake):
    try:
        photos.import_(lake.parent / "more.csv", lake / "photos", columns={"author": None})
    except AlreadyImportedError:
        return  # the run before was killed behind its commit


def append(lake):
    if not tables.exists(lake / "new"):  # or the run before was killed behind its commit
        tables.append(lake / "new", pa.table({"a": [1, 2, 3]}))


def hash_(lake):
    near_duplicates.hash_photos(lake, "pictures", root=lake.parent / "images", workers=1)


VERBS = {
    "compact": lambda lake: tables.compact(lake / "photos"),
    "restore": lambda lake: tables.restore(lake / "photos", 0),
    "checkpoint": lambda lake: tables.checkpoint(lake / "photos"),
    "tag": lambda lake: tables.tag(lake / "photos", "paper", 0, move=True),
    "append": append,
    "import": import_,
    "union": lambda lake: datasets.build("union", lake, "both", {"rows": "photos",
                                                                  "other": "pictures"}),
    "filter": lambda lake: datasets.build("filter", lake, "some", "photos", where="lat > 20"),
    "join": lambda lake: datasets.build(
        "join", lake, "scored", {"rows": "photos", "other": lake.parent / "scores.csv"}
    ),
    "annotate": lambda lake: datasets.build(
        "annotate", lake, "asked", {"rows": "photos", "annotations": lake.parent / "answers.csv"},
        by="model",
    ),
    "hash": hash_,
    "export": lambda lake: tables.export(lake / "photos", lake / "exported"),
}  # fmt: skip


def run(verb, lake, at, told):
    steps = 0

    def hook(event, given):
        nonlocal steps
        if event in TOUCHES and any(str(lake) in str(value) for value in given[:2]):
            steps += 1
            if steps == at:
                os.write(told, str(steps).encode())
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    VERBS[verb](lake)
    os.write(told, str(steps).encode())
    os._exit(0)


def main():
    for line in sys.stdin:
        verb, lake, at = line.split()
        ours, theirs = os.pipe()
        worker = os.fork()
        if worker == 0:
            try:
                run(verb, Path(lake), int(at), theirs)
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
