"""A small server on loopback that speaks OpenAI chat completions with images and log-probabilities.

Every byte of a test crosses a real connection. What it answers is a function of the request; how
it fails is a list of faults, used up one a request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Asked:
    """A request: its text, the bytes of its image, the whole body."""

    def __init__(self, body: dict[str, Any], key: str | None) -> None:
        parts = [
            part
            for turn in body["messages"]
            for part in (
                [{"type": "text", "text": turn["content"]}]
                if isinstance(turn["content"], str)
                else turn["content"]
            )
        ]
        self.body, self.key = body, key
        self.model = body["model"]
        self.text = "\n".join(part["text"] for part in parts if part["type"] == "text")
        urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        self.image = base64.b64decode(urls[0].split(",", 1)[1]) if urls else b""
        self.digest = hashlib.sha256(self.image).hexdigest()


class ChatServer:
    """Serve until closed; use as a context manager.

    Parameters
    ----------
    answer
        Request -> text, or (text, {token: probability}).
    faults
        Of the next requests, each used once: a status code, 'garbage', 'half', 'hang' or
        'no_logprobs'.
    """

    def __init__(self, answer: Callable[[Asked], Any], faults: list[Any] | None = None) -> None:
        self.answer, self.faults = answer, faults or []
        self.requests: list[Asked] = []
        self.under_way = self.most_under_way = 0
        self.lock = threading.Lock()
        self.delay_s = 0.0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server.handle(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> ChatServer:
        return self

    def __exit__(self, *_: Any) -> None:
        self.http.shutdown()
        self.http.server_close()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        asked = Asked(body, handler.headers.get("Authorization"))
        with self.lock:
            self.requests.append(asked)
            fault = self.faults.pop(0) if self.faults else None
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            time.sleep(self.delay_s)
            self.reply(handler, asked, fault)
        finally:
            with self.lock:
                self.under_way -= 1

    def reply(self, handler: BaseHTTPRequestHandler, asked: Asked, fault: Any) -> None:
        status = fault if isinstance(fault, int) else 200
        if fault == "hang":
            time.sleep(1.5)
        said = self.answer(asked)
        text, chances = said if isinstance(said, tuple) else (said, {})
        choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}}
        if asked.body.get("logprobs") and fault != "no_logprobs":
            pairs = chances.items() if isinstance(chances, dict) else chances
            top = [{"token": t, "logprob": math.log(p)} for t, p in pairs]
            choice["logprobs"] = {"content": [{"token": text, "top_logprobs": top}]}
        content = json.dumps({"model": asked.model, "choices": [choice]}).encode()
        if fault == "garbage":
            content = b"<html>Bad gateway</html>"
        if status != 200:
            content = json.dumps({"error": {"message": "no"}}).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if fault == "half":
            handler.wfile.write(content[: len(content) // 2])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.close()
            return
        handler.wfile.write(content)
