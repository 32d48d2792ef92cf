"""Run the cells of the notebooks and keep what they print: ``python docs/notebooks/execute.py``.

Jupyter is not needed: a notebook is JSON, its cells are Python in one namespace, and a cell's
last expression is shown as a picture, a table or text, as Jupyter would choose.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
from pathlib import Path
from typing import Any


def outputs(notebook: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Run the code cells in order; return the outputs of each as a notebook keeps them."""
    names: dict[str, Any] = {}
    return [
        _run("".join(c["source"]), names) for c in notebook["cells"] if c["cell_type"] == "code"
    ]


def _run(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    made: list[dict[str, Any]] = []
    if lines := printed.getvalue().splitlines(keepends=True):
        made.append({"output_type": "stream", "name": "stdout", "text": lines})
    if value is not None:
        made.append({"output_type": "execute_result", "metadata": {}, "data": shown(value)})
    return made


def shown(value: Any) -> dict[str, Any]:
    """Return what a notebook keeps of a value: a picture, HTML, or text."""
    if hasattr(value, "_repr_png_"):
        picture = base64.b64encode(value._repr_png_()).decode()
        return {"image/png": picture, "text/plain": [type(value).__name__]}
    if hasattr(value, "_repr_html_"):
        lines = value._repr_html_().splitlines(keepends=True)
        return {"text/html": lines, "text/plain": [type(value).__name__]}
    return {"text/plain": repr(value).splitlines(keepends=True)}


def written(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook with what its cells give now."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for count, (cell, given) in enumerate(zip(cells, outputs(notebook), strict=True), 1):
        cell["execution_count"] = count
        cell["outputs"] = [
            one | {"execution_count": count} if one["output_type"] == "execute_result" else one
            for one in given
        ]
    return notebook


if __name__ == "__main__":
    for path in Path(__file__).parent.glob("*.ipynb"):
        made = written(json.loads(path.read_text(encoding="utf-8")))
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
