"""The hub is asked once before libraries ask it many times (georl.models)."""

import http.server
import threading

import pytest

from georl.config import ConfigError
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
