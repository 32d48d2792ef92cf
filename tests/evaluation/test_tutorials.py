"""The tutorials on scores run word for word, and say what the commands say."""

import re
import shutil

import pytest

from tests.pages import ROOT, TUTORIALS, follow


@pytest.mark.parametrize("name", ["evaluate", "paper-table", "improvement"])
def test_a_tutorial_runs_word_for_word(name, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    page = TUTORIALS / f"{name}.md"
    printed = " ".join(" ".join(follow(page, tmp_path)).split())
    for said in re.findall(r"`([^`\n]*(?:within|better)[^`\n]*)`", page.read_text("utf-8")):
        assert said in printed, said
