"""Records to files, each form as its trainer reads it.

Rows are shuffled with a seed when they are written, since a labelled table is sorted by place
and readers that stream shuffle only what they hold. A file is not there until all of it is; a
folder neither, but the shards that were finished are kept beside it for the next try.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from geodata import files, query, tables
from geodata.files import as_table
from geodata.images import ABSENT_PROBLEMS, reference_problems, started_table
from geodata.records import chats, forms
from geodata.records.chats import Options, RecordError
from geodata.records.forms import FORMATS, Form, Job
from geodata.records.partial import partial_folder
from geodata.records.shuffled import Shuffled, holds_bytes, on_disk
from geodata.tables import open_input

SHARD_ROWS = 10_000

_Path = str | os.PathLike[str]
_Progress = Callable[[int, int | None], None]
_FilesOf = Callable[[str, int], Iterable[int]]
_CHECK_ROWS = 4096
_UNSET = "not set: the lake, else the current folder"


@dataclass(frozen=True)
class Written:
    """Records that were written."""

    path: Path
    rows: int
    dropped: int
    """Rows without valid coordinates or image, left out."""
    files: int
    stripped: dict[str, int] = field(default_factory=dict)
    """Embedded pictures by what was left out of them; ``pictures``: how many there were."""
    absent: int = 0
    """Pictures of records that are not there, or empty."""
    resumed: int = 0
    """Files that an earlier try had finished."""
    names: tuple[str, ...] = ()
    """Paths of the files in the folder, of those that were to be written; empty for one file."""


def write(
    rows: Any,
    target: _Path,
    *,
    lake: _Path | None = None,
    split: str | None = None,
    where: str | None = None,
    format: str | None = None,  # noqa: A002
    seed: int = 0,
    shard_rows: int = SHARD_ROWS,
    options: Options | None = None,
    files_of: _FilesOf | None = None,
    progress: _Progress | None = None,
) -> Written:
    """Write records of labelled photos, shuffled, memory flat but for ids, places and labels.

    Parameters
    ----------
    rows
        An Arrow table (see `records.sft`), or with ``lake`` the name of a table in it:
        ``rand``, ``rand@3``.
    target
        ``.parquet`` or ``.jsonl``: one file. Otherwise a folder that is new or empty.
    lake
        Folder of tables, or one in a bucket, ``s3://bucket/lake``, whose relative pictures start
        from the current folder.
    split, where
        Which rows, as `geodata.query.choose` has it: a split such as ``train``, or ``all``, which
        a table with a column ``split`` must be given; a SQL condition.
    format
        ``parquet`` (TRL), ``verl``, ``easyr1``: Parquet; ``llava``, ``ms-swift``,
        ``llama-factory``: JSON lines, in a folder with the pictures that are no plain files
        beside them; ``webdataset``: tar shards with the pictures. By default what the target's
        ending says, ``parquet`` for a folder, ``llava`` for JSON lines.
    seed
        Of the order.
    shard_rows
        Rows a file in a folder.
    options
        See `records.Options`.
    files_of
        Where several processes write one folder: given a text that only the same records have,
        and the number of files, the numbers of those to write here. What is there under their
        names is replaced.
    progress
        Called with the records written and the records in all.

    Returns
    -------
    Written

    Raises
    ------
    RecordError
        For rows that make no record, pictures that are not there or none, or a target that holds
        something.
    QueryError
        For a table with splits and no choice, or a choice that leaves no row.
    FileError, StorageFullError
        If an image cannot be read, or the target not written; it is then as it was. The files of
        a folder that were finished lie beside it, and the same call goes on from there.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> folder = tempfile.TemporaryDirectory()
    >>> rows = pa.table({"photo_id": ["a"], "lat": [48.9], "lon": [2.3], "image": ["a.jpg"],
    ...                  "country": ["France"], "admin1": ["Paris"], "city": ["Paris"]})
    >>> write(rows, folder.name + "/sft.parquet", options=Options(images="reference")).rows
    1
    >>> folder.cleanup()
    """
    options = options or Options()
    out = Path(target)
    if shard_rows < 1:
        msg = f"shard_rows={shard_rows} (--shard-rows) must be a whole number above 0"
        raise RecordError(msg)
    kind = forms.format_of(out, format)
    with contextlib.ExitStack() as stack:
        table = _rows(rows, lake, split, where, out, stack)
        is_far = lake is not None and tables.address_of(lake) is not None
        if lake is not None and options.image_root is None and not is_far:
            table, options = _from_lake(table, options, Path(lake))
        keep, absent = _usable(table, options)
        light, _ = chats.judged(table, _tolerant(options))
        shuffled = Shuffled(light, np.flatnonzero(keep), seed)
        job = Job(shuffled, options, _part_of(split), options.embedder(), progress)
        with tables.storage(out, "writing records"):
            names, resumed = _written(kind, job, out, shard_rows, files_of)
    stripped = {name: n for name, n in sorted(job.embedder.stripped.items()) if n}
    dropped, rows = len(keep) - len(shuffled), len(shuffled) if files_of is None else job.done
    count = len(names) or int(files_of is None)
    return Written(out, rows, dropped, count, stripped, absent, resumed, tuple(names))


def _from_lake(table: pa.Table, options: Options, lake: Path) -> tuple[pa.Table, Options]:
    """Return rows whose pictures are found from anywhere, and options that read them there."""
    given = {f.name: getattr(options, f.name) for f in fields(Options)}
    beside = str(lake.resolve().parent)
    return started_table(table, lake), chats.LakeOptions(**given, beside=beside)


def _written(
    kind: str, job: Job, out: Path, shard_rows: int, files_of: _FilesOf | None
) -> tuple[list[str], int]:
    """Write the files; return the names of those in a folder, and how many were there."""
    form = FORMATS[kind]
    if out.suffix.lower() == f".{form.ending}":
        with files.replacing(out) as beside:
            form.write(job, beside, 0, len(job.rows), None)
        return [], 0
    if out.suffix.lower() in (".parquet", ".jsonl"):
        msg = f"{out}: records for {kind} are not {out.suffix[1:]}; name a new folder"
        raise RecordError(msg)
    starts = range(0, len(job.rows), shard_rows)
    stamp = f"{kind} {job.options} {job.part} {shard_rows} {job.rows.stamp()}"
    if files_of is not None:
        return _into(form, job, out, starts, list(files_of(stamp, len(starts)))), 0
    with partial_folder(out, stamp) as beside:
        names = [_name(form, job, i, starts) for i in range(len(starts))]
        new = [i for i, name in enumerate(names) if not (beside / name).is_file()]
        _into(form, job, beside, starts, new, out.name)
    return names, len(names) - len(new)


def _into(
    form: Form, job: Job, folder: Path, starts: range, numbers: list[int], name: str | None = None
) -> list[str]:
    """Write some of the files of a folder; return their names."""
    (folder / form.folder).mkdir(parents=True, exist_ok=True)
    for i in numbers:
        with files.replacing(folder / _name(form, job, i, starts)) as new:
            form.write(job, new, starts[i], starts[i] + starts.step, folder)
    for other, text in form.extra(name or folder.name, job.part).items():
        files.write_text(folder / other, text)
    return [_name(form, job, i, starts) for i in numbers]


def _name(form: Form, job: Job, number: int, starts: range) -> str:
    return str(Path(form.folder, form.name(job.part, number, len(starts))))


def _tolerant(options: Options) -> Options:
    return replace(options, missing="drop")


def _usable(table: pa.Table, options: Options) -> tuple[np.ndarray, int]:
    """Return which rows make a record, shape (n,), and how many pictures of them are absent."""
    light, bad = chats.judged(table, options)
    absent = 0
    if options.check != "skip":
        unseen = _unseen(light, bad, options)
        if options.check == "refuse":
            bad = bad | unseen
        else:
            absent = int(unseen.sum())
    if bad.all():
        msg = f"no row of {len(bad)} makes a record: none has coordinates and an image"
        raise RecordError(msg)
    return ~bad, absent


def _unseen(table: pa.Table, bad: np.ndarray, options: Options) -> np.ndarray:
    """Return which pictures of the other rows are not there; refuse what is there and is none."""
    wrong, first = np.zeros(len(bad), bool), ""
    step = 1 if holds_bytes(table.schema) else _CHECK_ROWS
    for start in range(0, len(bad), step):
        rows = np.flatnonzero(~bad[start : start + step]) + start
        values = [table["image"][int(row)].as_py() for row in rows]
        problems = reference_problems(values, options.image_root, urls=options.urls)
        for row, value, problem in zip(rows, values, problems, strict=True):
            if problem is None:
                continue
            name = f"{len(value)} bytes" if isinstance(value, bytes) else _shown(value)
            told = f"{name:.200} of {table['photo_id'][int(row)].as_py()!r} {problem}"
            if problem not in ABSENT_PROBLEMS and options.missing == "error":
                msg = (
                    f"{told}; repair it, or leave such rows out with missing='drop', check='refuse'"
                )
                raise RecordError(msg)
            wrong[row], first = True, first or told
    if wrong.any() and options.check == "refuse" and options.missing == "error":
        msg = (
            f"{int(wrong.sum()):,} of {len(bad):,} pictures are not there; the first, {first}; "
            f"relative paths start from image_root ({options.image_root or _UNSET}): set it "
            "(--image-root), leave those rows out with missing='drop' (--missing drop), or write "
            "them all the same with check='tell' (--no-check)"
        )
        raise RecordError(msg)
    return wrong


def _shown(value: Any) -> str:
    return str(value.get("path")) if isinstance(value, dict) else str(value)


def _part_of(split: str | None) -> str:
    """Return the split that a file's name says: the one that was chosen, else train."""
    return split if split and split != "all" and re.fullmatch(r"\w+", split) else "train"


