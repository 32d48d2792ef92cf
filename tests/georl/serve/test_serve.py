"""georl serve: OpenAI's chat completions with images and log-probabilities, over a real socket."""

import base64
import io
import json
import math
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

from geodata import tables
from georl import models, reasoning, rewards
from georl.config import ConfigError, ModelConfig
from georl.endpoints import Endpoint, picture
from georl.reasoning import prompt
from georl.serve import listening, requests
from tests.georl.reasoning import world

ROOT = Path(__file__).parents[3]
PHOTO = Image.new("RGB", (56, 56), (40, 90, 160))


@pytest.fixture(scope="module")
def little(tmp_path_factory):
    """The folder of an untrained tiny model."""
    folder = tmp_path_factory.mktemp("models") / "little"
    texts = [prompt.QUESTION, "yes", "no", "Where?"] * 20
    model, processor = models.load(ModelConfig(), texts=texts, seed=0)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def server(little):
    """The base URL of ``georl serve`` in a process of its own."""
    words = [sys.executable, "-m", "georl.cli", "serve", str(little), "--port", "0"]
    run = subprocess.Popen(
        words, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        for line in run.stdout:
            if found := re.search(r"little is served at (http://127\.0\.0\.1:\d+/v1)", line):
                yield found[1]
                break
        else:
            pytest.fail("the server ended before it listened")
    finally:
        run.terminate()
        run.wait()
        run.stdout.close()


def test_the_name_and_the_address_are_those_that_were_given(little):
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "georl.cli", "serve", str(little), "--port", str(port),
             "--name", "judge", "--host", "127.0.0.2", "--revision", "none"]  # fmt: skip
    with subprocess.Popen(
        words, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as run:  # fmt: skip
        told = run.stdout.readline()
        run.terminate()
    assert told == f"judge is served at http://127.0.0.2:{port}/v1\n"


def test_an_application_bears_the_name_that_was_given(little):
    assert listening.application(str(little)).title == "little"
    assert listening.application(str(little), name="judge").title == "judge"


@pytest.mark.parametrize("start", [listening.application, listening.listen])
def test_a_name_of_the_hub_needs_its_commit(start, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(ConfigError, match="its commit is not pinned"):
        start("mine/model")
    with pytest.raises(ConfigError, match=r"cannot be (reached|loaded)"):
        start("mine/model", revision="0" * 40)


def chat(text="Where?", image=PHOTO):
    parts = [picture(image)] if image is not None else []
    return [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}]


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def post(server, body, path="chat/completions"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{server}/{path}", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_models_are_listed(server):
    with urllib.request.urlopen(f"{server}/models", timeout=60) as response:
        found = json.load(response)
    assert [one["id"] for one in found["data"]] == ["little"]


def test_a_reply_with_log_probabilities(server):
    body = {"model": "little", "messages": chat(), "max_tokens": 6, "temperature": 0,
            "logprobs": True, "top_logprobs": 5}  # fmt: skip
    status, reply = post(server, body)
    assert status == 200
    choice = reply["choices"][0]
    tokens = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens).startswith(choice["message"]["content"])
    assert len(tokens) == reply["usage"]["completion_tokens"] <= 6
    assert choice["finish_reason"] in ("stop", "length")
    for token in tokens:
        top = [one["logprob"] for one in token["top_logprobs"]]
        assert len(top) == 5
        assert top == sorted(top, reverse=True)
        assert token["logprob"] <= 0
        assert sum(map(math.exp, top)) <= 1.0 + 1e-6
    assert post(server, body)[1]["choices"] == reply["choices"]  # greedy: the same again


def test_the_image_and_its_place_count(server):
    asked = Endpoint(server, "little", None, 0)
    told = {"max_tokens": 1, "top_logprobs": 20}
    blue = asked.chat(chat(), **told)
    red = asked.chat(chat(image=Image.new("RGB", (56, 56), (250, 10, 10))), **told)
    none = asked.chat(chat(image=None), **told)
    assert blue.first != red.first != none.first
    assert blue.tokens[0] > none.tokens[0]
    assert blue.tokens[1] == 1


def test_log_probabilities_are_those_of_the_model(server, little):
    """The judge that is loaded here and the one behind the server see the same."""

    model, processor = models.load(ModelConfig(name=str(little)))
    import torch

    asked = [{"type": "image", "image": PHOTO.convert("RGB")}, {"type": "text", "text": "Where?"}]
    given = processor.apply_chat_template(
        [[{"role": "user", "content": asked}]], add_generation_prompt=True, tokenize=True,
        return_dict=True, processor_kwargs={"return_tensors": "pt"},
    )  # fmt: skip
    with torch.no_grad():
        expected = model.eval()(**given).logits[0, -1].float().log_softmax(-1)
    body = {"model": "little", "messages": chat(), "max_tokens": 1, "temperature": 0,
            "logprobs": True, "top_logprobs": 3}  # fmt: skip
    top = post(server, body)[1]["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    found = [one["logprob"] for one in top]
    assert found == pytest.approx(expected.topk(3).values.tolist(), abs=0.05)  # JPEG moves pixels
    assert rewards.TOP <= requests.MAX_TOP


def test_an_answer_is_finished_where_its_last_token_ends_it(little):
    from georl.serve.speaker import Speaker

    speaker = Speaker(str(little))
    chat = [{"role": "user", "content": [{"type": "text", "text": "Where?"}]}]
    asked = requests.Asked(chat, 4, 0.0, None, 1)
    generation = speaker._model.generation_config
    generation.eos_token_id = None
    whole = speaker.answer(asked)
    assert (whole.answered, whole.finished) == (4, False)
    vocabulary = speaker._processor.tokenizer.get_vocab()
    by_text = {speaker._processor.tokenizer.decode([i]): i for i in vocabulary.values()}
    first = by_text[whole.tokens[0].text]
    for ends, finished in ((first, True), ([first], True), (len(vocabulary) + 10**6, False)):
        generation.eos_token_id = ends
        said = speaker.answer(asked)
        assert said.finished is finished
        assert said.answered == (1 if finished else 4)


def test_seeds_decide_the_draws(server):
    def draw(seed):
        body = {"model": "little", "messages": chat(), "max_tokens": 8, "temperature": 1.5}
        return post(server, body | {"seed": seed})[1]["choices"][0]["message"]["content"]

    assert draw(1) == draw(1)
    assert len({draw(seed) for seed in range(4)}) > 1


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"model": "other"}, 404, "there is no model 'other' here; it is 'little'"),
        ({"model": None}, 404, "there is no model None"),
        ({"messages": []}, 400, "messages is empty"),
        ({"messages": "Where?"}, 400, "messages is empty"),
        ({"messages": [{"role": "owner", "content": "x"}]}, 400, "role must be one of system"),
        ({"messages": [{"role": "user", "content": 3}]}, 400, "content must be text or a list"),
        ({"messages": [{"role": "user", "content": [{"type": "audio"}]}]}, 400, "neither text nor"),
        ({"max_tokens": 0}, 400, "max_tokens is 0; give a whole number from 1 to 4096"),
        ({"max_tokens": "5"}, 400, "max_tokens is '5'"),
        ({"max_tokens": 4000}, 400, "together they may be 1024"),
        ({"temperature": 3}, 400, "temperature is 3; give a number from 0 to 2"),
        ({"temperature": True}, 400, "temperature is True"),
        ({"seed": -1}, 400, "seed is -1"),
        ({"top_logprobs": 5}, 400, "top_logprobs needs logprobs=true"),
        ({"logprobs": True, "top_logprobs": 21}, 400, "top_logprobs is 21"),
        ({"logprobs": 1}, 400, "logprobs is 1; give true or false"),
        ({"n": 2}, 400, "n is 2; only 1"),
        ({"stream": True}, 400, "stream is True; only False"),
        ({"tools": []}, 400, "'tools' is not served here"),
    ],
)
def test_what_is_not_served_is_refused_in_words(server, change, status, message):
    code, said = post(server, {"model": "little", "messages": chat(), "max_tokens": 2} | change)
    assert code == status
    assert message in said["error"]["message"]


