"""A real S3 server process on loopback, and a proxy before it that makes its faults."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass

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


_METHODS = (b"GET ", b"PUT ", b"POST ", b"HEAD ", b"DELETE ")
_ANSWERS = {
    code: f"HTTP/1.1 {code} {text}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    for code, text in (("500", "Internal Server Error"), ("403", "Forbidden"))
}
_SKEW = (
    "<?xml version='1.0'?><Error><Code>RequestTimeTooSkewed</Code><Message>The difference between "
    "the request time and the current time is too large.</Message></Error>"
)
_ANSWERS["skew"] = (
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    f"Content-Length: {len(_SKEW)}\r\n\r\n{_SKEW}"
).encode()


@dataclass
class Faults:
    """What a proxy does to the next requests: `500`, `403`, `skew`, `cut`, `slow`, `lost`."""

    port: int
    fault: str = ""
    times: int = 0
    only: tuple[bytes, ...] = _METHODS

    def serve(self, client):
        """Hand one connection on, both ways."""
        with (
            client,
            socket.create_connection(("127.0.0.1", self.port)) as server,
            suppress(OSError),
        ):
            lost = threading.Event()
            back = threading.Thread(target=self._back, args=(server, client, lost), daemon=True)
            back.start()
            while data := client.recv(1 << 16):
                fault = ""
                if self.times > 0 and data.startswith(self.only):
                    self.times -= 1
                    fault = self.fault
                if fault in _ANSWERS:
                    client.sendall(_ANSWERS[fault])
                if fault in (*_ANSWERS, "cut"):
                    break
                if fault == "slow":
                    time.sleep(0.5)
                if fault == "lost":
                    lost.set()
                server.sendall(data)
            for one in (client, server):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _back(self, server, client, lost):
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if lost.is_set():
                    break
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def faults(endpoint):
    """Give the address of a proxy before a server, and what it does."""
    kind = Faults(int(endpoint.rpartition(":")[2]))
    listening = socket.create_server(("127.0.0.1", 0))

    def accept():
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=kind.serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", kind
    finally:
        listening.close()
