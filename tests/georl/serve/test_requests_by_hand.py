"""Requests and replies of georl serve, field by field and without a socket."""

import asyncio
import base64
import contextlib
import inspect
import io
import json
import math
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

pytest.importorskip("fastapi")

from georl.serve import listening, requests, speaker
from georl.serve.requests import Asked, RequestError, asked
from georl.serve.speaker import Spoken, Token

TURNS = [{"role": "user", "content": "Where?"}]
CHAT = [{"role": "user", "content": [{"type": "text", "text": "Where?"}]}]


def url(image, kind="image/png", form="PNG"):
    buffer = io.BytesIO()
    image.save(buffer, form)
    return f"data:{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


# --- what is asked for ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, Asked(CHAT, 256, 1.0, None, None)),
        ({"max_tokens": 1, "temperature": 0, "seed": 0}, Asked(CHAT, 1, 0.0, 0, None)),
        ({"max_tokens": 4096, "temperature": 2, "seed": (1 << 63) - 1},
         Asked(CHAT, 4096, 2.0, (1 << 63) - 1, None)),
        ({"max_completion_tokens": 7}, Asked(CHAT, 7, 1.0, None, None)),
        ({"max_tokens": None, "max_completion_tokens": 7}, Asked(CHAT, 7, 1.0, None, None)),
        ({"max_tokens": 5, "max_completion_tokens": 7}, Asked(CHAT, 5, 1.0, None, None)),
        ({"logprobs": True}, Asked(CHAT, 256, 1.0, None, 0)),
        ({"logprobs": True, "top_logprobs": 20}, Asked(CHAT, 256, 1.0, None, 20)),
        ({"logprobs": False, "top_logprobs": 0}, Asked(CHAT, 256, 1.0, None, None)),
        ({"logprobs": None, "top_logprobs": None}, Asked(CHAT, 256, 1.0, None, None)),
        ({"temperature": None, "seed": None}, Asked(CHAT, 256, 1.0, None, None)),
        ({"n": 1, "stream": False, "top_p": 1, "user": "me", "metadata": {"a": 1}, "model": "m"},
         Asked(CHAT, 256, 1.0, None, None)),
        ({"n": None, "stream": None, "top_p": None}, Asked(CHAT, 256, 1.0, None, None)),
    ],
)  # fmt: skip
def test_what_a_request_asks_for(body, found):
    assert asked({"messages": TURNS} | body) == found
    assert type(asked({"messages": TURNS} | body).temperature) is float


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"max_tokens": 4097}, "max_tokens is 4097; give a whole number from 1 to 4096"),
        ({"max_completion_tokens": 0}, "max_completion_tokens is 0; give a whole number from 1 to"),
        ({"max_tokens": True}, "max_tokens is True; give a whole number from 1 to 4096"),
        ({"max_tokens": 5.0}, "max_tokens is 5.0; give a whole number from 1 to 4096"),
        ({"seed": 1 << 63}, f"seed is {1 << 63}; give a whole number from 0 to {(1 << 63) - 1}"),
        ({"top_logprobs": 1}, "top_logprobs needs logprobs=true"),
        ({"logprobs": True, "top_logprobs": -1}, "top_logprobs is -1; give a whole number from 0"),
        ({"logprobs": "yes"}, "logprobs is 'yes'; give true or false"),
        ({"temperature": -0.1}, "temperature is -0.1; give a number from 0 to 2"),
        ({"temperature": 2.01}, "temperature is 2.01; give a number from 0 to 2"),
        ({"temperature": math.nan}, "temperature is nan; give a number from 0 to 2"),
        ({"temperature": "1"}, "temperature is '1'; give a number from 0 to 2"),
        ({"temperature": "9" * 99}, "temperature is '" + "9" * 79 + "; give a number from 0 to 2"),
        ({"top_p": 0.9}, "top_p is 0.9; only 1 is served here"),
        ({"stop": "x"}, "'stop' is not served here; leave it out (served: messages, max_tokens, "
         "max_completion_tokens, temperature, seed, logprobs, top_logprobs)"),
        *(({"messages": none}, "messages is empty; give one turn or more") for none in (None, [])),
        ({"messages": [TURNS[0], "Where?"]}, "messages[1].role must be one of system, user, assis"),
        ({"messages": [{"role": "user"}]}, "messages[0].content must be text or a list of parts"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content must be text or a"),
        ({"messages": [{"role": "user", "content": ["Where?"]}]}, "messages[0].content holds a part"
         " that is neither text nor image_url"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 3}]}]},
         "messages[0].content holds a part that is neither text nor image_url"),
    ],
)  # fmt: skip
def test_what_a_request_may_not_ask_for(body, said):
    with pytest.raises(RequestError) as error:
        asked({"messages": TURNS} | body)
    assert str(error.value).startswith(said)
    assert error.value.status == 400


