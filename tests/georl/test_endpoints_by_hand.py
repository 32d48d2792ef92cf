"""Requests and replies of a server, each bound by hand (georl.endpoints, georl.http)."""

import io
import json
import re
import socket
import threading
import time
import urllib.error
from contextlib import contextmanager, suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from PIL import Image

from georl import endpoints, http
from georl.config import ConfigError
from georl.endpoints import Endpoint, EndpointError, EndpointRefusalError, Pace
from georl.http import BadReply, Refused

SAID = {"choices": [{"message": {"content": "yes"}}]}


@contextmanager
def serving(*replies):
    """A server that gives these replies, a status, headers and bytes each, and notes requests.

    The last one is given again for ever.
    """
    seen, left = [], list(replies)

    class One(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, dict(self.headers), json.loads(body)))
            status, headers, content = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), One)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", seen
    server.shutdown()
    server.server_close()
    thread.join()


def good(content=SAID):
    return 200, {}, json.dumps(content).encode()


def status(code, said=b"", **headers):
    return code, headers, said


@pytest.fixture
def clock(monkeypatch):
    """A clock that only sleeping moves; holds what was slept."""
    now, slept = [1000.0], []

    def sleep(seconds):
        slept.append(round(seconds, 6))
        now[0] += seconds

    monkeypatch.setattr(endpoints, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    return slept


def server_of(url, **more):
    return Endpoint(f"{url}/v1/", "m", None, **more)


ASKED = [{"role": "user", "content": "?"}]


# ---- what is sent


def test_a_request_holds_what_was_asked_for_and_no_more(monkeypatch):
    monkeypatch.setenv("MY_KEY", "s3cret")
    with serving(good()) as (url, seen):
        server_of(url).chat(ASKED)
        first = {**SAID["choices"][0], "logprobs": {"content": [{"top_logprobs": [
            {"token": "a", "logprob": -0.5}]}]}}  # fmt: skip
        with serving(good({"choices": [first]})) as (other, more):
            Endpoint(f"{other}/v1", "n", "MY_KEY").chat(
                ASKED, max_tokens=3, temperature=0.5, top_logprobs=7, seed=0
            )
    (path, headers, body), = seen  # fmt: skip
    assert (path, headers["Content-Type"]) == ("/v1/chat/completions", "application/json")
    assert "Authorization" not in headers
    assert body == {"model": "m", "max_tokens": 256, "temperature": 0.0, "messages": ASKED}
    (_, headers, body), = more  # fmt: skip
    assert headers["Authorization"] == "Bearer s3cret"
    assert body == {
        "model": "n", "max_tokens": 3, "temperature": 0.5, "messages": ASKED, "logprobs": True,
        "top_logprobs": 7, "seed": 0,
    }  # fmt: skip


def test_a_base_url_is_joined_with_one_bar():
    with serving(good({"x": 1})) as (url, seen):
        for base, path in ((url, "a/b"), (f"{url}/v1//", "a"), (f"{url}/v1", "")):
            assert Endpoint(base, "m", None).ask(path, {}, lambda reply: reply["x"]) == 1
    assert [path for path, _, _ in seen] == ["/a/b", "/v1/a", "/v1"]


def test_two_of_the_same_settings_are_equal_whatever_their_servers_said():
    one = Endpoint("http://h", "m", None)
    one.stop("enough")
    assert one == Endpoint("http://h", "m", None) != Endpoint("http://h", "n", None)


def test_an_endpoint_is_its_settings_and_nothing_of_what_it_met():
    one = Endpoint("http://h", "m", None)
    assert repr(one) == (
        "Endpoint(url='http://h', model='m', key_variable=None, retries=4, timeout_s=120.0, "
        "pause_s=0.5)"
    )
    with pytest.raises(TypeError, match="_state"):
        Endpoint("http://h", "m", _state=one._state)


def test_where_requests_go_is_told_without_what_an_address_may_hide(monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    one = Endpoint("https://user:pass@host.example:8443/v1?x=1", "m", "MY_KEY")
    assert one.told() == "https://host.example:8443 (without key)"
    monkeypatch.setenv("MY_KEY", "x")
    assert one.told() == "https://host.example:8443 (with the key of MY_KEY)"
    assert Endpoint("http://h/v1", "m", None).told() == "http://h (without key)"


def test_a_picture_is_a_jpeg_of_its_pixels_alone():
    exif = Image.Exif()
    exif[0x010E] = "the Eiffel tower"
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 80).convert("RGB").save(buffer, "JPEG", exif=exif, comment=b"here")
    made = endpoints.jpeg(buffer.getvalue())
    found = Image.open(io.BytesIO(made))
    assert (found.format, found.mode, found.size) == ("JPEG", "RGB", (64, 48))
    assert b"tower" not in made
    assert b"here" not in made
    table = io.BytesIO()
    Image.new("RGB", (8, 8)).save(table, "JPEG", quality=92)
    assert found.quantization == Image.open(table).quantization
    given = Image.new("RGB", (2, 2))
    given.info["comment"] = b"mine"
    endpoints.jpeg(given)
    assert given.info == {"comment": b"mine"}  # it is another's


# ---- tries and pauses


def test_pauses_double_up_to_the_longest_and_none_follows_the_last_try(clock):
    with serving(status(500)) as (url, seen):
        asked = server_of(url, retries=8, pause_s=1.5)
        with pytest.raises(EndpointError) as caught:
            asked.chat(ASKED)
    # before the first reply any status of a moment is tried again
    assert [s for s in clock if s] == [1.5, 3.0, 6.0, 12.0, 24.0, 30.0, 30.0, 30.0]
    assert len(seen) == 9
    assert str(caught.value) == f"{url}/v1/ (m) failed after 9 of 9 tries: HTTP 500: "
    assert (caught.value.tries, caught.value.problem) == (9, "HTTP 500: ")
    bare = EndpointError("x")
    assert (bare.problem, bare.tries) == ("x", 0)


def test_a_server_is_given_the_time_it_asks_for_in_place_of_the_pause(clock):
    with serving(status(429, **{"Retry-After": "7"}), good()) as (url, seen):
        assert server_of(url, pause_s=50.0).chat(ASKED).text == "yes"
    assert [s for s in clock if s] == [7.0]
    for seconds, tries in (("300", 2), ("301", 1)):
        with serving(status(503, **{"Retry-After": seconds}), good()) as (url, seen):
            asked = server_of(url, retries=3)
            if tries == 1:
                with pytest.raises(EndpointError, match="failed after 1 of 4 tries: HTTP 503"):
                    asked.chat(ASKED)
            else:
                assert asked.chat(ASKED).text == "yes"
        assert len(seen) == tries


def test_the_time_that_a_server_asks_for_is_given_by_all_that_ask_it(clock):
    with serving(status(429, **{"Retry-After": "7"}), good()) as (url, seen):
        asked = server_of(url, retries=0)
        with pytest.raises(EndpointError, match="failed after 1 of 1 tries: HTTP 429"):
            asked.chat(ASKED)
        assert [s for s in clock if s] == []  # who gives up has nothing to wait for
        assert asked.chat(ASKED).text == "yes"
    assert [s for s in clock if s] == [7.0]
    assert len(seen) == 2


@pytest.mark.parametrize("code", [408, 409, 425, 429, 500, 502, 503, 504])
def test_a_status_of_a_moment_is_tried_again(clock, code):
    with serving(status(code), good()) as (url, seen):
        assert server_of(url).chat(ASKED).text == "yes"
    assert len(seen) == 2


@pytest.mark.parametrize("code", [413, 415, 422])
def test_a_status_of_one_photo_fails_it_alone(clock, code):
    with serving(status(code, b"too large"), good()) as (url, _):
        asked = server_of(url)
        with pytest.raises(EndpointError) as caught:
            asked.chat(ASKED)
        assert str(caught.value) == (
            f"{url}/v1/ (m) failed after 1 of 5 tries: HTTP {code}: too large"
        )
        assert asked.chat(ASKED).text == "yes"
    assert clock.count(0.0) == len(clock)


@pytest.mark.parametrize("code", [400, 405, 501, 302])
def test_another_refusal_holds_for_all_until_one_was_answered(clock, code):
    with serving(status(code), good()) as (url, seen):
        asked = server_of(url)
        for _ in range(2):
            with pytest.raises(EndpointRefusalError, match=f"^HTTP {code}: "):
                asked.chat(ASKED)
        assert len(seen) == 1
    with serving(good(), status(code), good()) as (url, seen):
        asked = server_of(url)
        asked.chat(ASKED)
        with pytest.raises(EndpointError, match=f"failed after 1 of 5 tries: HTTP {code}"):
            asked.chat(ASKED)
        assert asked.chat(ASKED).text == "yes"


@pytest.mark.parametrize("code", [401, 403, 404])
def test_what_holds_for_every_request_says_what_helps(clock, monkeypatch, code):
    monkeypatch.delenv("MY_KEY", raising=False)
    key = "no key was sent: key_variable names the environment variable that holds it"
    with serving(good(), status(code, b"no")) as (url, _):
        model = f"is 'm' a model of this server, and {f'{url}/v1'!r} its base URL?"
        for variable, value, said in (
            (None, None, key),
            ("MY_KEY", None, "the key in MY_KEY was not set and not sent"),
            ("MY_KEY", "x", "the key in MY_KEY was sent"),
        ):
            if value:
                monkeypatch.setenv("MY_KEY", value)
            asked = Endpoint(f"{url}/v1", "m", variable)
            if variable is None:
                asked.chat(ASKED)  # an earlier answer changes nothing
            with pytest.raises(ConfigError) as caught:
                asked.chat(ASKED)
            assert str(caught.value) == f"HTTP {code}: no; {model if code == 404 else said}"


def test_what_was_stopped_sends_nothing_and_keeps_its_first_reason(clock):
    with serving(good()) as (url, seen):
        asked = server_of(url)
        asked.stop("enough")
        asked.stop("more")
        with pytest.raises(EndpointRefusalError, match=r"^enough$"):
            asked.chat(ASKED)
        assert seen == []
        assert Endpoint(f"{url}/v1", "m", None).chat(ASKED).text == "yes"


def test_a_reply_of_another_form_is_tried_again(clock):
    with serving((200, {}, b"<html>"), good({}), good()) as (url, seen):
        assert server_of(url).chat(ASKED).text == "yes"
    assert len(seen) == 3
    assert [s for s in clock if s] == [0.5, 1.0]
    with serving((200, {}, b"{")) as (url, _), pytest.raises(EndpointError) as caught:
        server_of(url, retries=0).chat(ASKED)
    assert "tries: the reply is no JSON: " in str(caught.value)


def test_starts_lie_so_far_apart(clock):
    pace = Pace(4.0)
    for _ in range(4):
        pace.wait()
    assert clock == [0.0, 0.25, 0.25, 0.25]
    pace.pause(2.0)
    pace.pause(1.0)  # does not shorten it
    pace.wait()
    assert clock[-1] == 2.0
    free = Pace()
    for _ in range(3):
        free.wait()
    assert clock[-3:] == [0.0] * 3
    slow = Pace(0.5)
    for _ in range(2):
        slow.wait()
    assert clock[-2:] == [0.0, 2.0]
    with serving(status(500), good()) as (url, _):
        pace = Pace(10.0)
        server_of(url, pause_s=0.0).chat(ASKED, pace=pace)
        assert clock[-2:] != [0.0, 0.0]
    assert 0.1 in clock  # each try waits for its turn


# ---- what comes back


def reply(content, with_first=False, **more):
    return endpoints._reply({"choices": [{"message": {"content": content}, **more}]}, with_first)


def test_a_reply_has_text_a_model_and_counts():
    whole = {**SAID, "model": "q", "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    assert endpoints._reply(whole, False) == endpoints.Reply("yes", {}, "q", (5, 2))
    assert reply(None).text == ""
    for usage, counts in (
        ({"prompt_tokens": 0, "completion_tokens": (1 << 31) - 1}, (0, (1 << 31) - 1)),
        ({"prompt_tokens": 1 << 31, "completion_tokens": -1}, (0, 0)),
        ({"prompt_tokens": True, "completion_tokens": 2.0}, (0, 0)),
        ({"prompt_tokens": "3"}, (0, 0)), ([1], (0, 0)), (None, (0, 0)),
    ):  # fmt: skip
        assert endpoints._tokens(usage) == counts
    assert endpoints._reply({**SAID, "model": 7}, False).model == ""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ([], "no choices"), (None, "no choices"), ({"choices": []}, "no choices"),
        ({"choices": [{}]}, "no choices"), ({"choices": [{"message": None}]}, "no choices"),
        ({"choices": [{"message": {"content": 7}}]}, "content is int, not text"),
        ({"choices": [{"message": {"content": ["x"]}}]}, "content is list, not text"),
        ({**SAID, "model": "\ud800"}, "half a character"),
        ({"choices": [{"message": {"content": "a\udfff"}}]}, "half a character"),
    ],
)  # fmt: skip
def test_replies_of_another_form_are_told(content, why):
    with pytest.raises(BadReply, match=why):
        endpoints._reply(content, False)


