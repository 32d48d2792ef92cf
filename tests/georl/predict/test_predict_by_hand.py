"""Predictions row by row: what is asked, kept, told and written (georl.predict)."""

import errno
import io
import json
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from geodata import tables
from georl import models, predict
from georl.config import ConfigError, load
from georl.predict import answering
from tests.georl.chat_server import ChatServer

ANSWER = "Country: Chad\nCoordinates: (12.500000, 15.000000)"


@pytest.fixture
def folder(tmp_path):
    for i in range(5):
        Image.new("RGB", (56, 56), (40 * i, 0, 0)).save(tmp_path / f"{i}.png")
    (tmp_path / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    columns = {"id": [f"p{i}" for i in range(5)], "image": [f"{i}.png" for i in range(5)]}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    return tmp_path


def run(folder, *more):
    given = ["task=predict", "model.name=any", f"data.table={folder / 't.parquet'}",
             f"predict.output={folder / 'out' / 'p.jsonl'}", "predict.retries=0"]  # fmt: skip
    return load(None, [*given, *more])


def rows_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def row(name, text=ANSWER, lat=12.5, lon=15.0, status="ok"):
    return {"id": name, "answer": text, "lat": lat, "lon": lon, "status": status}


def without(name, status):
    return row(name, None, None, None, status)


# ---- what makes two runs one


CHANGES = [
    "model.name=other", "model.revision=abc", "data.version=3", "data.question=Which town?",
    "data.prompt=cot", "data.levels=[city]", "predict.temperature=0.5", "predict.max_tokens=7",
    "data.image=scan", "seed=4", "model.max_pixels=78400", "model.min_pixels=78400",
    "data.table=another.csv",
]  # fmt: skip
NOTHING = ["predict.retries=9", "predict.batch=3", "output=elsewhere", "data.limit=3",
           "predict.concurrency=2", "train.batch=8"]  # fmt: skip


def test_answers_of_runs_that_ask_alike_are_put_together_and_of_no_others(folder):
    ids = [answering._run_id(run(folder, change)) for change in CHANGES]
    assert len({*ids, answering._run_id(run(folder))}) == len(CHANGES) + 1
    assert {answering._run_id(run(folder, same)) for same in NOTHING} == {
        answering._run_id(run(folder))
    }


def test_half_a_file_of_another_run_is_refused_in_these_words(folder):
    partial = folder / "out" / "p.jsonl.partial.jsonl"
    partial.parent.mkdir()
    partial.write_text('{"run": "x"}\n')
    with pytest.raises(ConfigError) as caught:
        predict.predict(run(folder, "predict.url=http://127.0.0.1:9/v1"))
    assert str(caught.value) == (
        f"{partial} holds answers of another model, prompt or table; delete it or set another "
        "predict.output"
    )
    assert partial.read_text() == '{"run": "x"}\n'


# ---- a server


def asked_of(server, folder, *more):
    return run(folder, f"predict.url={server.url}", *more)


def test_a_request_shows_the_photo_and_asks_as_the_run_says(folder):
    more = ["predict.max_tokens=9", "predict.temperature=0.25", "model.max_pixels=784",
            "data.question=Where?", "data.limit=2", "predict.concurrency=1"]  # fmt: skip
    with ChatServer(lambda asked: ANSWER) as server:
        found = rows_of(predict.predict(asked_of(server, folder, *more)))
    assert found == [row("p0"), row("p1")]
    for i, request in enumerate(server.requests):
        assert request.body["max_tokens"] == 9
        assert request.body["temperature"] == 0.25
        assert request.body["model"] == "any"
        (turn,) = request.body["messages"]
        assert turn["role"] == "user"
        assert [part["type"] for part in turn["content"]] == ["image_url", "text"]
        assert turn["content"][1]["text"] == "Where?"
        image = Image.open(io.BytesIO(request.image))
        assert image.size == (28, 28)
        assert abs(image.getpixel((14, 14))[0] - 40 * i) < 4


def test_rows_without_an_answer_say_why_and_only_requests_are_asked_again(folder, capsys):
    with ChatServer(lambda asked: ANSWER, [500, 500]) as server:
        once = asked_of(server, folder, "predict.concurrency=1")
        found = rows_of(predict.predict(once))
    assert found == [without("p0", "request_failed"), without("p1", "request_failed"), row("p2"),
                     without("p3", "image_unreadable"), row("p4")]  # fmt: skip
    told = capsys.readouterr().out
    assert f"photos are sent to {server.url.removesuffix('/v1')} (" in told
    assert "row 'p0' failed after 1 try: HTTP 500" in told
    assert f"image of row 'p3' ({folder / '3.png'}) cannot be read: " in " ".join(told.split())
    assert not (folder / "out" / "p.jsonl.partial.jsonl").exists()
    with ChatServer(lambda asked: ANSWER, [500, 500, 500]) as server:
        again = asked_of(server, folder, "predict.concurrency=1", "predict.retries=1",
                         "data.limit=2")  # fmt: skip
        assert rows_of(predict.predict(again)) == [without("p0", "request_failed"), row("p1")]
    assert "row 'p0' failed after 2 tries: HTTP 500" in capsys.readouterr().out


def test_a_start_that_finds_all_answers_asks_nobody_and_says_so(folder, capsys):
    made = run(folder, "predict.url=http://127.0.0.1:9/v1", "data.limit=2")
    partial = folder / "out" / "p.jsonl.partial.jsonl"
    partial.parent.mkdir()
    kept = [row("p1", "mine"), row("p0"), row("p9")]  # p9 is of a longer run
    lines = [{"run": answering._run_id(made)}, *kept]
    partial.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert rows_of(predict.predict(made)) == [row("p0"), row("p1", "mine")]
    told = capsys.readouterr().out
    assert "going on: 2 of 2 answers are there" in told
    assert "photos are sent" not in told


def test_answers_stay_where_the_file_cannot_be_written(folder):
    """They cost money: the next start finds them."""
    target = folder / "out" / "p.jsonl"
    (target / "in the way").mkdir(parents=True)
    with ChatServer(lambda asked: ANSWER) as server:
        made = asked_of(server, folder, "data.limit=2")
        with pytest.raises(OSError, match=r"p\.jsonl"):
            predict.predict(made)
        (target / "in the way").rmdir()
        target.rmdir()
        assert rows_of(predict.predict(made)) == [row("p0"), row("p1")]
        assert len(server.requests) == 2


def test_answers_stay_however_often_a_run_is_refused(folder):
    with ChatServer(lambda asked: ANSWER, [401, 401]) as server:
        made = asked_of(server, folder, "data.limit=2", "predict.concurrency=1")
        partial = folder / "out" / "p.jsonl.partial.jsonl"
        partial.parent.mkdir()
        lines = [{"run": answering._run_id(made)}, row("p1", "mine")]
        partial.write_text("".join(json.dumps(line) + "\n" for line in lines))
        for _ in range(2):
            with pytest.raises(ConfigError, match="refused row 'p0': HTTP 401"):
                predict.predict(made)
        assert rows_of(predict.predict(made)) == [row("p0"), row("p1", "mine")]
        assert len(server.requests) == 3


def test_answers_stay_where_a_start_ends_before_it_has_written_them_again(folder, monkeypatch):
    """The disk is full, or the run is killed; the file of a start before stays whole."""
    made = run(folder, "predict.url=http://127.0.0.1:9/v1", "data.limit=2")
    partial = folder / "out" / "p.jsonl.partial.jsonl"
    partial.parent.mkdir()
    lines = [{"run": answering._run_id(made)}, row("p0"), without("p1", "request_failed")]
    partial.write_text("".join(json.dumps(line) + "\n" for line in lines))
    before, opened = partial.read_bytes(), Path.open

    def full(self, mode="r", *given, **more):
        if mode == "a":
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(self, mode, *given, **more)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space left"):
        predict.predict(made)
    assert partial.read_bytes() == before
    assert [path.name for path in partial.parent.iterdir()] == [partial.name]


def test_answers_of_another_version_of_a_table_are_not_put_together(folder):
    """A table without a version is the newest of when the run was started."""
    table = pq.read_table(folder / "t.parquet")
    tables.write(folder / "lake" / "photos", table.slice(0, 1))
    with ChatServer(lambda asked: ANSWER, [401]) as server:
        made = asked_of(server, folder, f"data.table={folder / 'lake' / 'photos'}",
                        f"data.image_root={folder}")  # fmt: skip
        with pytest.raises(ConfigError, match="refused row 'p0': HTTP 401"):
            predict.predict(made)  # it is half done then
        tables.write(folder / "lake" / "photos", table.slice(0, 2))
        with pytest.raises(ConfigError, match="holds answers of another model, prompt or table"):
            predict.predict(made)
        old = rows_of(predict.predict(asked_of(
            server, folder, f"data.table={folder / 'lake' / 'photos'}", "data.version=0",
            f"data.image_root={folder}")))  # fmt: skip
    assert old == [row("p0")]


def test_so_many_requests_are_under_way_as_the_run_says(folder):
    gate = threading.Barrier(2, timeout=30)
    (folder / "3.png").write_bytes((folder / "2.png").read_bytes())

    def answer(asked):
        gate.wait()  # only where two ask at once is there an answer
        return ANSWER

    with ChatServer(answer) as server:
        made = asked_of(server, folder, "predict.concurrency=2", "data.limit=4")
        assert rows_of(predict.predict(made)) == [row(f"p{i}") for i in range(4)]
        assert server.most_under_way == 2


def test_a_photo_that_could_not_be_read_is_not_opened_again(folder):
    """Only requests are asked again: a photo that was mended is of another table."""
    partial = folder / "out" / "p.jsonl.partial.jsonl"
    partial.parent.mkdir()
    with ChatServer(lambda asked: ANSWER) as server:
        made = asked_of(server, folder, "data.limit=2")
        lines = [{"run": answering._run_id(made)}, without("p0", "image_unreadable")]
        partial.write_text("".join(json.dumps(line) + "\n" for line in lines))
        found = rows_of(predict.predict(made))
    assert found == [without("p0", "image_unreadable"), row("p1")]
    assert len(server.requests) == 1


def test_answers_are_read_tolerantly_and_say_how(folder):
    said = iter(["12.5 N, 15 E", "somewhere in Chad", "", "(1.0, 2.0) or (3.0, 4.0)"])
    with ChatServer(lambda asked: next(said)) as server:
        made = asked_of(server, folder, "predict.concurrency=1")
        found = {one["id"]: one for one in rows_of(predict.predict(made))}
    assert (found["p0"]["lat"], found["p0"]["lon"]) == (12.5, 15.0)
    assert found["p0"]["answer"] == "12.5 N, 15 E"
    assert found["p1"]["lat"] is None
    assert found["p2"]["answer"] == ""
    assert len({one["status"] for one in found.values()}) >= 3
    assert all(one["status"] not in ("request_failed", None) for one in found.values())


def test_the_file_is_as_its_ending_says(folder):
    with ChatServer(lambda asked: "é") as server:
        for ending in ("csv", "tsv", "parquet", "jsonl"):
            target = folder / "new" / f"p.{ending}"
            made = asked_of(server, folder, f"predict.output={target}", "data.limit=1")
            assert predict.predict(made) == target
    lines = (folder / "new" / "p.csv").read_text("utf-8").splitlines()
    assert lines[0] == '"id","answer","lat","lon","status"'
    assert lines[1].startswith('"p0","é",,,"')
    assert (folder / "new" / "p.tsv").read_text("utf-8").splitlines()[0].count("\t") == 4
    assert '"é"' in (folder / "new" / "p.jsonl").read_text("utf-8")
    schema = pq.read_schema(folder / "new" / "p.parquet")
    assert [(field.name, str(field.type)) for field in schema] == [
        ("id", "string"), ("answer", "string"), ("lat", "double"), ("lon", "double"),
        ("status", "string"),
    ]  # fmt: skip


# ---- a model that is loaded here


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_local_model_answers_each_photo_once_in_batches_of_the_run(folder, monkeypatch, capsys):
    asked, draws = [], []

    def generate(model, processor, images, chats, options):
        draws.append(torch.rand(1).item())
        asked.append([image.getpixel((0, 0))[0] // 40 for image in images])
        assert len(images) == len(chats)
        assert options.max_tokens == 5
        assert not model.training
        return [f"Coordinates: ({image.getpixel((0, 0))[0] // 40}.500000, 7.000000)"
                for image in images]  # fmt: skip

    monkeypatch.setattr(answering.held_out, "generate", generate)
    small = load(None, ["model.hidden=48", "model.layers=1", "model.vision_layers=1"]).model
    model, processor = models.load(small, texts=["Where?"])
    model.save_pretrained(folder / "model")
    processor.save_pretrained(folder / "model")
    made = run(folder, f"model.name={folder / 'model'}", "predict.batch=2", "predict.max_tokens=5",
               "seed=7")  # fmt: skip
    found = rows_of(predict.predict(made))
    assert asked == [[0, 1], [2], [4]]
    torch.manual_seed(7)  # which decides the draws of all batches, whatever was drawn before
    assert draws == [torch.rand(1).item() for _ in range(3)]
    assert [one["id"] for one in found] == [f"p{i}" for i in range(5)]
    assert [one["lat"] for one in found] == [0.5, 1.5, 2.5, None, 4.5]
    assert found[3] == without("p3", "image_unreadable")
    assert "image of row 'p3'" in capsys.readouterr().out
