"""Ask a vision-language model behind an OpenAI-compatible server: one chat in, one reply out.

Overload, broken connections and replies that make no sense are tried again with growing pauses;
a refusal of the request itself (no key, no such model) is not. The key comes from an environment
variable and is never part of a configuration.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import math
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from geodata.errors import GeodataError
from georl.config import ConfigError

REFUSALS = (400, 401, 403, 404)
"""Status codes that another try does not change."""

LONGEST_PAUSE_S = 30.0


class EndpointError(GeodataError, ValueError):
    """A server that gave no usable reply in all tries."""


class EndpointRefusalError(ConfigError):
    """A server that refuses the request itself."""


class Pace:
    """Hand out start times at most ``per_second`` a second, across threads."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1.0 / per_second if per_second > 0 else 0.0
        self._next, self._lock = 0.0, threading.Lock()

    def wait(self) -> None:
        """Sleep until it is this caller's turn."""
        with self._lock:
            at = max(self._next, time.monotonic())
            self._next = at + self._gap
        time.sleep(max(0.0, at - time.monotonic()))


@dataclass(frozen=True)
class Reply:
    """What a server answered.

    Attributes
    ----------
    text : str
    first : dict of text to float
        Probability of the likeliest first tokens, as far as they were asked for and given.
    model : str
        The name that the server gives the model; "" if it gives none.
    """

    text: str
    first: dict[str, float] = field(default_factory=dict)
    model: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A model behind a server.

    Attributes
    ----------
    url : str
        Base URL, such as http://localhost:8000/v1.
    model : str
        The name that the server knows.
    key_variable : str
        Environment variable with the key; unset sends none.
    retries : int
        Tries after the first.
    timeout_s : float
        Of one request, s.
    pause_s : float
        Before the second try, s; doubled for each further one.
    """

    url: str
    model: str
    key_variable: str = "OPENAI_API_KEY"
    retries: int = 4
    timeout_s: float = 120.0
    pause_s: float = 0.5

    def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_logprobs: int = 0,
        pace: Pace | None = None,
    ) -> Reply:
        """Return the reply to a chat.

        Parameters
        ----------
        messages
            Turns in OpenAI's form; an image is a part as `picture` makes it.
        top_logprobs
            Ask for the probabilities of so many first tokens; a reply without them is an error.
        pace
            Waited for before each try.

        Raises
        ------
        EndpointRefusalError
            For status 400, 401, 403 and 404.
        EndpointError
            Where all tries failed; says what the last one met.
        """
        body: dict[str, Any] = {
            "model": self.model, "max_tokens": max_tokens, "temperature": temperature,
            "messages": list(messages),
        }  # fmt: skip
        if top_logprobs:
            body |= {"logprobs": True, "top_logprobs": top_logprobs}
        problem = ""
        for attempt in range(self.retries + 1):
            if pace is not None:
                pace.wait()
            try:
                return _read(self._post(body), with_first=bool(top_logprobs))
            except urllib.error.HTTPError as error:
                problem = f"HTTP {error.code}: {error.read(500).decode(errors='replace')}"
                if error.code in REFUSALS:
                    raise EndpointRefusalError(problem) from error
            except (
                OSError,
                ValueError,
                LookupError,
                TypeError,
                http.client.HTTPException,
            ) as error:
                problem = f"{type(error).__name__}: {error}"
            if attempt < self.retries:
                time.sleep(min(self.pause_s * 2.0**attempt, LONGEST_PAUSE_S))
        msg = f"{self.url} ({self.model}) failed {self.retries + 1} times: {problem:.300}"
        raise EndpointError(msg)

    def _post(self, body: Mapping[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(self.key_variable):
            headers["Authorization"] = f"Bearer {key}"
        url = f"{self.url.rstrip('/')}/chat/completions"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=self.timeout_s) as response:
            return json.load(response)


def picture(image: Image.Image | bytes) -> dict[str, Any]:
    """Return the part of a chat that shows an image: as JPEG, or the bytes of a file as they are.

    Examples
    --------
    >>> picture(Image.new("RGB", (2, 2)))["image_url"]["url"][:23]
    'data:image/jpeg;base64,'
    """
    if isinstance(image, bytes):
        data, kind = image, Image.open(io.BytesIO(image)).get_format_mimetype()
    else:
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "JPEG", quality=92)
        data, kind = buffer.getvalue(), "image/jpeg"
    url = f"data:{kind};base64," + base64.b64encode(data).decode()
    return {"type": "image_url", "image_url": {"url": url}}


def _read(reply: Any, *, with_first: bool) -> Reply:
    """Return a reply's text, and the probabilities of its first token.

    Raises
    ------
    LookupError, TypeError, ValueError
        For a reply of another form.
    """
    choice = reply["choices"][0]
    text = choice["message"]["content"]
    first: dict[str, float] = {}
    if with_first:
        for token in choice["logprobs"]["content"][0]["top_logprobs"]:
            chance = math.exp(min(0.0, float(token["logprob"])))
            first[token["token"]] = first.get(token["token"], 0.0) + chance
        if not first:
            msg = "the reply has no probabilities of its first token"
            raise ValueError(msg)
    model = reply.get("model")
    return Reply(text if isinstance(text, str) else "", first, model if model else "")