@pytest.mark.parametrize(
    ("url", "status", "message"),
    [
        ("http://example.org/a.jpg", 400, "nothing is downloaded"),
        ("file:///etc/passwd", 400, "nothing is downloaded"),
        ("data:image/png;base64,####", 422, "cannot be read"),
        ("data:image/png;base64,aGVsbG8=", 422, "cannot be read"),
        (7, 400, "an image is a data URL"),
    ],
)
def test_images_that_are_none(server, url, status, message):
    parts = [{"type": "image_url", "image_url": {"url": url}}]
    code, said = post(server, {"model": "little", "messages": [{"role": "user", "content": parts}]})
    assert code == status
    assert message in said["error"]["message"]


@pytest.mark.parametrize(
    ("text", "image", "message"),
    [
        ("Where <|image_pad|>?", None, "no images were passed"),
        ("Where <|image_pad|>?", PHOTO, "the same as the number of images"),
        ("Where \ud800?", None, "does not take the chat"),
        ("Where?", PHOTO.resize((201, 1)), "absolute aspect ratio must be smaller than 200"),
    ],
)
def test_a_chat_that_no_processor_takes_is_refused_in_words(server, text, image, message):
    """The client hears what is wrong, in place of an internal error of the server."""
    parts = [{"type": "image_url", "image_url": {"url": png(image)}}] if image else []
    turns = [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}]
    code, said = post(server, {"model": "little", "messages": turns, "max_tokens": 2})
    assert code == 400
    assert said["error"]["message"].startswith("the model's processor does not take the chat: ")
    assert message in said["error"]["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_request(server, content):
    code, said = post(server, content)
    assert (code, said["error"]["message"]) == (400, "the body is no JSON object")


def test_a_body_that_is_too_large(server, monkeypatch):
    code, said = post(server, b"x" * (requests.MAX_BODY_BYTES + 1))
    assert code == 413
    assert "larger than 32 MiB" in said["error"]["message"]


def test_the_pipeline_and_the_judge_ask_it(server, tmp_path):
    """An untrained model says nothing of use; every byte of it arrives, and is counted."""
    world.photos(tmp_path, 2)
    given = ["models.a.model=little", "models.b.model=little", "models.b.temperature=0.5",
             "models.b.seed=1", "models.a.max_tokens=8", "models.b.max_tokens=8",
             "models.a.timeout_s=120", "models.b.timeout_s=120"]  # fmt: skip
    built = reasoning.build(world.config(tmp_path, {"a": server, "b": server}, *given))
    assert (built.rows, built.kept) == (2, 0)
    note = tables.open(built.table).note
    assert note["report"]["ask"] == {"unreadable": 2}
    assert note["models_served"] == {"a": "little", "b": "little"}
    judged = rewards.localizability(url=server, model="little", retries=0)
    judged(["<think>A tram.</think><answer>x</answer>"], image=[PHOTO])
    assert sum(judged.counts.values()) == 1


def test_what_is_missing_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigError, match=r"georl serve needs uvicorn.*pip install '.\[serve\]'"):
        listening.listen(str(tmp_path))
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="is not a folder here"):
        listening.application(str(tmp_path / "none"))
