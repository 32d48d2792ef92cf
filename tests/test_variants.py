"""Generated attacks, the same ones on every run: nothing is written, read, deleted or sent outside.

300 of each kind are marked slow, and run everywhere with ``GEODATA_FIGURES=full``; CI runs 40.
"""

import io
import json
import os
import random
import socket
import string
import tarfile
import threading
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import images, query, tables
from geodata.errors import GeodataError
from georl import http
from tests.query.test_writes import ALONE, FUNCTIONS, VERBS, WRAPS, disguised

FULL = os.environ.get("GEODATA_FIGURES") == "full"
SECRET = "not-yours-8812"
COUNTS = [300] if FULL else [40, pytest.param(300, marks=pytest.mark.slow)]


@pytest.fixture
def home(tmp_path):
    """A lake, and beside it what is nobody's business; `watched` sees that it stays."""
    tables.append(tmp_path / "lake" / "photos", pa.table({"photo_id": ["a"], "lat": [1.0]}))
    (tmp_path / "secret.csv").write_text(f"word\n{SECRET}\n")
    pq.write_table(pa.table({"photo_id": [SECRET], "lat": [2.0]}), tmp_path / "secret.parquet")
    return tmp_path


def state(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and not p.is_symlink()}


@pytest.mark.parametrize("count", COUNTS)
def test_sql(home, count):
    rng = random.Random(101)
    before = state(home)
    names = {"target": home / "lake" / "photos" / "x.parquet", "secret": home / "secret.csv",
             "folder": home / "out", "format": "parquet"}  # fmt: skip
    for _ in range(count):
        part = rng.choice([rng.choice(VERBS), rng.choice(ALONE),
                           f"SELECT * FROM {rng.choice(FUNCTIONS)}"])  # fmt: skip
        inner = part
        for _ in range(rng.randint(1, 3) if part not in ALONE else 0):
            inner = rng.choice(WRAPS).replace("{0}", f"({inner})" if rng.random() < 0.3 else inner)
        for name, value in names.items():
            inner = inner.replace("{" + name + "}", str(value))
        sql = disguised(inner, rng)
        with pytest.raises(query.QueryError) as raised:
            query.run(sql, lake=home / "lake")
        assert SECRET not in str(raised.value).replace(sql, "")
    assert state(home) == before


def bad_name(rng, home, number):
    """Return a name for a log that is none of the table's own files."""
    outside = home / "secret.parquet"
    up = "/".join([".."] * rng.randint(1, 6))
    kinds = [
        f"../{up}/secret.parquet", "../../secret.parquet", str(outside), f"file://{outside}",
        f"./../../{outside.name}", f"a/../../../{outside.name}", f"..%2F..%2F{outside.name}",
        f"%2e%2e/%2e%2e/{outside.name}", f"..\\..\\{outside.name}", f"/{outside}", f"//{outside}",
        f"{up}{outside}", "s3://bucket/x.parquet",
        f"link{number}.parquet", f"dir{number}/x.parquet",
        f"pipe{number}.parquet", "../photos/../../secret.parquet", "/dev/zero",
        "/proc/self/environ",
        f"{outside}\0.parquet", "~/secret.parquet", "$HOME/secret.parquet", "..", ".", "",
        "".join(rng.choices(string.punctuation, k=8)) + f"/../../{outside.name}",
    ]  # fmt: skip
    return rng.choice(kinds)


@pytest.mark.parametrize("count", COUNTS)
def test_paths_in_a_log(home, count):
    rng = random.Random(102)
    root = home / "lake" / "photos"
    first = root / "_delta_log" / f"{1:020}.json"
    for number in range(count):
        (root / f"link{number}.parquet").symlink_to(home / "secret.parquet")
        (root / f"dir{number}").symlink_to(home)
        os.mkfifo(root / f"pipe{number}.parquet")
        name = bad_name(rng, home, number)
        size = (home / "secret.parquet").stat().st_size
        entry = {"path": name, "size": size, "partitionValues": {}, "modificationTime": 0,
                 "dataChange": True, "stats": '{"numRecords": 1}'}  # fmt: skip
        lines = [{"commitInfo": {"timestamp": 0}}, {"add": entry}]
        first.write_text("\n".join(map(json.dumps, lines)))
        before = state(home)
        calls = [
            lambda: tables.open(root).arrow(), lambda: tables.export(root, home / "out"),
            lambda: tables.forget(root, [SECRET]), lambda: tables.compact(root),
            lambda: tables.vacuum(root, retention_hours=0),
            lambda: query.run("FROM photos", lake=home / "lake"),
        ]  # fmt: skip
        for call in calls if number < 5 else rng.sample(calls, 2):
            with pytest.raises(GeodataError):
                pytest.fail(f"{name!r}: {str(call())[:200]}")
        assert tables.verify(root).problems, name
        assert state(home) == before, name
        for left in (f"link{number}.parquet", f"dir{number}", f"pipe{number}.parquet"):
            (root / left).unlink()


