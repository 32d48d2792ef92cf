"""Ask an OpenAI-compatible server."""

from __future__ import annotations

import base64
import io
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from PIL import Image

from georl.config import Config, ConfigError
from georl.data import Turn, with_image


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


def ask(config: Config, name: str, chat: list[Turn], image: Image.Image, pace: Pace) -> str | None:
    """Return what the server answers about one photo, None where it failed every time.

    Overload and broken connections are tried again.

    Raises
    ------
    ConfigError
        Where the server refuses the request itself: no key, no such model.
    """
    options, problem = config.predict, ""
    for attempt in range(options.retries + 1):
        pace.wait()
        try:
            return _request(config, chat, image)
        except urllib.error.HTTPError as error:
            problem = f"HTTP {error.code}: {error.read(500).decode(errors='replace')}"
            if error.code in (400, 401, 403, 404):
                msg = f"{options.url} refused row {name!r}: {problem}"
                raise ConfigError(msg) from error
        except (OSError, ValueError, KeyError, IndexError) as error:
            problem = f"{type(error).__name__}: {error}"
        if attempt < options.retries:
            time.sleep(min(0.5 * 2.0**attempt, 30.0))
    print(f"row {name!r} failed after {options.retries + 1} tries: {problem}")
    return None


def _request(config: Config, chat: list[Turn], image: Image.Image) -> str:
    options = config.predict
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    picture = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    body = {
        "model": config.model.name,
        "max_tokens": options.max_tokens,
        "temperature": options.temperature,
        "messages": with_image(chat, {"type": "image_url", "image_url": {"url": picture}}),
    }
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(options.key_variable):
        headers["Authorization"] = f"Bearer {key}"
    url = f"{str(options.url).rstrip('/')}/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=options.timeout_s) as response:
        reply: Mapping[str, Any] = json.load(response)
    text = reply["choices"][0]["message"]["content"]
    return text if isinstance(text, str) else ""
