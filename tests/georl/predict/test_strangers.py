"""A server that misbehaves in many ways: a row's error, never the run's (georl.http)."""

import base64
import io
import json
import socket
import sys
import tarfile
import threading
import time
from email.utils import formatdate

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from georl import http, predict
from georl.config import ConfigError, check, load

GOOD = json.dumps({"choices": [{"message": {"content": "Coordinates: (1.500000, 7.000000)"}}]})
LIMIT_S = 0.8


def said(content):
    return json.dumps({"choices": [{"message": {"content": content}}]})


def reply(body, status="200 OK", length=None, headers=""):
    """The bytes of a whole reply; ``length`` lies about them."""
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    count = len(data) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {count}\r\n{headers}Connection: close\r\n\r\n"
    return head.encode() + data


BODIES = {
    "null": "null",
    "list": "[1]",
    "text": '"Paris"',
    "number": "3",
    "empty object": "{}",
    "choices null": '{"choices": null}',
    "choices empty": '{"choices": []}',
    "choices of null": '{"choices": [null]}',
    "choices object": '{"choices": {"0": 1}}',
    "no message": '{"choices": [{}]}',
    "message null": '{"choices": [{"message": null}]}',
    "message list": '{"choices": [{"message": [1]}]}',
    "no content": '{"choices": [{"message": {}}]}',
    "content number": said(5),
    "content list": said([{"type": "text", "text": "Paris"}]),
    "content object": said({"text": "Paris"}),
    "lone surrogate": '{"choices": [{"message": {"content": "\\ud800 (1.5, 7.0)"}}]}',
    "deep list": "[" * 200_000,
    "deep object": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "many digits": '{"choices": ' + "9" * 5000 + "}",
    "no JSON": "Paris, of course",
    "HTML": "<html>busy</html>",
    "empty": "",
    "not UTF-8": b'{"choices": "\xff\xfe"}',
    "two values": GOOD + GOOD,
    "event stream": "data: " + GOOD + "\n\n",
    "terminal codes": "\x1b]0;title\x07\x1b[2J",
}
WAYS = {f"body: {name}": reply(body) for name, body in BODIES.items()}
WAYS |= {
    f"status {code}": reply(GOOD, f"{code} Word")
    for code in (300, 304, 400, 402, 405, 406, 410, 411, 413, 415, 418, 422, 451, 500, 501, 502)
}
WAYS |= {
    "cut body": reply(GOOD, length=len(GOOD) + 50),
    "cut in the middle": reply(GOOD[:20], length=len(GOOD)),
    "too large": reply(b" " * (http.MAX_REPLY_BYTES + 1)),
    "too large, else good": reply(GOOD.encode().ljust(http.MAX_REPLY_BYTES + 1)),
    "too large, said": reply(GOOD, length=10**15),
    "chunk cut": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" + GOOD.encode(),
    "chunk size no number": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}",
    "no reply": b"",
    "half a status": b"HTTP/1.1 2",
    "no HTTP": b"220 smtp ready\r\n",
    "status no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "header too long": b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
    "compressed": reply(b"\x1f\x8b\x08\x00\x00", headers="Content-Encoding: gzip\r\n"),
    "hangs": None,
    "hangs after the head": b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n",
    "drips its head": b"drip",
    "drips its body": b"drip",
}
REDIRECTS = (301, 302, 303, 307, 308)


class Stranger:
    """A bare socket that answers the photo of brightness 3 i in the i-th way, others well."""

    def __init__(self, ways):
        self.ways, self.requests, self.connections = ways, [], 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection):
        with connection:
            head, _, body = _whole(connection)
            photo = json.loads(body)["messages"][0]["content"][0]["image_url"]["url"]
            image = Image.open(io.BytesIO(base64.b64decode(photo.partition(",")[2])))
            way = round(sum(image.resize((1, 1)).getpixel((0, 0))) / 9)
            self.requests.append((time.monotonic(), way, head, image))
            name, answer = self.ways(way, sum(one[1] == way for one in self.requests))
            try:
                self._send(connection, name, answer)
            except OSError:
                return

    def _send(self, connection, name, answer):
        if name.startswith("drips"):
            whole = reply(GOOD)
            at = 0 if "head" in name else whole.index(b"{")
            connection.sendall(whole[:at])
            for byte in whole[at:]:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
        elif name.startswith("hangs"):
            connection.sendall(answer or b"")
            time.sleep(10 * LIMIT_S)
        else:
            connection.sendall(answer)

    def close(self):
        self._socket.close()


