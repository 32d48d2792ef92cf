"""A judge that is loaded here, asked word by word, and how one behind a server is reached."""

import inspect
import math
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from georl import models, rewards
from georl.config import ModelConfig
from georl.endpoints import EndpointError
from georl.rewards import judge, verdicts


def photo(grey):
    return Image.new("RGB", (56, 56), (grey,) * 3)


@pytest.fixture(scope="module")
def processor():
    return models.load(ModelConfig(), texts=["yes", "no", "Is it? Is it not? "] * 20, seed=0)[1]


def test_a_model_here_is_asked_in_its_own_words_and_read_at_its_last_place(processor, monkeypatch):
    """The model is a stand-in that says yes to the first, no to the second, each three to one."""
    ids = {text: processor.tokenizer.encode(text)[0] for text in ("yes", "no")}
    assert [processor.tokenizer.decode([number]) for number in ids.values()] == ["yes", "no"]
    given, modes = [], []

    class Model:
        device = torch.device("cpu")

        def __call__(self, **inputs):
            given.append(inputs)
            modes.append(torch.is_grad_enabled())
            count, length = inputs["input_ids"].shape
            logits = torch.full((count, length, len(processor.tokenizer)), -100.0)
            for row in range(count):
                for place in range(length):
                    says = (place == length - 1) == (row == 0)
                    logits[row, place, ids["yes" if says else "no"]] = math.log(3)
                    logits[row, place, ids["no" if says else "yes"]] = 0.0
            return SimpleNamespace(logits=logits.to(torch.bfloat16))

    monkeypatch.setattr(verdicts, "_loaded", lambda name: (Model(), processor))
    said = verdicts.loaded_here("judge")([(photo(9), "Is it?"), (photo(200), "Is it? Is it not?")])
    assert said == pytest.approx([0.75, 0.25], abs=2e-3)
    (inputs,) = given
    shown = f"<|im_start|>user\n<|vision_start|>{'<|image_pad|>' * 4}<|vision_end|>"
    first, second = (processor.tokenizer.decode(row) for row in inputs["input_ids"])
    assert second == f"{shown}Is it? Is it not?<|im_end|>\n<|im_start|>assistant\n"
    short = f"{shown}Is it?<|im_end|>\n<|im_start|>assistant\n"
    assert first.endswith(short)
    assert set(first.removesuffix(short).split("<|endoftext|>")) == {""}  # padded on the left
    pads = (inputs["attention_mask"] == 0).sum(1).tolist()
    assert pads[0] > pads[1] == 0
    assert inputs["pixel_values"][:16].mean() < inputs["pixel_values"][16:].mean()
    assert modes == [False]


def test_so_many_questions_are_asked_in_one_pass(monkeypatch):
    passes = []

    def asked(name, rows):
        passes.append((name, len(rows)))
        return [row[1] for row in rows]

    monkeypatch.setattr(verdicts, "_pass", asked)
    rows = [(None, n / 40) for n in range(40)]
    assert verdicts.loaded_here("folder")(rows) == [n / 40 for n in range(40)]
    assert passes == [("folder", 16), ("folder", 16), ("folder", 8)]
    assert verdicts.loaded_here("folder")([]) == []


def test_only_the_likeliest_words_count(processor, monkeypatch):
    """Twenty of them: what a server gives. The two words below those are no verdict."""
    ids = [processor.tokenizer.encode(text)[0] for text in ("yes", "no")]
    others = [n for n in range(len(processor.tokenizer)) if n not in ids]

    def says(above):
        logits = torch.full((1, 1, len(processor.tokenizer)), -50.0)
        logits[0, 0, others[:above]] = 5.0
        logits[0, 0, ids] = torch.tensor([4.0, 4.0])
        model = SimpleNamespace(logits=logits)
        stand_in = type("M", (), {"device": "cpu", "__call__": lambda self, **_: model})()
        monkeypatch.setattr(verdicts, "_loaded", lambda name: (stand_in, processor))
        return verdicts.loaded_here("judge")([(photo(1), "Is it?")])[0]

    assert says(18) == pytest.approx(0.5)
    assert says(19) in (0.0, 1.0)  # one of the two
    assert isinstance(says(20), EndpointError)


