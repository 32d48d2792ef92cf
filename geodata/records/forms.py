"""The forms that records are written in: how a shard is called and what it holds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geodata.images import Embedder, kind_of
from geodata.records import chats, trainers
from geodata.records.chats import Options, RecordError
from geodata.records.shuffled import Shuffled

STRIPPED = "geodata.left_out_of_pictures"
"""Key of the Parquet metadata that says what was left out of the pictures of a file."""

_PICTURES = "images"
_ROW_GROUP = 256


@dataclass
class Job:
    """Records on their way into files."""

    rows: Shuffled
    options: Options
    part: str
    """The split they are of."""
    embedder: Embedder
    progress: Callable[[int, int | None], None] | None = None
    done: int = 0

    def batches(self, start: int, stop: int, **changes: Any) -> Iterator[pa.Table]:
        """Yield records of the shuffled rows, with options changed for a form."""
        options = replace(self.options, **changes)
        embedder = options.embedder()
        embedder.stripped = self.embedder.stripped
        for part in self.rows.slices(start, stop):
            for made in chats.batches(part, options, embedder):
                yield made
                self.done += made.num_rows
                if self.progress is not None:
                    self.progress(self.done, len(self.rows))

    def records(self, start: int, stop: int, **changes: Any) -> Iterator[dict[str, Any]]:
        """Yield records one by one."""
        for made in self.batches(start, stop, **changes):
            for i in range(made.num_rows):
                yield made.slice(i, 1).to_pylist()[0]


@dataclass(frozen=True)
class Form:
    """A form of records on disk."""

    ending: str
    folder: str
    """Where in the target the files are."""
    write: Callable[[Job, Path, int, int, Path | None], None]
    """Writes rows from one number to another into a file; the last is the target's folder, None
    where the target is the file."""
    extra: Callable[[str, str], Mapping[str, str]] = lambda name, part: {}
    """Other files, by name, with their text."""

    def name(self, part: str, number: int, count: int) -> str:
        """Return the name of a shard."""
        if self.ending == "tar":
            return f"{number:06d}.tar"
        return f"{part}-{number:05d}-of-{count:05d}.{self.ending}"


def format_of(out: Path, given: str | None) -> str:
    """Return the form of a target by what was asked for, else by its ending.

    Raises
    ------
    RecordError
        For a form that is not known.
    """
    by_ending = {".parquet": "parquet", ".jsonl": "llava", "": "parquet"}
    kind = given or by_ending.get(out.suffix.lower())
    if kind not in FORMATS:
        msg = f"{out}: format {given or out.suffix!r} is not known; expected {', '.join(FORMATS)}"
        raise RecordError(msg)
    return str(kind)


def _parquet(job: Job, path: Path, start: int, stop: int, _: Path | None) -> None:
    before = dict(job.embedder.stripped)
    schema = chats.schema(job.rows.schema, job.options)
    _tables(job, path, schema, job.batches(start, stop), before)


def _shaped(shape: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Return a writer of Parquet whose rows have another shape; pictures are always embedded."""

    def write(job: Job, path: Path, start: int, stop: int, _: Path | None) -> None:
        before = dict(job.embedder.stripped)  # the first row is read for its types
        numbered = enumerate(job.records(start, stop, images="bytes"), start)
        made = (shape(record, job.options, job.part, i) for i, record in numbered)
        first = list(itertools.islice(made, 1))
        schema = _schema_of(first)
        rows = itertools.chain(first, made)
        _tables(job, path, schema, _grouped(rows, schema), before)

    return write


def _grouped(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.Table]:
    held, size = list[dict[str, Any]](), 0
    for row in rows:
        held.append(row)
        size += sum(len(image["bytes"] or b"") for image in row["images"])
        if size >= chats.BATCH_BYTES or len(held) == _ROW_GROUP:
            yield pa.Table.from_pylist(held, schema)
            held, size = [], 0
    if held:
        yield pa.Table.from_pylist(held, schema)


