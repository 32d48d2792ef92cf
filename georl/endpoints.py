"""Ask a vision-language model behind an OpenAI-compatible server: one chat in, one reply out.

Overload, broken connections and replies that make no sense are tried again with growing pauses, or
after as long as the server asks for; a refusal of the request itself (no key, no such model) stops
all that would ask after it. The key comes from an environment variable, never from a configuration.
"""

from __future__ import annotations

import base64
import io
import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from PIL import Image

from geodata.errors import GeodataError
from geodata.images import one_large, upright_rgb
from georl.config import ConfigError
from georl.http import BadReply, Refused, post_json

T = TypeVar("T")

LONGEST_PAUSE_S = 30.0
"""Between two tries, where the server asks for none itself."""

MAX_WAIT_S = 300.0
"""A server that asks for a longer pause fails the request instead."""

_AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)
"""Statuses of a moment; others would be the same the next time."""

_NEVER = (401, 403, 404)
"""Statuses that hold for every request: no key, no such model."""

_OF_THE_PHOTO = (413, 415, 422)
"""Statuses that say something of one photo only."""


class EndpointError(GeodataError, ValueError):
    """A request without a usable reply in all its tries.

    Attributes
    ----------
    tries : int
        How often it was sent.
    problem : str
        What the last try met.
    """

    def __init__(self, message: str, tries: int = 0, problem: str = "") -> None:
        super().__init__(message)
        self.tries, self.problem = tries, problem or message


class EndpointRefusalError(ConfigError):
    """A server that refuses the request itself; nothing more is sent to it."""