def test_turns_keep_their_order_their_roles_and_their_parts():
    photo = Image.new("L", (3, 2), 7)
    parts = [{"type": "image_url", "image_url": {"url": url(photo)}},
             {"type": "text", "text": "Where?"}]  # fmt: skip
    turns = [{"role": "system", "content": "Be short."}, {"role": "user", "content": parts},
             {"role": "assistant", "content": "Chad"}]  # fmt: skip
    first, second, third = asked({"messages": turns}).chat
    assert first == {"role": "system", "content": [{"type": "text", "text": "Be short."}]}
    assert third == {"role": "assistant", "content": [{"type": "text", "text": "Chad"}]}
    shown, text = second["content"]
    assert text == {"type": "text", "text": "Where?"}
    assert (shown["type"], shown["image"].mode, shown["image"].size) == ("image", "RGB", (3, 2))
    assert shown["image"].getpixel((0, 0)) == (7, 7, 7)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("data:text/plain;base64,aGVsbG8=", 400),
        ("data:image/png,aGVsbG8=", 400),
        ("data:image/png;" + "a=b;" * 16 + "base64,aGVsbG8=", 400),  # too far behind
        ("DATA:image/png;base64,aGVsbG8=", 400),
        ("data:image/png;base64,aGVsbG8", 422),
        ("data:image/png;base64,aGVs bG8=", 422),
        ("data:image/png;base64,", 422),
    ],
)
def test_what_is_no_image(address, status):
    parts = [{"type": "image_url", "image_url": {"url": address}}]
    with pytest.raises(RequestError, match=r"^messages\[0\]: ") as error:
        asked({"messages": [{"role": "user", "content": parts}]})
    assert error.value.status == status
    for held in (address, None, {}):
        parts = [{"type": "image_url", "image_url": held}]
        with pytest.raises(RequestError, match="an image is a data URL"):
            asked({"messages": [{"role": "user", "content": parts}]})


def test_all_that_stands_behind_the_comma_is_the_image():
    address = url(Image.new("RGB", (4, 4))).replace("base64,", "base64,aGVsbG8=,")
    parts = [{"type": "image_url", "image_url": {"url": address}}]
    with pytest.raises(RequestError, match="the image cannot be read") as error:
        asked({"messages": [{"role": "user", "content": parts}]})
    assert error.value.status == 422


def test_an_image_may_be_of_any_kind_that_is_read():
    parts = [{"type": "image_url", "image_url": {"url": url(Image.new("RGB", (4, 4)), k, f)}}
             for k, f in (("image/jpeg", "JPEG"), ("image/webp", "WEBP"))]  # fmt: skip
    (turn,) = asked({"messages": [{"role": "user", "content": parts}]}).chat
    assert [part["image"].size for part in turn["content"]] == [(4, 4)] * 2


def test_bodies_are_objects():
    assert requests.body_of(b'{"a": 1}') == {"a": 1}
    for content in (b"3", b"[]", b"{", b"", b'"a"'):
        with pytest.raises(RequestError, match="the body is no JSON object"):
            requests.body_of(content)


def test_a_body_is_read_up_to_its_bound(monkeypatch):
    monkeypatch.setattr(listening, "MAX_BODY_BYTES", 3 << 20)

    class Request:
        def __init__(self, *sizes):
            self.sizes = sizes

        async def stream(self):
            for size in self.sizes:
                yield b"x" * size

    whole = asyncio.run(listening._content(Request(1 << 20, 2 << 20)))
    assert whole == b"x" * (3 << 20)
    with pytest.raises(RequestError, match="the request is larger than 3 MiB") as error:
        asyncio.run(listening._content(Request(1 << 20, 2 << 20, 1)))
    assert error.value.status == 413


# --- what is said -----------------------------------------------------------------------------