def test_chances_of_first_tokens_add_up_and_are_at_most_one():
    def first(*pairs):
        top = [{"token": token, "logprob": chance} for token, chance in pairs]
        return reply("x", True, logprobs={"content": [{"top_logprobs": top}]}).first

    assert first(("a", 0.5), ("b", -1.0)) == pytest.approx({"a": 1.0, "b": 0.367879}, abs=1e-6)
    assert first(("a", -0.693147), (1, -2), ("a", -1.386294)) == pytest.approx(
        {"a": 0.75, "1": 0.135335}, abs=1e-6
    )
    assert first(("a", -1e9)) == {"a": 0.0}
    nan = ("a", float("nan"))
    for bad in ((), (nan,), (nan, ("b", -1.0)), (("a", None),), (("a", "x"),)):
        with pytest.raises(BadReply, match=r"^the reply has no probabilities of its first token$"):
            first(*bad)
    with pytest.raises(BadReply, match="no probabilities"):
        reply("x", True)
    assert reply("x").first == {}


# ---- one request


def posted(url, limit_s=5.0):
    return http.post_json(url, {}, {}, limit_s)


def test_success_is_200_to_299():
    for code in (200, 201, 299):
        with serving((code, {}, b'{"a": 1}')) as (url, _):
            assert posted(url) == {"a": 1}
    for code in (300, 404, 503):
        with serving((code, {"Location": "http://x/"}, b"\xff no\n  more ")) as (url, _):
            with pytest.raises(Refused) as caught:
                posted(url)
            assert caught.value.code == code
            told = "a redirect to http://x/, not followed" if code == 300 else "\ufffd no"
            assert str(caught.value).startswith(f"HTTP {code}: {told}")


