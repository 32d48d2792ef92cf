"""The tutorials about boundaries, followed word for word."""

import pytest

from tests import pages


@pytest.mark.parametrize(
    "name", ["own-boundaries.md", "overture.md", "worldview.md", "geodataframe.md"]
)
def test_the_tutorial_works_word_for_word(tmp_path, monkeypatch, name):
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(pages.ROOT / "examples")
    pages.follow(pages.ROOT / "docs" / "tutorials" / name, tmp_path)
