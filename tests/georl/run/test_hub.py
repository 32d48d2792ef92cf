"""A model goes to the hub only where it is asked for: seen at a real server on this machine."""

import base64
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
import yaml

from georl import sft
from georl.config import ConfigError, check, load
from georl.run import JsonLines, checkpoints, hub

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as an upload needs; every request is noted."""

    def do_GET(self):
        """The repository is there, unless the hub refuses."""
        found = {"id": "me/model", "private": True}
        self.answer(*(({"error": "no"}, 403) if self.server.refuse else (found,)))

    def do_POST(self):
        if self.server.there and self.path.endswith("/repos/create"):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            here = f"http://127.0.0.1:{self.server.server_port}/me/model"
            self.answer({"error": "You already created this model repo", "url": here}, 409)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self.chunks()
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        here = f"http://127.0.0.1:{self.server.server_port}"
        if self.server.refuse:
            self.answer({"error": "no"}, 403)
        elif self.path.endswith("/repos/create"):
            self.answer({"url": f"{here}/me/model"})
        elif "/preupload/" in self.path:
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                for f in json.loads(body)["files"]
            ]
            self.answer({"files": files})
        else:
            self.answer({"commitUrl": f"{here}/me/model/commit/{'a' * 40}", "commitOid": "a" * 40})

    def chunks(self):
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, content, status=200):
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    made = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    made.seen, made.refuse, made.there = [], False, False
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{made.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_of_this_test")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def trained(tmp_path, *more):
    torch.set_num_threads(1)
    given = [*SMALL, f"data.places={write_places(tmp_path)}", f"output={tmp_path / 'out'}"]
    sizes = ["train.batch=8", "train.per_device=8", "train.max_steps=1"]
    return sft.train(load(None, [*given, *sizes, *more]))


def test_nothing_is_sent_without_being_asked_for(server, tmp_path):
    final = trained(tmp_path)
    assert server.seen == []
    assert not (final / "README.md").exists()


def test_the_final_model_is_sent_with_a_card_that_links_the_data(server, tmp_path):
    held = ["train.eval_steps=1", "data.eval_table=world", "data.eval_rows=4"]
    final = trained(tmp_path, "train.push_to=me/model", "data.dataset=me/photos", *held)
    paths = [path for path, _, _ in server.seen]
    assert paths[0].endswith("/api/repos/create")
    made = json.loads(server.seen[0][2])  # versions of the client say it in either way
    assert made.get("visibility") == "private" or made.get("private") is True
    assert {token for _, token, _ in server.seen} == {"Bearer hf_of_this_test"}
    body = next(body for path, _, body in server.seen if "/commit/" in path)
    rows = [json.loads(line) for line in body.splitlines()]
    files = {r["value"]["path"]: r["value"]["content"] for r in rows if r["key"] == "file"}
    assert set(files) == {path.name for path in final.iterdir()}
    assert (
        base64.b64decode(files["model.safetensors"]) == (final / "model.safetensors").read_bytes()
    )
    card = base64.b64decode(files["README.md"]).decode()
    about = yaml.safe_load(card.split("---")[1])
    assert about["datasets"] == ["me/photos"]
    assert "base_model" not in about
    assert "https://huggingface.co/datasets/me/photos" in card
    assert "| accuracy_25km | " in card
    assert "README.md" in checkpoints.verify(final)["files"]


@pytest.mark.parametrize("said", ["", None])
def test_without_an_address_the_client_s_own_is_taken(server, tmp_path, monkeypatch, said):
    monkeypatch.setattr("huggingface_hub.hf_api.constants.ENDPOINT", os.environ["HF_ENDPOINT"])
    monkeypatch.setenv("HF_ENDPOINT", said) if said is not None else monkeypatch.delenv(
        "HF_ENDPOINT"
    )
    (tmp_path / "config.json").write_text("{}")
    hub.push(load(None, ["train.push_to=me/model"]), tmp_path)
    assert server.seen[0][0].endswith("/api/repos/create")
    assert any("/commit/" in path for path, _, _ in server.seen)


def test_a_hub_that_refuses_leaves_the_model_and_says_how_to_send_it(server, tmp_path):
    server.refuse = True
    with pytest.raises(ConfigError, match=r"could not be sent to me/model.*hf upload me/model"):
        trained(tmp_path, "train.push_to=me/model")
    assert checkpoints.verify(tmp_path / "out" / "final")


def test_a_model_that_was_sent_before_is_sent_again(server, tmp_path):
    server.there = True
    (tmp_path / "config.json").write_text("{}")
    address = hub.push(load(None, ["train.push_to=me/model"]), tmp_path)
    assert address == f"{os.environ['HF_ENDPOINT']}/me/model/commit/{'a' * 40}"
    body = next(body for path, _, body in server.seen if "/commit/" in path)
    head = next(r["value"] for r in map(json.loads, body.splitlines()) if r["key"] == "header")
    assert head["summary"] == "Trained by georl"


def test_the_address_of_a_model_that_was_sent_is_told(server, tmp_path, capsys):
    trained(tmp_path, "train.push_to=me/model")
    assert f"sent to {os.environ['HF_ENDPOINT']}/me/model/commit/aaaa" in capsys.readouterr().out


def test_a_hub_that_is_not_there_leaves_the_model_and_says_how_to_send_it(
    server, tmp_path, monkeypatch
):
    """The network library's error is no OSError: the run ended with its traceback."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ConfigError) as error:
        hub.push(load(None, ["train.push_to=me/model"]), tmp_path)
    said = str(error.value)
    assert said.startswith(f"the model is in {tmp_path} and could not be sent to me/model: [Errno")
    assert said.endswith(f"; send it with hf upload me/model {tmp_path}")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionResetError(), "to me/model: ConnectionResetError; send"),
        (RuntimeError("first\nsecond"), "to me/model: first; send"),
    ],
)
def test_whatever_a_client_raises_is_one_line_that_says_where_the_model_is(
    monkeypatch, tmp_path, error, said
):
    def broken(*_, **__):
        raise error

    monkeypatch.setattr("huggingface_hub.HfApi.create_repo", broken)
    with pytest.raises(ConfigError) as told:
        hub.push(load(None, ["train.push_to=me/model"]), tmp_path)
    assert said in str(told.value)
    assert told.value.__cause__ is error


