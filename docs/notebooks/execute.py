"""Run the cells of the notebooks and keep what they print: ``python docs/notebooks/execute.py``.

Jupyter is not needed: a notebook is JSON, its cells are Python in one namespace, and a cell's
last expression is shown as text.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any


def outputs(notebook: dict[str, Any]) -> list[str]:
    """Run the code cells in order; return the text that each prints or shows."""
    names: dict[str, Any] = {}
    return [
        _run("".join(c["source"]), names) for c in notebook["cells"] if c["cell_type"] == "code"
    ]


def _run(source: str, names: dict[str, Any]) -> str:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(compile(tree, "cell", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            if value is not None:
                print(repr(value))
    return shown.getvalue()


def written(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook with what its cells give now."""
    given = iter(outputs(notebook))
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            lines = next(given).splitlines(keepends=True)
            stream = {"output_type": "stream", "name": "stdout", "text": lines}
            cell["outputs"], cell["execution_count"] = [stream] if lines else [], count
    return notebook


if __name__ == "__main__":
    for path in Path(__file__).parent.glob("*.ipynb"):
        made = written(json.loads(path.read_text(encoding="utf-8")))
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
