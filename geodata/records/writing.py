"""Records to files: Parquet for TRL and ``datasets``, LLaVA-style JSON lines, WebDataset shards.

Rows are shuffled with a seed when they are written, since a labelled table is sorted by place
and readers that stream shuffle only what they hold. Nothing is there until all of it is.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geodata import files, query, tables
from geodata.files import as_table
from geodata.hashing import sampling_keys
from geodata.images import image_bytes
from geodata.records import chats
from geodata.records.chats import Options, RecordError
from geodata.tables import open_input

FORMATS = ("parquet", "llava", "webdataset")
SHARD_ROWS = 10_000

_Path = str | os.PathLike[str]
_MAGIC = ((b"\xff\xd8", "jpg"), (b"\x89PNG", "png"), (b"GIF8", "gif"), (b"RIFF", "webp"))


@dataclass(frozen=True)
class Written:
    """Records that were written."""

    path: Path
    rows: int
    dropped: int
    """Rows without valid coordinates or image, left out."""
    files: int


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
) -> Written:
    """Write records of labelled photos, shuffled, memory flat but for the rows themselves.

    Parameters
    ----------
    rows
        An Arrow table (see `records.sft`), or with ``lake`` the name of a table in it:
        ``rand``, ``rand@3``.
    target
        ``.parquet`` or ``.jsonl``: one file. Otherwise a folder that is new or empty.
    lake
        Folder of tables.
    split, where
        Which rows, as `geodata.query.choose` has it: a split such as ``train``, or ``all``, which
        a table with a column ``split`` must be given; a SQL condition.
    format
        ``parquet``, ``llava`` (JSON lines) or ``webdataset`` (tar shards with the images); by
        default what the target's ending says, Parquet for a folder.
    seed
        Of the order.
    shard_rows
        Rows a file in a folder.
    options
        See `records.Options`.

    Returns
    -------
    Written

    Raises
    ------
    RecordError
        For rows that make no record, or a target that holds something.
    QueryError
        For a table with splits and no choice, or a choice that leaves no row.
    FileError, StorageFullError
        If an image cannot be read, or the target not written; it is then as it was.
    """
    options = options or Options()
    out = Path(target)
    kind = _format_of(out, format)
    table = _rows(rows, lake, split, where)
    usable = chats.usable(table, options)
    if not usable.num_rows:
        msg = f"no row of {table.num_rows} makes a record: none has coordinates and an image"
        raise RecordError(msg)
    shuffled = _Shuffled(usable, seed)
    with tables.storage(out, "writing records"):
        count = _WRITERS[kind](shuffled, out, options, shard_rows)
    return Written(out, usable.num_rows, table.num_rows - usable.num_rows, count)


class _Shuffled:
    """Rows in the order of their keys, a few at a time."""

    def __init__(self, table: pa.Table, seed: int) -> None:
        self._table = table.combine_chunks()
        order = [np.arange(table.num_rows), sampling_keys(self._table, seed)]
        self._order = np.lexsort(order)

    @property
    def schema(self) -> pa.Schema:
        return self._table.schema

    def __len__(self) -> int:
        return len(self._order)

    def slices(self, start: int, stop: int) -> Iterator[pa.Table]:
        """Yield the rows from ``start`` to ``stop`` of the shuffled order."""
        stop = min(stop, len(self))
        for i in range(start, stop, chats.BATCH_ROWS):
            yield self._table.take(pa.array(self._order[i : min(i + chats.BATCH_ROWS, stop)]))


def _rows(rows: Any, lake: _Path | None, split: str | None, where: str | None) -> pa.Table:
    if lake is None:
        table = as_table(rows)
        keep = query.choose(files.open_source(table, what="the rows"), split, where)
        return table if keep is None else table.filter(pa.array(keep))
    source = open_input(lake, "rows", rows)
    source.need("photo_id", "lat", "lon", "image")
    names = ["photo_id", "lat", "lon", "image"]
    names += [name for name in chats.TRUTH if name in source.columns]
    keep = query.choose(source.source, split, where)
    if keep is None:
        keep = np.ones(source.table.rows, bool)
    parts, start = [], 0
    for part in source.table.batches(names):
        chosen = keep[start : start + part.num_rows]
        start += part.num_rows
        parts.append(part if chosen.all() else part.filter(pa.array(chosen)))
    return pa.concat_tables(parts) if parts else source.table.schema.empty_table().select(names)


def _format_of(out: Path, given: str | None) -> str:
    by_ending = {".parquet": "parquet", ".jsonl": "llava", "": "parquet"}
    kind = given or by_ending.get(out.suffix.lower())
    if kind not in FORMATS:
        msg = f"{out}: format {given or out.suffix!r} is not known; expected {', '.join(FORMATS)}"
        raise RecordError(msg)
    return kind


def _parquet(rows: _Shuffled, out: Path, options: Options, shard_rows: int) -> int:
    if out.suffix.lower() == ".parquet":
        with files.replacing(out) as beside:
            _parquet_file(rows, beside, options, 0, len(rows))
        return 1
    starts = range(0, len(rows), shard_rows)
    with _folder(out) as beside:
        (beside / "data").mkdir()
        for i, start in enumerate(starts):
            name = f"train-{i:05d}-of-{len(starts):05d}.parquet"
            _parquet_file(rows, beside / "data" / name, options, start, start + shard_rows)
    return len(starts)


def _parquet_file(rows: _Shuffled, path: Path, options: Options, start: int, stop: int) -> None:
    schema = chats.schema(rows.schema, options)
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
        for part in rows.slices(start, stop):
            for made in chats.batches(part, options):
                writer.write_table(made)


def _llava(rows: _Shuffled, out: Path, options: Options, shard_rows: int) -> int:
    from geodata.records.llava import lines

    if out.suffix.lower() != ".jsonl":
        msg = f"{out}: LLaVA-style records are one file; give a name that ends in .jsonl"
        raise RecordError(msg)
    with files.replacing(out) as beside, beside.open("w", encoding="utf-8") as sink:
        for part in rows.slices(0, len(rows)):
            sink.writelines(line + "\n" for line in lines(part, options))
    return 1


def _webdataset(rows: _Shuffled, out: Path, options: Options, shard_rows: int) -> int:
    """Write tar shards: per record ``KEY.jpg`` (or png, ...) and ``KEY.json`` with the rest."""
    writer_of = _shard_writer()
    starts = range(0, len(rows), shard_rows)
    plain = replace(options, images="reference")
    with _folder(out) as beside:
        for i, start in enumerate(starts):
            with writer_of(str(beside / f"{i:06d}.tar")) as writer:
                for number, (row, record) in enumerate(
                    _pairs(rows, plain, start, start + shard_rows), start
                ):
                    picture = image_bytes(row["image"], options.image_root)
                    del record["images"]
                    text = json.dumps(record, ensure_ascii=False).encode()
                    writer.write(
                        {"__key__": f"{number:09d}", _ending(picture): picture, "json": text}
                    )
    return len(starts)


def _pairs(
    rows: _Shuffled, options: Options, start: int, stop: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for part in rows.slices(start, stop):
        made = pa.concat_tables(chats.batches(part, options))
        yield from zip(part.select(["image"]).to_pylist(), made.to_pylist(), strict=True)


def _shard_writer() -> Callable[[str], Any]:
    try:
        import webdataset
    except ImportError as error:
        msg = "WebDataset shards need the webdataset package: pip install '.[report]' in the clone"
        raise RecordError(msg) from error
    # a fixed time makes the same records the same bytes
    return lambda path: webdataset.TarWriter(path, encoder=False, mtime=0)


def _ending(picture: bytes) -> str:
    return next((name for head, name in _MAGIC if picture.startswith(head)), "bin")


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """Give a folder beside ``out`` that takes its place if all went well."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        msg = f"{out} exists and is not an empty folder; choose another one to write to"
        raise RecordError(msg)
    if not out.absolute().parent.is_dir():
        msg = f"{out.parent}: there is no such folder; create it first"
        raise RecordError(msg)
    beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.absolute().parent))
    try:
        beside.chmod(0o755)
        yield beside
        beside.replace(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


_WRITERS = {"parquet": _parquet, "llava": _llava, "webdataset": _webdataset}

__all__ = ["FORMATS", "Written", "write"]
