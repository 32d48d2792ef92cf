"""The tutorials on scores run word for word: every command and every line of Python."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geodata.cli import app

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.M | re.S)


@pytest.mark.parametrize("name", ["paper-table", "improvement"])
def test_a_tutorial_runs_word_for_word(name, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "tutorials" / f"{name}.md").read_text("utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) >= 4
    printed = ""
    for kind, code in blocks:
        if kind == "python":
            exec(compile(code, name, "exec"), {})
            continue
        for line in code.splitlines():
            words = shlex.split(line)
            assert words[0] == "geodata"
            done = CliRunner().invoke(app, words[1:])
            assert done.exit_code == 0, (line, done.output)
            printed += " ".join(done.output.split()) + "\n"
    for said in re.findall(r"`([^`\n]*(?:within|better)[^`\n]*)`", text):
        assert said in printed, said