def _schema_of(rows: list[dict[str, Any]]) -> pa.Schema:
    """Return the types of rows; a label that the first lacks is text all the same."""
    found = pa.Table.from_pylist(rows).schema
    picture = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    fields = [pa.field(f.name, picture if f.name == "images" else _text_for_null(f.type))
              for f in found]  # fmt: skip
    schema = pa.schema(fields)
    return schema.with_metadata(chats.features(schema))


def _text_for_null(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([(f.name, _text_for_null(f.type)) for f in kind])
    return pa.list_(_text_for_null(kind.value_type)) if pa.types.is_list(kind) else kind


def _tables(
    job: Job, path: Path, schema: pa.Schema, made: Iterator[pa.Table], before: Mapping[str, int]
) -> None:
    """Write tables, and what was left out of their pictures, counted since ``before``."""
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
        for table in made:
            writer.write_table(table)
        own = {k: n - before.get(k, 0) for k, n in sorted(job.embedder.stripped.items())}
        told = {k: n for k, n in own.items() if n}
        if told:
            writer.add_key_value_metadata({STRIPPED: json.dumps(told)})


def _lines(shape: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Return a writer of JSON lines; pictures that are no plain files are put beside them."""

    def write(job: Job, path: Path, start: int, stop: int, folder: Path | None) -> None:
        images = "reference" if folder is None else job.options.images
        form = "messages" if job.options.kind == "sft" else job.options.form
        with path.open("w", encoding="utf-8") as sink:
            records = job.records(start, stop, images=images, form=form)
            for number, record in enumerate(records, start):
                paths = [_path(image, folder, number, record) for image in record["images"]]
                row = shape(record, paths, job.options)
                sink.write(json.dumps(row, ensure_ascii=False) + "\n")

    return write


def _path(
    image: Mapping[str, Any], folder: Path | None, number: int, record: Mapping[str, Any]
) -> str:
    if image["bytes"] is None:
        return str(image["path"])
    if folder is None:
        msg = (
            f"the image of {record['photo_id']!r} is bytes, and LLaVA-style records hold paths; "
            "name a folder, which holds the pictures too, or write Parquet or WebDataset shards"
        )
        raise RecordError(msg)
    (folder / _PICTURES).mkdir(exist_ok=True)
    name = f"{_PICTURES}/{number:09d}.{kind_of(image['bytes']) or 'bin'}"
    (folder / name).write_bytes(image["bytes"])
    return name


def _webdataset(job: Job, path: Path, start: int, stop: int, _: Path | None) -> None:
    """Write a tar shard: per record ``KEY.jpg`` (or png, ...) and ``KEY.json`` with the rest."""
    with _shard_writer()(str(path)) as writer:
        for number, record in enumerate(job.records(start, stop, images="bytes"), start):
            picture = record.pop("images")[0]["bytes"]
            text = json.dumps(record, ensure_ascii=False).encode()
            ending = kind_of(picture) or "bin"
            writer.write({"__key__": f"{number:09d}", ending: picture, "json": text})


def _shard_writer() -> Callable[[str], Any]:
    try:
        import webdataset
    except ImportError as error:
        msg = "WebDataset shards need the webdataset package: pip install '.[report]' in the clone"
        raise RecordError(msg) from error
    # a fixed time makes the same records the same bytes
    return lambda path: webdataset.TarWriter(path, encoder=False, mtime=0)


def _llama_factory_info(name: str, part: str) -> dict[str, str]:
    return {trainers.INFO: trainers.info(f"{name}_{part}" if part != "train" else name, "data")}


FORMATS: Mapping[str, Form] = {
    "parquet": Form("parquet", "data", _parquet),
    "llava": Form("jsonl", "data", _lines(trainers.llava)),
    "webdataset": Form("tar", ".", _webdataset),
    "verl": Form("parquet", "data", _shaped(trainers.verl)),
    "easyr1": Form("parquet", "data", _shaped(trainers.easyr1)),
    "ms-swift": Form("jsonl", "data", _lines(trainers.swift)),
    "llama-factory": Form("jsonl", "data", _lines(trainers.llama_factory), _llama_factory_info),
}
"""The forms by name."""
