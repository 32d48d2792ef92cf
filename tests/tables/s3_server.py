"""A real S3 server process on loopback, and a proxy before it that makes its faults."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEYS = {
    "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true", "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip
_SERVE = "from moto.server import ThreadedMotoServer as S; import sys, time; \
s = S(ip_address='127.0.0.1', port=int(sys.argv[1])); s.start(); time.sleep(10**6)"


@contextmanager
def server(bucket="bucket"):
    """Give the endpoint of a server with an empty bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **KEYS},
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                request = urllib.request.Request(f"{endpoint}/{bucket}", method="PUT")
                with urllib.request.urlopen(request, timeout=5):
                    break
            except OSError:
                assert process.poll() is None
                time.sleep(0.05)
        yield endpoint
    finally:
        process.kill()
        process.wait()


class Faults(BaseHTTPRequestHandler):
    """Hands requests on to `endpoint`, and does to some of them what `fault` says."""

    protocol_version = "HTTP/1.1"
    endpoint, fault, times, seen = "", None, 0, 0

    def _any(self):
        kind = type(self)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        kind.seen += 1
        if kind.times > 0 and kind.fault is not None:
            kind.times -= 1
            if kind.fault == "500":
                return self._answer(500, {}, b"<Error><Code>InternalError</Code></Error>")
            if kind.fault == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return None
            if kind.fault == "slow":
                time.sleep(0.5)
            if kind.fault == "lost":  # done, and the answer is lost
                self._forward(body)
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return None
        return self._answer(*self._forward(body))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any  # noqa: N815

    def _forward(self, body):
        request = urllib.request.Request(
            self.endpoint + self.path, data=body, method=self.command,
            headers={k: v for k, v in self.headers.items() if k.lower() != "content-length"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=60) as done:
                return done.status, dict(done.headers), done.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    def _answer(self, status, headers, body):
        self.send_response(status)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        for key, value in headers.items():
            if key.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(key, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def faults(endpoint):
    """Give the address of a proxy and the class that holds what it does."""
    kind = type("OneProxy", (Faults,), {"endpoint": endpoint})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_address[1]}", kind
    finally:
        proxy.shutdown()
        proxy.server_close()
