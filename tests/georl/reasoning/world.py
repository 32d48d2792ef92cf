"""Photos with known places, and servers whose answers follow from the photo alone."""

from __future__ import annotations

import csv
import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

from georl.config import load_reason
from tests.georl.chat_server import ChatServer

PLACES = [
    ("Lisbon", "Portugal", 38.7167, -9.1333),
    ("Kyoto", "Japan", 35.0211, 135.7538),
    ("Oslo", "Norway", 59.9127, 10.7461),
    ("Nairobi", "Kenya", -1.2833, 36.8167),
    ("Lima", "Peru", -12.0432, -77.0282),
    ("Toronto", "Canada", 43.7001, -79.4163),
]
STEP = 24


def colour(i):
    """The colour that tells a photo: its number, in three digits that survive JPEG."""
    return tuple(STEP // 2 + STEP * (i // 10**d % 10) for d in range(3))


def number(image):
    """The number of a photo, read from the bytes of its JPEG."""
    import io

    shown = Image.open(io.BytesIO(image)).convert("RGB").resize((1, 1)).getpixel((0, 0))
    return sum(round((v - STEP // 2) / STEP) * 10**d for d, v in enumerate(shown))


def photos(folder, n, **change):
    """Write n photos and their table; photo i lies in place i modulo six."""
    rows = []
    for i in range(n):
        city, country, lat, lon = PLACES[i % len(PLACES)]
        Image.new("RGB", (28, 28), colour(i)).save(folder / f"{i}.png")
        rows.append({"id": f"p{i}", "image": f"{i}.png", "lat": lat, "lon": lon,
                     "country": country, "city": city,
                     "split": "train" if i % 5 else "test"})  # fmt: skip
    for i, row in change.get("rows", {}).items():
        rows[i] |= row
    with (folder / "photos.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "photos.csv"


def said(i, *, by="a", score=0.9, country=None, city=None, thing="yellow tram", thought=None):
    """An answer in the form that is asked for."""
    place = PLACES[i % len(PLACES)]
    thought = thought or (
        f"A {thing} passes tiled houses under overhead wires, number {i}, which points to "
        f"{place[0]}. Model {by} looked twice."
    )
    return (
        f"<think>{thought}</think>\n<answer>\nlocalizability: {score}\n"
        f"country: {country or place[1]}\ncity: {city or place[0]}\nevidence: {thing}\n</answer>"
    )


class PhotoServer(ChatServer):
    """A chat server whose answer about photo i is ``answers[i]``: a text, or what `said` takes.

    ``always`` has the faults of single photos, ``served`` a function of the number of requests so
    far that names the model.
    """

    def __init__(self, by="a", answers=None, always=None, faults=None, served=None):
        self.by, self.answers, self.always = by, answers or {}, always or {}
        self.served = served
        super().__init__(self._answer, faults)

    def _answer(self, asked):
        if asked.body["max_tokens"] == 1:
            return "yes", self.answers.get("first", {"yes": 0.6, "no": 0.2})
        i = number(asked.image)
        given = self.answers.get(i, {})
        return given if isinstance(given, str | tuple) else said(i, by=self.by, **given)

    def reply(self, handler, asked, fault):
        if self.served is not None:
            asked.model = self.served(len(self.requests))
        super().reply(handler, asked, self.always.get(number(asked.image), fault))

    @property
    def numbers(self):
        return [number(asked.image) for asked in self.requests]


def config(folder, servers, *more):
    given = [f"photos.table={folder / 'photos.csv'}", f"photos.image_root={folder}",
             f"output={folder / 'run'}", f"table={folder / 'lake' / 'reason'}"]  # fmt: skip
    for name, url in servers.items():
        given += [f"models.{name}.url={url}", f"models.{name}.model=model-{name}",
                  f"models.{name}.retries=1", f"models.{name}.timeout_s=1.0"]  # fmt: skip
    return load_reason(None, [*given, *more])


class JsonServer:
    """A server of embeddings or detections: request body -> reply, a status code, or raw bytes."""

    def __init__(self, answer):
        self.requests, self.lock = [], threading.Lock()
        this = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with this.lock:
                    this.requests.append(body)
                found = answer(body)
                status = found if isinstance(found, int) else 200
                content = found if isinstance(found, bytes) else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def embedding(text):
    """Counts of letters, as a vector."""
    return [1.0 + text.count(chr(97 + i)) for i in range(26)] if math.isfinite(len(text)) else []
