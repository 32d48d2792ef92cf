"""One of many processes that use a table at the same time, until its time is over.

    python stress.py ROLE TABLE SEED SECONDS RETENTION_HOURS

What it prints is JSON, a line each: chunks that were committed, errors, and what a reader saw that
may not be. A refusal that says to try again is none of these.
"""

import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from geodata import tables
from geodata.tables import TableChangedError, TableConflictError, VersionNotFoundError

ROWS = 20
REFUSED = {
    "append": TableConflictError, "compact": TableConflictError, "forget": TableConflictError,
    # of an older version, which a vacuum may have had by now
    "restore": (TableChangedError, TableConflictError), "tag": TableChangedError,
    "untag": VersionNotFoundError,
}  # fmt: skip


def chunk(k, extra=None):
    rows = pa.table({
        "photo_id": [f"c{k}-{i}" for i in range(ROWS)],
        "chunk": pa.array([k] * ROWS, pa.int64()),
        "lat": np.random.default_rng(k).uniform(-90, 90, ROWS),
    })  # fmt: skip
    return rows if extra is None else rows.append_column(extra, pa.array([k] * ROWS))


def told(**what):
    print(json.dumps(what), flush=True)


class Worker:
    def __init__(self, path, seed, hours):
        self.path, self.seed, self.hours = path, seed, hours
        self.draw, self.done = random.Random(seed), 0

    def append(self):
        k = self.seed * 100_000 + self.done
        tables.append(self.path, chunk(k, f"by_{k}" if self.draw.random() < 0.05 else None))
        told(committed=k)

    def compact(self):
        tables.compact(self.path)

    def checkpoint(self):
        tables.checkpoint(self.path)

    def restore(self):
        latest = tables.open(self.path).version
        tables.restore(self.path, max(0, latest - self.draw.randrange(1, 6)))

    def tag(self):
        number = tables.open(self.path).version - self.draw.randrange(4)
        tables.tag(self.path, f"t{self.draw.randrange(5)}", max(number, 0), move=True)

    def untag(self):
        tables.untag(self.path, f"t{self.draw.randrange(5)}")

    def vacuum(self):
        tables.vacuum(self.path, retention_hours=self.hours)

    def repair(self):
        tables.repair(self.path, older_than_hours=self.hours)

    def forget(self):
        ids = tables.open(self.path).arrow(["photo_id"])["photo_id"].to_pylist()
        if ids:
            tables.forget(self.path, [self.draw.choice(ids)])

    def read(self):
        opened = tables.open(self.path)
        assert opened.files or opened.rows == 0
        assert opened.content_hash
        if self.hours:  # else its files may be vacuumed while they are read
            rows = opened.arrow(["chunk"])["chunk"]
            assert len(rows) == opened.rows
            assert {one["counts"] for one in rows.value_counts().to_pylist()} <= {ROWS}

    def history(self):
        assert tables.history(self.path)

    def verify(self):
        report = tables.verify(self.path)
        assert report.ok, report.problems
        assert report.unsealed == ()


def main():
    role, path, seed, seconds, hours = sys.argv[1:]
    worker = Worker(Path(path), int(seed), float(hours))
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end or not worker.done:
        worker.done += 1
        try:
            getattr(worker, role)()
        except REFUSED.get(role, ()):
            told(refused=role)
        except Exception as error:
            told(wrong=f"{role}: {type(error).__name__}: {error}"[:400])
        time.sleep(worker.draw.random() * (0.002 if role == "append" else 0.05))
    told(did=role, times=worker.done)


if __name__ == "__main__":
    main()