def test_a_judge_is_loaded_once_and_to_answer(tmp_path, monkeypatch):
    loads = []

    def load(config):
        loads.append(config)
        return torch.nn.Linear(1, 1).train(), "processor"

    monkeypatch.setattr(models, "load", load)
    verdicts._loaded.cache_clear()
    for _ in range(2):
        model, processor = verdicts._loaded("folder")
        assert (model.training, processor) == (False, "processor")
    verdicts._loaded.cache_clear()
    assert loads == [ModelConfig(name="folder")]
    assert next(model.parameters()).device.type == (
        "cuda" if torch.cuda.is_available() else "cpu"
    )  # fmt: skip


# ---- behind a server


def test_a_server_is_reached_as_it_is_asked_for(monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr(judge, "Endpoint", lambda *given: made.append(given) or "the server")
    monkeypatch.setattr(judge, "Pace", lambda rate: made.append(rate) or "the pace")
    monkeypatch.setattr(judge, "behind", lambda *given: made.append(given) or "the judge")
    reward = rewards.localizability(
        url="http://h:1/v1", model="m", key_variable="A_API_KEY", retries=7, timeout_s=8.0,
        requests_per_second=9.0, concurrency=10, image_root=str(tmp_path),
    )  # fmt: skip
    assert made == [
        ("http://h:1/v1", "m", "A_API_KEY", 7, 8.0), 9.0, ("the server", "the pace", 10),
    ]  # fmt: skip
    assert (reward._judge, reward._root) == ("the judge", tmp_path)
    monkeypatch.setattr(judge, "loaded_here", lambda name: f"the folder {name}")
    reward = rewards.localizability(model="here", image_root=str(tmp_path))
    assert (reward._judge, reward._root) == ("the folder here", tmp_path)
    assert len(made) == 3


def test_what_is_not_said_of_a_judge():
    defaults = {
        name: one.default
        for name, one in inspect.signature(judge.localizability).parameters.items()
    }
    assert defaults == {
        "url": None, "model": None, "key_variable": "OPENAI_API_KEY", "retries": 4,
        "timeout_s": 60.0, "requests_per_second": 0.0, "concurrency": 8, "image_root": ".",
    }  # fmt: skip


def test_questions_keep_their_order_and_one_error_its_row():
    """Three at a time; the first is answered last."""
    import time

    asked = []

    class Server:
        def chat(self, chat, **options):
            ((kind, text),) = [(turn["role"], turn["content"][1]["text"]) for turn in chat]
            assert (kind, chat[0]["content"][0]["type"]) == ("user", "image_url")
            asked.append(options)
            time.sleep(0.05 if text == "0" else 0.0)
            if text == "1":
                raise EndpointError("it sleeps")
            return SimpleNamespace(first={"yes": float(text) / 10, "no": 1 - float(text) / 10})

    said = verdicts.behind(Server(), "the pace", 3)([(photo(1), str(n)) for n in range(5)])
    assert isinstance(said.pop(1), EndpointError)
    assert said == pytest.approx([0.0, 0.2, 0.3, 0.4])
    assert asked == [{"max_tokens": 1, "top_logprobs": 20, "pace": "the pace"}] * 5


def test_of_several_failures_the_last_is_told():
    failures = iter([EndpointError("it sleeps"), EndpointError("it left"), 0.5])
    judged = rewards.Localizability(lambda rows: [next(failures) for _ in rows])
    thought = "<think>A red tram.</think><answer>x</answer>"
    for found, last in (([None], "it sleeps"), ([None], "it left"), ([0.5], "it left")):
        assert judged([thought], image=[photo(0)]) == found
        assert judged.told().endswith(f"(the last: {last})")
