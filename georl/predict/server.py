"""Ask an OpenAI-compatible server: when to try again, what counts as an answer, when to stop."""

from __future__ import annotations

import base64
import io
import os
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from geodata.printable import tell
from georl.config import Config, ConfigError
from georl.data import Turn, with_image
from georl.predict.http import BadReply, Refused, post_json

MAX_WAIT_S = 300.0
"""A server that asks for a longer pause fails the row instead."""

_AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)
"""Statuses of a moment; others would be the same the next time."""

_NEVER = (401, 403, 404)
"""Statuses that hold for every photo: no key, no such model."""

_OF_THE_PHOTO = (413, 415, 422)
"""Statuses that say something of one photo only."""


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

    def pause(self, seconds: float) -> None:
        """Let nobody start before so many seconds have passed."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Server:
    """The endpoint of a run.

    Parameters
    ----------
    config
        ``predict.url`` and the settings beside it.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._url = f"{str(config.predict.url).rstrip('/')}/chat/completions"
        self._pace = Pace(config.predict.requests_per_second)
        self._key = os.environ.get(config.predict.key_variable)
        self._answered = self._stopped = False

    def told(self) -> str:
        """Return where photos go, in words."""
        parts = urlsplit(self._url)
        port = f":{parts.port}" if parts.port else ""
        key = f"with the key of {self._config.predict.key_variable}" if self._key else "without key"
        return f"photos are sent to {parts.scheme}://{parts.hostname}{port} ({key})"

    def ask(self, name: str, chat: list[Turn], image: Image.Image) -> str | None:
        """Return what the server answers about one photo, None where there is no answer.

        Overload and broken connections are tried again, after as long as the server asks for.

        Raises
        ------
        ConfigError
            Where the server refuses every photo: no key, no such model; and for a redirect or
            another refusal before it has given any answer.
        """
        options, problem, tries = self._config.predict, "", 0
        body = self._body(chat, image)
        for attempt in range(options.retries + 1):
            self._pace.wait()
            if self._stopped:  # no photo leaves after a refusal of all
                return None
            tries, wait_s = attempt + 1, min(0.5 * 2.0**attempt, 30.0)
            try:
                text = _text_of(post_json(self._url, body, self._headers(), options.timeout_s))
            except Refused as error:
                problem = str(error)
                self._stop_if_hopeless(name, error)
                if error.code not in _AGAIN or (error.wait_s or 0.0) > MAX_WAIT_S:
                    break
                if error.wait_s is not None:
                    self._pace.pause(error.wait_s)
                    wait_s = 0.0
            except BadReply as error:
                problem = str(error)
            else:
                self._answered = True
                return text
            if attempt < options.retries:
                time.sleep(wait_s)
        tell(f"row {name!r} failed after {tries} {'try' if tries == 1 else 'tries'}: {problem}")
        return None

    def _stop_if_hopeless(self, name: str, error: Refused) -> None:
        passing = error.code in (*_AGAIN, *_OF_THE_PHOTO)
        if error.code in _NEVER or not (passing or self._answered):
            self._stopped = True
            msg = f"{self._config.predict.url} refused row {name!r}: {error}"
            raise ConfigError(msg) from error

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        return headers | ({"Authorization": f"Bearer {self._key}"} if self._key else {})

    def _body(self, chat: list[Turn], image: Image.Image) -> dict[str, Any]:
        options = self._config.predict
        buffer = io.BytesIO()
        plain = image.copy()
        plain.info.clear()  # a JPEG takes its comment along, which may hold the answer
        plain.save(buffer, "JPEG", quality=92)
        picture = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
        return {
            "model": self._config.model.name,
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "messages": with_image(chat, {"type": "image_url", "image_url": {"url": picture}}),
        }


def _text_of(reply: Any) -> str:
    """Return the answer in a reply; "" where the server has nothing to say.

    Raises
    ------
    BadReply
        For JSON of another form, or text that is no Unicode.

    Examples
    --------
    >>> _text_of({"choices": [{"message": {"content": "Country: France"}}]})
    'Country: France'
    >>> _text_of({"choices": None})
    Traceback (most recent call last):
        ...
    georl.predict.http.BadReply: the reply has no choices[0].message.content
    """
    try:
        text = reply["choices"][0]["message"]["content"]
    except (TypeError, KeyError, IndexError):
        msg = "the reply has no choices[0].message.content"
        raise BadReply(msg) from None
    if text is None:
        return ""
    if not isinstance(text, str):
        msg = f"the reply's content is {type(text).__name__}, not text"
        raise BadReply(msg)
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = "the reply's text holds half a character (a lone surrogate)"
        raise BadReply(msg) from None
    return text
