"""How each step asks its server: with which settings, how many at once, how far apart."""

import threading
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from georl import endpoints
from georl.config import AgreeConfig, load_reason
from georl.endpoints import Endpoint
from georl.reasoning import asking, photos, rows, seeing, similarity, stepping
from georl.reasoning.calls import Calls

from . import world
from .world import JsonServer, PhotoServer

GIVEN = {"key_variable": "MINE_API_KEY", "retries": 7, "timeout_s": 9.0}
SETTINGS = ["url=http://h/v1", "model=m", *(f"{name}={value}" for name, value in GIVEN.items())]


def test_a_server_is_asked_with_its_own_settings(tmp_path):
    """A key, tries and a limit are those of the block that names the server."""
    given = [f"{block}.{one}" for block in ("models.a", "agree", "verify") for one in SETTINGS]
    given += ["models.b.url=http://other/v1", "models.b.model=n", "models.b.retries=2"]
    config = load_reason(None, given)
    with Calls(tmp_path) as calls:
        found = [
            asking.Model("a", config, calls).endpoint,
            similarity.Similarity(config.agree, calls)._server,
            seeing.Witness(config, calls)._server,
        ]
        assert found == [Endpoint("http://h/v1", "m", **GIVEN)] * 3
        other = asking.Model("b", config, calls).endpoint
        assert other == Endpoint("http://other/v1", "n", None, 2, 120.0)


@pytest.fixture
def slept(monkeypatch):
    """What was slept, on a clock that only sleeping moves."""
    now, notes = [1000.0], []

    def sleep(seconds):
        notes.append(round(seconds, 6))
        now[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr(endpoints, "time", clock)
    return notes


def test_requests_to_a_model_lie_so_far_apart(tmp_path, slept):
    world.photos(tmp_path, 3)
    with PhotoServer("a") as one, Calls(tmp_path / "run") as calls:
        config = world.config(tmp_path, {"a": one.url, "b": one.url},
                              "models.a.requests_per_second=4",
                              "models.a.localizability=first_token")  # fmt: skip
        model = asking.Model("a", config, calls)
        for i in range(2):
            model.about(photos.show(f"{i}.png", config.photos))
    assert [one for one in slept if one] == [0.25] * 3  # the second question waits as well


def test_requests_for_embeddings_lie_so_far_apart(tmp_path, slept):
    with JsonServer(lambda _: {"data": [{"embedding": [1.0]}]}) as server:
        config = AgreeConfig(url=server.url, model="m", requests_per_second=2.0, concurrency=1)
        with Calls(tmp_path) as calls:
            similarity.Similarity(config, calls).least([["a", "b"], ["c", "d"]])
    assert [one for one in slept if one] == [0.5] * 3


def row(name):
    return {"id": name, "kept": True, "step": None, "reason": None, "detail": None,
            "image": f"{name}.png", "entities": ["tram"]}  # fmt: skip


def shown(folder, names, url, *more):
    for k, name in enumerate(names):
        Image.new("RGB", (28, 28), (k, 0, 0)).save(folder / f"{name}.png")
    given = [f"verify.url={url}", "verify.model=owl", f"photos.image_root={folder}"]
    return load_reason(None, [*given, *more])


def test_requests_to_a_detector_lie_so_far_apart(tmp_path, slept):
    with JsonServer(lambda _: []) as server, Calls(tmp_path / "run") as calls:
        pace = ["verify.requests_per_second=8", "verify.concurrency=1"]
        config = shown(tmp_path, "abc", server.url, *pace)
        seeing.Witness(config, calls).judged([row(name) for name in "abc"])
    assert [one for one in slept if one] == [0.125] * 2


class Crowd:
    """Answers only where so many ask at once, and notes the most that ever did."""

    def __init__(self, size):
        self.gate, self.lock = threading.Barrier(size, timeout=30), threading.Lock()
        self.now = self.most = 0

    def __call__(self):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.gate.wait()
        with self.lock:
            self.now -= 1


def test_so_many_texts_are_asked_about_at_once(tmp_path):
    crowd = Crowd(3)

    def answer(_):
        crowd()
        return {"data": [{"embedding": [1.0]}]}

    with JsonServer(answer) as server, Calls(tmp_path) as calls:
        config = AgreeConfig(url=server.url, model="m", concurrency=3, retries=0)
        found = similarity.Similarity(config, calls).least([list("abcdef")])
    assert (found, crowd.most) == ([1.0], 3)


def test_so_many_photos_are_looked_at_at_once(tmp_path):
    crowd = Crowd(3)

    def answer(_):
        crowd()
        return [{"label": "tram", "score": 1.0}]

    with JsonServer(answer) as server, Calls(tmp_path / "run") as calls:
        config = shown(tmp_path, "abcdef", server.url, "verify.concurrency=3", "verify.retries=0")
        found = seeing.Witness(config, calls).judged([row(name) for name in "abcdef"])
    assert ([one["id"] for one in found if one["kept"]], crowd.most) == (list("abcdef"), 3)


def test_each_model_is_asked_so_often_at_once(tmp_path):
    world.photos(tmp_path, 6)
    crowd = Crowd(3)

    class Patient(PhotoServer):
        def _answer(self, asked):
            crowd()
            return super()._answer(asked)

    with Patient("a") as one, PhotoServer("b") as two:
        given = ["models.a.concurrency=3", "models.b.concurrency=1"]
        given += [f"models.{name}.timeout_s=60" for name in "ab"]
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *given)
        with Calls(tmp_path / "run") as calls:
            (found,) = asking.ask(config, calls)
    assert (crowd.most, two.most_under_way) == (3, 1)
    assert [one["id"] for one in found if one["kept"]] == [f"p{i}" for i in range(6)]