def test_a_token_is_asked_for_only_where_something_will_be_sent(monkeypatch):
    sends, keeps = load(None, ["train.push_to=me/model"]), load(None, [])
    monkeypatch.setattr(hub, "get_token", lambda: None)
    assert hub.no_token(keeps) is None
    assert hub.no_token(sends) == (
        "train.push_to is 'me/model' and there is no token for the hub; run hf auth login, or set "
        "HF_TOKEN, or leave train.push_to out"
    )
    monkeypatch.setattr(hub, "get_token", lambda: "hf_x")
    assert hub.no_token(sends) is None


def test_a_missing_token_is_told_before_the_work_starts(monkeypatch, tmp_path):
    monkeypatch.setattr(hub, "get_token", lambda: None)
    with pytest.raises(ConfigError, match="no token for the hub"):
        trained(tmp_path, "train.push_to=me/model")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["train.push_to=model", "data.dataset=a/b/c", "push_to=../x"])
def test_a_name_that_the_hub_would_refuse_is_refused_first(given):
    with pytest.raises(ConfigError, match="write owner/name"):
        check(load(None, [given]))


def test_the_card_names_a_hub_model_with_its_commit():
    run = load(None, ["model.name=Qwen/X", "model.revision=abc", "train.push_to=me/model"])
    text = hub.card(run, {})
    assert yaml.safe_load(text.split("---")[1])["base_model"] == "Qwen/X"
    assert "`Qwen/X` at commit `abc`" in text
    assert "Data: not published." in text


def test_a_card_to_the_letter(tmp_path):
    given = ["train.push_to=me/model", "task=grpo", "data.dataset=me/photos", "model.name=Qwen/X"]
    assert hub.card(load(None, given), {"eval_median_km": 123.456, "eval_reward": 0.25}) == (
        "---\nlibrary_name: transformers\npipeline_tag: image-text-to-text\n"
        "tags:\n- image-geolocalization\n- grpo\nbase_model: Qwen/X\n"
        "datasets:\n- me/photos\n---\n\n"
        "# model\n\nSays where a photo was taken. Trained by georl, `grpo`, from `Qwen/X`.\n\n"
        "Data: [me/photos](https://huggingface.co/datasets/me/photos).\n\n"
        "On held-out photos, after the last step:\n\n| score | value |\n|---|---|\n"
        "| median_km | 123.5 |\n| reward | 0.25 |\n"
    )
    here = hub.card(load(None, [f"model.name={tmp_path}", "model.revision=a", "push_to=me/m"]), {})
    assert "from a local folder.\n" in here
    assert "base_model" not in here
    assert "commit" not in here
    assert "from random weights." in hub.card(load(None, ["train.push_to=me/m"]), {})


def test_the_scores_of_a_card_are_the_last_that_there_are(tmp_path):
    assert hub.last_scores(tmp_path) == {}
    log = JsonLines(tmp_path / "metrics.jsonl")
    log.write([{"step": 1, "eval_median_km": 5.0, "eval_reward": 0.5}, {"step": 2, "loss": 1.0}])
    assert hub.last_scores(tmp_path) == {"eval_median_km": 5.0, "eval_reward": 0.5}
    log.write([{"step": 3, "eval_median_km": None, "eval_reward": 0.75, "epoch": 1.0}])
    assert hub.last_scores(tmp_path) == {"eval_reward": 0.75}


def test_a_model_that_nobody_asked_to_send_has_no_card(tmp_path):
    hub.add_card(load(None, [f"output={tmp_path}"]), tmp_path)
    assert not list(tmp_path.iterdir())
    assert hub.no_token(load(None, [])) is None
    assert hub.push(load(None, []), tmp_path) is None


def test_a_card_without_scores_ends_with_the_data(tmp_path):
    text = hub.card(load(None, ["train.push_to=me/model"]), {})
    assert text == (
        "---\nlibrary_name: transformers\npipeline_tag: image-text-to-text\n"
        "tags:\n- image-geolocalization\n- sft\n---\n\n"
        "# model\n\nSays where a photo was taken. Trained by georl, `sft`, from random weights.\n\n"
        "Data: not published.\n"
    )


def test_the_card_of_a_model_that_will_be_sent_holds_the_last_scores_of_its_run(tmp_path):
    final = tmp_path / "final"
    final.mkdir()
    log = JsonLines(tmp_path / "metrics.jsonl")
    log.write([{"step": 1, "eval_median_km": 5.0}, {"step": 2, "eval_median_km": 2500.0}])
    run = load(None, [f"output={tmp_path}", "train.push_to=me/model"])
    hub.add_card(run, final)
    assert (final / "README.md").read_text() == hub.card(run, {"eval_median_km": 2500.0})
    assert "| median_km | 2500 |\n" in (final / "README.md").read_text()
