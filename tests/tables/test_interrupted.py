"""Ctrl-C at any moment: a table is as before or as after, whatever was going on."""

import contextlib
import random
import signal
from functools import partial

import pyarrow as pa
import pytest

from geodata import tables


class Stop(KeyboardInterrupt):
    """An interrupt that nobody else sends."""


def stopped_after(seconds, call):
    """Interrupt a call after a time; return whether it was under way."""

    def interrupt(*_):
        raise Stop

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            call()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Stop:
        return True
    finally:
        signal.signal(signal.SIGALRM, before)
    return False


def rows(*ids):
    return pa.table({"photo_id": list(ids)})


def restored(path):
    with contextlib.suppress(tables.TableChangedError):  # its files were vacuumed
        tables.restore(path, max(0, tables.open(path).version - 1))


WRITERS = {
    "append": lambda path, k: tables.append(path, rows(f"new {k}")),
    "write": lambda path, k: tables.write(path, rows(f"new {k}", "old 0")),
    "compact": lambda path, k: tables.compact(path),
    "forget": lambda path, k: tables.forget(path.parent, [f"new {k - 1}"]),
    "checkpoint": lambda path, k: tables.checkpoint(path),
    "restore": lambda path, k: restored(path),
    "vacuum": lambda path, k: tables.vacuum(path, retention_hours=0),
    "tag": lambda path, k: tables.tag(path, f"v{k}"),
}


def interrupted(path, count, seed):
    """Interrupt many writers and look at the table after each; return how many were under way."""
    rng, under_way = random.Random(seed), 0
    for n in range(3):
        tables.append(path, rows(f"old {n}"))
    for k in range(count):
        name = rng.choice(sorted(WRITERS))
        before = tables.open(path)
        held = before.arrow()["photo_id"].to_pylist()
        stopped = stopped_after(rng.uniform(0, 0.04), partial(WRITERS[name], path, k))
        under_way += stopped
        after = tables.open(path)
        now = after.arrow()["photo_id"].to_pylist()
        if (stopped and after.version == before.version) or name in (
            "compact",
            "checkpoint",
            "vacuum",
            "tag",
        ):
            assert now == held, (k, name)
        elif name == "append":
            assert now == [*held, f"new {k}"]
        elif name == "write":
            assert now == [f"new {k}", "old 0"]
        elif name == "forget":
            assert now == [one for one in held if one != f"new {k - 1}"]
        found = tables.verify(path)
        unexpected = [
            one for one in found.problems if "left by a forget that was stopped" not in one
        ]
        assert not unexpected, (k, name)
    return under_way


# a file that is being opened at that moment is closed by its end, not by us
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "seed", [5, *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 26))]
)
def test_a_table_is_whole_after_each_of_many_interrupts(tmp_path, seed):
    assert interrupted(tmp_path / "lake" / "t", 60, seed) > 0
