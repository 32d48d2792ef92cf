"""What pages say happens: their code blocks are run in order, here or where `FOLLOWED` says."""

import ast
import re
import shutil

import pytest

from tests import pages

HERE = [
    "README.md",
    "docs/explanation/chain-of-region.md",
    "docs/explanation/distances.md",
    "docs/explanation/rand-and-hard.md",
    "docs/index.md",
    "docs/reference/bundled.md",
    "docs/reference/errors.md",
    "examples/README.md",
]
FOLLOWED = {
    **dict.fromkeys(HERE, "tests/test_pages.py::test_a_page_does_what_it_says"),
    "docs/cookbook.md":
        "tests/cli/test_sql.py::test_every_query_of_the_cookbook_prints_what_the_page_shows",
    **{f"docs/tutorials/{name}.md": f"tests/{test}" for test, names in {
        "boundaries/test_tutorials.py::test_the_tutorial_works_word_for_word":
            ["geodataframe", "overture", "own-boundaries", "worldview"],
        "cor/test_tutorials.py::test_a_tutorial_runs_word_for_word": ["label"],
        "datasets/test_tutorials.py::test_a_leakage_report": ["leakage"],
        "datasets/test_tutorials.py::test_mp16_hard_from_the_raw_download": ["hard"],
        "datasets/test_tutorials.py::test_publish_your_dataset": ["publish"],
        "datasets/test_tutorials.py::test_your_photos_one_gpu": ["own-photos"],
        "evaluation/test_lmms_eval.py::test_the_tutorial_runs": ["lmms-eval"],
        "evaluation/test_tutorials.py::test_a_tutorial_runs_word_for_word":
            ["evaluate", "improvement", "paper-table"],
        "georl/demo/test_demo_page.py::test_the_page_prints_the_lines_that_it_shows":
            ["train-demo"],
        "georl/reasoning/test_tutorial.py::test_the_tutorial_works_word_for_word": ["reasoning"],
        "georl/test_geo_r_page.py::test_the_page_is_followed_with_a_tiny_model": ["train-geo-r"],
        "georl/test_tutorials.py::test_answers_are_scored_word_for_word": ["globe-scores"],
        "georl/demo/test_globe.py::test_the_page_goes_on_where_the_demo_ends": ["train-globe"],
        "georl/data/test_streaming.py::test_the_page_about_shards_works_word_for_word": ["stream"],
        "scale/test_pages.py::test_a_ray_cluster": ["cluster"],
        "scale/test_pages.py::test_other_engines": ["other-engines"],
        "scale/test_pages.py::test_a_table_in_a_bucket": ["bucket"],
        "scale/test_pages.py::test_shards_without_an_engine": ["shards"],
        "tables/test_pages.py::test_the_page_works_word_for_word":
            ["private-lake", "published-lake", "shared-sql"],
    }.items() for name in names},
}  # fmt: skip
"""Page -> the test that follows it."""

SLOW = {
    "docs/tutorials/other-engines.md": "starts Spark, half a minute",
    "docs/tutorials/cluster.md": "starts a Ray cluster on this machine, most of a minute",
}
"""Pages that are followed before a release and not in CI, and why."""

NOT_FOLLOWED = {"CONTRIBUTING.md": "make test is what CI runs"}
"""Pages whose commands no test runs, and why."""

READ = {"text", "yaml", "console", "{toctree}", "{image}", "{glossary}", "{eval-rst}"}
"""Kinds of blocks that are only read; `console` is what installs, or needs what CI lacks:"""

NEEDS = {"$ geodata boundaries overture CH LI --out downloads": "the public bucket of Overture"}


def all_pages():
    """Return every page of the site and of the repository, by its path."""
    found = [
        *pages.ROOT.glob("*.md"),
        *(pages.ROOT / "docs").rglob("*.md"),
        *(pages.ROOT / "examples").rglob("*.md"),
    ]
    made = {"_build", "generated"}
    return {str(p.relative_to(pages.ROOT)): p for p in sorted(found) if not made & {*p.parts}}


def fences(text):
    """Return (margin, kind) of the blocks of a page, of all that open one."""
    return re.findall(r"^([ >]*)(?:```+|~~~+)[ ]*([^\s`]*)[^\n]*\n[\s\S]*?^\1(?:```+|~~~+)[ ]*$",
                      text, re.MULTILINE)  # fmt: skip


def to_run(text):
    """Return the kinds of the blocks of a page that are no mere text."""
    return [kind for _, kind in fences(text) if kind not in READ]


def unfollowed(texts):
    """Return the pages with code that no test follows and no reason excuses."""
    return [p for p, text in texts.items() if to_run(text) and p not in FOLLOWED | NOT_FOLLOWED]


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
    "page", [pages.ROOT / name for name in HERE], ids=lambda p: str(p.relative_to(pages.ROOT))
)
def test_a_page_does_what_it_says(folder, page):
    pages.follow(page, folder)


TEXTS = {name: page.read_text(encoding="utf-8") for name, page in all_pages().items()}


def test_every_page_with_code_is_followed():
    assert unfollowed(TEXTS) == []
    made_up = {"docs/new.md": "```sh\nls\n```\n", "docs/a.md": "```text\nb\n```\n"}
    assert unfollowed(made_up) == ["docs/new.md"]
    for name in [*FOLLOWED, *NOT_FOLLOWED]:
        assert to_run(TEXTS[name]), f"{name} has no code, and needs no line here"


@pytest.mark.parametrize("name", TEXTS)
def test_a_block_is_of_a_kind_that_is_run_or_only_read(name):
    """The runner takes `sh` and `python` at the margin; what it would pass over is refused."""
    for margin, kind in fences(TEXTS[name]):
        assert kind in READ | {"sh", "python"}, f"{name}: a block of kind {kind!r} is never run"
        assert not margin or kind in READ, f"{name}: an indented block of {kind} is never run"
    for words in re.findall(r"^```console\n(.*?)^```$", TEXTS[name], re.MULTILINE | re.DOTALL):
        lines = words.splitlines()
        installs = {line.split()[0] for line in lines} <= {"make", "pip", "python3", ".", "#"}
        assert installs or lines[0] in NEEDS, f"{name}: {words} is never run"


def test_blocks_are_found_whatever_their_form():
    text = "```\na\n```\n\n- b\n\n  ~~~sh\n  c\n  ~~~\n\n````{code-block} sh\nd\n````\n"
    assert fences(text) == [("", ""), ("  ", "sh"), ("", "{code-block}")]


@pytest.mark.parametrize("page", FOLLOWED)
def test_the_test_that_follows_a_page_is_there(page):
    """It exists, its file names the page, it is slow where the list says so and nowhere else."""
    file, _, test = FOLLOWED[page].partition("::")
    tree = ast.parse((pages.ROOT / file).read_text(encoding="utf-8"))
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert {page, page.split("/")[-1], page.split("/")[-1].removesuffix(".md")} & named
    found = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == test)
    slow = "pytest.mark.slow" in map(ast.unparse, found.decorator_list)
    assert slow == (page in SLOW)


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
    page.write_text("```sh\necho loss 0.25\n```\n\n```text\nloss 0.5\n```\n")
    pages.follow(page, tmp_path, varying=[r"\d\.\d+"])
    for varying in ((), [r"\d\.\d$"], [r"cost"]):
        with pytest.raises(AssertionError):
            pages.follow(page, tmp_path, varying=varying)
    page.write_text(
        "```sh\necho a  b c\n```\n\n```text\na ... c\n```\n\n```python\nx = 2\nx  # 2\n```\n"
    )
    pages.follow(page, tmp_path)
