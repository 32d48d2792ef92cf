"""The tutorials about GLOBE, followed word for word."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.boundaries.test_tutorials import blocks, follow_python, printed

ROOT = Path(__file__).parents[2]


def follow(name, folder):
    """Run the blocks of a page in a folder; a text after commands is what they print."""
    (folder / "examples").mkdir()
    for file in (ROOT / "examples").glob("globe_*"):
        shutil.copy(file, folder / "examples")
    names, told = {}, None
    commands = "".join(
        f'{command}() {{ {sys.executable} -m {module} "$@"; }}\n'
        for command, module in (("geodata", "geodata"), ("georl", "georl.cli"))
    )
    for kind, text in blocks(name):
        if kind == "python":
            follow_python(text, names)
        elif kind == "sh":
            done = subprocess.run(
                [shutil.which("bash"), "-e", "-c", commands + text], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            told = done.stdout
            continue
        elif kind == "text" and told is not None:
            assert printed(text).fullmatch(told.strip()), told
        told = None


def test_answers_are_scored_word_for_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    follow("globe-scores.md", tmp_path)


@pytest.mark.slow  # a dozen processes that load torch
def test_the_three_rewards_train_word_for_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    follow("train-globe.md", tmp_path)
