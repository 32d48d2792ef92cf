"""Read a chat completion request strictly: what cannot be done is refused, not left out."""

from __future__ import annotations

import base64
import binascii
import io
import json
from dataclasses import dataclass
from typing import Any

from PIL import Image

from geodata.errors import GeodataError

MAX_BODY_BYTES = 32 << 20
MAX_TOKENS = 4096
MAX_TOP = 20
ROLES = ("system", "user", "assistant")

_IGNORED = ("model", "user", "n", "stream", "top_p", "metadata")
_READ = ("messages", "max_tokens", "max_completion_tokens", "temperature", "seed", "logprobs",
         "top_logprobs")  # fmt: skip


class RequestError(GeodataError, ValueError):
    """A request that cannot be answered; the client gets the status and the message."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Asked:
    """What a request asks for.

    Attributes
    ----------
    chat : list of dict
        Turns as processors take them; an image is its place, ``{"type": "image", "image": ...}``.
    top : int or None
        Likeliest tokens to tell of each place; None tells no log-probabilities.
    """

    chat: list[dict[str, Any]]
    max_tokens: int
    temperature: float
    seed: int | None
    top: int | None


def body_of(content: bytes) -> dict[str, Any]:
    """Return the object of a request's bytes.

    Raises
    ------
    RequestError
        If they are none.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        msg = "the body is no JSON object"
        raise RequestError(msg)
    return found


def asked(body: dict[str, Any]) -> Asked:
    """Return what a request asks for.

    Raises
    ------
    RequestError
        For a field of another form or out of its range, and for one that is not served.

    Examples
    --------
    >>> asked({"model": "m", "messages": [{"role": "user", "content": "Where?"}]}).max_tokens
    256
    >>> asked({"messages": []})
    Traceback (most recent call last):
        ...
    georl.serve.requests.RequestError: messages is empty; give one turn or more
    """
    for name, value in body.items():
        if name not in (*_READ, *_IGNORED):
            msg = f"{name!r} is not served here; leave it out (served: {', '.join(_READ)})"
            raise RequestError(msg)
        usual = {"n": 1, "stream": False, "top_p": 1}
        if name in usual and value not in (None, usual[name]):
            msg = f"{name} is {value!r}; only {usual[name]!r} is served here"
            raise RequestError(msg)
    wants = body.get("logprobs") or False
    if not isinstance(wants, bool):
        msg = f"logprobs is {wants!r}; give true or false"
        raise RequestError(msg)
    top = _whole(body, "top_logprobs", 0, 0, MAX_TOP)
    if top and not wants:
        msg = "top_logprobs needs logprobs=true"
        raise RequestError(msg)
    longest = "max_tokens" if body.get("max_tokens") is not None else "max_completion_tokens"
    seed = None if body.get("seed") is None else _whole(body, "seed", 0, 0, (1 << 63) - 1)
    return Asked(
        _chat(body.get("messages")), _whole(body, longest, 256, 1, MAX_TOKENS),
        _temperature(body.get("temperature")), seed, top if wants else None,
    )  # fmt: skip


def _whole(body: dict[str, Any], name: str, usual: int, least: int, most: int) -> int:
    value = body.get(name)
    if value is None:
        return usual
    if type(value) is not int or not least <= value <= most:
        msg = f"{name} is {value!r:.80}; give a whole number from {least} to {most}"
        raise RequestError(msg)
    return value


def _temperature(value: Any) -> float:
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        msg = f"temperature is {value!r:.80}; give a number from 0 to 2"
        raise RequestError(msg)
    return float(value)


def _chat(turns: Any) -> list[dict[str, Any]]:
    if not isinstance(turns, list) or not turns:
        msg = "messages is empty; give one turn or more"
        raise RequestError(msg)
    return [_turn(turn, number) for number, turn in enumerate(turns)]


def _turn(turn: Any, number: int) -> dict[str, Any]:
    where = f"messages[{number}]"
    if not isinstance(turn, dict) or turn.get("role") not in ROLES:
        msg = f"{where}.role must be one of {', '.join(ROLES)}"
        raise RequestError(msg)
    content = turn.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list) or not content:
        msg = f"{where}.content must be text or a list of parts"
        raise RequestError(msg)
    return {"role": turn["role"], "content": [_part(part, where) for part in content]}


def _part(part: Any, where: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text" and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if kind == "image_url":
        held = part.get("image_url")
        return {"type": "image", "image": _image(held, where)}
    msg = f"{where}.content holds a part that is neither text nor image_url"
    raise RequestError(msg)


def _image(held: Any, where: str) -> Image.Image:
    url = held.get("url") if isinstance(held, dict) else None
    if not isinstance(url, str) or not url.startswith("data:image/") or ";base64," not in url[:64]:
        msg = f"{where}: an image is a data URL, data:image/jpeg;base64,...; nothing is downloaded"
        raise RequestError(msg)
    try:
        content = base64.b64decode(url.partition(",")[2], validate=True)
        with Image.open(io.BytesIO(content)) as opened:
            return opened.convert("RGB")
    except (
        binascii.Error,
        ValueError,
        OSError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:
        msg = f"{where}: the image cannot be read: {error}"
        raise RequestError(msg, 422) from error