def _whole(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, mark, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode(), mark, body


@pytest.fixture
def stranger():
    made = []

    def start(ways):
        made.append(Stranger(ways))
        return made[-1]

    yield start
    for one in made:
        one.close()


def run_for(folder, server, photos, *more):
    """A run over so many grey photos of brightness 0, 3, 6, ..."""
    for i in range(photos):
        Image.new("RGB", (28, 28), (3 * i,) * 3).save(folder / f"{i}.png")
    rows = {"id": [f"p{i}" for i in range(photos)], "image": [f"{i}.png" for i in range(photos)]}
    pq.write_table(pa.table(rows), folder / "photos.parquet")
    return load(
        None,
        [
            "task=predict",
            "model.name=any",
            f"data.table={folder / 'photos.parquet'}",
            f"data.image_root={folder}",
            f"predict.output={folder / 'out.jsonl'}",
            f"predict.url=http://127.0.0.1:{server.port}/v1",
            "predict.concurrency=1",
            "predict.retries=0",
            f"predict.timeout_s={LIMIT_S}",
            *more,
        ],
    )


def answers(run):
    text = predict.predict(run).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def well(way, times):
    return "well", reply(GOOD)


def test_every_way_to_misbehave_is_one_row_s_error(tmp_path, stranger, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    elsewhere = stranger(well)
    target = f"Location: http://127.0.0.1:{elsewhere.port}/v1/chat/completions\r\n"
    ways = WAYS | {f"to {code}": reply(GOOD, f"{code} Word", headers=target) for code in REDIRECTS}
    names = ["well", *ways, "well again"]
    assert len(ways) >= 50
    assert len(names) <= 80

    def answered(way, times):
        return names[way], ways.get(names[way], reply(GOOD))

    server = stranger(answered)
    started = time.monotonic()
    rows = answers(run_for(tmp_path, server, len(names)))
    took = time.monotonic() - started
    found = {names[i]: row["status"] for i, row in enumerate(rows)}
    wrong = {name for name, status in found.items() if status != "request_failed"}
    assert wrong == {"well", "well again"}
    assert {found["well"], found["well again"]} == {"ok"}
    assert all(row["lat"] is None for row in rows[1:-1])
    assert elsewhere.connections == 0
    assert took < 4 * 2 * LIMIT_S + 100  # a call without a deadline waits for ever
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "secret" not in out
    assert out.count("failed after 1 try:") == len(ways)


@pytest.mark.parametrize("code", [*REDIRECTS, 401, 403, 404, 400])
def test_what_holds_for_every_photo_stops_the_run_at_its_first(tmp_path, stranger, code):
    elsewhere = stranger(well)
    target = f"Location: http://127.0.0.1:{elsewhere.port}/\r\n"
    server = stranger(lambda *_: ("no", reply("no\x1b[2Jsuch", f"{code} W", headers=target)))
    with pytest.raises(ConfigError, match=f"refused row 'p0': HTTP {code}") as error:
        answers(run_for(tmp_path, server, 3, "predict.retries=4"))
    assert "\x1b" not in str(error.value)
    assert (server.connections, elsewhere.connections) == (1, 0)
    if code in REDIRECTS:
        assert f"a redirect to http://127.0.0.1:{elsewhere.port}/, not followed" in str(error.value)


@pytest.mark.parametrize("code", [400, 405, 413, 415, 422, 501])
def test_a_refusal_of_one_photo_is_not_tried_again(tmp_path, stranger, code):
    server = stranger(lambda way, _: ("", reply(GOOD, f"{code if way == 1 else 200} W")))
    rows = answers(run_for(tmp_path, server, 3, "predict.retries=4"))
    assert [row["status"] for row in rows] == ["ok", "request_failed", "ok"]
    assert server.connections == 3


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_status_of_a_moment_is_tried_again(tmp_path, stranger, code):
    server = stranger(lambda _, times: ("", reply(GOOD, f"{code if times == 1 else 200} W")))
    rows = answers(run_for(tmp_path, server, 1, "predict.retries=1"))
    assert rows[0]["status"] == "ok"
    assert server.connections == 2


@pytest.mark.parametrize("dated", [False, True])
def test_a_server_is_given_the_time_that_it_asks_for(tmp_path, stranger, dated):
    """The pause holds for all workers; without the header the second try comes after 0.5 s."""
    ask = formatdate(time.time() + 3.4, usegmt=True) if dated else "2"
    header = f"Retry-After: {ask}\r\n"
    busy = reply("busy", "429 Busy", headers=header)
    server = stranger(lambda way, times: ("", busy if (way, times) == (0, 1) else reply(GOOD)))
    rows = answers(run_for(tmp_path, server, 4, "predict.retries=1"))
    assert {row["status"] for row in rows} == {"ok"}
    times = [at for at, *_ in server.requests]
    assert times[1] - times[0] >= 1.9
    assert times[1] - times[0] < 4.5


def test_a_server_that_asks_for_too_long_a_pause_fails_the_row(tmp_path, stranger):
    busy = reply("busy", "503 Busy", headers="Retry-After: 86400\r\n")
    server = stranger(lambda way, _: ("", busy if way == 1 else reply(GOOD)))
    started = time.monotonic()
    rows = answers(run_for(tmp_path, server, 3, "predict.retries=4"))
    assert [row["status"] for row in rows] == ["ok", "request_failed", "ok"]
    assert time.monotonic() - started < 60
    assert server.connections == 3


def test_content_null_is_an_answer_without_words(tmp_path, stranger):
    server = stranger(lambda *_: ("", reply(said(None))))
    (row,) = answers(run_for(tmp_path, server, 1))
    assert (row["answer"], row["status"]) == ("", "empty")


def test_photos_lose_their_comment_and_exif(tmp_path, stranger):
    server = stranger(well)
    run = run_for(tmp_path, server, 1)
    exif = Image.Exif()
    exif[0x9286], exif[0xA430] = "the answer is Paris", "owner"
    image = Image.new("RGB", (28, 28))
    image.save(tmp_path / "0.png", "JPEG", comment=b"the answer is Paris", exif=exif)
    answers(run)
    sent = server.requests[0][3]
    assert not sent.getexif()
    assert "comment" not in sent.info


def test_the_host_is_told_before_the_first_photo_leaves(tmp_path, stranger, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    told = []

    class Out(io.StringIO):
        def write(self, text):
            told.append((time.monotonic(), text))
            return len(text)

    server = stranger(well)
    run = run_for(tmp_path, server, 2)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Out())
        answers(run)
    at = next(
        at for at, text in told if f"photos are sent to http://127.0.0.1:{server.port} (w" in text
    )
    assert at < server.requests[0][0]
    assert "with the key of OPENAI_API_KEY" in "".join(text for _, text in told)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("predict.key_variable=AWS_SECRET_ACCESS_KEY", r"only variables named \.\.\._API_KEY"),
        ("predict.key_variable=HF_TOKEN", r"only variables named"),
        ("predict.key_variable=X_API_KEY_FILE", r"only variables named"),
        ("predict.key_variable=ÄPI_API_KEY", r"only variables named"),
        ("predict.url=file:///etc/passwd", "no http or https URL"),
        ("predict.url=ftp://host/x", "no http or https URL"),
        ("predict.url=localhost:8000/v1", "no http or https URL"),
        ("predict.url=http://", "no http or https URL"),
        ("predict.url=http://h:99999/", "no http or https URL"),
        ("predict.url=http://me:secret@host/v1", "more than a host and a path"),
        ("predict.url=http://host/v1?key=1", "more than a host and a path"),
        ("predict.timeout_s=0", "must be above 0"),
    ],
)
def test_what_no_request_should_carry_is_refused(setting, message):
    given = ["task=predict", "model.name=any", "predict.url=http://localhost:8000/v1"]
    check(load(None, given))
    check(load(None, [*given, "predict.key_variable=API_KEY"]))
    with pytest.raises(ConfigError, match=message):
        check(load(None, [*given, setting]))


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/v1", "file:///etc/hostname", "v1", ""])
def test_an_address_of_another_kind_is_no_reply(url):
    with pytest.raises(http.BadReply, match="is no address of http or https"):
        http.post_json(url, {}, {}, 1.0)


def test_only_photos_inside_the_folder_of_photos_are_sent(tmp_path, stranger):
    """A row of a stranger's table names a file of ours: it is one bad row, and never leaves."""
    server = stranger(well)
    (tmp_path / "in").mkdir()
    run = run_for(tmp_path / "in", server, 1)
    Image.new("RGB", (28, 28), (200,) * 3).save(tmp_path / "private.png")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "private.png")
    with tarfile.open(tmp_path / "private.tar", "w") as made:
        made.add(tmp_path / "private.png", "p.png")
    named = [
        "0.png", "../private.png", str(tmp_path / "private.png"), "link.png",
        "../private.tar#p.png", f"http://127.0.0.1:{server.port}/photo.png", "sub/../0.png",
    ]  # fmt: skip
    (tmp_path / "in" / "sub").mkdir()
    table = pa.table({"id": list(map(str, range(len(named)))), "image": named})
    pq.write_table(table, tmp_path / "in" / "photos.parquet")
    rows = answers(run)
    assert [row["id"] for row in rows if row["status"] == "ok"] == ["0", "6"]
    assert len(server.requests) == 2
    assert all(asked[3].getpixel((0, 0)) == (0, 0, 0) for asked in server.requests)
