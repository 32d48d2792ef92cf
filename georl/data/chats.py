"""Chats that a table brings along: its own question and answer in place of the configured ones.

`geodata.records` writes them: columns ``prompt`` and ``completion``, or ``messages`` with all
turns. The last assistant turn of ``messages`` is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from georl.config import DataConfig
from georl.data import prompts
from georl.data.sources import DataError

Turn = dict[str, Any]
"""``role``, and ``content``: text or parts, each ``{"type": "image"}`` or a text."""

_COLUMNS = ("prompt", "completion", "messages")
_ROLES = ("system", "user", "assistant")


def columns(schema: pa.Schema) -> list[str]:
    """Return the columns that hold chats, of a table that has a question; else none.

    Examples
    --------
    >>> turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    >>> columns(pa.schema([("messages", turns)])), columns(pa.schema([("prompt", pa.string())]))
    (['messages'], [])
    """
    found = [name for name in _COLUMNS if name in schema.names and _is_turns(schema, name)]
    return found if {"prompt", "messages"} & set(found) else []


def image_column(schema: pa.Schema, data: DataConfig, label: str) -> str:
    """Return the column of the images: ``data.image``; of chats ``images``, if none was named.

    Raises
    ------
    DataError
        If the table has no such column.

    Examples
    --------
    >>> image_column(pa.schema([("scan", pa.binary())]), DataConfig(image="scan"), "t.parquet")
    'scan'
    """
    is_usual = data.image == DataConfig().image
    records = is_usual and "images" in schema.names and bool(columns(schema))
    found = "images" if records else data.image
    if found not in schema.names:
        msg = (
            f"{label} has no column {found!r} for the image; set data.image to one of "
            f"{', '.join(schema.names)}"
        )
        raise DataError(msg)
    return found


def _is_turns(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_list and pa.types.is_struct(kind.value_type))


def question(row: Mapping[str, Any], name: str) -> list[Turn]:
    """Return the turns up to the answer, with one place for the image.

    Parameters
    ----------
    row
        The columns of `columns`.
    name
        Id of the row, for messages.

    Raises
    ------
    DataError
        If there is no user turn, a turn of an unknown kind, or more than one image.

    Examples
    --------
    >>> said = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}]
    >>> question({"messages": said}, "a")[0]["content"]
    [{'type': 'image'}, {'type': 'text', 'text': 'Where?'}]
    """
    given = row["prompt"] if row.get("prompt") else _split(row.get("messages") or [])[0]
    turns = [_turn(turn, name) for turn in given]
    users = [turn for turn in turns if turn["role"] == "user"]
    if not users:
        raise DataError(_bad(name, "ask nothing: there is no user turn before the answer"))
    marks = sum(part["type"] == "image" for turn in turns for part in turn["content"])
    if marks > 1:
        raise DataError(_bad(name, f"show {marks} images, where one is read"))
    if not marks:
        users[0]["content"] = [{"type": "image"}, *users[0]["content"]]
    return turns


def answer(row: Mapping[str, Any], name: str) -> list[Turn]:
    """Return the turns that are taught.

    Raises
    ------
    DataError
        If there are none.

    Examples
    --------
    >>> said = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}]
    >>> answer({"messages": said}, "a")[0]["content"]
    [{'type': 'text', 'text': 'Here.'}]
    """
    given = row.get("completion") or _split(row.get("messages") or [])[1]
    if not given:
        raise DataError(_bad(name, "end without an assistant turn, so there is no answer to teach"))
    return [_turn(turn, name) for turn in given]


def text(turns: Sequence[Turn]) -> str:
    """Return the text of turns, a line a part."""
    contents = [turn["content"] for turn in turns]
    parts = [[{"type": "text", "text": c}] if isinstance(c, str) else c for c in contents]
    return "\n".join(part["text"] for c in parts for part in c if part["type"] == "text")


def with_image(chat: str | Sequence[Turn], image: Mapping[str, Any]) -> list[Turn]:
    """Return a chat with an image part put in its place.

    Parameters
    ----------
    chat
        Of `georl.data.Reader.prompt`, or the text of one user turn; where it has no place for
        the image, it comes first in the first user turn.

    Examples
    --------
    >>> with_image("Where?", {"type": "image", "image": 7})[0]["content"]
    [{'type': 'image', 'image': 7}, {'type': 'text', 'text': 'Where?'}]
    """
    given = [{"role": "user", "content": chat}] if isinstance(chat, str) else chat
    turns = question({"prompt": given}, "of this run")
    for turn in turns:
        turn["content"] = [dict(image) if p["type"] == "image" else p for p in turn["content"]]
    return turns


def check_answers(columns: Sequence[str], label: str) -> None:
    """Refuse records without answers for SFT.

    Raises
    ------
    DataError
        If there is neither ``completion`` nor ``messages``.
    """
    if not {"completion", "messages"} & set(columns):
        msg = (
            f"{label} holds prompts without answers, as GRPO reads them; for SFT write records "
            "with geodata records sft"
        )
        raise DataError(msg)


def check_question(first: Sequence[Turn], data: DataConfig, label: str) -> None:
    """Refuse a configured question that the chats of a table leave unused.

    Parameters
    ----------
    first
        `question` of the first row.

    Raises
    ------
    DataError
        If ``data.question``, or ``data.prompt`` other than its default, asks something else.
    """
    usual = DataConfig()
    if data.question is None and data.prompt == usual.prompt:
        return
    name = "prompt" if data.question is None else "question"
    asked = text(first)
    if prompts.question(data).strip() != asked.strip():
        msg = (
            f"{label} holds chats, which ask {asked[:60]!r}, so data.{name}="
            f"{getattr(data, name)!r} would go unused; set data.{name}="
            f"{getattr(usual, name) or 'null'} to ask what the chats ask, or give data.table the "
            "photos instead of their records"
        )
        raise DataError(msg)


def _split(messages: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the turns before the answer, and the answer."""
    given = list(messages)
    if given and given[-1] and given[-1].get("role") == "assistant":
        return given[:-1], given[-1:]
    return given, []


def _turn(turn: Any, name: str) -> Turn:
    content = (turn or {}).get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if turn is None or turn.get("role") not in _ROLES or not isinstance(parts, list):
        raise DataError(_bad(name, f"have a turn {turn!r:.80}; expected role and content"))
    return {"role": turn["role"], "content": [_part(part, name) for part in parts]}


def _part(part: Any, name: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "image":
        return {"type": "image"}
    if kind == "text" and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    raise DataError(_bad(name, f"have a part {part!r:.80}; expected an image or a text"))


def _bad(name: str, what: str) -> str:
    return f"the messages of row {name!r} {what}; repair or drop the row"
