"""What stands for Ray in tests of what is handed to it: each task runs at once, in this process.

As on a cluster, a task starts in another folder than the driver, and the last one is done first.
"""

import sys
import tempfile
from contextlib import chdir
from types import ModuleType, SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq


class Here:
    """Runs each task at once, and notes what was asked."""

    __version__ = "9.9.9"

    def __init__(self, nodes=("a",), *, initialized=True):
        self.tries, self.cancelled, self.sent, self.placed, self.started = [], [], [], [], []
        self._nodes, self._initialized = list(nodes), initialized
        self.refuses = None
        self.data = SimpleNamespace(read_parquet=self._read_parquet)
        self.read = []

    # what a driver asks for
    def is_initialized(self):
        return self._initialized

    def init(self, **options):
        self.started.append(options)
        if self.refuses is not None:
            raise self.refuses

    def nodes(self):
        return [node if isinstance(node, dict) else a_node(node) for node in self._nodes]

    def remote(self, max_retries):
        self.tries.append(max_retries)
        return lambda function: _Task(self, function)

    def put(self, value):
        self.sent.append(value)
        return _Reference(value)

    def wait(self, waiting):
        return [waiting[-1]], waiting[:-1]

    def get(self, reference):
        if isinstance(reference.value, BaseException):
            raise reference.value
        return reference.value

    def cancel(self, reference):
        self.cancelled.append(reference.value)

    def _read_parquet(self, paths, columns):
        self.read.append((paths, columns))
        with _elsewhere():
            return Rows(pa.concat_tables([pq.read_table(path, columns=columns) for path in paths]))

    class exceptions:  # noqa: N801  as Ray spells it
        class RayTaskError(Exception):
            def __init__(self, cause):
                super().__init__("of a task")
                self.cause = cause

    def stand_in(self, monkeypatch):
        """Be what ``import ray`` gives."""
        where = ModuleType("ray.util.scheduling_strategies")
        where.NodeAffinitySchedulingStrategy = lambda node, soft: (node, soft)
        monkeypatch.setitem(sys.modules, "ray", self)
        monkeypatch.setitem(sys.modules, "ray.util", ModuleType("ray.util"))
        monkeypatch.setitem(sys.modules, where.__name__, where)
        return self


class Rows:
    """Stands for a dataset of Ray: maps batches when it is read, and notes how."""

    def __init__(self, table, maps=()):
        self.table, self.maps = table, maps

    def map_batches(self, function, **options):
        return Rows(self.table, (*self.maps, (function, options)))

    def iter_batches(self, batch_format):
        assert batch_format == "pyarrow"
        ((function, options),) = self.maps
        step = options["batch_size"]
        for at in range(0, self.table.num_rows, step):
            with _elsewhere():
                made = function(self.table.slice(at, step))
            yield made


def a_node(name, *, alive=True, cpus=2.0):
    """Return a node as Ray tells of it."""
    resources = {"CPU": cpus} if cpus is not None else {}
    return {
        "Alive": alive, "Resources": resources, "NodeID": f"id-{name}",
        "NodeManagerAddress": name,
    }  # fmt: skip


class _Reference:
    def __init__(self, value):
        self.value = value


class _Task:
    def __init__(self, here, function, where=None):
        self.here, self.function, self.where = here, function, where

    def options(self, scheduling_strategy):
        return _Task(self.here, self.function, scheduling_strategy)

    def remote(self, *given):
        self.here.placed.append(self.where)
        with _elsewhere():
            try:
                made = self.function(*(getattr(one, "value", one) for one in given))
            except Exception as error:
                made = self.here.exceptions.RayTaskError(error)
        return _Reference(made)


def _elsewhere():
    return chdir(tempfile.gettempdir())
