"""Servers and networks that misbehave, at the level of bytes (georl.http)."""

import io
import socket
import threading
import time
import urllib.error
from contextlib import contextmanager, suppress

import pytest

from georl import http
from georl.endpoints import Endpoint
from georl.http import BadReply, Refused


@contextmanager
def speaking(*parts, pause_s=0.0):
    """A server that says these bytes to whoever connects, with pauses between; then it closes."""

    def speak(one):
        with one, suppress(OSError):  # the other end has gone
            one.recv(1 << 16)
            for part in parts:
                one.sendall(part)
                time.sleep(pause_s)
            one.shutdown(socket.SHUT_WR)
            while one.recv(1 << 16):  # or what is unread would reset the connection
                pass

    def accept():
        with suppress(OSError):  # closed at the end
            while True:
                threading.Thread(target=speak, args=server.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def problem(url, limit_s=5.0):
    with pytest.raises(BadReply) as caught:
        http.post_json(url, {}, {}, limit_s)
    return str(caught.value)


def test_a_reply_of_unknown_length_that_is_cut_at_the_limit_is_no_reply():
    """Up to there it is JSON: a 7 that might have become 70."""
    head = b"HTTP/1.0 200 OK\r\n\r\n7"
    with speaking(head, *[b" "] * 200, pause_s=0.05) as server:
        told = problem(f"http://{server}", limit_s=0.5)
    assert told == "TimeoutError: no whole reply within 0.5 s"
    with speaking(head) as server:
        assert http.post_json(f"http://{server}", {}, {}, 5.0) == 7


def test_https_is_spoken_to_https():
    with speaking(b"HTTP/1.0 200 OK\r\n\r\n7") as server:
        assert problem(f"https://{server}").startswith("URLError: [SSL")


def test_a_proxy_that_drips_is_cut_at_the_limit_too(monkeypatch):
    """It stands between us and the server; the connection is not made when it is cut."""
    head = b"HTTP/1.1 200 OK\r\nX-Wait: "
    with speaking(head, *[b"x"] * 200, pause_s=0.05) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy}")
        monkeypatch.setenv("no_proxy", "")
        told = problem("https://far.example/v1", limit_s=0.5)
    assert told == "TimeoutError: no whole reply within 0.5 s"


def test_a_server_that_takes_no_more_connections_is_given_up():
    """Its queue is full, so that the connection itself would wait for minutes."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        told = problem(f"http://127.0.0.1:{full.getsockname()[1]}", limit_s=0.3)
        assert told in ("TimeoutError: no whole reply within 0.3 s", "URLError: timed out")
        for one in waiting:
            one.close()


@pytest.mark.parametrize(("code", "is_redirect"), [(299, None), (399, True), (400, False)])
def test_a_redirect_is_300_to_399(code, is_redirect):
    said = f"HTTP/1.0 {code} X\r\nLocation: http://y/\r\n\r\n7".encode()
    with speaking(said) as server:
        if is_redirect is None:
            assert http.post_json(f"http://{server}", {}, {}, 5.0) == 7
            return
        with pytest.raises(Refused) as caught:
            http.post_json(f"http://{server}", {}, {}, 5.0)
    told = "a redirect to http://y/, not followed" if is_redirect else "7"
    assert str(caught.value) == f"HTTP {code}: {told}"


def test_the_end_of_a_program_does_not_wait_for_a_limit():
    with speaking(pause_s=0.0) as server:
        before = set(threading.enumerate())
        seen = []

        def look():
            seen.extend(t for t in set(threading.enumerate()) - before if hasattr(t, "cancel"))
            raise OSError("enough")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http._Call, "_opener", lambda self: look())
            problem(f"http://{server}", limit_s=60.0)
    assert [timer.daemon for timer in seen] == [True]


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "503 Busy"])
def test_a_server_that_answers_anything_is_there(status):
    with speaking(f"HTTP/1.0 {status}\r\n\r\nwho are you?".encode()) as server:
        assert http.unreachable(f"http://{server}/models") is None


def test_why_nobody_answers_is_told(monkeypatch):
    assert "Connection refused" in http.unreachable("http://127.0.0.1:1")
    monkeypatch.setattr(http, "REACH_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert http.unreachable(f"http://127.0.0.1:{port}") == "timed out"


def test_an_answer_is_waited_for_ten_seconds_and_let_go(monkeypatch):
    """wandb itself waits for two minutes, with the model loaded."""
    asked, body = [], io.BytesIO(b"who are you?")
    answer = urllib.error.HTTPError("http://h:1", 403, "no", {}, body)

    def opened(*given):
        asked.append(given)
        raise answer

    monkeypatch.setattr("urllib.request.urlopen", opened)
    assert http.unreachable("http://h:1") is None
    assert asked == [("http://h:1", None, 10.0)]
    assert body.closed


@pytest.mark.parametrize(
    "url", ["http://[h/v1", "http://h:x/v1", "http://h\x7f/v1", "http://h /v1"]
)
def test_an_address_that_cannot_be_read_is_no_reply_too(url):
    """A caller is told of one kind of failure, whatever the libraries below raise."""
    assert problem(url)


def test_a_header_that_no_request_can_carry_is_not_shown():
    """It may be the key, and what went wrong stands in tables and logs."""
    with pytest.raises(BadReply) as caught:
        http.post_json("http://127.0.0.1:1", {}, {"Authorization": "Bearer s3\ncret"}, 1.0)
    assert str(caught.value) == (
        "the header Authorization holds a sign that no request can carry, such as a line break"
    )


@pytest.mark.parametrize("key", ["s3cret\n", " s3cret\r\n", "s3cret"])
def test_a_key_is_sent_without_the_line_break_of_its_file(monkeypatch, key):
    monkeypatch.setenv("MY_KEY", key)
    assert Endpoint("http://h", "m", "MY_KEY")._headers()["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("key", ["", "\n"])
def test_a_key_of_nothing_is_none(monkeypatch, key):
    monkeypatch.setenv("MY_KEY", key)
    one = Endpoint("http://h", "m", "MY_KEY")
    assert "Authorization" not in one._headers()
    assert one.told() == "http://h (without key)"
