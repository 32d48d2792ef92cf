"""The pages about private, published and shared lakes, followed word for word."""

import pytest

from tests.pages import TUTORIALS, follow


@pytest.mark.parametrize("name", ["private-lake", "published-lake", "shared-sql"])
def test_the_page_works_word_for_word(tmp_path, monkeypatch, name):
    monkeypatch.delenv("GEODATA_SALT", raising=False)
    follow(TUTORIALS / f"{name}.md", tmp_path)
