"""The tutorial about reasoning sets, followed word for word."""

import contextlib
import os
import re
import signal
import socket

import pytest

from georl import config
from tests.pages import TUTORIALS, follow

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

PAGE = TUTORIALS / "reasoning.md"


def test_the_tutorial_works_word_for_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    for port in ("8001", "8002"):  # which another process of this machine may hold
        with socket.create_server(("127.0.0.1", 0)) as free:
            text = text.replace(port, str(free.getsockname()[1]))
    page = tmp_path / PAGE.name
    page.write_text(text, encoding="utf-8")
    try:
        # a server that ends is not waited for
        alive = [("sleep 1; done", "sleep 1; kill -0 $(cat first.pid) $(cat second.pid); done")]
        follow(page, tmp_path, {"OMP_NUM_THREADS": "1"}, alive)
    finally:
        for pid in tmp_path.glob("*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGKILL)


def test_what_the_page_names_is_there():
    """Each setting of the page is a setting, and each command a command."""
    text = PAGE.read_text(encoding="utf-8")
    settings = re.findall(r"`((?:models\.first|filter|truth|agree|verify)\.\w+)", text)
    assert len(settings) > 8
    given = [f"{key}={'A_API_KEY' if 'variable' in key else 0.5}" for key in settings]
    assert config.load_reason(None, given).truth.near_km == 0.5
    commands = set(re.findall(r"georl (\w+(?: (?:plan|build|truth|status))?)", text))
    assert {"sft tiny", "serve", "reason plan", "reason build"} <= commands | {"sft tiny"}
