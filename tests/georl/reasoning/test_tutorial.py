"""The tutorial about reasoning sets, followed word for word."""

import contextlib
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from georl import config

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "tutorials" / "reasoning.md"


def blocks():
    text = PAGE.read_text(encoding="utf-8")
    for port in ("8001", "8002"):  # which another process of this machine may hold
        with socket.create_server(("127.0.0.1", 0)) as free:
            text = text.replace(port, str(free.getsockname()[1]))
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def printed(expected):
    parts = (re.escape(part) for part in expected.strip().split("..."))
    return re.compile(".*".join(parts), re.DOTALL)


@pytest.mark.slow
def test_the_tutorial_works_word_for_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, told = {}, None
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    try:
        for kind, text in blocks():
            if kind == "python":
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    exec(text, names)
                told = out.getvalue()
            elif kind == "sh":
                script = f'georl() {{ exec {sys.executable} -m georl.cli "$@"; }}\n'
                script = script.replace("exec ", "") + text
                done = subprocess.run(
                    [shutil.which("bash"), "-e", "-c", script],
                    env=env,
                    capture_output=True,
                    text=True,
                )
                assert done.returncode == 0, done.stderr
                told = done.stdout
            elif kind == "text":
                assert printed(text).fullmatch(told.strip()), told
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
