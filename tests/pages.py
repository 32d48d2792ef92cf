"""Follow a page of the docs word for word: run its code blocks in order, compare what they print.

A `sh` block is run by bash, in one folder a page; a `python` block by Python, all blocks of a page
in one namespace. A `text` block behind either is what it prints, `...` standing for anything, and
so is a comment behind an expression: `cor.label(48.9, 2.3).city  # 'Paris'`. A block of another
kind (`yaml`, `text` alone) is only read.
"""

import ast
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "docs" / "tutorials"
_PROGRAMS = f"""
geodata() {{ {sys.executable} -m geodata "$@"; }}
georl() {{ {sys.executable} -m georl.cli "$@"; }}
python() {{ {sys.executable} "$@"; }}
"""


def blocks(page):
    """Return (kind, text) of the code blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```([\w]+)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def printed(expected):
    """Return a pattern of an expected output: ... stands for anything."""
    lines = [" ".join(line.split()) for line in expected.strip().splitlines()]
    parts = [re.escape(part.strip(" ")) for part in "\n".join(lines).split("...")]
    return re.compile(r"[\s\S]*".join(rf"\s*{part}\s*" for part in parts))


def same(expected, found, varying=()):
    """Assert that an output is the expected one, spaces within lines aside, and what varies."""
    for pattern in varying:
        expected, found = (re.sub(pattern, "#", text) for text in (expected, found))
    plain = "\n".join(" ".join(line.split()) for line in found.strip().splitlines())
    assert printed(expected).fullmatch(plain), f"expected\n{expected}\nfound\n{found}"


def follow(page, folder, environment=None, smaller=(), varying=()):
    """Follow a page in a folder; return what each block printed that was run.

    Pairs in `smaller` replace figures of commands, so that a page about millions can be run.
    What the patterns in `varying` match may be another text each time: the page shows the figures
    of a real run, and a smaller one has to print the same lines with figures of its own.
    """
    names, told, all_told = {"__name__": "page"}, None, []
    for kind, text in blocks(page):
        if kind == "text":
            if told is not None:
                same(text, told, varying)
            told = None
            continue
        told = None
        if kind == "python":
            told = run_python(text, names)
        elif kind == "sh":
            told = run_shell(text, folder, environment, smaller)
        else:
            continue
        all_told.append(told)
    assert all_told, f"{page.name} has no block that is run"
    return all_told


def run_shell(text, folder, environment=None, smaller=()):
    """Run a block as a person would type it; a command that fails, fails."""
    for large, small in smaller:
        text = text.replace(large, small)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **(environment or {})}
    done = subprocess.run(
        [shutil.which("bash"), "-e", "-c", _PROGRAMS + text],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, (text, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def run_python(text, names):
    """Run a block; compare a comment behind an expression with its value; return what it prints."""
    lines, out = text.splitlines(), io.StringIO()
    with contextlib.redirect_stdout(out):
        for node in ast.parse(text).body:
            code = ast.get_source_segment(text, node)
            comment = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
            expected = comment.partition("# ")[2]
            if isinstance(node, ast.Expr):
                value = eval(code, names)
                if expected:
                    same(expected, repr(value))
            else:
                exec(compile(ast.Module([node], []), "page", "exec"), names)
    return out.getvalue()
