"""Append numbered chunks to a table until there are enough; to be killed at will.

    python table_writer.py TABLE CHUNKS

Chunk k holds 100 rows that only depend on k, so any interrupted run can be resumed. Each line on
standard input starts one run, in a process of its own that prints ``ready PID``, then k after
each commit; when it is over, ``over``.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from geodata import tables

ROWS = 100


def chunk(k):
    rng = np.random.default_rng(k)
    return pa.table(
        {
            "photo_id": [f"{k}/{i}.jpg" for i in range(ROWS)],
            "chunk": pa.array([k] * ROWS, pa.int64()),
            "lat": rng.uniform(-90, 90, ROWS),
        }
    )


def say(line):
    """Print a line in one write: where nothing is buffered, `print` writes its end by itself.

    A writer killed in between would leave half a line, and ``over`` would be its rest.
    """
    os.write(1, f"{line}\n".encode())


def run(table, chunks):
    say(f"ready {os.getpid()}")
    done = tables.open(table).rows // ROWS if (table / "_delta_log").is_dir() else 0
    for k in range(done, chunks):
        tables.append(table, chunk(k), note={"chunk": k})
        say(k)


def main():
    table, chunks = Path(sys.argv[1]), int(sys.argv[2])
    for _ in sys.stdin:
        worker = os.fork()  # the modules are loaded, nothing has run: a kill is all that differs
        if worker == 0:
            run(table, chunks)
            os._exit(0)
        os.waitpid(worker, 0)
        say("over")


if __name__ == "__main__":
    main()