def test_what_a_server_says_is_cut_and_stays_on_a_line():
    long = (500, {"Retry-After": "3"}, b"a" * 400)
    with serving(long) as (url, _), pytest.raises(Refused) as caught:
        posted(url)
    assert str(caught.value) == f"HTTP 500: {'a' * 300}"
    assert caught.value.wait_s == 3.0
    with serving((307, {}, b"")) as (url, _), pytest.raises(Refused, match="to nowhere, not"):
        posted(url)


def test_a_reply_may_be_so_large_and_no_larger(monkeypatch):
    monkeypatch.setattr(http, "MAX_REPLY_BYTES", 1 << 20)
    for more in (0, 1):
        content = b"1".rjust((1 << 20) + more)
        with serving((200, {}, content)) as (url, _):
            if more:
                with pytest.raises(BadReply) as caught:
                    posted(url)
                assert str(caught.value) == "OSError: the reply is larger than 1 MiB"
            else:
                assert posted(url) == 1


def test_a_server_that_says_nothing_is_given_up_at_the_limit_and_no_thread_is_left():
    assert http.MAX_REPLY_BYTES == 8_388_608
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(BadReply) as caught:
        posted(f"http://127.0.0.1:{deaf.getsockname()[1]}", limit_s=0.3)
    assert str(caught.value).startswith("TimeoutError: ")
    with serving((200, {}, b"3"), status(500)) as (url, _):
        assert posted(url, limit_s=60.0) == 3
        with pytest.raises(Refused):
            posted(url, limit_s=60.0)
    waiting = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
    assert not [t for t in waiting if t.function.__name__ == "_cut" and not t.finished.is_set()]


