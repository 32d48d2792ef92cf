"""The same records in the shapes that trainers read: verl, EasyR1, ms-swift, LLaMA-Factory.

Each shape is a function from a record of `geodata.records.chats`, with its turns in ``prompt`` and
``completion`` or ``messages``, to a row. In all of them a picture stands in the text as
``<image>``, on a line before the question.

verl: https://verl.readthedocs.io/en/latest/preparation/prepare_data.html;
EasyR1: https://github.com/hiyouga/EasyR1, columns problem, answer, images;
ms-swift: https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html;
LLaMA-Factory: https://llamafactory.readthedocs.io/en/latest/getting_started/data_preparation.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from geodata import answers
from geodata.answers import LEVELS
from geodata.records import chats
from geodata.records.chats import Options

IMAGE = "<image>"
INFO = "dataset_info.json"
SOURCE = "geodata-georl"
"""``data_source`` of verl, by which it chooses a reward."""

_ROLES = {"user": "human", "assistant": "gpt", "system": "system"}


def truth_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return coordinates and labels of a record, those that it has."""
    return {name: record[name] for name in ("lat", "lon", *chats.TRUTH) if name in record}


def turns_of(record: Mapping[str, Any]) -> list[dict[str, str]]:
    r"""Return the turns as role and text.

    Examples
    --------
    >>> said = [{"type": "image", "text": None}, {"type": "text", "text": "Where?"}]
    >>> turns_of({"prompt": [{"role": "user", "content": said}]})
    [{'role': 'user', 'content': '<image>\nWhere?'}]
    """
    turns = record.get("messages") or [*record["prompt"], *(record.get("completion") or [])]
    return [{"role": turn["role"], "content": _said(turn)} for turn in turns]


def _said(turn: Mapping[str, Any]) -> str:
    parts = turn["content"]
    return "\n".join(IMAGE if part["type"] == "image" else part["text"] for part in parts)


def answer_of(record: Mapping[str, Any], options: Options) -> str:
    """Return the answer that is hoped for: the one taught, or the chain of the truth."""
    given = [turn for turn in turns_of(record) if turn["role"] == "assistant"]
    if given:
        return given[-1]["content"]
    named = [record.get(level) if options.variant == "cor" else None for level in LEVELS]
    values: list[Any] = [*named, record["lat"], record["lon"]]
    return answers.render(*values)


def verl(record: Mapping[str, Any], options: Options, split: str, index: int) -> dict[str, Any]:
    """Return a row of verl: prompt, images, reward_model with the ground truth, extra_info."""
    return {
        "data_source": SOURCE,
        "prompt": [t for t in turns_of(record) if t["role"] != "assistant"],
        "images": record["images"],
        "ability": "geolocation",
        "reward_model": {"style": "rule", "ground_truth": answer_of(record, options)},
        "extra_info": {
            "split": split, "index": index, "photo_id": record["photo_id"], **truth_of(record),
        },
    }  # fmt: skip


def easyr1(record: Mapping[str, Any], options: Options, split: str, index: int) -> dict[str, Any]:
    """Return a row of EasyR1: problem, answer, images, and the truth beside them."""
    asked = [turn["content"] for turn in turns_of(record) if turn["role"] == "user"]
    return {
        "problem": asked[-1],
        "answer": answer_of(record, options),
        "images": record["images"],
        "photo_id": record["photo_id"],
        **truth_of(record),
    }


def swift(record: Mapping[str, Any], paths: list[str], options: Options) -> dict[str, Any]:
    """Return a line of ms-swift: messages and images; for GRPO the truth and a solution."""
    row: dict[str, Any] = {"messages": turns_of(record), "images": paths}
    if options.kind == "grpo":
        row["solution"] = answer_of(record, options)
    return row | {"photo_id": record["photo_id"], **truth_of(record)}


def llama_factory(record: Mapping[str, Any], paths: list[str], options: Options) -> dict[str, Any]:
    """Return a line of LLaMA-Factory in its sharegpt form, as `info` declares it."""
    return {"messages": turns_of(record), "images": paths, "photo_id": record["photo_id"],
            **truth_of(record)}  # fmt: skip


def llava(record: Mapping[str, Any], paths: list[str], options: Options) -> dict[str, Any]:
    """Return a line of LLaVA: id, image, conversations, and the truth beside them."""
    turns = [{"from": _ROLES[t["role"]], "value": t["content"]} for t in turns_of(record)]
    return {"id": record["photo_id"], "image": paths[0], "conversations": turns, **truth_of(record)}


def info(name: str, folder: str) -> str:
    """Return ``dataset_info.json`` of LLaMA-Factory for a folder of lines."""
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user",
            "assistant_tag": "assistant", "system_tag": "system"}  # fmt: skip
    entry = {"file_name": folder, "formatting": "sharegpt",
             "columns": {"messages": "messages", "images": "images"}, "tags": tags}  # fmt: skip
    return json.dumps({name: entry}, indent=2) + "\n"