def archived(rng, path):
    """Write an archive of a few members, some of them odd; return the names that are in it."""
    odd = ["../../out.jpg", "/etc/passwd", "a/../../b.jpg", "C:\\x.jpg", "x" * 5000, "a\0b.jpg",
           "", ".", "..", "ä.jpg", "a.jpg", "a.jpg/", "\x1b[2J.jpg", "//x.jpg"]  # fmt: skip
    names = [rng.choice([*odd, f"good{i}.jpg"]) for i in range(rng.randint(1, 5))]
    if path.suffix == ".zip":
        with zipfile.ZipFile(
            path, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
        ) as z:
            for name in names:
                info = zipfile.ZipInfo(name or "x")
                info.external_attr = rng.choice([0, 0o120777 << 16, 0o010644 << 16])
                z.writestr(info, rng.choice([b"abc", bytes(5000), b"../secret.csv"]))
        return names
    with tarfile.open(path, "w", format=rng.choice([0, 1, 2])) as tar:
        for name in names:
            info = tarfile.TarInfo(name or "x")
            info.type = rng.choice([b"0", b"0", b"1", b"2", b"3", b"6", b"5", b"7"])
            info.linkname = "../secret.csv"
            info.size = 3 if info.type in (b"0", b"7") else 0
            try:
                tar.addfile(info, io.BytesIO(b"abc"))
            except ValueError:  # the format cannot name it
                continue
    return names


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("count", COUNTS)
def test_members_of_archives(home, count):
    rng = random.Random(103)
    folder = home / "pictures"
    folder.mkdir()
    outside = {p: b for p, b in state(home).items() if folder not in p.parents}
    opened = 0
    for number in range(count):
        path = folder / f"{number}.{rng.choice(['tar', 'zip'])}"
        names = archived(rng, path)
        data = bytearray(path.read_bytes())
        for _ in range(rng.choice([0, 0, 1, 3])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.choice([len(data), len(data), rng.randrange(1, len(data))])])
        try:
            found = images.open_archive(path)
        except GeodataError:
            continue
        opened += 1
        for name in [*names, *found.names.to_pylist(), "../secret.csv", "/etc/passwd"]:
            try:
                content = found.read(name)
            except GeodataError:
                continue
            assert SECRET.encode() not in content
            assert b"root:" not in content
    assert opened > count // 4
    assert {p: b for p, b in state(home).items() if folder not in p.parents} == outside
    kept = {p.suffix for p in folder.iterdir()}
    assert kept <= {".tar", ".zip", ".index"}


def replied(rng, port):
    """Return the bytes of a reply that no honest server sends."""
    good = json.dumps({"choices": [{"message": {"content": "(1.5, 7.0)"}}]}).encode()
    code = rng.choice([200, 200, 200, 301, 302, 307, 308, 400, 401, 413, 422, 429, 500, 503, 999])
    body = bytearray(rng.choice([good, b"null", b"[1]", b"{" * 50_000, b"9" * 6000, b"",
                                 b"\xff" * 9, b'"\\ud800"', good + good,
                                 good[: rng.randrange(len(good))],
                                 b"\x1b]0;x\x07" + good]))  # fmt: skip
    for _ in range(rng.choice([0, 0, 2, 9]) if body else 0):
        body[rng.randrange(len(body))] = rng.randrange(256)
    length = rng.choice([len(body), len(body), len(body) + 40, 10**15, -1, "abc"])
    extra = rng.choice([
        "", f"Location: http://127.0.0.1:{port}/stolen\r\n", "Location: file:///etc/passwd\r\n",
        "Retry-After: 1e9\r\n", "Retry-After: -5\r\n", "Content-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked\r\n", "Content-Length: 3\r\n", "A: " + "b" * 70_000 + "\r\n",
        "\x1b[2J: x\r\n", "Set-Cookie: a=b\r\n",
    ])  # fmt: skip
    version = rng.choice(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "SMTP", ""])
    head = f"{version} {code} Word\r\nContent-Length: {length}\r\n{extra}Connection: close\r\n\r\n"
    return head.encode("latin-1") + bytes(body)


@pytest.mark.parametrize("count", COUNTS)
def test_replies_of_servers(count):
    rng = random.Random(104)
    asked, answers = [], []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        asked.append(connection.recv(1 << 16))
                        connection.sendall(answers[-1])
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        good = 0
        for _ in range(count):
            answers.append(replied(rng, port))
            before = len(asked)
            told = ""
            try:
                http.post_json(f"http://127.0.0.1:{port}/v1", {"a": 1}, {"K": "key"}, 3.0)
                good += 1
            except (http.BadReply, http.Refused) as error:
                told = str(error)
            assert not set("\x1b\x07\x9b\r\n") & set(told), told
            assert len(told) < 1000
            assert len(asked) == before + 1, "one request, to whom it was for"
        server.shutdown(socket.SHUT_RDWR)
    assert not any(request.startswith((b"GET", b"POST /stolen")) for request in asked)
    assert 0 < good < count