def _rows(
    rows: Any,
    lake: _Path | None,
    split: str | None,
    where: str | None,
    out: Path,
    stack: contextlib.ExitStack,
) -> pa.Table:
    if lake is None:
        table = as_table(rows)
        keep = _choose(files.open_source(table, what="the rows"), split, where)
        return table if keep is None else table.filter(pa.array(keep))
    source = open_input(tables.near(lake), "rows", rows)
    held = source.table.schema.names
    names = ["photo_id", "lat", "lon", "image"]
    source.need(*(name for name in names if name not in held))  # a picture may be nested
    names += [name for name in chats.TRUTH if name in source.columns]
    keep = _choose(source.source, split, where)
    schema = pa.schema([source.table.schema.field(name) for name in names])
    heavy = holds_bytes(schema)
    parts = _kept(source.table.batches(names, 256 if heavy else 1 << 16), keep)
    if heavy:
        return stack.enter_context(on_disk(parts, schema, out.absolute().parent))
    return pa.concat_tables([schema.empty_table(), *parts])


def _choose(source: files.Source, split: str | None, where: str | None) -> np.ndarray | None:
    try:
        return query.choose(source, split, where)
    except query.QueryError as error:
        msg = f"{error} (split=, where=; --split, --where)"
        raise type(error)(msg) from error


def _kept(parts: Iterator[pa.Table], keep: np.ndarray | None) -> Iterator[pa.Table]:
    start = 0
    for part in parts:
        chosen = None if keep is None else keep[start : start + part.num_rows]
        start += part.num_rows
        yield part if chosen is None else part.filter(pa.array(chosen))


__all__ = ["FORMATS", "Written", "write"]
