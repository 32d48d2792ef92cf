"""What a worker of a dataset does, without a cluster: its rows, its file, how often it is tried."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import tables
from geodata.scale import cluster, datasets_on_ray


class Here:
    """Stands for Ray: runs each task at once and notes how often it would be tried."""

    def __init__(self):
        self.tries = []

    def remote(self, max_retries):
        self.tries.append(max_retries)
        here = self

        def made(function):
            class Task:
                @staticmethod
                def remote(*given):
                    return here.put(function(*(getattr(one, "value", one) for one in given)))

            return Task

        return made

    def put(self, value):
        class Reference:
            pass

        one = Reference()
        one.value = value
        return one

    def wait(self, waiting):
        return [waiting[-1]], waiting[:-1]  # the last one is done first

    def get(self, reference):
        return reference.value

    def cancel(self, reference):
        raise AssertionError(reference)

    class exceptions:  # noqa: N801  as Ray spells it
        class RayTaskError(Exception):
            pass


def test_tasks_come_in_their_order_and_are_tried_ten_times():
    here, done = Here(), []
    run = datasets_on_ray._Tasks(here, 4, lambda *told: done.append(told))
    assert run.each(pow, [2, 3, 4], 2) == [4, 9, 16]
    assert here.tries == [cluster.TRIES] == [10]
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert run.each(pow, [], 2) == []
    assert [run.spans(rows) for rows in (0, 3, 4, 5, 9)] == [
        [], [(0, 3)], [(0, 4)], [(0, 4), (4, 5)], [(0, 4), (4, 8), (8, 9)]
    ]  # fmt: skip


@pytest.mark.parametrize("span", [(0, 4), (2, 7), (4, 9), (8, 9), (0, 9)])
def test_a_part_of_the_rows_is_chosen_by_their_own_marks(tmp_path, span):
    """Rows of two files, and the marks of all rows: those of the part are taken."""
    path = tmp_path / "lake" / "rows"
    tables.append(path, pa.table({"id": ["a", "b", "c", "d", "e"]}))
    version = tables.open(path, tables.append(path, pa.table({"id": ["f", "g", "h", "i"]})))
    rows = (str(path.parent), path.name, version.version, version.content_hash)
    keep = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1], bool)
    out = tmp_path / "lake" / "chosen"
    told = datasets_on_ray._write_chosen(span, rows, keep, str(out))
    (file,) = out.glob("*.parquet")
    found = pq.read_table(file)["id"].to_pylist()
    wanted = [x for i, x in enumerate("abcdefghi") if keep[i] and span[0] <= i < span[1]]
    assert found == wanted
    assert len(told) == 1
