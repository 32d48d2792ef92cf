"""Datasets on a Ray cluster: workers read, label and write rows, the driver chooses and commits.

What ``rand``, ``hard`` and ``filter`` choose hangs on all rows, but on few columns of them: the
driver chooses, and workers read and write the rows. ``labelled`` is labelled by workers and sorted
by others: each puts what it labelled into pieces for the buckets of the sort, one file a piece,
and each bucket is read, sorted and written by one task. Rows, their order and the content hash are
those of one process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import datasets, files, tables
from geodata.datasets import Built, DatasetError, Labelling, Made, Task
from geodata.scale.agreeing import BatchFunction
from geodata.scale.cluster import TRIES, check_nodes, connect, results
from geodata.scale.dealing import part_of
from geodata.scale.makers import Label
from geodata.scale.memory import given_back
from geodata.tables import Input, Part

RECIPES = ("labelled", "rand", "hard", "filter")
"""What is built on Ray; all recipes are built without it."""

SPAN_ROWS = 1 << 18
"""Rows that a task reads."""

_Progress = Callable[[int, int | None], None]


def build_on_ray(
    recipe: str,
    lake: Any,
    name: str | None = None,
    inputs: Any = None,
    *,
    address: str | None = None,
    span_rows: int = SPAN_ROWS,
    progress: _Progress | None = None,
    **params: Any,
) -> Built:
    """Build a dataset on a Ray cluster, one version that this process commits once.

    A worker that dies is replaced, and what it wrote twice belongs to no version; after a driver
    that died the table is as it was, and `geodata.tables.repair` removes what lies there.

    Parameters
    ----------
    recipe
        One of `RECIPES`.
    lake, name, inputs
        As in `geodata.datasets.build`; a folder that every node sees under this name.
    address
        Of a cluster, ``host:port`` or ``auto``; without one, a cluster on this machine.
    span_rows
        Rows a task.
    progress
        Called with the tasks done and the tasks in all.
    **params
        ``source``, ``seed``, and those of the recipe.

    Returns
    -------
    Built
        With the content hash of `geodata.datasets.build`.

    Raises
    ------
    DatasetError
        For a recipe that is not built on Ray, and as `geodata.datasets.build`.
    RayClusterError, WorkerMismatchError
        As `label_on_ray`.

    Examples
    --------
    >>> build_on_ray("labelled", "lake", address="auto").rows  # doctest: +SKIP
    20000000
    """
    if recipe not in RECIPES:
        msg = (
            f"recipe {recipe!r} is not built on Ray, only {', '.join(RECIPES)}; leave the engine "
            "out to build it in one process"
        )
        raise DatasetError(msg)

    def engine(task: Task) -> tuple[Made, Callable[[dict[str, Any]], int]]:
        ray = connect(address)
        run = _Tasks(ray, span_rows, progress)
        return _labelled(run, task) if recipe == "labelled" else _chosen(run, task)

    params = {"source": None, "seed": 0, **params}
    place = lake if tables.address_of(lake) else Path(lake).absolute()
    return datasets.build_by(engine, recipe, place, name, inputs, **params)


@dataclasses.dataclass(frozen=True)
class _Tasks:
    """Runs a function of each of some values on the cluster."""

    ray: Any
    span_rows: int
    progress: _Progress | None

    def spans(self, rows: int) -> list[tuple[int, int]]:
        """Return the first row and the one behind the last of each part of so many rows."""
        return [(at, min(at + self.span_rows, rows)) for at in range(0, rows, self.span_rows)]

    def each(self, function: Callable[..., Any], values: Sequence[Any], *common: Any) -> list[Any]:
        """Return what a function makes of each value, in their order."""
        remote = self.ray.remote(max_retries=TRIES)(_tidied)
        there = [self.ray.put(one) for one in common]
        waiting = {remote.remote(function, value, *there): i for i, value in enumerate(values)}
        made: list[Any] = [None] * len(values)
        for done, result in results(self.ray, list(waiting)):
            made[waiting.pop(done)] = result
            if self.progress is not None:
                self.progress(len(values) - len(waiting), len(values))
        return made


def _tidied(function: Callable[..., Any], *given: Any) -> Any:
    with given_back():
        return function(*given)


def _chosen(run: _Tasks, task: Task) -> tuple[Made, Callable[[dict[str, Any]], int]]:
    check_nodes(run.ray, BatchFunction())
    made = task.make()
    assert made.keep is not None, "RECIPES choose rows"
    keep, rows = made.keep, _reference(task)
    spans = [span for span in run.spans(len(keep)) if keep[slice(*span)].any()]

    def commit(note: dict[str, Any]) -> int:
        parts = run.each(_write_chosen, spans, rows, keep, str(task.path))
        return tables.commit_parts(
            task.path, [Part.read(one) for told in parts for one in told], note
        )

    return made, commit


def _labelled(run: _Tasks, task: Task) -> tuple[Made, Callable[[dict[str, Any]], int]]:
    labelling, rows = Labelling(**task.values), task.opened["rows"]
    check_nodes(run.ray, Label(**task.values))
    cuts, spans = labelling.cuts(rows), run.spans(rows.table.rows)
    work = _Work(_reference(task), labelling, cuts, str(task.path), uuid.uuid4().hex)
    fresh = not task.path.exists()
    try:
        task.path.mkdir(parents=True, exist_ok=True)
        counts = run.each(_label, spans, work)
    except BaseException:
        work.forget(fresh=fresh)
        raise
    matches = sum((Counter(found) for found in counts), Counter[str]())
    report = labelling.report(rows, matches)
    schema = tables.kept_schema(labelling.schema(rows))
    made = Made(schema, iter(()), rows.table.rows, report)

    def commit(note: dict[str, Any]) -> int:
        try:
            parts = run.each(_sort, range(len(cuts) + 1), work)
            held = [Part.read(one) for told in parts for one in told]
            return tables.commit_parts(task.path, held, note)
        finally:
            work.forget(fresh=fresh)

    return made, commit


_Reference = tuple[str, str, int, str]
"""What a worker opens the rows by: lake, table, version and content hash."""


def _reference(task: Task) -> _Reference:
    version = task.opened["rows"].table
    return str(version.path.parent), version.path.name, version.version, version.content_hash


def _opened(rows: _Reference, span: tuple[int, int]) -> Input:
    """Return some of the rows of the input; refuse others than the driver has."""
    lake, table, version, content_hash = rows
    named = {"table": table, "version": version, "content_hash": content_hash}
    whole = tables.reopen(lake, "rows", named)
    return dataclasses.replace(whole, source=part_of(whole.source, *span))


def _write_chosen(
    span: tuple[int, int], rows: _Reference, keep: NDArray[np.bool_], path: str
) -> list[str]:
    source, start = _opened(rows, span).source, span[0]
    found = []
    for table in source.tables(None):
        found.append(table.filter(pa.array(keep[start : start + table.num_rows])))
        start += table.num_rows
    made = tables.write_part(path, pa.concat_tables(found), span[0])
    return [part.text() for part in made]


@dataclasses.dataclass(frozen=True)
class _Work:
    """A sort of labelled rows over files that all nodes see."""

    rows: _Reference
    labelling: Labelling
    cuts: NDArray[np.int64]
    path: str
    mark: str

    def piece(self, start: int, bucket: int) -> Path:
        """Return where the rows of a span are that go into a bucket; `repair` knows such names."""
        return Path(self.path, f".part-{self.mark}-{bucket:06d}-{start:012d}.part")

    def pieces(self, bucket: int) -> list[Path]:
        """Return the pieces of a bucket, in the order of their rows."""
        return sorted(Path(self.path).glob(f".part-{self.mark}-{bucket:06d}-*.part"))

    def forget(self, *, fresh: bool) -> None:
        """Remove the pieces, and the folder if it was made for a table that did not come to be."""
        for piece in Path(self.path).glob(f".part-{self.mark}-*"):
            piece.unlink(missing_ok=True)
        if fresh:
            with contextlib.suppress(OSError):
                Path(self.path).rmdir()


def _label(span: tuple[int, int], work: _Work) -> dict[str, int]:
    """Label some rows and put them into the pieces of the buckets; count how they matched."""
    matches: Counter[str] = Counter()
    held: dict[int, list[pa.Table]] = {}
    for batch in work.labelling.batches(_opened(work.rows, span)):
        matches.update(batch.matches())
        for bucket, piece in batch.buckets(work.cuts):
            held.setdefault(bucket, []).append(piece)
    for bucket, pieces in held.items():
        piece_path = work.piece(span[0], bucket)
        with (
            tables.storage(piece_path, f"sorting on {socket.gethostname()}"),
            files.replacing(piece_path) as beside,
            pa.OSFile(str(beside), "wb") as out,
            pa.ipc.new_file(out, pieces[0].schema) as writer,
        ):
            for piece in pieces:
                writer.write_table(piece)
    return dict(matches)


def _sort(bucket: int, work: _Work) -> list[str]:
    tables_ = list(_read(work.pieces(bucket)))
    if not tables_:
        return []
    rows = datasets.sorted_rows(pa.concat_tables(tables_))
    return [part.text() for part in tables.write_part(work.path, rows, bucket)]


def _read(pieces: Sequence[Path]) -> Iterator[pa.Table]:
    for piece in pieces:
        with pa.ipc.open_file(pa.memory_map(str(piece))) as reader:
            yield reader.read_all()
