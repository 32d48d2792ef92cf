"""Ray runs the batch functions and the shards; it is loaded when it is first needed.

Tasks, not actors: a worker process that Ray keeps opens boundaries once, and a task that dies with
its worker is tried again. Files are written by workers, versions are committed once by the driver.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata import files, tables
from geodata.evaluation.scores import Scoring
from geodata.files import Source
from geodata.scale.agreeing import BatchFunction
from geodata.scale.cluster import TRIES, check_nodes, connect, results
from geodata.scale.dealing import Shard, ShardError
from geodata.scale.memory import given_back
from geodata.scale.scoring import Score, ScoreSums
from geodata.scale.sharding import LabelJob, Sharded

BATCH_ROWS = 1 << 17


def label_on_ray(
    source: Any,
    folder: str | os.PathLike[str],
    shards: int,
    *,
    address: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    **options: Any,
) -> list[Sharded]:
    """Label a source on a Ray cluster into a folder of shards; `join_shards` makes a version.

    Called again after a kill, it makes the shards that are missing.

    Parameters
    ----------
    source
        A path that every node reads, or rows in memory.
    folder : path
        Where every node writes.
    shards : int
        How many parts; a part is one task.
    address : str, optional
        Of a cluster, ``host:port`` or ``auto``; without one, a cluster on this machine.
    progress : callable, optional
        Called with the rows done and the rows in all.
    **options
        Of `Label`.

    Raises
    ------
    RayClusterError
        If there is no cluster, or one of another version.
    WorkerMismatchError
        If a node has other software or another boundary set, before the work starts.
    ShardError, FileError, ValueError
        As `label_shard`.

    Examples
    --------
    >>> label_on_ray("photos.parquet", "shards", shards=64, address="auto")  # doctest: +SKIP
    """
    if shards < 1:
        msg = f"{shards} shards: give how many files to write, 1 or more"
        raise ShardError(msg)
    parts = [Shard.of(f"{number}/{shards}") for number in range(1, shards + 1)]
    job = LabelJob.of(_everywhere(source), _everywhere(folder), **options)
    job.prepare(shards)
    ray = connect(address)
    check_nodes(ray, job.label)
    task, job_there = ray.remote(max_retries=TRIES)(_make), ray.put(job)
    made, rows = [], 0
    for _, one in results(ray, [task.remote(job_there, part) for part in parts]):
        made.append(one)
        rows += one.rows
        if progress is not None:
            progress(rows, job.rows)
    return sorted(made, key=lambda one: one.shard.number)


def map_dataset(dataset: Any, function: BatchFunction, *, batch_rows: int = BATCH_ROWS) -> Any:
    """Return a Ray dataset with a batch function applied.

    Parameters
    ----------
    dataset : ray.data.Dataset
    function : BatchFunction
        `Label`, `Exclude`, `Popular`, `Filter`, `Records` or `Score`.
    batch_rows : int
        Rows a batch.

    Raises
    ------
    WorkerMismatchError
        If a node has something else than this process.

    Examples
    --------
    >>> from geodata.scale import Label
    >>> map_dataset(ray.data.read_parquet("photos"), Label())  # doctest: +SKIP
    """
    check_nodes(connect(None), function)
    return dataset.map_batches(
        function.__call__, batch_format="pyarrow", batch_size=batch_rows, zero_copy_batch=True
    )


def score_dataset(
    dataset: Any,
    scoring: Scoring | None = None,
    *,
    regions: bool = False,
    batch_rows: int = BATCH_ROWS,
) -> ScoreSums:
    """Score a Ray dataset of joined rows (lat, lon, pred_lat, pred_lon); see `Score`.

    Examples
    --------
    >>> sums = score_dataset(ray.data.read_parquet("joined"))  # doctest: +SKIP
    >>> sums.accuracy[25.0]  # doctest: +SKIP
    0.41
    """
    return _scored(dataset, Score(scoring or Scoring(), regions=regions), batch_rows)


def score_file(
    source: Any,
    scoring: Scoring | None = None,
    *,
    regions: bool = False,
    pred: tuple[str | None, str | None] = (None, None),
    truth: tuple[str | None, str | None] = (None, None),
    address: str | None = None,
) -> ScoreSums:
    """Score joined rows of Parquet files or of a table of a lake on a Ray cluster.

    Parameters
    ----------
    source : path
        A file, a folder, or a table such as ``lake/joined@3``, that every node reads.
    scoring, regions
        As in `Score`.
    pred, truth
        Latitude and longitude columns, found by their usual names where they are None.
    address
        As in `label_on_ray`.

    Raises
    ------
    FileError
        If the rows are in another format, or a column is not found.
    RayClusterError, WorkerMismatchError
        As `label_on_ray`.

    Examples
    --------
    >>> score_file("joined.parquet", address="auto")  # doctest: +SKIP
    """
    opened = tables.open_rows(source)
    paths = parquet_files(opened)
    columns = (
        *_pair(opened, truth, ("truth", "plain"), "lat and lon"),
        *_pair(opened, pred, ("pred",), "pred_lat and pred_lon"),
    )
    score = Score(scoring or Scoring(), regions=regions, columns=columns)
    connect(address)
    from ray import data

    # it tells every stage of its plan, forty lines beside a score; what is wrong is still told
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    once = list(dict.fromkeys(columns))
    rows = data.read_parquet([_everywhere(path) for path in paths], columns=once)
    return _scored(rows, score, BATCH_ROWS)


def _scored(dataset: Any, score: Score, batch_rows: int) -> ScoreSums:
    made = map_dataset(dataset, score, batch_rows=batch_rows)
    sums = [ScoreSums(score.scoring)]
    sums += [ScoreSums.read(pa.table(part)) for part in made.iter_batches(batch_format="pyarrow")]
    return sum(sums[1:], sums[0])


def write_dataset(
    dataset: Any,
    table: str | os.PathLike[str],
    note: Mapping[str, Any] | None = None,
    *,
    batch_rows: int = BATCH_ROWS,
) -> int:
    """Write a Ray dataset as one version of a table, in a folder that all nodes see.

    Workers write files; this process commits once. A worker that is tried again leaves at most a
    file that no version names.

    Returns
    -------
    int
        The number of the version, which holds these rows and no others.

    Raises
    ------
    TableError
        If nothing can be committed; the table is then as it was.

    Examples
    --------
    >>> write_dataset(ray.data.read_parquet("photos"), "lake/photos")  # doctest: +SKIP
    0
    """
    writer = _PartWriter(_everywhere(table))
    made = dataset.map_batches(writer, batch_format="pyarrow", batch_size=batch_rows)
    texts = [text for part in made.iter_batches(batch_format="pyarrow") for text in part["part"]]
    return tables.commit_parts(table, [tables.Part.read(str(text)) for text in texts], note)


def parquet_files(source: Source) -> list[Path]:
    """Return the Parquet files of a source, which an engine reads by itself.

    Raises
    ------
    FileError
        For another format.
    """
    if source.kind == "parquet":
        return [part.path for part in source.parts]
    if source.reference is not None and "table" in source.reference:
        path, _, number = source.name.rpartition("@")
        return list(tables.open(path, int(number)).files)
    msg = f"{source.name}: Ray reads Parquet or a table of a lake here, not {source.kind}"
    raise files.FileError(msg)


def _pair(
    source: Source, given: tuple[str | None, str | None], roles: tuple[Any, ...], usual: str
) -> tuple[str, str]:
    """Return a latitude and a longitude column: those given, else by their usual names."""
    if given[0] is not None or given[1] is not None:
        return files.coordinate_columns(source.columns, *given, where=source.name)
    found = files.find_pair(source.columns, roles, source.name)
    if found is None:
        msg = (
            f"{source.name} has no columns such as {usual}; on Ray answers and truth are one "
            "table: join them first (geodata dataset build join), or name the columns"
        )
        raise files.FileError(msg)
    return found


class _PartWriter:
    """Writes each batch into the folder of a table."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, batch: pa.Table) -> pa.Table:
        with given_back():
            made = tables.write_part(self._path, batch) if batch.num_rows else []
        return pa.table({"part": pa.array([part.text() for part in made], pa.string())})


def _make(job: LabelJob, shard: Shard) -> Sharded:
    with given_back():
        return job.make(shard)


def _everywhere(path: Any) -> Any:
    """Return a path that does not depend on the folder a worker starts in; rows as they are."""
    if not isinstance(path, str | os.PathLike) or "://" in str(path):
        return path
    # a path that went through `pathlib` has lost a slash
    return tables.address_of(path) or os.path.abspath(path)  # noqa: PTH100, links stay
