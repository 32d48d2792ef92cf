r"""LLaVA-style records, which the released Geo-R code reads, as rows.

One object a record: ``{"id": ..., "image": path, "conversations": [{"from": "human", "value":
"<image>\n..."}, {"from": "gpt", "value": ...}]}``, as JSON lines or one JSON array.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata import files
from geodata.images import rooted
from geodata.records import chats
from geodata.records.chats import RecordError

_IMAGE = "<image>"
_ROLES = {"human": "user", "gpt": "assistant", "system": "system"}
_IMAGES = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))


def read_llava(path: str | os.PathLike[str], *, image_root: str | None = None) -> pa.Table:
    r"""Read LLaVA-style records, JSON lines or one JSON array.

    Parameters
    ----------
    path
        The file.
    image_root
        Folder that relative image paths start from.

    Returns
    -------
    pyarrow.Table, shape (n,)
        ``photo_id`` text (NULL where a record has none), ``images`` and ``messages`` as
        `records.sft` makes them with ``form="messages"``.

    Raises
    ------
    RecordError
        For a record that is not of this form; names its number.
    FileError
        If the file cannot be read as JSON.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.jsonl"
    >>> turns = [{"from": "human", "value": "<image>\nWhere?"}, {"from": "gpt", "value": "Here."}]
    >>> _ = file.write_text(json.dumps({"id": 7, "image": "a.jpg", "conversations": turns}))
    >>> read_llava(file)["messages"].to_pylist()[0][0]["content"]
    [{'type': 'image', 'text': None}, {'type': 'text', 'text': 'Where?'}]
    >>> file.unlink(); file.parent.rmdir()
    """
    made = list(read_llava_batches(path, image_root=image_root))
    table = pa.concat_tables(made or [_table([], "", None)])
    kept = table.select(["photo_id", "images", "messages"])
    return kept.replace_schema_metadata(chats.features(kept.schema))


def read_llava_batches(
    path: str | os.PathLike[str], *, image_root: str | None = None, batch_rows: int = 4096
) -> Iterator[pa.Table]:
    """Yield LLaVA-style records as `read_llava` does, with the truth that stands beside them.

    Parameters
    ----------
    path, image_root
        As for `read_llava`.
    batch_rows
        Most records a table.

    Yields
    ------
    pyarrow.Table, shape (n,)
        ``photo_id``, ``images``, ``messages``, ``lat``, ``lon`` (float64, degrees, as they are)
        and the labels of `records.TRUTH`, NULL where a record has none.

    Raises
    ------
    RecordError, FileError
        As for `read_llava`.
    """
    numbered = enumerate(_entries(Path(path)), 1)
    while entries := list(itertools.islice(numbered, batch_rows)):
        yield _table(entries, str(path), image_root)


def _table(entries: list[tuple[int, dict[str, Any]]], path: str, root: str | None) -> pa.Table:
    ids, images, messages = [], [], []
    for number, entry in entries:
        where = f"{path}: record {number}"
        pictures = _pictures(entry, where, root)
        turns = [_turn(turn, where) for turn in _conversations(entry, where)]
        shown = sum(part["type"] == "image" for turn in turns for part in turn["content"])
        if shown != len(pictures):
            msg = f"{where}: {shown} times {_IMAGE} in the text, {len(pictures)} images"
            raise RecordError(msg)
        ids.append(None if entry.get("id") is None else str(entry["id"]))
        images.append(pictures)
        messages.append(turns)
    columns = {
        "photo_id": pa.array(ids, pa.string()),
        "images": pa.array(images, _IMAGES),
        "messages": pa.array(messages, chats.TURNS),
    }
    for name in ("lat", "lon"):
        values = [_number(entry.get(name)) for _, entry in entries]
        columns[name] = pa.array(values, pa.float64())
    for name in chats.TRUTH:
        labels = [v if isinstance(v := entry.get(name), str) else None for _, entry in entries]
        columns[name] = pa.array(labels, pa.string())
    return pa.table(columns)


def _number(value: Any) -> float | None:
    """Return a JSON number; a whole one may be too large for a float."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
    return float(value) if whole or isinstance(value, float) else None


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix.lower() == ".json":
        try:
            found = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            msg = f"{path}: cannot be read as JSON: {error}"
            raise files.FileError(msg) from error
        if not isinstance(found, list) or not all(isinstance(e, dict) for e in found):
            msg = f"{path}: expected an array of objects"
            raise files.FileError(msg)
        yield from found
        return
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _object(line, f"{path}: line {number}")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise files.FileError(msg) from error


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        msg = f"{where} is not JSON: {error}"
        raise files.FileError(msg) from error
    if not isinstance(entry, dict):
        msg = f"{where} is {type(entry).__name__}, expected an object"
        raise files.FileError(msg)
    return entry


def _pictures(entry: dict[str, Any], where: str, root: str | None) -> list[dict[str, Any]]:
    found = entry.get("image", [])
    names = [found] if isinstance(found, str) else found
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        msg = f"{where}: 'image' is {found!r:.80}; expected a path or a list of paths"
        raise RecordError(msg)
    return [{"bytes": None, "path": rooted(name, root)} for name in names]


def _conversations(entry: dict[str, Any], where: str) -> list[Any]:
    turns = entry.get("conversations")
    if not isinstance(turns, list) or not turns:
        msg = f"{where}: has no 'conversations'; it has {', '.join(map(str, entry)) or 'nothing'}"
        raise RecordError(msg)
    return turns


def _turn(turn: Any, where: str) -> dict[str, Any]:
    known = isinstance(turn, dict) and turn.get("from") in _ROLES
    if not known or not isinstance(turn.get("value"), str):
        msg = (
            f"{where}: a turn is {turn!r:.80}; expected 'from' ({', '.join(_ROLES)}) and 'value', "
            "a text"
        )
        raise RecordError(msg)
    return {"role": _ROLES[turn["from"]], "content": list(_parts(turn["value"]))}


def _parts(text: str) -> Iterator[dict[str, Any]]:
    """Split a text at its image marks; the line breaks around a mark are not part of the text."""
    for i, piece in enumerate(text.split(_IMAGE)):
        if i:
            yield {"type": "image", "text": None}
        shown = piece.strip("\n") if _IMAGE in text else piece
        if shown:
            yield {"type": "text", "text": shown}