# ---- what makes a step another one

OTHERS = ["question=Where?", "photos.limit=1", "photos.split=a", "photos.max_pixels=9",
          "photos.id=image", "models.a.temperature=0.5", "models.a.seed=3", "models.a.max_tokens=9",
          "models.a.model=other", "models.a.localizability=first_token", "models.c.model=m",
          "photos.image_root=else"]  # fmt: skip
ALIKE = ["models.a.url=http://moved/v1", "models.a.retries=9", "models.a.concurrency=1",
         "models.a.timeout_s=3", "models.a.requests_per_second=2",
         "models.a.key_variable=A_API_KEY", "models.a.usd_per_million_in=3",
         "give_up=3", "output=moved", "table=lake/moved",
         "filter.min_localizability=0.1", "verify.min_share=0.1"]  # fmt: skip


def test_what_is_asked_is_asked_anew_where_the_question_the_photos_or_the_models_change(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("id,image,lat,lon,split\nx,1.png,1,2,a\n")
    given = [f"photos.table={table}", "models.a.url=http://h/v1", "models.a.model=m",
             "models.b.url=http://h/v1", "models.b.model=n"]  # fmt: skip

    def made_of(*more):
        return stepping._origin(load_reason(None, [*given, *more]), "ask")

    usual = made_of()
    assert len({usual, *map(made_of, OTHERS)}) == 1 + len(OTHERS)
    assert {made_of(one) for one in ALIKE} == {usual}
    table.write_text("id,image,lat,lon,split\nx,1.png,1,3,a\n")
    assert made_of() != usual


# ---- batches


def test_steps_judge_every_batch_and_keep_the_order(tmp_path, monkeypatch):
    """Rows that an earlier step dropped stand between those that are judged."""
    monkeypatch.setattr(stepping, "_BATCH", 2)
    given = [f"output={tmp_path}", "filter.min_localizability=0.5"]
    config = load_reason(None, given)
    scores = [0.9, None, 0.1, 0.9, None, None, 0.2]
    made = []
    for i, score in enumerate(scores):
        answers = [rows.answer("a", localizability=score)]
        one = {"id": f"{i}", "kept": True, "answers": answers, "entities": []}
        made.append(rows.dropped(one, "ask", "refused") if score is None else one)
    pq.write_table(pa.Table.from_pylist(made, rows.SCHEMA), stepping.file_of(config, "ask"))
    batches = list(stepping._batches(config, "filter", None))
    assert [len(batch) for batch in batches] == [2, 2, 2, 1]
    found = [one for batch in batches for one in batch]
    assert [(one["id"], one["reason"]) for one in found] == [
        ("0", None), ("1", "refused"), ("2", "low_localizability"), ("3", None), ("4", "refused"),
        ("5", "refused"), ("6", "low_localizability"),
    ]  # fmt: skip


def test_an_id_is_taken_in_all_parts_of_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "_READ_ROWS", 2)
    columns = {"id": list("abcad"), "image": ["1"] * 5, "lat": [38.7] * 5, "lon": [-9.1] * 5,
               "country": ["Portugal"] * 5, "city": ["Lisbon"] * 5}  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    options = load_reason(None, [f"photos.table={tmp_path / 't.parquet'}"]).photos
    found = [one for batch in photos.rows(options) for one in batch]
    assert [one["id"] for one in found if one["kept"]] == list("abcd")
    assert found[3]["reason"] == "repeated_id"
