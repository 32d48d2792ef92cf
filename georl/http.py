"""One request to a server that nobody vouches for: one origin, one deadline, a bounded reply.

No redirect is followed: it would carry the key to another origin, and turn the POST into a GET
whose reply is an answer about a photo that was never sent.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from geodata.errors import GeodataError
from geodata.printable import one_line

MAX_REPLY_BYTES = 8 << 20
"""Answers are a few kilobytes; a reply beyond this is refused unread."""

SHOWN = 300


REACH_S = 10.0
"""Seconds in which a server shows that it is there."""


class Refused(GeodataError, ValueError):  # noqa: N818, a reply and no fault of ours
    """A status that is not success: the code, what the server said, and how long to wait."""

    def __init__(self, code: int, said: str, wait_s: float | None) -> None:
        super().__init__(f"HTTP {code}: {said}")
        self.code, self.wait_s = code, wait_s


class BadReply(GeodataError, ValueError):  # noqa: N818
    """No reply, or none that can be read: cut off, too late, too large, or no JSON."""


def post_json(url: str, body: Any, headers: Mapping[str, str], limit_s: float) -> Any:
    """Return the JSON that a server replies to a POST of JSON.

    Parameters
    ----------
    url
        http or https.
    body
        What is sent.
    headers
        Sent to this origin only.
    limit_s
        Seconds from the start to the last byte, however slowly they drip.

    Raises
    ------
    Refused
        For any status but 200 to 299, redirects among them.
    BadReply
        For everything else that a server and a network can do.

    Examples
    --------
    >>> post_json("http://127.0.0.1:1/v1", {"model": "qwen"}, {}, limit_s=1.0)
    Traceback (most recent call last):
        ...
    georl.http.BadReply: URLError: ...
    """
    if not url.lower().startswith(("http://", "https://")):
        msg = f"{one_line(url[:SHOWN])!r} is no address of http or https"
        raise BadReply(msg)
    for name, value in headers.items():
        if not value.isprintable():  # the error of http.client would show the key
            msg = f"the header {name} holds a sign that no request can carry, such as a line break"
            raise BadReply(msg)
    try:
        request = urllib.request.Request(url, json.dumps(body).encode(), dict(headers))
        content = _Call(limit_s).read(request)
    except urllib.error.HTTPError as error:
        raise _refused(error) from None
    except BadReply:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise BadReply(f"{type(error).__name__}: {one_line(str(reason)[:SHOWN])}") from error
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"the reply is no JSON: {one_line(str(error)[:SHOWN])}") from None


def unreachable(url: str) -> str | None:
    """Return why nobody answers at an address, None if somebody does, whatever the answer is.

    Libraries that need a server find out late that there is none, after pauses and with a model
    loaded; it is given `REACH_S` seconds here.

    Examples
    --------
    >>> unreachable("http://127.0.0.1:1") is None
    False
    """
    try:
        with urllib.request.urlopen(url, None, REACH_S):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return None
    except OSError as error:
        return str(getattr(error, "reason", error))


class _Call:
    """One request; a watchdog cuts its connection at the deadline."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._ends = time.monotonic() + limit_s
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._late = False

    def read(self, request: urllib.request.Request) -> bytes:
        watchdog = threading.Timer(self._limit_s, self._cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            with self._opener().open(request) as response:
                return self._content(response)
        except urllib.error.HTTPError as error:
            with error:  # what it says is read under the same deadline
                error.said = error.read(SHOWN)  # type: ignore[attr-defined]
            raise
        except Exception:
            if self._late:
                msg = f"no whole reply within {self._limit_s:g} s"
                raise TimeoutError(msg) from None
            raise
        finally:
            watchdog.cancel()

    def _content(self, response: http.client.HTTPResponse) -> bytes:
        content = response.read(MAX_REPLY_BYTES + 1)
        if len(content) > MAX_REPLY_BYTES:
            msg = f"the reply is larger than {MAX_REPLY_BYTES >> 20} MiB"
            raise OSError(msg)
        if self._late or response.length:
            msg = f"the reply was cut off after {len(content)} bytes"
            raise OSError(msg)
        return content

    def _opener(self) -> urllib.request.OpenerDirector:
        """Return an opener that knows http and https, proxies, and no redirects."""
        opener = urllib.request.OpenerDirector()
        made = self._made
        for handler in (
            urllib.request.ProxyHandler(),
            _Http(made),
            _Https(made),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
        ):
            opener.add_handler(handler)
        return opener

    def _made(self, kind: type[http.client.HTTPConnection]) -> Callable[..., Any]:
        """Return a maker of connections that this call can cut."""
        call = self

        class Watched(kind):  # type: ignore[valid-type, misc]
            def connect(self) -> None:
                call._connection = self
                self.timeout = max(call._ends - time.monotonic(), 0.001)
                super().connect()
                call._socket = self.sock

        return Watched

    def _cut(self) -> None:
        self._late = True
        found = self._socket or getattr(self._connection, "sock", None)
        if found is not None:
            try:
                found.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already


class _Http(urllib.request.HTTPHandler):
    def __init__(self, made: Callable[..., Any]) -> None:
        super().__init__()
        self._made = made

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(self._made(http.client.HTTPConnection), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, made: Callable[..., Any]) -> None:
        super().__init__()
        self._made = made

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(self._made(http.client.HTTPSConnection), req)


def _refused(error: urllib.error.HTTPError) -> Refused:
    said: bytes = getattr(error, "said", b"")
    text = one_line(said.decode("utf-8", "replace").strip()[:SHOWN])
    if 300 <= error.code < 400:
        where = one_line((error.headers.get("Location") or "nowhere")[:SHOWN])
        text = f"a redirect to {where}, not followed"
    return Refused(error.code, text, _wait_s(error.headers.get("Retry-After")))


def _wait_s(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, a number or a date; None without a valid one.

    Examples
    --------
    >>> _wait_s("2"), _wait_s("Wed, 21 Oct 2015 07:28:00 GMT"), _wait_s("soon"), _wait_s(None)
    (2.0, 0.0, None, None)
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
