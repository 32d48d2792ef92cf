"""Rows to chats: question, image and answer as Arrow columns. `geodata.records` is the door."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import answers, coords
from geodata.answers import LEVELS, VARIANTS, question
from geodata.errors import GeodataError
from geodata.files import as_table
from geodata.images import Embedder, image_column, is_missing

TRUTH = ("country", "country_code", "admin1", "admin1_code", "admin2", "city")
"""Label columns that go along, where the rows have them."""

KINDS = ("sft", "grpo")
FORMS = ("completion", "messages")
MISSING = ("error", "drop")

BATCH_ROWS = 4096
BATCH_BYTES = 64 << 20
"""A batch ends with the picture that reaches so many bytes."""

_PART = pa.struct([("type", pa.string()), ("text", pa.string())])
_TURN = pa.struct([("role", pa.string()), ("content", pa.list_(_PART))])
TURNS = pa.list_(_TURN)
"""Type of a column of chats."""


class RecordError(GeodataError, ValueError):
    """Rows that make no record: says which, why and what to do."""


@dataclass(frozen=True)
class Options:
    """How records are made."""

    kind: str = "sft"
    """``sft`` with answers, ``grpo`` with prompts and truth columns."""
    variant: str = "cor"
    """Of `geodata.answers.question`: ``cor``, ``cot`` or ``location``."""
    form: str = "completion"
    """``completion``: columns ``prompt`` and ``completion``, so that the loss is on the answer
    alone; ``messages``: one column with all turns. For ``sft``."""
    images: str = "auto"
    """``auto``: bytes for members of a tar or zip, else the path or URL; ``bytes`` for all;
    ``reference`` for none."""
    image_root: str | None = None
    """Folder that relative paths start from, by default the lake, and the current folder for what
    is not there. Pictures whose bytes are embedded must lie in it, links followed; by default in
    the current folder or the one that the lake lies in."""
    missing: str = "error"
    """Rows without valid coordinates or image: ``error`` or ``drop``."""
    keep_metadata: bool = False
    """Embed pictures as they are. Else owner, serial numbers, comments, position, thumbnail and
    the rest of EXIF, XMP and IPTC are left out, but for the orientation and the colours."""
    check: str = "tell"
    """What `write` does with references to pictures that are not there or empty: ``tell`` how
    many there are (`Written.absent`); ``refuse`` them, or with ``missing='drop'`` leave them out;
    ``skip``: do not look at any. What is there and no picture is refused unless it is ``skip``."""
    urls: bool = False
    """Let `write` write references that are URLs, which readers will fetch."""

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        _one_of("variant", self.variant, VARIANTS)
        _one_of("form", self.form, FORMS)
        _one_of("images", self.images, ("auto", "bytes", "reference"))
        _one_of("missing", self.missing, MISSING)
        _one_of("check", self.check, ("tell", "refuse", "skip"))

    def embedder(self) -> Embedder:
        """Return what reads the pictures as these options say."""
        return Embedder(self.images, self.image_root, self.keep_metadata)


@dataclass(frozen=True)
class LakeOptions(Options):
    """How records of a table of a lake are made, where no folder of pictures was named."""

    beside: str = ""
    """The folder that the lake lies in: pictures inside it are embedded, too."""

    def embedder(self) -> Embedder:
        """Return what reads the pictures as these options say."""
        return Embedder(self.images, None, self.keep_metadata, beside=self.beside)


def sft(rows: Any, **options: Any) -> pa.Table:
    r"""Return supervised chats: image, question, answer.

    Parameters
    ----------
    rows
        Labelled photos, shape (n,): an Arrow table or anything with ``__arrow_c_stream__``, with
        ``photo_id``, ``lat``, ``lon``, ``image``, and ``country``, ``admin1``, ``city`` as
        `cor.label_table` gives them. ``image`` is text (path, URL, ``archive.tar#member``) or
        the encoded bytes.
    **options
        Of `Options`: variant, form, images, image_root, missing, keep_metadata.

    Returns
    -------
    pyarrow.Table, shape (n,)
        ``photo_id``, ``images`` (a list of one), ``prompt`` and ``completion`` (lists of turns),
        ``lat``, ``lon`` and the labels.

    Raises
    ------
    RecordError
        For missing columns, or rows without a valid coordinate or image.
    FileError
        For a picture that is embedded and is not there, lies outside ``image_root`` or is none.

    References
    ----------
    Geo-R, arXiv 2601.00388, Chain of Region.

    Examples
    --------
    >>> rows = pa.table({"photo_id": ["a"], "lat": [48.8584], "lon": [2.2945],
    ...                  "image": ["a.jpg"], "country": ["France"], "city": ["Paris"]})
    >>> record = sft(rows).to_pylist()[0]
    >>> [part["type"] for part in record["prompt"][0]["content"]]
    ['image', 'text']
    >>> record["completion"][0]["content"][0]["text"]
    'Country: France\nCity: Paris\nCoordinates: (48.858400, 2.294500)'
    """
    return _whole(as_table(rows), Options(kind="sft", **options))


def grpo(rows: Any, **options: Any) -> pa.Table:
    """Return prompts for GRPO with the truth columns that rewards are given.

    Parameters and errors are those of `sft`; there is no ``completion``.

    Examples
    --------
    >>> rows = pa.table({"photo_id": ["a"], "lat": [48.8584], "lon": [2.2945],
    ...                  "image": ["a.jpg"], "country": ["France"]})
    >>> grpo(rows).column_names
    ['photo_id', 'images', 'prompt', 'lat', 'lon', 'country']
    """
    return _whole(as_table(rows), Options(kind="grpo", **options))


def batches(
    rows: pa.Table, options: Options, embedder: Embedder | None = None
) -> Iterator[pa.Table]:
    """Yield the records of rows, each batch opened when it is asked for.

    A batch has at most 4,096 rows, and ends sooner where its pictures reach 64 MiB.

    Parameters
    ----------
    rows, options
        As in `sft`.
    embedder
        Reads the pictures and counts what was left out of them; a new one by default.

    Raises
    ------
    RecordError, FileError
        As in `sft`.

    Examples
    --------
    >>> rows = pa.table({"photo_id": ["a"], "lat": [48.9], "lon": [2.3], "image": ["a.jpg"],
    ...                  "country": ["France"], "admin1": ["Paris"], "city": ["Paris"]})
    >>> made = list(batches(rows, Options(images="reference")))
    >>> [table.num_rows for table in made], made[0].column_names
    ([1], ['photo_id', 'images', 'prompt', 'completion', 'lat', 'lon', 'country', 'admin1', 'city'])
    """
    kept = usable(rows, options)
    embedder = embedder or options.embedder()
    start = 0
    while start < kept.num_rows:
        held = _held(kept["image"].slice(start, BATCH_ROWS), embedder)
        part = kept.slice(start, len(held))
        yield _records(part.combine_chunks(), held, options)
        start += len(held)


def _held(column: pa.ChunkedArray, embedder: Embedder) -> list[dict[str, Any]]:
    """Return the first pictures of a column, up to the one that fills a batch."""
    held, size = [], 0
    for value in column:
        held.append(embedder.value(value.as_py()))
        size += len(held[-1]["bytes"] or b"")
        if size >= BATCH_BYTES:
            break
    return held


def usable(rows: pa.Table, options: Options) -> pa.Table:
    """Return the rows with a valid coordinate and an image, with only the columns of a record.

    Raises
    ------
    RecordError
        For missing columns; with ``missing='error'`` for rows that lack something.
    """
    table, bad = judged(rows, options)
    return table.filter(pa.array(~bad)) if bad.any() else table


def judged(rows: pa.Table, options: Options) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Return the columns of a record, and which rows make none, shape (n,). Errors as `usable`."""
    needed = ("photo_id", "lat", "lon", "image")
    absent = [name for name in needed if name not in rows.column_names]
    if absent:
        msg = (
            f"the rows have no column {absent[0]!r} for records; the columns are "
            f"{', '.join(rows.column_names)}"
        )
        raise RecordError(msg)
    table = rows.select([*needed, *(name for name in TRUTH if name in rows.column_names)])
    bad = ~coords.arrays(table["lat"], table["lon"]).valid
    without = is_missing(table["image"])
    if options.missing == "error" and (bad | without).any():
        first = int(np.flatnonzero(bad | without)[0])
        msg = (
            f"{int(bad.sum())} of {len(bad)} rows have no valid coordinates and "
            f"{int(without.sum())} have no image; the first is row {first}, photo_id "
            f"{table['photo_id'][first].as_py()!r}; choose missing='drop' "
            "(--missing drop) to leave them out"
        )
        raise RecordError(msg)
    return table, bad | without


def schema(rows: pa.Schema, options: Options) -> pa.Schema:
    """Return the schema of the records of rows, with the feature types of Hugging Face."""
    return _records(usable(rows.empty_table(), options), [], options).schema


def _whole(rows: pa.Table, options: Options) -> pa.Table:
    made = list(batches(rows, options))
    return pa.concat_tables(made) if made else schema(rows.schema, options).empty_table()


def _records(rows: pa.Table, held: list[dict[str, Any]], options: Options) -> pa.Table:
    n = rows.num_rows
    columns: dict[str, Any] = {
        "photo_id": rows["photo_id"],
        "images": image_column(held),
    }
    asked = _user_turns(question(options.variant), n)
    if options.kind == "grpo":
        columns["prompt"] = _alone(asked)
    else:
        columns |= _with_answer(asked, _answers(rows, options.variant), options.form)
    columns |= {name: rows[name] for name in rows.column_names if name not in ("photo_id", "image")}
    table = pa.table(columns)
    return table.replace_schema_metadata(features(table.schema))


def _answers(rows: pa.Table, variant: str) -> pa.Array:
    """Return the answers that are taught: chains, or for other variants than 'cor' coordinates."""
    named = [level if variant == "cor" else "" for level in LEVELS]
    nothing = [None] * rows.num_rows
    columns = [
        rows[name].to_pylist() if name in rows.column_names else nothing
        for name in (*named, "lat", "lon")
    ]
    taught = [answers.render(*row) for row in zip(*columns, strict=True)]
    return pa.array(taught, pa.string())


def _user_turns(text: str, n: int) -> pa.Array:
    types = pa.array(["image", "text"]).take(pa.array(np.tile([0, 1], n)))
    texts = pa.array([None, text], pa.string()).take(pa.array(np.tile([0, 1], n)))
    return _turns("user", types, texts, 2)


def _turns(role: str, types: pa.Array, texts: pa.Array, parts: int) -> pa.Array:
    """Return one turn a row, whose content has a fixed number of parts."""
    n = len(types) // parts
    offsets = pa.array(np.arange(n + 1, dtype=np.int32) * parts)
    content = pa.StructArray.from_arrays([types, texts], fields=list(_PART))
    lists = pa.ListArray.from_arrays(offsets, content, type=pa.list_(_PART))
    return pa.StructArray.from_arrays([pa.repeat(role, n), lists], fields=list(_TURN))


def _alone(turns: pa.Array) -> pa.Array:
    offsets = pa.array(np.arange(len(turns) + 1, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, turns, type=TURNS)


def _with_answer(asked: pa.Array, texts: pa.Array, form: str) -> dict[str, pa.Array]:
    n = len(texts)
    given = _turns("assistant", pa.repeat("text", n), texts, 1)
    if form == "completion":
        return {"prompt": _alone(asked), "completion": _alone(given)}
    both = pa.concat_arrays([asked, given]).take(pa.array(np.arange(2 * n).reshape(2, n).T.ravel()))
    offsets = pa.array(np.arange(n + 1, dtype=np.int32) * 2)
    return {"messages": pa.ListArray.from_arrays(offsets, both, type=TURNS)}


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        msg = f"{name}={value!r} is not known; expected {', '.join(allowed)}"
        raise RecordError(msg)


def features(kind: pa.Schema) -> dict[str, str]:
    """Return the schema metadata by which ``datasets`` knows which column holds images."""
    features = {field.name: _feature(field.type) for field in kind}
    features["images"] = {"feature": {"_type": "Image"}, "_type": "List"}
    return {"huggingface": json.dumps({"info": {"features": features}})}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": "float64" if kind == pa.float64() else str(kind), "_type": "Value"}
