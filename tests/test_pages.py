"""README and the explanations say what happens: their code blocks are run, in order."""

import shutil

import pytest

from tests import pages

EXPLANATIONS = sorted((pages.ROOT / "docs" / "explanation").glob("*.md"))
WITH_CODE = [
    page for page in EXPLANATIONS if {"sh", "python"} & {kind for kind, _ in pages.blocks(page)}
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the pages name: those of examples, under the pages' names."""
    examples = pages.ROOT / "examples"
    shutil.copytree(examples, tmp_path / "examples")
    for name, source in (("photos.csv", "truth.csv"), ("base_model.csv", "predictions.csv")):
        shutil.copy(examples / source, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    pages.run_shell("geodata photos import photos.csv --lake lake --table photos", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "page",
    [*WITH_CODE, *(pages.ROOT / name for name in ("docs/index.md", "README.md"))],
    ids=lambda p: p.stem,
)
def test_a_page_does_what_it_says(folder, page):
    pages.follow(page, folder)


def test_the_runner_fails_where_a_page_is_wrong(tmp_path):
    page = tmp_path / "page.md"
    for text in (
        "```sh\nfalse\n```\n",
        "```sh\necho a\n```\n\n```text\nb\n```\n",
        "```python\n1 + 1  # 3\n```\n",
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "no code\n",
    ):
        page.write_text(text)
        with pytest.raises(AssertionError):
            pages.follow(page, tmp_path)
    page.write_text(
        "```sh\necho a  b c\n```\n\n```text\na ... c\n```\n\n```python\nx = 2\nx  # 2\n```\n"
    )
    pages.follow(page, tmp_path)