class Pace:
    """Hand out start times at most ``per_second`` a second, across threads."""

    def __init__(self, per_second: float = 0.0) -> None:
        self._gap = 1.0 / per_second if per_second > 0 else 0.0
        self._next, self._lock = -math.inf, threading.Lock()

    def wait(self) -> None:
        """Sleep until it is this caller's turn."""
        with self._lock:
            at = max(self._next, time.monotonic())
            self._next = at + self._gap
        time.sleep(max(0.0, at - time.monotonic()))

    def pause(self, seconds: float) -> None:
        """Let nobody start before so many seconds have passed."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


@dataclass(frozen=True)
class Reply:
    """What a server answered.

    Attributes
    ----------
    text : str
        "" where the server has nothing to say.
    first : dict of text to float
        Probability of the likeliest first tokens, as far as they were asked for and given.
    model : str
        The name that the server gives the model; "" if it gives none.
    tokens : tuple of int
        Of the request and of the answer as the server counts them; 0 where it does not.
    """

    text: str
    first: dict[str, float] = field(default_factory=dict)
    model: str = ""
    tokens: tuple[int, int] = (0, 0)


class _State:
    """What is known of a server after its first replies; shared by all threads that ask it."""

    def __init__(self) -> None:
        self.pace = Pace()
        self.answered = False
        self.refusal: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """A model behind a server.

    Attributes
    ----------
    url : str
        Base URL, such as http://localhost:8000/v1.
    model : str
        The name that the server knows.
    key_variable : str or None
        Environment variable with the key; None or unset sends none.
    retries : int
        Tries after the first.
    timeout_s : float
        From the first byte sent to the last received, of one request, s.
    pause_s : float
        Before the second try, s; doubled for each further one.
    """

    url: str
    model: str
    key_variable: str | None = "OPENAI_API_KEY"
    retries: int = 4
    timeout_s: float = 120.0
    pause_s: float = 0.5
    _state: _State = field(default_factory=_State, init=False, repr=False, compare=False)

    def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_logprobs: int = 0,
        seed: int | None = None,
        pace: Pace | None = None,
    ) -> Reply:
        """Return the reply to a chat.

        Parameters
        ----------
        messages
            Turns in OpenAI's form; an image is a part as `picture` makes it.
        top_logprobs
            Ask for the probabilities of so many first tokens; a reply without them is an error.
        seed
            Of the draws, where the server can; None says nothing.
        pace
            Waited for before each try.

        Raises
        ------
        EndpointRefusalError
            Where the server refuses every request: no key, no such model (401, 403, 404); and
            for a redirect or another refusal before it has given any reply.
        EndpointError
            Where all tries failed; says what the last one met.
        """
        body: dict[str, Any] = {"model": self.model, "messages": list(messages)}
        body |= {"max_tokens": max_tokens, "temperature": temperature}
        if top_logprobs:
            body |= {"logprobs": True, "top_logprobs": top_logprobs}
        if seed is not None:
            body["seed"] = seed
        return self.ask("chat/completions", body, lambda r: _reply(r, bool(top_logprobs)), pace)

    def ask(
        self, path: str, body: Mapping[str, Any], read: Callable[[Any], T], pace: Pace | None = None
    ) -> T:
        """Post a body below the base URL and return what ``read`` makes of the reply.

        ``read`` raises `georl.http.BadReply` for a reply of another form, which is tried again.
        Errors are those of `chat`.
        """
        url = f"{self.url.rstrip('/')}/{path}".rstrip("/")
        state, problem, tries = self._state, "", 0
        for attempt in range(self.retries + 1):
            for one in (pace, state.pace):
                if one is not None:
                    one.wait()
            if state.refusal is not None:  # nothing leaves after a refusal of all
                raise EndpointRefusalError(state.refusal)
            tries, wait_s = attempt + 1, min(self.pause_s * 2.0**attempt, LONGEST_PAUSE_S)
            try:
                found = read(post_json(url, body, self._headers(), self.timeout_s))
            except Refused as error:
                problem = str(error)
                self._stop_if_hopeless(error)
                if error.code not in _AGAIN:
                    break
                if error.wait_s is not None:
                    if error.wait_s > MAX_WAIT_S:
                        break
                    state.pace.pause(error.wait_s)
                    wait_s = 0.0
            except BadReply as error:
                problem = str(error)
            else:
                state.answered = True
                return found
            if attempt < self.retries:
                time.sleep(wait_s)
        msg = f"{self.url} ({self.model}) failed after {tries} of {self.retries + 1} tries"
        raise EndpointError(f"{msg}: {problem}", tries, problem)

    def told(self) -> str:
        """Return where requests go, in words.

        Examples
        --------
        >>> Endpoint("http://localhost:8000/v1", "m", None).told()
        'http://localhost:8000 (without key)'
        """
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        key = f"with the key of {self.key_variable}" if self._key() else "without key"
        return f"{parts.scheme}://{parts.hostname}{port} ({key})"

    def stop(self, why: str) -> None:
        """Send nothing more, in any thread; what is under way comes to its end."""
        self._state.refusal = self._state.refusal or why

    def _key(self) -> str | None:
        return os.environ.get(self.key_variable, "").strip() if self.key_variable else None

    def _headers(self) -> dict[str, str]:
        key = self._key()
        headers = {"Content-Type": "application/json"}
        return headers | ({"Authorization": f"Bearer {key}"} if key else {})

    def _stop_if_hopeless(self, error: Refused) -> None:
        passing = error.code in (*_AGAIN, *_OF_THE_PHOTO)
        if error.code in _NEVER or not (passing or self._state.answered):
            self._state.refusal = f"{error}{self._remedy(error.code)}"
            raise EndpointRefusalError(self._state.refusal) from error

    def _remedy(self, code: int) -> str:
        key = f"the key in {self.key_variable} was {'' if self._key() else 'not set and not '}sent"
        if self.key_variable is None:
            key = "no key was sent: key_variable names the environment variable that holds it"
        name = f"is {self.model!r} a model of this server, and {self.url!r} its base URL?"
        said = {401: key, 403: key, 404: name}.get(code)
        return f"; {said}" if said else ""


def picture(image: Image.Image | bytes) -> dict[str, Any]:
    """Return the part of a chat that shows an image, as JPEG without metadata.

    A photo's comment and EXIF may hold the answer, and its owner's name.

    Examples
    --------
    >>> picture(Image.new("RGB", (2, 2)))["image_url"]["url"][:23]
    'data:image/jpeg;base64,'
    """
    url = "data:image/jpeg;base64," + base64.b64encode(jpeg(image)).decode()
    return {"type": "image_url", "image_url": {"url": url}}


def jpeg(image: Image.Image | bytes) -> bytes:
    """Return an image, or the bytes of an image file, upright, as JPEG without metadata.

    Examples
    --------
    >>> Image.open(io.BytesIO(jpeg(Image.new("RGBA", (8, 4))))).mode
    'RGB'
    """
    opened = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image
    with one_large(opened):
        plain = upright_rgb(opened)
        plain = plain.copy() if plain is image else plain
        plain.info.clear()  # a JPEG takes its comment along
        buffer = io.BytesIO()
        plain.save(buffer, "JPEG", quality=92)
        return buffer.getvalue()


def _reply(reply: Any, with_first: bool) -> Reply:
    """Return a reply's text, and the probabilities of its first token.

    Raises
    ------
    BadReply
        For JSON of another form, text that is no Unicode, or probabilities that are none.

    Examples
    --------
    >>> _reply({"choices": [{"message": {"content": "Country: France"}}]}, False).text
    'Country: France'
    >>> _reply({"choices": None}, False)
    Traceback (most recent call last):
        ...
    georl.http.BadReply: the reply has no choices[0].message.content
    """
    try:
        choice = reply["choices"][0]
        text = choice["message"]["content"]
    except (TypeError, KeyError, IndexError):
        msg = "the reply has no choices[0].message.content"
        raise BadReply(msg) from None
    if text is not None and not isinstance(text, str):
        msg = f"the reply's content is {type(text).__name__}, not text"
        raise BadReply(msg)
    name = reply["model"] if isinstance(reply.get("model"), str) else ""
    try:
        f"{text}{name}".encode()
    except UnicodeEncodeError:
        msg = "the reply's text holds half a character (a lone surrogate)"
        raise BadReply(msg) from None
    first = _first(choice) if with_first else {}
    return Reply(text or "", first, name, _tokens(reply.get("usage")))


def _first(choice: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    try:
        for token in choice["logprobs"]["content"][0]["top_logprobs"]:
            chance = math.exp(min(float(token["logprob"]), 0.0))  # NaN stays NaN
            found[str(token["token"])] = found.get(str(token["token"]), 0.0) + chance
    except (TypeError, KeyError, IndexError, ValueError):
        found = {}
    if not found or not all(map(math.isfinite, found.values())):
        msg = "the reply has no probabilities of its first token"
        raise BadReply(msg)
    return found


def _tokens(usage: Any) -> tuple[int, int]:
    """Return what a reply says of its tokens, 0 for what it does not."""
    said = usage if isinstance(usage, dict) else {}
    counts = (said.get(name) for name in ("prompt_tokens", "completion_tokens"))
    asked, answered = (n if type(n) is int and n in range(1 << 31) else 0 for n in counts)
    return asked, answered