def test_a_reply_that_is_cut_off_is_none():
    short = (200, {"Content-Length": "9"}, b"{}")
    with serving(short) as (url, _), pytest.raises(BadReply) as caught:
        posted(url, limit_s=1.0)
    assert str(caught.value) == "OSError: the reply was cut off after 2 bytes"


def test_a_server_that_drips_is_cut_at_the_limit():
    class Drip(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            with suppress(OSError):  # the other end has gone
                for _ in range(100):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        with pytest.raises(BadReply) as caught:
            posted(f"http://127.0.0.1:{server.server_address[1]}", limit_s=0.3)
        told = str(caught.value)
        cut = re.fullmatch(r"OSError: the reply was cut off after (\d+) bytes", told)
        assert int(cut[1]) < 100 if cut else told == "TimeoutError: no whole reply within 0.3 s"
    finally:
        server.shutdown()
        server.server_close()


def test_addresses_of_other_kinds_are_not_asked():
    for url in ("ftp://x", "file:///etc/hostname", "x", "", "httpx://y"):
        with pytest.raises(BadReply) as caught:
            posted(url)
        assert str(caught.value) == f"{url!r} is no address of http or https"
    with pytest.raises(BadReply) as caught:
        posted("ftp://" + "x" * 400)
    assert str(caught.value) == f"{('ftp://' + 'x' * 400)[:300]!r} is no address of http or https"
    with serving((200, {}, b"3")) as (url, _):
        assert posted(url.replace("http", "HTTP")) == 3


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), (" 12 ", 12.0), ("1234567890123", 123456789.0), ("-1", None), ("1.5", None),
     ("٣", None), ("", None), (None, None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)  # fmt: skip
def test_the_pause_that_a_server_asks_for(value, seconds):
    assert http._wait_s(value) == seconds


def test_a_date_is_a_pause_until_then(monkeypatch):
    monkeypatch.setattr(http.time, "time", lambda: 1445412470.0)  # ten seconds before it
    assert http._wait_s("Wed, 21 Oct 2015 07:28:00 GMT") == 10.0


def test_a_refusal_without_words_says_nothing():
    error = urllib.error.HTTPError("http://x", 500, "Oops", Message(), io.BytesIO())
    assert str(http._refused(error)) == "HTTP 500: "
    assert http._refused(error).wait_s is None
