"""The tutorials on labels run word for word, and show what they say."""

import shutil

import pytest

from tests.pages import ROOT, TUTORIALS, follow


@pytest.mark.parametrize("name", ["label", "geodataframe"])
def test_a_tutorial_runs_word_for_word(name, tmp_path, monkeypatch):
    if name == "geodataframe":
        pytest.importorskip("geopandas", reason="the extra boundaries is not installed")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    follow(TUTORIALS / f"{name}.md", tmp_path)