@pytest.mark.parametrize(("finished", "why"), [(True, "stop"), (False, "length")])
def test_a_reply_has_the_form_of_openai_s(monkeypatch, finished, why):
    monkeypatch.setattr(listening.time, "time", lambda: 1234.9)
    spoken = Spoken("Chad", [], 11, 3, finished)
    reply = listening._reply(spoken, Asked(CHAT, 5, 0.0, None, None), "mine")
    assert reply.pop("id").startswith("chatcmpl-")
    assert reply == {
        "object": "chat.completion", "created": 1234, "model": "mine",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Chad"},
                     "finish_reason": why, "logprobs": None}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }  # fmt: skip


def test_a_token_is_told_with_its_bytes_and_its_rivals():
    spoken = Spoken("é!", [Token("é", -0.5, [("é", -0.5), ("a", -2.0)]), Token("!", 0.0, [])], 1, 2,
                    True)  # fmt: skip
    choice = listening._reply(spoken, Asked(CHAT, 5, 0.0, None, 2), "mine")["choices"][0]
    first, second = choice["logprobs"]["content"]
    alone = {"token": "é", "logprob": -0.5, "bytes": [0xC3, 0xA9]}
    rival = {"token": "a", "logprob": -2.0, "bytes": [97]}
    assert first == alone | {"top_logprobs": [alone, rival]}
    assert second == {"token": "!", "logprob": 0.0, "bytes": [33], "top_logprobs": []}


@pytest.mark.parametrize(("top", "likely"), [(0, []), (1, [2]), (2, [2, 0]), (9, [2, 0, 1])])
def test_log_probabilities_are_the_softmax_of_the_model_s_own_logits(top, likely):
    """Logits of three tokens whose probabilities are 0.25, 0.125 and 0.625."""
    logits = torch.tensor([[[0.25, 0.125, 0.625]]]).log() + 3.0
    voice = object.__new__(speaker.Speaker)
    decoded = SimpleNamespace(decode=lambda ids: "abc"[ids[0]])
    voice._processor = SimpleNamespace(tokenizer=decoded)
    (found,) = voice._tokens([1], logits, top)
    assert (found.text, found.logprob) == ("b", pytest.approx(math.log(0.125), abs=1e-6))
    assert [text for text, _ in found.top] == ["abc"[token] for token in likely]
    chances = [0.25, 0.125, 0.625]
    assert [value for _, value in found.top] == pytest.approx(
        [math.log(chances[token]) for token in likely], abs=1e-6
    )


def test_by_itself_it_listens_on_this_machine_only_at_the_port_that_vllm_has():
    usual = inspect.signature(listening.listen).parameters
    assert (usual["host"].default, usual["port"].default) == ("127.0.0.1", 8000)


def test_what_is_listened_to_is_the_model_that_was_named(monkeypatch, capsys):
    made, served = [], []

    class Uvicorn:
        class Config:
            def __init__(self, app, log_level):
                self.given = app, log_level

        class Server:
            def __init__(self, config):
                self.config = config

            def run(self, sockets):
                served.append((*self.config.given, [one.getsockname() for one in sockets]))

    def application(model, **more):
        made.append((model, more))
        return SimpleNamespace(title="mine")

    monkeypatch.setattr(listening, "_needed", {"uvicorn": Uvicorn}.get)
    monkeypatch.setattr(listening, "application", application)
    listening.listen("m", name="n", port=0, revision="r")
    assert made == [("m", {"name": "n", "revision": "r"})]
    ((app, level, [(host, port)]),) = served
    assert (app.title, level, host) == ("mine", "warning", "127.0.0.1")
    assert capsys.readouterr().out == f"mine is served at http://127.0.0.1:{port}/v1\n"


def test_a_speaker_is_the_model_at_its_commit(monkeypatch):
    made = []

    def load(config):
        made.append((config.name, config.revision))
        raise KeyboardInterrupt

    monkeypatch.setattr(speaker.models, "load", load)
    for given in (("mine/model", "0" * 40), ("folder",)):
        with pytest.raises(KeyboardInterrupt):
            speaker.Speaker(*given)
    assert made == [("mine/model", "0" * 40), ("folder", None)]


