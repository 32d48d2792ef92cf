"""The notebooks hold what their cells give; the cells run in one namespace, without Jupyter."""

import base64
import importlib.util
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def execute():
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(cells):
    """Return what a reader sees of each output, without what changes from one version to the next:
    a picture's bytes, and a report behind its verdict."""
    seen = []
    for outputs in cells:
        for one in outputs:
            data = {key: "".join(value) for key, value in one.get("data", {}).items()}
            page = data.get("text/html", "")
            verdict = re.search(r"<strong>.*?</strong>", page)
            seen.append(
                (
                    "".join(one.get("text", "")),
                    data.get("text/plain"),
                    verdict[0] if verdict else page,
                    "image/png" in data,
                )
            )
    return seen


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_what_its_cells_give(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    kept = [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(kept), "every cell shows something"
    assert told(execute().outputs(notebook)) == told(kept)


def test_the_notebooks_show_tables_and_a_picture():
    kinds = {}
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        outputs = [one for cell in cells for one in cell.get("outputs", ())]
        kinds[path.stem] = {kind for one in outputs for kind in one.get("data", ())}
        for one in outputs:
            if "image/png" in one.get("data", ()):
                assert base64.b64decode(one["data"]["image/png"]).startswith(b"\x89PNG")
    assert kinds["label-and-map"] == {"text/html", "text/plain", "image/png"}
    assert kinds["score-and-compare"] == {"text/html", "text/plain"}


def test_both_notebooks_are_linked():
    index = (FOLDER.parent / "index.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 2
    assert all(f"notebooks/{path.name}" in index for path in NOTEBOOKS)


def test_a_cell_shows_its_last_expression_and_what_it_prints():
    class Table:
        def _repr_html_(self):
            return "<table></table>"

    cells = ["a = 2\nprint(a)\na * 3", "a + 1\nNone", "b = a"]
    notebook = {"cells": [{"cell_type": "code", "source": [text]} for text in cells]}
    first, second, third = execute().outputs(notebook)
    assert [one.get("text") or one["data"]["text/plain"] for one in first] == [["2\n"], ["6"]]
    assert (second, third) == ([], [])
    assert execute().shown(Table()) == {"text/html": ["<table></table>"], "text/plain": ["Table"]}
