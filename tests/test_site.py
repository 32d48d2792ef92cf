"""The site and the files that people join by: what is linked exists, what is said is so."""

import importlib
import importlib.util
import inspect
import re
from pathlib import Path

import pytest
import typer
import yaml

import geodata

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md")]
)
PAGES = [page for page in PAGES if "_build" not in page.parts and "generated" not in page.parts]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_links_exist(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s#]+)", text):
        if "://" not in target and "generated" not in target:
            assert (page.parent / target).exists(), target


def test_the_link_checker_finds_what_is_dead(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">1</a><a href="b.html#gone">2</a><a href="c.html">3</a>'
        '<a href="https://x.org/">4</a><img src="p.png" alt="words"><img src="q.png">'
    )
    (tmp_path / "b.html").write_text('<h1 id="here">b</h1><a href="#here">top</a>')
    (tmp_path / "p.png").write_bytes(b"")
    assert script("check_links").dead(tmp_path) == [
        "a.html: the picture q.png has no words",
        "a.html: b.html#gone has no such place on its page",
        "a.html: c.html leads nowhere",
        "a.html: q.png leads nowhere",
    ]


def test_the_command_pages_hold_every_command_and_option(tmp_path):
    pages = script("command_pages")
    pages.write(tmp_path)
    for name, app in pages.PROGRAMS.items():
        text = (tmp_path / f"{name}.md").read_text()
        stack = [(name, typer.main.get_command(app))]
        while stack:
            path, command = stack.pop()
            assert re.search(rf"^#+ {path}( \(command line\))?$", text, re.MULTILINE)
            below = getattr(command, "commands", None) or {}
            stack += [(f"{path} {inner}", c) for inner, c in below.items()]
            for parameter in [] if below else command.params:
                if parameter.param_type_name == "option" and not parameter.hidden:
                    assert all(f"`{opt}`" in text for opt in parameter.opts), parameter


def test_the_citation_is_of_this_version():
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert said["version"] == geodata.__version__
    assert said["license"] == "Apache-2.0"
    assert {r["identifiers"][0]["value"] for r in said["references"]} == {
        "arXiv:2601.00388",
        "arXiv:2506.14674",
    }


def test_forms_and_hooks_can_be_read():
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        assert {"name", "description", "body"} <= set(form)
        assert all("label" in item["attributes"] for item in form["body"])
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert {"run": ".ci/run"} in steps["jobs"]["all"]["steps"]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert all(hook["entry"].split()[0].startswith(".venv/bin/") for hook in hooks)


def test_every_name_of_the_reference_exists_and_says_what_it_is():
    pages = script("api_pages")
    for module in pages.MODULES:
        found = importlib.import_module(module)
        for name in pages.members(module):
            assert (getattr(found, name).__doc__ or "").strip(), f"{module}.{name}"
        page = (ROOT / "docs" / "reference" / "api.md").read_text()
        assert f"generated/api/{module}\n" in page


def test_grouped_parameters_are_told_one_by_one():
    lines = ["Attributes", "----------", "lat, lon : float", "    Degrees.", "", "id", "    Text."]
    script("api_pages").split_grouped(None, None, None, None, None, lines)
    assert lines == ["Attributes", "----------", "lat : float", "    Degrees.", "",
                     "lon : float", "    Degrees.", "", "id", "    Text."]  # fmt: skip


def without_examples(pages):
    """Return the functions of the reference whose page shows no call."""
    return [
        f"{module}.{name}"
        for module in pages.MODULES
        for name in pages.members(module)
        if inspect.isroutine(found := getattr(importlib.import_module(module), name))
        and not re.search(r"^ *Examples\n *-{8}\n *>>> ", inspect.getdoc(found) or "", re.MULTILINE)
    ]


def test_what_scrolls_is_reached_and_signatures_are_no_lists():
    mend = script("accessible").reached
    table = '<div class="table-wrapper docutils"><table></table></div><pre>1</pre>'
    assert mend(table) == table.replace("<div ", '<div tabindex="0" ').replace(
        "<pre>", '<pre tabindex="0">'
    )
    listed = '<dl class="simple">\n<dt>a</dt><dd>b</dd></dl>'
    two = "<dl>\n<dd>lat,</dd>\n<dd>lon,</dd>\n</dl>"
    said = '<span class="sig-params"><span>lat,</span>\n<span>lon,</span>\n</span>'
    assert mend(two + listed + two) == said + listed + said
    context = {"body": "<pre>", "furo_navigation_tree": '<p role="heading">a</p>'}
    script("accessible").mend_page(None, "a", "page.html", context, None)
    assert context == {
        "body": '<pre tabindex="0">',
        "furo_navigation_tree": '<p role="heading" aria-level="2">a</p>',
    }


def test_every_function_of_the_reference_has_an_example():
    assert without_examples(script("api_pages")) == []


def test_few_examples_are_not_run():
    """They need minutes or a network; pytest runs all others (--doctest-modules)."""
    pages = script("api_pages")
    skipped = {
        f"{module}.{name}"
        for module in pages.MODULES
        for name in pages.members(module)
        if "# doctest: +SKIP" in (getattr(importlib.import_module(module), name).__doc__ or "")
    }
    assert skipped == {
        "geodata.boundaries.fetch",  # a server
        "geodata.boundaries.fetch_overture",  # a bucket
        "geodata.scale.label_on_ray",  # a cluster, as the next five
        "geodata.scale.build_on_ray",
        "geodata.scale.map_dataset",
        "geodata.scale.score_dataset",
        "geodata.scale.score_file",
        "geodata.scale.write_dataset",
        "georl.calibration.calibrate",  # a trained judge
        "georl.demo.run",  # minutes
        "georl.demo.run_globe",  # minutes
        "georl.demo.run_science",  # minutes
        "georl.demo.scored",  # a minute
        "georl.grpo.train",  # a minute
        "georl.reasoning.build",  # servers of models
        "georl.run.fit",  # a minute
        "georl.serve.listen",  # does not return
        "georl.sft.train",  # a minute
    }