def test_the_one_model_is_listed(monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr(listening, "Speaker", lambda *given: made.append(given))
    app = listening.application(str(tmp_path / "."), name="mine", revision="r")
    assert made == [(str(tmp_path / "."), "r")]
    (models, complete) = app.routes
    assert models.endpoint() == {"object": "list", "data": [
        {"id": "mine", "object": "model", "created": 0, "owned_by": "georl"},
    ]}  # fmt: skip
    assert (models.methods, complete.methods) == ({"GET"}, {"POST"})
    assert [app.docs_url, app.redoc_url, app.openapi_url] == [None] * 3
    assert listening.application(str(tmp_path)).title == tmp_path.name


class Model:
    """Writes tokens 5 and 6, and remembers how it was asked."""

    def __init__(self, room):
        text = SimpleNamespace(max_position_embeddings=room)
        self.config = SimpleNamespace(get_text_config=lambda: text)
        self.generation_config = SimpleNamespace(eos_token_id=6)
        self.asked = []

    def generate(self, input_ids, **options):
        self.asked.append((options, torch.rand(1).item()))
        sequences = torch.cat([input_ids, torch.tensor([[5, 6]])], 1)
        return SimpleNamespace(sequences=sequences, logits=torch.zeros(2, 1, 8))


@pytest.fixture
def voice(monkeypatch):
    """A speaker whose processor makes three tokens of any chat."""
    monkeypatch.setattr(speaker.models, "special_ids", lambda processor: [1, 2])
    made = object.__new__(speaker.Speaker)
    tokenizer = SimpleNamespace(
        decode=lambda ids, skip_special_tokens=False: f"{list(ids)} {skip_special_tokens}"
    )
    prepared = []

    def apply(chats, **options):
        prepared.append((chats, options))
        return SimpleNamespace(to=lambda device: {"input_ids": torch.tensor([[7, 7, 7]])})

    made._processor = SimpleNamespace(tokenizer=tokenizer, apply_chat_template=apply)
    made._device, made._model, made._lock = "cpu", Model(10), contextlib.nullcontext()
    made.prepared = prepared
    return made


def test_a_chat_is_answered_as_it_asks(voice):
    said = voice.answer(Asked(CHAT, 7, 0.0, None, None))
    assert said == Spoken("[5, 6] True", [], 3, 2, True)
    assert voice.prepared == [([CHAT], {
        "add_generation_prompt": True, "tokenize": True, "return_dict": True,
        "processor_kwargs": {"return_tensors": "pt"},
    })]  # fmt: skip
    options, _ = voice._model.asked.pop()
    assert options == {
        "max_new_tokens": 7, "suppress_tokens": [1, 2], "return_dict_in_generate": True,
        "output_logits": False, "do_sample": False,
    }  # fmt: skip
    told = voice.answer(Asked(CHAT, 7, 0.5, None, 0))
    assert [token.text for token in told.tokens] == ["[5] False", "[6] False"]
    options, _ = voice._model.asked.pop()
    assert options["output_logits"] is True
    assert (options["do_sample"], options["temperature"], options["top_k"]) == (True, 0.5, 0)


def test_a_chat_and_its_answer_must_have_room(voice):
    assert voice.answer(Asked(CHAT, 7, 0.0, None, None)).answered == 2
    with pytest.raises(RequestError) as error:
        voice.answer(Asked(CHAT, 8, 0.0, None, None))
    assert str(error.value) == "the chat has 3 tokens and max_tokens is 8; together they may be 10"
    voice._model.config.get_text_config = SimpleNamespace  # a model that names no bound
    assert voice.answer(Asked(CHAT, 8, 0.0, None, None)).answered == 2


def test_a_seed_decides_the_draws_and_leaves_those_of_others_alone(voice):
    torch.manual_seed(1)
    expected = torch.rand(2).tolist()
    torch.manual_seed(1)
    here = [torch.rand(1).item()]
    for _ in range(2):
        voice.answer(Asked(CHAT, 2, 1.0, 5, None))
    here.append(torch.rand(1).item())
    assert here == expected
    draws = [draw for _, draw in voice._model.asked]
    torch.manual_seed(5)
    assert draws == [torch.rand(1).item()] * 2


@pytest.mark.parametrize("ends", [6, [4, 6]])
def test_an_answer_ends_with_an_end(voice, ends):
    voice._model.generation_config.eos_token_id = ends
    assert voice.answer(Asked(CHAT, 2, 0.0, None, None)).finished
    voice._model.generation_config.eos_token_id = 5  # in the middle is no end
    assert not voice.answer(Asked(CHAT, 2, 0.0, None, None)).finished
    assert json.dumps(voice.answer(Asked(CHAT, 2, 0.0, None, None)).asked) == "3"
