"""The tutorials about boundaries, followed word for word."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"


def blocks(name):
    """Return (kind, text) of the code blocks; a text after a command is what it prints."""
    page = (TUTORIALS / name).read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def printed(expected):
    """Return a pattern of an expected output: ... stands for anything."""
    return re.compile(
        ".*".join(re.escape(part) for part in expected.strip().split("...")), re.DOTALL
    )


def follow_python(text, names):
    for line in text.splitlines():
        code, _, comment = line.partition("  # ")
        if not comment:
            exec(line, names)
            continue
        found = repr(eval(code, names))
        assert printed(comment).fullmatch(found), (code, found)


@pytest.mark.parametrize("name", ["own-boundaries.md", "worldview.md"])
def test_the_tutorial_works_word_for_word(tmp_path, monkeypatch, name):
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    bash = shutil.which("bash")
    names, told = {}, None
    for kind, text in blocks(name):
        if kind == "python":
            follow_python(text, names)
        elif kind == "sh":
            script = f'geodata() {{ {sys.executable} -m geodata "$@"; }}\n{text}'
            done = subprocess.run([bash, "-e", "-c", script], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            told = done.stdout
            continue
        elif kind == "text" and told is not None:
            assert printed(text).fullmatch(told.strip()), told
        told = None
