"""Servers of steps d and e, over real connections: what they are asked, what is kept of it."""

import base64
import hashlib
import io
import json

import pytest
from PIL import Image

from georl.config import AgreeConfig, ConfigError, load_reason
from georl.reasoning import seeing, similarity
from georl.reasoning.calls import Calls

from .world import JsonServer


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("georl.endpoints.LONGEST_PAUSE_S", 0.01)


def name(*parts):
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def kept(folder):
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]


VECTORS = {"tram": [3.0, 4.0], "train": [4.0, 3.0], "wall": [0.0, 2.0]}


def test_embeddings_are_compared_by_their_least_angle_and_kept(tmp_path):
    with JsonServer(lambda body: {"data": [{"embedding": VECTORS[body["input"]]}]}) as server:
        config = AgreeConfig(url=server.url, model="minilm", retries=0)
        with Calls(tmp_path) as calls:
            measure = similarity.Similarity(config, calls)
            found = measure.least([["tram", "train", "wall"], ["tram", "tram"], ["wall", "train"]])
            assert found == pytest.approx([0.6, 1.0, 0.6])
            assert measure.least([["tram", "wall"]]) == pytest.approx([0.8])
    assert sorted(body["input"] for body in server.requests) == ["train", "tram", "wall"]
    assert {body["model"] for body in server.requests} == {"minilm"}
    kind = name("embedding", "minilm")
    assert {one["key"] for one in kept(tmp_path)} == {name(text, kind) for text in VECTORS}
    assert {one["kind"] for one in kept(tmp_path)} == {kind}


def test_of_a_long_text_the_beginning_is_sent(tmp_path):
    """Servers refuse texts that are too long; two that begin alike are one call."""
    with JsonServer(lambda _: {"data": [{"embedding": [1.0]}]}) as server:
        config = AgreeConfig(url=server.url, model="m", concurrency=1)
        with Calls(tmp_path) as calls:
            measure = similarity.Similarity(config, calls)
            assert measure.least([["x" * 8000 + "a", "x" * 8000 + "b"]]) == [1.0]
    assert [body["input"] for body in server.requests] == ["x" * 8000]


def test_without_a_server_the_least_of_a_group_counts_too(tmp_path):
    with Calls(tmp_path) as calls:
        measure = similarity.Similarity(AgreeConfig(), calls)
        assert measure.least([["tram", "tram", "wall"], ["tram", "trams"]]) == [0.0, 1.0]


def test_a_server_that_refuses_every_text_ends_the_step(tmp_path):
    with JsonServer(lambda _: 401) as server, Calls(tmp_path) as calls:
        measure = similarity.Similarity(AgreeConfig(url=server.url, model="m"), calls)
        with pytest.raises(
            ConfigError, match=rf"^agree: {server.url} refuses every text: HTTP 401"
        ):
            measure.least([["a", "b"]])


def witness(tmp_path, url, calls, *more):
    given = [f"verify.url={url}", "verify.model=owl", f"photos.image_root={tmp_path}",
             "photos.max_pixels=392", "verify.min_score=0.5", *more]  # fmt: skip
    return seeing.Witness(load_reason(None, given), calls)


def row(**more):
    return {"id": "x", "kept": True, "step": None, "reason": None, "detail": None,
            "image": "a.png", "entities": ["tram", "sea"]} | more  # fmt: skip


def test_a_detector_is_shown_the_photo_and_told_what_to_look_for(tmp_path):
    Image.new("RGB", (28, 28)).save(tmp_path / "a.png")
    seen = [{"label": "tram", "score": 0.5}, {"label": "sea", "score": 0.49}]
    with JsonServer(lambda _: seen) as server, Calls(tmp_path) as calls:
        eyes = witness(tmp_path, server.url, calls, "verify.min_share=0.5")
        assert eyes.judged([row()]) == [row(entities=["tram"])]
        assert eyes.judged([row()]) == [row(entities=["tram"])]
    (body,) = server.requests
    assert body["parameters"] == {"candidate_labels": ["tram", "sea"]}
    assert body["model"] == "owl"
    with Image.open(io.BytesIO(base64.b64decode(body["inputs"]))) as shown:
        assert shown.size == (19, 19)
    (one,) = kept(tmp_path)
    photo = hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    kind = name("detection", "owl", 392)
    assert (one["kind"], one["key"]) == (kind, name(photo, ["tram", "sea"], kind))


def test_a_detector_that_fails_is_tried_so_often(tmp_path):
    Image.new("RGB", (28, 28)).save(tmp_path / "a.png")
    with JsonServer(lambda _: 503) as server, Calls(tmp_path) as calls:
        eyes = witness(tmp_path, server.url, calls, "verify.retries=2")
        (found,) = eyes.judged([row()])
    assert len(server.requests) == 3
    assert (found["step"], found["reason"]) == ("verify", "request_failed")
    assert found["detail"].startswith("HTTP 503")


def test_a_photo_that_cannot_be_shown_is_dropped_before_anybody_is_asked(tmp_path):
    (tmp_path / "a.png").write_bytes(b"<html>")
    with JsonServer(lambda _: []) as server, Calls(tmp_path) as calls:
        eyes = witness(tmp_path, server.url, calls)
        broken, gone = eyes.judged([row(), row(image="b.png")])
        assert server.requests == []
    assert (broken["reason"], gone["reason"]) == ("image_unreadable", "image_missing")
    assert "b.png" in gone["detail"]


def test_a_file_of_visible_things_needs_ids(tmp_path):
    with Calls(tmp_path) as calls:
        (tmp_path / "seen.csv").write_text("entities,more\na,b\n")
        with pytest.raises(ConfigError, match="needs columns id and entities; it has entities, mo"):
            seeing.Witness(load_reason(None, [f"verify.file={tmp_path / 'seen.csv'}"]), calls)
