"""The tutorials about GLOBE, followed word for word."""

import shutil

import pytest

from tests.pages import ROOT, TUTORIALS, follow


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def test_answers_are_scored_word_for_word(folder):
    follow(TUTORIALS / "globe-scores.md", folder)


@pytest.mark.slow  # a dozen processes that load torch
def test_the_three_rewards_train_word_for_word(folder):
    follow(TUTORIALS / "train-globe.md", folder)
