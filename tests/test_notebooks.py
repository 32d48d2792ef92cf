"""The notebooks hold what their cells give; the cells run in one namespace, without Jupyter."""

import importlib.util
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def execute():
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_what_its_cells_give(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    kept = ["".join("".join(out["text"]) for out in cell["outputs"]) for cell in cells]
    assert any(kept)
    assert execute().outputs(notebook) == kept


def test_both_notebooks_are_linked():
    index = (FOLDER.parent / "index.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 2
    assert all(f"notebooks/{path.name}" in index for path in NOTEBOOKS)


def test_a_cell_shows_its_last_expression_and_what_it_prints():
    cells = ["a = 2\nprint(a)\na * 3", "a + 1\nNone", "b = a"]
    notebook = {"cells": [{"cell_type": "code", "source": [text]} for text in cells]}
    assert execute().outputs(notebook) == ["2\n6\n", "", ""]
