"""The hub is asked once before libraries ask it many times (georl.models)."""

import http.server
import socket
import threading

import pytest

from georl.config import ConfigError, ModelConfig
from georl.models import load
from georl.models.reaching import reach


class _Hub(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self):
        self.asked.append(self.path)
        self.send_error(401)

    def log_message(self, *_):
        pass


def test_a_hub_that_answers_is_there_whatever_it_says(monkeypatch):
    with http.server.HTTPServer(("127.0.0.1", 0), _Hub) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        reach("No/Such", "0" * 40)
        thread.join()
    assert _Hub.asked == ["/api/models/No/Such"]


def test_a_hub_that_does_not_answer_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ConfigError, match="'No/Such' is no folder here and the hub at http://127"):
        reach("No/Such", None)
    reach(str(tmp_path), None)
    reach("nothing-with-a-slash", None)


def test_what_was_downloaded_before_needs_no_hub(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / "models--No--Such" / "snapshots" / ("1" * 40)
    kept.mkdir(parents=True)
    (kept / "config.json").write_text("{}")
    reach("No/Such", "1" * 40)
    with pytest.raises(ConfigError, match="cannot be reached"):
        reach("No/Such", "2" * 40)


def test_offline_nothing_is_asked_and_nothing_is_told(monkeypatch):
    """The libraries then look into what was downloaded alone, and say themselves what is amiss."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    reach("No/Such", None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(ConfigError, match="cannot be reached"):
        reach("No/Such", None)


def test_a_hub_that_takes_a_connection_and_says_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("georl.http.REACH_S", 0.2)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hub = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", hub)
        with pytest.raises(ConfigError) as error:
            reach("No/Such", None)
    assert str(error.value) == (
        f"model 'No/Such' is no folder here and the hub at {hub} cannot be reached (timed out); "
        "correct the folder's name, or download the model where there is a network"
    )
    assert error.value.__cause__ is None


@pytest.mark.parametrize("said", ["", None])
def test_without_an_address_the_hub_of_the_client_is_asked(monkeypatch, said):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("HF_ENDPOINT", said or "")
    if said is None:
        monkeypatch.delenv("HF_ENDPOINT")
    with pytest.raises(ConfigError, match=r"the hub at http://127\.0\.0\.1:1 cannot"):
        reach("No/Such", None)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_name_is_asked_for_as_a_path_of_the_hub(monkeypatch, tmp_path, status):
    asked = []

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with http.server.HTTPServer(("127.0.0.1", 0), Hub) as server:
        server.timeout = 20  # so that a fault does not wait for ever
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        reach("Some/na-me_1.5", None)
        thread.join()
    assert asked == ["/api/models/Some/na-me_1.5"]


def test_a_file_that_the_hub_is_known_not_to_have_was_not_downloaded(monkeypatch, tmp_path):
    """The cache notes that too, in a folder of its own, and it is no path."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    known = tmp_path / "models--No--Such" / ".no_exist" / ("3" * 40)
    known.mkdir(parents=True)
    (known / "config.json").touch()
    with pytest.raises(ConfigError, match="cannot be reached"):
        reach("No/Such", "3" * 40)


@pytest.mark.parametrize("name", ["some/name of mine?", "Öst/name", "a/b/c"])
def test_what_can_be_no_name_of_the_hub_is_not_asked_for(monkeypatch, name):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(ConfigError, match=r"\(hub name\) cannot be loaded: Repo id must"):
        load(ModelConfig(name=name))
