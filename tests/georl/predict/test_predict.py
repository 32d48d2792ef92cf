"""Answers from an OpenAI-compatible server: order, retries, rate, resumption (georl.predict)."""

import base64
import io
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from georl import predict
from georl.config import ConfigError, load
from georl.data import DataError


class Server(ThreadingHTTPServer):
    """Answers with the photo's brightness as a latitude; can be told to fail first."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.failures, self.status = [], 0, 503
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append((time.monotonic(), self.path, self.headers, body))
            fail = self.server.failures > 0
            self.server.failures -= fail
        if fail:
            self.send_error(self.server.status)
            return
        url = body["messages"][0]["content"][0]["image_url"]["url"]
        image = Image.open(io.BytesIO(base64.b64decode(url.partition("base64,")[2])))
        level = round(sum(image.resize((1, 1)).getpixel((0, 0))) / 3)
        text = f"Country: Greyland\nCoordinates: ({level}.500000, 7.000000)"
        reply = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)


@pytest.fixture
def server():
    served = Server()
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture
def photos(tmp_path):
    """Ten grey photos of brightness 0, 8, 16, ..."""
    for i in range(10):
        Image.new("RGB", (32, 32), (8 * i,) * 3).save(tmp_path / f"{i}.png")
    path = tmp_path / "photos.parquet"
    pq.write_table(
        pa.table({"id": [f"p{i}" for i in range(10)], "image": [f"{i}.png" for i in range(10)]}),
        path,
    )
    return path


def run_for(photos, server, *more):
    folder = photos.parent
    return load(
        None,
        [
            "task=predict",
            "model.name=any",
            f"data.table={photos}",
            f"data.image_root={folder}",
            f"predict.output={folder / 'out.jsonl'}",
            f"predict.url=http://127.0.0.1:{server.server_address[1]}/v1",
            "predict.concurrency=4",
            *more,
        ],
    )


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_photo_has_its_answer_in_the_table_s_order(photos, server, monkeypatch):
    monkeypatch.setenv("A_API_KEY", "secret")
    rows = rows_of(predict.predict(run_for(photos, server, "predict.key_variable=A_API_KEY")))
    assert [row["id"] for row in rows] == [f"p{i}" for i in range(10)]
    assert all(abs(row["lat"] - 8 * i - 0.5) <= 1.0 for i, row in enumerate(rows))
    assert {row["status"] for row in rows} == {"ok"}
    _, path, headers, body = server.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert (body["model"], body["temperature"]) == ("any", 0.0)


def test_overload_is_tried_again(photos, server):
    server.failures = 3
    rows = rows_of(predict.predict(run_for(photos, server, "predict.concurrency=1")))
    assert {row["status"] for row in rows} == {"ok"}
    assert len(server.requests) == 13


def test_a_row_that_keeps_failing_stays_without_an_answer_and_is_asked_again(photos, server):
    run = run_for(photos, server, "predict.concurrency=1", "predict.retries=0")
    server.failures = 1
    rows = rows_of(predict.predict(run))
    assert [row["status"] for row in rows] == ["request_failed"] + ["ok"] * 9
    assert rows[0]["answer"] is None
    assert rows[0]["lat"] is None


def test_a_refusal_stops_at_once_and_a_second_start_goes_on(photos, server, capsys):
    run = run_for(photos, server, "predict.concurrency=1")
    server.failures, server.status = 1, 401
    with pytest.raises(ConfigError, match=r"refused row 'p0': HTTP 401"):
        predict.predict(run)
    before = len(server.requests)
    partial = photos.parent / "out.jsonl.partial.jsonl"
    done = [
        rows_of(partial)[0],
        {"id": "p0", "answer": "x", "lat": None, "lon": None, "status": "no_answer"},
        {"id": "p1", "answer": None, "lat": None, "lon": None, "status": "request_failed"},
    ]
    partial.write_text("".join(json.dumps(row) + "\n" for row in done) + '{"id": "p2"')
    rows = rows_of(predict.predict(run))
    assert len(server.requests) - before == 9
    assert rows[0]["answer"] == "x"
    assert rows[1]["status"] == "ok"
    assert "going on: 1 of 10" in capsys.readouterr().out


def test_answers_of_another_run_are_not_mixed_in(photos, server):
    partial = photos.parent / "out.jsonl.partial.jsonl"
    partial.write_text('{"run": "another"}\n')
    with pytest.raises(ConfigError, match="another model, prompt or table"):
        predict.predict(run_for(photos, server))


def test_requests_are_paced(photos, server):
    predict.predict(run_for(photos, server, "predict.requests_per_second=50"))
    times = sorted(at for at, *_ in server.requests)
    assert times[-1] - times[0] >= 9 / 50 / 2  # the first may have been slow on its way


def test_missing_photos_are_counted_and_a_corrupt_one_keeps_its_row(photos, server, capsys):
    (photos.parent / "3.png").unlink()
    (photos.parent / "4.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"1 of 10 images are missing \(3\.png\)"):
        predict.predict(run_for(photos, server))
    rows = rows_of(predict.predict(run_for(photos, server, "data.skip_missing=true")))
    assert [row["id"] for row in rows] == ["p0", "p1", "p2", "p4", "p5", "p6", "p7", "p8", "p9"]
    assert rows[3]["status"] == "image_unreadable"
    assert "cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_the_file_reads_back_in_every_format(photos, server, ending):
    from geodata.files import read_table

    output = photos.parent / f"out.{ending}"
    predict.predict(run_for(photos, server, f"predict.output={output}"))
    table = read_table(output)
    assert table["id"].to_pylist() == [f"p{i}" for i in range(10)]
    assert float(table["lon"][0].as_py()) == 7.0
